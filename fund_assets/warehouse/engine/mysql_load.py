"""How rows get into a table of a MySQL or MariaDB server.

Belongs here: statements of many rows, files that the server reads, and tables that hold rows
until they are compared with stored ones. Does not belong here: sessions (`mysql_session.py`),
transactions (`mysql.py`), what a row means.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from weakref import finalize

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from fund_assets.schemas.table import Table
from fund_assets.warehouse.engine.backend import quoted
from fund_assets.warehouse.engine.errors import WarehouseError
from fund_assets.warehouse.engine.rows import records, tab_separated

#: From this many rows on, a file that the server reads is faster than statements.
LOAD_FROM = 1_000
ROWS_PER_STATEMENT = 500
#: Of a value in a statement: a number with its comma, and a sign of a text at its longest.
NUMBER_BYTES, SIGN_BYTES = 26, 4

T = TypeVar("T")
#: Rows, and the same as a file that the server reads.
Lines = tuple[pa.RecordBatch, memoryview]


class Loader:
    """Puts rows into the tables of one database.

    Attributes:
        place: the database, for messages.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self._packet_bytes = 0

    @cached_property
    def folder(self) -> Path:
        """The one folder whose files the server may ask for; it goes with this object."""
        folder = Path(tempfile.mkdtemp(prefix="fund-assets-"))
        finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    @contextmanager
    def staged(
        self, connection: sa.Connection, table: Table, frame: pd.DataFrame
    ) -> Iterator[str]:
        """A temporary table with the rows of a frame that has columns of `table`.

        It has the key of the table: servers may refuse tables without one
        (sql_require_primary_key).
        """
        incoming = f"incoming_{table.name}"
        connection.exec_driver_sql(f'DROP TEMPORARY TABLE IF EXISTS "{incoming}"')
        connection.exec_driver_sql(
            f'CREATE TEMPORARY TABLE "{incoming}" '
            f"(PRIMARY KEY ({quoted(table.primary_key)})) AS "
            f'SELECT {quoted(list(frame.columns))} FROM "{table.name}" LIMIT 0'
        )
        self.fill(connection, frame, incoming)
        yield incoming
        connection.exec_driver_sql(f'DROP TEMPORARY TABLE "{incoming}"')

    def fill(self, connection: sa.Connection, frame: pd.DataFrame, into: str) -> None:
        """Put all rows into a table, or raise; rows with a stored key are an error."""
        names = quoted(list(frame.columns))
        if len(frame) >= LOAD_FROM and self._loads(connection):
            (rows,) = (
                pa.Table.from_pandas(frame, preserve_index=False).combine_chunks().to_batches()
            )
            self._load(connection, tab_separated(rows), len(frame), into, names)
            return
        marks = f"({', '.join('%s' for _ in frame.columns)})"
        for part in self._parts(connection, frame):
            connection.exec_driver_sql(
                f'INSERT INTO "{into}" ({names}) VALUES {", ".join([marks] * len(part))}',
                tuple(value for row in part for value in row),
            )

    def fill_lines(self, connection: sa.Connection, table: Table, lines: Lines) -> None:
        """As `fill`, of rows that stand in a file's form already."""
        rows, text = lines
        if self._loads(connection):
            self._load(connection, text, rows.num_rows, table.name, quoted(table.names))
        else:
            self.fill(connection, rows.to_pandas(), table.name)

    def _parts(self, connection: sa.Connection, frame: pd.DataFrame) -> Iterator[list[Any]]:
        """Rows as many as one statement may have, by number and by the server's packet."""
        room = self._packet(connection) // 2
        for rows in records(frame, ROWS_PER_STATEMENT):
            part: list[Any] = []
            taken = 0
            for row in rows:
                size = sum(
                    NUMBER_BYTES + SIGN_BYTES * len(value if isinstance(value, str) else "")
                    for value in row
                )
                if part and taken + size > room:
                    yield part
                    part, taken = [], 0
                part.append(row)
                taken += size
            yield part

    def _packet(self, connection: sa.Connection) -> int:
        """The longest statement that the server takes."""
        if not self._packet_bytes:
            found = connection.exec_driver_sql("SELECT @@max_allowed_packet").scalar_one()
            self._packet_bytes = int(found)
        return self._packet_bytes

    def _loads(self, connection: sa.Connection) -> bool:
        """Whether the server takes files from its clients (local_infile)."""
        return bool(connection.exec_driver_sql("SELECT @@local_infile").scalar_one())

    def _load(
        self, connection: sa.Connection, lines: memoryview, rows: int, into: str, names: str
    ) -> None:
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            file.write(lines)
            file.flush()
            loaded = connection.exec_driver_sql(
                f"LOAD DATA LOCAL INFILE '{file.name}' "
                f'INTO TABLE "{into}" CHARACTER SET utf8mb4 '
                "FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' "
                f"LINES TERMINATED BY '\\n' ({names})"
            ).rowcount
        # From a client's file the server skips what it refuses and only warns of it.
        warnings = connection.exec_driver_sql("SHOW WARNINGS LIMIT 3").all()
        if warnings or loaded != rows:
            said = "; ".join(str(warning[2]) for warning in warnings)
            raise WarehouseError(
                f"the warehouse {self.place} accepted {loaded} of {rows} rows: {said}; "
                "nothing was changed"
            )


def update_from(
    connection: sa.Connection, table: Table, incoming: str, values: Sequence[str]
) -> int:
    """Set columns to what the incoming rows say; returns how many rows that changed.

    From the incoming rows to the stored ones, never the other way round.
    """
    sets = ", ".join(f't."{name}" = i."{name}"' for name in values)
    same = " AND ".join(f't."{name}" <=> i."{name}"' for name in values)
    return connection.exec_driver_sql(
        f'UPDATE "{incoming}" AS i STRAIGHT_JOIN "{table.name}" AS t ON {same_key(table)} '
        f"SET {sets} WHERE NOT ({same})"
    ).rowcount


def same_key(table: Table) -> str:
    """The condition that `t` and `i` are one row."""
    return " AND ".join(f't."{name}" = i."{name}"' for name in table.primary_key)


def in_halves(batch: pa.RecordBatch) -> list[Lines]:
    """The rows of a batch in two parts, or in one when there is a single row."""
    middle = batch.num_rows // 2
    both = (batch.slice(0, middle), batch.slice(middle))
    return [(half, tab_separated(half)) for half in both if half.num_rows]


def ahead(things: Iterator[T]) -> Iterator[T]:
    """The same things; the next one is made while the caller works on this one."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, things, None)
        while (thing := coming.result()) is not None:
            coming = pool.submit(next, things, None)
            yield thing
