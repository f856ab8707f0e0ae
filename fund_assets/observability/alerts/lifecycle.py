"""What becomes of incidents: which of them are told now, again, as more severe, or as over.

Belongs here: the states of alerts and their changes, as a pure function of what was stored,
what holds now and the time. Does not belong here: when an alert holds (`current.py`), what
follows from what (`causes.py`), storing (`warehouse/stores/alerts.py`), words and channels.

An incident is one cause with all that follows from it. It is told when it opens and when the
last of it is over, not with every look, and not for each of its alerts; so is what is silenced
not told. What lasts is told again at growing distances and, where time matters, as more severe.
A notice does not keep an incident open, and its own end is not told.

A stored time in the future was written by a clock that was wrong: it is taken for unknown. What
was told then is told again, what began then begins now, what ended then explains nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum

from fund_assets.calendar import in_future
from fund_assets.observability.alerts.catalog import KINDS, Alert, covers
from fund_assets.observability.alerts.causes import (
    LEFT_BEHIND,
    SETTLING,
    Sort,
    group_incidents,
    sort_of,
)
from fund_assets.observability.conditions import Severity

DAY = timedelta(days=1)
#: How long after an alert was told it is told again: first, then, and from then on.
PAUSES = {
    Severity.WARNING: (timedelta(hours=4), timedelta(hours=12), DAY),
    Severity.CRITICAL: (timedelta(hours=1), timedelta(hours=12), DAY),
}
#: A warning becomes critical when it is to be repeated so often, or after so many sessions.
ESCALATE_REPEATS, ESCALATE_SESSIONS = 2, 3
#: After an incident is over, what would have followed gets so long to mend itself.
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
        severity: the greatest so far; of the head of an incident, of all that is in it.
        first_at: when it began, by our looks; resolved_at: when it was over, None before. A
            head is over with its incident.
        told_at, told_as: when it was told last, and as how severe; None before.
        repeats: how often it has been told again.
        muted_by: the head of the incident that lists it; empty of a head.
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
class Notification:
    """One incident to be told, as it then is.

    Attributes:
        state: of its head.
        listed: the others in it that hold; of one that is over, all that were.
        past: whether the head itself is over, and only the others hold.
    """

    event: Event
    state: State
    listed: tuple[State, ...] = ()
    past: bool = False


def advance(
    stored: Mapping[str, State],
    alerts: Iterable[Alert],
    now: datetime,
    *,
    unknown: Collection[str] = (),
    silences: Iterable[Silence] = (),
    sessions: Callable[[date, date], int] = lambda first, last: 0,
    unsettled: bool = False,
) -> tuple[list[State], list[Notification]]:
    """The states that change, and what is to be told.

    Args:
        stored: every remembered alert by fingerprint, those that are over too.
        alerts: what holds now.
        now: by the machine's clock.
        unknown: kinds of which nothing is known now; they stay as they are.
        sessions: how many sessions lie from one date to another, both included.
        unsettled: whether work is under way that may bring back what seems over.
    """
    holding = {alert.fingerprint: alert for alert in alerts}
    quiet = [
        s.fingerprint for s in silences if s.ends_at > now and not in_future(s.created_at, now)
    ]
    belongs = _grouped(stored, holding, now)
    after = {
        fingerprint: _renewed(_open(stored, fingerprint), alert, now, belongs[fingerprint])
        for fingerprint, alert in holding.items()
    }
    lasts = {
        fingerprint
        for fingerprint, head in belongs.items()
        if (fingerprint in holding or stored[fingerprint].kind in unknown)
        and (fingerprint == head or _keeps_open(after.get(fingerprint) or stored[fingerprint]))
    }
    notifications = []
    for head in dict.fromkeys(belongs.values()):
        old = _open(stored, head)
        state = after.get(head) or old
        if state is None:  # it ended lately, and what follows waits
            continue
        inside = [f for f, h in belongs.items() if h == head and f != head and f in after]
        if head in lasts or any(belongs[f] == head for f in lasts):
            if head not in holding and not inside:  # nothing is known of it now
                after[head] = state
                continue
            members = [after[f] for f in inside]
            muted = any(covers(q, head) for q in quiet)
            after[head], event = _going_on(state, members, now, sessions, muted=muted)
            if event:
                listed = tuple(sorted(members, key=lambda s: (-s.severity, s.fingerprint)))
                notifications.append(
                    Notification(event, after[head], listed, past=head not in holding)
                )
        elif unsettled and state.kind in SETTLING:
            after[head] = state
        else:
            over = after[head] = replace(state, resolved_at=now)
            after |= {left: _left_by(over, after[left], now) for left in inside}
            if over.told_at and _weighs(over):
                notifications.append(Notification(Event.OVER, over, _were_in(stored, over)))
    for fingerprint, old in stored.items():
        if old.firing and fingerprint not in after and old.kind not in unknown:
            after[fingerprint] = replace(old, resolved_at=now)
    notifications.sort(key=lambda notification: notification.event is Event.OVER)
    return [s for f, s in after.items() if s != stored.get(f)], notifications


def _left_by(over: State, left: State, now: datetime) -> State:
    """One that outlives its incident: it was told with it, and goes on alone."""
    return replace(
        left,
        muted_by="",
        told_at=now if over.told_at else None,
        told_as=left.severity if over.told_at else None,
    )


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


def _open(stored: Mapping[str, State], fingerprint: str) -> State | None:
    state = stored.get(fingerprint)
    return state if state and state.firing else None


def _weighs(state: State) -> bool:
    """Whether its end is worth a word."""
    return state.severity > Severity.NOTICE and not KINDS[state.kind].momentary


def _keeps_open(state: State) -> bool:
    """Whether an incident lasts while this consequence of it does."""
    return _weighs(state) and state.kind not in LEFT_BEHIND


def _renewed(old: State | None, alert: Alert, now: datetime, head: str) -> State:
    muted_by = "" if head == alert.fingerprint else head
    if old is None:
        return State(
            alert.fingerprint, alert.kind, alert.subject, alert.severity, alert.words, now,
            muted_by=muted_by,
        )  # fmt: skip
    first_at = now if in_future(old.first_at, now) else old.first_at
    severity = max(old.severity, alert.severity)
    return replace(
        old, severity=severity, words=alert.words, first_at=first_at, muted_by=muted_by
    )


def _grouped(
    stored: Mapping[str, State], holding: Mapping[str, Alert], now: datetime
) -> dict[str, str]:
    """Alert → head of its incident, of all that hold or are remembered as open."""
    lately = {
        state.fingerprint: Sort(state.kind)
        for state in stored.values()
        if state.resolved_at and not state.muted_by
        and now - state.resolved_at < LINGER and not in_future(state.resolved_at, now)
    }  # fmt: skip
    known = {}
    for fingerprint, state in stored.items():
        head = _head(stored, state, lately)
        if state.firing and head:
            alert = holding.get(fingerprint)
            known[fingerprint] = sort_of(alert) if alert else Sort(state.kind), head
    for fingerprint, state in stored.items():
        # One whose head is gone and that does not hold is over with it.
        if state.firing and fingerprint not in known and fingerprint not in holding:
            known[fingerprint] = Sort(state.kind), fingerprint
    new = [alert for fingerprint, alert in holding.items() if fingerprint not in known]
    return group_incidents(known, holding, new, lately)


def _head(stored: Mapping[str, State], state: State, lately: Collection[str]) -> str:
    """The head of an open alert's incident; empty where there is none any more.

    Earlier releases stored what explains an alert, which another may have explained.
    """
    seen: set[str] = set()
    while state.muted_by and state.fingerprint not in seen:
        seen.add(state.fingerprint)
        above = stored.get(state.muted_by)
        if above is None or not (above.firing or above.fingerprint in lately):
            return ""
        state = above
    return "" if state.muted_by else state.fingerprint


def _going_on(
    state: State,
    members: Sequence[State],
    now: datetime,
    sessions: Callable[[date, date], int],
    *,
    muted: bool,
) -> tuple[State, Event | None]:
    """The head of an incident that lasts, and what is to be told of it."""
    state, event = replace(state, severity=max(s.severity for s in (state, *members))), None
    waits = (now - state.first_at).total_seconds() < KINDS[state.kind].holds_s
    if not (waits or muted):
        state, event = _due(state, now, sessions)
    if event:
        state = replace(state, told_at=now, told_as=state.severity)
    elif state.told_at and in_future(state.told_at, now):
        state = replace(state, told_at=now)
    return state, event


def _were_in(stored: Mapping[str, State], head: State) -> tuple[State, ...]:
    """Everything that the incident of a head listed, in its order of time."""
    found = [
        state
        for state in stored.values()
        if state.muted_by == head.fingerprint and state.first_at >= head.first_at
    ]
    return tuple(sorted(found, key=lambda state: (state.first_at, state.fingerprint)))


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
    pauses = PAUSES[state.severity]
    pause = DAY if kind.patient else pauses[min(state.repeats, len(pauses) - 1)]
    if now - state.told_at < pause and not in_future(state.told_at, now):
        return state, None
    if grows and state.repeats + 1 >= ESCALATE_REPEATS:
        return replace(state, severity=Severity.CRITICAL, repeats=0), Event.WORSE
    return replace(state, repeats=state.repeats + 1), Event.REPEATED
