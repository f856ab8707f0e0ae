"""The command `nav`: one fund's history.

Belongs here: options and writing. Does not belong here: reads (`warehouse/`).
"""

import csv
import sys
from datetime import date, datetime
from typing import Any

import click

from fund_assets.cli._arguments import PAST_DAY
from fund_assets.cli._context import console, provisional_after, reading
from fund_assets.cli._funds import chosen_fund
from fund_assets.labels import RETURN_STATUSES
from fund_assets.language import later, say

SHOWN_ROWS = 20
TITLES = {
    "nav_date": later("NAV date"),
    "unit_nav": later("unit NAV"),
    "acc_nav": later("acc. NAV"),
    "growth_pct": later("growth %"),
    "yield_per_10k": later("per 10k"),
    "yield_7d_pct": later("7-day %"),
    "days_covered": later("days"),
    "total_return_index": later("index"),
    "return_status": later("return"),
}


@click.command()
@click.argument("fund", metavar="CODE")
@click.option(
    "--as-of", metavar="TIME",
    help="As it was known at this time in Shanghai: YYYY-MM-DD (the end of that day) or "
    "'YYYY-MM-DD HH:MM'.",
)  # fmt: skip
@click.option("--since", type=PAST_DAY, help="Skip older dates.")
@click.option(
    "--limit", type=click.IntRange(min=0), metavar="N",
    help=f"The newest N dates, 0 for all [default: {SHOWN_ROWS}; all with --csv].",
)  # fmt: skip
@click.option("--csv", "as_csv", is_flag=True, help="CSV with the tables' column names.")
def nav(
    fund: str, as_of: str | None, since: datetime | None, limit: int | None, as_csv: bool
) -> None:
    """Show the history of a fund, the newest date last.

    CODE has six digits. A part of a name, or the beginning of a pinyin abbreviation, lists the
    funds that match.
    """
    from fund_assets.calendar import to_key
    from fund_assets.warehouse.queries import nav as nav_queries

    known_at = _moment(as_of) if as_of else None
    warehouse = reading()
    row = chosen_fund(warehouse, fund, one_only=as_csv)
    if row is None:
        return
    limit = (0 if as_csv else SHOWN_ROWS) if limit is None else limit
    window = {"since": to_key(since) if since else 0, "limit": limit or nav_queries.ALL}
    code = row["fund_code"]
    rows = (
        nav_queries.history_as_of(warehouse, code, known_at, **window)
        if known_at
        else nav_queries.history(warehouse, code, **window)
    )
    if as_csv:
        _write_csv(code, rows)
    else:
        newest = max((one["nav_date"] for one in rows), default=0)
        first = nav_queries.first_known(warehouse, code) if known_at else None
        _show(row, rows, as_of, first, provisional_after(warehouse, newest))


def _moment(text: str) -> int:
    from fund_assets.calendar import read_moment

    try:
        return read_moment(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--as-of") from error


def _write_csv(code: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["fund_code", *rows[0]])
        writer.writerows([code, *("" if v is None else v for v in r.values())] for r in rows)


def _show(
    fund: dict[str, Any],
    rows: list[dict[str, Any]],
    as_of: str | None,
    first: int | None,
    known_until: date,
) -> None:
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.calendar import from_key, from_stamp

    terminal = console()
    state = "" if fund["status"] == "listed" else f" {say('delisted')}"
    terminal.print(
        f"[bold]{fund['fund_code']} {escape(fund['name'])}[/]  "
        f"[dim]{escape(fund['fund_type'])}{state}[/]"
    )
    if not rows:
        words = say("no NAVs were known as of {time}", time=as_of) if as_of else say("no NAVs")
        terminal.print(f"[yellow]{escape(words)}[/]")
        if as_of and first:
            words = say(
                "this warehouse stored its first one at {time:%Y-%m-%d %H:%M}",
                time=from_stamp(first),
            )
            terminal.print(f"[dim]{words}[/]")
        return
    shown = [name for name in TITLES if any(row.get(name) is not None for row in rows)]
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in shown:
        dated = name == "nav_date"
        table.add_column(say(TITLES[name]), justify="left" if dated else "right", no_wrap=dated)
    for row in rows:
        mark = say(" (provisional)") if from_key(row["nav_date"]) > known_until else ""
        cells = [_cell(name, row[name], from_key) for name in shown]
        cells[shown.index("nav_date")] += mark
        table.add_row(*cells)
    terminal.print(table)
    if as_of:
        words = say(
            "as known at {time}; the total-return index is recomputed with corrections, its "
            "past values are not kept", time=as_of,
        )  # fmt: skip
        terminal.print(f"[dim]{escape(words)}[/]")


def _cell(name: str, value: Any, from_key: Any) -> str:
    if value is None:
        return "[dim]—[/]"
    if name == "nav_date":
        return f"{from_key(value)}"
    if name == "days_covered":
        return str(value)
    if name == "return_status":
        return say(RETURN_STATUSES[value])
    if name == "growth_pct":
        colour = "red" if value > 0 else "green" if value < 0 else "default"
        return f"[{colour}]{value:+.2f}[/]"
    return f"{value:.6f}" if name == "total_return_index" else f"{value:.4f}"
