"""The metric definitions a second time: slow, in plain Python, one fund at a time.

Written from the words of `docs/metrics.md`, not from the kernel, so that a mistake in one of
them shows as a difference.
"""

import math
import statistics
from calendar import monthrange
from datetime import date, timedelta
from itertools import accumulate, pairwise

import pandas as pd

from fund_assets.calendar import TradingCalendar, to_key

DATES = (
    "start_date",
    "end_date",
    "max_drawdown_peak",
    "max_drawdown_trough",
    "max_drawdown_recovery",
)
_NULLABLE = """
    start_date periods_per_year total_return annualized_return annualized_volatility
    downside_deviation sharpe_ratio sortino_ratio calmar_ratio omega_ratio max_drawdown
    max_drawdown_peak max_drawdown_trough max_drawdown_recovery max_drawdown_days
    current_drawdown var_95 cvar_95 skewness kurtosis best_day worst_day month_win_rate
    volatility_weekly sharpe_weekly ulcer_index benchmark_code alpha beta r_squared correlation tracking_error
    information_ratio up_capture down_capture
"""
NULLABLE = tuple(_NULLABLE.split())
Closes = list[tuple[date, float]]


def start_of(window: str, last: date) -> date | None:
    """The day a window starts from; None: wherever the fund does."""
    if window == "inception":
        return None
    if window == "ytd":
        return date(last.year - 1, 12, 31)
    count, unit = int(window[:-1]), window[-1]
    if unit in "dw":
        return last - timedelta(days=count * (7 if unit == "w" else 1))
    months = last.year * 12 + last.month - 1 - count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(last.day, monthrange(year, month + 1)[1]))


def over_gaps(days: list[date]) -> set[date]:
    """The dates whose step from the NAV before goes over a gap, by the rhythm around it."""
    opened = TradingCalendar.build().positions([to_key(day) for day in days]).tolist()
    sessions = [b - a for a, b in pairwise(opened)]
    apart = [(b - a).days for a, b in pairwise(days)]
    rests = sum(length in (2, 3) for length in sessions)
    usual = 3 if rests >= 3 and rests >= 0.015 * len(sessions) else 1

    def longest(some: list[int]) -> tuple[str, float] | None:
        if len(some) < 5:
            return None
        ends = {days[at + 1].isoweekday() for at in some}
        if all(apart[at] == 1 for at in some) and {6, 7} <= ends:
            return "days", 1
        if sum(sessions[at] <= 1 for at in some) > len(some) / 2:
            return "sessions", usual
        if sum(3 <= sessions[at] <= 7 for at in some) > len(some) / 2:
            return "sessions", 9
        return "sessions", math.inf

    found = set()
    for at in range(len(sessions)):
        before = list(range(max(0, at - 10), at))
        after = list(range(at + 1, min(at + 11, len(sessions))))
        known = [side for side in (longest(before), longest(after)) if side]
        if not known:
            continue
        by_sessions = [limit for unit, limit in known if unit == "sessions"]
        limit = max(by_sessions) if by_sessions else None
        if apart[at] > 1 if limit is None else sessions[at] > limit:
            found.add(days[at + 1])
    return found


def periods_of(days: list[date], skipped: set[date]) -> float | None:
    steps = [(a, b) for a, b in pairwise(days) if b not in skipped]
    gaps = [(b - a).days for a, b in steps]
    n = len(gaps)
    weekend = sum(day.isoweekday() > 5 for _, day in steps)

    def share(low: int, high: int) -> float:
        return sum(low <= gap <= high for gap in gaps) / n

    if share(1, 1) >= 0.9 and weekend / n >= 0.2:
        return 365.0
    if share(1, 1) >= 0.6 and share(1, 4) >= 0.9 and weekend / n <= 0.1:
        return 250.0
    if share(5, 9) >= 0.7 and share(5, 16) >= 0.9:
        return 52.0
    return None


def close_on(closes: Closes, day: date, late: int) -> float | None:
    """The close that stands for a day: the last one, `late` sessions earlier."""
    known = [at for at, (session, _) in enumerate(closes) if session <= day]
    if not known or (day - closes[known[-1]][0]).days > 15 or known[-1] < late:
        return None
    return closes[known[-1] - late][1]


def mean_rate(rates: list[tuple[date, float]], start: date, end: date) -> float:
    """The mean over the days after `start`, `end` included."""
    days = [start + timedelta(days=n) for n in range(1, (end - start).days + 1)] or [end]
    return statistics.fmean(
        ([rate for since, rate in rates if since <= day] or [rates[0][1]])[-1] for day in days
    )


def month_wins(days: list[date], values: list[float], skipped: set[date]) -> float | None:
    """Share of whole months that ended higher than the month before did."""
    followed = {a for a, b in pairwise(days) if b in skipped}
    last_days = {day.year * 12 + day.month: day for day in days}
    ends: dict[int, float] = {}
    for day, value in zip(days, values, strict=True):
        ends[day.year * 12 + day.month] = value
    after = days[-1] + timedelta(days=1)
    while after.isoweekday() > 5:
        after += timedelta(days=1)
    if after.month == days[-1].month:
        del ends[days[-1].year * 12 + days[-1].month]
    wins = [
        value > ends[month - 1]
        for month, value in ends.items()
        if month - 1 in ends and not {last_days[month], last_days[month - 1]} & followed
    ]
    return sum(wins) / len(wins) if wins else None


def weekly_returns(history: list[tuple[date, float]], window: str) -> list[float]:
    """Returns of whole weeks, from Friday to Friday, by the words of the source's figures."""
    last = history[-1][0]
    navs: dict[date, tuple[date, float]] = {}
    for day, value in history:
        if day.isoweekday() <= 5:
            navs[day + timedelta(days=5 - day.isoweekday())] = (day, value)
    calendar = TradingCalendar.build()

    def opened(day: date) -> int:
        return int(calendar.positions([to_key(day)])[0])

    over = [friday for friday in navs if friday <= last or opened(friday) == opened(last)]
    if not over:
        return []
    start = start_of(window, last if window == "ytd" else over[-1])
    return [
        navs[friday][1] / navs[before][1] - 1
        for before, friday in pairwise(over)
        if (start is None or friday > start)
        and opened(navs[friday][0]) - opened(navs[before][0]) <= 9
    ]


def quantile(values: list[float], share: float) -> float:
    ranked = sorted(values)
    at = (len(ranked) - 1) * share
    low = math.floor(at)
    return ranked[low] + (ranked[low + 1] - ranked[low]) * (at - low)


def measure(
    history: list[tuple[date, float]],
    window: str,
    rates: list[tuple[date, float]],
    benchmark: tuple[str, Closes, int] | None = None,
) -> dict:
    """All measures of one fund in one window; `history` ends on the fund's last NAV."""
    last = history[-1][0]
    wanted = start_of(window, last)
    result = dict.fromkeys(NULLABLE)
    result |= {"end_date": last, "observations": 0, "gap_steps": 0, "reason": ""}
    result |= {"risk_free_rate": mean_rate(rates, last, last)}
    result["benchmark_code"] = benchmark and benchmark[0]
    if wanted is None:
        rows = history
    else:
        before = [at for at, (day, _) in enumerate(history) if day <= wanted]
        if not before:
            return result | {"reason": f"no NAV on or before {wanted}"}
        rows = history[before[-1] :]
        if (wanted - rows[0][0]).days > 15:
            return result | {"reason": f"last NAV before {wanted} is over 15 days older"}
    if len(rows) == 1:
        return result | {"reason": "only one NAV"}

    days, values = [day for day, _ in rows], [value for _, value in rows]
    skipped = over_gaps([day for day, _ in history])
    counted = [day not in skipped for day in days[1:]]
    returns = [b / a - 1 for (a, b), ok in zip(pairwise(values), counted, strict=True) if ok]
    result |= {"start_date": days[0], "observations": len(returns)}
    result |= {"gap_steps": len(counted) - len(returns)}
    result |= {"risk_free_rate": mean_rate(rates, days[0], last)}
    result |= {"total_return": values[-1] / values[0] - 1}
    reasons = set()
    if returns:
        result |= {"best_day": max(returns), "worst_day": min(returns)}
    else:
        reasons.add("best_day, worst_day: every step goes over a gap")
    span = (days[-1] - days[0]).days
    if span >= 365:
        result["annualized_return"] = (values[-1] / values[0]) ** (365 / span) - 1
    else:
        reasons.add("annualized_return, calmar_ratio, alpha: under a year")
    reasons |= _falls(result, days, values)
    result["month_win_rate"] = month_wins(days, values, skipped)
    if result["month_win_rate"] is None:
        reasons.add("month_win_rate: no whole month")

    weeks = weekly_returns(history, window)
    if len(weeks) < 10:
        reasons.add("volatility_weekly, sharpe_weekly: under 10 weekly returns")
    else:
        deviation = statistics.stdev(weeks)
        result["volatility_weekly"] = deviation * math.sqrt(52)
        if deviation < 1e-12:
            reasons.add("sharpe_weekly: weekly returns do not vary")
        else:
            excess = 52 * statistics.fmean(weeks) - result["risk_free_rate"]
            result["sharpe_weekly"] = excess / result["volatility_weekly"]

    closes = None
    if benchmark is None:
        reasons.add("benchmark: none for this kind of fund")
    else:
        code, index, late = benchmark
        closes = [close_on(index, day, late) for day in days]
        pairs = [pair for pair, ok in zip(pairwise(closes), counted, strict=True) if ok]
        if any(None in pair for pair in pairs):
            reasons.add(f"benchmark: {code} has no close for every NAV date")
            closes = None
    periods = periods_of(days, skipped) if returns else None
    if len(returns) < 10:
        reasons.add("risk measures: under 10 returns")
    elif periods is None:
        reasons.add("risk measures: NAV dates of no known frequency")
    else:
        result["periods_per_year"] = periods
        free = (1 + result["risk_free_rate"]) ** (1 / periods) - 1
        reasons |= _distribution(result, returns, periods, free)
        if closes:
            against = [b / a - 1 for a, b in pairs]
            reasons |= _comparison(result, returns, against, periods, free, span, code)
    order = list(REASON_ORDER(code if benchmark else ""))
    return result | {"reason": "; ".join(sorted(reasons, key=order.index))}


def REASON_ORDER(code: str):
    yield "annualized_return, calmar_ratio, alpha: under a year"
    yield "risk measures: under 10 returns"
    yield "risk measures: NAV dates of no known frequency"
    yield "sharpe_ratio, skewness, kurtosis, correlation: returns do not vary"
    yield "sortino_ratio, omega_ratio: no return below the risk-free rate"
    yield "max_drawdown dates, calmar_ratio: no fall"
    yield "max_drawdown_recovery: not recovered yet"
    yield "month_win_rate: no whole month"
    yield "benchmark: none for this kind of fund"
    yield f"benchmark: {code} has no close for every NAV date"
    yield f"alpha, beta, correlation: {code} does not vary"
    yield f"up_capture: {code} never rose"
    yield f"down_capture: {code} never fell"
    yield f"information_ratio: returns equal those of {code}"
    yield "best_day, worst_day: every step goes over a gap"
    yield "volatility_weekly, sharpe_weekly: under 10 weekly returns"
    yield "sharpe_weekly: weekly returns do not vary"


def _falls(result: dict, days: list[date], values: list[float]) -> set[str]:
    highs = list(accumulate(values, max))
    falls = [value / high - 1 for value, high in zip(values, highs, strict=True)]
    worst = min(falls)
    result |= {"max_drawdown": worst, "current_drawdown": falls[-1]}
    result["ulcer_index"] = math.sqrt(math.fsum(f * f for f in falls) / (len(falls) - 1))
    if worst == 0:
        return {"max_drawdown dates, calmar_ratio: no fall"}
    trough = falls.index(worst)
    high = highs[trough]
    peak = max(at for at in range(trough) if values[at] == high)
    back = [day for day, value in rows_after(days, values, trough) if value >= high]
    result |= {"max_drawdown_peak": days[peak], "max_drawdown_trough": days[trough]}
    result["max_drawdown_recovery"] = back[0] if back else None
    result["max_drawdown_days"] = ((back or [days[-1]])[0] - days[peak]).days
    if result["annualized_return"] is not None:
        result["calmar_ratio"] = result["annualized_return"] / abs(worst)
    return set() if back else {"max_drawdown_recovery: not recovered yet"}


def rows_after(days: list[date], values: list[float], row: int):
    return list(zip(days, values, strict=True))[row:]


def _distribution(result: dict, returns: list[float], periods: float, free: float) -> set[str]:
    n, reasons = len(returns), set()
    mean, root = statistics.fmean(returns), math.sqrt(periods)
    deviation = statistics.stdev(returns)
    excess = [r - free for r in returns]
    result["annualized_volatility"] = deviation * root
    downside = math.sqrt(math.fsum(min(e, 0) ** 2 for e in excess) / n)
    result["downside_deviation"] = downside * root
    if deviation < 1e-12:
        reasons.add("sharpe_ratio, skewness, kurtosis, correlation: returns do not vary")
    else:
        result["sharpe_ratio"] = (mean - free) / deviation * root
        two, three, four = (math.fsum((r - mean) ** k for r in returns) / n for k in (2, 3, 4))
        result |= {"skewness": three / two**1.5, "kurtosis": four / two**2 - 3}
    if downside < 1e-12:
        reasons.add("sortino_ratio, omega_ratio: no return below the risk-free rate")
    else:
        result["sortino_ratio"] = (mean - free) * periods / (downside * root)
        losses = -math.fsum(min(e, 0) for e in excess)
        result["omega_ratio"] = math.fsum(max(e, 0) for e in excess) / losses
    result["var_95"] = quantile(returns, 0.05)
    lowest = sorted(returns)[: int((n - 1) * 0.05) + 1]
    result["cvar_95"] = statistics.fmean(lowest)
    return reasons


def _comparison(
    result: dict,
    returns: list[float],
    against: list[float],
    periods: float,
    free: float,
    span: int,
    code: str,
) -> set[str]:
    reasons = set()
    active = [r - b for r, b in zip(returns, against, strict=True)]
    deviation = statistics.stdev(active)
    result["tracking_error"] = deviation * math.sqrt(periods)
    if deviation < 1e-12:
        reasons.add(f"information_ratio: returns equal those of {code}")
    else:
        ratio = statistics.fmean(active) / deviation
        result["information_ratio"] = ratio * math.sqrt(periods)
    if statistics.stdev(against) < 1e-12:
        reasons.add(f"alpha, beta, correlation: {code} does not vary")
    else:
        beta = statistics.covariance(returns, against) / statistics.variance(against)
        result["beta"] = beta
        if span >= 365:
            steps = [
                r - free - beta * (b - free) for r, b in zip(returns, against, strict=True)
            ]
            result["alpha"] = (1 + statistics.fmean(steps)) ** periods - 1
        if statistics.stdev(returns) >= 1e-12:
            result["correlation"] = statistics.correlation(returns, against)
            result["r_squared"] = result["correlation"] ** 2
    for name, words, chosen in (
        ("up_capture", "rose", [at for at, b in enumerate(against) if b > 0]),
        ("down_capture", "fell", [at for at, b in enumerate(against) if b < 0]),
    ):
        if not chosen:
            reasons.add(f"{name}: {code} never {words}")
            continue
        ours, theirs = (
            math.prod(1 + some[at] for at in chosen) ** (periods / len(chosen)) - 1
            for some in (returns, against)
        )
        result[name] = ours / theirs
    return reasons


def compute(
    histories: dict[str, list[tuple[date, float]]],
    end: date,
    windows: list[str],
    rates: float | list[tuple[date, float]],
    benchmarks: dict[str, tuple[str, Closes, int]] | None = None,
) -> pd.DataFrame:
    """One row per fund and window, dates as yyyymmdd, missing values None."""
    dated = [(date(1990, 1, 1), rates)] if isinstance(rates, float) else rates
    rows = []
    for code, history in sorted(histories.items()):
        seen = sorted((day, value) for day, value in history if day <= end)
        for window in windows if seen else []:
            found = measure(seen, window, dated, (benchmarks or {}).get(code))
            for name in DATES:
                if found[name]:
                    found[name] = int(f"{found[name]:%Y%m%d}")
            rows.append({"fund_code": code, "window": window, **found})
    return pd.DataFrame(rows)
