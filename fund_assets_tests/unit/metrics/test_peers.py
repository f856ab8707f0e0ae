"""Peers, coverage and status against groups worked out by hand."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from fund_assets.metrics.peers import peer_ranks, standing_for, with_coverage
from fund_assets.schemas.fund_types import kind_of
from fund_assets.schemas.portfolios import class_order, portfolio_of
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
    frame["observations"], frame["gap_steps"], frame["definition_version"] = 1, 0, 4
    frame["reason"], frame["status"], frame["risk_free_rate"] = "", "provisional", 0.01
    for column in FUND_METRICS.columns:
        if column.name not in frame:
            text = column.kind.name == "TEXT"
            frame[column.name] = None if text else np.nan
    return FUND_METRICS.conform(frame)


def funds_of(rows):
    frame = pd.DataFrame(rows, columns=["fund_code", "kind", "family"])
    return frame.assign(name=frame["family"], fund_type="")


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


def covered(published, shares):
    """Coverage and status of a kind: which funds have published, and the share of each due."""
    codes = [f"{at:06d}" for at in range(len(shares))]
    rows = [
        (code, 0.1, 0.1, 20200101, DATE if at in published else 20260916)
        for at, code in enumerate(codes)
    ]
    due = pd.Series({c: s for c, s in zip(codes, shares, strict=True) if s is not None})
    funds = funds_of([(code, "fof", f"f{code}") for code in codes])
    found = with_coverage(metrics_of(rows), funds, due).iloc[0]
    return pytest.approx(found["coverage"]), found["status"]


def test_coverage_counts_the_funds_that_are_due():
    """Stops a kind whose funds publish on four of five days from being provisional for ever."""
    assert covered(range(16), [0.8] * 20) == (1.0, "final")
    assert covered(range(15), [0.8] * 20) == (15 / 16, "final")
    assert covered(range(14), [0.8] * 20) == (14 / 16, "provisional")
    weekly = [1.0] * 10 + [0.0] * 10
    assert covered(range(9), weekly) == (0.9, "final")
    assert covered([*range(8), 11, 12], weekly) == (0.8, "provisional"), (
        "who is not due is no help"
    )
    assert covered([], [0.0] * 3) == (1.0, "final"), "nothing is due"
    assert covered(range(10), [0.5] * 10) == (1.0, "final"), "more than expected is all"
    assert covered(range(10), [None] * 20) == (0.5, "provisional"), (
        "an unknown cadence is daily"
    )


def test_of_a_few_funds_chance_may_keep_some_away():
    """Stops three funds that publish on four of five days from being provisional whenever one is
    absent: 2.4 are due, and two standard deviations are 1.39."""
    assert covered(range(2), [0.8] * 3) == (2 / 2.4, "final")
    assert covered([0], [0.8] * 3) == (1 / 2.4, "provisional")
    assert covered(range(2), [1.0] * 3) == (2 / 3, "provisional"), "nothing is left to chance"


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


def test_which_class_stands_does_not_depend_on_what_is_stored_first():
    """Stops the class fetched first from standing for a portfolio until others are fetched."""
    names = {
        "000001": "华夏甲混合C",
        "000002": "华夏甲混合A",
        "000003": "华夏甲混合(后端)",
        "000004": "华夏甲混合A",  # as good by its name: the lower code
        "000005": "华夏甲混合B",
    }
    funds = pd.DataFrame(
        {
            "fund_code": c,
            "name": n,
            "fund_type": "",
            "kind": kind_of("", n),
            "family": portfolio_of(n),
        }
        for c, n in names.items()
    )
    assert funds["family"].nunique() == 1
    for first, second in permutations(names, 2):
        order = [first, second, *sorted(names.keys() - {first, second}, reverse=True)]
        # The class fetched first has a whole history, the second a wave's, others nothing.
        starts = [19990101, 20200101, None, None, None]
        rows = [(c, 0.1, 0.1, s, DATE) for c, s in zip(order, starts, strict=True)]
        assert set(standing_for(metrics_of(rows), funds)) == {"000002"}
    other = metrics_of([(c, 0.1, 0.1, None, DATE) for c in names if c != "000002"])
    assert set(standing_for(other, funds)) == {"000004"}


def test_a_silent_class_and_one_of_another_kind_stand_for_nobody_else():
    """Stops a class that publishes nothing any more from taking the portfolio with it."""
    rows = [
        ("000002", 0.1, 0.1, 20190101, 20260801),  # first by code, and silent
        ("000009", 0.1, 0.1, 20210101, DATE),
        ("000004", 0.1, 0.1, 20220101, DATE),
        ("000001", 0.1, 0.1, 20190101, DATE),  # of another kind
    ]
    kinds = [(row[0], "bond" if row[0] == "000001" else "mixed", "f") for row in rows]
    found = standing_for(metrics_of(rows), funds_of(kinds))
    assert found.to_dict() == {"000001": "000001", "000004": "000004", "000009": "000004"}
    other = metrics_of(rows).assign(window="1y")
    both = pd.concat([other, metrics_of(rows)])
    assert standing_for(both, funds_of(kinds)).equals(found)


def test_classes_in_yuan_come_first_then_letters():
    """Stops a dollar class or a back-end fee from standing for a portfolio of yuan."""
    names = [
        "甲混合",
        "甲混合A",
        "甲混合A(人民币)",
        "甲混合C",
        "甲混合A(美元现汇)",
        "甲混合(后端)",
    ]
    assert [class_order(name) for name in names] == ["0", "0A", "0A", "0C", "1A", "1"]


def two_types(small):
    """Twelve 偏股 and `small` 偏债 portfolios, and three dollar classes; later codes return more."""
    names = [(f"{n:06d}", "混合型-偏股", f"股{n}") for n in range(12)]
    names += [(f"{100 + n:06d}", "混合型-偏债", f"债{n}") for n in range(small)]
    names += [(f"{200 + n:06d}", "混合型-偏股", f"股{n}(QDII)美元") for n in range(3)]
    rows = [(code, at / 100, 0.1, 20200101, DATE) for at, (code, _, _) in enumerate(names)]
    funds = pd.DataFrame(names, columns=["fund_code", "fund_type", "name"])
    funds = funds.assign(kind="mixed", family=funds["name"].map(portfolio_of))
    return metrics_of(rows), funds


def test_a_type_of_ten_portfolios_is_ranked_by_itself():
    """Stops funds of bonds from being ranked with funds of shares."""
    found = peer_ranks(*two_types(10)).set_index("fund_code")
    assert found["peer_group"].value_counts().to_dict() == {
        "混合型-偏股": 12,
        "混合型-偏债": 10,
    }
    assert found.loc["000011", ["total_return_rank", "total_return_peers"]].tolist() == [1, 12]
    assert found.loc["000100", ["total_return_rank", "total_return_peers"]].tolist() == [10, 10]
    assert set(found["definition_version"]) == {2}


def test_the_few_of_a_small_type_are_placed_in_the_whole_pool():
    """Stops nine funds from having no place, and from moving the places of the others."""
    found = peer_ranks(*two_types(9)).set_index("fund_code")
    assert found.loc["000011", ["total_return_rank", "total_return_peers"]].tolist() == [1, 12]
    few = found[found["peer_group"] == "mixed"]
    assert len(few) == 9 and set(few["total_return_peers"]) == {21}
    assert few["total_return_rank"].tolist() == list(range(9, 0, -1))


def test_a_pool_apart_never_meets_the_rest_of_its_kind():
    """Stops a few bond index funds from being ranked among equity index funds."""
    rows = [(f"{n:06d}", n / 100, 0.1, 20200101, DATE) for n in range(21)]
    funds = pd.DataFrame({"fund_code": [row[0] for row in rows], "kind": "index",
                          "fund_type": ["指数型-股票"] * 12 + ["指数型-固收"] * 9})  # fmt: skip
    funds = funds.assign(name=funds["fund_code"], family=funds["fund_code"])
    found = peer_ranks(metrics_of(rows), funds)
    assert len(found) == 12 and set(found["peer_group"]) == {"指数型-股票"}
    # Two words for bond index funds: one pool, of ten
    more = pd.concat([funds, funds.tail(1).assign(fund_code="000021", family="z")])
    more.loc[more["fund_code"] >= "000019", "fund_type"] = "债券指数"
    rows.append(("000021", 0.21, 0.1, 20200101, DATE))
    found = peer_ranks(metrics_of(rows), more).set_index("fund_code")
    assert found.loc["000021", ["peer_group", "total_return_rank", "total_return_peers"]].tolist() == [
        "bond_index", 1, 10,
    ]  # fmt: skip


def test_classes_in_dollars_are_ranked_apart():
    """Stops a return that holds the exchange rate from standing among returns in yuan."""
    metrics, funds = two_types(0)
    assert not set(peer_ranks(metrics, funds)["fund_code"]) & {"000200", "000201", "000202"}
    yuan = funds[funds["fund_code"] < "000012"]
    dollars = yuan.assign(
        fund_code="9" + yuan["fund_code"].str[1:], name=yuan["name"] + "美元现汇"
    )
    assert (dollars["name"].map(portfolio_of) == yuan["family"]).all()
    both = pd.concat([yuan, dollars], ignore_index=True)
    rows = [(code, at / 100, 0.1, 20200101, DATE) for at, code in enumerate(both["fund_code"])]
    found = peer_ranks(metrics_of(rows), both).set_index("fund_code")
    assert found.loc["000011", ["peer_group", "total_return_rank"]].tolist() == [
        "混合型-偏股",
        1,
    ]
    assert found.loc["900000", ["peer_group", "total_return_rank", "total_return_peers"]].tolist() == [
        "混合型-偏股 USD", 12, 12,
    ]  # fmt: skip
