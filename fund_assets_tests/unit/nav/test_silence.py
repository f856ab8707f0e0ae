"""Which funds are silent for longer than their own cadence and their kind's lag explain (R13)."""

import numpy as np
import pytest

from fund_assets.calendar import from_key, to_key
from fund_assets.nav.cadence import LEAST_CHANCE, Cadence, silence_allowed
from fund_assets.nav.merge import plan_merge
from fund_assets_tests.unit.builders import CALENDAR, FRI, history, known, stored, wave

NAN = float("nan")
RULE = "R13_staleness"
SESSIONS = [
    to_key(day) for day in CALENDAR.between(from_key(20260720), from_key(FRI))
]  # nine whole weeks
DAILY, FRIDAYS, NO_WEDNESDAY = [1, 1, 1, 1, 1], [0, 0, 0, 0, 1], [1, 1, 0, 1, 1]


def told(until, kinds, due=None, *, newest=FRI, **more):
    """The verdict of R13 on a wave of funds whose NAVs end at some session.

    Args:
        until: code → its dates, or its last one, which all sessions up to it come before.
        due: code → its due shares; a code that is not here is unknown.
    """
    dates = {
        code: [day for day in SESSIONS if day <= last] if isinstance(last, int) else last
        for code, last in until.items()
    }
    rows = [
        (code, day, 1.0, 1.0, 0.0, 1.0, "proven")
        for code, days in dates.items()
        for day in days
    ]
    due = due or {}
    cadence = Cadence(
        list(due),
        np.ones(len(due), np.int64),
        np.array(list(due.values()), float).reshape(-1, 5),
    )
    batch = wave(*[(code, newest, NAN, NAN, NAN) for code in until], newest=newest,
                 previous=SESSIONS[SESSIONS.index(newest) - 1])  # fmt: skip
    found = plan_merge(batch, known(stored(*rows), kinds=kinds, cadence=cadence, **more),
                       CALENDAR, newest)  # fmt: skip
    return next(v for v in found.verdicts if v.rule == RULE)


def names(verdict):
    return [case.split(" ")[0] for case in verdict.cases]


def test_a_daily_fund_is_told_by_the_lag_of_its_kind():
    """Stops a fund that went silent from going unnoticed, and QDII from crying wolf."""
    funds = {"000001": SESSIONS[-4], "000002": SESSIONS[-4], "000003": SESSIONS[-2]}
    kinds = {"000001": "equity", "000002": "qdii", "000003": "equity"}
    verdict = told(funds, kinds, dict.fromkeys(funds, DAILY))
    assert verdict.cases == ("000001 (equity): last NAV 20260915, 3 sessions ago, 1 are usual",)
    assert verdict.looked_at == 3
    verdict = told({"000002": SESSIONS[-5]}, kinds, {"000002": DAILY})
    assert verdict.cases == ("000002 (qdii): last NAV 20260914, 4 sessions ago, 3 are usual",)


def test_histories_tell_no_fund():
    """Stops an old history from making its funds silent."""
    plan = plan_merge(history(("000003", FRI, 1.0, 1.0, 0.0)), known(), CALENDAR, FRI)
    assert next(v for v in plan.verdicts if v.rule == RULE).looked_at == 0


def test_a_weekly_fund_is_told_when_its_own_weekday_has_passed():
    """Stops a weekly fund from being told on four days of five, and from being silent for weeks
    without a word."""
    fridays = [day for day in SESSIONS if from_key(day).weekday() == 4]
    kinds, due = {"000001": "bond"}, {"000001": FRIDAYS}
    thursday, monday = SESSIONS[-2], SESSIONS[-5]
    assert told({"000001": fridays[:-1]}, kinds, due, newest=thursday).passed
    assert told({"000001": fridays[:-2]}, kinds, due, newest=fridays[-2]).passed, "lag 1"
    assert not told({"000001": fridays[:-2]}, kinds, due, newest=monday).passed


def test_a_fund_that_rests_a_day_a_week_is_told_without_that_day():
    """Stops FOF, which publish on four of five sessions, from being late every week."""
    kinds, due = {"000001": "fof"}, {"000001": NO_WEDNESDAY}
    tuesday, monday = SESSIONS[-9], SESSIONS[-5]
    verdict = told({"000001": tuesday}, kinds, due, newest=monday)
    assert verdict.passed, "Wednesday, Thursday of lag, Friday and Monday"
    verdict = told({"000001": tuesday}, kinds, due, newest=SESSIONS[-4])
    assert verdict.cases == ("000001 (fof): last NAV 20260908, 5 sessions ago, 4 are usual",)


@pytest.mark.parametrize(
    ("share", "sessions"), [(1.0, 0), (0.95, 1), (0.8, 2), (0.2, 20), (0.0, 30)]
)
def test_a_silence_is_explained_while_it_has_a_chance(share, sessions):
    """Stops a fund that rests now and then from being late at each rest."""
    due = np.full((1, 5), share)
    weekday = np.arange(30)[None, :] % 5
    found = silence_allowed(due, weekday, np.zeros((1, 30), dtype=bool))
    assert found.tolist() == [sessions]
    assert LEAST_CHANCE == 0.01


def test_a_fund_whose_cadence_is_unknown_has_two_weeks():
    """Stops new funds, which publish weekly until they open, from being told every day, and one
    of which little is known from being silent for ever."""
    kinds = {"000001": "mixed"}
    assert told({"000001": SESSIONS[-12]}, kinds).passed
    verdict = told({"000001": SESSIONS[-13]}, kinds)
    assert verdict.cases == (
        "000001 (mixed): last NAV 20260902, 12 sessions ago, 11 are usual",
    )


def test_sessions_on_which_a_kind_rested_count_for_none_of_it():
    """Stops a week of holidays abroad from telling every QDII."""
    away = SESSIONS[-7:-3]
    dates = [day for day in SESSIONS[:-3] if day not in away]
    funds = {f"{n:06d}": dates for n in range(1, 12)}
    kinds, due = dict.fromkeys(funds, "qdii"), dict.fromkeys(funds, DAILY)
    assert told(funds, kinds, due).passed
    nine = dict(list(funds.items())[:9])
    assert told(nine, kinds, due).failed == 9, "nine funds cannot tell a rest"
    # One session of rest explains one session of silence.
    fifth = {f"{n:06d}": [day for day in SESSIONS if day != SESSIONS[-5]] for n in range(1, 12)}
    for last, allowed in ((-6, 4), (-7, 3)):
        verdict = told({**fifth, "000099": SESSIONS[last]}, {**kinds, "000099": "qdii"},
                       {**due, "000099": DAILY})  # fmt: skip
        assert verdict.cases[0].endswith(f"ago, {allowed} are usual")
    # Before the ten sessions of which a batch knows the NAVs nobody is known to have rested.
    tenth = {
        f"{n:06d}": [day for day in SESSIONS if day != SESSIONS[-10]] for n in range(1, 12)
    }
    verdict = told({**tenth, "000099": SESSIONS[-13]}, {**kinds, "000099": "qdii"},
                   {**due, "000099": DAILY})  # fmt: skip
    assert verdict.cases == ("000099 (qdii): last NAV 20260902, 12 sessions ago, 3 are usual",)
    one = {**{f"{n:06d}": SESSIONS for n in range(1, 12)}, "000099": dates}
    verdict = told(one, {**kinds, "000099": "qdii"}, {**due, "000099": DAILY})
    assert names(verdict) == ["000099"]


def test_a_fund_that_has_ended_is_not_told():
    """Stops a fund that was removed from the list from being told for ever."""
    kinds, due = {"000001": "equity"}, {"000001": DAILY}
    verdict = told({"000001": SESSIONS[-9]}, kinds, due, ended=frozenset({"000001"}))
    assert (verdict.passed, verdict.looked_at) == (True, 0)
