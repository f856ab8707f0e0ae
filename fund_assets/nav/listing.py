"""Merging the market's list of funds into what was seen before.

Belongs here: which funds are new, gone or renamed, and refusing a list that shrank. Does not
belong here: reading or writing either of them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.nav.rules import Rule, Severity, Verdict, judge, valid_codes
from fund_assets.schemas.kinds import family_of, kind_of
from fund_assets.schemas.tables import FUND_INFO

MAX_LOSS, LOSS_FROM = 0.01, 5
MAX_NEW, MAX_GONE = 60, 20

RULES: tuple[Rule, ...] = (
    Rule(
        "R01_fund_codes", "every listed code is six ASCII digits, every name fits",
        Severity.WARN, "listing",
        lambda f: f["fits"],
        "left out: fund_code {code!r}, name of {length:,} characters {begins!r}",
    ),
    Rule(
        "R18_list_shrink", "the list does not lose more than 1 % of the funds it had",
        Severity.HOLD, "listing",
        lambda f: (f["gone"] < LOSS_FROM) | (f["gone"] <= MAX_LOSS * f["listed_before"]),
        "{gone} of {listed_before} listed funds are gone from the new list; it is not applied",
        {"share": MAX_LOSS, "from_funds": LOSS_FROM},
    ),
    Rule(
        "R26_list_churn", "no more than 60 new and 20 vanished funds a day", Severity.WARN, "listing",
        lambda f: ((f["added"] <= MAX_NEW) & (f["gone"] <= MAX_GONE)) | (f["listed_before"] == 0),
        "{added} new funds, {gone} gone",
        {"new": MAX_NEW, "gone": MAX_GONE},
    ),
)  # fmt: skip


@dataclass(frozen=True)
class ListingPlan:
    """What the new list changes.

    Attributes:
        rows: rows of FUND_INFO to write; empty when the list is refused.
        renamed: fund_code, name, old_name, fund_type, old_type.
    """

    rows: pd.DataFrame
    verdicts: tuple[Verdict, ...]
    listed: int
    added: int
    gone: int
    renamed: pd.DataFrame


def described(listing: pd.DataFrame, today: int) -> pd.DataFrame:
    """Rows of FUND_INFO for listed funds, as if never seen before.

    Args:
        listing: `sources.base.LISTING_COLUMNS`, valid codes, each once.
    """
    kinds = [kind_of(t, n) for t, n in zip(listing["fund_type"], listing["name"], strict=True)]
    return FUND_INFO.conform(
        listing.assign(
            kind=kinds,
            family=[family_of(name) for name in listing["name"]],
            status="listed",
            first_seen_on=today,
            last_seen_on=today,
        )
    )


def acceptable(listing: pd.DataFrame) -> NDArray[np.bool_]:
    """Which listed funds have a valid code, and texts that fit their columns."""
    fits = valid_codes(listing["fund_code"])
    for name in ("name", "fund_type", "pinyin"):
        fits = fits & (listing[name].str.len() <= FUND_INFO[name].max_length).to_numpy()
    return np.asarray(fits)


def plan_listing(stored: pd.DataFrame, listing: pd.DataFrame, today: int) -> ListingPlan:
    """Work out what a new list of the market changes in fund_info.

    A fund that vanishes is marked delisted and keeps its row. A list that lost more than
    1 % of the funds changes nothing (R18). A listed fund whose code or texts are refused
    is neither new nor gone.

    Args:
        stored: columns of FUND_INFO.
        listing: `sources.base.LISTING_COLUMNS` of the whole market.
        today: yyyymmdd in Asia/Shanghai.
    """
    valid = acceptable(listing)
    refused = listing[~valid]
    fresh = described(listing[valid].drop_duplicates("fund_code"), today).set_index("fund_code")
    known = stored.set_index("fund_code")
    listed_before = known.index[known["status"] == "listed"]
    gone = listed_before.difference(fresh.index).difference(refused["fund_code"])
    added = fresh.index.difference(known.index)
    facts = pd.DataFrame(
        {
            "listed_before": [len(listed_before)],
            "gone": [len(gone)],
            "added": [len(added)],
        }
    )
    cells = listing.assign(
        fits=valid,
        code=listing["fund_code"].str.slice(0, 20),
        length=listing["name"].str.len(),
        begins=listing["name"].str.slice(0, 40),
    )
    verdicts = (*judge(RULES[:1], cells), *judge(RULES[1:], facts))
    both = fresh.index.intersection(known.index)
    old, new = known.loc[both], fresh.loc[both]
    changed = (old["name"] != new["name"]) | (old["fund_type"] != new["fund_type"])
    renamed = pd.DataFrame(
        {
            "name": new["name"],
            "old_name": old["name"],
            "fund_type": new["fund_type"],
            "old_type": old["fund_type"],
        }
    )[changed].reset_index()
    if any(v.rule == "R18_list_shrink" and not v.passed for v in verdicts):
        rows = FUND_INFO.empty()
    else:
        first_seen_on = known["first_seen_on"].reindex(fresh.index, fill_value=today)
        staying = fresh.assign(first_seen_on=first_seen_on)
        leaving = known.loc[gone].assign(status="delisted")
        rows = FUND_INFO.conform(pd.concat([staying, leaving]).reset_index())
    return ListingPlan(rows, verdicts, len(fresh), len(added), len(gone), renamed)
