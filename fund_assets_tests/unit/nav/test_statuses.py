"""What a wave changes in the history of statuses."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.nav.statuses import changed
from fund_assets.schemas.statuses import PURCHASES, REDEMPTIONS, STATUSES
from fund_assets.schemas.tables import FUND_STATUS
from fund_assets.sources.protocol import STATUS_COLUMNS

NAN = float("nan")
FIRST, LATER = 20260917_200000, 20260917_213000


def seen(*rows):
    return pd.DataFrame(
        [(code, *cells, "") for code, *cells in rows], columns=STATUS_COLUMNS
    ).astype({"fund_code": "str", "fee": float, "full_fee": float})


OPEN = ("000001", "开放申购", "开放赎回", 0.0015, 0.015)
SHUT = ("000001", "暂停申购", "开放赎回", 0.0015, 0.015)


def stored(frame, at=FIRST):
    return changed(FUND_STATUS.empty(), frame, at)


def test_a_first_sight_begins_a_row_that_meets_the_declaration():
    """Stops a first wave from storing what the table refuses."""
    rows = stored(seen(OPEN, ("000002", "", "", NAN, NAN)))
    FUND_STATUS.schema.validate(rows)
    assert rows["purchase"].tolist() == ["open", "unstated"]
    assert (
        rows["first_seen_at"].tolist() == [FIRST, FIRST] and rows["superseded_at"].isna().all()
    )


def test_a_change_ends_one_row_and_begins_one():
    """Stops a change from overwriting what was known, or from leaving two rows open."""
    rows = changed(stored(seen(OPEN)), seen(SHUT), LATER)
    assert rows[["first_seen_at", "superseded_at"]].values.tolist()[0] == [FIRST, LATER]
    assert rows["purchase"].tolist() == ["open", "suspended"]
    assert rows["first_seen_at"].tolist()[1] == LATER and rows[
        "superseded_at"
    ].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "again",
    [
        seen(OPEN),
        seen(("000001", "开放申购", "开放赎回", NAN, NAN)),
        seen(("000001", "开放申购", "开放赎回", 0.0015, NAN)),
        seen(("00001x", "暂停申购", "开放赎回", 0.0015, 0.015)),
        seen(),
    ],
    ids=["the same", "no fees", "no full fee", "no code", "nothing"],
)
def test_what_says_nothing_new_writes_nothing(again):
    """Stops akshare's missing column, or a class that is absent, from being told as a change."""
    assert changed(stored(seen(OPEN)), again, LATER).empty


@pytest.mark.parametrize(
    "now, fees",
    [
        (("000001", "开放申购", "开放赎回", 0.0012, NAN), [0.0012, 0.015]),
        (("000001", "限大额", "开放赎回", NAN, 0.012), [0.0015, 0.012]),
    ],
)
def test_an_empty_fee_keeps_the_last_one_where_something_else_changes(now, fees):
    """Stops a fee from being lost with a change of the status."""
    rows = changed(stored(seen(OPEN)), seen(now), LATER)
    assert rows[["fee", "full_fee"]].values.tolist()[1] == fees


def test_a_fee_that_becomes_known_is_a_change():
    """Stops the first full fee after akshare's answer from being dropped."""
    rows = changed(stored(seen((*OPEN[:4], NAN))), seen(OPEN), LATER)
    assert np.isnan(rows["full_fee"][0]) and rows["full_fee"][1] == 0.015


def test_a_row_that_could_not_be_read_changes_nothing():
    """Stops a row of another width from closing a fund."""
    odd = seen(("000001", "", "", NAN, NAN)).assign(defect="the row has 20 fields, not 21")
    assert changed(stored(seen(OPEN)), odd, LATER).empty


@pytest.mark.parametrize("at", [FIRST - 1, FIRST])
def test_an_older_moment_changes_nothing_that_is_newer(at):
    """Stops a replay with an old clock from ending a row before it began."""
    assert changed(stored(seen(OPEN)), seen(SHUT), at).empty


def test_an_unknown_word_is_kept_and_is_no_status():
    """Stops a new word from being lost, or from passing for open."""
    rows = stored(seen(("000001", "额度用尽", "预约赎回", 0.0, 0.0)))
    assert rows[["purchase", "redemption"]].values.tolist() == [["unknown", "unknown"]]
    assert rows[["purchase_word", "redemption_word"]].values.tolist() == [
        ["额度用尽", "预约赎回"]
    ]


def test_each_word_has_a_status_of_the_table():
    """Stops a word from being mapped to what the table refuses."""
    assert {*PURCHASES.values(), *REDEMPTIONS.values()} < set(STATUSES)
    assert FUND_STATUS["purchase"].isin == tuple(dict.fromkeys(STATUSES))
