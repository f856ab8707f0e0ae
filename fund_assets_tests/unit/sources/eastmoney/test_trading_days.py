"""The sessions that sources announce: Sina's format through akshare, Shenzhen's months, and
what becomes of witnesses that agree, differ, or are silent."""

import json
from datetime import date, timedelta

import pytest

from fund_assets.calendar import (
    KNOWN_AT_LEAST,
    CalendarError,
    TradingCalendar,
    check_refresh,
    exchange_sessions,
    from_key,
    packaged_end,
    to_key,
)
from fund_assets.pipeline import announcements
from fund_assets.settings import load_settings
from fund_assets.sources.eastmoney import trading_days
from fund_assets.transport.errors import (
    FormatError,
    SourceError,
    TransportError,
    TruncatedError,
)
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.http_answer import Answer

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
    with pytest.raises(TruncatedError, match="no complete list of sessions"):
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


def test_the_installed_calendar_reaches_as_far_as_promised():
    """Stops marks from being left out because an older calendar was installed."""
    assert packaged_end() >= KNOWN_AT_LEAST


KNOWN = TradingCalendar.build()
PAST = list(exchange_sessions())
END = KNOWN.horizon
NEXT = END.year + 1


def month(year, number, sessions):
    """A month as the Shenzhen exchange's page sends it."""
    day, rows = date(year, number, 1), []
    while day.month == number:
        state = str(int(to_key(day) in sessions))
        rows.append({"jyrq": f"{day}", "jybz": state, "zrxh": day.isoweekday() % 7 + 1})
        day += timedelta(days=1)
    return json.dumps({"data": rows, "nowdate": f"{END}"}).encode()


@pytest.fixture
def shenzhen(monkeypatch):
    """Let the page answer with these bodies by month; everything behind it is real."""

    def answer_with(bodies):
        def fetch(_gateway, endpoint, url, params, *_args, **_more):
            assert url.startswith("https://www.szse.cn/api/report/exchange/")
            asked.append(params["month"])
            return Answer(endpoint, url, 200, {}, bodies[params["month"]], "0" * 64)

        asked = []
        monkeypatch.setattr(Gateway, "fetch", fetch)
        return asked

    return answer_with


def year_of_months(sessions):
    found = {f"{NEXT}-{n:02d}": month(NEXT, n, sessions) for n in range(1, 13)}
    return {f"{END.year}-12": month(END.year, 12, PAST), **found}


def test_shenzhens_year_is_read(shenzhen):
    """Stops a second witness that loses a month, or reads the flag the wrong way round."""
    new = [key for key in sessions_of(NEXT) if key % 10_000 != 101]
    asked = shenzhen(year_of_months(new))
    december = [key for key in PAST if key // 100 == END.year * 100 + 12]
    assert trading_days.shenzhen_sessions(load_settings(), END) == december + new
    assert len(asked) == 13


@pytest.mark.parametrize("page", ["empty", "weekdays only"])
def test_a_year_that_shenzhen_does_not_announce_yet(shenzhen, page):
    """Stops a page of bare weekdays from being taken for a year without holidays."""
    bare = set(map(to_key, weekdays(date(NEXT, 1, 1), date(NEXT, 12, 31))))
    bodies = year_of_months(bare)
    if page == "empty":
        bodies[f"{NEXT}-01"] = b'{"data": [], "nowdate": "2026-11-29"}'
    asked = shenzhen(bodies)
    found = trading_days.shenzhen_sessions(load_settings(), END)
    assert {key // 100 for key in found} == {END.year * 100 + 12} and len(asked) == 2


@pytest.mark.parametrize("body", [b"{}", b'{"data": [{"jyrq": "x", "jybz": "1"}]}', b"[1]"])
def test_another_answer_of_shenzhen_is_named(shenzhen, body):
    """Stops an untyped error, or half a month taken for a whole one."""
    shenzhen({f"{END.year}-12": body})
    with pytest.raises(FormatError, match="szse_calendar: the answer for"):
        trading_days.shenzhen_sessions(load_settings(), END)
    half = json.loads(month(END.year, 12, PAST))
    half["data"].pop()
    shenzhen({f"{END.year}-12": json.dumps(half).encode()})
    with pytest.raises(FormatError, match="has 30 days"):
        trading_days.shenzhen_sessions(load_settings(), END)


def test_akshares_own_list_is_a_source():
    """Stops an upgrade of akshare from being of no use to the calendar."""
    assert set(trading_days.packaged_with_akshare()) >= set(PAST) - {19920504}


def down():
    raise TransportError("szse_calendar from www.szse.cn: no connection")


def test_witnesses_that_agree():
    """Stops a year whose 31 December, or whose holidays, are left open."""
    new = sessions_of(NEXT)
    december = [key for key in PAST if key // 100 == END.year * 100 + 12]
    sources = {"A": lambda: [*PAST, *new], "B": lambda: [*december, *new], "C": lambda: PAST}
    found = announcements.refresh(sources, KNOWN)
    assert [key for key, is_open in found.days.items() if is_open] == new
    assert (
        found.days[NEXT * 10_000 + 1231] is False and found.days[NEXT * 10_000 + 1004] is False
    )
    assert (found.witnesses, found.confirmed, found.failed) == (("A", "B"), (), {})


def test_witnesses_that_differ_are_refused():
    """Stops the first source from winning unheard."""
    new = sessions_of(NEXT)
    sources = {"A": lambda: [*PAST, *new], "B": lambda: [*PAST, *new[:5], *new[6:]]}
    with pytest.raises(CalendarError, match="A and B differ on 1 days") as refused:
        announcements.refresh(sources, KNOWN)
    assert f"({from_key(new[5])}"[1:] in str(refused.value)
    assert "open at A, closed at B" in str(refused.value)
    assert "fund-assets calendar import" in str(refused.value)


def test_a_silent_source_stops_nothing_but_all_do():
    """Stops one page that is down from costing the year, and silence from passing for news."""
    found = announcements.refresh({"A": lambda: [*PAST, *sessions_of(NEXT)], "B": down}, KNOWN)
    assert found.witnesses == ("A",) and "no connection" in found.failed["B"]
    with pytest.raises(SourceError, match="no connection"):
        announcements.refresh({"B": down}, KNOWN)


def test_entered_days_are_confirmed_or_refused():
    """Stops a source that ends earlier from being a difference, and a real one from hiding."""
    new = sessions_of(NEXT)
    entered = announcements.whole_years(new)
    known = TradingCalendar.build(entered)
    sources = {"A": lambda: [*PAST, *new], "B": lambda: PAST}
    found = announcements.refresh(sources, known)
    assert (found.days, found.confirmed) == ({}, ("A",))
    with pytest.raises(CalendarError, match=r"A: refused: differs .* on 1 days") as refused:
        announcements.refresh({"A": lambda: [*PAST, *new[:-30], *new[-29:]]}, known)
    assert f"{new[-30]}, closed there" in str(refused.value)
    assert "calendar import" in str(refused.value)
