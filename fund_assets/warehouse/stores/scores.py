"""Reading what scores are made from, storing scores, and looking them up.

Belongs here: the reads and writes of the scoring step. Does not belong here: formulas
(`metrics/scores.py`).
"""

import numpy as np
import pandas as pd

from fund_assets.metrics.peers import PEER_VERSION
from fund_assets.schemas.table import Table
from fund_assets.schemas.tables import FUND_METRICS, FUND_PEERS, FUND_SCORES
from fund_assets.warehouse.engine.diff_writes import delete, differing, upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.warehouse import Warehouse

#: What of the inception windows scores need.
ACTIVITY = Table(
    name="activity",
    grain="one row per share class",
    why="the columns of fund_metrics that tell whether a fund is active",
    columns=tuple(
        FUND_METRICS[name] for name in ("fund_code", "calc_date", "window", "end_date")
    ),
    primary_key=("fund_code",),
)


def newest_measured(warehouse: Warehouse) -> int | None:
    """The newest calculation date of metrics, yyyymmdd; None without any."""
    return warehouse.number("SELECT MAX(calc_date) FROM fund_metrics")


def read_activity(warehouse: Warehouse, calc_date: int) -> pd.DataFrame:
    """The inception windows of a calculation date: the columns of `ACTIVITY`."""
    return warehouse.columns(
        "SELECT fund_code, calc_date, `window`, end_date FROM fund_metrics "
        f"WHERE calc_date = {calc_date:d} AND `window` = 'inception'",
        ACTIVITY,
    )


def read_peers(warehouse: Warehouse, calc_date: int) -> pd.DataFrame:
    """The positions of a calculation date by today's definition: columns of `FUND_PEERS`."""
    return warehouse.columns(
        f"SELECT * FROM fund_peers WHERE calc_date = {calc_date:d} "
        f"AND definition_version = {PEER_VERSION:d}",
        FUND_PEERS,
    )


def read_scores(warehouse: Warehouse, calc_date: int) -> pd.DataFrame:
    """The scores of a calculation date, by fund."""
    return warehouse.frame(
        "SELECT * FROM fund_scores WHERE calc_date = :date ORDER BY fund_code",
        FUND_SCORES,
        date=calc_date,
    )


def scored_before(warehouse: Warehouse, date: int) -> int | None:
    """The newest calculation date of scores before a date, yyyymmdd; None without any."""
    return warehouse.number(
        "SELECT MAX(calc_date) FROM fund_scores WHERE calc_date < :date", date=date
    )


@retried
def write_scores(warehouse: Warehouse, scores: pd.DataFrame, scored_at: int) -> int:
    """Store the scores of one calculation date; those that are as stored keep their time.

    Args:
        scores: columns of FUND_SCORES but `scored_at`.
        scored_at: yyyymmddhhmmss for rows that are new or differ.

    Returns:
        How many rows are new, differ, or are gone.
    """
    dates = {int(key) for key in scores["calc_date"].unique()}
    assert len(dates) == 1, f"scores of {sorted(dates)}, of one date expected"
    (calc_date,) = dates
    with warehouse.transaction(writes=True) as connection:
        stored = read_scores(warehouse, calc_date)
        known = stored.set_index("fund_code")["scored_at"]
        at = scores["fund_code"].map(known).astype("Int64").fillna(scored_at)
        frame = FUND_SCORES.conform(scores.assign(scored_at=at.astype("int64")))
        changed = differing(FUND_SCORES, frame, stored)
        frame.loc[changed, "scored_at"] = np.int64(scored_at)
        left = ~stored["fund_code"].isin(frame["fund_code"])
        gone = stored.loc[left, ["calc_date", "fund_code"]]
        delete(connection, FUND_SCORES, gone)
        return upsert(connection, FUND_SCORES, frame[changed]) + len(gone)
