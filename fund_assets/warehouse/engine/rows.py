"""Frames as the rows that a database takes.

Belongs here: turning columns into tuples or into a text file. Does not belong here: any
statement.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

NULL = "\\N"
#: The backslash first: the others bring new ones.
ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"}


def records(
    frame: pd.DataFrame, size: int, *, nan: bool = False
) -> Iterator[list[tuple[object, ...]]]:
    """The rows as tuples of Python values, None for what is missing, at most `size` at a time.

    Few rows at a time stay in the processor's cache, and the garbage collector does not look
    through all of them again and again.

    Args:
        nan: leave NaN in columns of floats, for a driver that stores it as NULL.
    """
    columns = (_values(frame[name], nan=nan) for name in frame.columns)
    rows = zip(*columns, strict=True)
    while part := list(islice(rows, size)):
        yield part


def _values(column: pd.Series, *, nan: bool) -> list[object]:
    if isinstance(column.dtype, pd.StringDtype):  # of each text one object, however many rows
        at, distinct = pd.factorize(column)
        texts = [*distinct, None]
        return [texts[n] for n in at.tolist()]
    if nan and isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        return list(column.to_numpy().tolist())
    values = column.to_numpy(object)
    if (missing := column.isna().to_numpy()).any():
        values = np.where(missing, None, values)
    found: list[object] = values.tolist()
    return found


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
