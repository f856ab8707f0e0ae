"""The whole histories of a quarter of the market, fetched and landed anew every week.

It can be run again by itself: a fund that has answered since the week's Monday is not asked
again.
"""

from collections.abc import Callable
from datetime import datetime

import pandas as pd

from fund_assets.calendar import to_key, to_stamp, week_start
from fund_assets.nav.history import HistoryChoice
from fund_assets.pipeline.nav_history import HistoryReport, collect_histories
from fund_assets.schemas.portfolios import BACK_END
from fund_assets.sources.protocol import FundSource
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import landing, weekly_log

#: So many weeks read the whole market's histories once.
PARTS = 4
#: Of funds whose history did not land, so many stand in the log of the week.
SHOWN_CASES = 10


def quarter(funds: pd.DataFrame, week: str) -> list[str]:
    """The codes of the market's quarter whose turn it is in a week, of four in a row.

    Listed funds that have a page of their own, by code modulo four.

    Args:
        funds: columns of FUND_INFO.
    """
    turn = week_start(week).toordinal() // 7 % PARTS
    has_page = (funds["status"] == "listed") & ~funds["name"].str.contains(BACK_END)
    mine = funds["fund_code"].astype("int64") % PARTS == turn
    codes: list[str] = funds.loc[has_page & mine, "fund_code"].tolist()
    return codes


def refetch(
    warehouse: Warehouse,
    source: FundSource,
    week: str,
    now: Callable[[], datetime],
    progress: Callable[[HistoryReport], None] = lambda report: None,
) -> HistoryReport:
    """Fetch the whole histories of the week's quarter, but for those had since its Monday."""
    funds = landing.fund_info(warehouse)
    codes = quarter(funds, week)
    monday = to_key(week_start(week))
    had = _had_since(warehouse, monday)
    left = [code for code in codes if code not in had]
    # Naming no fund would mean all that have none yet.
    report = (
        collect_histories(
            warehouse,
            source,
            now,
            HistoryChoice(codes=tuple(left)),
            pages=False,  # the asset fund_benchmark asks for these, so many a week
            progress=progress,
        )
        if left
        else HistoryReport()
    )
    problems = {**report.failures, **report.refused}
    figures = {
        "quarter": len(codes),
        "had": len(set(codes) & _had_since(warehouse, monday)),
        "failed": len(report.failures),
        "refused": len(report.refused),
        "cases": [f"{code}: {why}" for code, why in problems.items()][:SHOWN_CASES],
    }
    weekly_log.note_step(warehouse, week, "refetch", to_stamp(now()), figures)
    return report


def _had_since(warehouse: Warehouse, day: int) -> set[str]:
    """The funds that answered when asked for their history, since a day (yyyymmdd)."""
    progress = landing.history_progress(warehouse)
    answered = (progress["asked_at"] // 1_000_000 >= day) & (progress["state"] != "failed")
    return set(progress.loc[answered, "fund_code"])
