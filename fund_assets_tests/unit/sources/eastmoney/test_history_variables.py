"""Every variable of a history is declared, and one that is not is told."""

import gzip

import pytest

from fund_assets.sources.eastmoney import history_variables
from fund_assets.sources.eastmoney.history_variables import unknown, variables_of
from fund_assets_tests.server import wire

#: The form of before 2020: securities without a market number, no score, no curve.
OLD = (
    'var ishb=false;var fS_name = "华夏成长";var fS_code = "000001";var fund_sourceRate="1.50";'
    'var fund_Rate="0.15";var fund_minsg="100";var stockCodes=["0003380"];var zqCodes = "";'
    'var syl_1n="";var syl_6y="";var syl_3y="";var syl_1y="";'
    "var Data_netWorthTrend = [];var Data_ACWorthTrend = [];var Data_grandTotal = [];"
    "var Data_fluctuationScale = {};var swithSameType = [['000002_甲_1.2']];"
)
MONEY = (
    'var ishb=true;var fS_name = "余额宝";var fS_code = "000198";'
    "var Data_millionCopiesIncome = [];var Data_sevenDaysYearIncome = [];"
    "var Data_assetAllocationCurrency = {};var Data_assetAllocation = {};"
    "var Data_currentFundManager = [] ;"
)


def test_where_a_value_begins():
    """Stops a comment, a use of a name or a second declaration from moving a value."""
    text = "/*var*/var a = [1];a = 2;variety=3;var  b=4;var a = [5];"
    assert {name: text[at] for name, at in variables_of(text).items()} == {"a": "[", "b": "4"}
    assert text[variables_of(text)["a"] + 1] == "1"


@pytest.mark.parametrize("text", [OLD, MONEY], ids=["old", "money"])
def test_old_and_money_answers_are_declared(text):
    """Stops an answer of another kind or year from being told as new every evening."""
    assert len(variables_of(text)) == text.count("var ")
    assert unknown(variables_of(text)) == ()


def test_a_new_variable_is_named():
    """Stops what the source adds from being thrown away without a word."""
    body = wire.history("000001", "华夏成长", [20261118], [1.0], [1.0], [0])
    text = body.decode() + 'var Data_newFigure = {"var x": 1};'
    assert unknown(variables_of(text)) == ("Data_newFigure",)


def test_nothing_is_both_decoded_and_ignored():
    """Stops a variable that a table has from standing among those that are left out."""
    assert not history_variables.DECODED.keys() & history_variables.IGNORED.keys()
    assert all(history_variables.DECODED.values()) and all(history_variables.IGNORED.values())


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["161725_2026-02-27", "710001_2026-05-14"])
def test_recorded_answers_are_declared(real_data, name):
    """Stops a variable of a real answer from being neither decoded nor ignored by a reason."""
    path = real_data / "raw_payloads" / f"pingzhongdata_{name}.js.gz"
    found = variables_of(gzip.decompress(path.read_bytes()).decode("utf-8-sig"))
    assert len(found) == 27 and unknown(found) == ()
