"""What a round of histories says of the checks of `fund_nav` and `nav_history`.

Does not belong here: fetching or landing histories (`pipeline/nav_history.py`).
"""

from collections.abc import Sequence

import dagster as dg

from fund_assets.checks.catalog import (
    HISTORY_KEPT,
    HISTORY_VARIABLES,
    OWN_DECODER,
    REPORTS_SOUND,
)
from fund_assets.checks.results import check_result
from fund_assets.pipeline.nav_history import HistoryReport
from fund_assets.sources.protocol import Payload


def history_results(
    report: HistoryReport, more: Sequence[Payload] = ()
) -> list[dg.AssetCheckResult]:
    """No history lost something (R18); every answer was understood, no part of it is new (R01).

    A variable that nothing is declared of is one case, however many funds have it.

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
        check_result(
            HISTORY_VARIABLES,
            looked_at=report.done,
            cases=[_new_variable(name, codes) for name, codes in report.unknown.items()],
        ),
        check_result(REPORTS_SOUND, looked_at=report.done, cases=report.reports),
    ]


def _new_variable(name: str, codes: Sequence[str]) -> str:
    more = f" and {len(codes) - 1} more" if len(codes) > 1 else ""
    return f"{name}: unknown variable, of fund {codes[0]}{more}"
