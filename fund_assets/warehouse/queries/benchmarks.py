"""What funds say they are measured against, for people and checks.

Belongs here: reads. Does not belong here: writing (`warehouse/stores/benchmarks.py`).
"""

from collections import Counter
from typing import Any

from fund_assets.warehouse.warehouse import Warehouse

#: The row of each fund that holds now.
_NOW = (
    "first_seen_on = (SELECT MAX(n.first_seen_on) FROM fund_benchmark AS n "
    "WHERE n.fund_code = b.fund_code)"
)


def benchmark_of(warehouse: Warehouse, fund_code: str) -> dict[str, Any] | None:
    """The row of a fund that holds now, with its `parts` in order; None: it was not asked."""
    rows = warehouse.rows(
        "SELECT * FROM fund_benchmark WHERE fund_code = :code "
        "ORDER BY first_seen_on DESC LIMIT 1",
        code=fund_code,
    )
    if not rows:
        return None
    parts = warehouse.rows(
        "SELECT * FROM fund_benchmark_part WHERE fund_code = :code AND first_seen_on = :day "
        "ORDER BY part",
        code=fund_code,
        day=rows[0]["first_seen_on"],
    )
    return {**rows[0], "parts": parts}


def states(warehouse: Warehouse) -> dict[str, int]:
    """Status → how many funds have it now; `undisclosed` are those without a text."""
    return warehouse.mapping(
        str,
        int,
        "SELECT CASE WHEN b.status = 'unknown' AND b.not_understood = '' THEN 'undisclosed' "
        f"ELSE b.status END AS state, COUNT(*) AS n FROM fund_benchmark AS b WHERE {_NOW} "
        "GROUP BY CASE WHEN b.status = 'unknown' AND b.not_understood = '' THEN 'undisclosed' "
        "ELSE b.status END ORDER BY 1",
    )


def not_understood(warehouse: Warehouse) -> Counter[str]:
    """What was not understood of the texts that hold now → in how many funds it stands."""
    texts = warehouse.mapping(
        str,
        int,
        "SELECT b.not_understood, COUNT(*) AS n FROM fund_benchmark AS b "
        f"WHERE b.not_understood <> '' AND {_NOW} GROUP BY b.not_understood",
    )
    found: Counter[str] = Counter()
    for text, funds in texts.items():
        for part in text.split("; "):
            found[part] += funds
    return found
