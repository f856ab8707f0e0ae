"""Texts of a source without what could act on a terminal, a log, a page or a spreadsheet.

Belongs here: which characters are replaced. Does not belong here: which texts are kept.
"""

import re

#: Control characters (escape sequences begin with one), what is of no width or not shown at all
#: (fillers, joiners, variation selectors, tags), what turns the direction of writing round,
#: line separators, halves of surrogate pairs, and what is no character, which no xlsx may hold.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)


def plain(text: str) -> str:
    """The text, with a replacement character in place of each that acts."""
    return _ACTING.sub("\ufffd", text)
