"""Strict decoder of what a history answer says of today: bytes of variables in, statements out.

Belongs here: the forms of managers, top holdings and estimated positions, which have neither
categories nor series. Nothing here raises, as in `decode_reports.py`, which calls it. Does not
belong here: what changes in the warehouse (`nav/reports.py`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fund_assets.calendar import days_to_keys
from fund_assets.nav.reports import REPORT_TABLES, Statement
from fund_assets.safe_text import plain
from fund_assets.schemas.table import DATE_LIMITS
from fund_assets.sources.eastmoney.cells import Defects, numbers, quote

_POSITIONS, _MANAGERS = "Data_fundSharesPositions", "Data_currentFundManager"
#: Variable → what its codes are of.
_HOLDINGS = {"stockCodesNew": "stock", "zqCodesNew": "bond"}
TODAY = (_POSITIONS, *_HOLDINGS, _MANAGERS)
#: Takes the name of a variable and what is wrong with it.
Refuse = Callable[[str, str], None]
#: Market number, a point, code: `0.000338`, `116.00700`, `105.NVDA`.
_CODE = re.compile(r"([0-9]{1,4})\.([0-9A-Za-z._-]{1,20})")
_WORKED = re.compile(r"(?:([0-9]+)年)?又?(?:([0-9]+)天)?")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(万亿|亿|万|元)(?:[(（]([0-9]+)只基金[)）])?")
_UNITS = {"元": 1.0, "万": 1e4, "亿": 1e8, "万亿": 1e12}
_NOT_YET = ("", "-", "--", "---")
_DAY_MS, _SHANGHAI_MS = 86_400_000, 28_800_000


def _positions(
    values: Mapping[str, Any], said: Sequence[Statement], refuse: Refuse
) -> list[Statement]:
    """The estimated positions of about a month."""
    pairs = values.get(_POSITIONS)
    if not pairs:
        return []
    form = isinstance(pairs, list) and all(type(p) is list and len(p) == 2 for p in pairs)
    if not form or not all(type(at) is int for at, _ in pairs):
        refuse(_POSITIONS, f"not a list of times and figures: {quote(pairs)}")
        return []
    stamps = np.array([at for at, _ in pairs], dtype=object) + _SHANGHAI_MS
    days = stamps // _DAY_MS
    if any(stamps % _DAY_MS) or not all(0 < day < 50_000 for day in days):
        refuse(_POSITIONS, f"a time that is not a midnight of Shanghai: {quote(pairs)}")
        return []
    keys = days_to_keys(days.astype("int64")).tolist()
    if len(set(keys)) < len(keys) or not all(
        DATE_LIMITS[0] <= key <= DATE_LIMITS[1] for key in keys
    ):
        refuse(_POSITIONS, f"a day twice, or one that cannot be: {quote(pairs)}")
        return []
    wrong = Defects()
    read = numbers([cell for _, cell in pairs], "position", wrong).tolist()
    most = REPORT_TABLES["fund_position_estimate"]["position"].le or 0.0
    periods, unread = {}, set()
    for row, (key, value) in enumerate(zip(keys, read, strict=True)):
        fraction = round(value / 100, 8)
        if row not in wrong.by_row and value == value and not 0 <= fraction <= most:
            wrong.add(row, f"position: {quote(pairs[row][1])} cannot be")
        if row in wrong.by_row:
            refuse(_POSITIONS, f"{key}: {wrong.by_row[row]}")
            unread.add(key)
        elif value == value:
            periods[key] = (fraction,)
    return [
        Statement(
            "fund_position_estimate", ("position",), periods, frozenset(unread), min(keys)
        )
    ]


def _holdings(
    values: Mapping[str, Any], said: Sequence[Statement], refuse: Refuse
) -> list[Statement]:
    """The codes of the largest holdings, at the newest quarter of the same answer."""
    lists = {name: _codes(values.get(name)) for name in _HOLDINGS}
    if not any(lists.values()):
        return []
    period = _newest_quarter(said)
    if period is None:
        first = next(name for name, cells in lists.items() if cells)
        refuse(first, "no allocation and no size say of which quarter it is")
        return []
    found: dict[Any, tuple[Any, ...]] = {}
    for name, cells in lists.items():
        codes = [_CODE.fullmatch(cell) if isinstance(cell, str) else None for cell in cells]
        if len(cells) > 100 or None in codes or len(set(map(str, cells))) < len(cells):
            refuse(name, f"not a list of different codes with their market: {quote(cells)}")
            return []
        for place, code in enumerate(codes, start=1):
            assert code
            found[period, _HOLDINGS[name], place] = (int(code[1]), code[2], None)
    columns = ("market", "security_code", "weight")
    return [Statement("fund_top_holdings", columns, found, since=(period,))]


def _codes(value: Any) -> list[object]:
    """A list of codes; one text holds them separated by commas."""
    if isinstance(value, str):
        return [one for one in value.split(",") if one]
    return value if isinstance(value, list) else [value] if value else []


def _newest_quarter(said: Sequence[Statement]) -> int | None:
    for table in ("fund_allocation", "fund_size"):
        periods = [p for one in said if one.table == table for p in one.periods]
        if periods:
            return int(max(periods))
    return None


def _managers(
    values: Mapping[str, Any], said: Sequence[Statement], refuse: Refuse
) -> list[Statement]:
    """Who manages the fund now."""
    people = values.get(_MANAGERS)
    if not people:
        return []
    if not isinstance(people, list) or not all(isinstance(one, dict) for one in people):
        refuse(_MANAGERS, f"not a list of managers: {quote(people)}")
        return []
    found: dict[Any, tuple[Any, ...]] = {}
    unread = set()
    for one in people:
        number, name = (plain(str(one.get(key) or "")).strip() for key in ("id", "name"))
        if not 0 < len(number) <= 20 or not 0 < len(name) <= 60 or number in found:
            # Who it is cannot be said: nobody is told to have left.
            refuse(_MANAGERS, f"without a number and name of its own: {quote(one)}")
            return []
        career, size = _career(one.get("workTime")), _size(one.get("fundSize"))
        for text, read in (("workTime", career), ("fundSize", size)):
            if read is None:
                refuse(_MANAGERS, f"{name}: {text} {quote(one.get(text))} is not understood")
        if career is None or size is None:
            unread.add(number)
        else:
            found[number] = (name, *career, *size)
    columns = ("name", "career_days", "managed_assets", "managed_funds")
    return [Statement("fund_manager", columns, found, frozenset(unread), since="")]


def _career(text: object) -> tuple[int | None] | None:
    """`10年又143天` in days; None: not understood."""
    if text is None or text in _NOT_YET:
        return (None,)
    read = _WORKED.fullmatch(text) if isinstance(text, str) else None
    if not read or not any(read.groups()):
        return None
    years, days = (int(part or 0) for part in read.groups())
    return (total,) if (total := 365 * years + days) <= 36_500 else None


def _size(text: object) -> tuple[float | None, int | None] | None:
    """`6.62亿(7只基金)` in yuan and funds; None: not understood."""
    if text is None or text in _NOT_YET:
        return None, None
    read = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if not read:
        return None
    amount, unit, funds = read.groups()
    assets = float(round(float(amount) * _UNITS[unit]))
    many = int(funds) if funds else None
    return (assets, many) if assets <= 1e14 and (many or 0) <= 10_000 else None


READERS = (_positions, _holdings, _managers)
