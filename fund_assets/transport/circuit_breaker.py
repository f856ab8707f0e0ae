"""Whether a source still lets us in: single funds in trouble told from a door that is shut.

Belongs here: what one door of a host has been through, and what follows from it; pure, the
time is an argument. Does not belong here: sharing it between processes, and the pace
(`rate_limit.py`), or making requests (`gateway.py`).

A host has two doors: its pages, and what is asked of single funds. A request that ends
without a usable answer says little by itself: perhaps it is this fund's page alone. When
requests about several funds end so, one after the other and none answered in between, a
request that was answered before is made once more. If it is answered again, the funds were to
blame and everything goes on. If not, the door is shut: nothing is asked for a while, then that
one request is made again, and so on, with growing pauses, until it is answered.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

#: Of so many subjects refused in a row a door is doubted, and of two when more requests than
#: these were: the request that was answered before is made again. Without any, so many of them
#: shut it, or so many requests of a host's pages, of which there are few.
DOUBT, SHUT, SHUT_REQUESTS = 3, 5, 5
#: While so many subjects stand refused in a row none is asked a second time.
NO_SECOND_TRY = 2
#: How long a shut door is left alone; doubled each time it is found shut again.
REFUSED_PAUSE_S, LONGEST_PAUSE_S = 1_800.0, 43_200.0
#: The same for a host that could not even be reached: that may be our own network.
UNREACHED_PAUSE_S, LONGEST_UNREACHED_S = 60.0, 1_800.0
#: After so many answers in a row a door that was shut is like any other.
TRUSTED_AFTER = 20
#: A stored time further ahead is from a clock that has been set back since.
CLOCK_DOUBT_S = 300.0
_REMEMBERED = 12


class Next(StrEnum):
    """What follows from a refused request."""

    AGAIN = "again"  #: it may be tried again
    ENOUGH = "enough"  #: this one is not tried again
    ASK = "ask"  #: the request that was answered before decides
    SHUT = "shut"  #: nothing more is asked


@dataclass(frozen=True)
class Known:
    """A request that was answered: what is asked when a door is doubted."""

    endpoint: str
    subject: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    form: str = "js"


@dataclass(frozen=True)
class Refusal:
    """A door that is shut: until when, why, and whether the host was reached at all."""

    until: float
    because: str
    reached: bool = True


@dataclass
class Door:
    """What a door has been through.

    Attributes:
        refused: subjects of the last requests without an answer, since the last answer.
        because: how the last of them ended, in words; reached: whether the host was.
        shut_at, until: when it was found shut and until when it is left alone, seconds since
            1970; 0: it is not shut.
        shut: how often in a row it was found shut; answers: in a row since then.
        known: a request that was answered.
        asking: until when others wait for who asks it; 0: nobody does.
    """

    refused: list[str] = field(default_factory=list)
    because: str = ""
    reached: bool = True
    shut_at: float = 0.0
    until: float = 0.0
    shut: int = 0
    answers: int = 0
    known: Known | None = None
    asking: float = 0.0

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Door":
        """As `as_json` wrote it; TypeError or ValueError when it is none."""
        known = stored.get("known")
        door = cls(**{**stored, "known": Known(**known) if known else None})
        numbers = (door.shut_at, door.until, door.shut, door.answers, door.asking)
        if not all(type(n) in (int, float) for n in numbers):
            raise ValueError("no numbers")
        texts = [door.because, *door.refused]
        if not all(type(text) is str for text in texts):
            raise ValueError("no texts")
        return door

    def as_json(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def refusal(self, now: float) -> Refusal | None:
        """Why nothing is to be asked now; None while it may be.

        A time beyond any pause, or of a future in which it was found shut, is no reason.
        """
        longest = now + LONGEST_PAUSE_S + CLOCK_DOUBT_S
        if now < self.until <= longest and self.shut_at <= now + CLOCK_DOUBT_S:
            return Refusal(self.until, self.because, self.reached)
        return None

    def is_shut(self) -> bool:
        """Whether it was found shut and has not answered since."""
        return self.until > 0

    def probe(self) -> Known | None:
        """What to ask of a door that was shut: every second time the caller's own request.

        The known one may have got into trouble of its own meanwhile.
        """
        return self.known if self.shut % 2 else None

    def answer(self, now: float, known: Known | None = None) -> None:
        """A request was answered; one on its way when the door was shut says nothing."""
        if known:
            self.known = known
        if self.refusal(now):
            return
        self.refused, self.until, self.shut_at, self.asking = [], 0.0, 0.0, 0.0
        self.answers = min(self.answers + 1, TRUSTED_AFTER)
        if self.answers >= TRUSTED_AFTER:
            self.shut = 0

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
            pages: whether it is the door of a host's pages.
            beside: whether the host's other door is shut.
        """
        self.refused = [*self.refused, subject][-_REMEMBERED:]
        self.because, self.reached = because, reached
        if self.is_shut():
            return Next.SHUT
        subjects = len(set(self.refused))
        enough = beside or subjects >= SHUT or (pages and len(self.refused) >= SHUT_REQUESTS)
        doubted = subjects >= DOUBT or (subjects > 1 and len(self.refused) > DOUBT)
        known = self.known is not None and self.known.subject not in self.refused
        if known and (doubted or enough):
            return Next.ASK
        if enough:
            return Next.SHUT
        return Next.ENOUGH if subjects >= NO_SECOND_TRY else Next.AGAIN

    def shut_now(self, now: float, pause_s: float) -> None:
        """Leave it alone: for `pause_s`, doubled each time in a row."""
        longest = LONGEST_PAUSE_S
        if not self.reached:
            pause_s, longest = min(pause_s, UNREACHED_PAUSE_S), LONGEST_UNREACHED_S
        self.shut_at, self.asking, self.answers = now, 0.0, 0
        self.until = now + min(pause_s * 2.0 ** min(self.shut, 20), longest)
        self.shut += 1
