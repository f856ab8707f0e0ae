"""Merging the market's list of funds into what was seen before.

Belongs here: which funds are new, gone or renamed, and delisting nothing because a list was cut
short. Does not belong here: reading or writing either of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import keys_to_days
from fund_assets.nav.rules import Rule, Severity, Verdict, judge, valid_codes
from fund_assets.schemas.fund_types import TYPES, kind_of
from fund_assets.schemas.portfolios import portfolio_of
from fund_assets.schemas.tables import FUND_CHANGE, FUND_INFO

MAX_LOSS, LOSS_FROM = 0.01, 5
#: Funds that several lists lack over so many days are gone, however many they are.
DAYS_GONE = 3
#: A list with less than this of the funds it had says nothing of the others.
LEAST_OF_LIST = 0.5
MAX_NEW, MAX_GONE = 60, 20

RULES: tuple[Rule, ...] = (
    Rule(
        "R01_fund_codes", "every listed code is six ASCII digits, and every name fits",
        Severity.WARN, "listing",
        lambda f: f["fits"],
        "left out: fund_code {code!r}, name of {length:,} characters {begins!r}",
        lifts="a list in which they fit; until then their stored data is kept",
    ),
    Rule(
        "R18_list_shrink", "the list does not lose more than 1 % of the funds it had",
        Severity.HOLD, "listing",
        lambda f: (f["doubted"] < LOSS_FROM) | (f["doubted"] <= MAX_LOSS * f["listed_before"]),
        "{doubted} of {listed_before} listed funds are missing from the new list; they stay "
        "listed, the rest of the list is applied",
        {"share": MAX_LOSS, "from_funds": LOSS_FROM, "days": DAYS_GONE, "least_of_list": LEAST_OF_LIST},
        lifts="a list that has them again, or lists over 3 days that lack them but have at "
              "least half of the funds",
    ),
    Rule(
        "R26_list_churn", "no more than 60 new and 20 removed funds a day", Severity.WARN, "listing",
        lambda f: ((f["added"] <= MAX_NEW) & (f["gone"] <= MAX_GONE)) | (f["listed_before"] == 0),
        "{added} new funds, {gone} removed",
        {"new": MAX_NEW, "gone": MAX_GONE},
        lifts="the next day's list",
    ),
    Rule(
        "R28_known_type", "every listed type is declared, or was reported before", Severity.WARN, "listing",
        lambda f: f["known"],
        "type {fund_type!r} is new: {funds} funds such as {fund_code} are treated as {kind}, without limits and peers "
        "of their own; declare it in schemas/fund_types.py",
        lifts="a release that declares it; it is reported once",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class ListingPlan:
    """What the new list changes.

    Attributes:
        rows: rows of FUND_INFO to write.
        changes: rows of FUND_CHANGE.
        renamed: fund_code, name, old_name, fund_type, old_type.
    """

    rows: pd.DataFrame
    changes: pd.DataFrame
    verdicts: tuple[Verdict, ...]
    listed: int
    added: int
    gone: int
    renamed: pd.DataFrame

    @property
    def came_short(self) -> bool:
        """Whether the list has lost so many funds that it was probably cut (R18)."""
        return _came_short(self.verdicts)


def described(listing: pd.DataFrame, today: int) -> pd.DataFrame:
    """Rows of FUND_INFO for listed funds, as if never seen before.

    Args:
        listing: `sources.base.LISTING_COLUMNS`, valid codes, each once.
    """
    kinds = [kind_of(t, n) for t, n in zip(listing["fund_type"], listing["name"], strict=True)]
    return FUND_INFO.conform(
        listing.assign(
            kind=kinds,
            family=[portfolio_of(name) for name in listing["name"]],
            status="listed",
            first_seen_on=today,
            last_seen_on=today,
        )
    )


def as_listed_on(funds: pd.DataFrame, changes: pd.DataFrame, on: int) -> pd.DataFrame:
    """The funds with the names and types of a past date, as far as changes are stored.

    Args:
        funds: columns of FUND_INFO.
        changes: columns of FUND_CHANGE.
        on: yyyymmdd. What changed later is undone; what changed before the first list is not
            known.
    """
    found = funds.set_index("fund_code", drop=False)
    for what, column in (("name", "name"), ("type", "fund_type")):
        later = changes[(changes["what"] == what) & (changes["seen_on"] > on)]
        first = later.sort_values("seen_on").drop_duplicates("fund_code")
        old = first.set_index("fund_code")["old"]
        old = old[old.index.isin(found.index)]
        found.loc[old.index, column] = old
    changed = found[(found["name"] != funds["name"].to_numpy())
                    | (found["fund_type"] != funds["fund_type"].to_numpy())]  # fmt: skip
    if len(changed):
        then = described(changed, on).set_index("fund_code")
        found.loc[then.index, ["kind", "family"]] = then[["kind", "family"]]
    return found.reset_index(drop=True)


def acceptable(listing: pd.DataFrame) -> NDArray[np.bool_]:
    """Which listed funds have a valid code, and texts that fit their columns."""
    fits = valid_codes(listing["fund_code"])
    for name in ("name", "fund_type", "pinyin"):
        fits = fits & (listing[name].str.len() <= FUND_INFO[name].max_length).to_numpy()
    return np.asarray(fits)


def plan_listing(stored: pd.DataFrame, listing: pd.DataFrame, today: int) -> ListingPlan:
    """Work out what a new list of the market changes in fund_info.

    A fund that vanishes is marked delisted and keeps its row. Where more than 1 % of the funds
    vanish at once they stay listed (R18), for the list was probably cut short; so do those that
    an earlier list lacked already, until that has lasted for three days. A listed fund whose code
    or texts are refused is neither new nor gone.

    Args:
        stored: columns of FUND_INFO.
        listing: `sources.base.LISTING_COLUMNS` of the whole market.
        today: yyyymmdd in Asia/Shanghai.
    """
    valid = acceptable(listing)
    unfit = listing[~valid]
    fresh = described(listing[valid].drop_duplicates("fund_code"), today).set_index("fund_code")
    known = stored.set_index("fund_code")
    listed_before = known.index[known["status"] == "listed"]
    gone = listed_before.difference(fresh.index).difference(unfit["fund_code"])
    added = fresh.index.difference(known.index)
    settled = _settled(known.loc[listed_before], gone, today)
    doubted = gone.difference(settled)
    facts = pd.DataFrame(
        {
            "listed_before": [len(listed_before)],
            "gone": [len(gone)],
            "doubted": [len(doubted)],
            "added": [len(added)],
        }
    )
    cells = listing.assign(
        fits=valid,
        code=listing["fund_code"].str.slice(0, 20),
        length=listing["name"].str.len(),
        begins=listing["name"].str.slice(0, 40),
    )
    verdicts = (
        *judge(RULES[:1], cells),
        *judge(RULES[1:3], facts),
        *judge(RULES[3:], _types(fresh, frozenset(stored["fund_type"]))),
    )
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
    refused = _came_short(verdicts)
    first_seen_on = known["first_seen_on"].reindex(fresh.index, fill_value=today)
    staying = fresh.assign(first_seen_on=first_seen_on)
    leaving = known.loc[settled if refused else gone].assign(status="delisted")
    rows = FUND_INFO.conform(pd.concat([staying, leaving]).reset_index())
    changes = _changes(known, rows, today)
    return ListingPlan(rows, changes, verdicts, len(fresh), len(added), len(gone), renamed)


def _changes(known: pd.DataFrame, rows: pd.DataFrame, today: int) -> pd.DataFrame:
    """What a new list changes in the funds that were known before.

    A fund that was named by its code, or had no type, was not known: its first name and type
    are no changes.

    Args:
        known: columns of FUND_INFO by fund_code, before.
        rows: columns of FUND_INFO that are written now.
        today: yyyymmdd.

    Returns:
        Columns of FUND_CHANGE.
    """
    new = rows.set_index("fund_code")
    both = known.index.intersection(new.index)
    old, new = known.loc[both], new.loc[both]
    unknown = {"name": old.index.to_numpy(), "fund_type": "", "status": None}
    found = []
    for column, before in unknown.items():
        changed = (old[column] != new[column]) & (old[column] != before)
        part = pd.DataFrame({"old": old[column], "new": new[column]})[changed]
        words = part["new"] if column == "status" else column.removeprefix("fund_")
        found.append(part.assign(what=words))
    changes = pd.concat(found).replace({"what": {"listed": "relisted"}})
    changes.index.name = "fund_code"
    return FUND_CHANGE.conform(changes.assign(seen_on=today, evidence="").reset_index())


def _types(fresh: pd.DataFrame, told: frozenset[str]) -> pd.DataFrame:
    """Each type of a list: how many funds have it, the first of them, and if it is known.

    Args:
        told: the types that are stored: an undeclared one of these has been told before.
    """
    first = fresh.reset_index().groupby("fund_type", as_index=False)
    types = first.agg(
        fund_code=("fund_code", "min"), kind=("kind", "first"), funds=("kind", "size")
    )
    known = types["fund_type"].isin([*TYPES, *told, ""])
    return types.assign(known=known, fund_type=types["fund_type"].str.slice(0, 40))


def _came_short(verdicts: Iterable[Verdict]) -> bool:
    return any(v.rule == "R18_list_shrink" and not v.passed for v in verdicts)


def _settled(listed: pd.DataFrame, gone: pd.Index, today: int) -> pd.Index:
    """The funds of `gone` that an earlier list lacked, too, and none has had for three days.

    Args:
        listed: rows of FUND_INFO of the funds listed before, by fund_code.
    """
    if not len(gone) or len(listed) - len(gone) < LEAST_OF_LIST * len(listed):
        return gone[:0]
    seen = listed.loc[gone, "last_seen_on"].to_numpy()
    days = keys_to_days(np.array([today])) - keys_to_days(seen)
    return gone[(seen < listed["last_seen_on"].max()) & (days >= DAYS_GONE)]
