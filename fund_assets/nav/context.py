"""The frames that rules look at: a batch's rows, kinds, dates and funds in context.

Belongs here: joining a batch with what is known, one frame per subject of a rule. Does not
belong here: what is demanded of them (`rules.py`).
"""

import numpy as np
import pandas as pd

from fund_assets.calendar import TradingCalendar, from_key
from fund_assets.nav.batch import Batch, Known
from fund_assets.nav.desk import decided
from fund_assets.nav.timeline import Timeline
from fund_assets.nav.witness import backing, refused_before
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.kinds import KINDS

#: A wave's date may lie this many calendar days before its newest one (long holidays).
OLDEST_DAYS = 40
#: How `sources.cells.unite` words that a fund and date stand twice with different values.
CONFLICT = "sources disagree|lists it twice"
#: A fund with fewer NAVs than this in the sessions read before the batch publishes weekly.
WEEKLY_BELOW, WEEKLY_ALLOWED = 4, 12


def describe_rows(
    batch: Batch, known: Known, calendar: TradingCalendar, today: int
) -> pd.DataFrame:
    """Subject `row`: every landed observation with the limits of its kind."""
    landed = batch.landed
    limits = _limits_of_kinds()
    fund, codes = pd.factorize(landed["fund_code"])
    kinds = _kinds(codes.to_series(), known)
    kind = kinds.to_numpy()[fund]
    limit = limits.loc[kinds].iloc[fund].set_index(landed.index)
    dates = landed["nav_date"].to_numpy()
    oldest = 0 if batch.is_recorded else _days_before(batch.newest_date, OLDEST_DAYS)
    month_day = dates % 10_000
    decisions = decided(landed, known.decisions)
    backed = backing(landed, known.sightings, batch.voice)
    return landed.assign(
        kind=kind,
        pending=landed[OBSERVED_NAMES].isna().all(axis=1) & (landed["defect"] == ""),
        date_expected=(dates <= today) & (dates >= oldest),
        is_session=calendar.are_sessions(dates),
        is_report_date=(month_day == 630) | (month_day == 1231),
        is_money=(kind == "money") | landed["yield_per_10k"].notna().to_numpy(),
        is_recorded=batch.is_recorded,
        **limit,
        decided=decisions == "accepted",
        refuted=refused_before(landed, known.refuted, batch.voice).to_numpy(),
        **backed.mul(decisions != "rejected", axis=0).astype("int8"),
    )


def describe_batch(
    batch: Batch, known: Known, calendar: TradingCalendar, today: int
) -> pd.DataFrame:
    """Subject `batch`: one row."""
    newest = batch.newest_date
    published = known.published_date if batch.is_wave else None
    age = 0
    if batch.is_wave and newest <= today:
        sessions = calendar.positions(np.array([newest, today]))
        age = int(sessions[1] - sessions[0])
    return pd.DataFrame(
        {
            "rows": [batch.rows_read],
            "bad_codes": batch.refused,
            "usual_rows": [known.usual_rows if batch.is_wave else np.nan],
            "conflicting": int(batch.landed["defect"].str.contains(CONFLICT).sum()),
            **_standing_still(batch),
            "newest_date": newest,
            "previous_date": batch.previous_date or 0,
            "dates_ordered": batch.previous_date is None or batch.previous_date < newest,
            "published_date": [published],
            "sessions_old": age,
            "today": today,
        }
    ).astype({"usual_rows": "float64", "published_date": "Int64"})


def _standing_still(batch: Batch) -> dict[str, int]:
    """Funds with a moving NAV at both dates of a wave, and those with the same NAV at both."""
    if not batch.is_wave:
        return {"on_both_dates": 0, "standing_still": 0}
    navs = batch.landed[batch.landed["yield_per_10k"].isna()].set_index("fund_code")
    now, before = (
        navs.loc[navs["nav_date"] == day, "unit_nav"].dropna()
        for day in (batch.newest_date, batch.previous_date)
    )
    both = now.index.intersection(before.index)
    return {
        "on_both_dates": len(both),
        "standing_still": int((now[both] == before[both]).sum()),
    }


def describe_kinds(batch: Batch, known: Known) -> pd.DataFrame:
    """Subject `kind`: one row per kind of the wave before; empty for histories."""
    members = pd.Series(sorted(known.members_before if batch.is_wave else ()), dtype="str")
    kind = _kinds(members, known)
    there = members.isin(batch.landed["fund_code"].unique())
    counted = pd.DataFrame({"kind": kind, "there": there}).groupby("kind")["there"]
    return pd.DataFrame(
        {"members_before": counted.size(), "still_there": counted.sum()}
    ).reset_index()


def describe_dates(timeline: Timeline) -> pd.DataFrame:
    """Subject `date`: one row per date of which the batch has stored counterparts."""
    stored = pd.Series(timeline.stored_dates).value_counts()
    kept = timeline.kept()
    income = (kept["yield_per_10k"] - kept["stored_yield_per_10k"]).abs() > 0.0
    income &= ~kept["refined"]  # days told one by one correct no sum of them
    revised = kept.loc[kept["revision"].notna() | income, "nav_date"].value_counts()
    frame = pd.DataFrame({"stored": stored, "revised": revised.reindex(stored.index)})
    frame = frame.fillna({"revised": 0}).astype({"revised": "int64"})
    return frame.rename_axis("nav_date").reset_index()


def describe_funds(
    batch: Batch, known: Known, timeline: Timeline, calendar: TradingCalendar
) -> pd.DataFrame:
    """Subject `fund`: the wave's funds with a stored or new NAV; empty for histories."""
    columns = ["fund_code", "nav_date"]
    if not batch.is_wave:
        rows = known.stored[columns].head(0)
    else:
        rows = pd.concat([known.stored[columns], timeline.kept()[columns]])
        rows = rows[rows["fund_code"].isin(batch.landed["fund_code"].unique())]
    grouped = rows.groupby("fund_code")["nav_date"]
    last, count = grouped.max(), grouped.nunique()
    kind = _kinds(last.index.to_series(), known)
    lag = kind.map({name: k.lag for name, k in KINDS.items()})
    newest = calendar.positions(np.array([batch.newest_date]))[0]
    return pd.DataFrame(
        {
            "kind": kind,
            "last_nav_date": last,
            "sessions_behind": newest - calendar.positions(last.to_numpy()),
            "sessions_allowed": lag.where(count >= WEEKLY_BELOW, WEEKLY_ALLOWED).astype(
                "int64"
            ),
        }
    ).reset_index()


def _limits_of_kinds() -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: {
                "nav_low": kind.nav_range[0],
                "nav_high": kind.nav_range[1],
                "jump_warn": kind.jump_warn,
                "jump_hold": kind.jump_hold,
            }
            for name, kind in KINDS.items()
        }
    ).T


def _kinds(codes: pd.Series, known: Known) -> pd.Series:
    kinds = [known.kinds.get(code, "other") for code in codes]
    return pd.Series(kinds, index=codes.index, dtype="str")


def _days_before(key: int, days: int) -> int:
    moved = np.datetime64(from_key(key)) - days
    return int(str(moved).replace("-", ""))
