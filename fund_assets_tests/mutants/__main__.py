"""The command: a sample of mutants, and which of them no test noticed.

Belongs here: options, the order of work, and the report. Does not belong here: what is
changed (`changes.py`), which tests (`reach.py`), a trial (`trials.py`).
"""

import argparse
import contextlib
import gc
import importlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import tomllib
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fund_assets_tests.mutants import changes, reach
from fund_assets_tests.mutants.changes import Changes, Mutant
from fund_assets_tests.mutants.trials import (
    MORE,
    TIMES,
    Copy,
    End,
    Fork,
    fork,
    libraries,
    pytest_in,
)

ROOT = Path(__file__).resolve().parents[2]
EQUAL = Path(__file__).with_name("equal.toml")


@dataclass
class Trial:
    """A mutant and what became of it."""

    mutant: Mutant
    tests: list[str]
    end: End | None = None

    @property
    def word(self) -> str:
        """killed, timed out, survived or unreached."""
        if self.end is None:
            return "unreached"
        return {None: "timed out", 0: "survived"}.get(self.end.code, "killed")

    @property
    def noticed(self) -> bool:
        """A program that hangs is noticed as well as one that fails."""
        return self.word in ("killed", "timed out")


@dataclass
class Bench:
    """Copies of the project, and what is to be known of its tests."""

    root: Path
    package: str
    copies: list[Copy]
    known: reach.Reach = field(default_factory=reach.Reach)


def main(arguments: list[str] | None = None) -> int:
    """Try a sample; 0 when enough of it was noticed."""
    parser = argparse.ArgumentParser(prog="python -m fund_assets_tests.mutants")
    parser.add_argument("--seed", type=int, default=1, help="another one draws another sample")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--only", nargs="*", default=(), help="files instead of the usual ones")
    parser.add_argument("--tests", nargs="*", default=reach.TESTS, help="folders or files")
    parser.add_argument("--line", type=int, help="all mutants of a line of the one file --only")
    parser.add_argument("--least", type=float, default=90.0, help="percent to be noticed")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--package", default="fund_assets")
    parser.add_argument("--kept", type=Path, help="folder for what tests reach")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    begun = time.monotonic()
    equal = Equal(EQUAL if root == ROOT else None)
    drawn = list(draw(root, options.only, options.seed, options.count, equal, options.line))
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = [Copy(root, Path(folder) / str(n)) for n in range(options.at_once)]
        bench = Bench(root, options.package, copies)
        learn(bench, options.kept or root / ".mutants", options.tests)
        told(f"{len(bench.known.seconds)} tests, {sum(bench.known.seconds.values()):.0f} s")
        trials = [Trial(m, bench.known.tests_for(m, root)) for m in drawn]
        try_all(bench, trials)
        recheck(bench, trials)
    for entry in sorted(set(equal.stale(root))):
        told(entry)
    report(trials, equal, options.seed, time.monotonic() - begun)
    return 0 if share(trials) >= options.least else 1


class Equal:
    """Changes that change nothing, each with its reason, from `equal.toml`."""

    def __init__(self, file: Path | None) -> None:
        rows = tomllib.loads(file.read_text(encoding="utf-8"))["equal"] if file else []
        self.reasons = {
            (row["file"], row["within"], row["before"], after): row["why"]
            for row in rows
            for after in ([row["after"]] if isinstance(row["after"], str) else row["after"])
        }
        self.met: list[Mutant] = []

    def stale(self, root: Path) -> Iterator[str]:
        """Entries whose line is gone: the file has changed."""
        for file, within, before, _ in self.reasons:
            path = root / file
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            stripped = {line.strip() for line in text.splitlines()}
            if not stripped >= set(before.split(" ⏎ ")):
                yield f"equal.toml: {file} {within} has no line {before}"

    def __contains__(self, mutant: Mutant) -> bool:
        if mutant.key not in self.reasons:
            return False
        self.met.append(mutant)
        return True


def draw(
    root: Path,
    only: Iterable[str],
    seed: int,
    count: int,
    equal: Equal,
    line: int | None = None,
) -> Iterator[Mutant]:
    """Mutants in a random order that the seed alone decides, without those that are equal."""
    every = [Changes(root, path) for path in changes.files(root, only)]
    places = [(file, number) for file in every for number in range(len(file))]
    random.Random(seed).shuffle(places)
    seen = set()
    for file, number in places:
        if len(seen) == count:
            return
        mutant = file.mutant(number)
        if mutant is None or (mutant.key, mutant.line) in seen or mutant in equal:
            continue
        if line is not None and not mutant.span[0] <= line <= mutant.span[1]:
            continue
        seen.add((mutant.key, mutant.line))
        yield mutant


def learn(bench: Bench, kept: Path, tests: Iterable[str]) -> None:
    """Load all libraries, and see which test runs which line where that is not known yet."""
    files = reach.test_files(bench.root, tests)
    kept.mkdir(parents=True, exist_ok=True)
    (kept / ".gitignore").write_text("*\n")
    names = {
        file: kept / f"{reach.kept_name(bench.root, file, bench.package)}.json"
        for file in files
    }
    relative = [str(file.relative_to(bench.root)) for file in files]
    warnings.simplefilter("ignore")
    for name in libraries(bench.copies[0], bench.package, relative):
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()
    new = [file for file in files if not names[file].exists()]
    if new:
        told(f"{len(new)} files of tests are run to see what they reach")

    jobs = ((None, _learner(bench, file, names[file])) for file in new)
    for _ in side_by_side(bench.copies, jobs):
        pass
    for file in files:
        if names[file].exists():
            bench.known.add(json.loads(names[file].read_text(encoding="utf-8")))
        else:
            told(f"{file.relative_to(bench.root)} could not be run: its tests notice nothing")
    for test in sorted(bench.known.failed):
        told(f"fails unchanged, and notices nothing: {test}")
    wanted = {path.name for path in names.values()}
    for path in kept.glob("*.json"):
        if path.name not in wanted and time.time() - path.stat().st_mtime > 86_400:
            path.unlink()


def _learner(bench: Bench, file: Path, kept: Path) -> Callable[[Copy], Fork]:
    def start(copy: Copy) -> Fork:
        inside = copy.folder / file.relative_to(bench.root)

        def work() -> int:
            reach.run(copy.folder, bench.package, inside, kept)
            return 0

        return fork(copy, work, 900)

    return start


Job = tuple[Any, Callable[[Copy], "Fork | _Restoring"]]


def side_by_side(copies: list[Copy], jobs: Iterable[Job]) -> Iterator[tuple[Any, End]]:
    """Do jobs, one in each copy at a time; what each was about, and how it ended."""
    waiting, free, running = iter(jobs), list(copies), []
    try:
        while True:
            while free and (job := next(waiting, None)) is not None:
                about, start = job
                copy = free.pop()
                running.append((about, copy, start(copy)))
            if not running:
                return
            time.sleep(0.01)
            for entry in list(running):
                about, copy, process = entry
                if (end := process.ended()) is not None:
                    running.remove(entry)
                    free.append(copy)
                    yield about, end
    finally:
        for _, _, process in running:
            process.stop()


def try_all(bench: Bench, trials: list[Trial]) -> None:
    """Try each of them with its tests."""
    jobs = ((trial, _starter(bench, trial)) for trial in trials if trial.tests)
    for done, (trial, end) in enumerate(side_by_side(bench.copies, jobs), 1):
        trial.end = end
        if not trial.noticed:
            told(f"survived: {trial.mutant}")
        if done % 25 == 0:
            told(f"{done} of {len(trials)}")


def _starter(bench: Bench, trial: Trial) -> Callable[[Copy], "_Restoring"]:
    mutant = trial.mutant
    allowed = TIMES * sum(bench.known.seconds[test] for test in trial.tests) + MORE

    def start(copy: Copy) -> _Restoring:
        change = contextlib.ExitStack()
        change.enter_context(copy.changed(mutant.path, mutant.code))
        running = fork(copy, pytest_in(copy, trial.tests), allowed, changed=mutant.path)
        return _Restoring(running, change)

    return start


class _Restoring:
    """A fork after which the copy is as before."""

    def __init__(self, running: Fork, change: contextlib.ExitStack) -> None:
        self._running, self._change = running, change

    def ended(self) -> End | None:
        """As of the fork."""
        end = self._running.ended()
        if end is not None:
            self._change.close()
        return end

    def stop(self) -> None:
        """As of the fork."""
        self._running.stop()
        self._change.close()


def recheck(bench: Bench, trials: list[Trial]) -> None:
    """Tests that noticed something must pass unchanged; where one fails, try without it."""
    by_file = defaultdict(set)
    for trial in trials:
        if trial.end and trial.word == "killed" and trial.end.failing:
            by_file[trial.end.failing.split("::")[0]].add(trial.end.failing)
    bad = set()
    for _, end in side_by_side(
        bench.copies, ((None, _unchanged(sorted(tests))) for tests in by_file.values())
    ):
        if end.code and end.failing:
            told(f"fails unchanged when run alone, and notices nothing: {end.failing}")
            bad.add(end.failing)
    again = [t for t in trials if t.end and t.end.failing in bad]
    for trial in again:
        trial.tests = [test for test in trial.tests if test not in bad]
        trial.end = None
    if again:
        try_all(bench, again)


def _unchanged(tests: list[str]) -> Callable[[Copy], Fork]:
    return lambda copy: fork(copy, pytest_in(copy, tests), 600)


def share(trials: list[Trial]) -> float:
    """Percent that was noticed."""
    return 100 * sum(t.noticed for t in trials) / len(trials) if trials else 100.0


def report(trials: list[Trial], equal: Equal, seed: int, seconds: float) -> None:
    """Survivors, one by one; then shares by folder, and the time."""
    left = [trial for trial in trials if not trial.noticed]
    for trial in sorted(left, key=lambda t: (t.mutant.path, t.mutant.line)):
        print(f"{trial.word}, {len(trial.tests)} tests: {trial.mutant}")
    by_folder = defaultdict(list)
    for trial in trials:
        by_folder["/".join(trial.mutant.path.split("/")[:2])].append(trial)
    print()
    for folder, some in sorted(by_folder.items()):
        noticed = sum(t.noticed for t in some)
        print(f"{folder:28} {noticed:4} of {len(some):4} noticed  {share(some):5.1f} %")
    words = Counter(trial.word for trial in trials)
    used = sum(trial.end.seconds for trial in trials if trial.end)
    print(
        f"{'all, seed ' + str(seed):28} {sum(t.noticed for t in trials):4} of {len(trials):4} "
        f"noticed  {share(trials):5.1f} %  ({', '.join(f'{n} {w}' for w, n in words.items())})"
    )
    print(
        f"{len(equal.met)} met that change nothing (equal.toml says why); "
        f"{seconds:.0f} s, {used:.0f} s of processor time in trials, "
        f"{used / max(len(trials), 1):.2f} s each",
        flush=True,
    )


def told(words: str) -> None:
    """Progress, on standard error."""
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ.setdefault("PYTHONHASHSEED", "0")
    sys.exit(main())
