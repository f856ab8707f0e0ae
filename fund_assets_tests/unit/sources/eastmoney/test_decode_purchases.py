"""The list of purchases: its form, its amounts, and when its pages are one list."""

import numpy as np
import pytest

from fund_assets.nav.statuses import odd_cells
from fund_assets.sources.eastmoney import ignored_cells
from fund_assets.sources.eastmoney.decode_purchases import (
    CELLS,
    FIELDS,
    PurchasePage,
    decode_purchases,
    drift,
    purchase_frame,
)
from fund_assets.sources.protocol import PURCHASE_COLUMNS
from fund_assets.transport.errors import EmptyAnswerError, FormatError, TruncatedError
from fund_assets_tests.server import wire


def row(code="000001", **cells):
    return wire.purchase_row(code, "华夏成长混合", **cells)


def frame(*rows):
    return purchase_frame(decode_purchases(wire.purchase_list(rows), 1).rows)


def test_each_cell_is_read_or_is_on_the_list_with_a_reason():
    """Stops a cell of the list from being dropped without anyone having decided it."""
    assert sorted([*CELLS, *ignored_cells.PURCHASES]) == list(range(FIELDS))
    assert all(ignored_cells.PURCHASES.values())


@pytest.mark.parametrize(
    "text, yuan",
    [
        ("1000000", 1e6),
        ("0.01", 0.01),
        ("500000000", 5e8),
        ("0", 0.0),
        ("9999999999", np.inf),
        ("100000000000", np.inf),
        ("100000000000.00", np.inf),
        ("1.000000e+11", np.inf),
        ("1E+5", 1e5),
        ("", np.nan),
        ("---", np.nan),
    ],
)
def test_limits_are_exact_yuan(text, yuan):
    """Stops the sign for no limit from passing for an amount, and a limit from losing a digit."""
    got = frame(row(limit=text))
    assert got["daily_limit"].tolist() == pytest.approx([yuan], rel=0, abs=0, nan_ok=True)
    assert odd_cells(got) == []


def test_words_amounts_and_days_are_read_as_published():
    """Stops columns of the list from changing places."""
    got = frame(
        row(purchase="限大额", least="10", limit="1000", fee="0.12%"),
        row("510300", purchase="场内交易", redemption="场内交易", least="", limit="0", fee=""),
        row("000002", purchase="暂停申购", opens="2026-12-08", limit="0"),
        row("000002", purchase="开放申购"),
    )
    assert list(got.columns) == PURCHASE_COLUMNS and odd_cells(got) == []
    assert got["fund_code"].tolist() == ["000001", "510300", "000002"]
    assert got["purchase_word"].tolist() == ["限大额", "场内交易", "暂停申购"]
    assert got["redemption_word"].tolist() == ["开放赎回", "场内交易", "开放赎回"]
    assert got["fee"].tolist()[0] == 0.0012 and np.isnan(got["fee"][1])
    assert got["least_amount"].tolist()[0] == 10 and np.isnan(got["least_amount"][1])
    assert got["daily_limit"].tolist() == [1000, 0, 0]
    assert got["next_open_date"].isna().tolist() == [True, True, False]
    assert got["next_open_date"][2] == 20261208


def test_cells_that_cannot_be_read_are_told_and_the_others_stored():
    """Stops one odd cell from hiding the limits of a market, or from passing in silence."""
    got = frame(
        row(limit="-5"), row("000002", least="十元"), row("000003", opens="12月8日"),
        row("000004", purchase="额度用尽"), row("000005", limit="1000"),
    )  # fmt: skip
    assert odd_cells(got) == [
        "the purchase status '额度用尽' is not known: 1 fund",
        "daily_limit: not an amount: '-5': 1 fund",
        "least_amount: not a number: '十元': 1 fund",
        "next_open_date: not a date: '12月8日': 1 fund",
    ]
    assert got["daily_limit"].tolist()[4] == 1000 and np.isnan(got["daily_limit"][0])


GOOD = wire.purchase_list([row()])


@pytest.mark.parametrize(
    "body, error, words",
    [
        (b"", EmptyAnswerError, "is empty"),
        (GOOD.replace(b"reData", b"data"), FormatError, "starts with"),
        (GOOD[:-20], TruncatedError, "is incomplete"),
        (GOOD.replace(b"record", b"count"), FormatError, "has no record"),
        (wire.purchase_list([], record=0), EmptyAnswerError, "has no fund"),
        (wire.purchase_list([row()], page=2), FormatError, "the answer is page 2"),
        (wire.purchase_list([[*row(), "x"]]), FormatError, r"rows of \[14\] fields"),
        (GOOD.replace(b'[["000001"', b"[[1"), FormatError, "is not text"),
        (GOOD.replace(b'"]],', b'",]],'), FormatError, "not valid JSON"),
    ],
)
def test_another_form_is_refused(body, error, words):
    """Stops an answer of another form from being read as a market without limits."""
    with pytest.raises(error, match=words):
        decode_purchases(body, 1)


def pages(*shapes):
    return [
        PurchasePage(n, [row(code) for code in codes], record)
        for n, (codes, record) in enumerate(shapes, start=1)
    ]


@pytest.mark.parametrize(
    "shapes, words",
    [
        ([(["1", "2"], 3), (["3"], 3)], ""),
        ([(["1", "2"], 3)], ""),
        ([(["1", "2"], 3), (["3", "4"], 4)], "it had 3 funds, its page 2 says 4"),
        ([(["1"], 3)], "its page 1 has 1 funds, not 2 of 3"),
        ([(["1", "2"], 3), ([], 3)], "its page 2 has 0 funds, not 1 of 3"),
        ([(["1", "2"], 3), (["2"], 3)], "fund 2 is on its pages 1 and 2"),
        ([(["1", "2", "3"], 3)], "its page 1 has 3 funds, not 2 of 3"),
    ],
)
def test_pages_that_are_not_one_list_are_seen(shapes, words):
    """Stops a lower cap, a list that moved or a page served twice from losing funds silently."""
    assert drift(pages(*shapes), 2) == words
