"""The parts below the metrics: how series are built, windows named and loops compiled."""

import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from fund_assets import metrics
from fund_assets.calendar import days_to_keys, keys_to_days
from fund_assets.metrics import FundSeries, SeriesError, compute_metrics
from fund_assets.metrics.jit import compiled
from fund_assets.metrics.kernel import NO_DAY, RESULT
from fund_assets.metrics.windows import start_days
from fund_assets.schemas.tables import FUND_METRICS
from fund_assets_tests.unit.metrics_reference import start_of


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
        ([20260105, 20260230], [1.0, 1.1], "000009: 20260230 is no date"),
        ([20260105, 20458], [1.0, 1.1], "000009: 20458 is no date"),
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
    page = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text("utf-8")
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
