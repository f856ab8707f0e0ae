"""Terms of managers: tenure, returns over a term, and whose page is owed."""

from datetime import date

import pytest

from fund_assets.nav.managers import (
    Term,
    days_of,
    overlaps,
    owed,
    statement,
    term_return,
    unbroken_since,
    years,
)


def _term(since, until, *people):
    return Term(since, until, {name: name for name in people}, None, None)


TERMS = [
    _term(20260304, None, "李"),
    _term(20260130, 20260303, "申", "李"),
    _term(20240726, 20260129, "申"),
    _term(20231226, 20240725, "李", "申"),
    _term(20230616, 20231225, "李"),
]


def test_tenure_counts_the_unbroken_time_of_who_stayed_longest():
    """Stops a change of colleague from ending a tenure, and a time away from counting to it."""
    since = {term.since: unbroken_since(TERMS, term) for term in TERMS}
    assert since == {
        20260304: 20260130,  # 李 came back in January
        20260130: 20231226,  # 申 has been there all the time
        20240726: 20231226,
        20231226: 20230616,
        20230616: 20230616,
    }


@pytest.mark.parametrize("until, since", [(20260226, 20250101), (20260224, 20260304)])
def test_terms_follow_over_a_holiday_and_not_over_a_longer_time(until, since):
    """Stops a weekend from ending a tenure, and a fund without a manager from keeping it."""
    terms = [_term(20260304, None, "李"), _term(20250101, until, "李")]
    assert unbroken_since(terms, terms[0]) == since


DATES = [20260105, 20260109, 20260116, 20260123]
INDEX = [1.0, 1.1, 1.32, 0.99]


@pytest.mark.parametrize(
    "since, until, gained",
    [
        (20260105, 20260123, -0.01),
        (20260106, 20260122, 0.2),  # from the 9th to the 16th
        (20260109, 20260109, 0.0),
        (20260110, 20260112, None),  # no NAV in between
        (20251210, 20260116, 0.32),  # a fund that begins to publish late
        (20251204, 20260116, None),  # the history does not reach back
        (20260116, None, -0.25),
        (20260124, None, None),
    ],
)
def test_the_return_is_from_the_first_nav_in_the_term_to_the_last(since, until, gained):
    """Stops a NAV of before the term, or a history that begins in it, from making its return."""
    found = term_return(DATES, INDEX, since, until)
    assert found == (gained if gained is None else pytest.approx(gained))
    assert term_return([], [], since, until) is None


def test_terms_that_overlap_are_told():
    """Stops two managers of one time from passing for one after the other."""
    assert overlaps("000001", TERMS) == []
    ending = [*TERMS[1:], _term(20260303, None, "王"), _term(20260401, None, "李")]
    assert overlaps("000001", ending) == [
        "000001: the term from 20260303 begins before that from 20260130 has ended",
        "000001: the term from 20260401 begins before that from 20260303 has ended",
    ]


def test_a_page_is_owed_when_another_one_manages_the_fund():
    """Stops the weekly job from asking for every page, and from missing a change."""
    people = frozenset("李")
    now = dict.fromkeys(("same", "new", "changed", "lately", "never"), people)
    running = {"same": people, "changed": frozenset("申"), "lately": frozenset("申")}
    seen = {"same": 20200101, "changed": 20260801, "lately": 20260901, "new": 20260701}
    assert owed(now, running, seen, date(2026, 9, 1)) == ["never", "new", "changed"]


@pytest.mark.parametrize(
    "since, text, days",
    [(20210730, (1, 235), 600), (20200229, (1, 0), 365), (20260304, (0, 71), 71)],
)
def test_years_of_a_term_end_on_its_own_day(since, text, days):
    """Stops a term of years from being longer than its two days say."""
    assert days_of(since, *text) == days


def test_a_year_of_tenure_ends_on_the_day_it_began_on():
    """Stops `manager_tenure>=3` from leaving out a manager on the day of three years."""
    assert years(20230918, 20260918) == 3.0
    assert years(20230919, 20260918) < 3.0 < years(20230917, 20260918)
    assert years(20231231, 20260301) == pytest.approx(2.17, abs=0.01)


def test_a_statement_covers_every_term():
    """Stops a term that the page no longer has from staying."""
    said = statement(TERMS)
    assert said.since == 0 and set(said.periods) == {term.since for term in TERMS}
    assert said.periods[20260130][:3] == (20260303, "申、李", "申、李")
    assert said.periods[20260130][5] == 20231226
