"""What the answers that are scripts have in common: text, JSON values, rows of texts.

Belongs here: from an answer's bytes to its text, the JSON value at a place of it, and rows that
must have so many fields. Nothing is evaluated. Does not belong here: the form of any one answer
(`decode_snapshot.py`, `decode_list.py`, `decode_history.py`, `decode_events.py`), figures
(`cells.py`).
"""

import json
import re
from typing import Any

from fund_assets.safe_text import plain
from fund_assets.sources.eastmoney.cells import quote
from fund_assets.transport.errors import EmptyAnswerError, FormatError, TruncatedError


def text_of(body: bytes, what: str) -> str:
    """An answer's text: UTF-8, with or without a byte-order mark."""
    if not body.strip():
        raise EmptyAnswerError(f"{what} is empty; try again later")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise TruncatedError(f"{what} ends inside a character") from error
        raise FormatError(f"{what} is not UTF-8: {error}"[:300]) from error


def json_value(text: str, at: int, what: str) -> tuple[Any, int]:
    """The JSON value at `at` and where it ends; NaN and Infinity become their text."""
    try:
        value, end = _DECODER.raw_decode(text, at)
        if any(exponent.search(text, at, end) for exponent in _OVERFLOWS):
            value, end = _SPELLING_DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{what} is not valid JSON: {error}"[:300]) from error
    return value, end


def _spelled(text: str) -> float | str:
    return value if abs(value := float(text)) < 1e300 else text


_DECODER = json.JSONDecoder(parse_constant=str)
_SPELLING_DECODER = json.JSONDecoder(parse_constant=str, parse_float=_spelled)
#: A number beyond float64, whose text a defect should quote. Two patterns that begin with a
#: letter of their own are found six times as fast as one.
_OVERFLOWS = re.compile(r"e\+?[0-9]{3}"), re.compile(r"E\+?[0-9]{3}")


def plain_rows(rows: Any, texts: int) -> list[Any]:
    """Rows whose first cells, a code and names, are plain texts; a name of null is none."""

    def cells(row: list[Any]) -> list[Any]:
        told = [plain(cell) if type(cell) is str else cell for cell in row[:texts]]
        named = [cell if type(cell) is str else "" for cell in told[1:]]
        return [*told[:1], *named, *row[texts:]]

    return [cells(row) if type(row) is list else row for row in rows]


def check_rows(rows: Any, widths: tuple[int, ...], what: str, texts: int | None = None) -> None:
    """Refuse rows of another form; `texts`: so many first cells are texts, or all."""
    if not all(type(row) is list for row in rows):
        raise FormatError(f"{what} has a row that is not a list")
    found = {len(row) for row in rows}
    if len(found) != 1 or not found <= set(widths):
        known = " or ".join(map(str, widths))
        raise FormatError(
            f"{what} has rows of {sorted(found)} fields, this version knows {known}: the "
            "source changed its columns; upgrade fund-assets and akshare, or report it"
        )
    for row in rows:
        for cell in row[:texts]:
            if type(cell) is not str:
                raise FormatError(
                    f"{what}: fund {quote(row[0])} has a cell {quote(cell)} that is not text"
                )
