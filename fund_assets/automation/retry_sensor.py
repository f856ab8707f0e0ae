"""The sensor that asks Dagster again for a retry that it lost: `retry_sensor`.

Belongs here: which failed runs have lost their retry, and reporting them once more. Does not
belong here: which runs are tried again, and the retry itself, which stay Dagster's.

Dagster's daemon looks at each failure once. When it cannot reach the code server at that moment
("Failed to retry run"), or reads the failure before the run's record says so, it goes on to the
next and never comes back. A sensor is evaluated in the code server, so whenever this one looks,
that answers the daemon. A failure that is reported twice is still tried again once: Dagster
looks for the retry before it makes one.
"""

from datetime import UTC, datetime
from time import time

import dagster as dg

from fund_assets.instance.dagster_private import (
    AUTO_RETRY_RUN_ID_TAG,
    PARENT_RUN_ID_TAG,
    RUN_FAILURE_REASON_TAG,
    RunFailureReason,
    auto_reexecution_should_retry_run,
)

#: So long the daemon has after each report of a failure, and that much longer after the next.
PAUSE_S = 60
#: A failure is reported so often at most, the first time included.
MOST_REPORTS = 5
#: Failures of before are left to the sensors that ask for what is missing.
LOOKS_BACK_S = 24 * 3600


def lost_retries(instance: dg.DagsterInstance, now: float) -> list[dg.DagsterRun]:
    """Failed runs that Dagster would try again, and has neither tried nor is about to."""
    since = datetime.fromtimestamp(now - LOOKS_BACK_S, UTC)
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since)
    return [
        record.dagster_run
        for record in instance.get_run_records(failed)
        if _is_lost(instance, record.dagster_run, now - (record.end_time or 0.0))
    ]


def _is_lost(instance: dg.DagsterInstance, run: dg.DagsterRun, for_s: float) -> bool:
    reason = run.tags.get(RUN_FAILURE_REASON_TAG)
    if AUTO_RETRY_RUN_ID_TAG in run.tags or not auto_reexecution_should_retry_run(
        instance, run, RunFailureReason(reason) if reason else None
    ):
        return False
    again = dg.RunsFilter(tags={PARENT_RUN_ID_TAG: run.run_id})
    if instance.get_runs(again, limit=1):
        return False
    reports = len(instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE))
    return reports < MOST_REPORTS and for_s >= PAUSE_S * reports


@dg.sensor(
    name="retry_sensor",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests the retry of a run that failed while its code server was "
    "unreachable.",
)
def retry_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """One look; the runs are requested by Dagster's own retries."""
    lost = lost_retries(context.instance, time())
    for run in lost:
        context.instance.report_run_failed(
            run, "Reported again: Dagster could not retry it when it failed."
        )
    ids = ", ".join(run.run_id for run in lost)
    return dg.SkipReason(f"retries requested again: {ids}" if ids else "no lost retry")
