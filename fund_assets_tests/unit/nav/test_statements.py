"""What a later answer changes of what the source has stated."""

import numpy as np
import pandas as pd

from fund_assets.nav.statements import SourceStatements, changes, kept
from fund_assets.schemas.tables import SOURCE_STATEMENT

JULY, AUGUST = 20260715_200000, 20260815_200000


def _stated(figures, ranks):
    days = np.array(list(ranks), dtype=np.int32)
    places = np.array([place for place, _ in ranks.values()], dtype=np.int32)
    peers = np.array([among for _, among in ranks.values()], dtype=np.int32)
    return {"000001": SourceStatements(figures, days, places, peers)}


def _after(stored, stated, seen_at):
    """What is stored after an answer, and what was written."""
    now = stored[stored["superseded_at"].isna()]
    rows = changes(now, stated, seen_at)
    both = pd.concat([stored, rows], ignore_index=True)
    return both.drop_duplicates(list(SOURCE_STATEMENT.primary_key), keep="last"), rows


def test_the_last_rank_of_each_month_and_the_newest():
    """Stops forty million rows of daily ranks, and the loss of a month."""
    days = np.array([20260529, 20260601, 20260630, 20260701, 20260714], dtype=np.int32)
    assert kept(days).tolist() == [True, False, True, False, True]
    assert kept(days[:0]).tolist() == []


def test_what_an_answer_changes():
    """Stops a changed figure from overwriting what was known, an equal one from making a row,
    and what a later answer leaves out from being taken back."""
    ranks = {20260529: (5, 10), 20260630: (6, 10), 20260713: (7, 10), 20260714: (8, 10)}
    stored, rows = _after(
        SOURCE_STATEMENT.empty(), _stated({("return_1m", 20260714): 1.5}, ranks), JULY
    )
    assert rows[["what", "nav_date", "value"]].values.tolist() == [
        ["return_1m", 20260714, 1.5],
        ["rank_3m", 20260529, 5.0],
        ["rank_3m", 20260630, 6.0],
        ["rank_3m", 20260714, 8.0],
    ]
    again, rows = _after(stored, _stated({("return_1m", 20260714): 1.5}, ranks), AUGUST)
    assert rows.empty and len(again) == 4
    # A month later: one figure differs by its value, one by its peers; May is left out.
    ranks = {20260630: (6, 11), 20260714: (9, 10), 20260731: (1, 10), 20260814: (2, 10)}
    stored, rows = _after(stored, _stated({("return_1m", 20260814): 2.5}, ranks), AUGUST)
    assert len(rows) == 7
    closed = stored[stored["superseded_at"].notna()]
    assert closed[["nav_date", "value", "superseded_at"]].values.tolist() == [
        [20260630, 6.0, AUGUST],
        [20260714, 8.0, AUGUST],
    ]
    now = stored[stored["superseded_at"].isna() & (stored["what"] == "rank_3m")]
    assert now.sort_values("nav_date")[["nav_date", "value", "ranked"]].values.tolist() == [
        [20260529, 5.0, 10], [20260630, 6.0, 11], [20260714, 9.0, 10],
        [20260731, 1.0, 10], [20260814, 2.0, 10],
    ]  # fmt: skip
    # The same moment again, as when a transaction is tried twice: the row is replaced.
    _, rows = _after(stored, _stated({("return_1m", 20260814): 2.6}, {}), AUGUST)
    assert rows[["first_seen_at", "value"]].values.tolist() == [[AUGUST, 2.6]]
