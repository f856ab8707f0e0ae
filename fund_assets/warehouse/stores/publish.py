"""Publishing a batch: reading what is known, and writing a plan, in one transaction.

Belongs here: the transaction that makes a batch visible wholly or not at all, once. Does
not belong here: what merging means (`nav/merge.py`, handed in as a function).
"""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

import pandas as pd
import sqlalchemy as sa

from fund_assets.calendar import from_key, from_stamp, to_stamp
from fund_assets.nav.batch import Batch, Known, Plan, Shape
from fund_assets.nav.events import KEY
from fund_assets.nav.landing_rows import quarantine_rows
from fund_assets.nav.rules import EQUAL_SESSIONS, RULES, Verdict, verdict_from
from fund_assets.nav.witness import SIGHTINGS, voices_of
from fund_assets.schemas.tables import (
    FUND_EVENTS,
    FUND_NAV,
    NAV_QUARANTINE,
    NAV_REVISION,
    PUBLISH_LOG,
    VALIDATED_NAV,
)
from fund_assets.warehouse.engine.diff_writes import insert, renew, update
from fund_assets.warehouse.engine.fault_points import crash_point
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.queries.rejection import IS_REJECTED, REJECTED_BY
from fund_assets.warehouse.stores import event_lists
from fund_assets.warehouse.stores.date_counts import count_dates
from fund_assets.warehouse.stores.landing import batch_row
from fund_assets.warehouse.warehouse import Warehouse

#: What witnesses decide themselves; anyone else is a person.
BY_WITNESS = "(decided_by LIKE 'witness:%' OR decided_by IN ('rules', 'source:withdrawn'))"
CODES_PER_QUERY = 2_000
#: From so many waves of a weekday on, they tell what is usual on it.
SAME_DAY = 3
FEW_ROWS = 20_000
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
    plan: Callable[[Batch, Known], Plan],
    *,
    known_since: Callable[[Batch], int],
    now: int,
    landed: pd.DataFrame | None = None,
    overruled: Overruled | None = None,
) -> Outcome:
    """Merge a batch into the accepted history, wholly or not at all, at most once.

    A batch that was published before changes nothing. A batch that blocking rules stop is
    marked as held and changes nothing else.

    Args:
        plan: works out what to write.
        known_since: for a wave, the date from which stored rows are read.
        now: yyyymmddhhmmss for the log.
        landed: the batch's rows of FUND_NAV, from who has just landed them.
        overruled: what does not stop this batch.
    """
    with warehouse.transaction(writes=True) as connection:
        row = batch_row(connection, batch_id)
        if row["state"] == "published":
            return _outcome(connection, batch_id, already=True)
        batch = read_batch(warehouse, row, landed)
        if batch.kind == "events":
            # What a list of events was held for, it lacks.
            placed = None
            if row["held_because"]:
                year = batch.newest_date // 10_000
                placed = event_lists.put_in_place(warehouse, connection, batch_id, year, now)
            _rechain(warehouse, connection, batch, plan, now, placed)
            done = _outcome(connection, batch_id)
        else:
            since = known_since(batch)
            despite = overruled.rules if overruled else ()
            done = merge(
                warehouse, connection, batch, plan, since=since, now=now, despite=despite
            )
        if overruled and not done.blocked_by:
            was, words = str(row["held_because"]), overruled.words
            told = f"{was[: 2000 - len(words) - 2]}; {words}"
            _set_state(connection, batch_id, "published", told)
    crash_point("publish.after_commit")
    return done


def merge(
    warehouse: Warehouse,
    connection: sa.Connection,
    batch: Batch,
    plan: Callable[[Batch, Known], Plan],
    *,
    since: int,
    now: int,
    despite: Collection[str] = (),
) -> Outcome:
    """Write what `plan` wants of a landed batch and log it, in the caller's transaction.

    Args:
        since: for a wave, the date from which stored rows are read.
        despite: blocking rules that do not stop this batch; the log keeps what they found.
    """
    known = read_known(warehouse, batch, since)
    planned = plan(batch, known)
    blocked = tuple(v for v in planned.blocked_by if v.rule not in despite)
    if blocked:
        _hold(connection, batch.batch_id, blocked)
        return Outcome(
            batch.batch_id, batch.kind, batch.newest_date, planned.verdicts, {}, blocked
        )
    crash_point("publish.after_plan")
    _write(connection, batch, planned, known, now)
    _log(connection, batch, planned.counts, planned.verdicts, now)
    return _outcome(connection, batch.batch_id)


def _rechain(
    warehouse: Warehouse,
    connection: sa.Connection,
    batch: Batch,
    plan: Callable[[Batch, Known], Plan],
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
        _write(connection, batch, plan(batch, known), known, now)
        crash_point("publish.between_funds")
    _log(connection, batch, counts, (), now)


@retried
def rehearse(
    warehouse: Warehouse,
    batch_id: str,
    plan: Callable[[Batch, Known], Plan],
    *,
    known_since: Callable[[Batch], int],
) -> Plan:
    """What publishing a batch would do; all that is written is that it is held, if it is."""
    with warehouse.transaction(writes=True) as connection:
        batch = read_batch(warehouse, batch_row(connection, batch_id))
        planned = plan(batch, read_known(warehouse, batch, known_since(batch)))
        _hold(connection, batch_id, planned.blocked_by)
    return planned


def outcome(warehouse: Warehouse, batch_id: str) -> Outcome:
    """The outcome of a published batch, from the log."""
    with warehouse.transaction() as connection:
        return _outcome(connection, batch_id, already=True)


def last_published(warehouse: Warehouse, kind: str | None = None) -> str | None:
    """The batch that was published last, of a kind, or of any that was collected."""
    found = warehouse.value(
        "SELECT p.batch_id FROM publish_log AS p JOIN collection_batch AS b USING (batch_id) "
        "WHERE b.kind = :kind OR (:kind IS NULL AND b.kind <> 'desk') "
        "ORDER BY b.collected_at DESC, p.published_at DESC, b.kind DESC, p.batch_id LIMIT 1",
        kind=kind,
    )
    return None if found is None else str(found)


def read_batch(
    warehouse: Warehouse, row: dict[str, object], landed: pd.DataFrame | None = None
) -> Batch:
    """A landed batch with its observations, read unless they are at hand."""
    batch_id = str(row["batch_id"])
    if landed is None:
        # The id is one of ours: a letter, a date and hex digits.
        landed = warehouse.columns(
            f"SELECT {', '.join(FUND_NAV.names)} FROM fund_nav WHERE batch_id = '{batch_id}'",
            FUND_NAV,
        )
    rows_read = int(str(row["rows_read"]))
    previous = row["previous_date"]
    kind = str(row["kind"])
    return Batch(
        batch_id=batch_id,
        kind=kind,
        newest_date=int(str(row["newest_date"])),
        previous_date=None if previous is None else int(str(previous)),
        collected_at=int(str(row["collected_at"])),
        rows_read=rows_read,
        landed=landed,
        refused=0 if kind == "events" else rows_read - len(landed),
    )


def read_known(
    warehouse: Warehouse, batch: Batch, since: int, codes: pd.Index | None = None
) -> Known:
    """What is stored beside a batch, of its own funds or of those in `codes`."""
    if codes is None:
        codes = pd.Index(batch.landed["fund_code"].unique())
    columns = ", ".join(VALIDATED_NAV.names)
    if batch.is_wave:
        stored = warehouse.columns(
            f"SELECT {columns} FROM validated_nav WHERE nav_date >= {since}",
            VALIDATED_NAV,
        )
        stored = stored[stored["fund_code"].isin(codes)]
        landed_first = batch.landed.groupby("fund_code")["nav_date"].min()
        stored_first = stored.groupby("fund_code")["nav_date"].min()
        has_before = stored_first.reindex(landed_first.index) < landed_first
        earlier = landed_first.index[~has_before.fillna(False).to_numpy(dtype=bool)]
        stored = _concat(stored, _last_before(warehouse, earlier, since))
    else:
        stored = _concat(
            VALIDATED_NAV.empty(),
            _of_funds(
                warehouse,
                codes,
                f"SELECT {columns} FROM validated_nav WHERE fund_code IN ({{codes}})",
            ),
        )
    ours = f" WHERE fund_code IN ({_marks(codes)})" if len(codes) <= CODES_PER_QUERY else ""
    # Of a wave those too that are not in it: how many of each kind have gone is judged.
    of_whom = "" if batch.is_wave else ours
    kinds = warehouse.rows(f"SELECT fund_code, kind FROM fund_info{of_whom}")
    events = warehouse.frame(f"SELECT * FROM fund_events{ours}", FUND_EVENTS)
    sightings = _sightings(warehouse, batch.batch_id, codes)
    decisions, refuted = (
        warehouse.frame(
            f"SELECT * FROM nav_quarantine WHERE {which} ORDER BY decided_at, id",
            NAV_QUARANTINE,
        )
        for which in (
            f"decided_by <> '' AND NOT {BY_WITNESS}",
            "state = 'rejected' AND decided_by LIKE 'witness:%'",
        )
    )
    members = warehouse.rows(
        "SELECT DISTINCT fund_code FROM fund_nav WHERE batch_id = :id",
        id=last_published(warehouse, "wave") if batch.is_wave else "",
    )
    waves = warehouse.rows(
        "SELECT rows_read, newest_date, collected_at FROM collection_batch "
        "WHERE kind = 'wave' AND state = 'published' ORDER BY collected_at DESC LIMIT 100"
    )
    listed = warehouse.value("SELECT COUNT(*) FROM fund_info WHERE status = 'listed'")
    return Known(
        stored=stored,
        events=events[events["fund_code"].isin(codes)],
        kinds={str(row["fund_code"]): str(row["kind"]) for row in kinds},
        sightings=sightings,
        members_before=frozenset(str(row["fund_code"]) for row in members),
        usual_rows=_usual_rows(waves, batch.newest_date),
        rows_before=float(str(waves[0]["rows_read"])) if waves else None,
        blocked=_blocked(warehouse, batch, waves) if batch.is_wave else (),
        listed=int(str(listed)),
        market_on=_market_on(warehouse, batch),
        published_date=max(int(str(w["newest_date"])) for w in waves) if waves else None,
        decisions=decisions[decisions["fund_code"].isin(codes)],
        refuted=refuted[refuted["fund_code"].isin(codes)],
    )


def _usual_rows(waves: list[dict[str, Any]], newest: int) -> float | None:
    """Rows of a usual wave: of the last 20, or of the same weekday where there are enough."""
    if not waves:
        return None
    weekday = from_key(newest).weekday()
    lately = pd.Series([wave["rows_read"] for wave in waves[:20]]).median()
    alike = [w["rows_read"] for w in waves if from_key(w["newest_date"]).weekday() == weekday]
    return float(min(lately, pd.Series(alike).median()) if len(alike) >= SAME_DAY else lately)


def _blocked(
    warehouse: Warehouse, batch: Batch, waves: list[dict[str, Any]]
) -> tuple[Shape, ...]:
    """The last blocked wave of each session before the batch's, since one was published."""
    rows = warehouse.rows(
        "SELECT batch_id, newest_date, rows_read FROM collection_batch WHERE kind = 'wave' "
        f"AND state = 'held' AND NOT {IS_REJECTED} "
        "AND collected_at > :since AND newest_date < :newest "
        "ORDER BY newest_date DESC, collected_at DESC",
        since=waves[0]["collected_at"] if waves else 0,
        newest=batch.newest_date,
    )
    last = {int(str(row["newest_date"])): row for row in reversed(rows)}
    found = []
    for date in sorted(last, reverse=True)[: EQUAL_SESSIONS - 1]:
        codes = warehouse.rows(
            "SELECT DISTINCT fund_code FROM fund_nav WHERE batch_id = :id",
            id=last[date]["batch_id"],
        )
        members = frozenset(str(row["fund_code"]) for row in codes)
        found.append(Shape(int(str(last[date]["rows_read"])), members))
    return tuple(found)


def _market_on(warehouse: Warehouse, batch: Batch) -> dict[int, int]:
    """Date → funds with an accepted NAV on it, of a decision's few dates."""
    if batch.kind != "desk":
        return {}
    dates = ", ".join(str(int(day)) for day in batch.landed["nav_date"].unique()) or "0"
    rows = warehouse.rows(
        "SELECT nav_date, COUNT(*) AS n FROM validated_nav "
        f"WHERE nav_date IN ({dates}) GROUP BY nav_date"
    )
    return {int(str(row["nav_date"])): int(str(row["n"])) for row in rows}


def _sightings(warehouse: Warehouse, batch_id: str, codes: pd.Index) -> pd.DataFrame:
    """Columns of `witness.SIGHTINGS`: what other batches of these funds left held."""
    held = warehouse.frame(
        "SELECT * FROM nav_quarantine WHERE state = 'held' AND nav_date IS NOT NULL "
        "AND batch_id <> :id",
        NAV_QUARANTINE,
        id=batch_id,
    )
    held = held[held["fund_code"].isin(codes)].astype({"nav_date": "int32"})
    return held.assign(voice=voices_of(held["batch_id"]))[SIGHTINGS].reset_index(drop=True)


def _funds_told_of(warehouse: Warehouse, batch_id: str) -> pd.Index:
    """The funds with events that a batch of events brought or changed."""
    rows = warehouse.rows(
        "SELECT DISTINCT fund_code FROM fund_events "
        "WHERE :id IN (batch_id, first_batch_id) AND status = 'recorded' ORDER BY fund_code",
        id=batch_id,
    )
    return pd.Index([str(row["fund_code"]) for row in rows], dtype="str")


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
        if len(gone):
            connection.execute(
                sa.text(
                    "DELETE FROM fund_events WHERE fund_code = :fund_code "
                    "AND ex_date = :ex_date AND kind = :kind AND status = 'inferred'"
                ),
                gone.to_dict("records"),
            )
    insert(connection, FUND_EVENTS, plan.inferred, ignore=True)


def _concat(stored: pd.DataFrame, more: list[pd.DataFrame]) -> pd.DataFrame:
    parts = [part for part in (stored, *more) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else stored


def _of_funds(warehouse: Warehouse, codes: pd.Index, query: str) -> list[pd.DataFrame]:
    """`query` with {codes} for chunks of funds."""
    parts = []
    for start in range(0, len(codes), CODES_PER_QUERY):
        marks = _marks(codes[start : start + CODES_PER_QUERY])
        rows = warehouse.value(
            f"SELECT COUNT(*) FROM validated_nav WHERE fund_code IN ({marks})"
        )
        # The columnar reader is a process to be started: not for a few rows.
        read = warehouse.frame if int(str(rows)) < FEW_ROWS else warehouse.columns
        parts.append(read(query.format(codes=marks), VALIDATED_NAV))
    return parts


def _marks(codes: pd.Index) -> str:
    """Codes for a statement, at least one; what landed as a code is six digits."""
    return ", ".join(f"'{int(code):06d}'" for code in codes) or "''"


def _last_before(warehouse: Warehouse, codes: pd.Index, since: int) -> list[pd.DataFrame]:
    """Of each fund, the last accepted row before `since`."""
    columns = ", ".join(VALIDATED_NAV.names)
    query = (
        f"SELECT {columns} FROM validated_nav WHERE (fund_code, nav_date) IN ("
        "SELECT w.fund_code, MAX(w.nav_date) FROM validated_nav AS w "
        f"WHERE w.nav_date < {since} AND w.fund_code IN ({{codes}}) GROUP BY w.fund_code)"
    )
    return _of_funds(warehouse, codes, query)


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
        row = batch_row(connection, batch_id)
        was = str(row["held_because"])
        if row["state"] != "held" or was.startswith(REJECTED_BY):
            return False
        _set_state(connection, batch_id, "held", f"{REJECTED_BY}{words}; {was}"[:2000])
    return True


def _hold(connection: sa.Connection, batch_id: str, blocked_by: Iterable[Verdict]) -> None:
    reasons = "; ".join(
        f"{v.rule}: {', '.join(v.cases)}. Lifted by {RULES[v.rule].lifts}" for v in blocked_by
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
