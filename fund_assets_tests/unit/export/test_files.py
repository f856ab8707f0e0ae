"""Files that are taken away, read again by other programs than wrote them."""

import csv
import json
import subprocess
import sys
from datetime import date, datetime

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl.utils.escape import unescape

from fund_assets.export import files
from fund_assets.export.datasets import DATASETS, ExportError, select
from fund_assets.export.frames import schema, typed
from fund_assets.schemas.column_labels import label_of
from fund_assets.schemas.dictionary import limits
from fund_assets.schemas.table import Column, Kind, Table
from fund_assets.schemas.tables import FUND_INFO, FUND_METRICS, TABLES, VALIDATED_NAV

#: A table with every kind of column, and texts that a spreadsheet may take for a formula.
KINDS = Table(
    name="kinds",
    grain="one row per fund and date",
    why="Made for tests.",
    columns=(
        Column("fund_code", Kind.CODE, "the fund"),
        Column("on_date", Kind.DATE, "the date"),
        Column("gone_on", Kind.DATE, "a date or none", nullable=True),
        Column("seen_at", Kind.STAMP, "a time"),
        Column("days", Kind.INT, "a count or none", "days", nullable=True, ge=0),
        Column("rate_pct", Kind.REAL, "a number or none", "percent", nullable=True),
        Column("name", Kind.TEXT, "a text, perhaps empty"),
        Column("note", Kind.TEXT, "a text or none", nullable=True),
    ),
    primary_key=("on_date", "fund_code"),
)
FORMULAS = ("=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1", "－1")
#: What a program may drop before it looks whether a text is a formula.
VEILED = (" =1", "\ufeff=1", "\u200b=1", "\x00=1", "\u3000@A1", " \t\xad+1", "\u202e=1", "\ufffd=1",
          "﹦1", "\xa0-1", "\n\n=1")  # fmt: skip
HARMLESS = ("华夏成长混合", "", "a=b", '中"欧", <b>', "😀", "_x0041_", "'=1")
TEXTS = (*FORMULAS, *HARMLESS)
FACTS = {"about": "=not(a formula)", "exported_at": "2026-11-24 21:40:00 Asia/Shanghai"}


def batch(texts=TEXTS):
    count = len(texts)
    frame = pd.DataFrame(
        {
            "fund_code": [f"{at:06d}" for at in range(count)],
            "on_date": 20260228,
            "gone_on": [None if at % 2 else 20251231 for at in range(count)],
            "seen_at": 20261124_000159,
            "days": [None if at % 3 else at for at in range(count)],
            "rate_pct": [np.nan if at % 4 else -0.1 - 0.2 for at in range(count)],
            "name": list(texts),
            "note": [None if at % 2 else "=1" for at in range(count)],
        }
    )
    return pa.RecordBatch.from_pandas(KINDS.conform(frame), preserve_index=False)


def written(tmp_path, form, *batches, table=KINDS):
    path = tmp_path / f"kinds.{form}"
    files.FORMATS[form](path, table, FACTS, [typed(some, table) for some in batches])
    return path


def test_types_are_those_of_an_independent_conversion():
    """Stops a date or time from moving by a day, a month or an hour on its way out."""
    days = pd.date_range("1996-02-27", "2031-03-01", freq="17h")
    raw = pa.record_batch(
        {
            "d": pa.array(days.strftime("%Y%m%d").astype(int), pa.int64()),
            "t": pa.array(days.strftime("%Y%m%d%H%M%S").astype(int), pa.int64()),
        }
    )
    columns = (Column("d", Kind.DATE, ""), Column("t", Kind.STAMP, ""))
    out = typed(raw, Table("t", "one row", "", columns, ("d",)))
    assert out["d"].to_pylist() == [day.date() for day in days]
    assert out["t"].to_pylist() == [day.to_pydatetime() for day in days]


def test_parquet_holds_the_rows_and_the_dictionary(tmp_path):
    """Stops codes from becoming numbers, and a file nobody can read without our pages."""
    path = written(tmp_path, "parquet", batch(), batch(["x"]))
    table = pq.read_table(path)
    assert table.column("fund_code").to_pylist()[:2] == ["000000", "000001"]
    assert table.column("name").to_pylist() == [*TEXTS, "x"]
    assert table.column("on_date")[0].as_py() == date(2026, 2, 28)
    assert table.column("seen_at")[0].as_py() == datetime.fromisoformat("2026-11-24 00:01:59")
    assert table.column("days").to_pylist()[:4] == [0, None, None, 3]
    assert table.column("rate_pct").to_pylist()[:2] == [-0.1 - 0.2, None]
    assert table.schema.metadata[b"about"] == b"=not(a formula)"
    field = table.schema.field("rate_pct").metadata
    assert (field[b"unit"], field[b"meaning"]) == (b"percent", b"a number or none")
    assert not table.schema.field("name").nullable


def test_parquet_is_written_group_by_group(tmp_path, monkeypatch):
    """Stops the whole market from waiting in memory for one row group."""
    monkeypatch.setattr(files, "ROW_GROUP", 30)
    path = written(tmp_path, "parquet", *[batch()] * 5)
    groups = pq.ParquetFile(path).metadata
    assert [groups.row_group(at).num_rows for at in range(3)] == [32, 32, 16]
    assert groups.num_row_groups == 3


def test_csv_disarms_what_stands_behind_spaces_and_marks(tmp_path):
    """Stops a formula behind a space, a byte-order mark or what has no width."""
    path = written(tmp_path, "csv", batch((*VEILED, *HARMLESS)))
    with path.open(encoding="utf-8", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    assert names == [*(f"'{text}" for text in VEILED), *HARMLESS]


def test_csv_disarms_formulas_and_tells_none_from_empty(tmp_path):
    """Stops a fund's name from being run by a spreadsheet, and NULL from becoming a text."""
    path = written(tmp_path, "csv", batch())
    raw = path.read_text(encoding="utf-8")
    assert raw.splitlines()[1].startswith('"000000",2026-02-28,2025-12-31,2026-11-24 00:01:59,')
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [
        *(f"'{text}" for text in FORMULAS),
        *HARMLESS,
    ]
    assert [row["note"] for row in rows[:2]] == ["'=1", ""]
    assert rows[0]["rate_pct"] == repr(-0.1 - 0.2), "a number below zero is no formula"
    frame = pd.read_csv(
        path, dtype={"fund_code": str}, keep_default_na=False, na_values={"days": [""]}
    )
    assert frame["fund_code"].tolist()[1] == "000001"
    about = json.loads(files.companion(path).read_text(encoding="utf-8"))
    assert about["url"] == "kinds.csv"
    assert about["fund:about"] == "=not(a formula)"
    assert [c["name"] for c in about["tableSchema"]["columns"]] == KINDS.names == list(rows[0])
    assert [c["datatype"] for c in about["tableSchema"]["columns"]] == [
        "string", "date", "date", "datetime", "integer", "double", "string", "string",
    ]  # fmt: skip
    assert about["tableSchema"]["columns"][4]["fund:unit"] == "days"


def test_xlsx_keeps_text_as_text(tmp_path):
    """Stops a workbook from having a formula, a code without its zeros, or a date as a number."""
    path = written(tmp_path, "xlsx", batch(), batch(["x"]))
    book = openpyxl.load_workbook(path)
    sheet = book["kinds"]
    rows = list(sheet.iter_rows(min_row=2))
    assert len(rows) == len(TEXTS) + 1
    names = [row[6] for row in rows]
    # openpyxl leaves escapes as they are in the file, and gives None for an empty text.
    shown = [unescape(cell.value or "") for cell in names]
    assert shown == [*TEXTS, "x"]
    assert {c.data_type for c in names if c.value} == {"s"}
    assert all(c.quotePrefix for c in names if c.value)
    assert "f" not in {c.data_type for some in book for row in some.iter_rows() for c in row}
    code, on, gone, seen, days, rate, _, note = rows[1]
    assert (code.value, code.data_type, code.number_format) == ("000001", "s", "@")
    assert (on.value, gone.value) == (datetime.fromisoformat("2026-02-28"), None)
    assert seen.value == datetime.fromisoformat("2026-11-24 00:01:59")
    assert (days.value, rate.value, note.value) == (None, None, None)
    assert rows[0][4].value == 0
    assert rows[0][5].value == pytest.approx(-0.1 - 0.2, rel=1e-15), "xlsx has 16 digits"
    assert rows[0][5].number_format == '0.00##"%"'
    assert [c.value for c in sheet[1]][:3] == ["fund_code\n基金代码", "on_date", "gone_on"]
    lines = [[c.value or "" for c in row] for row in book["dictionary"].iter_rows()]
    assert lines[0] == [
        "column", "label", "type", "unit", "key", "may be empty", "limits", "meaning",
    ]  # fmt: skip
    assert lines[1][:2] == ["fund_code", "基金代码"]
    assert ["rate_pct", "", "number", "percent", "", "yes", "", "a number or none"] in lines
    about = [[c.value for c in row] for row in book["about"].iter_rows()]
    assert about[0] == ["about", "=not(a formula)"]


def test_a_workbook_shows_percent_as_percent(tmp_path):
    """Stops 0.05 from being read as 0.05 %, and a header that only programmers read."""
    table = FUND_METRICS.part(["total_return", "sharpe_ratio", "start_date"])
    row = {"calc_date": 20260917, "fund_code": "000001", "window": "1y", "total_return": 0.05,
           "sharpe_ratio": 1.2, "start_date": 20250917}  # fmt: skip
    frame = table.conform(pd.DataFrame([row]))
    batches = [typed(pa.RecordBatch.from_pandas(frame, preserve_index=False), table)]
    path = tmp_path / "m.xlsx"
    files.write_xlsx(path, table, FACTS, batches)
    head, values = openpyxl.load_workbook(path)["fund_metrics"].iter_rows()
    cells = {cell.value: value for cell, value in zip(head, values, strict=True)}
    assert cells["total_return\n总收益"].number_format == "0.00%"
    assert cells["sharpe_ratio\n夏普比率"].number_format == "General"
    assert cells["start_date\n起始日"].is_date
    assert cells["calc_date\n计算日"].value == datetime.fromisoformat("2026-09-17")


def test_columns_of_the_main_tables_have_a_chinese_name():
    """Stops a new column from reaching spreadsheets with its English name alone."""
    for name in ("nav", "info", "events", "metrics", "peers", "size"):
        assert not [c for c in DATASETS[name].names if not label_of(c)], name


def test_csv_begins_with_a_byte_order_mark_on_request(tmp_path):
    """Stops Excel from showing Chinese as other signs, and a mark that nobody asked for."""
    rows = [typed(batch(), KINDS)]
    files.write_csv(tmp_path / "a.csv", KINDS, FACTS, rows, bom=True)
    files.write_csv(tmp_path / "b.csv", KINDS, FACTS, rows)
    marked, plain = ((tmp_path / name).read_bytes() for name in ("a.csv", "b.csv"))
    assert marked == b"\xef\xbb\xbf" + plain


def test_readers_keep_leading_zeros_only_when_they_are_told(tmp_path):
    """Stops the pages from promising what pandas, Polars and Arrow do not do."""
    import polars as pl

    path = written(tmp_path, "csv", batch(["x", "y"]))
    assert pd.read_csv(path)["fund_code"].tolist() == [0, 1]
    assert pl.read_csv(path)["fund_code"].to_list() == [0, 1]
    assert pd.read_csv(path, dtype={"fund_code": str})["fund_code"].tolist()[1] == "000001"
    book = written(tmp_path, "xlsx", batch(["x", "y"]))
    assert pd.read_excel(book).iloc[:, 0].tolist() == [0, 1]
    assert pd.read_excel(book, converters={0: str}).iloc[1, 0] == "000001"
    told = pl.read_csv(path, schema_overrides={"fund_code": pl.String})
    assert told["fund_code"].to_list()[1] == "000001"


def test_xlsx_says_when_a_sheet_is_full(tmp_path, monkeypatch):
    """Stops rows beyond the 1,048,576th from being dropped in silence."""
    assert files.SHEET_ROWS == 1_048_575
    monkeypatch.setattr(files, "SHEET_ROWS", len(TEXTS))
    written(tmp_path, "xlsx", batch())
    with pytest.raises(
        ExportError, match=r"a sheet of xlsx holds 16: select fewer with --since"
    ):
        written(tmp_path, "xlsx", batch(), batch(["x"]))


@pytest.mark.parametrize("form", files.FORMATS)
@pytest.mark.parametrize(
    "table", [VALIDATED_NAV, FUND_METRICS, FUND_INFO], ids=lambda t: t.name
)
def test_nothing_selected_is_a_file_with_its_columns(form, table, tmp_path):
    """Stops a selection without rows from being no file, or one that no reader opens."""
    path = written(tmp_path, form, table=table)
    read = {
        "parquet": pd.read_parquet,
        "csv": pd.read_csv,
        "xlsx": lambda path: pd.read_excel(path, table.name),
    }[form](path)
    names = [name.split("\n")[0] for name in read.columns]  # in xlsx with the Chinese name
    assert names == table.names
    assert read.empty


def test_every_column_of_every_dataset_is_described():
    """Stops a table that can be taken away without its units."""
    for table in DATASETS.values():
        for column, field in zip(table.columns, schema(table, {}), strict=True):
            assert field.metadata[b"meaning"].decode() == column.description
            assert field.metadata[b"limits"].decode() == limits(column).replace("`", "")
            if column.kind is Kind.REAL:
                assert field.metadata[b"unit"].decode() == column.unit


def test_every_table_about_funds_can_be_taken():
    """Stops a new table from being forgotten, and the landing zone from being taken for NAVs."""
    assert DATASETS["nav"] is VALIDATED_NAV
    assert DATASETS["metrics"] is FUND_METRICS
    about_funds = {
        name
        for name, table in TABLES.items()
        if "fund_code" in table.names and table["fund_code"].kind is Kind.CODE
    }
    besides = {
        "benchmark_index", "risk_free_rate", "nav_quarantine", "collection_batch",
        "publish_log", "calendar", "definitions",
    }  # fmt: skip
    assert {table.name for table in DATASETS.values()} == about_funds - {"fund_nav"} | besides


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"name": "naw"}, "unknown dataset 'naw': did you mean nav?"),
        ({"name": "nav", "codes": ["1"]}, "'1' is not a fund code: write six digits"),
        ({"name": "nav", "codes": ["００００01"]}, "is not a fund code"),
        ({"name": "nav", "codes": [True]}, "True is not a fund code"),
        ({"name": "nav", "since": 20260102, "until": 20260101}, "the start is after the end"),
        ({"name": "nav", "since": 20260230}, "20260230 is not a date"),
        ({"name": "info", "until": 20260101}, "info has no date column"),
        ({"name": "nav", "columns": ["nav"]}, "validated_nav has no column nav"),
        ({"name": "calendar", "codes": ["000001"]}, "calendar has no funds in it"),
    ],
)
def test_what_does_not_exist_is_refused_in_words(asked, told):
    """Stops a wrong name from reaching the database, or from meaning everything."""
    with pytest.raises(ExportError, match=told.replace("?", r"\?")):
        select(**asked)


def test_importing_the_package_loads_nothing():
    """Stops `import fund_assets` from waiting for pandas, and research from loading Dagster."""
    script = (
        "import sys, fund_assets; first = set(sys.modules)\n"
        "from fund_assets import Funds, PolarsFunds\n"
        "print(*sorted({m.split('.')[0] for m in first} & {'pandas', 'numpy', 'pydantic'}))\n"
        "print(*sorted(set(sys.modules) & {'dagster', 'akshare', 'matplotlib', 'polars'}))\n"
        "print('openpyxl' in sys.modules or 'xlsxwriter' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert said.stdout == "\n\nFalse\n"
