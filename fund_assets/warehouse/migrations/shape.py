"""Whether stored tables are what their declarations say, and what they lack.

Belongs here: comparing. Does not belong here: putting it right (`rebuild.py`), rows.

Both sides are the engine's own words. SQLite keeps the statement that made a table; a server
is asked to describe the stored table and an empty temporary one made from the declaration, so
that it words their conditions alike. The temporary one's have no names, since MySQL allows a
name once in a database. Comments are left out: a description is no shape.
"""

import re
from dataclasses import dataclass, field
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from fund_assets.schemas.tables import TABLES
from fund_assets.warehouse.engine.ddl import METADATA, sql_table

#: Before the names of temporary tables.
MODEL = "migration_model_"
COMMENT = re.compile(r" COMMENT '(?:[^'\\]|''|\\.)*'")
NAMED = re.compile(r"^CONSTRAINT \S+ ")
REFERENCE = re.compile(
    r"(?:CONSTRAINT (\S+) )?FOREIGN KEY ?\((\w+)\) REFERENCES (\w+) ?\((\w+)\)"
)
#: Lines of a server's description that are compared in other ways.
KEY = re.compile(r"^(UNIQUE )?KEY ")


@dataclass
class Difference:
    """What a stored table lacks of its declaration.

    Attributes:
        absent: it is not there at all.
        undeclared: columns that are stored and not declared.
        words: columns, keys and conditions that differ, as people are told.
        references: columns whose foreign key is missing or leads elsewhere.
        indexes: names of declared indexes that are missing.
    """

    table: str
    absent: bool = False
    undeclared: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        parts = (self.undeclared, self.words, self.references, self.indexes)
        return self.absent or any(parts)

    def __str__(self) -> str:
        if self.absent:
            return f"{self.table} is missing"
        told = [
            *(f"column {name} is not declared" for name in self.undeclared),
            *self.words,
            *(f"reference of {name}" for name in self.references),
            *(f"index {name}" for name in self.indexes),
        ]
        return f"{self.table}: {', '.join(told)}"


def difference(connection: sa.Connection, name: str) -> Difference:
    """What the stored table lacks of its declaration; false when it lacks nothing."""
    found = Difference(name)
    inspector = sa.inspect(connection)
    if not inspector.has_table(name):
        found.absent = True
        return found
    stored = [column["name"] for column in inspector.get_columns(name)]
    found.undeclared = [column for column in stored if column not in TABLES[name].names]
    text = description(connection, name)
    has, wants = _body(text), _body(_declared_text(connection, name))
    found.words = [
        *(f"lacks {line!r}" for line in sorted(wants - has)),
        *(f"has {line!r}" for line in sorted(has - wants)),
    ]
    leads = {column: (to, key) for _, column, to, key in references(text)}
    for column, target in TABLES[name].references.items():
        if leads.get(column) != (target, TABLES[target].primary_key[0]):
            found.references.append(column)
    indexes = {index["name"]: index["column_names"] for index in inspector.get_indexes(name)}
    for index in METADATA.tables[name].indexes:
        if indexes.get(index.name) != [column.name for column in index.columns]:
            found.indexes.append(str(index.name))
    found.indexes.sort()
    return found


def differences(connection: sa.Connection) -> list[Difference]:
    """Of all tables that differ."""
    return [found for name in METADATA.tables if (found := difference(connection, name))]


def references(text: str) -> list[tuple[str, str, str, str]]:
    """Name, column, target and its column of the foreign keys in a table's description."""
    return REFERENCE.findall(re.sub(r'[`"]', "", text))


def description(connection: sa.Connection, name: str) -> str:
    """A stored table in the words of its engine."""
    if connection.dialect.name == "sqlite":
        sql = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
        return str(connection.exec_driver_sql(sql, (name,)).scalar_one())
    return str(connection.exec_driver_sql(f"SHOW CREATE TABLE `{name}`").one()[1])


def _declared_text(connection: sa.Connection, name: str) -> str:
    if connection.dialect.name == "sqlite":
        return _sqlite_text(name)
    called = f"{MODEL}{name}"
    connection.exec_driver_sql(f"DROP TEMPORARY TABLE IF EXISTS `{called}`")
    connection.execute(_model(name, called))
    text = description(connection, called)
    connection.exec_driver_sql(f"DROP TEMPORARY TABLE `{called}`")
    return text


@cache
def _model(name: str, called: str) -> sa.schema.CreateTable:
    return sa.schema.CreateTable(
        sql_table(TABLES[name], sa.MetaData(), called, alone=True, named=False, temporary=True)
    )


@cache
def _sqlite_text(name: str) -> str:
    return str(sa.schema.CreateTable(METADATA.tables[name]).compile(dialect=sqlite.dialect()))


def _body(text: str) -> set[str]:
    """The columns, the key and the conditions of a description, as they can be compared."""
    text = COMMENT.sub("", text.replace("`", "").replace('"', ""))
    lines = (
        re.sub(r"\s+", " ", line).strip().rstrip(",").strip() for line in text.splitlines()
    )
    inner = [NAMED.sub("", line) for line in lines if line]
    return {
        line
        for line in inner[1:]
        if not line.startswith(")") and not KEY.match(line) and not REFERENCE.match(line)
    }
