"""The change feed on built tables: mirrors, cursors, and what a wrong cursor is told."""

import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fund_assets.export.changes import newest_cursor, step
from fund_assets.export.datasets import DATASETS, ExportError
from fund_assets.schemas.tables import (
    BENCHMARK_INDEX,
    FOLLOWED,
    FUND_CHANGE,
    FUND_INFO,
    RISK_FREE_RATE,
    VALIDATED_NAV,
)
from fund_assets.warehouse import Warehouse, stores
from fund_assets.warehouse.copy import copy, differences
from fund_assets.warehouse.engine import changes
from fund_assets.warehouse.engine.diff_writes import delete, insert, renew, update, upsert
from fund_assets.warehouse.queries.selections import Selection
from fund_assets.warehouse.stores.changes import KEPT_DAYS, prune_changes
from fund_assets_tests.mirror import Mirror, changes_of
from fund_assets_tests.stores import at
from fund_assets_tests.unit import builders

CODES = [f"{n:06d}" for n in range(1, 9)]
DAYS = [20260901 + day for day in range(20)]
INFO = pd.DataFrame({"fund_code": CODES}).assign(
    name="某基金", fund_type="混合型", kind="mixed", family="某", pinyin="MJJ",
    status="listed", first_seen_on=20260901, last_seen_on=20260901,
)  # fmt: skip


@pytest.fixture
def opened(tmp_path):
    """Makes warehouses of eight funds, of no rows when they are to be empty."""
    made = []

    def make(name, funds=INFO):
        warehouse = Warehouse(at(tmp_path / name))
        warehouse.init("simulated")
        made.append(warehouse)
        if len(funds):
            write(warehouse, insert, FUND_INFO, funds)
        return warehouse

    yield make
    for warehouse in made:
        warehouse.close()


def write(warehouse, how, table, *frames):
    with warehouse.transaction(writes=True) as connection:
        return how(connection, table, *frames)


def navs(chance, rows):
    """Random figures at random keys, of one date or of several."""
    days = DAYS if chance.random() < 0.5 else [chance.choice(DAYS)]
    keys = {(str(chance.choice(CODES)), int(chance.choice(days))) for _ in range(rows)}
    figures = chance.integers(4, 9, (len(keys), 2)) / 4
    return builders.stored(
        *((*key, unit, unit, 0.0, index, "proven")
          for key, (unit, index) in zip(sorted(keys), figures, strict=True))
    )  # fmt: skip


def some_write(warehouse, chance):
    """One transaction with some random writes through the functions that all steps use."""
    stored = warehouse.frame("SELECT * FROM validated_nav", VALIDATED_NAV)
    day = int(chance.choice(DAYS))
    code = str(chance.choice(CODES))
    name = pd.DataFrame({"fund_code": [code], "seen_on": day, "what": "name", "old": "a",
                         "new": str(day), "evidence": ""})  # fmt: skip
    close = pd.DataFrame(
        {"index_code": ["000300"], "nav_date": day, "close": chance.random() + 1}
    )
    rate = pd.DataFrame({"since": [day], "rate": chance.random() / 10, "note": ""})
    news = INFO.assign(last_seen_on=day).sample(chance.integers(1, 9), random_state=1)
    some = stored.sample(min(len(stored), 3), random_state=1)
    again = some[["fund_code", "nav_date"]].assign(total_return_index=chance.random() + 1)
    fresh = navs(chance, 12)
    writes = [
        lambda on: renew(on, VALIDATED_NAV, fresh, stored),
        lambda on: upsert(on, VALIDATED_NAV, navs(chance, 3)),
        lambda on: update(on, VALIDATED_NAV, again),
        lambda on: delete(on, VALIDATED_NAV, some[["fund_code", "nav_date"]]),
        lambda on: delete(on, VALIDATED_NAV, pd.DataFrame({"nav_date": [day]})),
        lambda on: delete(on, FUND_CHANGE, pd.DataFrame({"fund_code": [code]})),
        lambda on: delete(on, FUND_CHANGE, pd.DataFrame({"what": ["name"]})),
        lambda on: upsert(on, FUND_CHANGE, name),
        lambda on: upsert(on, FUND_INFO, news),
        lambda on: upsert(on, BENCHMARK_INDEX, close),
        lambda on: delete(on, RISK_FREE_RATE, pd.DataFrame({"since": [day]})),
        lambda on: upsert(on, RISK_FREE_RATE, rate),
    ]
    with warehouse.transaction(writes=True) as connection:
        chosen = chance.choice(len(writes), chance.integers(1, 4), replace=False)
        for one in sorted(chosen):  # `stored` is what was before all of them
            writes[one](connection)


@pytest.mark.parametrize("many", [(3, 2), (1_000, 10)], ids=["by date", "by fund"])
def test_a_mirror_is_the_warehouse_after_any_writes(opened, monkeypatch, many):
    """Stops a slice that is too small, a deletion that stays, a row that is delivered twice,
    and a date slice that hides a fund's."""
    monkeypatch.setattr(changes, "MANY_FUNDS", many[0])
    monkeypatch.setattr(changes, "FEW_DATES", many[1])
    warehouse, chance = opened("first"), np.random.default_rng(7)
    mirror = Mirror(warehouse, {"validated_nav", "fund_change", "fund_info", "benchmark_index",
                                "risk_free_rate"})  # fmt: skip
    for n in range(20):
        some_write(warehouse, chance)
        if n % 5 == 4:
            mirror.follow(warehouse)
            assert mirror.differing(warehouse) == []
    assert len(mirror.frames["validated_nav"]) > 5


def test_many_rows_come_by_columns(opened, by_columns, monkeypatch):
    """Stops the columnar reader from refusing the statement, or losing missing values."""
    monkeypatch.setattr("fund_assets.warehouse.queries.changes.FEW_ROWS", 0)
    warehouse = opened("first")
    since = newest_cursor(warehouse)
    rows = navs(np.random.default_rng(1), 30)
    write(warehouse, renew, VALIDATED_NAV, rows, VALIDATED_NAV.empty())
    found = changes_of(warehouse, "validated_nav", since)
    plain = changes_of(warehouse, "validated_nav", None)
    key = ["nav_date", "fund_code"]
    pd.testing.assert_frame_equal(
        found.rows.sort_values(key, ignore_index=True), plain.rows, check_exact=True
    )
    assert found.rows["yield_7d_pct"].isna().all() and len(found.rows) == len(rows)


def test_versions_grow_by_one_and_only_with_a_change(opened):
    """Stops a write of equal rows, or a transaction that was rolled back, from being a change."""
    warehouse = opened("first")
    first = newest_cursor(warehouse)
    assert first.startswith("1-")
    write(warehouse, upsert, FUND_INFO, INFO)
    with pytest.raises(ZeroDivisionError):
        write(
            warehouse,
            lambda on, table: (delete(on, table, INFO[["fund_code"]]), 1 / 0),
            FUND_INFO,
        )
    assert newest_cursor(warehouse) == first
    assert changes_of(warehouse, "fund_info", first).rows.empty
    write(warehouse, upsert, FUND_INFO, INFO.head(1).assign(name="新"))
    assert newest_cursor(warehouse).startswith("2-")
    assert changes_of(warehouse, "fund_info", first).rows["fund_code"].tolist() == CODES[:1]


def test_a_cursor_holds_in_a_copy_and_in_no_other_warehouse(opened, tmp_path):
    """Stops a cursor from being lost by moving to a server, and from being taken for one of a
    warehouse with other rows, also of a copy that went another way."""
    first, other = opened("first"), opened("other")
    since = newest_cursor(first)
    second = opened("second", INFO.head(0))
    copy(first, second, lambda *_: None)
    assert differences(first, second, lambda *_: None) == []
    assert newest_cursor(second) == since
    write(second, upsert, FUND_INFO, INFO.head(1).assign(name="新"))
    assert changes_of(second, "fund_info", since).rows["name"].tolist() == ["新"]
    write(first, upsert, FUND_INFO, INFO.head(1).assign(name="旧"))
    for warehouse, cursor in ((first, newest_cursor(second)), (other, since)):
        with pytest.raises(ExportError, match=r"not from this warehouse .* Begin again"):
            changes_of(warehouse, "fund_info", cursor)
    with pytest.raises(ExportError, match="restored from an older copy"):
        changes_of(other, "fund_info", newest_cursor(first))
    for wrong in ("", "1", "1-zz", "01-00000000", "0-00000000"):
        with pytest.raises(ExportError, match="is not a cursor"):
            changes_of(first, "fund_info", wrong)


def test_a_cursor_past_its_time_begins_again(opened):
    """Stops changes that were pruned from being left out in silence; an idle one stays."""
    warehouse = opened("first", INFO.head(0))
    empty = newest_cursor(warehouse)
    assert empty == "0" and prune_changes(warehouse, date(2026, 9, 1)) == 0
    write(warehouse, insert, FUND_INFO, INFO)
    old = newest_cursor(warehouse)
    write(warehouse, upsert, FUND_INFO, INFO.assign(name="新"))
    idle, begun = newest_cursor(warehouse), date(2026, 9, 6)
    assert prune_changes(warehouse, begun) == 0
    assert len(changes_of(warehouse, "fund_info", empty).rows) == len(CODES)
    assert prune_changes(warehouse, begun + timedelta(KEPT_DAYS)) == 0
    assert prune_changes(warehouse, begun + timedelta(KEPT_DAYS + 1)) == 1
    for cursor in (empty, old):
        with pytest.raises(
            ExportError, match=r"too old: changes are kept from version 2 on\. Be"
        ):
            changes_of(warehouse, "fund_info", cursor)
    assert changes_of(warehouse, "fund_info", idle).rows.empty
    write(warehouse, upsert, FUND_INFO, INFO.assign(name="又"))
    assert newest_cursor(warehouse).startswith("3-")
    assert set(changes_of(warehouse, "fund_info", idle).rows["name"]) == {"又"}


def test_a_cursor_that_is_pruned_while_it_is_read_is_refused(opened):
    """Stops rows that are read after their changes were pruned from being taken for all."""
    warehouse = opened("first")
    since = newest_cursor(warehouse)
    write(warehouse, upsert, FUND_INFO, INFO.assign(name="新"))
    found = step(warehouse, Selection(FUND_INFO), since)
    with warehouse.transaction(writes=True) as connection:
        for table in ("row_change", "change_version"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE version = 1")
    with pytest.raises(ExportError, match="too old"):
        list(found.rows())


def test_every_dataset_has_a_feed_and_no_store_writes_past_it():
    """Stops a dataset, or a statement of a store, that a mirror never learns of."""
    about_funds = {t.name for t in DATASETS.values() if "fund_code" in t.names}
    assert about_funds - {"nav_quarantine"} <= FOLLOWED
    texts = [path.read_text() for path in Path(stores.__file__).parent.glob("*.py")]
    assert len(texts) > 10
    raw = re.compile(r"(?:DELETE\s+FROM|UPDATE|INSERT\s+INTO)\s+\W?(\w+)")
    written = {name for text in texts for name in raw.findall(text)}
    assert "collection_batch" in written and not written & FOLLOWED
