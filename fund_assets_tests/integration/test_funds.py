"""Metrics, screens and rolling measures of any date, and what else leaves the house."""

import warnings

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from fund_assets import Funds
from fund_assets.calendar import exchange_sessions
from fund_assets.cli import main
from fund_assets.export.datasets import ExportError
from fund_assets.export.made import formulas
from fund_assets.metrics import DEFINITION_VERSION
from fund_assets.metrics.kernel import FLOATS
from fund_assets.metrics.screen import ScreenError
from fund_assets.schemas.tables import (
    FUND_EVENTS,
    FUND_INFO,
    FUND_METRICS,
    VALIDATED_NAV,
    WINDOWS,
)
from fund_assets.warehouse.engine.diff_writes import insert, update
from fund_assets_tests import stores
from fund_assets_tests.integration.evenings import THURSDAY

DAY = 20260917
JUDGED = ["status", "coverage"]


def opened(market):
    return Funds(market.warehouse.backend.url.render_as_string(False))


@pytest.fixture(scope="module")
def funds(first_evening):
    with opened(first_evening[0]) as funds:
        yield funds


def test_a_stored_date_computed_again_gives_the_stored_numbers(first_evening, funds):
    """Stops a second definition of the measures for past dates."""
    stored = funds.metrics(WINDOWS)
    assert set(stored["status"]) <= {"provisional", "final"}
    again = funds._computed(list(WINDOWS), None, DAY, DAY).set_index(["fund_code", "window"])
    names = [name for name in again if name not in JUDGED]
    pd.testing.assert_frame_equal(
        stored[names].sort_index(), again[names].sort_index(), check_exact=True
    )
    # Of some funds too, whose inputs are read another way.
    some = stored.index.unique(0)[[0, 7, 40]].tolist()
    few = funds._computed(list(WINDOWS), some, DAY, DAY).set_index(["fund_code", "window"])
    pd.testing.assert_frame_equal(
        stored.loc[few.index, names], few[names], rtol=1e-12, atol=1e-15
    )
    del first_evening


def test_metrics_of_a_past_date_equal_a_slow_calculation(funds):
    """Stops what came after the date from getting into its metrics."""
    on = pd.Timestamp("2026-05-13")
    rows = funds.metrics("1y", kind="mixed", on=on.date())
    assert set(rows["status"]) == {"computed"}
    assert set(rows["definition_version"]) == {DEFINITION_VERSION}
    assert set(rows["calc_date"]) == {on}
    levels = funds.total_return(until=on.date())
    for code, row in rows.dropna(subset=["max_drawdown"]).iloc[::9].iterrows():
        level = levels[code].dropna()
        window = level.loc[: row["end_date"]].loc[row["start_date"] :]
        assert row["end_date"] == level.index[-1]
        assert row["start_date"] <= row["end_date"] - pd.DateOffset(years=1)
        assert row["total_return"] == pytest.approx(window.iloc[-1] / window.iloc[0] - 1)
        falls = window / window.cummax() - 1
        assert row["max_drawdown"] == pytest.approx(falls.min())
        if row["gap_steps"] == 0:
            volatility = window.pct_change().std() * np.sqrt(row["periods_per_year"])
            assert row["annualized_volatility"] == pytest.approx(volatility)


def test_a_fund_without_a_nav_then_has_the_reason(market):
    """Stops a fund or a date from being silently absent."""
    stored = market.table("fund_info")
    new = stored.iloc[[0]].assign(fund_code="999001", name="新基金")
    gone = market.table("fund_events").iloc[[0]].assign(fund_code="999002")
    with market.warehouse.transaction(writes=True) as connection:
        insert(connection, FUND_INFO, new)
        insert(connection, FUND_EVENTS, gone)
    code = stored["fund_code"].iloc[0]
    with opened(market) as funds:
        for on in (None, "2026-05-13"):
            row = funds.metrics("1y", [code, "999001"], on=on).loc["999001"]
            date = on or "2026-09-17"
            assert row["reason"] == f"no accepted NAV on or before {date}"
            assert np.isnan(row["total_return"])
        with pytest.raises(ExportError, match="no accepted NAVs: 999001 新基金 has none"):
            funds.nav("999001")
        codes = funds.events()["fund_code"].unique()
        assert "999002" in codes
        with pytest.warns(UserWarning, match="999002 is in no list of funds, only in one of"):
            several = funds.nav([code, "999002"])
        assert set(several.index.get_level_values(0)) == {code}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pd.testing.assert_frame_equal(funds.nav([code]), several)
        assert funds.returns([code, "999002"])["999002"].isna().all()
        with pytest.raises(ExportError, match=r"from 2030-01-01 to today: .* has them from"):
            funds.nav(code, since="2030-01-01")
        for ask in (funds.returns, funds.total_return):
            with pytest.raises(ExportError, match="999001 新基金 has none"):
                ask(["999001"])
            with pytest.raises(ExportError, match=r"the market has them from .* to 2026-09-17"):
                ask(since="2026-12-01")
        with pytest.raises(ExportError, match="metrics has no rows in these dates: the newest"):
            funds.table("metrics", since="2026-01-01", until="2026-02-01")
        with pytest.raises(ExportError, match=r"no metrics of 1999-01-04: NAVs are accepted"):
            funds.metrics(on=19990104)


@pytest.mark.slow
def test_a_screen_of_the_newest_date_is_that_of_the_command(first_evening, funds):
    """Stops the API and the command from meaning different things by one condition."""
    market, _ = first_evening
    environment = {
        **stores.environment(market.folder),
        "FUND_CLOCK": THURSDAY,
        "COLUMNS": "999",
    }
    for conditions in (
        "sharpe_ratio>0.5 max_drawdown>-20%",
        "window=6m fee<1% purchasable=yes size>1e8 total_return!=0",
        "benchmark=own beta<=1",
        "mean_yield_7d>1% yield_per_10k>=0.4",
    ):
        told = CliRunner().invoke(
            main, ["screen", conditions, "--limit", "9999"], env=environment
        )
        assert told.exit_code == 0, told.output
        words = told.output.split()
        found = funds.screen(conditions)
        assert 0 < len(found) < 299
        assert sorted(set(words) & set(funds.info().index)) == found.index.tolist()
        # The same conditions on the same date, as seen by then.
        then = funds.screen(conditions, on=DAY)
        assert set(then.index) <= set(found.index)
        assert len(then) > 0.8 * len(found)
    with pytest.raises(ScreenError):
        funds.screen("sharpy>1")


def test_a_screen_of_the_past_takes_the_funds_that_lived_then(funds):
    """Stops a screen of the past from choosing by what came later."""
    found = funds.screen("window=6m total_return>0", on="2026-04-30")
    rows = funds.metrics("6m", on="2026-04-30")
    age = rows["calc_date"] - rows["end_date"]
    expected = rows[(rows["total_return"] > 0) & (age <= pd.Timedelta(days=15))]
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.slow
def test_a_rolling_measure_is_that_of_each_date(funds):
    """Stops a value of another date, window or fund."""
    codes = funds.info().index[[3, 0, 20, 40]].tolist()
    found = funds.rolling("夏普比率", "6m", codes, since="2026-05-01", every="month")
    assert found.columns.tolist() == codes
    months = funds.periods("month", since="2026-05-01")
    assert found.index.tolist() == months.index.tolist()
    for day, row in found.iterrows():
        then = funds.metrics("6m", codes, on=day.date())
        fresh = then["calc_date"] - then["end_date"] <= pd.Timedelta(days=15)
        expected = then["sharpe_ratio"].where(fresh)
        np.testing.assert_array_equal(row.to_numpy(), expected.reindex(codes).to_numpy())
    days = funds.rolling("total_return", "1m", codes[:1], since="2026-09-01", every="day")
    sessions = [key for key in exchange_sessions() if 20260901 <= key <= DAY]
    assert days.index.strftime("%Y%m%d").astype(int).tolist() == sessions
    with pytest.raises(ValueError, match="unknown metric 'sharp'"):
        funds.rolling("sharp")


def test_yields_of_money_funds_are_those_of_their_window(first_evening, funds):
    """Stops a money fund from being judged by a Sharpe ratio alone, or by another's yield."""
    market, _ = first_evening
    stored = market.table("validated_nav").set_index("fund_code")
    for on in (None, "2026-06-10"):
        rows = funds.metrics(["1y", "3m"], on=on)
        money = rows["kind"] == "money"
        assert rows.loc[~money, "yield_7d"].isna().all()
        chosen = rows[money].dropna(subset=["start_date"])
        assert len(chosen) > 2
        for (code, _window), row in chosen.iterrows():
            first, last = (int(row[n].strftime("%Y%m%d")) for n in ("start_date", "end_date"))
            mine = stored.loc[code]
            inside = mine[mine["nav_date"].between(first + 1, last)]
            newest = mine[mine["nav_date"] == last].iloc[0]
            mean = inside["yield_7d_pct"].mean() / 100
            assert row["mean_yield_7d"] == pytest.approx(mean, rel=1e-9)
            assert row["yield_7d"] == pytest.approx(newest["yield_7d_pct"] / 100)
            assert row["yield_per_10k"] == newest["yield_per_10k"]


def test_what_the_figures_were_made_from_can_be_taken(first_evening, funds):
    """Stops a figure that nobody outside can compute again."""
    market, _ = first_evening
    for name in (
        "benchmark_index", "risk_free_rate", "nav_quarantine", "publish_log", "collection_batch",
    ):  # fmt: skip
        assert len(funds.table(name)) == len(market.table(name))
    days = funds.table("calendar", since="2026-02-10", until="2026-02-28")
    open_days = days.loc[days["is_session"] == 1, "day"].dt.strftime("%Y%m%d").astype(int)
    assert open_days.tolist() == [k for k in exchange_sessions() if 20260210 <= k <= 20260228]
    definitions = funds.table("definitions")
    metrics = definitions[definitions["table_name"] == "fund_metrics"].set_index("column_name")
    assert set(metrics["definition_version"]) == {DEFINITION_VERSION}
    assert metrics.loc["sharpe_ratio", "label"] == "夏普比率"
    assert metrics.loc["sharpe_ratio", "formula"].startswith("(mean(R) - rf) / std(R) sqrt(N)")
    measures = set(FLOATS) - {"risk_free_rate", "periods_per_year"}
    assert measures <= set(formulas()), "a measure has no line in compute_metrics"
    assert set(metrics.index) == set(FUND_METRICS.value_columns)


def test_names_stand_beside_codes(first_evening, funds):
    """Stops a frame of bare codes, and a name that is another fund's."""
    market, _ = first_evening
    names = market.table("fund_info").set_index("fund_code")["name"]
    for frame in (
        funds.table("metrics", names=True),
        funds.table("nav", names.index[:25], since="2026-09-10", names=True),
        funds.nav(names.index[:2].tolist(), names=True).reset_index(),
        funds.events(),
    ):
        assert len(frame)
        assert frame["name"].tolist() == names.loc[frame["fund_code"]].tolist()
    columns = funds.table("metrics", names=True).columns.tolist()
    assert columns[:4] == ["fund_code", "name", "fund_type", "calc_date"]
    assert "name" not in funds.table("metrics")


def test_the_next_question_sees_what_was_published_meanwhile(market):
    """Stops kept inputs from answering for a warehouse that has changed."""
    with opened(market) as funds:
        code = market.table("validated_nav")["fund_code"].iloc[0]
        before = funds.metrics("1m", code, on="2026-09-16")["total_return"].iloc[0]
        row = market.table("validated_nav", f"fund_code = '{code}' AND nav_date <= 20260916")
        changed = row.sort_values("nav_date").iloc[[-1]][["nav_date", "fund_code"]]
        log = market.table("publish_log")
        with market.warehouse.transaction(writes=True) as connection:
            update(connection, VALIDATED_NAV, changed.assign(total_return_index=99.0))
            connection.exec_driver_sql(
                "UPDATE publish_log SET rows_changed = rows_changed + 1, "
                "published_at = published_at + 1"
            )
        assert len(log)
        after = funds.metrics("1m", code, on="2026-09-16")["total_return"].iloc[0]
        assert after != before
