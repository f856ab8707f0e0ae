"""Table declarations: what each limit accepts and refuses, and what comes out of them."""

import numpy as np
import pandas as pd
import pandera.errors
import pytest

from fund_assets.schemas.table import Column, Kind, Table
from fund_assets.schemas.tables import TABLES

INF = float("inf")


def accepts(column: Column, value: object) -> bool:
    """Whether a one-row table with this column takes the value."""
    table = Table("t", "one row", "", (column,), ())
    frame = pd.DataFrame({column.name: pd.Series([value], dtype=column.dtype)})
    try:
        table.schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors:
        return False
    return True


CODE = Column("c", Kind.CODE, "")
DATE = Column("d", Kind.DATE, "")
REAL = Column("r", Kind.REAL, "")
TEXT = Column("t", Kind.TEXT, "", max_length=5)


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        (CODE, "000001", "1"),
        (CODE, "161725", "16172"),
        (CODE, "000001", "0000011"),
        (CODE, "000001", "00000a"),
        (CODE, "000001", "０００００１"),  # full-width digits
        (CODE, "000001", "٠٠٠٠٠١"),  # Arabic digits
        (CODE, "000001", "000001\n"),
        (CODE, "000001", " 000001"),
        (CODE, "000001", ""),
        (CODE, "000001", "'; dro"),
        (CODE, "000001", None),
        (DATE, 19900101, 19891231),
        (DATE, 21001231, 21001232),
        (DATE, 20251009, 0),
        (REAL, 0.0, INF),
        (REAL, -1e300, -INF),
        (REAL, 1.0, np.nan),
        (REAL.but(gt=0), 5e-324, 0.0),
        (REAL.but(gt=0), 1.0, -0.0),
        (REAL.but(gt=0), 1.0, INF),
        (REAL.but(ge=-1), -1.0, -1.0000001),
        (REAL.but(lt=1e6), 999_999.9, 1e6),
        (REAL.but(le=0), 0.0, 1e-9),
        (REAL.but(nullable=True), np.nan, INF),
        (REAL.but(nullable=True, gt=0), np.nan, 0.0),
        (TEXT, "五个字以内", "六个字就太多"),
        (TEXT, "", "123456"),
        (TEXT, "a", None),
        (TEXT.but(nullable=True), None, "123456"),
        (TEXT.but(isin=("a", "b")), "a", "c"),
        (TEXT.but(isin=("a", "b")), "b", "a "),
        (TEXT.but(isin=("a", "b")), "b", ""),
        (Column("i", Kind.INT, "", ge=0, le=1), 1, 2),
        (Column("i", Kind.INT, "", ge=0, le=1), 0, -1),
        (Column("i", Kind.INT, "", ge=0, nullable=True), None, -1),
        (DATE.but(nullable=True), None, 20),
    ],
)
def test_each_limit_takes_the_good_and_refuses_the_bad(
    column: Column, good: object, bad: object
) -> None:
    """Stops a check that never fails, or fails on what it should let through."""
    assert accepts(column, good)
    assert not accepts(column, bad)


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        (DATE, "int64"),
        (DATE, "float64"),
        (REAL, "int64"),
        (Column("i", Kind.INT, ""), "float64"),
        (CODE, "int64"),
        (TEXT, "int64"),
    ],
)
def test_another_type_is_refused(column: Column, dtype: str) -> None:
    """Stops a frame whose dates became floats from being written."""
    table = Table("t", "one row", "", (column,), ())
    frame = pd.DataFrame({column.name: pd.Series([20251009], dtype=dtype)})
    with pytest.raises(pandera.errors.SchemaErrors):
        table.schema.validate(frame, lazy=True)


def test_failing_check_says_what_was_demanded() -> None:
    """Stops failures that name a lambda instead of the rule."""
    names = [check.name for check in REAL.but(name="unit_nav", gt=0, lt=1e6).checks()]
    assert names == ["unit_nav is finite", "unit_nav > 0", "unit_nav < 1e+06"]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_takes_its_own_empty_frame(table: Table) -> None:
    """Stops an empty answer from failing as a wrong type."""
    empty = table.empty()
    assert list(empty.columns) == table.names
    table.schema.validate(empty, lazy=True)
    assert table.conform(empty).dtypes.equals(empty.dtypes)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_column_can_be_understood(table: Table) -> None:
    """Stops a column without a meaning, and a quantity without a unit."""
    assert table.grain.startswith("one row per ")
    assert table.why.endswith(".")
    for column in table.columns:
        assert column.description
        if column.name.endswith("_pct"):
            assert column.unit == "percent", column.name
        if column.kind is Kind.DATE:
            assert column.unit == "yyyymmdd", column.name
        if column.kind is Kind.STAMP:
            assert column.unit == "yyyymmddhhmmss", column.name


def test_one_name_has_one_meaning() -> None:
    """Stops the same column name from having two types or units in two tables."""
    seen: dict[str, tuple[Kind, str]] = {}
    own = {"kind", "fund_code", "status", "value", "state", "text", "reason"}
    for table in TABLES.values():
        for column in table.columns:
            if column.name not in own:
                expected = seen.setdefault(column.name, (column.kind, column.unit))
                assert (column.kind, column.unit) == expected, (table.name, column.name)


def test_names_that_queries_rely_on() -> None:
    """Stops a rename of what users' SQL is written against."""
    observed = (
        "fund_code nav_date unit_nav acc_nav growth_pct yield_per_10k yield_7d_pct batch_id"
    )
    for name, columns in {
        "fund_nav": observed,
        "validated_nav": f"{observed} total_return_index first_seen_at return_status",
        "fund_events": "ex_date kind value status",
        "fund_metrics": "calc_date window total_return annualized_return annualized_volatility "
        "sharpe_ratio max_drawdown max_drawdown_peak max_drawdown_trough observations "
        "risk_free_rate",
        "nav_quarantine": "rule reason state",
    }.items():
        assert set(columns.split()) <= set(TABLES[name].names), name


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_references_lead_to_a_primary_key(table: Table) -> None:
    """Stops a foreign key that a database would refuse or never check."""
    for column, to in table.references.items():
        assert TABLES[to].primary_key == (column,)
        assert TABLES[to][column].kind is table[column].kind


def test_key_must_be_unique() -> None:
    """Stops the same fund and date from standing in a table twice."""
    table = Table("t", "one row", "", (CODE, DATE, REAL), ("c", "d"))
    frame = table.conform(
        pd.DataFrame({"c": ["000001"] * 2, "d": [20251009] * 2, "r": [1.0, 2.0]})
    )
    with pytest.raises(pandera.errors.SchemaErrors, match="DUPLICATES"):
        table.schema.validate(frame, lazy=True)
    table.schema.validate(frame.assign(d=pd.Series([20251009, 20251010], dtype="int32")))


def test_conform_orders_and_types_and_names_what_is_missing() -> None:
    """Stops columns in another order from being written into each other."""
    table = Table("t", "one row", "", (CODE, DATE, REAL), ("c",))
    frame = table.conform(pd.DataFrame({"r": [1], "x": [0], "d": [20251009], "c": ["000001"]}))
    assert list(frame.columns) == ["c", "d", "r"]
    assert [str(dtype) for dtype in frame.dtypes] == ["str", "int32", "float64"]
    with pytest.raises(ValueError, match=r"table t: missing columns \['d'\]"):
        table.conform(frame.drop(columns="d"))


def test_extra_column_is_refused() -> None:
    """Stops a new column of the source from passing unseen."""
    table = Table("t", "one row", "", (REAL,), ())
    with pytest.raises(pandera.errors.SchemaErrors):
        table.schema.validate(pd.DataFrame({"r": [1.0], "s": [1.0]}), lazy=True)


@pytest.mark.parametrize(
    ("columns", "key", "indexes", "message"),
    [
        ((REAL, REAL), ("r",), (), "names a column twice"),
        ((REAL,), ("x",), (), r"has no column \['x'\]"),
        ((REAL,), ("r",), (("r", "y"),), r"has no column \['y'\]"),
    ],
)
def test_declaration_that_contradicts_itself_is_refused(
    columns: tuple[Column, ...], key: tuple[str, ...], indexes: tuple, message: str
) -> None:
    """Stops a key over a column that does not exist from failing only in the database."""
    with pytest.raises(ValueError, match=message):
        Table("t", "one row", "", columns, key, indexes)
