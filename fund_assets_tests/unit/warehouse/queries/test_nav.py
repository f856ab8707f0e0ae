"""One fund's history as it is, and as it was known at a past time."""

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from fund_assets.calendar import TradingCalendar, from_stamp
from fund_assets.nav.landing_rows import Origin, prepare
from fund_assets.nav.list_rules import described
from fund_assets.pipeline.validated_nav import validate
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import FUND_INFO, NAV_REVISION, VALIDATED_NAV
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.diff_writes import insert
from fund_assets.warehouse.engine.views import STILL_KNOWN
from fund_assets.warehouse.queries import nav as nav_queries
from fund_assets.warehouse.stores import landing, publish
from fund_assets_tests import stores

DAY1, DAY2, DAY3 = 20260916, 20260917, 20260918
SEEN1, SEEN2, SEEN3 = 20260916_193000, 20260917_193000, 20260918_193000
FIXED_A, FIXED_B = 20260917_213000, 20260918_073000


def rows(table, *values, **more):
    frame = pd.DataFrame(values).assign(**more)
    for name in table.names:
        if name not in frame:
            absent = np.nan if name in (*OBSERVED_NAMES, "change_pct") else ""
            frame[name] = pd.NA if name == "days_covered" else absent
    return table.conform(frame)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    """Fund 000001 on three days: day 1 corrected twice, day 2 once, day 3 never.

    The corrections of day 1 are 1.0 until A, 1.1 until B, 1.2 since. Fund 000002 has the
    same days and no correction.
    """
    warehouse = Warehouse(stores.at(tmp_path_factory.mktemp("history")))
    warehouse.init("simulated")
    listing = pd.DataFrame(
        {
            "fund_code": ["000001", "000002", "100001"],
            "name": ["华夏成长混合", "华夏货币A", "易方达[bold]成长"],
            "fund_type": ["混合型-偏股", "货币型-普通货币", "股票型"],
            "pinyin": ["HXCZHH", "HXHBA", "YFDCZ"],
        }
    )
    now = {"total_return_index": 1.0, "return_status": "proven", "batch_id": "w3"}
    present = rows(
        VALIDATED_NAV,
        {"fund_code": "000001", "nav_date": DAY1, "unit_nav": 1.2, "first_seen_at": SEEN1},
        {"fund_code": "000001", "nav_date": DAY2, "unit_nav": 2.1, "first_seen_at": SEEN2},
        {"fund_code": "000001", "nav_date": DAY3, "unit_nav": 3.0, "first_seen_at": SEEN3},
        {"fund_code": "000002", "nav_date": DAY1, "unit_nav": 9.0, "first_seen_at": SEEN1},
        **now,
    )
    corrected = rows(
        NAV_REVISION,
        {"nav_date": DAY1, "unit_nav": 1.0, "superseded_at": FIXED_A, "first_seen_at": SEEN1},
        {"nav_date": DAY1, "unit_nav": 1.1, "superseded_at": FIXED_B, "first_seen_at": SEEN1},
        {"nav_date": DAY2, "unit_nav": 2.0, "superseded_at": FIXED_B, "first_seen_at": SEEN2},
        fund_code="000001",
        batch_id="w1",
        superseded_by="w2",
        kind="correction",
        legal_level="announce",
    )
    with warehouse.transaction(writes=True) as connection:
        insert(connection, FUND_INFO, described(listing, DAY1))
        insert(connection, VALIDATED_NAV, present)
        insert(connection, NAV_REVISION, corrected)
    yield warehouse
    warehouse.close()


@pytest.mark.parametrize(
    ("known_at", "expected"),
    [
        (SEEN1 - 1, {}),
        (SEEN1, {DAY1: 1.0}),
        (SEEN2 - 1, {DAY1: 1.0}),
        (SEEN2, {DAY1: 1.0, DAY2: 2.0}),
        (FIXED_A - 1, {DAY1: 1.0, DAY2: 2.0}),
        (FIXED_A, {DAY1: 1.1, DAY2: 2.0}),
        (FIXED_B - 1, {DAY1: 1.1, DAY2: 2.0}),
        (FIXED_B, {DAY1: 1.2, DAY2: 2.1}),
        (SEEN3, {DAY1: 1.2, DAY2: 2.1, DAY3: 3.0}),
        (20991231_235959, {DAY1: 1.2, DAY2: 2.1, DAY3: 3.0}),
    ],
)
def test_as_of(warehouse, known_at, expected):
    """Stops a backtest from seeing a correction, or a date, before it was there to see."""
    found = nav_queries.history_as_of(warehouse, "000001", known_at)
    assert {row["nav_date"]: row["unit_nav"] for row in found} == expected
    assert [row["nav_date"] for row in found] == sorted(expected)


def test_as_of_equals_replay(warehouse):
    """Stops the query from differing from the definition, written out over every second kept."""
    present = warehouse.rows("SELECT * FROM validated_nav WHERE fund_code = '000001'")
    past = warehouse.rows("SELECT * FROM nav_revision WHERE fund_code = '000001'")
    moments = {t + d for t in (SEEN1, SEEN2, SEEN3, FIXED_A, FIXED_B) for d in (-1, 0, 1)}
    for moment in moments:
        expected = {}
        for row in present:
            later = [
                p
                for p in past
                if p["nav_date"] == row["nav_date"] and p["superseded_at"] > moment
            ]
            known = min(later, key=lambda p: p["superseded_at"]) if later else row
            if known["first_seen_at"] <= moment:
                expected[row["nav_date"]] = known["unit_nav"]
        found = nav_queries.history_as_of(warehouse, "000001", moment)
        assert {row["nav_date"]: row["unit_nav"] for row in found} == expected, moment


@pytest.mark.parametrize("moment", [SEEN1 - 1, SEEN1, FIXED_A, FIXED_B - 1, FIXED_B, SEEN3])
def test_one_date_is_a_row_of_the_history_known_then(warehouse, moment):
    """Stops a single date from being told otherwise than the history it belongs to."""
    found = {r["nav_date"]: r for r in nav_queries.history_as_of(warehouse, "000001", moment)}
    for day in (DAY1, DAY2, DAY3):
        assert nav_queries.nav_asof(warehouse, "000001", day, moment) == found.get(day)


def test_the_versions_of_a_date_follow_each_other(warehouse):
    """Stops two values from being known at a time, or none between two."""
    versions = warehouse.rows(
        "SELECT unit_nav, known_from, known_to FROM nav_versions "
        "WHERE fund_code = '000001' AND nav_date = :day ORDER BY known_from",
        day=DAY1,
    )
    assert [tuple(v.values()) for v in versions] == [
        (1.0, SEEN1, FIXED_A),
        (1.1, FIXED_A, FIXED_B),
        (1.2, FIXED_B, STILL_KNOWN),
    ]
    assert warehouse.count("SELECT COUNT(*) FROM nav_versions") == 4 + 3


def test_corrections(warehouse):
    """Stops a correction from being told with the values of another one."""
    found = nav_queries.corrections(warehouse)
    assert [(c["nav_date"], c["figures"]) for c in found] == [
        (DAY1, {"unit_nav": [1.0, 1.1]}),
        (DAY1, {"unit_nav": [1.1, 1.2]}),
        (DAY2, {"unit_nav": [2.0, 2.1]}),
    ]
    assert [c["name"] for c in found] == ["华夏成长混合"] * 3
    assert len(nav_queries.corrections(warehouse, since=FIXED_B)) == 2
    assert nav_queries.corrections(warehouse, levels=["none", "report"]) == []
    assert nav_queries.corrections(warehouse, fund_code="000002") == []


def test_every_figure_is_told_from_what_to_what(warehouse):
    """Stops a corrected income, yield, growth or accumulated NAV from being told as nothing.

    And a figure filled in, or a sum told day by day, from being told as a correction.
    """
    was = {"acc_nav": 3.0, "growth_pct": 0.5, "yield_per_10k": 1.5, "yield_7d_pct": 2.5}
    now = {"acc_nav": 3.1, "growth_pct": 0.6, "yield_per_10k": 0.5, "yield_7d_pct": 2.4}
    same = {"unit_nav": 9.0, "superseded_at": FIXED_A, "first_seen_at": SEEN1}
    with warehouse.transaction(writes=True) as connection:
        connection.execute(
            sa.text(
                "UPDATE validated_nav SET acc_nav = :acc_nav, growth_pct = :growth_pct, "
                "yield_per_10k = :yield_per_10k, yield_7d_pct = :yield_7d_pct "
                "WHERE fund_code = '000002'"
            ),
            now,
        )
        more = rows(
            NAV_REVISION,
            {"nav_date": DAY1, **same, **was, "kind": "correction"},
            {"nav_date": DAY1, **same, **now, "acc_nav": None, "superseded_at": FIXED_B,
             "kind": "correction"},
            {"nav_date": DAY1, **same, **now, "yield_per_10k": 1.5,
             "superseded_at": FIXED_B + 1, "kind": "refinement"},
            fund_code="000002", batch_id="w1", superseded_by="w2", legal_level="none",
        )  # fmt: skip
        insert(connection, NAV_REVISION, more)
    first, second = nav_queries.corrections(warehouse, fund_code="000002")
    # The second version has no accumulated NAV: that it was filled in is no correction.
    assert first["figures"] == {
        "acc_nav": [3.0, None], "growth_pct": [0.5, 0.6], "yield_per_10k": [1.5, 0.5],
        "yield_7d_pct": [2.5, 2.4],
    }  # fmt: skip
    assert second["figures"] == {"yield_per_10k": [0.5, 1.5]}
    known = {
        at: nav_queries.nav_asof(warehouse, "000002", DAY1, at)
        for at in (SEEN1, FIXED_A, FIXED_B, FIXED_B + 1)
    }
    assert [row["yield_per_10k"] for row in known.values()] == [1.5, 0.5, 1.5, 0.5]
    assert [row["acc_nav"] for row in known.values()] == [3.0, None, 3.1, 3.1]
    assert {name: known[SEEN1][name] for name in was} == was


def test_window(warehouse):
    """Stops --since and --limit from taking the oldest dates, or another fund's."""
    assert [r["nav_date"] for r in nav_queries.history(warehouse, "000001")] == [
        DAY1,
        DAY2,
        DAY3,
    ]
    newest = nav_queries.history(warehouse, "000001", limit=2)
    assert [r["unit_nav"] for r in newest] == [2.1, 3.0]
    since = nav_queries.history_as_of(warehouse, "000001", SEEN3, since=DAY2, limit=1)
    assert [r["unit_nav"] for r in since] == [3.0]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("华夏", ["000001", "000002"]),
        ("成长", ["000001", "100001"]),
        ("hxhb", ["000002"]),
        ("1000", ["100001"]),
        ("'; drop table fund_info; --", []),
        ("%", []),
        ("_", []),
    ],
)
def test_find_funds(warehouse, text, codes):
    """Stops a name search that takes wildcards or SQL from its text, or forgets pinyin."""
    assert [row["fund_code"] for row in nav_queries.find_funds(warehouse, text, 9)] == codes


def test_two_corrections_within_a_second_are_both_kept(warehouse):
    """Stops the second of them from ending in a duplicate key, and the whole batch with it;
    also where the first is in the last second of a minute."""
    at = 20260918_235959
    once = rows(
        NAV_REVISION,
        {"nav_date": DAY2, "unit_nav": 2.0},
        {"nav_date": DAY3, "unit_nav": 3.0},
        fund_code="000001", superseded_at=at, first_seen_at=SEEN3, batch_id="w1",
        superseded_by="w2",
        kind="correction", legal_level="announce",
    )  # fmt: skip
    again = once[once["nav_date"] == DAY2].assign(unit_nav=2.5, superseded_by="w3")
    for corrected in (once, again, again.assign(unit_nav=2.7, superseded_by="w4")):
        with warehouse.transaction(writes=True) as connection:
            publish.write_revisions(connection, corrected)
    kept = warehouse.rows(
        "SELECT nav_date, unit_nav, superseded_at FROM nav_revision "
        f"WHERE superseded_at >= {at} ORDER BY nav_date, superseded_at"
    )
    assert [tuple(row.values()) for row in kept] == [
        (DAY2, 2.0, at),
        (DAY2, 2.5, 20260919_000000),
        (DAY2, 2.7, 20260919_000001),
        (DAY3, 3.0, at),
    ]


@pytest.mark.parametrize("late", OBSERVED_NAMES)
def test_a_figure_that_came_later_was_not_known_before(tmp_path, late):
    """Stops a backtest from reading what was filled in as if it had been there from the start."""
    money = late.startswith("yield")
    whole = dict.fromkeys(OBSERVED_NAMES, np.nan) | (
        {"yield_per_10k": 0.5, "yield_7d_pct": 1.8}
        if money
        else {"unit_nav": 1.01, "acc_nav": 1.51, "growth_pct": 1.0}
    )
    warehouse = Warehouse(stores.at(tmp_path))
    warehouse.init("simulated")
    with warehouse.transaction(writes=True) as connection:
        fund_type = "货币型-普通货币" if money else "混合型-偏股"
        one = {"fund_code": "000001", "name": "x", "fund_type": fund_type, "pinyin": "X"}
        insert(connection, FUND_INFO, described(pd.DataFrame([one]), DAY1))
    came = {20260917_193000: whole | {late: np.nan}, 20260917_213000: whole}
    for stamp, figures in came.items():
        seen = pd.DataFrame(
            [{"fund_code": "000001", "nav_date": DAY2, "defect": "", **figures}]
        )
        landing.land(
            warehouse,
            prepare(seen, origin=Origin("wave", "simulated", DAY2, DAY1, stamp), payloads=[]),
        )
        (done,) = validate(warehouse, TradingCalendar.build(), from_stamp(stamp))
    assert done.counts["rows_filled"] == 1
    for moment, known in ((20260917_212959, whole | {late: np.nan}), (20260917_213000, whole)):
        row = nav_queries.nav_asof(warehouse, "000001", DAY2, moment)
        assert [row[name] for name in OBSERVED_NAMES] == [
            None if np.isnan(value) else value for value in known.values()
        ], moment
    assert nav_queries.nav_asof(warehouse, "000001", DAY2, 20260917_192959) is None
    assert nav_queries.corrections(warehouse) == [], "it is no correction"
    warehouse.close()
