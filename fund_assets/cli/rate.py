"""The commands of the risk-free rate: `rate show` and `rate set`.

Belongs here: options and guards on what a person enters. Does not belong here: how a rate is
used (`metrics/benchmarks.py`).
"""

from datetime import datetime

import click

from fund_assets.cli._arguments import DAY, Commands, check_text
from fund_assets.cli._context import console, open_platform, reading
from fund_assets.language import say


@click.group(cls=Commands)
def rate() -> None:
    """Show or enter the risk-free rate, a series of dated rates."""


@rate.command()
def show() -> None:
    """Show the rates, and from when each applies."""
    from rich.markup import escape

    from fund_assets.calendar import from_key
    from fund_assets.settings import load_settings
    from fund_assets.warehouse.queries import metrics as metrics_queries

    settings = load_settings()
    rows = metrics_queries.rates(reading())
    terminal = console()
    if not rows:
        terminal.print(
            say(
                "{rate:.4%} for all dates (FUND_RISK_FREE_RATE: no rate was entered)",
                rate=settings.risk_free_rate,
            )
        )
    for at, row in enumerate(rows):
        since = say("from {date} on", date=from_key(row["since"]))
        since += say(", and before") if at == 0 else ""
        terminal.print(f"{row['rate']:.4%}  {since}  [dim]{escape(row['note'])}[/]")


@rate.command("set")
@click.argument("day", metavar="DATE", type=DAY)
@click.argument("value", metavar="RATE", type=float)
@click.option("--note", required=True, help="The source of the rate; stored with it.")
def set_rate(day: datetime, value: float, note: str) -> None:
    """Enter the annual RATE that applies from DATE, as a fraction: 0.015 is 1.5 %.

    The next `fund-assets metrics` uses it. The first rate applies before its date too.
    """
    from fund_assets.calendar import to_key
    from fund_assets.warehouse.stores import metrics as metrics_store

    if not -0.1 < value < 0.5:
        raise click.BadParameter(
            f"{value:g} is not an annual rate: write 1.5 % as 0.015", param_hint="RATE"
        )
    kept = check_text(note, "--note", 200)
    metrics_store.set_rate(open_platform().warehouse, to_key(day.date()), value, kept)
    click.echo(say("{rate:.4%} a year applies from {date}.", rate=value, date=day.date()))
