"""The command: all trials on one engine or both, and a table of what came of them.

Belongs here: options and the table. Does not belong here: the trials (`trials.py`).
"""

import argparse
import signal
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fund_assets_tests.reliability.places import MariaPlace, Place, SqlitePlace, small_disk
from fund_assets_tests.reliability.script import prepare
from fund_assets_tests.reliability.trials import Result, Trials

HEAD = (
    "engine", "what happens", "trials", "partial states left", "reader's queries",
    "partial states seen", "rows lost", "rows doubled", "ended otherwise", "unclear errors",
    "seconds, median and longest",
)  # fmt: skip

SORTS = (
    "kills", "crash-points", "server-kills", "same-batches", "other-batches", "file-limit",
    "full-disk", "read-only",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run the trials; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m fund_assets_tests.reliability")
    parser.add_argument("--kills", type=int, default=200, help="of the client, by engine")
    parser.add_argument("--server-kills", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5, help="of six at once")
    parser.add_argument("--engine", choices=["sqlite", "mariadb", "both"], default="both")
    parser.add_argument("--funds", type=int, default=150, help="share classes of the market")
    parser.add_argument("--only", nargs="+", choices=SORTS, help="trials of these sorts")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of kills")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that disks are unmounted
    engines = ["sqlite", "mariadb"] if options.engine == "both" else [options.engine]
    well = True
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD), flush=True)
    for engine in engines:
        with a_place(engine) as (place, folder):
            script = prepare(place.first_url, folder, funds=options.funds, years=0.1)
            trials = Trials(place, script, options.seed)
            for result in every_trial(trials, options):
                well &= result.well
                print(line(place.engine, result), flush=True)
            print(
                f"<!-- {place.engine}: {trials.rows['validated_nav']:,} accepted NAVs, "
                f"{len(trials.states) - 1} commits in {trials.seconds:.1f} s -->",
                flush=True,
            )
    return 0 if well else 1


def every_trial(trials: Trials, options: argparse.Namespace) -> Iterator[Result]:
    """The results, one after the other; what was unclear is told on standard error."""
    server, disk = trials.place.server, trials.place.disk
    sorts: dict[str, tuple[bool, Callable[[], Result]]] = {
        "kills": (True, lambda: trials.kills(options.kills)),
        "crash-points": (True, trials.crashes),
        "server-kills": (bool(server), lambda: trials.server_kills(options.server_kills)),
        "same-batches": (True, lambda: trials.same_batches(options.rounds)),
        "other-batches": (True, lambda: trials.other_batches(options.rounds)),
        "file-limit": (not server, trials.file_limits),
        "full-disk": (bool(disk), trials.full_disks),
        "read-only": (bool(disk), trials.read_only),
    }
    for name, (possible, sort) in sorts.items():
        if not possible or (options.only and name not in options.only):
            continue
        begun = time.monotonic()
        result = sort()
        reached = ", ".join(f"{label} {n}" for label, n in result.reached.items())
        took = time.monotonic() - begun
        print(f"{result.name}: {took:.0f} s; left: {reached}", file=sys.stderr, flush=True)
        if result.note:
            print(f"  {result.note}", file=sys.stderr, flush=True)
        for words in result.unclear:
            print(f"  unclear: {words}", file=sys.stderr, flush=True)
        yield result
    if not disk:
        print("no disk of our own can be mounted: full and read-only disks are not tried",
              file=sys.stderr)  # fmt: skip


def line(engine: str, result: Result) -> str:
    """One row of the table."""
    took = sorted(result.seconds) or [0.0]
    cells = (
        engine, result.name, result.trials, result.partial, f"{result.looks:,}",
        result.seen_partial, result.lost, result.doubled, result.diverged,
        len(result.unclear), f"{statistics.median(took):.1f}, {took[-1]:.1f}",
    )  # fmt: skip
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


@contextmanager
def a_place(engine: str) -> Iterator[tuple[Place, Path]]:
    """A place for trials, and a folder; both are gone afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reliability-")))
        disk = stack.enter_context(small_disk(folder))
        if engine == "sqlite":
            yield SqlitePlace(folder, disk), folder
        else:
            from fund_assets_tests.mariadb import Server

            with _temporary_files(disk):
                server = Server(durable=True)
            stack.callback(server.stop)
            yield MariaPlace(server, disk), folder


@contextmanager
def _temporary_files(folder: Path | None) -> Iterator[None]:
    """Temporary files are made there, when there is such a folder."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder) if folder else tempfile.tempdir
    try:
        yield
    finally:
        tempfile.tempdir = before


if __name__ == "__main__":
    sys.exit(main())
