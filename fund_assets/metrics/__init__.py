"""Pure functions on return series: the measures of return and risk.

`FundSeries` holds the total-return indices of many funds, `compute_metrics` measures them
against a `RiskFreeRate` and `Benchmarks`; `of_series` measures one pandas series. The
docstring of `compute_metrics` has every formula in one table, docs/metrics.md the whole page;
`DEFINITION_VERSION` counts up when one changes. Does not belong here: databases, Dagster,
anything that reads or writes.
"""

from fund_assets.metrics.against import AgainstError, Benchmarks, RiskFreeRate
from fund_assets.metrics.compute import compute_metrics
from fund_assets.metrics.kernel import DEFINITION_VERSION
from fund_assets.metrics.one import of_series
from fund_assets.metrics.series import FundSeries, SeriesError

__all__ = [
    "DEFINITION_VERSION",
    "AgainstError",
    "Benchmarks",
    "FundSeries",
    "RiskFreeRate",
    "SeriesError",
    "compute_metrics",
    "of_series",
]
