"""Every variable of a fund's history answer, declared once: what becomes of it.

Belongs here: the variables of `pingzhongdata/<code>.js`, the table that each is decoded into or
why it is ignored, and finding those that are not declared. Does not belong here: reading their
values (`decode_history.py` and its like).
"""

import re

#: Variable → the tables that its values go into.
DECODED: dict[str, tuple[str, ...]] = {
    "fS_code": ("fund_nav",),
    "Data_netWorthTrend": ("fund_nav", "fund_events"),
    "Data_ACWorthTrend": ("fund_nav",),
    "Data_millionCopiesIncome": ("fund_nav",),
    "Data_sevenDaysYearIncome": ("fund_nav",),
    "Data_fluctuationScale": ("fund_size",),
    "Data_holderStructure": ("fund_holders",),
    "Data_assetAllocation": ("fund_allocation", "fund_size"),
    "Data_assetAllocationCurrency": ("fund_allocation",),
    "Data_buySedemption": ("fund_size",),
    "Data_fundSharesPositions": ("fund_position_estimate",),
    "stockCodesNew": ("fund_top_holdings",),
    "zqCodesNew": ("fund_top_holdings",),
    "Data_currentFundManager": ("fund_manager",),
    "syl_1n": ("source_statement",),
    "syl_6y": ("source_statement",),
    "syl_3y": ("source_statement",),
    "syl_1y": ("source_statement",),
    "Data_grandTotal": ("source_statement",),
    "Data_rateInSimilarType": ("source_statement",),
    "Data_performanceEvaluation": ("source_statement",),
}
_LISTED = "the market's list and page have it"
_HOLDINGS = "an older form of the list of the same name with New behind it"
#: Variable → why it is left out. Its bytes stay in the archive like all others.
IGNORED: dict[str, str] = {
    "ishb": "the variables themselves say whether it is a money fund",
    "fS_name": _LISTED,
    "fund_sourceRate": _LISTED,
    "fund_Rate": _LISTED,
    "fund_minsg": "the least amount of a purchase: the list of purchases has it of every class",
    "stockCodes": _HOLDINGS,
    "zqCodes": _HOLDINGS,
    "Data_rateInSimilarPersent": "the rank as a percentile: 100 (1 - rank / peers), rounded",
    "swithSameType": "an advertisement for other funds",
}
_DECLARED = re.compile(r"(?<![\w$])var\s+([A-Za-z_$][\w$]*)\s*=\s*")


def variables_of(text: str) -> dict[str, int]:
    """The variables of an answer: name → where its value begins, the first one of a name."""
    found: dict[str, int] = {}
    at = text.find("var")  # twenty times as fast as the pattern
    while at >= 0:
        if declared := _DECLARED.match(text, at):
            found.setdefault(declared[1], declared.end())
        at = text.find("var", at + 3)
    return found


def unknown(names: dict[str, int]) -> tuple[str, ...]:
    """The variables that nothing is declared of."""
    return tuple(name for name in names if name not in DECODED and name not in IGNORED)
