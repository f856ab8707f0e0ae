"""The stored overrides of the trading calendar."""

from collections.abc import Mapping

from fund_assets.warehouse.warehouse import Warehouse


def overrides(warehouse: Warehouse) -> dict[int, bool]:
    """The days entered by hand, yyyymmdd → whether the exchange trades."""
    rows = warehouse.rows("SELECT day, is_open FROM calendar_override")
    return {int(str(row["day"])): bool(row["is_open"]) for row in rows}


def notes(warehouse: Warehouse) -> dict[int, str]:
    """The days entered by hand, yyyymmdd → who entered it and why."""
    rows = warehouse.rows("SELECT day, note FROM calendar_override ORDER BY day")
    return {int(str(row["day"])): str(row["note"]) for row in rows}


def set_overrides(warehouse: Warehouse, days: Mapping[int, bool], note: str) -> None:
    """Enter days, or change entered ones: yyyymmdd → whether the exchange trades."""
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            "INSERT INTO calendar_override (day, is_open, note) VALUES (?, ?, ?) "
            "ON CONFLICT (day) DO UPDATE SET is_open = excluded.is_open, note = excluded.note",
            [(day, int(is_open), note) for day, is_open in days.items()],
        )
