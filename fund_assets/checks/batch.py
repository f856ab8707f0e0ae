"""Checks of `fund_nav`: what the rules on whole batches say of what waits to be merged.

They run before `validated_nav` in the same run, and a blocking one that fails keeps it from
running. A run of `validated_nav` alone is safe too: it judges for itself before it merges.
"""

from collections.abc import Iterator

import dagster as dg

from fund_assets.checks.results import result_of, specs_for
from fund_assets.nav.rules import WHOLE
from fund_assets.pipeline.validated_nav import judge_waiting
from fund_assets.resources import Platform


@dg.multi_asset_check(
    name="fund_nav_rules",
    specs=specs_for("fund_nav", WHOLE),
    description="The rules on whole batches, for every batch that waits.",
)
def fund_nav_rules(platform: Platform) -> Iterator[dg.AssetCheckResult]:
    """One result for each rule, over all waiting batches."""
    verdicts = {
        v.rule: v for v in judge_waiting(platform.warehouse, platform.calendar, platform.now())
    }
    for rule in WHOLE:
        yield result_of(rule, verdicts.get(rule.id), asset="fund_nav")
