"""Signs of life: daemons, schedules and sensors, runs one by one, an evening's waves, the disk.

Belongs here: reading them into plain dataclasses. Does not belong here: what renews an asset
and what checks found (`records.py`), judging, showing.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile

import dagster as dg
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorTick,
    ScheduleInstigatorData,
    TickStatus,
)
from dagster._utils.schedules import schedule_execution_time_iterator

from fund_assets.calendar import CLOCK_SLACK, LATEST_START, from_stamp, in_future, to_key
from fund_assets.settings import SHANGHAI, Settings
from fund_assets.warehouse import Warehouse, facts

#: A daemon beats every 30 s. From these ages on it is late, or taken for dead.
HEARTBEAT_WARN_S, HEARTBEAT_FAIL_S = 120, 300
DISK_WARN_BYTES, DISK_FAIL_BYTES = 2_000_000_000, 200_000_000
SHOWN_RUNS = 10
#: Room on the disk of the warehouse from which on it is low, or nothing can be relied on.
DISK_WARN_BYTES, DISK_FAIL_BYTES = 2_000_000_000, 200_000_000
#: A tick that is not recorded so long after its time is missed; so long it is told.
TICK_GRACE, TICKS_LOOKED_AT = timedelta(minutes=5), timedelta(hours=24)
#: Where the ids of daemons are kept, and for how long after their last turn it is told.
DAEMONS_SEEN, RIVALS_TOLD = "fund_assets/daemons", timedelta(minutes=10)


@dataclass(frozen=True)
class Heartbeat:
    """The last sign of one of Dagster's daemons; `age_s` by the machine's clock.

    A sign from the future is as far off as one from the past: whoever lives beats again by the
    present clock within half a minute.
    """

    daemon: str
    at: datetime
    age_s: float


@dataclass(frozen=True)
class Ticking:
    """A schedule or sensor that is switched on.

    Attributes:
        failed_at: when its newest ended tick failed; None when it did not.
        error: the words of that failure.
        missed: times of the last day at which a schedule should have ticked and did not,
            each with whether its cron names trading days (Monday to Friday).
    """

    name: str
    failed_at: datetime | None
    error: str
    missed: tuple[tuple[datetime, bool], ...]


@dataclass(frozen=True)
class RunSummary:
    """One run; `started` and `duration_s` are None before it started or ended."""

    run_id: str
    job: str
    status: str
    created: datetime
    started: datetime | None
    duration_s: float | None


@dataclass(frozen=True)
class EveningWave:
    """What was known of a date after one published wave.

    Attributes:
        published: listed funds whose NAV of the date had been seen by then.
        share: of the active funds, a fraction.
    """

    at: datetime
    published: int
    share: float


def heartbeats(instance: dg.DagsterInstance, machine_time: datetime) -> tuple[Heartbeat, ...]:
    """The daemons that ever ran on this instance, by name; empty where none did."""
    found = []
    for name, beat in sorted(instance.get_daemon_heartbeats().items()):
        age = _age_s(beat.timestamp, machine_time)
        found.append(Heartbeat(name, _moment(beat.timestamp), round(age, 1)))
    return tuple(found)


def rivals(instance: dg.DagsterInstance, machine_time: datetime) -> datetime | None:
    """When two daemons were last seen to take turns on this instance; None: there is one.

    Daemons write their signs over each other's. One that is started anew has another id once;
    where an id comes back, both are alive. The last ids are kept among Dagster's own cursors.
    """
    beats = instance.get_daemon_heartbeats().values()
    newest = max(beats, key=lambda beat: beat.timestamp, default=None)
    if newest is None or newest.daemon_id is None:
        return None
    store = instance.daemon_cursor_storage
    seen = json.loads(store.get_cursor_values({DAEMONS_SEEN}).get(DAEMONS_SEEN, "[]"))
    if not seen or seen[-1][0] != newest.daemon_id:
        seen = [*seen, [newest.daemon_id, newest.timestamp]][-SHOWN_RUNS:]
        store.set_cursor_values({DAEMONS_SEEN: json.dumps(seen)})
    returns = [at for n, (own, at) in enumerate(seen) if own in {one for one, _ in seen[:n]}]
    if not returns or _age_s(returns[-1], machine_time) > RIVALS_TOLD.total_seconds():
        return None
    return _moment(returns[-1])


def _age_s(timestamp: float, machine_time: datetime) -> float:
    age = machine_time.timestamp() - timestamp
    return abs(age) if -age > CLOCK_SLACK.total_seconds() else max(age, 0.0)


def ticking(instance: dg.DagsterInstance, machine_time: datetime) -> tuple[Ticking, ...]:
    """The schedules and sensors that are switched on and known to the daemon, by name."""
    if instance.schedule_storage is None:  # an instance in memory has none
        return ()
    found = []
    for state in instance.all_instigator_state():
        if not state.is_running:
            continue
        newest = instance.get_ticks(
            state.instigator_origin_id, state.selector_id, limit=1, statuses=_ENDED
        )
        failed = newest[0] if newest and newest[0].status is TickStatus.FAILURE else None
        found.append(
            Ticking(
                name=state.instigator_name,
                failed_at=_moment(failed.timestamp) if failed else None,
                error=_last_words(failed) if failed else "",
                missed=tuple(_missed(instance, state, machine_time)),
            )
        )
    return tuple(sorted(found, key=lambda t: t.name))


def newest_runs(runs: Iterable[dg.RunRecord]) -> tuple[RunSummary, ...]:
    """The first runs of a list that has the newest first."""
    found = []
    for record in list(runs)[:SHOWN_RUNS]:
        run = record.dagster_run
        over = record.end_time and record.start_time
        found.append(
            RunSummary(
                run_id=run.run_id,
                job="(assets)" if run.job_name.startswith("__") else run.job_name,
                status=run.status.value.lower(),
                created=record.create_timestamp.astimezone(SHANGHAI),
                started=_moment(record.start_time) if record.start_time else None,
                duration_s=record.end_time - record.start_time if over else None,
            )
        )
    return tuple(found)


def runs_by_status(runs: Iterable[dg.RunRecord]) -> tuple[tuple[str, int], ...]:
    """Every status that Dagster knows, in lower case, and how many runs have it."""
    counted = Counter(record.dagster_run.status for record in runs)
    return tuple((status.value.lower(), counted[status]) for status in dg.DagsterRunStatus)


def evening(warehouse: Warehouse, nav_date: date, active: int) -> tuple[EveningWave, ...]:
    """The published waves of a date, in their order.

    Args:
        active: funds that should publish, see `facts.coverage`.
    """
    seen = facts.seen_by(warehouse, to_key(nav_date))
    found = []
    for stamp in facts.published_waves(warehouse, to_key(nav_date)):
        published = sum(n for at, n in seen.items() if at <= stamp)
        share = min(published / active, 1.0) if active else 0.0
        found.append(EveningWave(from_stamp(stamp), published, share))
    return tuple(found)


def free_bytes(warehouse: Warehouse, settings: Settings) -> int:
    """Room on the disk of FUND_STATE or of the warehouse, whichever has less.

    The disk of a database on another machine is known there alone.
    """
    state = settings.state_dir
    here = shutil.disk_usage(next(p for p in (state, *state.parents) if p.exists())).free
    there = warehouse.backend.free_bytes()
    return here if there is None else min(here, there)


_ENDED = [TickStatus.SUCCESS, TickStatus.SKIPPED, TickStatus.FAILURE]


def _missed(
    instance: dg.DagsterInstance, state: InstigatorState, machine_time: datetime
) -> Iterator[tuple[datetime, bool]]:
    """The times of the last day that a schedule let pass, since it was switched on.

    A tick that was skipped because it came too late is one of them.
    """
    data = state.instigator_data
    if not isinstance(data, ScheduleInstigatorData) or data.start_timestamp is None:
        return
    begin = (machine_time - TICKS_LOOKED_AT).timestamp()
    if not in_future(_moment(data.start_timestamp), machine_time):
        begin = max(begin, data.start_timestamp)
    end = machine_time - TICK_GRACE
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, after=begin - 1)
    ticked = {tick.timestamp for tick in ticks if not _too_late(tick)}
    crons = [data.cron_schedule] if isinstance(data.cron_schedule, str) else data.cron_schedule
    for cron in crons:
        times = schedule_execution_time_iterator(begin, cron, str(SHANGHAI))
        for time in takewhile(lambda time: time <= end, times):
            if time.timestamp() not in ticked:
                yield time.astimezone(SHANGHAI), cron.endswith("1-5")


def _too_late(tick: InstigatorTick) -> bool:
    ended = tick.end_timestamp or tick.timestamp
    late = ended - tick.timestamp > LATEST_START.total_seconds()
    return tick.status is TickStatus.SKIPPED and late


def _last_words(tick: InstigatorTick) -> str:
    """What a failed tick's error says at its root."""
    error = tick.error
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error else ""


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, SHANGHAI)
