"""What a history answer says of today: managers, top holdings and estimated positions."""

import gzip
import re

import pytest

from fund_assets.sources.eastmoney.decode_reports import decode_reports
from fund_assets.sources.eastmoney.history_variables import DECODED, IGNORED
from fund_assets_tests.server import wire

SIZE = {"categories": ["2026-06-30"], "series": [{"y": 6.0, "mom": "--"}]}
STOCKS = {
    "series": [{"name": "股票占净比", "data": [91.02]}],
    "categories": ["2026-09-30"],
}
MANAGER = {"id": "30081613", "name": "李守峰", "star": 4, "workTime": "10年又143天",
           "fundSize": "6.62亿(7只基金)"}  # fmt: skip
#: A midnight of Shanghai, 13 May 2026.
MAY_13 = 1_778_601_600_000
DAY = 86_400_000


def _read(**variables):
    return decode_reports(wire.history("000001", "甲", [], [], [], [], **variables), "000001")


def _only(**variables):
    told = _read(**variables)
    (one,) = [s for s in told.statements if s.table not in ("fund_size", "fund_allocation")]
    return one, told.refused


@pytest.mark.parametrize(
    "work, size, figures",
    [
        ("10年又143天", "6.62亿(7只基金)", (3_793, 662_000_000.0, 7)),
        ("143天", "85.5万(1只基金)", (143, 855_000.0, 1)),
        ("3年", "1.2万亿(30只基金)", (1_095, 1.2e12, 30)),
        ("--", "", (None, None, None)),
        (None, "0.31亿", (None, 31_000_000.0, None)),
    ],
)
def test_managers_of_today(work, size, figures):
    """Stops 亿 from being read as yuan, years from being lost, and blanks from being zero."""
    one, refused = _only(
        Data_currentFundManager=[{**MANAGER, "workTime": work, "fundSize": size}]
    )
    assert refused == () and one.table == "fund_manager"
    assert one.periods == {"30081613": ("李守峰", *figures)}


@pytest.mark.parametrize(
    "people",
    [
        {"id": "1"},
        ["李守峰"],
        [{**MANAGER, "id": ""}],
        [{**MANAGER, "name": None}],
        [MANAGER, {**MANAGER, "name": "申坤"}],
    ],
)
def test_managers_without_a_number_or_name_are_refused_together(people):
    """Stops half a list from looking as if the others had left the fund."""
    told = _read(Data_currentFundManager=people)
    assert told.statements == () and len(told.refused) == 1
    assert told.refused[0].startswith("000001: Data_currentFundManager: ")


def test_a_time_that_is_not_understood_keeps_what_is_stored_of_the_manager():
    """Stops a new wording from closing the row of a manager who is still there."""
    one, refused = _only(Data_currentFundManager=[{**MANAGER, "workTime": "long"}])
    assert one.periods == {} and one.unread == {"30081613"}
    assert refused == (
        "000001: Data_currentFundManager: 李守峰: workTime 'long' is not understood",
    )


@pytest.mark.parametrize(
    "quarters, period",
    [
        ({"Data_fluctuationScale": SIZE}, 20260630),
        ({"Data_fluctuationScale": SIZE, "Data_assetAllocation": STOCKS}, 20260930),
    ],
)
def test_holdings_have_their_market_and_the_newest_quarter_of_the_answer(quarters, period):
    """Stops a Hong Kong code from passing for one of Shenzhen, and a list without its date."""
    one, refused = _only(
        stockCodesNew=["0.000338", "116.00700", "105.NVDA"], zqCodesNew="1.118034,0.127012",
        **quarters,
    )  # fmt: skip
    assert refused == () and one.since == (period,)
    assert one.periods == {
        (period, "stock", 1): (0, "000338", None),
        (period, "stock", 2): (116, "00700", None),
        (period, "stock", 3): (105, "NVDA", None),
        (period, "bond", 1): (1, "118034", None),
        (period, "bond", 2): (0, "127012", None),
    }


@pytest.mark.parametrize(
    "codes, why",
    [
        (["000338"], "not a list of different codes"),
        (["1.600519", "1.600519"], "not a list of different codes"),
        ([7], "not a list of different codes"),
        ({"a": 1}, "not a list of different codes"),
    ],
)
def test_holdings_that_are_no_codes_are_refused(codes, why):
    """Stops a changed form from being stored as a list of holdings."""
    told = _read(stockCodesNew=codes, Data_fluctuationScale=SIZE)
    assert len(told.statements) == 1
    assert told.refused[0].startswith(f"000001: stockCodesNew: {why}")


def test_holdings_without_any_report_are_refused():
    """Stops a list from being stored at a date that nothing says."""
    told = _read(stockCodesNew=["1.600519"])
    assert told.statements == ()
    assert told.refused == (
        "000001: stockCodesNew: no allocation and no size say of which quarter it is",
    )


def test_positions_are_fractions_of_days():
    """Stops percent from being stored as a fraction, and a day from moving by its time zone."""
    one, refused = _only(Data_fundSharesPositions=[[MAY_13, 86.22], [MAY_13 + DAY, 95.0]])
    assert refused == () and one.since == 20260513
    assert one.periods == {20260513: (0.8622,), 20260514: (0.95,)}
    one, refused = _only(
        Data_fundSharesPositions=[[MAY_13, "x"], [MAY_13 + DAY, 201], [MAY_13 + 2 * DAY, 7]]
    )
    assert one.periods == {20260515: (0.07,)} and one.unread == {20260513, 20260514}
    assert refused == (
        "000001: Data_fundSharesPositions: 20260513: position: not a number: 'x'",
        "000001: Data_fundSharesPositions: 20260514: position: 201 cannot be",
    )


@pytest.mark.parametrize(
    "pairs",
    [
        {"a": 1},
        [[MAY_13]],
        [[MAY_13, 1], [MAY_13, 2]],
        [[MAY_13 + 1, 1]],
        [[-DAY, 1]],
        [[10**30, 1]],
        [["2026-05-13", 1]],
    ],
)
def test_positions_of_another_form_are_refused(pairs):
    """Stops a change of form from raising, or from giving figures to other days."""
    told = _read(Data_fundSharesPositions=pairs)
    assert told.statements == () and len(told.refused) == 1


@pytest.mark.parametrize("empty", [[], None, ""])
def test_empty_variables_say_nothing(empty):
    """Stops an answer without managers from ending the time of those who are stored."""
    told = _read(
        Data_currentFundManager=empty, stockCodesNew=empty, zqCodesNew=empty,
        Data_fundSharesPositions=empty,
    )  # fmt: skip
    assert told.statements == told.refused == told.unknown == ()


#: The variables of a fund with a NAV, of one before 2020 and of a money fund.
_ALL = ("fS_name", "fS_code", "fund_sourceRate", "fund_Rate", "fund_minsg", "stockCodes",
        "zqCodes", "stockCodesNew", "zqCodesNew", "syl_1n", "syl_6y", "syl_3y", "syl_1y",
        "Data_fundSharesPositions", "Data_netWorthTrend", "Data_ACWorthTrend",
        "Data_grandTotal", "Data_rateInSimilarType", "Data_rateInSimilarPersent",
        "Data_fluctuationScale", "Data_holderStructure", "Data_assetAllocation",
        "Data_performanceEvaluation", "Data_currentFundManager", "Data_buySedemption",
        "swithSameType", "ishb")  # fmt: skip
_NEWER = {"stockCodesNew", "zqCodesNew", "Data_fundSharesPositions", "fund_minsg"}
_OLD = tuple(name for name in _ALL if name not in _NEWER)
_MONEY = (*(n for n in _OLD if "Trend" not in n and "rateIn" not in n),
          "Data_millionCopiesIncome", "Data_sevenDaysYearIncome",
          "Data_assetAllocationCurrency")  # fmt: skip


@pytest.mark.parametrize("names", [_ALL, _OLD, _MONEY], ids=["new", "old", "money"])
def test_every_kind_of_answer_has_no_variable_that_is_not_declared(names):
    """Stops a variable from being dropped without a table or a reason; a new one is named."""
    body = "".join(f"var {name}=[];" for name in names).encode()
    assert decode_reports(body, "000001").unknown == ()
    told = decode_reports(body + b"var Data_new=[1];", "000001")
    assert told.unknown == ("Data_new",) and told.refused == ()
    assert not DECODED.keys() & IGNORED.keys()


@pytest.mark.real_data
@pytest.mark.parametrize("name, manager, first", [
    ("161725_2026-02-27", ("30379533", ("侯昊", 8 * 365 + 191, 57_441_000_000.0, 24)), "600519"),
    ("710001_2026-05-14", ("30081613", ("李守峰", 3_793, 662_000_000.0, 7)), "000338"),
])  # fmt: skip
def test_recorded_answers(real_data, name, manager, first):
    """Stops a real answer from being refused in part; read by hand from its bytes."""
    path = real_data / "raw_payloads" / f"pingzhongdata_{name}.js.gz"
    body = gzip.decompress(path.read_bytes())
    told = decode_reports(body, name[:6])
    assert told.refused == told.unknown == ()
    of = {one.table: one for one in told.statements}
    assert of["fund_manager"].periods == dict([manager])
    held = of["fund_top_holdings"].periods
    assert next(iter(held.values()))[1] == first
    quarter = max(of["fund_allocation"].periods)
    assert {period for period, _, _ in held} == {quarter}
    positions = [v for (v,) in of["fund_position_estimate"].periods.values()]
    assert 16 < len(positions) < 20 and all(0.6 < v < 1 for v in positions)
    names = set(re.findall(r"var\s+(\w+)\s*=", body.decode()))
    assert names <= set(_ALL) and names <= DECODED.keys() | IGNORED.keys()
