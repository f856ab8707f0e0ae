"""Window returns against those that the source itself published."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.metrics import FundSeries, compute_metrics
from fund_assets_tests.real_data import evidence

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def published_and_ours(real_data) -> pd.DataFrame:
    """One row per fund and window: percent as published, percent from unit NAV."""
    rank = evidence.read_rank(real_data)
    listed = evidence.read_listed(real_data, rank)
    series = FundSeries.from_rows(listed["fund_code"], listed["nav_date"], listed["unit_nav"])
    ours = compute_metrics(series, evidence.RANK_DAY, list(evidence.WINDOWS))
    compared = evidence.beside_published(listed, "unit_nav", rank)
    both = compared.merge(ours, on=["fund_code", "window"], suffixes=("", "_measured"))
    assert len(both) == len(compared) and (both["end_date"] == both["nav_date"]).all()
    return both.assign(equal=both["verdict"] == "equal")


def test_the_comparison_has_the_returns_of_the_metrics(published_and_ours):
    """Stops the returns that are compared with the source from being others than users see."""
    both = published_and_ours
    np.testing.assert_allclose(both["ours"], 100 * both["total_return"], rtol=1e-12)


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
    assert (unknown["theirs"] == 0).all()
    assert (unknown["reason"].str.contains("no NAV on or before")).all()


def test_the_others_differ_only_by_their_dividends(published_and_ours):
    """Stops a wrong window that hides among funds with dividends and splits.

    Unit NAV falls by a dividend, so it tells less than the published total return, and in
    every longer window as well; no window without an event may differ.
    """
    table = published_and_ours.dropna(subset="total_return")
    apart = table[~table["equal"]]
    assert (len(table), len(apart), apart["fund_code"].nunique()) == (1635, 43, 17)
    assert (apart["theirs"] > apart["ours"]).all()
    for _, fund in table[table["fund_code"].isin(apart["fund_code"])].groupby("fund_code"):
        assert not np.any(np.diff(fund["equal"].to_numpy().astype(int)) > 0)
