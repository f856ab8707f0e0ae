"""States and changes of share classes: what is known of each, and writing what is concluded.

Belongs here: reads and writes of fund_state and fund_change. Does not belong here: conclusions
(`nav/life.py`, `nav/transitions.py`), reads for people (`queries/life.py`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from sys import intern

import pandas as pd

from fund_assets.nav.life import SILENT, Facts, Spell
from fund_assets.nav.transitions import Change
from fund_assets.schemas.tables import FUND_CHANGE, FUND_STATE
from fund_assets.warehouse.engine.diff_writes import delete, upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.queries.life import words
from fund_assets.warehouse.warehouse import Warehouse

#: No date at which a spell ends.
_ABSENT = -1


def read_facts(warehouse: Warehouse) -> list[Facts]:
    """What is known of every share class, by code."""
    nav = "SELECT {} FROM validated_nav AS v WHERE v.fund_code = i.fund_code"
    around = (
        "CASE WHEN s.fund_code IS NULL THEN 0 ELSE COALESCE((SELECT {}(v.nav_date) FROM "
        "validated_nav AS v WHERE v.fund_code = i.fund_code AND v.nav_date {} s.since), 0) END"
    )
    # Each is a look at the index by fund and date: no row of the accepted history is read.
    return warehouse.records(
        Facts,
        "SELECT i.fund_code AS fund_code, i.name AS name, i.fund_type AS fund_type, "
        "i.kind AS kind, i.status AS status, i.first_seen_on AS first_seen_on, "
        "i.last_seen_on AS last_seen_on, "
        f"COALESCE(({nav.format('MIN(v.nav_date)')}), 0) AS first_nav, "
        f"COALESCE(({nav.format('MAX(v.nav_date)')}), 0) AS last_nav, "
        "COALESCE(c.usual_step, 0) AS usual_step, "
        f"{around.format('MAX', '<')} AS paused, {around.format('MIN', '>=')} AS resumed "
        "FROM fund_info AS i "
        "LEFT JOIN fund_cadence AS c ON c.fund_code = i.fund_code "
        "LEFT JOIN fund_state AS s ON s.fund_code = i.fund_code AND s.until IS NULL "
        f"AND s.state IN ({words(SILENT)}) ORDER BY i.fund_code",
    )


def read_spells(warehouse: Warehouse) -> dict[str, list[Spell]]:
    """The stored spells of every share class, ascending, without their evidence.

    Evidence is most of the table, and nothing is concluded from it.
    """
    rows = warehouse.tuples(
        "SELECT fund_code, since, until, state FROM fund_state ORDER BY fund_code, since"
    )
    found: dict[str, list[Spell]] = defaultdict(list)
    for code, since, until, state in rows:
        found[code].append(Spell(since, until, intern(state), ""))
    return found


def filled_silences(warehouse: Warehouse, since: int) -> set[tuple[str, int]]:
    """fund_code and `since` of stored silent spells in which there are NAVs by now.

    The fund was not silent: its NAVs were collected later.

    Args:
        since: yyyymmdd; spells that ended before are left out.
    """
    rows = warehouse.tuples(
        f"SELECT s.fund_code, s.since FROM fund_state AS s WHERE s.state IN ({words(SILENT)}) "
        "AND s.until >= :since AND EXISTS (SELECT 1 FROM validated_nav AS v "
        "WHERE v.fund_code = s.fund_code AND v.nav_date >= s.since AND v.nav_date < s.until)",
        since=since,
    )
    return {(code, begun) for code, begun in rows}


@retried
def write_spells(
    warehouse: Warehouse,
    lives: Mapping[str, Sequence[Spell]],
    told: Mapping[str, Sequence[Spell]],
) -> int:
    """Replace the spells of some classes by those that are known now.

    Args:
        lives: of the classes that differ.
        told: what is stored of them, as `read_spells` gives it.

    Returns:
        How many spells are new, changed or gone.
    """
    stored = {code: {(s.since, s.state): s.until for s in told.get(code, ())} for code in lives}
    begun, ended = [], []
    for code, spells in lives.items():
        for spell in spells:
            until = stored[code].get((spell.since, spell.state), _ABSENT)
            if until == _ABSENT:
                begun.append((code, *spell))
            elif until != spell.until:
                ended.append((code, *spell))
    since = {code: {spell.since for spell in spells} for code, spells in lives.items()}
    gone = [
        {"fund_code": code, "since": spell.since}
        for code in lives
        for spell in told.get(code, ())
        if spell.since not in since[code]
    ]
    with warehouse.transaction(writes=True) as connection:
        delete(connection, FUND_STATE, pd.DataFrame(gone))
        upsert(connection, FUND_STATE, _frame(begun))
        upsert(connection, FUND_STATE, _frame(ended), keep=("evidence",))
    return len(begun) + len(ended) + len(gone)


def _frame(rows: Sequence[tuple[str | int | None, ...]]) -> pd.DataFrame:
    return FUND_STATE.conform(pd.DataFrame(rows, columns=FUND_STATE.names))


def renamed_around_breaks(warehouse: Warehouse, since: int) -> dict[str, list[Change]]:
    """New names and types of the classes whose NAVs came back after a break.

    Args:
        since: yyyymmdd; breaks that ended before are left out.
    """
    rows = warehouse.records(
        Change,
        "SELECT fund_code, seen_on, what, old, new, evidence FROM fund_change "
        "WHERE what IN ('name', 'type') AND fund_code IN (SELECT s.fund_code FROM fund_state "
        f"AS s WHERE s.state IN ({words(SILENT)}) AND s.until >= :since) "
        "ORDER BY fund_code, seen_on, what",
        since=since,
    )
    found: dict[str, list[Change]] = defaultdict(list)
    for change in rows:
        found[change.fund_code].append(change)
    return found


@retried
def write_changes(warehouse: Warehouse, changes: Iterable[Change]) -> int:
    """Store changes; returns how many are new or differ."""
    frame = FUND_CHANGE.conform(pd.DataFrame(changes, columns=FUND_CHANGE.names))
    with warehouse.transaction(writes=True) as connection:
        return upsert(connection, FUND_CHANGE, frame)
