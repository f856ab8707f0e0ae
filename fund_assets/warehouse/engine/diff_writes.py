"""Writing frames into tables in bulk.

Belongs here: the ways of writing that every step shares. Does not belong here: what to
write, or how an engine does it (`sqlite.py`, `mysql.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fund_assets.schemas.table import Table
from fund_assets.warehouse.engine.backend import Backend, Conflict, quoted
from fund_assets.warehouse.engine.changes import changes_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def insert(
    connection: sa.Connection, table: Table, frame: pd.DataFrame, *, ignore: bool = False
) -> int:
    """Insert rows; with `ignore`, rows whose key is stored already stay as they are.

    Returns:
        How many rows were inserted.
    """
    return _write(connection, table, frame, "keep" if ignore else "fail")


def upsert(
    connection: sa.Connection, table: Table, frame: pd.DataFrame, *, keep: Sequence[str] = ()
) -> int:
    """Insert rows, or update the stored row where any value differs.

    Args:
        keep: columns that an update leaves as they are.

    Returns:
        How many rows were inserted or updated; equal ones do not count.
    """
    return _write(connection, table, frame, "update", keep)


def update(connection: sa.Connection, table: Table, frame: pd.DataFrame) -> None:
    """Set columns of stored rows.

    Args:
        frame: the key of the table and the columns to be set; rows that are not stored are
            left out.
    """
    if not frame.empty:
        backend_of(connection).update(connection, table, frame)
        changes_of(connection).note(table, "written", frame)


def delete(connection: sa.Connection, table: Table, frame: pd.DataFrame) -> int:
    """Delete rows.

    Args:
        frame: what they have, without a missing value: the key of each, or a part of it for
            all rows that have that part. Other columns are a further condition.

    Returns:
        How many rows were deleted.
    """
    if frame.empty:
        return 0
    same = " AND ".join(f'"{name}" = :{name}' for name in frame.columns)
    deleted = connection.execute(
        sa.text(f'DELETE FROM "{table.name}" WHERE {same}'), frame.to_dict("records")
    ).rowcount
    if deleted:
        changes_of(connection).note(table, "deleted", frame)
    return int(deleted)


def renew(
    connection: sa.Connection, table: Table, frame: pd.DataFrame, stored: pd.DataFrame
) -> int:
    """As `upsert`, for a great many rows of which the caller has read what is stored.

    Comparing columns in memory and writing only what differs is several times faster than
    letting the database compare row by row.

    Args:
        stored: all rows of the table that have any of the keys in `frame`.

    Raises:
        pandera.errors.SchemaError: a value that the table's declaration refuses.
    """
    import numpy as np
    import pandas as pd

    new = np.ones(len(frame), dtype=bool)
    if len(stored):
        key = list(table.primary_key)
        known = pd.MultiIndex.from_frame(stored[key])
        new = ~pd.MultiIndex.from_frame(frame[key]).isin(known)
    count = 0
    if new.any():
        fresh = table.conform(frame[new])
        # The same limits, checked in columns: a third of the time of checking every cell.
        table.schema.validate(fresh)
        with backend_of(connection).unchecked(connection):
            count = insert(connection, table, fresh)
    again = frame[~new]
    if again.empty:
        return count
    return count + upsert(connection, table, again[differing(table, again, stored)])


def differing(table: Table, frame: pd.DataFrame, stored: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows of `frame` are not in `stored`, or there with another value."""
    import numpy as np
    import pandas as pd

    key = list(table.primary_key)
    stored_keys = pd.MultiIndex.from_frame(stored[key])
    at = stored_keys.get_indexer(pd.MultiIndex.from_frame(frame[key]))
    different = np.asarray(at < 0)
    known = np.flatnonzero(~different)
    for name in table.value_columns:
        ours = frame[name].take(known).reset_index(drop=True)
        theirs = stored[name].take(at[known]).reset_index(drop=True)
        same = (ours == theirs).fillna(False).to_numpy(bool)
        both_missing = (ours.isna() & theirs.isna()).to_numpy(bool)
        different[known[~(same | both_missing)]] = True
    return different


def backend_of(connection: sa.Connection) -> Backend:
    """The backend whose `Warehouse` opened a connection."""
    backend = connection.get_execution_options()["backend"]
    assert isinstance(backend, Backend)
    return backend


def _write(
    connection: sa.Connection,
    table: Table,
    frame: pd.DataFrame,
    conflict: Conflict,
    keep: Sequence[str] = (),
) -> int:
    if frame.empty:
        return 0
    backend = backend_of(connection)
    count = backend.write(connection, table, table.conform(frame), conflict, keep)
    if count:
        changes_of(connection).note(table, "written", frame)
    return count


def checksum(connection: sa.Connection, table: Table) -> str:
    """sha256 over all rows in the order of the key: equal tables have equal checksums."""
    digest = hashlib.sha256()
    rows = connection.exec_driver_sql(
        f'SELECT {quoted(table.names)} FROM "{table.name}" ORDER BY {quoted(table.primary_key)}'
    )
    for row in rows:
        digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()
