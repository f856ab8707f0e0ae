"""Metrics against hand-computed numbers, a slow reference and laws that must hold."""

import math
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fund_assets.calendar import exchange_sessions, from_key, to_key
from fund_assets.metrics import DEFINITION_VERSION, FundSeries, compute_metrics
from fund_assets.metrics.computation import ABOUT_BENCHMARK
from fund_assets.metrics.kernel import RESULT
from fund_assets.schemas.tables import FUND_METRICS, WINDOWS
from fund_assets_tests.unit.metrics import reference

END = 20261123
ALL_WINDOWS = ["1w", "1m", "3m", "6m", "1y", "2y", "3y", "ytd", "inception"]
SESSIONS = [from_key(key) for key in exchange_sessions() if 20210101 <= key <= END]


BENCHMARK_VALUES = ["alpha", "beta", "r_squared", "correlation", "tracking_error",
                    "information_ratio", "up_capture", "down_capture"]  # fmt: skip


def series_of(histories):
    rows = [(code, to_key(d), v) for code, history in histories.items() for d, v in history]
    codes, dates, values = zip(*rows, strict=True) if rows else ((), (), ())
    return FundSeries.from_rows(codes, dates, values)


def walk(rng, days, sigma=0.01, start=1.0):
    steps = np.exp(rng.normal(0, sigma, len(days)))
    return list(zip(days, (start * steps.cumprod()).tolist(), strict=True))


@pytest.fixture(scope="module")
def market():
    """Some thirty funds of every shape that the definitions speak of."""
    rng = np.random.default_rng(5)
    every_day = [SESSIONS[0] + timedelta(days=n) for n in range(2152)]
    fridays = [day for day in SESSIONS if day.isoweekday() == 5]
    funds = {}
    for at in range(8):  # complete, and ending some days ago
        funds[f"{at:06d}"] = walk(rng, SESSIONS[: len(SESSIONS) - at * 7])
    for at in range(8, 16):  # a part of the days missing
        keep = rng.random(len(SESSIONS)) > (at - 7) * 0.03
        funds[f"{at:06d}"] = walk(rng, [d for d, k in zip(SESSIONS, keep, strict=True) if k])
    for at, age in enumerate((3, 11, 12, 40, 130, 245, 760), start=16):  # late starters
        funds[f"{at:06d}"] = walk(rng, SESSIONS[-age:], 0.02)
    funds["000030"] = walk(rng, fridays)
    funds["000031"] = walk(rng, fridays[-14:])
    funds["000032"] = walk(rng, every_day[-900:], 1e-5)
    funds["000033"] = walk(rng, [d for d in every_day[-300:] if rng.random() > 0.3])
    funds["000034"] = [(SESSIONS[-1], 1.25)]
    funds["000035"] = walk(rng, SESSIONS[-2:])
    funds["000036"] = [(day, 1.0) for day in SESSIONS[-500:]]
    funds["000037"] = [(day, 1.0001**n) for n, day in enumerate(SESSIONS[-800:])]
    crash = walk(rng, SESSIONS[-400:])
    funds["000038"] = [(d, v * (1e-9 if n > 300 else 1)) for n, (d, v) in enumerate(crash)]
    funds["000039"] = walk(rng, SESSIONS[:400])  # liquidated
    funds["000040"] = walk(rng, SESSIONS[:-300] + SESSIONS[-100:])  # a hole of a year
    funds["000041"] = [(day, round(v, 2)) for day, v in walk(rng, SESSIONS)]  # many ties
    funds["000042"] = walk(rng, fridays[-150:-60] + SESSIONS[-250:])  # weekly, then daily
    funds["000043"] = walk(rng, SESSIONS[-200::2])
    return funds


def assert_same(
    found: pd.DataFrame, expected: pd.DataFrame, rtol: float = 1e-9, atol: float = 1e-12
) -> None:
    assert list(found["fund_code"]) == list(expected["fund_code"])
    assert list(found["window"]) == list(expected["window"])
    assert list(found["reason"]) == list(expected["reason"])
    for name in expected.columns.drop(["fund_code", "window", "reason", "benchmark_code"]):
        ours, theirs = found[name], expected[name].astype(float)
        assert ours.isna().tolist() == theirs.isna().tolist(), name
        there = ~theirs.isna()
        np.testing.assert_allclose(
            ours[there].to_numpy(float),
            theirs[there].to_numpy(float),
            rtol=rtol,
            atol=atol,
            err_msg=name,
        )


def test_every_measure_equals_the_slow_reference(market):
    """Stops a formula, window edge or reason that differs from its definition."""
    found = compute_metrics(series_of(market), END, ALL_WINDOWS, 0.02)
    expected = reference.compute(market, from_key(END), ALL_WINDOWS, 0.02)
    assert_same(found, expected)
    # The shapes above reach every branch: nothing is left untested by accident.
    said = " ".join(found["reason"])
    for words in ("no NAV on", "days older", "only one", "under a year", "under 10 returns",
                  "no known frequency", "do not vary", "no fall", "not recovered",
                  "no whole month", "no return below"):  # fmt: skip
        assert words in said
    assert set(found["periods_per_year"].dropna()) == {52.0, 250.0, 365.0}


@pytest.mark.parametrize(
    "end",
    [20240229, *(pytest.param(end, marks=pytest.mark.slow) for end in (20251008, 20210104))],
)
def test_any_calculation_date_looks_at_nothing_after_it(market, end):
    """Stops look-ahead, and windows that end elsewhere than on the fund's last NAV."""
    found = compute_metrics(series_of(market), end, ALL_WINDOWS, 0.0)
    expected = reference.compute(market, from_key(end), ALL_WINDOWS, 0.0)
    assert_same(found, expected)
    assert (found["end_date"] <= end).all()
    assert (found["calc_date"] == end).all()


def test_threads_and_pieces_change_nothing(market, monkeypatch):
    """Stops funds that are lost or computed twice where the work is cut."""
    monkeypatch.setattr("fund_assets.metrics.computation.CORES", 1)
    whole = compute_metrics(series_of(market), END)
    monkeypatch.setattr("fund_assets.metrics.computation.CORES", 3)
    monkeypatch.setattr("fund_assets.metrics.computation.PIECE_ROWS", 700)
    pd.testing.assert_frame_equal(compute_metrics(series_of(market), END), whole)


def test_result_is_the_declared_table(market):
    """Stops a frame that the table's own schema would refuse, and unexplained nulls."""
    found = compute_metrics(series_of(market), END)
    FUND_METRICS.schema.validate(found)
    assert found["start_date"].dtype == found["max_drawdown_peak"].dtype == "Int32"
    assert (found["definition_version"] == DEFINITION_VERSION).all()
    values = found.drop(columns=["coverage", "benchmark_code", *ABOUT_BENCHMARK])
    values = values.drop(columns=BENCHMARK_VALUES)
    no_benchmark = "benchmark: none for this kind of fund"
    said = found["reason"].str.replace(f"(; )?{no_benchmark}", "", regex=True)
    complete = values.notna().all(axis=1)
    assert ((said == "") == complete).all()
    assert found[BENCHMARK_VALUES].isna().all(axis=None)
    assert len(found) == len(market) * len(WINDOWS)


def test_no_funds_and_no_rows_give_an_empty_table():
    """Stops a crash on the first evening of an empty warehouse."""
    for histories in ({}, {"000001": [(date(2026, 11, 24), 1.0)]}):
        found = compute_metrics(series_of(histories), END)
        assert len(found) == 0
        assert found.dtypes.to_dict() == FUND_METRICS.empty().dtypes.to_dict()


def test_numbers_computed_by_hand():
    """Stops agreement of kernel and reference in the same mistake.

    1.00 1.10 0.99 1.21 1.331 ...: by hand +10 %, -10 %, +22.2 %, +10 %.
    """
    days = SESSIONS[-12:]
    values = [1.0, 1.1, 0.99, 1.21, 1.331] + [1.331] * 7
    row = compute_metrics(
        series_of({"000001": list(zip(days, values, strict=True))}), END, ["inception"], 0.0
    ).iloc[0]
    assert row["total_return"] == pytest.approx(0.331, rel=1e-14)
    assert row["max_drawdown"] == pytest.approx(-0.1, rel=1e-14)
    assert (row["max_drawdown_peak"], row["max_drawdown_trough"]) == (
        to_key(days[1]),
        to_key(days[2]),
    )
    # Σr = .1 - .1 + 2/9 + .1 = .3222..., Σr² = .03 + 4/81, n = 11
    total, squares = 0.1 + 2 / 9, 0.03 + 4 / 81
    deviation = math.sqrt((squares - total**2 / 11) / 10)
    assert row["observations"] == 11
    assert row["annualized_volatility"] == pytest.approx(deviation * 250**0.5, rel=1e-12)
    assert row["sharpe_ratio"] == pytest.approx(total / 11 / deviation * 250**0.5, rel=1e-12)


def test_risk_free_rate_is_compounded_to_a_period():
    """Stops rf / n in place of (1 + rf)^(1 / n) - 1, and a rate in percent."""
    days = SESSIONS[-300:]
    grown = [(day, 1.1 ** (n / 250) * (1.001 if n % 2 else 1)) for n, day in enumerate(days)]
    zero, ten = (
        compute_metrics(series_of({"000001": grown}), END, ["inception"], rf).iloc[0]
        for rf in (0.0, 0.10)
    )
    per_period = ten["annualized_volatility"] / 250**0.5
    expected = (1.1 ** (1 / 250) - 1) / per_period * 250**0.5
    assert zero["sharpe_ratio"] - ten["sharpe_ratio"] == pytest.approx(expected, rel=1e-9)
    assert ten["risk_free_rate"] == 0.10


def test_annualised_only_from_a_year_on():
    """Stops 364 days passing for a year, and sessions in place of calendar days."""
    for span, expected in ((364, None), (365, 0.5), (730, 1.5**0.5 - 1)):
        first = date(2026, 11, 23) - timedelta(days=span)
        row = compute_metrics(
            series_of({"000001": [(first, 2.0), (date(2026, 11, 23), 3.0)]}),
            END,
            ["inception"],
        ).iloc[0]
        assert row["total_return"] == 0.5
        if expected is None:
            assert math.isnan(row["annualized_return"])
        else:
            assert row["annualized_return"] == pytest.approx(expected, rel=1e-14)


def test_start_nav_may_be_fifteen_days_old_and_no_more():
    """Stops a window that starts long before its day, and one refused over a holiday."""
    for age, there in ((15, True), (16, False)):
        target = date(2026, 10, 23)
        row = compute_metrics(
            series_of({"000001": [(target - timedelta(days=age), 1.0), (from_key(END), 1.2)]}),
            END,
            ["1m"],
        ).iloc[0]
        assert (not math.isnan(row["total_return"])) == there
        assert ("over 15 days older" in row["reason"]) != there
        assert (row["start_date"] is pd.NA) != there


def test_a_value_no_different_in_any_row_has_no_sharpe_ratio():
    """Stops a Sharpe ratio of 10^13 from dividing by rounding noise."""
    days = SESSIONS[-100:]
    for base in (1.0, 1.0001):
        history = [(day, base**n) for n, day in enumerate(days)]
        row = compute_metrics(series_of({"000001": history}), END, ["3m"]).iloc[0]
        assert row["annualized_volatility"] == pytest.approx(0, abs=1e-12)
        assert math.isnan(row["sharpe_ratio"])
        assert row["max_drawdown"] == 0
        assert row["max_drawdown_peak"] is pd.NA


walks = st.lists(st.floats(-0.3, 0.3), min_size=12, max_size=300)


@pytest.mark.parametrize("examples", [15, pytest.param(60, marks=pytest.mark.slow)])
def test_the_base_of_the_index_does_not_matter(examples):
    """Stops any measure that depends on the level of the index."""

    @settings(max_examples=examples, deadline=None)
    @given(returns=walks, scale=st.sampled_from([1e-6, 0.37, 2.0, 1e5]))
    def holds(returns, scale):
        values = np.cumprod([1.0, *(1 + r for r in returns)])
        days = SESSIONS[-len(values) :]
        one, other = (
            compute_metrics(
                series_of({"000001": list(zip(days, (values * k).tolist(), strict=True))}), END
            )
            for k in (1.0, scale)
        )
        numbers = ["total_return", "annualized_return", "annualized_volatility", "max_drawdown"]
        np.testing.assert_allclose(one[numbers], other[numbers], rtol=1e-9, atol=1e-12)

    holds()


@pytest.mark.parametrize("examples", [15, pytest.param(60, marks=pytest.mark.slow)])
def test_windows_compound_and_falls_only_deepen(examples):
    """Stops windows that overlap or leave a gap: (1+R) multiplies over joined stretches."""

    @settings(max_examples=examples, deadline=None)
    @given(returns=walks)
    def holds(returns):
        values = np.cumprod([1.0, *(1 + r for r in returns)])
        days = SESSIONS[-len(values) :]
        series = series_of({"000001": list(zip(days, values.tolist(), strict=True))})
        whole = compute_metrics(series, END, ["inception", "1w"]).set_index("window")
        before = compute_metrics(
            series, int(whole.loc["1w", "start_date"]), ["inception"]
        ).iloc[0]
        joined = (1 + before["total_return"]) * (1 + whole.loc["1w", "total_return"]) - 1
        if before["observations"]:
            assert whole.loc["inception", "total_return"] == pytest.approx(
                joined, rel=1e-9, abs=1e-12
            )
            assert whole.loc["inception", "max_drawdown"] <= before["max_drawdown"]
        assert (
            -1 <= whole.loc["inception", "max_drawdown"] <= whole.loc["1w", "max_drawdown"] <= 0
        )

    holds()


def test_a_step_over_a_gap_is_no_days_return():
    """Stops a hole of two weeks from being the worst day, and from making the fund volatile."""
    rng = np.random.default_rng(8)
    whole = walk(rng, SESSIONS[-400:])
    at = 150
    fallen = [
        (day, value * (0.7 if n >= at + 10 else 1.0)) for n, (day, value) in enumerate(whole)
    ]
    history = fallen[:at] + fallen[at + 10 :]
    row = compute_metrics(series_of({"000001": history}), END, ["inception"], 0.02).iloc[0]
    values = np.array([value for _, value in history])
    returns = np.delete(values[1:] / values[:-1] - 1, at - 1)
    assert (row["gap_steps"], row["observations"]) == (1, len(history) - 2)
    assert row["total_return"] == pytest.approx(values[-1] / values[0] - 1, rel=1e-12)
    assert row["max_drawdown"] < -0.29
    assert (
        row["worst_day"] == pytest.approx(returns.min(), rel=1e-12) and row["worst_day"] > -0.1
    )
    assert row["best_day"] == pytest.approx(returns.max(), rel=1e-12)
    volatility = returns.std(ddof=1) * 250**0.5
    assert row["annualized_volatility"] == pytest.approx(volatility, rel=1e-9)
    assert row["var_95"] == pytest.approx(np.quantile(returns, 0.05), rel=1e-9)
    assert row["skewness"] == pytest.approx(float(pd.Series(returns).skew()), abs=0.02)


def test_what_is_a_gap_follows_the_rhythm_of_the_fund():
    """Stops holidays from being gaps, weekly NAVs, and sessions on which the other market rests;
    and a missed week, or a missing weekend's income, from being none."""
    rng = np.random.default_rng(9)
    days = SESSIONS[-500:]
    fridays = [day for day in days if day.isoweekday() == 5]
    every = [days[0] + timedelta(days=n) for n in range((days[-1] - days[0]).days + 1)]
    rests = [day for at, day in enumerate(days) if at % 30 != 3]
    odd = {3 * 30 + 3, 3 * 30 + 4, 3 * 30 + 5, 3 * 30 + 6}
    weekend = next(n for n, day in enumerate(every) if n > 100 and day.isoweekday() == 6)
    shapes = {
        "daily over all holidays": (days, 0),
        "one session missing": (days[:99] + days[100:], 1),
        "three of 500 missing": ([d for n, d in enumerate(days) if n not in (99, 199, 299)], 3),
        "two of 60 missing": ([d for n, d in enumerate(days[-60:]) if n not in (19, 39)], 2),
        "rests on other holidays": (rests, 0),
        "three rests of 100": ([d for n, d in enumerate(days[-100:]) if n % 30 != 15], 0),
        "two rests of 70": ([d for n, d in enumerate(days[-70:]) if n % 30 != 15], 2),
        "rests, and four sessions missing": (
            [d for n, d in enumerate(rests) if n not in odd],
            1,
        ),
        "weekly": (fridays, 0),
        "weekly, two weeks missing": (fridays[:40] + fridays[42:], 1),
        "weekly, then daily": (fridays[:20] + [day for day in days if day > fridays[19]], 0),
        "every calendar day": (every, 0),
        "every day, a weekend missing": (every[:weekend] + every[weekend + 2 :], 1),
        "twice a year": (days[::120], 0),
    }
    codes = {f"{n:06d}": name for n, name in enumerate(shapes)}
    histories = {code: walk(rng, shapes[name][0], 1e-3) for code, name in codes.items()}
    found = compute_metrics(series_of(histories), END, ["inception"])
    gaps = {codes[row["fund_code"]]: row["gap_steps"] for _, row in found.iterrows()}
    assert gaps == {name: expected for name, (_, expected) in shapes.items()}


def test_a_window_of_one_step_over_a_gap_has_no_best_day():
    """Stops infinities where no return is left to be the best."""
    days = SESSIONS[-60:-14] + SESSIONS[-2:-1]
    history = [(day, 1.0 + n) for n, day in enumerate(days)]
    row = compute_metrics(series_of({"000001": history}), END, ["1w"]).iloc[0]
    if row["total_return"] == row["total_return"]:
        assert (row["observations"], row["gap_steps"]) == (0, 1)
        assert math.isnan(row["best_day"]) and math.isnan(row["worst_day"])
        assert "every step goes over a gap" in row["reason"]


def test_no_inception_without_a_whole_history(market):
    """Stops a series that begins at the first wave from being measured since inception."""
    series = series_of(market)
    every = compute_metrics(series, END)
    found = compute_metrics(series, END, whole=["000001", "000002"])
    unknown = (found["window"] == "inception") & ~found["fund_code"].isin(["000001", "000002"])
    pd.testing.assert_frame_equal(found[~unknown], every[~unknown])
    assert set(found.loc[unknown, "reason"]) == {
        "inception: the fund's whole history is not stored yet"
    }
    values = [name for name in RESULT.names if name in found and found[name].isna().any()]
    empty = found.loc[unknown, values].drop(columns=["risk_free_rate"], errors="ignore")
    assert empty.isna().all(axis=None) and (found.loc[unknown, "observations"] == 0).all()
