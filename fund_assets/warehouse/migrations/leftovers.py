"""What an interrupted migration left behind: recognised, and finished or taken back.

Belongs here: the states between two statements of `rebuild.rebuild`, and those of releases
before it, whose new table was called new_<table> and took the place of one that was dropped
first. Does not belong here: making a table anew.

- table and migration_new_: it ended while filling. The new one goes.
- table and migration_old_: after the swap. References are led to the table, the old one goes.
- migration_new_ or migration_old_ without the table: within the swap. The new one takes the
  place, or the old one again.
- new_ without the table: between dropping and renaming. It becomes the table.
- table and new_: while filling, or an empty table was made in the dropped one's place. Rows
  that the table lacks are put back, and new_ goes.
"""

import sqlalchemy as sa

from fund_assets.schemas.tables import TABLES
from fund_assets.warehouse.engine.errors import WarehouseError
from fund_assets.warehouse.engine.views import VIEWS
from fund_assets.warehouse.migrations import NEW, OLD

#: Before the names that releases up to revision 0004 filled.
FORMER = "new_"


def leftovers(connection: sa.Connection) -> list[str]:
    """Names of tables that an interrupted migration left."""
    there = set(sa.inspect(connection).get_table_names())
    return [before + name for name in TABLES for before in (FORMER, NEW, OLD)
            if before + name in there]  # fmt: skip


def missing_views(connection: sa.Connection) -> list[str]:
    """Names of declared views that are not there."""
    there = set(sa.inspect(connection).get_view_names())
    return [name for name in VIEWS if name not in there]


def unfinished(connection: sa.Connection) -> list[str]:
    """What is left, and what is missing, by the names of tables and views alone."""
    there = set(sa.inspect(connection).get_table_names())
    return [
        *(f"{name} is left of a migration" for name in leftovers(connection)),
        *(f"table {name} is missing" for name in TABLES if name not in there),
        *(f"view {name} is missing" for name in missing_views(connection)),
    ]


def settle(connection: sa.Connection) -> None:
    """No table is left but those of the warehouse, and no row is lost."""
    from fund_assets.warehouse.migrations.rebuild import drop_old

    if not leftovers(connection):
        return
    for name in TABLES:
        there = set(sa.inspect(connection).get_table_names())
        former, new, old = (before + name for before in (FORMER, NEW, OLD))
        found = [table for table in (new, former, old) if table in there]
        if found and name not in there:
            _rename(connection, found[0], name)
            there = there - {found[0]} | {name}
        if former in there:
            _put_back(connection, name)
        if new in there:
            connection.exec_driver_sql(f"DROP TABLE {new}")
        if old in there:
            drop_old(connection, name)


def _rename(connection: sa.Connection, name: str, to: str) -> None:
    connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {to}")


def _put_back(connection: sa.Connection, name: str) -> None:
    """Rows that new_<table> has and the table lacks: it had been dropped and made anew."""
    key = TABLES[name].primary_key
    same = " AND ".join(f"t.`{column}` = n.`{column}`" for column in key)
    lacked = (
        f"FROM {FORMER}{name} AS n WHERE NOT EXISTS (SELECT 1 FROM {name} AS t WHERE {same})"
    )
    missing = connection.exec_driver_sql(f"SELECT COUNT(*) {lacked}").scalar_one()
    if missing:
        inspector = sa.inspect(connection)
        has, had = (
            [column["name"] for column in inspector.get_columns(table)]
            for table in (name, f"{FORMER}{name}")
        )
        if set(has) != set(had):
            raise WarehouseError(
                f"{FORMER}{name} has {missing} rows that {name} lacks, and other columns: an "
                f"interrupted migration left both; keep the correct one as {name}, drop "
                f"{FORMER}{name}, and run `fund-assets migrate` again"
            )
        columns = ", ".join(f"`{column}`" for column in had)
        connection.exec_driver_sql(f"INSERT INTO {name} ({columns}) SELECT {columns} {lacked}")
    connection.exec_driver_sql(f"DROP TABLE {FORMER}{name}")
