"""Metrics against a benchmark and a dated rate, and all of them against empyrical."""

import doctest
from datetime import date, timedelta
from itertools import pairwise

import empyrical
import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import exchange_sessions, from_key, to_key
from fund_assets.metrics import (
    Benchmarks,
    FundSeries,
    RiskFreeRate,
    compute_metrics,
    of_series,
    single,
)
from fund_assets.metrics.benchmarks import AgainstError
from fund_assets_tests.unit.metrics import reference
from fund_assets_tests.unit.metrics.elsewhere import measures
from fund_assets_tests.unit.metrics.test_computation import assert_same, series_of, walk

END = 20261123
SESSIONS = [from_key(key) for key in exchange_sessions() if 20230101 <= key <= END]
WINDOWS = ["1m", "6m", "1y", "2y", "3y", "ytd", "inception"]


def closes_of(indices):
    rows = [(code, to_key(d), v) for code, closes in indices.items() for d, v in closes]
    return pd.DataFrame(rows, columns=["index_code", "nav_date", "close"])


@pytest.fixture(scope="module")
def market():
    """Funds with benchmarks of every shape: matching, late, short, flat, absent."""
    rng = np.random.default_rng(11)
    index = walk(rng, SESSIONS, start=3000.0)
    levels = dict(index)
    fridays = [day for day in SESSIONS if day.isoweekday() == 5]
    noise = np.exp(rng.normal(0, 0.003, len(SESSIONS)).cumsum())
    follower = [(d, levels[d] ** 0.8 * e) for d, e in zip(SESSIONS, noise, strict=True)]
    indices = {
        "000300": index,
        "SHORT": index[300:],
        "STALE": index[:-12],
        "FLAT": [(day, 100.0) for day in SESSIONS],
        "UP": [(day, 1.001**n) for n, day in enumerate(SESSIONS)],
        "NOTHING": [],
        # It varies, but by less than what counts: 5e-13 a day.
        "NEARLY": [(day, 100.0 * (1 + 5e-13 * (n % 2))) for n, day in enumerate(SESSIONS)],
    }
    funds = {
        "000001": follower,
        "000002": [(day, 2 * value) for day, value in index],  # the index itself
        "000003": [(day, v) for day, v in follower if day in set(fridays)],
        "000004": [(b, levels[a]) for a, b in pairwise(SESSIONS)],
        "000005": [(day, 1.0) for day in SESSIONS],
        **{f"00001{n}": follower for n in range(6)},
        "000020": [pair for at, pair in enumerate(follower) if at % 7],  # gaps
    }
    choice = dict.fromkeys(funds, ("000300", 0)) | {
        "000004": ("000300", 1),
        "000010": ("SHORT", 0),
        "000011": ("STALE", 0),
        "000012": ("FLAT", 0),
        "000013": ("UP", 0),
        "000014": ("NOTHING", 0),
        "000020": ("NEARLY", 0),
    }
    del choice["000015"]
    return funds, indices, choice


def compute(market, rate=0.02, windows=WINDOWS):
    funds, indices, choice = market
    return compute_metrics(
        series_of(funds),
        END,
        windows,
        rate,
        benchmarks=Benchmarks.from_frame(closes_of(indices), choice),
    )


def test_every_comparison_equals_the_slow_reference(market):
    """Stops a misaligned step, a wrong formula and a value where a close is missing."""
    funds, indices, choice = market
    expected = reference.compute(
        funds,
        from_key(END),
        WINDOWS,
        0.02,
        {code: (index, indices[index], late) for code, (index, late) in choice.items()},
    )
    found = compute(market)
    assert_same(found, expected)
    codes = expected["benchmark_code"].fillna("").tolist()
    assert found["benchmark_code"].fillna("").tolist() == codes
    said = " ".join(found["reason"])
    for words in ("SHORT has no close", "STALE has no close", "FLAT does not vary", "NEARLY does not vary",
                  "UP never fell", "NOTHING has no close", "none for this kind",
                  "returns equal those of 000300"):  # fmt: skip
        assert words in said


def test_a_fund_that_is_its_benchmark_has_beta_one_also_a_session_late(market):
    """Stops a beta near 0 of a fund that values its holdings a session later."""
    found = compute(market).set_index(["fund_code", "window"])
    for code in ("000002", "000004"):
        row = found.loc[(code, "1y")]
        assert row["beta"] == pytest.approx(1, abs=1e-12)
        assert row["alpha"] == pytest.approx(0, abs=1e-12)
        assert row["r_squared"] == pytest.approx(1, abs=1e-12)
        assert row["up_capture"] == pytest.approx(1, abs=1e-12)
    funds, indices, choice = market
    unshifted = compute((funds, indices, choice | {"000004": ("000300", 0)}))
    biased = unshifted.set_index(["fund_code", "window"]).loc[("000004", "1y"), "beta"]
    assert abs(biased) < 0.3


def test_a_fund_that_is_its_benchmark_in_other_units_has_no_tracking_error(market):
    """Stops what rounding leaves of nothing from being told as a tracking error."""
    funds, indices, choice = market
    same = [(day, close * 0.0007) for day, close in indices["000300"]]
    found = compute((funds | {"000009": same}, indices, choice | {"000009": ("000300", 0)}))
    row = found.set_index(["fund_code", "window"]).loc[("000009", "1y")]
    assert row["tracking_error"] == 0.0 and np.isnan(row["information_ratio"])


def test_dated_rates_are_averaged_over_the_days_of_a_window(market):
    """Stops today's rate from standing for years in which it was another."""
    rates = [(date(2024, 1, 1), 0.03), (date(2025, 6, 1), 0.02), (date(2026, 11, 1), 0.01)]
    dated = RiskFreeRate.from_rows([to_key(day) for day, _ in rates], [r for _, r in rates])
    funds, indices, choice = market
    funds = {code: funds[code] for code in ("000001", "000003", "000005")}
    choice = {code: choice[code] for code in funds}
    found = compute((funds, indices, choice), dated)
    expected = reference.compute(
        funds,
        from_key(END),
        WINDOWS,
        rates,
        {code: (index, indices[index], late) for code, (index, late) in choice.items()},
    )
    assert_same(found, expected)
    month = found[(found["window"] == "1m") & (found["fund_code"] == "000001")].iloc[0]
    # 23 October to 23 November: 8 days of October at 2 %, 23 of November at 1 %.
    assert month["risk_free_rate"] == pytest.approx((8 * 0.02 + 23 * 0.01) / 31, rel=1e-12)


@pytest.mark.parametrize("shape", ["daily", "gaps", "weekly", "25 years", "money"])
def test_equal_to_empyrical(shape):
    """Stops agreement of kernel and our own reference in the same misreading."""
    rng = np.random.default_rng(3)
    days = [from_key(key) for key in exchange_sessions() if key <= END]
    days = days[-6000:] if shape == "25 years" else days[-700:]
    if shape == "gaps":
        days = [day for at, day in enumerate(days) if at % 20]
    if shape == "weekly":
        days = [day for day in days if day.isoweekday() == 5]
    if shape == "money":
        days = [days[0] + timedelta(days=n) for n in range((days[-1] - days[0]).days + 1)]
    history = walk(rng, days, 1e-4 if shape == "money" else 0.012)
    levels = np.array([value for _, value in history])
    index = walk(rng, days, 0.01)
    closes = np.array([v * u**0.7 for (_, v), u in zip(index, levels, strict=True)])
    row = compute_metrics(
        FundSeries.from_rows(["000001"] * len(days), [to_key(d) for d in days], levels),
        to_key(days[-1]),
        ["inception"],
        0.02,
        benchmarks=Benchmarks.from_frame(
            closes_of({"X": list(zip(days, closes, strict=True))}), {"000001": ("X", 0)}
        ),
    ).iloc[0]
    n = {"weekly": 52, "money": 365}.get(shape, 250)
    expected = measures(levels, closes, (days[-1] - days[0]).days, n, 0.02)
    assert row["observations"] == len(levels) - 1
    for name, value in expected.items():
        # A mean of rounded returns is exact to 1e-16; what is divided by little, to less.
        assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-11), name


def test_ties_at_the_tail_and_few_returns():
    """Stops a tail that counts equal returns twice, and one cut too narrow to hold it."""
    for returns in ([-0.01] * 15 + [0.02] * 25, [0.001] * 38 + [-0.5] * 2, [-0.3, 0.1] * 10):
        levels = np.cumprod([1.0, *(1 + np.array(returns))])
        days = SESSIONS[-len(levels) :]
        row = compute_metrics(
            series_of({"000001": list(zip(days, levels.tolist(), strict=True))}),
            END,
            ["inception"],
        ).iloc[0]
        r = levels[1:] / levels[:-1] - 1
        assert row["var_95"] == pytest.approx(np.percentile(r, 5), rel=1e-12)
        cvar = empyrical.conditional_value_at_risk(r)
        assert row["cvar_95"] == pytest.approx(cvar, rel=1e-12)


def test_a_recovered_fall_by_hand():
    """Stops a recovery on the trough's day, and a length that counts sessions."""
    days = SESSIONS[-6:]
    values = [1.0, 1.2, 0.9, 1.2, 1.1, 1.15]
    row = compute_metrics(
        series_of({"000001": list(zip(days, values, strict=True))}), END, ["inception"]
    ).iloc[0]
    assert row["max_drawdown"] == pytest.approx(-0.25)
    assert row["max_drawdown_recovery"] == to_key(days[3])
    assert row["max_drawdown_days"] == (days[3] - days[1]).days
    assert row["current_drawdown"] == pytest.approx(1.15 / 1.2 - 1)
    assert "not recovered" not in row["reason"]


def test_unusable_rates_and_closes_are_refused_by_name():
    """Stops a rate in percent signs' place of nothing, and two closes on one day."""
    with pytest.raises(AgainstError, match="two risk-free rates hold from 20240101"):
        RiskFreeRate.from_rows([20240101, 20240101], [0.01, 0.02])
    with pytest.raises(AgainstError, match="at least one date"):
        RiskFreeRate.from_rows([], [])
    with pytest.raises(AgainstError, match=r"-1\.5 is not a fraction"):
        RiskFreeRate.from_rows([20240101], [-1.5])
    day = from_key(20240102)
    with pytest.raises(AgainstError, match=r"index X on 20240102: close 0\.0 is not positive"):
        Benchmarks.from_frame(closes_of({"X": [(day, 0.0)]}), {"000001": ("X", 0)})
    with pytest.raises(AgainstError, match=r"X on 20240102: close 2\.0 appears twice"):
        Benchmarks.from_frame(closes_of({"X": [(day, 1.0), (day, 2.0)]}), {"000001": ("X", 0)})


def test_one_pandas_series_is_measured_as_a_fund_is(market):
    """Stops the function for notebooks from giving other numbers, and its example from lying."""
    funds, indices, _ = market
    days, values = zip(*funds["000001"], strict=True)
    index_days, closes = zip(*indices["000300"], strict=True)
    series = pd.Series(values, pd.DatetimeIndex(days))
    series.iloc[7] = np.nan
    found = of_series(series, WINDOWS, 0.02, pd.Series(closes, pd.DatetimeIndex(index_days)))
    kept = [pair for at, pair in enumerate(funds["000001"]) if at != 7]
    expected = compute(({"000001": kept}, indices, {"000001": ("000300", 0)}))
    numbers = found.columns.drop("reason")
    pd.testing.assert_frame_equal(found[numbers], expected.set_index("window")[numbers])
    with pytest.raises(ValueError, match="no value"):
        of_series(pd.Series([np.nan], pd.DatetimeIndex(["2026-01-05"])))
    assert doctest.testmod(single).attempted and not doctest.testmod(single).failed
