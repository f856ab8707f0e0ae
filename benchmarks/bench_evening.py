"""The evening on a whole market, measured; writes benchmarks/results.md.

    python benchmarks/bench_evening.py [--sample FUNDS] [--again N]

(a) the wave: collect over HTTPS from a market in another process, land, validate, merge
    into a warehouse that holds 756 sessions. Each run publishes the next session.
(b) metrics of every fund, all windows, from the stored index to the stored table.
(c) the same for every tenth fund, hence a tenth of the rows.
(d) the loop of the first plan on a sample of the same funds of the same warehouse.

Every part runs in a process of its own, which is started for it: no cache of an earlier
part, and its peak memory is its own. The operating system's file cache is warm.
"""

import argparse
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

import data

from fund_assets.warehouse import Warehouse

HERE = Path(__file__).resolve().parent
LIBRARIES = ("numpy", "numba", "pandas", "pyarrow", "connectorx", "sqlalchemy", "akshare")


def run_part(part: str, url: str, argument: str, env: dict[str, str]) -> dict[str, float]:
    """One part in its own process."""
    done = subprocess.run(
        [sys.executable, str(HERE / "evening_part.py"), part, url, argument],
        env={**os.environ, "PYTHONPATH": str(HERE.parent), **env},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def market(day: date) -> Iterator[dict[str, str]]:
    """The market of an evening in a process of its own; the environment to reach it."""
    with subprocess.Popen(
        [sys.executable, str(HERE / "market_process.py"), day.isoformat()],
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait()


@contextmanager
def a_tenth(path: Path) -> Iterator[str]:
    """A warehouse with every tenth fund of another."""
    with tempfile.TemporaryDirectory(dir=data.folder()) as folder:
        url = f"sqlite:///{folder}/warehouse.db"
        small = Warehouse(url)
        small.init("akshare")
        small.close()
        with closing(sqlite3.connect(f"{folder}/warehouse.db")) as connection:
            connection.execute("ATTACH ? AS whole", (str(path),))
            for name in ("fund_info", "benchmark_index", "collection_batch", "publish_log",
                         "fund_benchmark", "fund_benchmark_part"):  # fmt: skip
                connection.execute(f"INSERT INTO {name} SELECT * FROM whole.{name}")
            connection.execute(
                "INSERT INTO validated_nav SELECT * FROM whole.validated_nav "
                "WHERE fund_code IN (SELECT fund_code FROM (SELECT fund_code, "
                "ROW_NUMBER() OVER (ORDER BY fund_code) AS n FROM fund_info) WHERE n % 10 = 0)"
            )
            connection.commit()
        yield url


def measure(path: Path, sample: int, again: int) -> dict[str, list[dict[str, float]]]:
    """All parts, `again` times."""
    url = f"sqlite:///{path}"
    found: dict[str, list[dict[str, float]]] = {
        "wave": [], "metrics": [], "tenth": [], "first_plan": [],
    }  # fmt: skip
    for _ in range(again):
        day = data.next_session(url)
        with market(day) as env:
            found["wave"].append(run_part("wave", url, day.isoformat(), env))
        found["metrics"].append(run_part("metrics", url, "", {}))
        with a_tenth(path) as small:
            found["tenth"].append(run_part("metrics", small, "", {}))
        found["first_plan"].append(run_part("first_plan", url, str(sample), {}))
        for part, runs in found.items():
            print(part, json.dumps(runs[-1]), file=sys.stderr)
    return found


def median(runs: list[dict[str, float]], name: str) -> float:
    """The median of one figure."""
    return statistics.median(run[name] for run in runs)


def spread(runs: list[dict[str, float]], name: str) -> str:
    """Median, and the range where there is more than one run."""
    values = [run[name] for run in runs]
    text = f"{statistics.median(values):.1f}"
    return text if len(values) == 1 else f"{text} ({min(values):.1f} to {max(values):.1f})"


def peak(run: dict[str, float]) -> float:
    """Memory of the process and its largest child together: no less than the true peak."""
    return run["own_peak_mb"] + run["child_peak_mb"]


def report(found: dict[str, list[dict[str, float]]], load: float) -> tuple[str, bool]:
    """The page, and whether every limit is kept."""
    wave, metrics, loop = found["wave"], found["metrics"], found["first_plan"]
    ours_ms = [run["total_s"] / run["funds"] * 1e3 for run in metrics]
    theirs_ms = [run["total_s"] / run["funds"] * 1e3 for run in loop]
    ratio = statistics.median(theirs_ms) / statistics.median(ours_ms)
    wave_mb = max(map(peak, wave))
    tenth = found["tenth"]
    growth = median(metrics, "total_s") / median(tenth, "total_s")
    kept = (
        median(wave, "total_s") <= 12,
        wave_mb <= 800,
        median(metrics, "total_s") <= 15,
        growth <= 11,
        ratio >= 20,
    )
    last = metrics[-1]
    own = last["own"]
    stored = f"{last['rows_written']:,.0f} rows, {last['peer_rows']:,.0f} of peers"
    said = ["yes" if well else "**no**" for well in kept]
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    page = f"""# Benchmarks: the evening on a whole market

For readers who want to know how fast an evening is, and how that was measured.

Written by `benchmarks/bench_evening.py` on {datetime.now(UTC):%Y-%m-%d} (UTC).

| what | measured | limit | kept |
|---|---|---|---|
| wave: collect, land, validate, merge | {spread(wave, "total_s")} s | 12 s | {said[0]} |
| its peak memory | {wave_mb:.0f} MB | 800 MB | {said[1]} |
| fund_metrics of the market | {spread(metrics, "total_s")} s | 15 s | {said[2]} |
| the same, times that of a tenth of the rows | {growth:.1f} times | 11 times | {said[3]} |
| first plan's loop against ours, per fund | {ratio:.0f} times | 20 times | {said[4]} |

| part | step | seconds |
|---|---|---|
| wave | collect and land | {spread(wave, "collect_and_land_s")} |
| | validate and merge | {spread(wave, "validate_and_merge_s")} |
| | whole process, with imports | {spread(wave, "process_s")} |
| | its processor time, all threads and children | {spread(wave, "cpu_s")} |
| metrics | read {metrics[-1]["series_rows"]:,.0f} index values | {spread(metrics, "read_s")} |
| | benchmarks, {own:,.0f} the funds' own | {spread(metrics, "benchmarks_s")} |
| | compute 9 windows | {spread(metrics, "compute_s")} |
| | coverage, cadence and peers | {spread(metrics, "peers_s")} |
| | store {stored}, and the states of all funds | {spread(metrics, "store_s")} |
| | whole process, with imports | {spread(metrics, "process_s")} |
| | its processor time, all threads and children | {spread(metrics, "cpu_s")} |
| a tenth | {tenth[-1]["series_rows"]:,.0f} index values | {spread(tenth, "total_s")} |
| first plan | {loop[-1]["funds"]:.0f} funds | {spread(loop, "total_s")} |
| | its processor time, with imports | {spread(loop, "cpu_s")} |

Per fund: ours {statistics.median(ours_ms):.2f} ms, the first plan's loop
{statistics.median(theirs_ms):.1f} ms. Peak memory of metrics: {max(map(peak, metrics)):.0f} MB.
The last wave had {wave[-1]["share_classes"]:,.0f} share classes and
{wave[-1]["rows_read"]:,.0f} observations: {wave[-1]["rows_new"]:,.0f} new,
{wave[-1]["rows_changed"]:,.0f} corrected, {wave[-1]["rows_filled"]:,.0f} filled in,
{wave[-1]["rows_unchanged"]:,.0f} unchanged,
{wave[-1]["rows_quarantined"]:,.0f} quarantined, {wave[-1]["rows_pending"]:,.0f} not yet
published.

## How it was measured
- Machine: {machine()}. When it began, other work wanted {load:.1f} cores (load average); it
  ran with niceness {os.nice(0)}.
- Python {platform.python_version()}; {libraries}.
- Data: `benchmarks/data.py`, {data.FUNDS:,} share classes of the simulated market over
  {data.SESSIONS} sessions in a SQLite warehouse, files in the operating system's cache.
- {len(wave)} runs, median and range. Each part ran in a separate process. Seconds are wall
  clock time from the first call of the step to the return of the last. The rows "whole process"
  also include the start and the imports of the process.
- The wave came over HTTPS from a market in another process, in eastmoney's wire formats. The
  default rate limit is one request a second, so up to two seconds of the wave are waiting.
- Memory is the highest resident set of the process plus that of its largest child (the columnar
  reader), as if both were at their highest at the same time.
- Our time includes reading, computing and storing (into an empty table), divided by the
  number of funds. The first plan's loop includes the same: one query, pandas and one append for
  each fund.
"""
    return page, all(kept)


def machine() -> str:
    """The processor and memory in words."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, {platform.system()}"


def main() -> None:
    """Measure, print and keep the page; exit 1 when a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=200, help="funds for the first plan")
    parser.add_argument("--again", type=int, default=3, help="runs")
    chosen = parser.parse_args()
    path = data.warehouse_file()
    load = os.getloadavg()[0]
    page, kept = report(measure(path, chosen.sample, chosen.again), load)
    (HERE / "results.md").write_text(page, encoding="utf-8")
    print(page)
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
