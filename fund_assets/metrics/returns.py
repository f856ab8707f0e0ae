"""Returns of many funds by day, week, month, quarter or year, as one table of dates × funds.

Belongs here: which NAV ends a period, the date that a period bears, returns between ends, and
which of them are of a whole period. Does not belong here: reading (`warehouse/`), measures of
risk (`kernel.py`).

A period ends on the fund's last NAV in it. It bears the exchange's last session in it, as far
as the market has published, so that two funds' periods and an index's sessions meet; a period
without a session bears its last day.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import TradingCalendar
from fund_assets.metrics.series import LAST_DATE, FundSeries
from fund_assets.schemas.age import VALUE_AGE_DAYS

#: What a period may be, the shortest first.
EVERY = ("day", "week", "month", "quarter", "year")
#: The number of a week, of 1970's first month and so on, of each day since 1970-01-01.
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Periods:
    """Consecutive periods of one length, the last one perhaps not over.

    Attributes:
        first: number of the first period.
        begins, ends: int64 [periods]: first and last calendar day, since 1970-01-01.
        bears: int64 [periods]: the date that it bears: its last session up to the newest day;
            its last day up to that where it has no session.
        sessions: int64 [periods]: so many sessions up to the newest day.
        over: bool [periods]: no session of it is left after the newest day.
    """

    first: int
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    bears: NDArray[np.int64]
    sessions: NDArray[np.int64]
    over: NDArray[np.bool_]

    @classmethod
    def between(
        cls, first_day: int, newest: int, every: str, calendar: TradingCalendar
    ) -> "Periods":
        """Those from that of `first_day` to that of `newest`, days since 1970-01-01.

        Args:
            newest: so far the market has published, or the question reaches.
        """
        first, last = numbers(np.array([first_day, newest]), every)
        edges = begins(np.arange(first, last + 2), every)
        counted = calendar.sessions_by_day(LAST_DATE)
        known = np.minimum(edges[1:] - 1, newest)
        before, until, whole = counted[edges[:-1] - 1], counted[known], counted[edges[1:] - 1]
        sessions = (until - before).astype(np.int64)
        # The day on which the count reached its value is the session itself.
        at = np.searchsorted(counted, until)
        return cls(
            int(first),
            edges[:-1],
            edges[1:] - 1,
            np.where(sessions > 0, at, known),
            sessions,
            whole == until,
        )


def numbers(days: NDArray[np.integer], every: str) -> NDArray[np.int64]:
    """The period that each day since 1970-01-01 lies in; weeks begin on Monday."""
    if every == "day":
        return np.asarray(days, np.int64)
    if every == "week":
        return (np.asarray(days, np.int64) + 3) // 7  # 1970-01-01 was a Thursday
    months = np.asarray(days, "datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(months // _MONTHS[every])


def begins(periods: NDArray[np.integer], every: str) -> NDArray[np.int64]:
    """The first day of each period, since 1970-01-01."""
    if every == "day":
        return np.asarray(periods, np.int64)
    if every == "week":
        return np.asarray(periods, np.int64) * 7 - 3
    months = (np.asarray(periods, np.int64) * _MONTHS[every]).astype("datetime64[M]")
    return np.asarray(months.astype("datetime64[D]").astype(np.int64))


def returns_by(
    series: FundSeries,
    every: str,
    newest: int,
    calendar: TradingCalendar,
    *,
    silence: int,
    whole: bool = False,
) -> FundSeries:
    """The return of each fund in each period, where it has a NAV in it.

    Args:
        newest: day since 1970-01-01 up to which the market has published.
        silence: after more days without a NAV a new series begins: its first NAV has no return.
        whole: NaN where a return is not of a whole period: the period is not over, the NAV
            before it is not of the period before it, or of the two NAVs one is more than
            VALUE_AGE_DAYS older than the end of its period (of weeks and days: none is asked).

    Returns:
        `values` are returns, NaN for the first NAV of a series; `days` are the dates that the
        periods bear.
    """
    if not series.rows:
        return series
    days = series.days.astype(np.int64)
    number_of = numbers(np.arange(int(days.max()) + 1), every)
    number = number_of[days]
    begun = np.zeros(series.rows, np.int64)  # so many series have begun, one after a silence
    begun[1:] = np.diff(days) > silence
    begun[series.offsets[:-1][series.offsets[:-1] < series.rows]] = 1
    begun = np.cumsum(begun)
    is_end = np.ones(series.rows, np.bool_)
    is_end[:-1] = number[1:] != number[:-1]
    is_end[series.offsets[1:] - 1] = True
    kept = np.flatnonzero(is_end)
    values, number, begun = series.values[kept], number[kept], begun[kept]
    found = np.full(len(kept), np.nan)
    found[1:] = np.where(begun[1:] == begun[:-1], values[1:] / values[:-1] - 1, np.nan)
    if every == "day":
        borne = series.days
    else:
        periods = Periods.between(
            int(days.min()), max(newest, int(days.max())), every, calendar
        )
        at = number - periods.first
        borne = periods.bears[at].astype(np.int32)
        if whole:
            found[~_is_whole(days[kept], number, periods, every)] = np.nan
    return FundSeries(series.codes, np.searchsorted(kept, series.offsets), borne, found)


def _is_whole(
    days: NDArray[np.int64], number: NDArray[np.int64], periods: Periods, every: str
) -> NDArray[np.bool_]:
    at = number - periods.first
    fresh = np.ones(len(days), np.bool_)
    if every in _MONTHS:
        fresh = periods.ends[at] - days <= VALUE_AGE_DAYS
    follows = np.zeros(len(days), np.bool_)
    follows[1:] = (np.diff(number) == 1) & fresh[:-1]
    return periods.over[at] & fresh & follows


def table(
    series: FundSeries, codes: Sequence[str] | None = None, since: int | None = None
) -> pd.DataFrame:
    """Dates × funds: a row for each date that a fund has a value of, a column for each fund.

    Args:
        codes: the columns, six digits each, of funds without a value too; None: the series'.
        since: day since 1970-01-01: earlier rows are left out.
    """
    if codes is None:
        codes = [f"{code:06d}" for code in series.codes.tolist()]
        column = np.arange(len(codes))
    else:
        place = {int(code): at for at, code in enumerate(codes)}
        column = np.array([place[code] for code in series.codes.tolist()], np.int64)
    days, values = series.days.astype(np.int64), series.values
    fund = np.repeat(column, np.diff(series.offsets))
    if since is not None:
        kept = days >= since
        days, values, fund = days[kept], values[kept], fund[kept]
    low = int(days.min()) if len(days) else 0
    seen = np.zeros((int(days.max()) - low + 1) if len(days) else 0, np.bool_)
    seen[days - low] = True
    row = np.cumsum(seen) - 1
    # A fund after the other, as they come and as pandas keeps a table.
    wide = np.full((len(codes), int(seen.sum())), np.nan)
    wide[fund, row[days - low]] = values
    dates = (np.flatnonzero(seen) + low).astype("datetime64[D]").astype("datetime64[ms]")
    return pd.DataFrame(
        wide.T,
        pd.DatetimeIndex(dates, name="nav_date"),
        pd.Index(list(codes), name="fund_code", dtype="str"),
        copy=False,
    )
