"""The log of the weekly job, and cleaning: landing rows, old metrics, the database itself.

Belongs here: what the weekly job keeps and deletes. Does not belong here: when it runs, what
is computed.
"""

import json
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import sqlalchemy as sa

from fund_assets.calendar import from_key, iso_week, newest_sunday, to_key, to_stamp
from fund_assets.schemas.tables import FUND_METRICS, FUND_PEERS, WEEKLY_LOG
from fund_assets.warehouse.engine.diff_writes import delete, upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.queries.rejection import IS_REJECTED
from fund_assets.warehouse.warehouse import Warehouse

#: All calculation dates of so many days stay, then the last of each week.
ALL_DATES_DAYS = 35
DATED = (FUND_METRICS, FUND_PEERS)


def log_step(
    connection: sa.Connection, week: str, step: str, done_at: int, figures: dict[str, Any]
) -> None:
    """Write what a step of the weekly job did, in the caller's transaction."""
    row = {"week": week, "step": step, "done_at": done_at,
           "figures": json.dumps(figures, ensure_ascii=False, sort_keys=True)}  # fmt: skip
    upsert(connection, WEEKLY_LOG, WEEKLY_LOG.conform(pd.DataFrame([row])))


@retried
def note_step(
    warehouse: Warehouse, week: str, step: str, done_at: int, figures: dict[str, Any]
) -> None:
    """The same in a transaction of its own."""
    with warehouse.transaction(writes=True) as connection:
        log_step(connection, week, step, done_at, figures)


def count_up(
    connection: sa.Connection, week: str, step: str, done_at: int, counts: dict[str, int]
) -> None:
    """Add to a step's counts, in the transaction that did what is counted."""
    stored = connection.execute(
        sa.text("SELECT figures FROM weekly_log WHERE week = :week AND step = :step"),
        {"week": week, "step": step},
    ).scalar()
    before = json.loads(str(stored or "{}"))
    figures = {name: before.get(name, 0) + count for name, count in counts.items()}
    log_step(connection, week, step, done_at, {**before, **figures})


def week_log(warehouse: Warehouse, week: str) -> dict[str, dict[str, Any]]:
    """Step → what it did in a week: its figures and `done_at`."""
    rows = warehouse.rows("SELECT * FROM weekly_log WHERE week = :week", week=week)
    return {
        str(row["step"]): {"done_at": row["done_at"], **json.loads(str(row["figures"]))}
        for row in rows
    }


def missing_week(warehouse: Warehouse, now: datetime) -> str | None:
    """The newest ISO week whose weekly job was due and has not gone through; None: it has.

    It has when its last step in the log, upkeep, is there. Before the first NAV nothing is due.
    """
    due = newest_sunday(now)
    week = iso_week(due.date())
    first = warehouse.number("SELECT MIN(published_at) FROM publish_log")
    if first is None or first > to_stamp(due):
        return None
    done = warehouse.count(
        "SELECT COUNT(*) FROM weekly_log WHERE week = :week AND step = 'upkeep'", week=week
    )
    return None if done else week


def prune_landing(warehouse: Warehouse, before: int, week: str, now: int) -> tuple[int, int]:
    """Delete observations of published batches that were collected before a time.

    What is still asked for stays: the newest published wave, histories beside a held batch of
    histories (they tell whether it is replaced), and observations of a fund and date that
    have a held row (they tell whether it is superseded). Each batch is a transaction, which
    counts in the log of the week.

    Args:
        before, now: yyyymmddhhmmss.

    Returns:
        Batches and rows that lost observations.
    """
    found = warehouse.column(
        str,
        f"""
        SELECT b.batch_id FROM collection_batch AS b
        WHERE b.state = 'published' AND b.kind <> 'events' AND b.collected_at < :before
          AND b.batch_id <> COALESCE((
            SELECT w.batch_id FROM collection_batch AS w JOIN publish_log AS p
                ON p.batch_id = w.batch_id
            WHERE w.kind = 'wave' ORDER BY w.collected_at DESC, p.published_at DESC,
                p.batch_id LIMIT 1
          ), '')
          AND NOT (b.kind = 'history' AND EXISTS (
            SELECT 1 FROM collection_batch AS h WHERE h.kind = 'history'
              AND h.state = 'held' AND NOT {IS_REJECTED}
              AND h.collected_at <= b.collected_at
          ))
          AND EXISTS (SELECT 1 FROM fund_nav AS n WHERE n.batch_id = b.batch_id)
        ORDER BY b.collected_at, b.batch_id
        """,
        before=before,
    )
    batches = rows = 0
    for batch_id in found:
        gone = _prune_batch(warehouse, batch_id, week, now)
        batches += gone > 0
        rows += gone
    return batches, rows


@retried
def _prune_batch(warehouse: Warehouse, batch_id: str, week: str, now: int) -> int:
    with warehouse.transaction(writes=True) as connection:
        done = connection.execute(
            sa.text(
                "DELETE FROM fund_nav WHERE batch_id = :id AND NOT EXISTS (SELECT 1 FROM "
                "nav_quarantine AS q WHERE q.state = 'held' AND q.nav_date = "
                "fund_nav.nav_date AND q.fund_code = fund_nav.fund_code)"
            ),
            {"id": batch_id},
        )
        gone = int(done.rowcount)
        if gone:
            counts = {"landing_batches": 1, "landing_rows": gone}
            count_up(connection, week, "upkeep", now, counts)
        return gone


def outdated(dates: list[int], today: date) -> list[int]:
    """The calculation dates (yyyymmdd) that go: older than 35 days, not the last of a week."""
    keep_from = to_key(today - timedelta(days=ALL_DATES_DAYS))
    last = {iso_week(from_key(key)): key for key in sorted(dates)}
    return [key for key in sorted(dates) if key < keep_from and key not in last.values()]


def prune_metrics(warehouse: Warehouse, today: date, week: str, now: int) -> tuple[int, int]:
    """Delete metrics and peers' positions of `outdated` dates, each date in a transaction.

    Returns:
        Dates and rows deleted.
    """
    known = {
        calc_date
        for table in DATED
        for calc_date in warehouse.column(int, f"SELECT DISTINCT calc_date FROM {table.name}")
    }
    gone = outdated(sorted(known), today)
    return len(gone), sum(_prune_date(warehouse, key, week, now) for key in gone)


@retried
def _prune_date(warehouse: Warehouse, calc_date: int, week: str, now: int) -> int:
    with warehouse.transaction(writes=True) as connection:
        date = pd.DataFrame({"calc_date": [calc_date]})
        rows = sum(delete(connection, table, date) for table in DATED)
        count_up(connection, week, "upkeep", now, {"metric_dates": 1, "metric_rows": rows})
        return rows
