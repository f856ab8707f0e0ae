"""Every rule that blocks a batch, to both of its ends: by itself, and by a person."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import TradingCalendar, from_stamp
from fund_assets.nav.landing_rows import Origin, prepare
from fund_assets.nav.list_rules import described
from fund_assets.nav.rules import BLOCKING, RULES
from fund_assets.pipeline import validated_nav
from fund_assets.pipeline.quarantine import Decision
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import FUND_INFO
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.diff_writes import insert
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.stores import landing
from fund_assets_tests import stores

CALENDAR = TradingCalendar.build()
#: From a Wednesday on.
DAYS = [20260916, 20260917, 20260918, 20260921, 20260922]
FUNDS = 40


def seen(day, *, last=None, funds=FUNDS, step=1, **changed):
    """Observations of `funds` on some days; NAVs move with the day's place in DAYS."""
    frame = pd.DataFrame(
        [
            {
                "fund_code": f"{n:06d}",
                "nav_date": one,
                "unit_nav": round(1.0 + n / 100 + step * DAYS.index(one) / 1000, 4),
                "defect": "",
            }
            for one in (day, last)
            if one is not None
            for n in range(1, funds + 1)
        ]
    )
    for name in OBSERVED_NAMES:
        if name not in frame:
            frame[name] = np.nan
    return frame.assign(**changed)


def wave(place, change=lambda frame: frame, *, newest=None, **more):
    """The wave of DAYS[place]."""
    day, before = DAYS[place], DAYS[place - 1]
    shown = change(seen(day, last=before, **more))
    return "wave", shown, newest or day, before, day * 1_000_000 + 213000


def histories(change=lambda frame: frame, *, hour=22):
    """Whole histories of a dozen funds on the evening of DAYS[2]."""
    shown = change(seen(DAYS[1], last=DAYS[0], funds=12))
    return "history", shown, DAYS[1], None, DAYS[2] * 1_000_000 + hour * 10_000


def later(batch, minutes=30):
    kind, shown, newest, previous, stamp = batch
    moment = from_stamp(stamp) + timedelta(minutes=minutes)
    return kind, shown, newest, previous, int(f"{moment:%Y%m%d%H%M%S}")


def bad_codes(frame):
    return frame.assign(fund_code=frame["fund_code"].where(frame.index > 3, "abc"))


def contradicted(frame):
    words = "sources disagree: unit_nav 1.0 in open_funds, 2.0 in exchange_funds"
    return frame.assign(defect=frame["defect"].where(frame.index > 0, words))


def corrected(frame):
    old = (frame["nav_date"] == DAYS[1]) & (frame["fund_code"] <= "000010")
    return frame.assign(unit_nav=(frame["unit_nav"] + 0.001 * old).round(4))


def shifted(frame):
    return frame.assign(unit_nav=(frame["unit_nav"] * 1.003).round(4))


def still(frame):
    """The newest date shows the NAVs of the one before."""
    return frame.assign(unit_nav=frame.groupby("fund_code")["unit_nav"].transform("min"))


#: rule → whether a wave was published before, the batch that it blocks, what lifts it by itself.
CASES = {
    "R01_schema": (True, wave(2, bad_codes), [later(wave(2))]),
    "R02_row_count": (True, wave(2, funds=20), [wave(3, funds=20), wave(4, funds=20)]),
    "R02_first_page": (False, wave(2, funds=10), [later(wave(2))]),
    "R05_header_dates": (True, wave(2, newest=DAYS[4]), [later(wave(2))]),
    "R04_unique": (True, wave(2, contradicted), [later(wave(2))]),
    "R15_standing_still": (True, wave(2, still), [wave(3)]),
    "R03_kind_floor": (True, wave(2, funds=36), [wave(3, funds=36), wave(4, funds=36)]),
    "R17_mass_revision": (True, wave(2, corrected), [later(wave(2))]),
    "R17_history_rewrite": (True, histories(shifted), [histories(hour=23)]),
}


def test_every_blocking_rule_is_walked_to_both_ends():
    """Stops a new rule that blocks from having no way out that was ever tried."""
    assert set(CASES) == {rule.id for rule in BLOCKING}
    assert all(rule.lifts for rule in BLOCKING)


def publish(warehouse, batch):
    """Land a batch and judge what waits; the outcome of the last."""
    kind, shown, newest, previous, stamp = batch
    landing.land(
        warehouse,
        prepare(shown, origin=Origin(kind, "simulated", newest, previous, stamp), payloads=[]),
    )  # fmt: skip
    return validated_nav.validate(warehouse, CALENDAR, from_stamp(stamp))[-1]


def begun(folder):
    """A warehouse that knows the funds and no NAV of theirs."""
    warehouse = Warehouse(stores.at(folder))
    warehouse.init("simulated")
    listed = pd.DataFrame({"fund_code": [f"{n:06d}" for n in range(1, FUNDS + 1)]})
    listed = listed.assign(name="x", fund_type="混合型-偏股", pinyin="X")
    with warehouse.transaction(writes=True) as connection:
        insert(connection, FUND_INFO, described(listed, DAYS[0]))
    return warehouse


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The folder of one with a published wave. To be copied, not to be changed."""
    folder = tmp_path_factory.mktemp("published")
    warehouse = begun(folder)
    assert not publish(warehouse, wave(1)).blocked_by
    warehouse.close()
    return folder


@pytest.fixture
def blocked(published, tmp_path, rule):
    """A warehouse in which `rule` has just blocked a batch, the batch, and what lifts it."""
    before, batch, lifting = CASES[rule]
    if before:
        stores.copy(published, tmp_path)
    warehouse = Warehouse(stores.at(tmp_path)) if before else begun(tmp_path)
    outcome = publish(warehouse, batch)
    assert rule in [verdict.rule for verdict in outcome.blocked_by]
    (held,) = status_queries.held_batches(warehouse)
    assert held["batch_id"] == outcome.batch_id
    assert f"Cleared by {RULES[rule].lifts}" in held["held_because"]
    assert f"quarantine accept {outcome.batch_id}" in validated_nav.explain_block([outcome])
    yield warehouse, outcome, lifting
    warehouse.close()


#: A smaller market, a first page and histories: the kinds of batches that are blocked.
BY_DEFAULT = ("R02_row_count", "R02_first_page", "R17_history_rewrite")


@pytest.mark.parametrize(
    "rule",
    [r if r in BY_DEFAULT else pytest.param(r, marks=pytest.mark.slow) for r in CASES],
)
def test_a_blocked_batch_passes_by_a_person(blocked, rule):
    """Stops a batch that is right from waiting for ever, whatever stopped it."""
    warehouse, outcome, _ = blocked
    at = from_stamp(DAYS[2] * 1_000_000 + 233000)
    done = validated_nav.accept_batch(
        warehouse, CALENDAR, at, outcome.batch_id, Decision("王经理", "checked")
    )
    assert not done.blocked_by and sum(done.counts.values())
    state = status_queries.batch(warehouse, outcome.batch_id)
    assert state["state"] == "published" and "accepted by 王经理" in state["held_because"]
    assert status_queries.held_batches(warehouse) == []
    assert rule in {v.rule for v in done.verdicts if v.failed}, "the log keeps what it found"


@pytest.mark.parametrize("rule", CASES)
def test_a_blocked_batch_is_lifted_by_what_its_rule_names(blocked, rule):
    """Stops a rule from naming a way out that does not open."""
    warehouse, outcome, lifting = blocked
    found = [publish(warehouse, batch) for batch in lifting]
    # By equal sessions alone the first that follow are blocked as well.
    assert [bool(one.blocked_by) for one in found] == [True] * (len(found) - 1) + [False]
    assert status_queries.held_batches(warehouse) == []
    assert status_queries.batch(warehouse, outcome.batch_id)["state"] == "held"
