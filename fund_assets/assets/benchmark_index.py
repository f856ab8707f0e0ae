"""The asset `benchmark_index`: what funds are measured against."""

import time

import dagster as dg

from fund_assets.assets._common import Renewed
from fund_assets.assets._profiles import profiled_asset
from fund_assets.checks.catalog import INDICES_CURRENT, OWN_INDICES_CURRENT
from fund_assets.checks.indices import index_cases, own_index_cases
from fund_assets.checks.results import case_table, check_result, specs_of
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
    due = platform.calendar.due(platform.now())
    report = collect_indices(platform.warehouse, platform.source, due)
    cases, own_cases = index_cases(report, due), own_index_cases(report)
    for case in [*cases, *own_cases[:20]]:
        context.log.warning(case)
    without = report.without_source
    return dg.MaterializeResult(
        data_version=dg.DataVersion(data_version(platform.warehouse, "benchmark_index")),
        metadata={
            "indices": report.asked,
            "dagster/row_count": report.rows,
            "rows_written": report.rows_written,
            "failed": len(report.failures),
            "indices_without_source": len(without),
            **({"without_source": case_table(without[:50])} if without else {}),
            "duration_seconds": round(time.monotonic() - started, 2),
        },
        check_results=[
            check_result(INDICES_CURRENT, looked_at=len(INDICES), cases=cases),
            check_result(OWN_INDICES_CURRENT, looked_at=report.asked, cases=own_cases),
        ],
    )
