"""A year's list of events that came short: held as a batch, put in place, or let go.

Belongs here: reads and writes of the refused lists. Does not belong here: when a list is
refused or right after all (`nav/events.py`), chaining the funds anew (`publish.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from fund_assets.nav.events import KEY, lost, merge
from fund_assets.schemas.tables import COLLECTION_BATCH, EVENT_LIST, FUND_EVENTS, NAV_QUARANTINE
from fund_assets.warehouse.engine.diff_writes import delete, insert, update, upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.queries.rejection import IS_REJECTED, REJECTED_BY
from fund_assets.warehouse.stores.events import OF_LIST
from fund_assets.warehouse.stores.landing import stored_events
from fund_assets.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

    from fund_assets.nav.landing_rows import Landing

#: That a batch is a held list of a year, and nobody called it wrong.
WAITS = f"kind = 'events' AND state = 'held' AND NOT {IS_REJECTED}"
OF_YEAR = "newest_date BETWEEN :year * 10000 AND :year * 10000 + 9999"


@dataclass(frozen=True)
class HeldList:
    """A refused list: its batch, the day (yyyymmdd) it came on, and its events."""

    batch_id: str
    day: int
    rejected: bool
    frame: pd.DataFrame


def told_by_list(warehouse: Warehouse, year: int) -> pd.DataFrame:
    """The events of a year that its list must tell: FUND_EVENTS."""
    return warehouse.frame(f"SELECT * FROM fund_events WHERE {OF_LIST}", FUND_EVENTS, year=year)


class _Refused(NamedTuple):
    batch_id: str
    collected_at: int
    rejected: bool


def refused(warehouse: Warehouse, year: int) -> list[HeldList]:
    """The refused lists of a year since one was right, newest first."""
    rows = warehouse.records(
        _Refused,
        f"SELECT batch_id, collected_at, CASE WHEN {IS_REJECTED} THEN 1 ELSE 0 END AS rejected "
        "FROM collection_batch WHERE kind = 'events' AND state = 'held' "
        f"AND SUBSTR(held_because, 1, {len(BY_SOURCE)}) <> '{BY_SOURCE}' AND {OF_YEAR} "
        "ORDER BY collected_at DESC, batch_id",
        year=year,
    )
    return [
        HeldList(
            row.batch_id,
            row.collected_at // 1_000_000,
            row.rejected,
            _list_of(warehouse, row.batch_id),
        )
        for row in rows
    ]


def _list_of(warehouse: Warehouse, batch_id: str) -> pd.DataFrame:
    return warehouse.frame(
        "SELECT * FROM event_list WHERE batch_id = :id", EVENT_LIST, id=batch_id
    )


@retried
def keep(
    warehouse: Warehouse, landing: Landing, listed: pd.DataFrame, *, state: str, because: str
) -> None:
    """Write a short list as a batch, `held`, or `landed` when it is right after all.

    A batch that is there already is left as it is.

    Args:
        listed: the columns of EVENT_LIST but the batch.
    """
    batch = landing.batch.assign(state=state, held_because=because[:2000])
    rows = EVENT_LIST.conform(listed.assign(batch_id=landing.batch_id))
    with warehouse.transaction(writes=True) as connection:
        if insert(connection, COLLECTION_BATCH, batch, ignore=True) != 1:
            return
        insert(connection, NAV_QUARANTINE, landing.refused, ignore=True)
        insert(connection, EVENT_LIST, rows)


#: How `held_because` begins when a later list took the place of a held one.
BY_SOURCE = f"{REJECTED_BY}source:withdrawn"


@retried
def let_go(warehouse: Warehouse, year: int, now: int, words: str) -> int:
    """End the waiting of a year's held lists, for a later one is in their place; how many."""
    with warehouse.transaction(writes=True) as connection:
        return _let_go(connection, year, now, words, "")


def _let_go(connection: sa.Connection, year: int, now: int, words: str, besides: str) -> int:
    known = {"year": year, "besides": besides}
    found = connection.execute(
        sa.text(
            f"SELECT batch_id, held_because FROM collection_batch WHERE {WAITS} "
            f"AND {OF_YEAR} AND batch_id <> :besides"
        ),
        known,
    ).all()
    for batch_id, was in found:
        connection.execute(
            sa.text("UPDATE collection_batch SET held_because = :b WHERE batch_id = :id"),
            {"id": batch_id, "b": f"{BY_SOURCE} at {now}: {words}; {was}"[:2000]},
        )
        _forget(connection, batch_id)
    return len(found)


@dataclass(frozen=True)
class Placed:
    """What a list that was put in place changed: rows of FUND_EVENTS, written and withdrawn."""

    written: pd.DataFrame
    withdrawn: pd.DataFrame

    def funds(self) -> pd.Index:
        """The funds of both."""
        import pandas as pd

        both = {*self.written["fund_code"], *self.withdrawn["fund_code"]}
        return pd.Index(sorted(both), dtype="str")

    def over(self, events: pd.DataFrame, codes: pd.Index) -> pd.DataFrame:
        """Events of some funds as they were before it, with what it changed."""
        import pandas as pd

        keys = pd.MultiIndex.from_frame(events[KEY])
        stays = ~keys.isin(self._keys(self.written)) & ~keys.isin(self._keys(self.withdrawn))
        ours = self.written[self.written["fund_code"].isin(codes)]
        return pd.concat([events[stays], ours], ignore_index=True)

    @staticmethod
    def _keys(rows: pd.DataFrame) -> pd.MultiIndex:
        import pandas as pd

        return pd.MultiIndex.from_frame(rows[KEY])


def put_in_place(
    warehouse: Warehouse, connection: sa.Connection, batch_id: str, year: int, now: int
) -> Placed:
    """Make a kept list that of its year: its events are stored, those it lacks withdrawn.

    An event that the fund's history tells, too, stays with the history's value.
    """
    listed = _list_of(warehouse, batch_id)
    gone = lost(told_by_list(warehouse, year), listed)
    alone = gone["history_value"].isna()
    delete(connection, FUND_EVENTS, gone.loc[alone, KEY])
    update(connection, FUND_EVENTS, gone.loc[~alone, KEY].assign(list_value=float("nan")))
    seen = listed[listed["value"].notna()].drop(columns="batch_id")
    stored = stored_events(warehouse, seen["fund_code"].unique())
    written = merge(stored, seen, "list", batch_id)
    upsert(connection, FUND_EVENTS, written)
    _let_go(connection, year, now, f"the list of {year} in batch {batch_id} is used", batch_id)
    _forget(connection, batch_id)
    return Placed(written, gone[alone])


def _forget(connection: sa.Connection, batch_id: str) -> None:
    """Delete the events of a list that waits no more."""
    import pandas as pd

    delete(connection, EVENT_LIST, pd.DataFrame({"batch_id": [batch_id]}))
