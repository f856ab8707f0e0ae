"""Reading a part of any table: some funds, some dates, some columns.

Belongs here: the statement and which reader is taken. Does not belong here: what people may
take and under which name (`export/`), tables that are read for a step of the pipeline.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from fund_assets.schemas.table import Table
from fund_assets.schemas.tables import FUND_INFO
from fund_assets.warehouse.engine.bulk_reads import stream
from fund_assets.warehouse.warehouse import Warehouse

#: The rows of so few funds are read without starting the columnar reader.
FEW_FUNDS = 20
#: What is put beside the code of a fund.
NAMES = ("name", "fund_type")


@dataclass(frozen=True)
class Selection:
    """A part of a table whose rows are about funds.

    Attributes:
        table: the declaration, of the columns that are wanted.
        codes: of these funds alone, six digits each; None: of all.
        since, until: yyyymmdd, both included, of the table's date; None: no limit.
        named: with the name and type of each fund, as the list has them now.
    """

    table: Table
    codes: tuple[str, ...] | None = None
    since: int | None = None
    until: int | None = None
    named: bool = False

    @property
    def given(self) -> Table:
        """The declaration of what is handed out: the table's columns, and names if wanted."""
        if not self.named:
            return self.table
        columns = list(self.table.columns)
        at = self.table.names.index("fund_code") + 1
        columns[at:at] = [FUND_INFO[name].but(nullable=True) for name in NAMES]
        return replace(self.table, columns=tuple(columns), indexes=(), references={})

    def statement(
        self, what: str = "", order: str = "", also: Iterable[str] = (), source: str = ""
    ) -> str:
        """A SELECT on the part: by default of all columns.

        Args:
            also: further conditions.
            source: what is read, when it is more than the table.
        """
        parts = list(also)
        if self.codes is not None:
            listed = ", ".join(f"'{code}'" for code in self.codes)
            parts.append(f"fund_code IN ({listed})" if listed else "1 = 0")
        for sign, key in ((">=", self.since), ("<=", self.until)):
            if key is not None:
                parts.append(f"{self.table.date} {sign} {key:d}")
        # Backticks are understood everywhere, also by the reader, whose session is plain.
        what = what or ", ".join(f"`{name}`" for name in self.table.names)
        where = f" WHERE {' AND '.join(parts)}" if parts else ""
        return f"SELECT {what} FROM {source or self.table.name}{where}{order}"


def selected(warehouse: Warehouse, selection: Selection) -> Iterator[pa.RecordBatch]:
    """The rows of a selection in the order of the key, of one state of the warehouse.

    Memory is bounded by a batch, whatever the size; on a server see `bulk_reads.stream`.

    Raises:
        WarehouseError: see `bulk_reads.stream`; it may come after some batches.
    """
    yield from with_names(warehouse, selection, _selected(warehouse, selection))


def with_names(
    warehouse: Warehouse, selection: Selection, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Rows of a selection, with names if they are wanted."""
    if not selection.named:
        yield from batches
        return
    found = warehouse.tuples("SELECT fund_code, name, fund_type FROM fund_info")
    codes, *texts = (pa.array(values, pa.string()) for values in zip(*found, strict=True))
    for batch in batches:
        at = pc.index_in(batch["fund_code"].cast(pa.string()), codes)
        columns = [*batch.columns, *(values.take(at) for values in texts)]
        yield pa.RecordBatch.from_arrays(columns, [*batch.schema.names, *NAMES])


def _selected(warehouse: Warehouse, selection: Selection) -> Iterator[pa.RecordBatch]:
    table = selection.table
    order = " ORDER BY " + ", ".join(f"`{name}`" for name in table.primary_key)
    if selection.codes is not None and len(selection.codes) <= FEW_FUNDS:
        frame = warehouse.frame(selection.statement(order=order), table)
        yield pa.RecordBatch.from_pandas(frame, preserve_index=False)
        return
    yield from streamed(warehouse, table, selection.statement(filled(warehouse, table), order))


def filled(warehouse: Warehouse, table: Table) -> str:
    """The columns of a table in a statement for `streamed`."""
    return ", ".join(map(warehouse.backend.filled, table.columns))


def streamed(warehouse: Warehouse, table: Table, sql: str) -> Iterator[pa.RecordBatch]:
    """The rows of a statement of `filled` columns, as they are wanted."""
    backend = warehouse.backend
    for batch in stream(backend, sql, lazily=True):
        columns = [backend.emptied(batch[c.name], c) for c in table.columns]
        yield pa.RecordBatch.from_arrays(columns, table.names)


def count(warehouse: Warehouse, selection: Selection) -> int:
    """How many rows a selection has."""
    return warehouse.count(selection.statement("COUNT(*)"))


def first_of(warehouse: Warehouse, selection: Selection) -> int | None:
    """The first date of a selection (yyyymmdd); None without rows."""
    return warehouse.number(selection.statement(f"MIN({selection.table.date})"))
