"""Whether a host may be asked: single funds in trouble told from a host that refuses us.

Belongs here: what one circuit of a host has been through, and what follows from it; pure, the
time is an argument. Does not belong here: sharing it between processes, and the pace
(`rate_limit.py`), or making requests (`gateway.py`).

A host has two circuits with a breaker each: its pages, and what is asked of single funds. A
request that ends without a usable answer says little by itself: perhaps it is this fund's page
alone. When requests about several funds end so, one after the other and none answered in
between, a request that was answered before is made once more: the probe. If it is answered
again, the funds were to blame and everything goes on. If not, the breaker opens: nothing is
asked for a while, then the probe is made again, and so on, with growing pauses, until there is
an answer.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

#: After so many subjects refused in a row, or two when more requests than these were, the probe
#: is made. Where nothing was answered before, so many of them open the breaker, or so many
#: requests of a host's pages, of which there are few.
PROBE_AFTER, OPEN_AFTER, OPEN_AFTER_REQUESTS = 3, 5, 5
#: While so many subjects stand refused in a row none is asked a second time.
NO_SECOND_TRY = 2
#: How long a breaker stays open; doubled each time that the probe fails.
REFUSED_PAUSE_S, LONGEST_PAUSE_S = 1_800.0, 43_200.0
#: The same for a host that could not even be reached: that may be our own network.
UNREACHED_PAUSE_S, LONGEST_UNREACHED_S = 60.0, 1_800.0
#: After so many answers in a row a breaker that was open is like any other.
TRUSTED_AFTER = 20
#: A stored time further ahead is from a clock that has been set back since.
CLOCK_DOUBT_S = 300.0
_REMEMBERED = 12
#: Fields whose names in stored files are others.
_STORED_AS = {"opened_at": "shut_at", "opened": "shut", "probing_until": "asking"}
_READ_AS = {stored: name for name, stored in _STORED_AS.items()}


class Next(StrEnum):
    """What follows from a refused request."""

    AGAIN = "again"  #: it may be tried again
    ENOUGH = "enough"  #: this one is not tried again
    PROBE = "probe"  #: the request that was answered before decides
    OPEN = "open"  #: nothing more is asked


@dataclass(frozen=True)
class Known:
    """A request that was answered: the probe is such a one."""

    endpoint: str
    subject: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    form: str = "js"


@dataclass(frozen=True)
class Refusal:
    """A breaker that is open: until when, why, and whether the host was reached at all."""

    until: float
    because: str
    reached: bool = True


@dataclass
class CircuitBreaker:
    """What a circuit has been through, and whether anything may be asked of it.

    Attributes:
        refused: subjects of the last requests without an answer, since the last answer.
        because: how the last of them ended, in words; reached: whether the host was.
        opened_at, until: when it opened and until when nothing is asked, seconds since 1970;
            0: it is closed.
        opened: how often in a row it did; answers: in a row since then.
        known: a request that was answered.
        probing_until: until when others wait for who makes the probe; 0: nobody does.
    """

    refused: list[str] = field(default_factory=list)
    because: str = ""
    reached: bool = True
    opened_at: float = 0.0
    until: float = 0.0
    opened: int = 0
    answers: int = 0
    known: Known | None = None
    probing_until: float = 0.0

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "CircuitBreaker":
        """As `as_json` wrote it; TypeError or ValueError when it is none."""
        known = stored.get("known")
        fields = {_READ_AS.get(name, name): value for name, value in stored.items()}
        breaker = cls(**{**fields, "known": Known(**known) if known else None})
        numbers = (
            breaker.opened_at,
            breaker.until,
            breaker.opened,
            breaker.answers,
            breaker.probing_until,
        )
        if not all(type(n) in (int, float) for n in numbers):
            raise ValueError("no numbers")
        texts = [breaker.because, *breaker.refused]
        if not all(type(text) is str for text in texts):
            raise ValueError("no texts")
        return breaker

    def as_json(self) -> dict[str, Any]:
        """For JSON."""
        return {_STORED_AS.get(name, name): value for name, value in asdict(self).items()}

    def refusal(self, now: float) -> Refusal | None:
        """Why nothing is to be asked now; None while it may be.

        A time beyond any pause, or of a future in which it opened, is no reason.
        """
        longest = now + LONGEST_PAUSE_S + CLOCK_DOUBT_S
        if now < self.until <= longest and self.opened_at <= now + CLOCK_DOUBT_S:
            return Refusal(self.until, self.because, self.reached)
        return None

    def is_open(self) -> bool:
        """Whether it opened and nothing was answered since."""
        return self.until > 0

    def probe(self) -> Known | None:
        """What to ask after the pause: every second time the caller's own request.

        The known one may have got into trouble of its own meanwhile.
        """
        return self.known if self.opened % 2 else None

    def answer(self, now: float, known: Known | None = None) -> None:
        """A request was answered; one on its way when the breaker opened says nothing."""
        if known:
            self.known = known
        if self.refusal(now):
            return
        self.refused, self.until, self.opened_at, self.probing_until = [], 0.0, 0.0, 0.0
        self.answers = min(self.answers + 1, TRUSTED_AFTER)
        if self.answers >= TRUSTED_AFTER:
            self.opened = 0

    def refuse(
        self,
        now: float,
        subject: str,
        because: str,
        *,
        reached: bool,
        pages: bool,
        beside: bool,
    ) -> Next:
        """A request was not answered.

        Args:
            pages: whether it is the circuit of a host's pages.
            beside: whether the breaker of the host's other circuit is open.
        """
        self.refused = [*self.refused, subject][-_REMEMBERED:]
        self.because, self.reached = because, reached
        if self.is_open():
            return Next.OPEN
        subjects = len(set(self.refused))
        enough = (
            beside
            or subjects >= OPEN_AFTER
            or (pages and len(self.refused) >= OPEN_AFTER_REQUESTS)
        )
        doubted = subjects >= PROBE_AFTER or (subjects > 1 and len(self.refused) > PROBE_AFTER)
        known = self.known is not None and self.known.subject not in self.refused
        if known and (doubted or enough):
            return Next.PROBE
        if enough:
            return Next.OPEN
        return Next.ENOUGH if subjects >= NO_SECOND_TRY else Next.AGAIN

    def trip(self, now: float, pause_s: float) -> None:
        """Open: nothing is asked for `pause_s`, doubled each time in a row."""
        longest = LONGEST_PAUSE_S
        if not self.reached:
            pause_s, longest = min(pause_s, UNREACHED_PAUSE_S), LONGEST_UNREACHED_S
        self.opened_at, self.probing_until, self.answers = now, 0.0, 0
        self.until = now + min(pause_s * 2.0 ** min(self.opened, 20), longest)
        self.opened += 1
