"""Texts of others without what could act on a terminal, a log, a page or a spreadsheet.

Belongs here: which characters are replaced, in a text and in an error. Does not belong here:
which texts are kept.
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


def plain_lines(text: str, further: str = "") -> str:
    """The same of a text of several lines.

    Args:
        further: what the second and later ones begin with, so that none passes for another's.
    """
    return f"\n{further}".join(map(plain, text.replace("\t", "    ").split("\n")))


def disarm(error: BaseException) -> None:
    """Make the words of an error, and of all that it came from, plain.

    What a library raises quotes what it could not read, and a traceback shows the words of
    every error in a chain.
    """
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.args = tuple(plain_lines(a) if isinstance(a, str) else a for a in one.args)
        if hasattr(one, "__notes__"):
            one.__notes__ = [plain_lines(note) for note in one.__notes__]
        waiting += [one.__cause__, one.__context__]
        waiting += [a for a in (*one.args, *vars(one).values()) if isinstance(a, BaseException)]
