"""Finding what single funds lack, and which of them to ask for again.

Belongs here: missing dates, and held values that a history can settle, beside what the source
has answered since. Does not belong here:
which dates are missing (`nav/cadence.py`), fetching (`fund_nav.py`).
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from fund_assets.calendar import TradingCalendar, from_key, from_stamp, to_key
from fund_assets.nav.cadence import Attendance, Missing, missing_dates, missing_income
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import gaps as stored
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.queries.gaps import Asked
from fund_assets.warehouse.queries.life import dead_codes

#: So many hours of a day's quiet ones may go into asking for missing dates.
REPAIR_HOURS = 4
#: Gaps are looked for among so many sessions.
LOOK_BACK = 60
#: A history that landed so long after a date and lacks it: the source has none of it.
SETTLED = timedelta(days=5)
#: A date of which the source showed something wrong is asked for again until so long after it.
ASK_AGAIN_FOR = timedelta(days=30)
NEVER = Asked(0, 0)


class Gap(NamedTuple):
    """A date that a fund lacks.

    Attributes:
        nav_date: yyyymmdd.
        asked_on: yyyymmdd on which its history was last asked for; 0 for never.
        absent: whether the source's own history, had long enough after the date, lacks it too.
            Where it showed a value that witnesses rejected, it is long enough after that: the
            right one may come.
    """

    fund_code: str
    kind: str
    nav_date: int
    asked_on: int
    absent: bool


def find_gaps(warehouse: Warehouse, calendar: TradingCalendar, now: datetime) -> list[Gap]:
    """The dates of the last sessions that living listed funds lack by their own cadence.

    Of the newest that is due, those that the page shows and that wait as not yet its own: the
    page alone cannot tell whether such a fund stood still, its history can.

    Returns:
        By fund and date, each once.
    """
    due = calendar.due(now)
    since, newest = calendar.before(due, LOOK_BACK), to_key(due)
    rows = stored.attendance(warehouse, [to_key(day) for day in calendar.between(since, due)])
    income = stored.incomes(warehouse, to_key(since))
    unseen = _unseen(warehouse, rows)
    found = {
        (one.fund_code, one.nav_date): one
        for one in (
            *missing_dates(_without(rows, set(income.codes)), unseen),
            *missing_income(income, calendar, newest),
            *(Missing(code, kind, newest) for code, kind in stored.not_yet(warehouse, newest)),
        )
    }
    today = to_key(now.date())
    dead = dead_codes(warehouse, today)
    asked, refuted = stored.asked(warehouse), stored.refuted(warehouse, to_key(since))
    gaps = []
    for key, one in sorted(found.items()):
        if one.fund_code in dead:
            continue
        of_fund = asked.get(one.fund_code, NEVER)
        settled = to_key(_told_until(one.nav_date, refuted.get(key)))
        absent = _day_of(of_fund.stored_at, today) >= settled
        gaps.append(Gap(*one, asked_on=of_fund.asked_at // 1_000_000, absent=absent))
    return gaps


def _without(rows: Attendance, earning: set[str]) -> Attendance:
    """The funds that have NAVs: of those that earn, each calendar day counts."""
    kept = [at for at, code in enumerate(rows.codes) if code not in earning]
    return Attendance(
        [rows.codes[at] for at in kept],
        [rows.kinds[at] for at in kept],
        rows.sessions,
        rows.there[kept],
    )


def _day_of(stamp: int, today: int) -> int:
    """Yyyymmdd of a time; 0 where there is none, or one to come: a clock was wrong."""
    day = stamp // 1_000_000
    return 0 if day > today else day


def _told_until(nav_date: int, refuted_at: int | None) -> date:
    """The day from which on a history that lacks a date says that there is no NAV of it."""
    day = from_key(nav_date)
    if refuted_at is None:
        return day + SETTLED
    shown = from_stamp(refuted_at).date()
    return max(day + SETTLED, min(shown + SETTLED, day + ASK_AGAIN_FOR))


def _unseen(warehouse: Warehouse, rows: Attendance) -> set[int]:
    """Sessions since the first wave of which none was accepted: the machine was off."""
    first = status_queries.first_wave(warehouse)
    if first is None:
        return set()
    sessions: list[int] = rows.sessions.tolist()
    seen = status_queries.waves_since(warehouse, sessions[0])
    return {session for session in sessions if session >= first} - seen


def to_ask(gaps: Iterable[Gap], today: int, limit: int) -> list[str]:
    """The funds to ask for again: each once a day, while the source may still have the date."""
    due = (gap.fund_code for gap in gaps if not gap.absent and gap.asked_on != today)
    return list(dict.fromkeys(due))[:limit]


def most_to_ask(requests_per_second: float, at_least: int) -> int:
    """How many funds a day's repair asks for: enough for a weekend lost by all of them."""
    return max(at_least, int(requests_per_second * REPAIR_HOURS * 3600))


def to_settle(warehouse: Warehouse, now: datetime) -> list[str]:
    """Funds with held values: their histories, another witness, settle them.

    Each once a day, until a history that landed long enough after the newest of them has said
    nothing of it.
    """
    today = to_key(now.date())
    asked = stored.asked(warehouse)
    codes = []
    for code, held_at in stored.funds_held(warehouse):
        of_fund = asked.get(code, NEVER)
        settled = to_key(from_stamp(held_at).date() + SETTLED)
        if (
            of_fund.asked_at // 1_000_000 != today
            and _day_of(of_fund.stored_at, today) < settled
        ):
            codes.append(code)
    return codes
