"""The page of a fund's facts: read by akshare over our gateway."""

import pytest

from fund_assets.sources.eastmoney.overview import check_overview, overview
from fund_assets.transport.errors import (
    BannedError,
    FormatError,
    StatusError,
    TruncatedError,
    UnknownFundError,
    WrongFundError,
)
from fund_assets.transport.http_answer import Answer
from fund_assets_tests.server import wire

TEXT = "沪深300指数收益率×80%+上证国债指数收益率×20%"
URL = "https://fundf10.eastmoney.com/jbgk_000001.html"


class Gateway:
    """Answers every request with one body, and keeps what was asked."""

    def __init__(self, body):
        self.body, self.asked = body, []

    def fetch(self, endpoint, url, params=None, headers=None, **asked):
        self.asked.append((endpoint, url, asked["form"], asked["about"].code))
        if isinstance(self.body, Exception):
            raise self.body
        answer = Answer(endpoint, url, 200, {"Content-Type": "text/html"}, self.body, "x")
        asked["check"](answer)
        return answer


def page(code="000001", benchmark=TEXT, tracked=""):
    return wire.overview(code, "华夏成长混合", "混合型-灵活", benchmark, tracked)


def test_a_page_is_read():
    """Stops the benchmark of another cell, and 该基金无跟踪标的 from passing for an index."""
    gateway = Gateway(page())
    found = overview(gateway, "000001")
    assert gateway.asked == [("overview", URL, "html", "000001")]
    assert (found.fund_code, found.benchmark, found.tracked_index) == ("000001", TEXT, "")
    found = overview(Gateway(page(tracked="中证500指数")), "000001")
    assert found.tracked_index == "中证500指数"


def test_pages_of_another_kind_are_refused():
    """Stops a ban page, a cut page, another fund's page or a changed one from being stored."""
    with pytest.raises(BannedError):
        check_overview(Answer("overview", URL, 200, {}, b"<html>captcha</html>", ""))
    with pytest.raises(TruncatedError):
        overview(Gateway(page()[:-20]), "000001")
    with pytest.raises(WrongFundError, match="000002"):
        overview(Gateway(page("000002")), "000001")
    changed = page().replace("跟踪标的</th>".encode(), "跟踪指数</th>".encode())
    with pytest.raises(FormatError, match="have no 跟踪标的"):
        overview(Gateway(changed), "000001")
    with pytest.raises(UnknownFundError, match="has no fund 000001"):
        overview(Gateway(StatusError("status 404", 404)), "000001")
