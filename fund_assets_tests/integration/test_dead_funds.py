"""A market with liquidations: a study through the public API has its dead funds, or says not."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import TradingCalendar, from_key, to_key
from fund_assets.export.research import Funds
from fund_assets.nav.history import HistoryChoice
from fund_assets.nav.past_lists import read_past_list
from fund_assets.pipeline.fund_info import refresh
from fund_assets.pipeline.fund_nav import collect_wave
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.pipeline.validated_nav import validate
from fund_assets.settings import SHANGHAI
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores.past_lists import unlisted, write_past_list
from fund_assets_tests import stores

NOW = datetime(2026, 9, 17, 21, 40, tzinfo=SHANGHAI)
CALENDAR = TradingCalendar.build()
#: Month ends at which funds are picked, by the return of the six months before.
FIRST, LAST, LOOK_BACK = 20240731, 20260630, 6
FUNDS, YEARS, SEED = 40, 2.7, 21


def month_ends():
    sessions = pd.DatetimeIndex([f"{from_key(key)}" for key in CALENDAR.sessions])
    sessions = sessions[(sessions >= "2024-01-02") & (sessions <= f"{from_key(LAST)}")]
    return sessions.to_series().groupby(sessions.to_period("M")).last().tolist()


def backtest(levels, universe_on):
    """Growth of one yuan: each month the best fifth by six months, equally, ended ones kept."""
    worth, ends = [1.0], month_ends()
    for at in range(LOOK_BACK, len(ends) - 1):
        day = ends[at]
        now, before, after = (levels.loc[:ends[n]].ffill().iloc[-1]
                              for n in (at, at - LOOK_BACK, at + 1))  # fmt: skip
        there = sorted(universe_on(day))
        gained = (now[there] / before[there] - 1).dropna().sort_index()
        best = gained.sort_values(ascending=False, kind="stable").index[
            : max(len(gained) // 5, 1)
        ]
        worth.append(worth[-1] * (after[best] / now[best]).mean())
    return np.array(worth)


def evening(warehouse, source, choice):
    collect_histories(warehouse, source, lambda: NOW, choice, pages=False)
    validate(warehouse, CALENDAR, NOW)


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """The simulator, and a warehouse after its first evening, without any list of a past date."""
    url = (
        stores.url_for(folder := tmp_path_factory.mktemp("dead")) or f"sqlite:///{folder}/w.db"
    )
    warehouse = Warehouse(url)
    warehouse.init("simulated")
    source = SimulatedSource(FUNDS, YEARS, SEED, CALENDAR, lambda: NOW)
    refresh(warehouse, source, to_key(NOW.date()))
    collect_wave(warehouse, source, lambda: NOW)
    evening(warehouse, source, HistoryChoice())
    yield warehouse, source, url
    warehouse.close()


def truth(source):
    """Levels of every class that ever had a NAV, and who lived on a day, from the simulator."""
    levels, lived = {}, {}
    universe = source.market.universe
    for at, code in enumerate(universe.code):
        portfolio = universe.portfolio[at]
        index = source.truth(code).index if not universe.back_end[at] and universe.listed[
            portfolio] <= source._minute() // 1440 else ()  # fmt: skip
        if len(index):
            days = pd.DatetimeIndex([f"{from_key(key)}" for key in index["nav_date"]])
            levels[code] = pd.Series(index["total_return_index"].to_numpy(), days)
            dead = universe.last_nav[portfolio] <= source._minute() // 1440
            lived[code] = (days[0], days[-1] if dead else pd.Timestamp.max)
    return pd.DataFrame(levels).sort_index(), lived


def test_a_backtest_has_its_dead_funds(studied):
    """Stops a study of survivors only: the momentum backtest of the simulator with all its dead
    funds is reached through the public API; without them it differs, and the API says so."""
    warehouse, source, url = studied
    levels, lived = truth(source)

    def alive(day):
        return {code for code, (first, last) in lived.items() if first <= day <= last}

    expected = backtest(levels, alive)
    dead = {code for code, (_, last) in lived.items() if last < pd.Timestamp(NOW.date())}
    assert len(dead) == 6

    with Funds(url) as f:
        survivors = backtest(f.total_return(), lambda day: f.universe(day).index)
        told = f.missing(month_ends()[LOOK_BACK:])
        words = f.total_return().attrs["missing"]
        assert f.universe(FIRST).attrs["missing"] == told["words"].iloc[0]
    assert abs(survivors[-1] / expected[-1] - 1) > 1e-3
    assert not told["known"].iloc[0] and told["share"].iloc[0] > 0.01
    assert "may be missing" in words and "may look better" in words

    for year in ("2024-08-01", "2025-02-05", "2026-02-02"):
        then = datetime.fromisoformat(f"{year}T21:40:00").replace(tzinfo=SHANGHAI)
        past = SimulatedSource(FUNDS, YEARS, SEED, CALENDAR, lambda then=then: then)
        text = past.fund_list().frame.to_csv(index=False)
        write_past_list(
            warehouse, read_past_list(text, int(year.replace("-", "")), 20260917214000)
        )
    assert dead <= set(unlisted(warehouse)["fund_code"])
    with Funds(url) as f:
        known = f.missing(20240801)
        assert known["known"].all() and (known["absent"] > 0).all()
    evening(warehouse, source, HistoryChoice())

    with Funds(url) as f:
        found = backtest(f.total_return(), lambda day: f.universe(day).index)
        for day in month_ends()[LOOK_BACK:]:
            assert set(f.universe(day).index) == alive(day), day
        row = f.missing(20240801).iloc[0]
        info = f.info(sorted(dead))
        told = f.missing(month_ends()[LOOK_BACK:])
    assert np.abs(found / expected - 1).max() < 1e-12
    assert (row["share"], row["known"]) == (0, True)
    assert "all" in row["words"] and "are stored" in row["words"]
    assert set(info["status"]) == {"delisted"}
    assert (info["name"] != info.index).all() and (info["fund_type"] != "").all()
    assert told["share"].max() < 0.05
