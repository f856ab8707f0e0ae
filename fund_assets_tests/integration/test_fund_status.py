"""The history of statuses: written with each wave, right after replays and returns."""

from dataclasses import replace
from datetime import date, datetime

import pandas as pd
import pytest
from click.testing import CliRunner

from fund_assets.cli import main
from fund_assets.pipeline.fund_nav import collect_wave
from fund_assets.resources import Platform
from fund_assets.schemas.tables import FUND_STATUS
from fund_assets.settings import SHANGHAI
from fund_assets_tests import stores
from fund_assets_tests.integration.evenings import Tampered

THURSDAY = "2026-09-17T21:40"
SOME = 24


@pytest.fixture
def evening(tmp_path):
    platform = Platform(overrides=settings(tmp_path, THURSDAY, SOME))
    yield platform
    platform.warehouse.close()


def settings(folder, clock, funds):
    return {
        "source": "simulated", "state": str(folder), "clock": clock, "sim_funds": funds,
        "warehouse_url": stores.url_for(folder),
    }  # fmt: skip


def collect(platform, at, change=lambda wave: wave):
    """A wave that arrives at a minute of the evening, changed on its way."""
    moment = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
    source = Tampered(platform.source, wave=change)
    return collect_wave(platform.warehouse, source, lambda: moment)


def shut(code):
    """A wave in which purchases of one class are suspended."""

    def change(wave):
        told = wave.statuses.copy()
        told.loc[told["fund_code"] == code, "purchase_word"] = "暂停申购"
        return replace(wave, statuses=told)

    return change


def history(platform, code):
    return platform.warehouse.tuples(
        "SELECT purchase, first_seen_at, superseded_at FROM fund_status WHERE fund_code = :code ORDER BY first_seen_at",
        code=code,
    )


def test_a_status_that_comes_back_the_same_evening_has_three_rows(evening):
    """Stops a status from being lost because no NAV changed with it, or told twice."""
    told = evening.source.wave().statuses
    code = told.loc[told["purchase_word"] == "开放申购", "fund_code"].iloc[0]
    assert collect(evening, "2026-09-17T19:00").is_new
    assert not collect(evening, "2026-09-17T19:30").is_new, "the same NAVs"
    collect(evening, "2026-09-17T20:00", shut(code))
    collect(evening, "2026-09-17T20:30", shut(code))
    collect(evening, "2026-09-17T21:00")
    assert history(evening, code) == [
        ("open", 20260917_190000, 20260917_200000),
        ("suspended", 20260917_200000, 20260917_210000),
        ("open", 20260917_210000, None),
    ]
    stored = evening.warehouse.frame("SELECT * FROM fund_status", FUND_STATUS)
    FUND_STATUS.schema.validate(stored)
    assert len(stored) == len(told) + 2, "no other class has a second row"


def test_an_older_answer_changes_nothing(evening):
    """Stops an answer from a cache, of this evening or of the last, from opening a fund again."""
    told = evening.source.wave().statuses
    code = told.loc[told["purchase_word"] == "开放申购", "fund_code"].iloc[0]

    def older(wave):
        seen = wave.observations.copy()
        seen.loc[seen.index[0], ["unit_nav", "acc_nav", "growth_pct"]] = float("nan")
        return replace(wave, observations=seen)

    def of_the_day_before(wave):
        seen = wave.observations[wave.observations["nav_date"] != 20260917]
        return replace(
            wave,
            newest=wave.previous,
            previous=date(2026, 9, 15),
            observations=seen,
        )

    collect(evening, "2026-09-17T19:00", older)
    collect(evening, "2026-09-17T20:00", shut(code))
    assert not collect(evening, "2026-09-17T21:00", older).is_new
    assert collect(evening, "2026-09-17T21:30", of_the_day_before).is_new
    assert [row[0] for row in history(evening, code)] == ["open", "suspended"]
    collect(evening, "2026-09-17T22:00")
    assert [row[0] for row in history(evening, code)] == ["open", "suspended", "open"]


@pytest.mark.slow
def test_twenty_evenings_tell_each_change_once_and_none_falsely(tmp_path):
    """Stops changes from being missed, repeated or invented over some weeks of waves."""
    expected, last = [], {}
    for day in pd.bdate_range("2026-08-24", periods=20):
        for hour in (19, 22):
            at = f"{day:%Y-%m-%d}T{hour}:00"
            platform = Platform(overrides=settings(tmp_path, at, 200))
            wave = collect(platform, at).wave
            stamp = int(f"{day:%Y%m%d}{hour}0000")
            for code, *cells in wave.statuses.iloc[:, :5].itertuples(index=False, name=None):
                if last.get(code) != cells:
                    expected.append((code, stamp, *cells))
                    last[code] = cells
            stored = platform.warehouse.tuples(
                "SELECT fund_code, first_seen_at, purchase_word, redemption_word, fee, full_fee "
                "FROM fund_status ORDER BY fund_code, first_seen_at"
            )
            platform.warehouse.close()
    assert stored == sorted(expected)
    assert len(expected) > 1.1 * len(last), "some have changed"


def test_the_command_shows_the_history(evening, tmp_path):
    """Stops what a status was before from being shown as it is, or not at all."""
    told = evening.source.wave().statuses
    code = told.loc[told["purchase_word"] == "开放申购", "fund_code"].iloc[0]
    shown = {**stores.environment(tmp_path), "FUND_CLOCK": THURSDAY, "COLUMNS": "200"}
    collect(evening, "2026-09-17T19:00")
    before = CliRunner().invoke(main, ["fund", code], env=shown)
    collect(evening, "2026-09-17T20:00", shut(code))
    after = CliRunner().invoke(main, ["fund", code], env=shown)
    assert before.exit_code == after.exit_code == 0, before.output + after.output
    assert "open (开放申购)" in before.output and "2026-09-17 19:00" not in before.output
    assert "stopped (暂停申购)" in after.output
    assert "2026-09-17 19:00" in after.output and "2026-09-17 20:00" in after.output
