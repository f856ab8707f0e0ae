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

NULLABLE = (
    "start_date",
    "periods_per_year",
    "total_return",
    "annualized_return",
    "annualized_volatility",
    "sharpe_ratio",
    "max_drawdown",
    "max_drawdown_peak",
    "max_drawdown_trough",
)


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


def periods_of(days: list[date]) -> float | None:
    gaps = [(b - a).days for a, b in pairwise(days)]
    n = len(gaps)
    weekend = sum(day.isoweekday() > 5 for day in days[1:])

    def share(low: int, high: int) -> float:
        return sum(low <= gap <= high for gap in gaps) / n

    if share(1, 1) >= 0.9 and weekend / n >= 0.2:
        return 365.0
    if share(1, 1) >= 0.6 and share(1, 4) >= 0.9 and weekend / n <= 0.1:
        return 250.0
    if share(5, 9) >= 0.7 and share(5, 16) >= 0.9:
        return 52.0
    return None


def measure(history: list[tuple[date, float]], window: str, risk_free: float) -> dict:
    """All measures of one fund in one window; `history` ends on the fund's last NAV."""
    last = history[-1][0]
    wanted = start_of(window, last)
    result = dict.fromkeys(NULLABLE)
    result |= {"end_date": last, "observations": 0}
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

    reasons = []
    days, values = [day for day, _ in rows], [value for _, value in rows]
    result |= {"start_date": days[0], "observations": len(rows) - 1}
    result["total_return"] = values[-1] / values[0] - 1
    span = (days[-1] - days[0]).days
    if span >= 365:
        result["annualized_return"] = (values[-1] / values[0]) ** (365 / span) - 1
    else:
        reasons.append("annualized_return: under a year")

    returns = [b / a - 1 for a, b in pairwise(values)]
    periods = periods_of(days)
    if len(returns) < 10:
        reasons.append("volatility and sharpe_ratio: under 10 returns")
    elif periods is None:
        reasons.append("volatility and sharpe_ratio: NAV dates of no known frequency")
    else:
        result["periods_per_year"] = periods
        deviation = statistics.stdev(returns)
        result["annualized_volatility"] = deviation * math.sqrt(periods)
        if deviation < 1e-12:
            reasons.append("sharpe_ratio: returns do not vary")
        else:
            excess = statistics.fmean(returns) - ((1 + risk_free) ** (1 / periods) - 1)
            result["sharpe_ratio"] = excess / deviation * math.sqrt(periods)

    highs = accumulate(values, max)
    falls = [value / high - 1 for value, high in zip(values, highs, strict=True)]
    worst = min(falls)
    result["max_drawdown"] = worst
    if worst == 0:
        reasons.append("max_drawdown dates: no fall")
    else:
        trough = falls.index(worst)
        high = max(values[: trough + 1])
        peak = max(at for at in range(trough) if values[at] == high)
        result |= {"max_drawdown_peak": days[peak], "max_drawdown_trough": days[trough]}
    return result | {"reason": "; ".join(reasons)}


def compute(
    histories: dict[str, list[tuple[date, float]]],
    end: date,
    windows: list[str],
    risk_free: float,
) -> pd.DataFrame:
    """One row per fund and window, dates as yyyymmdd, missing values None."""
    rows = []
    for code, history in sorted(histories.items()):
        seen = sorted((day, value) for day, value in history if day <= end)
        for window in windows if seen else []:
            found = measure(seen, window, risk_free)
            for name in ("start_date", "end_date", "max_drawdown_peak", "max_drawdown_trough"):
                if found[name]:
                    found[name] = int(f"{found[name]:%Y%m%d}")
            rows.append({"fund_code": code, "window": window, **found})
    return pd.DataFrame(rows)
