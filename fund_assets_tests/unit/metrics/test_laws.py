"""Laws that every measure keeps, on histories of any shape, and the whole second writing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fund_assets.calendar import exchange_sessions, from_key, to_key
from fund_assets.metrics import Benchmarks, compute_metrics
from fund_assets.schemas.tables import WINDOWS
from fund_assets_tests.unit.metrics import reference
from fund_assets_tests.unit.metrics.test_benchmarks import closes_of
from fund_assets_tests.unit.metrics.test_computation import END, assert_same, series_of

pytestmark = pytest.mark.slow

SESSIONS = [from_key(key) for key in exchange_sessions() if key <= END]
#: Steps of every size, many of them equal or nothing.
steps = st.lists(
    st.one_of(
        st.sampled_from([0.0, 0.01, -0.01]), st.floats(-0.4, 0.6), st.floats(-1e-6, 1e-6)
    ),
    min_size=1,
    max_size=90,
)


def history(returns, start=1.0):
    values = start * np.cumprod([1.0, *(1.0 + np.array(returns))])
    return list(zip(SESSIONS[-len(values) :], values.tolist(), strict=True))


def against(index, codes=("000001",)):
    return Benchmarks.from_frame(closes_of({"X": index}), dict.fromkeys(codes, ("X", 0)))


@settings(max_examples=60, deadline=None)
@given(own=steps, other=steps)
@example(own=[0.0] * 40, other=[0.01, -0.01] * 20)
@example(own=[0.01, -0.01, 0.01, -0.02] * 20, other=[0.0] * 80)
def test_every_measure_of_any_history_equals_the_second_writing(own, other):
    """Stops sums that go on from window to window from missing, doubling or cancelling one."""
    fund, index = history(own), history(other, 3000.0)
    windows = ["1w", "1m", "3m", "ytd", "inception"]
    found = compute_metrics(
        series_of({"000001": fund}), END, windows, 0.02, benchmarks=against(index)
    )
    expected = reference.compute(
        {"000001": fund}, from_key(END), windows, 0.02, {"000001": ("X", index, 0)}
    )
    # Where the returns of fund or index hardly vary, ratios of them are rounding noise.
    calm = min(np.std(own), np.std(other)) < 1e-4
    assert_same(found, expected, rtol=1e-6 if calm else 1e-9, atol=1e-9 if calm else 1e-12)


@settings(max_examples=40, deadline=None)
@given(own=steps, other=steps)
def test_a_window_has_the_same_last_digit_whatever_else_is_asked_for(own, other):
    """Stops a value from changing when a window is added to the table."""
    series, index = series_of({"000001": history(own)}), against(history(other))
    together = compute_metrics(series, END, WINDOWS, benchmarks=index).set_index("window")
    for window in WINDOWS:
        alone = compute_metrics(series, END, [window], benchmarks=index).set_index("window")
        pd.testing.assert_frame_equal(alone, together.loc[[window]], check_exact=True)


@settings(max_examples=40, deadline=None)
@given(own=steps, other=steps, scale=st.sampled_from([2.0**-20, 0.5, 1024.0]))
def test_no_measure_depends_on_the_level_of_the_index(own, other, scale):
    """Stops a measure of yuan in place of shares of one: powers of two scale exactly."""
    index = against(history(other))
    one, scaled = (
        compute_metrics(series_of({"000001": history(own, by)}), END, benchmarks=index)
        for by in (1.0, scale)
    )
    pd.testing.assert_frame_equal(one, scaled, check_exact=True)


@settings(max_examples=40, deadline=None)
@given(own=steps)
def test_drawdowns_only_deepen_and_returns_compound(own):
    """Stops a longer window with a smaller fall, and stretches that overlap or leave a gap."""
    series = series_of({"000001": history(own)})
    found = compute_metrics(series, END, ["1w", "1m", "3m", "inception"])
    there = found.dropna(subset=["total_return"])
    falls = there["max_drawdown"].to_numpy()
    assert (np.diff(falls) <= 0).all() and ((falls >= -1) & (falls <= 0)).all()
    assert (there["current_drawdown"] >= there["max_drawdown"]).all()
    assert (there["ulcer_index"] <= -there["max_drawdown"] + 1e-15).all()
    whole = found[found["window"] == "inception"].iloc[0]
    for row in there.to_dict("records"):
        before = compute_metrics(series, int(row["start_date"]), ["inception"]).iloc[0]
        first = 0.0 if before["observations"] == 0 else before["total_return"]
        joined = (1 + first) * (1 + row["total_return"]) - 1
        assert joined == pytest.approx(whole["total_return"], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("shape", ["calm end", "wild end", "one jump", "zeros", "constant"])
def test_twenty_five_years_lose_no_digits(shape):
    """Stops sums of powers from cancelling: the last ten returns, which they are counted
    from, stand as far from the rest as they can."""
    rng = np.random.default_rng(2)
    own = rng.normal(0.0003, 0.01, 6000)
    if shape == "calm end":
        own[-300:] = 0.0001
    elif shape == "wild end":
        own[:] = 0.0001
        own[-10:] = 0.05
    elif shape == "one jump":
        own *= 1e-3
        own[3000] = 0.5
    elif shape == "zeros":
        own[rng.random(6000) < 0.8] = 0.0
    elif shape == "constant":
        own[:] = 0.0
    fund = history(own)
    index = history(rng.normal(0.0002, 0.012, 6000))
    windows = ["1y", "5y", "inception"]
    found = compute_metrics(
        series_of({"000001": fund}), END, windows, 0.02, benchmarks=against(index)
    )
    expected = reference.compute(
        {"000001": fund}, from_key(END), windows, 0.02, {"000001": ("X", index, 0)}
    )
    assert_same(found, expected)
    assert to_key(fund[0][0]) == found["start_date"].iloc[-1] < 20030101
