"""What a share class is measured against, and what its row says of it."""

import pytest

from fund_assets.benchmarks.composites import Leg
from fund_assets.benchmarks.deposit_rates import deposit_rate
from fund_assets.benchmarks.quotes import currency_of, quote_of, returns_of
from fund_assets.benchmarks.yardsticks import (
    Part,
    Statement,
    choose_yardstick,
    codes_needed,
)

CLOSES = {
    "000300",
    "000012",
    "H11001",
    "SPX",
    "HSI",
    "USDCNY",
    "HKDCNY",
    "中债-综合指数 wealth",
}
CASH = Part("deposit", "活期存款利率", 0.05, "after_tax", "", "", None)


def index(code, weight, variant="", currency=""):
    return Part("index", code, weight, variant, currency, code, None)


def page(*parts, tracked="", variant="", status="parsed", since=0, disclosed=True):
    return Statement(since, tracked, variant, status, disclosed, parts)


def choose(*statements, type_index="000300", currency="CNY", tracks=False, closes=CLOSES):
    return choose_yardstick(statements, type_index, currency, closes, tracks=tracks)


def told(stick):
    return stick.formula and stick.formula.label, stick.basis, stick.why


MIX = page(index("000300", 0.95), CASH)


def test_a_tracking_fund_is_measured_against_its_index_alone():
    """Stops 5 % of cash in a text from making every index fund miss its index."""
    fund = page(*MIX.parts, tracked="000300")
    assert told(choose(fund, tracks=True)) == ("000300", "tracked", "")
    assert told(choose(fund)) == ("0.95 000300 + 0.05 interest", "own", "")
    bonds = page(*MIX.parts, tracked="中债-综合指数", variant="wealth")
    assert told(choose(bonds, tracks=True)) == ("中债-综合指数 wealth", "tracked", "")
    # Its index has no closes: then the text, which may have.
    other = page(*MIX.parts, tracked="930050")
    assert told(choose(other, tracks=True))[1] == "own"


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        ((), "not requested yet"),
        ((page(status="unknown", disclosed=False),), "not disclosed"),
        ((page(index("000300", 0.8), status="partly"),), "not understood"),
        ((page(index("", 1.0),),), "a part without code"),
        ((page(index("中债-综合指数", 1.0)),), "a part without code"),  # of which variant
        ((page(index("930050", 1.0)),), "no closes"),
        ((page(Part("rate", "LPR", 1.0, "", "", "", None)),), "no closes"),
        ((page(Part("deposit", "1年存款利率", 1.0, "", "", "", None)),), "only interest"),
    ],
)  # fmt: skip
def test_the_row_says_why_it_is_the_index_of_the_type(statements, why):
    """Stops a fallback in silence."""
    assert told(choose(*statements)) == ("000300", "type", why)
    assert told(choose(*statements, type_index="")) == (None, "", why)


def test_a_class_is_measured_in_its_own_currency():
    """Stops yuan and dollar classes of one portfolio from having one yardstick."""
    fund = page(index("SPX", 0.95), CASH)
    (yuan,) = choose(fund).formula.pieces
    (dollars,) = choose(fund, currency="USD").formula.pieces
    assert yuan[1][0] == Leg(0.95, "SPX", times="USDCNY")
    assert dollars[1][0] == Leg(0.95, "SPX")
    assert choose(fund, currency="USD").currency == "USD"
    (at_home,) = choose(page(index("000300", 1.0)), currency="USD").formula.pieces
    assert at_home[1] == (Leg(1.0, "000300", over="USDCNY"),)
    (hong_kong,) = choose(page(index("HSI", 1.0)), currency="USD").formula.pieces
    assert hong_kong[1] == (Leg(1.0, "HSI", times="HKDCNY", over="USDCNY"),)
    # Without an exchange rate the type's index stays in its own currency, and the row says so.
    bare = choose(type_index="SPX", closes={"SPX"})
    assert (bare.formula.label, bare.basis, bare.currency) == ("SPX", "type", "USD")


def test_whether_dividends_are_in_it_is_told():
    """Stops a price index from passing as a total return."""
    assert choose(MIX).returns == "price"
    assert choose(page(index("H11001", 1.0))).returns == "total_return"
    assert choose(page(index("000300", 0.5), index("中债-综合指数", 0.5, "wealth"))).returns == "mixed"  # fmt: skip
    assert [returns_of(code) for code in ("000300", "H00300", "N00300", "000012", "H30533", "GDAXI")] == [
        "price", "total_return", "net_return", "total_return", "price", "total_return",
    ]  # fmt: skip


def test_an_older_text_holds_until_the_newer_one():
    """Stops a changed benchmark from being rewritten back to the beginning."""
    old, new = page(index("000300", 1.0)), page(index("H11001", 1.0), since=20260105)
    stick = choose(old, new)
    assert stick.formula.label == "H11001"
    assert stick.formula.pieces == (
        (0, (Leg(1.0, "000300"),)),
        (20260105, (Leg(1.0, "H11001"),)),
    )
    unread = choose(page(status="partly"), new)
    assert unread.formula.pieces[0] == (0, ())


def test_only_what_some_fund_needs_is_requested():
    """Stops requests for parts of texts that were not understood."""
    assert codes_needed(page(index("SPX", 0.9), CASH, tracked="000300")) == {
        "SPX", "USDCNY", "000300"
    }  # fmt: skip
    assert codes_needed(page(index("SPX", 0.9), status="partly")) == set()


def test_a_rate_on_top_is_a_part_of_its_own():
    """Stops 1年定存+1.2% from losing its 1.2 %."""
    extra = Part("fixed", "固定利率", None, "", "", "", 0.012)
    (piece,) = choose(page(index("000300", 1.0), extra)).formula.pieces
    assert piece[1] == (Leg(1.0, "000300"), Leg(1.0, rate=((0, 0.012),)))


def test_deposit_rates_of_the_central_bank():
    """Stops a rate of another term, and tax where there is none."""
    year = dict(deposit_rate("1年存款利率", ""))
    assert (year[20110707], year[20151024]) == (0.035, 0.015)
    assert max(year) == 20151024
    taxed = dict(deposit_rate("活期存款利率", "after_tax"))
    assert taxed[20020221] == pytest.approx(0.0072 * 0.8)
    assert taxed[20070815] == pytest.approx(0.0081 * 0.95)  # 20 % became 5 %
    assert taxed[20081009] == pytest.approx(0.0072)
    assert taxed[20151024] == pytest.approx(0.0035)
    assert deposit_rate("7天通知存款利率", "") == ((20120706, pytest.approx(0.0135)),)
    assert deposit_rate("同业存款利率", "") is None


#: The central bank's table 金融机构人民币存款基准利率: 活期, 三个月, 半年, 一年, 二年, 三年.
#: The first 12 changes, before 2002, are left out.
PUBLISHED = """
    2002.02.21 0.72 1.71 1.89 1.98 2.25 2.52
    2004.10.29 0.72 1.71 2.07 2.25 2.70 3.24
    2006.08.19 0.72 1.80 2.25 2.52 3.06 3.69
    2007.03.18 0.72 1.98 2.43 2.79 3.33 3.96
    2007.05.19 0.72 2.07 2.61 3.06 3.69 4.41
    2007.07.21 0.81 2.34 2.88 3.33 3.96 4.68
    2007.08.22 0.81 2.61 3.15 3.60 4.23 4.95
    2007.09.15 0.81 2.88 3.42 3.87 4.50 5.22
    2007.12.21 0.72 3.33 3.78 4.14 4.68 5.40
    2008.10.09 0.72 3.15 3.51 3.87 4.41 5.13
    2008.10.30 0.72 2.88 3.24 3.60 4.14 4.77
    2008.11.27 0.36 1.98 2.25 2.52 3.06 3.60
    2008.12.23 0.36 1.71 1.98 2.25 2.79 3.33
    2010.10.20 0.36 1.91 2.20 2.50 3.25 3.85
    2010.12.26 0.36 2.25 2.50 2.75 3.55 4.15
    2011.02.09 0.40 2.60 2.80 3.00 3.90 4.50
    2011.04.06 0.50 2.85 3.05 3.25 4.15 4.75
    2011.07.07 0.50 3.10 3.30 3.50 4.40 5.00
    2012.06.08 0.40 2.85 3.05 3.25 4.10 4.65
    2012.07.06 0.35 2.60 2.80 3.00 3.75 4.25
    2014.11.22 0.35 2.35 2.55 2.75 3.35 4.00
    2015.03.01 0.35 2.10 2.30 2.50 3.10 3.75
    2015.05.11 0.35 1.85 2.05 2.25 2.85 3.50
    2015.06.28 0.35 1.60 1.80 2.00 2.60 3.25
    2015.08.26 0.35 1.35 1.55 1.75 2.35 3.00
    2015.10.24 0.35 1.10 1.30 1.50 2.10 2.75
"""


def test_deposit_rates_are_the_published_table():
    """Stops a rate or a day that differs from what the central bank published."""
    table = [line.split() for line in PUBLISHED.split("\n") if line.strip()]
    assert len(table) == 26
    for at, term in enumerate(["活期", "3个月", "6个月", "1年", "2年", "3年"], start=1):
        published = {int(row[0].replace(".", "")): float(row[at]) / 100 for row in table}
        assert dict(deposit_rate(f"{term}存款利率", "")) == pytest.approx(published)
    assert deposit_rate("5年存款利率", "") is None  # not published since 2014
    notice = [deposit_rate(f"{of}存款利率", "") for of in ("1天通知", "7天通知", "协定")]
    assert [steps[-1][1] for steps in notice] == pytest.approx([0.0080, 0.0135, 0.0115])


def test_gold_and_unknown_names():
    """Stops a price without closes from being taken for an index."""
    assert quote_of("price", "上海黄金交易所Au99.99", "", "", None).closes == "Au99.99"
    assert quote_of("price", "布伦特原油", "", "", None) is None
    assert [currency_of(code) for code in ("000300", "HSI", "SPX", "Au99.99", "930709HKD", "CES120")] == [
        "CNY", "HKD", "USD", "CNY", "HKD", "",
    ]  # fmt: skip
