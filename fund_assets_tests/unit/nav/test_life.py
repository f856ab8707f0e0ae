"""States of share classes, and transitions: by hand, from dates."""

import numpy as np
import pytest

from fund_assets.calendar import TradingCalendar
from fund_assets.nav.cadence import Cadence, no_cadence
from fund_assets.nav.lateness import allowed_silence
from fund_assets.nav.life import ALIVE, DEAD, SILENT, Facts, Spell, Today, life_of
from fund_assets.nav.transitions import Change, transition

SESSIONS = TradingCalendar.build().sessions
#: 2020-01-02 is a Thursday. The 121 sessions after it end on 2020-07-06.
LAST = 20200102


def fund(**given):
    usual = {
        "fund_code": "000001", "name": "长信成长混合A", "fund_type": "混合型-偏股", "kind": "mixed",
        "status": "listed", "first_seen_on": 20190301, "last_seen_on": 20210101,
        "first_nav": 20190301, "last_nav": LAST, "usual_step": 1, "paused": LAST, "resumed": 0,
    }  # fmt: skip
    return Facts(**{**usual, **given})


def life(on, told=(), allowed=1, **given):
    return life_of(fund(**given), told, Today(on, SESSIONS), allowed)


def states(spells):
    return [(spell.state, spell.since, spell.until) for spell in spells]


def test_silence_grows_from_on_time_to_presumed_dead():
    """Stops a fund of which nothing comes any more from being called active, or dead too soon."""
    assert states(life(20200103)) == [("active", 20190301, None)]
    assert states(life(20200106)) == [("active", 20190301, 20200106), ("late", 20200106, None)]
    assert life(20200106)[-1].evidence == (
        "last NAV 2020-01-02, a next one was due within 1 sessions"
    )
    assert states(life(20200211))[-1] == ("suspended", 20200211, None)
    assert states(life(20200210))[-1] == ("late", 20200106, None)
    gone = life(20200803)
    assert states(gone) == [
        ("active", 20190301, 20200106),
        ("late", 20200106, 20200211),
        ("suspended", 20200211, 20200708),
        ("presumed_dead", 20200708, None),
    ]
    assert [spell.evidence for spell in gone[2:]] == [
        "last NAV 2020-01-02, then none for 21 sessions",
        "last NAV 2020-01-02, then none for 121 sessions",
    ]
    # counted by hand on the exchange's calendar: the 122nd session after the last NAV
    assert SESSIONS.index(20200708) - SESSIONS.index(LAST) == 122


#: By weekday, Monday first: the share of sessions for which a fund has a NAV.
DAILY, WEEKLY, AT_TIMES = (1.0,) * 5, (0.0,) * 4 + (1.0,), (0.5,) * 4 + (1.0,)


@pytest.mark.parametrize(
    ("given", "due", "allowed"),
    [
        ({}, DAILY, 1),
        ({}, None, 11),
        ({}, WEEKLY, 1),
        ({"last_nav": 20200103}, WEEKLY, 5),
        ({}, AT_TIMES, 1),
        ({"last_nav": 20200103}, AT_TIMES, 5),
        ({}, (0.05,) * 5, 11),
        ({"kind": "qdii"}, DAILY, 3),
        ({"first_nav": 20190707}, DAILY, 11),
        ({"first_nav": 20190706}, DAILY, 1),
        ({"name": "长信三个月定开债", "kind": "bond"}, DAILY, 11),
        ({"fund_type": "定开债券", "kind": "bond"}, WEEKLY, 11),
        ({"kind": "reit"}, None, 260),
    ],
)
def test_silence_is_judged_by_the_own_rhythm(given, due, allowed):
    """Stops weekly funds, late kinds, closed funds and REITs from being called late on time.

    2020-01-02 is a Thursday: a fund of Fridays is due on the next session, and may be a session late.
    """
    cadence = (
        no_cadence() if due is None else Cadence(["000001"], np.array([1]), np.array([due]))
    )
    late = SESSIONS[SESSIONS.index(given.get("last_nav", LAST)) + allowed + 1]
    assert allowed_silence([fund(**given)], cadence, Today(late, SESSIONS)) == [allowed]
    on_time = SESSIONS[SESSIONS.index(late) - 1]
    assert life(on_time, allowed=allowed, **given)[-1].state in ("active", "resting")
    assert life(late, allowed=allowed, **given)[-1].state == "late"


def test_what_was_allowed_in_a_silence_that_ended_is_known():
    """Stops a weekly fund that is on time again from having a break where it missed nothing."""
    weekly = Cadence(["000001"], np.array([5]), np.array([WEEKLY]))
    back = fund(paused=20200103, resumed=20200110, last_nav=20200110)
    assert allowed_silence([back], weekly, Today(20200110, SESSIONS)) == [5]
    assert allowed_silence(
        [back._replace(first_nav=0, last_nav=0)], weekly, Today(20200110, SESSIONS)
    ) == [1]


def test_a_fund_that_publishes_weekly_rests():
    """Stops a closed fund from being called active: nobody can buy at a daily NAV."""
    (spell,) = life(20200103, usual_step=5)
    assert spell == Spell(20190301, None, "resting", "from 2019-03-01: a NAV every 5 sessions")
    steps = {step: life(20200103, usual_step=step)[0].state for step in (1, 3, 4, 5)}
    assert steps == {1: "active", 3: "active", 4: "resting", 5: "resting"}
    (spell,) = life(20200103, kind="reit", usual_step=0)
    assert (spell.state, spell.evidence) == (
        "resting",
        "from 2019-03-01: a REIT publishes seldom",
    )
    weekly = [Spell(20190301, None, "active", "from 2019-03-01: a NAV each session")]
    assert states(life(20200103, weekly, usual_step=5)) == [
        ("active", 20190301, 20200103),
        ("resting", 20200103, None),
    ]


def test_a_fund_that_left_the_list_has_ended_only_when_it_is_silent():
    """Stops a fund that a list lacks by mistake from being called ended while NAVs come, and
    one that was wound up from being only late."""
    gone = {"status": "delisted", "last_seen_on": 20200103}
    assert states(life(20200103, **gone)) == [("active", 20190301, None)]
    assert states(life(20200106, **gone)) == [
        ("active", 20190301, 20200104),
        ("terminated", 20200104, None),
    ]
    later = life(20201231, status="delisted", last_seen_on=20200331)
    assert [spell.state for spell in later] == ["active", "late", "suspended", "terminated"]
    assert later[-1] == Spell(
        20200401, None, "terminated", "last NAV 2020-01-02, on the list until 2020-03-31"
    )


def test_a_fund_without_nav_waits_then_never_reported():
    """Stops a code without any NAV from being waited for for ever, and a fund that is being
    raised from being given up."""
    none = {"first_nav": 0, "last_nav": 0, "usual_step": 0, "first_seen_on": 20200102}
    (waits,) = life(20200601, **none)
    assert waits == Spell(
        20200102, None, "not_yet_open", "on the list since 2020-01-02, no NAV yet"
    )
    assert life(20200630, **none)[-1].evidence == (
        "on the list since 2020-01-02, without a NAV for 180 days"
    )
    assert states(life(20200630, **none)) == [
        ("not_yet_open", 20200102, 20200630),
        ("never_reported", 20200630, None),
    ]
    assert life(20200630, [waits], **none) == life(20200630, **none)
    assert states(life(20200103, **{**none, "name": "长信成长混合(后端)"})) == [
        ("never_reported", 20200102, None)
    ]
    assert life(20200103, **{**none, "name": "长信成长混合(后端)"})[0].evidence == (
        "a back-end code: the NAV is that of its front-end code"
    )
    reit = {**none, "kind": "reit"}
    assert states(life(20210204, **reit)) == [("not_yet_open", 20200102, None)]
    assert states(life(20210205, **reit))[-1] == ("never_reported", 20210205, None)
    failed = life(20200601, **none, status="delisted", last_seen_on=20200320)
    assert states(failed) == [
        ("not_yet_open", 20200102, 20200321),
        ("never_reported", 20200321, None),
    ]
    assert failed[-1].evidence == "on the list from 2020-01-02 to 2020-03-20, without a NAV"
    opened = life(20200302, told=life(20200228, **none), first_seen_on=20200102,
                  first_nav=20200302, last_nav=20200302)  # fmt: skip
    assert states(opened) == [
        ("not_yet_open", 20200102, 20200302),
        ("active", 20200302, None),
    ]


def test_a_nav_that_came_late_takes_the_lateness_back():
    """Stops the log from filling with nights on which we, not the fund, were late."""
    told = life(20200108)
    assert told[-1].state == "late"
    again = life(20200108, told, last_nav=20200108, resumed=20200106)
    assert states(again) == [("active", 20190301, None)]
    # some of its dates have come, and it is late again since a later date
    assert states(life(20200114, told, last_nav=20200109, resumed=20200106))[-1] == (
        "late",
        20200113,
        None,
    )


def test_a_silence_keeps_its_dates_when_more_is_allowed_later():
    """Stops the begin of a lateness from moving while the silence itself changes the cadence."""
    told = life(20200211)
    assert states(told)[1:] == [("late", 20200106, 20200211), ("suspended", 20200211, None)]
    assert life(20200211, told, allowed=4) == told
    later = life(20200803, told, allowed=4)
    assert states(later)[1:3] == [
        ("late", 20200106, 20200211),
        ("suspended", 20200211, 20200713),
    ]
    gone = life(20200803, later, allowed=4, status="delisted", last_seen_on=20200731)
    assert states(gone)[-2:] == [
        ("presumed_dead", 20200713, 20200801),
        ("terminated", 20200801, None),
    ]
    assert life(20200804, gone, allowed=4, status="delisted", last_seen_on=20200731) == gone
    assert life(20200803, gone, allowed=4) == later, "it is back on the list"


def test_a_nav_after_a_break_begins_a_new_spell():
    """Stops a pause of months from being forgotten when the fund is back, or the fund from
    being called dead for ever."""
    told = life(20200803)
    back = life(20200902, told, last_nav=20200902, resumed=20200901)
    assert states(back) == [*states(told)[:-1], ("presumed_dead", 20200708, 20200901),
                            ("active", 20200901, None)]  # fmt: skip
    assert life(20200902, back, last_nav=20200902) == back, "the next look changes nothing"
    silent = life(20200907, back, last_nav=20200902)
    assert states(silent)[-2:] == [("active", 20200901, 20200904), ("late", 20200904, None)]


@pytest.mark.parametrize(("resumed", "is_new"), [(20200106, False), (20200107, True)])
def test_a_nav_within_the_allowed_silence_fills_the_gap(resumed, is_new):
    """Stops a NAV that is only a session late from splitting the life of a fund."""
    told = life(20200108)
    again = states(life(20200108, told, last_nav=20200108, resumed=resumed))
    assert (again[-1] == ("active", resumed, None)) == is_new
    assert (again == [("active", 20190301, None)]) != is_new


def test_a_weekly_nav_between_closes_the_gap():
    """Stops a weekly fund whose NAV was only collected late from having a break: its NAVs are
    of sessions 5 and 10 after the last one that was known, and 4 sessions between are none."""
    at = SESSIONS.index(LAST)
    told = life(SESSIONS[at + 6], allowed=5, usual_step=5)
    assert told[-1].state == "late"
    come = {
        "paused": SESSIONS[at + 5],
        "resumed": SESSIONS[at + 10],
        "last_nav": SESSIONS[at + 10],
    }
    again = life(SESSIONS[at + 10], told, allowed=5, usual_step=5, **come)
    assert states(again) == [("resting", 20190301, None)]
    (_, late, back) = life(
        SESSIONS[at + 10], told, allowed=5, usual_step=5, **{**come, "paused": LAST}
    )
    assert (late.state, back.state, back.since) == ("late", "resting", SESSIONS[at + 10])


def test_a_silence_that_was_filled_leaves_no_trace():
    """Stops two spells with the same state from following each other where the NAVs between them
    came from a history, and what comes after them from being lost."""
    filled = [
        Spell(20190301, 20190401, "active", ""),
        Spell(20190601, 20190901, "active", ""),
        Spell(20190901, None, "resting", ""),
    ]
    assert states(life(20200103, filled, usual_step=5)) == [
        ("active", 20190301, 20190901),
        ("resting", 20190901, None),
    ]


def test_a_fund_that_lost_its_navs_keeps_its_life():
    """Stops rows that somebody deleted from turning a fund of years into one not yet open."""
    told = life(20200803)
    assert life(20200804, told, first_nav=0, last_nav=0) == told


def test_an_older_history_moves_the_beginning():
    """Stops a fund from beginning with the platform when its history came later."""
    told = life(20200103, first_nav=LAST, usual_step=0)
    assert states(life(20200103, told)) == [("active", 20190301, None)]
    lived = [
        Spell(20190401, 20191101, "active", ""),
        Spell(20191101, 20191201, "resting", ""),
        Spell(20191201, None, "active", ""),
    ]
    assert states(life(20200103, lived)) == [("active", 20190301, 20191101), *states(lived[1:])]
    waited = [Spell(20190315, 20190401, "not_yet_open", ""), *lived]
    assert states(life(20200103, waited))[0] == ("active", 20190301, 20191101)
    assert life(20200103, told)[0].evidence == "from 2019-03-01: a NAV each session"


def test_a_rhythm_that_changes_on_the_day_of_a_silence_begins_no_spell():
    """Stops a fund from resting on a day on which it is late."""
    on = SESSIONS[SESSIONS.index(LAST) + 8]
    daily = life(20200103)
    assert states(life(on, daily, allowed=7, usual_step=5)) == [
        ("active", 20190301, on),
        ("late", on, None),
    ]


def test_a_stored_life_stays_as_it_is():
    """Stops each evening from rewriting 26,000 rows."""
    for on in (20200103, 20200108, 20200401, 20200803):
        told = life(on)
        assert life(on, told) == told
    assert life(20200103, life(20200103), usual_step=2) == life(20200103)


def test_the_states_of_which_nobody_is_warned():
    """Stops a fund that only pauses from leaving the warnings, and one that ended from staying."""
    assert {"presumed_dead", "terminated", "never_reported"} == DEAD
    assert {"active", "resting"} == ALIVE
    assert {"late", "suspended", "presumed_dead", "terminated"} == SILENT


SPELLS = [
    Spell(20190301, 20200106, "active", ""),
    Spell(20200106, 20200211, "late", ""),
    Spell(20200211, 20200414, "suspended", "last NAV 2020-01-02, then none for 21 sessions"),
    Spell(20200414, None, "active", ""),
]


def renamed(seen_on, what="name", old="长信分级", new="长信成长混合"):
    return Change("000001", seen_on, what, old, new, "")


def test_a_new_name_around_a_break_is_a_transition():
    """Stops 转型 and 封转开 from looking like a pause and an unrelated new name."""
    (found,) = transition([renamed(20200320)], SPELLS)
    assert found == Change(
        "000001", 20200414, "transition", "长信分级", "长信成长混合",
        "name changed on 2020-03-20; last NAV 2020-01-02, then none for 21 sessions; a NAV again "
        "on 2020-04-14",
    )  # fmt: skip
    (after,) = transition([renamed(20200515, "type", "封闭", "混合型")], SPELLS)
    assert (after.seen_on, after.what, after.old) == (20200515, "transition", "封闭")


def test_no_break_or_none_near_is_no_transition():
    """Stops every new name from being called a transition."""
    assert transition([renamed(20200320)], SPELLS[:1]) == []
    assert transition([renamed(20200320)], SPELLS[:3]) == [], "it has not come back yet"
    assert transition([renamed(20201001)], SPELLS) == []
    assert transition([renamed(20190801)], SPELLS) == []


@pytest.mark.parametrize(
    ("seen_on", "near"),
    [(20190907, False), (20190908, True), (20200812, True), (20200813, False)],
)
def test_what_changed_120_days_before_or_after_a_break_belongs_to_it(seen_on, near):
    """Stops the reach of a break from growing or shrinking by a day: 120 days before 2020-01-06
    is 2019-09-08, 120 days after 2020-04-14 is 2020-08-12."""
    assert bool(transition([renamed(seen_on)], SPELLS)) == near


def test_the_name_tells_more_than_the_type_and_the_first_more_than_the_next():
    """Stops a transition from showing the type when the name changed too."""
    changes = [renamed(20200301, "type"), renamed(20200320), renamed(20200401, new="长信三号")]
    (found,) = transition(changes, SPELLS)
    assert found.evidence.startswith("name changed on 2020-03-20")


def test_each_break_is_looked_at():
    """Stops an old break, around which nothing changed, from hiding the transition after it."""
    later = [
        *SPELLS[:3],
        Spell(20200414, 20210601, "active", ""),
        Spell(20210601, 20210801, "suspended", "last NAV 2021-05-06"),
        Spell(20210801, None, "active", ""),
    ]
    (found,) = transition([renamed(20210701)], later)
    assert (found.what, found.seen_on) == ("transition", 20210801)


def test_another_fund_under_an_old_code_is_told():
    """Stops the NAVs of two funds from being taken for those of one that changed its name."""
    ended = [*SPELLS[:2], Spell(20200211, 20200901, "terminated", ""), Spell(20200901, None, "active", "")]  # fmt: skip
    (found,) = transition([renamed(20200820, new="广发科技股票")], ended)
    assert (found.what, found.seen_on) == ("code_reused", 20200901)
    (same,) = transition([renamed(20200820, new="长信科技股票")], ended)
    assert same.what == "transition"
    (paused,) = transition([renamed(20200320, new="广发科技股票")], SPELLS)
    assert paused.what == "transition"
