"""What only a MySQL or MariaDB server can do wrong: its sessions, its files, its locks."""

import os
import re
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from fund_assets.cli import main
from fund_assets.cli._examinations import OK, WARNING, examine_database
from fund_assets.nav.list_rules import described
from fund_assets.observability import vitals
from fund_assets.schemas.tables import FUND_INFO, VALIDATED_NAV
from fund_assets.settings import Settings
from fund_assets.warehouse import Warehouse, WarehouseError
from fund_assets.warehouse.engine.bulk_reads import stream
from fund_assets.warehouse.engine.diff_writes import insert, upsert
from fund_assets.warehouse.engine.errors import TransientError
from fund_assets.warehouse.engine.mysql_load import LOAD_FROM
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.migrations import HEAD
from fund_assets.warehouse.stores import landing
from fund_assets_tests.certificates import certificates
from fund_assets_tests.mariadb import Server
from fund_assets_tests.unit.builders import FRI, stored

ODD = "p@ss:w/rd%?#&'\\密"
ADMINISTRATOR = {"poolclass": sa.NullPool}


@pytest.fixture
def warehouse(mysql_database):
    warehouse = Warehouse(mysql_database)
    warehouse.init("simulated")
    yield warehouse
    warehouse.close()


def funds(number):
    codes = [f"{n:06d}" for n in range(number)]
    return described(
        pd.DataFrame({"fund_code": codes, "name": "基", "fund_type": "", "pinyin": ""}), FRI
    )


def administrate(url, *statements):
    engine = sa.create_engine(
        sa.make_url(url).set(drivername="mysql+mysqlconnector", database=""), **ADMINISTRATOR
    )
    with engine.begin() as connection:
        return [connection.exec_driver_sql(statement) for statement in statements]


@pytest.mark.usefixtures("by_columns")
def test_a_password_of_signs_opens_rows_and_columns(mysql_server, mysql_database):
    """Stops a password with @ : / in it from being cut, by either of the two readers."""
    user = mysql_database[-12:]
    escaped = ODD.replace("\\", "\\\\").replace("'", "''")
    administrate(
        mysql_server,
        f"CREATE USER '{user}'@'%' IDENTIFIED BY '{escaped}'",
        f"GRANT ALL ON *.* TO '{user}'@'%'",
    )
    try:
        url = sa.make_url(mysql_database).set(username=user, password=ODD)
        warehouse = Warehouse(url.render_as_string(hide_password=False))
        warehouse.init("simulated")
        landing.write_fund_info(warehouse, funds(3))
        assert ODD not in warehouse.place and user in warehouse.place
        assert warehouse.columns("SELECT * FROM fund_info", FUND_INFO)["fund_code"].tolist() == [
            "000000", "000001", "000002",
        ]  # fmt: skip
        warehouse.close()
        wrong = Warehouse(url.set(password="wrong!").render_as_string(hide_password=False))
        with pytest.raises(WarehouseError, match="Access denied") as told:
            wrong.init("simulated")
        assert "wrong!" not in str(told.value)
    finally:
        administrate(mysql_server, f"DROP USER '{user}'@'%'")


@pytest.mark.parametrize("number", [10, LOAD_FROM + 10])
@pytest.mark.parametrize(
    ("column", "value"), [("kind", "crypto"), ("name", "长" * 201), ("status", None)]
)
def test_one_bad_row_refuses_all_of_them(warehouse, number, column, value):
    """Stops the server's habit of skipping, cutting or zeroing what it reads from a file."""
    rows = funds(number)
    rows[column] = rows[column].where(rows.index != number - 1, value)
    for write in (insert, upsert):
        with (
            pytest.raises((WarehouseError, sa.exc.IntegrityError)),
            warehouse.transaction(writes=True) as connection,
        ):
            write(connection, FUND_INFO, rows)
        assert landing.fund_info(warehouse).empty


@pytest.mark.parametrize("number", [10, LOAD_FROM + 10])
def test_a_stored_key_refuses_a_plain_insert(warehouse, number):
    """Stops a file's rows from being left out in silence because their key is there."""
    landing.write_fund_info(warehouse, funds(1))
    with (
        pytest.raises((WarehouseError, sa.exc.IntegrityError), match="Duplicate entry"),
        warehouse.transaction(writes=True) as connection,
    ):
        insert(connection, FUND_INFO, funds(number))
    assert len(landing.fund_info(warehouse)) == 1


@pytest.mark.parametrize("loads", [True, False])
def test_writing_counts_what_it_inserted_and_changed(warehouse, monkeypatch, loads):
    """Stops counts that follow the server's flags, with files and, where forbidden, without."""
    if not loads:
        monkeypatch.setattr(warehouse.backend._rows, "_loads", lambda _connection: False)
    number = LOAD_FROM + 500
    rows = funds(number)
    odd = ["制\t表", "换\n行", "反\\斜", "\\N", "引'号", '双"引', "🀄", " 空 ", "", "\r\0"]
    rows.loc[: len(odd) - 1, "name"] = odd
    assert landing.write_fund_info(warehouse, rows.head(700)) == 700
    changed = rows.copy()
    changed.loc[500:599, "name"] = "改"
    assert landing.write_fund_info(warehouse, changed) == 100 + number - 700
    assert landing.write_fund_info(warehouse, changed) == 0
    pd.testing.assert_frame_equal(landing.fund_info(warehouse), FUND_INFO.conform(changed))


@pytest.mark.usefixtures("by_columns")
def test_floats_come_back_as_the_same_floats(warehouse):
    """Stops NAVs from changing in their last digit on the way through text."""
    landing.write_fund_info(warehouse, funds(1))
    values = [0.1 + 0.2, 1e-7, 1.2345, 999_999.999, 5e-324, 0.1 * 3, 1.0]
    rows = stored(
        *(("000000", 20260101 + n, v, v, None, v, "first") for n, v in enumerate(values))
    )
    many = pd.concat([rows.assign(nav_date=rows["nav_date"] + 100 * k) for k in range(150)])
    with warehouse.transaction(writes=True) as connection:
        insert(connection, VALIDATED_NAV, rows)
        upsert(connection, VALIDATED_NAV, many)
    sql = "SELECT * FROM validated_nav ORDER BY nav_date"
    for read in (warehouse.frame, warehouse.columns):
        assert read(sql, VALIDATED_NAV)["unit_nav"].tolist() == values * 150


def test_the_disk_of_the_server_is_seen_where_it_is(warehouse, monkeypatch):
    """Stops a full disk of the database from being told only by its writes that fail."""
    (place,) = warehouse.rows("SELECT @@hostname AS host, @@datadir AS folder")
    usage = {place["folder"]: 7}
    monkeypatch.setattr("socket.gethostname", lambda: place["host"])
    monkeypatch.setattr(
        "shutil.disk_usage", lambda folder: SimpleNamespace(free=usage.get(str(folder), 9))
    )
    settings = Settings(warehouse_url="", source="simulated")
    assert vitals.free_bytes(warehouse, settings) == 7
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    assert vitals.free_bytes(warehouse, settings) == 9
    url = warehouse.backend.url.set(database="fund_not_there")
    nowhere = Warehouse(url.render_as_string(hide_password=False))
    assert vitals.free_bytes(nowhere, settings) == 9, "that it is gone is told as such"


def test_a_second_writer_waits_and_then_says_so(warehouse, mysql_database):
    """Stops two writers from interleaving, and one from waiting for ever."""
    other = Warehouse(mysql_database)
    other.backend.writer_wait_s = 1
    with (
        warehouse.transaction(writes=True),
        pytest.raises(WarehouseError, match="another program has been writing for 1 s"),
        other.transaction(writes=True),
    ):
        pass
    order = []

    def second():
        with Warehouse(mysql_database).transaction(writes=True):
            order.append("second")

    thread = threading.Thread(target=second)
    with warehouse.transaction(writes=True):
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]
    with other.transaction(writes=True):
        pass  # the place was given back, also by the one that failed
    other.close()


def test_a_lost_connection_is_tried_again_and_leaves_nothing(warehouse, mysql_database):
    """Stops a restarted server from failing a run, and half of a batch from staying."""
    tries = []

    @retried
    def write():
        with warehouse.transaction(writes=True) as connection:
            insert(connection, FUND_INFO, funds(5))
            tries.append(connection.exec_driver_sql("SELECT connection_id()").scalar_one())
            if len(tries) == 1:
                administrate(mysql_database, f"KILL {tries[0]}")
            return insert(connection, FUND_INFO, funds(9).tail(4))

    assert write() == 4
    assert len(set(tries)) == 2
    assert len(landing.fund_info(warehouse)) == 9


def test_a_place_on_a_full_server_is_waited_for(warehouse, mysql_database):
    """Stops an evening from ending because others hold all connections for a moment."""
    url = sa.make_url(mysql_database)
    database, user = url.database, f"narrow_{os.getpid()}"  # the server may be shared
    for statement in (
        f"CREATE OR REPLACE USER {user}@'%' WITH MAX_USER_CONNECTIONS 1",
        f"GRANT ALL ON `{database}`.* TO {user}@'%'",
    ):
        administrate(mysql_database, statement)
    narrow = url.set(username=user, password=None).render_as_string(hide_password=False)
    try:
        first, second = Warehouse(narrow), Warehouse(narrow)
        held = first.backend.engine(read_only=False).connect()
        threading.Timer(0.6, lambda: held.connection.dbapi_connection.close()).start()
        begun = time.monotonic()
        assert second.exists()
        assert time.monotonic() - begun > 0.3, "it waited for the place"
        first.close(), second.close()
    finally:
        administrate(mysql_database, f"DROP USER {user}@'%'")


def test_a_late_database_is_waited_for_and_a_wrong_one_is_not(monkeypatch):
    """Stops a reboot from ending in failed units because the database came up last."""
    late = [TransientError("connection refused"), TransientError("again"), False]
    asked = []

    def exists(self):
        asked.append(self.place)
        if isinstance(said := late.pop(0), Exception):
            raise said
        return said

    monkeypatch.setenv("FUND_WAREHOUSE_URL", "mysql://fund_ddl@127.0.0.1:1/fund_assets")
    monkeypatch.setattr("fund_assets.warehouse.engine.mysql.MySQL.exists", exists)
    monkeypatch.setattr("time.sleep", lambda _: None)
    late.append(False)
    done = CliRunner().invoke(main, ["migrate", "--if-any", "--wait", "600"])
    assert done.exit_code == 0 and "no tables yet" in done.output
    assert done.stderr.count("waiting up to 600 s") == 1 and len(asked) == 4
    late[:] = [WarehouseError("Access denied")]
    done = CliRunner().invoke(main, ["migrate", "--if-any", "--wait", "600"])
    assert done.exit_code == 2 and "Access denied" in done.stderr and len(asked) == 5


def test_a_port_that_nobody_answers_yet_is_waited_for(monkeypatch):
    """Stops a boot from ending in failed units: systemd listens for MariaDB before it runs."""
    monkeypatch.setattr("fund_assets.warehouse.engine.mysql_session.CONNECT_S", 1)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        with pytest.raises(TransientError, match="Read Operation timed out"):
            Warehouse(f"mysql://fund_ddl:x@127.0.0.1:{port}/fund_assets").exists()


def test_what_does_not_pass_is_not_tried_again(warehouse):
    """Stops a wrong statement from being repeated for a quarter of a minute."""
    tries = []

    @retried
    def wrong():
        tries.append(1)
        warehouse.number("SELECT nothing FROM fund_info")

    with pytest.raises(WarehouseError, match="nothing") as told:
        wrong()
    assert len(tries) == 1 and not isinstance(told.value, TransientError)


def test_two_processes_may_make_the_tables_at_once(mysql_database):
    """Stops the second of two services that start together from dying of half a schema."""
    faults = []

    def start():
        try:
            warehouse = Warehouse(mysql_database)
            warehouse.init("simulated")
            warehouse.close()
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    warehouse = Warehouse(mysql_database, read_only=True)
    warehouse.init("simulated")
    assert warehouse.rows("SELECT property, value FROM warehouse_meta") == [
        {"property": "source", "value": "simulated"}
    ]
    warehouse.close()


def test_a_beginning_that_was_cut_off_is_gone_on_with(mysql_database):
    """Stops a crash between two tables from leaving a database that nobody can use."""
    warehouse = Warehouse(mysql_database)
    warehouse.init("simulated")
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql("DROP TABLE fund_peers")
        connection.exec_driver_sql("DROP TABLE alembic_version")
    assert not warehouse.exists()
    warehouse.init("simulated")
    assert warehouse.count("SELECT COUNT(*) FROM fund_peers") == 0
    warehouse.close()


@pytest.mark.slow
@pytest.mark.usefixtures("by_columns")
def test_a_server_that_wants_tls_is_read_in_both_ways(tmp_path):
    """Stops bulk reads from failing, or going unencrypted, where the server wants TLS."""
    certificates(tmp_path)
    server = Server(
        f"--ssl-ca={tmp_path}/ca.pem", f"--ssl-cert={tmp_path}/server.pem",
        f"--ssl-key={tmp_path}/server.key", "--require-secure-transport=ON",
    )  # fmt: skip
    try:
        place = server.url.replace("127.0.0.1", "localhost") + "/fund_assets"
        verify = f"?ssl_ca={tmp_path}/ca.pem&ssl_verify_cert=true&ssl_verify_identity=true"
        warehouse = Warehouse(place + verify)
        warehouse.init("simulated")
        landing.write_fund_info(warehouse, funds(2_000))
        by_columns = warehouse.columns("SELECT * FROM fund_info", FUND_INFO)
        pd.testing.assert_frame_equal(by_columns, landing.fund_info(warehouse))
        assert len(by_columns) == 2_000
        assert str(tmp_path) not in warehouse.place
        warehouse.close()
        with pytest.raises(WarehouseError, match="Access denied"):
            Warehouse(f"{place}?ssl_disabled=true").init("simulated")
        (tmp_path / "other").mkdir()
        certificates(tmp_path / "other")
        strange = verify.replace(f"{tmp_path}/ca.pem", f"{tmp_path}/other/ca.pem")
        with pytest.raises(WarehouseError, match="certificate verify failed"):
            Warehouse(place + strange).init("simulated")
    finally:
        server.stop()


@pytest.fixture(scope="module")
def strict_server():
    server = Server(strict=True)
    yield server
    server.stop()


@pytest.fixture
def strict(strict_server, request):
    """A warehouse on a server as strict as a company's."""
    place = strict_server.url.replace("127.0.0.1", "localhost")
    warehouse = Warehouse(f"{place}/{request.node.name[-40:].replace('[', '_').strip(']')}")
    warehouse.init("simulated")
    yield warehouse
    warehouse.close()


@pytest.mark.slow
@pytest.mark.usefixtures("by_columns")
def test_both_readers_speak_the_tls_that_the_server_asked_for(strict):
    """Stops "access denied" of bulk reads where a server wants TLS and the URL says nothing."""
    landing.write_fund_info(strict, funds(2_000))
    by_columns = strict.columns("SELECT * FROM fund_info", FUND_INFO)
    pd.testing.assert_frame_equal(by_columns, landing.fund_info(strict))
    reader = strict.backend.reader
    assert str(reader["url"]).endswith("?ssl-mode=required&prefer_socket=false")
    told = "SELECT variable_value AS x FROM information_schema.session_status WHERE"
    (batch,) = stream(strict.backend, f"{told} variable_name = 'Ssl_cipher'")
    assert batch["x"][0].as_py().startswith("TLS_")


@pytest.mark.slow
def test_the_isolation_is_ours_and_not_the_servers(strict):
    """Stops two queries of one reading from seeing two states, where READ-COMMITTED is usual."""
    landing.write_fund_info(strict, funds(3))
    with strict.transaction() as reading:
        count = "SELECT COUNT(*) FROM fund_info"
        assert reading.exec_driver_sql(count).scalar_one() == 3
        landing.write_fund_info(strict, funds(5))
        assert reading.exec_driver_sql(count).scalar_one() == 3
        assert (
            reading.exec_driver_sql("SELECT @@tx_isolation").scalar_one() == "REPEATABLE-READ"
        )
    assert len(landing.fund_info(strict)) == 5


@pytest.mark.slow
def test_rows_longer_than_a_packet_arrive_in_several_statements(strict):
    """Stops a wave from being refused because 500 rows are more than the server takes."""
    rows = funds(LOAD_FROM + 10)
    rows["name"] = "很长的基金名称" * 28  # 196 signs of 3 bytes
    rows["pinyin"] = "'" * 200  # each is two in a statement
    assert landing.write_fund_info(strict, rows) == len(rows)
    pd.testing.assert_frame_equal(landing.fund_info(strict), FUND_INFO.conform(rows))


USERS_SQL = Path(__file__).resolve().parents[4] / "deploy" / "sql" / "users.sql"


@pytest.fixture
def users(mysql_server, mysql_database):
    """user → URL, of the users of deploy/sql/users.sql under names of their own."""
    name = sa.make_url(mysql_database).database
    suffix = f"t{name[-12:]}"
    sql = re.sub(r"--.*", "", USERS_SQL.read_text(encoding="utf-8")).replace("dagster", suffix)
    sql = sql.replace("fund_assets", name)
    for user in ("fund_ddl", "fund_rw", "fund_ro"):
        sql = sql.replace(f"'{user}'", f"'{user}_{suffix}'")
    administrate(mysql_server, *(part for part in sql.split(";") if part.strip()))
    yield {
        user: sa.make_url(mysql_database)
        .set(username=f"{user}_{suffix}", password="CHANGE_ME")
        .render_as_string(hide_password=False)
        for user in ("fund_ddl", "fund_rw", "fund_ro")
    }
    administrate(
        mysql_server,
        f"DROP DATABASE `{suffix}`",
        *(f"DROP USER '{u}_{suffix}'@'%'" for u in ("fund_ddl", "fund_rw", "fund_ro")),
        f"DROP USER '{suffix}'@'%'",
    )


@pytest.mark.usefixtures("by_columns")
def test_each_user_may_do_its_work_and_no_more(users):
    """Stops a service that could drop the tables, and one whose rights do not suffice."""
    with pytest.raises(WarehouseError, match="CREATE command denied"):
        Warehouse(users["fund_rw"]).init("simulated")
    maker = Warehouse(users["fund_ddl"])
    maker.init("simulated")
    assert maker.migrate() == (HEAD, HEAD)
    writer = Warehouse(users["fund_rw"])
    writer.init("simulated")
    assert landing.write_fund_info(writer, funds(10)) == 10
    assert landing.write_fund_info(writer, funds(LOAD_FROM + 10)) == LOAD_FROM
    for statement in ("DROP TABLE fund_peers", "ALTER TABLE fund_info ADD COLUMN x INT",
                      "CREATE TABLE x (x INT)"):  # fmt: skip
        with (
            pytest.raises(WarehouseError, match="command denied"),
            writer.transaction(writes=True) as connection,
        ):
            connection.exec_driver_sql(statement)
    reader = Warehouse(users["fund_ro"], read_only=True)
    reader.init("simulated")
    assert len(landing.fund_info(reader)) == LOAD_FROM + 10
    assert reader.count("SELECT COUNT(*) FROM nav_versions") == 0
    assert len(reader.columns("SELECT * FROM fund_info", FUND_INFO)) == LOAD_FROM + 10
    settings = Settings(warehouse_url=users["fund_ro"], source="simulated")
    told = {line.what: line.state for line in examine_database(settings, deep=True)}
    told.pop("disk")
    well = dict.fromkeys(("warehouse", "tables", "bulk reads", "integrity", "history"), OK)
    assert told == {**well, "writing": WARNING}
    plain = Warehouse(users["fund_ro"])
    with pytest.raises(WarehouseError, match="denied"):
        landing.write_fund_info(plain, funds(1).assign(name="x"))
    for warehouse in (maker, writer, reader, plain):
        warehouse.close()
