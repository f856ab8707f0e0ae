"""Pruning the change feed.

Does not belong here: logging them (`engine/changes.py`), reading them (`queries/changes.py`).
"""

from datetime import date, timedelta

import sqlalchemy as sa

from fund_assets.calendar import to_key
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.warehouse import Warehouse

#: So long a cursor is accepted: from the weekly job on that saw its version first.
KEPT_DAYS = 182


@retried
def prune_changes(warehouse: Warehouse, today: date) -> int:
    """Delete versions past their time, never the newest one; returns how many."""
    with warehouse.transaction(writes=True) as connection:
        connection.execute(
            sa.text("UPDATE change_version SET seen_on = :today WHERE seen_on IS NULL"),
            {"today": to_key(today)},
        )
        # The newest of them stays with its changes: a cursor may be at it.
        first = connection.execute(
            sa.text("SELECT MAX(version) FROM change_version WHERE seen_on < :oldest"),
            {"oldest": to_key(today - timedelta(days=KEPT_DAYS))},
        ).scalar()
        if first is None:
            return 0
        for table in ("row_change", "change_version"):
            gone = connection.execute(
                sa.text(f"DELETE FROM {table} WHERE version < :first"), {"first": first}
            ).rowcount
    return int(gone)
