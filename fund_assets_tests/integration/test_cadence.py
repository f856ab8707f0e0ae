"""A year of evenings of the simulated market: when the metrics of a kind become final."""

from collections import defaultdict
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import TradingCalendar, from_key
from fund_assets.metrics.peers import with_coverage
from fund_assets.nav.cadence import Attendance, learn_cadence, sessions_to_learn
from fund_assets.schemas.tables import FUND_CADENCE
from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.market import Market
from fund_assets.sources.simulated.timeline import ORIGIN
from fund_assets.warehouse.queries import status as status_queries

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
        kinds = np.array([breed.kind for breed in BREEDS])[u.breed[u.portfolio]]
        ours = np.flatnonzero(kinds != "money")
        self.codes, self.kinds = [u.code[fund] for fund in ours], kinds[ours]
        days = np.asarray(self.calendar.session_days - EPOCH)
        days = days[days >= 0]
        self.days = days[(t.keys[days] >= first) & (t.keys[days] <= last)]
        self.keys = np.asarray(t.keys[self.days], dtype=np.int64)
        portfolios = u.portfolio[ours][:, None]
        self.there = market.schedule.has_nav(portfolios, self.days)
        self.published_at = market.schedule.published_at(portfolios, self.days)

    def status(self, at: int, evening: int) -> dict[str, tuple[str, float]]:
        """Kind → status of a session's metrics some evenings later, and the share of its NAVs
        of that session that has come by then."""
        now = int(self.days[at + evening]) * 1440 + LOOK_AT
        seen = self.there & (self.published_at <= now)
        learned = np.isin(self.keys, sessions_to_learn(self.calendar, int(self.keys[at])))
        cadence = learn_cadence(
            Attendance(self.codes, self.kinds.tolist(), self.keys[learned], seen[:, learned])
        )
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
    shown = {row["kind"]: row for row in status_queries.coverage(market.warehouse, DAY)}
    for kind, row in shown.items():
        assert row["share"] == pytest.approx(stored[kind], abs=0.5 / row["due"]), kind
    assert {"mixed", "bond", "fof"} <= shown.keys()
