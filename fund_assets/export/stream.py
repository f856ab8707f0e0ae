"""Taking a selection away as a file: wholly or not at all.

Belongs here: putting reader and format together, the facts that the file tells of itself,
and its final place. Does not belong here: what a format is (`files.py`).
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

import pyarrow as pa

from fund_assets.calendar import from_key, from_stamp
from fund_assets.durable_files import move, work_folder
from fund_assets.export import files
from fund_assets.export.datasets import ExportError, check_codes, count, selected
from fund_assets.export.frames import typed
from fund_assets.version import __version__
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries.selections import Selection
from fund_assets.warehouse.queries.status import last_publication

#: Told while it goes on: rows written so far.
Tell = Callable[[int], None]


def export(  # noqa: PLR0913 one for each option of the command
    warehouse: Warehouse,
    selection: Selection,
    form: str,
    path: Path,
    now: datetime,
    *,
    overwrite: bool = False,
    bom: bool = False,
    tell: Tell = lambda rows: None,
) -> int:
    """Write a selection into a file, in bounded memory; returns how many rows it has.

    The file is written in a folder beside its place and moved when it is whole and on the disk:
    an interrupted export leaves nothing behind that looks like data, and the next one in that
    place removes what a killed one left.

    Args:
        form: one of `files.FORMATS`.
        now: told in the file.
        overwrite: whether a file that is there may be replaced.
        bom: begin a CSV with a byte-order mark.

    Raises:
        ExportError: the place is taken or cannot be written, a fund is unknown, or there
            are more rows than an xlsx sheet has.
        WarehouseError: the warehouse cannot be read.
    """
    if form not in files.FORMATS:
        raise ExportError(f"{form!r} is not a format: choose from {', '.join(files.FORMATS)}")
    if path.is_dir() or (path.exists() and not overwrite):
        raise ExportError(f"{path} already exists: choose another --out, or --overwrite")
    check_codes(warehouse, selection.codes or ())
    if form == "xlsx" and (rows := count(warehouse, selection)) > files.SHEET_ROWS:
        raise files.too_long(selection.table.name, rows)
    if bom and form != "csv":
        raise ExportError(f"a byte-order mark is for csv, not for {form}")
    write = partial(files.write_csv, bom=True) if bom else files.FORMATS[form]
    written = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal written
        for batch in selected(warehouse, selection):
            yield typed(batch, selection.given)
            written += batch.num_rows
            tell(written)

    try:
        with work_folder(path.parent) as folder:
            table, about = selection.given, facts(warehouse, selection, now)
            write(folder / path.name, table, about, counted())
            for part in sorted(folder.iterdir(), reverse=True):  # the dictionary of a CSV first
                move(part, path.parent / part.name)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error}") from error
    return written


def facts(warehouse: Warehouse, selection: Selection, now: datetime) -> dict[str, str]:
    """What a file tells of itself: its rows, what was selected, when, from which market."""
    table = selection.table
    published = last_publication(warehouse)
    newest = f"{from_stamp(published):%Y-%m-%d %H:%M:%S}" if published else "none"
    return {
        "table": table.name,
        "grain": table.grain,
        "about": table.why,
        "key": ", ".join(table.primary_key),
        "selected": _words(selection),
        "market": warehouse.market(),
        "newest_publication": newest,
        "exported_at": f"{now:%Y-%m-%d %H:%M:%S} Asia/Shanghai",
        "software": f"fund-assets {__version__}",
        "units": "fractions (0.05 is 5 %), but columns that end in _pct are percent; absent "
        "is empty, never zero; times are in Asia/Shanghai",
    }


def _words(selection: Selection) -> str:
    said = [] if selection.codes is None else [f"{len(selection.codes):,} funds"]
    for word, key in (("from", selection.since), ("to", selection.until)):
        said += [f"{selection.date} {word} {from_key(key)}"] if key else []
    return ", ".join(said) or "everything"
