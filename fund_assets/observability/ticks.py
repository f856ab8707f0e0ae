"""Schedules, sensors and freshness as Dagster's daemons leave them; whether two daemons run.

Belongs here: reading them through Dagster itself, for the alerts. Does not belong here: what
the dashboard shows (`vitals.py`), judging.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

import dagster as dg

from fund_assets.calendar import LATEST_START, in_future
from fund_assets.instance.dagster_private import (
    FreshnessState,
    InstigatorState,
    InstigatorTick,
    ScheduleInstigatorData,
    TickStatus,
    schedule_execution_time_iterator,
)
from fund_assets.observability import vitals
from fund_assets.observability.conditions import TICK_MISSED
from fund_assets.observability.dagster_tables import Ledger, moment
from fund_assets.settings import SHANGHAI

#: So long a tick is told that was missed.
TICKS_LOOKED_AT = timedelta(hours=24)


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


def rivals(instance: dg.DagsterInstance, machine_time: datetime) -> datetime | None:
    """When two daemons were last seen to take turns on this instance; None: there is one.

    What is seen now is kept for the next look (`vitals.daemon_turns`).
    """
    ledger = Ledger.of(instance)
    turns = vitals.daemon_turns(ledger)
    seen = json.dumps(turns)
    if turns and seen != ledger.cursor(vitals.DAEMONS_SEEN):
        instance.daemon_cursor_storage.set_cursor_values({vitals.DAEMONS_SEEN: seen})
    return vitals.rivals(turns, machine_time)


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
                failed_at=moment(failed.timestamp) if failed else None,
                error=_last_words(failed) if failed else "",
                missed=tuple(_missed(instance, state, machine_time)),
            )
        )
    return tuple(sorted(found, key=lambda t: t.name))


def overdue(instance: dg.DagsterInstance, assets: Iterable[str]) -> list[str]:
    """The assets whose freshness policy is broken, as the freshness daemon last found."""
    keys = {dg.AssetKey(asset): asset for asset in assets}
    states = instance.get_freshness_state_records(list(keys))
    return [keys[key] for key, s in states.items() if s.freshness_state is FreshnessState.FAIL]


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
    if not in_future(moment(data.start_timestamp), machine_time):
        begin = max(begin, data.start_timestamp)
    end = machine_time - timedelta(seconds=TICK_MISSED.grace_s)
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
