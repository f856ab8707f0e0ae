"""Dates of the accepted history that have fewer rows than they had: rows that vanished.

Belongs here: counting when a batch is published and on Sundays, and comparing. Does not belong
here: telling of it (`observability/alerts/`, `observability/`, `cli/`), asking for what is lost
(`automation/sensors.py`).

No step deletes an accepted NAV. The dates of the last weeks are counted anew whenever somebody
looks, which reads no row of the others; of those it knows what Sunday's count found.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from fund_assets.calendar import from_key, to_key
from fund_assets.schemas.tables import DATE_COUNT
from fund_assets.warehouse.engine.diff_writes import upsert
from fund_assets.warehouse.queries.status import rows_per_date
from fund_assets.warehouse.warehouse import Warehouse

#: Dates of so many days are counted with each batch, and whenever somebody looks.
DAYS_COUNTED = 21
#: With at least this share of its rows a date has lost none worth an alarm.
LEAST_LEFT = 0.99
#: Later than any date.
NEVER = to_key(date.max)


@dataclass(frozen=True)
class Loss:
    """A date of which accepted NAVs vanished: how many there were at most, and are now."""

    nav_date: date
    rows_most: int
    rows_found: int

    @property
    def repair(self) -> str:
        """The command that asks the source for what is lost."""
        gone = self.rows_most - self.rows_found
        return f"fund-assets collect --no-wave --missing {self.nav_date} --history {gone}"


def counted_since(today: date) -> int:
    """The yyyymmdd from which on dates are counted with each batch."""
    return to_key(today - timedelta(days=DAYS_COUNTED))


def count_dates(connection: sa.Connection, dates: Collection[int], today: date) -> None:
    """Count the dates of a batch that are of the last weeks, or have lost rows.

    Called in the transaction that has just written them.
    """
    since = counted_since(today)
    known = _most(connection, "rows_found < rows_most")
    ours = sorted(int(day) for day in set(dates) if day >= since or int(day) in known)
    if not ours:
        return
    these = f"nav_date IN ({', '.join(map(str, ours))})"
    counted = connection.exec_driver_sql(
        f"SELECT nav_date, COUNT(*) FROM validated_nav WHERE {these} GROUP BY nav_date"
    )
    found = {int(day): int(rows) for day, rows in counted}
    _store(connection, found, _most(connection, these))


def count_all(warehouse: Warehouse) -> list[Loss]:
    """Count every date, which reads the whole index; the dates that have lost rows."""
    found = rows_per_date(warehouse, 0)
    with warehouse.transaction(writes=True) as connection:
        most = _most(connection, "nav_date > 0")
        _store(connection, dict.fromkeys(most, 0) | found, most)
    return losses(warehouse, NEVER)


class _Counted(NamedTuple):
    nav_date: int
    rows_most: int
    rows_found: int


def losses(warehouse: Warehouse, since: int) -> list[Loss]:
    """The dates that have lost rows, oldest first.

    Args:
        since: yyyymmdd; dates from then on are counted now, of older ones the last count holds.
    """
    stored = warehouse.records(
        _Counted,
        "SELECT nav_date, rows_most, rows_found FROM date_count "
        "WHERE nav_date >= :since OR rows_found < rows_most ORDER BY nav_date",
        since=since,
    )
    now = rows_per_date(warehouse, since)
    found = []
    for key, most, left in stored:
        left = now.get(key, 0) if key >= since else left
        if left < LEAST_LEFT * most:
            found.append(Loss(from_key(key), most, left))
    return found


def _most(connection: sa.Connection, which: str) -> dict[int, int]:
    """Date → `rows_most`, of some dates."""
    rows = connection.exec_driver_sql(
        f"SELECT nav_date, rows_most FROM date_count WHERE {which}"
    )
    return {int(day): int(most) for day, most in rows}


def _store(connection: sa.Connection, found: dict[int, int], most: dict[int, int]) -> None:
    """Store what was found; `rows_most` only grows."""
    import pandas as pd

    rows = [(day, max(n, most.get(day, 0)), n) for day, n in found.items()]
    upsert(connection, DATE_COUNT, pd.DataFrame(rows, columns=DATE_COUNT.names))
