"""Reading the change feed: versions, the rows that changed since one, and tombstones.

Belongs here: the statements. Does not belong here: what a cursor is (`export/changes.py`), how
changes are logged (`engine/changes.py`).
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from fund_assets.schemas.table import Table
from fund_assets.schemas.tables import ROW_CHANGE
from fund_assets.warehouse.queries.selections import (
    Selection,
    filled,
    streamed,
    with_names,
)
from fund_assets.warehouse.warehouse import FEW_ROWS, Warehouse

#: What was deleted: a fund, or all, between two dates of the table's key.
TOMBSTONE = Table(
    name="tombstones",
    grain="one row per slice of the table in which rows were deleted",
    why="Delete the rows of these slices from the mirror, then put the changed rows in.",
    columns=tuple(ROW_CHANGE[name] for name in ("fund_code", "first_date", "last_date")),
    primary_key=("fund_code", "first_date", "last_date"),
)


class Version(NamedTuple):
    """A version of the warehouse."""

    version: int
    mark: str


def newest_version(warehouse: Warehouse) -> Version | None:
    """The newest version; None before the first change."""
    found = warehouse.records(
        Version, "SELECT version, mark FROM change_version ORDER BY version DESC LIMIT 1"
    )
    return found[0] if found else None


def oldest_version(warehouse: Warehouse) -> int | None:
    """The oldest version that is kept; None before the first change."""
    return warehouse.number("SELECT MIN(version) FROM change_version")


def mark_of(warehouse: Warehouse, version: int) -> str | None:
    """The mark of a version; None when it is not, or no longer, there."""
    return warehouse.text("SELECT mark FROM change_version WHERE version = :v", v=version)


def tombstones(warehouse: Warehouse, table: Table, after: int, until: int) -> pd.DataFrame:
    """What was deleted from a table in the versions after one: the columns of TOMBSTONE."""
    names = ", ".join(TOMBSTONE.names)
    return warehouse.frame(
        f"SELECT DISTINCT {names} {_slices(table, after, until)} AND what = 'deleted' "
        f"ORDER BY {names}",
        TOMBSTONE,
    )


def changed(
    warehouse: Warehouse, selection: Selection, after: int, until: int
) -> Iterator[pa.RecordBatch]:
    """The rows, as they are now, of all slices that changed in the versions after one.

    Each once and in no order, by one statement: it may read a later state than `until`.
    """
    yield from with_names(warehouse, selection, _changed(warehouse, selection, after, until))


def _changed(
    warehouse: Warehouse, selection: Selection, after: int, until: int
) -> Iterator[pa.RecordBatch]:
    table = selection.table
    statement = _statement(warehouse, selection, after, until)
    if statement is None:
        return
    few = warehouse.count(f"SELECT COUNT(*) FROM ({statement('1')} LIMIT {FEW_ROWS}) AS some")
    if few < FEW_ROWS:
        frame = warehouse.frame(statement(""), table)
        yield pa.RecordBatch.from_pandas(frame, preserve_index=False)
    else:
        yield from streamed(warehouse, table, statement(filled(warehouse, table)))


def _statement(
    warehouse: Warehouse, selection: Selection, after: int, until: int
) -> Callable[[str], str] | None:
    """The statement for all changed slices by what is read of them; None without any."""
    table, slices = selection.table, _slices(selection.table, after, until)
    whole = "fund_code = '' AND first_date < last_date"
    if warehouse.count(f"SELECT COUNT(*) {slices} AND {whole}"):
        return selection.statement
    dates = warehouse.column(int, f"SELECT DISTINCT first_date {slices} AND fund_code = ''")
    listed = ", ".join(map(str, sorted(dates)))
    spans = (
        "SELECT fund_code AS slice_code, MIN(first_date) AS slice_first, MAX(last_date) AS "
        f"slice_last {slices} AND fund_code <> '' GROUP BY fund_code"
    )
    some = warehouse.count(f"SELECT COUNT(*) FROM ({spans}) AS spans") > 0
    also = ["fund_code = slice_code"]
    if table.date:
        also.append(f"{table.date} BETWEEN slice_first AND slice_last")
    if dates:
        also.append(f"{table.date} NOT IN ({listed})")
    # SQLite reads what is left of CROSS JOIN first, and then finds each fund by an index.
    source = f"({spans}) AS spans CROSS JOIN {table.name}"

    def statement(what: str) -> str:
        parts = []
        if dates:
            parts.append(selection.statement(what, also=[f"{table.date} IN ({listed})"]))
        if some:
            parts.append(selection.statement(what, also=also, source=source))
        return " UNION ALL ".join(parts)

    return statement if dates or some else None


def _slices(table: Table, after: int, until: int) -> str:
    return (
        f"FROM row_change WHERE version > {after:d} AND version <= {until:d} "
        f"AND table_name = '{table.name}'"
    )
