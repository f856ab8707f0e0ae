"""What the simulated source states of its funds is true."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import TradingCalendar
from fund_assets.schemas.tables import RETURNS_STATED
from fund_assets.sources.protocol import History
from fund_assets_tests.unit.sources.simulated.test_source import Clock, market

MONTHS = {"1m": 1, "3m": 3, "6m": 6, "1y": 12}


@pytest.fixture(scope="module")
def answers():
    calendar = TradingCalendar.build(invent_until=pd.Timestamp("2027-06-30").date())
    source = market(calendar, Clock("2026-09-18 22:00"), 150, years=1.5)
    frame = source.fund_list().frame
    found = source.histories(zip(frame["fund_code"], frame["fund_type"], strict=True))
    return source, {code: one for code, one in found if isinstance(one, History)}


def test_returns_are_those_of_the_truth(answers):
    """Stops a market whose own returns contradict its NAVs; windows by pandas' months."""
    source, histories = answers
    checked = 0
    for code, history in histories.items():
        truth = source.truth(code)
        if len(truth.corrections) or history.observations.empty:
            continue
        index = truth.index.set_index("nav_date")["total_return_index"]
        newest = history.observations["nav_date"].max()
        for what, window in RETURNS_STATED.items():
            begin = pd.Timestamp(str(newest)) - pd.DateOffset(months=MONTHS[window])
            before = index[index.index <= int(begin.strftime("%Y%m%d"))]
            stated = history.statements.figures.get((what, newest))
            if stated is not None:
                exact = 100 * (index.iloc[-1] / before.iloc[-1] - 1)
                assert abs(stated - exact) < 0.00501, (code, window)
                checked += 1
    assert checked > 300


def test_ranks_are_places_among_peers(answers):
    """Stops ranks that are no order: of each group every place is held by its order."""
    source, histories = answers
    u = source.market.universe
    found = {}
    for code, history in histories.items():
        stated = history.statements
        assert (np.diff(stated.rank_days) > 0).all()
        if len(stated.ranks):
            breed = u.breed[u.portfolio[source.market.index[code]]]
            rows = zip(stated.rank_days, stated.ranks, stated.peers, strict=True)
            for day, rank, peers in rows:
                assert 1 <= rank <= peers
                found.setdefault((breed, day), {})[code] = (rank, peers)
    assert len(found) > 100
    for places in found.values():
        assert len({peers for _, peers in places.values()}) == 1
