"""The asset `benchmark_index`: what funds are measured against."""

import time

import dagster as dg

from fund_assets.assets._common import Renewed
from fund_assets.assets._profiles import profiled_asset
from fund_assets.checks.catalog import INDICES_CURRENT
from fund_assets.checks.indices import index_cases
from fund_assets.checks.results import check_result, specs_of
from fund_assets.pipeline.benchmark_index import collect_indices
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.schemas.kinds import INDICES
from fund_assets.warehouse.queries.data_versions import data_version


@profiled_asset(
    profiles.BENCHMARK_INDEX,
    kinds={"python", "akshare", "table"},
    code_version="1",
    check_specs=specs_of("benchmark_index"),
)
def benchmark_index(context: dg.AssetExecutionContext, platform: Platform) -> Renewed:
    """Take over the closes; an index that fails is told of loudly and stops nothing."""
    started = time.monotonic()
    report = collect_indices(platform.warehouse, platform.source)
    cases = index_cases(report, platform.calendar.due(platform.now()))
    for case in cases:
        context.log.warning(case)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(data_version(platform.warehouse, "benchmark_index")),
        metadata={
            "indices": len(INDICES),
            "dagster/row_count": report.rows,
            "rows_written": report.rows_written,
            "failed": len(report.failures),
            "duration_seconds": round(time.monotonic() - started, 2),
        },
        check_results=[check_result(INDICES_CURRENT, looked_at=len(INDICES), cases=cases)],
    )
