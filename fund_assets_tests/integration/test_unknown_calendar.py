"""The first session of a year that is not announced: collected, judged, measured, and told."""

from dataclasses import replace
from datetime import date

import pandas as pd

from fund_assets.checks.freshness import calendar_horizon, trading_day_freshness
from fund_assets.platform import Platform
from fund_assets.schemas.tables import FUND_METRICS, NAV_QUARANTINE, VALIDATED_NAV
from fund_assets.steps.collecting import collect_wave
from fund_assets.steps.measuring import measure
from fund_assets.steps.validating import validate
from fund_assets.warehouse import days
from fund_assets_tests.server.tiny import TinyMarket

NEW, OLD = date(2027, 1, 4), date(2026, 12, 31)
#: The dates of the tiny market's pages, moved to the turn of the year.
MOVED = {20261120: 20270104, 20261119: 20261231, 20261122: 20270104, 20261121: 20270103}
TABLES = (VALIDATED_NAV, FUND_METRICS, NAV_QUARANTINE)
ANNOUNCED = {20270101: False, 20270104: True, 20271231: True}


class TurnOfTheYear(TinyMarket):
    """The tiny market's wave of 4 January 2027."""

    def wave(self):
        found = super().wave()
        seen = found.observations
        moved = seen.assign(nav_date=seen["nav_date"].map(MOVED).astype(seen["nav_date"].dtype))
        return replace(found, newest=NEW, previous=OLD, observations=moved)


def evening(state, announced):
    """A platform of the real market after that evening, what it computed, and its checks."""
    platform = Platform(
        overrides={"source": "akshare", "state": str(state), "clock": "2027-01-04T23:40"}
    )
    if announced:
        days.set_overrides(platform.warehouse, announced, "announced")
    source = TurnOfTheYear()
    collect_wave(platform.warehouse, source, platform.now)
    collect_wave(platform.warehouse, source, platform.now)  # the same page again
    validate(platform.warehouse, platform.calendar, platform.now())
    measured = measure(platform.warehouse, 0.015)
    return platform, measured, (trading_day_freshness(platform), calendar_horizon(platform))


def content(platform, table):
    frame = platform.warehouse.frame(f"SELECT * FROM {table.name}", table)
    return frame.sort_values(list(table.primary_key), ignore_index=True)


def test_4_january_2027_goes_on_and_is_told(tmp_path):
    """Stops a year without an announced calendar from costing its NAVs."""
    platform, measured, (fresh, horizon) = evening(tmp_path / "unknown", {})
    assert platform.calendar.is_session(NEW) and platform.calendar.is_provisional(NEW)
    assert measured.calc_date == 20270104 and measured.funds > 0
    assert fresh.passed, "the newest NAVs are of today"
    assert not horizon.passed and horizon.severity.value == "ERROR"
    assert horizon.metadata["days_left"].value == -4
    platform.warehouse.close()

    # The calendar is announced afterwards, and the evening's waves come once more.
    later, _, (fresh, horizon) = evening(tmp_path / "unknown", ANNOUNCED)
    known, again, _ = evening(tmp_path / "known", ANNOUNCED)
    assert not later.calendar.is_provisional(NEW) and not later.calendar.is_session(
        date(2027, 1, 1)
    )
    assert fresh.passed and horizon.passed and again.rows == measured.rows
    for table in TABLES:
        pd.testing.assert_frame_equal(content(later, table), content(known, table))
    later.warehouse.close()
    known.warehouse.close()
