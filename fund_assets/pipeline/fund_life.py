"""The states of all share classes, as of the newest published date.

A part of the metrics step, which comes after every change of the accepted history.
"""

from datetime import timedelta

from fund_assets.calendar import TradingCalendar, from_key, to_key
from fund_assets.nav.lateness import allowed_silence
from fund_assets.nav.life import Today, life_of
from fund_assets.nav.transitions import transition
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import life as queries
from fund_assets.warehouse.queries.cadence import stored_cadence
from fund_assets.warehouse.stores import life as store

#: Breaks that ended so long ago, or later, are looked at: were they filled, or transitions?
LOOKED_BACK = timedelta(days=365)


def renew_life(warehouse: Warehouse, on: int, calendar: TradingCalendar) -> int:
    """Conclude and store the state of every class, and the transitions.

    Args:
        on: yyyymmdd, the newest published date of the market.

    Returns:
        How many spells are new, changed or gone.
    """
    today = Today(on, calendar.sessions)
    since = to_key(from_key(on) - LOOKED_BACK)
    told = store.read_spells(warehouse)
    filled = store.filled_silences(warehouse, since)
    lives = {}
    funds = store.read_facts(warehouse)
    allowed = allowed_silence(funds, stored_cadence(warehouse), today)
    for fund, sessions in zip(funds, allowed, strict=True):
        code = fund.fund_code
        before = told.get(code, [])
        known = [spell for spell in before if (code, spell.since) not in filled]
        if (spells := life_of(fund, known, today, sessions)) != before:
            lives[code] = spells
    written = store.write_spells(warehouse, lives, told)
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
