"""The command `prove`: why a fund's total-return index can be believed.

Belongs here: options and writing. Does not belong here: the proof itself (`nav/proof.py`).
"""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from fund_assets.cli.asking import PAST_DAY, NotThere
from fund_assets.cli.looking import RETURN_STATUSES, chosen_fund
from fund_assets.cli.opening import console, reading

if TYPE_CHECKING:
    import pandas as pd

    from fund_assets.nav.proof import Proof

SHOWN_STEPS = 20
KINDS = {"dividend": "分红", "split": "拆分"}
SOURCES = {"recorded": "已公布", "inferred": "推断"}
VERDICTS = {
    "proven": "[green]每一步收益都由分红拆分与日增长率相互印证[/]",
    "explained": "[yellow]没有矛盾未解：部分收益只有一个来源，或由推断的分红拆分解释[/]",
    "unproven": "[red]有收益未能证实：各来源相互矛盾，见上表[/]",
}
TITLES = {
    "nav_date": "净值日期",
    "return_pct": "采用收益%",
    "by_events_pct": "按分红拆分%",
    "growth_pct": "按日增长率%",
    "by_acc_pct": "按累计净值%",
    "disagreement_pct": "最大分歧",
    "return_status": "收益依据",
}


@click.command()
@click.argument("fund", metavar="CODE")
@click.option("--since", type=PAST_DAY, help="Leave out older steps.")
@click.option(
    "--all", "show_all", is_flag=True,
    help=f"Every step, not only the {SHOWN_STEPS} newest that are not proven.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The proof for machines.")
def prove(fund: str, since: datetime | None, show_all: bool, as_json: bool) -> None:
    """Show why the total-return index of a fund can be believed, and where it cannot.

    Lists its dividends and splits with their sources, and what events, published growth
    and accumulated NAV say of each step that the first two do not prove together.
    """
    from fund_assets.calendar import to_key

    warehouse = reading()
    row = chosen_fund(warehouse, fund, one_only=as_json)
    if row is None:
        return
    import pandas as pd

    from fund_assets.nav.proof import prove as lay_out
    from fund_assets.schemas.tables import FUND_EVENTS
    from fund_assets.warehouse import events, history

    first = to_key(since) if since else 0
    code = row["fund_code"]
    rows = history.history(warehouse, code, since=first)
    if not rows:
        raise NotThere(
            f"{code} has no accepted NAV since {since:%Y-%m-%d}: name an earlier --since"
            if since
            else f"{code} has no accepted NAV yet: `fund-assets backfill --codes {code}` asks "
            "for its history"
        )
    told = pd.DataFrame(events.of_fund(warehouse, code, first), columns=FUND_EVENTS.names)
    proof = lay_out(pd.DataFrame(rows), told)
    if as_json:
        found = _as_json(code, told, proof, show_all)
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _show(row, told, proof, show_all)


def _as_json(code: str, told: "pd.DataFrame", proof: "Proof", show_all: bool) -> dict[str, Any]:
    steps = proof.steps if show_all else proof.disagreements
    return {
        "fund_code": code,
        "from": int(proof.steps["nav_date"].iloc[0]),
        "to": int(proof.steps["nav_date"].iloc[-1]),
        "index_start": proof.start,
        "index_end": proof.end,
        "counts": proof.counts,
        "verdict": proof.verdict,
        "events": _plain(told),
        "steps": _plain(steps),
    }


def _plain(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        frame.to_json(orient="records", force_ascii=False, double_precision=10)
    )
    return found


def _show(fund: dict[str, Any], told: "pd.DataFrame", proof: "Proof", show_all: bool) -> None:
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.calendar import from_key

    terminal = console()
    terminal.print(f"[bold]{fund['fund_code']} {escape(fund['name'])}[/]")
    if len(told):
        table = Table(box=None, padding=(0, 2, 0, 0))
        for title in ("除息/折算日", "事件", "数值", "来源", "依据"):
            justify = "right" if title == "数值" else "left"
            table.add_column(title, justify=justify, overflow="fold")
        for event in told.itertuples(index=False):
            table.add_row(
                str(from_key(event.ex_date)),
                KINDS[event.kind],
                f"{event.value:.10g}",
                SOURCES[event.status] + _sources(event),
                escape(event.evidence or event.text),
            )
        terminal.print(table)
    else:
        terminal.print("[dim]没有分红拆分[/]")
    steps = proof.steps if show_all else proof.disagreements.tail(SHOWN_STEPS)
    if len(steps):
        table = Table(box=None, padding=(0, 2, 0, 0))
        for name, title in TITLES.items():
            table.add_column(title, justify="left" if name == "nav_date" else "right")
        for step in steps.to_dict("records"):
            table.add_row(
                *(
                    f"{from_key(value)}"
                    if name == "nav_date"
                    else RETURN_STATUSES[value]
                    if name == "return_status"
                    else "[dim]—[/]"
                    if value != value
                    else f"{value:.4f}"
                    for name, value in ((name, step[name]) for name in TITLES)
                )
            )
        terminal.print(table)
        if not show_all and len(proof.disagreements) > len(steps):
            of = len(proof.disagreements)
            terminal.print(f"[dim]共 {of} 步，只列出最近 {len(steps)} 步；--all 全部[/]")
    counts = "，".join(
        f"{RETURN_STATUSES[name]} {n:,}" for name, n in proof.counts.items() if n
    )
    first, last = (from_key(int(proof.steps["nav_date"].iloc[at])) for at in (0, -1))
    terminal.print(f"收益依据：{counts}")
    terminal.print(f"总收益指数：{first} {proof.start:.6f} → {last} {proof.end:.6f}")
    terminal.print(VERDICTS[proof.verdict])


def _sources(event: Any) -> str:
    """Which sources record it; both values where they differ."""
    from fund_assets.nav.events import SAME

    history, listed = event.history_value, event.list_value
    told = [
        name
        for name, value in (("历史", history), ("列表", listed))
        if value is not None and value == value
    ]
    if len(told) == 2 and abs(history - listed) > SAME:
        return f"（历史 {history:.10g} ≠ 列表 {listed:.10g}）"
    return f"（{'、'.join(told)}）" if told else ""
