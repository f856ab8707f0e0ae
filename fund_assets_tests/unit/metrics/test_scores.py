"""Scores, 4433, MRAR and stars: groups worked out by hand, a slow second writing, no look-ahead."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import to_key
from fund_assets.metrics import FundSeries, RiskFreeRate, compute_metrics
from fund_assets.metrics.months import month_ends, month_returns, mrar
from fund_assets.metrics.peer_groups import Groups, ranked
from fund_assets.metrics.peers import peer_ranks, standing_for
from fund_assets.metrics.scores import (
    MONTHS,
    Inputs,
    score_funds,
    stability,
    stars,
)
from fund_assets.schemas.tables import FUND_SCORES
from fund_assets_tests.unit.metrics import scores_reference as slow

CALC = date(2026, 10, 30)  # a Friday; the 31st is no weekday, so October is whole
WEIGHTS = {"return": 30.0, "risk_adjusted": 30.0, "drawdown": 15.0, "consistency": 15.0}
RATE = RiskFreeRate.constant(0.015)


def weekdays(start, end):
    days = np.arange(np.datetime64(start), np.datetime64(end) + 1)
    return days[np.is_busday(days)].tolist()


def invented(seed=3):
    """26 portfolios of two kinds, of many ages: classes, gaps, weekly NAVs, one that is gone."""
    random = np.random.default_rng(seed)
    navs, funds = {}, []
    for at in range(26):
        code = f"{at:06d}"
        kind = "mixed" if at < 15 else "bond"
        age = (11.5, 6.2, 5.5, 4.0, 3.2, 2.5, 1.5, 0.8)[at % 8 if at not in (2, 3, 17) else 0]
        days = weekdays(CALC - timedelta(int(365 * age)), CALC - timedelta(int(at == 4) * 2))
        if at == 5:
            days = [day for day in days if day.weekday() == 4]
        if at == 6:  # a month and a half without NAV
            days = [day for day in days if not date(2026, 3, 10) < day < date(2026, 4, 25)]
        if at == 7:
            days = [day for day in days if day < date(2026, 9, 1)]
        steps = random.normal(0.0004, 0.01 if kind == "mixed" else 0.002, len(days))
        navs[code] = dict(zip(days, np.cumprod(1 + steps).tolist(), strict=True))
        funds.append((code, kind, f"family {at}"))
    younger = {day: v * 0.999 for day, v in navs["000002"].items() if day > date(2024, 1, 1)}
    navs["900002"] = younger
    funds.append(("900002", "mixed", "family 2"))
    frame = pd.DataFrame(funds, columns=["fund_code", "kind", "family"])
    return navs, frame.assign(name=frame["family"], fund_type="")


def series_of(navs):
    rows = [(c, to_key(d), v) for c, values in navs.items() for d, v in values.items()]
    codes, dates, values = zip(*rows, strict=True)
    return FundSeries.from_rows(np.array(codes), np.array(dates), np.array(values))


def inputs_of(navs, funds, calc=CALC):
    series, key = series_of(navs), to_key(calc)
    metrics = compute_metrics(series, key)
    return Inputs(
        calc_date=key,
        inception=metrics[metrics["window"] == "inception"],
        peers=peer_ranks(metrics, funds),
        months=month_returns(series, key, MONTHS),
        funds=funds,
        rate=RATE,
    )


def test_scores_equal_a_second_writing():
    """Stops a wrong window, weight, month, median, group or star: every figure, every fund."""
    navs, funds = invented()
    inputs = inputs_of(navs, funds)
    found = score_funds(inputs, WEIGHTS)
    FUND_SCORES.schema.validate(FUND_SCORES.conform(found.assign(scored_at=20261101020000)))
    places = {}
    for row in inputs.peers.to_dict("records"):
        for measure in ("total_return", "sharpe_ratio", "max_drawdown"):
            if pd.notna(row[f"{measure}_rank"]):
                places[row["fund_code"], row["window"], measure] = tuple(
                    row[f"{measure}_{name}"] for name in ("percentile", "rank", "peers")
                )
    rows = found.set_index("fund_code")
    assert "000007" not in rows.index, "it has published nothing for weeks"
    checked = 0
    for kind in ("mixed", "bond"):
        members = [c for c in rows.index[rows["kind"] == kind] if c != "900002"]
        expected = slow.group_scores(members, navs, places, CALC, WEIGHTS, 0.015)
        for code, row in expected.items():
            for name, value in row.items():
                ours = rows.loc[code, name]
                if value is None:
                    assert pd.isna(ours), (code, name, ours)
                else:
                    assert ours == pytest.approx(value, abs=1e-12), (code, name)
                    checked += 1
    assert checked > 250
    assert rows["stars"].notna().sum() >= 10
    assert (
        rows.loc["900002"].drop("standing_for").equals(rows.loc["000002"].drop("standing_for"))
    )
    assert rows.loc["900002", "standing_for"] == "000002"
    assert rows.loc[["000000", "000001", "000004", "000005"], "years"].tolist() == [3, 3, 3, 2]
    assert rows.loc["000006", "reason"] == "consistency: under 12 months"
    without = rows[rows["composite_score"].isna()]
    assert len(without) and (without["reason"] != "").all()
    assert (rows.loc[rows["composite_score"].notna(), "reason"] == "").all()


def test_size_tenure_and_fee_count_where_they_are_weighed():
    """Stops a part without a weight from changing scores, and a dear fund from gaining by it."""
    navs, funds = invented()
    inputs = inputs_of(navs, funds)
    plain = score_funds(inputs, WEIGHTS).set_index("fund_code")
    codes = funds["fund_code"].tolist()
    facts = pd.DataFrame({
        "fund_code": codes, "size": [1e8 * (n + 1) for n in range(len(codes))],
        "manager_tenure": 3.0, "full_fee": [0.001 * n for n in range(len(codes))],
    })  # fmt: skip
    known = replace(inputs, facts=facts)
    same = score_funds(known, WEIGHTS).set_index("fund_code")
    parts = ["size_score", "tenure_score", "fee_score"]
    pd.testing.assert_frame_equal(same.drop(columns=parts), plain.drop(columns=parts))
    assert plain[parts].isna().all().all()
    scored = same[same["composite_score"].notna()]
    assert (scored["tenure_score"] == 1).all()
    assert scored["size_score"].to_numpy() == pytest.approx(1 - scored["fee_score"].to_numpy())
    weighed = score_funds(known, WEIGHTS | {"size": 30.0, "fee": 0.0}).set_index("fund_code")
    total = sum(WEIGHTS.values())
    expected = (total * plain["composite_score"] + 3_000 * same["size_score"]) / (total + 30)
    both = weighed["composite_score"].notna()
    assert both.sum() > 10
    assert weighed["composite_score"][both].tolist() == pytest.approx(expected[both].tolist())
    assert weighed["weights"].iloc[0].endswith(" size=30")
    without = score_funds(inputs, WEIGHTS | {"size": 30.0})
    assert without["composite_score"].isna().all()
    assert without["reason"].str.contains("size: no rank").all()


def test_a_market_of_one_year_is_scored_by_that_year():
    """Stops a young market, in which nobody fills two years, from ending in an error."""
    navs, funds = invented()
    inputs = inputs_of(navs, funds)
    year = inputs.peers[inputs.peers["window"] == "1y"].set_index("fund_code")
    found = score_funds(replace(inputs, peers=year.reset_index()), WEIGHTS)
    found = found.set_index("fund_code")
    judged = found["years"].notna()
    assert judged.sum() == 15 and set(found.loc[judged, "years"]) == {1}
    assert found.loc[judged, "return_score"].tolist() == (
        year["total_return_percentile"].reindex(found.index[judged]).tolist()
    )


def test_nothing_after_the_date_is_in_a_score():
    """Stops look-ahead: what comes after the date, new funds and collapses, changes nothing."""
    navs, funds = invented()
    before = score_funds(inputs_of(navs, funds), WEIGHTS)
    later = {code: dict(values) for code, values in navs.items()}
    for at, code in enumerate(later):
        for day in weekdays(CALC + timedelta(1), CALC + timedelta(90)):
            later[code][day] = 0.01 if at % 2 else 100.0
    later["800000"] = dict.fromkeys(weekdays(CALC + timedelta(1), CALC + timedelta(90)), 1.0)
    more = pd.concat(
        [funds, pd.DataFrame([("800000", "mixed", "new", "new", "")], columns=funds.columns)]
    )
    after = score_funds(inputs_of(later, more), WEIGHTS)
    pd.testing.assert_frame_equal(before, after)


def test_a_fund_that_is_gone_later_stays_in_the_groups_of_its_time():
    """Stops survivorship: a liquidated fund was a peer while it lived."""
    navs, funds = invented()
    august = score_funds(inputs_of(navs, funds, date(2026, 8, 31)), WEIGHTS)
    assert "000007" in set(august["fund_code"])
    mixed = august[august["kind"] == "mixed"]
    assert mixed["composite_peers"].max() == (mixed["composite_score"].notna()
           & (mixed["fund_code"] == mixed["standing_for"])).sum()  # fmt: skip


def test_ranks_percentiles_and_stars_by_hand():
    """Stops wrong limits: of ten funds one has five stars, two four, three three, three two, one one."""
    values = pd.Series([9.0, 8, 7, 6, 5, 4, 3, 2, 1, 0, np.nan])
    group = pd.Series(["g"] * 11)
    rank, peers = ranked(values, group)
    assert rank.tolist()[:10] == list(range(1, 11)) and np.isnan(rank[10])
    assert peers.tolist()[:10] == [10] * 10
    assert Groups(group, group, group == "g").percentile(values).tolist()[:3] == pytest.approx(
        [1, 8 / 9, 7 / 9]
    )
    assert stars(rank, peers).tolist()[:10] == [5, 4, 4, 3, 3, 3, 2, 2, 2, 1]
    assert np.isnan(stars(rank, peers)[10])
    # 40 funds: 4 + 9 + 14 + 9 + 4.
    many = pd.Series(np.arange(40.0))
    counts = stars(*ranked(many, pd.Series(["g"] * 40))).value_counts()
    assert counts.to_dict() == {5.0: 4, 4.0: 9, 3.0: 14, 2.0: 9, 1.0: 4}
    nine, _ = ranked(values[:9], group[:9])
    assert nine.isna().all()


def test_mrar_by_hand():
    """Stops a wrong power or rate: constant months are their own sure return."""
    ends = np.arange(13, dtype=np.int32) * 30
    free = RiskFreeRate.constant(0.0)
    assert mrar(np.full((1, 12), 0.01), ends, free)[0] == pytest.approx(1.01**12 - 1)
    # Two months of +10 % and -10 % by turns: ((1.1^-2 + 0.9^-2) / 2)^-6 - 1.
    turns = np.tile([0.1, -0.1], 6)[None, :]
    expected = ((1.1**-2 + 0.9**-2) / 2) ** -6 - 1
    assert mrar(turns, ends, free)[0] == pytest.approx(expected)
    assert expected < 0.99**6 - 1, "risk costs more than the geometric mean"
    risky = mrar(np.full((1, 12), 0.01), ends, RiskFreeRate.constant(0.03))
    assert risky[0] == pytest.approx(1.01**12 / 1.03 - 1)
    assert np.isnan(mrar(np.full((1, 12), np.nan), ends, free)).all()


def test_whole_months():
    """Stops a month from counting before its last weekday, or a day too late."""

    def ends(key):
        return month_ends(key, 2).astype("datetime64[D]").astype(str).tolist()

    assert ends(20261030) == ["2026-08-31", "2026-09-30", "2026-10-31"]
    assert ends(20261029) == ["2026-07-31", "2026-08-31", "2026-09-30"]
    assert ends(20260101) == ["2025-10-31", "2025-11-30", "2025-12-31"]


def test_4433_needs_all_seven_windows():
    """Stops a fund of four years from passing, and one just outside the quarter."""
    codes = [f"{n:06d}" for n in range(12)]
    rows = [
        {
            "fund_code": code,
            "window": window,
            "total_return_rank": n + 1,
            "total_return_peers": 12,
        }
        for n, code in enumerate(codes)
        for window in ("1y", "2y", "3y", "5y", "ytd", "6m", "3m")
        if not (n == 1 and window == "5y")
    ]
    key = to_key(CALC)
    inception = pd.DataFrame({"fund_code": codes, "calc_date": key, "window": "inception",
                              "start_date": 20100104, "end_date": key})  # fmt: skip
    funds = pd.DataFrame(
        {"fund_code": codes, "kind": "mixed", "family": codes, "name": codes, "fund_type": ""}
    )
    series = series_of({code: {CALC: 1.0} for code in codes})
    inputs = Inputs(key, inception, pd.DataFrame(rows), month_returns(series, key, MONTHS),
                    funds, RATE)  # fmt: skip
    found = score_funds(inputs, WEIGHTS).set_index("fund_code")
    assert found["passes_4433"].tolist()[:4] == [1, pd.NA, 1, 0]
    assert found.loc["000003", ["top_1y", "top_6m"]].tolist() == [0, 1]
    assert found["stars"].isna().all() and (found["reason"] != "").all()


def test_stability_by_hand():
    """Stops classes counted twice, and a correlation of scores in place of their order."""
    codes = [f"{n:06d}" for n in range(10)]
    now = pd.DataFrame({"fund_code": [*codes, "9"], "standing_for": [*codes, "000001"],
                        "peer_group": "股票型", "composite_score": [*np.arange(10.0) ** 3, 500]})  # fmt: skip
    same = stability(now, now.assign(composite_score=range(11)))
    assert same[["peer_group", "funds"]].values.tolist() == [["股票型", 10]]
    assert same["correlation"][0] == pytest.approx(1.0)
    turned = stability(now, now.assign(composite_score=-now["composite_score"]))
    assert turned["correlation"][0] == pytest.approx(-1.0)
    assert np.isnan(stability(now.head(9), now)["correlation"][0])


def test_the_class_that_stands_for_a_portfolio():
    """Stops a class with a later code from standing, and a silent fund from being looked at."""
    navs, funds = invented()
    inception = inputs_of(navs, funds).inception
    found = standing_for(inception, funds)
    assert found["900002"] == found["000002"] == "000002"
    assert "000007" not in found.index


def test_scores_are_within_the_type():
    """Stops medians, stars and ranks of one type from being made with another's funds."""
    navs, funds = invented()
    mixed = (funds["kind"] == "mixed") & (funds["fund_code"] != "000007")
    typed = funds.assign(
        fund_type=["混合型-偏债" if of and int(code) % 4 else "" for of, code in
                   zip(mixed, funds["fund_code"], strict=True)]
    )  # fmt: skip
    found = score_funds(inputs_of(navs, typed), WEIGHTS).set_index("fund_code")
    inside = typed[typed["fund_type"] != ""]
    alone = score_funds(
        inputs_of({code: navs[code] for code in inside["fund_code"]}, inside), WEIGHTS
    ).set_index("fund_code")
    assert set(alone["peer_group"]) == {"混合型-偏债"} and alone["return_score"].notna().any()
    pd.testing.assert_frame_equal(found.loc[alone.index], alone)
    assert set(found.loc[~found.index.isin(alone.index), "peer_group"]) == {"mixed", "bond"}
