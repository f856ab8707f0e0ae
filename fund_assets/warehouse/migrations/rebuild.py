"""Giving stored tables the columns and conditions that their declarations have now.

Belongs here: what every script in `versions/` calls, and what new columns hold in old rows.
Does not belong here: which tables a release changed, or comparing (`shape.py`).

A table is made anew under another name, filled, and put in the old one's place. On SQLite all
of it is one transaction. A server commits at each statement that changes a table, so every
statement may be the last one: it is one step of a way that `leftovers.py` recognises, readers
find the table at every moment, and the same script run again goes on where it ended. A script
may therefore bring a table further than its own release did: the next one then finds nothing
to do. A renamed column would need a statement of its own.
"""

import sqlalchemy as sa

from fund_assets.schemas.tables import FOLLOWED, TABLES
from fund_assets.warehouse.engine.changes import changes_of
from fund_assets.warehouse.engine.ddl import METADATA, sql_table
from fund_assets.warehouse.engine.errors import WarehouseError
from fund_assets.warehouse.migrations import NEW, OLD
from fund_assets.warehouse.migrations.shape import (
    Difference,
    description,
    difference,
    references,
)

#: Columns that a release took away; any other that is not declared is somebody's own.
GONE = frozenset({("fund_info", "history_on")})
#: (table, column) → SQL for what rows have that are older than the column, which holds no NULL.
FILLS = {
    ("nav_revision", "legal_level"): (
        "CASE WHEN ABS(change_pct) >= 0.5 THEN 'announce' "
        "WHEN ABS(change_pct) >= 0.25 THEN 'report' ELSE 'none' END"
    ),
    # What was refined before is not told apart in older rows.
    ("nav_revision", "kind"): "'correction'",
    ("fund_benchmark", "tracked_code"): "''",
    ("publish_log", "rows_filled"): "0",
    ("fund_metrics", "gap_steps"): "0",
    ("fund_peers", "definition_version"): "1",
    ("nav_quarantine", "decided_by"): "''",
    ("nav_quarantine", "decided_in"): "''",
}


def create_missing() -> None:
    """Tables that are declared and not there."""
    from alembic import op

    METADATA.create_all(op.get_bind())


def note_all() -> None:
    """All rows that are there are changes: who follows them reads all tables."""
    from alembic import op

    connection = op.get_bind()
    for name in sorted(FOLLOWED & set(sa.inspect(connection).get_table_names())):
        if connection.exec_driver_sql(f"SELECT 1 FROM {name} LIMIT 1").first():
            changes_of(connection).note(TABLES[name], "written")


def rebuild(name: str) -> None:
    """Make a table what its declaration says, with all its rows."""
    from alembic import op

    connection = op.get_bind()
    on_sqlite = connection.dialect.name == "sqlite"
    found = difference(connection, name)
    if not (found.words or found.undeclared or (found.references and on_sqlite)):
        return
    if own := [column for column in found.undeclared if (name, column) not in GONE]:
        raise WarehouseError(
            f"{name}: column {own[0]} is not declared, and the table must be rebuilt. Nothing "
            "was removed; move your own columns to a table of your own, and run `fund-assets "
            "migrate` again"
        )
    stored = [column["name"] for column in sa.inspect(connection).get_columns(name)]
    names, values = [], []
    for column in METADATA.tables[name].columns:
        names.append(f"`{column.name}`")
        values.append(f"`{column.name}`" if column.name in stored else _fill(name, column))
    new = _table(connection, f"{NEW}{name}", name)
    connection.execute(sa.schema.CreateTable(new))
    # On a server the names of indexes are the table's own; in SQLite they are taken yet.
    indexes = sorted(new.indexes, key=lambda index: str(index.name))
    for index in [] if on_sqlite else indexes:
        index.create(connection)
    connection.exec_driver_sql(
        f"INSERT INTO {NEW}{name} ({', '.join(names)}) SELECT {', '.join(values)} FROM {name}"
    )
    _same_number(connection, name)
    if on_sqlite:
        connection.exec_driver_sql(f"DROP TABLE {name}")
        connection.exec_driver_sql(f"ALTER TABLE {NEW}{name} RENAME TO {name}")
        renew_indexes(connection, name)
        changes_of(connection).note(TABLES[name], "written")
    else:
        connection.exec_driver_sql(f"RENAME TABLE {name} TO {OLD}{name}, {NEW}{name} TO {name}")
        drop_old(connection, name)


def add_rows(name: str, values: dict[str, str], source: str) -> None:
    """Put rows into a table; those whose key it has already stay as they are.

    So a script that is run again adds nothing.

    Args:
        name: the table.
        values: column → SQL for what it holds; FILLS say it of the others without NULL.
        source: what follows FROM.
    """
    columns = METADATA.tables[name].columns
    told = {column.name: values.get(column.name) or _fill(name, column) for column in columns}
    incoming = ", ".join(f"{sql} AS `{column}`" for column, sql in told.items())
    same = " AND ".join(f"t.`{key}` = had.`{key}`" for key in TABLES[name].primary_key)
    from alembic import op

    op.get_bind().exec_driver_sql(
        f"INSERT INTO {name} ({', '.join(f'`{column}`' for column in told)}) "
        f"SELECT * FROM (SELECT {incoming} FROM {source}) AS had "
        f"WHERE NOT EXISTS (SELECT 1 FROM {name} AS t WHERE {same})"
    )
    changes_of(op.get_bind()).note(TABLES[name], "written")


def renew(connection: sa.Connection, found: Difference) -> None:
    """Put right what a table lacks, as far as nothing of it is lost: no column goes."""
    if not found.undeclared:
        rebuild(found.table)
    if connection.dialect.name != "sqlite":
        renew_references(connection, found.table)
    renew_indexes(connection, found.table)


def renew_indexes(connection: sa.Connection, name: str) -> None:
    """Indexes that are declared and not there."""
    missing = difference(connection, name).indexes
    there = {index["name"] for index in sa.inspect(connection).get_indexes(name)}
    for index in sorted(METADATA.tables[name].indexes, key=lambda index: str(index.name)):
        if index.name in missing:
            if index.name in there:
                index.drop(connection)
            index.create(connection)


def renew_references(connection: sa.Connection, name: str) -> None:
    """Foreign keys of a server's table that are missing, or follow a table that gave way."""
    for n, (column, target) in enumerate(TABLES[name].references.items(), start=1):
        key = TABLES[target].primary_key[0]
        called, right = f"{name}_ibfk_{n}", False
        for constraint, of, to, its in references(description(connection, name)):
            if of == column and (to, its) == (target, key):
                right = True
            elif of == column or constraint == called:
                connection.exec_driver_sql(
                    f"ALTER TABLE {name} DROP FOREIGN KEY `{constraint}`"
                )
        if not right:
            connection.exec_driver_sql(
                f"ALTER TABLE {name} ADD CONSTRAINT `{called}` "
                f"FOREIGN KEY (`{column}`) REFERENCES {target} (`{key}`)"
            )


def renew_comments(connection: sa.Connection, name: str) -> None:
    """Comments of a server's columns that are not the descriptions of today; no row is read."""
    from alembic import op

    stored = {
        column["name"]: column["comment"] for column in sa.inspect(connection).get_columns(name)
    }
    for column in METADATA.tables[name].columns:
        if stored[column.name] != column.comment:
            op.alter_column(
                name,
                column.name,
                comment=column.comment,
                existing_type=column.type,
                existing_nullable=column.nullable,
            )


def drop_old(connection: sa.Connection, name: str) -> None:
    """End of a server's way: what referred to the old table refers to the new one.

    While the old table is there, this is done again: what follows the table learns of it.
    """
    there = set(sa.inspect(connection).get_table_names())
    for table in TABLES.values():
        if name in table.references.values() and table.name in there:
            renew_references(connection, table.name)
    changes_of(connection).note(TABLES[name], "written")
    if "row_change" in there:
        changes_of(connection).write(connection)
    connection.exec_driver_sql(f"DROP TABLE {OLD}{name}")


def _fill(name: str, column: sa.Column[object]) -> str:
    fill = FILLS.get((name, column.name), "NULL" if column.nullable else None)
    if fill is None:
        raise WarehouseError(
            f"the migration does not know the value of {name}.{column.name} in older rows: "
            "this release lacks it (FILLS in migrations/rebuild.py); the rows are unchanged"
        )
    return fill


def _same_number(connection: sa.Connection, name: str) -> None:
    count = f"SELECT (SELECT COUNT(*) FROM {name}), (SELECT COUNT(*) FROM {NEW}{name})"
    had, has = connection.exec_driver_sql(count).one()
    if had != has:
        raise WarehouseError(f"{has} of {had} rows of {name} were copied: {name} is unchanged")


def _table(connection: sa.Connection, called: str, name: str) -> sa.Table:
    """The declared table under another name.

    MySQL has names of conditions once in a database, so there they are the server's own.
    """
    metadata = sa.MetaData()
    for target in TABLES[name].references.values():
        sql_table(TABLES[target], metadata, alone=True)
    named = connection.dialect.name == "sqlite" or getattr(
        connection.dialect, "is_mariadb", False
    )
    return sql_table(TABLES[name], metadata, called, named=named)
