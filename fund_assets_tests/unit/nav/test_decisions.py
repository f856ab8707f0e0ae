"""What a decision of the quarantine desk covers, and what may be accepted at all."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from fund_assets.nav import decisions as nav_decisions
from fund_assets.nav.decisions import DecisionError
from fund_assets.nav.landing_rows import quarantine_rows
from fund_assets.nav.merge import plan_merge
from fund_assets.nav.rules import legal_levels
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.settings import CRASH_POINTS, SettingsError, load_settings
from fund_assets.warehouse.engine.fault_points import crash_point
from fund_assets_tests.unit.builders import (
    CALENDAR,
    FRI,
    THU,
    held_before,
    known,
    observed,
    stored,
    wave,
)

NAN = float("nan")


def held(*rows, rule="R07_nav_bounds", reason="too high"):
    """Rows of (code, date, unit, acc, growth) as NAV_QUARANTINE."""
    frame = pd.DataFrame(
        rows, columns=["fund_code", "nav_date", "unit_nav", "acc_nav", "growth_pct"]
    )
    frame = frame.assign(yield_per_10k=NAN, yield_7d_pct=NAN, rule=rule, reason=reason)
    return quarantine_rows(frame, "w1", 20260918_190000)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (("000001", FRI, 500.0, 500.0, 1.23), "accepted"),
        (("000001", FRI, 500.0, 500.0, 1.2345), "accepted"),
        (("000001", FRI, 500.0, 500.0, NAN), "accepted"),
        (("000001", FRI, 500.0, 500.0, 1.24), ""),
        (("000001", FRI, 500.1, 500.0, 1.23), ""),
        (("000001", THU, 500.0, 500.0, 1.23), ""),
        (("000002", FRI, 500.0, 500.0, 1.23), ""),
        (("000001", FRI, NAN, NAN, NAN), ""),
        (("000003", FRI, 500.0, 7.0, NAN), ""),
        (("000003", FRI, 500.0, NAN, NAN), "rejected"),
    ],
)
def test_what_a_decision_covers(shown, expected):
    """Stops a decision from letting another figure through, or from being asked twice."""
    decisions = pd.concat(
        [
            held(("000001", FRI, 500.0, 500.0, 1.23)).assign(state="accepted"),
            held(("000003", FRI, 500.0, NAN, NAN)).assign(state="accepted"),
            held(("000003", FRI, 500.0, NAN, NAN)).assign(state="rejected"),
        ]
    )
    assert nav_decisions.decided(observed(shown), decisions).tolist() == [expected]
    unreadable = observed(shown, defect="growth_pct: not a number: 'x'")
    assert nav_decisions.decided(unreadable, decisions).tolist() == [""]


def test_a_decision_overrules_holding_rules_alone():
    """Stops an overruled value from being held again, and another one from being let in."""
    row = ("000001", FRI, 20_000.0, 20_000.0, NAN)
    decisions = held(row).assign(state="accepted")
    before = stored(("000001", THU, 1.0, 1.0, 0.1, 1.0, "first"))
    held_again = plan_merge(wave(row), known(before), CALENDAR, FRI)
    assert (held_again.rows_new, held_again.rows_quarantined) == (0, 1)
    plan = plan_merge(wave(row), known(before, decisions=decisions), CALENDAR, FRI)
    assert (plan.rows_new, plan.rows_quarantined) == (1, 0)
    assert plan.upserts["total_return_index"].tolist() == [20_000.0]
    other = ("000001", FRI, 20_001.0, 20_001.0, NAN)
    plan = plan_merge(wave(other), known(before, decisions=decisions), CALENDAR, FRI)
    assert (plan.rows_new, plan.rows_quarantined) == (0, 1)


def test_a_rejected_sight_is_none():
    """Stops the second sight of a value that a person refused from accepting it."""
    row = ("000001", FRI, 1.6, 1.6, NAN)
    before = stored(("000001", THU, 1.0, 1.0, 0.1, 1.0, "first"))
    sightings = held_before(("000001", FRI, 1.6), voice="history")
    seen = known(before, sightings=sightings)
    assert plan_merge(wave(row), seen, CALENDAR, FRI).rows_new == 1
    decisions = held(row, rule="R08_jump_unconfirmed").assign(state="rejected")
    refused = known(before, sightings=sightings, decisions=decisions)
    plan = plan_merge(wave(row), refused, CALENDAR, FRI)
    assert (plan.rows_new, plan.rows_quarantined) == (0, 1)


def test_a_held_value_is_named_by_the_beginning_of_its_id():
    """Stops a name that the commands do not take back."""
    row = pd.DataFrame(
        [{"id": "0123456789ab", "fund_code": "000001", "nav_date": pd.NA, "rule": "R01_readable",
          "reason": "nav_date 'x'"}]
    )  # fmt: skip
    assert nav_decisions.names(row) == ["01234567 000001  R01_readable: nav_date 'x'"]


def test_obstacles():
    """Stops a value from being merged that no table holds, or that nobody read."""
    rows = pd.concat(
        [
            held(("000001", FRI, 500.0, 500.0, 1.0)),
            held(("000002", FRI, 1.0, -1.0, 1.0), rule="R11_accumulated_nav"),
            held(("000003", FRI, 1.0, 1.0, 1.0), rule="R01_readable"),
            held(("000004", FRI, NAN, NAN, NAN), rule="R24_event_sanity"),
            held(("00000１", FRI, 1.0, 1.0, 1.0), rule="R01_fund_code"),
            held(("000005", 20260921, 1.0, 1.0, 1.0), rule="R05_nav_date"),
            held(("000006", pd.NA, 1.0, 1.0, 1.0), rule="R05_nav_date"),
        ]
    )
    assert nav_decisions.obstacles(rows, FRI) == [
        "",
        "acc_nav: a value that the history cannot store",
        "one of its cells could not be read",
        "it has no NAV value",
        "it has no valid fund code and date",
        "it is dated after today",
        "it has no valid fund code and date",
    ]


def test_a_batch_of_the_desk_is_its_rows_and_figures():
    """Stops one decision from being two batches, and two decisions from being one."""
    rows = held(("000001", FRI, 500.0, 500.0, 1.0), ("000002", FRI, 600.0, 600.0, NAN))
    rows = rows.assign(source="simulated")

    def batch_id(chosen, now=20260919_090000):
        landing = nav_decisions.batch_of(chosen, nav_decisions.as_observations(chosen), now=now)
        assert len(landing.landed) == chosen["fund_code"].nunique()
        return landing.batch_id

    first = batch_id(rows)
    assert first == batch_id(rows.iloc[::-1], now=20260920_090000)
    assert first != batch_id(rows.head(1))
    other_rule = rows.assign(id=[f"{n:032x}" for n in range(2)])
    assert first != batch_id(other_rule), "held anew, after a correction of it"
    both = pd.concat([rows, rows.assign(rule="R08_jump_unconfirmed")])
    assert nav_decisions.as_observations(both)["unit_nav"].tolist() == [500.0, 600.0]
    assert nav_decisions.same_observation(both, rows.head(1)).tolist() == [
        True,
        False,
        True,
        False,
    ]
    two = pd.concat([rows, rows.assign(unit_nav=700.0)])
    with pytest.raises(DecisionError, match="accept one of each"):
        nav_decisions.as_observations(two)


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [
        (1.0, 1.0024, "none"),
        (1.0, 1.0025, "report"),  # 0.0024999999999999467 in binary
        (1.0, 0.9975, "report"),
        (1.0, 1.0049, "report"),
        (1.0, 1.005, "announce"),  # 0.00499999999999989
        (4.0, 3.98, "announce"),
        (1.0, NAN, "none"),
    ],
)
def test_the_legal_limits_are_reached_by_decimals(before, after, level):
    """Stops a correction of just 0.25 or 0.5 % from slipping below by a binary digit."""
    assert legal_levels(pd.Series([after / before - 1])).tolist() == [level]


def test_a_mass_revision_of_income_is_one():
    """Stops a whole market's money funds from being rewritten past the rule on unit NAVs."""
    codes = [f"00000{n}" for n in range(1, 8)]
    seen = [(code, FRI, NAN, NAN, NAN) for code in codes]
    before = stored(*((code, FRI, NAN, NAN, NAN, 1.0, "first") for code in codes))
    before = before.assign(yield_per_10k=0.5)
    kinds = dict.fromkeys(codes, "money")
    batch = wave(*seen, yield_per_10k=0.502)
    plan = plan_merge(batch, known(before, kinds=kinds), CALENDAR, FRI)
    assert [v.rule for v in plan.blocked_by] == ["R17_mass_revision"]
    few = wave(*seen, yield_per_10k=[0.502] * 4 + [0.5] * 3)
    plan = plan_merge(few, known(before, kinds=kinds), CALENDAR, FRI)
    assert plan.blocked_by == [] and len(plan.revisions) == 4
    assert plan.revisions["legal_level"].tolist() == ["none"] * 4


def test_a_crash_point_ends_the_process_at_once(monkeypatch):
    """Stops a test of crashes from testing an orderly end, or nothing at all."""
    code = (
        "import atexit; from fund_assets.warehouse.engine.fault_points import crash_point\n"
        "atexit.register(print, 'tidied up')\n"
        "crash_point('land.before_commit'); crash_point('publish.after_upsert'); print('on')"
    )
    env = {**os.environ, "FUND_CRASH_AT": "publish.after_upsert"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (137, "")
    with pytest.raises(KeyError, match=r"publish\.somewhere"):
        crash_point("publish.somewhere")
    monkeypatch.setenv("FUND_CRASH_AT", "publish.somewhere")
    with pytest.raises(
        SettingsError, match=r"FUND_CRASH_AT='publish.somewhere'.*unknown crash point"
    ):
        load_settings()
    for name in CRASH_POINTS:
        monkeypatch.setenv("FUND_CRASH_AT", name)
        assert load_settings().crash_at == name


def test_every_figure_is_compared():
    """Stops a new figure from being left out of decisions."""
    rows = held(("000001", FRI, 1.0, 1.0, 1.0))
    for name in OBSERVED_NAMES:
        other = rows.assign(**{name: np.float64(9.0)})
        assert not nav_decisions.same_observation(other, rows).any()
