"""What past screens did next: scores of past quarter ends, made from what came before them.

Past scores are made again from the accepted history up to each date, with corrections that came
later. Names and types are those of the date as far as they are stored. Funds that ended are in
them if their histories are stored: `nav/universe.py` says how many may be missing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fund_assets.calendar import days_to_keys, to_stamp
from fund_assets.metrics import FundSeries, RiskFreeRate, compute_metrics
from fund_assets.metrics.months import month_returns
from fund_assets.metrics.peers import peer_ranks, standing_for
from fund_assets.metrics.scores import MONTHS, Inputs, score_funds
from fund_assets.metrics.screen import parse
from fund_assets.metrics.walk_forward import (
    MIN_QUARTERS,
    SCREENS,
    check_past,
    outcomes,
    quarter_ends,
    summed,
    walked,
)
from fund_assets.nav.list_rules import as_listed_on
from fund_assets.nav.universe import coverage
from fund_assets.report.files import walk_forward_file, walked_screens_file, write_page
from fund_assets.report.page import walk_forward_page
from fund_assets.report.week import WalkFacts
from fund_assets.schemas.tables import SCORE_PARTS, SCREEN_WINDOWS
from fund_assets.settings import Settings
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.queries.universe import read_evidence
from fund_assets.warehouse.stores import landing, weekly_log
from fund_assets.warehouse.stores import metrics as metrics_store
from fund_assets.warehouse.stores.screen_trials import note_trials, tried_screens
from fund_assets.warehouse.stores.yardsticks import read_yardsticks

#: Quarters that are looked back on.
QUARTERS = 20
WINDOWS = (*SCREEN_WINDOWS, "inception")


@dataclass(frozen=True)
class Walk:
    """What screens came to.

    Attributes:
        rows: of `metrics.walk_forward.Outcome.as_row`, by date.
        tried: how many screens were tried in all, those of earlier days too.
        missing: of each quarter end, what may be missing: `nav.universe.Coverage.as_row`.
    """

    rows: list[dict[str, Any]]
    tried: int
    missing: list[dict[str, Any]]

    @property
    def sums(self) -> list[dict[str, Any]]:
        """Each screen over all its quarters, with its verdict."""
        return summed(self.rows, self.tried)


@dataclass(frozen=True)
class _Quarter:
    """A quarter end, what was known on it, and the next one."""

    start: int
    until: int
    known: FundSeries
    series: FundSeries
    funds: pd.DataFrame
    rate: RiskFreeRate


def walk_forward(
    warehouse: Warehouse,
    weights: Mapping[str, float],
    risk_free_rate: float,
    week: str,
    now: datetime,
    progress: Callable[[str], None] = lambda words: None,
) -> Walk:
    """Outcomes of every screen at the last quarter ends, also into the log of the week.

    Args:
        risk_free_rate: the rate when `risk_free_rate` holds none.
    """
    rows: list[dict[str, Any]] = []
    for quarter in _quarters(warehouse, risk_free_rate):
        metrics = compute_metrics(quarter.known, quarter.start, WINDOWS, quarter.rate)
        scores = score_funds(
            Inputs(
                calc_date=quarter.start,
                inception=metrics[metrics["window"] == "inception"],
                peers=peer_ranks(metrics, quarter.funds),
                months=month_returns(quarter.series, quarter.start, MONTHS),
                funds=quarter.funds,
                rate=quarter.rate,
            ),
            # What is beside returns is not known of past dates.
            {part: weights[part] for part in SCORE_PARTS},
        )
        found = outcomes(scores, quarter.funds, quarter.series, quarter.until)
        progress(f"screens of {quarter.start}: {len(found)} had picks")
        rows += [one.as_row() for one in found]
    tried = len(SCREENS) + len(tried_screens(warehouse))
    walk = Walk(rows, tried, _missing(warehouse, rows))
    figures = {"outcomes": rows, "tried": tried, "missing": walk.missing}
    weekly_log.note_step(warehouse, week, "walk_forward", to_stamp(now), figures)
    return walk


def walk_screens(
    warehouse: Warehouse,
    screens: Sequence[str],
    risk_free_rate: float,
    now: datetime,
    progress: Callable[[str], None] = lambda words: None,
) -> Walk:
    """Outcomes of a user's screens at the last quarter ends; each is remembered as tried.

    Args:
        screens: conditions in the language of `metrics/screen.py`.
        risk_free_rate: the rate when `risk_free_rate` holds none.

    Raises:
        ScreenError, WalkError: a screen is not understood, or has no past.
    """
    parsed = {text: parse(text) for text in screens}
    for screen in parsed.values():
        check_past(screen)
    windows = sorted({screen.window for screen in parsed.values()} | {"inception"})
    whole = metrics_store.whole_histories(warehouse)
    rows: list[dict[str, Any]] = []
    for quarter in _quarters(warehouse, risk_free_rate):
        benchmarks = read_yardsticks(warehouse, quarter.funds, quarter.known)
        metrics = compute_metrics(
            quarter.known,
            quarter.start,
            windows,
            quarter.rate,
            benchmarks=benchmarks,
            whole=whole,
        )
        stands = standing_for(metrics, quarter.funds)
        for text, screen in parsed.items():
            found = walked(
                text, screen, metrics, stands, quarter.funds, quarter.series, quarter.until
            )
            rows += [one.as_row() for one in found]
        progress(f"screens of {quarter.start}: done")
    tried = dict.fromkeys([*tried_screens(warehouse), *parsed])
    walk = Walk(rows, len(SCREENS) + len(tried), _missing(warehouse, rows))
    note_trials(warehouse, walk.sums, list(parsed), to_stamp(now))
    return walk


def write_walk_forward(settings: Settings, walk: Walk, now: datetime) -> Path:
    """Write the page of these outcomes; its file."""
    return _write(walk_forward_file(settings), settings, walk, now)


def write_walked_screens(settings: Settings, walk: Walk, now: datetime) -> Path:
    """Write the page of a user's screens; its file."""
    return _write(walked_screens_file(settings), settings, walk, now)


def _write(page: Path, settings: Settings, walk: Walk, now: datetime) -> Path:
    facts = WalkFacts(walk.rows, walk.sums, walk.tried, MIN_QUARTERS, walk.missing)
    write_page(page, walk_forward_page(facts, now, settings.source))
    return page


def _missing(warehouse: Warehouse, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What may be missing of the market at each quarter end with picks."""
    dates = sorted({row["date"] for row in rows})
    return [one.as_row() for one in coverage(read_evidence(warehouse), dates)]


def _quarters(warehouse: Warehouse, risk_free_rate: float) -> Iterator[_Quarter]:
    """The quarter ends that have a history before them and a quarter after them."""
    newest = status_queries.newest_published(warehouse)
    if newest is None:
        return
    series = metrics_store.read_series(warehouse, newest)
    if not series.rows:
        return
    funds, changes = landing.fund_info(warehouse), landing.list_changes(warehouse)
    rate = metrics_store.read_rate(warehouse, risk_free_rate)
    first = int(days_to_keys(np.array([series.days.min()]))[0])
    for start, until in pairwise(quarter_ends(first, newest, QUARTERS + 1)):
        yield _Quarter(
            start=start,
            until=until,
            known=metrics_store.by_day(warehouse, series, start),
            series=series,
            funds=as_listed_on(funds, changes, start),
            rate=rate,
        )
