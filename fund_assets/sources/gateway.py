"""The one door to the network: every request to the market goes through a `Gateway`.

Belongs here: timeouts, the deadline of a whole call, retries, the rate limit, the size
limit, the refusal of redirects and of ban pages, and keeping the raw bytes. Does not belong
here: which addresses there are (`eastmoney.py`) and what the bytes mean (`decode.py`).

requests bounds each wait of a socket, not a call: a server that sends one byte a second
holds a caller for ever. Here a timer shuts the call's socket down when its time is over, so
that whatever the call waits for (proxy, TLS, headers, body) ends at once, in its own thread.
Only the name resolution before a connection is left to the limits of the operating system.
"""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPException
from threading import Lock, Timer
from time import monotonic, sleep
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from fund_assets.sources.archive import RawArchive
from fund_assets.sources.base import (
    BannedError,
    EmptyAnswerError,
    TooLargeError,
    TransportError,
)

_CHUNK = 64 * 1024
_MOST_REDIRECTS = 3
_LONGEST_PAUSE_S = 30.0
_FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError)


class StatusError(TransportError):
    """The server answered with a status that is no success."""

    def __init__(self, message: str, status: int, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class DeadlineError(TransportError):
    """The call's time is over; it is not tried again."""


@dataclass(frozen=True)
class Answer:
    """A whole answer with a success status.

    Attributes:
        endpoint: the short stable name that the caller gave.
        body: the bytes, content encoding removed.
        sha256: of `body`, in hex; its name in the raw archive.
    """

    endpoint: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    sha256: str


class _Watch:
    """Ends a call when its time is over, by shutting its sockets down."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = Lock()
        self._timer = Timer(max(seconds, 0.0), self._expire)
        self._timer.daemon = True

    def __enter__(self) -> "_Watch":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        for sock in self._sockets:
            sock.close()

    def keep(self, sock: socket.socket) -> None:
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


class _WatchedAdapter(HTTPAdapter):
    """An adapter whose connections report their sockets to a watch."""

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        watch = self._watch

        class Watched(type(pool).ConnectionCls):  # type: ignore[misc]
            def _new_conn(self) -> socket.socket:
                sock = super()._new_conn()
                watch.keep(sock)
                return sock

        pool.ConnectionCls = Watched
        return pool


class RateLimit:
    """At most so many requests a second to one host, over all threads of this process."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1.0 / per_second
        self._next: dict[str, float] = {}
        self._lock = Lock()

    def wait(self, host: str) -> None:
        """Return when the caller may send its request to `host`."""
        with self._lock:
            now = monotonic()
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + self._gap
        sleep(max(turn - now, 0.0))


class Gateway:
    """Fetches whole answers, or raises a typed error within a known time.

    Args:
        timeout_s: longest wait for a connection, and between two pieces of an answer.
        deadline_s: longest time of one call, its retries and pauses included; the wait for
            the rate limit is not counted.
        attempts: tries per call. Broken connections, timeouts, 429 and 5xx are tried again;
            ban pages, other statuses and answers in another form are not.
        requests_per_second: per host.
        limit_bytes: largest answer, after content encoding is removed.
        archive: where answers are kept before anyone looks into them.
        backoff_s: first pause before another try; doubled each time, with jitter.
    """

    def __init__(
        self,
        *,
        timeout_s: float = 10.0,
        deadline_s: float = 60.0,
        attempts: int = 3,
        requests_per_second: float = 1.0,
        limit_bytes: int = 64 * 2**20,
        archive: RawArchive | None = None,
        backoff_s: float = 1.0,
    ) -> None:
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._attempts = attempts
        self._limit_bytes = limit_bytes
        self._archive = archive
        self._rate = RateLimit(requests_per_second)
        self._pause = wait_exponential_jitter(
            initial=backoff_s, max=_LONGEST_PAUSE_S, jitter=backoff_s
        )

    def fetch(
        self,
        endpoint: str,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        form: Literal["js", "html"] = "js",
        fund: str = "",
    ) -> Answer:
        """GET `url` and return the whole answer.

        Args:
            endpoint: short stable name for messages and provenance.
            form: what is expected; a page where `js` is expected is a ban page.
            fund: the fund it is about, for messages.

        Raises:
            TransportError: no whole answer; `StatusError` carries the status.
            BannedError: a page or another host's address instead of data.
            EmptyAnswerError: a success without a byte.
            TooLargeError: more bytes than the limit.
        """
        host = urlsplit(url).hostname or url
        what = f"{endpoint}{f' of fund {fund}' if fund else ''} from {host}"
        until: float | None = None

        def once() -> Answer:
            nonlocal until
            self._rate.wait(host)
            if until is None:
                until = monotonic() + self._deadline_s
            return self._once(endpoint, what, url, params, headers, until)

        retrying = Retrying(
            stop=lambda state: (
                stop_after_attempt(self._attempts)(state)
                or monotonic() + state.upcoming_sleep > (until or 0.0)
            ),
            wait=self._wait,
            retry=retry_if_exception(_worth_another_try),
            reraise=True,
        )
        answer: Answer = retrying(once)
        if not answer.body:
            raise EmptyAnswerError(f"{what}: the answer is empty; try again later")
        if form == "js" and answer.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
            raise banned(what, answer.body)
        return answer

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after_s if isinstance(error, StatusError) else 0.0
        return max(self._pause(state), min(asked, _LONGEST_PAUSE_S))

    def _once(
        self,
        endpoint: str,
        what: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        until: float,
    ) -> Answer:
        with _Watch(until - monotonic()) as watch, requests.Session() as session:
            adapter = _WatchedAdapter(watch)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            try:
                response = self._send(session, what, url, params, headers, until)
                body = self._read(response, what)
            except _FAULTS as error:
                if watch.expired:
                    raise self._late(what) from error
                raise TransportError(f"{what}: {_explain(error, self._timeout_s)}") from error
            if watch.expired:  # a body without a length ends like a whole one
                raise self._late(what)
        digest = self._archive.put(body) if self._archive else sha256(body).hexdigest()
        return Answer(
            endpoint, response.url, response.status_code, response.headers, body, digest
        )

    def _late(self, what: str) -> DeadlineError:
        return DeadlineError(
            f"{what}: no whole answer within {self._deadline_s:g} s; the server is slow or "
            "holds us off: try later, or raise FUND_REQUEST_DEADLINE_S"
        )

    def _send(
        self,
        session: requests.Session,
        what: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        until: float,
    ) -> requests.Response:
        host = urlsplit(url).hostname
        longest = min(self._timeout_s, max(until - monotonic(), 0.01))
        for _ in range(_MOST_REDIRECTS + 1):
            response = session.get(
                url,
                params=params,
                headers=headers,
                timeout=longest,
                allow_redirects=False,
                stream=True,
            )
            target = session.get_redirect_target(response)
            if target is None:
                break
            url, params = requests.compat.urljoin(response.url, target), None
            response.close()
            if (elsewhere := urlsplit(url).hostname) != host:
                raise BannedError(
                    f"{what}: redirected to {elsewhere}, which is not followed: probably a "
                    "login or ban page; wait some hours and lower FUND_REQUESTS_PER_SECOND"
                )
        else:
            raise TransportError(f"{what}: redirected more than {_MOST_REDIRECTS} times")
        if response.status_code != requests.codes.ok:
            raise _status_error(what, response)
        return response

    def _read(self, response: requests.Response, what: str) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self._limit_bytes:
                raise TooLargeError(
                    f"{what}: the answer is larger than {self._limit_bytes:,} bytes; raise "
                    "FUND_RESPONSE_LIMIT_MB if that is right"
                )
        return bytes(body)


def banned(what: str, page: bytes) -> BannedError:
    """The error for a page that stands where data should, quoting the page's title."""
    text = page.decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>([^<]{0,80})", text, re.IGNORECASE)
    said = f" titled {title[1].strip()!r}" if title else ""
    return BannedError(
        f"{what}: a web page{said} came instead of data, probably a captcha, login or ban "
        "page; wait some hours and lower FUND_REQUESTS_PER_SECOND"
    )


def _status_error(what: str, response: requests.Response) -> StatusError:
    status = response.status_code
    advice = {
        403: "access refused: wait some hours and lower FUND_REQUESTS_PER_SECOND",
        404: "there is no such page",
        407: "the proxy wants a login: check HTTPS_PROXY",
        429: "too many requests: lower FUND_REQUESTS_PER_SECOND",
    }.get(status, "the server fails: try later" if status >= 500 else "request refused")
    asked = response.headers.get("Retry-After", "")
    pause = float(asked) if re.fullmatch(r"[0-9]{1,6}", asked) else 0.0
    return StatusError(f"{what}: status {status}, {advice}", status, pause)


def _worth_another_try(error: BaseException) -> bool:
    if isinstance(error, StatusError):
        return error.status == 429 or error.status >= 500
    return isinstance(error, TransportError) and not isinstance(error, DeadlineError)


def _explain(error: Exception, timeout_s: float) -> str:
    """What happened to the connection, and what to do, in one line."""
    root: BaseException = error
    while (cause := getattr(root, "reason", None) or root.__cause__) and isinstance(
        cause, BaseException
    ):
        root = cause
    detail = f"{type(root).__name__}: {root}"[:300]
    for kind, words in (
        (requests.exceptions.ProxyError, "the proxy refused or broke off: check HTTPS_PROXY"),
        (requests.exceptions.SSLError, "TLS failed: check the clock and REQUESTS_CA_BUNDLE"),
        (requests.exceptions.ConnectTimeout, f"no connection within {timeout_s:g} s"),
        (requests.exceptions.Timeout, f"nothing came for {timeout_s:g} s: try later"),
        (requests.exceptions.ContentDecodingError, "the compressed answer is damaged"),
        (requests.exceptions.ChunkedEncodingError, "the answer broke off"),
        (requests.exceptions.ConnectionError, "the connection failed: check the network"),
    ):
        if isinstance(error, kind):
            return f"{words} ({detail})"
    return f"the exchange failed ({detail})"
