"""Peer groups: with whom a fund is compared, and its place among them.

Belongs here: choosing each fund's group, and ranks and medians within groups. Does not belong
here: which funds are active (`peers.py`), which types there are (`schemas/fund_types.py`).

A fund is compared within its type when at least MIN_PEERS portfolios have that type, else
within its type's pool, all types of the pool included. Classes in different currencies never
meet: their groups carry the currency, as in `QDII-混合偏股 USD`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fund_assets.schemas.fund_types import type_of
from fund_assets.schemas.portfolios import currency_of

MIN_PEERS = 10


@dataclass(frozen=True)
class Groups:
    """The groups of some rows, each row a portfolio: two that it belongs to, and which counts.

    Attributes:
        narrow: the type, with the currency unless it is yuan; of an undeclared type the pool.
        wide: the pool, with the currency.
        own: whether the row is ranked in `narrow`; else it is in `wide`.
    """

    narrow: pd.Series
    wide: pd.Series
    own: pd.Series

    @property
    def names(self) -> pd.Series:
        """The group in which each row is ranked."""
        return self.narrow.where(self.own, self.wide)

    def of(self, codes: pd.Series, window: pd.Series) -> "Groups":
        """The groups of rows of some of these funds, one group for each window.

        Args:
            codes: codes of these funds, by row; window: of the same rows.
        """
        at = self.own.index.get_indexer(pd.Index(codes))
        windows = pd.factorize(window)[0]
        narrow, wide = (
            pd.Series(pd.factorize(names.to_numpy()[at])[0] * 100 + windows, codes.index)
            for names in (self.narrow, self.wide)
        )
        return Groups(narrow, wide, pd.Series(self.own.to_numpy()[at], codes.index))

    def ranked(self, values: pd.Series, lowest: bool = False) -> tuple[pd.Series, pd.Series]:
        """Rank in the group and how many have a value; NaN where fewer than MIN_PEERS have.

        Args:
            values: by the rows of the groups.
            lowest: the lowest value is the best one, not the highest.
        """
        rank, peers = ranked(values, self.narrow, lowest)
        if not self.own.all():
            inside = self.wide.isin(self.wide[~self.own].unique())
            places = ranked(values[inside], self.wide[inside], lowest)
            rank, peers = (
                found.where(self.own, wider.reindex(values.index))
                for found, wider in zip((rank, peers), places, strict=True)
            )
        return rank, peers

    def percentile(self, values: pd.Series) -> pd.Series:
        """(peers - rank) / (peers - 1) in the group: 1 is the best, 0 the last."""
        rank, peers = self.ranked(values)
        found: pd.Series = (peers - rank) / (peers - 1)
        return found

    def means(self, values: pd.Series) -> pd.Series:
        """The mean in the row's group; NaN where fewer than MIN_PEERS have a value."""
        return self._within(values, _means)

    def places(self, values: pd.Series) -> pd.Series:
        """As `percentile`, but equal values share the middle of their places.

        So all equal ones are at one half. NaN where fewer than MIN_PEERS have a value.
        """
        return self._within(values, _places)

    def _within(
        self, values: pd.Series, of: Callable[[pd.Series, pd.Series], pd.Series]
    ) -> pd.Series:
        """What a function of values and groups gives in the group that counts for each row."""
        found = of(values, self.narrow)
        if self.own.all():
            return found
        inside = self.wide.isin(self.wide[~self.own].unique())
        wider = of(values[inside], self.wide[inside]).reindex(values.index)
        return found.where(self.own, wider)

    def medians(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Each column's median in the row's group; NaN where fewer than MIN_PEERS have one."""
        found = _medians(frame, self.narrow)
        if not self.own.all():
            inside = self.wide.isin(self.wide[~self.own].unique())
            wider = _medians(frame[inside], self.wide[inside]).reindex(frame.index)
            found.loc[~self.own] = wider.loc[~self.own]
        return found


def groups_of(funds: pd.DataFrame) -> Groups:
    """The groups of some portfolios, by fund_code.

    Args:
        funds: one class of each portfolio and currency; columns fund_code, name, fund_type and
            kind.
    """
    codes = pd.Index(funds["fund_code"])
    names = zip(funds["fund_type"], funds["name"], funds["kind"], strict=True)
    pairs = [_names(fund_type, name, kind) for fund_type, name, kind in names]
    narrow, wide = (
        pd.Series([pair[at] for pair in pairs], index=codes, dtype="str") for at in (0, 1)
    )
    own = (narrow.groupby(narrow).transform("size") >= MIN_PEERS) & (narrow != wide)
    return Groups(narrow, wide, own)


def ranked(
    values: pd.Series, group: pd.Series, lowest: bool = False
) -> tuple[pd.Series, pd.Series]:
    """Rank in the group and how many have a value; NaN where fewer than MIN_PEERS have.

    Rank 1 is the highest value, or the lowest. Equal values share the better rank.
    """
    grouped = values.groupby(group)
    peers = grouped.transform("count")
    rank = grouped.rank(method="min", ascending=lowest)
    there = rank.notna() & (peers >= MIN_PEERS)
    return rank.where(there), peers.where(there)


def _names(fund_type: str, name: str, kind: str) -> tuple[str, str]:
    """A fund's narrow and its wide group."""
    found = type_of(fund_type, name)
    # A row that an older release stored may have another kind: it is compared within that one.
    pool = found.pool if found.kind == kind else kind
    currency = currency_of(name)
    mark = "" if currency == "CNY" else f" {currency}"
    return f"{found.name or pool}{mark}", f"{pool}{mark}"


def _medians(frame: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    grouped = frame.groupby(group)
    enough = grouped.transform("count") >= MIN_PEERS
    return grouped.transform("median").where(enough, np.nan)


def _means(values: pd.Series, group: pd.Series) -> pd.Series:
    grouped = values.groupby(group)
    mean: pd.Series = grouped.transform("mean")
    return mean.where(grouped.transform("count") >= MIN_PEERS)


def _places(values: pd.Series, group: pd.Series) -> pd.Series:
    grouped = values.groupby(group)
    peers = grouped.transform("count")
    place = (peers - grouped.rank(method="average", ascending=False)) / (peers - 1)
    found: pd.Series = place.where(peers >= MIN_PEERS)
    return found
