"""The jobs: which assets are renewed together.

Does not belong here: when (`schedules.py`), or because of what (`sensors.py`).
"""

from datetime import datetime
from typing import Any

import dagster as dg

from fund_assets.assets.common import TIMEZONE
from fund_assets.calendar import to_key
from fund_assets.nav.history import BUCKETS

RUN_TAG = "fund/job"  # dagster.yaml lets one run of each job run at a time
#: The whole market at one request a second takes some eight hours.
LONGEST_S = 24 * 3600
#: Days whose missing NAVs can be asked for in the UI, as a grid.
ASKED_SINCE = "2026-01-01"


@dg.static_partitioned_config(partition_keys=list(BUCKETS))
def _by_bucket(bucket: str) -> dict[str, Any]:
    return {"ops": {"nav_history": {"config": {"buckets": [bucket]}}}}


@dg.daily_partitioned_config(start_date=ASKED_SINCE, timezone=TIMEZONE, end_offset=1)
def _by_date(start: datetime, _end: datetime) -> dict[str, Any]:
    return {
        "ops": {"fund_nav": {"config": {"wave": False, "missing_on": to_key(start.date())}}}
    }


#: It asks the source before the evening; in the evening the collection itself does.
CANARY = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("fund_nav"), "source_canary"))


def _job(
    name: str,
    assets: list[str],
    description: str,
    config: dict[str, Any] | dg.PartitionedConfig[Any] | None = None,
    tags: dict[str, str] | None = None,
) -> dg.JobDefinition:
    return dg.define_asset_job(
        name,
        selection=dg.AssetSelection.assets(*assets) - CANARY if assets else CANARY,
        description=description,
        config=config,
        tags={RUN_TAG: name, **(tags or {})},
    )


CHAIN = [
    "fund_info",
    "fund_events",
    "fund_nav",
    "validated_nav",
    "benchmark_index",
    "fund_metrics",
]

daily_pipeline = _job(
    "daily_pipeline", CHAIN, "Collect, validate, merge and measure in one run."
)
daily_collection = _job(
    "daily_collection",
    ["fund_info", "fund_events", "fund_nav", "benchmark_index"],
    "Collect the market's list, events, NAVs and indices.",
)
daily_validation = _job(
    "daily_validation", ["validated_nav"], "Judge what landed and merge what passes."
)
daily_metrics = _job("daily_metrics", ["fund_metrics"], "Return and risk of every fund.")
weekly_full_calc = _job(
    "weekly_full_calc",
    [
        "history_recheck",
        "fund_info",
        "history_refetch",
        "validated_nav",
        "benchmark_index",
        "fund_metrics",
        "fund_scores",
        "walk_forward",
        "warehouse_upkeep",
        "weekly_report",
    ],
    "Recompute and compare everything, fetch a quarter of the market anew, merge, measure, "
    "score, clean up and write the weekly report.",
    config={"ops": {"fund_metrics": {"config": {"recompute": True}}}},
)

history_backfill = _job(
    "history_backfill",
    ["nav_history"],
    "Whole histories of the funds that have none yet, or of those asked for; a partition is a "
    "64th of the fund codes.",
    config=_by_bucket,
    tags={"dagster/max_runtime": str(LONGEST_S)},
)
missing_date = _job(
    "missing_date",
    ["fund_nav"],
    "Histories of funds that have NAVs before a date and none on it; a partition is a date.",
    config=_by_date,
)

source_canary = _job(
    "source_canary", [], "See whether the source answers as the evening will need it."
)

JOBS = [
    source_canary,
    daily_pipeline,
    daily_collection,
    daily_validation,
    daily_metrics,
    weekly_full_calc,
    history_backfill,
    missing_date,
]
