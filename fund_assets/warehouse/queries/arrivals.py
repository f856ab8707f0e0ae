"""How the NAVs of the last dates arrived, wave by wave: the reads of `arrival`.

Does not belong here: what is usual (`nav/arrivals.py`), writing (`stores/arrivals.py`).
"""

from fund_assets.nav.arrivals import Look
from fund_assets.warehouse.warehouse import Warehouse


def looks(warehouse: Warehouse, since: int, peers: str = "") -> list[Look]:
    """The stored looks at dates from one (yyyymmdd) on, by date, wave and group.

    Args:
        peers: of this group alone.
    """
    return warehouse.records(
        Look,
        "SELECT nav_date, looked_at, sessions_ago AS ago, peers, published, due FROM arrival "
        "WHERE nav_date >= :since AND (:peers = '' OR peers = :peers) "
        "ORDER BY nav_date, looked_at, peers",
        since=since,
        peers=peers,
    )


def last_looked_at(warehouse: Warehouse) -> int:
    """When the newest wave that was counted had been collected; 0: none was."""
    return warehouse.number("SELECT MAX(looked_at) FROM arrival") or 0
