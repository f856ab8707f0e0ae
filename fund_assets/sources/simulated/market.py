"""The market as a whole: what it shows of its funds at a moment.

Belongs here: snapshot pages and histories as plain arrays. Does not belong here: frames,
payloads and errors (`sources/simulated/source.py`), how figures come about (the other modules).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fund_assets.calendar import TradingCalendar
from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.factors import Factors
from fund_assets.sources.simulated.money import MoneyMarket
from fund_assets.sources.simulated.quotes import Quoter
from fund_assets.sources.simulated.schedule import (
    EVENING,
    HALF_YEARLY_DELAY_DAYS,
    HALF_YEARLY_GAP_DAYS,
    LONGEST_DELAY_DAYS,
    LONGEST_GAP_DAYS,
    Schedule,
)
from fund_assets.sources.simulated.timeline import Timeline
from fund_assets.sources.simulated.universe import build_universe

FIELDS = ("unit_nav", "acc_nav", "growth_pct", "yield_per_10k", "yield_7d_pct")


@dataclass(frozen=True)
class Rows:
    """Observations of some funds: index of the fund, day, and one array for each field."""

    fund: NDArray[np.int64]
    day: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Series:
    """One fund's NAVs in the order of days, with the events of those days."""

    day: NDArray[np.int64]
    unit: NDArray[np.float64]
    accumulated: NDArray[np.float64]
    growth_pct: NDArray[np.float64]
    dividend: NDArray[np.float64]
    split: NDArray[np.float64]


class Market:
    """Everything that happens in a market of `n_funds` places; knows no clock."""

    def __init__(self, n_funds: int, seed: int, calendar: TradingCalendar) -> None:
        self.seed = seed
        self.timeline = Timeline(calendar)
        self.seed = seed
        self.universe = build_universe(n_funds, seed, self.timeline)
        u = self.universe
        self.factors = factors = Factors(seed, u, self.timeline)
        self.schedule = Schedule(seed, u, self.timeline)
        self.quoter = Quoter(seed, u, self.timeline, factors, self.schedule)
        self.money = MoneyMarket(seed, u, self.timeline, factors)
        pages = np.array([breed.page for breed in BREEDS])[u.breed[u.portfolio]]
        self.page = np.where(u.back_end, "", pages)
        self.index = {code: at for at, code in enumerate(u.code)}
        self._by_code = np.argsort(np.array(u.code))

    def listed(self, today: int) -> NDArray[np.int64]:
        """Share classes on the market's list, by code."""
        u = self.universe
        on_list = (u.listed <= today) & (today < u.delisted)
        return self._by_code[on_list[u.portfolio][self._by_code]]

    def raised(self, funds: NDArray[np.integer], today: int) -> NDArray[np.bool_]:
        """Whether share classes have had their first NAV's day."""
        found: NDArray[np.bool_] = (
            self.universe.inception[self.universe.portfolio[funds]] <= today
        )
        return found

    def header(self, minute: int) -> tuple[int, int]:
        """The two sessions a snapshot shows, today's from 16:00 on; -1 before the first."""
        t, today = self.timeline, minute // 1440
        newest = int(t.on_or_before[max(today - (minute % 1440 < EVENING), 0)])
        return newest, int(t.on_or_before[max(newest - 1, 0)])

    def snapshot(self, page: str, minute: int) -> Rows:
        """A page with moving NAVs: all its funds on the newest, then on the previous date."""
        newest, previous = self.header(minute)
        funds = self._on_page(page, minute // 1440, newest)
        p = self.universe.portfolio[funds]
        before = self._day_before(funds, newest)
        new = self._figures(funds, newest, minute)
        old = self._figures(funds, previous, minute)
        base = self.quoter.at(funds, np.maximum(before, 0)).unit
        today = self.quoter.at(funds, np.full(len(funds), newest))
        growth = _growth(new["unit_nav"], base, today.dividend, today.split)
        growth[before < self.universe.inception[p]] = np.nan
        empty = np.full(2 * len(funds), np.nan)
        values = {name: np.concatenate([new[name], old[name]]) for name in FIELDS[:2]}
        values["growth_pct"] = np.concatenate([growth, empty[: len(funds)]])
        values |= dict.fromkeys(FIELDS[3:], empty)
        return Rows(np.tile(funds, 2), np.repeat([newest, previous], len(funds)), values)

    def on_pages(self, minute: int) -> NDArray[np.int64]:
        """Every fund that some page has now."""
        today, newest = minute // 1440, self.header(minute)[0]
        days = {"open": newest, "exchange": newest, "money": self.money_header(minute)[0]}
        return np.concatenate([self._on_page(page, today, day) for page, day in days.items()])

    def _on_page(self, page: str, today: int, newest: int) -> NDArray[np.int64]:
        funds = self.listed(today)
        found: NDArray[np.int64] = funds[
            (self.page[funds] == page) & self.raised(funds, newest)
        ]
        return found

    def _figures(
        self, funds: NDArray[np.int64], day: int, minute: int
    ) -> dict[str, NDArray[np.float64]]:
        """Unit and accumulated NAV of one day as seen at a minute, NaN where not yet."""
        p = self.universe.portfolio[funds]
        days = np.full(len(funds), day)
        seen = self.schedule.has_nav(p, days)
        seen &= self.schedule.published_at(p, days) <= minute
        quotes = self.quoter.at(funds, days, self._standing_error(funds, days, minute))
        return {
            "unit_nav": np.where(seen, quotes.unit, np.nan),
            "acc_nav": np.where(seen, quotes.accumulated, np.nan),
        }

    def _standing_error(
        self, funds: NDArray[np.int64], days: NDArray[np.int64], minute: int
    ) -> NDArray[np.float64]:
        standing = self.schedule.corrected_at(days) > minute
        return np.where(standing, self.schedule.error(funds, days), 0.0)

    def _day_before(self, funds: NDArray[np.int64], day: int) -> NDArray[np.int64]:
        """Each fund's last day with a NAV before `day`; -1 for none in reach."""
        p = self.universe.portfolio[funds]
        candidates = self._nav_days(day - LONGEST_GAP_DAYS, day - 1)[::-1]
        found = np.full(len(funds), -1)
        missing = np.arange(len(funds))
        for few in filter(len, (candidates[:3], candidates[3:])):
            has = self.schedule.has_nav(p[missing, None], few)
            hit = has.any(axis=1)
            found[missing[hit]] = few[has.argmax(axis=1)[hit]]
            missing = missing[~hit]
        return found

    def _nav_days(self, first: int, last: int) -> NDArray[np.int64]:
        days = np.arange(max(first, 0), last + 1)
        return days[self.timeline.session[days] | self.timeline.half_year_end[days]]

    def money_header(self, minute: int) -> tuple[int, int]:
        """The two calendar days the money page shows."""
        newest = minute // 1440 - (minute % 1440 < EVENING)
        return newest, newest - 1

    def money_snapshot(self, minute: int) -> Rows:
        """The money page: all its funds on the newest, then on the previous date."""
        newest, previous = self.money_header(minute)
        funds = self._on_page("money", minute // 1440, newest)
        income, week, seen = self._money_block(funds, previous, newest, minute, page=True)
        empty = np.full(2 * len(funds), np.nan)
        values = dict.fromkeys(FIELDS[:3], empty)
        for name, block in (("yield_per_10k", income), ("yield_7d_pct", week)):
            values[name] = np.where(seen, block, np.nan)[:, ::-1].T.ravel()
        return Rows(np.tile(funds, 2), np.repeat([newest, previous], len(funds)), values)

    def _money_block(
        self,
        funds: NDArray[np.int64],
        first: int,
        last: int,
        minute: int,
        *,
        page: bool = False,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        income, week, exists = self.money.block(funds, first, last, page=page)
        recent = np.arange(max(first, last - LONGEST_DELAY_DAYS), last + 1)
        p = self.universe.portfolio[funds][:, None]
        exists[:, recent - first] &= self.schedule.published_at(p, recent) <= minute
        return income, week, exists

    def money_histories(
        self, funds: NDArray[np.int64], first: int, minute: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]:
        """Days, income per 10,000 shares and 7-day yields of each fund."""
        days = np.arange(first, minute // 1440 + 1)
        income, week, seen = self._money_block(funds, first, minute // 1440, minute)
        for row, mask in enumerate(seen):
            yield days[mask], income[row, mask], week[row, mask]

    def nav_histories(
        self, funds: NDArray[np.int64], first: int, minute: int, *, corrected: bool = False
    ) -> Iterator[Series]:
        """Each fund's NAVs from day `first` to what is published at `minute`.

        Args:
            corrected: show the right figure even where the wrong one still stands.
        """
        u, today = self.universe, minute // 1440
        p = u.portfolio[funds][:, None]
        reach = HALF_YEARLY_GAP_DAYS if u.half_yearly[p].any() else LONGEST_GAP_DAYS
        days = self._nav_days(first - reach, today)
        has = self.schedule.has_nav(p, days)
        has &= ~u.half_yearly[p] | ((days + HALF_YEARLY_DELAY_DAYS) * 1440 + EVENING <= minute)
        recent = np.searchsorted(days, today - LONGEST_DELAY_DAYS)
        has[:, recent:] &= self.schedule.published_at(p, days[recent:]) <= minute
        true = self.quoter.at(funds[:, None], days)
        unit, accumulated = true.unit.copy(), true.accumulated.copy()
        if not corrected:
            error = self._standing_error(funds[:, None], days[recent:], minute)
            seen = self.quoter.at(funds[:, None], days[recent:], error)
            unit[:, recent:], accumulated[:, recent:] = seen.unit, seen.accumulated
        for row, mask in enumerate(has):
            at = np.flatnonzero(mask)
            base = np.append(np.nan, true.unit[row, at[:-1]])[: len(at)]
            dividend, split = true.dividend[row, at], true.split[row, at]
            growth = _growth(unit[row, at], base, dividend, split)
            cut = slice(int(np.searchsorted(days[at], first)), None)
            yield Series(
                day=days[at][cut],
                unit=unit[row, at][cut],
                accumulated=accumulated[row, at][cut],
                growth_pct=growth[cut],
                dividend=dividend[cut],
                split=split[cut],
            )


def _growth(
    unit: NDArray[np.float64],
    base: NDArray[np.float64],
    dividend: NDArray[np.float64],
    split: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Published growth in percent: two decimals, adjusted for events."""
    return np.round(((unit * split + dividend) / base - 1) * 100, 2)
