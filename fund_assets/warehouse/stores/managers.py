"""Pages of managers: whose is owed, and writing what they say.

Does not belong here: what changes (`nav/reports.py`), which are owed (`nav/managers.py`), reads
for people (`queries/managers.py`).
"""

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from fund_assets.nav.managers import BETWEEN, Term, owed, statement
from fund_assets.schemas.tables import FUND_MANAGER_PAGE
from fund_assets.warehouse.engine.diff_writes import upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.stores.reports import ReportWrite
from fund_assets.warehouse.warehouse import Warehouse


def due(warehouse: Warehouse, before: date) -> list[str]:
    """Listed funds whose page is owed, those never seen first; see `nav.managers.owed`."""
    now: dict[str, set[str]] = {}
    for code, number in warehouse.tuples(
        "SELECT m.fund_code, m.manager_id FROM fund_manager AS m "
        "JOIN fund_info AS f ON f.fund_code = m.fund_code "
        "WHERE m.superseded_at IS NULL AND f.status = 'listed' AND f.name NOT LIKE '%后端%'"
    ):
        now.setdefault(code, set()).add(number)
    running = warehouse.mapping(
        str,
        str,
        "SELECT fund_code, manager_ids FROM fund_manager_term "
        "WHERE superseded_at IS NULL AND until IS NULL",
    )
    seen = warehouse.mapping(str, int, "SELECT fund_code, seen_on FROM fund_manager_page")
    return owed(
        {code: frozenset(numbers) for code, numbers in now.items()},
        {code: frozenset(ids.split(BETWEEN)) for code, ids in running.items()},
        seen,
        before,
    )


@retried
def write(
    warehouse: Warehouse, pages: Mapping[str, Sequence[Term]], day: int, seen_at: int
) -> int:
    """Store what some pages say and that they were seen; returns how many say another thing.

    Args:
        day, seen_at: when they were seen, yyyymmdd and yyyymmddhhmmss.
    """
    if not pages:
        return 0
    reports = ReportWrite({code: [statement(of)] for code, of in pages.items() if of}, seen_at)
    rows = [{"fund_code": code, "seen_on": day, "terms": len(of)} for code, of in pages.items()]
    with warehouse.transaction(writes=True) as connection:
        reports(warehouse, connection)
        upsert(connection, FUND_MANAGER_PAGE, FUND_MANAGER_PAGE.conform(pd.DataFrame(rows)))
    return len(reports.changed)
