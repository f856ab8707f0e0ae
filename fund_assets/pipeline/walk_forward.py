"""What past screens did next: scores of past quarter ends, made from what came before them.

Past scores are made anew from the accepted history up to each date, corrections that came later
included, with today's kinds and families; funds that are gone are in them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from fund_assets.calendar import days_to_keys, to_stamp
from fund_assets.metrics import FundSeries, compute_metrics
from fund_assets.metrics.months import month_returns
from fund_assets.metrics.peers import peer_ranks
from fund_assets.metrics.scores import MONTHS, Inputs, score_funds
from fund_assets.metrics.walk_forward import outcomes, quarter_ends, summed
from fund_assets.report.files import walk_forward_file, write_page
from fund_assets.report.page import walk_forward_page
from fund_assets.schemas.tables import SCREEN_WINDOWS
from fund_assets.settings import Settings
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.stores import landing, weekly_log
from fund_assets.warehouse.stores import metrics as metrics_store

#: Quarters that are looked back on.
QUARTERS = 8
WINDOWS = (*SCREEN_WINDOWS, "inception")


def walk_forward(
    warehouse: Warehouse,
    weights: Mapping[str, float],
    risk_free_rate: float,
    week: str,
    now: datetime,
    progress: Callable[[str], None] = lambda words: None,
) -> list[dict[str, Any]]:
    """Outcomes of every screen at the last quarter ends, also into the log of the week.

    Args:
        risk_free_rate: the rate when `risk_free_rate` holds none.

    Returns:
        Rows of `metrics.walk.Outcome.as_row`, by date; none without enough history.
    """
    newest = status_queries.newest_published(warehouse)
    rows: list[dict[str, Any]] = []
    if newest is not None:
        series = metrics_store.read_series(warehouse, newest)
        funds = landing.fund_info(warehouse)
        rate = metrics_store.read_rate(warehouse, risk_free_rate)
        ends = _ends(series, newest)
        for start, until in pairwise(ends):
            known = metrics_store.by_day(warehouse, series, start)
            metrics = compute_metrics(known, start, WINDOWS, rate)
            scores = score_funds(
                Inputs(
                    calc_date=start,
                    inception=metrics[metrics["window"] == "inception"],
                    peers=peer_ranks(metrics, funds),
                    months=month_returns(series, start, MONTHS),
                    funds=funds,
                    rate=rate,
                ),
                weights,
            )
            found = [one.as_row() for one in outcomes(scores, series, until)]
            progress(f"screens of {start}: {len(found)} had picks")
            rows += found
    weekly_log.note_step(warehouse, week, "walk_forward", to_stamp(now), {"outcomes": rows})
    return rows


def write_walk_forward(
    settings: Settings, rows: Sequence[dict[str, Any]], now: datetime
) -> tuple[Path, list[dict[str, Any]]]:
    """Write the page of these outcomes; its file, and the screens over all quarters."""
    sums = summed(rows)
    page = walk_forward_file(settings)
    write_page(page, walk_forward_page(rows, sums, now, settings.source))
    return page, sums


def _ends(series: FundSeries, newest: int) -> list[int]:
    """The quarter ends that have a history before them, the newest last."""
    if not series.rows:
        return []
    first = int(days_to_keys(np.array([series.days.min()]))[0])
    return quarter_ends(first, newest, QUARTERS + 1)
