"""From series to the table of metrics.

Belongs here: spreading funds over cores and turning results into the frame that
`fund_metrics` stores. Does not belong here: formulas (`kernel.py`).
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fund_assets.calendar import TradingCalendar, days_to_keys, from_key, keys_to_days
from fund_assets.metrics.benchmarks import Benchmarks, RiskFreeRate
from fund_assets.metrics.kernel import (
    DEFINITION_VERSION,
    NO_DAY,
    REASONS,
    RESULT,
    UNKNOWN_START,
    last_fridays,
    last_rows,
    measure_windows,
    new_results,
)
from fund_assets.metrics.series import LAST_DATE, FundSeries, code_numbers
from fund_assets.metrics.windows import start_days
from fund_assets.schemas.table import Kind
from fund_assets.schemas.tables import FUND_METRICS, WINDOWS

#: Rows of one piece of work: small enough to keep cores equally busy.
PIECE_ROWS = 1 << 20
#: What `Benchmarks.about` may say of a fund's benchmark.
ABOUT_BENCHMARK = (
    "benchmark_basis",
    "benchmark_why",
    "benchmark_returns",
    "benchmark_currency",
)
#: All of them; results do not depend on it.
CORES = os.cpu_count()


def compute_metrics(
    series: FundSeries,
    calc_date: int,
    windows: Sequence[str] = WINDOWS,
    risk_free_rate: float | RiskFreeRate = 0.015,
    *,
    benchmarks: Benchmarks | None = None,
    calendar: TradingCalendar | None = None,
    whole: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return and risk of every fund over every window.

    V are the index values of a window, R = V_t / V_t-1 - 1 the n returns of its steps but those
    over a gap, B the benchmark's over the same steps, N the returns in a year
    (`periods_per_year`: 365, 250 or 52, by the gaps in the window), rf = (1 +
    risk_free_rate)^(1 / N) - 1, D = V_t / highest V so far - 1, std with n - 1. Returns,
    deviations and falls are fractions (0.05 is 5 %), ratios are per year. In brackets whose
    definition it is; docs/metrics.md has the whole of it.

    ======================= ==================================================================
    total_return            V_end / V_start - 1
    annualized_return       (1 + total_return)^(365 / days) - 1, from 365 days on, as GIPS asks
    annualized_volatility   std(R) sqrt(N)
    downside_deviation      sqrt(mean(min(R - rf, 0)^2)) sqrt(N), over all n (Sortino)
    sharpe_ratio            (mean(R) - rf) / std(R) sqrt(N) (Sharpe 1994)
    sortino_ratio           (mean(R) - rf) N / downside_deviation (Sortino)
    calmar_ratio            annualized_return / -max_drawdown (Young 1991)
    omega_ratio             sum(max(R - rf, 0)) / -sum(min(R - rf, 0)) (Keating, Shadwick 2002)
    max_drawdown            min(D); its _peak, _trough and _recovery are dates, yyyymmdd
    max_drawdown_days       calendar days from peak to recovery, else to end_date
    current_drawdown        D at the end
    ulcer_index             sqrt(sum(D^2) / n) (Martin 1987)
    var_95                  5 % quantile of R, historical, linear between two returns
    cvar_95                 mean of the floor(0.05 (n - 1)) + 1 lowest R
    skewness, kurtosis      m3 / m2^1.5, m4 / m2^2 - 3, of the population
    best_day, worst_day     max(R), min(R)
    month_win_rate          share of whole months with a return above 0
    volatility_weekly       std(W) sqrt(52) of weekly returns W, as the source has it
    sharpe_weekly           (52 mean(W) - risk_free_rate) / volatility_weekly, likewise
    beta                    cov(R, B) / var(B)
    alpha                   (1 + mean(R - rf - beta (B - rf)))^N - 1, from 365 days on (Jensen)
    correlation, r_squared  cov(R, B) / sqrt(var(R) var(B)) (Pearson), its square
    tracking_error          std(R - B) sqrt(N)
    information_ratio       mean(R - B) / std(R - B) sqrt(N)
    up_capture              (prod(1 + R)^(N / m) - 1) / (prod(1 + B)^(N / m) - 1), m steps B > 0
    down_capture            the same over the steps with B < 0
    ======================= ==================================================================

    `start_date` and `end_date` (yyyymmdd) are the NAVs a window lies between, `observations`
    is n, `gap_steps` the steps over gaps longer than the fund's rhythm allows, which count in
    returns and falls alone, `risk_free_rate` the mean annual rate over its days.

    Args:
        series: total-return indices; rows after `calc_date` are ignored.
        calc_date: yyyymmdd. Each fund's windows end on its last NAV on or before it.
        windows: names such as `3m`, `5y`, `ytd`, `inception`. A window starts from the last
            NAV on or before its start day and is never shortened.
        risk_free_rate: annual, as a fraction (0.015 is 1.5 %), constant or dated; a window
            gets the mean over its days.
        benchmarks: index closes and each fund's index; None: no fund has one.
        calendar: counts the sessions of a step; None: the exchange's.
        whole: codes, six-digit text or integers, of the funds whose series begin with their
            first NAV ever; windows of others have no inception. None: all of them.

    Returns:
        The columns of `schemas.tables.FUND_METRICS`, one row per fund and window (funds ×
        windows rows), funds by code, windows as given; `coverage` is NaN and `status`
        provisional until the step that knows the other funds fills them. Funds without a NAV
        on or before `calc_date` have no rows. A value that cannot be computed is NaN or <NA>,
        and `reason` says why; `reason` is empty exactly when every value is there.

    Raises:
        ValueError: an unknown window, or `calc_date` is not a date.
    """
    from_key(calc_date)
    end_day = keys_to_days(np.array([calc_date]))[0]
    lasts = last_rows(series.offsets, series.days, end_day)
    present = np.flatnonzero(lasts >= 0)
    firsts, lasts = series.offsets[:-1][present], lasts[present]
    starts = start_days(series.days[lasts], windows)
    if whole is not None:
        begun_later = ~np.isin(series.codes[present], code_numbers(whole))
        inception = np.array([window == "inception" for window in windows])
        starts[np.ix_(begun_later, inception)] = UNKNOWN_START
    results = new_results(len(present), len(windows))
    rate = (
        risk_free_rate
        if isinstance(risk_free_rate, RiskFreeRate)
        else RiskFreeRate.constant(risk_free_rate)
    )
    against = benchmarks or Benchmarks.none()
    chosen = against.chosen(series.codes[present])
    sessions = (calendar or TradingCalendar.build()).sessions_by_day(LAST_DATE)
    fridays = last_fridays(firsts, lasts, series.days, sessions)
    # The year to date is the one of the last NAV.
    this_year = np.array([window == "ytd" for window in windows])
    week_starts = np.where(this_year, starts, start_days(fridays, windows))

    def measure(part: slice) -> None:
        measure_windows(
            firsts[part],
            lasts[part],
            starts[part],
            fridays[part],
            week_starts[part],
            series.days,
            series.values,
            sessions,
            (rate.days, rate.rates),
            (against.offsets, against.days, against.closes),
            chosen[part],
            results[part],
        )

    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(measure, _pieces(firsts, lasts)))
    indices = np.array([*against.codes, None], dtype=object)[chosen[:, 0]]
    found = _frame(series.codes[present], calc_date, windows, starts, indices, results)
    if against.about is not None:
        about = against.about.reindex(series.codes[present])
        for name in about.columns:
            found[name] = np.repeat(about[name].to_numpy(object), len(windows))
    return FUND_METRICS.conform(found)


def _pieces(firsts: NDArray[np.int64], lasts: NDArray[np.int64]) -> list[slice]:
    """Neighbouring funds in pieces of about PIECE_ROWS rows."""
    before = np.concatenate(([0], np.cumsum(lasts - firsts + 1)))
    cuts = np.unique(np.searchsorted(before, np.arange(0, before[-1], PIECE_ROWS)))
    return [slice(low, high) for low, high in pairwise([*cuts, len(firsts)])]


def _frame(
    codes: NDArray[np.int32],
    calc_date: int,
    windows: Sequence[str],
    starts: NDArray[np.int32],
    indices: NDArray[np.object_],
    results: NDArray[np.void],
) -> pd.DataFrame:
    flat = results.ravel()
    texts = np.array([f"{code:06d}" for code in codes], dtype=object)
    against = np.repeat(indices, len(windows))
    columns: dict[str, object] = {
        "fund_code": np.repeat(texts, len(windows)),
        "calc_date": np.full(len(flat), calc_date),
        "window": np.tile(np.array(windows, dtype=object), len(codes)),
        "status": np.full(len(flat), "provisional", dtype=object),
        "coverage": np.full(len(flat), np.nan),
        "benchmark_code": against,
        "definition_version": np.full(len(flat), DEFINITION_VERSION),
        "reason": _reasons(flat["reasons"], starts.ravel(), against),
    }
    for name in RESULT.names or ():
        if name in FUND_METRICS.names:
            kind, values = FUND_METRICS[name].kind, flat[name]
            if kind is Kind.REAL:
                columns[name] = np.ascontiguousarray(values)
            else:
                columns[name] = _whole(values, is_date=kind is Kind.DATE)
    for name in ABOUT_BENCHMARK:
        columns[name] = np.full(len(flat), None, dtype=object)
    return pd.DataFrame(columns)


def _whole(values: NDArray[np.int32], *, is_date: bool) -> pd.arrays.IntegerArray:
    """Whole numbers or days since 1970-01-01, these as yyyymmdd; NO_DAY → <NA>."""
    missing = values == NO_DAY
    filled = np.where(missing, 0, values)
    return pd.arrays.IntegerArray(days_to_keys(filled) if is_date else filled, missing)


def _reasons(
    bits: NDArray[np.int32], starts: NDArray[np.int32], indices: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Reason bits in words; each different combination is written once."""
    names = {name: at for at, name in enumerate(dict.fromkeys(indices.tolist()))}
    numbers = np.array([names[name] for name in indices.tolist()], np.int64)
    _, days = np.unique(starts, return_inverse=True)
    packed = (days * len(names) + numbers) << len(REASONS) | bits
    _, firsts, groups = np.unique(packed, return_index=True, return_inverse=True)
    words = [
        "; ".join(
            text.format(start=starts[at].astype("datetime64[D]"), benchmark=indices[at])
            for bit, text in REASONS.items()
            if bits[at] & bit
        )
        for at in firsts
    ]
    return np.array(words, dtype=object)[groups]
