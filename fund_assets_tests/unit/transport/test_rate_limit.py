"""How fast a host is asked: by threads, by processes, and while it holds us off."""

import itertools
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from random import Random

import pytest

from fund_assets.settings import SHANGHAI
from fund_assets.transport import rate_limit
from fund_assets.transport.circuit_breaker import (
    OPEN_AFTER,
    TRUSTED_AFTER,
    CircuitBreaker,
    Known,
    Next,
    Refusal,
)
from fund_assets.transport.rate_limit import FUNDS, PAGES, RateLimit, in_words, moment

NOON = datetime(2026, 9, 18, 12, 0, tzinfo=SHANGHAI).timestamp()


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still, and the pauses that were asked for."""
    pauses: list[float] = []
    monkeypatch.setattr(rate_limit, "monotonic", lambda: 100.0)
    monkeypatch.setattr(rate_limit, "time", lambda: NOON)
    monkeypatch.setattr(rate_limit, "sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("shared", [False, True])
def test_calls_are_spaced_per_host_over_all_threads(clock, tmp_path, shared):
    """A limit kept by each thread for itself is as many times too high as there are threads."""
    limit = RateLimit(2.0, tmp_path / "pace" if shared else None)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(limit.wait, ["a", "a", "a", "b", "a", "b"]))
    assert sorted(clock) == [0.0, 0.0, 0.5, 0.5, 1.0, 1.5]


def test_calls_are_spaced_over_all_processes(tmp_path):
    """A limit kept by each process for itself is as many times too high as there are workers."""
    program = (
        "import sys, time; from pathlib import Path; from fund_assets.transport.rate_limit import RateLimit\n"
        "pace = RateLimit(40.0, Path(sys.argv[1]))\n"
        "for _ in range(10): pace.wait('host'); print(time.monotonic())"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    times = sorted(float(line) for w in workers for line in w.communicate()[0].split())
    assert len(times) == 30
    assert times[-1] - times[0] >= 29 / 40.0 - 0.02
    for first in range(20):
        assert times[first + 10] - times[first] > 10 / 40.0 - 0.05, "no bursts"


def test_a_host_that_holds_us_off_is_asked_less_and_then_as_before(clock):
    """Stops us from running into a ban, and from staying slow for ever after one answer."""
    limit = RateLimit(1.0)

    def gap() -> float:
        limit.wait("a")
        limit.wait("a")
        first, second = clock[-2:]
        return second - first

    assert gap() == 1.0
    for fund in ("000001", "000001", "000002"):  # its second try tells nothing new
        limit.refused("a", FUNDS, fund, "status 429", too_fast=True)
    assert gap() == 4.0
    for fund in range(20):
        limit.refused("a", FUNDS, str(fund), "status 429", too_fast=True)
    assert gap() == 32.0
    for _ in range(10):
        limit.answered("a")
    assert 10 < gap() < 12
    for _ in range(30):
        limit.answered("a")
    assert gap() == 1.0
    limit.wait("b")
    assert clock[-1] == 0.0, "another host has a pace of its own"


def opened(limit, host="a", because="status 514"):
    """Five funds in a row without an answer, and nothing that was answered before."""
    return [limit.refused(host, FUNDS, str(fund), because) for fund in range(OPEN_AFTER)][-1]


def test_an_open_breaker_is_seen_by_all_and_stays_open_longer_each_time(
    clock, tmp_path, monkeypatch
):
    """Stops one worker from asking on where another was banned, and from asking too soon."""
    one, other = RateLimit(1.0, tmp_path), RateLimit(1.0, tmp_path)
    assert other.enter("a", FUNDS) is None
    assert opened(one) is Next.OPEN
    refusal = RateLimit(1.0, tmp_path).enter("a", FUNDS)
    assert refusal == Refusal(NOON + 1_800, "status 514")
    assert f"{moment(refusal.until):%H:%M}" == "12:31" and other.enter("b", FUNDS) is None
    assert other.enter("a", PAGES) is None, "the pages have a breaker of their own"
    assert other.refusals() == {"a": refusal}

    until, pauses = NOON + 1_800, []
    for _ in range(7):  # the first after the pause asks, and is refused
        monkeypatch.setattr(rate_limit, "time", lambda at=until: at + 1)
        assert one.enter("a", FUNDS) is None
        assert other.refused("a", FUNDS, "000009", "status 514") is Next.OPEN
        before, until = until, other.refusal("a", FUNDS).until
        pauses.append(until - before - 1)
    assert pauses == [3_600, 7_200, 14_400, 28_800, 43_200, 43_200, 43_200]
    monkeypatch.setattr(rate_limit, "time", lambda: until + 1)
    assert one.enter("a", FUNDS) is None
    one.answered("a", FUNDS)
    assert other.enter("a", FUNDS) is None and other.refusals() == {}
    assert opened(one) is Next.OPEN
    assert one.refusal("a", FUNDS).until == until + 1 + 43_200, "one answer is not yet trust"
    monkeypatch.setattr(rate_limit, "time", lambda: until + 90_000)
    for _ in range(TRUSTED_AFTER):
        one.answered("a", FUNDS)
    assert opened(one) is Next.OPEN
    assert one.refusal("a", FUNDS).until == until + 90_000 + 1_800


def test_a_request_that_was_answered_before_tells_funds_from_the_host(clock, monkeypatch):
    """Stops three dead pages in a row from being taken for a ban, and a ban for dead pages."""
    limit, known = RateLimit(1.0), Known("history", "000001", "https://a/000001.js")
    limit.answered("a", FUNDS, known)
    assert limit.refused("a", FUNDS, "000002", "reset") is Next.AGAIN
    assert limit.refused("a", FUNDS, "000002", "reset") is Next.AGAIN
    assert limit.refused("a", FUNDS, "000003", "reset") is Next.ENOUGH, "no second try"
    assert limit.refused("a", FUNDS, "000004", "reset") == known
    assert limit.refused("a", FUNDS, "000005", "reset") is Next.ENOUGH, "another asks already"
    limit.answered("a", FUNDS)
    assert limit.refused("a", FUNDS, "000006", "reset") is Next.AGAIN, "all is as before"

    for fund in ("000007", "000008"):
        follows = limit.refused("a", FUNDS, fund, "reset")
    assert follows == known
    limit.probe_failed("a", FUNDS, "reset")
    assert limit.enter("a", FUNDS) == Refusal(NOON + 1_800, "reset")
    limit.answered("a", FUNDS)
    assert limit.enter("a", FUNDS), "what was on its way when the breaker opened proves nothing"
    assert limit.refused("a", PAGES, "open_funds", "reset") is Next.OPEN, "once is enough now"
    assert limit.enter("a", PAGES) and limit.enter("a", FUNDS)
    monkeypatch.setattr(rate_limit, "time", lambda: NOON + 1_801)
    assert limit.enter("a", FUNDS) == known, "it is asked first, by one of all"


@pytest.mark.parametrize("workers, most", [(1, 5), (2, 6), (3, 7), (4, 8)])
def test_a_ban_costs_what_is_under_way_and_one_more(workers, most):
    """Stops a slow machine, on which refusals come in an odd order, from asking on."""
    at_most = 0
    for seed in range(500):
        pick = Random(seed)
        breaker = CircuitBreaker(known=Known("history", "known", "https://a/known.js"))
        funds = (str(n) for n in itertools.count())
        under_way = [(next(funds), 1) for _ in range(workers)]
        sent = workers
        while True:
            fund, tries = under_way.pop(pick.randrange(len(under_way)))
            follows = breaker.refuse(
                NOON, fund, "reset", reached=True, pages=False, beside=False
            )
            sent += 1
            if follows is Next.PROBE:
                break
            again = follows is Next.AGAIN and tries < 3
            under_way.append((fund, tries + 1) if again else (next(funds), 1))
        at_most = max(at_most, sent)
    assert at_most == most


def test_a_host_that_cannot_be_reached_is_tried_sooner(clock, monkeypatch):
    """Stops an unplugged cable from costing half an hour, and from 26,000 tries."""
    limit = RateLimit(1.0)
    for fund in range(OPEN_AFTER):
        limit.refused("a", FUNDS, str(fund), "no connection", reached=False)
    assert limit.enter("a", FUNDS) == Refusal(NOON + 60, "no connection", reached=False)
    assert "is unreachable" in in_words("a", limit.enter("a", FUNDS))


STORED = (
    '{"turn": 0.0, "slow": 4.0, "doors": {"pages": {}, "funds": {"refused": ["2", "3", "4"], '
    '"because": "status 514", "reached": true, "shut_at": %s, "until": %s, "shut": 1, '
    '"answers": 0, "known": {"endpoint": "history", "subject": "000001", '
    '"url": "https://a/000001.js", "headers": {}, "form": "js"}, "asking": 0.0}}}'
)


def test_files_of_every_version_say_the_same(clock, tmp_path):
    """Stops an update from asking a host on that refuses us: its file would count as none."""
    file = tmp_path / "a.json"
    file.write_text(STORED % (NOON - 60, NOON + 1_740))
    limit = RateLimit(1.0, tmp_path)
    assert limit.enter("a", FUNDS) == Refusal(NOON + 1_740, "status 514")
    limit.wait("a")
    assert file.read_text().rstrip() == (STORED % (NOON - 60, NOON + 1_740)).replace(
        '"turn": 0.0', '"turn": 104.0'
    ).replace('"pages": {}', f'"pages": {json.dumps(CircuitBreaker().as_json())}')


@pytest.mark.parametrize("ahead", [400, 90_000])
def test_an_open_breaker_of_another_clock_is_asked(clock, tmp_path, monkeypatch, ahead):
    """Stops a clock that was ahead from keeping a breaker open for days after it is right."""
    monkeypatch.setattr(rate_limit, "time", lambda: NOON + ahead)
    limit = RateLimit(1.0, tmp_path)
    opened(limit)
    monkeypatch.setattr(rate_limit, "time", lambda: NOON)
    assert limit.enter("a", FUNDS) is None
    limit.answered("a", FUNDS)
    assert limit.refusals() == {}


def test_of_26000_funds_a_twentieth_in_trouble_is_no_ban(clock):
    """Stops single funds, each refused on every try, from stopping a backfill or slowing it."""
    dice = Random(20260918)
    limit, asked, slow = RateLimit(1e9), 0, []
    for number in range(26_000):
        fund = f"{number:06d}"
        if dice.random() < 0.05 or 5_000 <= number < 5_040:  # and forty neighbours
            for _ in range(3):
                assert limit.enter("a", FUNDS) is None
                follows = limit.refused("a", FUNDS, fund, "status 503")
                asked += isinstance(follows, Known)
                if isinstance(follows, Known):
                    limit.answered("a", FUNDS)
                assert follows is not Next.OPEN
                if follows is not Next.AGAIN:
                    break
        else:
            limit.answered("a", FUNDS, Known("history", fund, f"https://a/{fund}.js"))
        slow.append(limit._hosts["a"].slow)
    assert 0 < asked < 100, "so often a known request was made again"
    assert sum(slow) / len(slow) < 1.1, "and hardly slower"


def test_a_broken_file_or_one_of_before_a_restart_delays_nobody(clock, tmp_path):
    """Stops a crash in the middle of a write from ending every collection after it."""
    limit = RateLimit(1.0, tmp_path)
    stored = '{"turn": 90000.0, "slow": 1.0, "doors": {"pages": {}, "funds": {}}}'
    wrong = stored.replace("{}", '{"until": "x"}', 1)
    for text in ("{", "[]", '{"turn": "x"', '{"other": 1}', stored, wrong, "", "\0" * 50):
        (tmp_path / "a.json").write_text(text)
        limit.wait("a")
        assert clock[-1] == 0.0, text
        assert limit.enter("a", FUNDS) is None


def test_the_real_clock_keeps_the_limit():
    """Stops a limit that a fast loop gets around."""
    limit = RateLimit(200.0)
    begun = time.monotonic()
    for _ in range(41):
        limit.wait("a")
    assert time.monotonic() - begun >= 0.199
