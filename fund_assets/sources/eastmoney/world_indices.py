"""Indices of other markets: their codes and names, and how akshare calls each.

Belongs here: the table, and its names as a list. Does not belong here: asking for closes
(`indices.py`).

akshare's maps of these indices ask nobody; a test holds this table against them. Its 纳斯达克
is missing here on purpose: eastmoney has the composite index under the code NDX, which is that
of the Nasdaq-100 everywhere else.
"""

import pandas as pd

#: Code → the name that `index_global_hist_em` knows it by.
EASTMONEY = {
    "HSI": "恒生指数", "HSCEI": "国企指数", "HSCCI": "红筹指数", "TWII": "台湾加权",
    "SPX": "标普500", "DJIA": "道琼斯", "TSX": "加拿大S&P/TSX", "MXX": "墨西哥BOLSA",
    "BVSP": "巴西BOVESPA", "N225": "日经225", "KS11": "韩国KOSPI", "KOSPI200": "韩国KOSPI200",
    "SENSEX": "印度孟买SENSEX", "STI": "富时新加坡海峡时报", "KLSE": "富时马来西亚KLCI",
    "SET": "泰国SET", "JKSE": "印尼雅加达综合", "PSI": "菲律宾马尼拉", "VNINDEX": "越南胡志明",
    "KSE100": "巴基斯坦卡拉奇", "CSEALL": "斯里兰卡科伦坡", "AS51": "澳大利亚标普200",
    "AORD": "澳大利亚普通股", "NZ50": "新西兰50", "SX5E": "欧洲斯托克50", "FTSE": "英国富时100",
    "MCX": "英国富时250", "AXX": "富时AIM全股", "GDAXI": "德国DAX30", "FCHI": "法国CAC40",
    "SSMI": "瑞士SMI", "MIB": "富时意大利MIB", "IBEX": "西班牙IBEX35", "AEX": "荷兰AEX",
    "BFX": "比利时BFX", "ATX": "奥地利ATX", "ISEQ": "爱尔兰综合", "PSI20": "葡萄牙PSI20",
    "OMXSPI": "瑞典OMXSPI", "OMXC20": "OMX哥本哈根20", "OSEBX": "挪威OSEBX",
    "HEX": "芬兰赫尔辛基", "ICEXI": "冰岛ICEX", "RTS": "俄罗斯RTS", "WIG": "波兰WIG",
    "PX": "布拉格指数", "ASE": "希腊雅典ASE", "CRB": "路透CRB商品指数",
    "BDI": "波罗的海BDI指数", "UDI": "美元指数",
}  # fmt: skip
#: Code → the name that `index_us_stock_sina` knows it by.
SINA_US = {"NDX": ".NDX", "IXIC": ".IXIC"}
#: Codes that `stock_hk_index_daily_sina` has and eastmoney has not without more requests.
SINA_HONG_KONG = ("HSTECH", "CES100", "CES120", "CES280", "CES300", "CESA80")
#: More names of some, as providers write them.
_NAMES = (
    ("HSCEI", "恒生中国企业指数"), ("HSCCI", "恒生香港中资企业指数"),
    ("HSTECH", "恒生科技指数"),
    ("SPX", "标准普尔500指数"), ("NDX", "纳斯达克100指数"), ("IXIC", "纳斯达克综合指数"),
    ("DJIA", "道琼斯工业平均指数"), ("N225", "日经225指数"), ("FTSE", "富时100指数"),
    ("GDAXI", "德国DAX指数"), ("GDAXI", "DAX指数"), ("FCHI", "CAC40指数"),
    ("SX5E", "斯托克欧洲50指数"), ("KS11", "韩国综合指数"), ("AS51", "标普澳洲200指数"),
    ("CES120", "中华交易服务中国120指数"), ("CES280", "中华交易服务中国280指数"),
    ("CESA80", "中华交易服务中国A80指数"),
)  # fmt: skip


def world_list() -> pd.DataFrame:
    """Codes and names in the form of akshare's lists: 代码 and 名称, one row for each name."""
    return pd.DataFrame([*EASTMONEY.items(), *_NAMES], columns=["代码", "名称"], dtype="str")
