"""Strict decoder of the fund list: bytes in, a frame out.

Belongs here: the exact form of `fundcode_search.js`, as observed until 2026: `var r = [[code,
pinyin, name, type, long pinyin],..];`. Any other is refused with an error that says what was
met. Does not belong here: fetching (`transport/gateway.py`), what akshare makes of it
(`akshare_tables.py`).
"""

import re

import pandas as pd

from fund_assets.sources.eastmoney.cells import quote
from fund_assets.sources.eastmoney.decode_text import (
    check_rows,
    json_value,
    plain_rows,
    text_of,
)
from fund_assets.sources.protocol import LISTING_COLUMNS
from fund_assets.transport.errors import EmptyAnswerError, FormatError, TruncatedError

_LIST_HEAD = re.compile(r"\s*var r\s*=\s*(?=\[)")


def decode_list(body: bytes) -> pd.DataFrame:
    """The fund list: a frame with `LISTING_COLUMNS`, rows and characters as they stand."""
    text = text_of(body, "the fund list")
    if not (head := _LIST_HEAD.match(text)):
        raise FormatError(f"the fund list starts with {quote(text)}, not with var r = [[")
    if not text.rstrip(" \t\r\n;").endswith("]"):
        raise TruncatedError(f"the fund list is incomplete: {quote(text[-60:])}")
    rows, end = json_value(text, head.end(), "the fund list")
    if text[end:].strip(" \t\r\n;"):
        raise FormatError(f"after the fund list comes {quote(text[end:])}")
    if not rows:
        raise EmptyAnswerError("the fund list has no fund; try again later")
    rows = plain_rows(rows, 5)
    check_rows(rows, (5,), "the fund list")
    code, pinyin, name, fund_type, _ = zip(*rows, strict=True)
    return pd.DataFrame(
        dict(zip(LISTING_COLUMNS, (code, name, fund_type, pinyin), strict=True)), dtype="str"
    )
