"""The decoder of a fund's whole history and of the events in it."""

from datetime import datetime
from math import nan
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from fund_assets.sources.eastmoney.decode_history import (
    decode_history,
    read_events,
    shanghai_dates,
)
from fund_assets.transport.errors import (
    EmptyAnswerError,
    FormatError,
    TruncatedError,
    WrongFundError,
)
from fund_assets_tests.server import wire

KEYS = [20261118, 20261119, 20261120]


def _body(unit=(1.0, 1.0390, 1.0302), acc=(1.0, None, 1.0385), growth=(0, 3.9, -0.05), **more):
    return wire.history("000001", "华夏成长", KEYS, unit, acc, growth, **more)


def test_figures_by_shanghai_date_with_nulls():
    """Dates read as UTC are all one day early; a null accumulated NAV is no zero."""
    frame, events = decode_history(_body(), "000001")
    assert frame["nav_date"].tolist() == KEYS and frame["nav_date"].dtype == "int32"
    assert frame["unit_nav"].tolist() == [1.0, 1.039, 1.0302]
    np.testing.assert_array_equal(frame["acc_nav"], [1.0, nan, 1.0385])
    assert frame["growth_pct"].tolist() == [0.0, 3.9, -0.05]
    assert set(frame["defect"]) == {""} and events.empty
    assert events["ex_date"].dtype == "int32" and events["value"].dtype == "float64"


def test_a_name_that_stands_first_is_not_yet_the_variable():
    """Stops a text that begins with the name alone from hiding what is assigned to it later."""
    body = b"Data_netWorthTrend;" + _body()
    assert decode_history(body, "000001")[0]["nav_date"].tolist() == KEYS


def test_dates_agree_with_the_time_zone_database():
    """The arithmetic knows one offset: check it against the zone for every year of funds."""
    zone = ZoneInfo("Asia/Shanghai")
    days = [
        datetime(year, month, 1, tzinfo=zone) for year in range(1998, 2031) for month in (1, 7)
    ]
    stamps = [int(day.timestamp()) * 1000 for day in days]
    assert shanghai_dates(stamps, "x").tolist() == [int(f"{day:%Y%m%d}") for day in days]


@pytest.mark.parametrize("stamp", [1, "1432656000000", 1432656000000.0, -1, True, 10**15])
def test_what_is_no_midnight_in_shanghai_is_refused(stamp):
    """A stamp in seconds or UTC would shift every date without a word."""
    with pytest.raises(FormatError):
        shanghai_dates([1432656000000, stamp], "x")


@pytest.mark.parametrize(
    "text, events",
    [
        ("分红：每份派现金0.05元", [("dividend", 0.05)]),
        ("每10份派现金0.5元", [("dividend", 0.05)]),
        ("分红：每100份派现金1.23元", [("dividend", 0.0123)]),
        ("拆分：每份基金份额折算1.018012713份", [("split", 1.018012713)]),
        ("每份基金份额分拆3.0份", [("split", 3.0)]),
        ("拆分：每份基金份额拆分0.01份", [("split", 0.01)]),
        ("拆分：1:1.4942", [("split", 1.4942)]),
        ("1：2", [("split", 2.0)]),
        (
            "分红：每份派现金0.05元;拆分：每份基金份额折算2份",
            [("dividend", 0.05), ("split", 2.0)],
        ),
        ("分红：每份派现金0.05元 拆分：1:0.5", [("dividend", 0.05), ("split", 0.5)]),
        ("拆分：每份基金份额折算--份", [("split", nan)]),
        ("1:--", [("split", nan)]),
        ("拆分：暂未披露", [("split", nan)]),
        (
            "分红：每份派现金0.05元 拆分：每份基金份额折算--份",
            [("dividend", 0.05), ("split", nan)],
        ),
        ("每份基金份额折算0.01份", [("split", 0.01)]),
        ("每10份基金份额折算12份", [("split", 1.2)]),
        ("每份派现金0.05元，每份派现金0.02元", [("dividend", 0.05 + 0.02)]),
        ("每份基金份额分拆2份，每份基金份额折算1.5份", [("split", 3.0)]),
        ("每10份基金份额派发现金红利1.2元", [("dividend", 0.12)]),
        ("分红：每份派现金0.05美元", []),
        ("每份派现金0.05元，另有安排", []),
        ("每0份派现金0.05元", []),
        ("拆分：11:1.4942", []),
        ("送股", []),
    ],
)
def test_event_wordings(text, events):
    """A wording half understood is a wrong dividend: all of it is read, or none."""
    found = read_events(text)
    assert [kind for kind, _ in found] == [kind for kind, _ in events]
    np.testing.assert_allclose([v for _, v in found], [v for _, v in events], rtol=1e-15)


def test_events_carry_date_value_and_text():
    """akshare drops unitMoney: without it every dividend looks like a loss."""
    texts = {20261119: "分红：每份派现金0.0083元", 20261120: "拆分：每份基金份额折算2份"}
    frame, events = decode_history(_body(events=texts), "000001")
    assert list(events.itertuples(index=False, name=None)) == [
        ("000001", 20261119, "dividend", 0.0083, texts[20261119]),
        ("000001", 20261120, "split", 2.0, texts[20261120]),
    ]
    assert set(frame["defect"]) == {""}


def test_an_unknown_wording_holds_its_date_and_no_other():
    """One odd text in twenty years must not cost the fund its history."""
    frame, events = decode_history(_body(events={20261119: "送" * 200}), "000001")
    assert events.empty
    assert frame["defect"].tolist() == ["", f"event: unknown wording: '{'送' * 80}'", ""]


@pytest.mark.parametrize(
    "literal", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1E+400", '"1.2x"']
)
def test_json_that_is_no_finite_number_is_a_defect(literal):
    """Python's JSON reader takes NaN and Infinity, and reads 1e400 as infinity."""
    body = _body().replace(b'"y":1.039', f'"y":{literal}'.encode())
    frame, _ = decode_history(body, "000001")
    text = literal.strip('"')
    assert frame["defect"].tolist() == ["", f"unit_nav: not a number: '{text}'", ""]
    np.testing.assert_array_equal(frame["unit_nav"], [1.0, nan, 1.0302])


def test_a_variable_is_where_it_is_declared_first():
    """Stops a later mention of a list, as scripts of pages have them, from hiding its values."""
    body = _body()
    told, at = decode_history(body, "000001")[0], body.rindex(b"var ")
    mention = b"if(Data_netWorthTrend.length){draw(Data_netWorthTrend);}"
    again = b"var Data_netWorthTrend = [];"
    for more in (mention, again, mention + again):
        longer = body[:at] + more + body[at:]
        pd.testing.assert_frame_equal(decode_history(longer, "000001")[0], told)


def test_exponents_of_small_numbers_are_numbers():
    """JSON writers put 0.00001 as 1.0E-5."""
    frame, _ = decode_history(_body().replace(b'"y":1.039', b'"y":1.0E-5'), "000001")
    assert frame["unit_nav"].tolist() == [1.0, 1e-5, 1.0302]


def test_a_money_fund_has_yields():
    """Read as a NAV fund it would be refused, or its yield stored as a price."""
    body = wire.money_history("000009", "货币", KEYS, [21.2775, 0.379, 0.38], [2.1, 2.2, 2.3])
    frame, events = decode_history(body, "000009")
    assert frame["yield_per_10k"].tolist() == [21.2775, 0.379, 0.38]
    assert frame["yield_7d_pct"].tolist() == [2.1, 2.2, 2.3]
    assert frame["unit_nav"].isna().all() and events.empty


def test_a_date_twice():
    """Two points of one date would break the key; unequal ones must not be chosen between."""
    twice = wire.history("000001", "x", [20261119, 20261119], [1.0, 1.1], [2.0, 2.0], [0, 0])
    frame, _ = decode_history(twice, "000001")
    assert frame["defect"].tolist() == [
        "Data_netWorthTrend lists it twice: unit_nav 1.0 and 1.1"
    ]


@pytest.mark.parametrize(
    "error, said, body",
    [
        (WrongFundError, "requested the history of fund 000001, the answer is that of '999999'",
         _body().replace(b'fS_code = "000001"', b'fS_code = "999999"')),
        (FormatError, "no fS_code; it starts with 'hello;'", b"hello;"),
        (FormatError, "neither Data_netWorthTrend nor", b'var fS_code = "000001";'),
        (FormatError, "no Data_ACWorthTrend", _body().replace(b"Data_ACWorthTrend", b"Data_X")),
        (FormatError, r"lacks one of \['equityReturn'", _body().replace(b"equityReturn", b"growth")),
        (FormatError, "is not a list", _body().replace(b"Data_ACWorthTrend = [", b"Data_ACWorthTrend = {}+[")),
        (FormatError, "is not a pair", _body().replace(b",1.0385]", b",1.0385,1]")),
        (FormatError, "is not valid JSON", _body().replace(b"3.9", b"3.9.1")),
        (TruncatedError, "is incomplete", _body()[:-5]),
        (EmptyAnswerError, "has no date", wire.history("000001", "x", [], [], [], [])),
        (EmptyAnswerError, "is empty", b""),
    ],
)  # fmt: skip
def test_any_other_form_is_refused_with_what_was_met(error, said, body):
    """A history that is another fund's, or half of one, must never be merged."""
    with pytest.raises(error, match=said):
        decode_history(body, "000001")


def test_a_history_cut_anywhere_is_refused_or_whole():
    """Whatever byte an answer ends at, no shorter history may come out of it."""
    body = _body()
    whole, _ = decode_history(body, "000001")
    for length in range(len(body)):
        with pytest.raises((TruncatedError, FormatError, EmptyAnswerError)):
            decode_history(body[:length], "000001")
    assert len(whole) == 3


def test_the_variable_that_lists_a_date_twice_and_the_point_that_lacks_a_key_are_named():
    """Stops a person from looking for the fault in the wrong place of the answer."""
    body = _body().replace(
        b"[1795104000000,1.0385]", b"[1795104000000,1.0385],[1795104000000,1.0386]"
    )
    assert body != _body()
    frame, _ = decode_history(body, "000001")
    assert (
        frame["defect"].iloc[2].startswith("Data_ACWorthTrend lists it twice: acc_nav 1.0385")
    )
    one = _body().replace(b'"equityReturn":3.9', b'"growth":3.9')
    with pytest.raises(FormatError, match=r"lacks one of .*'growth': 3.9"):
        decode_history(one, "000001")


@pytest.mark.parametrize("again, refused", [(2, False), (3, True)])
def test_a_history_of_repeated_pages_is_refused(again, refused):
    """A source that gives one page again and again would stand for a whole history.

    Both variables repeat: 4 points more are let pass, 6 are not.
    """
    keys = [*KEYS, *([KEYS[-1]] * again)]
    body = wire.history(
        "000001", "x", keys, [1.0] * len(keys), [1.0] * len(keys), [0] * len(keys)
    )
    if refused:
        with pytest.raises(
            TruncatedError, match=rf"holds {2 * again + 3} points of only 3 dates"
        ):
            decode_history(body, "000001")
    else:
        assert decode_history(body, "000001")[0]["nav_date"].tolist() == KEYS


@pytest.mark.parametrize("odd", ["1432656000000", -1, 10**14, 1.5, None])
def test_the_stamp_that_is_none_is_named(odd):
    """A refusal that names a sound stamp sends its reader the wrong way."""
    with pytest.raises(FormatError, match="is not a time in milliseconds") as told:
        shanghai_dates([1432656000000, odd], "the history")
    assert str(odd) in str(told.value) and "the history" in str(told.value)
    for off in (1, -86_400_000 * 30_000 + 1432656000000 % 86_400_000):
        with pytest.raises(FormatError, match=r"is not midnight|is not a time"):
            shanghai_dates([1432656000000, 1432656000000 + off], "x")


@pytest.mark.parametrize(
    "day, fits", [(19900101, True), (19891231, False), (21001231, True), (21010101, False)]
)
def test_years_of_funds_are_1990_to_2100(day, fits):
    """A stamp with a digit too many or too few is another century."""
    moment = datetime.strptime(f"{day} +0800", "%Y%m%d %z")
    stamp = int(moment.timestamp()) * 1000
    if fits:
        assert shanghai_dates([stamp], "x").tolist() == [day]
    else:
        with pytest.raises(FormatError):
            shanghai_dates([stamp], "x")
