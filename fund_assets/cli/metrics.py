"""The commands on stored metrics: `metrics CODE`, `compare` and `screen`.

Belongs here: options and writing. Does not belong here: reads (`warehouse/queries/metrics.py`),
the language of conditions (`metrics/screen.py`), drawing (`report/charts.py`).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fund_assets.cli._arguments import KIND, WINDOW, Failed, NotThere
from fund_assets.cli._context import console, provisional_after, reading
from fund_assets.cli.nav import chosen_fund
from fund_assets.language import is_chinese, later, named, say

if TYPE_CHECKING:
    from fund_assets.warehouse import Warehouse

#: Columns of a terminal that Chinese and English labels take, and each window.
LABEL_WIDTHS, CELL_WIDTH = (17, 23), 11
STATUSES = {"final": later("final"), "provisional": later("provisional")}
COMPARED = (
    "end_date", "total_return", "annualized_return", "annualized_volatility", "sharpe_ratio",
    "sortino_ratio", "calmar_ratio", "max_drawdown", "max_drawdown_days", "month_win_rate",
    "beta", "alpha", "information_ratio",
)  # fmt: skip


def show_metrics(text: str) -> None:
    """Print every window of one fund."""
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.calendar import from_key
    from fund_assets.schemas.kinds import INDICES
    from fund_assets.schemas.tables import WINDOWS
    from fund_assets.schemas.words import LABELS, WINDOW_LABELS
    from fund_assets.warehouse.queries.metrics import newest_metrics

    warehouse = reading()
    fund = chosen_fund(warehouse, text, one_only=False)
    if fund is None:
        return
    rows = {row["window"]: row for row in newest_metrics(warehouse, fund["fund_code"])}
    if not rows:
        raise NotThere(f"{fund['fund_code']} has no metrics yet: run `fund-assets metrics`")
    terminal = console()
    one = next(iter(rows.values()))
    benchmark = one["benchmark_code"]
    against = (
        say(
            ", benchmark {name} {code}",
            name=INDICES.get(benchmark, benchmark), code=benchmark,
        )
        if benchmark
        else ""
    )  # fmt: skip
    mark = _mark(warehouse, one["calc_date"])
    coverage = (
        ""
        if one["coverage"] is None
        else say(" ({share:.0%} of its kind have published)", share=one["coverage"])
    )
    as_of = say("as of {date}", date=from_key(one["calc_date"]))
    terminal.print(
        f"[bold]{fund['fund_code']} {escape(fund['name'])}[/]  [dim]{escape(fund['fund_type'])}"
        f"[/]\n{as_of}{mark} {say(STATUSES[one['status']])}"
        f"{coverage}{against}"
    )
    windows = [w for w in WINDOWS if w in rows and rows[w]["total_return"] is not None]
    width = LABEL_WIDTHS[0 if is_chinese() else 1]
    at_once = max((terminal.width - width) // CELL_WIDTH, 1)
    if not terminal.is_terminal:
        at_once = len(WINDOWS)
        terminal.width = width + at_once * CELL_WIDTH
    for first in range(0, len(windows), at_once):
        some = windows[first : first + at_once]
        table = Table(box=None, padding=(0, 1, 0, 0))
        table.add_column(say("metric"), min_width=width - 1)
        for window in some:
            table.add_column(
                named(window, WINDOW_LABELS[window]), justify="right", min_width=CELL_WIDTH - 1
            )
        for name, (label, form) in LABELS.items():
            cells = (_cell(rows[window][name], form) for window in some)
            table.add_row(named(name, label), *cells)
        for name in ("total_return", "sharpe_ratio", "max_drawdown"):
            table.add_row(
                named(f"{name}_rank", f"{LABELS[name][0]}同类排名"),
                *(_place(rows[window], name) for window in some),
            )
        terminal.print(table)
    for window in WINDOWS:
        if window in rows and rows[window]["reason"]:
            terminal.print(
                f"[dim]{named(window, WINDOW_LABELS[window])}: "
                f"{escape(rows[window]['reason'])}[/]",
                soft_wrap=not terminal.is_terminal,
            )


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
    """Put the metrics of some funds side by side."""
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
        table.add_row(named(name, label), *(_cell(row[name], form) for row in rows))
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
    from fund_assets.schemas.words import WINDOW_LABELS
    from fund_assets.warehouse.queries.nav import history

    curves = []
    for row in rows:
        code = row["fund_code"]
        if row["start_date"] is None:
            raise NotThere(
                f"{code} has no {window} to draw ({row['reason']}): leave it out, or choose "
                "another --window"
            )
        stored = history(warehouse, code, since=row["start_date"])
        stored = [nav for nav in stored if nav["nav_date"] <= row["end_date"]]
        days = keys_to_days(np.array([nav["nav_date"] for nav in stored]))
        index = np.array([nav["total_return_index"] for nav in stored], dtype=float)
        curves.append(
            charts.Curve(code, known[code]["name"], days.astype("datetime64[D]"), index)
        )
    until = from_key(max(row["end_date"] for row in rows))
    try:
        charts.draw(path, f"{WINDOW_LABELS[window]}，截至 {until}", curves)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error}") from error


@click.command()
@click.argument("conditions")
@click.option("--kind", type=KIND, help="Funds of this kind alone, such as mixed or 混合型.")
@click.option("--sort", default="sharpe_ratio", show_default=True, help="Highest first.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
def screen(conditions: str, kind: str | None, sort: str, limit: int) -> None:
    """List the funds that meet CONDITIONS.

    CONDITIONS is one text, such as "window=3y sharpe_ratio>1 max_drawdown>-20%". All of them
    must hold; a fund without a value does not meet one on it. Metrics have the names of the
    columns of fund_metrics; without a window it is 1y.
    """
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.calendar import from_key
    from fund_assets.metrics.screen import ScreenError, column, parse
    from fund_assets.schemas.kinds import KINDS
    from fund_assets.schemas.words import LABELS, WINDOW_LABELS
    from fund_assets.warehouse.queries.metrics import screened

    try:
        asked = parse(conditions)
        by = column(sort)
    except ScreenError as error:
        raise NotThere(str(error)) from error
    warehouse = reading()
    calc_date, count, rows = screened(warehouse, asked, kind, by, limit)
    if calc_date is None:
        raise NotThere("there are no metrics yet: run `fund-assets run`")
    money = sum(row["kind"] == "money" for row in rows)
    names = list(
        dict.fromkeys([by, *(name for name, _, _ in asked.conditions), "total_return"])
    )
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in (say("code"), say("name"), say("kind")):
        table.add_column(title)
    for name in names:
        label = LABELS[name][0] if name in LABELS else name
        table.add_column(named(name, label), justify="right")
    for row in rows:
        cells = (_cell(row[name], LABELS.get(name, ("", "n"))[1]) for name in names)
        label = named(row["kind"], KINDS[row["kind"]].label)
        table.add_row(row["fund_code"], escape(row["name"]), label, *cells)
    terminal = console()
    terminal.print(table, soft_wrap=not terminal.is_terminal)
    terminal.print(
        say(
            "{window}, as of {date}{mark}: {count:,} funds fit, {shown:,} are listed",
            window=named(asked.window, WINDOW_LABELS[asked.window]), date=from_key(calc_date),
            mark=_mark(warehouse, calc_date), count=count, shown=len(rows),
        )
    )  # fmt: skip
    if kind is None and money:
        words = say(
            "{count:,} of them are money-market funds, whose NAV hardly moves: their risk "
            "compares with no other kind; --kind mixed shows one kind", count=money,
        )  # fmt: skip
        terminal.print(f"[dim]{words}[/]")


def _mark(warehouse: "Warehouse", calc_date: int) -> str:
    """What stands behind a date beyond the announced calendar."""
    from fund_assets.calendar import from_key

    known = from_key(calc_date) <= provisional_after(warehouse, calc_date)
    return "" if known else say(" (calendar unknown, date provisional)")


def _cell(value: Any, form: str) -> str:
    from fund_assets.calendar import from_key

    if value is None:
        return "—"
    if form == "%":
        return f"{value:.2%}"
    if form == "d":
        return f"{from_key(value)}"
    return f"{value:,}" if form == "i" else f"{value:.3f}"


def _place(row: dict[str, Any], name: str) -> str:
    rank, peers = row[f"{name}_rank"], row[f"{name}_peers"]
    return "—" if rank is None else f"{rank:,}/{peers:,}"
