# mypy: disable-error-code="no-untyped-def"
# Its loops read records by names of fields, for which numpy has no type.
"""The measures themselves: one compiled pass over every fund and window.

Belongs here: the formulas, their constants and `RESULT`, the one place that names what is
computed. Does not belong here: how windows are named (`windows.py`), how results become a
table (`computation.py`).

How a measure is added: docs/extending.md.

In the formulas V are the index values of a window, R their n returns V_t / V_t-1 - 1 of steps
that go over no gap, B the benchmark's over the same steps, N the returns in a year, rf_N =
(1 + rf)^(1 / N) - 1 the risk-free rate of one step. Constants stand in this file because
compiled code is renewed only when its file changes.
"""

import numpy as np
from numba import literal_unroll
from numpy.typing import NDArray

from fund_assets.metrics.jit import compiled

#: Counts up whenever a number below changes its meaning.
DEFINITION_VERSION = 6

#: `age.VALUE_AGE_DAYS`, here because compiled loops read constants of their own file alone.
#: A NAV this many calendar days older than the window's start day no longer stands for it.
#: Weekly funds over the longest exchange holidays (11 days between sessions) stay within.
#: The same holds for a benchmark's close that stands for a NAV date.
START_TOLERANCE_DAYS = 15
MIN_RETURNS = 10
YEAR_DAYS = 365
FLAT = 1e-12
TAIL = 0.05
#: More than 5 % of the returns of most funds are so many deviations under their mean.
LOW = 1.2
#: A quantile's range is halved at most so often, or until so few returns are left in it.
HALVINGS, FEW_LEFT = 60, 8
STRETCH = 64
DAILY, WEEKLY, EVERY_DAY = 250.0, 52.0, 365.0
#: A fund's rhythm on a side of a step is that of most of so many steps there; of 5 at least.
AROUND, LEAST_AROUND = 10, 5
#: A week: from so many sessions to so many; with a holiday on its last day the next is as far.
WEEK_FROM, WEEK_TO, WEEK_LONGEST = 3, 7, 9
#: Funds that rest on other countries' holidays: so many sessions a step, in a share of steps.
REST_TO, REST_SHARE, REST_LEAST = 3, 0.015, 3
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6
#: What a rhythm allows beside a number of sessions: too few steps to tell, a calendar day, any.
UNKNOWN, A_DAY, NO_LIMIT = -1, 0, 1 << 30
NO_DAY = np.int32(np.iinfo(np.int32).min)
#: The start day of a window whose start nobody knows: inception without a whole history.
UNKNOWN_START = np.int32(NO_DAY + 1)

#: What is known of one fund in one window, in order. Floats are NaN and days are NO_DAY
#: where there is no value; days count from 1970-01-01; rates are fractions.
RESULT = np.dtype(
    [
        ("reasons", np.int32),  # sum of the bits below
        ("start_date", np.int32),
        ("end_date", np.int32),
        ("observations", np.int32),
        ("gap_steps", np.int32),
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
        ("volatility_weekly", np.float64),
        ("sharpe_weekly", np.float64),
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

#: Its fields by what they hold while nothing is known: NaN, 0, NO_DAY.
FLOATS = tuple(name for name in RESULT.names or () if RESULT[name].kind == "f")
COUNTS = ("reasons", "observations", "gap_steps")
DAYS = tuple(name for name in RESULT.names or () if name not in (*FLOATS, *COUNTS))

#: What is added up over the returns of a window, from its last day back. A return counts from
#: the mean of the last MIN_RETURNS ones (`shift`), so that sums of powers do not cancel.
SUMS = np.dtype(
    [
        ("shift", np.float64),
        ("shift_against", np.float64),
        ("one", np.float64),  # (R - shift)^1 to ^4
        ("two", np.float64),
        ("three", np.float64),
        ("four", np.float64),
        ("best", np.float64),
        ("worst", np.float64),
        ("against", np.float64),  # B - shift_against, its square, ...
        ("against_two", np.float64),
        ("joint", np.float64),  # ... and its product with R - shift
        ("active_two", np.float64),  # square of the difference of both
        ("up", np.float64),  # products of 1 + R and 1 + B over the steps with B > 0
        ("up_against", np.float64),
        ("ups", np.int64),
        ("down", np.float64),  # with B < 0
        ("down_against", np.float64),
        ("downs", np.int64),
        ("risk_free", np.float64),  # what the next three are counted from
        ("gains", np.float64),
        ("losses", np.float64),
        ("losses_two", np.float64),
        ("losses_n", np.int64),  # over so many returns
        ("one_day", np.int64),  # gaps between NAV dates, see _periods_per_year
        ("short", np.int64),
        ("week", np.int64),
        ("weeks", np.int64),
        ("weekend", np.int64),
    ],
    align=True,
)

#: What is known of a window from one of its highs on: of its deepest fall the rows of peak and
#: trough and of the day that is back at the high, and where the fall from this high ends.
FALL = np.dtype(
    [
        ("worst", np.float64),
        ("current", np.float64),
        ("squares", np.float64),  # of D
        ("peak", np.int64),
        ("trough", np.int64),
        ("back", np.int64),
        ("end", np.int64),
    ],
    align=True,
)

(
    NO_START, STALE_START, ONE_NAV, UNDER_A_YEAR, FEW, IRREGULAR, NO_SPREAD, NO_DOWNSIDE,
    NO_FALL, UNRECOVERED, NO_MONTH, NO_BENCHMARK, NO_CLOSE, FLAT_BENCHMARK, NO_UP, NO_DOWN,
    NO_ACTIVE, ONLY_GAPS, NOT_WHOLE, FEW_WEEKS, FLAT_WEEKS,
) = (1 << bit for bit in range(21))  # fmt: skip
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
    ONLY_GAPS: "best_day, worst_day: every step goes over a gap",
    NOT_WHOLE: "inception: the fund's whole history is not stored yet",
    FEW_WEEKS: f"volatility_weekly, sharpe_weekly: under {MIN_RETURNS} weekly returns",
    FLAT_WEEKS: "sharpe_weekly: weekly returns do not vary",
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
def last_fridays(firsts, lasts, days, sessions):
    """int32 [funds]: Friday of the last week with a NAV that is over for each fund.

    A week is over when no session between the fund's last NAV and the week's Friday is left.
    Without such a week it is a Friday before the fund's first NAV.
    """
    fridays = np.empty(firsts.size, np.int32)
    for fund in range(firsts.size):
        last = days[lasts[fund]]
        for row in range(lasts[fund], firsts[fund] - 1, -1):
            friday = days[row] + FRIDAY - _weekday(days[row])
            fridays[fund] = friday
            over = last >= friday or sessions[friday] == sessions[last]
            if over and days[row] <= friday:
                break
            fridays[fund] = friday - 7
    return fridays


@compiled
def measure_windows(
    firsts, lasts, starts, fridays, week_starts, days, values, sessions, rates, benchmarks,
    chosen, results,
):  # fmt: skip
    """Fill `results` for some funds.

    All windows of a fund end on its last day. So they are measured from the shortest on, and
    the sums of one go on from those of the one before: each return is added once. Sums run
    from the last day back, so a value does not depend on which other windows are asked for.

    Args:
        firsts, lasts: int64 [funds] first and last row of each fund, both included.
        starts: int32 [funds, windows] day each window starts from (`windows.start_days`), or
            UNKNOWN_START.
        fridays: int32 [funds] of `last_fridays`, week_starts: int32 [funds, windows] day from
            which on each window's weeks end later.
        days: int32 [rows], values: float64 [rows] of all funds (`FundSeries`).
        sessions: int32 [days from 1970-01-01 on]: sessions of the exchange up to each day.
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
    gaps = np.empty(longest, np.bool_)
    lengths = np.empty((longest, 2), np.int32)
    steps = np.empty(longest, np.int32)
    # The last return stands first in these.
    returns = np.empty(longest, np.float64)
    against = np.empty(longest, np.float64)
    lowest = np.empty(longest + 1, np.float64)
    room = np.empty(longest + 1, np.float64)
    closes = np.empty(longest, np.float64)
    falls = np.empty(longest, FALL)
    walked = np.empty(longest, np.bool_)
    path = np.empty(longest, np.int32)
    month_ends = np.empty(longest, np.int32)
    months = np.empty((longest, 2), np.int32)
    week_ends = np.empty(longest, np.int32)
    week_sums = np.empty((longest + 1, 2), np.float64)
    rows = np.empty(starts.shape[1], np.int64)
    order = np.empty(starts.shape[1], np.int64)
    sums = np.empty(1, SUMS)[0]
    for fund in range(firsts.size):
        first, end = firsts[fund], lasts[fund] + 1
        index, dates = values[first:end], days[first:end]
        last = index.size - 1
        _find_gaps(dates, sessions, lengths, gaps)
        total = _find_returns(index, gaps, returns, steps)
        n_months = _find_months(dates, index, gaps, month_ends, months)
        weeks, first_week = _find_weeks(
            dates, index, sessions, fridays[fund], week_ends, week_sums
        )
        benchmark = chosen[fund, 0]
        known = -1  # so many returns of the benchmark, counted from the last
        if benchmark >= 0:
            low, high = benchmarks[0][benchmark], benchmarks[0][benchmark + 1]
            known = _follow(
                dates, benchmarks[1][low:high], benchmarks[2][low:high], chosen[fund, 1],
                gaps, closes, against,
            )  # fmt: skip
        _begin(returns[:total], against[: max(known, 0)], sums)
        for window in range(rows.size):
            result = results[fund, window]
            _clear(result)
            result.end_date = dates[last]
            rows[window] = _start_row(dates, starts[fund, window], result)
        _order(rows, order)
        walked[: last + 1] = False
        done, oldest = 0, last
        bound = np.inf
        for window in order:
            result, row = results[fund, window], rows[window]
            if row < 0:
                result.risk_free_rate = _mean_rate(rates, dates[last], dates[last])
                continue
            n = steps[row]
            result.risk_free_rate = _mean_rate(rates, dates[row], dates[last])
            _growth(dates[row:], index[row:], result)
            result.observations, result.gap_steps = n, last - row - n
            _drawdown(dates, index, row, falls, walked, path, result)
            _months(month_ends[:n_months], months, row, result)
            _weeks(week_ends[:weeks], week_sums, first_week, week_starts[fund, window], result)
            _add_returns(returns[done:n], sums)
            _add_gaps(dates[row : oldest + 1], gaps[row : oldest + 1], sums)
            oldest = row
            if n:
                result.best_day, result.worst_day = sums.best, sums.worst
            else:
                result.reasons |= ONLY_GAPS
            if benchmark < 0:
                result.reasons |= NO_BENCHMARK
            elif n > known:
                result.reasons |= NO_CLOSE
            else:
                _add_against(returns[done:n], against[done:n], sums)
            done = n
            if n < MIN_RETURNS:
                result.reasons |= FEW
                continue
            periods = _periods_per_year(n, sums)
            if np.isnan(periods):
                result.reasons |= IRREGULAR
                continue
            result.periods_per_year = periods
            risk_free = (1.0 + result.risk_free_rate) ** (1.0 / periods) - 1.0
            _add_losses(returns[:n], risk_free, sums)
            mean, squares = _spread(n, periods, risk_free, sums, result)
            bound = mean - LOW * np.sqrt(squares / n)
            if n <= known:
                _relate(n, mean, squares, periods, risk_free, sums, result)
        done = found = 0
        for window in order:
            n = steps[max(rows[window], 0)]
            if not np.isnan(results[fund, window].periods_per_year):
                for at in range(done, n):
                    lowest[found] = returns[at]
                    found += returns[at] < bound
                done = n
                _tail(returns[:n], lowest[:found], bound, room, results[fund, window])


@compiled
def _clear(result):
    """Nothing is known yet: floats are NaN, days NO_DAY, counts 0."""
    for name in literal_unroll(FLOATS):
        result[name] = np.nan
    for name in literal_unroll(DAYS):
        result[name] = NO_DAY
    for name in literal_unroll(COUNTS):
        result[name] = 0


@compiled
def _start_row(dates, start_day, result):
    """Row of the NAV that stands for the window's start, or -1 with the reason."""
    if start_day == UNKNOWN_START:
        result.reasons |= NOT_WHOLE
        return -1
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
def _order(rows, order):
    """Numbers of the windows, the shortest first: those that start last."""
    for window in range(rows.size):
        at = window
        while at > 0 and rows[order[at - 1]] < rows[window]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = window


@compiled
def _find_gaps(dates, sessions, lengths, gaps):
    """Whether the step to each row goes over a gap longer than the fund's rhythm allows.

    The rhythm stands on both sides of a step. Most of the 10 steps before it, or after it,
    take at most one session (one is allowed, or three to a fund that often rests on other
    countries' holidays), or 3 to 7 (weekly: 9 are allowed, over a holiday); or all are single
    calendar days, Saturdays and Sundays among them (a day is allowed). The more patient side
    decides; where neither side has a rhythm, no step is too long.
    """
    gaps[0] = False
    last = dates.size - 1
    longest = rests = saturdays = sundays = 0
    for row in range(1, last + 1):
        length = sessions[dates[row]] - sessions[dates[row - 1]]
        lengths[row, 0], lengths[row, 1] = length, dates[row] - dates[row - 1]
        longest = max(longest, length)
        rests += 1 < length <= REST_TO
        saturdays += _weekday(dates[row]) == SATURDAY
        sundays += _weekday(dates[row]) == SUNDAY
        gaps[row] = False
    often = rests >= REST_LEAST and rests >= REST_SHARE * last
    daily = longest > (REST_TO if often else 1)
    every_day = saturdays > 0 and sundays > 0
    if not (daily or every_day):
        return
    for row in range(1, last + 1):
        length, days = lengths[row, 0], lengths[row, 1]
        too_long = daily and length > (REST_TO if often else 1)
        if not (too_long or (every_day and days > 1)):
            continue
        before = _allowed(dates, lengths, max(row - AROUND, 1), row, often)
        after = _allowed(dates, lengths, row + 1, min(row + 1 + AROUND, last + 1), often)
        if before == UNKNOWN:
            before = after
        if after == UNKNOWN:
            after = before
        allowed = max(before, after)
        if allowed == A_DAY:
            gaps[row] = days > 1
        elif allowed != UNKNOWN:
            gaps[row] = length > allowed


@compiled
def _weekday(day):
    return (day + 3) % 7  # 1970-01-01 was a Thursday


@compiled
def _allowed(dates, lengths, start, end, often):
    """Sessions that the steps to the rows from `start` up to `end` allow, A_DAY or UNKNOWN."""
    if end - start < LEAST_AROUND:
        return UNKNOWN
    short = week = single = saturdays = sundays = 0
    for row in range(start, end):
        short += lengths[row, 0] <= 1
        week += WEEK_FROM <= lengths[row, 0] <= WEEK_TO
        single += lengths[row, 1] == 1
        saturdays += _weekday(dates[row]) == SATURDAY
        sundays += _weekday(dates[row]) == SUNDAY
    half = 0.5 * (end - start)
    if single == end - start and saturdays > 0 and sundays > 0:
        return A_DAY
    if short > half:
        return REST_TO if often else 1
    if week > half:
        return WEEK_LONGEST
    return NO_LIMIT


@compiled
def _find_returns(index, gaps, returns, steps):
    """R = V_t / V_t-1 - 1 of the steps over no gap, the last one first; returns how many.

    `steps` says of each row how many of them come after it.
    """
    found = 0
    steps[index.size - 1] = 0
    for row in range(index.size - 1, 0, -1):
        if not gaps[row]:
            returns[found] = index[row] / index[row - 1] - 1.0
            found += 1
        steps[row - 1] = found
    return found


@compiled
def _mean(values):
    total = 0.0
    for value in values:
        total += value
    return total / values.size


@compiled
def _begin(returns, against, sums):
    """No return is added up yet."""
    sums.shift = _mean(returns[:MIN_RETURNS]) if returns.size else 0.0
    sums.shift_against = _mean(against[:MIN_RETURNS]) if against.size else 0.0
    sums.one = sums.two = sums.three = sums.four = 0.0
    sums.best, sums.worst = -np.inf, np.inf
    sums.against = sums.against_two = sums.joint = sums.active_two = 0.0
    sums.up = sums.up_against = sums.down = sums.down_against = 1.0
    sums.ups = sums.downs = 0
    sums.risk_free = np.nan
    sums.one_day = sums.short = sums.week = sums.weeks = sums.weekend = 0


@compiled
def _add_returns(returns, sums):
    shift, best, worst = sums.shift, sums.best, sums.worst
    one, two, three, four = sums.one, sums.two, sums.three, sums.four
    for at in range(returns.size):
        r = returns[at]
        apart = r - shift
        square = apart * apart
        one += apart
        two += square
        three += square * apart
        four += square * square
        best = r if r > best else best
        worst = r if r < worst else worst
    sums.best, sums.worst = best, worst
    sums.one, sums.two, sums.three, sums.four = one, two, three, four


@compiled
def _add_losses(returns, risk_free, sums):
    """The risk-free rate may change from window to window: then they are added up anew."""
    if sums.risk_free != risk_free:
        sums.risk_free, sums.losses_n = risk_free, 0
        sums.gains = sums.losses = sums.losses_two = 0.0
    gains, losses, two = sums.gains, sums.losses, sums.losses_two
    for at in range(sums.losses_n, returns.size):
        excess = returns[at] - risk_free
        loss = excess if excess < 0.0 else 0.0
        gains += excess - loss
        losses += loss
        two += loss * loss
    sums.gains, sums.losses, sums.losses_two = gains, losses, two
    sums.losses_n = returns.size


@compiled
def _add_against(returns, against, sums):
    shift, shift_against = sums.shift, sums.shift_against
    total, two, joint, active = sums.against, sums.against_two, sums.joint, sums.active_two
    up, up_against, ups = sums.up, sums.up_against, sums.ups
    down, down_against, downs = sums.down, sums.down_against, sums.downs
    for at in range(returns.size):
        r, b = returns[at], against[at]
        own, other = r - shift, b - shift_against
        total += other
        two += other * other
        joint += own * other
        active += (own - other) * (own - other)
        up *= 1.0 + r if b > 0.0 else 1.0
        up_against *= 1.0 + b if b > 0.0 else 1.0
        ups += b > 0.0
        down *= 1.0 + r if b < 0.0 else 1.0
        down_against *= 1.0 + b if b < 0.0 else 1.0
        downs += b < 0.0
    sums.against, sums.against_two, sums.joint, sums.active_two = total, two, joint, active
    sums.up, sums.up_against, sums.ups = up, up_against, ups
    sums.down, sums.down_against, sums.downs = down, down_against, downs


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
    growth = index[-1] / index[0]
    result.total_return = growth - 1.0
    span = dates[-1] - dates[0]
    if span >= YEAR_DAYS:
        result.annualized_return = growth ** (YEAR_DAYS / span) - 1.0
    else:
        result.reasons |= UNDER_A_YEAR


@compiled
def _drawdown(dates, index, start, falls, walked, path, result):
    """Deepest D = V / max(V so far) - 1, and when.

    After the last day at the high before it, on the first day at the bottom, until the first
    day at that high again. Its length counts calendar days from peak to recovery, or to the
    end while there is none. Calmar = annualised return / |deepest D|. Ulcer index =
    sqrt(sum(D^2) / n).

    From a high there is one fall, which lasts until the next day at that high; from there on
    all is as if the window began on that day. Windows that come to the same high have the
    rest in common, so `falls` keeps what is known from each high on (`walked`).
    """
    last = index.size - 1
    steps, high = 0, start
    while high <= last and not walked[high]:
        walked[high] = True
        path[steps] = high
        steps += 1
        level = index[high]
        worst, squares = 0.0, 0.0
        trough, row = high, high + 1
        while row <= last and index[row] < level:
            fall = index[row] / level - 1.0
            squares += fall * fall
            trough = row if fall < worst else trough
            worst = fall if fall < worst else worst
            row += 1
        found = falls[high]
        found.worst, found.squares = worst, squares
        found.peak, found.trough, found.back, found.end = high, trough, row, row
        high = row
    for step in range(steps - 1, -1, -1):
        ours = falls[path[step]]
        if ours.end > last:
            ours.current = index[last] / index[ours.peak] - 1.0
            continue
        rest = falls[ours.end]
        ours.squares += rest.squares
        ours.current = rest.current
        if rest.worst < ours.worst:
            ours.worst, ours.peak, ours.trough = rest.worst, rest.peak, rest.trough
            ours.back = rest.back
    found = falls[start]
    result.max_drawdown = found.worst
    result.current_drawdown = found.current
    result.ulcer_index = np.sqrt(found.squares / (last - start))
    if found.worst == 0.0:
        result.reasons |= NO_FALL
        return
    result.calmar_ratio = result.annualized_return / -found.worst
    result.max_drawdown_peak = dates[found.peak]
    result.max_drawdown_trough = dates[found.trough]
    if found.back > last:
        result.reasons |= UNRECOVERED
        result.max_drawdown_days = dates[last] - dates[found.peak]
    else:
        result.max_drawdown_recovery = dates[found.back]
        result.max_drawdown_days = dates[found.back] - dates[found.peak]


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
def _first_day(month):
    """The first day of a month as `_month_of` counts them."""
    year = month // 12
    leaps = year // 4 - year // 100 + year // 400
    return 365 * year + leaps + (153 * (month - 12 * year) + 2) // 5 - 719_468


@compiled
def _find_months(dates, index, gaps, ends, counts):
    """Rows of the last NAVs of finished months; returns how many.

    A month is finished when a later month has a NAV, or no weekday of it is left. `counts`
    says how many of the months so far are whole, and how many of these rose: a month's
    return runs from the last NAV of the month before to its own last NAV. It is not whole when
    a gap follows one of the two.
    """
    found = 0
    month = _month_of(dates[0])
    before = month
    following = _first_day(month + 1)
    for row in range(dates.size):
        if row + 1 < dates.size:
            after = dates[row + 1]
        else:
            weekday = (dates[row] + 3) % 7  # 1970-01-01 was a Thursday
            after = dates[row] + (7 - weekday if weekday >= 4 else 1)
        if after < following:
            continue
        ends[found] = row
        counts[found] = 0
        if found > 0:
            start = ends[found - 1]
            whole = before + 1 == month and not gaps[start + 1]
            whole = whole and not (row + 1 < dates.size and gaps[row + 1])
            rose = whole and index[row] > index[start]
            counts[found, 0] = counts[found - 1, 0] + whole
            counts[found, 1] = counts[found - 1, 1] + rose
        before = month
        found += 1
        while after >= following:
            month += 1
            following = _first_day(month + 1)
    return found


@compiled
def _months(ends, counts, start, result):
    """Share of the whole months in the window whose return is above 0."""
    first = np.searchsorted(ends, start)
    seen = counts[ends.size - 1, 0] - counts[first, 0] if first < ends.size else 0
    if seen:
        result.month_win_rate = (counts[ends.size - 1, 1] - counts[first, 1]) / seen
    else:
        result.reasons |= NO_MONTH


@compiled
def _find_weeks(dates, index, sessions, friday, ends, sums):
    """Returns of the weeks up to the one of a Friday, the last one first.

    A week's NAV is its last one from Monday to Friday, and its return runs from the NAV of
    the last week that has one. Weeks without a session are passed over so; where a week with
    sessions is missing, over more than WEEK_LONGEST sessions, there is no return.

    `ends` gets the Friday of each, `sums` the sum of the first so many returns and of their
    squares, counted from the first one. Returns how many there are, and the first one.
    """
    found, later, ending = 0, -1, friday
    first = one = two = 0.0
    sums[0, 0] = sums[0, 1] = 0.0
    bound = friday + 1
    for row in range(dates.size - 1, -1, -1):
        if dates[row] >= bound:
            continue
        weekday = _weekday(dates[row])
        if weekday > FRIDAY:
            continue
        bound = dates[row] - weekday
        if later >= 0 and sessions[dates[later]] - sessions[dates[row]] <= WEEK_LONGEST:
            week = index[later] / index[row] - 1.0
            first = week if found == 0 else first
            apart = week - first
            one += apart
            two += apart * apart
            ends[found] = ending
            found += 1
            sums[found, 0], sums[found, 1] = one, two
        later, ending = row, bound + FRIDAY
    return found, first


@compiled
def _weeks(ends, sums, shift, start_day, result):
    """Volatility and Sharpe ratio of the weeks that end after a day, as the source has them.

    With W the weekly returns: std(W, n - 1) sqrt(52) and (52 mean(W) - rf) / that.
    """
    n = 0
    while n < ends.size and ends[n] > start_day:
        n += 1
    if n < MIN_RETURNS:
        result.reasons |= FEW_WEEKS
        return
    off = sums[n, 0] / n
    mean = shift + off
    deviation = np.sqrt(max(sums[n, 1] - off * sums[n, 0], 0.0) / (n - 1))
    deviation = 0.0 if deviation < FLAT else deviation
    result.volatility_weekly = deviation * np.sqrt(WEEKLY)
    if deviation < FLAT:
        result.reasons |= FLAT_WEEKS
    else:
        excess = mean * WEEKLY - result.risk_free_rate
        result.sharpe_weekly = excess / result.volatility_weekly


@compiled
def _spread(n, periods, risk_free, sums, result):
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
    off = sums.one / n
    mean = sums.shift + off
    # Powers about the shift become powers about the mean.
    two = max(sums.two - off * sums.one, 0.0)
    three = sums.three - off * (3.0 * sums.two - 2.0 * off * sums.one)
    four = sums.four - off * (4.0 * sums.three - off * (6.0 * sums.two - 3.0 * off * sums.one))
    deviation = np.sqrt(two / (n - 1))
    downside = np.sqrt(sums.losses_two / n)
    # What is under FLAT is what rounding leaves of nothing.
    deviation = 0.0 if deviation < FLAT else deviation
    downside = 0.0 if downside < FLAT else downside
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
        result.omega_ratio = sums.gains / -sums.losses
    return mean, two


@compiled
def _tail(returns, lowest, bound, room, result):
    """The lowest 5 % of R.

    VaR is the 5 % quantile of R, between two returns in proportion; CVaR the mean of the
    floor((n - 1) 5 %) + 1 lowest returns, so ties at the quantile count once each.

    Only `lowest`, the returns under `bound`, is looked at when it has enough of them: far
    fewer. The quantile is found by halving the range it lies in.
    """
    at = (returns.size - 1) * TAIL
    rank = int(at)
    some = lowest
    low, high, below, inside = result.worst_day, bound, 0, lowest.size
    if lowest.size < rank + 2:
        some, high, inside = returns, result.best_day, returns.size
    for _ in range(HALVINGS):
        if inside <= FEW_LEFT:
            break
        middle = 0.5 * (low + high)
        count = 0
        for row in range(some.size):
            count += some[row] < middle
        if count <= rank:
            low, inside, below = middle, inside + below - count, count
        else:
            high, inside = middle, count - below
    left = 0
    for row in range(some.size):
        room[left] = some[row]
        left += low <= some[row] <= high
    near = room[:left]
    _sort(near)
    edge, above = near[rank - below], np.inf
    total, under, upto = 0.0, 0, 0
    for row in range(some.size):
        r = some[row]
        total += r if r < edge else 0.0
        under += r < edge
        upto += r <= edge
        above = r if edge < r < above else above
    if upto >= rank + 2:
        above = edge
    result.var_95 = edge + (above - edge) * (at - rank)
    result.cvar_95 = (total + (rank + 1 - under) * edge) / (rank + 1)


@compiled
def _sort(values):
    """In place, ascending; there are few."""
    for at in range(1, values.size):
        value, put = values[at], at
        while put > 0 and values[put - 1] > value:
            values[put] = values[put - 1]
            put -= 1
        values[put] = value


@compiled
def _relate(n, mean, squares, periods, risk_free, sums, result):
    """R against B, step by step over the fund's own NAV dates.

    beta              cov(R, B) / var(B)
    alpha (Jensen)    (1 + mean(R - rf_N - beta (B - rf_N)))^N - 1, only from a year on
    correlation       cov(R, B) / sqrt(var(R) var(B)); r_squared is its square
    tracking error    std(R - B, n - 1) sqrt(N)
    information ratio mean(R - B) / std(R - B, n - 1) sqrt(N)
    up capture        [prod(1 + R)^(N / m) - 1] / [prod(1 + B)^(N / m) - 1] over the m steps
                      with B > 0; down capture over those with B < 0
    """
    level = sums.shift_against + sums.against / n
    active = mean - level
    spread = max(sums.against_two - sums.against / n * sums.against, 0.0)
    joint = sums.joint - sums.one / n * sums.against
    apart = sums.one - sums.against
    differences = max(sums.active_two - apart / n * apart, 0.0)
    deviation = np.sqrt(differences / (n - 1))
    deviation = 0.0 if deviation < FLAT else deviation
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
    if sums.ups:
        power = periods / sums.ups
        result.up_capture = _yearly(sums.up, power) / _yearly(sums.up_against, power)
    else:
        result.reasons |= NO_UP
    if sums.downs:
        power = periods / sums.downs
        result.down_capture = _yearly(sums.down, power) / _yearly(sums.down_against, power)
    else:
        result.reasons |= NO_DOWN


@compiled
def _yearly(growth, power):
    return growth**power - 1.0


@compiled
def _follow(dates, days, closes, lag, gaps, levels, against):
    """The benchmark's return over each step but those over gaps, the last one first.

    They go into `against`.

    A NAV date's close is the last one on or before it, `lag` sessions earlier where the fund
    values its holdings that much later. Returns how many returns are known, counted from the
    last: before them is a date without a close on or before it, or only with one that is too
    old. -1: the last date has none.
    """
    if days.size == 0:
        return -1
    last = dates.size - 1
    unknown = -1
    seen = np.searchsorted(days, dates[0])  # sessions up to the date
    row = 0
    while row <= last:
        # For long stretches the fund's dates are the sessions.
        ahead = min(STRETCH, last + 1 - row, days.size - seen)
        ours, theirs = dates[row : row + ahead], days[seen : seen + ahead]
        apart = 0
        for at in range(ahead):
            apart += ours[at] != theirs[at]
        if apart == 0 and ahead > 0 and seen >= lag:
            levels[row : row + ahead] = closes[seen - lag : seen + ahead - lag]
            seen += ahead
            row += ahead
            continue
        while seen < days.size and days[seen] <= dates[row]:
            seen += 1
        if seen <= lag or dates[row] - days[seen - 1] > START_TOLERANCE_DAYS:
            unknown = row
        levels[row] = closes[max(seen - 1 - lag, 0)]
        row += 1
    found = 0
    for row in range(last, unknown + 1, -1):
        if not gaps[row]:
            against[found] = levels[row] / levels[row - 1] - 1.0
            found += 1
    return found


@compiled
def _add_gaps(dates, gaps, sums):
    """What `_periods_per_year` needs to know of the days of each step over no gap."""
    one_day = short = week = weeks = weekend = np.int64(0)
    for row in range(1, dates.size):
        if gaps[row]:
            continue
        gap = np.int32(dates[row] - dates[row - 1])
        one_day += gap == 1
        short += gap <= 4
        week += np.uint32(gap - 5) <= np.uint32(4)  # from 5 to 9
        weeks += np.uint32(gap - 5) <= np.uint32(11)
        # 1970-01-01 was a Thursday
        weekend += np.uint32(dates[row] + 3) % np.uint32(7) >= np.uint32(5)
    sums.one_day += one_day
    sums.short += short
    sums.week += week
    sums.weeks += weeks
    sums.weekend += weekend


@compiled
def _periods_per_year(n, sums):
    """How often the fund publishes, judged by the gaps in days between its NAVs.

    Every calendar day (money funds): 9 of 10 gaps are one day and a fifth of the NAVs fall
    on weekends. Every session: 6 of 10 gaps are one day, 9 of 10 at most four (a weekend
    with a holiday), and at most 1 of 10 NAVs falls on a weekend (30 June, 31 December).
    Weekly: 7 of 10 gaps are 5 to 9 days, 9 of 10 are 5 to 16 (a skipped holiday week).
    Otherwise NaN: no factor would be right.
    """
    if sums.one_day >= 0.9 * n and sums.weekend >= 0.2 * n:
        return EVERY_DAY
    if sums.one_day >= 0.6 * n and sums.short >= 0.9 * n and sums.weekend <= 0.1 * n:
        return DAILY
    if sums.week >= 0.7 * n and sums.weeks >= 0.9 * n:
        return WEEKLY
    return np.nan
