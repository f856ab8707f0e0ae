"""What the assets of this project have in common: group, owner and freshness.

Does not belong here: anything of a single asset.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from fund_assets.calendar import iso_week, week_start
from fund_assets.platform import Platform

if TYPE_CHECKING:
    from dagster._core.definitions.declarative_automation.operators import (
        AndAutomationCondition,
    )

    #: What an asset returns: it hands no value to another.
    Renewed = dg.MaterializeResult[None]
else:
    Renewed = dg.MaterializeResult  # beside checks, Dagster knows it without brackets alone

OWNERS = ["team:fund-assets"]
GROUP, WEEKLY = "evening", "weekly"
#: ISO week that a run of the weekly job is about; tries again and re-executions keep it.
WEEK_TAG = "fund/week"
TIMEZONE = "Asia/Shanghai"
#: Pools of the assets that ask the source: however runs were launched, dagster.yaml lets one
#: at a time be in each, and the others wait in the queue.
WAVES, HISTORIES, QUARTER = "waves", "histories", "quarter"

#: The three waves after 20:30 and the one at 07:30, which runs on closed days too, each
#: renew the assets: one of them must have succeeded by 08:30 every morning. Whether the
#: data itself is as new as the exchange's sessions is the check `trading_day_freshness`.
EVERY_MORNING = dg.FreshnessPolicy.cron(
    deadline_cron="30 8 * * *", lower_bound_delta=timedelta(hours=12), timezone=TIMEZONE
)
#: The weekly job begins at 02:00 on Sunday; one that was missed is made up on the days after.
EVERY_SUNDAY = dg.FreshnessPolicy.cron(
    deadline_cron="0 12 * * 0", lower_bound_delta=timedelta(hours=12), timezone=TIMEZONE
)


def _when_input_is_sound(*, renewed_with: bool) -> "AndAutomationCondition[dg.AssetKey]":
    """When what it depends on has other content, and every blocking check of that has passed.

    `eager() & all_deps_blocking_checks_passed()`, but for two things. What was renewed without
    a change (the same data version) asks for nothing. And it has fewer parts: Dagster stores
    every evaluation with all of them, about 700 bytes each for every check and dependency, and
    MySQL's column for it ends at 65,535 bytes.

    Args:
        renewed_with: what it depends on may be renewed in the same run. Should a check fail
            there, Dagster stops the run before what comes behind.
    """
    busy = dg.AutomationCondition.run_in_progress()
    idle = ~busy
    news = dg.AutomationCondition.data_version_changed()
    passed = dg.AutomationCondition.check_passed()
    if renewed_with:
        news |= dg.AutomationCondition.will_be_requested()
        passed |= dg.AutomationCondition.will_be_requested()
        idle &= ~dg.AutomationCondition.any_deps_match(busy)
    renewed = dg.AutomationCondition.any_deps_match(news).since_last_handled()
    checked = dg.AutomationCondition.all_deps_match(
        dg.AutomationCondition.all_checks_match(passed, blocking_only=True)
    )
    return renewed & idle & checked  # type: ignore[return-value]  # typed as of checks, too


WHEN_LANDED_IS_SOUND = _when_input_is_sound(renewed_with=False)
WHEN_RENEWED_IS_SOUND = _when_input_is_sound(renewed_with=True)


def last_version(context: dg.AssetExecutionContext) -> str | None:
    """The data version of the asset's last materialization; None before the first."""
    event = context.instance.get_latest_materialization_event(context.asset_key)
    done = event.asset_materialization if event else None
    return done.tags.get("dagster/data_version") if done and done.tags else None


def week_of(context: dg.AssetExecutionContext, platform: Platform) -> str:
    """The ISO week that a run is about: its tag, else the week of now."""
    tagged = context.run.tags.get(WEEK_TAG)
    if tagged:
        week_start(tagged)  # ValueError says what a week looks like
    return tagged or iso_week(platform.now().date())
