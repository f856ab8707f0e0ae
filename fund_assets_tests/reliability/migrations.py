"""The command `migrate`, and `init`, ended before every statement, and run again.

Belongs here: walking all moments at which the program may end, and comparing what the next
run makes with what an undisturbed one makes. Does not belong here: single cases
(`unit/warehouse/test_migrations.py`).

    python -m fund_assets_tests.reliability.migrations --engine mariadb

A process of one thread, which makes a child by fork for every moment: the child ends itself
with os._exit before its statement, as a kill would. A commit counts as a statement.
"""

import argparse
import json
import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from fund_assets.warehouse import Warehouse, WarehouseError

OLD = Path(__file__).resolve().parents[1] / "migrations"
ENDED = 137
DATABASE = "fund_walk"


class SqliteStore:
    """A file, made as the first release made it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "w.db"
        self.url = f"sqlite:///{self.path}"

    def empty(self) -> None:
        """Nothing is there."""
        for file in self.path.parent.glob("w.db*"):
            file.unlink()

    def first(self) -> None:
        """Tables and rows of the first release."""
        self.empty()
        with sqlite3.connect(self.path) as connection:
            connection.executescript((OLD / "0001.sqlite.sql").read_text())
        connection.close()


class ServerStore:
    """A database on a server, made as the first release made it."""

    def __init__(self, server: str, database: str = DATABASE) -> None:
        self.server, self.database = server, database
        self.url = f"{server}/{database}"

    def empty(self) -> None:
        """Nothing is there."""
        self._run([f"DROP DATABASE IF EXISTS {self.database}", self._create()])

    def first(self) -> None:
        """Tables and rows of the first release."""
        script = (OLD / "0001.mysql.sql").read_text()
        statements = [part for part in script.split(";\n") if part.strip()]
        self._run(
            [f"DROP DATABASE IF EXISTS {self.database}", self._create(), f"USE {self.database}",
             "SET foreign_key_checks = 0, sql_mode = ''", *statements]
        )  # fmt: skip

    def _create(self) -> str:
        return f"CREATE DATABASE {self.database} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

    def _run(self, statements: list[str]) -> None:
        url = sa.make_url(self.server).set(drivername="mysql+mysqlconnector")
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            cursor = connection.connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            connection.connection.commit()
        engine.dispose()


Store = SqliteStore | ServerStore


def state(url: str) -> dict[str, object]:
    """All that a database has: tables and views in its own words, all rows, the revision."""
    warehouse = Warehouse(url)
    found: dict[str, object] = {"revision": warehouse.revision()}
    with warehouse.transaction() as connection:
        inspector = sa.inspect(connection)
        for name in sorted(inspector.get_table_names()):
            if warehouse.backend.url.get_backend_name() != "sqlite":
                made = connection.exec_driver_sql(f"SHOW CREATE TABLE `{name}`").one()[1]
                found[f"table {name}"] = _without_order_of_keys(made)
            if name == "change_version":
                continue  # its marks are random
            # What is done again at another start has another version of the change feed.
            what = "DISTINCT table_name, fund_code" if name == "row_change" else "*"
            rows = connection.exec_driver_sql(f"SELECT {what} FROM `{name}`").all()
            found[f"rows of {name}"] = sorted(map(repr, rows))
        for name in inspector.get_view_names():
            found[f"view {name}"] = [
                inspector.get_view_definition(name),
                connection.exec_driver_sql(f"SELECT COUNT(*) FROM {name}").scalar_one(),
            ]
        if warehouse.backend.url.get_backend_name() == "sqlite":
            found["schema"] = sorted(
                map(repr, connection.exec_driver_sql(
                    "SELECT type, name, replace(sql, '\"', '') FROM sqlite_master"
                ).all())
            )  # fmt: skip
    warehouse.close()
    return found


def _without_order_of_keys(made: str) -> list[str]:
    """Columns in their order, then keys in one of ours: they are made in that of a set."""
    lines = [line.strip().rstrip(",") for line in made.splitlines()]
    return sorted(lines, key=lambda line: line if "KEY " in line else "")


def migrate(url: str) -> None:
    """As the command does."""
    warehouse = Warehouse(url)
    warehouse.migrate()
    warehouse.close()


def init(url: str) -> None:
    """As every command does that finds no tables."""
    warehouse = Warehouse(url)
    warehouse.init("simulated")
    warehouse.close()


def ended_before(what: Callable[[str], None], url: str, moment: int) -> bool:
    """Do it in a process that ends before its n-th statement; false when it has no such."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code not in (0, ENDED):
            raise RuntimeError(f"the child ended with {code} at moment {moment}")
        return code == ENDED
    code = 1
    try:
        _count_down(moment)
        what(url)
        code = 0
    except BaseException as error:
        print(f"moment {moment}: {error!r}", file=sys.stderr, flush=True)
    os._exit(code)


def _count_down(moment: int) -> None:
    left = moment

    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os._exit(ENDED)

    sa.event.listen(sa.Engine, "before_cursor_execute", step)
    sa.event.listen(sa.Engine, "commit", step)


def judged(what: Callable[[str], None], url: str, want: dict[str, object]) -> str:
    """What is wrong when it is done again; empty when nothing is."""
    try:
        what(url)
    except (WarehouseError, sa.exc.SQLAlchemyError) as error:
        return f"{type(error).__name__}: {error}"
    found = state(url)
    return ", ".join(
        str(name) for name in sorted({*found, *want}) if found.get(name) != want.get(name)
    )


def walk(
    store: Store, what: Callable[[str], None], begin: Callable[[], None], only: set[int] | None
) -> Iterator[tuple[str, str]]:
    """Every moment (or `only` these), and what was wrong after it."""
    begin()
    what(store.url)
    want = state(store.url)
    moment = 0
    while True:
        moment += 1
        if only is not None and moment not in only:
            if moment > max(only):
                return
            continue
        begin()
        if not ended_before(what, store.url, moment):
            return
        yield f"{what.__name__} {moment}", judged(what, store.url, want)


def twice(store: Store, moments: int, trials: int, seed: int) -> Iterator[tuple[str, str]]:
    """Ended at a random moment, again at one of the next run, then run to the end."""
    store.first()
    migrate(store.url)
    want = state(store.url)
    moment = random.Random(seed)
    for _ in range(trials):
        first, second = moment.randint(1, moments), moment.randint(1, moments)
        store.first()
        ended_before(migrate, store.url, first)
        ended_before(migrate, store.url, second)
        yield f"migrate {first} and {second}", judged(migrate, store.url, want)


def main(arguments: list[str] | None = None) -> int:
    """Walk; the last line is JSON: points, and what was wrong by point."""
    parser = argparse.ArgumentParser(prog="python -m fund_assets_tests.reliability.migrations")
    parser.add_argument("--engine", choices=["sqlite", "mariadb"], required=True)
    parser.add_argument("--twice", type=int, default=20, help="trials that end twice")
    parser.add_argument("--every", type=int, default=1, help="take every n-th moment alone")
    parser.add_argument("--server", help="URL of a server to be used; else one is started")
    options = parser.parse_args(arguments)
    points, wrong = 0, {}
    only = set(range(1, 2000, options.every)) if options.every > 1 else None
    with _store(options.engine, options.server) as store:
        walks = (
            walk(store, migrate, store.first, only),
            walk(store, init, store.empty, only),
        )
        moments = 1
        for found in walks:
            for point, words in found:
                points += 1
                moments = points if point.startswith("migrate") else moments
                if words:
                    wrong[point] = words
        for point, words in twice(store, moments * options.every, options.twice, 1):
            points += 1
            if words:
                wrong[point] = words
    print(json.dumps({"engine": options.engine, "points": points, "wrong": wrong}))
    return 1 if wrong else 0


@contextmanager
def _store(engine: str, server: str | None) -> Iterator[Store]:
    if engine == "sqlite":
        with tempfile.TemporaryDirectory(prefix="fund-walk-") as folder:
            yield SqliteStore(Path(folder))
        return
    from fund_assets_tests.mariadb import Server

    own = None if server else Server()
    try:
        yield ServerStore(server or own.url, DATABASE if own else f"{DATABASE}_{os.getpid()}")
    finally:
        if own:
            own.stop()


if __name__ == "__main__":
    sys.exit(main())
