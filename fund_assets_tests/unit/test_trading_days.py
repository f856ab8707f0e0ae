"""The sessions that Sina announces, read by the real akshare from the real format."""

import json
from datetime import date, timedelta

import pytest

from fund_assets.calendar import (
    CalendarError,
    TradingCalendar,
    check_refresh,
    exchange_sessions,
    from_key,
    to_key,
)
from fund_assets.settings import load_settings
from fund_assets.sources import trading_days
from fund_assets.sources.base import FormatError, TruncatedError
from fund_assets.sources.gateway import Answer, Gateway

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
FIRST = date(1990, 12, 19)


def weekdays(first, last):
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5]


def encode(sessions):
    """klc_td_sh.txt as Sina writes it: weekday runs in a stream of bits, lowest bit first."""
    bits = []

    def put(value, width):
        bits.extend(value >> n & 1 for n in range(width))

    put(139, 12)
    put(63, 6)
    put(0, 18)  # the first day, counted from 1990-12-19
    put((from_key(max(sessions)) - FIRST).days, 18)
    put(0b011111, 6)  # runs have 3 * 4 bits from now on
    known, run, runs = set(sessions), 0, []
    for day in weekdays(FIRST, from_key(max(sessions))):
        if to_key(day) in known:
            run += 1
        else:
            runs.append(run)
            run = 0
    for number, length in enumerate([*runs, run]):
        if number:
            put(0, 1)
        put(length, 12)
    bits += [0] * (-len(bits) % 6)
    text = "".join(
        ALPHABET[sum(bit << n for n, bit in enumerate(bits[at : at + 6]))]
        for at in range(0, len(bits), 6)
    )
    return f'var datelist="{text}";KLC_TD_SH={json.dumps(text)};'.encode()


@pytest.fixture
def serve(monkeypatch):
    """Let the gateway answer with these bytes; everything behind it is real."""

    def answer_with(body):
        def fetch(_gateway, endpoint, url, *_args, **_more):
            assert url == "https://finance.sina.com.cn/realstock/company/klc_td_sh.txt"
            return Answer(endpoint, url, 200, {}, body, "0" * 64)

        monkeypatch.setattr(Gateway, "fetch", fetch)

    return answer_with


def sessions_of(year):
    """A year's announced sessions: weekdays but for eight holidays in October and February."""
    closed = {to_key(date(year, 10, n)) for n in range(1, 11)}
    closed |= {to_key(date(year, 2, n)) for n in range(8, 13)}
    days = weekdays(date(year, 1, 1), date(year, 12, 30))
    return [key for key in map(to_key, days) if key not in closed]


def test_sessions_survive_the_wire(serve):
    """Stops a refresh that loses, shifts or doubles days, a time zone among the causes."""
    serve(encode([key for key in exchange_sessions() if key != 19920504]))  # as Sina does
    assert trading_days.announced_sessions(load_settings()) == list(exchange_sessions())


def test_next_year_is_added(serve):
    """Stops a refresh that brings nothing, or touches the known past."""
    known = TradingCalendar.build()
    new = sessions_of(known.horizon.year + 1)
    serve(encode([*exchange_sessions(), *new]))
    assert check_refresh(trading_days.announced_sessions(load_settings()), known) == new


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_cut_answer_is_refused(serve, kept):
    """Stops wrong sessions: akshare decodes a cut answer without an error."""
    body = encode([*exchange_sessions(), *sessions_of(2027)]).split(b"KLC")[0]
    serve(body[: int(len(body) * kept) - 2])
    with pytest.raises(TruncatedError, match="no whole list of sessions"):
        trading_days.announced_sessions(load_settings())


def test_a_changed_past_is_refused(serve):
    """Stops sessions of another exchange, or of a list that lost its middle."""
    serve(encode([key for key in exchange_sessions() if key // 100 != 202503]))
    with pytest.raises(CalendarError, match="differs from the known calendar on 21 days"):
        check_refresh(trading_days.announced_sessions(load_settings()), TradingCalendar.build())


def test_another_format_is_named(serve):
    """Stops an unreadable answer from ending in akshare's own IndexError."""
    serve(b'var datelist="AAAA";')
    with pytest.raises(FormatError, match="tool_trade_date_hist_sina"):
        trading_days.announced_sessions(load_settings())
