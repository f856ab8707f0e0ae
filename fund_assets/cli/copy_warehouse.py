"""The command `copy-warehouse`: into another database, of the same engine or another.

Belongs here: names of databases, and progress. Does not belong here: copying
(`warehouse/copy.py`).
"""

import os

import click

from fund_assets.cli._context import console
from fund_assets.language import later, say


@click.command("copy-warehouse")
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
def copy_warehouse(source: str, target: str) -> None:
    """Copy all tables from SRC to DST, and verify that both are equal.

    SRC and DST are SQLAlchemy URLs, as in FUND_WAREHOUSE_URL, or env:NAME for the variable that
    holds one, so that no password is on the command line. DST is created; it must be empty.
    Programs that write to SRC wait until the copy is done; reading continues. The same command
    resumes an interrupted copy. Exits with 1 when the two differ.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    from fund_assets.schemas.table import Table
    from fund_assets.settings import SettingsError
    from fund_assets.warehouse import Warehouse, WarehouseError
    from fund_assets.warehouse import copy as warehouse_copy

    try:
        ours, theirs = Warehouse(_url(source)), Warehouse(_url(target))
    except WarehouseError as error:
        raise SettingsError(str(error)) from error
    if ours.place == theirs.place:
        raise click.UsageError(f"SRC and DST are both {ours.place}")
    if not ours.exists():
        raise click.UsageError(f"the warehouse {ours.place} does not exist")
    terminal = console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as progress:
        bars = {}

        def tell(what: str, table: Table, done: int, total: int) -> None:
            name = f"{say(what)} {table.name}"
            if name not in bars:
                bars[name] = progress.add_task(name, total=total)
            progress.update(bars[name], completed=done, total=total)

        copied = warehouse_copy.copy(ours, theirs, lambda *of: tell(later("copying"), *of))
        found = warehouse_copy.differences(
            ours, theirs, lambda *of: tell(later("comparing"), *of)
        )
    for name, rows in copied.items():
        click.echo(say("{table:<20}{rows:>14,} rows copied", table=name, rows=rows))
    if found:
        raise WarehouseError(
            f"{ours.place} and {theirs.place} differ: {'; '.join(found)}. Did something write "
            "into one of them? Copy into an empty database"
        )
    click.echo(
        say(
            "{target} equals {source}: row counts and checksums of all columns match",
            target=theirs.place, source=ours.place,
        )
    )  # fmt: skip


def _url(given: str) -> str:
    kind, _, name = given.partition(":")
    if kind != "env":
        return given
    if not os.environ.get(name):
        raise click.UsageError(f"the environment variable {name} is not set")
    return os.environ[name]
