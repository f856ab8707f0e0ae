"""Strict decoders of eastmoney's pages of money funds and of exchange-traded funds.

Belongs here: the form of these two pages, bytes in, frames out. A cell that is not a number is
a defect of its row; another form is an error of the whole page, so that akshare may try
(`akshare_tables.py`). Does not belong here: fetching (`source.py`), what the cells may hold
(`cells.py`).
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice, zip_longest
from typing import Any

import numpy as np
import pandas as pd

from fund_assets.calendar import to_key
from fund_assets.safe_text import plain
from fund_assets.sources.eastmoney.cells import Defects, numbers, observations, quote
from fund_assets.sources.eastmoney.table_limits import TooManyCellsError, check_tables
from fund_assets.transport.errors import EmptyAnswerError, FormatError, TruncatedError
from fund_assets.transport.http_answer import Answer, banned

_PAGE_MARK = "基金代码".encode("gb2312")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BLANKS = re.compile(r"[\r\n]+|\s{2,}")
#: Rows in which a header may end.
_HEADER_ROWS = 6


@dataclass(frozen=True)
class Page:
    """Observations of a page at its own two dates, and the names in it."""

    observations: pd.DataFrame
    listing: pd.DataFrame
    rows: int


@dataclass(frozen=True)
class PageForm:
    """What stands where in a page.

    Attributes:
        what: the page, in words.
        labels: of all its columns, in their order.
        figures: column of the newer date → the figure, and the unit in its cells; those of the
            older date follow as many columns later.
        growth: the column of the newer date's growth, if it has one.
        links: what follows a fund's name in the same cell.
    """

    what: str
    labels: tuple[str, ...]
    figures: Mapping[int, tuple[str, str]]
    growth: int | None
    links: re.Pattern[str]


_LABEL = "基金代码"
_CODE, _NAME = 3, 4
_HEAD = ("比较", "序号", "关注", _LABEL, "基金简称")
_MONEY_DAY = ("万份收益", "7日年化%", "单位净值")
_EXCHANGE_DAY = ("单位净值", "累计净值")
MONEY = PageForm(
    "the money fund page",
    (*_HEAD, *_MONEY_DAY, *_MONEY_DAY, "日涨幅", "成立日期", "基金经理", "手续费", "可购全部"),
    {5: ("yield_per_10k", ""), 6: ("yield_7d_pct", "%"), 7: ("unit_nav", "")},
    None,
    re.compile(r"\s*基金吧\s*档案\s*$"),
)
EXCHANGE = PageForm(
    "the exchange page",
    (*_HEAD, "类型", *_EXCHANGE_DAY, *_EXCHANGE_DAY, "增长值", "增长率", "市价", "折价率"),
    {6: ("unit_nav", ""), 7: ("acc_nav", "")},
    11,
    re.compile(r"\s*行情\s*吧\s*档案\s*$"),
)


def check_page(answer: Answer) -> None:
    """Refuse a cut page, which would be read as fewer rows, and a page of another kind."""
    body, what = answer.body, f"the page {answer.url}"
    if body.lstrip()[:1] != b"<":
        raise FormatError(f"{what} starts with {quote(body[:60].decode('gb18030', 'replace'))}")
    if not body.rstrip()[-64:].lower().endswith(b"</html>"):
        raise TruncatedError(f"{what} is incomplete, without </html>; try again later")
    if _PAGE_MARK not in body:
        raise banned(what, body)


def decode_page(body: bytes, form: PageForm) -> Page:
    """A page that `check_page` has let pass, at its two dates.

    Raises:
        EmptyAnswerError: it holds no fund.
        FormatError: other columns, rows of another width, or no two dates.
    """
    rows = [row for row in _own_rows(_table(body, form)) if len(row)]
    head = _laid_out(rows[:_HEADER_ROWS])
    labels = max((at for at, line in enumerate(head) if _LABEL in line), default=0)
    told = zip_longest(head[labels] if head else [], form.labels, fillvalue="")
    for at, (label, due) in enumerate(told, start=1):
        if label != due:
            raise FormatError(
                f"{form.what} calls its column {at} {quote(label)}, not {quote(due)}: the "
                "source changed it; upgrade fund-assets, or report it"
            )
    days = _days(head[labels - 1] if labels else [], form)
    funds = [_fund(row, form) for row in rows[labels + 1 :]]
    if not funds:
        raise EmptyAnswerError(f"{form.what} has no fund; try again later")
    columns = list(zip(*funds, strict=True))
    names = [form.links.sub("", cell) for cell in columns[_NAME]]
    per_day = [
        {name: (columns[at + later], unit) for at, (name, unit) in form.figures.items()}
        for later in (0, len(form.figures))
    ]
    growth = columns[form.growth] if form.growth is not None else None
    return page_of(columns[_CODE], names, days, per_day, growth)


def page_of(
    codes: Any, names: Any, days: tuple[date, date], per_day: list[Any], growth: Any
) -> Page:
    """The page whose cells are these.

    Args:
        codes, names: as they stand in the rows.
        days: the newer date, the older one.
        per_day: for each of them: figure → its cells, and the unit in them.
        growth: cells of the newer date's growth in percent, or None.
    """
    codes = [plain(str(code)) for code in codes]
    names = [plain(str(name)) for name in names]
    both: list[pd.DataFrame] = []
    for day, cells in zip(days, per_day, strict=True):
        defects = Defects()
        values = {
            name: numbers(list(texts), name, defects, unit=unit)
            for name, (texts, unit) in cells.items()
        }
        if growth is not None and not both:  # the page's growth is that of its newer date
            missing = np.isnan(values["unit_nav"])
            shown = ["" if gone else cell for gone, cell in zip(missing, growth, strict=True)]
            values["growth_pct"] = numbers(shown, "growth_pct", defects, unit="%")
        both.append(observations(codes, to_key(day), values, defects))
    kept = [name if "\ufffd" not in name else "" for name in names]
    listing = {"fund_code": codes, "name": kept, "fund_type": "", "pinyin": ""}
    return Page(
        pd.concat(both, ignore_index=True), pd.DataFrame(listing, dtype="str"), len(codes)
    )


def _table(body: bytes, form: PageForm) -> Any:
    """The only table of the page that has the label of codes, without what is not shown."""
    from lxml import etree, html

    text = body.decode("gb18030", "replace")
    try:
        check_tables(text)
        root = html.fromstring(text)
    except (TooManyCellsError, etree.ParserError, ValueError) as error:
        raise FormatError(f"{form.what} cannot be read: {str(error)[:200]}") from error
    found = [
        table
        for table in root.iter("table")
        if any(_LABEL in _texts(row) for row in islice(_own_rows(table), _HEADER_ROWS))
    ]
    if len(found) != 1:
        raise FormatError(f"{form.what} has {len(found)} tables with a column {_LABEL}, not 1")
    for hidden in found[0].xpath(".//*[@style]"):
        if "display:none" in hidden.get("style").replace(" ", ""):
            hidden.drop_tree()
    return found[0]


def _own_rows(table: Any) -> Iterator[Any]:
    """Rows of a table, without those of a table in it."""
    for row in table.iter("tr"):
        if next(row.iterancestors("table")) is table:
            yield row


def _cells(row: Any) -> list[Any]:
    return list(row.iterchildren("td", "th"))


def _texts(row: Any) -> list[str]:
    return [_BLANKS.sub(" ", cell.text_content().strip()) for cell in _cells(row)]


def _laid_out(rows: list[Any]) -> list[list[str]]:
    """Texts of the header's rows: a cell stands in all columns and rows that it covers."""
    laid: list[list[str]] = []
    above: dict[int, tuple[int, str]] = {}
    for row in rows:
        line: list[str] = []
        below: dict[int, tuple[int, str]] = {}
        cells = deque(zip(_cells(row), _texts(row), strict=True))
        while cells or len(line) in above:
            if len(line) in above:
                left, text = above[len(line)]
                wide = 1
            else:
                cell, text = cells.popleft()
                left, wide = _span(cell, "rowspan"), _span(cell, "colspan")
            for _ in range(wide):
                if left > 1:
                    below[len(line)] = (left - 1, text)
                line.append(text)
        laid.append(line)
        above = below
    return laid


def _span(cell: Any, name: str) -> int:
    """How many it covers; `check_tables` has seen that it is a small number."""
    return max(int(cell.get(name) or 1), 1)


def _fund(row: Any, form: PageForm) -> list[str]:
    """The texts of a fund's row."""
    cells = _cells(row)
    if len(cells) != len(form.labels) or any(
        _span(cell, name) > 1 for cell in cells for name in ("colspan", "rowspan")
    ):
        raise FormatError(
            f"{form.what} has a row of {len(cells)} cells, not of {len(form.labels)} that "
            f"cover a column each: {quote(' '.join(_texts(row)))}"
        )
    return _texts(row)


def _days(row: list[str], form: PageForm) -> tuple[date, date]:
    """The dates above the figures, newer first."""
    width = len(form.figures)
    first = min(form.figures)
    told = [row[first + at * width : first + (at + 1) * width] or [""] for at in (0, 1)]
    try:
        if any(len({*cells}) != 1 or not _DAY.fullmatch(cells[0]) for cells in told):
            raise ValueError
        newer, older = (date.fromisoformat(cells[0]) for cells in told)
        if newer <= older or newer.year > 2100 or older.year < 1990:
            raise ValueError
    except ValueError:
        raise FormatError(
            f"{form.what} has {quote(row)} above its labels, not a newer and an older date"
        ) from None
    return newer, older
