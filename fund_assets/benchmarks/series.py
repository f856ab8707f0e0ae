"""Which series a name in a formula names: an index, an interest rate, a price.

Belongs here: the words by which providers and banks are told, and what stands behind a name
(variant, currency). Does not belong here: formulas (`formula.py`), codes (`index_names.py`).

A name is understood when every part of it is: it begins with a known provider or series of
indices, or is made of a bank's words alone. What is left over makes it not understood.
"""

import re
from dataclasses import dataclass, replace

INDEX, DEPOSIT, RATE, PRICE, FIXED = "index", "deposit", "rate", "price", "fixed"
#: Variants of an index, and of a deposit rate.
FULL_PRICE, NET_PRICE, WEALTH = "full_price", "net_price", "wealth"
PRICE_RETURN, TOTAL_RETURN, NET_RETURN = "price", "total_return", "net_return"
AFTER_TAX, BEFORE_TAX = "after_tax", "before_tax"


@dataclass(frozen=True)
class Series:
    """A series as a text names it.

    Attributes:
        kind: index, deposit, rate, price or fixed.
        name: in one spelling, without variant and currency: 中债综合指数, 活期存款利率.
        variant: full_price 全价, net_price 净价, wealth 财富 of bond indices; price,
            total_return 全收益, net_return 净收益 of others; after_tax or before_tax of
            deposits; empty where the text says nothing.
        currency: CNY, USD or HKD that it is converted into or counted in; empty: not said.
        code: of the index, where the text names it; else empty.
        rest: what was not understood; empty: nothing.
    """

    kind: str
    name: str
    variant: str = ""
    currency: str = ""
    code: str = ""
    rest: str = ""


#: Providers and series of indices, as names begin.
_PROVIDERS = (
    "中证|沪深|沪港深|上证|上海证券交易所|深证|深成|深综|深圳证券交易所|CSI|国证|巨潮|创业板|中小板|中小企业|中小创|科创|"
    "双创|北证|新三板|央视|中华交易服务|中华|中国战略新兴|粤港澳|香蜜湖|全指|港股通|A股|细分|"
    "中债|中国债券|中国国债|中国企业债|中国全债|上海清算所|上清所|银行间|交易所|中高等级|"
    "恒生|香港恒生|香港中资|H股|国企指数|红筹|"
    "标普|标准普尔|S&P|中信标普|MSCI|明晟|摩根士丹利资本国际|摩根士丹利|"
    "富时|英国富时|伦敦富时|FTSE|新华富时|"
    "新华雷曼|新华巴克莱|中信|天相|道琼斯|道·琼斯|Dow Jones|DJ|纳斯达克|纳指|NASDAQ|罗素|"
    "Russell|CHINA A ONSHORE|"
    "日经|东京|东证|日本|TOPIX|法兰克福|德国|DAX|法国|CAC|欧洲|斯托克|STOXX|Euro|英国|美国|印度|越南|韩国|KOSPI|"
    "台湾|新加坡|沙特|巴西|全球|亚洲|亚太|新兴市场|东南亚|金砖|海外|国际|"
    "iBoxx|Markit|彭博|Bloomberg|巴克莱|Barclays|雷曼|花旗|Citi|摩根大通|JP|J\\.P|美银|美林|BofA|ICE|"
    "申万|申银万国|万得|Wind|同花顺|中金|银河|华证|长江|南华|易盛|郑商所|大商所|大连商品|郑州商品|上期|上海期货|"
    "CRB|路透|罗杰斯|Rogers|高盛|GSCI|Alerian|ACWI|REIT|富国|华夏|嘉实|中国可持续|中国证券|金龙|中国互联网|中国A|中国新|"
    "大数据|消费80|责任|中国中期票据|中国信用|中国绿色|中国碳|国新|新华|民企|国企|央企|非周期|有色|医药|大中华|"
    "EPRA|Solactive|STI|VN|NYSE|AMEX|ISE|Nikkei|Hang Seng|HSI|DAXglobal|ECPI"
)  # fmt: skip
_PROVIDER = re.compile(rf"^(?:{_PROVIDERS})", re.IGNORECASE)
_NAME = re.compile(r"^[\u4e00-\u9fffA-Za-z0-9&+\-./·() '\ue000%~:]{2,80}$")
#: Words of rules, not of names.
_RULES = re.compile(
    r"孰|高者|低者|两者|下滑|曲线值|取值|配置比例|目标比例|权重|仓位|上限|下限|超过|加权|如果|扣除|倍|或|"
    r"未披露|标的指数|业绩|比较基准|该基金|本基金|投资于|策略的|比例为|之间|平均值|收益率|利率(?:指数)?$|价(?:指数)?$|\?|=|[0-9]%"
)
#: Names that have such words and are names all the same.
_NAMES_ALL_THE_SAME = re.compile(r"等权重?|加权指数|市值加权|加权")
_YIELD = re.compile(
    r"(?:的)?(?:同期|期间|当期|日|年化|累计|税后)?(?:的)?(?:收益率?|回报率?|涨跌幅|涨幅|增长率|变动率|收益水平)$"
)

_CURRENCIES = {
    "USD": r"美元|USD|US\$",
    "HKD": r"港元|港币|HKD",
    "CNY": r"人民币|CNY|RMB|CNH|汇率|折算",
}
#: What may follow the name proper.
_ENDING = re.compile(
    r"^(?:指数|全价|净价|财富|净?总收益|全收益|净收益|价格|的|同期|期间)*(?:收益率?|回报率?|涨跌幅|增长率|率)?[()]*$"
)
_COUNTED = r"(?:计价|计算|标价|计|折算|调整|换算|转换)"
_MONEY = r"(?:人民币|美元|港元|港币|欧元|日元|英镑)"
_CONVERTED_FIRST = re.compile(
    rf"^(?:\((?P<a>[^()]*(?:汇率|折算|{_MONEY}{_COUNTED})[^()]*)\)"
    rf"|(?P<b>(?:经|按|以|用|使用|采用|按照|经过)?[^()]{{0,14}}?(?:汇率[^()]{{0,6}}?{_COUNTED}|{_MONEY}(?:汇率)?{_COUNTED})"
    rf"(?:后|成{_MONEY})?的?))"
)
_CONVERTED_LAST = re.compile(
    rf"(?:,|-)?(?:经|按|以|用|使用|采用)?(?:估值|即期|中间价|结算)?(?:{_MONEY})?(?:汇率)?(?:的)?"
    rf"(?:{_MONEY}{_COUNTED}|汇率{_COUNTED})(?:后|成{_MONEY})?(?:的)?$"
)
_BRACKET = re.compile(r"\(([^()]*)\)")
_VARIANTS = (
    (NET_RETURN, (
        r"净总收益率?|总净收益率?|净收益率?|净回报|Net Total Return|Net Return|\bNTRX?\b|"
        r"Net TRX?|\bNR\b"
    )),
    (TOTAL_RETURN, (
        r"(?<![安健])全收益率?|总收益率?|总回报|Total Return|Gross Return|\bTRX?\b|Gross"
    )),
    (PRICE_RETURN, (
        r"(?<!期货)(?<!现货)(?<!商品)(?<!黄金)(?<!原油)价格(?:指数)?(?=$|收益率?$|指数|\))|"
        r"Price Return|\bPR\b"
    )),
)  # fmt: skip
_BOND = re.compile(r"债|票据|存单|中债|上清所|上海清算所|综合|货币市场")
_BOND_VARIANTS = {"全价": FULL_PRICE, "净价": NET_PRICE, "财富": WEALTH}
_BOND_FORM = re.compile(
    r"[(\-]?(?P<w>全价|净价|财富)(?:指数)?\)?(?=[\-(]|指数|$|收益)|(?P<v>财富|全价|净价)(?=总?指数)"
)
_TENOR = re.compile(r"^(?:[0-9]+(?:-[0-9]+)?(?:年|个月|月)(?:期|以[上下内])?|总值)$")
_CODE = re.compile(
    r"^(?:指数)?(?:代码)?:?([0-9A-Z]{5,12}|[0-9]{6}|[A-Z]{2,6})(?:\.[A-Z]{2,5})?$"
)
_PLAIN_NOTE = re.compile(r"^(?:税前|总值|按?日|日频|年化|以下简称.*|简称.*|下同|指数)$")


def read_series(text: str) -> Series:
    """The series that a text of one spelling names; `rest` is empty when all is understood."""
    return _deposit(text) or _rate(text) or _price(text) or _index(text)


# ---------------------------------------------------------------- interest

_NUMERALS = dict(zip("一二两三五六七九", "12235679", strict=True))
_HOLD = (
    (r"活期|储蓄存款活期", "活期"),
    (r"协定", "协定"),
    (r"同业", "同业"),
    (r"(1|7)(?:天|日)期?(?:的)?(?:个人|人民币|银行)*通知", r"\1天通知"),
    (r"通知", "通知"),
    (r"半年(?:期)?", "6个月"),
    (r"([0-9]{1,2})个?月(?:期)?(?:以内)?", r"\1个月"),
    (r"([0-9])(?:个)?年(?:期)?", r"\1年"),
)
_BANK_WORDS = re.compile(
    r"中国人民银行|中国央行|人民银行|央行|所?公布|颁布|发布|执行|规定|同期|当期|同期限|期间|最新|国内|境内|商业银行|"
    r"金融机构|中国(?:工商|建设|农业|银行)?|工商银行|银行|人民币|居民|个人|单位|对公|储蓄|整存整取|定期|存款|挂牌|基准|"
    r"每个|封闭|运作|保本|周期|起始|开始|成立|开放|对应|适用|施行|与|该|时|应|"
    r"利率|利息率|利息|收益率?|年利率|年化|年|的|之|平均|所|并|在|期|类|,|日"
)
_TAX = re.compile(r"\(?(?:扣除利息税后|扣除利息税|利息税后|税后)\)?")


def _deposit(text: str) -> Series | None:
    if not re.search(r"存款|储蓄|活期利率|^活期$", text) or "指数" in text or "存单" in text:
        return None
    bare, told = re.subn(_TAX, "", text)
    variant = AFTER_TAX if told else BEFORE_TAX if "税前" in bare else ""
    bare = re.sub(r"\(?税前\)?", "", bare)
    bare = re.sub(r"\([^()]*(?:折算|年化|中国人民银行|公布|简称|人民币)[^()]*\)", "", bare)
    bare = "".join(_NUMERALS.get(sign, sign) for sign in bare.replace("十二", "12"))
    for pattern, name in _HOLD:
        if found := re.search(pattern, bare):
            rest = _BANK_WORDS.sub("", bare[: found.start()] + bare[found.end() :])
            rest = rest.strip("()")
            return Series(DEPOSIT, f"{found.expand(name)}存款利率", variant, rest=rest)
    return Series(DEPOSIT, "存款利率", variant, rest=text)  # for how long is not said


_RATES = (
    r"(?:上海银行间同业拆放利率|SHIBOR)",
    r"(?:贷款市场报价利率|LPR|贷款基准利率|贷款利率)",
    r"(?:国债|国库券|政策性金融债|国开债|美国国债)(?:到期)?(?:收益率|利率)",
    r"(?:质押式|银行间|存款类)*(?:债券)?回购(?:加权)?(?:平均)?利率",
    r"(?:央行|中央银行)?票据?(?:到期)?(?:发行)?利率",
    r"(?:伦敦银行同业拆借利率|LIBOR|SOFR|HIBOR)",
    r"(?:居民消费价格(?:总)?指数|CPI)(?:\(CPI\))?(?:同比)?(?:增长率|涨幅|上涨率)?",
)
_RATE_TEXT = re.compile(
    r"^(?:同期|当期|中债|中国|美国|银行间|交易所|人民币|美元|隔夜|[0-9一二三五六七十]+(?:天|日|周|个?月|年)期?|期|的|固定利率)*"
    rf"(?:{'|'.join(_RATES)})(?:\([A-Za-z ]+\))?(?:的?(?:收益率|平均值))?$",
    re.IGNORECASE,
)


def _rate(text: str) -> Series | None:
    bare = re.sub(r"\((?:税后|年化)\)", "", text)
    if ("指数" in bare and "居民消费" not in bare) or not _RATE_TEXT.match(bare):
        return None
    return Series(RATE, bare.removeprefix("同期").removeprefix("当期"))


# ---------------------------------------------------------------- prices

_METAL = re.compile(
    r"^(?:经[^()]*?的)?(?:国内|人民币计价的|同期)?(?:上海黄金交易所|上金所|上海期货交易所|上期所|纽约商品交易所|伦敦金银市场协会)?"
    r"(?:的|挂盘交易的|挂牌交易的)?(?P<what>Au\s?\(?T\+D\)?|Au\s?99\.?99|黄金9999|黄金现货|黄金|上海金|伦敦金|伦敦黄金|国际金价|金价|"
    r"London Gold|白银|布伦特原油|Brent原油|Brent|WTI原油|WTI|原油)"
    r"(?:9999|Au\s?99\.?99|集中定价|基准价|下午|午盘|早盘|上午|现货|期货|实盘|合约|主力|人民币|盎司|定盘|结算|收盘|基准|每日|日|价格|价|的|折(?:算)?(?:成|为)人民币(?:后|计价)?|"
    r"\([^()]*\))*"
    r"(?:收益率?|涨跌幅|回报率|变动率)?(?:\([^()]*\))*$",
    re.IGNORECASE,
)


def _price(text: str) -> Series | None:
    if "指数" in text or not (told := _METAL.match(text)):
        return None
    what = told["what"]
    gold = re.match(r"Au|黄金|国际金价|金价", what, re.IGNORECASE)
    if re.search("伦敦|London", text):
        name = "伦敦金"
    elif gold and re.search(r"T\+D", text, re.IGNORECASE):
        name = "上海黄金交易所Au(T+D)"
    elif gold and re.search(r"99\.?99|上海黄金|国内|现货|黄金9999", text, re.IGNORECASE):
        name = "上海黄金交易所Au99.99"
    else:
        name = {"WTI": "WTI原油", "BRENT": "布伦特原油", "BRENT原油": "布伦特原油"}.get(
            what.upper(), what
        )
    return Series(PRICE, name, currency=_currency(text) if "伦敦" in name else "")


# ---------------------------------------------------------------- indices


def _index(text: str) -> Series:
    found = Series(INDEX, text)
    name, currency = _converted(text)
    name = re.sub(r"^(?:同期|当期|同业)", "", name)
    found = replace(found, currency=currency)
    bond = bool(_BOND.search(name))
    name, found = _brackets(name, found, bond=bond)
    name, found = _tail_of(name, found, bond=bond)
    name = _canonical(name)
    if not found.rest and not _is_name(name):
        return replace(found, name=name, rest=text)
    return replace(found, name=name)


def _is_name(name: str) -> bool:
    ruled = _RULES.search(_NAMES_ALL_THE_SAME.sub("", name))
    return bool(_NAME.match(name) and _PROVIDER.match(name) and not ruled) and (
        name.count("(") == name.count(")")
    )


def _converted(text: str) -> tuple[str, str]:
    """The name without the words of a conversion, and into which currency that is."""
    if told := _CONVERTED_FIRST.match(text):
        rest = text[told.end() :]
        if rest and not rest.startswith(("指数", ")")):
            return rest, _currency(told["a"] or told["b"])
    if told := _CONVERTED_LAST.search(text):
        return text[: told.start()], _currency(told[0])
    return text, ""


def _currency(words: str) -> str:
    """CNY, USD or HKD of words about a currency: what is converted into, else what is named."""
    if into := re.search(rf"(?:成|为|至)({_MONEY})", words):
        words = into[1]
    elif re.search(r"汇率", words):
        return "CNY"
    for code, pattern in _CURRENCIES.items():
        if re.search(pattern, words, re.IGNORECASE):
            return code
    return ""


def _brackets(name: str, found: Series, *, bond: bool) -> tuple[str, Series]:
    """The name without the brackets that say something of it."""
    for told in reversed(list(_BRACKET.finditer(name))):
        words = told[1]
        behind = name[told.end() :]
        ends = not _ENDING.sub("", behind)
        taken = _taken(words, found, bond=bond, ends=ends)
        if taken is None:
            inside = behind.startswith("指数") and re.search(r"[\u4e00-\u9fff]", words)
            if ends and not inside and not _TENOR.match(words) and told.start():
                if not re.search(r"[\u4e00-\u9fff]", words):  # another name, in English
                    name = name[: told.start()] + behind
                else:
                    found = replace(found, rest=words)
            continue
        found = taken
        name = name[: told.start()] + behind
    return name, found


def _taken(words: str, found: Series, *, bond: bool, ends: bool) -> Series | None:
    """What a bracket says of a series; None: it belongs to the name, or is not understood."""
    if bond and words in _BOND_VARIANTS:
        return replace(found, variant=_BOND_VARIANTS[words])
    if bond and (
        told := re.match(r"^(?:总值)?[,\-]?(全价|净价|财富)[,\-]?(?:总值|指数)*$", words)
    ):
        return replace(found, variant=_BOND_VARIANTS[told[1]])
    if _PLAIN_NOTE.match(words):
        return found
    if ends and words == "收益":
        return replace(found, variant=TOTAL_RETURN)
    variant = _variant(words)
    if re.search(
        rf"汇率|折算|{_MONEY}(?:{_COUNTED}|$|指数)|^(?:CNY|RMB|CNH|HKD|USD)", words
    ) or (variant and re.search(r"USD|CNY|HKD", words)):
        return replace(
            found, currency=found.currency or _currency(words), variant=found.variant or variant
        )
    if variant:
        return replace(found, variant=found.variant or variant)
    if ends and (told := _CODE.match(words)) and re.search(r"[0-9]{3}", told[1]):
        return replace(found, code=told[1])
    return None


def _variant(words: str) -> str:
    return next(
        (name for name, pattern in _VARIANTS if re.search(pattern, words, re.IGNORECASE)), ""
    )


def _tail_of(name: str, found: Series, *, bond: bool) -> tuple[str, Series]:
    """Variant and currency that stand in a name without brackets."""
    if not any(re.search(pattern, name) for _, pattern in _VARIANTS[:2]):
        name = _YIELD.sub("", name)
    if bond and not found.variant:
        forms = list(_BOND_FORM.finditer(name))
        if forms:
            last = forms[-1]
            word = last["w"] or last["v"]
            found = replace(found, variant=_BOND_VARIANTS[word])
            name = name[: last.start()] + name[last.end() :]
    if re.match("中债|中国债券|上海清算所|上清所", name):
        name = re.sub(r"[\-(]?总值\)?", "", name)
    for variant, pattern in _VARIANTS:
        if told := re.search(pattern, name, re.IGNORECASE):
            if told.start() == 0:
                continue
            found = replace(found, variant=found.variant or variant)
            name = _YIELD.sub("", name[: told.start()].rstrip() + name[told.end() :])
            if "指数" not in name and "Index" not in name:
                name += "指数"
            break
    if told := re.search(r"(?<=.)(?P<money>人民币|港元|港币|美元)(?=(?:指数)?$)", name):
        found = replace(found, currency=found.currency or _currency(told["money"]))
        name = name[: told.start()] + name[told.end() :]
    return name, found


def _canonical(name: str) -> str:
    """One spelling of an index's name, which ends in 指数 when it has a Chinese word."""
    name = re.sub(r"\(\)|\s+$", "", name).strip("-, ")
    name = re.sub(r"^中国债券", "中债", name)
    name = re.sub(r"^中债-", "中债", name)
    name = re.sub(r"^上海证券交易所", "上证", name)
    name = re.sub(r"^深圳证券交易所", "深证", name)
    name = re.sub(r"^标准普尔", "标普", name)
    name = re.sub(r"^香港恒生", "恒生", name)
    name = re.sub(r"^(?:明晟|摩根士丹利资本国际)(?=[^A-Z])", "MSCI", name)
    name = re.sub(r"指数(?:\(?指数\)?)+$", "指数", name)
    name = re.sub(r"^(中债[^()]*?)指数-?(\([^()]*\)|[0-9]+-[0-9]+年)$", r"\1指数\2", name)
    if not re.search(r"指数|指$|Index$", name, re.IGNORECASE) and re.search(
        r"[\u4e00-\u9fff]|[0-9]$",
        name,  # English names stay as they are
    ):
        name += "指数"
    return name
