"""Schedules, the gap sensor, freshness and automation: what runs when, and what rather does not."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._utils.schedules import schedule_execution_time_iterator

from fund_assets.automation import sensors
from fund_assets.automation.schedules import RETRY_TAGS, SCHEDULES
from fund_assets.automation.sensors import automation, gap_sensor, week_sensor
from fund_assets.calendar import TradingCalendar, newest_sunday
from fund_assets.checks.freshness import calendar_horizon, trading_day_freshness
from fund_assets.definitions import build_defs
from fund_assets.instance.names import WEEK_TAG
from fund_assets.instance.storage import write_at_once
from fund_assets.metrics import compute_metrics
from fund_assets.observability.sessions import gaps
from fund_assets.resources import Platform
from fund_assets.settings import SHANGHAI
from fund_assets.warehouse import WarehouseError
from fund_assets.warehouse.stores import calendar_overrides, weekly_log
from fund_assets_tests.integration.evenings import (
    FRIDAY,
    THURSDAY,
    checks,
    executed,
    failure,
    metadata,
)
from fund_assets_tests.integration.test_blocked import half

ROOT = Path(__file__).resolve().parents[2]
SCHEDULE = {schedule.name: schedule for schedule in SCHEDULES}


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    """A real Dagster instance on disk."""
    folder = tmp_path_factory.mktemp("dagster")
    write_at_once(folder)
    with dg.DagsterInstance.local_temp(str(folder)) as found:
        yield found


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return {
        "source": "simulated",
        "warehouse_url": "",
        "state": str(tmp_path_factory.mktemp("ticks")),
        "sim_funds": 20,
    }


def shanghai(text):
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def tick(name, due, instance, settings, *, minutes_late=0.0):
    """What a schedule answers at a tick that is evaluated so many minutes late."""
    clock = shanghai(due) + timedelta(minutes=minutes_late)
    platform = Platform(overrides={**settings, "clock": clock.isoformat()})
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=shanghai(due),
        resources={"platform": platform},
    ) as context:
        return SCHEDULE[name].evaluate_tick(context)


def why_not(data):
    assert not data.run_requests, "it ran"
    return data.skip_message


RUNS = [
    ("source_canary", "2026-09-17T18:30"),
    ("daily_collection", "2026-09-17T19:00"),
    ("daily_validation", "2026-09-17T19:30"),
    ("daily_metrics", "2026-09-17T20:30"),
    ("late_waves", "2026-09-17T21:30"),
    ("late_waves", "2026-09-17T23:00"),
    ("late_waves", "2026-09-18T07:30"),
    ("late_waves", "2026-10-01T07:30"),  # National Day: money funds publish
    ("late_waves", "2026-09-19T07:30"),  # Saturday: late publishers of Friday
    ("weekly_full_calc", "2026-10-04T02:00"),  # a Sunday in the holiday week
]


@pytest.mark.parametrize(("name", "due"), RUNS)
def test_a_tick_that_is_due_runs(instance, settings, name, due):
    """Stops a tick of an ordinary evening, or of a closed morning, from being skipped, and
    a run whose source or database was away for a moment from staying failed."""
    (request,) = tick(name, due, instance, settings).run_requests
    retried = {key: request.tags[key] for key in RETRY_TAGS if key in request.tags}
    assert retried == RETRY_TAGS
    assert request.tags.get(WEEK_TAG) == ("2026-W40" if name == "weekly_full_calc" else None)


@pytest.mark.parametrize(
    ("name", "due"),
    [
        ("source_canary", "2026-10-01T18:30"),
        ("daily_collection", "2026-10-01T19:00"),
        ("daily_validation", "2026-09-25T19:30"),  # Mid-Autumn, a Friday
        ("daily_metrics", "2026-10-07T20:30"),
        ("late_waves", "2026-10-01T21:30"),
        ("late_waves", "2026-02-16T23:00"),  # Spring Festival
    ],
)
def test_a_closed_day_is_skipped_with_its_reason(instance, settings, name, due):
    """Stops an evening of a holiday from collecting yesterday's answer again."""
    reason = why_not(tick(name, due, instance, settings))
    assert reason == f"{due[:10]} is not a trading day of the Shanghai exchange"


def test_a_day_the_exchange_closes_by_hand_is_skipped(instance, settings):
    """Stops a typhoon day that was entered by hand from being taken for a session."""
    platform = Platform(overrides={**settings, "clock": "2026-09-16T19:00"})
    calendar_overrides.set_overrides(platform.warehouse, {20260916: False}, "typhoon")
    reason = why_not(tick("daily_collection", "2026-09-16T19:00", instance, settings))
    assert reason == "2026-09-16 is not a trading day of the Shanghai exchange"


def test_a_late_tick_is_left_to_the_gap_sensor(instance, settings):
    """Stops a daemon that was down overnight from running last evening's jobs at dawn."""
    due = "2026-09-17T19:00"
    assert tick("daily_collection", due, instance, settings, minutes_late=59).run_requests
    late = tick("daily_collection", due, instance, settings, minutes_late=61)
    assert why_not(late) == (
        "1:01:00 late: a tick more than an hour late is skipped; gap_sensor runs it"
    )


def test_one_run_of_a_job_at_a_time(instance, settings):
    """Stops a second run of a job while one is going, and only of that job."""
    job = build_defs().resolve_job_def("daily_pipeline")
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    try:
        reason = why_not(tick("late_waves", "2026-09-17T21:30", instance, settings))
        assert reason == f"run {run.run_id} of daily_pipeline is not finished"
        assert tick("daily_metrics", "2026-09-17T20:30", instance, settings).run_requests
    finally:
        instance.delete_run(run.run_id)
    assert tick("late_waves", "2026-09-17T21:30", instance, settings).run_requests


CALENDAR = TradingCalendar.build()
WEEK = {20260914: 50, 20260915: 50, 20260916: 50, 20260917: 50}


@pytest.mark.parametrize(
    ("rows", "now", "expected"),
    [
        ({}, "2026-09-18T10:00", []),
        (WEEK, "2026-09-18T10:00", []),
        (WEEK, "2026-09-18T23:29", []),  # Friday is due at 23:30
        (WEEK, "2026-09-18T23:30", [20260918]),
        (WEEK, "2026-09-20T10:00", [20260918]),
        (WEEK | {20260918: 24}, "2026-09-20T10:00", [20260918]),  # under half
        (WEEK | {20260918: 25}, "2026-09-20T10:00", []),
        ({20260914: 50, 20260917: 50}, "2026-09-18T10:00", [20260915, 20260916]),
        ({20260916: 50, 20260917: 50}, "2026-09-18T10:00", []),  # begins there: no gap
        ({20260923: 50, 20260924: 50}, "2026-09-25T23:50", []),  # holiday
        ({20260929: 50, 20260930: 50}, "2026-10-08T10:00", []),  # holiday week
        ({20260803: 50}, "2026-09-18T10:00", [  # all of the ten sessions looked back on
            20260904, 20260907, 20260908, 20260909, 20260910, 20260911, 20260914, 20260915,
            20260916, 20260917,
        ]),
    ],
)  # fmt: skip
def test_gaps(rows, now, expected):
    """Stops a missing session from staying missing, and a closed day from being missed."""
    assert gaps(rows, min(rows, default=None), CALENDAR, shanghai(now)) == expected


def test_dates_before_the_first_wave_are_no_gaps():
    """Stops a new warehouse, in which a few funds have a past, from being filled for days."""
    rows = {20260914: 3, 20260915: 3, 20260916: 50, 20260917: 50}
    now = shanghai("2026-09-18T10:00")
    assert gaps(rows, 20260917, CALENDAR, now) == []
    assert gaps(rows, None, CALENDAR, now) == []
    assert gaps(rows, 20260914, CALENDAR, now) == [20260915]


def will_retry(market, instance, job, **tampering):
    """Whether Dagster's daemon would run a failed run again that it had launched."""
    platform = market.platform(FRIDAY, **tampering)
    result = (
        build_defs(platform)
        .resolve_job_def(job)
        .execute_in_process(instance=instance, tags=RETRY_TAGS, raise_on_error=False)
    )
    platform.warehouse.close()
    assert not result.success
    return instance.get_run_by_id(result.run_id).tags.get("dagster/will_retry")


@pytest.mark.slow
def test_failed_runs_are_run_again_unless_they_would_end_the_same_way(market, monkeypatch):
    """Stops a lost evening after a moment's fault, and a blocked batch judged three times."""
    settings = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))[
        "run_retries"
    ]
    assert automation.run_tags == RETRY_TAGS
    with dg.instance_for_test(overrides={"run_retries": settings}) as instance:
        assert will_retry(market, instance, "daily_collection", observations=half) == "true"
        assert will_retry(market, instance, "daily_validation") == "false"

        def away(*_args, **_named):
            raise WarehouseError("the warehouse refused: database is locked")

        monkeypatch.setattr("fund_assets.assets.validated_nav.validate", away)
        assert will_retry(market, instance, "daily_validation") == "true"


def gap_tick(market, clock, cursor=None):
    with dg.build_sensor_context(
        instance=market.instance, cursor=cursor, resources={"platform": market.platform(clock)}
    ) as context:
        return gap_sensor.evaluate_tick(context)


def test_the_gap_sensor_asks_for_one_session_at_a_time(market):
    """Stops missed evenings from being forgotten, from being asked for without end, and from
    being asked for all at once where one run may bring them all."""
    first = gap_tick(market, "2026-09-22T10:00:00")
    (request,) = first.run_requests
    assert request.run_key == "gap-20260918-20260922T1000"
    assert request.run_config == {
        "ops": {"fund_nav": {"config": {"missing_on": 20260918, "history_funds": 300}}}
    }
    assert request.tags.items() >= {"fund/gap": "20260918", **RETRY_TAGS}.items()
    run = market.instance.create_run_for_job(
        build_defs().resolve_job_def("daily_pipeline"), status=dg.DagsterRunStatus.STARTED
    )
    waits = gap_tick(market, "2026-09-22T10:05:00", first.cursor)
    assert waits.skip_message == (
        f"missing [20260918, 20260921]: checked again after run {run.run_id}"
    )
    market.instance.delete_run(run.run_id)
    second = gap_tick(market, "2026-09-22T10:10:00", first.cursor)
    assert [r.run_key for r in second.run_requests] == ["gap-20260921-20260922T1010"]
    soon = gap_tick(market, "2026-09-22T10:59:00", second.cursor)
    assert soon.skip_message == (
        "missing [20260918, 20260921]: already requested, again within the hour"
    )
    later = gap_tick(market, "2026-09-22T11:00:00", soon.cursor)
    assert [r.run_key for r in later.run_requests] == ["gap-20260918-20260922T1100"]
    cursor = json.loads(later.cursor)
    cursor["20260918"] = [0.0] * 24
    spent = gap_tick(market, "2026-09-22T12:30:00", json.dumps(cursor))
    assert [r.run_key for r in spent.run_requests] == ["gap-20260921-20260922T1230"]
    anew = gap_tick(market, "2026-09-23T10:00:00", "{}")
    asked = {r.run_key for tick in (first, second, later, spent) for r in tick.run_requests}
    assert anew.run_requests and asked.isdisjoint(r.run_key for r in anew.run_requests), (
        "a session that was filled and lost rows later is asked for again"
    )


@pytest.mark.parametrize(
    ("lacking", "per_second", "histories"),
    [(26_000, 1.0, 2_167), (26_000, 0.1, 360), (26_000, 0.01, 300), (40, 1.0, 300)],
)
def test_a_gap_of_the_whole_market_ends_within_its_attempts(
    market, monkeypatch, lacking, per_second, histories
):
    """Stops 24 times 300 histories from being all that is done for 26,000 funds, and a run from
    taking longer than until the next."""
    monkeypatch.setattr(sensors.landing, "funds_without", lambda *_: range(lacking))
    platform = Platform(
        overrides={
            **market.settings, "requests_per_second": per_second, "clock": "2026-09-18T23:40:00",
        }
    )  # fmt: skip
    wanted = {"missing_on": 20260918, "history_funds": histories}
    assert sensors._to_collect(platform, 20260918) == wanted
    assert histories * 24 >= lacking or histories < 2_167
    monkeypatch.setattr(sensors.status_queries, "held_batches", lambda _: [{"kind": "history"}])
    assert "missing_on" in sensors._to_collect(platform, 20260918)
    monkeypatch.setattr(sensors.status_queries, "held_batches", lambda _: [{"kind": "wave"}])
    assert sensors._to_collect(platform, 20260918) == {"history_funds": 0}, "a wave alone"
    wanted = {"missing_on": 20260917, "history_funds": histories}
    assert sensors._to_collect(platform, 20260917) == wanted, "its evening is over"
    platform.warehouse.close()


@pytest.mark.slow
def test_what_the_gap_sensor_asks_for_fills_the_gap(market):
    """Stops a request that the job does not understand, or that fetches nothing."""
    clock = "2026-09-22T10:00:00"
    request = gap_tick(market, clock).run_requests[0]
    result = market.run(
        "daily_pipeline", clock, config=request.run_config["ops"]["fund_nav"]["config"]
    )
    assert result.success
    dates = market.table("validated_nav").groupby("nav_date").size()
    assert dates[20260918] >= 0.9 * dates[20260917]
    data = gap_tick(market, clock)
    assert not data.run_requests
    assert data.skip_message == "every due session is published"


def week_tick(market, clock, cursor=None):
    with dg.build_sensor_context(
        instance=market.instance, cursor=cursor, resources={"platform": market.platform(clock)}
    ) as context:
        data = week_sensor.evaluate_tick(context)
    return [request.tags[WEEK_TAG] for request in data.run_requests], data


def test_a_missed_sunday_is_made_up(market):
    """Stops a week whose Sunday the machine was off from having no scores and no report."""
    for clock, why in (
        ("2026-09-20T01:59:00", "the newest week is done, or none is due yet"),
        ("2026-09-20T03:00:00", "2026-W38 is due since 1:00:00: the schedule has an hour"),
        (
            "2026-09-20T18:00:00",
            "2026-W38 is missing: requested after midnight, after the evening runs",
        ),
    ):
        assert why_not(week_tick(market, clock)[1]) == why
    cursor = None
    for hour, weeks in (
        (9, ["2026-W38"]),
        (9.5, []),
        (10, ["2026-W38"]),
        (11, ["2026-W38"]),
        (13, []),
    ):
        clock = f"2026-09-21T{int(hour):02d}:{int(hour % 1 * 60):02d}:00"
        asked, data = week_tick(market, clock, cursor)
        assert asked == weeks
        cursor = data.cursor
    assert data.skip_message == "2026-W38 is missing: requested 3 of 3 times, an hour apart"
    # The next week is another one; a week whose last step is in the log is not asked for.
    assert week_tick(market, "2026-09-27T09:00:00", cursor)[0] == ["2026-W39"]
    weekly_log.note_step(market.warehouse, "2026-W39", "upkeep", 20260927021000, {})
    assert week_tick(market, "2026-09-27T09:00:00")[0] == []


def test_a_weekly_job_under_way_is_not_asked_for_again(market):
    """Stops a second weekly job while a late one is still going."""
    job = build_defs().resolve_job_def("weekly_full_calc")
    run = market.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    try:
        assert run.run_id in why_not(week_tick(market, "2026-09-21T09:00:00")[1])
    finally:
        market.instance.delete_run(run.run_id)


def test_the_sunday_that_is_looked_for_is_that_of_the_schedule():
    """Stops the schedule from being moved away from what is told and made up as missed."""
    cron, sunday = SCHEDULE["weekly_full_calc"].cron_schedule, shanghai("2026-09-20T00:00")
    due = next(schedule_execution_time_iterator(sunday.timestamp(), cron, "Asia/Shanghai"))
    assert newest_sunday(due) == due and newest_sunday(due - timedelta(seconds=1)) < due


def test_a_late_sunday_is_left_to_the_week_sensor(instance, settings):
    """Stops a late tick from naming a sensor that does nothing for it."""
    late = tick("weekly_full_calc", "2026-09-20T02:00", instance, settings, minutes_late=61)
    assert why_not(late).endswith("week_sensor runs it")


def test_the_gap_sensor_waits_for_the_first_run(settings, instance):
    """Stops a fresh installation from being told that everything is published."""
    platform = Platform(overrides={**settings, "clock": "2026-09-22T10:00"})
    with dg.build_sensor_context(
        instance=instance, resources={"platform": platform}
    ) as context:
        data = gap_sensor.evaluate_tick(context)
    assert "nothing is published yet" in data.skip_message


@pytest.mark.parametrize(
    ("clock", "passes", "behind"),
    [
        ("2026-09-17T22:00:00", True, 0),
        ("2026-09-18T23:29:00", True, 0),
        ("2026-09-18T23:31:00", False, 1),
        ("2026-09-21T12:00:00", False, 1),
        ("2026-09-23T12:00:00", False, 3),
    ],
)
def test_freshness_of_the_data(market, clock, passes, behind):
    """Stops old data from passing for fresh because a run renewed it."""
    result = trading_day_freshness(market.platform(clock))
    assert result.passed == passes
    shown = {name: entry.value for name, entry in result.metadata.items()}
    assert (shown["newest"], shown["sessions_behind"]) == ("2026-09-17", behind)


def test_a_holiday_week_is_not_stale(market):
    """Stops ten quiet days of October from alarming, and the day after them from not."""
    closed = (20260918, 20260921, 20260922, 20260923, 20260924)  # 25 September is one too
    calendar_overrides.set_overrides(market.warehouse, dict.fromkeys(closed, False), "holidays")
    assert trading_day_freshness(market.platform("2026-09-28T23:00:00")).passed
    late = trading_day_freshness(market.platform("2026-09-28T23:40:00"))
    assert not late.passed and late.metadata["sessions_behind"].value == 1


def test_nothing_published_is_not_fresh(settings):
    """Stops an empty warehouse from passing."""
    platform = Platform(overrides={**settings, "clock": "2026-09-22T10:00"})
    assert not trading_day_freshness(platform).passed


@pytest.mark.parametrize(
    ("source", "day", "passes"),
    [
        ("akshare", "2026-11-01", True),
        ("akshare", "2026-11-02", False),
        ("simulated", "2026-11-02", True),
    ],
)
def test_the_calendar_warns_60_days_before_it_ends(settings, source, day, passes):
    """Stops the calendar from ending without a warning, and the simulated market, which invents
    what follows, from warning of nothing for good."""
    platform = Platform(overrides={**settings, "source": source, "clock": f"{day}T10:00"})
    result = calendar_horizon(platform)
    assert result.metadata["known_until"].value == "2026-12-31"
    assert result.passed == passes
    assert result.severity is dg.AssetCheckSeverity.WARN


def requested(market, clock, instance, cursor=None):
    """What the automation sensor would renew now."""
    return dg.evaluate_automation_conditions(
        defs=build_defs(market.platform(clock)),
        instance=instance,
        asset_selection=automation.asset_selection,
        cursor=cursor,
    )


@pytest.mark.slow
def test_automation_follows_good_batches_and_not_blocked_ones(market):
    """Stops a bad batch from being validated by itself, and a good one from waiting."""
    with dg.DagsterInstance.ephemeral() as instance:
        market.instance = instance
        assert market.run("daily_pipeline", THURSDAY).success
        quiet = requested(market, THURSDAY, instance)
        quiet = requested(market, THURSDAY, instance, quiet.cursor)
        assert quiet.total_requested == 0

        bad = market.run("daily_collection", FRIDAY, observations=half)
        assert not bad.success
        assert "fund_nav" in executed(bad), "it is materialized, but a blocking check failed"
        assert not checks(bad)["fund_nav", "R02_row_count"].passed
        after_bad = requested(market, FRIDAY, instance, quiet.cursor)
        assert not after_bad.get_num_requested(dg.AssetKey("validated_nav"))

        assert market.run("daily_collection", "2026-09-18T23:00:00").success
        after_good = requested(market, FRIDAY, instance, after_bad.cursor)
        keys = {k for k in ("fund_info", "fund_nav", "validated_nav", "fund_metrics")
                if any(e.get_num_requested(dg.AssetKey(k)) for e in (after_bad, after_good))}  # fmt: skip
        assert keys == {"validated_nav", "fund_metrics"}


def renew(market, clock, instance, found):
    """Run what the automation sensor asked for, as the daemon would: those assets and checks."""
    keys = [result.key for result in found.results if result.true_subset.size]
    assets = [key for key in keys if isinstance(key, dg.AssetKey)]
    asked = {key for key in keys if isinstance(key, dg.AssetCheckKey)}
    defs = build_defs(market.platform(clock))
    graph = defs.resolve_asset_graph()
    # Checks that their asset's own step makes.
    inside = {key for asset in assets for key in graph.get(asset).assets_def.check_keys}
    selection = dg.AssetSelection.assets(*assets).without_checks() | dg.AssetSelection.checks(
        *asked, *inside
    )
    job = dg.define_asset_job("asked_for", selection=selection)
    run = dg.Definitions.merge(defs, dg.Definitions(jobs=[job])).resolve_job_def("asked_for")
    result = run.execute_in_process(instance=instance, raise_on_error=False)
    assert result.success, failure(result)
    return {key.to_user_string() for key in assets}, result


def version_of(instance, asset):
    event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    return event.asset_materialization.tags["dagster/data_version"]


@pytest.mark.slow
def test_automation_measures_after_every_wave_and_after_no_empty_one(market):
    """Stops automation from leaving out a blocking check of what it renews, which stopped
    fund_metrics for good after the first round; and work behind a wave that brought nothing."""
    with dg.DagsterInstance.ephemeral() as instance:
        market.instance = instance
        assert market.run("daily_pipeline", THURSDAY).success
        cursor = requested(market, THURSDAY, instance).cursor
        versions = [version_of(instance, "fund_metrics")]
        for clock in ("2026-09-18T19:00:00", "2026-09-18T21:00:00", "2026-09-21T21:00:00"):
            assert market.run("daily_collection", clock).success
            found = requested(market, clock, instance, cursor)
            assets, result = renew(market, clock, instance, found)
            assert assets == {"validated_nav", "fund_metrics"}, clock
            assert {
                ("validated_nav", "schema"), ("validated_nav", "trading_day_freshness"),
                ("validated_nav", "calendar_horizon"), ("fund_metrics", "schema"),
            } <= set(checks(result))  # fmt: skip
            after = requested(market, clock, instance, found.cursor)
            assert after.total_requested == 0
            cursor = after.cursor
            versions.append(version_of(instance, "fund_metrics"))
        assert len(set(versions)) == 4

        same = "2026-09-21T21:00:30"  # the source shows what it showed before
        before = version_of(instance, "fund_nav")
        assert market.run("daily_collection", same).success
        assert version_of(instance, "fund_nav") == before
        assert requested(market, same, instance, cursor).total_requested == 0


@pytest.mark.slow
def test_metrics_of_an_unchanged_history_are_not_computed_again(market, monkeypatch):
    """Stops the whole market from being measured by each run of an evening that brought
    nothing, and stored metrics from being kept when a rate or a rule of theirs changed."""
    looks = []

    def computed(series, date, **named):
        looks.append(date)
        return compute_metrics(series, date, **named)

    monkeypatch.setattr("fund_assets.pipeline.fund_metrics.compute_metrics", computed)
    assert market.run("daily_metrics", THURSDAY).success
    assert looks[:1] == [20260917], "this instance has not seen it measured"
    looks.clear()
    again = market.run("daily_metrics", THURSDAY)
    assert not looks
    told = metadata(again, "fund_metrics")
    assert (told["rows_written"], told["nav_date"]) == (0, "2026-09-17")
    assert told["dagster/row_count"] == len(
        market.table("fund_metrics", "calc_date = 20260917")
    )
    market.settings["risk_free_rate"] = 0.03
    assert market.run("daily_metrics", THURSDAY).success
    assert looks[:1] == [20260917]
    looks.clear()
    with market.warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql("DELETE FROM fund_peers")
        connection.exec_driver_sql("DELETE FROM fund_metrics")
    assert market.run("daily_metrics", THURSDAY).success
    assert looks[:1] == [20260917], "what is gone is not taken for stored"
