"""The warehouse: one database with the tables of `schemas/tables.py`, of one source.

Belongs here: opening, making and identifying it, transactions, and reading a query into
columns. Does not belong here: what a step of the pipeline reads and writes (the other
modules of this package, each taking a Warehouse).
"""

from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from fund_assets.schemas.table import Table
from fund_assets.warehouse.bulk import stream
from fund_assets.warehouse.ddl import METADATA
from fund_assets.warehouse.engine import WarehouseError, make_engine, transaction
from fund_assets.warehouse.views import VIEWS

SCHEMA_VERSION = "2"


class Warehouse:
    """One database of fund tables.

    Args:
        url: SQLAlchemy URL, `Settings.warehouse`.
        read_only: for those who only look; SQLite then refuses every write.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.read_only = read_only
        self.engine = make_engine(url, read_only=read_only)
        self.path = Path(self.engine.url.database or "").resolve()

    def init(self, source: str) -> None:
        """Make the tables where they are missing and claim the warehouse for `source`.

        Raises:
            WarehouseError: it is another source's, has another version of the tables, or
                was to be read alone and has not been made.
        """
        found = self._properties()
        if not found and self.read_only:
            raise WarehouseError(
                f"{self.path} lacks tables of this version: run `fund-assets run` first"
            )
        if not found:
            with self.transaction(writes=True) as connection:
                METADATA.create_all(connection)
                for name, select in VIEWS.items():
                    connection.exec_driver_sql(f"CREATE VIEW {name} AS {select}")
                connection.execute(
                    sa.text(
                        "INSERT INTO warehouse_meta (property, value) "
                        "VALUES ('source', :source), ('schema_version', :version) "
                        "ON CONFLICT DO NOTHING"
                    ),
                    {"source": source, "version": SCHEMA_VERSION},
                )
            found = self._properties()
        if found["source"] != source:
            raise WarehouseError(
                f"the warehouse {self.path} holds the {found['source']} market, FUND_SOURCE "
                f"asks for {source}: a simulated market and a real one never share a "
                "warehouse; set FUND_STATE (or FUND_WAREHOUSE_URL) to another place for it"
            )
        if found["schema_version"] != SCHEMA_VERSION:
            raise WarehouseError(
                f"the warehouse {self.path} has tables of version {found['schema_version']}, "
                f"this program needs {SCHEMA_VERSION}"
            )

    def _properties(self) -> dict[str, str]:
        """What warehouse_meta says, without waiting for a writer; empty before `init`."""
        if not self.exists():
            return {}
        with self.transaction() as connection:
            if not set(METADATA.tables) <= set(sa.inspect(connection).get_table_names()):
                return {}
            rows = connection.execute(sa.text("SELECT property, value FROM warehouse_meta"))
            return {row.property: row.value for row in rows}

    def exists(self) -> bool:
        """Whether the database file is there and has the tables."""
        if not self.path.exists():
            return False
        with self.transaction() as connection:
            return bool(sa.inspect(connection).has_table("warehouse_meta"))

    def transaction(self, *, writes: bool = False) -> AbstractContextManager[sa.Connection]:
        """A consistent reading, or with `writes` the only writer until it ends."""
        return transaction(self.engine, writes=writes)

    def columns(self, sql: str, table: Table) -> pd.DataFrame:
        """The result of a query in column order, for hundreds of thousands of rows.

        Reads what is committed: within an open writing transaction that is the state
        before it, because only one writer is let in at a time.

        Args:
            sql: a query whose literals are ours; it takes no parameters.
            table: the declaration that gives the result its columns and dtypes.
        """
        batches = list(stream(self.path, sql))
        if not batches:
            return table.empty()
        return table.conform(pa.Table.from_batches(batches).to_pandas())

    def frame(self, sql: str, table: Table, **parameters: object) -> pd.DataFrame:
        """The result of a query of moderate size as a frame of `table`'s columns."""
        with self.transaction() as connection:
            cursor = connection.connection.cursor()
            cursor.execute(sql, parameters)
            names = [column[0] for column in cursor.description]
            columns = list(zip(*cursor.fetchall(), strict=True))
        if not columns:
            return table.empty()
        return table.conform(pd.DataFrame(dict(zip(names, columns, strict=True))))

    def rows(self, sql: str, **parameters: object) -> list[dict[str, object]]:
        """The result of a small query with bound parameters, as dictionaries."""
        with self.transaction() as connection:
            return [
                dict(row) for row in connection.execute(sa.text(sql), parameters).mappings()
            ]

    def value(self, sql: str, **parameters: object) -> object:
        """The first value of a small query's first row; None without a row."""
        with self.transaction() as connection:
            return connection.execute(sa.text(sql), parameters).scalar()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
