"""Income of money-market funds over a weekend, through the jobs themselves."""

import dagster as dg
import numpy as np
import pytest

from fund_assets.automation.sensors import repair_sensor
from fund_assets.pipeline.history_gaps import find_gaps
from fund_assets_tests.integration.evenings import Market, checks

#: Friday to Monday; the Tuesday after them.
FRI, SAT, SUN, MON, TUE = 20260918, 20260919, 20260920, 20260921, 20260922


@pytest.fixture(scope="module")
def friday(tmp_path_factory):
    """After Friday's wave, with all histories: a money fund that tells each day, one that tells
    sums, one of which the page alone shows sums."""
    folder = tmp_path_factory.mktemp("friday")
    market = Market(folder, sim_funds=80, sim_years=0.3, sim_seed=45)
    assert market.run("daily_pipeline", "2026-09-18T21:40:00").success
    return market


@pytest.fixture
def market(friday, tmp_path):
    return friday.copy(tmp_path / "market")


def income(market, since=FRI):
    rows = market.table("validated_nav", f"yield_per_10k IS NOT NULL AND nav_date >= {since}")
    return rows.set_index(["fund_code", "nav_date"]).sort_index()


def truth(market, clock, until=MON):
    """(fund, date) → its income as the histories tell it."""
    source = market.platform(clock).source
    found = {}
    for code in market.table("fund_info", "kind = 'money'")["fund_code"]:
        for row in source.history(code, kind="money").observations.itertuples():
            if FRI <= row.nav_date <= until and not np.isnan(row.yield_per_10k):
                found[code, row.nav_date] = row.yield_per_10k
    return found


def repaired(market, clock):
    """What the repair sensor asks for, asked for."""
    platform = market.platform(clock)
    with dg.build_sensor_context(
        instance=market.instance, resources={"platform": platform}
    ) as context:
        tick = repair_sensor.evaluate_tick(context)
    platform.warehouse.close()
    (request,) = tick.run_requests
    codes = request.run_config["ops"]["nav_history"]["config"]["codes"]
    for_them = {"ops": {"nav_history": {"config": {"codes": codes}}}}
    assert market.backfill(clock, for_them).success
    return codes


@pytest.mark.slow
def test_a_weekend_with_the_machine_off_is_made_good_by_the_next_day(market):
    """Stops Saturday's income, which no wave shows any more, from being lost without a word."""
    assert market.run("daily_pipeline", "2026-09-21T21:40:00").success
    before, right = income(market), truth(market, "2026-09-21T21:40:00")
    sunday = before.xs(SUN, level="nav_date")
    assert sorted(sunday["days_covered"]) == [1, 2, 2]
    sums = sunday.index[sunday["days_covered"] == 2]
    assert all((code, SAT) not in before.index for code in sums)
    # Of a sum that the page alone tells, Saturday too: the history has each day.
    lost = {(code, day) for code, day in right if (code, day) not in before.index}
    assert {day for _, day in lost} == {FRI, SAT}, "a late figure of Friday's, and Saturday's"
    noon = market.platform("2026-09-22T12:00:00")
    gaps = find_gaps(noon.warehouse, noon.calendar, noon.now())
    noon.warehouse.close()
    assert {(gap.fund_code, gap.nav_date) for gap in gaps if gap.kind == "money"} == lost
    assert {code for code, _ in lost} <= set(repaired(market, "2026-09-22T12:00:00"))
    after = income(market)
    own = {key: value for key, value in right.items() if key[0] not in sums}
    assert {key: after["yield_per_10k"].get(key) for key in own} == own
    for code in sums:
        told = sum(value for (one, day), value in right.items() if one == code and day != MON)
        have = after.loc[code]["yield_per_10k"]
        assert have[have.index < MON].sum() == pytest.approx(told, abs=1e-4)
    later = market.platform("2026-09-23T12:00:00")
    gaps = find_gaps(later.warehouse, later.calendar, later.now())
    later.warehouse.close()
    assert not [gap for gap in gaps if gap.kind == "money"]


@pytest.mark.slow
def test_sums_and_single_days_end_as_the_history_whichever_comes_first(market, tmp_path):
    """Stops a weekend from counting twice, or a page from taking single days away again, in
    the order page, history, page and in the order history, page."""
    right = truth(market, "2026-09-21T21:40:00")
    source = market.platform("2026-09-21T21:40:00").source.market
    universe, codes = source.universe, [code for code, day in right if day == SAT]
    of = [universe.portfolio[source.index[code]] for code in codes]
    code = next(c for c, p in zip(codes, of, strict=True) if not universe.page_merges[p])
    week_end = round(right[code, SAT] + right[code, SUN], 4)

    def page(frame):
        """As the source shows what a fund has earned since its last disclosure."""
        ours = frame["fund_code"] == code
        changed = frame.copy()
        changed.loc[ours & (frame["nav_date"] == SUN), "yield_per_10k"] = week_end
        empty = ours & (frame["nav_date"] == SAT)
        changed.loc[empty, ["yield_per_10k", "yield_7d_pct"]] = np.nan
        return changed

    other = market.copy(tmp_path / "other")
    assert market.run("daily_pipeline", "2026-09-21T21:40:00", observations=page).success
    first = income(market).loc[code]
    assert first["yield_per_10k"].to_dict()[SUN] == week_end
    assert first["days_covered"].to_dict() == {FRI: 1, SUN: 2, MON: 1}
    config = {"ops": {"nav_history": {"config": {"codes": [code]}}}}
    assert market.backfill("2026-09-21T22:30:00", config).success
    assert other.backfill("2026-09-21T22:30:00", config).success
    for one in (market, other):
        again = one.run("daily_pipeline", "2026-09-21T23:40:00", observations=page)
        assert again.success
        assert not any("R23" in name and not e.passed for (_, name), e in checks(again).items())
    days = {day: right[code, day] for day in (FRI, SAT, SUN, MON)}
    index = []
    for one in (market, other):
        rows = income(one).loc[code]
        assert rows["yield_per_10k"].to_dict() == days
        assert set(rows["days_covered"]) == {1}
        index.append(rows["total_return_index"].to_list())
        assert one.table("nav_quarantine").empty
    assert index[0] == index[1]
    steps = np.diff(np.log(index[0]))
    assert steps == pytest.approx([np.log1p(days[day] / 1e4) for day in (SAT, SUN, MON)])
