"""What Dagster's records say of the last seven days, for the report of a week.

Does not belong here: reading the records (`run_records.py`, `check_records.py`), the report
(`pipeline/weekly_report.py`).
"""

from datetime import datetime

import dagster as dg

from fund_assets.observability import check_records, run_events, run_records, sessions
from fund_assets.observability.dagster_tables import Ledger
from fund_assets.report.week import Operations
from fund_assets.resources import Platform
from fund_assets.warehouse.queries import status as status_queries


def operations(
    platform: Platform, instance: dg.DagsterInstance, machine_time: datetime
) -> Operations:
    """Freshness, runs and checks of the last seven days.

    Args:
        machine_time: now, by the clock that Dagster's records follow.
    """
    ledger = Ledger.of(instance)
    runs = ledger.runs_since(machine_time - run_records.WEEK)
    states = run_events.check_states(ledger, runs)
    newest = status_queries.newest_dates(platform.warehouse)
    fresh = sessions.freshness(newest, platform.calendar, platform.now(), {})
    failing = check_records.failing_checks(states)
    return Operations(
        freshness=tuple(
            {"table": f.table, "newest": f.newest, "due": f.due, "ok": f.ok} for f in fresh
        ),
        jobs=tuple(
            {"job": j.job, "runs": j.runs, "succeeded": j.succeeded, "failed": j.failed}
            for j in run_records.job_statistics(runs)
        ),
        checks=tuple(
            {"asset": c.asset, "check": c.check, "severity": c.severity, "words": c.words}
            for c in failing
        ),
        checks_passed=len(states) - len(failing),
    )
