"""Peers, coverage and status against groups worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.metrics.peers import peer_ranks, standing_for, with_coverage
from fund_assets.schemas.tables import FUND_METRICS, FUND_PEERS

DATE = 20260917


def metrics_of(rows):
    """rows: (code, total_return, volatility, start_date, end_date)."""
    frame = pd.DataFrame(
        rows,
        columns=[
            "fund_code",
            "total_return",
            "annualized_volatility",
            "start_date",
            "end_date",
        ],
    )
    frame["window"], frame["calc_date"] = "inception", DATE
    frame["observations"], frame["gap_steps"], frame["definition_version"] = 1, 0, 3
    frame["reason"], frame["status"], frame["risk_free_rate"] = "", "provisional", 0.01
    for column in FUND_METRICS.columns:
        if column.name not in frame:
            text = column.kind.name == "TEXT"
            frame[column.name] = None if text else np.nan
    return FUND_METRICS.conform(frame)


def funds_of(rows):
    return pd.DataFrame(rows, columns=["fund_code", "kind", "family"])


def market():
    """Twelve portfolios of one kind, two of them with three classes; one fund elsewhere."""
    rows, funds = [], []
    for at in range(12):
        rows.append((f"{at:06d}", at / 100, 0.1 + at / 100, 20200101, DATE))
        funds.append((f"{at:06d}", "mixed", f"f{at}"))
    # Later classes of portfolio 3: worse by their fees, must not take places of their own.
    for code in ("100003", "100004"):
        rows.append((code, 0.025, 0.13, 20230101, DATE))
        funds.append((code, "mixed", "f3"))
    rows.append(("200000", 0.5, 0.2, 20200101, DATE))
    funds.append(("200000", "bond", "g"))
    rows.append(("300000", 0.9, 0.2, 20200101, 20260801))  # published nothing for weeks
    funds.append(("300000", "mixed", "h"))
    return rows, funds


def test_ranks_by_hand():
    """Stops classes of one portfolio counted twice, wrong directions, and dead funds ranked."""
    rows, funds = market()
    found = peer_ranks(metrics_of(rows), funds_of(funds)).set_index("fund_code")
    FUND_PEERS.schema.validate(found.reset_index()[FUND_PEERS.names])
    assert set(found.index) == {code for code, kind, _ in funds if kind == "mixed"} - {"300000"}
    best, worst = found.loc["000011"], found.loc["000000"]
    assert (best["total_return_rank"], best["total_return_peers"]) == (1, 12)
    assert best["total_return_percentile"] == 1.0
    assert worst["total_return_rank"] == 12
    assert worst["total_return_percentile"] == 0.0
    assert best["annualized_volatility_rank"] == 12
    third = found.loc["000003"]
    assert third["total_return_rank"] == 9
    assert third["total_return_percentile"] == pytest.approx(3 / 11)
    for code in ("100003", "100004"):
        assert found.loc[code].drop("calc_date").equals(third.drop("calc_date"))
    assert found["sharpe_ratio_rank"].isna().all()


def test_ten_portfolios_make_a_ranking_nine_do_not():
    """Stops ranks in groups too small to mean anything; missing values are no members."""
    rows, funds = market()
    ten = metrics_of(rows)
    ten.loc[ten["fund_code"].isin(["000000", "000001"]), "total_return"] = np.nan
    found = peer_ranks(ten, funds_of(funds)).set_index("fund_code")
    assert found.loc["000011", "total_return_peers"] == 10
    assert found.loc["000000", "total_return_rank"] is pd.NA
    ten.loc[ten["fund_code"] == "000002", "total_return"] = np.nan
    found = peer_ranks(ten, funds_of(funds))
    assert found["total_return_rank"].isna().all()
    assert found["annualized_volatility_rank"].notna().all()


def test_equal_values_share_the_better_rank():
    """Stops an order that depends on fund codes."""
    rows, funds = market()
    metrics = metrics_of(rows)
    metrics.loc[metrics["fund_code"].isin(["000011", "000010"]), "total_return"] = 0.3
    found = peer_ranks(metrics, funds_of(funds)).set_index("fund_code")["total_return_rank"]
    assert (found["000011"], found["000010"], found["000009"]) == (1, 1, 3)


def test_coverage_by_kind_and_when_it_is_final():
    """Stops one kind's late publishers from holding up another, and dead funds from counting."""
    rows, funds = market()
    late = [(*row[:4], 20260916) if row[0] in ("000000", "000001") else row for row in rows]
    found = with_coverage(metrics_of(late), funds_of(funds)).set_index("fund_code")
    assert found.loc["000005", "coverage"] == pytest.approx(12 / 14)
    assert found.loc["000005", "status"] == "provisional"
    assert (found.loc["200000", "coverage"], found.loc["200000", "status"]) == (1.0, "final")
    late = [(*row[:4], 20260916) if row[0] == "000000" else row for row in rows]
    found = with_coverage(metrics_of(late), funds_of(funds)).set_index("fund_code")
    assert found.loc["000005", "coverage"] == pytest.approx(13 / 14)
    assert (found["status"] == "final").all()


def test_nine_of_ten_are_final_and_a_fund_is_active_for_fifteen_days():
    """Stops rows from being final too early, and silent funds from being peers for ever."""
    rows = [(f"{at:06d}", at / 100, 0.1, 20200101, DATE) for at in range(10)]
    funds = [(f"{at:06d}", "mixed", f"f{at}") for at in range(10)]
    rows[0] = (*rows[0][:4], 20260902)  # 15 days before
    found = with_coverage(metrics_of(rows), funds_of(funds))
    assert found["coverage"].tolist() == [0.9] * 10
    assert set(found["status"]) == {"final"}
    assert len(peer_ranks(metrics_of(rows), funds_of(funds))) == 10
    rows[0] = (*rows[0][:4], 20260901)  # 16 days: no peer, and nine make no ranking
    assert peer_ranks(metrics_of(rows), funds_of(funds)).empty
    rows[1] = (*rows[1][:4], 20260916)
    found = with_coverage(metrics_of(rows), funds_of(funds))
    assert found["coverage"].iloc[0] == pytest.approx(8 / 9)
    assert set(found["status"]) == {"provisional"}


def test_the_class_with_the_longest_history_stands_for_all():
    """Stops the order of rows, or a class without a start, from choosing who stands."""
    rows = [
        ("000009", 0.1, 0.1, 20210101, DATE),
        ("000004", 0.1, 0.1, 20200101, DATE),
        ("000003", 0.1, 0.1, 20200101, DATE),  # as old: the lower code
        ("000001", 0.1, 0.1, None, DATE),
        ("000002", 0.1, 0.1, 20190101, 20260801),  # older, and silent
        ("000005", 0.1, 0.1, 20190101, DATE),  # of another kind
    ]
    kinds = [(row[0], "bond" if row[0] == "000005" else "mixed", "f") for row in rows]
    found = standing_for(metrics_of(rows), funds_of(kinds))
    assert found.to_dict() == {
        "000001": "000003", "000003": "000003", "000004": "000003", "000005": "000005",
        "000009": "000003",
    }  # fmt: skip
    other = metrics_of(rows).assign(window="1y")
    both = pd.concat([other.assign(start_date=20180101), metrics_of(rows)])
    assert standing_for(both, funds_of(kinds)).equals(found)
