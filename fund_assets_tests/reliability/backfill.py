"""A backfill that is killed again and again, and must end as if it had not been.

    python -m fund_assets_tests.reliability.backfill [--funds 2000] [--kills 50] [--engine ...]

Belongs here: the kills, and counting at the source what was asked for twice. Does not belong
here: other disturbances of a batch (`trials.py`).
"""

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fund_assets.calendar import TradingCalendar
from fund_assets.nav.history import HistoryChoice
from fund_assets.nav.landing_rows import Landing
from fund_assets.pipeline import nav_history
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.pipeline.validated_nav import explain_block, validate
from fund_assets.settings import SHANGHAI
from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.transport.archive import RawArchive
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.limits import Limits
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import landing
from fund_assets_tests.reliability.places import checksums
from fund_assets_tests.server import MarketServer
from fund_assets_tests.server.many import GONE_EVERY, ManyFunds

NOW = datetime(2026, 9, 18, 21, 40, tzinfo=SHANGHAI)
CALENDAR = TradingCalendar.build()
WORKERS = 3
PATIENCE_S = 300
#: From the moment it has come far enough to the kill: landing and publishing are within it.
LONGEST_S = 0.5


@dataclass
class Found:
    """What the kills did.

    Attributes:
        kills: processes that were killed before they had done.
        again: requests for funds that had been asked for.
        most_again: the most of them after one kill: those that were in flight.
        left: what kills left → how many.
        differing: tables that ended otherwise than without kills.
    """

    kills: int = 0
    again: int = 0
    most_again: int = 0
    left: Counter[str] = field(default_factory=Counter)
    differing: list[str] = field(default_factory=list)


def histories(server: Any) -> list[str]:
    """The funds whose history was asked for, in order; pages of benchmarks do not count."""
    return [fund for endpoint, fund, *_ in server.requests if endpoint == "history"]


def perform(url: str, folder: str, env: dict[str, str], batch: int, pipe: Connection) -> None:
    """The backfill, in a process of its own."""
    os.environ.update(env)
    Warehouse.columns = Warehouse.frame  # type: ignore[method-assign]
    nav_history.FUNDS_PER_BATCH = batch
    warehouse = Warehouse(url)
    gateway = Gateway(
        Limits(requests_per_second=1e6), archive=RawArchive(Path(folder) / "raw"),
        pace_folder=Path(folder) / "pace",
    )  # fmt: skip
    source = EastmoneySource(gateway, workers=WORKERS)
    pipe.send("ready")

    def publish(fresh: Landing | None = None) -> None:
        outcomes = validate(warehouse, CALENDAR, NOW, kinds=("history",), fresh=fresh)
        if words := explain_block(outcomes):
            raise RuntimeError(words)

    publish()
    report = collect_histories(warehouse, source, lambda: NOW, HistoryChoice(), landed=publish)
    warehouse.close()
    pipe.send((report.asked, sorted(report.failures)))


def fill(url: str, market: ManyFunds) -> None:
    """A new warehouse that knows the funds and nothing of their past."""
    warehouse = Warehouse(url)
    warehouse.init("eastmoney")
    landing.write_fund_info(warehouse, market.listing)
    warehouse.close()


def kills(urls: tuple[str, str], folder: Path, funds: int, count: int, batch: int) -> Found:
    """The same backfill undisturbed into one warehouse, and with kills into the other."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fund_assets_tests.reliability.backfill"])
    market = ManyFunds(funds, 20)
    moments = random.Random(7)
    found = Found()
    with MarketServer(market) as server:

        def start(which: int):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=perform,
                args=(urls[which], str(folder / str(which)), server.env, batch, theirs),
                daemon=True,
            )
            process.start()
            theirs.close()
            assert ours.recv() == "ready"
            return process, ours

        for url in urls:
            fill(url, market)
        process, pipe = start(0)
        asked, gone = pipe.recv()
        process.join()
        assert asked == funds and len(gone) == funds // GONE_EVERY, (asked, gone)
        server.requests.clear()
        while found.kills < count:
            before = len(histories(server))
            process, pipe = start(1)
            # Each comes a little further, and dies at once or in what it does next.
            far = 0.9 * funds * found.kills / count
            while len(set(histories(server))) < far and process.is_alive():
                process.join(0.002)
            process.join(moments.uniform(0.0, LONGEST_S))
            assert process.is_alive(), f"the backfill was done after {found.kills} kills"
            process.kill()
            process.join()
            found.kills += 1
            seen = set(histories(server)[:before])
            again = sum(fund in seen for fund in histories(server)[before:])
            found.most_again = max(found.most_again, again)
            warehouse = Warehouse(urls[1])
            rows = warehouse.rows("SELECT state FROM collection_batch WHERE state = 'landed'")
            warehouse.close()
            at_hand = len(RawArchive(folder / "1" / "raw").kept("history"))
            found.left["a batch landed, not merged"] += bool(rows)
            found.left["answers at hand, not landed"] += bool(at_hand)
            found.left["neither"] += not rows and not at_hand
        before = len(histories(server))
        process, pipe = start(1)
        assert pipe.poll(PATIENCE_S), "the backfill does not end"
        pipe.recv()
        process.join()
        seen = set(histories(server)[:before])
        again = sum(fund in seen for fund in histories(server)[before:])
        found.most_again = max(found.most_again, again)
        found.again = len(histories(server)) - funds
        assert set(histories(server)) == set(market.codes)
    one, other = map(checksums, urls)
    found.differing = [name for name in one if one[name] != other[name]]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run it; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m fund_assets_tests.reliability.backfill")
    parser.add_argument("--funds", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--batch", type=int, default=nav_history.FUNDS_PER_BATCH)
    parser.add_argument("--engine", choices=["sqlite", "mariadb"], default="sqlite")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="backfill-") as name:
        folder = Path(name)
        urls = (f"sqlite:///{folder}/undisturbed.db", f"sqlite:///{folder}/killed.db")
        server = None
        if options.engine == "mariadb":
            from fund_assets_tests.mariadb import Server

            server = Server()
            urls = (f"{server.url}/undisturbed", f"{server.url}/killed")
        try:
            found = kills(urls, folder, options.funds, options.kills, options.batch)
        finally:
            if server:
                server.stop()
    print(
        f"{options.engine}: {found.kills} kills in a backfill of {options.funds:,} funds; "
        f"{found.again} requests again, at most {found.most_again} after one kill "
        f"({WORKERS} are in flight); tables that ended otherwise: {found.differing or 'none'}"
    )
    print("kills left: " + ", ".join(f"{words} {n}" for words, n in found.left.items()))
    return 0 if found.most_again <= WORKERS and not found.differing else 1


if __name__ == "__main__":
    sys.exit(main())
