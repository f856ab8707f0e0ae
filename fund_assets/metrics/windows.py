"""Windows: which stretch of a fund's history a metric looks at.

Belongs here: names of windows and the day each one starts from. Does not belong here: what
is computed on them, and which NAV stands for the start (`kernel.py`).

A window ends on the fund's own last NAV date and is named by its length: `7d`, `2w`, `3m`,
`5y`, or `ytd` and `inception`. Its start day is the same calendar day that many months or
years before (the month's last day where that day does not exist, so 31 May - 3m is 28 or
29 February), or that many days before; for `ytd` it is 31 December of the year before. For
`inception` it is the fund's first NAV, which nobody knows until its whole history is stored
(`compute_metrics(whole=…)`). This is how the source counts its own window returns
(checked on the rank list of 2026-04-27, see fund_assets_tests/real_data).
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fund_assets.metrics.kernel import NO_DAY

_NAME = re.compile(r"([1-9][0-9]{0,2})([dwmy])")


def start_days(last_days: NDArray[np.int32], windows: Sequence[str]) -> NDArray[np.int32]:
    """The day each window starts from, for funds by their last NAV date.

    Args:
        last_days: [funds] days since 1970-01-01.
        windows: names as above.

    Returns:
        [funds, windows] days since 1970-01-01, or NO_DAY for inception.

    Raises:
        ValueError: an unknown window.
    """
    found = np.empty((len(last_days), len(windows)), np.int32)
    for at, window in enumerate(windows):
        found[:, at] = _start_days(last_days, window)
    return found


def _start_days(last_days: NDArray[np.int32], window: str) -> NDArray[np.int32]:
    if window == "inception":
        return np.full(len(last_days), NO_DAY)
    last = last_days.astype("datetime64[D]")
    if window == "ytd":
        new_year = last.astype("datetime64[Y]").astype("datetime64[D]")
        return new_year.astype(np.int32) - np.int32(1)
    named = _NAME.fullmatch(window)
    if not named:
        raise ValueError(
            f"unknown window {window!r}: write a number and d, w, m or y (as 3m or 5y), "
            "or ytd, or inception"
        )
    count, unit = int(named[1]), named[2]
    if unit in "dw":
        return last_days - np.int32(count * (7 if unit == "w" else 1))
    month = last.astype("datetime64[M]")
    day_of_month = last - month.astype("datetime64[D]")
    month = month - count * (12 if unit == "y" else 1)
    first = month.astype("datetime64[D]")
    days_in_month = (month + 1).astype("datetime64[D]") - first
    clipped = np.minimum(day_of_month, days_in_month - np.timedelta64(1, "D"))
    start: NDArray[np.int32] = (first + clipped).astype(np.int32)
    return start
