"""What the funds of the simulated market say they are measured against.

Belongs here: the wording, by breed and portfolio. Does not belong here: how funds move
(`market.py`).
"""

import pandas as pd

from fund_assets.sources.protocol import Overview
from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.frames import payload
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
#: Breeds that follow an index, by the words of their names → the indices in turn.
TRACKED = {
    "index": ("沪深300指数", "中证500指数", "中证军工指数", "国证半导体芯片指数"),
    "etf": ("沪深300指数", "上证50指数", "创业板指数(价格)", "中证银行指数"),
    "bond_index": (
        "中债-1-3年国开行债券全价(总值)指数",
        "中债-3-5年政策性金融债全价(总值)指数",
    ),
    "bond_etf": ("上证10年期国债指数",),
    "abroad_index": ("标普500指数", "纳斯达克100指数"),
}  # fmt: skip
#: Code, short name and full name of most of them, as official lists have them.
INDEX_LIST = (
    ("000300", "沪深300", "沪深300指数"),
    ("000905", "中证500", "中证小盘500指数"),
    ("000016", "上证50", "上证50指数"),
    ("399967", "中证军工", "中证军工指数"),
    ("399986", "中证银行", "中证银行指数"),
    ("399006", "创业板指", "创业板指数"),
    ("399606", "创业板R", "创业板指数(收益)"),
    ("980017", "国证芯片", "国证半导体芯片指数"),
)
_OTHER = (NONE_DISCLOSED,)


def index_list() -> pd.DataFrame:
    """Indices as akshare's `index_csindex_all` lists them."""
    frame = pd.DataFrame(INDEX_LIST, columns=["指数代码", "指数简称", "指数全称"], dtype="str")
    return frame.assign(指数币种="人民币")


def overview(market: Market, fund: int) -> Overview:
    """What the page of a share class says: the same for all classes of a portfolio."""
    universe = market.universe
    portfolio = int(universe.portfolio[fund])
    breed = BREEDS[int(universe.breed[portfolio])]
    if names := TRACKED.get(breed.stems):
        tracked = names[portfolio % len(names)]
        whole = breed.page == "exchange"
        text = f"{tracked}收益率" if whole else f"{tracked}收益率×95%+{_CASH}×5%"
    else:
        texts = TEXTS.get(breed.kind, _OTHER)
        tracked, text = "", texts[portfolio % len(texts)]
    code = universe.code[fund]
    return Overview(code, text, tracked, (payload("overview", 1, code, text, tracked),))
