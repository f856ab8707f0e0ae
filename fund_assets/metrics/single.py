"""The metrics of a single series, for notebooks and scripts.

Belongs here: pandas in, pandas out. Does not belong here: formulas (`kernel.py`).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fund_assets.calendar import days_to_keys
from fund_assets.metrics.benchmarks import Benchmarks, RiskFreeRate
from fund_assets.metrics.computation import compute_metrics
from fund_assets.metrics.kernel import RESULT
from fund_assets.metrics.series import FundSeries
from fund_assets.schemas.tables import WINDOWS

_ONE = "000000"


def of_series(
    index: pd.Series,
    windows: Sequence[str] = WINDOWS,
    risk_free_rate: float | RiskFreeRate = 0.015,
    benchmark: pd.Series | None = None,
) -> pd.DataFrame:
    """Return and risk of one total-return index: `compute_metrics` for a single fund.

    Names, formulas, units and conventions are those of `compute_metrics`.

    >>> days = pd.date_range("2025-01-01", "2026-06-30", freq="B")
    >>> value = pd.Series(1.0004 ** np.arange(len(days)), days)
    >>> round(float(of_series(value, ["1y"]).loc["1y", "annualized_return"]), 4)
    0.11

    Args:
        index: [days] values by date (DatetimeIndex) in any order and on any base, positive,
            dividends reinvested; NaN is no value on that day.
        windows: names such as `3m`, `5y`, `ytd`, `inception`; they end on the last value.
        risk_free_rate: annual, as a fraction, constant or dated.
        benchmark: [days] closes by date (DatetimeIndex), positive; of each date the last
            close on or before it counts, at most VALUE_AGE_DAYS old. None: no benchmark.

    Returns:
        [windows] one row each, the window as index, the measures of `compute_metrics` as
        columns, and `reason`.

    Raises:
        SeriesError: two values on one date, or one that is not positive and finite.
        AgainstError: the same of a close.
        ValueError: no value at all, or an unknown window.
    """
    values = index.dropna()
    if values.empty:
        raise ValueError("the series has no values: no metrics can be computed")
    keys = _keys(values)
    against = None
    if benchmark is not None:
        closes = benchmark.dropna()
        frame = pd.DataFrame({"nav_date": _keys(closes), "close": closes.to_numpy(float)})
        against = Benchmarks.from_frame(
            frame.assign(index_code="benchmark"), {_ONE: ("benchmark", 0)}
        )
    found = compute_metrics(
        FundSeries.from_rows([_ONE] * len(values), keys, values.to_numpy(float)),
        int(keys.max()),
        windows,
        risk_free_rate,
        benchmarks=against,
    )
    names = [name for name in RESULT.names or () if name in found]
    return found.set_index("window")[[*names, "reason"]]


def _keys(values: pd.Series) -> np.ndarray:
    days = pd.DatetimeIndex(values.index).to_numpy().astype("datetime64[D]")
    return days_to_keys(days.astype(np.int32))
