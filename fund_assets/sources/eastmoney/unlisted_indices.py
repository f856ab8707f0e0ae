"""Indices that funds track and that no list of akshare has: their codes and official names.

Belongs here: only an entry that a public record confirms; the comment over each part says
which. Does not belong here: indices that a list of akshare has, and asking for closes. No
provider of `index_providers.py` has the closes of these: a fund that tracks one of them is
measured against the index of its type, and its row says why.

The fund that tracks an index ties its code to its name: the record gives the fund's code with
the index's, and the page of the same fund gives the index's name.
"""

import pandas as pd

#: Code → names.
_NAMED = {
    # Hang Seng: answer of the index list of lixinger.com, and tqx_data's table of indices.
    "HSSI": ("恒生综合小型股指数",), "HSMI": ("恒生综合中型股指数",),
    "HSLI": ("恒生综合大型股指数",), "HSMSI": ("恒生综合中小型股指数",),
    "HSLMI": ("恒生综合大中型股指数",), "HSCI": ("恒生综合指数",),
    "HSML25": ("恒生中国(香港上市)25指数",), "HSHK35": ("恒生香港35指数",),
    "HSHYLV": ("恒生港股通高股息低波动指数",), "HSSCNE": ("恒生港股通新经济指数",),
    "HSCAIT": ("恒生A股行业龙头指数",),
    # S&P and Dow Jones: danjuanapp.com's index_eva with funds 501021, 501310, 501029, 161128,
    # 162415 and 000369, the creation list of 159518 (SPSIOP), spindices.com (DJSOEP), yahoo
    # (DWRTF) and spglobal.com (SPAHLVCP).
    "SPHCMSHP": ("标普香港上市中国中小盘精选指数",),
    "SPACEVCP": ("标普沪港深中国增强价值指数",),
    "SPAHLVCP": ("标普港股通低波红利指数",),
    "CSPSADRP": ("标普中国A股红利机会指数", "中信标普中国A股红利机会指数"),
    "SPG120035": ("标普全球1200医疗保健指数",),
    "S5INFT": ("标普500信息科技指数",),
    "IXY": ("标普美国品质消费股票指数",),
    "SPSIOP": (
        "标普石油天然气勘探及生产精选行业指数",
        "S&P Oil & Gas Exploration & Production Select Industry",
    ),
    "DJSOEP": ("道琼斯美国石油开发与生产指数",),
    "DWRTF": ("道琼斯美国精选REIT指数",),
    # MSCI: danjuanapp.com with fund 512160.
    "716567": ("MSCI中国A股国际通指数",),
    # Others: tushare's index_global (XIN9), tqx_data (NBI), codes of the exchanges for their
    # ETFs (TPX, DCESMFI, IMCI, ICEA).
    "XIN9": ("富时中国A50指数",),
    "NBI": ("纳斯达克生物科技指数", "纳斯达克生物技术指数"),
    "TPX": ("东证指数",),
    "DCESMFI": ("大商所豆粕期货价格指数",),
    "IMCI": ("上期有色金属指数",),
    "ICEA": ("易盛郑商所能源化工指数A",),
}  # fmt: skip
#: Indices of ChinaBond, which has them by name: names of funds on the list of May 2026 that
#: track them, Wind's tables of weights, and a quarterly report of fund 008073.
_BONDS = (
    *(f"{years}年国开行债券指数" for years in ("0-2", "1-3", "1-5", "3-5", "5-10", "7-10")),
    *(f"{years}年农发行债券指数" for years in ("1-3", "1-5", "3-5")),
    *(f"{years}年政策性金融债指数" for years in ("1-3", "1-5", "3-5")),
    "1-5年进出口行债券指数", "1-3年久期央企20债券指数", "1-3年高等级央企主题债券指数",
    "0-3年AA+优选信用债指数", "0-5年中高等级江苏省城投类债券指数",
)  # fmt: skip


def unlisted() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The indices in the forms of akshare's lists: 代码 and 名称, and names of ChinaBond."""
    rows = [(code, name) for code, names in _NAMED.items() for name in names]
    return (
        pd.DataFrame(rows, columns=["代码", "名称"], dtype="str"),
        pd.DataFrame({"value": _BONDS}, dtype="str"),
    )
