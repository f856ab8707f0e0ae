"""What a wave's status cells say of the check `status_cells_known`."""

import dagster as dg
import pandas as pd

from fund_assets.checks.catalog import STATUS_CELLS_KNOWN
from fund_assets.checks.results import check_result
from fund_assets.nav.statuses import odd_cells


def status_result(seen: pd.DataFrame | None) -> dg.AssetCheckResult:
    """Which words and fees of a wave are unknown; None: no statuses were collected."""
    if seen is None:
        return check_result(STATUS_CELLS_KNOWN, looked_at=0)
    return check_result(STATUS_CELLS_KNOWN, looked_at=len(seen), cases=odd_cells(seen))
