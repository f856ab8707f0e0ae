"""The schedules, all in Asia/Shanghai: when each job runs, and when it rather does not.

A tick is skipped, with the reason on it, on a day without trading, when it comes more than
an hour late (the daemon was down), or while a run of its job is still going. Dagster does
not catch up what was missed: the gap sensor and, for Sundays, the week sensor do.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from fund_assets.automation import jobs
from fund_assets.calendar import LATEST_START, iso_week
from fund_assets.instance.names import TIMEZONE, WEEK_TAG
from fund_assets.resources import Platform
from fund_assets.settings import SHANGHAI

#: A run that the daemon launched and whose step failed is run again twice, two minutes after
#: its failure and then ten (`instance/retry_wait.py`): a source or database that was away for a
#: moment is back, and half a market is whole. Assets take this from a run in which the same
#: batch would be judged again, or a source that refuses us for longer would not be asked. Runs
#: that a person started are theirs to start again.
RETRY_TAGS = {
    "dagster/max_retries": "2",
    "dagster/retry_strategy": "ALL_STEPS",
    "dagster/retry_on_asset_or_op_failure": "true",
}
UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def reason_to_skip(
    context: dg.ScheduleEvaluationContext, platform: Platform, job: str, *, trading_days: bool
) -> str | None:
    """Why this tick should not run; None when it should."""
    now, due = platform.now(), context.scheduled_execution_time.astimezone(SHANGHAI)
    if now - due > LATEST_START:
        return (
            f"{now - due} late: a tick more than an hour late is skipped; "
            f"{makes_up(job)} runs it"
        )
    if trading_days and not platform.calendar.is_session(due.date()):
        return f"{due.date()} is not a trading day of the Shanghai exchange"
    if running := unfinished(context.instance, job):
        return f"run {running} of {job} is not finished"
    return None


def unfinished(instance: dg.DagsterInstance, job: str) -> str | None:
    """The newest run of a job that has not ended yet."""
    found = instance.get_runs(dg.RunsFilter(job_name=job, statuses=UNFINISHED), limit=1)
    return found[0].run_id if found else None


def makes_up(job: str) -> str:
    """The sensor that makes up for a missed tick of a job."""
    return "week_sensor" if job == jobs.weekly_full_calc.name else "gap_sensor"


def _schedule(
    name: str,
    job: Any,
    cron: str | Sequence[str],
    description: str,
    *,
    also_closed_days_at: int | None = None,
    trading_days: bool = True,
    tags: Callable[[datetime], dict[str, str]] = lambda due: {},
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=TIMEZONE,
        description=description,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        required_resource_keys={"platform"},
    )
    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        due = context.scheduled_execution_time.astimezone(SHANGHAI)
        reason = reason_to_skip(
            context,
            context.resources.platform,
            job.name,
            trading_days=trading_days and due.hour != also_closed_days_at,
        )
        if reason:
            return dg.SkipReason(reason)
        return dg.RunRequest(tags={**RETRY_TAGS, **tags(due)})

    return evaluate


SCHEDULES = [
    _schedule(
        "source_canary", jobs.source_canary, "30 18 * * 1-5",
        "Whether the source answers as the evening run needs it, on trading days.",
    ),
    _schedule(
        "daily_collection", jobs.daily_collection, "0 19 * * 1-5",
        "Wave 1 into the landing zone, on trading days.",
    ),
    _schedule(
        "daily_validation", jobs.daily_validation, "30 19 * * 1-5",
        "Rules, and merging what passed, on trading days.",
    ),
    _schedule(
        "daily_metrics", jobs.daily_metrics, "30 20 * * 1-5",
        "Metrics, on trading days.",
    ),
    _schedule(
        "late_waves", jobs.daily_pipeline, ["30 21 * * 1-5", "0 23 * * 1-5", "30 7 * * *"],
        "The whole chain again for late publishers; at 07:30 on closed days too, when "
        "money-market funds publish.",
        also_closed_days_at=7,
    ),
    _schedule(
        "weekly_full_calc", jobs.weekly_full_calc, "0 2 * * 0",
        "Everything recomputed, scored and reported, on Sundays.",
        trading_days=False,
        tags=lambda due: {WEEK_TAG: iso_week(due.date())},
    ),
]  # fmt: skip
