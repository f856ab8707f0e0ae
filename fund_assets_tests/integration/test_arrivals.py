"""An evening's arrivals beside those of earlier ones: counted after each wave, and told."""

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest

from fund_assets.calendar import TradingCalendar, from_key, to_key
from fund_assets.nav.arrivals import ALL, Look, below_band, is_waited_for, peers_of
from fund_assets.pipeline.arrivals import count_arrivals, lagging
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import ARRIVAL
from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.timeline import ORIGIN
from fund_assets.warehouse.queries import arrivals as arrival_queries
from fund_assets.warehouse.stores.arrivals import write_looks
from fund_assets_tests.integration.evenings import Market, cases, checks, failure
from fund_assets_tests.integration.test_cadence import Evenings

THURSDAY, AT = 20260917, 20260917_214000
CALENDAR = TradingCalendar.build()
TYPE = "混合型-偏股"


def test_each_wave_is_counted_once_by_type_and_date(first_evening):
    """Stops an evening from being counted by other funds than the coverage of its kinds, and a
    second time when nothing has come."""
    market, _ = first_evening
    stored = market.table("arrival")
    ARRIVAL.schema.validate(stored)
    assert set(stored["looked_at"]) == {AT}
    dates = {ago: to_key(CALENDAR.before(from_key(THURSDAY), ago)) for ago in range(4)}
    assert set(zip(stored["sessions_ago"], stored["nav_date"], strict=True)) == set(
        dates.items()
    )
    funds = market.table("fund_info", "status = 'listed'").set_index("fund_code")
    there = market.table("validated_nav", f"nav_date = {THURSDAY}")["fund_code"]
    cadence = market.table("fund_cadence").set_index("fund_code")["due_thursday"]
    counted = Counter(
        peers_of(funds.loc[code, "kind"], funds.loc[code, "fund_type"])
        for code in there
        if code in funds.index and cadence.get(code, 1.0) > 0
    )
    newest = stored[stored["sessions_ago"] == 0].set_index("peers")["published"].to_dict()
    everyone = newest.pop(ALL)
    waited = {name: n for name, n in newest.items() if n}
    reits = sum(n for name, n in counted.items() if name == "Reits")
    assert waited == {name: n for name, n in counted.items() if name != "Reits"}
    assert everyone == sum(waited.values()) + reits > 20
    assert count_arrivals(market.warehouse, CALENDAR) == 0, "no wave came since"
    assert lagging(market.warehouse) == (0, []), "a first evening has none before it"


@pytest.mark.slow
def test_a_type_that_is_missing_is_told_until_it_has_come(tmp_path):
    """Stops a type that the source forgets from going unseen among a market that is there, and
    the other types, of which nothing is missing, from being told with it."""
    market = Market(tmp_path, sim_funds=300, sim_years=0.5)
    result = market.run("daily_pipeline", "2026-09-17T21:40:00")
    assert result.success, failure(result)
    usual = [look for look in arrival_queries.looks(market.warehouse, 0) if look.ago == 0]
    before = [to_key(day) for day in CALENDAR.between(date(2026, 8, 3), date(2026, 9, 16))]
    past = [
        one._replace(nav_date=day, looked_at=day * 1_000_000 + at)
        for one in usual
        for day in before
        for at in (214_000, 230_000)
    ]
    write_looks(market.warehouse, past, 0)
    funds = market.table("fund_info", f"fund_type = '{TYPE}'")["fund_code"]

    def forgets(frame):
        gone = frame["fund_code"].isin(funds) & (frame["nav_date"] == 20260918)
        frame = frame.copy()
        frame.loc[gone, OBSERVED_NAMES] = np.nan
        return frame

    result = market.run("daily_pipeline", "2026-09-18T21:40:00", observations=forgets)
    assert result.success, failure(result)
    told = checks(result)["validated_nav", "arrival_band"]
    assert (told.passed, told.severity.value) == (False, "WARN")
    assert told.metadata["failed"].value == 1 < told.metadata["looked_at"].value
    assert cases(told).startswith(f"{TYPE} of 2026-09-18: 0 of ")
    assert "a wave in which the missing NAVs have come" in str(told.metadata["lifted_by"].value)
    result = market.run("daily_pipeline", "2026-09-18T23:00:00")
    told = checks(result)["validated_nav", "arrival_band"]
    assert told.passed and told.metadata["looked_at"].value > 0
    market.close()


#: Waves of an evening, and of the next morning.
WAVES = (19 * 60, 21 * 60 + 30, 23 * 60, 31 * 60 + 30)


def counts(year: Evenings, first: int, last: int) -> list[Look]:
    """The looks at some evenings of a year, in their order."""
    kinds = year.kinds.tolist()
    breeds = year.universe.breed[year.portfolios]
    peers = np.array(
        [peers_of(k, BREEDS[b].fund_type) for k, b in zip(kinds, breeds, strict=True)]
    )
    names = sorted(set(peers))
    kind_of = dict(zip(peers, kinds, strict=True))
    member = np.array([peers == name for name in names], dtype=float)
    found = []
    for at in range(first, last):
        due = np.nan_to_num(year.cadence(at, year.seen(at)).due_of(year.codes), nan=1.0)
        for minutes in WAVES:
            now = int(year.days[at]) * 1440 + minutes
            day, minute = divmod(now, 1440)
            stamp = to_key(ORIGIN + timedelta(days=day)) * 1_000_000
            stamp += minute // 60 * 10_000 + minute % 60 * 100
            for ago in range(4):
                some = slice(at - ago - 24, at - ago + 1)
                there = year.there[:, some] & (year.published_at[:, some] <= now)
                key = int(year.keys[at - ago])
                share = due[:, from_key(key).weekday()] * there.any(axis=1)
                published = member @ (there[:, -1] & (share > 0))
                expected = member @ share
                found += [
                    Look(key, stamp, ago, name, int(n), float(d))
                    for name, n, d in zip(names, published, expected, strict=True)
                    if is_waited_for(kind_of[name], ago)
                ]
    return found


@pytest.mark.slow
def test_in_a_year_no_type_is_told_and_one_that_is_missing_is():
    """Stops FOF and QDII, types of few funds, Fridays and holidays from lying below their band
    on an ordinary evening; and a FOF type that does not come from lying within it."""
    year = Evenings(20250501, 20260930, 1_500)
    looks = counts(year, 100, len(year.days) - 1)
    stamps = sorted({look.looked_at for look in looks})
    kept = [look for look in looks if look.looked_at >= stamps[0]]
    compared = Counter()
    by_time: dict[int, list[Look]] = {}
    for look in kept:
        by_time.setdefault(look.looked_at, []).append(look)
    for n in range(60, len(stamps), 9):
        window = [one for stamp in stamps[max(n - 260, 0) : n + 1] for one in by_time[stamp]]
        count, below = below_band(window)
        assert below == [], [one.words for one in below]
        compared["looks"] += count
    assert compared["looks"] > 1_500
    # A type is missing on its evening: FOF come a session later.
    last = [stamp for stamp in stamps if stamp % 1_000_000 == 230_000][-1]
    gone = [
        one._replace(published=0)
        if one.looked_at == last and one.peers == "FOF-稳健型"
        else one
        for stamp in stamps[-260:]
        if stamp <= last
        for one in by_time[stamp]
    ]
    _, below = below_band(gone)
    assert {(one.look.peers, one.look.ago) for one in below} == {
        ("FOF-稳健型", 1), ("FOF-稳健型", 2), ("FOF-稳健型", 3),
    }  # fmt: skip
