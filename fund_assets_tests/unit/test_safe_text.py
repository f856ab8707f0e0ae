"""What acts on a terminal, a log or a page never leaves the source's room."""

import json
import traceback
import unicodedata
from http.client import BadStatusLine

import pytest

from fund_assets.cli import main
from fund_assets.observability.alerts.channels.base import ChannelError
from fund_assets.safe_text import plain
from fund_assets.sources.eastmoney.decode_list import decode_list
from fund_assets.transport.defects import boundary
from fund_assets.transport.errors import SourceError, TransportError

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


@pytest.mark.parametrize("text", ACTING, ids=ascii)
@pytest.mark.parametrize("ours", [False, True])
def test_no_error_in_a_chain_acts(text, ours, caplog):
    """Stops what a library quotes of an answer from reaching a terminal by a traceback."""
    with pytest.raises(SourceError) as raised, boundary("list from here"):
        try:
            raise ConnectionError("broken", BadStatusLine(f"HTTP{text}\n2026-11-29 ERROR: x"))
        except ConnectionError as error:
            error.add_note(f"a note {text}")
            if ours:
                raise
            raise TransportError("no answer") from error
    shown = "".join(traceback.format_exception(raised.value)) + caplog.text
    assert "BadStatusLine" in shown and "a note" in shown
    assert text[0] not in shown


def test_what_a_channel_answers_does_not_act():
    """Stops the refusal of a robot from acting in the log and the table of messages."""
    assert str(ChannelError("refused: 40035 \x1b[2J\u202e")) == "refused: 40035 \ufffd[2J\ufffd"


def test_what_a_file_says_does_not_act(tmp_path):
    """Stops a saved page from acting on the terminal of who imports it."""
    from click.testing import CliRunner

    notice = tmp_path / "notice.txt"
    notice.write_text(
        "国务院办公厅关于2027年部分节假日安排的通知\n"
        "一、元旦：1月1日(\x1b]0;x\x07\u202e周五)至3日放假，共4天。\n", encoding="utf-8"
    )  # fmt: skip
    said = CliRunner().invoke(main, ["calendar", "import", str(notice)])
    assert said.exit_code != 0 and "are 3 days, not 4" in said.output
    assert not {"\x1b", "\x07", "\u202e"} & set(said.output), ascii(said.output)
