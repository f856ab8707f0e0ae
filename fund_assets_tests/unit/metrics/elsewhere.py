"""The measures as empyrical-reloaded, scipy and numpy compute them, where definitions agree.

Agreement of kernel and our own reference in one misreading would show here.
"""

import empyrical
import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]


def measures(
    levels: Floats,
    closes: Floats | None,
    span: int,
    n: float,
    rate: float,
    counted: NDArray[np.bool_] | None = None,
) -> dict[str, float]:
    """Measures of one window by the names of `fund_metrics`.

    Args:
        levels: the fund's index values, the start's first.
        closes: the benchmark's for the same days; None: no measures against one.
        span: calendar days between first and last value.
        n: returns in a year.
        rate: risk-free, a year, as a fraction.
        counted: which steps are a day's return; None: all. The others count in returns from
            end to end and in falls.
    """
    steps = levels[1:] / levels[:-1] - 1
    counted = np.ones(len(steps), dtype=bool) if counted is None else counted
    r = steps[counted]
    free = (1 + rate) ** (1 / n) - 1
    calendar = len(steps) * 365 / span
    falls = (levels / np.maximum.accumulate(levels) - 1)[1:]
    found = {
        "total_return": empyrical.cum_returns_final(steps),
        "annualized_return": empyrical.annual_return(steps, annualization=calendar),
        "annualized_volatility": empyrical.annual_volatility(r, annualization=n),
        "downside_deviation": empyrical.downside_risk(r, free, annualization=n),
        "sharpe_ratio": empyrical.sharpe_ratio(r, free, annualization=n),
        "sortino_ratio": empyrical.sortino_ratio(r, free, annualization=n),
        "calmar_ratio": empyrical.calmar_ratio(steps, annualization=calendar),
        "omega_ratio": empyrical.omega_ratio(r, required_return=rate, annualization=n),
        "max_drawdown": empyrical.max_drawdown(steps),
        "current_drawdown": falls[-1],
        "ulcer_index": np.sqrt(np.mean(falls**2)),
        "var_95": empyrical.value_at_risk(r),
        "cvar_95": empyrical.conditional_value_at_risk(r),
        "skewness": stats.skew(r),
        "kurtosis": stats.kurtosis(r),
        "best_day": r.max(),
        "worst_day": r.min(),
    }
    if closes is None:
        return found
    b = (closes[1:] / closes[:-1] - 1)[counted]
    found |= {
        "alpha": empyrical.alpha(r, b, free, annualization=n),
        "beta": empyrical.beta(r, b, free),
        "correlation": np.corrcoef(r, b)[0, 1],
        "r_squared": np.corrcoef(r, b)[0, 1] ** 2,
        "tracking_error": empyrical.annual_volatility(r - b, annualization=n),
        "information_ratio": empyrical.excess_sharpe(r, b) * n**0.5,
    }
    for name, chosen in (("up_capture", b > 0), ("down_capture", b < 0)):
        ours, theirs = (empyrical.annual_return(x[chosen], annualization=n) for x in (r, b))
        found[name] = ours / theirs
    return found
