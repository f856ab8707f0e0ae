"""What past screens did next: hand-computed groups, verdicts on luck and on a planted effect."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fund_assets.calendar import days_to_keys, keys_to_days
from fund_assets.metrics import FundSeries
from fund_assets.metrics.screen import parse
from fund_assets.metrics.trials import holm, mean_against_zero, two_sided
from fund_assets.metrics.walk_forward import (
    SCREENS,
    WalkError,
    outcomes,
    quarter_ends,
    summed,
    walked,
)
from fund_assets.schemas.tables import FUND_METRICS, FUND_SCORES

START, NEXT, END = 20260630, 20260701, 20260930


def scores(count=20, **changes):
    """Portfolios ranked by their code: 000000 is the best."""
    codes = [f"{n:06d}" for n in range(count)]
    frame = pd.DataFrame({"fund_code": codes, "standing_for": codes, "calc_date": START,
                          "composite_score": np.linspace(100, 0, count),
                          "composite_rank": range(1, count + 1), "composite_peers": count})  # fmt: skip
    for name in FUND_SCORES.names:
        if name not in frame:
            frame[name] = np.nan
    return frame.assign(**changes)


def funds(count=20, fund_type="混合型-偏股"):
    codes = [f"{n:06d}" for n in range(count)]
    return pd.DataFrame({"fund_code": codes, "name": [f"基金{code}" for code in codes],
                         "fund_type": fund_type, "kind": "mixed"})  # fmt: skip


def series(returns, gone=(), unbought=()):
    """Index values on the date, the next day and the last; of funds that are gone, on 1 August.

    On the date itself the index is half of the next day's: nobody can buy at that any more.
    """
    rows = []
    for code, value in enumerate(returns):
        last = 20260801 if code in gone else END
        rows.append((code, START, 1.0))
        if code not in unbought:
            rows += [(code, NEXT, 2.0), (code, last, 2.0 * (1 + value))]
        if code not in gone:
            rows.append((code, 20261030, 99.0))
    codes, dates, values = (np.array(column) for column in zip(*rows, strict=True))
    return FundSeries.from_rows(codes, dates, values)


def found_in(scores_then, later, fund_list=None):
    known = funds(len(scores_then)) if fund_list is None else fund_list
    return {o.screen: o for o in outcomes(scores_then, known, later, END)}


def test_the_picks_of_a_perfect_and_of_a_useless_score():
    """Stops returns that nobody could get any more, those after the quarter, and a turned order."""
    good = found_in(scores(), series(np.linspace(0.2, 0, 20)))
    best = good["score"]
    assert (best.picks, best.portfolios, best.gone, best.unbought) == (4, 20, 0, 0)
    # Percentiles 19/19, 18/19, 17/19, 16/19.
    assert best.percentile == pytest.approx((19 + 18 + 17 + 16) / 4 / 19)
    assert best.upper_half == 1.0
    assert best.excess == pytest.approx(np.linspace(0.2, 0, 20)[:4].mean() - 0.1)
    assert good["score_last"].percentile == pytest.approx((3 + 2 + 1 + 0) / 4 / 19)
    assert good["score_last"].picks == 4
    flat = found_in(scores(), series(np.zeros(20)))
    assert flat["score"].percentile == pytest.approx(0.5), "equal returns share their places"


def test_a_fund_that_dies_meanwhile_keeps_its_last_value():
    """Stops leaving the dead out, which makes every screen look better."""
    returns = np.linspace(0.2, 0, 20)
    returns[0] = -0.5
    found = found_in(scores(), series(returns, gone={0}))["score"]
    assert found.gone == 1
    assert found.percentile == pytest.approx((0 + 19 + 18 + 17) / 4 / 19)


def test_a_fund_without_a_nav_after_the_date_cannot_be_bought():
    """Stops buying at a NAV that is past, and hiding that a pick could not be bought."""
    found = found_in(scores(), series(np.linspace(0.2, 0, 20), unbought={0}, gone={0}))["score"]
    assert (found.picks, found.portfolios, found.unbought) == (3, 19, 1)
    rest = np.linspace(0.2, 0, 20)[1:]
    assert found.excess == pytest.approx(rest[:3].mean() - rest.mean())


def test_each_pick_is_compared_within_its_type():
    """Stops a type that did well from making its picks look well chosen."""
    types = funds()
    types.loc[10:, "fund_type"] = "债券型-长债"
    types.loc[10:, "kind"] = "bond"
    returns = np.concatenate([np.linspace(0.3, 0.2, 10), np.linspace(0.01, 0, 10)])
    found = found_in(scores(), series(returns), types)["score"]
    assert found.excess == pytest.approx(returns[:4].mean() - returns[:10].mean())
    # Nine of a type are compared with the pool, in which they are among the ten others too.
    types.loc[9:, "fund_type"] = "混合型-偏债"
    types.loc[9:, "kind"] = "mixed"
    found = found_in(scores(), series(returns), types)["score"]
    assert found.excess == pytest.approx(returns[:4].mean() - returns.mean())


def test_flags_and_stars_pick_too():
    """Stops NULL flags from being picks."""
    flags = scores(passes_4433=[1, 0, np.nan, 1] + [0] * 16, stars=[5] + [np.nan] * 19)
    found = found_in(flags, series(np.linspace(0.2, 0, 20)))
    assert found["4433"].picks == 2
    assert found["4433"].percentile == pytest.approx((19 + 16) / 2 / 19)
    assert found["five_stars"].picks == 1
    assert "quarter_1y" not in found
    assert found_in(scores(composite_score=np.nan), series(np.zeros(20))) == {}


def test_a_screen_of_ones_own_competes_with_what_it_could_judge():
    """Stops a young fund without the figure from being a peer, and a class from counting twice."""
    metrics = FUND_METRICS.empty().reindex(range(42))
    codes = [f"{n:06d}" for n in range(21)]
    metrics = metrics.assign(fund_code=codes * 2, calc_date=START, window=["1y"] * 21 + ["3y"] * 21,
                             sharpe_ratio=np.tile(np.linspace(2, 0, 21), 2))  # fmt: skip
    metrics.loc[19, "sharpe_ratio"] = np.nan
    stands = pd.Series([*codes[:20], codes[0]], codes)
    returns = np.append(np.linspace(0.2, 0, 20), 9.0)
    screen = parse("window=1y sharpe_ratio>=1.8")
    (found,) = walked("own", screen, metrics, stands, funds(21), series(returns), END)
    assert (found.screen, found.picks, found.portfolios) == ("own", 3, 19)
    assert found.excess == pytest.approx(returns[:3].mean() - returns[:19].mean())
    none = parse("sharpe_ratio>9")
    assert walked("none", none, metrics, stands, funds(21), series(returns), END) == []
    for text, words in (
        ("size>2e9", "size: no values of past dates"),
        ("purchasable=yes", "purchasable: no values"),
        ("window=3y", "the screen has no condition"),
    ):
        with pytest.raises(WalkError, match=words):
            walked("own", parse(text), metrics, stands, funds(21), series(returns), END)


def test_quarters():
    """Stops a quarter that is not over."""
    assert quarter_ends(20251001, 20260930, 9) == [20251231, 20260331, 20260630, 20260930]
    assert quarter_ends(20200101, 20260929, 2) == [20260331, 20260630]


def test_a_kind_needs_ten_peers_and_a_fund_is_gone_after_its_days():
    """Stops a group too small to mean anything, and a late fund from being dead."""
    returns = np.linspace(0.2, 0, 10)
    assert {o.portfolios for o in found_in(scores(10), series(returns)).values()} == {10}
    assert found_in(scores(9), series(returns[:-1])) == {}
    for days, gone in ((15, 0), (16, 1)):
        last = int(days_to_keys(keys_to_days(np.array([END])) - days)[0])
        rows = [(n, day, value) for n in range(20) for day, value in (
            (NEXT, 1.0), (last if n == 0 else END, 1.5 - n / 100))]  # fmt: skip
        codes, dates, values = (np.array(column) for column in zip(*rows, strict=True))
        best = found_in(scores(), FundSeries.from_rows(codes, dates, values))["score"]
        assert best.gone == gone


def quarters(screen, numbers):
    """Rows of a screen with these numbers, one a quarter."""
    return [{"date": 20200331 + n, "until": 20200630 + n, "screen": screen, "picks": 20,
             "portfolios": 100, "percentile": 0.5, "upper_half": 0.5, "excess": number, "gone": 0,
             "unbought": 0} for n, number in enumerate(numbers)]  # fmt: skip


def test_the_verdict_comes_from_the_spread_between_quarters():
    """Stops a verdict from the number of picks, from too few quarters, or one for a direction."""
    steady = [0.01, 0.012, 0.008, 0.011, 0.009, 0.01, 0.013, 0.007]
    (row,) = summed(quarters("own", steady))
    expected = stats.ttest_1samp(steady, 0)
    assert row["chance"] == pytest.approx(expected.pvalue, rel=1e-6)
    interval = expected.confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert (row["verdict"], row["quarters"], row["positive"]) == ("better", 8, 8)
    (row,) = summed(quarters("own", [-number for number in steady]))
    assert (row["verdict"], row["positive"]) == ("worse", 0)
    (row,) = summed(quarters("own", steady[:7]))
    assert row["verdict"] == "too_few"
    (row,) = summed(quarters("own", [0.05, -0.04, 0.06, -0.05, 0.07, -0.01, 0.02, -0.03]))
    assert row["verdict"] == "chance"
    (one,) = summed(quarters("own", [0.01]))
    assert one["verdict"] == "too_few" and np.isnan(one["corrected"])
    assert summed([]) == []


def test_each_screen_that_was_tried_counts():
    """Stops the best of many tries from looking like a finding."""
    numbers = [0.01, 0.02, -0.004, 0.011, 0.001, 0.016, 0.013, 0.002]
    (alone,) = summed(quarters("own", numbers))
    (among,) = summed(quarters("own", numbers), tried=20)
    assert (alone["verdict"], among["verdict"]) == ("better", "chance")
    assert among["corrected"] == pytest.approx(20 * alone["chance"])
    chances = [0.04, 0.001, 0.03, float("nan"), 0.5]
    adjusted = holm(chances, 4)  # five are known: they count
    assert adjusted[:3] + adjusted[4:] == pytest.approx([0.12, 0.005, 0.12, 1.0])
    assert np.isnan(adjusted[3])


def test_students_t_is_that_of_scipy():
    """Stops a wrong term of the closed form, for even and odd degrees of freedom."""
    for degrees in range(1, 41):
        for t in (0.0, 0.3, 1.0, 2.5, 6.0):
            assert two_sided(t, degrees) == pytest.approx(2 * stats.t.sf(t, degrees), abs=1e-12)
    assert mean_against_zero([0.0, 0.0], 0.05)[0] == 1


class World:
    """Eight types of forty funds over some quarters; each screen picks a fifth of each type."""

    def __init__(self, seed, count=12):
        self.random = np.random.default_rng(seed)
        random, self.count = self.random, count
        style = random.normal(0, 0.05, (count, 1, 1))  # what the funds of a style share
        loading = random.normal(0, 1, (1, 8, 40))
        market = random.normal(0.02, 0.1, (count, 8, 1))
        self.returns = market + style * loading + random.normal(0, 0.03, (count, 8, 40))
        # Screens of each quarter: by the style and a little of their own, as real ones are.
        self.orders = [np.argsort(loading + random.normal(0, 0.5, (count, 8, 40)), axis=2)
                       for _ in SCREENS]  # fmt: skip

    def verdicts(self, returns):
        rows = []
        for screen, order in zip(SCREENS, self.orders, strict=True):
            picked = np.take_along_axis(returns, order[:, :, :8], axis=2)
            excess = (picked - returns.mean(axis=2, keepdims=True)).mean(axis=(1, 2))
            rows += quarters(screen, excess.tolist())
        return [row["verdict"] for row in summed(rows, len(SCREENS))]


def test_luck_gets_no_verdict_and_a_planted_effect_gets_one():
    """Stops verdicts on noise: 200 worlds whose next returns are shuffled within each type.

    The same worlds unshuffled have styles that are shared by the picks of a quarter and turn at
    random: a test that takes picks for witnesses speaks on nearly every one of them.
    """
    spoken = {"noise": 0, "styles": 0, "planted": 0}
    for seed in range(200):
        world = World(seed)
        shuffled = world.random.permuted(world.returns, axis=2)
        lifted, best = shuffled.copy(), world.orders[0][:, :, :8]
        np.put_along_axis(
            lifted, best, np.take_along_axis(shuffled, best, axis=2) + 0.02, axis=2
        )
        spoken["noise"] += sum(v in ("better", "worse") for v in world.verdicts(shuffled))
        spoken["styles"] += sum(v in ("better", "worse") for v in world.verdicts(world.returns))
        spoken["planted"] += world.verdicts(lifted)[0] == "better"
    tried = 200 * len(SCREENS)
    assert spoken["noise"] / tried <= 0.05, spoken
    assert spoken["styles"] / tried <= 0.05, spoken
    assert spoken["planted"] == 200, spoken


def test_the_shuffled_worlds_are_what_outcomes_gives():
    """Stops the worlds above from being another calculation than the page's."""
    world = World(1, count=2)
    flat = world.returns[1].ravel()
    codes = [f"{n:06d}" for n in range(320)]
    rank = np.empty((8, 40))
    np.put_along_axis(
        rank, world.orders[0][1], np.arange(1, 41)[None, :] + np.zeros((8, 1)), axis=1
    )
    types = ["混合型-偏股", "混合型-偏债", "混合型-灵活", "混合型-平衡", "混合型-绝对收益", "股票型",
             "债券型-长债", "债券型-中短债"]  # fmt: skip
    known = pd.DataFrame({"fund_code": codes, "name": [f"基金{c}" for c in codes],
                          "fund_type": np.repeat(types, 40),
                          "kind": np.repeat(["mixed"] * 5 + ["equity"] + ["bond"] * 2, 40)})  # fmt: skip
    then = scores(320, composite_rank=rank.ravel(), composite_peers=40)
    found = {o.screen: o for o in outcomes(then, known, series(flat), END)}["score"]
    picked = np.take_along_axis(world.returns[1], world.orders[0][1][:, :8], axis=1)
    excess = (picked - world.returns[1].mean(axis=1, keepdims=True)).mean()
    assert found.excess == pytest.approx(excess) and found.picks == 64
