"""The files that can be taken away: Parquet, CSV and xlsx, each with its data dictionary.

Belongs here: writing typed batches of any table into one format, in bounded memory. Does not
belong here: where the rows come from.

Text of the source can begin like a formula (a fund may be named `=cmd|...`). Parquet holds
text as it is. In xlsx such a cell is of the type text and stays so when it is edited. CSV has
no types: there the text gets an apostrophe before it, as OWASP's advice on CSV injection is.
"""

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from fund_assets.export.datasets import ExportError
from fund_assets.export.frames import TYPES, description, schema
from fund_assets.schemas.column_labels import label_of
from fund_assets.schemas.table import Column, Kind, Table

ROW_GROUP = 500_000
#: Of a sheet of xlsx, the line of headings not counted.
SHEET_ROWS = 1_048_576 - 1
#: Texts that spreadsheets take for a formula: full-width signs included, and whatever a
#: program may drop before it looks: spaces, controls, what has no width.
FORMULA = (
    r"^(?:[\s\x00-\x1f\x7f-\x{a0}\x{ad}\x{34f}\x{61c}\x{115f}\x{1160}\x{17b4}\x{17b5}"
    r"\x{180b}-\x{180f}\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}-\x{206f}\x{3000}\x{3164}"
    r"\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fffd}]*[=+\-@＝＋－＠﹢﹣﹦﹫−]|[\t\r\n])"
)
#: Unit → how a sheet shows a number: 0.05 as 5.00%, and 5 as 5.00% where it is percent.
PERCENT = {"fraction": "0.00%", "percent": '0.00##"%"'}
#: Of a heading of two lines, in points.
HEADING_HEIGHT = 32
#: More columns that stay in sight would leave no room for the others.
MOST_FROZEN = 5
#: Days from the epoch of xlsx, as it counts them, to 1970-01-01.
SHEET_EPOCH = 25_569
DAY_S = 86_400
CSV_TYPES = {
    Kind.CODE: "string", Kind.DATE: "date", Kind.STAMP: "datetime", Kind.INT: "integer",
    Kind.REAL: "double", Kind.TEXT: "string",
}  # fmt: skip

Write = Callable[[Path, Table, Mapping[str, str], Iterable[pa.RecordBatch]], None]


def write_parquet(
    path: Path, table: Table, facts: Mapping[str, str], batches: Iterable[pa.RecordBatch]
) -> None:
    """A Parquet file; the dictionary is its metadata and that of its columns."""
    with pq.ParquetWriter(path, schema(table, facts), compression="zstd") as file:
        for group in _grouped(batches, ROW_GROUP):
            file.write_table(group)


def write_csv(
    path: Path,
    table: Table,
    facts: Mapping[str, str],
    batches: Iterable[pa.RecordBatch],
    *,
    bom: bool = False,
) -> None:
    """A CSV file in UTF-8, and beside it its dictionary as CSV on the Web (CSVW) describes.

    Every text is in quotes, an absent value is empty without quotes. Quotes alone do not save
    the zeros of 000001: most readers have to be told that the column is text.

    Args:
        bom: begin with a byte-order mark, without which Excel takes the text for another
            encoding.
    """
    columns = [
        {
            "name": column.name,
            "titles": [*filter(None, (column.name, label_of(column.name)))],
            "datatype": CSV_TYPES[column.kind],
            "required": not column.nullable,
            "dc:description": column.description,
            **{
                f"fund:{name.replace(' ', '_')}": text
                for name, text in description(column, table).items()
                if text and name in ("unit", "limits", "type")
            },
        }
        for column in table.columns
    ]
    dictionary = {
        "@context": [
            "http://www.w3.org/ns/csvw",
            {"fund": "urn:fund-assets:"},
        ],
        "url": path.name,
        "dialect": {"encoding": "utf-8", "header": True},
        **{f"fund:{name}": text for name, text in facts.items()},
        "tableSchema": {"columns": columns, "primaryKey": list(table.primary_key)},
    }
    companion(path).write_text(
        json.dumps(dictionary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    texts = [c.name for c in table.columns if c.kind is Kind.TEXT]
    target = schema(table, {})
    with path.open("wb") as raw:
        raw.write(BOM_UTF8 if bom else b"")
        with pa.csv.CSVWriter(raw, target) as file:
            for batch in batches:
                file.write_batch(_disarmed(batch, texts))


def companion(path: Path) -> Path:
    """Where the dictionary of a CSV file stands."""
    return path.with_name(f"{path.name}-metadata.json")


def _disarmed(batch: pa.RecordBatch, texts: list[str]) -> pa.RecordBatch:
    for name in texts:
        values = batch[name]
        armed = pc.match_substring_regex(values, FORMULA)
        if pc.any(armed).as_py():
            safe = pc.if_else(
                armed, pc.binary_join_element_wise(pa.scalar("'"), values, ""), values
            )
            batch = batch.set_column(
                batch.schema.get_field_index(name), batch.schema.field(name), safe
            )
    return batch


def write_xlsx(
    path: Path, table: Table, facts: Mapping[str, str], batches: Iterable[pa.RecordBatch]
) -> None:
    """A workbook: a sheet with the rows, one with the dictionary, one about the export.

    A heading has the column's name, and its Chinese name in a second line. Dates are dates,
    fractions and percent are shown with a percent sign.

    Raises:
        ExportError: more rows than a sheet has, or a text longer than a cell.
        OSError: it cannot be written.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    options = {"constant_memory": True, "tmpdir": str(path.parent)}
    try:
        with Workbook(str(path), options) as book:
            heading = book.add_format(
                {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
            )
            _rows_sheet(book, table, batches, heading)
            _dictionary_sheet(book, table, heading)
            _about_sheet(book, facts)
    except FileCreateError as error:
        raise OSError(str(error)) from error


def _rows_sheet(
    book: Any, table: Table, batches: Iterable[pa.RecordBatch], heading: Any
) -> None:
    forms = {
        Kind.CODE: book.add_format({"num_format": "@", "quote_prefix": True}),
        Kind.TEXT: book.add_format({"quote_prefix": True}),
        Kind.DATE: book.add_format({"num_format": "yyyy-mm-dd"}),
        Kind.STAMP: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
    }
    units = {unit: book.add_format({"num_format": form}) for unit, form in PERCENT.items()}
    sheet = book.add_worksheet(table.name)
    sheet.freeze_panes(1, _frozen(table))
    sheet.set_row(0, HEADING_HEIGHT)
    put = []
    for at, column in enumerate(table.columns):
        sheet.set_column(at, at, max(len(column.name) + 2, 12))
        sheet.write_string(0, at, heading_of(column), heading)
        is_text = TYPES[column.kind] == pa.string()
        write = sheet.write_string if is_text else sheet.write_number
        real = column.kind is Kind.REAL
        put.append((write, units.get(column.unit) if real else forms.get(column.kind)))
    row = 0
    for batch in batches:
        if row + batch.num_rows > SHEET_ROWS:
            raise too_long(table.name, row + batch.num_rows)
        for values in zip(*map(_cells, batch.columns), strict=True):
            row += 1
            for at, value in enumerate(values):
                write, form = put[at]
                if value is not None and write(row, at, value, form):
                    raise ExportError(
                        f"{table.name}: {table.names[at]} of row {row:,} does not fit into a "
                        "cell of xlsx: choose another --format"
                    )
    if row:
        sheet.autofilter(0, 0, row, len(table.columns) - 1)


def heading_of(column: Column) -> str:
    """The first cell of a column in a workbook."""
    return "\n".join(filter(None, (column.name, label_of(column.name))))


def _frozen(table: Table) -> int:
    """So many columns stay in sight: those up to the last of the key, where they are few."""
    last = max(table.names.index(name) for name in table.primary_key) + 1
    return last if last <= MOST_FROZEN else 0


def too_long(name: str, rows: int) -> ExportError:
    """What is told of more rows than a sheet has."""
    return ExportError(
        f"{name} would have {rows:,} rows, a sheet of xlsx holds {SHEET_ROWS:,}: select fewer "
        "with --since, --until or --codes, or another --format"
    )


def _cells(values: pa.Array) -> list[Any]:
    """Values as a sheet has them: dates are numbers of days."""
    if pa.types.is_date32(values.type):
        values = pc.add(values.view(pa.int32()), SHEET_EPOCH)
    elif pa.types.is_timestamp(values.type):
        days = pc.divide(values.view(pa.int64()).cast(pa.float64()), DAY_S)
        values = pc.add(days, SHEET_EPOCH)
    return list(values.to_pylist())


def _dictionary_sheet(book: Any, table: Table, heading: Any) -> None:
    sheet = book.add_worksheet("dictionary")
    sheet.freeze_panes(1, 1)
    described = [description(column, table) for column in table.columns]
    for at, width in enumerate((28, 16, 20, 16, 6, 14, 40, 90)):
        sheet.set_column(at, at, width)
    for at, name in enumerate(described[0]):
        sheet.write_string(0, at, name, heading)
    for row, words in enumerate(described, 1):
        for at, text in enumerate(words.values()):
            sheet.write_string(row, at, text)


def _about_sheet(book: Any, facts: Mapping[str, str]) -> None:
    sheet = book.add_worksheet("about")
    for at, width in enumerate((24, 110)):
        sheet.set_column(at, at, width)
    for row, fact in enumerate(facts.items()):
        for at, text in enumerate(fact):
            sheet.write_string(row, at, text)


def _grouped(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Batches put together until they have so many rows."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(some.num_rows for some in waiting) >= rows:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


#: --format → how it is written.
FORMATS: dict[str, Write] = {
    "parquet": write_parquet,
    "csv": write_csv,
    "xlsx": write_xlsx,
}
