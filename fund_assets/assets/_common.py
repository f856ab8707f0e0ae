"""What the assets of this project have in common: their result, their last version, their week.

Does not belong here: anything of a single asset; what its profile says (`_profiles.py`); names
that jobs and schedules use too (`instance/names.py`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import dagster as dg

from fund_assets.calendar import iso_week, week_start
from fund_assets.instance.names import WEEK_TAG
from fund_assets.resources import Platform

if TYPE_CHECKING:
    #: What an asset returns: it hands no value to another.
    Renewed = dg.MaterializeResult[None]
else:
    Renewed = dg.MaterializeResult  # beside checks, Dagster knows it without brackets alone


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
