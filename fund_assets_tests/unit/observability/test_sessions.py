"""How full sessions are."""

from datetime import date

from fund_assets.calendar import TradingCalendar
from fund_assets.observability.sessions import recent

CALENDAR = TradingCalendar.build()


def test_each_session_is_measured_by_the_funds_that_were_due_of_it():
    """Stops Mondays to Thursdays from lacking the funds that publish on Fridays alone."""
    rows = {20260916: 900, 20260917: 880, 20260918: 1_000}
    due_of = {20260916: 900.0, 20260917: 900.0, 20260918: 1_000.0}
    shares = {
        one.nav_date.day: round(one.share, 4)
        for one in recent(rows, 1_000, CALENDAR, date(2026, 9, 18), due_of)
    }
    assert shares == {16: 1.0, 17: 0.9778, 18: 1.0}
    unknown = recent(rows, 1_000, CALENDAR, date(2026, 9, 18))
    assert [one.share for one in unknown] == [0.9, 0.88, 1.0]
