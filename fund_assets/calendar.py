"""The trading calendar of the Shanghai exchange, and how this project writes dates.

Belongs here: which days are sessions, which session is due at a given time, and the two
integer forms of time used in every table. Does not belong here: reading or storing the
manual overrides (`warehouse/`), or when a fund publishes (`schemas/kinds.py`).

A date is an integer yyyymmdd, a time is an integer yyyymmddhhmmss, both in
Asia/Shanghai, which knows no daylight saving time: integers sort as time does, are read
by people, and mean the same in every engine and on every machine.

What takes arrays loads numpy itself: most commands ask about a few days and wait for less.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fund_assets.errors import FundAssetsError
from fund_assets.settings import SHANGHAI

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIRST_SESSION = date(1990, 12, 19)
#: What exchange_calendars calls its list of the Shanghai exchange's holidays.
HOLIDAY_LIST = "precomputed_shanghai_holidays"
#: The installed calendar reaches at least so far; a look at older dates need not load it.
KNOWN_AT_LEAST = date(2026, 12, 31)
#: Where the calendar is not known, so many weekdays in a row may be a holiday: the longest
#: closures since 2005, the spring festivals of 2005 and 2006, took seven.
LONGEST_CLOSURE = 7
#: A date's NAVs are published from the late afternoon on; most are there by 23:00.
PUBLICATION_STARTS = time(16, 0)
PUBLICATION_DUE = time(23, 30)
#: When on Sundays the week is worked up; and so late at most any schedule's run begins.
WEEKLY_JOB_AT = timedelta(hours=2)
LATEST_START = timedelta(hours=1)


class CalendarError(FundAssetsError, ValueError):
    """A date is beyond what the calendar knows; the message says how to extend it."""


def to_key(day: date) -> int:
    """`date(2026, 11, 24)` → `20261124`."""
    return day.year * 10_000 + day.month * 100 + day.day


def from_key(key: int) -> date:
    """`20261124` → `date(2026, 11, 24)`; raises ValueError for what is not a date."""
    key = int(key)
    return date(key // 10_000, key // 100 % 100, key % 100)


def iso_week(day: date) -> str:
    """The ISO week of a date, such as `2026-W47`."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def newest_sunday(now: datetime) -> datetime:
    """When the weekly job was due last: Sunday at 02:00 in Asia/Shanghai, not after `now`."""
    local = now.astimezone(SHANGHAI) - WEEKLY_JOB_AT
    sunday = local.date() - timedelta(days=local.isoweekday() % 7)
    return datetime.combine(sunday, time(), SHANGHAI) + WEEKLY_JOB_AT


def week_start(week: str) -> date:
    """The Monday of an ISO week such as `2026-W47`; ValueError for what is none."""
    found = re.fullmatch(r"([0-9]{4})-W([0-9]{2})", week)
    if not found:
        raise ValueError(f"{week!r} is not an ISO week, such as 2026-W47")
    try:
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError as error:
        raise ValueError(f"{week!r} is not an ISO week, such as 2026-W47: {error}") from error


def to_stamp(moment: datetime) -> int:
    """A time with a zone → `yyyymmddhhmmss` in Asia/Shanghai."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return int(moment.astimezone(SHANGHAI).strftime("%Y%m%d%H%M%S"))


def from_stamp(stamp: int) -> datetime:
    """`20261124190005` → that time in Asia/Shanghai."""
    return datetime.strptime(str(int(stamp)), "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI)


#: Clocks of several hosts may differ by so much.
CLOCK_SLACK = timedelta(minutes=5)


def in_future(moment: datetime, now: datetime) -> bool:
    """Whether a stored time says nothing of an age: it was written by a clock that was wrong.

    Taken for young it would keep quiet for as long as that clock was ahead.
    """
    return moment > now + CLOCK_SLACK


def read_day(value: str | int | date) -> int:
    """A day as people write it, `2026-11-24`, `20261124` or a date → `20261124`.

    Raises:
        ValueError: it is none; the message says how to write one.
    """
    try:
        if isinstance(value, date):
            return to_key(value)
        if isinstance(value, int):
            return to_key(from_key(value))
        return to_key(date.fromisoformat(value))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{value!r} is not a date: write YYYY-MM-DD or YYYYMMDD") from error


def read_moment(value: str | int | date) -> int:
    """A time as people write it → yyyymmddhhmmss; of a day, its last second.

    Args:
        value: a day as in `read_day`, or `2026-11-24 21:40` or a datetime; without a zone it
            is in Asia/Shanghai.

    Raises:
        ValueError: it is none; the message says how to write one.
    """
    try:
        if isinstance(value, str) and ":" in value:
            value = datetime.fromisoformat(value)
        if not isinstance(value, datetime):
            return read_day(value) * 1_000_000 + 235_959
        return to_stamp(value if value.tzinfo else value.replace(tzinfo=SHANGHAI))
    except ValueError as error:
        raise ValueError(
            f"{value!r} is not a time: write YYYY-MM-DD or 'YYYY-MM-DD HH:MM'"
        ) from error


def keys_to_days(keys: NDArray[np.integer]) -> NDArray[np.int32]:
    """Dates as yyyymmdd → days since 1970-01-01, any shape."""
    import numpy as np

    keys = np.asarray(keys, dtype=np.int64)
    months = (keys // 10_000 - 1970) * 12 + (keys // 100 % 100 - 1)
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return np.asarray(first + keys % 100 - 1, dtype=np.int32)


def days_to_keys(days: NDArray[np.integer]) -> NDArray[np.int32]:
    """Days since 1970-01-01 → yyyymmdd, any shape."""
    import numpy as np

    day = np.asarray(days).astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    months = month.astype(np.int64)
    return np.asarray(
        (months // 12 + 1970) * 10_000
        + (months % 12 + 1) * 100
        + (day - month.astype("datetime64[D]")).astype(np.int64)
        + 1,
        dtype=np.int32,
    )


def packaged_end() -> date:
    """The last day that the installed calendar knows; what lies after it was entered."""
    return from_key(exchange_sessions()[-1]).replace(month=12, day=31)


@lru_cache(maxsize=1)
def exchange_sessions() -> tuple[int, ...]:
    """Every published session of the Shanghai exchange, ascending, as yyyymmdd.

    Source: exchange_calendars XSHG, from 1990-12-19 to the last year announced. Its one list
    of holidays is read as it is written: loading the package takes longer than most commands.

    Raises:
        CalendarError: the package is missing, or has no such list any more.
    """
    package = find_spec("exchange_calendars")
    if package is None or package.origin is None:
        raise CalendarError("the package exchange_calendars is missing: install it")
    holidays = _holidays(Path(package.origin).with_name("exchange_calendar_xshg.py"))
    last = max(holidays).replace(month=12, day=31)
    days = map(date.fromordinal, range(FIRST_SESSION.toordinal(), last.toordinal() + 1))
    return tuple(to_key(day) for day in days if day.weekday() < 5 and day not in holidays)


def _holidays(module: Path) -> frozenset[date]:
    """The dates of the list that a module of exchange_calendars gives its name to.

    Raises:
        CalendarError: it has no such list, or the list holds something else.
    """
    with suppress(OSError, SyntaxError, TypeError, ValueError):
        for statement in ast.parse(module.read_text(encoding="utf-8")).body:
            match statement:
                case ast.Assign([ast.Name(name)], ast.Call(args=[listed])) if (
                    name == HOLIDAY_LIST
                ):
                    days = frozenset(map(date.fromisoformat, ast.literal_eval(listed)))
                    if days:
                        return days
    raise CalendarError(
        f"{module} has no list {HOLIDAY_LIST} of dates: install the release of "
        "exchange_calendars that is pinned"
    )


@dataclass(frozen=True)
class TradingCalendar:
    """Sessions of the exchange, with manual corrections.

    Attributes:
        sessions: ascending yyyymmdd.
        horizon: the last date for which it is known whether it is a session.
        synthetic_after: set in the simulated market only: sessions after it are invented.
        provisional_after: sessions after it are not announced yet: every weekday is taken for
            one, and the dates that the source publishes decide.
    """

    sessions: tuple[int, ...]
    horizon: date
    synthetic_after: date | None = None
    provisional_after: date | None = None

    @classmethod
    def build(
        cls,
        overrides: Mapping[int, bool] | None = None,
        *,
        invent_until: date | None = None,
        assume_until: date | None = None,
    ) -> TradingCalendar:
        """The exchange's calendar with `overrides` (yyyymmdd → is it a session) on top.

        Overrides beyond the published calendar extend the horizon to the last of them, so
        they must name every session up to there. `invent_until` is for the simulated
        market only, which may outlive the published calendar: its exchange opens on
        every weekday after the horizon. `assume_until` is for the real one: collecting goes on
        without an announced calendar, on weekdays, which are provisional.
        """
        known = set(exchange_sessions())
        horizon = packaged_end()
        for key, is_open in (overrides or {}).items():
            if is_open:
                known.add(key)
            else:
                known.discard(key)
            horizon = max(horizon, from_key(key))
        announced, until = horizon, invent_until or assume_until
        if until is None or until <= horizon:
            return cls(tuple(sorted(known)), horizon)
        day = horizon + timedelta(days=1)
        while day <= until:
            if day.weekday() < 5:
                known.add(to_key(day))
            day += timedelta(days=1)
        return cls(
            tuple(sorted(known)),
            until,
            synthetic_after=announced if invent_until else None,
            provisional_after=None if invent_until else announced,
        )

    @property
    def known_until(self) -> date:
        """The last date of which it is announced whether it is a session."""
        return self.synthetic_after or self.provisional_after or self.horizon

    def is_provisional(self, day: date) -> bool:
        """Whether it is only assumed that the exchange trades on `day`, or does not."""
        return self.provisional_after is not None and day > self.provisional_after

    @cached_property
    def session_days(self) -> NDArray[np.int32]:
        """The sessions as days since 1970-01-01."""
        import numpy as np

        return keys_to_days(np.array(self.sessions))

    def _within(self, day: date) -> None:
        if day > self.horizon:
            raise CalendarError(
                f"the trading calendar ends on {self.horizon}, {day} is after it: run "
                "`fund-assets calendar refresh`, or `fund-assets calendar import FILE` with "
                "the year's notices, or upgrade exchange_calendars"
            )

    def is_session(self, day: date) -> bool:
        """Whether the exchange trades on `day`; CalendarError beyond the horizon."""
        self._within(day)
        key = to_key(day)
        at = bisect_left(self.sessions, key)
        return at < len(self.sessions) and self.sessions[at] == key

    def on_or_before(self, day: date) -> date:
        """The last session on or before `day`."""
        self._within(day)
        at = bisect_right(self.sessions, to_key(day))
        if not at:
            raise CalendarError(f"the exchange opened on {FIRST_SESSION}, {day} is before it")
        return from_key(self.sessions[at - 1])

    def before(self, day: date, n: int = 1) -> date:
        """The `n`-th session strictly before `day`."""
        self._within(day)
        at = bisect_left(self.sessions, to_key(day)) - n
        if at < 0:
            raise CalendarError(f"fewer than {n} sessions exist before {day}")
        return from_key(self.sessions[at])

    def between(self, first: date, last: date) -> list[date]:
        """The sessions from `first` to `last`, both included."""
        self._within(last)
        low = bisect_left(self.sessions, to_key(first))
        high = bisect_right(self.sessions, to_key(last))
        return [from_key(key) for key in self.sessions[low:high]]

    def due(self, now: datetime, due: time = PUBLICATION_DUE) -> date:
        """The newest session whose NAVs are due at `now`."""
        local = now.astimezone(SHANGHAI)
        today = local.date()
        return self.on_or_before(today if local.time() >= due else today - timedelta(days=1))

    def surely_due(self, now: datetime, due: time = PUBLICATION_DUE) -> date:
        """The newest session whose NAVs are due at `now`, whatever holidays are announced yet.

        While the calendar is known, that is `due`. After it so many weekdays are let pass as
        the longest holiday has.
        """
        newest = self.due(now, due)
        if not self.is_provisional(newest):
            return newest
        return max(self.on_or_before(self.known_until), self.before(newest, LONGEST_CLOSURE))

    def positions(self, keys: NDArray[np.integer]) -> NDArray[np.int64]:
        """How many sessions lie on or before each yyyymmdd: differences count sessions."""
        import numpy as np

        return np.searchsorted(self.session_days, keys_to_days(keys), side="right")

    def sessions_by_day(self, last: int) -> NDArray[np.int32]:
        """Of each day from 1970-01-01 to `last` (yyyymmdd), the sessions on or before it.

        Where the calendar does not reach, before the exchange and beyond the horizon, every
        weekday counts, so that differences there are right but for holidays.
        """
        import numpy as np

        days = np.arange(keys_to_days(np.array([last]))[0] + 1)
        is_open = np.zeros(len(days), dtype=bool)
        is_open[self.session_days[self.session_days < len(days)]] = True
        known = keys_to_days(np.array([to_key(FIRST_SESSION), to_key(self.horizon)]))
        unknown = (days < known[0]) | (days > known[1])
        is_open |= unknown & ((days + 3) % 7 < 5)  # 1970-01-01 was a Thursday
        return np.cumsum(is_open, dtype=np.int32)

    def are_sessions(self, keys: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Whether each yyyymmdd is a session; unknown (beyond the horizon) counts as no."""
        import numpy as np

        return np.isin(np.asarray(keys), np.array(self.sessions))

    def days_left(self, today: date) -> int:
        """Calendar days from `today` to the last one that is known; below 0 after it."""
        return (self.known_until - today).days


#: The exchange's sessions are compared from then on; before it sources differ in single days.
COMPARED_FROM = 20050101
#: A source whose last session is so late in a year knows the whole of it.
_YEAR_END = 1225


def reach(sessions: Iterable[int]) -> int:
    """The last day (yyyymmdd) of which a source says whether it is a session."""
    last = max(sessions)
    return last // 10_000 * 10_000 + 1231 if last % 10_000 >= _YEAR_END else last


def check_refresh(
    new: Iterable[int], known: TradingCalendar, since: int = COMPARED_FROM
) -> list[int]:
    """The sessions that a refreshed calendar adds after the horizon, if it can be trusted.

    Args:
        new: yyyymmdd sessions of the other source; where it ends, nothing is said.
        known: the calendar in use, without assumed days.
        since: the day (yyyymmdd) from which on the source names its sessions.

    Raises:
        CalendarError: a weekend, a missing or invented session in the known past, or a
            year with an impossible number of sessions.
    """
    fresh = sorted(set(new))
    if not fresh:
        raise CalendarError("refused: differs from the known calendar: it has no sessions")
    horizon = to_key(known.horizon)
    weekend = [key for key in fresh if from_key(key).weekday() >= 5 and key >= 19910101]
    if weekend:
        raise CalendarError(
            f"refused: {weekend[0]} is a weekend; the exchange never opens then"
        )
    last = min(horizon, reach(fresh))
    recent = {key for key in known.sessions if since <= key <= last}
    differing = sorted(recent ^ {key for key in fresh if since <= key <= last})
    if differing:
        first = differing[0]
        says = "open" if first in fresh else "closed"
        raise CalendarError(
            f"refused: differs from the known calendar on {len(differing)} days, first "
            f"{first}, {says} there: check the exchange's notice; if the known day is wrong, "
            "import the notice with `fund-assets calendar import`, or enter the day with "
            "`fund-assets calendar set`"
        )
    added = [key for key in fresh if key > horizon]
    for year in {key // 10_000 for key in added}:
        # A year of which the beginning is known already is counted as a whole.
        count = sum(key // 10_000 == year for key in {*added, *known.sessions})
        if not 235 <= count <= 250:
            raise CalendarError(
                f"refused: {year} has {count} sessions, 235 to 250 are possible"
            )
    return added
