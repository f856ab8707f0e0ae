"""What every database engine must offer the warehouse, and which engine a URL asks for.

Belongs here: the face that `sqlite.py` and `mysql.py` share. Does not belong here: any
statement about a table, or what only one engine needs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from fund_assets.schemas.table import Column, Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: From this share of free space on, tables are written anew.
WORTH_REWRITING = 0.2

#: What becomes of a row whose key is stored: an error, nothing, or new values.
Conflict = Literal["fail", "keep", "update"]


class Backend(ABC):
    """One database, not yet opened.

    Attributes:
        url: where it is, with the driver to be used.
        writer_wait_s: how long a writer waits for its turn.
    """

    writer_wait_s = 60

    def __init__(self, url: sa.URL) -> None:
        self.url = url

    @property
    @abstractmethod
    def place(self) -> str:
        """Where it is, as people are told: never with a password."""

    @property
    @abstractmethod
    def reader(self) -> dict[str, object]:
        """How `read_worker.py` gets there: {"url"} or {"connect"}, with the password."""

    @property
    def lazy_reader(self) -> dict[str, object]:
        """As `reader`, of one that reads no further than it is asked to, where there is one."""
        return self.reader

    def filled(self, column: Column) -> str:
        """A column for a statement that the lazy reader runs; `emptied` takes it back."""
        return f"`{column.name}`"

    def emptied(self, values: pa.Array, column: Column) -> pa.Array:
        """The values of a `filled` column with NULL where they are NULL."""
        return values

    @abstractmethod
    def engine(self, *, read_only: bool) -> sa.Engine:
        """Connections to it; with `read_only` the database itself refuses every write."""

    @abstractmethod
    def make(self) -> None:
        """Make what the tables are to stand in, where it is missing."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is something that can hold tables."""

    @abstractmethod
    def begin(self, connection: sa.Connection, *, writes: bool, references: bool) -> None:
        """Begin a transaction: a consistent state to read, or as the only writer.

        Args:
            references: foreign keys are held; without, a table may be taken out from under
                others for a moment.
        """

    @abstractmethod
    def leave(self, connection: sa.Connection) -> None:
        """After a writing transaction, however it ended: give the writer's place back."""

    @abstractmethod
    def is_transient(self, error: sa.exc.DBAPIError) -> bool:
        """Whether the same transaction may succeed when it is tried again."""

    def lacks_right(self, error: sa.exc.DBAPIError) -> bool:
        """Whether it was refused because of who asked."""
        return False

    def hint(self) -> str:
        """What a refusal is likely due to, where the database's own words do not say it."""
        return ""

    @abstractmethod
    def write(
        self,
        connection: sa.Connection,
        table: Table,
        frame: pd.DataFrame,
        conflict: Conflict,
        keep: Sequence[str],
    ) -> int:
        """Write rows of a table: columns as declared, at least one row.

        Args:
            keep: columns that an update leaves as they are.

        Returns:
            How many rows were inserted or changed.
        """

    @abstractmethod
    def update(self, connection: sa.Connection, table: Table, frame: pd.DataFrame) -> None:
        """Set columns of stored rows: `frame` has the key and the columns to be set."""

    @abstractmethod
    def load(
        self, engine: sa.Engine, table: Table, batches: Iterator[pa.RecordBatch]
    ) -> Iterator[int]:
        """Put a great many rows into a table, in transactions of a batch, or half of one, each.

        They are not held against constraints, where that can be: for rows whose conditions
        and references have been seen to hold. The next batch is made ready meanwhile.

        Args:
            engine: connections of this backend that may write.
            batches: columns as declared; no key of theirs is stored.

        Yields:
            How many rows the batch had, when it has been committed.
        """

    @abstractmethod
    def unchecked(self, connection: sa.Connection) -> AbstractContextManager[None]:
        """While it lasts, rows are not held against constraints, where that can be.

        For rows whose conditions and references have been seen to hold.
        """

    @abstractmethod
    def damage(self, connection: sa.Connection) -> str:
        """What the engine itself finds damaged; empty when nothing is. Reads everything."""

    @abstractmethod
    def tidy(self) -> dict[str, int]:
        """Renew the engine's statistics, and give back space when a fifth or more is free.

        Waits for writers as a writer does; whoever reads goes on. Interrupted, nothing is lost.

        Returns:
            freed_bytes, and `rewritten`: tables or files that were written anew.

        Raises:
            WarehouseError: another program writes all the time, or the disk is full.
        """

    @abstractmethod
    def size_bytes(self) -> int:
        """Space that the tables take."""

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Space left where they are; None when only the database server can see that."""


def quoted(names: Sequence[str], of: str = "") -> str:
    """Column names for a statement, of a table's alias when one is given."""
    return ", ".join(f'{of}"{name}"' for name in names)
