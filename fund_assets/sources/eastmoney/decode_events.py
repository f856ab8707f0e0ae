"""Strict decoder of eastmoney's market-wide lists of dividends and splits.

Belongs here: the form of `funddataIndex_Interface.aspx` with dt=8 (dividends) and dt=9
(splits). It evaluates nothing. Does not belong here: the texts inside histories
(`decode_history.py`), fetching (`source.py`).

A page is `var pageinfo=[pages,rows a page,this page];var jjfh_data=[[..],..];` and more
variables that are not read; `jjcf_data` for splits. A dividend is code, name, record date,
ex-date, yuan per share, payment date and at times one more cell; a split is code, name,
date, type, new shares per old share and at times one more cell.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite, nan

import pandas as pd

from fund_assets.calendar import to_key
from fund_assets.safe_text import plain
from fund_assets.sources.eastmoney.cells import NOT_YET, event_frame, quote
from fund_assets.sources.eastmoney.decode_text import json_value, text_of
from fund_assets.transport.errors import FormatError, TruncatedError

#: Endpoint → (kind, value of dt, name of the variable, widths, cell of the date, of the value)
LISTS = {
    "dividend_list": ("dividend", "8", "jjfh_data", (6, 7), 3, 4),
    "split_list": ("split", "9", "jjcf_data", (5, 6), 2, 4),
}
#: What the lists write for a ratio that was not disclosed.
UNDISCLOSED = NOT_YET | {"暂未披露"}
_HEAD = re.compile(r"\s*var\s+pageinfo\s*=\s*(?=\[)")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_LONGEST_LIST = 2_000
#: Repeats that are named.
SHOWN = 3


@dataclass(frozen=True)
class EventPage:
    """One page of a list: its events, and of how many pages it is which.

    Attributes:
        rows: fund_code, ex_date, kind, value (NaN: not told), text.
        unreadable: rows that are no event, in words.
    """

    page: int
    pages: int
    rows: list[tuple[str, int, str, float, str]]
    unreadable: list[str]

    def like(self, other: "EventPage") -> bool:
        """Whether it has the same rows; a value that is not told equals itself."""
        return (repr(self.rows), self.unreadable) == (repr(other.rows), other.unreadable)


def decode_events(body: bytes, endpoint: str, year: int, page: int) -> EventPage:
    """One page of the list `endpoint` (a key of LISTS) of a year.

    Raises:
        FormatError: it is no such page, or it is another page or holds another year.
        TruncatedError: it ends in the middle, or a page that is not the last is short.
    """
    kind, _, variable, widths, at_date, at_value = LISTS[endpoint]
    what = f"page {page} of the market's {kind}s of {year}"
    (pages, size, this), cells = _parts(text_of(body, what), variable, what)
    if this != page and (pages or cells):
        raise FormatError(f"requested {what}, the answer is page {this} of {pages}")
    if page < pages and len(cells) != size:
        raise TruncatedError(f"{what} has {len(cells)} rows, it says a page has {size}")
    rows, unreadable = [], []
    for row in cells:
        if type(row) is not list or len(row) not in widths:
            raise FormatError(
                f"{what} has a row {quote(row)}, this version knows {widths[0]} or "
                f"{widths[1]} cells: the source changed its columns; upgrade fund-assets"
            )
        code, value = plain(str(row[0])), _value(row[at_value])
        day = _day(row[at_date])
        if day is None or value is None:
            unreadable.append(
                f"{code}: no {kind} can be read from ex-date {quote(row[at_date])} "
                f"and value {quote(row[at_value])}"
            )
            continue
        if day // 10_000 != year:
            raise FormatError(f"{what} holds an event of {row[at_date]} ({code})")
        word = f"{plain(str(row[3]))} " if kind == "split" else ""
        rows.append((code, day, kind, value, f"{word}{row[at_value]}"[:200]))
    return EventPage(page, max(pages, 1), rows, unreadable)


def _parts(text: str, variable: str, what: str) -> tuple[tuple[int, int, int], list[object]]:
    """What a page says of itself, (pages, rows of a page, page), and its cells row by row."""
    if not (head := _HEAD.match(text)):
        raise FormatError(f"{what} starts with {quote(text)}, not with var pageinfo=[")
    info, end = json_value(text, head.end(), f"pageinfo in {what}")
    if len(info) < 3 or any(type(n) is not int for n in info) or min(info[:3]) < 0:
        raise FormatError(f"{what}: pageinfo is {quote(info)}, not [pages, rows, page]")
    pages, size, this = info[:3]
    if pages > _LONGEST_LIST:
        raise FormatError(f"{what}: it says it is one of {pages} pages")
    if not (found := re.compile(rf"\s*;\s*var\s+{variable}\s*=\s*(?=\[)").match(text, end)):
        raise FormatError(f"{what} has no {variable} after pageinfo")
    cells, end = json_value(text, found.end(), f"{variable} in {what}")
    if text[end : end + 16].lstrip()[:1] != ";":
        raise TruncatedError(f"{what} is incomplete: {quote(text[-60:])}")
    return (pages, size, this), cells


def repeated(pages: Sequence[EventPage]) -> str:
    """In words, that an event stands on more than one page; empty when none does."""
    seen: dict[str, int] = {}
    found = []
    for page in pages:
        of_page = {repr(row): row for row in page.rows}
        for text, (code, day, kind, *_) in of_page.items():
            if text in seen:
                found.append(f"{kind} {code} {day} on pages {seen[text]} and {page.page}")
        seen |= {text: page.page for text in of_page if text not in seen}
    shown = ", ".join(found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"events are on two pages: {shown}{more}" if found else ""


def market_frame(rows: list[tuple[str, int, str, float, str]]) -> pd.DataFrame:
    """Rows of several pages as one frame: of one fund, day and kind, one row.

    Equal rows are one. Different dividends of a day add up, splits follow one another.
    """
    frame = event_frame(rows).drop_duplicates(["fund_code", "ex_date", "kind", "value"])
    key = ["fund_code", "ex_date", "kind"]
    twice = frame.duplicated(key, keep=False)
    united = []
    for (code, day, kind), group in frame[twice].groupby(key):
        told = group["value"]
        value = told.sum(skipna=False) if kind == "dividend" else told.prod(skipna=False)
        united.append((code, day, kind, value, " + ".join(group["text"])[:200]))
    both = pd.concat([frame[~twice], event_frame(united)]) if united else frame
    return both.sort_values(key, kind="stable", ignore_index=True)


def _value(cell: object) -> float | None:
    """A positive number; NaN where it is not disclosed, None where it is not a number."""
    if type(cell) in (int, float):
        cell = repr(cell)
    if not isinstance(cell, str):
        return None
    if cell.strip() in UNDISCLOSED:
        return nan
    value = float(cell) if _NUMBER.fullmatch(cell) else 0.0
    return value if value > 0 and isfinite(value) else None


def _day(cell: object) -> int | None:
    try:
        return to_key(date.fromisoformat(cell)) if isinstance(cell, str) else None
    except ValueError:
        return None
