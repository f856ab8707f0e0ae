"""The list of purchases over HTTP: its pages, what is requested, and a list that moves."""

from math import inf

import pytest

from fund_assets.sources.eastmoney import source as eastmoney
from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.transport.errors import FormatError, StatusError, TruncatedError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.limits import Limits
from fund_assets_tests.server import MarketServer, wire
from fund_assets_tests.server.content import purchase_page
from fund_assets_tests.server.market_server import Fault

ROWS = [wire.purchase_row(f"{code:06}", "某", limit=f"{code}000") for code in range(1, 9)]


class Listed:
    """A list that a test may change between two answers."""

    def __init__(self):
        self.rows, self.change = list(ROWS), lambda page, rows: rows

    def reply(self, endpoint, fund_code):
        page = int(fund_code.split(",")[0])
        return purchase_page(self.change(page, self.rows), fund_code)


@pytest.fixture
def market(monkeypatch):
    """Pages of three rows."""
    monkeypatch.setattr(eastmoney, "PURCHASES_A_PAGE", 3)
    with MarketServer(Listed()) as server, server.as_environment():
        yield server


@pytest.fixture
def source():
    return EastmoneySource(
        Gateway(Limits(attempts=1, requests_per_second=10_000, deadline_s=30))
    )


def pages(market):
    return [asked.split(",")[0] for _, asked, *_ in market.requests]


def test_every_page_is_requested_once_and_every_row_comes_back(market, source):
    """Stops a page from being left out, requested twice, or added beyond the last."""
    got = source.purchases()
    assert pages(market) == ["1", "2", "3"]
    assert got.frame["fund_code"].tolist() == [row[0] for row in ROWS]
    assert got.frame["daily_limit"].tolist() == [1000.0 * n for n in range(1, 9)]
    assert [part.rows for part in got.payloads] == [3, 3, 2]
    assert {part.endpoint for part in got.payloads} == {"purchase_list"}
    market.content.rows = [wire.purchase_row("000001", "某")]
    assert source.purchases().frame["daily_limit"].tolist() == [inf]


def grown(page, rows):
    """One class more after the first page."""
    return rows if page == 1 else [*rows, wire.purchase_row("000009", "某")]


def moved(page, rows):
    """A class goes and another comes meanwhile: the total stays, a row stands on two pages."""
    if page == 1:
        return rows
    return [wire.purchase_row("000000", "某"), *rows[:-1]]


@pytest.mark.parametrize(
    "change, words",
    [
        (grown, "it had 8 funds, its page 2 says 9"),
        (moved, "fund 000003 is on its pages 1 and 2"),
    ],
)
def test_a_list_that_moves_is_read_again_and_then_refused(market, source, change, words):
    """Stops a list of two moments from being used, and one that came to rest from being lost."""
    market.content.change = change
    with pytest.raises(TruncatedError, match=f"read 3 times: {words}; it is not used"):
        source.purchases()
    assert pages(market) == ["1", "2"] * 3
    market.requests.clear()
    turns = iter([change] * 2)
    market.content.change = lambda page, rows: next(turns, lambda p, r: r)(page, rows)
    assert len(source.purchases().frame) == 8
    assert pages(market) == ["1", "2", "1", "2", "3"]


def test_a_cap_below_the_page_is_refused(market, source, monkeypatch):
    """Stops a lower cap of the source from cutting the market's limits silently."""
    monkeypatch.setattr("fund_assets_tests.server.content.MOST_PURCHASES", 2)
    with pytest.raises(TruncatedError, match="its page 1 has 2 funds, not 3 of 8"):
        source.purchases()


def test_a_source_that_always_sends_the_first_page_is_refused(market, source):
    """Stops the first page from being read as each other one."""
    market.content.reply = lambda endpoint, asked: purchase_page(ROWS, "1,3")
    with pytest.raises(FormatError, match=r"requested page 2 .* the answer is page 1"):
        source.purchases()


def test_a_status_is_raised_as_it_is_and_not_read_again(market, source):
    """Stops a source in trouble from getting three readings of every page."""
    market.faults["purchase_list"] = Fault("status", 503)
    with pytest.raises(StatusError):
        source.purchases()
    assert pages(market) == ["1"]
