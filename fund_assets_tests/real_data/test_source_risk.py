"""Our weekly volatility and Sharpe ratio against the 标准差 and 夏普比率 that the source prints.

The pages are of the morning of 13 October 2020. Their figures are of the last week that was
over: of 9 October, or of 30 September for QDII funds, which had published no later week.
"""

from pathlib import Path

import pandas as pd
import pytest

from fund_assets.metrics import FundSeries, compute_metrics
from fund_assets_tests.real_data import evidence

pytestmark = pytest.mark.real_data

#: As of which day a page's figures are → the newest NAV at that time: a Monday, a Wednesday.
NEWEST = {"2020-10-09": 20201012, "2020-09-30": 20200930}
WINDOWS = ("1y", "2y", "3y")


@pytest.fixture(scope="module")
def beside(real_data: Path) -> pd.DataFrame:
    """One row per fund and window: our figures in the source's units, and the printed ones."""
    pages = pd.read_parquet(real_data / "fundpages_2020-10-13" / "page_risk.parquet")
    pages = pages.set_index("code")
    histories = evidence.read_histories(real_data)
    histories = histories[histories["fund_code"].isin(pages.index)]
    recorded = evidence.read_recorded(real_data)
    steps = evidence.steps_with_all_events(histories, recorded)
    parts = []
    for as_of, newest in NEWEST.items():
        own = steps[steps["fund_code"].map(pages["as_of"]) == as_of]
        series = FundSeries.from_rows(own["fund_code"], own["nav_date"], own["index"])
        parts.append(compute_metrics(series, newest, WINDOWS))
    found = pd.concat(parts, ignore_index=True)

    def printed(name: str) -> pd.Series:
        texts = [
            pages.at[code, f"{name}_{window}"]
            for code, window in zip(found["fund_code"], found["window"], strict=True)
        ]
        numbers = pd.Series(texts, found.index).str.rstrip("%")
        return pd.to_numeric(numbers, errors="coerce")

    return (
        pd.DataFrame(
            {
                "fund_code": found["fund_code"],
                "window": found["window"],
                "volatility_weekly": found["volatility_weekly"] * 100 - printed("std"),
                "sharpe_weekly": found["sharpe_weekly"] - printed("sharpe"),
                "annualized_volatility": found["annualized_volatility"] * 100 - printed("std"),
                "sharpe_ratio": found["sharpe_ratio"] - printed("sharpe"),
            }
        )
        .set_index(["fund_code", "window"])
        .abs()
    )


def test_our_weekly_figures_are_the_printed_ones(beside):
    """Stops another week, another window, or another risk-free rate than the source's."""
    known = beside.dropna(subset=["volatility_weekly", "sharpe_weekly"]).groupby("window")
    assert known.size().to_dict() == {"1y": 237, "2y": 237, "3y": 237}
    within = (beside <= 0.02).groupby("window").sum()
    assert within["volatility_weekly"].to_dict() == {"1y": 233, "2y": 233, "3y": 226}
    assert within["sharpe_weekly"].to_dict() == {"1y": 233, "2y": 233, "3y": 229}
    equal = (beside < 0.0051).groupby("window").sum()
    assert equal["volatility_weekly"].to_dict() == {"1y": 232, "2y": 228, "3y": 221}
    assert equal["sharpe_weekly"].to_dict() == {"1y": 230, "2y": 232, "3y": 224}
    apart = beside[(beside[["volatility_weekly", "sharpe_weekly"]] > 0.02).any(axis=1)]
    assert sorted(set(apart.index.get_level_values("fund_code"))) == [
        "000041", "000071", "000179", "000180", "000313", "000370", "000834", "000927",
        "000990", "001092", "001093",
    ]  # fmt: skip


@pytest.mark.parametrize("page", ["docs/metrics.md", "docs/zh/metrics.md"])
def test_the_pages_have_the_measured_differences(beside, page):
    """Stops a table of differences that the formulas have left behind."""
    text = (Path(__file__).resolve().parents[2] / page).read_text("utf-8")
    for name in beside.columns:
        cells = []
        for window in WINDOWS:
            values = beside[name].xs(window, level="window")
            weekly = name.endswith("_weekly")
            cells += [
                f"{values.quantile(share):.4f}" if weekly else f"{values.quantile(share):.2g}"
                for share in (0.5, 0.95)
            ]
            cells.append(str(int((values <= 0.02).sum())) if weekly else "")
        row = f"| `{name}` | " + " | ".join(cells)
        assert row.replace("|  |", "| |").rstrip() + " |" in text, row
