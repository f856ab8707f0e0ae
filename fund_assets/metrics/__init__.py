"""Pure functions on return series: the measures of return and risk.

`FundSeries` holds the total-return indices of many funds, `compute_metrics` measures them
against a `RiskFreeRate` and `Benchmarks`; `of_series` measures one pandas series. The
docstring of `compute_metrics` has every formula in one table, docs/metrics.md the whole page;
`DEFINITION_VERSION` counts up when one changes. Does not belong here: databases, Dagster,
anything that reads or writes.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fund_assets.metrics.benchmarks import AgainstError, Benchmarks, RiskFreeRate
    from fund_assets.metrics.computation import compute_metrics
    from fund_assets.metrics.kernel import DEFINITION_VERSION
    from fund_assets.metrics.series import FundSeries, SeriesError
    from fund_assets.metrics.single import of_series

#: Name → its module: who reads stored metrics waits for no compiler.
_WHERE = {
    "AgainstError": "benchmarks",
    "Benchmarks": "benchmarks",
    "DEFINITION_VERSION": "kernel",
    "FundSeries": "series",
    "RiskFreeRate": "benchmarks",
    "SeriesError": "series",
    "compute_metrics": "computation",
    "of_series": "single",
}
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


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
