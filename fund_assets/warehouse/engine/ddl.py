"""The SQL of the tables, made from their declarations in `schemas/tables.py`.

Belongs here: types, keys, CHECK constraints and what one engine needs on top. Does not
belong here: any column or limit of its own, or how tables of an older release become these
(`migrations/`).
"""

import sys
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from fund_assets.schemas.table import DATE_LIMITS, Column, Kind, Table
from fund_assets.schemas.tables import TABLES

MAX_REAL = sys.float_info.max
#: Longer texts are stored beside the row in MySQL.
LONGEST_VARCHAR = 2_000
#: The engines by what tells their conditions apart: the length of a text, and a pattern.
LENGTH = {"sqlite": "length", "mysql": "char_length"}
ONLY_DIGITS = {"sqlite": "{} NOT GLOB '*[^0-9]*'", "mysql": "{} NOT REGEXP '[^0-9]'"}


def sql_type(column: Column) -> sa.types.TypeEngine[Any]:
    """The type of a column. Numbers are 64 bits wide, and a float is the same float again."""
    if column.kind is Kind.REAL:
        return sa.REAL().with_variant(mysql.DOUBLE(), "mysql")
    if column.kind is Kind.CODE:
        return _text(6)
    if column.kind is Kind.TEXT:
        return _text(max(map(len, column.isin)) if column.isin else column.max_length)
    return sa.Integer().with_variant(
        mysql.INTEGER() if column.kind is Kind.DATE else mysql.BIGINT(), "mysql"
    )


def _text(longest: int) -> sa.types.TypeEngine[Any]:
    """A text. MySQL cuts off blanks that are too many: one of them stays, to be refused."""
    on_mysql = (
        mysql.VARCHAR(longest + 1, collation="utf8mb4_bin")
        if longest <= LONGEST_VARCHAR
        else mysql.MEDIUMTEXT(collation="utf8mb4_bin")
    )
    return sa.Text().with_variant(on_mysql, "mysql")


def conditions(column: Column, engine: str) -> Iterator[str]:
    """The CHECK conditions of a column: the same limits as its Pandera checks.

    Args:
        engine: "sqlite" or "mysql".
    """
    name = f'"{column.name}"'
    if column.kind is Kind.CODE:
        yield f"{LENGTH[engine]}({name}) = 6 AND {ONLY_DIGITS[engine].format(name)}"
    if column.kind is Kind.DATE:
        yield f"{name} BETWEEN {DATE_LIMITS[0]} AND {DATE_LIMITS[1]}"
    limits = [(">", column.gt), ("<", column.lt)]
    if column.kind is Kind.REAL:  # refuses infinities too; NaN is NULL in SQLite
        low = -MAX_REAL if column.ge is None else column.ge
        high = MAX_REAL if column.le is None else column.le
        if engine == "sqlite" or (column.ge, column.le) != (None, None):
            yield f"{name} BETWEEN {low!r} AND {high!r}"
    else:
        limits += [(">=", column.ge), ("<=", column.le)]
    for sign, limit in limits:
        if limit is not None:
            yield f"{name} {sign} {limit!r}"
    if column.isin:
        yield f"{name} IN ({', '.join(repr(value) for value in column.isin)})"
    elif column.kind is Kind.TEXT:
        yield f"{LENGTH[engine]}({name}) <= {column.max_length}"


def checks(table: Table, *, named: bool = True) -> Iterator[sa.CheckConstraint]:
    """The CHECK constraints of a table, for each engine its own."""
    for engine in LENGTH:
        for column in table.columns:
            for n, condition in enumerate(conditions(column, engine)):
                yield sa.CheckConstraint(
                    sa.text(condition),
                    name=f"ck_{table.name}_{column.name}_{n}" if named else None,
                ).ddl_if(dialect=engine)


def sql_column(table: Table, column: Column) -> sa.Column[Any]:
    """The column without its conditions."""
    return sa.Column(
        column.name,
        sql_type(column),
        nullable=column.nullable,
        primary_key=column.name in table.primary_key,
        autoincrement=False,
        comment=column.description,
    )


def sql_table(
    table: Table,
    metadata: sa.MetaData,
    called: str | None = None,
    *,
    alone: bool = False,
    named: bool = True,
    temporary: bool = False,
) -> sa.Table:
    """The table as SQLAlchemy knows it, added to `metadata`.

    Args:
        called: its name, when it is not to be its own.
        alone: without references to other tables and without indexes.
        named: its conditions have names of ours; else the server's, which follow the table's.
        temporary: of one session alone.
    """
    references = () if alone else table.references.items()
    indexes = () if alone else table.indexes
    return sa.Table(
        called or table.name,
        metadata,
        *(sql_column(table, column) for column in table.columns),
        sa.PrimaryKeyConstraint(*table.primary_key),
        *(
            sa.ForeignKeyConstraint([column], [f"{target}.{TABLES[target].primary_key[0]}"])
            for column, target in references
        ),
        *checks(table, named=named),
        *(sa.Index(f"ix_{table.name}_{'_'.join(key)}", *key) for key in indexes),
        prefixes=["TEMPORARY"] if temporary else [],
        sqlite_strict=True,
        sqlite_with_rowid=False,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


METADATA = sa.MetaData()
for _table in TABLES.values():
    sql_table(_table, METADATA)
