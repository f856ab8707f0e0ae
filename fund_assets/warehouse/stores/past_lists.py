"""Lists of past dates that a user gave, and the classes that no list of the market has had.

Belongs here: reads and writes of past_list, and which unlisted codes wait for their histories.
Does not belong here: reading files (`nav/past_lists.py`).
"""

import pandas as pd

from fund_assets.schemas.portfolios import BACK_END
from fund_assets.schemas.tables import PAST_LIST
from fund_assets.warehouse.engine.diff_writes import upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.warehouse import Warehouse


@retried
def write_past_list(warehouse: Warehouse, rows: pd.DataFrame) -> int:
    """Store rows of PAST_LIST; returns how many are new or differ."""
    with warehouse.transaction(writes=True) as connection:
        return upsert(connection, PAST_LIST, rows)


def unlisted(warehouse: Warehouse) -> pd.DataFrame:
    """The classes that are known from a past list or an event, and not from the market's lists.

    Returns:
        fund_code, name, fund_type, list_date (yyyymmdd of the newest list that has it; 0: only
        an event has it), by code. Those whose histories are stored are in fund_info, and so
        not among them.
    """
    rows = warehouse.tuples(
        "SELECT p.fund_code, p.name, p.fund_type, p.list_date FROM past_list AS p JOIN (SELECT "
        "fund_code, MAX(list_date) AS list_date FROM past_list GROUP BY fund_code) AS n "
        "ON n.fund_code = p.fund_code AND n.list_date = p.list_date "
        "WHERE NOT EXISTS (SELECT 1 FROM fund_info AS i WHERE i.fund_code = p.fund_code) "
        "UNION ALL SELECT DISTINCT e.fund_code, '', '', 0 FROM fund_events AS e "
        "WHERE NOT EXISTS (SELECT 1 FROM fund_info AS i WHERE i.fund_code = e.fund_code) "
        "AND NOT EXISTS (SELECT 1 FROM past_list AS p WHERE p.fund_code = e.fund_code) "
        "ORDER BY 1"
    )
    names = ["fund_code", "name", "fund_type", "list_date"]
    frame = pd.DataFrame(rows, columns=names)
    # A back-end twin has no page of its own.
    frame = frame[~frame["name"].astype("str").str.contains(BACK_END, regex=False)]
    return frame.astype(dict(zip(names, ("str", "str", "str", "int64"), strict=True)))
