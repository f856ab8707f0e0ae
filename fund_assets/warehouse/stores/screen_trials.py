"""Which screens of a user were walked: each that is tried counts.

Belongs here: reads and writes of screen_trial. Does not belong here: walking.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fund_assets.schemas.tables import SCREEN_TRIAL
from fund_assets.warehouse.engine.diff_writes import upsert
from fund_assets.warehouse.engine.transactions import retried
from fund_assets.warehouse.warehouse import Warehouse


def tried_screens(warehouse: Warehouse) -> list[str]:
    """All screens that were walked, as they were written."""
    return warehouse.column(
        str, "SELECT conditions FROM screen_trial ORDER BY first_tried_at, conditions"
    )


@retried
def note_trials(
    warehouse: Warehouse, sums: Sequence[Mapping[str, Any]], tried: Sequence[str], now: int
) -> None:
    """Remember that screens were walked.

    Args:
        sums: of `metrics.walk_forward.summed`, of the screens that had picks.
        tried: all screens that were walked.
        now: yyyymmddhhmmss.
    """
    known = {row["screen"]: row for row in sums}
    with warehouse.transaction(writes=True) as connection:
        first = warehouse.mapping(
            str, int, "SELECT conditions, first_tried_at FROM screen_trial"
        )
        rows = [
            {
                "conditions": screen,
                "first_tried_at": first.get(screen, now),
                "tried_at": now,
                "quarters": known.get(screen, {}).get("quarters", 0),
                "excess": known.get(screen, {}).get("excess"),
                "chance": known.get(screen, {}).get("chance"),
            }
            for screen in tried
        ]
        upsert(connection, SCREEN_TRIAL, SCREEN_TRIAL.conform(pd.DataFrame(rows)))
