"""Whether the database itself is sound and can be written.

Belongs here: what the database engine says of itself. Does not belong here: what the tables
hold (`facts.py`).
"""

from fund_assets.warehouse.warehouse import Warehouse


def damage(warehouse: Warehouse) -> str:
    """What the engine finds damaged; empty when nothing is. Reads everything."""
    with warehouse.transaction() as connection:
        return warehouse.backend.damage(connection)


def try_writing(warehouse: Warehouse) -> None:
    """Take the writer's place and write one value as it stands.

    Raises:
        WarehouseError: another program holds it, or the file or disk takes nothing.
    """
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql("UPDATE warehouse_meta SET value = value")
