"""The deadline of one HTTP call.

Belongs here: ending whatever a call waits for when its time is over. Does not belong here:
how long that is (`gateway.py`).

requests bounds each wait of a socket, not a call: a server that sends one byte a second
holds a caller for ever. Here a timer shuts the call's socket down, so that whatever the call
waits for (proxy, TLS, headers, body) ends at once, in its own thread. Only the name
resolution before a connection is left to the limits of the operating system.
"""

import socket
from threading import Lock, Timer
from typing import Any

from requests.adapters import HTTPAdapter


class DeadlineTimer:
    """Ends a call when its time is over, by shutting its sockets down.

    Attributes:
        expired: whether the time is over.
        tunnelled: whether a proxy has connected us: what is closed then is not its doing.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self.tunnelled = False
        self._sockets: list[socket.socket] = []
        self._lock = Lock()
        self._timer = Timer(max(seconds, 0.0), self._expire)
        self._timer.daemon = True

    def __enter__(self) -> "DeadlineTimer":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        for sock in self._sockets:
            sock.close()

    def keep(self, sock: socket.socket) -> None:
        """Remember a connection's socket, and shut it at once when time is over already."""
        # TLS takes the descriptor away from the socket it wraps; a duplicate stays ours.
        with self._lock:
            self._sockets.append(sock.dup())
            if self.expired:
                self._shut()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            self._shut()

    def _shut(self) -> None:
        for sock in self._sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the peer was faster


class DeadlineAdapter(HTTPAdapter):
    """An adapter for one connection at a time, which reports its socket to a timer."""

    def __init__(self) -> None:
        self._deadline: DeadlineTimer | None = None
        self._socket: socket.socket | None = None
        self._tunnelled = False
        super().__init__(max_retries=0)

    def end_with(self, timer: DeadlineTimer) -> None:
        """From now on report to this timer, a connection that is open already first of all."""
        self._deadline = timer
        timer.tunnelled = self._tunnelled
        if self._socket:
            timer.keep(self._socket)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The pool that requests would use, making watched connections."""
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        adapter = self

        class TimedConnection(type(pool).ConnectionCls):  # type: ignore[misc]  # known when it runs
            def _new_conn(self) -> socket.socket:
                sock: socket.socket = super()._new_conn()
                adapter._report(sock)
                return sock

            def _tunnel(self) -> None:
                super()._tunnel()
                adapter._tunnelled = True
                if adapter._deadline:
                    adapter._deadline.tunnelled = True

        pool.ConnectionCls = TimedConnection
        return pool

    def close(self) -> None:
        """Close the connection."""
        super().close()
        if self._socket:
            self._socket.close()

    def _report(self, sock: socket.socket) -> None:
        if self._socket:
            self._socket.close()
        self._socket = sock.dup()
        if self._deadline:
            self._deadline.keep(sock)
