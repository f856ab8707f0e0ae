"""The twin of an index that has dividends in it, by its code.

Belongs here: pure rules from the code of a price index to that of its twin. Does not belong
here: finding an index by its name (`index_names.py`).

CSI's list has few of the twins. Its rule is certain for the codes that begin with 000: the twin
has an H or an N for the first 0. Codes that begin with 93 or H3 have no such rule, and CNI's
have none at all, so only known pairs are told.
"""

import re

from fund_assets.benchmarks.series import NET_RETURN, TOTAL_RETURN

_LETTERS = {TOTAL_RETURN: "H", NET_RETURN: "N"}
#: Price index → its twin of total return, where no rule says it.
_PAIRS = {
    "H30269": "H20269", "930955": "H20955", "399001": "399002", "399006": "399606",
    "399330": "399004", "399007": "399344", "399005": "399333",
}  # fmt: skip
#: Indices of bonds have interest in them already, or no twin by this rule.
_BONDS = re.compile(r"0000(?:12|13|22|61)|0001(?:01|16|39|40)|000832")


def twin_of(code: str, variant: str) -> str:
    """The code of an index with dividends in it; empty where no rule is certain.

    Args:
        code: of the price index, such as 000300.
        variant: total_return, or net_return (after tax).
    """
    if variant not in _LETTERS or _BONDS.fullmatch(code):
        return ""
    if re.fullmatch(r"000\d{3}", code):
        return f"{_LETTERS[variant]}{code[1:]}"
    return _PAIRS.get(code, "") if variant == TOTAL_RETURN else ""
