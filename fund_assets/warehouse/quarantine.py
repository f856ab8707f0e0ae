"""The quarantine desk's reads and writes: finding held rows, merging and marking them.

Belongs here: the one transaction in which a decision is taken. Does not belong here: which
rows may be accepted (`nav/desk.py`), or the merge itself (`publishing.py`).
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa

from fund_assets.nav.batch import Batch, Known, Plan
from fund_assets.nav.desk import UnknownIdError
from fund_assets.nav.observe import Landing
from fund_assets.nav.timeline import GROWTH_ROUNDING
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import COLLECTION_BATCH, FUND_NAV, NAV_QUARANTINE
from fund_assets.warehouse import publishing
from fund_assets.warehouse.crash import crash_point
from fund_assets.warehouse.publishing import Outcome
from fund_assets.warehouse.warehouse import Warehouse
from fund_assets.warehouse.writes import insert

#: What `find` tells of the batch and the fund of a held row.
BESIDE = {
    "fund_name": "i.name",
    "fund_kind": "i.kind",
    "batch_kind": "b.kind",
    "newest_date": "b.newest_date",
    "previous_date": "b.previous_date",
    "source": "b.source",
    "collected_at": "b.collected_at",
}
STATES = ("held", "accepted", "rejected")
#: So many characters of an id must be written.
SHORTEST_ID = 6


@dataclass(frozen=True)
class Wanted:
    """Which rows of the quarantine are meant: those that fit every filter that is given.

    Attributes:
        ids, rules, funds, batches: as they stand in nav_quarantine.
        kinds: of funds, as in fund_info; dates: nav_date, yyyymmdd.
        states: of STATES.
    """

    ids: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    funds: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    dates: tuple[int, ...] = ()
    batches: tuple[str, ...] = ()
    states: tuple[str, ...] = ("held",)


def find(warehouse: Warehouse, wanted: Wanted) -> pd.DataFrame:
    """The rows that are wanted, oldest first: NAV_QUARANTINE, BESIDE and `superseded`.

    A held row is superseded when a batch collected after its own shows another figure of
    the same fund and date, landed or accepted already.
    """
    parameters: dict[str, object] = {}
    conditions = [
        _within(column, values, parameters)
        for column, values in (
            ("q.id", wanted.ids),
            ("q.rule", wanted.rules),
            ("q.fund_code", wanted.funds),
            ("i.kind", wanted.kinds),
            ("q.nav_date", wanted.dates),
            ("q.batch_id", wanted.batches),
            ("q.state", wanted.states),
        )
        if values
    ]
    columns = [f"q.{name} AS {name}" for name in NAV_QUARANTINE.names]
    columns += [f"{expression} AS {name}" for name, expression in BESIDE.items()]
    rows = warehouse.rows(
        f"""
        SELECT {", ".join(columns)}, CASE WHEN q.state = 'held' AND (EXISTS (
            SELECT 1 FROM collection_batch AS later JOIN fund_nav AS n
                ON n.batch_id = later.batch_id AND n.nav_date = q.nav_date
                AND n.fund_code = q.fund_code
            WHERE later.collected_at > b.collected_at AND ({_other("n")})
        ) OR EXISTS (
            SELECT 1 FROM validated_nav AS v JOIN collection_batch AS later
                ON later.batch_id = v.batch_id
            WHERE v.nav_date = q.nav_date AND v.fund_code = q.fund_code
              AND later.collected_at > b.collected_at AND ({_other("v")})
        )) THEN 1 ELSE 0 END AS superseded
        FROM nav_quarantine AS q
        JOIN collection_batch AS b ON b.batch_id = q.batch_id
        LEFT JOIN fund_info AS i ON i.fund_code = q.fund_code
        WHERE {" AND ".join(conditions)}
        ORDER BY b.collected_at, q.batch_id, q.fund_code, q.nav_date, q.rule, q.id
        """,
        **parameters,
    )
    names = [*NAV_QUARANTINE.names, *BESIDE, "superseded"]
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
    rows = warehouse.rows(
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
    return tuple(str(row["fund_code"]) for row in rows)


def funds_held(warehouse: Warehouse) -> pd.DataFrame:
    """Listed funds with held rows: fund_code, and `held_at`, when the newest was held."""
    rows = warehouse.rows(
        "SELECT q.fund_code AS fund_code, MAX(q.created_at) AS held_at "
        "FROM nav_quarantine AS q "
        "JOIN fund_info AS i ON i.fund_code = q.fund_code AND i.status = 'listed' "
        "WHERE q.state = 'held' AND q.nav_date IS NOT NULL "
        "GROUP BY q.fund_code ORDER BY q.fund_code"
    )
    return pd.DataFrame(rows, columns=["fund_code", "held_at"])


def refuted_dates(warehouse: Warehouse, since: int) -> pd.DataFrame:
    """Dates from `since` on of which the source showed what witnesses rejected.

    Returns:
        fund_code, nav_date, shown_at (yyyymmddHHMMSS of the newest such sight).
    """
    rows = warehouse.rows(
        "SELECT fund_code, nav_date, MAX(created_at) AS shown_at FROM nav_quarantine "
        "WHERE state = 'rejected' AND nav_date >= :since "
        "AND (decided_by LIKE 'witness:%' OR decided_by LIKE 'source:%') "
        "GROUP BY fund_code, nav_date",
        since=since,
    )
    return pd.DataFrame(rows, columns=["fund_code", "nav_date", "shown_at"])


def codes(warehouse: Warehouse) -> list[str]:
    """Codes with held rows, also such as no fund can have."""
    rows = warehouse.rows("SELECT DISTINCT fund_code FROM nav_quarantine ORDER BY fund_code")
    return [str(row["fund_code"]) for row in rows]


def full_ids(warehouse: Warehouse, beginnings: Iterable[str]) -> tuple[str, ...]:
    """The ids that begin so, each of one row.

    Raises:
        UnknownIdError: no row, or several, have an id that begins so.
    """
    found, wrong = [], []
    for beginning in beginnings:
        if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST_ID},40}}", beginning):
            wrong.append(f"{beginning!r} is no id: {SHORTEST_ID} or more of its characters")
            continue
        rows = warehouse.rows(
            "SELECT id FROM nav_quarantine WHERE id LIKE :pattern ORDER BY id LIMIT 3",
            pattern=f"{beginning}%",
        )
        if len(rows) == 1:
            found.append(str(rows[0]["id"]))
        elif rows:
            wrong.append(
                f"{beginning} begins several ids, as {rows[0]['id']}: write more of it"
            )
        else:
            wrong.append(f"{beginning}: no row of the quarantine has this id")
    if wrong:
        raise UnknownIdError(f"{'; '.join(wrong)}; `fund-assets quarantine list` shows the ids")
    return tuple(dict.fromkeys(found))


class Desk:
    """The one who decides, until the transaction ends: nothing changes meanwhile."""

    def __init__(self, warehouse: Warehouse, connection: sa.Connection) -> None:
        self.warehouse = warehouse
        self._connection = connection

    def find(self, wanted: Wanted) -> pd.DataFrame:
        """As the function `find`."""
        return find(self.warehouse, wanted)

    def known(self, batch: Batch) -> Known:
        """What is stored beside a batch of the desk."""
        return publishing.read_known(self.warehouse, batch, 0)

    def merge(
        self,
        landing: Landing,
        batch: Batch,
        plan: Callable[[Batch, Known], Plan],
        *,
        now: int,
        despite: Collection[str],
    ) -> Outcome:
        """Land a batch and publish it."""
        insert(self._connection, COLLECTION_BATCH, landing.batch)
        insert(self._connection, FUND_NAV, landing.landed)
        return publishing.merge(
            self.warehouse, self._connection, batch, plan, since=0, now=now, despite=despite
        )

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
def deciding(warehouse: Warehouse) -> Iterator[Desk]:
    """One transaction: all of what is decided in it, or nothing when an error leaves it."""
    with warehouse.transaction(writes=True) as connection:
        yield Desk(warehouse, connection)
        crash_point("desk.before_commit")


def _within(column: str, values: tuple[object, ...], parameters: dict[str, object]) -> str:
    names = [f"p{len(parameters) + n}" for n in range(len(values))]
    parameters.update(zip(names, values, strict=True))
    return f"{column} IN ({', '.join(f':{name}' for name in names)})"


def _other(table: str) -> str:
    """That `table` has another figure than the held row, where both have one."""
    slack = {"growth_pct": GROWTH_ROUNDING}
    return " OR ".join(
        f"ABS({table}.{name} - q.{name}) > {slack.get(name, 0.0)}" for name in OBSERVED_NAMES
    )
