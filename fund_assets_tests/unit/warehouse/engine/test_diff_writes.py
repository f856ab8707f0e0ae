"""Bulk writes: what they touch, what they count, and the checksum."""

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from fund_assets.nav.list_rules import described
from fund_assets.schemas.tables import FUND_EVENTS, FUND_INFO, FUND_STATE, VALIDATED_NAV
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.diff_writes import checksum, differing, insert, renew, upsert
from fund_assets.warehouse.engine.rows import records
from fund_assets_tests import stores
from fund_assets_tests.unit.builders import FRI, THU, stored

NAN = float("nan")


@pytest.fixture
def warehouse(tmp_path):
    warehouse = Warehouse(stores.at(tmp_path))
    warehouse.init("simulated")
    funds = pd.DataFrame(
        {"fund_code": ["000001", "000002"], "name": "x", "fund_type": "", "pinyin": ""}
    )
    with warehouse.transaction(writes=True) as connection:
        insert(connection, FUND_INFO, described(funds, THU))
    yield warehouse
    warehouse.close()


def rows(unit=1.5, index=1.0, growth=NAN):
    return stored(
        ("000001", THU, unit, NAN, growth, index, "first"),
        ("000002", THU, 2.0, 2.5, NAN, 1.0, "first"),
    )


def write(warehouse, function, table, frame, **options):
    with warehouse.transaction(writes=True) as connection:
        return function(connection, table, frame, **options)


def read(warehouse):
    return warehouse.frame(
        "SELECT * FROM validated_nav ORDER BY fund_code, nav_date", VALIDATED_NAV
    )


@pytest.mark.usefixtures("by_columns")
def test_nan_is_null_and_null_is_nan(warehouse):
    """Stops an empty figure from becoming 0, text, or a NaN that no query finds."""
    write(warehouse, upsert, VALIDATED_NAV, rows())
    found = warehouse.rows(
        "SELECT fund_code, acc_nav, growth_pct FROM validated_nav ORDER BY 1"
    )
    assert found == [
        {"fund_code": "000001", "acc_nav": None, "growth_pct": None},
        {"fund_code": "000002", "acc_nav": 2.5, "growth_pct": None},
    ]
    pd.testing.assert_frame_equal(read(warehouse), rows())
    in_columns = warehouse.columns(
        "SELECT * FROM validated_nav ORDER BY fund_code", VALIDATED_NAV
    )
    pd.testing.assert_frame_equal(in_columns, rows())


def test_records_are_plain_python():
    """Stops numpy scalars, which SQLite stores as blobs."""
    frame = pd.DataFrame(
        {
            "a": np.array([1, 2], dtype="int32"),
            "b": pd.array([20260917, None], dtype="Int32"),
            "c": [NAN, 0.5],
            "d": pd.Series(["x", "📈"], dtype="str"),
        }
    )
    first, second = records(frame, 1)
    found = [*first, *second]
    assert found == [(1, 20260917, None, "x"), (2, None, 0.5, "📈")]
    assert {type(value) for row in found for value in row} == {int, float, str, type(None)}


@pytest.mark.parametrize(
    "told", ["", "it's", '"%s" :x ? 分红📈', "a\\b\tc\n", "x\0y"], ids=repr
)
def test_what_all_rows_have_in_common_arrives_unchanged(warehouse, told):
    """Values that many rows share go into the statement itself: stops wrong quotes there."""
    count = 1_500
    events = pd.DataFrame(
        {
            "fund_code": "000001", "ex_date": np.arange(count) + 20_000_000, "kind": "dividend",
            "value": 0.1 + 0.2, "status": "recorded", "history_value": 0.1 + 0.2,
            "list_value": NAN, "text": told, "evidence": "", "first_batch_id": "h1",
            "batch_id": [f"h{n}" for n in range(count)],
        }
    )  # fmt: skip
    assert write(warehouse, insert, FUND_EVENTS, events) == count
    found = warehouse.frame("SELECT * FROM fund_events ORDER BY ex_date", FUND_EVENTS)
    pd.testing.assert_frame_equal(found, FUND_EVENTS.conform(events), check_exact=True)


def test_a_number_that_some_rows_lack_stays_absent_there(warehouse):
    """Stops NULLs from becoming the one whole number that all the other rows have."""
    count = 1_500
    spells = pd.DataFrame(
        {
            "fund_code": "000001", "since": np.arange(count) + 20_000_000,
            "until": pd.array([20260917, None] * (count // 2), dtype="Int32"),
            "state": "active", "evidence": "",
        }
    )  # fmt: skip
    assert write(warehouse, insert, FUND_STATE, spells) == count
    found = warehouse.frame("SELECT * FROM fund_state ORDER BY since", FUND_STATE)
    assert found["until"].isna().sum() == count // 2
    assert set(found["until"].dropna()) == {20260917}


@pytest.mark.parametrize(
    ("changes", "count"),
    [({}, 0), ({"unit": 1.6}, 1), ({"index": 1.1}, 1), ({"growth": 0.0}, 1)],
)
def test_an_upsert_counts_and_writes_only_what_differs(warehouse, changes, count):
    """Stops a rerun from rewriting equal rows: NULL equals NULL, NULL differs from 0."""
    assert write(warehouse, upsert, VALIDATED_NAV, rows()) == 2
    assert write(warehouse, upsert, VALIDATED_NAV, rows(**changes)) == count
    pd.testing.assert_frame_equal(read(warehouse), rows(**changes))
    assert write(warehouse, upsert, VALIDATED_NAV, rows(**changes)) == 0


def test_a_value_can_become_null(warehouse):
    """Stops an upsert from keeping a value that the new row no longer has."""
    write(warehouse, upsert, VALIDATED_NAV, rows(growth=0.5))
    assert write(warehouse, upsert, VALIDATED_NAV, rows()) == 1
    assert read(warehouse)["growth_pct"].isna().all()


def test_kept_columns_stay(warehouse):
    """Stops the first batch of an event from being forgotten."""
    event = {"fund_code": "000001", "ex_date": FRI, "kind": "dividend", "value": 0.1,
             "status": "recorded", "history_value": 0.1, "list_value": None, "text": "",
             "evidence": "", "first_batch_id": "h1", "batch_id": "h1"}  # fmt: skip
    keep = {"keep": ["batch_id"]}
    assert write(warehouse, upsert, FUND_EVENTS, pd.DataFrame([event]), **keep) == 1
    assert (
        write(
            warehouse, upsert, FUND_EVENTS, pd.DataFrame([event | {"batch_id": "h2"}]), **keep
        )
        == 0
    )
    changed = pd.DataFrame([event | {"batch_id": "h3", "value": 0.2}])
    assert write(warehouse, upsert, FUND_EVENTS, changed, **keep) == 1
    assert warehouse.rows("SELECT value, batch_id FROM fund_events") == [
        {"value": 0.2, "batch_id": "h1"}
    ]


def test_insert_refuses_or_ignores_what_is_there(warehouse):
    """Stops a row from being written twice, and a stored one from being overwritten."""
    write(warehouse, insert, VALIDATED_NAV, rows())
    with pytest.raises(sa.exc.IntegrityError, match=r"UNIQUE|Duplicate"):
        write(warehouse, insert, VALIDATED_NAV, rows(unit=9.0))
    assert write(warehouse, insert, VALIDATED_NAV, rows(unit=9.0), ignore=True) == 0
    pd.testing.assert_frame_equal(read(warehouse), rows())


def test_no_rows_write_nothing(warehouse):
    """Stops an empty frame from failing or from writing a row of NULLs."""
    for function in (insert, upsert):
        assert write(warehouse, function, VALIDATED_NAV, VALIDATED_NAV.empty()) == 0
    assert read(warehouse).empty


def test_the_checksum_tells_tables_apart(warehouse, tmp_path):
    """Stops two different tables from passing for equal, and order from mattering."""
    with warehouse.transaction() as connection:
        empty = checksum(connection, VALIDATED_NAV)
    seen = {empty}
    for frame in (rows(), rows(unit=1.6), rows(growth=0.0)):
        write(warehouse, upsert, VALIDATED_NAV, frame)
        with warehouse.transaction() as connection:
            seen.add(checksum(connection, VALIDATED_NAV))
    assert len(seen) == 4
    other = Warehouse(stores.at(tmp_path / "other"))
    other.init("simulated")
    with other.transaction(writes=True) as connection:
        insert(connection, FUND_INFO, warehouse.frame("SELECT * FROM fund_info", FUND_INFO))
        for at in (1, 0):
            insert(connection, VALIDATED_NAV, rows(growth=0.0).iloc[[at]])
        assert checksum(connection, VALIDATED_NAV) in seen
    other.close()


def test_a_failing_transaction_changes_nothing(warehouse):
    """Stops half a batch from being stored when its second half is refused."""
    bad = rows()
    bad.loc[1, "unit_nav"] = -1.0
    with pytest.raises(sa.exc.IntegrityError, match=r"CHECK|CONSTRAINT"):
        write(warehouse, upsert, VALIDATED_NAV, bad)
    assert read(warehouse).empty


def test_what_differs_is_found_column_by_column(warehouse):
    """Stops equal rows from being written again, and a value that came or went from being lost."""
    old = stored(
        ("000001", THU, 1.5, NAN, NAN, 1.0, "first"),
        ("000002", THU, 2.0, 2.5, NAN, 1.0, "first"),
    )
    write(warehouse, insert, VALIDATED_NAV, old)
    same = differing(VALIDATED_NAV, old.iloc[::-1], old)
    assert same.tolist() == [False, False], "in any order; NaN equals NaN"
    for column, values in (("acc_nav", [2.0, NAN]), ("unit_nav", [NAN, 3.0]),
                           ("return_status", ["proven", "single_source"])):  # fmt: skip
        for row in (0, 1):
            changed = old.copy()
            changed.loc[row, column] = values[row]
            assert differing(VALIDATED_NAV, changed, old).tolist() == [row == 0, row == 1]
    later = old.assign(nav_date=np.int32(FRI))
    assert differing(VALIDATED_NAV, later, old).tolist() == [True, True]
    mixed = pd.concat([later.iloc[:1], old.iloc[:1], old.iloc[1:].assign(acc_nav=NAN)],
                      ignore_index=True)  # fmt: skip
    assert write(warehouse, renew, VALIDATED_NAV, mixed, stored=old) == 2
    found = read(warehouse)
    assert found["fund_code"].tolist() == ["000001", "000001", "000002"]
    assert found["nav_date"].tolist() == [THU, FRI, THU] and found["acc_nav"].isna().all()
    nothing = VALIDATED_NAV.empty()
    assert write(warehouse, renew, VALIDATED_NAV, found, stored=found) == 0
    assert write(warehouse, renew, VALIDATED_NAV, nothing, stored=nothing) == 0
