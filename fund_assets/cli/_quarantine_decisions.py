"""Taking a decision about held rows or a blocked batch, and telling what came of it.

Belongs here: who decides and why, and the outcome. Does not belong here: what a decision does
(`pipeline/quarantine.py`, `pipeline/validated_nav.py`).
"""

import getpass
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from fund_assets.cli._arguments import check_text, nearest
from fund_assets.cli._context import open_platform, quiet, reading
from fund_assets.cli._quarantine_choice import Chosen, check_filters, wanted_rows
from fund_assets.cli._quarantine_tables import count_rows
from fund_assets.language import later, say, translated

if TYPE_CHECKING:
    from fund_assets.pipeline.quarantine import Decided

MAX_BECAUSE, MAX_BY = 300, 100


def decide_rows(
    decide: Callable[..., "Decided"],
    chosen: Chosen,
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
            f"{', '.join(unknown)}: not a blocking rule; {nearest(unknown[0], known)}",
            param_hint="--despite",
        )
    check_filters(reading(), chosen.filters)
    with quiet():
        platform = open_platform()
    ids = quarantine_queries.full_ids(platform.warehouse, chosen.ids)
    wanted = wanted_rows(ids=ids, **chosen.filters)
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


def accept_batch(batch_id: str, because: str, by: str | None, as_json: bool) -> None:
    """Merge a blocked batch as it is."""
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


def reject_batch(batch_id: str, because: str, by: str | None, as_json: bool) -> None:
    """Reject a blocked batch."""
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
                "rejected batch {batch}: nothing was merged, and it no longer waits",
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


def _tell(told: "Decided") -> None:
    _merged(told)
    for count, words in (
        (told.marked, later("{rows} decided")),
        (told.already, later("{rows} already decided this way, nothing changed")),
        (told.superseded, later("{rows} skipped: a later batch has a different value")),
        (told.still_held, later("{rows} still held")),
    ):
        if count:
            click.echo(say(words, rows=count_rows(count)))
    if not any((told.marked, told.already, told.superseded, told.still_held)):
        click.echo(say("no held row matches"))
    for words in told.blocked:
        click.echo(translated(words), err=True)
    if told.outcomes:
        click.echo(say("The next run uses it; to use it now, run `fund-assets metrics`."))


def _merged(told: "Decided") -> None:
    for outcome in told.outcomes:
        click.echo(
            say(
                "merged as batch {batch}: {rows_new:,} new, {rows_changed:,} corrected, "
                "{rows_filled:,} filled in, {rows_unchanged:,} unchanged",
                batch=outcome.batch_id, **outcome.counts,
            )
        )  # fmt: skip
