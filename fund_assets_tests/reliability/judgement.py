"""How a warehouse took what its source told: wrong values accepted, right ones held.

Belongs here: comparing what is stored with the truth at every step, and the spells that come of
it. Does not belong here: the truth (`market_truth.py`), playing the days (`played.py`).

A stored value is wrong when it is none that was ever official. A right value is held from the
first answer that showed it to the platform until it is stored; so a correction that nobody has
asked for yet is no fault of the platform's. Spells are counted in sessions: how many ends of
sessions they lie across, those left out on which the machine was off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.warehouse import Warehouse
from fund_assets_tests.reliability.faulty import NEVER, FaultySource
from fund_assets_tests.reliability.market_truth import GROWTH, INCOME, UNIT, alike, day_of
from fund_assets_tests.reliability.wrongs import Wrong

#: Days of the newest dates that are read at every step; all are read once a day.
NEWEST_DAYS = 16


@dataclass(frozen=True)
class Spell:
    """A value that was stored wrongly, or right and not stored, for a while.

    Attributes:
        held: whether a right value was held; else a wrong one was accepted.
        stored: what stood there; NaN for nothing.
        sessions: how many ends of sessions it lay across.
        over: whether it ended in the play.
    """

    held: bool
    code: str
    date: int
    figure: str
    stored: float
    right: float
    since: int
    sessions: int
    over: bool
    limit: int

    @property
    def too_long(self) -> bool:
        """Whether it breaks the promise."""
        return self.sessions > self.limit

    def words(self, told: str) -> str:
        """For who reads the report."""
        what = "right value held" if self.held else "wrong value accepted"
        return (
            f"{what} for {self.sessions} sessions{'' if self.over else ', still'}: {self.code} "
            f"{self.date} {self.figure} stored {self.stored:g}, right {self.right:g}, since {told}"
        )


@dataclass
class Judge:
    """Looks at the warehouse after every step.

    Args:
        offs: when the machine is off.
        begins: day of the timeline from which on the platform collects.
    """

    source: FaultySource
    wrongs: Sequence[Wrong]
    begins: int
    spells: list[Spell] = field(default_factory=list)
    looks: int = 0

    def __post_init__(self) -> None:
        truth = self.source.truth
        self.truth, shape = truth, truth.final.shape
        self.stored = np.full(shape, np.nan)
        self.since = {held: np.full(shape, NEVER) for held in (False, True)}
        session = truth.source.market.timeline.session.copy()
        for wrong in self.wrongs:
            if wrong.off:
                for day in range(wrong.begins // 1440, wrong.ends // 1440 + 1):
                    at = day * 1440 + 22 * 60
                    session[day] &= not wrong.begins <= at < wrong.ends
        self._ends = np.append(0, np.cumsum(session))
        self._codes = np.array([int(code) for code in truth.codes])
        self._by_code = np.argsort(self._codes)
        self._limits = [
            (wrong.begins, wrong.ends, wrong.limit) for wrong in self.wrongs if wrong.limit > 1
        ]

    def sessions(self, since: int | NDArray, until: int) -> NDArray:
        """Ends of sessions between two moments."""
        return self._ends[until // 1440] - self._ends[np.asarray(since) // 1440]

    def read(self, warehouse: Warehouse, minute: int, *, whole: bool) -> None:
        """What is stored now, of all dates or of the newest."""
        keys = self.truth.source.market.timeline.keys
        first = self.truth.first
        day = first + (0 if whole else self._newest(minute))
        figures = ", ".join(OBSERVED_NAMES)
        with warehouse.transaction() as connection:
            rows = connection.exec_driver_sql(
                f"SELECT fund_code, nav_date, {figures} FROM validated_nav "
                f"WHERE nav_date >= {int(keys[day])}"
            ).fetchall()
        self.stored[:, day - first :] = np.nan
        if not rows:
            return
        table = np.array([[int(code), *rest] for code, *rest in rows], dtype=float)
        places = np.searchsorted(self._codes, table[:, 0], sorter=self._by_code)
        fund = self._by_code[np.minimum(places, len(self._codes) - 1)]
        known = self._codes[fund] == table[:, 0]
        assert known.all(), f"a fund that the market never had: {table[~known][0]}"
        at = day_of(table[:, 1].astype(np.int64)) - first
        inside = (at >= 0) & (at < self.truth.shape[1])
        self.stored[fund[inside], at[inside]] = table[inside, 2:]

    def look(self, warehouse: Warehouse, minute: int, *, whole: bool = False) -> None:
        """Begin and end spells by what is stored at a moment."""
        self.looks += 1
        self.read(warehouse, minute, whole=whole)
        here = slice(0 if whole else self._newest(minute), None)
        stored, final = self.stored[:, here], self.truth.final[:, here]
        shown_at = self.source.shown_at[:, here]
        there = ~np.isnan(stored)
        right = alike(stored, final)
        wrong = there & ~right & ~alike(stored, self.truth.earlier[:, here])
        held = (shown_at <= minute) & ~right
        # A growth is taken from who tells it; one that is not there is no loss.
        held[:, :, GROWTH] &= there[:, :, GROWTH]
        for is_held, now in ((False, wrong), (True, held)):
            since = self.since[is_held][:, here]
            began = now & (since == NEVER)
            since[began] = np.maximum(shown_at[began], self._last_look) if is_held else minute
            self._end(is_held, since, here.start, (since != NEVER) & ~now, minute, over=True)
        self._last_look = minute

    def _newest(self, minute: int) -> int:
        """The first of the days that are read at every step."""
        return max(minute // 1440 - NEWEST_DAYS - self.truth.first, 0)

    _last_look: int = 0

    def finish(self, minute: int) -> None:
        """The spells that are not over."""
        for held, since in self.since.items():
            self._end(held, since, 0, since != NEVER, minute, over=False)

    def _end(
        self,
        held: bool,
        since: NDArray[np.int64],
        first_day: int,
        which: NDArray[np.bool_],
        minute: int,
        *,
        over: bool,
    ) -> None:
        found = np.argwhere(which)
        if not len(found):
            return
        lengths = self.sessions(since[which], minute)
        keys = self.truth.source.market.timeline.keys
        for (fund, day, figure), began, length in zip(
            found.tolist(), since[which].tolist(), lengths.tolist(), strict=True
        ):
            day += first_day
            self.spells.append(
                Spell(
                    held=held,
                    code=self.truth.codes[fund],
                    date=int(keys[day + self.truth.first]),
                    figure=OBSERVED_NAMES[figure],
                    stored=float(self.stored[fund, day, figure]),
                    right=float(self.truth.final[fund, day, figure]),
                    since=began,
                    sessions=length,
                    over=over,
                    limit=self._limit(began) if held else 1,
                )
            )
        since[which] = NEVER

    def _limit(self, began: int) -> int:
        return max((n for first, last, n in self._limits if first <= began < last), default=1)

    def missing(self, until: int) -> dict[str, list[tuple[str, int]]]:
        """`incomes` and `NAVs` that are true, of the play's days before one, and not stored.

        What the market took away with its fund before anybody was shown it is not missing.
        """
        found: dict[str, list[tuple[str, int]]] = {}
        keys = self.truth.source.market.timeline.keys
        here = slice(self.begins - self.truth.first, until - self.truth.first)
        gone = (self.truth.vanished <= self.truth.last)[:, None]
        for name, figure in (("incomes", INCOME), ("NAVs", UNIT)):
            there = ~np.isnan(self.truth.final[:, here, figure])
            there &= ~gone | (self.source.shown_at[:, here, figure] != NEVER)
            lost = np.argwhere(there & np.isnan(self.stored[:, here, figure]))
            found[name] = [
                (self.truth.codes[fund], int(keys[day + self.begins]))
                for fund, day in lost.tolist()
            ]
        return found

    def index_errors(self, warehouse: Warehouse) -> list[tuple[str, int, float, float]]:
        """Steps of the total-return index that are not those of the official figures beside them.

        A figure that was official counts too: what is corrected in a history that nobody has
        asked for yet stands in the index, and rightly so. Figures that never were are spells.

        Returns:
            code, date, step, right step.
        """
        keys, first = self.truth.source.market.timeline.keys, self.truth.first
        with warehouse.transaction() as connection:
            rows = connection.exec_driver_sql(
                "SELECT fund_code, nav_date, total_return_index FROM validated_nav "
                f"WHERE nav_date >= {int(keys[first])} ORDER BY fund_code, nav_date"
            ).fetchall()
        index = np.full(self.truth.shape, np.nan)
        for code, date, value in rows:
            at = int(day_of([date])[0]) - first
            if 0 <= at < self.truth.shape[1]:
                index[self.truth.place[code], at] = value
        wrong: list[tuple[str, int, float, float]] = []
        for fund, code in enumerate(self.truth.codes):
            days = self.truth.nav_days(fund)
            before, after = days[:-1], days[1:]
            step = index[fund, after] / index[fund, before] - 1
            stored, final = self.stored[fund], self.truth.final[fund]
            official = alike(stored, final) | alike(stored, self.truth.earlier[fund])
            official = official[:, [UNIT, INCOME]].any(axis=1)
            if self.truth.page[fund] == "money":
                right = stored[after, INCOME] / 1e4
            else:
                grown = stored[after, UNIT] * self.truth.split[fund, after]
                right = (grown + self.truth.dividend[fund, after]) / stored[before, UNIT] - 1
            bad = np.abs(step - right) > np.maximum(3e-4, 2.1e-4 / np.abs(stored[before, UNIT]))
            if self.truth.page[fund] == "money":
                bad = np.abs(step - right) > 1e-9
            bad &= official[before] & official[after]
            wrong += [
                (code, int(keys[after[n] + first]), float(step[n]), float(right[n]))
                for n in np.flatnonzero(bad)
            ]
        return wrong


def first_cells(spells: Sequence[Spell]) -> list[Spell]:
    """Of spells of one fund and date, the longest."""
    best: dict[Any, Spell] = {}
    for spell in spells:
        key = (spell.held, spell.code, spell.date)
        if key not in best or spell.sessions > best[key].sessions:
            best[key] = spell
    return list(best.values())
