"""The facts that alerts are made of, read in a known time however much has happened.

Belongs here: reading them from the warehouse, Dagster's records and the disk, and saying which
of these could not be read. Does not belong here: what is wrong (`current.py`).

`observability.status_reader` reads more, for people who look now and then; these are read
twice a minute. A warehouse that cannot be read hides only what stands in it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from fund_assets.calendar import LATEST_START, TradingCalendar, to_stamp
from fund_assets.observability import (
    check_records,
    run_events,
    run_records,
    sessions,
    ticks,
    vitals,
)
from fund_assets.observability.check_records import FailingCheck
from fund_assets.observability.conditions import LIMIT_CHANGED
from fund_assets.observability.dagster_tables import Ledger
from fund_assets.observability.run_records import WEEK, FailedRun
from fund_assets.observability.sessions import Freshness
from fund_assets.observability.ticks import Ticking
from fund_assets.observability.vitals import Heartbeat
from fund_assets.resources import Platform
from fund_assets.schemas.profiles import due_every_morning
from fund_assets.transport.circuit_breaker import Refusal
from fund_assets.transport.rate_limit import RateLimit
from fund_assets.warehouse import Warehouse, WarehouseError
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.queries.fund_status import StatusChange, status_changes
from fund_assets.warehouse.stores import date_counts, weekly_log
from fund_assets.warehouse.stores.date_counts import Loss

#: Runs of a week that are looked at; more of them hide which job failed last.
MOST_RUNS = 2_000
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredFacts:
    """What the warehouse says.

    Attributes:
        newest: table → newest date in it, yyyymmdd; None without any.
        held: batches that a blocking rule stops: kind, newest_date, held_because.
        quarantined: funds and dates that wait for a decision, each once.
        missing_week: the newest ISO week whose weekly job was due and has not gone through.
        unjudged: whether the newest wave has landed and no rule has judged it yet.
        first_wave: newest date of the first published wave, yyyymmdd; None before.
        lost: dates of which accepted NAVs vanished.
        purchases: changes of purchases, redemptions and limits of the last day, as far as the
            setting asks for them.
    """

    newest: Mapping[str, int | None]
    held: tuple[Mapping[str, Any], ...]
    quarantined: int
    missing_week: str | None = None
    unjudged: bool = False
    first_wave: int | None = None
    lost: tuple[Loss, ...] = ()
    purchases: tuple[StatusChange, ...] = ()


@dataclass(frozen=True)
class DagsterFacts:
    """What Dagster's records say.

    Attributes:
        overdue: assets whose freshness policy is broken.
        renewed: asset → when it was last renewed.
        rivals: when two daemons were last seen to take turns.
        under_way: job → when its run that is not finished yet was made.
        whole: whether all runs of the week were looked at, and not the newest ones alone.
    """

    failed_runs: tuple[FailedRun, ...]
    failing_checks: tuple[FailingCheck, ...]
    ticking: tuple[Ticking, ...]
    daemons: tuple[Heartbeat, ...]
    overdue: tuple[str, ...]
    renewed: Mapping[str, datetime]
    under_way: Mapping[str, datetime] = field(default_factory=dict)
    rivals: datetime | None = None
    whole: bool = True


@dataclass(frozen=True)
class Facts:
    """Everything that alerts are made of.

    Attributes:
        now: by the settings' clock, which judges the age of data.
        at: by the machine's clock, which judges the age of everything else.
        calendar: the stored one; while it cannot be read, the published one.
        stored, dagster: None while they cannot be read.
        trouble: warehouse or dagster → why it cannot be read.
        quarantine_limit: rows in quarantine from which on they are a backlog.
        watched: funds of the watch list.
        refusals: host → until when and why this machine does not ask it.
    """

    now: datetime
    at: datetime
    calendar: TradingCalendar
    stored: StoredFacts | None
    dagster: DagsterFacts | None
    trouble: Mapping[str, str]
    disk_free_bytes: int
    quarantine_limit: int
    watched: frozenset[str] = frozenset()
    refusals: Mapping[str, Refusal] = field(default_factory=dict)

    @property
    def freshness(self) -> tuple[Freshness, ...]:
        """How new the tables are; empty while that cannot be known."""
        if self.stored is None or self.dagster is None or not self.calendar_reaches:
            return ()
        return sessions.freshness(
            self.stored.newest, self.calendar, self.now, self.dagster.renewed
        )

    @property
    def calendar_reaches(self) -> bool:
        """Whether the calendar knows today."""
        return self.now.date() <= self.calendar.horizon


def look(
    platform: Platform, instance: dg.DagsterInstance | None, machine_time: datetime
) -> Facts | None:
    """The facts of now; None where nothing has begun yet, so that nothing can be wrong.

    Args:
        instance: None when it could not even be opened.
    """
    trouble: dict[str, str] = {}
    dagster = stored = None
    now = platform.now()
    calendar = TradingCalendar.build(invent_until=now.date() + timedelta(days=30))
    try:
        dagster = _dagster(instance, machine_time) if instance else None
    except Exception:  # whatever its storage raises
        log.exception("the records of Dagster cannot be read")
    if dagster is None:
        trouble["dagster"] = "Dagster 的运行记录读不出来，详情见日志"
    warehouse = Warehouse(platform.settings.warehouse, read_only=True)
    try:
        if warehouse.exists():
            calendar = platform.calendar
            stored = _stored(platform.warehouse, now - LATEST_START, _changes(platform))
        elif dagster is not None and not dagster.renewed:
            return None
        else:
            trouble["warehouse"] = "仓库不见了：数据表不在设置所说的地方"
    except WarehouseError as error:
        log.warning("the warehouse cannot be read: %s", error)
        trouble["warehouse"] = "仓库读不出来，详情见日志"
    finally:
        warehouse.close()
    return Facts(
        now=now,
        at=machine_time,
        calendar=calendar,
        stored=stored,
        dagster=dagster,
        trouble=trouble,
        disk_free_bytes=vitals.free_bytes(warehouse, platform.settings),
        quarantine_limit=platform.settings.alert_quarantine_rows,
        watched=frozenset(platform.settings.watched),
        refusals=RateLimit(1.0, platform.settings.pace_dir).refusals(),
    )


def _changes(platform: Platform) -> list[StatusChange]:
    """The changes of the last day that the setting asks for."""
    settings = platform.settings
    whose = {"watched": settings.watched, "all": None, "none": ()}[settings.alert_limit_changes]
    since = platform.now() - timedelta(seconds=LIMIT_CHANGED.lasts_s)
    return status_changes(platform.warehouse, to_stamp(since), codes=whose)


def _stored(warehouse: Warehouse, now: datetime, purchases: list[StatusChange]) -> StoredFacts:
    return StoredFacts(
        newest=status_queries.newest_dates(warehouse),
        held=tuple(status_queries.held_batches(warehouse)),
        quarantined=status_queries.held_cases(warehouse),
        missing_week=weekly_log.missing_week(warehouse, now),
        unjudged=status_queries.newest_wave_waits(warehouse),
        first_wave=status_queries.first_wave(warehouse),
        lost=tuple(date_counts.losses(warehouse, date_counts.counted_since(now.date()))),
        purchases=tuple(purchases),
    )


def _dagster(instance: dg.DagsterInstance, machine_time: datetime) -> DagsterFacts:
    ledger, watched = Ledger.of(instance), due_every_morning()
    runs = ledger.runs_since(machine_time - WEEK, MOST_RUNS)
    ended = [run for run in runs if run_records.concluded(run)]
    return DagsterFacts(
        failed_runs=tuple(run_records.failed_runs(ledger, runs, machine_time)),
        failing_checks=tuple(
            check_records.failing_checks(run_events.check_states(ledger, ended))
        ),
        ticking=ticks.ticking(instance, machine_time),
        daemons=vitals.heartbeats(ledger, machine_time),
        rivals=ticks.rivals(instance, machine_time),
        overdue=tuple(ticks.overdue(instance, watched)),
        renewed=run_records.renewed(ledger, watched),
        under_way={run.job_name: run.created for run in runs if not run.is_finished},
        whole=len(runs) < MOST_RUNS,
    )
