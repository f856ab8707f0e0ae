"""Whether an accumulated NAV goes with the unit NAV, the events and the published growth.

Belongs here: the readings of the accumulated NAV, and which values none of them explains.
Does not belong here: what becomes of such a value (`rules.py`, `verdicts.py`), or returns
(`returns.py`).

Managers add up differently, but each keeps to a reading. With U the unit NAV, D yuan paid per
share and S new shares per old share, a share gains G = U·S + D − U₋₁ in a step, or U₋₁·g by the
published growth g, and the accumulated NAV moves by ΔC = P·G. The base P is 1 where dividends
and splits are added up, the product of the splits so far where they are scaled in, and C/U
where the whole is scaled. A fund whose old splits nobody recorded shows its P in its own steps.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.nav.timeline import keys_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]

#: Half a unit of the second decimal of published growth, and a tenth of it for binary digits.
GROWTH_HALF_DIGIT = 0.000055
#: C/U of a fund's first accumulated NAV, unless its recorded events tell another level.
LEVELS = (0.2, 5.0)
LARGE_SHARES = 50.0
#: A page moves a fund's first accumulated NAV by less than this share of it, as it does others.
RESTATED = 0.005
#: While a fund's base is not known, it is at least this; at most 1, C/U or its splits.
LEAST_BASE = 0.02
#: A base is learned from a step that is so many times its rounding.
CLEAR_STEP = 10.0
#: Events and growth that differ by so much of the NAV: a split may be missing, the base new.
BROKEN_STEP = 0.01
#: In a history, so many rows in line with each other after a break confirm what is new.
LASTING = 5
BINARY = 1e-9


@dataclass(frozen=True)
class Accumulation:
    """Rows of funds as the judgement needs them; arrays of one length, NaN where absent.

    Rows of one fund stand together, ascending by date.

    Attributes:
        unit_nav, acc_nav, growth_pct: as published.
        dividend, split: events of the row, as `returns.step_returns` has them.
        base: product of all recorded splits of the fund up to the row, itself included.
        paid: recorded dividends up to the row, each times the splits before it.
        first: whether the row is its fund's first.
        open: whether the row's accumulated NAV is to be judged; others are taken as they are.
        disputed: whether another one is stored for the same date.
        restated: yuan by which it is apart from that one beyond the unit NAV; NaN for none.
    """

    unit_nav: Floats
    acc_nav: Floats
    growth_pct: Floats
    dividend: Floats
    split: Floats
    base: Floats
    paid: Floats
    first: Bools
    open: Bools
    disputed: Bools
    restated: Floats


@dataclass(frozen=True)
class Judgement:
    """What no reading explains.

    Attributes:
        unexplained: of every row, whether its accumulated NAV is.
        against: of every row, the row it was judged against, -1 for none.
    """

    unexplained: Bools
    against: Rows


def levels_of_events(keys: NDArray[np.int64], events: pd.DataFrame) -> tuple[Floats, Floats]:
    """`base` and `paid` of rows with ascending keys (`timeline.keys_of`).

    Args:
        events: columns of FUND_EVENTS; the recorded ones count, whatever their date.
    """
    base, paid = np.ones(len(keys)), np.zeros(len(keys))
    told = events[events["status"] == "recorded"]
    if told.empty or not len(keys):
        return base, paid
    told = told.assign(key=keys_of(told["fund_code"], told["ex_date"])).sort_values("key")
    splits = told["value"].where(told["kind"] == "split", 1.0)
    product = splits.groupby(told["fund_code"]).cumprod()
    payout = told["value"].where(told["kind"] == "dividend", 0.0) * product
    total = payout.groupby(told["fund_code"]).cumsum()
    key = told["key"].to_numpy()
    at = np.searchsorted(key, keys, side="right") - 1
    ours = at >= 0
    ours[ours] = key[at[ours]] // 100_000_000 == keys[ours] // 100_000_000
    base[ours] = product.to_numpy()[at[ours]]
    paid[ours] = total.to_numpy()[at[ours]]
    return base, paid


def judge(rows: Accumulation, *, recorded: bool) -> Judgement:
    """Which open rows have an accumulated NAV that no reading explains.

    Each is judged against the last accumulated NAV of its fund that is taken, however long
    ago, so that a lasting error never becomes its own witness. The first of a fund is judged
    by its level alone, and beside the one that is stored, which no page moves far.

    Args:
        recorded: the rows are a history, which shows the days after a break too: there a new
            level that lasts, with the base of before, is taken.
    """
    found = np.zeros(len(rows.unit_nav), dtype=bool)
    against = np.full(len(rows.unit_nav), -1)
    at = np.flatnonzero(~np.isnan(rows.acc_nav) & ~np.isnan(rows.unit_nav))
    is_open = rows.open[at]
    if not is_open.any():
        return Judgement(found, against)
    number = np.cumsum(rows.first)[at]
    begins = np.ones(len(at), dtype=bool)
    begins[1:] = number[1:] != number[:-1]
    walk = _Walk.along(rows, at, begins, recorded=recorded)
    before = np.where(begins, -1, np.arange(len(at)) - 1)
    wrong = np.zeros(len(at), dtype=bool)
    judged = np.flatnonzero(is_open)
    wrong[judged] = ~walk.fits(before[judged], judged, before[judged])
    if wrong.any():
        starts = np.flatnonzero(begins)
        ends = np.append(starts[1:], len(at))
        doubtful = np.add.reduceat(wrong, starts) > 0
        can_last = ~rows.disputed[at] & recorded
        _follow(walk, starts[doubtful], ends[doubtful], is_open, can_last, before, wrong)
    found[at] = wrong
    against[at] = np.where(before >= 0, at[before], -1)
    return Judgement(found, against)


def _follow(
    walk: "_Walk",
    starts: Rows,
    ends: Rows,
    is_open: Bools,
    can_last: Bools,
    before: Rows,
    wrong: Bools,
) -> None:
    """Judge funds row by row, each row against the last one taken; row k of all funds at once.

    A row may go with the one taken before that instead: then the last one was wrong by too
    little to show. Fills `before` and `wrong`.
    """
    taken, earlier = np.full((2, len(starts)), -1)
    rival = np.full(len(starts), -1)  # the last row of those in line with each other since
    begun = np.full(len(starts), -1)  # and the first
    moved = np.zeros(len(starts), dtype=bool)
    for step in range(int((ends - starts).max())):
        alive = np.flatnonzero(starts + step < ends)
        now = starts[alive] + step
        last = taken[alive]
        good = ~is_open[now] | walk.fits(last, now, last)
        again = np.flatnonzero(~good & (earlier[alive] >= 0))
        second = earlier[alive[again]]
        good[again] = walk.fits(second, now[again], second)
        before[now], wrong[now] = last, ~good
        other = rival[alive]
        follows = ~good & (other >= 0) & (last >= 0) & can_last[now]
        follows[follows] = walk.fits(other[follows], now[follows], last[follows])
        begun[alive] = np.where(follows, begun[alive], now)
        moved[alive] = follows & (moved[alive] | walk.clearly_moved(other, now))
        rival[alive] = np.where(good | ~can_last[now], -1, now)
        lasts = follows & moved[alive] & (now - begun[alive] >= LASTING)
        for one in np.flatnonzero(lasts):
            wrong[begun[alive[one]] : now[one] + 1] = False
        rival[alive[lasts]] = -1
        good |= lasts
        earlier[alive] = np.where(good, last, earlier[alive])
        taken[alive] = np.where(good, now, last)


@dataclass(frozen=True)
class _Walk:
    """The rows that have both NAVs, with what their fund has gained so far.

    Attributes:
        level: C as recorded events alone make it.
        by_events, by_growth: gains of a share, added up.
        restated: the page would move it far from the one that is stored.
        learned: base that the clearest step so far shows, `unsure` by so much; `known`: it is
            clear enough to exclude others.
    """

    unit: Floats
    acc: Floats
    no_growth: Bools
    split: Floats
    base: Floats
    level: Floats
    by_events: Floats
    by_growth: Floats
    digit: Floats
    acc_digit: Floats
    learned: Floats
    unsure: Floats
    known: Bools
    restated: Bools

    @classmethod
    def along(cls, rows: Accumulation, at: Rows, begins: Bools, *, recorded: bool) -> "_Walk":
        """Lay out the rows `at`, of which some are their fund's first."""
        carried = _carried(rows)
        before = np.empty_like(carried)
        before[1:] = carried[:-1]
        before[rows.first] = np.nan
        gains = carried * rows.split + rows.dividend - before
        gains[np.isnan(gains)] = 0.0
        grown = before * rows.growth_pct / 100.0
        by_events = np.cumsum(gains)[at]
        by_growth = np.cumsum(np.where(np.isnan(grown), gains, grown))[at]
        unit, acc, split = rows.unit_nav[at], rows.acc_nav[at], rows.split[at]
        digit, acc_digit = _digit(unit), _digit(acc)
        gain, move, apart = np.zeros((3, len(at)))
        gain[1:], move[1:] = np.diff(by_events), np.diff(acc)
        apart[1:] = np.abs(gain[1:] - np.diff(by_growth)) / unit[:-1]
        broken = begins | (split != 1.0) | (apart > BROKEN_STEP)
        size = np.where(broken | (apart > 4.0 * GROWTH_HALF_DIGIT), 0.0, np.abs(gain))
        clearest = _clearest(size, broken)
        size = size[clearest]
        there = size > 0.0
        learned = np.ones(len(at))
        np.divide(move[clearest], gain[clearest], out=learned, where=there)
        rounding = acc_digit + np.abs(learned) * digit
        unsure = np.zeros(len(at))
        np.divide(rounding, size, out=unsure, where=there)
        return cls(
            unit=unit,
            acc=acc,
            no_growth=np.isnan(grown)[at],
            split=split,
            base=rows.base[at],
            level=rows.base[at] * unit + rows.paid[at],
            by_events=by_events,
            by_growth=by_growth,
            digit=digit,
            acc_digit=acc_digit,
            learned=learned,
            unsure=unsure,
            known=there & (size >= CLEAR_STEP * rounding) & (learned >= LEAST_BASE),
            restated=(rows.restated[at] > RESTATED * acc) & (not recorded),
        )

    def fits(self, before: Rows, now: Rows, sure: Rows) -> Bools:
        """Whether the accumulated NAV of `now` goes with that of `before`, -1: with none.

        Args:
            sure: the rows that tell the fund's base: `before`, or one that is beyond doubt.
        """
        slack = np.maximum(self.digit[before], self.digit[now]) * np.maximum(self.split[now], 1)
        rounding = np.maximum(self.acc_digit[before], self.acc_digit[now]) + BINARY
        move = self.acc[now] - self.acc[before]
        gain = self.by_events[now] - self.by_events[before]
        fits: Bools = np.abs(move - gain) <= rounding + slack
        fits[before < 0] = False
        rest = np.flatnonzero(~fits)
        fits[rest] = self._fits_otherwise(
            before[rest], now[rest], sure[rest], move[rest], rounding[rest], slack[rest]
        )
        return fits

    def _fits_otherwise(
        self, before: Rows, now: Rows, sure: Rows, move: Floats, rounding: Floats, slack: Floats
    ) -> Bools:
        """As `fits`, for rows of which the accumulated NAV does not move as unit NAV does."""
        unit = self.unit[before]
        base, ratio = self.base[before], self.acc[sure] / self.unit[sure]
        learned, known = self.learned[sure], self.known[sure]
        high = np.maximum(np.maximum(1.0, ratio), base)
        fits = np.zeros(len(now), dtype=bool)
        for gain, unclear in (
            (self.by_events[now] - self.by_events[before], slack),
            (self.by_growth[now] - self.by_growth[before], slack + GROWTH_HALF_DIGIT * unit),
        ):
            for one in (1.0, base, ratio):
                fits |= np.abs(move - one * gain) <= rounding + one * unclear
            own = rounding + np.abs(learned) * unclear + self.unsure[sure] * np.abs(gain)
            fits |= known & (np.abs(move - learned * gain) <= own)
            low, top = LEAST_BASE * gain, high * gain
            between = move >= np.minimum(low, top) - 1.5 * rounding
            between &= move <= np.maximum(low, top) + 1.5 * rounding
            fits |= between & ~known
        # A payout that nobody recorded and no growth tells: unit NAV falls, the other hardly.
        fallen = unit - self.unit[now]
        fits |= self.no_growth[now] & (fallen > 0.0) & (np.abs(move) <= fallen)
        return np.asarray(np.where(before < 0, self._plausible(now), fits))

    def _plausible(self, now: Rows) -> Bools:
        """Whether an accumulated NAV can be a fund's first, by its level."""
        acc, unit = self.acc[now], self.unit[now]
        fits = _within(acc / unit) | _within(acc / self.level[now])
        # Traded bond funds made one share of a hundred; old lists lack these splits.
        fits |= (unit >= LARGE_SHARES) & _within(100.0 * acc / unit)
        return fits & ~self.restated[now]

    def clearly_moved(self, before: Rows, now: Rows) -> Bools:
        """Whether a share gained so much that another base would show."""
        rounding = self.acc_digit[now] + self.digit[now]
        return np.abs(self.by_events[now] - self.by_events[before]) >= rounding


def _carried(rows: Accumulation) -> Floats:
    """Unit NAVs; on a date that has none the last one goes on, less what was paid and split."""
    unit = rows.unit_nav.copy()
    absent = np.isnan(unit)
    known = np.maximum.accumulate(np.where(absent, -1, np.arange(len(unit))))
    begun = np.maximum.accumulate(np.where(rows.first, np.arange(len(unit)), 0))
    for row in np.flatnonzero(absent & (known >= begun)):
        unit[row] = (unit[row - 1] - rows.dividend[row]) / rows.split[row]
    return unit


def _within(level: Floats) -> Bools:
    return (level >= LEVELS[0]) & (level <= LEVELS[1])


def _digit(nav: Floats) -> Floats:
    """The unit of the last digit that a NAV shows: 0.001 or 0.0001."""
    return np.asarray(np.where(np.round(nav, 3) == np.round(nav, 6), 0.001, 0.0001))


def _clearest(size: Floats, anew: Bools) -> Rows:
    """Of each row, the row of the largest `size` so far since it began `anew`."""
    largest = pd.Series(size).groupby(np.cumsum(anew)).cummax().to_numpy()
    larger = np.ones(len(size), dtype=bool)
    larger[1:] = (largest[1:] > largest[:-1]) | anew[1:]
    return np.maximum.accumulate(np.where(larger, np.arange(len(size)), 0))
