"""How long the commands that only read take, each as a process of its own.

    python benchmarks/bench_commands.py [--funds N] [--times N]
    python benchmarks/bench_commands.py --full [--warehouse URL]

Makes a simulated market in a temporary folder first; with --full, asks about the state of the
whole market of `data.py`, or of a copy of it on a server. Prints medians: seconds on the clock,
and seconds of computing of the process and its children, a server's not counted. Another load
on the machine lengthens the former many times, the latter up to twice: the seconds of a loop,
in the last column, tell how busy it was (0.1 where nothing else runs).
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

#: Questions about the state at full size → the most seconds they may take.
STATE = {"dashboard": 1.0, "gaps": 2.0, "doctor": 1.0}
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


def main() -> None:
    """Make the market, look at it, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--funds", type=int, default=300)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--warehouse", metavar="URL")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("FUND_")},
            "FUND_STATE": folder, "FUND_SIM_FUNDS": str(asked.funds),
            "FUND_CLOCK": "2026-09-17T21:40",
        }  # fmt: skip
        if asked.full:
            import data

            environment["FUND_CLOCK"] = f"{data.BUILT_UNTIL}T23:50"
            environment["FUND_SOURCE"] = "akshare"
            url = asked.warehouse or f"sqlite:///{data.warehouse_file()}"
            environment["FUND_WAREHOUSE_URL"] = url
        else:
            measured(["run"], environment)
        print("| command | seconds | of computing | a loop |\n|---|--:|--:|--:|")
        for text in STATE if asked.full else LOOKS:
            times = [(*measured(text.split(), environment), loop()) for _ in range(asked.times)]
            clock, computing, busy = (
                statistics.median(part) for part in zip(*times, strict=True)
            )
            limit = f" (limit {STATE[text]:g})" if asked.full else ""
            print(f"| {text}{limit} | {clock:.2f} | {computing:.2f} | {busy:.2f} |", flush=True)


if __name__ == "__main__":
    main()
