"""Fixtures that every kind of test may use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fund_assets_tests import real_data as real_data_folder
from fund_assets_tests import stores

_own_servers = []


def pytest_configure(config: pytest.Config) -> None:
    """One server for all workers: the process that starts them provides it."""
    if stores.on_mysql() and not hasattr(config, "workerinput"):
        _own_servers.append(stores.provide_server())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing of the tests stays behind on a server."""
    for server in _own_servers:
        if server is None:
            stores.drop_all()
        else:
            server.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: of several workers none is left alone with them at the end."""
    items.sort(key=lambda item: "/reliability/" not in item.nodeid)


def pytest_report_header() -> str:
    """Which engine the warehouses of this run are on."""
    where = os.environ[stores.SERVER] if stores.on_mysql() else "a file each"
    return f"warehouses: {os.environ.get(stores.ENGINE, 'sqlite')}, {where}"


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """The warehouses of this process do not wait for the disk: no test cuts its power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fund_assets.warehouse.engine.sqlite.SYNCHRONOUS", "OFF")
        yield


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[str]:
    """The URL of a MySQL or MariaDB server, also in a run whose warehouses are SQLite files."""
    own = stores.provide_server()
    yield os.environ[stores.SERVER]
    if own is not None:
        own.stop()
    elif not stores.on_mysql():
        stores.drop_all()


@pytest.fixture
def mysql_database(mysql_server: str, tmp_path: Path) -> str:
    """The URL of a database that is not there yet."""
    return f"{mysql_server}/{stores.database(tmp_path / 'mysql')}"


@pytest.fixture
def sqlite_only() -> None:
    """For what is about SQLite's file, and has no counterpart on a server."""
    if stores.on_mysql():
        pytest.skip("about the file of SQLite")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real fund histories, or a skip that says plainly that it is absent."""
    if absence := real_data_folder.absence():
        pytest.skip(absence)
    return real_data_folder.folder()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the developer's settings or writes below the project's own state."""
    stores.forget_settings(monkeypatch)
    monkeypatch.setenv("FUND_LANG", "en")
    for name, value in stores.environment(tmp_path / "state").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def by_columns(monkeypatch):
    """`Warehouse.columns` reads by the process that it keeps for a great many rows."""
    monkeypatch.setattr("fund_assets.warehouse.warehouse.FEW_ROWS", 0)
