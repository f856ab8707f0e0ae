"""Tables of older releases, with rows in them, become those of this one.

`migrations/0001.*.sql` are databases as the first release made them, dumped.
"""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from click.testing import CliRunner

from fund_assets.cli import main
from fund_assets.schemas.tables import TABLES
from fund_assets.warehouse import Warehouse, WarehouseError, integrity
from fund_assets.warehouse.migrations import HEAD
from fund_assets.warehouse.migrations.upgrade import SCRIPTS
from fund_assets_tests import stores

OLD = Path(__file__).resolve().parents[2] / "migrations"


@pytest.fixture
def old(tmp_path):
    """A warehouse of the first release."""
    warehouse = Warehouse(stores.at(tmp_path))
    warehouse.backend.make()
    if stores.on_mysql():
        with warehouse.engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("SET foreign_key_checks = 0, sql_mode = ''")
            for statement in (OLD / "0001.mysql.sql").read_text().split(";\n"):
                if statement.strip():
                    cursor.execute(statement)
            connection.connection.commit()
            connection.invalidate()
    else:
        with sqlite3.connect(warehouse.backend.path) as connection:
            connection.executescript((OLD / "0001.sqlite.sql").read_text())
        connection.close()
    yield warehouse
    warehouse.close()


def shape(warehouse):
    """All that the database knows of the tables, in an order of its own."""
    with warehouse.transaction() as connection:
        inspector = sa.inspect(connection)
        return {
            (name, what): sorted(map(str, getattr(inspector, f"get_{what}")(name)))
            for name in sorted(inspector.get_table_names())
            for what in ("columns", "indexes", "foreign_keys", "check_constraints")
        } | {
            (name, "key"): inspector.get_pk_constraint(name)["constrained_columns"]
            for name in inspector.get_table_names()
        }


def test_scripts_lead_to_what_the_program_asks_for():
    """Stops a forgotten script, or one that nobody runs."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_an_old_warehouse_becomes_a_new_one(old, tmp_path):
    """Stops tables that have been migrated from differing from tables made anew."""
    with pytest.raises(WarehouseError, match=r"revision 0001.*run `fund-assets migrate`"):
        old.init("simulated")
    assert old.migrate() == ("0001", HEAD)
    old.init("simulated")
    fresh = Warehouse(stores.at(tmp_path / "fresh"))
    fresh.init("simulated")
    assert shape(old) == shape(fresh)
    assert old.migrate() == (HEAD, HEAD)
    fresh.close()


def test_all_rows_are_there_afterwards(old):
    """Stops rows from being lost or changed, and new columns from being guessed wrongly."""
    tables = [name for name in TABLES if name in ("fund_info", "collection_batch", "fund_nav",
              "validated_nav", "nav_revision", "nav_quarantine", "publish_log")]  # fmt: skip
    before = {name: old.rows(f"SELECT * FROM {name}") for name in tables}
    old.migrate()
    new = {
        "legal_level": {"w1": {20260917_200000: "none", 20260917_210000: "report",
                               20260917_220000: "announce"}},
    }  # fmt: skip
    asked = {}
    for name, rows in before.items():
        after = old.rows(f"SELECT * FROM {name}")
        assert len(rows) == len(after) > 0
        for was, now in zip(rows, after, strict=True):
            if name == "fund_info":
                asked[was["fund_code"]] = was.pop("history_on")
            added = {column: now.pop(column) for column in list(now) if column not in was}
            assert now == was
            if name == "nav_revision":
                level = new["legal_level"][was["superseded_by"]][was["superseded_at"]]
                assert added == {"legal_level": level, "kind": "correction"}
            elif name == "nav_quarantine":
                assert added == {"decided_by": "", "decided_at": None, "decided_in": ""}
            elif name == "validated_nav":
                assert added == {"days_covered": None}
            elif name == "publish_log":
                assert added == {"rows_filled": 0}
            else:
                assert added == {}
    assert old.rows("SELECT * FROM warehouse_meta") == [
        {"property": "source", "value": "simulated"}
    ]
    assert asked == {"000001": None, "000002": 20200101}
    (progress,) = old.rows("SELECT * FROM history_progress")
    assert progress == {
        "fund_code": "000002", "state": "nothing", "asked_at": 20200101_000000,
        "stored_at": None, "last_nav_date": None, "nav_dates": None, "answer": "",
        "attempts": 1, "last_error": "",
    }  # fmt: skip
    known = old.rows("SELECT unit_nav FROM nav_versions ORDER BY known_from")
    assert [row["unit_nav"] for row in known] == [1.4985, 1.504, 1.52, 1.5]


def test_ranks_of_before_say_that_their_group_was_the_kind(old):
    """Stops ranks within the kind from reading like ranks within the type."""
    with old.transaction(writes=True) as connection:
        connection.execute(
            sa.text(
                "INSERT INTO fund_peers (fund_code, calc_date, `window`, total_return_rank, "
                "total_return_peers, total_return_percentile) "
                "VALUES ('000001', 20260917, '1y', 3, 12, 0.75)"
            )
        )
    old.migrate()
    (row,) = old.rows("SELECT * FROM fund_peers")
    assert (row["peer_group"], row["definition_version"]) == (None, 1)
    assert (row["total_return_rank"], row["total_return_peers"]) == (3, 12)


def test_references_are_held_afterwards(old):
    """Stops a table made anew from leaving the ones that refer to it without their rows."""
    old.migrate()
    for statement in (
        "INSERT INTO publish_log VALUES ('w9', 20260917193000, 20260917, 2, 1, 0, 0, 0, 0, 1, '')",
        "UPDATE fund_nav SET batch_id = 'w9'",
        "DELETE FROM collection_batch",
    ):
        with (
            pytest.raises(sa.exc.IntegrityError, match=r"(?i)foreign key"),
            old.transaction(writes=True) as connection,
        ):
            connection.exec_driver_sql(statement)


def test_two_may_migrate_at_once(old):
    """Stops two services that are renewed together from migrating the same table twice."""
    found = []
    place = old.backend.url.render_as_string(hide_password=False)
    threads = [
        threading.Thread(target=lambda: found.append(Warehouse(place).migrate()))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [("0001", HEAD), (HEAD, HEAD)]
    assert len(old.rows("SELECT * FROM nav_revision")) == 3


def test_the_command_says_what_it_did(old, monkeypatch):
    """Stops a migration that nobody can tell from none."""
    place = old.backend.url.render_as_string(hide_password=False)
    monkeypatch.setenv("FUND_WAREHOUSE_URL", place)
    refused = CliRunner().invoke(main, ["nav", "000001"])
    assert refused.exit_code == 2 and "run `fund-assets migrate`" in refused.output
    done = CliRunner().invoke(main, ["migrate"])
    assert done.exit_code == 0, done.output
    assert f"revision {HEAD}, was 0001" in done.output
    assert "was" not in CliRunner().invoke(main, ["migrate"]).output
    monkeypatch.setenv("FUND_WAREHOUSE_URL", "")
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 2


def walked(engine, *options):
    """The walk of `reliability/migrations.py`, in a process of one thread."""
    program = "fund_assets_tests.reliability.migrations"
    done = subprocess.run(
        [sys.executable, "-m", program, "--engine", engine, *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_ended_at_some_statements_it_goes_on():
    """Stops a step that the next run neither finishes nor takes back."""
    if stores.on_mysql():
        found = walked("mariadb", "--every", "193", "--twice", "1",
                       "--server", os.environ[stores.SERVER])  # fmt: skip
    else:
        found = walked("sqlite", "--every", "193", "--twice", "1")
    assert found["points"] > 2 and found["wrong"] == {}


def run(warehouse, *statements):
    """Statements on a connection that holds no foreign keys."""
    with (
        warehouse.engine.connect().execution_options(
            writes=True, references=False
        ) as connection,
        connection.begin(),
    ):
        for statement in statements:
            connection.exec_driver_sql(statement)
        warehouse.backend.leave(connection)


def as_former(warehouse, name):
    """A table as the former way filled it before it dropped the old one."""
    if stores.on_mysql():  # where a table without a key may be refused
        made = [f"CREATE TABLE new_{name} LIKE {name}"]
        made.append(f"INSERT INTO new_{name} SELECT * FROM {name}")
    else:
        made = [f"CREATE TABLE new_{name} AS SELECT * FROM {name}"]
    run(warehouse, *made)


def test_rows_between_a_drop_and_a_rename_are_found(old):
    """Stops the rows of a migration that a former release began from being lost."""
    before = old.rows("SELECT * FROM nav_revision ORDER BY superseded_at")
    as_former(old, "nav_revision")
    run(old, "DROP TABLE nav_revision")
    assert old.migrate() == ("0001", HEAD)
    after = old.rows("SELECT * FROM nav_revision ORDER BY superseded_at")
    assert [row.pop("legal_level") for row in after] == ["none", "report", "announce"]
    assert [row.pop("kind") for row in after] == ["correction"] * 3
    assert after == before
    assert integrity.unlike_declared(old) == ""


def test_rows_beside_an_empty_table_are_put_back(old):
    """Stops a market from being forgotten: a former release stamped an empty fund_info."""
    old.migrate()
    before = old.rows("SELECT * FROM fund_info ORDER BY fund_code")
    assert len(before) == 2
    as_former(old, "fund_info")
    run(old, "DELETE FROM fund_info WHERE fund_code = '000002'")
    assert integrity.unfinished(old) == "new_fund_info is left of a migration"
    assert "new_fund_info is left of a migration" in integrity.unlike_declared(old)
    assert old.migrate() == (HEAD, HEAD)
    assert old.rows("SELECT * FROM fund_info ORDER BY fund_code") == before
    assert integrity.unlike_declared(old) == ""


def test_what_is_missing_is_made(old):
    """Stops an index or a view that was never made from being missing for ever."""
    old.migrate()
    index = "ix_validated_nav_fund_code_nav_date"
    on = " ON validated_nav" if stores.on_mysql() else ""
    run(old, f"DROP INDEX {index}{on}", "DROP VIEW nav_versions")
    said = integrity.unlike_declared(old)
    assert f"validated_nav: index {index}" in said and "view nav_versions" in said
    assert integrity.unfinished(old) == "view nav_versions is missing"
    run(old, "DROP TABLE weekly_log")
    assert "table weekly_log is missing" in integrity.unfinished(old)
    assert old.migrate() == (HEAD, HEAD)
    assert integrity.unlike_declared(old) == ""


def test_a_changed_condition_is_put_right_and_a_foreign_column_is_left(old):
    """Stops a revision from being stamped on tables that are not as declared."""
    run(old, "ALTER TABLE publish_log ADD COLUMN ours INTEGER")
    with pytest.raises(WarehouseError, match="publish_log: column ours is not declared"):
        old.migrate()
    assert old.revision() != HEAD
    assert old.rows("SELECT ours FROM publish_log") == [{"ours": None}]
    run(old, "ALTER TABLE publish_log DROP COLUMN ours")
    run(old, "DROP TABLE calendar_override",
        "CREATE TABLE calendar_override (day INTEGER NOT NULL PRIMARY KEY,"
        " is_open INTEGER NOT NULL, note VARCHAR(9) NOT NULL)",
        "INSERT INTO calendar_override VALUES (20260101, 0, 'x')")  # fmt: skip
    old.migrate()
    assert old.revision() == HEAD and integrity.unlike_declared(old) == ""
    assert old.text("SELECT note FROM calendar_override") == "x"


def test_rows_that_do_not_fit_are_named_and_kept(old):
    """Stops a refusal of the database from reaching people without what to do."""
    run(old, "DROP TABLE calendar_override",
        "CREATE TABLE calendar_override (day INTEGER NOT NULL PRIMARY KEY,"
        " is_open INTEGER NOT NULL, note VARCHAR(9) NOT NULL)",
        "INSERT INTO calendar_override VALUES (20260101, 7, 'x')")  # fmt: skip
    with pytest.raises(WarehouseError, match=r"is_open.*run `fund-assets migrate` again"):
        old.migrate()
    assert old.number("SELECT is_open FROM calendar_override") == 7
    assert old.revision() != HEAD
    run(old, "UPDATE calendar_override SET is_open = 1")
    old.migrate()
    assert old.revision() == HEAD
