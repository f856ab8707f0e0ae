"""Whether the database itself is sound and can be written.

Belongs here: what the database engine says of itself and of its tables' shape. Does
not belong here: what the tables hold (`queries/status.py`).
"""

from fund_assets.warehouse.migrations import leftovers
from fund_assets.warehouse.warehouse import Warehouse


def damage(warehouse: Warehouse) -> str:
    """What the engine finds damaged; empty when nothing is. Reads everything."""
    with warehouse.transaction() as connection:
        return warehouse.backend.damage(connection)


def unfinished(warehouse: Warehouse) -> str:
    """What an interrupted migration or copy left, or lacks, by its names; empty: nothing."""
    with warehouse.transaction() as connection:
        return "; ".join(leftovers.unfinished(connection))


def unlike_declared(warehouse: Warehouse) -> str:
    """Where the tables are not as declared, or something is unfinished; or empty."""
    from fund_assets.warehouse.migrations.shape import differences

    with warehouse.transaction(writes=True) as connection:
        unlike = (str(found) for found in differences(connection) if not found.absent)
        return "; ".join([*leftovers.unfinished(connection), *unlike])


def try_writing(warehouse: Warehouse) -> None:
    """Take the writer's place and write one value as it stands.

    Raises:
        NoRightError: the user of the URL only reads.
        WarehouseError: another program holds it, or the file or disk takes nothing.
    """
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql("UPDATE warehouse_meta SET value = value")
