"""Whether the database itself is sound and can be written.

Belongs here: what the database engine says of itself and of its tables' shape. Does
not belong here: what the tables hold (`queries/status.py`).
"""

from fund_assets.warehouse.warehouse import Warehouse


def damage(warehouse: Warehouse) -> str:
    """What the engine finds damaged; empty when nothing is. Reads everything."""
    with warehouse.transaction() as connection:
        return warehouse.backend.damage(connection)


def unlike_declared(warehouse: Warehouse) -> str:
    """Where the tables are not as declared, or an interrupted migration left some; or empty."""
    from fund_assets.warehouse.migrations.leftovers import leftovers
    from fund_assets.warehouse.migrations.shape import differences, missing_views

    with warehouse.transaction(writes=True) as connection:
        return "; ".join(
            [
                *(f"{name} is left of a migration" for name in leftovers(connection)),
                *map(str, differences(connection)),
                *(f"view {name} is missing" for name in missing_views(connection)),
            ]
        )


def try_writing(warehouse: Warehouse) -> None:
    """Take the writer's place and write one value as it stands.

    Raises:
        NoRightError: the user of the URL only reads.
        WarehouseError: another program holds it, or the file or disk takes nothing.
    """
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql("UPDATE warehouse_meta SET value = value")
