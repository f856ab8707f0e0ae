"""The quarantine desk: held rows accepted, rejected, or judged again by today's rules.

Belongs here: the order of a decision. Does not belong here: what may be accepted
(`nav/decisions.py`), the transaction (`warehouse/stores/quarantine.py`).

What is accepted becomes a batch of the kind `desk` and goes through the same merge as any
other: counts, revisions, rules over the whole batch, and a row of publish_log.
"""

import contextlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import pandas as pd

from fund_assets.calendar import TradingCalendar, to_key, to_stamp
from fund_assets.nav import decisions as nav_decisions
from fund_assets.nav.batch import Batch, Known, Plan
from fund_assets.nav.decisions import DecisionError
from fund_assets.nav.landing_rows import Landing
from fund_assets.nav.merge import plan_merge
from fund_assets.nav.rules import IN_CONTEXT, RULES, Severity, Verdict
from fund_assets.schemas.tables import NAV_QUARANTINE
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.queries.quarantine import STATES, Wanted
from fund_assets.warehouse.stores import quarantine as quarantine_store
from fund_assets.warehouse.stores.publish import Outcome
from fund_assets.warehouse.stores.quarantine import DecisionTransaction

Plans = Callable[[Batch, Known], Plan]
#: Rules whose held rows a later NAV or an event can settle, and for how long they wait for it.
CONTEXTUAL = tuple(r.id for r in IN_CONTEXT if r.severity is Severity.HOLD and not r.cells)
SETTLED_WITHIN = timedelta(days=40)


@dataclass(frozen=True)
class Decision:
    """Who decides, why, and which blocking rules the decision goes against, knowingly."""

    by: str
    because: str
    despite: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Decided:
    """What became of the rows that were meant.

    Attributes:
        outcomes: of each batch that was merged.
        marked: held rows that are decided now, with those of the same observation.
        already: rows that had been decided the same way before.
        superseded: rows left out, because a later batch shows another figure.
        still_held: rows that today's rules hold too.
        blocked: what stopped a batch that is judged again, in words.
    """

    outcomes: tuple[Outcome, ...] = ()
    marked: int = 0
    already: int = 0
    superseded: int = 0
    still_held: int = 0
    blocked: tuple[str, ...] = ()


class BlockedError(DecisionError):
    """A blocking rule stops the batch of a decision; nothing was changed."""


@retried
def accept(
    warehouse: Warehouse,
    calendar: TradingCalendar,
    now: datetime,
    wanted: Wanted,
    decision: Decision,
) -> Decided:
    """Merge held observations as one batch, whatever the rules that hold rows say of them.

    Raises:
        DecisionError: one of them was rejected, is superseded or impossible, or a blocking
            rule stops the batch; nothing was changed.
    """
    today = to_key(now.date())
    with quarantine_store.deciding(warehouse) as transaction:
        rows, told = _to_decide(transaction.find, wanted, "accepted")
        rows, told = _without_superseded(rows, told, named=bool(wanted.ids))
        if rows.empty:
            return told
        rows = _with_twins(transaction, rows)
        _refuse_impossible(rows, today)
        landing = nav_decisions.batch_of(
            rows, nav_decisions.as_observations(rows), now=to_stamp(now)
        )

        def plan(batch: Batch, known: Known) -> Plan:
            accepted = rows[NAV_QUARANTINE.names].assign(state="accepted")
            decisions = pd.concat([known.decisions, accepted], ignore_index=True)
            return _plan(batch, replace(known, decisions=decisions), calendar, today)

        outcome = _merge(transaction, landing, "wave", plan, now, decision.despite)
        _mark(transaction, rows, "accepted", decision, now, landing.batch_id)
        return replace(told, outcomes=(outcome,), marked=len(rows))


@retried
def reject(warehouse: Warehouse, now: datetime, wanted: Wanted, decision: Decision) -> Decided:
    """Mark held observations as wrong; they stay readable, and never count as a sight.

    Raises:
        DecisionError: one of them was accepted; nothing was changed.
    """
    with quarantine_store.deciding(warehouse) as transaction:
        rows, told = _to_decide(transaction.find, wanted, "rejected")
        if rows.empty:
            return told
        rows = _with_twins(transaction, rows)
        _mark(transaction, rows, "rejected", decision, now, "")
        return replace(told, marked=len(rows))


def replay(
    warehouse: Warehouse,
    calendar: TradingCalendar,
    now: datetime,
    wanted: Wanted,
    decision: Decision,
) -> Decided:
    """Judge held observations again, batch by batch, and merge those that pass now.

    The rows of a batch are judged as they were in it: those of a wave as a wave's. A held
    row is no second sight of itself. Each batch is a transaction of its own, oldest first.
    """
    waiting, told = _to_decide(partial(quarantine_store.find, warehouse), wanted, "accepted")
    for batch_id in waiting["batch_id"].unique():
        ids = tuple(waiting.loc[waiting["batch_id"] == batch_id, "id"])
        try:
            told = _replay_one(warehouse, calendar, now, ids, decision, told)
        except BlockedError as error:
            words = f"batch {batch_id}, validated again: {error}"
            still = told.still_held + len(ids)
            told = replace(told, still_held=still, blocked=(*told.blocked, words))
    return told


@retried
def settle(warehouse: Warehouse, calendar: TradingCalendar, now: datetime) -> list[Outcome]:
    """Merge held observations that a witness backs by now and no batch shows any more.

    What a batch shows again is settled when that batch is merged. Here are those of which the
    next NAV has come later, accepted or held itself: a fund's held rows are judged together.

    Returns:
        The outcome of each batch that this made.
    """
    since = to_key(now.date() - SETTLED_WITHIN)
    if not quarantine_store.followed(warehouse, CONTEXTUAL, since):
        return []
    outcomes: list[Outcome] = []
    with quarantine_store.deciding(warehouse) as transaction:
        funds = quarantine_store.followed(warehouse, CONTEXTUAL, since)
        rows = transaction.find(Wanted(rules=CONTEXTUAL, funds=funds or ("",)))
        rows = rows[~rows["superseded"] & (rows["nav_date"] >= since)]
        for origin, ours in rows.groupby("batch_kind"):
            with contextlib.suppress(BlockedError):
                outcomes += _settle(transaction, calendar, now, str(origin), ours)
    return outcomes


def _settle(
    transaction: DecisionTransaction,
    calendar: TradingCalendar,
    now: datetime,
    origin: str,
    rows: pd.DataFrame,
) -> list[Outcome]:
    """Those of one kind of batch, each fund and date as it was seen last."""
    rows = rows.drop_duplicates(nav_decisions.KEY, keep="last")

    def plan(batch: Batch, known: Known) -> Plan:
        return plan_merge(batch, known, calendar, to_key(now.date()))

    def landing_of(chosen: pd.DataFrame) -> Landing:
        return nav_decisions.batch_of(
            chosen, nav_decisions.as_observations(chosen), now=to_stamp(now)
        )

    tried = _batch(landing_of(rows), origin)
    held = plan(tried, transaction.known(tried)).held
    able = rows[~_keys(rows).isin(_keys(held))]
    if able.empty:
        return []
    return [_merge(transaction, landing_of(able), origin, plan, now, frozenset())]


@retried
def _replay_one(
    warehouse: Warehouse,
    calendar: TradingCalendar,
    now: datetime,
    ids: tuple[str, ...],
    decision: Decision,
    told: Decided,
) -> Decided:
    """Judge the held rows of one batch again."""
    with quarantine_store.deciding(warehouse) as transaction:
        rows = transaction.find(Wanted(ids=ids))
        return _judge_again(transaction, calendar, now, rows, decision, told)


def _judge_again(
    transaction: DecisionTransaction,
    calendar: TradingCalendar,
    now: datetime,
    rows: pd.DataFrame,
    decision: Decision,
    told: Decided,
) -> Decided:
    today = to_key(now.date())
    told = replace(told, superseded=told.superseded + int(rows["superseded"].sum()))
    rows = rows[~rows["superseded"]]
    if rows.empty:
        return told
    batch_id, origin, newest, previous = rows[
        ["batch_id", "batch_kind", "newest_date", "previous_date"]
    ].iloc[0]
    twins = _with_twins(transaction, rows)
    twins = twins[twins["batch_id"] == batch_id]
    # An observation with one row that can never pass does not pass by its others.
    stuck = twins[[text != "" for text in nav_decisions.obstacles(twins, today)]]
    able = twins[~nav_decisions.same_observation(twins, stuck)]

    def plan(batch: Batch, known: Known) -> Plan:
        return _plan(batch, known, calendar, today)

    def landing_of(chosen: pd.DataFrame) -> Landing:
        return nav_decisions.batch_of(
            chosen,
            nav_decisions.as_observations(chosen),
            now=to_stamp(now),
            newest=int(newest),
            previous=None if pd.isna(previous) else int(previous),
        )

    if len(able):
        tried = _batch(landing_of(able), origin)
        held = plan(tried, transaction.known(tried)).held
        able = able[~_keys(able).isin(_keys(held))]
    told = replace(told, still_held=told.still_held + len(twins) - len(able))
    if able.empty:
        return told
    landing = landing_of(able)
    outcome = _merge(transaction, landing, origin, plan, now, decision.despite)
    able = _with_twins(transaction, able)
    _mark(transaction, able, "accepted", decision, now, landing.batch_id)
    return replace(told, outcomes=(*told.outcomes, outcome), marked=told.marked + len(able))


def _plan(batch: Batch, known: Known, calendar: TradingCalendar, today: int) -> Plan:
    """The plan of a batch of the desk, which marks the rows itself."""
    planned = plan_merge(batch, known, calendar, today)
    return replace(planned, settled=planned.settled.head(0))


def _batch(landing: Landing, origin: str) -> Batch:
    row = landing.batch.iloc[0]
    previous = row["previous_date"]
    return Batch(
        batch_id=landing.batch_id,
        kind="desk",
        newest_date=int(row["newest_date"]),
        previous_date=None if pd.isna(previous) else int(previous),
        collected_at=int(row["collected_at"]),
        rows_read=len(landing.landed),
        landed=landing.landed,
        origin=origin,
    )


def _merge(
    transaction: DecisionTransaction,
    landing: Landing,
    origin: str,
    plan: Plans,
    now: datetime,
    despite: frozenset[str],
) -> Outcome:
    batch = _batch(landing, origin)
    transaction.land(landing)
    known = transaction.known(batch)
    outcome = transaction.merge(
        batch, known, plan(batch, known), now=to_stamp(now), despite=despite
    )
    if outcome.blocked_by:
        raise BlockedError(f"nothing was merged. {_words(outcome.blocked_by)}")
    return outcome


def _words(blocked: Collection[Verdict]) -> str:
    return "\n".join(
        f"{v.rule}: {RULES[v.rule].title}. {'; '.join(v.cases)}. If it is right all the same, "
        f"add --despite {v.rule}"
        for v in blocked
    )


def _mark(
    transaction: DecisionTransaction,
    rows: pd.DataFrame,
    state: str,
    decision: Decision,
    now: datetime,
    batch_id: str,
) -> None:
    despite = "".join(f" (despite {rule})" for rule in sorted(decision.despite))
    transaction.mark(
        rows["id"],
        state,
        by=decision.by,
        because=decision.because + despite,
        at=to_stamp(now),
        batch_id=batch_id,
    )


def _to_decide(
    find: Callable[[Wanted], pd.DataFrame], wanted: Wanted, state: str
) -> tuple[pd.DataFrame, Decided]:
    """The held rows that are meant; named ones that are decided otherwise are an error."""
    if wanted.ids:
        wanted = replace(wanted, states=STATES)
    rows = find(wanted)
    otherwise = rows[~rows["state"].isin(["held", state])]
    if len(otherwise):
        lines = [
            f"{row.id[:8]} {row.fund_code} {row.nav_date}: {row.state} "
            f"{f'by {row.decided_by} ' if row.decided_by else ''}at {row.decided_at}: "
            f"{row.decided_because}"
            for row in otherwise.itertuples()
        ]
        raise DecisionError(
            "already decided, and this command does not change it:\n  " + "\n  ".join(lines)
        )
    held = rows[rows["state"] == "held"]
    return held, Decided(already=len(rows) - len(held))


def _without_superseded(
    rows: pd.DataFrame, told: Decided, *, named: bool
) -> tuple[pd.DataFrame, Decided]:
    late = rows[rows["superseded"]]
    if named and len(late):
        raise DecisionError(
            "a later batch shows another figure of these dates; reject them, or accept the "
            "later one if it is held:\n  " + "\n  ".join(nav_decisions.names(late))
        )
    return rows[~rows["superseded"]], replace(told, superseded=len(late))


def _with_twins(transaction: DecisionTransaction, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, and every other held row of the same observations."""
    funds = tuple(rows["fund_code"].unique())
    all_held = transaction.find(Wanted(funds=funds))
    return all_held[nav_decisions.same_observation(all_held, rows)]


def _refuse_impossible(rows: pd.DataFrame, today: int) -> None:
    found = zip(nav_decisions.names(rows), nav_decisions.obstacles(rows, today), strict=True)
    if lines := [f"{name}: {text}" for name, text in found if text]:
        raise DecisionError(
            "this cannot be accepted; reject it, and collect again for another value:\n  "
            + "\n  ".join(lines)
        )


def _keys(rows: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays(
        [rows["fund_code"].astype("str"), rows["nav_date"].astype("int64")]
    )
