"""Closes of benchmark indices from eastmoney, through akshare.

Belongs here: which of akshare's functions has which index, and reading its frame. Does not
belong here: which fund is measured against which index (`schemas/kinds.py`).
"""

import json
from collections.abc import Mapping
from contextlib import suppress

import pandas as pd

from fund_assets.sources.closes import read_closes
from fund_assets.sources.eastmoney.akshare_client import run
from fund_assets.transport.errors import EmptyAnswerError, FormatError, UnknownIndexError
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


def index_history(gateway: Gateway, index_code: str, since: int | None = None) -> pd.DataFrame:
    """The closes of an index: nav_date (int32 yyyymmdd, ascending) and close (float64).

    Raises:
        UnknownIndexError: no provider has it.
        SourceError: no answer, an empty one, or one with dates or closes
            that are none.
    """
    if index_code not in FORMS:
        raise UnknownIndexError(f"unknown index {index_code!r}: choose from {', '.join(FORMS)}")
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
    return read_closes(index_code, frame[dates], frame[closes], since)
