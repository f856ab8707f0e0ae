"""Writing our returns next to the source's, and the events that they convict.

Does not belong here: comparing (`metrics/agreement.py`), reading (`queries/agreement.py`).
"""

import pandas as pd

from fund_assets.schemas.tables import FUND_EVENTS, SOURCE_AGREEMENT
from fund_assets.warehouse.engine.diff_writes import insert, upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.warehouse import Warehouse


@retried
def write_agreement(warehouse: Warehouse, rows: pd.DataFrame, events: pd.DataFrame) -> None:
    """Rows of SOURCE_AGREEMENT, and inferred rows of FUND_EVENTS; stored events stay."""
    with warehouse.transaction(writes=True) as connection:
        upsert(connection, SOURCE_AGREEMENT, rows)
        insert(connection, FUND_EVENTS, events, ignore=True)
