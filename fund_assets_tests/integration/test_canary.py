"""The canary before the evening: on the simulated market, and over the wire with changes."""

import json
import re
from dataclasses import replace

import pytest

from fund_assets.checks.catalog import SOURCE_CANARY
from fund_assets.pipeline.source_canary import SAMPLE, look
from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.transport.errors import BannedError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.limits import Limits
from fund_assets_tests.integration.evenings import Market, cases, checks
from fund_assets_tests.server import Fault, MarketServer, Reply, content_from_source

BEFORE_FRIDAY = "2026-09-18T18:30:00"
SETTLED = "2026-09-17T23:50:00"


@pytest.fixture(scope="module")
def settled(first_evening, tmp_path_factory):
    """The market once Thursday's late publishers are in. To be looked at only."""
    market = first_evening[0].copy(tmp_path_factory.mktemp("settled"))
    assert market.run("daily_pipeline", SETTLED).success
    yield market
    market.close()


def canary(market, clock=BEFORE_FRIDAY, source=None):
    platform = market.platform(clock)
    try:
        return look(
            platform.warehouse, source or platform.source, platform.calendar, platform.now()
        )
    finally:
        platform.warehouse.close()


def test_a_market_as_ever_is_well(settled):
    """Stops a canary that cries every evening, and one that looks at nothing."""
    report = canary(settled)
    assert report.findings == []
    assert set(report.rows) == {
        "fund_list", "open_funds", "money_funds", "exchange_funds", "history", "index",
    }  # fmt: skip
    assert report.looked_at > SAMPLE + 30


def test_it_changes_nothing_and_is_a_check(settled):
    """Stops a look from landing a batch, and a finding that no alert can read."""
    before = settled.checksums()
    result = settled.run("source_canary", BEFORE_FRIDAY)
    assert result.success
    (evaluation,) = checks(result).values()
    assert (evaluation.check_name, evaluation.passed, evaluation.blocking) == (
        SOURCE_CANARY.name,
        True,
        False,
    )
    assert settled.checksums() == before

    bad = settled.run(
        "source_canary",
        BEFORE_FRIDAY,
        listed=lambda frame: frame.head(20),
        wave=lambda wave: replace(wave, newest=wave.previous),
    )
    (evaluation,) = checks(bad).values()
    assert (evaluation.passed, evaluation.severity.value) == (False, "ERROR")
    assert "fund_list: 3" in cases(evaluation) and "it holds 20 rows" in cases(evaluation)
    assert evaluation.metadata["failed"].value == 1, cases(evaluation)
    assert settled.checksums() == before


def test_an_empty_warehouse_has_nothing_to_compare(settled, tmp_path):
    """Stops a first day that ends before its first run."""
    report = canary(Market(tmp_path / "new"))
    assert (report.findings, report.looked_at) == ([], 0)
    assert report.rows["open_funds"] > 20


class Changed:
    """A content whose answers of one endpoint are changed on their way."""

    def __init__(self, content, endpoint, change):
        self.content, self.endpoint, self.change = content, endpoint, change

    def reply(self, endpoint, fund_code):
        found = self.content.reply(endpoint, fund_code)
        if endpoint != self.endpoint or found is None:
            return found
        return Reply(self.change(found.body), found.content_type)


def rows(change):
    """Changes the rows of the snapshot, and its own count of them."""

    def of(body):
        text = body.decode()
        found = re.search(r"datas:(\[\[.*\]\]),count", text)
        changed = change(json.loads(found[1]))
        told = json.dumps(changed, ensure_ascii=False, separators=(",", ":"))
        text = text[: found.start(1)] + told + text[found.end(1) :]
        return re.sub(r'record:"\d+"', f'record:"{len(changed)}"', text).encode()

    return of


def cut(body):
    """Half of the rows under the old count: what a server does that caps its page."""
    text = body.decode()
    return re.sub(
        r"datas:(\[\[.*\]\]),count",
        lambda m: f"datas:{json.dumps(json.loads(m[1])[:20], ensure_ascii=False)},count",
        text,
    ).encode()


def swapped(found):
    return [[*r[:3], r[4], r[3], r[6], r[5], *r[7:]] for r in found]


CHANGES = {
    "a new column": ("open_funds", rows(lambda f: [[*r, "x"] for r in f]),
                     r"FormatError: .*market snapshot"),
    "columns that changed places": ("open_funds", rows(swapped),
                                    r"wave, bond funds: 12 of 12 lack or differ"),
    "a lower cap": ("open_funds", cut, r"TruncatedError: the market snapshot says it has"),
    "a lower cap that is not told": ("open_funds", rows(lambda f: f[:20]),
                                     r"open_funds: 20 rows, \d+ in the wave before"),
    "a column less": ("money_funds", lambda b: b.replace(b"<tr><td></td>", b"<tr>"),
                      r"FormatError: .*money"),
    "a shorter list": ("fund_list", lambda b: b[: b.index(b"],[", 900)] + b"]];",
                       r"fund_list: \d+ of \d+ funds with a NAV are not in it"),
    "a history in another form": ("history", lambda b: b.replace(b"Data_", b"Daten_"),
                                  r"history: 20 of 20 failed, first: FormatError"),
    "a history that ends before": ("history",
        lambda b: re.sub(rb'\},\{"x":\d+,"y":[^{}]*\}\]', b"}]", b),
                                   r"history: \d+ of \d+ lack or differ"),
}  # fmt: skip


@pytest.fixture(scope="module")
def truth(first_evening):
    """The simulated market of Friday 18:30, to be served."""
    platform = first_evening[0].platform(BEFORE_FRIDAY)
    yield platform.source
    platform.warehouse.close()


def over_the_wire(market, content, clock=BEFORE_FRIDAY, **faults):
    with MarketServer(content) as server, server.as_environment():
        server.faults = faults
        source = EastmoneySource(
            Gateway(Limits(attempts=1, requests_per_second=10_000, timeout_s=5, deadline_s=5))
        )
        source.index_history = market.platform(clock).source.index_history
        report = canary(market, clock, source)
        report.requests = len(server.requests)
        return report


@pytest.mark.slow
def test_the_wire_as_ever_is_well(settled, truth):
    """Stops a canary that only understands the simulated market, or asks too much of the real."""
    report = over_the_wire(settled, content_from_source(truth))
    assert report.findings == []
    assert report.looked_at > SAMPLE + 30
    assert report.requests == 1 + 3 + SAMPLE


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_changes_are_told(settled, truth, change):
    """Stops a change of the source from being found by the evening itself, at 19:00."""
    endpoint, how, words = CHANGES[change]
    report = over_the_wire(settled, Changed(content_from_source(truth), endpoint, how))
    assert len(report.findings) >= 1, change
    assert re.search(words, report.findings[0]), report.findings


@pytest.mark.slow
def test_old_dates_are_told(settled):
    """Stops yesterday's page, served again by a cache, from being taken for today's."""
    old = settled.platform("2026-09-15T18:30:00").source
    report = over_the_wire(settled, content_from_source(old))
    assert any(
        finding.startswith("open_funds: its newest date is 2026-09-15, 2026-09-17 or")
        for finding in report.findings
    ), report.findings
    assert any(finding.startswith("history: ") for finding in report.findings)


@pytest.mark.slow
def test_a_ban_is_told(settled, truth):
    """Stops a captcha page from passing because the other endpoints answer."""
    report = over_the_wire(
        settled,
        content_from_source(truth),
        open_funds=Fault("captcha"),
        history=Fault("captcha"),
    )
    assert [BannedError.__name__ in finding for finding in report.findings] == [True, True]
