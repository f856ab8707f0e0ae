"""Whether the database file itself is sound and can be written.

Belongs here: what the database engine says of itself. Does not belong here: what the tables
hold (`facts.py`).
"""

from fund_assets.warehouse.warehouse import Warehouse


def damage(warehouse: Warehouse) -> str:
    """What the engine finds damaged; empty when nothing is. Reads the whole file."""
    found = str(warehouse.value("PRAGMA quick_check(1)"))
    return "" if found == "ok" else found


def try_writing(warehouse: Warehouse) -> None:
    """Take the writer's place and write one value as it stands.

    Raises:
        WarehouseError: another program holds it, or the file or disk takes nothing.
    """
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql("UPDATE warehouse_meta SET value = value")
