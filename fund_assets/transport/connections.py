"""Connections to a host that calls use one after the other.

Belongs here: keeping a connection for the next call, for a few seconds. Does not belong here:
what a call asks and how long it may take (`gateway.py`, `deadline.py`).

To connect anew for each of 26,000 histories costs both sides more than to send them.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from threading import Lock
from time import monotonic
from weakref import finalize

import requests

from fund_assets.transport.deadline import DeadlineAdapter, DeadlineTimer

#: Servers keep an idle connection for 5 s or longer; one that is asked in vain costs a try.
IDLE_S = 3.0
_Free = defaultdict[str, list[tuple[float, requests.Session]]]


class Connections:
    """Sessions with one connection each; safe to use from many threads."""

    def __init__(self) -> None:
        self._free: _Free = defaultdict(list)
        self._lock = Lock()
        finalize(self, _close, self._free)

    @contextmanager
    def to(self, host: str, timer: DeadlineTimer) -> Iterator[requests.Session]:
        """A session for calls to `host`, this block's alone, whose socket `timer` shuts.

        Its connection is used again unless the block raises.
        """
        session = self._take(host)
        try:
            adapter = session.get_adapter("https://")
            assert isinstance(adapter, DeadlineAdapter), adapter
            adapter.end_with(timer)
            yield session
        except BaseException:
            session.close()
            raise
        with self._lock:
            self._free[host].append((monotonic(), session))

    def _take(self, host: str) -> requests.Session:
        with self._lock:
            while self._free[host]:
                used, session = self._free[host].pop()
                if monotonic() - used < IDLE_S:
                    return session
                session.close()
        session = requests.Session()
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = DeadlineAdapter()
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session


def _close(free: _Free) -> None:
    for sessions in free.values():
        for _, session in sessions:
            session.close()
