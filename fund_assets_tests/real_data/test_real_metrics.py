"""Window returns against those that the source itself published."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.metrics import FundSeries, compute_metrics

pytestmark = pytest.mark.real_data

WINDOWS = {
    "1w": "week_change",
    "1m": "month_change",
    "3m": "three_month_change",
    "6m": "six_month_change",
    "1y": "year_change",
}


@pytest.fixture(scope="module")
def published_and_ours(real_data) -> pd.DataFrame:
    """One row per fund and window: percent as published, percent from unit NAV."""
    rank = pd.read_csv(
        real_data / "snapshots" / "yuyanpsy_rank_2026-04-27.csv.gz", dtype={"code": str}
    ).set_index("code")
    nav = pd.read_parquet(real_data / "histories_ak" / "yuyanpsy_unitnav.parquet")
    nav = nav[nav["code"].isin(rank.index) & (nav["nav"] > 0)]
    series = FundSeries.from_rows(
        nav["code"], nav["date"].str.replace("-", "").astype("int32"), nav["nav"]
    )
    ours = compute_metrics(series, 20260427, list(WINDOWS))
    rank["end"] = rank["nav_date"].str.replace("-", "").astype("int32")
    joined = ours.join(rank, on="fund_code")
    assert (joined["end"] == joined["end_date"]).all()
    joined["published"] = [
        row[WINDOWS[row["window"]]] for row in joined.to_dict(orient="records")
    ]
    joined["percent"] = joined["total_return"] * 100
    joined["equal"] = (joined["percent"] - joined["published"]).abs() < 0.005 + 1e-9
    return joined


def test_window_returns_equal_the_published_ones(published_and_ours):
    """Stops a window that starts a day off, or ends on another date than the fund's last.

    A fund whose accumulated NAV equals its unit NAV never had a dividend or split: each of
    its returns must equal the published one to its last digit.
    """
    table = published_and_ours
    assert table["fund_code"].nunique() == 333
    plain = table[table["nav"] == table["acc_nav"]]
    known = plain[plain["total_return"].notna()]
    assert len(known) == 1360
    assert known[~known["equal"]].empty
    # What the source cannot say, it writes as 0; we leave it empty and say why.
    unknown = plain[plain["total_return"].isna()]
    assert (unknown["published"] == 0).all()
    assert (unknown["reason"].str.contains("no NAV on or before")).all()


def test_the_others_differ_only_by_their_dividends(published_and_ours):
    """Stops a wrong window that hides among funds with dividends and splits.

    Unit NAV falls by a dividend, so it tells less than the published total return, and in
    every longer window as well; no window without an event may differ.
    """
    table = published_and_ours.dropna(subset="total_return")
    apart = table[~table["equal"]]
    assert (len(table), len(apart), apart["fund_code"].nunique()) == (1635, 43, 17)
    assert (apart["published"] > apart["percent"]).all()
    for _, fund in table[table["fund_code"].isin(apart["fund_code"])].groupby("fund_code"):
        assert not np.any(np.diff(fund["equal"].to_numpy().astype(int)) > 0)
