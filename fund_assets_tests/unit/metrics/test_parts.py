"""The parts below the metrics: how series are built, windows named and loops compiled."""

import re
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fund_assets import metrics
from fund_assets.calendar import days_to_keys, keys_to_days
from fund_assets.metrics import FundSeries, SeriesError, compute_metrics, kernel, of_series
from fund_assets.metrics.jit import compiled
from fund_assets.metrics.kernel import NO_DAY, RESULT, _periods_per_year
from fund_assets.metrics.windows import start_days
from fund_assets.schemas.age import VALUE_AGE_DAYS
from fund_assets.schemas.tables import FUND_METRICS
from fund_assets_tests.unit.metrics.reference import start_of


def test_rows_in_any_order_give_the_same_series():
    """Stops rows that land with another fund, or stay out of date order."""
    rng = np.random.default_rng(3)
    codes = np.repeat([7, 110022, 999999, 0], [40, 1, 300, 20])
    dates = np.concatenate([np.sort(rng.choice(9000, n, False)) for n in (40, 1, 300, 20)])
    dates = days_to_keys(dates + 8000)
    values = rng.random(len(codes)) + 0.5
    order = np.lexsort((dates, codes))
    for shuffled in (np.arange(len(codes)), order[::-1], rng.permutation(len(codes))):
        series = FundSeries.from_rows(codes[shuffled], dates[shuffled], values[shuffled])
        assert series.codes.tolist() == [0, 7, 110022, 999999]
        assert series.offsets.tolist() == [0, 20, 60, 61, 361]
        assert days_to_keys(series.days).tolist() == dates[order].tolist()
        assert series.values.tolist() == values[order].tolist()
    assert (len(series), series.rows) == (4, 361)


def test_chunks_give_the_same_series_as_the_whole():
    """Stops chunks that overwrite each other, and read-only or wider columns refused."""
    rng = np.random.default_rng(4)
    days = np.repeat(np.arange(20_000, 20_050), 30)
    codes = np.tile(rng.choice(1_000_000, 30, False), 50)
    values = rng.random(1500) + 0.1
    whole = FundSeries.from_rows(codes, days_to_keys(days), values)
    values.flags.writeable = False
    present, counts = np.unique(codes, return_counts=True)
    columns = (codes.astype(np.int64), days_to_keys(days), values)
    chunks = ([column[at : at + 170] for column in columns] for at in range(0, 1500, 170))
    parts = FundSeries.from_chunks(present[::-1], counts[::-1], chunks)
    for name in ("codes", "offsets", "days", "values"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_codes_may_be_text():
    """Stops leading zeros from being lost, or a code of another form from passing."""
    series = FundSeries.from_rows(["000001", "110022"], [20260105, 20260105], [1.0, 2.0])
    assert series.codes.tolist() == [1, 110022]
    for wrong in ("1", "00000１", "00000a", "", "1000000"):
        with pytest.raises(SeriesError, match="six digits"):
            FundSeries.from_rows(["000001", wrong], [20260105] * 2, [1.0, 1.0])
    for number in (-1, 1_000_000):
        with pytest.raises(SeriesError, match=f"{number} is not six digits"):
            FundSeries.from_rows([number], [20260105], [1.0])


@pytest.mark.parametrize(
    ("dates", "values", "message"),
    [
        ([20260105, 20260105], [1.0, 1.1], "000009 has two rows on 20260105"),
        ([20260105, 20260230], [1.0, 1.1], "000009: 20260230 is not a date"),
        ([20260105, 20458], [1.0, 1.1], "000009: 20458 is not a date"),
        ([20260105, 20260106], [1.0, 0.0], "000009 on 20260106: total-return index 0.0 is not"),
        ([20260105, 20260106], [-1.0, 1.0], "000009 on 20260105: total-return index -1.0"),
        ([20260105, 20260106], [1.0, np.nan], "index nan is not positive and finite"),
        ([20260105, 20260106], [1.0, np.inf], "index inf is not positive and finite"),
    ],
)
def test_rows_that_are_no_series_are_refused_by_name(dates, values, message):
    """Stops bad rows from turning into silent nonsense in a compiled loop."""
    with pytest.raises(SeriesError, match=message):
        FundSeries.from_rows([9, 9], dates, values)


def test_a_read_that_changes_or_breaks_off_is_noticed():
    """Stops metrics on a part of the rows when a stream ends early."""
    chunk = ([5, 6], [20260105, 20260105], [1.0, 1.0])
    with pytest.raises(SeriesError, match=r"1 funds have fewer rows .* 000006: 1 of 2"):
        FundSeries.from_chunks([5, 6], [1, 2], [chunk])
    with pytest.raises(SeriesError, match="000006 on 20260105: more rows than counted"):
        FundSeries.from_chunks([5, 6], [2, 0], [chunk])
    with pytest.raises(SeriesError, match="000006 on 20260105: more rows than counted"):
        FundSeries.from_chunks([5], [1], [chunk])


def test_every_date_is_placed_on_its_day():
    """Stops an error in the date table: leap years, centuries, month ends."""
    days = np.arange(0, 47_000, 13, dtype=np.int32)
    series = FundSeries.from_rows(np.zeros(len(days), int), days_to_keys(days), days + 1.0)
    assert series.days.tolist() == days.tolist()


@pytest.mark.parametrize(
    ("last", "window", "start"),
    [
        (20240531, "3m", 20240229),
        (20250531, "3m", 20250228),
        (20240229, "1y", 20230228),
        (20250331, "1m", 20250228),
        (20260105, "1m", 20251205),
        (20260115, "3y", 20230115),
        (20251231, "ytd", 20241231),
        (20260101, "ytd", 20251231),
        (20260427, "1w", 20260420),
        (20260303, "7d", 20260224),
    ],
)
def test_windows_start_on_the_same_calendar_day(last, window, start):
    """Stops an overflow into the next month where the month is shorter."""
    days = start_days(keys_to_days(np.array([last])), [window])
    assert days_to_keys(days).tolist() == [[start]]


def test_windows_start_right_for_every_last_day():
    """Stops calendar arithmetic that fails on some day of some year."""
    days = np.arange(7_300, 25_000, dtype=np.int32)
    windows = ["1m", "3m", "6m", "1y", "3y", "5y", "ytd", "2w"]
    epoch = date(1970, 1, 1)
    expected = [
        [(start_of(w, epoch + timedelta(days=int(d))) - epoch).days for w in windows]
        for d in days
    ]
    np.testing.assert_array_equal(start_days(days, windows), expected)


def test_inception_has_no_start_day_and_unknown_windows_are_refused():
    """Stops a mistyped window from becoming an empty column."""
    assert start_days(np.array([20_000], np.int32), ["inception"]).tolist() == [[NO_DAY]]
    for wrong in ("3M", "m", "0m", "", "3 m", "quarter", "1000y"):
        with pytest.raises(ValueError, match="unknown window"):
            start_days(np.array([20_000], np.int32), [wrong])


def test_loops_compile_where_no_machine_code_can_be_kept():
    """Stops an installation that cannot be imported from a read-only folder."""
    space = {}
    exec("def twice(x):\n    return 2 * x", space)  # a function of no file has no cache folder
    assert compiled(space["twice"])(21) == 42


def test_every_result_is_explained_where_people_look():
    """Stops a new measure without a formula in the docstring and on the page."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "metrics.md").read_text("utf-8")
    told = set(re.findall(r"\w+", compute_metrics.__doc__))
    told |= {f"max_drawdown{end}" for end in told if end.startswith("_")}
    for name in set(RESULT.names) & set(FUND_METRICS.names):
        assert f"`{name}`" in page, name
        assert name in told, name
    for public in set(metrics.__all__) - {"DEFINITION_VERSION"}:
        assert getattr(metrics, public).__doc__, public


def test_a_sum_over_days_is_so_many_equal_days():
    """Stops weekend sums of money funds from passing for a day's return, from having no known
    frequency, and from being spread before they were known."""
    every = list(range(20_001, 20_399))
    days = [day for day in every if day % 7 != 1]
    gaps = np.diff(days, prepend=days[0] - 1)
    daily = 0.00005 * (1 + 0.1 * np.sin(np.arange(len(days))))
    summed = np.cumprod((1 + daily) ** gaps)
    dates = days_to_keys(np.array(days, np.int32))
    other = np.cumprod(np.full(len(days), 1.001))
    codes = np.repeat([9, 161725], len(days))
    series = FundSeries.from_rows(codes, np.tile(dates, 2), np.append(summed, other))
    last = int(dates[-1])
    told = compute_metrics(series, last, ["1y"]).set_index("fund_code")
    assert told.loc["000009", "reason"].startswith("risk measures: ")
    spread = series.by_day(["000009", "000010"], 16, last)
    assert spread.offsets.tolist() == [0, len(every), len(every) + len(days)]
    ours = slice(0, len(every))
    assert spread.days[ours].tolist() == every
    kept = np.isin(spread.days[ours], days)
    assert (spread.values[ours][kept] == summed).all()
    expected = np.repeat(daily, gaps)[1:]
    assert np.diff(spread.values[ours]) / spread.values[ours][:-1] == pytest.approx(expected)
    assert (spread.days[ours.stop :] == days).all()
    assert (spread.values[ours.stop :] == other).all()
    found = compute_metrics(spread, last, ["1y"]).set_index("fund_code")
    one = found.loc["000009"]
    assert (one["periods_per_year"], one["observations"]) == (365, 365)
    assert "risk measures" not in one["reason"]
    assert one["best_day"] == pytest.approx(daily.max(), rel=1e-6)
    assert one["annualized_volatility"] == pytest.approx(
        np.std(expected[-365:], ddof=1) * 365**0.5, rel=1e-6
    )
    assert one["total_return"] == pytest.approx(summed[-1] / spread.values[ours][-366] - 1)
    early = series.by_day(["000009"], 16, int(dates[9]))
    assert early.days[: 10 + (gaps[:10] - 1).sum()].tolist() == list(
        range(every[0], days[9] + 1)
    )
    assert early.rows == series.rows + (gaps[:10] - 1).sum()
    assert series.by_day(["000010"], 16, last) is series


def needs_in_docs():
    """Measure → (returns, what else) by the table of docs/metrics.md."""
    text = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text("utf-8")
    part = text.split("### How many returns each needs")[1].split("### ")[0]
    rows = re.findall(r"^\| (`.*`) \| ([0-9]+) \| ?(.*?) ?\|$", part, re.MULTILINE)
    return {
        name: (int(least), more)
        for names, least, more in rows
        for name in re.findall("`([a-z0-9_]+)`", names)
    }


def of_returns(returns, benchmark=None):
    """The metrics since inception of an index with these returns, day after day."""
    days = pd.DatetimeIndex(BUSINESS_DAYS[: len(returns) + 1])
    value = pd.Series(np.cumprod([1.0, *(1 + r for r in returns)]), days)
    against = None
    if benchmark is not None:
        against = pd.Series(np.cumprod([1.0, *(1 + r for r in benchmark)]), days)
    return of_series(value, ["inception"], benchmark=against).loc["inception"]


BUSINESS_DAYS = pd.date_range("2023-01-03", "2024-12-31", freq="B")
UP_AND_DOWN = [0.011, -0.012, 0.003, -0.007, 0.009] * 60


def test_how_many_returns_each_measure_needs_is_as_the_docs_say():
    """Stops the page and the code from reading a limit in two ways: each measure is NULL with one
    return less and there with as many, where the rest of its conditions hold."""
    needs = needs_in_docs()
    others = {"start_date", "end_date", "reasons", "observations", "gap_steps", "risk_free_rate",
              "max_drawdown_peak", "max_drawdown_trough", "max_drawdown_recovery",
              "max_drawdown_days"}  # fmt: skip
    assert set(needs) == set(RESULT.names) - others
    other = [r / 2 + 0.001 * (-1) ** n for n, r in enumerate(UP_AND_DOWN)]
    rows = {n: of_returns(UP_AND_DOWN[:n], benchmark=other[:n]) for n in (1, 9, 10, 11)}
    for name, (least, more) in needs.items():
        if any(words in more for words in ("365", "whole month", "weekly")):
            continue
        there = {n: not pd.isna(row[name]) for n, row in rows.items()}
        assert there == {n: n >= least for n in rows}, name
    assert [rows[n]["observations"] for n in rows] == [1, 9, 10, 11]
    # A year with two NAVs: one step, which tells no rhythm.
    days = pd.DatetimeIndex(["2023-01-03", "2024-01-03"])
    year = of_series(pd.Series([1.0, 0.9], days), ["inception"]).loc["inception"]
    assert year["annualized_return"] == pytest.approx(-0.1)
    assert year["calmar_ratio"] == pytest.approx(-1.0)
    assert pd.isna(year["annualized_volatility"]) and year["observations"] == 1
    days = pd.DatetimeIndex(["2023-01-03", "2024-01-02"])
    short = of_series(pd.Series([1.0, 0.9], days), ["inception"])
    assert short["annualized_return"].isna().all()
    for weeks, there in ((10, False), (11, True)):  # of which the first only begins
        days = 5 * weeks - 2  # 2023-01-03 was a Tuesday
        row = of_returns([r + 1e-4 * n for n, r in enumerate(UP_AND_DOWN[:days])])
        assert (not pd.isna(row["volatility_weekly"])) == there
        assert (not pd.isna(row["sharpe_weekly"])) == there
    long = of_returns(UP_AND_DOWN, benchmark=other)
    assert not pd.isna(long["alpha"]) and not pd.isna(long["month_win_rate"])


def test_the_ulcer_index_is_over_steps():
    """Stops the first day, on which nothing can have fallen, from being counted."""
    row = of_returns([-0.1, 0.0, 0.05])
    falls = [-0.1, -0.1, 0.9 * 1.05 - 1]
    assert row["ulcer_index"] == pytest.approx(np.sqrt(np.square(falls).mean()))


def test_deviations_of_nothing_are_zero():
    """Stops the rounding of equal returns from being told as a tracking error, or divided by."""
    same = of_returns(UP_AND_DOWN[:50], benchmark=UP_AND_DOWN[:50])
    assert same["tracking_error"] == 0.0 and pd.isna(same["information_ratio"])
    assert "information_ratio: returns equal those of" in same["reason"]
    steady = of_returns([0.0001] * 50)
    assert steady["annualized_volatility"] == 0.0 and pd.isna(steady["sharpe_ratio"])
    assert steady["downside_deviation"] == 0.0 and pd.isna(steady["sortino_ratio"])
    assert steady["observations"] == 50 and steady["periods_per_year"] == 250.0


@pytest.mark.parametrize("n", [50, 100, 200])
@pytest.mark.parametrize(
    ("shares", "periods"),
    [
        # Percent of gaps of one day, of at most four, of 5 to 9, of 5 to 16, and of weekend NAVs.
        ((90, 100, 0, 0, 20), 365.0),
        ((88, 100, 0, 0, 20), None),
        ((90, 100, 0, 0, 18), None),
        ((60, 90, 0, 0, 10), 250.0),
        ((58, 90, 0, 0, 10), None),
        ((60, 88, 0, 0, 10), None),
        ((60, 90, 0, 0, 12), None),
        ((100, 100, 0, 0, 0), 250.0),
        ((0, 0, 70, 90, 0), 52.0),
        ((0, 0, 68, 90, 0), None),
        ((0, 0, 70, 88, 0), None),
    ],
)
def test_the_limits_of_a_rhythm(n, shares, periods):
    """Stops risk from being scaled by a factor that a fund's own dates do not have."""
    names = ("one_day", "short", "week", "weeks", "weekend")
    sums = SimpleNamespace(
        **{name: share * n // 100 for name, share in zip(names, shares, strict=True)}
    )
    found = _periods_per_year.py_func(n, sums)
    assert found == periods if periods else np.isnan(found)


def test_one_age_holds_for_windows_months_peers_and_trials():
    """Stops a fund from having a return of a window whose start is no month's end of it."""
    assert kernel.START_TOLERANCE_DAYS == VALUE_AGE_DAYS


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("metrics.md", r"(\d+)(?: calendar)? days old"),
        ("weekly.md", r"(\d+) days old"),
        ("zh/metrics.md", r"早 (\d+) (?:天|个日历日)"),
    ],
)
def test_pages_have_the_age_of_the_measures(page, words):
    """Stops a page from telling another age than the one that is computed with."""
    text = " ".join((Path(__file__).parents[3] / "docs" / page).read_text("utf-8").split())
    assert set(re.findall(words, text)) == {str(VALUE_AGE_DAYS)}
