"""What single funds have of what they should have: the reads of those who look for gaps.

Belongs here: their dates, incomes, and what the source has answered and shown of them. Does not
belong here: which dates are therefore missing (`nav/cadence.py`), whom to ask
(`pipeline/history_gaps.py`).

A person waits for them (`fund-assets gaps`): no frame, whose library takes longer to load than
all of them together.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fund_assets.nav.cadence import Attendance, Incomes
from fund_assets.warehouse.warehouse import Warehouse

#: As many sessions as a whole number of the database has bits to tell them by.
MOST_SESSIONS = 62


class Asked(NamedTuple):
    """When the source was last asked for a fund's history, and when one was last stored.

    yyyymmddhhmmss; 0 for never.
    """

    asked_at: int
    stored_at: int


def attendance(warehouse: Warehouse, sessions: Sequence[int]) -> Attendance:
    """Of which sessions the listed funds have accepted NAVs.

    Args:
        sessions: yyyymmdd, ascending, at least one and at most MOST_SESSIONS.
    """
    assert len(sessions) <= MOST_SESSIONS, "each session is a bit of a whole number"
    bit = _bit_of(list(enumerate(sessions)))
    # The index by fund has both columns, so that the wide rows are not read.
    rows = warehouse.tuples(
        f"SELECT i.fund_code, i.kind, (SELECT SUM({bit}) FROM validated_nav AS v "
        "WHERE v.fund_code = i.fund_code "
        f"AND v.nav_date BETWEEN {sessions[0]:d} AND {sessions[-1]:d}) "
        "FROM fund_info AS i WHERE i.status = 'listed' ORDER BY i.fund_code"
    )
    had = np.array([int(row[2] or 0) for row in rows], dtype=np.int64)
    return Attendance(
        [row[0] for row in rows],
        [row[1] for row in rows],
        np.array(sessions, dtype=np.int64),
        (had[:, None] >> np.arange(len(sessions)) & 1).astype(bool),
    )


def _bit_of(sessions: list[tuple[int, int]]) -> str:
    """SQL for the bit of a date, found by halves: a million dates are looked up."""
    if len(sessions) == 1:
        ((at, date),) = sessions
        return f"CASE WHEN v.nav_date = {date:d} THEN {1 << at} END"
    half = len(sessions) // 2
    earlier, later = _bit_of(sessions[:half]), _bit_of(sessions[half:])
    return f"CASE WHEN v.nav_date < {sessions[half][1]:d} THEN {earlier} ELSE {later} END"


def incomes(warehouse: Warehouse, since: int) -> Incomes:
    """Accepted incomes of the listed funds from a date (yyyymmdd) on."""
    rows = warehouse.tuples(
        "SELECT v.fund_code, i.kind, v.nav_date, v.yield_per_10k, v.yield_7d_pct, "
        "v.days_covered FROM validated_nav AS v "
        "JOIN fund_info AS i ON i.fund_code = v.fund_code AND i.status = 'listed' "
        f"WHERE v.nav_date >= {since:d} AND v.yield_per_10k IS NOT NULL"
    )
    rows.sort(key=lambda row: (row[0], row[2]))

    def numbers(at: int) -> NDArray[np.float64]:
        return np.array([row[at] for row in rows], dtype=float)

    return Incomes(
        [row[0] for row in rows],
        [row[1] for row in rows],
        np.array([row[2] for row in rows], dtype=np.int64),
        numbers(3),
        numbers(4),
        numbers(5),
    )


def asked(warehouse: Warehouse) -> dict[str, Asked]:
    """Fund → when its history was asked for and stored, of those that ever were."""
    rows = warehouse.tuples("SELECT fund_code, asked_at, stored_at FROM history_progress")
    return {code: Asked(asked or 0, stored or 0) for code, asked, stored in rows}


def not_yet(warehouse: Warehouse, date: int) -> list[tuple[str, str]]:
    """Listed funds, with their kinds, whose NAV of a date was taken as not yet its own.

    The newest published wave of that date shows it, and it is neither merged nor held.
    """
    return warehouse.tuples(
        "SELECT n.fund_code, i.kind FROM fund_nav n "
        "JOIN fund_info AS i ON i.fund_code = n.fund_code AND i.status = 'listed' "
        "WHERE n.nav_date = :date AND n.unit_nav IS NOT NULL "
        "AND n.batch_id = (SELECT b.batch_id FROM collection_batch b WHERE b.kind = 'wave' "
        "AND b.state = 'published' AND b.newest_date = :date "
        "ORDER BY b.collected_at DESC, b.batch_id DESC LIMIT 1) "
        "AND NOT EXISTS (SELECT 1 FROM validated_nav v WHERE v.fund_code = n.fund_code "
        "AND v.nav_date = n.nav_date) "
        "AND NOT EXISTS (SELECT 1 FROM nav_quarantine q WHERE q.batch_id = n.batch_id "
        "AND q.fund_code = n.fund_code AND q.nav_date = n.nav_date) ORDER BY n.fund_code",
        date=date,
    )


def funds_held(warehouse: Warehouse) -> list[tuple[str, int]]:
    """Listed funds with held rows, and when the newest was held (yyyymmddhhmmss)."""
    return warehouse.tuples(
        "SELECT q.fund_code, MAX(q.created_at) FROM nav_quarantine AS q "
        "JOIN fund_info AS i ON i.fund_code = q.fund_code AND i.status = 'listed' "
        "WHERE q.state = 'held' AND q.nav_date IS NOT NULL "
        "GROUP BY q.fund_code ORDER BY q.fund_code"
    )


def refuted(warehouse: Warehouse, since: int) -> dict[tuple[str, int], int]:
    """Dates from `since` on of which the source showed what witnesses rejected.

    Returns:
        (fund_code, nav_date) → yyyymmddhhmmss of the newest such sight.
    """
    rows = warehouse.tuples(
        "SELECT fund_code, nav_date, MAX(created_at) FROM nav_quarantine "
        "WHERE state = 'rejected' AND nav_date >= :since "
        "AND (decided_by LIKE 'witness:%' OR decided_by LIKE 'source:%') "
        "GROUP BY fund_code, nav_date",
        since=since,
    )
    return {(code, date): int(shown) for code, date, shown in rows}
