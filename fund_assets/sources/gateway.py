"""The one door to the network: every request to the market goes through a `Gateway`.

Belongs here: timeouts, the deadline of a whole call, retries, the size limit, the refusal of
redirects and of ban pages, and keeping the raw bytes. Does not belong here: how fast a host
may be asked (`pace.py`), which addresses there are (`eastmoney.py`) and what the bytes mean
(`decode.py`).
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from typing import Literal
from urllib.parse import urlsplit

import requests
import urllib3
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from fund_assets.settings import Settings
from fund_assets.sources.archive import RawArchive
from fund_assets.sources.base import (
    BannedError,
    EmptyAnswerError,
    SourceError,
    TooLargeError,
    TransportError,
)
from fund_assets.sources.deadline import Watch
from fund_assets.sources.lines import Lines
from fund_assets.sources.pace import Pace
from fund_assets.sources.tally import Tally

_CHUNK = 64 * 1024
_MOST_REDIRECTS = 3
#: What is kept in the archive of a page that is not there.
NO_PAGE = "status 404"
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


class Gateway:
    """Fetches whole answers, or raises a typed error within a known time.

    Args:
        timeout_s: longest wait for a connection, and between two pieces of an answer.
        deadline_s: longest time of one call, its retries and pauses included; the wait for
            the rate limit is not counted.
        attempts: tries per call. Broken connections, timeouts, 429 and 5xx are tried again;
            ban pages, other statuses and answers in another form are not.
        requests_per_second: per host.
        pace_folder: where the processes of this machine share the pace; None: they do not.
        limit_bytes: largest answer, after content encoding is removed.
        archive: where answers are kept before anyone looks into them.
        retention_days: how long `prune` leaves them there.
        backoff_s: first pause before another try; doubled each time, with jitter.

    Attributes:
        tally: every request, and how it ended.
        pace: of each host.
        archive: where answers are kept.
    """

    def __init__(
        self,
        *,
        timeout_s: float = 10.0,
        deadline_s: float = 60.0,
        attempts: int = 3,
        requests_per_second: float = 1.0,
        pace_folder: Path | None = None,
        limit_bytes: int = 64 * 2**20,
        archive: RawArchive | None = None,
        retention_days: int = 30,
        backoff_s: float = 1.0,
    ) -> None:
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._attempts = attempts
        self._limit_bytes = limit_bytes
        self.archive = archive
        self._retention_days = retention_days
        self.pace = Pace(requests_per_second, pace_folder)
        self._lines = Lines()
        self.tally = Tally()
        self._pause = wait_exponential_jitter(
            multiplier=backoff_s, max=_LONGEST_PAUSE_S, jitter=backoff_s
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> "Gateway":
        """A gateway with the limits of the settings; answers are kept below FUND_STATE."""
        return cls(
            timeout_s=settings.request_timeout_s,
            deadline_s=settings.request_deadline_s,
            attempts=settings.request_attempts,
            requests_per_second=settings.requests_per_second,
            pace_folder=settings.state_dir / "pace",
            limit_bytes=settings.response_limit_mb * 2**20,
            archive=RawArchive(settings.state_dir / "raw"),
            retention_days=settings.raw_retention_days,
        )

    def prune(self) -> int:
        """Delete raw answers that are older than their retention; returns how many."""
        return self.archive.prune(self._retention_days) if self.archive else 0

    def fetch(
        self,
        endpoint: str,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        form: Literal["js", "html"] = "js",
        fund: str = "",
        keep: bool = False,
    ) -> Answer:
        """GET `url` and return the whole answer.

        Args:
            endpoint: short stable name for messages and provenance.
            form: what is expected; a page where `js` is expected is a ban page.
            fund: the fund it is about, for messages.
            keep: the answer, or that there is no such page, is kept at hand in the archive
                under the fund; one that is at hand already is not asked for again. Refused
                without a request while the host is stopped.

        Raises:
            TransportError: no whole answer; `StatusError` carries the status.
            BannedError: a page or another host's address instead of data.
            EmptyAnswerError: a success without a byte.
            TooLargeError: more bytes than the limit.
        """
        host = urlsplit(url).hostname or url
        what = f"{endpoint}{f' of fund {fund}' if fund else ''} from {host}"
        if keep and (found := self._at_hand(endpoint, what, url, fund)):
            return found
        until: float | None = None
        took = 0.0

        def once() -> Answer:
            nonlocal until, took
            self.pace.wait(host)
            if keep and (stop := self.pace.stopped_until(host)):
                raise BannedError(f"{what}: held off, not asked for before {stop:%H:%M}")
            began = monotonic()
            if until is None:
                until = began + self._deadline_s
            try:
                answer = self._once(endpoint, what, url, params, headers, until)
            except SourceError as error:
                self.tally.add(endpoint, outcome_of(error), monotonic() - began)
                if _holds_off(error):
                    self.pace.held_off(host)
                if keep and self.archive and getattr(error, "status", 0) == 404:
                    self.archive.keep(endpoint, fund, NO_PAGE)
                raise
            took = monotonic() - began
            return answer

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
        problem: SourceError | None = None
        if not answer.body:
            problem = EmptyAnswerError(_nothing(what))
        elif form == "js" and answer.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
            problem = banned(what, answer.body)
        self.tally.add(endpoint, outcome_of(problem), took)
        if isinstance(problem, BannedError):
            self.pace.held_off(host)
        else:
            self.pace.answered(host)
            if keep and self.archive:
                self.archive.keep(endpoint, fund, answer.sha256)
        if problem:
            raise problem
        return answer

    def _at_hand(self, endpoint: str, what: str, url: str, fund: str) -> Answer | None:
        """An answer that is kept, as if it came now; None when there is none to be read."""
        said = self.archive.at_hand(endpoint, fund) if self.archive else None
        if said is None or self.archive is None:
            return None
        if said == NO_PAGE:
            raise StatusError(_no_page(what), requests.codes.not_found)
        try:
            body = self.archive.get(said)
        except (FileNotFoundError, ValueError, OSError):
            return None  # pruned meanwhile, or damaged: it is asked for again
        if not body:
            raise EmptyAnswerError(_nothing(what))
        return Answer(endpoint, url, requests.codes.ok, {}, body, said)

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
        host = urlsplit(url).hostname or url
        with Watch(until - monotonic()) as watch, self._lines.to(host, watch) as session:
            try:
                response = self._send(session, what, url, params, headers, until)
                body = self._read(response, what)
            except _FAULTS as error:
                if watch.expired:
                    raise self._late(what) from error
                raise TransportError(f"{what}: {_explain(error, self._timeout_s)}") from error
            if watch.expired:  # a body without a length ends like a whole one
                raise self._late(what)
        digest = self.archive.put(body) if self.archive else sha256(body).hexdigest()
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
                headers={**(headers or {}), "Accept-Encoding": "gzip, deflate"},
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
        """The body without its content encoding.

        Not left to urllib3, which takes the first half of a compressed answer for a whole.
        """
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        packed = encoding != "identity"
        if packed and encoding not in ("gzip", "deflate"):
            raise TransportError(f"{what}: unknown content encoding {encoding[:40]!r}")
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, by its first bytes
        body = bytearray()
        try:
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                room = self._limit_bytes - len(body) + 1
                body += unpack.decompress(chunk, room) if packed else chunk
                if len(body) > self._limit_bytes:
                    raise TooLargeError(
                        f"{what}: the answer is larger than {self._limit_bytes:,} bytes; "
                        "raise FUND_RESPONSE_LIMIT_MB if that is right"
                    )
        except zlib.error as error:
            raise TransportError(
                f"{what}: the compressed answer is damaged: {error}"
            ) from error
        if packed and not unpack.eof:
            raise TransportError(f"{what}: the compressed answer ends in the middle")
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


def outcome_of(error: SourceError | None) -> str:
    """How a request ended, in one word; None is an answer."""
    if isinstance(error, StatusError):
        return f"status_{error.status}"
    return _OUTCOMES[type(error)]


def _nothing(what: str) -> str:
    return f"{what}: the answer is empty; try again later"


def _no_page(what: str) -> str:
    return f"{what}: status 404, there is no such page"


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


def _holds_off(error: SourceError) -> bool:
    """Whether the source asks us to be slower, or takes us for no person."""
    if isinstance(error, StatusError):
        return error.status in (403, 429)
    return isinstance(error, BannedError)


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
    for kinds, words in (
        (_PROXY, "the proxy refused or broke off: check HTTPS_PROXY"),
        (_TLS, "TLS failed: check the clock and REQUESTS_CA_BUNDLE"),
        (_CONNECT, f"no connection within {timeout_s:g} s: check the network"),
        (_SILENCE, f"nothing came for {timeout_s:g} s: try later"),
        (_BROKEN, "the answer broke off: try later"),
    ):
        if isinstance(error, kinds):
            return f"{words} ({detail})"
    return f"the connection failed: check the network ({detail})"


_OUTCOMES = {
    type(None): "ok",
    TransportError: "transport",
    DeadlineError: "deadline",
    BannedError: "banned",
    EmptyAnswerError: "empty",
    TooLargeError: "too_large",
}
_PROXY = (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)
_TLS = (requests.exceptions.SSLError, urllib3.exceptions.SSLError)
_CONNECT = (requests.exceptions.ConnectTimeout,)
_SILENCE = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
_BROKEN = (urllib3.exceptions.ProtocolError, HTTPException)
