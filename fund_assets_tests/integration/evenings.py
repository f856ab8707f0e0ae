"""A simulated market with its warehouse and jobs, at moments that a test chooses.

Belongs here: running the project's own jobs and looking at all tables. Does not belong
here: what is expected of them.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
from click.testing import CliRunner, Result

from fund_assets.cli import main
from fund_assets.definitions import build_defs
from fund_assets.resources import Platform
from fund_assets.schemas.tables import TABLES
from fund_assets.settings import load_settings
from fund_assets.sources.protocol import FundSource, History, MarketEvents, Purchases
from fund_assets.transport.errors import SourceError, UnknownFundError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.diff_writes import checksum
from fund_assets_tests import stores

#: An ordinary Thursday; 25 September 2026 and 1 to 8 October are holidays.
THURSDAY = "2026-09-17T21:40:00"
FRIDAY = "2026-09-18T21:40:00"
MONDAY = "2026-09-21T21:40:00"

COUNTS = [
    "rows_new",
    "rows_changed",
    "rows_filled",
    "rows_unchanged",
    "rows_quarantined",
    "rows_pending",
]
Change = Callable[[pd.DataFrame], pd.DataFrame]


class Tampered:
    """A market whose answers a test changes on their way.

    Args:
        observations, listed: change the frames of a wave and of the list of funds.
        wave: changes a wave as a whole.
        history: changes a history, or puts an error in its place.
        events: changes the events of a year, or raises.
        fund_list: raised instead of the list.
        index_history: answers instead of the source.
        purchases: changes the list of purchases, or raises.
    """

    def __init__(
        self,
        source: FundSource,
        *,
        observations: Change = lambda frame: frame,
        listed: Change = lambda frame: frame,
        wave: Callable[[Any], Any] = lambda wave: wave,
        history: Callable[[History], History | SourceError] = lambda history: history,
        events: Callable[[MarketEvents], MarketEvents] = lambda events: events,
        fund_list: SourceError | None = None,
        index_history: Callable[[str, int | None], pd.DataFrame] | None = None,
        purchases: Callable[[Purchases], Purchases] = lambda listed: listed,
    ) -> None:
        self.name = source.name
        self._source, self._observations, self._listed = source, observations, listed
        self._index_history = index_history
        self._wave, self._history, self._fund_list = wave, history, fund_list
        self._events, self._purchases = events, purchases

    def fund_list(self):
        if self._fund_list:
            raise self._fund_list
        listing = self._source.fund_list()
        return replace(listing, frame=self._listed(listing.frame))

    def wave(self):
        wave = self._source.wave()
        changed = replace(
            wave,
            observations=self._observations(wave.observations),
            listing=self._listed(wave.listing),
        )
        return self._wave(changed)

    def purchases(self):
        return self._purchases(self._source.purchases())

    def events(self, year):
        return self._events(self._source.events(year))

    def index_history(self, index_code, since=None):
        return (self._index_history or self._source.index_history)(index_code, since)

    def take_requests(self):
        return self._source.take_requests()

    def histories(self, funds, *, keep=False):
        for code, answer in self._source.histories(funds, keep=keep):
            yield code, answer if isinstance(answer, SourceError) else self._history(answer)

    def __getattr__(self, name):
        return getattr(self._source, name)


class Market:
    """One warehouse and one Dagster instance of the simulated market."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.settings = {
            "source": "simulated",
            "state": str(folder),
            "warehouse_url": stores.url_for(folder),
            "sim_funds": 60,
            "sim_years": 1.0,
            "sim_seed": 5,  # has every kind of fund, dividends and splits
            "history_funds_per_run": 300,
            "risk_free_rate": 0.015,
            **settings,
        }
        self._platforms: list[Platform] = []

    @cached_property
    def instance(self) -> dg.DagsterInstance:
        return dg.DagsterInstance.ephemeral()

    @cached_property
    def warehouse(self) -> Warehouse:
        return Warehouse(load_settings(**self.settings).warehouse)

    def close(self) -> None:
        """Close what was opened."""
        self._let_go()
        if "instance" in vars(self):
            self.instance.dispose()

    def _let_go(self) -> None:
        """Close every connection to the warehouse, those of platforms too."""
        self.warehouse.close()
        for platform in self._platforms:
            if opened := vars(platform).get("warehouse"):
                opened.close()

    def platform(self, clock: str, **tampering: Any) -> Platform:
        """The platform at a moment, in Asia/Shanghai."""
        platform = self._made(clock, tampering)
        self._platforms.append(platform)
        return platform

    def _made(self, clock: str, tampering: dict[str, Any]) -> Platform:
        overrides = {**self.settings, "clock": clock}
        if not tampering:
            return Platform(overrides=overrides)

        class TamperedPlatform(Platform):
            @cached_property
            def source(self):
                return Tampered(super().source, **tampering)

        return TamperedPlatform(overrides=overrides)

    def run(
        self,
        job: str,
        clock: str,
        *,
        config: dict[str, Any] | None = None,
        partition: str | None = None,
        **tampering,
    ):
        """A run of a job at a moment; `config` is that of fund_nav."""
        platform = self.platform(clock, **tampering)
        try:
            return (
                build_defs(platform)
                .resolve_job_def(job)
                .execute_in_process(
                    instance=self.instance,
                    run_config={"ops": {"fund_nav": {"config": config}}} if config else None,
                    partition_key=partition,
                    raise_on_error=False,
                )
            )
        finally:
            platform.warehouse.close()

    def backfill(self, clock: str, config: dict[str, Any]):
        """A run of `history_backfill` at a moment; `config` is the run's."""
        platform = self.platform(clock)
        try:
            return (
                build_defs(platform)
                .resolve_job_def("history_backfill")
                .execute_in_process(
                    instance=self.instance,
                    run_config=config,
                    raise_on_error=False,
                )
            )
        finally:
            platform.warehouse.close()

    def copy(self, folder: Path) -> "Market":
        """Another market that begins where this one is.

        Reading a SQLite file as a file takes the locks away from this process's connections to
        it, and the next process then deletes its log: none may be open.
        """
        self._let_go()
        stores.copy(self.folder, folder)
        own = ("state", "warehouse_url")
        settings = {k: v for k, v in self.settings.items() if k not in own}
        return Market(folder, **settings)

    def checksums(self, *names: str) -> dict[str, str]:
        """Checksums of these tables, by default of all but the feed, whose marks are random."""
        names = names or tuple(sorted(TABLES.keys() - {"change_version", "row_change"}))
        with self.warehouse.transaction() as connection:
            return {name: checksum(connection, TABLES[name]) for name in names}

    def table(self, name: str, where: str = "1") -> pd.DataFrame:
        key = ", ".join(f'"{column}"' for column in TABLES[name].primary_key)
        return self.warehouse.frame(
            f"SELECT * FROM {name} WHERE {where} ORDER BY {key}", TABLES[name]
        )


def plain(entry: dg.MetadataValue) -> Any:
    """A metadata value; of a table, its rows."""
    if isinstance(entry, dg.TableMetadataValue):
        return [record.data for record in entry.records]
    return entry.value


def metadata(result, asset: str) -> dict[str, Any]:
    """What a run told of an asset; empty when it was not materialized."""
    return {
        name: plain(entry)
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(asset)
        for name, entry in event.materialization.metadata.items()
    }


def checks(result) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    """The evaluations of a run by asset and name."""
    return {
        (e.asset_key.to_user_string(), e.check_name): e
        for e in result.get_asset_check_evaluations()
    }


def cases(evaluation: dg.AssetCheckEvaluation) -> str:
    """The reasons a check shows."""
    found = evaluation.metadata.get("cases")
    rows = plain(found) if found else []
    return rows if isinstance(rows, str) else "\n".join(str(row["case"]) for row in rows)


def failure(result) -> str:
    """Why the run failed: the messages of all failed steps."""
    return "\n".join(
        event.step_failure_data.error_display_string
        for event in result.all_events
        if event.event_type == dg.DagsterEventType.STEP_FAILURE
    )


def desk(market: Market, *arguments: str, clock: str) -> Result:
    """What `fund-assets quarantine` says of the market's state at a moment."""
    settings = {f"FUND_{name.upper()}": str(value) for name, value in market.settings.items()}
    result = CliRunner().invoke(
        main, ["quarantine", *arguments], env={**settings, "FUND_CLOCK": clock}
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def executed(result) -> set[str]:
    """The assets that a run materialized."""
    return {e.asset_key.to_user_string() for e in result.get_asset_materialization_events()}


def truths(market: Market, clock: str) -> dict[str, Any]:
    """code → what really happened, of every fund that has a history."""
    source = market.platform(clock).source
    found = {}
    for code in source.fund_list().frame["fund_code"]:
        try:
            found[code] = source.truth(code)
        except UnknownFundError:
            continue
    return found
