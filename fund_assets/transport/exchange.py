"""One request over the wire and its whole answer, before a deadline.

Belongs here: sending, following a page that moved, and what broke on the way. Does not belong
here: when a host may be asked and what is tried again (`gateway.py`), what an answer must be
(`http_answer.py`).
"""

from collections.abc import Mapping
from hashlib import sha256
from time import monotonic

import requests

from fund_assets.transport.connection_faults import fault_of
from fund_assets.transport.connections import Connections
from fund_assets.transport.deadline import DeadlineTimer
from fund_assets.transport.errors import DeadlineError, SourceError, TransportError
from fund_assets.transport.http_answer import Answer, check_status, moved_to, read_body
from fund_assets.transport.limits import Limits
from fund_assets.transport.rate_limit import RateLimit
from fund_assets.transport.request import Request


class Exchange:
    """Makes single requests; connections are used again.

    Args:
        rate_limit: a page that moved is asked for in a turn of its own.
    """

    def __init__(self, limits: Limits, rate_limit: RateLimit) -> None:
        self._limits = limits
        self._rate_limit = rate_limit
        self._connections = Connections()

    def get(self, request: Request, until: float) -> Answer:
        """A whole answer of status 200, before the deadline."""
        what = request.what
        with (
            DeadlineTimer(until - monotonic()) as timer,
            self._connections.to(request.host, timer) as session,
        ):
            try:
                response = self._send(session, request, until)
                body = read_body(response, what, self._limits.size)
            except SourceError:
                raise
            except Exception as error:
                # On a busy machine the read may give up before the timer fires.
                if timer.expired or monotonic() >= until:
                    raise self._late(what) from error
                timeout_s = self._limits.timeout_s
                raise fault_of(what, error, timeout_s, timer.tunnelled) from error
            if timer.expired:  # a body without a length ends like a whole one
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
            return session.request(
                "POST" if request.post else "GET",
                url,
                json=request.post.json if request.post else None,
                data=request.post.form if request.post else None,
                params=params,
                headers={**request.headers, "Accept-Encoding": "gzip, deflate"},
                timeout=longest,
                allow_redirects=False,
                stream=True,
            )

        what = request.what
        response = get(request.url, request.params)
        if there := moved_to(response, what):
            self._rate_limit.wait(request.host)
            response = get(there, None)
            if moved_to(response, what):
                raise TransportError(f"{what}: redirected again at the new address")
        check_status(response, what)
        return response

    def _late(self, what: str) -> DeadlineError:
        return DeadlineError(
            f"{what}: no complete answer within {self._limits.deadline_s:g} s; the server is "
            "slow or stalls: try again later, or raise FUND_REQUEST_DEADLINE_S"
        )
