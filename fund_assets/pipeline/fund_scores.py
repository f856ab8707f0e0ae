"""Scores of every fund as of the newest metrics, and how alike their order is to last week's.

The weekly job runs it after the metrics.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from fund_assets.calendar import to_stamp
from fund_assets.metrics.months import month_returns
from fund_assets.metrics.scores import MONTHS, Inputs, score_funds, stability
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries.metrics import facts_then
from fund_assets.warehouse.stores import landing
from fund_assets.warehouse.stores import metrics as metrics_store
from fund_assets.warehouse.stores import scores as stored_scores


@dataclass(frozen=True)
class ScoreReport:
    """What was scored.

    Attributes:
        calc_date: yyyymmdd; None without metrics.
        scores: the columns of FUND_SCORES but `scored_at`.
        rows_written: rows that are new, differ or are gone.
        compared_with: the scored date before, yyyymmdd; None without any.
        stability: of each group, as `metrics.scores.stability` gives it.
    """

    calc_date: int | None
    scores: pd.DataFrame | None = None
    rows_written: int = 0
    compared_with: int | None = None
    stability: pd.DataFrame = field(default_factory=pd.DataFrame)


def score(
    warehouse: Warehouse, weights: Mapping[str, float], risk_free_rate: float, now: datetime
) -> ScoreReport:
    """Score all active funds as of the newest calculation date and store the rows.

    Args:
        weights: part of the score → weight.
        risk_free_rate: the rate when `risk_free_rate` holds none.
    """
    calc_date = stored_scores.newest_measured(warehouse)
    if calc_date is None:
        return ScoreReport(None)
    inputs = Inputs(
        calc_date=calc_date,
        inception=stored_scores.read_activity(warehouse, calc_date),
        peers=stored_scores.read_peers(warehouse, calc_date),
        months=month_returns(
            metrics_store.read_series(warehouse, calc_date), calc_date, MONTHS
        ),
        funds=landing.fund_info(warehouse),
        rate=metrics_store.read_rate(warehouse, risk_free_rate),
        facts=pd.DataFrame(facts_then(warehouse, None)),
    )
    scores = score_funds(inputs, weights)
    written = stored_scores.write_scores(warehouse, scores, to_stamp(now))
    before = stored_scores.scored_before(warehouse, calc_date)
    alike = stability(scores, scores.head(0))
    if before is not None:
        alike = stability(scores, stored_scores.read_scores(warehouse, before))
    return ScoreReport(calc_date, scores, written, before, alike)
