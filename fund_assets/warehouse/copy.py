"""Copying a warehouse into another database, of the same engine or of another one.

Belongs here: what `fund-assets copy-warehouse` does: rows in the order of their keys, so that
an interrupted copy is gone on with, and the proof that both hold the same. Does not belong
here: progress bars.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fund_assets.schemas.table import Kind, Table
from fund_assets.schemas.tables import TABLES
from fund_assets.warehouse.engine.backend import quoted
from fund_assets.warehouse.engine.bulk_reads import stream
from fund_assets.warehouse.engine.ddl import METADATA
from fund_assets.warehouse.engine.errors import WarehouseError
from fund_assets.warehouse.engine.rows import joined
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.warehouse import FEW_ROWS, Warehouse

BATCH_ROWS = 200_000
READER_ROWS = 10 * BATCH_ROWS
#: Told while it goes on: table, rows copied or compared so far, rows in all.
Tell = Callable[[Table, int, int], None]


@dataclass(frozen=True)
class Content:
    """What a table holds: how many rows, and a sha256 of each column in the key's order."""

    rows: int
    digests: dict[str, str]


def copy(source: Warehouse, target: Warehouse, tell: Tell) -> dict[str, int]:
    """Copy all rows of all tables; rows that an earlier try has copied stay.

    Nobody may write into the source meanwhile: its writer's place is taken.

    Args:
        target: made by this, or by an earlier try that was interrupted.

    Returns:
        Table → rows copied by this call.

    Raises:
        WarehouseError: the target is another market's, or has rows the source lacks.
    """
    market = source.market()
    source.init(market)
    target.init(market)
    copied = {}
    with source.transaction(writes=True):
        for name in _in_order():
            table = TABLES[name]
            total, there = (_count(warehouse, table) for warehouse in (source, target))
            if there > total:
                raise WarehouseError(
                    f"{target.place} has {there:,} rows of {name}, {source.place} only "
                    f"{total:,}: copy into an empty database"
                )
            if total <= FEW_ROWS:
                copied[name] = _take(target, table, _frame(source, table))
                tell(table, total, total)
                continue
            if not there:
                _drop_indexes(target, table)
            copied[name] = 0
            rest = _stream(source, table, _last_key(target, table))
            for rows in target.backend.load(target.engine, table, rest):
                copied[name] += rows
                tell(table, there + copied[name], total)
            if there + copied[name] != total:
                raise WarehouseError(
                    f"{name}: {there + copied[name]:,} rows arrived in {target.place}, "
                    f"{source.place} has {total:,}: start the copy again"
                )
            _make_indexes(target, table)
    return copied


def content(warehouse: Warehouse, table: Table, tell: Tell) -> Content:
    """What a table holds, read once; equal contents have equal digests on every engine."""
    digests = [hashlib.sha256() for _ in table.columns]
    total = _count(warehouse, table)
    rows = 0
    for batch in _batches(warehouse, table):
        rows += batch.num_rows
        for digest, column, values in zip(digests, table.columns, batch.columns, strict=True):
            if column.kind is Kind.REAL:
                digest.update(
                    pc.is_null(values).cast(pa.uint8()).to_numpy(zero_copy_only=False)
                )
                digest.update(pc.fill_null(values, 0.0).to_numpy())
            else:
                digest.update(joined([values], "", "\n"))
        tell(table, rows, total)
    names = [column.name for column in table.columns]
    found = zip(names, (digest.hexdigest() for digest in digests), strict=True)
    return Content(rows, dict(found))


def differences(source: Warehouse, target: Warehouse, tell: Tell) -> list[str]:
    """In which tables, and in which columns of them, two warehouses differ; empty: in none."""
    found = []
    for name in _in_order():
        ours, theirs = (content(w, TABLES[name], tell) for w in (source, target))
        if ours.rows != theirs.rows:
            found.append(f"{name}: {ours.rows:,} rows and {theirs.rows:,}")
        else:
            found += [
                f"{name}.{column}: other values"
                for column, digest in ours.digests.items()
                if theirs.digests[column] != digest
            ]
    return found


def _drop_indexes(target: Warehouse, table: Table) -> None:
    """A great many rows are put in faster without them."""
    with (
        target.transaction(writes=True) as connection,
        target.backend.unchecked(connection),
    ):
        for index in METADATA.tables[table.name].indexes:
            index.drop(connection, checkfirst=True)


def _make_indexes(target: Warehouse, table: Table) -> None:
    """Those that an interrupted copy has left out, too."""
    with target.transaction(writes=True) as connection:
        for index in METADATA.tables[table.name].indexes:
            index.create(connection, checkfirst=True)


def _in_order() -> list[str]:
    """The tables, those first that others refer to."""
    return [table.name for table in METADATA.sorted_tables]


def _count(warehouse: Warehouse, table: Table) -> int:
    return warehouse.count(f"SELECT COUNT(*) FROM {table.name}")


def _last_key(warehouse: Warehouse, table: Table) -> tuple[object, ...] | None:
    order = ", ".join(f'"{name}" DESC' for name in table.primary_key)
    rows = warehouse.rows(
        f'SELECT {quoted(table.primary_key)} FROM "{table.name}" ORDER BY {order} LIMIT 1'
    )
    return tuple(rows[0].values()) if rows else None


@retried
def _take(target: Warehouse, table: Table, rows: pd.DataFrame) -> int:
    """Those of a few rows that are not there; making the tables has written some already.

    They are no change: a cursor of the source is one of the copy.
    """
    if rows.empty:
        return 0
    with (
        target.transaction(writes=True) as connection,
        target.backend.unchecked(connection),
    ):
        return target.backend.write(connection, table, rows, "keep", ())


def _batches(warehouse: Warehouse, table: Table) -> Iterator[pa.RecordBatch]:
    """All rows, in the key's order."""
    if _count(warehouse, table) > FEW_ROWS:
        yield from _stream(warehouse, table)
    else:
        yield pa.RecordBatch.from_pandas(_frame(warehouse, table), preserve_index=False)


def _stream(
    warehouse: Warehouse, table: Table, after: tuple[object, ...] | None = None
) -> Iterator[pa.RecordBatch]:
    """All rows behind a key, in the key's order, from one reader after the other.

    A reader that is faster than the writer keeps in memory what it has read.
    """
    found = READER_ROWS
    while found == READER_ROWS:
        found = 0
        sql = f"{_select(table, after)} LIMIT {READER_ROWS}"
        for batch in stream(warehouse.backend, sql, BATCH_ROWS):
            if not batch.num_rows:
                continue
            found += batch.num_rows
            after = tuple(batch[name][-1].as_py() for name in table.primary_key)
            yield batch


def _frame(warehouse: Warehouse, table: Table) -> pd.DataFrame:
    return warehouse.frame(_select(table), table)


def _select(table: Table, after: tuple[object, ...] | None = None) -> str:
    """The statement for all rows behind a key, in the key's order."""
    # Backticks are understood everywhere, also by the reader, whose session is plain.
    names = ", ".join(f"`{name}`" for name in table.names)
    order = ", ".join(f"`{name}`" for name in table.primary_key)
    where = "" if after is None else f"WHERE {_behind(table, after)}"
    return f"SELECT {names} FROM {table.name} {where} ORDER BY {order}"


def _behind(table: Table, key: tuple[object, ...]) -> str:
    """The condition that a row comes after a key."""
    alternatives = []
    for at, (name, value) in enumerate(zip(table.primary_key, key, strict=True)):
        same = [
            f"`{n}` = {_literal(v)}"
            for n, v in zip(table.primary_key[:at], key[:at], strict=True)
        ]
        alternatives.append(" AND ".join([*same, f"`{name}` > {_literal(value)}"]))
    return " OR ".join(f"({part})" for part in alternatives)


def _literal(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if not text.isprintable() or "\\" in text:
        raise WarehouseError(
            f"{text!r} in a key: an interrupted copy continues only after plain keys"
        )
    return "'" + text.replace("'", "''") + "'"
