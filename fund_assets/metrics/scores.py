"""Scores: how a fund stands in its group by several measures at once, by written weights.

Belongs here: pure functions on metrics, peers' positions and monthly returns of one
calculation date. Does not belong here: single measures and their ranks (`kernel.py`,
`peers.py`), what is stored (`warehouse/stores/scores.py`).

A score is a research statistic of the past, not a rating of funds: docs/weekly.md says why,
and has every formula. Groups are those of positions (`peer_groups.py`). One class stands for
each portfolio and currency (`peers.standing_for`), and all its classes get its row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.metrics.benchmarks import RiskFreeRate
from fund_assets.metrics.months import MonthReturns, mrar
from fund_assets.metrics.peer_groups import MIN_PEERS, Groups, groups_of
from fund_assets.metrics.peers import standing_for
from fund_assets.schemas.tables import (
    BESIDE_PARTS,
    FUND_SCORES,
    SCORE_PARTS,
    SCREEN_WINDOWS,
    STAR_YEARS,
)

SCORE_VERSION = 3
#: The windows that return, risk-adjusted return and drawdown are taken over, each counting
#: the same; a younger fund is judged over those that it fills.
SCORED_WINDOWS = ("1y", "2y", "3y")
#: Part → the measure of fund_peers whose percentile it is.
MEASURES = {
    "return": "total_return",
    "risk_adjusted": "sharpe_ratio",
    "drawdown": "max_drawdown",
}
#: Part → the fact of a fund that it is the percentile of, and whether less of it is better.
FACTS = {
    "size": ("size", False),
    "tenure": ("manager_tenure", False),
    "fee": ("full_fee", True),
}
#: Whole months that consistency looks back, and at least needs.
MOST_MONTHS, LEAST_MONTHS = 36, 12
#: Of the best funds of a group, the cumulated thousandths of five, four, three and two stars.
STAR_LIMITS = ((100, 5), (325, 4), (675, 3), (900, 2))
#: Longest span of the stars → weights by years.
STAR_WEIGHTS = {3: {3: 1.0}, 5: {3: 0.4, 5: 0.6}, 10: {3: 0.2, 5: 0.3, 10: 0.5}}
#: Months of returns that scores are made from.
MONTHS = 12 * max(STAR_YEARS)


@dataclass(frozen=True)
class Inputs:
    """What the scores of one calculation date are made from.

    Attributes:
        calc_date: yyyymmdd.
        inception: rows of FUND_METRICS of the window inception: fund_code, calc_date,
            window and end_date at least.
        peers: columns of FUND_PEERS.
        months: monthly returns up to the calculation date.
        funds: columns fund_code, name, fund_type, kind and family.
        rate: the risk-free rate.
        facts: columns fund_code, size, manager_tenure and full_fee; without rows nothing of
            them is known, as of past dates.
    """

    calc_date: int
    inception: pd.DataFrame
    peers: pd.DataFrame
    months: MonthReturns
    funds: pd.DataFrame
    rate: RiskFreeRate
    facts: pd.DataFrame = field(default_factory=pd.DataFrame)


def score_funds(inputs: Inputs, weights: Mapping[str, float]) -> pd.DataFrame:
    """Scores, 4433 flags, MRAR and stars of every active fund.

    Args:
        weights: part → weight; all of SCORE_PARTS, none negative, one of them positive. Those
            of BESIDE_PARTS may be left out: they weigh nothing then.

    Returns:
        The columns of FUND_SCORES but `scored_at`, by fund_code. A score that cannot be made
        is NaN, and `reason` says why.
    """
    stands = standing_for(inputs.inception, inputs.funds)
    known = inputs.funds.set_index("fund_code", drop=False)
    table = pd.DataFrame(index=pd.Index(sorted(set(stands)), dtype="str"))
    table["kind"] = known["kind"].reindex(table.index)
    groups = groups_of(known.loc[table.index])
    table["peer_group"] = groups.names
    of_window = {
        window: rows.set_index("fund_code").reindex(table.index)
        for window, rows in inputs.peers.groupby("window")
    }
    returns = _of_funds(inputs.months, table.index)
    _parts(table, of_window, returns, groups)
    _beside(table, inputs.facts, groups)
    parts = (*SCORE_PARTS, *(part for part in BESIDE_PARTS if weights.get(part)))
    total = sum(weights[part] for part in parts) or np.nan
    whole = table[[f"{part}_score" for part in parts]].notna().all(axis=1)
    score = sum(weights[part] / total * table[f"{part}_score"] for part in parts)
    score = 100 * score.where(whole)
    rank, peers = groups.ranked(score)
    table["composite_score"] = score.where(rank.notna())
    table["composite_rank"], table["composite_peers"] = rank, peers
    table["reason"] = _reasons(table, parts, enough=rank.notna())
    _screen(table, of_window)
    _stars(table, returns, inputs, groups)
    table["weights"] = " ".join(f"{part}={weights[part]:g}" for part in parts)
    rows = table.loc[stands.to_numpy()].reset_index(names="standing_for")
    whole_numbers = [c.name for c in FUND_SCORES.columns if c.dtype == "Int64"]
    return rows.assign(
        fund_code=stands.index,
        calc_date=np.int32(inputs.calc_date),
        definition_version=SCORE_VERSION,
        **{name: rows[name].astype("Int64") for name in whole_numbers},
    )


def stability(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """How alike the order of each group is on two dates.

    Args:
        now, before: columns fund_code, standing_for, peer_group and composite_score.

    Returns:
        peer_group, funds (that stand for portfolios on both dates, in this group, and have a
        score on both) and correlation (Spearman's of their scores; NaN for fewer than
        MIN_PEERS), by group.
    """
    columns = ["fund_code", "peer_group", "composite_score"]
    ours, theirs = (
        frame.loc[frame["fund_code"] == frame["standing_for"], columns]
        for frame in (now, before)
    )
    both = ours.merge(theirs, on=["fund_code", "peer_group"], suffixes=("", "_before")).dropna()
    rows = []
    for group, part in both.groupby("peer_group"):
        order = part[["composite_score", "composite_score_before"]].rank()
        alike = order.corr().iloc[0, 1] if len(part) >= MIN_PEERS else np.nan
        rows.append((str(group), len(part), float(alike)))
    return pd.DataFrame(rows, columns=["peer_group", "funds", "correlation"])


def _of_funds(months: MonthReturns, codes: pd.Index) -> NDArray[np.float64]:
    """[funds, MONTHS] monthly returns of some funds in the order asked for."""
    numbers = codes.to_numpy().astype(np.int64)
    at = np.searchsorted(months.codes, numbers)
    found: NDArray[np.float64] = months.last(MONTHS)[at]
    return found


def _parts(
    table: pd.DataFrame,
    of_window: Mapping[str, pd.DataFrame],
    returns: NDArray[np.float64],
    groups: Groups,
) -> None:
    """The parts of the score, each from 0 to 1, into `table`."""
    nothing = pd.DataFrame(index=table.index)
    for part, measure in MEASURES.items():
        columns = [
            of_window.get(window, nothing).get(
                f"{measure}_percentile", pd.Series(np.nan, table.index)
            )
            for window in SCORED_WINDOWS
        ]
        first, *_ = columns
        # Nobody is judged without a year; the mean is over the windows that a fund fills.
        table[f"{part}_score"] = pd.concat(columns, axis=1).mean(axis=1).where(first.notna())
        if part == "return":
            table["years"] = sum(c.notna().astype(int) for c in columns).where(first.notna())
    share, counted = _above_median(returns[:, -MOST_MONTHS:], groups)
    table["months_above_median"], table["months_counted"] = share, counted
    table["consistency_score"] = groups.percentile(share)


def _above_median(returns: NDArray[np.float64], groups: Groups) -> tuple[pd.Series, pd.Series]:
    """Share of a fund's latest months without a gap that were not below its group's median."""
    index = groups.own.index
    frame = pd.DataFrame(returns, index=index)
    medians = groups.medians(frame)
    counted = (frame.notna() & medians.notna()).to_numpy()
    # From the newest month back, until the first that is missing.
    unbroken = np.logical_and.accumulate(counted[:, ::-1], axis=1)[:, ::-1]
    above = (frame >= medians).to_numpy() & unbroken
    months = unbroken.sum(axis=1)
    enough = months >= LEAST_MONTHS
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(enough, above.sum(axis=1) / months, np.nan)
    return (
        pd.Series(share, index),
        pd.Series(np.where(enough, months, np.nan), index),
    )


def _beside(table: pd.DataFrame, facts: pd.DataFrame, groups: Groups) -> None:
    """The parts that are made of facts beside returns, each from 0 to 1, into `table`."""
    known = facts.set_index("fund_code") if len(facts) else pd.DataFrame()
    for part, (name, less) in FACTS.items():
        values = pd.Series(np.nan, table.index)
        if name in known:
            values = known[name].astype(float).reindex(table.index)
        table[f"{part}_score"] = groups.percentile(-values if less else values)


def _reasons(table: pd.DataFrame, parts: Sequence[str], enough: pd.Series) -> pd.Series:
    """Why there is no score, part by part; else why it has no rank."""
    words = pd.Series("", index=table.index, dtype="str")
    for part in parts:
        why = "no rank" if part in BESIDE_PARTS else "no rank over 1y"
        if part == "consistency":
            why = f"under {LEAST_MONTHS} months"
        gone = table[f"{part}_score"].isna()
        words = words.where(~gone, words + f"; {part}: {why}")
    few = f"; under {MIN_PEERS} peers with a score"
    return words.where(enough | (words != ""), few).str.removeprefix("; ")


def _screen(table: pd.DataFrame, of_window: Mapping[str, pd.DataFrame]) -> None:
    """The flags of 4433: the best quarter, or third, of the group by total return."""
    nothing = pd.DataFrame(
        {name: pd.Series(np.nan, table.index) for name in ("rank", "peers")}
    ).add_prefix("total_return_")
    for window, part in SCREEN_WINDOWS.items():
        rows = of_window.get(window, nothing)
        rank, peers = (rows[f"total_return_{name}"].astype(float) for name in ("rank", "peers"))
        table[f"top_{window}"] = (rank * part <= peers).astype(float).where(rank.notna())
    flags = table[[f"top_{window}" for window in SCREEN_WINDOWS]]
    table["passes_4433"] = (
        (flags == 1).all(axis=1).astype(float).where(flags.notna().all(axis=1))
    )


def _stars(
    table: pd.DataFrame, returns: NDArray[np.float64], inputs: Inputs, groups: Groups
) -> None:
    """MRAR and stars over three, five and ten years, and their weighted mean."""
    ends = inputs.months.ends
    for years in STAR_YEARS:
        months = 12 * years
        value = np.full(len(table), np.nan)
        if len(ends) > months:
            value = mrar(returns[:, -months:], ends[-months - 1 :], inputs.rate)
        table[f"mrar_{years}y"] = value
        rank, peers = groups.ranked(table[f"mrar_{years}y"])
        table[f"stars_{years}y"] = stars(rank, peers)
    known = {years: table[f"stars_{years}y"] for years in STAR_YEARS}
    table["stars"] = np.nan
    for longest, weights in STAR_WEIGHTS.items():
        mean = sum(weight * known[years] for years, weight in weights.items())
        rounded = np.floor(mean + 0.5 + 1e-9)
        table["stars"] = rounded.where(known[longest].notna() & mean.notna(), table["stars"])


def stars(rank: pd.Series, peers: pd.Series) -> pd.Series:
    """Five stars for the best 10 % of a group, then 22.5, 35, 22.5 and 10 %; NaN unranked."""
    found = pd.Series(1.0, index=rank.index)
    for limit, count in reversed(STAR_LIMITS):
        found = found.where(rank * 1000 > limit * peers, float(count))
    return found.where(rank.notna())
