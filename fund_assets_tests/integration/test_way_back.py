"""Batches that a blocking rule stops: who lifts it, by what command, and that the week goes on."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from fund_assets.nav.history import HistoryChoice
from fund_assets.pipeline.fund_info import refresh
from fund_assets.pipeline.fund_nav import collect_wave
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.pipeline.validated_nav import explain_block, validate
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.warehouse.queries import status as status_queries
from fund_assets_tests.integration.evenings import (
    FRIDAY,
    Market,
    desk,
    executed,
    failure,
    metadata,
)


def half(frame):
    return frame.iloc[: len(frame) // 2]


def shifted(history):
    rows = history.observations
    return replace(
        history, observations=rows.assign(unit_nav=(rows["unit_nav"] * 1.003).round(4))
    )


def wave(market, clock, **tampering):
    platform = market.platform(clock, **tampering)
    collect_wave(platform.warehouse, platform.source, platform.now)
    outcomes = validate(platform.warehouse, platform.calendar, platform.now())
    platform.warehouse.close()
    return outcomes


command = partial(desk, clock="2026-09-18T22:00:00")


def test_a_blocked_batch_is_one_thing_at_the_desk(market):
    """Stops a batch from being blocked without a way out that the message names."""
    (blocked,) = wave(market, FRIDAY, observations=half)
    told = explain_block([blocked])
    name = blocked.batch_id
    assert f"`fund-assets quarantine accept {name} --because ...`" in told
    assert "or the third session in a row" in told
    listed = command(market, "list")
    assert f"fund-assets quarantine show {name}" in listed.output
    shown = command(market, "show", name)
    assert "blocked" in shown.output and "R02_row_count" in shown.output
    assert "Cleared by a wave with the usual rows" in shown.output
    assert json.loads(command(market, "show", name, "--json").output)["rows_read"]

    because = ("--because", "交易所公告，半数基金停牌", "--by", "王经理")
    accepted = command(market, "accept", name, *because)
    assert accepted.exit_code == 0, accepted.output
    assert f"merged as batch {name}: " in accepted.output
    (row,) = market.table("collection_batch", f"batch_id = '{name}'").to_dict("records")
    assert row["state"] == "published"
    assert row["held_because"].startswith("R02_row_count: ")
    assert "accepted by 王经理 at 20260918220000: 交易所公告" in row["held_because"]
    log = json.loads(market.table("publish_log", f"batch_id = '{name}'")["verdicts"].item())
    assert "R02_row_count" in {v["rule"] for v in log if v["failed"]}
    again = command(market, "accept", name, *because)
    assert again.exit_code == 1 and "already merged" in again.output


def test_a_blocked_batch_is_rejected_by_a_person(market):
    """Stops a wrong batch from being told every evening, or from counting as a smaller market."""
    (blocked,) = wave(market, FRIDAY, observations=half)
    name, because = blocked.batch_id, ("--because", "half a page", "--by", "王经理")
    told = explain_block([blocked])
    assert "the same with `reject` if it is wrong" in told
    assert f"quarantine reject {name}" in command(market, "show", name).output
    published = market.checksums("validated_nav", "publish_log")
    rejected = command(market, "reject", name, *because)
    assert rejected.exit_code == 0 and f"rejected batch {name}: nothing" in rejected.output
    assert market.checksums("validated_nav", "publish_log") == published

    shown = command(market, "show", name)
    assert (
        "rejected" in shown.output
        and "by 王经理 at 20260918220000: half a page" in shown.output
    )
    assert "R02_row_count" in shown.output, "what held it stays readable"
    assert name not in command(market, "list").output
    platform = market.platform(FRIDAY)
    assert status_queries.held_batches(platform.warehouse) == []
    assert [b["state"] for b in status_queries.batches(platform.warehouse, 1)] == ["rejected"]
    platform.warehouse.close()
    again = command(market, "reject", name, *because, "--json")
    assert json.loads(again.output) == {"batch_id": name, "rejected": False}
    assert wave(market, FRIDAY, observations=half) == [], "the same answer stays rejected"

    accepted = command(market, "accept", name, "--because", "if it is correct")
    assert accepted.exit_code == 0, "a person may think again"
    late = command(market, "reject", name, *because)
    assert late.exit_code == 1 and "is already merged" in late.output
    both = command(market, "reject", name, "3f0c91", *because)
    assert both.exit_code == 2


@pytest.mark.slow
def test_rejected_batches_are_no_sessions_of_a_smaller_market(market):
    """Stops answers that a person called wrong from lifting the block on the third evening."""
    for day in (18, 21):
        (blocked,) = wave(market, f"2026-09-{day}T21:40:00", observations=half)
        command(market, "reject", blocked.batch_id, "--because", "cut short")
    (third,) = wave(market, "2026-09-22T21:40:00", observations=half)
    assert third.blocked_by, "the first of its kind that nobody called wrong"


def test_a_replaced_wave_is_not_accepted(market):
    """Stops an old answer from being merged over a newer one by hand."""
    (blocked,) = wave(market, FRIDAY, observations=half)
    wave(market, "2026-09-18T22:00:00")
    refused = command(market, "accept", blocked.batch_id, "--because", "x")
    assert refused.exit_code == 1 and "is outdated: the later wave" in refused.output
    missing = command(market, "show", "w20260918-0123456789ab")
    assert missing.exit_code == 2 and "unknown batch" in missing.output


@pytest.mark.slow
def test_the_week_goes_on_beside_a_held_batch(market):
    """Stops one blocked batch of histories from ending scores, cleaning and report each Sunday."""
    # A week later, for whose histories were had since Monday is not asked again.
    result = market.run("weekly_full_calc", "2026-09-27T02:00:00", history=shifted)
    assert result.success, failure(result)
    held = market.table("collection_batch", "state = 'held'")
    assert set(held["kind"]) == {"history"}
    assert {"fund_metrics", "fund_scores", "warehouse_upkeep", "weekly_report"} <= executed(
        result
    )
    preview = metadata(result, "weekly_report")["preview"]
    assert all(name in preview for name in held["batch_id"])


def test_corrections_of_histories_alone_go_through(market):
    """Stops what one company corrects a week later from being blocked whenever it is read."""
    stored = market.table("validated_nav", "nav_date = 20260916 AND unit_nav IS NOT NULL")
    codes = stored["fund_code"].head(12).tolist()

    def corrected(history):
        rows = history.observations
        at = (rows["nav_date"] == 20260916) & rows["fund_code"].isin(codes)
        navs = rows["unit_nav"].where(~at, (rows["unit_nav"] + 0.002).round(4))
        return replace(history, observations=rows.assign(unit_nav=navs))

    platform = market.platform("2026-09-19T10:00:00", history=corrected)
    choice = HistoryChoice(codes=tuple(codes))
    collect_histories(platform.warehouse, platform.source, platform.now, choice)
    (outcome,) = validate(platform.warehouse, platform.calendar, platform.now())
    platform.warehouse.close()
    assert not outcome.blocked_by
    revisions = market.table("nav_revision", "nav_date = 20260916 AND kind = 'correction'")
    assert sorted(revisions["fund_code"]) == sorted(codes)


@pytest.mark.slow
def test_a_smaller_market_passes_on_its_third_session(market):
    """Stops a market that shrank for good from being blocked every evening."""
    gone = set(market.table("fund_info")["fund_code"].iloc[::5])

    def smaller(frame):
        return frame[~frame["fund_code"].isin(gone)]

    ends = {}
    for day in ("18", "21", "22", "23"):
        (outcome,) = wave(market, f"2026-09-{day}T21:40:00", observations=smaller)
        ends[day] = [v.rule for v in outcome.blocked_by]
    assert ends["18"][0] == ends["21"][0] == "R02_row_count"
    assert ends["22"] == ends["23"] == []


@pytest.mark.slow
def test_a_first_page_without_a_nav_ends_in_words(tmp_path):
    """Stops an evening on which no fund has published from ending in a traceback."""
    fresh = Market(tmp_path / "fresh", sim_years=0.2, sim_funds=40)

    def nothing(frame):
        return frame.assign(**dict.fromkeys(OBSERVED_NAMES, np.nan))

    result = fresh.run(
        "daily_pipeline", FRIDAY, observations=nothing, config={"history_funds": 0}
    )
    assert result.success, failure(result)
    assert fresh.table("fund_metrics").empty
    good = fresh.run("daily_pipeline", "2026-09-18T23:00:00", config={"history_funds": 0})
    assert good.success, failure(good)
    assert len(fresh.table("fund_metrics"))
    fresh.warehouse.close()


def test_a_first_page_of_a_few_funds_is_refused(tmp_path):
    """Stops a first page of ten funds from becoming the usual size of the market."""
    fresh = Market(tmp_path / "fresh", sim_years=0.2, sim_funds=60)
    platform = fresh.platform(FRIDAY)
    refresh(platform.warehouse, platform.source, 20260918)
    platform.warehouse.close()
    (outcome,) = wave(fresh, FRIDAY, observations=lambda frame: frame.head(10))
    assert [v.rule for v in outcome.blocked_by] == ["R02_first_page"]
    assert "the list has " in outcome.blocked_by[0].cases[0]
    (outcome,) = wave(fresh, "2026-09-18T23:00:00")
    assert not outcome.blocked_by
    fresh.warehouse.close()
