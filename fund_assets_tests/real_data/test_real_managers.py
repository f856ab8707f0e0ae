"""Terms of managers and holdings on 11,202 recorded fund pages of October 2020."""

import pandas as pd
import pytest

from fund_assets.nav.managers import days_of, overlaps, statement, term_return
from fund_assets.nav.reports import Statement, doubts
from fund_assets.schemas.tables import FUND_MANAGER_TERM, FUND_TOP_HOLDINGS
from fund_assets.sources.eastmoney.manager_page import decode_terms
from fund_assets_tests.real_data import evidence
from fund_assets_tests.server import wire

pytestmark = [pytest.mark.real_data, pytest.mark.slow]
PAGES = "fundpages_2020-10-13"


@pytest.fixture(scope="module")
def terms(real_data):
    """Fund → its terms, as the decoder reads a page with the recorded cells."""
    rows = pd.read_parquet(real_data / PAGES / "page_managers.parquet")
    found = {}
    for code, cells in rows.groupby("code", sort=False):
        lines = [
            (*row.term.split("~"), row.managers, row.days, row.term_return)
            for row in cells.itertuples()
        ]
        found[code] = decode_terms(wire.manager_rows(code, "某", lines), code)
    assert sum(map(len, found.values())) == len(rows) == 19_245
    return found


def test_every_recorded_term_is_read_and_none_overlap(terms):
    """Stops a form of days, names or returns that funds really have from being refused."""
    assert [words for code, of in terms.items() for words in overlaps(code, of)] == []
    of = [term for page in terms.values() for term in page]
    assert sum(term.until is None for term in of) == 7_260
    assert sum(term.published_return is None for term in of) == 340
    assert sum(term.days is None for term in of) == 147
    closed = [term for term in of if term.until is not None and term.days is not None]
    off = [term for term in closed if abs(days_of(term.since, 0, term.days) - term.days) > 0]
    assert off == []
    rows = [
        {"fund_code": code, "since": since, "first_seen_at": 20201013074000,
         "superseded_at": None, **dict(zip(said.columns, figures, strict=True))}
        for code, page in terms.items()
        for said in [statement(page)]
        for since, figures in said.periods.items()
    ]  # fmt: skip
    FUND_MANAGER_TERM.schema.validate(FUND_MANAGER_TERM.conform(pd.DataFrame(rows)))


def test_returns_over_closed_terms_equal_the_printed_ones(real_data, terms, record_property):
    """Stops a definition that is near the source's from passing for it."""
    histories = evidence.read_histories(real_data)
    histories = histories[histories["verified_2020"]]
    steps = evidence.steps_with_all_events(histories, evidence.read_recorded(real_data))
    compared, equal, off = 0, 0, []
    for code, of in steps.groupby("fund_code"):
        dates, index = of["nav_date"].tolist(), of["index"].tolist()
        for term in terms.get(str(code), ()):
            ours = term_return(dates, index, term.since, term.until)
            if term.until is None or term.published_return is None or ours is None:
                continue
            compared += 1
            if abs(ours - term.published_return) <= 0.00011:
                equal += 1
            else:
                off.append((code, term.since, round(ours, 4), term.published_return))
    record_property("seen", f"{equal} of {compared} closed terms; others: {off}")
    assert compared >= 679 and equal >= 0.99 * compared, off


def test_weights_of_recorded_holdings_add_up_to_the_printed_total(real_data):
    """Stops weights from being read as other figures than the page adds up."""
    rows = pd.read_parquet(real_data / PAGES / "page_holdings.parquet")
    said, totals = {}, {}
    for (code, kind, day), of in rows.groupby(["code", "kind", "date"], sort=False):
        period = int(day.replace("-", ""))
        held = {
            (period, kind, at): (0, name[:20], _fraction(weight))
            for at, (name, weight) in enumerate(zip(of["name"], of["weight"], strict=True), 1)
        }
        one = Statement("fund_top_holdings", ("market", "security_code", "weight"), held)
        said.setdefault(code, []).append(one)
        totals[code, kind, period] = _fraction(of["top_total"].iloc[0]) or 0.0
    assert sum(len(one.periods) for of in said.values() for one in of) == 54_744
    off = []
    for code, of in said.items():
        assert doubts(code, of) == []
        for one in of:
            (period, kind, _), *_ = one.periods
            total = sum(weight or 0.0 for *_, weight in one.periods.values())
            if abs(total - totals[code, kind, period]) > 0.000201:
                off.append((code, kind, total, totals[code, kind, period]))
    assert off == []
    rows = [
        {"fund_code": code, "period_end": period, "kind": kind, "place": at,
         "first_seen_at": 20201013074000, "superseded_at": None, "market": market,
         "security_code": security, "weight": weight}
        for code, of in said.items()
        for one in of
        for (period, kind, at), (market, security, weight) in one.periods.items()
    ]  # fmt: skip
    FUND_TOP_HOLDINGS.schema.validate(FUND_TOP_HOLDINGS.conform(pd.DataFrame(rows)))


def _fraction(text):
    return None if text.rstrip("%") in ("", "--") else round(float(text.rstrip("%")) / 100, 8)
