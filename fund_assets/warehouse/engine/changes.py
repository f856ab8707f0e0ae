"""Which rows a writing transaction changes: its entry in the log that a mirror follows.

Belongs here: collecting slices of tables while they are written, and their version. Does not
belong here: who writes (`diff_writes.py`, `migrations/rebuild.py`), reading the log
(`queries/changes.py`).

A slice is the rows of a fund, or of all funds, between two dates. It holds every row that was
written or deleted, and may hold rows that were not: who follows reads its rows as they are now.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from fund_assets.schemas.table import DATE_LIMITS, Table
from fund_assets.schemas.tables import FOLLOWED

if TYPE_CHECKING:
    import pandas as pd

#: What is written about more funds than these, on few dates, is a slice for each date.
MANY_FUNDS, FEW_DATES = 1_000, 10
#: The fund of a slice of all funds, and the dates of one of all dates.
ALL_FUNDS, ALL_DATES = "", DATE_LIMITS

What = Literal["written", "deleted"]


@dataclass
class _Slices:
    """Of one table: all of it, or all funds of some dates and some funds of some dates."""

    whole: bool = False
    dates: set[int] = field(default_factory=set)
    funds: dict[str, tuple[int, int]] = field(default_factory=dict)

    def rows(self) -> list[tuple[str, int, int]]:
        if self.whole:
            return [(ALL_FUNDS, *ALL_DATES)]
        return [
            *((ALL_FUNDS, date, date) for date in sorted(self.dates)),
            *((code, *dates) for code, dates in sorted(self.funds.items())),
        ]


class Changes:
    """What one transaction has changed so far."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, What], _Slices] = {}

    def note(self, table: Table, what: What, rows: pd.DataFrame | None = None) -> None:
        """Remember that rows of a table were changed; None: perhaps all of them.

        Args:
            rows: of their key, the columns that are known.
        """
        if table.name not in FOLLOWED:
            return
        slices = self._tables.setdefault((table.name, what), _Slices())
        known = () if rows is None else set(rows.columns) & set(table.primary_key)
        date = table.date if table.date in known else None
        if rows is None or not (date or "fund_code" in known):
            slices.whole = True
            return
        days = rows[date].unique().tolist() if date else []
        if "fund_code" not in known:
            slices.dates.update(map(int, days))
        elif rows["fund_code"].nunique() > MANY_FUNDS and len(days) <= FEW_DATES:
            slices.dates.update(map(int, days))
            slices.whole |= not date
        elif not date:
            slices.funds.update(dict.fromkeys(rows["fund_code"], ALL_DATES))
        else:
            spans = rows.groupby("fund_code", sort=False)[date].agg(["min", "max"])
            for code, first, last in zip(spans.index, *spans.to_numpy().T, strict=True):
                before = slices.funds.get(code, (first, last))
                slices.funds[code] = (int(min(first, before[0])), int(max(last, before[1])))

    def write(self, connection: sa.Connection) -> None:
        """Write them under the next version, before the transaction ends; nothing: no version.

        Only one transaction writes at a time, and a version is committed with it: whoever sees
        a version sees all before it.
        """
        if not self._tables:
            return
        version = connection.execute(
            sa.text("SELECT COALESCE(MAX(version), 0) + 1 FROM change_version")
        ).scalar_one()
        connection.execute(
            sa.text("INSERT INTO change_version (version, mark) VALUES (:version, :mark)"),
            {"version": version, "mark": secrets.token_hex(4)},
        )
        connection.execute(
            sa.text(
                "INSERT INTO row_change "
                "(version, table_name, what, fund_code, first_date, last_date) "
                "VALUES (:version, :table, :what, :code, :first, :last)"
            ),
            [
                {"version": version, "table": table, "what": what,
                 "code": code, "first": first, "last": last}
                for (table, what), slices in self._tables.items()
                for code, first, last in slices.rows()
            ],
        )  # fmt: skip
        self._tables.clear()


def changes_of(connection: sa.Connection) -> Changes:
    """What the transaction of a connection has changed."""
    changes = connection.get_execution_options()["changes"]
    assert isinstance(changes, Changes)
    return changes
