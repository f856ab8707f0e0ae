"""What only the reports ask for: a week's dates, batches, returns and quarantine.

Belongs here: small reads. Does not belong here: reads that others have too (`status.py`,
`nav.py`, `warehouse/stores/scores.py`).
"""

from typing import Any

from fund_assets.warehouse.queries.status import STATE
from fund_assets.warehouse.warehouse import Warehouse


def newest_date(warehouse: Warehouse, first: int, last: int) -> int | None:
    """The date of the newest published wave between two, yyyymmdd, else of any accepted NAV."""
    return warehouse.number(
        "SELECT MAX(newest_date) FROM collection_batch WHERE kind = 'wave' AND state = "
        "'published' AND newest_date BETWEEN :first AND :last",
        first=first,
        last=last,
    ) or warehouse.number(
        "SELECT MAX(nav_date) FROM validated_nav WHERE nav_date BETWEEN :first AND :last",
        first=first,
        last=last,
    )


def newest_scored(warehouse: Warehouse, first: int, last: int) -> int | None:
    """The newest calculation date of scores between two, yyyymmdd; None without any."""
    return warehouse.number(
        "SELECT MAX(calc_date) FROM fund_scores WHERE calc_date BETWEEN :first AND :last",
        first=first,
        last=last,
    )


def newest_measured(warehouse: Warehouse, first: int, last: int) -> int | None:
    """The newest calculation date of metrics between two, yyyymmdd; None without any."""
    return warehouse.number(
        "SELECT MAX(calc_date) FROM fund_metrics WHERE calc_date BETWEEN :first AND :last",
        first=first,
        last=last,
    )


def returns_of(warehouse: Warehouse, calc_date: int, window: str) -> dict[str, float]:
    """Fund → total return over a window as of a calculation date, of those that have one."""
    return warehouse.mapping(
        str,
        float,
        "SELECT fund_code, total_return FROM fund_metrics WHERE calc_date = :date "
        'AND "window" = :window AND total_return IS NOT NULL',
        date=calc_date,
        window=window,
    )


def batches_between(warehouse: Warehouse, since: int, until: int) -> list[dict[str, Any]]:
    """The batches collected between two times (yyyymmddhhmmss), newest first, with counts."""
    return warehouse.rows(
        f"SELECT b.batch_id, b.kind, b.newest_date, b.collected_at, {STATE} AS state, "
        "b.rows_read, b.payloads, p.rows_new, p.rows_changed, p.rows_filled, "
        "p.rows_quarantined FROM collection_batch AS b "
        "LEFT JOIN publish_log AS p ON p.batch_id = b.batch_id "
        "WHERE b.collected_at BETWEEN :since AND :until "
        "ORDER BY b.collected_at DESC, b.batch_id",
        since=since,
        until=until,
    )


def quarantine(warehouse: Warehouse, since: int, until: int) -> list[dict[str, Any]]:
    """By rule: rows that wait now (held), and rows held between two times (fresh)."""
    return warehouse.rows(
        "SELECT rule, SUM(CASE WHEN state = 'held' THEN 1 ELSE 0 END) AS held, "
        "SUM(CASE WHEN created_at BETWEEN :since AND :until THEN 1 ELSE 0 END) AS fresh "
        "FROM nav_quarantine GROUP BY rule "
        "HAVING SUM(CASE WHEN state = 'held' THEN 1 ELSE 0 END) > 0 "
        "OR SUM(CASE WHEN created_at BETWEEN :since AND :until THEN 1 ELSE 0 END) > 0 "
        "ORDER BY held DESC, rule",
        since=since,
        until=until,
    )
