"""The page of a fund's managers: what it says, and what is refused."""

import gzip

import pytest

from fund_assets.nav.managers import Term, overlaps
from fund_assets.sources.eastmoney.manager_page import check_page, decode_terms, manager_page
from fund_assets.transport.errors import (
    FormatError,
    SourceError,
    StatusError,
    TruncatedError,
    UnknownFundError,
    WrongFundError,
)
from fund_assets.transport.http_answer import Answer
from fund_assets_tests.server import wire

URL = "https://fundf10.eastmoney.com/jjjl_000001.html"
TERMS = (
    Term(20260304, None, {"30081613": "李守峰"}, 71, 0.1217),
    Term(20260130, 20260303, {"30352210": "申坤", "30081613": "李守峰"}, 32, -0.0351),
    Term(20260129, 20260129, {"30352210": "申坤"}, None, None),
)


class Gateway:
    """Answers one request with a page, or an error."""

    def __init__(self, body):
        self.body, self.asked = body, []

    def fetch(self, endpoint, url, *, headers, form, about, check):
        self.asked.append((endpoint, url, form, about.code))
        if isinstance(self.body, Exception):
            raise self.body
        answer = Answer(endpoint, url, 200, {}, self.body, "x")
        check(answer)
        return answer


def page(terms=TERMS, code="000001"):
    return wire.manager_page(code, "华夏成长混合", terms)


def _changed(old, new):
    body = page().decode()
    assert old in body
    return body.replace(old, new, 1).encode()


def test_a_page_comes_back_as_it_was():
    """Stops names, days and returns from moving to another term."""
    gateway = Gateway(page())
    found = manager_page(gateway, "000001")
    assert found.terms == TERMS and found.payloads[0].rows == 3
    assert gateway.asked == [("managers", URL, "html", "000001")]
    years = _changed("<td>71天</td>", "<td>1年又71天</td>")
    assert decode_terms(years, "000001")[0].days == 365 + 71
    empty = page(()).replace(b"<tbody>", "<tbody><tr><td>暂无数据</td></tr>".encode())
    assert decode_terms(empty, "000001") == decode_terms(page(()), "000001") == ()
    text = _changed(
        "<a href='http://fund.eastmoney.com/manager/30081613.html'>李守峰</a>", "李守峰"
    )
    assert decode_terms(text, "000001")[0].managers == {"李守峰": "李守峰"}


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("2026-03-04", "2026-13-04", "does not last"),
        ("2026-03-03", "2026-01-03", "does not last"),
        ("2026-03-03", "soon", "does not last"),
        (">李守峰</a>", "></a>", "not name the"),
        ("71天", "71 days", "time that is not understood"),
        ("12.17%", "a lot", "return that is not a number"),
        ("12.17%", "-112.17%", "return that is not a number"),
        ("2026-01-30", "2026-03-04", "does not last|from the same day"),
        ("<td>71天</td>", "", "has 4 cells"),
        ("任职期间", "任期", "0 tables"),
    ],
)
def test_a_row_that_cannot_be_costs_the_page(old, new, words):
    """Stops half a page from closing the terms that it no longer has."""
    with pytest.raises(FormatError, match=words):
        decode_terms(_changed(old, new), "000001")


def test_another_page_is_refused():
    """Stops a captcha, a cut page and another fund's from being read as terms."""
    with pytest.raises(SourceError):
        check_page(Answer("managers", URL, 200, {}, b"<html>captcha</html>", ""))
    with pytest.raises(TruncatedError):
        manager_page(Gateway(page()[:-20]), "000001")
    with pytest.raises(WrongFundError, match="000002"):
        manager_page(Gateway(page(code="000002")), "000001")
    with pytest.raises(UnknownFundError):
        manager_page(Gateway(StatusError("status 404", 404)), "000001")
    with pytest.raises(StatusError):
        manager_page(Gateway(StatusError("status 500", 500)), "000001")


@pytest.mark.real_data
@pytest.mark.parametrize("name, count, first, last", [
    ("710001_2026-05", 11, Term(20260304, None, {"30081613": "李守峰"}, 71, 0.1217),
     Term(20110921, 20160108, {"30131083": "孔学兵"}, 1_571, 0.8497)),
    ("000001_2020-10", None, Term(20170328, None, {"30198442": "董阳阳"}, 1_294, 0.4447), None),
])  # fmt: skip
def test_recorded_pages(real_data, name, count, first, last):
    """Stops a real page from being refused; read by hand from its bytes."""
    body = gzip.decompress((real_data / "raw_payloads" / f"jjjl_{name}.html.gz").read_bytes())
    check_page(Answer("managers", URL, 200, {}, body, ""))
    terms = decode_terms(body, name[:6])
    assert terms[0] == first and overlaps(name[:6], terms) == []
    if count:
        assert len(terms) == count and terms[-1] == last
