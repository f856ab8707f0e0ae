"""The command `export`: a dataset as a file.

Belongs here: options and progress. Does not belong here: files (`export/`).
"""

import re
from datetime import datetime
from pathlib import Path

import click

from fund_assets.cli._arguments import DAY, PAST_DAY, NotThere, OneOf
from fund_assets.cli._context import console, reading
from fund_assets.language import say


@click.command()
@click.argument("dataset")
@click.option(
    "--format", "form", type=OneOf(["parquet", "csv", "xlsx"]),
    help="File format [default: by the ending of --out, else parquet].",
)  # fmt: skip
@click.option("--since", type=PAST_DAY, metavar="DATE", help="Skip older dates.")
@click.option("--until", type=DAY, metavar="DATE", help="Skip newer dates.")
@click.option(
    "--codes", metavar="CODES",
    help="Only these funds: codes separated by commas, or @FILE with codes in it.",
)  # fmt: skip
@click.option(
    "--names/--no-names", default=None,
    help="The name and type of each fund next to its code [default: in xlsx].",
)  # fmt: skip
@click.option(
    "--changed-since", metavar="CURSOR",
    help="Only what changed since an earlier export, which printed this cursor.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path),
    help="The file [default: DATASET.FORMAT in this folder].",
)  # fmt: skip
@click.option("--bom", is_flag=True, help="Begin a CSV with a byte-order mark, for Excel.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
def export(  # noqa: PLR0913 one for each option
    dataset: str,
    form: str | None,
    since: datetime | None,
    until: datetime | None,
    codes: str | None,
    names: bool | None,
    changed_since: str | None,
    out: Path | None,
    bom: bool,
    overwrite: bool,
) -> None:
    """Export DATASET to a file for pandas, DuckDB, R or a spreadsheet.

    DATASET is nav (the accepted NAVs), metrics, scores, or another table about funds under its
    name without "fund_"; benchmark_index, risk_free_rate, nav_quarantine, collection_batch or
    publish_log; calendar (sessions) or definitions (formulas of the measures). Dates are dates,
    codes stay text, and the description of every column is included: in Parquet as metadata, in
    xlsx as a sheet, for CSV as a file next to it. The file appears only when it is complete.

    Each export prints a cursor. With --changed-since and that cursor, the next one has the rows
    that changed, and a second file, DATASET.tombstones.FORMAT, names what was deleted.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    from fund_assets.calendar import to_key
    from fund_assets.export.changes import step
    from fund_assets.export.datasets import count, select
    from fund_assets.export.files import FORMATS
    from fund_assets.export.stream import export as write
    from fund_assets.settings import load_settings

    ending = out.suffix.removeprefix(".").lower() if out else ""
    if out and ending in FORMATS and form not in (None, ending):
        raise click.UsageError(
            f"--format {form} contradicts --out {out.name}: remove one of them"
        )
    if out and ending not in FORMATS and form is None:
        raise click.BadParameter(
            f"{out.name} does not end in {', '.join(f'.{name}' for name in FORMATS)}: "
            "add --format, or another ending", param_hint="--out",
        )  # fmt: skip
    form = form or ending or "parquet"
    selection = select(
        dataset,
        None if codes is None else _codes(codes),
        to_key(since) if since else None,
        to_key(until) if until else None,
        named=form == "xlsx" if names is None else names,
    )
    path = out or Path(f"{dataset}.{form}")
    settings = load_settings()
    warehouse = reading()
    found = step(warehouse, selection, changed_since)
    terminal = console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    shown = terminal.is_terminal
    with Progress(*columns, console=terminal, disable=not shown) as progress:
        total = count(warehouse, selection) if shown and changed_since is None else None
        bar = progress.add_task(path.name, total=total)
        done = write(
            found, form, path, settings.now(), overwrite=overwrite, bom=bom,
            tell=lambda rows: progress.update(bar, completed=rows),
        )  # fmt: skip
    click.echo(
        say(
            "{path}: {rows:,} rows of {table}, {size:,} bytes",
            path=path, rows=done.rows, table=selection.table.name, size=path.stat().st_size,
        )
    )  # fmt: skip
    if done.tombstones:
        click.echo(say("{path}: what was deleted", path=done.tombstones))
    if done.cursor:
        click.echo(say("cursor {cursor}", cursor=done.cursor))


def _codes(text: str) -> list[str]:
    """`000001,110011`, or the codes that stand in the file of `@FILE`."""
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NotThere(f"--codes {text}: {error}") from error
    found = [part for part in re.split(r"[\s,;]+", text) if part]
    if not found:
        raise NotThere("--codes is empty: write 000001,110011 or @FILE")
    return found
