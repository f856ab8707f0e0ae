"""The cells of status and fee, and the list of cells that are not read."""

import numpy as np
import pytest

from fund_assets.nav.statuses import odd_cells
from fund_assets.sources.eastmoney import decode_pages, ignored_cells
from fund_assets.sources.eastmoney.akshare_tables import akshare_snapshot
from fund_assets.sources.eastmoney.decode_snapshot import (
    CELLS,
    SNAPSHOT_FIELDS,
    decode_snapshot,
)
from fund_assets.sources.protocol import STATUS_COLUMNS
from fund_assets.transport.http_answer import Answer
from fund_assets_tests.server import wire
from fund_assets_tests.unit.sources.eastmoney.test_decode_snapshot import DAYS, GOOD, LATE


def body(*rows):
    return wire.snapshot(DAYS, rows)


def status(*cells, code="000001"):
    return (code, *GOOD[1:], *wire.status_cells(*cells))


def test_each_cell_is_read_or_is_on_the_list_with_a_reason():
    """Stops a cell of the evening's pages from being dropped without anyone having decided it."""
    assert sorted([*CELLS, *ignored_cells.SNAPSHOT]) == list(range(max(SNAPSHOT_FIELDS)))
    assert all(ignored_cells.SNAPSHOT.values())


@pytest.mark.parametrize(
    "form, ignored",
    [
        (decode_pages.EXCHANGE, ignored_cells.EXCHANGE),
        (decode_pages.MONEY, ignored_cells.MONEY),
    ],
    ids=["exchange", "money"],
)
def test_each_column_of_the_pages_is_read_or_is_on_the_list(form, ignored):
    """Stops a new column from being added to a form without a decision about it."""
    days = 2 * len(form.figures)
    read = {3, 4, *range(min(form.figures), min(form.figures) + days)}
    read |= {form.growth} if form.growth is not None else set()
    rest = [label for at, label in enumerate(form.labels) if at not in read]
    assert sorted(rest) == sorted(ignored) and all(ignored.values())


def test_words_and_fees_are_read_as_published():
    """Stops a limit from being read as open, a fee as percent, and a blank as zero."""
    got = decode_snapshot(
        body(
            status("限大额", "开放赎回", "0.15%", "1.50%"),
            status("暂停申购", "暂停赎回", "0.00%", "", code="000002"),
            status("封闭期", "封闭期", "---", "1.20%", code="000003"),
        )
    ).statuses
    assert list(got.columns) == STATUS_COLUMNS
    assert got.iloc[:, :3].values.tolist() == [
        ["000001", "限大额", "开放赎回"],
        ["000002", "暂停申购", "暂停赎回"],
        ["000003", "封闭期", "封闭期"],
    ]
    assert got["fee"].tolist()[:2] == [0.0015, 0.0] and np.isnan(got["fee"][2])
    assert got["full_fee"].tolist()[::2] == [0.015, 0.012] and np.isnan(got["full_fee"][1])
    assert (got["defect"] == "").all() and odd_cells(got) == []


def test_an_unknown_word_is_told_once_with_its_funds():
    """Stops a new word from passing in silence, and from filling a line for each fund."""
    rows = [status("开放申购", "开放赎回", "0.15%", "", code=f"{n:06}") for n in range(5)]
    rows += [status("额度用尽", "开放赎回", "0.15%", "", code=f"1{n:05}") for n in range(2)]
    got = decode_snapshot(
        body(*rows, status("开放申购", "预约赎回", "0.1%", "", code="200000"))
    ).statuses
    assert odd_cells(got) == [
        "the purchase status '额度用尽' is not known: 2 funds",
        "the redemption status '预约赎回' is not known: 1 fund",
    ]


def test_a_cell_that_is_no_fee_is_told_and_is_no_figure():
    """Stops a flat fee in yuan, or 150 %, from being stored as a fraction."""
    rows = [status("开放申购", "开放赎回", text, "") for text in ("1000元/笔", "150%", "-1%")]
    for row, text in zip(rows, ("1000元/笔", "150%", "-1%"), strict=True):
        got = decode_snapshot(body(row)).statuses
        assert np.isnan(got["fee"]).all()
        (told,) = odd_cells(got)
        assert told.startswith("fee: not a") and text in told


def test_a_row_of_another_length_is_told_and_states_nothing():
    """Stops a shifted row from being read, and from being dropped without a word."""
    rows = [(f"{n:06}", *GOOD[1:]) for n in range(200)]
    got = decode_snapshot(body(*rows, [*status("", "", "", "", code="999999"), "x"]))
    odd = got.statuses[got.statuses["fund_code"] == "999999"]
    assert odd[["purchase_word", "redemption_word"]].values.tolist() == [["", ""]]
    assert odd_cells(got.statuses) == ["the row has 22 fields, not 21: 1 fund"]


def test_akshare_gives_the_same_but_for_the_full_fee():
    """Stops the fallback from moving a column: it names them by place."""
    content = body(status("限大额", "暂停赎回", "0.12%", "1.20%"), LATE)
    url = "https://fund.eastmoney.com/Data/Fund_JJJZ_Data.aspx"
    answer = Answer("open_funds", url, 200, {"Content-Type": "text/html"}, content, "")
    ours, theirs = decode_snapshot(content).statuses, akshare_snapshot(answer).statuses
    names = ["fund_code", "purchase_word", "redemption_word", "fee", "defect"]
    assert theirs[names].values.tolist() == ours[names].values.tolist()
    assert np.isnan(theirs["full_fee"]).all()
