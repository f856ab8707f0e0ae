"""Step 1: the market's list of funds into fund_info."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fund_assets.nav.landing_rows import Landing
from fund_assets.nav.list_rules import ListingPlan, described, plan_listing
from fund_assets.sources.protocol import FundSource, Listing
from fund_assets.transport.errors import SourceError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import landing


@dataclass(frozen=True)
class ListingReport:
    """What became of the list.

    Attributes:
        plan: None when the list could not be had and the stored one stays in use.
        failure: why it could not be had.
    """

    written: int
    funds: pd.DataFrame
    plan: ListingPlan | None = None
    listing: Listing | None = None
    failure: str = ""


def refresh(warehouse: Warehouse, source: FundSource, today: int) -> ListingReport:
    """Fetch the list and write what it changes.

    When the source fails and a list is stored, the stored one stays in use and the report
    says so; the caller must show it. A list that came short is asked for once more before it
    is believed: the longer answer counts.

    Raises:
        SourceError: the source failed and there is no stored list.
    """
    stored = landing.fund_info(warehouse)
    try:
        listing = source.fund_list()
    except SourceError as error:
        if stored.empty:
            raise
        return ListingReport(
            written=0, funds=stored, failure=f"{type(error).__name__}: {error}"
        )
    plan = plan_listing(stored, listing.frame, today)
    if plan.came_short:
        with suppress(SourceError):
            again = source.fund_list()
            if len(again.frame) > len(listing.frame):
                listing, plan = again, plan_listing(stored, again.frame, today)
    written = landing.write_fund_info(warehouse, plan.rows, plan.changes)
    return ListingReport(written, landing.fund_info(warehouse), plan, listing)


def with_unlisted(listed: pd.DataFrame, prepared: Landing) -> pd.DataFrame:
    """Rows of FUND_INFO for the funds of a wave: one the list lacks is named by its code."""
    codes, today = _codes(prepared), _today(prepared)
    codes = codes[~codes.isin(listed["fund_code"])]
    unnamed = described(_unnamed(codes, prepared), today)
    return pd.concat([listed, unnamed], ignore_index=True)


def not_listed(prepared: Landing, waiting: pd.DataFrame) -> pd.DataFrame:
    """Rows of FUND_INFO for funds with a history that are in no list of the market.

    Known ones among them are left as they are by `landing.land`. Name and type are those of the
    newest list of a past date that has the fund.

    Args:
        waiting: columns of `stores.past_lists.unlisted`.
    """
    codes = _codes(prepared)
    told = waiting.set_index("fund_code").reindex(codes)
    unnamed = _unnamed(codes, prepared)
    for column in ("name", "fund_type"):
        given = told[column].fillna("").to_numpy()
        unnamed[column] = np.where(given != "", given, unnamed[column])
    rows = described(unnamed, _today(prepared))
    newest = prepared.landed.groupby("fund_code")["nav_date"].max().reindex(codes)
    listed = told["list_date"].fillna(0).astype("int64")
    last = listed.where(listed > 0, newest).astype("int32")
    return rows.assign(status="delisted", last_seen_on=last.to_numpy())


def _codes(prepared: Landing) -> pd.Series:
    return pd.Series(prepared.landed["fund_code"].unique(), dtype="str")


def _today(prepared: Landing) -> int:
    return int(prepared.batch["collected_at"].iloc[0]) // 1_000_000


def _unnamed(codes: pd.Series, prepared: Landing) -> pd.DataFrame:
    """What a list would have of funds that it lacks: their codes as names."""
    money = set(prepared.landed.loc[prepared.landed["yield_per_10k"].notna(), "fund_code"])
    types = ["货币型" if code in money else "" for code in codes]
    return pd.DataFrame({"fund_code": codes, "name": codes, "fund_type": types, "pinyin": ""})
