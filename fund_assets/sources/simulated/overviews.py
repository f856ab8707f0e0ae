"""What the funds of the simulated market say they are measured against.

Belongs here: the wording, by breed and portfolio. Does not belong here: how funds move
(`market.py`).
"""

import pandas as pd

from fund_assets.sources.protocol import Overview
from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.factors import RATES
from fund_assets.sources.simulated.frames import payload
from fund_assets.sources.simulated.indices import own_index
from fund_assets.sources.simulated.market import Market

NONE_DISCLOSED = "该基金暂未披露业绩比较基准"
_BOND = "中债综合财富(总值)指数收益率"
_CASH = "银行活期存款利率(税后)"
#: Kind → benchmarks that its portfolios have in turn.
TEXTS = {
    "equity": (
        f"沪深300指数收益率×90%+{_BOND}×10%",
        "中证800指数收益率*85%+中证全债指数收益率*15%",
    ),
    "mixed": (
        f"沪深300指数收益率×70%+{_BOND}×30%",
        "60%×沪深300指数收益率+20%×恒生指数收益率(使用估值汇率折算)+20%×上证国债指数收益率",
        f"中证500指数收益率×65%+{_BOND}×30%+{_CASH}×5%",
    ),
    "bond": (
        "中债综合全价(总值)指数收益率",
        f"{_BOND}×90%+沪深300指数收益率×10%",
        "一年期定期存款利率(税后)+1.2%",
    ),
    "qdii": (
        "标普500指数收益率(经汇率调整)×95%+人民币活期存款利率(税后)×5%",
        "恒生指数收益率×50%+中债综合全价指数收益率×50%",
    ),
    "fof": (
        f"沪深300指数收益率×30%+{_BOND}×70%",
        "X×沪深300指数收益率+(1-X)×中债综合指数收益率",
    ),
    "money": ("同期七天通知存款利率(税后)", _CASH),
    "commodity": ("上海黄金交易所Au99.99现货实盘合约收盘价收益率",),
    "reit": (NONE_DISCLOSED,),
}  # fmt: skip
#: Breeds whose portfolios follow an index of shares: how their indices are named.
_OWN = {"index": "中证精选", "etf": "中证精选", "abroad_index": "中证海外精选"}
#: Bond index funds that move less with interest rates than so, and the others.
_MIDDLE = 0.05 / 100
_SHORT, _LONG = (f"中债-国开行债券总全价({tenor})指数" for tenor in ("1-3年", "3-5年"))
#: Listed nowhere.
_UNLISTED = "上证10年期国债指数"
#: Code, short name and full name of indices that texts name.
INDEX_LIST = (
    ("000300", "沪深300", "沪深300指数"),
    ("H00300", "300收益", "沪深300全收益指数"),
    ("000905", "中证500", "中证小盘500指数"),
    ("H00905", "500收益", "中证小盘500全收益指数"),
    ("000906", "中证800", "中证800指数"),
    ("000012", "国债指数", "上证国债指数"),
    ("H11001", "中证全债", "中证全债指数"),
)
_WORLD = (
    ("HSI", "恒生指数"),
    ("HSCEI", "恒生中国企业指数"),
    ("SPX", "标普500"),
    ("NDX", "纳斯达克100"),
)
_BONDS = ("综合指数", "新综合指数", "国债总指数", "国开行债券总指数")
_OTHER = (NONE_DISCLOSED,)


def index_lists(market: Market) -> tuple[pd.DataFrame, ...]:
    """Indices as akshare's functions list them: those of CSI, of the world, of ChinaBond."""
    breeds = [BREEDS[at].stems for at in market.universe.breed.tolist()]
    own = [
        (own_index(portfolio), f"{_OWN[stems]}{portfolio}", f"{_OWN[stems]}{portfolio}指数")
        for portfolio, stems in enumerate(breeds)
        if stems in _OWN
    ]
    columns = ["指数代码", "指数简称", "指数全称"]
    shares = pd.DataFrame([*INDEX_LIST, *own], columns=columns, dtype="str")
    return (
        shares.assign(指数币种="人民币"),
        pd.DataFrame(_WORLD, columns=["代码", "名称"], dtype="str"),
        pd.DataFrame({"value": _BONDS}, dtype="str"),
    )


def _tracked(market: Market, portfolio: int) -> str:
    """The index that a portfolio follows; empty when it follows none."""
    stems = BREEDS[int(market.universe.breed[portfolio])].stems
    if stems in _OWN:
        return f"{_OWN[stems]}{portfolio}指数"
    if stems == "bond_index":
        moves = market.factors.exposures[RATES, portfolio]
        return _SHORT if moves < _MIDDLE else _LONG
    return _UNLISTED if stems == "bond_etf" else ""


def overview(market: Market, fund: int) -> Overview:
    """What the page of a share class says: the same for all classes of a portfolio."""
    portfolio = int(market.universe.portfolio[fund])
    breed = BREEDS[int(market.universe.breed[portfolio])]
    if tracked := _tracked(market, portfolio):
        whole = breed.page == "exchange" or portfolio % 4
        text = f"{tracked}收益率" if whole else f"{tracked}收益率×95%+{_CASH}×5%"
    else:
        texts = TEXTS.get(breed.kind, _OTHER)
        text = texts[portfolio % len(texts)]
    code = market.universe.code[fund]
    return Overview(code, text, tracked, (payload("overview", 1, code, text, tracked),))
