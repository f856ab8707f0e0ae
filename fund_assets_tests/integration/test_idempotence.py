"""Doing it again changes nothing, and the way to a state does not show in it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fund_assets.automation.jobs import JOBS
from fund_assets.calendar import TradingCalendar
from fund_assets.nav.history import HistoryChoice
from fund_assets.pipeline.fund_info import refresh
from fund_assets.pipeline.fund_nav import collect_wave
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.pipeline.validated_nav import explain_block, validate
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import TABLES
from fund_assets_tests import stores
from fund_assets_tests.integration.evenings import COUNTS, MONDAY, Market, metadata

ROOT = Path(__file__).resolve().parents[2]
VALUES = ["fund_code", "nav_date", *OBSERVED_NAMES, "total_return_index", "return_status"]


#: `daily_pipeline` runs what the other daily jobs are made of.
BY_DEFAULT = ("daily_pipeline", "history_backfill", "missing_date")


@pytest.mark.parametrize(
    "job",
    [
        name if name in BY_DEFAULT else pytest.param(name, marks=pytest.mark.slow)
        for name in (job.name for job in JOBS)
    ],
)
def test_a_job_again_changes_no_table(market, job):
    """Stops a rerun while the market stands still from writing anything at all."""
    # What Sunday alone writes, or asks pages for, was not there before; test_weekly.py runs it
    # twice.
    of_sunday = (
        "fund_scores", "weekly_log", "date_count", "fund_benchmark", "fund_benchmark_part",
        "fund_manager_page", "fund_manager_term", "change_version", "row_change",
    )  # fmt: skip
    tables = [name for name in TABLES if name not in of_sunday]
    before = market.checksums(*tables)
    partition = "2026-09-16" if job == "missing_date" else None
    assert market.run(job, "2026-09-17T21:40:50", partition=partition).success
    assert market.checksums(*tables) == before


@pytest.mark.slow
def test_a_wave_that_grew_adds_rows_once(market):
    """Stops a later wave of the same evening from being lost, or merged twice."""
    before = len(market.table("validated_nav"))
    result = market.run("daily_pipeline", "2026-09-17T23:00:00")
    told = metadata(result, "validated_nav")
    added = len(market.table("validated_nav")) - before
    assert added == told["rows_new"] > 0 and told["rows_changed"] == 0
    assert sum(told[name] for name in COUNTS) == told["rows_read"]
    after = market.checksums()
    assert market.run("daily_pipeline", "2026-09-17T23:00:30").success
    assert market.checksums() == after


def evening(market, clock):
    """The steps of one run but for the metrics, without Dagster around them."""
    platform = market.platform(clock)
    warehouse, source = platform.warehouse, platform.source
    refresh(warehouse, source, int(clock[:10].replace("-", "")))
    collect_wave(warehouse, source, platform.now)
    collect_histories(warehouse, source, platform.now, HistoryChoice())
    outcomes = validate(warehouse, platform.calendar, platform.now())
    assert explain_block(outcomes) == ""
    for outcome in outcomes:
        counts = outcome.counts
        assert sum(counts[name] for name in COUNTS) == counts["rows_read"]
    warehouse.close()


def accepted(market):
    return (
        market.table("validated_nav")[VALUES].set_index(["fund_code", "nav_date"]).sort_index()
    )


def told_by_no_wave(market, rows):
    """Which rows no page shows: of funds that publish two sessions late, after the header moved
    on; and incomes of closed days that the page alone sums up."""
    model = market.platform(MONDAY).source.market
    lag = model.universe.lag[model.universe.portfolio]
    late = np.array([lag[model.index[code]] == 2 for code, _ in rows], dtype=bool)
    sessions = TradingCalendar.build().are_sessions(
        np.array([day for _, day in rows], dtype=int)
    )
    return late | (shown_as_sums(market, [code for code, _ in rows]) & ~sessions)


def shown_as_sums(market, codes):
    """Which funds' incomes of closed days the page sums up, and histories tell one by one."""
    model = market.platform(MONDAY).source.market
    sums = model.universe.page_merges[model.universe.portfolio]
    return np.array([sums[model.index[code]] for code in codes], dtype=bool)


def assert_same(by_waves, at_once, since):
    """The same rows and values, where waves can know them as exactly as histories.

    What waves cannot know: dates that funds of two sessions' lag publish when no header
    shows them any more; the growth of a date that is the header's second one already; the incomes
    of closed days that a page sums up (test_weekends.py follows them); a conversion that no list
    records, for a page that shows a hundred times the NAV may be wrong; and events. A day with an event follows the published growth, which has two decimals.
    """
    waves, once = accepted(by_waves), accepted(at_once)
    assert waves.index.difference(once.index).empty
    missing = once.index.difference(waves.index)
    silent = told_by_no_wave(at_once, missing)
    held = (
        by_waves.table("nav_quarantine", "state = 'held'").set_index(list(missing.names)).index
    )
    waits = missing.isin(held)
    assert (silent | waits).all(), missing[~silent & ~waits].tolist()
    converted = at_once.table("fund_events", f"ex_date >= {since} AND kind = 'split'")
    assert set(missing[waits & ~silent].get_level_values(0)) <= set(converted["fund_code"])
    sums = shown_as_sums(at_once, waves.index.get_level_values("fund_code"))
    waves = waves[~sums]
    once = once.loc[waves.index]
    growth = waves["growth_pct"].notna()
    np.testing.assert_allclose(
        waves["growth_pct"][growth], once["growth_pct"][growth], rtol=0, atol=0.00501
    )
    for name in ("unit_nav", "acc_nav", "yield_per_10k", "yield_7d_pct"):
        np.testing.assert_array_equal(waves[name], once[name], err_msg=name)
    events = at_once.table("fund_events", f"ex_date >= {since}")
    paid = waves.index.get_level_values("fund_code").isin(events["fund_code"])
    for rows, tolerance in ((~paid, 1e-9), (paid, 2e-4)):
        np.testing.assert_allclose(
            waves["total_return_index"][rows], once["total_return_index"][rows], rtol=tolerance
        )
    return len(missing), len(events)


def clocks(first, last, *times, mornings=False):
    """The moments of the schedule: `times` on sessions, 07:30 on closed days too."""
    calendar = TradingCalendar.build()
    found = []
    for day in pd.date_range(first, last):
        found += [f"{day:%Y-%m-%d}T07:30:00"] if mornings else []
        if calendar.is_session(day.date()):
            found += [f"{day:%Y-%m-%d}T{time}:00" for time in times]
    return found


def through_waves_and_at_once(tmp_path, moments, **settings):
    """Two markets at the last moment: one went through all of them, one begins there."""
    by_waves, at_once = (
        Market(tmp_path / "waves", **settings),
        Market(tmp_path / "once", **settings),
    )
    for moment in moments:
        evening(by_waves, moment)
    evening(at_once, moments[-1])
    return by_waves, at_once


@pytest.mark.slow
def test_evening_by_evening_equals_one_history_at_the_end(tmp_path):
    """Stops waves from leading to other NAVs, indices or corrections than histories do."""
    moments = clocks("2026-09-16", "2026-09-17", "19:00", "22:50")
    by_waves, at_once = through_waves_and_at_once(tmp_path, moments, sim_funds=48, sim_seed=8)
    assert_same(by_waves, at_once, since=20260916)
    (revision,) = by_waves.table("nav_revision", "kind = 'correction'").to_dict("records")
    assert (revision["fund_code"], revision["nav_date"]) == ("000028", 20260916)
    assert revision["unit_nav"] == 3.423 and revision["superseded_at"] == 20260917_190000
    assert revision["change_pct"] == pytest.approx((3.4311 / 3.423 - 1) * 100)
    stored = by_waves.table("validated_nav", "fund_code = '000028' AND nav_date = 20260916")
    assert stored["unit_nav"].item() == 3.4311


@pytest.mark.slow
def test_a_month_with_a_holiday_week_equals_one_history_at_the_end(tmp_path):
    """Stops a holiday, a night wave or a hundred funds from making a difference."""
    moments = clocks("2026-09-14", "2026-10-12", "19:00", "23:00", mornings=True)
    by_waves, at_once = through_waves_and_at_once(tmp_path, moments, sim_funds=140)
    missing, events = assert_same(by_waves, at_once, since=20260914)
    assert missing > 0 and events > 0
    source = by_waves.platform(moments[-1]).source
    corrected = {
        (code, row.nav_date)
        for code in by_waves.table("validated_nav")["fund_code"].unique()
        for row in source.truth(code).corrections.itertuples()
        if row.nav_date >= 20260914
    }
    assert corrected, "the weeks have something to find"
    # Days told one by one in the place of their sum are no corrections, nor is late growth.
    revised = by_waves.table("nav_revision", "kind = 'correction'")
    assert set(zip(revised["fund_code"], revised["nav_date"], strict=True)) == corrected


@pytest.mark.slow
def test_the_machines_time_zone_makes_no_difference(tmp_path):
    """Stops any date or time from being taken from the machine instead of Shanghai."""
    found = {}
    for zone in ("America/New_York", "Asia/Shanghai"):
        market = Market(tmp_path / zone.replace("/", "-"))
        env = {
            **os.environ,
            "TZ": zone,
            **stores.environment(market.folder),
            "FUND_SIM_FUNDS": "60",
            "FUND_SIM_YEARS": "1",
            "FUND_SIM_SEED": "5",
            "FUND_CLOCK": "2026-09-18T00:20:00",
            "PYTHONWARNINGS": "ignore",
        }
        done = subprocess.run(
            [sys.executable, "-m", "dagster", "job", "execute", "-m", "fund_assets.definitions",
             "-j", "daily_pipeline"],
            cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        found[zone] = market.checksums()
        assert market.table("collection_batch")["collected_at"].unique() == [20260918_002000]
    assert found["America/New_York"] == found["Asia/Shanghai"]
