"""Strict decoder of the list of purchases: a page's bytes in, rows out; rows in, a frame out.

Belongs here: the exact form of `Fund_JJJZ_Data.aspx` with t=8, and whether the pages of one
reading are one list. Does not belong here: fetching (`source.py`), what a word means
(`schemas/statuses.py`), the cells that are not read (`ignored_cells.py`).

The form, as observed in 2026: `var reData={datas:[[..],..],record:"N",pages:"P",curpage:"1",
showday:["D0","D1"]}`, a row being 13 cells (`CELLS`), all classes of the market by their code.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import inf
from typing import Any

import numpy as np
import pandas as pd

from fund_assets.calendar import to_key
from fund_assets.schemas.statuses import NO_LIMIT_FROM
from fund_assets.sources.eastmoney.cells import NOT_YET, Defects, numbers, quote
from fund_assets.sources.eastmoney.decode_text import (
    check_rows,
    json_value,
    plain_rows,
    text_of,
)
from fund_assets.sources.eastmoney.status_cells import status_frame
from fund_assets.sources.protocol import PURCHASE_COLUMNS
from fund_assets.transport.errors import EmptyAnswerError, FormatError, TruncatedError

FIELDS = 13
#: Place in a row → what is read there.
CELLS = {
    0: "fund_code",
    5: "purchase_word",
    6: "redemption_word",
    7: "next_open_date",
    8: "least_amount",
    9: "daily_limit",
    12: "fee",
}
_HEAD = re.compile(r"\s*var reData\s*=\s*\{datas:(?=\[)")
_RECORD = re.compile(r'[,}]record:"([0-9]+)"')
_CURRENT = re.compile(r'[,}]curpage:"([0-9]+)"')
#: A great round number may be written in this way.
_POWER = re.compile(r"([0-9](?:\.[0-9]+)?)[eE]\+?([0-9]{1,2})")


@dataclass(frozen=True)
class PurchasePage:
    """One page of the list: its rows, and how many the whole list has."""

    page: int
    rows: list[Any]
    record: int


def decode_purchases(body: bytes, page: int) -> PurchasePage:
    """One page of the list.

    Raises:
        FormatError: it is no such page, or another one.
        TruncatedError: it ends in the middle.
        EmptyAnswerError: the list has no class.
    """
    what = f"page {page} of the list of purchases"
    text = text_of(body, what)
    if not (head := _HEAD.match(text)):
        raise FormatError(f"{what} starts with {quote(text)}, not with var reData={{datas:")
    if not text.rstrip(" \t\r\n;").endswith("}"):
        raise TruncatedError(f"{what} is incomplete: {quote(text[-60:])}")
    rows, end = json_value(text, head.end(), what)
    record, current = _RECORD.search(text, end), _CURRENT.search(text, end)
    if not record:
        raise FormatError(f'{what} has no record:"N"')
    if not int(record[1]):
        raise EmptyAnswerError(f"{what} has no fund; try again later")
    if current and int(current[1]) != page:
        raise FormatError(f"requested {what}, the answer is page {current[1]}")
    if rows:
        rows = plain_rows(rows, 3)
        check_rows(rows, (FIELDS,), what, texts=1)
    return PurchasePage(page, rows, int(record[1]))


def drift(pages: Sequence[PurchasePage], size: int) -> str:
    """Why the pages of one reading are not one list, in words; empty when they are.

    Args:
        pages: those that were read, in their order from the first on.
        size: rows of a page that is not the last.
    """
    record = pages[0].record
    for page in pages:
        if page.record != record:
            return f"it had {record} funds, its page {page.page} says {page.record}"
        due = min(size, record - size * (page.page - 1))
        if len(page.rows) != due:
            return f"its page {page.page} has {len(page.rows)} funds, not {due} of {record}"
    seen: dict[str, int] = {}
    for page in pages:
        codes = {row[0] for row in page.rows}
        if both := sorted(codes & set(seen)):
            return f"fund {both[0]} is on its pages {seen[both[0]]} and {page.page}"
        seen |= dict.fromkeys(codes, page.page)
    return ""


def purchase_frame(rows: Sequence[Sequence[object]]) -> pd.DataFrame:
    """Rows of the list as a frame with `PURCHASE_COLUMNS`; the first row of a class counts."""
    cells = dict(zip(range(FIELDS), zip(*rows, strict=True), strict=True))
    defects = Defects()
    least = numbers(cells[8], "least_amount", defects)
    limit = numbers([_spelled_out(cell) for cell in cells[9]], "daily_limit", defects)
    for name, found, at in (("least_amount", least, 8), ("daily_limit", limit, 9)):
        for row in np.flatnonzero(found < 0).tolist():
            defects.add(row, f"{name}: not an amount: {quote(cells[at][row])}")
            found[row] = np.nan
    limit[limit >= NO_LIMIT_FROM] = inf
    opens = [_day(cell, row, defects) for row, cell in enumerate(cells[7])]
    found = status_frame(
        cells[0], cells[5], cells[6], cells[12], [""] * len(rows), defects.by_row
    )
    more = pd.DataFrame(
        {
            "fund_code": [str(code) for code in cells[0]],
            "least_amount": least,
            "daily_limit": limit,
            "next_open_date": pd.array(opens, dtype="Int32"),
        }
    ).drop_duplicates("fund_code", ignore_index=True)
    return pd.concat([found, more.drop(columns="fund_code")], axis=1)[PURCHASE_COLUMNS]


def _spelled_out(cell: object) -> object:
    """1E+11 as a plain number; any other cell as it is."""
    if isinstance(cell, str) and (found := _POWER.fullmatch(cell)):
        return float(found[1]) * 10.0 ** int(found[2])
    return cell


def _day(cell: object, row: int, defects: Defects) -> int | None:
    if cell is None or cell in NOT_YET:
        return None
    try:
        return to_key(date.fromisoformat(str(cell)))
    except ValueError:
        defects.add(row, f"next_open_date: not a date: {quote(cell)}")
        return None
