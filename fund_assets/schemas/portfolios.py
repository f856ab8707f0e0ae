"""Portfolios: which share classes hold the same one, and which of them speaks for it.

Belongs here: reading portfolio, currency and class from a fund's name. Does not belong here:
which kind of fund it is (`fund_types.py`), choosing among classes that publish
(`metrics/peers.py`).
"""

import re

#: In the name of a code under which fees are paid later; its NAV is its front-end code's.
BACK_END = "后端"
_CLASS = re.compile(
    r"(?:(?<=[^A-Za-z/])|(?<=FOF)|(?<=货币ETF))([A-IOR-Z])(?:/[A-IOR-Z])?(?:类)?(?=$|[(（])"
)
#: Words of a currency → its code. A class without one counts in yuan; 现汇 and 现钞 without one
#: are dollars in every list seen.
_CURRENCIES = {
    "人民币": "CNY",
    "美元": "USD",
    "美汇": "USD",
    "美钞": "USD",
    "港币": "HKD",
    "港元": "HKD",
    "现汇": "USD",
    "现钞": "USD",
}
_WORDS = rf"({'|'.join(_CURRENCIES)})(?:现汇|现钞|汇|钞)?(?:份额)?"
#: Where it stands for the class: in brackets, or bare before the class letter, a bracket or the
#: end. 美元债 is what a fund holds.
_CURRENCY = re.compile(rf"[(（]{_WORDS}[)）]|{_WORDS}(?=[A-Z]?(?:类)?(?:$|[(（]))")
_SIDE = re.compile(r"[(（](?:前端|后端)[)）]")


def portfolio_of(name: str) -> str:
    """The name shared by all share classes of one portfolio: the one place that gives it.

    Takes the class letter, the fee side and the currency off the end: 华夏成长混合(后端) →
    华夏成长混合, 中海可转债债券A → 中海可转债债券, 某全球(QDII)美元现汇C → 某全球(QDII).
    A guess from names: the source publishes no portfolio id. An official one, once there is
    one, is returned from here in place of the guess, and everything that counts follows.
    """
    return _CLASS.sub("", _bare(name)).strip() or name


def currency_of(name: str) -> str:
    """The currency that a share class counts in, by its name: CNY, USD or HKD."""
    told = _CURRENCY.search(name)
    return _CURRENCIES[told[1] or told[2]] if told else "CNY"


def class_order(name: str) -> str:
    """A text that sorts the classes of one portfolio: the one that stands for them first.

    Classes in yuan that pay when they buy come before others, then the letters: none, A, B, C …
    The oldest class has no letter or A nearly always. A guess from names like `portfolio_of`.
    """
    aside = "后端" in name or currency_of(name) != "CNY"
    letter = _CLASS.search(_bare(name))
    return f"{aside:d}" + (letter[1] if letter else "")


def _bare(name: str) -> str:
    return _CURRENCY.sub("", _SIDE.sub("", name))
