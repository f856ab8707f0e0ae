"""Frames as the rows that a database takes.

Belongs here: turning columns into tuples or into a text file. Does not belong here: any
statement.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

NULL = "\\N"
#: The backslash first: the others bring new ones.
ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"}


def records(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    """The rows as tuples of Python values, None for what is missing."""
    columns = []
    for name in frame.columns:
        column = frame[name]
        values = column.to_numpy(object)
        if (missing := column.isna().to_numpy()).any():
            values = np.where(missing, None, values)
        columns.append(values.tolist())
    return list(zip(*columns, strict=True))


def tab_separated(rows: pa.RecordBatch) -> memoryview:
    r"""The rows as LOAD DATA reads them: a line each, tabs between, \N for what is missing.

    Floats have the fewest digits that give the same float again.
    """
    return joined(rows.columns, "\t", "\n")


def joined(columns: Sequence[pa.Array], between: str, end: str) -> memoryview:
    """The bytes of all rows, one after the other, as texts in UTF-8; NULL where one is missing.

    Texts are escaped, so that different rows give different bytes.
    """
    between, nothing, end = (pa.scalar(text, pa.large_string()) for text in (between, "", end))
    row = pc.binary_join_element_wise(*(_texts(column) for column in columns), between)
    lines = pc.binary_join_element_wise(row, nothing, end)
    _validity, offsets, content = lines.buffers()
    limits = np.frombuffer(offsets, np.int64, len(lines) + 1, lines.offset * 8)
    return memoryview(content)[limits[0] : limits[-1]]


def _texts(column: pa.Array) -> pa.Array:
    texts = pc.cast(column, pa.large_string())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        content = bytes(texts.buffers()[2] or b"")
        for raw, escaped in ESCAPES.items():
            if raw.encode() in content:
                texts = pc.replace_substring(texts, raw, escaped)
    return pc.fill_null(texts, NULL)
