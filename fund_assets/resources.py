"""The platform as one Dagster resource: settings, clock, calendar, source and warehouse.

Belongs here: putting the parts together from the settings, once per process. Does not
belong here: what any part does.
"""

import logging
from datetime import datetime
from functools import cached_property
from typing import Any

import dagster as dg
from pydantic import Field

from fund_assets.calendar import TradingCalendar, to_key
from fund_assets.instance.retry_wait import wait_for_turn
from fund_assets.settings import Settings, load_settings
from fund_assets.sources.protocol import FundSource
from fund_assets.warehouse import Warehouse, WarehouseError
from fund_assets.warehouse.stores import calendar_overrides
from fund_assets.warehouse.stores.requests import add_requests

log = logging.getLogger(__name__)


class Platform(dg.ConfigurableResource):  # type: ignore[type-arg]  # Dagster takes it bare
    """Everything a step needs.

    Attributes:
        overrides: settings that win over the environment, by their names in Settings.
        read_only: the warehouse is opened to be read alone; a missing one is not made.
    """

    overrides: dict[str, Any] = Field(default={}, description="settings that win")
    read_only: bool = Field(default=False, description="the warehouse is only read")

    @cached_property
    def settings(self) -> Settings:
        """The settings; SettingsError names a wrong variable."""
        return load_settings(**self.overrides)

    @cached_property
    def warehouse(self) -> Warehouse:
        """The warehouse, made if it is missing and checked to be this source's."""
        warehouse = Warehouse(self.settings.warehouse, read_only=self.read_only)
        try:
            warehouse.init(self.settings.source)
        except BaseException:
            warehouse.close()
            raise
        return warehouse

    @cached_property
    def calendar(self) -> TradingCalendar:
        """The exchange's calendar with the stored overrides.

        The simulated market may outlive the published calendar; its exchange then opens on
        every weekday, and `synthetic_after` says since when. In the real one weekdays are taken
        for sessions there, too, and `provisional_after` says since when.
        """
        return calendar_overrides.calendar(self.warehouse, self.now().date())

    @cached_property
    def source(self) -> FundSource:
        """The market the settings name."""
        if self.settings.source == "simulated":
            from fund_assets.sources.simulated.source import SimulatedSource

            return SimulatedSource.from_settings(self.settings, self.calendar)
        from fund_assets.sources.eastmoney.source import EastmoneySource

        return EastmoneySource.from_settings(self.settings)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """When a step begins: a run that is tried again waits until it is its turn."""
        if context.run and context.instance:  # a sensor has no run
            pause_s = self.settings.retry_pause_s
            wait_for_turn(context.instance, context.run, pause_s, context.log)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """When a run ends, well or not: its requests are counted, its warehouse is let go."""
        source = self.__dict__.get("source")
        if source is not None and (counts := source.take_requests()):
            try:
                add_requests(self.warehouse, source.name, to_key(self.now().date()), counts)
            except WarehouseError as error:
                made = sum(count.requests for count in counts)
                log.warning(f"{made} requests are missing in source_request: {error}")
        if opened := self.__dict__.get("warehouse"):
            opened.close()

    def now(self) -> datetime:
        """The time in Asia/Shanghai."""
        return self.settings.now()
