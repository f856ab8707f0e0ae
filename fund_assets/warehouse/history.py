"""One fund's accepted history, as it is and as it was known at a past time, and finding funds.

Belongs here: reads for people who look at one fund. Does not belong here: reads of the
pipeline's steps, or of the whole market.
"""

from typing import Any

from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.warehouse.warehouse import Warehouse

VALUES = ", ".join(OBSERVED_NAMES)
#: More rows than a fund will ever have.
ALL = 2**31


def history(
    warehouse: Warehouse, fund_code: str, *, since: int = 0, limit: int = ALL
) -> list[dict[str, Any]]:
    """The accepted rows of a fund, oldest first.

    Args:
        since: yyyymmdd of the first date; 0: from the beginning.
        limit: at most this many, the newest ones.

    Returns:
        nav_date, the five observed figures, total_return_index, return_status,
        first_seen_at, batch_id.
    """
    found = warehouse.rows(
        f"SELECT nav_date, {VALUES}, total_return_index, return_status, first_seen_at, "
        "batch_id FROM validated_nav WHERE fund_code = :code AND nav_date >= :since "
        "ORDER BY nav_date DESC LIMIT :limit",
        code=fund_code,
        since=since,
        limit=limit,
    )
    return found[::-1]


def history_as_of(
    warehouse: Warehouse, fund_code: str, known_at: int, *, since: int = 0, limit: int = ALL
) -> list[dict[str, Any]]:
    """The rows of a fund as they were known at a past time, oldest first.

    Of the values that a date ever had, the one known at T is the first that was corrected
    after T, and the present one when none was; it must have been seen by T. A correction
    seen at T itself is known at T. A figure that was filled in where a row had none corrects
    nothing and counts as known from the beginning, as do decimals added to a growth.

    Args:
        known_at: T, yyyymmddhhmmss.
        since, limit: as in `history`.

    Returns:
        nav_date, the five observed figures, first_seen_at, batch_id. The index is left out:
        it is chained anew with every correction and keeps no past.
    """
    found = warehouse.rows(
        f"""
        WITH later AS (
            SELECT nav_date, {VALUES}, first_seen_at, batch_id,
                   ROW_NUMBER() OVER (PARTITION BY nav_date ORDER BY superseded_at) AS nth
            FROM nav_revision WHERE fund_code = :code AND superseded_at > :known_at
        ), known AS (
            SELECT nav_date, {VALUES}, first_seen_at, batch_id FROM later WHERE nth = 1
            UNION ALL
            SELECT nav_date, {VALUES}, first_seen_at, batch_id FROM validated_nav
            WHERE fund_code = :code AND nav_date NOT IN (SELECT nav_date FROM later)
        )
        SELECT * FROM known WHERE first_seen_at <= :known_at AND nav_date >= :since
        ORDER BY nav_date DESC LIMIT :limit
        """,
        code=fund_code,
        known_at=known_at,
        since=since,
        limit=limit,
    )
    return found[::-1]


def fund(warehouse: Warehouse, fund_code: str) -> dict[str, Any] | None:
    """The row of fund_info of a fund; None for an unknown one."""
    found = warehouse.rows("SELECT * FROM fund_info WHERE fund_code = :code", code=fund_code)
    return found[0] if found else None


def find_funds(warehouse: Warehouse, text: str, limit: int) -> list[dict[str, Any]]:
    """Funds whose code or pinyin begins with a text, or whose name holds it.

    Returns:
        fund_code, name, fund_type, kind, status; by how early the name holds it, then code.
    """
    return warehouse.rows(
        "SELECT fund_code, name, fund_type, kind, status FROM fund_info "
        "WHERE substr(fund_code, 1, length(:text)) = :text OR instr(name, :text) > 0 "
        "OR substr(upper(pinyin), 1, length(:text)) = upper(:text) "
        "ORDER BY instr(name, :text), fund_code LIMIT :limit",
        text=text,
        limit=limit,
    )


def codes(warehouse: Warehouse) -> list[str]:
    """Every known fund code, ascending."""
    rows = warehouse.rows("SELECT fund_code FROM fund_info ORDER BY fund_code")
    return [str(row["fund_code"]) for row in rows]
