"""How many connections are held open, and for how long.

Belongs here: limits of uvicorn's connections. Does not belong here: who is let in
(`access.py`).

A connection that drips a byte a second costs nothing but its place: places are what is counted.
Whoever comes is taken; of those who have not sent a whole head yet, the one that has waited
longest gives way. So a monitor gets its answer, also when it has the address of those who drip.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

#: For the head of a request, from the connection or the last answer on; and for an answer.
HEAD_S, ANSWER_S = 10.0, 30.0
#: Connections of one address, and of all together.
PER_CLIENT, IN_ALL = 32, 128
#: Connections that are taken at once; more wait in the system's queue meanwhile.
BACKLOG = 256


@dataclass
class Places:
    """The connections of one server.

    Attributes:
        waiting: those without a whole head, the one that has waited longest first.
        taken: how many each address has; hosts: whose each is.
    """

    per_client: int = PER_CLIENT
    in_all: int = IN_ALL
    waiting: dict["BoundedProtocol", str] = field(default_factory=dict)
    hosts: dict["BoundedProtocol", str] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)

    def take(self, one: "BoundedProtocol", host: str) -> bool:
        """Take a place, if need be one of those who wait; whether there was one."""
        while self.taken[host] >= self.per_client or len(self.hosts) >= self.in_all:
            own = self.taken[host] >= self.per_client
            oldest = next((w for w, h in self.waiting.items() if not own or h == host), None)
            if oldest is None:
                return False
            self.leave(oldest)
            oldest.drop()
        self.hosts[one] = self.waiting[one] = host
        self.taken[host] += 1
        return True

    def wait(self, one: "BoundedProtocol") -> None:
        """It waits for the head of a request, behind all others."""
        if one in self.hosts:
            self.waiting[one] = self.hosts[one]

    def leave(self, one: "BoundedProtocol") -> None:
        """Give the place back."""
        self.waiting.pop(one, None)
        if host := self.hosts.pop(one, None):
            self.taken[host] -= 1
            if not self.taken[host]:
                del self.taken[host]


class BoundedProtocol(H11Protocol):
    """One connection; made by uvicorn from a subclass that knows its places."""

    places: Places
    _clock: asyncio.TimerHandle | None = None

    # uvicorn's own narrows the type of asyncio in the same way.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place, or close."""
        super().connection_made(transport)
        host = str(self.client[0]) if self.client else ""
        if self.places.take(self, host):
            self._within(HEAD_S)
        else:
            self.drop()

    def data_received(self, data: bytes) -> None:
        """A part of a head, which has its time from the beginning, or the whole of it."""
        if self not in self.places.hosts:
            return
        super().data_received(data)
        if self in self.places.waiting and self.cycle and not self.cycle.response_complete:
            del self.places.waiting[self]
            self._within(ANSWER_S)

    def on_response_complete(self) -> None:
        """The next head has its time from now on."""
        self.places.wait(self)
        self._within(HEAD_S)
        super().on_response_complete()
        if self.cycle and not self.cycle.response_complete:  # a next head was there already
            self.places.waiting.pop(self, None)
            self._within(ANSWER_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._still()
        self.places.leave(self)
        super().connection_lost(exc)

    def drop(self) -> None:
        """Close at once."""
        self._still()
        self.transport.abort()

    def _within(self, seconds: float) -> None:
        self._still()
        self._clock = self.loop.call_later(seconds, self.drop)

    def _still(self) -> None:
        if self._clock:
            self._clock.cancel()
            self._clock = None


def bounded(places: Places) -> type[Any]:
    """The connections of a server with these places."""
    return type("Bounded", (BoundedProtocol,), {"places": places})
