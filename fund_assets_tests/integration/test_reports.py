"""Size, holders and allocation land with the history that says them."""

from dataclasses import replace
from datetime import datetime

import pytest

from fund_assets.nav.history import HistoryChoice
from fund_assets.pipeline.fund_info import refresh
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.schemas.tables import (
    FUND_ALLOCATION,
    FUND_HOLDERS,
    FUND_MANAGER,
    FUND_POSITION_ESTIMATE,
    FUND_SIZE,
    FUND_TOP_HOLDINGS,
)
from fund_assets.settings import SHANGHAI
from fund_assets.sources.eastmoney.decode_reports import decode_reports
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries.reports import periods_of, sizes_off
from fund_assets.warehouse.stores import landing
from fund_assets_tests import stores
from fund_assets_tests.server import wire
from fund_assets_tests.server.tiny import TinyMarket

FUND, OTHER = "000001", "161725"
JULY, OCTOBER = (datetime(2026, month, 20, 20, tzinfo=SHANGHAI) for month in (7, 10))
SCALE = {
    "categories": ["2026-03-31", "2026-06-30"],
    "series": [{"y": 6.06, "mom": "7.24%"}, {"y": 6.0, "mom": "-1.06%"}],
}


class Reporting(TinyMarket):
    """The tiny market, whose histories say what `variables` has of each fund."""

    def __init__(self):
        self.variables = {}

    def histories(self, funds, *, keep):
        for code, answer in super().histories(funds):
            body = wire.history(code, "甲", [], [], [], [], **self.variables.get(code, {}))
            yield code, replace(answer, reports=decode_reports(body, code))

    def kept(self):
        return {}

    def forget(self, fund_codes):
        pass

    def stopped_until(self):
        return None

    def stopped_because(self):
        return ""


@pytest.fixture
def warehouse(tmp_path):
    made = Warehouse(stores.at(tmp_path))
    made.init("tiny")
    yield made
    made.close()


def _collect(warehouse, source, at):
    choice = HistoryChoice(codes=(FUND, OTHER))
    return collect_histories(warehouse, source, lambda: at, choice)


def _sizes(warehouse, as_of=None):
    rows = periods_of(warehouse, FUND_SIZE, FUND, as_of)
    return [(row["period_end"], row["net_assets"]) for row in rows]


def test_a_report_lands_with_the_navs_and_keeps_what_was_known(warehouse):
    """Stops a bad cell from costing NAVs, and a later answer from rewriting the past."""
    source = Reporting()
    refresh(warehouse, source, 20260720)
    source.variables = {
        FUND: {"Data_fluctuationScale": SCALE, "Data_new": []},
        OTHER: {"Data_fluctuationScale": {**SCALE, "series": [{"y": "x"}, {"y": 1.0}]}},
    }
    report = _collect(warehouse, source, JULY)
    assert report.failures == {} and report.rows == 8
    assert report.unknown == {"Data_new": [FUND]}
    assert report.reports == ["161725: Data_fluctuationScale: 20260331: y: not a number: 'x'"]
    assert _sizes(warehouse) == [(20260630, 600_000_000.0), (20260331, 606_000_000.0)]
    assert len(periods_of(warehouse, FUND_SIZE, OTHER)) == 1
    assert periods_of(warehouse, FUND_HOLDERS, FUND) == []

    source.variables = {FUND: {"Data_fluctuationScale": {
        "categories": ["2026-03-31"], "series": [{"y": 6.07, "mom": "7.24%"}],
    }}}  # fmt: skip
    report = _collect(warehouse, source, OCTOBER)
    assert report.batches, "the same NAVs are the same batch: the reports land all the same"
    assert report.reports == ["000001: fund_size of 20260630 is no longer there"]
    assert _sizes(warehouse) == [(20260331, 607_000_000.0)]
    before = [(20260630, 600_000_000.0), (20260331, 606_000_000.0)]
    assert _sizes(warehouse, 20260720_200000) == _sizes(warehouse, 20261020_195959) == before
    assert _sizes(warehouse, 20261020_200000) == [(20260331, 607_000_000.0)]
    assert _sizes(warehouse, 20260720_195959) == []
    assert len(periods_of(warehouse, FUND_SIZE, OTHER)) == 1, "it says nothing any more"
    assert _collect(warehouse, source, OCTOBER).reports == [], "told once"


def test_managers_and_holdings_land_with_the_navs_and_as_of_works(warehouse):
    """Stops a manager of today from being shown for a time in which another one was there."""
    source = Reporting()
    refresh(warehouse, source, 20260720)
    manager = {"id": "1", "name": "甲", "workTime": "143天", "fundSize": "6.62亿(7只基金)"}
    source.variables = {FUND: {
        "Data_fluctuationScale": SCALE, "Data_currentFundManager": [manager],
        "stockCodesNew": ["1.600519"], "Data_fundSharesPositions": [[1_778_601_600_000, 86.22]],
    }}  # fmt: skip
    assert _collect(warehouse, source, JULY).reports == []
    source.variables[FUND]["Data_currentFundManager"] = [{**manager, "id": "2", "name": "乙"}]
    assert _collect(warehouse, source, OCTOBER).reports == [], "a new manager is no defect"

    def named(as_of=None):
        return [row["name"] for row in periods_of(warehouse, FUND_MANAGER, FUND, as_of)]

    assert named() == ["乙"] and named(20261020_195959) == ["甲"] == named(20260720_200000)
    assert named(20260720_195959) == []
    (held,) = periods_of(warehouse, FUND_TOP_HOLDINGS, FUND)
    assert (held["period_end"], held["security_code"], held["weight"]) == (
        20260630, "600519", None,
    )  # fmt: skip
    (estimate,) = periods_of(warehouse, FUND_POSITION_ESTIMATE, FUND)
    assert (estimate["nav_date"], estimate["position"]) == (20260513, 0.8622)


def test_sizes_that_are_not_shares_times_nav_are_told(warehouse):
    """Stops a size of another class or a NAV of another day from passing without a word."""
    source = Reporting()
    refresh(warehouse, source, 20260720)
    shares = {
        "categories": ["2026-03-31", "2026-06-30"],
        "series": [{"name": "总份额", "data": [4.04, 4.00]}],
    }
    source.variables = {
        code: {"Data_fluctuationScale": SCALE, "Data_buySedemption": shares}
        for code in (FUND, OTHER)
    }
    _collect(warehouse, source, JULY)
    assert sizes_off(warehouse) == (0, []), "no NAV of these days"
    with warehouse.transaction(writes=True) as connection:
        for code, day, nav in (
            (FUND, 20260331, 1.5), (FUND, 20260628, 1.52), (OTHER, 20260630, 1.5),
            (OTHER, 20260327, 9.9),
        ):  # fmt: skip
            connection.exec_driver_sql(
                "INSERT INTO validated_nav (fund_code, nav_date, unit_nav, "
                "total_return_index, return_status, first_seen_at, batch_id) VALUES "
                f"('{code}', {day}, {nav}, 1.0, 'proven', 20260720210000, 'x')"
            )
    assert sizes_off(warehouse) == (3, [
        "000001: net assets of 20260630 are 600,000,000, its shares times its NAV 608,000,000",
    ])  # fmt: skip


def test_reports_of_a_transaction_that_failed_are_not_kept(warehouse, monkeypatch):
    """Stops reports from landing without the progress that says so, and the other way round."""
    source = Reporting()
    refresh(warehouse, source, 20260720)
    source.variables = {FUND: {"Data_fluctuationScale": SCALE}}

    def killed(at):
        if at == "land.before_commit":
            raise KeyboardInterrupt

    monkeypatch.setattr(landing, "crash_point", killed)
    with pytest.raises(KeyboardInterrupt):
        _collect(warehouse, source, JULY)
    assert _sizes(warehouse) == [] and landing.history_progress(warehouse).empty
    monkeypatch.undo()
    _collect(warehouse, source, JULY)
    assert len(_sizes(warehouse)) == 2
    assert periods_of(warehouse, FUND_ALLOCATION, FUND) == []
