"""What broke a request on its way: the connection, an answer against the rules, or we.

Belongs here: from the exceptions of the libraries below to one error of ours, with what to do.
Does not belong here: an answer that came whole (`http_answer.py`), what follows (`gateway.py`).
"""

from http.client import HTTPException, RemoteDisconnected
from ssl import SSLEOFError, SSLZeroReturnError

import requests
import urllib3

from fund_assets.transport.defects import is_ours
from fund_assets.transport.errors import SourceError, TransportError, UnreachedError

_FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError)
_CLOSED = (RemoteDisconnected, ConnectionResetError, ConnectionAbortedError, BrokenPipeError,
           SSLEOFError, SSLZeroReturnError)  # fmt: skip
_PROXY = (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)
_TLS = (requests.exceptions.SSLError, urllib3.exceptions.SSLError)
_CONNECT = (requests.exceptions.ConnectTimeout,)
_SILENCE = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
_BROKEN = (urllib3.exceptions.ProtocolError, requests.exceptions.ChunkedEncodingError,
           HTTPException)  # fmt: skip


def fault_of(what: str, error: Exception, timeout_s: float, tunnelled: bool) -> SourceError:
    """The error that a broken request ends in.

    Args:
        tunnelled: whether a proxy had connected us before.

    Raises:
        Exception: `error` itself, when code of ours raised it.
    """
    if isinstance(error, _FAULTS):
        words, kind = _explain(error, timeout_s, tunnelled)
        return kind(f"{what}: {words}")
    if is_ours(error):
        raise error  # the boundary tells of it
    return TransportError(
        f"{what}: the answer is not valid HTTP: try again later ({type(error).__name__}: "
        f"{str(error)[:200]})"
    )


def _explain(
    error: Exception, timeout_s: float, tunnelled: bool
) -> tuple[str, type[TransportError]]:
    """What happened to the connection, and what to do, in one line; and its kind."""
    root = _root(error)
    detail = f"{type(root).__name__}: {root}"[:300]
    if isinstance(root, _CLOSED):
        proxy = isinstance(error, _PROXY) and not tunnelled
        who = (
            "the proxy refuses our requests: check HTTPS_PROXY"
            if proxy
            else "the source refuses our requests"
        )
        kind = UnreachedError if proxy else TransportError
        return f"the connection was closed without an answer: {who} ({detail})", kind
    for kinds, words, kind in (
        (
            _PROXY,
            "the proxy refused or closed the connection: check HTTPS_PROXY",
            UnreachedError,
        ),
        (_TLS, "TLS failed: check the clock and REQUESTS_CA_BUNDLE", UnreachedError),
        (_CONNECT, f"no connection within {timeout_s:g} s: check the network", UnreachedError),
        (_SILENCE, f"no data for {timeout_s:g} s: try again later", TransportError),
        (_BROKEN, "the answer was cut off: try again later", TransportError),
    ):
        if isinstance(error, kinds):
            return f"{words} ({detail})", kind
    return f"the connection failed: check the network ({detail})", UnreachedError


def _root(error: BaseException) -> BaseException:
    """What lies at the bottom of the errors that libraries wrap around each other."""
    root, seen = error, {id(error)}
    while True:
        inner = (
            getattr(root, "reason", None),
            getattr(root, "original_error", None),
            *root.args,
            root.__cause__,
        )
        deeper = [e for e in inner if isinstance(e, BaseException) and id(e) not in seen]
        if not deeper:
            return root
        root = deeper[0]
        seen.add(id(root))
