"""The language of `screen`: what it understands, and what it says when it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund_assets.metrics.screen import (
    FACTS,
    NUMBERS,
    YIELDS,
    ScreenError,
    column,
    operand,
    parse,
)


@pytest.mark.parametrize(
    ("text", "window", "conditions"),
    [
        ("window=3y sharpe_ratio>1 max_drawdown>-0.2", "3y",
         (("sharpe_ratio", ">", 1.0), ("max_drawdown", ">", -0.2))),
        ("beta<=0.5, alpha != 0 and current_drawdown>=-5%", "1y",
         (("beta", "<=", 0.5), ("alpha", "!=", 0.0), ("current_drawdown", ">=", -0.05))),
        ("observations==250;window=ytd", "ytd", (("observations", "=", 250.0),)),
        ("total_return > 1e-3", "1y", (("total_return", ">", 0.001),)),
        ("", "1y", ()),
    ],
)  # fmt: skip
def test_what_is_understood(text, window, conditions):
    """Stops a sign, separator or percent from being read as another."""
    found = parse(text)
    assert (found.window, found.conditions) == (window, conditions)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sharp_ratio>1", "unknown metric 'sharp_ratio': did you mean sharpe_ratio"),
        ("reason=1", "unknown metric 'reason'"),
        ("xyz>1", "choose from coverage, observations"),
        ("window=9y", "choose from 1m, 3m"),
        ("window>1y", "write window=1y"),
        ("beta>abc", "beta: 'abc' is not a number"),
        ("beta>nan", "'nan' is not a number"),
        ("beta>inf", "'inf' is not a number"),
        ("beta 1", "'beta 1' is not a condition"),
        ("beta>1 or alpha>0", "'or alpha>0' is not a condition"),
        ("beta>1; DROP TABLE fund_metrics", "is not a condition"),
        ("1=1", "unknown metric '1'"),
        ("purchasable=maybe", "purchasable=maybe: write purchasable=yes or purchasable=no"),
        ("purchasable>yes", "purchasable>yes: write purchasable=yes"),
        ("fee<cheap", "fee: 'cheap' is not a number"),
    ],
)
def test_what_is_refused_with_words(text, words):
    """Stops unknown names and broken conditions from being left out in silence."""
    with pytest.raises(ScreenError) as error:
        parse(text)
    assert words in str(error.value)


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused(text):
    """Stops any other error, and any name that is no column, from getting through."""
    try:
        found = parse(text)
    except ScreenError:
        return
    assert all(name in (*NUMBERS, *FACTS, *YIELDS) for name, _, _ in found.conditions)


def test_columns_are_numbers_of_the_table():
    """Stops text columns and the key from being compared with numbers."""
    assert column("max_drawdown_days") == "max_drawdown_days"
    for name in ("fund_code", "calc_date", "status", "definition_version", "end_date"):
        with pytest.raises(ScreenError):
            column(name)


def test_chinese_words_are_the_same_question():
    """Stops a reader of the tables' Chinese headings from having to look up column names."""
    asked = parse("窗口=近3年 夏普比率＞1，最大回撤≥-20％")
    assert asked == parse("window=3y sharpe_ratio>1 max_drawdown>=-20%")
    assert column("VaR95%") == "var_95"


def test_what_can_be_bought_and_its_fees_are_conditions():
    """Stops a fee from being taken for a metric, and `no` from being taken for no condition."""
    found = parse("purchasable=yes fee<0.2% full_fee<=1%")
    assert (found.purchasable, found.conditions) == (
        True,
        (("fee", "<", 0.002), ("full_fee", "<=", 0.01)),
    )
    assert parse("可申购=是 申购费率<0.2% 原申购费率<=1%") == found
    assert parse("purchasable=no").purchasable is False
    assert parse("fee<0.2%").purchasable is None


def test_tenure_is_a_condition_in_years():
    """Stops `3y` from being read as a window, and years from being taken for another column."""
    (found,) = parse("manager_tenure>3y").conditions
    assert found == ("manager_tenure", ">", 3.0)
    for text in ("经理任职年限＞3年", "manager_tenure>3", "manager_tenure > 3Y"):
        assert parse(text).conditions == (found,)
    with pytest.raises(ScreenError, match="not a number"):
        parse("size>3y")
    assert operand("经理任职年限") == "manager_tenure"


def test_4433_has_its_companions():
    """Stops the size band or the scores from being refused next to each other."""
    text = "passes_4433=1 size>=2e8 size<=1e10 manager_tenure>=3y stars>=4 composite_score>80"
    assert [name for name, _, _ in parse(text).conditions] == [
        "passes_4433", "size", "size", "manager_tenure", "stars", "composite_score",
    ]  # fmt: skip
    assert parse("通过4433=1 星级≥4") == parse("passes_4433=1 stars>=4")


def test_size_is_a_condition():
    """Stops size from being taken for a metric, or 2e9 yuan from being read as a text."""
    assert parse("size>2e9").conditions == (("size", ">", 2e9),)
    assert parse("规模≤5000000000") == parse("size<=5e9")
