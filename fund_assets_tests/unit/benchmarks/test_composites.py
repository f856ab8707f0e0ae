"""Levels of formulas, against sums done by hand and a plain loop."""

import itertools
from bisect import bisect_right
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from fund_assets.benchmarks.composites import Formula, Leg, Market, interest
from fund_assets.calendar import keys_to_days, to_key

EPOCH = date(1970, 1, 1)


def market(**closes):
    """Closes by code: {yyyymmdd: close}."""
    rows = [
        (code, day, value) for code, known in closes.items() for day, value in known.items()
    ]
    return Market(pd.DataFrame(rows, columns=["index_code", "nav_date", "close"]))


def formula(*legs, since=0):
    return Formula("x", ((since, legs),))


def levels(market, formula, since=20260101):
    days, values = market.levels(formula, int(keys_to_days(np.array([since]))[0]))
    keys = [to_key(EPOCH + timedelta(days=day)) for day in days.tolist()]
    return dict(zip(keys, values.tolist(), strict=True))


def test_parts_return_to_their_weights_on_every_date():
    """Stops a bought-and-held mix: after a rise its stocks weigh more than the text says."""
    found = levels(
        market(A={20260105: 100, 20260106: 110, 20260107: 99},
               B={20260105: 50, 20260106: 50, 20260107: 55}),
        formula(Leg(0.6, "A"), Leg(0.4, "B")),
    )  # fmt: skip
    # 0.6 x 10 % = 6 %, then 0.6 x -10 % + 0.4 x 10 % = -2 %
    assert found == pytest.approx({20260105: 1.0, 20260106: 1.06, 20260107: 1.06 * 0.98})


def test_a_part_on_holiday_stands_still():
    """Stops a foreign holiday from making a hole, or from hiding the other part's move."""
    found = levels(
        market(A={20260105: 100, 20260106: 110, 20260107: 121},
               B={20260105: 50, 20260107: 60}),
        formula(Leg(0.5, "A"), Leg(0.5, "B")),
    )  # fmt: skip
    assert found == pytest.approx(
        {20260105: 1.0, 20260106: 1.05, 20260107: 1.05 * (1 + 0.05 + 0.1)}
    )


def test_closes_are_told_in_the_currency_of_the_class():
    """Stops a dollar index from being told in dollars to a class in yuan, and the reverse."""
    known = market(SPX={20260105: 100, 20260106: 110}, USDCNY={20260105: 7.0, 20260106: 6.3},
                   CSI={20260105: 100, 20260106: 90})  # fmt: skip
    in_yuan = levels(known, formula(Leg(1.0, "SPX", times="USDCNY")))
    assert in_yuan[20260106] == pytest.approx(1.1 * 0.9)
    in_dollars = levels(known, formula(Leg(1.0, "CSI", over="USDCNY")))
    assert in_dollars[20260106] == pytest.approx(0.9 / 0.9)


def test_interest_is_earned_on_every_calendar_day():
    """Stops a weekend from earning one day's interest."""
    known = market(A={20260109: 100, 20260112: 100})
    rate = ((20200101, 0.0365),)
    found = levels(known, formula(Leg(0.5, "A"), Leg(0.5, rate=rate)))
    assert found[20260112] == pytest.approx(1 + 0.5 * 3 * 0.0001)


def test_interest_changes_on_its_days():
    """Stops one rate for all times, and interest from before the first known rate."""
    days = keys_to_days(np.array([20191231, 20200101, 20200111, 20200131]))
    found = interest(((20200101, 0.0365), (20200111, 0.073)), days)
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx([0.0, 10 * 0.0001, 10 * 0.0001 + 20 * 0.0002])
    assert interest(((0, 0.0365),), days)[-1] - interest(((0, 0.0365),), days)[0] == (
        pytest.approx(31 * 0.0001)
    )


def test_a_changed_text_changes_the_parts_on_its_day():
    """Stops today's benchmark from being laid over the time of another one."""
    known = market(A={20260105: 100, 20260106: 110, 20260107: 121},
                   B={20260105: 50, 20260106: 50, 20260107: 50})  # fmt: skip
    chained = Formula("x", ((0, (Leg(1.0, "A"),)), (20260107, (Leg(1.0, "B"),))))
    assert levels(known, chained) == pytest.approx(
        {20260105: 1.0, 20260106: 1.1, 20260107: 1.1}
    )
    # What held before is not known: nothing is told of that time.
    unknown = Formula("x", ((0, ()), (20260107, (Leg(1.0, "A"),))))
    assert levels(known, unknown) == pytest.approx({20260106: 1.0, 20260107: 1.1})


def test_a_long_hole_ends_what_is_known():
    """Stops a close of last month from standing for today."""
    old = market(A={20260105: 100, 20260106: 110, 20260202: 120, 20260203: 132},
                 B=dict.fromkeys(range(20260105, 20260131), 1.0) | {20260202: 1, 20260203: 1})  # fmt: skip
    found = levels(old, formula(Leg(0.5, "A"), Leg(0.5, "B")))
    assert found == pytest.approx({20260202: 1.0, 20260203: 1.05})
    # An index that is no longer published: known to its last close and 15 days on.
    ended = market(A={20260105: 100, 20260106: 110},
                   B=dict.fromkeys(range(20260105, 20260131), 1.0))  # fmt: skip
    assert max(levels(ended, formula(Leg(0.5, "A"), Leg(0.5, "B")))) == 20260121
    assert levels(market(A={20260105: 1.0}), formula(Leg(1.0, "NONE"))) == {}


def test_random_formulas_are_what_a_plain_loop_makes_of_them():
    """Stops an error of alignment that small cases do not show."""
    rng = np.random.default_rng(5)
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(500)]
    days = [day for day in days if day.isoweekday() < 6]
    closes = {}
    for code in ("A", "B", "C", "USDCNY"):
        own = [day for day in days if rng.random() < 0.9]
        walk = np.exp(rng.normal(0, 0.01, len(own)).cumsum())
        closes[code] = {to_key(d): float(v) for d, v in zip(own, walk, strict=True)}
    rate = ((20240101, 0.015), (20241001, 0.011))
    legs = (Leg(0.5, "A", times="USDCNY"), Leg(0.2, "B"), Leg(0.3, rate=rate),
            Leg(0.1, "C", over="USDCNY"))  # fmt: skip
    found = levels(market(**closes), formula(*legs), 20240301)

    def close(code, day):
        known = sorted(closes[code])
        return closes[code][known[bisect_right(known, day) - 1]]

    keys = sorted(found)
    level = found[keys[0]]
    for before, day in itertools.pairwise(keys):
        step = 0.0
        for leg in legs:
            if leg.rate:
                at = EPOCH + timedelta(days=int(keys_to_days(np.array([before]))[0]))
                while to_key(at) < day:
                    held = [value for since, value in rate if since <= to_key(at)][-1]
                    step += leg.weight * held / 365
                    at += timedelta(days=1)
                continue
            ends = [
                close(leg.closes, key)
                * (close(leg.times, key) if leg.times else 1)
                / (close(leg.over, key) if leg.over else 1)
                for key in (before, day)
            ]
            step += leg.weight * (ends[1] / ends[0] - 1)
        level *= 1 + step
        assert found[day] == pytest.approx(level, rel=1e-12)
    assert len(keys) > 250
