"""How far the newest dates have arrived after a wave, and which groups lag behind.

Belongs here: when it is counted, and what it is compared with. Does not belong here: counting
(`warehouse/queries/coverage.py`), what is usual (`nav/arrivals.py`).
"""

from collections import defaultdict

from fund_assets.calendar import TradingCalendar, from_key, to_key
from fund_assets.nav.arrivals import (
    ALL,
    KEPT_SESSIONS,
    LATEST,
    Below,
    Look,
    below_band,
    is_waited_for,
    peers_of,
)
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import arrivals as arrival_queries
from fund_assets.warehouse.queries import coverage as coverage_queries
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.stores import arrivals as arrival_store


def count_arrivals(warehouse: Warehouse, calendar: TradingCalendar) -> int:
    """Count the newest dates, once for each wave that was published; returns rows written.

    While a batch waits to be published, by this process or another, nothing is counted: whoever
    publishes the last one counts.
    """
    if status_queries.waiting_batches(warehouse):
        return 0
    newest = status_queries.newest_published(warehouse)
    waves = status_queries.published_waves(warehouse, newest) if newest else []
    if newest is None or not waves or waves[-1] <= arrival_queries.last_looked_at(warehouse):
        return 0
    day = from_key(newest)
    found = []
    for ago in range(LATEST + 1):
        nav_date = to_key(calendar.before(day, ago))
        groups: dict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
        for row in coverage_queries.published_by_type(warehouse, nav_date):
            names = [peers_of(row.kind, row.fund_type)] if is_waited_for(row.kind, ago) else []
            for name in [*names, ALL]:
                published, due = groups[name]
                groups[name] = (published + row.published, due + row.due)
        found += [
            Look(nav_date, waves[-1], ago, name, published, due)
            for name, (published, due) in groups.items()
        ]
    oldest = to_key(calendar.before(day, KEPT_SESSIONS))
    return arrival_store.write_looks(warehouse, found, oldest)


def lagging(warehouse: Warehouse) -> tuple[int, list[Below]]:
    """How many groups of the newest wave were compared, and which lie below their band."""
    return below_band(arrival_queries.looks(warehouse, 0))
