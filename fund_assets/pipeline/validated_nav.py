"""Step 3: waiting batches through the rules into the accepted history."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime

from fund_assets.calendar import TradingCalendar, to_key, to_stamp
from fund_assets.nav.decisions import DecisionError, UnknownIdError
from fund_assets.nav.landing_rows import Landing
from fund_assets.nav.rules import BLOCKING, RULES, SHOWN_CASES, Rule, Verdict
from fund_assets.pipeline.arrivals import count_arrivals
from fund_assets.pipeline.quarantine import Decision, settle
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.stores import event_lists, landing, publish
from fund_assets.warehouse.stores.known import last_published
from fund_assets.warehouse.stores.publish import Outcome


def validate(
    warehouse: Warehouse,
    calendar: TradingCalendar,
    now: datetime,
    progress: Callable[[Outcome], None] = lambda outcome: None,
    *,
    kinds: Collection[str] = landing.KINDS,
    fresh: Landing | None = None,
) -> list[Outcome]:
    """Publish every waiting batch, oldest first.

    Args:
        kinds: of these kinds alone.
        fresh: the batch that has landed just now; it need not be read again.

    Returns:
        The outcome of each batch, and of those in which witnesses settled what was held;
        blocked ones among them changed nothing.
    """
    outcomes: list[Outcome] = []
    for batch_id in landing.unpublished(warehouse, kinds):
        outcomes.append(
            publish.publish(
                warehouse,
                batch_id,
                calendar,
                now=to_stamp(now),
                landed=fresh.landed if fresh and fresh.batch_id == batch_id else None,
            )
        )
        progress(outcomes[-1])
    if any(not outcome.blocked_by for outcome in outcomes):
        for settled in settle(warehouse, calendar, now):
            outcomes.append(settled)
            progress(settled)
    count_arrivals(warehouse, calendar)
    return outcomes


def accept_batch(
    warehouse: Warehouse,
    calendar: TradingCalendar,
    now: datetime,
    batch_id: str,
    decision: Decision,
) -> Outcome:
    """Merge a blocked batch as it is, whatever the blocking rules say of it.

    Rules over single rows hold what they hold. The log keeps what every rule found, the batch
    who decided and why.

    Raises:
        DecisionError: there is no such batch, it is merged, or a later wave of the market is;
            or a later list of events has taken its place.
    """
    row = status_queries.batch(warehouse, batch_id)
    if row is None:
        raise UnknownIdError(
            f"unknown batch {batch_id}: `fund-assets quarantine list` shows the held ones"
        )
    if row["state"] == "published":
        raise DecisionError(f"batch {batch_id} is already merged; nothing was changed")
    if row["kind"] == "wave" and row["replaced_by"]:
        raise DecisionError(
            f"batch {batch_id} is outdated: the later wave {row['replaced_by']} is merged; "
            "nothing was changed"
        )
    if row["kind"] == "events" and (
        row["replaced_by"] or str(row["held_because"]).startswith(event_lists.BY_SOURCE)
    ):
        raise DecisionError(
            f"batch {batch_id} is outdated: a later list of events of that year has arrived, "
            f"{row['replaced_by'] or 'as long as before'}; nothing was changed"
        )
    words = f"accepted by {decision.by} at {to_stamp(now)}: {decision.because}"
    return publish.publish(
        warehouse,
        batch_id,
        calendar,
        now=to_stamp(now),
        overruled=publish.Overruled([rule.id for rule in BLOCKING], words),
    )


def reject_batch(
    warehouse: Warehouse, now: datetime, batch_id: str, decision: Decision
) -> bool:
    """Let a blocked batch wait no more, for it is wrong.

    Nothing of it is merged, it is told no more, and no rule counts it as another session with
    so few rows. The same answer, when it comes again, stays rejected.

    Returns:
        Whether anything was changed; False when it was rejected before.

    Raises:
        DecisionError: there is no such batch, it is merged, or no rule stopped it.
    """
    row = status_queries.batch(warehouse, batch_id)
    if row is None:
        raise UnknownIdError(
            f"unknown batch {batch_id}: `fund-assets quarantine list` shows the held ones"
        )
    if row["state"] == "published":
        raise DecisionError(
            f"batch {batch_id} is already merged: the next wave or history corrects what is "
            "wrong; nothing was changed"
        )
    if row["state"] == "landed":
        raise DecisionError(
            f"batch {batch_id} is not validated yet: `fund-assets run` validates it; nothing "
            "was changed"
        )
    words = f"{decision.by} at {to_stamp(now)}: {decision.because}"
    return publish.reject(warehouse, batch_id, words)


def judge_waiting(
    warehouse: Warehouse, calendar: TradingCalendar, now: datetime
) -> list[Verdict]:
    """What the rules say of the waiting batches; blocked ones are held, none is published.

    When none waits, what they said of the last wave.
    """
    waiting = landing.unpublished(warehouse, ("wave", "history"))
    if not waiting:
        last = last_published(warehouse, "wave") or last_published(warehouse)
        return list(publish.outcome(warehouse, last).verdicts) if last else []
    found: list[Verdict] = []
    for batch_id in waiting:
        plan = publish.rehearse(warehouse, batch_id, calendar, today=to_key(now.date()))
        found.extend(plan.verdicts)
    return summed(found)


def summed(
    verdicts: Iterable[Verdict], rules: Iterable[Rule] = RULES.values()
) -> list[Verdict]:
    """One verdict for each rule over several batches, in the order of the rule book."""
    total = {rule.id: Verdict(rule.id, rule.severity.value, 0, 0) for rule in rules}
    for verdict in verdicts:
        if verdict.rule in total:
            sofar = total[verdict.rule]
            total[verdict.rule] = replace(
                sofar,
                looked_at=sofar.looked_at + verdict.looked_at,
                failed=sofar.failed + verdict.failed,
                cases=(sofar.cases + verdict.cases)[:SHOWN_CASES],
            )
    return list(total.values())


def explain_block(outcomes: Iterable[Outcome]) -> str:
    """Which batches are held and why, in words; empty when none is."""
    return "\n".join(
        f"batch {outcome.batch_id} is held, nothing was merged. "
        + " ".join(
            f"{verdict.rule}: {RULES[verdict.rule].title}. {'; '.join(verdict.cases)}. "
            f"Cleared by {RULES[verdict.rule].lifts}."
            for verdict in outcome.blocked_by
        )
        + f" To decide now: `fund-assets quarantine show {outcome.batch_id}`, then "
        f"`fund-assets quarantine accept {outcome.batch_id} --because ...` if it is correct, "
        "or the same with `reject` if it is wrong"
        for outcome in outcomes
        if outcome.blocked_by
    )
