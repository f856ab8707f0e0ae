"""The asset `warehouse_upkeep`: what is past its time is deleted, the database put in order."""

import time
from datetime import timedelta

import dagster as dg

from fund_assets.assets.common import OWNERS, WEEKLY, week_of
from fund_assets.platform import Platform
from fund_assets.sources.archive import RawArchive
from fund_assets.steps.weekly import upkeep


@dg.asset(
    deps=["fund_scores"],
    group_name=WEEKLY,
    owners=OWNERS,
    kinds={"python"},
    code_version="1",
    description="Merged observations, raw answers and old metrics past their retention are "
    "deleted, and the database is tidied.",
)
def warehouse_upkeep(
    context: dg.AssetExecutionContext, platform: Platform
) -> dg.MaterializeResult:
    """Prune, then tidy."""
    started = time.monotonic()
    settings, now = platform.settings, platform.now()
    archive = RawArchive(settings.state_dir / "raw")
    figures = upkeep(
        platform.warehouse,
        week_of(context, platform),
        now,
        landing_before=now - timedelta(days=settings.landing_retention_days),
        prune_answers=lambda: archive.prune(settings.raw_retention_days),
        progress=context.log.info,
    )
    return dg.MaterializeResult(
        metadata={**figures, "duration_seconds": round(time.monotonic() - started, 2)}
    )
