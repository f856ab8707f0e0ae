"""Writing frames into tables in bulk.

Belongs here: the statements that every step shares. Does not belong here: what to write.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray

from fund_assets.schemas.table import Table


def records(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    """The rows as tuples of Python values, None for what is missing."""
    columns = []
    for name in frame.columns:
        column = frame[name]
        values = column.to_numpy(object)
        if (missing := column.isna().to_numpy()).any():
            values = np.where(missing, None, values)
        columns.append(values.tolist())
    return list(zip(*columns, strict=True))


def insert(
    connection: sa.Connection, table: Table, frame: pd.DataFrame, *, ignore: bool = False
) -> int:
    """Insert rows; with `ignore`, rows whose key is stored already stay as they are.

    Returns:
        How many rows were inserted.
    """
    return _write(connection, table, frame, "ON CONFLICT DO NOTHING" if ignore else "")


def upsert(
    connection: sa.Connection, table: Table, frame: pd.DataFrame, *, keep: Sequence[str] = ()
) -> int:
    """Insert rows, or update the stored row where any value differs.

    Args:
        keep: columns that an update leaves as they are.

    Returns:
        How many rows were inserted or updated; equal ones do not count.
    """
    names = [name for name in table.value_columns if name not in keep]
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in names)
    differs = " OR ".join(f'"{name}" IS NOT excluded."{name}"' for name in names)
    key = ", ".join(f'"{name}"' for name in table.primary_key)
    return _write(
        connection, table, frame, f"ON CONFLICT ({key}) DO UPDATE SET {sets} WHERE {differs}"
    )


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
    if stored.empty:
        # The same limits, checked in columns: a third of the time of checking every cell.
        table.schema.validate(table.conform(frame))
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        try:
            return insert(connection, table, frame)
        finally:
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")
    return upsert(connection, table, frame[differing(table, frame, stored)])


def differing(table: Table, frame: pd.DataFrame, stored: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows of `frame` are not in `stored`, or there with another value."""
    key = list(table.primary_key)
    stored_keys = pd.MultiIndex.from_frame(stored[key])
    at = stored_keys.get_indexer(pd.MultiIndex.from_frame(frame[key]))
    different = at < 0
    known = np.flatnonzero(~different)
    for name in table.value_columns:
        ours = frame[name].take(known).reset_index(drop=True)
        theirs = stored[name].take(at[known]).reset_index(drop=True)
        same = (ours == theirs).fillna(False).to_numpy(bool)
        both_missing = (ours.isna() & theirs.isna()).to_numpy(bool)
        different[known[~(same | both_missing)]] = True
    return different


def _write(connection: sa.Connection, table: Table, frame: pd.DataFrame, conflict: str) -> int:
    if frame.empty:
        return 0
    names = ", ".join(f'"{name}"' for name in table.names)
    marks = ", ".join("?" for _ in table.names)
    before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
    connection.exec_driver_sql(
        f'INSERT INTO "{table.name}" ({names}) VALUES ({marks}) {conflict}',
        records(table.conform(frame)),
    )
    return int(connection.exec_driver_sql("SELECT total_changes()").scalar_one() - before)


def checksum(connection: sa.Connection, table: Table) -> str:
    """sha256 over all rows in the order of the key: equal tables have equal checksums."""
    digest = hashlib.sha256()
    key = ", ".join(f'"{name}"' for name in table.primary_key)
    names = ", ".join(f'"{name}"' for name in table.names)
    rows = connection.exec_driver_sql(f'SELECT {names} FROM "{table.name}" ORDER BY {key}')
    for row in rows:
        digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()
