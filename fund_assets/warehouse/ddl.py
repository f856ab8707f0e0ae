"""The SQL of the tables, made from their declarations in `schemas/tables.py`.

Belongs here: types, keys, CHECK constraints and what one engine needs on top. Does not
belong here: any column or limit of its own.
"""

import sys
from collections.abc import Iterator

import sqlalchemy as sa

from fund_assets.schemas.table import DATE_LIMITS, Column, Kind, Table
from fund_assets.schemas.tables import TABLES

TYPES: dict[Kind, sa.types.TypeEngine] = {
    Kind.CODE: sa.Text(),
    Kind.DATE: sa.Integer(),
    Kind.STAMP: sa.Integer(),
    Kind.INT: sa.Integer(),
    Kind.REAL: sa.REAL(),
    Kind.TEXT: sa.Text(),
}

MAX_REAL = sys.float_info.max


def conditions(column: Column) -> Iterator[str]:
    """The CHECK conditions of a column: the same limits as its Pandera checks."""
    name = f'"{column.name}"'
    if column.kind is Kind.CODE:
        yield f"length({name}) = 6 AND {name} NOT GLOB '*[^0-9]*'"
    if column.kind is Kind.DATE:
        yield f"{name} BETWEEN {DATE_LIMITS[0]} AND {DATE_LIMITS[1]}"
    limits = [(">", column.gt), ("<", column.lt)]
    if column.kind is Kind.REAL:  # refuses infinities too; NaN is NULL in SQLite
        low = -MAX_REAL if column.ge is None else column.ge
        high = MAX_REAL if column.le is None else column.le
        yield f"{name} BETWEEN {low!r} AND {high!r}"
    else:
        limits += [(">=", column.ge), ("<=", column.le)]
    for sign, limit in limits:
        if limit is not None:
            yield f"{name} {sign} {limit!r}"
    if column.isin:
        yield f"{name} IN ({', '.join(repr(value) for value in column.isin)})"
    elif column.kind is Kind.TEXT:
        yield f"length({name}) <= {column.max_length}"


def _sql_table(table: Table, metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        table.name,
        metadata,
        *(
            sa.Column(
                column.name,
                TYPES[column.kind],
                nullable=column.nullable,
                primary_key=column.name in table.primary_key,
                comment=column.description,
            )
            for column in table.columns
        ),
        sa.PrimaryKeyConstraint(*table.primary_key),
        *(
            sa.ForeignKeyConstraint([column], [f"{target}.{TABLES[target].primary_key[0]}"])
            for column, target in table.references.items()
        ),
        *(
            sa.CheckConstraint(sa.text(condition), name=f"ck_{table.name}_{column.name}_{n}")
            for column in table.columns
            for n, condition in enumerate(conditions(column))
        ),
        *(sa.Index(f"ix_{table.name}_{'_'.join(key)}", *key) for key in table.indexes),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


METADATA = sa.MetaData()
for _table in TABLES.values():
    _sql_table(_table, METADATA)
