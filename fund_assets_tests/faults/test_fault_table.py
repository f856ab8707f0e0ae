"""Every fault at every endpoint: the right error, and no more requests than it is worth."""

import os
import threading
from time import time

import pytest

from fund_assets.sources.eastmoney.addresses import FUND_LIST_URL
from fund_assets.sources.eastmoney.reachability import ping_engine, ping_host
from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.transport.archive import RawArchive
from fund_assets.transport.errors import (
    BannedError,
    DeadlineError,
    DefectError,
    EmptyAnswerError,
    FormatError,
    StatusError,
    TooLargeError,
    TransportError,
    TruncatedError,
    UnknownFundError,
    WrongFundError,
)
from fund_assets_tests.faults.conftest import ATTEMPTS, a_gateway
from fund_assets_tests.server import Fault
from fund_assets_tests.server.tiny import TinyMarket

CALLS = {
    "open_funds": lambda source: source.wave(),
    "money_funds": lambda source: source.wave(),
    "exchange_funds": lambda source: source.wave(),
    "fund_list": lambda source: source.fund_list(),
    "history": lambda source: source.history("000001", kind="mixed"),
}
#: fault → error, requests it may cost, a word of the message
FAULTS = [
    (Fault("status", 503), StatusError, ATTEMPTS, "status 503, server error: try again later"),
    (Fault("status", 429), StatusError, ATTEMPTS, "status 429, too many requests: lower"),
    (Fault("status", 403), StatusError, 1, "status 403, access refused"),
    (Fault("hang"), TransportError, ATTEMPTS, r"no data for 0.3 s: try again later"),
    (Fault("reset"), TransportError, ATTEMPTS, "the (proxy|connection)"),
    (Fault("truncate"), TransportError, ATTEMPTS, "the answer was cut off"),
    (Fault("gzip_garbage"), TransportError, ATTEMPTS, "the compressed answer is damaged"),
    (Fault("gzip_cut"), TransportError, ATTEMPTS, "the compressed answer is incomplete"),
    (Fault("gzip_bomb"), TooLargeError, 1, "larger than 1,048,576 bytes"),
    (Fault("drip_header"), DeadlineError, 1, "no complete answer within 0.5 s"),
    (Fault("drip_body"), DeadlineError, 1, "raise FUND_REQUEST_DEADLINE_S"),
    (Fault("drip_endless"), DeadlineError, 1, "no complete answer within 0.5 s"),
    (Fault("empty"), EmptyAnswerError, 1, "the answer is empty; try again later"),
    (Fault("captcha"), BannedError, 1, "a web page titled '访问验证' instead of data"),
    (Fault("redirect"), BannedError, 1, "redirected to passport.eastmoney.com"),
    (Fault("huge"), TooLargeError, 1, "larger than 1,048,576 bytes; raise FUND_RESPONSE_LIMIT"),
    (Fault("cut"), (TruncatedError, FormatError), 1, None),
    (Fault("garbage"), FormatError, 1, None),
]
#: Faults that no answer ends, and the limit that does: they take a second each, and are the
#: gateway's, so by default at one endpoint only.
LONG = {
    "hang": {"timeout_s": 0.3},
    **{drip: {"deadline_s": 0.5} for drip in ("drip_header", "drip_body", "drip_endless")},
}
CELLS = [
    pytest.param(
        endpoint,
        *row,
        id=f"{row[0].kind}-{row[0].status}-{endpoint}",
        marks=[pytest.mark.slow] if row[0].kind in LONG and endpoint != "money_funds" else [],
    )
    for row in FAULTS
    for endpoint in CALLS
]


@pytest.mark.parametrize("endpoint, fault, error, requests, said", CELLS)
def test_fault(market, tmp_path, endpoint, fault, error, requests, said):
    """A fault that passes as data is stored; one told as another is repaired in the wrong
    place; one that is tried again for ever brings the ban."""
    market.faults[endpoint] = Fault(fault.kind, fault.status)
    source = EastmoneySource(a_gateway(tmp_path, **LONG.get(fault.kind, {})))
    with pytest.raises(error, match=said) as caught:
        CALLS[endpoint](source)
    assert market.count(endpoint) == requests
    assert len(str(caught.value)) < 700
    assert market.refused == []


def test_messages_name_endpoint_host_and_fund(market, source):
    """Of 26,000 histories, a message without the fund is of no use."""
    market.faults["history"] = Fault("status", 500)
    with pytest.raises(
        StatusError, match=r"history of fund 161725 from fund\.eastmoney\.com: "
    ):
        source.history("161725", kind="index")


def test_deadlines_leave_no_thread_behind(market, hasty_source):
    """A deadline kept by walking away leaves a thread and a socket for each slow answer."""
    market.faults["history"] = Fault("drip_body")
    ours = {t for t in threading.enumerate() if "process_request_thread" not in t.name}
    with pytest.raises(DeadlineError):
        hasty_source.history("000001", kind="mixed")
    left = {t for t in threading.enumerate() if "process_request_thread" not in t.name}
    assert left <= ours


@pytest.mark.parametrize("kind", ["status", "reset", "truncate", "hang"])
def test_a_fault_that_passes_costs_one_more_request(market, tmp_path, kind):
    """One lost packet must not lose the evening."""
    source = EastmoneySource(a_gateway(tmp_path, timeout_s=2.0 if kind == "hang" else 10.0))
    market.faults["open_funds"] = Fault(kind, times=1)
    assert len(source.wave().observations) == 16
    assert [market.count(e) for e in ("open_funds", "money_funds", "exchange_funds")] == [
        2,
        1,
        1,
    ]


def test_a_server_that_says_when_is_heard(market, gateway, source):
    """Coming back before Retry-After is how a limit becomes a ban."""
    market.faults["fund_list"] = Fault("status", 429, times=1, retry_after=90)
    with pytest.raises(StatusError, match="429"):
        source.fund_list()
    assert market.count("fund_list") == 1, "90 s are beyond the deadline of 60 s"


def test_a_compressed_answer_is_the_same_answer(market, source):
    """The content encoding is taken off by our own hand: it must come off right."""
    plain = source.fund_list()
    market.faults["fund_list"] = Fault("gzip")
    assert source.fund_list().payloads == plain.payloads


def test_wrong_fund(market, source):
    """A cache that mixes up funds would write one fund's history over another's."""
    market.faults["history"] = Fault("wrong_fund")
    with pytest.raises(WrongFundError, match="'999999'"):
        source.history("000001", kind="mixed")


@pytest.mark.parametrize("code", ["999999", "1", "../../etc", "00000１", ""])
def test_unknown_funds(market, source, code):
    """A liquidated fund is no outage; a code that is none must not reach a URL."""
    with pytest.raises(UnknownFundError):
        source.history(code, kind="mixed")
    assert market.count("history") == (code == "999999")


def test_one_failure_in_many_histories_stays_one(market, source):
    """In a run over thousands of funds one fund's error must not cost the others."""
    codes = ["000001", "999999", "161725", "110011", "510300"]
    got = list(source.histories((code, "mixed") for code in codes))
    assert [code for code, _ in got] == codes
    assert isinstance(got[1][1], UnknownFundError)
    assert [len(h.observations) for code, h in got if code != "999999"] == [4] * 4


def test_histories_that_nobody_reads_are_not_fetched(market, source):
    """A caller that stops after one fund must not wait for a thousand."""
    walk = source.histories(("000001", "mixed") for _ in range(1000))
    next(walk)
    walk.close()
    assert market.count("history") <= 7


def test_an_unknown_host_is_refused_and_noted(market, gateway):
    """A test that reaches the internet tests the internet."""
    with pytest.raises(TransportError, match="HTTPS_PROXY"):
        gateway.fetch("other", "https://example.org/")
    assert set(market.refused) == {"example.org"}


def test_a_defect_over_an_answer_is_counted_and_not_asked_again(market, gateway):
    """Stops a request from missing in the account because a line of ours broke over it."""

    def broken(answer):
        raise KeyError("x")

    with pytest.raises(DefectError, match=r"fund_list from .*: a defect of .*: KeyError: 'x'"):
        gateway.fetch("fund_list", FUND_LIST_URL, check=broken)
    assert market.count("fund_list") == 1
    assert [(c.outcome, c.requests) for c in gateway.request_counter.take()] == [("defect", 1)]


def test_no_proxy_at_all_is_a_transport_error(market, gateway, monkeypatch):
    """A machine without network gets a message, not a traceback of urllib3."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(TransportError, match="check HTTPS_PROXY"):
        gateway.fetch("other", "https://fund.eastmoney.com/")


def test_an_untrusted_certificate_is_told_as_such(market, gateway, monkeypatch):
    """Verification must be on, and its failure must not read as an outage."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(TransportError, match="TLS failed: check the clock and REQUESTS_CA"):
        gateway.fetch("other", "https://fund.eastmoney.com/")


def test_answers_are_kept_before_they_are_parsed(market, source, tmp_path):
    """The bytes that broke a decoder are the ones needed to mend it."""
    market.faults["fund_list"] = Fault("garbage")
    with pytest.raises(FormatError):
        source.fund_list()
    (kept,) = (tmp_path / "raw").rglob("*.gz")
    assert kept.stat().st_size > 0


def test_a_wave_deletes_raw_answers_past_their_retention(market, source, tmp_path):
    """Stops the archive from growing for ever, and from losing what is still to be kept."""
    archive = RawArchive(tmp_path / "raw")
    old, kept = archive.put(b"old"), archive.put(b"kept")
    for digest, days in ((old, 31), (kept, 29)):
        when = time() - days * 86_400
        os.utime(archive.path(digest), (when, when))
    source.wave()
    assert not archive.path(old).exists()
    assert archive.get(kept) == b"kept"


def test_ping_says_what_works(market, source):
    """The doctor command shows these lines to somebody whose first run failed."""
    gateway = source._gateway
    size = len(market.content.reply("history", "000001").body)
    host = ping_host(gateway)
    assert host[:2] == ("fund.eastmoney.com", True)
    assert host[2].startswith(f"{size:,} bytes of fund 000001 in ")
    assert ping_engine()[:2] == ("JavaScript engine", True)
    market.faults["history"] = Fault("status", 403)
    _, well, said = ping_host(gateway)
    assert not well and "status 403" in said


def test_the_tiny_market_has_every_page():
    """The tests above must meet all three pages."""
    assert len(TinyMarket().fund_list().frame) == 8
