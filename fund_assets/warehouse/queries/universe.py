"""What is stored of the classes that ever lived: NAV dates, ends, lists.

Belongs here: the one read for `nav/universe.py`. Does not belong here: conclusions.
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from fund_assets.calendar import keys_to_days
from fund_assets.nav.life import DEAD
from fund_assets.nav.universe import NEVER, Evidence
from fund_assets.schemas.portfolios import BACK_END
from fund_assets.warehouse.warehouse import Warehouse

#: States of a class that has no NAV, so that no history of it is missing.
_WITHOUT_NAV = ("not_yet_open", "never_reported")


def read_evidence(warehouse: Warehouse) -> Evidence:
    """What is stored of every class that is known, one that no list of the market had too."""
    nav = "SELECT {}(v.nav_date) FROM validated_nav AS v WHERE v.fund_code = i.fund_code"
    # Each is a look at the index by fund and date, as in `stores.life.read_facts`.
    rows = warehouse.tuples(
        "SELECT i.fund_code, i.name, i.status, i.first_seen_on, i.last_seen_on, "
        f"({nav.format('MIN')}), ({nav.format('MAX')}), s.state, p.state "
        "FROM fund_info AS i "
        "LEFT JOIN fund_state AS s ON s.fund_code = i.fund_code AND s.until IS NULL "
        "LEFT JOIN history_progress AS p ON p.fund_code = i.fund_code ORDER BY i.fund_code"
    )
    unlisted = warehouse.tuples(
        "SELECT fund_code, MIN(day), MAX(day) FROM (SELECT fund_code, list_date AS day "
        "FROM past_list UNION ALL SELECT fund_code, ex_date AS day FROM fund_events) AS seen "
        "WHERE NOT EXISTS (SELECT 1 FROM fund_info AS i WHERE i.fund_code = seen.fund_code) "
        "GROUP BY fund_code ORDER BY fund_code"
    )
    lists: dict[int, set[str]] = defaultdict(set)
    for day, code in warehouse.tuples("SELECT list_date, fund_code FROM past_list"):
        lists[day].add(code)
    known = len(rows)
    columns = list(zip(*rows, strict=True)) or [()] * 9
    more = list(zip(*unlisted, strict=True)) or [()] * 3
    codes, names, statuses, seen, left, first, last, states, progress = columns
    listed = [day for day, status in zip(left, statuses, strict=True) if status == "listed"]
    none = (None,) * len(unlisted)
    return Evidence(
        codes=np.array([*codes, *more[0]], dtype="<U6"),
        first=_days([*first, *none], NEVER),
        last=_days([*last, *none], -NEVER),
        ended=np.array(
            [
                s in DEAD or status == "delisted"
                for s, status in zip(states, statuses, strict=True)
            ]
            + [True] * len(unlisted),
            dtype=np.bool_,
        ),
        whole=np.array(
            [
                answer in ("stored", "nothing") or BACK_END in name or state in _WITHOUT_NAV
                for answer, name, state in zip(progress, names, states, strict=True)
            ]
            + [False] * len(unlisted),
            dtype=np.bool_,
        ),
        seen=_days([*seen, *more[1]], NEVER),
        left=_days([*left, *more[2]], -NEVER),
        absent=np.arange(known + len(unlisted)) >= known,
        lists={_day(key): frozenset(members) for key, members in lists.items()},
        since=_day(min(seen)) if seen else None,
        newest=_day(max(listed)) if listed else None,
    )


def _day(key: int) -> int:
    return int(keys_to_days(np.array([key]))[0])


def _days(keys: list[int | None], absent: int) -> NDArray[np.int64]:
    """Dates yyyymmdd as days; `absent` where there is none."""
    there = np.array([key is not None for key in keys], dtype=np.bool_)
    found = np.full(len(keys), absent, dtype=np.int64)
    found[there] = keys_to_days(
        np.array([key for key in keys if key is not None], dtype=np.int64)
    )
    return found
