"""The types that columns have outside the warehouse, in Arrow, and what describes them.

Belongs here: dates as dates, times as times in Asia/Shanghai, codes as text, and the
description that goes along with a column. Does not belong here: any file format.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fund_assets.calendar import keys_to_days
from fund_assets.schemas.column_labels import label_of
from fund_assets.schemas.dictionary import limits
from fund_assets.schemas.table import Column, Kind, Table

TYPES = {
    Kind.CODE: pa.string(),
    Kind.DATE: pa.date32(),
    Kind.STAMP: pa.timestamp("s"),
    Kind.INT: pa.int64(),
    Kind.REAL: pa.float64(),
    Kind.TEXT: pa.string(),
}
#: What a reader of a file is told of each.
WORDS = {
    Kind.CODE: "text of six digits",
    Kind.DATE: "date",
    Kind.STAMP: "time in Asia/Shanghai",
    Kind.INT: "whole number",
    Kind.REAL: "number",
    Kind.TEXT: "text",
}


def description(column: Column, table: Table) -> dict[str, str]:
    """What a column is: its names, type, unit, limits and meaning in words."""
    dated = column.kind in (Kind.DATE, Kind.STAMP)
    return {
        "column": column.name,
        "label": label_of(column.name),
        "type": WORDS[column.kind],
        "unit": "" if dated else column.unit,
        "key": "yes" if column.name in table.primary_key else "",
        "may be empty": "yes" if column.nullable else "",
        "limits": limits(column).replace("`", ""),
        "meaning": column.description,
    }


def schema(table: Table, facts: Mapping[str, str]) -> pa.Schema:
    """The Arrow schema of a table, each column with its description as metadata.

    Args:
        facts: metadata of the whole, such as when it was written.
    """
    fields = [
        pa.field(
            column.name,
            TYPES[column.kind],
            nullable=column.nullable,
            metadata={k: v for k, v in description(column, table).items() if k != "column"},
        )
        for column in table.columns
    ]
    return pa.schema(fields, metadata=dict(facts))


def typed(batch: pa.RecordBatch, table: Table) -> pa.RecordBatch:
    """Rows as the warehouse has them → the same rows in the types of `schema`."""
    columns = [_typed(batch[column.name], column.kind) for column in table.columns]
    return pa.RecordBatch.from_arrays(columns, schema=schema(table, {}))


def _typed(values: pa.Array, kind: Kind) -> pa.Array:
    if kind is Kind.DATE:
        return _by_value(values, keys_to_days).view(TYPES[kind])
    if kind is Kind.STAMP:
        return _by_value(values, _seconds).view(TYPES[kind])
    return values.cast(TYPES[kind])


def _by_value(
    values: pa.Array, convert: Callable[[NDArray[np.int64]], NDArray[np.integer]]
) -> pa.Array:
    """Convert each distinct value once: a date stands in thousands of rows."""
    encoded = pc.dictionary_encode(values.cast(pa.int64()))
    converted = pa.array(convert(np.asarray(encoded.dictionary)))
    return pa.DictionaryArray.from_arrays(encoded.indices, converted).dictionary_decode()


def _seconds(stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Times as yyyymmddhhmmss → seconds since 1970-01-01 by the same clock."""
    clock = stamps % 1_000_000
    seconds = clock // 10_000 * 3600 + clock // 100 % 100 * 60 + clock % 100
    return keys_to_days(stamps // 1_000_000).astype(np.int64) * 86_400 + seconds
