"""The asset `walk_forward`: the page that says what past screens did next, against chance."""

import time

import dagster as dg

from fund_assets.assets._common import Renewed, week_of
from fund_assets.assets._profiles import profiled_asset
from fund_assets.pipeline.walk_forward import walk_forward as walk
from fund_assets.pipeline.walk_forward import write_walk_forward
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.warehouse.queries.data_versions import digest


@profiled_asset(
    profiles.WALK_FORWARD,
    kinds={"python", "numba", "html"},
    code_version="1",
)
def walk_forward(context: dg.AssetExecutionContext, platform: Platform) -> Renewed:
    """Make past scores anew, look at what came next, write the page."""
    started = time.monotonic()
    settings, now = platform.settings, platform.now()
    rows = walk(
        platform.warehouse,
        settings.score_weights,
        settings.risk_free_rate,
        week_of(context, platform),
        now,
        progress=context.log.info,
    )
    page, sums = write_walk_forward(settings, rows, now)
    means = {f"percentile_{row['screen']}": round(float(row["percentile"]), 4) for row in sums}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest(rows)),
        metadata={
            "page": dg.MetadataValue.path(str(page)),
            "dagster/row_count": len(rows),
            **means,
            "duration_seconds": round(time.monotonic() - started, 2),
        },
    )
