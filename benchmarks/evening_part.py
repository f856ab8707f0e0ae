"""A program: one measured part of the evening, in a process of its own.

    evening_part.py wave|metrics|first_plan|read|fund|returns|load|day|export|... URL ARGUMENT

Prints one line of JSON: seconds of each step, processor seconds of all, and the highest
memory of this process and of the largest child that it started (the columnar reader).
"""

import json
import resource
import sys
import tempfile
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from threading import Thread

BEGUN = time.monotonic()


def wave(url: str, day: str) -> dict[str, float]:
    """Collect, land, validate and merge the wave of an evening."""
    import data

    from fund_assets.pipeline import fund_nav, validated_nav
    from fund_assets.settings import load_settings
    from fund_assets.sources.eastmoney.source import EastmoneySource
    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse.stores import publish

    now = data.evening(date.fromisoformat(day))
    days = data.calendar()
    warehouse = Warehouse(url)
    with tempfile.TemporaryDirectory() as state:
        source = EastmoneySource.from_settings(load_settings(state=state, source="akshare"))
        writing = _first_call(publish, "_write")
        start = time.monotonic()
        report = fund_nav.collect_wave(warehouse, source, lambda: now)
        collected = time.monotonic()
        classes = report.landing.landed["fund_code"].nunique()
        del report  # as where fund_nav ends before validated_nav begins
        (outcome,) = validated_nav.validate(warehouse, days, now)
        merged = time.monotonic()
    if outcome.blocked_by or not outcome.counts["rows_new"]:
        raise RuntimeError(f"the wave was not merged: {outcome}")
    return {
        "collect_and_land_s": collected - start,
        "validate_and_merge_s": merged - collected,
        "merge_s": merged - writing[0],
        "total_s": merged - start,
        "share_classes": classes,
        **outcome.counts,
    }


def _first_call(module: object, name: str) -> list[float]:
    """When a function of a module is called for the first time, once it has been."""
    called: list[float] = []
    function = getattr(module, name)

    def noting(*arguments, **named):
        called.append(time.monotonic())
        return function(*arguments, **named)

    setattr(module, name, noting)
    return called


def metrics(url: str, _: str) -> dict[str, float]:
    """Compute and store all metrics of all funds."""
    from fund_assets.pipeline import fund_metrics
    from fund_assets.warehouse import Warehouse

    warehouse = Warehouse(url)
    with warehouse.transaction(writes=True) as connection:
        for table in ("fund_metrics", "fund_peers", "fund_cadence", "fund_state"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    chosen = _first_call(fund_metrics, "compute_metrics")
    ranked = _first_call(fund_metrics, "with_coverage")
    writing = _first_call(fund_metrics.metrics_store, "write_metrics")
    read: list[float] = []
    start = time.monotonic()
    report = fund_metrics.measure(
        warehouse, 0.015, progress=lambda words: read.append(time.monotonic())
    )
    stored = time.monotonic()
    counted = "SELECT COUNT(*) FROM "
    return {
        "read_s": read[0] - start,
        "benchmarks_s": chosen[0] - read[0],
        "compute_s": ranked[0] - chosen[0],
        "peers_s": writing[0] - ranked[0],
        "store_s": stored - writing[0],
        "total_s": stored - start,
        "funds": report.funds,
        "series_rows": warehouse.count(f"{counted}validated_nav"),
        "rows_written": report.rows_written,
        "peer_rows": warehouse.count(f"{counted}fund_peers"),
        "own": sum(n for basis, n in (report.bases or {}).items() if basis != "type"),
    }


def first_plan(url: str, funds: str) -> dict[str, float]:
    """The loop of the first plan over some funds with moving NAVs, spread over all."""
    import first_plan_loop

    from fund_assets.warehouse import Warehouse

    sql = "SELECT fund_code FROM fund_info WHERE kind <> 'money' ORDER BY fund_code"
    codes = [row["fund_code"] for row in Warehouse(url).rows(sql)]
    chosen = codes[:: len(codes) // int(funds)][: int(funds)]
    folder = Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite") else None
    with tempfile.TemporaryDirectory(dir=folder) as results:
        start = time.monotonic()
        done = first_plan_loop.run(url, f"sqlite:///{results}/results.db", chosen)
        total = time.monotonic() - start
    return {"total_s": total, "funds": done}


def read(url: str, _: str) -> dict[str, float]:
    """Three columns of all rows into NumPy; and a tenth of the dates, against pandas."""
    import numpy as np
    import pandas as pd

    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse.engine.bulk_reads import stream

    warehouse = Warehouse(url)
    sql = (
        "SELECT CAST(fund_code AS SIGNED) AS code, nav_date, total_return_index AS value "
        "FROM validated_nav"
    )

    def ours(query: str) -> tuple[int, float]:
        start = time.monotonic()
        parts = [
            [np.asarray(batch[name]) for name in ("code", "nav_date", "value")]
            for batch in stream(warehouse.backend, query)
        ]
        code, _, _ = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return len(code), time.monotonic() - start

    rows, seconds = ours(sql)
    dates = warehouse.rows("SELECT DISTINCT nav_date FROM validated_nav ORDER BY nav_date")
    some = f"{sql} WHERE nav_date >= {dates[-len(dates) // 10]['nav_date']}"
    sample, sample_s = ours(some)
    with warehouse.transaction() as connection:
        start = time.monotonic()
        frame = pd.read_sql(some.replace("'", ""), connection)
        pandas_s = time.monotonic() - start
    assert len(frame) == sample
    return {"rows": rows, "total_s": seconds, "ratio": pandas_s / sample_s}


def fund(url: str, number: str) -> dict[str, float]:
    """The whole history of one fund, as `fund-assets nav` reads it: median of some."""
    import statistics

    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse.queries import nav as nav_queries

    warehouse = Warehouse(url)
    codes = nav_queries.codes(warehouse)
    seconds, rows = [], 0
    for code in codes[:: len(codes) // int(number)]:
        start = time.monotonic()
        rows += len(nav_queries.history(warehouse, code))
        seconds.append(time.monotonic() - start)
    return {"total_s": statistics.median(seconds), "rows": rows / len(seconds)}


def returns(url: str, number: str) -> dict[str, float]:
    """A year of daily returns of so many funds, spread over all, as researchers ask for it."""
    from datetime import timedelta

    from fund_assets import Funds
    from fund_assets.calendar import from_key
    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse.queries import nav as nav_queries

    warehouse = Warehouse(url)
    codes = nav_queries.codes(warehouse)
    chosen = codes[:: len(codes) // int(number)][: int(number)]
    newest = from_key(warehouse.number("SELECT MAX(nav_date) FROM validated_nav"))
    with Funds(url) as funds:
        start = time.monotonic()
        found = funds.returns(chosen, since=newest - timedelta(365))
        seconds = time.monotonic() - start
    return {"total_s": seconds, "funds": found.shape[1], "dates": len(found)}


def load(url: str, source: str) -> dict[str, float]:
    """Copy a warehouse from its SQLite file: all of it, and validated_nav with its index."""
    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse import copy as warehouse_copy

    begun: dict[str, float] = {}
    rows: dict[str, int] = {}

    def tell(table, done, _total):
        begun.setdefault(table.name, time.monotonic())
        rows[table.name] = done

    start = time.monotonic()
    warehouse_copy.copy(Warehouse(f"sqlite:///{source}"), Warehouse(url), tell)
    end = time.monotonic()
    after = min((at for at in begun.values() if at > begun["validated_nav"]), default=end)
    return {
        # The first batch has been written when its table is told of for the first time.
        "validated_nav_s": (after - begun["validated_nav"])
        * rows["validated_nav"]
        / max(rows["validated_nav"] - warehouse_copy.BATCH_ROWS, 1),
        "total_s": end - start,
        "rows": rows["validated_nav"],
    }


def day(url: str, _: str) -> dict[str, float]:
    """The fullest day of the market into an empty table, ours and by pandas.to_sql."""
    from fund_assets.schemas.tables import FUND_INFO, VALIDATED_NAV
    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse.engine.diff_writes import insert

    stored = Warehouse(url)
    fullest = stored.number(
        "SELECT nav_date FROM validated_nav GROUP BY nav_date ORDER BY COUNT(*) DESC LIMIT 1"
    )
    rows = stored.columns(
        f"SELECT * FROM validated_nav WHERE nav_date = {fullest}", VALIDATED_NAV
    )
    with tempfile.TemporaryDirectory() as folder:
        scratch = Warehouse(
            f"sqlite:///{folder}/scratch.db" if url.startswith("sqlite") else f"{url}_scratch"
        )
        scratch.init("akshare")
        with scratch.transaction(writes=True) as connection:
            insert(connection, FUND_INFO, stored.frame("SELECT * FROM fund_info", FUND_INFO))
        start = time.monotonic()
        with scratch.transaction(writes=True) as connection:
            insert(connection, VALIDATED_NAV, rows)
        ours = time.monotonic()
        with scratch.transaction(writes=True) as connection:
            rows.to_sql("by_pandas", connection, index=False)
        theirs = time.monotonic()
        scratch.close()
    return {
        "total_s": ours - start,
        "ratio": (theirs - ours) / (ours - start),
        "rows": len(rows),
    }


def export(url: str, target: str) -> dict[str, float]:
    """All accepted NAVs as a file, by `fund-assets export`'s own function."""
    from datetime import datetime

    from fund_assets.export.changes import step
    from fund_assets.export.datasets import select
    from fund_assets.export.stream import export as write
    from fund_assets.settings import SHANGHAI
    from fund_assets.warehouse import Warehouse

    path = Path(target)
    warehouse = Warehouse(url, read_only=True)
    start = time.monotonic()
    done = write(
        step(warehouse, select("nav"), None),
        path.suffix[1:],
        path,
        datetime.now(SHANGHAI),
        overwrite=True,
    )
    seconds = time.monotonic() - start
    return {"rows": done.rows, "total_s": seconds, "size_mb": path.stat().st_size / 1e6}


def pandas_export(url: str, target: str) -> dict[str, float]:
    """The same rows and columns by pandas.read_sql in chunks, as bounded in memory."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from fund_assets.export.datasets import select
    from fund_assets.export.files import ROW_GROUP
    from fund_assets.warehouse import Warehouse

    path = Path(target)
    sql = select("nav").statement(order=" ORDER BY nav_date, fund_code")
    file, rows = None, 0
    with Warehouse(url, read_only=True).transaction() as connection:
        start = time.monotonic()
        streamed = connection.execution_options(stream_results=True)
        for chunk in pd.read_sql(sql, streamed, chunksize=ROW_GROUP):
            table = pa.Table.from_pandas(chunk, preserve_index=False)
            file = file or pq.ParquetWriter(path, table.schema, compression="zstd")
            file.write_table(table)
            rows += len(chunk)
        file.close()
        seconds = time.monotonic() - start
    return {"rows": rows, "total_s": seconds, "size_mb": path.stat().st_size / 1e6}


class Memory(Thread):
    """Watches the highest resident memory of this process and of each child it starts.

    Asks the kernel's own high-water marks ("VmHWM") ten times a second, as asking takes time
    from what is measured: getrusage would count what the parent had when it started the child.
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
            time.sleep(0.1)

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
    part, url, argument = sys.argv[1:4]
    memory = Memory()
    parts = (
        wave, metrics, first_plan, read, fund, returns, load, day, export, pandas_export,
    )  # fmt: skip
    result = {each.__name__: each for each in parts}[part](url, argument)
    result["process_s"] = time.monotonic() - BEGUN
    result["own_peak_mb"], result["child_peak_mb"] = memory.peak(), memory.children
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    result["cpu_s"] = sum(one.ru_utime + one.ru_stime for one in used)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
