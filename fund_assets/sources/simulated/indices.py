"""Indices of the simulated market: walks made of the factors that move its funds.

Belongs here: what each index is made of. Does not belong here: the factors (`factors.py`).
"""

import numpy as np
import pandas as pd

from fund_assets.sources.simulated.factors import MARKET, MOVES, OVERSEAS, RATES, Factors
from fund_assets.sources.simulated.timeline import Timeline
from fund_assets.transport.errors import UnknownIndexError

#: Index code → first close, yearly growth in percent, and percent of each factor.
RECIPES: dict[str, tuple[float, float, dict[int, float]]] = {
    "000300": (1000.0, 5.0, {MARKET: 0.95}),
    "000012": (100.0, 3.0, {RATES: 0.05}),
    "SPX": (1200.0, 6.0, {OVERSEAS: 1.1}),
}
SESSIONS_A_YEAR = 243
CLOSE_MINUTE = 15 * 60


def index_history(
    factors: Factors, timeline: Timeline, index_code: str, first: int, minute: int
) -> pd.DataFrame:
    """Closes from day `first` to what is closed at `minute`, as sources give them."""
    if index_code not in RECIPES:
        raise UnknownIndexError(f"the simulated market has no index {index_code!r}")
    base, growth, parts = RECIPES[index_code]
    last = (minute - CLOSE_MINUTE) // 1440
    days = np.arange(first, last + 1)
    days = days[timeline.session[days]]
    level = growth / SESSIONS_A_YEAR * factors.levels[MOVES][days]
    for factor, percent in parts.items():
        level = level + percent * factors.levels[factor][days]
    return pd.DataFrame(
        {
            "nav_date": timeline.keys[days].astype("int32"),
            "close": np.round(base * np.exp(level / 100), 2),
        }
    )
