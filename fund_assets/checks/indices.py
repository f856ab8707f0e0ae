"""What collecting the indices says of the check `indices_current`."""

from datetime import date, timedelta

from fund_assets.calendar import from_key
from fund_assets.pipeline.benchmark_index import OLDEST_CLOSE_DAYS, IndexReport


def index_cases(report: IndexReport, due: date) -> list[str]:
    """What is wrong, in words: an index that failed, has no close, or none of late.

    Args:
        due: the session that is due.
    """
    cases = [f"index {code}: {why}" for code, why in report.failures.items()]
    for code, newest in report.newest.items():
        if newest is None:
            cases.append(f"index {code}: no close is stored")
        elif from_key(newest) < due - timedelta(days=OLDEST_CLOSE_DAYS):
            cases.append(
                f"index {code}: the newest close is of {from_key(newest)}, {due} is due"
            )
    return cases
