"""The frames that rules look at: a batch's rows, kinds, dates and funds in context.

Belongs here: joining a batch with what is known, one frame per subject of a rule. Does not
belong here: what is demanded of them (`rules.py`), which funds are silent (`silence.py`).
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from itertools import takewhile

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import TradingCalendar, from_key, to_key
from fund_assets.nav import rules
from fund_assets.nav.batch import Batch, Known
from fund_assets.nav.decisions import decided
from fund_assets.nav.returns import GROWTH_TOLERANCE_PCT, last_digit
from fund_assets.nav.timeline import Timeline, corrections, keys_of
from fund_assets.nav.witness import backing, refused_before, voices_of
from fund_assets.schemas.columns import GROWTH_ROUNDING, OBSERVED_NAMES
from fund_assets.schemas.fund_types import TYPES
from fund_assets.schemas.kinds import KINDS

#: A wave's date may lie this many calendar days before its newest one (long holidays).
OLDEST_DAYS = 40
#: How `sources.cells.unite` words that a fund and date stand twice with different values.
CONFLICT = "sources disagree|lists it twice"
#: Counts of two sessions are equal when they differ by no more than this share.
EQUAL = 0.01
#: A page tells growth of a date when at least this share of its NAVs have one.
GROWTH_SHARE = 0.5
#: A history that changes a larger share of its fund's stored NAVs rewrites them.
REWRITTEN = 0.5
#: A fund's chance to stand still is known from so many steps on, to which so many of the market
#: are added.
LEAST_STEPS, PRIOR_STEPS = 3, 4
#: So many funds are needed to see a stale part; so many standard deviations, and this share of
#: them, must stand still beyond the usual.
STALE_MIN_FUNDS, STALE_SIGMAS, STALE_SHARE = 20, 4.0, 0.03


def describe_rows(
    batch: Batch, known: Known, calendar: TradingCalendar, today: int
) -> pd.DataFrame:
    """Subject `row`: every landed observation with the limits of its kind."""
    landed = batch.landed
    limits = _limits()
    fund, codes = pd.factorize(landed["fund_code"])
    kinds = _kinds(codes.to_series(), known)
    kind = kinds.to_numpy()[fund]
    limit = limits.loc[_limited_as(kinds, known)].iloc[fund].set_index(landed.index)
    dates = landed["nav_date"].to_numpy()
    oldest = 0 if batch.is_recorded else _days_before(batch.newest_date, OLDEST_DAYS)
    month_day = dates % 10_000
    stale = stale_rows(batch, known)
    decisions = decided(landed, known.decisions)
    backed = backing(landed, known.sightings, batch.voice)
    return landed.assign(
        kind=kind,
        pending=(landed[OBSERVED_NAMES].isna().all(axis=1) | stale) & (landed["defect"] == ""),
        stale=stale,
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
    batch: Batch,
    known: Known,
    calendar: TradingCalendar,
    today: int,
    stale: NDArray[np.bool_],
) -> pd.DataFrame:
    """Subject `batch`: one row; `stale`: which of its observations are (`stale_rows`)."""
    newest = batch.newest_date
    blocked = known.blocked if batch.is_wave else ()
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
            "rows_before": [known.rows_before if batch.is_wave else np.nan],
            "equal_sessions": 1
            + _in_a_row(abs(w.rows - batch.rows_read) <= EQUAL * w.rows for w in blocked),
            "funds": batch.landed["fund_code"].nunique(),
            "listed": known.listed if batch.is_wave and known.usual_rows is None else 0,
            **_rewritten(batch, known),
            "conflicting": int(batch.landed["defect"].str.contains(CONFLICT).sum()),
            **_standing_still(batch, stale),
            "stale": int(stale.sum()),
            "newest_date": newest,
            "previous_date": batch.previous_date or 0,
            "dates_ordered": batch.previous_date is None or batch.previous_date < newest,
            "published_date": [published],
            "sessions_old": age,
            "today": today,
        }
    ).astype({"usual_rows": "float64", "rows_before": "float64", "published_date": "Int64"})


def _in_a_row(alike: Iterable[bool]) -> int:
    """How many are true from the first on."""
    return sum(1 for _ in takewhile(bool, alike))


def _rewritten(batch: Batch, known: Known) -> dict[str, int]:
    """Histories beside stored NAVs, and those that change more than half of their fund's."""
    if batch.kind != "history" or known.stored.empty:
        return {"beside_stored": 0, "rewritten": 0}
    told = batch.landed[["fund_code", "nav_date", "unit_nav"]].dropna()
    both = told.merge(known.stored[told.columns].dropna(), on=["fund_code", "nav_date"])
    differ = (both["unit_nav_x"] != both["unit_nav_y"]).groupby(both["fund_code"]).mean()
    return {"beside_stored": len(differ), "rewritten": int((differ > REWRITTEN).sum())}


def stale_rows(batch: Batch, known: Known) -> NDArray[np.bool_]:
    """Which observations of a wave are those of the header's other date, not yet of its own.

    One that stands still although its own growth says that it moved; one whose every figure is
    stored of the session before its date; and, when clearly more funds stand still that usually
    move than did in the sessions before, all that stand still.
    """
    landed = batch.landed
    stale = np.zeros(len(landed), dtype=bool)
    if not batch.is_wave or batch.previous_date is None:
        return stale
    dates = landed["nav_date"].to_numpy()
    moving = landed["yield_per_10k"].isna().to_numpy() & landed["unit_nav"].notna().to_numpy()
    at = np.flatnonzero((dates == batch.newest_date) & moving)
    now = landed.iloc[at]
    before = _figures_on(landed[moving], batch.previous_date, now["fund_code"])
    on_record = _figures_on(known.stored, batch.previous_date, now["fund_code"])
    before = before.fillna(on_record)
    there = before["unit_nav"].notna().to_numpy()
    still = (now["unit_nav"].to_numpy() == before["unit_nav"].to_numpy()) & there
    growth = now["growth_pct"].to_numpy()
    acc, acc_before = now["acc_nav"].to_numpy(), before["acc_nav"].to_numpy()
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        slack = 200.0 * last_digit(now["unit_nav"].to_numpy(), before["unit_nav"].to_numpy())
        slack = np.maximum(slack / now["unit_nav"].to_numpy(), GROWTH_TOLERANCE_PCT)
        moved = np.abs(growth) > slack
    contradicted = still & moved & ~(np.abs(acc - acc_before) > 0)
    stale[at[contradicted]] = True
    stale[_are_of_the_date_before(landed, known)] = True
    steps = _steps_before(known, batch.previous_date)
    if _too_many(now.loc[there, "fund_code"], now.loc[still, "fund_code"], steps):
        stale[at[still]] = True
    return stale


def _are_of_the_date_before(landed: pd.DataFrame, known: Known) -> NDArray[np.intp]:
    """Positions of observations that repeat under a date all that is stored of the one before.

    Their growth says that the NAV moved then, so that it would have to move again by as much
    and to end where it began.
    """
    none = np.empty(0, dtype=np.intp)
    stored = known.stored.dropna(subset=["unit_nav"])
    moved = landed["growth_pct"].abs().to_numpy() > GROWTH_TOLERANCE_PCT
    shown = np.flatnonzero(moved & landed["unit_nav"].notna().to_numpy())
    if stored.empty or not len(shown):
        return none
    keys = keys_of(stored["fund_code"], stored["nav_date"])
    order = np.argsort(keys)
    keys, rows = keys[order], landed.iloc[shown]
    own = keys_of(rows["fund_code"], rows["nav_date"])
    before = np.searchsorted(keys, own) - 1
    there = (before >= 0) & (keys[before] // 100_000_000 == own // 100_000_000)
    shown, rows, before = shown[there], rows[there], before[there]
    same = np.ones(len(rows), dtype=bool)
    for name, slack in (("unit_nav", 0.0), ("acc_nav", 0.0), ("growth_pct", GROWTH_ROUNDING)):
        now = rows[name].to_numpy(dtype=float)
        then = stored[name].to_numpy(dtype=float)[order[before]]
        same &= (np.abs(now - then) <= slack) | (np.isnan(now) & np.isnan(then))
    return np.asarray(shown[same])


def _figures_on(frame: pd.DataFrame, date: int, codes: pd.Series) -> pd.DataFrame:
    rows = frame[frame["nav_date"] == date].set_index("fund_code")[["unit_nav", "acc_nav"]]
    return rows.reindex(codes).reset_index(drop=True)


def _steps_before(known: Known, before: int) -> pd.DataFrame:
    """Steps between stored NAVs up to a date: code, nav_date, still."""
    rows = known.stored[["fund_code", "nav_date", "unit_nav"]].dropna()
    rows = rows[rows["nav_date"] <= before]
    keys = keys_of(rows["fund_code"], rows["nav_date"])
    order = np.argsort(keys)
    codes, dates = np.divmod(keys[order], 100_000_000)
    navs = rows["unit_nav"].to_numpy()[order]
    same = np.append(False, codes[1:] == codes[:-1])[: len(codes)]
    still = np.append(False, navs[1:] == navs[:-1])[: len(codes)]
    return pd.DataFrame({"code": codes[same], "nav_date": dates[same], "still": still[same]})


def _too_many(there: pd.Series, still: pd.Series, steps: pd.DataFrame) -> bool:
    """Whether more funds stand still than chance and the sessions before explain.

    Each fund has a chance of its own, from its steps and the market's. Standing still counts by
    how little it was to be expected, so that funds that often do tell nothing.

    Args:
        there: codes of the funds with a NAV on both dates; still: of those, with the same.
        steps: as `_steps_before`.
    """
    habit = steps.groupby("code")["still"].agg(["sum", "count"])
    habit = habit[habit["count"] >= LEAST_STEPS]
    codes = there.astype("int64")
    codes = codes[codes.isin(habit.index)]
    if len(codes) < STALE_MIN_FUNDS:
        return False
    usual = max(float(habit["sum"].sum() / habit["count"].sum()), 1 / len(codes))
    chance = (habit["sum"] + PRIOR_STEPS * usual) / (habit["count"] + PRIOR_STEPS)
    weight = -np.log(chance)

    def surprise(all_of: pd.Series, stood: pd.Series) -> float:
        return float(weight[stood].sum() - (weight * chance)[all_of].sum())

    days = [
        surprise(day["code"], day.loc[day["still"], "code"])
        for _, day in steps[steps["code"].isin(habit.index)].groupby("nav_date")
        if len(day) >= len(codes) / 2
    ]
    middle = float(np.median(days)) if days else 0.0
    spread = 1.4826 * float(np.median(np.abs(np.array(days) - middle))) if days else 0.0
    chances = chance[codes]
    variance = float((weight[codes] ** 2 * chances * (1 - chances)).sum())
    stood = still.astype("int64")
    stood = stood[stood.isin(habit.index)]
    found = surprise(codes, stood)
    enough = len(stood) - float(chances.sum()) >= STALE_SHARE * len(codes)
    return enough and found > max(middle, 0.0) + STALE_SIGMAS * np.hypot(
        np.sqrt(variance), spread
    )


def _standing_still(batch: Batch, stale: NDArray[np.bool_]) -> dict[str, int]:
    """Funds with a moving NAV at both dates of a wave, and those that repeat another date's."""
    if not batch.is_wave:
        return {"on_both_dates": 0, "standing_still": 0}
    landed = batch.landed.assign(stale=stale)
    navs = landed[landed["yield_per_10k"].isna() & landed["unit_nav"].notna()]
    navs = navs.set_index("fund_code")
    now, before = (
        navs[navs["nav_date"] == day] for day in (batch.newest_date, batch.previous_date)
    )
    both = now.index.intersection(before.index)
    still = now["unit_nav"][both] == before["unit_nav"][both]
    return {
        "on_both_dates": len(both),
        "standing_still": int((still | now["stale"][both]).sum()),
    }


def describe_kinds(batch: Batch, known: Known) -> pd.DataFrame:
    """Subject `kind`: one row per kind of the wave before; empty for histories."""
    members = pd.Series(sorted(known.members_before if batch.is_wave else ()), dtype="str")
    kind = _kinds(members, known)
    now = {"there": members.isin(batch.landed["fund_code"].unique())}
    blocked = known.blocked if batch.is_wave else ()
    for number, wave in enumerate(blocked):
        now[f"then{number}"] = members.isin(wave.members)
    there = pd.DataFrame({"kind": kind, **now}).groupby("kind")
    size, sums = there.size(), there[list(now)].sum()
    alike = [
        [abs(row["there"] - row[f"then{n}"]) <= EQUAL * size[name] for n in range(len(blocked))]
        for name, row in sums.iterrows()
    ]
    return pd.DataFrame(
        {
            "members_before": size,
            "still_there": sums["there"],
            "equal_sessions": [1 + _in_a_row(waves) for waves in alike],
        }
    ).reset_index()


def describe_dates(
    batch: Batch, known: Known, timeline: Timeline, judged: pd.DataFrame
) -> pd.DataFrame:
    """Subject `date`: one row per date of which the batch has stored counterparts.

    `column` is the figure of which most funds are corrected there, `revised` how many.
    Corrections that a witness backs, or published growth, count for nothing, nor do those of
    histories, which are measured against their own funds. Where so many are corrected at once,
    the next NAV is no witness when the same batch shows it.

    Args:
        judged: the candidates that are kept, as the rules in context saw them.
    """
    stored = pd.Series(timeline.stored_dates).value_counts()
    market = pd.Series(known.market_on, dtype="int64").reindex(stored.index)
    alone = judged["by_same_sight"].to_numpy(dtype=bool)
    backed = np.where(alone, 0, judged["backed_unit_nav"].to_numpy())
    told = judged["refined"] | rules.is_backed(judged.assign(backed_unit_nav=backed))
    counts = pd.DataFrame(index=stored.index)
    for name, corrected in corrections(judged).items():
        if name.startswith("yield_"):  # days told one by one correct no sum of them
            corrected &= ~judged["refined"].to_numpy(dtype=bool)
        else:
            corrected &= ~told.to_numpy(dtype=bool)
        dates = judged.loc[corrected & (batch.kind != "history"), "nav_date"].value_counts()
        counts[name] = dates.reindex(stored.index).fillna(0).astype("int64")
    return pd.DataFrame(
        {
            "nav_date": stored.index,
            "stored": market.fillna(stored).astype("int64").to_numpy(),
            "revised": counts.max(axis=1).astype("int64").to_numpy(),
            "column": counts.idxmax(axis=1).to_numpy() if len(counts) else "",
        }
    )


def describe_shown(batch: Batch, known: Known, rows: pd.DataFrame) -> pd.DataFrame:
    """Stored dates that the batch speaks of too, and what of them it does not show any more.

    A figure is taken back when the page, or the fund's history, leaves out what it has shown
    itself. What another voice has shown, a cell that cannot be read and a standing part of the
    page say nothing about it; a date that a history has lost counts whoever had shown it.

    A page that tells growth of its newest date alone takes none back of the other: growth
    counts on dates of which half of the NAVs have one.

    Args:
        rows: as of `describe_rows`.

    Returns:
        fund_code, nav_date, and `gone`: names of figures, empty for what is still shown.
    """
    stored = known.stored[["fund_code", "nav_date", "batch_id", *OBSERVED_NAMES]]
    stored = stored[stored["fund_code"].isin(rows["fund_code"].unique())]
    stored = stored.assign(key=keys_of(stored["fund_code"], stored["nav_date"]))
    seen = keys_of(rows["fund_code"], rows["nav_date"])
    order = np.argsort(seen)
    at = np.searchsorted(seen[order], stored["key"].to_numpy())
    at = order[np.minimum(at, len(order) - 1)] if len(order) else at
    there = np.zeros(len(stored), dtype=bool)
    if len(order):
        there = seen[at] == stored["key"].to_numpy()
    lost = np.zeros(len(stored), dtype=bool)
    if batch.kind == "history":
        dates = rows.groupby("fund_code")["nav_date"]
        first, last = (
            stored["fund_code"].map(edge).astype("float64")
            for edge in (dates.min(), dates.max())
        )
        lost = (~there & stored["nav_date"].between(first, last)).to_numpy()
    own = (voices_of(stored["batch_id"]) == batch.voice).to_numpy()
    unclear = (rows["stale"] | (rows["defect"] != "")).to_numpy(dtype=bool)
    asked = there & own
    asked[asked] = ~unclear[at[asked]]
    about = np.flatnonzero(asked | lost)
    gone = np.full(len(about), "", dtype=object)
    for name in OBSERVED_NAMES:
        had = stored[name].notna().to_numpy()[about]
        has = rows[name].notna().to_numpy()[at[about]] if len(order) else ~had
        if name == "growth_pct" and batch.is_wave:
            had &= stored["nav_date"].isin(_dates_with_growth(rows)).to_numpy()[about]
        away = had & (lost[about] | ~has)
        gone[away] = gone[away] + f", {name}"
    found = stored.iloc[about][["fund_code", "nav_date"]].reset_index(drop=True)
    return found.assign(gone=pd.Series(gone, dtype="str").str.removeprefix(", "))


def _dates_with_growth(rows: pd.DataFrame) -> pd.Index:
    with_nav = rows[rows["unit_nav"].notna()]
    share = with_nav["growth_pct"].notna().groupby(with_nav["nav_date"]).mean()
    return share.index[share >= GROWTH_SHARE]


@cache
def _limits() -> pd.DataFrame:
    """Limits by kind and by declared type; no kind has the name of a type."""
    columns = ["nav_low", "nav_high", "jump_warn", "jump_hold"]
    kinds = {
        name: (*kind.nav_range, kind.jump_warn, kind.jump_hold) for name, kind in KINDS.items()
    }
    types = {name: one.limits for name, one in TYPES.items()}
    return pd.DataFrame.from_dict(kinds | types, orient="index", columns=columns)


def _limited_as(kinds: pd.Series, known: Known) -> list[str]:
    """The declared type of each code, else its kind."""
    listed = [known.types.get(code, "") for code in kinds.index]
    return [name if name in TYPES else kind for name, kind in zip(listed, kinds, strict=True)]


def _kinds(codes: pd.Series, known: Known) -> pd.Series:
    kinds = [known.kinds.get(code, "other") for code in codes]
    return pd.Series(kinds, index=codes.index, dtype="str")


def _days_before(key: int, days: int) -> int:
    return to_key(from_key(key) - timedelta(days=days))
