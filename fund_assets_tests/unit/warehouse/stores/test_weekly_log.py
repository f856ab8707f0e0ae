"""What the weekly job deletes and keeps, counts and logs; whose turn it is."""

from datetime import date

import pandas as pd
import pytest
import sqlalchemy as sa

from fund_assets.calendar import iso_week, week_start
from fund_assets.pipeline.history_refetch import quarter
from fund_assets.schemas.tables import FUND_INFO
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine import sqlite
from fund_assets.warehouse.stores import weekly_log
from fund_assets_tests import stores

NOW = 20261122_020000
WEEK = "2026-W47"


@pytest.fixture
def warehouse(tmp_path):
    made = Warehouse(stores.at(tmp_path))
    made.init("simulated")
    yield made
    made.close()


def fill(warehouse, batches, rows=(), held=()):
    """batches: (id, kind, collected_at, state); rows: (batch, date, code); held: (batch, date, code)."""
    with warehouse.transaction(writes=True) as connection:
        run = connection.execute
        for code in {row[2] for row in rows}:
            run(sa.text("INSERT INTO fund_info VALUES (:c, 'n', '', 'mixed', :c, '', 'listed', "
                        "20260101, 20260101)"), {"c": code})  # fmt: skip
        for batch, kind, at, state in batches:
            run(sa.text("INSERT INTO collection_batch VALUES (:b, :k, 's', 20261001, NULL, :a, 1, "
                        "'[]', :s, '')"), {"b": batch, "k": kind, "a": at, "s": state})  # fmt: skip
            if state == "published":
                run(sa.text("INSERT INTO publish_log VALUES (:b, :a, 20261001, 1, 1, 0, 0, 0, 0, 0, "
                            "'[]')"), {"b": batch, "a": at})  # fmt: skip
        for batch, day, code in rows:
            run(sa.text("INSERT INTO fund_nav VALUES (:c, :d, :b, 1.0, NULL, NULL, NULL, NULL, '')"),
                {"b": batch, "d": day, "c": code})  # fmt: skip
        for at, (batch, day, code) in enumerate(held):
            run(sa.text("INSERT INTO nav_quarantine (batch_id, fund_code, nav_date, rule, reason, "
                        "state, created_at, decided_because, decided_by, decided_in, id) VALUES "
                        "(:b, :c, :d, 'R08_jump_unconfirmed', '', 'held', 1, '', '', '', :id)"),
                {"b": batch, "d": day, "c": code, "id": f"q{at}"})  # fmt: skip


def left(warehouse):
    return {(r["batch_id"], r["nav_date"], r["fund_code"])
            for r in warehouse.rows("SELECT batch_id, nav_date, fund_code FROM fund_nav")}  # fmt: skip


def test_landing_rows_go_once_merged_and_old_and_nothing_asks_for_them(warehouse):
    """Stops pruning from taking what waits, the newest wave, or evidence about held rows."""
    old, new = 20261001_200000, 20261120_200000
    fill(
        warehouse,
        [("w1", "wave", old, "published"), ("w2", "wave", old + 1, "landed"),
         ("w3", "wave", old + 2, "held"), ("w4", "wave", old + 3, "published"),
         ("h1", "history", old, "published"), ("h2", "history", new, "published")],
        [(batch, 20261001, code) for batch in ("w1", "w2", "w3", "w4", "h1", "h2")
         for code in ("000001", "000002")],
        held=[("w3", 20261001, "000002")],
    )  # fmt: skip
    done = weekly_log.prune_landing(warehouse, 20261108_020000, WEEK, NOW)
    assert done == (2, 2)
    both = {"000001", "000002"}
    assert left(warehouse) == {
        *((batch, 20261001, code) for batch in ("w2", "w3", "w4", "h2") for code in both),
        ("w1", 20261001, "000002"), ("h1", 20261001, "000002"),
    }  # fmt: skip
    log = weekly_log.week_log(warehouse, WEEK)["upkeep"]
    assert (log["landing_batches"], log["landing_rows"], log["done_at"]) == (2, 2, NOW)
    assert weekly_log.prune_landing(warehouse, 20261108_020000, WEEK, NOW) == (0, 0)
    assert weekly_log.week_log(warehouse, WEEK)["upkeep"] == log, (
        "again: nothing more is counted"
    )


def test_histories_beside_a_held_one_stay(warehouse):
    """Stops an alert from coming back: only their rows tell that a held batch was replaced."""
    fill(warehouse, [("h1", "history", 20261001_100000, "held"),
                     ("h2", "history", 20261002_100000, "published"),
                     ("h0", "history", 20260930_100000, "published"),
                     ("w9", "wave", 20261003_100000, "published")],
         [(b, 20261001, "000001") for b in ("h0", "h1", "h2", "w9")])  # fmt: skip
    assert weekly_log.prune_landing(warehouse, 20261108_020000, WEEK, NOW) == (1, 1)
    assert {row[0] for row in left(warehouse)} == {"h1", "h2", "w9"}


def test_which_calculation_dates_go():
    """Stops the last day of a week, or a day of the last five weeks, from being deleted."""
    days = pd.bdate_range("2026-09-01", "2026-11-20")
    keys = [int(day.strftime("%Y%m%d")) for day in days if day != pd.Timestamp("2026-09-25")]
    gone = weekly_log.outdated(keys, date(2026, 11, 22))
    kept = sorted(set(keys) - set(gone))
    assert [key for key in kept if key < 20261018] == [
        20260904, 20260911, 20260918, 20260924, 20261002, 20261009, 20261016,
    ]  # fmt: skip
    assert [key for key in kept if key >= 20261018] == [key for key in keys if key >= 20261018]
    assert weekly_log.outdated([], date(2026, 11, 22)) == []


@pytest.mark.usefixtures("sqlite_only")
def test_tidying_leaves_a_long_reader_alone(warehouse, monkeypatch):
    """Stops a reader of minutes from failing the Sunday, and from holding up every writer."""
    monkeypatch.setattr(sqlite, "TIDY_WAIT_MS", 100)
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql("CREATE TABLE made (body TEXT)")
        connection.exec_driver_sql("INSERT INTO made VALUES ('x')")
    reader = Warehouse(f"sqlite:///{warehouse.backend.path}", read_only=True)
    with reader.transaction() as reading:
        count = "SELECT COUNT(*) FROM made"
        assert reading.exec_driver_sql(count).scalar_one() == 1
        with warehouse.transaction(writes=True) as connection:
            connection.exec_driver_sql("DELETE FROM made")
        assert warehouse.backend.tidy()["rewritten"] == 0
        assert reading.exec_driver_sql(count).scalar_one() == 1
    reader.close()


def test_tidying_gives_space_back_and_keeps_every_row(warehouse):
    """Stops a tidied database from losing rows, or never getting smaller."""
    fill(warehouse, [("w1", "wave", 1, "published"), ("w2", "wave", 20261120_000000, "published")],
         [("w1", 20261001, f"{n:06d}") for n in range(6_000)] + [("w2", 20261120, "000001")])  # fmt: skip
    before = warehouse.count("SELECT COUNT(*) FROM fund_info")
    weekly_log.prune_landing(warehouse, 20261108_020000, WEEK, NOW)
    done = warehouse.backend.tidy()
    assert set(done) == {"freed_bytes", "rewritten"}
    if not stores.on_mysql():
        assert done["rewritten"] == 1 and done["freed_bytes"] > 100_000
        assert warehouse.backend.tidy()["rewritten"] == 0
    assert warehouse.count("SELECT COUNT(*) FROM fund_info") == before
    assert len(left(warehouse)) == 1
    with warehouse.transaction() as connection:
        assert warehouse.backend.damage(connection) == ""


def test_every_fund_has_its_turn_within_four_weeks():
    """Stops a fund that is never refetched, over the turn of the year too, and back-end twins."""
    codes = [f"{n:06d}" for n in range(40)]
    funds = FUND_INFO.empty().reindex(range(40)).assign(
        fund_code=codes, name=["后端" if n == 7 else "n" for n in range(40)],
        status=["delisted" if n == 8 else "listed" for n in range(40)],
    )  # fmt: skip
    for first in ("2026-11-16", "2026-12-14", "2026-12-28"):
        mondays = pd.date_range(first, periods=4, freq="7D")
        turns = [quarter(funds, iso_week(day.date())) for day in mondays]
        assert sorted(code for turn in turns for code in turn) == [
            code for code in codes if code not in ("000007", "000008")
        ]


def test_weeks():
    """Stops a week of the wrong year, and a text that is none."""
    assert iso_week(date(2027, 1, 3)) == "2026-W53"
    assert week_start("2026-W53") == date(2026, 12, 28)
    for wrong in ("2026-47", "2026-W54", "w", "2026-W00"):
        with pytest.raises(ValueError, match=r"week|ISO"):
            week_start(wrong)
    assert week_start(iso_week(date(2026, 11, 22))) == date(2026, 11, 16)
