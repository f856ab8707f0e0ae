"""The jobs: which assets are renewed together, as their profiles say.

Does not belong here: when (`schedules.py`), or because of what (`sensors.py`).
"""

from typing import TYPE_CHECKING, Any

import dagster as dg

from fund_assets.automation.missing_date import missing_date_job
from fund_assets.checks.catalog import SOURCE_CANARY
from fund_assets.nav.history import BUCKETS
from fund_assets.pipeline.fund_benchmark import MOST_A_WEEK
from fund_assets.schemas.profile import EVENING_JOB
from fund_assets.schemas.profiles import renewed_by

if TYPE_CHECKING:
    from fund_assets.instance.dagster_private import UnresolvedAssetJobDefinition

RUN_TAG = "fund/job"  # dagster.yaml lets one run of each job run at a time
#: The whole market at one request a second takes some eight hours.
LONGEST_S = 24 * 3600


@dg.static_partitioned_config(partition_keys=list(BUCKETS))
def _by_bucket(bucket: str) -> dict[str, Any]:
    return {"ops": {"nav_history": {"config": {"buckets": [bucket]}}}}


CANARY = dg.AssetSelection.checks(
    dg.AssetCheckKey(dg.AssetKey("market_source"), SOURCE_CANARY.name)
)


def _job(
    name: str,
    description: str,
    config: dict[str, Any] | dg.PartitionedConfig[Any] | None = None,
    tags: dict[str, str] | None = None,
    selection: dg.AssetSelection | None = None,
) -> "UnresolvedAssetJobDefinition":
    """A job of the assets whose profiles name it, unless it is told what to select."""
    return dg.define_asset_job(
        name,
        selection=selection or dg.AssetSelection.assets(*renewed_by(name)),
        description=description,
        config=config,
        tags={RUN_TAG: name, **(tags or {})},
    )


daily_pipeline = _job(EVENING_JOB, "Collect, validate, merge and compute metrics in one run.")
daily_collection = _job(
    "daily_collection", "Collect the market's list, events, NAVs and indices."
)
daily_validation = _job(
    "daily_validation", "Validate what was collected and merge what passes."
)
daily_metrics = _job("daily_metrics", "Return and risk of every fund.")
weekly_full_calc = _job(
    "weekly_full_calc",
    "Recompute and compare everything, fetch a quarter of the market again, merge, compute "
    "metrics and scores, clean up and write the weekly report.",
    config={
        "ops": {
            "fund_metrics": {"config": {"recompute": True}},
            "fund_benchmark": {"config": {"most": MOST_A_WEEK}},
        }
    },
)

history_backfill = _job(
    "history_backfill",
    "Whole histories of the funds that have none yet, or of the chosen ones; a partition is a "
    "64th of the fund codes.",
    config=_by_bucket,
    tags={"dagster/max_runtime": str(LONGEST_S)},
)
missing_date = missing_date_job({RUN_TAG: "missing_date"})

source_canary = _job(
    "source_canary",
    "Check whether the source answers as the evening run needs it.",
    selection=CANARY,
)

JOBS: list["dg.JobDefinition | UnresolvedAssetJobDefinition"] = [
    source_canary,
    daily_pipeline,
    daily_collection,
    daily_validation,
    daily_metrics,
    weekly_full_calc,
    history_backfill,
    missing_date,
]
