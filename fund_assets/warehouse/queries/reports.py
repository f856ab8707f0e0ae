"""Reading what answers say of funds beyond NAV: size, holders, portfolio and managers.

Belongs here: the periods of a fund, as of now or of a time; sizes that are not shares times
NAV. Does not belong here: writing (`stores/reports.py`).
"""

from datetime import timedelta
from typing import Any

from fund_assets.calendar import from_key, to_key
from fund_assets.nav.reports import REPORT_TABLES, size_off
from fund_assets.schemas.portfolios import currency_of
from fund_assets.schemas.table import Table
from fund_assets.warehouse.warehouse import Warehouse

#: Quarters of which net assets are compared with shares and NAVs.
COMPARED_QUARTERS = 5
#: The last session of a quarter is so many days before its end at the most.
_WEEKEND = timedelta(days=2)
_SIZES = """
SELECT s.fund_code, i.name, i.kind, s.net_assets, s.total_shares, v.unit_nav
FROM fund_size AS s
JOIN fund_info AS i ON i.fund_code = s.fund_code
JOIN validated_nav AS v ON v.fund_code = s.fund_code AND v.nav_date = (
    SELECT MAX(w.nav_date) FROM validated_nav AS w
    WHERE w.fund_code = s.fund_code AND w.nav_date BETWEEN :first AND :period)
WHERE s.period_end = :period AND s.superseded_at IS NULL AND s.net_assets IS NOT NULL
  AND s.total_shares IS NOT NULL
ORDER BY s.fund_code
"""
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


def sizes_off(warehouse: Warehouse) -> tuple[int, list[str]]:
    """Net assets that are not shares times NAV: how many were compared, and those, in words.

    Compared are classes in yuan at the newest quarters, where the NAV of the quarter's last
    session is stored; money-market funds count 1 yuan a share.
    """
    periods = warehouse.column(
        int,
        "SELECT DISTINCT period_end FROM fund_size WHERE superseded_at IS NULL "
        "ORDER BY period_end DESC LIMIT :most",
        most=COMPARED_QUARTERS,
    )
    compared, off = 0, []
    for period in periods:
        first = to_key(from_key(period) - _WEEKEND)
        for code, name, kind, assets, shares, unit_nav in warehouse.tuples(
            _SIZES, period=period, first=first
        ):
            nav = 1.0 if kind == "money" else unit_nav
            if nav is None or currency_of(name) != "CNY":
                continue
            compared += 1
            if size_off(assets, shares, nav):
                off.append(
                    f"{code}: net assets of {period} are {assets:,.0f}, its shares times its "
                    f"NAV {shares * nav:,.0f}"
                )
    return compared, off
