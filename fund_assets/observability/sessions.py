"""Which sessions the accepted history holds: how full each is, what lacks, who is behind.

Belongs here: pure functions over counts of rows. Does not belong here: reading the counts
(`warehouse/queries/status.py`), asking for what is missing (`automation/sensors.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType

from fund_assets.calendar import PUBLICATION_DUE, TradingCalendar, from_key, to_key
from fund_assets.settings import SHANGHAI

LOOK_BACK_SESSIONS = 10
SHOWN_SESSIONS = 30
#: A date with fewer NAVs than this share of the fullest date near it is a gap.
FULL_SHARE = 0.5
#: On a holiday money funds publish, some 3 % of the market.
SURELY_OPEN = 0.2


@dataclass(frozen=True)
class SessionCoverage:
    """The accepted NAVs of a session; `share` of the funds that are due of it, a fraction."""

    nav_date: date
    rows: int
    share: float


@dataclass(frozen=True)
class Freshness:
    """How new a table is.

    Attributes:
        newest: date of its newest data; None without any.
        due: the newest session whose NAVs are due.
        due_since: the hour at which they were to be there.
        sessions_behind: sessions from `newest` to `due`; 0 when it is newer, None without.
        hours_late: since that hour, or that of the first session it lacks; 0 when it has all.
        renewed_at: when Dagster last recorded its renewal.
        ok: whether it has what is due.
        provisional: whether `newest` lies beyond the announced calendar.
    """

    table: str
    newest: date | None
    due: date
    due_since: datetime
    sessions_behind: int | None
    hours_late: float
    renewed_at: datetime | None
    ok: bool
    provisional: bool = False


def freshness(
    newest: Mapping[str, int | None],
    calendar: TradingCalendar,
    now: datetime,
    renewed: Mapping[str, datetime],
) -> tuple[Freshness, ...]:
    """How new each table is.

    Args:
        newest: table → date of its newest data, yyyymmdd.
        renewed: table → when it was last renewed.
    """
    due = calendar.surely_due(now)
    found = []
    for table, key in newest.items():
        have = from_key(key) if key else None
        lacking = calendar.between(have + timedelta(days=1), due) if have else [due]
        since = datetime.combine(due, PUBLICATION_DUE, SHANGHAI)
        missed = datetime.combine(lacking[0], PUBLICATION_DUE, SHANGHAI) if lacking else now
        found.append(
            Freshness(
                table=table,
                newest=have,
                due=due,
                due_since=since,
                sessions_behind=len(lacking) if have else None,
                hours_late=round((now - missed) / timedelta(hours=1), 1),
                renewed_at=renewed.get(table),
                ok=not lacking,
                provisional=have is not None and calendar.is_provisional(have),
            )
        )
    return tuple(found)


def oldest_looked_at(calendar: TradingCalendar, now: datetime) -> int:
    """The yyyymmdd from which on `gaps` and `recent` need the counts."""
    return to_key(calendar.before(now.date(), SHOWN_SESSIONS))


def gaps(
    rows: dict[int, int], first: int | None, calendar: TradingCalendar, now: datetime
) -> list[int]:
    """The sessions that are due and hardly published, oldest first, yyyymmdd.

    Args:
        rows: yyyymmdd → accepted NAVs on that date.
            A date of which it is not announced whether it is a session is a gap only when a
            good part of the market has published it: it may be a holiday.
        first: yyyymmdd of the first wave. Before it only single funds have NAVs, from their
            histories: those dates are no gaps. None: there is no wave yet.
    """
    if not rows or first is None:
        return []
    due = calendar.due(now)
    window = calendar.between(calendar.before(due, LOOK_BACK_SESSIONS - 1), due)
    keys = [to_key(day) for day in window]
    full = max((rows.get(key, 0) for key in keys), default=0) or max(rows.values())
    lacking = [k for k in keys if k > first and rows.get(k, 0) < FULL_SHARE * full]
    return [
        k
        for k in lacking
        if not calendar.is_provisional(from_key(k)) or rows.get(k, 0) >= SURELY_OPEN * full
    ]


def recent(
    rows: dict[int, int],
    due: int,
    calendar: TradingCalendar,
    newest: date,
    due_of: Mapping[int, float] = MappingProxyType({}),
) -> tuple[SessionCoverage, ...]:
    """The sessions up to the newest published one, oldest first; before any row there is none.

    Args:
        due: funds that are due of the newest, see `queries.coverage`.
        due_of: yyyymmdd → funds that were due of it, where it is known: on Fridays, those that
            publish weekly too.
    """
    if not rows or not due:
        return ()
    window = calendar.between(calendar.before(newest, SHOWN_SESSIONS - 1), newest)
    found = [(day, rows.get(to_key(day), 0)) for day in window if day >= from_key(min(rows))]
    return tuple(
        SessionCoverage(day, n, min(n / (due_of.get(to_key(day)) or due), 1.0))
        for day, n in found
    )
