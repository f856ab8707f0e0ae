"""Single steps that once misled the merge: a few rows each, and what must become of them."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.nav.merge import plan_merge
from fund_assets_tests.unit.builders import (
    CALENDAR,
    FRI,
    THU,
    WED,
    history,
    known,
    stored,
    wave,
)

NAN = np.nan
CODE = "000001"


def plan(batch, knowledge):
    return plan_merge(batch, knowledge, CALENDAR, FRI)


def warned(found):
    return {v.rule for v in found.verdicts if not v.passed}


def money(*rows, kind=wave, **more):
    """Rows of (date, income) of one money-market fund."""
    dates, incomes = zip(*rows, strict=True)
    nothing = [(CODE, day, NAN, NAN, NAN) for day in dates]
    return kind(*nothing, yield_per_10k=list(incomes), **more)


def earned(*rows):
    """As `money`, stored."""
    kept = stored(*[(CODE, day, NAN, NAN, NAN, 1.0, "single_source") for day, _ in rows])
    return kept.assign(yield_per_10k=[income for _, income in rows])


@pytest.mark.parametrize("wrong", [4, 5, 6, 40])
def test_histories_that_correct_one_date_are_merged_with_their_revisions(wrong):
    """Stops a batch that happens to hold 100 histories from being blocked for ever, because
    five of them correct a date by 0.03 %."""
    codes = [f"{n:06d}" for n in range(1, 101)]
    rows = stored(*[row for code in codes for row in (
        (code, THU, 1.0, 1.0, 0.1, 1.0, "first"), (code, FRI, 1.01, 1.01, 1.0, 1.01, "proven")
    )])  # fmt: skip
    told = [(1.0103, 1.0103, 1.03) if n < wrong else (1.01, 1.01, 1.0) for n in range(100)]
    batch = history(*[row for code, friday in zip(codes, told, strict=True) for row in (
        (code, THU, 1.0, 1.0, 0.1), (code, FRI, *friday)
    )])  # fmt: skip
    found = plan(batch, known(rows, kinds=dict.fromkeys(codes, "mixed")))
    assert found.blocked_by == [] and found.held.empty
    assert found.revisions["fund_code"].tolist() == codes[:wrong]
    assert set(found.revisions["unit_nav"]) == {1.01} and set(found.upserts["unit_nav"]) == {
        1.0103
    }


def test_a_large_redemption_is_a_gain_where_growth_tells_it_and_waits_where_none_does():
    """Stops +112 % of a fund that most have left from being held beside its own growth, and the
    words for one without a growth from saying "nan"."""
    rows, kinds = stored((CODE, THU, 1.05, 1.05, 0.02, 1.05, "proven")), {CODE: "mixed"}
    found = plan(wave((CODE, FRI, 2.2297, 2.2297, 112.35)), known(rows, kinds=kinds))
    assert found.held.empty and warned(found) == {"R08_jump"}
    assert found.upserts["total_return_index"].tolist() == pytest.approx([2.2297])
    blank = plan(wave((CODE, FRI, 2.2297, 2.2297, NAN)), known(rows, kinds=kinds))
    assert blank.upserts.empty and blank.held["reason"].tolist() == [
        f"{CODE} {FRI}: unit_nav 1.05 -> 2.2297 is +112.35% over 1 sessions (at most 20%), and no "
        "growth is published; decided by the fund's history, or by the growth of its next NAV"
    ]
    other = plan(wave((CODE, FRI, 2.2297, 2.2297, 1.2)), known(rows, kinds=kinds))
    assert "published growth 1.2 % does not confirm it;" in other.held["reason"].iloc[0]


def test_a_payout_that_the_accumulated_nav_adds_up_is_no_loss():
    """Stops 1.0410 to 1.0003 from being -3.9 % because no list has the event."""
    batch = history((CODE, WED, 1.041, 1.041, 0.1), (CODE, THU, 1.0003, 1.0413, 0.03),
                    (CODE, FRI, 1.0053, 1.0463, 0.5))  # fmt: skip
    found = plan(batch, known(kinds={CODE: "index"}))
    assert found.upserts["return_status"].tolist() == ["first", "suspected_event", "proven"]
    growth = 1.0 + (1.0413 - 1.041) / 1.041
    assert found.upserts["total_return_index"].iloc[1] == pytest.approx(growth, abs=1e-12)
    assert found.inferred["value"].tolist() == [pytest.approx(0.041, abs=1e-12)]


def test_a_second_sight_of_a_code_used_again_chains_nothing_either():
    """Stops a new fund of an old code from falling by 26 % once the page has shown it twice."""
    old = stored((CODE, 20190312, 1.35, 1.35, 0.1, 1.35, "proven"))
    page = wave((CODE, FRI, 1.0, 1.0, NAN), (CODE, THU, 1.0, 1.0, NAN))
    seen = [(CODE, FRI, 1.0), (CODE, THU, 1.0)]
    for sightings in ((), seen):
        found = plan(page, known(old, kinds={CODE: "mixed"}, sightings=sightings))
        assert found.held.empty and found.upserts["total_return_index"].tolist() == [1.0, 1.0]
        assert "R08_new_series" in warned(found)


def test_a_money_fund_that_becomes_a_bond_fund_goes_on():
    """Stops the first NAV after incomes from being a step of its own, or a break."""
    batch = history(
        (CODE, 20260915, NAN, NAN, NAN), (CODE, WED, NAN, NAN, NAN),
        (CODE, THU, 1.0, 1.0, 0.0), (CODE, FRI, 1.0003, 1.0003, 0.03),
        yield_per_10k=[0.7, 0.7, NAN, NAN],
    )  # fmt: skip
    found = plan(batch, known(kinds={CODE: "bond"}))
    assert found.held.empty and warned(found) == set()
    index = found.upserts["total_return_index"].tolist()
    assert index == pytest.approx([1.0, 1.00007, 1.00007, 1.00007 * 1.0003], abs=1e-12)


def test_incomes_are_corrected_by_the_history_and_not_on_one_sight_of_the_page():
    """Stops 0.5 yuan from becoming 0.05, or 4.9, without a word."""
    rows, kinds = earned((THU, 0.5), (FRI, 0.5)), {CODE: "money"}
    page = plan(money((FRI, 0.05), (THU, 4.9)), known(rows, kinds=kinds))
    assert page.upserts.empty and page.revisions.empty
    assert page.held["rule"].tolist() == ["R16_income_hold"] * 2
    told = plan(money((THU, 0.51), (FRI, 0.52), kind=history), known(rows, kinds=kinds))
    assert told.held.empty and told.upserts["yield_per_10k"].tolist() == [0.51, 0.52]
    assert told.revisions["yield_per_10k"].tolist() == [0.5, 0.5]


def test_a_pages_sum_of_two_equal_days_is_no_news_and_gives_way_to_them():
    """Stops a Sunday of 0.6740, which is Saturday's and its own 0.3370, from doubling a day: no
    7-day yield is there to tell."""
    week = [(20260812, 0.3365), (20260813, 0.3368), (20260814, 0.3371)]
    days = [*week, (20260815, 0.337), (20260816, 0.337)]
    shown = money((20260816, 0.674), newest=20260816, previous=20260815)
    kinds = {CODE: "money"}
    after = plan(shown, known(earned(*days).assign(days_covered=1), kinds=kinds))
    assert after.upserts.empty and after.held.empty and after.revisions.empty
    rows = earned(*week).assign(days_covered=1)
    first = plan(shown, known(rows, kinds=kinds)).upserts
    assert first["yield_per_10k"].tolist() == [0.674] and first["days_covered"].tolist() == [2]
    both = known(pd.concat([rows, first], ignore_index=True), kinds=kinds)
    told = plan(money(*days, kind=history), both)
    assert told.held.empty and told.upserts["yield_per_10k"].tolist() == [0.337, 0.337]
    assert told.upserts["days_covered"].tolist() == [1, 1]


def test_four_percent_a_day_is_no_income():
    """Stops a slip of three digits from being merged where nothing else tells of the week."""
    found = plan(money((FRI, 400.0)), known(earned((THU, 0.5)), kinds={CODE: "money"}))
    assert found.upserts.empty and found.held["rule"].tolist() == ["R23_money_impossible"]
    lost = plan(money((FRI, -0.3)), known(earned((THU, 0.5)), kinds={CODE: "money"}))
    assert "-0.3 yuan has no 7-day yield to compare with;" in lost.held["reason"].iloc[0]


@pytest.mark.parametrize(
    ("kind", "before", "now", "growth", "status"),
    [
        (
            "money",
            100.0123,
            100.0201,
            NAN,
            "single_source",
        ),  # a floating NAV, a hundred a share
        ("qdii", 0.0312, 0.0318, 1.92, "proven"),  # a class in dollars: its last digit is 0.3 %
    ],
)
def test_navs_of_unusual_size_are_ordinary_steps(kind, before, now, growth, status):
    """Stops money funds with a NAV, and classes in dollars, from being held for their level."""
    rows = stored((CODE, THU, before, before, 0.0, 1.0, "first"))
    found = plan(wave((CODE, FRI, now, NAN, growth)), known(rows, kinds={CODE: kind}))
    assert found.held.empty and warned(found) == set()
    assert found.upserts["return_status"].tolist() == [status]
    assert found.upserts["total_return_index"].tolist() == [pytest.approx(now / before)]
