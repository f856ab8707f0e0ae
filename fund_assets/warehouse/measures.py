"""Reading index series for metrics, and storing metrics.

Belongs here: the reads and writes of the metrics step. Does not belong here: formulas.
"""

import pandas as pd

from fund_assets.metrics import FundSeries
from fund_assets.schemas.table import Table
from fund_assets.schemas.tables import FUND_METRICS
from fund_assets.warehouse.bulk import read_index_series
from fund_assets.warehouse.warehouse import Warehouse
from fund_assets.warehouse.writes import renew


def read_series(warehouse: Warehouse, last: int) -> FundSeries:
    """The total-return index of every fund up to `last` (yyyymmdd)."""
    rows = read_index_series(warehouse.path, last)
    return FundSeries.from_chunks(rows.codes, rows.counts, rows.chunks)


def write_metrics(warehouse: Warehouse, metrics: pd.DataFrame) -> int:
    """Store the metrics of one calculation date.

    Returns:
        How many rows are new or differ from what was stored.
    """
    return _renew(warehouse, FUND_METRICS, metrics)


def _renew(warehouse: Warehouse, table: Table, frame: pd.DataFrame) -> int:
    if frame.empty:
        return 0
    dates = ", ".join(str(int(key)) for key in frame["calc_date"].unique())
    with warehouse.transaction(writes=True) as connection:
        stored = warehouse.columns(
            f"SELECT * FROM {table.name} WHERE calc_date IN ({dates})", table
        )
        return renew(connection, table, frame, stored)
