"""How the warehouse is opened: the engine, its safety settings, and transactions.

Belongs here: what one database engine needs to be safe. Does not belong here: any
statement about a table.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

BUSY_TIMEOUT_S = 60
#: Of those who only look: they would rather say that they cannot.
READER_TIMEOUT_S = 2


class WarehouseError(RuntimeError):
    """The warehouse cannot be used as asked; the message says what to do."""


def make_engine(url: str, *, read_only: bool = False) -> sa.Engine:
    """An engine for `url` with foreign keys, WAL and a busy timeout.

    Args:
        read_only: opened so that SQLite itself refuses every write; nothing is made.

    Raises:
        WarehouseError: the URL is unreadable or names an engine that is not supported.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise WarehouseError(
            "FUND_WAREHOUSE_URL is no SQLAlchemy URL; an example: sqlite:////data/warehouse.db"
        ) from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise WarehouseError(
            f"FUND_WAREHOUSE_URL={parsed.render_as_string()}: this version stores the fund "
            "tables in a SQLite file: sqlite:////absolute/path/warehouse.db, or leave it empty"
        )
    if read_only:
        return _reading(parsed, Path(parsed.database).resolve())
    folder = Path(parsed.database).resolve().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(
            f"the folder {folder} of the warehouse cannot be made: {error}"
        ) from error
    engine = sa.create_engine(
        parsed, connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours: see transaction()
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "cache_size = -65536",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    sa.event.listen(engine, "begin", _begin)
    return engine


def _reading(url: sa.URL, file: Path) -> sa.Engine:
    """An engine that cannot write, whatever it is asked."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{file.as_uri()}?mode=ro",
            uri=True,
            timeout=READER_TIMEOUT_S,
            check_same_thread=False,
            isolation_level=None,
        )
        for pragma in ("query_only = ON", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = sa.create_engine(url, creator=connect)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: sa.Connection) -> None:
    kind = "IMMEDIATE" if connection.get_execution_options().get("writes") else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {kind}")


@contextmanager
def transaction(engine: sa.Engine, *, writes: bool) -> Iterator[sa.Connection]:
    """One transaction: a consistent reading, or the only writer until it ends.

    Raises:
        WarehouseError: the database is locked, read-only, full or damaged; nothing changed.
    """
    try:
        with (
            engine.connect().execution_options(writes=writes) as connection,
            connection.begin(),
        ):
            yield connection
    except (sa.exc.OperationalError, sa.exc.DatabaseError) as error:
        if isinstance(error, sa.exc.IntegrityError):
            raise
        raise WarehouseError(
            f"the warehouse {engine.url.database} refused: {error.orig}; nothing was changed"
        ) from error
