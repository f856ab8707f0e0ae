"""Recorded and inferred events: what is stored, and what the rules want to know of them.

Belongs here: reads for the step that refreshes events, and for looking at a fund. Does not
belong here: writing them with a batch (`landing.py`), with a plan (`publish.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fund_assets.schemas.tables import VALIDATED_NAV, WAREHOUSE_META
from fund_assets.warehouse.engine.diff_writes import upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.queries.status import LISTS_ASKED_ON
from fund_assets.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

DESCRIBED = {
    "fund_code": "str",
    "ex_date": "int32",
    "kind": "str",
    "value": "float64",
    "history_value": "float64",
    "list_value": "float64",
    "unit_nav_before": "float64",
    "nav_missing": "bool",
}


#: Events of a year that its list must tell: what it told of a fund that is gone stays.
OF_LIST = """list_value IS NOT NULL
    AND ex_date BETWEEN :year * 10000 AND :year * 10000 + 9999
    AND fund_code NOT IN (SELECT fund_code FROM fund_info WHERE status = 'delisted')"""


def listed_counts(warehouse: Warehouse, year: int) -> dict[str, int]:
    """Kind → events of a year that are stored from the market's list, of funds that go on."""
    return warehouse.mapping(
        str,
        int,
        f"SELECT kind, COUNT(*) FROM fund_events WHERE {OF_LIST} GROUP BY kind",
        year=year,
    )


class _Count(NamedTuple):
    status: str
    kind: str
    n: int


def counts(warehouse: Warehouse) -> dict[str, int]:
    """`<status>_<kind>s` → how many are stored."""
    rows = warehouse.records(
        _Count, "SELECT status, kind, COUNT(*) AS n FROM fund_events GROUP BY status, kind"
    )
    return {f"{row.status}_{row.kind}s": row.n for row in rows}


def recorded_since(warehouse: Warehouse, since: int, due: int) -> pd.DataFrame:
    """Recorded events from an ex-date on (yyyymmdd), with the NAVs around them.

    Args:
        due: events up to this date should have a NAV on or after it by now.

    Returns:
        Columns of DESCRIBED; unit_nav_before is NaN where no NAV is stored before;
        nav_missing only of funds with NAVs before the event.
    """
    rows = warehouse.rows(
        """
        SELECT e.fund_code, e.ex_date, e.kind, e.value, e.history_value, e.list_value,
               (SELECT n.unit_nav FROM validated_nav AS n
                WHERE n.fund_code = e.fund_code AND n.nav_date < e.ex_date
                ORDER BY n.nav_date DESC LIMIT 1) AS unit_nav_before,
               e.ex_date <= :due AND EXISTS (
                   SELECT 1 FROM validated_nav AS n
                   WHERE n.fund_code = e.fund_code AND n.nav_date < e.ex_date
               ) AND NOT EXISTS (
                   SELECT 1 FROM validated_nav AS n
                   WHERE n.fund_code = e.fund_code AND n.nav_date >= e.ex_date
               ) AS nav_missing
        FROM fund_events AS e WHERE e.status = 'recorded' AND e.ex_date >= :since
        ORDER BY e.fund_code, e.ex_date, e.kind
        """,
        since=since,
        due=due,
    )
    import pandas as pd

    return pd.DataFrame(rows, columns=list(DESCRIBED)).astype(DESCRIBED)


def of_fund(warehouse: Warehouse, fund_code: str, since: int = 0) -> list[dict[str, Any]]:
    """The events of a fund from an ex-date on, oldest first: the columns of FUND_EVENTS."""
    return warehouse.rows(
        "SELECT * FROM fund_events WHERE fund_code = :code AND ex_date >= :since "
        "ORDER BY ex_date, kind",
        code=fund_code,
        since=since,
    )


def navs_of(warehouse: Warehouse, fund_codes: Sequence[str]) -> pd.DataFrame:
    """fund_code, nav_date, unit_nav and acc_nav of all accepted rows of some few funds."""
    marks = {f"code{n}": code for n, code in enumerate(fund_codes)}
    names = ["fund_code", "nav_date", "unit_nav", "acc_nav"]
    if not marks:
        return VALIDATED_NAV.empty()[names]
    part = VALIDATED_NAV.part(names)
    return warehouse.frame(
        f"SELECT {', '.join(names)} FROM validated_nav WHERE fund_code IN "
        f"({', '.join(f':{name}' for name in marks)}) ORDER BY fund_code, nav_date",
        part,
        **marks,
    )


@retried
def set_asked_on(warehouse: Warehouse, today: int) -> None:
    """Remember that the market's lists were had today."""
    import pandas as pd

    row = pd.DataFrame({"property": [LISTS_ASKED_ON], "value": [str(today)]})
    with warehouse.transaction(writes=True) as connection:
        upsert(connection, WAREHOUSE_META, row)
