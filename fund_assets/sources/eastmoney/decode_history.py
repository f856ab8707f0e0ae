"""Strict decoder of a fund's whole history: bytes in, observations and events out.

Belongs here: the exact form of `pingzhongdata/<code>.js`, as observed until 2026: variables
with a JSON value each; and the wording of its events. Any other form is refused with an error
that says what was met; no JavaScript is evaluated. Does not belong here: fetching
(`transport/gateway.py`), what akshare makes of it (`akshare_tables.py`).
"""

import re
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import days_to_keys
from fund_assets.safe_text import plain
from fund_assets.sources.eastmoney.cells import (
    Defects,
    Event,
    event_frame,
    numbers,
    observations,
    quote,
    unite,
)
from fund_assets.sources.eastmoney.decode_text import json_value, text_of
from fund_assets.transport.errors import (
    EmptyAnswerError,
    FormatError,
    TruncatedError,
    WrongFundError,
)

_FUND_CODE = re.compile(r'\bvar\s+fS_code\s*=\s*"([^"]*)"')
_NAV_KEYS = {"x", "y", "equityReturn", "unitMoney"}
_DAY_MS = 86_400_000
_SHANGHAI_MS = 8 * 3_600_000
_DATES = (19_900_101, 21_001_231)
_ASSIGN, _DECLARED = re.compile(r"\s*=\s*"), re.compile(r"\bvar\s+$")
_DIVIDEND = re.compile(
    r"每([0-9]*)份(?:基金份额)?派(?:发)?现金(?:红利)?([0-9]+(?:\.[0-9]+)?)元"
)
_SPLIT = re.compile(
    r"每([0-9]*)份(?:基金份额)?(?:折算|分拆|拆分)(?:为|成)?([0-9]+(?:\.[0-9]+)?|--)份"
    r"|(?<![0-9.])1[:：]([0-9]+(?:\.[0-9]+)?|--)"
    r"|(暂未披露)"
)
_EVENT_FILLER = re.compile(r"(?:分红|拆分|折算)[：:]|[\s，,；;。、]")
#: So many points may stand in a history twice.
MOST_AGAIN = 5


@dataclass(frozen=True)
class _Column:
    """The figures that one variable of a history has, each with its date."""

    variable: str
    dates: NDArray[np.int32]
    figures: dict[str, NDArray[np.float64]]
    defects: Defects


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
        raise WrongFundError(f"requested {what}, the answer is that of {quote(named)}")
    if not text.rstrip().endswith((";", "*/")):
        raise TruncatedError(f"{what} is incomplete: {quote(text[-60:])}")
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
        raise EmptyAnswerError(f"{what} has no date: the fund has not published yet")
    if again > max(MOST_AGAIN, len(frame) / 100):
        raise TruncatedError(
            f"{what} holds {again + len(frame)} points of only {len(frame)} dates: the source "
            "repeated a page; it is not used, try again later"
        )
    if not frame["nav_date"].is_monotonic_increasing:
        frame = frame.sort_values("nav_date", kind="stable", ignore_index=True)
    return frame, event_frame(rows)


def named_fund(text: str) -> str | None:
    """The code of the fund that a history says it is of."""
    found = _FUND_CODE.search(text)
    return found[1] if found else None


def _navs(text: str, fund_code: str, what: str) -> tuple[list[_Column], list[Event]]:
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
            raise FormatError(f"{what}: a point of {variable} is not a pair: {quote(point)}")
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
        raise FormatError(f"{what}: {quote(odd)} is not a time in milliseconds")
    local = np.array(stamps, dtype=np.int64) + _SHANGHAI_MS
    keys = days_to_keys(local // _DAY_MS)
    bad = (local % _DAY_MS != 0) | (keys < _DATES[0]) | (keys > _DATES[1])
    if bad.any():
        raise FormatError(
            f"{what}: {stamps[int(bad.argmax())]} is not midnight in Shanghai of a year from "
            "1990 to 2100"
        )
    return keys


def _variable(text: str, name: str, what: str) -> list[Any] | None:
    begins = _assigned(text, name)
    if begins is None:
        return None
    value, end = json_value(text, begins, f"{name} in {what}")
    if not isinstance(value, list) or text[end : end + 16].lstrip()[:1] != ";":
        raise FormatError(f"{name} in {what} is not a list that ends with a semicolon")
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
