"""The trials: an evening that is killed, refused, or done by six at once, and then repeated.

Belongs here: what is done to an evening, and what must be true afterwards. Does not belong
here: the evening (`script.py`), the table of results (`__main__.py`).

Every trial begins from the same state. The undisturbed evening is a row of states, one after
each commit. Whatever ends an evening, the warehouse must be in one of them, to the checksum
of every table; a reader must never have seen another one; and the same evening done again
must end in the last of them.
"""

import multiprocessing
import pickle
import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from fund_assets.settings import CRASH_POINTS
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.fault_points import EXIT_CODE
from fund_assets_tests.reliability.places import Glance, Place, checksums, glance, rows_of
from fund_assets_tests.reliability.script import Land, Script, Validate, perform
from fund_assets_tests.reliability.watcher import Sights, watched

PATIENCE_S = 300.0
WORKERS = 6
#: So much room is left on a full disk; so large may a file grow.
LEFT_BYTES = (0, 65_536, 262_144, 1_048_576)
FILE_LIMITS = (65_536, 262_144, 1_048_576)


@dataclass
class Result:
    """What came of trials of one sort.

    Attributes:
        reached: label of the state after the disturbance → trials.
        partial: trials that left a state which is none of the evening's.
        seen_partial: states that a reader saw and the evening does not have.
        looks: how often readers looked.
        lost, doubled: rows too few and too many after the repeated evening.
        diverged: repeated evenings that ended otherwise than the undisturbed one.
        unclear: errors that do not say what happened, or none where one was due.
        seconds: of each repeated evening, or of what the trial measures.
    """

    name: str
    trials: int = 0
    reached: Counter[str] = field(default_factory=Counter)
    partial: int = 0
    seen_partial: int = 0
    looks: int = 0
    lost: int = 0
    doubled: int = 0
    diverged: int = 0
    unclear: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def well(self) -> bool:
        """Whether every promise was kept."""
        broken = self.partial + self.seen_partial + self.lost + self.doubled + self.diverged
        return self.trials > 0 and not broken and not self.unclear


@dataclass
class Worker:
    """A process that does deeds, ready to begin."""

    process: Any
    pipe: Any
    refused: str = ""

    def go(self) -> None:
        """Let it begin."""
        if not self.refused:
            self.pipe.send("go")

    def answer(self) -> tuple[str, Any]:
        """What came of it: done, refused, or died with its exit code."""
        if self.refused:
            return "refused", self.refused
        try:
            if self.pipe.poll(PATIENCE_S):
                told: tuple[str, Any] = self.pipe.recv()
                self.process.join()
                return told
        except (EOFError, ConnectionResetError):
            self.process.join()
            return "died", self.process.exitcode
        self.process.kill()
        raise RuntimeError(f"a process did not end within {PATIENCE_S:g} s")


class Trials:
    """Trials of one evening in one place.

    Args:
        seed: of the moments at which processes are killed.
    """

    def __init__(self, place: Place, script: Script, seed: int = 1) -> None:
        self.place, self.script = place, script
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(
            ["fund_assets_tests.reliability.script", "fund_assets_tests.reliability.watcher"]
        )
        self.moments = random.Random(seed)
        self.labels: list[str] = []
        self.states: list[dict[str, str]] = []
        self.sights: set[Glance] = set()
        self.rows: dict[str, int] = {}
        self.undisturbed()

    def undisturbed(self) -> None:
        """The evening as it should be: its states, and how long it takes."""
        url = self.place.begin()
        warehouse = Warehouse(url)

        def committed(label: str) -> None:
            self.labels.append(label)
            self.states.append(checksums(url))
            self.sights.add(glance(warehouse))

        committed("nothing")
        for deed in self.script.evening:
            deed(warehouse, committed)
        self.rows = rows_of(url)
        warehouse.close()
        assert len({tuple(state.values()) for state in self.states}) == len(self.states)
        took = []
        for _ in range(3):
            took.append(self._done(self.place.begin(), self.script.evening, in_process=True))
        self.seconds = sorted(took)[1]

    def kills(self, count: int) -> Result:
        """kill -9 of the client at random moments of the evening."""
        result = Result("kill -9 of the client at a random moment")
        for _ in range(count):
            url = self.place.begin()
            with watched(self.context, url) as seen:
                worker = self._worker(url, self.script.evening, in_process=True)
                worker.go()
                time.sleep(self.moments.uniform(0, self.seconds))
                worker.process.kill()
                worker.process.join()
                self._after(result, url, in_process=True)
            self._saw(result, seen)
        return result

    def crashes(self, points: Sequence[str] = CRASH_POINTS) -> Result:
        """The client ends itself at each named moment of landing and publishing."""
        result = Result("client ends at a named crash point")
        for name in points:
            url = self.place.begin()
            with watched(self.context, url) as seen:
                worker = self._worker(url, self.script.evening, crash_at=name)
                worker.go()
                if worker.answer() != ("died", EXIT_CODE):
                    result.unclear.append(f"{name} was not reached")
                self._after(result, url)
            self._saw(result, seen)
        return result

    def server_kills(self, count: int) -> Result:
        """kill -9 of the database server at random moments of the evening."""
        result = Result("kill -9 of the database server")
        for _ in range(count):
            url = self.place.begin()
            with watched(self.context, url) as seen:
                worker = self._worker(url, self.script.evening, in_process=True)
                worker.go()
                time.sleep(self.moments.uniform(0, self.seconds))
                self.place.server.kill()
                begun = time.monotonic()
                self.place.server.start()
                result.seconds.append(time.monotonic() - begun)
                told, words = worker.answer()
                if told not in ("done", "refused") or (told == "refused" and not words):
                    result.unclear.append(f"{told}: {words}")
                self._after(result, url)
            self._saw(result, seen)
        return result

    def same_batches(self, rounds: int) -> Result:
        """Six publish the same waiting batches at once."""
        result = Result(f"{WORKERS} publish the same batches at once")
        lands = [deed for deed in self.script.evening if isinstance(deed, Land)][:3]
        for _ in range(rounds):
            url = self.place.begin()
            with watched(self.context, url) as seen:
                self._done(url, lands)
                answers = self._at_once(result, url, [[Validate()]] * WORKERS)
                published = Counter(batch for told in answers for batch, new in told if new)
                if published != Counter({land.batch.batch_id: 1 for land in lands}):
                    result.unclear.append(f"published: {dict(published)}")
                self._after(result, url)
            self._saw(result, seen)
        return result

    def other_batches(self, rounds: int) -> Result:
        """Six land and publish a batch of other funds each, at once."""
        result = Result(f"{WORKERS} land and publish a batch each at once")
        url = self.place.begin()
        warehouse = Warehouse(url)
        first, steps = glance(warehouse), []
        for land in self.script.apart:
            before = glance(warehouse)
            land(warehouse, lambda label: None)
            landed = glance(warehouse)
            Validate()(warehouse, lambda label: None)
            published = glance(warehouse)
            steps.append(
                [_moved(before, before), _moved(before, landed), _moved(before, published)]
            )
        warehouse.close()
        serial = checksums(url)
        legal = {
            tuple(map(sum, zip(first, *chosen, strict=True))) for chosen in product(*steps)
        }
        for _ in range(rounds):
            url = self.place.begin()
            with watched(self.context, url) as seen:
                jobs = [[land, Validate()] for land in self.script.apart]
                answers = self._at_once(result, url, jobs)
                batches = {land.batch.batch_id for land in self.script.apart}
                published = Counter(batch for told in answers for batch, new in told[1:] if new)
                if published != Counter(dict.fromkeys(batches, 1)):
                    result.unclear.append(f"published: {dict(published)}")
                result.trials += 1
                result.reached["all published"] += 1
                result.diverged += checksums(url) != serial
            result.looks += seen.looks
            result.seen_partial += len(seen.states - legal)
            result.unclear += seen.refused
        return result

    def file_limits(self, limits: Sequence[int] = FILE_LIMITS) -> Result:
        """A file that may not grow any more, as on a full quota."""
        result = Result("file size limit")
        for limit in limits:
            url = self.place.begin()
            with watched(self.context, url) as seen:
                worker = self._worker(url, self.script.evening, file_limit=limit)
                self._refused(result, worker, ("full", "disk", "too large", "i/o"))
                self._after(result, url)
            self._saw(result, seen)
        return result

    def full_disks(self, room: Sequence[int] = LEFT_BYTES) -> Result:
        """A disk without room; then with room again."""
        result = Result("disk full")
        for left in room:
            url = self.place.begin(on_disk=True)
            with watched(self.context, url) as seen:
                ballast = self.place.disk / "ballast"
                worker = self._worker(url, self.script.evening)
                _fill(ballast, left)
                worker.go()
                told, said = worker.answer()
                ballast.unlink()
                due = ["full", "no space left", "disk"]
                if self.place.server and self.place.server.has_ended:
                    # InnoDB ends itself when it can write nothing; a supervisor starts it again.
                    result.note = (
                        "the server ended itself on the full disk, and was started again"
                    )
                    self.place.server.start()
                    due += ["connect"]
                self._judge(result, told, said, due)
                self._after(result, url)
            self._saw(result, seen)
        return result

    def read_only(self) -> Result:
        """A file system that takes no writes; then one that does."""
        result = Result("read-only file system")
        url = self.place.begin(on_disk=True)
        with self.place.read_only():
            worker = self._worker(url, self.script.evening)
            self._refused(result, worker, ("readonly", "read-only", "read only"))
        with watched(self.context, url) as seen:
            self._after(result, url)
        self._saw(result, seen)
        return result

    def _refused(self, result: Result, worker: Worker, words: Sequence[str]) -> None:
        """The worker must be told why it cannot go on."""
        worker.go()
        self._judge(result, *worker.answer(), words)

    def _judge(self, result: Result, told: str, said: Any, words: Sequence[str]) -> None:
        if told != "refused" or not any(word in said.lower() for word in words):
            result.unclear.append(f"{told}: {said}")

    def _worker(self, url: str, deeds: Sequence[Any], **limits: Any) -> Worker:
        """A process that is ready to do these deeds."""
        ours, theirs = self.context.Pipe()
        process = self.context.Process(
            target=perform, args=(url, pickle.dumps(deeds), theirs), kwargs=limits, daemon=True
        )
        process.start()
        theirs.close()
        if not ours.poll(PATIENCE_S):
            raise RuntimeError("a process does not begin")
        told = ours.recv()
        return Worker(process, ours, "" if told == "ready" else told[1])

    def _done(self, url: str, deeds: Sequence[Any], **limits: Any) -> float:
        """Do deeds undisturbed; returns the seconds."""
        worker = self._worker(url, deeds, **limits)
        begun = time.monotonic()
        worker.go()
        told, words = worker.answer()
        if told != "done":
            raise RuntimeError(f"{told}: {words}")
        return time.monotonic() - begun

    def _at_once(self, result: Result, url: str, jobs: Sequence[Any]) -> list[list[Any]]:
        """Do several lists of deeds at the same time; returns what each told."""
        workers = [self._worker(url, deeds) for deeds in jobs]
        begun = time.monotonic()
        for worker in workers:
            worker.go()
        answers = [worker.answer() for worker in workers]
        result.seconds.append(time.monotonic() - begun)
        result.unclear += [f"{told}: {words}" for told, words in answers if told != "done"]
        return [words for told, words in answers if told == "done"]

    def _after(self, result: Result, url: str, **limits: Any) -> None:
        """The state after a disturbance, and after the evening is done again."""
        result.trials += 1
        left = checksums(url)
        if left in self.states:
            result.reached[self.labels[self.states.index(left)]] += 1
        else:
            result.partial += 1
        again = self._done(url, self.script.evening, **limits)
        if not self.place.server or "server" not in result.name:
            result.seconds.append(again)
        result.diverged += checksums(url) != self.states[-1]
        for name, count in rows_of(url).items():
            result.lost += max(0, self.rows[name] - count)
            result.doubled += max(0, count - self.rows[name])

    def _saw(self, result: Result, seen: Sights) -> None:
        result.looks += seen.looks
        result.seen_partial += len(seen.states - self.sights)


def _moved(before: Glance, after: Glance) -> Glance:
    return tuple(b - a for a, b in zip(before, after, strict=True))


def _fill(file: Path, left: int) -> None:
    """Take all the room of a disk but `left` bytes."""
    free = shutil.disk_usage(file.parent).free
    with file.open("wb") as ballast:
        for _ in range((free - left) // 65_536):
            ballast.write(b"\0" * 65_536)
