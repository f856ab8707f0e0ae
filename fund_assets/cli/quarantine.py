"""The quarantine desk: `quarantine list`, `show`, `accept`, `reject` and `replay`.

Belongs here: options and writing. Does not belong here: what a decision does
(`pipeline/quarantine.py`), which rows fit (`warehouse/stores/quarantine.py`).
"""

import getpass
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from fund_assets.cli._arguments import (
    DAY,
    KIND,
    RULE,
    Commands,
    NotThere,
    OneOf,
    check_text,
    nearest,
)
from fund_assets.cli._context import console, open_platform, quiet, reading
from fund_assets.language import later, named, say, translated
from fund_assets.schemas.columns import FIGURE_LABELS

if TYPE_CHECKING:
    from fund_assets.pipeline.quarantine import Decided, Decision
    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse.queries.quarantine import Wanted

SHOWN_ROWS, SHOWN_DATES = 50, 3
STATES = {
    "held": later("held back"),
    "accepted": later("accepted"),
    "rejected": later("rejected"),
}
BATCH_STATES = {
    "held": later("blocked"), "rejected": later("rejected"), "landed": later("waiting"),
    "published": later("merged"),
}  # fmt: skip
MAX_BECAUSE, MAX_BY = 300, 100


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
        click.option("--because", required=True, help="Why; kept with the rows."),
        click.option("--by", help="Who decides [default: the user of this machine]."),
        click.option("--json", "as_json", is_flag=True, help="The outcome for machines."),
    ):
        command = option(command)
    return _filters(command)


_despite = click.option(
    "--despite", multiple=True, metavar="RULE",
    help="Merge although this blocking rule stops it; kept with the rows.",
)  # fmt: skip


@click.group(cls=Commands)
def quarantine() -> None:
    """Look at what the rules hold back, and decide what becomes of it."""


@quarantine.command("list")
@_filters
@click.option(
    "--state", "states", multiple=True, type=OneOf([*STATES, "all"]),
    help="Rows in this state [default: held].",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(min=0), default=SHOWN_ROWS, show_default=True, metavar="N",
    help="At most N rows, 0 for all; --json has all.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The rows for machines.")
def list_rows(
    states: tuple[str, ...], limit: int, as_json: bool, **filters: tuple[Any, ...]
) -> None:
    """List held rows, the newest last, and how many each rule holds."""
    from fund_assets.warehouse.queries import quarantine as quarantine_queries
    from fund_assets.warehouse.queries import status as status_queries

    chosen = tuple(STATES) if "all" in states else states or ("held",)
    warehouse = reading()
    _check_filters(warehouse, filters)
    rows = quarantine_queries.rows(warehouse, _wanted(states=chosen, **filters))
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    _table(rows[-limit:])
    terminal = console()
    counts = Counter(row["rule"] for row in rows)
    told = ", ".join(f"{rule} {n:,}" for rule, n in counts.most_common())
    terminal.print(_rows(len(rows)) + (f": {told}" if told else ""))
    if limit and len(rows) > limit:
        words = say("the newest {count} are shown; --limit 0 shows all", count=limit)
        terminal.print(f"[dim]{words}[/]")
    for batch in status_queries.held_batches(warehouse):
        words = say(
            "batch {batch} is blocked and waits as a whole: "
            "fund-assets quarantine show {batch}",
            batch=batch["batch_id"],
        )
        terminal.print(f"[red]{words}[/]", soft_wrap=True)


@quarantine.command()
@click.argument("beginning", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="The row for machines.")
def show(beginning: str, as_json: bool) -> None:
    """Show a held row and the accepted values around its date, or a blocked batch.

    ID is as in `quarantine list`; of a row's id the first characters are enough.
    """
    from rich.markup import escape

    from fund_assets.warehouse.queries import nav as nav_queries
    from fund_assets.warehouse.queries import quarantine as quarantine_queries

    warehouse = reading()
    if _is_batch(beginning):
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
    _around(row, [*before, *after])


@quarantine.command()
@_decision
@_despite
def accept(
    ids: tuple[str, ...], because: str, by: str | None, as_json: bool,
    despite: tuple[str, ...], **filters: tuple[Any, ...],
) -> None:  # fmt: skip
    """Merge held rows into the accepted history, as a batch of their own.

    ID is as in `quarantine list`; instead of ids, filters choose rows. A row covers its
    observation: the same fund, date and figures are decided in every batch and by every
    rule that held them, and are not held again. All of it happens, or nothing.

    The id of a blocked batch merges that batch as it is.
    """
    from fund_assets.pipeline import quarantine as quarantine_step

    if any(map(_is_batch, ids)):
        _one_batch(ids, filters)
        _accept_batch(ids[0], because, by, as_json)
        return

    _decide(quarantine_step.accept, _Chosen(ids, filters), because, by, despite, as_json)


@quarantine.command()
@_decision
def reject(
    ids: tuple[str, ...], because: str, by: str | None, as_json: bool,
    **filters: tuple[Any, ...],
) -> None:  # fmt: skip
    """Mark held rows as wrong. They stay readable, and no second sight accepts them.

    The id of a blocked batch rejects that batch: it waits no more, and nothing of it is merged.
    """
    from fund_assets.pipeline import quarantine as quarantine_step

    if any(map(_is_batch, ids)):
        _one_batch(ids, filters)
        _reject_batch(ids[0], because, by, as_json)
        return

    def decide(
        warehouse: "Warehouse", _calendar: Any, now: datetime, wanted: "Wanted",
        decision: "Decision",
    ) -> "Decided":  # fmt: skip
        return quarantine_step.reject(warehouse, now, wanted, decision)

    _decide(decide, _Chosen(ids, filters), because, by, (), as_json)


@quarantine.command()
@_decision
@_despite
def replay(
    ids: tuple[str, ...], because: str, by: str | None, as_json: bool,
    despite: tuple[str, ...], **filters: tuple[Any, ...],
) -> None:  # fmt: skip
    """Judge held rows again by today's rules and events, and merge those that pass.

    Without ids and filters, all of them. Exits with 1 when a blocking rule stops a batch.
    """
    from fund_assets.pipeline import quarantine as quarantine_step

    chosen = _Chosen(ids, filters, all_allowed=True)
    _decide(quarantine_step.replay, chosen, because, by, despite, as_json)


def _one_batch(ids: tuple[str, ...], filters: dict[str, tuple[Any, ...]]) -> None:
    if len(ids) > 1 or any(filters.values()):
        raise click.UsageError("name one blocked batch and nothing else")


def _is_batch(text: str) -> bool:
    return re.fullmatch(r"[a-z]\d{8}-[0-9a-f]{12}", text) is not None


def _show_batch(warehouse: "Warehouse", batch_id: str, as_json: bool) -> None:
    """A batch as a whole: what stopped it, and what lifts that."""
    from rich.markup import escape

    from fund_assets.warehouse.queries import status as status_queries

    batch = status_queries.batch(warehouse, batch_id)
    if batch is None:
        raise NotThere(
            f"there is no batch {batch_id}: `fund-assets quarantine list` shows those held"
        )
    if as_json:
        click.echo(json.dumps(batch, ensure_ascii=False, indent=2))
        return
    terminal = console()
    state = say(BATCH_STATES[str(batch["state"])])
    terminal.print(f"[bold]{batch_id}[/]  {batch['kind']}  {state}")
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
                "a later batch, {batch}, took its place: nothing to do",
                batch=batch["replaced_by"],
            )
        )
    elif batch["state"] == "held":
        terminal.print(
            say(
                "right after all: fund-assets quarantine accept {batch} --because ...; wrong: "
                "fund-assets quarantine reject {batch} --because ..., or wait for the next "
                "right batch",
                batch=batch_id,
            ),
            soft_wrap=True,
        )


def _accept_batch(batch_id: str, because: str, by: str | None, as_json: bool) -> None:
    from fund_assets.pipeline import validated_nav
    from fund_assets.pipeline.quarantine import Decided, Decision

    who = _who(by, because)
    reading()
    with quiet():
        platform = open_platform()
    outcome = validated_nav.accept_batch(
        platform.warehouse,
        platform.calendar,
        platform.now(),
        batch_id,
        Decision(who, because.strip()),
    )
    told = Decided(outcomes=(outcome,))
    if as_json:
        click.echo(json.dumps(_outcome(told), ensure_ascii=False, indent=2))
    else:
        _merged(told)


def _reject_batch(batch_id: str, because: str, by: str | None, as_json: bool) -> None:
    from fund_assets.pipeline import validated_nav
    from fund_assets.pipeline.quarantine import Decision

    who = _who(by, because)
    reading()
    with quiet():
        platform = open_platform()
    decision = Decision(who, because.strip())
    done = validated_nav.reject_batch(platform.warehouse, platform.now(), batch_id, decision)
    if as_json:
        click.echo(json.dumps({"batch_id": batch_id, "rejected": done}, ensure_ascii=False))
    elif done:
        click.echo(
            say(
                "rejected batch {batch}: nothing of it was merged, and it waits no more",
                batch=batch_id,
            )
        )
    else:
        click.echo(say("batch {batch} was rejected before, nothing changed", batch=batch_id))


def _who(by: str | None, because: str) -> str:
    """Who decides; a reason must be there."""
    who = (getpass.getuser() if by is None else by).strip()
    check_text(because, "--because", MAX_BECAUSE)
    return check_text(who, "--by", MAX_BY)


@dataclass(frozen=True)
class _Chosen:
    """The rows that a decision is about: by their ids, or by filters.

    Attributes:
        all_allowed: neither names all of them.
    """

    ids: tuple[str, ...]
    filters: dict[str, tuple[Any, ...]]
    all_allowed: bool = False

    def check(self) -> None:
        """Refuses both at once, and neither where that is not allowed."""
        given = any(self.filters.values())
        if self.ids and given:
            raise click.UsageError("name ids or give filters, not both")
        if not self.ids and not given and not self.all_allowed:
            raise click.UsageError("which rows? Name ids, or give filters such as --rule")


def _decide(
    decide: Callable[..., "Decided"],
    chosen: _Chosen,
    because: str,
    by: str | None,
    despite: tuple[str, ...],
    as_json: bool,
) -> None:
    """Take a decision and tell what came of it."""
    from fund_assets.nav.rules import BLOCKING
    from fund_assets.pipeline.quarantine import Decision
    from fund_assets.warehouse.queries import quarantine as quarantine_queries

    chosen.check()
    who = _who(by, because)
    if unknown := sorted(set(despite) - {rule.id for rule in BLOCKING}):
        known = [rule.id for rule in BLOCKING]
        raise click.BadParameter(
            f"{', '.join(unknown)}: no blocking rule; {nearest(unknown[0], known)}",
            param_hint="--despite",
        )
    _check_filters(reading(), chosen.filters)
    with quiet():
        platform = open_platform()
    ids = quarantine_queries.full_ids(platform.warehouse, chosen.ids)
    wanted = _wanted(ids=ids, **chosen.filters)
    told = decide(
        platform.warehouse,
        platform.calendar,
        platform.now(),
        wanted,
        Decision(who, because.strip(), frozenset(despite)),
    )
    if as_json:
        click.echo(json.dumps(_outcome(told), ensure_ascii=False, indent=2))
    else:
        _tell(told)
    if told.blocked:
        click.get_current_context().exit(1)


def _outcome(told: "Decided") -> dict[str, Any]:
    return {
        "batches": [
            {"batch_id": o.batch_id, "newest_date": o.newest_date, **o.counts}
            for o in told.outcomes
        ],
        "marked": told.marked,
        "already": told.already,
        "superseded": told.superseded,
        "still_held": told.still_held,
        "blocked": list(told.blocked),
    }


def _merged(told: "Decided") -> None:
    for outcome in told.outcomes:
        click.echo(
            say(
                "merged as batch {batch}: {rows_new:,} new, {rows_changed:,} corrected, "
                "{rows_filled:,} filled in, {rows_unchanged:,} unchanged",
                batch=outcome.batch_id, **outcome.counts,
            )
        )  # fmt: skip


def _tell(told: "Decided") -> None:
    _merged(told)
    for count, words in (
        (told.marked, later("{rows} decided")),
        (told.already, later("{rows} decided so before, nothing changed")),
        (told.superseded, later("{rows} left out: a later batch shows another figure")),
        (told.still_held, later("{rows} still held")),
    ):
        if count:
            click.echo(say(words, rows=_rows(count)))
    if not any((told.marked, told.already, told.superseded, told.still_held)):
        click.echo(say("no held row fits"))
    for words in told.blocked:
        click.echo(translated(words), err=True)
    if told.outcomes:
        click.echo(say("The next run measures with it; `fund-assets metrics` does now."))


def _rows(count: int) -> str:
    return say("{count} row", count=1) if count == 1 else say("{count:,} rows", count=count)


def _check_filters(warehouse: "Warehouse", filters: dict[str, tuple[Any, ...]]) -> None:
    """Refuse funds and batches that there are not."""
    from fund_assets.warehouse.queries import nav as nav_queries
    from fund_assets.warehouse.queries import quarantine as quarantine_queries
    from fund_assets.warehouse.queries import status as status_queries

    if not filters.get("funds") and not filters.get("batches"):
        return
    known = {*nav_queries.codes(warehouse), *quarantine_queries.codes(warehouse)}
    for code in filters.get("funds", ()):
        if code not in known:
            raise NotThere(f"--fund: there is no fund {code!r}: {nearest(code, sorted(known))}")
    for batch in filters.get("batches", ()):
        if not _is_batch(batch) or status_queries.batch(warehouse, batch) is None:
            raise NotThere(
                f"--batch: there is no batch {batch!r}: `fund-assets quarantine list` shows "
                "those with held rows"
            )


def _wanted(*, dates: tuple[datetime, ...] = (), **filters: tuple[str, ...]) -> "Wanted":
    from fund_assets.calendar import to_key
    from fund_assets.warehouse.queries.quarantine import Wanted

    return Wanted(dates=tuple(to_key(day) for day in dates), **filters)


def _table(rows: list[dict[str, Any]]) -> None:
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


def _around(row: dict[str, Any], accepted: list[dict[str, Any]]) -> None:
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
