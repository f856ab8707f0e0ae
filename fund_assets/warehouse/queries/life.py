"""The lives of funds: which have ended, how many are in which state, and one fund's whole life.

Belongs here: reads of fund_state and fund_change for steps, pages and people. Does not belong
here: conclusions (`nav/life.py`), writing (`stores/life.py`).
"""

from collections.abc import Collection

from fund_assets.nav.life import DEAD, Spell
from fund_assets.nav.transitions import Change
from fund_assets.warehouse.warehouse import Warehouse


def words(states: Collection[str]) -> str:
    """States as an SQL list."""
    return ", ".join(f"'{state}'" for state in sorted(states))


#: The spells of a date.
_HOLDS = "since <= :on AND (until IS NULL OR until > :on)"


def dead_codes(warehouse: Warehouse, on: int) -> frozenset[str]:
    """The share classes that had ended on a date (yyyymmdd), or never began.

    Nobody is to be warned of their silence; in past peer groups they keep their places.
    """
    found = warehouse.column(
        str,
        f"SELECT fund_code FROM fund_state WHERE state IN ({words(DEAD)}) AND {_HOLDS}",
        on=on,
    )
    return frozenset(found)


def state_counts(warehouse: Warehouse, on: int) -> dict[str, int]:
    """State → how many share classes were in it on a date (yyyymmdd)."""
    return warehouse.mapping(
        str,
        int,
        f"SELECT state, COUNT(*) FROM fund_state WHERE {_HOLDS} GROUP BY state ORDER BY state",
        on=on,
    )


def change_counts(warehouse: Warehouse, first: int, last: int) -> dict[str, int]:
    """Kind of change → how many share classes had one between two dates, both included."""
    return warehouse.mapping(
        str,
        int,
        "SELECT what, COUNT(DISTINCT fund_code) FROM fund_change "
        "WHERE seen_on BETWEEN :first AND :last GROUP BY what ORDER BY what",
        first=first,
        last=last,
    )


def spells_of(warehouse: Warehouse, code: str) -> list[Spell]:
    """The states of one share class, ascending."""
    return warehouse.records(
        Spell,
        "SELECT since, until, state, evidence FROM fund_state WHERE fund_code = :code "
        "ORDER BY since",
        code=code,
    )


def changes_of(warehouse: Warehouse, code: str) -> list[Change]:
    """What changed in one share class, ascending."""
    return warehouse.records(
        Change,
        "SELECT fund_code, seen_on, what, old, new, evidence FROM fund_change "
        "WHERE fund_code = :code ORDER BY seen_on, what",
        code=code,
    )
