"""How the platform is: freshness, coverage, batches, updates, runs, checks and what is wrong.

Belongs here: gathering facts into one `Status`. Does not belong here: what of it is wrong
(`findings.py`), showing it (`dashboard.py`), Dagster's records (`dagster_records.py`), SQL.

The facts come from the warehouse and from Dagster's own records, not from a log of ours.
Ages of data are judged by the settings' clock, ages of runs by the machine's.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from fund_assets.calendar import (
    PUBLICATION_DUE,
    TradingCalendar,
    from_key,
    from_stamp,
    to_key,
    to_stamp,
)
from fund_assets.language import say
from fund_assets.observability import dagster_records, findings, sessions, vitals
from fund_assets.observability.conditions import DATABASE_UNREACHABLE, Level, Severity
from fund_assets.observability.dagster_records import CheckState, FailingCheck, JobStatistics
from fund_assets.observability.dagster_tables import Ledger
from fund_assets.observability.findings import Finding
from fund_assets.observability.sessions import Freshness, SessionCoverage
from fund_assets.observability.updates import (
    AssetStatistics,
    Update,
    asset_statistics,
    updates_since,
)
from fund_assets.observability.vitals import EveningWave, Heartbeat, RunSummary
from fund_assets.schemas.kinds import KINDS
from fund_assets.settings import SHANGHAI, Settings
from fund_assets.transport.rate_limit import RateLimit
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.errors import NO_WAREHOUSE
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.stores import alerts, calendar_overrides, date_counts
from fund_assets.warehouse.stores.date_counts import Loss
from fund_assets.warehouse.stores.requests import requests_since

SHOWN_BATCHES = 5
DAY, WEEK = timedelta(hours=24), timedelta(days=7)


@dataclass(frozen=True)
class KindCoverage:
    """Funds of one kind with a NAV on the newest date, of those that are due by their cadence.

    `share` is a fraction.
    """

    kind: str
    label: str
    published: int
    due: int
    share: float


@dataclass(frozen=True)
class Requests:
    """Requests to a source that ended in one way; `seconds` of all of them together."""

    source: str
    outcome: str
    requests: int
    seconds: float


@dataclass(frozen=True)
class BatchSummary:
    """A collected batch; the counts of its merge are None until it is published."""

    batch_id: str
    kind: str
    newest_date: date
    collected_at: datetime
    state: str
    rows_read: int
    rows_new: int | None
    rows_changed: int | None
    rows_filled: int | None
    rows_unchanged: int | None
    rows_quarantined: int | None
    rows_pending: int | None


@dataclass(frozen=True)
class Status:
    """Everything a person or a monitor wants to know at a glance.

    Attributes:
        now: by the settings' clock; `frozen` tells that FUND_CLOCK holds it still.
        findings: what is wrong or will be; empty when all is well.
        updates: of the last 24 hours. assets, jobs, failing_checks, revisions: of the last 7
            days.
        runs_ended, success_rate: the runs of all jobs, the latter None before any has ended.
        revisions_to_report, revisions_to_announce: of them from 0.25 and from 0.5 % on.
        rows_written: new and changed rows that runs of the last 7 days merged.
        calendar_days_left: days for which it is known whether the exchange trades.
        last_session: the newest session that has begun; its NAVs are due at `expected_by`.
        today_nav_count: accepted NAVs of today's date.
        nav_rows, fund_count: accepted NAVs and share classes in all.
        evening: coverage of `coverage_on` after each published wave.
        sessions: how full the last sessions are. missing: those of the last two weeks that
            are due, older than the newest date, and hardly published. lost: dates of which
            accepted NAVs vanished.
        runs, runs_by_status, checks: of the last 7 days, the newest runs first.
        disk_free_bytes: on the disk of FUND_STATE or of the warehouse, the lesser.
        quarantined_ever: rule → rows it ever held.
        requests: to the source since the beginning, by how they ended; requests_today: those
            of the newest day, outcome → how many.
        alerts_firing: alerts that hold, by severity. outbox: messages that wait or were
            given up.
    """

    now: datetime
    frozen: bool
    source: str
    warehouse: str
    warehouse_bytes: int
    exists: bool
    findings: tuple[Finding, ...] = ()
    freshness: tuple[Freshness, ...] = ()
    coverage_on: date | None = None
    coverage: tuple[KindCoverage, ...] = ()
    batches: tuple[BatchSummary, ...] = ()
    updates: tuple[Update, ...] = ()
    assets: tuple[AssetStatistics, ...] = ()
    runs_ended: int = 0
    success_rate: float | None = None
    jobs: tuple[JobStatistics, ...] = ()
    rows_written: int = 0
    quarantine: tuple[tuple[str, int], ...] = ()
    revisions: int = 0
    revisions_to_report: int = 0
    revisions_to_announce: int = 0
    failing_checks: tuple[FailingCheck, ...] = ()
    calendar_until: date | None = None
    calendar_days_left: int | None = None
    last_session: date | None = None
    expected_by: datetime | None = None
    today_nav_count: int = 0
    nav_rows: int = 0
    fund_count: int = 0
    evening: tuple[EveningWave, ...] = ()
    sessions: tuple[SessionCoverage, ...] = ()
    missing: tuple[date, ...] = ()
    lost: tuple[Loss, ...] = ()
    held_batches: int = 0
    daemons: tuple[Heartbeat, ...] = ()
    runs: tuple[RunSummary, ...] = ()
    runs_by_status: tuple[tuple[str, int], ...] = ()
    checks: tuple[CheckState, ...] = ()
    disk_free_bytes: int | None = None
    quarantined_ever: tuple[tuple[str, int], ...] = ()
    requests: tuple[Requests, ...] = ()
    requests_today: tuple[tuple[str, int], ...] = ()
    alerts_firing: tuple[tuple[str, int], ...] = ()
    outbox: tuple[tuple[str, int], ...] = ()

    @property
    def verdict(self) -> str:
        """Healthy, degraded or unhealthy; dashboard, `/health` and all others show this one."""
        return findings.verdict(self.findings)

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong, nor will soon be."""
        return self.verdict == findings.HEALTHY

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in words."""
        return tuple(f.words for f in self.findings if f.level > Level.SOON)

    @property
    def notices(self) -> tuple[str, ...]:
        """What will become a problem, in words."""
        return tuple(f.words for f in self.findings if f.level is Level.SOON)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values; dates and times as ISO texts."""
        values = _plain(asdict(self))
        del values["findings"]
        told = {"problems": list(self.problems), "notices": list(self.notices)}
        return {"healthy": self.healthy, "verdict": self.verdict, **told, **values}


def gather(
    settings: Settings, warehouse: Warehouse, book: Ledger, machine_time: datetime
) -> Status:
    """The status of a platform whose warehouse has been made.

    Args:
        book: Dagster's records.
        machine_time: now, by the clock that Dagster's records follow.

    Raises:
        WarehouseError: the warehouse cannot be read.
    """
    now = settings.now()
    calendar = calendar_overrides.calendar(warehouse, now.date())
    runs = book.runs_since(machine_time - WEEK)
    week = updates_since(book, runs, machine_time - WEEK)
    newest = status_queries.newest_dates(warehouse)
    covered = newest["validated_nav"]
    until = calendar.known_until
    renewed = dagster_records.renewed(book, newest)
    fresh = freshness(newest, calendar, now, renewed)
    states = dagster_records.check_states(book, runs)
    checks = tuple(dagster_records.failing_checks(states))
    held = status_queries.held_batches(warehouse)
    coverage = _coverage(warehouse, covered) if covered else ()
    due = sum(row.due for row in coverage)
    corrected = status_queries.corrections_since(warehouse, to_stamp(now - WEEK))
    session = calendar.on_or_before(now.date())
    since = sessions.oldest_looked_at(calendar, now)
    per_date = status_queries.rows_per_date(warehouse, since)
    first = status_queries.first_wave(warehouse)
    missing = tuple(
        from_key(key)
        for key in sessions.gaps(per_date, first, calendar, now)
        if covered and key < covered
    )
    lost = date_counts.losses(warehouse, date_counts.counted_since(now.date()))
    ended = [run for run in runs if run.is_finished]
    # What a run that will be tried again found is not true yet.
    concluded = [run for run in runs if dagster_records.concluded(run)]
    late = tuple(findings.late(fresh, first))
    free = vitals.free_bytes(warehouse, settings)
    daemons = vitals.heartbeats(book, machine_time)
    days_left = calendar.days_left(now.date())
    return Status(
        now=now,
        frozen=settings.clock is not None,
        source=settings.source,
        warehouse=warehouse.place,
        warehouse_bytes=warehouse.backend.size_bytes(),
        exists=True,
        findings=(
            *late,
            *findings.missing(missing),
            *findings.lost(lost),
            *findings.held(held),
            *findings.failed(
                dagster_records.failed_runs(book, runs, machine_time),
                dagster_records.failing_checks(dagster_records.check_states(book, concluded)),
                renewed.get("fund_nav"),
            ),
            *findings.silent(daemons),
            *findings.full(free),
            *findings.calendar_ends(days_left, invented=calendar.synthetic_after is not None),
            *findings.refused(RateLimit(1.0, settings.pace_dir).refusals()),
            *findings.alarmed(alerts.holding(warehouse), tables_late=bool(late)),
        ),
        freshness=fresh,
        coverage_on=from_key(covered) if covered else None,
        coverage=coverage,
        batches=tuple(_batch(row) for row in status_queries.batches(warehouse, SHOWN_BATCHES)),
        updates=tuple(u for u in week if u.at >= machine_time - DAY),
        assets=tuple(asset_statistics(week)),
        runs_ended=len(ended),
        success_rate=sum(run.is_success for run in ended) / len(ended) if ended else None,
        jobs=tuple(dagster_records.job_statistics(runs)),
        rows_written=sum(
            u.rows_written or 0
            for u in week
            if u.asset == "validated_nav" and u.status == "succeeded"
        ),
        quarantine=tuple(
            (r["rule"], r["held"]) for r in status_queries.quarantine_counts(warehouse)
        ),
        revisions=sum(corrected.values()),
        revisions_to_report=corrected["report"],
        revisions_to_announce=corrected["announce"],
        failing_checks=checks,
        calendar_until=until,
        calendar_days_left=days_left,
        last_session=session,
        expected_by=datetime.combine(session, PUBLICATION_DUE, SHANGHAI),
        today_nav_count=status_queries.rows_on(warehouse, to_key(now.date())),
        nav_rows=status_queries.nav_rows(warehouse),
        fund_count=status_queries.row_count(warehouse, "fund_info"),
        evening=vitals.evening(warehouse, from_key(covered), due) if covered else (),
        sessions=sessions.recent(per_date, due, calendar, from_key(covered)) if covered else (),
        missing=missing,
        lost=tuple(lost),
        held_batches=len(held),
        daemons=daemons,
        runs=vitals.newest_runs(runs),
        runs_by_status=vitals.runs_by_status(runs),
        checks=tuple(states),
        disk_free_bytes=free,
        quarantined_ever=tuple(
            (r["rule"], r["held"]) for r in status_queries.quarantined_ever(warehouse)
        ),
        requests=tuple(
            Requests(r["source"], r["outcome"], int(r["requests"]), float(r["seconds"]))
            for r in requests_since(warehouse)
        ),
        requests_today=tuple(
            (r["outcome"], int(r["requests"]))
            for r in requests_since(warehouse, to_key(now.date()))
        ),
        alerts_firing=tuple(alerts.firing(warehouse).items()),
        outbox=tuple(alerts.outbox_counts(warehouse).items()),
    )


def absent(settings: Settings) -> Status:
    """The status of a platform whose warehouse has not been made yet."""
    place = Warehouse(settings.warehouse).place
    return Status(
        now=settings.now(),
        frozen=settings.clock is not None,
        source=settings.source,
        warehouse=place,
        warehouse_bytes=0,
        exists=False,
        findings=(
            Finding(
                "database:connection",
                DATABASE_UNREACHABLE.level(Severity.CRITICAL),
                say(NO_WAREHOUSE, place=place),
            ),
        ),
    )


def freshness(
    newest: Mapping[str, int | None],
    calendar: TradingCalendar,
    now: datetime,
    renewed: Mapping[str, datetime],
) -> tuple[Freshness, ...]:
    """How new each table is.

    Args:
        newest: table → date of its newest data, yyyymmdd.
        renewed: table → when it was last renewed.
    """
    due = calendar.surely_due(now)
    found = []
    for table, key in newest.items():
        have = from_key(key) if key else None
        lacking = calendar.between(have + timedelta(days=1), due) if have else [due]
        since = datetime.combine(due, PUBLICATION_DUE, SHANGHAI)
        missed = datetime.combine(lacking[0], PUBLICATION_DUE, SHANGHAI) if lacking else now
        found.append(
            Freshness(
                table=table,
                newest=have,
                due=due,
                due_since=since,
                sessions_behind=len(lacking) if have else None,
                hours_late=round((now - missed) / timedelta(hours=1), 1),
                renewed_at=renewed.get(table),
                ok=not lacking,
                provisional=have is not None and calendar.is_provisional(have),
            )
        )
    return tuple(found)


def _coverage(warehouse: Warehouse, nav_date: int) -> tuple[KindCoverage, ...]:
    by_kind = {row["kind"]: row for row in status_queries.coverage(warehouse, nav_date)}
    return tuple(
        KindCoverage(name, kind.label, row["published"], row["due"], row["share"])
        for name, kind in KINDS.items()
        if (row := by_kind.get(name))
    )


def _batch(row: dict[str, Any]) -> BatchSummary:
    values = {field.name: row[field.name] for field in fields(BatchSummary)}
    values["newest_date"] = from_key(row["newest_date"])
    values["collected_at"] = from_stamp(row["collected_at"])
    return BatchSummary(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value
