"""How fast a host may be asked, and whether it may be asked at all.

Belongs here: the turns that all threads of a process take together, and with a folder all
processes of this machine; slowing down while it holds us off; the breakers of each host. Does
not belong here: what follows from a refusal (`circuit_breaker.py`), what counts as one
(`gateway.py`).

In the folder each host has a small file that is locked while it is read and written anew, in
one write. A file that cannot be read counts as none: the worst of it is some requests too
many.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from time import monotonic, sleep, time

from fund_assets.locks import lock
from fund_assets.settings import SHANGHAI
from fund_assets.transport.circuit_breaker import (
    REFUSED_PAUSE_S,
    CircuitBreaker,
    Known,
    Next,
    Refusal,
)

#: The gap between requests is doubled each time the host holds us off, up to so many times
#: the usual one, and shrinks by a tenth with each answer.
SLOWEST, SLOWER, FASTER = 32.0, 2.0, 0.9
#: A turn further ahead is from before the machine was started again.
LONGEST_QUEUE_S = 600.0
#: Others look so often whether who makes the probe has an answer, and for so long.
LOOK_S, LONGEST_PROBE_S = 0.05, 90.0
#: The circuits of a host: its pages, and what is asked of single funds.
PAGES, FUNDS = "pages", "funds"
LARGEST_STATE = 2**20


@dataclass
class _Host:
    """Where one host stands.

    Attributes:
        turn: when the next request may go out, on the machine's monotonic clock.
        slow: times the usual gap.
    """

    turn: float = 0.0
    slow: float = 1.0
    breakers: dict[str, CircuitBreaker] = field(
        default_factory=lambda: {PAGES: CircuitBreaker(), FUNDS: CircuitBreaker()}
    )

    @classmethod
    def from_text(cls, text: str) -> "_Host":
        """As `as_text` wrote it; a new one from anything else."""
        with suppress(ValueError, TypeError, AttributeError, KeyError):
            stored = json.loads(text)
            breakers = {
                name: CircuitBreaker.from_json(stored["doors"][name]) for name in (PAGES, FUNDS)
            }
            return cls(float(stored["turn"]), float(stored["slow"]), breakers)
        return cls()

    def as_text(self) -> str:
        stored = {name: breaker.as_json() for name, breaker in self.breakers.items()}
        return json.dumps({"turn": self.turn, "slow": self.slow, "doors": stored})


class RateLimit:
    """At most so many requests a second to one host, none while it refuses us.

    Args:
        per_second: the limit, per host.
        folder: where the processes of this machine share it; None: this process alone.
        pause_s: how long a circuit that refuses us is left alone, the first time.
    """

    def __init__(
        self, per_second: float, folder: Path | None = None, pause_s: float = REFUSED_PAUSE_S
    ) -> None:
        self._gap = 1.0 / per_second
        self._folder = folder
        self._pause_s = pause_s
        self._hosts: dict[str, _Host] = {}
        self._lock = Lock()

    def wait(self, host: str) -> None:
        """Return when the caller may send its request to `host`."""
        with self._state(host) as state:
            pause = self._turn(state)
        sleep(pause)

    def enter(self, host: str, circuit: str) -> Refusal | Known | None:
        """Wait for a turn at a circuit.

        Returns:
            None: the caller may ask. A `Refusal`: it may not. A `Known`: it must make
            this probe first and tell what came of it by `answered` or `probe_failed`; others
            wait.
        """
        began = monotonic()
        while True:
            with self._state(host) as state:
                at, now = state.breakers[circuit], time()
                if refusal := _refusal(state, circuit, now):
                    return refusal
                mine = not now < at.probing_until <= now + LONGEST_PROBE_S
                if mine or monotonic() - began > LONGEST_PROBE_S:
                    probe = at.probe() if at.is_open() else None
                    if at.is_open():
                        at.probing_until = now + LONGEST_PROBE_S
                    pause = self._turn(state)
                    break
            sleep(LOOK_S)
        sleep(pause)
        return probe

    def refused(
        self,
        host: str,
        circuit: str,
        subject: str,
        because: str,
        *,
        reached: bool = True,
        too_fast: bool = False,
    ) -> Next | Known:
        """A request ended without a usable answer; what follows.

        A `Known` is the probe to make now, and told of as in `enter`.

        Args:
            subject: whose request it was: a fund, or a page.
            because: how it ended, in words.
            reached: whether the host was.
            too_fast: whether it said so itself.
        """
        with self._state(host) as state:
            at, now = state.breakers[circuit], time()
            if subject not in at.refused and (too_fast or at.refused):
                state.slow = min(state.slow * SLOWER, SLOWEST)
            others = any(
                one.is_open() for name, one in state.breakers.items() if name != circuit
            )
            follows = at.refuse(
                now, subject, because, reached=reached, pages=circuit == PAGES, beside=others
            )
            if follows is Next.PROBE and at.known:
                if now < at.probing_until <= now + LONGEST_PROBE_S:
                    return Next.ENOUGH  # another does
                at.probing_until = now + LONGEST_PROBE_S
                return at.known
            if follows is Next.OPEN and not at.refusal(now):
                at.trip(now, self._pause_s)
            return follows

    def probe_failed(
        self, host: str, circuit: str, because: str, *, reached: bool = True
    ) -> None:
        """The request that was answered before is not answered any more."""
        with self._state(host) as state:
            at, now = state.breakers[circuit], time()
            at.because, at.reached = because, reached
            if not at.refusal(now):
                at.trip(now, self._pause_s)

    def answered(self, host: str, circuit: str = PAGES, known: Known | None = None) -> None:
        """The host answered as it should: back to the usual pace, step by step."""
        with self._state(host) as state:
            state.slow = max(state.slow * FASTER, 1.0)
            state.breakers[circuit].answer(time(), known)

    def refusal(self, host: str, circuit: str = PAGES) -> Refusal | None:
        """Why nothing is to be asked at a circuit now; None: it may be asked."""
        with self._state(host) as state:
            return _refusal(state, circuit, time())

    def refusals(self) -> dict[str, Refusal]:
        """Host → until when nothing is asked of it and why, as long as it has not answered.

        They are only looked at, and may be of the past.
        """
        if self._folder is None:
            hosts = dict(self._hosts)
        else:
            hosts = {}
            for path in sorted(self._folder.glob("*.json")):
                with suppress(OSError, UnicodeDecodeError):
                    hosts[path.stem] = _Host.from_text(path.read_text(encoding="utf-8"))
        found = {}
        for host, state in hosts.items():
            if opened := [one for one in state.breakers.values() if one.is_open()]:
                last = max(opened, key=lambda one: one.until)
                found[host] = Refusal(last.until, last.because, last.reached)
        return found

    def _turn(self, state: _Host) -> float:
        """Take the next turn; how long it is to be waited for."""
        now = monotonic()
        turn = max(now, state.turn)
        if turn - now > LONGEST_QUEUE_S:
            turn = now
        state.turn = turn + self._gap * state.slow
        return max(turn - now, 0.0)

    @contextmanager
    def _state(self, host: str) -> Iterator[_Host]:
        """A host's state, this caller's alone while the block runs."""
        with self._lock:
            if self._folder is None:
                yield self._hosts.setdefault(host, _Host())
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            # Not opened for appending: every write of such a file goes to its end.
            file = os.open(self._folder / f"{host}.json", os.O_RDWR | os.O_CREAT, 0o644)
            try:
                lock(file)
                stored = os.pread(file, LARGEST_STATE, 0)
                state = _Host.from_text(stored.decode("utf-8", "replace"))
                yield state
                changed = state.as_text().encode().ljust(len(stored))
                if changed != stored:
                    # One write: who is killed meanwhile leaves the one or the other.
                    os.pwrite(file, changed, 0)
            finally:
                os.close(file)


def _refusal(state: _Host, circuit: str, now: float) -> Refusal | None:
    """A host whose pages refuse us is not asked for single funds either."""
    pages = state.breakers[PAGES].refusal(now)
    return pages or (state.breakers[FUNDS].refusal(now) if circuit == FUNDS else None)


def moment(seconds: float) -> datetime:
    """A whole minute not before it, in Asia/Shanghai."""
    exact = datetime.fromtimestamp(seconds, SHANGHAI)
    return exact.replace(second=0, microsecond=0) + timedelta(minutes=1)


def in_words(host: str, refusal: Refusal) -> str:
    """Until when nothing is asked of a host, and why."""
    until = f"{moment(refusal.until):%Y-%m-%d %H:%M}"
    if refusal.reached:
        return f"{host} refuses requests, next request after {until}: {refusal.because}"
    return f"{host} is unreachable, next request after {until}: {refusal.because}"
