"""Indices of the simulated market: walks made of the factors that move its funds.

Belongs here: what each index is made of, and its closes. Does not belong here: the factors
(`factors.py`), which fund names which index (`overviews.py`).

Indices that many texts name have a recipe. A portfolio that follows an index of shares has one
of its own, made of what moves the portfolio: no two portfolios move by the same factors. The
index has less of what is the portfolio's alone, so that the fund tracks it with an error.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.sources.simulated.factors import (
    CREDIT,
    DAYS,
    DOLLAR,
    DOLLAR_VOLATILITY_PCT,
    GOODS,
    IDIO,
    MARKET,
    MOVES,
    OVERSEAS,
    RATES,
    SECTORS,
)
from fund_assets.sources.simulated.market import Market
from fund_assets.transport.errors import UnknownIndexError

SESSIONS_A_YEAR = 243
CLOSE_MINUTE = 15 * 60
#: The part of what is a portfolio's alone that its index has as well.
SHARED = 0.7
#: The index of portfolio 0; the others follow.
_FIRST_OWN = 930_000
_FIRST_CLOSE = 1000.0


@dataclass(frozen=True)
class Recipe:
    """What an index is made of.

    Attributes:
        base: first close.
        growth: percent a year, earned on sessions.
        parts: percent of each factor.
        carry: interest in percent a year, earned every day.
        digits: of a close.
    """

    base: float
    growth: float
    parts: dict[int, float] = field(default_factory=dict)
    carry: float = 0.0
    digits: int = 2


_BOND = Recipe(100.0, 0.0, {RATES: 0.05}, digits=4)
#: Variant of a bond index → interest that it keeps, in percent a year.
_KEPT = {"wealth": 3.2, "full_price": 0.3, "net_price": 0.2}
_BONDS = {
    "中债-综合指数": _BOND,
    "中债-新综合指数": _BOND,
    "中债-国债总指数": replace(_BOND, parts={RATES: 0.06}),
    "中债-国开行债券总指数(1-3年)": replace(_BOND, parts={RATES: 0.045}),
    "中债-国开行债券总指数(3-5年)": replace(_BOND, parts={RATES: 0.055}),
}
_500 = Recipe(1000.0, 4.0, {MARKET: 0.9, SECTORS[0]: 0.35})
#: Code → recipe of the indices that texts name.
RECIPES: dict[str, Recipe] = {
    "000300": Recipe(1000.0, 5.0, {MARKET: 0.95}),
    "H00300": Recipe(1000.0, 7.2, {MARKET: 0.95}),
    "000012": Recipe(100.0, 3.0, {RATES: 0.05}),
    "000905": _500,
    "H00905": replace(_500, growth=5.5),
    "000906": Recipe(1000.0, 4.7, {MARKET: 0.94, SECTORS[0]: 0.1}),
    "H11001": Recipe(100.0, 0.0, {RATES: 0.045, CREDIT: 0.02}, carry=3.4),
    "SPX": Recipe(1200.0, 6.0, {OVERSEAS: 1.1}),
    "NDX": Recipe(1900.0, 7.0, {OVERSEAS: 1.2, SECTORS[1]: 0.4}),
    "HSI": Recipe(20_000.0, 3.0, {OVERSEAS: 0.9, MARKET: 0.35}),
    "HSCEI": Recipe(11_000.0, 3.0, {OVERSEAS: 0.85, MARKET: 0.55}),
    "Au99.99": Recipe(240.0, 5.0, {GOODS: 0.95}),
    "Au(T+D)": Recipe(240.0, 5.0, {GOODS: 0.96}),
    "USDCNY": Recipe(6.8, 0.0, {DOLLAR: DOLLAR_VOLATILITY_PCT}, digits=4),
    "HKDCNY": Recipe(0.87, 0.0, {DOLLAR: DOLLAR_VOLATILITY_PCT}, digits=4),
    **{
        f"{name} {variant}": replace(recipe, carry=kept)
        for name, recipe in _BONDS.items()
        for variant, kept in _KEPT.items()
    },
}


def own_index(portfolio: int) -> str:
    """The code of the index that is made of what moves a portfolio."""
    return f"{_FIRST_OWN + portfolio}"


def index_history(market: Market, index_code: str, first: int, minute: int) -> pd.DataFrame:
    """Closes from day `first` to what is closed at `minute`, as sources give them.

    Raises:
        UnknownIndexError: the market has no such index.
    """
    last = (minute - CLOSE_MINUTE) // 1440
    days = np.arange(first, last + 1)
    days = days[market.timeline.session[days]]
    recipe = RECIPES.get(index_code)
    if recipe:
        closes = _of_recipe(market, recipe, days)
    else:
        closes = _of_portfolio(market, _portfolio_of(market, index_code), days)
    keys = market.timeline.keys[days].astype("int32")
    return pd.DataFrame({"nav_date": keys, "close": closes})


def _portfolio_of(market: Market, index_code: str) -> int:
    if len(index_code) == 6 and index_code.isascii() and index_code.isdecimal():
        portfolio = int(index_code) - _FIRST_OWN
        if 0 <= portfolio < len(market.universe.breed):
            return portfolio
    raise UnknownIndexError(f"the simulated market has no index {index_code!r}")


def _of_recipe(
    market: Market, recipe: Recipe, days: NDArray[np.integer]
) -> NDArray[np.float64]:
    levels = market.factors.levels
    level: NDArray[np.float64] = recipe.growth / SESSIONS_A_YEAR * levels[MOVES][days]
    for factor, percent in recipe.parts.items():
        level = level + percent * levels[factor][days]
    level = level + recipe.carry / 365 * levels[DAYS][days]
    closes: NDArray[np.float64] = np.round(recipe.base * np.exp(level / 100), recipe.digits)
    return closes


def _of_portfolio(
    market: Market, portfolio: int, days: NDArray[np.integer]
) -> NDArray[np.float64]:
    level = np.zeros(len(days))
    for factor, walk in enumerate(market.factors.levels):
        part = SHARED if factor in IDIO else 1.0
        level += part * market.factors.exposures[factor, portfolio] * walk[days]
    return np.round(_FIRST_CLOSE * np.exp(level), 2)
