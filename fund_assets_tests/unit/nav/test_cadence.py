"""What single funds lack by their own cadence, and which of them are asked for again."""

import numpy as np
import pytest

from fund_assets.calendar import TradingCalendar, from_key, to_key
from fund_assets.nav.cadence import (
    Attendance,
    learn_cadence,
    missing_dates,
    sessions_to_learn,
)
from fund_assets.pipeline.history_gaps import Gap, to_ask

CALENDAR = TradingCalendar.build()
SINCE, DUE = 20260803, 20260918
SESSIONS = [to_key(day) for day in CALENDAR.between(from_key(SINCE), from_key(DUE))]


def rows(**funds):
    """kind_number → the sessions of which it has a NAV."""
    named = sorted((f"{int(name.split('_')[1]):06d}", name.split("_")[0], dates)
                   for name, dates in funds.items())  # fmt: skip
    return Attendance(
        [code for code, _, _ in named],
        [kind for _, kind, _ in named],
        np.array(SESSIONS),
        np.array([[day in dates for day in SESSIONS] for _, _, dates in named]),
    )


def missing(attendance, unseen=()):
    return [(one.fund_code, one.nav_date) for one in missing_dates(attendance, unseen)]


def without(dates, *gone):
    return [date for date in dates if date not in gone]


def test_a_daily_fund_lacks_each_session_between_two_of_its_navs():
    """Stops single dates of single funds from being lost while the market looks full."""
    whole = {f"mixed_{n}": SESSIONS for n in range(2, 6)}
    assert missing(rows(**whole)) == []
    holes = without(SESSIONS, SESSIONS[4], SESSIONS[10], SESSIONS[11])
    found = missing(rows(mixed_1=holes, **whole))
    assert found == [("000001", SESSIONS[at]) for at in (4, 10, 11)]


def test_what_comes_after_the_last_nav_is_missing_once_it_is_due():
    """Stops a fund that fell silent from being full, and a late one from being asked early."""
    others = {f"{kind}_{n}": SESSIONS for kind, n in (("mixed", 2), ("mixed", 3), ("qdii", 4))}
    late = rows(mixed_1=SESSIONS[:-1], qdii_9=SESSIONS[:-3], **others)
    assert missing(late) == [], "lag of a mixed fund is 1 session, of a QDII 3"
    silent = rows(mixed_1=SESSIONS[:-3], qdii_9=SESSIONS[:-5], **others)
    assert missing(silent) == [
        ("000001", SESSIONS[-3]), ("000001", SESSIONS[-2]),
        ("000009", SESSIONS[-5]), ("000009", SESSIONS[-4]),
    ]  # fmt: skip


def test_a_date_that_nobody_looked_for_is_no_holiday():
    """Stops the NAVs that a whole kind publishes while the machine is off from being lost: no
    QDII had that date, as on a holiday abroad, but the next session's page was never seen."""
    gone = without(SESSIONS, SESSIONS[12])
    kind = rows(**{f"qdii_{n}": gone for n in range(1, 5)}, mixed_9=SESSIONS)
    assert missing(kind) == []
    found = missing(kind, unseen=[SESSIONS[13]])
    assert found == [(f"{n:06d}", SESSIONS[12]) for n in range(1, 5)]
    assert missing(kind, unseen=[SESSIONS[12]]) == []


def test_a_weekly_fund_lacks_weeks_and_not_days():
    """Stops weekly funds from being asked for four days a week, for ever."""
    weekly = SESSIONS[::5]
    others = {f"mixed_{n}": SESSIONS for n in range(2, 5)}
    assert missing(rows(mixed_1=weekly, **others)) == []
    assert missing(rows(mixed_1=without(weekly, weekly[3]), **others)) == [
        ("000001", weekly[3])
    ]
    uneven = [*weekly[:2], SESSIONS[11], *weekly[3:]]
    assert missing(rows(mixed_1=uneven, **others)) == [], "a day later is no missing week"


def test_where_a_kind_rests_nothing_is_missing():
    """Stops holidays of other countries from being asked for at every QDII."""
    rest = SESSIONS[7]
    qdii = {f"qdii_{n}": without(SESSIONS, rest) for n in range(1, 5)}
    mixed = {f"mixed_{n}": SESSIONS for n in range(11, 15)}
    assert missing(rows(**qdii, **mixed)) == []
    qdii["qdii_1"] = without(SESSIONS, rest, SESSIONS[8])
    assert missing(rows(**qdii, **mixed)) == [("000001", SESSIONS[8])]


@pytest.mark.parametrize("kept", [0, 1, 4])
def test_a_fund_with_few_navs_has_no_cadence_yet(kept):
    """Stops a fund that has just begun from lacking what was before it."""
    new = SESSIONS[-9 : -9 + kept * 2 : 2]
    assert missing(rows(mixed_1=new, mixed_2=SESSIONS)) == []


def test_who_is_asked_again():
    """Stops a date that the source has lost from being asked for every day for ever."""
    gaps = [
        Gap(code, "mixed", date, asked_on, absent)
        for code, date, absent, asked_on in (
            ("000001", 20260915, False, 0), ("000001", 20260916, False, 0),
            ("000002", 20260801, True, 20260901), ("000003", 20260915, False, 20260918),
            ("000004", 20260915, False, 20260917),
        )
    ]  # fmt: skip
    assert to_ask(gaps, 20260918, 10) == ["000001", "000004"]
    assert to_ask(gaps, 20260918, 1) == ["000001"]
    assert to_ask([], 20260918, 10) == []


def test_five_navs_make_a_cadence_and_four_do_not():
    """Stops a fund from having a cadence one NAV too early or too late."""
    for count, lacks in ((5, 1), (4, 0)):
        dates = without(SESSIONS[-9:], SESSIONS[-3])[-count:]
        found = missing(rows(mixed_1=dates, mixed_2=SESSIONS, mixed_3=SESSIONS))
        assert found == [("000001", SESSIONS[-3])] * lacks


def test_a_session_counts_when_half_of_the_kind_has_a_nav():
    """Stops a session that a kind rests on from being asked for, and one that it works on not."""
    rest = SESSIONS[7]
    for resting, lacking in ((2, ["000001", "000002"]), (3, [])):
        funds = {
            f"qdii_{n}": without(SESSIONS, rest) if n <= resting else SESSIONS
            for n in range(1, 5)
        }
        assert missing(rows(**funds)) == [(code, rest) for code in lacking]


def test_the_dates_of_a_fund_that_is_not_daily_are_about_when_its_next_ones_were():
    """Stops the dates of a silent weekly fund from being those of a daily one."""
    weekly = SESSIONS[:30:5]
    found = missing(rows(mixed_1=weekly, mixed_2=SESSIONS, mixed_3=SESSIONS))
    assert len(SESSIONS) == 35
    assert found == [("000001", SESSIONS[30])]


def learned(**funds):
    """Code → (usual step, shares due from Monday to Friday)."""
    found = learn_cadence(rows(**funds))
    return {
        code: (int(step), [round(float(share), 4) for share in due])
        for code, step, due in zip(found.codes, found.usual_step, found.due, strict=True)
    }


def of_weekdays(*days):
    """The sessions on some weekdays, Monday is 0."""
    return [date for date in SESSIONS if from_key(date).weekday() in days]


DAILY = {f"mixed_{n}": SESSIONS for n in range(90, 96)}


def test_when_a_fund_is_due_is_learned_by_weekday():
    """Stops weekly funds from being late on four days of five, and funds that rest one day."""
    found = learned(mixed_1=of_weekdays(4), mixed_2=of_weekdays(0, 1, 3, 4), **DAILY)
    assert found["000001"] == (5, [0, 0, 0, 0, 1])
    assert found["000002"] == (1, [1, 1, 0, 1, 1])
    assert found["000090"] == (1, [1] * 5)


def test_a_share_counts_the_sessions_after_the_first_nav():
    """Stops a fund from being seldom due because it is young, or always because it has begun."""
    mondays = of_weekdays(0)
    begins = SESSIONS.index(mondays[1])
    dates = without(SESSIONS[begins:], mondays[3])
    assert learned(mixed_1=dates, **DAILY)["000001"] == (1, [0.8, 1, 1, 1, 1])
    assert len(mondays) == 7


def test_with_fewer_than_three_sessions_of_a_weekday_all_weekdays_count():
    """Stops one absent Monday of a new fund from meaning that it never publishes on Mondays."""
    young = without(SESSIONS[-8:], SESSIONS[-5])
    found = learned(mixed_1=young, **DAILY)["000001"]
    assert found == (1, [round(6 / 7, 4)] * 5)
    assert "000001" not in learned(mixed_1=SESSIONS[-4:], **DAILY), "four NAVs are too few"


def test_sessions_on_which_a_kind_rested_teach_nothing():
    """Stops a holiday abroad, or a week without a collection, from lowering what is due."""
    away = SESSIONS[10:15]
    qdii = {f"qdii_{n}": without(SESSIONS, *away) for n in range(1, 10)}
    qdii["qdii_10"] = without(SESSIONS, *away, of_weekdays(2)[0])
    found = learned(**qdii, **DAILY)
    assert found["000001"] == (1, [1] * 5)
    assert found["000010"] == (1, [1, 1, round(5 / 6, 4), 1, 1]), "six Wednesdays are left"
    assert len(of_weekdays(2)) == 7
    del qdii["qdii_9"]
    found = learned(**qdii, **DAILY)
    assert found["000001"][1][2] == round(6 / 7, 4), "nine funds cannot tell"


def test_a_kind_that_publishes_on_fridays_alone_is_due_on_fridays():
    """Stops its Fridays from being taken for the exception."""
    fof = {f"fof_{n}": of_weekdays(4) for n in range(1, 13)}
    assert learned(**fof)["000003"] == (5, [0, 0, 0, 0, 1])


def test_the_newest_sessions_are_not_learned_from():
    """Stops funds that publish days later from teaching that they are not due."""
    found = sessions_to_learn(CALENDAR, SESSIONS[-1])
    assert len(found) == 60
    assert found[-1] == SESSIONS[-7]
    assert found == sorted(found)


def test_a_weekday_on_which_a_fund_rests_is_not_missing():
    """Stops a fund that publishes on four of five sessions from lacking the fifth each week,
    while a date that it has lost on another day is found."""
    rests = of_weekdays(0, 1, 3, 4)
    lost = rests[9]
    others = {f"fof_{n}": SESSIONS for n in range(2, 6)}
    assert missing(rows(fof_1=rests, **others)) == []
    assert missing(rows(fof_1=without(rests, lost), **others)) == [("000001", lost)]
    away = of_weekdays(2)[2]
    found = missing(rows(fof_1=rests, **others), unseen=[SESSIONS[SESSIONS.index(away) + 1]])
    assert found == [("000001", away)], "nobody has looked whether there was one"


def test_a_fund_that_has_lost_weeks_rests_on_no_weekday():
    """Stops the dates of a long outage from being taken for the fund's rhythm."""
    kept = [*SESSIONS[:6], *SESSIONS[-6:]]
    found = missing(rows(mixed_1=kept, **{f"mixed_{n}": SESSIONS for n in range(2, 6)}))
    assert found == [("000001", day) for day in SESSIONS[6:-6]]
