"""The warehouse in a SQLite file.

Belongs here: what SQLite needs to be safe. Does not belong here: any statement about a
table of ours.
"""

from __future__ import annotations

import math
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import sqlalchemy as sa

from fund_assets.schemas.table import Column, Kind, Table
from fund_assets.warehouse.engine.backend import WORTH_REWRITING, Backend, Conflict, quoted
from fund_assets.warehouse.engine.errors import WarehouseError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Of those who only look: they would rather say that they cannot.
READER_TIMEOUT_S = 2
#: So long tidying waits for readers; the next week tidies again.
TIDY_WAIT_MS = 2_000
#: So many rows of a table stay in the cache of the processor while they are written.
ROWS_AT_ONCE = 250
#: From so many on, columns with one value are worth looking for.
MANY_ROWS = 1_000

#: What stands for NULL where the lazy reader must see a type: no number is infinite in our
#: tables, and no text is a zero character. Whole numbers need none.
FILLS = {Kind.REAL: ("9e999", math.inf), Kind.TEXT: ("char(0)", "\0")}
#: A commit is on the disk before it is answered.
SYNCHRONOUS = "FULL"


class SQLite(Backend):
    """One SQLite file in write-ahead mode."""

    def __init__(self, url: sa.URL) -> None:
        if not url.database:
            raise WarehouseError(
                "FUND_WAREHOUSE_URL=sqlite:// has no file name: "
                "sqlite:////absolute/path/warehouse.db, or leave it empty"
            )
        super().__init__(url)
        self.path = Path(url.database).resolve()

    @property
    def place(self) -> str:
        return str(self.path)

    @property
    def reader(self) -> dict[str, object]:
        return {"url": f"sqlite://{quote(str(self.path))}"}

    @property
    def lazy_reader(self) -> dict[str, object]:
        return {"file": f"{self.path.as_uri()}?mode=ro"}

    def filled(self, column: Column) -> str:
        name = super().filled(column)
        fill = FILLS.get(column.kind) if column.nullable else None
        return f"COALESCE({name}, {fill[0]}) AS {name}" if fill else name

    def emptied(self, values: pa.Array, column: Column) -> pa.Array:
        fill = FILLS.get(column.kind) if column.nullable else None
        if not fill:
            return values
        import pyarrow as pa
        import pyarrow.compute as pc

        return pc.if_else(pc.equal(values, fill[1]), pa.scalar(None, values.type), values)

    def engine(self, *, read_only: bool) -> sa.Engine:
        return sa.create_engine(
            self.url, creator=self._connect_reading if read_only else self._connect
        )

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=self.writer_wait_s,
            check_same_thread=False,
            isolation_level=None,  # BEGIN is ours: see begin()
        )
        return _prepared(connection, *self._settings, "foreign_keys = ON")

    @property
    def _settings(self) -> tuple[str, ...]:
        """PRAGMAs of everyone who writes."""
        return (
            f"busy_timeout = {self.writer_wait_s * 1000}",
            "journal_mode = WAL",
            f"synchronous = {SYNCHRONOUS}",
            "cache_size = -65536",
        )

    def _connect_reading(self) -> sqlite3.Connection:
        """A connection that cannot write, whatever it is asked."""
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode=ro",
            uri=True,
            timeout=READER_TIMEOUT_S,
            check_same_thread=False,
            isolation_level=None,
        )
        return _prepared(connection, "query_only = ON", "temp_store = MEMORY")

    def make(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WarehouseError(
                f"the folder {self.path.parent} of the warehouse cannot be created: {error}"
            ) from error

    def exists(self) -> bool:
        return self.path.exists()

    def begin(self, connection: sa.Connection, *, writes: bool, references: bool) -> None:
        if not references:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql(f"BEGIN {'IMMEDIATE' if writes else 'DEFERRED'}")

    def leave(self, connection: sa.Connection) -> None:
        # BEGIN IMMEDIATE took the writer's place, and the end gave it back.
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute("PRAGMA foreign_keys = ON")

    def is_transient(self, error: sa.exc.DBAPIError) -> bool:
        return False  # A writer has waited for its turn already.

    def hint(self) -> str:
        for place in (self.path.parent, self.path):
            if place.exists() and not os.access(place, os.W_OK):
                return f" ({place} is read-only for this user: make it writable)"
        return ""

    def write(
        self,
        connection: sa.Connection,
        table: Table,
        frame: pd.DataFrame,
        conflict: Conflict,
        keep: Sequence[str],
    ) -> int:
        then = ""
        if conflict == "keep":
            then = "ON CONFLICT DO NOTHING"
        if conflict == "update":
            names = [name for name in table.value_columns if name not in keep]
            sets = ", ".join(f'"{name}" = excluded."{name}"' for name in names)
            differs = " OR ".join(f'"{name}" IS NOT excluded."{name}"' for name in names)
            key = quoted(table.primary_key)
            then = f"ON CONFLICT ({key}) DO UPDATE SET {sets} WHERE {differs}"
        fixed = _fixed(connection, frame)
        marks = ", ".join(fixed.get(name, "?") for name in table.names)
        before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
        _for_each(
            connection,
            f'INSERT INTO "{table.name}" ({quoted(table.names)}) VALUES ({marks}) {then}',
            frame.drop(columns=list(fixed)),
        )
        return int(connection.exec_driver_sql("SELECT total_changes()").scalar_one() - before)

    def update(self, connection: sa.Connection, table: Table, frame: pd.DataFrame) -> None:
        key = list(table.primary_key)
        names = [name for name in frame.columns if name not in key]
        sets = ", ".join(f'"{name}" = ?' for name in names)
        where = " AND ".join(f'"{name}" = ?' for name in key)
        _for_each(
            connection,
            f'UPDATE "{table.name}" SET {sets} WHERE {where}',
            frame[[*names, *key]],
        )

    def load(
        self, engine: sa.Engine, table: Table, batches: Iterator[pa.RecordBatch]
    ) -> Iterator[int]:
        """By ADBC, in about a third of the time that Python's own driver takes."""
        import pyarrow as pa

        if (first := next(batches, None)) is None:
            return
        program = Path(__file__).with_name("load_worker.py")
        settings = (*self._settings, "foreign_keys = OFF", "ignore_check_constraints = ON")
        with subprocess.Popen(  # noqa: S603 our own program
            [sys.executable, "-P", str(program), str(self.path), table.name, *settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdin and process.stdout and process.stderr
            try:
                with pa.ipc.new_stream(process.stdin, first.schema) as sink:
                    for batch in chain([first], batches):
                        sink.write_batch(batch)
                        process.stdin.flush()
                        yield int(process.stdout.readline())
                process.stdin.close()
                process.wait()
            except (ValueError, OSError) as broken_off:
                said = process.stderr.read().decode(errors="replace").strip()
                raise WarehouseError(
                    f"the warehouse {self.place} refused: {said or broken_off}{self.hint()}; "
                    "the batch was not loaded"
                ) from broken_off
            finally:
                process.kill()

    @contextmanager
    def unchecked(self, connection: sa.Connection) -> Iterator[None]:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        try:
            yield
        finally:
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")

    def damage(self, connection: sa.Connection) -> str:
        found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
        return "" if found == "ok" else found

    def tidy(self) -> dict[str, int]:
        before = self.size_bytes()
        try:
            with closing(self._connect()) as connection:
                connection.execute("PRAGMA analysis_limit = 1000")
                connection.execute("PRAGMA optimize")
                # While it waits for readers nobody can write: a long one is left alone.
                connection.execute(f"PRAGMA busy_timeout = {TIDY_WAIT_MS}")
                busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                pages, free = (
                    connection.execute(f"PRAGMA {name}").fetchone()[0]
                    for name in ("page_count", "freelist_count")
                )
                room = self.free_bytes() or 0
                rewrite = (
                    not busy
                    and free >= WORTH_REWRITING * pages
                    and room > 2 * self.size_bytes()
                )
                if rewrite:
                    connection.execute("VACUUM")
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise WarehouseError(
                f"the warehouse {self.place} could not be optimized: {error}; nothing was "
                "changed"
            ) from error
        return {"freed_bytes": before - self.size_bytes(), "rewritten": int(rewrite)}

    def size_bytes(self) -> int:
        return sum(
            file.stat().st_size
            for file in (self.path, self.path.with_name(f"{self.path.name}-wal"))
            if file.exists()
        )

    def free_bytes(self) -> int | None:
        folder = next(part for part in (self.path.parent, *self.path.parents) if part.exists())
        return shutil.disk_usage(folder).free


def _fixed(connection: sa.Connection, frame: pd.DataFrame) -> dict[str, str]:
    """Columns whose value is the same in many rows, as literals.

    To hand over a row's values costs as much as to store them: what is in the statement
    already need not be handed over.
    """
    if len(frame) < MANY_ROWS:
        return {}
    from fund_assets.warehouse.engine.rows import records

    (first,) = next(records(frame.head(1), 1))
    found = {}
    for name, value in zip(frame.columns, first, strict=True):
        column = frame[name]
        # A whole number that is absent is equal to nothing, and `all` would leave it out.
        same = column.isna() if value is None else (column == value).fillna(False)
        if same.all() and (value is None or _plain(value)):
            literal = connection.exec_driver_sql("SELECT quote(?)", (value,)).scalar_one()
            found[name] = str(literal)
    return found


def _plain(value: object) -> bool:
    """Whether a literal is the value to the last bit; a text ends at a zero character."""
    return isinstance(value, int) or (isinstance(value, str) and "\0" not in value)


def _for_each(connection: sa.Connection, statement: str, frame: pd.DataFrame) -> None:
    """Run a statement with every row of a frame."""
    from fund_assets.warehouse.engine.rows import records

    for rows in records(frame, ROWS_AT_ONCE, nan=True):  # SQLite stores NaN as NULL
        connection.exec_driver_sql(statement, rows)


def _prepared(connection: sqlite3.Connection, *pragmas: str) -> sqlite3.Connection:
    """The connection with its settings, or closed when the file refuses them."""
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
