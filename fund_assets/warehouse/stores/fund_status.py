"""Keeping the history of statuses, limits and fees: writing `fund_status` after a wave.

Belongs here: whether a wave is the newest answer, and the rows that it changes. Does not belong
here: what differs (`nav/statuses.py`), reads for people (`queries/fund_status.py`).
"""

import pandas as pd
import sqlalchemy as sa

from fund_assets.nav.statuses import changed
from fund_assets.schemas.tables import FUND_STATUS
from fund_assets.warehouse.engine.diff_writes import renew
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.warehouse import Warehouse

#: Waves newer than a batch: by their date, or at the same date by when they first came.
_NEWER = """
SELECT COUNT(*) FROM collection_batch AS other, collection_batch AS own
WHERE own.batch_id = :id AND other.kind = 'wave' AND other.state <> 'held'
  AND other.batch_id <> own.batch_id
  AND (other.newest_date > own.newest_date OR (
    other.newest_date = own.newest_date AND other.collected_at > own.collected_at))
"""


@retried
def write_statuses(warehouse: Warehouse, batch: pd.DataFrame, seen: pd.DataFrame | None) -> int:
    """Store what a wave and its list of purchases change; returns rows written.

    An older answer, as from a cache of the source, changes nothing: another wave has a newer
    date, or the same date and came after this one was first seen. Nor does a class that no list
    of funds has yet.

    Args:
        batch: one row of COLLECTION_BATCH, collected just now and stored.
        seen: as `nav.statuses.united` returns it; None: there is nothing. They count also where
            the batch was there before: its identity is that of its NAVs.
    """
    if seen is None:
        return 0
    own = batch.iloc[0]
    with warehouse.transaction(writes=True) as connection:
        if connection.execute(sa.text(_NEWER), {"id": own["batch_id"]}).scalar():
            return 0
        newest = warehouse.frame(
            "SELECT * FROM fund_status WHERE superseded_at IS NULL", FUND_STATUS
        )
        known = set(warehouse.column(str, "SELECT fund_code FROM fund_info"))
        seen = seen[seen["fund_code"].isin(known)]
        rows = changed(newest, seen, int(own["collected_at"]))
        return renew(connection, FUND_STATUS, rows, newest)
