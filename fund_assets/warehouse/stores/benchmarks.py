"""What funds say they are measured against: writing it, and whom to ask next.

Belongs here: writes of `fund_benchmark` and its parts, closes, and reading them all for the
metrics. Does not belong here: reading the texts (`benchmarks/`), reads for people
(`warehouse/queries/benchmarks.py`).
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import pandas as pd
import sqlalchemy as sa

from fund_assets.benchmarks.series import read_series
from fund_assets.benchmarks.spelling import spell
from fund_assets.benchmarks.yardsticks import Part, Statement
from fund_assets.schemas.table import Table
from fund_assets.schemas.tables import BENCHMARK_INDEX, FUND_BENCHMARK, FUND_BENCHMARK_PART
from fund_assets.warehouse.engine.backend import quoted
from fund_assets.warehouse.engine.diff_writes import delete, insert, update, upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.warehouse import Warehouse


def due(warehouse: Warehouse, before: int, most: int) -> list[str]:
    """Listed funds to be asked for: those never asked, then those asked longest ago.

    Args:
        before: yyyymmdd; who was seen since then is not due.
        most: so many at the most.
    """
    return warehouse.column(
        str,
        "SELECT f.fund_code FROM fund_info AS f "
        "LEFT JOIN fund_benchmark AS b ON b.fund_code = f.fund_code "
        "WHERE f.status = 'listed' AND f.name NOT LIKE '%后端%' GROUP BY f.fund_code "
        "HAVING MAX(b.last_seen_on) IS NULL OR MAX(b.last_seen_on) < :before "
        "ORDER BY COALESCE(MAX(b.last_seen_on), 0), f.fund_code LIMIT :most",
        before=before,
        most=most,
    )


def read_by_others(warehouse: Warehouse, version: int) -> list[dict[str, Any]]:
    """Rows whose text was read by another version of the parser, oldest first."""
    return warehouse.rows(
        "SELECT * FROM fund_benchmark WHERE parser_version <> :version "
        "ORDER BY fund_code, first_seen_on",
        version=version,
    )


@retried
def write(
    warehouse: Warehouse,
    pages: Sequence[tuple[dict[str, Any], list[dict[str, Any]]]],
    *,
    same_text: bool,
) -> int:
    """Write what was read of some pages: a new row only where a page says another thing.

    Args:
        pages: a row of FUND_BENCHMARK, with `first_seen_on` and `last_seen_on` both the day of
            the look, and its rows of FUND_BENCHMARK_PART; of each fund once.
        same_text: the rows are stored ones, read anew; their two dates are their own.

    Returns:
        How many pages say another thing than before, or are seen for the first time.
    """
    changed = 0
    rows, parts = [], []
    with warehouse.transaction(writes=True) as connection:
        for page, read in pages:
            stored = None if same_text else _newest(connection, page["fund_code"])
            row = dict(page)
            if stored and all(
                stored[name] == row[name] for name in ("benchmark_text", "tracked_index")
            ):
                row |= {name: stored[name] for name in ("first_seen_on", "tracked_code")}
            elif not same_text:
                changed += 1
            rows.append(row)
            parts += [part | {"first_seen_on": row["first_seen_on"]} for part in read]
        if rows:
            pages = pd.DataFrame(rows, columns=["fund_code", "first_seen_on"])
            delete(connection, FUND_BENCHMARK_PART, pages)
            upsert(connection, FUND_BENCHMARK, FUND_BENCHMARK.conform(pd.DataFrame(rows)))
        if parts:
            insert(
                connection,
                FUND_BENCHMARK_PART,
                FUND_BENCHMARK_PART.conform(pd.DataFrame(parts)),
            )
    return changed


def unnamed(warehouse: Warehouse) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Names without a code: of tracked indices, and (series, variant, currency) of parts."""
    tracked = warehouse.column(
        str,
        "SELECT DISTINCT tracked_index FROM fund_benchmark "
        "WHERE tracked_index <> '' AND tracked_code = '' ORDER BY tracked_index",
    )
    parts = warehouse.tuples(
        "SELECT DISTINCT series, variant, currency FROM fund_benchmark_part "
        "WHERE kind = 'index' AND index_code = '' ORDER BY series, variant, currency"
    )
    return tracked, [(series, variant, currency) for series, variant, currency in parts]


@retried
def write_codes(
    warehouse: Warehouse,
    tracked: dict[str, str],
    parts: dict[tuple[str, str, str], str],
) -> None:
    """Give names their codes, wherever they stand without one."""
    with warehouse.transaction(writes=True) as connection:
        pages = _frame(connection, FUND_BENCHMARK, "tracked_index", "tracked_code = ''")
        pages["tracked_code"] = pages.pop("tracked_index").map(tracked)
        update(connection, FUND_BENCHMARK, pages.dropna())
        names = ["series", "variant", "currency"]
        read = _frame(
            connection,
            FUND_BENCHMARK_PART,
            ", ".join(names),
            "kind = 'index' AND index_code = ''",
        )
        read["index_code"] = pd.MultiIndex.from_frame(read[names]).map(parts)
        update(connection, FUND_BENCHMARK_PART, read.drop(columns=names).dropna())


def _frame(connection: sa.Connection, table: Table, names: str, where: str) -> pd.DataFrame:
    """The key and further columns of some rows."""
    columns = f"{quoted(table.primary_key)}, {names}"
    found = connection.exec_driver_sql(f'SELECT {columns} FROM "{table.name}" WHERE {where}')
    return pd.DataFrame(found.fetchall(), columns=list(found.keys()))


def read_statements(warehouse: Warehouse) -> dict[str, tuple[Statement, ...]]:
    """What the page of each fund said, oldest first; of equal pages it is the same object."""
    parts: dict[tuple[str, int], list[tuple[Any, ...]]] = {}
    for code, day, *values in warehouse.tuples(
        "SELECT fund_code, first_seen_on, kind, series, weight, variant, currency, index_code, "
        "annual_rate FROM fund_benchmark_part ORDER BY fund_code, first_seen_on, part"
    ):
        parts.setdefault((code, day), []).append(tuple(values))
    pages: dict[str, tuple[tuple[Any, ...], ...]] = {}
    for code, day, *values, since in warehouse.tuples(
        "SELECT fund_code, first_seen_on, tracked_code, tracked_index, status, "
        "CASE WHEN status = 'unknown' AND not_understood = '' THEN 0 ELSE 1 END, stated_since "
        "FROM fund_benchmark ORDER BY fund_code, first_seen_on"
    ):
        earlier = pages.get(code, ())
        begins = since or (day if earlier else 0)
        pages[code] = (*earlier, (begins, *values, tuple(parts.get((code, day), ()))))
    made = {page: tuple(map(_statement, page)) for page in set(pages.values())}
    return {code: made[page] for code, page in pages.items()}


def _statement(row: tuple[Any, ...]) -> Statement:
    begins, tracked, name, status, disclosed, parts = row
    variant = _variant(name) if tracked else ""
    read = tuple(Part(*values) for values in parts)
    return Statement(begins, tracked, variant, status, bool(disclosed), read)


@cache
def _variant(name: str) -> str:
    return read_series(spell(name)).variant


def read_closes(warehouse: Warehouse, since: int) -> pd.DataFrame:
    """All closes from a date (yyyymmdd) on: the columns of BENCHMARK_INDEX."""
    return warehouse.columns(
        f"SELECT * FROM benchmark_index WHERE nav_date >= {since:d}", BENCHMARK_INDEX
    )


@retried
def write_closes(warehouse: Warehouse, closes: pd.DataFrame) -> int:
    """Store closes of indices; returns how many are new or differ."""
    with warehouse.transaction(writes=True) as connection:
        return upsert(connection, BENCHMARK_INDEX, closes)


def newest_closes(warehouse: Warehouse, indices: Iterable[str]) -> dict[str, int | None]:
    """The newest stored date of each index, yyyymmdd; None without any close."""
    newest = warehouse.mapping(
        str, int, "SELECT index_code, MAX(nav_date) FROM benchmark_index GROUP BY index_code"
    )
    return {code: newest.get(code) for code in indices}


def _newest(connection: sa.Connection, fund_code: str) -> dict[str, Any] | None:
    found = connection.execute(
        sa.text(
            "SELECT * FROM fund_benchmark WHERE fund_code = :code "
            "ORDER BY first_seen_on DESC LIMIT 1"
        ),
        {"code": fund_code},
    ).mappings()
    row = found.first()
    return dict(row) if row else None
