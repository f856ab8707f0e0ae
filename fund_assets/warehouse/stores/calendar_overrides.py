"""The trading calendar with the days that were entered by hand."""

from collections.abc import Mapping
from datetime import date, timedelta

from fund_assets.calendar import TradingCalendar
from fund_assets.schemas.tables import CALENDAR_OVERRIDE
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.warehouse import Warehouse

INVENTED_SESSIONS_DAYS = 400


def calendar(warehouse: Warehouse, today: date) -> TradingCalendar:
    """The exchange's calendar with the stored overrides, as the warehouse's market needs it.

    The simulated market may outlive the published calendar; its exchange then opens on every
    weekday, and `synthetic_after` says since when. In the real one weekdays are taken for
    sessions there, too, and `provisional_after` says since when.
    """
    simulated = warehouse.market() == "simulated"
    until = today + timedelta(days=INVENTED_SESSIONS_DAYS)
    return TradingCalendar.build(
        overrides(warehouse),
        invent_until=until if simulated else None,
        assume_until=None if simulated else until,
    )


def overrides(warehouse: Warehouse) -> dict[int, bool]:
    """The days entered by hand, yyyymmdd → whether the exchange trades."""
    return warehouse.mapping(int, bool, "SELECT day, is_open FROM calendar_override")


def notes(warehouse: Warehouse) -> dict[int, str]:
    """The days entered by hand, yyyymmdd → who entered it and why."""
    return warehouse.mapping(int, str, "SELECT day, note FROM calendar_override ORDER BY day")


@retried
def set_overrides(warehouse: Warehouse, days: Mapping[int, bool], note: str) -> None:
    """Enter days, or change entered ones: yyyymmdd → whether the exchange trades."""
    import pandas as pd

    from fund_assets.warehouse.engine.diff_writes import upsert

    rows = pd.DataFrame(
        {
            "day": list(days),
            "is_open": [int(is_open) for is_open in days.values()],
            "note": note,
        }
    )
    with warehouse.transaction(writes=True) as connection:
        upsert(connection, CALENDAR_OVERRIDE, rows)
