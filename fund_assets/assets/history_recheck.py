"""The asset `history_recheck`: everything recomputed from the accepted history and compared.

It has no upstream: the weekly job looks at what the evenings left, before it merges anything.
"""

import time

import dagster as dg
from pydantic import Field

from fund_assets.assets._common import Renewed, week_of
from fund_assets.assets._profiles import profiled_asset
from fund_assets.checks.catalog import INDEX_AS_STORED, METRICS_AS_STORED, SIZE_AS_SHARES
from fund_assets.checks.results import check_result, specs_of
from fund_assets.pipeline.history_recheck import recheck
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.warehouse.queries.data_versions import data_version, digest
from fund_assets.warehouse.queries.reports import sizes_off


class RecheckConfig(dg.Config):
    """How far the recheck may go."""

    repair_all: bool = Field(
        default=False, description="set the index right however many rows differ"
    )


@profiled_asset(
    profiles.HISTORY_RECHECK,
    kinds={"python", "numba"},
    code_version="1",
    check_specs=specs_of("history_recheck"),
)
def history_recheck(
    context: dg.AssetExecutionContext, config: RecheckConfig, platform: Platform
) -> Renewed:
    """Recompute, compare, and repair."""
    started = time.monotonic()
    week = week_of(context, platform)
    found = recheck(
        platform.warehouse,
        platform.calendar,
        week,
        platform.now(),
        risk_free_rate=platform.settings.risk_free_rate,
        repair_all=config.repair_all,
        progress=context.log.info,
    )
    for case in found.cases:
        context.log.warning(case)
    sizes, sizes_wrong = sizes_off(platform.warehouse)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(
            digest(week, found.figures, data_version(platform.warehouse, "validated_nav"))
        ),
        metadata={
            "funds": found.funds,
            "dagster/row_count": found.rows,
            "rows_differing": found.differing,
            "rows_repaired": found.differing if found.repaired else 0,
            "metrics_compared": found.metrics_rows,
            "metrics_differing": found.metrics_differing,
            "sizes_compared": sizes,
            "sizes_off": len(sizes_wrong),
            "duration_seconds": round(time.monotonic() - started, 2),
        },
        check_results=[
            check_result(
                INDEX_AS_STORED,
                looked_at=found.rows,
                failed=int(found.figures["index_differing"]),
                cases=found.cases,
                severity=dg.AssetCheckSeverity.WARN if found.repaired else None,
            ),
            check_result(
                METRICS_AS_STORED,
                looked_at=found.metrics_rows,
                failed=int(found.figures["metrics_differing"]),
                cases=found.cases,
            ),
            check_result(SIZE_AS_SHARES, looked_at=sizes, cases=sizes_wrong),
        ],
    )
