"""What past screens did next: hand-computed groups, chance by drawing, dead funds."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import days_to_keys, keys_to_days
from fund_assets.metrics import FundSeries
from fund_assets.metrics.walk_forward import outcomes, quarter_ends, summed
from fund_assets.schemas.tables import FUND_SCORES

START, END = 20260630, 20260930


def scores(count=20, **changes):
    """Portfolios ranked by their code: 000000 is the best."""
    codes = [f"{n:06d}" for n in range(count)]
    frame = pd.DataFrame({"fund_code": codes, "standing_for": codes, "calc_date": START,
                          "peer_group": "mixed", "composite_score": np.linspace(100, 0, count),
                          "composite_rank": range(1, count + 1), "composite_peers": count})  # fmt: skip
    for name in FUND_SCORES.names:
        if name not in frame:
            frame[name] = np.nan
    return frame.assign(**changes)


def series(returns, gone=()):
    """Index values on the first date and the last; of funds that are gone, on 1 August."""
    rows = []
    for code, value in enumerate(returns):
        last = 20260801 if code in gone else END
        rows += [(code, START, 2.0), (code, last, 2.0 * (1 + value)), (code, 20261030, 99.0)]
    rows = [row for row in rows if not (row[0] in gone and row[1] == 20261030)]
    codes, dates, values = (np.array(column) for column in zip(*rows, strict=True))
    return FundSeries.from_rows(codes, dates, values)


def test_the_picks_of_a_perfect_and_of_a_useless_score():
    """Stops returns from before the date or after the quarter, and a turned order."""
    good = {o.screen: o for o in outcomes(scores(), series(np.linspace(0.2, 0, 20)), END)}
    best = good["score"]
    assert (best.picks, best.portfolios, best.gone) == (4, 20, 0)
    # Percentiles 19/19, 18/19, 17/19, 16/19.
    assert best.percentile == pytest.approx((19 + 18 + 17 + 16) / 4 / 19)
    assert best.upper_half == 1.0
    assert best.excess == pytest.approx(np.linspace(0.2, 0, 20)[:4].mean() - 0.1)
    assert good["score_last"].percentile == pytest.approx((3 + 2 + 1 + 0) / 4 / 19)
    assert good["score_last"].picks == 4
    flat = {o.screen: o for o in outcomes(scores(), series(np.zeros(20)), END)}
    assert flat["score"].percentile == pytest.approx(0.5), "equal returns share their places"


def test_the_band_is_where_random_draws_lie():
    """Stops a wrong variance: 2,000 draws of four of twenty, without putting back."""
    (found,) = [o for o in outcomes(scores(), series(np.linspace(0.2, 0, 20)), END)
                if o.screen == "score"]  # fmt: skip
    random = np.random.default_rng(1)
    places = np.arange(20) / 19
    draws = [random.choice(places, 4, replace=False).mean() for _ in range(2_000)]
    inside = np.mean([found.low <= draw <= found.high for draw in draws])
    assert 0.93 < inside < 0.97
    assert (found.low + found.high) / 2 == pytest.approx(0.5)


def test_a_fund_that_dies_meanwhile_keeps_its_last_value():
    """Stops survivorship: leaving the dead out would make every screen look better."""
    returns = np.linspace(0.2, 0, 20)
    returns[0] = -0.5
    found = {o.screen: o for o in outcomes(scores(), series(returns, gone={0}), END)}["score"]
    assert found.gone == 1
    assert found.percentile == pytest.approx((0 + 19 + 18 + 17) / 4 / 19)


def test_flags_and_stars_pick_too():
    """Stops NULL flags from being picks."""
    flags = scores(passes_4433=[1, 0, np.nan, 1] + [0] * 16, stars=[5] + [np.nan] * 19)
    found = {o.screen: o for o in outcomes(flags, series(np.linspace(0.2, 0, 20)), END)}
    assert found["4433"].picks == 2
    assert found["4433"].percentile == pytest.approx((19 + 16) / 2 / 19)
    assert found["five_stars"].picks == 1
    assert "quarter_1y" not in found
    assert outcomes(scores(composite_score=np.nan), series(np.zeros(20)), END) == []


def test_quarters_and_their_sum():
    """Stops a quarter that is not over, and standard errors that do not shrink."""
    assert quarter_ends(20251001, 20260930, 9) == [20251231, 20260331, 20260630, 20260930]
    assert quarter_ends(20200101, 20260929, 2) == [20260331, 20260630]
    rows = [{**o.as_row()} for o in outcomes(scores(), series(np.linspace(0.2, 0, 20)), END)]
    once = {row["screen"]: row for row in summed(rows)}["score"]
    four = {row["screen"]: row for row in summed(rows * 4)}["score"]
    assert (four["quarters"], four["picks"], four["better"]) == (4, 16, 4)
    assert four["high"] - 0.5 == pytest.approx((once["high"] - 0.5) / 2)
    assert four["low"] == pytest.approx(1 - four["high"]) and once["low"] < 0.5 < once["high"]
    assert summed([]) == []
    assert int(keys_to_days(np.array([END]))[0]) > 0


def test_a_kind_needs_ten_peers_and_a_fund_is_gone_after_its_days():
    """Stops a group too small to mean anything, and a late fund from being dead."""
    returns = np.linspace(0.2, 0, 10)
    found = outcomes(scores(10), series(returns), END)
    assert {o.portfolios for o in found} == {10}
    assert outcomes(scores(9), series(returns[:-1]), END) == []
    for days, gone in ((15, 0), (16, 1)):
        last = int(days_to_keys(keys_to_days(np.array([END])) - days)[0])
        rows = [(n, day, value) for n in range(20) for day, value in (
            (START, 1.0), (last if n == 0 else END, 1.5 - n / 100))]  # fmt: skip
        codes, dates, values = (np.array(column) for column in zip(*rows, strict=True))
        best = {o.screen: o for o in outcomes(
            scores(), FundSeries.from_rows(codes, dates, values), END)}["score"]  # fmt: skip
        assert best.gone == gone
