"""Daily returns and the total-return index of funds, from what they publish.

Belongs here: arithmetic on one step between two consecutive NAVs of a fund, and the chain
of such steps. Does not belong here: which rows are accepted (`verdicts.py`, `rules.py`), or
measures over a window (`metrics/`).

Three witnesses tell the return of a step from U₋₁ to U: the events (U·S + D)/U₋₁ − 1 with
S new shares per old share and D yuan per share, the published growth, and the change of
the accumulated NAV. The events are the most exact and are used when the published growth
agrees. When it does not, the accumulated NAV decides which of the two is right.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fund_assets.schemas.columns import RETURN_STATUSES

Floats = NDArray[np.float64]
FIRST, PROVEN, SINGLE_SOURCE, SUSPECTED_EVENT, UNPROVEN = range(len(RETURN_STATUSES))

#: Two decimals of published growth, and the last digit of the NAVs it is made from.
GROWTH_TOLERANCE_PCT = 0.011
#: A step to 1 that is so far from published growth, a share of the NAV, is a split by growth.
LEAST_TO_PAR = 0.01
PAR_BINARY = 1e-9
#: A published growth of exactly zero beside a moved NAV is a placeholder of young funds.
PLACEHOLDER_LIMIT = 0.05


@dataclass(frozen=True)
class Published:
    """Figures as published, rows of one fund together and ascending by date; NaN: absent."""

    unit_nav: Floats
    acc_nav: Floats
    growth_pct: Floats
    yield_per_10k: Floats


@dataclass(frozen=True)
class Steps:
    """What the returns of consecutive NAVs of the same funds came to, arrays of one length.

    Attributes:
        returns: fractions; NaN on a fund's first row.
        status: index into `RETURN_STATUSES`.
        by_events: the return that events alone give, fraction.
        disagreement_pct: |events − published growth| in percent points, NaN without growth.
        tolerance_pct: how much of that rounding explains.
    """

    returns: Floats
    status: NDArray[np.int8]
    by_events: Floats
    disagreement_pct: Floats
    tolerance_pct: Floats


def last_digit(nav: Floats, previous: Floats) -> Floats:
    """The unit of the last published digit, judged by both NAVs: 0.001 or 0.0001."""
    three = np.round(nav, 3) == np.round(nav, 6)
    three &= np.round(previous, 3) == np.round(previous, 6)
    return np.where(three, 0.001, 0.0001)


def step_returns(
    published: Published,
    *,
    dividend: Floats,
    split: Floats,
    first: NDArray[np.bool_],
    gap: NDArray[np.integer],
) -> Steps:
    """The return of each row against the row before it.

    Args:
        dividend: yuan per share going ex on the row's date, 0 without one.
        split: new shares per old share on the row's date, 1 without one.
        first: whether the row is its fund's first.
        gap: sessions that lie between the row before and this one without a NAV.

    Returns:
        Steps. A money-market row (one with a yield) returns yield_per_10k / 10,000.
    """
    unit_nav, acc_nav = published.unit_nav, published.acc_nav
    growth_pct, yield_per_10k = published.growth_pct, published.yield_per_10k
    before = _shifted(unit_nav, first)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        by_events = (unit_nav * split + dividend) / before - 1.0
        growth = growth_pct / 100.0
        digit = last_digit(unit_nav, before) / before
        tolerance = np.maximum(GROWTH_TOLERANCE_PCT / 100.0, 2.0 * digit)
        disagreement = np.abs(by_events - growth)
        agrees = disagreement <= tolerance

        acc_before = _shifted(acc_nav, first)
        wide = 0.0001 + 4.0 * digit
        added = (acc_nav - acc_before) / before
        scaled = acc_nav / acc_before - 1.0
        growth_error = np.fmin(np.abs(added - growth), np.abs(scaled - growth))
        events_error = np.fmin(np.abs(added - by_events), np.abs(scaled - by_events))
        acc_backs_growth = (growth_error <= wide) & (growth_error < events_error)
        acc_backs_events = (events_error <= wide) & (events_error <= growth_error)
        by_acc = np.where(np.abs(added - growth) <= np.abs(scaled - growth), added, scaled)
        # The accumulated NAV has more digits than the growth that it agrees with.
        told = np.where(np.abs(by_acc - growth) <= tolerance, by_acc, growth)
        spans_two = np.abs(_over_two(by_events, growth, first) - growth) <= tolerance

    no_growth = np.isnan(growth)
    adjacent = gap == 0
    placeholder = (growth == 0.0) & (np.abs(by_events) < PLACEHOLDER_LIMIT)
    # A zero beside an accumulated NAV that stands still, while unit NAV rose: both are
    # stale, for no dividend makes a NAV rise.
    stale = (growth == 0.0) & (acc_nav == acc_before) & (by_events > 0.0)
    acc_backs_growth &= ~stale
    # An accumulated NAV that is the unit NAV on both dates is a copy of it and no witness.
    # Where growth leads back to a NAV of 1, growth knows of the split that led there.
    copied = (acc_nav == unit_nav) & (acc_before == before)
    to_par = np.abs(unit_nav - (1.0 + growth)) <= digit * before + PAR_BINARY
    to_par &= (dividend == 0.0) & (split == 1.0) & (growth != 0.0)
    acc_backs_growth |= copied & to_par & adjacent & (disagreement >= LEAST_TO_PAR)
    covered = spans_two | (acc_backs_events & (~adjacent | (growth == 0.0)))
    # Only where growth exists and disagrees; the first condition that holds decides.
    use_growth = np.select(
        [spans_two, acc_backs_growth, acc_backs_events | placeholder | stale],
        [False, True, False],
        default=adjacent,
    )
    # Without a NAV on one side growth speaks alone: a money-market fund that became another.
    alone = np.isnan(by_events) & adjacent
    status = np.select(
        [no_growth, agrees, spans_two, acc_backs_growth, covered | alone],
        [SINGLE_SOURCE, PROVEN, SINGLE_SOURCE, SUSPECTED_EVENT, SINGLE_SOURCE],
        default=UNPROVEN,
    )
    returns = np.where(no_growth | agrees | ~use_growth, by_events, growth)
    returns = np.where(status == SUSPECTED_EVENT, told, returns)

    money = ~np.isnan(yield_per_10k)
    returns = np.where(money, yield_per_10k / 10_000.0, returns)
    status = np.where(money, SINGLE_SOURCE, status)
    # Between a NAV and a yield there is no step: such a row starts anew at the same value.
    broken = ~money & np.isnan(returns)
    returns = np.where(broken, 0.0, returns)
    status = np.where(broken, UNPROVEN, status)

    returns = np.where(first, np.nan, returns)
    status = np.where(first, FIRST, status)
    return Steps(
        returns=returns,
        status=status.astype(np.int8),
        by_events=np.where(money | first, np.nan, by_events),
        disagreement_pct=np.where(money | first, np.nan, disagreement * 100.0),
        tolerance_pct=tolerance * 100.0,
    )


def chain(returns: Floats, first: NDArray[np.bool_], base: Floats) -> Floats:
    """The total-return index: `base` on each fund's first row, then Π(1 + return).

    Args:
        returns: as from `step_returns`, rows of one fund together and ascending.
        first: whether the row is its fund's first.
        base: the index on the first rows (1 at inception); ignored elsewhere.

    Returns:
        Ratios. Multiplied in order of date, so that a chain that is continued from a
        stored value equals the chain computed whole, to the last bit.
    """
    index = np.empty_like(returns)
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(returns))
    lengths = ends - starts
    # Step by step over positions within funds: row k of every fund at once.
    order = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[order], lengths[order]
    index[starts] = base[starts]
    longest = int(lengths[0]) if len(lengths) else 0
    alive = len(starts)
    for k in range(1, longest):
        while alive and lengths[alive - 1] <= k:
            alive -= 1
        rows = starts[:alive] + k
        index[rows] = index[rows - 1] * (1.0 + returns[rows])
    return index


def _over_two(by_events: Floats, growth: Floats, first: NDArray[np.bool_]) -> Floats:
    """The return by events over this step and the one before it.

    NaN unless that one's growth is zero or absent: a growth may pass over a NAV that was
    published for a report date.
    """
    before = _shifted(by_events, first)
    passed_over = _shifted(growth, first)
    return np.where(
        np.isnan(passed_over) | (passed_over == 0.0),
        (1.0 + before) * (1.0 + by_events) - 1.0,
        np.nan,
    )


def _shifted(values: Floats, first: NDArray[np.bool_]) -> Floats:
    before = np.empty_like(values)
    before[1:] = values[:-1]
    before[first] = np.nan
    return before
