"""The one way to the network: every request to the market goes through a `Gateway`.

Belongs here: when something is asked, tried again and counted, and what counts as being
refused. Does not belong here: a single request (`exchange.py`), what is kept
(`kept_answers.py`), how fast a host may be asked (`rate_limit.py`) and when it is left alone
(`circuit_breaker.py`), what a server's answer must be (`http_answer.py`),
which addresses there are and what the bytes mean (`sources/eastmoney/`).

Whatever a server sends ends as an answer or as a `SourceError`.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from random import SystemRandom
from time import monotonic, sleep
from typing import Literal

from fund_assets.settings import Settings
from fund_assets.transport.archive import RawArchive
from fund_assets.transport.circuit_breaker import Known, Next, Refusal
from fund_assets.transport.defects import boundary
from fund_assets.transport.errors import (
    BannedError,
    DeadlineError,
    EmptyAnswerError,
    HeldOffError,
    SourceError,
    StatusError,
    TransportError,
    UnreachedError,
)
from fund_assets.transport.exchange import Exchange
from fund_assets.transport.http_answer import GONE, TOO_FAST, Answer, check_form
from fund_assets.transport.kept_answers import KeptAnswers
from fund_assets.transport.limits import Limits
from fund_assets.transport.rate_limit import RateLimit, in_words
from fund_assets.transport.request import OneFund, Post, Request
from fund_assets.transport.request_counts import RequestCounter, outcome_of

log = logging.getLogger(__name__)
_LONGEST_PAUSE_S = 30.0


class Gateway:
    """Fetches whole answers, or raises a typed error within a known time.

    Args:
        pace_folder: where the processes of this machine share pace and refusals; None: they
            do not.
        archive: where answers are kept before anyone looks into them.
        retention_days: how long `prune` leaves them there.

    Attributes:
        request_counter: every request, and how it ended.
        rate_limit: of each host.
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
        self._exchange = Exchange(limits, self.rate_limit)
        self._kept = KeptAnswers(archive)
        self.request_counter = RequestCounter()

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

    def fetch(  # noqa: PLR0913 each says another thing of a request
        self,
        endpoint: str,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        form: Literal["js", "script", "html"] = "js",
        about: OneFund | None = None,
        check: Callable[[Answer], None] = lambda answer: None,
        post: Post | None = None,
    ) -> Answer:
        """GET `url`, or POST to it, and return the whole answer.

        While the host refuses us, no request is made.

        Args:
            endpoint: short stable name for messages and provenance.
            form: what is expected. A page where `js` is expected is a ban page; so is any
                other text, such as words in JSON, where a `script` of `var x=…` is.
            about: the fund it is about; it goes through the circuit of single funds.
            check: raises a `SourceError` over an answer that is none.
            post: what is sent; such a request is never a probe.

        Raises:
            TransportError: no whole answer; `StatusError` carries the status.
            BannedError: a page or another host's address instead of data; `HeldOffError`:
                nothing was asked, for the host refuses us.
            EmptyAnswerError: a success without a byte.
            TooLargeError: more bytes than the limit.
            ArchiveError: it came and cannot be kept.
            DefectError: something of ours broke.
        """
        request = Request(endpoint, url, params, headers or {}, form, about, check, post)
        with boundary(request.what):
            if kept := self._kept.find(request):
                return kept
            try:
                answer = self._until_answered(request)
            except StatusError as error:
                if error.status in GONE:
                    self._kept.store_missing(request)
                raise
            self._kept.store(request, answer)
            return answer

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
            raise HeldOffError(f"{request.what}: not requested: {in_words(host, found)}")

    def _ask(self, request: Request, until: float) -> Answer:
        """One request, counted; whatever it breaks over ends as a `SourceError`."""
        began = monotonic()
        try:
            with boundary(request.what):
                answer = self._exchange.get(request, until)
                check_form(answer, request.what, request.form)
                request.check(answer)
        except SourceError as error:
            self.request_counter.add(request.endpoint, outcome_of(error), monotonic() - began)
            raise
        self.request_counter.add(request.endpoint, outcome_of(None), monotonic() - began)
        return answer

    def _answered(self, request: Request, answer: Answer) -> None:
        """Note a request that was answered; it may be asked again as a probe."""
        headers = dict(request.headers)
        known = Known(request.endpoint, request.subject, answer.url, headers, request.form)
        self.rate_limit.answered(
            request.host,
            request.circuit,
            None if request.form == "html" or request.post else known,
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
