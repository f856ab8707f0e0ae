"""The command `metrics`: those of one fund, or the job that computes all.

Belongs here: options and writing. Does not belong here: reads (`warehouse/queries/metrics.py`),
computing (`pipeline/fund_metrics.py`).
"""

from typing import TYPE_CHECKING, Any

import click

from fund_assets.cli._arguments import NotThere
from fund_assets.cli._context import console, reading
from fund_assets.cli._funds import chosen_fund
from fund_assets.cli._jobs import run_job
from fund_assets.cli._metric_cells import cell, date_mark, measured_against
from fund_assets.language import is_chinese, later, named, say

if TYPE_CHECKING:
    from rich.table import Table

Row = dict[str, Any]
#: Columns of a terminal that Chinese and English labels take, and each window.
LABEL_WIDTHS, CELL_WIDTH = (17, 23), 11
STATUSES = {"final": later("final"), "provisional": later("provisional")}
RANKED = ("total_return", "sharpe_ratio", "max_drawdown")


@click.command()
@click.argument("fund", metavar="[CODE]", required=False)
def metrics(fund: str | None) -> None:
    """Show the metrics of a fund; without CODE, compute those of every fund.

    CODE is as for `nav`. Computing reads the accepted history and is safe to run again.
    """
    if fund is None:
        run_job("daily_metrics", {"ops": {"fund_metrics": {"config": {"recompute": True}}}})
        return
    _show(fund)


def _show(text: str) -> None:
    """Print every window of one fund."""
    from fund_assets.schemas.tables import WINDOWS
    from fund_assets.warehouse.queries.metrics import newest_metrics

    warehouse = reading()
    fund = chosen_fund(warehouse, text, one_only=False)
    if fund is None:
        return
    rows = {row["window"]: row for row in newest_metrics(warehouse, fund["fund_code"])}
    if not rows:
        raise NotThere(f"{fund['fund_code']} has no metrics yet: run `fund-assets metrics`")
    one = next(iter(rows.values()))
    terminal = console()
    terminal.print(_head(fund, one, date_mark(warehouse, one["calc_date"])))
    windows = [w for w in WINDOWS if w in rows and rows[w]["total_return"] is not None]
    width = LABEL_WIDTHS[0 if is_chinese() else 1]
    at_once = max((terminal.width - width) // CELL_WIDTH, 1)
    if not terminal.is_terminal:
        at_once = len(WINDOWS)
        terminal.width = width + at_once * CELL_WIDTH
    for first in range(0, len(windows), at_once):
        some = {window: rows[window] for window in windows[first : first + at_once]}
        terminal.print(_table(some, width))
    for window in WINDOWS:
        if window in rows and rows[window]["reason"]:
            terminal.print(_reason(window, rows[window]), soft_wrap=not terminal.is_terminal)


def _head(fund: Row, row: Row, mark: str) -> str:
    """Which fund it is, and what the figures of one of its rows are of."""
    from rich.markup import escape

    from fund_assets.calendar import from_key
    from fund_assets.schemas.fund_types import group_label

    against = (
        say(", benchmark {name}", name=escape(measured_against(row)))
        if row["benchmark_code"]
        else ""
    )
    group = row["peer_group"]
    within = (
        say(", ranked within {group}", group=named(group, group_label(group))) if group else ""
    )
    coverage = (
        ""
        if row["coverage"] is None
        else say(" ({share:.0%} of its kind have published)", share=row["coverage"])
    )
    as_of = say("as of {date}", date=from_key(row["calc_date"]))
    return (
        f"[bold]{fund['fund_code']} {escape(fund['name'])}[/]  [dim]{escape(fund['fund_type'])}"
        f"[/]\n{as_of}{mark} {say(STATUSES[row['status']])}"
        f"{coverage}{against}{within}"
    )


def _table(rows: dict[str, Row], width: int) -> "Table":
    """The metrics of some windows, each with its row, and its places within its group."""
    from rich.table import Table

    from fund_assets.schemas.words import LABELS, WINDOW_LABELS

    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column(say("metric"), min_width=width - 1)
    for window in rows:
        table.add_column(
            named(window, WINDOW_LABELS[window]), justify="right", min_width=CELL_WIDTH - 1
        )
    for name, (label, form) in LABELS.items():
        table.add_row(named(name, label), *(cell(row[name], form) for row in rows.values()))
    for name in RANKED:
        table.add_row(
            named(f"{name}_rank", f"{LABELS[name][0]}同类排名"),
            *(_place(row, name) for row in rows.values()),
        )
    return table


def _reason(window: str, row: Row) -> str:
    """Why a window has no metrics, or not all of them."""
    from rich.markup import escape

    from fund_assets.schemas.words import WINDOW_LABELS

    return f"[dim]{named(window, WINDOW_LABELS[window])}: {escape(row['reason'])}[/]"


def _place(row: Row, name: str) -> str:
    rank, peers = row[f"{name}_rank"], row[f"{name}_peers"]
    return "—" if rank is None else f"{rank:,}/{peers:,}"
