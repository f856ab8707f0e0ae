"""Reading the whole accepted history, and setting right what differs from its own figures.

Belongs here: the reads and writes of the weekly recheck. Does not belong here: what the index
should be (`nav/recomputation.py`).
"""

import numpy as np
import pandas as pd
import sqlalchemy as sa

from fund_assets.nav.recomputation import WITNESSES, WholeHistory
from fund_assets.schemas.columns import RETURN_STATUSES
from fund_assets.schemas.tables import FUND_METRICS, VALIDATED_NAV
from fund_assets.warehouse.engine.bulk_reads import stream
from fund_assets.warehouse.engine.diff_writes import update
from fund_assets.warehouse.engine.errors import WarehouseError
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.stores.weekly_log import log_step
from fund_assets.warehouse.warehouse import Warehouse

VALUES = (*WITNESSES, "total_return_index")
STATUS = " ".join(f"WHEN '{name}' THEN {at}" for at, name in enumerate(RETURN_STATUSES))
LOOKS = 3


def published(warehouse: Warehouse) -> int:
    """How many batches are published: another number is another state of the history."""
    return warehouse.count("SELECT COUNT(*) FROM publish_log")


def read_history(warehouse: Warehouse) -> tuple[WholeHistory, int]:
    """All accepted rows of one state, and `published` of that state.

    45 bytes a row and one chunk.

    Raises:
        WarehouseError: batches were published during every look, or it cannot be read.
    """
    for _ in range(LOOKS):
        state = published(warehouse)
        history = _read(warehouse)
        if history is not None and published(warehouse) == state:
            return history, state
    raise WarehouseError(
        f"batches were published during {LOOKS} reads of the whole history: run it again when "
        "nothing is being collected"
    )


def _read(warehouse: Warehouse) -> WholeHistory | None:
    """The rows; None when they are not those that were counted."""
    counted = warehouse.mapping(
        str, int, "SELECT fund_code, COUNT(*) FROM validated_nav GROUP BY fund_code"
    )
    codes = np.array([int(code) for code in counted], dtype=np.int32)
    counts = np.array(list(counted.values()), dtype=np.int64)
    order = np.argsort(codes)
    codes, counts = codes[order], counts[order]
    offsets = np.zeros(len(codes) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    rows = int(offsets[-1])
    dates, status = np.empty(rows, np.int32), np.empty(rows, np.int8)
    values = {name: np.empty(rows) for name in VALUES}
    ends = offsets[:-1].copy()
    batches = stream(
        warehouse.backend,
        f"SELECT CAST(fund_code AS SIGNED) AS code, nav_date, {', '.join(VALUES)}, "
        f"CASE return_status {STATUS} END AS status FROM validated_nav ORDER BY nav_date",
    )
    for batch in batches:
        numbers = np.asarray(batch["code"])
        fund = np.searchsorted(codes, numbers)
        if len(numbers) and not ((fund < len(codes)).all() and (codes[fund] == numbers).all()):
            return None
        order = np.argsort(fund, kind="stable")
        sorted_funds = fund[order]
        begins = np.flatnonzero(np.diff(sorted_funds, prepend=-1))
        sizes = np.diff(begins, append=len(order))
        nth = np.arange(len(order)) - np.repeat(begins, sizes)
        at = ends[sorted_funds] + nth
        ends[sorted_funds[begins]] += sizes
        if (ends > offsets[1:]).any():
            return None
        dates[at] = np.asarray(batch["nav_date"])[order]
        status[at] = np.asarray(batch["status"])[order]
        for name, column in values.items():
            column[at] = batch[name].to_numpy(zero_copy_only=False)[order]
    if (ends != offsets[1:]).any():
        return None
    return WholeHistory(codes, offsets, dates, values, status)


@retried
def repair(
    warehouse: Warehouse,
    differing: pd.DataFrame,
    state: int,
    week: str,
    done_at: int,
    figures: dict[str, object],
) -> None:
    """Write the index and status that rows should have, and the log of it, together.

    Args:
        differing: of `nav.recompute.Recomputed`.
        state: `published` of the history that it was computed from.

    Raises:
        WarehouseError: a batch has been published since; nothing was changed.
    """
    columns = ["fund_code", "nav_date", "total_return_index", "return_status"]
    with warehouse.transaction(writes=True) as connection:
        now = connection.execute(sa.text("SELECT COUNT(*) FROM publish_log")).scalar_one()
        if len(differing):
            if now != state:
                raise WarehouseError(
                    "a batch was published while the history was recomputed: nothing was "
                    "repaired; run it again when nothing is being collected"
                )
            update(connection, VALIDATED_NAV, differing[columns])
        log_step(connection, week, "recheck", done_at, figures)


def stored_metrics(warehouse: Warehouse, calc_date: int) -> pd.DataFrame:
    """All rows of fund_metrics of a calculation date."""
    return warehouse.columns(
        f"SELECT * FROM fund_metrics WHERE calc_date = {calc_date:d}", FUND_METRICS
    )
