"""Recorded dividends and splits: uniting what two sources tell, and refusing nonsense.

Belongs here: which events of an answer may be stored, what they change in what is stored,
and the rules on them. Does not belong here: events that nobody recorded (`inference.py`),
what an event does to a return (`returns.py`).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fund_assets.nav.rules import Rule, Severity, valid_codes
from fund_assets.schemas.tables import FUND_EVENTS

KEY = ["fund_code", "ex_date", "kind"]
SPLIT_LIMITS = (0.005, 20.0)
DIVIDEND_LIMIT = 1_000.0
#: Two sources agree when they differ by no more than the lists' fourth decimal.
SAME = 0.00005001

RULES: tuple[Rule, ...] = (
    Rule(
        "R24_event_sanity", "a dividend is below the unit NAV before it, a split ratio between 0.005 and 20, "
        "and a NAV stands on or after the ex-date",
        Severity.WARN, "event",
        lambda f: f["possible"] & (f["unit_nav_before"].isna() | (f["kind"] == "split") | (f["value"] < f["unit_nav_before"]))
        & ~f["nav_missing"],
        "{fund_code} {ex_date}: {kind} {value:g}, unit_nav before it {unit_nav_before:g}, "
        "no NAV since: {nav_missing}",
        {"split_from": SPLIT_LIMITS[0], "split_to": SPLIT_LIMITS[1]},
    ),
    Rule(
        "R19_events_agree", "the fund's history and the market's list tell the same value", Severity.WARN, "event",
        lambda f: f["history_value"].isna() | f["list_value"].isna()
        | ((f["history_value"] - f["list_value"]).abs() <= SAME),
        "{fund_code} {ex_date}: {kind} of {history_value:g} in the history, {list_value:g} in the market's list; "
        "the history's is used",
        {"tolerance": 0.00005},
    ),
)  # fmt: skip

SHRINK = Rule(
    "R18_events_shrink", "a year's list of dividends or splits is not shorter than before",
    Severity.HOLD, "events",
    lambda f: f["listed"] >= f["stored"],
    "{year}: {listed} {kind}s are listed, {stored} are stored from that list; the list is refused, nothing changed",
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


def sort_out(events: pd.DataFrame) -> Sorted:
    """Look at each event (`sources.base.EVENT_COLUMNS`) alone."""
    untold = events["value"].isna()
    code_ok = valid_codes(events["fund_code"])
    fine = possible(events) & code_ok
    bad = events[~fine & ~untold]
    reasons = [
        f"{row.fund_code[:20]!r} {row.ex_date}: a {row.kind} of {row.value:g} is impossible, "
        f"or the code is not six ASCII digits"
        for row in bad.itertuples(index=False)
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
    split = (value > SPLIT_LIMITS[0]) & (value < SPLIT_LIMITS[1])
    return dividend.where(events["kind"] == "dividend", split)


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
