"""Publishing a batch: writing a plan, in one transaction.

Belongs here: the transaction that makes a batch visible wholly or not at all, once. Does
not belong here: what is known beside it (`known.py`), what merging means (`nav/merge.py`).
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

import pandas as pd
import sqlalchemy as sa

from fund_assets.calendar import TradingCalendar, from_stamp, to_stamp
from fund_assets.nav.batch import Batch, Known, Plan
from fund_assets.nav.events import KEY
from fund_assets.nav.landing_rows import quarantine_rows
from fund_assets.nav.merge import plan_events, plan_merge
from fund_assets.nav.rules import RULES, Verdict, verdict_from
from fund_assets.schemas.tables import (
    FUND_EVENTS,
    FUND_NAV,
    NAV_QUARANTINE,
    NAV_REVISION,
    PUBLISH_LOG,
    VALIDATED_NAV,
)
from fund_assets.warehouse.engine.diff_writes import delete, insert, renew, update
from fund_assets.warehouse.engine.fault_points import crash_point
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.queries.rejection import REJECTED_BY
from fund_assets.warehouse.stores import event_lists
from fund_assets.warehouse.stores.date_counts import count_dates
from fund_assets.warehouse.stores.known import known_since, read_known
from fund_assets.warehouse.stores.landing import BatchHeader, batch_header
from fund_assets.warehouse.warehouse import Warehouse

#: Funds chained anew at a time: bounds the memory of a batch of events.
FUNDS_PER_PLAN = 300


@dataclass(frozen=True)
class Outcome:
    """What became of a batch: its row of publish_log, or the rules that block it."""

    batch_id: str
    kind: str
    newest_date: int
    verdicts: tuple[Verdict, ...]
    counts: dict[str, int]
    blocked_by: tuple[Verdict, ...] = ()
    already: bool = False


@dataclass(frozen=True)
class Overruled:
    """Blocking rules that a person overrules, and who and why, in words."""

    rules: Collection[str]
    words: str


@retried
def publish(
    warehouse: Warehouse,
    batch_id: str,
    calendar: TradingCalendar,
    *,
    now: int,
    landed: pd.DataFrame | None = None,
    overruled: Overruled | None = None,
) -> Outcome:
    """Merge a batch into the accepted history, wholly or not at all, at most once.

    A batch that was published before changes nothing. A batch that blocking rules stop is
    marked as held and changes nothing else.

    Args:
        now: yyyymmddhhmmss in Asia/Shanghai: for the log, and no NAV may be dated after it.
        landed: the batch's rows of FUND_NAV, from who has just landed them.
        overruled: what does not stop this batch.
    """
    with warehouse.transaction(writes=True) as connection:
        header = batch_header(connection, batch_id)
        if header.state == "published":
            return _outcome(connection, batch_id, already=True)
        batch = read_batch(warehouse, header, landed)
        if batch.kind == "events":
            # What a list of events was held for, it lacks.
            placed = None
            if header.held_because:
                year = batch.newest_date // 10_000
                placed = event_lists.put_in_place(warehouse, connection, batch_id, year, now)
            _rechain(warehouse, connection, batch, calendar, now, placed)
            done = _outcome(connection, batch_id)
        else:
            known = read_known(warehouse, batch, known_since(batch, calendar))
            plan = plan_merge(batch, known, calendar, now // 1_000_000)
            despite = overruled.rules if overruled else ()
            done = merge(connection, batch, known, plan, now=now, despite=despite)
        if overruled and not done.blocked_by:
            was, words = header.held_because, overruled.words
            told = f"{was[: 2000 - len(words) - 2]}; {words}"
            _set_state(connection, batch_id, "published", told)
    crash_point("publish.after_commit")
    return done


def merge(
    connection: sa.Connection,
    batch: Batch,
    known: Known,
    plan: Plan,
    *,
    now: int,
    despite: Collection[str] = (),
) -> Outcome:
    """Write the plan of a landed batch and log it, in the caller's transaction.

    Args:
        known: what the plan was made beside, read in the same transaction.
        despite: blocking rules that do not stop this batch; the log keeps what they found.
    """
    blocked = tuple(v for v in plan.blocked_by if v.rule not in despite)
    if blocked:
        _hold(connection, batch.batch_id, blocked)
        return Outcome(
            batch.batch_id, batch.kind, batch.newest_date, plan.verdicts, {}, blocked
        )
    crash_point("publish.after_plan")
    _write(connection, batch, plan, known, now)
    _log(connection, batch, plan.counts, plan.verdicts, now)
    return _outcome(connection, batch.batch_id)


def _rechain(
    warehouse: Warehouse,
    connection: sa.Connection,
    batch: Batch,
    calendar: TradingCalendar,
    now: int,
    placed: event_lists.Placed | None,
) -> None:
    """Chain the funds of a batch of events anew, some hundred at a time.

    Args:
        placed: what a list has changed in this transaction, which reads do not see yet.
    """
    told_of = placed.funds() if placed else _funds_told_of(warehouse, batch.batch_id)
    counts = _event_counts(connection, batch)
    for start in range(0, len(told_of), FUNDS_PER_PLAN):
        codes = told_of[start : start + FUNDS_PER_PLAN]
        known = read_known(warehouse, batch, 0, codes)
        if placed:
            known = replace(known, events=placed.over(known.events, codes))
        _write(connection, batch, plan_events(batch, known, calendar), known, now)
        crash_point("publish.between_funds")
    _log(connection, batch, counts, (), now)


@retried
def rehearse(
    warehouse: Warehouse, batch_id: str, calendar: TradingCalendar, *, today: int
) -> Plan:
    """What publishing a batch would do; all that is written is that it is held, if it is.

    Args:
        batch_id: of a wave or of histories; today: yyyymmdd in Asia/Shanghai.
    """
    with warehouse.transaction(writes=True) as connection:
        batch = read_batch(warehouse, batch_header(connection, batch_id))
        known = read_known(warehouse, batch, known_since(batch, calendar))
        planned = plan_merge(batch, known, calendar, today)
        _hold(connection, batch_id, planned.blocked_by)
    return planned


def outcome(warehouse: Warehouse, batch_id: str) -> Outcome:
    """The outcome of a published batch, from the log."""
    with warehouse.transaction() as connection:
        return _outcome(connection, batch_id, already=True)


def read_batch(
    warehouse: Warehouse, header: BatchHeader, landed: pd.DataFrame | None = None
) -> Batch:
    """A landed batch with its observations, read unless they are at hand."""
    if landed is None:
        # The id is one of ours: a letter, a date and hex digits.
        landed = warehouse.columns(
            f"SELECT {', '.join(FUND_NAV.names)} FROM fund_nav "
            f"WHERE batch_id = '{header.batch_id}'",
            FUND_NAV,
        )
    return Batch(
        batch_id=header.batch_id,
        kind=header.kind,
        newest_date=header.newest_date,
        previous_date=header.previous_date,
        collected_at=header.collected_at,
        rows_read=header.rows_read,
        landed=landed,
        refused=0 if header.kind == "events" else header.rows_read - len(landed),
    )


def _funds_told_of(warehouse: Warehouse, batch_id: str) -> pd.Index:
    """The funds with events that a batch of events brought or changed."""
    codes = warehouse.column(
        str,
        "SELECT DISTINCT fund_code FROM fund_events "
        "WHERE :id IN (batch_id, first_batch_id) AND status = 'recorded' ORDER BY fund_code",
        id=batch_id,
    )
    return pd.Index(codes, dtype="str")


def _event_counts(connection: sa.Connection, batch: Batch) -> dict[str, int]:
    """What became of each event of a batch of events."""
    new, changed, held = connection.execute(
        sa.text(
            "SELECT COALESCE(SUM(first_batch_id = :id), 0), "
            "COALESCE(SUM(first_batch_id <> :id), 0), "
            "(SELECT COUNT(*) FROM nav_quarantine WHERE batch_id = :id) "
            "FROM fund_events WHERE :id IN (batch_id, first_batch_id) AND status = 'recorded'"
        ),
        {"id": batch.batch_id},
    ).one()
    return {
        "rows_new": int(new),
        "rows_changed": int(changed),
        "rows_filled": 0,
        "rows_quarantined": int(held),
        "rows_unchanged": batch.rows_read - int(new) - int(changed) - int(held),
        "rows_pending": 0,
    }


def _write_inferred(connection: sa.Connection, plan: Plan) -> None:
    """Inferred events; a recorded one of the same fund, day and kind stays as it is."""
    for gone in (plan.outdated[KEY], plan.inferred[KEY]):
        delete(connection, FUND_EVENTS, gone.assign(status="inferred"))
    insert(connection, FUND_EVENTS, plan.inferred, ignore=True)


def write_revisions(connection: sa.Connection, revisions: pd.DataFrame) -> None:
    """Put corrected values into the ledger.

    What is corrected again within a second, or by a batch that was collected before the last
    correction, is corrected a second after that one: no value is lost, none has two ends.
    """
    if revisions.empty:
        return
    last = {
        (code, day): to_stamp(from_stamp(stamp) + timedelta(seconds=1))
        for code, day, stamp in connection.execute(
            sa.text(
                "SELECT fund_code, nav_date, MAX(superseded_at) FROM nav_revision "
                "WHERE superseded_at >= :since GROUP BY fund_code, nav_date"
            ),
            {"since": int(revisions["superseded_at"].min())},
        )
    }
    keys = zip(revisions["fund_code"], revisions["nav_date"], strict=True)
    earliest = [last.get((code, int(day)), 0) for code, day in keys]
    at = revisions["superseded_at"].clip(lower=pd.Series(earliest, revisions.index))
    at = at.clip(lower=revisions["first_seen_at"])
    insert(connection, NAV_REVISION, revisions.assign(superseded_at=at))


def _write(connection: sa.Connection, batch: Batch, plan: Plan, known: Known, now: int) -> None:
    write_revisions(connection, plan.revisions)
    crash_point("publish.after_revisions")
    _write_inferred(connection, plan)
    crash_point("publish.after_events")
    renew(connection, VALIDATED_NAV, plan.upserts, known.stored)
    count_dates(connection, plan.upserts["nav_date"].tolist(), from_stamp(now).date())
    crash_point("publish.after_upsert")
    update(connection, VALIDATED_NAV, plan.rechained)
    crash_point("publish.after_rechain")
    held = quarantine_rows(plan.held, batch.batch_id, now)
    insert(connection, NAV_QUARANTINE, held, ignore=True)
    crash_point("publish.after_quarantine")
    mark_settled(connection, plan.settled, batch.batch_id, now)


def mark_settled(
    connection: sa.Connection, settled: pd.DataFrame, batch_id: str, now: int
) -> None:
    """Write what witnesses decided of held rows, with the evidence."""
    if settled.empty:
        return
    connection.execute(
        sa.text(
            "UPDATE nav_quarantine SET state = :state, decided_by = :decided_by, "
            "decided_because = :decided_because, decided_at = :now, "
            "decided_in = CASE :state WHEN 'accepted' THEN :batch ELSE '' END "
            "WHERE id = :id AND state = 'held'"
        ),
        [{"now": now, "batch": batch_id, **row} for row in settled.to_dict("records")],
    )


def _log(
    connection: sa.Connection,
    batch: Batch,
    counts: dict[str, int],
    verdicts: tuple[Verdict, ...],
    now: int,
) -> None:
    """The row of publish_log, and the batch's state."""
    log = pd.DataFrame(
        {
            "batch_id": [batch.batch_id],
            "published_at": now,
            "newest_date": batch.newest_date,
            "rows_read": batch.rows_read,
            **counts,
            "verdicts": json.dumps([asdict(v) for v in verdicts], ensure_ascii=False),
        }
    )
    insert(connection, PUBLISH_LOG, log)
    crash_point("publish.after_log")
    _set_state(connection, batch.batch_id, "published", "")
    crash_point("publish.before_commit")


@retried
def reject(warehouse: Warehouse, batch_id: str, words: str) -> bool:
    """Let a held batch wait no more, for a person says that it is wrong; nothing is merged.

    Args:
        words: who decided, when and why; they are kept before the rules that held it.

    Returns:
        Whether it was held; False when it was rejected before.
    """
    with warehouse.transaction(writes=True) as connection:
        header = batch_header(connection, batch_id)
        was = header.held_because
        if header.state != "held" or was.startswith(REJECTED_BY):
            return False
        _set_state(connection, batch_id, "held", f"{REJECTED_BY}{words}; {was}"[:2000])
    return True


def _hold(connection: sa.Connection, batch_id: str, blocked_by: Iterable[Verdict]) -> None:
    reasons = "; ".join(
        f"{v.rule}: {', '.join(v.cases)}. Cleared by {RULES[v.rule].lifts}" for v in blocked_by
    )
    if reasons:
        _set_state(connection, batch_id, "held", reasons[:2000])


def _set_state(connection: sa.Connection, batch_id: str, state: str, because: str) -> None:
    connection.execute(
        sa.text(
            "UPDATE collection_batch SET state = :s, held_because = :b WHERE batch_id = :i"
        ),
        {"s": state, "b": because, "i": batch_id},
    )


def _outcome(connection: sa.Connection, batch_id: str, *, already: bool = False) -> Outcome:
    row = (
        connection.execute(
            sa.text(
                "SELECT p.*, b.kind FROM publish_log AS p "
                "JOIN collection_batch AS b USING (batch_id) WHERE batch_id = :id"
            ),
            {"id": batch_id},
        )
        .mappings()
        .one()
    )
    return Outcome(
        batch_id=batch_id,
        kind=row["kind"],
        newest_date=row["newest_date"],
        verdicts=tuple(verdict_from(v) for v in json.loads(row["verdicts"])),
        counts={name: row[name] for name in PUBLISH_LOG.names if name.startswith("rows_")},
        already=already,
    )
