"""Indices of the simulated market, and the funds that follow them."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.benchmarks import parse_benchmark
from fund_assets.benchmarks.index_names import IndexNames
from fund_assets.benchmarks.series import Series, read_series
from fund_assets.benchmarks.spelling import spell
from fund_assets.calendar import TradingCalendar
from fund_assets.settings import load_settings
from fund_assets.sources.simulated.indices import RECIPES
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.transport.errors import EmptyAnswerError, UnknownFundError, UnknownIndexError

BOND_VARIANTS = ("full_price", "net_price", "wealth")


@pytest.fixture(scope="module")
def source():
    settings = load_settings(
        sim_funds=600, sim_years=1.0, sim_seed=5, clock="2026-11-20T21:00:00"
    )
    return SimulatedSource.from_settings(settings, TradingCalendar.build())


@pytest.fixture(scope="module")
def names(source):
    return IndexNames.of(source.index_lists().frames)


@pytest.fixture(scope="module")
def overviews(source):
    found = {}
    for code in source.fund_list().frame["fund_code"]:
        try:
            found[code] = source.overview(code)
        except UnknownFundError:  # listed for its fees only
            continue
    return found


def _closes(source, names, series):
    """Closes of what a series names, None when it has no code."""
    code = names.find(series)
    if not code:
        return None
    if series.variant in BOND_VARIANTS:
        code = f"{code} {series.variant}"
    return source.index_history(code).set_index("nav_date")["close"]


def _error(left, right):
    """Tracking error in percent a year of two levels by date."""
    both = pd.concat([left, right], axis=1, join="inner").sort_index()
    daily = np.log(both).diff().dropna()
    return float((daily.iloc[:, 0] - daily.iloc[:, 1]).std() * np.sqrt(244) * 100)


def test_a_fund_follows_its_own_index_and_not_the_types(source, names, overviews):
    """Stops a tracked index that moves by other factors than the funds that track it."""
    types = source.index_history("000300").set_index("nav_date")["close"]
    listed = source.fund_list().frame
    in_dollars = set(listed["fund_code"][listed["name"].str.contains("美元")])
    own, other = [], []
    for code, told in overviews.items():
        if not told.tracked_index or code in in_dollars:
            continue
        closes = _closes(source, names, read_series(spell(told.tracked_index)))
        fund = source.truth(code).index.set_index("nav_date")["total_return_index"]
        if closes is not None and len(fund) > 120:
            own.append(_error(fund, closes))
            other.append(_error(fund, types))
    assert len(own) > 60
    assert np.median(own) < 0.5 < 5.0 < np.median(other)
    assert max(own) < 1.5


def test_what_texts_name_has_closes(source, names, overviews):
    """Stops a benchmark of a simulated fund that nothing can be measured against."""
    parts = {
        Series("index", part.series, part.variant, part.currency)
        for told in overviews.values()
        for part in parse_benchmark(told.benchmark, told.tracked_index).components
        if part.kind == "index"
    }
    without = {part.name for part in parts if _closes(source, names, part) is None}
    assert without <= {"上证10年期国债指数"}
    assert {"沪深300指数", "中债综合指数", "恒生指数", "中证500指数"} <= {p.name for p in parts}


def test_closes_begin_where_they_are_asked_for(source):
    """Stops an evening's few closes from being others than those of the whole history."""
    for code in (*RECIPES, "930001"):
        whole = source.index_history(code)
        part = source.index_history(code, 20261118)
        assert part["nav_date"].tolist() == [20261118, 20261119, 20261120]
        assert part["close"].tolist() == whole["close"].tolist()[-3:]
    with pytest.raises(EmptyAnswerError, match="no closes since 20261121"):
        source.index_history("000300", 20261121)
    for code in ("930999", "929999", "综合指数", "GBPCNY"):
        with pytest.raises(UnknownIndexError, match=code):
            source.index_history(code)


def test_dollars_are_worth_what_dollar_classes_say(source):
    """Stops a parity that moves another way than the classes that count in dollars."""
    listed = source.fund_list().frame
    dollars = listed[listed["name"].str.contains("美元")].iloc[0]
    yuan = listed[listed["name"] == dollars["name"].replace("美元现汇", "").replace("()", "")]
    levels = [
        source.truth(code).index.set_index("nav_date")["total_return_index"]
        for code in (dollars["fund_code"], yuan["fund_code"].iloc[0])
    ]
    parity = source.index_history("USDCNY").set_index("nav_date")["close"]
    assert _error(levels[0] * parity, levels[1]) < 0.2 < 2.0 < _error(*levels)
    assert parity.min() > 5 and parity.max() < 9


def test_total_return_and_wealth_stand_above_price(source):
    """Stops a twin with dividends or interest from being the price index again."""
    for more, less in (
        ("H00300", "000300"),
        ("H00905", "000905"),
        ("中债-综合指数 wealth", "中债-综合指数 full_price"),
    ):
        pair = [source.index_history(code)["close"] for code in (more, less)]
        growth = [closes.iloc[-1] / closes.iloc[0] for closes in pair]
        assert growth[0] - growth[1] > 0.01
