"""A year of evenings with faults ends with the tables of a year without."""

import pytest

from fund_assets.calendar import TradingCalendar
from fund_assets_tests.faults.year import SEED, YEAR, both_years, calendar_of_faults, report


@pytest.mark.slow
@pytest.mark.soak
def test_a_year_with_faults_ends_as_one_without(capfd):
    """Stops a missed evening from staying missed, a holiday from alarming, a fault from
    passing untold or an alert from never ending, over 243 sessions and 122 closed days."""
    words, wrong = report(*both_years(365))
    with capfd.disabled():
        print(f"\n{words}")
    assert not wrong, "\n".join(wrong)


def test_the_year_has_243_sessions_and_faults_of_every_kind():
    """Stops the year from shrinking, and faults from being drawn into each other."""
    days = TradingCalendar.build().sessions
    sessions = [f"{day}" for day in days if day // 10_000 == YEAR]
    assert len(sessions) == 243
    faults = calendar_of_faults(sessions, SEED)
    assert len(set(faults.values())) == 9 and len(faults) == 49
    assert faults == calendar_of_faults(sessions, SEED)
