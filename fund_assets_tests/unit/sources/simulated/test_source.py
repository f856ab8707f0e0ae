"""The simulated market as a source: what a caller sees at a moment."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import CalendarError, TradingCalendar, from_key, to_key
from fund_assets.schemas.fund_types import kind_of
from fund_assets.schemas.kinds import KINDS
from fund_assets.settings import SHANGHAI, load_settings
from fund_assets.sources.protocol import (
    EVENT_COLUMNS,
    LISTING_COLUMNS,
    OBSERVATION_COLUMNS,
    empty_observations,
)
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.sources.simulated.timeline import Timeline
from fund_assets.transport.errors import EmptyAnswerError, SourceError, UnknownFundError

FRIDAY_EVENING = "2026-11-20 19:00"
FIGURES = ["unit_nav", "acc_nav", "growth_pct", "yield_per_10k", "yield_7d_pct"]


class Clock:
    """A clock that a test moves."""

    def __init__(self, text: str = FRIDAY_EVENING) -> None:
        self.set(text)

    def set(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def calendar() -> TradingCalendar:
    return TradingCalendar.build(invent_until=date(2027, 6, 30))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def market(calendar, clock, n_funds=300, years=3.0, seed=20260104) -> SimulatedSource:
    return SimulatedSource(n_funds, years, seed, calendar, clock)


@pytest.fixture
def source(calendar, clock) -> SimulatedSource:
    return market(calendar, clock)


def all_histories(source: SimulatedSource) -> dict:
    """Histories of every listed fund that has a NAV page."""
    codes = source.fund_list().frame["fund_code"]
    answers = dict(source.histories((code, "") for code in codes))
    return {code: one for code, one in answers.items() if not isinstance(one, SourceError)}


def published(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame[FIGURES].notna().any(axis=1)]


@pytest.mark.parametrize("n_funds", [20, 300, pytest.param(26_000, marks=pytest.mark.slow)])
def test_size_is_exact_and_every_label_is_unique(calendar, clock, n_funds):
    """Stops: a market of another size, two funds under one code or name, a lost kind."""
    source = market(calendar, clock, n_funds)
    frame = source.fund_list().frame
    assert len(frame) == n_funds
    assert list(frame.columns) == LISTING_COLUMNS
    assert frame["fund_code"].is_unique
    assert frame["name"].is_unique
    assert frame["fund_code"].str.fullmatch(r"[0-9]{6}").all()
    assert frame["fund_code"].is_monotonic_increasing
    kinds = set(frame["fund_type"].map(kind_of))
    assert set(KINDS) - {"other"} <= kinds
    wave = source.wave()
    back_end = frame["name"].str.contains("后端")
    seen = set(wave.observations["fund_code"])
    assert not seen & set(frame.loc[back_end, "fund_code"])
    assert seen <= set(frame["fund_code"])
    assert n_funds * 0.9 <= len(seen) < n_funds
    assert not wave.observations.duplicated(["fund_code", "nav_date"]).any()
    assert [payload.endpoint for payload in wave.payloads] == [
        "open_funds",
        "money_funds",
        "exchange_funds",
    ]
    assert 2 * sum(payload.rows for payload in wave.payloads) == len(wave.observations)


def test_shares_of_kinds_are_those_of_the_real_list(calendar, clock):
    """Stops: a market that is nothing like the real one."""
    frame = market(calendar, clock, 26_580).fund_list().frame
    counts = frame["fund_type"].map(kind_of).value_counts()
    real = {"mixed": 9371, "bond": 7198, "index": 5913, "fof": 1207, "equity": 1102}
    real |= {"money": 977, "qdii": 712, "reit": 82}
    for kind, expected in real.items():
        assert counts[kind] == pytest.approx(expected, rel=0.03), kind


def test_names_have_what_makes_real_names_hard(calendar, clock):
    """Stops: names so tame that code which eats characters passes."""
    source = market(calendar, clock, 3000)
    names = source.fund_list().frame["name"]
    for start in ("金", "基"):
        assert names.str.startswith(start).any()
    for part in ("(后端)", "(LOF)", "QDII(LOF)", "(QDII-LOF)", "(美元现汇)", "(FOF)"):
        assert names.str.contains(part, regex=False).any(), part
    frame = source.fund_list().frame.set_index("name")["pinyin"]
    assert frame.str.fullmatch(r"[A-Z0-9]+").all()
    assert (frame.index.str.endswith("C") == frame.str.endswith("C")).mean() > 0.95


def test_frames_have_the_declared_columns_and_types(source):
    """Stops: text in number columns, dates in another form, a missing column."""
    wave = source.wave()
    history = next(iter(all_histories(source).values()))
    expected = empty_observations().dtypes
    for frame in (wave.observations, history.observations):
        assert list(frame.columns) == OBSERVATION_COLUMNS
        pd.testing.assert_series_equal(frame.dtypes, expected)
        assert (frame["defect"] == "").all()
    assert list(history.events.columns) == EVENT_COLUMNS
    assert history.events["ex_date"].dtype == np.int32
    assert history.events["value"].dtype == np.float64
    assert history.observations.index.equals(pd.RangeIndex(len(history.observations)))


def test_same_settings_give_the_same_market_and_another_seed_another(calendar):
    """Stops: hidden state or true randomness."""
    settings = load_settings(sim_funds=40, sim_years=1, clock="2026-11-20T21:00:00")
    one = SimulatedSource.from_settings(settings, calendar)
    two = SimulatedSource.from_settings(settings, calendar)
    pd.testing.assert_frame_equal(one.wave().observations, two.wave().observations)
    assert one.wave().payloads == two.wave().payloads
    assert one.fund_list().payloads == two.fund_list().payloads
    other = SimulatedSource.from_settings(
        load_settings(sim_funds=40, sim_years=1, sim_seed=7, clock="2026-11-20T21:00:00"),
        calendar,
    )
    assert one.wave().payloads[0].sha256 != other.wave().payloads[0].sha256


def test_answers_do_not_depend_on_what_was_asked_before(calendar, clock, source):
    """Stops: values that change with the order, the batch or the company of a question."""
    codes = source.fund_list().frame["fund_code"].tolist()
    together = dict(source.histories((code, "") for code in codes))
    fresh = market(calendar, clock)
    for code in (codes[::-1])[::17]:
        alone = next(fresh.histories([(code, "")]))[1]
        if isinstance(alone, SourceError):
            assert str(alone) == str(together[code])
            continue
        pd.testing.assert_frame_equal(alone.observations, together[code].observations)
        pd.testing.assert_frame_equal(alone.events, together[code].events)
        assert alone.payloads == together[code].payloads
    assert fresh.wave().payloads == source.wave().payloads


def test_growth_does_not_depend_on_where_a_history_begins(clock, source):
    """Stops the first growth of a part of a history from being lost: of funds with two NAVs a
    year the one before lies half a year back."""
    market, minute = source.market, int(Timeline.minute(clock()))
    half_yearly = market.universe.half_yearly[market.universe.portfolio]
    fund = np.flatnonzero(half_yearly)[:1]
    (whole,) = market.nav_histories(fund, 0, minute)
    assert len(whole.day) > 3
    for at in (1, 2, 3):
        (part,) = market.nav_histories(fund, int(whole.day[at]) - 1, minute)
        assert part.growth_pct[0] == whole.growth_pct[at]


def test_time_only_adds_and_corrects(calendar, clock, source):
    """Stops: a past that changes when the clock or the calendar's horizon moves on."""
    early = all_histories(source)
    later_market = market(TradingCalendar.build(invent_until=date(2029, 12, 31)), clock)
    clock.set("2026-12-29 23:00")
    later = dict(later_market.histories((code, "") for code in early))
    key = ["fund_code", "nav_date"]
    before, after = (
        pd.concat((one.observations for one in answers.values()), ignore_index=True)
        for answers in (early, later)
    )
    assert len(after) > len(before) + 200 * 20
    both = before.merge(after, on=key, how="left", suffixes=("", "_later"), indicator=True)
    assert (both["_merge"] == "both").all()
    differing = both["unit_nav"].ne(both["unit_nav_later"]) & both["unit_nav"].notna()
    for row in both[differing].itertuples():
        known = later_market.truth(row.fund_code).corrections["nav_date"]
        assert row.nav_date in set(known), row.fund_code
    assert differing.sum() < 5
    for field in FIGURES:
        same = both.loc[~differing]
        np.testing.assert_array_equal(same[field], same[f"{field}_later"], err_msg=field)
    old, new = (pd.concat(one.events for one in answers.values()) for answers in (early, later))
    gone = old.merge(new, how="left", indicator=True)
    assert len(gone) > 100
    assert (gone["_merge"] == "both").all()


@pytest.mark.parametrize(
    "moment",
    ["2026-11-20 19:00", "2026-11-23 16:30", "2026-10-03 12:00",
     *(pytest.param(moment, marks=pytest.mark.slow)
       for moment in ("2020-02-03 22:00", "2024-01-02 20:00", "2027-03-10 21:30"))],
)  # fmt: skip
def test_wave_shows_what_the_histories_show(calendar, clock, source, moment):
    """Stops: two ways of asking for one NAV that give two answers."""
    clock.set(moment)
    wave = published(source.wave().observations)
    histories = pd.concat(one.observations for one in all_histories(source).values())
    both = wave.merge(
        histories, on=["fund_code", "nav_date"], how="left", suffixes=("", "_history")
    )
    sums = both["fund_code"].isin(page_merging(source))
    sums &= ~calendar.are_sessions(both["nav_date"].to_numpy())
    both.loc[sums, "yield_per_10k_history"] = both.loc[sums, "yield_per_10k"]
    for field in ("unit_nav", "acc_nav", "yield_per_10k", "yield_7d_pct"):
        np.testing.assert_array_equal(both[field], both[f"{field}_history"], err_msg=field)
    newest = both[both["nav_date"] == to_key(source.wave().newest)]
    moving = newest[newest["unit_nav"].notna()]
    np.testing.assert_array_equal(moving["growth_pct"], moving["growth_pct_history"])
    assert (
        both.loc[both["nav_date"] == to_key(source.wave().previous), "growth_pct"].isna().all()
    )
    dates = {to_key(source.wave().newest), to_key(source.wave().previous)}
    unseen = histories[histories["nav_date"].isin(dates) & histories["unit_nav"].notna()]
    listed_page = unseen["fund_code"].isin(source.wave().observations["fund_code"])
    missing = unseen[listed_page].merge(
        wave[["fund_code", "nav_date"]], how="left", indicator=True
    )
    assert (missing["_merge"] == "both").all()


def test_header_changes_at_four_and_never_on_a_closed_day(clock, source):
    """Stops: an early run or a holiday run that looks like a new trading day."""
    for moment, newest, previous in (
        ("2026-11-20 15:59", date(2026, 11, 19), date(2026, 11, 18)),
        ("2026-11-20 16:00", date(2026, 11, 20), date(2026, 11, 19)),
        ("2026-11-21 07:30", date(2026, 11, 20), date(2026, 11, 19)),
        ("2026-11-22 20:00", date(2026, 11, 20), date(2026, 11, 19)),
        ("2026-11-23 09:00", date(2026, 11, 20), date(2026, 11, 19)),
        ("2026-10-04 20:00", date(2026, 9, 30), date(2026, 9, 29)),
        ("2027-03-05 20:00", date(2027, 3, 5), date(2027, 3, 4)),
    ):
        clock.set(moment)
        wave = source.wave()
        assert (wave.newest, wave.previous) == (newest, previous), moment


def test_holiday_changes_nothing_on_the_pages_of_moving_navs(clock, source):
    """Stops: a market that goes on publishing through the National Day holiday."""
    pages = []
    for moment in ("2026-10-01 16:01", "2026-10-04 20:00", "2026-10-08 07:30"):
        clock.set(moment)
        open_funds, money_funds, exchange_funds = source.wave().payloads
        pages.append((open_funds.sha256, exchange_funds.sha256, money_funds.sha256))
    assert pages[0][:2] == pages[1][:2] == pages[2][:2]
    assert len({page[2] for page in pages}) == 3


def test_snapshot_fills_through_the_evening(calendar, clock):
    """Stops: a wave that is complete at once, or one that never is."""
    source = market(calendar, clock, 3000)
    types = source.fund_list().frame.set_index("fund_code")["fund_type"]
    expected = {"16:00": 0.0, "19:00": 0.55, "21:30": 0.85, "23:00": 0.95}
    clock.set("2026-11-21 07:30")
    due = published(source.wave().observations)
    prompt = due[(due["nav_date"] == 20261120) & due["unit_nav"].notna()]
    assert not prompt["fund_code"].map(types).map(kind_of).isin(["qdii", "fof"]).any()
    for time, share in expected.items():
        clock.set(f"2026-11-20 {time}")
        rows = source.wave().observations
        today = rows[(rows["nav_date"] == 20261120) & rows["unit_nav"].notna()]
        assert len(today) / len(prompt) == pytest.approx(share, abs=0.04), time
        assert set(today["fund_code"]) <= set(prompt["fund_code"])
    clock.set("2026-11-23 19:00")
    rows = source.wave().observations
    friday = rows[(rows["nav_date"] == 20261120) & rows["unit_nav"].notna()]
    late = friday["fund_code"].map(types).map(kind_of).isin(["qdii", "fof"])
    assert late.sum() > 100, "QDII and FOF publish on the next session"


def test_not_yet_published_is_blank_and_never_zero(clock, source):
    """Stops: a zero that a pipeline would store as a NAV."""
    clock.set("2026-11-20 16:00")
    rows = source.wave().observations
    today = rows[(rows["nav_date"] == 20261120)]
    assert len(today) > 250
    assert today[FIGURES].isna().all().all()
    frame = pd.concat(one.observations for one in all_histories(source).values())
    assert not (frame[["unit_nav", "acc_nav", "yield_per_10k"]] == 0).any().any()
    assert frame[FIGURES].notna().any(axis=1).all()
    assert not np.isinf(frame[FIGURES]).any().any()


def test_money_funds_publish_every_calendar_day(clock, source):
    """Stops: money funds on trading days only, or with a NAV that moves."""
    clock.set("2026-11-22 23:30")
    money = published(source.wave().observations)
    money = money[money["yield_per_10k"].notna()]
    assert set(money["nav_date"]) == {20261122, 20261121}
    assert money[["unit_nav", "acc_nav", "growth_pct"]].isna().all().all()
    history = source.history(money["fund_code"].iloc[0], kind="money").observations
    last = from_key(int(history["nav_date"].iloc[-1]))
    days = [to_key(last - timedelta(back)) for back in range(len(history) - 1, -1, -1)]
    assert history["nav_date"].tolist() == days


def page_merging(source):
    """Money funds of which the page shows sums of days that their histories tell."""
    universe = source.market.universe
    found = np.flatnonzero(universe.page_merges[universe.portfolio])
    return [universe.code[at] for at in found]


def test_a_page_shows_sums_of_days_that_the_history_tells(clock, source):
    """Stops: pages and histories of money funds that agree more than the real ones do."""
    clock.set("2026-11-22 23:30")
    wave = source.wave().observations
    found = 0
    for code in page_merging(source):
        page = wave[wave["fund_code"] == code].set_index("nav_date")["yield_per_10k"]
        if page.empty or np.isnan(page[20261122]):
            continue
        own = source.history(code, kind="money").observations.set_index("nav_date")
        income = own["yield_per_10k"][[20261121, 20261122]]
        assert np.isnan(page[20261121]) and page[20261122] == pytest.approx(
            income.sum(), abs=1e-9
        )
        assert income.max() < 0.8 * page[20261122]
        found += 1
    assert found >= 1
    clock.set("2026-11-24 20:00")
    wave = source.wave().observations.set_index(["fund_code", "nav_date"])["yield_per_10k"]
    code = page_merging(source)[0]
    own = source.history(code, kind="money").observations.set_index("nav_date")
    assert wave[code, 20261123] == own["yield_per_10k"][20261123], "sessions are told alone"


def test_funds_come_and_go(clock, source):
    """Stops: liquidated funds that stay listed, and new ones with daily NAVs at once."""
    clock.set("2024-06-28 20:00")
    old = source.fund_list().frame
    clock.set(FRIDAY_EVENING)
    new = source.fund_list().frame
    gone = sorted(set(old["fund_code"]) - set(new["fund_code"]))
    come = sorted(set(new["fund_code"]) - set(old["fund_code"]))
    assert len(gone) == len(come) > 5
    assert not set(gone) & set(source.wave().observations["fund_code"])
    for code in gone:
        try:
            days = source.history(code, kind="").observations["nav_date"]
        except UnknownFundError:
            continue
        assert 20240601 < days.iloc[-1] < 20261115, code
    weekly = 0
    for code in come:
        truth = source.truth(code)
        days = source.history(code, kind="").observations["nav_date"].to_numpy()
        if truth.kind in ("money", "reit") or not len(days):
            continue
        assert days[0] == to_key(truth.inception)
        first_month = days[: np.searchsorted(days, to_key(truth.inception + timedelta(35)))]
        assert len(first_month) < 9, code
        weekly += 1
    assert weekly > 3
    with pytest.raises(UnknownFundError, match=come[-1]):
        clock.set("2024-06-28 20:00")
        source.history(come[-1], kind="mixed")


def test_a_fund_being_raised_is_listed_without_type_and_without_nav(calendar, clock):
    """Stops: code that thinks every listed fund has a type and a NAV."""
    source = market(calendar, clock, 3000)
    frame = source.fund_list().frame
    raised = frame.loc[frame["fund_type"] == "", "fund_code"]
    assert 0 < len(raised) < 60
    assert not set(raised) & set(source.wave().observations["fund_code"])
    assert source.history(raised.iloc[0], kind="other").observations.empty


def test_history_reaches_back_as_far_as_documented(calendar, clock):
    """Stops: a first day that drifts with the clock."""
    source = market(calendar, clock, 40, years=2.5)
    firsts = []
    for moment in ("2026-03-02 20:00", "2026-06-25 20:00", "2026-07-10 20:00"):
        clock.set(moment)
        firsts.append(
            min(one.observations["nav_date"].min() for one in all_histories(source).values())
        )
    assert firsts == [20230101, 20230101, 20240101]


def test_unknown_and_pageless_funds_are_refused_by_name(source):
    """Stops: an empty answer for a code that does not exist."""
    with pytest.raises(UnknownFundError, match="'999998'"):
        source.history("999998", kind="mixed")
    frame = source.fund_list().frame
    twin = frame[frame["name"].str.contains("后端")].iloc[0]
    with pytest.raises(UnknownFundError, match=twin["fund_code"]):
        source.history(twin["fund_code"], kind="mixed")
    ok = frame["fund_code"].iloc[0]
    answers = list(source.histories([(ok, ""), ("1", ""), (ok, "")]))
    assert [code for code, _ in answers] == [ok, "1", ok]
    assert isinstance(answers[1][1], UnknownFundError)


def test_clock_outside_the_market_is_refused(calendar, clock, source):
    """Stops: answers about days that nobody knows."""
    clock.set("2027-07-01 10:00")
    with pytest.raises(CalendarError, match="2027-06-30"):
        source.wave()
    clock.set("2004-12-31 10:00")
    with pytest.raises(SourceError, match="2005-01-01"):
        source.fund_list()
    clock.set("2005-01-02 10:00")
    with pytest.raises(EmptyAnswerError):
        source.wave()


def test_last_day_of_the_calendar_is_served(clock):
    """Stops: an index error on the last day before the exchange announces a new year."""
    clock.set("2026-12-31 23:00")
    source = market(TradingCalendar.build(), clock)
    wave = source.wave()
    assert (wave.newest, wave.previous) == (date(2026, 12, 31), date(2026, 12, 30))
    assert len(published(wave.observations)) > 400
    for code in wave.observations["fund_code"].unique()[::10]:
        assert source.truth(code).index["nav_date"].max() <= 20261231


def test_time_zone_of_the_clock_does_not_matter(calendar, clock, source):
    """Stops: dates taken from the machine's zone."""
    utc = market(calendar, lambda: datetime.fromisoformat("2026-11-20T11:00:00+00:00"))
    assert utc.wave().payloads == source.wave().payloads
