"""Holes in single funds are found, asked for once a day, and filled by the backfill."""

from datetime import timedelta

import dagster as dg
import numpy as np
import pandas as pd

from fund_assets.automation.schedules import RETRY_TAGS
from fund_assets.automation.sensors import repair_sensor
from fund_assets.calendar import from_key
from fund_assets.definitions import build_defs
from fund_assets.nav.history import HistoryChoice
from fund_assets.pipeline.history_gaps import ASK_AGAIN_FOR, find_gaps
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.pipeline.validated_nav import validate
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import NAV_QUARANTINE
from fund_assets.warehouse.engine.diff_writes import insert
from fund_assets_tests.integration.evenings import Market

NOON = "2026-09-18T12:00:00"


def look(market, clock, cursor=None):
    platform = market.platform(clock)
    with dg.build_sensor_context(
        instance=market.instance, cursor=cursor, resources={"platform": platform}
    ) as context:
        try:
            return repair_sensor.evaluate_tick(context)
        finally:
            platform.warehouse.close()


def holes(market, clock):
    platform = market.platform(clock)
    found = find_gaps(platform.warehouse, platform.calendar, platform.now())
    platform.warehouse.close()
    return found


def of(found, code):
    return [gap for gap in found if gap.fund_code == code]


def absences(market, clock, code):
    """Whether the source lacks each of a fund's missing dates too, in their order."""
    return [gap.absent for gap in of(holes(market, clock), code)]


def make_holes(market, code):
    """Takes three dates of a daily fund away, as if no wave had shown them; returns them."""
    dates = market.table("validated_nav", f"fund_code = '{code}'")["nav_date"].tolist()
    gone = [dates[-30], dates[-12], dates[-11]]
    with market.warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            f"DELETE FROM validated_nav WHERE fund_code = '{code}' "
            f"AND nav_date IN ({', '.join(map(str, gone))})"
        )
    return gone


def daily_fund(market):
    rows = market.table("fund_info", "kind = 'mixed' AND status = 'listed'")
    counts = market.table("validated_nav")["fund_code"].value_counts()
    return next(code for code in rows["fund_code"] if counts.get(code, 0) > 300)


def test_holes_of_one_fund_are_found_and_filled(market):
    """Stops dates of single funds, that no date of the market shows, from missing for ever."""
    assert all(gap.absent for gap in holes(market, NOON)), "the first evening has none"
    before = market.table("validated_nav")
    code = daily_fund(market)
    gone = make_holes(market, code)
    found = holes(market, NOON)
    assert [gap.nav_date for gap in of(found, code)] == gone
    night = look(market, "2026-09-18T20:00:00")
    assert not night.run_requests and night.skip_message.endswith("between 9:00 and 18:00")
    with market.warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            f"UPDATE history_progress SET stored_at = 20260701193000, asked_at = 20260701193000 "
            f"WHERE fund_code = '{code}'"
        )
    tick = look(market, NOON)
    (request,) = tick.run_requests
    assert request.run_config == {"ops": {"nav_history": {"config": {"codes": [code]}}}}
    assert request.tags.items() >= RETRY_TAGS.items()
    again = look(market, "2026-09-18T17:00:00", tick.cursor)
    assert not again.run_requests and again.skip_message == "already checked today"

    platform = market.platform(NOON)
    collect_histories(
        platform.warehouse, platform.source, platform.now, HistoryChoice(codes=(code,))
    )
    validate(platform.warehouse, platform.calendar, platform.now(), kinds=("history",))
    platform.warehouse.close()
    assert of(holes(market, NOON), code) == []
    names = ["fund_code", "nav_date", "unit_nav", "acc_nav", "total_return_index"]
    after = market.table("validated_nav")
    assert after[names].equals(before[names]), "as if they had never been missing"


def test_a_nav_that_the_page_shows_as_not_yet_published_is_asked_for(market):
    """Stops funds that really stood still on a quiet day, and were taken for not yet published,
    from missing until the next session's page, which may itself be held."""
    code, newest = daily_fund(market), 20260917
    shown = market.table("fund_nav", f"fund_code = '{code}' AND nav_date = {newest}")
    assert shown["batch_id"].str.startswith("w").any() and shown["unit_nav"].notna().all()
    with market.warehouse.transaction(writes=True) as connection:
        for change in (
            f"DELETE FROM validated_nav WHERE fund_code = '{code}' AND nav_date = {newest}",
            "UPDATE history_progress SET stored_at = 20260701193000, asked_at = 20260701193000 "
            f"WHERE fund_code = '{code}'",
        ):
            connection.exec_driver_sql(change)
    found = [gap for gap in holes(market, NOON) if not gap.absent]
    assert [(gap.fund_code, gap.nav_date) for gap in found] == [(code, newest)]
    (request,) = look(market, NOON).run_requests
    assert request.run_config == {"ops": {"nav_history": {"config": {"codes": [code]}}}}


def test_what_the_source_lacks_too_is_asked_for_no_more(market):
    """Stops the same fund from being asked for every day for a date that nobody has."""
    code = daily_fund(market)
    make_holes(market, code)
    assert absences(market, NOON, code) == [True, True, True]
    data = look(market, NOON)
    assert not data.run_requests
    assert data.skip_message.startswith("no fund lacks a date that the source may still have")


def test_a_date_shown_wrongly_is_asked_for_until_the_right_value_had_time_to_come(market):
    """Stops a NAV that witnesses rejected, in page and history, from missing for ever: the
    source corrects it later, and nothing held asks for it any more."""
    code = daily_fund(market)
    made = make_holes(market, code)
    date = made[-1]
    assert absences(market, NOON, code) == [True, True, True]

    def refute(shown_at, who):
        row = pd.DataFrame(
            [{"fund_code": code, "nav_date": date, "unit_nav": 12.0, "rule": "R08", "id": who,
              "batch_id": "h20260917-x", "state": "rejected", "created_at": shown_at,
              "decided_by": who, "decided_at": shown_at}]
        )  # fmt: skip
        empty = dict.fromkeys(("reason", "decided_because", "decided_in", "defect"), "")
        figures = {name: np.nan for name in OBSERVED_NAMES if name not in row}
        with market.warehouse.transaction(writes=True) as connection:
            insert(
                connection,
                NAV_QUARANTINE,
                NAV_QUARANTINE.conform(row.assign(**empty, **figures)),
            )

    refute(20260917_193000, "somebody")
    assert all(absences(market, NOON, code)), "a person has looked at it"
    refute(20260917_193000, "witness:growth")
    assert absences(market, NOON, code) == [True, True, False], "the date is the newest"
    # Whatever the source goes on showing, a month after the date is enough.
    late = from_key(date) + ASK_AGAIN_FOR + timedelta(days=1)
    with market.warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            f"UPDATE history_progress SET stored_at = {late:%Y%m%d}193000 "
            f"WHERE fund_code = '{code}'"
        )
    found = {gap.nav_date: gap.absent for gap in of(holes(market, f"{late}T20:00:00"), code)}
    assert all(found[date] for date in made)
    # Until then that time is to come, as a clock that was wrong leaves it: nothing is known.
    assert absences(market, NOON, code) == [False, False, False]


def test_a_correction_of_the_past_is_recorded(market):
    """Stops a value that the source has corrected from being overwritten without a trace."""
    code = daily_fund(market)
    dates = market.table("validated_nav", f"fund_code = '{code}'")
    row = dates.iloc[-40]
    old = round(float(row["unit_nav"]) * 1.001, 4)
    with market.warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            f"UPDATE validated_nav SET unit_nav = {old} WHERE fund_code = '{code}' "
            f"AND nav_date = {row['nav_date']}"
        )
    platform = market.platform("2026-09-19T09:00:00")
    choice = HistoryChoice(since=20260919090000, kind="mixed")
    report = collect_histories(platform.warehouse, platform.source, platform.now, choice)
    validate(platform.warehouse, platform.calendar, platform.now(), kinds=("history",))
    platform.warehouse.close()
    assert report.asked > 1
    ours = f"fund_code = '{code}' AND kind = 'correction'"
    (seen,) = market.table("nav_revision", ours).to_dict("records")
    assert (seen["nav_date"], seen["unit_nav"]) == (row["nav_date"], old)
    now = market.table(
        "validated_nav", f"fund_code = '{code}' AND nav_date = {row['nav_date']}"
    )
    assert now["unit_nav"].tolist() == [row["unit_nav"]]


def test_a_market_without_any_nav_has_no_gaps(tmp_path):
    """Stops the first look of a new platform from failing."""
    market = Market(tmp_path)
    assert holes(market, NOON) == []


def test_a_date_of_the_grid_is_filled_and_told(market):
    """Stops the job behind the UI's grid of dates from fetching without publishing, from telling
    nothing of it, and from leaving the table it renewed with checks that nobody made."""
    code = daily_fund(market)
    gone = make_holes(market, code)
    platform = market.platform(NOON)
    job = build_defs(platform).resolve_job_def("missing_date")
    day = str(from_key(gone[1]))
    result = job.execute_in_process(instance=market.instance, partition_key=day)
    platform.warehouse.close()
    assert result.success
    dates = market.table("validated_nav", f"fund_code = '{code}'")["nav_date"].tolist()
    assert set(gone) <= set(dates), "the whole history came, with the other two"
    told = market.instance.get_latest_materialization_event(dg.AssetKey("nav_history"))
    assert told.run_id == result.run_id
    assert told.asset_materialization.tags["dagster/data_version"]
    assert told.asset_materialization.metadata["rows_new"].value == len(gone)
    graph = build_defs().resolve_asset_graph()
    due = {key for key in graph.asset_check_keys if key.asset_key == dg.AssetKey("nav_history")}
    latest = market.instance.event_log_storage.get_latest_asset_check_execution_by_key(due)
    assert {key: found.run_id for key, found in latest.items()} == dict.fromkeys(
        due, result.run_id
    )
    assert all(
        found.event.dagster_event.event_specific_data.passed for found in latest.values()
    )
