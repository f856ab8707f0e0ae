"""Returns by period, against a loop over pandas."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import TradingCalendar, keys_to_days
from fund_assets.metrics import FundSeries
from fund_assets.metrics.returns import Periods, returns_by, table

SILENCE = 366
NEWEST = int(keys_to_days(np.array([20_260_917]))[0])


@pytest.fixture(scope="module")
def calendar():
    return TradingCalendar.build()


def series_of(funds):
    rows = [(code, key, value) for code, some in funds.items() for key, value in some.items()]
    return FundSeries.from_rows(*zip(*rows, strict=True))


def returned(funds, every, calendar, **options):
    found = returns_by(series_of(funds), every, NEWEST, calendar, silence=SILENCE, **options)
    wide = table(found)
    return {
        code: {int(day.strftime("%Y%m%d")): value for day, value in column.items()}
        for code, column in wide.items()
    }


def test_a_silence_begins_a_new_series(calendar):
    """Stops a return from the last NAV of one fund to the first of another with its code."""
    funds = {"000001": {20240102: 1.0, 20240103: 1.1, 20260105: 1.0, 20260106: 1.2}}
    for every, expected in (
        ("day", [np.nan, 0.1, np.nan, 0.2]),
        ("month", [np.nan, np.nan]),
        ("year", [np.nan, np.nan]),
    ):
        found = list(returned(funds, every, calendar)["000001"].values())
        assert found == pytest.approx(expected, nan_ok=True)


def test_which_returns_are_of_a_whole_period(calendar):
    """Stops a fund that began late, stopped early or skipped a month from a whole month's
    return."""
    funds = {
        # From mid July: its first whole month is August. September is not over.
        "000001": {20260715: 1.0, 20260731: 1.1, 20260831: 1.21, 20260917: 1.3},
        # Nothing in July: August is of two months.
        "000002": {20260529: 1.0, 20260630: 2.0, 20260831: 3.0},
        # Ended on 3 August: neither August nor what comes after is whole.
        "000003": {20260630: 1.0, 20260731: 1.5, 20260803: 1.6, 20260915: 1.7},
    }
    found = returned(funds, "month", calendar, whole=True)
    ends = [20260529, 20260630, 20260731, 20260831, 20260917]
    nan = np.nan
    for code, expected in (
        ("000001", [nan, nan, nan, 0.1, nan]),
        ("000002", [nan, 1.0, nan, nan, nan]),
        ("000003", [nan, nan, 0.5, nan, nan]),
    ):
        assert list(found[code]) == ends
        assert list(found[code].values()) == pytest.approx(expected, nan_ok=True)
    quarters = returned(funds, "quarter", calendar)
    assert quarters["000002"] == pytest.approx({20260630: nan, 20260917: 0.5}, nan_ok=True)


def test_a_week_without_a_session_bears_its_last_day(calendar):
    """Stops the weeks of holidays, in which money funds have NAVs, from getting lost."""
    # The exchange was closed from 1 to 8 October 2025.
    days = pd.date_range("2025-09-26", "2025-10-17")
    index = pd.Series(1.001 ** np.arange(len(days)), days.strftime("%Y%m%d").astype(int))
    found = returned({"000009": index.to_dict()}, "week", calendar)["000009"]
    assert list(found) == [20250926, 20250930, 20251010, 20251017]
    assert list(found.values())[1:3] == pytest.approx([1.001**7 - 1] * 2)
    closed = Periods.between(
        int(keys_to_days(np.array([20250101]))[0]), NEWEST, "week",
        TradingCalendar.build({20251009: False, 20251010: False}),
    )  # fmt: skip
    week = int(np.searchsorted(closed.begins, keys_to_days(np.array([20251006]))[0]))
    assert closed.sessions[week] == 0
    assert str(closed.bears[week].astype("datetime64[D]")) == "2025-10-12"


def test_no_fund_gives_an_empty_table():
    """Stops an error where a part of the market has no NAV."""
    nothing = FundSeries.from_rows([], [], [])
    assert table(nothing).shape == (0, 0)
    assert table(nothing, ["000001"]).shape == (0, 1)
