"""The trading calendar and the integer forms of dates and times."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund_assets.calendar import (
    FIRST_SESSION,
    CalendarError,
    TradingCalendar,
    _holidays,
    check_refresh,
    days_to_keys,
    exchange_sessions,
    from_key,
    from_stamp,
    keys_to_days,
    read_day,
    read_moment,
    to_key,
    to_stamp,
)
from fund_assets.observability import sessions
from fund_assets.settings import SHANGHAI

CALENDAR = TradingCalendar.build()
DATES = st.dates(date(1960, 1, 1), date(2100, 12, 31))


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(("year", "sessions"), [(2024, 242), (2025, 243), (2026, 242)])
def test_sessions_of_a_year(year: int, sessions: int) -> None:
    """Stops a calendar that is Monday to Friday (2025 has 261 weekdays) or misses a holiday.

    Counts: the exchange's announcements for these years.
    """
    assert sum(key // 10_000 == year for key in CALENDAR.sessions) == sessions


def test_the_sessions_are_those_of_the_package() -> None:
    """Stops a release that writes its holidays down otherwise from changing the calendar."""
    from exchange_calendars import get_calendar
    from exchange_calendars.exchange_calendar_xshg import XSHGExchangeCalendar

    last = XSHGExchangeCalendar.bound_max()
    told = get_calendar("XSHG", start=FIRST_SESSION.isoformat(), end=last).sessions
    assert exchange_sessions() == tuple(days_to_keys(told.values.astype("datetime64[D]")))


@pytest.mark.parametrize(
    "written",
    [
        'other = to_datetime(["2026-01-01"])',
        "precomputed_shanghai_holidays = to_datetime(read())",
        "precomputed_shanghai_holidays = to_datetime([])",
        "precomputed_shanghai_holidays = to_datetime([20260101])",
        'precomputed_shanghai_holidays = to_datetime(["2026-13-01"])',
        "precomputed_shanghai_holidays = (",
    ],
)
def test_a_list_of_holidays_in_another_form_is_refused(tmp_path: Path, written: str) -> None:
    """Stops holidays from being lost, or other dates from being taken for holidays."""
    module = tmp_path / "exchange_calendar_xshg.py"
    module.write_text(f'early_closes = to_datetime(["2026-02-13"])\n{written}\n')
    with pytest.raises(CalendarError, match="has no list precomputed_shanghai_holidays"):
        _holidays(module)


def test_golden_week_and_make_up_days_are_closed() -> None:
    """Stops a schedule that fires in the holidays, or on a working Sunday (调休)."""
    assert not any(CALENDAR.is_session(date(2025, 10, day)) for day in range(1, 9))
    assert CALENDAR.is_session(date(2025, 9, 30))
    assert CALENDAR.is_session(date(2025, 10, 9))
    assert not CALENDAR.is_session(date(2025, 9, 28))  # people work, the exchange does not
    assert not CALENDAR.is_session(date(2025, 10, 11))


def test_first_session() -> None:
    """Stops a history that starts before the exchange did."""
    assert CALENDAR.sessions[0] == to_key(FIRST_SESSION) == 19901219
    with pytest.raises(CalendarError, match="1990-12-19"):
        CALENDAR.on_or_before(date(1990, 12, 18))


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2025-10-09T23:29:59", date(2025, 9, 30)),  # first session after the holidays
        ("2025-10-09T23:30:00", date(2025, 10, 9)),
        ("2025-10-10T09:00:00", date(2025, 10, 9)),
        ("2025-10-12T23:59:00", date(2025, 10, 10)),  # a Sunday
        ("2025-10-04T12:00:00", date(2025, 9, 30)),  # within the holidays
    ],
)
def test_due(now: str, due: date) -> None:
    """Stops an alarm on a closed day, and one before the NAVs can be there."""
    assert CALENDAR.due(shanghai(now)) == due


def test_due_reads_any_zone() -> None:
    """Stops a UTC time from being taken for Shanghai: 15:30Z is 23:30 there."""
    assert CALENDAR.due(datetime(2025, 10, 9, 15, 30, tzinfo=UTC)) == date(2025, 10, 9)
    assert CALENDAR.due(datetime(2025, 10, 9, 15, 29, tzinfo=UTC)) == date(2025, 9, 30)


def test_before_and_between() -> None:
    """Stops windows that count calendar days as sessions or lose an end."""
    assert CALENDAR.before(date(2025, 10, 9)) == date(2025, 9, 30)
    assert CALENDAR.before(date(2025, 10, 5)) == date(2025, 9, 30)
    assert CALENDAR.before(date(2025, 10, 10), 3) == date(2025, 9, 29)
    assert CALENDAR.between(date(2025, 9, 29), date(2025, 10, 10)) == [
        date(2025, 9, 29),
        date(2025, 9, 30),
        date(2025, 10, 9),
        date(2025, 10, 10),
    ]
    assert CALENDAR.between(date(2025, 10, 1), date(2025, 10, 8)) == []
    with pytest.raises(CalendarError, match="fewer than 2 sessions exist before 1990-12-20"):
        CALENDAR.before(date(1990, 12, 20), 2)


@pytest.mark.parametrize("ask", ["is_session", "on_or_before", "before"])
def test_beyond_the_horizon_is_an_error_that_says_what_to_do(ask: str) -> None:
    """Stops the calendar from guessing Monday to Friday in a year not yet announced."""
    beyond = CALENDAR.horizon + timedelta(days=1)
    with pytest.raises(CalendarError) as error:
        getattr(CALENDAR, ask)(beyond)
    assert str(beyond) in str(error.value)
    assert "fund-assets calendar refresh" in str(error.value)


def test_horizon_is_the_end_of_the_last_announced_year() -> None:
    """Stops 31 December, closed but known, from counting as unknown."""
    last = from_key(exchange_sessions()[-1])
    assert CALENDAR.horizon == date(last.year, 12, 31)
    assert CALENDAR.is_session(CALENDAR.horizon) is (last == CALENDAR.horizon)
    assert CALENDAR.days_left(date(last.year, 12, 1)) == 30


def test_override_closes_and_opens_days() -> None:
    """Stops an announced extra holiday from being a trading day until the next release."""
    changed = TradingCalendar.build({20251009: False, 20251011: True})
    assert not changed.is_session(date(2025, 10, 9))
    assert changed.is_session(date(2025, 10, 11))
    assert changed.before(date(2025, 10, 13)) == date(2025, 10, 11)
    assert CALENDAR.is_session(date(2025, 10, 9))


def test_override_beyond_the_calendar_moves_the_horizon() -> None:
    """Stops entered days of a new year from being ignored."""
    year = CALENDAR.horizon.year + 1
    changed = TradingCalendar.build({year * 10_000 + 104: True, year * 10_000 + 105: False})
    assert changed.horizon == date(year, 1, 5)
    assert changed.is_session(date(year, 1, 4))
    assert not changed.is_session(date(year, 1, 5))
    with pytest.raises(CalendarError):
        changed.is_session(date(year, 1, 6))


def test_invented_sessions_never_count_as_known() -> None:
    """Stops the simulated market's invented weekdays from silencing the horizon alarm."""
    until = CALENDAR.horizon + timedelta(days=30)
    invented = TradingCalendar.build(invent_until=until)
    assert invented.horizon == until
    assert invented.synthetic_after == CALENDAR.horizon
    assert invented.days_left(CALENDAR.horizon) == 0
    added = [from_key(key) for key in invented.sessions if key > to_key(CALENDAR.horizon)]
    assert added
    assert all(day.weekday() < 5 for day in added)
    assert TradingCalendar.build(invent_until=date(2020, 1, 1)).synthetic_after is None


@pytest.fixture
def assumed() -> TradingCalendar:
    """The real market's calendar of a day after the last announced year."""
    return TradingCalendar.build(assume_until=date(2027, 12, 31))


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=SHANGHAI)


def test_weekdays_that_are_not_announced_are_provisional(assumed: TradingCalendar) -> None:
    """Stops the end of the calendar from ending the collection, and from passing for known."""
    assert assumed.is_session(date(2027, 1, 4)) and not assumed.is_session(date(2027, 1, 3))
    assert assumed.is_provisional(date(2027, 1, 1))
    assert not assumed.is_provisional(date(2026, 12, 31))
    assert (assumed.known_until, assumed.synthetic_after) == (date(2026, 12, 31), None)
    assert assumed.days_left(date(2027, 1, 4)) == -4


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-12-31T23:40", "2026-12-31"),
        ("2027-01-04T23:40", "2026-12-31"),
        ("2027-01-11T23:40", "2026-12-31"),
        # Seven weekdays before Wednesday the 13th: more than a holiday takes.
        ("2027-01-13T23:40", "2027-01-04"),
    ],
)
def test_a_holiday_not_yet_announced_makes_nothing_late(
    assumed: TradingCalendar, now: str, due: str
) -> None:
    """Stops false alarms on an unannounced holiday, and silence when collecting has stopped."""
    assert str(assumed.surely_due(at(now))) == due


def test_an_announced_calendar_takes_the_marks_away() -> None:
    """Stops dates from staying provisional after their year was announced."""
    year = {20270101: False, 20270104: True, 20271231: True}
    known = TradingCalendar.build(year, assume_until=date(2027, 12, 31))
    assert known.provisional_after is None and known.known_until == date(2027, 12, 31)
    assert not known.is_session(date(2027, 1, 1)) and known.is_session(date(2027, 1, 4))
    assert known.surely_due(at("2027-01-04T23:40")) == date(2027, 1, 4)


def test_an_unannounced_date_is_a_gap_only_when_the_market_has_published_it(
    assumed: TradingCalendar,
) -> None:
    """Stops 26,000 histories from being asked for a holiday, and a real hole from being left."""
    now = at("2027-01-05T23:40")
    rows = dict.fromkeys(exchange_sessions()[-12:], 100) | {20270104: 100, 20270105: 100}
    assert sessions.gaps(rows | {20270101: 3}, 20260901, assumed, now) == []
    assert sessions.gaps(rows | {20270101: 30}, 20260901, assumed, now) == [20270101]
    del rows[20261231]
    assert sessions.gaps(rows, 20260901, assumed, now) == [20261231], "announced, and missing"


def test_positions_count_sessions() -> None:
    """Stops gaps over a holiday from counting as missing days."""
    keys = np.array([20250930, 20251001, 20251008, 20251009, 20251010])
    assert (CALENDAR.positions(keys) - CALENDAR.positions(keys[:1])).tolist() == [0, 0, 0, 1, 2]


def test_are_sessions_agrees_with_is_session() -> None:
    """Stops the array form from answering otherwise than the plain one."""
    days = [date(2025, 9, 20) + timedelta(days=n) for n in range(40)]
    keys = np.array([to_key(day) for day in days])
    assert CALENDAR.are_sessions(keys).tolist() == [CALENDAR.is_session(day) for day in days]
    beyond = to_key(CALENDAR.horizon + timedelta(days=1))
    assert CALENDAR.are_sessions(np.array([beyond])).tolist() == [False]


# --- integer dates and times -------------------------------------------------------------


@given(st.lists(DATES, max_size=20))
def test_keys_and_days_agree_with_datetime(days: list[date]) -> None:
    """Stops arithmetic on integers from going wrong at month ends, leap days or before 1970."""
    keys = np.array([to_key(day) for day in days], dtype=np.int32)
    expected = [(day - date(1970, 1, 1)).days for day in days]
    numbers = keys_to_days(keys)
    assert numbers.dtype == np.int32
    assert numbers.tolist() == expected
    assert days_to_keys(numbers).tolist() == keys.tolist()
    assert [from_key(key) for key in keys] == days


def test_keys_to_days_keeps_the_shape() -> None:
    """Stops a date × fund array from being flattened."""
    keys = np.array([[20240228, 20240229], [20240301, 20241231]])
    assert keys_to_days(keys).shape == (2, 2)
    assert np.diff(keys_to_days(keys).ravel()).tolist() == [1, 1, 305]


@pytest.mark.parametrize("key", [20250229, 20251301, 20250100, 0])
def test_what_is_no_date_is_an_error(key: int) -> None:
    """Stops 29 February 2025 from becoming 1 March."""
    with pytest.raises(ValueError, match=r"day|month|year"):
        from_key(key)


@given(st.integers(694_224_000, 4_102_444_800), st.integers(0, 999_999))
def test_stamps_roundtrip(seconds: int, microseconds: int) -> None:
    """Stops times from losing more than their fraction of a second, or their zone."""
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    stamp = to_stamp(moment)
    assert from_stamp(stamp) == moment.replace(microsecond=0)
    shifted = moment + timedelta(hours=8)
    assert stamp == int(shifted.strftime("%Y%m%d%H%M%S"))


def test_time_without_zone_is_refused() -> None:
    """Stops machine-local time from entering a table."""
    with pytest.raises(ValueError, match="2025-10-09T19:00:00 has no time zone"):
        to_stamp(datetime(2025, 10, 9, 19))  # noqa: DTZ001


ASK = """
from datetime import datetime, UTC
from fund_assets.calendar import TradingCalendar, from_stamp, to_stamp
from fund_assets.settings import load_settings
now = load_settings().now()
epoch = datetime.fromtimestamp(1760023800, UTC)
print(now.isoformat(), to_stamp(now), to_stamp(epoch), from_stamp(20251009233000).timestamp(),
      TradingCalendar.build().due(epoch))
"""


@pytest.mark.slow
def test_machine_time_zone_changes_nothing() -> None:
    """Stops machine-local time anywhere: three zones must give one answer."""
    answers = {
        subprocess.run(
            [sys.executable, "-c", ASK],
            env={**os.environ, "TZ": zone, "FUND_CLOCK": "2025-10-09T19:00"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone in ("UTC", "America/New_York", "Asia/Shanghai")
    }
    assert answers == {
        "2025-10-09T19:00:00+08:00 20251009190000 20251009233000 1760023800.0 2025-10-09\n"
    }


# --- refreshing from another source ------------------------------------------------------


def cut(calendar: TradingCalendar, last_year: int) -> TradingCalendar:
    """The calendar as it was known before the years after `last_year` were announced."""
    return TradingCalendar(
        tuple(key for key in calendar.sessions if key // 10_000 <= last_year),
        date(last_year, 12, 31),
    )


def test_refresh_adds_the_announced_year() -> None:
    """Stops a good refresh from being refused."""
    added = check_refresh(CALENDAR.sessions, cut(CALENDAR, 2025))
    assert added[0] == 20260105
    assert len([key for key in added if key // 10_000 == 2026]) == 242
    assert check_refresh(CALENDAR.sessions, CALENDAR) == []


@pytest.mark.parametrize(
    ("remove", "add", "message"),
    [
        ((), (20260110,), "20260110 is a weekend"),
        ((20251009,), (), "differs from the known calendar on 1 days, first 20251009"),
        ((), (20251001,), "differs from the known calendar on 1 days, first 20251001"),
        (tuple(range(20260601, 20270000)), (), "2026 has 95 sessions, 235 to 250"),
    ],
)
def test_refresh_refuses_what_cannot_be(
    remove: tuple[int, ...], add: tuple[int, ...], message: str
) -> None:
    """Stops a broken or shortened calendar from replacing a good one."""
    new = (set(CALENDAR.sessions) - set(remove)) | set(add)
    with pytest.raises(CalendarError, match=message):
        check_refresh(new, cut(CALENDAR, 2025))


def test_refresh_refuses_an_empty_answer() -> None:
    """Stops an empty answer from passing for 'nothing new'."""
    with pytest.raises(CalendarError, match="differs from the known calendar"):
        check_refresh([], CALENDAR)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "last_known", "sessions"),
    [
        ("klc_td_sh_2023.txt", 2022, 242),
        ("klc_td_sh_2026.encoded-from-calendar.json.txt", 2025, 242),
    ],
)
def test_refresh_from_recorded_payload(
    real_data: Path, file: str, last_known: int, sessions: int
) -> None:
    """Stops the refresh from refusing what the real calendar source answers."""
    from akshare.stock.cons import hk_js_decode
    from py_mini_racer import MiniRacer

    engine = MiniRacer()
    engine.eval(hk_js_decode)
    text = (real_data / "raw_payloads" / file).read_text(encoding="utf-8")
    answer = engine.call("d", text.split("=")[1].split(";")[0].replace('"', ""))
    recorded = [int(day[:10].replace("-", "")) for day in answer]
    added = check_refresh(recorded, cut(CALENDAR, last_known))
    assert len(added) == sessions
    assert added == [key for key in CALENDAR.sessions if key // 10_000 == last_known + 1]


@pytest.mark.parametrize(
    ("written", "day", "moment"),
    [
        ("2026-11-24", 20261124, 20261124_235959),
        ("20261124", 20261124, 20261124_235959),
        (20261124, 20261124, 20261124_235959),
        (date(2026, 11, 24), 20261124, 20261124_235959),
        ("2026-11-24 21:40", None, 20261124_214000),
        ("2026-11-24T21:40:05", None, 20261124_214005),
        ("2026-11-24 16:30+00:00", None, 20261125_003000),
        (datetime(2026, 11, 24, 16, 30, tzinfo=UTC), 20261124, 20261125_003000),
        (datetime.fromisoformat("2026-11-24 21:40"), 20261124, 20261124_214000),
    ],
)
def test_days_and_moments_as_people_write_them(written, day, moment):
    """Stops a time from being taken for another zone's, or a day for its beginning."""
    assert read_moment(written) == moment
    if day is None:
        with pytest.raises(ValueError, match="is not a date: write YYYY-MM-DD or YYYYMMDD"):
            read_day(written)
    else:
        assert read_day(written) == day


@pytest.mark.parametrize(
    "written", ["", "soon", "2026-02-30", 20260230, 2026, None, 1.5, "25:00"]
)
def test_what_is_no_time_is_refused(written):
    """Stops a slip of the pen from meaning some other time."""
    with pytest.raises(ValueError, match="is not a time: write YYYY-MM-DD or"):
        read_moment(written)
