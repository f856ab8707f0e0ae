"""The warehouse in a MySQL or MariaDB database.

Belongs here: what these servers need to be safe and fast. Does not belong here: any
statement about a table of ours.

Every session is strict, so that a value which does not fit is an error; text is utf8mb4
and compared byte by byte, as in SQLite. Names are quoted as in standard SQL.
"""

import hashlib
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from weakref import finalize

import mysql.connector
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
import tenacity
from sqlalchemy.dialects.mysql import mysqlconnector

from fund_assets.schemas.table import Table
from fund_assets.warehouse.engine.backend import WORTH_REWRITING, Backend, Conflict, quoted
from fund_assets.warehouse.engine.ddl import METADATA
from fund_assets.warehouse.engine.errors import TransientError, WarehouseError
from fund_assets.warehouse.engine.rows import records, tab_separated
from fund_assets.warehouse.engine.transactions import retried, transaction

#: Of those who write: connecting, and one answer of the server.
CONNECT_S, ANSWER_S = 10, 900
#: Of those who only look.
READER_CONNECT_S, READER_ANSWER_S = 2, 3
SQL_MODE = "ANSI_QUOTES,PIPES_AS_CONCAT,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"
#: From this many rows on, a file that the server reads is faster than statements.
LOAD_FROM = 1_000
ROWS_PER_STATEMENT = 500
#: Of a value in a statement: a number with its comma, and a sign of a text at its longest.
NUMBER_BYTES, SIGN_BYTES = 26, 4
#: What the columnar reader knows of TLS; with more the driver, in Python, takes its place.
READER_TLS = frozenset({"ssl_ca", "ssl_verify_cert", "ssl_verify_identity", "ssl_disabled"})
#: A table has a few free megabytes however it was filled.
WORTH_BYTES = 64 << 20
UNKNOWN_DATABASE = 1049
#: Deadlock, lock wait; lost, gone, refused and reset connections; a server that goes down.
PASSING = {1053, 1205, 1213, 1927, 2002, 2003, 2006, 2013, 2055, 4031}
#: Of a database, of a table, of a column, of a setting.
DENIED = {1044, 1142, 1143, 1227}
#: Too many connections: of the server, of this user, of what this user may have.
FULL = {1040, 1203, 1226}
FULL_WAIT_S = 15

T = TypeVar("T")
#: Rows, and the same as a file that the server reads.
Lines = tuple[pa.RecordBatch, memoryview]


class MySQL(Backend):
    """One database on a MySQL or MariaDB server."""

    def __init__(self, url: sa.URL) -> None:
        if not url.database:
            raise WarehouseError(
                "FUND_WAREHOUSE_URL names no database: "
                "mysql://user:password@host:3306/fund_assets"
            )
        # The driver takes every text for yes, also "false".
        off = [n for n, v in url.query.items() if str(v).lower() in ("false", "no", "off", "0")]
        url = url.difference_update_query(off)
        super().__init__(url.set(drivername="mysql+mysqlconnector"))
        self._packet_bytes = 0

    @property
    def place(self) -> str:
        where = sa.URL.create(
            "mysql", self.url.username, None, self.url.host, self.url.port, self.url.database
        )
        return where.render_as_string()

    @property
    def reader(self) -> dict[str, object]:
        if any(n.startswith(("ssl_", "tls_")) for n in set(self.url.query) - READER_TLS):
            _, options = mysqlconnector.dialect().create_connect_args(self.url)
            return {"connect": {**options, "use_pure": True}}
        user, password = (
            quote(part or "", safe="") for part in (self.url.username, self.url.password)
        )
        server = f"{self.url.host or '127.0.0.1'}:{self.url.port or 3306}"
        database = quote(self.url.database or "")
        return {"url": f"mysql://{user}:{password}@{server}/{database}{self._reader_tls()}"}

    def _reader_tls(self) -> str:
        """What leads the columnar reader to the same TLS as the driver has agreed on.

        Left alone it would ask for none, and a server that wants TLS says "access denied".
        """
        (cipher,) = self._ask("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        if not cipher[1]:
            return ""
        modes = {"ssl_verify_identity": "verify_identity", "ssl_verify_cert": "verify_ca"}
        asked = [mode for option, mode in modes.items() if option in self.url.query]
        options = {"ssl-mode": [*asked, "required"][0]}
        if authority := self.url.query.get("ssl_ca"):
            options["ssl-ca"] = str(authority)
        return "?" + urlencode({**options, "prefer_socket": "false"}, quote_via=quote, safe="/")

    def engine(self, *, read_only: bool) -> sa.Engine:
        connect_s, answer_s = (
            (READER_CONNECT_S, READER_ANSWER_S) if read_only else (CONNECT_S, ANSWER_S)
        )
        engine = sa.create_engine(
            self.url,
            pool_pre_ping=True,
            pool_recycle=1800,
            connect_args={
                "use_pure": True,  # the same driver on every machine
                "charset": "utf8mb4",
                "collation": "utf8mb4_bin",
                "sql_mode": SQL_MODE,
                "connection_timeout": connect_s,
                "read_timeout": answer_s,
                "write_timeout": answer_s,
                "allow_local_infile_in_path": str(self._folder),
            },
        )
        sa.event.listen(engine, "do_connect", _connect)
        sa.event.listen(engine, "connect", _only_reading if read_only else _writing)
        return engine

    @cached_property
    def _folder(self) -> Path:
        """The one folder whose files the server may ask for; it goes with this object."""
        folder = Path(tempfile.mkdtemp(prefix="fund-assets-"))
        finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    def make(self) -> None:
        """Make the database, if the user may; who may not is told what to have done."""
        if self.exists():
            return
        name = self.url.database
        server = sa.create_engine(self.url.set(database=""), poolclass=sa.NullPool)
        try:
            with server.connect() as connection:
                connection.exec_driver_sql(
                    f"CREATE DATABASE IF NOT EXISTS `{name}` "
                    "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
                )
        except sa.exc.DBAPIError as error:
            raise WarehouseError(
                f"the database {self.place} is missing and cannot be made: {error.orig}. Have "
                f"its administrator run deploy/sql/users.sql, or: CREATE DATABASE {name} "
                "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
            ) from error
        finally:
            server.dispose()

    def exists(self) -> bool:
        engine = sa.create_engine(
            self.url,
            poolclass=sa.NullPool,
            connect_args={"connection_timeout": READER_CONNECT_S},
        )
        sa.event.listen(engine, "do_connect", _connect)
        try:
            with engine.connect():
                return True
        except sa.exc.DBAPIError as error:
            if _number(error) == UNKNOWN_DATABASE:
                return False
            kind = TransientError if self.is_transient(error) else WarehouseError
            raise kind(f"the warehouse {self.place} refused: {error.orig}") from error
        finally:
            engine.dispose()

    @cached_property
    def _lock(self) -> str:
        """The name of the writer's place; servers allow 64 characters."""
        digest = hashlib.sha256(str(self.url.database).encode()).hexdigest()
        return f"fund_assets.{digest[:40]}"

    def begin(self, connection: sa.Connection, *, writes: bool, references: bool) -> None:
        if not writes:
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            return
        taken = connection.exec_driver_sql(
            "SELECT GET_LOCK(%s, %s)", (self._lock, self.writer_wait_s)
        ).scalar_one()
        if taken != 1:
            raise WarehouseError(
                f"the warehouse {self.place} refused: another program has been writing for "
                f"{self.writer_wait_s} s; nothing was changed"
            )
        connection.exec_driver_sql(f"SET foreign_key_checks = {references:d}")
        connection.exec_driver_sql("START TRANSACTION")

    def leave(self, connection: sa.Connection) -> None:
        if connection.invalidated:
            return  # The server gives the place back when a connection ends.
        try:
            # The driver's own cursor: a statement of SQLAlchemy's would begin a transaction.
            with closing(connection.connection.cursor()) as cursor:
                cursor.execute("DO RELEASE_LOCK(%s)", (self._lock,))
        except mysql.connector.Error:
            connection.invalidate()

    def is_transient(self, error: sa.exc.DBAPIError) -> bool:
        # Where systemd listens for a server that is not there yet, nobody greets who connects.
        ungreeted = isinstance(error.orig, mysql.connector.errors.ConnectionTimeoutError)
        return error.connection_invalidated or ungreeted or _number(error) in PASSING

    def lacks_right(self, error: sa.exc.DBAPIError) -> bool:
        return _number(error) in DENIED

    def write(
        self,
        connection: sa.Connection,
        table: Table,
        frame: pd.DataFrame,
        conflict: Conflict,
        keep: Sequence[str],
    ) -> int:
        if conflict == "fail":
            self._fill(connection, frame, table.name)
            return len(frame)
        with self._staged(connection, table, frame) as incoming:
            changed = 0
            if conflict == "update":
                values = [name for name in table.value_columns if name not in keep]
                changed = _update_from(connection, table, incoming, values)
            inserted = connection.exec_driver_sql(
                f'INSERT INTO "{table.name}" ({quoted(table.names)}) '
                f'SELECT {quoted(table.names, "i.")} FROM "{incoming}" AS i '
                f'LEFT JOIN "{table.name}" AS t ON {_same_key(table)} '
                f'WHERE t."{table.primary_key[0]}" IS NULL'
            ).rowcount
        return int(changed + inserted)

    def update(self, connection: sa.Connection, table: Table, frame: pd.DataFrame) -> None:
        values = [name for name in frame.columns if name not in table.primary_key]
        with self._staged(connection, table, frame) as incoming:
            _update_from(connection, table, incoming, values)

    @contextmanager
    def _staged(
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
        self._fill(connection, frame, incoming)
        yield incoming
        connection.exec_driver_sql(f'DROP TEMPORARY TABLE "{incoming}"')

    def _fill(self, connection: sa.Connection, frame: pd.DataFrame, into: str) -> None:
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
        with tempfile.NamedTemporaryFile(dir=self._folder) as file:
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
                f"the warehouse {self.place} took {loaded} of {rows} rows: {said}; "
                "nothing was changed"
            )

    def load(
        self, engine: sa.Engine, table: Table, batches: Iterator[pa.RecordBatch]
    ) -> Iterator[int]:
        """Each batch as two halves at once: a server reads a file with one thread only."""
        beside = self.engine(read_only=False)
        try:
            for batch, halves in _ahead((batch, _halves(batch)) for batch in batches):
                self._put(engine, beside, table, halves)
                yield batch.num_rows
        finally:
            beside.dispose()

    @retried
    def _put(
        self, engine: sa.Engine, beside: sa.Engine, table: Table, halves: list[Lines]
    ) -> None:
        """Put two halves into the table at once, the first committed before the second.

        No row is there without those before it: an interrupted copy goes on behind the last.

        Args:
            beside: connections that leave the writer's place alone: `engine` takes it for both.
            halves: the first is taken out when it is committed, and not put there again.
        """
        with transaction(self, engine, writes=True) as connection:
            if len(halves) == 1:
                self._put_lines(connection, table, halves[0])
                return
            with beside.begin() as other, ThreadPoolExecutor(1) as pool:
                first = pool.submit(self._put_lines, other, table, halves[0])
                self._put_lines(connection, table, halves[1])
                first.result()
            del halves[0]

    def _put_lines(self, connection: sa.Connection, table: Table, half: Lines) -> None:
        rows, lines = half
        with self.unchecked(connection):
            if self._loads(connection):
                names = quoted(table.names)
                self._load(connection, lines, rows.num_rows, table.name, names)
            else:
                self._fill(connection, rows.to_pandas(), table.name)

    @contextmanager
    def unchecked(self, connection: sa.Connection) -> Iterator[None]:
        """Foreign keys; CHECK constraints only on MariaDB, as MySQL always evaluates them.

        Not unique keys: without their check MariaDB locks an empty table for the one
        transaction that fills it.
        """
        names = ["foreign_key_checks"]
        if getattr(connection.dialect, "is_mariadb", False):
            names.append("check_constraint_checks")
        connection.exec_driver_sql("SET " + ", ".join(f"{name} = 0" for name in names))
        try:
            yield
        finally:
            if not connection.invalidated:
                connection.exec_driver_sql("SET " + ", ".join(f"{name} = 1" for name in names))

    def damage(self, connection: sa.Connection) -> str:
        tables = METADATA.tables
        found = connection.exec_driver_sql(
            f"CHECK TABLE {', '.join(f'`{name}`' for name in tables)} QUICK"
        ).all()
        return "; ".join(
            f"{row[0]}: {row[3]}" for row in found if row[2].lower() in ("error", "warning")
        )

    def tidy(self) -> dict[str, int]:
        before, rewritten = self.size_bytes(), 0
        engine = self.engine(read_only=False).execution_options(isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                _fresh_sizes(connection)
                names = ", ".join(f"`{name}`" for name in METADATA.tables)
                connection.exec_driver_sql(f"ANALYZE TABLE {names}").all()
                loose = connection.exec_driver_sql(
                    "SELECT table_name FROM information_schema.tables WHERE table_schema = "
                    "DATABASE() AND data_free >= %s * (data_length + index_length + data_free) "
                    "AND data_free > %s",
                    (WORTH_REWRITING, WORTH_BYTES),
                ).scalars()
                for name in set(loose) & set(METADATA.tables):
                    connection.exec_driver_sql(f"OPTIMIZE TABLE `{name}`").all()
                    rewritten += 1
        except sa.exc.DBAPIError as error:
            raise WarehouseError(
                f"the warehouse {self.place} refused to be tidied: {error.orig}"
            ) from error
        finally:
            engine.dispose()
        return {"freed_bytes": before - self.size_bytes(), "rewritten": rewritten}

    def size_bytes(self) -> int:
        (size,) = self._ask(
            "SELECT SUM(data_length + index_length) FROM information_schema.tables "
            "WHERE table_schema = DATABASE()"
        )
        return int(size[0] or 0)

    def _ask(self, sql: str) -> list[Sequence[Any]]:
        """What the server says of itself, on a connection of its own.

        Raises:
            WarehouseError: it does not answer.
        """
        engine = self.engine(read_only=True)
        try:
            with engine.connect() as connection:
                _fresh_sizes(connection)
                return list(map(tuple, connection.exec_driver_sql(sql)))
        except sa.exc.DBAPIError as error:
            raise WarehouseError(f"the warehouse {self.place} refused: {error.orig}") from error
        finally:
            engine.dispose()

    def free_bytes(self) -> int | None:
        """Of the server's data where it is on this machine; else only its people see that.

        None, too, where there is no database or no answer: others tell of that.
        """
        try:
            (found,) = self._ask("SELECT @@hostname, @@datadir")
            if found[0] != socket.gethostname():
                return None
            return shutil.disk_usage(str(found[1])).free
        except (OSError, WarehouseError):
            return None


def _halves(batch: pa.RecordBatch) -> list[Lines]:
    """Two, or one of a single row."""
    middle = batch.num_rows // 2
    halves = (batch.slice(0, middle), batch.slice(middle))
    return [(half, tab_separated(half)) for half in halves if half.num_rows]


def _ahead(things: Iterator[T]) -> Iterator[T]:
    """The same things; the next one is made while the caller works on this one."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, things, None)
        while (thing := coming.result()) is not None:
            coming = pool.submit(next, things, None)
            yield thing


def _same_key(table: Table) -> str:
    return " AND ".join(f't."{name}" = i."{name}"' for name in table.primary_key)


def _update_from(
    connection: sa.Connection, table: Table, incoming: str, values: Sequence[str]
) -> int:
    """Set columns to what the incoming rows say; returns how many rows that changed.

    From the incoming rows to the stored ones, never the other way round.
    """
    sets = ", ".join(f't."{name}" = i."{name}"' for name in values)
    same = " AND ".join(f't."{name}" <=> i."{name}"' for name in values)
    return connection.exec_driver_sql(
        f'UPDATE "{incoming}" AS i STRAIGHT_JOIN "{table.name}" AS t ON {_same_key(table)} '
        f"SET {sets} WHERE NOT ({same})"
    ).rowcount


def _writing(connection: Any, _record: object) -> None:
    _transactions(connection, "READ WRITE")


def _only_reading(connection: Any, _record: object) -> None:
    _transactions(connection, "READ ONLY")


def _transactions(connection: Any, access: str) -> None:
    """What a transaction sees and may do; a server's own setting could be any other."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, {access}")


def _fresh_sizes(connection: sa.Connection) -> None:
    """MySQL tells sizes that are up to a day old, unless it is asked not to."""
    if not getattr(connection.dialect, "is_mariadb", False):
        connection.exec_driver_sql("SET SESSION information_schema_stats_expiry = 0")


def _is_full(error: BaseException) -> bool:
    return isinstance(error, mysql.connector.Error) and error.errno in FULL


def _connect(dialect: Any, _: Any, arguments: Any, options: Any) -> Any:
    """A connection; where all are taken, others' end is waited for."""
    waiting = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_full),
        stop=tenacity.stop_after_delay(FULL_WAIT_S),
        wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=2),
        reraise=True,
    )
    return waiting(dialect.connect, *arguments, **options)


def _number(error: sa.exc.DBAPIError) -> int:
    return int(getattr(error.orig, "errno", 0) or 0)
