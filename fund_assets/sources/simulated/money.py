"""Money-market funds: income per 10,000 shares and 7-day yield for every calendar day.

Belongs here: their figures. Does not belong here: when they are seen (`schedule.py`).
"""

import numpy as np
from numpy.typing import NDArray

from fund_assets.sources.simulated.factors import Factors
from fund_assets.sources.simulated.randomness import Stream, uniforms
from fund_assets.sources.simulated.timeline import Timeline
from fund_assets.sources.simulated.universe import Universe

_LOOK_BACK_DAYS = 7


class MoneyMarket:
    """Computes the yields of money-market funds."""

    def __init__(
        self, seed: int, universe: Universe, timeline: Timeline, factors: Factors
    ) -> None:
        self._seed, self._universe, self._timeline = seed, universe, timeline
        self._cash_rate = factors.cash_rate

    def _daily(
        self, funds: NDArray[np.integer], days: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Income per 10,000 shares of each day, 0 before inception and after the end."""
        u = self._universe
        p = u.portfolio[funds]
        skill = 0.002 * (uniforms(self._seed, Stream.MONEY, p) - 0.5)
        noise = uniforms(self._seed, Stream.MONEY, p, days)
        rate = self._cash_rate[days] + skill - u.fee[funds] / 100
        income = rate / 365 * 1e4 * (0.93 + 0.14 * noise) * np.where(noise > 0.99, 2.0, 1.0)
        alive = (days >= u.inception[p]) & (days <= u.last_nav[p])
        return np.where(alive, np.round(income, 4), 0.0)

    def block(
        self, funds: NDArray[np.integer], first: int, last: int, *, page: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Yields for each fund and each day from `first` to `last`.

        Args:
            page: as the market's page shows them, and not as histories do.

        Returns:
            Income per 10,000 shares (of a fund that merges closed days, the figure on the
            last of them or on the session after them is the sum), 7-day annualised yield in
            percent, compounded from each day's own, and whether there is a row; each
            (funds, days).
        """
        u, t = self._universe, self._timeline
        p = u.portfolio[funds][:, None]
        days = np.arange(first, last + 1)
        # A sum begins with the first of the closed days that end with this day or before it.
        since = t.closed_since[np.maximum(days - t.session[days], 0)]
        begin = max(min(first - _LOOK_BACK_DAYS, int(since.min())), 0)
        income = self._daily(funds[:, None], np.arange(begin, last + 1))
        growth = np.ones((len(funds), len(days)))
        for back in range(_LOOK_BACK_DAYS):
            at = days - back
            growth *= 1 + np.where(at >= begin, income[:, np.maximum(at - begin, 0)], 0) / 1e4
        n_days = np.clip(days - u.inception[p] + 1, 1, _LOOK_BACK_DAYS)
        week = np.round((growth ** (365 / n_days) - 1) * 100, 3)
        alive = (days >= u.inception[p]) & (days <= u.last_nav[p])
        closed = ~t.session[days]
        tomorrow_open = t.session[days + 1]
        sums = np.cumsum(income, axis=1)
        before = since - 1 - begin
        total = sums[:, days - begin] - np.where(before >= 0, sums[:, np.maximum(before, 0)], 0)
        merges = u.merges[p] | (u.page_merges[p] & page)
        merged = (merges & closed) | (u.defers[p] & ~closed)
        figure = np.where(merged, np.round(total, 4), income[:, days - begin])
        silent = (merges & closed & ~tomorrow_open) | (u.defers[p] & closed)
        return figure, week, alive & ~silent
