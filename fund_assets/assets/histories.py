"""What the two assets that collect histories tell of them: `fund_nav` and `nav_history`.

Does not belong here: fetching or landing them (`pipeline/fund_nav.py`).
"""

import logging
from collections.abc import Sequence
from typing import Any

import dagster as dg

from fund_assets.checks.results import case_table, check_result
from fund_assets.pipeline.fund_nav import HistoryReport
from fund_assets.sources.protocol import Payload

#: For who shows progress in this process. Outside the loggers that dagster.yaml hands to
#: Dagster: a record for each of 26,000 funds is nothing for its event log.
PROGRESS = logging.getLogger("fund-assets histories")
PROGRESS.setLevel(logging.INFO)
PROGRESS.propagate = False
EVERY = 50
#: Of a step of an asset, or of a job without one.
Context = dg.AssetExecutionContext | dg.OpExecutionContext


HISTORY_KEPT, OWN_DECODER = "R18_history_shrink", "R01_own_decoder"


def history_checks(asset: str) -> tuple[dg.AssetCheckSpec, dg.AssetCheckSpec]:
    """No history lost something (R18); the strict decoder understood every answer (R01)."""
    return (
        dg.AssetCheckSpec(
            HISTORY_KEPT,
            asset=asset,
            description="no history is shorter than the stored one: one that is, is refused",
        ),
        dg.AssetCheckSpec(
            OWN_DECODER,
            asset=asset,
            description="the strict decoder understood every answer: akshare's was not needed",
        ),
    )


def history_results(
    report: HistoryReport, more: Sequence[Payload] = ()
) -> tuple[dg.AssetCheckResult, dg.AssetCheckResult]:
    """What those two found in a round of histories, and in `more` answers beside them."""
    others = [p.fallback_because for p in more if p.fallback_because]
    return (
        check_result(
            HISTORY_KEPT,
            looked_at=report.done,
            cases=list(report.refused.values()),
        ),
        check_result(
            OWN_DECODER,
            looked_at=report.done + len(more),
            cases=others + report.fallbacks + report.defects,
        ),
    )


def log_progress(context: Context, report: HistoryReport) -> None:
    """Tell who shows progress of each fund, and the run's log of each fiftieth."""
    PROGRESS.info("one more", extra={"report": report})
    if report.done % EVERY == 0 or report.done == report.asked:
        context.log.info(f"histories: {report.done} of {report.asked} funds")


def log_missed(context: Context, report: HistoryReport) -> None:
    """Tell of the first funds whose history did not land, and of an early end."""
    for code, reason in [*report.failures.items(), *report.refused.items()][:20]:
        context.log.warning(f"no history of {code}: {reason}")
    if report.stopped:
        context.log.warning(report.stopped)


def about_histories(report: HistoryReport) -> dict[str, Any]:
    """Metadata of a round of histories."""
    failed = {**report.failures, **report.refused}
    return {
        "history_funds_asked": report.asked,
        "history_rows": report.rows,
        "history_failed": len(report.failures),
        "history_refused": len(report.refused),
        **({"history_problems": case_table(list(failed.values())[:20])} if failed else {}),
    }
