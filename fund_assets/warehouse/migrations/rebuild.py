"""Giving a stored table the columns and conditions that its declaration has now.

Belongs here: what every script in `versions/` calls, and what new columns hold in old rows.
Does not belong here: which tables a release changed.

A table is made anew under another name, filled, and put in the old one's place; what refers
to it goes on to. A script may therefore bring a table further than its own release did: the
next one then finds nothing to do. A renamed column would need a statement of its own.
"""

import sqlalchemy as sa
from alembic import op

from fund_assets.schemas.tables import TABLES
from fund_assets.warehouse.ddl import METADATA, sql_table

#: (table, column) → SQL for what rows have that are older than the column, which holds no NULL.
FILLS = {
    ("nav_revision", "legal_level"): (
        "CASE WHEN ABS(change_pct) >= 0.5 THEN 'announce' "
        "WHEN ABS(change_pct) >= 0.25 THEN 'report' ELSE 'none' END"
    ),
    ("nav_quarantine", "decided_by"): "''",
    ("nav_quarantine", "decided_in"): "''",
}


def create_missing() -> None:
    """Tables that are declared and not there."""
    METADATA.create_all(op.get_bind())


def rebuild(name: str) -> None:
    """Make a table what its declaration says, with all its rows."""
    connection = op.get_bind()
    declared = METADATA.tables[name]
    stored = [column["name"] for column in sa.inspect(connection).get_columns(name)]
    names, values = [], []
    for column in declared.columns:
        fill = FILLS.get((name, column.name), "NULL" if column.nullable else None)
        if column.name in stored:
            fill = f"`{column.name}`"
        if fill is None:
            raise RuntimeError(f"FILLS says nothing of {name}.{column.name}")
        names.append(f"`{column.name}`")
        values.append(fill)
    new = _renamed(name)
    connection.execute(sa.schema.CreateTable(new))
    connection.exec_driver_sql(
        f"INSERT INTO new_{name} ({', '.join(names)}) SELECT {', '.join(values)} FROM {name}"
    )
    connection.exec_driver_sql(f"DROP TABLE {name}")
    connection.exec_driver_sql(f"ALTER TABLE new_{name} RENAME TO {name}")
    for index in declared.indexes:
        index.create(connection)


def _renamed(name: str) -> sa.Table:
    """The declared table as new_<name>, without its indexes, whose names are taken yet."""
    metadata = sa.MetaData()
    for other in TABLES.values():
        sql_table(other, metadata)
    new = sql_table(TABLES[name], metadata, called=f"new_{name}")
    new.indexes.clear()
    return new
