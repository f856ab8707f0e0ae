"""Ending to wait: for one channel, and for all of a round.

Belongs here: threads that may be left behind. Does not belong here: what a channel does.

Whatever a channel waits for (names, TLS, a server that drips, a library without a deadline), it
holds its own thread alone. One that is left behind keeps its place: until it ends, nothing else
is begun under its name.
"""

import atexit
import logging
from collections.abc import Callable, Mapping
from threading import Lock, Thread
from time import monotonic
from typing import TypeVar

T = TypeVar("T")
#: A program that ends waits so long for what it left behind.
EXIT_WAIT_S = 25.0
log = logging.getLogger(__name__)
_under_way: dict[str, Thread] = {}
_lock = Lock()


class StillWaiting(RuntimeError):
    """What was asked for is not done in its time, or the last one of its name is not."""


def within(seconds: float, name: str, work: Callable[[], T]) -> T:
    """The result of some work, or its exception.

    Raises:
        StillWaiting: it takes longer, or the last work of this name has not ended yet.
    """
    done, failed = at_once({name: work}, seconds)
    if name in failed:
        raise failed[name]
    if name not in done:
        raise StillWaiting(name)
    return done[name]


def at_once(
    works: Mapping[str, Callable[[], T]], seconds: float
) -> tuple[dict[str, T], dict[str, BaseException]]:
    """Do several things at once, and wait for so long in all.

    Returns:
        Results and exceptions, by name, of what has ended by then; the rest goes on alone.
    """
    done: dict[str, T] = {}
    failed: dict[str, BaseException] = {}
    until = monotonic() + seconds
    begun = [
        thread
        for name, work in works.items()
        if (thread := _begin(name, work, done, failed)) is not None
    ]
    for thread in begun:
        thread.join(max(until - monotonic(), 0.0))
    with _lock:
        return dict(done), dict(failed)


@atexit.register
def _wait_at_exit() -> None:
    until = monotonic() + EXIT_WAIT_S
    for thread in list(_under_way.values()):
        thread.join(max(until - monotonic(), 0.0))


def _begin(
    name: str,
    work: Callable[[], T],
    done: dict[str, T],
    failed: dict[str, BaseException],
) -> Thread | None:
    def run() -> None:
        try:
            found = work()
        except BaseException as error:  # it is the caller's, if the caller still waits
            log.debug("%s: %s", name, type(error).__name__)
            with _lock:
                failed[name] = error
        else:
            with _lock:
                done[name] = found

    thread = Thread(target=run, name=f"{name} (alerts)", daemon=True)
    with _lock:
        last = _under_way.get(name)
        if last and last.is_alive():
            return None
        _under_way[name] = thread
        thread.start()
    return thread
