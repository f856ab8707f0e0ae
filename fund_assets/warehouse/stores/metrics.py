"""Reading what metrics are made from, and storing metrics.

Belongs here: the reads and writes of the metrics step. Does not belong here: formulas.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import days_to_keys, keys_to_days
from fund_assets.metrics import FundSeries, RiskFreeRate, SeriesError
from fund_assets.metrics.series import code_numbers
from fund_assets.nav.cadence import Cadence
from fund_assets.nav.money import MOST_DAYS
from fund_assets.nav.timeline import SILENCE_DAYS
from fund_assets.schemas.table import Table
from fund_assets.schemas.tables import (
    FUND_CADENCE,
    FUND_METRICS,
    FUND_PEERS,
    RISK_FREE_RATE,
    WEEKDAYS,
)
from fund_assets.warehouse.engine.diff_writes import renew, upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.queries.index_series import read_index_part, read_index_series
from fund_assets.warehouse.warehouse import Warehouse

#: The first part of the dates is read by the process that also counts the rows.
FIRST_PART = 0.42


class _State(NamedTuple):
    """Another number of batches is another state of the accepted history."""

    batches: int
    first_date: int | None


def read_series(warehouse: Warehouse, last: int, first: int = 0) -> FundSeries:
    """The total-return index of every fund from `first` to `last` (yyyymmdd), of one state.

    Without what is before a silence of SILENCE_DAYS: another series.
    """
    return _read(warehouse, last, first).since_silence(SILENCE_DAYS)


def _read(warehouse: Warehouse, last: int, first: int) -> FundSeries:
    """Read in two parts at the same time.

    When a batch was published meanwhile, once more in one statement, which sees one state by
    itself.
    """
    state = (
        "SELECT (SELECT COUNT(*) FROM publish_log) AS batches, MIN(nav_date) AS first_date "
        "FROM validated_nav"
    )
    (before,) = warehouse.records(_State, state)
    halve = _split(max(before.first_date, first), last) if before.first_date else 0
    try:
        series = _series(warehouse, first, last, halve)
    except SeriesError:
        if warehouse.records(_State, state) == [before]:
            raise
        return _series(warehouse, first, last, 0)
    if warehouse.records(_State, state) == [before]:
        return series
    return _series(warehouse, first, last, 0)


def read_part(
    warehouse: Warehouse, last: int, first: int = 0, codes: Sequence[str] | None = None
) -> FundSeries:
    """The index from each fund's last NAV before `first` on, up to `last`; of one state.

    What is before a silence of SILENCE_DAYS is in it, too.

    Args:
        last, first: yyyymmdd, included.
        codes: of these funds alone, six digits each; None: of all.
    """
    if codes is None and not first:
        return _read(warehouse, last, first)
    return FundSeries.from_rows(*read_index_part(warehouse, first, last, codes))


def whole_histories(warehouse: Warehouse) -> NDArray[np.int32]:
    """The funds whose whole history is stored: codes as numbers.

    It has landed and is merged: no history that waits for the rules begins before what is
    accepted.
    """
    found = warehouse.column(
        str,
        "SELECT p.fund_code AS fund_code FROM history_progress AS p "
        "WHERE p.stored_at IS NOT NULL AND p.fund_code NOT IN ("
        "SELECT w.fund_code FROM (SELECT n.fund_code AS fund_code, MIN(n.nav_date) AS since "
        "FROM collection_batch AS b JOIN fund_nav AS n ON n.batch_id = b.batch_id "
        "WHERE b.kind = 'history' AND b.state <> 'published' GROUP BY n.fund_code) AS w "
        "WHERE NOT EXISTS (SELECT 1 FROM validated_nav AS v "
        "WHERE v.fund_code = w.fund_code AND v.nav_date <= w.since))",
    )
    return code_numbers(found)


def by_day(warehouse: Warehouse, series: FundSeries, last: int) -> FundSeries:
    """The series with a value for every day up to `last` of the funds that have incomes.

    A money-market fund with a moving NAV has none, and stays as it is.
    """
    earning = warehouse.column(
        str,
        "SELECT i.fund_code FROM fund_info AS i WHERE i.kind = 'money' AND EXISTS ("
        "SELECT 1 FROM validated_nav AS v WHERE v.fund_code = i.fund_code "
        "AND v.yield_per_10k IS NOT NULL)",
    )
    return series.by_day(earning, MOST_DAYS, last)


def _series(warehouse: Warehouse, first: int, last: int, halve: int) -> FundSeries:
    rows = read_index_series(warehouse.backend, last, first, halve)
    return FundSeries.from_chunks(rows.codes, rows.counts, rows.chunks)


def _split(first: int, last: int) -> int:
    """The date between two, yyyymmdd, at which both parts take as long to read."""
    begin, end = keys_to_days(np.array([first, last])).tolist()
    middle = begin + FIRST_PART * (end - begin)
    return int(days_to_keys(np.array([middle]).astype(np.int32))[0])


def read_rate(warehouse: Warehouse, default: float) -> RiskFreeRate:
    """The stored risk-free rates; without any, the constant `default`."""
    rows = warehouse.frame("SELECT * FROM risk_free_rate ORDER BY since", RISK_FREE_RATE)
    if rows.empty:
        return RiskFreeRate.constant(default)
    return RiskFreeRate.from_rows(rows["since"], rows["rate"])


@retried
def set_rate(warehouse: Warehouse, since: int, rate: float, note: str) -> None:
    """Enter the rate that holds from a date (yyyymmdd), or change an entered one."""
    frame = RISK_FREE_RATE.conform(
        pd.DataFrame({"since": [since], "rate": [rate], "note": [note]})
    )
    with warehouse.transaction(writes=True) as connection:
        upsert(connection, RISK_FREE_RATE, frame)


class _Counts(NamedTuple):
    funds: int
    rows: int
    complete: int
    final: int


def stored_counts(warehouse: Warehouse, calc_date: int) -> dict[str, int] | None:
    """Of the metrics of a date: funds, rows, complete and final ones; None without any."""
    (counts,) = warehouse.records(
        _Counts,
        'SELECT COUNT(DISTINCT fund_code) AS funds, COUNT(*) AS "rows", '
        "COALESCE(SUM(reason = ''), 0) AS complete, "
        "COALESCE(SUM(status = 'final'), 0) AS final FROM fund_metrics WHERE calc_date = :date",
        date=calc_date,
    )
    return counts._asdict() if counts.rows else None


class _KindOfDate(NamedTuple):
    calc_date: int
    kind: str


def provisional_kinds(warehouse: Warehouse, before: int, dates: int) -> dict[int, set[str]]:
    """Of the `dates` calculation dates before one, those with provisional rows: their kinds."""
    rows = warehouse.records(
        _KindOfDate,
        "SELECT DISTINCT m.calc_date AS calc_date, i.kind AS kind FROM (SELECT DISTINCT "
        "calc_date FROM fund_metrics WHERE calc_date < :before ORDER BY calc_date DESC "
        "LIMIT :dates) AS newest JOIN fund_metrics AS m ON m.calc_date = newest.calc_date "
        "JOIN fund_info AS i ON i.fund_code = m.fund_code WHERE m.status = 'provisional' "
        "AND m.\"window\" = 'inception'",
        before=before,
        dates=dates,
    )
    found: dict[int, set[str]] = {}
    for row in rows:
        found.setdefault(row.calc_date, set()).add(row.kind)
    return found


@retried
def write_cadence(warehouse: Warehouse, cadence: Cadence) -> int:
    """Store how often funds publish; returns how many rows are new or differ."""
    frame = FUND_CADENCE.conform(
        pd.DataFrame(
            {
                "fund_code": cadence.codes,
                "usual_step": cadence.usual_step,
                **{f"due_{day}": cadence.due[:, at] for at, day in enumerate(WEEKDAYS)},
            }
        )
    )
    if frame.empty:
        return 0
    with warehouse.transaction(writes=True) as connection:
        stored = warehouse.columns("SELECT * FROM fund_cadence", FUND_CADENCE)
        return renew(connection, FUND_CADENCE, frame, stored)


@retried
def write_metrics(
    warehouse: Warehouse, metrics: pd.DataFrame, peers: pd.DataFrame | None = None
) -> int:
    """Store the metrics of one calculation date and the peers' positions, together.

    Returns:
        How many rows of metrics are new or differ from what was stored.
    """
    with warehouse.transaction(writes=True) as connection:
        if peers is not None and not peers.empty:
            renew(connection, FUND_PEERS, peers, _stored(warehouse, FUND_PEERS, peers))
        if metrics.empty:
            return 0
        stored = _stored(warehouse, FUND_METRICS, metrics)
        return renew(connection, FUND_METRICS, metrics, stored)


def _stored(warehouse: Warehouse, table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    dates = ", ".join(str(int(key)) for key in frame["calc_date"].unique())
    return warehouse.columns(f"SELECT * FROM {table.name} WHERE calc_date IN ({dates})", table)
