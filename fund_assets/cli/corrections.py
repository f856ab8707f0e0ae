"""The command `corrections`: accepted values that were corrected, and how far.

Belongs here: options and writing. Does not belong here: the ledger
(`warehouse/queries/nav.py`), the legal limits (`nav/rules.py`).
"""

import json
from datetime import datetime
from typing import Any

import click

from fund_assets.cli._arguments import PAST_DAY, OneOf
from fund_assets.cli._context import console, reading
from fund_assets.cli._funds import one_code
from fund_assets.language import later, named, say
from fund_assets.schemas.columns import FIGURE_LABELS

LEVELS = {
    "none": ("default", ""),
    "report": ("yellow", later("0.25 % or more, must be reported")),
    "announce": ("red", later("0.5 % or more, must be announced")),
}


@click.command()
@click.option("--fund", metavar="CODE", help="Only this fund.")
@click.option("--since", type=PAST_DAY, help="Seen on this day or later.")
@click.option(
    "--level", "levels", multiple=True, type=OneOf(list(LEVELS)),
    help="Only this legal level: report from 0.25 %, announce from 0.5 %. Repeatable.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the corrections as JSON.")
def corrections(
    fund: str | None, since: datetime | None, levels: tuple[str, ...], as_json: bool
) -> None:
    """Show the accepted figures that were corrected later, the newest correction last.

    Covers unit NAV, accumulated NAV, growth, income and 7-day yield, each with its old and new
    value. A manager must report an error of 0.25 % of the unit NAV, and announce one of 0.5 %.
    Filling an empty figure is not a correction.
    """
    from fund_assets.calendar import to_key
    from fund_assets.warehouse.queries import nav as nav_queries

    warehouse = reading()
    if fund:
        fund = one_code(fund, "--fund")
    rows = nav_queries.corrections(
        warehouse,
        since=to_key(since) * 1_000_000 if since else 0,
        fund_code=fund,
        levels=levels or tuple(LEVELS),
    )
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        _show(rows)


def _show(rows: list[dict[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in (say("seen"), say("code"), say("name"), say("NAV date"), say("figure")):
        table.add_column(title)
    for title in (say("was"), say("became"), say("change %")):
        table.add_column(title, justify="right")
    table.add_column("")
    for row in rows:
        seen = datetime.strptime(str(row["superseded_at"]), "%Y%m%d%H%M%S")  # noqa: DTZ007
        key = row["nav_date"]
        whose = (
            f"{seen:%Y-%m-%d %H:%M}",
            row["fund_code"],
            escape(row["name"]),
            f"{key // 10_000}-{key // 100 % 100:02}-{key % 100:02}",
        )
        for n, (name, values) in enumerate(row["figures"].items()):
            of_nav = name == "unit_nav" and row["change_pct"] is not None
            table.add_row(
                *(whose if n == 0 else ("", "", "", "")),
                named(name, FIGURE_LABELS[name]),
                *("[dim]—[/]" if value is None else f"{value:.4f}" for value in values),
                f"{row['change_pct']:+.4f}" if of_nav else "[dim]—[/]",
                _level(row["legal_level"]) if of_nav else "",
            )
    terminal = console()
    terminal.print(table if rows else say("no corrections"))


def _level(name: str) -> str:
    colour, words = LEVELS[name]
    return f"[{colour}]{say(words)}[/]"
