"""The decoder of the market snapshot."""

from datetime import date

import numpy as np
import pytest

from fund_assets.sources.eastmoney.decode_snapshot import decode_snapshot
from fund_assets.sources.protocol import OBSERVATION_COLUMNS
from fund_assets.transport.errors import EmptyAnswerError, FormatError, TruncatedError
from fund_assets_tests.server import wire

DAYS = (date(2026, 11, 20), date(2026, 11, 19))
GOOD = (
    "000001",
    "华夏成长混合",
    "HXCZHH",
    "1.2345",
    "3.8490",
    "1.2336",
    "3.8481",
    "0.0009",
    "0.07",
)
LATE = ("110011", "易方达优质精选", "YFDYZJX", "", "", "5.4321", "6.1000", "", "")


def _body(*rows, **options):
    return wire.snapshot(DAYS, rows, **options)


def test_both_dates_come_from_the_header_and_blanks_are_rows():
    """A wave that stores one date only loses the late funds; a blank is no missing row."""
    got = decode_snapshot(_body(GOOD, LATE))
    assert (got.newest, got.previous, got.rows, got.duplicates) == (*DAYS, 2, 0)
    frame = got.observations
    assert list(frame.columns) == OBSERVATION_COLUMNS
    assert frame["nav_date"].dtype == "int32" and frame["fund_code"].dtype == "str"
    assert frame.iloc[:, :5].values.tolist()[0] == ["000001", 20261120, 1.2345, 3.849, 0.07]
    assert frame.iloc[2, :4].tolist() == ["000001", 20261119, 1.2336, 3.8481]
    late = frame.iloc[1]
    assert late["nav_date"] == 20261120 and late["defect"] == ""
    assert np.isnan(late["unit_nav"]) and np.isnan(late["growth_pct"])
    assert np.isnan(frame.iloc[2]["growth_pct"]), "growth belongs to the newer date"
    assert got.listing.values.tolist() == [["000001", "华夏成长混合", "", "HXCZHH"],
                                           ["110011", "易方达优质精选", "", "YFDYZJX"]]  # fmt: skip


@pytest.mark.parametrize("end", ["", ";", " ;\r\n", "\t"])
def test_the_end_of_the_statement_may_be_there(end):
    """Stops a page that ends with a semicolon from being taken for half a page."""
    found = decode_snapshot(_body(GOOD).rstrip(b"; \r\n") + end.encode())
    assert found.rows == 1


def test_growth_without_a_nav_is_not_given_to_any_date():
    """Given to the newer date it would turn a fund that is not published into one that is."""
    row = (*LATE[:8], "1.25")
    assert np.isnan(decode_snapshot(_body(row)).observations["growth_pct"]).all()


@pytest.mark.parametrize("at, name", [(3, "unit_nav"), (4, "acc_nav"), (8, "growth_pct")])
def test_a_bad_cell_holds_its_row_and_no_other(at, name):
    """One bad cell must not stop 26,000 funds, nor be stored, nor pass as not yet."""
    bad = [*GOOD]
    bad[at] = "1e400"
    frame = decode_snapshot(_body(bad, ("000002", *GOOD[1:]))).observations
    assert frame["defect"].tolist() == [f"{name}: not a number: '1e400'", "", "", ""]
    assert np.isnan(frame.iloc[0][name])


def test_codes_and_names_pass_as_written():
    """Codes are refused by a rule that names them, not repaired or dropped in the decoder.

    Only a character that acts, such as a line feed, has become one that does not.
    """
    odd = ["1", "０００００１", "'; drop table", "00000a", "000001\n"]
    rows = [(code, "名" * 10_000 + "😀\"'<b>", *GOOD[2:]) for code in odd]
    got = decode_snapshot(_body(*rows))
    plain = [*odd[:-1], "000001\ufffd"]
    assert got.observations["fund_code"].tolist() == plain * 2
    assert set(got.listing["name"]) == {"名" * 10_000 + "😀\"'<b>"}


def test_fewer_rows_than_the_record_count_are_a_truncation():
    """The server caps its page: half a market would pass as a whole one."""
    with pytest.raises(TruncatedError, match=r"says it has 3 funds but has 1: .*try again"):
        decode_snapshot(_body(GOOD, record=3))


def test_more_rows_than_the_record_count_are_refused():
    """A count that is too small means that one of the two numbers is not what we think."""
    with pytest.raises(FormatError, match="says it has 1 funds but has 2"):
        decode_snapshot(_body(GOOD, LATE, record=1))


def test_equal_rows_are_counted_once_and_unequal_ones_marked():
    """Two rows of a fund would break the key of the landing table, or win by chance."""
    other = (*GOOD[:3], "1.3000", *GOOD[4:])
    got = decode_snapshot(_body(GOOD, GOOD, LATE))
    assert got.duplicates == 2 and len(got.observations) == 4 and len(got.listing) == 2
    got = decode_snapshot(_body(GOOD, other))
    frame = got.observations.set_index("nav_date")
    assert frame.loc[20261120, "defect"] == "open_funds lists it twice: unit_nav 1.2345 and 1.3"
    assert frame.loc[20261119, "defect"] == ""
    assert got.duplicates == 1


def test_the_variant_with_two_more_fields_is_read_only_as_far_as_it_agrees():
    """Its extra fields say which days a row is of: a row of another day must not pass."""
    got = decode_snapshot(_body(GOOD, extra=("11-20", "11-19")))
    assert got.observations["defect"].tolist() == ["", ""]
    assert got.observations["unit_nav"].tolist() == [1.2345, 1.2336]
    got = decode_snapshot(_body(GOOD, extra=("11-20", "11-13")))
    assert got.observations["defect"].tolist() == [
        "",
        "nav_date: the row says '11-13', the header 2026-11-19",
    ]


@pytest.mark.parametrize("cell", ["[1.5]", "{}", "true", "1e999", "[]", '"1.2.3"'])
def test_a_figure_that_is_none_costs_its_row_and_no_other(cell):
    """Stops one bad cell among 26,000 rows from ending the wave."""
    body = _body(LATE, GOOD).replace(b'"1.2345"', cell.encode())
    frame = decode_snapshot(body).observations.set_index(["fund_code", "nav_date"])
    said = frame["defect"].to_dict()
    assert said.pop((GOOD[0], 20261120)).startswith("unit_nav: not a number")
    assert set(said.values()) == {""}
    assert frame.loc[(GOOD[0], 20261119), "unit_nav"] == 1.2336


def test_a_json_number_is_the_number_and_null_is_not_yet():
    """Stops figures without quotation marks from costing anything."""
    plain = decode_snapshot(_body(GOOD)).observations
    other = decode_snapshot(_body(GOOD).replace(b'"1.2345"', b"1.2345")).observations
    assert other.equals(plain)
    other = decode_snapshot(_body(GOOD).replace(b'"1.2345"', b"null")).observations
    assert other["unit_nav"].isna().tolist() == [True, False] and not other["defect"].any()


def test_a_row_of_another_width_costs_its_row_until_they_are_many():
    """Stops a short row from ending the wave, and a new form from passing for short rows."""
    funds = [(f"{at:06d}", *GOOD[1:]) for at in range(200)]
    rows = [(*fund, "x") if at in (7, 99) else fund for at, fund in enumerate(funds)]
    frame = decode_snapshot(_body(*rows)).observations.set_index("fund_code")
    odd = frame[frame["defect"] != ""]
    assert odd.index.tolist() == ["000007", "000099"] * 2
    assert set(odd["defect"]) == {"the row has 22 fields, not 21"}
    assert odd["unit_nav"].isna().all() and len(frame) == 400
    rows[100] = rows[99]
    with pytest.raises(FormatError, match=r"rows of \[21, 22\] fields"):
        decode_snapshot(_body(*rows))


@pytest.mark.parametrize(
    "error, said, body",
    [
        (FormatError, r"rows of \[22\] fields, this version knows 21 or 23", _body(GOOD, extra="x")),
        (FormatError, r"rows of \[20\] fields", _body(GOOD[:8])),
        (FormatError, r"rows of \[21, 22\] fields", _body(GOOD, (*GOOD, "x"))),
        (FormatError, "has a cell 1001 that is not text", _body(GOOD).replace(b'"000001"', b"1001")),
        (FormatError, "no showday", _body(GOOD).replace(b"showday", b"days")),
        (FormatError, "not a pair of dates", _body(GOOD).replace(b"2026-11-20", b"2026-13-20")),
        (FormatError, "not in order", wire.snapshot(DAYS[::-1], [GOOD])),
        (FormatError, 'no record:"N"', _body(GOOD).replace(b"record", b"total")),
        (FormatError, "starts with 'hello'", b"hello"),
        (FormatError, "not UTF-8", bytes(range(128, 256))),
        (FormatError, "is not valid JSON", _body(GOOD).replace(b'"1.2345"', b"1.2.3")),
        (FormatError, "a row that is not a list", _body(GOOD, record=2).replace(b'datas:[[', b'datas:["",[')),
        (EmptyAnswerError, "is empty", b"  \n"),
        (EmptyAnswerError, "has no fund", _body()),
        (TruncatedError, "is incomplete", _body(GOOD)[:-30]),
    ],
)  # fmt: skip
def test_any_other_form_is_refused_with_what_was_met(error, said, body):
    """A changed column read by position would put one figure into another's place."""
    with pytest.raises(error, match=said):
        decode_snapshot(body)


def test_a_snapshot_cut_anywhere_is_refused():
    """Whatever byte an answer ends at, no part of it may pass as a market."""
    body = _body(GOOD, LATE)
    for length in range(len(body)):
        with pytest.raises((TruncatedError, FormatError, EmptyAnswerError)):
            decode_snapshot(body[:length])
