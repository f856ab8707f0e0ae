"""Index closes: from eastmoney's answer through akshare, and from the simulated market."""

import json
from datetime import date

import numpy as np
import pytest

from fund_assets.benchmarks.index_names import IndexNames
from fund_assets.calendar import TradingCalendar, to_key
from fund_assets.schemas.kinds import INDICES, KINDS
from fund_assets.sources.eastmoney import indices, world_indices
from fund_assets.sources.eastmoney.index_providers import provider_of
from fund_assets.sources.eastmoney.unlisted_indices import unlisted
from fund_assets.sources.simulated.indices import RECIPES
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.transport.errors import (
    EmptyAnswerError,
    FormatError,
    SourceError,
    UnknownIndexError,
)
from fund_assets.transport.http_answer import Answer


class Gateway:
    """Answers every request with one body, and keeps what was asked."""

    def __init__(self, body):
        self.body, self.asked = body, []

    def fetch(self, endpoint, url, params=None, headers=None, *, form, post):
        self.asked.append((endpoint, url, dict(params)))
        return Answer(endpoint, url, 200, {}, self.body, "")


def klines(rows, fields):
    padding = [",".join(["1.0"] * (fields - 3))]
    lines = [",".join([day, "1.0", close, *padding]) for day, close in rows]
    return json.dumps({"rc": 0, "data": {"code": "x", "name": "y", "klines": lines}}).encode()


@pytest.mark.parametrize(
    ("code", "secid", "fields"),
    [("000300", "1.000300", 8), ("000012", "1.000012", 8), ("SPX", "100.SPX", 14)],
)
def test_akshare_reads_the_answer_over_our_gateway(code, secid, fields):
    """Stops a wrong market prefix, a wrong column for the close, and dates out of order."""
    gateway = Gateway(klines([("2026-11-20", "4584.54"), ("2026-11-19", "4600.00")], fields))
    found = indices.index_history(gateway, code)
    ((endpoint, url, params),) = gateway.asked
    assert endpoint == "index_history"
    assert url == "https://push2his.eastmoney.com/api/qt/stock/kline/get"
    assert params["secid"] == secid
    assert found["nav_date"].tolist() == [20261119, 20261120]
    assert found["close"].tolist() == [4600.0, 4584.54]
    assert (found["nav_date"].dtype, found["close"].dtype) == ("int32", "float64")


def test_answers_without_closes_are_told_apart():
    """Stops an empty or changed answer from passing for an index without a session."""
    with pytest.raises(EmptyAnswerError, match="000300 has no closes"):
        indices.index_history(Gateway(b'{"data": {"klines": []}}'), "000300")
    with pytest.raises(FormatError, match="akshare"):
        indices.index_history(Gateway(b'{"data": null}'), "000300")
    with pytest.raises(FormatError, match="2026-11-20 with close nan is not a valid close"):
        indices.index_history(Gateway(klines([("2026-11-20", "-")], 8)), "000300")
    wide = Gateway(klines([("2026-11-20", "4584.54")], 80))
    with pytest.raises(FormatError, match="a line of its closes has 80 figures"):
        indices.index_history(wide, "000300")


def test_every_index_in_use_has_a_source():
    """Stops a kind from being measured against an index that no source has."""
    used = {kind.benchmark for kind in KINDS.values() if kind.benchmark}
    assert used == set(INDICES) <= set(RECIPES)
    for code in INDICES:
        assert provider_of(code).provider.function.endswith("_em")


@pytest.mark.parametrize(
    ("code", "function", "arguments"),
    [
        ("000905", "stock_zh_index_daily_em", {"symbol": "sh000905"}),
        ("899050", "stock_zh_index_daily_em", {"symbol": "bj899050"}),
        ("399001", "index_hist_cni", {"symbol": "399001"}),
        ("399606", "index_hist_cni", {"symbol": "399606"}),
        ("980017", "index_hist_cni", {"symbol": "980017"}),
        ("399967", "stock_zh_index_hist_csindex", {"symbol": "399967"}),
        ("399812", "stock_zh_index_hist_csindex", {"symbol": "399812"}),
        ("930050", "stock_zh_index_hist_csindex", {"symbol": "930050"}),
        ("930931HKD", "stock_zh_index_hist_csindex", {"symbol": "930931HKD"}),
        ("H11001", "stock_zh_index_hist_csindex", {"symbol": "H11001"}),
        ("N00300", "stock_zh_index_hist_csindex", {"symbol": "N00300"}),
        ("HSCEI", "index_global_hist_em", {"symbol": "国企指数"}),
        ("N225", "index_global_hist_em", {"symbol": "日经225"}),
        ("NDX", "index_us_stock_sina", {"symbol": ".NDX"}),
        ("HSTECH", "stock_hk_index_daily_sina", {"symbol": "HSTECH"}),
        ("中债-综合指数 wealth", "bond_index_general_cbond",
         {"index_category": "综合指数", "indicator": "财富"}),
        ("中债-国债总指数(10年以上) net_price", "bond_index_general_cbond",
         {"index_category": "国债总指数", "indicator": "净价", "period": "10年以上"}),
        ("中债-10年期国债指数 full_price", "bond_treasury_index_cbond",
         {"period": "10Y", "indicator": "全价"}),
        ("Au(T+D)", "spot_hist_sge", {"symbol": "Au(T+D)"}),
        ("HKDCNY", "currency_boc_safe", {}),
    ],
)  # fmt: skip
def test_a_code_says_whose_it_is(code, function, arguments):
    """Stops an index from being asked of one who has it not, or has another under its code."""
    asked = provider_of(code)
    assert (asked.provider.function, asked.arguments) == (function, arguments)


def test_the_world_is_as_akshare_names_it():
    """Stops a name of ours for an index abroad that stands for another one in akshare."""
    akshare = pytest.importorskip("akshare.index.cons").index_global_em_symbol_map
    china = {"上证指数", "沪深300", "中小100", "深证成指", "创业板指"}
    theirs = {found["code"]: name for name, found in akshare.items()}
    del theirs["NDX"]  # the composite index
    assert {
        code: name for code, name in theirs.items() if name not in china
    } == world_indices.EASTMONEY


def test_an_index_without_a_list_has_no_provider_and_is_requested_from_none():
    """Stops a code of our own table from being requested as another provider's index."""
    named, bonds = unlisted()
    names = IndexNames.of([named, bonds, world_indices.world_list()])
    codes = dict(zip(named["名称"], named["代码"], strict=True))
    codes |= {f"中债-{name}": f"中债-{name}" for name in bonds["value"]}
    assert {name: names.code_of(name) for name in codes} == codes
    gateway = Gateway(b"")
    for code in set(codes.values()):
        asked = f"{code} wealth" if code.startswith("中债") else code
        with pytest.raises(UnknownIndexError):
            indices.index_history(gateway, asked)
    assert gateway.asked == []


def test_the_simulated_index_moves_with_the_market_and_never_changes_back():
    """Stops an index that looks ahead, or that is another when asked later."""
    calendar = TradingCalendar.build()

    def at(moment):
        from fund_assets.settings import load_settings

        settings = load_settings(sim_funds=60, sim_years=1.0, sim_seed=5, clock=moment)
        return SimulatedSource.from_settings(settings, calendar)

    before, after = at("2026-09-17T14:59:00"), at("2026-09-18T15:00:00")
    old, new = before.index_history("000300"), after.index_history("000300")
    assert old["nav_date"].iloc[-1] == 20260916
    assert new["nav_date"].iloc[-1] == 20260918
    assert new["nav_date"].tolist() == [
        to_key(day) for day in calendar.between(date(2025, 1, 1), date(2026, 9, 18))
    ]
    assert new["close"].iloc[:-2].tolist() == old["close"].tolist()
    assert 0.5 < np.diff(np.log(new["close"])).std() * 100 < 2.0
    with pytest.raises(SourceError, match="no index 'DAX'"):
        after.index_history("DAX")
