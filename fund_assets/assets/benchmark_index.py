"""The asset `benchmark_index`: what funds are measured against."""

import time
from datetime import timedelta

import dagster as dg

from fund_assets.assets.common import EVERY_MORNING, GROUP, OWNERS, Renewed
from fund_assets.assets.metadata import table_metadata
from fund_assets.calendar import from_key
from fund_assets.checks.results import check_result
from fund_assets.pipeline.benchmark_index import OLDEST_CLOSE_DAYS, IndexReport, collect_indices
from fund_assets.resources import Platform
from fund_assets.schemas.kinds import INDICES
from fund_assets.schemas.tables import BENCHMARK_INDEX
from fund_assets.warehouse.queries.data_versions import data_version

INDICES_CURRENT = dg.AssetCheckSpec(
    "indices_current",
    asset="benchmark_index",
    description="every index has been had and has a close of the last "
    f"{OLDEST_CLOSE_DAYS} days before the session that is due. Without it metrics go on "
    "with the closes that are stored",
)


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "akshare", "table"},
    code_version="1",
    description="Closes of the indices that the kinds of funds are measured against.",
    metadata=table_metadata(BENCHMARK_INDEX),
    freshness_policy=EVERY_MORNING,
    check_specs=[INDICES_CURRENT],
)
def benchmark_index(context: dg.AssetExecutionContext, platform: Platform) -> Renewed:
    """Take over the closes; an index that fails is told of loudly and stops nothing."""
    started = time.monotonic()
    report = collect_indices(platform.warehouse, platform.source)
    cases = _cases(report, platform)
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
        check_results=[
            check_result(
                INDICES_CURRENT.name,
                looked_at=len(INDICES),
                cases=cases,
                severity=dg.AssetCheckSeverity.ERROR,
            )
        ],
    )


def _cases(report: IndexReport, platform: Platform) -> list[str]:
    cases = [f"index {code}: {why}" for code, why in report.failures.items()]
    due = platform.calendar.due(platform.now())
    for code, newest in report.newest.items():
        if newest is None:
            cases.append(f"index {code}: no close is stored")
        elif from_key(newest) < due - timedelta(days=OLDEST_CLOSE_DAYS):
            cases.append(f"index {code}: the newest close is of {from_key(newest)}, due {due}")
    return cases
