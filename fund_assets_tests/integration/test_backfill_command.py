"""`fund-assets backfill` over the wire, ended by Ctrl-C and begun again."""

import os
import signal
import subprocess
import sys
import time

import pytest

from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import landing
from fund_assets_tests import stores
from fund_assets_tests.server import MarketServer
from fund_assets_tests.server.many import ManyFunds

pytestmark = pytest.mark.slow
FUNDS, DATES, PATIENCE_S = 36, 20, 60
BACKFILL = [sys.executable, "-m", "fund_assets", "backfill"]


def test_ctrl_c_leaves_a_clean_state_and_the_same_command_goes_on(tmp_path):
    """Stops an ended backfill from leaving half a batch, or from asking for anything twice."""
    market = ManyFunds(FUNDS, DATES)
    state = tmp_path / "state"
    url = stores.url_for(state) or f"sqlite:///{state / 'akshare' / 'warehouse.db'}"
    warehouse = Warehouse(url)
    warehouse.init("akshare")
    landing.write_fund_info(warehouse, market.listing)
    with MarketServer(market) as server:
        env = {
            **os.environ, **server.env, **stores.environment(state),
            "FUND_SOURCE": "akshare", "FUND_CLOCK": "2026-09-18T21:40:00",
            "FUND_REQUESTS_PER_SECOND": "9", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        # A shell's background children ignore SIGINT.
        first = subprocess.Popen(
            ["env", "--default-signal=INT", *BACKFILL], env=env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        end = time.monotonic() + PATIENCE_S
        while len(server.requests) < 8:
            assert first.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        first.send_signal(signal.SIGINT)
        said, _ = first.communicate(timeout=PATIENCE_S)
        assert first.returncode == 1 and "interrupted: no partial data was merged" in said, said
        asked = len(server.requests)
        assert asked < FUNDS and warehouse.count("SELECT COUNT(*) FROM validated_nav") == 0
        second = subprocess.run(
            BACKFILL, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        assert second.returncode == 0, second.stdout + second.stderr
        assert f"histories of {FUNDS} funds: {FUNDS * DATES:,} rows" in second.stdout
        asked = [endpoint for endpoint, *_ in server.requests if endpoint == "history"]
        assert len(asked) == FUNDS, "none of them twice"
    assert warehouse.count("SELECT COUNT(*) FROM validated_nav") == FUNDS * DATES
    warehouse.close()
    third = subprocess.run(
        [*BACKFILL, "--codes", "1"], env=env, capture_output=True, text=True, check=False
    )
    assert third.returncode == 2 and "'1' is not a fund code" in third.stderr
