"""Writing what answers say of funds beyond NAV: size, holders, portfolio and managers.

Does not belong here: what changes (`nav/reports.py`), reads for people (`queries/reports.py`).
"""

from collections.abc import Mapping, Sequence

import pandas as pd
import sqlalchemy as sa

from fund_assets.nav.reports import REPORT_TABLES, Statement, changes, taken_back
from fund_assets.warehouse.engine.diff_writes import upsert
from fund_assets.warehouse.warehouse import Warehouse


class ReportWrite:
    """Stores what some hundred funds say, each table with one read and one write.

    Attributes:
        taken_back: what the last call found to be no longer there, in words.
        changed: the funds of which it wrote something.
    """

    def __init__(self, told: Mapping[str, Sequence[Statement]], seen_at: int) -> None:
        """Take what is to be written.

        Args:
            told: fund code → what its answer says.
            seen_at: yyyymmddhhmmss.
        """
        self._told = {code: statements for code, statements in told.items() if statements}
        self._seen_at = seen_at
        self.taken_back: list[str] = []
        self.changed: set[str] = set()

    def __call__(self, warehouse: Warehouse, connection: sa.Connection) -> None:
        """Write it in the caller's transaction; equal figures change nothing."""
        self.taken_back, self.changed = [], set()
        if not self._told:
            return
        codes = {f"code{n}": code for n, code in enumerate(self._told)}
        marks = ", ".join(f":{name}" for name in codes)
        said = {one.table for statements in self._told.values() for one in statements}
        for name in sorted(said):
            table = REPORT_TABLES[name]
            stored = connection.execute(
                sa.text(
                    f"SELECT {', '.join(table.names)} FROM {table.name} "
                    f"WHERE superseded_at IS NULL AND fund_code IN ({marks})"
                ),
                codes,
            ).mappings()
            rows = changes(table, map(dict, stored), self._told, self._seen_at)
            if rows:
                upsert(connection, table, table.conform(pd.DataFrame(rows)))
            self.changed |= {row["fund_code"] for row in rows}
            self.taken_back += taken_back(table, rows)
