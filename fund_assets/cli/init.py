"""The command `init`: make the warehouse.

Belongs here: printing where it is. Does not belong here: making it (`warehouse/`).
"""

import click

from fund_assets.cli._context import open_platform, stored_warehouse
from fund_assets.language import later, say


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
