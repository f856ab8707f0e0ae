"""Copying a warehouse into another database, to and fro, and proving that they are equal."""

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from fund_assets.cli import main
from fund_assets.schemas.tables import TABLES
from fund_assets.warehouse import Warehouse, WarehouseError
from fund_assets.warehouse import copy as warehouse_copy
from fund_assets_tests import stores


def silent(*_):
    """Tells nobody."""


def rows(warehouse):
    """All rows of all tables, read one by one: no code of the copy takes part."""
    return {name: sorted(map(str, warehouse.rows(f"SELECT * FROM {name}"))) for name in TABLES}


@pytest.fixture
def source(market, monkeypatch):
    """The market after its first evening, with rows in tables that it left empty."""
    monkeypatch.setattr(warehouse_copy, "FEW_ROWS", 500)
    warehouse = market.warehouse
    with warehouse.transaction(writes=True) as connection:
        connection.execute(
            sa.text("INSERT INTO calendar_override VALUES (20270104, 1, :note)"),
            {"note": "制表\t换行\n反斜\\N 'quoted' \"双\" 🀄"},
        )
        connection.execute(
            sa.text("INSERT INTO risk_free_rate VALUES (20200101, :rate, '')"),
            {"rate": 0.1 + 0.2},
        )
    return warehouse


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def target(request, tmp_path):
    """An empty database of either engine."""
    url = f"sqlite:///{tmp_path}/copy.db"
    if request.param == "mysql":
        url = request.getfixturevalue("mysql_database")
    warehouse = Warehouse(url)
    yield warehouse
    warehouse.close()


@pytest.mark.slow
def test_a_copy_holds_the_same_rows_and_comes_back_unchanged(source, target, tmp_path):
    """Stops a rounded NAV, a NULL that becomes a text, a lost sign or row between engines."""
    before = rows(source)
    assert sum(map(len, before.values())) > 10_000
    copied = warehouse_copy.copy(source, target, silent)
    assert rows(target) == before
    assert copied["validated_nav"] == len(before["validated_nav"])
    assert warehouse_copy.differences(source, target, silent) == []
    back = Warehouse(f"sqlite:///{tmp_path}/back.db")
    warehouse_copy.copy(target, back, silent)
    assert rows(back) == before
    back.close()


@pytest.mark.slow
def test_an_interrupted_copy_is_gone_on_with(source, target, monkeypatch):
    """Stops a copy that begins anew, doubles rows or leaves some out after an interruption."""
    monkeypatch.setattr(warehouse_copy, "BATCH_ROWS", 1_000)
    monkeypatch.setattr(warehouse_copy, "READER_ROWS", 3_000)
    total = warehouse_copy._count(source, TABLES["validated_nav"])

    def pull_the_plug(table, done, _total):
        if table.name == "validated_nav" and done >= 4_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        warehouse_copy.copy(source, target, pull_the_plug)
    assert warehouse_copy._count(target, TABLES["validated_nav"]) == 4_000
    copied = warehouse_copy.copy(source, target, silent)
    assert copied["validated_nav"] == total - 4_000
    assert copied["fund_info"] == 0
    assert rows(target) == rows(source)
    assert set(warehouse_copy.copy(source, target, silent).values()) == {0}


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_connection_neither_doubles_nor_loses_half_a_batch(
    source, mysql_database, monkeypatch, lost
):
    """Stops a second try that puts rows in again, and a half that is there without the first.

    The connection of the first batch's first or second half is cut when it commits.
    """
    monkeypatch.setattr(warehouse_copy, "BATCH_ROWS", 2_000)
    table = TABLES["validated_nav"]
    total = warehouse_copy._count(source, table)
    assert total > 4_000
    target = Warehouse(mysql_database)
    target.init(source.market())
    name = target.backend.url.database
    other = sa.create_engine(target.backend.url.set(database=""), poolclass=sa.NullPool)
    there = []

    def cut(connection):
        if connection.engine.url.database != name:
            return
        number = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
        with other.connect() as killer:
            count = killer.exec_driver_sql(f"SELECT COUNT(*) FROM {name}.validated_nav")
            there.append(count.scalar_one())
            if len(there) == lost + 1:
                killer.exec_driver_sql(f"KILL {number}")

    batches = warehouse_copy._stream(source, table)
    sa.event.listen(sa.Engine, "commit", cut)
    try:
        loaded = list(target.backend.load(target.engine, table, batches))
    finally:
        sa.event.remove(sa.Engine, "commit", cut)
    assert sum(loaded) == total
    assert there[:4] == ([0, 0, 1_000, 2_000] if lost == 0 else [0, 1_000, 1_000, 2_000])
    assert rows(target)["validated_nav"] == rows(source)["validated_nav"]
    target.close()


@pytest.mark.slow
def test_differences_are_found(source, tmp_path):
    """Stops a proof that finds every copy equal, or tells of the first difference alone."""
    target = Warehouse(f"sqlite:///{tmp_path}/copy.db")
    warehouse_copy.copy(source, target, silent)
    kept = warehouse_copy._count(source, TABLES["fund_metrics"])
    with target.transaction(writes=True) as connection:
        changed = [
            connection.exec_driver_sql(statement).rowcount
            for statement in (
                "UPDATE validated_nav SET unit_nav = unit_nav + 0.0001 WHERE nav_date = 20260917",
                "UPDATE validated_nav SET growth_pct = NULL WHERE growth_pct = 0",
                "DELETE FROM fund_metrics WHERE fund_code = '000001'",
            )
        ]
    assert min(changed) > 0
    assert sorted(warehouse_copy.differences(source, target, silent)) == [
        f"fund_metrics: {kept:,} rows and {kept - changed[2]:,}",
        "validated_nav.growth_pct: other values",
        "validated_nav.unit_nav: other values",
    ]
    target.close()


@pytest.mark.slow
def test_a_warehouse_that_holds_something_else_is_refused(source, tmp_path):
    """Stops two markets, or rows of other days, from being mixed by a slip of the keys."""
    real = Warehouse(f"sqlite:///{tmp_path}/real.db")
    real.init("akshare")
    with pytest.raises(WarehouseError, match="stores the akshare market"):
        warehouse_copy.copy(source, real, silent)
    fuller = Warehouse(f"sqlite:///{tmp_path}/fuller.db")
    warehouse_copy.copy(source, fuller, silent)
    with source.transaction(writes=True) as connection:
        connection.exec_driver_sql("DELETE FROM calendar_override")
    with pytest.raises(WarehouseError, match=r"has 1 rows of calendar_override, .* only 0"):
        warehouse_copy.copy(source, fuller, silent)
    real.close()
    fuller.close()


@pytest.mark.slow
def test_the_command_names_databases_without_passwords(market, tmp_path, monkeypatch):
    """Stops a password on the command line or on the screen, and a copy onto itself."""
    url = market.warehouse.backend.url.render_as_string(hide_password=False)
    monkeypatch.setenv("COPY_FROM", url)
    target = f"sqlite:///{tmp_path}/copy.db"
    done = CliRunner().invoke(main, ["copy-warehouse", "env:COPY_FROM", target])
    assert done.exit_code == 0, done.output
    assert "row counts and checksums of all columns match" in done.output
    for wrong, words in (
        (["env:NOTHING", target], "the environment variable NOTHING is not set"),
        ([target, target], "SRC and DST are both"),
        ([f"sqlite:///{tmp_path}/none.db", target], "does not exist"),
    ):
        told = CliRunner().invoke(main, ["copy-warehouse", *wrong])
        assert told.exit_code == 2
        assert words in told.output
    assert stores.on_mysql() or not (tmp_path / "none.db").exists()
