"""What a round of histories says of the checks of `fund_nav` and `nav_history`.

Does not belong here: fetching or landing histories (`pipeline/nav_history.py`).
"""

from collections.abc import Sequence

import dagster as dg

from fund_assets.checks.catalog import HISTORY_KEPT, OWN_DECODER
from fund_assets.checks.results import check_result
from fund_assets.pipeline.nav_history import HistoryReport
from fund_assets.sources.protocol import Payload


def history_results(
    report: HistoryReport, more: Sequence[Payload] = ()
) -> list[dg.AssetCheckResult]:
    """No history lost something (R18); the strict decoder understood every answer (R01).

    Args:
        more: answers beside those of the histories.
    """
    others = [p.fallback_because for p in more if p.fallback_because]
    return [
        check_result(HISTORY_KEPT, looked_at=report.done, cases=list(report.refused.values())),
        check_result(
            OWN_DECODER,
            looked_at=report.done + len(more),
            cases=others + report.fallbacks + report.defects,
        ),
    ]
