"""What drivers give, as the types that the program knows; asked of the engine at hand."""

from decimal import Decimal
from typing import NamedTuple

import pytest

from fund_assets.warehouse import Warehouse, WarehouseError
from fund_assets.warehouse.engine.typed_rows import typed
from fund_assets_tests import stores


class Row(NamedTuple):
    """One field of each type."""

    code: str
    rows: int
    share: float
    is_open: bool
    since: int | None


ONE = "SELECT '000001' AS code, 7 AS `rows`, 0.5 AS share, 1 AS is_open, NULL AS since"


@pytest.fixture
def warehouse(tmp_path):
    found = Warehouse(stores.at(tmp_path))
    found.init("simulated")
    yield found
    found.close()


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        (7, int, 7),
        (Decimal("7"), int, 7),
        (Decimal("7.5"), float, 7.5),
        (Decimal("7"), float, 7.0),
        (7, float, 7.0),
        (0, bool, False),
        ("000001", str, "000001"),
    ],
)
def test_a_value_gets_its_type(value, kind, found):
    """Stops MySQL's decimals and flags from being another type than SQLite's."""
    got = typed(value, kind, "x")
    assert got == found
    assert type(got) is kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [("7", int), (7.0, int), (Decimal("7.5"), int), (None, int), (7, str), ("1", bool)],
)
def test_another_type_is_refused(value, kind):
    """Stops a text in a column of numbers from being counted with, and names where it is."""
    with pytest.raises(WarehouseError, match=rf"has .* for ex_date, where {kind.__name__} is"):
        typed(value, kind, "ex_date")


def test_rows_have_the_types_of_their_fields(warehouse):
    """Stops a row from having other types than its declaration says, on either engine."""
    (row,) = warehouse.records(Row, ONE)
    assert row == Row("000001", 7, 0.5, True, None)
    assert [type(value) for value in row] == [str, int, float, bool, type(None)]
    assert warehouse.records(Row, f"{ONE} FROM fund_info WHERE 1 = 0") == []


def test_columns_are_the_fields(warehouse):
    """Stops a value from standing under the name of another column."""
    swapped = "SELECT 7 AS `rows`, '000001' AS code, 0.5 AS share, 1 AS is_open, 2 AS since"
    with pytest.raises(TypeError, match="the query has rows, code, share, is_open, since"):
        warehouse.records(Row, swapped)


def test_a_missing_value_needs_a_field_for_it(warehouse):
    """Stops NULL from being taken for a number."""
    missing = "SELECT '000001' AS code, NULL AS `rows`, 1 AS share, 1 AS is_open, 2 AS since"
    with pytest.raises(WarehouseError, match="has None for rows, where int is expected"):
        warehouse.records(Row, missing)


def test_single_values(warehouse):
    """Stops a missing number from being 0, and a number that is kept as text from passing."""
    assert warehouse.number("SELECT SUM(n) FROM (SELECT 3 AS n UNION ALL SELECT 4) AS t") == 7
    assert warehouse.number("SELECT MAX(ex_date) FROM fund_events") is None
    assert warehouse.number("SELECT ex_date FROM fund_events") is None
    assert warehouse.count("SELECT COUNT(*) FROM fund_events") == 0
    source = "SELECT value FROM warehouse_meta WHERE property = 'source'"
    assert warehouse.text(source) == "simulated"
    assert warehouse.text("SELECT value FROM warehouse_meta WHERE property = 'x'") is None
    with pytest.raises(WarehouseError, match="has 'simulated' for SELECT value"):
        warehouse.number(source)
    with pytest.raises(WarehouseError, match="has None for SELECT MAX"):
        warehouse.count("SELECT MAX(ex_date) FROM fund_events")


def test_columns_and_mappings(warehouse):
    """Stops the order of a query from being lost, and sums from being decimals on MySQL."""
    pairs = "SELECT 'b' AS k, 1 AS n UNION ALL SELECT 'a' AS k, 2 AS n"
    ordered = f"FROM ({pairs}) AS t GROUP BY k ORDER BY k DESC"
    assert warehouse.column(str, f"SELECT k {ordered}") == ["b", "a"]
    found = warehouse.mapping(str, int, f"SELECT k, SUM(n) {ordered}")
    assert list(found.items()) == [("b", 1), ("a", 2)]
    assert {type(n) for n in found.values()} == {int}
