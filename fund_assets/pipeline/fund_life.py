"""The states of all share classes, as of the newest published date.

A part of the metrics step, which comes after every change of the accepted history.
"""

from datetime import timedelta

from fund_assets.calendar import TradingCalendar, from_key, to_key
from fund_assets.nav.life import Today, life_of
from fund_assets.nav.transitions import transition
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import life as queries
from fund_assets.warehouse.stores import life as store

#: Transitions are looked for at breaks that ended so long ago, or later.
LOOKED_BACK = timedelta(days=365)


def renew_life(warehouse: Warehouse, on: int, calendar: TradingCalendar) -> int:
    """Conclude and store the state of every class, and the transitions.

    Args:
        on: yyyymmdd, the newest published date of the market.

    Returns:
        How many spells are new, changed or gone.
    """
    today = Today(on, calendar.sessions)
    told = store.read_spells(warehouse)
    lives = {}
    for fund in store.read_facts(warehouse):
        before = told.get(fund.fund_code, [])
        if (spells := life_of(fund, before, today)) != before:
            lives[fund.fund_code] = spells
    written = store.write_spells(warehouse, lives, told)
    since = to_key(from_key(on) - LOOKED_BACK)
    renamed = store.renamed_around_breaks(warehouse, since)
    store.write_changes(
        warehouse,
        [
            found
            for code, changes in renamed.items()
            for found in transition(changes, queries.spells_of(warehouse, code))
        ],
    )
    return written
