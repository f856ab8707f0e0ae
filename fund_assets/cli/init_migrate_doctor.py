"""The commands `init`, `migrate` and `doctor`: make the tables, renew them, look at all.

Belongs here: printing. Does not belong here: what is examined (`_examinations.py`).
"""

import time
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

import click

from fund_assets.cli._context import console, open_platform, quiet, stored_warehouse
from fund_assets.language import later, say, translated

if TYPE_CHECKING:
    from fund_assets.warehouse import Warehouse

WHAT_WIDTH = 18


@click.command()
def init() -> None:
    """Make the warehouse, and say where it is. `run` does it too when it is missing."""
    from fund_assets.settings import load_settings

    there = stored_warehouse(load_settings()) is not None
    platform = open_platform()
    words = later("Already there: {place}") if there else later("Made: {place}")
    click.echo(say(words, place=platform.warehouse.place))
    click.echo(
        say(
            "It holds the market FUND_SOURCE={source}, and no other. Next: `fund-assets run`.",
            source=platform.settings.source,
        )
    )


@click.command()
@click.option("--if-any", is_flag=True, help="End well where there are no tables yet.")
@click.option(
    "--wait",
    "wait_s",
    metavar="SECONDS",
    type=click.IntRange(min=0),
    default=0,
    help="So long a database that does not answer yet is waited for [default: 0].",
)
def migrate(if_any: bool, wait_s: int) -> None:
    """Bring the tables of an older release up to date, with all that they hold.

    Stop the daemon and the web server before it, and make a copy of the warehouse.
    """
    from fund_assets.settings import SettingsError, load_settings
    from fund_assets.warehouse import Warehouse, WarehouseError

    try:
        warehouse = Warehouse(load_settings().warehouse)
        _await(warehouse, wait_s)
        if if_any and not warehouse.exists():
            click.echo(say("{place}: no tables yet", place=warehouse.place))
            return
        before, after = warehouse.migrate()
    except WarehouseError as error:
        raise SettingsError(str(error)) from error
    words = (
        later("{place}: revision {after}")
        if before == after
        else later("{place}: revision {after}, was {before}")
    )
    click.echo(say(words, place=warehouse.place, after=after, before=before))


def _await(warehouse: "Warehouse", seconds: int) -> None:
    """Return when its database answers, or when it has had that time to do so."""
    from fund_assets.warehouse.engine.errors import TransientError

    until, told = time.monotonic() + seconds, False
    while time.monotonic() < until:
        try:
            warehouse.exists()
            return
        except TransientError as error:
            if not told:
                words = say(
                    "{error}; waiting up to {seconds} s",
                    error=translated(str(error)), seconds=seconds,
                )  # fmt: skip
                click.echo(words, err=True)
            told = True
            time.sleep(2)


@click.command()
@click.option(
    "--deep", is_flag=True,
    help="Look thoroughly, too: at the tables and their conditions, the columnar reader, the "
    "whole database for damage (a minute for 20 million NAVs), and akshare's JavaScript "
    "engine.",
)  # fmt: skip
def doctor(deep: bool) -> None:
    """Examine settings, source, database, calendar and Dagster; say what to do.

    Exits with 1 when something must be put right.
    """
    from rich.cells import cell_len
    from rich.markup import escape

    from fund_assets.cli import _examinations

    marks = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "failure": "[red]✗[/]"}
    terminal = console()
    count = dict.fromkeys(marks, 0)

    def tell(findings: Iterable[_examinations.Finding]) -> None:
        for finding in findings:
            count[finding.state] += 1
            mark, what = marks[finding.state], say(finding.what)
            what = escape(what + " " * (WHAT_WIDTH - cell_len(what)))
            words = escape(translated(finding.words)).replace("\n", "\n    ")
            todo = (
                f"\n    [yellow]→ {escape(translated(finding.todo))}[/]" if finding.todo else ""
            )
            terminal.print(
                f"{mark} [bold]{what}[/] {words}{todo}",
                soft_wrap=not terminal.is_terminal,
            )

    settings, findings = _examinations.examine_settings()
    tell(findings)
    if settings is not None:
        for what, examine in (
            (later("database"), partial(_examinations.examine_database, deep=deep)),
            (later("calendar"), _examinations.examine_calendar),
            (later("source"), partial(_examinations.examine_source, deep=deep)),
            ("Dagster", _examinations.examine_dagster),
            ("verdict", _examinations.examine_verdict),
        ):
            with quiet(), terminal.status(say("looking at the {what}…", what=say(what))):
                tell(examine(settings))
    terminal.print(
        "\n"
        + (
            say("failures: {failure}, warnings: {warning}", **count)
            if count["failure"] or count["warning"]
            else say("All is well.")
        )
    )
    if count["failure"]:
        click.get_current_context().exit(1)
