"""Batch rules that know what is usual and have a way back, on markets of some hundred funds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fund_assets.nav.batch import Shape
from fund_assets.nav.merge import plan_merge
from fund_assets.nav.rules import BLOCKING, RULES, WHOLE
from fund_assets_tests.unit.builders import (
    CALENDAR,
    FRI,
    MON,
    THU,
    TUE,
    WED,
    history,
    known,
    stored,
    wave,
)

NAN = np.nan
CODES = [f"{n:06d}" for n in range(1, 301)]
KINDS = dict.fromkeys(CODES, "mixed")
DAYS = (MON, TUE, WED, THU)


def blocked(found):
    return [v.rule for v in found.blocked_by]


def plan(batch, knowledge, today=FRI):
    return plan_merge(batch, knowledge, CALENDAR, today)


def market(still=lambda number, day: False):
    """Four sessions in which each fund rises by 0.1 % a day, but where it stands `still`."""
    rows = []
    for number, code in enumerate(CODES):
        nav = 1.0
        for day, date in enumerate(DAYS):
            moves = day and not still(number, day)
            nav = round(nav * 1.001, 4) if moves else nav
            rows.append((code, date, nav, nav, 0.1 if moves else 0.0, nav, "proven"))
    return stored(*rows)


def friday(rows, stale=(), *, growth=0.0, still=()):
    """Friday's page over `market`: `stale` show Thursday's NAV, `still` have not moved."""
    last = rows[rows["nav_date"] == THU].set_index("fund_code")["unit_nav"]
    shown = []
    for number, code in enumerate(CODES):
        before = float(last[code])
        stays = number in stale or number in still
        nav = before if stays else round(before * 1.001, 4)
        told = (growth if number in stale else 0.0) if stays else 0.1
        shown += [(code, THU, before, before, NAN), (code, FRI, nav, nav, told)]
    return wave(*shown)


# ── a part of the page that is not yet of the day ────────────────────────────────────────────


@pytest.mark.parametrize(
    "share",
    [0.05, *(pytest.param(share, marks=pytest.mark.slow) for share in (0.1, 0.3)), 0.49],
)
def test_a_stale_part_of_a_page_is_not_yet_published(share):
    """Stops yesterday's NAVs from being accepted as today's when half a page is not ready."""
    rows = market(still=lambda number, day: (number * 7 + day) % 100 == 0)
    number = round(share * len(CODES))
    found = plan(friday(rows, stale=range(number)), known(rows, kinds=KINDS))
    assert blocked(found) == []
    assert found.rows_pending == number
    assert found.rows_new == len(CODES) - number
    assert {v.rule for v in found.verdicts if v.failed and v.severity == "warn"} == {
        "R15_stale_part"
    }
    # The next look shows the right values: nothing is in their way.
    right = plan(friday(rows), known(rows, kinds=KINDS))
    assert (right.rows_new, right.rows_pending, blocked(right)) == (300, 0, [])


def test_funds_that_often_stand_still_are_no_stale_part():
    """Stops a false alarm for bonds that move every third day."""
    rows = market(still=lambda number, day: number < 120 and (number + day) % 3 != 0)
    found = plan(friday(rows, still=range(80)), known(rows, kinds=KINDS))
    assert found.rows_pending == 0 and found.rows_new == 300
    assert all(v.passed for v in found.verdicts)


def test_a_few_funds_that_never_stood_still_are_no_stale_part():
    """Stops a surprise of three funds from holding a page's part back."""
    rows = market()
    found = plan(friday(rows, still=[3, 40, 200]), known(rows, kinds=KINDS))
    assert found.rows_pending == 0 and all(v.passed for v in found.verdicts)


def test_a_quiet_day_as_others_is_no_stale_part():
    """Stops a false alarm where as many stand still as on other days, by other funds."""
    rows = market(still=lambda number, day: number % 12 == day)
    found = plan(
        friday(rows, still=[n for n in range(300) if n % 12 == 5]), known(rows, kinds=KINDS)
    )
    assert found.rows_pending == 0 and all(v.passed for v in found.verdicts)


def test_one_row_that_repeats_nav_and_growth_is_not_yet_published():
    """Stops a single stale row, whose growth says that it moved, from becoming a return."""
    rows = market()
    found = plan(friday(rows, stale=[7], growth=0.5), known(rows, kinds=KINDS))
    assert found.rows_pending == 1 and found.rows_new == 299
    # A growth that rounding of the NAV explains is none.
    found = plan(friday(rows, stale=[7], growth=0.01), known(rows, kinds=KINDS))
    assert found.rows_pending == 0


def test_a_stale_look_does_not_take_the_day_back():
    """Stops a worse answer from a slower server from replacing values that are there."""
    rows = market()
    fresh = plan(friday(rows), known(rows, kinds=KINDS)).upserts
    both = pd.concat([rows, fresh], ignore_index=True)
    found = plan(friday(rows, stale=range(100)), known(both, kinds=KINDS))
    assert found.rows_changed == 0 and found.revisions.empty and found.rows_pending == 100


def shifted(rows, codes):
    """Friday's page on which `codes` show every figure one session too late."""
    page = friday(rows).landed.drop(columns="batch_id").set_index(["fund_code", "nav_date"])
    there = rows.set_index(["fund_code", "nav_date"])
    shown = []
    for code in CODES:
        for day, before in ((THU, WED), (FRI, THU)):
            row = there.loc[(code, before)] if code in codes else page.loc[(code, day)]
            shown.append((code, day, row["unit_nav"], row["acc_nav"], row["growth_pct"]))
    return wave(*shown)


@pytest.mark.parametrize("count", [1, pytest.param(40, marks=pytest.mark.slow), 140])
def test_figures_of_the_day_before_are_not_yet_published(count):
    """Stops a page that is one day behind from confirming its corrections by its own growth."""
    rows = market()
    found = plan(shifted(rows, set(CODES[:count])), known(rows, kinds=KINDS))
    assert found.revisions.empty and found.rows_changed == 0 and blocked(found) == []
    assert found.rows_pending == 2 * count and found.rows_new == len(CODES) - count
    whole = plan(shifted(rows, set(CODES)), known(rows, kinds=KINDS))
    assert blocked(whole) == ["R15_standing_still"] and whole.upserts.empty


def test_a_market_is_not_corrected_by_the_page_s_own_next_navs():
    """Stops a page from being its own witness: its next NAVs fit its corrections."""
    rows = market()
    page = friday(rows).landed
    moved = page["unit_nav"].where(page["nav_date"] == FRI, page["unit_nav"] * 0.997).round(4)
    growth = 100 * (moved / moved.shift(1) - 1)
    shown = [
        (code, day, nav, nav, NAN if day == THU else grew)
        for code, day, nav, grew in zip(
            page["fund_code"], page["nav_date"], moved, growth.round(2), strict=True
        )
    ]
    for count, by in ((6, ["R17_mass_revision"]), (4, [])):
        some = [row for row in shown if row[0] in CODES[:count]]
        rest = [
            row
            for row in friday(rows)
            .landed[["fund_code", "nav_date", "unit_nav", "acc_nav", "growth_pct"]]
            .itertuples(index=False, name=None)
            if row[0] not in CODES[:count]
        ]
        assert blocked(plan(wave(*some, *rest), known(rows, kinds=KINDS))) == by


def test_values_accepted_while_they_stood_still_are_corrected_freely():
    """Stops the right page after a stale one from being blocked, and wrong values from staying."""
    rows = market()
    last = rows[rows["nav_date"] == THU].assign(nav_date=FRI, growth_pct=0.0)
    last["nav_date"] = last["nav_date"].astype(rows["nav_date"].dtype)
    knowledge = known(pd.concat([rows, last], ignore_index=True), kinds=KINDS)
    found = plan(friday(rows), knowledge)
    assert blocked(found) == [] and found.rows_changed == 300
    assert len(found.revisions) == 300


# ── shares of the market, not of a batch ─────────────────────────────────────────────────────


@pytest.mark.parametrize("wrong", [1, 5, 40, 99])
def test_histories_correct_one_date_of_many_funds(wrong):
    """Stops five corrections of 0.03 % from blocking a batch of a hundred histories for ever."""
    rows, told = [], []
    for number, code in enumerate(CODES[:100]):
        rows += [(code, day, 1.0, 1.0, 0.0, 1.0, "proven") for day in DAYS]
        rows.append((code, FRI, 1.01, 1.01, 1.0, 1.01, "proven"))
        nav, growth = (1.0103, 1.03) if number < wrong else (1.01, 1.0)
        told += [(code, day, 1.0, 1.0, 0.0) for day in DAYS] + [(code, FRI, nav, nav, growth)]
    found = plan(history(*told), known(stored(*rows), kinds=KINDS))
    assert blocked(found) == [] and found.rows_changed == wrong
    assert found.revisions["unit_nav"].tolist() == [1.01] * wrong


def test_histories_that_rewrite_their_funds_are_blocked():
    """Stops a shifted column of the history's decoder from rewriting the market."""
    rows = market()
    told = [
        (r.fund_code, r.nav_date, round(r.unit_nav * 1.003, 4), r.acc_nav, r.growth_pct)
        for r in rows.itertuples()
    ]
    found = plan(history(*told), known(rows, kinds=KINDS))
    assert blocked(found) == ["R17_history_rewrite"]
    assert found.blocked_by[0].cases == (
        "300 of 300 histories change more than half of the stored NAVs of their funds",
    )
    # One company that restates all of its funds is no shifted column.
    some = [
        row if n < 4 * 100 else (*row[:2], *rows.iloc[n][["unit_nav", "acc_nav", "growth_pct"]])
        for n, row in enumerate(told)
    ]
    found = plan(history(*some), known(rows, kinds=KINDS))
    assert blocked(found) == [] and found.rows_changed == 400


def test_a_decision_is_measured_against_the_market():
    """Stops six accepted corrections from blocking themselves: they are all of their batch."""
    codes = CODES[:6]
    rows = stored(*[(c, THU, 1.0, 1.0, 0.0, 1.0, "first") for c in codes])
    batch = replace(
        wave(*[(c, THU, 1.002, 1.002, NAN) for c in codes]), kind="desk", origin="wave"
    )
    assert blocked(plan(batch, known(rows))) == ["R17_mass_revision"]
    assert blocked(plan(batch, known(rows, market_on={THU: 20_000}))) == []


# ── a smaller market ─────────────────────────────────────────────────────────────────────────


def shrunk(sessions, *, now=255):
    """A wave of `now` of 300 funds, after blocked sessions with so many funds each."""
    batch = wave(*[(c, FRI, 1.0, 1.0, NAN) for c in CODES[:now]])
    waves = tuple(Shape(count, frozenset(CODES[:count])) for count in sessions)
    knowledge = known(
        kinds=KINDS, usual_rows=300.0, rows_before=300.0, blocked=waves,
        members_before=frozenset(CODES),
    )  # fmt: skip
    return plan(batch, knowledge)


def test_a_market_that_shrank_for_good_passes_on_the_third_equal_session():
    """Stops a smaller market from being blocked every evening for ever."""
    assert blocked(shrunk([])) == ["R02_row_count", "R03_kind_floor"]
    once = shrunk([255])
    assert blocked(once) == ["R02_row_count", "R03_kind_floor"]
    assert "session 2 of 3 with this number" in once.blocked_by[0].cases[0]
    assert blocked(shrunk([256, 254])) == []


@pytest.mark.parametrize(
    "sessions", [[200, 255], [255, 200], [300, 300], [262, 255], [200, 180]]
)
def test_an_answer_that_is_cut_anew_every_day_does_not_pass(sessions):
    """Stops three different halves of a market from passing as a smaller one."""
    assert "R02_row_count" in blocked(shrunk(sessions))


def test_the_waves_after_a_smaller_market_was_accepted_pass():
    """Stops the median of twenty larger waves from blocking the smaller market's next evening."""
    batch = wave(*[(c, FRI, 1.0, 1.0, NAN) for c in CODES[:255]])
    after = known(
        kinds=KINDS, usual_rows=300.0, rows_before=255.0, members_before=frozenset(CODES[:255])
    )
    assert blocked(plan(batch, after)) == []
    less = known(
        kinds=KINDS, usual_rows=300.0, rows_before=290.0, members_before=frozenset(CODES[:255])
    )
    assert blocked(plan(batch, less)) == ["R02_row_count"]


def test_a_first_page_is_measured_by_the_list():
    """Stops a first page of ten funds from becoming what later ones are measured by."""
    page = wave(*[(c, FRI, 1.0, 1.0, NAN) for c in CODES[:10]])
    assert blocked(plan(page, known(kinds=KINDS, listed=240))) == ["R02_first_page"]
    assert blocked(plan(page, known(kinds=KINDS, listed=20))) == []
    assert blocked(plan(page, known(kinds=KINDS, listed=240, usual_rows=10.0))) == []


def test_every_blocking_rule_says_what_lifts_it():
    """Stops a batch from being held without a way out."""
    assert all(rule.lifts for rule in BLOCKING)
    assert all(r in WHOLE for r in RULES.values() if r.lifts), "single rows have the desk"
