"""The warehouse in a MySQL or MariaDB database.

Belongs here: transactions with one writer at a time, what is written in them, and the upkeep of
a database. Does not belong here: sessions (`mysql_session.py`), how rows get in
(`mysql_load.py`), any statement about a table of ours.
"""

import hashlib
import shutil
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import quote

import mysql.connector
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.mysql import mysqlconnector

from fund_assets.schemas.table import Table
from fund_assets.warehouse.engine import mysql_session
from fund_assets.warehouse.engine.backend import WORTH_REWRITING, Backend, Conflict, quoted
from fund_assets.warehouse.engine.ddl import METADATA
from fund_assets.warehouse.engine.errors import TransientError, WarehouseError
from fund_assets.warehouse.engine.mysql_load import (
    Lines,
    Loader,
    ahead,
    in_halves,
    same_key,
    update_from,
)
from fund_assets.warehouse.engine.transactions import retried, transaction

#: What the columnar reader knows of TLS; with more the driver, in Python, takes its place.
READER_TLS = frozenset({"ssl_ca", "ssl_verify_cert", "ssl_verify_identity", "ssl_disabled"})
#: A table has a few free megabytes however it was filled.
WORTH_BYTES = 64 << 20


class MySQL(Backend):
    """One database on a MySQL or MariaDB server."""

    def __init__(self, url: sa.URL) -> None:
        if not url.database:
            raise WarehouseError(
                "FUND_WAREHOUSE_URL has no database name: "
                "mysql://user:password@host:3306/fund_assets"
            )
        # The driver takes every text for yes, also "false".
        off = [n for n, v in url.query.items() if str(v).lower() in ("false", "no", "off", "0")]
        url = url.difference_update_query(off)
        super().__init__(url.set(drivername="mysql+mysqlconnector"))
        self._rows = Loader(self.place)

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
        (cipher,) = self._ask("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        tls = mysql_session.reader_tls(self.url, cipher[1])
        return {"url": f"mysql://{user}:{password}@{server}/{database}{tls}"}

    def engine(self, *, read_only: bool) -> sa.Engine:
        return mysql_session.make_engine(self.url, read_only=read_only, files=self._rows.folder)

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
                f"the database {self.place} does not exist and cannot be created: "
                f"{error.orig}. Ask its administrator to run deploy/sql/users.sql, or: CREATE "
                f"DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
            ) from error
        finally:
            server.dispose()

    def exists(self) -> bool:
        engine = mysql_session.make_trial_engine(self.url)
        try:
            with engine.connect():
                return True
        except sa.exc.DBAPIError as error:
            if mysql_session.error_number(error) == mysql_session.UNKNOWN_DATABASE:
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
                f"the warehouse {self.place} is busy: another program has been writing for "
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
        return mysql_session.is_transient(error)

    def lacks_right(self, error: sa.exc.DBAPIError) -> bool:
        return mysql_session.error_number(error) in mysql_session.DENIED

    def write(
        self,
        connection: sa.Connection,
        table: Table,
        frame: pd.DataFrame,
        conflict: Conflict,
        keep: Sequence[str],
    ) -> int:
        if conflict == "fail":
            self._rows.fill(connection, frame, table.name)
            return len(frame)
        with self._rows.staged(connection, table, frame) as incoming:
            changed = 0
            if conflict == "update":
                values = [name for name in table.value_columns if name not in keep]
                changed = update_from(connection, table, incoming, values)
            inserted = connection.exec_driver_sql(
                f'INSERT INTO "{table.name}" ({quoted(table.names)}) '
                f'SELECT {quoted(table.names, "i.")} FROM "{incoming}" AS i '
                f'LEFT JOIN "{table.name}" AS t ON {same_key(table)} '
                f'WHERE t."{table.primary_key[0]}" IS NULL'
            ).rowcount
        return int(changed + inserted)

    def update(self, connection: sa.Connection, table: Table, frame: pd.DataFrame) -> None:
        values = [name for name in frame.columns if name not in table.primary_key]
        with self._rows.staged(connection, table, frame) as incoming:
            update_from(connection, table, incoming, values)

    def load(
        self, engine: sa.Engine, table: Table, batches: Iterator[pa.RecordBatch]
    ) -> Iterator[int]:
        """Each batch as two halves at once: a server reads a file with one thread only."""
        beside = self.engine(read_only=False)
        try:
            for batch, halves in ahead((batch, in_halves(batch)) for batch in batches):
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
        with self.unchecked(connection):
            self._rows.fill_lines(connection, table, half)

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
                mysql_session.fresh_sizes(connection)
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
                f"the warehouse {self.place} could not be optimized: {error.orig}"
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
                mysql_session.fresh_sizes(connection)
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
