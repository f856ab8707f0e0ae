"""The stored overrides of the trading calendar."""

from fund_assets.warehouse.warehouse import Warehouse


def overrides(warehouse: Warehouse) -> dict[int, bool]:
    """The days entered by hand, yyyymmdd → whether the exchange trades."""
    rows = warehouse.rows("SELECT day, is_open FROM calendar_override")
    return {int(str(row["day"])): bool(row["is_open"]) for row in rows}


def set_override(warehouse: Warehouse, day: int, is_open: bool, note: str) -> None:
    """Enter a day, or change an entered one."""
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            "INSERT INTO calendar_override (day, is_open, note) VALUES (?, ?, ?) "
            "ON CONFLICT (day) DO UPDATE SET is_open = excluded.is_open, note = excluded.note",
            (day, int(is_open), note),
        )
