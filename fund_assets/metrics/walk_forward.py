"""Walk-forward: what the picks of a past screen did in the quarter after it, against chance.

Belongs here: pure functions on scores and series. Does not belong here: reading (`pipeline/`),
the page (`report/`).

At the end of a quarter a screen picks among the portfolios of each peer group that had a score
then. Their total returns over the next quarter are ranked among those of the same group;
quarters do not overlap.
A fund that is liquidated meanwhile keeps its last value: it is not left out. Picks drawn by
chance would have a mean percentile of 1/2, and 95 of 100 draws would lie within the interval.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import from_key, keys_to_days, to_key
from fund_assets.metrics.peer_groups import MIN_PEERS
from fund_assets.metrics.series import FundSeries
from fund_assets.schemas.age import VALUE_AGE_DAYS

#: Of a normal distribution.
WITHIN_95 = 1.959964


def _top_fifth(rank: str, peers: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda scores: scores[rank] * 5 <= scores[peers]


#: Screen → which funds it picks, by the columns of FUND_SCORES.
SCREENS: Mapping[str, Callable[[pd.DataFrame], pd.Series]] = {
    "score": _top_fifth("composite_rank", "composite_peers"),
    "score_last": lambda s: (
        (s["composite_peers"] - s["composite_rank"]) * 5 < s["composite_peers"]
    ),
    "4433": lambda s: s["passes_4433"] == 1,
    "five_stars": lambda s: s["stars"] == 5,
    "quarter_1y": lambda s: s["top_1y"] == 1,
}


@dataclass(frozen=True)
class Outcome:
    """What one screen's picks of one date did.

    Attributes:
        date, until: yyyymmdd: when they were picked, and the end of the next quarter.
        picks, portfolios: picked, of how many.
        percentile: mean percentile of the picks' next returns in their groups; 1 is the best.
        low, high: between which 95 of 100 random draws of as many picks lie.
        upper_half: share of the picks whose return was in the upper half of their group.
        excess: mean of the picks' returns less their groups' means, a fraction.
        gone: picks without a NAV in the last VALUE_AGE_DAYS of the quarter.
    """

    date: int
    until: int
    screen: str
    picks: int
    portfolios: int
    percentile: float
    low: float
    high: float
    upper_half: float
    excess: float
    gone: int

    def as_row(self) -> dict[str, object]:
        """Plain values, floats with six decimals."""
        return {
            name: round(value, 6) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def quarter_ends(first: int, last: int, most: int) -> list[int]:
    """The last `most` quarter ends (yyyymmdd) after `first` and on or before `last`."""
    found: list[int] = []
    end = from_key(last)
    while len(found) < most:
        month = (end.month - 1) // 3 * 3 + 1
        end = date(end.year, month, 1) - timedelta(1) if not _is_end(end) else end
        if to_key(end) <= first:
            break
        found.append(to_key(end))
        end -= timedelta(1)
    return found[::-1]


def _is_end(day: date) -> bool:
    return day.month % 3 == 0 and (day + timedelta(1)).day == 1


def outcomes(scores: pd.DataFrame, series: FundSeries, until: int) -> list[Outcome]:
    """What each screen of one date came to by the end of the next quarter.

    Args:
        scores: columns of FUND_SCORES of one calculation date.
        series: total-return indices to `until` and beyond.
        until: yyyymmdd.
    """
    able = scores[
        (scores["fund_code"] == scores["standing_for"]) & scores["composite_score"].notna()
    ].reset_index(drop=True)
    if able.empty:
        return []
    start = int(able["calc_date"].iloc[0])
    begins, _ = _last_values(series, able["fund_code"], start)
    ends, days = _last_values(series, able["fund_code"], until)
    able["next"] = ends / begins - 1
    able["gone"] = keys_to_days(np.array([until]))[0] - days > VALUE_AGE_DAYS
    grouped = able.groupby("peer_group")["next"]
    able["peers"] = grouped.transform("count")
    rank = grouped.rank(method="average", ascending=False)
    able["percentile"] = (able["peers"] - rank) / (able["peers"] - 1)
    able["excess"] = able["next"] - grouped.transform("mean")
    able = able[able["peers"] >= MIN_PEERS]
    found = []
    for name, picks in SCREENS.items():
        chosen = picks(able).fillna(False).astype(bool)
        if chosen.any():
            found.append(_outcome(name, able, chosen, start, until))
    return found


def _outcome(
    name: str, able: pd.DataFrame, chosen: pd.Series, start: int, until: int
) -> Outcome:
    picked = able[chosen]
    spread = 0.0
    for name_of_group, part in picked.groupby("peer_group"):
        group = able.loc[able["peer_group"] == name_of_group, "percentile"]
        # The mean of k drawn from N without putting back has variance S² / k (1 - k / N).
        k, n = len(part), len(group)
        spread += k**2 * float(group.var(ddof=1)) / k * (1 - k / n)
    half = WITHIN_95 * np.sqrt(spread) / len(picked)
    return Outcome(
        date=start,
        until=until,
        screen=name,
        picks=len(picked),
        portfolios=len(able),
        percentile=float(picked["percentile"].mean()),
        low=float(0.5 - half),
        high=float(0.5 + half),
        upper_half=float((picked["percentile"] >= 0.5).mean()),
        excess=float(picked["excess"].mean()),
        gone=int(picked["gone"].sum()),
    )


def _last_values(
    series: FundSeries, codes: pd.Series, key: int
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Each fund's last value on or before a date, and its day."""
    end = keys_to_days(np.array([key]))[0]
    at = np.searchsorted(series.codes, codes.astype("int64").to_numpy())
    rows = np.array(
        [
            series.offsets[fund]
            + np.searchsorted(
                series.days[series.offsets[fund] : series.offsets[fund + 1]], end, side="right"
            )
            - 1
            for fund in at
        ],
        dtype=np.int64,
    )
    return series.values[rows], series.days[rows]


def summed(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, float | str | int]]:
    """Each screen over all its quarters: means, and how often it lay outside of chance.

    Args:
        rows: of `Outcome.as_row`.
    """
    found: list[dict[str, float | str | int]] = []
    for screen in SCREENS:
        mine = [row for row in rows if row["screen"] == screen]
        if not mine:
            continue
        # Quarters are apart: their chances are independent, so variances add up.
        half = float(np.sqrt(sum((row["high"] - 0.5) ** 2 for row in mine))) / len(mine)
        found.append(
            {
                "screen": screen,
                "quarters": len(mine),
                "picks": int(sum(row["picks"] for row in mine)),
                "percentile": float(np.mean([row["percentile"] for row in mine])),
                "low": 0.5 - half,
                "high": 0.5 + half,
                "upper_half": float(np.mean([row["upper_half"] for row in mine])),
                "excess": float(np.mean([row["excess"] for row in mine])),
                "better": sum(row["percentile"] > row["high"] for row in mine),
                "worse": sum(row["percentile"] < row["low"] for row in mine),
                "gone": int(sum(row["gone"] for row in mine)),
            }
        )
    return found
