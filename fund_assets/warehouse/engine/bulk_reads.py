"""Reading millions of rows from the warehouse, column by column, in bounded memory.

Belongs here: the columnar reader. Does not belong here: small queries (`Warehouse.rows`), or
what is read (`warehouse/queries/index_series.py` and others).

A query is one statement, hence one consistent state of the warehouse, whatever is being
published meanwhile. It runs in a child process: see `read_worker.py` for why.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from fund_assets.warehouse.engine.backend import Backend
from fund_assets.warehouse.engine.errors import NoWarehouseError, WarehouseError

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 100_000


def stream(
    backend: Backend, sql: str, batch_rows: int | None = None, *, lazily: bool = False
) -> Iterator[pa.RecordBatch]:
    """The rows of a query in batches.

    The reader is faster than most callers: what they have not yet taken it keeps in memory.

    Args:
        backend: the database (`Warehouse.backend`).
        sql: one SELECT. A column that is an expression must not be NULL in the first row.
        batch_rows: rows of a batch; by default BATCH_ROWS.
        lazily: for a caller that may be slow: where the engine can, a batch is read when it is
            wanted. The query is then of `Backend.filled` columns.

    Raises:
        WarehouseError: no such file, a faulty query, a damaged or locked database. It may
            come after some batches.
    """
    import pyarrow as pa

    query = {
        **(backend.lazy_reader if lazily else backend.reader),
        "sql": sql,
        "batch_rows": batch_rows or BATCH_ROWS,
    }
    with _reading(backend, query) as rows:
        yield from pa.ipc.open_stream(rows)


def try_reading(backend: Backend) -> None:
    """Read one small table as `stream` does, and let go of it.

    Raises:
        WarehouseError: as `stream`.
    """
    sql = "SELECT property FROM warehouse_meta"
    with _reading(backend, {**backend.reader, "sql": sql, "batch_rows": BATCH_ROWS}) as rows:
        rows.read()


@contextmanager
def _reading(backend: Backend, query: dict[str, object]) -> Iterator[IO[bytes]]:
    """What the program answers to a query; its end and its faults are seen to."""
    if not backend.exists():
        raise NoWarehouseError(backend.place)
    program = Path(__file__).with_name("read_worker.py")
    with subprocess.Popen(  # noqa: S603 our own program
        [sys.executable, "-P", str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "RUST_BACKTRACE": "0"},
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        fault: Exception | None = None
        try:
            process.stdin.write(json.dumps(query).encode())
            process.stdin.close()
            yield process.stdout
            process.wait()
        except (ValueError, OSError) as broken_off:  # ArrowInvalid is a ValueError
            fault = broken_off
        finally:
            process.kill()
        if fault or process.returncode:
            said = process.stderr.read().decode(errors="replace").strip()
            raise WarehouseError(
                f"the warehouse {backend.place} cannot be read: {said or fault}"
            )
