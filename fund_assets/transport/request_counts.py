"""How many requests were made, how they ended, and how long they took.

Belongs here: the word for how a request ended, and counting within a process. Does not belong
here: making requests (`gateway.py`), keeping the counts (`warehouse/stores/requests.py`).
"""

from dataclasses import dataclass
from threading import Lock

from fund_assets.transport.errors import (
    BannedError,
    DeadlineError,
    DefectError,
    EmptyAnswerError,
    FormatError,
    SourceError,
    StatusError,
    TooLargeError,
    TransportError,
    TruncatedError,
    UnreachedError,
)

#: Kind of error → the word for it; of the kinds above it the nearest counts.
OUTCOMES: dict[type, str] = {
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


@dataclass(frozen=True)
class RequestCount:
    """Requests of one endpoint that ended in one way.

    Attributes:
        outcome: `ok`, `status_503` and the like, or the kind of failure: `transport`,
            `deadline`, `banned`, `empty`, `too_large`.
        seconds: of all of them together; slowest_s: of the slowest.
    """

    endpoint: str
    outcome: str
    requests: int
    seconds: float
    slowest_s: float


class RequestCounter:
    """Counts requests, from any thread, until they are taken."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], RequestCount] = {}
        self._lock = Lock()

    def add(self, endpoint: str, outcome: str, seconds: float) -> None:
        """Count one request."""
        with self._lock:
            key = (endpoint, outcome)
            before = self._counts.get(key) or RequestCount(*key, 0, 0.0, 0.0)
            self._counts[key] = RequestCount(
                *key,
                before.requests + 1,
                before.seconds + seconds,
                max(before.slowest_s, seconds),
            )

    def take(self) -> list[RequestCount]:
        """What was counted since the last time."""
        with self._lock:
            taken, self._counts = list(self._counts.values()), {}
        return taken


def outcome_of(error: SourceError | None) -> str:
    """How a request ended, in one word; None is an answer."""
    if isinstance(error, StatusError):
        return f"status_{error.status}"
    return next((OUTCOMES[k] for k in type(error).__mro__ if k in OUTCOMES), "other")
