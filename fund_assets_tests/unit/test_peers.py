"""Peers, coverage and status against groups worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.metrics.peers import peer_ranks, with_coverage
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
    frame["observations"], frame["definition_version"] = 1, 2
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
