"""The first evening of the simulated market, run once for all tests that begin with it."""

import pytest

from fund_assets_tests.integration.evenings import THURSDAY, Market, failure


@pytest.fixture(scope="session")
def first_evening(tmp_path_factory):
    """The market after its first run, and that run. To be looked at, not to be changed."""
    market = Market(tmp_path_factory.mktemp("first-evening"))
    result = market.run("daily_pipeline", THURSDAY)
    assert result.success, failure(result)
    return market, result


@pytest.fixture
def market(first_evening, tmp_path):
    """A copy of the market after its first run, for one test to go on with."""
    copied = first_evening[0].copy(tmp_path / "copied")
    yield copied
    copied.close()
