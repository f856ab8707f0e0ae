"""The account of requests: counted in a run, kept in the warehouse, told by another process."""

from functools import cached_property

import pytest

from fund_assets.definitions import build_defs
from fund_assets.observability.server.exposition import encode
from fund_assets.observability.status_reader import gather
from fund_assets.resources import Platform
from fund_assets.schemas.tables import SOURCE_REQUEST
from fund_assets.settings import load_settings
from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.limits import Limits
from fund_assets.transport.request_counts import RequestCount
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores.requests import add_requests, requests_since
from fund_assets_tests.integration.evenings import FRIDAY
from fund_assets_tests.server import Fault, MarketServer, content_from_source


def test_counts_are_added_up():
    """Stops the second run of a day from overwriting the first one's requests."""
    warehouse = Warehouse(load_settings().warehouse)
    warehouse.init("simulated")
    first = [
        RequestCount("history", "ok", 3, 1.5, 0.7),
        RequestCount("history", "banned", 1, 2, 2),
    ]
    add_requests(warehouse, "eastmoney", 20260917, first)
    add_requests(warehouse, "eastmoney", 20260917, [RequestCount("history", "ok", 2, 1.0, 0.9)])
    add_requests(
        warehouse, "eastmoney", 20260918, [RequestCount("open_funds", "ok", 1, 4.0, 4.0)]
    )
    add_requests(warehouse, "eastmoney", 20260918, [])
    stored = warehouse.frame(
        "SELECT * FROM source_request ORDER BY day, outcome", SOURCE_REQUEST
    )
    assert stored[["outcome", "requests", "seconds", "slowest_s"]].to_numpy().tolist() == [
        ["banned", 1, 2.0, 2.0], ["ok", 5, 2.5, 0.9], ["ok", 1, 4.0, 4.0],
    ]  # fmt: skip
    assert [(r["outcome"], r["requests"]) for r in requests_since(warehouse)] == [
        ("banned", 1), ("ok", 6),
    ]  # fmt: skip
    assert [r["seconds"] for r in requests_since(warehouse, 20260918)] == [4.0]
    warehouse.close()


@pytest.mark.slow
def test_a_run_that_fails_tells_of_its_requests(market):
    """Stops the failures of the source from being lost with the run that they failed."""
    truth = market.platform(FRIDAY).source

    class OverTheWire(Platform):
        @cached_property
        def source(self):
            gateway = Gateway(Limits(attempts=2, requests_per_second=10_000, backoff_s=0.01))
            made = EastmoneySource(gateway)
            made.index_history = truth.index_history
            return made

    def collect(**faults):
        with MarketServer(content_from_source(truth)) as server, server.as_environment():
            server.faults = faults
            platform = OverTheWire(overrides={**market.settings, "clock": FRIDAY})
            job = build_defs(platform).resolve_job_def("daily_collection")
            result = job.execute_in_process(instance=market.instance, raise_on_error=False)
            return result.success, len(server.requests)

    assert collect(open_funds=Fault("status", 503))[0] is False
    after_failure = requests_since(market.warehouse)
    assert {r["outcome"]: r["requests"] for r in after_failure}["status_503"] == 2
    well, made = collect()
    assert well
    rows = market.table("source_request")
    assert rows.loc[rows["outcome"] == "status_503", "endpoint"].tolist() == ["open_funds"]
    before = sum(r["requests"] for r in after_failure)
    assert rows["requests"].sum() == before + made
    assert (rows["seconds"] > 0).all()

    from datetime import datetime

    from fund_assets.observability.dagster_tables import Ledger
    from fund_assets.settings import SHANGHAI

    platform, book = market.platform(FRIDAY), Ledger.of(market.instance)
    status = gather(platform.settings, platform.warehouse, book, datetime.now(SHANGHAI))
    told = encode(status, "")[0].decode()
    assert 'fund_source_requests_total{outcome="status_503",source="eastmoney"} 2.0' in told
    count = (
        f'fund_source_request_duration_seconds_count{{source="eastmoney"}} {before + made}.0'
    )
    assert count in told
    assert dict(status.requests_today)["status_503"] == 2
