"""The yearly notices on holidays, read into days on which the exchange does not trade.

Belongs here: reading the texts of 国务院办公厅关于…年部分节假日安排的通知 and of the
exchange's 休市安排, amendments (延长, 调整) among them, and what speaks against a text: a
weekday that does not fit, a length that is not the one it says, a holiday that is missing, a
date of which nothing is said. Does not belong here: comparing notices and taking them over
(`pipeline/announcements.py`).

Make-up working days on weekends are no sessions: they are read to be checked, and change
nothing.
"""

import codecs
import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from fund_assets.calendar import CalendarError

WEEKDAYS = "一二三四五六日"
HOLIDAYS = ("元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节")
#: Of whom a notice is, in words.
ISSUERS = {"council": "国务院办公厅", "exchange": "the exchange"}

_DATE = r"(?:\d{4}年)?(?:\d{1,2}月)?\d{1,2}日(?:\([^()]*\))?"
_RANGE = rf"{_DATE}(?:(?:至|到|[-—–~]+){_DATE})?"
_ONE = re.compile(
    r"(?:(?P<year>\d{4})年)?(?:(?P<month>\d{1,2})月)?(?P<day>\d{1,2})日"
    r"(?:\((?P<note>[^()]*)\))?"
)
_STATEMENT = re.compile(
    rf"(?P<days>{_RANGE}(?:[、和及]{_RANGE})*)"
    r"(?:(?P<weekend>为?周末休市)|(?P<off>全国放假|调休放假|放假调休|放假公休|放假|补休|调休|(?:为节假日)?休市)"
    r"|(?P<work>(?:照常|正常)?上班)|(?P<opens>起?(?:照常|正常|恢复)?(?:开市|交易)|起(?:照常|正常)上班)"
    r"|(?P<night>\(?[^,。;]{0,3}不进行夜盘交易))"
    r"(?:[,、]?共?(?P<length>\d+)天)?"
)
_NAMES = "|".join(HOLIDAYS)
_ITEM = re.compile(rf"(?P<names>(?:{_NAMES})(?:[、和](?:{_NAMES}))*)(?:期间|假期)?[:,]?(?=\d)")
_ADVISED = re.compile(r"(?P<days>(?:除夕)?\((?:\d{1,2})月(?:\d{1,2})日\))休息")
_EXTENDED = re.compile(
    rf"延长(?P<year>\d{{4}})年[^。,;]{{0,12}}?(?P<what>假期|休市)[^。,;]{{0,4}}?至(?P<days>{_DATE})"
)
_SIGNED = re.compile(r"(?:国务院(?:办公厅)?|交易所)\d{4}年\d{1,2}月\d{1,2}日")
#: How a notice begins; the text of one may hold several of these. What is quoted in 《》 names
#: another one.
_HEADS = (
    re.compile(
        r"(?<!《)国务院(?:办公厅)?关于(?P<amends>延长|调整)?(?P<year>\d{4})年"
        r"[^。《》]{0,24}?(?:节假日|假期)[^。《》]{0,10}?通知"
    ),
    re.compile(
        r"(?<!《)国务院(?:办公厅)?关于(?!延长|调整|\d)(?P<amends>[^。《》]{0,60}?放假)的通知"
    ),
    re.compile(
        r"(?<!《)关于(?:[^。《》\d]{0,14}?)(?P<amends>延长|调整)?(?P<year>\d{4})年"
        r"[^。《》]{0,24}?(?P<exchange>休市)[^。《》]{0,10}?(?:通知|公告)"
    ),
    re.compile(
        r"现[将就](?P<amends>延长|调整)?(?P<year>\d{4})年[^。《》]{0,60}?"
        r"(?:(?P<exchange>休市)|放假|假期)[^。《》]{0,24}?(?:如下|公告)"
    ),
    re.compile(
        r"(?P<amends>延长)(?P<year>\d{4})年[^。,;《》]{0,12}?(?:假期|(?P<exchange>休市))"
        r"[^。,;《》]{0,4}?至"
    ),
)
_YEAR = re.compile(r"(\d{4})年")


class NoticeError(CalendarError):
    """A notice's text cannot be read, or speaks against itself; the message names the line."""


@dataclass
class Notice:
    """What one notice says.

    Attributes:
        kind: `council`, on holidays, or `exchange`, on its own closing.
        year: of which it is.
        amends: it changes an announced year, or is of one holiday, and does not name them all.
        where: file and line at which it begins.
        closed: day off, or of closing, → file and line; weekends among them.
        advised: days off that are only recommended.
        opens: days from which on there is work or trade again.
        extended: a holiday is lengthened to this day.
    """

    kind: Literal["council", "exchange"]
    year: int
    amends: bool
    where: str
    closed: dict[date, str] = field(default_factory=dict)
    advised: dict[date, str] = field(default_factory=dict)
    opens: dict[date, str] = field(default_factory=dict)
    extended: date | None = None

    @property
    def issuer(self) -> str:
        """Whose notice it is, in words."""
        return ISSUERS[self.kind]


#: What pages put between letters, and nobody sees.
_HIDDEN = re.compile("[\xad\u200b-\u200f\u2060\ufeff]")


class _Text:
    """A text without blanks in which every place knows its line."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._starts: list[int] = []
        parts: list[str] = []
        at = 0
        for line in text.splitlines():
            kept = _HIDDEN.sub("", "".join(unicodedata.normalize("NFKC", line).split()))
            self._starts.append(at)
            parts.append(kept)
            at += len(kept)
        self.text = "".join(parts)

    def where(self, at: int) -> str:
        """File and line of a place."""
        return f"{self._name}, line {bisect_right(self._starts, at)}"


_TAG = re.compile(
    r"<(?:script|style)\b.*?</(?:script|style)\s*>|<!--.*?-->|<[^>]*>", re.I | re.S
)
#: No notice, nor the page around it, is larger.
LARGEST_BYTES = 2_000_000


def page_text(body: bytes, name: str) -> str:
    """The text of a file or saved page, line by line as it stands there.

    Raises:
        NoticeError: it is too large, or neither UTF-8, GB 18030 nor UTF-16 that says so.
    """
    if len(body) > LARGEST_BYTES:
        raise NoticeError(
            f"{name}: {len(body):,} bytes are too many for a notice; save only its page"
        )
    marked = body[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = body.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise NoticeError(f"{name}: it is not text in UTF-8 or GB 18030; save the page as text")
    if "<" in text:
        text = html.unescape(_TAG.sub(lambda tag: "\n" * tag[0].count("\n"), text))
    return text


def read_notices(text: str, name: str) -> list[Notice]:
    """The notices in a text, in its order.

    Args:
        text: one or more notices as they are published, with what stands around them.
        name: of the file, for messages.

    Raises:
        NoticeError: there is none, or one cannot be read as a whole; names the line.
    """
    whole = _Text(text, name)
    heads = sorted(
        (found.start(), found) for head in _HEADS for found in head.finditer(whole.text)
    )
    begun: list[tuple[int, Notice]] = []
    for at, found in heads:
        notice = _head(whole, at, found)
        last = begun[-1][1] if begun else None
        if last is None or (last.kind, last.year, last.amends) != (
            notice.kind, notice.year, notice.amends,
        ):  # fmt: skip
            begun.append((at, notice))
    if not begun:
        raise NoticeError(
            f"{name}: no notice on holidays found: the text must begin with its title, such as "
            "国务院办公厅关于2027年部分节假日安排的通知 or 关于2027年部分节假日休市安排的通知"
        )
    ends = [at for at, _ in begun[1:]] + [len(whole.text)]
    for (at, notice), end in zip(begun, ends, strict=True):
        if notice.amends:
            _read_amendment(notice, whole, at, end)
        else:
            _read_year(notice, whole, at, end)
        _check(notice)
    return [notice for _, notice in begun]


def _head(whole: _Text, at: int, found: re.Match[str]) -> Notice:
    groups = found.groupdict()
    year = groups.get("year")
    if year is None:
        named = _YEAR.search(whole.text, found.end())
        if not named:
            raise NoticeError(f"{whole.where(at)}: the notice {found[0]} has no year")
        year = named[1]
    of_exchange = bool(groups.get("exchange"))
    of_some = of_exchange and any(name in found[0] for name in HOLIDAYS)
    return Notice(
        kind="exchange" if of_exchange else "council",
        year=int(year),
        amends=bool(groups["amends"]) or of_some,
        where=whole.where(at),
    )


def _read_year(notice: Notice, whole: _Text, start: int, end: int) -> None:
    """Read the notice of a whole year: every holiday, and nothing about a date left out."""
    items = list(_ITEM.finditer(whole.text, start, end))
    seen: set[str] = set()
    for number, item in enumerate(items):
        names = re.findall(_NAMES, item["names"])
        seen.update(names)
        until = items[number + 1].start() if number + 1 < len(items) else end
        until = _end_of_item(whole.text, item.end(), until)
        _read_item(notice, whole, (item.end(), until), names)
    missing = [name for name in HOLIDAYS if name not in seen]
    if missing:
        raise NoticeError(
            f"{notice.where}: the notice of {notice.year} does not mention "
            f"{'、'.join(missing)}: the text is incomplete, or worded differently; paste the "
            "whole notice"
        )


def _end_of_item(text: str, start: int, end: int) -> int:
    """Where what is said of a holiday ends: before the first sentence without a date."""
    at = start
    while at < end:
        stop = text.find("。", at, end)
        stop = end if stop < 0 else stop + 1
        sentence = text[at:stop]
        if not re.search(r"\d日", sentence) or _SIGNED.search(sentence):
            return at
        at = stop
    return end


def _read_item(notice: Notice, whole: _Text, span: tuple[int, int], names: list[str]) -> None:
    start, end = span
    said: list[tuple[int, int]] = []
    for advised in _ADVISED.finditer(whole.text, start, end):
        said.append(advised.span())
        for day in _days(notice, whole, advised.start("days"), advised.end("days"), names):
            notice.advised[day] = whole.where(advised.start())
    for found in _STATEMENT.finditer(whole.text, start, end):
        said.append(found.span())
        _take(notice, whole, found, names)
    for one in _ONE.finditer(whole.text, start, end):
        if not any(low <= one.start() < high for low, high in said):
            raise NoticeError(
                f"{whole.where(one.start())}: the text on {one[0]} is not understood, in "
                f"{whole.text[start:end][:60]!r}: 放假, 上班, 休市 or 开市 is expected "
                "after a date"
            )
    if not said:
        raise NoticeError(f"{whole.where(start)}: {'、'.join(names)} has no dates")


def _read_amendment(notice: Notice, whole: _Text, start: int, end: int) -> None:
    for found in _STATEMENT.finditer(whole.text, start, end):
        _take(notice, whole, found, [])
    if extended := _EXTENDED.search(whole.text, start, end):
        for day in _days(notice, whole, extended.start("days"), extended.end("days"), []):
            notice.extended = day
            notice.closed[day] = whole.where(extended.start())
    if not notice.closed:
        raise NoticeError(f"{notice.where}: the amendment of {notice.year} closes no day")


def _take(notice: Notice, whole: _Text, found: re.Match[str], names: list[str]) -> None:
    where = whole.where(found.start())
    days = list(_days(notice, whole, found.start("days"), found.end("days"), names))
    if found["length"] and int(found["length"]) != len(days):
        raise NoticeError(
            f"{where}: {found[0]} are {len(days)} days, not {found['length']}: a date is "
            "mistyped"
        )
    if found["weekend"] or found["work"]:
        for day in days:
            if day.weekday() < 5:
                raise NoticeError(f"{where}: {day} is a weekday, not a weekend: {found[0]}")
    elif found["off"]:
        notice.closed.update(dict.fromkeys(days, where))
    elif found["opens"]:
        notice.opens.update(dict.fromkeys(days, where))


def _days(
    notice: Notice, whole: _Text, start: int, end: int, names: list[str]
) -> Iterator[date]:
    """Every day of a list of ranges, such as `1月26日(周日)、2月8日(周六)`."""
    last: date | None = None
    previous_end = start
    for one in _ONE.finditer(whole.text, start, end):
        between = whole.text[previous_end : one.start()]
        is_end = last is not None and re.fullmatch(r"至|到|[-—–~]+", between) is not None
        day = _day(notice, whole, one, last, names)
        if is_end and last is not None:
            if not timedelta(0) < day - last <= timedelta(days=15):
                raise NoticeError(
                    f"{whole.where(one.start())}: {last} to {day} is not a holiday: a date is "
                    "mistyped"
                )
            for offset in range(1, (day - last).days + 1):
                yield last + timedelta(days=offset)
        else:
            yield day
        last, previous_end = day, one.end()


def _day(
    notice: Notice, whole: _Text, one: re.Match[str], last: date | None, names: list[str]
) -> date:
    """A date in its year: what it leaves out is that of the date before it."""
    where = whole.where(one.start())
    if one["month"] is None and last is None:
        raise NoticeError(f"{where}: {one[0]} has no month")
    month = int(one["month"]) if one["month"] else (last or date.min).month
    if one["year"]:
        year = int(one["year"])
    elif last is not None:
        year = last.year + (last.month == 12 and month == 1)
    else:
        year = notice.year - (month == 12 and names == ["元旦"])
    try:
        day = date(year, month, int(one["day"]))
    except ValueError as error:
        raise NoticeError(f"{where}: {one[0]} of {year} is not a date") from error
    named = re.search(r"(?:周|星期)([一二三四五六日天])", one["note"] or "")
    if named and WEEKDAYS.index(named[1].replace("天", "日")) != day.weekday():
        raise NoticeError(
            f"{where}: {day} is a 星期{WEEKDAYS[day.weekday()]}, not {named[0]}: a date is "
            f"mistyped, or this is not the notice of {notice.year}"
        )
    if abs(year - notice.year) > 1:
        raise NoticeError(f"{where}: {day} is outside {notice.year}")
    return day


def _check(notice: Notice) -> None:
    """That the days on which it goes on follow the days off."""
    for day, where in notice.opens.items():
        if day.weekday() >= 5:
            raise NoticeError(f"{where}: {day} is a weekend; the exchange never opens then")
        if day in notice.closed:
            raise NoticeError(
                f"{where}: {day} is both a closed and an open day: see {notice.closed[day]}"
            )
        before = day - timedelta(days=1)
        while before.weekday() >= 5 and before not in notice.closed:
            before -= timedelta(days=1)
        if before not in notice.closed:
            raise NoticeError(
                f"{where}: trading continues on {day}, but {before} is not mentioned: a date "
                "is mistyped"
            )
