"""Pure functions on return series: the measures of return and risk.

`FundSeries` holds the total-return indices of many funds, `compute_metrics` measures them.
Does not belong here: databases, Dagster, anything that reads or writes.
"""

from fund_assets.metrics.compute import compute_metrics
from fund_assets.metrics.kernel import DEFINITION_VERSION
from fund_assets.metrics.series import FundSeries, SeriesError

__all__ = ["DEFINITION_VERSION", "FundSeries", "SeriesError", "compute_metrics"]
