"""What the closes of an index must be, whoever has them.

Belongs here: refusing dates and closes that are none, order, and the days since one. Does not
belong here: asking for closes (`eastmoney/indices.py`).
"""

import numpy as np
import pandas as pd

from fund_assets.transport.errors import EmptyAnswerError, FormatError


def read_closes(
    index_code: str,
    days: pd.Series,
    closes: pd.Series,
    since: int | None = None,
    *,
    earliest: int = 1990,
) -> pd.DataFrame:
    """Closes in order: nav_date (int32 yyyymmdd, ascending) and close (float64).

    Args:
        index_code: for messages.
        days: dates or texts of dates, such as 2026-11-20.
        closes: figures or texts of figures, as many as days.
        since: first day, yyyymmdd; None: all are kept.
        earliest: no close is of a year before.

    Raises:
        FormatError: a date that is none, or a close that is not positive and finite.
        EmptyAnswerError: no close is left.
    """
    read = pd.to_datetime(days, format="%Y-%m-%d", errors="coerce")
    values = pd.to_numeric(closes, errors="coerce").astype("float64")
    bad = ~read.dt.year.between(earliest, 2100) | ~(values > 0) | np.isinf(values)
    if bad.any():
        at = int(bad.to_numpy().argmax())
        raise FormatError(
            f"index {index_code}: {days.iloc[at]} with close {closes.iloc[at]} is not a valid "
            "close; the source may have changed its format: upgrade akshare, or report it"
        )
    found = pd.DataFrame(
        {"nav_date": read.dt.strftime("%Y%m%d").astype("int32"), "close": values}
    )
    return closes_since(
        found.drop_duplicates("nav_date", keep="last").sort_values("nav_date"),
        index_code,
        since,
    )


def closes_since(closes: pd.DataFrame, index_code: str, since: int | None) -> pd.DataFrame:
    """The closes (column nav_date) from a day on, itself included; None: all of them.

    Raises:
        EmptyAnswerError: there is none.
    """
    kept = closes[closes["nav_date"] >= (since or 0)].reset_index(drop=True)
    if kept.empty:
        told = f" since {since}" if since else ""
        raise EmptyAnswerError(f"the answer for index {index_code} has no closes{told}")
    return kept
