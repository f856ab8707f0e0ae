"""What stands for a part of a benchmark: which stored closes, or which rate.

Belongs here: from a part that was read to the code under which its closes are stored, their
currency, and whether income is in them. Does not belong here: the closes themselves, or which
source has them (`sources/`).
"""

import re
from dataclasses import dataclass

from fund_assets.benchmarks.deposit_rates import Steps, deposit_rate
from fund_assets.benchmarks.series import (
    DEPOSIT,
    FIXED,
    FULL_PRICE,
    INDEX,
    NET_PRICE,
    NET_RETURN,
    PRICE,
    PRICE_RETURN,
    TOTAL_RETURN,
    WEALTH,
)

#: Names of prices → the code of their closes.
GOLD = {
    "上海黄金交易所Au99.99": "Au99.99", "上海黄金交易所Au(T+D)": "Au(T+D)", "上海金": "SHAU",
}  # fmt: skip
#: Currency → the codes of other markets whose closes are in it.
_ABROAD = {
    "HKD": ("HSI", "HSCEI", "HSTECH", "HSCCI"),
    "USD": ("SPX", "NDX", "DJIA", "IXIC"),
    "JPY": ("N225",),
    "EUR": ("GDAXI", "FCHI", "SX5E", "MIB", "IBEX", "AEX"),
    "GBP": ("FTSE", "MCX"),
    "CAD": ("TSX",),
    "CHF": ("SSMI",),
    "AUD": ("AS51", "AORD"),
    "NZD": ("NZ50",),
    "SGD": ("STI",),
}
CURRENCIES = {code: currency for currency, codes in _ABROAD.items() for code in codes}
#: Codes of China, whose closes are in yuan where they name no other currency.
_CHINESE = re.compile(
    r"[HN]?\d{5,6}(?P<currency>[A-Z]{3})?\d{0,3}|CN[A-Z]?\d+|中债.*|i?Au.*|Ag.*|SHAU"
)
#: Indices with interest or dividends put back in: of bonds in Shanghai, and the German DAX.
_WITH_INCOME = re.compile(r"0000(?:12|13|22|61)|H11\d{3}|GDAXI")
_TWINS = re.compile(r"(?P<total>H0|H2)|(?P<net>N)")
_BOND_VARIANTS = {FULL_PRICE: PRICE_RETURN, NET_PRICE: PRICE_RETURN, WEALTH: TOTAL_RETURN}


@dataclass(frozen=True)
class Quote:
    """What a part is measured by.

    Attributes:
        closes: the code of its closes; empty for a rate.
        currency: of the closes, such as CNY; empty: not known.
        returns: price, total_return or net_return; empty where it makes no difference.
        rate: annual interest in place of closes.
    """

    closes: str = ""
    currency: str = "CNY"
    returns: str = ""
    rate: Steps | None = None


def quote_of(
    kind: str, series: str, variant: str, index_code: str, annual_rate: float | None
) -> Quote | None:
    """The quote of a part of a benchmark, as `fund_benchmark_part` has it; None without one."""
    if kind == FIXED and annual_rate is not None:
        return Quote(rate=((0, annual_rate),))
    if kind == DEPOSIT:
        steps = deposit_rate(series, variant)
        return Quote(rate=steps) if steps else None
    if kind == PRICE and series in GOLD:
        return Quote(GOLD[series])
    if kind == INDEX and index_code:
        return index_quote(index_code, variant)
    return None


def index_quote(code: str, variant: str = "") -> Quote | None:
    """The quote of an index by its code; None where the variant that is meant is not said."""
    if code.startswith("中债"):
        if variant not in _BOND_VARIANTS:
            return None
        return Quote(f"{code} {variant}", "CNY", _BOND_VARIANTS[variant])
    return Quote(code, currency_of(code), returns_of(code))


def currency_of(code: str) -> str:
    """The currency of an index's closes; empty for one that is not known."""
    if code in CURRENCIES:
        return CURRENCIES[code]
    found = _CHINESE.fullmatch(code)
    return (found["currency"] or "CNY") if found else ""


def returns_of(code: str) -> str:
    """Whether an index has dividends and interest in it: price, total_return or net_return."""
    if _WITH_INCOME.fullmatch(code):
        return TOTAL_RETURN
    if twin := _TWINS.match(code) if re.fullmatch(r"[HN]\d{5}", code) else None:
        return TOTAL_RETURN if twin["total"] else NET_RETURN
    return PRICE_RETURN


def exchange(currency: str) -> str:
    """The code under which the yuan price of a currency is stored: USDCNY."""
    return f"{currency}CNY"
