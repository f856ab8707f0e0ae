"""The backfill measured: funds a second from bytes to merged rows, memory, and the rate kept.

    python benchmarks/bench_backfill.py [--funds 3000] [--dates 1200] [--workers 2] [--rate 20]

(a) `--funds` histories of `--dates` dates over TLS from a server in another process, without
    a rate limit, by worker processes that have the buckets between them, into one warehouse:
    fetched, kept, decoded, landed, judged, merged, and compared with the returns that they
    state. The server's time counts too. The pages of benchmarks and managers, which a backfill
    asks for after the histories, are left out: the pace of requests decides their time.
(b) the same workers with a limit of `--rate` requests a second: counted at the server.

Peak memory is that of the largest worker with its largest child. Exit code 1 when a limit of
LIMITS is not kept.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
#: Funds a second, MB of a worker, and how far the rate may be from what is set.
LIMITS = (60.0, 800.0, 0.02)
RATE_SECONDS = 15


def serve(funds: int, dates: int) -> None:
    """The market, until standard input ends; then when each request came."""
    from fund_assets_tests.server import MarketServer
    from fund_assets_tests.server.many import ManyFunds

    times: list[float] = []

    class Noting(ManyFunds):
        def reply(self, endpoint, fund_code):
            times.append(time.monotonic())
            return super().reply(endpoint, fund_code)

    with MarketServer(Noting(funds, dates)) as server:
        print(json.dumps(server.env), flush=True)
        sys.stdin.read()
    print(json.dumps(times), flush=True)


def work(url: str, state: str, part: int, parts: int, rate: float) -> None:
    """The backfill of one part of the buckets, as a run of nav_history does it."""
    from evening_part import Memory

    from fund_assets.calendar import TradingCalendar
    from fund_assets.nav.history import BUCKETS, HistoryChoice
    from fund_assets.nav.landing_rows import Landing
    from fund_assets.pipeline.agreement import compare_stated
    from fund_assets.pipeline.nav_history import collect_histories
    from fund_assets.pipeline.validated_nav import explain_block, validate
    from fund_assets.settings import SHANGHAI, load_settings
    from fund_assets.sources.eastmoney.source import EastmoneySource
    from fund_assets.warehouse import Warehouse

    memory = Memory()
    now, calendar = datetime(2026, 9, 18, 21, 40, tzinfo=SHANGHAI), TradingCalendar.build()
    warehouse = Warehouse(url)
    settings = load_settings(state=state, source="akshare", requests_per_second=rate)
    source = EastmoneySource.from_settings(settings)

    def publish(fresh: Landing) -> None:
        outcomes = validate(warehouse, calendar, now, kinds=("history",), fresh=fresh)
        if words := explain_block(outcomes):
            raise RuntimeError(words)

    size = len(BUCKETS) // parts
    buckets = frozenset(BUCKETS[part * size : (part + 1) * size])
    print("ready", flush=True)
    sys.stdin.readline()
    report = collect_histories(
        warehouse,
        source,
        lambda: now,
        HistoryChoice(buckets=buckets),
        landed=publish,
        pages=False,
    )
    compare_stated(warehouse, now)
    unknown = [t for t in report.failures.values() if not t.startswith("UnknownFundError")]
    assert not unknown and not report.refused, unknown[:3]
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    told = {
        "funds": report.done,
        "mb": memory.peak() + memory.children,
        "cpu_s": sum(one.ru_utime + one.ru_stime for one in used),
    }
    print(json.dumps(told), flush=True)


def run(
    funds: int, dates: int, workers: int, rate: float, folder: Path
) -> tuple[float, float, int, list[float]]:
    """Seconds, MB, merged rows, and when each request came to the server."""
    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse.queries import status as status_queries
    from fund_assets.warehouse.stores import landing
    from fund_assets_tests.server.many import ManyFunds

    url = f"sqlite:///{folder}/warehouse.db"
    warehouse = Warehouse(url)
    warehouse.init("akshare")
    landing.write_fund_info(warehouse, ManyFunds(funds, 12).listing)
    env = {**os.environ, "PYTHONPATH": f"{HERE.parent}:{HERE}", "PYTHONWARNINGS": "ignore"}

    def start(*arguments: object, env: dict[str, str]) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, __file__, *map(str, arguments)],
            env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    server = start("serve", funds, dates, env=env)
    env |= json.loads(server.stdout.readline())
    parts = [
        start("work", url, folder / "state", part, workers, rate, env=env)
        for part in range(workers)
    ]
    for part in parts:
        assert part.stdout.readline() == "ready\n"
    begun = time.monotonic()
    for part in parts:
        part.stdin.write("go\n")
        part.stdin.flush()
    told = [json.loads(part.stdout.readline()) for part in parts]
    took = time.monotonic() - begun
    for part in parts:
        part.wait()
    times, _ = server.communicate("")
    assert sum(one["funds"] for one in told) == funds
    rows = status_queries.row_count(warehouse, "validated_nav")
    warehouse.close()
    print(f"processor seconds of the workers: {sum(one['cpu_s'] for one in told):.1f}")
    return took, max(one["mb"] for one in told), rows, json.loads(times)


def main() -> int:
    """Both parts, in words."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--funds", type=int, default=3_000)
    parser.add_argument("--dates", type=int, default=1_200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rate", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="backfill-") as name:
        took, mb, rows, _ = run(options.funds, options.dates, options.workers, 1e6, Path(name))
    pace = options.funds / took
    print(
        f"{options.funds:,} funds of {options.dates:,} dates by {options.workers} workers: "
        f"{took:.1f} s, {pace:.1f} funds a second, {rows:,} merged rows; {mb:.0f} MB a worker; "
        f"the market of 26,000 in {26_000 / pace / 60:.1f} min"
    )
    with tempfile.TemporaryDirectory(prefix="backfill-") as name:
        *_, times = run(
            round(options.rate * RATE_SECONDS), 60, options.workers, options.rate, Path(name)
        )
    kept = (len(times) - 1) / (times[-1] - times[0])
    print(
        f"{len(times)} requests at {options.rate:g} a second by {options.workers} workers: "
        f"{kept:.2f} a second counted at the server, {kept / options.rate - 1:+.1%}"
    )
    well = pace >= LIMITS[0], mb <= LIMITS[1], abs(kept / options.rate - 1) <= LIMITS[2]
    print("kept" if all(well) else f"not kept: {well}")
    return 0 if all(well) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1:2] == ["work"]:
        work(*sys.argv[2:4], int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]))
    else:
        sys.exit(main())
