"""How fast a host is asked: by threads, by processes, and while it holds us off."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from fund_assets.settings import SHANGHAI
from fund_assets.sources import pace
from fund_assets.sources.pace import Pace

NOON = datetime(2026, 9, 18, 12, 0, tzinfo=SHANGHAI).timestamp()


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still, and the pauses that were asked for."""
    pauses: list[float] = []
    monkeypatch.setattr(pace, "monotonic", lambda: 100.0)
    monkeypatch.setattr(pace, "time", lambda: NOON)
    monkeypatch.setattr(pace, "sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("shared", [False, True])
def test_calls_are_spaced_per_host_over_all_threads(clock, tmp_path, shared):
    """A limit kept by each thread for itself is as many times too high as there are threads."""
    limit = Pace(2.0, tmp_path / "pace" if shared else None)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(limit.wait, ["a", "a", "a", "b", "a", "b"]))
    assert sorted(clock) == [0.0, 0.0, 0.5, 0.5, 1.0, 1.5]


def test_calls_are_spaced_over_all_processes(tmp_path):
    """A limit kept by each process for itself is as many times too high as there are workers."""
    program = (
        "import sys, time; from pathlib import Path; from fund_assets.sources.pace import Pace\n"
        "pace = Pace(40.0, Path(sys.argv[1]))\n"
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
    limit = Pace(1.0)

    def gap() -> float:
        limit.wait("a")
        limit.wait("a")
        first, second = clock[-2:]
        return second - first

    assert gap() == 1.0
    limit.held_off("a")
    limit.held_off("a")
    assert gap() == 4.0
    for _ in range(20):
        limit.held_off("a")
    assert gap() == 32.0
    for _ in range(10):
        limit.answered("a")
    assert 10 < gap() < 12
    for _ in range(30):
        limit.answered("a")
    assert gap() == 1.0
    limit.wait("b")
    assert clock[-1] == 0.0, "another host has a pace of its own"


def test_a_stop_is_seen_by_all_and_grows(clock, tmp_path, monkeypatch):
    """Stops one worker from asking on where another was banned, and from asking too soon."""
    one, other = Pace(1.0, tmp_path), Pace(1.0, tmp_path)
    assert other.stopped_until("a") is None
    assert f"{one.stop('a'):%H:%M}" == "12:31"
    assert f"{other.stopped_until('a'):%H:%M}" == "12:31" and other.stopped_until("b") is None
    monkeypatch.setattr(pace, "time", lambda: NOON + 1_900)
    assert other.stopped_until("a") is None
    assert f"{one.stop('a'):%H:%M}" == "13:32", "twice as long, without an answer in between"
    for _ in range(9):
        assert one.stop("a").timestamp() <= NOON + 1_900 + 12 * 3_600 + 60
    one.answered("a")
    monkeypatch.setattr(pace, "time", lambda: NOON + 90_000)
    assert f"{one.stop('a'):%H:%M}" == "13:31"


def test_a_broken_file_or_one_of_before_a_restart_delays_nobody(clock, tmp_path):
    """Stops a crash in the middle of a write from ending every collection after it."""
    limit = Pace(1.0, tmp_path)
    for text in ("{", "[]", '{"turn": "x"', '{"other": 1}', '{"turn": 90000.0}', ""):
        (tmp_path / "a.json").write_text(text)
        limit.wait("a")
        assert clock[-1] == 0.0, text


def test_the_real_clock_keeps_the_limit():
    """Stops a limit that a fast loop gets around."""
    limit = Pace(200.0)
    begun = time.monotonic()
    for _ in range(41):
        limit.wait("a")
    assert 0.199 <= time.monotonic() - begun < 0.3
