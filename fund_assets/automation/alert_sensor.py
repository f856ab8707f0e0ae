"""The sensor that tells of what is wrong: `alert_sensor`.

Does not belong here: what is wrong and whom to tell (`observability/alerts/`).
"""

from datetime import datetime

import dagster as dg

from fund_assets.observability.alerts.evaluation import evaluate
from fund_assets.resources import Platform
from fund_assets.settings import SHANGHAI


@dg.sensor(
    name="alert_sensor",
    minimum_interval_seconds=20,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Checks the platform, sends each alert once over the configured channels, and "
    "sends a message when it ends.",
)
def alert_sensor(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SkipReason:
    """One look; requests no runs."""
    outcome = evaluate(platform, context.instance, datetime.now(SHANGHAI))
    done = outcome.delivered
    return dg.SkipReason(
        f"{len(outcome.holding)} active alerts, {len(outcome.notifications)} reported; "
        f"messages: {done.sent} sent, {done.failed} to be tried again, {done.dead} given up"
    )
