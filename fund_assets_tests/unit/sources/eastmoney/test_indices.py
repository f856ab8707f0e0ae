"""Index closes: from eastmoney's answer through akshare, and from the simulated market."""

import json
from datetime import date

import numpy as np
import pytest

from fund_assets.calendar import TradingCalendar, to_key
from fund_assets.schemas.kinds import INDICES, KINDS
from fund_assets.sources.eastmoney import indices
from fund_assets.sources.simulated.indices import RECIPES
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.transport.errors import EmptyAnswerError, FormatError, SourceError
from fund_assets.transport.http_answer import Answer


class Gateway:
    """Answers every request with one body, and keeps what was asked."""

    def __init__(self, body):
        self.body, self.asked = body, []

    def fetch(self, endpoint, url, params=None, headers=None):
        self.asked.append((endpoint, url, dict(params)))
        return Answer(endpoint, url, 200, {}, self.body, "")


def klines(rows, fields):
    padding = [",".join(["1.0"] * (fields - 3))]
    lines = [",".join([day, "1.0", close, *padding]) for day, close in rows]
    return json.dumps({"rc": 0, "data": {"code": "x", "name": "y", "klines": lines}}).encode()


@pytest.mark.parametrize(
    ("code", "secid", "fields"),
    [("000300", "1.000300", 8), ("000012", "1.000012", 8), ("SPX", "100.SPX", 14)],
)
def test_akshare_reads_the_answer_over_our_gateway(code, secid, fields):
    """Stops a wrong market prefix, a wrong column for the close, and dates out of order."""
    gateway = Gateway(klines([("2026-11-20", "4584.54"), ("2026-11-19", "4600.00")], fields))
    found = indices.index_history(gateway, code)
    ((endpoint, url, params),) = gateway.asked
    assert endpoint == "index_history"
    assert url == "https://push2his.eastmoney.com/api/qt/stock/kline/get"
    assert params["secid"] == secid
    assert found["nav_date"].tolist() == [20261119, 20261120]
    assert found["close"].tolist() == [4600.0, 4584.54]
    assert (found["nav_date"].dtype, found["close"].dtype) == ("int32", "float64")


def test_answers_without_closes_are_told_apart():
    """Stops an empty or changed answer from passing for an index without a session."""
    with pytest.raises(EmptyAnswerError, match="000300 has no closes"):
        indices.index_history(Gateway(b'{"data": {"klines": []}}'), "000300")
    with pytest.raises(FormatError, match="akshare"):
        indices.index_history(Gateway(b'{"data": null}'), "000300")
    with pytest.raises(FormatError, match="2026-11-20 with close nan is not a valid close"):
        indices.index_history(Gateway(klines([("2026-11-20", "-")], 8)), "000300")
    with pytest.raises(SourceError, match=r"unknown index '399001': choose from 000300"):
        indices.index_history(Gateway(b""), "399001")


def test_every_index_in_use_has_a_source():
    """Stops a kind from being measured against an index that no source has."""
    used = {kind.benchmark for kind in KINDS.values() if kind.benchmark}
    assert used == set(INDICES) == set(indices.FORMS) == set(RECIPES)


def test_the_simulated_index_moves_with_the_market_and_never_changes_back():
    """Stops an index that looks ahead, or that is another when asked later."""
    calendar = TradingCalendar.build()

    def at(moment):
        from fund_assets.settings import load_settings

        settings = load_settings(sim_funds=60, sim_years=1.0, sim_seed=5, clock=moment)
        return SimulatedSource.from_settings(settings, calendar)

    before, after = at("2026-09-17T14:59:00"), at("2026-09-18T15:00:00")
    old, new = before.index_history("000300"), after.index_history("000300")
    assert old["nav_date"].iloc[-1] == 20260916
    assert new["nav_date"].iloc[-1] == 20260918
    assert new["nav_date"].tolist() == [
        to_key(day) for day in calendar.between(date(2025, 1, 1), date(2026, 9, 18))
    ]
    assert new["close"].iloc[:-2].tolist() == old["close"].tolist()
    assert 0.5 < np.diff(np.log(new["close"])).std() * 100 < 2.0
    with pytest.raises(SourceError, match="no index 'DAX'"):
        after.index_history("DAX")
