"""Closes of indices, each from the provider that has it, through akshare.

Belongs here: asking for the closes of one index, and refusing what is none. Does not belong
here: who has which index (`index_providers.py`), what closes must be (`sources/closes.py`).
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import pandas as pd

from fund_assets.settings import SHANGHAI
from fund_assets.sources.closes import read_closes
from fund_assets.sources.eastmoney.akshare_client import replay, run
from fund_assets.sources.eastmoney.index_providers import BONDS, provider_of
from fund_assets.transport.errors import EmptyAnswerError, FormatError, UnknownIndexError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.http_answer import Answer
from fund_assets.transport.request import Post

ENDPOINT = "index_history"
#: Of a line of closes; the sources' have 16 at the most, the table of currencies about 30.
MOST_FIGURES = 50
#: From when closes are asked for that can be asked for by days. No market is open on it: a
#: close of this day is what CSI makes up for an index that begins later.
FIRST = 19900101


def index_history(gateway: Gateway, index_code: str, since: int | None = None) -> pd.DataFrame:
    """The closes of an index: nav_date (int32 yyyymmdd, ascending) and close (float64).

    Raises:
        UnknownIndexError: no provider has it.
        SourceError: no answer, an empty one, or one with dates or closes that are none.
    """
    asked = provider_of(index_code)
    provider, arguments = asked.provider, dict(asked.arguments)
    if provider.function == BONDS:
        _check_bond(arguments["index_category"], index_code)
    first = since
    if provider.dated:
        first = since or FIRST + 1
        arguments["start_date"] = str(since or FIRST)
        arguments["end_date"] = f"{datetime.now(SHANGHAI):%Y%m%d}"

    def fetch(
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        post: Post | None = None,
    ) -> Answer:
        answer = gateway.fetch(
            ENDPOINT, url, params, headers, form="html" if provider.page else "js", post=post
        )
        _check_lines(answer.body, provider.rows, index_code)
        return answer

    frame = run(provider.function, fetch, **arguments).frame
    if missing := {provider.dates, asked.closes} - set(map(str, frame.columns)):
        raise FormatError(
            f"index {index_code}: the answer to {provider.function} has no "
            f"{', '.join(sorted(missing))}; the source may have changed its format: upgrade "
            "akshare, or report it"
        )
    if provider.gaps:
        frame = frame[frame[asked.closes].notna()]
    found = read_closes(
        index_code,
        frame[provider.dates],
        frame[asked.closes],
        first,
        earliest=provider.earliest,
    )
    return found.assign(close=found["close"] / provider.units)


def _check_bond(name: str, index_code: str) -> None:
    """Refuse a name that is not in akshare's list of bond indices, which asks nobody."""
    nobody = replay(Answer("", "", 0, {}, b"", ""))
    known = run("bond_available_index_cbond", nobody).frame
    if name not in set(known["value"]):
        raise UnknownIndexError(f"ChinaBond has no index {name!r}: {index_code!r} is unknown")


def _check_lines(body: bytes, keys: tuple[str, ...], index_code: str) -> None:
    """Refuse no lines, and lines of very many figures before a frame has a column for each.

    What is no JSON of this form is left to akshare, which says so.
    """
    if not keys:
        return
    lines: Any = None
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        lines = json.loads(body)
        for key in keys:
            lines = lines[key]
    if not isinstance(lines, list):
        return
    if not lines:
        raise EmptyAnswerError(f"the answer for index {index_code} has no closes")
    if (widest := max(map(_width, lines))) > MOST_FIGURES:
        raise FormatError(f"index {index_code}: a line of its closes has {widest:,} figures")


def _width(line: Any) -> int:
    if isinstance(line, str):
        return line.count(",") + 1
    return len(line) if isinstance(line, list | dict) else 1
