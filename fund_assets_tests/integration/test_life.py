"""The lives of funds: concluded after the metrics, stored, and shown."""

from collections import Counter
from datetime import date

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from fund_assets.calendar import TradingCalendar
from fund_assets.cli import main
from fund_assets.nav.cadence import Attendance, Cadence, learn_cadence, sessions_to_learn
from fund_assets.nav.lateness import allowed_silence
from fund_assets.nav.life import DEAD, Facts, Spell, Today, life_of
from fund_assets.nav.list_rules import described
from fund_assets.pipeline.fund_life import renew_life
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import FUND_CHANGE, FUND_INFO, FUND_STATE, VALIDATED_NAV
from fund_assets.settings import load_settings
from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.market import Market
from fund_assets.sources.simulated.timeline import ORIGIN
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.diff_writes import insert, upsert
from fund_assets.warehouse.queries import life as queries
from fund_assets.warehouse.stores import landing

CALENDAR = TradingCalendar.build()
#: Sessions between two NAVs of a weekly fund around a holiday, at most.
LONGEST_STEP = 7
EPOCH = (ORIGIN - date(1970, 1, 1)).days
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
    assert queries.state_counts(warehouse, ON) == {
        "active": 1, "late": 1, "never_reported": 1, "presumed_dead": 2,
    }  # fmt: skip
    assert queries.state_counts(warehouse, 20250601) == {
        "active": 2, "never_reported": 1, "suspended": 2,
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
    assert queries.change_counts(warehouse, 20250606, 20250609) == {"name": 1, "transition": 1}
    assert queries.change_counts(warehouse, 20250607, 20250608) == {}
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


def test_a_break_that_was_ours_is_removed_when_its_navs_come(warehouse):
    """Stops an outage of the platform from staying in the lives of funds after the backfill."""
    renew_life(warehouse, 20250506, CALENDAR)
    assert now(warehouse)["000005"] == "late"
    with warehouse.transaction(writes=True) as connection:
        upsert(connection, VALIDATED_NAV, navs("000005", sessions(20250507, 20250509)))
    renew_life(warehouse, 20250509, CALENDAR)
    lived = (
        "SELECT since, until, state FROM fund_state WHERE fund_code = '000005' ORDER BY since"
    )
    assert warehouse.tuples(lived) == [
        (20250102, 20250418, "active"), (20250418, 20250507, "late"), (20250507, None, "active"),
    ]  # fmt: skip
    with warehouse.transaction(writes=True) as connection:
        upsert(connection, VALIDATED_NAV, navs("000005", sessions(20250402, 20250430)))
    assert renew_life(warehouse, 20250509, CALENDAR) == 3, "two rows are gone, one goes on"
    assert warehouse.tuples(lived) == [(20250102, None, "active")]


def test_an_evening_gives_every_fund_its_state(first_evening):
    """Stops the states from being left out of the evening, and a fund from having none."""
    market, _ = first_evening
    states = market.table("fund_state", "until IS NULL").set_index("fund_code")["state"]
    funds = market.table("fund_info").set_index("fund_code")
    assert states.index.is_unique and set(states.index) == set(funds.index)
    last = market.table("validated_nav").groupby("fund_code")["nav_date"].max()
    assert set(states.index[states.isin(["not_yet_open", "never_reported"])]) == set(
        funds.index.difference(last.index)
    )
    assert set(states[funds.index[funds["name"].str.contains("后端")]]) == {"never_reported"}
    assert (states == "active").sum() > 0.7 * len(states)


class Year:
    """What could be seen of a simulated market on its evenings, of funds that are not money-market.

    Attributes:
        keys: sessions, yyyymmdd.
        there: bool [funds, sessions], whether there is a NAV; at_minute: when it is published.
        listed, gone_on: yyyymmdd, first day on the list, and off it.
    """

    def __init__(self, funds: int) -> None:
        market = Market(funds, 7, CALENDAR)
        u, t = market.universe, market.timeline
        kinds = np.array([breed.kind for breed in BREEDS])[u.breed[u.portfolio]]
        ours = np.flatnonzero((kinds != "money") & ~u.back_end)
        p = u.portfolio[ours]
        days = np.asarray(CALENDAR.session_days - EPOCH)
        days = days[(days >= 0) & (days < len(t.keys))]
        self.days = days[(t.keys[days] >= 20250101) & (t.keys[days] <= 20260930)]
        self.keys = np.asarray(t.keys[self.days], dtype=np.int64)
        self.there = market.schedule.has_nav(p[:, None], self.days)
        self.at_minute = market.schedule.published_at(p[:, None], self.days)
        self.codes, self.kinds = [u.code[fund] for fund in ours], kinds[ours].tolist()
        self.names = [u.name[fund] for fund in ours]
        self.listed, self.gone = u.listed[p], u.delisted[p]
        self.key = lambda day: int(t.keys[min(max(int(day), 0), len(t.keys) - 1)])

    def seen(self, at: int) -> np.ndarray:
        """Which NAVs were published by 23:30 of a session."""
        seen = self.there & (self.at_minute <= int(self.days[at]) * 1440 + 23 * 60 + 30)
        seen[:, at + 1 :] = False
        return seen

    def cadence(self, at: int, seen: np.ndarray) -> Cadence:
        """How often funds publish, as known on a session."""
        learned = np.isin(self.keys, sessions_to_learn(CALENDAR, int(self.keys[at])))
        return learn_cadence(
            Attendance(self.codes, self.kinds, self.keys[learned], seen[:, learned])
        )

    def facts(self, row: int, at: int, seen: np.ndarray, step: int) -> Facts:
        """What is known of a fund on a session."""
        dates = self.keys[seen[row]]
        first, last = (int(dates[0]), int(dates[-1])) if len(dates) else (0, 0)
        return Facts(
            self.codes[row], self.names[row], "", self.kinds[row],
            "delisted" if self.gone[row] <= self.days[at] else "listed",
            self.key(max(self.listed[row], self.days[0])),
            self.key(min(self.gone[row] - 1, self.days[at])), first, last, step, 0, 0,
        )  # fmt: skip


@pytest.mark.slow
def test_in_a_year_of_the_simulated_market_the_living_live_and_the_ended_end():
    """Stops a fund that publishes from being called ended, or late while its NAVs come in time,
    and a fund that was wound up from being waited for."""
    year = Year(1_500)
    told: list[list[Spell]] = [[] for _ in year.codes]
    looks = Counter[object]()
    for at in range(120, len(year.keys), 5):
        seen = year.seen(at)
        cadence = year.cadence(at, seen)
        steps = dict(zip(cadence.codes, cadence.usual_step.tolist(), strict=True))
        today = Today(int(year.keys[at]), CALENDAR.sessions)
        on_list = (year.listed <= year.days[at]) & (year.gone > year.days[0])
        rows = np.flatnonzero(on_list).tolist()
        funds = [year.facts(row, at, seen, steps.get(year.codes[row], 0)) for row in rows]
        allowed = allowed_silence(funds, cadence, today)
        for row, facts, sessions in zip(rows, funds, allowed, strict=True):
            told[row] = life_of(facts, told[row], today, sessions)
            state = told[row][-1].state
            comes = bool(year.there[row, at + 1 :].any())
            looks[state] += 1
            looks[state, "comes"] += comes
            has = np.flatnonzero(year.there[row])
            before, after = has[has <= at], has[has > at]
            gap = after[0] - before[-1] if len(before) and len(after) else 0
            looks["late", "no gap"] += state == "late" and comes and gap <= LONGEST_STEP
            ended = facts.last_nav < today.session(today.on, -20) and facts.status == "delisted"
            looks["gone", "not ended"] += ended and state not in DEAD
    print(dict(looks))
    assert looks["active"] > 80_000 and looks["terminated"] > 1_500 and looks["late"] > 80
    assert [looks[state, "comes"] for state in DEAD] == [0, 0, 0]
    assert looks["gone", "not ended"] == 0
    assert looks["late", "no gap"] == 0
