"""The sensors: what runs because something happened, or failed to happen.

`automation` renews validated_nav when a batch has landed and fund_metrics when the accepted
history has changed, unless a blocking check of what they depend on failed. `gap_sensor`
asks for the sessions that no run has published, `week_sensor` for a Sunday that was missed,
`repair_sensor` for single funds that lack dates. `retry_sensor` asks for retries that Dagster
lost. `alert_sensor` tells of what is wrong.
"""

import json
import warnings
from datetime import datetime, timedelta

import dagster as dg

from fund_assets.automation import jobs
from fund_assets.automation.alert_sensor import alert_sensor
from fund_assets.automation.retry_sensor import retry_sensor
from fund_assets.automation.schedules import RETRY_TAGS, unfinished
from fund_assets.calendar import LATEST_START, newest_sunday, to_key
from fund_assets.instance.names import WEEK_TAG
from fund_assets.observability import sessions
from fund_assets.pipeline.history_gaps import find_gaps, most_to_ask, to_ask, to_settle
from fund_assets.resources import Platform
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.stores import date_counts, landing, weekly_log

#: From and until which hour: after the morning's wave, before the evening's canary.
QUIET_HOURS = (9, 18)
ATTEMPTS, PAUSE = 24, timedelta(hours=1)
#: A weekly job that fails is run again by Dagster; so often it is asked for anew.
WEEK_ATTEMPTS = 3

with warnings.catch_warnings():
    # That the code server evaluates conditions of ours, Dagster calls beta; tests hold it.
    warnings.simplefilter("ignore", dg.BetaWarning)
    automation = dg.AutomationConditionSensorDefinition(
        "automation",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
        run_tags=RETRY_TAGS,
        use_user_code_server=True,
    )


@dg.sensor(
    name="gap_sensor",
    job=jobs.daily_pipeline,
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Collects the sessions of the last two weeks that no run has published.",
)
def gap_sensor(
    context: dg.SensorEvaluationContext, platform: Platform
) -> dg.SensorResult | dg.SkipReason:
    """One run at a time, for the session that was asked for least; hourly, for a day.

    A run may bring more than the session that it is about: the sensor looks again before the
    next. On the evening on which a rule holds a wave it asks for a wave alone: a later one may
    be right. From the next day on histories settle what the page showed.
    """
    now = platform.now()
    since = sessions.oldest_looked_at(platform.calendar, now)
    rows = status_queries.rows_per_date(platform.warehouse, since)
    first = status_queries.first_wave(platform.warehouse)
    if first is None:
        return dg.SkipReason("nothing is published yet: no gaps exist before the first run")
    gone = {to_key(loss.nav_date) for loss in date_counts.losses(platform.warehouse, since)}
    missing = sorted({*sessions.gaps(rows, first, platform.calendar, now), *gone})
    if not missing:
        return dg.SkipReason("every due session is published")
    if running := unfinished(context.instance, jobs.daily_pipeline.name):
        return dg.SkipReason(f"missing {missing}: checked again after run {running}")
    tried: dict[str, list[float]] = json.loads(context.cursor or "{}")
    tried = {key: times for key, times in tried.items() if int(key) in missing}
    due = [key for key in missing if _may_be_asked(tried.get(str(key), []), now, ATTEMPTS)]
    if not due:
        context.update_cursor(json.dumps(tried))
        return dg.SkipReason(f"missing {missing}: already requested, again within the hour")
    key = min(due, key=lambda key: (len(tried.get(str(key), [])), key))
    times = tried.get(str(key), [])
    tried[str(key)] = [*times, now.timestamp()]
    request = dg.RunRequest(
        # With its time: a session that was filled may lose rows later, and is asked for anew.
        run_key=f"gap-{key}-{now:%Y%m%dT%H%M}",
        run_config={"ops": {"fund_nav": {"config": _to_collect(platform, key)}}},
        tags={"fund/gap": str(key), **RETRY_TAGS},
    )
    return dg.SensorResult(run_requests=[request], cursor=json.dumps(tried))


def _may_be_asked(times: list[float], now: datetime, most: int) -> bool:
    """Whether attempts are left, and the last is an hour ago or, by a wrong clock, to come."""
    rested = not times or abs(now.timestamp() - times[-1]) >= PAUSE.total_seconds()
    return len(times) < most and rested


def _to_collect(platform: Platform, key: int) -> dict[str, int]:
    """Config of `fund_nav`: enough histories for half of the attempts, in an hour each."""
    held = status_queries.held_batches(platform.warehouse)
    own_day = key == to_key(platform.now().date())
    if own_day and any(batch["kind"] == "wave" for batch in held):
        return {"history_funds": 0}
    settings, lacking = platform.settings, len(landing.funds_without(platform.warehouse, key))
    enough = min(-(-lacking // (ATTEMPTS // 2)), int(settings.requests_per_second * 3600))
    return {"missing_on": key, "history_funds": max(settings.history_funds_per_run, enough)}


@dg.sensor(
    name="week_sensor",
    job=jobs.weekly_full_calc,
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs the weekly job for the newest week whose Sunday was missed.",
)
def week_sensor(
    context: dg.SensorEvaluationContext, platform: Platform
) -> dg.SensorResult | dg.SkipReason:
    """The weekly job of the newest week, hourly, at most so many times; not in the evening."""
    now = platform.now()
    week = weekly_log.missing_week(platform.warehouse, now)
    if week is None:
        return dg.SkipReason("the newest week is done, or none is due yet")
    late = now - newest_sunday(now)
    if late <= LATEST_START:
        return dg.SkipReason(f"{week} is due since {late}: the schedule has an hour")
    if now.hour >= QUIET_HOURS[1]:
        return dg.SkipReason(
            f"{week} is missing: requested after midnight, after the evening runs"
        )
    if running := unfinished(context.instance, jobs.weekly_full_calc.name):
        return dg.SkipReason(f"run {running} of the weekly job is not finished")
    asked: dict[str, list[float]] = json.loads(context.cursor or "{}")
    times = asked.get(week, [])
    if not _may_be_asked(times, now, WEEK_ATTEMPTS):
        return dg.SkipReason(
            f"{week} is missing: requested {len(times)} of {WEEK_ATTEMPTS} times, an hour apart"
        )
    request = dg.RunRequest(
        run_key=f"week-{week}-{len(times) + 1}", tags={WEEK_TAG: week, **RETRY_TAGS}
    )
    return dg.SensorResult(
        run_requests=[request], cursor=json.dumps({week: [*times, now.timestamp()]})
    )


@dg.sensor(
    name="repair_sensor",
    job=jobs.history_backfill,
    minimum_interval_seconds=1800,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fetches the histories of single funds that lack dates for their publishing "
    "rhythm, or have held values that need another witness.",
)
def repair_sensor(
    context: dg.SensorEvaluationContext, platform: Platform
) -> dg.SensorResult | dg.SkipReason:
    """One run a day at most, in the hours in which nothing else is collected."""
    now = platform.now()
    today = to_key(now.date())
    if not QUIET_HOURS[0] <= now.hour < QUIET_HOURS[1]:
        return dg.SkipReason(
            "funds are requested again between {}:00 and {}:00".format(*QUIET_HOURS)
        )
    if context.cursor == str(today):
        return dg.SkipReason("already checked today")
    found = find_gaps(platform.warehouse, platform.calendar, now)
    settings = platform.settings
    most = most_to_ask(settings.requests_per_second, settings.history_funds_per_run)
    settling = to_settle(platform.warehouse, now)
    codes = list(dict.fromkeys([*settling, *to_ask(found, today, most)]))[:most]
    if not codes:
        context.update_cursor(str(today))
        return dg.SkipReason(
            "no fund lacks a date that the source may still have, and none has a held value"
        )
    request = dg.RunRequest(
        run_key=f"repair-{today}",
        run_config={"ops": {"nav_history": {"config": {"codes": codes}}}},
        tags=RETRY_TAGS,
    )
    return dg.SensorResult(run_requests=[request], cursor=str(today))


SENSORS = [automation, gap_sensor, week_sensor, repair_sensor, retry_sensor, alert_sensor]
