"""Texts of a source without what could act on a terminal, a log, a page or a spreadsheet.

Belongs here: which characters are replaced. Does not belong here: which texts are kept.
"""

import re

#: Control characters (escape sequences begin with one), what is of no width, what turns the
#: direction of writing round, line separators, and halves of surrogate pairs.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff]"
)


def plain(text: str) -> str:
    """The text, with a replacement character in place of each that acts."""
    return _ACTING.sub("\ufffd", text)
