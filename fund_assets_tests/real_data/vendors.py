"""How far the formulas that data vendors use lie from ours, on real funds.

Belongs here: other formulas of the same name, and the distance of each. Does not belong here:
whether ours are computed rightly (`test_every_measure.py`).

    python -m fund_assets_tests.real_data.vendors ../shared/data

prints the table of docs/metrics.md: funds with a whole window and no gap in it.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fund_assets.calendar import days_to_keys, keys_to_days
from fund_assets.metrics import FundSeries, compute_metrics
from fund_assets_tests.real_data import evidence

END, WINDOWS, RATE = 20260213, ("1y", "3y"), 0.015
NORMAL_5 = 1.6448536269514722


@dataclass(frozen=True)
class Window:
    """A fund's window: its row of metrics, returns R, dates (days), and index values."""

    row: pd.Series
    r: np.ndarray
    days: np.ndarray
    values: np.ndarray

    @property
    def n(self) -> int:
        return len(self.r)

    @property
    def periods(self) -> float:
        return float(self.row["periods_per_year"])

    @property
    def deviation(self) -> float:
        return float(self.r.std(ddof=1))


def _month_volatility(w: Window) -> float:
    months = pd.Series(w.values, pd.to_datetime(w.days, unit="D")).resample("ME").last()
    return float(months.pct_change().dropna().std(ddof=1) * np.sqrt(12))


def _losing(w: Window) -> float:
    losses = w.r[w.r < 0]
    return float(losses.std(ddof=1) * np.sqrt(w.periods))


def _skewness(w: Window) -> float:
    apart, n = w.r - w.r.mean(), w.n
    return float(n / ((n - 1) * (n - 2)) * ((apart / w.deviation) ** 3).sum())


def _kurtosis(w: Window) -> float:
    apart, n = w.r - w.r.mean(), w.n
    fourth = n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * ((apart / w.deviation) ** 4).sum()
    return float(fourth - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3)))


#: Measure, what a vendor computes instead, and the formula.
FORMULAS: tuple[tuple[str, str, Callable[[Window], float]], ...] = (
    ("annualized_return", "(1 + total_return)^(N / n) − 1, by returns",
     lambda w: (1 + w.row["total_return"]) ** (w.periods / w.n) - 1),
    ("annualized_volatility", "N = 252 for daily funds",
     lambda w: w.deviation * np.sqrt(252 if w.periods == 250 else w.periods)),
    ("annualized_volatility", "of whole months' returns, √12", _month_volatility),
    ("sharpe_ratio", "(annualized_return − rate) / annualized_volatility",
     lambda w: (w.row["annualized_return"] - RATE) / w.row["annualized_volatility"]),
    ("sharpe_ratio", "without a risk-free rate",
     lambda w: w.r.mean() / w.deviation * np.sqrt(w.periods)),
    ("downside_deviation", "deviation of the losing returns alone", _losing),
    ("sortino_ratio", "(annualized_return − rate) / deviation of the losing returns",
     lambda w: (w.row["annualized_return"] - RATE) / _losing(w)),
    ("calmar_ratio", "(annualized_return − rate) / size of max_drawdown",
     lambda w: (w.row["annualized_return"] - RATE) / -w.row["max_drawdown"]),
    ("var_95", "mean(R) − 1.645 std(R), normal", lambda w: w.r.mean() - NORMAL_5 * w.deviation),
    ("cvar_95", "mean of the returns at or below var_95",
     lambda w: w.r[w.r <= w.row["var_95"]].mean()),
    ("skewness", "of a sample, a spreadsheet's SKEW", _skewness),
    ("kurtosis", "of a sample, a spreadsheet's KURT", _kurtosis),
)  # fmt: skip


def windows(folder: Path) -> dict[str, list[Window]]:
    """By window, every fund of the data that has it without a gap and with all risk measures."""
    rows = evidence.steps_with_all_events(
        evidence.read_histories(folder), evidence.read_recorded(folder)
    )
    rows = rows[["fund_code", "nav_date", "index"]].dropna()
    series = FundSeries.from_rows(rows["fund_code"], rows["nav_date"], rows["index"])
    found = compute_metrics(series, END, WINDOWS, RATE)
    return {
        window: _whole(found[found["window"] == window].set_index("fund_code"), series)
        for window in WINDOWS
    }


def _whole(found: pd.DataFrame, series: FundSeries) -> list[Window]:
    whole = found[(found["gap_steps"] == 0) & found["calmar_ratio"].notna()]
    whole = whole[whole["sortino_ratio"].notna() & (whole["end_date"] > END - 10_000)]
    parts = []
    for code, row in whole.iterrows():
        at = int(np.searchsorted(series.codes, int(code)))
        part = slice(series.offsets[at], series.offsets[at + 1])
        first = keys_to_days(np.array([row["start_date"]], dtype=np.int64))[0]
        kept = (series.days[part] >= first) & (days_to_keys(series.days[part]) <= END)
        days, values = series.days[part][kept], series.values[part][kept]
        parts.append(Window(row, values[1:] / values[:-1] - 1, days, values))
    return parts


def table(folder: Path) -> str:
    """Markdown: each formula, and the 50th and 95th percentile of its distance from ours."""
    by_window = windows(folder)
    heads = " | ".join(f"{w}: 50 % | 95 % | funds" for w in WINDOWS)
    lines = [
        f"| measure | a vendor's formula | {heads} |",
        "|---|---|" + "---|---|---|" * len(WINDOWS),
    ]
    for name, words, formula in FORMULAS:
        cells = []
        for funds in by_window.values():
            apart = np.array([abs(formula(w) - w.row[name]) for w in funds], dtype=float)
            apart = apart[np.isfinite(apart)].round(12)
            half, most = np.percentile(apart, [50, 95])
            cells += [f"{half:.2g}", f"{most:.2g}", str(len(apart))]
        lines.append(f"| `{name}` | {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(Path(sys.argv[1])))
