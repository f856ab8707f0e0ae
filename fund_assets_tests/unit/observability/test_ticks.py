"""Schedules and sensors as Dagster's daemon leaves them: ticks that failed, and lost ones."""

from datetime import datetime, timedelta

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.types import DaemonHeartbeat
from dagster._utils.error import SerializableErrorInfo

from fund_assets.cli._examinations import daemon_finding
from fund_assets.instance.storage import write_at_once
from fund_assets.observability import ticks
from fund_assets.settings import SHANGHAI


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


#: A Friday noon.
NOW = at("2026-09-18T12:00")
START = at("2026-09-01T00:00")


class Scheduler:
    """Writes what the daemon writes, without the daemon."""

    def __init__(self, instance):
        self.instance = instance
        self.repository = RemoteRepositoryOrigin(
            ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name="m"), "m"),
            "__repository__",
        )

    def schedule(self, name, cron, start=START, status=InstigatorStatus.DECLARED_IN_CODE):
        origin = RemoteInstigatorOrigin(self.repository, name)
        data = ScheduleInstigatorData(cron, start.timestamp())
        state = InstigatorState(origin, InstigatorType.SCHEDULE, status, data)
        self.instance.add_instigator_state(state)
        return state

    def tick(self, state, when, status=TickStatus.SKIPPED, error=None, ended=None):
        self.instance.create_tick(
            TickData(
                instigator_origin_id=state.instigator_origin_id,
                instigator_name=state.instigator_name,
                instigator_type=state.instigator_type,
                status=status,
                timestamp=at(when).timestamp(),
                selector_id=state.selector_id,
                run_ids=[],
                error=error,
                end_timestamp=at(ended).timestamp() if ended else None,
            )
        )


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ticks")
    write_at_once(folder)
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        yield instance


@pytest.fixture
def scheduler(instance):
    instance.schedule_storage.wipe()
    return Scheduler(instance)


def missed(scheduler, now=NOW):
    return {
        t.name: [(f"{when:%d %H:%M}", trading) for when, trading in t.missed]
        for t in ticks.ticking(scheduler.instance, now)
    }


def test_a_tick_that_is_recorded_is_not_missed(scheduler):
    """Stops a skipped tick, or one that runs late, from being taken for a lost one."""
    state = scheduler.schedule("daily", "0 19 * * 1-5")
    assert missed(scheduler) == {"daily": [("17 19:00", True)]}
    scheduler.tick(state, "2026-09-17T19:00")
    assert missed(scheduler) == {"daily": []}


def test_a_tick_that_was_skipped_for_lateness_is_missed(scheduler):
    """Stops a Sunday that a daemon woke up too late for from vanishing without a word."""
    state = scheduler.schedule("daily", "0 19 * * 1-5")
    scheduler.tick(state, "2026-09-17T19:00", ended="2026-09-17T20:00:01")
    assert missed(scheduler) == {"daily": [("17 19:00", True)]}
    scheduler.instance.schedule_storage.wipe()
    state = scheduler.schedule("daily", "0 19 * * 1-5")
    scheduler.tick(state, "2026-09-17T19:00", ended="2026-09-17T20:00:00")
    assert missed(scheduler) == {"daily": []}


def test_every_cron_of_a_schedule_counts(scheduler):
    """Stops one of three waves from being lost unseen, and says which are for trading days."""
    state = scheduler.schedule("waves", ["30 21 * * 1-5", "0 23 * * 1-5", "30 7 * * *"])
    scheduler.tick(state, "2026-09-17T23:00")
    assert sorted(missed(scheduler)["waves"]) == [("17 21:30", True), ("18 07:30", False)]


@pytest.mark.parametrize(
    ("now", "start", "expected"),
    [
        ("2026-09-17T19:04", START, []),
        ("2026-09-17T19:06", START, [("17 19:00", True)]),
        ("2026-09-18T18:59", START, [("17 19:00", True)]),
        ("2026-09-18T19:04", START, []),
        ("2026-09-18T12:00", at("2026-09-17T20:00"), []),
    ],
)
def test_a_tick_has_five_minutes_and_is_told_for_a_day(scheduler, now, start, expected):
    """Stops an alarm at 19:00:01, one for ever, and one from before it was switched on."""
    scheduler.schedule("daily", "0 19 * * 1-5", start)
    found = missed(scheduler, at(now))["daily"]
    assert [m for m in found if m[0].startswith("17")] == expected


def test_a_schedule_that_is_switched_off_misses_nothing(scheduler):
    """Stops what a person stopped from alarming."""
    scheduler.schedule("daily", "0 19 * * 1-5", status=InstigatorStatus.STOPPED)
    assert missed(scheduler) == {}


def test_the_newest_ended_tick_tells_whether_it_fails(scheduler):
    """Stops an error of last week, or a tick under way, from being the state of now."""
    state = scheduler.schedule("daily", "0 19 * * 1-5")
    cause = SerializableErrorInfo("KeyError: 'nav'\n", [], "KeyError")
    error = SerializableErrorInfo("SensorExecutionError", [], "SensorExecutionError", cause)
    scheduler.tick(state, "2026-09-16T19:00", TickStatus.SUCCESS)
    scheduler.tick(state, "2026-09-17T19:00", TickStatus.FAILURE, error)
    scheduler.tick(state, "2026-09-18T11:59", TickStatus.STARTED)
    (found,) = ticks.ticking(scheduler.instance, NOW)
    assert (found.failed_at, found.error) == (at("2026-09-17T19:00"), "KeyError: 'nav'")
    scheduler.tick(state, "2026-09-18T12:00", TickStatus.SKIPPED)
    (found,) = ticks.ticking(scheduler.instance, NOW + timedelta(minutes=1))
    assert (found.failed_at, found.error) == (None, "")


def beat(instance, daemon_id, at):
    instance.add_daemon_heartbeat(DaemonHeartbeat(at.timestamp(), "SENSOR", daemon_id, []))


def test_two_daemons_are_told_and_one_that_was_restarted_is_not(instance):
    """Stops a forgotten `make dev` beside the service from doubling ticks unseen."""
    found = []
    for minute, daemon_id in enumerate(["a", "a", "b", "b", "c", "b", "c"]):
        at = NOW + timedelta(minutes=minute)
        beat(instance, daemon_id, at)
        found.append(ticks.rivals(instance, at))
    five, six = NOW + timedelta(minutes=5), NOW + timedelta(minutes=6)
    assert found == [None] * 5 + [five, six]
    # One of them is stopped.
    for minute, told in ((7, six), (16, six), (17, None)):
        at = NOW + timedelta(minutes=minute)
        beat(instance, "c", at)
        assert ticks.rivals(instance, at) == told


def test_doctor_tells_of_no_daemon_of_one_and_of_two():
    """Stops `doctor` from calling two daemons on one set of records well."""
    assert daemon_finding(5.0, None).words.startswith("running")
    assert daemon_finding(1e9, None).words.startswith("not running")
    two = daemon_finding(5.0, NOW)
    assert (two.state, two.todo[:15]) == ("failure", "stop one of the")
    assert "two daemons use these records in turn, last at 09-18 12:00" in two.words


def test_an_instance_in_memory_has_no_schedules():
    """Stops every run in a test from looking like a dead Dagster."""
    with dg.DagsterInstance.ephemeral() as instance:
        assert ticks.ticking(instance, NOW) == ()
