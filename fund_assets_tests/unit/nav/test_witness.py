"""Who may settle a held value, and who may not, on batches small enough to work out by hand."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.metrics import FundSeries
from fund_assets.nav.merge import plan_merge
from fund_assets.nav.timeline import first_of_funds
from fund_assets.schemas.tables import NAV_QUARANTINE
from fund_assets_tests.unit.builders import (
    CALENDAR,
    FRI,
    MON,
    THU,
    TUE,
    WED,
    held_before,
    history,
    known,
    stored,
    wave,
)

NAN = np.nan
NEXT_MON = 20260921
CODE = "000001"
#: A page whose NAV of Friday is ten times too high, beside its right growth.
TENFOLD = (CODE, FRI, 10.268, 10.268, 2.68)
BEFORE = stored((CODE, THU, 1.0, 1.0, 0.1, 1.0, "first"))


def plan(batch, knowledge, today=FRI):
    return plan_merge(batch, knowledge, CALENDAR, today)


def failed(found):
    return {v.rule for v in found.verdicts if v.failed and v.severity == "hold"}


def decided(found):
    return found.settled[["state", "decided_by"]].to_numpy().tolist()


def monday(*rows):
    return wave(*rows, newest=NEXT_MON, previous=FRI)


def test_the_page_is_no_witness_of_itself():
    """Stops a lasting error of the page from releasing itself by the next wave."""
    again = known(BEFORE, sightings=[(CODE, FRI, 10.268)])
    found = plan(wave(TENFOLD), again)
    assert failed(found) == {"R08_jump_unconfirmed"}
    assert found.upserts.empty and found.settled.empty


def test_after_a_lasting_error_the_true_value_is_accepted_at_once():
    """Stops the right NAV from being held as a fall of 90 %, and the wrong one from staying."""
    found = plan(
        wave((CODE, FRI, 1.0268, 1.0268, 2.68)), known(BEFORE, sightings=[(CODE, FRI, 10.268)])
    )
    assert found.upserts["unit_nav"].tolist() == [1.0268] and not failed(found)
    assert decided(found) == [["rejected", "source:withdrawn"]]
    assert (
        "of the same page shows unit_nav 1.0268 instead"
        in found.settled["decided_because"].item()
    )


@pytest.mark.parametrize("growth", [2.68, NAN, 0.0, 926.8])
def test_an_error_that_lasts_into_the_next_session_stays_held(growth):
    """Stops two NAVs of one shifted decimal point from confirming each other by their growth."""
    batch = monday((CODE, FRI, 10.268, 10.268, growth), (CODE, NEXT_MON, 10.30, 10.30, 0.31))
    found = plan(batch, known(BEFORE), NEXT_MON)
    assert found.upserts.empty
    assert found.held["nav_date"].tolist() == [FRI, NEXT_MON]


@pytest.mark.parametrize(
    ("shown", "state", "stored_navs"),
    [(1.6, "accepted", [1.6]), (1.02, "rejected", [1.02])],
)
def test_the_history_settles_what_the_page_showed(shown, state, stored_navs):
    """Stops a true jump without growth from waiting for a person, and a wrong one from staying."""
    page = known(BEFORE, sightings=[(CODE, FRI, 1.6)])
    found = plan(history((CODE, THU, 1.0, 1.0, 0.1), (CODE, FRI, shown, shown, NAN)), page)
    assert found.upserts["unit_nav"].tolist() == stored_navs
    assert decided(found) == [[state, "witness:history"]]
    assert f"shows unit_nav {shown:g}" in found.settled["decided_because"].item()


def test_page_and_history_with_one_shifted_point_do_not_confirm_each_other():
    """Stops an error of the source that stands in both from being accepted: its own growth says
    2.68 %. When the source corrects it the right value passes at once."""
    page = known(BEFORE, sightings=[(CODE, FRI, 10.268)])
    found = plan(history((CODE, THU, 1.0, 1.0, 0.1), TENFOLD), page)
    assert failed(found) == {"R08_jump_unconfirmed"} and found.upserts.empty
    assert found.settled.empty
    right = plan(history((CODE, THU, 1.0, 1.0, 0.1), (CODE, FRI, 1.0268, 1.0268, 2.68)), page)
    assert right.upserts["unit_nav"].tolist() == [1.0268]
    assert decided(right) == [["rejected", "witness:history"]]


def test_a_silent_older_date_of_the_page_does_not_let_a_shifted_point_in():
    """Stops page and history from confirming each other where the page tells no growth: that
    of its older date never stands on it."""
    both = held_before((CODE, FRI, 10.268), voice="history", growth_pct=2.68)
    batch = monday((CODE, FRI, 10.268, 10.268, NAN), (CODE, NEXT_MON, 1.03, 1.03, 0.31))
    found = plan(batch, known(BEFORE, sightings=both), NEXT_MON)
    assert found.upserts[["nav_date", "unit_nav"]].to_numpy().tolist() == [[NEXT_MON, 1.03]]
    assert failed(found) == {"R08_jump_unconfirmed"}
    assert found.held["nav_date"].tolist() == [FRI]
    assert found.settled.empty


def test_the_page_settles_what_a_history_showed():
    """Stops the other way round from being forgotten."""
    from_history = known(BEFORE, sightings=held_before((CODE, FRI, 1.6), voice="history"))
    found = plan(wave((CODE, FRI, 1.6, 1.6, NAN)), from_history)
    assert found.upserts["unit_nav"].tolist() == [1.6]
    assert decided(found) == [["accepted", "witness:page"]]
    assert found.passed["decided_because"].tolist() == ["the history showed unit_nav 1.6 too"]
    alone = plan(history((CODE, FRI, 1.6, 1.6, NAN)), from_history)
    assert failed(alone) == {"R08_jump_unconfirmed"}, "a history twice is one witness"


def test_a_history_without_the_date_settles_it():
    """Stops a value of a day that never was from waiting for ever."""
    page = known(BEFORE, sightings=[(CODE, FRI, 1.6)])
    batch = history((CODE, THU, 1.0, 1.0, 0.1), (CODE, NEXT_MON, 1.001, 1.001, 0.1))
    found = plan(batch, page, NEXT_MON)
    assert decided(found) == [["rejected", "witness:history"]]
    assert "later NAVs and none of this date" in found.settled["decided_because"].item()


@pytest.mark.parametrize("growth", [NAN, 0.0])
def test_the_growth_of_the_next_nav_accepts_a_jump(growth):
    """Stops a fund whose holders left from waiting for a person (a cell of growth was empty)."""
    batch = monday((CODE, FRI, 2.1235, 2.1235, growth), (CODE, NEXT_MON, 2.1300, 2.1300, 0.31))
    found = plan(batch, known(BEFORE, sightings=[(CODE, FRI, 2.1235)]), NEXT_MON)
    assert found.upserts["unit_nav"].tolist() == [2.1235, 2.13]
    assert decided(found) == [["accepted", "witness:growth"]]
    assert found.settled["decided_because"].item() == (
        "the NAV 2.13 of 20260921 and its growth 0.31 % imply unit_nav 2.1235"
    )


def test_a_nav_is_settled_though_another_figure_of_its_row_is_held():
    """Stops a right NAV from staying at the desk because its accumulated NAV is wrong."""
    batch = monday((CODE, FRI, 2.1235, 21.235, NAN), (CODE, NEXT_MON, 2.1300, 2.1300, 0.31))
    found = plan(batch, known(BEFORE, sightings=[(CODE, FRI, 2.1235)]), NEXT_MON)
    assert "R10_accumulated_nav" in failed(found)
    assert found.upserts["unit_nav"].tolist() == [2.1235, 2.13]
    assert decided(found) == [["accepted", "witness:growth"]]


def test_the_growth_of_the_next_nav_must_fit_within_rounding():
    """Stops any next NAV from being taken as a witness."""
    batch = monday((CODE, FRI, 2.1235, 2.1235, NAN), (CODE, NEXT_MON, 2.1300, 2.1300, 0.40))
    assert "R08_jump_unconfirmed" in failed(plan(batch, known(BEFORE), NEXT_MON))


def test_the_growth_of_the_next_nav_rejects_a_typing_error():
    """Stops a wrong value that the page shows no more from staying held."""
    found = plan(
        monday((CODE, NEXT_MON, 1.0300, 1.0300, 0.31)),
        known(BEFORE, sightings=[(CODE, FRI, 10.268)]),
        NEXT_MON,
    )
    assert decided(found) == [["rejected", "witness:growth"]]
    assert "imply 1.0268, not to 10.268" in found.settled["decided_because"].item()


def test_what_nobody_lets_pass_is_an_empty_table_of_evidence():
    """Stops a batch without any witness from lacking the columns that others read."""
    found = plan(wave((CODE, FRI, 1.01, 1.01, 1.0)), known(BEFORE))
    assert found.passed.empty
    assert list(found.passed.columns) == [
        "fund_code", "nav_date", "decided_by", "decided_because",
    ]  # fmt: skip


def test_the_step_to_the_held_value_is_measured_from_the_last_nav_before_it():
    """Stops an older NAV, before a large payout, from making a typing error look near."""
    paid = stored(
        (CODE, WED, 1.50, 1.50, NAN, 1.0, "first"), (CODE, THU, 1.0, 1.5, 0.0, 1.0, "proven")
    )
    found = plan(
        monday((CODE, NEXT_MON, 1.0300, 1.53, 0.31)),
        known(paid, sightings=[(CODE, FRI, 1.52)]),
        NEXT_MON,
    )
    assert decided(found) == [["rejected", "witness:growth"]]
    assert "imply 1.0268, not to 1.52" in found.settled["decided_because"].item()


CORRECTED = (
    (CODE, WED, 1.0, 1.0, NAN, 1.0, "first"),
    (CODE, THU, 1.010, 1.010, 1.0, 1.010, "proven"),
)


def test_a_large_correction_is_settled_by_the_next_growth():
    """Stops 0.6 % from being corrected on one sight, and from being held beside its proof."""
    rows = stored(*CORRECTED)
    alone = plan(
        wave((CODE, THU, 1.016, 1.016, NAN)), known(rows, sightings=[(CODE, THU, 1.016)])
    )
    assert failed(alone) == {"R16_revision_hold"}
    found = plan(
        wave((CODE, THU, 1.016, 1.016, NAN), (CODE, FRI, 1.0191, 1.0191, 0.31)), known(rows)
    )
    assert found.upserts["unit_nav"].tolist() == [1.016, 1.0191]
    assert found.revisions["unit_nav"].tolist() == [1.010]
    assert found.passed["decided_by"].tolist() == ["witness:growth"]


def test_a_witness_of_another_figure_corrects_no_nav():
    """Stops a history that shows the same accumulated NAV from letting a wrong unit NAV through."""
    rows = stored(*CORRECTED)
    shown = held_before((CODE, THU, NAN), voice="history", acc_nav=1.016)
    page = wave((CODE, THU, 1.016, 1.016, NAN))
    assert failed(plan(page, known(rows, sightings=shown))) == {"R16_revision_hold"}
    same = held_before((CODE, THU, 1.016), voice="history")
    assert failed(plan(page, known(rows, sightings=same))) == set()


def test_the_history_corrects_the_page_freely():
    """Stops the stronger witness from being held by the weaker one."""
    batch = history((CODE, WED, 1.0, 1.0, NAN), (CODE, THU, 1.016, 1.016, 1.6))
    found = plan(batch, known(stored(*CORRECTED)))
    assert not failed(found) and found.upserts["unit_nav"].tolist() == [1.016]
    assert found.revisions[["unit_nav", "legal_level"]].to_numpy().tolist() == [
        [1.01, "announce"]
    ]


def test_a_history_that_its_own_growth_contradicts_corrects_nothing():
    """Stops a typing error in a history from rewriting a NAV that growth has proven."""
    rows = stored(*CORRECTED, (CODE, FRI, 1.0201, 1.0201, 1.0, 1.0201, "proven"))
    batch = history(
        (CODE, WED, 1.0, 1.0, NAN),
        (CODE, THU, 1.1, 1.010, 1.0),
        (CODE, FRI, 1.0201, 1.0201, 1.0),
    )
    found = plan(batch, known(rows))
    assert failed(found) == {"R16_revision_hold"} and found.upserts.empty


def test_a_typing_error_in_a_history_jumps_back():
    """Stops a wrong date of a history from becoming two conversions that never were."""
    navs = [(WED, 1.0, 1.0, NAN), (THU, 10.1, 1.01, 1.0), (FRI, 1.0201, 1.0201, 1.0)]
    found = plan(history(*[(CODE, *row) for row in navs]), known())
    assert found.held["nav_date"].tolist() == [THU]
    assert found.upserts["nav_date"].tolist() == [WED, FRI] and found.inferred.empty


@pytest.mark.parametrize("factor", [100.0, pytest.param(10.0, marks=pytest.mark.slow), 0.1])
def test_a_shifted_unit_nav_beside_right_figures_is_no_conversion(factor):
    """Stops a decimal point that is wrong in page and history for days, beside the right growth
    and accumulated NAV, from being taken for a split that nobody recorded."""
    days = [MON, TUE, WED, THU, FRI]
    rows = [(CODE, day, round(1.2 + n / 100, 4), round(2.2 + n / 100, 4),
             round(100 / (119 + n), 2)) for n, day in enumerate(days)]  # fmt: skip
    before = stored(*[(*row, 1.0, "proven") for row in rows[:3]])
    wrong = [(code, day, round(unit * factor, 4), acc, growth)
             for code, day, unit, acc, growth in rows[3:]]  # fmt: skip
    seen = held_before(*[row[:3] for row in wrong])
    found = plan(history(*rows[:3], *wrong), known(before, sightings=seen))
    assert found.upserts.empty and found.inferred.empty
    assert [state for state, _ in decided(found)] == []
    right = plan(history(*rows), known(before, sightings=seen))
    assert right.upserts["unit_nav"].tolist() == [1.23, 1.24]
    assert decided(right) == [["rejected", "witness:history"]] * 2
    # Two days on which the point was shifted, and many after them.
    days = [int(f"{day:%Y%m%d}") for day in pd.bdate_range("2026-07-01", "2026-09-18")]
    level = [1.0, *[factor] * 2, *[1.0] * (len(days) - 3)]
    series = [(CODE, day, round((1.2 + n / 1000) * times, 4), 2.2 + n / 1000, NAN)
              for n, (day, times) in enumerate(zip(days, level, strict=True))]  # fmt: skip
    told = [(*row[:4], 0.1 / (1.2 + (n - 1) / 1000)) for n, row in enumerate(series)]
    back = plan(history(*told), known())
    assert back.held["nav_date"].tolist() == days[1:3]
    assert len(back.upserts) == len(days) - 2 and back.inferred.empty
    # A level that stays is a conversion.
    series = [(CODE, day, round((1.2 + n / 1000) * (factor if n else 1.0), 4), acc, growth)
              for n, (_, day, _, acc, growth) in enumerate(told)]  # fmt: skip
    stays = plan(history(*series), known())
    assert stays.held.empty and stays.inferred["ex_date"].tolist() == [days[1]]


def test_a_wrong_accepted_value_is_corrected_by_what_growth_tells():
    """Stops a tenfold value that was let in from holding the right one as a fall of 90 %."""
    rows = stored(
        (CODE, THU, 1.0, 1.0, 0.1, 1.0, "first"),
        (CODE, FRI, 10.268, 10.268, 2.68, 1.0268, "unproven"),
    )
    for batch in (
        wave((CODE, FRI, 1.0268, 1.0268, NAN)),
        history((CODE, THU, 1.0, 1.0, 0.1), (CODE, FRI, 1.0268, 1.0268, 2.68)),
    ):
        found = plan(batch, known(rows))
        assert not failed(found)
        assert found.upserts["unit_nav"].tolist() == [1.0268]
        assert found.revisions["unit_nav"].tolist() == [10.268]


def test_what_a_witness_refuted_is_not_held_again():
    """Stops a page that goes on showing a refuted value from filling the desk."""
    refuted = NAV_QUARANTINE.conform(
        held_before((CODE, FRI, 10.268), acc_nav=10.268, growth_pct=2.68)
        .drop(columns="voice")
        .assign(
            reason="", state="rejected", created_at=20260918_190000, decided_in="",
            decided_by="witness:history", decided_because="the history shows unit_nav 1.0268",
            decided_at=20260919_090000,
        )
    )  # fmt: skip
    rows = stored(
        (CODE, THU, 1.0, 1.0, 0.1, 1.0, "first"),
        (CODE, FRI, 1.0268, 1.0268, 2.68, 1.0268, "proven"),
    )
    found = plan(wave(TENFOLD), known(rows, refuted=refuted))
    assert found.upserts.empty
    assert set(found.held["state"]) == {"rejected"}
    assert set(found.held["decided_because"]) == {"the history shows unit_nav 1.0268"}
    # In a history it is news.
    other = plan(history((CODE, THU, 1.0, 1.0, 0.1), TENFOLD), known(rows, refuted=refuted))
    assert set(other.held["state"]) <= {"held"}


def test_two_voices_outweigh_the_usual_bounds():
    """Stops a NAV that is unusual for its kind, and true, from waiting for a person."""
    row = (CODE, FRI, 501.0, 501.0, NAN)
    assert plan(wave(row), known()).upserts.empty
    bounds = held_before((CODE, FRI, 501.0), rule="R07_nav_bounds", voice="history")
    assert len(plan(wave(row), known(sightings=bounds)).upserts) == 1
    wrong = held_before((CODE, FRI, -1.0), rule="R07_nav_bounds", voice="history")
    assert plan(wave((CODE, FRI, -1.0, 1.0, NAN)), known(sightings=wrong)).upserts.empty


def test_a_rule_over_single_figures_holds_them_alone(monkeypatch):
    """Stops a doubted figure from keeping the rest of an observation out."""
    from fund_assets.nav import rules

    cell = rules.Rule(
        "R99_cell", "no accumulated NAV above 9", rules.Severity.HOLD, "row",
        lambda f: f["acc_nav"].isna() | (f["acc_nav"] < 9) | (f["backed_acc_nav"] > 0),
        "{fund_code} {nav_date}: {acc_nav:g}", about=("acc_nav",), cells=True,
    )  # fmt: skip
    monkeypatch.setattr(rules, "IN_CONTEXT", (*rules.IN_CONTEXT, cell))
    monkeypatch.setitem(rules.RULES, cell.id, cell)
    monkeypatch.setattr(rules, "OF_CELLS", rules.OF_CELLS | {cell.id})
    rows = stored((CODE, THU, 1.0, 1.0, 0.1, 1.0, "first"))
    batch = wave((CODE, THU, 1.0, 10.0, NAN), (CODE, FRI, 1.01, 10.1, 1.0))
    found = plan(batch, known(rows))
    assert found.upserts[["nav_date", "unit_nav"]].to_numpy().tolist() == [[FRI, 1.01]]
    assert found.upserts["acc_nav"].isna().all()
    assert found.held["acc_nav"].tolist() == [10.0, 10.1]
    assert (found.rows_new, found.rows_unchanged, found.rows_quarantined) == (1, 1, 0)
    empty = plan(wave((CODE, FRI, NAN, 10.1, NAN)), known(rows))
    assert (empty.rows_new, empty.rows_quarantined) == (0, 1) and empty.upserts.empty


def test_a_code_that_is_used_again_begins_a_new_series():
    """Stops another fund, or one after years of silence, from being chained onto the old one."""
    old = stored((CODE, 20190312, 1.35, 1.35, 0.1, 1.35, "proven"))
    page = wave((CODE, THU, 1.0, 1.0, NAN), (CODE, FRI, 1.01, 1.01, 1.0))
    found = plan(page, known(old))
    assert found.upserts["total_return_index"].tolist() == [1.0, 1.01]
    assert found.upserts["return_status"].tolist() == ["first", "proven"]
    told = next(v for v in found.verdicts if v.rule == "R08_new_series")
    assert told.failed == 1 and "the previous NAV is of 20190312" in told.cases[0]
    # A history tells the same, whole.
    told = history(
        (CODE, 20190312, 1.35, 1.35, NAN),
        (CODE, THU, 0.9, 0.9, 0.5),
        (CODE, FRI, 0.909, 0.909, 1.0),
    )
    rows = plan(told, known()).upserts
    assert rows["return_status"].tolist() == ["first", "first", "proven"]
    assert rows["total_return_index"].tolist() == [1.0, 1.0, pytest.approx(1.01)]


def test_a_year_without_a_nav_is_no_break_and_a_day_more_is_one():
    """Stops a long pause from ending a series, or a silence from being bridged."""
    keys = np.array([1, 1, 1], dtype=np.int64) * 100_000_000 + [20230301, 20240301, 20250303]
    assert first_of_funds(keys).tolist() == [True, False, True]


def test_measures_begin_after_the_silence():
    """Stops the step between two funds of one code from being measured as a return."""
    codes, dates = [1, 1, 1, 2, 2], [20190312, THU, FRI, THU, FRI]
    series = FundSeries.from_rows(codes, dates, [1.35, 1.0, 1.01, 1.0, 1.1])
    cut = series.since_silence(366)
    assert cut.values.tolist() == [1.0, 1.01, 1.0, 1.1]
    assert cut.offsets.tolist() == [0, 2, 4]
    assert series.only([2]).since_silence(366).rows == 2
