"""What the assets of this project have in common: group, owner and freshness.

Does not belong here: anything of a single asset.
"""

from datetime import timedelta

import dagster as dg

from fund_assets.calendar import iso_week, week_start
from fund_assets.platform import Platform

OWNERS = ["team:fund-assets"]
GROUP, WEEKLY = "evening", "weekly"
#: ISO week that a run of the weekly job is about; tries again and re-executions keep it.
WEEK_TAG = "fund/week"
TIMEZONE = "Asia/Shanghai"

#: The three waves after 20:30 and the one at 07:30, which runs on closed days too, each
#: renew the assets: one of them must have succeeded by 08:30 every morning. Whether the
#: data itself is as new as the exchange's sessions is the check `trading_day_freshness`.
EVERY_MORNING = dg.FreshnessPolicy.cron(
    deadline_cron="30 8 * * *", lower_bound_delta=timedelta(hours=12), timezone=TIMEZONE
)

#: When what it depends on was renewed and every blocking check of that has passed, so that
#: it is there. Dagster stores every evaluation with all its parts, and MySQL's column for it
#: ends at 65,535 bytes: so of each check one part, not four as in
#: `all_deps_blocking_checks_passed`, and none that says the same again.
WHEN_INPUT_IS_SOUND = dg.AutomationCondition.eager().without(
    ~dg.AutomationCondition.any_deps_missing()
) & dg.AutomationCondition.all_deps_match(
    dg.AutomationCondition.all_checks_match(
        dg.AutomationCondition.check_passed(), blocking_only=True
    )
)


def week_of(context: dg.AssetExecutionContext, platform: Platform) -> str:
    """The ISO week that a run is about: its tag, else the week of now."""
    tagged = context.run.tags.get(WEEK_TAG)
    if tagged:
        week_start(tagged)  # ValueError says what a week looks like
    return tagged or iso_week(platform.now().date())
