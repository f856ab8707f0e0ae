"""The check `trading_day_freshness`: is the data as new as the exchange's sessions demand.

A freshness policy knows only when an asset was renewed. This check compares the date inside
the data with the last session whose NAVs are due, so that neither a holiday alarms nor a
repeated old answer passes for news. `calendar_horizon` warns before the calendar ends.
"""

from datetime import timedelta

import dagster as dg

from fund_assets.calendar import from_key
from fund_assets.checks.catalog import CALENDAR_HORIZON, TRADING_DAY_FRESHNESS
from fund_assets.checks.results import check_result, own_step, severity_of
from fund_assets.observability import conditions
from fund_assets.observability.conditions import Severity
from fund_assets.resources import Platform
from fund_assets.warehouse.queries import status as status_queries


@own_step(TRADING_DAY_FRESHNESS)
def trading_day_freshness(platform: Platform) -> dg.AssetCheckResult:
    """Fails when the newest published date is older than the session that is due."""
    newest = status_queries.newest_published(platform.warehouse)
    due = platform.calendar.surely_due(platform.now())
    have = None if newest is None else from_key(newest)
    behind = platform.calendar.between(have + timedelta(days=1), due) if have else [due]
    late = have is None or have < due
    said = f"{len(behind)} sessions behind" if have else "nothing is published"
    return check_result(
        TRADING_DAY_FRESHNESS,
        looked_at=1,
        cases=[f"{said}: newest {have or 'none'}, due {due}"] if late else [],
        told={
            "newest": str(have or "none"),
            "due": str(due),
            "sessions_behind": len(behind),
        },
    )


@own_step(CALENDAR_HORIZON)
def calendar_horizon(platform: Platform) -> dg.AssetCheckResult:
    """Warns in time; shortly before the end it is an error, as the alert is critical then.

    The simulated market has no end to warn of: its exchange opens on every weekday after it.
    """
    left = platform.calendar.days_left(platform.now().date())
    known_until = platform.calendar.known_until
    invented = platform.calendar.synthetic_after is not None
    short = conditions.calendar_ends(left, invented=invented)
    return check_result(
        CALENDAR_HORIZON,
        looked_at=1,
        cases=[
            f"known until {known_until}, {left} days left; after that every weekday is "
            "collected with a provisional date"
        ]
        if short is not None
        else [],
        severity=dg.AssetCheckSeverity.ERROR
        if conditions.CALENDAR_HORIZON.limit.grade(left) is Severity.CRITICAL
        else severity_of(CALENDAR_HORIZON),
        told={"days_left": left, "known_until": str(known_until)},
    )


FRESHNESS_CHECKS = [trading_day_freshness, calendar_horizon]
