"""The published yields of money-market funds, over the windows of metrics.

Belongs here: the newest 7-day yield and income of a window and the mean of its 7-day yields.
Does not belong here: what the yields are made from (`nav/money.py`), printing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fund_assets.schemas.tables import VALIDATED_NAV
from fund_assets.warehouse.warehouse import Warehouse

if TYPE_CHECKING:  # a look at one fund waits for none of it
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

#: As screens and frames name them: fractions, and yuan for 10,000 shares.
YIELDS = ("yield_7d", "mean_yield_7d", "yield_per_10k")

_ROWS = VALIDATED_NAV.part(["yield_7d_pct", "yield_per_10k"])

#: For a query over fund_metrics as `m` with :newest and :window.
YIELD_JOIN = (
    "LEFT JOIN (SELECT n.fund_code AS fund_code, "
    "CASE WHEN MAX(w.start_date) IS NOT NULL THEN "
    "AVG(CASE WHEN n.nav_date > w.start_date THEN n.yield_7d_pct END) / 100 END "
    "AS mean_yield_7d, "
    "MAX(CASE WHEN n.nav_date = w.end_date THEN n.yield_7d_pct END) / 100 AS yield_7d, "
    "MAX(CASE WHEN n.nav_date = w.end_date THEN n.yield_per_10k END) AS yield_per_10k "
    "FROM fund_metrics AS w JOIN fund_info AS l ON l.fund_code = w.fund_code "
    "AND l.kind = 'money' JOIN validated_nav AS n ON n.fund_code = w.fund_code "
    "AND n.nav_date >= COALESCE(w.start_date, w.end_date) AND n.nav_date <= w.end_date "
    'WHERE w.calc_date = :newest AND w."window" = :window GROUP BY n.fund_code) AS y '
    "ON y.fund_code = m.fund_code "
)


def yields_over(warehouse: Warehouse, windows: pd.DataFrame) -> pd.DataFrame:
    """The yields of money-market funds over windows.

    Args:
        windows: columns fund_code, start_date (<NA>: the window has no start, and no mean)
            and end_date (<NA>: no NAV), yyyymmdd, of money-market funds.

    Returns:
        The columns of YIELDS, index as given.
    """
    import numpy as np
    import pandas as pd

    found = pd.DataFrame(np.nan, windows.index, list(YIELDS))
    known = windows["end_date"].notna().to_numpy()
    if not known.any():
        return found
    asked = windows[known]
    starts = asked["start_date"].fillna(asked["end_date"])
    codes = ", ".join(f"'{code}'" for code in asked["fund_code"].unique())
    rows = warehouse.columns(
        f"SELECT {', '.join(_ROWS.names)} FROM validated_nav WHERE fund_code IN ({codes}) "
        f"AND nav_date BETWEEN {int(starts.min())} AND {int(asked['end_date'].max())}",
        _ROWS,
    )
    rows = rows.sort_values(["fund_code", "nav_date"])
    keys = _keys(rows["fund_code"], rows["nav_date"])
    values = rows["yield_7d_pct"].to_numpy() / 100
    there = np.concatenate(([0], np.cumsum(~np.isnan(values))))
    sums = np.concatenate(([0.0], np.cumsum(np.nan_to_num(values))))
    ends = _keys(asked["fund_code"], asked["end_date"])
    low = np.searchsorted(keys, _keys(asked["fund_code"], starts), side="right")
    high = np.searchsorted(keys, ends, side="right")
    count = there[high] - there[low]
    mean = (sums[high] - sums[low]) / np.where(count, count, np.nan)
    at = np.maximum(high - 1, 0)
    newest = (high > 0) & (keys[at] == ends) if len(keys) else np.zeros(len(ends), bool)
    if len(keys):
        found.loc[known, "yield_7d"] = np.where(newest, values[at], np.nan)
        income = rows["yield_per_10k"].to_numpy()[at]
        found.loc[known, "yield_per_10k"] = np.where(newest, income, np.nan)
    found.loc[known, "mean_yield_7d"] = np.where(asked["start_date"].isna(), np.nan, mean)
    return found


def _keys(codes: pd.Series, dates: pd.Series) -> NDArray[np.int64]:
    """Fund and date as one sortable number."""
    keys: NDArray[np.int64] = codes.astype("int64").to_numpy() * 100_000_000
    keys += dates.astype("int64").to_numpy()
    return keys
