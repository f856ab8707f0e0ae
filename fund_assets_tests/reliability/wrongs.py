"""What goes wrong in a played year, drawn by a seed: each fault, its time, and what it does.

Belongs here: faults of the page, of histories and of the machine, and changes of the market
that guards must not take for faults. Does not belong here: the source they are laid over
(`faulty.py`), how the platform must take them (`judgement.py`).

An error of the page is not in the history and the other way round; an error of the source is
in both until it is corrected there.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.sources.simulated.market import FIELDS
from fund_assets.sources.simulated.timeline import ORIGIN
from fund_assets_tests.reliability.market_truth import (
    ACC,
    ALWAYS,
    GROWTH,
    INCOME,
    UNIT,
    Truth,
    columns,
    day_of,
    minute_of_day,
)

Change = Callable[[pd.DataFrame, int], pd.DataFrame]
#: Sessions before the first fault, so that there is something that is usual.
FIRST = 7
#: Sessions after a fault of the whole page before the next.
APART = 1
#: Alarms that may be told: the batch is held, and is so told.
HELD = frozenset({"held_publish", "mass_revision"})
#: A whole column is held row by row, which may be more than the desk should have.
COLUMN_HELD = HELD | {"quarantine_backlog"}
NO_ALARM: frozenset[str] = frozenset()


@dataclass
class Wrong:
    """One fault, or one change of the market that is none.

    Attributes:
        kind: name of its kind; words: what it is, with its figures.
        begins, ends: minutes of the timeline; the machine is off, or the answers are changed.
        codes: funds that it is about; empty: the page as a whole.
        page, history: what it makes of an answer.
        off: the machine is off.
        may: kinds of alarms that it may cause, until two sessions after its end.
        limit: sessions for which right values may be held because of it.
    """

    kind: str
    words: str
    begins: int
    ends: int
    codes: frozenset[str] = frozenset()
    page: Change | None = None
    history: Change | None = None
    off: bool = False
    may: frozenset[str] = NO_ALARM
    limit: int = 1


#: Kind → its variants, each once in a year; the first of each kind in a short form.
YEAR: Mapping[str, tuple[tuple, ...]] = {
    "ten-fold value": (
        ("page", "date", 2), ("both", "date", 3), ("history", "date", 3), ("page", "level", 3),
        ("both", "level", 4), ("page", "date", 1), ("both", "date", 1), ("page", "level", 2),
    ),
    "stale share": (
        (0.3, "row", "evening"), (0.8, "repeats", "wave"), (0.05, "row", "evening"),
        (0.10, "repeats", "evening"), (0.20, "row", "night"), (0.45, "repeats", "night"),
        (0.60, "row", "wave"), (0.95, "row", "evening"), (0.15, "row", "wave"),
        (0.5, "repeats", "evening"),
    ),
    "accumulated NAV of one": (
        ("page", 2), ("both", 3), ("page", 1), ("both", 1), ("history", 3), ("page", 4),
    ),
    "accumulated NAV of all": (("evening",), ("wave",), ("night",)),
    "weekend's sum on the page": (("all",), ("one",), ("all",), ("one",), ("all",)),
    "weekend twice at the source": ((2,), (1,), (4,)),
    "off over a weekend": (
        ("after the evening",), ("before the evening",), ("after the evening",),
        ("before the evening",), ("until the evening",),
    ),
    "off over a holiday": (("before the evening",), ("after the evening",), ("until the evening",)),
    "corrections in histories": (
        (6, "one date", 0.002), (40, "one date", 0.0003), (1, "one date", 0.02),
        (2, "dates", 0.004), (5, "one date", 0.0003), (10, "dates", 0.006),
        (20, "one date", 0.003), (30, "dates", 0.001),
    ),
    "market shrinks by 15 %": (("for good",),),
    "code used again": (("listed",), ("listed",)),
    "negative income": ((0.26,), (0.05,), (0.9,)),
    "impossible income": (("page", 2), ("both", 2), ("both", 4)),
    "large redemption": (("told",), ("growth not on the page",), ("told",)),
}  # fmt: skip
#: Kinds of which a short form has two variants.
TWICE = ("ten-fold value", "stale share")
SHORT = {kind: found[: 2 if kind in TWICE else 1] for kind, found in YEAR.items()}
#: A fund that had a fault has another only so many days later.
REST_DAYS = 30
#: Kinds that are about the whole page or the machine: no two at the same time.
ALONE = (
    "off over a holiday", "off over a weekend", "market shrinks by 15 %", "stale share",
    "accumulated NAV of all",
)  # fmt: skip
#: Kinds that need most of the funds: drawn when the others have theirs.
MANY = ("corrections in histories",)


@dataclass
class Drawing:
    """Draws the faults of a play.

    Attributes:
        sessions: days of the timeline, of the play.
        skipped: kind → variants for which the market or the calendar had no room.
    """

    truth: Truth
    sessions: NDArray[np.int64]
    dice: random.Random
    wrongs: list[Wrong] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._taken = np.zeros(len(self.sessions), dtype=bool)
        self._taken[:FIRST] = True
        self._used: dict[int, list[tuple[int, int]]] = {}
        self._weekends: set[int] = set()
        self.timeline = self.truth.source.market.timeline
        universe = self.truth.source.market.universe
        #: Money funds that themselves tell several days in one figure, somewhere.
        some = universe.merges | universe.defers | universe.page_merges
        self._sums = some[universe.portfolio]

    def draw(self, wanted: Mapping[str, tuple[tuple, ...]]) -> list[Wrong]:
        """All of `wanted`, as far as there is room."""
        makers = {
            "ten-fold value": self._ten_fold,
            "stale share": self._stale,
            "accumulated NAV of one": self._accumulated_of_one,
            "accumulated NAV of all": self._accumulated_of_all,
            "weekend's sum on the page": self._weekend_sum,
            "weekend twice at the source": self._weekend_twice,
            "off over a weekend": self._off,
            "off over a holiday": self._off_in_holiday,
            "corrections in histories": self._corrections,
            "market shrinks by 15 %": self._shrink,
            "code used again": self._used_again,
            "negative income": self._negative,
            "impossible income": self._impossible,
            "large redemption": self._redemption,
        }
        assert set(makers) == set(YEAR)
        others = [kind for kind in wanted if kind not in ALONE + MANY]
        order = [*ALONE, *others, *MANY]
        for kind in order:
            for variant in wanted.get(kind, ()):
                made = makers[kind](*variant)
                if made is None:
                    self.skipped[kind] += 1
                else:
                    self.wrongs.append(made)
        self.wrongs.sort(key=lambda wrong: (wrong.begins, wrong.kind))
        return self.wrongs

    # Room in time, and funds.

    def _room(self, length: int, *, late: bool = False) -> int | None:
        """The place of the first of so many free sessions in a row, taken from now on."""
        n = len(self.sessions)
        free = [
            at
            for at in range(FIRST, n - length - APART - 1)
            if not self._taken[max(at - APART, 0) : at + length + APART].any()
        ]
        if late:
            free = [at for at in free if at >= 2 * n // 3] or free
        if not free:
            return None
        at = self.dice.choice(free)
        self._taken[at : at + length] = True
        return at

    def _somewhere(self, length: int, back: int = 0) -> int:
        """A place for what may happen beside other faults."""
        return self.dice.randrange(max(FIRST, back), len(self.sessions) - length - 3)

    def _is_used(self, fund: int, first: int, last: int) -> bool:
        """Whether a fund has a fault within a span of days, or shortly before or after."""
        return any(
            begins - REST_DAYS <= last and first <= ends + REST_DAYS
            for begins, ends in self._used.get(fund, ())
        )

    def _fund(
        self,
        first: int,
        last: int,
        *,
        money: bool = False,
        quarter: int | None = None,
        but: Collection[int] = (),
    ) -> int | None:
        """A fund that publishes daily over a span of days, without events and corrections."""
        truth, market = self.truth, self.truth.source.market
        here = slice(max(first - truth.first, 0), last + 8 - truth.first)
        lag = market.universe.lag[market.universe.portfolio]
        found = []
        for fund, code in enumerate(truth.codes):
            if fund in but or self._is_used(fund, first, last):
                continue
            if (truth.page[fund] == "money") != money:
                continue
            if not money and truth.page[fund] != "open":
                continue
            if lag[fund] or market.universe.decimals[fund] != 4:
                continue
            if truth.vanished[fund] <= truth.last or truth.amended[fund, here].any():
                continue
            if quarter is not None and int(code) % 4 != quarter:
                continue
            if (truth.until[fund, here] != ALWAYS).any():
                continue
            if not truth.is_daily(fund, max(first - 3, truth.first), min(last + 3, truth.last)):
                continue
            if money:
                if self._sums[fund]:
                    continue
            elif (
                (truth.split[fund] != 1).any()
                or truth.dividend[fund, here].any()
                or np.isnan(truth.final[fund, here, ACC]).all()
            ):
                continue
            found.append(fund)
        return self.dice.choice(found) if found else None

    def _take(self, fund: int | None, first: int, last: int | None = None) -> str | None:
        """The code of a fund, which has a fault from one day to another, or for good."""
        if fund is None:
            return None
        span = (first, self.truth.last if last is None else last)
        self._used.setdefault(fund, []).append(span)
        return self.truth.codes[fund]

    def _money_funds(self) -> list[str]:
        """Money funds whose history has every calendar day."""
        return [
            code
            for fund, code in enumerate(self.truth.codes)
            if self.truth.page[fund] == "money" and not self._sums[fund]
        ]

    def _key(self, day: int) -> int:
        return int(self.timeline.keys[day])

    # What goes wrong.

    def _times_ten(self, where: str, how: str, sessions: int, names: tuple[int, ...]) -> tuple:
        """Code, days, place of the first, what it does to an answer, and its end."""
        at = self._somewhere(sessions + 1, back=12)
        quarter = None
        if where == "history":  # seen when the weekly job fetches the fund's quarter
            sundays = [
                n for n in range(FIRST, len(self.sessions) - 4)
                if self.sessions[n + 1] - self.sessions[n] == 3
                and self.timeline.weekday[self.sessions[n]] == 4
            ]  # fmt: skip
            at = self.dice.choice(sundays)
            ordinal = int(self.sessions[at]) + 2 + ORIGIN.toordinal()
            quarter = (ordinal - 6) // 7 % 4
        day = int(self.sessions[at])
        fund = self._fund(day, day + 9, quarter=quarter)
        code = self._take(fund, day, int(self.sessions[at + sessions]))
        if code is None:
            return None, (), 0, None, 0
        first = int(self.sessions[at - 4]) if where == "history" else day
        days = [first] if how == "date" else [int(d) for d in self.sessions[at : at + sessions]]
        keys = [self._key(one) for one in days]
        ends = minute_of_day(int(self.sessions[at + sessions]), 12)

        def tenfold(seen: pd.DataFrame, minute: int) -> pd.DataFrame:
            rows = ((seen["fund_code"] == code) & seen["nav_date"].isin(keys)).to_numpy()
            changed = {
                FIELDS[name]: (seen[FIELDS[name]] * 10).where(rows, seen[FIELDS[name]])
                for name in names
            }
            return seen.assign(**changed)

        return code, keys, day, tenfold, ends

    def _ten_fold(self, where: str, how: str, sessions: int) -> Wrong | None:
        code, keys, day, change, ends = self._times_ten(where, how, sessions, (UNIT, ACC))
        if code is None:
            return None
        return Wrong(
            "ten-fold value",
            f"{code} {keys[0]}: NAV ten times too high on the {where} "
            f"({'this date' if how == 'date' else 'all dates from it on'}, {sessions} sessions)",
            minute_of_day(day, 0 if where == "history" else 16),
            ends,
            frozenset({code}),
            page=change if where in ("page", "both") else None,
            history=change if where in ("history", "both") else None,
        )

    def _accumulated_of_one(self, where: str, sessions: int) -> Wrong | None:
        code, keys, day, change, ends = self._times_ten(where, "date", sessions, (ACC,))
        if code is None:
            return None
        return Wrong(
            "accumulated NAV of one",
            f"{code} {keys[0]}: accumulated NAV ten-fold on the {where}, {sessions} sessions",
            minute_of_day(day, 0 if where == "history" else 16),
            ends,
            frozenset({code}),
            page=change if where in ("page", "both") else None,
            history=change if where in ("history", "both") else None,
        )

    def _until(self, at: int, lasts: str) -> int:
        """The end of a fault of one evening: its first wave, its night, or after the morning."""
        day = int(self.sessions[at])
        return {
            "wave": minute_of_day(day, 21),
            "evening": minute_of_day(day + 1, 3),
            "night": minute_of_day(int(self.sessions[at + 1]), 12),
        }[lasts]

    def _on_open_page(self, seen: pd.DataFrame) -> NDArray[np.bool_]:
        fund = seen["fund_code"].map(self.truth.place).to_numpy(dtype=np.int64)
        return np.array(self.truth.page)[fund] == "open"

    def _stale(self, share: float, how: str, lasts: str) -> Wrong | None:
        at = self._room(2)
        if at is None:
            return None
        new, old, older = (self._key(int(self.sessions[at - n])) for n in range(3))
        salt = self.dice.random()
        growth = self.dice.choice(["of before", "zero"])
        universe = self.truth.source.market.universe
        late = universe.lag[universe.portfolio]

        def stale(seen: pd.DataFrame, minute: int) -> pd.DataFrame:
            lot = seen["fund_code"].map(lambda code: random.Random(f"{salt}{code}").random())
            fund = seen["fund_code"].map(self.truth.place).to_numpy(dtype=np.int64)
            # Late publishers' cells of yesterday were empty then, as they are today.
            mine = self._on_open_page(seen) & (lot < share).to_numpy() & (late[fund] == 0)
            values = columns(seen)
            dates = seen["nav_date"].to_numpy()
            shown = self.truth.official(minute)
            moves = {new: old, old: older} if how == "row" else {new: old}
            for date, from_date in moves.items():
                rows = np.flatnonzero(mine & (dates == date))
                before = int(day_of([from_date])[0]) - self.truth.first
                values[rows, :2] = shown[fund[rows], before, :2]
                if date == new:
                    told = shown[fund[rows], before, GROWTH]
                    flat = how == "repeats" and growth == "zero"
                    values[rows, GROWTH] = np.where(np.isnan(told) | flat, 0.0, told)
                    values[rows, GROWTH] = np.where(
                        np.isnan(values[rows, UNIT]), np.nan, values[rows, GROWTH]
                    )
            return seen.assign(**{n: values[:, k] for k, n in enumerate(FIELDS[:3])})

        return Wrong(
            "stale share",
            f"{share:.0%} of the open funds under {new} as on {old} ({how}, {lasts})",
            minute_of_day(int(self.sessions[at]), 16),
            self._until(at, lasts),
            page=stale,
            may=HELD,
        )

    def _accumulated_of_all(self, lasts: str) -> Wrong | None:
        at = self._room(2)
        if at is None:
            return None

        def tenfold(seen: pd.DataFrame, minute: int) -> pd.DataFrame:
            mine = self._on_open_page(seen)
            return seen.assign(acc_nav=(seen["acc_nav"] * 10).where(mine, seen["acc_nav"]))

        day = int(self.sessions[at])
        return Wrong(
            "accumulated NAV of all",
            f"{self._key(day)}: every accumulated NAV of the open page ten-fold ({lasts})",
            minute_of_day(day, 16),
            self._until(at, lasts),
            page=tenfold,
            may=COLUMN_HELD,
        )

    def _closed(self, at: int) -> range:
        """The closed days after a session."""
        return range(int(self.sessions[at]) + 1, int(self.sessions[at + 1]))

    def _before_weekend(self) -> int | None:
        """A session with closed days after it, not taken by other faults of money funds."""
        found = [
            n
            for n in range(FIRST, len(self.sessions) - 6)
            if len(self._closed(n)) in (2, 3) and n not in self._weekends
        ]
        if not found:
            return None
        at = self.dice.choice(found)
        self._weekends |= {at - 1, at, at + 1}
        return at

    def _summed(self, codes: set[str], at: int, *, hide: bool) -> Change:
        """The closed days' income stands in the last of them; the others are empty or stay."""
        closed = self._closed(at)
        keys = [self._key(day) for day in closed]
        here = slice(closed[0] - self.truth.first, closed[-1] + 1 - self.truth.first)
        sums = {
            code: float(
                np.round(self.truth.final[self.truth.place[code], here, INCOME].sum(), 4)
            )
            for code in codes
        }

        def summed(seen: pd.DataFrame, minute: int) -> pd.DataFrame:
            mine = seen["fund_code"].isin(codes)
            there = seen["yield_per_10k"].notna()
            last = mine & (seen["nav_date"] == keys[-1]) & there
            income = seen["yield_per_10k"].mask(last, seen["fund_code"].map(sums))
            week = seen["yield_7d_pct"]
            if hide:
                others = mine & seen["nav_date"].isin(keys[:-1])
                income, week = income.mask(others), week.mask(others)
            return seen.assign(yield_per_10k=income, yield_7d_pct=week)

        return summed

    def _weekend_sum(self, which: str) -> Wrong | None:
        at = self._before_weekend()
        codes = self._money_funds()
        if at is None or not codes:
            return None
        some = set(codes) if which == "all" else {self.dice.choice(codes)}
        closed = self._closed(at)
        return Wrong(
            "weekend's sum on the page",
            f"{self._key(closed[-1])}: {len(some)} money funds show {len(closed)} closed days "
            "in one figure; histories have each day",
            minute_of_day(closed[0], 0),
            minute_of_day(int(self.sessions[at + 2]), 12),
            frozenset(some),
            page=self._summed(some, at, hide=True),
        )

    def _weekend_twice(self, sessions: int) -> Wrong | None:
        at = self._before_weekend()
        if at is None:
            return None
        closed = self._closed(at)
        fund = self._fund(closed[0] - 7, closed[-1] + 9, money=True)
        code = self._take(fund, closed[0], int(self.sessions[at + sessions]))
        if code is None:
            return None
        change = self._summed({code}, at, hide=False)
        return Wrong(
            "weekend twice at the source",
            f"{code} {self._key(closed[-1])}: the income of {len(closed)} closed days once "
            f"more in the last, page and history, {sessions} sessions",
            minute_of_day(closed[0], 0),
            minute_of_day(int(self.sessions[at + sessions]), 12),
            frozenset({code}),
            page=change,
            history=change,
        )

    def _off(self, how: str, most: int = 3) -> Wrong | None:
        found = [
            n
            for n in range(FIRST, len(self.sessions) - 3)
            if (2 <= len(self._closed(n)) <= 3 if most == 3 else len(self._closed(n)) > 3)
            and not self._taken[n - 1 : n + 3].any()
        ]
        if not found:
            return None
        at = self.dice.choice(found)
        self._taken[at : at + 2] = True
        before, after = int(self.sessions[at]), int(self.sessions[at + 1])
        begins = minute_of_day(before, 15 if how == "before the evening" else 23, 30)
        ends = minute_of_day(after, 18 if how != "until the evening" else 22)
        return Wrong(
            "off over a weekend" if most == 3 else "off over a holiday",
            f"the machine is off from {self._key(before)} ({how}) to {self._key(after)}",
            begins,
            ends,
            off=True,
            may=frozenset({"freshness"}),
        )

    def _off_in_holiday(self, how: str) -> Wrong | None:
        return self._off(how, most=30)

    def _corrections(self, funds: int, dates: str, size: float) -> Wrong | None:
        at = self._somewhere(3, back=14)
        since = minute_of_day(int(self.sessions[at]), 12)
        shared = int(self.sessions[at - self.dice.randrange(5, 12)])
        chosen: dict[int, int] = {}
        for _ in range(funds):
            day = shared
            if dates == "dates":
                day = int(self.sessions[at - self.dice.randrange(5, 14)])
            fund = self._fund(day - 3, day + 9, but=chosen)
            if fund is not None:
                chosen[fund] = day
        if len(chosen) < min(funds, 20):
            return None
        for fund, day in chosen.items():
            by = size * self.dice.uniform(0.8, 1.2) * self.dice.choice([-1, 1])
            self.truth.correct(fund, day, by, since)
            self._take(fund, day, int(self.sessions[at]))
        codes = {self.truth.codes[fund] for fund in chosen}
        return Wrong(
            "corrections in histories",
            f"from {self._key(int(self.sessions[at]))} on the histories of {len(codes)} funds "
            f"correct {self._key(shared) if dates == 'one date' else 'dates'} by {size:.2%}",
            since,
            minute_of_day(self.truth.last, 23),
            frozenset(codes),
        )

    def _shrink(self, how: str) -> Wrong | None:
        at = self._room(5, late=True)
        if at is None:
            return None
        day, truth = int(self.sessions[at]), self.truth
        there = [
            fund
            for fund in range(len(truth.codes))
            if truth.page[fund] == "open"
            and fund not in self._used
            and not np.isnan(
                truth.final[fund, day - 40 - truth.first : day - truth.first]
            ).all()
        ]
        gone = self.dice.sample(there, round(0.15 * len(there)))
        for fund in gone:
            truth.vanish(fund, day)
        return Wrong(
            "market shrinks by 15 %",
            f"from {self._key(day)} on {len(gone)} of {len(there)} open funds are gone {how}",
            minute_of_day(day, 0),
            minute_of_day(int(self.sessions[at + 4]), 12),
            frozenset(truth.codes[fund] for fund in gone),
            may=HELD,
            limit=3,
        )

    def _used_again(self, how: str) -> Wrong | None:
        at = self._somewhere(12, back=10)
        day, truth = int(self.sessions[at]), self.truth
        market = truth.source.market
        universe = market.universe
        last = universe.last_nav[universe.portfolio]
        length = last - universe.inception[universe.portfolio]
        first_of_portfolio = np.append(True, np.diff(universe.portfolio) > 0)
        dead = [
            fund
            for fund in np.flatnonzero(
                (last < truth.first - 400) & (last > truth.first - 4000) & (length > 300)
            )
            if truth.page[fund] == "open" and fund not in self._used
            and first_of_portfolio[fund] and universe.shows_accumulated[fund]
        ]  # fmt: skip
        new = self._fund(day, day + 9, but=self._used)
        if not dead or new is None:
            return None
        old = int(self.dice.choice(dead))
        for fund in (old, new):
            self._take(fund, truth.first)
        told = truth.use_again(truth.codes[old], new, day)
        return Wrong(
            "code used again",
            f"from {self._key(day)} on {told.code} is another fund; the old one ended "
            f"{int(told.past.observations['nav_date'].max())}",
            minute_of_day(day, 0),
            minute_of_day(int(self.sessions[at + 3]), 12),
            frozenset({told.code}),
        )

    def _negative(self, lost: float) -> Wrong | None:
        at = self._somewhere(8)
        day = int(self.sessions[at])
        fund = self._fund(day - 7, day + 9, money=True)
        code = self._take(fund, day, day + 7)
        if fund is None or code is None:
            return None
        self.truth.lose(fund, day, -lost)
        return Wrong(
            "negative income",
            f"{code} {self._key(day)}: an income of -{lost:g} yuan, with its 7-day yields",
            minute_of_day(day, 0),
            minute_of_day(int(self.sessions[at + 2]), 12),
            frozenset({code}),
        )

    def _impossible(self, where: str, sessions: int) -> Wrong | None:
        at = self._somewhere(sessions + 2)
        day = int(self.sessions[at])
        fund = self._fund(day - 7, day + 9, money=True)
        code = self._take(fund, day, int(self.sessions[at + sessions]))
        if code is None:
            return None
        key, amount = self._key(day), float(self.dice.choice([30.0, 45.5, 88.0]))

        def impossible(seen: pd.DataFrame, minute: int) -> pd.DataFrame:
            rows = (seen["fund_code"] == code) & (seen["nav_date"] == key)
            rows &= seen["yield_per_10k"].notna()
            return seen.assign(yield_per_10k=seen["yield_per_10k"].mask(rows, amount))

        return Wrong(
            "impossible income",
            f"{code} {key}: an income of {amount:g} yuan on the {where}, {sessions} sessions",
            minute_of_day(day, 0),
            minute_of_day(int(self.sessions[at + sessions]), 12),
            frozenset({code}),
            page=impossible,
            history=impossible if where == "both" else None,
        )

    def _redemption(self, how: str) -> Wrong | None:
        at = self._somewhere(5)
        day = int(self.sessions[at])
        fund = self._fund(day - 3, day + 9, but=self._used)
        code = self._take(fund, day)
        if fund is None or code is None:
            return None
        factor = self.dice.uniform(1.3, 2.1)
        self.truth.jump(fund, day, factor)
        key = self._key(day)

        def without_growth(seen: pd.DataFrame, minute: int) -> pd.DataFrame:
            rows = (seen["fund_code"] == code) & (seen["nav_date"] == key)
            return seen.assign(growth_pct=seen["growth_pct"].mask(rows))

        return Wrong(
            "large redemption",
            f"{code} {key}: the NAV rises by {factor - 1:.0%} ({how})",
            minute_of_day(day, 0),
            minute_of_day(int(self.sessions[at + 2]), 12),
            frozenset({code}),
            page=None if how == "told" else without_growth,
        )
