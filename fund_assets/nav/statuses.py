"""The history of a class's status: what a wave changes in it, and what is new to us.

Belongs here: comparing what was seen with what is stored. Does not belong here: reading cells
(`sources/`), what a word means (`schemas/statuses.py`), writing
(`warehouse/stores/fund_status.py`).
"""

from collections import Counter

import numpy as np
import pandas as pd

from fund_assets.nav.rules import valid_codes
from fund_assets.schemas.statuses import PURCHASES, REDEMPTIONS, UNKNOWN
from fund_assets.schemas.tables import FUND_STATUS

_WORDS, _FEES = ("purchase_word", "redemption_word"), ("fee", "full_fee")


def changed(newest: pd.DataFrame, seen: pd.DataFrame, at: int) -> pd.DataFrame:
    """The rows of FUND_STATUS that a wave ends and begins; none where nothing differs.

    A class that the wave leaves out, and a row that could not be read, say nothing. An empty
    fee says nothing of the fee. What was first seen at `at` or later is newer and stays.

    Args:
        newest: the rows of FUND_STATUS without `superseded_at`.
        seen: `STATUS_COLUMNS` of `sources/protocol.py`.
        at: yyyymmddhhmmss, when it was seen.
    """
    unread = (seen["defect"] != "") & (seen["purchase_word"] == "")
    unread &= seen["redemption_word"] == ""
    now = seen[~unread & valid_codes(seen["fund_code"])].reset_index(drop=True)
    place = pd.Index(newest["fund_code"]).get_indexer(pd.Index(now["fund_code"]))
    known = place >= 0
    before = newest.take(place[known])
    differs = np.zeros(len(before), dtype=bool)
    for name in _WORDS:
        differs |= now[name].to_numpy()[known] != before[name].to_numpy()
    for name in _FEES:
        stored, fee = before[name].to_numpy(dtype=float), now[name].to_numpy(copy=True)
        fee[known] = np.where(np.isnan(fee[known]), stored, fee[known])
        now[name] = fee
        differs |= (fee[known] != stored) & ~np.isnan(fee[known])
    differs &= before["first_seen_at"].to_numpy() < at
    news = ~known
    news[known] = differs
    begun = now[news].assign(first_seen_at=at, superseded_at=None)
    begun["purchase"] = begun["purchase_word"].map(PURCHASES).fillna(UNKNOWN)
    begun["redemption"] = begun["redemption_word"].map(REDEMPTIONS).fillna(UNKNOWN)
    ended = FUND_STATUS.conform(before[differs].assign(superseded_at=at))
    return pd.concat([ended, FUND_STATUS.conform(begun)], ignore_index=True)


def odd_cells(seen: pd.DataFrame) -> list[str]:
    """What a wave has that this version does not know, the most frequent first.

    Args:
        seen: `STATUS_COLUMNS` of `sources/protocol.py`.

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
