"""The identity of a batch, and what cannot land."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fund_assets.nav.landing_rows import Origin, prepare, quarantine_rows
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import COLLECTION_BATCH, FUND_NAV, NAV_QUARANTINE
from fund_assets.sources.protocol import EVENT_COLUMNS, OBSERVATION_COLUMNS, Payload

NAN, INF = float("nan"), float("inf")
FRI, THU = 20260918, 20260917


def seen(*rows):
    """Rows of (code, date, unit NAV)."""
    frame = pd.DataFrame(rows, columns=["fund_code", "nav_date", "unit_nav"])
    frame = frame.astype({"fund_code": "str", "nav_date": "int32", "unit_nav": "float64"})
    for name in OBSERVED_NAMES:
        if name not in frame:
            frame[name] = NAN
    return frame.assign(defect=pd.Series("", index=frame.index, dtype="str"))[
        OBSERVATION_COLUMNS
    ]


ROWS = seen(("000001", FRI, 1.5), ("000001", THU, 1.4), ("000002", FRI, NAN))


def prepared(frame, events=None, **changes):
    more = {name: changes.pop(name) for name in ("payloads", "labels") if name in changes}
    more = {"payloads": (Payload("open_funds", "ab", 10, 3),), **more}
    usual = Origin("wave", "simulated", FRI, THU, 20260918_190000)
    return prepare(frame, events, origin=replace(usual, **changes), **more)


def event(value):
    return pd.DataFrame([("000001", FRI, "dividend", value, "")], columns=EVENT_COLUMNS)


def test_a_batch_meets_the_declarations():
    """Stops a batch from failing in the database instead of here."""
    batch = prepared(ROWS)
    COLLECTION_BATCH.schema.validate(batch.batch)
    FUND_NAV.schema.validate(batch.landed)
    NAV_QUARANTINE.schema.validate(batch.refused)
    assert batch.batch_id.startswith("w20260918-") and len(batch.batch_id) == 22
    assert batch.batch["rows_read"].item() == 3 and batch.refused.empty


def test_the_same_content_is_the_same_batch():
    """Stops the same answer from landing twice: order, time and payload bytes do not matter."""
    first = prepared(ROWS).batch_id
    assert prepared(ROWS.iloc[::-1]).batch_id == first
    assert (
        prepared(ROWS.sample(frac=1, random_state=1), collected_at=20260918_230000).batch_id
        == first
    )
    assert prepared(ROWS, payloads=()).batch_id == first
    other_nan = ROWS.copy()
    other_nan.loc[2, "unit_nav"] = np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\x7f")[0]
    assert prepared(other_nan).batch_id == first


@pytest.mark.parametrize(
    ("column", "value"),
    [("unit_nav", 1.5000000000000002), ("fund_code", "000003"), ("nav_date", 20260916),
     ("acc_nav", 1.5), ("growth_pct", 0.0), ("defect", "acc_nav: not a number: '-'")],
)  # fmt: skip
def test_any_change_of_content_is_another_batch(column, value):
    """Stops an answer with one other digit from being taken for the one before."""
    changed = ROWS.copy()
    changed.loc[0, column] = value
    assert prepared(changed).batch_id != prepared(ROWS).batch_id


@pytest.mark.parametrize(
    "changes",
    [{"kind": "history", "previous_date": None}, {"source": "akshare"},
     {"newest_date": 20260921}, {"previous_date": 20260916}],
)  # fmt: skip
def test_the_header_belongs_to_the_identity(changes):
    """Stops the same rows under another header from being one batch with these."""
    assert prepared(ROWS, **changes).batch_id != prepared(ROWS).batch_id


def test_events_belong_to_the_identity():
    """Stops a dividend that is told later, beside the same NAVs, from being ignored."""
    ids = {prepared(ROWS, events).batch_id for events in (None, event(0.1), event(0.2))}
    assert len(ids) == 3
    assert prepared(ROWS, event(0.1)).batch_id in ids
    two = pd.concat([event(0.1), event(0.2)])
    assert prepared(ROWS, two).batch_id == prepared(ROWS, two.iloc[::-1]).batch_id
    assert prepared(ROWS, event(0.1).head(0)).batch_id == prepared(ROWS).batch_id


@pytest.mark.parametrize(
    ("code", "date", "rule", "reason"),
    [
        ("１２３４５６", FRI, "R01_fund_code",
         "fund_code '１２３４５６' is not six ASCII digits; nav_date 20260918, unit_nav 1.5"),
        ("abc", FRI, "R01_fund_code",
         "fund_code 'abc' is not six ASCII digits; nav_date 20260918, unit_nav 1.5"),
        ("", FRI, "R01_fund_code",
         "fund_code '' is not six ASCII digits; nav_date 20260918, unit_nav 1.5"),
        ("000009", 20260231, "R05_nav_date", "000009: nav_date 20260231 is not a date; "
                                             "unit_nav 1.5"),
        ("000009", 0, "R05_nav_date", "000009: nav_date 0 is not a date; unit_nav 1.5"),
        ("000009", 99999999, "R05_nav_date", "000009: nav_date 99999999 is not a date; "
                                             "unit_nav 1.5"),
        ("000009", -5, "R05_nav_date", "000009: nav_date -5 is not a date; unit_nav 1.5"),
    ],
)  # fmt: skip
def test_what_cannot_land_is_refused_with_its_name(code, date, rule, reason):
    """Stops an impossible code or date from failing the batch, or from vanishing."""
    batch = prepared(pd.concat([ROWS, seen((code, date, 1.5))], ignore_index=True))
    assert len(batch.landed) == 3 and batch.batch["rows_read"].item() == 4
    NAV_QUARANTINE.schema.validate(batch.refused)
    (row,) = batch.refused.to_dict("records")
    assert (row["fund_code"], row["rule"], row["reason"]) == (code, rule, reason)
    assert row["unit_nav"] == 1.5 and row["state"] == "held"
    assert pd.isna(row["nav_date"]) if rule == "R05_nav_date" else row["nav_date"] == date


def test_a_code_of_10_kb_is_cut_in_quarantine():
    """Stops a huge code from failing the table that is to keep it."""
    batch = prepared(seen(("7" * 10_240, FRI, 1.5)))
    assert batch.refused["fund_code"].item() == "7" * 64
    assert len(batch.refused["reason"].item()) < 200


@pytest.mark.parametrize("column", OBSERVED_NAMES)
@pytest.mark.parametrize("value", [INF, -INF])
def test_an_infinite_figure_is_a_defect(column, value):
    """Stops an infinity from failing the whole batch in the database."""
    frame = ROWS.copy()
    frame.loc[0, column] = value
    frame.loc[0, "defect"] = "x"
    landed = prepared(frame).landed.set_index(["fund_code", "nav_date"])
    row = landed.loc[("000001", FRI)]
    assert np.isnan(row[column]) and row["defect"] == f"x; {column}: not a number: {value}"
    assert landed.loc[("000001", THU), "defect"] == ""


def test_a_doubled_row_is_the_sources_fault():
    """Stops two values of one fund and date from being merged by chance."""
    frame = pd.concat([ROWS, seen(("000001", FRI, 1.6))])
    with pytest.raises(
        ValueError, match="1 rows of a fund and date twice, first 000001 20260918"
    ):
        prepared(frame)


def test_an_empty_answer_is_an_empty_batch():
    """Stops an empty answer from failing before a rule can say so."""
    batch = prepared(ROWS.head(0))
    assert batch.landed.empty and batch.refused.empty
    assert batch.batch["rows_read"].item() == 0


def held(rule="R07_nav_bounds", reason="why", **changes):
    frame = seen(("000001", FRI, -1.0)).drop(columns="defect")
    return frame.assign(rule=rule, reason=reason, **changes)


def test_the_id_of_a_held_row_is_its_content():
    """Stops the same row from being held twice, and another one from being left out."""
    first = quarantine_rows(held(), "w1", 20260918_190000)["id"].item()
    assert quarantine_rows(held(), "w1", 20260918_230000)["id"].item() == first
    assert quarantine_rows(held(reason="other"), "w1", 1)["id"].item() == first
    others = [
        quarantine_rows(held(), "w2", 1), quarantine_rows(held(rule="R05"), "w1", 1),
        quarantine_rows(held(unit_nav=-2.0), "w1", 1), quarantine_rows(held(nav_date=THU), "w1", 1),
    ]  # fmt: skip
    assert len({first, *(frame["id"].item() for frame in others)}) == 5
    doubled = pd.concat([held(), held()])
    assert len(quarantine_rows(doubled, "w1", 1)) == 1
