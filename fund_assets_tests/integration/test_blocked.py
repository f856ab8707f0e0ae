"""Bad batches and bad values through the whole pipeline: what is stopped, and in which words."""

from dataclasses import replace

import numpy as np
import pytest

from fund_assets.calendar import from_key
from fund_assets.nav.history import HistoryChoice
from fund_assets.pipeline.fund_nav import collect_wave
from fund_assets.pipeline.history_gaps import to_settle
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.pipeline.validated_nav import judge_waiting, validate
from fund_assets.transport.errors import TransportError
from fund_assets_tests.integration.evenings import (
    COUNTS,
    FRIDAY,
    THURSDAY,
    Market,
    cases,
    checks,
    executed,
    failure,
    metadata,
)

#: What a run collects before any rule judges it.
COLLECTED = {"fund_info", "fund_events", "fund_nav", "fund_benchmark", "benchmark_index"}
PUBLIC = ("validated_nav", "nav_revision", "fund_metrics", "publish_log")
INF = float("inf")


def half(frame):
    return frame.iloc[: len(frame) // 2]


def revised(frame):
    """Six stored NAVs of the day before look 0.3 % higher: each too little to be held."""
    at = (frame["nav_date"] == 20260917) & frame["unit_nav"].notna()
    at &= at.cumsum() <= 6
    return frame.assign(
        unit_nav=(frame["unit_nav"] * 1.003).round(4).where(at, frame["unit_nav"])
    )


def standing_still(frame):
    """Today's NAVs are the ones of the session before, their growth 0."""
    before = frame[frame["nav_date"] == 20260917].set_index("fund_code")["unit_nav"]
    at = (frame["nav_date"] == 20260918) & frame["unit_nav"].notna()
    at &= frame["fund_code"].map(before).notna()
    return frame.assign(
        unit_nav=frame["fund_code"].map(before).where(at, frame["unit_nav"]),
        growth_pct=frame["growth_pct"].mask(at, 0.0),
    )


def bad_codes(frame):
    return frame.assign(fund_code=frame["fund_code"].where(frame.index % 10 != 0, "00０００1"))


def back_in_time(wave):
    keys = {20260918: 20260911, 20260917: 20260910}
    observations = wave.observations
    return replace(
        wave,
        newest=from_key(20260911),
        previous=from_key(20260910),
        observations=observations.assign(
            nav_date=observations["nav_date"].replace(keys).astype("int32")
        ),
    )


def tomorrow(wave):
    observations = wave.observations
    return replace(
        wave,
        newest=from_key(20260921),
        observations=observations.assign(
            nav_date=observations["nav_date"].replace({20260918: 20260921}).astype("int32")
        ),
    )


BLOCKED = {
    "half": ("R02_row_count", {"observations": half}, " rows, usually "),
    "old": (
        "R05_header_dates",
        {"wave": back_in_time},
        "20260911 and 20260910, today is 20260918",
    ),
    "early": (
        "R05_header_dates",
        {"wave": tomorrow},
        "20260921 and 20260917, today is 20260918",
    ),
    "still": (
        "R15_standing_still",
        {"observations": standing_still},
        "NAVs of 20260918 equal those of the date before",
    ),
    "revised": ("R17_mass_revision", {"observations": revised}, "20260917: unit_nav of 6 of "),
    "codes": (
        "R01_schema",
        {"observations": bad_codes},
        " of them with an impossible fund code",
    ),
    "empty": ("R01_schema", {"observations": lambda f: f.head(0)}, "0 rows"),
}


#: One of each sort: a count, values, a form. What the others say and how they end,
#: the next test and test_ways_out.py tell of each.
PLAYED = ("half", "revised", "empty")


@pytest.mark.slow  # by default the fault matrix plays half of a market
@pytest.mark.parametrize(
    ("rule", "tampering", "words"), [BLOCKED[name] for name in PLAYED], ids=PLAYED
)
def test_a_blocked_batch_changes_nothing_and_the_next_good_one_goes_through(
    market, rule, tampering, words
):
    """Stops a bad answer from reaching users, and from stopping the good one after it."""
    before = market.checksums(*PUBLIC)
    result = market.run("daily_pipeline", FRIDAY, **tampering)
    assert not result.success
    assert executed(result) == COLLECTED, "downstream did not run"
    assert market.checksums(*PUBLIC) == before
    check = checks(result)["fund_nav", rule]
    assert not check.passed and check.severity.value == "ERROR"
    assert words in cases(check)
    held = market.table("collection_batch", "state <> 'published'")
    assert held["state"].tolist() == ["held"]
    assert words in held["held_because"].item()
    # The validation alone stops at it as well, and says why.
    alone = market.run("daily_validation", FRIDAY)
    assert not alone.success and executed(alone) == set()
    assert f"batch {held['batch_id'].item()} is held, nothing was merged" in failure(alone)
    assert words in failure(alone)
    assert market.checksums(*PUBLIC) == before

    good = market.run("daily_pipeline", "2026-09-18T23:00:00")
    assert good.success, failure(good)
    told = metadata(good, "validated_nav")
    assert told["batches"] == 1 and told["rows_new"] > 30
    assert sum(told[name] for name in COUNTS) == told["rows_read"]
    waves = market.table("collection_batch", "kind <> 'events'")
    states = waves.groupby("state").size().to_dict()
    assert states == {"held": 1, "published": 3}


@pytest.mark.parametrize(
    ("rule", "tampering", "words"),
    [
        # Of all rules that block, test_ways_out.py tells which one did.
        pytest.param(
            *case, id=name, marks=[] if name in ("half", "codes") else pytest.mark.slow
        )
        for name, case in BLOCKED.items()
    ],
)
def test_the_rule_that_blocks_is_the_right_one(market, rule, tampering, words):
    """Stops a batch from being held for a reason that sends people looking elsewhere."""
    before = market.checksums(*PUBLIC)
    platform = market.platform(FRIDAY, **tampering)
    landed = collect_wave(platform.warehouse, platform.source, platform.now).landing
    verdicts = judge_waiting(platform.warehouse, platform.calendar, platform.now())
    platform.warehouse.close()
    failed = {v.rule: v for v in verdicts if v.severity == "block" and not v.passed}
    assert rule in failed and words in failed[rule].cases[0]
    assert market.checksums(*PUBLIC) == before
    (held,) = market.table("collection_batch", "state = 'held'").to_dict("records")
    assert held["batch_id"] == landed.batch_id and held["held_because"].startswith("R")


@pytest.mark.slow
def test_held_histories_do_not_stop_the_waves(market, tmp_path):
    """Stops one bad round of histories from stopping every evening after it."""
    fresh = Market(tmp_path / "fresh")
    assert fresh.run("daily_pipeline", THURSDAY, config={"history_funds": 0}).success

    def shifted(history):
        rows = history.observations
        return replace(
            history, observations=rows.assign(unit_nav=(rows["unit_nav"] * 1.003).round(4))
        )

    result = fresh.run("daily_pipeline", "2026-09-17T21:45:00", history=shifted)
    assert not result.success
    assert "R17_history_rewrite" in {
        name for (_, name), e in checks(result).items() if not e.passed
    }
    held = fresh.table("collection_batch", "state = 'held'")
    assert held["kind"].tolist() == ["history"]
    later = fresh.run("daily_pipeline", FRIDAY)
    assert later.success, failure(later)
    assert metadata(later, "validated_nav")["nav_date"] == "2026-09-18"
    # Collected again, the same answer is judged again.
    code = held["batch_id"].item()
    codes = fresh.table("fund_nav", f"batch_id = '{code}'")["fund_code"].unique().tolist()
    again = fresh.run(
        "daily_pipeline",
        THURSDAY,
        config={"wave": False, "history_codes": codes},
        history=shifted,
    )
    assert not again.success
    assert fresh.table("collection_batch", "state = 'held'")["batch_id"].item() == code


def test_a_source_that_fails_lands_nothing(market):
    """Stops an outage in the middle of an evening from leaving half a wave."""
    before = market.checksums()

    def fails(wave):
        raise TransportError("open_funds: connection reset after 3 tries")

    result = market.run("daily_pipeline", THURSDAY, wave=fails)
    assert not result.success and executed(result) == COLLECTED - {"fund_nav"}
    assert "TransportError: open_funds: connection reset after 3 tries" in failure(result)
    assert market.checksums() == before


#: Rules that hold a figure alone: the NAV beside it goes on.
ALONE = ("R11_accumulated_nav", "R01_growth_bounds")
#: (what the source says of a fund's newest day, rule, what the reason must name)
BAD_VALUES = [
    ({"unit_nav": -1.5}, "R07_nav_bounds", "unit_nav -1.5"),
    ({"unit_nav": 0.0}, "R07_nav_bounds", "unit_nav 0 "),
    ({"unit_nav": INF}, "R01_readable", "unit_nav: not a number: inf"),
    ({"unit_nav": 1e308}, "R07_nav_bounds", "unit_nav 1e+308"),
    ({"acc_nav": -INF}, "R01_readable", "acc_nav: not a number: -inf"),
    ({"acc_nav": -2.0}, "R11_accumulated_nav", "acc_nav -2"),
    ({"growth_pct": -100.0}, "R01_growth_bounds", "growth_pct -100"),
    ({"growth_pct": 1e300}, "R01_growth_bounds", "growth_pct 1e+300"),
    ({"yield_per_10k": -1001.0}, "R23_money_yield_bounds", "yield_per_10k -1001"),
    ({"unit_nav": np.nan, "defect": "unit_nav: not a number: '1e400'"}, "R01_readable",
     "unit_nav: not a number: '1e400'"),
    ({"defect": "unit_nav: not a number: \"'; drop table fund_nav; --\""}, "R01_readable",
     "'; drop table fund_nav; --"),
    ({"defect": "unit_nav: not a number: '📈'"}, "R01_readable", "📈"),
    ({"nav_date": 20260919}, "R05_nav_date", "20260919"),
    ({"fund_code": "'; drop table validated_nav; --"}, "R01_fund_code", "drop table"),
]  # fmt: skip


def spoilt(cases_of_funds):
    def change(frame):
        frame = frame.copy()
        for code, values in cases_of_funds.items():
            at = frame.index[(frame["fund_code"] == code) & (frame["nav_date"] == 20260918)]
            assert len(at) == 1
            for name, value in values.items():
                frame.loc[at, name] = value
        return frame

    return change


def published_funds(market):
    """Funds with a moving NAV that have published Friday's by Friday evening."""
    seen = market.platform(FRIDAY).source.wave().observations
    return seen.loc[(seen["nav_date"] == 20260918) & seen["unit_nav"].notna(), "fund_code"]


@pytest.fixture(scope="module")
def spoilt_evening(first_evening, tmp_path_factory):
    """An evening on which each bad value stands in the row of another fund."""
    market = first_evening[0].copy(tmp_path_factory.mktemp("spoilt"))
    funds = published_funds(market).head(len(BAD_VALUES)).tolist()
    values = [values for values, _, _ in BAD_VALUES]
    result = market.run(
        "daily_pipeline", FRIDAY, observations=spoilt(dict(zip(funds, values, strict=True)))
    )
    yield market, result, funds
    market.warehouse.close()


def test_bad_values_are_counted_and_the_others_go_on(spoilt_evening):
    """Stops one bad row from stopping an evening, or from leaving the books."""
    _, result, _ = spoilt_evening
    assert result.success, failure(result)
    told = metadata(result, "validated_nav")
    assert told["rows_quarantined"] == sum(rule not in ALONE for _, rule, _ in BAD_VALUES)
    assert sum(told[name] for name in COUNTS) == told["rows_read"]
    assert told["rows_new"] > 20
    failed = {name for (_, name), e in checks(result).items() if not e.passed}
    assert failed >= {rule for _, rule, _ in BAD_VALUES if rule != "R01_fund_code"}


@pytest.mark.parametrize("number", range(len(BAD_VALUES)))
def test_a_bad_value_is_quarantined_with_its_name(spoilt_evening, number):
    """Stops an impossible value from being accepted, or told without its place."""
    market, _, funds = spoilt_evening
    values, rule, words = BAD_VALUES[number]
    accepted = market.table("validated_nav", f"fund_code = '{funds[number]}'").iloc[-1]
    if rule in ALONE:
        ((name, bad),) = values.items()
        assert accepted["nav_date"] == 20260918 and accepted["unit_nav"] > 0
        assert accepted[name] != bad
    else:
        assert accepted["nav_date"] < 20260918
    code, date = values.get("fund_code", funds[number]), values.get("nav_date", 20260918)
    held = market.table("nav_quarantine")
    held = held[held["fund_code"] == code].set_index("rule")
    assert held.loc[rule, ["nav_date", "state"]].tolist() == [date, "held"]
    reason = held.loc[rule, "reason"]
    assert words in reason and code in reason and str(date) in reason


@pytest.mark.slow
def test_after_a_bad_value_the_right_one_is_accepted(spoilt_evening, tmp_path):
    """Stops a held value from keeping the right one out."""
    market, _, funds = spoilt_evening
    later = market.copy(tmp_path)
    assert later.run("daily_pipeline", "2026-09-18T23:00:00").success
    stored = later.table("validated_nav", "nav_date = 20260918")
    assert set(funds) <= set(stored["fund_code"])
    later.warehouse.close()


def test_odd_names_are_kept_or_refused_and_told(market):
    """Stops a name from being cut, executed, or taking its fund off the list."""
    names = {
        "000001": "'; drop table fund_info; --",
        "000002": "牛市📈基金A",
        "000003": "长" * 10_240,
    }

    def renamed(frame):
        return frame.assign(name=frame["fund_code"].map(names).fillna(frame["name"]))

    before = market.table("fund_info").set_index("fund_code")
    result = market.run("daily_collection", FRIDAY, listed=renamed)
    assert result.success
    after = market.table("fund_info").set_index("fund_code")
    assert after.loc["000001", "name"] == names["000001"]
    assert after.loc["000002", "name"] == names["000002"]
    assert after.loc["000003", "name"] == before.loc["000003", "name"]
    assert set(after["status"]) == {"listed"}
    check = checks(result)["fund_info", "R01_fund_codes"]
    assert not check.passed and check.metadata["failed"].value == 1
    assert "fund_code '000003', name of 10,240 characters '长长长" in cases(check)
    assert metadata(result, "fund_info")["renamed"] == 2


def run_steps(market, clock, change):
    """A wave collected and validated, without Dagster around it."""
    platform = market.platform(clock, observations=change)
    collect_wave(platform.warehouse, platform.source, platform.now)
    (outcome,) = validate(platform.warehouse, platform.calendar, platform.now())
    platform.warehouse.close()
    return outcome


@pytest.mark.parametrize("told", ["the same", pytest.param("another", marks=pytest.mark.slow)])
def test_the_history_settles_a_jump_and_a_second_sight_does_not(market, told):
    """Stops a lasting error of the page from releasing itself, and a true jump from waiting."""
    victim = published_funds(market).iloc[0]

    def jumps(frame):
        at = (frame["fund_code"] == victim) & (frame["nav_date"] == 20260918)
        return frame.assign(
            unit_nav=(frame["unit_nav"] * 1.6).round(4).where(at, frame["unit_nav"]),
            acc_nav=(frame["acc_nav"] + frame["unit_nav"] * 0.6).where(at, frame["acc_nav"]),
            growth_pct=frame["growth_pct"].mask(at),
        )

    where = f"fund_code = '{victim}' AND nav_date = 20260918"
    first = run_steps(market, FRIDAY, jumps)
    assert first.counts["rows_quarantined"] == 1
    again = run_steps(
        market, "2026-09-18T23:00:00", lambda frame: jumps(frame).iloc[:-1]
    )  # another batch
    assert again.counts["rows_quarantined"] == 1
    assert market.table("validated_nav", where).empty
    held = market.table("nav_quarantine", where)
    assert held["state"].tolist() == ["held", "held"]
    assert set(held["rule"]) == {"R08_jump_unconfirmed"}

    # On Saturday the repair sensor asks for the fund's history: another voice.
    def answer(history):
        frame = history.observations
        return replace(history, observations=jumps(frame) if told == "the same" else frame)

    platform = market.platform("2026-09-19T09:30:00", history=answer)
    assert to_settle(platform.warehouse, platform.now()) == [victim]
    collect_histories(
        platform.warehouse, platform.source, platform.now, HistoryChoice(codes=(victim,))
    )
    (outcome,) = validate(platform.warehouse, platform.calendar, platform.now())
    assert to_settle(platform.warehouse, platform.now()) == []
    platform.warehouse.close()
    stored = market.table("validated_nav", where)["unit_nav"].item()
    decided = market.table("nav_quarantine", where)
    state = "accepted" if told == "the same" else "rejected"
    assert (stored == held["unit_nav"].iloc[0]) == (state == "accepted")
    assert decided["state"].tolist() == [state] * 2
    assert set(decided["decided_by"]) == {"witness:history"}
    words = f"the history of batch {outcome.batch_id} shows unit_nav {stored:g}"
    assert set(decided["decided_because"]) == {words}


@pytest.mark.slow
def test_a_held_value_that_is_shown_no_more_is_settled_by_the_next_growth(market):
    """Stops a true jump from waiting where neither page nor history shows it again."""
    victim = published_funds(market).iloc[0]
    where = f"fund_code = '{victim}' AND nav_date = 20260918"

    def jumps(frame):
        at = (frame["fund_code"] == victim) & (frame["nav_date"] >= 20260918)
        frame = frame.assign(
            unit_nav=(frame["unit_nav"] * 1.6).round(4).where(at, frame["unit_nav"]),
            acc_nav=frame["acc_nav"].mask(at),
        )
        friday = at & (frame["nav_date"] == 20260918)
        frame.loc[friday, "growth_pct"] = np.nan
        return frame

    run_steps(market, FRIDAY, jumps)

    def monday_alone(frame):
        frame = jumps(frame)
        return frame[(frame["fund_code"] != victim) | (frame["nav_date"] != 20260918)]

    platform = market.platform("2026-09-21T21:40:00", observations=monday_alone)
    collect_wave(platform.warehouse, platform.source, platform.now)
    _, settled = validate(platform.warehouse, platform.calendar, platform.now())
    platform.warehouse.close()
    # Monday's NAV, held as a jump from Thursday's, and Friday's are settled together.
    assert settled.kind == "desk"
    (friday,) = market.table("nav_quarantine", where).to_dict("records")
    assert market.table("validated_nav", where)["unit_nav"].item() == friday["unit_nav"]
    assert (friday["state"], friday["decided_by"]) == ("accepted", "witness:growth")
    assert friday["decided_in"] == settled.batch_id
    assert f"imply unit_nav {friday['unit_nav']:g}" in friday["decided_because"]
    assert market.table("nav_quarantine", "state = 'held'").empty
