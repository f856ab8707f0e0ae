"""When: the days on which a fund has a NAV, and the minute at which it is published.

Belongs here: cadence, suspensions, coverage curve, corrections in time. Does not belong
here: figures (`quotes.py`, `money.py`).

Shapes: `portfolios`, `funds` and `days` are index arrays that broadcast against each other.
"""

import numpy as np
from numpy.typing import NDArray

from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.randomness import Stream, uniforms
from fund_assets.sources.simulated.timeline import NEVER, Timeline
from fund_assets.sources.simulated.universe import Universe

#: No two NAVs of a fund are further apart, half-yearly ones left out.
LONGEST_GAP_DAYS = 130
#: A NAV older than this is published, half-yearly ones left out.
LONGEST_DELAY_DAYS = 25
HALF_YEARLY_DELAY_DAYS = 60
HALF_YEARLY_GAP_DAYS = 184
EVENING = 16 * 60
_FIRST_WEEKS_DAYS = 45
_OPEN_DAYS = 14
#: Share published by the minute after 16:00; 930 is 07:30 the next morning.
_CURVE = ((0.0, 0.55, 0.85, 0.95, 1.0), (1.0, 180.0, 330.0, 420.0, 929.0))
_CORRECTED_AT = 17 * 60
_ERROR_SHARE = 0.0003
#: Sizes of errors: share of them, and bounds as fractions of the NAV.
_ERROR_SIZES = ((0.6, 0.0006, 0.0025), (0.85, 0.0025, 0.005), (1.01, 0.005, 0.03))


class Schedule:
    """The market's habits in time."""

    def __init__(self, seed: int, universe: Universe, timeline: Timeline) -> None:
        self._seed, self._universe, self._timeline = seed, universe, timeline
        self._halts = self._suspensions()

    def _suspensions(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """First and last day of a halt per portfolio and year of the calendar."""
        years = np.arange(self._timeline.year[-1] + 1)
        jan_first = np.searchsorted(self._timeline.year, years)
        p = np.arange(len(self._universe.breed))[:, None]
        chance = uniforms(self._seed, Stream.SUSPENSION, p, years, 0)
        may = ~np.isin(np.array([b.kind for b in BREEDS]), ("money", "reit"))
        halted = (chance < 0.008) & may[self._universe.breed][:, None]
        since = jan_first + 200 * uniforms(self._seed, Stream.SUSPENSION, p, years, 1)
        length = 20 + 70 * uniforms(self._seed, Stream.SUSPENSION, p, years, 2)
        first = np.where(halted, since, NEVER).astype(np.int32)
        return first, np.where(halted, first + length, -1).astype(np.int32)

    def has_nav(
        self, portfolios: NDArray[np.integer], days: NDArray[np.integer]
    ) -> NDArray[np.bool_]:
        """Whether a portfolio with a moving NAV has one for the day."""
        u, t, p = self._universe, self._timeline, portfolios
        inception, last = u.inception[p], u.last_nav[p]
        session, year_end = t.session[days], t.half_year_end[days]
        cycle = u.cycle[p]
        closed = (cycle > 0) & ((days + 37 * p) % np.maximum(cycle, 1) >= _OPEN_DAYS)
        weekly = closed | (days < inception + _FIRST_WEEKS_DAYS)
        regular = np.where(weekly, t.week_end[days], session) | (year_end & u.year_ends[p])
        starts, ends = self._halts
        year = t.year[days]
        for back in (0, 1):
            at = np.maximum(year - back, 0)
            regular &= ~((days >= starts[p, at]) & (days <= ends[p, at]))
        regular = np.where(u.half_yearly[p], year_end, regular)
        found: NDArray[np.bool_] = (
            (regular & (days > inception) & (days < last))
            | (days == inception)
            | (days == last)
        )
        return found

    def published_at(
        self, portfolios: NDArray[np.integer], days: NDArray[np.integer]
    ) -> NDArray[np.int64]:
        """Minute at which the figures of a day appear."""
        u, t, p = self._universe, self._timeline, portfolios
        jitter = uniforms(self._seed, Stream.JITTER, p, days) - 0.5
        place = np.abs(u.habit[p] + 0.3 * jitter)
        place = np.where(place > 1, 2 - place, place)
        after = np.interp(place, *_CURVE)
        lag = u.lag[p]
        prompt = days * 1440 + EVENING + after
        first, second = t.sessions_later(days, 1), t.sessions_later(days, 2)
        late = first * 1440 + EVENING + 0.35 * after
        # Two sessions late: half of them late in the first evening, the others on the
        # second day from 09:00 to 15:00: evening snapshots show newer dates by then, so
        # those NAVs are found in histories only.
        evening = first * 1440 + 22 * 60 + 180 * place
        daytime = second * 1440 + 3 * 60 + 12 * 60 * place
        latest = np.where(place < 0.5, evening, daytime)
        minute = np.choose(lag, (prompt, late, latest))
        half_yearly = (days + HALF_YEARLY_DELAY_DAYS) * 1440 + EVENING
        return np.where(u.half_yearly[p], half_yearly, minute).astype(np.int64)

    def error(
        self, funds: NDArray[np.integer], days: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Relative error of the NAV as first published; 0 for nearly all."""
        u = self._universe
        p = u.portfolio[funds]
        wrong = uniforms(self._seed, Stream.ERROR, funds, days) < _ERROR_SHARE
        wrong &= (u.lag[p] == 0) & ~u.half_yearly[p] & (u.inception[p] != days)
        if not wrong.any():
            return np.zeros(wrong.shape)
        which = uniforms(self._seed, Stream.ERROR_SIZE, funds, days, 0)
        where = uniforms(self._seed, Stream.ERROR_SIZE, funds, days, 1)
        edges, low, high = (np.array(column) for column in zip(*_ERROR_SIZES, strict=True))
        group = np.searchsorted(edges, which, side="right")
        size = low[group] + np.abs(2 * where - 1) * (high[group] - low[group])
        return np.where(wrong, np.where(where < 0.5, -size, size), 0.0)

    def corrected_at(self, days: NDArray[np.integer]) -> NDArray[np.int64]:
        """Minute from which a wrong NAV of the day stands corrected: the next session."""
        later = self._timeline.sessions_later(np.asarray(days), 1).astype(np.int64)
        return later * 1440 + _CORRECTED_AT
