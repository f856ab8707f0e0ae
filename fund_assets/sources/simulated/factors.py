"""What moves the market: factor walks by day, and how much each share class has of them.

Belongs here: factors, exposures and the level they give. Does not belong here: dividends,
rounding and publication (`quotes.py`).

The logarithm of a share class's wealth on a day is the sum over factors of exposure times
level. Two factors are clocks (moving days and days since the origin), so expected returns and
fees are exposures too. The others are walks with daily standard deviation near 1 and a
weak pull to the middle, which keeps prices sensible over decades; volatility comes in
calm and stormy spells. They move on the published sessions, so a manual override of the
calendar changes which days have a NAV, but no NAV.
"""

import numpy as np
from numpy.typing import NDArray

from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.randomness import Stream, uniforms
from fund_assets.sources.simulated.timeline import Timeline
from fund_assets.sources.simulated.universe import Universe

MOVES, DAYS, MARKET, OVERSEAS, RATES, GOODS, CREDIT, DOLLAR = range(8)
SECTORS = range(8, 18)
IDIO = range(18, 42)
_N_FACTORS = 42
#: Half of a displacement is undone in about 350 sessions.
_MEMORY = 0.998
_STORM_MEMORY = 0.95
DOLLAR_VOLATILITY_PCT = 0.2


class Factors:
    """Levels of all factors and exposures of all share classes of a market.

    Attributes:
        levels: (factors, days).
        exposures: (factors, portfolios), in log return per unit of factor.
        cash_rate: annual yield of money-market funds before costs, per day, fraction.
    """

    def __init__(self, seed: int, universe: Universe, timeline: Timeline) -> None:
        self._timeline = timeline
        self.levels, interest = _walks(seed, timeline)
        self.cash_rate = 0.021 + 0.004 * np.tanh(interest / 2)
        self.exposures = _exposures(seed, universe)
        self._fee = universe.fee
        self._in_dollars = universe.in_dollars
        self._portfolio = universe.portfolio

    def log_wealth(
        self, funds: NDArray[np.integer], days: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Log of wealth for share classes and days, which broadcast against each other.

        Factors are added in a fixed order, so a value is the same to the last bit
        whichever shape it is asked in.
        """
        portfolios = self._portfolio[funds]
        level = np.zeros(np.broadcast_shapes(np.shape(funds), np.shape(days)))
        for exposure, walk in zip(self.exposures, self.levels, strict=True):
            level += exposure[portfolios] * walk[days]
        level -= self._fee[funds] / 36_500 * self.levels[DAYS][days]
        dollar = self._in_dollars[funds] * (DOLLAR_VOLATILITY_PCT / 100)
        level -= dollar * self.levels[DOLLAR][days]
        return level


def _walks(seed: int, timeline: Timeline) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Levels (factors, days), and a slow walk that interest rates follow."""
    n_days = len(timeline.weekday)
    draws = np.random.default_rng([seed, Stream.FACTORS]).standard_normal(
        (n_days, _N_FACTORS + 2)
    )
    levels = np.zeros((n_days, _N_FACTORS + 2))
    level, storm = np.zeros(_N_FACTORS + 2), 0.0
    for day in range(n_days):
        if timeline.moving[day]:
            storm = _STORM_MEMORY * storm + 0.09 * draws[day, _N_FACTORS]
            level = _MEMORY * level + np.exp(storm - 0.05) * draws[day]
        levels[day] = level
    levels[:, MOVES] = np.cumsum(timeline.moving)
    levels[:, DAYS] = np.arange(n_days)
    return np.ascontiguousarray(levels[:, :_N_FACTORS].T), levels[:, _N_FACTORS + 1] / 12


def _exposures(seed: int, universe: Universe) -> NDArray[np.float64]:
    """Exposures (factors, portfolios), in log return per unit of factor."""

    def of_breed(field: str) -> NDArray[np.float64]:
        return np.array([getattr(breed, field) for breed in BREEDS])[universe.breed]

    n = len(universe.breed)
    p = np.arange(n)

    def spread(key: int) -> NDArray[np.float64]:
        return 0.75 + 0.5 * uniforms(seed, Stream.EXPOSURE, p, key)

    result = np.zeros((_N_FACTORS, n))
    result[MOVES] = of_breed("growth") / 243
    result[DAYS] = of_breed("carry") / 365 * spread(0)
    for factor, field in (
        (MARKET, "market"),
        (OVERSEAS, "overseas"),
        (RATES, "rates"),
        (GOODS, "goods"),
        (CREDIT, "credit"),
    ):
        result[factor] = of_breed(field) * spread(factor)
    index = np.array([breed.kind == "index" for breed in BREEDS])[universe.breed]
    result[MARKET] = np.where(index, of_breed("market"), result[MARKET])
    sector = np.floor(uniforms(seed, Stream.EXPOSURE, p, 8) * len(SECTORS)).astype(int)
    result[SECTORS.start + sector, p] = of_breed("sector") * spread(9)
    taste = np.random.default_rng([seed, Stream.IDIO]).standard_normal((n, len(IDIO)))
    taste /= np.linalg.norm(taste, axis=1, keepdims=True)
    result[IDIO.start :] = (taste * (of_breed("idio") * spread(10))[:, None]).T
    return result / 100
