"""Daily returns and the total-return index, against figures worked out by hand."""

import numpy as np
import pytest

from fund_assets.nav.returns import (
    FIRST,
    PROVEN,
    SINGLE_SOURCE,
    SUSPECTED_EVENT,
    UNPROVEN,
    Published,
    chain,
    step_returns,
)

NAN = np.nan


def steps(*rows, gap=0):
    """Rows of (unit, acc, growth, dividend, split) of one fund."""
    unit, acc, growth, dividend, split = (
        np.array(column, float) for column in zip(*rows, strict=True)
    )
    first = np.zeros(len(unit), bool)
    first[0] = True
    return step_returns(
        Published(
            unit_nav=unit,
            acc_nav=acc,
            growth_pct=growth,
            yield_per_10k=np.full(len(unit), NAN),
        ),
        dividend=dividend,
        split=split,
        first=first,
        gap=np.full(len(unit), gap),
    )


def test_dividend_is_no_loss():
    """Stops reading an ex-dividend day as a loss: the published fixture of the domain facts."""
    found = steps((1.0390, 1.0390, 0, 0, 1), (1.0302, 1.0385, -0.05, 0.0083, 1))
    assert found.status.tolist() == [FIRST, PROVEN]
    assert found.returns[1] == pytest.approx((1.0302 + 0.0083) / 1.0390 - 1, abs=1e-15)


def test_split_is_no_loss():
    """Stops reading a 2-for-1 split as a fall of 51 % (512890)."""
    found = steps((1.6357, 1.6357, 0, 0, 1), (0.8002, 1.6004, -2.16, 0, 2))
    assert found.status[1] == PROVEN
    assert found.returns[1] == pytest.approx(0.8002 * 2 / 1.6357 - 1, abs=1e-15)


def test_reverse_split_is_no_gain():
    """Stops reading a 0.01 fold as a hundredfold gain."""
    found = steps((1.0500, 1.05, 0, 0, 1), (105.021, 1.05021, 0.02, 0, 0.01))
    assert found.returns[1] == pytest.approx(105.021 * 0.01 / 1.05 - 1, abs=1e-15)


def test_unrecorded_dividend_is_told_by_growth_and_accumulated():
    """Stops a dividend that no event tells of from becoming a loss."""
    found = steps((1.1000, 1.5000, 0, 0, 1), (1.0450, 1.5010, 0.09, 0, 1))
    assert found.status[1] == SUSPECTED_EVENT
    assert found.returns[1] == pytest.approx(0.0010 / 1.1, abs=1e-15), "more digits than 0.09 %"


def test_unrecorded_split_is_told_by_growth():
    """Stops a split that no event tells of from becoming a loss, accumulated NAV scaled."""
    found = steps((1.6357, 1.6357, 0, 0, 1), (0.8002, 1.6004, -2.16, 0, 1))
    assert found.status[1] == SUSPECTED_EVENT
    assert found.returns[1] == pytest.approx(1.6004 / 1.6357 - 1, abs=1e-15)


def test_placeholder_zero_growth_of_a_young_fund_is_not_believed():
    """Stops the source's zero growth in a closed period (161725, 2015) from hiding -0.5 %."""
    found = steps((1.0, 1.0, 0, 0, 1), (0.995, 0.995, 0, 0, 1))
    assert found.status[1] == SINGLE_SOURCE, "accumulated NAV is the other witness"
    assert found.returns[1] == pytest.approx(-0.005, abs=1e-15)
    alone = steps((1.0, NAN, 0, 0, 1), (0.995, NAN, 0, 0, 1))
    assert alone.status[1] == UNPROVEN
    assert alone.returns[1] == pytest.approx(-0.005, abs=1e-15)


def test_growth_that_passes_over_a_report_date_counts_once():
    """Stops 31 December from being counted twice (000071, 2019-01-02): its own growth is 0."""
    for acc in ((1.3815, 1.3986, 1.3580), (NAN, NAN, NAN)):
        found = steps(
            (1.3815, acc[0], 0.5, 0, 1),
            (1.3986, acc[1], 0, 0, 1),
            (1.3580, acc[2], -1.701, 0, 1),
        )
        assert found.status[2] == SINGLE_SOURCE
        assert found.returns[2] == pytest.approx(1.3580 / 1.3986 - 1, abs=1e-15)


def test_a_growth_over_two_steps_needs_one_that_was_passed_over():
    """Stops a step whose growth is of two days from passing as single, beside a NAV that has a
    growth of its own: the first of these days would be passed over without a word."""
    found = steps(
        (1.3815, NAN, 0.5, 0, 1), (1.3986, NAN, 1.238, 0, 1), (1.358, NAN, -1.701, 0, 1)
    )
    assert found.status.tolist() == [FIRST, PROVEN, UNPROVEN]
    assert found.returns[2] == pytest.approx(-0.01701, abs=1e-15)


def test_two_stale_witnesses_do_not_overrule_a_rise():
    """Stops a liquidated fund's zero growth beside a frozen accumulated NAV (000314) from
    hiding what its unit NAV rose by: no dividend makes a NAV rise."""
    found = steps((1.757, 1.9701, 0.1, 0, 1), (1.851, 1.9701, 0, 0, 1))
    assert found.status[1] == UNPROVEN
    assert found.returns[1] == pytest.approx(1.851 / 1.757 - 1, abs=1e-15)


def test_growth_of_one_day_is_not_taken_for_a_gap_of_many():
    """Stops the last day's growth from standing for a week that was missed."""
    found = steps((1.0, 1.5, 0, 0, 1), (1.10, 1.60, 0.50, 0, 1), gap=4)
    assert found.status[1] == SINGLE_SOURCE
    assert found.returns[1] == pytest.approx(0.10, abs=1e-15)


def test_no_growth_published():
    """Stops a missing witness from being taken for a confirmation."""
    found = steps((1.0, NAN, NAN, 0, 1), (1.01, NAN, NAN, 0, 1))
    assert found.status[1] == SINGLE_SOURCE
    assert found.returns[1] == pytest.approx(0.01, abs=1e-15)


def test_three_decimals_round_more():
    """Stops 3-decimal funds from being reported as missing events: 0.10 pp is rounding."""
    found = steps((0.512, 0.512, 0, 0, 1), (0.513, 0.513, 0.30, 0, 1))
    assert found.status[1] == PROVEN


def test_money_fund_returns_its_yield():
    """Stops a money-market fund from standing still."""
    found = step_returns(
        Published(
            unit_nav=np.full(3, NAN),
            acc_nav=np.full(3, NAN),
            growth_pct=np.full(3, NAN),
            yield_per_10k=np.array([0.5, 0.6352, 21.2775]),
        ),
        dividend=np.zeros(3),
        split=np.ones(3),
        first=np.array([True, False, False]),
        gap=np.zeros(3, int),
    )
    assert found.returns[1:].tolist() == [0.6352 / 10_000, 21.2775 / 10_000]


def test_chain_continues_to_the_last_bit():
    """Stops a continued index from drifting away from one computed whole."""
    rng = np.random.default_rng(7)
    returns = rng.normal(0, 0.01, 400)
    returns[[0, 150, 151]] = np.nan
    first = np.zeros(400, bool)
    first[[0, 150, 151]] = True
    whole = chain(returns, first, np.ones(400))
    expected = 1.0
    for step in returns[1:150]:
        expected *= 1.0 + step
    assert whole[149] == expected
    assert whole[150] == 1.0
    base = np.ones(100)
    base[0] = whole[300]
    again = returns[300:].copy()
    again[0] = np.nan
    continued = chain(again, np.arange(100) == 0, base)
    assert (continued == whole[300:]).all()


def test_empty():
    """Stops an empty evening from crashing."""
    empty = np.array([])
    assert chain(empty, empty.astype(bool), empty).tolist() == []


@pytest.mark.parametrize(
    ("before", "unit", "off_pp", "explained"),
    [
        (10.0001, 10.1111, 0.01095, True), (10.0001, 10.1111, 0.01105, False),
        (10.0001, 10.1111, -0.01095, True), (10.0001, 10.1111, -0.01105, False),
        # Four digits of a NAV of one: 2 · 0.0001.
        (1.0001, 1.0111, 0.0199, True), (1.0001, 1.0111, 0.0201, False),
        # One of the two has a fourth digit: judged by four.
        (1.001, 1.0111, 0.0198, True), (1.0001, 1.011, 0.0201, False),
        # Three digits in both: 2 · 0.001.
        (1.001, 1.011, 0.199, True), (1.001, 1.011, 0.201, False),
    ],
)  # fmt: skip
def test_growth_may_differ_by_rounding_and_no_more(before, unit, off_pp, explained):
    """Stops a missing event from hiding in a tolerance that is twice too wide."""
    by_events = unit / before - 1
    found = steps((before, NAN, 0, 0, 1), (unit, NAN, 100 * by_events + off_pp, 0, 1))
    assert (found.status[1] == PROVEN) == explained
    assert found.disagreement_pct[1] == pytest.approx(abs(off_pp), abs=1e-9)
    assert np.isnan(found.disagreement_pct[0]) and np.isnan(found.by_events[0])
    wanted = by_events if explained else by_events + off_pp / 100
    assert found.returns[1] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("before", "off", "status"),
    [
        # 0.0001 + 4 digits of 0.0001 over the NAV before.
        (10.0001, 0.000135, SUSPECTED_EVENT), (10.0001, 0.000145, UNPROVEN),
        (1.0001, 0.00049, SUSPECTED_EVENT), (1.0001, 0.00051, UNPROVEN),
    ],
)  # fmt: skip
def test_the_accumulated_nav_backs_growth_within_its_own_rounding(before, off, status):
    """Stops an accumulated NAV from vouching for a growth that it does not show."""
    growth = 0.005
    for sign in (1, -1):
        acc = before + (growth + sign * off) * before
        found = steps((before, before, 0, 0, 1), (before * 0.9, acc, 100 * growth, 0, 1))
        assert found.status[1] == status
        # Beyond what growth's own rounding explains, growth is the return and not acc.
        assert found.returns[1] == pytest.approx(growth, abs=1e-12)


def test_the_accumulated_nav_backs_events_within_its_own_rounding():
    """Stops an accumulated NAV from vouching for events that it does not show."""
    for off, status in ((0.00049, SINGLE_SOURCE), (0.00051, UNPROVEN)):
        acc = 1.0001 + (0.01 + off) * 1.0001
        found = steps((1.0001, 1.0001, 0, 0, 1), (1.0001 * 1.01, acc, 0.5, 0, 1), gap=1)
        assert found.status[1] == status


def test_a_zero_growth_is_a_placeholder_below_five_percent():
    """Stops a zero from being believed for a young fund, or disbelieved after a dividend."""
    for move, wanted in ((0.0499, 0.0499), (-0.0499, -0.0499), (0.0501, 0.0), (-0.0501, 0.0)):
        found = steps((1.0, NAN, 0, 0, 1), (1 + move, NAN, 0, 0, 1))
        assert found.status[1] == UNPROVEN
        assert found.returns[1] == pytest.approx(wanted, abs=1e-12)


def test_between_a_nav_and_a_yield_there_is_no_step():
    """Stops a money fund's row beside a NAV from breaking the chain."""
    found = step_returns(
        Published(
            unit_nav=np.array([1.0, NAN, NAN, 1.1]),
            acc_nav=np.full(4, NAN),
            growth_pct=np.array([0.0, NAN, NAN, NAN]),
            yield_per_10k=np.array([NAN, 2.0, 0.5, NAN]),
        ),
        dividend=np.zeros(4),
        split=np.ones(4),
        first=np.array([True, False, False, False]),
        gap=np.zeros(4, int),
    )
    assert found.status.tolist() == [FIRST, SINGLE_SOURCE, SINGLE_SOURCE, UNPROVEN]
    np.testing.assert_array_equal(found.returns, [NAN, 0.0002, 0.00005, 0.0])
    assert np.isnan(found.by_events[1:3]).all() and np.isnan(found.disagreement_pct[1:3]).all()


@pytest.mark.parametrize(
    ("gap", "growth", "status", "told"),
    [(0, 0.03, SINGLE_SOURCE, 0.0003), (0, 0.0, SINGLE_SOURCE, 0.0),
     (3, 0.03, UNPROVEN, 0.0), (0, NAN, UNPROVEN, 0.0)],
)  # fmt: skip
def test_growth_alone_tells_the_first_nav_after_money_days(gap, growth, status, told):
    """Stops one witness from being told as several that disagree, and the growth of one day from
    standing for a gap."""
    found = step_returns(
        Published(
            unit_nav=np.array([NAN, NAN, 1.0, 1.0003]),
            acc_nav=np.array([NAN, NAN, 1.0, 1.0003]),
            growth_pct=np.array([NAN, NAN, growth, 0.03]),
            yield_per_10k=np.array([0.7, 0.7, NAN, NAN]),
        ),
        dividend=np.zeros(4),
        split=np.ones(4),
        first=np.array([True, False, False, False]),
        gap=np.array([0, 0, gap, 0]),
    )
    assert found.status.tolist() == [FIRST, SINGLE_SOURCE, status, PROVEN]
    assert found.returns[2] == pytest.approx(told, abs=1e-15)


def test_chains_of_many_lengths_are_the_products_of_their_returns():
    """Stops a fund of another length from taking a step of its neighbour."""
    lengths = [3, 1, 5, 2, 5]
    rng = np.random.default_rng(4)
    returns = rng.normal(0, 0.1, sum(lengths))
    first = np.zeros(sum(lengths), bool)
    starts = np.cumsum([0, *lengths[:-1]])
    first[starts] = True
    base = np.where(first, 2.0, -9.0)
    wanted = []
    for start, length in zip(starts, lengths, strict=True):
        value = 2.0
        for k in range(length):
            value *= 1.0 if k == 0 else 1.0 + returns[start + k]
            wanted.append(value)
    np.testing.assert_array_equal(chain(returns, first, base), wanted)
    assert len(chain(np.array([]), np.array([], bool), np.array([]))) == 0


def test_the_reading_of_the_accumulated_nav_that_is_nearer_to_growth_is_used():
    """Stops a split from being read as a payment: acc scaled +1.00 %, added +2.00 %."""
    found = steps((1.0, 2.0, 0, 0, 1), (0.5, 2.02, 1.0, 0, 1))
    assert found.status[1] == SUSPECTED_EVENT
    assert found.returns[1] == pytest.approx(2.02 / 2.0 - 1, abs=1e-15)
    paid = steps((1.0, 2.0, 0, 0, 1), (0.5, 2.02, 2.0, 0, 1))
    assert paid.returns[1] == pytest.approx(0.02, abs=1e-15)
    # acc backs the events themselves, scaled: growth is the one that is wrong.
    wrong = steps((1.0, 2.0, 0, 0, 1), (1.01, 2.02, 0.0, 0, 1))
    assert wrong.status[1] == SINGLE_SOURCE
    assert wrong.returns[1] == pytest.approx(0.01, abs=1e-12)


def test_growth_that_leads_back_to_a_nav_of_one_knows_of_a_split():
    """Stops a split that nobody recorded from becoming a loss of 3.9 %, because the accumulated
    NAV, a mere copy of the unit NAV, falls with it."""
    found = steps((1.041, 1.041, 0.1, 0, 1), (1.0003, 1.0003, 0.03, 0, 1))
    assert found.status[1] == SUSPECTED_EVENT
    assert found.returns[1] == pytest.approx(0.0003, abs=1e-15)
    small = steps((1.0125, 1.0125, 0.1, 0, 1), (1.0003, 1.0003, 0.03, 0, 1))
    assert small.status[1] == SUSPECTED_EVENT, "1.2 % is more than 1 %"
    up = steps((0.2512, 0.2512, 0.1, 0, 1), (0.992, 0.992, -0.8, 0, 1))
    assert up.status[1] == SUSPECTED_EVENT and up.returns[1] == pytest.approx(-0.008)


@pytest.mark.parametrize(
    ("before", "now", "gap"),
    [
        ((1.041, 1.041), (1.0013, 1.0013, 0.03, 0, 1), 0),  # leads to 1.001
        ((1.041, 1.042), (1.0003, 1.0013, 0.03, 0, 1), 0),  # an accumulated NAV of its own
        ((1.041, 1.041), (1.0003, 1.0003, 0.03, 0, 1), 3),  # growth is of the last day alone
        ((1.041, 1.041), (1.0, 1.0, 0.0, 0, 1), 0),  # a page's placeholders
        ((1.041, 1.041), (1.0003, 1.0003, 0.03, 0.01, 1), 0),  # an event is recorded
        ((1.041, 1.041), (1.0003, 1.0003, 0.03, 0, 1.01), 0),
        ((1.0097, 1.0097), (1.0003, 1.0003, 0.03, 0, 1), 0),  # less than 1 %
    ],
)
def test_what_only_resembles_a_split_to_one_is_none(before, now, gap):
    """Stops a wrong growth from overruling both NAVs wherever the NAV is near 1."""
    found = steps((*before, 0.1, 0, 1), now, gap=gap)
    assert found.status[1] != SUSPECTED_EVENT
