"""The command that makes the warehouse.

Belongs here: `init`. Does not belong here: what a warehouse is (`warehouse/`).
"""

import click

from fund_assets.cli.opening import open_platform, stored_warehouse


@click.command()
def init() -> None:
    """Make the warehouse, and say where it is. `run` does it too when it is missing."""
    from fund_assets.settings import load_settings

    there = stored_warehouse(load_settings()) is not None
    platform = open_platform()
    click.echo(f"{'Already there' if there else 'Made'}: {platform.warehouse.path}")
    click.echo(
        f"It holds the market FUND_SOURCE={platform.settings.source}, and no other. "
        "Next: `fund-assets run`."
    )
