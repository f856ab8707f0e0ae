"""Keeping how the NAVs of the last dates arrive: writing `arrival`.

Does not belong here: counting, and when it is counted (`pipeline/arrivals.py`).
"""

from collections.abc import Iterable

import pandas as pd
import sqlalchemy as sa

from fund_assets.nav.arrivals import Look
from fund_assets.schemas.tables import ARRIVAL
from fund_assets.warehouse.engine.diff_writes import upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.warehouse import Warehouse


@retried
def write_looks(warehouse: Warehouse, looks: Iterable[Look], oldest: int) -> int:
    """Store looks, and delete those at dates before `oldest` (yyyymmdd)."""
    frame = ARRIVAL.conform(pd.DataFrame(looks, columns=ARRIVAL.names))
    with warehouse.transaction(writes=True) as connection:
        connection.execute(
            sa.text("DELETE FROM arrival WHERE nav_date < :oldest"), {"oldest": oldest}
        )
        return upsert(connection, ARRIVAL, frame)
