"""Fund codes as people write them.

Belongs here: reading one, or several in one text. Does not belong here: which funds there are.
"""

import re
from collections.abc import Iterable

from fund_assets.schemas.table import FUND_CODE_PATTERN

#: What data vendors put behind a code to name the market.
_MARKET = re.compile(r"(?i)\.(OF|SH|SZ)$")


def read_code(written: str | int) -> str:
    """The six digits of a code: `1`, `"000001.OF"` and `" 000001"` are 000001.

    Raises:
        ValueError: it is none; says what one looks like.
    """
    is_number = isinstance(written, int) and not isinstance(written, bool)
    text = f"{written:06d}" if is_number else _MARKET.sub("", str(written).strip())
    if not re.fullmatch(FUND_CODE_PATTERN, text):
        raise ValueError(f"{written!r} is not a fund code: write six digits, such as 000001")
    return text


def read_codes(texts: Iterable[str]) -> list[str]:
    """The codes in some texts, each once, in their order; between them commas or blanks.

    Raises:
        ValueError: one of them is no code.
    """
    parts = (part for text in texts for part in re.split(r"[\s,;，；、]+", text) if part)
    return list(dict.fromkeys(read_code(part) for part in parts))
