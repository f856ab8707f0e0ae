"""The one Definitions of the project, put together from its parts.

Does not belong here: any part. Tests build their own with `build_defs`.
"""

import warnings
from typing import Any

import dagster as dg

from fund_assets.assets.benchmark_index import benchmark_index
from fund_assets.assets.fund_events import fund_events
from fund_assets.assets.fund_info import fund_info
from fund_assets.assets.fund_metrics import fund_metrics
from fund_assets.assets.fund_nav import fund_nav
from fund_assets.assets.fund_scores import fund_scores
from fund_assets.assets.history_recheck import history_recheck
from fund_assets.assets.history_refetch import history_refetch
from fund_assets.assets.market_source import MARKET_SOURCE
from fund_assets.assets.nav_history import nav_history
from fund_assets.assets.validated_nav import validated_nav
from fund_assets.assets.walk_forward import walk_forward
from fund_assets.assets.warehouse_upkeep import warehouse_upkeep
from fund_assets.assets.weekly_report import weekly_report
from fund_assets.automation.jobs import JOBS
from fund_assets.automation.schedules import SCHEDULES
from fund_assets.automation.sensors import SENSORS
from fund_assets.checks.batch import fund_nav_rules
from fund_assets.checks.canary import source_canary
from fund_assets.checks.freshness import FRESHNESS_CHECKS
from fund_assets.checks.schema import SCHEMA_CHECKS
from fund_assets.resources import Platform

EVENING = [
    fund_info, fund_events, fund_nav, nav_history, validated_nav, fund_metrics, benchmark_index,
]  # fmt: skip
WEEK = [
    history_recheck, history_refetch, fund_scores, walk_forward, warehouse_upkeep,
    weekly_report,
]  # fmt: skip


def build_defs(platform: Platform | None = None, **overrides: Any) -> dg.Definitions:
    """The definitions, on a platform or on settings that win over the environment.

    The UI leads from each asset to the line of its code.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        assets = dg.with_source_code_references([*EVENING, *WEEK])
    return dg.Definitions(
        assets=[*assets, MARKET_SOURCE],
        asset_checks=[fund_nav_rules, source_canary, *SCHEMA_CHECKS, *FRESHNESS_CHECKS],
        jobs=JOBS,
        schedules=SCHEDULES,
        sensors=SENSORS,
        resources={"platform": platform or Platform(overrides=overrides)},
        executor=dg.in_process_executor,
    )


defs = build_defs()
