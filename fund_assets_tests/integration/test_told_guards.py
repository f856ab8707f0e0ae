"""Commands whose guards speak: akshare's decoder had to help, a history was refused.

The market is served over the wire, by the bytes of `ManyFunds` changed on their way out.
"""

import pytest
from click.testing import CliRunner

from fund_assets.cli import main
from fund_assets.cli._context import open_platform
from fund_assets.nav.history import HistoryChoice
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.pipeline.validated_nav import validate
from fund_assets.warehouse.stores import landing
from fund_assets_tests import stores
from fund_assets_tests.server import MarketServer
from fund_assets_tests.server.content import Reply
from fund_assets_tests.server.many import ManyFunds

FUNDS, DATES = 2, 30
HELPED, SHORTER = "000001", "000002"


class Changing:
    """Histories of two funds. Of the second, half of the dates are served later."""

    def __init__(self):
        self.whole, self.short = ManyFunds(FUNDS, DATES), ManyFunds(FUNDS, DATES // 2)
        self.changed = False

    def reply(self, endpoint, fund_code):
        if not self.changed:
            return self.whole.reply(endpoint, fund_code)
        if fund_code == SHORTER:
            return self.short.reply(endpoint, fund_code)
        reply = self.whole.reply(endpoint, fund_code)
        return Reply(reply.body.replace(b'"unitMoney"', b"unitMoney"), reply.content_type)


@pytest.mark.slow
def test_backfill_tells_that_akshare_helped_and_that_a_history_was_refused(
    tmp_path, monkeypatch
):
    """Stops the commands from ending with an error of their own when a guard has spoken."""
    state, content = tmp_path / "state", Changing()
    stores.forget_settings(monkeypatch)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with MarketServer(content) as server:
        for name, value in {
            **server.env, **stores.environment(state), "FUND_SOURCE": "akshare",
            "FUND_CLOCK": "2026-09-18T21:40", "FUND_REQUESTS_PER_SECOND": "1000",
            "FUND_REMOTE_JAVASCRIPT": "true",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        platform = open_platform()
        landing.write_fund_info(platform.warehouse, content.whole.listing)
        choice = HistoryChoice(codes=(HELPED, SHORTER))
        collect_histories(platform.warehouse, platform.source, platform.now, choice)
        validate(platform.warehouse, platform.calendar, platform.now())
        platform.warehouse.close()
        content.changed = True
        result = CliRunner().invoke(main, ["backfill", "--codes", f"{HELPED},{SHORTER}"])
    assert isinstance(result.exception, SystemExit), (result.output, result.exc_info)
    assert result.exit_code == 1, "a fund that was named and not had"
    assert "! nav_history    R01_own_decoder WARN 1 of 2\n" in result.output
    assert "! nav_history    R18_history_shrink WARN 1 of 2\n" in result.output
    assert "000002: the history begins 20260831, the stored one 20260810" in result.output
    assert f"histories of {FUNDS} funds: {DATES} rows, 0 new" in result.output
    assert "1 fund without" in result.output and "could not be shown" not in result.output
