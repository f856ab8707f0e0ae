"""The page of a fund's managers (基金经理变动一览) at eastmoney: every term since it began.

Belongs here: asking for the page and reading its table, strictly. Does not belong here: what a
term is (`nav/managers.py`), who manages a fund today (`decode_today.py`).
"""

import re
from datetime import date
from typing import Any

from fund_assets.calendar import to_key
from fund_assets.nav.managers import Term, days_of
from fund_assets.safe_text import plain
from fund_assets.sources.eastmoney.addresses import HEADERS, MANAGERS_URL, OVERVIEW_HOST
from fund_assets.sources.eastmoney.cells import Defects, numbers, quote
from fund_assets.sources.eastmoney.decode_text import text_of
from fund_assets.sources.eastmoney.table_limits import TooManyCellsError, check_tables
from fund_assets.sources.protocol import ManagerPage, Payload
from fund_assets.transport.errors import (
    FormatError,
    StatusError,
    TruncatedError,
    UnknownFundError,
    WrongFundError,
)
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.http_answer import Answer, banned
from fund_assets.transport.request import OneFund

ENDPOINT = "managers"
_MARK = "基金经理变动一览"
_HEAD = ["起始期", "截止期", "基金经理", "任职期间", "任职回报"]
_RUNNING, _NONE = "至今", "暂无"
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"(?:([0-9]{1,2})年又)?([0-9]{1,5})天")
_LINK = re.compile(r"/manager/([0-9]{1,20})\.html")


def manager_page(gateway: Gateway, fund_code: str) -> ManagerPage:
    """All terms of a fund's managers, in one request.

    Raises:
        UnknownFundError: there is not a page of it.
        SourceError: no answer, or one of another form or fund.
    """
    url = MANAGERS_URL.format(fund_code=fund_code)
    about = OneFund(fund_code)
    try:
        answer = gateway.fetch(
            ENDPOINT, url, headers=HEADERS, form="html", about=about, check=check_page
        )
    except StatusError as error:
        if error.status == 404:
            raise UnknownFundError(f"{OVERVIEW_HOST} has no fund {fund_code}") from error
        raise
    terms = decode_terms(answer.body, fund_code)
    payload = Payload(ENDPOINT, answer.sha256, len(answer.body), len(terms))
    return ManagerPage(fund_code, terms, (payload,))


def check_page(answer: Answer) -> None:
    """Refuse a cut page, and a page of another kind."""
    body, what = answer.body, f"the page {answer.url}"
    if _MARK.encode() not in body:
        raise banned(what, body)
    if not body.rstrip()[-64:].lower().endswith(b"</html>"):
        raise TruncatedError(f"{what} is incomplete, without </html>; try again later")


def decode_terms(body: bytes, fund_code: str) -> tuple[Term, ...]:
    """The terms of a page, the newest first, as it has them.

    Raises:
        FormatError: another form, or a row that cannot be; WrongFundError: another fund.
    """
    from lxml import etree, html

    what = f"the managers of fund {fund_code}"
    text = text_of(body, what)
    try:
        check_tables(text)
        root = html.document_fromstring(text)
    except (TooManyCellsError, etree.ParserError, ValueError) as error:
        raise FormatError(f"{what} cannot be read: {str(error)[:200]}") from error
    title = plain(root.findtext(".//title") or "")
    if f"({fund_code})" not in title:
        raise WrongFundError(f"{what} were requested, the page is of {quote(title)}")
    tables = [
        [list(row.iterchildren("td", "th")) for row in table.iter("tr")]
        for table in root.iter("table")
    ]
    found = [rows for rows in tables if rows and _texts(rows[0]) == _HEAD]
    if len(found) != 1:
        raise FormatError(
            f"{what} are in {len(found)} tables with the columns {', '.join(_HEAD)}, not in "
            "one: the source changed the page; upgrade fund-assets, or report it"
        )
    rows = [row for row in found[0][1:] if row]
    if len(rows) == 1 and len(rows[0]) == 1 and _NONE in _texts(rows[0])[0]:
        return ()
    terms = tuple(_term(row, what) for row in rows)
    if len({term.since for term in terms}) < len(terms):
        raise FormatError(f"{what} have two terms from the same day")
    return terms


def _texts(row: list[Any]) -> list[str]:
    return [" ".join(plain(cell.text_content()).split()) for cell in row]


def _term(row: list[Any], what: str) -> Term:
    cells = _texts(row)
    shown = quote(" | ".join(cells))
    if len(cells) != len(_HEAD):
        raise FormatError(f"{what}: the row {shown} has {len(cells)} cells, not {len(_HEAD)}")
    since = _day(cells[0])
    until = None if cells[1] == _RUNNING else _day(cells[1])
    if since is None or (cells[1] != _RUNNING and (until is None or until < since)):
        raise FormatError(f"{what}: the row {shown} does not last from one day to a later one")
    people = [
        (link[1], " ".join(plain(anchor.text_content()).split()))
        for anchor in row[2].iter("a")
        if (link := _LINK.search(anchor.get("href") or ""))
    ]
    # Who has no page of their own is known by name alone; some are named twice.
    people = people or [(name, name) for name in cells[2].split()]
    named = "".join(name for _, name in people).replace(" ", "")
    if not all(name for _, name in people) or named != cells[2].replace(" ", "") or not named:
        raise FormatError(f"{what}: the row {shown} does not name the managers")
    time = _TIME.fullmatch(cells[3])
    if not time and cells[3] != "-":
        raise FormatError(f"{what}: the row {shown} has a time that is not understood")
    defects = Defects()
    (published,) = numbers([cells[4]], "return", defects, unit="%").tolist()
    if defects.by_row or published < -100:
        raise FormatError(f"{what}: the row {shown} has a return that is not a number")
    return Term(
        since,
        until,
        dict(people),
        days_of(since, int(time[1] or 0), int(time[2])) if time else None,
        None if published != published else round(published / 100, 8),
    )


def _day(text: str) -> int | None:
    read = _DAY.fullmatch(text)
    try:
        day = date(*map(int, read.groups())) if read else None
    except ValueError:
        return None
    return to_key(day) if day and 1990 <= day.year <= 2100 else None
