"""What a profile says of an asset, in Dagster's words.

Does not belong here: the profiles (`schemas/profiles.py`), which rooms below this one read too.
"""

from collections.abc import Callable
from typing import Any

import dagster as dg

from fund_assets.assets._metadata import table_metadata
from fund_assets.instance.names import OWNERS, TIMEZONE
from fund_assets.schemas.profile import AssetProfile, Deadline


def profiled_asset(
    profile: AssetProfile, **only_dagsters: Any
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Make a function the asset of a profile.

    Args:
        only_dagsters: of `dg.asset`, what no profile says: kinds, code_version, pool,
            check_specs, automation_condition.
    """
    make: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(
        deps=list(profile.upstream), **shown(profile), **only_dagsters
    )
    return make


def shown(profile: AssetProfile) -> dict[str, Any]:
    """What Dagster shows of the asset of a profile, and watches."""
    return {
        "description": profile.description,
        "group_name": profile.group,
        "owners": OWNERS,
        "metadata": table_metadata(profile.table) if profile.table else {},
        "freshness_policy": _policy(profile.deadline),
    }


def _policy(deadline: Deadline | None) -> dg.FreshnessPolicy | None:
    if deadline is None:
        return None
    return dg.FreshnessPolicy.cron(
        deadline_cron=deadline.cron, lower_bound_delta=deadline.within, timezone=TIMEZONE
    )
