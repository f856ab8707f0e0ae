"""The metric kernels alone, on series in memory: 25,000 funds, 756 sessions, 9 windows.

Prints how long building, computing and one mere pass over the same memory take, what ten
times the rows take, and what empyrical-reloaded and the calculator of the first plan take for
the same windows of some of the funds. Exits with 1 when a limit is not kept.

All of it runs in one process, part after part and round after round; the least of each
counts. Seconds are this process's processor time, which other work on the machine hardly
changes; only the kernel on all cores is measured by the clock, and stands apart.

Who computes what, for each of the eight windows that 756 sessions fill (of the ninth, 5y,
the kernel finds that there is none):

- The kernel: all measures of `fund_metrics`, dates of the drawdown, how often the fund
  publishes, the benchmark's closes for its dates and the reasons.
- empyrical-reloaded: the 21 measures that it has (scipy's skewness and kurtosis among them),
  called on arrays that were cut and aligned before the clock starts, which is its fastest.
- empyrical-reloaded and numpy: besides, what it lacks and `fund_metrics` has: best and worst
  day, ulcer index, current drawdown, dates of the drawdown, month win rate.
- The first plan's calculator: all measures, in pandas.
"""

import os
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

from fund_assets.calendar import TradingCalendar, exchange_sessions
from fund_assets.metrics import (
    Benchmarks,
    FundSeries,
    RiskFreeRate,
    compute_metrics,
    kernel,
    windows,
)
from fund_assets.metrics.series import LAST_DATE
from fund_assets.schemas.tables import WINDOWS

FUNDS, SESSIONS, LAST, ROUNDS = 25_000, 756, 20261117, 7
EMPYRICAL_SAMPLE, PLAN_SAMPLE = 20, 5
FREE = 1.015 ** (1 / 250) - 1


def least_s(
    action: Callable[[], object], clock: Callable[[], float] = time.process_time
) -> float:
    """Seconds of one call, the least of ROUNDS after one that is not counted."""
    action()
    seconds = []
    for _ in range(ROUNDS):
        start = clock()
        action()
        seconds.append(clock() - start)
    return min(seconds)


def market(funds: int) -> tuple[np.ndarray, ...]:
    """Random walks: codes, dates and values in rows date after date, and an index's closes."""
    dates = np.array([key for key in exchange_sessions() if key <= LAST][-SESSIONS:])
    rng = np.random.default_rng(7)
    walk = rng.normal(0.0002, 0.01, (SESSIONS, funds)).cumsum(axis=0)
    codes = np.tile(np.arange(funds, dtype=np.int32) * 37, SESSIONS)
    keys = np.repeat(dates.astype(np.int32), funds)
    closes = np.exp(rng.normal(0.0, 0.01, SESSIONS).cumsum())
    return codes, keys, np.exp(walk).ravel(), dates, closes


def kernel_run(series: FundSeries, benchmarks: Benchmarks, cores: int) -> Callable[[], object]:
    """The kernel alone, all windows, on so many cores."""
    lasts = kernel.last_rows(series.offsets, series.days, series.days[-1])
    starts = windows.start_days(series.days[lasts], WINDOWS)
    results = kernel.new_results(len(series), len(WINDOWS))
    sessions = TradingCalendar.build().sessions_by_day(LAST_DATE)
    firsts = series.offsets[:-1]
    fridays = kernel.last_fridays(firsts, lasts, series.days, sessions)
    week_starts = windows.start_days(fridays, WINDOWS)
    rate = RiskFreeRate.constant(0.015)
    chosen = benchmarks.chosen(series.codes)
    cuts = np.linspace(0, len(series), 4 * cores + 1).astype(int)

    def measure(part: slice) -> None:
        kernel.measure_windows(
            firsts[part], lasts[part], starts[part], fridays[part], week_starts[part],
            series.days, series.values, sessions, (rate.days, rate.rates),
            (benchmarks.offsets, benchmarks.days, benchmarks.closes), chosen[part],
            results[part],
        )  # fmt: skip

    def run() -> None:
        with ThreadPoolExecutor(cores) as pool:
            list(pool.map(measure, map(slice, cuts[:-1], cuts[1:])))

    return run


def empyrical_measures(r: np.ndarray, b: np.ndarray) -> None:
    """What empyrical-reloaded has of our measures, for one window."""
    empyrical.cum_returns_final(r)
    empyrical.annual_return(r)
    empyrical.annual_volatility(r)
    empyrical.downside_risk(r, FREE)
    empyrical.sharpe_ratio(r, FREE)
    empyrical.sortino_ratio(r, FREE)
    empyrical.calmar_ratio(r)
    empyrical.omega_ratio(r, required_return=0.015)
    empyrical.max_drawdown(r)
    empyrical.value_at_risk(r)
    empyrical.conditional_value_at_risk(r)
    stats.skew(r)
    stats.kurtosis(r)
    empyrical.alpha_beta(r, b, FREE)
    np.corrcoef(r, b)[0, 1] ** 2
    empyrical.excess_sharpe(r, b)
    empyrical.annual_volatility(r - b)
    empyrical.up_capture(r, b)
    empyrical.down_capture(r, b)


def lacking_measures(index: np.ndarray, r: np.ndarray, dated: pd.Series) -> None:
    """What it lacks, for one window."""
    r.max(), r.min()
    drawdown = index / np.maximum.accumulate(index) - 1
    np.sqrt((drawdown**2).sum() / len(r)), drawdown[-1]
    trough = drawdown.argmin()
    peak = index[: trough + 1].argmax()
    np.flatnonzero(index[trough:] >= index[peak])
    (empyrical.aggregate_returns(dated, "monthly") > 0).mean()


def main() -> None:
    """Measure and print."""
    load = os.getloadavg()[0]
    codes, keys, values, dates, closes = market(FUNDS)
    frame = pd.DataFrame({"index_code": "000300", "nav_date": dates, "close": closes})

    def against(funds: FundSeries) -> Benchmarks:
        choice = {f"{code:06d}": ("000300", 0) for code in funds.codes}
        return Benchmarks.from_frame(frame, choice)

    start = time.perf_counter()
    compute_metrics(FundSeries.from_rows(codes[:2], keys[:2], values[:2]), LAST)
    first_call = time.perf_counter() - start

    series = FundSeries.from_rows(codes, keys, values)
    benchmarks = against(series)
    cores = os.cpu_count() or 1
    built = least_s(lambda: FundSeries.from_rows(codes, keys, values))
    one_core = least_s(kernel_run(series, benchmarks, 1))
    all_cores = least_s(kernel_run(series, benchmarks, cores), time.perf_counter)
    whole = least_s(lambda: compute_metrics(series, LAST, benchmarks=benchmarks))
    memory = least_s(series.values.sum)
    tenth = FundSeries.from_rows(*market(FUNDS // 10)[:3])
    growth = one_core / least_s(kernel_run(tenth, against(tenth), 1))

    levels = values.reshape(SESSIONS, FUNDS)[:, :EMPYRICAL_SAMPLE].T.copy()
    index_returns = closes[1:] / closes[:-1] - 1
    stamps = pd.DatetimeIndex(pd.to_datetime(dates.astype(str)))
    lasting = (22, 64, 125, 245, 490, 733, 212, SESSIONS - 1)
    cut = [
        (index[-n - 1 :], index[-n:] / index[-n - 1 : -1] - 1, index_returns[-n:])
        for index in levels
        for n in lasting
    ]
    dated = [(index, r, pd.Series(r, stamps[-len(r) :])) for index, r, _ in cut]
    theirs = least_s(lambda: [empyrical_measures(r, b) for _, r, b in cut])
    lacking = least_s(lambda: [lacking_measures(*window) for window in dated])
    empyrical_us = theirs / EMPYRICAL_SAMPLE * 1e6
    both_us = (theirs + lacking) / EMPYRICAL_SAMPLE * 1e6

    calculator = FundMetricsCalculator()
    histories = [
        pd.DataFrame({"nav_date": dates, "unit_nav": index}) for index in levels[:PLAN_SAMPLE]
    ]
    index_closes = pd.Series(closes, stamps)
    plan = least_s(
        lambda: [
            calculator.calculate_all_metrics("000001", history, index_closes)
            for history in histories
        ]
    )
    plan_us = plan / PLAN_SAMPLE * 1e6

    core_us, ours_us = one_core / FUNDS * 1e6, one_core / FUNDS / cores * 1e6
    passes = one_core / memory / len(WINDOWS)
    for what, figure in (
        ("other work when it began (load average)", f"{load:.1f} of {cores} cores"),
        ("rows", f"{series.rows:,}"),
        ("first call in the process (compiled code cached or not)", f"{first_call:.2f} s"),
        ("build the series from unsorted rows", f"{built:.2f} s"),
        ("kernel, nine windows", f"{one_core:.3f} s of one core, {core_us:.1f} us a fund"),
        (f"the same by the clock, on all {cores} cores",
         f"{all_cores:.3f} s, {all_cores / FUNDS * 1e6:.1f} us a fund"),
        ("compute_metrics, all cores, with its table", f"{whole:.3f} s of one core"),
        ("one sum over the same values in memory", f"{memory * 1e3:.1f} ms"),
        ("kernel, passes over memory for each window (limit 25)", f"{passes:.1f}"),
        ("kernel on ten times the rows (limit 11)", f"{growth:.1f} times as long"),
        ("empyrical-reloaded, its 21 measures", ratio(empyrical_us, core_us, cores)),
        ("empyrical-reloaded and numpy, all measures", ratio(both_us, core_us, cores)),
        ("first plan's calculator, all measures", ratio(plan_us, core_us, cores)),
    ):  # fmt: skip
        print(f"| {what} | {figure} |")
    fewest = min(empyrical_us, plan_us) / ours_us
    print(
        f"Limits: passes <= 25, growth <= 11, and 1,000 times on {cores} cores: {fewest:,.0f}"
    )
    sys.exit(0 if passes <= 25 and growth <= 11 and fewest >= 1000 else 1)


def ratio(theirs_us: float, core_us: float, cores: int) -> str:
    """How much more time a fund takes, against one core and against all."""
    times = theirs_us / core_us
    return (
        f"{theirs_us / 1e3:.1f} ms a fund: {times:,.0f} times one core, "
        f"{times * cores:,.0f} times {cores}"
    )


if __name__ == "__main__":
    main()
