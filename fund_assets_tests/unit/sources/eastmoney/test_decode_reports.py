"""What a history answer says of size, holders and allocation."""

import gzip

import pytest

from fund_assets.nav.reports import Statement, doubts, size_off
from fund_assets.sources.eastmoney.decode_history import decode_history
from fund_assets.sources.eastmoney.decode_reports import decode_reports
from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.transport.http_answer import Answer
from fund_assets_tests.server import wire

SCALE = {
    "categories": ["2026-03-31", "2026-06-30"],
    "series": [{"y": 6.06, "mom": "7.24%"}, {"y": 0.57, "mom": "--"}],
}
HOLDERS = {
    "series": [
        {"name": "机构持有比例", "data": [49.11]},
        {"name": "个人持有比例", "data": [50.89]},
        {"name": "内部持有比例", "data": [0.0075]},
    ],
    "categories": ["2025-12-31"],
}
SHARES = {
    "series": [
        {"name": "期间申购", "data": [0.01, 0.1]},
        {"name": "期间赎回", "data": [0.11, 0.27]},
        {"name": "总份额", "data": [1.89, 1.71]},
    ],
    "categories": ["2026-03-31", "2026-06-30"],
}
ALLOCATION = {
    "series": [
        {"name": "股票占净比", "type": None, "data": [91.02, 0], "yAxis": 0},
        {"name": "债券占净比", "type": None, "data": [4.73, None], "yAxis": 0},
        {"name": "现金占净比", "type": None, "data": [5.1, "8.40"], "yAxis": 0},
        {"name": "净资产", "type": "line", "data": [6.0105, 8.5729], "yAxis": 1},
    ],
    "categories": ["2026-03-31", "2026-06-30"],
}


def _read(**variables):
    return decode_reports(wire.history("000001", "甲", [], [], [], [], **variables), "000001")


def test_units_and_nulls():
    """Stops 亿 from being stored as yuan, percent as a fraction, and null as zero."""
    told = _read(
        Data_fluctuationScale=SCALE, Data_holderStructure=HOLDERS,
        Data_assetAllocation=ALLOCATION, Data_buySedemption=SHARES,
    )  # fmt: skip
    assert told.refused == told.unknown == ()
    assert told.statements == (
        Statement(
            "fund_size", ("net_assets", "net_assets_change"),
            {20260331: (606_000_000.0, 0.0724), 20260630: (57_000_000.0, None)},
        ),
        Statement(
            "fund_holders", ("institutions", "individuals", "insiders"),
            {20251231: (0.4911, 0.5089, 0.000075)},
        ),
        Statement(
            "fund_allocation", ("stocks", "bonds", "cash", "net_assets"),
            {
                20260331: (0.9102, 0.0473, 0.051, 601_050_000.0),
                20260630: (0.0, None, 0.084, 857_290_000.0),
            },
        ),
        Statement(
            "fund_size", ("subscribed_shares", "redeemed_shares", "total_shares"),
            {
                20260331: (1_000_000.0, 11_000_000.0, 189_000_000.0),
                20260630: (10_000_000.0, 27_000_000.0, 171_000_000.0),
            },
        ),
    )  # fmt: skip


def test_the_allocation_variable_of_a_money_fund_has_its_shares():
    """Stops shares of a money fund from being read as parts of net assets."""
    (told,) = _read(Data_assetAllocation=SHARES).statements
    assert (told.table, told.columns[2]) == ("fund_size", "total_shares")
    assert told == _read(Data_buySedemption=SHARES).statements[0]
    cash = {"series": ALLOCATION["series"][2:], "categories": ALLOCATION["categories"]}
    (told,) = _read(Data_assetAllocationCurrency=cash).statements
    assert (told.table, told.columns) == ("fund_allocation", ("cash", "net_assets"))


@pytest.mark.parametrize("empty", [{}, [], None, "", {"series": [], "categories": []}])
def test_an_empty_variable_says_nothing(empty):
    """Stops an answer without figures from being refused, or from taking periods back."""
    told = _read(Data_fluctuationScale=empty, Data_holderStructure=empty)
    assert told.statements == told.refused == ()


@pytest.mark.parametrize(
    "cell, why",
    [
        ("x", "总份额: not a number: 'x'"),
        (-1, "总份额: -1 cannot be"),
        (1e6, "总份额: 1000000.0 cannot be"),
    ],
)
def test_a_bad_cell_costs_its_period_alone(cell, why):
    """Stops a bad figure from being stored, and from costing the figures around it."""
    series = [*SHARES["series"][:2], {"name": "总份额", "data": [cell, 1.71]}]
    told = _read(Data_buySedemption={**SHARES, "series": series}, Data_fluctuationScale=SCALE)
    assert told.refused == (f"000001: Data_buySedemption: 20260331: {why}",)
    size, shares = told.statements
    assert len(size.periods) == 2 and set(shares.periods) == {20260630}
    assert shares.unread == {20260331}


def test_what_ends_no_period_is_refused():
    """Stops a report of a month or a holders' quarter from standing among the others."""
    odd = {**SCALE, "categories": ["2026-04-30", "soon"]}
    told = _read(
        Data_fluctuationScale=odd,
        Data_holderStructure={**HOLDERS, "categories": ["2026-03-31"]},
    )
    assert told.refused == (
        "000001: Data_fluctuationScale: '2026-04-30' is not the end of a period",
        "000001: Data_fluctuationScale: 'soon' is not the end of a period",
        "000001: Data_holderStructure: '2026-03-31' is not the end of a period",
    )
    assert all(not one.periods for one in told.statements)


def test_over_200_percent_is_refused_and_200_is_not():
    """Stops an allocation that no fund may have; a bond fund with loans may have much."""
    series = [
        {"name": "股票占净比", "data": [100, 100.01]},
        {"name": "债券占净比", "data": [100, 100]},
    ]
    told = _read(Data_assetAllocation={**ALLOCATION, "series": series})
    assert set(told.statements[0].periods) == {20260331}
    assert told.refused == (
        "000001: Data_assetAllocation: 20260630: stocks, bonds and cash are over 200 % of "
        "net assets",
    )


@pytest.mark.parametrize(
    "broken",
    [
        [1],
        {"categories": ["2026-03-31"]},
        {"categories": ["2026-03-31"], "series": [1]},
        {"categories": ["2026-03-31"], "series": [{"name": "总份额", "data": [1, 2]}]},
        {"categories": ["2026-03-31"] * 2, "series": [{"name": "总份额", "data": [1, 2]}]},
    ],
)
def test_another_form_is_refused_as_a_whole(broken):
    """Stops a change of form from raising, or from moving figures to other periods."""
    told = _read(Data_buySedemption=broken)
    assert told.statements == () and len(told.refused) == 1
    assert told.refused[0].startswith("000001: Data_buySedemption: ")


def test_a_new_list_and_a_new_variable_are_named():
    """Stops a new kind of asset from being left out of the allocation without a word."""
    series = [*ALLOCATION["series"], {"name": "存托凭证占净比", "data": [1, 2]}]
    told = _read(Data_assetAllocation={**ALLOCATION, "series": series}, Data_new=[])
    assert told.unknown == ("Data_new", "Data_assetAllocation 存托凭证占净比")
    assert len(told.statements[0].periods) == 2


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name, size, shares",
    [
        ("161725_2026-02-27", (28_495_000_000.0, -0.1182), 40_142_000_000.0),
        ("710001_2026-05-14", (526_000_000.0, -0.2508), 141_000_000.0),
    ],
)
def test_recorded_answers(real_data, name, size, shares):
    """Stops a real answer from being refused in part; read by hand from its bytes."""
    path = real_data / "raw_payloads" / f"pingzhongdata_{name}.js.gz"
    told = decode_reports(gzip.decompress(path.read_bytes()), name[:6])
    assert told.refused == told.unknown == ()
    assert [len(one.periods) for one in told.statements[:4]] == [5, 4, 4, 4]
    assert max(told.statements[0].periods.items())[1] == size
    assert max(told.statements[3].periods.items())[1][2] == shares
    assert doubts(name[:6], told.statements) == []
    navs, _ = decode_history(gzip.decompress(path.read_bytes()), name[:6])
    nav = dict(zip(navs["nav_date"], navs["unit_nav"], strict=True))
    assets, held = told.statements[0].periods, told.statements[3].periods
    assert len(both := assets.keys() & held.keys() & nav.keys()) == 4
    assert not [p for p in both if size_off(assets[p][0], held[p][2], nav[p])]


def test_a_history_brings_its_reports():
    """Stops the source from asking twice, or from leaving the reports of an answer behind."""

    class Once:
        def fetch(self, endpoint, url, **asked):
            body = wire.history(
                "000001", "甲", [20260731], [1.0], [1.0], [0], Data_fluctuationScale=SCALE
            )
            return Answer(endpoint, url, 200, {}, body, "x")

    history = EastmoneySource(Once()).history("000001", kind="mixed")
    (told,) = history.reports.statements
    assert told.periods[20260331] == (606_000_000.0, 0.0724)
    assert history.observations["unit_nav"].tolist() == [1.0]
