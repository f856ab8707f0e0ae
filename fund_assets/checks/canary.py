"""The check `source_canary`: before the evening, does the source answer as it is needed.

It runs by itself, half an hour before the first collection (`automation/schedules.py`): a
changed column, a lower cap or an old date is told while somebody can still act on it.

It stands on the source and on none of our tables: what it found is still to be seen when the
evening has renewed those, where Dagster shows a check of the table as not evaluated.
"""

import dagster as dg

from fund_assets.checks.catalog import SOURCE_CANARY
from fund_assets.checks.results import check_result, own_step
from fund_assets.pipeline.source_canary import look
from fund_assets.resources import Platform


@own_step(SOURCE_CANARY, by_automation=False)
def source_canary(platform: Platform) -> dg.AssetCheckResult:
    """Fails with one case for each thing that is wrong; nothing is stored."""
    report = look(platform.warehouse, platform.source, platform.calendar, platform.now())
    return check_result(
        SOURCE_CANARY,
        looked_at=report.looked_at,
        cases=report.findings,
        told={f"rows_{endpoint}": rows for endpoint, rows in report.rows.items()},
    )
