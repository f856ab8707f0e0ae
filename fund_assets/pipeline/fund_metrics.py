"""Step 4: metrics of every fund from the accepted history.

The newest published date is measured whole. Of the dates before it, the kinds of funds that
were provisional are measured again, for their late publishers.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fund_assets.calendar import TradingCalendar, from_key
from fund_assets.metrics import DEFINITION_VERSION, FundSeries, compute_metrics
from fund_assets.metrics.peers import PEER_VERSION, peer_ranks, with_coverage
from fund_assets.nav.cadence import Attendance, Cadence, learn_cadence, sessions_to_learn
from fund_assets.pipeline.fund_life import renew_life
from fund_assets.schemas.tables import WEEKDAYS
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.queries.data_versions import data_version, digest
from fund_assets.warehouse.stores import landing
from fund_assets.warehouse.stores import metrics as metrics_store
from fund_assets.warehouse.stores.yardsticks import read_yardsticks

#: So many calculation dates before the newest are looked at for late publishers.
LATE_DATES = 4


@dataclass(frozen=True)
class MeasureReport:
    """What was computed.

    Attributes:
        calc_date: yyyymmdd, newest published date of the market; None without any.
        rows_written: rows that are new or differ from what was stored, of `calc_date`.
        late: earlier calculation date → rows that late publishers changed there.
        final: rows of `calc_date` whose kind has published enough.
        reasons: first word of each reason → rows.
        bases: what funds are measured against (tracked, own, type) → how many.
    """

    calc_date: int | None
    funds: int = 0
    rows: int = 0
    rows_written: int = 0
    complete: int = 0
    final: int = 0
    late: dict[int, int] | None = None
    reasons: dict[str, int] | None = None
    bases: dict[str, int] | None = None


def version_of_inputs(warehouse: Warehouse, risk_free_rate: float) -> str:
    """What metrics are made from, as a data version: equal ones give equal metrics."""
    made_from = data_version(
        warehouse,
        "validated_nav",
        "fund_info",
        "history_progress",
        "benchmark_index",
        "fund_benchmark",
        "risk_free_rate",
    )
    newest = status_queries.newest_published(warehouse)
    return digest(made_from, newest, risk_free_rate, DEFINITION_VERSION, PEER_VERSION)


def stored_report(warehouse: Warehouse) -> MeasureReport | None:
    """The report of the metrics that are stored, nothing written; None when they are older."""
    calc_date = status_queries.newest_published(warehouse)
    counts = metrics_store.stored_counts(warehouse, calc_date) if calc_date else None
    if not counts:
        return None
    return MeasureReport(
        calc_date,
        funds=counts["funds"],
        rows=counts["rows"],
        complete=counts["complete"],
        final=counts["final"],
        late={},
    )


def measure(
    warehouse: Warehouse,
    risk_free_rate: float,
    progress: Callable[[str], None] = lambda words: None,
) -> MeasureReport:
    """Compute the metrics of all funds as of the newest published date and store them.

    Args:
        risk_free_rate: the rate when `risk_free_rate` holds none.
    """
    calc_date = status_queries.newest_published(warehouse)
    if calc_date is None:
        return MeasureReport(None)
    series = metrics_store.read_series(warehouse, calc_date)
    progress(f"{series.rows:,} index values of {len(series):,} funds read")
    funds = landing.fund_info(warehouse)
    rate = metrics_store.read_rate(warehouse, risk_free_rate)
    benchmarks = read_yardsticks(warehouse, funds, series)
    whole = metrics_store.whole_histories(warehouse)
    calendar = TradingCalendar.build()

    def renew(date: int, some: pd.DataFrame) -> tuple[pd.DataFrame, int]:
        part = series if some is funds else series.only(some["fund_code"])
        part = metrics_store.by_day(warehouse, part, date)
        metrics = compute_metrics(
            part, date, risk_free_rate=rate, benchmarks=benchmarks, whole=whole
        )
        cadence = _cadence_on(date, series, some, calendar)
        if some is funds:
            metrics_store.write_cadence(warehouse, cadence)
        metrics = with_coverage(metrics, some, _due_on(date, cadence))
        peers = peer_ranks(metrics, some)
        return metrics, metrics_store.write_metrics(warehouse, metrics, peers)

    metrics, written = renew(calc_date, funds)
    late = {}
    for date, kinds in metrics_store.provisional_kinds(
        warehouse, calc_date, LATE_DATES
    ).items():
        _, late[date] = renew(date, funds[funds["kind"].isin(kinds)])
    changed = renew_life(warehouse, calc_date, calendar)
    progress(f"{changed:,} spells of funds' lives changed")
    return MeasureReport(
        calc_date=calc_date,
        funds=len(series),
        rows=len(metrics),
        rows_written=written,
        complete=int((metrics["reason"] == "").sum()),
        final=int((metrics["status"] == "final").sum()),
        late=late,
        reasons=_short(metrics["reason"]),
        bases=_bases(metrics),
    )


def _short(reasons: pd.Series) -> dict[str, int]:
    """First word of each reason → how many rows, the most first."""
    found: Counter[str] = Counter()
    for reason, rows in reasons[reasons != ""].value_counts().items():
        found[str(reason).split(" ", 1)[0]] += int(rows)
    return dict(found.most_common())


def _bases(metrics: pd.DataFrame) -> dict[str, int]:
    counts = metrics.drop_duplicates("fund_code")["benchmark_basis"].value_counts()
    return {str(basis): int(count) for basis, count in counts.items()}


def _cadence_on(
    date: int, series: FundSeries, funds: pd.DataFrame, calendar: TradingCalendar
) -> Cadence:
    """How often each fund publishes, as known on a date (yyyymmdd).

    Args:
        series: of all funds.
        funds: columns fund_code and kind; others of the series are left out.
    """
    own = series.only(funds["fund_code"])
    codes = [f"{code:06d}" for code in own.codes.tolist()]
    kinds = funds.set_index("fund_code")["kind"].reindex(codes).tolist()
    sessions = np.array(sessions_to_learn(calendar, date), dtype=np.int64)
    return learn_cadence(Attendance(codes, kinds, sessions, own.there(sessions)))


def _due_on(date: int, cadence: Cadence) -> pd.Series | None:
    """Each fund's share due on a date's weekday; None where all are: on a weekend."""
    weekday = from_key(date).weekday()
    if weekday >= len(WEEKDAYS):
        return None
    return pd.Series(cadence.due[:, weekday], pd.Index(cadence.codes, dtype="str"))
