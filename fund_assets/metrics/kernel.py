# mypy: disable-error-code="no-untyped-def"
"""The measures themselves: one compiled pass over every fund and window.

Belongs here: the formulas, their constants and `RESULT`, the one place that names what is
computed. Does not belong here: how windows are named (`windows.py`), how results become a
table (`compute.py`).

To add a measure: name it in `RESULT`, write it in a loop below (or a new one called from
`measure_windows`), count `DEFINITION_VERSION` up, and declare its column in
`schemas/tables.py`. Everything else follows from the names.

In the formulas V are the index values of a window, R their n returns V_t / V_t-1 - 1, B the
benchmark's over the same steps, N the returns in a year, rf_N = (1 + rf)^(1 / N) - 1 the
risk-free rate of one step. Constants stand in this file because compiled code is renewed
only when its file changes.
"""

import numpy as np
from numpy.typing import NDArray

from fund_assets.metrics.jit import compiled

#: Counts up whenever a number below changes its meaning.
DEFINITION_VERSION = 2

#: A NAV this many calendar days older than the window's start day no longer stands for it.
#: Weekly funds over the longest exchange holidays (11 days between sessions) stay within.
#: The same holds for a benchmark's close that stands for a NAV date.
START_TOLERANCE_DAYS = 15
MIN_RETURNS = 10
YEAR_DAYS = 365
FLAT = 1e-12
TAIL = 0.05
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
        ("downside_deviation", np.float64),
        ("sharpe_ratio", np.float64),
        ("sortino_ratio", np.float64),
        ("calmar_ratio", np.float64),
        ("omega_ratio", np.float64),
        ("max_drawdown", np.float64),
        ("max_drawdown_peak", np.int32),
        ("max_drawdown_trough", np.int32),
        ("max_drawdown_recovery", np.int32),
        ("max_drawdown_days", np.int32),
        ("current_drawdown", np.float64),
        ("var_95", np.float64),
        ("cvar_95", np.float64),
        ("skewness", np.float64),
        ("kurtosis", np.float64),
        ("best_day", np.float64),
        ("worst_day", np.float64),
        ("month_win_rate", np.float64),
        ("ulcer_index", np.float64),
        ("alpha", np.float64),
        ("beta", np.float64),
        ("r_squared", np.float64),
        ("correlation", np.float64),
        ("tracking_error", np.float64),
        ("information_ratio", np.float64),
        ("up_capture", np.float64),
        ("down_capture", np.float64),
        ("risk_free_rate", np.float64),
    ],
    align=True,
)

(
    NO_START, STALE_START, ONE_NAV, UNDER_A_YEAR, FEW, IRREGULAR, NO_SPREAD, NO_DOWNSIDE,
    NO_FALL, UNRECOVERED, NO_MONTH, NO_BENCHMARK, NO_CLOSE, FLAT_BENCHMARK, NO_UP, NO_DOWN,
    NO_ACTIVE,
) = (1 << bit for bit in range(17))  # fmt: skip
#: What each bit says; {start} is the window's start day, {benchmark} the index's code.
REASONS = {
    NO_START: "no NAV on or before {start}",
    STALE_START: f"last NAV before {{start}} is over {START_TOLERANCE_DAYS} days older",
    ONE_NAV: "only one NAV",
    UNDER_A_YEAR: "annualized_return, calmar_ratio, alpha: under a year",
    FEW: f"risk measures: under {MIN_RETURNS} returns",
    IRREGULAR: "risk measures: NAV dates of no known frequency",
    NO_SPREAD: "sharpe_ratio, skewness, kurtosis, correlation: returns do not vary",
    NO_DOWNSIDE: "sortino_ratio, omega_ratio: no return below the risk-free rate",
    NO_FALL: "max_drawdown dates, calmar_ratio: no fall",
    UNRECOVERED: "max_drawdown_recovery: not recovered yet",
    NO_MONTH: "month_win_rate: no whole month",
    NO_BENCHMARK: "benchmark: none for this kind of fund",
    NO_CLOSE: "benchmark: {benchmark} has no close for every NAV date",
    FLAT_BENCHMARK: "alpha, beta, correlation: {benchmark} does not vary",
    NO_UP: "up_capture: {benchmark} never rose",
    NO_DOWN: "down_capture: {benchmark} never fell",
    NO_ACTIVE: "information_ratio: returns equal those of {benchmark}",
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
def measure_windows(firsts, lasts, starts, days, values, rates, benchmarks, chosen, results):
    """Fill `results` for some funds.

    Args:
        firsts, lasts: int64 [funds] first and last row of each fund, both included.
        starts: int32 [funds, windows] day each window starts from (`windows.start_days`).
        days: int32 [rows], values: float64 [rows] of all funds (`FundSeries`).
        rates: the risk-free rate: int32 [steps] first day of each rate, ascending, and
            float64 [steps] annual rates as fractions. The first holds before its day too.
        benchmarks: int64 [indices + 1] offsets, int32 days and float64 closes of all
            indices, laid out as a `FundSeries`.
        chosen: int32 [funds, 2]: index of each fund's benchmark, -1 for none, and by how
            many of its sessions its closes come late.
        results: RESULT [funds, windows].
    """
    longest = 0
    for fund in range(firsts.size):
        longest = max(longest, lasts[fund] + 1 - firsts[fund])
    returns = np.empty(longest, np.float64)
    against = np.empty(longest, np.float64)
    tail = np.empty(longest, np.float64)
    gaps = np.zeros((longest, 5), np.int32)
    month_ends = np.empty(longest, np.int32)
    months = np.empty(longest, np.int32)
    for fund in range(firsts.size):
        first, end = firsts[fund], lasts[fund] + 1
        index = values[first:end]
        dates = days[first:end]
        for row in range(1, index.size):
            returns[row] = index[row] / index[row - 1] - 1.0
        _count_gaps(dates, gaps)
        n_months = _find_months(dates, month_ends, months)
        benchmark = chosen[fund, 0]
        unknown = index.size
        if benchmark >= 0:
            low, high = benchmarks[0][benchmark], benchmarks[0][benchmark + 1]
            unknown = _follow(
                dates, benchmarks[1][low:high], benchmarks[2][low:high], chosen[fund, 1],
                against,
            )  # fmt: skip
        for window in range(starts.shape[1]):
            result = results[fund, window]
            _clear(result)
            result.end_date = dates[-1]
            row = _start_row(dates, starts[fund, window], result)
            if row < 0:
                result.risk_free_rate = _mean_rate(rates, dates[-1], dates[-1])
                continue
            result.risk_free_rate = _mean_rate(rates, dates[row], dates[-1])
            _growth(dates[row:], index[row:], result)
            _drawdown(dates[row:], index[row:], result)
            _months(index, month_ends[:n_months], months[:n_months], row, result)
            _extremes(returns[row + 1 : index.size], result)
            if benchmark < 0:
                result.reasons |= NO_BENCHMARK
            elif unknown >= row:
                result.reasons |= NO_CLOSE
            n = index.size - 1 - row
            if n < MIN_RETURNS:
                result.reasons |= FEW
                continue
            periods = _periods_per_year(gaps, row, index.size - 1)
            if np.isnan(periods):
                result.reasons |= IRREGULAR
                continue
            result.periods_per_year = periods
            some = returns[row + 1 : index.size]
            risk_free = (1.0 + result.risk_free_rate) ** (1.0 / periods) - 1.0
            mean, squares = _spread(some, periods, risk_free, result)
            _tail(some, mean - np.sqrt(squares / n), tail, result)
            if benchmark >= 0 and unknown < row:
                _relate(
                    some, against[row + 1 : index.size], mean, squares, periods, risk_free,
                    result,
                )  # fmt: skip


@compiled
def _clear(result):
    result.reasons = 0
    result.start_date = NO_DAY
    result.observations = 0
    result.periods_per_year = np.nan
    result.total_return = np.nan
    result.annualized_return = np.nan
    result.annualized_volatility = np.nan
    result.downside_deviation = np.nan
    result.sharpe_ratio = np.nan
    result.sortino_ratio = np.nan
    result.calmar_ratio = np.nan
    result.omega_ratio = np.nan
    result.max_drawdown = np.nan
    result.max_drawdown_peak = NO_DAY
    result.max_drawdown_trough = NO_DAY
    result.max_drawdown_recovery = NO_DAY
    result.max_drawdown_days = NO_DAY
    result.current_drawdown = np.nan
    result.var_95 = np.nan
    result.cvar_95 = np.nan
    result.skewness = np.nan
    result.kurtosis = np.nan
    result.best_day = np.nan
    result.worst_day = np.nan
    result.month_win_rate = np.nan
    result.ulcer_index = np.nan
    result.alpha = np.nan
    result.beta = np.nan
    result.r_squared = np.nan
    result.correlation = np.nan
    result.tracking_error = np.nan
    result.information_ratio = np.nan
    result.up_capture = np.nan
    result.down_capture = np.nan


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
def _mean_rate(rates, start, end):
    """The risk-free rate, mean over the days after `start` up to `end`."""
    first_days, values = rates
    if end <= start:
        start = end - 1
    total = 0.0
    for step in range(values.size):
        low = start if step == 0 else max(start, first_days[step] - 1)
        high = end if step == values.size - 1 else min(end, first_days[step + 1] - 1)
        if high > low:
            if low == start and high == end:
                return values[step]
            total += values[step] * (high - low)
    return total / (end - start)


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
def _drawdown(dates, index, result):
    """Deepest D = V / max(V so far) - 1, and when.

    After the last day at the high before it, on the first day at the bottom, until the first
    day at that high again. Its length counts calendar days from peak to recovery, or to the
    end while there is none. Calmar = annualised return / |deepest D|. Ulcer index =
    sqrt(sum(D^2) / n).
    """
    high, high_day = index[0], dates[0]
    fall, worst, squares = 0.0, 0.0, 0.0
    peak_day, trough_day, recovery_day = NO_DAY, NO_DAY, NO_DAY
    below = False
    for row in range(1, index.size):
        value = index[row]
        if value >= high:
            high, high_day = value, dates[row]
            fall = 0.0
            if below:
                recovery_day = dates[row]
                below = False
        else:
            fall = value / high - 1.0
            squares += fall * fall
            if fall < worst:
                worst, peak_day, trough_day = fall, high_day, dates[row]
                recovery_day = NO_DAY
                below = True
    result.max_drawdown = worst
    result.max_drawdown_peak = peak_day
    result.max_drawdown_trough = trough_day
    result.max_drawdown_recovery = recovery_day
    result.current_drawdown = fall
    result.ulcer_index = np.sqrt(squares / (index.size - 1))
    if worst == 0.0:
        result.reasons |= NO_FALL
        return
    result.calmar_ratio = result.annualized_return / -worst
    if recovery_day == NO_DAY:
        result.reasons |= UNRECOVERED
        result.max_drawdown_days = dates[-1] - peak_day
    else:
        result.max_drawdown_days = recovery_day - peak_day


@compiled
def _month_of(day):
    """Months since March of the year 0 (the civil calendar, from days since 1970-01-01)."""
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    return (year + era * 400) * 12 + (5 * of_year + 2) // 153


@compiled
def _find_months(dates, ends, months):
    """Rows of the last NAVs of finished months and their months; returns how many.

    A month is finished when a later month has a NAV, or no weekday of it is left.
    """
    found = 0
    month = _month_of(dates[0])
    for row in range(dates.size):
        day = dates[row]
        if row + 1 < dates.size:
            following = dates[row + 1]
        else:
            weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
            following = day + (7 - weekday if weekday >= 4 else 1)
        later = _month_of(following)
        if later != month:
            ends[found], months[found] = row, month
            found += 1
        month = later
    return found


@compiled
def _months(index, ends, months, start, result):
    """Share of the whole months in the window whose return is above 0.

    A month's return runs from the last NAV of the month before to its own last NAV, both
    within the window.
    """
    won = seen = 0
    first = np.searchsorted(ends, start)
    for at in range(first + 1, ends.size):
        if months[at] == months[at - 1] + 1:
            seen += 1
            won += index[ends[at]] > index[ends[at - 1]]
    if seen:
        result.month_win_rate = won / seen
    else:
        result.reasons |= NO_MONTH


@compiled
def _extremes(returns, result):
    """Highest and lowest R."""
    best = worst = returns[0]
    for r in returns:
        best = max(best, r)
        worst = min(worst, r)
    result.best_day = best
    result.worst_day = worst


@compiled
def _spread(returns, periods, risk_free, result):
    """What the distribution of R tells; returns mean(R) and sum((R - mean)^2).

    With d = min(R - rf_N, 0) and m_k the mean of (R - mean(R))^k:

    volatility       std(R, n - 1) sqrt(N)
    Sharpe           (mean(R) - rf_N) / std(R, n - 1) sqrt(N)
    downside         sqrt(mean(d^2)) sqrt(N), over all n returns
    Sortino          (mean(R) - rf_N) N / downside
    Omega            sum(max(R - rf_N, 0)) / -sum(d)
    skewness         m_3 / m_2^1.5, of the population
    kurtosis         m_4 / m_2^2 - 3, excess, of the population
    """
    n = returns.size
    total = gains = losses = squared_losses = 0.0
    for r in returns:
        total += r
        excess = r - risk_free
        loss = 0.5 * (excess - abs(excess))
        gains += excess - loss
        losses += loss
        squared_losses += loss * loss
    mean = total / n
    two = three = four = 0.0
    for r in returns:
        apart = r - mean
        square = apart * apart
        two += square
        three += square * apart
        four += square * square
    deviation = np.sqrt(two / (n - 1))
    downside = np.sqrt(squared_losses / n)
    result.annualized_volatility = deviation * np.sqrt(periods)
    result.downside_deviation = downside * np.sqrt(periods)
    if deviation < FLAT:
        result.reasons |= NO_SPREAD
    else:
        result.sharpe_ratio = (mean - risk_free) / deviation * np.sqrt(periods)
        variance = two / n
        result.skewness = three / n / (variance * np.sqrt(variance))
        result.kurtosis = four / n / (variance * variance) - 3.0
    if downside < FLAT:
        result.reasons |= NO_DOWNSIDE
    else:
        result.sortino_ratio = (mean - risk_free) * np.sqrt(periods) / downside
        result.omega_ratio = gains / -losses
    return mean, two


@compiled
def _tail(returns, probably, room, result):
    """The lowest 5 % of R.

    VaR is the 5 % quantile of R, between two returns in proportion; CVaR the mean of the
    floor((n - 1) 5 %) + 1 lowest returns, so ties at the quantile count once each.

    Only returns under `probably` are looked at when there are enough of them: far fewer.
    """
    at = (returns.size - 1) * TAIL
    low = int(at)
    found = 0
    for r in returns:
        room[found] = r
        found += r < probably
    if found < low + 2:
        found = returns.size
        room[:found] = returns
    lowest = room[:found]
    _split(lowest, low + 1)
    total, edge = 0.0, lowest[0]
    for r in lowest[: low + 1]:
        total += r
        edge = max(edge, r)
    result.var_95 = edge + (lowest[low + 1] - edge) * (at - low)
    result.cvar_95 = total / (low + 1)


@compiled
def _split(values, k):
    """Reorder so that values[k] is the one of rank k and none before it is greater."""
    low, high = 0, values.size - 1
    while low < high:
        middle = (low + high) // 2
        a, b, c = values[low], values[middle], values[high]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            return


@compiled
def _relate(returns, against, mean, squares, periods, risk_free, result):
    """R against B, step by step over the fund's own NAV dates.

    beta              cov(R, B) / var(B)
    alpha (Jensen)    (1 + mean(R - rf_N - beta (B - rf_N)))^N - 1, only from a year on
    correlation       cov(R, B) / sqrt(var(R) var(B)); r_squared is its square
    tracking error    std(R - B, n - 1) sqrt(N)
    information ratio mean(R - B) / std(R - B, n - 1) sqrt(N)
    up capture        [prod(1 + R)^(N / m) - 1] / [prod(1 + B)^(N / m) - 1] over the m steps
                      with B > 0; down capture over those with B < 0
    """
    n = returns.size
    total = 0.0
    up = up_against = down = down_against = 1.0
    ups = downs = 0
    for row in range(n):
        b = against[row]
        total += b
        if b > 0.0:
            up *= 1.0 + returns[row]
            up_against *= 1.0 + b
            ups += 1
        elif b < 0.0:
            down *= 1.0 + returns[row]
            down_against *= 1.0 + b
            downs += 1
    level = total / n
    active = mean - level
    spread = joint = differences = 0.0
    for row in range(n):
        b = against[row] - level
        r = returns[row] - mean
        spread += b * b
        joint += r * b
        differences += (r - b) * (r - b)
    deviation = np.sqrt(differences / (n - 1))
    result.tracking_error = deviation * np.sqrt(periods)
    if deviation < FLAT:
        result.reasons |= NO_ACTIVE
    else:
        result.information_ratio = active / deviation * np.sqrt(periods)
    if np.sqrt(spread / (n - 1)) < FLAT:
        result.reasons |= FLAT_BENCHMARK
    else:
        beta = joint / spread
        result.beta = beta
        if not result.reasons & UNDER_A_YEAR:
            step = mean - risk_free - beta * (level - risk_free)
            result.alpha = (1.0 + step) ** periods - 1.0
        if not result.reasons & NO_SPREAD:
            correlation = joint / np.sqrt(spread * squares)
            result.correlation = min(max(correlation, -1.0), 1.0)
            result.r_squared = result.correlation * result.correlation
    if ups:
        result.up_capture = _yearly(up, periods / ups) / _yearly(up_against, periods / ups)
    else:
        result.reasons |= NO_UP
    if downs:
        ratio = _yearly(down, periods / downs) / _yearly(down_against, periods / downs)
        result.down_capture = ratio
    else:
        result.reasons |= NO_DOWN


@compiled
def _yearly(growth, power):
    return growth**power - 1.0


@compiled
def _follow(dates, days, closes, lag, against):
    """The benchmark's return over each step of a fund, into `against`.

    A NAV date's close is the last one on or before it, `lag` sessions earlier where the fund
    values its holdings that much later. Returns the last row without a close, -1 if none is:
    it has no close on or before it, or only one that is too old.
    """
    unknown = -1
    at = -1
    before = np.nan
    for row in range(dates.size):
        while at + 1 < days.size and days[at + 1] <= dates[row]:
            at += 1
        taken = at - lag
        if taken < 0 or dates[row] - days[at] > START_TOLERANCE_DAYS:
            unknown = row
            before = np.nan
            continue
        against[row] = closes[taken] / before - 1.0
        before = closes[taken]
    return unknown


@compiled
def _count_gaps(dates, gaps):
    """Running counts up to each row of what `_periods_per_year` needs to know."""
    for row in range(1, dates.size):
        gap = dates[row] - dates[row - 1]
        gaps[row, 0] = gaps[row - 1, 0] + (gap == 1)
        gaps[row, 1] = gaps[row - 1, 1] + (gap <= 4)
        gaps[row, 2] = gaps[row - 1, 2] + (5 <= gap <= 9)
        gaps[row, 3] = gaps[row - 1, 3] + (5 <= gap <= 16)
        # 1970-01-01 was a Thursday
        gaps[row, 4] = gaps[row - 1, 4] + ((dates[row] + 3) % 7 >= 5)


@compiled
def _periods_per_year(gaps, first, last):
    """How often the fund publishes, judged by the gaps in days between its NAVs.

    Every calendar day (money funds): 9 of 10 gaps are one day and a fifth of the NAVs fall
    on weekends. Every session: 6 of 10 gaps are one day, 9 of 10 at most four (a weekend
    with a holiday), and at most 1 of 10 NAVs falls on a weekend (30 June, 31 December).
    Weekly: 7 of 10 gaps are 5 to 9 days, 9 of 10 are 5 to 16 (a skipped holiday week).
    Otherwise NaN: no factor would be right.
    """
    n = last - first
    one = gaps[last, 0] - gaps[first, 0]
    short = gaps[last, 1] - gaps[first, 1]
    week = gaps[last, 2] - gaps[first, 2]
    weeks = gaps[last, 3] - gaps[first, 3]
    weekend = gaps[last, 4] - gaps[first, 4]
    if one >= 0.9 * n and weekend >= 0.2 * n:
        return EVERY_DAY
    if one >= 0.6 * n and short >= 0.9 * n and weekend <= 0.1 * n:
        return DAILY
    if week >= 0.7 * n and weeks >= 0.9 * n:
        return WEEKLY
    return np.nan
