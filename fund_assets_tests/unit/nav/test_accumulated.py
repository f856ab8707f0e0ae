"""Accumulated NAVs: what explains one, and what becomes of one that nothing explains."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.nav.accumulated import Accumulation, judge, levels_of_events
from fund_assets.nav.laid_out import jump_scale
from fund_assets.nav.merge import plan_merge
from fund_assets.nav.timeline import keys_of
from fund_assets_tests.unit.builders import (
    CALENDAR,
    FRI,
    MON,
    THU,
    TUE,
    WED,
    events,
    held_before,
    history,
    known,
    stored,
    wave,
)

NAN = np.nan
CODE = "000001"


def chained(
    unit,
    acc,
    growth=None,
    *,
    dividend=None,
    split=None,
    recorded=True,
    disputed=None,
    first=(0,),
):
    """The judgement on rows in their order, all of them open; a fund begins at each `first`."""
    unit = np.array(unit, dtype=float)
    size = len(unit)
    dividend = np.zeros(size) if dividend is None else np.array(dividend, dtype=float)
    split = np.ones(size) if split is None else np.array(split, dtype=float)
    base = split.cumprod()
    return judge(
        Accumulation(
            unit_nav=unit,
            acc_nav=np.array(acc, dtype=float),
            growth_pct=np.full(size, NAN) if growth is None else np.array(growth, dtype=float),
            dividend=dividend,
            split=split,
            base=base,
            paid=(dividend * base).cumsum(),
            first=np.isin(np.arange(size), first),
            open=np.ones(size, dtype=bool),
            disputed=np.zeros(size, dtype=bool) if disputed is None else disputed,
            restated=np.full(size, np.nan),
        ),
        recorded=recorded,
    )


def prices(days=40, digits=4, seed=3):
    moves = np.random.default_rng(seed).normal(0, 0.012, days)
    return np.round(1.2 * np.exp(moves.cumsum()), digits)


@pytest.mark.parametrize("digits", [3, 4])
@pytest.mark.parametrize(
    "reading",
    ["no event", "added", "scaled", "splits added", "unknown base", "below unit NAV"],
)
def test_every_reading_of_real_managers_explains(reading, digits):
    """Stops a reading that managers use from being taken for an error, fund by fund."""
    unit = prices(digits=digits)
    dividend, split = np.zeros(40), np.ones(40)
    if reading == "added":
        dividend[20] = 0.05
        unit[20:] -= 0.05
        acc = unit + dividend.cumsum() + 0.3
    elif reading == "scaled":
        split[20] = 2.0
        acc, unit = unit.copy(), np.where(np.arange(40) >= 20, unit / 2, unit).round(digits)
    elif reading == "splits added":
        split[20] = 1.25
        whole, unit = unit, np.where(np.arange(40) >= 20, unit / 1.25, unit).round(digits)
        acc = np.where(np.arange(40) >= 20, unit + unit[20] * 0.25, whole)
    elif reading == "unknown base":
        acc = 3.09 * unit + 1.7
    elif reading == "below unit NAV":
        acc = 0.39 * unit + 0.1
    else:
        acc = unit
    found = chained(unit, np.round(acc, digits), dividend=dividend, split=split)
    assert not found.unexplained.any()


def test_a_split_of_46_7_is_explained_by_its_own_accumulated_nav():
    """Stops the largest split on record, of 006401, from holding its accumulated NAV."""
    unit = [59.9, 60.1, 1.2871, 1.2737, 1.2659]
    acc = [59.9, 60.1, 60.157, 59.5307, 59.1661]
    assert not chained(unit, acc, split=[1, 1, 46.7384, 1, 1]).unexplained.any()


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(
    "wrong", ["ten-fold", "tenth", "0.05 more", "unit NAV", "of the day before"]
)
def test_a_single_error_is_held_and_the_next_right_value_is_not(wrong, recorded):
    """Stops an error from passing, and from condemning the right values after it."""
    unit = prices()
    acc = np.round(unit + 0.4, 4)
    shown = acc.copy()
    shown[30] = {
        "ten-fold": acc[30] * 10,
        "tenth": acc[30] / 10,
        "0.05 more": acc[30] + 0.05,
        "unit NAV": unit[30],
        "of the day before": acc[29],
    }[wrong]
    growth = np.insert((unit[1:] / unit[:-1] - 1) * 100, 0, NAN).round(2)
    found = chained(unit, shown, growth, recorded=recorded).unexplained
    assert np.flatnonzero(found).tolist() == [30]


@pytest.mark.parametrize("recorded", [True, False])
def test_a_lasting_ten_fold_error_never_becomes_its_own_witness(recorded):
    """Stops the second wrong value from being explained by the first."""
    unit = prices()
    acc = np.where(np.arange(40) >= 25, unit * 10, unit)
    found = chained(unit, acc, recorded=recorded).unexplained
    assert np.flatnonzero(found).tolist() == list(range(25, 40))
    assert chained(unit, unit * 10, recorded=recorded).unexplained.all()


def test_a_new_level_lasts_in_a_history_alone():
    """Stops a payout that nobody recorded from holding all of a history after it, a page from
    confirming its own new level, and a history from doing so against what the page shows."""
    unit = prices()
    acc = np.where(np.arange(40) >= 25, unit + 0.2, unit)
    growth = np.insert((unit[1:] / unit[:-1] - 1) * 100, 0, 0.0).round(2)
    assert not chained(unit, acc, growth).unexplained.any()
    late = list(range(25, 40))
    page = chained(unit, acc, growth, recorded=False).unexplained
    assert np.flatnonzero(page).tolist() == late
    disputed = np.arange(40) >= 25
    against = chained(unit, acc, growth, disputed=disputed).unexplained
    assert np.flatnonzero(against).tolist() == late


def test_a_new_level_lasts_from_the_second_row_of_all_on():
    """Stops the very first row of a batch from counting as none to begin a new level after."""
    unit = prices(12)
    acc = np.round(unit + 0.3, 4)
    acc[1:] = np.round(unit[1:] + 0.8, 4)
    growth = np.insert((unit[1:] / unit[:-1] - 1) * 100, 0, NAN).round(2)
    assert not chained(unit, acc, growth).unexplained.any()


def test_a_new_level_of_one_fund_says_nothing_of_the_next():
    """Stops a level that lasts until a fund's last row from acquitting the next fund's first."""
    unit = prices(10)
    acc = np.round(unit + np.where(np.arange(10) == 0, 0.3, 0.8), 4)
    acc[7:] = unit[7:] * 10
    growth = np.insert((unit[1:] / unit[:-1] - 1) * 100, 0, NAN).round(2)
    found = chained(unit, acc, growth, first=(0, 7)).unexplained
    assert np.flatnonzero(found).tolist() == [7, 8, 9]


@pytest.mark.parametrize("quiet", [0.0001, 0.001])
def test_the_clearest_step_teaches_the_base_through_quiet_days(quiet):
    """Stops ten days of little movement from making a fund forget that its accumulated NAV moves
    twice as far: a move of 1.5 times as far would pass then."""
    unit = np.round([1.0, 1.1, *(1.1 + quiet * np.arange(1, 11))], 4)
    for times, wrong in ((2.0, []), (1.5, [12])):
        shown = np.append(np.round(2 * unit + 0.5, 4), 0.0)
        shown[-1] = round(shown[-2] + times * 0.02, 4)
        found = chained(np.append(unit, round(unit[-1] + 0.02, 4)), shown)
        assert np.flatnonzero(found.unexplained).tolist() == wrong


def test_a_date_without_a_unit_nav_costs_nothing_after_it():
    """Stops one empty cell from holding every accumulated NAV that follows, and the payout or
    split of that date from being forgotten."""
    unit = [1.0, 1.1, NAN, 1.3, 1.31, 1.25]
    acc = [1.5, 1.6, 1.7, 1.8, 1.81, 1.75]
    assert not chained(unit, acc).unexplained.any()
    paid = chained(unit, [1.5, 1.6, NAN, 1.9, 1.91, 1.85], dividend=[0, 0, 0.1, 0, 0, 0])
    assert not paid.unexplained.any()
    # Two for one: a share of before has moved 2 * 0.65 - 1.1.
    halved = [1.0, 1.1, NAN, 0.65, 0.66, 0.6]
    split = chained(halved, [1.5, 1.6, NAN, 1.8, 1.82, 1.7], split=[1, 1, 2, 1, 1, 1])
    assert not split.unexplained.any()
    wrong = chained(unit, [1.5, 1.6, 1.7, 2.0, 1.81, 1.75])
    assert np.flatnonzero(wrong.unexplained).tolist() == [3]
    # Another fund's NAV is not carried on.
    two = chained([1.0, NAN, 2.0, 2.1], [1.0, NAN, 2.5, 2.6], first=(0, 1))
    assert not two.unexplained.any()


def test_growth_explains_what_no_event_tells_yet():
    """Stops the evening of a payout, before the list of events has it, from holding a value."""
    found = chained([1.10, 1.11, 1.05], [1.5, 1.51, 1.5211], [NAN, 0.91, 1.0], recorded=False)
    assert not found.unexplained.any()
    found = chained([1.10, 1.11, 1.05], [1.5, 1.51, 1.6], [NAN, 0.91, 1.0], recorded=False)
    assert found.unexplained.tolist() == [False, False, True]


def test_levels_follow_all_recorded_events():
    """Stops another fund's split, or one of tomorrow, from counting."""
    rows = [("000001", MON), ("000001", WED), ("000001", FRI), ("000002", FRI)]
    frame = pd.DataFrame(rows, columns=["fund_code", "nav_date"])
    told = events(
        ("000001", TUE, "split", 2.0),
        ("000001", WED, "dividend", 0.1),
        ("000001", 20260921, "split", 3.0),
        ("000003", MON, "split", 5.0),
    )
    base, paid = levels_of_events(keys_of(frame["fund_code"], frame["nav_date"]), told)
    assert base.tolist() == [1.0, 2.0, 2.0, 1.0]
    assert paid.tolist() == [0.0, 0.2, 0.2, 0.0]


def plan(batch, knowledge):
    return plan_merge(batch, knowledge, CALENDAR, FRI)


def test_a_wrong_accumulated_nav_is_held_alone_and_the_nav_goes_on():
    """Stops an accumulated NAV from changing on one sight without a word."""
    rows = stored(
        (CODE, WED, 0.59, 1.19, 0.2, 1.08, "proven"),
        (CODE, THU, 0.60, 1.20, 1.69, 1.1, "proven"),
    )
    found = plan(wave((CODE, THU, 0.6, 2.38, NAN), (CODE, FRI, 0.61, 2.4, 1.67)), known(rows))
    assert found.held[["nav_date", "rule", "acc_nav"]].to_numpy().tolist() == [
        [THU, "R10_accumulated_nav", 2.38], [FRI, "R10_accumulated_nav", 2.4],
    ]  # fmt: skip
    assert found.held["reason"].str.startswith(f"{CODE} ").all()
    assert found.upserts["nav_date"].tolist() == [FRI]
    assert found.upserts["acc_nav"].isna().all() and len(found.revisions) == 0
    assert (found.rows_new, found.rows_unchanged, found.rows_quarantined) == (1, 1, 0)
    right = plan(wave((CODE, FRI, 0.61, 1.21, 1.67)), known(rows))
    assert right.held.empty and right.upserts["acc_nav"].tolist() == [1.21]


def test_a_page_moves_no_accumulated_nav_without_one_before_it():
    """Stops another page's accumulated NAVs, plausible by their level, from replacing the only
    two that are stored of a fund; with its corrected unit NAV a little is moved freely."""
    rows = stored(
        ("000001", THU, 0.60, 1.20, 0.5, 1.0, "first"),
        ("000001", FRI, 0.61, 1.21, 1.67, 1.0167, "proven"),
    )
    page = wave(("000001", FRI, 0.61, 2.40, 1.67), ("000001", THU, 0.60, 2.38, np.nan))
    found = plan(page, known(rows, kinds={"000001": "index"}))
    assert found.upserts.empty and found.revisions.empty
    assert found.held["rule"].tolist() == ["R10_accumulated_nav"] * 2
    assert (
        "its level is not that of the stored 1.2; only this figure"
        in found.held["reason"].iloc[0]
    )
    told = history(("000001", FRI, 0.61, 2.40, 1.67), ("000001", THU, 0.60, 2.38, np.nan))
    assert len(plan(told, known(rows)).revisions) == 2, "the history may"
    small = wave(("000001", FRI, 0.61, 1.21, 1.67), ("000001", THU, 0.6004, 1.2004, np.nan))
    assert plan(small, known(rows)).upserts["acc_nav"].tolist() == [1.2004]


def test_page_and_history_do_not_confirm_a_shifted_accumulated_nav():
    """Stops one shifted decimal point, which stands in page and history alike, from being
    accepted because both show it."""
    rows = stored(("000001", THU, 0.60, 0.79, 0.5, 1.0, "first"))
    page = held_before(("000001", FRI, 0.61), rule="R10_accumulated_nav", acc_nav=8.0)
    told = history(("000001", THU, 0.60, 0.79, 0.5), ("000001", FRI, 0.61, 8.0, 1.67))
    found = plan(told, known(rows, sightings=page))
    assert found.held["rule"].tolist() == ["R10_accumulated_nav"]
    assert found.upserts["acc_nav"].isna().all() and found.upserts["unit_nav"].tolist() == [
        0.61
    ]


def test_a_late_accumulated_nav_fills_the_empty_cell():
    """Stops a value that comes a day later from waiting for a reference it cannot have."""
    rows = stored(("162711", THU, 1.234, NAN, 0.5, 1.1, "proven"))
    batch = wave(("162711", THU, 1.234, 1.834, NAN), ("162711", FRI, 1.24, 1.84, 0.49))
    found = plan(batch, known(rows))
    assert found.held.empty
    assert found.upserts["acc_nav"].tolist() == [1.834, 1.84]
    assert found.revisions["kind"].tolist() == ["filling"], "it is no correction"


def test_a_whole_column_ten_fold_is_held_and_the_market_goes_on():
    """Stops a shifted column from being accepted because a few of its values look right."""
    codes = [f"{n:06d}" for n in range(1, 61)]
    rows = stored(*[(code, THU, 1.0, 1.0, 0.1, 1.0, "proven") for code in codes])
    shown = [(code, FRI, 1.01, 10.1 if n < 50 else 1.01, 1.0) for n, code in enumerate(codes)]
    found = plan(wave(*shown), known(rows))
    assert found.blocked_by == [] and len(found.upserts) == 60
    assert found.upserts["acc_nav"].isna().all()
    assert (found.upserts["return_status"] == "proven").all()
    assert set(found.held["fund_code"]) == set(codes)
    assert "50 of 60" in found.held.loc[found.held["fund_code"] == codes[-1], "reason"].iloc[0]
    first = plan(wave(*shown), known())
    assert first.upserts["acc_nav"].isna().all()


def test_the_history_fills_what_the_page_had_wrong():
    """Stops a held accumulated NAV from staying away when the fund's history tells the right one."""
    rows = stored(
        (CODE, WED, 1.0, 1.5, 0.1, 1.0, "first"),
        (CODE, THU, 1.01, NAN, 1.0, 1.01, "proven"),
    )
    batch = history((CODE, WED, 1.0, 1.5, 0.1), (CODE, THU, 1.01, 1.51, 1.0))
    found = plan(batch, known(rows))
    assert found.held.empty and found.upserts["acc_nav"].tolist() == [1.51]


def money(*figures):
    """Stored incomes and 7-day yields of a week without another source of doubt."""
    days = [MON, TUE, WED, THU, FRI][: len(figures)]
    rows = stored(*((CODE, day, NAN, NAN, NAN, 1.0, "single_source") for day in days))
    income, week = zip(*figures, strict=True)
    return rows.assign(yield_per_10k=income, yield_7d_pct=week)


@pytest.mark.parametrize(
    ("income", "week", "rules"),
    [
        (0.05, 1.8, ["R16_income_hold"]),
        (4.9, 1.8, ["R16_income_hold"]),
        (0.502, 1.8, []),
        (0.5, 2.9, ["R16_week_hold"]),
        (400.0, 1.8, ["R23_money_impossible"]),
    ],
)
def test_a_page_corrects_no_income_on_one_sight(income, week, rules):
    """Stops a page from changing an income, or a 7-day yield, without another witness."""
    before = money((0.5, 1.8), (0.5, 1.8), (0.5, 1.8), (0.5, 1.8))
    batch = wave((CODE, THU, NAN, NAN, NAN), yield_per_10k=income, yield_7d_pct=week)
    found = plan(batch, known(before, kinds={CODE: "money"}))
    assert set(rules) <= set(found.held["rule"])
    kept = found.upserts["yield_per_10k"].tolist()
    assert kept == ([0.502] if not rules else [])
    assert len(found.revisions) == len(kept)


def test_an_impossible_income_is_held_at_first_sight_too():
    """Stops 4 % a day; a first figure of a history may be a sum of months."""
    kinds = {CODE: "money"}
    seen = wave((CODE, FRI, NAN, NAN, NAN), yield_per_10k=30.0)
    assert "R23_money_impossible" in set(plan(seen, known(kinds=kinds)).held["rule"])
    sums = history((CODE, FRI, NAN, NAN, NAN), yield_per_10k=41.2)
    assert plan(sums, known(kinds=kinds)).held.empty


def test_an_impossible_income_is_not_made_possible_by_a_second_voice():
    """Stops 45.5 yuan a day that page and history show alike from being accepted."""
    before, kinds = money((0.5, 1.8), (0.5, 1.8), (0.5, 1.8)), {CODE: "money"}
    page = held_before((CODE, THU, NAN), rule="R23_money_impossible", yield_per_10k=45.5)
    both = history((CODE, THU, NAN, NAN, NAN), yield_per_10k=45.5, yield_7d_pct=1.8)
    found = plan(both, known(before, kinds=kinds, sightings=page))
    assert found.upserts.empty and "R23_money_impossible" in set(found.held["rule"])
    assert "accepted" not in set(found.settled["state"])


def test_a_proven_growth_is_not_corrected_to_a_contradicted_one():
    """Stops a growth that the NAVs confirm from being lost to one that they do not."""
    rows = stored(
        (CODE, WED, 1.0, 1.0, 0.1, 1.0, "first"), (CODE, THU, 1.01, 1.01, 1.0, 1.01, "proven")
    )
    found = plan(wave((CODE, THU, 1.01, 1.01, -1.0)), known(rows))
    assert found.held["rule"].tolist() == ["R16_growth_hold"] and found.upserts.empty
    worse = stored(
        (CODE, WED, 1.0, 1.0, 0.1, 1.0, "first"), (CODE, THU, 1.01, 1.01, 7.0, 1.07, "unproven")
    )
    found = plan(wave((CODE, THU, 1.01, 1.01, 1.0)), known(worse))
    assert found.held.empty and found.upserts["growth_pct"].tolist() == [1.0]
    assert found.revisions["growth_pct"].tolist() == [7.0]


def test_a_jump_may_be_wider_over_a_gap():
    """Stops eight sessions of a falling market from being held as one day's error, and a code
    that comes back after years from being let through."""
    assert jump_scale(np.array([0, 3, 250, 251])) == pytest.approx([1, 2, 251**0.5, 1])
    rows = stored((CODE, 20260907, 1.0, 1.0, 0.1, 1.0, "proven"))
    kinds = {CODE: "equity"}
    over = plan(wave((CODE, FRI, 0.72, 0.72, NAN)), known(rows, kinds=kinds))
    assert over.held.empty and len(over.upserts) == 1
    rows = stored((CODE, THU, 1.0, 1.0, 0.1, 1.0, "proven"))
    day = plan(wave((CODE, FRI, 0.72, 0.72, NAN)), known(rows, kinds=kinds))
    assert "R08_jump_unconfirmed" in set(day.held["rule"])
