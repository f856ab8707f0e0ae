"""Uniting recorded events, inferring those that nobody recorded, and the proof."""

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import to_key
from fund_assets.nav.batch import Batch
from fund_assets.nav.events import (
    SPLIT_BOUNDS,
    SPLIT_LIMITS,
    is_lasting,
    merge,
    possible,
    sort_out,
    unusual,
)
from fund_assets.nav.explain import prove
from fund_assets.nav.merge import plan_events, plan_merge
from fund_assets.pipeline.fund_events import shrinkage, whole
from fund_assets.schemas.tables import FUND_EVENTS, FUND_NAV
from fund_assets.sources.eastmoney.cells import event_frame
from fund_assets.sources.protocol import MarketEvents
from fund_assets.transport.errors import TransportError
from fund_assets_tests.unit.builders import (
    CALENDAR,
    FRI,
    MON,
    THU,
    TUE,
    WED,
    events,
    history,
    known,
    stored,
    wave,
)

NAN = np.nan


def seen(*rows):
    """Rows of (code, ex-date, kind, value) as a source tells them."""
    return event_frame([(*row, f"text {row[3]}") for row in rows])


def inferred(code, day, kind, value, batch_id="w-old"):
    frame = events((code, day, kind, value))
    return frame.assign(
        status="inferred",
        history_value=NAN,
        evidence="e",
        first_batch_id=batch_id,
        batch_id=batch_id,
    )


def test_one_source_after_the_other_keeps_both_values():
    """Stops a second source from wiping out what the first one told, or its digits."""
    first = merge(
        FUND_EVENTS.empty(), seen(("161725", FRI, "split", 1.018012713)), "history", "h1"
    )
    assert first["value"].tolist() == first["history_value"].tolist() == [1.018012713]
    second = merge(first, seen(("161725", FRI, "split", 1.018)), "list", "e1")
    row = second.iloc[0]
    assert (row["value"], row["history_value"], row["list_value"]) == (
        1.018012713,
        1.018012713,
        1.018,
    )
    assert (row["text"], row["first_batch_id"], row["batch_id"]) == (
        "text 1.018012713",
        "h1",
        "e1",
    )
    assert merge(second, seen(("161725", FRI, "split", 1.018)), "list", "e2").empty
    assert merge(second, seen(("161725", FRI, "split", 1.018012713)), "history", "h2").empty
    other_way = merge(
        merge(FUND_EVENTS.empty(), seen(("161725", FRI, "split", 1.018)), "list", "e1"),
        seen(("161725", FRI, "split", 1.018012713)), "history", "h1",
    )  # fmt: skip
    names = ["value", "history_value", "list_value", "text", "status"]
    pd.testing.assert_frame_equal(other_way[names], second[names])


def test_recorded_takes_the_place_of_inferred_and_never_the_other_way():
    """Stops a guess from surviving beside the fact."""
    found = merge(
        inferred("000001", FRI, "dividend", 0.0551),
        seen(("000001", FRI, "dividend", 0.055)),
        "list",
        "e1",
    )
    row = found.iloc[0]
    assert (row["status"], row["value"], row["evidence"], row["first_batch_id"]) == (
        "recorded",
        0.055,
        "",
        "e1",
    )
    assert np.isnan(row["history_value"])


def test_an_event_corrected_by_its_source_changes():
    """Stops a typing error in a list from standing for ever."""
    first = merge(FUND_EVENTS.empty(), seen(("000001", FRI, "dividend", 0.5)), "list", "e1")
    found = merge(first, seen(("000001", FRI, "dividend", 0.05)), "list", "e2")
    assert found["value"].tolist() == [0.05] and found["first_batch_id"].tolist() == ["e1"]


def test_impossible_and_untold_events_are_sorted_out():
    """Stops a zero dividend or a ratio of 500 from reaching the index (R24)."""
    told = seen(
        ("000001", FRI, "dividend", 0.05), ("000002", FRI, "dividend", 0.0), ("000003", FRI, "dividend", -1.0),
        ("000004", FRI, "split", 0.01), ("000005", FRI, "split", 20.0), ("000006", FRI, "split", 0.005),
        ("000007", FRI, "split", NAN), ("１２３４５６", FRI, "split", 2.0),
    )  # fmt: skip
    parts = sort_out(told)
    assert parts.usable["fund_code"].tolist() == ["000001", "000004"]
    assert parts.untold["fund_code"].tolist() == ["000007"]
    assert parts.impossible["fund_code"].tolist() == [
        "000002",
        "000003",
        "000005",
        "000006",
        "１２３４５６",
    ]
    assert (
        parts.impossible["reason"]
        .iloc[0]
        .startswith(f"'000002' {FRI}: a dividend of 0 is impossible")
    )


def test_a_list_that_lost_one_event_is_refused():
    """Stops a list of 99 of 100 dividends from passing because the splits are all there."""
    told = MarketEvents(
        2026, seen(("000001", FRI, "dividend", 0.1), ("000002", FRI, "split", 2.0)), ()
    )
    assert shrinkage(told, {"dividend": 1, "split": 1}) == []
    assert shrinkage(told, {"dividend": 2, "split": 0}) == [
        "2026: 1 dividends are listed, 2 are stored from that list; the list is refused, nothing changed"
    ]


def test_a_short_list_is_right_when_it_lacked_the_same_for_days():
    """Stops one equal day from making a list right that told the event in between."""
    rows = [(f"00000{n}", FRI, "dividend", 0.1) for n in range(4)]
    stored, short = events(*rows), seen(*rows[1:])
    other = seen(*rows[:3])  # lacks another one
    assert is_lasting(stored, short, [short, short])
    assert not is_lasting(stored, short, [short, other])
    assert not is_lasting(stored, short, [other, short])
    assert not is_lasting(stored, short, [short])
    assert not is_lasting(stored, seen(rows[0]), [seen(rows[0])] * 2), "most of it is gone"


class InTurn:
    """A source that gives these lists in turn; an error is raised."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def events(self, _year):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_list_that_came_short_is_asked_for_again_at_once():
    """Stops a page that was cut once from costing the day's events, an error of the second look
    from costing what the first one told, and a whole list from being asked for twice."""
    rows = [("000001", FRI, "dividend", 0.1), ("000002", FRI, "dividend", 0.2)]
    short, long = (MarketEvents(2026, seen(*rows[:n]), ()) for n in (1, 2))
    stored = {"dividend": 2}
    for answers, used in (
        ((long, TransportError("not asked")), long),
        ((short, long), long),
        ((short, short), short),
        ((short, MarketEvents(2026, seen(*rows).head(0), ())), short),
        ((short, TransportError("503")), short),
    ):
        assert whole(InTurn(*answers), 2026, stored) is used
    source = InTurn(long, long)
    whole(source, 2026, stored)
    assert source.answers == [long], "a whole list is believed at once"


def plan(batch, beside):
    return plan_merge(batch, beside, CALENDAR, FRI)


CASES = [
    # accumulated NAV adds: a dividend, exact to its last digit
    ("dividend", 0.055, (1.10, 1.50), (1.0450, 1.5000), 0.0),
    ("dividend", 0.0083, (1.0390, 1.4390), (1.0302, 1.4385), -0.05),
    # accumulated NAV scales: a split, and a reverse one
    ("split", 2.0004, (1.6357, 1.7357), (0.8002, 1.698234), -2.14),
    ("split", 0.0200, (1.0500, 1.2500), (52.5105, 1.250250), 0.02),
    # both fit, for the fund never had an event: the size decides
    ("dividend", 0.2, (1.2, 1.2), (1.0, 1.2), 0.0),
    ("split", 2.0, (1.6, 1.6), (0.8, 1.6), 0.0),
]


@pytest.mark.parametrize("kind, value, before, after, growth", CASES)
def test_a_missing_event_is_inferred(kind, value, before, after, growth):
    """Stops an event that nobody recorded from being only suspected, or of the wrong kind."""
    found = plan(
        history(("000001", THU, *before, NAN), ("000001", FRI, *after, growth)), known()
    )
    (event,) = found.inferred.itertuples()
    assert (event.fund_code, event.ex_date, event.kind) == ("000001", FRI, kind)
    assert event.value == pytest.approx(value, abs=0.0011)
    assert event.status == "inferred" and "published growth" in event.evidence
    assert found.upserts["return_status"].tolist() == ["first", "suspected_event"]
    assert found.upserts["total_return_index"].iloc[1] == pytest.approx(
        1 + growth / 100, abs=2e-4
    )


def around(before, after, acc_after, growth, moves, times, earlier=1.0):
    """A history of seven days before and after an event that nobody recorded."""
    days = CALENDAR.between(date(2026, 8, 21), date(2026, 9, 11))
    navs, accs = [before], [before]
    for move in moves:
        navs.insert(0, round(navs[0] - move, 4))
        accs.insert(0, round(accs[0] - earlier * move, 4))
    grown = [NAN] + [100 * (b / a - 1) for a, b in pairwise(navs)]
    navs.append(after)
    accs.append(acc_after)
    grown.append(growth)
    for move in moves:
        navs.append(round(navs[-1] + move, 4))
        accs.append(round(accs[-1] + times * move, 4))
        grown.append(100 * (navs[-1] / navs[-2] - 1))
    rows = zip(map(to_key, days), navs, accs, np.round(grown, 2), strict=True)
    return history(*(("000001", *row) for row in rows))


MOVES = (0.02, -0.01, 0.015, -0.02, 0.01, 0.02, -0.015)


@pytest.mark.parametrize(
    ("kind", "value", "before", "after", "acc_after", "times"),
    [
        # More than 45 % paid out: the accumulated NAV goes on as before.
        ("dividend", 0.998, 2.190, 1.191, 2.189, 1.0),
        # Split in two: from then on it moves twice as far.
        ("split", 2.0, 1.6, 0.8, 1.6, 2.0),
        # A third paid out, and a ratio of 1.5, which the size would have called a dividend.
        ("dividend", 0.50, 1.55, 1.05, 1.55, 1.0),
        ("split", 1.5, 1.575, 1.05, 1.575, 1.5),
        # Two shares became one: from then on it moves half as far.
        ("split", 0.5, 0.8, 1.616, 0.808, 0.5),
        # Added up like a dividend, and made to end at 1.
        ("split", 1.5018, 1.5018, 1.0, 1.5018, 1.0),
        # A round payout that happens to end there.
        ("dividend", 0.50, 1.5, 1.0, 1.5, 1.0),
    ],
)
def test_the_days_after_and_the_new_nav_tell_the_kind(
    kind, value, before, after, acc_after, times
):
    """Stops a large payout from becoming a split, and a split a payout, by its size."""
    growth = round(100 * (acc_after / before - 1), 2)
    found = plan(around(before, after, acc_after, growth, MOVES, times), known())
    (event,) = found.inferred.itertuples()
    assert event.kind == kind and event.value == pytest.approx(value, abs=0.0011)
    assert "the size decides" not in event.evidence


def test_an_accumulated_nav_that_stood_still_tells_no_kind():
    """Stops days on which only the unit NAV moved from being compared with those after."""
    found = plan(around(1.575, 1.05, 1.575, 0.0, MOVES, 1.5, earlier=0.0), known())
    assert "the size decides" in found.inferred["evidence"].iloc[-1]


def test_a_dividend_of_three_decimals_is_no_split():
    """Stops the rounding of three decimals from leaving the scaled reading alone."""
    batch = history(("000001", THU, 1.243, 1.243, NAN), ("000001", FRI, 1.141, 1.241, -0.12))
    (event,) = plan(batch, known()).inferred.itertuples()
    assert (event.kind, event.value) == ("dividend", 0.1)


def test_a_split_to_one_is_told_by_growth_where_the_accumulated_nav_is_a_copy():
    """Stops a conversion that no list has (1.0410 to 1.0000, then +0.03 %) from being a loss, or
    a dividend of 4.1 cents that nobody was paid."""
    rows = [("000001", WED, 1.041, 1.041, 0.1), ("000001", THU, 1.0003, 1.0003, 0.03),
            ("000001", FRI, 1.0053, 1.0053, 0.5)]  # fmt: skip
    found = plan(history(*rows), known())
    (event,) = found.inferred.itertuples()
    assert (event.ex_date, event.kind, event.value) == (THU, "split", 1.041)
    assert "the ratio was chosen for that" in event.evidence
    index = found.upserts["total_return_index"].tolist()
    assert index == pytest.approx([1.0, 1.0003, 1.0003 * 1.0053 / 1.0003], abs=1e-12)


def test_a_rise_is_no_dividend_and_agreement_no_event():
    """Stops inference from explaining what no event can explain."""
    rows = (
        ("000001", WED, 1.0, 1.0, NAN),
        ("000001", THU, 1.01, 1.01, 1.0),
        ("000001", FRI, 1.06, 1.01, 0.0),
    )
    found = plan(history(*rows), known())
    assert found.inferred.empty
    assert found.upserts["return_status"].tolist() == ["first", "proven", "unproven"]


def test_three_decimals_make_no_split_of_a_dividend():
    """Stops the rounding of the third decimal from deciding that shares were split."""
    rows = [("000001", THU, 1.012, 3.012, 0.1), ("000001", FRI, 0.912, 3.014, 0.08)]
    (event,) = plan(history(*rows), known()).inferred.itertuples()
    assert (event.kind, event.value) == ("dividend", pytest.approx(0.102, abs=1e-12))


def test_the_same_inference_is_written_once_and_withdrawn_when_it_ends():
    """Stops a rerun from writing, and a guess from outliving the NAV it was made from."""
    rows = (("000001", THU, 1.10, 1.50, NAN), ("000001", FRI, 1.0450, 1.5000, 0.0))
    first = plan(history(*rows), known())
    again = plan(history(*rows), known(event_rows=first.inferred))
    assert again.inferred.empty and again.outdated.empty
    mended = plan(
        history(rows[0], ("000001", FRI, 1.10, 1.50, 0.0)), known(event_rows=first.inferred)
    )
    assert mended.inferred.empty
    assert mended.outdated.to_numpy().tolist() == [["000001", FRI, "dividend"]]


def test_a_recorded_event_of_another_kind_withdraws_the_guess():
    """Stops a split inferred as a dividend from staying beside the recorded split."""
    rows = (("000001", THU, 1.6, 1.6, NAN), ("000001", FRI, 0.8, 1.6, 0.0))
    both = pd.concat(
        [inferred("000001", FRI, "dividend", 0.8), events(("000001", FRI, "split", 2.0))]
    )
    found = plan(history(*rows), known(event_rows=both))
    assert found.inferred.empty
    assert found.outdated.to_numpy().tolist() == [["000001", FRI, "dividend"]]
    assert found.upserts["return_status"].tolist() == ["first", "proven"]


def test_an_inferred_event_has_no_effect_of_its_own():
    """Stops a guess from being counted twice: as an event, and by its witnesses."""
    rows = (("000001", THU, 1.10, 1.50, NAN), ("000001", FRI, 1.0450, 1.5000, 0.0))
    found = plan(wave(*rows), known(event_rows=inferred("000001", FRI, "dividend", 0.055)))
    assert found.upserts["return_status"].iloc[1] == "suspected_event"
    assert found.upserts["total_return_index"].iloc[1] == pytest.approx(1.0, abs=1e-12)


def test_events_alone_chain_the_index_anew():
    """Stops events of known NAVs from waiting for the next history."""
    rows = stored(
        ("000001", MON, 1.00, 1.00, NAN, 1.0, "first"),
        ("000001", TUE, 0.95, 1.01, 1.0, 0.95, "unproven"),
        ("000001", WED, 0.969, 1.029, 2.0, 0.969, "proven"),
        ("000002", TUE, 1.00, 1.00, NAN, 1.0, "first"),
    )
    batch = Batch("e1", "events", TUE, None, 20260918_190000, 2, FUND_NAV.empty())
    told = pd.concat(
        [events(("000001", TUE, "dividend", 0.06)), inferred("000001", TUE, "split", 1.05)]
    )
    found = plan_events(batch, known(rows, event_rows=told), CALENDAR)
    assert found.upserts.empty and found.revisions.empty and found.verdicts == ()
    assert found.rechained["nav_date"].tolist() == [TUE, WED]
    assert found.rechained["total_return_index"].tolist() == [
        pytest.approx(1.01, abs=1e-12),
        pytest.approx(1.01 * 0.969 / 0.95, abs=1e-12),
    ]
    assert found.rechained["return_status"].tolist() == ["proven", "proven"]
    assert found.outdated.to_numpy().tolist() == [["000001", TUE, "split"]]
    nothing = plan_events(batch, known(), CALENDAR)
    assert nothing.rechained.empty and nothing.upserts.empty


def proved(rows, told):
    """The proof of rows and events given as frames, and its steps as one."""
    proof = prove(rows.to_dict("records"), told.to_dict("records"))
    return proof, pd.DataFrame(proof.steps)


def test_the_proof_lays_the_witnesses_side_by_side():
    """Stops the proof from showing other figures than those the index was made of."""
    rows = pd.DataFrame(
        {
            "nav_date": [MON, TUE, WED, THU],
            "unit_nav": [1.00, 0.96, 0.4848, 0.45],
            "acc_nav": [1.00, 1.01, 1.02, 1.0196],
            "growth_pct": [NAN, 1.0, 1.0, 0.0],
            "yield_per_10k": [NAN] * 4,
            "total_return_index": [1.0, 1.01, 1.01 * 1.01, 1.01 * 1.01],
            "return_status": ["first", "proven", "proven", "suspected_event"],
        }
    )
    told = events(("000001", TUE, "dividend", 0.05), ("000001", WED, "split", 2.0))
    proof, steps = proved(rows, told)
    np.testing.assert_allclose(
        steps["by_events_pct"], [NAN, 1.0, 1.0, 100 * (0.45 / 0.4848 - 1)]
    )
    np.testing.assert_allclose(steps["return_pct"], [NAN, 1.0, 1.0, 0.0], atol=1e-12)
    assert proof.counts == {
        "first": 1,
        "proven": 2,
        "single_source": 0,
        "suspected_event": 1,
        "unproven": 0,
    }
    assert (proof.start, proof.end, proof.verdict) == (1.0, pytest.approx(1.0201), "explained")
    assert [step["nav_date"] for step in proof.disagreements] == [THU]
    assert proof.disagreements[0]["disagreement_pct"] == pytest.approx(
        100 * (1 - 0.45 / 0.4848), abs=0.1
    )
    # Of the two readings of the accumulated NAV, the one nearer to the return that was used.
    np.testing.assert_allclose(
        steps["by_acc_pct"],
        [NAN, 1.0, 100 * (1.02 / 1.01 - 1), 100 * (1.0196 / 1.02 - 1)],
        rtol=1e-9,
    )
    np.testing.assert_allclose(
        steps["rounding_pct"], [NAN, 0.2, 0.02 / 0.96, 0.02 / 0.4848], rtol=1e-9
    )
    np.testing.assert_allclose(
        steps["disagreement_pct"].iloc[2], 1.0 - 100 * (1.02 / 1.01 - 1), rtol=1e-6
    )


def test_the_proof_shows_a_return_with_payouts_added_up():
    """Stops the accumulated NAV's own growth, over a base of payouts, from passing for it."""
    rows = pd.DataFrame(
        {
            "nav_date": [MON, TUE],
            "unit_nav": [1.0, 1.02],
            "acc_nav": [1.5, 1.52],
            "growth_pct": [NAN, 2.0],
            "yield_per_10k": [NAN] * 2,
            "total_return_index": [1.0, 1.02],
            "return_status": ["first", "proven"],
        }
    )
    np.testing.assert_allclose(proved(rows, events())[1]["by_acc_pct"], [NAN, 2.0])


def test_what_the_proof_takes_and_leaves():
    """Stops inferred events and those after the last NAV from being counted, and two of a day lost."""
    rows = pd.DataFrame(
        {
            "nav_date": [MON, WED],
            "unit_nav": [1.0, 0.4],
            "acc_nav": [NAN, NAN],
            "growth_pct": [NAN, NAN],
            "yield_per_10k": [NAN, NAN],
            "total_return_index": [2.0, 2.2],
            "return_status": ["first", "proven"],
        }
    )
    told = events(
        ("000001", TUE, "split", 2.0), ("000001", WED, "split", 1.5), ("000001", WED, "dividend", 0.1),
        ("000001", TUE, "dividend", 0.2), ("000001", THU, "dividend", 9.0), ("000001", THU, "split", 9.0),
        ("000001", MON, "dividend", 7.0),
    )  # fmt: skip
    guessed = inferred("000001", WED, "dividend", 5.0)
    proof, steps = proved(rows, pd.concat([told, guessed], ignore_index=True))
    assert steps["by_events_pct"].iloc[1] == pytest.approx(100 * (0.4 * 3.0 + 0.3 - 1))
    assert (proof.start, proof.end, proof.verdict) == (2.0, 2.2, "proven")
    unproven, _ = proved(rows.assign(return_status=["first", "unproven"]), told)
    assert unproven.verdict == "unproven"
    assert [step["nav_date"] for step in unproven.disagreements] == [WED]
    single, _ = proved(rows.assign(return_status=["first", "single_source"]), told)
    assert single.verdict == "explained"


def test_the_limits_of_an_event_are_no_part_of_it():
    """Stops a value at a limit from being possible, or one just within it from being none."""
    told = seen(
        ("000001", FRI, "dividend", 999.99), ("000002", FRI, "dividend", 1000.0),
        ("000003", FRI, "dividend", 1e-6), ("000004", FRI, "split", SPLIT_LIMITS[0]),
        ("000005", FRI, "split", SPLIT_LIMITS[0] * 1.01), ("000006", FRI, "split", SPLIT_LIMITS[1]),
        ("000007", FRI, "split", SPLIT_LIMITS[1] * 0.99),
    )  # fmt: skip
    assert possible(told).tolist() == [True, False, True, True, True, True, True]
    assert unusual(told).tolist() == [False, False, False, True, False, True, False]
    bounds = seen(("000001", FRI, "split", SPLIT_BOUNDS[0]), ("000002", FRI, "split", SPLIT_BOUNDS[1]),
                  ("000003", FRI, "split", 0.0), ("000004", FRI, "split", 9_999.0))  # fmt: skip
    assert possible(bounds).tolist() == [False, False, False, True]


def navs(*rows):
    return pd.DataFrame(rows, columns=["fund_code", "nav_date", "unit_nav", "acc_nav"])


def test_an_unusual_split_needs_the_navs_around_it():
    """Stops the largest split on record from being refused, and a typing error from passing.

    60.1 becomes 1.2871 and the accumulated NAV 60.157: 60.157 / 1.2871 = 46.7384.
    """
    told = seen(("006401", THU, "split", 46.7384))
    before, after = ("006401", WED, 60.1, 60.1), ("006401", FRI, 1.2871, 60.157)

    def usable(*rows, of=told):
        parts = sort_out(of, navs(*rows))
        assert len(parts.usable) + len(parts.impossible) == 1
        return len(parts.usable) == 1

    assert usable(before, after)
    # The accumulated NAV of a manager who adds splits up moves by what the share gained.
    assert usable(("006401", WED, 60.1, 63.1), ("006401", FRI, 1.2871, 63.157))
    # Nothing proves it: no NAV on one side, none at all, a NAV that did not fall, an
    # accumulated NAV that fell with it, or a ratio that is another one.
    assert not usable(before) and not usable(after) and not usable()
    assert not usable(before, ("006401", FRI, 60.2, 60.2))
    assert not usable(before, ("006401", FRI, 1.2871, 1.2871))
    assert not usable(before, after, of=seen(("006401", THU, "split", 47.7384)))
    for ratio, fits in ((46.7384 * 1.0009, True), (46.7384 * 1.0013, False)):
        assert usable(before, after, of=seen(("006401", THU, "split", ratio))) == fits
    assert not usable(before, ("006401", FRI, 1.2871, NAN))
    assert not usable(before, ("000001", FRI, 1.2871, 60.157))
    # The other way round: 1,000 shares become one.
    fold = seen(("006401", THU, "split", 0.001))
    assert usable(("006401", WED, 0.1, 0.1), ("006401", FRI, 101.0, 0.101), of=fold)
    assert not usable(("006401", WED, 0.1, 0.1), ("006401", FRI, 0.101, 0.101), of=fold)
    (reason,) = sort_out(told).impossible["reason"]
    assert "unusual" in reason and "46.7384" in reason
