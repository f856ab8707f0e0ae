"""Walk-forward: what the picks of a past screen did in the quarter after it.

Belongs here: pure functions on scores, metrics and series, and the verdict. Does not belong
here: reading (`pipeline/`), the page (`report/`), the test itself (`trials.py`).

At the end of a quarter a screen picks among the portfolios of each peer group. They are bought
at the first NAV after that date, which is the first that an order can get, and valued at the
last one in the next quarter; quarters do not overlap. A fund that ends meanwhile keeps its last
value. One without a NAV after the date cannot be bought and has no place.

Each quarter gives one number: the mean return of the picks less that of their groups. The picks
of a quarter share the market, so they are one witness and not many: the verdict comes from the
spread between quarters, and says nothing below MIN_QUARTERS of them. Each screen that was tried
makes a finding by luck likelier, so the chances are corrected for their number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import from_key, keys_to_days, to_key
from fund_assets.errors import FundAssetsError
from fund_assets.metrics.peer_groups import groups_of
from fund_assets.metrics.screen import NUMBERS, Screen, meets
from fund_assets.metrics.series import FundSeries
from fund_assets.metrics.trials import holm, mean_against_zero
from fund_assets.schemas.age import VALUE_AGE_DAYS

#: With fewer quarters there is no verdict.
MIN_QUARTERS = 8
#: From this corrected chance on, luck explains a mean well enough.
LUCK = 0.05
#: What can be said of a screen.
VERDICTS = ("better", "worse", "chance", "too_few")


class WalkError(FundAssetsError, ValueError):
    """A screen cannot be walked; the message says why."""

    exit_code = 2


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
        screen: a name of SCREENS, or the conditions of one's own.
        picks, portfolios: picked and bought, of how many that could be bought.
        percentile: mean percentile of the picks' next returns in their groups; 1 is the best.
        upper_half: share of the picks whose return was in the upper half of their group.
        excess: mean of the picks' returns less their groups' means, a fraction.
        gone: picks without a NAV in the last VALUE_AGE_DAYS of the quarter.
        unbought: picked, but without a NAV after the date.
    """

    date: int
    until: int
    screen: str
    picks: int
    portfolios: int
    percentile: float
    upper_half: float
    excess: float
    gone: int
    unbought: int

    def as_row(self) -> dict[str, object]:
        """Plain values, floats with eight decimals."""
        return {
            name: round(value, 8) if isinstance(value, float) else value
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


def outcomes(
    scores: pd.DataFrame, funds: pd.DataFrame, series: FundSeries, until: int
) -> list[Outcome]:
    """What each of SCREENS came to by the end of the next quarter.

    Args:
        scores: columns of FUND_SCORES of one calculation date.
        funds: columns fund_code, name, fund_type and kind.
        series: total-return indices to `until` and beyond.
        until: yyyymmdd.
    """
    stand = scores[scores["fund_code"] == scores["standing_for"]].set_index("fund_code")
    if stand.empty:
        return []
    start = int(stand["calc_date"].iloc[0])
    able = stand["composite_score"].notna()
    chosen = {name: picks(stand).fillna(False).astype(bool) for name, picks in SCREENS.items()}
    return _outcomes(able, chosen, funds, series, start, until)


def walked(
    name: str,
    screen: Screen,
    metrics: pd.DataFrame,
    stands: pd.Series,
    funds: pd.DataFrame,
    series: FundSeries,
    until: int,
) -> list[Outcome]:
    """What a screen of one's own came to; its picks compete with the funds that it could judge.

    Args:
        name: the conditions as they are shown.
        screen: conditions on columns of FUND_METRICS.
        metrics: columns of FUND_METRICS of one calculation date.
        stands: code of the class that stands for each active fund's portfolio, by fund_code.
        funds: columns fund_code, name, fund_type and kind.
        series: total-return indices to `until` and beyond.
        until: yyyymmdd.

    Raises:
        WalkError: a condition is on something of which no past is stored.
    """
    check_past(screen)
    rows = metrics[metrics["window"] == screen.window].set_index("fund_code")
    rows = rows[rows.index.isin(stands[stands.index == stands].index)]
    if rows.empty:
        return []
    able = rows[[name for name, _, _ in screen.conditions]].notna().all(axis=1)
    chosen = pd.Series(meets(rows, screen), rows.index)
    start = int(rows["calc_date"].iloc[0])
    return _outcomes(able, {name: chosen & able}, funds, series, start, until)


def check_past(screen: Screen) -> None:
    """Raise WalkError for a condition on something of which no past is stored."""
    later = sorted({name for name, _, _ in screen.conditions} - set(NUMBERS))
    if screen.purchasable is not None:
        later.append("purchasable")
    if later:
        raise WalkError(
            f"{', '.join(later)}: no values of past dates are stored; a screen that is walked "
            "has conditions on metrics"
        )
    if not screen.conditions and not screen.bases:
        raise WalkError("the screen has no condition: write one, such as sharpe_ratio>1")


def _outcomes(
    able: pd.Series,
    chosen: Mapping[str, pd.Series],
    funds: pd.DataFrame,
    series: FundSeries,
    start: int,
    until: int,
) -> list[Outcome]:
    """Outcomes of choices among portfolios, all by fund_code."""
    known = funds.set_index("fund_code", drop=False)
    groups = groups_of(known.loc[able.index])
    after = pd.DataFrame(_held(series, able.index, start, until)).set_axis(able.index)
    after["next"] = after["next"].where(able)
    after["excess"] = after["next"] - groups.means(after["next"])
    after["percentile"] = groups.places(after["next"])
    placed = after["excess"].notna()
    found = []
    for name, picks in chosen.items():
        bought = after[picks & placed]
        if bought.empty:
            continue
        found.append(
            Outcome(
                date=start,
                until=until,
                screen=name,
                picks=len(bought),
                portfolios=int(placed.sum()),
                percentile=float(bought["percentile"].mean()),
                upper_half=float((bought["percentile"] >= 0.5).mean()),
                excess=float(bought["excess"].mean()),
                gone=int(bought["gone"].sum()),
                unbought=int((picks & able & ~after["bought"]).sum()),
            )
        )
    return found


def _held(
    series: FundSeries, codes: pd.Index, start: int, until: int
) -> dict[str, NDArray[np.float64] | NDArray[np.bool_]]:
    """Each fund's return from its first NAV after a date to its last one by another."""
    begin, end = keys_to_days(np.array([start, until]))
    count = len(codes)
    gained = np.full(count, np.nan)
    bought, gone = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    numbers = codes.to_numpy().astype(np.int64)
    for at, fund in enumerate(np.searchsorted(series.codes, numbers).tolist()):
        part = slice(series.offsets[fund], series.offsets[fund + 1])
        days, values = series.days[part], series.values[part]
        first, after = np.searchsorted(days, (begin, end), side="right")
        if after > first:
            bought[at], gone[at] = True, end - days[after - 1] > VALUE_AGE_DAYS
            gained[at] = values[after - 1] / values[first] - 1
    return {"next": gained, "bought": bought, "gone": gone}


def summed(
    rows: Sequence[Mapping[str, Any]], tried: int = 0
) -> list[dict[str, float | str | int]]:
    """Each screen over all its quarters, with what may be said of it.

    Args:
        rows: of `Outcome.as_row`.
        tried: screens that were tried in all; at least those of `rows` count.

    Returns:
        screen, quarters, picks, percentile, upper_half, excess (mean of the quarters), low and
        high (of 95 of 100 such intervals the true mean is in it), positive (quarters above 0),
        chance (of so large a mean by luck), corrected (for `tried`), verdict, gone, unbought.
    """
    found: list[dict[str, Any]] = []
    for screen in dict.fromkeys(row["screen"] for row in rows):
        mine = [row for row in rows if row["screen"] == screen]
        numbers = [float(row["excess"]) for row in mine]
        chance, low, high = mean_against_zero(numbers, LUCK)
        found.append(
            {
                "screen": screen,
                "quarters": len(mine),
                "picks": sum(row["picks"] for row in mine),
                "percentile": float(np.mean([row["percentile"] for row in mine])),
                "upper_half": float(np.mean([row["upper_half"] for row in mine])),
                "excess": float(np.mean(numbers)),
                "low": low,
                "high": high,
                "positive": sum(number > 0 for number in numbers),
                "chance": chance,
                "gone": sum(row["gone"] for row in mine),
                "unbought": sum(row.get("unbought", 0) for row in mine),
            }
        )
    corrected = holm([row["chance"] for row in found], tried)
    for row, chance in zip(found, corrected, strict=True):
        row["corrected"] = chance
        row["verdict"] = _verdict(row["quarters"], row["excess"], chance)
    return found


def _verdict(quarters: int, excess: float, corrected: float) -> str:
    if quarters < MIN_QUARTERS:
        return "too_few"
    if not corrected <= LUCK:
        return "chance"
    return "better" if excess > 0 else "worse"
