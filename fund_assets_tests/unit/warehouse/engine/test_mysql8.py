"""Every statement of the program as MySQL 8 would judge it, on a MariaDB that runs it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from fund_assets.cli import main
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.migrations import HEAD
from fund_assets_tests.mysql8 import Judge, caught

COMMANDS = [
    ["init"],
    ["run"],
    ["weekly"],
    ["doctor"],
    ["dashboard"],
    ["gaps"],
    ["nav", "000001"],
    ["nav", "000001", "--as-of", "2026-01-01"],
    ["metrics", "000001"],
    ["screen", "window=1y"],
    ["prove", "000001"],
    ["corrections"],
    ["quarantine", "list"],
    ["quarantine", "replay", "--because", "judged again"],
    ["rate", "set", "2026-01-01", "0.015", "--note", "a test"],
    ["calendar", "show"],
    ["alert", "list"],
    ["watch", "--once"],
    ["export", "nav", "--out", "{tmp}/nav.csv"],
    ["copy-warehouse", "{fresh}", "{fresh}_copy"],
    ["migrate"],
]
OLD = Path(__file__).parents[3] / "migrations" / "0001.mysql.sql"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("SELECT rank FROM fund_peers", "1064: rank is reserved"),
        ("SELECT p.groups FROM fund_peers AS p", "1064: groups is reserved"),
        ("SELECT 1 AS system", "1064: system is reserved"),
        ("DELETE FROM t WHERE x = %s RETURNING x", "nothing returns"),
        ("CREATE OR REPLACE TABLE t (x INT PRIMARY KEY)", "only a view"),
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS x INT", "not asked for with IF"),
        ("DROP INDEX IF EXISTS i ON t", "not asked for with IF"),
        ("SELECT NVL(x, 0) FROM t", "1305: no function NVL"),
        ("SELECT JSON_DETAILED(x) FROM t", "1305: no function JSON_DETAILED"),
        ("SELECT CAST(x AS INTEGER) FROM t", "1064: nothing is cast to INTEGER"),
        ("SELECT NEXT VALUE FOR s", "no sequences"),
        ("SELECT @@tx_isolation", "1193"),
        ("SET check_constraint_checks = 0", "1193: unknown variable check_constraint_checks"),
        ("CREATE TEMPORARY TABLE t AS SELECT x FROM u LIMIT 0", "3750"),
        ("DELETE FROM t WHERE x IN (SELECT x FROM t WHERE y = 1)", "1093"),
        ("UPDATE t SET x = (SELECT MAX(x) FROM t)", "1093"),
        (f"CREATE TABLE t (x INT, CONSTRAINT {'c' * 65} CHECK (x > 0), PRIMARY KEY (x))", "1059"),
    ],
)  # fmt: skip
def test_the_judge_knows_what_only_mariadb_takes(statement, words):
    """Stops a judge that finds all well from being believed."""
    assert [fault for fault in Judge().faults(statement) if words in fault]


def test_the_judge_takes_what_both_take():
    """Stops statements from being written anew because of a wrong rule."""
    for statement in (
        'SELECT "rank", `groups` FROM "fund_peers" AS p WHERE x <=> %s',
        "SELECT RANK() OVER (PARTITION BY x ORDER BY y DESC) FROM t GROUP BY x ORDER BY x DESC",
        "INSERT INTO t (x) SELECT u.x FROM u LEFT JOIN t ON t.x = u.x WHERE t.x IS NULL",
        "CREATE TEMPORARY TABLE t (PRIMARY KEY (x)) AS SELECT x FROM u LIMIT 0",
        "CREATE OR REPLACE VIEW v AS SELECT x FROM t",
        "SELECT CAST(x AS SIGNED), CAST(COUNT(*) AS DOUBLE) FROM t",
    ):
        assert Judge().faults(statement) == []


def test_the_judge_remembers_names_and_temporary_tables():
    """Stops 3822 of a table that is made anew, and a temporary table that is read twice."""
    judge = Judge()
    condition = "x INT, CONSTRAINT c CHECK (x > 0), PRIMARY KEY (x)"
    assert judge.faults(f"CREATE TABLE a ({condition})") == []
    assert judge.faults(f"CREATE TABLE migration_new_a ({condition})") == [
        "3822: the condition c of migration_new_a is one of a"
    ]
    assert judge.faults("DROP TABLE a") == []
    assert judge.faults("CREATE TEMPORARY TABLE i (PRIMARY KEY (x)) AS SELECT x FROM a") == []
    assert judge.faults("SELECT i.x FROM i WHERE x > 0") == []
    assert judge.faults("SELECT 1 FROM i WHERE x IN (SELECT x FROM i)") == [
        "1137: the temporary table i twice in a statement"
    ]
    assert Judge().faults('SELECT "x" FROM t', plain=True) != []


@pytest.mark.slow
def test_every_statement_is_one_of_mysql_8(
    mysql_database, tmp_path, monkeypatch, record_property
):
    """Stops an installation on MySQL 8 from failing at its first evening, or at an upgrade."""
    fresh = f"{mysql_database}_fresh"
    monkeypatch.setenv("FUND_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("FUND_SIM_FUNDS", "20")
    monkeypatch.setenv("FUND_SIM_YEARS", "1")
    monkeypatch.setenv("FUND_WAREHOUSE_URL", fresh)
    with caught(monkeypatch) as found:
        older = Warehouse(mysql_database)
        older.backend.make()
        with older.engine.connect().execution_options(
            writes=True, references=False
        ) as connection:
            for statement in OLD.read_text().split(";\n"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
            connection.commit()
        assert older.migrate() == ("0001", HEAD)
        older.close()
        failed = {}
        for command in COMMANDS:
            words = [word.format(fresh=fresh, tmp=tmp_path) for word in command]
            done = CliRunner().invoke(main, words)
            if done.exit_code not in (0, 1) or not isinstance(
                done.exception, SystemExit | None
            ):
                failed[" ".join(command)] = f"{done.output[-500:]} {done.exception!r}"
    judge = Judge()
    faults = {
        sql: said for sql, plain in found.items() if (said := judge.faults(sql, plain=plain))
    }
    record_property("statements", len(found))
    assert faults == {}
    assert failed == {}
    assert len(found) > 200
