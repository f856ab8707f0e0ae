"""What the three assets that collect histories tell of them: log lines and metadata.

Does not belong here: fetching or landing them (`pipeline/nav_history.py`).
"""

from typing import Any

import dagster as dg

from fund_assets.checks.results import case_table
from fund_assets.pipeline.nav_history import PROGRESS, HistoryReport

EVERY = 50
#: Of a step of an asset, or of a job without one.
Context = dg.AssetExecutionContext | dg.OpExecutionContext


def log_progress(context: Context, report: HistoryReport) -> None:
    """Tell of each fund where progress is shown, and the run's log of each fiftieth."""
    if PROGRESS.handlers:
        PROGRESS.info("one more", extra={"report": report})
    if report.done % EVERY == 0 or report.done == report.asked:
        context.log.info(f"histories: {report.done} of {report.asked} funds")


def log_missed(context: Context, report: HistoryReport) -> None:
    """Tell of the first funds whose history did not land, and of an early end."""
    for code, reason in [*report.failures.items(), *report.refused.items()][:20]:
        context.log.warning(f"no history of {code}: {reason}")
    for code, reason in list(report.pages.failures.items())[:20]:
        context.log.warning(f"no benchmark of {code}: {reason}")
    for code, reason in list(report.managers.failures.items())[:20]:
        context.log.warning(f"no managers of {code}: {reason}")
    if because := report.stopped or report.pages.stopped or report.managers.stopped:
        context.log.warning(because)


def about_histories(report: HistoryReport) -> dict[str, Any]:
    """Metadata of a round of histories."""
    failed = {**report.failures, **report.refused}
    return {
        "history_funds_asked": report.asked,
        "history_rows": report.rows,
        "history_failed": len(report.failures),
        "history_refused": len(report.refused),
        "benchmarks_asked": report.pages.asked,
        "benchmarks_failed": len(report.pages.failures),
        "managers_asked": report.managers.asked,
        "managers_failed": len(report.managers.failures),
        **({"history_problems": case_table(list(failed.values())[:20])} if failed else {}),
    }
