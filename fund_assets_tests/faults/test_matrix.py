"""The fault matrix: all of its cells are in the slow suite."""

import re
from collections import Counter

import pytest

from fund_assets.assets import fund_nav
from fund_assets.sources import pace
from fund_assets_tests.faults.cells import CELLS, MORNING, STAGES, TICKS, TRIED
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
    [pytest.param(cell, id=cell.name, marks=pytest.mark.slow) for cell in CELLS],
)
def test_a_fault_ends_as_it_must(stage, cell):
    """Stops a fault from reaching users, from passing untold, and from lasting after its
    cause: each is played through the whole platform, told of, and repaired."""
    played = stage.play(cell)
    assert not played.wrong, line(played)


MOST_AFTER = 10


def asked(server):
    """Host → how often it was asked."""
    return Counter(
        "push2his" if endpoint == "index_history" else "fund"
        for endpoint, *_ in server.requests
    )


@pytest.mark.slow
def test_an_evening_under_a_ban(stage, monkeypatch, record_property):
    """Stops an evening of waves and tries from running into a ban, and from staying away when
    the door is open again."""
    server = stage.server
    server.reset()
    with stage._world("ban") as world:
        clock = lambda: world.now.timestamp()  # noqa: E731
        monkeypatch.setattr(pace, "time", clock)
        monkeypatch.setattr(fund_nav.time, "time", clock)
        world.at(EVE)
        server.requests.clear()
        server.faults["*"] = Fault("close")
        for moment in (*TRIED, *TICKS[1:]):
            world.at(moment)
        most = max(asked(server).values())
        assert most <= MOST_AFTER, asked(server)
        record_property("seen", f"{most} requests to a host in an evening")
        runs = [world.daemon.instance.get_run_by_id(run.run_id) for run in world.runs]
        tries = [run for run in runs if run.job_name == "daily_collection"][1:]
        assert len(tries) <= 2, "a door that is shut for longer than the pauses is left alone"
        assert tries[-1].tags["dagster/will_retry"] == "false"
        words = failures(world, tries[-1])
        assert re.search("fund.eastmoney.com refuses us until 2026-09-18 19:3[0-9]: ", words)
        assert world.end(measured=True) == "retried"

        server.faults.clear()
        for moment in ("2026-09-19T01:20:00", "2026-09-19T02:40:00", MORNING):
            world.at(moment)
        assert world.table("fund_metrics")["calc_date"].max() == DATE
        assert world.table("validated_nav")["nav_date"].max() >= DATE


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
