"""Index and metrics of every fund, recomputed from the accepted history and compared.

It can be run again by itself: rows that are right already do not differ any more, and the log
of the week keeps what was found before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from fund_assets.calendar import TradingCalendar, to_stamp
from fund_assets.metrics import FundSeries, compute_metrics
from fund_assets.nav.recomputation import cases, recompute
from fund_assets.nav.timeline import SILENCE_DAYS
from fund_assets.schemas.tables import FUND_EVENTS, FUND_METRICS
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.diff_writes import differing
from fund_assets.warehouse.stores import landing, weekly_log
from fund_assets.warehouse.stores import metrics as metrics_store
from fund_assets.warehouse.stores import recheck as recheck_store
from fund_assets.warehouse.stores.scores import newest_measured
from fund_assets.warehouse.stores.yardsticks import read_yardsticks

#: A larger share of rows that differ is no accident: nothing is written over without a person.
MOST_REPAIRED = 0.005
SHOWN_CASES = 10
#: Of metrics, what depends on other funds and not on the fund's own history.
BY_OTHERS = ("coverage", "status")


@dataclass(frozen=True)
class Recheck:
    """What recomputing everything from the accepted history came to.

    Attributes:
        rows, funds: of the accepted history.
        differing: rows whose index or status was stored otherwise, this time.
        repaired: whether they were set right.
        metrics_rows: stored rows of the newest calculation date that were compared this week.
        metrics_differing: of them, those with another value.
        cases: differences in words.
        figures: what the log of the week has, earlier tries of it included.
    """

    rows: int
    funds: int
    differing: int
    repaired: bool
    metrics_rows: int
    metrics_differing: int
    cases: tuple[str, ...]
    figures: dict[str, Any]


def recheck(
    warehouse: Warehouse,
    calendar: TradingCalendar,
    week: str,
    now: datetime,
    *,
    risk_free_rate: float,
    repair_all: bool = False,
    progress: Callable[[str], None] = lambda words: None,
) -> Recheck:
    """Recompute index and metrics of every fund, compare, and set the index right.

    Metrics are compared here and written by the step that measures; once in a week, for a
    second try comes after merging. A fund that has a newer NAV than its stored metrics is left
    out of their comparison.

    Args:
        risk_free_rate: the rate when `risk_free_rate` holds none.
        repair_all: set right however many rows differ.
    """
    history, state = recheck_store.read_history(warehouse)
    rows, funds = len(history.dates), len(history.codes)
    progress(f"{rows:,} rows of {funds:,} funds read")
    events = warehouse.frame("SELECT * FROM fund_events", FUND_EVENTS)
    found = recompute(history, events, calendar)
    count = len(found.differing)
    progress(f"{count:,} of {rows:,} rows differ")
    series = FundSeries(history.codes, history.offsets, found.days, found.index)
    series = series.since_silence(SILENCE_DAYS)
    del history  # the greater part of the memory
    before = weekly_log.week_log(warehouse, week).get("recheck", {})
    before.pop("done_at", None)
    metric_cases: list[str] = []
    if not before:
        compared, other, metric_cases = _compare_metrics(warehouse, series, risk_free_rate)
        before = {"metrics_rows": compared, "metrics_differing": other}
    few = repair_all or count <= MOST_REPAIRED * rows
    words = [*before.get("cases", []), *cases(found.differing, SHOWN_CASES), *metric_cases]
    figures = {
        "rows": rows,
        "funds": funds,
        **before,
        # Rows that an earlier try has set right do not differ any more.
        "index_differing": before.get("index_repaired", 0) + count,
        "index_repaired": before.get("index_repaired", 0) + (count if few else 0),
        "cases": list(dict.fromkeys(words))[: 2 * SHOWN_CASES],
    }
    repairs = found.differing if few else found.differing.head(0)
    recheck_store.repair(warehouse, repairs, state, week, to_stamp(now), figures)
    return Recheck(
        rows=rows,
        funds=funds,
        differing=count,
        repaired=few,
        metrics_rows=figures["metrics_rows"],
        metrics_differing=figures["metrics_differing"],
        cases=tuple(figures["cases"]),
        figures=figures,
    )


def _compare_metrics(
    warehouse: Warehouse, series: FundSeries, risk_free_rate: float
) -> tuple[int, int, list[str]]:
    """Rows compared, rows that differ, and some of these in words."""
    calc_date = newest_measured(warehouse)
    if calc_date is None:
        return 0, 0, []
    stored = recheck_store.stored_metrics(warehouse, calc_date)
    funds = landing.fund_info(warehouse)
    computed = compute_metrics(
        metrics_store.by_day(warehouse, series, calc_date),
        calc_date,
        risk_free_rate=metrics_store.read_rate(warehouse, risk_free_rate),
        benchmarks=read_yardsticks(warehouse, funds, series),
        whole=metrics_store.whole_histories(warehouse),
    )
    key = ["fund_code", "window"]
    ends = stored.set_index(key)["end_date"]
    beside = ends.reindex(pd.MultiIndex.from_frame(computed[key])).to_numpy()
    same_end = pd.Series(beside, dtype="Int32").eq(computed["end_date"].reset_index(drop=True))
    computed = computed[same_end.fillna(False).to_numpy(bool)].reset_index(drop=True)
    others = {
        name: stored.set_index(key)[name]
        .reindex(pd.MultiIndex.from_frame(computed[key]))
        .to_numpy()
        for name in BY_OTHERS
    }
    computed = FUND_METRICS.conform(computed.assign(**others))
    different = differing(FUND_METRICS, computed, stored)
    first = computed[different].head(SHOWN_CASES)
    return len(computed), int(different.sum()), _metric_cases(first, stored.set_index(key))


def _metric_cases(rows: pd.DataFrame, stored: pd.DataFrame) -> list[str]:
    found = []
    for row in rows.to_dict("records"):
        before = stored.loc[(row["fund_code"], row["window"])]
        names = [
            name
            for name in FUND_METRICS.value_columns
            if name != "window"
            and not (pd.isna(row[name]) and pd.isna(before[name]))
            and (pd.isna(row[name]) or pd.isna(before[name]) or row[name] != before[name])
        ]
        name = names[0]
        found.append(
            f"{row['fund_code']} {row['window']}: {name} stored {before[name]}, computed "
            f"{row[name]}" + (f", and {len(names) - 1} more" if len(names) > 1 else "")
        )
    return found
