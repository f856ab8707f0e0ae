"""A program: reads a query from standard input, writes its rows as an Arrow stream.

Started by `bulk_reads.py` as its own process, because connectorx carries its own copy of
SQLite. Two copies in one process do not see each other's file locks: the second one to open a
database takes itself for the only user, deletes the write-ahead log when it closes, and the
first one's commits are lost. It imports nothing of this project, so that it starts at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

Query = dict[str, Any]


def main() -> None:
    """Answer one query: {"url", "file" or "connect", "sql", "batch_rows"} in, Arrow IPC out.

    Faults end it with exit code 1 and their text on standard error.
    """
    import pyarrow as pa

    query = json.load(sys.stdin)
    try:
        for place, read in (("connect", _by_driver), ("file", _lazily), ("url", _by_columns)):
            if place in query:
                schema, batches = read(query)
                break
        with pa.ipc.new_stream(sys.stdout.buffer, schema) as sink:
            for batch in batches:
                sink.write_batch(batch)
    except BrokenPipeError:
        sys.stdout = None  # the reader has gone: it wants no more rows
    except BaseException as fault:  # connectorx panics with what is no Exception
        sys.exit(str(fault))


def _by_columns(query: Query) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
    import connectorx

    reader = connectorx.read_sql(
        query["url"],
        query["sql"],
        return_type="arrow_stream",
        batch_size=query["batch_rows"],
    )
    return reader.schema, reader


def _lazily(query: Query) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
    """From a SQLite file, each batch when it is wanted.

    A column has the type that it has in the first batch: it must not be NULL throughout.
    The driver's `dbapi` would import pandas and polars before it reads anything.
    """
    import adbc_driver_sqlite
    import pyarrow as pa
    from adbc_driver_manager import AdbcConnection, AdbcStatement

    database = adbc_driver_sqlite.connect(query["file"])
    connection = AdbcConnection(database)
    statement = AdbcStatement(connection)
    statement.set_options(**{"adbc.sqlite.query.batch_rows": str(query["batch_rows"])})
    statement.set_sql_query(query["sql"])
    rows, _ = statement.execute_query()
    reader = pa.RecordBatchReader.from_stream(rows)

    def batches() -> Iterator[pa.RecordBatch]:
        yield from reader
        for opened in (reader, statement, connection, database):
            opened.close()

    return reader.schema, batches()


def _by_driver(query: Query) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
    """Over TLS: several times slower, in the same batches."""
    import mysql.connector
    import pyarrow as pa
    from mysql.connector.constants import FieldType

    numbers = dict.fromkeys((FieldType.LONG, FieldType.LONGLONG), pa.int64())
    numbers |= dict.fromkeys((FieldType.DOUBLE, FieldType.FLOAT), pa.float64())
    connection = mysql.connector.connect(**query["connect"] | {"buffered": False})
    cursor = connection.cursor(raw=True)
    cursor.execute(query["sql"])
    assert cursor.description, query["sql"]
    schema = pa.schema(
        (column[0], numbers.get(column[1], pa.string())) for column in cursor.description
    )

    def batches() -> Iterator[pa.RecordBatch]:
        while rows := cursor.fetchmany(query["batch_rows"]):
            texts = [pa.array(values, pa.binary()) for values in zip(*rows, strict=True)]
            yield pa.record_batch(
                [
                    text.cast(pa.string()).cast(field.type)
                    for text, field in zip(texts, schema, strict=True)
                ],
                schema=schema,
            )
        connection.close()

    return schema, batches()


if __name__ == "__main__":
    main()
