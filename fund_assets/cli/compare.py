"""The command `compare`: the metrics of some funds side by side.

Belongs here: options and writing. Does not belong here: reads (`warehouse/queries/metrics.py`),
drawing (`report/charts.py`).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fund_assets.cli._arguments import WINDOW, Failed, NotThere
from fund_assets.cli._context import console, reading
from fund_assets.cli._funds import chosen_fund
from fund_assets.cli._metric_cells import cell
from fund_assets.language import named, say

if TYPE_CHECKING:
    from fund_assets.warehouse import Warehouse

COMPARED = (
    "end_date", "total_return", "annualized_return", "annualized_volatility", "sharpe_ratio",
    "sortino_ratio", "calmar_ratio", "max_drawdown", "max_drawdown_days", "month_win_rate",
    "beta", "alpha", "information_ratio",
)  # fmt: skip


@click.command()
@click.argument("funds", metavar="CODE CODE...", nargs=-1, required=True)
@click.option(
    "--window", type=WINDOW, default="1y", show_default=True, help="Length of the window."
)
@click.option(
    "--chart",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also draw total return and drawdown into this .svg or .png file.",
)
def compare(funds: tuple[str, ...], window: str, chart: Path | None) -> None:
    """Compare the metrics of some funds."""
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.schemas.words import LABELS, WINDOW_LABELS
    from fund_assets.warehouse.queries.metrics import of_window

    if chart:
        _check_chart(chart)
    warehouse = reading()
    found = [chosen_fund(warehouse, text, one_only=False) for text in funds]
    if None in found:
        return
    known = {fund["fund_code"]: fund for fund in found if fund}
    rows = of_window(warehouse, list(known), window)
    if missing := set(known) - {row["fund_code"] for row in rows}:
        raise NotThere(
            f"{', '.join(sorted(missing))}: no metrics yet, run `fund-assets metrics` first"
        )
    table = Table(title=named(window, WINDOW_LABELS[window]), title_justify="left", box=None)
    table.add_column(say("metric"))
    for row in rows:
        fund = known[row["fund_code"]]
        table.add_column(f"{fund['fund_code']}\n{escape(fund['name'])}", justify="right")
    for name in COMPARED:
        label, form = LABELS[name]
        table.add_row(named(name, label), *(cell(row[name], form) for row in rows))
    terminal = console()
    terminal.print(table, soft_wrap=not terminal.is_terminal)
    for row in rows:
        if row["reason"]:
            terminal.print(f"[dim]{row['fund_code']}: {escape(row['reason'])}[/]")
    if chart:
        _draw_chart(warehouse, chart, window, rows, known)
        terminal.print(escape(say("the chart is in {path}", path=chart)), soft_wrap=True)


def _check_chart(path: Path) -> None:
    from fund_assets.report import charts

    try:
        charts.check(path)
    except charts.ChartError as error:
        raise click.BadParameter(str(error), param_hint="--chart") from error


def _draw_chart(
    warehouse: "Warehouse",
    path: Path,
    window: str,
    rows: list[dict[str, Any]],
    known: dict[str, dict[str, Any]],
) -> None:
    """The funds' curves over the days that the table's total returns are of."""
    import numpy as np

    from fund_assets.calendar import from_key, keys_to_days
    from fund_assets.report import charts
    from fund_assets.report.curve import Curve
    from fund_assets.schemas.words import WINDOW_LABELS
    from fund_assets.warehouse.queries.nav import history

    curves = []
    for row in rows:
        code = row["fund_code"]
        if row["start_date"] is None:
            raise NotThere(
                f"{code} has no {window} to draw ({row['reason']}): remove it, or choose "
                "another --window"
            )
        stored = history(warehouse, code, since=row["start_date"])
        stored = [nav for nav in stored if nav["nav_date"] <= row["end_date"]]
        days = keys_to_days(np.array([nav["nav_date"] for nav in stored]))
        index = np.array([nav["total_return_index"] for nav in stored], dtype=float)
        curves.append(Curve(code, known[code]["name"], days.astype("datetime64[D]"), index))
    until = from_key(max(row["end_date"] for row in rows))
    try:
        charts.draw(path, f"{WINDOW_LABELS[window]}，截至 {until}", curves)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error}") from error
