"""Cells: what is a number, what is not yet there, and how several sightings become one."""

from math import nan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund_assets.sources.eastmoney.cells import Defects, numbers, observations, unite
from fund_assets.sources.protocol import OBSERVATION_COLUMNS, empty_observations

EVIL = {
    "1e400": "'1e400'",
    "1e5": "'1e5'",
    "NaN": "'NaN'",
    "Infinity": "'Infinity'",
    "-inf": "'-inf'",
    "'; drop table fund_nav; --": '"\'; drop table fund_nav; --"',
    "1.23😀": "'1.23😀'",
    "１.２３": "'１.２３'",
    "١٫٢": "'١٫٢'",
    "1.2345x": "'1.2345x'",
    "1.2345\n": "'1.2345\\n'",
    " 1.2345": "' 1.2345'",
    "1,234.5": "'1,234.5'",
    "0x1p3": "'0x1p3'",
    "1_000": "'1_000'",
    "+1.0": "'+1.0'",
    ".5": "'.5'",
    "5.": "'5.'",
    "--1": "'--1'",
    "----": "'----'",
    "null": "'null'",
    "\x001": "'\\x001'",
    "9" * 400: f"'{'9' * 80}'",
    "x" * 10_000: f"'{'x' * 80}'",
}


@pytest.mark.parametrize("text", EVIL)
def test_what_is_no_plain_number_is_a_defect(text):
    """float() takes NaN, Infinity, 1_000, full-width digits and blanks around a number."""
    defects = Defects()
    values = numbers(["1.5", text], "unit_nav", defects)
    assert values[0] == 1.5 and np.isnan(values[1])
    assert defects.by_row == {1: f"unit_nav: not a number: {EVIL[text]}"}


@pytest.mark.parametrize("cell", [True, [1], {"a": 1}, float("inf"), 10**400, 1e301])
def test_json_values_that_are_no_finite_number_are_defects(cell):
    """JSON booleans count as 1 in Python, huge integers overflow to an exception."""
    defects = Defects()
    assert np.isnan(numbers([cell], "acc_nav", defects)).all()
    assert defects.by_row[0].startswith("acc_nav: not a number: ")
    assert len(defects.by_row[0]) < 110


def test_blanks_are_not_yet_published():
    """A blank read as zero or as a defect would hold back every late fund each evening."""
    defects = Defects()
    assert np.isnan(numbers(["", "--", "---", None], "unit_nav", defects)).all()
    assert not defects.by_row


def test_negative_zero_and_percent():
    """Whether a NAV may be zero or negative is the rules' business, not the decoder's."""
    defects = Defects()
    values = numbers(["-1.2", "0.0000", "1.7330%", "-0.05%", "5%%"], "x", defects, unit="%")
    assert values[:4].tolist() == [-1.2, 0.0, 1.733, -0.05]
    assert list(defects.by_row) == [4]


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=4))
def test_numbers_are_exact(value):
    """A decimal parsed by way of anything but float(text) may differ in its last bit."""
    text = f"{value:.4f}"
    assert numbers([text], "unit_nav", Defects())[0] == float(text)


def _page(*rows, bad=()):
    defects = Defects(dict(bad))
    codes, unit, acc = zip(*rows, strict=True)
    figures = {"unit_nav": np.array(unit, float), "acc_nav": np.array(acc, float)}
    return observations(codes, 20261120, figures, defects)


def test_unite_keeps_rows_that_stand_once():
    """Without double rows nothing may be copied, reordered or counted."""
    page = _page(("000001", 1, 2), ("000002", 3, 4))
    united, equal = unite({"open": page, "empty": empty_observations()})
    pd.testing.assert_frame_equal(united, page)
    assert equal == 0 and list(united.columns) == OBSERVATION_COLUMNS


def test_unite_fills_gaps_counts_equals_and_names_both_values_where_pages_differ():
    """A fund on two pages must be one row, and a contradiction must not be decided here."""
    first = _page(("000001", 1.0, 2.0), ("000002", nan, 4.0), ("000001", 1.0, 2.0))
    second = _page(("000002", 3.0, 4.0), ("000001", 1.5, 2.0), ("510300", 9.0, nan))
    united, equal = unite({"open": first, "exchange": second})
    rows = united.set_index("fund_code")
    assert equal == 1 and len(united) == 3
    assert rows.loc["000001", "unit_nav"] == 1.0
    assert (
        rows.loc["000001", "defect"]
        == "sources disagree: unit_nav 1.0 in open, 1.5 in exchange"
    )
    assert rows.loc["000002", ["unit_nav", "acc_nav", "defect"]].tolist() == [3.0, 4.0, ""]
    assert rows.loc["510300", "unit_nav"] == 9.0
    assert united["nav_date"].dtype == "int32"


def test_unite_keeps_defects_and_finds_contradictions_within_a_page():
    """A row with a defect must not be washed clean by a sibling that has none."""
    page = _page(
        ("000001", 1.0, nan), ("000001", 1.2, nan), ("000002", nan, nan), bad={2: "odd"}
    )
    other = _page(("000002", 5.0, nan))
    united, equal = unite({"open": page, "money": other})
    rows = united.set_index("fund_code")["defect"]
    assert equal == 0
    assert rows["000001"] == "open lists it twice: unit_nav 1.0 and 1.2"
    assert rows["000002"] == "odd"
