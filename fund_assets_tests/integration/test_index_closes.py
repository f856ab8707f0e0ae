"""Closes of indices from all who have them: their wire formats, the real akshare, over TLS."""

import pandas as pd
import pytest

from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.transport.errors import (
    BannedError,
    EmptyAnswerError,
    FormatError,
    SourceError,
    UnknownIndexError,
)
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.limits import Limits
from fund_assets_tests.server import Fault, MarketServer, Reply, content_from_source, wire
from fund_assets_tests.server.tiny import TinyMarket

DAYS = [20261105, 20261112, 20261118, 20261119, 20261120]
CLOSES = [1.5, 2.25, 3.0, 4600.01, 4584.54]
YUAN = [7.1, 7.1234, 7.2, 7.0123, 7.3]
#: Code → (form, first day asked for with and without a day, in the form's spelling).
DATED = {
    "000300": ("beg=20261119", "beg=19900101"),
    "899050": ("beg=20261119", "beg=19900101"),
    "H00300": ("startDate=20261119", "startDate=19900101"),
    "H11001": ("startDate=20261119", "startDate=19900101"),
    "399967": ("startDate=20261119", "startDate=19900101"),
    "399006": ("startDate=2026-11-19", "startDate=1990-01-01"),
    "980017": ("startDate=2026-11-19", "startDate=1990-01-01"),
}
WHOLE = ("中债-新综合指数(1-3年) full_price", "Au(T+D)")
WHOLE_TOO = (
    "SPX",
    "HSI",
    "HSCCI",
    "中债-综合指数 wealth",
    "中债-10年期国债指数 net_price",
    "Au99.99",
)
#: Whose answers take a process of their own, or three requests.
LONG = ("NDX", "HSTECH", "USDCNY", "HKDCNY")


class ManyIndices(TinyMarket):
    """A market that has every index."""

    def index_history(self, index_code, since=None):
        closes = YUAN if index_code.endswith("CNY") else CLOSES
        found = pd.DataFrame({"nav_date": DAYS, "close": closes})
        return found[found["nav_date"] >= (since or 0)]


class Altered:
    """A content whose bytes a test may change on their way out."""

    def __init__(self):
        self.content, self.change = content_from_source(ManyIndices()), None

    def reply(self, endpoint, fund_code):
        reply = self.content.reply(endpoint, fund_code)
        return Reply(self.change(reply.body), reply.content_type) if self.change else reply


@pytest.fixture(scope="module")
def server():
    with MarketServer(Altered()) as server, server.as_environment():
        yield server


@pytest.fixture
def market(server):
    server.reset()
    server.content.change = None
    return server


@pytest.fixture
def source():
    return EastmoneySource(Gateway(Limits(attempts=1, requests_per_second=10_000)))


def _is_well(source, code):
    closes = YUAN if code.endswith("CNY") else CLOSES
    whole, part = source.index_history(code), source.index_history(code, 20261119)
    assert whole["nav_date"].tolist() == DAYS and whole["close"].tolist() == closes
    assert part["nav_date"].tolist() == DAYS[3:] and part["close"].tolist() == closes[3:]
    assert (whole["nav_date"].dtype, whole["close"].dtype) == ("int32", "float64")


@pytest.mark.parametrize(
    "code",
    [pytest.param(code, marks=[] if code == "H00300" else pytest.mark.slow) for code in DATED],
)
def test_an_index_is_asked_for_from_a_day_on(market, source, code):
    """Stops a whole history from being asked for every evening, or too little of it."""
    _is_well(source, code)
    part, whole = DATED[code]
    ((*_, first, _), (*_, second, _)) = market.requests
    assert whole in first and part in second


@pytest.mark.parametrize(
    "code", [*WHOLE, *(pytest.param(code, marks=pytest.mark.slow) for code in WHOLE_TOO)]
)
def test_an_index_comes_whole_where_days_cannot_be_asked_for(market, source, code):
    """Stops a close from the wrong column or day, and days before the one asked for."""
    _is_well(source, code)
    assert len(market.requests) == 2 and market.refused == []


@pytest.mark.slow
@pytest.mark.parametrize("code", LONG)
def test_closes_in_scripts_and_workbooks(market, source, code):
    """Stops Sina's lines, and yuan for 100 dollars, from being read as something else."""
    _is_well(source, code)
    assert len(market.requests) == (6 if code.endswith("CNY") else 2)


def test_an_index_that_nobody_has_costs_no_request(market, source):
    """Stops a name that is no code from being asked for every evening."""
    for code in ("DAX", "300", "", "中债-怪指数 wealth", "综合指数", "XXXCNY", "sh000300"):
        with pytest.raises(UnknownIndexError, match=r"no provider|has no index"):
            source.index_history(code)
    assert market.requests == []


ONE_OF_EACH = [
    "H00300",
    *(
        pytest.param(code, marks=pytest.mark.slow)
        for code in ("000300", "399006", "中债-综合指数 wealth", "SPX", "HSI", "Au99.99")
    ),
]


@pytest.mark.parametrize("code", ONE_OF_EACH)
def test_bad_answers_are_told(market, source, code):
    """Stops a ban page, no closes, a date or a close that is none from being taken for data."""
    for fault, error in (
        ("captcha", BannedError), ("empty", EmptyAnswerError), ("garbage", FormatError)
    ):  # fmt: skip
        market.faults["index_history"] = Fault(fault, times=1)
        with pytest.raises(error, match=r"captcha|empty|akshare"):
            source.index_history(code)
    stamp = b"%d" % wire.milliseconds([20261120])[0]
    days = [(b"20261120", b"20261340"), (b"2026-11-20", b"2026-13-40"), (stamp, b"7")]
    (day,) = [pair for pair in days if pair[0] in _body(market, source, code)]
    for old, new in (day, *((b"4584.54", bad) for bad in (b"-4584.54", b"0", b"1e999"))):
        assert old in _body(market, source, code)
        market.content.change = lambda body, old=old, new=new: body.replace(old, new)
        with pytest.raises(FormatError, match=r"not a valid close|akshare"):
            source.index_history(code)


def _body(market, source, code):
    """What the provider says of an index."""
    said = []
    market.content.change = lambda body: said.append(body) or body
    source.index_history(code)
    return b"".join(said)


@pytest.mark.parametrize("code", ONE_OF_EACH)
def test_an_index_without_lines_is_told(market, source, code, monkeypatch):
    """Stops an index that the provider does not know from passing for one without closes."""

    def unknown(market, index_code, since=None):
        raise SourceError("unknown")

    monkeypatch.setattr(ManyIndices, "index_history", unknown)
    with pytest.raises((EmptyAnswerError, FormatError)):
        source.index_history(code)


@pytest.mark.slow
def test_a_page_without_the_parity_is_told(market, source):
    """Stops a page without the link, or with one that leads elsewhere, from being followed."""
    market.faults["index_history"] = Fault("captcha", times=1)
    with pytest.raises(FormatError, match="currency_boc_safe"):
        source.index_history("USDCNY")
    market.faults.clear()
    market.content.change = lambda body: body.replace(b"/safe/file", b".evil.example/file")
    with pytest.raises(FormatError, match=r"sends GET https://www.safe.gov.cn.evil.example"):
        source.index_history("USDCNY")
    assert market.refused == []
