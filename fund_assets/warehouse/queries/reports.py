"""Reading what answers say of funds beyond NAV: size, holders, portfolio and managers.

Belongs here: the periods of a fund, as of now or of a time. Does not belong here: writing
(`stores/reports.py`).
"""

from typing import Any

from fund_assets.nav.reports import REPORT_TABLES
from fund_assets.schemas.table import Table
from fund_assets.warehouse.warehouse import Warehouse

_NOW = 99_999_999_999_999


def periods_of(
    warehouse: Warehouse, table: Table, fund_code: str, as_of: int | None = None
) -> list[dict[str, Any]]:
    """What is known of a fund in one of REPORT_TABLES, one row each, the newest period first.

    Args:
        as_of: yyyymmddhhmmss: what was known then; None: what is known now.

    Raises:
        KeyError: the table is none of reports.
    """
    name = REPORT_TABLES[table.name].name
    first, *rest = table.primary_key[1:-1]
    order = ", ".join([f"{first} DESC", *rest])
    return warehouse.rows(
        f"SELECT * FROM {name} WHERE fund_code = :code AND first_seen_at <= :at "
        f"AND COALESCE(superseded_at, :never) > :at ORDER BY {order}",
        code=fund_code,
        at=_NOW - 1 if as_of is None else as_of,
        never=_NOW,
    )
