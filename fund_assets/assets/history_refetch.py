"""The asset `history_refetch`: the whole histories of a quarter of the market, every week.

Past NAVs are corrected in silence, by managers and by the source: over four weeks every history
is read again. What it lands, `validated_nav` judges and merges.
"""

import time

import dagster as dg

from fund_assets.assets._common import Renewed, week_of
from fund_assets.assets._histories import about_histories, log_missed, log_progress
from fund_assets.assets._profiles import profiled_asset
from fund_assets.instance.names import QUARTER
from fund_assets.pipeline.history_refetch import refetch
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.warehouse.queries.data_versions import data_version


@profiled_asset(
    profiles.HISTORY_REFETCH,
    pool=QUARTER,
    kinds={"python", "akshare"},
    code_version="1",
)
def history_refetch(context: dg.AssetExecutionContext, platform: Platform) -> Renewed:
    """Fetch and land the histories of this week's quarter."""
    started = time.monotonic()
    report = refetch(
        platform.warehouse,
        platform.source,
        week_of(context, platform),
        platform.now,
        progress=lambda report: log_progress(context, report),
    )
    log_missed(context, report)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(data_version(platform.warehouse, "nav_history")),
        metadata={
            "dagster/row_count": report.rows,
            **about_histories(report),
            "batches": len(report.batches),
            "duration_seconds": round(time.monotonic() - started, 2),
        },
    )
