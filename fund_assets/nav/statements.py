"""What the source itself states of a share class: returns, ranks, scores.

Belongs here: the shape of it, which daily ranks are kept, and what a later answer changes of
what is stored. Does not belong here: reading an answer (`sources/`), SQL (`warehouse/`), the
returns next to ours (`metrics/agreement.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.schemas.tables import SOURCE_STATEMENT

RANK = "rank_3m"
_KEY = ["fund_code", "what", "nav_date"]


def _no_days() -> NDArray[np.int32]:
    return np.empty(0, np.int32)


@dataclass(frozen=True)
class SourceStatements:
    """What one answer states.

    Attributes:
        figures: (subject, yyyymmdd) → the figure as printed; ranks apart.
        rank_days: ascending, yyyymmdd; ranks, peers: the place on each, and among how many.
        refused: what could not be used, and what contradicts itself, with fund and variable.
        unknown: parts that nothing is declared of.
    """

    figures: Mapping[tuple[str, int], float] = field(default_factory=dict)
    rank_days: NDArray[np.int32] = field(default_factory=_no_days)
    ranks: NDArray[np.int32] = field(default_factory=_no_days)
    peers: NDArray[np.int32] = field(default_factory=_no_days)
    refused: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def kept(days: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which daily ranks are kept: the newest, and the last of each month."""
    found = np.ones(len(days), dtype=bool)
    found[:-1] = days[:-1] // 100 != days[1:] // 100
    return found


def changes(
    stored: pd.DataFrame, stated: Mapping[str, SourceStatements], seen_at: int
) -> pd.DataFrame:
    """The rows to be written when answers state something new.

    A figure that changes closes the row that had it and opens another. A figure that an answer
    leaves out stays: it was stated. A rank that is stored is compared on its day too, whether
    it is the last of a month or not.

    Args:
        stored: the rows of these classes that are not superseded, columns of SOURCE_STATEMENT.
        stated: fund code → what its answer states.
        seen_at: yyyymmddhhmmss.
    """
    ranked = stored[stored["what"] == RANK]
    days = {code: one.to_numpy() for code, one in ranked.groupby("fund_code")["nav_date"]}
    now = _now(stated, days)
    both = now.merge(
        stored, on=_KEY, how="left", suffixes=("", "_was"), indicator=True, sort=False
    )
    new = (both["_merge"] == "left_only").to_numpy()
    differs = (both["value"] != both["value_was"]).to_numpy() & ~new
    differs |= ~new & (both["ranked"].fillna(0) != both["ranked_was"].fillna(0)).to_numpy()
    opened = now[new | differs].assign(first_seen_at=seen_at, superseded_at=None)
    was = stored.merge(both.loc[differs, _KEY], on=_KEY)
    closed = was[was["first_seen_at"] != seen_at].assign(superseded_at=seen_at)
    return SOURCE_STATEMENT.conform(pd.concat([closed, opened], ignore_index=True))


def _now(
    stated: Mapping[str, SourceStatements], days: Mapping[str, NDArray[np.int32]]
) -> pd.DataFrame:
    """What answers state, ranks thinned out, one row each."""
    codes: list[str] = []
    what: list[str] = []
    dates: list[int] = []
    values: list[float] = []
    peers: list[int | None] = []
    for code, one in stated.items():
        some = kept(one.rank_days) | np.isin(one.rank_days, days.get(code, _no_days()))
        count = len(one.figures) + int(some.sum())
        codes += [code] * count
        what += [subject for subject, _ in one.figures] + [RANK] * (count - len(one.figures))
        dates += [day for _, day in one.figures] + one.rank_days[some].tolist()
        values += [*one.figures.values(), *one.ranks[some].tolist()]
        peers += [*[None] * len(one.figures), *one.peers[some].tolist()]
    return pd.DataFrame(
        {
            "fund_code": pd.Series(codes, dtype="str"),
            "what": pd.Series(what, dtype="str"),
            "nav_date": np.array(dates, dtype=np.int32),
            "value": np.array(values, dtype=float),
            "ranked": pd.array(peers, dtype="Int64"),
        }
    )
