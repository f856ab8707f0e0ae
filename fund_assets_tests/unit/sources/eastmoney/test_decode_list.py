"""The decoder of the fund list."""

import pytest

from fund_assets.sources.eastmoney.decode_list import decode_list
from fund_assets.transport.errors import EmptyAnswerError, FormatError, TruncatedError
from fund_assets_tests.server import wire

LIST = [
    ("000001", "华夏成长混合", "混合型-灵活", "HXCZHH"),
    ("210012", "金鹰货币A喆", "", "JYHBA"),
]


def test_the_list_keeps_every_character():
    """The byte-order mark breaks the first code, and names are data, not markup."""
    frame = decode_list(wire.fund_list(LIST))
    assert list(frame.itertuples(index=False, name=None)) == LIST
    assert frame.dtypes.tolist() == ["str"] * 4


@pytest.mark.parametrize(
    "error, said, body",
    [
        (FormatError, r"rows of \[4\] fields, this version knows 5", b'var r = [["1","2","3","4"]];'),
        (FormatError, "starts with", b"var x = [];"),
        (FormatError, "after the fund list", b'var r = [["1","2","3","4","5"]];alert([])'.replace(b"(", b"").replace(b")", b"")),
        (EmptyAnswerError, "has no fund", b"var r = [];"),
        (TruncatedError, "ends inside a character", wire.fund_list(LIST)[:-20]),
    ],
)  # fmt: skip
def test_any_other_list_is_refused(error, said, body):
    """A list that lost its second half would mark thousands of funds as delisted."""
    with pytest.raises(error, match=said):
        decode_list(body)
