"""The quarantine desk's reads and writes: finding held rows, merging and marking them.

Belongs here: the one transaction in which a decision is taken. Does not belong here: which
rows may be accepted (`nav/decisions.py`), or the merge itself (`publish.py`).
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import pandas as pd
import sqlalchemy as sa

from fund_assets.nav.batch import Batch, Known, Plan
from fund_assets.nav.landing_rows import Landing
from fund_assets.schemas.tables import COLLECTION_BATCH, FUND_NAV, NAV_QUARANTINE
from fund_assets.warehouse.engine.diff_writes import insert
from fund_assets.warehouse.engine.fault_points import crash_point
from fund_assets.warehouse.queries import quarantine as quarantine_queries
from fund_assets.warehouse.queries.quarantine import Wanted
from fund_assets.warehouse.stores import known as known_store
from fund_assets.warehouse.stores import publish
from fund_assets.warehouse.stores.publish import Outcome
from fund_assets.warehouse.warehouse import Warehouse


def find(warehouse: Warehouse, wanted: Wanted) -> pd.DataFrame:
    """The rows that are wanted, as `queries.quarantine.rows` tells them, typed."""
    rows = quarantine_queries.rows(warehouse, wanted)
    names = [*NAV_QUARANTINE.names, *quarantine_queries.BESIDE, "superseded"]
    if not rows:
        return pd.DataFrame(columns=names)
    frame = pd.DataFrame(rows, columns=names)
    dtypes = {column.name: column.dtype for column in NAV_QUARANTINE.columns}
    return frame.astype({**dtypes, "previous_date": "Int32", "superseded": "bool"})


def followed(warehouse: Warehouse, rules: tuple[str, ...], since: int) -> tuple[str, ...]:
    """Funds with a row held by some rules, dated `since` or later, and a NAV after it.

    The later NAV is accepted, or held itself.
    """
    names = {f"rule{n}": rule for n, rule in enumerate(rules)}
    held = f"""
        SELECT fund_code, MIN(nav_date) AS first, MAX(nav_date) AS last FROM nav_quarantine
        WHERE state = 'held' AND nav_date >= :since
          AND rule IN ({", ".join(f":{name}" for name in names)})
        GROUP BY fund_code
    """
    rows = warehouse.column(
        str,
        f"""
        SELECT q.fund_code AS fund_code FROM ({held}) AS q
        WHERE q.first < q.last OR EXISTS (
            SELECT 1 FROM validated_nav AS v
            WHERE v.fund_code = q.fund_code AND v.nav_date > q.first
        )
        ORDER BY q.fund_code
        """,
        since=since,
        **names,
    )
    return tuple(rows)


class DecisionTransaction:
    """One in which held rows are decided: nothing else changes them meanwhile."""

    def __init__(self, warehouse: Warehouse, connection: sa.Connection) -> None:
        self.warehouse = warehouse
        self._connection = connection

    def find(self, wanted: Wanted) -> pd.DataFrame:
        """As the function `find`."""
        return find(self.warehouse, wanted)

    def known(self, batch: Batch) -> Known:
        """What is stored beside a batch of the desk."""
        return known_store.read_known(self.warehouse, batch, 0)

    def land(self, landing: Landing) -> None:
        """Land a batch, for `merge`."""
        insert(self._connection, COLLECTION_BATCH, landing.batch)
        insert(self._connection, FUND_NAV, landing.landed)

    def merge(
        self, batch: Batch, known: Known, plan: Plan, *, now: int, despite: Collection[str]
    ) -> Outcome:
        """Publish a batch that has landed here."""
        return publish.merge(self._connection, batch, known, plan, now=now, despite=despite)

    def mark(
        self, ids: Iterable[str], state: str, *, by: str, because: str, at: int, batch_id: str
    ) -> None:
        """Write what became of held rows; a decided row stays as it is."""
        decision = {"s": state, "by": by, "because": because, "at": at, "batch": batch_id}
        self._connection.execute(
            sa.text(
                "UPDATE nav_quarantine SET state = :s, decided_by = :by, "
                "decided_because = :because, decided_at = :at, decided_in = :batch "
                "WHERE id = :id AND state = 'held'"
            ),
            [{**decision, "id": one} for one in ids],
        )


@contextmanager
def deciding(warehouse: Warehouse) -> Iterator[DecisionTransaction]:
    """One transaction: all of what is decided in it, or nothing when an error leaves it."""
    with warehouse.transaction(writes=True) as connection:
        yield DecisionTransaction(warehouse, connection)
        crash_point("desk.before_commit")
