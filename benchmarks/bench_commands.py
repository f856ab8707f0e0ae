"""How long the commands that only read take, each as a process of its own.

    python benchmarks/bench_commands.py [--funds N] [--times N]
    python benchmarks/bench_commands.py --full [--warehouse URL]

Makes a simulated market in a temporary folder first; with --full, asks about the state of the
whole market of `data.py`, or of a copy of it on a server; a server here is its source. Prints
medians: seconds on the clock, and seconds of computing of the process and its children, a
server's not counted. Another load on the machine lengthens the former many times, the latter up
to twice: the seconds of a loop, in the last column, tell how busy it was (0.1 where nothing
else runs). Exit code 1 when a limit is not kept.
"""

import argparse
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fund_assets_tests.server import MarketServer
from fund_assets_tests.server.many import ManyFunds

#: The most seconds that any of LOOKS may take, and each question about the state at full size.
LIMIT = 0.6
STATE = {"dashboard": 1.0, "gaps": 2.0, "doctor": 1.0}
#: The same of a copy on a server with the 128 MB of memory that it has by default.
ON_SERVER = {"dashboard": 2.0, "gaps": math.inf, "doctor": math.inf}
LOOKS = (
    "--help", "nav 000001", "metrics 000001", "compare 000001 000002", "screen sharpe_ratio>1",
    "corrections", "quarantine list", "rate show", "alert list", "calendar show", "logs",
    "gaps", "prove 000001", "dashboard", "doctor",
)  # fmt: skip


def measured(arguments: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds on the clock and of computing that one command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "fund_assets", *arguments],
        env=environment, capture_output=True, check=False,
    )  # fmt: skip
    took = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    computing = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took, computing


def loop() -> float:
    """Seconds of computing that a fixed loop takes now."""
    before = time.process_time()
    sum(range(5_000_000))
    return time.process_time() - before


def main() -> int:
    """Make the market, look at it, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--funds", type=int, default=300)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--warehouse", metavar="URL")
    asked = parser.parse_args()
    slow = []
    with tempfile.TemporaryDirectory() as folder, MarketServer(ManyFunds(12, 1_200)) as market:
        # Python keeps what it has compiled, as it does where people install the project.
        left_out = ("FUND_", "PYTHONDONTWRITEBYTECODE")
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(left_out)},
            "FUND_STATE": folder, "FUND_SIM_FUNDS": str(asked.funds),
            "FUND_CLOCK": "2026-09-17T21:40",
        }  # fmt: skip
        if asked.full:
            import data

            environment["FUND_CLOCK"] = f"{data.BUILT_UNTIL}T23:50"
            environment |= {"FUND_SOURCE": "akshare", **market.env}
            url = asked.warehouse or f"sqlite:///{data.warehouse_file()}"
            environment["FUND_WAREHOUSE_URL"] = url
        else:
            measured(["run"], environment)
        print("| command | seconds | of computing | a loop |\n|---|--:|--:|--:|")
        for text in STATE if asked.full else LOOKS:
            measured(text.split(), environment)
            times = [(*measured(text.split(), environment), loop()) for _ in range(asked.times)]
            clock, computing, busy = (
                statistics.median(part) for part in zip(*times, strict=True)
            )
            limits = ON_SERVER if asked.warehouse else STATE
            limit = limits[text] if asked.full else LIMIT
            slow += [text] * (clock > limit)
            print(
                f"| {text} (limit {limit:g}) | {clock:.2f} | {computing:.2f} | {busy:.2f} |",
                flush=True,
            )
    print(f"too slow: {', '.join(slow)}" if slow else "every limit kept")
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
