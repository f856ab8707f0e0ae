"""Taking a selection away as a file: wholly or not at all.

Belongs here: putting reader and format together, the facts that the file tells of itself,
and its final place. Does not belong here: what a format is (`files.py`).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from fund_assets.calendar import from_key, from_stamp
from fund_assets.durable_files import move, work_folder
from fund_assets.export import files
from fund_assets.export.changes import Step
from fund_assets.export.datasets import ExportError, check_codes, count
from fund_assets.export.frames import typed
from fund_assets.nav.universe import coverage
from fund_assets.version import __version__
from fund_assets.warehouse.queries.changes import TOMBSTONE
from fund_assets.warehouse.queries.selections import first_of
from fund_assets.warehouse.queries.status import last_publication
from fund_assets.warehouse.queries.universe import read_evidence

#: Told while it goes on: rows written so far.
Tell = Callable[[int], None]


class Exported(NamedTuple):
    """What became of an export.

    Attributes:
        cursor: what changes after it, `--changed-since` finds; empty: the table has no feed.
        tombstones: the file of what was deleted; None when all was exported.
    """

    rows: int
    cursor: str
    tombstones: Path | None


def export(
    changes: Step,
    form: str,
    path: Path,
    now: datetime,
    *,
    overwrite: bool = False,
    bom: bool = False,
    tell: Tell = lambda rows: None,
) -> Exported:
    """Write a selection, or what changed of it, into a file, in bounded memory.

    The file is written in a folder beside its place and moved when it is whole and on the disk:
    an interrupted export leaves nothing behind that looks like data, and the next one in that
    place removes what a killed one left.

    Args:
        changes: what is written; since a cursor, a second file has what was deleted.
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
    warehouse, selection = changes.warehouse, changes.selection
    gone = None if changes.since is None else path.with_suffix(f".tombstones{path.suffix}")
    _check_free([path, gone] if gone else [path], overwrite)
    check_codes(warehouse, selection.codes or ())
    if form == "xlsx" and not gone and (rows := count(warehouse, selection)) > files.SHEET_ROWS:
        raise files.too_long(selection.table.name, rows)
    if bom and form != "csv":
        raise ExportError(f"a byte-order mark is for csv, not for {form}")
    write = partial(files.write_csv, bom=True) if bom else files.FORMATS[form]
    written = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal written
        for batch in changes.rows():
            yield typed(batch, selection.given)
            written += batch.num_rows
            tell(written)

    try:
        with work_folder(path.parent) as folder:
            about = facts(changes, now)
            write(folder / path.name, selection.given, about, counted())
            if gone:
                deleted = pa.RecordBatch.from_pandas(changes.tombstones, preserve_index=False)
                about |= {"grain": TOMBSTONE.grain, "about": TOMBSTONE.why, "key": ""}
                write(folder / gone.name, TOMBSTONE, about, [typed(deleted, TOMBSTONE)])
            for part in sorted(folder.iterdir(), reverse=True):  # the dictionary of a CSV first
                move(part, path.parent / part.name)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error}") from error
    return Exported(written, changes.cursor, gone)


def _check_free(places: Iterable[Path], overwrite: bool) -> None:
    for place in places:
        if place.is_dir() or (place.exists() and not overwrite):
            raise ExportError(f"{place} already exists: choose another --out, or --overwrite")


def facts(changes: Step, now: datetime) -> dict[str, str]:
    """What a file tells of itself: its rows, what was selected, when, from which market."""
    table, warehouse = changes.selection.table, changes.warehouse
    published = last_publication(warehouse)
    newest = f"{from_stamp(published):%Y-%m-%d %H:%M:%S}" if published else "none"
    return {
        "table": table.name,
        "grain": table.grain,
        "about": table.why,
        "key": ", ".join(table.primary_key),
        "selected": _words(changes),
        **_missing(changes),
        "cursor": changes.cursor,
        "market": warehouse.market(),
        "newest_publication": newest,
        "exported_at": f"{now:%Y-%m-%d %H:%M:%S} Asia/Shanghai",
        "software": f"fund-assets {__version__}",
        "units": "fractions (0.05 is 5 %), but columns that end in _pct are percent; absent "
        "is empty, never zero; times are in Asia/Shanghai",
    }


def _missing(changes: Step) -> dict[str, str]:
    """Of the whole market: how many classes may be missing on the first date of the file."""
    warehouse, selection = changes.warehouse, changes.selection
    of_funds = "fund_code" in selection.table.names
    if selection.codes is not None or selection.table.date is None or not of_funds:
        return {}
    first = first_of(warehouse, selection)
    if first is None:
        return {}
    (found,) = coverage(read_evidence(warehouse), [first])
    return {"missing_funds": found.words}


def _words(changes: Step) -> str:
    selection = changes.selection
    said = [] if selection.codes is None else [f"{len(selection.codes):,} funds"]
    for word, key in (("from", selection.since), ("to", selection.until)):
        said += [f"{selection.table.date} {word} {from_key(key)}"] if key else []
    said += [f"changed since {changes.since}"] if changes.since else []
    return ", ".join(said) or "everything"
