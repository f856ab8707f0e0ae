"""What the source states lands with the history that states it."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from fund_assets.nav.history import HistoryChoice
from fund_assets.nav.statements import SourceStatements
from fund_assets.pipeline.fund_info import refresh
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.settings import SHANGHAI
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries.statements import statements_of
from fund_assets.warehouse.stores import landing
from fund_assets_tests import stores
from fund_assets_tests.integration.test_reports import Reporting

FUND, OTHER = "000001", "161725"
JULY, OCTOBER = (datetime(2026, month, 20, 20, tzinfo=SHANGHAI) for month in (7, 10))


class Stating(Reporting):
    """The tiny market, whose histories state what `stated` has of each fund."""

    def __init__(self):
        super().__init__()
        self.stated = {}

    def histories(self, funds, *, keep):
        for code, answer in super().histories(funds, keep=keep):
            yield code, replace(answer, statements=self.stated.get(code, SourceStatements()))


@pytest.fixture
def warehouse(tmp_path):
    made = Warehouse(stores.at(tmp_path))
    made.init("tiny")
    yield made
    made.close()


def _rank(day, place):
    column = np.array([day, place, 10], dtype=np.int32)
    return SourceStatements({("score", day): 70.0 + place}, *column[:, None])


def _known(warehouse, as_of=None):
    rows = statements_of(warehouse, FUND, as_of)
    return [(row["what"], row["nav_date"], row["value"]) for row in rows]


def test_statements_keep_what_was_known(warehouse, monkeypatch):
    """Stops a later answer from rewriting what was stated before, a transaction that fails from
    keeping it, and a doubt from being thrown away."""
    source = Stating()
    refresh(warehouse, source, 20260720)
    choice = HistoryChoice(codes=(FUND, OTHER))

    def killed(at):
        if at == "land.before_commit":
            raise KeyboardInterrupt

    source.stated = {FUND: _rank(20260717, 3)}
    monkeypatch.setattr(landing, "crash_point", killed)
    with pytest.raises(KeyboardInterrupt):
        collect_histories(warehouse, source, lambda: JULY, choice)
    assert _known(warehouse) == []
    monkeypatch.undo()
    collect_histories(warehouse, source, lambda: JULY, choice)
    first = [("rank_3m", 20260717, 3.0), ("score", 20260717, 73.0)]
    assert _known(warehouse) == first

    odd = replace(_rank(20260717, 4), refused=("000001: syl_1n: odd",), unknown=("new",))
    source.stated = {FUND: odd}
    report = collect_histories(warehouse, source, lambda: OCTOBER, choice)
    assert report.reports == ["000001: syl_1n: odd"] and report.unknown == {"new": [FUND]}
    assert _known(warehouse) == [("rank_3m", 20260717, 4.0), ("score", 20260717, 74.0)]
    assert _known(warehouse, 20261020_195959) == _known(warehouse, 20260720_200000) == first
    assert _known(warehouse, 20260720_195959) == []
