"""The stored overrides of the trading calendar."""

from collections.abc import Mapping

import pandas as pd

from fund_assets.schemas.tables import CALENDAR_OVERRIDE
from fund_assets.warehouse.transactions import retried
from fund_assets.warehouse.warehouse import Warehouse
from fund_assets.warehouse.writes import upsert


def overrides(warehouse: Warehouse) -> dict[int, bool]:
    """The days entered by hand, yyyymmdd → whether the exchange trades."""
    rows = warehouse.rows("SELECT day, is_open FROM calendar_override")
    return {int(str(row["day"])): bool(row["is_open"]) for row in rows}


def notes(warehouse: Warehouse) -> dict[int, str]:
    """The days entered by hand, yyyymmdd → who entered it and why."""
    rows = warehouse.rows("SELECT day, note FROM calendar_override ORDER BY day")
    return {int(str(row["day"])): str(row["note"]) for row in rows}


@retried
def set_overrides(warehouse: Warehouse, days: Mapping[int, bool], note: str) -> None:
    """Enter days, or change entered ones: yyyymmdd → whether the exchange trades."""
    rows = pd.DataFrame(
        {
            "day": list(days),
            "is_open": [int(is_open) for is_open in days.values()],
            "note": note,
        }
    )
    with warehouse.transaction(writes=True) as connection:
        upsert(connection, CALENDAR_OVERRIDE, rows)
