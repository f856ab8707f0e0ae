"""Which dates a fund lacks, by its own cadence.

Belongs here: how often a fund publishes, and which of its dates are therefore missing. Does
not belong here: reading its dates, or asking for what is missing (`steps/repairing.py`).

A fund that usually publishes every session lacks each session between two of its NAVs; one
that publishes every fifth lacks a date where two of its NAVs are ten sessions apart. A session
on which hardly any daily fund of its kind has a NAV is missing to none of them: QDII rest on
holidays of other countries.
"""

import numpy as np
import pandas as pd

from fund_assets.calendar import TradingCalendar, from_key, to_key
from fund_assets.schemas.kinds import KINDS

#: A fund's cadence is known from so many NAVs on.
LEAST_NAVS = 5
#: On a session that counts, at least this share of the daily funds of a kind has a NAV.
PEERS_SHARE = 0.5


def missing_dates(
    rows: pd.DataFrame, calendar: TradingCalendar, since: int, due: int
) -> pd.DataFrame:
    """The dates that funds lack, between their first NAV and what is due.

    Args:
        rows: fund_code, kind, nav_date (yyyymmdd) of accepted NAVs from `since` on; dates
            that are no session do not count.
        due: yyyymmdd of the newest session that is due; late kinds are due by their lag later.

    Returns:
        fund_code, kind, nav_date (of a fund that is not daily: about when), by fund and date.
    """
    columns = ["fund_code", "kind", "nav_date"]
    if rows.empty:
        return rows[columns]
    sessions = np.array(
        [to_key(day) for day in calendar.between(from_key(since), from_key(due))],
        dtype=np.int64,
    )
    at = np.searchsorted(sessions, rows["nav_date"].to_numpy())
    known = at < len(sessions)
    known[known] = sessions[at[known]] == rows["nav_date"].to_numpy()[known]
    seen = rows[known].assign(at=at[known]).sort_values(["fund_code", "at"])
    steps = seen.groupby("fund_code")["at"].diff()
    usual = steps.groupby(seen["fund_code"]).median()
    enough = seen["fund_code"].value_counts() >= LEAST_NAVS
    usual = usual[usual.index.isin(enough.index[enough])].round().clip(lower=1)
    lag = seen["kind"].map({name: kind.lag for name, kind in KINDS.items()})
    ends = seen.assign(end=len(sessions) - lag).drop_duplicates("fund_code", keep="last")
    nexts = seen.groupby("fund_code")["at"].shift(-1)
    nexts.loc[ends.index] = np.maximum(ends["end"], ends["at"] + 1)
    gaps = seen.assign(next=nexts, usual=seen["fund_code"].map(usual)).dropna()
    absent = np.round((gaps["next"] - gaps["at"]) / gaps["usual"]).astype("int64") - 1
    gaps = gaps[absent > 0].assign(absent=absent[absent > 0])
    found = gaps.loc[gaps.index.repeat(gaps["absent"])]
    number = found.groupby(level=0).cumcount() + 1
    found = found.assign(at=(found["at"] + found["usual"] * number).astype("int64"))
    daily = usual.index[usual == 1]
    peers = seen[seen["fund_code"].isin(daily)]
    funds = peers.groupby("kind")["fund_code"].nunique()
    there = peers.groupby(["kind", "at"]).size()
    share = there / there.index.get_level_values("kind").map(funds)
    of = pd.MultiIndex.from_frame(found[["kind", "at"]])
    counts = (share.reindex(of).fillna(0.0) >= PEERS_SHARE).to_numpy()
    found = found[counts | (found["usual"] > 1).to_numpy()]
    return (
        found.assign(nav_date=sessions[found["at"].to_numpy()])[
            ["fund_code", "kind", "nav_date"]
        ]
        .sort_values(["fund_code", "nav_date"])
        .reset_index(drop=True)
    )
