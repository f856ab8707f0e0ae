"""What a wave's counts say of the check `arrival_band`."""

import dagster as dg

from fund_assets.checks.catalog import ARRIVALS_USUAL
from fund_assets.checks.results import check_result
from fund_assets.nav.arrivals import Below


def arrival_result(compared: int, below: list[Below]) -> dg.AssetCheckResult:
    """Which types have published less than is usual at this time of the evening.

    Args:
        compared: types and dates that have a band.
    """
    worst = sorted(below, key=lambda one: one.look.share - one.band.lowest)
    return check_result(ARRIVALS_USUAL, looked_at=compared, cases=[one.words for one in worst])
