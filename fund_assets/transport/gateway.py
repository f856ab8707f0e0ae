"""The one way to the network: every request to the market goes through a `Gateway`.

Belongs here: timeouts, the deadline of a whole call, retries, the size limit, what counts as
being refused, and keeping the raw bytes. Does not belong here: how fast a host may be asked
(`rate_limit.py`) and when it is left alone (`circuit_breaker.py`), which addresses there are
and what the bytes mean (`sources/eastmoney/`).

Whatever a server sends ends as an answer or as a `SourceError`.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from http.client import HTTPException, RemoteDisconnected
from pathlib import Path
from ssl import SSLEOFError, SSLZeroReturnError
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
from fund_assets.transport.archive import RawArchive
from fund_assets.transport.circuit_breaker import REFUSED_PAUSE_S, Known, Next, Refusal
from fund_assets.transport.connections import Connections
from fund_assets.transport.content_encoding import ContentDecoder, ContentDecodingError
from fund_assets.transport.deadline import Watch
from fund_assets.transport.defects import boundary, is_ours
from fund_assets.transport.errors import (
    ArchiveError,
    BannedError,
    DeadlineError,
    DefectError,
    EmptyAnswerError,
    FormatError,
    HeldOffError,
    SourceError,
    StatusError,
    TooLargeError,
    TransportError,
    TruncatedError,
    UnreachedError,
)
from fund_assets.transport.rate_limit import FUNDS, PAGES, RateLimit, moment
from fund_assets.transport.redirects import RedirectError, target
from fund_assets.transport.request_counts import Tally

log = logging.getLogger(__name__)
_CHUNK = 64 * 1024
_MOST_REDIRECTS = 1
_REDIRECTS = (301, 302, 303, 307, 308)
#: An address that has moved for good is asked there; one that leads elsewhere for now leads to
#: a page for people: a login, a riddle, a ban.
_MOVED = (301, 308)
#: What is kept in the archive of a page that is not there.
NO_PAGE = "status 404"
#: Statuses with which a server answers: there is no such page.
_GONE = (404, 410)
#: Statuses with which a server says that it is asked too fast; 514 is that of a CDN.
_TOO_FAST = (429, 514)
_LONGEST_PAUSE_S = 30.0
_FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError)


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


@dataclass(frozen=True)
class OneFund:
    """The fund that a request is about.

    Attributes:
        keep: the answer, or that there is no such page, is kept at hand in the archive under
            the fund; one that is at hand already is not asked for again.
    """

    code: str
    keep: bool = False


@dataclass(frozen=True)
class Limits:
    """How long a call may take, how often it asks, and how much it takes.

    Attributes:
        timeout_s: longest wait for a connection, and between two pieces of an answer.
        deadline_s: longest time of one call, its retries and pauses included; the wait for
            the rate limit is not counted.
        attempts: tries per call. Broken connections, timeouts, 429, 514 and 5xx are tried
            again while no other request is refused; ban pages, other statuses and answers in
            another form are not.
        backoff_s: first pause before another try; doubled each time, with jitter.
        requests_per_second: per host.
        pause_s: how long nothing is asked of a host that refuses us, the first time.
        size: bytes of the largest answer, after content encoding is removed.
    """

    timeout_s: float = 10.0
    deadline_s: float = 60.0
    attempts: int = 3
    backoff_s: float = 1.0
    requests_per_second: float = 1.0
    pause_s: float = REFUSED_PAUSE_S
    size: int = 64 * 2**20


class Gateway:
    """Fetches whole answers, or raises a typed error within a known time.

    Args:
        pace_folder: where the processes of this machine share pace and refusals; None: they
            do not.
        archive: where answers are kept before anyone looks into them.
        retention_days: how long `prune` leaves them there.

    Attributes:
        tally: every request, and how it ended.
        pace: of each host.
        archive: where answers are kept.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        pace_folder: Path | None = None,
        archive: RawArchive | None = None,
        retention_days: int = 30,
    ) -> None:
        self._limits = limits = limits or Limits()
        self.archive = archive
        self._retention_days = retention_days
        self.rate_limit = RateLimit(limits.requests_per_second, pace_folder, limits.pause_s)
        self._connections = Connections()
        self.tally = Tally()
        self._pause = wait_exponential_jitter(
            multiplier=limits.backoff_s, max=_LONGEST_PAUSE_S, jitter=limits.backoff_s
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> "Gateway":
        """A gateway with the limits of the settings; answers are kept below FUND_STATE."""
        return cls(
            Limits(
                timeout_s=settings.request_timeout_s,
                deadline_s=settings.request_deadline_s,
                attempts=settings.request_attempts,
                requests_per_second=settings.requests_per_second,
                pause_s=settings.refused_pause_s,
                size=settings.response_limit_mb * 2**20,
            ),
            pace_folder=settings.pace_dir,
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
        form: Literal["js", "script", "html"] = "js",
        about: OneFund | None = None,
        check: Callable[[Answer], None] = lambda answer: None,
    ) -> Answer:
        """GET `url` and return the whole answer.

        While the host refuses us, no request is made.

        Args:
            endpoint: short stable name for messages and provenance.
            form: what is expected. A page where `js` is expected is a ban page; so is any
                other text, such as words in JSON, where a `script` of `var x=…` is.
            about: the fund it is about; it goes through the circuit of single funds.
            check: raises a `SourceError` over an answer that is none.

        Raises:
            TransportError: no whole answer; `StatusError` carries the status.
            BannedError: a page or another host's address instead of data; `HeldOffError`:
                nothing was asked, for the host refuses us.
            EmptyAnswerError: a success without a byte.
            TooLargeError: more bytes than the limit.
            ArchiveError: it came and cannot be kept.
            DefectError: something of ours broke.
        """
        host = urlsplit(url).hostname or url
        fund, keep = (about.code, about.keep) if about else ("", False)
        circuit = FUNDS if fund else PAGES
        what = f"{endpoint}{f' of fund {fund}' if fund else ''} from {host}"
        until: float | None = None
        again = True

        def once() -> Answer:
            nonlocal until, again
            again = False
            self._enter(host, circuit, what)
            began = monotonic()
            if until is None:
                until = began + self._limits.deadline_s
            try:
                answer = self._once(endpoint, what, url, params, headers, until)
                _judge(answer, what, form)
                check(answer)
            except SourceError as error:
                self.tally.add(endpoint, outcome_of(error), monotonic() - began)
                again = self._refused(host, circuit, fund or endpoint, what, error)
                raise
            self.tally.add(endpoint, outcome_of(None), monotonic() - began)
            known = Known(endpoint, fund or endpoint, answer.url, dict(headers or {}), form)
            self.rate_limit.answered(host, circuit, None if form == "html" else known)
            return answer

        retrying = Retrying(
            stop=lambda state: (
                stop_after_attempt(self._limits.attempts)(state)
                or monotonic() + state.upcoming_sleep > (until or 0.0)
            ),
            wait=self._wait,
            retry=retry_if_exception(lambda error: again and _worth_another_try(error)),
            reraise=True,
        )
        with boundary(what):
            if keep and (found := self._at_hand(endpoint, what, url, fund)):
                return found
            try:
                answer: Answer = retrying(once)
            except StatusError as error:
                if keep and error.status in _GONE:
                    self._keep(endpoint, what, fund, NO_PAGE)
                raise
            if self.archive:
                try:
                    self.archive.put(answer.body)
                except OSError as error:
                    raise _unkept(what, error) from error
            if keep:
                self._keep(endpoint, what, fund, answer.sha256)
            return answer

    def _enter(self, host: str, circuit: str, what: str) -> None:
        """Wait for a turn; raise while the host refuses us."""
        found = self.rate_limit.enter(host, circuit)
        if isinstance(found, Known):
            self._ask(host, circuit, found)
            found = self.rate_limit.refusal(host, circuit)
            self.rate_limit.wait(host)
        if isinstance(found, Refusal):
            raise HeldOffError(f"{what}: not asked: {in_words(host, found)}")

    def _refused(
        self, host: str, circuit: str, subject: str, what: str, error: SourceError
    ) -> bool:
        """Note a request that ended in an error; whether it may be tried again."""
        if not _is_refusal(error):
            self.rate_limit.answered(host, circuit)
            return True
        follows = self.rate_limit.refused(
            host,
            circuit,
            subject,
            _short(error, what),
            reached=not isinstance(error, UnreachedError),
            too_fast=isinstance(error, StatusError) and error.status in _TOO_FAST,
        )
        if isinstance(follows, Known):
            self.rate_limit.wait(host)
            self._ask(host, circuit, follows)
            return False
        return follows is Next.AGAIN

    def _ask(self, host: str, circuit: str, known: Known) -> None:
        """Ask once more what was answered before, and let the circuit know what came of it."""
        what = f"{known.endpoint} of {known.subject} from {host}"
        began = monotonic()
        try:
            with boundary(what):
                answer = self._once(
                    known.endpoint, what, known.url, None, known.headers,
                    began + self._limits.deadline_s,
                )  # fmt: skip
                _judge(answer, what, known.form)
        except SourceError as error:
            self.tally.add(known.endpoint, outcome_of(error), monotonic() - began)
            if _is_refusal(error):
                reached = not isinstance(error, UnreachedError)
                self.rate_limit.probe_failed(
                    host, circuit, _short(error, what), reached=reached
                )
                found = self.rate_limit.refusal(host, circuit)
                if found:
                    log.warning("%s", in_words(host, found))
                return
        else:
            self.tally.add(known.endpoint, outcome_of(None), monotonic() - began)
        self.rate_limit.answered(host, circuit)

    def _keep(self, endpoint: str, what: str, fund: str, said: str) -> None:
        if self.archive:
            try:
                self.archive.keep(endpoint, fund, said)
            except OSError as error:
                raise _unkept(what, error) from error

    def _at_hand(self, endpoint: str, what: str, url: str, fund: str) -> Answer | None:
        """An answer that is kept, as if it came now; None when there is none to be read."""
        said = self.archive.at_hand(endpoint, fund) if self.archive else None
        if said is None or self.archive is None:
            return None
        if said == NO_PAGE:
            raise StatusError(_no_page(what), HTTPStatus.NOT_FOUND.value)
        try:
            body = self.archive.get(said)
        except (OSError, ValueError) as error:  # pruned meanwhile, or damaged
            log.warning(
                "%s: what was kept cannot be used, it is asked for again: %s", what, error
            )
            return None
        return Answer(endpoint, url, HTTPStatus.OK.value, {}, body, said) if body else None

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after_s if isinstance(error, StatusError) else 0.0
        return max(self._pause(state), asked)  # beyond the deadline: no further try

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
        with Watch(until - monotonic()) as watch, self._connections.to(host, watch) as session:
            try:
                response = self._send(session, what, url, params, headers, until)
                body = self._read(response, what)
            except SourceError:
                raise
            except Exception as error:
                if watch.expired:
                    raise self._late(what) from error
                raise self._transport(what, error, watch.tunnelled) from error
            if watch.expired:  # a body without a length ends like a whole one
                raise self._late(what)
        return Answer(
            endpoint,
            response.url,
            response.status_code,
            response.headers,
            body,
            sha256(body).hexdigest(),
        )

    def _transport(self, what: str, error: Exception, tunnelled: bool) -> SourceError:
        """What broke a request: the connection, an answer against the rules, or we."""
        if isinstance(error, _FAULTS):
            words, kind = _explain(error, self._limits.timeout_s, tunnelled)
            return kind(f"{what}: {words}")
        if is_ours(error):
            raise error  # the boundary tells of it
        return TransportError(
            f"{what}: the answer breaks the rules of HTTP: try later "
            f"({type(error).__name__}: {str(error)[:200]})"
        )

    def _late(self, what: str) -> DeadlineError:
        return DeadlineError(
            f"{what}: no whole answer within {self._limits.deadline_s:g} s; the server is slow "
            "or holds us off: try later, or raise FUND_REQUEST_DEADLINE_S"
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
        longest = min(self._limits.timeout_s, max(until - monotonic(), 0.01))
        for _ in range(_MOST_REDIRECTS + 1):
            response = session.get(
                url,
                params=params,
                headers={**(headers or {}), "Accept-Encoding": "gzip, deflate"},
                timeout=longest,
                allow_redirects=False,
                stream=True,
            )
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or location is None:
                break
            response.close()
            try:
                url, elsewhere = target(response.url, location)
            except RedirectError as error:
                raise TransportError(f"{what}: {error}; try later") from error
            params = None
            moved = response.status_code in _MOVED
            if elsewhere or not moved:
                raise BannedError(
                    f"{what}: redirected to {elsewhere or urlsplit(url).path}, which is not "
                    "followed: probably a login or ban page; wait some hours and lower "
                    "FUND_REQUESTS_PER_SECOND"
                )
            self.rate_limit.wait(urlsplit(url).hostname or url)
        else:
            raise TransportError(f"{what}: redirected again where it had moved to")
        if response.status_code != HTTPStatus.OK.value:
            raise _status_error(what, response)
        return response

    def _read(self, response: requests.Response, what: str) -> bytes:
        """The body without its content encoding."""
        body, came = bytearray(), 0
        try:
            decoder = ContentDecoder(
                response.headers.get("Content-Encoding", "identity").lower()
            )
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                came += len(chunk)
                body += decoder.feed(chunk, self._limits.size - len(body) + 1)
                if max(len(body), came) > self._limits.size:
                    raise TooLargeError(
                        f"{what}: the answer is larger than {self._limits.size:,} bytes; "
                        "raise FUND_RESPONSE_LIMIT_MB if that is right"
                    )
            decoder.end()
        except ContentDecodingError as error:
            raise TransportError(f"{what}: {error}") from error
        return bytes(body)


def in_words(host: str, refusal: Refusal) -> str:
    """Until when nothing is asked of a host, and why."""
    until = f"{moment(refusal.until):%Y-%m-%d %H:%M}"
    if refusal.reached:
        return f"{host} refuses us until {until}: {refusal.because}"
    return f"{host} cannot be reached and is not asked before {until}: {refusal.because}"


def _judge(answer: Answer, what: str, form: str) -> None:
    """Refuse an empty answer, and a page where data should stand."""
    if not answer.body:
        raise EmptyAnswerError(f"{what}: the answer is empty; try again later")
    if form != "html" and answer.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise banned(what, answer.body)
    if form == "script" and b"var " not in answer.body:
        try:
            said = answer.body.decode()
        except UnicodeDecodeError:
            return  # damaged: its decoder tells how
        raise BannedError(
            f"{what}: the words {said[:80]!r} came instead of data, probably a ban; wait some "
            "hours and lower FUND_REQUESTS_PER_SECOND"
        )


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
    return next((_OUTCOMES[k] for k in type(error).__mro__ if k in _OUTCOMES), "other")


def _no_page(what: str) -> str:
    return f"{what}: status 404, there is no such page"


def _unkept(what: str, error: OSError) -> ArchiveError:
    return ArchiveError(
        f"{what}: the answer came and cannot be kept: {error}; make room below FUND_STATE, or "
        "set it to a folder that can be written"
    )


def _status_error(what: str, response: requests.Response) -> StatusError:
    status = response.status_code
    advice = {
        403: "access refused: wait some hours and lower FUND_REQUESTS_PER_SECOND",
        404: "there is no such page",
        407: "the proxy wants a login: check HTTPS_PROXY",
        429: "too many requests: lower FUND_REQUESTS_PER_SECOND",
        514: "too many requests, says its CDN: lower FUND_REQUESTS_PER_SECOND",
    }.get(status, "the server fails: try later" if status >= 500 else "request refused")
    asked = response.headers.get("Retry-After", "")
    pause = float(asked) if re.fullmatch(r"[0-9]{1,6}", asked) else 0.0
    return StatusError(f"{what}: status {status}, {advice}", status, pause)


def _is_refusal(error: SourceError) -> bool:
    """Whether a request ended without anything that shows that the host serves us."""
    if isinstance(error, StatusError):
        return error.status not in _GONE
    return isinstance(error, TransportError | BannedError | EmptyAnswerError)


def _short(error: SourceError, what: str) -> str:
    """How a request ended, without whose it was and without advice."""
    return str(error).removeprefix(f"{what}: ").partition(";")[0][:200]


def _worth_another_try(error: BaseException) -> bool:
    if isinstance(error, StatusError):
        return error.status == 429 or error.status >= 500
    return isinstance(error, TransportError) and not isinstance(error, DeadlineError)


def _explain(
    error: Exception, timeout_s: float, tunnelled: bool
) -> tuple[str, type[TransportError]]:
    """What happened to the connection, and what to do, in one line; and its kind.

    Args:
        tunnelled: whether a proxy had connected us before.
    """
    root = _root(error)
    detail = f"{type(root).__name__}: {root}"[:300]
    if isinstance(root, _CLOSED):
        proxy = isinstance(error, _PROXY) and not tunnelled
        who = (
            "the proxy does not serve us: check HTTPS_PROXY"
            if proxy
            else "the source refuses us"
        )
        kind = UnreachedError if proxy else TransportError
        return f"the connection was closed without an answer: {who} ({detail})", kind
    for kinds, words, kind in (
        (_PROXY, "the proxy refused or broke off: check HTTPS_PROXY", UnreachedError),
        (_TLS, "TLS failed: check the clock and REQUESTS_CA_BUNDLE", UnreachedError),
        (_CONNECT, f"no connection within {timeout_s:g} s: check the network", UnreachedError),
        (_SILENCE, f"nothing came for {timeout_s:g} s: try later", TransportError),
        (_BROKEN, "the answer broke off: try later", TransportError),
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


_OUTCOMES = {
    type(None): "ok",
    TransportError: "transport",
    UnreachedError: "unreached",
    DeadlineError: "deadline",
    BannedError: "banned",
    EmptyAnswerError: "empty",
    TooLargeError: "too_large",
    TruncatedError: "truncated",
    FormatError: "format",
    DefectError: "defect",
}
_CLOSED = (RemoteDisconnected, ConnectionResetError, ConnectionAbortedError, BrokenPipeError,
           SSLEOFError, SSLZeroReturnError)  # fmt: skip
_PROXY = (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)
_TLS = (requests.exceptions.SSLError, urllib3.exceptions.SSLError)
_CONNECT = (requests.exceptions.ConnectTimeout,)
_SILENCE = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
_BROKEN = (urllib3.exceptions.ProtocolError, requests.exceptions.ChunkedEncodingError,
           HTTPException)  # fmt: skip
