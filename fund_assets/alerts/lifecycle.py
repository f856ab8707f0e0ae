"""What becomes of alerts: which of them are told now, again, as more severe, or as over.

Belongs here: the states of alerts and their changes, as a pure function of what was stored,
what holds now and the time. Does not belong here: when an alert holds (`conditions.py`),
storing (`warehouse/alerts.py`), words and channels.

An alert is told when it begins and when it ends, not with every look. What another alert
explains is kept and not told; so is what is silenced. What lasts is told again at growing
distances and, where time matters, as more severe.

A stored time in the future was written by a clock that was wrong: it is taken for unknown. What
was told then is told again, what began then begins now, what ended then explains nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum

from fund_assets.alerts.kinds import KINDS, Alert, Severity, covers
from fund_assets.calendar import in_future

DAY = timedelta(days=1)
#: How long after an alert was told it is told again; after so many times, once a day.
REPEAT = {Severity.WARNING: timedelta(hours=4), Severity.CRITICAL: timedelta(hours=1)}
MOST_REPEATS = 6
#: A warning becomes critical when it is to be repeated so often, or after so many sessions.
ESCALATE_REPEATS, ESCALATE_SESSIONS = 2, 3
#: After an alert is over, what it explained gets so long to mend itself.
LINGER = timedelta(minutes=15)


class Event(Enum):
    """Why an alert is told."""

    BEGAN = "began"
    WORSE = "worse"
    REPEATED = "repeated"
    OVER = "over"


@dataclass(frozen=True)
class State:
    """What is remembered of an alert.

    Attributes:
        severity: the greatest so far.
        first_at: when it began, by our looks; resolved_at: when it was over, None before.
        told_at, told_as: when it was told last, and as how severe; None before.
        repeats: how often it has been told again.
        muted_by: fingerprint of the alert that explains it; empty when it may be told.
    """

    fingerprint: str
    kind: str
    subject: str
    severity: Severity
    words: str
    first_at: datetime
    resolved_at: datetime | None = None
    told_at: datetime | None = None
    told_as: Severity | None = None
    repeats: int = 0
    muted_by: str = ""

    @property
    def firing(self) -> bool:
        """Whether it holds."""
        return self.resolved_at is None


@dataclass(frozen=True)
class Silence:
    """Keeps an alert, or a kind of alerts, from being told for a while."""

    fingerprint: str
    ends_at: datetime
    created_at: datetime
    note: str


@dataclass(frozen=True)
class Telling:
    """One alert to be told, as it then is."""

    event: Event
    state: State


def advance(
    stored: Mapping[str, State],
    alerts: Iterable[Alert],
    now: datetime,
    *,
    unknown: Collection[str] = (),
    silences: Iterable[Silence] = (),
    sessions: Callable[[date, date], int] = lambda first, last: 0,
) -> tuple[list[State], list[Telling]]:
    """The states that change, and what is to be told.

    Args:
        stored: every remembered alert by fingerprint, those that are over too.
        alerts: what holds now.
        now: by the machine's clock.
        unknown: kinds of which nothing is known now; they stay as they are.
        sessions: how many sessions lie from one date to another, both included.
    """
    holding = {alert.fingerprint: alert for alert in alerts}
    explaining = _explaining(stored, holding, now)
    quiet = [
        s.fingerprint for s in silences if s.ends_at > now and not in_future(s.created_at, now)
    ]
    states, told = [], []
    for fingerprint, alert in holding.items():
        old = stored.get(fingerprint)
        fresh = _renewed(old if old and old.firing else None, alert, now)
        fresh = replace(fresh, muted_by=_muter(alert, explaining))
        event = None
        waits = (now - fresh.first_at).total_seconds() < KINDS[alert.kind].holds_s
        if not (fresh.muted_by or waits or any(covers(q, fingerprint) for q in quiet)):
            fresh, event = _due(fresh, now, sessions)
        if event:
            fresh = replace(fresh, told_at=now, told_as=fresh.severity)
            told.append(Telling(event, fresh))
        elif fresh.told_at and in_future(fresh.told_at, now):
            fresh = replace(fresh, told_at=now)
        if fresh != old:
            states.append(fresh)
    for fingerprint, old in stored.items():
        if old.firing and fingerprint not in holding and old.kind not in unknown:
            over = replace(old, resolved_at=now, muted_by="")
            states.append(over)
            if old.told_at and not KINDS[old.kind].momentary:
                told.append(Telling(Event.OVER, over))
    return states, told


def ahead(
    stored: Iterable[State],
    silences: Iterable[Silence],
    moments: Iterable[datetime],
    now: datetime,
) -> Iterator[Alert]:
    """One alert while anything that is stored lies in the future.

    Args:
        moments: further stored times, of whatever kind.
    """
    times = [
        *(t for s in stored if s.firing for t in (s.first_at, s.told_at) if t),
        *(silence.created_at for silence in silences),
        *moments,
    ]
    wrong = [moment for moment in times if in_future(moment, now)]
    if wrong:
        yield Alert(
            "clock_wrong", "clock", Severity.WARNING,
            f"记录里有 {max(wrong):%Y-%m-%d %H:%M} 的时刻，晚于本机时钟；已当作未知，"
            "请核对本机与 NTP",
        )  # fmt: skip


def _renewed(old: State | None, alert: Alert, now: datetime) -> State:
    if old is None:
        return State(
            alert.fingerprint, alert.kind, alert.subject, alert.severity, alert.words, now
        )
    first_at = now if in_future(old.first_at, now) else old.first_at
    severity = max(old.severity, alert.severity)
    return replace(old, severity=severity, words=alert.words, first_at=first_at)


def _explaining(
    stored: Mapping[str, State], holding: Mapping[str, Alert], now: datetime
) -> dict[str, str]:
    """Kind or fingerprint → an alert that explains those that follow from it.

    It holds, or may hold still, or ended so lately that what follows has not mended itself.
    """
    lately = (
        state
        for state in stored.values()
        if state.resolved_at is None
        or (now - state.resolved_at < LINGER and not in_future(state.resolved_at, now))
    )
    found: dict[str, str] = {}
    for kind, fingerprint in (
        *((alert.kind, alert.fingerprint) for alert in holding.values()),
        *((state.kind, state.fingerprint) for state in lately),
    ):
        found.setdefault(kind, fingerprint)
        found[fingerprint] = fingerprint
    return found


def _muter(alert: Alert, explaining: Mapping[str, str]) -> str:
    return next((explaining[cause] for cause in alert.follows if cause in explaining), "")


def _due(
    state: State, now: datetime, sessions: Callable[[date, date], int]
) -> tuple[State, Event | None]:
    """Whether an alert that may be told is to be told now, and why."""
    kind = KINDS[state.kind]
    grows = state.severity is Severity.WARNING and not kind.patient
    if grows and sessions(state.first_at.date() + DAY, now.date()) >= ESCALATE_SESSIONS:
        state = replace(state, severity=Severity.CRITICAL, repeats=0)
    if state.told_at is None or state.told_as is None:
        return state, Event.BEGAN
    if state.severity > state.told_as:
        return state, Event.WORSE
    if kind.momentary or state.severity is Severity.NOTICE:
        return state, None
    pause = DAY if kind.patient or state.repeats >= MOST_REPEATS else REPEAT[state.severity]
    if now - state.told_at < pause and not in_future(state.told_at, now):
        return state, None
    if grows and state.repeats + 1 >= ESCALATE_REPEATS:
        return replace(state, severity=Severity.CRITICAL, repeats=0), Event.WORSE
    return replace(state, repeats=state.repeats + 1), Event.REPEATED
