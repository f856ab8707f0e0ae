"""The one Definitions of the project, put together from its parts.

Does not belong here: any part. Tests build their own with `build_defs`.
"""

import warnings
from typing import Any

import dagster as dg

from fund_assets import assets
from fund_assets.automation.jobs import JOBS
from fund_assets.automation.schedules import SCHEDULES
from fund_assets.automation.sensors import SENSORS
from fund_assets.checks.batch import fund_nav_rules
from fund_assets.checks.canary import source_canary
from fund_assets.checks.freshness import FRESHNESS_CHECKS
from fund_assets.checks.schema import SCHEMA_CHECKS
from fund_assets.resources import Platform


def build_defs(platform: Platform | None = None, **overrides: Any) -> dg.Definitions:
    """The definitions, on a platform or on settings that win over the environment.

    Every asset of a module in `assets/` is one of them, and the UI leads from each to the line
    of its code.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        found = dg.load_assets_from_package_module(assets, include_specs=True)
        with_code = dg.with_source_code_references(found)
    return dg.Definitions(
        assets=with_code,
        asset_checks=[fund_nav_rules, source_canary, *SCHEMA_CHECKS, *FRESHNESS_CHECKS],
        jobs=JOBS,
        schedules=SCHEDULES,
        sensors=SENSORS,
        resources={"platform": platform or Platform(overrides=overrides)},
        executor=dg.in_process_executor,
    )


defs = build_defs()
