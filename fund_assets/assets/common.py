"""What the assets of this project have in common: group, owner and freshness.

Does not belong here: anything of a single asset.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from fund_assets.calendar import iso_week, week_start
from fund_assets.resources import Platform

if TYPE_CHECKING:
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


def tags_of_last(instance: dg.DagsterInstance, key: dg.AssetKey) -> Mapping[str, str]:
    """The tags of an asset's last materialization: its data version, and those it has read."""
    event = instance.get_latest_materialization_event(key)
    done = event.asset_materialization if event else None
    return done.tags or {} if done else {}


def last_version(context: dg.AssetExecutionContext) -> str | None:
    """The data version of the asset's last materialization; None before the first."""
    return tags_of_last(context.instance, context.asset_key).get("dagster/data_version")


def week_of(context: dg.AssetExecutionContext, platform: Platform) -> str:
    """The ISO week that a run is about: its tag, else the week of now."""
    tagged = context.run.tags.get(WEEK_TAG)
    if tagged:
        week_start(tagged)  # ValueError says what a week looks like
    return tagged or iso_week(platform.now().date())
