"""How long a call may take, how often it asks, and how much it takes.

Does not belong here: what comes of passing one (`gateway.py`, `exchange.py`).
"""

from dataclasses import dataclass

from fund_assets.transport.circuit_breaker import REFUSED_PAUSE_S


@dataclass(frozen=True)
class Limits:
    """The limits of a gateway.

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
