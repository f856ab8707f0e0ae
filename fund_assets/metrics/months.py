"""Returns by whole months, and the Morningstar-style return adjusted for risk made from them.

Belongs here: month ends, the returns between them, MRAR. Does not belong here: daily measures
(`kernel.py`), groups and ranks (`scores.py`).

A month is whole once no weekday of it is left on the calculation date. Its end value is the
fund's last NAV on or before its last day, at most VALUE_AGE_DAYS old.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fund_assets.calendar import from_key, keys_to_days
from fund_assets.metrics.benchmarks import RiskFreeRate
from fund_assets.metrics.jit import compiled
from fund_assets.metrics.series import FundSeries
from fund_assets.schemas.age import VALUE_AGE_DAYS

#: How much an investor minds losses more than gains: Morningstar's gamma.
RISK_AVERSION = 2.0


@dataclass(frozen=True)
class MonthReturns:
    """Total returns of funds in consecutive whole months, the newest last.

    Attributes:
        codes: int32 [funds], as in the series.
        ends: int32 [months + 1]: the months' last days, since 1970-01-01; the first is the
            end before the first month.
        returns: float64 [funds, months], fractions; NaN where an end has no value.
    """

    codes: NDArray[np.int32]
    ends: NDArray[np.int32]
    returns: NDArray[np.float64]

    def last(self, months: int) -> NDArray[np.float64]:
        """[funds, months] returns of the last months; NaN before the first month there is."""
        have = self.returns.shape[1]
        found = np.full((len(self.codes), months), np.nan)
        taken = min(months, have)
        found[:, months - taken :] = self.returns[:, have - taken :]
        return found


def month_ends(calc_date: int, months: int) -> NDArray[np.int32]:
    """The last days of the last `months` whole months and of the one before them."""
    day = np.datetime64(from_key(calc_date))
    month = day.astype("datetime64[M]")
    end = (month + 1).astype("datetime64[D]") - 1
    left = np.busday_count(day + 1, end + 1)
    last = month if left == 0 else month - 1
    firsts = last + 1 - np.arange(months, -1, -1)
    return np.asarray((firsts.astype("datetime64[D]") - 1).astype(np.int32))


def month_returns(series: FundSeries, calc_date: int, months: int) -> MonthReturns:
    """The funds' returns in the last whole months before a date.

    Args:
        series: total-return indices; rows after `calc_date` are ignored.
        calc_date: yyyymmdd.
        months: how many.
    """
    ends = month_ends(calc_date, months)
    # NAVs after calc_date may lie before the end of a month without another weekday.
    seen_until = np.minimum(ends, keys_to_days(np.array([calc_date]))[0])
    values = np.empty((len(series), months + 1))
    _values_at(
        series.offsets, series.days, series.values, ends, seen_until, VALUE_AGE_DAYS, values
    )
    return MonthReturns(series.codes, ends, values[:, 1:] / values[:, :-1] - 1)


def mrar(
    returns: NDArray[np.float64], ends: NDArray[np.int32], rate: RiskFreeRate
) -> NDArray[np.float64]:
    """Yearly return of a sure investment that is worth as much to a risk-averse investor.

    [mean((1 + g)^-2)]^(-12 / 2) - 1 with g = (1 + r) / (1 + rf) - 1 the return of a month
    over the risk-free one, (1 + annual rate)^(1 / 12) - 1 by the mean of its days
    (Morningstar's risk-adjusted return with gamma 2).

    Args:
        returns: [funds, months] fractions.
        ends: [months + 1] last days of the months and of the one before.

    Returns:
        [funds] fractions; NaN where any month is missing.
    """
    annual = np.array([rate.mean(a, b) for a, b in pairwise(ends)])
    growth = (1 + returns) / (1 + annual) ** (1 / 12)
    worth = np.mean(growth**-RISK_AVERSION, axis=1)
    found: NDArray[np.float64] = worth ** (-12 / RISK_AVERSION) - 1
    return found


@compiled
def _values_at(
    offsets: NDArray[np.int64],
    days: NDArray[np.int32],
    values: NDArray[np.float64],
    ends: NDArray[np.int32],
    seen_until: NDArray[np.int32],
    oldest_days: int,
    found: NDArray[np.float64],
) -> None:
    """Each fund's value at each end: its last on or before it, if that is not too old."""
    for fund in range(offsets.size - 1):
        row, last = offsets[fund] - 1, offsets[fund + 1] - 1
        for at in range(ends.size):
            while row < last and days[row + 1] <= seen_until[at]:
                row += 1
            found[fund, at] = np.nan
            if row >= offsets[fund] and ends[at] - days[row] <= oldest_days:
                found[fund, at] = values[row]
