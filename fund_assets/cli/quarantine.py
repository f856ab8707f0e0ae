"""The quarantine desk: `quarantine list`, `show`, `accept`, `reject` and `replay`.

Belongs here: options, and which answer they ask for. Does not belong here: choosing rows
(`_quarantine_choice.py`), deciding (`_quarantine_decisions.py`), writing
(`_quarantine_tables.py`).
"""

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from fund_assets.cli._arguments import DAY, KIND, RULE, Commands, NotThere, OneOf
from fund_assets.cli._context import console, reading
from fund_assets.cli._quarantine_choice import (
    Chosen,
    check_filters,
    check_one_batch,
    is_batch,
    wanted_rows,
)
from fund_assets.cli._quarantine_decisions import accept_batch, decide_rows, reject_batch
from fund_assets.cli._quarantine_tables import (
    STATES,
    count_rows,
    print_batch,
    print_row,
    print_rows,
)
from fund_assets.language import say

if TYPE_CHECKING:
    from fund_assets.pipeline.quarantine import Decided, Decision
    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse.queries.quarantine import Wanted

SHOWN_ROWS, SHOWN_DATES = 50, 3


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    """The options that choose rows; each may be given several times."""
    for option in (
        click.option("--rule", "rules", multiple=True, type=RULE, help="Held by this rule."),
        click.option("--fund", "funds", multiple=True, metavar="CODE", help="Of this fund."),
        click.option("--kind", "kinds", multiple=True, type=KIND, help="Of this kind."),
        click.option(
            "--date", "dates", multiple=True, type=DAY,
            help="With this NAV date.",
        ),
        click.option("--batch", "batches", multiple=True, help="Held in this batch."),
    ):  # fmt: skip
        command = option(command)
    return command


def _decision(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments and options of a decision."""
    for option in (
        click.argument("ids", metavar="[ID]...", nargs=-1),
        click.option("--because", required=True, help="The reason; stored with the rows."),
        click.option("--by", help="Who decides [default: the user of this machine]."),
        click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON."),
    ):
        command = option(command)
    return _filters(command)


_despite = click.option(
    "--despite", multiple=True, metavar="RULE",
    help="Merge although this rule blocks it; stored with the rows.",
)  # fmt: skip


@click.group(cls=Commands)
def quarantine() -> None:
    """Show what the rules held back, and decide about it."""


@quarantine.command("list")
@_filters
@click.option(
    "--state", "states", multiple=True, type=OneOf([*STATES, "all"]),
    help="Rows in this state [default: held].",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(min=0), default=SHOWN_ROWS, show_default=True, metavar="N",
    help="At most N rows, 0 for all; --json always has all.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def list_rows(
    states: tuple[str, ...], limit: int, as_json: bool, **filters: tuple[Any, ...]
) -> None:
    """List held rows, the newest last, and how many each rule holds."""
    from fund_assets.warehouse.queries import quarantine as quarantine_queries
    from fund_assets.warehouse.queries import status as status_queries

    chosen = tuple(STATES) if "all" in states else states or ("held",)
    warehouse = reading()
    check_filters(warehouse, filters)
    rows = quarantine_queries.rows(warehouse, wanted_rows(states=chosen, **filters))
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    print_rows(rows[-limit:])
    terminal = console()
    counts = Counter(row["rule"] for row in rows)
    told = ", ".join(f"{rule} {n:,}" for rule, n in counts.most_common())
    terminal.print(count_rows(len(rows)) + (f": {told}" if told else ""))
    if limit and len(rows) > limit:
        words = say("the newest {count} are shown; --limit 0 shows all", count=limit)
        terminal.print(f"[dim]{words}[/]")
    for batch in status_queries.held_batches(warehouse):
        words = say(
            "the whole batch {batch} is blocked: fund-assets quarantine show {batch}",
            batch=batch["batch_id"],
        )
        terminal.print(f"[red]{words}[/]", soft_wrap=True)


@quarantine.command()
@click.argument("beginning", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the row as JSON.")
def show(beginning: str, as_json: bool) -> None:
    """Show a held row and the accepted values around its date, or a blocked batch.

    ID is as in `quarantine list`; the first characters of a row's id are enough.
    """
    from fund_assets.warehouse.queries import nav as nav_queries
    from fund_assets.warehouse.queries import quarantine as quarantine_queries

    warehouse = reading()
    if is_batch(beginning):
        _show_batch(warehouse, beginning, as_json)
        return
    ids = quarantine_queries.full_ids(warehouse, [beginning])
    (row,) = quarantine_queries.rows(
        warehouse, quarantine_queries.Wanted(ids=ids, states=quarantine_queries.STATES)
    )
    date = row["nav_date"] or 0
    accepted = nav_queries.history(warehouse, row["fund_code"])
    before = [one for one in accepted if one["nav_date"] < date][-SHOWN_DATES:]
    after = [one for one in accepted if one["nav_date"] >= date][: SHOWN_DATES + 1]
    if as_json:
        found = {**row, "accepted_around": [*before, *after]}
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    print_row(row, [*before, *after])


def _show_batch(warehouse: "Warehouse", batch_id: str, as_json: bool) -> None:
    """A batch as a whole."""
    from fund_assets.warehouse.queries import status as status_queries

    batch = status_queries.batch(warehouse, batch_id)
    if batch is None:
        raise NotThere(
            f"unknown batch {batch_id}: `fund-assets quarantine list` shows the held ones"
        )
    if as_json:
        click.echo(json.dumps(batch, ensure_ascii=False, indent=2))
    else:
        print_batch(batch)


@quarantine.command()
@_decision
@_despite
def accept(
    ids: tuple[str, ...], because: str, by: str | None, as_json: bool,
    despite: tuple[str, ...], **filters: tuple[Any, ...],
) -> None:  # fmt: skip
    """Merge held rows into the accepted history, as a separate batch.

    ID is as in `quarantine list`; filters can choose rows instead of ids. A decision covers the
    observation: the same fund, date and figures, in every batch and for every rule that held
    them; they are not held again. All rows are decided, or none.

    With the id of a blocked batch, that batch is merged unchanged.
    """
    from fund_assets.pipeline import quarantine as quarantine_step

    if any(map(is_batch, ids)):
        check_one_batch(ids, filters)
        accept_batch(ids[0], because, by, as_json)
        return

    decide_rows(quarantine_step.accept, Chosen(ids, filters), because, by, despite, as_json)


@quarantine.command()
@_decision
def reject(
    ids: tuple[str, ...], because: str, by: str | None, as_json: bool,
    **filters: tuple[Any, ...],
) -> None:  # fmt: skip
    """Mark held rows as wrong. They stay readable, and are not accepted when seen again.

    With the id of a blocked batch, that batch is rejected: it no longer waits, and nothing of
    it is merged.
    """
    from fund_assets.pipeline import quarantine as quarantine_step

    if any(map(is_batch, ids)):
        check_one_batch(ids, filters)
        reject_batch(ids[0], because, by, as_json)
        return

    def decide(
        warehouse: "Warehouse", _calendar: Any, now: datetime, wanted: "Wanted",
        decision: "Decision",
    ) -> "Decided":  # fmt: skip
        return quarantine_step.reject(warehouse, now, wanted, decision)

    decide_rows(decide, Chosen(ids, filters), because, by, (), as_json)


@quarantine.command()
@_decision
@_despite
def replay(
    ids: tuple[str, ...], because: str, by: str | None, as_json: bool,
    despite: tuple[str, ...], **filters: tuple[Any, ...],
) -> None:  # fmt: skip
    """Validate held rows again by today's rules and events, and merge those that pass.

    Without ids and filters, all of them. Exits with 1 when a blocking rule stops a batch.
    """
    from fund_assets.pipeline import quarantine as quarantine_step

    chosen = Chosen(ids, filters, all_allowed=True)
    decide_rows(quarantine_step.replay, chosen, because, by, despite, as_json)
