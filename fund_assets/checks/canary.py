"""The check `source_canary`: before the evening, does the source answer as it is needed.

It runs by itself, half an hour before the first collection (`automation/schedules.py`): a
changed column, a lower cap or an old date is told while somebody can still act on it.

It stands on the source and on none of our tables: what it found is still to be seen when the
evening has renewed those, where Dagster shows a check of the table as not evaluated.
"""

import dagster as dg

from fund_assets.checks.results import check_result
from fund_assets.pipeline.source_canary import SAMPLE, look
from fund_assets.resources import Platform

NAME = "source_canary"


@dg.asset_check(
    asset="market_source",
    name=NAME,
    description=f"At 18:30 on trading days: list, wave, an index and {SAMPLE} histories have "
    "the known form, as many rows as before, the dates that are due and the stored figures.",
)
def source_canary(platform: Platform) -> dg.AssetCheckResult:
    """Fails with one case for each thing that is wrong; nothing is stored."""
    report = look(platform.warehouse, platform.source, platform.calendar, platform.now())
    return check_result(
        NAME,
        looked_at=report.looked_at,
        cases=report.findings,
        severity=dg.AssetCheckSeverity.ERROR,
        told={f"rows_{endpoint}": rows for endpoint, rows in report.rows.items()},
    )
