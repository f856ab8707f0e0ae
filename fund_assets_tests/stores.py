"""The database that stands behind a state folder in tests, on the engine that is tested.

FUND_TEST_ENGINE=mysql runs the suite on MySQL or MariaDB: on the server of
FUND_TEST_MYSQL_URL, else on one that answers at 127.0.0.1:3306, else on one of its own.
FUND_TEST_ENGINE=strict runs it on one of its own that is as strict as a company's.
Belongs here: naming, copying and dropping databases. Does not belong here: what is in them.
"""

import hashlib
import os
import re
import secrets
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from fund_assets.schemas.tables import TABLES
from fund_assets.settings import Settings
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.warehouse import plain
from fund_assets_tests.mariadb import USUAL, Server, answers

ENGINE, SERVER, RUN = "FUND_TEST_ENGINE", "FUND_TEST_MYSQL_URL", "FUND_TEST_RUN"


def on_mysql() -> bool:
    """Whether this run of the tests is one on MySQL or MariaDB."""
    return os.environ.get(ENGINE, "sqlite") != "sqlite"


def provide_server() -> Server | None:
    """Make sure that there is a server; returns it when it is one of ours, to be stopped."""
    if os.environ.get(SERVER):
        return None
    strict = os.environ.get(ENGINE) == "strict"
    own = None if not strict and answers(USUAL) else Server(strict=strict)
    os.environ[SERVER] = USUAL if own is None else own.url
    return own


def url_for(state: Path) -> str:
    """FUND_WAREHOUSE_URL for a state folder: empty on SQLite, whose file is below it."""
    if not on_mysql():
        return ""
    return f"{os.environ[SERVER]}/{database(state)}"


def forget_settings(patch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's settings is left; what the tests are told stays."""
    for name in list(os.environ):
        ours = name.startswith(("FUND_TEST_", "FUND_REAL_DATA"))
        if name == "DAGSTER_HOME" or (name.startswith("FUND_") and not ours):
            patch.delenv(name)
    patch.setitem(Settings.model_config, "env_file", None)


def environment(state: Path) -> dict[str, str]:
    """The variables that lead a command to a state folder and its warehouse."""
    return {"FUND_STATE": str(state), "FUND_WAREHOUSE_URL": url_for(state)}


def at(folder: Path) -> str:
    """The URL of a warehouse that belongs to a folder, without settings around it."""
    return url_for(folder) or f"sqlite:///{folder / 'w.db'}"


def query(state: Path, sql: str, *parameters: object, source: str = "simulated") -> list[tuple]:
    """The rows of a query on the warehouse behind a state folder; parameters are marked ?."""
    marks = iter(range(len(parameters)))
    named = re.sub(r"\?", lambda _: f":p{next(marks)}", sql)
    warehouse = Warehouse(url_for(state) or f"sqlite:///{state / source / 'warehouse.db'}")
    try:
        with warehouse.transaction() as connection:
            values = {f"p{n}": value for n, value in enumerate(parameters)}
            found = connection.execute(sa.text(named), values)
            return [tuple(map(plain, row)) for row in found]
    finally:
        warehouse.close()


def exists(state: Path, source: str = "simulated") -> bool:
    """Whether there is a warehouse behind a state folder."""
    return Warehouse(url_for(state) or f"sqlite:///{state / source / 'warehouse.db'}").exists()


def copy(source: Path, target: Path) -> None:
    """A copy of a state folder, its warehouse included."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    if not on_mysql():
        return
    old, new = database(source), database(target)
    warehouse = Warehouse(url_for(target))
    held = Warehouse(url_for(source)).text(
        "SELECT value FROM warehouse_meta WHERE property = 'source'"
    )
    warehouse.init(str(held))
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql("SET foreign_key_checks = 0, unique_checks = 0")
        for table in TABLES:
            connection.exec_driver_sql(f"DELETE FROM `{new}`.`{table}`")
            connection.exec_driver_sql(
                f"INSERT INTO `{new}`.`{table}` SELECT * FROM `{old}`.`{table}`"
            )
        connection.exec_driver_sql("SET foreign_key_checks = 1, unique_checks = 1")
    warehouse.close()


def drop_all() -> None:
    """Drop the databases of this run of the tests."""
    url = sa.make_url(os.environ[SERVER]).set(drivername="mysql+mysqlconnector")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for name in connection.exec_driver_sql("SHOW DATABASES").scalars().all():
            if name.startswith(_prefix()):
                connection.exec_driver_sql(f"DROP DATABASE `{name}`")


def database(state: Path) -> str:
    """The name of the database that belongs to a folder."""
    return _prefix() + hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:16]


def _prefix() -> str:
    return f"fund_test_{os.environ.setdefault(RUN, secrets.token_hex(3))}_"
