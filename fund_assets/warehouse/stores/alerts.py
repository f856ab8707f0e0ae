"""The stored side of alerts: their states, silences, and the outbox of messages.

Belongs here: reading and changing these three tables. Does not belong here: what is told, or
how it is sent (`observability/alerts/`). Rows are dictionaries with the tables' columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fund_assets.schemas.table import Table
from fund_assets.schemas.tables import ALERT_OUTBOX, ALERT_SILENCE, ALERT_STATE, SEVERITIES
from fund_assets.warehouse.engine.diff_writes import insert, upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]
#: What is stored and what silences it → changed states, new messages.
Decide = Callable[[Sequence[Row], Sequence[Row]], tuple[Sequence[Row], Sequence[Row]]]

STATES = "SELECT * FROM alert_state ORDER BY fingerprint"
SILENCES = "SELECT * FROM alert_silence ORDER BY fingerprint"


@retried
def change(warehouse: Warehouse, decide: Decide) -> tuple[Sequence[Row], Sequence[Row]]:
    """Read the states, decide, and store what changes and what is to be sent, in one go.

    The writer's place is asked for only when something changes; `decide` is then asked again,
    on what is stored by then. So two who look at the same time tell nothing twice.

    Returns:
        What was stored: the changed states and the new messages.
    """
    changed, messages = decide(warehouse.rows(STATES), warehouse.rows(SILENCES))
    if not changed and not messages:
        return changed, messages
    with warehouse.transaction(writes=True) as connection:
        changed, messages = decide(_rows(connection, STATES), _rows(connection, SILENCES))
        upsert(connection, ALERT_STATE, _frame(ALERT_STATE, changed))
        insert(connection, ALERT_OUTBOX, _frame(ALERT_OUTBOX, messages), ignore=True)
    return changed, messages


def states(warehouse: Warehouse) -> Sequence[Row]:
    """Every remembered alert."""
    return warehouse.rows(STATES)


def silences(warehouse: Warehouse) -> Sequence[Row]:
    """Every silence, those that have ended too."""
    return warehouse.rows(SILENCES)


@retried
def set_silence(warehouse: Warehouse, row: Row) -> None:
    """Enter a silence, or change an entered one."""
    with warehouse.transaction(writes=True) as connection:
        upsert(connection, ALERT_SILENCE, _frame(ALERT_SILENCE, [row]))


@retried
def drop_silence(warehouse: Warehouse, fingerprint: str) -> bool:
    """End a silence; whether there was one."""
    with warehouse.transaction(writes=True) as connection:
        done = connection.execute(
            sa.text("DELETE FROM alert_silence WHERE fingerprint = :fingerprint"),
            {"fingerprint": fingerprint},
        )
        return done.rowcount > 0


def firing(warehouse: Warehouse) -> dict[str, int]:
    """Severity → how many alerts hold; those that another explains are not counted."""
    found = warehouse.mapping(
        str,
        int,
        "SELECT severity, COUNT(*) FROM alert_state "
        "WHERE resolved_at IS NULL AND muted_by = '' GROUP BY severity",
    )
    return dict.fromkeys(SEVERITIES, 0) | found


def holding(warehouse: Warehouse) -> Sequence[Row]:
    """The alerts that hold, the oldest first, without those that another explains."""
    return warehouse.rows(
        "SELECT * FROM alert_state WHERE resolved_at IS NULL AND muted_by = '' "
        "ORDER BY first_at, fingerprint"
    )


def outbox_counts(warehouse: Warehouse) -> dict[str, int]:
    """How many messages wait, and how many were given up."""
    found = warehouse.mapping(
        str,
        int,
        "SELECT state, COUNT(*) FROM alert_outbox "
        "WHERE state IN ('waiting', 'dead') GROUP BY state",
    )
    return {"waiting": 0, "dead": 0} | found


def outbox(warehouse: Warehouse, state: str) -> Sequence[Row]:
    """The messages in a state, oldest first."""
    return warehouse.rows(
        "SELECT * FROM alert_outbox WHERE state = :state ORDER BY created_at, id", state=state
    )


def waiting(warehouse: Warehouse, now: int, latest: int) -> Sequence[Row]:
    """The messages that are due at a time (yyyymmddhhmmss), oldest first.

    Args:
        latest: a message that is due still later has its time from a clock that was wrong,
            and is due now.
    """
    return warehouse.rows(
        "SELECT * FROM alert_outbox WHERE state = 'waiting' "
        "AND (due_at <= :now OR due_at > :latest) ORDER BY created_at, id",
        now=now,
        latest=latest,
    )


def sent_between(warehouse: Warehouse, since: int, until: int) -> dict[str, int]:
    """Channel → messages that it accepted between two times (yyyymmddhhmmss)."""
    return warehouse.mapping(
        str,
        int,
        "SELECT channel, COUNT(*) FROM alert_outbox "
        "WHERE state = 'sent' AND sent_at BETWEEN :since AND :until GROUP BY channel",
        since=since,
        until=until,
    )


@retried
def claim(warehouse: Warehouse, taken: Sequence[Row], until: int) -> Sequence[Row]:
    """Take due messages for sending; nobody else gets them before `until`.

    Returns:
        Those that were still to be had, with one attempt more. A sender that dies leaves
        them to be sent again.
    """
    if not taken:
        return []
    with warehouse.transaction(writes=True) as connection:
        now = {
            row["id"]: row
            for row in _rows(connection, "SELECT * FROM alert_outbox WHERE state = 'waiting'")
        }
        got = [
            {**row, "attempts": row["attempts"] + 1, "due_at": until}
            for row in taken
            if now.get(row["id"], {}).get("due_at") == row["due_at"]
        ]
        upsert(connection, ALERT_OUTBOX, _frame(ALERT_OUTBOX, got))
    return got


@retried
def settle(warehouse: Warehouse, rows: Iterable[Row]) -> None:
    """Store what became of messages."""
    with warehouse.transaction(writes=True) as connection:
        upsert(connection, ALERT_OUTBOX, _frame(ALERT_OUTBOX, list(rows)))


@retried
def prune(
    warehouse: Warehouse, states_before: int, messages_before: int, dead_kept: int
) -> None:
    """Delete alerts that were over, and messages that were done with, before these times.

    Of those that were given up the newest `dead_kept` stay, however old they are.
    """
    oldest = warehouse.number(
        "SELECT created_at FROM alert_outbox WHERE state = 'dead' "
        "ORDER BY created_at DESC LIMIT 1 OFFSET :kept",
        kept=dead_kept - 1,
    )
    for table, condition, before in (
        ("alert_state", "resolved_at IS NOT NULL AND resolved_at < :before", states_before),
        ("alert_outbox", "state IN ('sent', 'merged') AND created_at < :before",
         messages_before),
        ("alert_outbox", "state = 'dead' AND created_at < :before", oldest or 0),
    ):  # fmt: skip
        sql = f"FROM {table} WHERE {condition}"
        if warehouse.count(f"SELECT COUNT(*) {sql}", before=before):
            with warehouse.transaction(writes=True) as connection:
                connection.execute(sa.text(f"DELETE {sql}"), {"before": before})


def _rows(connection: sa.Connection, sql: str) -> list[Row]:
    return [dict(row) for row in connection.execute(sa.text(sql)).mappings()]


def _frame(table: Table, rows: Sequence[Row]) -> pd.DataFrame:
    import pandas as pd

    return table.conform(pd.DataFrame(list(rows), columns=table.names))
