"""The first session of a year that is not announced: collected, judged, measured, and told."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from click.testing import CliRunner

from fund_assets.checks.freshness import calendar_horizon, trading_day_freshness
from fund_assets.cli import main
from fund_assets.observability.sessions import freshness
from fund_assets.pipeline.fund_metrics import measure
from fund_assets.pipeline.fund_nav import collect_wave
from fund_assets.pipeline.validated_nav import validate
from fund_assets.resources import Platform
from fund_assets.schemas.tables import FUND_METRICS, NAV_QUARANTINE, VALIDATED_NAV
from fund_assets_tests.server.tiny import TinyMarket

NEW, OLD = date(2027, 1, 4), date(2026, 12, 31)
#: The dates of the tiny market's pages, moved to the turn of the year.
MOVED = {20261120: 20270104, 20261119: 20261231, 20261122: 20270104, 20261121: 20270103}
TABLES = (VALIDATED_NAV, FUND_METRICS, NAV_QUARANTINE)
#: Made up, in the wording of the notices: that of 2027 is not out yet.
NOTICE = """国务院办公厅关于2027年部分节假日安排的通知
一、元旦：1月1日（周五）至3日（周日）放假，共3天。
二、春节：2月5日（农历除夕、周五）至12日（农历正月初七、周五）放假调休，共8天。1月31日（周日）、2月14日（周日）上班。
三、清明节：4月3日（周六）至5日（周一）放假，共3天。
四、劳动节：5月1日（周六）至5日（周三）放假调休，共5天。4月25日（周日）、5月8日（周六）上班。
五、端午节：6月9日（周三）放假1天，不调休。
六、中秋节：9月15日（周三）放假1天，不调休。
七、国庆节：10月1日（周五）至7日（周四）放假调休，共7天。9月26日（周日）、10月9日（周六）上班。
国务院办公厅
2026年12月31日
"""


class TurnOfTheYear(TinyMarket):
    """The tiny market's wave of 4 January 2027."""

    def wave(self):
        found = super().wave()
        seen = found.observations
        moved = seen.assign(nav_date=seen["nav_date"].map(MOVED).astype(seen["nav_date"].dtype))
        return replace(found, newest=NEW, previous=OLD, observations=moved)


def fund_assets(monkeypatch, state, *arguments, text=None):
    """What a command says on that evening; it must succeed."""
    told = {"SOURCE": "akshare", "STATE": str(state), "CLOCK": "2027-01-04T23:40"}
    for name, value in told.items():
        monkeypatch.setenv(f"FUND_{name}", value)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    result = CliRunner().invoke(main, list(arguments), input=text)
    assert result.exit_code == 0, result.output
    return result.output


def evening(state):
    """A platform of the real market after that evening, what it computed, and its checks."""
    platform = Platform(
        overrides={"source": "akshare", "state": str(state), "clock": "2027-01-04T23:40"}
    )
    source = TurnOfTheYear()
    collect_wave(platform.warehouse, source, platform.now)
    collect_wave(platform.warehouse, source, platform.now)  # the same page again
    validate(platform.warehouse, platform.calendar, platform.now())
    measured = measure(platform.warehouse, 0.015)
    return platform, measured, (trading_day_freshness(platform), calendar_horizon(platform))


def content(platform, table):
    frame = platform.warehouse.frame(f"SELECT * FROM {table.name}", table)
    return frame.sort_values(list(table.primary_key), ignore_index=True)


def shown(monkeypatch, state):
    """What the commands say of the fund with the newest date, and of the year."""
    code = "000001"
    told = [("nav", code), ("metrics", code), ("calendar", "show", "2027")]
    return [fund_assets(monkeypatch, state, *arguments) for arguments in told]


@pytest.mark.slow
def test_4_january_2027_goes_on_and_is_told(tmp_path, monkeypatch):
    """Stops a year without an announced calendar from costing its NAVs, or from staying marked
    or different once its notice has been imported."""
    platform, measured, (fresh, horizon) = evening(tmp_path / "unknown")
    assert platform.calendar.is_session(NEW) and platform.calendar.is_provisional(NEW)
    assert measured.calc_date == 20270104 and measured.funds > 0
    assert fresh.passed, "the newest NAVs are of today"
    assert not horizon.passed and horizon.severity.value == "ERROR"
    assert horizon.metadata["days_left"].value == -4
    (row,) = freshness({"validated_nav": 20270104}, platform.calendar, platform.now(), {})
    assert row.ok and row.provisional
    platform.warehouse.close()
    nav, metrics, year = shown(monkeypatch, tmp_path / "unknown")
    assert "2027-01-04 (provisional)" in nav and "2026-12-31 (provisional)" not in nav
    assert "as of 2027-01-04 (calendar unknown, date provisional)" in metrics
    assert "the calendar is unknown from 2027-01-01 on" in year

    # The calendar is announced afterwards, and the evening's waves come once more.
    for state in (tmp_path / "unknown", tmp_path / "known"):
        told = fund_assets(monkeypatch, state, "calendar", "import", "-", text=NOTICE)
        assert "2027: 243 sessions" in told and "Only one source" in told
    nav, metrics, year = shown(monkeypatch, tmp_path / "unknown")
    assert "(provisional)" not in nav + year and "date provisional" not in metrics + year
    assert "2027-01-04" in nav and "2027-01-01 to 2027-12-31: 243 sessions" in year
    later, _, (fresh, horizon) = evening(tmp_path / "unknown")
    known, again, _ = evening(tmp_path / "known")
    assert not later.calendar.is_provisional(NEW) and not later.calendar.is_session(
        date(2027, 1, 1)
    )
    assert fresh.passed and horizon.passed and again.rows == measured.rows
    for table in TABLES:
        pd.testing.assert_frame_equal(content(later, table), content(known, table))
    later.warehouse.close()
    known.warehouse.close()
