"""The rows of a timeline that are in, each beside the rows before and after it.

Belongs here: the step from row to row and what it says of both, as the frame that rules in
context look at. Does not belong here: the rules (`rules.py`), what they hold (`verdicts.py`).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import keys_to_days
from fund_assets.nav import witness
from fund_assets.nav.money import WEEK_HOLD_PCT, Income, Yields, counted_twice, judge_income
from fund_assets.nav.returns import PROVEN, Published, Steps, step_returns
from fund_assets.nav.timeline import Timeline

#: How many times a usual jump lies between a NAV and ten times it.
TENFOLD = 0.25
#: Sessions without a NAV after which a code may be another fund's.
SILENCE = 250


@dataclass(frozen=True)
class LaidOut:
    """The rows of a timeline that are in, and the return of each against the one before.

    `gap` are the sessions between the two without a NAV.
    """

    rows: pd.DataFrame
    first: NDArray[np.bool_]
    gap: NDArray[np.int64]
    steps: Steps
    income: Income
    counted_twice: NDArray[np.bool_]


def lay_out(timeline: Timeline) -> LaidOut:
    """Compute the step of every present row."""
    at = np.flatnonzero(timeline.present)
    rows = timeline.frame.iloc[at].assign(row=at).reset_index(drop=True)
    first = timeline.first(at)
    gap = timeline.gaps(at, first)
    names = ("unit_nav", "acc_nav", "growth_pct", "yield_per_10k")
    steps = step_returns(
        Published(**{name: rows[name].to_numpy(dtype=float) for name in names}),
        dividend=rows["dividend"].to_numpy(dtype=float),
        split=rows["split"].to_numpy(dtype=float),
        first=first,
        gap=gap,
    )
    known, candidate = rows["days_covered"].to_numpy(), rows["candidate"].to_numpy(dtype=bool)
    day = keys_to_days(rows["nav_date"].to_numpy()).astype(np.int64)
    income = judge_income(
        Yields(
            day,
            first,
            rows["yield_per_10k"].to_numpy(dtype=float),
            rows["yield_7d_pct"].to_numpy(dtype=float),
        ),
        known=known,
        # A history shows every figure there is: what is stored is decided anew.
        settled=~candidate & (not timeline.is_recorded),
        calendar=timeline.calendar,
        hold_from_pct=WEEK_HOLD_PCT,
    )
    twice = counted_twice(day, first, income, candidate)
    return LaidOut(rows, first, gap, steps, income, twice)


def in_context(laid_out: LaidOut) -> pd.DataFrame:
    """Subject `row` of the rules in context: candidates beside the rows before and after."""
    rows = _beside_next(described(laid_out), laid_out)
    return rows[rows["candidate"]].reset_index(drop=True)


def described(laid_out: LaidOut) -> pd.DataFrame:
    """Every row with its step and the NAVs before it."""
    rows, steps, after = laid_out.rows, laid_out.steps, ~laid_out.first
    same_fund = rows["fund_code"].eq(rows["fund_code"].shift(1))
    income = laid_out.income
    wider = jump_scale(laid_out.gap)
    return rows.assign(
        first=laid_out.first,
        sessions=laid_out.gap + 1,
        jump_warn=rows["jump_warn"] * wider,
        jump_hold=rows["jump_hold"] * wider,
        days_covered=income.days_covered,
        income_per_day=rows["yield_per_10k"] / np.nan_to_num(income.days_covered, nan=1.0),
        counted_twice=laid_out.counted_twice,
        week_error_pct=income.error_pct,
        week_contradicts=income.contradicted,
        returns=steps.returns,
        status=steps.status,
        by_events=steps.by_events,
        disagreement_pct=steps.disagreement_pct,
        tolerance_pct=steps.tolerance_pct,
        silent_since=rows["nav_date"].shift(1).where(laid_out.first & same_fund, np.nan),
        prev_unit_nav=rows["unit_nav"].shift(1).where(after),
        prev_acc_nav=rows["acc_nav"].shift(1).where(after),
    )


def jump_scale(gap: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much further a NAV may move over a gap of so many sessions: by the root of time.

    After a year of silence the code may be another fund's, and nothing is allowed for.
    """
    return np.where(gap <= SILENCE, np.sqrt(1.0 + gap), 1.0)


def with_status(laid_out: LaidOut) -> pd.DataFrame:
    """The rows with how each step was found and the sessions before it."""
    return laid_out.rows.assign(status=laid_out.steps.status, gap=laid_out.gap)


def _beside_next(rows: pd.DataFrame, laid_out: LaidOut) -> pd.DataFrame:
    """What the row after each says of it: whether it leads back to it, or past it.

    `tenfold`: the step is that of a shifted decimal point. `grew_as_told`: the growth told of
    this date, now or with the value that is stored, is that of the step. `turns_back`: growth
    contradicts this step and the next, and agrees with both together, so that the value between
    them is wrong. `by_same_sight`: the next NAV alone backs it, and this batch shows that too.
    `stays`: how many rows follow before the fund's next such step.
    """
    last = np.ones(len(rows), dtype=bool)
    last[:-1] = laid_out.first[1:]
    step, growth = laid_out.steps.by_events, rows["growth_pct"].to_numpy(dtype=float) / 100
    slack = laid_out.steps.tolerance_pct / 100
    proven = laid_out.steps.status == PROVEN
    backed = rows["backed_unit_nav"].to_numpy()
    stored_growth = rows["stored_growth_pct"].to_numpy(dtype=float) / 100
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        power = np.log10(1 + step)
        nearest = np.round(power)
        tenfold = (nearest != 0) & (np.abs(10 ** (power - nearest) - 1) <= TENFOLD)
        told = np.abs(step - stored_growth) <= slack
        both = (1 + step) * (1 + _next(step, last)) - (1 + growth) * (1 + _next(growth, last))
        misses = np.abs(step - growth) > slack
        turns_back = misses & (np.abs(both) <= slack + _next(slack, last))
        turns_back &= _next(misses.astype(float), last) == 1
        calm = ~(np.abs(step) > rows["jump_hold"].to_numpy(dtype=float))
    # A growth of zero beside a jump is a placeholder, so nothing was told of the step itself.
    silent = np.isnan(growth) | (growth == 0)
    leads = witness.leads_back(laid_out.steps.status, laid_out.first, laid_out.gap, PROVEN)
    leads &= calm | (silent & ~tenfold)
    leads &= backed == 0
    return rows.assign(
        tenfold=tenfold,
        stays=_rows_until(last | (_next(tenfold.astype(float), last) == 1)),
        grew_as_told=proven | told,
        turns_back=turns_back,
        next_date=_next(rows["nav_date"].to_numpy(dtype=float), last),
        next_unit_nav=_next(rows["unit_nav"].to_numpy(dtype=float), last),
        next_growth_pct=_next(growth * 100, last),
        backed_unit_nav=np.where(leads, witness.GROWTH, backed),
        by_same_sight=leads & (_next(rows["candidate"].to_numpy(dtype=float), last) == 1),
    )


def _rows_until(stop: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many rows lie between each row and the first from it on at which `stop` is true."""
    at = np.arange(len(stop))
    stops = np.where(stop, at, len(stop))
    return np.asarray(np.minimum.accumulate(stops[::-1])[::-1] - at)


def _next(values: NDArray[np.float64], last: NDArray[np.bool_]) -> NDArray[np.float64]:
    after = np.full(len(values), np.nan)
    after[:-1] = values[1:]
    after[last] = np.nan
    return after
