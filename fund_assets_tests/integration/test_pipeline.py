"""The whole evening through Dagster, its tables held against what really happened."""

import json
from dataclasses import replace
from datetime import date

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import from_key
from fund_assets.definitions import build_defs
from fund_assets.transport.errors import TransportError, TruncatedError, UnknownFundError
from fund_assets_tests.integration.evenings import (
    COUNTS,
    FRIDAY,
    THURSDAY,
    cases,
    checks,
    executed,
    failure,
    metadata,
    truths,
)


def a_year_before(key):
    day = date(key // 10_000, key // 100 % 100, key % 100)
    return int(day.replace(year=day.year - 1).strftime("%Y%m%d"))


def test_the_first_evening_runs_the_whole_chain(first_evening):
    """Stops a step from dropping out of the one run that a newcomer makes."""
    market, result = first_evening
    assert executed(result) == {
        "fund_info", "fund_events", "fund_nav", "validated_nav", "fund_benchmark",
        "benchmark_index", "fund_metrics",
    }  # fmt: skip
    failed = {key: cases(e) for key, e in checks(result).items() if not e.passed}
    # Two money funds publish the income of the holidays in one figure: no day's is unusual.
    assert failed == {}
    sums = market.table("validated_nav", "yield_per_10k > 5")
    assert sums["fund_code"].nunique() == 2 and (sums["days_covered"] >= 7).all()


def test_every_row_is_accounted_for(first_evening):
    """Stops rows from vanishing between reading and merging, in the log and in the UI."""
    market, result = first_evening
    log = market.table("publish_log").set_index("batch_id")
    assert len(log) == 3, "events, one wave and one batch of histories"
    assert (log[COUNTS].sum(axis=1) == log["rows_read"]).all()
    landed = market.table("fund_nav").groupby("batch_id").size()
    events = log.index[log.index.str.startswith("e")]
    assert log.loc[events, "rows_new"].tolist() == [
        int((market.table("fund_events")["first_batch_id"] == events[0]).sum())
    ]
    log = log.drop(events)
    assert landed.to_dict() == log["rows_read"].to_dict(), "nothing was refused at landing"
    told = metadata(result, "validated_nav")
    assert {name: told[name] for name in COUNTS} == log[COUNTS].sum().to_dict()
    assert told["rows_read"] == log["rows_read"].sum()
    assert (
        told["dagster/row_count"] == log["rows_new"].sum() == len(market.table("validated_nav"))
    )
    wave = metadata(result, "fund_nav")
    in_log = log.loc[wave["batch_id"]]
    seen = market.platform(THURSDAY).source.wave().observations
    assert wave["rows_read"] == in_log["rows_read"] == len(seen)
    assert wave["not_yet_published"] == in_log["rows_pending"] > 0
    assert wave["history_rows"] == log["rows_read"].sum() - wave["rows_read"]


def test_a_batch_names_the_answers_it_came_from(first_evening):
    """Stops provenance from being lost: every answer with its hash, size and rows."""
    market, result = first_evening
    batches = market.table("collection_batch").set_index("kind")
    endpoints = [p["endpoint"] for p in json.loads(batches.loc["wave", "payloads"])]
    assert endpoints == ["open_funds", "money_funds", "exchange_funds"]
    shown = metadata(result, "fund_nav")["payloads"]
    assert [r["endpoint"] for r in shown] == endpoints
    histories = json.loads(batches.loc["history", "payloads"])
    assert len(histories) == 59 and len({p["sha256"] for p in histories}) == 59


def test_the_index_is_the_true_total_return_of_every_fund(first_evening):
    """Stops a dividend, a split, a money fund's income or a day from being lost."""
    market, _ = first_evening
    stored = market.table("validated_nav")
    true = truths(market, THURSDAY)
    assert set(stored["fund_code"]) == set(true)
    events = [kind for truth in true.values() for kind in truth.events["kind"]]
    assert (events.count("dividend"), events.count("split")) == (28, 3)
    assert {t.kind for t in true.values()} >= {"money", "qdii", "bond", "equity", "reit"}
    for code, rows in stored.groupby("fund_code"):
        index = true[code].index.set_index("nav_date")["total_return_index"]
        mine = rows.set_index("nav_date")["total_return_index"]
        assert mine.index.tolist() == index.index.tolist(), code
        np.testing.assert_allclose(mine, index, rtol=1e-9, err_msg=code)


def test_metrics_are_those_of_the_truth(first_evening):
    """Stops metrics from being taken from unit NAV, a shorter window or another date."""
    market, _ = first_evening
    metrics = market.table("fund_metrics")
    assert set(metrics["calc_date"]) == {20260917}
    funds = market.table("fund_info")
    money = set(funds.loc[funds["kind"] == "money", "fund_code"])
    whole = 0
    for code, truth in truths(market, THURSDAY).items():
        index = truth.index.set_index("nav_date")["total_return_index"]
        row = metrics[(metrics["fund_code"] == code) & (metrics["window"] == "1y")].iloc[0]
        end = index.index[index.index <= 20260917][-1]
        assert row["end_date"] == end
        before = index[index.index <= a_year_before(end)]
        if before.empty:
            assert pd.isna(row["total_return"]) and row["reason"], code
            continue
        window = index[(index.index >= before.index[-1]) & (index.index <= end)]
        if pd.isna(row["total_return"]):
            assert row["reason"], code
            continue
        whole += 1
        assert row["start_date"] == before.index[-1], code
        assert row["total_return"] == pytest.approx(
            window.iloc[-1] / window.iloc[0] - 1, rel=1e-9
        )
        drawdown = (window / window.cummax() - 1).min()
        assert row["max_drawdown"] == pytest.approx(drawdown, rel=1e-9, abs=1e-12), code
        steps = len(window) - 1
        if code in money:  # a sum over a weekend counts as so many days
            steps = (from_key(int(end)) - from_key(int(before.index[-1]))).days
        assert row["observations"] + row["gap_steps"] == steps, code
    assert whole >= 35


@pytest.mark.slow
def test_what_a_run_told_is_kept_by_a_real_instance(market, tmp_path):
    """Stops metadata from being text where the UI plots numbers, or from not being kept."""
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        market.instance = instance
        result = market.run("daily_pipeline", FRIDAY)
        assert result.success
        assert instance.get_run_by_id(result.run_id).status is dg.DagsterRunStatus.SUCCESS
        kept = {}
        for asset in ("fund_info", "fund_nav", "validated_nav", "fund_metrics"):
            (record,) = instance.fetch_materializations(dg.AssetKey(asset), limit=5).records
            kept[asset] = record.asset_materialization.metadata
            assert isinstance(kept[asset]["dagster/row_count"].value, int), asset
            assert isinstance(kept[asset]["duration_seconds"].value, float), asset
        numbers = ("batches", "rows_read", "coverage", "coverage_bond", *COUNTS)
        for name in numbers:
            assert isinstance(kept["validated_nav"][name].value, int | float), name
        lineage = kept["fund_metrics"]["dagster/column_lineage"].value
        made_from = {
            (dep.asset_key.to_user_string(), dep.column_name)
            for dep in lineage.deps_by_column["total_return"]
        }
        assert made_from == {
            ("validated_nav", "total_return_index"), ("validated_nav", "nav_date"),
        }  # fmt: skip
        evaluated = {(e.asset_key, e.check_name) for e in result.get_asset_check_evaluations()}
        graph = build_defs().resolve_asset_graph()
        declared = {(k.asset_key, k.name) for k in graph.asset_check_keys}
        evening = {event.asset_key for event in result.get_asset_materialization_events()}
        assert {k for k in declared - evaluated if k[0] in evening} == set()
        assert evaluated < declared


def test_list_outage_uses_the_stored_list_and_says_so(market):
    """Stops an outage of the list from stopping the evening, or from passing unseen."""
    before = market.checksums("fund_info")
    outage = TransportError("the list of funds: connection refused")
    result = market.run("daily_collection", THURSDAY, fund_list=outage)
    assert result.success and "fund_nav" in executed(result)
    check = checks(result)["fund_info", "R26_list_current"]
    assert not check.passed and check.severity.value == "ERROR"
    assert cases(check) == f"TransportError: {outage}"
    assert market.checksums("fund_info") == before
    assert all(
        e.passed
        for (asset, name), e in checks(market.run("daily_collection", THURSDAY)).items()
        if asset == "fund_info"
    ), "the next good list passes"


def test_list_outage_without_a_stored_list_fails(market, tmp_path):
    """Stops a first run without a list of funds from ending well with nothing."""
    fresh = type(market)(tmp_path / "fresh")
    result = fresh.run("daily_collection", THURSDAY, fund_list=TransportError("refused"))
    assert not result.success and executed(result) == set()
    assert "TransportError: refused" in failure(result)


@pytest.mark.slow
def test_failed_histories_are_told_and_asked_for_again(market, tmp_path):
    """Stops a fund from staying without history for ever after one bad evening."""
    fresh = type(market)(tmp_path / "fresh")
    fate = {
        "000001": TransportError("000001: timed out"),
        "000002": TruncatedError("000002: 3 of 400 rows"),
        "000003": UnknownFundError("000003: no such fund"),
    }
    result = fresh.run("daily_collection", THURSDAY, history=lambda h: fate.get(h.fund_code, h))
    told = metadata(result, "fund_nav")
    # Of 60 listed funds one is a back-end twin, which is not asked for.
    assert (told["history_funds_asked"], told["history_failed"]) == (59, 3)
    problems = [r["case"] for r in told["history_problems"]]
    assert "TransportError: 000001: timed out" in problems
    progress = fresh.table("history_progress")
    open_still = progress[progress["state"] == "failed"]
    assert open_still["fund_code"].tolist() == ["000001", "000002"]
    assert open_still["attempts"].tolist() == [1, 1] and len(progress) == 59
    again = metadata(fresh.run("daily_collection", FRIDAY), "fund_nav")
    assert (again["history_funds_asked"], again["history_failed"]) == (2, 0)
    assert fresh.run("daily_validation", FRIDAY).success
    first = fresh.table("validated_nav", "fund_code = '000001'")["nav_date"].min()
    assert first == 20250102, "its whole history is there"


def test_a_shrunken_history_is_refused(market):
    """Stops half an answer from being taken for a fund's whole past (R18)."""
    before = market.checksums("fund_nav", "fund_events", "validated_nav")

    def late(history):
        rows = history.observations
        return type(history)(
            history.fund_code, rows[rows["nav_date"] > 20260101], history.events
        )

    result = market.run(
        "daily_collection",
        THURSDAY,
        config={"wave": False, "history_codes": ["000001", "000002"]},
        history=lambda h: late(h) if h.fund_code == "000001" else h,
    )
    told = metadata(result, "fund_nav")
    assert (told["history_refused"], told["history_failed"]) == (1, 0)
    (problem,) = [r["case"] for r in told["history_problems"]]
    assert problem == "000001: the history begins 20260105, the stored one 20250102"
    landed = market.table("collection_batch", "kind = 'history'")
    assert len(landed) == 2, "the other fund's history landed"
    assert market.checksums("validated_nav")["validated_nav"] == before["validated_nav"]


@pytest.mark.slow
def test_an_event_that_the_source_tells_late_changes_the_index(market, tmp_path):
    """Stops a dividend from being ignored because the NAVs around it are known already."""
    fresh = type(market)(tmp_path / "fresh")
    truth = next(
        t
        for t in truths(fresh, THURSDAY).values()
        if list(t.events["kind"]) == ["dividend"] * 2
    )
    code = truth.fund_code

    def untold(history):
        return type(history)(
            history.fund_code, history.observations, history.events.head(0), history.payloads
        )

    only = {"wave": False, "history_codes": [code]}
    silent = {"events": lambda e: replace(e, frame=e.frame.head(0))}
    fresh.run("daily_collection", THURSDAY, config=only, history=untold, **silent)
    assert fresh.run("daily_validation", THURSDAY).success
    blind = fresh.table("validated_nav")
    assert {"suspected_event", "unproven"} & set(blind["return_status"])
    fresh.run("daily_collection", THURSDAY, config=only)
    assert fresh.run("daily_validation", THURSDAY).success
    stored = fresh.table("validated_nav").set_index("nav_date")
    assert set(stored["return_status"]) == {"first", "proven"}
    index = truth.index.set_index("nav_date")["total_return_index"]
    np.testing.assert_allclose(stored["total_return_index"], index, rtol=1e-9)
