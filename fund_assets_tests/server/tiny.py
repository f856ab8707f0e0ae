"""A market of eight share classes, written out by hand, for tests that look at each row.

It has what the pages differ in: a name that akshare eats into, a leading zero, a fund that
is not published yet, three decimals, money funds on a later date than the rest, an
exchange-traded fund, a dividend and a split.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from math import inf, nan

import numpy as np
import pandas as pd

from fund_assets.nav.managers import Term
from fund_assets.sources.eastmoney.cells import Defects, event_frame, observations
from fund_assets.sources.protocol import (
    LISTING_COLUMNS,
    PURCHASE_COLUMNS,
    History,
    IndexLists,
    Listing,
    ManagerPage,
    MarketEvents,
    Overview,
    Purchases,
    Wave,
)
from fund_assets.transport.errors import SourceError, UnknownFundError

NEWEST, PREVIOUS = date(2026, 11, 20), date(2026, 11, 19)
FUNDS = [
    ("000001", "华夏成长混合", "混合型-灵活", "HXCZHH"),
    ("000002", "华夏成长混合(后端)", "混合型-灵活", "HXCZHH"),
    ("110011", "易方达优质精选混合(QDII)", "QDII-混合偏股", "YFDYZJXHH"),
    ("161725", "招商中证白酒指数(LOF)A", "指数型-股票", "ZSZZBJZS"),
    ("510300", "华泰柏瑞沪深300ETF", "指数型-股票", "HTBRHS300ETF"),
    ("159919", "嘉实沪深300ETF", "指数型-股票", "JSHS300ETF"),
    ("210012", "金鹰货币A", "货币型-普通货币", "JYHBA"),
    ("000009", "易方达天天理财货币A喆", "货币型-普通货币", "YFDTTLCHBA"),
]
#: code, date, unit, accumulated, growth, yield per 10,000, 7-day yield
SEEN = [
    ("000001", 20261120, 1.2345, 3.8490, 0.07, nan, nan),
    ("000002", 20261120, nan, nan, nan, nan, nan),
    ("110011", 20261120, nan, nan, nan, nan, nan),
    ("161725", 20261120, 0.687, 2.5678, -1.2, nan, nan),
    ("510300", 20261120, 4.8898, 1.9582, 2.0, nan, nan),
    ("159919", 20261120, 5.0, 2.0, 0.0, nan, nan),
    ("000001", 20261119, 1.2336, 3.8481, nan, nan, nan),
    ("000002", 20261119, nan, nan, nan, nan, nan),
    ("110011", 20261119, 5.4321, 6.1, nan, nan, nan),
    ("161725", 20261119, 0.6953, 2.5761, nan, nan, nan),
    ("510300", 20261119, 4.7939, 1.9198, nan, nan, nan),
    ("159919", 20261119, 5.0, nan, nan, nan, nan),
    ("210012", 20261122, nan, nan, nan, 0.3790, 1.733),
    ("000009", 20261122, 1.0, nan, nan, nan, nan),
    ("210012", 20261121, nan, nan, nan, 0.3791, 1.74),
    ("000009", 20261121, 1.0, nan, nan, 21.2775, 2.346),
]
FIGURES = ["unit_nav", "acc_nav", "growth_pct", "yield_per_10k", "yield_7d_pct"]


def frame(rows: list[tuple]) -> pd.DataFrame:
    """Rows like those of `SEEN` as an observation frame."""
    codes, keys, *figures = zip(*rows, strict=True)
    values = {name: np.array(column) for name, column in zip(FIGURES, figures, strict=True)}
    return observations(codes, np.array(keys), values, Defects())


class TinyMarket:
    """The eight share classes as a `FundSource`."""

    name = "tiny"

    def fund_list(self) -> Listing:
        return Listing(pd.DataFrame(FUNDS, columns=LISTING_COLUMNS, dtype="str"), ())

    def wave(self) -> Wave:
        return Wave(NEWEST, PREVIOUS, frame(SEEN), self.fund_list().frame, ())

    def purchases(self) -> Purchases:
        rows = [
            (code, "开放申购", "开放赎回", 0.0015, 10.0, inf, None, "") for code, *_ in FUNDS
        ]
        found = pd.DataFrame(rows, columns=PURCHASE_COLUMNS).astype({"next_open_date": "Int32"})
        return Purchases(found)

    def history(self, fund_code: str, *, kind: str) -> History:
        if fund_code not in {code for code, *_ in FUNDS}:
            raise UnknownFundError(f"no fund {fund_code}")
        events: list[tuple[str, int, str, float, str]] = []
        if kind == "money":
            rows = [
                (fund_code, key, nan, nan, nan, per_10k, week)
                for key, per_10k, week in [(20261120, 0.5, 1.9), (20261121, 0.3791, 1.74)]
            ]
        else:
            rows = [
                (fund_code, 20020104, 1.0, 1.0, 0.0, nan, nan),
                (fund_code, 20020111, 1.0390, nan, 3.9, nan, nan),
                (fund_code, 20020118, 1.0302, 1.0385, -0.05, nan, nan),
                (fund_code, 20020125, 0.5151, 1.0385, 0.0, nan, nan),
            ]
            events = [
                (fund_code, 20020118, "dividend", 0.0083, "分红：每份派现金0.0083元"),
                (fund_code, 20020125, "split", 2.0, "拆分：每份基金份额折算2.0份"),
            ]
        return History(fund_code, frame(rows), event_frame(events))

    def events(self, year: int) -> MarketEvents:
        return MarketEvents(year, event_frame([]), ())

    def index_history(self, index_code: str, since: int | None = None) -> pd.DataFrame:
        keys = np.array([20261119, 20261120], dtype=np.int32)
        return pd.DataFrame({"nav_date": keys, "close": [4600.0, 4584.54]})

    def index_lists(self) -> IndexLists:
        names = [("000300", "沪深300", "沪深300指数", "人民币")]
        columns = ["指数代码", "指数简称", "指数全称", "指数币种"]
        return IndexLists((pd.DataFrame(names, columns=columns),))

    def overview(self, fund_code: str) -> Overview:
        return Overview(fund_code, "沪深300指数收益率×80%+上证国债指数收益率×20%", "")

    def managers(self, fund_code: str) -> ManagerPage:
        terms = (
            Term(20150105, None, {"30000001": "甲某"}, 4_338, 0.1),
            Term(20020104, 20150104, {"30000002": "乙某"}, 4_748, None),
        )
        return ManagerPage(fund_code, terms)

    def histories(
        self, funds: Iterable[tuple[str, str]]
    ) -> Iterator[tuple[str, History | SourceError]]:
        for code, kind in funds:
            try:
                yield code, self.history(code, kind=kind)
            except SourceError as error:
                yield code, error
