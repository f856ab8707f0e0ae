"""The breeds of funds with their share of the market, and the words of their names.

Belongs here: tables. Does not belong here: which fund gets what (`universe.py`). Shares
are those of the list of 26,580 share classes of May 2026. Managers' names are invented.
"""

from dataclasses import dataclass

from fund_assets.schemas.fund_types import kind_of


@dataclass(frozen=True)
class Breed:
    """Funds that behave alike.

    Attributes:
        fund_type: 基金类型 as the market writes it.
        share: share classes in the real list.
        stems: vocabulary of its names, a key of `STEMS`.
        suffixes: what stands after the stem.
        classes: sets of share classes that a portfolio may have.
        page: snapshot page it stands on: open, money, exchange, or none.
        market, overseas, rates, goods, credit, sector, idio: daily volatility in percent
            that each factor brings.
        growth: expected return in percent a year, earned on sessions.
        carry: interest in percent a year, earned every day.
        dividends: expected dividends a year.
    """

    fund_type: str
    share: int
    stems: str
    suffixes: tuple[str, ...]
    classes: tuple[tuple[str, ...], ...]
    page: str = "open"
    market: float = 0.0
    overseas: float = 0.0
    rates: float = 0.0
    goods: float = 0.0
    credit: float = 0.0
    sector: float = 0.0
    idio: float = 0.0
    growth: float = 0.0
    carry: float = 0.0
    dividends: float = 0.1

    @property
    def kind(self) -> str:
        """Its kind as in `schemas.fund_types`."""
        return kind_of(self.fund_type)

    @property
    def is_bond_etf(self) -> bool:
        """Funds that turn 100 shares into one."""
        return self.fund_type == "指数型-固收" and self.page == "exchange"


_ONE = (("",),)
_AC = (("A", "C"), ("A", "C"), ("A", "C"), ("",), ("A", "C", "E"))
_FOF = (("A", "C"), ("A", "C"), ("",), ("A", "C", "Y"))
_CASH = (("A", "B"), ("A", "B", "E"), ("",), ("A", "C"))
_ABROAD = (("A", "C"), ("A", "C", "美元现汇A"), ("",), ("A", "A(美元现汇)", "C"))


def _b(
    fund_type: str, share: int, stems: str, suffixes: str,
    classes: tuple[tuple[str, ...], ...], page: str = "open", **moves: float,
) -> Breed:  # fmt: skip
    return Breed(fund_type, share, stems, tuple(suffixes.split()), classes, page, **moves)


# fmt: off
BREEDS = (
    _b("混合型-偏股", 5481, "theme", "混合 混合 混合 混合(LOF) 混合发起式", _AC,
       market=.95, sector=.5, idio=.45, growth=6, dividends=.08),
    _b("混合型-灵活", 2396, "theme", "灵活配置混合", _AC,
       market=.65, sector=.45, idio=.4, growth=5, dividends=.15),
    _b("混合型-偏债", 1383, "theme", "一年持有混合 安享混合", _AC,
       market=.18, rates=.04, credit=.05, idio=.08, growth=1.5, carry=2, dividends=.1),
    _b("混合型-平衡", 73, "theme", "平衡混合", _AC,
       market=.45, sector=.3, idio=.25, growth=4, dividends=.3),
    _b("混合型-绝对收益", 38, "theme", "对冲策略混合", _AC, market=.04, idio=.15, carry=3),
    _b("债券型-长债", 3541, "theme", "纯债债券 纯债债券 定期开放债券 纯债", _AC,
       rates=.05, idio=.01, carry=3.3, dividends=.7),
    _b("债券型-混合二级", 1715, "theme", "双利债券 增强债券", _AC,
       market=.12, rates=.04, credit=.08, idio=.04, growth=1, carry=2.5, dividends=.3),
    _b("债券型-中短债", 995, "theme", "中短债债券 短债90天持有债券", _AC,
       rates=.018, idio=.006, carry=2.6, dividends=.3),
    _b("债券型-混合一级", 947, "theme", "信用债券", _AC,
       rates=.05, credit=.05, idio=.02, carry=3.2, dividends=.5),
    _b("指数型-股票", 3826, "index", "指数 ETF联接 指数增强 ETF发起式联接 指数(LOF)", _AC,
       market=.95, sector=.8, idio=.06, growth=5, dividends=.03),
    _b("指数型-股票", 1357, "etf", "ETF", _ONE, page="exchange",
       market=.95, sector=.85, idio=.04, growth=5, dividends=.12),
    _b("指数型-固收", 615, "bond_index", "指数 指数发起", _AC,
       rates=.05, idio=.004, carry=2.9, dividends=.6),
    _b("指数型-固收", 53, "bond_etf", "ETF", _ONE, page="exchange",
       rates=.06, idio=.004, carry=2.9, dividends=.1),
    _b("指数型-其他", 45, "gold", "ETF联接", _AC, goods=.9, idio=.03, growth=5),
    _b("指数型-其他", 17, "gold", "ETF", _ONE, page="exchange", goods=.95, growth=5),
    _b("股票型", 1102, "theme", "股票 股票发起式", _AC,
       market=1.05, sector=.55, idio=.45, growth=6, dividends=.06),
    _b("货币型-普通货币", 939, "cash", "货币 现金宝货币", _CASH, page="money", dividends=0),
    _b("货币型-普通货币", 30, "cash", "交易型货币", (("A", "B"), ("",)), page="money",
       dividends=0),
    _b("货币型-浮动净值", 8, "cash", "浮动净值型货币", (("A", "C"),),
       rates=.003, carry=2.1, dividends=0),
    _b("FOF-稳健型", 635, "theme", "稳健三个月持有混合(FOF) 养老一年持有混合(FOF)", _FOF,
       market=.2, rates=.03, overseas=.05, idio=.06, growth=2, carry=1.5, dividends=.02),
    _b("FOF-均衡型", 329, "theme", "均衡六个月持有混合(FOF)", _FOF,
       market=.45, overseas=.1, idio=.12, growth=4, dividends=.02),
    _b("FOF-进取型", 234, "theme", "积极一年持有混合(ETF-FOF) 养老目标2045三年持有混合(FOF)",
       _FOF, market=.75, overseas=.12, idio=.18, growth=5, dividends=.02),
    _b("QDII-FOF", 9, "abroad", "优选(QDII-FOF)", _ABROAD,
       overseas=.6, idio=.1, growth=5, dividends=0),
    _b("指数型-海外股票", 276, "abroad_index", "指数QDII(LOF) 指数(QDII-LOF) ETF联接(QDII)",
       _ABROAD, overseas=1.1, sector=.3, idio=.05, growth=6, dividends=.02),
    _b("指数型-海外股票", 87, "abroad_index", "ETF(QDII)", _ONE, page="exchange",
       overseas=1.15, sector=.3, growth=6, dividends=.05),
    _b("QDII-混合偏股", 115, "abroad", "混合(QDII)", _ABROAD,
       overseas=.9, market=.3, idio=.4, growth=6, dividends=.03),
    _b("QDII-普通股票", 88, "abroad", "股票(QDII)", _ABROAD,
       overseas=1.1, market=.2, idio=.4, growth=6, dividends=.02),
    _b("QDII-纯债", 60, "abroad", "债券(QDII)", _ABROAD,
       rates=.06, overseas=.05, carry=4, dividends=.4),
    _b("QDII-混合灵活", 29, "abroad", "灵活配置混合(QDII)", _ABROAD,
       overseas=.7, idio=.3, growth=5),
    _b("QDII-混合债", 23, "abroad", "强债(QDII)", _ABROAD, rates=.05, overseas=.1, carry=4),
    _b("QDII-商品", 22, "abroad", "商品(QDII-FOF-LOF)", _ABROAD, goods=1.3, growth=3),
    _b("QDII-混合平衡", 8, "abroad", "平衡混合(QDII)", _ABROAD, overseas=.5, growth=4),
    _b("QDII-REITs", 4, "abroad", "房地产(QDII)", _ABROAD, overseas=.8, growth=4),
    _b("Reits", 82, "reit", "REIT", _ONE, page="", idio=.4, carry=1, dividends=0),
    _b("商品", 2, "goods", "期货(LOF)", _AC, goods=1.5, growth=4, dividends=0),
)
# fmt: on


def _words(text: str) -> tuple[tuple[str, str], ...]:
    parts = text.split()
    return tuple(zip(parts[::2], parts[1::2], strict=True))


#: Invented managers and the initials of their pinyin. Some begin with characters that
#: careless clean-up of names eats.
MANAGERS = _words(
    "华晟 HS 金隼 JS 基石 JS 北辰 BC 东麓 DL 南岭 NL 海岳 HY 云帆 YF 天枢 TS 长汀 CT 安澜 AL "
    "博源 BY 嘉禾 JH 广瀚 GH 中砥 ZD 信衡 XH 国樾 GY 融川 RC 明湖 MH 瑞岑 RC 西岭 XL 青禾 QH "
    "泓正 HZ 申泽 SZ 万钧 WJ 兴沃 XW 银杉 YS 景行 JX 诺川 NC 汇岱 HD 富澜 FL 新沅 XY 创屹 CY "
    "平原 PY 圆石 YS 鹏岳 PY 摩岭 ML 方渚 FZ 浦岸 PA 三江源 SJY 淳和 CH 睿嵩 RS 同衡 TH 金档 JD"
)
_TONE = _words(
    "优选 YX 成长 CZ 价值 JZ 稳进 WJ 积极 JJ 臻选 ZX 远见 YJ 领航 LH 智选 ZX 核心 HX 品质 PZ "
    "均衡 JH 创新 CX 动力 DL 精选 JX 鑫享 XX 丰利 FL 安泰 AT 恒益 HY 瑞祥 RX 盛景 SJ 卓越 ZY "
    "启明 QM 睿进 RJ"
)
_TOPIC = _words(
    "先锋 XF 优势 YS 主题 ZT 机遇 JY 回报 HB 驱动 QD 趋势 QS 红利 HL 消费 XF 医药 YY 科技 KJ "
    "制造 ZZ 蓝筹 LC 周期 ZQ 数字 SZ 绿色 LS 能源 NY 产业 CY 增利 ZL 添益 TY"
)
_INDEXER = _words("中证 ZZ 国证 GZ 上证 SZ 深证 SZ")
_INDEX = _words(
    "300 300 500 500 1000 1000 A500 A500 红利 HL 消费 XF 医药 YY 白酒 BJ 银行 YH 证券 ZQ "
    "军工 JG 半导体 BDT 新能源 XNY 光伏 GF 通信 TX 计算机 JSJ 传媒 CM 煤炭 MT 钢铁 GT 有色 YS "
    "化工 HG 电力 DL 农业 NY 家电 JD 环保 HB 基建 JJ 地产 DC 保险 BX 旅游 LY 食品 SP "
    "创新药 CXY 机器人 JQR 稀土 XT 电池 DC 央企 YQ 国企 GQ 低波 DB 质量 ZL 成长 CZ 价值 JZ"
)
_DEBT = _words(
    "国债 GZ 国开债 GKZ 政金债 ZJZ 农发债 NFZ 地方债 DFZ 公司债 GSZ 信用债 XYZ 同业存单 TYCD"
)
_TERM = _words("1-3年 13N 3-5年 35N 7-10年 710N AAA AAA")
_REGION = _words("全球 QQ 亚洲 YZ 大中华 DZH 新兴市场 XXSC 美国 MG 欧洲 OZ 日本 RB 港股 GG")
_ABROAD_INDEX = _words(
    "恒生 HS 恒生科技 HSKJ 恒生医疗 HSYL 纳斯达克100 NSDK100 标普500 BP500 "
    "日经225 RJ225 德国 DG 印度 YD"
)
_SITE = _words(
    "产业园 CYY 仓储物流 CCWL 高速 GS 清洁能源 QJNY 保障房 BZF 消费 XF 水务 SW 数据中心 SJZX"
)
_NOTHING = (("", ""),)
#: Words of a name after the manager: every pair of one from each side.
STEMS = {
    "theme": (_TONE, _TOPIC),
    "index": (_INDEXER, _INDEX),
    "etf": (_INDEXER, _INDEX),
    "bond_index": (_TERM, _DEBT),
    "bond_etf": (_TERM, _DEBT),
    "gold": (_words("黄金 HJ 上海金 SHJ 豆粕 DP 有色期货 YSQH"), _NOTHING),
    "cash": (_words("日利 RL 天添 TT 增益 ZY 活期 HQ 聚宝 JB 财富 CF"), _NOTHING),
    "abroad": (_REGION, _TONE),
    "abroad_index": (_ABROAD_INDEX, _NOTHING),
    "reit": (_SITE, _NOTHING),
    "goods": (_words("白银 BY 原油 YY"), _NOTHING),
}
#: Initials of the characters that stand in suffixes and classes.
INITIALS = {
    sign: initial
    for word, initials in _words(
        "混合 HH 发起式 FQS 灵活 LH 配置 PZ 一年 YN 持有 CY 安享 AX 平衡 PH 对冲策略 DCCL "
        "纯债 CZ 券 Q 定期 DQ 开放 KF 双利 SL 增强 ZQ 中短 ZD 天 T 信用 XY 指数 ZS 联接 LJ "
        "股票 GP 货币 HB 现金宝 XJB 交易型 JYX 浮动净值 FDJZ 稳健 WJ 三 S 个月 GY 养老 YL 均 J "
        "六 L 积极 JJ 目标 MB 优选 YX 商品 SP 房地产 FDC 美元 MY 汇 H 后端 HD 二 E 四 S 五 W "
        "号 H"
    )
    for sign, initial in zip(word, initials, strict=True)
}
