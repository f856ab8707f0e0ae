"""A year of evenings of the simulated market: when the metrics of a kind become final, and which
funds are told to be silent."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import TradingCalendar, from_key
from fund_assets.metrics.peers import with_coverage
from fund_assets.nav.cadence import Attendance, Cadence, learn_cadence, sessions_to_learn
from fund_assets.nav.silence import WINDOW, describe_funds
from fund_assets.schemas.tables import FUND_CADENCE, VALIDATED_NAV
from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.market import Market
from fund_assets.sources.simulated.timeline import ORIGIN
from fund_assets.warehouse.queries import coverage as coverage_queries

DAY = 20260917
EPOCH = (ORIGIN - date(1970, 1, 1)).days
#: A look is at 23:30 of the date's own evening, or of the next ones.
LOOK_AT, LOOKS = 23 * 60 + 30, 3


class Evenings:
    """Which NAVs of a year can be seen on an evening, and which there are in the end."""

    def __init__(self, first: int, last: int, funds: int) -> None:
        self.calendar = TradingCalendar.build()
        market = Market(funds, 7, self.calendar)
        u, t = market.universe, market.timeline
        self.universe, self.timeline, self.schedule = u, t, market.schedule
        kinds = np.array([breed.kind for breed in BREEDS])[u.breed[u.portfolio]]
        ours = np.flatnonzero(kinds != "money")
        self.codes, self.kinds = [u.code[fund] for fund in ours], kinds[ours]
        days = np.asarray(self.calendar.session_days - EPOCH)
        days = days[days >= 0]
        self.days = days[(t.keys[days] >= first) & (t.keys[days] <= last)]
        self.keys = np.asarray(t.keys[self.days], dtype=np.int64)
        self.portfolios = u.portfolio[ours]
        portfolios = self.portfolios[:, None]
        self.there = market.schedule.has_nav(portfolios, self.days)
        self.published_at = market.schedule.published_at(portfolios, self.days)

    def seen(self, at: int, evening: int = 0) -> np.ndarray:
        """Which NAVs have come by the night of a session, or some evenings later."""
        now = int(self.days[at + evening]) * 1440 + LOOK_AT
        return self.there & (self.published_at <= now)

    def cadence(self, at: int, seen: np.ndarray) -> Cadence:
        """What is learned on a session from what was seen."""
        learned = np.isin(self.keys, sessions_to_learn(self.calendar, int(self.keys[at])))
        return learn_cadence(
            Attendance(self.codes, self.kinds.tolist(), self.keys[learned], seen[:, learned])
        )

    def silent(self, at: int, seen: np.ndarray) -> list[int]:
        """The funds that R13 tells on the night of a session."""
        since = at - WINDOW
        fund, place = np.nonzero(seen[:, since : at + 1])
        last = at - seen[:, at::-1].argmax(axis=1)
        old = np.flatnonzero(seen[:, : at + 1].any(axis=1) & (last < since))
        codes = np.array(self.codes)
        stored = pd.DataFrame(
            {
                "fund_code": codes[np.append(fund, old)],
                "nav_date": self.keys[np.append(since + place, last[old])].astype("int32"),
            }
        )
        batch = SimpleNamespace(
            is_wave=True,
            newest_date=int(self.keys[at]),
            landed=pd.DataFrame({"fund_code": self.codes}),
        )
        known = SimpleNamespace(
            stored=stored,
            kinds=dict(zip(self.codes, self.kinds.tolist(), strict=True)),
            cadence=self.cadence(at, seen),
            ended=frozenset(),
        )
        nothing_new = SimpleNamespace(kept=VALIDATED_NAV.empty)
        found = describe_funds(batch, known, nothing_new, self.calendar)
        silent = found["sessions_behind"] > found["sessions_allowed"]
        return [self.codes.index(code) for code in found.loc[silent, "fund_code"]]

    def stopped(self) -> np.ndarray:
        """Bool [funds, sessions]: halted, or ended."""
        p = self.portfolios
        starts, ends = self.schedule._halts
        found = self.days > self.universe.last_nav[p][:, None]
        for back in (0, 1):
            year = np.maximum(self.timeline.year[self.days] - back, 0)
            found |= (self.days >= starts[p][:, year]) & (self.days <= ends[p][:, year])
        return found

    def status(self, at: int, evening: int) -> dict[str, tuple[str, float]]:
        """Kind → status of a session's metrics some evenings later, and the share of its NAVs
        of that session that has come by then."""
        seen = self.seen(at, evening)
        cadence = self.cadence(at, seen)
        due = pd.Series(cadence.due[:, from_key(int(self.keys[at])).weekday()], cadence.codes)
        until = seen[:, at::-1]
        has = until.any(axis=1)
        metrics = pd.DataFrame(
            {
                "fund_code": self.codes,
                "end_date": self.keys[at - until.argmax(axis=1)],
                "calc_date": self.keys[at],
            }
        )[has]
        funds = pd.DataFrame({"fund_code": self.codes, "kind": self.kinds})
        found = with_coverage(metrics, funds, due).groupby(self.kinds[has])["status"].first()
        share = {
            kind: float(seen[self.kinds == kind, at].sum())
            / max(self.there[self.kinds == kind, at].sum(), 1)
            for kind in found.index
        }
        return {str(kind): (str(word), share[kind]) for kind, word in found.items()}


@pytest.mark.slow
def test_in_a_year_each_kind_becomes_final_when_it_has_come_and_not_before():
    """Stops FOF and weekly funds from staying provisional for ever, and a kind from being final
    while more than a tenth of its NAVs are still to come."""
    year = Evenings(20250501, 20260930, 1_500)
    final = defaultdict(list)
    for at in range(100, len(year.days) - LOOKS, 5):
        for evening in range(LOOKS):
            for kind, (word, share) in year.status(at, evening).items():
                final[kind, evening].append(word == "final")
                assert word == "provisional" or share >= 0.88, (kind, year.keys[at], evening)
    shares = {key: float(np.mean(words)) for key, words in final.items()}
    assert len(final["fof", 0]) > 45
    assert shares["fof", 0] == shares["qdii", 0] == 0.0, "their NAVs come a day later"
    for kind in ("fof", "qdii", "bond", "mixed", "index", "equity"):
        assert shares[kind, 2] == 1.0, kind
    assert shares["bond", 0] > 0.8, "funds that are closed publish weekly: a tenth of them"


@pytest.mark.slow
def test_in_a_year_the_silent_funds_are_those_that_have_stopped():
    """Stops FOF, weekly funds and late ones from being told to be silent, and a fund that has
    stopped, of each kind, from not being told."""
    year = Evenings(20250501, 20260930, 1_500)
    stopped = year.stopped()
    told, evenings = defaultdict(set), range(100, len(year.days), 3)
    for at in evenings:
        seen = year.seen(at)
        seen[:, at + 1 :] = False
        last = at - seen[:, at::-1].argmax(axis=1)
        for fund in year.silent(at, seen):
            kind = str(year.kinds[fund])
            assert stopped[fund, last[fund] + 1 : at + 1].any(), (kind, year.codes[fund], at)
            told[kind].add(fund)
    assert len(evenings) > 80
    assert len(told["fof"]) >= 3
    for kind in ("fof", "mixed", "bond", "index", "equity"):
        ours = np.flatnonzero(year.kinds == kind)
        # Silent for five weeks, after a past long enough to know its cadence.
        long = [fund for fund in ours if year.there[fund, 40:100].sum() > 10
                and stopped[fund, 100:-1].sum() > 25 and stopped[fund, -30:-1].all()]  # fmt: skip
        assert set(long) <= told[kind], kind


@pytest.mark.slow
def test_a_fof_that_really_stops_is_told_when_it_is_due():
    """Stops the patience that FOF have from letting one of them be silent unnoticed."""
    year = Evenings(20250501, 20260930, 1_500)
    at = 240
    daily = [
        fund for fund in np.flatnonzero(year.kinds == "fof")
        if year.there[fund, 150 : at + 8].all()
    ]  # fmt: skip
    year.there[daily[0], at:] = False
    found = [daily[0] in year.silent(at + n, year.seen(at + n)) for n in range(6)]
    assert found == [False, False, False, True, True, True], "its lag is three sessions"
    assert not set(daily[1:]) & set(year.silent(at + 5, year.seen(at + 5)))


@pytest.mark.slow
@pytest.mark.parametrize("together", [True, False])
def test_fof_that_rest_a_day_a_week_become_final_and_none_of_them_is_told(together):
    """Stops FOF that publish on four of five sessions, all on the same or each on its own, from
    staying provisional, from being final a day too early, and from being told to be silent."""
    year = Evenings(20250501, 20260930, 1_500)
    fof = np.flatnonzero(year.kinds == "fof")
    rest_day = np.full(len(fof), 2) if together else np.arange(len(fof)) % 5
    weekday = np.array([from_key(int(key)).weekday() for key in year.keys])
    year.there[fof] &= weekday != rest_day[:, None]
    stopped, told, final = year.stopped(), 0, Counter()
    evenings = range(100, len(year.days) - LOOKS, 3)
    for at in evenings:
        seen = year.seen(at)
        seen[:, at + 1 :] = False
        last = at - seen[:, at::-1].argmax(axis=1)
        silent = [fund for fund in year.silent(at, seen) if fund in set(fof)]
        told += sum(not stopped[fund, last[fund] + 1 : at + 1].any() for fund in silent)
        for evening in range(LOOKS):
            word, _ = year.status(at, evening)["fof"]
            final[evening] += word == "final" and weekday[at] != 2
    assert told == 0
    others = sum(weekday[at] != 2 for at in evenings)
    assert (final[0], final[2]) == (0, others), "their NAVs come a session later"


def test_what_is_learned_is_stored_and_all_coverage_is_made_of_it(first_evening):
    """Stops the dashboard and the metrics of an evening from counting funds in two ways."""
    market, _ = first_evening
    cadence = market.table("fund_cadence").set_index("fund_code")
    FUND_CADENCE.schema.validate(cadence.reset_index()[FUND_CADENCE.names])
    dates = market.table("validated_nav", f"nav_date <= {DAY}").groupby("fund_code")["nav_date"]
    learned = sessions_to_learn(TradingCalendar.build(), DAY)
    thursdays = {key for key in learned if from_key(key).weekday() == 3}
    compared = 0
    for code, found in dates:
        days = found[found >= learned[0] - 10_000].map(from_key).sort_values()
        # After a month of silence a fund's series, and its cadence, begin anew.
        if found.min() < learned[0] and days.diff().max() < timedelta(days=31):
            of_all = len(thursdays & set(found)) / len(thursdays)
            assert cadence.loc[code, "due_thursday"] == pytest.approx(of_all, abs=0.35), code
            compared += cadence.loc[code, "due_thursday"] == pytest.approx(of_all)
    assert compared > 0.9 * len(cadence), "the others had a session on which their kind rested"
    metrics = market.table("fund_metrics").merge(market.table("fund_info"), on="fund_code")
    stored = metrics.groupby("kind")["coverage"].first()
    shown = {row["kind"]: row for row in coverage_queries.coverage(market.warehouse, DAY)}
    for kind, row in shown.items():
        assert row["share"] == pytest.approx(stored[kind], abs=0.5 / row["due"]), kind
    assert {"mixed", "bond", "fof"} <= shown.keys()
