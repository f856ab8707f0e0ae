"""How many funds have published a date, of those that are due: by kind, and by type.

Belongs here: those counts, from what is accepted now. Does not belong here: how they were after
each wave (`arrivals.py`), how often a fund is due (`nav/cadence.py`).
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from fund_assets.calendar import from_key
from fund_assets.schemas.tables import WEEKDAYS
from fund_assets.warehouse.queries.status import dates_before
from fund_assets.warehouse.warehouse import Warehouse

#: A fund with a NAV in this many dates before counts as one that should publish.
ACTIVE_DATES = 25


class TypeCount(NamedTuple):
    """Of the funds of one type: how many have published, how many are due."""

    kind: str
    fund_type: str
    published: int
    due: float


def coverage(warehouse: Warehouse, nav_date: int) -> list[dict[str, Any]]:
    """Per kind: kind, published (funds with a NAV on the date), due, share of the two.

    At least those that have published are due.
    """
    by_kind: dict[str, tuple[int, float]] = {}
    for row in published_by_type(warehouse, nav_date):
        published, due = by_kind.get(row.kind, (0, 0.0))
        by_kind[row.kind] = (published + row.published, due + row.due)
    told = []
    for kind, (published, expected) in sorted(by_kind.items()):
        if due := max(round(expected), published):
            counts = {"kind": kind, "published": published, "due": due}
            told.append({**counts, "share": published / due})
    return told


def total_coverage(by_kind: Iterable[dict[str, Any]]) -> float:
    """The share of the funds of all kinds that are due that have published."""
    rows = list(by_kind)
    due = sum(row["due"] for row in rows)
    return sum(row["published"] for row in rows) / due if due else 0.0


def published_by_type(warehouse: Warehouse, nav_date: int) -> list[TypeCount]:
    """Per type of a date (yyyymmdd): funds with a NAV on it, and those that are due.

    Active are the listed funds with any accepted NAV in the 25 dates up to it; two dates tell
    of nearly all of them, of the others each is looked up. Due are those that publish on such
    a day by their own cadence (`fund_cadence`), a fund that does on four of five days with four
    fifths. A fund that never does counts in neither.
    """
    dates = dates_before(warehouse, nav_date, ACTIVE_DATES)
    return warehouse.records(
        TypeCount,
        f"""
        SELECT kind, fund_type, SUM(published * (due > 0)) AS published,
               SUM(active * due) AS due FROM (
            SELECT i.kind AS kind, i.fund_type AS fund_type, {_due_on(nav_date)} AS due,
                   CASE WHEN p.fund_code IS NULL THEN 0 ELSE 1 END AS published,
                   CASE WHEN p.fund_code IS NOT NULL THEN 1
                        WHEN q.fund_code IS NOT NULL THEN 1
                        WHEN EXISTS (
                            SELECT 1 FROM validated_nav AS v WHERE v.fund_code = i.fund_code
                            AND v.nav_date BETWEEN :first AND :nav_date
                        ) THEN 1 ELSE 0 END AS active
            FROM fund_info AS i
            LEFT JOIN validated_nav AS p
                ON p.nav_date = :nav_date AND p.fund_code = i.fund_code
            LEFT JOIN validated_nav AS q
                ON q.nav_date = :before AND q.fund_code = i.fund_code
            LEFT JOIN fund_cadence AS c ON c.fund_code = i.fund_code
            WHERE i.status = 'listed'
        ) AS funds
        GROUP BY kind, fund_type ORDER BY kind, fund_type
        """,
        nav_date=nav_date,
        before=dates[1] if len(dates) > 1 else nav_date,
        first=dates[-1] if dates else nav_date,
    )


def _due_on(nav_date: int) -> str:
    """SQL: the share of a fund that is due on a date; 1 of one whose cadence is not known."""
    weekday = from_key(nav_date).weekday()
    return f"COALESCE(c.due_{WEEKDAYS[weekday]}, 1.0)" if weekday < len(WEEKDAYS) else "1.0"
