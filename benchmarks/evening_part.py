"""A program: one measured part of the evening, in a process of its own.

    evening_part.py wave|metrics|first_plan WAREHOUSE [DAY or number of funds]

Prints one line of JSON: seconds of each step, processor seconds of all, and the highest
memory of this process and of the largest child that it started (the columnar reader).
"""

import json
import resource
import sqlite3
import sys
import tempfile
import time
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from threading import Thread

BEGUN = time.monotonic()


def wave(path: Path, day: str) -> dict[str, float]:
    """Collect, land, validate and merge the wave of an evening."""
    import data

    from fund_assets.settings import load_settings
    from fund_assets.sources.eastmoney import EastmoneySource
    from fund_assets.steps import collecting, validating
    from fund_assets.warehouse import Warehouse

    now = data.evening(date.fromisoformat(day))
    days = data.calendar()
    warehouse = Warehouse(f"sqlite:///{path}")
    with tempfile.TemporaryDirectory() as state:
        source = EastmoneySource.from_settings(load_settings(state=state, source="akshare"))
        start = time.monotonic()
        report = collecting.collect_wave(warehouse, source, lambda: now)
        collected = time.monotonic()
        (outcome,) = validating.validate(warehouse, days, now)
        merged = time.monotonic()
    if outcome.blocked_by or not outcome.counts["rows_new"]:
        raise RuntimeError(f"the wave was not merged: {outcome}")
    return {
        "collect_and_land_s": collected - start,
        "validate_and_merge_s": merged - collected,
        "total_s": merged - start,
        "share_classes": report.landing.landed["fund_code"].nunique(),
        **outcome.counts,
    }


def metrics(path: Path, _: str) -> dict[str, float]:
    """Compute and store all metrics of all funds."""
    from fund_assets.metrics import compute_metrics
    from fund_assets.metrics.peers import peer_ranks, with_coverage
    from fund_assets.warehouse import Warehouse, facts, measures

    warehouse = Warehouse(f"sqlite:///{path}")
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql("DELETE FROM fund_metrics")
        connection.exec_driver_sql("DELETE FROM fund_peers")
    start = time.monotonic()
    calc_date = facts.newest_published(warehouse)
    series = measures.read_series(warehouse, calc_date)
    read = time.monotonic()
    funds = measures.read_funds(warehouse)
    rate = measures.read_rate(warehouse, 0.015)
    benchmarks = measures.read_benchmarks(warehouse, funds)
    frame = compute_metrics(series, calc_date, risk_free_rate=rate, benchmarks=benchmarks)
    computed = time.monotonic()
    frame = with_coverage(frame, funds)
    peers = peer_ranks(frame, funds)
    ranked = time.monotonic()
    written = measures.write_metrics(warehouse, frame, peers)
    stored = time.monotonic()
    return {
        "read_s": read - start,
        "compute_s": computed - read,
        "peers_s": ranked - computed,
        "store_s": stored - ranked,
        "total_s": stored - start,
        "funds": len(series),
        "series_rows": series.rows,
        "rows_written": written,
        "peer_rows": len(peers),
    }


def first_plan(path: Path, funds: str) -> dict[str, float]:
    """The loop of the first plan over some funds with moving NAVs, spread over all."""
    import first_plan_loop

    with closing(sqlite3.connect(path)) as connection:
        codes = [
            code
            for (code,) in connection.execute(
                "SELECT fund_code FROM fund_info WHERE kind <> 'money' ORDER BY fund_code"
            )
        ]
    chosen = codes[:: len(codes) // int(funds)][: int(funds)]
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        start = time.monotonic()
        done = first_plan_loop.run(
            f"sqlite:///{path}", f"sqlite:///{folder}/results.db", chosen
        )
        total = time.monotonic() - start
    return {"total_s": total, "funds": done}


class Memory(Thread):
    """Watches the highest resident memory of this process and of each child it starts.

    Asks the kernel's own high-water marks ("VmHWM") fifty times a second: getrusage would
    count what the parent had when it started the child.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.children = 0.0
        self.start()

    def run(self) -> None:
        """Watch until the process ends."""
        # Until it has become its own program, a child is still this process's image.
        ours = Path("/proc/self/cmdline").read_bytes()
        while True:
            for task in Path("/proc/self/task").iterdir():
                with suppress(OSError):
                    for child in (task / "children").read_text().split():
                        if Path(f"/proc/{child}/cmdline").read_bytes() != ours:
                            self.children = max(self.children, self.peak(child))
            time.sleep(0.02)

    @staticmethod
    def peak(process: str = "self") -> float:
        """The highest resident memory of a process in MB, 0 when it has gone."""
        with suppress(OSError):
            for line in Path(f"/proc/{process}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024 / 1e6
        return 0.0


def main() -> None:
    """Run the part named on the command line."""
    part, path, argument = sys.argv[1:4]
    memory = Memory()
    result = {"wave": wave, "metrics": metrics, "first_plan": first_plan}[part](
        Path(path), argument
    )
    result["process_s"] = time.monotonic() - BEGUN
    result["own_peak_mb"], result["child_peak_mb"] = memory.peak(), memory.children
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    result["cpu_s"] = sum(one.ru_utime + one.ru_stime for one in used)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
