"""A benchmark of weighted parts as one index.

Belongs here: the level of a formula, from closes, exchange rates and interest rates. Does not
belong here: which fund has which formula (`yardsticks.py`), measuring against it (`metrics/`).

The return of a step is the sum of weight times return of the parts: they are brought back to
their weights on every date on which one of them has a close. Interest is a 365th of the annual
rate for each calendar day.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.benchmarks.deposit_rates import Steps
from fund_assets.calendar import keys_to_days
from fund_assets.schemas.age import VALUE_AGE_DAYS


@dataclass(frozen=True)
class Leg:
    """A part of a formula: either closes or a rate.

    Attributes:
        weight: share, as a fraction; 1 for a rate on top of the others.
        closes: code of the closes.
        times, over: codes of exchange rates that multiply and divide the closes; may be empty.
        rate: annual interest by the days from which it holds; None for closes.
    """

    weight: float
    closes: str = ""
    times: str = ""
    over: str = ""
    rate: Steps | None = None


@dataclass(frozen=True)
class Formula:
    """What a fund is measured against.

    Attributes:
        label: as people read it, such as `000300` or `0.9 000300 + 0.1 H11001`.
        pieces: (yyyymmdd, parts) ascending: from which day the parts hold. Without parts:
            what held is not known. Before the first piece nothing is known.
    """

    label: str
    pieces: tuple[tuple[int, tuple[Leg, ...]], ...]


class Market:
    """Closes of all codes, on the dates of all of them.

    Attributes:
        days: int32 [dates], ascending: days since 1970-01-01.
    """

    def __init__(self, closes: pd.DataFrame) -> None:
        """Take the columns index_code (str), nav_date (yyyymmdd) and close, in any order."""
        days = keys_to_days(closes["nav_date"].to_numpy(np.int64))
        self.days = np.sort(pd.unique(days))
        place = np.zeros(int(self.days[-1]) + 1 if len(self.days) else 0, np.int32)
        place[self.days] = np.arange(len(self.days))
        numbers, names = pd.factorize(closes["index_code"])
        order = np.argsort(numbers, kind="stable")
        ends = np.cumsum(np.bincount(numbers, minlength=len(names)))
        at, values = place[days[order]], closes["close"].to_numpy(np.float64)[order]
        self._rows = {
            str(name): (at[low:high], values[low:high])
            for name, low, high in zip(names, [0, *ends.tolist()], ends.tolist(), strict=False)
        }
        self._filled: dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]] = {}

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes that have a close."""
        return frozenset(self._rows)

    def levels(
        self, formula: Formula, since: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Days and levels of a formula; the first known level is 1.

        Only the stretch without a hole up to the newest date is given: empty when a part has
        no close.

        Args:
            since: day since 1970-01-01; older dates are left out as far as they are not needed.
        """
        first = int(np.searchsorted(self.days, since - VALUE_AGE_DAYS))
        legs = [leg for _, parts in formula.pieces for leg in parts if leg.closes]
        if not legs or any(leg.closes not in self._rows for leg in legs):
            return self.days[:0], np.empty(0)
        quoted = np.zeros(len(self.days) - first, bool)
        for leg in legs:
            quoted |= self._close(leg.closes)[1][first:]
        at = first + np.flatnonzero(quoted)
        if len(at) < 2:
            return self.days[:0], np.empty(0)
        steps = np.full(len(at) - 1, np.nan)
        ends = self.days[at[1:]]
        for key, parts in formula.pieces:
            holds = ends >= (keys_to_days(np.array([key]))[0] if key else 0)
            steps[holds] = self._steps(parts, at)[holds]
        known = np.flatnonzero(~np.isnan(steps))
        if not len(known):
            return self.days[:0], np.empty(0)
        last = int(known[-1]) + 1
        holes = np.flatnonzero(np.isnan(steps[:last]))
        begin = int(holes[-1]) + 1 if len(holes) else 0
        levels = np.concatenate(([1.0], np.cumprod(1.0 + steps[begin:last])))
        return self.days[at[begin : last + 1]], levels

    def _steps(self, parts: tuple[Leg, ...], at: NDArray[np.intp]) -> NDArray[np.float64]:
        total = np.full(len(at) - 1, 0.0 if parts else np.nan)
        for leg in parts:
            if leg.rate is not None:
                total += leg.weight * np.diff(interest(leg.rate, self.days[at]))
                continue
            values = self._close(leg.closes)[0][at]
            if leg.times:
                values = values * self._close(leg.times)[0][at]
            if leg.over:
                values = values / self._close(leg.over)[0][at]
            total += leg.weight * (values[1:] / values[:-1] - 1.0)
        return total

    def _close(self, code: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The last close on or before each date, and whether the date itself has one."""
        if code not in self._filled:
            values, own = np.full(len(self.days), np.nan), np.zeros(len(self.days), bool)
            if code in self._rows:
                at, closes = self._rows[code]
                own[at] = True
                newest = np.maximum.accumulate(np.where(own, np.arange(len(own)), -1))
                values[at] = closes
                values = np.where(newest >= 0, values[newest], np.nan)
                age = self.days - self.days[np.maximum(newest, 0)]
                values[age > VALUE_AGE_DAYS] = np.nan
            self._filled[code] = values, own
        return self._filled[code]


def interest(steps: Steps, days: NDArray[np.int32]) -> NDArray[np.float64]:
    """Interest from the first step to each day, as a fraction; NaN before the first step.

    Args:
        steps: annual rates by the dates (yyyymmdd) from which they hold; 0 is for ever.
        days: ascending, days since 1970-01-01.
    """
    dated = np.array([key or 19700101 for key, _ in steps], np.int64)
    begins = keys_to_days(dated).astype(np.float64)
    rates = np.array([rate for _, rate in steps]) / 365.0
    before = np.concatenate(([0.0], np.cumsum(np.diff(begins) * rates[:-1])))
    at = np.searchsorted(begins, days, side="right") - 1
    found = (
        before[np.maximum(at, 0)]
        + (days - begins[np.maximum(at, 0)]) * rates[np.maximum(at, 0)]
    )
    return np.where(at < 0, np.nan, found)
