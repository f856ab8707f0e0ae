"""Which histories are asked for, and which are refused."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.nav.history import (
    BUCKETS,
    HistoryChoice,
    bucket_of,
    choose_histories,
    shrunk,
)
from fund_assets.nav.list_rules import described
from fund_assets.schemas.tables import HISTORY_PROGRESS

TODAY = 20260918


def funds(*rows):
    """Rows of (code, status)."""
    frame = pd.DataFrame(rows, columns=["fund_code", "status"])
    info = described(
        frame[["fund_code"]].assign(name="x", fund_type="货币型-普通货币", pinyin=""), TODAY
    )
    return info.assign(status=frame["status"])


def asked(*rows):
    """Rows of (code, date of asking, state)."""
    frame = pd.DataFrame(rows, columns=["fund_code", "day", "state"])
    absent = dict.fromkeys(("stored_at", "last_nav_date", "nav_dates"))
    return HISTORY_PROGRESS.conform(
        frame.assign(
            asked_at=frame["day"] * 1_000_000 + 193_000,
            **absent, answer="", attempts=0, last_error="",
        )
    )  # fmt: skip


FUNDS = funds(
    ("000001", "listed"),
    ("000002", "delisted"),
    ("000003", "listed"),
    ("000004", "listed"),
    ("000005", "listed"),
    ("000006", "listed"),
)
ASKED = asked(
    ("000003", 20260901, "stored"), ("000004", TODAY, "nothing"), ("000006", TODAY, "failed")
)


def codes_of(choice, missing=frozenset(), info=FUNDS, progress=ASKED, unlisted=None):
    chosen = choose_histories(
        info, progress, missing, choice, today=TODAY, unlisted=unlisted or {}
    )
    assert {fund.kind for fund in chosen} <= {"money"}
    return [fund.fund_code for fund in chosen]


@pytest.mark.parametrize(
    ("missing", "choice", "expected"),
    [
        (None, {"limit": 10}, ["000001", "000005", "000006"]),
        (None, {}, ["000001", "000005", "000006"]),
        (None, {"limit": 1}, ["000001"]),
        (None, {"limit": 0}, []),
        (None, {"limit": 0, "codes": ("000004", "000002")}, ["000002", "000004"]),
        ({"000002", "000003", "000004"}, {"missing_on": 1}, ["000002", "000003"]),
        ({"000003", "000001"}, {"missing_on": 1, "limit": 1}, ["000001"]),
        ({}, {"missing_on": 1}, []),
        ({"000003"}, {"missing_on": 1, "codes": ("000005",)}, ["000005"]),
        (None, {"since": 20260902_000000}, ["000001", "000003", "000005", "000006"]),
        (None, {"since": 20260901_000000}, ["000001", "000005", "000006"]),
        (None, {"kind": "bond"}, []),
        (None, {"kind": "money", "limit": 2}, ["000001", "000005"]),
        (None, {"buckets": frozenset({bucket_of("000005")})}, ["000005"]),
        (None, {"buckets": frozenset()}, []),
    ],
)
def test_which_funds_are_asked_for(missing, choice, expected):
    """Stops funds from being asked for again and again, and named ones from being left out."""
    assert codes_of(HistoryChoice(**choice), frozenset(missing or ())) == expected


def test_a_fund_that_was_asked_in_the_future_is_asked_again():
    """Stops a clock that was a year ahead from keeping histories as they are for a year."""
    ahead = asked(("000001", 20270917, "stored"), ("000003", TODAY, "stored"))
    choice = HistoryChoice(since=20260901_000000)
    assert "000001" in codes_of(choice, progress=ahead)
    assert "000003" not in codes_of(choice, progress=ahead)
    assert "000001" not in codes_of(HistoryChoice(), progress=ahead), "it has an answer"


def test_buckets_part_the_market_evenly_and_for_ever():
    """Stops a bucket from having all the work, and a fund from moving to another one."""
    found = pd.Series([bucket_of(f"{n:06d}") for n in range(26_000)]).value_counts()
    assert sorted(found.index) == list(BUCKETS) and len(BUCKETS) == 64
    assert found.between(350, 470).all()
    assert [bucket_of(code) for code in ("000001", "161725", "510300")] == ["48", "14", "60"]


def test_back_end_twins_are_asked_for_by_name_only():
    """Stops pages that do not exist from being asked for every evening."""
    twins = FUNDS.assign(name=["某基金(后端)", "x", "x", "x", "某基金", "x"])
    assert codes_of(HistoryChoice(limit=9), info=twins) == ["000005", "000006"]
    assert codes_of(HistoryChoice(codes=("000001",)), info=twins) == ["000001"]


def test_a_class_in_no_list_is_asked_for_once():
    """Stops a fund that ended from being unreachable, and one without an answer from being asked
    for every evening."""
    unlisted = {"000000": "money", "000009": "money", "000004": "money"}
    answered = pd.concat([ASKED, asked(("000009", 20260901, "nothing"))])
    waiting = {"progress": answered, "unlisted": unlisted}
    assert codes_of(HistoryChoice(), **waiting) == ["000000", "000001", "000005", "000006"]
    assert codes_of(HistoryChoice(limit=1), **waiting) == ["000000"]
    assert codes_of(HistoryChoice(kind="bond"), **waiting) == []
    named = HistoryChoice(codes=("000009", "000001"))
    assert codes_of(named, **waiting) == ["000001", "000009"]
    assert codes_of(HistoryChoice(missing_on=TODAY), frozenset({"000001"}), **waiting) == [
        "000001"
    ]
    chosen = choose_histories(FUNDS, ASKED, frozenset(), HistoryChoice(codes=("000007",)),
                              today=TODAY, unlisted={})  # fmt: skip
    assert [(fund.fund_code, fund.kind) for fund in chosen] == [("000007", "other")]


def observations(first, rows):
    return pd.DataFrame({"nav_date": np.arange(first, first + rows)})


SPANS = pd.DataFrame(
    [("000001", 1000, 20200101, 20260917), ("000002", 3, 20260101, 20260917)],
    columns=["fund_code", "rows", "first_date", "last_date"],
)


@pytest.mark.parametrize(
    ("code", "first", "rows", "reason"),
    [
        ("000001", 20200101, 1000, ""),
        ("000001", 20190101, 2000, ""),
        ("000001", 20200101, 989, ""),
        ("000001", 20200101, 988, "000001: the history has 988 dates, 1000 are stored"),
        (
            "000001",
            20200102,
            5000,
            "000001: the history begins 20200102, the stored one 20200101",
        ),
        ("000001", 0, 0, "000001: the history is empty, 1000 dates are stored"),
        ("000002", 20260101, 2, ""),
        ("000002", 20260101, 1, "000002: the history has 1 dates, 3 are stored"),
        ("000009", 20260101, 1, ""),
        ("000009", 0, 0, ""),
    ],
)
def test_a_history_that_lost_something_is_refused(code, first, rows, reason):
    """Stops a truncated answer from being taken for a fund's whole past."""
    assert shrunk(observations(first, rows), SPANS, code) == reason
    assert shrunk(observations(first, rows), None, code) == ""
