"""What a simulated market really published: the truth that a year is judged by.

Belongs here: the official values of every fund and date, those that were corrected later
included, and altering the market itself (a correction, a jump, a negative income, a code that
is used again, funds that go for good). Does not belong here: faults of answers (`wrongs.py`),
judging what is stored (`judgement.py`).

Everything is an array over funds, days (of the market's timeline) and the five figures.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import keys_to_days
from fund_assets.sources.protocol import History
from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.market import FIELDS
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.sources.simulated.timeline import ORIGIN

UNIT, ACC, GROWTH, INCOME, WEEK = range(5)
#: Two figures are the same when they are this close: growth has two decimals or more.
SAME = np.array([1e-9, 1e-9, 0.00501, 1e-9, 1e-9])
ALWAYS = np.iinfo(np.int64).min
_EPOCH = int(keys_to_days(np.array([ORIGIN.year * 10_000 + 101]))[0])


def day_of(keys: NDArray | pd.Series | list[int]) -> NDArray[np.int64]:
    """yyyymmdd → day of the timeline."""
    return keys_to_days(np.asarray(keys)).astype(np.int64) - _EPOCH


@dataclass
class Reuse:
    """A code that belonged to a fund of the past and belongs to another from `since` on.

    Attributes:
        code: used twice; of: the market's own code of the new fund.
        past: the whole history of the old fund, under `code`.
        listed: the old fund as the list has it on the first day.
    """

    code: str
    of: str
    since: int
    past: History
    listed: dict[str, str]


@dataclass
class Truth:
    """The official values over `first` to `last`, two days of the timeline.

    Attributes:
        final: value at the end; NaN where there is none.
        earlier: what was official before `until` (minutes), NaN where nothing else was.
        amended: where the market of the play is another than the simulated one.
        vanished: fund → day from which on the market has it no more; `last` + 1 for never.
    """

    source: SimulatedSource
    first: int
    last: int
    codes: list[str] = field(init=False)
    final: NDArray[np.float64] = field(init=False)
    earlier: NDArray[np.float64] = field(init=False)
    until: NDArray[np.int64] = field(init=False)
    amended: NDArray[np.bool_] = field(init=False)
    vanished: NDArray[np.int64] = field(init=False)
    dividend: NDArray[np.float64] = field(init=False)
    split: NDArray[np.float64] = field(init=False)
    reuses: list[Reuse] = field(default_factory=list)

    def __post_init__(self) -> None:
        market, minute = self.source.market, (self.last + 1) * 1440 - 1
        universe = market.universe
        shape = (len(universe.code), self.last - self.first + 1)
        self.codes = list(universe.code)
        self.final = np.full((*shape, 5), np.nan)
        self.dividend, self.split = np.zeros(shape), np.ones(shape)
        funds = np.flatnonzero(
            (universe.listed[universe.portfolio] <= self.last) & ~universe.back_end
        )
        cash = funds[market.page[funds] == "money"]
        others = np.setdiff1d(funds, cash)
        for fund, (day, income, week) in zip(
            cash, market.money_histories(cash, self.first, minute), strict=True
        ):
            self.final[fund, day - self.first, INCOME] = income
            self.final[fund, day - self.first, WEEK] = week
        self.earlier = np.full_like(self.final, np.nan)
        self.until = np.full(shape, ALWAYS)
        for start in range(0, len(others), 64):
            some = others[start : start + 64]
            found = market.nav_histories(some, self.first, minute, corrected=True)
            for fund, series in zip(some, found, strict=True):
                at = series.day - self.first
                self.final[fund, at, UNIT] = series.unit
                self.final[fund, at, ACC] = series.accumulated
                self.final[fund, at, GROWTH] = series.growth_pct
                self.dividend[fund, at], self.split[fund, at] = series.dividend, series.split
                self._note_errors(fund, series.day)
        self.amended = np.zeros(shape, dtype=bool)
        self.vanished = np.full(len(universe.code), self.last + 1)
        self.place = {code: at for at, code in enumerate(self.codes)}
        self.page = list(market.page)
        self.kind = [BREEDS[universe.breed[p]].kind for p in universe.portfolio]

    def _note_errors(self, fund: int, days: NDArray[np.int64]) -> None:
        """NAVs that the manager publishes wrongly and corrects on the next session."""
        schedule, one = self.source.market.schedule, np.array([fund])
        error = schedule.error(one, days)
        wrong = days[error != 0]
        if not len(wrong):
            return
        seen = self.source.market.quoter.at(one, wrong, error[error != 0])
        at = wrong - self.first
        self.earlier[fund, at, UNIT], self.earlier[fund, at, ACC] = seen.unit, seen.accumulated
        moved = seen.unit / self.final[fund, at, UNIT]
        growth = (1 + self.final[fund, at, GROWTH] / 100) * moved
        self.earlier[fund, at, GROWTH] = np.round((growth - 1) * 100, 2)
        self.until[fund, at] = schedule.corrected_at(wrong)

    @property
    def shape(self) -> tuple[int, int]:
        """Funds and days."""
        return self.until.shape

    def official(self, minute: int) -> NDArray[np.float64]:
        """What is true of every fund and date at a minute, published or not."""
        before = (self.until > minute)[:, :, None]
        return np.where(before, self.earlier, self.final)

    def at(self, frame: pd.DataFrame) -> tuple[NDArray, NDArray, NDArray]:
        """Which rows of an answer are of the days here, their fund and their day."""
        fund = frame["fund_code"].map(self.place).fillna(-1).to_numpy(dtype=np.int64)
        day = day_of(frame["nav_date"]) - self.first
        rows = np.flatnonzero((fund >= 0) & (day >= 0) & (day < self.shape[1]))
        return rows, fund[rows], day[rows]

    def nav_days(self, fund: int) -> NDArray[np.int64]:
        """The days with a value, from `first` on."""
        return np.flatnonzero(~np.isnan(self.final[fund, :, [UNIT, INCOME]]).all(axis=0))

    def is_daily(self, fund: int, first: int, last: int) -> bool:
        """Whether it has a NAV on every session of a span."""
        sessions = self.source.market.timeline.session[first : last + 1]
        column = INCOME if self.page[fund] == "money" else UNIT
        found = ~np.isnan(self.final[fund, first - self.first : last + 1 - self.first, column])
        return bool(found[sessions].all())

    def _growths(self, fund: int, day: int) -> None:
        """The growth of a day anew, from its NAVs and events."""
        days = self.nav_days(fund)
        at = int(np.searchsorted(days, day))
        if at == 0 or at >= len(days) or days[at] != day:
            return
        base = self.final[fund, days[at - 1], UNIT]
        now = self.final[fund, day, UNIT] * self.split[fund, day] + self.dividend[fund, day]
        self.final[fund, day, GROWTH] = np.round((now / base - 1) * 100, 2)

    def _shares(self, fund: int, day: int) -> float:
        """How far the accumulated NAV moves with the unit NAV: shares since earlier splits."""
        quotes = self.source.market.quoter.at(np.array([fund]), np.array([day]), 1.0)
        plain = self.source.market.quoter.at(np.array([fund]), np.array([day]))
        moved = float((quotes.unit - plain.unit)[0])
        return float((quotes.accumulated - plain.accumulated)[0]) / moved

    def correct(self, fund: int, day: int, by: float, since: int) -> None:
        """From a minute on, the NAV of a day is another, and the growths around it."""
        here = day - self.first
        days = self.nav_days(fund)
        after = days[days > here][:1]
        for one in (here, *after):
            self.earlier[fund, one] = self.final[fund, one]
            self.until[fund, one] = since
            self.amended[fund, one] = True
        moved = np.round(self.final[fund, here, UNIT] * (1 + by), 4)
        difference = (moved - self.final[fund, here, UNIT]) * self._shares(fund, day)
        self.final[fund, here, UNIT] = moved
        self.final[fund, here, ACC] = np.round(self.final[fund, here, ACC] + difference, 4)
        for one in (here, *after):
            self._growths(fund, one)

    def jump(self, fund: int, day: int, factor: float) -> None:
        """From a day on the NAV is another, as after a large redemption."""
        here = day - self.first
        later = slice(here, None)
        before = self.final[fund, later, UNIT].copy()
        moved = np.round(before * factor, 4)
        self.final[fund, later, UNIT] = moved
        self.final[fund, later, ACC] = np.round(
            self.final[fund, later, ACC] + (moved - before) * self._shares(fund, day), 4
        )
        self.earlier[fund, later], self.until[fund, later] = np.nan, ALWAYS
        self.amended[fund, later] = True
        for one in self.nav_days(fund):
            if one >= here:
                self._growths(fund, one)

    def lose(self, fund: int, day: int, income: float) -> None:
        """A money fund's income of a day is another, and the 7-day yields that cover it."""
        here = day - self.first
        self.final[fund, here, INCOME] = income
        self.amended[fund, here : here + 7] = True
        for one in range(here, min(here + 7, self.shape[1])):
            self.final[fund, one, WEEK] = self.week_yield(fund, one)

    def week_yield(self, fund: int, at: int) -> float:
        """The 7-day yield in percent that the incomes up to a day make, compounded."""
        days = self.final[fund, max(at - 6, 0) : at + 1, INCOME]
        grown = float(np.prod(1 + np.nan_to_num(days) / 1e4))
        return float(np.round((grown ** (365 / 7) - 1) * 100, 3))

    def vanish(self, fund: int, day: int) -> None:
        """The market has the fund no more from a day on, nor what it had not published."""
        self.vanished[fund] = min(self.vanished[fund], day)
        days = np.arange(self.first, self.last + 1)
        portfolio = self.source.market.universe.portfolio[[fund]]
        published = self.source.market.schedule.published_at(portfolio, days)
        gone = (days >= day) | (published >= day * 1440)
        self.final[fund, gone] = np.nan
        self.earlier[fund, gone] = np.nan

    def use_again(self, code: str, new: int, since: int) -> Reuse:
        """A fund of the past and one whose NAVs begin on a day share a code."""
        old, of, market = self.place[code], self.codes[new], self.source.market
        (series,) = market.nav_histories(np.array([old]), 0, self.first * 1440)
        keys = market.timeline.keys[series.day]
        past = pd.DataFrame(
            {
                "fund_code": pd.array([code] * len(keys), dtype="str"),
                "nav_date": keys,
                "unit_nav": series.unit,
                "acc_nav": series.accumulated,
                "growth_pct": series.growth_pct,
                "yield_per_10k": np.nan,
                "yield_7d_pct": np.nan,
                "defect": pd.array([""] * len(keys), dtype="str"),
            }
        )
        events = self.source.events(ORIGIN.year).frame.head(0)
        universe = market.universe
        name = universe.name[old]
        fund_type = BREEDS[universe.breed[universe.portfolio[old]]].fund_type
        listed = {
            "fund_code": code,
            "name": name,
            "fund_type": fund_type,
            "pinyin": universe.pinyin[old],
        }
        here = since - self.first
        for values in (self.final, self.earlier, self.until, self.dividend, self.split):
            values[old, here:] = values[new, here:]
        for values in (self.final, self.earlier):
            values[old, :here] = np.nan
            values[new] = np.nan
        first = self.nav_days(old)[0]
        self.final[old, first, GROWTH] = np.nan
        self.kind[old], self.page[old] = self.kind[new], self.page[new]
        told = Reuse(code, of, since, History(code, past, events), listed)
        self.reuses.append(told)
        return told


def minute_of_day(day: int, hour: int, minute: int = 0) -> int:
    """Minutes since the start of the timeline."""
    return day * 1440 + hour * 60 + minute


def columns(frame: pd.DataFrame) -> NDArray[np.float64]:
    """The five figures of an answer."""
    return frame[list(FIELDS)].to_numpy(dtype=float)


def alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which figures are the same; what is not there is like nothing."""
    return np.abs(one - other) <= SAME
