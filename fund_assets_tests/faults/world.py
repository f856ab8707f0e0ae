"""One evening of the whole platform: a market on the wire, a warehouse, Dagster's daemon.

Belongs here: the parts put together, a moment after the other, and what can be seen of them.
Does not belong here: what goes wrong (`cells.py`), or what must be true (`invariants.py`).

Nothing is replaced: the real source asks a server on 127.0.0.1 over TLS, the project's own
definitions run under Dagster's own daemon loops, and the alerts are the project's own.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import dagster as dg
import pandas as pd

from fund_assets.calendar import TradingCalendar, to_stamp
from fund_assets.observability.alerts.evaluation import evaluate
from fund_assets.observability.alerts.lifecycle import Notification
from fund_assets.resources import Platform
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import TABLES
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.stores import alerts
from fund_assets_tests.faults.daemon import Daemon, at, moment
from fund_assets_tests.server import MarketServer, Reply, content_from_source

FUNDS, YEARS, SEED = 60, 0.2, 5
#: The evening before, on which all is well, and the evening of the fault.
BEFORE, TONIGHT = "2026-09-17", "2026-09-18"
EVE, WAVE, LATER = f"{TONIGHT}T18:59:00", f"{TONIGHT}T19:00:30", f"{TONIGHT}T21:30:30"
NIGHT = f"{TONIGHT}T23:45:00"
DATE = 20260918
#: The accepted values, whatever way they came.
VALUES = ["nav_date", "fund_code", *OBSERVED_NAMES, "total_return_index", "return_status"]
SETTINGS = {
    "FUND_SOURCE": "akshare",
    "FUND_REQUESTS_PER_SECOND": "10000",
    "FUND_REQUEST_ATTEMPTS": "1",
    "FUND_REQUEST_TIMEOUT_S": "2",
    "FUND_REQUEST_DEADLINE_S": "4",
    "FUND_RESPONSE_LIMIT_MB": "2",
    "FUND_RETRY_PAUSE_S": "0",
}
Bytes = Callable[[bytes], bytes]


@dataclass
class Street:
    """The simulated market as eastmoney serves it, at a clock that moves.

    Attributes:
        change: endpoint → what becomes of its bytes on their way.
        repeat: endpoints that answer as they did at this earlier moment.
    """

    now: datetime
    change: dict[str, Bytes] = field(default_factory=dict)
    repeat: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._shown: datetime | None = None
        self.source = SimulatedSource(
            FUNDS, YEARS, SEED, TradingCalendar.build(), lambda: self._shown or self.now
        )
        self._content = content_from_source(self.source)

    def reply(self, endpoint: str, fund_code: str) -> Reply | None:
        """The answer of this moment, or of an earlier one, and then changed."""
        self._shown = self.repeat.get(endpoint)
        reply = self._content.reply(endpoint, fund_code)
        self._shown = None
        change = self.change.get(endpoint)
        return Reply(change(reply.body), reply.content_type) if reply and change else reply


class World:
    """Everything of one evening, in a folder of its own.

    Args:
        server: whose content is a `Street`.

    Attributes:
        environment: what differs for the daemon, and not for who looks for alerts.
    """

    def __init__(self, folder: Path, server: MarketServer) -> None:
        self.folder, self.server = folder, server
        self.street: Street = server.content  # type: ignore[assignment]
        self.runs: list[dg.DagsterRun] = []
        self.environment: dict[str, str] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "World":
        ours = {k: v for k, v in os.environ.items() if not k.startswith("FUND_")}
        ours |= SETTINGS | self.server.env | {"FUND_STATE": str(self.folder / "state")}
        ours.pop("CURL_CA_BUNDLE", None)
        self._stack.enter_context(mock.patch.dict(os.environ, ours, clear=True))
        self.daemon = Daemon(self.folder / "dagster", "fund_assets_tests.faults.installed")
        self._stack.callback(self.daemon.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def file(self) -> Path:
        """The warehouse."""
        return self.folder / "state" / "akshare" / "warehouse.db"

    def at(self, text: str) -> list[dg.DagsterRun]:
        """A round of the daemon at a moment, in Asia/Shanghai."""
        self.now = at(text)
        self.street.now = self.now
        with mock.patch.dict(os.environ, self.environment):
            runs = self.daemon.round(self.now)
        self.runs += runs
        return runs

    @contextlib.contextmanager
    def warehouse(self) -> Iterator[Warehouse]:
        """The warehouse, to be looked at."""
        opened = Warehouse(f"sqlite:///{self.file}")
        try:
            yield opened
        finally:
            opened.close()

    def table(self, name: str) -> pd.DataFrame:
        """All of a table in the order of its key."""
        key = ", ".join(f'"{column}"' for column in TABLES[name].primary_key)
        with self.warehouse() as warehouse:
            return warehouse.frame(f"SELECT * FROM {name} ORDER BY {key}", TABLES[name])

    def accepted(self) -> pd.DataFrame:
        """The accepted history, by value."""
        return self.table("validated_nav")[VALUES]

    def end(self, *, measured: bool = False) -> str:
        """What became of tonight's data so far: published, quarantined, held or retried.

        Args:
            measured: what is not measured does not count as published.
        """
        since = to_stamp(at(EVE))
        with self.warehouse() as warehouse:
            state = warehouse.rows(
                "SELECT state FROM collection_batch WHERE kind = 'wave' "
                "AND collected_at >= :since ORDER BY collected_at DESC LIMIT 1",
                since=since,
            )
            refused = warehouse.count(
                "SELECT COUNT(*) FROM nav_quarantine WHERE created_at >= :since", since=since
            )
            newest = status_queries.newest_dates(warehouse)
            published = newest["fund_metrics" if measured else "validated_nav"] == DATE
        if state and state[0]["state"] == "held":
            return "held"
        if not published:
            return "retried"
        if any(run.tags.get("dagster/parent_run_id") for run in self.runs):
            return "retried"
        return "quarantined" if refused else "published"

    def outbox(self, state: str) -> list[Mapping[str, Any]]:
        """Messages in the outbox."""
        with self.warehouse() as warehouse:
            return alerts.outbox(warehouse, state)

    def look(self, later: datetime | None = None) -> Sequence[Notification]:
        """What the alerts tell now, or at a later moment at which no daemon lives."""
        self.now = later or self.now
        with moment(self.now):
            platform = Platform()
            outcome = evaluate(platform, self.daemon.instance, self.now)
            if opened := vars(platform).get("warehouse"):
                opened.close()
        return outcome.notifications


@contextlib.contextmanager
def a_market() -> Iterator[MarketServer]:
    """A server of the simulated market."""
    with MarketServer(Street(at(f"{BEFORE}T19:00:00"))) as server:
        yield server


def first_evening(folder: Path, server: MarketServer) -> None:
    """Fill `folder` with the evening before, well and whole."""
    with World(folder, server) as world:
        for when in ("18:59:00", "23:00:30"):
            for run in world.at(f"{BEFORE}T{when}"):
                assert world.daemon.instance.get_run_by_id(run.run_id).is_success, run
    shutil.rmtree(folder / "dagster")
