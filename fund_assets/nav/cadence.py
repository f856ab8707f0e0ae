"""Which dates a fund lacks, by its own cadence.

Belongs here: how often a fund publishes, and which of its dates are therefore missing. Does
not belong here: reading its dates, or asking for what is missing (`steps/repairing.py`).

A fund that usually publishes every session lacks each session between two of its NAVs; one
that publishes every fifth lacks a date where two of its NAVs are ten sessions apart. A session
on which hardly any daily fund of its kind has a NAV is missing to none of them: QDII rest on
holidays of other countries. That is known when a page of the next session was seen, which shows
late NAVs too; a date that nobody looked for is missing. A money-market fund earns on every
calendar day: it lacks each day that no figure of it covers.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from fund_assets.calendar import (
    TradingCalendar,
    days_to_keys,
    from_key,
    keys_to_days,
    to_key,
)
from fund_assets.nav.money import closed_runs, judge_income
from fund_assets.nav.rules import WEEK_HOLD_PCT
from fund_assets.schemas.kinds import KINDS

#: A fund's cadence is known from so many NAVs on.
LEAST_NAVS = 5
#: On a session that counts, at least this share of the daily funds of a kind has a NAV.
PEERS_SHARE = 0.5


def missing_dates(
    rows: pd.DataFrame,
    calendar: TradingCalendar,
    since: int,
    due: int,
    unseen: Collection[int] = (),
) -> pd.DataFrame:
    """The dates that funds lack, between their first NAV and what is due.

    Args:
        rows: fund_code, kind, nav_date (yyyymmdd) of accepted NAVs from `since` on; dates
            that are no session do not count.
        due: yyyymmdd of the newest session that is due; late kinds are due by their lag later.
        unseen: sessions (yyyymmdd) whose page was never accepted.

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
    looked_for = np.append(~np.isin(sessions, list(unseen)), True)
    counts = counts | ~looked_for[found["at"].to_numpy() + 1]
    found = found[counts | (found["usual"] > 1).to_numpy()]
    return (
        found.assign(nav_date=sessions[found["at"].to_numpy()])[
            ["fund_code", "kind", "nav_date"]
        ]
        .sort_values(["fund_code", "nav_date"])
        .reset_index(drop=True)
    )


def missing_income(rows: pd.DataFrame, calendar: TradingCalendar, due: int) -> pd.DataFrame:
    """The days whose income money-market funds lack, from their first figure to what is due.

    Of a fund that publishes sums of closed days, the day on which the sum would stand. A sum in
    a fund that publishes each day is the page's: its other days are missing.

    Args:
        rows: fund_code, kind, nav_date, yield_per_10k, yield_7d_pct, days_covered of accepted
            incomes; what a figure without days_covered is for is told by its 7-day yield.
        due: as in `missing_dates`.

    Returns:
        As `missing_dates`.
    """
    columns = ["fund_code", "kind", "nav_date"]
    if rows.empty:
        return rows[columns]
    rows = rows.sort_values(["fund_code", "nav_date"], ignore_index=True)
    day = keys_to_days(rows["nav_date"].to_numpy()).astype(np.int64)
    first = ~rows["fund_code"].duplicated().to_numpy()
    known = rows["days_covered"].astype("float64").to_numpy()
    cover = judge_income(
        day,
        first,
        rows["yield_per_10k"].to_numpy(dtype=float),
        rows["yield_7d_pct"].to_numpy(dtype=float),
        known=known,
        settled=~np.isnan(known),
        recorded=False,
        calendar=calendar,
        hold_from_pct=WEEK_HOLD_PCT,
    ).days_covered
    cover = np.nan_to_num(cover, nan=1.0).astype(np.int64)
    before = np.append(day[:1], day[:-1])
    habits = _habits(rows["fund_code"], day, cover, first, calendar)
    own = rows["fund_code"].map(habits).to_numpy()
    # A page's sum in a fund that tells each day: its history has them.
    absent = np.where(first, 0, np.maximum(day - np.where(own == "", 1, cover) - before, 0))
    last = np.append(first[1:], True)
    sessions = calendar.session_days
    at = np.searchsorted(sessions, keys_to_days(np.array([due]))[0], side="right") - 1
    until = int(sessions[max(at - KINDS["money"].lag, 0)])
    tail = np.where(last, np.maximum(until - day, 0), 0)
    begins = np.concatenate([before, day])
    counts = np.concatenate([absent, tail])
    fund = np.tile(np.arange(len(rows)), 2)
    found = np.repeat(np.arange(len(counts)), counts)
    nth = np.arange(len(found)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    missing = pd.DataFrame({"row": fund[found], "day": begins[found] + nth})
    habit = own[missing["row"]]
    is_session = np.isin(missing["day"], sessions)
    ends_run = np.isin(missing["day"] + 1, sessions)
    stands = (habit == "") | is_session | ((habit == "closed") & ends_run)
    missing = missing[stands]
    return (
        rows[columns]
        .iloc[missing["row"]]
        .assign(nav_date=days_to_keys(missing["day"].to_numpy().astype(np.int32)))
        .sort_values(["fund_code", "nav_date"])
        .reset_index(drop=True)
    )


def _habits(
    codes: pd.Series,
    day: np.ndarray,
    cover: np.ndarray,
    first: np.ndarray,
    calendar: TradingCalendar,
) -> pd.Series:
    """Where a fund's sums of closed days stand: on the last closed one, on a session, or none.

    By most of its figures over a closed stretch, so that a day that was once lost, or shown
    in a sum by a page, changes nothing.
    """
    runs = closed_runs(day, calendar)
    telling = pd.DataFrame(
        {
            "code": codes,
            "sums": cover > 1,
            "on_session": np.isin(day, calendar.session_days) & (cover > 1),
        }
    )[(runs > 1) & ~first & ((cover > 1) | (runs == 2))]
    seen = telling.groupby("code")[["sums", "on_session"]].agg(["sum", "count"])
    sums, count = seen[("sums", "sum")], seen[("sums", "count")]
    words = np.where(2 * seen[("on_session", "sum")] > sums, "session", "closed")
    words = np.where(2 * sums > count, words, "")
    return pd.Series(words, index=seen.index, dtype="object").reindex(
        codes.unique(), fill_value=""
    )
