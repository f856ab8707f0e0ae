"""Subject `fund` of the rules: how long each fund of a wave is silent, and how long it may be.

Belongs here: the frame of that subject. Does not belong here: what a fund's own cadence allows
(`cadence.py`), what is demanded of the frame (`rules.py`).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import TradingCalendar
from fund_assets.nav.batch import Batch, Known
from fund_assets.nav.cadence import (
    FUNDS_OF_REST,
    LEARNED_SESSIONS,
    PEERS_SHARE,
    silence_allowed,
    weekdays,
)
from fund_assets.nav.timeline import Timeline
from fund_assets.schemas.kinds import KINDS

#: Of so many sessions before a wave its batch knows the NAVs: on them it is seen who rested.
WINDOW = 10


def describe_funds(
    batch: Batch, known: Known, timeline: Timeline, calendar: TradingCalendar
) -> pd.DataFrame:
    """One row for each fund of the wave with a stored or new NAV; none for histories.

    A fund that has ended has no row: it publishes no more.

    Returns:
        fund_code, kind, last_nav_date, sessions_behind the wave's newest date, and
        sessions_allowed: by its own cadence, and the lag of its kind.
    """
    columns = ["fund_code", "nav_date"]
    if not batch.is_wave:
        rows = known.stored[columns].head(0)
    else:
        rows = pd.concat([known.stored[columns], timeline.kept()[columns]])
        here = rows["fund_code"].isin(batch.landed["fund_code"].unique())
        rows = rows[here & ~rows["fund_code"].isin(known.ended)]
    last = rows.groupby("fund_code")["nav_date"].max()
    kind = [known.kinds.get(code, "other") for code in last.index]
    lag = np.array([KINDS[name].lag for name in kind], dtype=np.int64)
    newest = int(calendar.positions(np.array([batch.newest_date]))[0])
    at = calendar.positions(last.to_numpy())
    allowed = lag.copy()
    late = np.flatnonzero(newest - at > lag)
    if len(late):
        due = known.cadence.due_of(last.index.tolist())
        numbers = np.array([list(KINDS).index(name) for name in kind])
        there = _there(rows, last.index, newest, calendar)
        rested = _rested(there, due, numbers, newest, calendar)
        of_late = rested[numbers[late]]
        allowed[late] += _explained(at[late], due[late], of_late, newest, calendar)
    return pd.DataFrame(
        {
            "kind": kind,
            "last_nav_date": last,
            "sessions_behind": newest - at,
            "sessions_allowed": allowed,
        }
    ).reset_index()


def _there(
    rows: pd.DataFrame, codes: pd.Index, newest: int, calendar: TradingCalendar
) -> NDArray[np.bool_]:
    """Bool [funds, WINDOW]: of which of the sessions up to the newest funds have NAVs."""
    place = calendar.positions(rows["nav_date"].to_numpy()) - (newest - WINDOW) - 1
    fund = codes.get_indexer(rows["fund_code"])
    found = np.zeros((len(codes), WINDOW), dtype=bool)
    found[fund[place >= 0], place[place >= 0]] = True
    return found


def _rested(
    there: NDArray[np.bool_],
    due: NDArray[np.float64],
    kind: NDArray[np.int64],
    newest: int,
    calendar: TradingCalendar,
) -> NDArray[np.bool_]:
    """Bool [kinds, WINDOW]: the sessions on which a kind published far less than was due."""
    weekday = _weekdays_from(np.array([newest - WINDOW]), WINDOW, calendar)[0]
    active = there.sum(axis=1)[:, None] > 0
    share: NDArray[np.float64] = np.where(active, np.nan_to_num(due), 0.0)[:, weekday]
    had = there & (share > 0)
    found = np.zeros((len(KINDS), WINDOW), dtype=bool)
    for number in np.unique(kind):
        ours = np.flatnonzero(kind == number)
        expected = share[ours].sum(axis=0)
        found[number] = (expected >= FUNDS_OF_REST) & (
            had[ours].sum(axis=0) < PEERS_SHARE * expected
        )
    return found


def _explained(
    at: NDArray[np.int64],
    due: NDArray[np.float64],
    rested: NDArray[np.bool_],
    newest: int,
    calendar: TradingCalendar,
) -> NDArray[np.int64]:
    """For how many sessions each fund's cadence explains that it is silent.

    Args:
        at: position of each fund's last NAV in the calendar.
        rested: [funds, WINDOW], when its kind rested.
    """
    place = at[:, None] + np.arange(LEARNED_SESSIONS) - (newest - WINDOW)
    known = np.pad(rested, ((0, 0), (1, 1)))
    row = np.arange(len(at))[:, None]
    no_due = known[row, np.clip(place + 1, 0, WINDOW + 1)]
    return silence_allowed(due, _weekdays_from(at, LEARNED_SESSIONS, calendar), no_due)


def _weekdays_from(
    at: NDArray[np.int64], count: int, calendar: TradingCalendar
) -> NDArray[np.int64]:
    """[positions, count]: the weekdays of so many sessions after positions; Monday is 0."""
    days = calendar.session_days
    which = np.clip(at[:, None] + np.arange(count), 0, len(days) - 1)
    return weekdays(days[which])
