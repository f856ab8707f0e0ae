"""Opening a warehouse, and its CHECK constraints against the Pandera schemas."""

import sqlite3
import threading

import mysql.connector
import pandas as pd
import pandera.pandas as pa
import pytest
import sqlalchemy as sa
from pandera.errors import SchemaErrors

from fund_assets.nav.landing_rows import Origin, prepare
from fund_assets.nav.list_rules import described
from fund_assets.schemas.table import Kind
from fund_assets.schemas.tables import TABLES, VALIDATED_NAV
from fund_assets.sources.protocol import empty_observations
from fund_assets.warehouse import Warehouse, WarehouseError
from fund_assets.warehouse.engine.diff_writes import insert, upsert
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.stores import landing
from fund_assets_tests import stores
from fund_assets_tests.unit.builders import FRI, stored

INF = float("inf")


def make(folder, source="simulated"):
    warehouse = Warehouse(stores.at(folder))
    warehouse.init(source)
    return warehouse


@pytest.fixture
def warehouse(tmp_path):
    warehouse = make(tmp_path)
    yield warehouse
    warehouse.close()


def test_another_source_is_refused(tmp_path):
    """Stops invented NAVs and real ones from ever standing in one table."""
    make(tmp_path).close()
    make(tmp_path).close()
    other = Warehouse(stores.at(tmp_path))
    with pytest.raises(
        WarehouseError, match=r"stores the simulated market.*FUND_SOURCE is akshare"
    ) as told:
        other.init("akshare")
    assert "set FUND_STATE (or FUND_WAREHOUSE_URL) to another place" in str(told.value)
    other.close()


def test_another_version_is_refused(tmp_path):
    """Stops a program from writing into tables that it does not know."""
    warehouse = make(tmp_path)
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '99'")
    with pytest.raises(WarehouseError, match=r"has tables of revision 99.*install the release"):
        warehouse.init("simulated")
    with pytest.raises(WarehouseError, match="revision 99, newer than this program's"):
        warehouse.migrate()
    warehouse.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("no url", "FUND_WAREHOUSE_URL is not a SQLAlchemy URL"),
        ("postgresql://u:secret@h/db", "stored in SQLite, MySQL or MariaDB"),
        ("mysql://u:secret@h", "has no database name"),
        ("sqlite://", "has no file name"),
    ],
)
def test_a_wrong_url_is_told_without_its_password(url, words):
    """Stops a password from being printed, and a wrong URL from being told as a stack trace."""
    with pytest.raises(WarehouseError) as told:
        Warehouse(url)
    assert words in str(told.value) and "secret" not in str(told.value)


@pytest.mark.parametrize(
    "name", ["a b.db", "基金 数据.db", "100%?.db", "#1&x=y.db", "quote'd.db"]
)
@pytest.mark.usefixtures("by_columns")
def test_odd_paths_work_for_rows_and_columns(tmp_path, name):
    """Stops a space, a Chinese name or a sign from leading the two readers to two files."""
    warehouse = Warehouse(
        sa.URL.create("sqlite", database=str(tmp_path / "目录 x" / name)).render_as_string()
    )
    warehouse.init("simulated")
    funds = pd.DataFrame({"fund_code": ["000001"], "name": "x", "fund_type": "", "pinyin": ""})
    landing.write_fund_info(warehouse, described(funds, FRI))
    with warehouse.transaction(writes=True) as connection:
        insert(connection, VALIDATED_NAV, stored(("000001", FRI, 1.0, 1.0, 0.0, 1.0, "first")))
    assert (
        warehouse.columns("SELECT * FROM validated_nav", VALIDATED_NAV)["unit_nav"].item()
        == 1.0
    )
    warehouse.close()
    assert [path.name for path in (tmp_path / "目录 x").glob("*.db")] == [name]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    """Stops a wrong FUND_STATE from being told as a stack trace."""
    (tmp_path / "file").write_text("")
    with pytest.raises(
        WarehouseError, match=r"the folder .*file/state of the warehouse cannot be created"
    ):
        Warehouse(f"sqlite:///{tmp_path}/file/state/w.db").init("simulated")


def test_a_damaged_file_is_told(tmp_path):
    """Stops a damaged database from being told as a stack trace."""
    (tmp_path / "w.db").write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(WarehouseError, match=r"w\.db"):
        Warehouse(f"sqlite:///{tmp_path}/w.db").init("simulated")


def test_readers_see_the_state_before_an_open_transaction(warehouse):
    """Stops a reader from seeing half a batch, or from waiting for the writer."""
    funds = pd.DataFrame({"fund_code": ["000001"], "name": "x", "fund_type": "", "pinyin": ""})
    with warehouse.transaction(writes=True) as connection:
        upsert(connection, TABLES["fund_info"], described(funds, FRI))
        assert landing.fund_info(warehouse).empty
    assert len(landing.fund_info(warehouse)) == 1


def test_one_writer_at_a_time(warehouse):
    """Stops two writers from interleaving: the second waits for the first."""
    order = []

    def second():
        with warehouse.transaction(writes=True):
            order.append("second")

    with warehouse.transaction(writes=True):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_the_tables_refuse_what_has_no_parent(warehouse):
    """Stops a NAV of a fund that nobody knows."""
    with (
        pytest.raises(sa.exc.IntegrityError, match="FOREIGN KEY"),
        warehouse.transaction(writes=True) as connection,
    ):
        insert(connection, VALIDATED_NAV, stored(("000001", FRI, 1.0, 1.0, 0.0, 1.0, "first")))


# What the database refuses and what Pandera refuses must be the same.
NUMBERS = [-1e300, -1e4, -100.5, -100.0, -1.0, -1e-9, 0.0, 1e-9, 0.5, 1.0, 100.0, 999_999.5, 1e4, 1e5,
           1e6, 1e300, INF, -INF]  # fmt: skip
DAYS = [0, -1, 19_900_100, 19_900_101, 20_260_917, 21_001_231, 21_001_232, 2**31 - 1]
WHOLE = [-1, 0, 1, 2, 10**9, -(10**9)]
CODES = ["000001", "999999", "", "1", "12345", "1234567", "abcdef", "00000a", "０００００１", "00000１",
         "٠٠٠٠٠١", " 00001", "000001\n", "-00001", "0x0001", "1e0001"]  # fmt: skip
TEXTS = ["", "x", "基金📈", "'; drop table x; --", "字" * 40, "x" * 61, "x" * 200, "x" * 201,
         "字" * 600, "x" * 10_240]  # fmt: skip


def values_for(column):
    return {
        Kind.REAL: NUMBERS,
        Kind.DATE: DAYS,
        Kind.STAMP: [0, 20260917_190000],
        Kind.INT: WHOLE,
        Kind.CODE: CODES,
        Kind.TEXT: [*TEXTS, *column.isin],
    }[column.kind]


def good_row(table):
    """One row that the table accepts."""
    by_kind = {Kind.REAL: 0.5, Kind.DATE: 20260917, Kind.STAMP: 20260917_190000, Kind.INT: 1,
               Kind.CODE: "000001", Kind.TEXT: "x"}  # fmt: skip
    row = {c.name: c.isin[0] if c.isin else by_kind[c.kind] for c in table.columns}
    return {c.name: -0.5 if c.le == 0 else row[c.name] for c in table.columns}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The tables, without foreign keys: a column is judged by itself."""
    folder = tmp_path_factory.mktemp("db")
    warehouse = make(folder)
    connection = warehouse.engine.raw_connection()
    cursor = connection.cursor()
    # Off, as a column is judged by itself.
    cursor.execute(
        "SET foreign_key_checks = 0" if stores.on_mysql() else "PRAGMA foreign_keys = OFF"
    )
    cursor.execute("BEGIN")
    yield cursor
    connection.invalidate()
    warehouse.close()


def accepted_by_database(database, table, row):
    names = ", ".join(f'"{name}"' for name in table.names)
    marks = ", ".join("%s" if stores.on_mysql() else "?" for _ in table.names)
    database.execute("SAVEPOINT one")
    try:
        database.execute(
            f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(row.values())
        )
        return True
    except (sqlite3.IntegrityError, mysql.connector.Error):
        return False
    finally:
        database.execute("ROLLBACK TO one")


def accepted_by_pandera(table, column, values):
    """Which values of a column its Pandera checks accept, all in one validation."""
    schema = pa.DataFrameSchema({column.name: table.schema.columns[column.name]})
    try:
        schema.validate(pd.DataFrame({column.name: values}).astype(column.dtype), lazy=True)
    except SchemaErrors as errors:
        refused = set(errors.failure_cases["index"])
        assert None not in refused, "judged as a whole"
        return [at not in refused for at in range(len(values))]
    return [True] * len(values)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_database_refuses_what_pandera_refuses(database, table):
    """Stops a limit from holding in one place and not in the other, for every column."""
    row = good_row(table)
    assert accepted_by_database(database, table, row)
    table.schema.validate(table.conform(pd.DataFrame([row])))
    refused = 0
    for column in table.columns:
        values = values_for(column)
        by_database = [
            accepted_by_database(database, table, row | {column.name: value})
            for value in values
        ]
        by_pandera = dict(zip(values, accepted_by_pandera(table, column, values), strict=True))
        assert dict(zip(values, by_database, strict=True)) == by_pandera, column.name
        refused += by_database.count(False)
    assert refused > 0


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_database_knows_which_columns_may_be_empty(database, table):
    """Stops a NULL where a value is declared, and a refusal where none is needed."""
    row = good_row(table)
    for column in table.columns:
        assert (
            accepted_by_database(database, table, row | {column.name: None}) == column.nullable
        )


@pytest.mark.parametrize("value", ["abc", b"blob", "1.5x"])
def test_a_number_column_takes_no_text(database, value):
    """Stops SQLite's habit of storing text in a number column."""
    row = good_row(VALIDATED_NAV) | {"unit_nav": value}
    assert not accepted_by_database(database, VALIDATED_NAV, row)


def observed(day, unit):
    frame = pd.DataFrame({"fund_code": ["000001"], "nav_date": [day], "unit_nav": [unit]})
    return (
        empty_observations()
        .merge(frame, how="right")
        .assign(defect="")
        .astype({"nav_date": "int32", "fund_code": "str", "defect": "str"})
    )


def land(warehouse, day, unit, collected_at, kind="wave"):
    prepared = prepare(
        observed(day, unit),
        origin=Origin(kind, "simulated", day, None, collected_at),
        payloads=(),
    )
    is_new = landing.land(warehouse, prepared)
    return prepared.batch_id, is_new


def hold(warehouse, batch_id):
    with warehouse.transaction(writes=True) as connection:
        connection.execute(
            sa.text(
                "UPDATE collection_batch SET state = 'held', held_because = 'R' "
                "WHERE batch_id = :id"
            ),
            {"id": batch_id},
        )


def publish(warehouse, batch_id):
    with warehouse.transaction(writes=True) as connection:
        connection.execute(
            sa.text("UPDATE collection_batch SET state = 'published' WHERE batch_id = :id"),
            {"id": batch_id},
        )


def test_which_batches_wait(warehouse):
    """Stops a held batch from blocking what comes after it, or from being forgotten."""
    wave, is_new = land(warehouse, 20260916, 1.0, 1)
    assert is_new and landing.unpublished(warehouse) == [wave]
    hold(warehouse, wave)
    assert landing.unpublished(warehouse) == [wave], "the newest wave is tried again"
    history, _ = land(warehouse, 20260916, 1.0, 2, kind="history")
    hold(warehouse, history)
    assert landing.unpublished(warehouse) == [wave], "held histories wait for nobody"
    again, is_new = land(warehouse, 20260916, 1.0, 9, kind="history")
    assert (again, is_new) == (history, False)
    assert landing.unpublished(warehouse) == [wave, history], "collected again, judged again"
    later, _ = land(warehouse, 20260917, 1.0, 3)
    assert landing.unpublished(warehouse) == [history, later], "the older wave is old news"


def test_held_batches_are_shown_until_they_are_replaced(warehouse):
    """Stops a held batch from being forgotten, and from alarming when it is settled."""

    def shown():
        return [row["batch_id"] for row in status_queries.held_batches(warehouse)]

    assert shown() == []
    wave, _ = land(warehouse, 20260916, 1.0, 1)
    history, _ = land(warehouse, 20260916, 1.0, 2, kind="history")
    hold(warehouse, wave)
    hold(warehouse, history)
    assert shown() == [wave, history]
    newer, _ = land(warehouse, 20260917, 1.0, 3)
    assert shown() == [wave, history], "the newer wave is not judged yet"
    publish(warehouse, newer)
    assert shown() == [history]
    later, _ = land(warehouse, 20260917, 1.0, 4, kind="history")
    assert shown() == [history], "the later one is not published yet"
    publish(warehouse, later)
    assert shown() == []


def test_funds_without_a_date(warehouse):
    """Stops the first session of a year from having no funds that lack it."""
    codes = ["000001", "000002", "000003", "000004"]
    funds = pd.DataFrame({"fund_code": codes, "name": "x", "fund_type": "", "pinyin": ""})
    landing.write_fund_info(warehouse, described(funds, FRI))
    days = {"000001": (20251231,), "000002": (20251231, 20260105), "000003": (20251204,),
            "000004": (20251205, 20260106)}  # fmt: skip
    with warehouse.transaction(writes=True) as connection:
        for code, dates in days.items():
            rows = [(code, day, 1.0, 1.0, 0.0, 1.0, "first") for day in dates]
            insert(connection, VALIDATED_NAV, stored(*rows))
    assert landing.funds_without(warehouse, 20260105) == {"000001", "000004"}
    assert landing.funds_without(warehouse, 20260106) == {"000001", "000002"}
