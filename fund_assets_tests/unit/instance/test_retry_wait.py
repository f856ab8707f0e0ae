"""A run that is tried again waits; what it waits for, and what is not held up."""

from types import SimpleNamespace

import pytest

from fund_assets import resources
from fund_assets.instance import retry_wait
from fund_assets.instance.retry_wait import left_to_wait, longest_pause_s, wait_for_turn

FAILED_AT, PAUSE = 1_000_000.0, 120.0
BY_STEP = {"dagster/failure_reason": "STEP_FAILURE"}


class Records:
    """The one run that is repeated."""

    def __init__(self, tags, ended=FAILED_AT):
        self.record = SimpleNamespace(dagster_run=SimpleNamespace(tags=tags), end_time=ended)

    def get_run_record_by_id(self, run_id):
        return self.record if run_id == "before" else None


def again(number="1", parent="before"):
    tags = {"dagster/retry_number": number, "dagster/parent_run_id": parent}
    return SimpleNamespace(tags=tags)


@pytest.mark.parametrize(
    ("run", "before", "seconds_later", "left"),
    [
        (again("1"), Records(BY_STEP), 0.5, 119.5),
        (again("2"), Records(BY_STEP), 0.5, 599.5),
        (again("1"), Records(BY_STEP), 121.0, 0.0),
        (again("1"), Records(BY_STEP), -9_999.0, 120.0),
        (again("1"), Records(BY_STEP, None), 1.0, 0.0),
        (again("1"), Records({"dagster/failure_reason": "UNEXPECTED_TERMINATION"}), 1.0, 0.0),
        (again("1"), Records({}), 1.0, 0.0),
        (again("1", "gone"), Records(BY_STEP), 1.0, 0.0),
        (SimpleNamespace(tags={"dagster/parent_run_id": "before"}), Records(BY_STEP), 1.0, 0.0),
        (SimpleNamespace(tags={}), Records(BY_STEP), 1.0, 0.0),
    ],
    ids=[
        "first", "second", "time has passed", "clock set back", "no end", "died", "no reason",
        "deleted", "by a person", "no retry",
    ],
)  # fmt: skip
def test_how_long_it_waits(monkeypatch, run, before, seconds_later, left):
    """Stops three tries within a minute of a source that is away for five, a killed run from
    waiting, and a clock that was wrong from holding one up for days."""
    monkeypatch.setattr(retry_wait, "time", lambda: FAILED_AT + seconds_later)
    assert left_to_wait(before, run, PAUSE) == pytest.approx(left)
    assert left <= longest_pause_s(PAUSE) == 600.0


def test_a_run_waits_for_its_turn(monkeypatch):
    """Stops a run from waiting for nothing, and one that is tried again from not waiting."""
    waited = []
    monkeypatch.setattr(retry_wait, "sleep", waited.append)
    monkeypatch.setattr(retry_wait, "time", lambda: FAILED_AT)
    records = Records(BY_STEP)
    wait_for_turn(records, again(), 0.0, None)
    assert waited == []
    wait_for_turn(records, again(), PAUSE, None)
    assert waited == [120.0]


def test_only_a_run_waits(monkeypatch):
    """Stops a tick of a sensor, or a command, from waiting for anything."""
    asked = []
    monkeypatch.setattr(resources, "wait_for_turn", lambda *given: asked.append(given))
    platform = resources.Platform(overrides={"retry_pause_s": PAUSE})
    records, run = Records(BY_STEP), again()
    platform.setup_for_execution(SimpleNamespace(run=None, instance=records, log=None))
    platform.setup_for_execution(SimpleNamespace(run=run, instance=None, log=None))
    assert asked == []
    platform.setup_for_execution(SimpleNamespace(run=run, instance=records, log=None))
    assert asked == [(records, run, PAUSE, None)]
