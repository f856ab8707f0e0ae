"""How fast a host may be asked: turns, slowing down when it holds us off, and stopping.

Belongs here: the pace that all threads of a process keep together, and with a folder all
processes of this machine. Does not belong here: what counts as being held off
(`gateway.py`), when to give up for good (`steps/collecting.py`).

In the folder each host has a small file that is locked while it is read and written anew. A
file that cannot be read counts as none: the worst of it is one request too early.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from time import monotonic, sleep, time

from fund_assets.settings import SHANGHAI

#: The gap between requests is doubled each time the host holds us off, up to so many times
#: the usual one, and shrinks by a tenth with each answer.
SLOWEST, SLOWER, FASTER = 32.0, 2.0, 0.9
#: A turn further ahead is from before the machine was started again.
LONGEST_QUEUE_S = 600.0
#: How long nothing is asked after the first stop; doubled by each further one without an
#: answer in between.
FIRST_STOP_S, LONGEST_STOP_S = 1_800.0, 43_200.0


@dataclass
class _Host:
    """Where one host stands.

    Attributes:
        turn: when the next request may go out, on the machine's monotonic clock.
        slow: times the usual gap.
        stops: stops since the last answer.
        until: until when nothing is asked, seconds since 1970; 0: not stopped.
    """

    turn: float = 0.0
    slow: float = 1.0
    stops: int = 0
    until: float = 0.0


class Pace:
    """At most so many requests a second to one host, fewer while it holds us off.

    Args:
        per_second: the limit, per host.
        folder: where the processes of this machine share it; None: this process alone.
    """

    def __init__(self, per_second: float, folder: Path | None = None) -> None:
        self._gap = 1.0 / per_second
        self._folder = folder
        self._hosts: dict[str, _Host] = {}
        self._lock = Lock()

    def wait(self, host: str) -> None:
        """Return when the caller may send its request to `host`."""
        with self._state(host) as state:
            now = monotonic()
            turn = max(now, state.turn)
            if turn - now > LONGEST_QUEUE_S:
                turn = now
            state.turn = turn + self._gap * state.slow
        sleep(max(turn - now, 0.0))

    def held_off(self, host: str) -> None:
        """The host refused us as too fast, or as no person: ask half as often."""
        with self._state(host) as state:
            state.slow = min(state.slow * SLOWER, SLOWEST)

    def answered(self, host: str) -> None:
        """The host answered as it should: back to the usual pace, step by step."""
        with self._state(host) as state:
            state.slow = max(state.slow * FASTER, 1.0)
            state.stops = 0

    def stop(self, host: str) -> datetime:
        """Nothing more for a while; returns until when, in Asia/Shanghai."""
        with self._state(host) as state:
            pause = min(FIRST_STOP_S * 2.0**state.stops, LONGEST_STOP_S)
            state.stops += 1
            state.until = time() + pause
            return _moment(state.until)

    def stopped_until(self, host: str) -> datetime | None:
        """Until when nothing is to be asked of the host; None: it may be asked."""
        with self._state(host) as state:
            return _moment(state.until) if state.until > time() else None

    @contextmanager
    def _state(self, host: str) -> Iterator[_Host]:
        """A host's state, this caller's alone while the block runs."""
        with self._lock:
            if self._folder is None:
                yield self._hosts.setdefault(host, _Host())
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{host}.json").open("a+", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                stored = file.read()
                try:
                    state = _Host(**json.loads(stored))
                except (ValueError, TypeError):
                    state = _Host()
                yield state
                if (changed := json.dumps(asdict(state))) != stored:
                    file.seek(0)
                    file.truncate()
                    file.write(changed)


def _moment(seconds: float) -> datetime:
    """A whole minute not before it."""
    exact = datetime.fromtimestamp(seconds, SHANGHAI)
    return exact.replace(second=0, microsecond=0) + timedelta(minutes=1)
