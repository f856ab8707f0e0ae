"""NAVs: dividends and splits, and the figures that a fund publishes for a day.

Belongs here: unit NAV, accumulated NAV and the events between. Does not belong here: when
they are seen (`schedule.py`), money-market yields (`money.py`).

With wealth W (1 at inception times the first NAV), a dividend of D yuan per old share and
S new shares per old one, the NAV is U = W·m, and each event takes m to (m − D/W)/S. So
U·S + D is what a share of the day before has become, rounding apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.factors import Factors
from fund_assets.sources.simulated.randomness import Stream, uniforms
from fund_assets.sources.simulated.schedule import Schedule
from fund_assets.sources.simulated.timeline import NEVER, Timeline
from fund_assets.sources.simulated.universe import Universe

_STRIDE = 1 << 16
_FIRST_NAV_IN_DOLLARS = 0.25
_SPLITS_A_YEAR = {"equity": 0.01, "mixed": 0.01, "index": 0.02, "qdii": 0.01}
_BOTH_ON_ONE_DAY = 0.2
_SEARCH_DAYS = 15
_BOND_ETF_FOLDS_AFTER_DAYS = 400


@dataclass(frozen=True)
class Events:
    """Events of share classes in ascending order of `key` = fund·2¹⁶ + day.

    Attributes:
        dividend: yuan per old share, 0 for none.
        split: new shares per old share, 1 for none.
        multiplier: m from that day on.
        shares, paid: shares that one share of inception has become, and the cash it has
            received, from that day on.
    """

    key: NDArray[np.int64]
    dividend: NDArray[np.float64]
    split: NDArray[np.float64]
    multiplier: NDArray[np.float64]
    shares: NDArray[np.float64]
    paid: NDArray[np.float64]


@dataclass(frozen=True)
class Quotes:
    """Figures for share classes and days: unit and accumulated NAV, the day's events."""

    unit: NDArray[np.float64]
    accumulated: NDArray[np.float64]
    dividend: NDArray[np.float64]
    split: NDArray[np.float64]


class Quoter:
    """Computes the NAV of any share class on any day."""

    def __init__(
        self,
        seed: int,
        universe: Universe,
        timeline: Timeline,
        factors: Factors,
        schedule: Schedule,
    ) -> None:
        self._seed, self._universe, self._timeline = seed, universe, timeline
        self._factors, self._schedule = factors, schedule
        f = np.arange(len(universe.portfolio))
        start = universe.inception[universe.portfolio]
        self._base = factors.log_wealth(f, np.minimum(start, len(timeline.session) - 1))
        self._first: NDArray[np.float64] = np.where(
            universe.in_dollars, _FIRST_NAV_IN_DOLLARS, 1.0
        )
        self._digits = np.float64(10.0) ** universe.decimals
        self.events = self._build_events()

    def _wealth(
        self, funds: NDArray[np.integer], days: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        log = self._factors.log_wealth(funds, days) - self._base[funds]
        wealth: NDArray[np.float64] = np.exp(log) * self._first[funds]
        return wealth

    def _rounded(
        self, values: NDArray[np.float64], funds: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        digits = self._digits[funds]
        rounded: NDArray[np.float64] = np.rint(values * digits) / digits
        return rounded

    def at(
        self,
        funds: NDArray[np.integer],
        days: NDArray[np.integer],
        error: NDArray[np.float64] | float = 0.0,
    ) -> Quotes:
        """Published figures of share classes on days (broadcast), with a relative error."""
        e = self.events
        key = funds.astype(np.int64) * _STRIDE + days
        found = np.searchsorted(e.key, key, side="right") - 1
        mine = e.key[found] // _STRIDE == funds
        today = mine & (e.key[found] == key)
        unit = self._wealth(funds, days) * np.where(mine, e.multiplier[found], 1.0)
        unit = self._rounded(unit * (1 + error), funds)
        shares = np.where(mine, e.shares[found], 1.0)
        accumulated = self._rounded(unit * shares + np.where(mine, e.paid[found], 0.0), funds)
        return Quotes(
            unit=unit,
            accumulated=np.where(self._universe.shows_accumulated[funds], accumulated, np.nan),
            dividend=np.where(today, e.dividend[found], 0.0),
            split=np.where(today, e.split[found], 1.0),
        )

    def _plan(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
        """Portfolio, wished day, share of the NAV paid, whether split; over all years."""
        t, u, seed = self._timeline, self._universe, self._seed
        years = np.arange(t.year[-1] + 1)
        jan_first = np.searchsorted(t.year, years)
        p = np.arange(len(u.breed))[:, None]
        expected = np.array([breed.dividends for breed in BREEDS])[u.breed][:, None]
        splitting = np.array([_SPLITS_A_YEAR.get(breed.kind, 0.0) for breed in BREEDS])
        planned = []
        for nth in (0, 1):
            pays = uniforms(seed, Stream.DIVIDEND, p, years, nth) < expected / (1 + nth)
            if nth:
                pays &= expected > 0.25
            day = jan_first + 360 * uniforms(seed, Stream.DIVIDEND, p, years, 2 + nth)
            rate = 0.002 + 0.04 * uniforms(seed, Stream.DIVIDEND, p, years, 4 + nth) ** 2
            planned.append((pays, day, rate, False))
        folding = np.array([breed.is_bond_etf for breed in BREEDS])[u.breed][:, None]
        splits = uniforms(seed, Stream.SPLIT, p, years, 0) < splitting[u.breed][:, None]
        splits &= ~folding
        both = uniforms(seed, Stream.SPLIT, p, years, 1) < _BOTH_ON_ONE_DAY
        day = jan_first + 360 * uniforms(seed, Stream.SPLIT, p, years, 2)
        planned.append((splits, day, np.where(both, 0.02, 0.0), True))
        day = np.minimum(u.inception + _BOND_ETF_FOLDS_AFTER_DAYS, NEVER)[:, None]
        planned.append((folding, day, np.zeros((1, 1)), True))
        columns = []
        for chosen, day, rate, is_split in planned:
            who, when = np.nonzero(chosen)
            day = np.broadcast_to(day, chosen.shape)[who, when]
            rate = np.broadcast_to(rate, chosen.shape)[who, when]
            columns.append(
                (who.astype(np.int64), day.astype(np.int64), rate, np.full(len(who), is_split))
            )
        return (
            np.concatenate([who for who, _, _, _ in columns]),
            np.concatenate([day for _, day, _, _ in columns]),
            np.concatenate([rate for _, _, rate, _ in columns]),
            np.concatenate([is_split for _, _, _, is_split in columns]),
        )

    def _build_events(self) -> Events:
        """Put the plan on days with a NAV, one event day after the other for each class."""
        t, u = self._timeline, self._universe
        who, day, rate, is_split = self._plan()
        day = np.minimum(day, len(t.session) - _SEARCH_DAYS - 1)
        window = day[:, None] + np.arange(_SEARCH_DAYS)
        fits = self._schedule.has_nav(who[:, None], window)
        fits &= (window > u.inception[who][:, None]) & t.session[window]
        day = day + fits.argmax(axis=1)
        key = who * _STRIDE + day
        # A split wins over a dividend planned for the same day; it may bring its own.
        order = np.lexsort((~is_split, key))
        order = order[np.asarray(fits.any(axis=1))[order]]
        order = order[np.insert(np.diff(key[order]) > 0, 0, True)[: len(order)]]
        who, day, rate, is_split = who[order], day[order], rate[order], is_split[order]
        # Portfolio events become events of each share class, ordered by class, then day.
        first = np.searchsorted(u.portfolio, who)
        count = np.searchsorted(u.portfolio, who, side="right") - first
        source = np.repeat(np.arange(len(who)), count)
        nth = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
        fund = first[source] + nth
        keep = ~u.back_end[fund]
        source, fund = source[keep], fund[keep]
        order = np.lexsort((day[source], fund))
        source, fund = source[order], fund[order]
        return self._chain(fund, day[source], rate[source], is_split[source])

    def _chain(
        self,
        fund: NDArray[np.int64],
        day: NDArray[np.int64],
        rate: NDArray[np.float64],
        is_split: NDArray[np.bool_],
    ) -> Events:
        """Carry the multiplier from each event of a class to its next one."""
        u, n = self._universe, len(fund)
        wealth = self._wealth(fund, day)
        choice = uniforms(self._seed, Stream.EVENT_SIZE, u.portfolio[fund], day)
        folds = np.array([breed.is_bond_etf for breed in BREEDS])[u.breed[u.portfolio[fund]]]
        new_fund = np.insert(np.diff(fund) > 0, 0, True)[:n]
        ordinal = np.arange(n) - np.maximum.accumulate(np.where(new_fund, np.arange(n), 0))
        dividend, split = np.zeros(n), np.ones(n)
        multiplier, shares, paid = np.ones(n), np.ones(n), np.zeros(n)
        for level in range(int(ordinal.max(initial=-1)) + 1):
            now = np.flatnonzero(ordinal == level)
            before = np.maximum(now - 1, 0)
            m, s, c = (
                np.where(level == 0, start, column[before])
                for start, column in ((1.0, multiplier), (1.0, shares), (0.0, paid))
            )
            nav = wealth[now] * m
            cash = np.maximum(self._rounded(nav * rate[now], fund[now]), 0.002)
            rich = (rate[now] > 0) & (nav > 0.85 * self._first[fund[now]])
            cash = np.where(rich, cash, 0.0)
            ratio = np.where(is_split[now], _ratio(nav - cash, choice[now], folds[now]), 1.0)
            dividend[now], split[now] = cash, ratio
            multiplier[now] = (m - cash / wealth[now]) / ratio
            paid[now] = c + cash * s
            shares[now] = s * ratio
        real = (dividend > 0) | (split != 1.0)
        # A first event of nobody, so that every look-up finds one.
        key = np.insert(fund[real] * _STRIDE + day[real], 0, -1)
        columns = (dividend, split, multiplier, shares, paid)
        return Events(key, *(np.insert(column[real], 0, 1.0) for column in columns))

    def events_between(
        self, first: int, last: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Share class, day, dividend and split of every event on days `first` to `last`."""
        e = self.events
        day = e.key % _STRIDE
        found = (e.key >= 0) & (day >= first) & (day <= last)
        return e.key[found] // _STRIDE, day[found], e.dividend[found], e.split[found]

    def events_of(
        self, fund: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Days, dividends and splits of one share class."""
        e = self.events
        low, high = np.searchsorted(e.key, (fund * _STRIDE, (fund + 1) * _STRIDE))
        return e.key[low:high] % _STRIDE, e.dividend[low:high], e.split[low:high]


def _ratio(
    nav: NDArray[np.float64], choice: NDArray[np.float64], folds: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """New shares per old: 100 into 1 for bond ETFs, else by what the NAV has become."""
    small = np.round(1.0018 + 0.05 * choice, 9)
    to_one = np.round(nav, 4)
    high = np.where(choice < 0.5, 2.0, to_one)
    ordinary = np.where(nav > 1.6, high, np.where(nav < 0.75, to_one, small))
    return np.where(folds, 0.01, np.maximum(ordinary, 0.05))
