"""The health server under load, measured; prints one JSON line a part.

    python benchmarks/bench_health.py [--seconds S]

(a) /health at 100 requests a second while whole evenings of a simulated market of 2,000
    funds run one after another in another process.
(b) /livez at 100 requests a second while the readings of the facts hang: this process
    holds the warehouse's lock, and 20 more callers keep asking for /health.

The server is `fund-assets serve` in a process of its own, the callers share one event loop
here; each request is due at its time whether or not earlier ones have been answered, and is
measured from then. Everything shares the machine's cores.
"""

import argparse
import asyncio
import http.client
import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RATE, CALLERS = 100, 16
DAYS = ("2026-11-19", "2026-11-20", "2026-11-23")
EVENINGS = ("2026-11-18T23:40", *(f"{day}T{at}" for day in DAYS for at in ("19:00", "23:40")))
#: The clock of the server: the first evening is what is due.
LOOKED_AT = "2026-11-19T08:00"


def command(*arguments: str) -> list[str]:
    """The project's own command line."""
    return [sys.executable, "-m", "fund_assets", *arguments]


class Link:
    """One connection that is kept; asks one thing at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str) -> int:
        """The status of one request."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        await reader.readexactly(int(head.partition("content-length: ")[2].split()[0]))
        return int(head.split()[1])


async def load(port: int, path: str, seconds: float) -> dict[str, object]:
    """Requests at their times; times in ms."""
    idle: asyncio.Queue[Link] = asyncio.Queue()
    for _ in range(CALLERS):
        idle.put_nowait(Link(port))
    loop = asyncio.get_running_loop()

    async def one(due: float) -> tuple[float, int]:
        await asyncio.sleep(due - loop.time())
        link = await idle.get()
        status = await link.ask(path)
        idle.put_nowait(link)
        return (loop.time() - due) * 1e3, status

    start = loop.time() + 0.2
    done = await asyncio.gather(*(one(start + n / RATE) for n in range(int(seconds * RATE))))
    times = sorted(ms for ms, _ in done)
    return {
        "path": path,
        "requests": len(times),
        "statuses": dict(Counter(status for _, status in done)),
        "p50_ms": round(statistics.median(times), 2),
        "p99_ms": round(times[int(len(times) * 0.99)], 2),
        "max_ms": round(times[-1], 2),
    }


async def load_beside(port: int, seconds: float) -> dict[str, object]:
    """/livez under load while 20 others keep asking for /health."""
    answers: Counter[int] = Counter()

    async def keep_asking() -> None:
        link = Link(port)
        while True:
            answers[await link.ask("/health")] += 1
            await asyncio.sleep(0.2)

    others = [asyncio.create_task(keep_asking()) for _ in range(20)]
    found = await load(port, "/livez", seconds)
    for other in others:
        other.cancel()
    return {**found, "health_statuses_meanwhile": dict(answers)}


@contextmanager
def server(environment: dict[str, str]) -> Iterator[int]:
    """`fund-assets serve` on a free port."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with subprocess.Popen(
        command("serve", "--port", str(port)), env=environment, stderr=subprocess.DEVNULL
    ) as process:
        try:
            while True:
                try:
                    with closing(http.client.HTTPConnection("127.0.0.1", port)) as link:
                        link.request("GET", "/health")
                        link.getresponse().read()
                        break
                except OSError:
                    time.sleep(0.1)
            yield port
        finally:
            process.terminate()


def while_running(environment: dict[str, str], seconds: float) -> dict[str, object]:
    """Part (a)."""
    stop = threading.Event()
    runs: list[int] = []

    def evenings() -> None:
        for clock in EVENINGS[1:]:
            if stop.is_set():
                return
            done = subprocess.run(
                command("run"),
                env={**environment, "FUND_CLOCK": clock},
                stdout=subprocess.DEVNULL,
                check=False,
            )
            runs.append(done.returncode)

    runner = threading.Thread(target=evenings)
    with server({**environment, "FUND_CLOCK": LOOKED_AT}) as port:
        runner.start()
        try:
            found = asyncio.run(load(port, "/health", seconds))
            found["runs_ended_meanwhile"] = len(runs)
            found["a_run_was_going_at_the_end"] = runner.is_alive()
        finally:
            stop.set()
            runner.join()
    assert set(runs) <= {0}, runs
    return found


def while_hanging(environment: dict[str, str], seconds: float) -> dict[str, object]:
    """Part (b)."""
    database = Path(environment["FUND_STATE"]) / "simulated" / "warehouse.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        holder.execute("INSERT INTO calendar_override VALUES (20990101, 0, '')")
        with server({**environment, "FUND_CLOCK": LOOKED_AT}) as port:
            found = asyncio.run(load_beside(port, seconds))
        holder.execute("ROLLBACK")
    return found


def main() -> None:
    """Make a market, measure both parts."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=30)
    seconds = arguments.parse_args().seconds
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("FUND_")},
            "FUND_STATE": folder,
            "FUND_SIM_FUNDS": "2000",
            "FUND_SIM_YEARS": "1",
            "PYTHONPATH": str(ROOT),
            "DAGSTER_HOME": str(ROOT),
            "PYTHONWARNINGS": "ignore",
        }
        subprocess.run(
            command("run"),
            env={**environment, "FUND_CLOCK": EVENINGS[0]},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        print(json.dumps({"load_average": os.getloadavg()}), flush=True)
        for part in (while_running, while_hanging):
            print(json.dumps({"part": part.__name__, **part(environment, seconds)}), flush=True)


if __name__ == "__main__":
    main()
