"""What incomes of money-market funds cover, told by the 7-day yield, and merging them.

The yields are made here from the incomes of seven days by the published formulas, with plain
loops, so that nothing of the tested arithmetic checks itself.
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import TradingCalendar, to_key
from fund_assets.nav.batch import Batch
from fund_assets.nav.cadence import Incomes, missing_income
from fund_assets.nav.merge import plan_merge
from fund_assets.nav.money import Yields, closed_runs, judge_income
from fund_assets.nav.timeline import are_sums
from fund_assets.sources.eastmoney.decode_history import decode_history
from fund_assets_tests.unit.builders import known, observed

CALENDAR = TradingCalendar.build()
CODE, KINDS = "000009", {"000009": "money"}
NAN = float("nan")
#: A Monday; 25 September 2026 and 1 to 8 October are holidays of the exchange.
FIRST = date(2026, 8, 31)
DAYS = [FIRST + timedelta(n) for n in range(42)]
#: Each day's own income, never the same twice, with a day of a double one.
EARNED = {day: round(0.5 + 0.013 * ((7 * n) % 11), 4) for n, day in enumerate(DAYS)}
EARNED[date(2026, 9, 13)] = 1.1
SAT, SUN, MON = (date(2026, 9, day) for day in (19, 20, 21))


def yields(earned, simple=False):
    """date → 7-day yield in percent, of dates with seven days behind them."""
    found = {}
    for day in earned:
        week = [earned.get(day - timedelta(back)) for back in range(7)]
        if None in week:
            continue
        growth = 1.0
        for income in week:
            growth *= 1 + income / 10_000
        total = sum(week) / 7 * 365 / 100 if simple else 100 * (growth ** (365 / 7) - 1)
        found[day] = round(total, 3)
    return found


def told_daily(earned):
    return dict(earned)


def told_on_last_closed(earned):
    """One figure for all closed days in a row, on the last of them."""
    return _told(earned, lambda day: CALENDAR.is_session(day + timedelta(1)))


def told_on_next_session(earned):
    """The closed days' income together with that of the session after them."""
    return _told(earned, lambda day: False)


def _told(earned, ends):
    told, waiting = {}, 0.0
    for day, income in earned.items():
        waiting += income
        if CALENDAR.is_session(day) or ends(day):
            told[day], waiting = round(waiting, 4), 0.0
    return told


def covered(told, week):
    """date → days covered, and what else is found, of one fund."""
    days = np.array([(day - date(1970, 1, 1)).days for day in told])
    found = judge_income(
        Yields(
            days,
            np.arange(len(days)) == 0,
            np.array(list(told.values())),
            np.array([week.get(day, NAN) for day in told]),
        ),
        known=np.full(len(days), NAN),
        settled=np.zeros(len(days), bool),
        calendar=CALENDAR,
        hold_from_pct=0.1,
    )
    return dict(zip(told, found.days_covered.tolist(), strict=True)), found


def batch(told, week=None, *, kind="history", newest=None):
    """A batch of the fund with these incomes."""
    week = yields(EARNED) if week is None else week
    rows = observed(
        *[(CODE, to_key(day), NAN, NAN, NAN) for day in told],
        yield_per_10k=list(told.values()),
        yield_7d_pct=[week.get(day, NAN) for day in told],
    )
    newest = max(told) if newest is None else newest
    return Batch(
        batch_id=f"{kind[0]}{to_key(newest)}-test",
        kind=kind,
        newest_date=to_key(newest),
        previous_date=to_key(newest - timedelta(1)) if kind == "wave" else None,
        collected_at=to_key(newest) * 1_000_000 + 213_000,
        rows_read=len(rows),
        landed=rows,
    )


def merged(batch_, stored=None):
    """The plan, and the accepted rows after it."""
    plan = plan_merge(batch_, known(stored, kinds=KINDS), CALENDAR, batch_.newest_date)
    assert plan.blocked_by == []
    rows = plan.upserts if stored is None else pd.concat([stored, plan.upserts])
    rows = rows.drop_duplicates(["fund_code", "nav_date"], keep="last").set_index("nav_date")
    for row in plan.rechained.itertuples():
        for name in ("days_covered", "total_return_index", "return_status"):
            rows.loc[row.nav_date, name] = getattr(row, name)
    return plan, rows.sort_index().reset_index()


def until(day, told):
    return {one: income for one, income in told.items() if one <= day}


def value(rows, day, name="yield_per_10k"):
    return rows.set_index("nav_date").loc[to_key(day), name]


def held(plan):
    return {(int(day), rule) for day, rule in plan.held[["nav_date", "rule"]].to_numpy()}


@pytest.mark.parametrize("simple", [True, False])
@pytest.mark.parametrize("telling", [told_daily, told_on_last_closed, told_on_next_session])
def test_what_a_figure_covers_is_told_by_the_7_day_yield(telling, simple):
    """Stops sums from passing for days, a double day for a sum, and holidays for gaps."""
    told = telling(EARNED)
    cover, found = covered(told, yields(EARNED, simple))
    before = [FIRST - timedelta(1), *list(told)[:-1]]
    assert cover == {day: (day - one).days for day, one in zip(told, before, strict=True)}, (
        "each figure is for the days since the one before it"
    )
    assert not found.overlap.any() and not found.contradicted.any()
    assert np.nanmax(np.abs(found.error_pct)) < 0.002
    whole = [day for day in told if day in yields(EARNED)]
    assert np.isfinite(found.error_pct).sum() >= 0.6 * len(whole)


@pytest.mark.parametrize(("times", "days"), [(1.2, 1.0), (3.3, 3.0), (2.6, 3.0), (20.0, NAN)])
def test_what_a_first_figure_covers_is_told_by_its_own_week(times, days):
    """Stops a fund's first figure, a weekend's sum or a day's, from being taken for the other."""
    week = dict.fromkeys(DAYS, 1.0)  # 1 % a year: about 0.2726 yuan a day
    told = {MON: round(times * 0.2726, 4), MON + timedelta(1): 0.27}
    found, _ = covered(told, week)
    np.testing.assert_equal(found[MON], days)


def test_the_week_decides_against_the_habit():
    """Stops one weekend's sum of a fund that tells each day from passing for Monday's own, where
    no later week tells."""
    told = {day: income for day, income in EARNED.items() if day not in (SAT, SUN)}
    told[MON] = round(sum(EARNED[day] for day in (SAT, SUN, MON)), 4)
    week = {day: rate for day, rate in yields(EARNED).items() if day <= MON}
    assert covered(told, week)[0][MON] == 3.0


def test_how_long_the_exchange_was_closed():
    """Stops a closing that is longer than any sum from lending its length to a figure."""
    days = [date(2026, 9, 22), SAT, SUN, MON, date(1999, 2, 25), date(1999, 2, 26)]
    numbers = np.array([(day - date(1970, 1, 1)).days for day in days])
    assert closed_runs(numbers, CALENDAR).tolist() == [1, 1, 2, 3, 16, 1]


def test_a_lost_day_is_no_sum():
    """Stops Saturday's lost income from hiding in Sunday's figure (the machine was off)."""
    told = {day: income for day, income in EARNED.items() if day != SAT}
    cover, found = covered(told, yields(EARNED))
    assert cover[SUN] == 1.0 and set(cover.values()) == {1.0}
    assert np.isnan(found.error_pct[list(told).index(SUN)]), "a week with a hole proves nothing"


@pytest.mark.parametrize("telling", [told_daily, told_on_last_closed])
def test_without_a_yield_the_habit_tells(telling):
    """Stops a figure without a yield from being guessed against all others of its fund."""
    told = telling(EARNED)
    week = yields(EARNED)
    for day in (SUN, MON):
        week.pop(day)
    lost = {day: income for day, income in told.items() if day != SAT}
    assert covered(lost, week)[0][SUN] == (1.0 if telling is told_daily else 2.0)


@pytest.mark.parametrize(("telling", "days"), [(told_daily, 1.0), (told_on_last_closed, 2.0)])
def test_the_habit_is_of_closed_days_alone(telling, days):
    """Stops the single figures of sessions from outvoting a fund's own sums over weekends, where
    no week after the figure tells either."""
    told = telling(EARNED)
    week = {
        day: rate for day, rate in yields(EARNED).items() if not SUN <= day < SUN + timedelta(7)
    }
    lost = {day: income for day, income in told.items() if day != SAT}
    assert covered(lost, week)[0][SUN] == days


def test_a_weekend_counted_twice_is_convicted():
    """Stops a source that tells Saturday alone and again in Sunday's sum."""
    told = dict(EARNED)
    told[SUN] = round(told[SAT] + told[SUN], 4)
    cover, found = covered(told, yields(EARNED))
    at = list(told).index(SUN)
    assert cover[SUN] == 2.0 and found.overlap[at] and found.overlap.sum() == 1
    plan, rows = merged(batch(told))
    assert held(plan) == {(to_key(SUN), "R23_money_twice")}
    assert to_key(SUN) not in set(rows["nav_date"])
    assert value(rows, MON, "days_covered") == 1


@pytest.mark.parametrize(("off", "convicted"), [(0.028, True), (0.06, False)])
def test_a_yield_that_is_a_little_off_convicts_all_the_same(off, convicted):
    """Stops a yield that is rounded otherwise from acquitting a double weekend, and a yield that
    says something else from convicting one: 15 % of a day's income is 0.03 points here."""
    told = dict(EARNED)
    told[SUN] = round(told[SAT] + told[SUN], 4)
    week = {day: value + off for day, value in yields(EARNED).items()}
    _, found = covered(told, week)
    assert found.overlap[list(told).index(SUN)] == convicted


def product(earned, last):
    return np.prod([1 + earned[day] / 10_000 for day in DAYS[1:] if day <= last])


def test_a_pages_sum_never_takes_the_place_of_single_days():
    """Stops Sunday's and Saturday's income, told by the history, from being overwritten by the
    page's sum since the last disclosure, wave after wave."""
    _, rows = merged(batch(until(SUN, EARNED)))
    page = {SUN: round(EARNED[SAT] + EARNED[SUN], 4), MON: EARNED[MON]}
    plan, after = merged(batch(page, kind="wave"), rows)
    assert (plan.rows_new, plan.rows_changed, plan.rows_unchanged) == (1, 0, 1)
    assert plan.revisions.empty and plan.held.empty
    assert value(after, SUN) == EARNED[SUN]
    assert value(after, MON, "total_return_index") == pytest.approx(
        product(EARNED, MON), abs=1e-12
    )
    rough = {SUN: 2 * EARNED[SUN], MON: EARNED[MON]}  # a page that is a little off
    assert merged(batch(rough, kind="wave"), rows)[0].rows_changed == 0


def test_a_pages_sum_stands_until_the_single_days_come():
    """Stops a weekend from being lost before the history comes, or counted twice after it."""
    _, rows = merged(batch(until(date(2026, 9, 18), EARNED)))
    page = {SUN: round(EARNED[SAT] + EARNED[SUN], 4), MON: EARNED[MON]}
    plan, after = merged(batch(page, kind="wave"), rows)
    assert plan.held.empty and value(after, SUN, "days_covered") == 2
    right = product(EARNED, MON)
    assert value(after, MON, "total_return_index") == pytest.approx(right, abs=1e-8)
    plan, last = merged(batch(until(MON, EARNED)), after)
    assert plan.held.empty
    assert [value(last, day) for day in (SAT, SUN)] == [EARNED[SAT], EARNED[SUN]]
    assert set(last["days_covered"]) == {1}
    assert value(last, MON, "total_return_index") == pytest.approx(right, abs=1e-12)
    (was,) = plan.revisions["yield_per_10k"]
    assert was == page[SUN], "what was known before stays known as of then"
    again, same = merged(batch(page, kind="wave"), last)
    assert again.rows_unchanged == 2 and same.equals(last)


def test_a_sum_beside_the_stored_yield_may_be_off_by_three_percent():
    """Stops a page's sum, which some companies round by the share, from being a correction; and
    any figure near two days' income from passing where the page shows another week."""
    stored = pd.DataFrame(
        {
            "key": [900_000_000 + day for day in (20260919, 20260920)],
            "nav_date": [20260919, 20260920],
            "yield_per_10k": [0.5, 0.5],
            "yield_7d_pct": [1.8, 1.8],
        }
    )
    incomes = np.array([1.0003, 1.025, 1.035, 1.0001, 1.0003])
    weeks = np.array([1.8, 1.8, 1.8, 1.9, 1.9])
    found = are_sums(stored, np.ones(5, dtype=np.intp), incomes, weeks)
    assert found.tolist() == [True, True, False, True, False]


def test_many_funds_sums_replaced_at_once_are_no_mass_revision():
    """Stops the histories of a hundred money funds from being blocked (R17) for being right."""
    codes = [f"{n:06d}" for n in range(1, 31)]
    page = {SUN: round(EARNED[SAT] + EARNED[SUN], 4)}

    def of_all(one):
        parts = [one.landed.assign(fund_code=code) for code in codes]
        rows = pd.concat(parts, ignore_index=True)
        return Batch(**{**one.__dict__, "landed": rows, "rows_read": len(rows)})

    friday = until(date(2026, 9, 18), EARNED)
    kinds = dict.fromkeys(codes, "money")
    stored = plan_merge(
        of_all(batch(friday)), known(kinds=kinds), CALENDAR, to_key(MON)
    ).upserts
    plan = plan_merge(
        of_all(batch(page, kind="wave")), known(stored, kinds=kinds), CALENDAR, to_key(MON)
    )
    stored = pd.concat([stored, plan.upserts], ignore_index=True)
    plan = plan_merge(
        of_all(batch(until(SUN, EARNED))), known(stored, kinds=kinds), CALENDAR, to_key(MON)
    )
    assert plan.blocked_by == []
    # A sum told day by day is no correction, and stands in the ledger as what it is.
    assert (plan.rows_changed, plan.rows_filled) == (0, len(codes))
    assert set(plan.revisions["kind"]) == {"refinement"}
    assert len(plan.revisions) == len(codes)


def test_single_day_then_sum_then_history():
    """Stops a sum from being taken beside a day of it that is stored; the history fills in."""
    _, rows = merged(batch(until(SAT, EARNED)))
    page = {SUN: round(EARNED[SAT] + EARNED[SUN], 4), MON: EARNED[MON]}
    plan, after = merged(batch(page, kind="wave"), rows)
    assert held(plan) == {(to_key(SUN), "R23_money_twice")}
    assert value(after, MON, "total_return_index") < product(EARNED, MON)
    plan, last = merged(batch(until(MON, EARNED)), after)
    assert plan.held.empty
    assert value(last, MON, "total_return_index") == pytest.approx(
        product(EARNED, MON), abs=1e-12
    )


def test_a_history_tells_what_a_stored_first_figure_covers():
    """Stops the first figure that a page ever showed from staying a day's, when the history shows
    the fund to tell its weekends in sums."""
    told = told_on_next_session(EARNED)
    _, rows = merged(batch({MON: told[MON]}, {}, kind="wave"))
    assert value(rows, MON, "days_covered") == 1
    _, after = merged(batch(until(SAT, told), {}), rows)
    assert value(after, MON, "days_covered") == 3


@pytest.mark.parametrize("with_yield", [True, False])
def test_a_day_inside_a_stored_sum_is_not_taken_beside_it(with_yield):
    """Stops the other order: the sum is stored, and one of its days comes alone in a wave."""
    week = yields(EARNED) if with_yield else {}
    told = until(SUN, {day: y for day, y in EARNED.items() if day != SAT})
    told[SUN] = round(EARNED[SAT] + EARNED[SUN], 4)
    _, rows = merged(batch(told))
    assert value(rows, SUN, "days_covered") == 2
    plan, after = merged(batch({SAT: EARNED[SAT]}, week, kind="wave", newest=SUN), rows)
    assert held(plan) == {(to_key(SAT), "R23_money_twice")}
    assert after.equals(rows)
    _, last = merged(batch(until(SUN, EARNED)), rows)
    assert set(last["days_covered"]) == {1}


def test_a_negative_income_is_accepted_where_the_yield_agrees():
    """Stops a real loss of a money fund (2006) from being impossible, and a slip from passing."""
    loss = {**EARNED, MON: -0.2566}
    week = yields(loss)
    _, rows = merged(batch(until(SUN, loss), week))
    plan, after = merged(batch({SUN: loss[SUN], MON: loss[MON]}, week, kind="wave"), rows)
    assert plan.held.empty and value(after, MON) == -0.2566
    warned = {v.rule for v in plan.verdicts if not v.passed}
    assert warned == {"R23_money_yield"}
    slip = {SUN: EARNED[SUN], MON: -EARNED[MON]}
    plan, _ = merged(batch(slip, kind="wave"), rows)
    assert held(plan) == {(to_key(MON), "R23_money_week_hold")}
    plan, _ = merged(batch({MON: -0.2}, {}, kind="wave"), rows)
    assert held(plan) == {(to_key(MON), "R23_money_week_hold")}, "no yield, no witness"


def test_a_loss_in_a_week_that_begins_inside_a_sum_is_accepted():
    """Stops a share of a holiday's sum, which is not exact, from contradicting a real loss."""
    loss = {**EARNED, date(2026, 10, 9): -0.2566, date(2026, 10, 2): 1.3}
    told = told_on_last_closed(loss)
    cover, found = covered(told, yields(loss))
    assert max(cover.values()) >= 7 and not found.contradicted.any()
    assert merged(batch(told, yields(loss)))[0].held.empty


def test_the_first_years_loss_is_taken_from_its_history():
    """Stops a loss whose week begins before the history from being held for good."""
    text = (
        'var ishb=true;var fS_name = "某货币A";var fS_code = "000009";'
        "/*万份收益*/var Data_millionCopiesIncome = "
        "[[1149609600000,0.45],[1149696000000,-0.2566],[1149782400000,0.4]];"
        "var Data_sevenDaysYearIncome = "
        "[[1149609600000,1.7],[1149696000000,0.9],[1149782400000,1.5]];"
    )
    frame, _ = decode_history(text.encode(), CODE)
    told = {
        date(key // 10_000, key // 100 % 100, key % 100): income
        for key, income in zip(frame["nav_date"], frame["yield_per_10k"], strict=True)
    }
    week = dict(zip(told, frame["yield_7d_pct"], strict=True))
    plan, rows = merged(batch(told, week))
    assert plan.held.empty and len(rows) == 3
    assert {v.rule for v in plan.verdicts if not v.passed} == {"R23_money_yield"}


@pytest.mark.parametrize(
    ("factor", "rule"),
    [(10.0, "R23_money_week_hold"), (0.1, "R23_money_week_hold"), (3.0, "R23_money_twice")],
)
def test_an_income_that_the_yield_contradicts_is_held(factor, rule):
    """Stops a slip of the point from being accepted, and the right days after it from being
    held for it once it is stored all the same."""
    _, rows = merged(batch(until(SUN, EARNED)))
    wrong = {SUN: EARNED[SUN], MON: round(EARNED[MON] * factor, 4)}
    plan, after = merged(batch(wrong, kind="wave"), rows)
    assert held(plan) == {(to_key(MON), rule)}, (
        "three days' income on a Monday looks like a sum"
    )
    tuesday = MON + timedelta(1)
    plan, _ = merged(batch({MON: EARNED[MON], tuesday: EARNED[tuesday]}, kind="wave"), after)
    assert plan.held.empty and plan.rows_new == 2
    stored = pd.concat([rows, merged(batch({MON: EARNED[MON]}, kind="wave"), rows)[1].tail(1)])
    stored.loc[stored["nav_date"] == to_key(MON), "yield_per_10k"] = wrong[MON]
    plan, _ = merged(batch({tuesday: EARNED[tuesday]}, kind="wave"), stored)
    assert plan.held.empty, "the fault is Monday's"


def lacking(told, *, due, week=None, days_covered=None):
    """The dates that the fund lacks."""
    week = yields(EARNED) if week is None else week
    rows = Incomes(
        [CODE] * len(told),
        ["money"] * len(told),
        np.array(keys(*told), dtype=np.int64),
        np.array(list(told.values()), dtype=float),
        np.array([week.get(day, NAN) for day in told], dtype=float),
        np.full(len(told), NAN if days_covered is None else float(days_covered)),
    )
    found = missing_income(rows, CALENDAR, to_key(due))
    assert {(one.fund_code, one.kind) for one in found} <= {(CODE, "money")}
    return [one.nav_date for one in found]


def without(told, *gone):
    return {day: income for day, income in told.items() if day not in gone}


def keys(*days):
    return [to_key(day) for day in days]


FRI, LAST = date(2026, 9, 18), date(2026, 10, 9)


@pytest.mark.parametrize("telling", [told_daily, told_on_last_closed, told_on_next_session])
def test_a_whole_fund_lacks_nothing(telling):
    """Stops sums over weekends and holidays from being asked for as gaps, for ever."""
    assert lacking(telling(EARNED), due=LAST) == []


def test_calendar_days_are_missed():
    """Stops lost weekends and holidays from being no gap because no session lies in them."""
    assert lacking(without(EARNED, SAT), due=LAST) == keys(SAT)
    assert lacking(without(EARNED, FRI, SAT, SUN), due=LAST) == keys(FRI, SAT, SUN)
    holiday = [date(2026, 10, day) for day in range(1, 8)]
    assert lacking(without(EARNED, *holiday), due=LAST) == keys(*holiday)
    lost = [day for day in EARNED if day.weekday() == 5]
    assert lacking(without(EARNED, *lost), due=LAST) == keys(*lost), "every Saturday"


def test_of_a_fund_with_sums_the_sum_is_missed():
    """Stops a Saturday that never stands alone from being asked for beside its Sunday."""
    assert lacking(without(told_on_last_closed(EARNED), SUN), due=LAST) == keys(SUN)
    assert lacking(without(told_on_next_session(EARNED), MON), due=LAST) == keys(MON)


def test_a_sum_of_the_page_is_no_day_of_a_fund_that_tells_each():
    """Stops a page's sum over one weekend from standing for days that the history has."""
    told = without(EARNED, SAT)
    told[SUN] = round(EARNED[SAT] + EARNED[SUN], 4)
    assert lacking(told, due=LAST) == keys(SAT)


def test_what_is_not_due_is_not_missing():
    """Stops a weekend from being asked for before its fund has published a session after it."""
    assert lacking(until(FRI, EARNED), due=FRI) == []
    assert lacking(until(FRI, EARNED), due=MON) == []
    assert lacking(until(FRI, EARNED), due=MON + timedelta(2)) == keys(
        SAT, SUN, MON, MON + timedelta(1)
    )


def test_what_is_stored_needs_no_yield():
    """Stops a stored number of days from being guessed again where the yield is missing."""
    told = without(EARNED, SAT)
    assert lacking(told, due=LAST, week={}, days_covered=1) == keys(SAT)
