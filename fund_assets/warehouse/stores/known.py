"""What is stored beside a batch: all that its plan has to know.

Belongs here: the reads of one batch's rules and merge. Does not belong here: writing what is
planned (`publish.py`), what merging means (`nav/merge.py`).
"""

from typing import NamedTuple

import pandas as pd

from fund_assets.calendar import TradingCalendar, from_key, to_key
from fund_assets.nav.batch import Batch, Known, Shape
from fund_assets.nav.cadence import no_cadence
from fund_assets.nav.rules import EQUAL_SESSIONS
from fund_assets.nav.silence import WINDOW
from fund_assets.nav.witness import SIGHTINGS, voices_of
from fund_assets.schemas.tables import FUND_EVENTS, NAV_QUARANTINE, VALIDATED_NAV
from fund_assets.warehouse.queries.cadence import stored_cadence
from fund_assets.warehouse.queries.life import dead_codes
from fund_assets.warehouse.queries.rejection import IS_REJECTED
from fund_assets.warehouse.warehouse import Warehouse

#: What witnesses decide themselves; anyone else is a person.
BY_WITNESS = "(decided_by LIKE 'witness:%' OR decided_by IN ('rules', 'source:withdrawn'))"
CODES_PER_QUERY = 2_000
#: From so many waves of a weekday on, they tell what is usual on it.
SAME_DAY = 3
FEW_ROWS = 20_000


class _Fund(NamedTuple):
    fund_code: str
    kind: str
    fund_type: str
    status: str


class _Wave(NamedTuple):
    batch_id: str
    rows_read: int
    newest_date: int
    collected_at: int


def last_published(warehouse: Warehouse, kind: str | None = None) -> str | None:
    """The batch that was published last, of a kind, or of any that was collected."""
    return warehouse.text(
        "SELECT p.batch_id FROM publish_log AS p JOIN collection_batch AS b USING (batch_id) "
        "WHERE b.kind = :kind OR (:kind IS NULL AND b.kind <> 'desk') "
        "ORDER BY b.collected_at DESC, p.published_at DESC, b.kind DESC, p.batch_id LIMIT 1",
        kind=kind,
    )


def known_since(batch: Batch, calendar: TradingCalendar) -> int:
    """For a wave, the date (yyyymmdd) from which stored rows are read."""
    oldest = from_key(min(batch.newest_date, batch.previous_date or batch.newest_date))
    return to_key(calendar.before(min(oldest, calendar.horizon), WINDOW))


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
    funds = warehouse.records(
        _Fund, f"SELECT fund_code, kind, fund_type, status FROM fund_info{of_whom}"
    )
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
    members = _members(warehouse, last_published(warehouse, "wave") if batch.is_wave else "")
    waves = warehouse.records(
        _Wave,
        "SELECT batch_id, rows_read, newest_date, collected_at FROM collection_batch "
        "WHERE kind = 'wave' AND state = 'published' ORDER BY collected_at DESC LIMIT 100",
    )
    listed = warehouse.count("SELECT COUNT(*) FROM fund_info WHERE status = 'listed'")
    return Known(
        stored=stored,
        events=events[events["fund_code"].isin(codes)],
        kinds={fund.fund_code: fund.kind for fund in funds},
        types={fund.fund_code: fund.fund_type for fund in funds},
        sightings=sightings,
        members_before=members,
        usual_rows=_usual_rows(waves, batch.newest_date),
        rows_before=float(waves[0].rows_read) if waves else None,
        blocked=_blocked(warehouse, batch, waves) if batch.is_wave else (),
        listed=listed,
        market_on=_market_on(warehouse, batch),
        published_date=max(wave.newest_date for wave in waves) if waves else None,
        decisions=decisions[decisions["fund_code"].isin(codes)],
        refuted=refuted[refuted["fund_code"].isin(codes)],
        cadence=stored_cadence(warehouse) if batch.is_wave else no_cadence(),
        ended=dead_codes(warehouse, batch.newest_date).union(
            fund.fund_code for fund in funds if fund.status != "listed"
        ),
    )


def _members(warehouse: Warehouse, batch_id: str | None) -> frozenset[str]:
    """The funds of a batch."""
    sql = "SELECT DISTINCT fund_code FROM fund_nav WHERE batch_id = :id"
    return frozenset(warehouse.column(str, sql, id=batch_id))


def _usual_rows(waves: list[_Wave], newest: int) -> float | None:
    """Rows of a usual wave: of the last 20, or of the same weekday where there are enough."""
    if not waves:
        return None
    weekday = from_key(newest).weekday()
    lately = pd.Series([wave.rows_read for wave in waves[:20]]).median()
    alike = [w.rows_read for w in waves if from_key(w.newest_date).weekday() == weekday]
    return float(min(lately, pd.Series(alike).median()) if len(alike) >= SAME_DAY else lately)


def _blocked(warehouse: Warehouse, batch: Batch, waves: list[_Wave]) -> tuple[Shape, ...]:
    """The last blocked wave of each session before the batch's, since one was published."""
    rows = warehouse.records(
        _Wave,
        "SELECT batch_id, rows_read, newest_date, collected_at FROM collection_batch "
        f"WHERE kind = 'wave' AND state = 'held' AND NOT {IS_REJECTED} "
        "AND collected_at > :since AND newest_date < :newest "
        "ORDER BY newest_date DESC, collected_at DESC",
        since=waves[0].collected_at if waves else 0,
        newest=batch.newest_date,
    )
    last = {wave.newest_date: wave for wave in reversed(rows)}
    newest = [last[date] for date in sorted(last, reverse=True)[: EQUAL_SESSIONS - 1]]
    return tuple(Shape(wave.rows_read, _members(warehouse, wave.batch_id)) for wave in newest)


def _market_on(warehouse: Warehouse, batch: Batch) -> dict[int, int]:
    """Date → funds with an accepted NAV on it, of a decision's few dates."""
    if batch.kind != "desk":
        return {}
    dates = ", ".join(str(int(day)) for day in batch.landed["nav_date"].unique()) or "0"
    return warehouse.mapping(
        int,
        int,
        "SELECT nav_date, COUNT(*) FROM validated_nav "
        f"WHERE nav_date IN ({dates}) GROUP BY nav_date",
    )


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


def _concat(stored: pd.DataFrame, more: list[pd.DataFrame]) -> pd.DataFrame:
    parts = [part for part in (stored, *more) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else stored


def _of_funds(warehouse: Warehouse, codes: pd.Index, query: str) -> list[pd.DataFrame]:
    """`query` with {codes} for chunks of funds."""
    parts = []
    for start in range(0, len(codes), CODES_PER_QUERY):
        marks = _marks(codes[start : start + CODES_PER_QUERY])
        rows = warehouse.count(
            f"SELECT COUNT(*) FROM validated_nav WHERE fund_code IN ({marks})"
        )
        # The columnar reader is a process to be started: not for a few rows.
        read = warehouse.frame if rows < FEW_ROWS else warehouse.columns
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
