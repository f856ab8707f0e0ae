"""What collecting closes says of the checks `indices_current` and `own_indices_current`."""

from datetime import date, timedelta

from fund_assets.calendar import from_key
from fund_assets.pipeline.benchmark_index import OLDEST_CLOSE_DAYS, IndexReport
from fund_assets.schemas.kinds import INDICES


def index_cases(report: IndexReport, due: date) -> list[str]:
    """What is wrong with the indices of types: one failed, has no close, or none of late.

    Args:
        due: the session that is due.
    """
    cases = [f"index {code}: {why}" for code, why in report.failures.items() if code in INDICES]
    for code, newest in report.newest.items():
        if newest is None:
            cases.append(f"index {code}: no close is stored")
        elif from_key(newest) < due - timedelta(days=OLDEST_CLOSE_DAYS):
            cases.append(
                f"index {code}: the newest close is of {from_key(newest)}, {due} is due"
            )
    return cases


def own_index_cases(report: IndexReport) -> list[str]:
    """What is wrong with the indices that funds name: not all were requested, or one failed."""
    return [
        *filter(None, [report.stopped]),
        *(
            f"index {code}: {why}"
            for code, why in report.failures.items()
            if code not in INDICES
        ),
    ]
