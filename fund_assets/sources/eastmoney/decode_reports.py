"""Strict decoder of what a history answer says of a fund's reports: bytes in, statements out.

Belongs here: the forms of the variables with categories and series, their units, and the
refusal of cells that cannot be. Nothing here raises: a figure that is refused costs neither
another figure nor the NAVs. Does not belong here: the NAVs (`decode_history.py`), managers and
holdings (`decode_today.py`), what changes in the warehouse (`nav/reports.py`).
"""

import re
from math import isnan
from typing import Any

from fund_assets.nav.reports import (
    REPORT_TABLES,
    Reports,
    Statement,
    is_period_end,
    over_allocated,
)
from fund_assets.safe_text import plain
from fund_assets.sources.eastmoney.cells import Defects, numbers, quote
from fund_assets.sources.eastmoney.decode_text import json_value, text_of
from fund_assets.sources.eastmoney.decode_today import READERS, TODAY
from fund_assets.sources.eastmoney.history_variables import unknown, variables_of
from fund_assets.transport.errors import FormatError

_SCALE = "Data_fluctuationScale"
#: Variables with one list of figures to a name. A money fund's are not what their names say:
#: its Data_assetAllocation has the shares. So the names of the lists decide.
_VARIABLES = (
    _SCALE,
    "Data_holderStructure",
    "Data_assetAllocation",
    "Data_assetAllocationCurrency",
    "Data_buySedemption",
)
#: 亿 → yuan or shares, percent → fraction: the factor, and the decimals of what comes out.
_HUNDRED_MILLIONS, _PERCENT = (1e8, 0), (0.01, 8)
#: Name of a list → table, column and unit.
_COLUMNS = {
    "y": ("fund_size", "net_assets", _HUNDRED_MILLIONS),
    "mom": ("fund_size", "net_assets_change", _PERCENT),
    "期间申购": ("fund_size", "subscribed_shares", _HUNDRED_MILLIONS),
    "期间赎回": ("fund_size", "redeemed_shares", _HUNDRED_MILLIONS),
    "总份额": ("fund_size", "total_shares", _HUNDRED_MILLIONS),
    "机构持有比例": ("fund_holders", "institutions", _PERCENT),
    "个人持有比例": ("fund_holders", "individuals", _PERCENT),
    "内部持有比例": ("fund_holders", "insiders", _PERCENT),
    "股票占净比": ("fund_allocation", "stocks", _PERCENT),
    "债券占净比": ("fund_allocation", "bonds", _PERCENT),
    "现金占净比": ("fund_allocation", "cash", _PERCENT),
    "净资产": ("fund_allocation", "net_assets", _HUNDRED_MILLIONS),
}
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def decode_reports(body: bytes, fund_code: str) -> Reports:
    """What a history answer says of the fund's size, holders, portfolio and managers.

    Returns:
        Yuan, shares and fractions. `unknown` names variables and lists of figures that nothing
        is declared of.

    Raises:
        FormatError, EmptyAnswerError, TruncatedError: the answer is no text.
    """
    text = text_of(body, f"the history of fund {fund_code}")
    variables = variables_of(text)
    found = _Found(fund_code)
    values: dict[str, Any] = {}
    for name in (*_VARIABLES, *TODAY):
        if name in variables:
            try:
                values[name], _ = json_value(text, variables[name], name)
            except FormatError as error:
                found.refuse(name, str(error))
    for name in _VARIABLES:
        found.read(name, values.get(name))
    for read in READERS:
        found.statements += read(values, found.statements, found.refuse)
    told = (*unknown(variables), *found.unknown)
    return Reports(tuple(found.statements), tuple(found.refused), told)


class _Found:
    """What one answer said so far."""

    def __init__(self, fund_code: str) -> None:
        self.fund_code = fund_code
        self.statements: list[Statement] = []
        self.refused: list[str] = []
        self.unknown: list[str] = []

    def refuse(self, variable: str, why: str) -> None:
        """Note what cannot be used."""
        self.refused.append(f"{self.fund_code}: {variable}: {why}"[:300])

    def read(self, variable: str, value: Any) -> None:
        """Take in a variable; one without categories says nothing."""
        if not value or (isinstance(value, dict) and not value.get("categories")):
            return
        lists = _lists(value)
        if lists is None:
            self.refuse(variable, f"no categories with lists of their length: {quote(value)}")
            return
        periods = [_period(category) for category in value["categories"]]
        known = [period for period in periods if period is not None]
        if len(set(known)) < len(known):
            self.refuse(variable, f"a period twice: {quote(value['categories'])}")
            return
        for name in lists.keys() - _COLUMNS.keys():
            self.unknown.append(f"{variable} {plain(name)[:40]}")
        for table in REPORT_TABLES:
            self._state(variable, table, value["categories"], lists)

    def _state(
        self, variable: str, name: str, categories: list[object], lists: dict[str, list[object]]
    ) -> None:
        """The statement that a variable makes on one table, if it makes any."""
        table = REPORT_TABLES[name]
        wrong = Defects()
        columns: dict[str, list[float | None]] = {}
        for title, cells in lists.items():
            of, column, (factor, decimals) = _COLUMNS.get(title, ("", "", _PERCENT))
            if of != name:
                continue
            read = numbers(cells, title, wrong, unit="%" if title == "mom" else "").tolist()
            values = [None if isnan(v) else round(v * factor, decimals) for v in read]
            low, high = table[column].ge, table[column].le
            for row, value in enumerate(values):
                if value is not None and not _within(value, low, high):
                    wrong.add(row, f"{title}: {quote(cells[row])} cannot be")
            columns[column] = values
        if not columns:
            return
        periods, unread = {}, set()
        for row, figures in enumerate(zip(*columns.values(), strict=True)):
            period = _period(categories[row])
            if period is None or not is_period_end(name, period):
                self.refuse(variable, f"{quote(categories[row])} is not the end of a period")
                continue
            if over_allocated(dict(zip(columns, figures, strict=True))):
                wrong.add(row, "stocks, bonds and cash are over 200 % of net assets")
            if row in wrong.by_row:
                self.refuse(variable, f"{period}: {wrong.by_row[row]}")
                unread.add(period)
            else:
                periods[period] = figures
        self.statements.append(Statement(name, tuple(columns), periods, frozenset(unread)))


def _lists(value: Any) -> dict[str, list[object]] | None:
    """Name → list of cells, each as long as the categories; None: the form is another."""
    if not isinstance(value, dict):
        return None
    categories, series = value["categories"], value.get("series")
    if not isinstance(categories, list) or not isinstance(series, list):
        return None
    if not all(isinstance(one, dict) for one in series):
        return None
    if all("name" not in one for one in series):
        lists = {name: [one.get(name) for one in series] for name in ("y", "mom")}
    else:
        lists = {str(one.get("name")): one.get("data") or [] for one in series}
    fit = (isinstance(c, list) and len(c) in (0, len(categories)) for c in lists.values())
    return {name: cells for name, cells in lists.items() if cells} if all(fit) else None


def _period(category: object) -> int | None:
    found = _DAY.fullmatch(category) if isinstance(category, str) else None
    return int("".join(found.groups())) if found else None


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)
