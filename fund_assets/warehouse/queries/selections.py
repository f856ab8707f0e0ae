"""Reading a part of any table: some funds, some dates, some columns.

Belongs here: the statement and which reader is taken. Does not belong here: what people may
take and under which name (`export/`), tables that are read for a step of the pipeline.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from fund_assets.schemas.table import Kind, Table
from fund_assets.warehouse.engine.bulk_reads import stream
from fund_assets.warehouse.warehouse import Warehouse

#: The rows of so few funds are read without starting the columnar reader.
FEW_FUNDS = 20


@dataclass(frozen=True)
class Selection:
    """A part of a table whose rows are about funds.

    Attributes:
        table: the declaration, of the columns that are wanted.
        codes: of these funds alone, six digits each; None: of all.
        since, until: yyyymmdd, both included; None: no limit.
    """

    table: Table
    codes: tuple[str, ...] | None = None
    since: int | None = None
    until: int | None = None

    @property
    def date(self) -> str | None:
        """The date that since and until are about; None in a table whose key has none."""
        keys = (self.table[name] for name in self.table.primary_key)
        return next((column.name for column in keys if column.kind is Kind.DATE), None)

    def statement(self, what: str = "", order: str = "") -> str:
        """A SELECT on the part: by default of all columns."""
        parts = []
        if self.codes is not None:
            listed = ", ".join(f"'{code}'" for code in self.codes)
            parts.append(f"fund_code IN ({listed})" if listed else "1 = 0")
        for sign, key in ((">=", self.since), ("<=", self.until)):
            if key is not None:
                parts.append(f"{self.date} {sign} {key:d}")
        # Backticks are understood everywhere, also by the reader, whose session is plain.
        what = what or ", ".join(f"`{name}`" for name in self.table.names)
        where = f" WHERE {' AND '.join(parts)}" if parts else ""
        return f"SELECT {what} FROM {self.table.name}{where}{order}"


def selected(warehouse: Warehouse, selection: Selection) -> Iterator[pa.RecordBatch]:
    """The rows of a selection in the order of the key, of one state of the warehouse.

    Memory is bounded by a batch, whatever the size; on a server see `bulk_reads.stream`.

    Raises:
        WarehouseError: see `bulk_reads.stream`; it may come after some batches.
    """
    table, backend = selection.table, warehouse.backend
    order = " ORDER BY " + ", ".join(f"`{name}`" for name in table.primary_key)
    if selection.codes is not None and len(selection.codes) <= FEW_FUNDS:
        frame = warehouse.frame(selection.statement(order=order), table)
        yield pa.RecordBatch.from_pandas(frame, preserve_index=False)
        return
    what = ", ".join(backend.filled(column) for column in table.columns)
    for batch in stream(backend, selection.statement(what, order), lazily=True):
        columns = [backend.emptied(batch[c.name], c) for c in table.columns]
        yield pa.RecordBatch.from_arrays(columns, table.names)


def count(warehouse: Warehouse, selection: Selection) -> int:
    """How many rows a selection has."""
    return warehouse.count(selection.statement("COUNT(*)"))
