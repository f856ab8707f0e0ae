"""What the comparison with the source's own returns says of the check `agrees_with_source`."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from fund_assets.checks.catalog import AGREES_WITH_SOURCE
from fund_assets.checks.results import check_result


def agreement_result(
    counts: Mapping[str, int], unexplained: Sequence[Mapping[str, Any]]
) -> dg.AssetCheckResult:
    """Which returns of the source are not ours, of the newest history of each class.

    Args:
        counts: verdict → how many returns.
        unexplained: the greatest differences without an explanation.
    """
    return check_result(
        AGREES_WITH_SOURCE,
        looked_at=sum(counts.values()) - counts.get("not_compared", 0),
        failed=counts.get("unrecorded_dividend", 0) + counts.get("unknown", 0),
        cases=[
            f"{row['fund_code']} {row['window']} until {row['nav_date']}: the source has "
            f"{row['theirs']:.2f} %, ours is {row['ours']:.2f} %: {row['evidence']}"
            for row in unexplained
        ],
        told=dict(counts),
    )
