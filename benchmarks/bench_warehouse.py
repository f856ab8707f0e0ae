"""The warehouse at full size on both engines, measured; writes benchmarks/warehouse.md.

    python benchmarks/bench_warehouse.py [--only sqlite|mariadb]

The warehouse of `data.py` (18 million accepted NAVs) is copied into an empty SQLite file and
into a MariaDB server that is started for it; then each is read, written and published into.
Every part runs in a process of its own. Exit code 1 when a limit is not kept.
"""

import argparse
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import data
from bench_evening import machine, market, peak, run_part

HERE = Path(__file__).resolve().parent
SERVER = ("--innodb-buffer-pool-size=4G", "--innodb-log-file-size=1G")
LIBRARIES = ("sqlalchemy", "connectorx", "mysql-connector-python", "pandas", "pyarrow")
#: part → figure, what it is, limit by engine, unit.
LIMITS = {
    "load": ("validated_nav_s", "bulk load of validated_nav",
             {"SQLite": 60, "MariaDB": 60}, "s"),
    "read": ("total_s", "three columns of all rows into NumPy",
             {"SQLite": 6, "MariaDB": 9}, "s"),
    "fund": ("total_s", "one fund's whole history", {"SQLite": 0.02, "MariaDB": 0.02}, "s"),
    "returns": ("total_s", "a year of returns of 3,000 share classes",
                {"SQLite": 4, "MariaDB": 4}, "s"),
    "day": ("total_s", "one day of the market into an empty table", {}, "s"),
    "wave": ("merge_s", "merge of a wave: history, corrections, quarantine, log",
             {"SQLite": 1.5, "MariaDB": 1.5}, "s"),
    "metrics": ("total_s", "fund_metrics: read, compute, rank, store",
                {"SQLite": 15, "MariaDB": 20}, "s"),
}  # fmt: skip
MEMORY_MB = 2_000


def measure(engine: str, url: str) -> dict[str, dict[str, float]]:
    """All parts on one engine."""
    found = {"load": run_part("load", url, str(data.warehouse_file()), {})}
    for part, argument in (("read", ""), ("fund", "50"), ("returns", "3000"), ("day", "")):
        found[part] = run_part(part, url, argument, {})
    for _ in range(2):  # the first wave after a load finds nothing in the caches
        evening = data.next_session(url)
        with market(evening) as env:
            found["wave"] = run_part("wave", url, evening.isoformat(), env)
    found["metrics"] = run_part("metrics", url, "", {})
    for part, figures in found.items():
        print(engine, part, figures, file=sys.stderr)
    return found


def report(found: dict[str, dict[str, dict[str, float]]], load: float) -> tuple[str, bool]:
    """The page, and whether every limit is kept."""
    lines, kept = [], True
    for part, (figure, what, limits, unit) in LIMITS.items():
        for engine, parts in found.items():
            run, limit = parts[part], limits.get(engine)
            well = (limit is None or run[figure] <= limit) and peak(run) <= MEMORY_MB
            kept &= well
            ratio = f"{run['ratio']:.0f} times" if "ratio" in run else ""
            lines.append(
                f"| {what} | {engine} | {run[figure]:.3g} {unit} | "
                f"{f'{limit:g} {unit}' if limit else ''} | {'yes' if well else '**no**'} | "
                f"{ratio} | {peak(run):,.0f} MB |"
            )
    rows = next(iter(found.values()))["load"]["rows"]
    table = "\n".join(lines)
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    page = f"""# Benchmarks: the warehouse on both engines

For readers who choose between SQLite and MariaDB, and want to know how that was measured.

Written by `benchmarks/bench_warehouse.py` on {datetime.now(UTC):%Y-%m-%d} (UTC):
{rows:,.0f} accepted NAVs of {data.FUNDS:,} share classes.

| what | engine | measured | limit | kept | pandas takes | peak memory |
|---|---|---|---|---|---|---|
{table}

- Machine: {machine()}. When it began, other work wanted {load:.1f} cores (load average).
- Python {platform.python_version()}; {libraries}; MariaDB started with {" ".join(SERVER)},
  every commit on the disk before it is answered.
- *pandas takes* compares with pandas.read_sql on a tenth of the dates. For writing,
  it compares with DataFrame.to_sql into a table without keys, on the same rows in the same
  process.
- The load writes rows in the order of their key and then makes the index by fund. It reads
  them from the SQLite file at the same time. The wave is the second after the load. The whole
  evening is in `results.md`. One fund is the median of 50.
- Memory is the highest resident set of the process plus that of its largest child. The limit
  for every part is {MEMORY_MB:,} MB. The server of MariaDB is not counted.
"""
    return page, kept


def main() -> None:
    """Measure, print and keep the page."""
    from fund_assets_tests.mariadb import Server

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("sqlite", "mariadb"))
    only = parser.parse_args().only
    data.warehouse_file()
    load = os.getloadavg()[0]
    found = {}
    if only != "mariadb":
        with tempfile.TemporaryDirectory(dir=data.folder()) as folder:
            found["SQLite"] = measure("SQLite", f"sqlite:///{folder}/warehouse.db")
    if only != "sqlite":
        server = Server(*SERVER, durable=True)
        try:
            found["MariaDB"] = measure("MariaDB", f"{server.url}/fund_assets")
        finally:
            server.stop()
    page, kept = report(found, load)
    print(page)
    if not only:
        (HERE / "warehouse.md").write_text(page, encoding="utf-8")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
