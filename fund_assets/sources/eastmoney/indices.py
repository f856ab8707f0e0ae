"""Closes of benchmark indices from eastmoney, through akshare.

Belongs here: which of akshare's functions has which index, and reading its frame. Does not
belong here: which fund is measured against which index (`schemas/kinds.py`).
"""

import json
from collections.abc import Mapping
from contextlib import suppress

import numpy as np
import pandas as pd

from fund_assets.sources.eastmoney.akshare_client import run
from fund_assets.transport.errors import EmptyAnswerError, FormatError, SourceError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.http_answer import Answer

#: Of a line of closes; the source's have 14 at the most.
MOST_FIGURES = 50
#: Index code → akshare's function, its symbol, and its columns of dates and closes.
FORMS = {
    "000300": ("stock_zh_index_daily_em", "sh000300", "date", "close"),
    "000012": ("stock_zh_index_daily_em", "sh000012", "date", "close"),
    "SPX": ("index_global_hist_em", "标普500", "日期", "最新价"),
}


def _check_widths(body: bytes, index_code: str) -> None:
    """Refuse lines of very many figures before a frame has a column for each.

    What is no JSON of this form is left to akshare, which says so.
    """
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        lines = json.loads(body)["data"]["klines"]
        widest = max((line.count(",") for line in lines if isinstance(line, str)), default=0)
        if widest > MOST_FIGURES:
            raise FormatError(f"index {index_code}: a line of its closes has {widest:,} commas")


def index_history(gateway: Gateway, index_code: str) -> pd.DataFrame:
    """Every close of an index: nav_date (int32 yyyymmdd, ascending) and close (float64).

    Raises:
        SourceError: an unknown index, no answer, an empty one, or one with dates or closes
            that are none.
    """
    if index_code not in FORMS:
        raise SourceError(f"unknown index {index_code!r}: choose from {', '.join(FORMS)}")
    function, symbol, dates, closes = FORMS[index_code]

    def fetch(
        url: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None
    ) -> Answer:
        answer = gateway.fetch("index_history", url, params, headers)
        if b'"klines":[]' in answer.body.replace(b" ", b""):
            raise EmptyAnswerError(f"the answer for index {index_code} has no closes")
        _check_widths(answer.body, index_code)
        return answer

    frame = run(function, fetch, symbol=symbol).frame
    days = pd.to_datetime(frame[dates], format="%Y-%m-%d", errors="coerce")
    values = pd.to_numeric(frame[closes], errors="coerce").astype("float64")
    bad = ~days.dt.year.between(1990, 2100) | ~(values > 0) | np.isinf(values)
    if bad.any():
        row = frame[bad].iloc[0]
        raise FormatError(
            f"index {index_code}: {row[dates]} with close {row[closes]} is not a valid close; "
            "the source may have changed its format: upgrade akshare, or report it"
        )
    keys = days.dt.strftime("%Y%m%d").astype("int32")
    found = pd.DataFrame({"nav_date": keys, "close": values})
    return found.drop_duplicates("nav_date", keep="last").sort_values(
        "nav_date", ignore_index=True
    )
