"""Statements that the program sends, judged by the rules of MySQL 8.

Belongs here: catching statements on their way to a server, and what MySQL 8 refuses although
MariaDB takes it. Does not belong here: anything that both refuse, because the statements have
run on MariaDB when they are judged.

Rules are from the manual of MySQL 8.0 and 8.4; the number of the error is named where there
is one. Functions, variables and types of casts are lists of what MySQL 8 has, so that nothing
unknown passes.
"""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.mysql.base import MySQLDialect

import fund_assets
from fund_assets.schemas.table import Table
from fund_assets.schemas.tables import TABLES
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse import copy as warehouse_copy
from fund_assets.warehouse.engine import bulk_reads
from fund_assets.warehouse.queries import index_series, selections
from fund_assets.warehouse.stores import recheck

OURS = str(Path(fund_assets.__file__).parent / "_")[:-1]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Reserved in MySQL 8.0, 8.4 or 9, and no reserved words of MariaDB 10.11.
RESERVED = _words("""CUBE CUME_DIST DENSE_RANK EMPTY FIRST_VALUE FUNCTION GENERATED GET GROUPING GROUPS
    IO_AFTER_GTIDS IO_BEFORE_GTIDS JSON_TABLE LAG LAST_VALUE LATERAL LEAD LIBRARY MANUAL
    MASTER_BIND NTH_VALUE NTILE OF OPTIMIZER_COSTS PARALLEL PERCENT_RANK QUALIFY RANK ROW
    ROW_NUMBER STORED SYSTEM TABLESAMPLE VIRTUAL WINDOW""")
WINDOW_FUNCTIONS = _words("""CUME_DIST DENSE_RANK FIRST_VALUE LAG LAST_VALUE LEAD NTH_VALUE NTILE PERCENT_RANK RANK
    ROW_NUMBER""")
FUNCTIONS = WINDOW_FUNCTIONS | _words("""ABS AVG CAST CHAR_LENGTH COALESCE CONCAT CONNECTION_ID COUNT CURRENT_USER DATABASE EXP
    FLOOR GET_LOCK GREATEST GROUP_CONCAT IF IFNULL INSTR LEAST LEFT LENGTH LN LOCATE LOWER MAX
    MIN MOD NULLIF POW RELEASE_LOCK REPLACE RIGHT ROUND SQRT SUBSTR SUBSTRING SUM TRIM UPPER
    VERSION""")
#: Words before a parenthesis that call nothing.
WORDS = _words("""ALL AND ANY AS BETWEEN BY CASE CHECK DISTINCT ELSE EXCEPT EXISTS FROM FULLTEXT IN INDEX
    INTERSECT INTO IS JOIN KEY LIKE NOT ON OR OVER PRIMARY REFERENCES SELECT SET THEN UNION
    UNIQUE USING VALUES WHEN WHERE WITH VARCHAR CHAR DECIMAL""")
CASTS = _words("BINARY CHAR DATE DATETIME DECIMAL DOUBLE FLOAT REAL SIGNED UNSIGNED")
VARIABLES = _words("""foreign_key_checks unique_checks information_schema_stats_expiry local_infile
    max_allowed_packet hostname datadir version""")
LONGEST_NAME = 64
TOKEN = re.compile(
    r"""\s+ | (?P<text>'(?:[^'\\]|''|\\.)*') | (?P<name>"[^"]*"|`[^`]*`) | (?P<mark>%\(?\w*\)?s)
    | (?P<variable>@@[\w.]+) | (?P<word>[A-Za-z_]\w*) | (?P<number>\d[\d.eE+-]*)
    | (?P<sign><=>|<>|!=|<=|>=|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)
Token = tuple[str, str]


class Judge:
    """What MySQL 8 would say of statements, in the order in which one database gets them."""

    def __init__(self) -> None:
        self._conditions: dict[str, set[str]] = {}
        self._temporary: set[str] = set()

    def faults(self, statement: str, *, plain: bool = False) -> list[str]:
        """Why MySQL 8 refuses a statement; empty when it does not.

        Args:
            plain: it runs in a session with the server's own sql_mode.
        """
        tokens = [
            (str(found.lastgroup), found.group())
            for found in TOKEN.finditer(statement)
            if found.lastgroup
        ]
        words = [text.upper() if kind == "word" else text for kind, text in tokens]
        return [
            *_reserved(tokens, words),
            *_calls(tokens, words),
            *_clauses(" ".join(words)),
            *(_mode(tokens) if plain else ()),
            *self._tables(tokens, words),
        ]

    def _tables(self, tokens: list[Token], words: list[str]) -> Iterator[str]:
        names = [text.strip('`"') if kind in ("word", "name") else "" for kind, text in tokens]
        yield from _own_subquery(words, names)
        for name in self._temporary:
            if names.count(name) > 1 and not _qualifies(names, words, name):
                yield f"1137: the temporary table {name} twice in a statement"
        head = " ".join(words[:3])
        if head.startswith(("CREATE TABLE", "CREATE TEMPORARY TABLE")):
            yield from self._created(words, names)
        elif words[0] == "DROP" and "TABLE" in words[:3]:
            self._temporary.discard(names[-1])
            self._conditions.pop(names[-1], None)
        elif head.startswith("RENAME TABLE"):
            pairs = [n for n in names[2:] if n and n.upper() != "TO"]
            for old, new in zip(pairs[::2], pairs[1::2], strict=True):
                self._conditions[new] = self._conditions.pop(old, set())
        elif words[:2] == ["ALTER", "TABLE"] and "RENAME" in words:
            self._conditions[names[-1]] = self._conditions.pop(names[2], set())

    def _created(self, words: list[str], names: list[str]) -> Iterator[str]:
        at = words.index("TABLE") + 1
        at += 3 * (words[at] == "IF")
        name, text = names[at], " ".join(words)
        if "PRIMARY KEY" not in text:
            yield f"3750: the table {name} has no primary key"
        if "TEMPORARY" in words[:2]:
            self._temporary.add(name)
        conditions = {
            names[n + 1]
            for n, w in enumerate(words)
            if w == "CONSTRAINT" and words[n + 2] == "CHECK"
        }
        # The same table again is one of another database, which has names of its own.
        for other, taken in self._conditions.items():
            for condition in sorted(conditions & taken if other != name else ()):
                yield f"3822: the condition {condition} of {name} is one of {other}"
        self._conditions[name] = conditions
        for long in (n for n in names if len(n) > LONGEST_NAME):
            yield f"1059: the name {long} is too long"
        for n, word in enumerate(words):
            if word == "REFERENCES" and names[n + 1] in TABLES:
                key = list(TABLES[names[n + 1]].primary_key)
                if [names[n + 3]] != key:
                    yield f"6125: {name} refers to a part of the key of {names[n + 1]}"


def _reserved(tokens: list[Token], words: list[str]) -> Iterator[str]:
    for n, (kind, text) in enumerate(tokens):
        if kind != "word" or words[n] not in RESERVED:
            continue
        after = words[n + 1] if n + 1 < len(words) else ""
        if not (words[n] in WINDOW_FUNCTIONS and after == "("):
            yield f"1064: {text} is reserved"


def _calls(tokens: list[Token], words: list[str]) -> Iterator[str]:
    into = False
    for n, (kind, text) in enumerate(tokens):
        after = words[n + 1] if n + 1 < len(words) else ""
        before = words[n - 1] if n else ""
        if kind == "variable" and text[2:].rpartition(".")[2] not in VARIABLES:
            yield f"1193: unknown variable {text}"
        if kind != "word":
            continue
        into = before in (
            "INTO",
            "TABLE",
            "REFERENCES",
            "EXISTS",
            "KEY",
            "ON",
            "INDEX",
            "AS",
            "WITH",
        )
        if after == "(" and not into and words[n] not in FUNCTIONS | WORDS:
            yield f"1305: no function {text}"
        if words[n] == "CAST" and (to := _cast_to(words, n)) not in CASTS:
            yield f"1064: nothing is cast to {to}"
    if words[0] == "SET" and words[1] not in ("SESSION", "NAMES"):
        for n in range(1, len(words) - 1):
            if words[n + 1] == "=" and tokens[n][1] not in VARIABLES:
                yield f"1193: unknown variable {tokens[n][1]}"


def _cast_to(words: list[str], at: int) -> str:
    """The type of the CAST that begins at a word."""
    depth = 0
    for n in range(at + 1, len(words)):
        depth += (words[n] == "(") - (words[n] == ")")
        if depth == 1 and words[n] == "AS":
            return words[n + 1]
    return ""


CLAUSES = {
    r"\bRETURNING\b": "1064: nothing returns rows that it wrote",
    r"\bCREATE OR REPLACE (?!VIEW)": "1064: only a view is created or replaced",
    r"\b(ADD|DROP|MODIFY|CHANGE) (COLUMN |INDEX |KEY |CONSTRAINT |FOREIGN KEY )?IF ": (
        "1064: a part of a table is not asked for with IF"
    ),
    r"^(CREATE( UNIQUE)?|DROP) INDEX IF ": "1064: an index is not asked for with IF",
    r"\b(CREATE|DROP|ALTER) SEQUENCE\b|\bNEXT VALUE FOR\b": "1064: no sequences",
    r"\bROWS EXAMINED\b": "1064: LIMIT has no ROWS EXAMINED",
    r"^SET STATEMENT\b": "1064: no variables for one statement",
    r"\bSYSTEM VERSIONING\b|\bFOR SYSTEM_TIME\b": "1064: no versioned tables",
    r"\bGROUP BY [^()]*?\b(ASC|DESC)\b(?=[^()]*$)(?<!ORDER BY)": "1064: GROUP BY sorts nothing",
    r"\bOFFSET \S+ ROWS?\b|\bFETCH (FIRST|NEXT)\b": "1064: no FETCH FIRST",
    r"\bVALUES ROW_\b": "1064",
    r"\b(EXCEPT|INTERSECT) ALL\b|\bMINUS\b": "1064: not in every MySQL 8.0",
    r"\bENGINE = (?!InnoDB|INNODB)": "1286: only InnoDB is there everywhere",
    r"\b(UUID|INET4|INET6|XMLTYPE|VARCHAR2|NUMBER)\b(?= (NOT|NULL|,|\)))": "1064: no such type",
    r"\bPERSISTENT\b|\bPAGE_CHECKSUM\b|\bTRANSACTIONAL\b": "1064: an option of MariaDB",
}


def _clauses(text: str) -> Iterator[str]:
    for pattern, words in CLAUSES.items():
        found = re.search(pattern, text)
        if found and not ("GROUP BY" in found.group() and "ORDER BY" in found.group()):
            yield words


def _mode(tokens: list[Token]) -> Iterator[str]:
    for kind, text in tokens:
        if (kind == "name" and text.startswith('"')) or text == "||":
            yield f"{text} means something else without ANSI_QUOTES and PIPES_AS_CONCAT"


def _own_subquery(words: list[str], names: list[str]) -> Iterator[str]:
    """1093: what is changed must not be read by a subquery of the same statement."""
    if words[0] == "UPDATE" and "SET" in words and "JOIN" not in words:
        target = names[1]
    elif words[:2] == ["DELETE", "FROM"]:
        target = names[2]
    else:
        return
    for n in range(3, len(words)):
        if words[n] in ("FROM", "JOIN") and names[n + 1] == target and "SELECT" in words[:n]:
            yield f"1093: {target} is changed and read at once"


def _qualifies(names: list[str], words: list[str], name: str) -> bool:
    """Whether all but one of the places of a name are before a point."""
    at = [n for n, found in enumerate(names) if found == name]
    return sum(n + 1 >= len(words) or words[n + 1] != "." for n in at) < 2


@contextmanager
def caught(patch: pytest.MonkeyPatch) -> Iterator[dict[str, bool]]:
    """Statements that the program sends to servers, in their order; whether in a plain session.

    It takes the server for a MySQL meanwhile, as far as that makes a difference to it.
    """
    found: dict[str, bool] = {}

    def listen(
        _connection: Any, _cursor: Any, sql: str, parameters: Any, context: Any, _many: bool
    ) -> tuple[str, Any]:
        if context is None or context.dialect.name == "mysql":
            if sql not in found and _is_ours():
                found[sql] = False
            if "information_schema_stats_expiry" in sql:
                sql = "DO 0"  # which MariaDB does not have
        return sql, parameters

    def read(backend: Any, sql: str, *arguments: Any, **options: Any) -> Iterator[Any]:
        if backend.url.get_backend_name() == "mysql":
            found.setdefault(sql, True)
        return stream(backend, sql, *arguments, **options)

    def columns(warehouse: Warehouse, sql: str, table: Table) -> Any:
        if warehouse.backend.url.get_backend_name() == "mysql":
            found[sql] = True  # a great many rows would be read in a plain session
        return by_columns(warehouse, sql, table)

    def as_mysql(dialect: MySQLDialect, connection: sa.Connection) -> None:
        initialize(dialect, connection)
        dialect.is_mariadb = False

    stream, initialize = bulk_reads.stream, MySQLDialect.initialize
    by_columns = Warehouse.columns
    patch.setattr(Warehouse, "columns", columns)
    for module in (bulk_reads, warehouse_copy, index_series, recheck, selections):
        patch.setattr(module, "stream", read)
    patch.setattr(MySQLDialect, "initialize", as_mysql)
    sa.event.listen(sa.Engine, "before_cursor_execute", listen, retval=True)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listen)


def _is_ours() -> bool:
    """Whether a statement is of the program, and not of a test."""
    for frame in reversed(traceback.extract_stack()):
        if frame.filename.startswith(OURS):
            return True
        if "fund_assets_tests" in frame.filename and frame.filename != __file__:
            return False
    return False
