"""The life of a share class: in which state it is, since when, and by what evidence.

Belongs here: what is concluded about one class from its NAV dates, its cadence and the list.
Does not belong here: changes of name and type (`transitions.py`), reading and storing
(`warehouse/stores/life.py`).

The state of a day is concluded from what was known on it. A stored spell changes only when
its evidence does: a NAV that came late takes back the lateness, a NAV after a long silence
begins a new spell.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from fund_assets.calendar import from_key, to_key
from fund_assets.schemas.portfolios import BACK_END

#: States in which a class publishes; in which it is silent; in which it has ended.
ALIVE = frozenset({"active", "resting"})
SILENT = frozenset({"late", "suspended", "presumed_dead", "terminated"})
DEAD = frozenset({"presumed_dead", "terminated", "never_reported"})
#: A class with one NAV in so many sessions, or fewer, is resting while it publishes.
RESTING_STEP = 4
#: Sessions beyond what is allowed after which silence is no lateness, and no pause any more.
SUSPENDED_AFTER, DEAD_AFTER = 20, 120
#: A fund may be raised for three months, and is closed for some more after its founding.
OPENS_WITHIN = timedelta(days=180)
#: A REIT publishes at the ends of half-years.
REIT_OPENS_WITHIN = timedelta(days=400)


class Facts(NamedTuple):
    """What is known of a share class; dates as yyyymmdd, 0 for none.

    Attributes:
        first_seen_on, last_seen_on: when the market's list first and last had it.
        first_nav, last_nav: NAV dates.
        usual_step: sessions from one NAV to the next; 0 while it is not known.
        paused, resumed: the last NAV date before the begin of the silent spell that is stored
            as its newest, and the first one from then on; 0 when there is none.
    """

    fund_code: str
    name: str
    fund_type: str
    kind: str
    status: str
    first_seen_on: int
    last_seen_on: int
    first_nav: int
    last_nav: int
    usual_step: int
    paused: int
    resumed: int


class Spell(NamedTuple):
    """A state of a class: from `since` on and before `until`, yyyymmdd; None: to this day."""

    since: int
    until: int | None
    state: str
    evidence: str


class Today(NamedTuple):
    """The newest date of the market (yyyymmdd), and all sessions, ascending."""

    on: int
    sessions: Sequence[int]

    def after(self, key: int) -> int:
        """How many sessions lie after a date, up to today."""
        return self.number(self.on) - self.number(key)

    def number(self, key: int) -> int:
        """How many sessions lie on or before a date."""
        return bisect_right(self.sessions, key)

    def session(self, key: int, nth: int) -> int:
        """The nth session after a date."""
        return self.sessions[self.number(key) + nth - 1]


def life_of(fund: Facts, told: Sequence[Spell], today: Today, allowed: int) -> list[Spell]:
    """The spells of a class, as they are known today.

    Args:
        told: the spells that are stored, ascending, without silent ones that were filled.
        allowed: sessions without a NAV after which it is still on time (`lateness.py`).

    Returns:
        Ascending, each ending where the next begins; two neighbours differ in their state.
    """
    if not fund.first_nav:
        never = all(spell.state not in ALIVE for spell in told)
        return _laid_out(_without_nav(fund, today)) if never else list(told)
    alive = [n for n, spell in enumerate(told) if spell.state in ALIVE]
    if not alive:
        waited = [s for s in _without_nav(fund, today) if s.since < fund.first_nav]
        begun = [*waited, _alive(fund, fund.first_nav)]
        return _laid_out([*begun, *_silence(fund, today, allowed)])
    begun, silence = _from_first_nav(fund, told[: alive[-1] + 1]), told[alive[-1] + 1 :]
    grown = _silence(fund, today, allowed)
    if grown and silence and not fund.resumed:  # its dates stay, whatever is allowed by now
        known = [s for s in silence if s.state != "terminated" or fund.status == "delisted"]
        states = {spell.state for spell in known}
        grown = sorted([*known, *(s for s in grown if s.state not in states)])
    return _laid_out([*_resumed(fund, begun, silence, today, allowed), *grown])


def _from_first_nav(fund: Facts, told: Sequence[Spell]) -> list[Spell]:
    """The stored spells to the last living one, from an older first NAV on if one has come."""
    at, first = next((n, spell) for n, spell in enumerate(told) if spell.state in ALIVE)
    if fund.first_nav >= first.since:
        return list(told)
    older = first._replace(since=fund.first_nav, evidence=_begins(fund, fund.first_nav))
    return [older, *told[at + 1 :]]


def _resumed(
    fund: Facts, begun: list[Spell], silence: Sequence[Spell], today: Today, allowed: int
) -> list[Spell]:
    """What was before the silence of today: a NAV ended the stored one, or nothing did."""
    missed = today.number(fund.resumed) - today.number(fund.paused) - 1
    if fund.resumed and missed > allowed:
        return [*begun, *silence, _alive(fund, fund.resumed)]
    now = _alive(fund, today.on)
    return begun if now.state == begun[-1].state else [*begun, now]


def _alive(fund: Facts, since: int) -> Spell:
    rests = fund.usual_step >= RESTING_STEP or fund.kind == "reit"
    return Spell(since, None, "resting" if rests else "active", _begins(fund, since))


def _begins(fund: Facts, since: int) -> str:
    return f"from {from_key(since)}: {_rhythm(fund)}"


def _rhythm(fund: Facts) -> str:
    if fund.kind == "reit":
        return "a REIT publishes seldom"
    if not fund.usual_step:
        return "how often it publishes is not known yet"
    if fund.usual_step == 1:
        return "a NAV each session"
    return f"a NAV every {fund.usual_step} sessions"


def _without_nav(fund: Facts, today: Today) -> list[Spell]:
    """The spells of a class that has, or had, no NAV."""
    seen = from_key(fund.first_seen_on)
    if BACK_END in fund.name:
        words = "a back-end code: the NAV is that of its front-end code"
        return [Spell(fund.first_seen_on, None, "never_reported", words)]
    waits = Spell(
        fund.first_seen_on, None, "not_yet_open", f"on the list since {seen}, no NAV yet"
    )
    within = REIT_OPENS_WITHIN if fund.kind == "reit" else OPENS_WITHIN
    ends = to_key(seen + within)
    if fund.status == "delisted" and fund.last_seen_on < ends:
        gone = from_key(fund.last_seen_on)
        words = f"on the list from {seen} to {gone}, without a NAV"
        return [waits, Spell(to_key(gone + timedelta(days=1)), None, "never_reported", words)]
    if ends > today.on:
        return [waits]
    words = f"on the list since {seen}, without a NAV for {within.days} days"
    return [waits, Spell(ends, None, "never_reported", words)]


def _silence(fund: Facts, today: Today, allowed: int) -> list[Spell]:
    """What the silence after the last NAV has become, step by step; empty while on time."""
    silent = today.after(fund.last_nav)
    if silent <= allowed:
        return []
    last = from_key(fund.last_nav)
    grows = (
        ("late", allowed, f"last NAV {last}, a next one was due within {allowed} sessions"),
        ("suspended", allowed + SUSPENDED_AFTER, f"last NAV {last}, then none for "
                                                 f"{allowed + SUSPENDED_AFTER} sessions"),
        ("presumed_dead", allowed + DEAD_AFTER, f"last NAV {last}, then none for "
                                                f"{allowed + DEAD_AFTER} sessions"),
    )  # fmt: skip
    spells = [
        Spell(today.session(fund.last_nav, after + 1), None, state, words)
        for state, after, words in grows
        if silent > after
    ]
    if fund.status != "delisted":
        return spells
    listed_to = from_key(fund.last_seen_on)
    ended = to_key(max(listed_to, last) + timedelta(days=1))
    words = f"last NAV {last}, on the list until {listed_to}"
    before = [spell for spell in spells if spell.since < ended]
    return [*before, Spell(ended, None, "terminated", words)]


def _laid_out(spells: Iterable[Spell]) -> list[Spell]:
    """Each spell ends where the next begins; one that has not begun by then is left out.

    Two with the same state are one: the silence between them was filled.
    """
    laid: list[Spell] = []
    for spell in spells:
        while laid and laid[-1].since >= spell.since:
            laid.pop()
        if not laid or laid[-1].state != spell.state:
            laid.append(spell)
    ends = [*(spell.since for spell in laid[1:]), None]
    return [spell._replace(until=end) for spell, end in zip(laid, ends, strict=True)]
