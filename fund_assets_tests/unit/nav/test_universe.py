"""How many classes of a past date may be missing: counted by hand on a small market."""

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest

from fund_assets.calendar import days_to_keys, keys_to_days
from fund_assets.nav.universe import (
    ENDS_PER_YEAR,
    NEVER,
    YEAR,
    Evidence,
    coverage,
    ends_per_year,
)


def day(key):
    return int(keys_to_days(np.array([key]))[0])


SINCE, NEWEST, PAST = day(20260105), day(20261120), day(20200106)
COUNT = 100


def evidence(**changes):
    """A hundred classes on the list since 2026, all with NAVs from 2018 on."""
    values = {
        "codes": np.array([f"{n:06d}" for n in range(COUNT)]),
        "first": np.full(COUNT, day(20180102)),
        "last": np.full(COUNT, NEWEST),
        "ended": np.zeros(COUNT, bool),
        "whole": np.ones(COUNT, bool),
        "seen": np.full(COUNT, SINCE),
        "left": np.full(COUNT, NEWEST),
        "absent": np.zeros(COUNT, bool),
        "lists": {},
        "since": SINCE,
        "newest": NEWEST,
    }
    return Evidence(**{**values, **changes})


def of(found, key):
    (one,) = coverage(found, [key])
    return one


def at(values, *places):
    changed = values.copy()
    for place, value in places:
        changed[place] = value
    return changed


def test_without_a_list_of_the_time_it_is_an_estimate():
    """Stops the words that nobody is missing where nobody knows."""
    then = of(evidence(), 20200106)
    ended = 1 - exp(-ENDS_PER_YEAR * (SINCE - PAST) / YEAR)
    assert (then.stored, then.known, then.absent) == (100, False, 0)
    assert then.share == pytest.approx(ended)
    assert "about 15.5% of the classes alive then may be missing" in then.words
    assert "results may look better" in then.words
    now = of(evidence(), 20261120)
    assert (now.share, now.known) == (0, True)
    assert now.words == "2026-11-20: all 100 classes on the lists of that time are stored"
    assert of(evidence(), 20170103).share == 1, "nothing is stored of that time"


def test_a_list_of_the_time_is_counted():
    """Stops an estimate where the lists say who is missing."""
    base = evidence()
    codes = np.append(base.codes, ["900001", "900002"])
    found = evidence(
        codes=codes,
        first=np.append(base.first, [day(20190102), NEVER]),
        last=np.append(base.last, [day(20210302), -NEVER]),
        ended=np.append(base.ended, [True, True]),
        whole=np.append(base.whole, [True, False]),
        seen=np.append(base.seen, [NEWEST, PAST]),
        left=np.append(base.left, [PAST, PAST]),
        absent=np.append(base.absent, [False, True]),
        lists={PAST: frozenset(codes.tolist())},
    )
    then = of(found, 20200106)
    assert (then.stored, then.absent, then.estimated, then.known) == (101, 1, 0, True)
    assert then.words == (
        "2020-01-06: 1.0% of the classes alive then may be missing (1 of 102 by the lists of "
        "that time)"
    )
    whole = replace(found, absent=np.zeros(102, bool), whole=np.ones(102, bool))
    assert of(whole, 20200106).words.endswith(
        "all 101 classes on the lists of that time are stored"
    )
    assert of(found, 20210303).stored == 100, "it had ended"
    assert of(found, 20261120).absent == 0, "the lists of 2026 lack it"
    # Between the lists only a class younger than the list before can be missing.
    later = of(replace(whole, first=at(whole.first, (0, day(20200302)))), 20210104)
    assert not later.known and 0 < later.share < 0.01
    # A list of a few codes says nothing of the others.
    few = replace(found, lists={PAST: frozenset(["000001", "900001"])})
    assert not of(few, 20200106).known


def test_histories_that_were_not_fetched_may_be_of_that_time():
    """Stops a first evening, whose NAVs are two days long, from looking complete."""
    base = evidence()
    found = replace(
        base,
        first=at(base.first, (slice(0, 40), SINCE)),
        whole=at(base.whole, (slice(0, 40), False)),
    )
    then = of(found, 20251231)
    assert (then.stored, then.not_fetched) == (60, 40)
    assert then.share == pytest.approx(0.4) and then.known
    assert of(found, 20261120).not_fetched == 0


def test_the_lists_say_how_many_end():
    """Stops a share of another market where the lists of this one span enough years."""
    names = [f"{n:06d}" for n in range(1000)]
    lists = {PAST: frozenset(names), PAST + 731: frozenset(names[100:])}
    assert ends_per_year(lists) == pytest.approx(-log(0.9) / (731 / YEAR))
    assert (
        ends_per_year({PAST: frozenset(names), PAST + 300: frozenset(names[100:])})
        == ENDS_PER_YEAR
    )
    assert ends_per_year({}) == ENDS_PER_YEAR
    assert int(days_to_keys(np.array([PAST]))[0]) == 20200106
