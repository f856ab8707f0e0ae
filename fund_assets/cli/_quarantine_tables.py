"""Held rows and blocked batches as they stand on the terminal.

Belongs here: tables and lines. Does not belong here: options (`quarantine.py`), reads
(`warehouse/queries/`).
"""

from datetime import datetime
from typing import Any

from fund_assets.cli._context import console
from fund_assets.labels import BATCH_STATES
from fund_assets.language import later, named, say
from fund_assets.schemas.columns import FIGURE_LABELS

STATES = {
    "held": later("held back"),
    "accepted": later("accepted"),
    "rejected": later("rejected"),
}


def print_row(row: dict[str, Any], accepted: list[dict[str, Any]]) -> None:
    """A held row, what was decided of it, and the accepted values around its date."""
    from rich.markup import escape

    terminal = console()
    name = escape(row["fund_name"] or "")
    terminal.print(f"[bold]{escape(row['fund_code'])} {name}[/]  [dim]{row['id']}[/]")
    terminal.print(f"{escape(row['rule'])}  {escape(row['reason'])}")
    terminal.print(
        say(
            "batch {batch}, collected {collected}, held {held}",
            batch=row["batch_id"], collected=_moment(row["collected_at"]),
            held=_moment(row["created_at"]),
        )
    )  # fmt: skip
    terminal.print(_state(row))
    if row["decided_at"]:
        batch = say(", batch {batch}", batch=row["decided_in"]) if row["decided_in"] else ""
        words = f"{row['decided_by']}, {_moment(row['decided_at'])}: {row['decided_because']}"
        terminal.print(escape(words) + batch)
    _print_around(row, accepted)


def print_batch(batch: dict[str, Any]) -> None:
    """A batch as a whole: what stopped it, and what lifts that."""
    from rich.markup import escape

    terminal = console()
    state = say(BATCH_STATES[str(batch["state"])])
    terminal.print(f"[bold]{batch['batch_id']}[/]  {batch['kind']}  {state}")
    terminal.print(
        say(
            "NAV date {date}, collected {collected}, {rows:,} rows",
            date=_day(batch["newest_date"]), collected=_moment(batch["collected_at"]),
            rows=batch["rows_read"],
        )
    )  # fmt: skip
    if batch["held_because"]:
        terminal.print(escape(batch["held_because"]), soft_wrap=True)
    if batch["state"] == "held" and batch["replaced_by"]:
        terminal.print(
            say(
                "replaced by the later batch {batch}: nothing to do",
                batch=batch["replaced_by"],
            )
        )
    elif batch["state"] == "held":
        terminal.print(
            say(
                "if it is correct: fund-assets quarantine accept {batch} --because ...; if it "
                "is wrong: fund-assets quarantine reject {batch} --because ..., or wait for "
                "the next correct batch",
                batch=batch["batch_id"],
            ),
            soft_wrap=True,
        )


def print_rows(rows: list[dict[str, Any]]) -> None:
    """Held rows, a line each."""
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in (say("id"), say("code"), say("NAV date")):
        table.add_column(title, no_wrap=True)
    for title in (say("state"), say("rule"), say("reason")):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(
            row["id"][:8],
            escape(row["fund_code"]),
            _day(row["nav_date"]),
            _state(row),
            escape(row["rule"]),
            escape(row["reason"]),
        )
    console().print(table)


def count_rows(count: int) -> str:
    """So many rows, in words."""
    return say("{count} row", count=1) if count == 1 else say("{count:,} rows", count=count)


def _print_around(row: dict[str, Any], accepted: list[dict[str, Any]]) -> None:
    from rich.table import Table

    names = [n for n in FIGURE_LABELS if any(one[n] is not None for one in (row, *accepted))]
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(say("NAV date"))
    for name in names:
        table.add_column(named(name, FIGURE_LABELS[name]), justify="right")
    table.add_column("")
    lines = [(one, "") for one in accepted] + [(row, say("← the held value"))]
    for one, mark in sorted(lines, key=lambda line: (line[0]["nav_date"] or 0, line[1])):
        cells = ("[dim]—[/]" if one[n] is None else f"{one[n]:.10g}" for n in names)
        table.add_row(_day(one["nav_date"]), *cells, mark)
    console().print(table)


def _state(row: dict[str, Any]) -> str:
    colour = {"held": "yellow", "accepted": "green", "rejected": "red"}[row["state"]]
    late = say(", superseded") if row["superseded"] else ""
    return f"[{colour}]{say(STATES[row['state']])}{late}[/]"


def _day(key: int | None) -> str:
    return f"{key // 10_000}-{key // 100 % 100:02}-{key % 100:02}" if key else "[dim]—[/]"


def _moment(stamp: int) -> str:
    return f"{datetime.strptime(str(stamp), '%Y%m%d%H%M%S'):%Y-%m-%d %H:%M:%S}"  # noqa: DTZ007
