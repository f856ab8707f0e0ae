"""Evenings with faults end with the tables of evenings without: `make soak` plays a year."""

import pytest

from fund_assets.calendar import TradingCalendar
from fund_assets_tests.faults.year import (
    FAULTS,
    SEED,
    YEAR,
    both_years,
    calendar_of_faults,
    report,
)

#: To the end of February: the holiday of the new year and that of spring lie in them.
DAYS, SESSIONS = 58, 35


@pytest.mark.slow
def test_weeks_with_faults_end_as_those_without(capfd):
    """Stops a missed evening from staying missed, a holiday from alarming, a fault from
    passing untold or an alert from never ending, over 35 sessions and 23 closed days."""
    account, compared = both_years(DAYS)
    words, wrong = report(account, compared)
    with capfd.disabled():
        print(f"\n{words}")
    assert not wrong, "\n".join(wrong)
    assert (account.sessions, account.closed_days) == (SESSIONS, DAYS - SESSIONS)
    assert account.injected.keys() == FAULTS.keys()


def test_the_year_has_243_sessions_and_faults_of_every_kind():
    """Stops the year from shrinking, and faults from being drawn into each other."""
    days = TradingCalendar.build().sessions
    sessions = [f"{day}" for day in days if day // 10_000 == YEAR]
    assert len(sessions) == 243
    faults = calendar_of_faults(sessions, SEED)
    assert len(set(faults.values())) == 9 and len(faults) == 49
    assert faults == calendar_of_faults(sessions, SEED)
    assert set(calendar_of_faults(sessions[:SESSIONS], SEED).values()) == FAULTS.keys()
