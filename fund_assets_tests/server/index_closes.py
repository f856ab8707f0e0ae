"""The closes of indices in the wire formats of those who have them: a source's, as bytes.

Belongs here: addresses and formats of eastmoney's lines, CSI, CNI, ChinaBond, Sina, Shanghai's
gold exchange and the central parity. Does not belong here: lists of indices (`wire.py`).

An index is asked for by a key: form, what the form calls it, first day and more, a `|` between
them. The formats are those that akshare 1.19.5 reads; no real answer of them is on disk.
"""

import json
from collections.abc import Callable
from functools import cache
from io import BytesIO
from urllib.parse import parse_qsl

import pandas as pd
import xlsxwriter

from fund_assets.calendar import from_key
from fund_assets.sources.protocol import FundSource
from fund_assets.transport.errors import SourceError
from fund_assets_tests.server.wire import figure, index_history, milliseconds

EASTMONEY = ("push2his.eastmoney.com", "/api/qt/stock/kline/get")
SINA, SAFE = "finance.sina.com.cn", "www.safe.gov.cn"
_US, _HONG_KONG = "/staticdata/us/", "/stock/hkstock/"
#: Form → host and path, where there is one.
ADDRESSES = {
    "csi": ("www.csindex.com.cn", "/csindex-home/perf/index-perf"),
    "cni": ("hq.cnindex.com.cn", "/market/market/getIndexDailyDataWithDataFormat"),
    "bond": ("yield.chinabond.com.cn", "/cbweb-mn/indices/singleIndexQueryResult"),
    "gold": ("www.sge.com.cn", "/graph/Dailyhq"),
    "safe_page": (SAFE, "/safe/2020/1218/17833.html"),
    "safe_book": (SAFE, "/safe/file/file/20261120/parity.xlsx"),
    "safe_new": (SAFE, "/AppStructured/hlw/RMBQuery.do"),
}
HOSTS = (EASTMONEY[0], SINA, *dict.fromkeys(host for host, _ in ADDRESSES.values()))
#: How ChinaBond numbers its indices on government bonds of some years.
TREASURY_IDS = {
    "8a8b2ca04b666362014b723482bc4f49": "10年期国债指数",
    "8a8b2c8f5a492a01015a4ac986480043": "7-10年国债指数",
    "cc1cfe89b0cbd0800420a0e037026407": "1-3年国债指数",
}
VARIANTS = {"QJZS": "full_price", "JJZS": "net_price", "CFZS": "wealth"}
CURRENCIES = {"美元": "USD", "欧元": "EUR", "日元": "JPY", "港元": "HKD"}
#: So many days of the central parity are not in the workbook yet.
NEW_DAYS = 3


def index_key(host: str, path: str, query: str, form: str) -> str:
    """The key of what is asked for; empty when it is no index."""
    asked = dict(parse_qsl(f"{query}&{form}", keep_blank_values=True))
    if (host, path) == EASTMONEY:
        columns = len(asked.get("fields2", "").split(","))
        return f"eastmoney|{asked.get('secid', '')}|{asked.get('beg', '')}|{columns}"
    if host == SINA and path.startswith((_US, _HONG_KONG)):
        name = path.removeprefix(_US).removeprefix(_HONG_KONG).partition("/")[0]
        return f"sina|{name.removeprefix('.')}|"
    found = next((form for form, there in ADDRESSES.items() if there == (host, path)), "")
    name = asked.get("indexCode") or asked.get("instid") or asked.get("indexid") or ""
    more = f"|{asked['qxlxt']}|{asked['zslxt']}" if found == "bond" else ""
    since = asked.get("startDate", "").replace("-", "")
    return found and f"{found}|{name}|{since}{more}"


def index_answer(source: FundSource, key: str) -> tuple[bytes, str]:
    """What a provider says to a key, and its type; one without lines for an unknown index."""
    form, name, since, *more = key.split("|")
    return _FORMS[form](_Closes(source), name, since, *more)


class _Closes:
    """The closes that a source has; none of an index that it does not know."""

    def __init__(self, source: FundSource) -> None:
        self._source = source

    def of(self, code: str, since: str = "") -> list[tuple[int, float]]:
        try:
            found = self._source.index_history(code, int(since) if since else None)
        except SourceError:
            return []
        return list(found[["nav_date", "close"]].itertuples(index=False, name=None))


def _json(value: object) -> tuple[bytes, str]:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode(), "application/json"


def _eastmoney(closes: _Closes, number: str, since: str, columns: str) -> tuple[bytes, str]:
    code = number.partition(".")[2]
    rows = closes.of(code, since)
    return index_history(code if rows else "", code, rows, int(columns)), "application/json"


def _csi(closes: _Closes, code: str, since: str) -> tuple[bytes, str]:
    names = ("indexNameCnAll", "indexNameCn", "indexNameEnAll", "indexNameEn")
    figures = ("change", "changePct", "tradingVol", "tradingValue", "consNumber", "peg")
    lines = [
        {
            "tradeDate": str(day), "indexCode": code, **dict.fromkeys(names, code),
            **dict.fromkeys(("open", "high", "low"), None), "close": close,
            **dict.fromkeys(figures, 1.0),
        }
        for day, close in closes.of(code, since)
    ]  # fmt: skip
    return _json({"code": "200", "msg": "Success", "data": lines, "success": True})


def _cni(closes: _Closes, code: str, since: str) -> tuple[bytes, str]:
    lines = [
        [str(from_key(day)), "1", "9.9", "9.8", "9.7", close, "1", "0.5%", "1e9", "1e6", "1"]
        for day, close in closes.of(code, since)
    ]
    return _json({"code": 200, "data": {"indexCode": code, "data": lines[::-1]}})


@cache
def _bond_names() -> tuple[dict[str, str], dict[str, str]]:
    from akshare.bond.bond_cbond import INDEX_MAPPING, PERIOD_MAPPING

    numbers = {number: name for name, number in INDEX_MAPPING.items()}
    return {**numbers, **TREASURY_IDS}, {word: name for name, word in PERIOD_MAPPING.items()}


def _bond(
    closes: _Closes, number: str, _: str, tenor: str, indicator: str
) -> tuple[bytes, str]:
    names, tenors = _bond_names()
    stretch = "" if tenor == "00" else f"({tenors[tenor]})"
    rows = closes.of(f"中债-{names.get(number, '')}{stretch} {VARIANTS[indicator]}")
    stamps = map(str, milliseconds([day for day, _ in rows]))
    values = dict(zip(stamps, (close for _, close in rows), strict=True))
    return _json({f"{indicator}_{tenor}": values, "dqcName": {tenor: tenors[tenor]}})


def _sina(closes: _Closes, code: str, _: str) -> tuple[bytes, str]:
    text = sina_lines(closes.of(code))
    return f'var KLC_KL_{code}="{text}";'.encode(), "application/javascript"


def _gold(closes: _Closes, name: str, _: str) -> tuple[bytes, str]:
    lines = [[str(from_key(day)), 1.0, close, 1.0, 1.0] for day, close in closes.of(name)]
    return _json({"time": lines, "max": 1, "min": 1})


def _safe_page(*_: object) -> tuple[bytes, str]:
    link = ADDRESSES["safe_book"][1]
    page = (
        f"<html><body><a href='/'>首页</a><a href='{link}'>人民币汇率中间价</a></body></html>"
    )
    return page.encode(), "text/html"


def _parity(closes: _Closes) -> pd.DataFrame:
    """Yuan for 100 of each currency by day, texts, the newest day first."""
    found = {word: dict(closes.of(f"{code}CNY")) for word, code in CURRENCIES.items()}
    days = sorted(set().union(*found.values()), reverse=True)
    cells = {
        word: [figure(round(of[day] * 100, 4), 2) if day in of else "" for day in days]
        for word, of in found.items()
    }
    return pd.DataFrame({"日期": [str(from_key(day)) for day in days], **cells}, dtype="str")


def _safe_book(closes: _Closes, *_: str) -> tuple[bytes, str]:
    table, book = _parity(closes), BytesIO()
    with xlsxwriter.Workbook(book) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, table.columns)
        for at, (day, *cells) in enumerate(table[NEW_DAYS:].itertuples(index=False), start=1):
            sheet.write_row(at, 0, [day, *(float(cell) if cell else None for cell in cells)])
    return book.getvalue(), "application/vnd.ms-excel"


def _safe_new(closes: _Closes, *_: str) -> tuple[bytes, str]:
    table = _parity(closes)[:NEW_DAYS].to_html(index=False)
    page = f"<html><table><tr><td>查询</td></tr></table>{table}</html>"
    return page.encode(), "text/html;charset=utf-8"


_FORMS: dict[str, Callable[..., tuple[bytes, str]]] = {
    "eastmoney": _eastmoney, "csi": _csi, "cni": _cni, "bond": _bond, "sina": _sina,
    "gold": _gold, "safe_page": _safe_page, "safe_book": _safe_book, "safe_new": _safe_new,
}  # fmt: skip
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SINA_DAYS = pd.Timestamp("1990-12-19")


def sina_lines(rows: list[tuple[int, float]]) -> str:
    """Daily lines as Sina packs them: a stream of bits, six to a letter, the lowest first.

    Each line has its day in full, and 24 bits for how far its open is from the close before;
    open, high, low and close are the same.
    """
    bits: list[int] = []

    def put(value: int, width: int) -> None:
        bits.extend(value >> at & 1 for at in range(width))

    put(3466, 12)
    put(63, 6)
    before = 0
    for number, (day, close) in enumerate(rows):
        value = round(close * 100)
        put(0b1011, 4)  # not as the line before: widths and days are told
        put(0b0111111 if number == 0 else 0, 7 if number == 0 else 1)  # opens: 5 * 3 bits more
        put(0, 5)
        put(0b0011, 4)  # the day in full
        put((pd.Timestamp(str(from_key(day))) - _SINA_DAYS).days, 18)
        put(0, 1)
        put(value - before, 24)
        put(0, 3 * (3 + 3 + 3 + 5 + 5))
        before = value
    put(0b00011, 5)
    put(0, -len(bits) % 6)
    return "".join(
        _ALPHABET[sum(bit << n for n, bit in enumerate(bits[at : at + 6]))]
        for at in range(0, len(bits), 6)
    )
