"""A tiny market on a real socket, and a gateway that gives up soon."""

import pytest

from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.transport.archive import RawArchive
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.limits import Limits
from fund_assets_tests.server import MarketServer, content_from_source
from fund_assets_tests.server.tiny import TinyMarket

ATTEMPTS = 3


@pytest.fixture(scope="session")
def tiny_server():
    """One server for all tests of faults."""
    with MarketServer(content_from_source(TinyMarket())) as server:
        yield server


@pytest.fixture
def market(tiny_server):
    """The server without faults, reached through this process's environment."""
    tiny_server.reset()
    with tiny_server.as_environment():
        yield tiny_server


def a_gateway(folder, deadline_s=60.0, timeout_s=10.0):
    """A gateway with limits that a busy machine does not reach; a test of them asks for less."""
    limits = Limits(
        timeout_s=timeout_s,
        deadline_s=deadline_s,
        attempts=ATTEMPTS,
        backoff_s=0.01,
        requests_per_second=10_000,
        size=2**20,
    )
    return Gateway(limits, archive=RawArchive(folder / "raw"))


@pytest.fixture
def gateway(tmp_path):
    """A gateway that waits long enough for every answer that comes."""
    return a_gateway(tmp_path)


@pytest.fixture
def source(gateway):
    """The eastmoney source over that gateway."""
    return EastmoneySource(gateway)


@pytest.fixture
def hasty_source(tmp_path):
    """The same with a deadline that comes soon."""
    return EastmoneySource(a_gateway(tmp_path, deadline_s=0.5))
