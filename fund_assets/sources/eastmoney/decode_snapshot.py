"""Strict decoder of the open-fund snapshot: bytes in, frames out.

Belongs here: the exact form of `Fund_JJJZ_Data.aspx`; any other is refused with an error that
says what was met. Does not belong here: fetching (`transport/gateway.py`), the two pages
(`decode_pages.py`), what akshare makes of it (`akshare_tables.py`).

The form, as observed until 2026: `var db={chars:[..],datas:[[..],..],count:[..],
record:"N",..,showday:["D0","D1"]}`, a row being 21 texts (`CELLS`, and `ignored_cells.py`). One
variant has 23: the last two are month and day of the row's two values.
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from fund_assets.calendar import to_key
from fund_assets.sources.eastmoney.cells import (
    NOT_YET,
    Defects,
    numbers,
    observations,
    quote,
    unite,
)
from fund_assets.sources.eastmoney.decode_text import (
    check_rows,
    json_value,
    plain_rows,
    text_of,
)
from fund_assets.sources.eastmoney.status_cells import status_frame
from fund_assets.transport.errors import EmptyAnswerError, FormatError, TruncatedError

SNAPSHOT_FIELDS = (21, 23)
#: Place in a row → what is read there.
CELLS = {
    0: "fund_code",
    1: "name",
    2: "pinyin",
    3: "unit_nav of D0",
    4: "acc_nav of D0",
    5: "unit_nav of D1",
    6: "acc_nav of D1",
    8: "growth_pct of D0",
    9: "purchase_word",
    10: "redemption_word",
    17: "fee",
    20: "full_fee",
    21: "month and day of D0",
    22: "month and day of D1",
}
_SNAPSHOT_HEAD = re.compile(r"\s*var db\s*=\s*\{chars:\[[^\[\]{}]*\],datas:(?=\[)")
_RECORD = re.compile(r'[,}]record:"([0-9]+)"')
_SHOWDAY = re.compile(
    r'showday:\["([0-9]{4}-[0-9]{2}-[0-9]{2})","([0-9]{4}-[0-9]{2}-[0-9]{2})"'
)


@dataclass(frozen=True)
class Snapshot:
    """A decoded market snapshot; `rows` as the payload holds them, one per share class.

    `statuses` has the columns `STATUS_COLUMNS` of `sources/protocol.py`.
    """

    newest: date
    previous: date
    observations: pd.DataFrame
    listing: pd.DataFrame
    statuses: pd.DataFrame
    rows: int
    duplicates: int


def decode_snapshot(body: bytes) -> Snapshot:
    """The open-fund snapshot: of each share class two observations and its status.

    The observations are of the two header dates. A cell of figures that is not a number, and a
    row of another width, are defects of that row.

    The published growth is the newer date's. Where that date's unit NAV is blank the growth
    cell is not read: nothing says which date it would belong to.

    Raises:
        FormatError, TruncatedError, EmptyAnswerError: see `sources/protocol.py`.
    """
    text = text_of(body, "the market snapshot")
    if not (head := _SNAPSHOT_HEAD.match(text)):
        raise FormatError(
            f"the market snapshot starts with {quote(text)}, not with var db={{chars:..,datas:"
        )
    if not text.rstrip(" \t\r\n;").endswith("}"):
        raise TruncatedError(f"the market snapshot is incomplete: {quote(text[-60:])}")
    rows, end = json_value(text, head.end(), "the market snapshot")
    tail = text[end:]
    newest, previous = header_dates(tail)
    check_record(tail, len(rows))
    if not rows:
        raise EmptyAnswerError("the market snapshot has no fund; try again later")
    rows = plain_rows(rows, 3)
    odd = _set_right(rows, SNAPSHOT_FIELDS)
    check_rows(rows, SNAPSHOT_FIELDS, "the market snapshot", texts=3)
    codes, names, pinyin, unit0, acc0, unit1, acc1, _, growth, *rest = zip(*rows, strict=True)
    days = rest[12:]

    now, before = Defects(), Defects()
    for row, said in odd.items():
        now.add(row, said)
        before.add(row, said)
    unit = numbers(unit0, "unit_nav", now)
    published = [
        "" if nav is None or (type(nav) is str and nav in NOT_YET) else cell
        for cell, nav in zip(growth, unit0, strict=True)
    ]
    today = {
        "unit_nav": unit,
        "acc_nav": numbers(acc0, "acc_nav", now),
        "growth_pct": numbers(published, "growth_pct", now),
    }
    yesterday = {
        "unit_nav": numbers(unit1, "unit_nav", before),
        "acc_nav": numbers(acc1, "acc_nav", before),
    }
    for cells, day, defects in zip(days, (newest, previous), (now, before), strict=False):
        _check_days(cells, day, defects)
    both = pd.concat(
        [
            observations(codes, to_key(newest), today, now),
            observations(codes, to_key(previous), yesterday, before),
        ],
        ignore_index=True,
    )
    united, duplicates = unite({"open_funds": both})
    listing = pd.DataFrame(
        {"fund_code": codes, "name": names, "fund_type": "", "pinyin": pinyin}, dtype="str"
    ).drop_duplicates("fund_code", ignore_index=True)
    statuses = status_frame(codes, rest[0], rest[1], rest[8], rest[11], odd)
    return Snapshot(newest, previous, united, listing, statuses, len(rows), duplicates)


def header_dates(text: str) -> tuple[date, date]:
    """The two dates of a snapshot's `showday`, newer first."""
    if not (found := _SHOWDAY.search(text)):
        raise FormatError('the market snapshot has no showday:["yyyy-mm-dd","yyyy-mm-dd"]')
    try:
        newest, previous = date.fromisoformat(found[1]), date.fromisoformat(found[2])
    except ValueError as error:
        raise FormatError(
            f"the market snapshot's {found[0]}] is not a pair of dates"
        ) from error
    if previous >= newest:
        raise FormatError(f"the market snapshot's dates are not in order: {found[0]}]")
    return newest, previous


def check_record(text: str, rows: int) -> None:
    """Hold the number of rows against the payload's own `record` count."""
    if not (found := _RECORD.search(text)):
        raise FormatError('the market snapshot has no record:"N"')
    if rows < (due := int(found[1])):
        raise TruncatedError(
            f"the market snapshot says it has {due} funds but has {rows}: the source limits "
            "its page or cut the answer; it is not used, try again later"
        )
    if rows > due:
        raise FormatError(f"the market snapshot says it has {due} funds but has {rows}")


def _check_days(cells: tuple[str, ...], day: date, defects: Defects) -> None:
    """In the variant with 23 fields a row says of which days its values are."""
    due = day.strftime("%m-%d")
    for row, cell in enumerate(cells):
        if cell not in ("", due):
            defects.add(row, f"nav_date: the row says {quote(cell)}, the header {day}")


def _set_right(rows: list[Any], widths: tuple[int, ...]) -> dict[int, str]:
    """Give rows of another width no figures; row number → what is wrong with it.

    They keep their code. More than one in a hundred are a form of its own, which is left.
    """
    found = Counter(len(row) for row in rows if type(row) is list)
    width = max(widths, key=lambda known: found[known])
    odd = {
        at: row
        for at, row in enumerate(rows)
        if type(row) is list and len(row) != width and row and type(row[0]) is str
    }
    if len(odd) * 100 > len(rows):
        return {}
    for at, row in odd.items():
        rows[at] = [row[0], *[""] * (width - 1)]
    return {at: f"the row has {len(row)} fields, not {width}" for at, row in odd.items()}
