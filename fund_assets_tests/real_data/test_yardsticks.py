"""Index funds against the index that they track, beside the source's own 跟踪误差.

The page prints the standard deviation (n - 1) of a day's return less the index's over the last
year, in percent and not annualised. The index is the price index.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fund_assets.benchmarks.composites import Market
from fund_assets.benchmarks.yardsticks import Statement, choose_yardstick
from fund_assets.metrics import Benchmarks, FundSeries, compute_metrics
from fund_assets.metrics.computation import ABOUT_BENCHMARK
from fund_assets_tests.unit.metrics.elsewhere import measures

pytestmark = pytest.mark.real_data

#: The pages are of the morning of 13 October 2020: the newest NAV is of the 12th.
DAY = 20201012
INDICES = {"沪深300指数": ("000300", "CSI300"), "中证500指数": ("000905", "CSI905")}


def as_keys(dates: pd.Series) -> pd.Series:
    return pd.to_datetime(dates).dt.strftime("%Y%m%d").astype("int64")


@pytest.fixture(scope="module")
def closes(real_data: Path) -> pd.DataFrame:
    parts = []
    for code, file in INDICES.values():
        frame = pd.read_csv(real_data / "indices" / f"{file}.csv")
        parts.append(
            pd.DataFrame(
                {
                    "index_code": code,
                    "nav_date": as_keys(frame["date"]),
                    "close": frame["close"],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def pages(real_data: Path) -> pd.DataFrame:
    """Index funds on the two indices: tracked_code and the printed figure, by fund code."""
    facts = pd.read_parquet(real_data / "fundpages_2020-10-13" / "page_facts.parquet")
    facts = facts[facts["tracked_index"].isin(INDICES)].set_index("code")
    printed = pd.to_numeric(facts["tracking_error"].str.rstrip("%"), errors="coerce")
    codes = facts["tracked_index"].map({name: code for name, (code, _) in INDICES.items()})
    return pd.DataFrame({"tracked_code": codes, "printed": printed})


@pytest.fixture(scope="module")
def growth(real_data: Path, pages: pd.DataFrame) -> pd.DataFrame:
    """Recorded growth of these funds: columns code, key, growth (fraction)."""
    path = real_data / "histories_acc" / "ethanj_unit_acc_reconstructed.parquet"
    frame = pd.read_parquet(path, columns=["code", "date", "growth_pct"])
    frame = frame[frame["code"].isin(pages.index)].sort_values(["code", "date"])
    return frame.assign(key=as_keys(frame["date"]), growth=frame["growth_pct"].fillna(0) / 100)


@pytest.fixture(scope="module")
def metrics(pages, growth, closes) -> pd.DataFrame:
    """Of one year, each fund against what the production code chooses for it."""
    index = (1 + growth["growth"]).groupby(growth["code"]).cumprod()
    series = FundSeries.from_rows(growth["code"], growth["key"], index)
    market = Market(closes)
    levels, choice, rows = [], {}, []
    for fund in series.codes.tolist():
        tracked = pages.loc[f"{fund:06d}", "tracked_code"]
        page = Statement(0, tracked, "", "unknown", False, ())
        stick = choose_yardstick([page], "000300", "CNY", market.codes, tracks=True)
        choice[fund] = len(levels)
        levels.append((stick.formula.label, *market.levels(stick.formula, 0)))
        rows.append((stick.basis, stick.why or None, stick.returns, stick.currency))
    about = pd.DataFrame(rows, index=series.codes.tolist(), columns=list(ABOUT_BENCHMARK))
    against = Benchmarks.from_levels(levels, choice, about)
    found = compute_metrics(series, DAY, ["1y"], benchmarks=against)
    return found.set_index("fund_code")


def test_the_tracking_error_is_the_one_that_the_page_prints(pages, metrics):
    """Stops a tracking error against another index, or of another definition."""
    ours = metrics["tracking_error"] / np.sqrt(metrics["periods_per_year"]) * 100
    apart = (ours - pages["printed"].reindex(ours.index)).dropna().abs()
    assert len(apart) >= 38
    assert apart[apart > 0.006].to_dict() == {}
    assert set(metrics["benchmark_code"]) == {"000300", "000905"}
    (said,) = metrics[list(ABOUT_BENCHMARK)].drop_duplicates().to_dict("records")
    assert pd.isna(said.pop("benchmark_why"))
    assert list(said.values()) == ["tracked", "price", "CNY"]


def test_alpha_beta_and_capture_are_those_of_an_independent_library(
    pages, metrics, growth, closes
):
    """Stops a benchmark that is a day off, which leaves the tracking error of none untouched."""
    levels = closes.set_index(["index_code", "nav_date"])["close"]
    for fund, own in growth.groupby("code"):
        row = metrics.loc[fund]
        own = own[(own["key"] >= row["start_date"]) & (own["key"] <= row["end_date"])]
        values = np.concatenate(([1.0], (1 + own["growth"].to_numpy()[1:]).cumprod()))
        index = levels[pages.loc[fund, "tracked_code"]].reindex(own["key"]).to_numpy()
        assert not np.isnan(index).any()
        span = (pd.Timestamp(str(row["end_date"])) - pd.Timestamp(str(row["start_date"]))).days
        other = measures(values, index, span, row["periods_per_year"], 0.015)
        for name in ("alpha", "beta", "correlation", "tracking_error", "information_ratio",
                     "up_capture", "down_capture"):  # fmt: skip
            assert row[name] == pytest.approx(other[name], rel=1e-9), (fund, name)
