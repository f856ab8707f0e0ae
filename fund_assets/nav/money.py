"""Money-market funds: which days an income covers, and what the 7-day yield says of it.

Belongs here: arithmetic on the incomes and yields that one fund published. Does not belong
here: what is demanded of them (`rules.py`), which dates are missing (`cadence.py`).

A money-market fund earns on calendar days. Most publish each day's income; others publish one
sum for the closed days, on the last of them or on the next session, and a page may show a sum
where the fund's history has single days. The 7-day yield is the second witness: it is made
from the incomes of the seven days that end with its date, Σy/7 · 365 or
(Π(1 + y))^(365/7) − 1, so that it tells how many days a figure must stand for.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fund_assets.calendar import TradingCalendar

Floats = NDArray[np.float64]
Days = NDArray[np.int64]

WEEK = 7
#: No sum covers more days: the longest closed stretch of the exchange had ten.
MOST_DAYS = 16
#: An option is decided on when it explains the week better by this share of a day's income,
#: and by so much more for each day of the week that is not known anyway.
MARGIN, MARGIN_FOR_UNKNOWN = 0.25, 0.35
#: A figure is convicted of counting days twice when the week fits without them to this share
#: of a day's income, or this many yuan, which is what rounding can do.
FITS_SHARE, FITS_YUAN = 0.15, 0.003
#: Where known days alone exceed the published week by this share of a day's income, or leave
#: more than so many days' income for each unknown day, the yield contradicts them.
TOO_MUCH_SHARE, TOO_LITTLE_DAYS = 0.75, 4.0
#: Published less recomputed 7-day yield, percent points, that holds an income.
WEEK_HOLD_PCT = 0.1


@dataclass(frozen=True)
class Weeks:
    """What is known of the seven days that end with each row, arrays of one length.

    Attributes:
        missing: days of the seven of which no income is known.
        cut: the first of the seven lies inside a sum, which counts by its share in them.
        rest: yuan of the published week that the known incomes leave, by the reading of the
            yield, simple or compound, that fits better; NaN without a yield.
        daily: the published week's income a day, yuan; NaN without a yield.
    """

    missing: NDArray[np.int64]
    cut: NDArray[np.bool_]
    rest: Floats
    daily: Floats

    @property
    def misfit(self) -> Floats:
        """How far the rest is from what the unknown days should have earned, yuan."""
        return np.asarray(np.abs(self.rest - self.daily * self.missing))


@dataclass(frozen=True)
class Yields:
    """What money-market funds published, rows of one fund together and ascending.

    Attributes:
        day: days since 1970-01-01.
        first: whether the row is the first of its fund.
        income, week_pct: yield_per_10k and yield_7d_pct; NaN where absent.
    """

    day: Days
    first: NDArray[np.bool_]
    income: Floats
    week_pct: Floats


@dataclass(frozen=True)
class Income:
    """What the incomes of funds cover, arrays over all rows given.

    Attributes:
        days_covered: calendar days up to the row's date that its income covers; NaN where
            that is not known and for rows without an income.
        overlap: whether a row before it has one of these days as well.
        error_pct: published less recomputed 7-day yield, percent points; NaN where a day of
            the seven is not known by itself or none was published.
        contradicted: the yield says that the row's income cannot be right.
    """

    days_covered: Floats
    overlap: NDArray[np.bool_]
    error_pct: Floats
    contradicted: NDArray[np.bool_]


def closed_runs(day: Days, calendar: TradingCalendar) -> Days:
    """How many days lie between each day and the last session before it, itself included.

    1 for a Tuesday and a Saturday, 2 for a Sunday, 3 for a Monday: what a sum would cover.
    """
    sessions = calendar.session_days.astype(np.int64)
    before = np.searchsorted(sessions, day) - 1
    runs = np.where(before >= 0, day - sessions[np.maximum(before, 0)], 1)
    return np.asarray(np.where(runs <= MOST_DAYS, runs, 1))


def judge_income(
    published: Yields,
    *,
    known: Floats,
    settled: NDArray[np.bool_],
    calendar: TradingCalendar,
    hold_from_pct: float,
) -> Income:
    """What each income covers and whether the 7-day yield contradicts it.

    Args:
        known: days_covered as stored; NaN where nothing is.
        settled: rows whose stored figure stands and need not be decided again.
        hold_from_pct: percent points of disagreement that contradict.
    """
    day, income, week_pct = published.day, published.income, published.week_pct
    rows = np.flatnonzero(~np.isnan(income))
    size = len(day)
    found = Income(
        np.full(size, np.nan),
        np.zeros(size, np.bool_),
        np.full(size, np.nan),
        np.zeros(size, np.bool_),
    )
    if not len(rows):
        return found
    fund = np.cumsum(published.first, dtype=np.int64)[rows]
    incomes = _IncomeRows(day[rows].astype(np.int64), fund, income[rows], week_pct[rows])
    fixed = settled[rows] & ~np.isnan(known[rows])
    cover = incomes.decide(known[rows], fixed, closed_runs(incomes.day, calendar))
    weeks = incomes.weeks(np.arange(len(rows)), cover)
    unknown = np.isnan(cover)
    found.days_covered[rows] = cover
    found.overlap[rows] = incomes.overlaps(cover)
    error = np.where(
        (weeks.missing == 0) & ~weeks.cut & ~unknown, weeks.rest * 365 / 100 / WEEK, np.nan
    )
    found.error_pct[rows] = error
    found.contradicted[rows] = incomes.contradicted(weeks, error, hold_from_pct) & ~unknown
    return found


def counted_twice(
    day: Days, first: NDArray[np.bool_], income: Income, candidate: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Candidates that would count a day's income a second time.

    A figure over days that are stored one by one is at fault itself when it is a candidate;
    else the candidates are whose days it has in it.
    """
    twice = income.overlap & candidate
    sums = np.flatnonzero(income.overlap & ~candidate)
    fund = np.cumsum(first)
    for back in range(1, MOST_DAYS):
        at = sums - back
        there = np.maximum(at, 0)
        inside = (at >= 0) & (fund[there] == fund[sums])
        inside &= day[there] > day[sums] - income.days_covered[sums]
        twice[there[inside & candidate[there]]] = True
    return np.asarray(twice)


@dataclass(frozen=True)
class _IncomeRows:
    """Rows with an income, by fund and day."""

    day: Days
    fund: Days
    income: Floats
    week_pct: Floats

    @property
    def gap(self) -> Days:
        """Days since the fund's row before; 0 for its first."""
        gap = np.zeros(len(self.day), np.int64)
        gap[1:] = np.where(np.diff(self.fund) == 0, np.diff(self.day), 0)
        return gap

    def weeks(self, rows: NDArray[np.intp], cover: Floats, own: Floats | None = None) -> Weeks:
        """The weeks of some rows when all figures cover what `cover` says.

        A figure that reaches back beyond the seven days counts by its share in them; rows
        inside the days of a row's own figure do not count beside it.

        Args:
            own: what the rows' own figures cover, instead of `cover`.
        """
        span = np.where(np.isnan(cover), 1.0, cover)
        mine = span[rows] if own is None else own
        day = self.day[rows]
        inside = np.minimum(mine, WEEK)
        part = self.income[rows] * inside / mine
        total, growth, days = part.copy(), np.log1p(part / 1e4), inside.copy()
        cut = mine > WEEK
        for lag in range(1, WEEK):
            at = rows - lag
            there = np.maximum(at, 0)
            counts = (at >= 0) & (self.fund[there] == self.fund[rows])
            counts &= (self.day[there] > day - WEEK) & (self.day[there] <= day - mine)
            inside = np.minimum(span[there], self.day[there] - (day - WEEK))
            part = np.where(counts, self.income[there] * inside / span[there], 0.0)
            total += part
            growth += np.log1p(part / 1e4)
            days += np.where(counts, inside, 0.0)
            cut |= counts & (inside < span[there])
        week = self.week_pct[rows]
        simple = week * WEEK / 365 * 100
        compound = np.expm1(np.log1p(week / 100) * WEEK / 365) * 1e4
        missing = np.maximum(WEEK - np.round(days).astype(np.int64), 0)
        rests = np.stack([simple - total, compound - np.expm1(growth) * 1e4])
        daily = np.stack([simple, compound]) / WEEK
        better = np.argmin(np.nan_to_num(np.abs(rests - daily * missing)), axis=0)
        pick = (better, np.arange(len(rows)))
        return Weeks(missing, cut, rests[pick], daily[pick])

    def decide(self, known: Floats, fixed: NDArray[np.bool_], runs: Days) -> Floats:
        """What each figure covers: by the yield, else by the fund's habit, else by size."""
        gap = self.gap
        cover = np.where(gap == 1, 1.0, np.where((runs > 1) & (runs <= gap), runs, 1.0))
        cover = np.where(fixed, known, cover)
        open_rows = np.flatnonzero(~fixed & (gap != 1))
        for _ in range(2):  # a week has the figures before it, which may be open too
            chosen = self._by_week(open_rows, cover, gap, runs)
            sure = ~np.isnan(chosen)
            cover[open_rows[sure]] = chosen[sure]
        unsure = open_rows[~sure]
        later = self._by_later_weeks(unsure, cover, gap, runs)
        told = ~np.isnan(later)
        cover[unsure[told]] = later[told]
        unsure = unsure[~told]
        decided = np.ones(len(cover), np.bool_)
        decided[unsure] = False
        cover[unsure] = self._by_habit(unsure, cover, decided, gap, runs)
        cover = self._again(cover, fixed, gap, runs)
        return self._unless_single(cover, known, fixed)

    def _by_week(self, rows: NDArray[np.intp], cover: Floats, gap: Days, runs: Days) -> Floats:
        """The number of days that the published week decides for; NaN where it does not."""
        if not len(rows):
            return np.empty(0)
        gaps, run = gap[rows], runs[rows].astype(float)
        options = np.stack([np.ones(len(rows)), run, np.clip(gaps, 1, MOST_DAYS)])
        may = np.stack([np.ones(len(rows), np.bool_), run <= gaps, gaps <= MOST_DAYS])
        weeks = [self.weeks(rows, cover, own) for own in options]
        daily = np.abs(weeks[0].daily)
        misfit = np.stack([week.misfit for week in weeks])
        misfit = np.where(may & ~np.isnan(misfit), misfit, np.inf)
        best = np.argmin(misfit, axis=0)
        columns = np.arange(len(rows))
        chosen, least = options[best, columns], misfit[best, columns]
        others = np.where(options == chosen, np.inf, misfit).min(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            unknown = np.stack([week.missing for week in weeks])[best, columns]
            margin = (MARGIN + MARGIN_FOR_UNKNOWN * unknown) * daily
            found = np.where(others - least > margin, chosen, np.nan)
            # A first row: what its figure is beside the published week's day.
            times = self.income[rows] / weeks[0].daily
            near = np.where(np.abs(times / run - 1) < np.abs(times - 1), run, 1.0)
            close = np.abs(times / near - 1) < 0.5
        return np.where(gaps == 0, np.where(close, near, np.nan), found)

    def _again(self, cover: Floats, fixed: NDArray[np.bool_], gap: Days, runs: Days) -> Floats:
        """Figures over closed days that have days in them which other rows tell alone.

        That is an offence: the week must be whole, be too small for the figure by itself where
        the week before was not, and fit without the days.
        """
        rows = np.flatnonzero(~fixed & (gap > 0) & (runs > 1) & (cover < runs))
        if not len(rows):
            return cover
        alone, before = self.weeks(rows, cover), self.weeks(rows - 1, cover)
        daily = np.abs(alone.daily)
        inherited = np.where(before.missing == 0, np.nan_to_num(before.rest), 0.0)
        with np.errstate(invalid="ignore"):
            few = (alone.missing == 0) & (alone.rest < -MARGIN * daily)
            few &= alone.rest - inherited < -MARGIN * daily
        rows, daily = rows[few], daily[few]
        least = FITS_YUAN + FITS_SHARE * daily
        for days in range(2, int(runs[rows].max(initial=1)) + 1):
            week = self.weeks(rows, cover, np.full(len(rows), float(days)))
            with np.errstate(invalid="ignore"):
                fits = (week.missing == 0) & (week.misfit < least)
            fits &= (days > gap[rows]) & (days <= runs[rows])
            cover[rows[fits]] = days
            least = np.where(fits, week.misfit, least)
        return cover

    def _by_later_weeks(
        self, rows: NDArray[np.intp], cover: Floats, gap: Days, runs: Days
    ) -> Floats:
        """What the best known of the weeks after a row says of it; NaN where none does."""
        found = np.full(len(rows), np.nan)
        may = (runs[rows] > 1) & (runs[rows] <= gap[rows])
        rows, at_rows = rows[may], np.flatnonzero(may)
        if not len(rows):
            return found
        as_sum, as_one = cover.copy(), cover.copy()
        as_sum[rows], as_one[rows] = runs[rows], 1.0
        fewest = np.full(len(rows), np.inf)
        for lag in range(1, WEEK):
            at = np.minimum(rows + lag, len(cover) - 1)
            near = (at == rows + lag) & (self.fund[at] == self.fund[rows])
            near &= self.day[at] - self.day[rows] < WEEK
            summed, single = self.weeks(at, as_sum), self.weeks(at, as_one)
            better = near & ~np.isnan(summed.misfit) & (summed.missing < fewest)
            margin = (MARGIN + MARGIN_FOR_UNKNOWN * summed.missing) * np.abs(summed.daily)
            with np.errstate(invalid="ignore"):
                sure = np.abs(summed.misfit - single.misfit) > margin
            says = np.where(summed.misfit < single.misfit, runs[rows], 1.0)
            found[at_rows[better]] = np.where(sure, says, np.nan)[better]
            fewest[better] = summed.missing[better]
        return found

    def _by_habit(
        self,
        rows: NDArray[np.intp],
        cover: Floats,
        decided: NDArray[np.bool_],
        gap: Days,
        runs: Days,
    ) -> Floats:
        """What a fund's other figures over closed days cover; without any, by the size.

        A fund's first row without a yield that tells is one day, or unknown when it is large.
        """
        funds = int(self.fund.max()) + 1
        telling = decided & (runs > 1) & (gap > 1)
        sums = np.bincount(self.fund[telling & (cover > 1)], minlength=funds)
        singles = np.bincount(self.fund[telling & (cover <= 1)], minlength=funds)
        has, merges = (sums + singles) > 0, sums > singles
        fund, run = self.fund[rows], runs[rows].astype(float)
        before = np.maximum(rows - 1, 0)
        usual = self.income[before] / np.where(np.isnan(cover[before]), 1.0, cover[before])
        own = self.income[rows]
        by_size = np.abs(own / run - usual) < np.abs(own - usual)
        sum_of_run = np.where(has[fund], merges[fund], by_size) & (run <= gap[rows])
        first = gap[rows] == 0
        single = np.where(first & (np.abs(own) > 5), np.nan, 1.0)
        return np.where(sum_of_run & ~first, run, single)

    def _unless_single(self, cover: Floats, known: Floats, fixed: NDArray[np.bool_]) -> Floats:
        """Stored sums beside a day of theirs that has come since: the week decides anew."""
        rows = np.flatnonzero(self.overlaps(cover) & fixed & (known > 1))
        if not len(rows):
            return cover
        as_one = self.weeks(rows, cover, np.ones(len(rows))).misfit
        as_sum = self.weeks(rows, cover, cover[rows]).misfit
        with np.errstate(invalid="ignore"):
            cover[rows[as_one < as_sum]] = 1.0
        return cover

    def overlaps(self, cover: Floats) -> NDArray[np.bool_]:
        """Figures that cover a day on which the fund has another row."""
        gap = self.gap
        return np.asarray((gap > 0) & (np.nan_to_num(cover, nan=1.0) > gap))

    def contradicted(
        self, weeks: Weeks, error: Floats, hold_from_pct: float
    ) -> NDArray[np.bool_]:
        """Rows that bring a disagreement with the yield; rows that inherit one do not.

        What a fund's first figure covers is known least: weeks with it convict nobody.
        """
        firsts = np.flatnonzero(self.gap == 0)
        begins = np.repeat(self.day[firsts], np.diff(np.append(firsts, len(self.day))))
        young = begins > self.day - WEEK
        before = np.zeros(len(error))
        before[1:] = np.where(np.diff(self.fund) == 0, np.nan_to_num(error[:-1]), 0.0)
        with np.errstate(invalid="ignore"):
            whole = (np.abs(error) > hold_from_pct) & (
                np.abs(error - before) > hold_from_pct / 2
            )
            daily = np.abs(weeks.daily)
            part = (weeks.missing > 0) | weeks.cut
            # The share of a sum in a week is not exact: its days were not equal.
            slack = np.where(weeks.cut, 3.0, 1.0)
            above = weeks.rest < -(TOO_MUCH_SHARE * daily + 0.05) * slack
            below = weeks.rest > TOO_LITTLE_DAYS * daily * weeks.missing + 0.05
        below &= (self.income < 0) & (weeks.missing > 0)
        return np.asarray((whole & ~young) | (part & (above | below)))
