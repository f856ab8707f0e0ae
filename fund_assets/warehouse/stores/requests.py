"""The account of requests to the source, by day: what its monitoring reads in another process.

Belongs here: adding to it and summing it up. Does not belong here: counting (`sources/`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from fund_assets.schemas.tables import SOURCE_REQUEST
from fund_assets.transport.request_counts import RequestCount
from fund_assets.warehouse.engine.diff_writes import upsert
from fund_assets.warehouse.warehouse import Warehouse


def add_requests(
    warehouse: Warehouse, source: str, day: int, counts: Iterable[RequestCount]
) -> None:
    """Add what a process counted to the account of a day (yyyymmdd)."""
    import pandas as pd

    with warehouse.transaction(writes=True) as connection:
        known = connection.execute(
            sa.text(
                "SELECT endpoint, outcome, requests, seconds, slowest_s FROM source_request "
                "WHERE source = :source AND day = :day"
            ),
            {"source": source, "day": day},
        )
        before = {(row.endpoint, row.outcome): row for row in known}
        rows = []
        for new in counts:
            old = before.get((new.endpoint, new.outcome))
            rows.append(
                {
                    "day": day,
                    "source": source,
                    "endpoint": new.endpoint,
                    "outcome": new.outcome,
                    "requests": new.requests + (old.requests if old else 0),
                    "seconds": new.seconds + (old.seconds if old else 0.0),
                    "slowest_s": max(new.slowest_s, old.slowest_s if old else 0.0),
                }
            )
        upsert(connection, SOURCE_REQUEST, pd.DataFrame(rows, columns=SOURCE_REQUEST.names))


def requests_since(warehouse: Warehouse, day: int = 0) -> list[dict[str, Any]]:
    """Requests from a day (yyyymmdd) on: source, outcome, requests, seconds; all by default."""
    return warehouse.rows(
        "SELECT source, outcome, SUM(requests) AS requests, SUM(seconds) AS seconds "
        "FROM source_request WHERE day >= :day GROUP BY source, outcome "
        "ORDER BY source, outcome",
        day=day,
    )
