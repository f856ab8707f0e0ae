"""What publishing reads and writes: every predicate of its SQL beside a row that it must miss."""

from dataclasses import fields, replace

import pandas as pd
import pytest
import sqlalchemy as sa

from fund_assets.nav.batch import Batch, Plan
from fund_assets.nav.rules import Verdict
from fund_assets.schemas.table import Kind
from fund_assets.schemas.tables import (
    COLLECTION_BATCH,
    FUND_EVENTS,
    FUND_INFO,
    FUND_NAV,
    NAV_QUARANTINE,
    NAV_REVISION,
    PUBLISH_LOG,
    VALIDATED_NAV,
)
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.diff_writes import insert
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.stores import known as known_store
from fund_assets.warehouse.stores import publish
from fund_assets.warehouse.stores.landing import batch_header
from fund_assets_tests import stores
from fund_assets_tests.unit.builders import CALENDAR

NAN = float("nan")
EMPTY = {Kind.TEXT: "", Kind.CODE: "", Kind.REAL: NAN, Kind.INT: 0, Kind.DATE: 20260918,
         Kind.STAMP: 20260918_190000}  # fmt: skip
#: What a row has unless it says otherwise.
USUAL = {
    "fund_info": {"kind": "mixed", "status": "listed", "name": "x"},
    "collection_batch": {"kind": "wave", "source": "simulated", "state": "landed",
                         "previous_date": 20260917, "rows_read": 2, "payloads": "[]"},
    "nav_quarantine": {"state": "held", "rule": "R08_jump_unconfirmed", "reason": "r"},
    "validated_nav": {"unit_nav": 1.0, "total_return_index": 1.0, "return_status": "first"},
    "fund_events": {"kind": "dividend", "value": 0.1, "status": "recorded"},
    "nav_revision": {"legal_level": "none", "kind": "correction"},
    "publish_log": {"verdicts": "[]"},
}  # fmt: skip
CODES = ["000001", "000002", "000003"]
MON, TUE, WED, THU, FRI = 20260914, 20260915, 20260916, 20260917, 20260918


def frame(table, *rows):
    """Rows of a table, each a dict; what it lacks is as usual, or empty."""
    if not rows:
        return table.empty()
    usual = USUAL.get(table.name, {})
    nothing = {c.name: None if c.nullable and c.kind is not Kind.REAL else EMPTY[c.kind]
               for c in table.columns}  # fmt: skip
    return table.conform(pd.DataFrame([nothing | usual | row for row in rows]))


def put(warehouse, table, *rows):
    with warehouse.transaction(writes=True) as connection:
        insert(connection, table, frame(table, *rows))


def batches(warehouse, *rows):
    """(id, kind, state, collected_at, more) of batches."""
    for batch_id, kind, state, collected_at, *more in rows:
        row = {"batch_id": batch_id, "kind": kind, "state": state, "collected_at": collected_at}
        put(warehouse, COLLECTION_BATCH, row | (more[0] if more else {}))


@pytest.fixture
def warehouse(tmp_path):
    warehouse = Warehouse(stores.at(tmp_path))
    warehouse.init("simulated")
    put(warehouse, FUND_INFO, *({"fund_code": code} for code in CODES))
    yield warehouse
    warehouse.close()


def batch(kind="wave", codes=("000001", "000002"), day=FRI, batch_id="w20260918-now", **more):
    landed = frame(FUND_NAV, *({"fund_code": code, "nav_date": day, "batch_id": batch_id}
                               for code in codes))  # fmt: skip
    return Batch(batch_id, kind, day, None, 20260918_190000, more.pop("rows_read", len(landed)),
                 landed, **more)  # fmt: skip


def test_which_batch_was_published_last(warehouse):
    """Stops a batch of the desk, or one that was collected before, from being the last."""
    assert known_store.last_published(warehouse) is None
    batches(
        warehouse,
        ("w1", "wave", "published", 20260916_190000),
        ("w2", "wave", "published", 20260917_190000),
        ("h1", "history", "published", 20260917_200000),
        ("d1", "desk", "published", 20260918_090000),
        ("w3", "wave", "landed", 20260918_190000),
    )
    # Published in another order than they were collected in.
    for number, name in enumerate(("h1", "w2", "w1", "d1")):
        put(
            warehouse, PUBLISH_LOG, {"batch_id": name, "published_at": 20260918_100000 + number}
        )
    assert known_store.last_published(warehouse) == "h1"
    assert known_store.last_published(warehouse, "wave") == "w2"
    assert known_store.last_published(warehouse, "desk") == "d1"
    assert known_store.last_published(warehouse, "events") is None


def test_of_batches_collected_in_the_same_second_the_later_published_counts(warehouse):
    """Stops the order of ids from deciding where times can."""
    for name, at in (("w1", 3), ("w2", 9), ("w3", 5)):
        batches(warehouse, (name, "wave", "published", 20260918_190000))
        put(warehouse, PUBLISH_LOG, {"batch_id": name, "published_at": 20260918_190000 + at})
    assert known_store.last_published(warehouse, "wave") == "w2"


def test_a_batch_is_read_as_it_landed(warehouse):
    """Stops rows of another batch from being judged with it, and refused rows uncounted."""
    batches(warehouse, ("w1", "wave", "landed", 20260918_190000, {"rows_read": 5}),
            ("w2", "wave", "landed", 20260918_193000))  # fmt: skip
    put(warehouse, FUND_NAV,
        {"fund_code": "000001", "nav_date": FRI, "batch_id": "w1", "unit_nav": 1.5},
        {"fund_code": "000002", "nav_date": FRI, "batch_id": "w1", "unit_nav": 2.5},
        {"fund_code": "000001", "nav_date": FRI, "batch_id": "w2", "unit_nav": 9.0})  # fmt: skip
    with warehouse.transaction() as connection:
        header = batch_header(connection, "w1")
        with pytest.raises(KeyError, match="unknown batch w9"):
            batch_header(connection, "w9")
    assert (header.state, header.held_because) == ("landed", "")
    found = publish.read_batch(warehouse, header)
    assert sorted(found.landed["unit_nav"]) == [1.5, 2.5]
    assert (found.batch_id, found.kind, found.newest_date, found.previous_date) == (
        "w1", "wave", FRI, THU,
    )  # fmt: skip
    assert (found.collected_at, found.rows_read, found.refused) == (20260918_190000, 5, 3)
    at_hand = found.landed.head(1)
    assert len(publish.read_batch(warehouse, header, at_hand).landed) == 1
    told = publish.read_batch(warehouse, header._replace(kind="events", previous_date=None))
    assert (told.refused, told.previous_date) == (0, None)


def navs(warehouse, *rows):
    put(warehouse, VALIDATED_NAV, *(
        {"fund_code": code, "nav_date": day, "unit_nav": unit, "batch_id": "w1"}
        for code, day, unit in rows
    ))  # fmt: skip


def test_a_wave_knows_some_sessions_and_the_row_before_them(warehouse):
    """Stops a wave from judging a NAV without the one before it, or from reading the past."""
    navs(
        warehouse,
        ("000001", MON, 1.1), ("000001", TUE, 1.2), ("000001", WED, 1.3), ("000001", THU, 1.4),
        ("000002", MON, 2.1), ("000002", TUE, 2.2),
        ("000003", THU, 3.4),
    )  # fmt: skip
    known = known_store.read_known(warehouse, batch(), WED)
    stored = known.stored.sort_values(["fund_code", "nav_date"])
    # 000001 has rows from Wednesday on; of 000002 the last before it; 000003 is not asked for.
    assert stored["unit_nav"].tolist() == [1.3, 1.4, 2.2]
    # A batch that begins on Wednesday needs the row before Wednesday.
    early = known_store.read_known(warehouse, batch(codes=["000001"], day=WED), WED)
    assert sorted(early.stored["unit_nav"]) == [1.2, 1.3, 1.4]
    whole = known_store.read_known(warehouse, batch("history", batch_id="h1"), WED)
    assert sorted(whole.stored["unit_nav"]) == [1.1, 1.2, 1.3, 1.4, 2.1, 2.2]
    one = known_store.read_known(warehouse, batch("history"), WED, pd.Index(["000003"]))
    assert one.stored["unit_nav"].tolist() == [3.4]
    nobody = known_store.read_known(warehouse, batch("history", codes=[]), 0)
    assert nobody.stored.empty and list(nobody.stored) == VALIDATED_NAV.names


def test_funds_are_asked_for_in_pieces(warehouse, monkeypatch):
    """Stops a market of funds from being cut off at the first piece."""
    navs(warehouse, ("000001", MON, 1.1), ("000002", MON, 2.1), ("000003", MON, 3.1))
    monkeypatch.setattr(known_store, "CODES_PER_QUERY", 2)
    known = known_store.read_known(warehouse, batch("history", codes=CODES), 0)
    assert sorted(known.stored["unit_nav"]) == [1.1, 2.1, 3.1]
    put(warehouse, FUND_EVENTS, {"fund_code": "000003", "ex_date": MON})
    # More funds than a question may name: all are read, and only ours are kept.
    assert set(
        known_store.read_known(warehouse, batch("history", codes=CODES), 0).kinds
    ) == set(CODES)
    some = known_store.read_known(warehouse, batch("history", codes=CODES[:2]), 0)
    assert set(some.kinds) == {"000001", "000002"} and some.events.empty


def held(number, **more):
    return {
        "id": f"{number:040x}",
        "batch_id": "w1",
        "fund_code": "000001",
        "nav_date": FRI,
    } | more


def test_what_is_known_of_held_rows(warehouse):
    """Stops a decided row from being a sight, an own one, or a witness's word from being a person's."""
    put(
        warehouse, NAV_QUARANTINE,
        held(1),
        held(2, batch_id="w20260918-now"),
        held(3, nav_date=None),
        held(4, fund_code="000003"),
        held(5, state="accepted", decided_by="hand", decided_at=20260918_120000),
        held(6, state="rejected", decided_by="hand", decided_at=20260918_110000),
        held(7, state="rejected", decided_by="witness:history", decided_at=20260918_130000),
        held(8, state="accepted", decided_by="witness:history", decided_at=20260918_130000),
        held(9, state="rejected", decided_by="rules", decided_at=20260918_130000),
        held(10, state="rejected", decided_by="source:withdrawn", decided_at=20260918_130000),
        held(11, state="rejected", decided_by="hand", decided_at=20260918_110000, fund_code="000003"),
        held(12, state="rejected", decided_by="witness:page", decided_at=20260918_110000),
    )  # fmt: skip
    known = known_store.read_known(warehouse, batch(), WED)

    def numbers(rows):
        return [int(name, 16) for name in rows["id"]]

    assert numbers(known.sightings) == [1]
    assert known.sightings["voice"].tolist() == ["page"]
    assert numbers(known.decisions) == [6, 5], "oldest first"
    assert numbers(known.refuted) == [12, 7]


def test_what_is_known_of_the_waves_before(warehouse):
    """Stops a held wave, or a batch of another kind, from saying what is usual."""
    batches(
        warehouse,
        ("w1", "wave", "published", 20260915_190000, {"rows_read": 100, "newest_date": TUE}),
        ("w2", "wave", "published", 20260916_190000, {"rows_read": 110, "newest_date": WED}),
        ("w3", "wave", "published", 20260917_073000, {"rows_read": 150, "newest_date": TUE}),
        ("w4", "wave", "held", 20260917_190000, {"rows_read": 5, "newest_date": FRI}),
        ("h1", "history", "published", 20260917_190000, {"rows_read": 7, "newest_date": FRI}),
    )  # fmt: skip
    for number, name in enumerate(("w1", "w2", "w3", "h1")):
        put(
            warehouse, PUBLISH_LOG, {"batch_id": name, "published_at": 20260917_200000 + number}
        )
    put(warehouse, FUND_NAV,
        {"fund_code": "000001", "nav_date": TUE, "batch_id": "w3"},
        {"fund_code": "000001", "nav_date": MON, "batch_id": "w3"},
        {"fund_code": "000002", "nav_date": TUE, "batch_id": "w2"},
        {"fund_code": "000003", "nav_date": TUE, "batch_id": "h1"})  # fmt: skip
    known = known_store.read_known(warehouse, batch(), WED)
    assert known.usual_rows == 110.0
    assert known.published_date == WED
    assert known.members_before == {"000001"}
    assert known_store.read_known(warehouse, batch("history"), 0).members_before == frozenset()


def test_the_first_wave_of_all_has_nothing_before_it(warehouse):
    """Stops an empty warehouse from being an error, or a market of none."""
    known = known_store.read_known(warehouse, batch(), WED)
    assert (known.usual_rows, known.published_date, known.members_before) == (
        None,
        None,
        frozenset(),
    )
    assert known.stored.empty and known.decisions.empty
    assert set(known.kinds) == set(CODES), "a listed fund that is not there counts as well"


def test_usual_is_what_the_last_twenty_waves_had(warehouse):
    """Stops the size that the market had long ago from being usual for ever."""
    for number in range(30):
        size = 1000 if number < 10 else 200
        batches(warehouse, (f"w{number:02d}", "wave", "published", 20260801_190000 + number,
                            {"rows_read": size}))  # fmt: skip
    assert known_store.read_known(warehouse, batch(), WED).usual_rows == 200.0


def test_what_became_of_a_batch_of_events(warehouse):
    """Stops inferred or foreign events from being counted as brought, and changed as new."""
    put(
        warehouse, FUND_EVENTS,
        {"fund_code": "000001", "ex_date": MON, "first_batch_id": "e2", "batch_id": "e2"},
        {"fund_code": "000001", "ex_date": TUE, "first_batch_id": "e2", "batch_id": "e9"},
        {"fund_code": "000002", "ex_date": MON, "first_batch_id": "e1", "batch_id": "e2"},
        {"fund_code": "000002", "ex_date": TUE, "first_batch_id": "e1", "batch_id": "e1"},
        {"fund_code": "000003", "ex_date": MON, "first_batch_id": "e2", "batch_id": "e2",
         "status": "inferred"},
    )  # fmt: skip
    put(warehouse, NAV_QUARANTINE, held(1, batch_id="e2"), held(2, batch_id="e1"))
    assert publish._funds_told_of(warehouse, "e2").tolist() == ["000001", "000002"]
    assert publish._funds_told_of(warehouse, "e9").tolist() == ["000001"]
    with warehouse.transaction() as connection:
        found = publish._event_counts(connection, batch("events", batch_id="e2", rows_read=9))
    assert found == {"rows_new": 2, "rows_changed": 1, "rows_filled": 0, "rows_quarantined": 1,
                     "rows_unchanged": 5, "rows_pending": 0}  # fmt: skip


def test_corrections_of_a_second_follow_one_another(warehouse):
    """Stops a value from being lost because two corrections have the same time."""
    at = 20260918_190000

    def revise(*rows):
        with warehouse.transaction(writes=True) as connection:
            publish.write_revisions(connection, frame(NAV_REVISION, *rows))

    def row(code, day, unit, when=at):
        return {"fund_code": code, "nav_date": day, "unit_nav": unit, "superseded_at": when,
                "first_seen_at": at - 1000}  # fmt: skip

    revise(row("000001", FRI, 1.0), row("000002", FRI, 2.0), row("000001", THU, 3.0, at - 10))
    revise(row("000001", FRI, 1.1), row("000001", THU, 3.1))
    revise(row("000001", FRI, 1.2, at - 500), row("000002", FRI, 2.1, at + 59))
    publishing_empty = frame(NAV_REVISION, row("000001", FRI, 1.0)).iloc[:0]
    with warehouse.transaction(writes=True) as connection:
        publish.write_revisions(connection, publishing_empty)
    found = warehouse.rows(
        "SELECT fund_code, nav_date, unit_nav, superseded_at FROM nav_revision "
        "ORDER BY fund_code, nav_date, superseded_at"
    )
    assert [tuple(r.values()) for r in found] == [
        ("000001", THU, 3.0, at - 10), ("000001", THU, 3.1, at),
        ("000001", FRI, 1.0, at), ("000001", FRI, 1.1, at + 1), ("000001", FRI, 1.2, at + 2),
        ("000002", FRI, 2.0, at), ("000002", FRI, 2.1, at + 59),
    ]  # fmt: skip


def test_what_witnesses_settle_is_marked_once(warehouse):
    """Stops a decided row from being decided again, and a rejected one from having a batch."""
    put(warehouse, NAV_QUARANTINE, held(1), held(2), held(3, state="rejected", decided_by="hand"),
        held(4))  # fmt: skip
    settled = pd.DataFrame(
        [(f"{n:040x}", state, "witness:history", f"because {n}")
         for n, state in ((1, "accepted"), (2, "rejected"), (3, "accepted"))],
        columns=["id", "state", "decided_by", "decided_because"],
    )  # fmt: skip
    with warehouse.transaction(writes=True) as connection:
        publish.mark_settled(connection, settled, "h7", 20260919_010203)
        publish.mark_settled(connection, settled.iloc[:0], "h8", 20260919_010204)
    found = warehouse.rows(
        "SELECT state, decided_by, decided_because, decided_at, decided_in FROM nav_quarantine "
        "ORDER BY id"
    )
    assert [tuple(r.values()) for r in found] == [
        ("accepted", "witness:history", "because 1", 20260919_010203, "h7"),
        ("rejected", "witness:history", "because 2", 20260919_010203, ""),
        ("rejected", "hand", "", None, ""),
        ("held", "", "", None, ""),
    ]


def empty_plan(**more):
    tables = {"upserts": VALIDATED_NAV, "inferred": FUND_EVENTS, "revisions": NAV_REVISION}
    made = {f.name: pd.DataFrame() for f in fields(Plan) if not f.name.startswith("rows_")}
    made |= {f.name: 0 for f in fields(Plan) if f.name.startswith("rows_")}
    made |= {name: table.empty() for name, table in tables.items()}
    made["outdated"] = FUND_EVENTS.empty()[["fund_code", "ex_date", "kind"]]
    made["held"] = FUND_NAV.empty().assign(rule="", reason="")
    made["verdicts"] = ()
    return Plan(**made | more)


def test_inferred_events_give_way_and_recorded_ones_stay(warehouse):
    """Stops an inferred event from taking the place of a recorded one, or from staying too long."""
    put(warehouse, FUND_EVENTS,
        *({"fund_code": code, "ex_date": day, "kind": kind, "status": status, "value": value}
          for code, day, kind, status, value in (
              ("000001", MON, "dividend", "inferred", 0.1),   # outdated
              ("000001", MON, "split", "inferred", 2.0),      # another kind
              ("000001", TUE, "dividend", "inferred", 0.2),   # another day
              ("000002", MON, "dividend", "recorded", 0.3),   # another fund, and recorded
              ("000003", MON, "dividend", "inferred", 0.4),   # inferred anew
          )))  # fmt: skip
    anew = frame(FUND_EVENTS, *(
        {"fund_code": code, "ex_date": MON, "status": "inferred", "value": 0.9}
        for code in ("000002", "000003")
    ))  # fmt: skip
    gone = pd.DataFrame([("000001", MON, "dividend")], columns=["fund_code", "ex_date", "kind"])
    with warehouse.transaction(writes=True) as connection:
        publish._write_inferred(connection, empty_plan(inferred=anew, outdated=gone))
    found = warehouse.rows(
        "SELECT fund_code, ex_date, kind, value, status FROM fund_events "
        "ORDER BY fund_code, ex_date, kind"
    )
    assert [tuple(r.values()) for r in found] == [
        ("000001", MON, "split", 2.0, "inferred"),
        ("000001", TUE, "dividend", 0.2, "inferred"),
        ("000002", MON, "dividend", 0.3, "recorded"),
        ("000003", MON, "dividend", 0.9, "inferred"),
    ]


def plans(monkeypatch, plan):
    """What publishing asks `nav` for is `plan`: a plan, or a function of batch and known."""

    def made(batch, known, *_):
        return plan(batch, known) if callable(plan) else plan

    monkeypatch.setattr(publish, "plan_merge", made)
    monkeypatch.setattr(publish, "plan_events", made)


BLOCKS = Verdict("R02_row_count", "block", 1, 1, ("2 rows, usually 9", "and more"))


def landed_wave(warehouse):
    batches(warehouse, ("w1", "wave", "landed", 20260918_190000))
    put(warehouse, FUND_NAV,
        *({"fund_code": code, "nav_date": FRI, "batch_id": "w1", "unit_nav": 1.0}
          for code in CODES[:2]))  # fmt: skip


def state_of(warehouse, batch_id="w1"):
    row = warehouse.rows(
        f"SELECT state, held_because FROM collection_batch WHERE batch_id = '{batch_id}'"
    )
    return row[0]["state"], row[0]["held_because"]


def test_a_blocked_batch_is_held_and_changes_nothing_else(warehouse, monkeypatch):
    """Stops a blocked batch from being published, or from hiding why it was not."""
    landed_wave(warehouse)
    batches(warehouse, ("w0", "wave", "landed", 20260917_190000))
    plan = empty_plan(verdicts=(BLOCKS,))
    now = 20260918_193000
    plans(monkeypatch, plan)
    found = publish.publish(warehouse, "w1", CALENDAR, now=now)
    assert found.blocked_by == (BLOCKS,) and found.verdicts == (BLOCKS,)
    assert (found.batch_id, found.kind, found.newest_date, found.counts) == (
        "w1",
        "wave",
        FRI,
        {},
    )
    assert not found.already
    because = "R02_row_count: 2 rows, usually 9, and more. Cleared by a wave with the usual "
    because += "rows, or the third session in a row with the same number (within 1 %)"
    assert state_of(warehouse) == ("held", because)
    assert state_of(warehouse, "w0") == ("landed", "")
    assert warehouse.count("SELECT COUNT(*) FROM publish_log") == 0
    warns = Verdict("R02_row_count_notice", "warn", 1, 1, ("x",))
    plans(monkeypatch, empty_plan(verdicts=(warns,)))
    publish.rehearse(warehouse, "w0", CALENDAR, today=FRI)
    assert state_of(warehouse, "w0") == ("landed", ""), "a warning holds nothing"
    plans(monkeypatch, plan)
    publish.rehearse(warehouse, "w0", CALENDAR, today=FRI)
    assert state_of(warehouse, "w0") == ("held", because)


def test_a_smaller_market_is_measured_by_the_last_two_blocked_sessions(warehouse, monkeypatch):
    """Stops sessions of long ago, or an earlier wave of an evening, from saying that today's
    number is the third in a row."""
    for n, day in enumerate((20260914, 20260915, 20260916), 1):
        for at, rows in ((190000, 90), (203000, n)):
            name = f"{day}-{at}"
            told = {"newest_date": day, "rows_read": rows}
            batches(warehouse, (name, "wave", "held", day * 1_000_000 + at, told))
            put(warehouse, FUND_NAV, *({"fund_code": code, "nav_date": day, "batch_id": name,
                                        "unit_nav": 1.0} for code in CODES[:n]))  # fmt: skip
    landed_wave(warehouse)
    seen = []
    plans(monkeypatch, lambda b, k: seen.append(k.blocked) or empty_plan())
    publish.rehearse(warehouse, "w1", CALENDAR, today=FRI)
    two, three = (frozenset(CODES[:n]) for n in (2, 3))
    assert [(s.rows, s.members) for s in seen[0]] == [(3, three), (2, two)]


def test_a_batch_is_published_once_with_its_account(warehouse, monkeypatch):
    """Stops a batch from being merged twice, and an account that is another batch's."""
    landed_wave(warehouse)
    new = frame(VALIDATED_NAV, *({"fund_code": code, "nav_date": FRI, "unit_nav": 1.0,
                                  "batch_id": "w1"} for code in CODES[:2]))  # fmt: skip
    doubted = frame(FUND_NAV, {"fund_code": "000003", "nav_date": FRI, "batch_id": "w1",
                               "unit_nav": 9.0}).assign(rule="R07_nav_bounds", reason="too high")  # fmt: skip
    warns = Verdict("R08_jump", "warn", 2, 1, ("000001: 跌",))
    calls = []

    def plan(wave, known):
        calls.append((wave.batch_id, len(wave.landed), known.usual_rows))
        return empty_plan(upserts=new, held=doubted, verdicts=(warns,), rows_new=2,
                          rows_quarantined=1, rows_pending=4, rows_changed=5, rows_unchanged=6)  # fmt: skip

    now = 20260918_193000
    plans(monkeypatch, plan)
    first = publish.publish(warehouse, "w1", CALENDAR, now=now)
    counts = {"rows_read": 2, "rows_new": 2, "rows_changed": 5, "rows_filled": 0, "rows_unchanged": 6,
              "rows_quarantined": 1, "rows_pending": 4}  # fmt: skip
    assert (first.counts, first.verdicts, first.blocked_by, first.already) == (
        counts,
        (warns,),
        (),
        False,
    )
    assert (first.kind, first.newest_date) == ("wave", FRI)
    again = publish.publish(warehouse, "w1", CALENDAR, now=now)
    assert again.already and again.counts == counts and calls == [("w1", 2, None)]
    assert publish.outcome(warehouse, "w1") == again
    assert state_of(warehouse) == ("published", "")
    assert warehouse.count("SELECT COUNT(*) FROM validated_nav") == 2
    log = warehouse.rows("SELECT published_at, newest_date FROM publish_log")
    assert [tuple(r.values()) for r in log] == [(20260918_193000, FRI)]
    kept = warehouse.rows("SELECT fund_code, rule, reason, state, unit_nav, created_at, batch_id "
                          "FROM nav_quarantine")  # fmt: skip
    assert [tuple(r.values()) for r in kept] == [
        ("000003", "R07_nav_bounds", "too high", "held", 9.0, 20260918_193000, "w1"),
    ]  # fmt: skip


def test_all_parts_of_a_plan_are_written(warehouse, monkeypatch):
    """Stops corrections, settled rows, events or chains from being left out of a publish."""
    landed_wave(warehouse)
    navs(warehouse, ("000002", MON, 2.0), ("000002", TUE, 2.5))
    put(warehouse, NAV_QUARANTINE, held(1))
    put(warehouse, FUND_EVENTS, {"fund_code": "000001", "ex_date": MON, "status": "inferred"})
    chained = frame(VALIDATED_NAV, {"fund_code": "000002", "nav_date": TUE, "unit_nav": 9.0,
                                    "total_return_index": 1.25})  # fmt: skip
    plan = empty_plan(
        revisions=frame(NAV_REVISION, {"fund_code": "000002", "nav_date": MON, "unit_nav": 1.9,
                                       "superseded_at": 20260918_193000}),
        outdated=pd.DataFrame([("000001", MON, "dividend")],
                              columns=["fund_code", "ex_date", "kind"]),
        inferred=frame(FUND_EVENTS, {"fund_code": "000002", "ex_date": FRI, "status": "inferred"}),
        rechained=chained[["fund_code", "nav_date", "total_return_index"]],
        settled=pd.DataFrame([(f"{1:040x}", "accepted", "witness:history", "seen")],
                             columns=["id", "state", "decided_by", "decided_because"]),
    )  # fmt: skip
    plans(monkeypatch, plan)
    publish.publish(warehouse, "w1", CALENDAR, now=20260918_193000)

    def rows(sql):
        return [tuple(row.values()) for row in warehouse.rows(sql)]

    assert rows("SELECT fund_code, nav_date, unit_nav FROM nav_revision") == [
        ("000002", MON, 1.9)
    ]
    assert rows("SELECT fund_code, ex_date FROM fund_events") == [("000002", FRI)]
    assert rows("SELECT nav_date, unit_nav, total_return_index FROM validated_nav "
                "ORDER BY nav_date") == [(MON, 2.0, 1.0), (TUE, 2.5, 1.25)]  # fmt: skip
    assert rows("SELECT state, decided_in, decided_at FROM nav_quarantine") == [
        ("accepted", "w1", 20260918_193000)
    ]


def test_a_person_lets_a_blocking_rule_pass_and_no_other(warehouse):
    """Stops one accepted rule from opening the way for another."""
    landed_wave(warehouse)
    plan = empty_plan(verdicts=(BLOCKS,))
    with warehouse.transaction(writes=True) as connection:
        wave = publish.read_batch(warehouse, batch_header(connection, "w1"))
        of = (connection, wave, known_store.read_known(warehouse, wave, WED), plan)
        other = publish.merge(*of, now=20260918_193000, despite=["R03_kind_floor"])
        assert other.blocked_by == (BLOCKS,)
        passed = publish.merge(*of, now=20260918_193000, despite=["R02_row_count"])
    assert passed.blocked_by == () and passed.verdicts == (BLOCKS,), "the log keeps it"
    assert state_of(warehouse) == ("published", "")


def test_who_let_a_batch_pass_stays_with_why_it_was_held(warehouse, monkeypatch):
    """Stops a batch from being merged by nobody, and a person's words from standing beside a
    batch that another rule still holds."""
    landed_wave(warehouse)
    now = 20260918_193000
    plan = empty_plan(verdicts=(BLOCKS,))
    plans(monkeypatch, plan)
    publish.publish(warehouse, "w1", CALENDAR, now=now)
    because = state_of(warehouse)[1]
    words = "王经理: half of the market rests"
    other = publish.publish(
        warehouse,
        "w1",
        CALENDAR,
        now=now,
        overruled=publish.Overruled(["R03_kind_floor"], words),
    )
    assert other.blocked_by and state_of(warehouse) == ("held", because)
    done = publish.publish(
        warehouse,
        "w1",
        CALENDAR,
        now=now,
        overruled=publish.Overruled(["R02_row_count"], words),
    )
    assert not done.blocked_by
    assert state_of(warehouse) == ("published", f"{because}; {words}")


def test_a_decision_knows_how_many_funds_its_dates_have(warehouse):
    """Stops a share of the market from being measured against nothing, or a wave from asking."""
    rows = [("000001", THU), ("000002", THU), ("000003", THU), ("000001", FRI), ("000001", WED)]
    navs(warehouse, *((code, day, 1.0) for code, day in rows))
    for kind, market_on in (("desk", {THU: 3, FRI: 1}), ("wave", {}), ("history", {})):
        asked = batch(kind, codes=("000001",), day=THU)
        more = asked.landed.assign(nav_date=FRI)
        asked = replace(asked, landed=pd.concat([asked.landed, more], ignore_index=True))
        assert known_store.read_known(warehouse, asked, 0).market_on == market_on


def test_a_batch_of_events_chains_its_funds_in_pieces(warehouse, monkeypatch):
    """Stops funds beyond the first piece from keeping an index without their dividend."""
    monkeypatch.setattr(publish, "FUNDS_PER_PLAN", 2)
    batches(warehouse, ("e1", "events", "landed", 20260918_190000, {"rows_read": 3}))
    navs(warehouse, *((code, MON, 1.0) for code in CODES))
    put(warehouse, FUND_EVENTS, *({"fund_code": code, "ex_date": MON, "first_batch_id": "e1",
                                   "batch_id": "e1"} for code in CODES))  # fmt: skip
    asked = []

    def plan(told, known):
        asked.append(sorted(known.stored["fund_code"]))
        changed = known.stored[["fund_code", "nav_date"]].assign(total_return_index=1.25)
        return empty_plan(rechained=changed)

    plans(monkeypatch, plan)
    found = publish.publish(warehouse, "e1", CALENDAR, now=20260918_193000)
    assert asked == [CODES[:2], CODES[2:]]
    assert found.counts["rows_new"] == 3 and found.counts["rows_unchanged"] == 0
    assert [r["total_return_index"] for r in warehouse.rows(
        "SELECT total_return_index FROM validated_nav")] == [1.25] * 3  # fmt: skip
    assert state_of(warehouse, "e1") == ("published", "")


def test_a_batch_that_is_not_there_is_an_error(warehouse):
    """Stops a wrong id from publishing nothing in silence."""
    with pytest.raises((LookupError, sa.exc.NoResultFound, ValueError)):
        publish.publish(warehouse, "w404", CALENDAR, now=20260918_193000)


def test_a_case_that_waits_counts_once(warehouse):
    """Stops one wrong value from being a backlog because three waves showed it and two rules
    held it; what was decided, another date and a row without a date count as they are."""
    batches(warehouse, *((b, "wave", "published", FRI * 1_000_000) for b in ("w1", "w2", "w3")))
    rules = ("R08_jump_unconfirmed", "R16_revision_hold")
    same = [
        {"batch_id": b, "rule": rule, "fund_code": "000001", "nav_date": FRI}
        for b in ("w1", "w2", "w3")
        for rule in rules
    ]
    others = [
        {"batch_id": "w1", "fund_code": "000001", "nav_date": THU},
        {"batch_id": "w1", "fund_code": "000002", "nav_date": FRI},
        {"batch_id": "w1", "fund_code": "000003", "nav_date": FRI, "state": "accepted"},
        {"batch_id": "w1", "fund_code": "000003", "nav_date": None},
        {"batch_id": "w2", "fund_code": "000003", "nav_date": None},
    ]
    rows = [row | {"id": f"id{n}"} for n, row in enumerate(same + others)]
    assert status_queries.held_cases(warehouse) == 0
    put(warehouse, NAV_QUARANTINE, *rows)
    assert status_queries.held_cases(warehouse) == 4
    assert sum(row["held"] for row in status_queries.quarantine_counts(warehouse)) == 10
