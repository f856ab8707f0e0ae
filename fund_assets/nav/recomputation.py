"""The total-return index of every fund anew from all that is accepted, beside what is stored.

Belongs here: the whole history in flat arrays, and the comparison. Does not belong here: the
arithmetic of a step (`returns.py`), reading and repairing (`warehouse/stores/recheck.py`).

Merging chains each fund from its first change on. Chained whole, from its first NAV, the index
must be the same: where it is not, a row was changed by other hands, an event was left out, or
another release computed it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import TradingCalendar, keys_to_days
from fund_assets.nav.returns import Published, chain, step_returns
from fund_assets.nav.timeline import first_of_funds, gaps_between, steps_of_events
from fund_assets.schemas.columns import RETURN_STATUSES

#: Relative; a release of NumPy may round the last digit otherwise.
SAME = 1e-12
#: Bounds the memory of the arithmetic.
FUNDS_AT_ONCE = 250
#: What a step is made from.
WITNESSES = ("unit_nav", "acc_nav", "growth_pct", "yield_per_10k")


@dataclass(frozen=True)
class WholeHistory:
    """All accepted rows, fund after fund, each fund's by date.

    Attributes:
        codes: int32 [funds], ascending: the fund code as a number.
        offsets: int64 [funds + 1]: fund i has the rows offsets[i] to offsets[i + 1] - 1.
        dates: int32 [rows]: yyyymmdd.
        values: name → float64 [rows], of WITNESSES and total_return_index.
        status: int8 [rows]: number of the stored return_status.
    """

    codes: NDArray[np.int32]
    offsets: NDArray[np.int64]
    dates: NDArray[np.int32]
    values: dict[str, NDArray[np.float64]]
    status: NDArray[np.int8]


@dataclass(frozen=True)
class Recomputed:
    """The index as it should be.

    Attributes:
        days: int32 [rows]: the dates as days since 1970-01-01, in the order of the history.
        index: float64 [rows], in the same order.
        differing: fund_code, nav_date, total_return_index and return_status as they should
            be, and `stored_index` and `stored_status`, of rows that are stored otherwise.
    """

    days: NDArray[np.int32]
    index: NDArray[np.float64]
    differing: pd.DataFrame


def recompute(
    history: WholeHistory,
    events: pd.DataFrame,
    calendar: TradingCalendar,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Recomputed:
    """Chain every fund anew and compare.

    Args:
        events: columns of FUND_EVENTS, of all funds.
        progress: called with how many of how many funds are done.
    """
    events = events[events["status"] == "recorded"]
    event_codes = events["fund_code"].astype("int64").to_numpy()
    index = np.empty(len(history.dates))
    days = np.empty(len(history.dates), np.int32)
    parts = []
    funds = len(history.codes)
    for start in range(0, funds, FUNDS_AT_ONCE):
        end = min(start + FUNDS_AT_ONCE, funds)
        rows = slice(history.offsets[start], history.offsets[end])
        codes = np.repeat(
            history.codes[start:end].astype(np.int64),
            np.diff(history.offsets[start : end + 1]),
        )
        dates = history.dates[rows]
        days[rows] = keys_to_days(dates)
        keys = codes * 100_000_000 + dates
        ours = (event_codes >= codes[0]) & (event_codes <= codes[-1])
        dividend, split = steps_of_events(keys, events[ours])
        first = first_of_funds(keys)
        steps = step_returns(
            Published(**{name: history.values[name][rows] for name in WITNESSES}),
            dividend=dividend,
            split=split,
            first=first,
            gap=gaps_between(dates, first, calendar),
        )
        index[rows] = chain(steps.returns, first, np.ones(len(dates)))
        stored, status = history.values["total_return_index"][rows], history.status[rows]
        differs = ~(np.abs(index[rows] / stored - 1) <= SAME) | (status != steps.status)
        parts.append(
            pd.DataFrame(
                {
                    "fund_code": codes[differs],
                    "nav_date": dates[differs],
                    "total_return_index": index[rows][differs],
                    "return_status": np.array(RETURN_STATUSES)[steps.status[differs]],
                    "stored_index": stored[differs],
                    "stored_status": np.array(RETURN_STATUSES)[status[differs]],
                }
            )
        )
        progress(end, funds)
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if len(found):
        found["fund_code"] = found["fund_code"].map("{:06d}".format).astype("str")
    return Recomputed(days, index, found)


def cases(differing: pd.DataFrame, most: int) -> list[str]:
    """Differences in words, of each fund its first, those of most rows first."""
    if differing.empty:
        return []
    rows = differing.groupby("fund_code").size().sort_values(ascending=False, kind="stable")
    firsts = differing.drop_duplicates("fund_code").set_index("fund_code")
    return [
        f"{code}: {count:,} rows from {firsts.loc[code, 'nav_date']} on, index stored "
        f"{firsts.loc[code, 'stored_index']:.12g} ({firsts.loc[code, 'stored_status']}), "
        f"computed {firsts.loc[code, 'total_return_index']:.12g} "
        f"({firsts.loc[code, 'return_status']})"
        for code, count in rows.head(most).items()
    ]
