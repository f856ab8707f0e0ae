"""What acts on a terminal, a log or a page never leaves the source's room."""

import json
import unicodedata

import pytest

from fund_assets.sources.base import SourceError
from fund_assets.sources.decode import decode_list
from fund_assets.sources.plain import plain

ACTING = [
    "\x1b[2J", "\x00", "\r", "\x9b", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\ud800",
    "\xad", "\u061c",
]  # fmt: skip


@pytest.mark.parametrize("text", ACTING, ids=ascii)
def test_what_acts_is_replaced(text):
    """Stops a fund's name from clearing a screen, or from being read backwards."""
    assert plain(f"基金{text}A").startswith("基金\ufffd")
    assert text[0] not in str(SourceError(f"title {text}"))


def test_nothing_that_is_not_shown_is_left():
    """Stops a character of no width, or a tag, from making two names look the same, and one
    that no file may hold from spoiling an export."""
    hidden = [chr(n) for n in (0x034F, 0x115F, 0x3164, 0xFE0F, 0xFFA0, 0xFFFE, 0xFFFF, 0xE0041)]
    ranges = (range(0x3000), range(0xD700, 0x10000), range(0xE0000, 0xE0200))
    hidden += [
        chr(n)
        for numbers in ranges
        for n in numbers
        if unicodedata.category(chr(n)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]
    assert [ascii(one) for one in hidden if plain(one) == one] == []


def test_names_of_every_script_stay():
    """Stops names from being changed that only look unusual."""
    for name in ("华夏成长混合", "金鹰货币A", "𠮷基金", "ＥＴＦ联接（QDII）", "naïve é", "😀"):
        assert plain(name) == name


def test_one_bad_name_costs_nobody_else():
    """Stops a null or a half of a surrogate pair in one of 26,000 rows from ending the list."""
    rows = [
        ["000001", "HX", "华夏", "混合型", "X"],
        ["000002", "HX", None, "混合型", "X"],
        ["000003", "HX", "\ud800\u202e", "混合型", None],
    ]
    frame = decode_list(f"var r = {json.dumps(rows)};".encode())
    assert frame["name"].to_list() == ["华夏", "", "\ufffd\ufffd"]
