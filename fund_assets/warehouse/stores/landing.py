"""Landing what was collected: fund_info, batches, observations and recorded events.

Belongs here: reads and writes of the collecting steps. Does not belong here: anything that
touches the accepted history (`publish.py`).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from fund_assets.calendar import from_key, to_key
from fund_assets.nav.events import merge
from fund_assets.nav.landing_rows import Landing
from fund_assets.schemas.tables import (
    COLLECTION_BATCH,
    FUND_CHANGE,
    FUND_EVENTS,
    FUND_INFO,
    FUND_NAV,
    HISTORY_PROGRESS,
    NAV_QUARANTINE,
)
from fund_assets.warehouse.engine.diff_writes import insert, renew, upsert
from fund_assets.warehouse.engine.fault_points import crash_point
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.engine.typed_rows import typed_rows
from fund_assets.warehouse.queries.rejection import IS_REJECTED
from fund_assets.warehouse.warehouse import Warehouse

FEW_FUNDS = 500
MONTH = timedelta(days=31)
#: Of batches.
KINDS = COLLECTION_BATCH["kind"].isin


def fund_info(warehouse: Warehouse) -> pd.DataFrame:
    """All of fund_info."""
    return warehouse.frame("SELECT * FROM fund_info ORDER BY fund_code", FUND_INFO)


def list_changes(warehouse: Warehouse) -> pd.DataFrame:
    """The names and types that changed: rows of FUND_CHANGE."""
    return warehouse.frame(
        "SELECT * FROM fund_change WHERE what IN ('name', 'type') ORDER BY seen_on, fund_code",
        FUND_CHANGE,
    )


@retried
def write_fund_info(
    warehouse: Warehouse, rows: pd.DataFrame, changes: pd.DataFrame | None = None
) -> int:
    """Write changed rows of fund_info and what changed (FUND_CHANGE); returns how many rows."""
    with warehouse.transaction(writes=True) as connection:
        if changes is not None:
            upsert(connection, FUND_CHANGE, changes)
        return upsert(connection, FUND_INFO, rows)


@retried
def land(
    warehouse: Warehouse,
    landing: Landing,
    *,
    new_funds: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    progress: pd.DataFrame | None = None,
    more: Iterable[Callable[[Warehouse, sa.Connection], object]] = (),
) -> bool:
    """Write a batch in one transaction; a batch that is there already changes nothing.

    When that one is held, it waits for the rules again.

    Args:
        landing: the batch.
        new_funds: rows of FUND_INFO for funds the list does not have; known ones stay.
        events: `sources.base.EVENT_COLUMNS` recorded in it, all of them possible.
        progress: columns of HISTORY_PROGRESS, of funds whose histories were asked for.
        more: each writes what else came in the same answers; called again when the
            transaction is.

    Returns:
        Whether the batch is new.
    """
    with warehouse.transaction(writes=True) as connection:
        is_new = insert(connection, COLLECTION_BATCH, landing.batch, ignore=True) == 1
        if is_new:
            if new_funds is not None:
                insert(connection, FUND_INFO, new_funds, ignore=True)
            renew(connection, FUND_NAV, landing.landed, FUND_NAV.empty())
            crash_point("land.after_rows")
            insert(connection, NAV_QUARANTINE, landing.refused, ignore=True)
            if events is not None and len(events):
                source = "list" if landing.kind == "events" else "history"
                stored = stored_events(warehouse, events["fund_code"].unique())
                changed = merge(stored, events, source, landing.batch_id)
                upsert(connection, FUND_EVENTS, changed)
        else:
            connection.execute(
                sa.text(
                    "UPDATE collection_batch SET state = 'landed', held_because = '' "
                    f"WHERE batch_id = :id AND state = 'held' AND NOT {IS_REJECTED}"
                ),
                {"id": landing.batch_id},
            )
        for write in more:
            write(warehouse, connection)
        if progress is not None:
            upsert(connection, HISTORY_PROGRESS, progress)
        crash_point("land.before_commit")
    crash_point("land.after_commit")
    return is_new


def stored_events(warehouse: Warehouse, codes: Collection[str]) -> pd.DataFrame:
    """The stored events of some funds; of all of them when they are many."""
    some = len(codes) <= FEW_FUNDS
    marks = {f"code{n}": code for n, code in enumerate(codes if some else ())}
    where = f" WHERE fund_code IN ({', '.join(f':{name}' for name in marks)})" if some else ""
    return warehouse.frame(f"SELECT * FROM fund_events{where}", FUND_EVENTS, **marks)


def history_progress(warehouse: Warehouse) -> pd.DataFrame:
    """All of history_progress."""
    return warehouse.frame(
        "SELECT * FROM history_progress ORDER BY fund_code", HISTORY_PROGRESS
    )


def with_history(warehouse: Warehouse) -> set[str]:
    """The funds whose whole history has landed."""
    return set(
        warehouse.column(
            str, "SELECT fund_code FROM history_progress WHERE stored_at IS NOT NULL"
        )
    )


@retried
def write_progress(warehouse: Warehouse, rows: pd.DataFrame) -> None:
    """Rows of HISTORY_PROGRESS of funds of which nothing lands."""
    with warehouse.transaction(writes=True) as connection:
        upsert(connection, HISTORY_PROGRESS, rows)


def stored_spans(warehouse: Warehouse, codes: Sequence[str]) -> pd.DataFrame:
    """Of some funds: fund_code, rows, first_date, last_date of the accepted history."""
    marks = {f"code{n}": code for n, code in enumerate(codes)}
    found = warehouse.rows(
        "SELECT fund_code, COUNT(*) AS `rows`, MIN(nav_date) AS first_date, "
        "MAX(nav_date) AS last_date FROM validated_nav "
        f"WHERE fund_code IN ({', '.join(f':{name}' for name in marks)}) GROUP BY fund_code",
        **marks,
    )
    return pd.DataFrame(found, columns=["fund_code", "rows", "first_date", "last_date"])


def funds_without(warehouse: Warehouse, nav_date: int) -> frozenset[str]:
    """Funds with an accepted NAV in the month before a date, but none on it."""
    found = warehouse.column(
        str,
        """
        SELECT fund_code FROM validated_nav
        WHERE nav_date BETWEEN :since AND :nav_date
        GROUP BY fund_code HAVING MAX(nav_date) < :nav_date
        """,
        since=to_key(from_key(nav_date) - MONTH),
        nav_date=nav_date,
    )
    return frozenset(found)


def unpublished(warehouse: Warehouse, kinds: Collection[str] = KINDS) -> list[str]:
    """Batches of some kinds that wait for the rules, oldest first.

    A held wave waits too, until another wave is collected: then its dates are old news.
    Held histories wait only when they are collected again, so that they do not stop every
    wave that comes after them. A batch that a person rejected waits no more.
    """
    rows = warehouse.mapping(
        str,
        str,
        f"""
        SELECT batch_id, kind FROM collection_batch AS b
        WHERE state = 'landed' OR (
            state = 'held' AND kind = 'wave' AND NOT {IS_REJECTED} AND NOT EXISTS (
                SELECT 1 FROM collection_batch AS later
                WHERE later.kind = 'wave' AND later.collected_at > b.collected_at
            )
        )
        ORDER BY collected_at, kind DESC, batch_id
        """,
    )
    return [batch_id for batch_id, kind in rows.items() if kind in kinds]


class BatchHeader(NamedTuple):
    """What collection_batch holds of a batch, but for its source and the payloads."""

    batch_id: str
    kind: str
    newest_date: int
    previous_date: int | None
    collected_at: int
    rows_read: int
    state: str
    held_because: str


def batch_header(connection: sa.Connection, batch_id: str) -> BatchHeader:
    """The header of a batch; KeyError names one that does not exist."""
    names = ", ".join(BatchHeader._fields)
    found = connection.execute(
        sa.text(f"SELECT {names} FROM collection_batch WHERE batch_id = :id"), {"id": batch_id}
    )
    for header in typed_rows(found, BatchHeader):
        return header
    raise KeyError(f"unknown batch {batch_id}")
