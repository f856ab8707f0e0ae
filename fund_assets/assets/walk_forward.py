"""The asset `walk_forward`: the page that says what past screens did next."""

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
    code_version="2",
)
def walk_forward(context: dg.AssetExecutionContext, platform: Platform) -> Renewed:
    """Make past scores again, look at what came next, write the page."""
    started = time.monotonic()
    settings, now = platform.settings, platform.now()
    found = walk(
        platform.warehouse,
        settings.score_weights,
        settings.risk_free_rate,
        week_of(context, platform),
        now,
        progress=context.log.info,
    )
    page = write_walk_forward(settings, found, now)
    verdicts = {f"verdict_{row['screen']}": str(row["verdict"]) for row in found.sums}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest(found.rows)),
        metadata={
            "page": dg.MetadataValue.path(str(page)),
            "dagster/row_count": len(found.rows),
            "screens_tried": found.tried,
            "missing_share": found.missing[0]["share"] if found.missing else None,
            **verdicts,
            "duration_seconds": round(time.monotonic() - started, 2),
        },
    )
