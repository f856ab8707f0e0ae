"""How often funds publish, as it was learned and stored: the read of `fund_cadence`.

Does not belong here: learning it (`nav/cadence.py`), who is due of it on a date (`status.py`).
"""

import numpy as np

from fund_assets.nav.cadence import Cadence
from fund_assets.schemas.tables import WEEKDAYS
from fund_assets.warehouse.warehouse import Warehouse


def stored_cadence(warehouse: Warehouse) -> Cadence:
    """The cadence of every fund of which it is known, by code."""
    due = ", ".join(f"due_{day}" for day in WEEKDAYS)
    rows = warehouse.tuples(
        f"SELECT fund_code, usual_step, {due} FROM fund_cadence ORDER BY fund_code"
    )
    return Cadence(
        [row[0] for row in rows],
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2:] for row in rows], dtype=float).reshape(-1, len(WEEKDAYS)),
    )
