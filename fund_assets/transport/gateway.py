"""The one way to the network: every request to the market goes through a `Gateway`.

Belongs here: what is asked and when, in this order: an answer at hand, a turn, the request, its
deadline, another try, what counts as being refused, and what is kept. Does not belong here: how
fast a host may be asked (`rate_limit.py`) and when it is left alone (`circuit_breaker.py`),
what a server's answer must be (`http_answer.py`) and what broke a request
(`connection_faults.py`), which addresses there are and what the bytes mean
(`sources/eastmoney/`).

Whatever a server sends ends as an answer or as a `SourceError`.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from random import SystemRandom
from time import monotonic, sleep
from typing import Literal

import requests

from fund_assets.settings import Settings
from fund_assets.transport.archive import RawArchive
from fund_assets.transport.circuit_breaker import REFUSED_PAUSE_S, Known, Next, Refusal
from fund_assets.transport.connection_faults import fault_of
from fund_assets.transport.connections import Connections
from fund_assets.transport.deadline import Watch
from fund_assets.transport.defects import boundary
from fund_assets.transport.errors import (
    ArchiveError,
    BannedError,
    DeadlineError,
    EmptyAnswerError,
    HeldOffError,
    SourceError,
    StatusError,
    TransportError,
    UnreachedError,
)
from fund_assets.transport.http_answer import (
    GONE,
    TOO_FAST,
    Answer,
    check_form,
    check_status,
    moved_to,
    read_body,
)
from fund_assets.transport.rate_limit import RateLimit, in_words
from fund_assets.transport.request import OneFund, Request
from fund_assets.transport.request_counts import Tally, outcome_of

log = logging.getLogger(__name__)
#: What is kept in the archive of a page that is not there.
NO_PAGE = "status 404"
_LONGEST_PAUSE_S = 30.0


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
        request = Request(endpoint, url, params, headers or {}, form, about, check)
        with boundary(request.what):
            if at_hand := self._at_hand(request):
                return at_hand
            try:
                answer = self._until_answered(request)
            except StatusError as error:
                if error.status in GONE:
                    self._keep(request, NO_PAGE)
                raise
            self._store(request, answer)
            return answer

    def _at_hand(self, request: Request) -> Answer | None:
        """An answer that is kept, as if it came now; None when there is none to be read."""
        if not request.keep or self.archive is None:
            return None
        what, said = request.what, self.archive.at_hand(request.endpoint, request.subject)
        if said is None:
            return None
        if said == NO_PAGE:
            raise StatusError(
                f"{what}: status 404, there is no such page", HTTPStatus.NOT_FOUND.value
            )
        try:
            body = self.archive.get(said)
        except (OSError, ValueError) as error:  # pruned meanwhile, or damaged
            log.warning(
                "%s: what was kept cannot be used, it is asked for again: %s", what, error
            )
            return None
        if not body:
            return None
        return Answer(request.endpoint, request.url, HTTPStatus.OK.value, {}, body, said)

    def _until_answered(self, request: Request) -> Answer:
        """Ask, and again after a pause while that may help and time is left."""
        tries, until = 0, 0.0
        while True:
            self._enter(request)
            tries += 1
            until = until or monotonic() + self._limits.deadline_s
            try:
                answer = self._ask(request, until)
            except SourceError as error:
                again = self._refused(request, error) and _worth_another_try(error)
                pause = self._pause(tries, error)
                late = monotonic() + pause > until
                if not again or tries >= self._limits.attempts or late:
                    raise
                sleep(pause)
            else:
                self._answered(request, answer)
                return answer

    def _enter(self, request: Request) -> None:
        """Wait for a turn; raise while the host refuses us."""
        host, circuit = request.host, request.circuit
        found = self.rate_limit.enter(host, circuit)
        if isinstance(found, Known):
            self._probe(found, host, circuit)
            found = self.rate_limit.refusal(host, circuit)
            self.rate_limit.wait(host)
        if isinstance(found, Refusal):
            raise HeldOffError(f"{request.what}: not asked: {in_words(host, found)}")

    def _ask(self, request: Request, until: float) -> Answer:
        """One request, counted; whatever it breaks over ends as a `SourceError`."""
        began = monotonic()
        try:
            with boundary(request.what):
                answer = self._get(request, until)
                check_form(answer, request.what, request.form)
                request.check(answer)
        except SourceError as error:
            self.tally.add(request.endpoint, outcome_of(error), monotonic() - began)
            raise
        self.tally.add(request.endpoint, outcome_of(None), monotonic() - began)
        return answer

    def _get(self, request: Request, until: float) -> Answer:
        """A whole answer of status 200, before the deadline."""
        what = request.what
        with (
            Watch(until - monotonic()) as watch,
            self._connections.to(request.host, watch) as session,
        ):
            try:
                response = self._send(session, request, until)
                body = read_body(response, what, self._limits.size)
            except SourceError:
                raise
            except Exception as error:
                # On a busy machine the read may give up before the watch wakes.
                if watch.expired or monotonic() >= until:
                    raise self._late(what) from error
                timeout_s = self._limits.timeout_s
                raise fault_of(what, error, timeout_s, watch.tunnelled) from error
            if watch.expired:  # a body without a length ends like a whole one
                raise self._late(what)
        return Answer(
            request.endpoint,
            response.url,
            response.status_code,
            response.headers,
            body,
            sha256(body).hexdigest(),
        )

    def _send(
        self, session: requests.Session, request: Request, until: float
    ) -> requests.Response:
        """Status and headers; a page that moved within its host is asked for there, once."""
        longest = min(self._limits.timeout_s, max(until - monotonic(), 0.01))

        def get(url: str, params: Mapping[str, str] | None) -> requests.Response:
            return session.get(
                url,
                params=params,
                headers={**request.headers, "Accept-Encoding": "gzip, deflate"},
                timeout=longest,
                allow_redirects=False,
                stream=True,
            )

        what = request.what
        response = get(request.url, request.params)
        if there := moved_to(response, what):
            self.rate_limit.wait(request.host)
            response = get(there, None)
            if moved_to(response, what):
                raise TransportError(f"{what}: redirected again where it had moved to")
        check_status(response, what)
        return response

    def _late(self, what: str) -> DeadlineError:
        return DeadlineError(
            f"{what}: no whole answer within {self._limits.deadline_s:g} s; the server is slow "
            "or holds us off: try later, or raise FUND_REQUEST_DEADLINE_S"
        )

    def _answered(self, request: Request, answer: Answer) -> None:
        """Note a request that was answered; it may be asked again as a probe."""
        headers = dict(request.headers)
        known = Known(request.endpoint, request.subject, answer.url, headers, request.form)
        self.rate_limit.answered(
            request.host, request.circuit, None if request.form == "html" else known
        )

    def _refused(self, request: Request, error: SourceError) -> bool:
        """Note a request that ended in an error; whether it may be tried again."""
        host, circuit = request.host, request.circuit
        if not _is_refusal(error):
            self.rate_limit.answered(host, circuit)
            return True
        follows = self.rate_limit.refused(
            host,
            circuit,
            request.subject,
            _short(error, request.what),
            reached=not isinstance(error, UnreachedError),
            too_fast=isinstance(error, StatusError) and error.status in TOO_FAST,
        )
        if isinstance(follows, Known):
            self.rate_limit.wait(host)
            self._probe(follows, host, circuit)
            return False
        return follows is Next.AGAIN

    def _probe(self, known: Known, host: str, circuit: str) -> None:
        """Ask once more what was answered before, and note what came of it."""
        request = Request.probe(known, circuit)
        try:
            self._ask(request, monotonic() + self._limits.deadline_s)
        except SourceError as error:
            if _is_refusal(error):
                reached = not isinstance(error, UnreachedError)
                because = _short(error, request.what)
                self.rate_limit.probe_failed(host, circuit, because, reached=reached)
                if found := self.rate_limit.refusal(host, circuit):
                    log.warning("%s", in_words(host, found))
                return
        self.rate_limit.answered(host, circuit)

    def _pause(self, tries: int, error: SourceError) -> float:
        """How long to wait after so many tries; as long as the server asks at the least."""
        backoff = self._limits.backoff_s
        usual = backoff * 2.0 ** (tries - 1) + SystemRandom().uniform(0.0, backoff)
        asked = error.retry_after_s if isinstance(error, StatusError) else 0.0
        return max(min(usual, _LONGEST_PAUSE_S), asked)

    def _store(self, request: Request, answer: Answer) -> None:
        """Put an answer into the archive, and at hand when it is one fund's to keep."""
        if self.archive:
            with _storing(request.what):
                self.archive.put(answer.body)
            self._keep(request, answer.sha256)

    def _keep(self, request: Request, said: str) -> None:
        if self.archive and request.keep:
            with _storing(request.what):
                self.archive.keep(request.endpoint, request.subject, said)


@contextmanager
def _storing(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(
            f"{what}: the answer came and cannot be kept: {error}; make room below FUND_STATE, "
            "or set it to a folder that can be written"
        ) from error


def _is_refusal(error: SourceError) -> bool:
    """Whether a request ended without anything that shows that the host serves us."""
    if isinstance(error, StatusError):
        return error.status not in GONE
    return isinstance(error, TransportError | BannedError | EmptyAnswerError)


def _short(error: SourceError, what: str) -> str:
    """How a request ended, without whose it was and without advice."""
    return str(error).removeprefix(f"{what}: ").partition(";")[0][:200]


def _worth_another_try(error: SourceError) -> bool:
    if isinstance(error, StatusError):
        return error.status == 429 or error.status >= 500
    return isinstance(error, TransportError) and not isinstance(error, DeadlineError)
