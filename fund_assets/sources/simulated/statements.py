"""What the simulated source states of its funds: returns, ranks and scores, all of them true.

Belongs here: figures as a history answer shows them. Does not belong here: NAVs (`quotes.py`),
of which the returns are made.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from fund_assets.calendar import keys_to_days
from fund_assets.metrics.kernel import START_TOLERANCE_DAYS
from fund_assets.metrics.windows import start_days
from fund_assets.nav.statements import SourceStatements, kept
from fund_assets.schemas.tables import RETURNS_STATED
from fund_assets.sources.simulated.market import Market

Floats = NDArray[np.float64]
Days = NDArray[np.int64]
_WINDOWS = list(RETURNS_STATED.values())


class Statements:
    """Computes what is stated of share classes; ranks of a day are computed once."""

    def __init__(self, market: Market) -> None:
        self._market = market
        u = market.universe
        self._group = u.breed[u.portfolio]
        self._ranked = ~u.back_end & (market.page != "money")
        self._on = cache(self._ranks_on)

    def of(self, fund: int, days: Days, returns: Floats) -> SourceStatements:
        """What an answer states of one class.

        Args:
            days: those of its NAVs, ascending; returns: of the steps to each, the first unused.
        """
        if not len(days):
            return SourceStatements()
        keys = self._market.timeline.keys
        newest = int(keys[days[-1]])
        figures = {(what, newest): value for what, value in _returns(keys[days], returns)}
        if not self._ranked[fund]:
            return SourceStatements(figures)
        ends = [int(day) for day in days[kept(keys[days])]]
        found = [(day, *(column[fund] for column in self._on(day)[:2])) for day in ends]
        found = [(keys[day], rank, peers) for day, rank, peers in found if rank]
        if not found:
            return SourceStatements(figures)
        dates, ranks, peers = np.array(found, dtype=np.int32).T
        if dates[-1] == newest:
            figures["score", newest] = round(100 - 50 * float(ranks[-1] / peers[-1]), 2)
        mean = self._on(ends[-1])[2][fund]
        if mean == mean and ("return_6m", newest) in figures:
            figures["peers_6m", newest] = round(float(mean), 2)
        return SourceStatements(figures, dates, ranks, peers)

    def _ranks_on(self, day: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """Of every class: rank by three months, number of peers, their mean over six months.

        0 and NaN: it is not ranked. Equal returns in two decimals share a rank.
        """
        short, long = (self._since(day, window) for window in ("3m", "6m"))
        ranks = np.zeros(len(short), np.int64)
        peers = np.zeros(len(short), np.int64)
        mean = np.full(len(short), np.nan)
        for group in np.unique(self._group):
            mine = self._group == group
            there = np.flatnonzero(mine & ~np.isnan(short))
            ordered = np.sort(-short[there])
            ranks[there] = np.searchsorted(ordered, -short[there]) + 1
            peers[there] = len(there)
            if (known := mine & ~np.isnan(long)).any():
                mean[mine] = long[known].mean()
        return ranks, peers, mean

    def _since(self, day: int, window: str) -> Floats:
        """Return of every ranked class over a window up to a day, in percent."""
        market, u = self._market, self._market.universe
        end = keys_to_days(market.timeline.keys[[day]])
        begin = day - int(end[0] - start_days(end, [window])[0, 0])
        alive = self._ranked & (u.inception[u.portfolio] <= begin)
        alive &= u.last_nav[u.portfolio] >= day
        funds = np.flatnonzero(alive)
        found = np.full(len(u.portfolio), np.nan)
        if begin >= 0 and len(funds):
            grown = market.factors.log_wealth(funds, np.full(len(funds), day))
            grown -= market.factors.log_wealth(funds, np.full(len(funds), begin))
            found[funds] = np.round(100 * np.expm1(grown), 2)
        return found


def _returns(dates: NDArray[np.int32], returns: Floats) -> list[tuple[str, float]]:
    """Subject and percent of each window that the NAVs reach back to."""
    days = keys_to_days(dates)
    starts = start_days(days[-1:], _WINDOWS)[0]
    rows = np.searchsorted(days, starts, side="right") - 1
    found = []
    for what, start, row in zip(RETURNS_STATED, starts, rows.tolist(), strict=True):
        if row >= 0 and start - days[row] <= START_TOLERANCE_DAYS:
            whole = float(np.prod(1 + returns[row + 1 :])) - 1
            found.append((what, round(100 * whole, 2)))
    return found
