"""The report of a week put together and written: facts, Dagster's records, the page, the file.

Belongs here: what the asset `weekly_report` and the command share. Does not belong here: facts
of the tables (`pipeline/weekly_report.py`), the page (`report/`), mailing
(`observability/alerts/weekly_mail.py`).
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dagster as dg

from fund_assets.observability import dagster_records, status
from fund_assets.observability.dagster_tables import Ledger
from fund_assets.pipeline.weekly_report import week_facts
from fund_assets.report.files import weekly_file, write_page
from fund_assets.report.page import Operations, WeekFacts, weekly_page
from fund_assets.resources import Platform
from fund_assets.warehouse.queries import status as status_queries


@dataclass(frozen=True)
class Written:
    """A report that was written: where, how large, and what it tells."""

    path: Path
    size: int
    facts: WeekFacts


def write_weekly(
    platform: Platform, instance: dg.DagsterInstance, week: str, machine_time: datetime
) -> Written:
    """Write the report of a week, in the place of an earlier one of the same week.

    Args:
        machine_time: now, by the clock that Dagster's records follow.

    Raises:
        ReportError: it is too large, or cannot be written.
        ValueError: `week` is no ISO week.
    """
    found = week_facts(platform.warehouse, platform.settings, week)
    page = weekly_page(found, operations(platform, instance, machine_time))
    path = weekly_file(platform.settings, week)
    return Written(path, write_page(path, page), found)


def operations(
    platform: Platform, instance: dg.DagsterInstance, machine_time: datetime
) -> Operations:
    """Freshness, runs and checks of the last seven days."""
    book = Ledger.of(instance)
    runs = book.runs_since(machine_time - status.WEEK)
    states = dagster_records.check_states(book, runs)
    newest = status_queries.newest_dates(platform.warehouse)
    fresh = status.freshness(newest, platform.calendar, platform.now(), {})
    failing = dagster_records.failing_checks(states)
    return Operations(
        freshness=tuple(
            {"table": f.table, "newest": f.newest, "due": f.due, "ok": f.ok} for f in fresh
        ),
        jobs=tuple(
            {"job": j.job, "runs": j.runs, "succeeded": j.succeeded, "failed": j.failed}
            for j in dagster_records.job_statistics(runs)
        ),
        checks=tuple(
            {"asset": c.asset, "check": c.check, "severity": c.severity, "words": c.words}
            for c in failing
        ),
        checks_passed=len(states) - len(failing),
    )
