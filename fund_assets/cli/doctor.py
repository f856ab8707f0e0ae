"""The command `doctor`: look at all, and say what to do.

Belongs here: printing. Does not belong here: what is examined (`_examinations.py`).
"""

from collections.abc import Iterable
from functools import partial

import click

from fund_assets.cli._context import console, quiet
from fund_assets.language import later, say, translated

WHAT_WIDTH = 18


@click.command()
@click.option(
    "--deep", is_flag=True,
    help="Also check thoroughly: the tables and their constraints, the columnar reader, the "
         "whole database for damage (a minute for 20 million NAVs), and akshare's JavaScript "
         "engine.",
)  # fmt: skip
def doctor(deep: bool) -> None:
    """Check settings, source, database, calendar and Dagster; say what to do.

    Exits with 1 when something must be fixed.
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
            with quiet(), terminal.status(say("checking the {what}…", what=say(what))):
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
