"""Following a dataset: what changed since a cursor, so that a copy of it stays the same.

Belongs here: cursors, and applying changes to a frame. Does not belong here: the statements
(`warehouse/queries/changes.py`), files (`stream.py`).

A cursor names a version of the warehouse and its mark. Who has applied the changes up to a
cursor has what the warehouse had at that version, or later; what is later comes again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pandas as pd
import pyarrow as pa

from fund_assets.export.datasets import ExportError, selected
from fund_assets.schemas.table import Table
from fund_assets.schemas.tables import FOLLOWED
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import changes as queries
from fund_assets.warehouse.queries.selections import Selection

Frame = TypeVar("Frame")
#: The cursor before the first change.
START = "0"


@dataclass(frozen=True)
class Step:
    """What leads from one cursor to the next: apply the tombstones first, then the rows.

    Attributes:
        cursor: the next one.
        tombstones: slices whose rows go: the columns of `queries.TOMBSTONE`.
    """

    warehouse: Warehouse
    selection: Selection
    since: str | None
    cursor: str
    tombstones: pd.DataFrame

    def rows(self) -> Iterator[pa.RecordBatch]:
        """Rows to be put in the place of those of their keys, as they are now.

        Raises:
            ExportError: the cursor was dropped in the meantime.
        """
        if self.since is None:
            yield from selected(self.warehouse, self.selection)
            return
        bounds = (_number(cursor) for cursor in (self.since, self.cursor))
        yield from queries.changed(self.warehouse, self.selection, *bounds)
        check(self.warehouse, self.since)


@dataclass(frozen=True)
class Changes(Generic[Frame]):
    """What leads a mirror of a dataset from one cursor to the next.

    Attributes:
        rows: rows as they are now, those that changed among them: put them in the place of the
            mirror's rows with their keys.
        tombstones: `fund_code` (empty: all funds), `first_date` and `last_date` of the slices
            in which rows were deleted: delete these from the mirror before.
        cursor: pass it to the next call, when both are applied.
    """

    rows: Frame
    tombstones: Frame
    cursor: str
    table: Table

    def onto(self: "Changes[pd.DataFrame]", mirror: pd.DataFrame) -> pd.DataFrame:
        """A mirror with these changes applied, in the order of the key.

        Args:
            mirror: `rows` of the first call, what the last call of this returned, or a file
                of `fund-assets export`.
        """
        mirror = mirror.astype(self.rows.dtypes)
        key = list(self.table.primary_key)
        changed = pd.MultiIndex.from_frame(self.rows[key])
        gone = pd.MultiIndex.from_frame(mirror[key]).isin(changed)
        for first, last in self._deleted(mirror):
            if date := self.table.date:
                gone |= ((mirror[date] >= first) & (mirror[date] <= last)).to_numpy(bool)
            else:
                gone |= pd.Series(first, mirror.index).notna().to_numpy(bool)
        kept = mirror[~gone]
        parts = [part for part in (kept, self.rows) if len(part)]
        found = pd.concat(parts) if parts else kept
        return found.sort_values(key, ignore_index=True)

    def _deleted(self: "Changes[pd.DataFrame]", mirror: pd.DataFrame) -> Iterator[Any]:
        """First and last dates that go, of all rows or of each row by its fund."""
        of_all = self.tombstones["fund_code"] == ""
        dates = ["first_date", "last_date"]
        yield from self.tombstones.loc[of_all, dates].itertuples(index=False)
        if not of_all.all():
            # All between the slices of a fund is among the rows.
            spans = self.tombstones[~of_all].groupby("fund_code")[dates]
            bounds = spans.agg({"first_date": "min", "last_date": "max"})
            yield tuple(mirror["fund_code"].map(bounds[name]) for name in dates)


def newest_cursor(warehouse: Warehouse) -> str:
    """The cursor of what the warehouse has now."""
    newest = queries.newest_version(warehouse)
    return f"{newest.version}-{newest.mark}" if newest else START


def step(warehouse: Warehouse, selection: Selection, since: str | None) -> Step:
    """What changed of a selection since a cursor; None: all of it.

    Raises:
        ExportError: its table is not in the feed; or the cursor is none of this warehouse, or
            too old, and its holder has to begin again.
    """
    table = selection.table
    followed = table.name in FOLLOWED
    if since is not None and not followed:
        raise ExportError(f"{table.name} has no change feed: export all of it")
    # Before any row is read: what is later comes again.
    cursor = newest_cursor(warehouse) if followed else ""
    gone = queries.TOMBSTONE.empty()
    if since is not None:
        check(warehouse, since)
        gone = queries.tombstones(warehouse, table, _number(since), _number(cursor))
    return Step(warehouse, selection, since, cursor, gone)


def check(warehouse: Warehouse, cursor: str) -> None:
    """Raise ExportError unless all changes since a cursor are known."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,17}-[0-9a-f]{8}", cursor):
        raise ExportError(
            f"{cursor!r} is not a cursor: pass the one that the last export printed"
        )
    version, oldest = _number(cursor), queries.oldest_version(warehouse)
    if version < (oldest or 0) and not (version == 0 and oldest == 1):
        raise ExportError(
            f"the cursor {cursor} is too old: changes are kept from version {oldest} on. "
            "Begin again with the whole dataset"
        )
    if version and queries.mark_of(warehouse, version) != cursor.partition("-")[2]:
        raise ExportError(
            f"the cursor {cursor} is not from this warehouse {warehouse.place}, or the "
            f"warehouse was restored from an older copy. Begin again with the whole dataset"
        )


def _number(cursor: str) -> int:
    return int(cursor.partition("-")[0])
