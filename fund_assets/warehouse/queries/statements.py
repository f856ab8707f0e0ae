"""Reading what the source states of share classes.

Belongs here: the statements on a class, as of now or of a time. Does not belong here: writing
(`stores/statements.py`), our returns next to them (`agreement.py`).
"""

from typing import Any

from fund_assets.warehouse.warehouse import Warehouse

_NOW = 99_999_999_999_999


def statements_of(
    warehouse: Warehouse, fund_code: str, as_of: int | None = None
) -> list[dict[str, Any]]:
    """Rows of source_statement of one class, newest date first.

    Args:
        as_of: yyyymmddhhmmss: what was known then; None: what is known now.
    """
    return warehouse.rows(
        "SELECT * FROM source_statement WHERE fund_code = :code AND first_seen_at <= :at "
        "AND COALESCE(superseded_at, :never) > :at ORDER BY nav_date DESC, what",
        code=fund_code,
        at=_NOW - 1 if as_of is None else as_of,
        never=_NOW,
    )
