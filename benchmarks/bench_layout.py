"""Which key order validated_nav should have on SQLite; the numbers of an architecture record.

The same 18 million rows stand in two tables, keyed (nav_date, fund_code) and (fund_code,
nav_date), each with the other order as an index, and both do what an evening and a reader
do. Needs about 5 GB of disk in FUND_BENCH_DIR while it runs. Prints a table.
"""

import os
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import data
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from fund_assets.warehouse.engine.bulk_reads import stream
from fund_assets.warehouse.engine.ddl import METADATA

AGAIN = 3
DATE_FIRST, FUND_FIRST = ("nav_date", "fund_code"), ("fund_code", "nav_date")
READ_SESSIONS, READ_FUNDS = 15, 25


def build(path: Path, source: Path, key: tuple[str, str]) -> None:
    """A database with nothing but validated_nav, keyed by `key`, filled in its order."""
    table = str(CreateTable(METADATA.tables["validated_nav"]).compile(dialect=sqlite.dialect()))
    declared = "PRIMARY KEY (nav_date, fund_code)"
    if declared not in table:
        raise RuntimeError(f"validated_nav is not declared with {declared}")
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in (
            "journal_mode = OFF",
            "synchronous = OFF",
            "ignore_check_constraints = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(table.replace(declared, f"PRIMARY KEY ({', '.join(key)})"))
        connection.execute("ATTACH ? AS source", (str(source),))
        connection.execute(
            "INSERT INTO main.validated_nav SELECT * FROM source.validated_nav "
            f"ORDER BY {', '.join(key)}"
        )
        connection.execute(f"CREATE INDEX other ON validated_nav ({', '.join(reversed(key))})")
    os.sync()  # or the first commits that are measured wait for what was built


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure(path: Path) -> dict[str, float]:
    """Seconds of each job, median of AGAIN, and the size."""
    found: dict[str, list[float]] = {}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        run = connection.execute
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
            run(f"PRAGMA {pragma}")
        dates = [
            date
            for (date,) in run(
                "SELECT DISTINCT nav_date FROM validated_nav ORDER BY nav_date DESC LIMIT ?",
                (READ_SESSIONS,),
            )
        ]
        (newest,) = run(
            "SELECT nav_date FROM validated_nav WHERE nav_date >= ? "
            "GROUP BY nav_date ORDER BY COUNT(*) DESC LIMIT 1",
            (dates[-1],),
        ).fetchone()
        funds = [
            fund
            for (fund,) in run(
                "SELECT fund_code FROM validated_nav WHERE nav_date = ? ORDER BY fund_code",
                (dates[-1],),
            )
        ]
        day = run("SELECT * FROM validated_nav WHERE nav_date = ?", (newest,)).fetchall()
        names = [column.name for column in METADATA.tables["validated_nav"].columns]
        at = names.index("nav_date")
        marks = ", ".join("?" for _ in names)

        def add(date: int, sign: str) -> None:
            rows = [(*row[:at], date, *row[at + 1 :]) for row in day]
            run("BEGIN IMMEDIATE")
            connection.executemany(
                f"INSERT INTO validated_nav VALUES ({marks}) ON CONFLICT "
                f"(nav_date, fund_code) DO UPDATE SET unit_nav = {sign}excluded.unit_nav",
                rows,
            )
            run("COMMIT")

        for n in range(AGAIN):
            new = 20_990_101 + n
            jobs: dict[str, Callable[[], object]] = {
                "new day": lambda new=new: add(new, ""),
                "same day again": lambda new=new: add(new, "1.001 * "),
                "log into file": lambda: run("PRAGMA wal_checkpoint(TRUNCATE)").fetchall(),
                f"last {READ_SESSIONS} dates": lambda: run(
                    "SELECT * FROM validated_nav WHERE nav_date BETWEEN ? AND ?",
                    (dates[-1], dates[0]),
                ).fetchall(),
                "one fund": lambda n=n: [
                    run("SELECT * FROM validated_nav WHERE fund_code = ? ORDER BY nav_date",
                        (code,)).fetchall()
                    for code in funds[n :: len(funds) // READ_FUNDS]
                ],
                "all rows, streamed": lambda: [None for _ in stream(
                    path, "SELECT CAST(fund_code AS INTEGER) AS code, nav_date, "
                    "total_return_index FROM validated_nav")],
            }  # fmt: skip
            for job, action in jobs.items():
                share = len(funds[n :: len(funds) // READ_FUNDS]) if job == "one fund" else 1
                found.setdefault(job, []).append(timed(action) / share)
    middle = {job: statistics.median(values) for job, values in found.items()}
    return {**middle, "size, GB": path.stat().st_size / 1e9}


def main() -> None:
    """Build both, measure both, print the table, remove both."""
    source = data.warehouse_file()
    results = {}
    for key in (DATE_FIRST, FUND_FIRST):
        path = data.folder() / "layout.db"
        seconds = timed(lambda path=path, key=key: build(path, source, key))
        results[key] = {"build": seconds, **measure(path)}
        print(key, results[key], file=sys.stderr)
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    heads = " | ".join(", ".join(key) for key in results)
    print(f"| job (seconds, median of {AGAIN}) | {heads} |")
    print("|---|---|---|")
    for job in results[DATE_FIRST]:
        print(f"| {job} | {results[DATE_FIRST][job]:.4f} | {results[FUND_FIRST][job]:.4f} |")


if __name__ == "__main__":
    main()
