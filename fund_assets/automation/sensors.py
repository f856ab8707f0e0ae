"""The sensors: what runs because something happened, or failed to happen.

`automation` renews validated_nav when a batch has landed and fund_metrics when the accepted
history has changed, unless a blocking check of what they depend on failed. `gap_sensor`
asks for the sessions that no run has published, `week_sensor` for a Sunday that was missed,
`repair_sensor` for single funds that lack dates. `alert_sensor` tells of what is wrong.
"""

import json
from datetime import timedelta

import dagster as dg

from fund_assets.assets.common import WEEK_TAG
from fund_assets.automation import jobs
from fund_assets.automation.schedules import RETRY_TAGS, UNFINISHED
from fund_assets.automation.telling import alert_sensor
from fund_assets.calendar import LATEST_START, newest_sunday, to_key
from fund_assets.monitoring import sessions
from fund_assets.platform import Platform
from fund_assets.steps.repairing import find_gaps, most_to_ask, to_ask, to_settle
from fund_assets.warehouse import facts, weekly

#: From and until which hour: after the morning's wave, before the evening's canary.
QUIET_HOURS = (9, 18)
ATTEMPTS, PAUSE = 24, timedelta(hours=1)
#: A weekly job that fails is run again by Dagster; so often it is asked for anew.
WEEK_ATTEMPTS = 3

automation = dg.AutomationConditionSensorDefinition(
    "automation",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    run_tags=RETRY_TAGS,
)


@dg.sensor(
    name="gap_sensor",
    job=jobs.daily_pipeline,
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for the sessions of the last two weeks that no run has published.",
)
def gap_sensor(
    context: dg.SensorEvaluationContext, platform: Platform
) -> dg.SensorResult | dg.SkipReason:
    """One run for each missing session, hourly, for at most a day."""
    now = platform.now()
    since = sessions.oldest_looked_at(platform.calendar, now)
    rows = facts.rows_per_date(platform.warehouse, since)
    first = facts.first_wave(platform.warehouse)
    missing = sessions.gaps(rows, first, platform.calendar, now)
    if first is None:
        return dg.SkipReason("nothing is published yet: there is no gap before the first run")
    if not missing:
        return dg.SkipReason("every session that is due is published")
    tried: dict[str, list[float]] = json.loads(context.cursor or "{}")
    requests = []
    for key in missing:
        times = tried.get(str(key), [])
        since = now.timestamp() - times[-1] if times else 0.0
        # A time in the future was written by a clock that was wrong.
        rested = not times or abs(since) >= PAUSE.total_seconds()
        if len(times) < ATTEMPTS and rested:
            tried[str(key)] = [*times, now.timestamp()]
            requests.append(
                dg.RunRequest(
                    run_key=f"gap-{key}-{len(times) + 1}",
                    run_config={"ops": {"fund_nav": {"config": {"missing_on": key}}}},
                    tags={"fund/gap": str(key), **RETRY_TAGS},
                )
            )
    kept = {key: times for key, times in tried.items() if int(key) in missing}
    if not requests:
        context.update_cursor(json.dumps(kept))
        return dg.SkipReason(f"missing {missing}: asked for already, again within the hour")
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(kept))


@dg.sensor(
    name="week_sensor",
    job=jobs.weekly_full_calc,
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for the newest week whose Sunday was missed.",
)
def week_sensor(
    context: dg.SensorEvaluationContext, platform: Platform
) -> dg.SensorResult | dg.SkipReason:
    """The weekly job of the newest week, hourly, at most so many times; not in the evening."""
    now = platform.now()
    week = weekly.missing_week(platform.warehouse, now)
    if week is None:
        return dg.SkipReason("the newest week has gone through, or none is due yet")
    late = now - newest_sunday(now)
    if late <= LATEST_START:
        return dg.SkipReason(f"{week} is due since {late}: the schedule has an hour")
    if now.hour >= QUIET_HOURS[1]:
        return dg.SkipReason(f"{week} is missing: asked for after midnight, behind the evening")
    running = context.instance.get_runs(
        dg.RunsFilter(job_name=jobs.weekly_full_calc.name, statuses=UNFINISHED), limit=1
    )
    if running:
        return dg.SkipReason(f"run {running[0].run_id} of the weekly job is not finished")
    asked: dict[str, list[float]] = json.loads(context.cursor or "{}")
    times = asked.get(week, [])
    rested = not times or abs(now.timestamp() - times[-1]) >= PAUSE.total_seconds()
    if len(times) >= WEEK_ATTEMPTS or not rested:
        return dg.SkipReason(
            f"{week} is missing: asked for {len(times)} of {WEEK_ATTEMPTS} times, an hour apart"
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
    description="Asks for the histories of single funds that lack dates by their own cadence, "
    "or have held values that another witness must settle.",
)
def repair_sensor(
    context: dg.SensorEvaluationContext, platform: Platform
) -> dg.SensorResult | dg.SkipReason:
    """One run a day at most, in the hours in which nothing else is collected."""
    now = platform.now()
    today = to_key(now.date())
    if not QUIET_HOURS[0] <= now.hour < QUIET_HOURS[1]:
        return dg.SkipReason(
            "funds are asked for again between {}:00 and {}:00".format(*QUIET_HOURS)
        )
    if context.cursor == str(today):
        return dg.SkipReason("looked for already today")
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


SENSORS = [automation, gap_sensor, week_sensor, repair_sensor, alert_sensor]
