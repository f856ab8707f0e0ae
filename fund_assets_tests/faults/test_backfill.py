"""A backfill over a source that misbehaves: each fund its own fault, a ban, a shorter past."""

import csv
import gzip
import re
from datetime import datetime, timedelta

import pytest

from fund_assets.calendar import TradingCalendar
from fund_assets.nav.history import HistoryChoice
from fund_assets.pipeline import nav_history
from fund_assets.pipeline.nav_history import (
    RetryWindow,
    collect_histories,
    collect_with_retries,
)
from fund_assets.pipeline.validated_nav import explain_block, validate
from fund_assets.settings import SHANGHAI
from fund_assets.sources.eastmoney import source as eastmoney
from fund_assets.sources.eastmoney.addresses import HOST
from fund_assets.sources.eastmoney.decode_history import decode_history
from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.transport import rate_limit
from fund_assets.transport.errors import HeldOffError, SourceError, TruncatedError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import landing
from fund_assets_tests import stores
from fund_assets_tests.faults.conftest import ATTEMPTS, a_gateway
from fund_assets_tests.server import Fault, MarketServer, wire
from fund_assets_tests.server.many import ManyFunds

NOW = datetime(2026, 9, 18, 21, 40, tzinfo=SHANGHAI)
CALENDAR = TradingCalendar.build()
FUNDS, DATES = 30, 12
#: fund → fault, state, error, requests it may cost
FAULTS = {
    "000001": (Fault("status", 503), "failed", "StatusError: .*fund 000001.*503", ATTEMPTS),
    "000003": (Fault("hang"), "failed", "TransportError: .*000003.*no data", ATTEMPTS),
    "000005": (Fault("drip_body"), "failed", "DeadlineError: .*000005.*within 3.5 s", 1),
    "000007": (Fault("reset"), "failed", "TransportError: .*000007", ATTEMPTS),
    "000009": (Fault("truncate"), "failed", "TransportError: .*000009.*cut off", ATTEMPTS),
    "000011": (Fault("captcha"), "failed", "BannedError: .*000011.*访问验证", 1),
    "000013": (Fault("wrong_fund"), "refused", "WrongFundError: .*000013.*'999999'", 1),
    "000015": (Fault("no_points"), "nothing", "EmptyAnswerError: .*000015.*no date", 1),
    "000017": (Fault("status", 404), "nothing", "UnknownFundError: .*000017", 1),
    "000019": (Fault("gzip_garbage"), "failed", "TransportError: .*000019.*damaged", ATTEMPTS),
    "000021": (Fault("gzip_cut"), "failed", "TransportError: .*000021.*incomplete", ATTEMPTS),
    "000023": (Fault("cut"), "failed", "TruncatedError: .*000023", 1),
    "000025": (Fault("empty"), "nothing", "EmptyAnswerError: .*000025.*empty", 1),
    "000027": (Fault("status", 429), "failed", "StatusError: .*000027.*429", ATTEMPTS),
}


@pytest.fixture(scope="module")
def server():
    with MarketServer(ManyFunds(FUNDS, DATES)) as server:
        yield server


@pytest.fixture
def many(server):
    """The market without faults, reached through this process's environment."""
    server.reset()
    with server.as_environment():
        yield server


class Backfill:
    """A warehouse that knows the funds, and a source that gives up soon."""

    def __init__(self, folder, market):
        self.warehouse = Warehouse(stores.at(folder))
        self.warehouse.init("eastmoney")
        landing.write_fund_info(self.warehouse, market.content.listing)
        self.folder = folder
        self.source = EastmoneySource(self.gateway())

    def run(self, **choice):
        def publish(_batch):
            assert not explain_block(validate(self.warehouse, CALENDAR, NOW))

        return collect_histories(
            self.warehouse, self.source, lambda: NOW, HistoryChoice(**choice),
            pages=False, landed=publish,
        )  # fmt: skip

    def gateway(self):
        return a_gateway(self.folder, deadline_s=3.5, timeout_s=1.0)

    def one_by_one(self):
        """Funds are asked in their order."""
        self.source = EastmoneySource(self.gateway(), workers=1)

    @property
    def progress(self):
        return landing.history_progress(self.warehouse).set_index("fund_code")

    def dates(self):
        rows = self.warehouse.rows(
            "SELECT fund_code, COUNT(*) AS n FROM validated_nav GROUP BY fund_code"
        )
        return {row["fund_code"]: row["n"] for row in rows}


@pytest.fixture
def backfill(tmp_path, many):
    found = Backfill(tmp_path, many)
    yield found
    found.warehouse.close()


@pytest.mark.slow
def test_each_fund_has_its_own_fault_and_the_others_go_on(many, backfill):
    """Stops one fund's fault from costing the others, hiding whose it is, or asking for ever."""
    backfill.one_by_one()  # so that no two faults stand in a row, which would doubt the host
    for code, (fault, *_) in FAULTS.items():
        many.faults[f"history/{code}"] = Fault(fault.kind, fault.status)
    report = backfill.run()
    assert report.asked == report.done == FUNDS and not report.stopped
    assert set(report.failures) == set(FAULTS) and report.refused == {}
    progress = backfill.progress
    for code, (_, state, words, requests) in FAULTS.items():
        assert re.match(words, report.failures[code]), report.failures[code]
        assert progress.loc[code, "last_error"] == report.failures[code][:600]
        assert (progress.loc[code, "state"], progress.loc[code, "attempts"]) == (state, 1)
        assert sum(fund == code for _, fund, *_ in many.requests) == requests, code
    well = set(many.content.codes) - set(FAULTS)
    assert backfill.dates() == dict.fromkeys(well, DATES)
    assert (progress.loc[sorted(well), "state"] == "stored").all()
    assert (progress.loc[sorted(well), "nav_dates"] == DATES).all()
    budget = sum(requests for *_, requests in FAULTS.values()) + len(well)
    assert len(many.requests) == budget, "nobody is asked more than it is worth"

    many.reset()
    again = backfill.run()
    unanswered = {code for code, (_, state, *_) in FAULTS.items() if state == "failed"}
    assert {fund for _, fund, *_ in many.requests} == unanswered, "only those that gave none"
    assert len(many.requests) == len(unanswered) and again.failures == {}
    assert set(backfill.dates()) == well | unanswered
    assert backfill.source.kept() == {}


#: How the source refuses everything → words of the message.
BANS = {
    "closed": (Fault("close"), "closed without an answer: the source refuses our requests"),
    "reset": (Fault("reset"), "closed without an answer: the source refuses our requests"),
    "514": (Fault("status", 514), "status 514, too many requests, says its CDN"),
    "503": (Fault("status", 503), "status 503"),
    "captcha": (Fault("captcha"), "访问验证"),
    "riddle": (
        Fault("raw", raw=b"HTTP/1.1 302 Found\r\nLocation: /verify?id=1\r\n"
              b"Content-Length: 0\r\n\r\n"),
        "redirected to /verify, which is not followed",
    ),
    "words": (
        Fault("raw", raw=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
              b"Content-Length: 22\r\n\r\n" + b'{"code":-1,"msg":"no"}'),
        '{"code":-1,"msg":"no"}',
    ),
}  # fmt: skip
MOST_AFTER = 10


@pytest.mark.parametrize(
    "ban",
    [ban if ban == "captcha" else pytest.param(ban, marks=pytest.mark.slow) for ban in BANS],
)
def test_a_ban_stops_everything_and_says_until_when(many, backfill, monkeypatch, ban):
    """Stops 26,000 requests from running into a ban, and the first after it from coming soon."""
    fault, words = BANS[ban]
    first, after = many.content.codes[:10], many.content.codes[10:]
    backfill.run(codes=tuple(first))
    many.reset()
    many.faults["*"] = fault
    report = backfill.run()
    # Four refused with two under way, and the known one; a slow machine comes to no more.
    assert 4 <= len(many.requests) <= 7
    assert len({code for _, code, *_ in many.requests} & set(first)) == 1
    assert words in report.stopped and "HTTPS_PROXY" not in report.stopped
    told = re.search(
        r"eastmoney.com refuses requests, next request after (\d{4}-\d\d-\d\d \d\d:\d\d): .*continues from there",
        report.stopped,
    )
    until = datetime.fromisoformat(told[1]).replace(tzinfo=SHANGHAI)
    assert timedelta(minutes=29) < until - datetime.now(SHANGHAI) < timedelta(minutes=32)
    assert report.until == until
    assert set(backfill.dates()) == set(first), "what came before has landed"

    refused = backfill.run()
    assert refused.until == until and refused.done == 0
    with pytest.raises(SourceError, match="open_funds"):
        backfill.source.wave()  # the pages have a breaker of their own: one request opens it
    for ask in (backfill.source.wave, backfill.source.fund_list):
        with pytest.raises(HeldOffError, match="refuses requests, next request after"):
            ask()
    for stops in (1, 2):  # a request a pause, and pauses that grow
        later = until.timestamp() + 3_600 * stops**2
        monkeypatch.setattr(rate_limit, "time", lambda later=later: later)
        again = backfill.run()
        assert again.done == 0 or set(again.failures)
    assert len(many.requests) <= MOST_AFTER, "in all, since the ban began"

    many.reset()
    monkeypatch.setattr(rate_limit, "time", lambda: until.timestamp() + 86_400)
    report = backfill.run()
    assert not report.stopped and len(backfill.dates()) == FUNDS
    asked = [fund for what, fund, *_ in many.requests if what == "history"]
    assert len(asked) == len(set(asked)) and len(set(asked) & set(first)) <= 1
    assert set(asked) - set(first) == set(after)


def test_an_address_that_has_moved_is_asked_there(many, backfill, monkeypatch):
    """Stops a page that moved within its host from being lost, and one that leads to itself
    from being asked for ever or faster than others."""
    gateway = backfill.source._gateway
    turns, wait = [], gateway.rate_limit.wait
    monkeypatch.setattr(
        gateway.rate_limit, "wait", lambda host: (turns.append(host), wait(host))
    )

    def moved(to):
        return Fault("raw", 301, 1, raw=b"HTTP/1.1 301 Moved Permanently\r\nLocation: "
                     + to.encode() + b"\r\nContent-Length: 0\r\n\r\n")  # fmt: skip

    many.faults["history/000001"] = moved("/pingzhongdata/000001.js?moved")
    many.faults["history/000002"] = moved("/pingzhongdata/000002.js")
    many.faults["history/000002"].times = 9
    report = backfill.run(codes=("000001", "000002"))
    assert set(report.failures) == {"000002"} and set(backfill.dates()) == {"000001"}
    assert "redirected again at the new address" in report.failures["000002"]
    asked = [
        path for what, fund, path, _ in many.requests if (what, fund) == ("history", "000001")
    ]
    assert asked[-1].endswith("?moved") and len(asked) == 2
    assert len(turns) >= len(many.requests) // 2, "each second request waits for its turn, too"


def test_a_backfill_that_waits_goes_on_by_itself(many, backfill, monkeypatch):
    """Stops a ban in the night from ending the backfill of the night."""
    many.faults["*"] = Fault("close")
    backfill.source._gateway.rate_limit._pause_s = 0.2
    monkeypatch.setattr(nav_history, "LOOK_S", 0.05)
    waited = []

    def told(words):
        waited.append(len(many.requests))
        if len(waited) == 3:
            many.faults.clear()

    soon = datetime.now(SHANGHAI)
    monkeypatch.setattr(backfill.source, "stopped_until", lambda: (
        soon if backfill.source._gateway.rate_limit.refusal(HOST, rate_limit.FUNDS) else None
    ))  # fmt: skip
    codes = tuple(many.content.codes[:12])
    report = collect_with_retries(
        backfill.warehouse, backfill.source, lambda: NOW, HistoryChoice(codes=codes),
        window=RetryWindow(60, told),
        landed=lambda batch: validate(backfill.warehouse, CALENDAR, NOW),
    )  # fmt: skip
    assert not report.stopped and report.failures == {} and report.done == report.asked == 12
    assert set(backfill.dates()) == set(codes)
    assert len(waited) >= 3 and waited[2] <= MOST_AFTER, "requests during the ban"
    many.faults["*"] = Fault("close")
    monkeypatch.undo()
    report = collect_with_retries(
        backfill.warehouse, backfill.source, lambda: NOW, HistoryChoice(), window=RetryWindow(0)
    )
    assert "refuses requests, next request after" in report.stopped and report.until, (
        "no longer than it may"
    )


def test_a_market_with_single_failures_is_no_ban(many, backfill):
    """Stops some dead pages in a row, in whatever way they fail, from ending a backfill."""
    dead = many.content.codes[7:14]
    forms = [*BANS.values()]
    for at, code in enumerate(dead):
        many.faults[f"history/{code}"] = forms[at % len(forms)][0]
    report = backfill.run()
    assert not report.stopped and report.done == FUNDS
    assert set(report.failures) == set(dead)
    assert set(backfill.dates()) == set(many.content.codes) - set(dead)
    asked = [what for what, *_ in many.requests if what == "history"]
    assert len(asked) <= FUNDS + ATTEMPTS * len(dead)


@pytest.mark.slow
def test_what_was_answered_before_a_crash_is_not_asked_for_again(many, backfill, monkeypatch):
    """Stops a run that dies between an answer and its batch from asking for it twice."""

    class Crash(BaseException):
        pass

    def crash(*_arguments, **_options):
        raise Crash

    many.faults["history/000002"] = Fault("status", 404)
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(landing, "land", crash)
        backfill.run()
    assert {fund for _, fund, *_ in many.requests} == set(many.content.codes)
    assert len(many.requests) == FUNDS and backfill.dates() == {}
    assert backfill.source.kept()["000002"] == "status 404"
    assert len(backfill.source.kept()) == FUNDS
    many.reset()
    report = backfill.run()
    assert many.requests == [] and len(backfill.dates()) == FUNDS - 1
    assert report.failures["000002"].startswith("UnknownFundError")
    assert backfill.source.kept() == {}
    # Once landed it is asked for anew, also when a crash came before it was forgotten.
    digest = backfill.progress.loc["000001", "answer"]
    backfill.source._gateway.archive.keep("history", "000001", digest)
    backfill.run(codes=("000001",))
    assert [fund for _, fund, *_ in many.requests] == ["000001"]


OK = b"HTTP/1.1 200 OK\r\n"
#: Answers against the rules of HTTP, or of us.
STRANGE = [
    b"HTTP/1.1 302 Found\r\nLocation: https://fund.eastmoney.com\\@evil.example/\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://fund.eastmoney.com/x.js\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: https://fund.eastmoney.com:8443/x\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe\x80\r\nContent-Length: 0\r\n\r\n",
    OK + b"Content-Encoding: \xff\xfe\r\nContent-Length: 3\r\n\r\nabc",
    OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    OK + b"Content-Length: -3\r\n\r\nabc",
    b"\x1b[2J\x1b]0;owned\x07 NOTHING\r\n\r\n",
    OK
    + b"Content-Length: 60\r\n\r\n"
    + b'var fS_code = "@";var Data_netWorthTrend = "\\ud800";       '[:60],
]


def test_strange_answers_are_each_their_funds_own_error(many, backfill):
    """Stops one answer that breaks the rules, or our code, from ending a run over the others."""
    strange = dict(zip(many.content.codes[5:], STRANGE, strict=False))
    for code, raw in strange.items():
        many.faults[f"history/{code}"] = Fault("raw", raw=raw)
    report = backfill.run()
    assert not report.stopped and set(report.failures) == set(strange)
    assert set(backfill.dates()) == set(many.content.codes) - set(strange)
    assert report.defects == [], "all of these are known ways to be wrong"
    assert many.refused == [], "no other host was asked"
    for words in report.failures.values():
        assert words.isprintable() and re.match(r"\w+Error: .*0000", words), words


def test_a_defect_of_ours_is_one_funds_error_and_seen_as_ours(
    many, backfill, monkeypatch, caplog
):
    """Stops a line of ours that breaks over one answer from costing the other funds."""

    def broken(body, fund_code):
        if fund_code == "000007":
            raise KeyError("x")
        return decode_history(body, fund_code)

    monkeypatch.setattr(eastmoney, "decode_history", broken)
    report = backfill.run()
    assert set(report.failures) == {"000007"} and len(report.defects) == 1
    assert "a defect of fund-assets: KeyError" in report.failures["000007"]
    assert "Traceback" in caplog.text and 'raise KeyError("x")' in caplog.text
    assert len(backfill.dates()) == FUNDS - 1
    assert backfill.progress.loc["000007", "state"] == "refused"


def test_damaged_files_of_the_archive_are_asked_for_again_and_healed(
    many, backfill, monkeypatch
):
    """Stops what a power cut left in the archive from ending the run that goes on."""
    codes = many.content.codes
    list(backfill.source.histories([(code, "mixed") for code in codes], keep=True))
    archive, kept = backfill.source._gateway.archive, backfill.source.kept()
    harm = [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:30] + b"\0" + b[31:]]
    hurt = {code: archive.path(kept[code]) for code in codes[:3]}
    whole = {path: path.read_bytes() for path in hurt.values()}
    for change, path in zip(harm, hurt.values(), strict=True):
        path.write_bytes(change(whole[path]))
    (archive.folder / "kept" / "history" / codes[3]).write_bytes(b"\xff")
    many.reset()
    report = backfill.run()
    assert report.failures == {} and set(backfill.dates()) == set(codes)
    asked = sorted(fund for what, fund, *_ in many.requests if what == "history")
    assert asked == codes[:4]
    assert {path: path.read_bytes() for path in whole} == whole, "healed"


def test_long_histories_make_batches_of_fewer_funds(many, backfill, monkeypatch):
    """Stops funds with twenty years of dates from taking five times the memory."""
    monkeypatch.setattr(nav_history, "ROWS_PER_BATCH", 3 * DATES - 1)
    report = backfill.run(codes=tuple(f"{n:06d}" for n in range(1, 8)))
    batches = backfill.warehouse.rows("SELECT batch_id, rows_read FROM collection_batch")
    assert sorted(row["rows_read"] for row in batches) == [DATES, 3 * DATES, 3 * DATES]
    assert len(report.batches) == 3 and report.rows == 7 * DATES


@pytest.mark.slow
def test_a_history_shorter_than_the_stored_one_is_refused(many, backfill):
    """Stops a past that the source has lost from being lost here too."""
    backfill.run(codes=("000001", "000002"))
    before = backfill.progress
    shorter = ManyFunds(FUNDS, DATES - 3)
    many.content, whole = shorter, many.content
    try:
        report = backfill.run(codes=("000001", "000002"))
    finally:
        many.content = whole
    assert set(report.refused) == {"000001", "000002"} and report.rows == 0
    assert "the history begins" in report.refused["000001"]
    assert backfill.dates() == {"000001": DATES, "000002": DATES}
    after = backfill.progress
    assert (after["state"] == "refused").all() and (after["attempts"] == 1).all()
    assert (
        after["stored_at"].equals(before["stored_at"]) and (after["nav_dates"] == DATES).all()
    )
    assert after.loc["000001", "last_error"] == report.refused["000001"]


@pytest.mark.real_data
def test_the_real_bad_scrape_is_refused(real_data):
    """Stops a page that a source gave 39 times from being taken for a fund's whole past."""
    path = real_data / "other" / "BAD_repeated_pages_161725_lsjz_2023-02.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="|"))[::-1]
    keys = [int(row["净值日期"].replace("-", "")) for row in rows]
    assert len(keys) > 30 * len(set(keys)), "one page, again and again"
    unit, acc = ([float(row[name]) for row in rows] for name in ("单位净值", "累计净值"))
    growth = [float(row["日增长率"].removesuffix("%")) for row in rows]
    body = wire.history("161725", "招商中证白酒指数", keys, unit, acc, growth)
    with pytest.raises(
        TruncatedError, match=r"161725.*the source repeated a page; it is not used"
    ):
        decode_history(body, "161725")
    once = wire.history(
        "161725", "招商中证白酒指数", keys[-20:], unit[-20:], acc[-20:], growth[-20:]
    )
    assert len(decode_history(once, "161725")[0]) == len(set(keys[-20:])), (
        "the page itself is well"
    )
