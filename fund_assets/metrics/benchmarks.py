"""What funds are measured against: the risk-free rate and benchmark indices.

Belongs here: both in the arrays that the kernel reads. Does not belong here: which fund has
which benchmark (`benchmarks/yardsticks.py`), where closes and rates are kept (`warehouse/`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fund_assets.calendar import keys_to_days
from fund_assets.errors import FundAssetsError
from fund_assets.metrics.kernel import NO_DAY


class AgainstError(FundAssetsError, ValueError):
    """Rates or closes are not usable; the message names the date and the value."""


@dataclass(frozen=True)
class RiskFreeRate:
    """An annual rate that changes on certain days; a fraction, 0.015 is 1.5 %.

    A window uses the mean over its calendar days, the start's not counted; one step of it is
    (1 + mean)^(1 / N) - 1 with N the returns in a year.

    Attributes:
        days: int32 [steps], ascending: days since 1970-01-01 from which each rate holds.
        rates: float64 [steps]: fractions; the first holds before its day too.
    """

    days: NDArray[np.int32]
    rates: NDArray[np.float64]

    @classmethod
    def constant(cls, rate: float) -> "RiskFreeRate":
        """One rate for ever, as a fraction; it is not checked."""
        return cls(np.array([NO_DAY]), np.array([rate], dtype=np.float64))

    @classmethod
    def from_rows(cls, dates: ArrayLike, rates: ArrayLike) -> "RiskFreeRate":
        """Rates by the dates from which they hold, in any order.

        Args:
            dates: [steps] yyyymmdd; each rate holds until the next date, the first before too.
            rates: [steps] annual, as fractions above -1.

        Raises:
            AgainstError: no rate at all, two from one date, or one that is not above -1.
        """
        keys, values = np.asarray(dates, np.int64), np.asarray(rates, np.float64)
        if not len(keys):
            raise AgainstError("a dated risk-free rate needs at least one date")
        order = np.argsort(keys)
        keys, values = keys[order], values[order]
        if len(twice := np.flatnonzero(np.diff(keys) == 0)):
            raise AgainstError(f"two risk-free rates hold from {keys[twice[0]]}: keep one")
        if not ((values > -1) & np.isfinite(values)).all():
            bad = values[~((values > -1) & np.isfinite(values))][0]
            raise AgainstError(f"risk-free rate {bad} is not a fraction such as 0.015")
        return cls(keys_to_days(keys), values)

    def mean(self, start: int, end: int) -> float:
        """The mean annual rate over the days after `start` up to `end`, since 1970-01-01."""
        days = np.arange(start + 1, end + 1)
        at = np.searchsorted(self.days, days, side="right") - 1
        return float(self.rates[np.maximum(at, 0)].mean())


@dataclass(frozen=True)
class Benchmarks:
    """Closes of some indices, and which fund is measured against which.

    The benchmark's return of a step is close(t) / close(t-1) - 1 on the fund's own two NAV
    dates: of each the last close on or before it, at most START_TOLERANCE_DAYS old, and so
    many sessions earlier as `choice` says.

    Attributes:
        codes: index codes, such as 000300, or formulas of them.
        offsets: int64 [indices + 1]: index i has the rows offsets[i] to offsets[i + 1] - 1.
        days: int32 [rows]: days since 1970-01-01, ascending within an index.
        closes: float64 [rows]: index points, positive and finite.
        choice: fund code as a number → (number of its index, sessions its closes come late).
        about: what the rows of a fund say of its benchmark: columns such as
            `benchmark_basis` of `schemas.tables.FUND_METRICS`, by fund code as a number.
    """

    codes: tuple[str, ...]
    offsets: NDArray[np.int64]
    days: NDArray[np.int32]
    closes: NDArray[np.float64]
    choice: Mapping[int, tuple[int, int]]
    about: pd.DataFrame | None = None

    @classmethod
    def none(cls) -> "Benchmarks":
        """No benchmark for any fund."""
        return cls((), np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0), {})

    @classmethod
    def from_frame(
        cls, closes: pd.DataFrame, choice: Mapping[str, tuple[str, int]]
    ) -> "Benchmarks":
        """Closes in any order.

        Args:
            closes: columns index_code (str), nav_date (yyyymmdd) and close.
            choice: fund code → (index code, sessions its closes come late). An index
                without closes is allowed: its funds get the reason instead of values.

        Raises:
            AgainstError: a close that is not positive, or two of one index on one date.
        """
        frame = closes.sort_values(["index_code", "nav_date"], ignore_index=True)
        bad = frame[~(frame["close"] > 0) | ~np.isfinite(frame["close"])]
        twice = frame[frame.duplicated(["index_code", "nav_date"])]
        for wrong, words in ((bad, "is not positive"), (twice, "appears twice")):
            if len(wrong):
                row = wrong.iloc[0]
                raise AgainstError(
                    f"index {row['index_code']} on {row['nav_date']}: close "
                    f"{row['close']} {words}"
                )
        codes = sorted({code for code, _ in choice.values()})
        parts = [frame[frame["index_code"] == code] for code in codes]
        offsets = np.zeros(len(codes) + 1, np.int64)
        np.cumsum([len(part) for part in parts], out=offsets[1:])
        rows = pd.concat(parts) if parts else frame.iloc[:0]
        return cls(
            tuple(codes),
            offsets,
            keys_to_days(rows["nav_date"].to_numpy(np.int64)),
            rows["close"].to_numpy(np.float64),
            {int(fund): (codes.index(code), late) for fund, (code, late) in choice.items()},
        )

    @classmethod
    def from_levels(
        cls,
        levels: Sequence[tuple[str, NDArray[np.int32], NDArray[np.float64]]],
        choice: Mapping[int, int],
        about: pd.DataFrame,
    ) -> "Benchmarks":
        """Indices that are made already.

        Args:
            levels: what each index is called, its days since 1970-01-01, ascending, and levels.
            choice: fund code as a number → number of its index.
            about: as the attribute.
        """
        offsets = np.zeros(len(levels) + 1, np.int64)
        np.cumsum([len(days) for _, days, _ in levels], out=offsets[1:])
        return cls(
            tuple(code for code, _, _ in levels),
            offsets,
            np.concatenate([days for _, days, _ in levels] or [np.empty(0, np.int32)]),
            np.concatenate([values for _, _, values in levels] or [np.empty(0)]),
            {fund: (number, 0) for fund, number in choice.items()},
            about,
        )

    def chosen(self, funds: NDArray[np.int32]) -> NDArray[np.int32]:
        """[funds, 2]: number of each fund's index, -1 for none, and its lateness."""
        found = np.full((len(funds), 2), -1, np.int32)
        for row, fund in enumerate(funds.tolist()):
            if fund in self.choice:
                found[row] = self.choice[fund]
        return found
