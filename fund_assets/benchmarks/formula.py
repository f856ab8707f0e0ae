"""A formula as weights and the texts they weigh: brackets multiplied out, nothing understood.

Belongs here: +, *, percent and brackets. Does not belong here: which series a text names
(`series.py`), the spelling (`spelling.py`).
"""

import re
from dataclasses import dataclass

from fund_assets.benchmarks.spelling import NUMBER, PERCENT, PLUS

_NUMBER = re.compile(rf"^-?({NUMBER})(%?)$")
_SHARE = re.compile(r"^([0-9]+)/([0-9]+)$")
_WEIGHT_FIRST = re.compile(rf"^({PERCENT})(?![0-9/]|年|期|以[上下])(.+)$")
_WEIGHT_LAST = re.compile(rf"^(.*[^0-9.%\-/(])(?:\(({PERCENT})\)|({PERCENT}))$")
_REST_OF = re.compile(rf"^\((?:1|100%)-({PERCENT})\)$")
_DIVIDED = re.compile(r"^(\(.+\))/([0-9]+)$")
#: A percent above it is a weight or a mistake, and no rate of a year.
HIGHEST_RATE = 0.2
#: Words of a rate of return: the percent beside them is it, and no weight.
_RATE_WORDS = (
    r"(?:固定)?(?:的)?(?:年化|年度|年|每年)?(?:固定)?(?:的)?(?:名义)?"
    r"(?:收益率?|回报率?|利率|增长率)?"
)
_PER_YEAR = r"(?:/年|每年|\(年化\)|年化|p\.?a\.?|\((?:指?年[^()]*|单利[^()]*|每年[^()]*)\))?"
_RATE = re.compile(
    rf"^(?:年化|每年|年|固定)?{_RATE_WORDS}(?:为|是|:|\()?(-?{PERCENT})\)?{_PER_YEAR}"
    r"(?:的?(?:年化|年)?(?:固定)?(?:收益率?|回报率?|利率))?(?:\([^()]*年[^()]*\))?$"
)
#: A factor that turns a series into another currency.
_EXCHANGE = re.compile(r"^\(?[^()]*汇率[^()]*\)?$")


@dataclass(frozen=True)
class Term:
    """A part of a sum.

    Attributes:
        text: what is weighed; empty when it is a rate alone.
        weight: its share; None where the formula gives none.
        rate: a return per year as a fraction, where the part is one; else None.
        converted: whether it is multiplied by a rate of exchange.
    """

    text: str
    weight: float | None
    rate: float | None = None
    converted: bool = False


def terms_of(formula: str) -> list[Term]:
    """The parts of a formula in one spelling (`spelling.spell`), in their order."""
    found = []
    for part in _split(formula, "+"):
        if part := part.strip(",:; "):
            found += _term(part)
    return found


def _term(part: str) -> list[Term]:
    if rate := _rate(part):
        return [rate]
    weight, texts, converted = _factors(part)
    if len(texts) != 1:
        return [Term(part, None)]
    text = texts[0]
    if weight is None:
        weight, text = _beside(text)
    if (told := _DIVIDED.match(text)) and int(told[2]):
        weight, text = (1.0 if weight is None else weight) / int(told[2]), told[1]
    inner = _group(text)
    if inner is None:
        if rate := _rate(text):
            return [Term("", weight, rate.rate)]
        return [Term(text, weight, converted=converted)]
    return _spread_out(inner, weight, converted)


def _factors(part: str) -> tuple[float | None, list[str], bool]:
    """The weight of a product, its other factors, and whether one was a rate of exchange."""
    weight: float | None = None
    texts, converted = [], False
    for factor in _split(part, "*"):
        number = _number(factor)
        if number is not None:
            weight = number if weight is None else weight * number
        elif _EXCHANGE.match(factor) and "指数" not in factor:
            converted = True
        elif factor:
            texts.append(factor)
    return weight, texts, converted


def _spread_out(inner: str, outer: float | None, converted: bool) -> list[Term]:
    terms, weight = terms_of(inner), 1.0 if outer is None else outer
    # (A+B)×50% weighs both by the half; A+B in brackets alone weighs nothing.
    whole = outer is not None or len([term for term in terms if term.text]) == 1
    found = []
    for term in terms:
        if term.rate is not None and term.weight is None:  # a rate put on top of the group
            found.append(Term("", None, term.rate * weight))
            continue
        own = 1.0 if term.weight is None and whole else term.weight
        scaled = None if own is None else own * weight
        found.append(Term(term.text, scaled, term.rate, term.converted or converted))
    return found


def _rate(part: str) -> Term | None:
    told = _RATE.match(part)
    if not told or abs(rate := float(told[1][:-1]) / 100) > HIGHEST_RATE:
        return None
    return Term("", None, rate)


def _number(factor: str) -> float | None:
    if told := _REST_OF.match(factor):
        return round(1 - float(told[1][:-1]) / 100, 10)
    bare = factor[1:-1] if factor[:1] == "(" and factor[-1:] == ")" else factor
    if told := _NUMBER.match(bare):
        return float(told[1]) / (100 if told[2] else 1)
    if told := _SHARE.match(bare):
        return int(told[1]) / int(told[2]) if int(told[2]) else None
    return None


def _beside(text: str) -> tuple[float | None, str]:
    """A weight that stands before or behind a name without a sign between."""
    if told := _WEIGHT_FIRST.match(text):
        return float(told[1][:-1]) / 100, told[2]
    if told := _WEIGHT_LAST.match(text):
        return float((told[2] or told[3])[:-1]) / 100, told[1]
    return None, text


def _group(text: str) -> str | None:
    """What stands in the brackets around a whole text that is a formula."""
    if not (text.startswith("(") and text.endswith(")")):
        return None
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and at < len(text) - 1:
            return None
    inner = text[1:-1]
    return inner if re.search(r"[+*]|[0-9]%", inner) or "指数" in inner else None


def _split(text: str, sign: str) -> list[str]:
    """Parts between signs that stand in no bracket."""
    parts, depth, begin = [], 0, 0
    for at, found in enumerate(text):
        depth = max(depth + (found == "(") - (found == ")"), 0)
        if found == sign and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    return [*parts, text[begin:]]


def shown(text: str) -> str:
    """A text of one spelling as people read it."""
    return text.replace(PLUS, "+").replace("*", "×")
