"""The simulated market, served in eastmoney's formats and read back by its source."""

import pandas as pd
import pytest

from fund_assets.calendar import TradingCalendar
from fund_assets.nav.managers import overlaps
from fund_assets.schemas.fund_types import kind_of
from fund_assets.schemas.kinds import INDICES
from fund_assets.settings import load_settings
from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.transport.errors import EmptyAnswerError, FormatError, UnknownFundError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.limits import Limits
from fund_assets_tests.server import MarketServer, content_from_source

KEY = ["nav_date", "fund_code"]


@pytest.fixture(scope="module")
def simulated():
    settings = load_settings(sim_funds=40, sim_years=0.5, clock="2026-11-20T21:00:00")
    return SimulatedSource.from_settings(settings, TradingCalendar.build())


@pytest.fixture(scope="module")
def eastmoney(simulated):
    with MarketServer(content_from_source(simulated)) as server, server.as_environment():
        yield EastmoneySource(Gateway(Limits(attempts=1, requests_per_second=10_000)))


def test_the_wave_is_the_same(simulated, eastmoney):
    """What reaches the pipeline must not depend on whether the market came by wire."""
    truth, got = simulated.wave(), eastmoney.wave()
    assert (got.newest, got.previous) == (truth.newest, truth.previous)
    pd.testing.assert_frame_equal(
        got.observations.sort_values(KEY, ignore_index=True),
        truth.observations.sort_values(KEY, ignore_index=True),
    )
    pd.testing.assert_frame_equal(
        got.statuses.sort_values("fund_code", ignore_index=True),
        truth.statuses.sort_values("fund_code", ignore_index=True),
    )
    assert truth.statuses["purchase_word"].nunique() > 1
    pd.testing.assert_frame_equal(eastmoney.fund_list().frame, simulated.fund_list().frame)


def test_every_history_is_the_same(simulated, eastmoney):
    """All kinds of funds: events, yields, weekly NAVs, funds that have none yet."""
    listed = simulated.fund_list().frame.itertuples(index=False)
    funds = [(row.fund_code, kind_of(row.fund_type, row.name)) for row in listed]
    compared = 0
    for (code, got), (_, truth) in zip(
        eastmoney.histories(funds), simulated.histories(funds), strict=True
    ):
        if isinstance(truth, UnknownFundError):
            assert isinstance(got, UnknownFundError), code
        elif truth.observations.empty:
            assert isinstance(got, EmptyAnswerError), code
        else:
            pd.testing.assert_frame_equal(got.observations, truth.observations)
            columns = ["fund_code", "ex_date", "kind", "value"]
            pd.testing.assert_frame_equal(got.events[columns], truth.events[columns])
            assert got.reports.refused == got.reports.unknown == (), code
            assert _by_columns(got) == _by_columns(truth), code
            assert _stated(got) == _stated(truth), code
            assert got.statements.refused == got.statements.unknown == (), code
            compared += 1
    assert compared > 30


def _stated(history):
    stated = history.statements
    ranks = (stated.rank_days, stated.ranks, stated.peers)
    return stated.figures, [column.tolist() for column in ranks]


def _by_columns(history):
    return {one.columns: one for one in history.reports.statements}


def test_every_page_of_managers_is_the_same(simulated, eastmoney):
    """Stops names, days and returns of terms from being lost; managers agree with histories."""
    agreed = 0
    for code in simulated.fund_list().frame["fund_code"]:
        try:
            truth = simulated.managers(code)
        except UnknownFundError:
            with pytest.raises(UnknownFundError):
                eastmoney.managers(code)
            continue
        assert eastmoney.managers(code).terms == truth.terms, code
        assert overlaps(code, truth.terms) == []
        said = simulated.history(code, kind="").reports.statements
        now = [set(one.periods) for one in said if one.table == "fund_manager"]
        assert now == [set(term.managers) for term in truth.terms[:1] if term.until is None]
        agreed += len(now)
    assert agreed > 30


def test_every_index_is_the_same(simulated, eastmoney):
    """Stops closes from the wrong column, market or date: the real akshare over TLS."""
    for code in INDICES:
        got, truth = eastmoney.index_history(code), simulated.index_history(code)
        pd.testing.assert_frame_equal(got, truth[["nav_date", "close"]], check_exact=True)
        assert len(got) > 100
    closes = [eastmoney.index_history(code)["close"].iloc[-1] for code in INDICES]
    assert len(set(closes)) == len(INDICES), "each is an index of its own"


def test_an_index_that_the_source_does_not_know_is_told(eastmoney):
    """Stops an answer without data from passing for an index without closes."""
    with pytest.raises(FormatError, match="akshare"):
        eastmoney.index_history("000999")
