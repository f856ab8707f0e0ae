# mypy: disable-error-code="no-untyped-def"
"""The measures themselves: one compiled pass over every fund and window.

Belongs here: the formulas, their constants and `RESULT`, the one place that names what is
computed. Does not belong here: how windows are named (`windows.py`), how results become a
table (`compute.py`).

To add a measure: name it in `RESULT`, write it in a loop below (or a new one called from
`measure_windows`), count `DEFINITION_VERSION` up, and declare its column in
`schemas/tables.py`. Everything else follows from the names.

Constants stand in this file because compiled code is renewed only when its file changes.
"""

import numpy as np
from numpy.typing import NDArray

from fund_assets.metrics.jit import compiled

#: Counts up whenever a number below changes its meaning.
DEFINITION_VERSION = 1

#: A NAV this many calendar days older than the window's start day no longer stands for it.
#: Weekly funds over the longest exchange holidays (11 days between sessions) stay within.
START_TOLERANCE_DAYS = 15
MIN_RETURNS = 10
YEAR_DAYS = 365
FLAT = 1e-12
DAILY, WEEKLY, EVERY_DAY = 250.0, 52.0, 365.0
NO_DAY = np.int32(np.iinfo(np.int32).min)

#: What is known of one fund in one window, in order. Floats are NaN and days are NO_DAY
#: where there is no value; days count from 1970-01-01; rates are fractions.
RESULT = np.dtype(
    [
        ("reasons", np.int32),  # sum of the bits below
        ("start_date", np.int32),
        ("end_date", np.int32),
        ("observations", np.int32),
        ("periods_per_year", np.float64),
        ("total_return", np.float64),
        ("annualized_return", np.float64),
        ("annualized_volatility", np.float64),
        ("sharpe_ratio", np.float64),
        ("max_drawdown", np.float64),
        ("max_drawdown_peak", np.int32),
        ("max_drawdown_trough", np.int32),
    ],
    align=True,
)

NO_START, STALE_START, ONE_NAV, UNDER_A_YEAR, FEW, IRREGULAR, NO_SPREAD, NO_FALL = (
    1 << bit for bit in range(8)
)
#: What each bit says; {start} is the window's start day.
REASONS = {
    NO_START: "no NAV on or before {start}",
    STALE_START: f"last NAV before {{start}} is over {START_TOLERANCE_DAYS} days older",
    ONE_NAV: "only one NAV",
    UNDER_A_YEAR: "annualized_return: under a year",
    FEW: f"volatility and sharpe_ratio: under {MIN_RETURNS} returns",
    IRREGULAR: "volatility and sharpe_ratio: NAV dates of no known frequency",
    NO_SPREAD: "sharpe_ratio: returns do not vary",
    NO_FALL: "max_drawdown dates: no fall",
}


def new_results(funds: int, windows: int) -> NDArray[np.void]:
    """Room for the results of `measure_windows`, [funds, windows] of RESULT."""
    return np.zeros((funds, windows), RESULT)


@compiled
def last_rows(offsets, days, end_day):
    """int64 [funds]: row of each fund's last NAV on or before `end_day`, -1 if it has none."""
    rows = np.empty(offsets.size - 1, np.int64)
    for fund in range(rows.size):
        first, end = offsets[fund], offsets[fund + 1]
        row = first + np.searchsorted(days[first:end], end_day, side="right") - 1
        rows[fund] = row if row >= first else -1
    return rows


@compiled
def measure_windows(firsts, lasts, starts, days, values, risk_free_rate, results):
    """Fill `results` for some funds.

    Args:
        firsts, lasts: int64 [funds] first and last row of each fund, both included.
        starts: int32 [funds, windows] day each window starts from (`windows.start_days`).
        days: int32 [rows], values: float64 [rows] of all funds (`FundSeries`).
        risk_free_rate: annual, as a fraction.
        results: RESULT [funds, windows].
    """
    for fund in range(firsts.size):
        first, end = firsts[fund], lasts[fund] + 1
        index = values[first:end]
        dates = days[first:end]
        returns = np.empty(index.size, np.float64)
        for row in range(1, index.size):
            returns[row] = index[row] / index[row - 1] - 1.0
        for window in range(starts.shape[1]):
            result = results[fund, window]
            _clear(result)
            result.end_date = dates[-1]
            start = _start_row(dates, starts[fund, window], result)
            if start >= 0:
                _growth(dates[start:], index[start:], result)
                _spread(dates[start:], returns[start + 1 :], risk_free_rate, result)
                _drawdown(dates[start:], index[start:], result)


@compiled
def _clear(result):
    result.reasons = 0
    result.start_date = NO_DAY
    result.observations = 0
    result.periods_per_year = np.nan
    result.total_return = np.nan
    result.annualized_return = np.nan
    result.annualized_volatility = np.nan
    result.sharpe_ratio = np.nan
    result.max_drawdown = np.nan
    result.max_drawdown_peak = NO_DAY
    result.max_drawdown_trough = NO_DAY


@compiled
def _start_row(dates, start_day, result):
    """Row of the NAV that stands for the window's start, or -1 with the reason."""
    if start_day == NO_DAY:
        row = 0
    else:
        row = np.searchsorted(dates, start_day, side="right") - 1
        if row < 0:
            result.reasons |= NO_START
            return -1
        if start_day - dates[row] > START_TOLERANCE_DAYS:
            result.reasons |= STALE_START
            return -1
    if row == dates.size - 1:
        result.reasons |= ONE_NAV
        return -1
    return row


@compiled
def _growth(dates, index, result):
    """Total return V_end / V_start - 1; annualised (1 + R)^(365 / calendar days) - 1."""
    result.start_date = dates[0]
    result.observations = dates.size - 1
    growth = index[-1] / index[0]
    result.total_return = growth - 1.0
    span = dates[-1] - dates[0]
    if span >= YEAR_DAYS:
        result.annualized_return = growth ** (YEAR_DAYS / span) - 1.0
    else:
        result.reasons |= UNDER_A_YEAR


@compiled
def _spread(dates, returns, risk_free_rate, result):
    """Volatility std(R, n - 1) * sqrt(N) and Sharpe (mean(R) - rf_N) / std * sqrt(N).

    N is the returns per year by the fund's own frequency, rf_N = (1 + rf)^(1 / N) - 1.
    """
    n = returns.size
    if n < MIN_RETURNS:
        result.reasons |= FEW
        return
    periods = _periods_per_year(dates)
    if np.isnan(periods):
        result.reasons |= IRREGULAR
        return
    result.periods_per_year = periods
    total = 0.0
    for r in returns:
        total += r
    mean = total / n
    squares = 0.0
    for r in returns:
        squares += (r - mean) * (r - mean)
    deviation = np.sqrt(squares / (n - 1))
    result.annualized_volatility = deviation * np.sqrt(periods)
    if deviation < FLAT:
        result.reasons |= NO_SPREAD
        return
    risk_free = (1.0 + risk_free_rate) ** (1.0 / periods) - 1.0
    result.sharpe_ratio = (mean - risk_free) / deviation * np.sqrt(periods)


@compiled
def _periods_per_year(dates):
    """How often the fund publishes, judged by the gaps in days between its NAVs.

    Every calendar day (money funds): 9 of 10 gaps are one day and a fifth of the NAVs fall
    on weekends. Every session: 6 of 10 gaps are one day, 9 of 10 at most four (a weekend
    with a holiday), and at most 1 of 10 NAVs falls on a weekend (30 June, 31 December).
    Weekly: 7 of 10 gaps are 5 to 9 days, 9 of 10 are 5 to 16 (a skipped holiday week).
    Otherwise NaN: no factor would be right.
    """
    n = dates.size - 1
    one = short = week = weeks = weekend = 0
    for row in range(1, dates.size):
        gap = dates[row] - dates[row - 1]
        one += gap == 1
        short += gap <= 4
        week += 5 <= gap <= 9
        weeks += 5 <= gap <= 16
        weekend += (dates[row] + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    if one >= 0.9 * n and weekend >= 0.2 * n:
        return EVERY_DAY
    if one >= 0.6 * n and short >= 0.9 * n and weekend <= 0.1 * n:
        return DAILY
    if week >= 0.7 * n and weeks >= 0.9 * n:
        return WEEKLY
    return np.nan


@compiled
def _drawdown(dates, index, result):
    """Deepest V / max(V so far) - 1, the last day at that high, the first at the bottom."""
    high, high_day = index[0], dates[0]
    worst, peak_day, trough_day = 0.0, NO_DAY, NO_DAY
    for row in range(1, index.size):
        if index[row] >= high:
            high, high_day = index[row], dates[row]
        else:
            fall = index[row] / high - 1.0
            if fall < worst:
                worst, peak_day, trough_day = fall, high_day, dates[row]
    result.max_drawdown = worst
    result.max_drawdown_peak = peak_day
    result.max_drawdown_trough = trough_day
    if worst == 0.0:
        result.reasons |= NO_FALL
