"""The weekly job without its refetch, and the report, over the whole market.

Measures in a process of its own, on a copy of the warehouse of `data.py` with the metrics of
an evening in it: recheck, metrics, scores, walk-forward, upkeep and report, one after the other
as the job runs them, with seconds of each, the highest memory of the process and of its largest
child. Limits: 5 minutes on 2 cores and 2 GB in all, 20 s for the report.

    python benchmarks/bench_weekly.py
"""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import data

LIMIT_S, LIMIT_MB, REPORT_S = 300, 2_000, 20


def steps(state: str) -> dict[str, float]:
    """Every step of the job but the refetch, on a state folder; seconds of each."""
    import dagster as dg

    from fund_assets.calendar import iso_week
    from fund_assets.metrics.walk import summed
    from fund_assets.monitoring.weekly import write_weekly
    from fund_assets.platform import Platform
    from fund_assets.report.files import report_folder, write_page
    from fund_assets.report.page import walk_forward_page
    from fund_assets.settings import SHANGHAI
    from fund_assets.steps import measuring, scoring, validating, walking, weekly

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
    found = timed("recheck_s", lambda: weekly.recheck(
        warehouse, calendar, week, now, risk_free_rate=rate))  # fmt: skip
    timed("validate_s", lambda: validating.validate(warehouse, calendar, now))
    timed("metrics_s", lambda: measuring.measure(warehouse, rate))
    scored = timed("scores_s", lambda: scoring.score(warehouse, weights, rate, now))
    rows = timed("walk_forward_s", lambda: walking.walk_forward(
        warehouse, weights, rate, week, now))  # fmt: skip
    page = walk_forward_page(rows, summed(rows), now, settings.source)
    write_page(report_folder(settings) / "walk-forward.html", page)
    old = now - timedelta(days=2)
    kept = timed("upkeep_s", lambda: weekly.upkeep(
        warehouse, week, now, landing_before=old, prune_answers=int))  # fmt: skip
    instance = dg.DagsterInstance.ephemeral()
    written = timed("report_s", lambda: write_weekly(platform, instance, week, now))
    return {
        **times,
        "total_s": time.monotonic() - begun,
        "rows": found.rows,
        "rows_differing": found.differing,
        "metrics_compared": found.metrics_rows,
        "metrics_differing": found.metrics_differing,
        "scores": len(scored.scores) if scored.scores is not None else 0,
        "walk_forward_outcomes": len(rows),
        "metric_rows_deleted": kept["metric_rows"],
        "freed_bytes": kept["freed_bytes"],
        "rewritten": kept["rewritten"],
        "report_bytes": written.size,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "largest_child_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3,
    }


def prepare(state: Path) -> None:
    """A copy of the warehouse with an evening's metrics, and metrics of five old dates."""
    import pandas as pd

    from fund_assets.calendar import to_key
    from fund_assets.schemas.tables import FUND_METRICS, FUND_PEERS
    from fund_assets.steps import measuring
    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse.writes import insert

    target = state / "akshare" / "warehouse.db"
    target.parent.mkdir(parents=True)
    shutil.copy(data.warehouse_file(), target)
    warehouse = Warehouse(f"sqlite:///{target}")
    report = measuring.measure(warehouse, 0.015)
    monday = date(2026, 9, 7)
    for table in (FUND_METRICS, FUND_PEERS):
        rows = warehouse.columns(
            f"SELECT * FROM {table.name} WHERE calc_date = {report.calc_date}", table
        )
        for day in pd.date_range(monday, periods=5).date:
            with warehouse.transaction(writes=True) as connection:
                insert(connection, table, table.conform(rows.assign(calc_date=to_key(day))))
    warehouse.close()


def main() -> None:
    """Prepare, measure in another process, hold against the limits."""
    with tempfile.TemporaryDirectory(dir=data.folder(), ignore_cleanup_errors=True) as folder:
        state = Path(folder) / "state"
        prepare(state)
        done = subprocess.run(
            [sys.executable, __file__, "steps", str(state)],
            stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        found = json.loads(done.stdout.splitlines()[-1])
    for name, value in found.items():
        print(f"{name:>24} {value:>16,.1f}")
    assert found["total_s"] <= LIMIT_S, f"{found['total_s']:.0f} s, {LIMIT_S} are allowed"
    assert found["peak_mb"] <= LIMIT_MB, f"{found['peak_mb']:.0f} MB, {LIMIT_MB} are allowed"
    assert found["report_s"] <= REPORT_S, f"{found['report_s']:.0f} s, {REPORT_S} are allowed"


if __name__ == "__main__":
    if sys.argv[1:2] == ["steps"]:
        print(json.dumps(steps(sys.argv[2])))
    else:
        main()
