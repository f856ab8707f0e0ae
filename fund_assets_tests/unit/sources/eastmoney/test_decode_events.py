"""The market's lists of dividends and splits, against pages written by hand."""

from math import isnan

import pytest

from fund_assets.sources.eastmoney.decode_events import (
    EventPage,
    decode_events,
    market_frame,
    repeated,
)
from fund_assets.transport.errors import EmptyAnswerError, FormatError, TruncatedError
from fund_assets_tests.server import wire

DIVIDENDS = [
    ["000001", "华夏成长混合", "2026-03-12", "2026-03-13", "0.0083", "2026-03-16", "1"],
    [
        "508019",
        "中金湖北科投光谷REIT",
        "2026-12-31",
        "2026-12-31",
        "0.03033",
        "2027-01-05",
        "6",
    ],
]
SPLITS = [
    ["159596", "A50ETF", "2026-10-17", "份额分拆", "2", ""],
    ["511110", "公司债ETF", "2026-01-17", "份额折算", "0.01", ""],
    ["166802", "浙商沪深300", "2026-08-17", "份额折算", "--", ""],
]


def test_dividends_by_ex_date():
    """Stops the record date, or the day of payment, from being taken for the ex-date."""
    found = decode_events(wire.event_list("dividend", DIVIDENDS), "dividend_list", 2026, 1)
    assert found.rows == [
        ("000001", 20260313, "dividend", 0.0083, "0.0083"),
        ("508019", 20261231, "dividend", 0.03033, "0.03033"),
    ]
    assert (found.page, found.pages, found.unreadable) == (1, 1, [])


def test_splits_and_a_ratio_that_is_not_disclosed():
    """Stops a reverse split from being refused, and an unknown ratio from becoming one."""
    found = decode_events(wire.event_list("split", SPLITS), "split_list", 2026, 1)
    assert [row[:4] for row in found.rows[:2]] == [
        ("159596", 20261017, "split", 2.0),
        ("511110", 20260117, "split", 0.01),
    ]
    assert found.rows[0][4] == "份额分拆 2"
    assert isnan(found.rows[2][3])


def test_old_pages_without_the_last_cell_and_without_any_row():
    """Stops the narrower rows of other years, or a year without a split, from failing."""
    body = wire.event_list("dividend", [row[:6] for row in DIVIDENDS])
    assert len(decode_events(body, "dividend_list", 2026, 1).rows) == 2
    for pages, page in ((0, 1), (1, 1), (0, 0)):
        empty = wire.event_list("split", [], page=page, pages=pages)
        assert decode_events(empty, "split_list", 2026, 1).rows == []


def test_a_row_that_cannot_be_read_is_told_and_costs_no_other():
    """Stops one odd row from costing the year's list, or from vanishing in silence."""
    odd = [
        ["000002", "x", "", "", "0.1", "", ""],
        ["000003", "x", "", "2026-01-05", "-1", "", ""],
    ]
    found = decode_events(
        wire.event_list("dividend", odd + DIVIDENDS), "dividend_list", 2026, 1
    )
    assert len(found.rows) == 2
    assert found.unreadable == [
        "000002: no dividend can be read from ex-date '' and value '0.1'",
        "000003: no dividend can be read from ex-date '2026-01-05' and value '-1'",
    ]


GOOD = wire.event_list("dividend", DIVIDENDS)
CODE = b"var pageinfo = __import__('os').system('false');var jjfh_data=[];"


@pytest.mark.parametrize(
    "error, said, body",
    [
        (FormatError, "starts with 'hello'", b"hello"),
        (FormatError, "starts with", CODE),
        (FormatError, r"not \[pages, rows, page\]", GOOD.replace(b"[1,100,1]", b'["1",100,1]')),
        (FormatError, "one of 99999 pages", GOOD.replace(b"[1,100,1]", b"[99999,100,1]")),
        (FormatError, "has no jjfh_data", wire.event_list("split", SPLITS)),
        (FormatError, "the answer is page 2 of 3", wire.event_list("dividend", DIVIDENDS, page=2, pages=3)),
        (TruncatedError, "has 2 rows, it says a page has 100", wire.event_list("dividend", DIVIDENDS, pages=2)),
        (FormatError, "holds an event of 2025", GOOD.replace(b"2026-03-13", b"2025-03-13")),
        (FormatError, "6 or 7 cells", wire.event_list("dividend", [DIVIDENDS[0][:4]])),
        (FormatError, "6 or 7 cells", GOOD.replace(b'["000001"', b'"x",["000001"')),
        (FormatError, "is not valid JSON", GOOD.replace(b'"0.0083"', b"eval(1)")),
        (EmptyAnswerError, "is empty", b""),
    ],
)  # fmt: skip
def test_any_other_form_is_refused_with_what_was_met(error, said, body):
    """Stops another year, page or kind from being stored, and anything from being run."""
    with pytest.raises(error, match=said):
        decode_events(body, "dividend_list", 2026, 1)


def test_a_page_cut_anywhere_is_refused_or_whole():
    """Whatever byte an answer ends at, no shorter list may come out of it."""
    whole = decode_events(GOOD, "dividend_list", 2026, 1).rows
    for length in range(len(GOOD)):
        try:
            found = decode_events(GOOD[:length], "dividend_list", 2026, 1).rows
        except (TruncatedError, FormatError, EmptyAnswerError):
            continue
        assert found == whole


def test_events_of_one_day_are_one_row():
    """Stops a second dividend of a day from overwriting the first, and a row that stands on
    two pages from counting twice."""
    rows = [
        ("000001", 20260313, "dividend", 0.1, "0.1"),
        ("000001", 20260313, "dividend", 0.1, "0.1"),
        ("000001", 20260313, "dividend", 0.02, "0.02"),
        ("000001", 20260313, "split", 2.0, "份额分拆 2"),
    ]
    found = market_frame(rows)
    assert found["kind"].tolist() == ["dividend", "split"]
    assert found["value"].tolist() == [pytest.approx(0.12), 2.0]
    assert found["text"].iloc[0] == "0.1 + 0.02"
    assert market_frame([]).empty


@pytest.mark.parametrize(("events", "more"), [(3, ""), (4, " and 1 more"), (5, " and 2 more")])
def test_pages_that_moved_name_three_events_and_count_the_others(events, more):
    """Stops a repeat from being told without the events, or with a wrong count of the others."""
    rows = [(f"00000{n}", 20260313, "dividend", 0.1, "0.1") for n in range(events)]
    pages = [EventPage(page, 2, rows, []) for page in (1, 2)]
    named = ", ".join(f"dividend 00000{n} 20260313 on pages 1 and 2" for n in range(3))
    assert repeated(pages) == f"events are on two pages: {named}{more}"
    assert repeated(pages[:1]) == ""
