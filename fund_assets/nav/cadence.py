"""How often a fund publishes: what it lacks, whether it is due, how long it may be silent.

Belongs here: a fund's own cadence, and what follows from it. Does not belong here: reading its
dates, asking for what is missing (`pipeline/history_gaps.py`), naming silent funds
(`silence.py`).

A fund that usually publishes every session lacks each session between two of its NAVs, but for
weekdays on which it rests; one that publishes every fifth lacks a date where two of its NAVs
are ten sessions apart. A session on which hardly any daily fund of its kind has a NAV is
missing to none of them: QDII rest on holidays of other countries. That is known when a page of
the next session was seen, which shows late NAVs too; a date that nobody looked for is missing.
A money-market fund earns on every calendar day: it lacks each day that no figure of it covers.

A fund is silent for too long when its shares leave hardly a chance that it has no NAV of any
session since its last one.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fund_assets.calendar import TradingCalendar, days_to_keys, keys_to_days
from fund_assets.nav.money import WEEK_HOLD_PCT, Floats, Yields, closed_runs, judge_income
from fund_assets.schemas.kinds import KINDS
from fund_assets.schemas.tables import WEEKDAYS

#: A fund's cadence is known from so many NAVs on.
LEAST_NAVS = 5
#: On a session that counts, at least this share of the daily funds of a kind has a NAV.
PEERS_SHARE = 0.5
#: A cadence is learned from so many sessions. The newest are left out: late funds have not
#: published for them yet.
LEARNED_SESSIONS, LATE_SESSIONS = 60, 5
#: So many funds of a kind tell together that it rested.
FUNDS_OF_REST = 10
#: From so many sessions of a weekday on, they say what is usual on it.
SAME_WEEKDAY = 3
#: A fund rests on a weekday with less than this share of what is due on its fullest one.
REST_SHARE = 0.5
#: A silence to which a fund's shares leave a smaller chance is too long.
LEAST_CHANCE = 0.01
#: A fund whose cadence is not known may be silent for so many sessions: a closed one publishes
#: weekly at least.
UNKNOWN_SILENCE = 10


class Missing(NamedTuple):
    """A date that a fund lacks, yyyymmdd; of a fund that is not daily: about when."""

    fund_code: str
    kind: str
    nav_date: int


@dataclass(frozen=True)
class Attendance:
    """Of which sessions funds have accepted NAVs.

    Attributes:
        codes, kinds: of the funds, by code.
        sessions: int64 yyyymmdd, ascending, to the newest that is due.
        there: bool [funds, sessions].
    """

    codes: list[str]
    kinds: list[str]
    sessions: NDArray[np.int64]
    there: NDArray[np.bool_]


@dataclass(frozen=True)
class Incomes:
    """Accepted incomes of money-market funds, by fund and date.

    Attributes:
        codes, kinds: of each row's fund.
        nav_date: int64 yyyymmdd.
        per_10k, week_pct: as yield_per_10k and yield_7d_pct; NaN where absent.
        days_covered: NaN where it is not known: the 7-day yield then tells it.
    """

    codes: list[str]
    kinds: list[str]
    nav_date: NDArray[np.int64]
    per_10k: Floats
    week_pct: Floats
    days_covered: Floats


@dataclass(frozen=True)
class Cadence:
    """How often funds publish.

    Attributes:
        codes: of the funds whose cadence is known.
        usual_step: int64 [funds], usual number of sessions from one NAV to the next.
        due: float64 [funds, 5], share of the sessions of each weekday, Monday first, for which
            the fund has a NAV.
    """

    codes: list[str]
    usual_step: NDArray[np.int64]
    due: NDArray[np.float64]

    def due_of(self, codes: Sequence[str]) -> NDArray[np.float64]:
        """Due shares [funds, 5] of some funds; NaN of those whose cadence is not known."""
        place = {code: at for at, code in enumerate(self.codes)}
        found = np.array([place.get(code, len(place)) for code in codes], dtype=np.int64)
        return np.vstack([self.due, np.full((1, len(WEEKDAYS)), np.nan)])[found]


def no_cadence() -> Cadence:
    """Of no fund: nothing was learned yet."""
    return Cadence([], np.empty(0, np.int64), np.empty((0, len(WEEKDAYS))))


def weekdays(sessions: NDArray[np.integer]) -> NDArray[np.int64]:
    """The weekday of days since 1970-01-01, a Thursday; Monday is 0."""
    return (sessions.astype(np.int64) + 3) % 7


def silence_allowed(
    due: NDArray[np.float64], weekday: NDArray[np.int64], rested: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """For how many sessions after its last NAV each fund's cadence explains that it has none.

    Args:
        due: [funds, 5], as `Cadence.due_of`.
        weekday: [funds, sessions], of the sessions after each fund's last NAV.
        rested: [funds, sessions], on which its kind rested: nothing was due.

    Returns:
        int64 [funds], at most the number of sessions.
    """
    share = np.take_along_axis(due, np.minimum(weekday, len(WEEKDAYS) - 1), axis=1)
    chance = np.cumprod(np.where(rested, 1.0, 1.0 - share), axis=1)
    found: NDArray[np.int64] = (chance >= LEAST_CHANCE).sum(axis=1)
    return np.where(np.isnan(due).any(axis=1), UNKNOWN_SILENCE, found)


def sessions_to_learn(calendar: TradingCalendar, before: int) -> list[int]:
    """The sessions (yyyymmdd, ascending) from which the cadence of a date is learned."""
    days = keys_to_days(np.array([before]))[0]
    known = calendar.session_days[calendar.session_days < days]
    learned = days_to_keys(known[-LEARNED_SESSIONS - LATE_SESSIONS : -LATE_SESSIONS])
    return [int(key) for key in learned]


def learn_cadence(rows: Attendance) -> Cadence:
    """How often each fund publishes, from the sessions after its first NAV among them.

    A session on which a kind of FUNDS_OF_REST funds has less than half of what is usual for it
    on that weekday says nothing about its funds: it rested, or the platform did not collect.

    Args:
        rows: of the sessions of `sessions_to_learn`.

    Returns:
        The funds with at least LEAST_NAVS NAVs.
    """
    there = rows.there
    if not there.size:
        return no_cadence()
    weekday = weekdays(keys_to_days(rows.sessions))
    first = np.where(there.any(axis=1), there.argmax(axis=1), there.shape[1])
    begun = np.greater.outer(np.arange(there.shape[1]), first).T
    names, kinds = np.unique(np.array(rows.kinds, dtype=str), return_inverse=True)
    counts = np.array([_worked(there[kinds == n], begun[kinds == n], weekday)
                       for n in range(len(names))]).reshape(len(names), -1)  # fmt: skip
    asked = begun & counts[kinds]
    had = there & asked
    overall = had.sum(axis=1) / np.maximum(asked.sum(axis=1), 1)
    due = np.empty((len(there), len(WEEKDAYS)))
    for day in range(len(WEEKDAYS)):
        of_day = weekday == day
        n = asked[:, of_day].sum(axis=1)
        due[:, day] = np.where(
            n >= SAME_WEEKDAY, had[:, of_day].sum(axis=1) / np.maximum(n, 1), overall
        )
    known = (there.sum(axis=1) >= LEAST_NAVS) & (asked.sum(axis=1) > 0)
    step = np.ones(len(there), dtype=np.int64)
    for fund in np.flatnonzero(known & (overall < 1.0)):  # the others have every session
        step[fund] = _usual_step(there[fund])
    codes = [
        code for code, is_known in zip(rows.codes, known.tolist(), strict=True) if is_known
    ]
    return Cadence(codes, step[known], due[known])


def _worked(
    there: NDArray[np.bool_], begun: NDArray[np.bool_], weekday: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """The sessions on which the funds of a kind publish as usual on their weekday."""
    share = (there & begun).sum(axis=0) / np.maximum(begun.sum(axis=0), 1)
    worked = np.ones(len(share), dtype=bool)
    for day in np.unique(weekday):
        of_day = weekday == day
        enough = begun[:, of_day].sum(axis=0) >= FUNDS_OF_REST
        usual = np.median(share[of_day])
        worked[of_day] = ~enough | (share[of_day] >= PEERS_SHARE * usual)
    return worked


def missing_dates(rows: Attendance, unseen: Collection[int] = ()) -> list[Missing]:
    """The dates that funds lack, between their first NAV and the newest session that is due.

    Late kinds are due by their lag later.

    Args:
        unseen: sessions (yyyymmdd) whose page was never accepted.

    Returns:
        By fund and date.
    """
    there, sessions = rows.there, rows.sessions
    if not there.any():
        return []
    names, kinds = np.unique(np.array(rows.kinds), return_inverse=True)
    lag = np.array([KINDS[name].lag for name in names])[kinds]
    counts = there.sum(axis=1)
    first, last = there.argmax(axis=1), there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    ends = np.maximum(len(sessions) - lag, last + 1)
    known = counts >= LEAST_NAVS
    # Nearly all funds have every session from their first to what is due: they lack nothing.
    whole = counts == ends - first
    funds = np.flatnonzero(known & ~whole)
    usual = dict(zip(funds.tolist(), map(_usual_step, there[funds]), strict=True))
    daily = known & whole
    daily[[fund for fund, step in usual.items() if step == 1]] = True
    of_kind = ((np.arange(len(names))[:, None] == kinds) & daily).astype("float64")
    share = of_kind @ there / np.maximum(of_kind.sum(axis=1), 1.0)[:, None]
    # Pages of the session after the newest were not to be seen yet.
    looked_for = np.append(~np.isin(sessions, list(unseen)), True)
    worked = share >= PEERS_SHARE
    rests = _rests(rows)
    return [
        Missing(rows.codes[fund], rows.kinds[fund], int(sessions[at]))
        for fund, step in usual.items()
        for at in _lacking(there[fund], int(ends[fund]), step)
        if step > 1
        or not looked_for[at + 1]
        or (worked[kinds[fund], at] and not rests[fund, at])
    ]


def _rests(rows: Attendance) -> NDArray[np.bool_]:
    """Bool [funds, sessions]: the sessions of weekdays on which a fund rests."""
    before = slice(0, max(len(rows.sessions) - LATE_SESSIONS, 0))
    learned = learn_cadence(
        Attendance(rows.codes, rows.kinds, rows.sessions[before], rows.there[:, before])
    )
    due = learned.due_of(rows.codes)
    found: NDArray[np.bool_] = due < REST_SHARE * due.max(axis=1, keepdims=True)
    return found[:, np.minimum(weekdays(keys_to_days(rows.sessions)), len(WEEKDAYS) - 1)]


def _usual_step(there: NDArray[np.bool_]) -> int:
    """The usual distance of a fund's NAVs in sessions."""
    return max(round(float(np.median(np.diff(np.flatnonzero(there))))), 1)


def _lacking(there: NDArray[np.bool_], end: int, usual: int) -> Iterator[int]:
    """Where a fund lacks a NAV: so many usual steps after one, before the next or the end."""
    had = np.flatnonzero(there).tolist()
    for at, following in zip(had, [*had[1:], end], strict=True):
        for nth in range(1, round((following - at) / usual)):
            yield at + usual * nth


def missing_income(rows: Incomes, calendar: TradingCalendar, due: int) -> list[Missing]:
    """The days whose income money-market funds lack, from their first figure to what is due.

    Of a fund that publishes sums of closed days, the day on which the sum would stand. A sum in
    a fund that publishes each day is the page's: its other days are missing.

    Args:
        due: yyyymmdd of the newest session that is due; money-market funds by their lag later.

    Returns:
        By fund and date.
    """
    if not rows.codes:
        return []
    day = keys_to_days(rows.nav_date).astype(np.int64)
    codes, fund = np.unique(np.array(rows.codes), return_inverse=True)
    first = np.append(True, fund[1:] != fund[:-1])
    judged = judge_income(
        Yields(day, first, rows.per_10k, rows.week_pct),
        known=rows.days_covered,
        settled=~np.isnan(rows.days_covered),
        calendar=calendar,
        hold_from_pct=WEEK_HOLD_PCT,
    )
    cover = np.nan_to_num(judged.days_covered, nan=1.0).astype(np.int64)
    before = np.append(day[:1], day[:-1])
    own = _habits(fund, len(codes), day, cover, first, calendar)[fund]
    # A page's sum in a fund that tells each day: its history has them.
    absent = np.where(first, 0, np.maximum(day - np.where(own == "", 1, cover) - before, 0))
    last = np.append(first[1:], True)
    sessions = calendar.session_days
    at = np.searchsorted(sessions, keys_to_days(np.array([due]))[0], side="right") - 1
    until = int(sessions[max(at - KINDS["money"].lag, 0)])
    tail = np.where(last, np.maximum(until - day, 0), 0)
    begins = np.concatenate([before, day])
    counts = np.concatenate([absent, tail])
    found = np.repeat(np.arange(len(counts)), counts)
    nth = np.arange(len(found)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    row, missed = np.tile(np.arange(len(day)), 2)[found], begins[found] + nth
    is_session = np.isin(missed, sessions)
    ends_run = np.isin(missed + 1, sessions)
    stands = (own[row] == "") | is_session | ((own[row] == "closed") & ends_run)
    dates = days_to_keys(missed[stands].astype(np.int32)).tolist()
    return sorted(
        Missing(rows.codes[at], rows.kinds[at], date)
        for at, date in zip(row[stands].tolist(), dates, strict=True)
    )


def _habits(
    fund: NDArray[np.int64],
    funds: int,
    day: NDArray[np.int64],
    cover: NDArray[np.int64],
    first: NDArray[np.bool_],
    calendar: TradingCalendar,
) -> NDArray[np.str_]:
    """Where each fund's sums of closed days stand: on the last closed one, a session, or none.

    By most of its figures over a closed stretch, so that a day that was once lost, or shown
    in a sum by a page, changes nothing.

    Args:
        fund: the number of each row's fund, of `funds`.
    """
    runs = closed_runs(day, calendar)
    telling = (runs > 1) & ~first & ((cover > 1) | (runs == 2))
    is_sum = telling & (cover > 1)
    on_session = is_sum & np.isin(day, calendar.session_days)
    told, sums, on_sessions = (
        np.bincount(fund[which], minlength=funds) for which in (telling, is_sum, on_session)
    )
    words = np.where(2 * on_sessions > sums, "session", "closed")
    return np.where(2 * sums > told, words, "")
