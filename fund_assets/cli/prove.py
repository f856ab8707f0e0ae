"""The command `prove`: why a fund's total-return index can be believed.

Belongs here: options and writing. Does not belong here: the proof itself (`nav/explain.py`).
"""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from fund_assets.cli._arguments import PAST_DAY, NotThere
from fund_assets.cli._context import console, reading
from fund_assets.cli._funds import chosen_fund
from fund_assets.labels import RETURN_STATUSES
from fund_assets.language import later, named, say

if TYPE_CHECKING:
    from rich.table import Table

    from fund_assets.nav.explain import Proof

Rows = list[dict[str, Any]]
SHOWN_STEPS = 20
KINDS = {"dividend": later("dividend"), "split": later("split")}
SOURCES = {"recorded": later("published"), "inferred": later("inferred")}
VERDICTS = {
    "proven": ("green", later("events and published growth together prove every step")),
    "explained": (
        "yellow",
        later("no contradictions: some steps have only one source or an inferred event"),
    ),
    "unproven": (
        "red",
        later("some steps are not proven: their sources disagree, see above"),
    ),
}
#: Column → what a Chinese reader calls it.
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
@click.option("--since", type=PAST_DAY, help="Skip older steps.")
@click.option(
    "--all", "show_all", is_flag=True,
    help=f"Every step, not only the {SHOWN_STEPS} newest that are not proven.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the proof as JSON.")
def prove(fund: str, since: datetime | None, show_all: bool, as_json: bool) -> None:
    """Show where the total-return index of a fund is proven, and where it is not.

    Lists its dividends and splits with their sources. For each step that events and published
    growth do not prove together, it shows what these and the accumulated NAV say.
    """
    from fund_assets.calendar import to_key

    warehouse = reading()
    row = chosen_fund(warehouse, fund, one_only=as_json)
    if row is None:
        return

    from fund_assets.nav.explain import prove as lay_out
    from fund_assets.warehouse.queries import nav as nav_queries
    from fund_assets.warehouse.stores import events

    first = to_key(since) if since else 0
    code = row["fund_code"]
    rows = nav_queries.history(warehouse, code, since=first)
    if not rows:
        raise NotThere(
            f"{code} has no accepted NAV since {since:%Y-%m-%d}: choose an earlier --since"
            if since
            else f"{code} has no accepted NAV yet: `fund-assets backfill --codes {code}` "
            "fetches its history"
        )
    told = events.of_fund(warehouse, code, first)
    proof = lay_out(rows, told)
    if as_json:
        found = _as_json(code, told, proof, show_all)
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _show(row, told, proof, show_all)


def _as_json(code: str, told: Rows, proof: "Proof", show_all: bool) -> dict[str, Any]:
    steps = proof.steps if show_all else proof.disagreements
    return {
        "fund_code": code,
        "from": proof.steps[0]["nav_date"],
        "to": proof.steps[-1]["nav_date"],
        "index_start": proof.start,
        "index_end": proof.end,
        "counts": proof.counts,
        "verdict": proof.verdict,
        "events": _plain(told),
        "steps": _plain(steps),
    }


def _plain(rows: Rows) -> Rows:
    """The rows with ten decimals, as JSON has them: it knows no NaN."""
    return [
        {
            name: None
            if value != value
            else round(value, 10)
            if isinstance(value, float)
            else value
            for name, value in row.items()
        }
        for row in rows
    ]


def _show(fund: dict[str, Any], told: Rows, proof: "Proof", show_all: bool) -> None:
    from rich.markup import escape

    from fund_assets.calendar import from_key

    terminal = console()
    terminal.print(f"[bold]{fund['fund_code']} {escape(fund['name'])}[/]")
    if told:
        terminal.print(_events_table(told))
    else:
        terminal.print(f"[dim]{say('no dividends or splits')}[/]")
    steps = proof.steps if show_all else proof.disagreements[-SHOWN_STEPS:]
    if steps:
        terminal.print(_steps_table(steps))
        if not show_all and len(proof.disagreements) > len(steps):
            words = say(
                "{count} steps, the newest {shown} are shown; --all shows all",
                count=len(proof.disagreements), shown=len(steps),
            )  # fmt: skip
            terminal.print(f"[dim]{words}[/]")
    counts = ", ".join(
        f"{say(RETURN_STATUSES[name])} {n:,}" for name, n in proof.counts.items() if n
    )
    first, last = (from_key(proof.steps[at]["nav_date"]) for at in (0, -1))
    terminal.print(say("steps: {counts}", counts=counts))
    terminal.print(
        say(
            "total-return index: {first} {start:.6f} → {last} {end:.6f}",
            first=first, start=proof.start, last=last, end=proof.end,
        )
    )  # fmt: skip
    colour, words = VERDICTS[proof.verdict]
    terminal.print(f"[{colour}]{say(words)}[/]")


def _events_table(told: Rows) -> "Table":
    """Dividends and splits, each with its sources."""
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.calendar import from_key

    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in (say("ex-date"), say("event")):
        table.add_column(title, overflow="fold")
    table.add_column(say("value"), justify="right", overflow="fold")
    for title in (say("source"), say("evidence")):
        table.add_column(title, overflow="fold")
    for event in told:
        table.add_row(
            str(from_key(event["ex_date"])),
            say(KINDS[event["kind"]]),
            f"{event['value']:.10g}",
            say(SOURCES[event["status"]]) + _sources(event),
            escape(event["evidence"] or event["text"]),
        )
    return table


def _steps_table(steps: Rows) -> "Table":
    """What each source says of each step."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for name, title in TITLES.items():
        table.add_column(named(name, title), justify="left" if name == "nav_date" else "right")
    for step in steps:
        table.add_row(*(_cell(name, step[name]) for name in TITLES))
    return table


def _cell(name: str, value: Any) -> str:
    from fund_assets.calendar import from_key

    if name == "nav_date":
        return f"{from_key(value)}"
    if name == "return_status":
        return say(RETURN_STATUSES[value])
    return "[dim]—[/]" if value != value else f"{value:.4f}"


def _sources(event: dict[str, Any]) -> str:
    """Which sources record it; both values where they differ."""
    from fund_assets.schemas.columns import EVENT_ROUNDING

    history, listed = event["history_value"], event["list_value"]
    told = [
        name
        for name, value in ((say("history"), history), (say("list"), listed))
        if value is not None
    ]
    if len(told) == 2 and abs(history - listed) > EVENT_ROUNDING:
        return say(
            " (history {history:.10g} ≠ list {listed:.10g})", history=history, listed=listed
        )
    return named(f" ({', '.join(told)})", f"（{'、'.join(told)}）") if told else ""
