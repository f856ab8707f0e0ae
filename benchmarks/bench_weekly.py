"""The weekly job without its refetch, and the report, over the whole market.

Measures in a process of its own, on a copy of the warehouse of `data.py` with the metrics of
an evening in it: recheck, metrics, scores, walk-forward, upkeep and report, one after the other
as the job runs them, with seconds of each and the memory of all. Limits: 5 minutes on 2 cores
and 2 GB in all, 20 s for the report. Writes benchmarks/weekly.md.

    python benchmarks/bench_weekly.py
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import data
import psutil
from bench_evening import machine

LIMIT_S, LIMIT_MB, REPORT_S = 300, 2_000, 20
SAMPLE_S = 0.1
#: Figure → what it is, and its unit.
WORDS = {
    "total_s": ("the weekly job without fetching", " s"),
    "recheck_s": ("recheck: index and metrics of everything, compared", " s"),
    "metrics_s": ("metrics", " s"),
    "scores_s": ("scores", " s"),
    "walk_forward_s": ("walk-forward", " s"),
    "upkeep_s": ("upkeep: prune and tidy", " s"),
    "report_s": ("report", " s"),
    "peak_mb": ("memory", " MB"),
    "rows": ("accepted NAVs rechecked", ""),
    "rows_differing": ("of them stored otherwise", ""),
    "metrics_compared": ("rows of metrics compared", ""),
    "metrics_differing": ("of them stored otherwise", ""),
    "scores": ("share classes scored", ""),
    "metric_rows_deleted": ("rows of old metrics and positions deleted", ""),
    "report_bytes": ("size of the report", " bytes"),
}


def steps(state: str) -> dict[str, float]:
    """Every step of the job but the refetch, on a state folder; seconds of each."""
    import dagster as dg

    from fund_assets.calendar import iso_week
    from fund_assets.observability.operations import operations
    from fund_assets.pipeline import (
        fund_metrics,
        fund_scores,
        history_recheck,
        validated_nav,
        walk_forward,
        warehouse_upkeep,
    )
    from fund_assets.pipeline.weekly_report import write_weekly
    from fund_assets.resources import Platform
    from fund_assets.settings import SHANGHAI

    sunday = data.BUILT_UNTIL + timedelta(days=6 - data.BUILT_UNTIL.weekday())
    now = datetime(sunday.year, sunday.month, sunday.day, 2, tzinfo=SHANGHAI)
    platform = Platform(
        overrides={"source": "akshare", "state": state, "clock": now.isoformat()}
    )
    settings, warehouse, week = platform.settings, platform.warehouse, iso_week(sunday)
    rate, weights = settings.risk_free_rate, settings.score_weights
    times: dict[str, float] = {}
    begun = time.monotonic()

    def timed(name: str, call):
        start = time.monotonic()
        result = call()
        times[name] = time.monotonic() - start
        return result

    calendar = data.calendar()
    found = timed("recheck_s", lambda: history_recheck.recheck(
        warehouse, calendar, week, now, risk_free_rate=rate))  # fmt: skip
    timed("validate_s", lambda: validated_nav.validate(warehouse, calendar, now))
    timed("metrics_s", lambda: fund_metrics.measure(warehouse, rate))
    scored = timed("scores_s", lambda: fund_scores.score(warehouse, weights, rate, now))
    walk = timed("walk_forward_s", lambda: walk_forward.walk_forward(
        warehouse, weights, rate, week, now))  # fmt: skip
    walk_forward.write_walk_forward(settings, walk, now)
    old = now - timedelta(days=2)
    kept = timed("upkeep_s", lambda: warehouse_upkeep.upkeep(
        warehouse, week, now, landing_before=old, prune_answers=int))  # fmt: skip
    instance = dg.DagsterInstance.ephemeral()
    written = timed("report_s", lambda: write_weekly(
        warehouse, settings, week, operations(platform, instance, now)))  # fmt: skip
    return {
        **times,
        "total_s": time.monotonic() - begun,
        "rows": found.rows,
        "rows_differing": found.differing,
        "metrics_compared": found.metrics_rows,
        "metrics_differing": found.metrics_differing,
        "scores": len(scored.scores) if scored.scores is not None else 0,
        "walk_forward_outcomes": len(walk.rows),
        "metric_rows_deleted": kept["metric_rows"],
        "freed_bytes": kept["freed_bytes"],
        "rewritten": kept["rewritten"],
        "report_bytes": written.size,
    }


def prepare(state: Path) -> None:
    """A copy of the warehouse with an evening's metrics, and metrics of five old dates."""
    import pandas as pd

    from fund_assets.calendar import to_key
    from fund_assets.pipeline import fund_metrics
    from fund_assets.schemas.tables import FUND_METRICS, FUND_PEERS
    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse.engine.diff_writes import insert

    target = state / "akshare" / "warehouse.db"
    target.parent.mkdir(parents=True)
    shutil.copy(data.warehouse_file(), target)
    warehouse = Warehouse(f"sqlite:///{target}")
    report = fund_metrics.measure(warehouse, 0.015)
    monday = date(2026, 9, 7)
    for table in (FUND_METRICS, FUND_PEERS):
        rows = warehouse.columns(
            f"SELECT * FROM {table.name} WHERE calc_date = {report.calc_date}", table
        )
        for day in pd.date_range(monday, periods=5).date:
            with warehouse.transaction(writes=True) as connection:
                insert(connection, table, table.conform(rows.assign(calc_date=to_key(day))))
    warehouse.close()


def watched(command: list[str]) -> tuple[bytes, float]:
    """The output of a program, and the most memory that it and its children held, in MB."""
    most = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        root = psutil.Process(process.pid)
        while process.poll() is None:
            total = 0
            for one in (root, *root.children(recursive=True)):
                with suppress(psutil.Error):
                    total += one.memory_info().rss
            most = max(most, total / 1e6)
            time.sleep(SAMPLE_S)
        assert process.stdout
        output = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return output, most


PAGE = """# Benchmarks: the weekly job on a whole market

For readers who want to know how long Sunday's job takes, and how that was measured.

Written by `benchmarks/bench_weekly.py` on {day} (UTC).

| what | measured | limit |
|---|--:|--:|
{rows}

- Machine: {machine}. When it began, other work wanted {load:.1f} cores (load average).
- Data: `benchmarks/data.py`, {funds:,} share classes, {sessions} sessions, a SQLite warehouse,
  with the metrics of an evening and those of five older dates; the job deletes four of
  these dates.
- One run, with every step in the same process, as in the job. Memory is the highest sum of the
  resident sets of the process and its children, measured ten times a second.
"""


def page(found: dict[str, float], load: float) -> str:
    """The page of figures."""
    limits = {"total_s": LIMIT_S, "peak_mb": LIMIT_MB, "report_s": REPORT_S}
    rows = []
    for name, (words, unit) in WORDS.items():
        limit = f"{limits[name]:,}{unit}" if name in limits else ""
        digits = 1 if unit == " s" else 0
        rows.append(f"| {words} | {found[name]:,.{digits}f}{unit} | {limit} |")
    return PAGE.format(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        rows="\n".join(rows),
        machine=machine(),
        load=load,
        funds=data.FUNDS,
        sessions=data.SESSIONS,
    )


def main() -> None:
    """Prepare, measure in another process, write the page, hold against the limits."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(dir=data.folder(), ignore_cleanup_errors=True) as folder:
        state = Path(folder) / "state"
        prepare(state)
        output, most = watched([sys.executable, __file__, "steps", str(state)])
        found = {**json.loads(output.splitlines()[-1]), "peak_mb": most}
    text = page(found, load)
    (Path(__file__).parent / "weekly.md").write_text(text, encoding="utf-8")
    print(text)
    over = [
        f"{name} {found[name]:,.0f}, {limit:,} are allowed"
        for name, limit in (("total_s", LIMIT_S), ("peak_mb", LIMIT_MB), ("report_s", REPORT_S))
        if found[name] > limit
    ]
    sys.exit("; ".join(over))


if __name__ == "__main__":
    if sys.argv[1:2] == ["steps"]:
        print(json.dumps(steps(sys.argv[2])))
    else:
        main()
