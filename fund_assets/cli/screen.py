"""The command `screen`: the funds that meet some conditions.

Belongs here: options and writing. Does not belong here: the language of conditions
(`metrics/screen.py`), reads (`warehouse/queries/metrics.py`).
"""

import click

from fund_assets.cli._arguments import FUND_TYPE, KIND, NotThere
from fund_assets.cli._context import console, reading
from fund_assets.cli._metric_cells import cell, date_mark
from fund_assets.language import named, say


@click.command()
@click.argument("conditions")
@click.option("--kind", type=KIND, help="Only funds of this kind, such as mixed or 混合型.")
@click.option(
    "--type", "fund_type", type=FUND_TYPE, help="Funds of this type alone, such as 混合型-偏债."
)
@click.option("--sort", default="sharpe_ratio", show_default=True, help="Highest first.")
@click.option("--lowest", is_flag=True, help="Lowest first, as for a fee.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
def screen(
    conditions: str,
    kind: str | None,
    fund_type: str | None,
    sort: str,
    lowest: bool,
    limit: int,
) -> None:
    """List the funds that meet CONDITIONS.

    CONDITIONS is one text, such as "window=3y sharpe_ratio>1 max_drawdown>-20%". All of them
    must be true; a fund without a value does not meet a condition on it. Metric names are the
    columns of fund_metrics; the default window is 1y. purchasable=yes, fee<0.2%,
    daily_limit>=10000 and least_amount<=10 use the newest status, fee and amounts in yuan; a
    fund without a limit meets each daily_limit>=. size>2e9 uses net assets in yuan at the
    newest quarter, manager_tenure>3y the years of the manager, passes_4433=1 and stars>=4 the
    newest scores. --sort accepts these names too.

    Money-market funds have yield_7d, mean_yield_7d over the window and yield_per_10k, as in
    fund-assets screen "mean_yield_7d>1.5%" --kind money --sort yield_7d.
    """
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.calendar import from_key
    from fund_assets.metrics.screen import ScreenError, operand, parse
    from fund_assets.schemas.kinds import KINDS
    from fund_assets.schemas.words import (
        LABELS,
        SCORE_LABELS,
        SIZE_LABELS,
        STATUS_LABELS,
        TENURE_LABELS,
        WINDOW_LABELS,
        YIELD_LABELS,
    )
    from fund_assets.warehouse.queries.metrics import screened

    try:
        asked = parse(conditions)
        by = operand(sort)
    except ScreenError as error:
        raise NotThere(str(error)) from error
    warehouse = reading()
    calc_date, count, rows = screened(
        warehouse, asked, kind, by, limit, fund_type, lowest=lowest
    )
    if calc_date is None:
        raise NotThere("no metrics yet: run `fund-assets run`")
    money = sum(row["kind"] == "money" for row in rows)
    names = list(
        dict.fromkeys([by, *(name for name, _, _ in asked.conditions), "total_return"])
    )
    labels = LABELS | STATUS_LABELS | SIZE_LABELS | TENURE_LABELS | SCORE_LABELS | YIELD_LABELS
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in (say("code"), say("name"), say("kind")):
        table.add_column(title)
    for name in names:
        label = labels[name][0] if name in labels else name
        table.add_column(named(name, label), justify="right")
    for row in rows:
        cells = (cell(row[name], labels.get(name, ("", "n"))[1]) for name in names)
        label = named(row["kind"], KINDS[row["kind"]].label)
        table.add_row(row["fund_code"], escape(row["name"]), label, *cells)
    terminal = console()
    terminal.print(table, soft_wrap=not terminal.is_terminal)
    terminal.print(
        say(
            "{window}, as of {date}{mark}: {count:,} funds match, {shown:,} are listed",
            window=named(asked.window, WINDOW_LABELS[asked.window]), date=from_key(calc_date),
            mark=date_mark(warehouse, calc_date), count=count, shown=len(rows),
        )
    )  # fmt: skip
    if kind is None and fund_type is None and money:
        words = say(
            "{count:,} of them are money-market funds, whose NAV hardly moves: their risk is "
            "not comparable with other kinds; --kind mixed shows one kind", count=money,
        )  # fmt: skip
        terminal.print(f"[dim]{words}[/]")
