"""A connection serves one call after the other, and never a call that it could harm."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic

import pytest
import requests

from fund_assets.sources.eastmoney.addresses import FUND_LIST_URL
from fund_assets.transport import connections
from fund_assets.transport.errors import DeadlineError, TransportError
from fund_assets_tests.faults.conftest import a_gateway
from fund_assets_tests.server import Fault


def ask(gateway):
    return gateway.fetch("fund_list", FUND_LIST_URL)


def outcomes(gateway):
    return {count.outcome: count.requests for count in gateway.request_counter.take()}


def test_calls_in_turn_share_a_connection_and_calls_at_once_do_not(market, gateway):
    """Stops a handshake for each of 26,000 histories, and two answers on one connection."""
    bodies = {ask(gateway).body for _ in range(4)}
    assert market.connections == 1 and market.count("fund_list") == 4
    with ThreadPoolExecutor(3) as pool:
        bodies |= {answer.body for answer in pool.map(lambda _: ask(gateway), range(30))}
    assert 1 <= market.connections <= 3 and market.count("fund_list") == 34
    assert len(bodies) == 1


def test_a_connection_that_was_closed_meanwhile_costs_no_try(market, gateway):
    """Stops a server that hangs up on idle clients from being counted as a failure."""
    market.faults["fund_list"] = Fault("hang_up", times=1)
    body = ask(gateway).body
    assert ask(gateway).body == body
    assert market.connections == 2 and outcomes(gateway) == {"ok": 2}


def test_a_connection_that_waited_long_is_not_used_again(market, gateway, monkeypatch):
    """A server may close it at the very moment of the next request."""
    monkeypatch.setattr(connections, "IDLE_S", 0.0)
    ask(gateway), ask(gateway)
    assert market.connections == 2


@pytest.mark.parametrize("kind", ["truncate", "status", "captcha", "gzip_cut", "hang"])
def test_after_a_fault_the_next_call_has_a_connection_of_its_own(market, tmp_path, kind):
    """Stops the rest of one broken answer from being read as the beginning of the next."""
    gateway = a_gateway(tmp_path, timeout_s=1.0)
    body = ask(gateway).body
    market.faults["fund_list"] = Fault(kind, times=1)
    try:
        ask(gateway)
    except Exception as error:
        assert kind == "captcha", error
    assert ask(gateway).body == body


def test_the_deadline_ends_a_call_on_a_connection_that_is_old(market, tmp_path):
    """Stops a drip on a connection that an earlier call made from holding us for ever."""
    gateway = a_gateway(tmp_path, deadline_s=0.5)
    ask(gateway)
    market.faults["fund_list"] = Fault("drip_body")
    with pytest.raises(DeadlineError, match=r"no complete answer within 0\.5 s"):
        ask(gateway)
    assert market.connections == 1


def test_no_cookie_goes_back(market, gateway):
    """Stops the source from telling our calls apart from anyone's."""
    seen = []
    market.faults["fund_list"] = Fault("hang_up", times=1)
    answer = ask(gateway)
    assert answer.headers["Set-Cookie"] == "visitor=1; Path=/"
    with connections.Connections().to("localhost", connections.DeadlineTimer(5)) as session:
        session.hooks["response"] = [lambda response, **_: seen.append(response.request)]
        end = monotonic() + 20
        while len(seen) < 2 and monotonic() < end:
            market.faults["fund_list"] = Fault("hang_up", times=1)
            with suppress(requests.ConnectionError):  # the server is just hanging up
                session.get(FUND_LIST_URL)
    assert [request.headers.get("Cookie") for request in seen] == [None, None]
    assert not session.cookies


def test_a_server_that_is_gone_is_told(market, gateway):
    """Stops a kept connection from hiding that nobody answers any more."""
    ask(gateway)
    market.faults["fund_list"] = Fault("reset")
    with pytest.raises(TransportError, match="closed without an answer: the source"):
        ask(gateway)
