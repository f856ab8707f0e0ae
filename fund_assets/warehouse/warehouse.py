"""The warehouse: one database with the tables of `schemas/tables.py`, of one source.

Belongs here: opening, making and identifying it, transactions, and reading a query into
columns. Does not belong here: what a step of the pipeline reads and writes (the other
modules of this package, each taking a Warehouse).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from fund_assets.schemas.table import Table
from fund_assets.warehouse.engine.errors import (
    NoWarehouseError,
    TransientError,
    WarehouseError,
)
from fund_assets.warehouse.engine.revision import revision
from fund_assets.warehouse.engine.transactions import make_engine, retried, transaction
from fund_assets.warehouse.engine.typed_rows import plain, typed, typed_rows
from fund_assets.warehouse.engine.url import backend_for
from fund_assets.warehouse.migrations import HEAD
from fund_assets.warehouse.migrations.upgrade import make_tables, upgrade

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
Key = TypeVar("Key")

#: Fewer are read before the process that reads columns has started.
FEW_ROWS = 10_000


class Warehouse:
    """One database of fund tables.

    Attributes:
        backend: which database, and what is special about its engine.
        read_only: opened for those who only look; the database then refuses every write.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        """Nothing is made or connected to yet.

        Args:
            url: SQLAlchemy URL, `Settings.warehouse`.
        """
        self.read_only = read_only
        self.backend = backend_for(url)
        self.engine = make_engine(self.backend, read_only=read_only)

    @property
    def place(self) -> str:
        """Where the tables are, as people are told: a file, or a URL without its password."""
        return self.backend.place

    def init(self, source: str) -> None:
        """Make the tables where they are missing and claim the warehouse for `source`.

        Two processes may do this at once: one makes them, the other waits.

        Raises:
            WarehouseError: it is another source's, has tables of another revision, or was
                to be read alone and has not been made.
        """
        found = self.revision()
        if found is None and self.read_only:
            raise NoWarehouseError(self.place)
        if found is None:
            self.backend.make()
            with self.transaction(writes=True) as connection:
                make_tables(connection, source)
            found = self.revision()
        if found != HEAD:
            older = str(found) < HEAD
            raise WarehouseError(
                f"the warehouse {self.place} has tables of revision {found}, this program "
                f"needs {HEAD}: "
                + (
                    "run `fund-assets migrate`"
                    if older
                    else "install the release that created it"
                )
            )
        held = self.market()
        if held != source:
            raise WarehouseError(
                f"the warehouse {self.place} stores the {held} market, FUND_SOURCE is "
                f"{source}: a simulated market and a real one never share a warehouse; set "
                "FUND_STATE (or FUND_WAREHOUSE_URL) to another place"
            )

    @retried
    def migrate(self) -> tuple[str, str]:
        """Bring tables of an older release up to date, with all that they hold.

        On a server each step is there for good: ended at any moment, the next call goes on.
        Of tables that are up to date it makes what is missing: indices, views, references.

        Returns:
            Their revision before and after.

        Raises:
            WarehouseError: there are none, they are a newer release's, or something is in the
                way of the scripts.
        """
        if self.revision() is None:
            raise NoWarehouseError(self.place)
        with transaction(
            self.backend, self.engine, writes=True, references=False
        ) as connection:
            before = str(revision(connection))
            if before > HEAD:
                raise WarehouseError(
                    f"the warehouse {self.place} has tables of revision {before}, newer than "
                    f"this program's {HEAD}: install the release that created it"
                )
            try:
                upgrade(connection)
            except sa.exc.DBAPIError as error:
                kind = TransientError if self.backend.is_transient(error) else WarehouseError
                raise kind(
                    f"the migration of {self.place} from revision {before} failed: "
                    f"{error.orig}{self.backend.hint()}. No row is lost; fix what is named "
                    "and run `fund-assets migrate` again: it continues from here"
                ) from error
        return before, HEAD

    def revision(self) -> str | None:
        """The revision of the tables, without waiting for a writer; None before `init`."""
        if not self.backend.exists():
            return None
        with self.transaction() as connection:
            return revision(connection)

    def exists(self) -> bool:
        """Whether the database is there and has the tables."""
        return self.revision() is not None

    def market(self) -> str:
        """The source whose market it holds."""
        return str(self.text("SELECT value FROM warehouse_meta WHERE property = 'source'"))

    def transaction(self, *, writes: bool = False) -> AbstractContextManager[sa.Connection]:
        """A consistent reading, or with `writes` the only writer until it ends."""
        return transaction(self.backend, self.engine, writes=writes)

    def columns(self, sql: str, table: Table) -> pd.DataFrame:
        """The result of a query that may have hundreds of thousands of rows.

        Reads what is committed: within an open writing transaction that is the state
        before it, because only one writer is let in at a time.

        Args:
            sql: a query without LIMIT whose literals are ours; it takes no parameters.
            table: the declaration that gives the result its columns and dtypes.
        """
        if self.count(f"SELECT COUNT(*) FROM ({sql} LIMIT {FEW_ROWS}) AS some") < FEW_ROWS:
            return self.frame(sql, table)
        import pyarrow as pa

        from fund_assets.warehouse.engine.bulk_reads import stream

        batches = list(stream(self.backend, sql))
        if not batches:
            return table.empty()
        return table.conform(pa.Table.from_batches(batches).to_pandas())

    def frame(self, sql: str, table: Table, **parameters: object) -> pd.DataFrame:
        """The result of a query of moderate size as a frame of `table`'s columns."""
        with self.transaction() as connection:
            result = connection.execute(sa.text(sql), parameters)
            names = list(result.keys())
            columns = list(zip(*result.fetchall(), strict=True))
        if not columns:
            return table.empty()
        import pandas as pd

        return table.conform(pd.DataFrame(dict(zip(names, columns, strict=True))))

    def rows(self, sql: str, **parameters: object) -> list[dict[str, object]]:
        """The result of a small query with bound parameters, as dictionaries."""
        with self.transaction() as connection:
            return [
                {name: plain(value) for name, value in row.items()}
                for row in connection.execute(sa.text(sql), parameters).mappings()
            ]

    def tuples(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        """The result of a query, also of a hundred thousand rows, as the driver has it."""
        with self.transaction() as connection:
            found = connection.execute(sa.text(sql), parameters).fetchall()
        return list(map(tuple, found))

    def records(self, make: Callable[..., T], sql: str, **parameters: object) -> list[T]:
        """The result of a small query as NamedTuples whose fields are its columns in order.

        Raises:
            WarehouseError: a value is not of the type of its field (`typed_rows`).
        """
        with self.transaction() as connection:
            return typed_rows(connection.execute(sa.text(sql), parameters), make)

    def column(self, kind: type[T], sql: str, **parameters: object) -> list[T]:
        """The one column of a small query: int, float or str."""
        return [typed(value, kind, sql) for (value,) in self.tuples(sql, **parameters)]

    def mapping(
        self, key: type[Key], kind: type[T], sql: str, **parameters: object
    ) -> dict[Key, T]:
        """The two columns of a small query: the first one, which has no value twice → other."""
        return {
            typed(first, key, sql): typed(second, kind, sql)
            for first, second in self.tuples(sql, **parameters)
        }

    def number(self, sql: str, **parameters: object) -> int | None:
        """The whole number that a small query has; None without a row, or for NULL."""
        found = self._first(sql, parameters)
        return None if found is None else typed(found, int, sql)

    def count(self, sql: str, **parameters: object) -> int:
        """The whole number that a query always has: `SELECT COUNT(*)`."""
        return typed(self._first(sql, parameters), int, sql)

    def text(self, sql: str, **parameters: object) -> str | None:
        """The text that a small query has; None without a row, or for NULL."""
        found = self._first(sql, parameters)
        return None if found is None else typed(found, str, sql)

    def _first(self, sql: str, parameters: dict[str, object]) -> object:
        with self.transaction() as connection:
            return connection.execute(sa.text(sql), parameters).scalar()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
