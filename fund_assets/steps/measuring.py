"""Step 4: metrics of every fund from the accepted history."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from fund_assets.metrics import compute_metrics
from fund_assets.warehouse import Warehouse, facts, measures


@dataclass(frozen=True)
class MeasureReport:
    """What was computed.

    Attributes:
        calc_date: yyyymmdd, newest published date of the market; None without any.
        rows_written: rows that are new or differ from what was stored.
    """

    calc_date: int | None
    funds: int = 0
    rows: int = 0
    rows_written: int = 0
    complete: int = 0
    reasons: dict[str, int] | None = None


def measure(
    warehouse: Warehouse,
    risk_free_rate: float,
    progress: Callable[[str], None] = lambda words: None,
) -> MeasureReport:
    """Compute the metrics of all funds as of the newest published date and store them."""
    calc_date = facts.newest_published(warehouse)
    if calc_date is None:
        return MeasureReport(None)
    series = measures.read_series(warehouse, calc_date)
    progress(f"{series.rows:,} index values of {len(series):,} funds read")
    metrics = compute_metrics(series, calc_date, risk_free_rate=risk_free_rate)
    written = measures.write_metrics(warehouse, metrics)
    short = metrics["reason"].str.partition(" ")[0].where(metrics["reason"] != "")
    return MeasureReport(
        calc_date=calc_date,
        funds=len(series),
        rows=len(metrics),
        rows_written=written,
        complete=int((metrics["reason"] == "").sum()),
        reasons={str(k): int(v) for k, v in pd.Series(short).value_counts().items()},
    )
