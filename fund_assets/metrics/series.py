"""The total-return series of many funds in three flat arrays, fund after fund.

Belongs here: the layout and how it is built from unsorted columns, whole or in chunks.
Does not belong here: where the rows come from (`warehouse/`), what is computed on them
(`kernel.py`).

Funds differ in age and in how often they publish, so there is not a date × fund matrix with
holes: every fund has exactly its own rows, and memory is 12 bytes a row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fund_assets.calendar import days_to_keys, keys_to_days
from fund_assets.errors import FundAssetsError
from fund_assets.metrics.jit import compiled

CODES = 1_000_000
FIRST_DATE, LAST_DATE = 19_700_101, 21_001_231
#: What a chunk is: codes as integers, dates as yyyymmdd, index values; equal lengths.
Chunk = tuple[ArrayLike, ArrayLike, ArrayLike]
PlainChunk = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]

_FITS, _UNCOUNTED, _BAD_DATE, _BAD_VALUE = range(4)


class SeriesError(FundAssetsError, ValueError):
    """Rows are no series; the message names the fund, the date and the value."""


@dataclass(frozen=True)
class FundSeries:
    """Total-return index of many funds: V_t = V_t-1 (1 + return of the day).

    Build it with `from_rows` or `from_chunks`, which check what is below; the arrays are
    taken as they are. Only ratios V_t / V_s count, so the base is free (docs/returns.md).

    Attributes:
        codes: int32 [funds], ascending, unique: the fund code as a number, 000001 is 1.
        offsets: int64 [funds + 1]: fund i has the rows offsets[i] to offsets[i + 1] - 1.
        days: int32 [rows]: days since 1970-01-01, strictly ascending within a fund.
        values: float64 [rows]: total-return index, positive and finite; any base.
    """

    codes: NDArray[np.int32]
    offsets: NDArray[np.int64]
    days: NDArray[np.int32]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def rows(self) -> int:
        """Rows of all funds together."""
        return len(self.days)

    @classmethod
    def from_rows(cls, codes: ArrayLike, dates: ArrayLike, values: ArrayLike) -> "FundSeries":
        """Build from three columns in any order; a counting sort, not a comparison sort.

        Args:
            codes: [rows] fund codes, six-digit text or integers.
            dates: [rows] yyyymmdd.
            values: [rows] total-return index.

        Raises:
            SeriesError: a code that is not six digits, a date that is none, a value that is
                not positive and finite, or two rows of one fund on one date.
        """
        numbers = _plain(code_numbers(codes), np.int32)
        counts = np.zeros(CODES, np.int64)
        _count(numbers, counts)
        present = np.flatnonzero(counts)
        return cls.from_chunks(present, counts[present], [(numbers, dates, values)])

    @classmethod
    def from_chunks(
        cls,
        codes: NDArray[np.integer],
        counts: NDArray[np.integer],
        chunks: Iterable[Chunk],
    ) -> "FundSeries":
        """Build from chunks of rows in any order; memory is 12 bytes a row and one chunk.

        Args:
            codes: [funds] fund codes as integers, in any order, unique.
            counts: [funds] how many rows each of them has in all chunks together.
            chunks: (codes, dates yyyymmdd, values), each [rows of the chunk].

        Raises:
            SeriesError: more or fewer rows than counted, a date that is none, a value that
                is not positive and finite, or two rows of one fund on one date.
        """
        order = np.argsort(codes)
        numbers = code_numbers(np.asarray(codes)[order])
        offsets = np.zeros(len(numbers) + 1, np.int64)
        np.cumsum(np.asarray(counts)[order], out=offsets[1:])
        fund_of = np.full(CODES, -1, np.int32)
        fund_of[numbers] = np.arange(len(numbers), dtype=np.int32)
        days = np.empty(offsets[-1], np.int32)
        values = np.empty(offsets[-1], np.float64)
        ends = offsets[:-1].copy()
        for chunk in chunks:
            plain = _plain_chunk(chunk)
            at, fault = _place(plain, fund_of, _day_table(), offsets, ends, days, values)
            if fault != _FITS:
                raise SeriesError(_complaint(fault, *(column[at] for column in plain)))
        if len(short := np.flatnonzero(ends != offsets[1:])):
            fund = short[0]
            raise SeriesError(
                f"{len(short)} funds have fewer rows than counted, first "
                f"{numbers[fund]:06d}: {ends[fund] - offsets[fund]} of "
                f"{offsets[fund + 1] - offsets[fund]}; the read was cut short, run it again"
            )
        series = cls(numbers, offsets, days, values)
        series._sort()
        return series

    def only(self, codes: ArrayLike) -> "FundSeries":
        """The series of some funds, given by their codes; others of them are left out.

        Args:
            codes: six-digit text or integers; those without a series are ignored.

        Raises:
            SeriesError: a code that is not six digits.
        """
        chosen = np.isin(self.codes, code_numbers(codes))
        counts = np.diff(self.offsets)
        rows = np.repeat(chosen, counts)
        offsets = np.zeros(int(chosen.sum()) + 1, np.int64)
        np.cumsum(counts[chosen], out=offsets[1:])
        return FundSeries(self.codes[chosen], offsets, self.days[rows], self.values[rows])

    def until(self, last: int) -> "FundSeries":
        """The rows up to a date (yyyymmdd), included; funds without one are left out."""
        kept = self.days <= keys_to_days(np.array([last]))[0]
        if kept.all():
            return self
        before = np.concatenate(([0], np.cumsum(kept)))
        counts = before[self.offsets[1:]] - before[self.offsets[:-1]]
        offsets = np.concatenate(([0], np.cumsum(counts[counts > 0])))
        return FundSeries(self.codes[counts > 0], offsets, self.days[kept], self.values[kept])

    def there(self, dates: ArrayLike) -> NDArray[np.bool_]:
        """Whether each fund has a value on each of some dates: [funds, dates].

        Args:
            dates: yyyymmdd, ascending.
        """
        days = keys_to_days(np.asarray(dates, dtype=np.int64))
        found = np.zeros((len(self), len(days)), dtype=np.bool_)
        if not len(days):
            return found
        rows = np.flatnonzero(self.days >= days[0])
        at = np.searchsorted(days, self.days[rows])
        hit = days[np.minimum(at, len(days) - 1)] == self.days[rows]
        funds = np.searchsorted(self.offsets, rows[hit], side="right") - 1
        found[funds, at[hit]] = True
        return found

    def by_day(self, codes: ArrayLike, most_days: int, last: int) -> "FundSeries":
        """The same with a value for every calendar day of some funds.

        A step over up to `most_days` days becomes so many equal ones: a money-market fund's
        sum over three days is no day's return. Longer steps stay as they are, and so do those
        that end after `last`, which nobody knew then.

        Args:
            codes: six-digit text or integers; those without a series are ignored.
            last: yyyymmdd.

        Raises:
            SeriesError: a code that is not six digits.
        """
        days: list[NDArray[np.int32]] = []
        values: list[NDArray[np.float64]] = []
        until = keys_to_days(np.array([last]))[0]
        counts = np.diff(self.offsets)
        begin = 0
        for fund in np.flatnonzero(np.isin(self.codes, code_numbers(codes))):
            part = slice(self.offsets[fund], self.offsets[fund + 1])
            own_days, own = self.days[part], self.values[part]
            gap = np.diff(own_days, prepend=own_days[:1] - 1)
            repeats = np.where((gap > 1) & (gap <= most_days) & (own_days <= until), gap, 1)
            if repeats.max(initial=1) == 1:
                continue
            at = np.repeat(np.arange(len(own)), repeats)
            nth = np.arange(len(at)) - np.repeat(np.cumsum(repeats) - repeats, repeats) + 1
            left = repeats[at] - nth
            before = own[np.maximum(at - 1, 0)]
            between = before * (own[at] / before) ** (nth / repeats[at])
            days += [self.days[begin : part.start], (own_days[at] - left).astype(np.int32)]
            values += [self.values[begin : part.start], np.where(left == 0, own[at], between)]
            begin, counts[fund] = part.stop, len(at)
        if not days:
            return self
        offsets = np.zeros(len(self.offsets), np.int64)
        np.cumsum(counts, out=offsets[1:])
        return FundSeries(
            self.codes,
            offsets,
            np.concatenate([*days, self.days[begin:]]),
            np.concatenate([*values, self.values[begin:]]),
        )

    def since_silence(self, days: int) -> "FundSeries":
        """Each fund from its last NAV after more than `days` days without one.

        The index begins at 1 there again: what is before belongs to another series.
        """
        begins = np.flatnonzero(np.diff(self.days) > days) + 1
        begins = begins[~np.isin(begins, self.offsets)]
        if not len(begins):
            return self
        starts = self.offsets[:-1].copy()
        np.maximum.at(starts, np.searchsorted(self.offsets, begins, side="right") - 1, begins)
        kept = np.ones(self.rows, np.bool_)
        for fund in np.flatnonzero(starts != self.offsets[:-1]):
            kept[self.offsets[fund] : starts[fund]] = False
        offsets = np.zeros(len(self.offsets), np.int64)
        np.cumsum(self.offsets[1:] - starts, out=offsets[1:])
        return FundSeries(self.codes, offsets, self.days[kept], self.values[kept])

    def _sort(self) -> None:
        """Bring every fund's rows into date order; rows from a database mostly are."""
        unsorted = np.zeros(len(self), np.bool_)
        _find_disorder(self.offsets, self.days, unsorted)
        for fund in np.flatnonzero(unsorted):
            part = slice(self.offsets[fund], self.offsets[fund + 1])
            order = np.argsort(self.days[part], kind="stable")
            self.days[part] = self.days[part][order]
            self.values[part] = self.values[part][order]
            if len(twice := np.flatnonzero(np.diff(self.days[part]) == 0)):
                day = days_to_keys(self.days[part][twice[:1]])[0]
                raise SeriesError(
                    f"fund {self.codes[fund]:06d} has two rows on {day}: "
                    "a series has one value a date"
                )


def code_numbers(codes: ArrayLike) -> NDArray[np.int32]:
    """Fund codes, six-digit text or integers → int32; raises SeriesError for others."""
    given = np.asarray(codes)
    if given.dtype.kind not in "iu":
        texts = [str(code) for code in given]
        for text in texts:
            if not (len(text) == 6 and text.isascii() and text.isdigit()):
                raise SeriesError(f"fund code {text!r} is not six digits")
        given = np.array(texts, dtype=object).astype(np.int32)
    if given.size and not (given.min() >= 0 and given.max() < CODES):
        bad = given[(given < 0) | (given >= CODES)][0]
        raise SeriesError(f"fund code {bad} is not six digits")
    return np.asarray(given, dtype=np.int32)


@lru_cache(maxsize=1)
def _day_table() -> NDArray[np.int32]:
    """Days since 1970-01-01 by yyyymmdd - FIRST_DATE, -1 where that is not a date."""
    days = np.arange(keys_to_days(np.array([LAST_DATE]))[0] + 1, dtype=np.int32)
    table = np.full(LAST_DATE - FIRST_DATE + 1, -1, np.int32)
    table[days_to_keys(days) - FIRST_DATE] = days
    return table


def _plain(column: ArrayLike, dtype: type) -> NDArray[Any]:
    """`column` as the one array type the loops are compiled for; copied only if need be."""
    return np.require(column, dtype, ["C", "W"])


def _plain_chunk(chunk: Chunk) -> PlainChunk:
    codes, dates, values = chunk
    return _plain(codes, np.int32), _plain(dates, np.int32), _plain(values, np.float64)


def _complaint(fault: int, code: int, date: int, value: float) -> str:
    fund = f"fund {code:06d} on {date}"
    if fault == _BAD_DATE:
        return f"fund {code:06d}: {date} is not a date yyyymmdd"
    if fault == _BAD_VALUE:
        return f"{fund}: total-return index {value} is not positive and finite"
    return f"{fund}: more rows than counted; the table changed during the read, run it again"


@compiled
def _count(codes: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
    for code in codes:
        counts[code] += 1


@compiled
def _place(
    chunk: PlainChunk,
    fund_of: NDArray[np.int32],
    day_of: NDArray[np.int32],
    offsets: NDArray[np.int64],
    ends: NDArray[np.int64],
    days: NDArray[np.int32],
    values: NDArray[np.float64],
) -> tuple[int, int]:
    """Append each row to its fund; returns the row and the fault of the first that fails."""
    codes, dates, some = chunk
    for row in range(codes.size):
        code = codes[row]
        fund = fund_of[code] if 0 <= code < fund_of.size else -1
        if fund < 0 or ends[fund] == offsets[fund + 1]:
            return row, _UNCOUNTED
        date = dates[row] - FIRST_DATE
        if not 0 <= date < day_of.size or day_of[date] < 0:
            return row, _BAD_DATE
        if not 0.0 < some[row] < np.inf:
            return row, _BAD_VALUE
        days[ends[fund]] = day_of[date]
        values[ends[fund]] = some[row]
        ends[fund] += 1
    return 0, _FITS


@compiled
def _find_disorder(
    offsets: NDArray[np.int64], days: NDArray[np.int32], unsorted: NDArray[np.bool_]
) -> None:
    for fund in range(offsets.size - 1):
        for row in range(offsets[fund] + 1, offsets[fund + 1]):
            if days[row] <= days[row - 1]:
                unsorted[fund] = True
                break
