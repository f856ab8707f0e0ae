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
from numpy.typing import NDArray

from fund_assets.calendar import (
    TradingCalendar,
    days_to_keys,
    from_key,
    keys_to_days,
    to_key,
)
from fund_assets.nav.money import Yields, closed_runs, judge_income
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
    there, funds = _attendance(rows, sessions)
    lag = funds["kind"].map({name: kind.lag for name, kind in KINDS.items()}).to_numpy()
    counts = there.sum(axis=1)
    first, last = there.argmax(axis=1), there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    ends = np.maximum(len(sessions) - lag, last + 1)
    known = counts >= LEAST_NAVS
    # Nearly all funds have every session from their first to what is due: they lack nothing.
    whole = counts == ends - first
    fund, at = np.nonzero(there & (known & ~whole)[:, None])
    seen = pd.DataFrame({"fund": fund, "at": at})
    usual = seen.groupby("fund")["at"].diff().groupby(fund).median().round().clip(lower=1)
    daily = known & whole
    daily[usual.index[usual == 1]] = True
    nexts = seen.groupby("fund")["at"].shift(-1).fillna(pd.Series(ends[fund]))
    gaps = seen.assign(next=nexts, usual=seen["fund"].map(usual))
    absent = np.round((gaps["next"] - gaps["at"]) / gaps["usual"]).astype("int64") - 1
    gaps = gaps[absent > 0].assign(absent=absent[absent > 0])
    found = gaps.loc[gaps.index.repeat(gaps["absent"])]
    number = found.groupby(level=0).cumcount() + 1
    found = found.assign(at=(found["at"] + found["usual"] * number).astype("int64"))
    kinds, names = pd.factorize(funds["kind"])
    of_kind = ((np.arange(len(names))[:, None] == kinds) & daily).astype("float64")
    share = of_kind @ there / np.maximum(of_kind.sum(axis=1), 1.0)[:, None]
    # Beyond the sessions that were looked at nobody has a NAV, and all of them were looked for.
    share = np.append(share, np.zeros((len(names), 1)), axis=1)
    looked_for = np.append(~np.isin(sessions, list(unseen)), [True, True])
    fund, at = found["fund"].to_numpy(), found["at"].to_numpy()
    missed = (share[kinds[fund], at] >= PEERS_SHARE) | ~looked_for[at + 1]
    found = found[missed | (found["usual"] > 1).to_numpy()]
    return (
        funds[["fund_code", "kind"]]
        .iloc[found["fund"]]
        .assign(nav_date=sessions[found["at"].to_numpy()])[columns]
        .sort_values(["fund_code", "nav_date"])
        .reset_index(drop=True)
    )


def _attendance(
    rows: pd.DataFrame, sessions: np.ndarray
) -> tuple[NDArray[np.bool_], pd.DataFrame]:
    """Whether each fund has a NAV of each session, and the funds: fund_code, kind."""
    numbers, codes = pd.factorize(rows["fund_code"])
    first = np.full(len(codes), len(rows))
    np.minimum.at(first, numbers, np.arange(len(rows)))
    kinds = rows["kind"].iloc[first].astype("str").to_numpy()
    funds = pd.DataFrame({"fund_code": np.asarray(codes, dtype="object"), "kind": kinds})
    dates = rows["nav_date"].to_numpy()
    at = np.minimum(np.searchsorted(sessions, dates), len(sessions) - 1)
    known = sessions[at] == dates
    there = np.zeros((len(codes), len(sessions)), dtype=bool)
    there[numbers[known], at[known]] = True
    return there, funds


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
        Yields(
            day,
            first,
            rows["yield_per_10k"].to_numpy(dtype=float),
            rows["yield_7d_pct"].to_numpy(dtype=float),
        ),
        known=known,
        settled=~np.isnan(known),
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
