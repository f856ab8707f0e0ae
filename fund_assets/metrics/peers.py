"""Peers: where a fund stands among the funds it is compared with, and how many have published.

Belongs here: pure functions on a frame of metrics. Does not belong here: metrics themselves
(`kernel.py`), who is compared with whom (`peer_groups.py`), what is stored
(`warehouse/stores/metrics.py`).

Peers are the funds of one group whose last NAV is at most VALUE_AGE_DAYS old on the calculation
date. Share classes of one portfolio in one currency count once: one class stands for all of
them, chosen by its name and code alone, and all of them get its position.
"""

import numpy as np
import pandas as pd

from fund_assets.calendar import keys_to_days
from fund_assets.metrics.peer_groups import MIN_PEERS, groups_of
from fund_assets.schemas.age import VALUE_AGE_DAYS
from fund_assets.schemas.portfolios import class_order, currency_of
from fund_assets.schemas.tables import FUND_PEERS, PEER_METRICS

#: Of the groups, and of what a position is: 1 was within the kind, all currencies together.
PEER_VERSION = 2
#: From this share of the funds that are due on, the rows of a kind are final.
FINAL_COVERAGE = 0.9
#: So many standard deviations fewer are chance.
SPREAD = 2.0
#: Of these the lower value is the better one.
LOWER_IS_BETTER = ("annualized_volatility",)


def with_coverage(
    metrics: pd.DataFrame, funds: pd.DataFrame, due: pd.Series | None = None
) -> pd.DataFrame:
    """The metrics of one calculation date with `coverage` and `status` filled in.

    Coverage is the number of a kind's active funds, every share class counted, that have a NAV
    on the calculation date, over the number that are due by their own cadence; at most 1, and 1
    where none is due. Its rows are final from FINAL_COVERAGE on. Of fewer than MIN_PEERS funds
    that are due, so many may be absent as chance explains: SPREAD standard deviations.

    Args:
        metrics: columns of `FUND_METRICS`, all windows of all funds of some kinds.
        funds: columns fund_code and kind.
        due: fund_code → share of such sessions for which the fund has a NAV; a fund that is
            not in it is due. None: all are.
    """
    rows = metrics[_active(metrics)].drop_duplicates("fund_code")
    kind_of = funds.set_index("fund_code")["kind"]
    share = pd.Series(1.0, rows.index)
    if due is not None:
        share = rows["fund_code"].map(due).astype("float64").fillna(1.0)
    by_kind = (
        pd.DataFrame(
            {
                "due": share,
                "published": (rows["end_date"] == rows["calc_date"]) & (share > 0),
                "variance": share * (1 - share),
            }
        )
        .groupby(rows["fund_code"].map(kind_of))
        .sum()
    )
    expected, published = by_kind["due"], by_kind["published"]
    coverage = (published / expected.where(expected > 0)).clip(upper=1.0).fillna(1.0)
    by_chance = (SPREAD * np.sqrt(by_kind["variance"])).where(expected < MIN_PEERS, 0.0)
    is_final = (coverage >= FINAL_COVERAGE) | (published >= expected - by_chance)
    kind = metrics["fund_code"].map(kind_of)
    status = np.where(kind.isin(by_kind.index[is_final]), "final", "provisional")
    return metrics.assign(
        coverage=kind.map(coverage).astype("float64"),
        status=pd.Series(status, metrics.index, dtype="str"),
    )


def peer_ranks(metrics: pd.DataFrame, funds: pd.DataFrame) -> pd.DataFrame:
    """Rank, number of peers and percentile of PEER_METRICS for every active fund and window.

    Rank 1 is the best: the highest value, of volatility the lowest; equal values share the
    better rank. The percentile is (peers - rank) / (peers - 1): 1 is the best, 0 the last.

    Args:
        metrics: columns of `FUND_METRICS` of one calculation date, all funds of some kinds.
        funds: columns fund_code, name, fund_type, kind and family.

    Returns:
        The columns of `FUND_PEERS`; rows without any rank are left out.
    """
    stands = standing_for(metrics, funds)
    known = funds.set_index("fund_code", drop=False)
    groups = groups_of(known.loc[sorted(set(stands))])
    rows = metrics[_active(metrics)].reset_index(drop=True)
    chosen = rows[rows["fund_code"].isin(groups.own.index)]
    ranking = groups.of(chosen["fund_code"], chosen["window"])
    found: dict[str, pd.Series] = {}
    for name in PEER_METRICS:
        rank, peers = ranking.ranked(chosen[name], name in LOWER_IS_BETTER)
        found[f"{name}_rank"] = rank
        found[f"{name}_peers"] = peers
        found[f"{name}_percentile"] = (peers - rank) / (peers - 1)
    ranks = pd.DataFrame(found)
    ranks.index = pd.MultiIndex.from_arrays([chosen["fund_code"], chosen["window"]])
    standing = rows["fund_code"].map(stands)
    at = ranks.index.get_indexer(pd.MultiIndex.from_arrays([standing, rows["window"]]))
    spread = ranks.take(at).reset_index(drop=True)
    spread[at < 0] = np.nan
    whole = [name for name in spread if not name.endswith("_percentile")]
    spread[whole] = spread[whole].astype("Int64")
    keys = rows[["fund_code", "calc_date", "window"]].assign(
        peer_group=standing.map(groups.names), definition_version=PEER_VERSION
    )
    some = spread.notna().any(axis=1)
    result = pd.concat([keys, spread], axis=1)[some]
    return FUND_PEERS.conform(result.reset_index(drop=True))


def standing_for(metrics: pd.DataFrame, funds: pd.DataFrame) -> pd.Series:
    """The class that stands for each active fund's portfolio, of those that are active.

    Of a portfolio with classes in two currencies one of each stands.

    Args:
        metrics: at least the inception windows of one calculation date; its columns
            fund_code, window, calc_date and end_date.
        funds: columns fund_code, name, kind and family.

    Returns:
        As `standing_among`.
    """
    there = metrics.loc[(metrics["window"] == "inception") & _active(metrics), "fund_code"]
    return standing_among(funds[funds["fund_code"].isin(there)])


def standing_among(funds: pd.DataFrame) -> pd.Series:
    """The class among these that stands for each one's portfolio.

    It is the first by the order of `schemas.portfolios.class_order`, then by code: by what a
    fund is called and not by how much of it is stored, so that the order in which histories
    are fetched changes nothing.

    Args:
        funds: columns fund_code, name, kind and family.

    Returns:
        Codes by fund_code; a class that stands for its portfolio has its own.
    """
    ordered = funds.assign(
        order=funds["name"].map(class_order), currency=funds["name"].map(currency_of)
    ).sort_values(["order", "fund_code"])
    first = ordered.groupby(["kind", "family", "currency"])["fund_code"].transform("first")
    codes = ordered["fund_code"].to_numpy()
    return pd.Series(first.to_numpy(), index=codes, dtype="str").sort_index()


def _active(metrics: pd.DataFrame) -> pd.Series:
    ends = keys_to_days(metrics["end_date"].to_numpy(np.int64))
    dates = keys_to_days(metrics["calc_date"].to_numpy(np.int64))
    return pd.Series(dates - ends <= VALUE_AGE_DAYS, metrics.index)
