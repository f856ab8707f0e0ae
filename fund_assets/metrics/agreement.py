"""Our returns next to those that the source states: equal to the last digit, or why not.

Belongs here: the comparison, a verdict on each difference, and on which day a dividend is
missing. Does not belong here: reading the rows (`warehouse/`), what kind of event is missing
(`nav/inference.py`), of which the pipeline makes one.

A window ends on the date for which the return is stated, and starts as those of our own metrics
do (`windows.py`). What is tried on a difference, in this order:

1. rounding: it is one unit of the last printed digit, or what the steps of our index allow that
   are made of growths of two decimals;
2. later_correction: both are equal with the NAV of either end as it was before its correction;
3. different_window: all returns of the class are equal when the windows end some NAVs earlier,
   for the source computes them later than it publishes;
4. unrecorded_dividend: the source's are higher, in every window that contains the same days.
   The accumulated NAV convicts the step. Where that says nothing, a fall does that is as large
   as the factor and has no other near it; or a longer window with the same factor; or a factor
   that no shift of a window could make, in two windows or beside another missing dividend;
5. different_window: the others are equal when their windows start a NAV earlier or later;
6. unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import days_to_keys, keys_to_days
from fund_assets.metrics.kernel import START_TOLERANCE_DAYS
from fund_assets.metrics.windows import start_days

Floats = NDArray[np.float64]
Days = NDArray[np.int32]
#: Half a unit, and one and a half, of the last of two printed decimals; in percent points.
EQUAL_PP, ROUNDING_PP = 0.005 + 1e-9, 0.015 + 1e-9
#: So many NAVs before the newest may be the last that the source's returns know.
MOST_LATE = 5
#: A fall is a dividend when it is so many times the usual step, and no other is half of it.
UNUSUAL = 5.0
#: Columns of what `compare` returns.
COMPARED = [
    "fund_code",
    "nav_date",
    "window",
    "theirs",
    "ours",
    "difference",
    "verdict",
    "located_on",
    "evidence",
]
#: fund_code, ex_date and `gain`: the share of the NAV after the step that was paid out.
MISSING = ["fund_code", "ex_date", "gain"]


@dataclass(frozen=True)
class Agreement:
    """What a comparison found.

    Attributes:
        rows: columns of COMPARED, a row for each return stated.
        missing: columns of MISSING, a row for each dividend that is missing and located.
    """

    rows: pd.DataFrame
    missing: pd.DataFrame


def compare(
    rows: pd.DataFrame, stated: pd.DataFrame, earlier: pd.DataFrame | None = None
) -> Agreement:
    """Hold returns of the source against ours.

    Args:
        rows: fund_code, nav_date, total_return_index, unit_nav, acc_nav (NaN where absent) and
            `digit`, the unit of the last digit of both NAVs, and `unsure`, by which share the
            step to it may be off; of a fund together and ascending, from before the first
            window on.
        stated: fund_code, nav_date, window (a name of `windows.py`) and theirs (percent), one
            date for each fund; of funds without a NAV on it nothing is returned.
        earlier: fund_code, nav_date, ratio: NAVs before their corrections over those after.
    """
    days = keys_to_days(rows["nav_date"].to_numpy())
    names = ("total_return_index", "unit_nav", "acc_nav", "digit", "unsure")
    columns = [rows[name].to_numpy(dtype=float) for name in names]
    pieces = _pieces(rows["fund_code"])
    before: dict[str, list[tuple[int, float]]] = {}
    for row in earlier.itertuples() if earlier is not None else ():
        before.setdefault(str(row.fund_code), []).append((int(row.nav_date), float(row.ratio)))
    stated = stated.sort_values("fund_code", kind="stable")
    dates, windows = stated["nav_date"].tolist(), stated["window"].tolist()
    theirs = stated["theirs"].to_numpy(dtype=float)
    found: list[list[object]] = []
    missing: list[tuple[str, int, float]] = []
    for code, told in _pieces(stated["fund_code"]).items():
        if code not in pieces:
            continue
        piece = pieces[code]
        one = _Series(days[piece], *(column[piece] for column in columns))
        if (end := one.row_of(dates[told.start])) < 0:
            continue
        fund = _Fund(one, end, windows[told], theirs[told], before.get(code, []))
        for at, verdict in enumerate(fund.verdicts(), told.start):
            ours = float(fund.ours[at - told.start])
            found.append(
                [code, dates[at], windows[at], theirs[at], ours, ours - theirs[at], *verdict]
            )
        missing += [(code, one.key(row), gain) for row, gain in fund.missing.items()]
    return Agreement(
        pd.DataFrame(found, columns=COMPARED), pd.DataFrame(missing, columns=MISSING)
    )


def _pieces(codes: pd.Series) -> dict[str, slice]:
    """Code → its rows, which lie together."""
    values = codes.to_numpy(dtype=object)
    begins = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])[: len(values)])
    ends = [*begins[1:].tolist(), len(values)]
    return (
        {
            str(values[first]): slice(first, end)
            for first, end in zip(begins.tolist(), ends, strict=True)
        }
        if len(values)
        else {}
    )


@dataclass(frozen=True)
class _Series:
    """NAVs of one fund, ascending."""

    days: Days
    index: Floats
    unit: Floats
    acc: Floats
    digit: Floats
    unsure: Floats

    def row_of(self, key: int) -> int:
        """The row of a date; -1: there is none."""
        day = int(keys_to_days(np.array([key]))[0])
        row = int(np.searchsorted(self.days, day))
        return row if row < len(self.days) and self.days[row] == day else -1

    def key(self, row: int) -> int:
        """The date of a row, yyyymmdd."""
        return int(days_to_keys(self.days[[row]])[0])

    def starts(self, end: int, windows: Sequence[str]) -> list[int]:
        """The row that each window starts from; -1 where no NAV stands for its start."""
        starts = start_days(self.days[[end]], windows)[0]
        rows = np.searchsorted(self.days, starts, side="right") - 1
        stale = starts - self.days[np.maximum(rows, 0)] > START_TOLERANCE_DAYS
        found: list[int] = np.where((rows < 0) | stale, -1, rows).tolist()
        return found

    def returned(self, start: int, end: int) -> float:
        """Percent from one row to another; NaN without a start."""
        return 100 * (self.index[end] / self.index[start] - 1) if start >= 0 else np.nan


#: Verdict, the day it is located on (None: not known) and the evidence.
_Verdict = tuple[str, int | None, str]


class _Fund:
    """The returns of one fund next to those that the source states.

    Attributes:
        ours: percent, NaN without a start.
        missing: row of each missing dividend that is located → its gain.
    """

    def __init__(
        self,
        series: _Series,
        end: int,
        windows: list[str],
        theirs: Floats,
        before: list[tuple[int, float]],
    ) -> None:
        self._series, self._end, self._windows, self._theirs = series, end, windows, theirs
        self._before = before
        self._starts = series.starts(end, windows)
        self.ours = np.array([series.returned(start, end) for start in self._starts])
        self.missing: dict[int, float] = {}

    def verdicts(self) -> list[_Verdict]:
        """One for each window."""
        apart = np.abs(self.ours - self._theirs)
        found: list[_Verdict | None] = [
            ("not_compared", None, "no NAV at the window's start")
            if gap != gap
            else ("equal", None, "")
            if gap <= EQUAL_PP
            else ("rounding", None, f"{gap:.4f} percent points apart")
            if gap <= ROUNDING_PP + self._rounding(at)
            else self._corrected(at)
            for at, gap in enumerate(apart.tolist())
        ]
        for explain in (self._ended_earlier, self._dividends_missing, self._started_otherwise):
            if None in found:
                for at, verdict in explain(found).items():
                    found[at] = found[at] or verdict
        return [verdict or ("unknown", None, "nothing explains it") for verdict in found]

    def _rounding(self, at: int) -> float:
        """Percent points by which our own return may be off."""
        steps = self._series.unsure[self._starts[at] + 1 : self._end + 1]
        return (100 + float(self.ours[at])) * float(steps.sum())

    def _corrected(self, at: int) -> _Verdict | None:
        """Equal with a NAV as it was before its correction."""
        start, end = self._series.key(self._starts[at]), self._series.key(self._end)
        grown = 1 + self.ours[at] / 100
        at_start = [ratio for day, ratio in self._before if day == start]
        at_end = [ratio for day, ratio in self._before if day == end]
        for begun in (1.0, *at_start):
            for ended in (1.0, *at_end):
                if self._equal(at, 100 * (grown * ended / begun - 1)):
                    day = start if begun != 1.0 else end
                    return "later_correction", day, f"equal with the NAV of {day} before"
        return None

    def _equal(self, at: int, ours: float) -> bool:
        return bool(abs(ours - self._theirs[at]) <= EQUAL_PP)

    def _ended_earlier(self, found: list[_Verdict | None]) -> dict[int, _Verdict]:
        """All returns are equal when the windows end some NAVs earlier."""
        known = [at for at, start in enumerate(self._starts) if start >= 0]
        series = self._series
        for end in range(self._end - 1, max(self._end - 1 - MOST_LATE, -1), -1):
            starts = series.starts(end, self._windows)
            if len(known) > 1 and all(
                self._equal(at, series.returned(starts[at], end)) for at in known
            ):
                return self._for_all(found, f"equal when the windows end on {series.key(end)}")
        return {}

    def _started_otherwise(self, found: list[_Verdict | None]) -> dict[int, _Verdict]:
        """The others are equal when their windows start a NAV later, or earlier."""
        others = [at for at, one in enumerate(found) if one is None]
        for shift, words in ((1, "later"), (-1, "earlier")):
            starts = [self._starts[at] + shift for at in others]
            if all(
                0 <= start < self._end
                and self._equal(at, self._series.returned(start, self._end))
                for at, start in zip(others, starts, strict=True)
            ):
                return self._for_all(found, f"equal when the windows start a NAV {words}")
        return {}

    def _for_all(self, found: list[_Verdict | None], words: str) -> dict[int, _Verdict]:
        verdict = ("different_window", None, words)
        return {at: verdict for at, one in enumerate(found) if one is None}

    def _dividends_missing(self, found: list[_Verdict | None]) -> dict[int, _Verdict]:
        """The source's are higher by what missing dividends explain."""
        said: list[str] = []
        convicted: dict[int, _Verdict] = {}
        located: int | None = None
        for span in self._gains():
            rows = self._locate(span, beside=bool(said))
            if rows is None and not said:
                return {}
            if rows is None:
                return {at: one for at, one in convicted.items() if at not in span.windows}
            self.missing |= rows
            days = [self._series.key(row) for row in sorted(rows)]
            located = days[0] if days else located
            between = (self._series.key(span.first), self._series.key(span.last))
            where = (
                "on " + " and ".join(map(str, days))
                if days
                else "after {}, until {}".format(*between)
            )
            said.append(f"{span.gain:.2%} of the NAV was paid out {where}")
            for at in span.windows:
                if found[at] is None:
                    convicted[at] = ("unrecorded_dividend", located, "; ".join(said)[:400])
        return convicted

    def _gains(self) -> list["_Span"]:
        """Parts of the windows in which the source's index rose more, the latest first.

        Nothing where the windows contradict each other: a dividend is in each that contains it.
        """
        factors = (1 + self._theirs / 100) / (1 + self.ours / 100)
        unsure = EQUAL_PP / 100 / (1 + self.ours / 100) + 1e-9
        known = [at for at, start in enumerate(self._starts) if start >= 0]
        known.sort(key=lambda at: -self._starts[at])
        spans: list[_Span] = []
        last, factor, error = self._end, 1.0, 0.0
        for place, at in enumerate(known):
            gain = float(factors[at] / factor) - 1
            wide = float(unsure[at]) + error
            if gain < -3 * wide:
                return []
            if gain > wide:
                spans.append(_Span(self._starts[at], last, gain, wide, known[place:]))
            elif spans and spans[-1].windows[1:] == known[place:]:
                spans[-1] = replace(spans[-1], confirmed=True)
            last, factor, error = self._starts[at], float(factors[at]), float(unsure[at])
        return spans

    def _locate(self, span: "_Span", *, beside: bool) -> dict[int, float] | None:
        """Row → gain of each dividend in a part; empty: it is not known where; None: none."""
        s, steps = self._series, np.arange(span.first + 1, span.last + 1)
        before = steps - 1
        unit, base = s.unit[steps], s.unit[before]
        with np.errstate(invalid="ignore", divide="ignore"):
            grown = s.index[steps] / s.index[before]
            paid = (s.acc[steps] - s.acc[before]) - (unit - base)
            gains = (unit + paid) / base / grown - 1
            close = 4 * s.digit[steps] / unit + span.error
        if np.isnan(gains).all():
            return self._by_fall(span, steps, unit / base - 1, beside=beside)
        by_acc = gains - span.gain
        if len(hits := np.flatnonzero(np.abs(by_acc) <= close)) == 1:
            return {int(steps[hits[0]]): float(gains[hits[0]])}
        several = np.flatnonzero(gains > close)
        if len(several) > 1:
            whole = float(np.prod(1 + gains[several])) - 1
            if abs(whole - span.gain) <= float(close[several].sum()):
                return {int(steps[at]): float(gains[at]) for at in several}
        copied = np.nanmax(np.abs(s.acc[steps] - unit)) < 1e-9
        if not copied:
            return None
        return self._by_fall(span, steps, unit / base - 1, beside=beside)

    def _by_fall(
        self, span: "_Span", steps: NDArray[np.int64], moves: Floats, *, beside: bool
    ) -> dict[int, float] | None:
        """The step that falls by the gain, where no other comes near."""
        moves = np.nan_to_num(moves)
        usual = 1.4826 * float(np.median(np.abs(moves - np.median(moves))))
        order = np.argsort(moves)
        deepest = -float(moves[order[0]])
        second = -float(moves[order[1]]) if len(order) > 1 else 0.0
        expected = span.gain / (1 + span.gain)
        if (
            expected > UNUSUAL * usual
            and abs(deepest - expected) <= 3 * usual + span.error
            and second < expected / 2
        ):
            return {int(steps[order[0]]): span.gain}
        several = len(span.windows) > 1 or beside
        return {} if span.confirmed or (several and self._beyond_shifts(span)) else None

    def _beyond_shifts(self, span: "_Span") -> bool:
        """Whether a gain is more than ends that lie two NAVs otherwise could make of it."""
        level, moved = np.log(self._series.index), 0.0
        for row in (span.first, span.last, self._end):
            near = level[max(row - 2, 0) : row + 3]
            moved = max(moved, float(np.abs(near - level[row]).max()))
        return span.gain > moved


@dataclass(frozen=True)
class _Span:
    """A part of the windows: the rows it lies between, how much is missing, and in which.

    Attributes:
        confirmed: a longer window has the same factor.
    """

    first: int
    last: int
    gain: float
    error: float
    windows: list[int]
    confirmed: bool = False
