"""What a wave changes in the history of statuses."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.nav.statuses import changed, odd_cells, united
from fund_assets.nav.trades import Trade, kind_of_change
from fund_assets.schemas.statuses import PURCHASES, REDEMPTIONS, STATUSES
from fund_assets.schemas.tables import FUND_STATUS
from fund_assets.sources.protocol import PURCHASE_COLUMNS, STATUS_COLUMNS

NAN, NONE = float("nan"), float("inf")
TEXTS = dict.fromkeys(["fund_code", "purchase_word", "redemption_word", "defect"], "str")
FIRST, LATER = 20260917_200000, 20260917_213000


def page(*rows):
    return pd.DataFrame(
        [(code, *cells, "") for code, *cells in rows], columns=STATUS_COLUMNS
    ).astype({**TEXTS, "fee": float, "full_fee": float})


def listed(*rows):
    """Code, words, fee, least amount, daily limit and next open day of each class."""
    types = dict.fromkeys(["fee", "least_amount", "daily_limit"], float)
    return pd.DataFrame(
        [(code, *cells, "") for code, *cells in rows], columns=PURCHASE_COLUMNS
    ).astype({**TEXTS, **types, "next_open_date": "Int32"})


def seen(*rows):
    return united(page(*rows), None)


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


def test_words_without_a_list_keep_the_last_status_where_the_page_has_none():
    """Stops a class that only the list tells of from losing its status when the list fails."""
    silent = page(("000001", "", "", NAN, NAN))
    said = listed(("000001", "限大额", "开放赎回", 0.0015, 10, 1000, None))
    rows = stored(united(silent, said))
    assert rows[["purchase", "fee", "daily_limit"]].values.tolist() == [
        ["limited", 0.0015, 1000]
    ]
    assert changed(rows, united(silent, None), LATER).empty
    gone = united(silent, listed(("000001", "", "", NAN, NAN, 0, None)))
    assert changed(rows, gone, LATER)["purchase"].tolist() == ["limited", "unstated"]


def test_a_page_and_a_list_are_one_row_of_a_class():
    """Stops the words of two answers from taking turns, and a class of one alone from missing."""
    both = united(
        page(OPEN, ("000002", "限大额", "开放赎回", NAN, NAN)),
        listed(
            ("000001", "暂停申购", "暂停赎回", 0.01, 10, NONE, None),
            ("000002", "限大额", "开放赎回", 0.0012, 100, 1000, None),
            ("510300", "场内交易", "场内交易", NAN, NAN, 0, None),
            ("000009", "暂停申购", "开放赎回", 0.0, 0.01, 0, 20261208),
        ),
    )
    rows = stored(both)
    FUND_STATUS.schema.validate(rows)
    assert rows["fund_code"].tolist() == ["000001", "000002", "510300", "000009"]
    assert rows["purchase"].tolist() == ["open", "limited", "on_exchange", "suspended"]
    assert rows["redemption"].tolist() == ["open", "open", "on_exchange", "open"]
    assert rows["fee"].tolist()[:2] == [0.0015, 0.0012]
    assert rows["limit_state"].tolist() == ["unlimited", "limited", "unstated", "unstated"]
    assert rows["daily_limit"].dropna().tolist() == [1000]
    assert rows["least_amount"].tolist()[:2] == [10, 100] and rows["least_amount"][3] == 0.01
    assert rows["next_open_date"].dropna().tolist() == [20261208]
    assert changed(rows, both, LATER).empty
    assert united(None, None) is None


SAID = ("000001", "限大额", "开放赎回", 0.0015, 10, 1000, 20261208)


@pytest.mark.parametrize(
    "now, changes",
    [
        (SAID, {}),
        ((*SAID[:3], NAN, NAN, NAN, 20261208), {}),
        ((*SAID[:5], 500, 20261208), {"daily_limit": 500}),
        ((*SAID[:5], NONE, 20261208), {"daily_limit": None, "limit_state": "unlimited"}),
        ((*SAID[:5], 0, 20261208), {"daily_limit": None, "limit_state": "unstated"}),
        ((*SAID[:4], 1, 1000, 20261208), {"least_amount": 1}),
        ((*SAID[:6], None), {"next_open_date": None}),
        ((*SAID[:6], 20270308), {"next_open_date": 20270308}),
    ],
)
def test_a_list_changes_what_it_says_and_nothing_else(now, changes):
    """Stops an empty cell from lifting a limit, and a lifted limit from staying."""
    wave = page(("000001", "限大额", "开放赎回", 0.0015, 0.015))
    first = stored(united(wave, listed(SAID)))
    rows = changed(first, united(wave, listed(now)), LATER)
    assert len(rows) == (2 if changes else 0)
    if changes:
        last = {name: None if pd.isna(v) else v for name, v in rows.iloc[1].items()}
        expected = {**first.iloc[0].to_dict(), **changes, "first_seen_at": LATER}
        assert last == {name: None if pd.isna(v) else v for name, v in expected.items()}


def test_an_evening_without_the_list_keeps_its_amounts():
    """Stops a list that failed from lifting every limit, also where the status changes."""
    first = stored(united(page(OPEN), listed(SAID)))
    assert changed(first, seen(OPEN), LATER).empty
    rows = changed(first, seen(SHUT), LATER)
    kept = ["least_amount", "limit_state", "daily_limit", "next_open_date"]
    assert rows[kept].values.tolist()[1] == [10, "limited", 1000, 20261208]
    assert rows["purchase"].tolist() == ["open", "suspended"]


def test_the_first_list_fills_what_no_list_has_told():
    """Stops limits of a warehouse that is older than them from staying empty."""
    rows = changed(stored(seen(OPEN)), united(page(OPEN), listed(SAID)), LATER)
    assert rows["limit_state"].isna().tolist() == [True, False]
    assert rows["daily_limit"].tolist()[1] == 1000


def trade(purchase, limit=None, redemption="open"):
    state = {None: None, 0: "unstated", NONE: "unlimited"}.get(limit, "limited")
    return Trade(purchase, redemption, state, limit if state == "limited" else None)


@pytest.mark.parametrize(
    "before, now, kind",
    [
        (trade("open", NONE), trade("open", NONE), ""),
        (trade("suspended", 0), trade("limited", 1000), "opened"),
        (trade("closed_period"), trade("open"), "opened"),
        (trade("limited", 1000), trade("suspended", 0), "closed"),
        (trade("open", NONE), trade("limited", 1000), "limit"),
        (trade("limited", 1000), trade("limited", 500), "limit"),
        (trade("limited", 0), trade("limited", 500), "limit"),
        (trade("open", NONE), trade("open", 1000), "limit"),
        (trade("open"), trade("open", 1000), ""),
        (trade("open"), trade("limited"), "limit"),
        (trade("suspended", 1000), trade("suspended", 0), ""),
        (trade("open", NONE), trade("open", NONE, "suspended"), "redemption"),
        (trade("suspended"), trade("closed_period"), "other"),
    ],
)
def test_kinds_of_changes(before, now, kind):
    """Stops a fee, a first list or the limit of a closed fund from being told as a change, and a
    change of what can be bought from passing."""
    assert kind_of_change(before, now) == kind


def test_odd_cells_of_both_answers_are_told():
    """Stops a defect of the list from being lost when it is united with the page."""
    frames = [f.assign(defect=word) for f, word in ((page(OPEN), "a"), (listed(SAID), "b"))]
    assert odd_cells(united(*frames)) == ["a; b: 1 fund"]
