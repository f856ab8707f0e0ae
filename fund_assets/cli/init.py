"""The command `init`: make the warehouse.

Belongs here: printing where it is. Does not belong here: making it (`warehouse/`).
"""

import click

from fund_assets.cli._context import open_platform, stored_warehouse
from fund_assets.language import later, say


@click.command()
def init() -> None:
    """Create the warehouse and print its location. `run` also creates it when it is missing."""
    from fund_assets.settings import load_settings

    there = stored_warehouse(load_settings()) is not None
    platform = open_platform()
    words = later("Already exists: {place}") if there else later("Created: {place}")
    click.echo(say(words, place=platform.warehouse.place))
    click.echo(
        say(
            "It stores only the market FUND_SOURCE={source}. Next: `fund-assets run`.",
            source=platform.settings.source,
        )
    )
