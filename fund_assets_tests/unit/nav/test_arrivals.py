"""What is usual at a time of the evening, and what lies below it."""

import pytest

from fund_assets.calendar import TradingCalendar, from_key, to_key
from fund_assets.nav.arrivals import (
    ALL,
    Band,
    Look,
    band_of,
    below_band,
    is_waited_for,
    peers_of,
)

CALENDAR = TradingCalendar.build()
SESSIONS = [
    to_key(day) for day in CALENDAR.between(from_key(20260601), from_key(20260918))
]  # the last is a Friday
TYPE, LAST = "FOF-稳健型", SESSIONS[-1]


def look(date, share, *, at=190_000, ago=0, peers=TYPE, due=1_000.0):
    return Look(date, date * 1_000_000 + at, ago, peers, round(share * due), due)


def evenings(share, count=40, **more):
    """Looks at the last dates before LAST, each with the share of its number from the oldest."""
    return [look(date, share(n), **more) for n, date in enumerate(SESSIONS[-1 - count : -1])]


def test_a_band_is_of_medians_of_the_same_weekday():
    """Stops Mondays from being measured by Fridays while there are enough Mondays."""
    other = [look(date, 0.1) for date in SESSIONS[-41:-1] if from_key(date).weekday() != 4]
    fridays = [date for date in SESSIONS[-41:-1] if from_key(date).weekday() == 4]
    fridays = fridays[-7:]
    shares = [0.40, 0.44, 0.47, 0.50, 0.52, 0.56, 0.60]
    own = [look(date, share) for date, share in zip(fridays, shares, strict=True)]
    band = band_of(other + own, look(LAST, 0.5, due=1_000_000.0))
    assert (band.usual, band.evenings) == (0.5, 7)
    # Half of them are within 0.06 of it; chance explains 0.002 of a million funds.
    assert band.lowest == pytest.approx(0.5 - 4 * 0.06 - 0.002)


def test_with_few_evenings_of_a_weekday_all_weekdays_count_and_below_five_none():
    """Stops a young platform from having no band for a month, or one of two evenings."""
    some = [look(date, 0.5) for date in SESSIONS[-13:-1]]
    assert band_of(some, look(LAST, 0.5)).evenings == 12, "two Fridays are too few"
    assert band_of(some[-5:], look(LAST, 0.5)).evenings == 5
    assert band_of(some[-4:], look(LAST, 0.5)) is None


def test_only_looks_at_the_same_time_are_compared():
    """Stops a wave at 19:00 from being measured by those at 23:00, or on the next day."""
    usual = evenings(lambda n: 0.5)
    late = evenings(lambda n: 1.0, at=230_000)
    later = evenings(lambda n: 0.9, ago=1)
    some = [*usual, *late, *later]
    assert band_of(some, look(LAST, 0.5)).usual == 0.5
    assert band_of(some, look(LAST, 0.5, at=192_900)).usual == 0.5
    assert band_of(some, look(LAST, 0.5, at=193_100)) is None
    assert band_of(some, look(LAST, 0.5, at=235_900)) is None
    assert band_of(some, look(LAST, 0.5, ago=1)).usual == 0.9
    near_midnight = evenings(lambda n: 0.7, at=235_500)
    assert band_of(near_midnight, look(LAST, 0.7, at=500)).usual == 0.7


def test_of_two_waves_of_an_evening_the_nearer_one_counts():
    """Stops a wave that somebody ran by hand from changing what is usual."""
    some = [*evenings(lambda n: 0.5), *evenings(lambda n: 0.3, at=184_000)]
    assert band_of(some, look(LAST, 0.5)).usual == 0.5
    assert band_of(some, look(LAST, 0.5, at=183_500)).usual == 0.3


@pytest.mark.parametrize("bad", [0, 1, 3])
def test_bad_evenings_before_move_a_band_little(bad):
    """Stops one evening on which the source failed from making the next failure usual."""
    some = evenings(lambda n: 0.0 if n >= 40 - 5 * bad else 0.6)
    band = band_of(some, look(LAST, 0.6))
    assert (band.usual, band.evenings) == (0.6, 8)
    assert band.lowest == pytest.approx(0.6 - 0.08 - 4 * (0.24 / 1_000) ** 0.5)


def test_the_band_is_as_wide_as_few_funds_and_chance_make_it():
    """Stops a portfolio that halts from making its small type late, and chance from doing so."""
    surely = 0.95 * 0.05
    great = band_of(evenings(lambda n: 1.0), look(LAST, 1.0))
    assert great == Band(1.0, pytest.approx(1 - 0.08 - 4 * (surely / 1_000) ** 0.5), 8)
    small = evenings(lambda n: 1.0, due=25.0)
    assert band_of(small, look(LAST, 1.0, due=25.0)).lowest == pytest.approx(
        1 - 5 / 25 - 4 * (surely / 25) ** 0.5
    )
    half = evenings(lambda n: 0.5, due=100.0)
    assert band_of(half, look(LAST, 0.5, due=100.0)).lowest == pytest.approx(0.5 - 0.08 - 0.2)


def test_a_type_that_is_missing_is_told_with_its_figures():
    """Stops a type that does not come, while the rest of the market does, from going unseen."""
    some = [
        one for peers in (TYPE, "股票型", ALL) for one in evenings(lambda n: 0.5, peers=peers)
    ]
    now = [look(LAST, 0.0), look(LAST, 0.5, peers="股票型"), look(LAST, 0.0, peers=ALL)]
    compared, below = below_band([*some, *now])
    assert compared == 2, "of all funds together no band is told"
    assert [one.words for one in below] == [
        "FOF-稳健型 of 2026-09-18: 0 of 1,000 funds (0.0%) by 09-18 19:00; "
        "usual 50.0%, at least 35.7% on 8 evenings"
    ]
    compared, below = below_band([*some, *now, look(LAST, 0.95, at=230_000)])
    assert (compared, below) == (0, []), "the newest wave is judged: at 23:00 none was seen yet"
    assert below_band([]) == (0, [])


def test_a_type_with_few_funds_that_are_due_is_not_compared():
    """Stops a type of a handful of funds, or one that rests that day, from being told."""
    some = evenings(lambda n: 1.0, due=20.0)
    assert below_band([*some, look(LAST, 0.0, due=20.0)])[0] == 1
    assert below_band([*some, look(LAST, 0.0, due=19.9)]) == (0, [])
    assert band_of(evenings(lambda n: 1.0, due=19.0), look(LAST, 0.0, due=20.0)) is None


def test_a_share_is_of_the_funds_that_are_due():
    """Stops a type that is due on no Monday from being missing on Mondays, and one of which
    more come than are due from being more than whole."""
    assert [look(LAST, share, due=40.0).share for share in (0.25, 1.0, 1.5)] == [0.25, 1.0, 1.0]
    assert Look(LAST, 0, 0, TYPE, 0, 0.0).share == 1.0


def test_which_dates_are_still_waited_for():
    """Stops FOF and QDII, which come days later, from being left out, and REITs from being
    waited for each evening."""
    waited = {kind: [ago for ago in range(5) if is_waited_for(kind, ago)]
              for kind in ("mixed", "fof", "qdii", "reit")}  # fmt: skip
    assert waited == {"mixed": [0, 1], "fof": [0, 1, 2, 3], "qdii": [0, 1, 2, 3], "reit": []}


def test_funds_of_undeclared_types_are_counted_by_kind():
    """Stops a type that the source invents from having no band."""
    assert peers_of("fof", TYPE) == TYPE
    assert peers_of("fof", "FOF-新型") == "fof"
