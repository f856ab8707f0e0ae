"""The command `dashboard`: the state of the platform at a glance.

Belongs here: options, writing, and looking again. Does not belong here: facts and looks
(`observability/`).
"""

import json
import time
from typing import TYPE_CHECKING

import click

from fund_assets.cli._context import console, present_status

if TYPE_CHECKING:
    from fund_assets.observability.status import Status

EVERY_S = 10


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of panels.")
@click.option(
    "--watch", is_flag=False, flag_value=EVERY_S, type=click.IntRange(1, 3600),
    metavar="[SECONDS]",
    help=f"Refresh every so many seconds [{EVERY_S}], until Ctrl-C.",
)  # fmt: skip
def dashboard(as_json: bool, watch: int | None) -> None:
    """Show how fresh, complete and valid the data is, and what ran.

    Exits with 1 when something is wrong: old or missing data, a held batch, a failed run or
    check, a silent daemon, a full disk.
    """
    if as_json and watch:
        raise click.UsageError("--json gives one snapshot: remove --watch")
    found = _watch(watch) if watch else present_status()
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
    elif not watch:
        _show(found)
    if not found.healthy:
        click.get_current_context().exit(1)


def _show(found: "Status") -> None:
    from fund_assets.observability.dashboard import dashboard as panels
    from fund_assets.observability.dashboard import fit

    terminal = console()
    terminal.width = fit(terminal.width)
    terminal.print(panels(found, terminal.width))


def _watch(seconds: int) -> "Status":
    """The last state before Ctrl-C; on a terminal each one takes the place of another."""
    terminal = console()
    found = None
    try:
        while True:
            found = present_status()
            if terminal.is_terminal:
                terminal.clear()
            _show(found)
            time.sleep(seconds)
    except KeyboardInterrupt:
        if found is None:
            raise
        return found
