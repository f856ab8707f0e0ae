"""The lives of funds: concluded after the metrics, stored, and shown."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from fund_assets.calendar import TradingCalendar
from fund_assets.cli import main
from fund_assets.nav.list_rules import described
from fund_assets.pipeline.fund_life import renew_life
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import FUND_CHANGE, FUND_INFO, FUND_STATE, VALIDATED_NAV
from fund_assets.settings import load_settings
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.diff_writes import insert, upsert
from fund_assets.warehouse.queries import life as queries
from fund_assets.warehouse.stores import landing

CALENDAR = TradingCalendar.build()
FIRST, ON = 20250102, 20251231
NAMES = {
    "000001": ("长信成长混合A", "混合型-偏股"),
    "000002": ("长信成长混合(后端)", "混合型-偏股"),
    "000003": ("长信纯债A", "债券型-长债"),
    "000004": ("长信价值股票", "股票型"),
    "000005": ("长信分级", "混合型-灵活"),
}
#: The last NAV of each before ON.
ENDS = {"000001": 20251231, "000003": 20251203, "000004": 20250303, "000005": 20250401}


def sessions(first, last):
    return [key for key in CALENDAR.sessions if first <= key <= last]


def navs(code, days):
    frame = pd.DataFrame({"fund_code": code, "nav_date": days, "unit_nav": 1.0})
    frame = frame.assign(total_return_index=1.0, return_status="proven", batch_id="w1",
                         first_seen_at=20250102193000, days_covered=pd.NA)  # fmt: skip
    for name in OBSERVED_NAMES:
        if name not in frame:
            frame[name] = np.nan
    return VALIDATED_NAV.conform(frame)


def listing(**renamed):
    rows = {**NAMES, **renamed}
    return pd.DataFrame(
        [(code, name, kind, "X") for code, (name, kind) in rows.items()],
        columns=["fund_code", "name", "fund_type", "pinyin"],
        dtype="str",
    )


@pytest.fixture
def warehouse():
    warehouse = Warehouse(load_settings().warehouse)
    warehouse.init("simulated")
    with warehouse.transaction(writes=True) as connection:
        insert(connection, FUND_INFO, described(listing(), FIRST))
        for code, last in ENDS.items():
            insert(connection, VALIDATED_NAV, navs(code, sessions(FIRST, last)))
    yield warehouse
    warehouse.close()


def now(warehouse):
    rows = warehouse.tuples("SELECT fund_code, state FROM fund_state WHERE until IS NULL")
    return dict(rows)


def test_each_fund_has_one_state_and_dead_ones_are_known_by_date(warehouse):
    """Stops a class from having two states or none, and a fund that has ended from being warned
    of, today or on a date when it was still alive."""
    written = renew_life(warehouse, ON, CALENDAR)
    frame = warehouse.frame("SELECT * FROM fund_state", FUND_STATE)
    FUND_STATE.schema.validate(frame)
    assert written == len(frame)
    assert now(warehouse) == {
        "000001": "active", "000002": "never_reported", "000003": "late",
        "000004": "presumed_dead", "000005": "presumed_dead",
    }  # fmt: skip
    dead = {"000002", "000004", "000005"}
    assert queries.dead_codes(warehouse, ON) == dead
    assert queries.dead_codes(warehouse, 20250601) == {"000002"}
    assert queries.state_counts(warehouse) == {
        "active": 1, "late": 1, "never_reported": 1, "presumed_dead": 2,
    }  # fmt: skip
    assert renew_life(warehouse, ON, CALENDAR) == 0, "nothing has changed"


def test_a_transition_is_concluded_and_the_whole_life_is_shown(warehouse, monkeypatch):
    """Stops 转型 from being two unrelated rows: a new name, and a fund that is back."""
    renew_life(warehouse, 20250606, CALENDAR)
    assert now(warehouse)["000005"] == "suspended"
    renamed = described(listing(**{"000005": ("长信新机遇混合", "混合型-灵活")}), 20250606)
    change = {"fund_code": "000005", "seen_on": 20250606, "what": "name", "old": "长信分级",
              "new": "长信新机遇混合", "evidence": ""}  # fmt: skip
    landing.write_fund_info(
        warehouse,
        renamed[renamed["fund_code"] == "000005"],
        FUND_CHANGE.conform(pd.DataFrame([change])),
    )
    with warehouse.transaction(writes=True) as connection:
        upsert(connection, VALIDATED_NAV, navs("000005", sessions(20250609, 20250611)))
    renew_life(warehouse, 20250611, CALENDAR)
    assert now(warehouse)["000005"] == "active"
    assert [(c.what, c.seen_on, c.new) for c in queries.changes_of(warehouse, "000005")] == [
        ("name", 20250606, "长信新机遇混合"),
        ("transition", 20250609, "长信新机遇混合"),
    ]
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(main, ["fund", "000005"], catch_exceptions=False).output
    told = [" ".join(line.split()) for line in shown.splitlines()]
    for words in (
        "active 2025-01-02 2025-04-18 from 2025-01-02: how often it publishes is not known yet",
        "suspended 2025-05-21 2025-06-09 last NAV 2025-04-01, then none for 31 sessions",
        "active 2025-06-09 from 2025-06-09: how often it publishes is not known yet",
        "new name 2025-06-06 长信分级 长信新机遇混合",
        "transition 2025-06-09 长信分级 长信新机遇混合 name changed on 2025-06-06; last NAV "
        "2025-04-01, then none for 31 sessions; a NAV again on 2025-06-09",
    ):
        assert words in told, shown
