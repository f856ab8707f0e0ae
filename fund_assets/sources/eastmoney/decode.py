"""Strict decoders of eastmoney's two hot payloads and its fund list: bytes in, frames out.

Belongs here: pure functions that know the payloads' exact form and refuse any other with an
error that says what they met. They evaluate no JavaScript. Does not belong here: fetching
(`transport/gateway.py`), the two pages (`decode_pages.py`), what akshare makes of it
(`akshare_tables.py`).

The forms, as observed until 2026:

- market snapshot `Fund_JJJZ_Data.aspx`: `var db={chars:[..],datas:[[..],..],count:[..],
  record:"N",..,showday:["D0","D1"]}`, a row being 21 texts: code, name, pinyin, unit and
  accumulated NAV of D0, of D1, growth in yuan, growth in percent, and 12 more. One variant
  has 23: the last two are month and day of the row's two values.
- a fund's history `pingzhongdata/<code>.js`: variables with a JSON value each.
- fund list `fundcode_search.js`: `var r = [[code, pinyin, name, type, long pinyin],..];`
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from math import nan
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import days_to_keys, to_key
from fund_assets.safe_text import plain
from fund_assets.sources.eastmoney.cells import (
    NOT_YET,
    Defects,
    numbers,
    observations,
    quote,
    unite,
)
from fund_assets.sources.protocol import EVENT_COLUMNS, LISTING_COLUMNS
from fund_assets.transport.errors import (
    EmptyAnswerError,
    FormatError,
    TruncatedError,
    WrongFundError,
)

SNAPSHOT_FIELDS = (21, 23)
_SNAPSHOT_HEAD = re.compile(r"\s*var db\s*=\s*\{chars:\[[^\[\]{}]*\],datas:(?=\[)")
_RECORD = re.compile(r'[,}]record:"([0-9]+)"')
_SHOWDAY = re.compile(
    r'showday:\["([0-9]{4}-[0-9]{2}-[0-9]{2})","([0-9]{4}-[0-9]{2}-[0-9]{2})"'
)
_LIST_HEAD = re.compile(r"\s*var r\s*=\s*(?=\[)")
_FUND_CODE = re.compile(r'\bvar\s+fS_code\s*=\s*"([^"]*)"')
_DAY_MS = 86_400_000
_SHANGHAI_MS = 8 * 3_600_000
_DATES = (19_900_101, 21_001_231)

_DIVIDEND = re.compile(
    r"每([0-9]*)份(?:基金份额)?派(?:发)?现金(?:红利)?([0-9]+(?:\.[0-9]+)?)元"
)
_SPLIT = re.compile(
    r"每([0-9]*)份(?:基金份额)?(?:折算|分拆|拆分)(?:为|成)?([0-9]+(?:\.[0-9]+)?|--)份"
    r"|(?<![0-9.])1[:：]([0-9]+(?:\.[0-9]+)?|--)"
    r"|(暂未披露)"
)
_EVENT_FILLER = re.compile(r"(?:分红|拆分|折算)[：:]|[\s，,；;。、]")


@dataclass(frozen=True)
class Snapshot:
    """A decoded market snapshot; `rows` as the payload holds them, one per share class."""

    newest: date
    previous: date
    observations: pd.DataFrame
    listing: pd.DataFrame
    rows: int
    duplicates: int


def decode_snapshot(body: bytes) -> Snapshot:
    """The open-fund snapshot: two observations per share class, one for each header date.

    A cell of figures that is no number, and a row of another width, are defects of that row.

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
        raise TruncatedError(f"the market snapshot ends in the middle: {quote(text[-60:])}")
    rows, end = json_value(text, head.end(), "the market snapshot")
    tail = text[end:]
    newest, previous = header_dates(tail)
    check_record(tail, len(rows))
    if not rows:
        raise EmptyAnswerError("the market snapshot holds no fund; try again later")
    rows = _plain_rows(rows, 3)
    odd = _set_right(rows, SNAPSHOT_FIELDS)
    _check_rows(rows, SNAPSHOT_FIELDS, "the market snapshot", texts=3)
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
    return Snapshot(newest, previous, united, listing, len(rows), duplicates)


def header_dates(text: str) -> tuple[date, date]:
    """The two dates of a snapshot's `showday`, newer first."""
    if not (found := _SHOWDAY.search(text)):
        raise FormatError('the market snapshot has no showday:["yyyy-mm-dd","yyyy-mm-dd"]')
    try:
        newest, previous = date.fromisoformat(found[1]), date.fromisoformat(found[2])
    except ValueError as error:
        raise FormatError(f"the market snapshot's {found[0]}] is no pair of dates") from error
    if previous >= newest:
        raise FormatError(f"the market snapshot's dates are not in order: {found[0]}]")
    return newest, previous


def check_record(text: str, rows: int) -> None:
    """Hold the number of rows against the payload's own `record` count."""
    if not (found := _RECORD.search(text)):
        raise FormatError('the market snapshot has no record:"N"')
    if rows < (due := int(found[1])):
        raise TruncatedError(
            f"the market snapshot says it holds {due} funds and holds {rows}: the source caps "
            "its page or cut the answer; nothing of it is used, try again later"
        )
    if rows > due:
        raise FormatError(f"the market snapshot says it holds {due} funds and holds {rows}")


def _check_days(cells: tuple[str, ...], day: date, defects: Defects) -> None:
    """In the variant with 23 fields a row says of which days its values are."""
    due = day.strftime("%m-%d")
    for row, cell in enumerate(cells):
        if cell not in ("", due):
            defects.add(row, f"nav_date: the row says {quote(cell)}, the header {day}")


def decode_list(body: bytes) -> pd.DataFrame:
    """The fund list: a frame with `LISTING_COLUMNS`, rows and characters as they stand."""
    text = text_of(body, "the fund list")
    if not (head := _LIST_HEAD.match(text)):
        raise FormatError(f"the fund list starts with {quote(text)}, not with var r = [[")
    if not text.rstrip(" \t\r\n;").endswith("]"):
        raise TruncatedError(f"the fund list ends in the middle: {quote(text[-60:])}")
    rows, end = json_value(text, head.end(), "the fund list")
    if text[end:].strip(" \t\r\n;"):
        raise FormatError(f"after the fund list comes {quote(text[end:])}")
    if not rows:
        raise EmptyAnswerError("the fund list holds no fund; try again later")
    rows = _plain_rows(rows, 5)
    _check_rows(rows, (5,), "the fund list")
    code, pinyin, name, fund_type, _ = zip(*rows, strict=True)
    return pd.DataFrame(
        dict(zip(LISTING_COLUMNS, (code, name, fund_type, pinyin), strict=True)), dtype="str"
    )


def decode_history(body: bytes, fund_code: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One fund's whole history: observations and events, both by ascending date.

    Money funds have yields, others unit and accumulated NAV and growth; the payload's own
    variables say which. An event whose wording is unknown is a defect of its date's row.

    Raises:
        WrongFundError: the payload names another fund than `fund_code`.
        FormatError, TruncatedError, EmptyAnswerError: see `sources/protocol.py`.
    """
    what = f"the history of fund {fund_code}"
    text = text_of(body, what)
    if (named := named_fund(text)) is None:
        raise FormatError(f"{what} has no fS_code; it starts with {quote(text)}")
    if named != fund_code:
        raise WrongFundError(f"{what} was asked for, the answer is that of {quote(named)}")
    if not text.rstrip().endswith((";", "*/")):
        raise TruncatedError(f"{what} ends in the middle: {quote(text[-60:])}")
    navs, rows = _navs(text, fund_code, what)
    columns = navs + _yields(text, what)
    if not columns:
        raise FormatError(f"{what} has neither Data_netWorthTrend nor Data_millionCopiesIncome")
    frame, again = unite(
        {
            column.variable: observations(
                [fund_code] * len(column.dates), column.dates, column.figures, column.defects
            )
            for column in _side_by_side(columns)
        }
    )
    if frame.empty:
        raise EmptyAnswerError(f"{what} holds no date: the fund has not published yet")
    if again > max(MOST_AGAIN, len(frame) / 100):
        raise TruncatedError(
            f"{what} holds {again + len(frame)} points of only {len(frame)} dates: the source "
            "gave a page of it again and again; nothing of it is used, try again later"
        )
    if not frame["nav_date"].is_monotonic_increasing:
        frame = frame.sort_values("nav_date", kind="stable", ignore_index=True)
    return frame, event_frame(rows)


def named_fund(text: str) -> str | None:
    """The code of the fund that a history says it is of."""
    found = _FUND_CODE.search(text)
    return found[1] if found else None


_Event = tuple[str, int, str, float, str]


def event_frame(rows: list[_Event]) -> pd.DataFrame:
    """Events as a frame with `EVENT_COLUMNS` and fixed dtypes."""
    columns = zip(*rows, strict=True) if rows else [()] * len(EVENT_COLUMNS)
    typed = zip(EVENT_COLUMNS, columns, ("str", "int32", "str", "float64", "str"), strict=True)
    return pd.DataFrame({name: pd.Series(cells, dtype=dtype) for name, cells, dtype in typed})


#: So many points may stand in a history twice.
MOST_AGAIN = 5


@dataclass(frozen=True)
class _Column:
    """The figures that one variable of a history has, each with its date."""

    variable: str
    dates: NDArray[np.int32]
    figures: dict[str, NDArray[np.float64]]
    defects: Defects


def _navs(text: str, fund_code: str, what: str) -> tuple[list[_Column], list[_Event]]:
    points = _variable(text, "Data_netWorthTrend", what)
    if points is None:
        return [], []
    accumulated = _pairs(text, "Data_ACWorthTrend", "acc_nav", what)
    if not accumulated:
        raise FormatError(f"{what} has Data_netWorthTrend and no Data_ACWorthTrend")
    try:
        cells = [(p["x"], p["y"], p["equityReturn"], p["unitMoney"]) for p in points]
    except (KeyError, TypeError):
        odd = next(p for p in points if not isinstance(p, dict) or _NAV_KEYS - p.keys())
        raise FormatError(
            f"{what}: a point of Data_netWorthTrend lacks one of {sorted(_NAV_KEYS)}: "
            f"{quote(odd)}"
        ) from None
    stamps, unit, growth, texts = zip(*cells, strict=True) if cells else ((), (), (), ())
    keys = shanghai_dates(stamps, what)
    defects = Defects()
    figures = {
        "unit_nav": numbers(unit, "unit_nav", defects),
        "growth_pct": numbers(growth, "growth_pct", defects),
    }
    events = []
    for row, wording in enumerate(texts):
        if not wording:
            continue
        day = int(keys[row])
        read = read_events(wording) if isinstance(wording, str) else []
        if not read:
            defects.add(row, f"event: unknown wording: {quote(wording)}")
        events += [(fund_code, day, kind, value, plain(wording)) for kind, value in read]
    return [_Column("Data_netWorthTrend", keys, figures, defects), *accumulated], events


_NAV_KEYS = {"x", "y", "equityReturn", "unitMoney"}


def _yields(text: str, what: str) -> list[_Column]:
    daily = _pairs(text, "Data_millionCopiesIncome", "yield_per_10k", what)
    weekly = _pairs(text, "Data_sevenDaysYearIncome", "yield_7d_pct", what)
    if bool(daily) != bool(weekly):
        raise FormatError(
            f"{what} has only one of Data_millionCopiesIncome and Data_sevenDaysYearIncome"
        )
    return daily + weekly


def _pairs(text: str, variable: str, name: str, what: str) -> list[_Column]:
    """A variable whose points are [milliseconds, value]."""
    points = _variable(text, variable, what)
    if points is None:
        return []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            raise FormatError(f"{what}: a point of {variable} is no pair: {quote(point)}")
    defects = Defects()
    keys = shanghai_dates([point[0] for point in points], what)
    figures = {name: numbers([point[1] for point in points], name, defects)}
    return [_Column(variable, keys, figures, defects)]


def _side_by_side(columns: list[_Column]) -> list[_Column]:
    """Columns that have the same dates, once each, and no defects, as one: the usual case.

    No two have the same figure, so there is nothing to hold against anything.
    """
    dates = columns[0].dates
    if (
        any(c.defects.by_row or not np.array_equal(c.dates, dates) for c in columns)
        or (np.diff(dates) <= 0).any()
    ):
        return columns
    figures = {name: values for c in columns for name, values in c.figures.items()}
    return [replace(columns[0], figures=figures)]


def read_events(wording: str) -> list[tuple[str, float]]:
    """`unitMoney` → (kind, value) pairs; an empty list when any of it is not understood.

    A dividend's value is yuan per share, a split's is new shares per old one, and NaN when
    the wording says that it is not disclosed. Several dividends of a day add up, several
    splits follow one another.
    """
    cash = list(_DIVIDEND.finditer(wording))
    rest = _DIVIDEND.sub("", wording)
    ratios = list(_SPLIT.finditer(rest))
    rest = _EVENT_FILLER.sub("", _SPLIT.sub("", rest))
    per = [m[1] for m in (*cash, *ratios) if m[1]]
    if rest or not all(text.strip("0") for text in per):
        return []
    found = []
    if cash:
        paid = [float(m[2]) / int(m[1] or 1) for m in cash]
        found.append(("dividend", sum(paid) if len(paid) > 1 else paid[0]))
    if ratios:
        ratio = 1.0
        for m in ratios:
            told = m[2] or m[3]
            ratio *= float(told) / int(m[1] or 1) if told and told != "--" else nan
        found.append(("split", ratio))
    return found


def shanghai_dates(stamps: Any, what: str) -> NDArray[np.int32]:
    """Milliseconds since 1970 that are midnights in Shanghai → yyyymmdd."""
    if set(map(type, stamps)) - {int} or (
        stamps and not 0 <= min(stamps) <= max(stamps) < 10**14
    ):
        odd = next(s for s in stamps if type(s) is not int or not 0 <= s < 10**14)
        raise FormatError(f"{what}: {quote(odd)} is no time in milliseconds")
    local = np.array(stamps, dtype=np.int64) + _SHANGHAI_MS
    keys = days_to_keys(local // _DAY_MS)
    bad = (local % _DAY_MS != 0) | (keys < _DATES[0]) | (keys > _DATES[1])
    if bad.any():
        raise FormatError(
            f"{what}: {stamps[int(bad.argmax())]} is no midnight in Shanghai of a year "
            "from 1990 to 2100"
        )
    return keys


def _variable(text: str, name: str, what: str) -> list[Any] | None:
    begins = _assigned(text, name)
    if begins is None:
        return None
    value, end = json_value(text, begins, f"{name} in {what}")
    if not isinstance(value, list) or text[end : end + 16].lstrip()[:1] != ";":
        raise FormatError(f"{name} in {what} is no list that ends with a semicolon")
    return value


def _assigned(text: str, name: str) -> int | None:
    """Where the value of a variable begins.

    The name is looked for first: that is a hundred times faster than one pattern for all.
    """
    at = text.find(name)
    while at >= 0:
        after = _ASSIGN.match(text, at + len(name))
        if after and _DECLARED.search(text[max(at - 20, 0) : at]):
            return after.end()
        at = text.find(name, at + 1)
    return None


def json_value(text: str, at: int, what: str) -> tuple[Any, int]:
    """The JSON value at `at` and where it ends; NaN and Infinity become their text."""
    try:
        value, end = _DECODER.raw_decode(text, at)
        if any(exponent.search(text, at, end) for exponent in _OVERFLOWS):
            value, end = _SPELLING_DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{what} is not the JSON it should be: {error}"[:300]) from error
    return value, end


def _spelled(text: str) -> float | str:
    return value if abs(value := float(text)) < 1e300 else text


_ASSIGN, _DECLARED = re.compile(r"\s*=\s*"), re.compile(r"\bvar\s+$")
_DECODER = json.JSONDecoder(parse_constant=str)
_SPELLING_DECODER = json.JSONDecoder(parse_constant=str, parse_float=_spelled)
#: A number beyond float64, whose text a defect should quote. Two patterns that begin with a
#: letter of their own are found six times as fast as one.
_OVERFLOWS = re.compile(r"e\+?[0-9]{3}"), re.compile(r"E\+?[0-9]{3}")


def _plain_rows(rows: Any, texts: int) -> list[Any]:
    """Rows whose first cells, a code and names, are plain texts; a name of null is none."""

    def cells(row: list[Any]) -> list[Any]:
        told = [plain(cell) if type(cell) is str else cell for cell in row[:texts]]
        named = [cell if type(cell) is str else "" for cell in told[1:]]
        return [*told[:1], *named, *row[texts:]]

    return [cells(row) if type(row) is list else row for row in rows]


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


def _check_rows(
    rows: Any, widths: tuple[int, ...], what: str, texts: int | None = None
) -> None:
    """Refuse rows of another form; `texts`: so many first cells are texts, or all."""
    if not all(type(row) is list for row in rows):
        raise FormatError(f"{what} holds a row that is no list")
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
                    f"{what}: fund {quote(row[0])} has a cell {quote(cell)}, no text"
                )


def text_of(body: bytes, what: str) -> str:
    """An answer's text: UTF-8, with or without a byte-order mark."""
    if not body.strip():
        raise EmptyAnswerError(f"{what} is empty; try again later")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise TruncatedError(f"{what} ends in the middle of a character") from error
        raise FormatError(f"{what} is not UTF-8: {error}"[:300]) from error
