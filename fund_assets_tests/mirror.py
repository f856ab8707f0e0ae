"""A mirror of a warehouse that only follows its change feed, and whether it is the same.

Belongs here: following, and comparing by checksum. Does not belong here: what happens to the
warehouse meanwhile.
"""

import hashlib
from collections.abc import Iterable

import pandas as pd
import pyarrow as pa

from fund_assets.export.changes import START, Changes, step
from fund_assets.export.research import _frame
from fund_assets.schemas.tables import FOLLOWED, TABLES
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries.changes import TOMBSTONE
from fund_assets.warehouse.queries.selections import Selection


class Mirror:
    """The tables of the feed as frames, each with its cursor.

    Attributes:
        rows_read: rows that following has read, without the beginning.
    """

    def __init__(self, warehouse: Warehouse, tables: Iterable[str] = FOLLOWED) -> None:
        self.cursors: dict[str, str] = dict.fromkeys(sorted(tables), START)
        self.frames: dict[str, pd.DataFrame] = {}
        self.rows_read = 0
        self.follow(warehouse)
        self.rows_read = 0

    def follow(self, warehouse: Warehouse) -> None:
        """Apply what changed since the last call."""
        for name, since in self.cursors.items():
            changes = changes_of(warehouse, name, since)
            self.rows_read += len(changes.rows)
            known = self.frames.get(name, changes.rows.head(0))
            self.frames[name] = changes.onto(known)
            self.cursors[name] = changes.cursor

    def differing(self, warehouse: Warehouse) -> list[str]:
        """The tables that are not as in the warehouse."""
        return [
            name
            for name, frame in self.frames.items()
            if digest(frame) != digest(stored(warehouse, name))
        ]


def changes_of(warehouse: Warehouse, name: str, since: str | None) -> Changes[pd.DataFrame]:
    """What changed in a table since a cursor; None: all of it."""
    found = step(warehouse, Selection(TABLES[name]), since)
    batch = pa.RecordBatch.from_pandas(found.tombstones, preserve_index=False)
    rows = _frame(found.rows(), TABLES[name])
    return Changes(rows, _frame([batch], TOMBSTONE), found.cursor, TABLES[name])


def stored(warehouse: Warehouse, name: str) -> pd.DataFrame:
    """All of a table in the order of its key, as it is exported."""
    table = TABLES[name]
    key = ", ".join(f"`{column}`" for column in table.primary_key)
    rows = warehouse.columns(f"SELECT * FROM {name} ORDER BY {key}", table)
    return _frame([pa.RecordBatch.from_pandas(rows, preserve_index=False)], table)


def digest(frame: pd.DataFrame) -> str:
    """A checksum of all values in their order."""
    return hashlib.sha256(frame.to_csv(index=False, float_format="%.17g").encode()).hexdigest()
