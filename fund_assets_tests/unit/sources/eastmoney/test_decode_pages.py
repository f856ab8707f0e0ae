"""The pages of money funds and of exchange-traded funds, strictly."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from fund_assets.sources.eastmoney.akshare_tables import (
    akshare_exchange_page,
    akshare_money_page,
)
from fund_assets.sources.eastmoney.decode_pages import EXCHANGE, MONEY, decode_page
from fund_assets.transport.errors import EmptyAnswerError, FormatError
from fund_assets.transport.http_answer import Answer
from fund_assets_tests.server import wire

DAYS = (date(2026, 11, 20), date(2026, 11, 19))
MONEY_ROWS = [
    ("000009", "易方达天天理财货币A", "0.3790", "1.7330%", "1.0000", "0.3801", "1.7280%", ""),
    ("210012", "金鹰货币A", "---", "---", "", "-0.0102", "0.0000%", "1.0000"),
]
EXCHANGE_ROWS = [
    (
        "510300",
        "华泰柏瑞沪深300ETF",
        "ETF-场内",
        "4.8898",
        "1.9582",
        "4.8811",
        "1.9547",
        "0.18%",
    ),
    ("161725", "招商中证白酒行情A", "LOF", "---", "---", "0.7012", "2.5012", "1.00%"),
]


def money(rows=MONEY_ROWS, change=lambda text: text):
    return change(wire.money_page(DAYS, rows).decode("gb18030")).encode("gb18030")


def exchange(rows=EXCHANGE_ROWS, change=lambda text: text):
    return change(wire.exchange_page(DAYS, rows).decode("gb18030")).encode("gb18030")


def test_every_figure_of_both_dates():
    """Stops a figure of one date or column from passing for that of another."""
    frame = decode_page(money(), MONEY).observations
    assert frame["nav_date"].tolist() == [20261120] * 2 + [20261119] * 2
    assert frame["fund_code"].tolist() == ["000009", "210012"] * 2
    np.testing.assert_array_equal(frame["yield_per_10k"], [0.379, np.nan, 0.3801, -0.0102])
    np.testing.assert_array_equal(frame["yield_7d_pct"], [1.733, np.nan, 1.728, 0.0])
    np.testing.assert_array_equal(frame["unit_nav"], [1.0, np.nan, np.nan, 1.0])
    frame = decode_page(exchange(), EXCHANGE).observations
    np.testing.assert_array_equal(frame["unit_nav"], [4.8898, np.nan, 4.8811, 0.7012])
    np.testing.assert_array_equal(frame["acc_nav"], [1.9582, np.nan, 1.9547, 2.5012])
    # Growth stands for the newer date: of a fund that has not published it, it is older.
    np.testing.assert_array_equal(frame["growth_pct"], [0.18, np.nan, np.nan, np.nan])
    assert set(frame["defect"]) == {""}


@pytest.mark.parametrize(
    ("body", "form", "witness"),
    [
        (money(), MONEY, akshare_money_page),
        (exchange(), EXCHANGE, akshare_exchange_page),
    ],
    ids=["money", "exchange"],
)
def test_akshare_is_the_witness(body, form, witness):
    """Stops our reading from differing in silence from the one that others use."""
    ours, theirs = (
        decode_page(body, form),
        witness(Answer("", "https://x/", 200, {}, body, "")),
    )
    pd.testing.assert_frame_equal(ours.observations, theirs.observations)
    assert ours.listing["fund_code"].tolist() == theirs.listing["fund_code"].tolist()
    assert ours.rows == theirs.rows == 2


def test_names_end_before_the_links_and_nowhere_else():
    """Stops a name that ends like a link from losing its end."""
    assert decode_page(exchange(), EXCHANGE).listing["name"].tolist() == [
        "华泰柏瑞沪深300ETF", "招商中证白酒行情A",
    ]  # fmt: skip
    names = decode_page(money(), MONEY).listing["name"].tolist()
    assert names == ["易方达天天理财货币A", "金鹰货币A"]


def test_cells_of_a_header_may_cover_others():
    """Stops a header that is drawn in another way from costing an evening."""

    def drawn(text):
        head, label = text.split("<tr>")[2:4]
        cells = label.split("</td>")
        top = "".join(f"{cell.replace('<td>', '<td rowspan=2>')}</td>" for cell in cells[:5])
        top += f"<td colspan=3>{DAYS[0]}</td><td colspan=3>{DAYS[1]}</td>"
        top += "".join(f"{c.replace('<td>', '<td rowspan=2>')}</td>" for c in cells[11:16])
        below = "".join(f"{cell}</td>" for cell in cells[5:11])
        return text.replace(head, f"{top}</tr>\n").replace(label, f"{below}</tr>\n")

    plain, other = decode_page(money(), MONEY), decode_page(money(change=drawn), MONEY)
    assert "rowspan" in money(change=drawn).decode("gb18030")
    pd.testing.assert_frame_equal(plain.observations, other.observations)


def test_a_cell_that_is_no_number_is_a_defect_of_its_row():
    """Stops one odd cell from costing the page, and from becoming a blank."""
    frame = decode_page(money(change=lambda t: t.replace("0.3790", "NaN")), MONEY).observations
    assert frame["defect"].tolist() == ["yield_per_10k: not a number: 'NaN'", "", "", ""]


CHANGED = {
    "a label": (lambda t: t.replace("万份收益", "百份收益"), "column 6 '百份收益', not '万份收益'"),
    "a column more": (
        lambda t: t.replace("<td>日涨幅</td>", "<td>日涨幅</td><td>更多</td>"),
        "column 13 '更多', not '成立日期'",
    ),
    "dates the other way round": (
        lambda t: t.replace("2026-11-20", "2026-11-18"), "not a newer and an older date",
    ),
    "one date twice": (
        lambda t: t.replace("2026-11-20", "2026-11-19"), "not a newer and an older date",
    ),
    "a date that is none": (
        lambda t: t.replace("2026-11-20", "2026-11-31"), "not a newer and an older date",
    ),
    "one date for two figures": (
        lambda t: t.replace("2026-11-20", "2026-11-21", 1), "not a newer and an older date",
    ),
    "a shorter row": (lambda t: t.replace("<td>石大怿</td>", "", 1), "a row of 15 cells"),
    "a wide cell": (
        lambda t: t.replace("<td>石大怿</td>", "<td colspan='2'>石大怿</td>", 1),
        "cover a column each",
    ),
    "no table": (lambda t: t.replace("基金代码", "代码"), "has 0 tables"),
    "two tables": (lambda t: t.replace("天天基金网", "基金代码"), "has 2 tables"),
}  # fmt: skip


@pytest.mark.parametrize("changed", CHANGED)
def test_another_form_is_refused(changed):
    """Stops a page that changed from being read by position."""
    change, said = CHANGED[changed]
    with pytest.raises(FormatError, match=said):
        decode_page(money(change=change), MONEY)


def test_a_page_without_funds_is_empty():
    """Stops an evening without money funds from looking whole."""
    with pytest.raises(EmptyAnswerError, match="has no fund"):
        decode_page(money(rows=[]), MONEY)
