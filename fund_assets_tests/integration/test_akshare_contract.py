"""The real akshare against our decoders, on the same bytes over the same sockets.

akshare runs unchanged here: it reaches the market server by its environment alone.
"""

import os
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import requests

from fund_assets.calendar import to_key
from fund_assets.settings import Settings
from fund_assets.sources.eastmoney import (
    akshare_child,
    akshare_client,
    akshare_tables,
    javascript,
    sandbox,
)
from fund_assets.sources.eastmoney.akshare_client import replay, run
from fund_assets.sources.eastmoney.cells import Defects, numbers
from fund_assets.sources.eastmoney.javascript import ChildEngine
from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.transport.errors import FormatError, WrongFundError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.http_answer import Answer
from fund_assets.transport.limits import Limits
from fund_assets_tests.reliability.fuzz import akshare_here
from fund_assets_tests.server import MarketServer, Reply, content_from_source
from fund_assets_tests.server.tiny import FUNDS, TinyMarket

AKSHARE_CALLS = {
    "open_funds": ("fund_open_fund_daily_em", ()),
    "money_funds": ("fund_money_fund_daily_em", ()),
    "exchange_funds": ("fund_etf_fund_daily_em", ()),
    "fund_list": ("fund_name_em", ()),
    "purchase_list": ("fund_purchase_em", ()),
    "history": ("fund_open_fund_info_em", ("000001", "单位净值走势")),
    "overview": ("fund_overview_em", ("000001",)),
    "index_list": ("index_csindex_all", ()),
    "szse_index_list": ("index_all_cni", ()),
}


class Altered:
    """A content whose bytes a test may change on their way out."""

    def __init__(self):
        self.content = content_from_source(TinyMarket())
        self.change = {}

    def reply(self, endpoint, fund_code):
        reply = self.content.reply(endpoint, fund_code)
        change = self.change.get(endpoint)
        return Reply(change(reply.body), reply.content_type) if reply and change else reply


@pytest.fixture(scope="module")
def server():
    with MarketServer(Altered()) as server:
        yield server


@pytest.fixture
def market(server):
    server.reset()
    server.content.change.clear()
    with server.as_environment():
        yield server


@pytest.fixture
def source(market):
    return a_source(javascript=True)


def a_source(**more):
    gateway = Gateway(Limits(attempts=1, requests_per_second=10_000, deadline_s=30))
    return EastmoneySource(gateway, **more)


def _akshare(name):
    akshare = pytest.importorskip("akshare")
    function, arguments = AKSHARE_CALLS[name]
    return getattr(akshare, function)(*arguments)


def _sorted(frame):
    return frame.sort_values(["nav_date", "fund_code"], ignore_index=True)


def test_our_requests_are_the_ones_akshare_sends(market, source):
    """Another address or agent would be a client that the source has never met."""
    source.wave()
    source.fund_list()
    source.purchases()
    source.history("000001", kind="mixed")
    lists = source.index_lists()
    assert lists.failures == {} and [len(f) > 0 for f in lists.frames] == [True] * 7
    assert lists.frames[0].values.tolist() == [["000300", "沪深300", "沪深300指数", "人民币"]]
    told = source.overview("000001")
    assert told.benchmark == "沪深300指数收益率×80%+上证国债指数收益率×20%"
    ours = {endpoint: tuple(rest) for endpoint, *rest in market.requests}
    market.requests.clear()
    for name in AKSHARE_CALLS:
        _akshare(name)
    theirs = {endpoint: tuple(rest) for endpoint, *rest in market.requests}
    asked, path, agent = ours["purchase_list"]
    assert asked == "1,10000", "50,000 rows are more than the source sends"
    path = path.replace("1%2C10000", "1%2C50000")
    ours["purchase_list"] = ("1,50000", path, agent)
    assert ours == theirs and set(ours) == set(AKSHARE_CALLS)


def test_the_whole_market_takes_three_requests_and_comes_back_as_it_was(market, source):
    """Encoders, TLS, gateway and decoders, end to end: every figure, date and name."""
    wave = source.wave()
    assert len(market.requests) == 3
    truth = TinyMarket().wave()
    pd.testing.assert_frame_equal(_sorted(wave.observations), _sorted(truth.observations))
    assert (wave.newest, wave.previous) == (truth.newest, truth.previous)
    names = dict(zip(wave.listing["fund_code"], wave.listing["name"], strict=True))
    assert names == {code: name for code, name, *_ in FUNDS}
    assert [(p.endpoint, p.rows, p.decoder) for p in wave.payloads] == [
        ("open_funds", 4, "own"),
        ("money_funds", 2, "own"),
        ("exchange_funds", 2, "own"),
    ]


def test_histories_and_list_come_back_as_they_were(source):
    """Events, nulls and yields survive the wire."""
    assert source.fund_list().frame.values.tolist() == [list(row) for row in FUNDS]
    for code, kind in (("000001", "mixed"), ("000009", "money")):
        got, truth = source.history(code, kind=kind), TinyMarket().history(code, kind=kind)
        pd.testing.assert_frame_equal(got.observations, truth.observations)
        pd.testing.assert_frame_equal(got.events, truth.events)


def test_snapshot_equals_akshares(market, source):
    """Our decoder reads positions: akshare's column names are the second opinion."""
    frame = _akshare("open_funds").set_index("基金代码")
    wave = source.wave()
    for day in (wave.newest, wave.previous):
        ours = wave.observations[wave.observations["nav_date"] == to_key(day)]
        ours = ours.set_index("fund_code").loc[frame.index]
        for label, column in (("单位净值", "unit_nav"), ("累计净值", "acc_nav")):
            theirs = numbers(frame[f"{day}-{label}"].to_list(), column, Defects())
            np.testing.assert_array_equal(ours[column], theirs)
        if day == wave.newest:
            growth = numbers(frame["日增长率"].to_list(), "growth_pct", Defects())
            np.testing.assert_array_equal(ours["growth_pct"], growth)


def test_history_equals_akshares(market, source):
    """The JavaScript engine is the second opinion on dates and figures."""
    akshare = pytest.importorskip("akshare")
    ours = source.history("000001", kind="mixed").observations
    unit = akshare.fund_open_fund_info_em("000001", "单位净值走势")
    acc = akshare.fund_open_fund_info_em("000001", "累计净值走势")
    assert ours["nav_date"].tolist() == [to_key(day) for day in unit["净值日期"]]
    np.testing.assert_array_equal(ours["unit_nav"], unit["单位净值"])
    np.testing.assert_array_equal(ours["growth_pct"], unit["日增长率"])
    np.testing.assert_array_equal(ours["acc_nav"], acc["累计净值"])
    money = source.history("000009", kind="money").observations
    for indicator, column in (
        ("每万份收益", "yield_per_10k"),
        ("7日年化收益率", "yield_7d_pct"),
    ):
        theirs = akshare.fund_open_fund_info_em("000009", indicator)
        np.testing.assert_array_equal(money[column], theirs[indicator])


def test_list_equals_akshares(market, source):
    """All five columns stand in an order that only the source knows."""
    theirs = _akshare("fund_list")[["基金代码", "基金简称", "基金类型", "拼音缩写"]]
    assert source.fund_list().frame.values.tolist() == theirs.values.tolist()


def test_names_that_akshare_eats_are_whole(market, source):
    """akshare strips a set of characters where it means a word: 金鹰货币A loses its 金."""
    theirs = _akshare("money_funds").set_index("基金代码")["基金简称"]
    assert theirs["210012"] == "鹰货币A", "akshare mends it: the second look is not needed"
    listing = source.wave().listing.set_index("fund_code")["name"]
    assert listing["210012"] == "金鹰货币A" and listing["000009"].endswith("喆")


@pytest.mark.parametrize(
    ("endpoint", "old", "new", "said"),
    [
        ("money_funds", "万份收益", "百份收益", "column 6 '百份收益', not '万份收益'"),
        (
            "money_funds",
            "<td>万份收益</td><td>7日年化%</td>",
            "<td>7日年化%</td><td>万份收益</td>",
            "column 6 '7日年化%', not '万份收益'",
        ),
        ("exchange_funds", "累计净值", "单位净值", "column 8 '单位净值', not '累计净值'"),
    ],
)
def test_a_page_whose_columns_are_others_is_refused(market, source, endpoint, old, new, said):
    """akshare names columns by position: income per 100 shares passed for that per 10,000."""
    market.content.change[endpoint] = lambda b: b.replace(old.encode("gb18030"), new.encode("gb18030"))  # fmt: skip
    with pytest.raises(FormatError, match=said) as refused:
        source.wave()
    assert "should be about" in " ".join(refused.value.__notes__), (
        "akshare's frame passes as well"
    )


def test_a_page_cell_that_is_no_number_is_a_defect(market, source):
    """pandas reads the text NaN in a page as a blank, which is a fund not yet published."""
    for endpoint, old in (("money_funds", b"0.3790"), ("exchange_funds", b"4.8898")):
        market.content.change[endpoint] = lambda body, old=old: body.replace(old, b"NaN")
    frame = source.wave().observations
    assert sorted(filter(None, frame["defect"])) == [
        "unit_nav: not a number: 'NaN'",
        "yield_per_10k: not a number: 'NaN'",
    ]


FALLBACKS = {
    "open_funds": (lambda b: b.replace(b"var db={chars:", b"var db={letters:"), "starts with"),
    "fund_list": (lambda b: b.replace(b'"HXCZHH"', b"'HXCZHH'"), "is not valid JSON"),
    "history": (lambda b: b.replace(b'"unitMoney"', b"unitMoney"), "is not valid JSON"),
    "money_funds": (
        lambda b: b.replace("可购全部".encode("gb18030"), b"x"),
        "calls its column",
    ),
    "exchange_funds": (
        lambda b: b.replace("折价率".encode("gb18030"), b"x"),
        "calls its column",
    ),
}


@pytest.mark.parametrize("endpoint", FALLBACKS)
def test_akshare_stands_in_and_it_is_told(market, source, endpoint):
    """A change that akshare copes with must not cost an evening, nor happen in silence."""
    change, said = FALLBACKS[endpoint]
    calls = {
        "fund_list": lambda: source.fund_list(),
        "history": lambda: source.history("000001", kind="mixed"),
    }
    call = calls.get(endpoint, source.wave)
    usual = call()
    market.content.change[endpoint] = change
    market.requests.clear()
    got = call()
    assert market.count(endpoint) == 1, "both decoders read the same bytes"
    (payload,) = (p for p in got.payloads if p.endpoint == endpoint)
    assert payload.decoder == "akshare" and said in payload.fallback_because
    if endpoint == "fund_list":
        pd.testing.assert_frame_equal(got.frame, usual.frame)
    else:
        pd.testing.assert_frame_equal(_sorted(got.observations), _sorted(usual.observations))
    if endpoint == "history":
        assert got.events.empty and "dividend or split texts" in payload.fallback_because


def test_money_history_falls_back_by_kind(market, source):
    """akshare must be asked for yields, or it raises on a variable that is not there."""
    usual = source.history("000009", kind="money").observations
    market.content.change["history"] = lambda b: b.replace(b"[[", b"[ [0,0].slice(2)].slice(1).concat([[").replace(b"]];", b"]]);")  # fmt: skip
    got = source.history("000009", kind="money")
    assert got.payloads[0].decoder == "akshare"
    pd.testing.assert_frame_equal(got.observations, usual)


def test_when_both_refuse_ours_is_the_error(market, source):
    """Our refusal says what changed; akshare's is a parser's complaint."""
    market.content.change["history"] = lambda body: body.replace(
        b"Data_ACWorthTrend", b"Data_X"
    )
    with pytest.raises(FormatError, match="no Data_ACWorthTrend") as caught:
        source.history("000001", kind="mixed")
    assert "akshare could not read it either" in caught.value.__notes__[0]


def test_the_fallback_holds_fund_and_record_too(market, source):
    """akshare throws both away: its frame of half a market looks like a market."""
    market.content.change["history"] = lambda b: b.replace(b"unitMoney", b"x").replace(b'"000001"', b'"999999"')  # fmt: skip
    with pytest.raises(WrongFundError):
        source.history("000001", kind="mixed")
    market.content.change["open_funds"] = lambda b: b.replace(b"{chars:", b"{letters:").replace(b'record:"4"', b'record:"9"')  # fmt: skip
    with pytest.raises(FormatError, match="starts with") as caught:
        source.wave()
    assert "says it has 9 funds but has 4" in caught.value.__notes__[0]


@pytest.mark.slow
def test_a_script_that_eats_memory_is_an_error_not_a_crash(market, source):
    """Without a limit the engine takes the whole process down with it."""
    bomb = b'var fS_code = "000001";var a=[];while(true){a.push(new Array(1000000).fill(1.5))};'
    market.content.change["history"] = lambda _: bomb
    with pytest.raises(FormatError) as caught:
        source.history("000001", kind="mixed")
    assert "JavaScriptError: the engine ended with" in caught.value.__notes__[0]


def test_no_script_of_the_source_is_run_unless_a_setting_says_so(market, monkeypatch):
    """Stops whoever can answer in the source's name from running programs here."""
    market.content.change["history"] = lambda b: b.replace(b'"unitMoney"', b"unitMoney")
    monkeypatch.setattr(ChildEngine, "execute", lambda *_: pytest.fail("it was run"))
    with pytest.raises(FormatError, match="is not valid JSON") as caught:
        a_source().history("000001", kind="mixed")
    assert "FUND_REMOTE_JAVASCRIPT" in caught.value.__notes__[0]
    assert not Settings(_env_file=None).remote_javascript


def test_what_akshare_cannot_read_of_one_fund_is_not_run_for_the_others(
    market, source, monkeypatch
):
    """Stops a new form of 26,000 histories from starting 26,000 engines."""
    calls = []

    def run(function, *arguments):
        calls.append(function)
        raise FormatError("akshare cannot read it")

    monkeypatch.setattr(akshare_tables, "run", run)
    market.content.change["history"] = lambda b: b.replace(b'"unitMoney"', b"unitMoney")
    for code, kind in (("000001", "mixed"), ("000001", "mixed"), ("000009", "money")):
        try:
            source.history(code, kind=kind)
        except FormatError as error:
            assert "akshare cannot read it" in error.__notes__[0]
    assert len(calls) == 1, "000009 has no unitMoney: ours reads it"


def test_the_engine_has_no_environment_and_can_open_nothing(monkeypatch):
    """Stops a script that breaks out of the engine from finding secrets or a way out."""
    monkeypatch.setenv("FUND_HEALTH_TOKEN", "0123456789abcdef")
    program = (
        "import os, sys, socket, resource\n"
        "from fund_assets.sources.eastmoney import javascript\n"
        "class Engine:\n"
        "    eval = staticmethod(lambda script: None)\n"
        "    def execute(self, expression):\n"
        "        tried = []\n"
        "        for way in (socket.socket, lambda: open('/etc/passwd'), os.pipe):\n"
        "            try: way(); tried.append('open')\n"
        "            except OSError as error: tried.append(error.strerror)\n"
        "        return [dict(os.environ), tried]\n"
        "sys.modules['py_mini_racer'] = type(sys)('py_mini_racer')\n"
        "sys.modules['py_mini_racer'].MiniRacer = Engine\n"
        "javascript.main()\n"
    )
    usual = sandbox.python("x")
    monkeypatch.setattr(
        javascript, "python", lambda name: [*usual[:-1], usual[-1].split("from ")[0] + program]
    )
    environment, tried = ChildEngine().execute("1")
    assert not [name for name in environment if name != "LC_CTYPE"]
    assert tried == ["Too many open files"] * 3


BOMBS = {
    "colspan": b'<tr><td colspan="3000">x</td></tr>' * 30,
    "rowspan": b'<tr><td rowspan="1000000000">x</td></tr>',
    "both": b'<tr><td rowspan="100" colspan="100">x</td></tr>' * 30,
    "entity": b'<tr><td colspan="&#51;000">x</td></tr>' * 30,
    "no number": b'<tr><td colspan="-1">x</td></tr>',
    "cells": b"<tr>" + b"<td>" * 210_000,
    "nested": b"<tr><td><table><tr><td>" * 60 + b"<tr>" + b"<td>x" * 5_000,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_page_is_measured_before_its_tables_are_laid_out(market, source, bomb):
    """A page of 1,179 bytes with colspan 3000 cost 21 s and 714 MB."""
    market.content.change["money_funds"] = lambda body: body.replace(
        b"<table", b"<table>" + bomb + b"</table><table", 1
    )
    with pytest.raises(FormatError, match="cannot be read"):
        source.wave()


@pytest.mark.slow
def test_what_takes_akshare_too_much_ends_its_call_alone(market, source, monkeypatch):
    """Stops an answer that a parser chokes on from taking memory or time without end."""
    body = b"<html>" + b"<table><tr><td>x</td></tr></table>" + b"</html>"
    answer = Answer("money_funds", "https://x/", 200, {}, body, "")
    for limit, bad in (
        ("CPU_S", lambda: sum(iter(int, 1))),
        ("MEMORY_BYTES", lambda: bytearray(2**31)),
    ):
        reads, writes = os.pipe()
        if not (child := os.fork()):
            os.close(reads)
            monkeypatch.setattr(akshare_child, "CPU_S", 1)
            monkeypatch.setattr(akshare_child, "_called", lambda *_, bad=bad: bad())
            os.write(writes, akshare_child._apart({}, []))
            os._exit(0)
        os.close(writes)
        os.waitpid(child, 0)
        with os.fdopen(reads, "rb") as pipe:
            told, _ = akshare_child.receive(pipe)
        ends = {"CPU_S": ("signal SIGXCPU", "signal SIGKILL"), "MEMORY_BYTES": ("status 1",)}
        assert told["over"] in ends[limit]
    monkeypatch.setattr(akshare_client._child, "call", lambda *_: {"raised": "too much"})
    with pytest.raises(FormatError, match="too much; the source may have changed"):
        run("fund_money_fund_daily_em", replay(answer))


@pytest.mark.slow
def test_a_child_that_died_is_begun_anew():
    """Stops one crash of a parser from costing every later evening of a daemon."""
    body = 'var r = [["000001","A","华夏成长","混合型","A"]];'.encode()
    fetch = replay(Answer("fund_list", "https://x/", 200, {}, body, ""))
    for _ in range(2):
        assert run("fund_name_em", fetch).frame["基金代码"].tolist() == ["000001"]
        akshare_client._child._process.kill()
        akshare_client._child._process.wait()
    assert run("fund_name_em", fetch).frame["基金代码"].tolist() == ["000001"]


@pytest.mark.slow
def test_the_seam_is_private_to_a_call():
    """A patched requests module would send alerts and other clients through the gateway."""
    before = (requests.get, requests.adapters.HTTPAdapter.send, pd.read_html)

    def answer(number):
        body = f'var r = [["{number:06d}","A","名{number}","混合型","A"]];'.encode()
        return Answer("fund_list", "https://x/", 200, {}, body, "")

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda n: run("fund_name_em", replay(answer(n))).frame, range(64)))
    assert [frame["基金代码"].tolist() for frame in got] == [[f"{n:06d}"] for n in range(64)]
    assert before == (requests.get, requests.adapters.HTTPAdapter.send, pd.read_html)


def _helper(url):
    """As an upgrade may have it: the request is sent in another module's function."""
    return requests.Session().post(url) if "post" in url else requests.request("GET", url)


def _by_urllib(url):
    return urllib.request.urlopen(url).read()


@pytest.mark.parametrize(
    ("sends", "words"),
    [
        (lambda: _helper("https://fund.eastmoney.com/js/fundcode_search.js?v=1"), ""),
        (lambda: _helper("https://fund.eastmoney.com/post"), "sends POST https://fund.east"),
        (
            lambda: _helper("https://example.org/fund_list"),
            "sends GET https://example.org/fund",
        ),
        (lambda: _by_urllib("https://fund.eastmoney.com/"), "without requests"),
        (list, "returns a list"),
        (None, "has no function fund_name_em"),
    ],
)
def test_no_way_of_sending_goes_round_the_gateway(monkeypatch, sends, words):
    """Stops an upgrade of akshare from reaching the source unseen, or from dying unexplained."""
    akshare = pytest.importorskip("akshare")
    asked = []

    def fetch(url, params, headers):
        asked.append((url, params, headers))
        return Answer("fund_list", url, 200, {}, b"found", "")

    def function():
        found = sends()
        return pd.DataFrame({"text": [found.text]}) if hasattr(found, "text") else found

    if sends is None:
        monkeypatch.delattr(akshare, "fund_name_em")
    else:
        monkeypatch.setattr(akshare, "fund_name_em", function)
    before = (requests.adapters.HTTPAdapter.send, socket.socket.connect, pd.read_html)
    with akshare_here():
        if words:
            with pytest.raises(FormatError, match=words):
                run("fund_name_em", fetch)
            assert asked == []
        else:
            assert run("fund_name_em", fetch).frame["text"].tolist() == ["found"]
            url = "https://fund.eastmoney.com/js/fundcode_search.js"
            assert asked == [(url, {"v": "1"}, {})]
    assert before == (requests.adapters.HTTPAdapter.send, socket.socket.connect, pd.read_html)


def test_a_child_process_needs_the_environment_only(server):
    """Dagster runs and workers are processes of their own."""
    server.reset()
    server.content.change.clear()
    program = (
        "from fund_assets.settings import load_settings\n"
        "from fund_assets.sources.eastmoney.source import EastmoneySource\n"
        "source = EastmoneySource.from_settings(load_settings())\n"
        "wave = source.wave()\n"
        "print(len(wave.observations), wave.newest)\n"
    )
    environment = {**os.environ, **server.env, "FUND_REQUESTS_PER_SECOND": "100"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.stdout.split() == ["16", "2026-11-20"], done.stderr
    assert len(server.requests) == 3 and server.refused == []
