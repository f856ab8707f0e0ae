"""Taking 18 million accepted NAVs away as files, measured; writes benchmarks/export.md.

    python benchmarks/bench_export.py

`fund-assets export nav` into Parquet and CSV, and beside it what one would write by hand:
pandas.read_sql in chunks, each appended to a Parquet file. The warehouse of `data.py` is read
and not changed; files are written into a temporary folder. Every part runs in a process of
its own. Exit code 1 when a limit is not kept.
"""

import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import data
from bench_evening import machine, peak, run_part

HERE = Path(__file__).resolve().parent
LIBRARIES = ("pyarrow", "adbc-driver-sqlite", "pandas", "sqlalchemy")
LIMIT_S, LIMIT_MB = 60, 1_000
PARTS = {
    "`fund-assets export nav --format parquet`": ("export", "nav.parquet"),
    "`fund-assets export nav --format csv`": ("export", "nav.csv"),
    "pandas.read_sql in chunks of 500,000, to Parquet": ("pandas_export", "pandas.parquet"),
}


def main() -> None:
    """Measure, print and keep the page."""
    url = f"sqlite:///{data.warehouse_file()}"
    load = os.getloadavg()[0]
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for what, (part, name) in PARTS.items():
            found[what] = run_part(part, url, f"{folder}/{name}", {})
            print(what, found[what], file=sys.stderr)
    ours, _, theirs = found.values()
    if len({run["rows"] for run in found.values()}) != 1:
        raise RuntimeError(f"the parts differ in rows: {found}")
    lines = [
        f"| {what} | {run['total_s']:.1f} s | {run['cpu_s']:.1f} s "
        f"| {peak(run):,.0f} MB | {run['size_mb']:,.0f} MB |"
        for what, run in found.items()
    ]
    table = "\n".join(lines)
    kept = ours["total_s"] <= LIMIT_S and peak(ours) <= LIMIT_MB
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    page = f"""# Benchmarks: data export

For readers who want to know how fast an export is, and how that was measured.

Written by `benchmarks/bench_export.py` on {datetime.now(UTC):%Y-%m-%d} (UTC):
{ours["rows"]:,.0f} accepted NAVs, all 11 columns, from SQLite.

| what | time | processor time | peak memory | file |
|---|---|---|---|---|
{table}

Limit for Parquet: {LIMIT_S} s and {LIMIT_MB:,} MB, {"kept" if kept else "**not kept**"}. Pandas
takes {theirs["cpu_s"] / ours["cpu_s"]:.1f} times the processor time. Our export also
converts whole numbers to dates and times and writes the data dictionary.
The pandas loop does not.

- Machine: {machine()}. When it began, other work wanted {load:.1f} cores (load average);
  it ran with niceness {os.nice(0)}.
- Python {platform.python_version()}; {libraries}. Files in the operating system's cache.
- Processor time is that of the whole process and its children, with imports. Other work on the
  machine has little effect on it. Memory is the highest resident set of the process plus that
  of its largest child (the columnar reader), as if both were at their highest at the same time.
"""
    print(page)
    (HERE / "export.md").write_text(page, encoding="utf-8")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
