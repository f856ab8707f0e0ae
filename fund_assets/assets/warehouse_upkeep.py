"""The asset `warehouse_upkeep`: what is past its time is deleted, the database put in order."""

import time
from datetime import UTC, datetime, timedelta

import dagster as dg

from fund_assets.assets._common import Renewed, week_of
from fund_assets.assets._profiles import profiled_asset
from fund_assets.instance.storage import dagster_dir
from fund_assets.observability.retention import prune_runs
from fund_assets.pipeline.warehouse_upkeep import upkeep
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.transport.archive import RawArchive
from fund_assets.warehouse.queries.data_versions import digest


@profiled_asset(
    profiles.WAREHOUSE_UPKEEP,
    kinds={"python"},
    code_version="1",
)
def warehouse_upkeep(context: dg.AssetExecutionContext, platform: Platform) -> Renewed:
    """Prune, then tidy."""
    started = time.monotonic()
    settings, now = platform.settings, platform.now()
    week = week_of(context, platform)
    archive = RawArchive(settings.state_dir / "raw")
    figures = upkeep(
        platform.warehouse,
        week,
        now,
        landing_before=now - timedelta(days=settings.landing_retention_days),
        prune_answers=lambda: archive.prune(settings.raw_retention_days),
        progress=context.log.info,
    )
    oldest = datetime.now(UTC) - timedelta(days=settings.run_retention_days)
    figures["runs"] = prune_runs(context.instance, oldest, dagster_dir())
    context.log.info(f"{figures['runs']:,} runs deleted from Dagster's records")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest(week, figures)),
        metadata={**figures, "duration_seconds": round(time.monotonic() - started, 2)},
    )
