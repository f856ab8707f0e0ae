"""Questions about the state of the tables, for metadata, checks, status and health.

Belongs here: counts and dates. Does not belong here: what is good or bad about them, how many
funds are due and have published (`coverage.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.profile import AssetProfile
from fund_assets.schemas.profiles import with_date
from fund_assets.schemas.table import Table
from fund_assets.schemas.tables import LEGAL_LEVELS, TABLES
from fund_assets.warehouse.queries.rejection import IS_REJECTED
from fund_assets.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

#: Where it is kept when the lists of events were had.
LISTS_ASKED_ON = "event_lists_asked_on"
#: SQL: what became of a batch, as people are told it.
STATE = f"CASE WHEN state = 'held' AND {IS_REJECTED} THEN 'rejected' ELSE state END"

#: That `later` is a list of events of the year of `b`, and came short as that one did.
LATER_LIST = (
    "(b.kind = 'events' AND later.kind = 'events' AND later.held_because <> '' "
    "AND SUBSTR(later.newest_date, 1, 4) = SUBSTR(b.newest_date, 1, 4))"
)


def row_count(warehouse: Warehouse, table: str) -> int:
    """How many rows a table has."""
    return warehouse.count(f"SELECT COUNT(*) FROM {TABLES[table].name}")


def lists_asked_on(warehouse: Warehouse) -> int:
    """The date (yyyymmdd) on which the market's lists of events were last had; 0 for never."""
    kept = warehouse.text(
        "SELECT value FROM warehouse_meta WHERE property = :name", name=LISTS_ASKED_ON
    )
    return int(kept) if kept else 0


def rows_on(warehouse: Warehouse, nav_date: int) -> int:
    """Accepted NAVs of one date, yyyymmdd."""
    return warehouse.count(
        "SELECT COUNT(*) FROM validated_nav WHERE nav_date = :nav_date", nav_date=nav_date
    )


def newest_published(warehouse: Warehouse) -> int | None:
    """Newest date of any published wave, yyyymmdd; without waves, of any accepted NAV."""
    return warehouse.number(
        "SELECT MAX(newest_date) FROM collection_batch "
        "WHERE kind = 'wave' AND state = 'published'"
    ) or warehouse.number("SELECT MAX(nav_date) FROM validated_nav")


def first_date(warehouse: Warehouse) -> int | None:
    """The first date of any accepted NAV, yyyymmdd; None without any."""
    return warehouse.number("SELECT MIN(nav_date) FROM validated_nav")


def last_publication(warehouse: Warehouse) -> int | None:
    """When the newest published batch was merged, yyyymmddhhmmss; None before the first."""
    return warehouse.number("SELECT MAX(published_at) FROM publish_log")


def newest_dates(warehouse: Warehouse) -> dict[str, int | None]:
    """Newest date (yyyymmdd) of each table that follows the market; None when empty.

    That of fund_info and fund_events is the day on which the market's lists were last had.
    """
    return {profile.name: _newest(warehouse, profile) for profile in with_date()}


def _newest(warehouse: Warehouse, profile: AssetProfile) -> int | None:
    if profile.name in _NEWEST:
        found = _NEWEST[profile.name](warehouse)
    else:
        table = profile.table
        assert table is not None, profile.name
        column = table[profile.date_column].name
        found = warehouse.number(f"SELECT MAX({column}) FROM {table.name}")
    return found or None


def _newest_collected(warehouse: Warehouse) -> int | None:
    """Newest date of any wave; without waves, of any observation."""
    return warehouse.number(
        "SELECT MAX(newest_date) FROM collection_batch WHERE kind = 'wave'"
    ) or warehouse.number("SELECT MAX(nav_date) FROM fund_nav")


#: Asset → its newest date, where that is not the newest one in its table.
_NEWEST: dict[str, Callable[[Warehouse], int | None]] = {
    "fund_events": lists_asked_on,
    "fund_nav": _newest_collected,
    "validated_nav": newest_published,
}


def first_wave(warehouse: Warehouse) -> int | None:
    """Newest date of the first published wave, yyyymmdd; None before there is one."""
    return warehouse.number(
        "SELECT MIN(newest_date) FROM collection_batch "
        "WHERE kind = 'wave' AND state = 'published'"
    )


def nav_rows(warehouse: Warehouse) -> int:
    """How many NAVs were ever accepted, by the log of what was merged: none is deleted."""
    found = warehouse.number(
        "SELECT SUM(p.rows_new) FROM publish_log AS p JOIN collection_batch AS b "
        "USING (batch_id) WHERE b.kind <> 'events'"
    )
    return found or 0


def dates_before(warehouse: Warehouse, nav_date: int, most: int) -> list[int]:
    """The newest dates (yyyymmdd) with accepted NAVs up to one, that included, newest first.

    Each is a look at the index; to list distinct dates, an engine reads all their rows.
    """
    newest = sa.text("SELECT MAX(nav_date) FROM validated_nav WHERE nav_date < :after")
    found = [nav_date + 1]
    with warehouse.transaction() as connection:
        while len(found) <= most and (date := connection.scalar(newest, {"after": found[-1]})):
            found.append(int(date))
    return found[1:]


def seen_by(warehouse: Warehouse, nav_date: int) -> dict[int, int]:
    """When the NAVs of a date came: yyyymmddhhmmss → listed funds first seen then, ascending.

    A value that was corrected later counts from when its first version was seen.
    """
    return warehouse.mapping(
        int,
        int,
        """
        SELECT seen, COUNT(*) AS n FROM (
            SELECT COALESCE(MIN(r.first_seen_at), v.first_seen_at) AS seen
            FROM validated_nav AS v
            JOIN fund_info AS i USING (fund_code)
            LEFT JOIN nav_revision AS r
                ON r.fund_code = v.fund_code AND r.nav_date = v.nav_date
            WHERE v.nav_date = :nav_date AND i.status = 'listed'
            GROUP BY v.fund_code
        ) AS first_seen GROUP BY seen ORDER BY seen
        """,
        nav_date=nav_date,
    )


def waiting_batches(warehouse: Warehouse) -> int:
    """How many batches have landed and are neither published nor held."""
    return warehouse.count("SELECT COUNT(*) FROM collection_batch WHERE state = 'landed'")


def published_waves(warehouse: Warehouse, newest_date: int) -> list[int]:
    """When the published waves of a date were collected, yyyymmddhhmmss, ascending."""
    return warehouse.column(
        int,
        "SELECT DISTINCT collected_at FROM collection_batch WHERE kind = 'wave' "
        "AND state = 'published' AND newest_date = :newest_date ORDER BY collected_at",
        newest_date=newest_date,
    )


def waves_since(warehouse: Warehouse, since: int) -> set[int]:
    """The newest dates (yyyymmdd) of published waves, from a date on."""
    found = warehouse.column(
        int,
        "SELECT DISTINCT newest_date FROM collection_batch WHERE kind = 'wave' "
        "AND state = 'published' AND newest_date >= :since",
        since=since,
    )
    return set(found)


def rows_per_date(warehouse: Warehouse, since: int) -> dict[int, int]:
    """Accepted NAVs of each date from `since` on."""
    return warehouse.mapping(
        int,
        int,
        "SELECT nav_date, COUNT(*) AS n FROM validated_nav WHERE nav_date >= :since "
        "GROUP BY nav_date ORDER BY nav_date",
        since=since,
    )


def quarantine_counts(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Held rows by rule: rule, held."""
    return warehouse.rows(
        "SELECT rule, COUNT(*) AS held FROM nav_quarantine WHERE state = 'held' "
        "GROUP BY rule ORDER BY held DESC, rule"
    )


def held_cases(warehouse: Warehouse) -> int:
    """What waits for a decision: a fund and date once, by however many rules and waves held."""
    return warehouse.count(
        "SELECT COUNT(*) FROM (SELECT DISTINCT fund_code, nav_date FROM nav_quarantine "
        "WHERE state = 'held') AS cases"
    )


def quarantined_ever(warehouse: Warehouse) -> list[dict[str, Any]]:
    """All rows that were ever held, whatever became of them, by rule: rule, held."""
    return warehouse.rows(
        "SELECT rule, COUNT(*) AS held FROM nav_quarantine GROUP BY rule ORDER BY rule"
    )


def corrections_since(warehouse: Warehouse, stamp: int) -> dict[str, int]:
    """Legal level → corrections of that level seen since a time (yyyymmddhhmmss)."""
    counts = warehouse.mapping(
        str,
        int,
        "SELECT legal_level, COUNT(*) AS n FROM nav_revision WHERE superseded_at >= :stamp "
        "AND kind = 'correction' GROUP BY legal_level",
        stamp=stamp,
    )
    return {level: counts.get(level, 0) for level in LEGAL_LEVELS}


class _Corrections(NamedTuple):
    superseded_by: str
    legal_level: str
    n: int


def corrections_in(warehouse: Warehouse, batch_ids: Collection[str]) -> dict[str, int]:
    """Legal level → corrections of that level that these batches brought."""
    found = warehouse.records(
        _Corrections,
        "SELECT superseded_by, legal_level, COUNT(*) AS n FROM nav_revision "
        "WHERE kind = 'correction' GROUP BY superseded_by, legal_level",
    )
    ours = [row for row in found if row.superseded_by in batch_ids]
    return {
        level: sum(row.n for row in ours if row.legal_level == level) for level in LEGAL_LEVELS
    }


def batches(warehouse: Warehouse, limit: int) -> list[dict[str, Any]]:
    """The batches collected last, newest first, with what their publishing counted."""
    return warehouse.rows(
        f"SELECT b.batch_id, b.kind, b.newest_date, b.collected_at, {STATE} AS state, "
        "b.held_because, b.rows_read, p.rows_new, p.rows_changed, p.rows_filled, "
        "p.rows_unchanged, p.rows_quarantined, p.rows_pending FROM collection_batch AS b "
        "LEFT JOIN publish_log AS p USING (batch_id) "
        "ORDER BY b.collected_at DESC, b.batch_id LIMIT :limit",
        limit=limit,
    )


def batch(warehouse: Warehouse, batch_id: str) -> dict[str, Any] | None:
    """A batch: the columns of COLLECTION_BATCH but the payloads, and its `replaced_by`.

    That is the newest published wave that was collected later than a wave, or the newest list
    of events of the same year that was held after one. The state of a held batch that a person
    rejected is `rejected`.
    """
    rows = warehouse.rows(
        "SELECT batch_id, kind, source, newest_date, previous_date, collected_at, rows_read, "
        f"{STATE} AS state, held_because, "
        "(SELECT MAX(later.batch_id) FROM collection_batch AS later WHERE"
        " later.kind = b.kind AND later.collected_at > b.collected_at AND (b.kind = 'wave' "
        f"AND later.state = 'published' OR {LATER_LIST})) AS replaced_by "
        "FROM collection_batch AS b WHERE batch_id = :id",
        id=batch_id,
    )
    return rows[0] if rows else None


def held_batches(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Batches that a blocking rule stops and nothing has replaced, oldest first.

    Each with batch_id, kind, newest_date, held_because.

    A later wave that was judged replaces a wave, a later published history of one of its
    funds a history, a later refused list of the same year a list of events.
    """
    return warehouse.rows(
        f"""
        SELECT batch_id, kind, newest_date, held_because FROM collection_batch AS b
        WHERE state = 'held' AND NOT {IS_REJECTED} AND NOT EXISTS (
            SELECT 1 FROM collection_batch AS later
            WHERE later.kind = b.kind AND later.collected_at > b.collected_at
              AND (b.kind = 'wave' AND later.state <> 'landed' OR {LATER_LIST}
                OR later.state = 'published' AND EXISTS (
                SELECT 1 FROM fund_nav WHERE batch_id = later.batch_id AND fund_code IN (
                    SELECT fund_code FROM fund_nav WHERE batch_id = b.batch_id
                )
              ))
        )
        ORDER BY collected_at, batch_id
        """
    )


def newest_wave_waits(warehouse: Warehouse) -> bool:
    """Whether the newest wave has landed and waits for the rules."""
    newest = warehouse.text(
        "SELECT state FROM collection_batch WHERE kind = 'wave' "
        "ORDER BY collected_at DESC, batch_id LIMIT 1"
    )
    return newest == "landed"


def accepted_on(warehouse: Warehouse, nav_date: int) -> pd.DataFrame:
    """The accepted figures of a date (yyyymmdd) of listed funds, with the kind of each."""
    import pandas as pd

    names = ["fund_code", "kind", *OBSERVED_NAMES]
    rows = warehouse.rows(
        f"SELECT fund_code, i.kind, {', '.join(f'v.{name}' for name in OBSERVED_NAMES)} "
        "FROM validated_nav AS v JOIN fund_info AS i USING (fund_code) "
        "WHERE v.nav_date = :nav_date AND i.status = 'listed' ORDER BY fund_code",
        nav_date=nav_date,
    )
    return pd.DataFrame(rows, columns=names).astype(dict.fromkeys(OBSERVED_NAMES, "float64"))


def rows_of_newest_wave(warehouse: Warehouse) -> dict[str, int]:
    """Endpoint → rows of its answer, in the wave that was published last."""
    payloads = warehouse.text(
        "SELECT payloads FROM collection_batch WHERE kind = 'wave' AND state = 'published' "
        "ORDER BY collected_at DESC LIMIT 1"
    )
    return {p["endpoint"]: int(p["rows"]) for p in json.loads(payloads or "[]")}


def newest_rows(warehouse: Warehouse, table: Table) -> pd.DataFrame:
    """The rows of a table that were written last, judged by the first column of its key.

    The whole table when its key begins with the fund.
    """
    first = table.primary_key[0]
    sql = f"SELECT * FROM {table.name}"
    if first == "fund_code":
        return warehouse.frame(sql, table)
    newest = (
        "SELECT batch_id FROM collection_batch ORDER BY collected_at DESC, batch_id LIMIT 1"
        if first == "batch_id"
        else f"SELECT MAX({first}) FROM {table.name}"
    )
    return warehouse.frame(f"{sql} WHERE {first} = ({newest})", table)
