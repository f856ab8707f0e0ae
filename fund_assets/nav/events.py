"""Recorded dividends and splits: uniting what two sources tell, and refusing nonsense.

Belongs here: which events of an answer may be stored, what they change in what is stored,
and the rules on them. Does not belong here: events that nobody recorded (`inference.py`),
what an event does to a return (`returns.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fund_assets.nav.returns import last_digit
from fund_assets.nav.rules import Rule, Severity, valid_codes
from fund_assets.schemas.columns import EVENT_ROUNDING
from fund_assets.schemas.tables import FUND_EVENTS

KEY = ["fund_code", "ex_date", "kind"]
#: Splits that need no proof, and all that a unit NAV leaves room for.
SPLIT_LIMITS = (0.005, 20.0)
SPLIT_BOUNDS = (0.0001, 10_000.0)
#: So close a split is to what the NAVs around it tell, beside their last digits.
PROOF = 0.001
DIVIDEND_LIMIT = 1_000.0
#: What a list lacks on so many days in a row is withdrawn, if it has so much of the others.
EQUAL_DAYS = 3
LEAST_OF_LIST = 0.5

RULES: tuple[Rule, ...] = (
    Rule(
        "R24_event_sanity", "a dividend is below the unit NAV before it, a split ratio "
                            "between 0.005 and 20 or one that the NAVs around it prove, and a "
                            "NAV exists on or after the ex-date",
        Severity.WARN, "event",
        lambda f: f["possible"] & (f["unit_nav_before"].isna() | (f["kind"] == "split") | (f["value"] < f["unit_nav_before"]))
        & ~f["nav_missing"],
        "{fund_code} {ex_date}: {kind} {value:g}, unit_nav before it {unit_nav_before:g}, "
        "no NAV since: {nav_missing}",
        {"split_from": SPLIT_LIMITS[0], "split_to": SPLIT_LIMITS[1]},
        lifts="a list or history with another value, or the NAV that is missing",
    ),
    Rule(
        "R19_events_agree", "the fund's history and the market's list have the same value", Severity.WARN, "event",
        lambda f: f["history_value"].isna() | f["list_value"].isna()
        | ((f["history_value"] - f["list_value"]).abs() <= EVENT_ROUNDING),
        "{fund_code} {ex_date}: {kind} of {history_value:g} in the history, {list_value:g} in "
        "the market's list; the history is used",
        {"tolerance": 0.00005},
        lifts="either of them, when it changes to the other's value",
    ),
)  # fmt: skip

SHRINK = Rule(
    "R18_events_shrink", "a year's list of dividends or splits is not shorter than before",
    Severity.HOLD, "events",
    lambda f: f["listed"] >= f["stored"],
    "{year}: {listed} {kind}s are listed, {stored} are stored from that list; the list is refused, nothing changed",
    {"equal_days": EQUAL_DAYS, "least_of_list": LEAST_OF_LIST},
    lifts="a list of full length, or the third day in a row of lists that lack the same "
          "events and have at least half of them; or a person; until then the funds' own "
          "histories supply the events",
)  # fmt: skip


@dataclass(frozen=True)
class Sorted:
    """An answer's events.

    Attributes:
        usable: those that may be stored.
        untold: those whose value is not told yet.
        impossible: the others, with `rule` and `reason`.
    """

    usable: pd.DataFrame
    untold: pd.DataFrame
    impossible: pd.DataFrame


def sort_out(events: pd.DataFrame, navs: pd.DataFrame | None = None) -> Sorted:
    """Which events can be stored.

    A split outside the usual limits can when the NAVs around its date prove it (`proven`).

    Args:
        events: `sources.base.EVENT_COLUMNS`.
        navs: fund_code, nav_date, unit_nav and acc_nav of the funds whose splits may need it.
    """
    untold = events["value"].isna()
    code_ok = valid_codes(events["fund_code"])
    fine = possible(events) & code_ok
    doubtful = fine & unusual(events)
    fine &= ~doubtful
    if navs is not None and doubtful.any():
        fine[doubtful] = proven(events[doubtful], navs)
    bad = events[~fine & ~untold]
    reasons = [
        f"{row.fund_code[:20]!r} {row.ex_date}: a {row.kind} of {row.value:g} is impossible, "
        f"or the code is not six ASCII digits"
        if not doubtful[row.Index]
        else f"{row.fund_code} {row.ex_date}: a split of {row.value:g} is unusual, and no "
        "unit NAV and accumulated NAV before and after it prove it; it is used when "
        "they do"
        for row in bad.itertuples()
    ]
    return Sorted(
        usable=events[fine & ~untold].reset_index(drop=True),
        untold=events[untold].reset_index(drop=True),
        impossible=bad.assign(
            rule="R24_event_sanity", reason=pd.Series(reasons, index=bad.index, dtype="str")
        ).reset_index(drop=True),
    )


def possible(events: pd.DataFrame) -> pd.Series:
    """Whether a value is one that its kind can have, whatever the NAV."""
    value = events["value"]
    dividend = (value > 0) & (value < DIVIDEND_LIMIT)
    split = value.between(*SPLIT_BOUNDS, inclusive="neither")
    return dividend.where(events["kind"] == "dividend", split)


def unusual(events: pd.DataFrame) -> pd.Series:
    """Splits outside the limits of those that need no proof."""
    usual = events["value"].between(*SPLIT_LIMITS, inclusive="neither")
    return (events["kind"] == "split") & ~usual & events["value"].notna()


def proven(splits: pd.DataFrame, navs: pd.DataFrame) -> list[bool]:
    """Which splits the NAVs around them prove.

    With U the unit NAV and C the accumulated NAV of the last date before the split and of the
    first one from it on, a split of S = (U₋₁ + ΔC) / U, where splits are added up, or of
    S = C U₋₁ / (C₋₁ U), where they are scaled in, takes the shareholder over the fall of U.

    Args:
        splits: fund_code, ex_date, value.
        navs: fund_code, nav_date, unit_nav, acc_nav.
    """
    whole = navs.dropna(subset=["unit_nav", "acc_nav"]).sort_values("nav_date")
    found = []
    for split in splits.itertuples(index=False):
        mine = whole[whole["fund_code"] == split.fund_code]
        before, after = (mine[side] for side in (mine["nav_date"] < split.ex_date,
                                                 mine["nav_date"] >= split.ex_date))  # fmt: skip
        if before.empty or after.empty:
            found.append(False)
            continue
        u0, c0 = (float(before[name].iloc[-1]) for name in ("unit_nav", "acc_nav"))
        u1, c1 = (float(after[name].iloc[0]) for name in ("unit_nav", "acc_nav"))
        digit = last_digit(np.array([u0, u1]), np.array([c0, c1]))
        slack = PROOF + float((digit / np.array([u0, u1])).sum())
        told = ((u0 + c1 - c0) / u1, c1 * u0 / (c0 * u1))
        found.append(any(abs(value / split.value - 1) <= slack for value in told))
    return found


def merge(stored: pd.DataFrame, seen: pd.DataFrame, source: str, batch_id: str) -> pd.DataFrame:
    """The rows of FUND_EVENTS that seeing some recorded events adds or changes.

    An event that one source tells stays when another does not: nothing is taken away. Where
    both tell it, both values are kept and the history's, which has more digits, is the
    value. A recorded event takes the place of an inferred one.

    Args:
        stored: columns of FUND_EVENTS.
        seen: `sources.base.EVENT_COLUMNS`, of `sort_out`'s usable ones.
        source: `history` or `list`.
        batch_id: of the batch that brought them.
    """
    told, other = (
        ("history_value", "list_value")
        if source == "history"
        else ("list_value", "history_value")
    )
    before = stored.set_index(KEY)
    rows = seen.drop_duplicates(KEY, keep="last").set_index(KEY)
    old = before.reindex(rows.index)
    was_recorded = (old["status"] == "recorded").to_numpy()
    elsewhere = old[other].where(was_recorded)
    new = pd.DataFrame(
        {
            told: rows["value"],
            other: elsewhere,
            "status": "recorded",
            "text": rows["text"].str.slice(0, 200),
            "evidence": "",
            "first_batch_id": old["first_batch_id"].where(was_recorded, batch_id),
            "batch_id": batch_id,
        },
        index=rows.index,
    )
    new["value"] = new["history_value"].fillna(new["list_value"])
    if source == "list":  # the history's wording stays beside the history's value
        new["text"] = old["text"].where(elsewhere.notna(), new["text"])
    same = np.zeros(len(new), dtype=bool)
    if len(new):
        same = was_recorded & (old[told] == new[told]).to_numpy()
    return FUND_EVENTS.conform(new[~same].reset_index())


def lost(stored: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """The rows of `stored`, events that a year's list told, which `listed` tells no more."""
    told = pd.MultiIndex.from_frame(listed[KEY])
    return stored[~pd.MultiIndex.from_frame(stored[KEY]).isin(told)]


def is_lasting(
    stored: pd.DataFrame, listed: pd.DataFrame, before: Sequence[pd.DataFrame]
) -> bool:
    """Whether a short list is right by itself: what it lacks has been lacking for days.

    Args:
        stored: FUND_EVENTS told by the list of that year.
        listed: the list of today.
        before: the refused lists of the days before, one a day, newest first, without a
            whole one between them.
    """
    gone = lost(stored, listed)
    days = before[: EQUAL_DAYS - 1]
    return (
        len(days) == EQUAL_DAYS - 1
        and len(stored) - len(gone) >= LEAST_OF_LIST * len(stored)
        and all(len(lost(gone, one)) == len(gone) for one in days)
    )
