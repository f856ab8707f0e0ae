"""How long the commands that only read take, each as a process of its own.

    python benchmarks/bench_commands.py [--funds N] [--times N]

Makes a simulated market in a temporary folder first. Prints medians: seconds on the clock, and
seconds of computing of the process, which another load on the machine does not lengthen.
Does not belong here: the full size of the market (`bench_warehouse.py`).
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

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


def main() -> None:
    """Make the market, look at it, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--funds", type=int, default=300)
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("FUND_")},
            "FUND_STATE": folder, "FUND_SIM_FUNDS": str(asked.funds),
            "FUND_CLOCK": "2026-09-17T21:40",
        }  # fmt: skip
        measured(["run"], environment)
        print("| command | seconds | of computing |\n|---|--:|--:|")
        for text in LOOKS:
            times = [measured(text.split(), environment) for _ in range(asked.times)]
            clock, computing = (statistics.median(part) for part in zip(*times, strict=True))
            print(f"| {text} | {clock:.2f} | {computing:.2f} |", flush=True)


if __name__ == "__main__":
    main()
