"""A session on a MySQL or MariaDB server: its limits, its settings and its errors.

Belongs here: connecting, the settings of a session, the numbers of errors, and what leads the
columnar reader to the same TLS. Does not belong here: rows (`mysql_load.py`), transactions and
the upkeep of a database (`mysql.py`).

Every session is strict, so that a value which does not fit is an error; text is utf8mb4
and compared byte by byte, as in SQLite. Names are quoted as in standard SQL.
"""

from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import mysql.connector
import sqlalchemy as sa
import tenacity

#: Of those who write: connecting, and one answer of the server.
CONNECT_S, ANSWER_S = 10, 900
#: Of those who only look.
READER_CONNECT_S, READER_ANSWER_S = 2, 3
SQL_MODE = "ANSI_QUOTES,PIPES_AS_CONCAT,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"
UNKNOWN_DATABASE = 1049
#: Deadlock, lock wait; lost, gone, refused and reset connections; a server that goes down.
PASSING = {1053, 1205, 1213, 1927, 2002, 2003, 2006, 2013, 2055, 4031}
#: Of a database, of a table, of a column, of a setting.
DENIED = {1044, 1142, 1143, 1227}
#: Too many connections: of the server, of this user, of what this user may have.
FULL = {1040, 1203, 1226}
FULL_WAIT_S = 15


def make_engine(url: sa.URL, *, read_only: bool, files: Path) -> sa.Engine:
    """Connections for work.

    Args:
        files: the one folder whose files the server may ask for.
    """
    connect_s, answer_s = (
        (READER_CONNECT_S, READER_ANSWER_S) if read_only else (CONNECT_S, ANSWER_S)
    )
    engine = sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "use_pure": True,  # the same driver on every machine
            "charset": "utf8mb4",
            "collation": "utf8mb4_bin",
            "sql_mode": SQL_MODE,
            "connection_timeout": connect_s,
            "read_timeout": answer_s,
            "write_timeout": answer_s,
            "allow_local_infile_in_path": str(files),
        },
    )
    sa.event.listen(engine, "do_connect", _connect)
    sa.event.listen(engine, "connect", _only_reading if read_only else _writing)
    return engine


def make_trial_engine(url: sa.URL) -> sa.Engine:
    """Connections that only show whether there are any, and soon."""
    engine = sa.create_engine(
        url, poolclass=sa.NullPool, connect_args={"connection_timeout": READER_CONNECT_S}
    )
    sa.event.listen(engine, "do_connect", _connect)
    return engine


def _connect(dialect: Any, _: Any, arguments: Any, options: Any) -> Any:
    """A connection; where all are taken, others' end is waited for."""
    waiting = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_full),
        stop=tenacity.stop_after_delay(FULL_WAIT_S),
        wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=2),
        reraise=True,
    )
    return waiting(dialect.connect, *arguments, **options)


def _is_full(error: BaseException) -> bool:
    return isinstance(error, mysql.connector.Error) and error.errno in FULL


def _writing(connection: Any, _record: object) -> None:
    _transactions(connection, "READ WRITE")


def _only_reading(connection: Any, _record: object) -> None:
    _transactions(connection, "READ ONLY")


def _transactions(connection: Any, access: str) -> None:
    """What a transaction sees and may do; a server's own setting could be any other."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, {access}")


def fresh_sizes(connection: sa.Connection) -> None:
    """MySQL tells sizes that are up to a day old, unless it is asked not to."""
    if not getattr(connection.dialect, "is_mariadb", False):
        connection.exec_driver_sql("SET SESSION information_schema_stats_expiry = 0")


def reader_tls(url: sa.URL, cipher: str) -> str:
    """The query of a URL that leads the columnar reader to the same TLS as the driver.

    Left alone it would ask for none, and a server that wants TLS says "access denied".

    Args:
        cipher: what the driver and the server have agreed on; empty without TLS.
    """
    if not cipher:
        return ""
    modes = {"ssl_verify_identity": "verify_identity", "ssl_verify_cert": "verify_ca"}
    asked = [mode for option, mode in modes.items() if option in url.query]
    options = {"ssl-mode": [*asked, "required"][0]}
    if authority := url.query.get("ssl_ca"):
        options["ssl-ca"] = str(authority)
    return "?" + urlencode({**options, "prefer_socket": "false"}, quote_via=quote, safe="/")


def is_transient(error: sa.exc.DBAPIError) -> bool:
    """Whether the same may succeed when it is tried again."""
    # Where systemd listens for a server that is not there yet, nobody greets who connects.
    ungreeted = isinstance(error.orig, mysql.connector.errors.ConnectionTimeoutError)
    return error.connection_invalidated or ungreeted or error_number(error) in PASSING


def error_number(error: sa.exc.DBAPIError) -> int:
    """The server's number of an error, 0 where it is none of the server's."""
    return int(getattr(error.orig, "errno", 0) or 0)
