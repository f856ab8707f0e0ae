"""Which provider has the closes of an index, and how akshare is asked for them.

Belongs here: which codes are whose, akshare's function and arguments for each, and where its
answer has dates and closes. Does not belong here: asking (`indices.py`), names of indices
(`benchmarks/index_names.py`).

Codes say whose they are: 000xxx are shown by the exchange of Shanghai, 399xxx by that of
Shenzhen, of which 3998xx and 3999xx are CSI's; H, N and 9 begin CSI's own, 97 and 98 CNI's.
Closes of ChinaBond come from the functions whose dates are right: akshare's
`bond_composite_index_cbond` has every date a day early.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from fund_assets.sources.eastmoney.world_indices import EASTMONEY, SINA_HONG_KONG, SINA_US
from fund_assets.transport.errors import UnknownIndexError

BONDS = "bond_index_general_cbond"
#: Variant of an index of ChinaBond → akshare's word for it.
VARIANTS = {"full_price": "全价", "net_price": "净价", "wealth": "财富"}
#: Stretches of an index of ChinaBond.
TENORS = (
    "1年以下", "1-3年", "3-5年", "5-7年", "7-10年", "10年以上", "0-3个月", "3-6个月", "6-9个月",
    "9-12个月", "0-6个月", "6-12个月",
)  # fmt: skip
#: Indices of ChinaBond on government bonds of some years, which have a function of their own.
TREASURY = {
    "0-1年国债指数": "0-1Y", "0-3年国债指数": "0-3Y", "0-5年国债指数": "0-5Y",
    "0-10年国债指数": "0-10Y", "1-3年国债指数": "1-3Y", "1-5年国债指数": "1-5Y",
    "1-10年国债指数": "1-10Y", "3-5年国债指数": "3-5Y", "5年期国债指数": "5Y",
    "7年期国债指数": "7Y", "7-10年国债指数": "7-10Y", "10年期国债指数": "10Y",
    "30年期国债指数": "30Y",
}  # fmt: skip
#: Currency of a pair with the yuan → its column of the central parity, in yuan for 100.
CURRENCIES = {
    "USD": "美元", "EUR": "欧元", "JPY": "日元", "HKD": "港元", "GBP": "英镑", "AUD": "澳元",
    "NZD": "新西兰元", "SGD": "新加坡元", "CHF": "瑞士法郎", "CAD": "加元",
}  # fmt: skip
_NAMED = "name"


@dataclass(frozen=True)
class Provider:
    """A function of akshare that has the closes of some indices.

    Attributes:
        function: its name.
        codes: what all of a code must match; the group `name` of it is what the function is
            asked for, else the whole code.
        dates, closes: columns of its frame; without `closes` the column depends on the code.
        symbol: how the name is passed: the argument and what stands before the name.
        words: name → the function's word for it, where it has words of its own.
        more: group of `codes` → argument and words.
        dated: whether it can be asked for days.
        rows: keys to the list of closes in its JSON; empty: it is no JSON.
        units: a close is for so many.
        gaps: whether a day without a close is no error.
        page: whether its first answer is a page.
        earliest: no close is of a year before; markets of China opened in 1990.
    """

    function: str
    codes: str
    dates: str
    closes: str
    symbol: tuple[str, str] | None = ("symbol", "")
    words: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    dated: bool = False
    rows: tuple[str, ...] = ()
    units: int = 1
    gaps: bool = False
    page: bool = False
    earliest: int = 1990


def _of(words: Mapping[str, str] | tuple[str, ...]) -> str:
    return "|".join(map(re.escape, words))


def treasury_list() -> pd.DataFrame:
    """The indices of TREASURY in the form of akshare's lists: 代码 and 名称."""
    names = [
        (f"中债-{name}", f"中债-{name.replace('国债', word)}")
        for name in TREASURY
        for word in (("国债",) if "年期" in name else ("国债", "期国债"))
    ]
    return pd.DataFrame(names, columns=["代码", "名称"], dtype="str")


_VARIANT = {"variant": ("indicator", VARIANTS)}
_WORD = rf"(?P<variant>{_of(VARIANTS)})"
_TENOR = rf"(?P<tenor>{_of(TENORS)})"
_EASTMONEY = ("data", "klines")
_LONG_AGO = 1900
#: The first whose codes match has the index.
PROVIDERS = (
    Provider(
        "stock_zh_index_daily_em", r"000\d{3}", "date", "close",
        symbol=("symbol", "sh"), dated=True, rows=_EASTMONEY,
    ),
    Provider(
        "stock_zh_index_daily_em", r"899\d{3}", "date", "close",
        symbol=("symbol", "bj"), dated=True, rows=_EASTMONEY,
    ),
    Provider(
        "index_hist_cni", r"399[0-7]\d{2}|(?:47|48|97|98)\d{4}|CN[A-Z]?\d{4,5}",
        "日期", "收盘价", dated=True, rows=("data", "data"),
    ),
    Provider(
        "stock_zh_index_hist_csindex", r"399[89]\d{2}|9\d{5}(?:[A-Z]{3}\d{0,3})?|[HN]\d{5}",
        "日期", "收盘", dated=True, rows=("data",),
    ),
    Provider(
        "index_global_hist_em", rf"(?:{_of(EASTMONEY)})", "日期", "最新价",
        words=EASTMONEY, rows=_EASTMONEY, earliest=_LONG_AGO,
    ),
    Provider(
        "index_us_stock_sina", rf"(?:{_of(SINA_US)})", "date", "close", words=SINA_US,
        earliest=_LONG_AGO,
    ),
    Provider(
        "stock_hk_index_daily_sina", rf"(?:{_of(SINA_HONG_KONG)})", "date", "close",
    ),
    Provider(
        "bond_treasury_index_cbond", rf"中债-(?P<name>{_of(TREASURY)}) {_WORD}",
        "date", "value", symbol=("period", ""), words=TREASURY, more=_VARIANT,
    ),
    Provider(
        BONDS, rf"中债-(?P<name>.+?)(?:\({_TENOR}\))? {_WORD}",
        "date", "value", symbol=("index_category", ""),
        more={**_VARIANT, "tenor": ("period", {tenor: tenor for tenor in TENORS})},
    ),
    Provider(
        "spot_hist_sge", r"i?Au(?:99\.99|99\.95|99\.5|100g)|m?Au\(T\+(?:D|N1|N2)\)|"
        r"Ag(?:99\.99|\(T\+D\))|Pt99\.95", "date", "close", rows=("time",),
    ),
    Provider(
        "currency_boc_safe", rf"(?P<name>{_of(CURRENCIES)})CNY", "日期", "", symbol=None,
        words=CURRENCIES, units=100, gaps=True, page=True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """How one index is asked for.

    Attributes:
        provider: who has it.
        arguments: of the provider's function, without days.
        closes: column of its frame.
    """

    provider: Provider
    arguments: Mapping[str, str]
    closes: str


def provider_of(index_code: str) -> Asked:
    """Who has an index, and how to ask.

    Raises:
        UnknownIndexError: nobody; the message says what codes look like.
    """
    for provider in PROVIDERS:
        if found := re.fullmatch(provider.codes, index_code):
            groups = found.groupdict()
            name = groups.get(_NAMED) or index_code
            word = provider.words.get(name, name)
            arguments = {}
            if provider.symbol:
                argument, before = provider.symbol
                arguments[argument] = before + word
            for group, (argument, words) in provider.more.items():
                if groups[group]:
                    arguments[argument] = words[groups[group]]
            return Asked(provider, arguments, provider.closes or word)
    raise UnknownIndexError(
        f"no provider has the closes of index {index_code!r}: write an official code such as "
        "000300, H11001, 399006 or HSI, a bond index as '中债-综合指数 wealth', Au99.99 or "
        "USDCNY"
    )
