"""Days as array indices: day 0 is `ORIGIN`, and what the calendar says of each day.

Belongs here: look-ups by day. Does not belong here: what a fund does on a day.
"""

from datetime import date, datetime

import numpy as np

from fund_assets.calendar import TradingCalendar, days_to_keys, exchange_sessions
from fund_assets.settings import SHANGHAI

#: Every simulated walk starts here, whatever the clock says.
ORIGIN = date(2005, 1, 1)
_EPOCH = (ORIGIN - date(1970, 1, 1)).days
#: An index after every day: "never" for ends, "not yet known" for beginnings.
NEVER = 1 << 15
_PADDING = 400


class Timeline:
    """The calendar from `ORIGIN` to its horizon, and some closed days after it.

    What depends on the next sessions (lags, weekly NAVs) is known up to a week before the
    horizon; a simulated market should be given a calendar that reaches well beyond now.

    Attributes:
        size: days up to the horizon; the arrays have a padding of closed days after it.
        keys: yyyymmdd of each day.
        weekday: 0 is Monday.
        session: whether the exchange trades.
        moving: whether prices move: the published sessions, whatever a manual override
            says of them, and every weekday of the years after.
        at_or_after, on_or_before: the next and the last session, as indices; `NEVER` and
            -1 where there is none.
        week_end: the last session of its week.
        half_year_end: 30 June and 31 December.
        closed_since: for a closed day, the first day of its closed stretch.
        year: years since `ORIGIN`'s.
    """

    def __init__(self, calendar: TradingCalendar) -> None:
        self.size = (calendar.horizon - ORIGIN).days + 1
        days = np.arange(self.size + _PADDING)
        self.keys = days_to_keys(days + _EPOCH)
        self.weekday = (days + ORIGIN.weekday()) % 7
        sessions = calendar.session_days - _EPOCH
        sessions = sessions[(sessions >= 0) & (sessions < self.size)]
        self.session = np.zeros(len(days), dtype=bool)
        self.session[sessions] = True
        published = np.array(exchange_sessions())
        known = self.keys < published[-1] // 10_000 * 10_000 + 10_000
        self.moving = np.where(known, np.isin(self.keys, published), self.weekday < 5)
        after = np.append(sessions, NEVER)[np.searchsorted(sessions, days)]
        before = np.insert(sessions, 0, -1)[np.searchsorted(sessions, days, side="right")]
        self.at_or_after = after.astype(np.int32)
        self.on_or_before = before.astype(np.int32)
        week = (days + ORIGIN.weekday()) // 7
        self.week_end = np.zeros(len(days), dtype=bool)
        last = np.append(np.diff(week[sessions]) > 0, True)
        self.week_end[sessions[last]] = True
        self.half_year_end = np.isin(self.keys % 10_000, (630, 1231))
        self.closed_since = self.on_or_before + 1
        self.year = self.keys // 10_000 - ORIGIN.year

    @staticmethod
    def index(day: date) -> int:
        """The index of a date; negative before `ORIGIN`."""
        return (day - ORIGIN).days

    @staticmethod
    def minute(moment: datetime) -> int:
        """Minutes since the start of day 0 in Asia/Shanghai."""
        local = moment.astimezone(SHANGHAI)
        return (local.date() - ORIGIN).days * 1440 + local.hour * 60 + local.minute

    def sessions_later(self, days: np.ndarray, n: int) -> np.ndarray:
        """The `n`-th session after each day (n ≥ 1), as an index; `NEVER` if unknown."""
        for _ in range(n):
            known = days < len(self.session) - 1
            days = np.where(known, self.at_or_after[np.where(known, days + 1, 0)], NEVER)
        return days
