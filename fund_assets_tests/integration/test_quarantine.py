"""The quarantine desk on evenings of the simulated market: what a decision does to the books."""

import json
from datetime import datetime
from functools import partial

import pandas as pd
import pytest

from fund_assets.nav import rules
from fund_assets.nav.decisions import DecisionError
from fund_assets.pipeline import quarantine as quarantine_step
from fund_assets.pipeline.fund_nav import collect_wave
from fund_assets.pipeline.quarantine import BlockedError, Decision
from fund_assets.pipeline.validated_nav import validate
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.settings import SHANGHAI
from fund_assets.warehouse.queries import nav as nav_queries
from fund_assets.warehouse.queries import quarantine as quarantine_queries
from fund_assets.warehouse.queries.quarantine import Wanted
from fund_assets.warehouse.stores import quarantine as quarantine_store
from fund_assets_tests.integration.evenings import COUNTS, FRIDAY, desk
from fund_assets_tests.mirror import Mirror

THU, FRI = 20260917, 20260918
NIGHT, MORNING = "2026-09-18T23:00:00", "2026-09-19T07:30:00"
DECIDED = datetime(2026, 9, 19, 9, 0, tzinfo=SHANGHAI)
WHY = Decision("王经理", "管理人公告核对无误")


def wave(market, clock, change=lambda frame: frame):
    """A wave collected and validated, without Dagster around it."""
    platform = market.platform(clock, observations=change)
    collect_wave(platform.warehouse, platform.source, platform.now)
    outcomes = validate(platform.warehouse, platform.calendar, platform.now())
    platform.warehouse.close()
    return outcomes


def decide(market, step, wanted, decision=WHY, at=DECIDED):
    platform = market.platform(f"{at:%Y-%m-%dT%H:%M:%S}")
    try:
        if step is quarantine_step.reject:
            return step(platform.warehouse, platform.now(), wanted, decision)
        return step(platform.warehouse, platform.calendar, platform.now(), wanted, decision)
    finally:
        platform.warehouse.close()


def moved(code, date, factor, **figures):
    """A unit NAV multiplied, the accumulated one moved with it; its growth as told, or `figures`."""

    def change(frame):
        at = (frame["fund_code"] == code) & (frame["nav_date"] == date)
        assert frame.loc[at, "unit_nav"].notna().all() and at.sum() == 1
        risen = (frame["unit_nav"] * factor).round(4)
        frame = frame.assign(
            unit_nav=risen.where(at, frame["unit_nav"]),
            acc_nav=(frame["acc_nav"] + risen - frame["unit_nav"])
            .round(4)
            .where(at, frame["acc_nav"]),
        )
        for name, value in figures.items():
            frame.loc[at, name] = value
        return frame

    return change


def books(market):
    """Every observation of every published batch is in exactly one place, and no more."""
    log = market.table("publish_log")
    assert (log[COUNTS].sum(axis=1) == log["rows_read"]).all()
    batches = market.table("collection_batch", "kind <> 'events'")
    assert set(batches["state"]) <= {"published"}
    assert set(log["batch_id"]) >= set(batches["batch_id"])
    landed = market.table("fund_nav")
    held = market.table("nav_quarantine")
    assert len(landed) == batches["rows_read"].sum() - held["nav_date"].isna().sum()
    seen = landed.loc[
        landed[OBSERVED_NAMES].notna().any(axis=1), ["fund_code", "nav_date", "batch_id"]
    ]
    stored = market.table("validated_nav").set_index(["fund_code", "nav_date"]).index
    in_history = pd.MultiIndex.from_frame(seen[["fund_code", "nav_date"]]).isin(stored)
    in_quarantine = pd.MultiIndex.from_frame(seen).isin(
        pd.MultiIndex.from_frame(held[["fund_code", "nav_date", "batch_id"]])
    )
    assert (in_history | in_quarantine).all(), "an observation is nowhere"
    decided = held[held["state"] != "held"]
    assert decided["decided_at"].notna().all() and (decided["decided_because"] != "").all()
    merged = held.loc[held["state"] == "accepted", "decided_in"]
    assert set(merged) <= set(log["batch_id"])


@pytest.fixture(scope="module")
def names(first_evening):
    """Funds with a moving NAV that have published Thursday's and Friday's by Friday evening."""
    market = first_evening[0]
    seen = market.platform(FRIDAY).source.wave().observations
    seen = seen[seen["unit_nav"].notna() & (seen["unit_nav"] < 5)]
    both = seen.groupby("fund_code")["nav_date"].nunique() == 2
    stored = market.table("validated_nav", f"nav_date = {THU}")["fund_code"]
    return [code for code in both.index[both] if code in set(stored)]


@pytest.fixture
def jumped(market, names):
    """Friday evening; one fund's NAV jumps without a witness and is held."""
    code = names[0]
    wave(market, FRIDAY, moved(code, FRI, 1.6, growth_pct=float("nan")))
    (row,) = market.table("nav_quarantine", "rule = 'R08_jump_unconfirmed'").to_dict("records")
    assert row["fund_code"] == code
    return market, code, row


def at(market, code, date):
    (row,) = market.table(
        "validated_nav", f"fund_code = '{code}' AND nav_date = {date}"
    ).to_dict("records")
    return row


def test_an_accepted_value_is_merged_as_a_batch_of_its_own(jumped):
    """Stops a decision from writing past the log, the ledger's books or the index."""
    market, code, row = jumped
    before = at(market, code, THU)
    told = decide(market, quarantine_step.accept, Wanted(ids=(row["id"],)))
    (outcome,) = told.outcomes
    assert outcome.kind == "desk" and outcome.batch_id.startswith("d20260918-")
    assert [outcome.counts[name] for name in COUNTS] == [1, 0, 0, 0, 0, 0]
    stored = at(market, code, FRI)
    assert stored["unit_nav"] == row["unit_nav"] and stored["batch_id"] == outcome.batch_id
    assert stored["first_seen_at"] == 20260919_090000
    growth = row["unit_nav"] / before["unit_nav"]
    assert stored["total_return_index"] == pytest.approx(before["total_return_index"] * growth)
    (decided,) = market.table("nav_quarantine").to_dict("records")
    assert (decided["state"], decided["decided_by"], decided["decided_at"]) == (
        "accepted", "王经理", 20260919_090000,
    )  # fmt: skip
    assert decided["decided_in"] == outcome.batch_id
    assert decided["decided_because"] == "管理人公告核对无误"
    (batch,) = market.table("collection_batch", "kind = 'desk'").to_dict("records")
    assert batch["state"] == "published" and batch["rows_read"] == 1
    books(market)


@pytest.mark.slow
def test_a_mirror_learns_of_a_decision_and_of_a_correction(jumped):
    """Stops a write from which only the warehouse knows: a held NAV that a person accepted, and
    a corrected one with the index of the fund's later dates."""
    market, code, row = jumped
    mirror = Mirror(market.warehouse)
    decide(market, quarantine_step.accept, Wanted(ids=(row["id"],)))
    mirror.follow(market.warehouse)
    assert mirror.differing(market.warehouse) == [] and 0 < mirror.rows_read < 10
    level = at(market, code, FRI)["total_return_index"]
    wave(market, "2026-09-18T23:30:00")
    mirror.follow(market.warehouse)
    assert mirror.differing(market.warehouse) == []
    nav = mirror.frames["validated_nav"].set_index(["fund_code", "nav_date"])
    assert nav.loc[(code, pd.Timestamp("2026-09-18")), "total_return_index"] != level


@pytest.mark.slow
def test_deciding_again_changes_nothing(jumped):
    """Stops a decision that is repeated from being merged twice, or from failing."""
    market, _, row = jumped
    decide(market, quarantine_step.accept, Wanted(ids=(row["id"],)))
    after = market.checksums()
    told = decide(market, quarantine_step.accept, Wanted(ids=(row["id"],)))
    assert (told.marked, told.already, told.outcomes) == (0, 1, ())
    assert decide(market, quarantine_step.accept, Wanted(rules=(row["rule"],))).marked == 0
    assert decide(market, quarantine_step.replay, Wanted()).marked == 0
    assert market.checksums() == after
    with pytest.raises(DecisionError, match="accepted by 王经理 at 20260919090000"):
        decide(market, quarantine_step.reject, Wanted(ids=(row["id"],)))
    assert market.checksums() == after


@pytest.mark.slow
def test_a_rejected_value_is_not_accepted_on_second_sight(jumped, names):
    """Stops a value that a person refused from coming in by itself the same night."""
    market, code, row = jumped
    told = decide(
        market, quarantine_step.reject, Wanted(ids=(row["id"],)),
        at=datetime(2026, 9, 18, 22, 0, tzinfo=SHANGHAI),
    )  # fmt: skip
    assert (told.marked, told.outcomes) == (1, ())
    with pytest.raises(DecisionError, match="rejected by 王经理"):
        decide(market, quarantine_step.accept, Wanted(ids=(row["id"],)))
    wave(market, NIGHT, moved(code, FRI, 1.6, growth_pct=float("nan")))
    held = market.table("nav_quarantine", f"fund_code = '{code}'")
    assert sorted(held["state"]) == ["held", "rejected"]
    assert market.table("validated_nav", f"fund_code = '{code}' AND nav_date = {FRI}").empty
    wave(market, MORNING)
    assert at(market, code, FRI)["unit_nav"] == pytest.approx(row["unit_nav"] / 1.6, abs=1e-4)
    books(market)


@pytest.mark.slow
def test_an_accepted_value_is_not_held_again(market, names):
    """Stops a rule that a person has overruled from filling the desk every evening."""
    code = names[0]
    change = moved(code, FRI, 1.0, acc_nav=1e5, unit_nav=20_000.0)
    wave(market, FRIDAY, change)
    held = market.table("nav_quarantine")
    assert set(held["rule"]) == {"R07_nav_bounds"}
    decide(market, quarantine_step.accept, Wanted(ids=tuple(held["id"])))
    assert at(market, code, FRI)["unit_nav"] == 20_000.0
    # Seen again the same, with more decimals of its growth: nothing is held.
    later = wave(market, MORNING, change)
    assert later[-1].counts["rows_quarantined"] == 0
    assert len(market.table("nav_quarantine")) == 1
    # Another impossible value is news.
    wave(market, "2026-09-19T08:00:00", moved(code, FRI, 1.0, acc_nav=1e5, unit_nav=30_000.0))
    assert sorted(market.table("nav_quarantine")["state"]) == ["accepted", "held"]
    assert at(market, code, FRI)["unit_nav"] == 20_000.0
    books(market)


@pytest.mark.slow
def test_a_superseded_value_is_refused(jumped):
    """Stops an old sight from being accepted while a later one, held too, says otherwise."""
    market, code, row = jumped
    wave(market, NIGHT, moved(code, FRI, 1.7, growth_pct=float("nan")))
    after = market.checksums()
    with pytest.raises(DecisionError, match="a later batch shows another figure"):
        decide(market, quarantine_step.accept, Wanted(ids=(row["id"],)))
    assert decide(market, quarantine_step.replay, Wanted()).superseded == 1
    assert market.checksums() == after
    told = decide(market, quarantine_step.accept, Wanted(rules=(row["rule"],)))
    assert (told.superseded, told.marked) == (1, 1)
    assert at(market, code, FRI)["unit_nav"] != row["unit_nav"]
    assert decide(market, quarantine_step.reject, Wanted(ids=(row["id"],))).marked == 1
    books(market)


@pytest.mark.slow
def test_what_the_page_takes_back_is_decided_by_that(jumped):
    """Stops a wrong value from waiting at the desk after the right one has come."""
    market, code, row = jumped
    wave(market, NIGHT)
    (decided,) = market.table("nav_quarantine").to_dict("records")
    assert (decided["state"], decided["decided_by"]) == ("rejected", "source:withdrawn")
    assert at(market, code, FRI)["unit_nav"] == pytest.approx(row["unit_nav"] / 1.6, abs=1e-4)
    books(market)


@pytest.mark.slow
def test_an_accepted_correction_is_in_the_ledger(
    market, first_evening, names, tmp_path, monkeypatch
):
    """Stops a correction by hand from losing the value it corrects, or its legal level."""
    code, straight = names[0], first_evening[0].copy(tmp_path / "straight")
    before = at(market, code, THU)
    wave(market, FRIDAY, moved(code, THU, 1.02))
    (row,) = market.table("nav_quarantine").to_dict("records")
    assert row["rule"] == "R16_revision_hold"
    told = decide(market, quarantine_step.accept, Wanted(funds=(code,), dates=(THU,)))
    assert told.outcomes[0].counts["rows_changed"] == 1
    (revision,) = market.table(
        "nav_revision", f"fund_code = '{code}' AND kind = 'correction'"
    ).to_dict("records")
    assert revision["unit_nav"] == before["unit_nav"]
    assert revision["superseded_at"] == 20260919_090000
    assert revision["legal_level"] == "announce"
    assert revision["change_pct"] == pytest.approx(2.0, abs=0.01)
    known = [
        nav_queries.nav_asof(market.warehouse, code, THU, stamp)["unit_nav"]
        for stamp in (20260919_085959, 20260919_090000)
    ]
    assert known == [before["unit_nav"], row["unit_nav"]]
    # The index after it is the one to which the same value leads that no rule holds.
    monkeypatch.setattr(rules, "REVISION_HOLD", 1.0)
    wave(straight, FRIDAY, moved(code, THU, 1.02))
    for date in (THU, FRI):
        for name in ("total_return_index", "return_status"):
            assert at(market, code, date)[name] == at(straight, code, date)[name]
    straight.warehouse.close()
    books(market)


@pytest.mark.slow
def test_many_corrections_of_a_date_need_a_word(market, names):
    """Stops a mass revision that the rules would block from passing through the desk."""

    def change(frame):
        for code in names[:6]:
            frame = moved(code, THU, 1.02)(frame)
        return frame

    wave(market, FRIDAY, change)
    held = market.table("nav_quarantine")
    assert set(held["rule"]) == {"R16_revision_hold"} and len(held) == 6
    before = market.checksums()
    with pytest.raises(
        BlockedError,
        match=r"20260917: unit_nav of 6 of 52 stored .*--despite R17_mass_revision",
    ):
        decide(market, quarantine_step.accept, Wanted(rules=("R16_revision_hold",)))
    assert market.checksums() == before
    despite = Decision("王经理", "基金公司更正公告", frozenset({"R17_mass_revision"}))
    told = decide(market, quarantine_step.accept, Wanted(rules=("R16_revision_hold",)), despite)
    assert told.outcomes[0].counts["rows_changed"] == 6
    found = {v.rule: v for v in told.outcomes[0].verdicts}
    assert found["R17_mass_revision"].failed == 1, "the log says that it was breached"
    because = market.table("nav_quarantine")["decided_because"]
    assert set(because) == {"基金公司更正公告 (despite R17_mass_revision)"}
    books(market)


@pytest.mark.slow
def test_impossible_values_are_refused(market, names):
    """Stops the desk from writing what no accepted row may hold, or half of what was asked."""
    code, other = names[:2]

    def change(frame):
        frame = moved(code, FRI, 1.0, acc_nav=-1.0)(frame)
        frame = moved(other, FRI, 1.6, growth_pct=float("nan"))(frame)
        at = (frame["fund_code"] == names[2]) & (frame["nav_date"] == FRI)
        return frame.assign(defect=frame["defect"].mask(at, "unit_nav: not a number: 'x'"))

    wave(market, FRIDAY, change)
    before = market.checksums()
    with pytest.raises(DecisionError) as caught:
        decide(market, quarantine_step.accept, Wanted(dates=(FRI,)))
    assert "acc_nav: a value that the history cannot store" in str(caught.value)
    assert "one of its cells could not be read" in str(caught.value)
    assert other not in str(caught.value)
    assert market.checksums() == before
    told = decide(market, quarantine_step.replay, Wanted())
    assert (told.marked, told.still_held) == (0, 3)
    assert market.checksums() == before


@pytest.mark.slow
def test_a_replay_merges_what_a_changed_rule_lets_through(market, names, monkeypatch):
    """Stops rows held by a rule that was wrong from staying held, or the others from passing."""
    code, other = names[:2]

    def change(frame):
        frame = moved(code, FRI, 8_000.0)(frame)
        return moved(other, FRI, 1.6, growth_pct=float("nan"))(frame)

    wave(market, FRIDAY, change)
    wave(market, NIGHT, moved(code, FRI, 8_000.0))
    shown = market.table("nav_quarantine", f"fund_code = '{code}'")["unit_nav"].unique()
    before = market.checksums()
    told = decide(market, quarantine_step.replay, Wanted(funds=(code,)))
    assert (told.marked, told.still_held) == (0, 2)
    assert market.checksums() == before
    wider = tuple(rule for rule in rules.ALONE if rule.id != "R07_nav_bounds")
    monkeypatch.setattr(rules, "ALONE", wider)
    told = decide(market, quarantine_step.replay, Wanted(funds=(code,)))
    # R08 holds the jump to 8,000 times the NAV: the replay is by all of today's rules.
    assert (told.marked, told.still_held) == (0, 2)
    calm = tuple(rule for rule in rules.IN_CONTEXT if rule.id != "R08_jump_unconfirmed")
    monkeypatch.setattr(rules, "IN_CONTEXT", calm)
    told = decide(market, quarantine_step.replay, Wanted())
    assert told.superseded == 0, "the right value of the other fund came at night"
    assert len(told.outcomes) == 1 and told.marked == 2
    assert [at(market, code, FRI)["unit_nav"]] == list(shown) and shown[0] > 500
    after = market.checksums()
    assert decide(market, quarantine_step.replay, Wanted()).marked == 0
    assert market.checksums() == after
    books(market)


@pytest.mark.slow
def test_a_replay_judges_a_wave_as_a_wave(market, names):
    """Stops a date that only histories may have from passing because it is old by now."""
    code = names[0]

    def on_a_sunday(frame):
        at = (frame["fund_code"] == code) & (frame["nav_date"] == THU)
        return frame.assign(nav_date=frame["nav_date"].mask(at, 20260913).astype("int32"))

    wave(market, FRIDAY, on_a_sunday)
    (row,) = market.table("nav_quarantine").to_dict("records")
    assert row["rule"] == "R06_trading_day"
    assert decide(market, quarantine_step.replay, Wanted()).still_held == 1
    told = decide(market, quarantine_step.accept, Wanted(rules=("R06_trading_day",)))
    assert told.marked == 1 and at(market, code, 20260913)["unit_nav"] == row["unit_nav"]
    books(market)


@pytest.mark.slow
def test_the_true_history_is_the_same_by_way_of_the_desk(
    market, first_evening, names, tmp_path
):
    """Stops the detour through quarantine from leaving another index than the straight way."""
    straight = first_evening[0].copy(tmp_path / "straight")
    wave(straight, FRIDAY)
    hold_all = {code: moved(code, FRI, 1.0, growth_pct=None) for code in names[:3]}
    narrow = tuple(
        rules.Rule(r.id, r.title, r.severity, r.subject,
                   lambda f: ~f["fund_code"].isin(hold_all), "{fund_code}")
        if r.id == "R07_nav_bounds" else r
        for r in rules.ALONE
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "ALONE", narrow)
        wave(market, FRIDAY)
    assert set(market.table("nav_quarantine")["fund_code"]) == set(names[:3])
    told = decide(market, quarantine_step.replay, Wanted(kinds=()))
    assert told.still_held == 0
    values = ["fund_code", "nav_date", *OBSERVED_NAMES, "total_return_index", "return_status"]
    pd.testing.assert_frame_equal(
        market.table("validated_nav")[values], straight.table("validated_nav")[values]
    )
    straight.warehouse.close()
    books(market)


@pytest.mark.slow
def test_filters_and_ids(jumped):
    """Stops a filter from choosing other rows than those it names."""
    market, code, row = jumped
    find = lambda **filters: len(quarantine_store.find(market.warehouse, Wanted(**filters)))  # noqa: E731
    (found,) = quarantine_store.find(market.warehouse, Wanted()).to_dict("records")
    kind = found["fund_kind"]
    assert found["superseded"] is False and found["batch_kind"] == "wave"
    both = {"rules": (row["rule"], "R07_nav_bounds"), "funds": (code,), "kinds": (kind, "bond"),
            "dates": (THU, FRI), "batches": (row["batch_id"],)}  # fmt: skip
    assert find(**both) == 1
    for name, value in (("rules", "R07_nav_bounds"), ("funds", "999999"), ("kinds", "no"),
                        ("dates", THU), ("batches", "w1"), ("states", "rejected")):  # fmt: skip
        assert find(**{**both, name: (value,)}) == 0
    assert quarantine_queries.full_ids(market.warehouse, [row["id"][:6], row["id"]]) == (
        row["id"],
    )
    with pytest.raises(DecisionError, match="000000: no row of the quarantine has this id"):
        quarantine_queries.full_ids(market.warehouse, ["000000"])
    with pytest.raises(DecisionError, match="'%%%%%%' is not an id"):
        quarantine_queries.full_ids(market.warehouse, ["%%%%%%"])


command = partial(desk, clock="2026-09-19T09:00")


def test_the_commands(jumped, monkeypatch):
    """Stops the command line from deciding other rows, or without who and why."""
    market, code, row = jumped
    monkeypatch.setenv("LOGNAME", "zhang")
    listed = command(market, "list")
    assert listed.exit_code == 0 and row["id"][:8] in listed.output and code in listed.output
    assert "1 row: R08_jump_unconfirmed 1" in listed.output
    (found,) = json.loads(command(market, "list", "--fund", code, "--json").output)
    assert found["id"] == row["id"] and found["unit_nav"] == row["unit_nav"]
    shown = command(market, "show", row["id"][:6])
    assert "held back" in shown.output and "← the held value" in shown.output
    around = json.loads(command(market, "show", row["id"], "--json").output)["accepted_around"]
    assert [one["nav_date"] for one in around][-1] == THU

    assert command(market, "accept", row["id"]).exit_code == 2, "--because is required"
    assert command(market, "accept", "--because", "x").exit_code == 2, "which rows?"
    assert command(market, "accept", "abcdef", "--because", "x").exit_code == 2
    wrong = command(market, "accept", row["id"], "--because", "x", "--despite", "R99")
    assert wrong.exit_code == 2 and "not a blocking rule" in wrong.output
    done = command(market, "accept", "--rule", row["rule"], "--because", "核对公告", "--json")
    assert done.exit_code == 0
    told = json.loads(done.output)
    assert told["marked"] == 1 and told["batches"][0]["rows_new"] == 1
    (decided,) = market.table("nav_quarantine").to_dict("records")
    assert (decided["decided_by"], decided["decided_because"]) == ("zhang", "核对公告")
    again = command(market, "accept", row["id"], "--because", "核对公告")
    assert again.exit_code == 0 and "1 row already decided this way" in again.output
    refused = command(market, "reject", row["id"], "--because", "x", "--by", "li")
    assert refused.exit_code == 1 and "already decided" in refused.output
    late = command(market, "list", "--state", "all")
    assert "accepted" in late.output
    assert "zhang" in command(market, "show", row["id"]).output
    assert command(market, "replay", "--because", "x").output == "no held row matches\n"
