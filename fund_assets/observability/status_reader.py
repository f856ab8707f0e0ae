"""The status of the platform, read: facts of the warehouse and of Dagster's records.

Belongs here: which facts, and in which order they are read. Does not belong here: the shape
(`status.py`), what of it is wrong (`findings.py`), SQL, Dagster's records (`run_records.py`).

The facts come from the warehouse and from Dagster's own records, not from a log of ours.
Ages of data are judged by the settings' clock, ages of runs by the machine's.
"""

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from fund_assets.calendar import (
    PUBLICATION_DUE,
    from_key,
    from_stamp,
    to_key,
    to_stamp,
)
from fund_assets.language import say
from fund_assets.nav.arrivals import ALL
from fund_assets.observability import (
    check_records,
    findings,
    run_events,
    run_records,
    sessions,
    vitals,
)
from fund_assets.observability.conditions import DATABASE_UNREACHABLE, Severity
from fund_assets.observability.dagster_tables import Ledger
from fund_assets.observability.findings import Finding
from fund_assets.observability.status import (
    BatchSummary,
    KindCoverage,
    PurchaseChange,
    Requests,
    Status,
)
from fund_assets.observability.updates import (
    asset_statistics,
    updates_since,
)
from fund_assets.schemas.kinds import KINDS
from fund_assets.settings import SHANGHAI, Settings
from fund_assets.transport.rate_limit import RateLimit
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.errors import NO_WAREHOUSE
from fund_assets.warehouse.queries import agreement as agreement_queries
from fund_assets.warehouse.queries import arrivals as arrival_queries
from fund_assets.warehouse.queries import coverage as coverage_queries
from fund_assets.warehouse.queries import life
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.queries.fund_status import count_kinds, status_changes
from fund_assets.warehouse.stores import alerts, calendar_overrides, date_counts
from fund_assets.warehouse.stores.requests import requests_since

SHOWN_BATCHES = 5
DAY = timedelta(hours=24)


def gather(
    settings: Settings, warehouse: Warehouse, ledger: Ledger, machine_time: datetime
) -> Status:
    """The status of a platform whose warehouse has been made.

    Args:
        ledger: Dagster's records.
        machine_time: now, by the clock that Dagster's records follow.

    Raises:
        WarehouseError: the warehouse cannot be read.
    """
    now = settings.now()
    calendar = calendar_overrides.calendar(warehouse, now.date())
    runs = ledger.runs_since(machine_time - run_records.WEEK)
    week = updates_since(ledger, runs, machine_time - run_records.WEEK)
    newest = status_queries.newest_dates(warehouse)
    covered = newest["validated_nav"]
    until = calendar.known_until
    renewed = run_records.renewed(ledger, newest)
    fresh = sessions.freshness(newest, calendar, now, renewed)
    states = run_events.check_states(ledger, runs)
    checks = tuple(check_records.failing_checks(states))
    held = status_queries.held_batches(warehouse)
    coverage = _coverage(warehouse, covered) if covered else ()
    due = sum(row.due for row in coverage)
    looks = arrival_queries.looks(warehouse, 0, ALL)
    due_of = {look.nav_date: look.due for look in looks}
    corrected = status_queries.corrections_since(warehouse, to_stamp(now - run_records.WEEK))
    purchases = status_changes(warehouse, to_stamp(now - run_records.WEEK))
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
    concluded = [run for run in runs if run_records.concluded(run)]
    late = tuple(findings.late(fresh, first))
    free = vitals.free_bytes(warehouse, settings)
    daemons = vitals.heartbeats(ledger, machine_time)
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
                run_records.failed_runs(ledger, runs, machine_time),
                check_records.failing_checks(run_events.check_states(ledger, concluded)),
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
        jobs=tuple(run_records.job_statistics(runs)),
        rows_written=sum(
            u.rows_written or 0
            for u in week
            if u.asset == "validated_nav" and u.status == "succeeded"
        ),
        quarantine=tuple(
            (r["rule"], r["held"]) for r in status_queries.quarantine_counts(warehouse)
        ),
        agreement=tuple(agreement_queries.verdict_counts(warehouse).items()),
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
        fund_states=tuple(life.state_counts(warehouse, to_key(now.date())).items()),
        purchases=tuple(count_kinds(purchases)),
        watched=tuple(
            PurchaseChange(from_stamp(one.at), one.fund_code, one.name, one.words)
            for one in reversed(purchases)
            if one.fund_code in settings.watched
        ),
        evening=vitals.evening(warehouse, from_key(covered), due, looks) if covered else (),
        sessions=sessions.recent(per_date, due, calendar, from_key(covered), due_of)
        if covered
        else (),
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


def _coverage(warehouse: Warehouse, nav_date: int) -> tuple[KindCoverage, ...]:
    by_kind = {row["kind"]: row for row in coverage_queries.coverage(warehouse, nav_date)}
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
