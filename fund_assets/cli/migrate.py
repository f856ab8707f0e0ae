"""The command `migrate`: the tables of an older release made those of this one.

Belongs here: waiting for a database that does not answer yet, and printing. Does not belong
here: the migrations (`warehouse/migrations/`).
"""

import time
from typing import TYPE_CHECKING

import click

from fund_assets.language import later, say, translated

if TYPE_CHECKING:
    from fund_assets.warehouse import Warehouse


@click.command()
@click.option("--if-any", is_flag=True, help="Succeed when there are no tables yet.")
@click.option(
    "--wait",
    "wait_s",
    metavar="SECONDS",
    type=click.IntRange(min=0),
    default=0,
    help="Wait this long for a database that does not answer yet [default: 0].",
)
def migrate(if_any: bool, wait_s: int) -> None:
    """Upgrade the tables of an older release, with all their data.

    First stop the daemon and the web server, and back up the warehouse.
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
