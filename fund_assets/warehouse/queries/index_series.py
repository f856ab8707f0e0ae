"""Every fund's total-return index, read at once.

Belongs here: the one read of the whole market's index and its order. Does not belong here: how
rows come out of the database (`warehouse/engine/bulk_reads.py`), what is computed of them
(`metrics/`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fund_assets.warehouse.engine.backend import Backend
from fund_assets.warehouse.engine.bulk_reads import stream
from fund_assets.warehouse.queries.selections import FEW_FUNDS
from fund_assets.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

#: Of the index, as they are read.
COLUMNS = ("code", "nav_date", "value")
#: (codes, dates yyyymmdd, values) of some rows.
Chunk = tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]


@dataclass(frozen=True)
class IndexRows:
    """Total-return indices on their way out of the warehouse.

    Attributes:
        codes: int64 [funds], ascending: the fund code as a number, 000001 is 1.
        counts: int64 [funds]: how many rows each fund has.
        chunks: (codes, dates yyyymmdd, values) of some rows each, dates ascending; all of
            them together are the rows counted. To be read once.
    """

    codes: NDArray[np.int64]
    counts: NDArray[np.int64]
    chunks: Iterator[Chunk]


def read_index_series(backend: Backend, last: int, first: int = 0, halve: int = 0) -> IndexRows:
    """Every fund's total-return index in `validated_nav`.

    About 5 s for 19 million rows. Feed it to `metrics.FundSeries.from_chunks`, which checks
    that every counted row has arrived.

    Args:
        backend: the database (`Warehouse.backend`).
        last, first: yyyymmdd, both included; by default from the beginning.
        halve: yyyymmdd between them: the dates up to it and those after it are read at the
            same time, by a process each, in about two thirds of the time; the second part
            waits in memory. The first process counts the rows of both. They are of one state
            only when nothing is published meanwhile, which the caller makes sure of.

    Raises:
        WarehouseError: see `bulk_reads.stream`; also while the chunks are read.
    """
    if not first <= halve < last:
        return _read(backend, first, last, last)
    pool = ThreadPoolExecutor(1)
    later = pool.submit(
        lambda: [
            _narrow(_columns(batch)) for batch in stream(backend, _rows_sql(halve + 1, last))
        ]
    )
    pool.shutdown(wait=False)
    earlier = _read(backend, first, halve, last)

    def chunks() -> Iterator[Chunk]:
        yield from map(_narrow, earlier.chunks)
        yield from later.result()

    return IndexRows(earlier.codes, earlier.counts, chunks())


def read_index_part(
    warehouse: Warehouse, first: int, last: int, codes: Sequence[str] | None = None
) -> Chunk:
    """The index from `first` to `last`, and of each fund the row before; of one state.

    The rows come in no order of funds. A year of 26,000 funds are 6 million rows: 100 MB.

    Args:
        first, last: yyyymmdd, both included; without a limit 0 and the calendar's last day.
        codes: six digits each: of these funds alone; None: of all.

    Raises:
        WarehouseError: see `bulk_reads.stream`.
    """
    sql = _part_sql(first, last, codes)
    if codes is not None and len(codes) <= FEW_FUNDS:
        found = np.array(warehouse.tuples(sql), dtype=np.float64).reshape(-1, 3)
        return _narrow((found[:, 0], found[:, 1], found[:, 2]))
    parts = [_narrow(_columns(batch)) for batch in stream(warehouse.backend, sql)]
    empty = (np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float64))
    code, nav_date, value = (np.concatenate(some) for some in zip(empty, *parts, strict=True))
    return code, nav_date, value


def _narrow(chunk: Chunk) -> Chunk:
    codes, dates, values = chunk
    return codes.astype(np.int32), dates.astype(np.int32), values


def _read(backend: Backend, first: int, halve: int, last: int) -> IndexRows:
    """The rows from `first` to `halve`, and the number of those up to `last`."""
    batches = stream(backend, f"{_counts_sql(first, last)} UNION ALL {_rows_sql(first, halve)}")
    codes, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    rest: Iterator[Chunk] = iter(())
    for batch in batches:
        head = np.asarray(batch["nav_date"]) == 0
        codes.append(np.asarray(batch["code"])[head])
        counts.append(np.asarray(batch["value"])[head].astype(np.int64))
        if not head.all():
            rest = _chunks(batch.slice(int(head.sum())), batches)
            break
    return IndexRows(np.concatenate(codes), np.concatenate(counts), rest)


def _columns(batch: pa.RecordBatch) -> Chunk:
    code, nav_date, value = (np.asarray(batch[name]) for name in COLUMNS)
    return code, nav_date, value


def _chunks(first: pa.RecordBatch, others: Iterator[pa.RecordBatch]) -> Iterator[Chunk]:
    batch: pa.RecordBatch | None = first
    while batch is not None:
        yield _columns(batch)
        batch = next(others, None)


def _part_sql(first: int, last: int, codes: Sequence[str] | None) -> str:
    """One statement: the rows of the dates, and of each fund the last one before them."""
    listed = "" if codes is None else ", ".join(f"'{code}'" for code in codes) or "''"

    of = f"fund_code IN ({listed}) AND " if listed else ""
    row = "CAST(v.fund_code AS SIGNED) AS code, v.nav_date, v.total_return_index AS value"
    rows = (
        f"SELECT {row} FROM validated_nav AS v "
        f"WHERE {of}v.nav_date BETWEEN {first:d} AND {last:d}"
    )
    if first <= 0:
        return rows
    # A cross join is read in its order by SQLite: fund by fund, a look for each.
    return (
        f"{rows} UNION ALL SELECT {row} FROM (SELECT fund_code AS fund, (SELECT "
        "MAX(b.nav_date) FROM validated_nav AS b WHERE b.fund_code = f.fund_code "
        f"AND b.nav_date < {first:d}) AS newest FROM fund_info AS f WHERE {of}1 = 1) AS p "
        "CROSS JOIN validated_nav AS v WHERE v.fund_code = p.fund AND v.nav_date = p.newest"
    )


def _counts_sql(first: int, last: int) -> str:
    """How many rows each fund has, dated 0.

    The plus sign keeps SQLite from counting in date order: the index by fund is sorted.
    """
    return (
        "SELECT CAST(fund_code AS SIGNED) AS code, 0 AS nav_date, "
        "CAST(COUNT(*) AS DOUBLE) AS value FROM validated_nav "
        f"WHERE +nav_date BETWEEN {first:d} AND {last:d} GROUP BY fund_code"
    )


def _rows_sql(first: int, last: int) -> str:
    return (
        "SELECT CAST(fund_code AS SIGNED) AS code, nav_date, total_return_index AS value "
        f"FROM validated_nav WHERE nav_date BETWEEN {first:d} AND {last:d}"
    )
