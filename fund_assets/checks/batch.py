"""Checks of `fund_nav`: what the rules on whole batches say of what waits to be merged.

They run before `validated_nav` in the same run, and a blocking one that fails keeps it from
running. A run of `validated_nav` alone is safe too: it judges for itself before it merges.
"""

from collections.abc import Iterator

import dagster as dg

from fund_assets.checks.catalog import RULES_OF
from fund_assets.checks.results import result_of, rule_specs
from fund_assets.pipeline.validated_nav import judge_waiting
from fund_assets.resources import Platform

ASSET = "fund_nav"


@dg.multi_asset_check(
    name="fund_nav_rules",
    specs=rule_specs(ASSET),
    description="The rules on whole batches, for every batch that waits.",
)
def fund_nav_rules(platform: Platform) -> Iterator[dg.AssetCheckResult]:
    """One result for each rule, over all waiting batches."""
    verdicts = {
        v.rule: v for v in judge_waiting(platform.warehouse, platform.calendar, platform.now())
    }
    for rule in RULES_OF[ASSET]:
        yield result_of(rule, verdicts.get(rule.id), asset=ASSET)
