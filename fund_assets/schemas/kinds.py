"""The kinds of funds: how the market's own type names map to them, and what differs by kind.

Belongs here: per-kind limits that rules use, and how late a kind publishes. Does not belong
here: the rules themselves (`checks/rules.py`).
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class FundKind:
    """One kind of fund.

    Attributes:
        name: the word used in tables and metadata.
        label: the word a Chinese reader sees.
        nav_range: plausible unit NAV, both ends included. Old closed-end funds and some ETFs
            stand near 100; foreign-currency classes of QDII near 0.03 (001481 in 2020).
        jump_warn, jump_hold: |return| of one day that warns, and that is held unless the
            published growth confirms it; fractions.
        lag: sessions after which it is still on time.
        benchmark: code of the index that its funds are measured against; empty for none.
        benchmark_lag: sessions of the index by which the funds' values come later than its
            closes. 0 for all: a QDII's NAV of a date is made from the foreign closes of that
            same local date, though it is published days later.
    """

    name: str
    label: str
    nav_range: tuple[float, float] = (0.1, 500.0)
    jump_warn: float = 0.11
    jump_hold: float = 0.20
    lag: int = 1
    benchmark: str = ""
    benchmark_lag: int = 0


#: Benchmark indices: code → the name a Chinese reader sees.
INDICES = {"000300": "沪深300", "000012": "上证国债指数", "SPX": "标普500"}

KINDS = {
    kind.name: kind
    for kind in (
        FundKind("equity", "股票型", benchmark="000300"),
        FundKind("mixed", "混合型", benchmark="000300"),
        FundKind("bond", "债券型", jump_warn=0.02, jump_hold=0.05, benchmark="000012"),
        FundKind("index", "指数型", jump_hold=0.21, benchmark="000300"),
        FundKind(
            "qdii",
            "QDII",
            nav_range=(0.01, 500.0),
            jump_warn=0.12,
            jump_hold=0.25,
            lag=3,
            benchmark="SPX",
        ),
        FundKind("fof", "FOF", lag=3, benchmark="000300"),
        FundKind("money", "货币型", nav_range=(0.5, 500.0), jump_warn=0.01, jump_hold=0.05),
        FundKind("commodity", "商品", jump_warn=0.15, jump_hold=0.30),
        FundKind("reit", "REITs", jump_warn=0.15, jump_hold=0.30, lag=250),
        FundKind(
            "other", "其他", nav_range=(0.01, 500.0), jump_warn=0.15, jump_hold=0.30, lag=3
        ),
    )
}


def read_kind(written: str) -> str:
    """The name of a kind as people write it: `mixed`, `Mixed`, `混合型` and `混合` are mixed.

    Raises:
        ValueError: there is none; says which there are.
    """
    text = written.strip().casefold()
    for kind in KINDS.values():
        label = kind.label.casefold()
        if text and text in (
            kind.name,
            label,
            label.removesuffix("型"),
            label.removesuffix("s"),
        ):
            return kind.name
    near = get_close_matches(text, KINDS, n=1, cutoff=0.5)
    known = ", ".join(f"{kind.name} ({kind.label})" for kind in KINDS.values())
    hint = f"do you mean {near[0]}?" if near else f"known are {known}"
    raise ValueError(f"there is no kind {written!r}: {hint}")


# First match wins; the left side is searched in the market's own type name.
_BY_TYPE = (
    (r"货币|理财", "money"),
    (r"FOF", "fof"),
    (r"QDII|海外", "qdii"),
    (r"reit", "reit"),
    (r"商品", "commodity"),
    (r"指数|ETF|联接", "index"),
    (r"^混合", "mixed"),  # 混合型-偏债 is no bond fund, 债券型-混合二级 is one
    (r"债|固定收益|固收", "bond"),
    (r"股票", "equity"),
    (r"混合", "mixed"),
)


def kind_of(fund_type: str, name: str = "") -> str:
    """The kind for a market type name such as 混合型-偏股; `other` for what is unknown.

    Args:
        fund_type: 基金类型 as the source writes it.
        name: the fund's name, used only when the type is empty.
    """
    text = fund_type or name
    for pattern, kind in _BY_TYPE:
        if re.search(pattern, text, re.IGNORECASE):
            return kind
    return "other"


_CLASS = re.compile(r"(?<=[^A-Za-z])([A-IOR-Z])(?:类)?(?=$|[(（])")
#: Words of a currency → its code. A class without one counts in yuan.
_CURRENCIES = {
    "人民币": "CNY",
    "美元": "USD",
    "美汇": "USD",
    "美钞": "USD",
    "港币": "HKD",
    "港元": "HKD",
}
_WORDS = rf"({'|'.join(_CURRENCIES)})(?:现汇|现钞|汇|钞)?(?:份额)?"
#: Where it stands for the class: in brackets, or bare before the class letter, a bracket or the
#: end. 美元债 is what a fund holds.
_CURRENCY = re.compile(rf"[(（]{_WORDS}[)）]|{_WORDS}(?=[A-Z]?(?:类)?(?:$|[(（]))")
_SIDE = re.compile(r"[(（](?:前端|后端)[)）]")


def family_of(name: str) -> str:
    """The name shared by all share classes of one portfolio.

    Takes the class letter, the fee side and the currency off the end: 华夏成长混合(后端) →
    华夏成长混合, 中海可转债债券A → 中海可转债债券, 某全球(QDII)美元现汇C → 某全球(QDII).
    A guess from names: the source publishes no portfolio id.
    """
    return _CLASS.sub("", _bare(name)).strip() or name


def currency_of(name: str) -> str:
    """The currency that a share class counts in, by its name: CNY, USD or HKD."""
    told = _CURRENCY.search(name)
    return _CURRENCIES[told[1] or told[2]] if told else "CNY"


def class_order(name: str) -> str:
    """A text that sorts the classes of one portfolio: the one that stands for them first.

    Classes in yuan that pay when they buy come before others, then the letters: none, A, B, C …
    The oldest class has no letter or A nearly always. A guess from names like `family_of`.
    """
    aside = "后端" in name or currency_of(name) != "CNY"
    letter = _CLASS.search(_bare(name))
    return f"{aside:d}" + (letter[1] if letter else "")


def _bare(name: str) -> str:
    return _CURRENCY.sub("", _SIDE.sub("", name))
