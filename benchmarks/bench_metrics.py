"""The metric kernels alone, on series in memory: 25,000 funds, 756 sessions, 9 windows.

Prints how long building, computing and one mere pass over the same memory take, what ten
times the rows take, and what empyrical-reloaded and the calculator of the first plan take for
the same windows of some of the funds. Exits with 1 when a limit is not kept.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from first_plan_loop import FundMetricsCalculator

from fund_assets.calendar import exchange_sessions
from fund_assets.metrics import (
    Benchmarks,
    FundSeries,
    RiskFreeRate,
    compute_metrics,
    kernel,
    windows,
)
from fund_assets.schemas.tables import WINDOWS

FUNDS, SESSIONS, LAST, SAMPLE, AGAIN = 25_000, 756, 20261117, 50, 5
EMPYRICAL_SAMPLE = 20


def median_s(action: Callable[[], object]) -> float:
    """Seconds, median of AGAIN after one run that is not counted."""
    action()
    seconds = []
    for _ in range(AGAIN):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def market(funds: int) -> tuple[np.ndarray, ...]:
    """Random walks: codes, dates and values in rows date after date, and an index's closes."""
    dates = np.array([key for key in exchange_sessions() if key <= LAST][-SESSIONS:])
    rng = np.random.default_rng(7)
    walk = rng.normal(0.0002, 0.01, (SESSIONS, funds)).cumsum(axis=0)
    codes = np.tile(np.arange(funds, dtype=np.int32) * 37, SESSIONS)
    keys = np.repeat(dates.astype(np.int32), funds)
    closes = np.exp(rng.normal(0.0, 0.01, SESSIONS).cumsum())
    return codes, keys, np.exp(walk).ravel(), dates, closes


def kernel_s(series: FundSeries, benchmarks: Benchmarks, cores: int = 1) -> float:
    """Seconds of the kernel alone, all windows."""
    lasts = kernel.last_rows(series.offsets, series.days, series.days[-1])
    starts = windows.start_days(series.days[lasts], WINDOWS)
    results = kernel.new_results(len(series), len(WINDOWS))
    rate = RiskFreeRate.constant(0.015)
    chosen = benchmarks.chosen(series.codes)
    cuts = np.linspace(0, len(series), 4 * cores + 1).astype(int)

    def measure(part: slice) -> None:
        kernel.measure_windows(
            series.offsets[:-1][part], lasts[part], starts[part], series.days, series.values,
            (rate.days, rate.rates),
            (benchmarks.offsets, benchmarks.days, benchmarks.closes), chosen[part],
            results[part],
        )  # fmt: skip

    with ThreadPoolExecutor(cores) as pool:
        return median_s(lambda: list(pool.map(measure, map(slice, cuts[:-1], cuts[1:]))))


def empyrical_all(returns: np.ndarray, against: np.ndarray, starts: list[int]) -> None:
    """What empyrical-reloaded has of our measures, for every window."""
    free = 1.015 ** (1 / 250) - 1
    for start in starts:
        r, b = returns[start:], against[start:]
        empyrical.cum_returns_final(r)
        empyrical.annual_return(r)
        empyrical.annual_volatility(r)
        empyrical.downside_risk(r, free)
        empyrical.sharpe_ratio(r, free)
        empyrical.sortino_ratio(r, free)
        empyrical.calmar_ratio(r)
        empyrical.omega_ratio(r, required_return=0.015)
        empyrical.max_drawdown(r)
        empyrical.value_at_risk(r)
        empyrical.conditional_value_at_risk(r)
        stats.skew(r)
        stats.kurtosis(r)
        empyrical.alpha_beta(r, b, free)
        empyrical.excess_sharpe(r, b)
        empyrical.annual_volatility(r - b)
        empyrical.up_capture(r, b)
        empyrical.down_capture(r, b)


def main() -> None:
    """Measure and print."""
    codes, keys, values, dates, closes = market(FUNDS)
    frame = pd.DataFrame({"index_code": "000300", "nav_date": dates, "close": closes})

    def against(funds: FundSeries) -> Benchmarks:
        choice = {f"{code:06d}": ("000300", 0) for code in funds.codes}
        return Benchmarks.from_frame(frame, choice)

    start = time.perf_counter()
    compute_metrics(FundSeries.from_rows(codes[:2], keys[:2], values[:2]), LAST)
    first_call = time.perf_counter() - start

    built = median_s(lambda: FundSeries.from_rows(codes, keys, values))
    series = FundSeries.from_rows(codes, keys, values)
    benchmarks = against(series)
    one_core = kernel_s(series, benchmarks)
    all_cores = kernel_s(series, benchmarks, os.cpu_count() or 1)
    whole = median_s(lambda: compute_metrics(series, LAST, benchmarks=benchmarks))
    memory = median_s(series.values.sum)
    tenth = FundSeries.from_rows(*market(FUNDS // 10)[:3])
    growth = one_core / kernel_s(tenth, against(tenth))

    returns = values.reshape(SESSIONS, FUNDS)[:, :EMPYRICAL_SAMPLE]
    returns = returns[1:] / returns[:-1] - 1
    index_returns = closes[1:] / closes[:-1] - 1
    starts = [len(returns) - n for n in (22, 64, 125, 245, 490, 733, 212, len(returns))]
    start = time.perf_counter()
    for fund in range(EMPYRICAL_SAMPLE):
        empyrical_all(np.ascontiguousarray(returns[:, fund]), index_returns, starts)
    empyrical_ms = (time.perf_counter() - start) / EMPYRICAL_SAMPLE * 1e3

    calculator = FundMetricsCalculator()
    histories = [
        pd.DataFrame({"nav_date": dates, "unit_nav": values[fund::FUNDS]})
        for fund in range(SAMPLE)
    ]
    start = time.perf_counter()
    for history in histories:
        calculator.calculate_all_metrics("000001", history)
    plan_ms = (time.perf_counter() - start) / SAMPLE * 1e3

    ours_us = all_cores / FUNDS * 1e6
    passes = one_core / memory / len(WINDOWS)
    times = empyrical_ms / ours_us * 1e3, plan_ms / ours_us * 1e3
    for what, figure in (
        ("rows", f"{series.rows:,}"),
        ("first call in the process (compiled code cached or not)", f"{first_call:.2f} s"),
        ("build the series from unsorted rows", f"{built:.2f} s"),
        ("kernel, one core, nine windows", f"{one_core:.3f} s"),
        ("compute_metrics, all cores, with its table", f"{whole:.3f} s"),
        ("one sum over the same values in memory", f"{memory * 1e3:.1f} ms"),
        ("kernel, passes over memory for each window (limit 25)", f"{passes:.0f}"),
        ("kernel on ten times the rows (limit 11)", f"{growth:.1f} times as long"),
        ("kernel, all cores", f"{all_cores:.3f} s, {ours_us:.1f} us a fund"),
        ("empyrical-reloaded against it (limit 1,000)",
         f"{empyrical_ms:.1f} ms a fund, {times[0]:,.0f} times"),
        ("first plan's calculator, a few of the measures (limit 1,000)",
         f"{plan_ms:.1f} ms a fund, {times[1]:,.0f} times"),
    ):  # fmt: skip
        print(f"| {what} | {figure} |")
    sys.exit(0 if passes <= 25 and growth <= 11 and min(times) >= 1000 else 1)


if __name__ == "__main__":
    main()
