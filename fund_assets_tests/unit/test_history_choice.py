"""Which histories are asked for, and which are refused."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.nav.history import choose_histories, shrunk
from fund_assets.nav.listing import described

TODAY = 20260918


def funds(*rows):
    """Rows of (code, status, history_on)."""
    frame = pd.DataFrame(rows, columns=["fund_code", "status", "history_on"])
    info = described(
        frame[["fund_code"]].assign(name="x", fund_type="货币型-普通货币", pinyin=""), TODAY
    )
    return info.assign(
        status=frame["status"], history_on=pd.array(frame["history_on"], dtype="Int32")
    )


FUNDS = funds(
    ("000001", "listed", None),
    ("000002", "delisted", None),
    ("000003", "listed", 20260901),
    ("000004", "listed", TODAY),
    ("000005", "listed", None),
)


@pytest.mark.parametrize(
    ("missing", "limit", "codes", "expected"),
    [
        (None, 10, (), ["000001", "000005"]),
        (None, 1, (), ["000001"]),
        (None, 0, (), []),
        (None, 0, ("000004", "000002"), ["000002", "000004"]),
        (frozenset({"000002", "000003", "000004"}), 10, (), ["000002", "000003"]),
        (frozenset({"000003", "000001"}), 1, (), ["000001"]),
        (frozenset(), 10, (), []),
        (frozenset({"000003"}), 10, ("000005",), ["000005"]),
    ],
)
def test_which_funds_are_asked_for(missing, limit, codes, expected):
    """Stops funds from being asked for again and again, and named ones from being left out."""
    chosen = choose_histories(FUNDS, missing, today=TODAY, limit=limit, codes=codes)
    assert [fund.fund_code for fund in chosen] == expected
    assert {fund.kind for fund in chosen} <= {"money"}


def test_back_end_twins_are_asked_only_by_name():
    """Stops the limit of a run from being spent on funds that have no page of their own."""
    info = FUNDS.assign(name=["华夏成长混合(后端)", *["x"] * 4])
    ask = [fund.fund_code for fund in choose_histories(info, None, today=TODAY, limit=10)]
    assert ask == ["000005"]
    named = choose_histories(info, None, today=TODAY, limit=0, codes=("000001",))
    assert [fund.fund_code for fund in named] == ["000001"]


def test_back_end_twins_are_asked_for_by_name_only():
    """Stops pages that do not exist from being asked for every evening."""
    twins = FUNDS.assign(name=["某基金(后端)", "x", "x", "x", "某基金"])
    found = choose_histories(twins, None, today=TODAY, limit=9)
    assert [fund.fund_code for fund in found] == ["000005"]
    named = choose_histories(twins, None, today=TODAY, limit=9, codes=("000001",))
    assert [fund.fund_code for fund in named] == ["000001"]


def test_an_unknown_code_is_named():
    """Stops a mistyped code from being left out in silence."""
    with pytest.raises(ValueError, match=r"unknown fund 000006, 6: not in fund_info"):
        choose_histories(FUNDS, None, today=TODAY, limit=9, codes=("6", "000006", "000001"))


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
