"""The command `logs`: what the collector, the scheduler and the health server wrote.

Belongs here: options and writing. Does not belong here: the files (`logs.py`).
"""

import click

from fund_assets.cli._arguments import NotThere, OneOf

KINDS = ("collector", "scheduler", "health")


@click.command()
@click.argument("kind", type=OneOf(KINDS), default="collector")
@click.option("-f", "--follow", is_flag=True, help="Keep showing new lines.")
@click.option(
    "-n", "--lines", type=click.IntRange(0), default=20, show_default=True, metavar="N",
    help="Start with the newest N lines.",
)  # fmt: skip
def logs(kind: str, follow: bool, lines: int) -> None:
    """Show the log of the collector (runs), the scheduler (the daemon) or the health server.

    The files are in FUND_STATE/<source>/logs, one a day.
    """
    from fund_assets import logs as files

    folder = files.log_folder()
    going_on = files.follow(kind, folder) if follow else iter(())
    shown = files.last_lines(kind, folder, lines)
    if not shown and not follow:
        raise NotThere(f"no {kind} log in {folder} yet: run `fund-assets run` first")
    for line in shown:
        click.echo(line, nl=False)
    try:
        for line in going_on:
            click.echo(line, nl=False)
    except KeyboardInterrupt:
        return
