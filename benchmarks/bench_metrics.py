"""The metric kernels alone, on series in memory: 26,000 funds, 756 sessions, 7 windows.

Prints how long building, computing and one mere pass over the same memory take, and what
the calculator of the first plan takes for the same windows of some of the funds.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from first_plan_loop import FundMetricsCalculator

from fund_assets.calendar import exchange_sessions
from fund_assets.metrics import FundSeries, compute_metrics, kernel, windows
from fund_assets.schemas.tables import WINDOWS

FUNDS, SESSIONS, LAST, SAMPLE, AGAIN = 26_000, 756, 20261117, 100, 5


def median_s(action: Callable[[], object]) -> float:
    """Seconds, median of AGAIN after one run that is not counted."""
    action()
    seconds = []
    for _ in range(AGAIN):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main() -> None:
    """Measure and print."""
    dates = np.array([key for key in exchange_sessions() if key <= LAST][-SESSIONS:])
    walk = np.random.default_rng(7).normal(0.0002, 0.01, (SESSIONS, FUNDS)).cumsum(axis=0)
    values = np.exp(walk).ravel()
    codes = np.tile(np.arange(FUNDS, dtype=np.int32) * 37, SESSIONS)
    keys = np.repeat(dates.astype(np.int32), FUNDS)
    start = time.perf_counter()
    compute_metrics(FundSeries.from_rows(codes[:2], keys[:2], values[:2]), LAST)
    first_call = time.perf_counter() - start

    built = median_s(lambda: FundSeries.from_rows(codes, keys, values))
    series = FundSeries.from_rows(codes, keys, values)
    lasts = kernel.last_rows(series.offsets, series.days, series.days[-1])
    starts = windows.start_days(series.days[lasts], WINDOWS)
    results = kernel.new_results(FUNDS, len(WINDOWS))
    one_core = median_s(
        lambda: kernel.measure_windows(
            series.offsets[:-1], lasts, starts, series.days, series.values, 0.015, results
        )
    )
    whole = median_s(lambda: compute_metrics(series, LAST))
    memory = median_s(series.values.sum)

    calculator = FundMetricsCalculator()
    histories = [
        pd.DataFrame({"nav_date": dates, "unit_nav": values[fund::FUNDS]})
        for fund in range(SAMPLE)
    ]
    start = time.perf_counter()
    for frame in histories:
        calculator.calculate_all_metrics("000001", frame)
    plan_ms = (time.perf_counter() - start) / SAMPLE * 1e3

    ours_us = whole / FUNDS * 1e6
    for what, figure in (
        ("rows", f"{series.rows:,}"),
        ("first call in the process (compiled code cached or not)", f"{first_call:.2f} s"),
        ("build the series from unsorted rows", f"{built:.2f} s"),
        ("kernel, one core, seven windows", f"{one_core:.3f} s"),
        (
            "compute_metrics, all cores, with its table",
            f"{whole:.3f} s, {ours_us:.1f} us a fund",
        ),
        ("one sum over the same values in memory", f"{memory * 1e3:.1f} ms"),
        ("kernel, passes over memory for each window", f"{one_core / memory / 7:.0f}"),
        (
            "first plan's calculator",
            f"{plan_ms:.1f} ms a fund, {plan_ms / ours_us * 1e3:,.0f} times",
        ),
    ):
        print(f"| {what} | {figure} |")


if __name__ == "__main__":
    main()
