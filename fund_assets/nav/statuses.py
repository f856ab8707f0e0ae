"""The history of a class's status: what an evening changes in it, and what is new to us.

Belongs here: uniting what the market page and the list of purchases say, and comparing it with
what is stored. Does not belong here: reading cells (`sources/`), what a word means
(`schemas/statuses.py`), what kind of change one is (`trades.py`), writing
(`warehouse/stores/fund_status.py`).
"""

from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.nav.rules import valid_codes
from fund_assets.schemas.statuses import PURCHASES, REDEMPTIONS, UNKNOWN
from fund_assets.schemas.tables import FUND_STATUS

_WORDS = ("purchase_word", "redemption_word")
#: Columns in which an empty cell keeps what was there before.
_KEPT = ("fee", "full_fee", "least_amount", "daily_limit")


def united(wave: pd.DataFrame | None, listed: pd.DataFrame | None) -> pd.DataFrame | None:
    """What a wave and a list of purchases say of each class; None without both.

    Words and fees are the wave's where it has any of a class, so that they come from one page
    every evening; the amounts, and all of the other classes, are the list's.

    Args:
        wave: `STATUS_COLUMNS` of `sources/protocol.py`.
        listed: `PURCHASE_COLUMNS` of it.

    Returns:
        The columns of both, and `listed`: whether the list has the class.
    """
    if wave is None and listed is None:
        return None
    more: dict[str, object] = {"full_fee": np.nan, "listed": True}
    none = {"least_amount": np.nan, "daily_limit": np.nan, "listed": False}
    if listed is None:
        assert wave is not None
        return wave.assign(**none, next_open_date=_no_days(len(wave)))
    listed = listed.assign(**more)
    if wave is None:
        return listed
    page = wave.assign(**none, next_open_date=_no_days(len(wave)))[listed.columns]
    place = pd.Index(listed["fund_code"]).get_indexer(pd.Index(page["fund_code"]))
    both, at = np.flatnonzero(place >= 0), place[place >= 0]
    spoken = ((page["purchase_word"] != "") | (page["redemption_word"] != "")).to_numpy()[both]
    for name in listed.columns.drop("fund_code"):
        ours, theirs = page[name].to_numpy(copy=True), listed[name].to_numpy()[at]
        if name in _WORDS:
            theirs = np.where(spoken, ours[both], theirs)
        elif name in ("fee", "full_fee"):
            theirs = np.where(np.isnan(ours[both]), theirs, ours[both])
        elif name == "defect":
            told = zip(ours[both], theirs, strict=True)
            theirs = np.array(["; ".join(filter(None, pair)) for pair in told], dtype=object)
        ours[both] = theirs
        page[name] = pd.array(ours, dtype=page[name].dtype)
    alone = np.ones(len(listed), dtype=bool)
    alone[at] = False
    return pd.concat([page, listed[alone]], ignore_index=True)


def changed(newest: pd.DataFrame, seen: pd.DataFrame, at: int) -> pd.DataFrame:
    """The rows of FUND_STATUS that an evening ends and begins; none where nothing differs.

    A class that is left out, and a row that could not be read, say nothing. An empty fee says
    nothing of the fee, an empty amount nothing of the amount, and a wave without words nothing
    of the status. What was first seen at `at` or later is newer and stays.

    Args:
        newest: the rows of FUND_STATUS without `superseded_at`.
        seen: as `united` returns it.
        at: yyyymmddhhmmss, when it was seen.
    """
    silent = (seen["purchase_word"] == "") & (seen["redemption_word"] == "")
    unread = (seen["defect"] != "") & silent
    readable = ~unread & valid_codes(seen["fund_code"])
    now = seen[readable].reset_index(drop=True)
    place = pd.Index(newest["fund_code"]).get_indexer(pd.Index(now["fund_code"]))
    known = place >= 0
    before = newest.take(place[known]).reset_index(drop=True)
    differs = np.zeros(len(before), dtype=bool)
    listed = now["listed"].to_numpy(dtype=bool)
    told = listed | ~silent[readable].to_numpy()
    for name in _WORDS:
        word, stored = now[name].to_numpy(copy=True), before[name].to_numpy()
        word[known] = np.where(told[known], word[known], stored)
        now[name] = word
        differs |= word[known] != stored
    for name in _KEPT:
        stored = _limits(before) if name == "daily_limit" else before[name].to_numpy(float)
        value = now[name].to_numpy(copy=True)
        value[known] = np.where(np.isnan(value[known]), stored, value[known])
        now[name] = value
        differs |= (value[known] != stored) & ~np.isnan(value[known])
    opens, stored = (
        frame["next_open_date"].to_numpy(float, na_value=0) for frame in (now, before)
    )
    opens[known] = np.where(listed[known], opens[known], stored)
    now["next_open_date"] = pd.array(opens, dtype="Int32")
    now.loc[opens == 0, "next_open_date"] = pd.NA
    differs |= opens[known] != stored
    differs &= before["first_seen_at"].to_numpy() < at
    news = ~known
    news[known] = differs
    begun = now[news].assign(first_seen_at=at, superseded_at=None)
    begun["purchase"] = begun["purchase_word"].map(PURCHASES).fillna(UNKNOWN)
    begun["redemption"] = begun["redemption_word"].map(REDEMPTIONS).fillna(UNKNOWN)
    limit = begun["daily_limit"].to_numpy()
    states = np.select([np.isnan(limit), limit == 0, np.isinf(limit)], _STATES, "limited")
    begun["limit_state"] = pd.Series(states, begun.index, dtype="str").replace("", None)
    begun["daily_limit"] = np.where(states == "limited", limit, np.nan)
    ended = FUND_STATUS.conform(before[differs].assign(superseded_at=at))
    return pd.concat([ended, FUND_STATUS.conform(begun)], ignore_index=True)


#: What a limit of NaN, of 0 and of infinity means.
_STATES = ["", "unstated", "unlimited"]


def _limits(stored: pd.DataFrame) -> NDArray[np.float64]:
    """The limits of stored rows as a list has them: NaN where none was ever read."""
    state = stored["limit_state"]
    limits: NDArray[np.float64] = np.select(
        [(state == "unstated").to_numpy(bool, na_value=False),
         (state == "unlimited").to_numpy(bool, na_value=False)],
        [0.0, np.inf],
        stored["daily_limit"].to_numpy(float),
    )  # fmt: skip
    return limits


def _no_days(rows: int) -> pd.api.extensions.ExtensionArray:
    return pd.array([None] * rows, dtype="Int32")


def odd_cells(seen: pd.DataFrame) -> list[str]:
    """What an evening has that this version does not know, the most frequent first.

    Args:
        seen: with the columns `purchase_word`, `redemption_word` and `defect`.

    Returns:
        One sentence per unknown word and per defect, with the number of funds.
    """
    counts: Counter[str] = Counter()
    for column, known, name in (
        ("purchase_word", PURCHASES, "purchase status"),
        ("redemption_word", REDEMPTIONS, "redemption status"),
    ):
        for word, funds in seen[column].value_counts().items():
            if word not in known:
                counts[f"the {name} {word!r} is not known"] = int(funds)
    counts.update(seen.loc[seen["defect"] != "", "defect"].to_list())
    return [
        f"{said}: {funds:,} fund{'s' if funds > 1 else ''}"
        for said, funds in counts.most_common()
    ]
