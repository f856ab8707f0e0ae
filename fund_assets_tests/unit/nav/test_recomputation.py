"""The index chained anew from whole histories, beside what is stored."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import TradingCalendar
from fund_assets.nav import recomputation as module
from fund_assets.nav.recomputation import WholeHistory, cases, recompute
from fund_assets.schemas.columns import RETURN_STATUSES
from fund_assets.schemas.tables import FUND_EVENTS

CALENDAR = TradingCalendar.build()
#: The real dividend of docs/returns.md: 1.0390 → 1.0302 with 0.0083 paid; then a split of 2.
FUND = [(20260907, 1.0390, 1.0390, 0.0), (20260908, 1.0302, 1.0385, -0.05),
        (20260909, 0.5151, 1.0385, 0.0)]  # fmt: skip
MONEY = [(20260907, 0.5), (20260908, 0.6)]


def history(index, money_index=(1.0, 1.00006), status=(0, 1, 1, 0, 2)):
    nan = float("nan")
    rows = [(d, u, a, g, nan) for d, u, a, g in FUND] + [
        (d, nan, nan, nan, y) for d, y in MONEY
    ]
    columns = np.array(rows, dtype=float)
    names = ("unit_nav", "acc_nav", "growth_pct", "yield_per_10k")
    return WholeHistory(
        codes=np.array([1, 9], np.int32),
        offsets=np.array([0, 3, 5], np.int64),
        dates=columns[:, 0].astype(np.int32),
        values={
            **{name: columns[:, at] for at, name in enumerate(names, 1)},
            "total_return_index": np.array([*index, *money_index]),
        },
        status=np.array(status, np.int8),
    )


def events():
    rows = [("000001", 20260908, "dividend", 0.0083, "recorded"),
            ("000001", 20260909, "split", 2.0, "recorded"),
            ("000001", 20260909, "dividend", 0.4, "inferred")]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["fund_code", "ex_date", "kind", "value", "status"])
    rest = {name: "" for name in FUND_EVENTS.names if name not in frame}
    rest |= {"history_value": np.nan, "list_value": np.nan}
    return FUND_EVENTS.conform(frame.assign(**rest))


RIGHT = (1.0, (1.0302 + 0.0083) / 1.0390, (1.0302 + 0.0083) / 1.0390 * (0.5151 * 2 / 1.0302))


@pytest.mark.parametrize("at_once", [1, 1_000])
def test_what_is_right_is_found_to_be_so(at_once, monkeypatch):
    """Stops events of one fund falling on another, and inferred events from counting."""
    monkeypatch.setattr(module, "FUNDS_AT_ONCE", at_once)
    found = recompute(history(RIGHT), events(), CALENDAR)
    assert found.index.tolist() == pytest.approx([*RIGHT, 1.0, 1.00006], abs=1e-15)
    assert found.differing.empty
    assert cases(found.differing, 5) == []


def test_a_changed_row_and_all_after_it_are_told():
    """Stops a tampered index, or an event left out, from passing."""
    wrong = (1.0, RIGHT[1] * (1 + 1e-9), RIGHT[2])
    found = recompute(history(wrong), events(), CALENDAR).differing
    assert found[["fund_code", "nav_date"]].values.tolist() == [["000001", 20260908]]
    assert found["total_return_index"].iloc[0] == pytest.approx(RIGHT[1], abs=1e-15)
    without = recompute(history(RIGHT), events().iloc[1:], CALENDAR).differing
    # The accumulated NAV tells the same return; that no event is recorded is told all the same.
    assert without["nav_date"].tolist() == [20260908]
    assert without["return_status"].tolist() == ["suspected_event"]
    assert cases(without, 5) == [
        "000001: 1 rows from 20260908 on, index stored 0.999518768046 (proven), computed "
        "0.999518768046 (suspected_event)"
    ]


def test_a_wrong_status_and_a_missing_index_are_told():
    """Stops a status of another release, and NULL beside a number, from comparing as equal."""
    found = recompute(history(RIGHT, status=(0, 1, 3, 0, 2)), events(), CALENDAR).differing
    assert found["stored_status"].tolist() == [RETURN_STATUSES[3]]
    assert found["return_status"].tolist() == ["proven"]
    broken = recompute(history(RIGHT, money_index=(1.0, np.nan)), events(), CALENDAR)
    assert broken.differing["fund_code"].tolist() == ["000009"]


def test_nothing_at_all():
    """Stops an empty warehouse from breaking the weekly job."""
    empty = WholeHistory(
        np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0, np.int32),
        {name: np.empty(0) for name in (*module.WITNESSES, "total_return_index")},
        np.empty(0, np.int8),
    )  # fmt: skip
    assert recompute(empty, events(), CALENDAR).differing.empty
