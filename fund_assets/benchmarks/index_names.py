"""Which index a name means: names of benchmarks and tracked indices, and lists of indices.

Belongs here: reading the lists that akshare's functions return, and finding a name in them.
Does not belong here: fetching them (`sources/`), which series a text names (`series.py`).

A name is found when the lists have exactly one index of that name, variant and currency. Words
such as 产业 and 主题 are no filling: 中证人工智能主题指数 and 中证人工智能产业指数 are two
indices.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pandas as pd

from fund_assets.benchmarks.quotes import GOLD
from fund_assets.benchmarks.series import (
    INDEX,
    NET_RETURN,
    PRICE,
    PRICE_RETURN,
    TOTAL_RETURN,
    Series,
    read_series,
)
from fund_assets.benchmarks.spelling import spell
from fund_assets.benchmarks.twins import twin_of

#: Column of a list → what it has; each of akshare's lists has some of them.
_CODES = ("指数代码", "index_code", "代码", "code")
_NAMES = ("指数全称", "指数简称", "display_name", "名称", "name", "full_name")
_CURRENCY = ("指数币种", "currency")
#: Bond indices of ChinaBond have no codes: 中债- and the name by which akshare asks for them
#: stands for one.
_BONDS, _BOND_PREFIX = "value", "中债-"
#: A stretch of a bond index: akshare asks for the whole index and its stretch.
_TENOR = re.compile(r"\(((?:[0-9]+-[0-9]+年|[0-9]+年以[上下]))\)")
_MONEY = {"人民币": "CNY", "港元": "HKD", "港币": "HKD", "美元": "USD"}
#: Short forms that official lists and pages use for the name behind them.
_SAME = {
    "上证": "上证综合", "上证综": "上证综合", "沪综": "上证综合",
    "深证成": "深证成份", "深成": "深证成份", "深证综": "深证综合", "深综": "深证综合",
    "创业板综": "创业板综合", "中小板综": "中小板综合", "中小综": "中小企业综合",
    "科创50": "上证科创板50成份", "中证小盘500": "中证500", "国企": "恒生中国企业",
    "东京日经225": "日经225", "法兰克福dax": "德国dax", "德国dax30": "德国dax",
    "伦敦富时100": "富时100", "英国富时100": "富时100", "央视财经50": "央视50",
    "中证800制药与生物技术": "中证800制药与生物科技",
    "中证港股通大消费": "中证港股通大消费主题", "中证港股通tmt": "中证港股通tmt主题",
}  # fmt: skip


@dataclass
class IndexNames:
    """Names of indices and their codes.

    Attributes:
        known: name in one form → (code, variant, currency) of the indices that have it.
        bonds: what stands for the codes of the bond indices of ChinaBond.
    """

    known: dict[str, set[tuple[str, str, str]]] = field(
        default_factory=lambda: defaultdict(set)
    )
    bonds: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, lists: Iterable[pd.DataFrame]) -> "IndexNames":
        """All names of some lists, each a frame as one of akshare's functions returns it.

        Raises:
            ValueError: a frame has neither codes and names nor the names of bond indices.
        """
        found = cls()
        for frame in lists:
            found._add(frame)
        return found

    def _add(self, frame: pd.DataFrame) -> None:
        columns = list(map(str, frame.columns))
        if _BONDS in columns:
            for name in map(str, frame[_BONDS]):
                bond = f"{_BOND_PREFIX}{name}"
                self.bonds.add(bond)
                self._enter(bond, bond, "")
            return
        code = next((name for name in _CODES if name in columns), None)
        names = [name for name in _NAMES if name in columns]
        if code is None or not names:
            raise ValueError(f"no list of indices has the columns {', '.join(columns)}")
        money = next((name for name in _CURRENCY if name in columns), None)
        for _, row in frame.iterrows():
            told = _MONEY.get(str(row[money]), "") if money else ""
            for name in names:
                if isinstance(row[name], str) and row[name].strip():
                    self._enter(str(row[code]), row[name], told)

    def _enter(self, code: str, name: str, currency: str) -> None:
        key, variant, told = _form(name)
        self.known[key].add((code, variant, told or currency))

    def code_of(self, name: str) -> str:
        """The code of the index of a name; empty when none has it, or more than one."""
        return self.find(read_series(spell(name)))

    def find(self, series: Series) -> str:
        """The code of the index that a text names; empty when none is it, or more than one.

        Gold, which funds track as they track an index, has the code of its price.
        """
        if series.kind == PRICE:
            return GOLD.get(series.name, "")
        if series.code or series.kind != INDEX:
            return series.code
        return self._listed(series) or self._twin(series)

    def _twin(self, series: Series) -> str:
        """The twin of a listed price index, where its code is certain."""
        if series.variant not in (TOTAL_RETURN, NET_RETURN):
            return ""
        price = replace(series, variant=PRICE_RETURN)
        return twin_of(self._listed(price), series.variant)

    def _listed(self, series: Series) -> str:
        name, _, _ = _form(series.name)
        if (told := _TENOR.search(series.name)) and name not in self.known:
            whole = self._listed(replace(series, name=_TENOR.sub("", series.name)))
            return f"{whole}({told[1]})" if whole in self.bonds else ""
        if name not in self.known and re.match(r"中证[0-9]", name):  # 800有色 for 中证800有色
            name = name.removeprefix("中证")
        fitting = {
            code
            for code, variant, currency in self.known.get(name, ())
            if _same_variant(variant, series.variant)
            and (not currency or not series.currency or currency == series.currency)
        }
        if len(fitting) > 1 and not series.currency:  # of twins the one in yuan
            fitting = {
                code
                for code, variant, currency in self.known[name]
                if code in fitting and currency == "CNY"
            }
        return fitting.pop() if len(fitting) == 1 else ""


def _same_variant(listed: str, told: str) -> bool:
    """A list has an index once for each variant, and bond indices once for all of theirs."""
    if {told, listed} & {TOTAL_RETURN, NET_RETURN}:
        return listed == told
    return not listed or listed == told or PRICE_RETURN in (listed, told)


def _form(name: str) -> tuple[str, str, str]:
    """A name without what every list writes in another way, its variant and its currency."""
    spelt = spell(name)
    twin = re.fullmatch(r"(.*[\u4e00-\u9fff0-9])R", spelt)
    series = read_series(twin[1] if twin else spelt)
    bare = series.name if series.kind == INDEX else spelt
    bare = re.sub(r"指数(?=\(|$)|指$", "", bare.lower())
    bare = re.sub(r"[\s()·]|(?<![0-9a])-(?![0-9])", "", bare)
    bare = bare.replace("成分", "成份").replace("债券总", "债总")
    return _SAME.get(bare, bare), TOTAL_RETURN if twin else series.variant, series.currency
