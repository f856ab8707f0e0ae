"""Looking at held rows and landed batches: every predicate of the SQL beside what it must miss."""

from dataclasses import astuple, replace

import pandas as pd
import pytest

from fund_assets.nav.decisions import DecisionError
from fund_assets.nav.landing_rows import Origin, prepare
from fund_assets.schemas.tables import (
    FUND_INFO,
    FUND_NAV,
    NAV_QUARANTINE,
    VALIDATED_NAV,
)
from fund_assets.sources.eastmoney.cells import event_frame
from fund_assets.sources.protocol import empty_observations
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import gaps
from fund_assets.warehouse.queries import quarantine as quarantine_queries
from fund_assets.warehouse.queries.quarantine import Wanted
from fund_assets.warehouse.stores import landing
from fund_assets.warehouse.stores import quarantine as quarantine_store
from fund_assets_tests import stores
from fund_assets_tests.unit.warehouse.stores.test_publish import (
    FRI,
    MON,
    THU,
    TUE,
    WED,
    batches,
    put,
)

JUMP, REVISION = "R08_jump_unconfirmed", "R16_revision_hold"


@pytest.fixture
def warehouse(tmp_path):
    warehouse = Warehouse(stores.at(tmp_path))
    warehouse.init("simulated")
    put(warehouse, FUND_INFO, *(
        {"fund_code": f"00000{n}", "kind": kind, "name": f"fund {n}", "status": status}
        for n, (kind, status) in enumerate(
            (("mixed", "listed"), ("bond", "listed"), ("money", "delisted"), ("mixed", "listed")), 1
        )
    ))  # fmt: skip
    batches(
        warehouse,
        (
            "w1",
            "wave",
            "published",
            20260917_190000,
            {"newest_date": THU, "previous_date": WED},
        ),
        ("h1", "history", "published", 20260918_100000, {"previous_date": None}),
        ("w2", "wave", "published", 20260918_190000),
    )
    yield warehouse
    warehouse.close()


def row(number, code="000001", day=THU, batch="w1", **more):
    return {"id": f"{number:06x}{'a' * 34}", "fund_code": code, "nav_date": day,
            "batch_id": batch, "rule": JUMP, "unit_nav": 1.0} | more  # fmt: skip


def numbers(frame):
    return [int(name[:6], 16) for name in frame["id"]]


def test_each_filter_finds_its_rows_oldest_first(warehouse):
    """Stops a decision about one row from reaching its neighbours."""
    put(
        warehouse, NAV_QUARANTINE,
        row(5, batch="w2"),
        row(1), row(2, "000002"), row(3, day=WED), row(4, rule=REVISION),
        row(6, batch="w2", state="rejected"),
    )  # fmt: skip

    def found(**wanted):
        return numbers(quarantine_store.find(warehouse, Wanted(**wanted)))

    assert found() == [3, 1, 4, 2, 5], "by batch, fund, date, rule"
    assert found(rules=(REVISION,)) == [4]
    assert found(funds=("000002",)) == [2]
    assert found(kinds=("bond", "money")) == [2]
    assert found(dates=(WED, TUE)) == [3]
    assert found(batches=("w2",)) == [5]
    assert found(states=("rejected",)) == [6]
    assert found(states=("held", "rejected"), batches=("w2",)) == [5, 6]
    assert found(ids=(row(2)["id"], row(3)["id"])) == [3, 2]
    assert found(funds=("000001",), dates=(THU,), rules=(JUMP,)) == [1, 5]
    none = quarantine_store.find(warehouse, Wanted(funds=("999999",)))
    assert none.empty and "superseded" in none and "fund_name" in none


def test_a_found_row_tells_of_its_fund_and_batch(warehouse):
    """Stops a row from being shown with another fund's name, or lost without one."""
    put(warehouse, NAV_QUARANTINE, row(1, "000002"), row(2, "999999", batch="h1"))
    known, unknown = quarantine_store.find(warehouse, Wanted()).to_dict("records")
    assert (known["fund_name"], known["fund_kind"], known["batch_kind"]) == (
        "fund 2",
        "bond",
        "wave",
    )
    assert (known["newest_date"], known["previous_date"], known["source"]) == (
        THU,
        WED,
        "simulated",
    )
    assert known["collected_at"] == 20260917_190000 and known["superseded"] is False
    assert pd.isna(unknown["fund_name"]) and pd.isna(unknown["previous_date"])


@pytest.mark.parametrize(
    ("table", "shown", "superseded"),
    [
        (FUND_NAV, {}, True),
        (FUND_NAV, {"unit_nav": 1.0}, False),  # the same figure
        (FUND_NAV, {"nav_date": WED}, False),  # another date
        (FUND_NAV, {"fund_code": "000002"}, False),  # another fund
        (FUND_NAV, {"batch_id": "w1"}, False),  # its own batch
        (VALIDATED_NAV, {}, True),
        (VALIDATED_NAV, {"unit_nav": 1.0}, False),
        (VALIDATED_NAV, {"nav_date": WED}, False),
        (VALIDATED_NAV, {"fund_code": "000002"}, False),
        (VALIDATED_NAV, {"batch_id": "w1"}, False),
        (FUND_NAV, {"unit_nav": 1.0, "growth_pct": 0.5}, False),  # the held one has no growth
        (FUND_NAV, {"unit_nav": 1.0, "acc_nav": 2.0001}, True),
        (FUND_NAV, {"unit_nav": 1.0, "acc_nav": 2.0}, False),
    ],
)
def test_a_row_is_superseded_by_another_figure_of_a_later_batch(
    warehouse, table, shown, superseded
):
    """Stops a person from deciding about a value that the source has taken back."""
    put(warehouse, NAV_QUARANTINE, row(1, acc_nav=2.0), row(2, state="rejected"))
    put(warehouse, table,
        {"fund_code": "000001", "nav_date": THU, "batch_id": "w2", "unit_nav": 1.1} | shown)  # fmt: skip
    found = quarantine_store.find(warehouse, Wanted(states=("held", "rejected")))
    assert dict(zip(numbers(found), found["superseded"], strict=True)) == {
        1: superseded,
        2: False,
    }


def test_held_funds_with_a_later_nav(warehouse):
    """Stops the history of a fund from being asked for before anything can settle its row."""
    put(
        warehouse, NAV_QUARANTINE,
        row(1, "000001", WED),  # a later NAV is accepted
        row(2, "000002", WED), row(3, "000002", THU, "w2"),  # a later one is held
        row(4, "000003", THU),  # its own date is accepted, none after it
        row(5, "000004", WED, rule=REVISION),  # of another rule
        row(6, "000004", WED, state="rejected"),
    )  # fmt: skip
    put(warehouse, VALIDATED_NAV,
        *({"fund_code": code, "nav_date": THU, "batch_id": "w1"}
          for code in ("000001", "000003", "000004")))  # fmt: skip
    assert quarantine_store.followed(warehouse, (JUMP,), WED) == ("000001", "000002")
    assert quarantine_store.followed(warehouse, (JUMP, REVISION), WED) == (
        "000001",
        "000002",
        "000004",
    )
    assert quarantine_store.followed(warehouse, (JUMP,), THU) == ()
    assert quarantine_store.followed(warehouse, (REVISION,), MON) == ("000004",)


def test_listed_funds_with_held_rows(warehouse):
    """Stops decided rows, rows without a date and delisted funds from being asked for."""
    put(
        warehouse, NAV_QUARANTINE,
        row(1, created_at=20260917_200000), row(2, day=WED, created_at=20260918_200000),
        row(3, "000002", state="accepted"), row(4, "000002", nav_date=None),
        row(5, "000003"), row(6, "000004", created_at=20260916_080000),
    )  # fmt: skip
    assert gaps.funds_held(warehouse) == [
        ("000001", 20260918_200000), ("000004", 20260916_080000),
    ]  # fmt: skip


def test_an_id_is_told_by_its_beginning(warehouse):
    """Stops a short beginning from deciding about the wrong row."""
    put(warehouse, NAV_QUARANTINE, row(1), row(0x10), row(0x11))
    assert quarantine_queries.full_ids(warehouse, ["000001", "000010a", "000001aa"]) == (
        row(1)["id"], row(0x10)["id"],
    )  # fmt: skip
    for wrong, words in (("00001", "'00001' is not an id: write 6 or more"), ("000001x", "is not an id"),
                         ("00000f", "00000f: no row"), ("a" * 41, "is not an id")):  # fmt: skip
        with pytest.raises(DecisionError, match=words):
            quarantine_queries.full_ids(warehouse, [wrong])
    put(warehouse, NAV_QUARANTINE, row(1) | {"id": "000001b" + "0" * 33})
    with pytest.raises(DecisionError, match="000001 matches several ids, such as 000001a"):
        quarantine_queries.full_ids(warehouse, ["000001"])


def test_a_decision_marks_held_rows_once(warehouse):
    """Stops a second decision from writing over the first."""
    put(warehouse, NAV_QUARANTINE, row(1), row(2), row(3, state="rejected", decided_by="w"))
    with quarantine_store.deciding(warehouse) as desk:
        desk.mark([row(1)["id"], row(3)["id"]], "accepted", by="me", because="seen",
                  at=20260919_080000, batch_id="d1")  # fmt: skip
    found = warehouse.rows(
        "SELECT state, decided_by, decided_because, decided_at, decided_in "
        "FROM nav_quarantine ORDER BY id"
    )
    assert [tuple(r.values()) for r in found] == [
        ("accepted", "me", "seen", 20260919_080000, "d1"),
        ("held", "", "", None, ""),
        ("rejected", "w", "", None, ""),
    ]


def accepted(warehouse, *rows):
    put(warehouse, VALIDATED_NAV, *(
        {"fund_code": code, "nav_date": day, "batch_id": "w1"} | more for code, day, more in rows
    ))  # fmt: skip


def test_spans_and_dates_of_what_is_accepted(warehouse):
    """Stops a span of another fund, dates of funds that are gone, and reports' dates that are
    no sessions from counting as such."""
    accepted(warehouse, ("000001", MON, {}), ("000001", WED, {}), ("000001", THU, {}), ("000002", TUE, {}),
             ("000003", FRI, {}))  # fmt: skip
    spans = landing.stored_spans(warehouse, ["000001", "000003", "000004"])
    assert sorted(spans.itertuples(index=False, name=None)) == [
        ("000001", 3, MON, THU), ("000003", 1, FRI, FRI),
    ]  # fmt: skip
    found = gaps.attendance(warehouse, [TUE, THU, FRI])
    had = {
        (code, kind): found.sessions[row].tolist()
        for code, kind, row in zip(found.codes, found.kinds, found.there, strict=True)
    }
    assert had == {
        ("000001", "mixed"): [THU], ("000002", "bond"): [TUE], ("000004", "mixed"): [],
    }  # fmt: skip


def test_incomes_since(warehouse):
    """Stops NAVs, older dates and funds that are gone from being incomes."""
    put(warehouse, FUND_INFO, {"fund_code": "000005", "kind": "money"})
    income = {"yield_per_10k": 0.5, "yield_7d_pct": 1.9, "days_covered": 1}
    accepted(warehouse, ("000005", MON, income), ("000005", TUE, income | {"days_covered": 3}),
             ("000005", WED, {}), ("000003", WED, income), ("000001", THU, {}))  # fmt: skip
    found = gaps.incomes(warehouse, TUE)
    assert [column if isinstance(column, list) else column.tolist() for column in
            astuple(found)] == [["000005"], ["money"], [TUE], [0.5], [1.9], [3.0]]  # fmt: skip


def test_the_header_of_a_batch(warehouse):
    """Stops a wrong id from being some other batch."""
    with warehouse.transaction() as connection:
        assert landing.batch_header(connection, "h1").kind == "history"
        with pytest.raises(KeyError, match="unknown batch w9"):
            landing.batch_header(connection, "w9")
    batches(warehouse, ("w3", "wave", "landed", 20260919_190000),
            ("e1", "events", "landed", 20260919_190000), ("h2", "history", "landed", 20260919_100000))  # fmt: skip
    assert landing.unpublished(warehouse) == ["h2", "w3", "e1"]
    assert landing.unpublished(warehouse, ["wave", "history"]) == ["h2", "w3"]


def test_a_batch_lands_with_what_was_refused_and_its_events_once(warehouse):
    """Stops refused rows and events from being lost, and a list's event from being a history's."""
    seen = pd.DataFrame({"fund_code": ["000001", "１２３４５６"], "nav_date": [FRI, FRI],
                         "unit_nav": [1.5, 9.0], "defect": ""})  # fmt: skip
    seen = (
        empty_observations()
        .merge(seen, how="right")
        .astype({"nav_date": "int32", "fund_code": "str", "defect": "str"})
    )
    told = event_frame([("000001", FRI, "dividend", 0.1, "told")])
    history = Origin("history", "simulated", FRI, None, 20260918_200000)
    first = prepare(seen, told, origin=history, payloads=())
    assert landing.land(warehouse, first, events=told)
    assert not landing.land(warehouse, first, events=told)
    assert warehouse.count("SELECT COUNT(*) FROM nav_quarantine") == 1
    assert warehouse.count("SELECT COUNT(*) FROM fund_nav") == 1
    listed = told.assign(value=0.2)
    of_list = replace(history, kind="events", collected_at=20260918_210000)
    second = prepare(seen.iloc[:0], listed, origin=of_list, payloads=())
    assert landing.land(warehouse, second, events=listed)
    (event,) = warehouse.rows("SELECT * FROM fund_events")
    assert (event["value"], event["history_value"], event["list_value"]) == (0.1, 0.1, 0.2)
    assert (event["first_batch_id"], event["batch_id"]) == (first.batch_id, second.batch_id)
