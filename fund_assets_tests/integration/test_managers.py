"""Terms of managers: owed, requested, stored with what was known when, and shown."""

from dataclasses import replace
from datetime import datetime

import pytest

from fund_assets.nav.managers import Term
from fund_assets.nav.reports import Reports, Statement
from fund_assets.pipeline.fund_info import refresh
from fund_assets.pipeline.fund_manager_term import collect_terms
from fund_assets.schemas.tables import FUND_MANAGER_TERM
from fund_assets.settings import SHANGHAI
from fund_assets.sources.protocol import ManagerPage
from fund_assets.transport.errors import FormatError, HeldOffError, UnknownFundError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries.managers import terms_of
from fund_assets.warehouse.stores.reports import ReportWrite
from fund_assets_tests import stores
from fund_assets_tests.server.tiny import TinyMarket

FUND, OTHER, GONE = "000001", "161725", "510300"
SUNDAYS = [datetime(2026, 11, day, 3, tzinfo=SHANGHAI) for day in (1, 8, 15, 22, 29)]
RUNNING = Term(20260105, None, {"1": "甲"}, 300, 0.1)
ENDED = Term(20020104, 20260104, {"2": "乙"}, 8_766, -0.05)


class Pages(TinyMarket):
    """The tiny market with pages that a test may change; one may be an error."""

    def __init__(self):
        self.pages = {FUND: (RUNNING, ENDED), OTHER: (RUNNING,)}
        self.asked = []

    def managers(self, fund_code):
        self.asked.append(fund_code)
        page = self.pages.get(fund_code, UnknownFundError("no page"))
        if isinstance(page, Exception):
            raise page
        return ManagerPage(fund_code, page)


@pytest.fixture
def source():
    return Pages()


@pytest.fixture
def warehouse(tmp_path, source):
    made = Warehouse(stores.at(tmp_path))
    made.init("tiny")
    refresh(made, source, 20261101)
    yield made
    made.close()


def _manage(warehouse, seen_at=20261031200000, **people):
    """What histories say of who manages funds now."""
    columns = ("name", "career_days", "managed_assets", "managed_funds")
    said = {
        code[1:]: [
            Statement(
                "fund_manager", columns, {n: (n, None, None, None) for n in numbers}, since=""
            )
        ]
        for code, numbers in people.items()
    }
    with warehouse.transaction(writes=True) as connection:
        ReportWrite(said, seen_at)(warehouse, connection)


def test_a_page_is_requested_when_the_managers_changed_and_not_every_week(warehouse, source):
    """Stops the weekly job from asking for every page, and a change from being missed."""
    _manage(warehouse, f000001="1", f161725="1", f510300="3")
    first = collect_terms(warehouse, source, SUNDAYS[0])
    assert (first.asked, first.changed, first.failures) == (3, 2, {})
    assert source.asked == [FUND, OTHER, GONE]
    assert collect_terms(warehouse, source, SUNDAYS[1]).asked == 0, "nothing is owed"
    _manage(warehouse, 20261120200000, f161725="2")
    assert collect_terms(warehouse, source, SUNDAYS[3]).asked == 0, "seen three weeks ago"
    new = Term(20261121, None, {"2": "乙"}, 8, None)
    source.pages[OTHER] = (new, replace(RUNNING, until=20261120, days=319))
    last = collect_terms(warehouse, source, SUNDAYS[4])
    assert (last.asked, last.changed) == (2, 1), "and the fund without a page once more"
    shown = [(t.since, t.until, t.managers) for t in terms_of(warehouse, OTHER)]
    assert shown == [(20261121, None, "乙"), (20260105, 20261120, "甲")]
    before = terms_of(warehouse, OTHER, 20261128000000)
    assert [(t.since, t.until) for t in before] == [(20260105, None)]


def test_pages_that_fail_stop_nothing_and_a_held_off_source_does(warehouse, source):
    """Stops one broken page from costing the others, and a ban from being run into."""
    _manage(warehouse, f000001="1", f161725="1", f510300="3")
    source.pages[FUND] = FormatError("odd")
    source.pages[GONE] = HeldOffError("until noon")
    report = collect_terms(warehouse, source, SUNDAYS[0])
    assert report.failures == {FUND: "FormatError: odd"}
    assert (report.asked, report.changed, report.stopped) == (2, 1, "until noon")
    source.pages[FUND] = (RUNNING, replace(ENDED, until=20260110))
    again = collect_terms(warehouse, source, SUNDAYS[0], of={FUND})
    assert source.asked[3:] == [FUND], "the others stay out of a backfill that is not theirs"
    assert again.overlaps == [
        "000001: the term from 20260105 begins before that from 20020104 has ended"
    ]
    assert len(terms_of(warehouse, FUND)) == 2, "and are stored as they are"


def test_returns_over_a_term_are_computed_from_the_accepted_history(warehouse, source):
    """Stops a return from missing a later correction of a NAV."""
    source.pages[FUND] = (replace(RUNNING, since=20261120), ENDED)
    _manage(warehouse, f000001="1")
    collect_terms(warehouse, source, SUNDAYS[0])
    assert [t.own_return for t in terms_of(warehouse, FUND)] == [None, None]

    def nav(*rows):
        with warehouse.transaction(writes=True) as connection:
            for day, value in rows:
                connection.exec_driver_sql(
                    "INSERT INTO validated_nav (fund_code, nav_date, unit_nav, "
                    "total_return_index, return_status, first_seen_at, batch_id) VALUES "
                    f"('{FUND}', {day}, 1.0, {value}, 'proven', 20261120210000, 'x')"
                )

    nav((20020104, 1.0), (20260102, 1.5), (20261120, 1.2), (20261127, 1.26))
    running, ended = terms_of(warehouse, FUND)
    assert ended.own_return == pytest.approx(0.5) and ended.published_return == -0.05
    assert running.own_return == pytest.approx(0.05)


def test_the_page_lands_with_a_history_that_names_another_manager(warehouse, source):
    """Stops a backfill from leaving the terms of the funds that it fetched to a later week."""
    from fund_assets.nav.history import HistoryChoice
    from fund_assets.pipeline.nav_history import collect_histories

    def histories(funds, *, keep):
        for code, answer in TinyMarket.histories(source, funds):
            said = Statement("fund_manager", ("name",), {"1": ("甲",)}, since="")
            full = replace(said, columns=("name", "career_days", "managed_assets", "managed_funds"),
                           periods={"1": ("甲", None, None, None)})  # fmt: skip
            yield code, replace(answer, reports=Reports((full,)))

    source.histories = histories
    source.kept, source.forget = dict, lambda codes: None
    source.stopped_until, source.stopped_because = lambda: None, lambda: ""
    for pages in (False, True):
        report = collect_histories(
            warehouse, source, lambda: SUNDAYS[0], HistoryChoice(codes=(FUND,)), pages=pages
        )
        assert report.managers.asked == pages
    assert source.asked == [FUND]
    assert warehouse.count("SELECT COUNT(*) FROM fund_manager_page") == 1
    assert warehouse.frame("SELECT * FROM fund_manager_term", FUND_MANAGER_TERM).shape[0] == 2
