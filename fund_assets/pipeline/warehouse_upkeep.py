"""What is past its time is deleted, then the database puts itself in order.

It can be run again by itself: what is gone is not counted twice.
"""

from collections.abc import Callable
from datetime import datetime

from fund_assets.calendar import to_stamp
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import changes, date_counts, weekly_log


def upkeep(
    warehouse: Warehouse,
    week: str,
    now: datetime,
    *,
    landing_before: datetime,
    prune_answers: Callable[[], int],
    progress: Callable[[str], None] = lambda words: None,
) -> dict[str, int]:
    """Delete what is past its time, then let the database put itself in order.

    Args:
        landing_before: merged observations collected before it go.
        prune_answers: deletes raw answers past their retention; how many.

    Returns:
        What was deleted now, and what tidying did.
    """
    stamp = to_stamp(now)
    batches, rows = weekly_log.prune_landing(warehouse, to_stamp(landing_before), week, stamp)
    progress(f"{rows:,} observations of {batches:,} merged batches deleted")
    dates, metrics = weekly_log.prune_metrics(warehouse, now.date(), week, stamp)
    progress(f"{metrics:,} rows of metrics and peers of {dates} dates deleted")
    versions = changes.prune_changes(warehouse, now.date())
    progress(f"{versions:,} versions of the change feed deleted")
    answers = prune_answers()
    lost = date_counts.count_all(warehouse)
    for loss in lost:
        progress(
            f"{loss.nav_date}: {loss.rows_most:,} accepted NAVs before, {loss.rows_found:,} now"
        )
    with warehouse.transaction(writes=True) as connection:
        nothing = dict.fromkeys(
            ("landing_batches", "landing_rows", "metric_dates", "metric_rows"), 0
        )
        weekly_log.count_up(connection, week, "upkeep", stamp, nothing)
    return {
        "landing_batches": batches,
        "landing_rows": rows,
        "metric_dates": dates,
        "metric_rows": metrics,
        "change_versions": versions,
        "raw_answers": answers,
        "dates_with_losses": len(lost),
        **warehouse.backend.tidy(),
        "warehouse_bytes": warehouse.backend.size_bytes(),
    }
