"""What the simulated funds report of their size, holders and allocation."""

from datetime import date

import pytest

from fund_assets.calendar import TradingCalendar
from fund_assets.nav.reports import REPORT_TABLES, doubts, is_period_end
from fund_assets.sources.protocol import History
from fund_assets_tests.unit.sources.simulated.test_source import Clock, market


@pytest.fixture(scope="module")
def calendar():
    return TradingCalendar.build(invent_until=date(2027, 6, 30))


def _histories(calendar, clock):
    source = market(calendar, Clock(clock), 150, years=1.0)
    frame = source.fund_list().frame
    answers = source.histories(zip(frame["fund_code"], frame["fund_type"], strict=True))
    return {code: one for code, one in answers if isinstance(one, History)}


@pytest.fixture(scope="module")
def autumn(calendar):
    return _histories(calendar, "2026-10-21 22:00")


def _figures(history):
    """(table, column, period) → figure."""
    return {
        (one.table, column, period): value
        for one in history.reports.statements
        if "period_end" in REPORT_TABLES[one.table].primary_key[1:-1]
        and one.table != "fund_top_holdings"
        for period, figures in one.periods.items()
        for column, value in zip(one.columns, figures, strict=True)
    }


def test_reports_add_up_and_keep_the_limits(autumn):
    """Stops a demonstration whose checks warn of its own market."""
    assert sum(bool(one.reports.statements) for one in autumn.values()) > 100
    for code, history in autumn.items():
        assert doubts(code, history.reports.statements) == []
        for (table, column, period), value in _figures(history).items():
            limits = REPORT_TABLES[table][column]
            assert is_period_end(table, period)
            assert value is None or limits.ge <= value
            assert value is None or limits.le is None or value <= limits.le


def test_net_assets_are_shares_times_nav(autumn):
    """Stops sizes that have nothing to do with NAVs; 0.5 % and half a unit of rounding."""
    checked = 0
    for history in autumn.values():
        told, seen = _figures(history), history.observations
        unit = dict(zip(seen["nav_date"], seen["unit_nav"], strict=True)).get(20260630)
        shares = told.get(("fund_size", "total_shares", 20260630))
        if unit and unit == unit and shares and history.fund_code[0] != "2":
            assets = told["fund_size", "net_assets", 20260630]
            if abs(assets / (shares * unit) - 7) > 0.1:  # not in dollars
                assert assets == pytest.approx(shares * unit, rel=0.005, abs=500_001)
                checked += 1
    assert checked > 50


def test_a_later_answer_changes_nothing_and_adds_a_quarter(calendar, autumn):
    """Stops a window that moves from looking like a correction of every fund."""
    winter = _histories(calendar, "2026-10-22 22:00")
    both = [code for code in autumn if code in winter]
    for code in both:
        before, after = _figures(autumn[code]), _figures(winter[code])
        assert all(after[key] == before[key] for key in before.keys() & after.keys())
    new = {p for c in both for _, _, p in _figures(winter[c])} - {
        p for c in both for _, _, p in _figures(autumn[c])
    }
    assert new == {20260930}, "22 days after the end of the quarter"
