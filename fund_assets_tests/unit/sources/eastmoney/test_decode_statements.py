"""What a history answer states of return, rank and score."""

import gzip
import json
import re

import numpy as np
import pytest

from fund_assets.sources.eastmoney.decode_history import decode_history
from fund_assets.sources.eastmoney.decode_statements import decode_statements
from fund_assets_tests.server import wire

NEWEST = 20260918
DAY, BEFORE = wire.milliseconds([NEWEST, 20260917])


def _read(**variables):
    body = wire.history("000001", "甲", [], [], [], [], **variables)
    return decode_statements(body, "000001", NEWEST)


def _curve(name, last, day=DAY):
    return {"name": name, "data": [[BEFORE, 0], [day, last]]}


def test_months_are_months_and_blanks_are_nothing():
    """Stops 近1月 from being stored as a year, for the variable of a month is named 1y."""
    stated = _read(syl_1n="54.98", syl_6y="-3.39", syl_3y="", syl_1y="0")
    assert stated.figures == {
        ("return_1y", NEWEST): 54.98,
        ("return_6m", NEWEST): -3.39,
        ("return_1m", NEWEST): 0.0,
    }
    assert stated.refused == stated.unknown == ()


def test_ranks_of_each_day():
    """Stops a rank from another day, and one that cannot be, from being stored."""
    points = [
        {"x": BEFORE, "y": 39, "sc": "353"},
        {"x": DAY, "y": 400, "sc": "353"},
    ]
    stated = _read(Data_rateInSimilarType=points)
    assert [c.tolist() for c in (stated.rank_days, stated.ranks, stated.peers)] == [
        [20260917], [39], [353],
    ]  # fmt: skip
    assert stated.refused == (
        "000001: Data_rateInSimilarType: 20260918: rank 400 of 353 cannot be",
    )
    again = [points[0], points[0], {"x": DAY, "y": None, "sc": None}]
    stated = _read(Data_rateInSimilarType=again)
    assert stated.rank_days.tolist() == [20260917] and len(stated.refused) == 1
    for odd in ({"x": 1}, [[BEFORE, 3]], [{"x": 5, "y": 1, "sc": 2}]):
        stated = _read(Data_rateInSimilarType=odd)
        assert len(stated.rank_days) == 0 and len(stated.refused) == 1, odd
    assert _read(Data_rateInSimilarType=[]).refused == ()


def test_last_points_of_curves():
    """Stops the mean of the peers from being taken for the fund, and an old curve for today's."""
    curves = [_curve("甲", -3.39), _curve("同类平均", 14.99), _curve("沪深300", 6.3)]
    stated = _read(syl_6y="-3.39", Data_grandTotal=curves)
    assert stated.figures[("peers_6m", NEWEST)] == 14.99
    assert stated.figures[("csi300_6m", NEWEST)] == 6.3
    assert len(stated.figures) == 3 and stated.refused == ()
    stated = _read(syl_6y="-3.5", Data_grandTotal=[*curves, _curve("中证500", 1)])
    assert stated.refused == ("000001: Data_grandTotal: ends at -3.39 %, and syl_6y is -3.5 %",)
    assert stated.unknown == ("Data_grandTotal 中证500",)
    old = [_curve("甲", 1), _curve("同类平均", 2, BEFORE)]
    assert _read(Data_grandTotal=old).figures == {}
    for odd in ([{"name": "甲"}], ["甲"], 3):
        assert len(_read(Data_grandTotal=odd).refused) == 1, odd


@pytest.mark.parametrize("none", [None, "暂无数据", {"avr": "暂无数据", "categories": None}])
def test_no_score_is_none(none):
    """Stops a fund that has no score from being told every evening."""
    stated = _read(Data_performanceEvaluation=none)
    assert stated.figures == {} and (none == "暂无数据" or stated.refused == ())


def test_score_and_its_parts():
    """Stops parts from changing their names, and a new part from being thrown away."""
    names, data = ["选证能力", "收益率", "新能力", "管理规模"], [70.0, "80.0", 60.0, None]
    value = {"avr": "74.75", "categories": names, "dsc": [], "data": data}
    stated = _read(Data_performanceEvaluation=value)
    assert stated.figures == {
        ("score", NEWEST): 74.75,
        ("score_selection", NEWEST): 70.0,
        ("score_return", NEWEST): 80.0,
    }
    assert stated.unknown == ("Data_performanceEvaluation 新能力",)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("code", "day", "returns"),
    [
        ("161725", "2026-02-27", [-13.69, -18.14, -11.61, 0.34]),
        ("710001", "2026-05-14", [54.98, -3.39, 11.65, 15.48]),
    ],
)
def test_recorded_answers(real_data, code, day, returns):
    """Stops a real figure from being refused or lost; the percentile, which no table has, is
    the rank in another form on every day."""
    path = real_data / "raw_payloads" / f"pingzhongdata_{code}_{day}.js.gz"
    body = gzip.decompress(path.read_bytes())
    newest = int(decode_history(body, code)[0]["nav_date"].max())
    stated = decode_statements(body, code, newest)
    assert stated.refused == stated.unknown == ()
    whats = ("return_1y", "return_6m", "return_3m", "return_1m")
    assert [stated.figures[what, newest] for what in whats] == returns
    assert len(stated.figures) == 12 and stated.rank_days[-1] == newest
    found = re.search(r"Data_rateInSimilarPersent\s*=\s*(\[.*?\]\])", body.decode())
    percent = np.array([value for _, value in json.loads(found[1])])
    assert len(percent) == len(stated.ranks)
    assert (np.abs(100 * (1 - stated.ranks / stated.peers) - percent) < 0.00501).all()
