"""The fault matrix: one cell of each way here, all of them by `make faults`."""

import re
from collections import Counter

import pytest

from fund_assets.assets import fund_nav
from fund_assets.observability.alerts.lifecycle import Event
from fund_assets.observability.conditions import Severity
from fund_assets.transport import rate_limit
from fund_assets_tests.faults.cells import CELLS, SHORT, STAGES, TICKS, TRIED
from fund_assets_tests.faults.matrix import PAGE, line, page
from fund_assets_tests.faults.play import a_stage
from fund_assets_tests.faults.world import DATE, EVE
from fund_assets_tests.server import Fault


@pytest.fixture(scope="module")
def stage():
    with a_stage() as made:
        yield made


@pytest.mark.parametrize(
    "cell",
    [pytest.param(cell, id=cell.name, marks=pytest.mark.slow) for cell in SHORT],
)
def test_a_fault_ends_as_it_must(stage, cell):
    """Stops a fault from reaching users, from passing untold, and from lasting after its
    cause: each is played through the whole platform, told of, and repaired."""
    played = stage.play(cell)
    assert not played.wrong, line(played)


MOST_AFTER = 10
#: How the source refuses everything → words of what it is told for.
BANS = {
    "closed": (Fault("close"), "closed without an answer: the source refuses our requests"),
    "514": (Fault("status", 514), "status 514, too many requests, says its CDN"),
    "503": (Fault("status", 503), "status 503, server error"),
    "captcha": (Fault("captcha"), "a web page titled '访问验证' instead of data"),
}
DOOR = "source_refuses:fund.eastmoney.com"


def asked(server):
    """Host → how often it was asked; a provider of closes or of a list has its own path."""
    return Counter(
        path.partition("?")[0] if endpoint.startswith("index_") else endpoint == "overview"
        for endpoint, _, path, *_ in server.requests
    )


@pytest.mark.slow
@pytest.mark.parametrize("ban", BANS)
def test_an_evening_under_a_ban(stage, monkeypatch, record_property, ban):
    """Stops an evening of waves and tries from running into a ban in any of its forms, from
    alarming of all that follows from it, and from staying away when it is over."""
    fault, words = BANS[ban]
    server = stage.server
    server.reset()
    with stage._world("ban") as world:
        clock = lambda: world.now.timestamp()  # noqa: E731
        monkeypatch.setattr(rate_limit, "time", clock)
        monkeypatch.setattr(fund_nav.time, "time", clock)
        world.at(EVE)
        server.requests.clear()
        server.faults["*"] = Fault(fault.kind, fault.status)
        told = []
        for moment in (*TRIED, *TICKS[1:]):
            world.at(moment)
            told += world.look()
        most = max(asked(server).values())
        assert most <= MOST_AFTER, asked(server)
        record_property("seen", f"{ban}: {most} requests to a host in an evening")
        assert world.end(measured=True) == "retried"

        runs = [world.daemon.instance.get_run_by_id(run.run_id) for run in world.runs]
        first, *tries = [run for run in runs if run.job_name == "daily_collection"]
        assert len(tries) <= 2, "a ban longer than the pauses is left alone"
        last = tries[-1] if tries else first
        assert last.tags["dagster/will_retry"] == "false"
        said = failures(world, last)
        assert re.search(
            "fund.eastmoney.com refuses requests, next request after 2026-09-18 19:3[0-9]: ",
            said,
        )
        assert words in said and "HTTPS_PROXY" not in said
        lacking = checks(world)
        refused = "eastmoney.com refuses requests, next request after 2026-09-1"
        for check in ("indices_current", "R18_events_current"):
            assert refused in lacking[check], lacking[check]

        (began,) = [t.state for t in told if t.event is Event.BEGAN]
        assert (began.fingerprint, began.severity) == (DOOR, Severity.WARNING)
        assert re.match(r"拒绝访问，09-18 19:3\d 前不再请求：", began.words)
        assert words in began.words
        assert {t.state.fingerprint for t in told} == {DOOR}
        assert Event.OVER not in {t.event for t in told}

        server.faults.clear()
        world.at("2026-09-19T01:20:00")
        over = [t.state.fingerprint for t in world.look() if t.event is Event.OVER]
        assert over == [DOOR]
        assert world.table("fund_metrics")["calc_date"].max() == DATE
        assert world.table("validated_nav")["nav_date"].max() == DATE
        assert not any("refuses requests" in found for found in checks(world).values())


def checks(world):
    """Check → what it said when it was looked at last; empty where it was well."""
    found = {}
    for run in world.runs:
        for entry in world.daemon.instance.all_logs(run.run_id):
            event = entry.dagster_event
            if event and event.event_type_value == "ASSET_CHECK_EVALUATION":
                seen = event.event_specific_data
                found[seen.check_name] = "" if seen.passed else str(seen.metadata)
    return found


def failures(world, run):
    """What a run says of itself where it failed."""
    found = []
    for entry in world.daemon.instance.all_logs(run.run_id):
        event = entry.dagster_event
        if event and event.event_type_value == "STEP_FAILURE":
            found.append(str(event.step_failure_data.user_failure_data or ""))
            found.append(event.step_failure_data.error_display_string)
    return "\n".join(found)


def test_the_matrix_has_every_stage_and_every_end():
    """Stops a stage from dropping out of the matrix without a word."""
    assert {cell.stage for cell in CELLS} == set(STAGES)
    assert {cell.end for cell in CELLS} == {"published", "quarantined", "held", "retried"}
    assert len({cell.name for cell in CELLS}) == len(CELLS)


def test_the_page_shows_the_matrix():
    """Stops docs/reliability.md from promising other ends than the ones that are tested."""
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "make docs"
