"""Opening what commands work on: the platform, its warehouse, and a console to write on.

Belongs here: what every command does first. Does not belong here: what comes after it.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING

from fund_assets.labels import SOURCES
from fund_assets.language import say

if TYPE_CHECKING:
    from rich.console import Console

    from fund_assets.observability.status import Status
    from fund_assets.resources import Platform
    from fund_assets.settings import Settings
    from fund_assets.warehouse import Warehouse


def console() -> "Console":
    """Standard output as a console that leaves texts of data as they are."""
    from rich.console import Console

    return Console(highlight=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings in which Dagster announces what will replace its API."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def open_platform() -> "Platform":
    """The platform of the settings, its warehouse made and checked.

    Raises:
        SettingsError: a setting is wrong, or the warehouse cannot be what they ask for.
    """
    from fund_assets.resources import Platform
    from fund_assets.settings import SettingsError
    from fund_assets.warehouse import WarehouseError

    platform = Platform()
    try:
        _ = platform.warehouse
    except WarehouseError as error:
        raise SettingsError(str(error)) from error
    return platform


def reading() -> "Warehouse":
    """The warehouse, to be read alone: nothing is made by it.

    Raises:
        SettingsError: there is none yet (says to run first), or it cannot be read.
    """
    from fund_assets.settings import SettingsError, load_settings
    from fund_assets.warehouse import Warehouse, WarehouseError

    settings = load_settings()
    try:
        warehouse = Warehouse(settings.warehouse, read_only=True)
        warehouse.init(settings.source)
    except WarehouseError as error:
        raise SettingsError(str(error)) from error
    return warehouse


def stored_warehouse(settings: "Settings") -> "Warehouse | None":
    """The warehouse when it has been made, for commands that only look; else None."""
    from fund_assets.settings import SettingsError
    from fund_assets.warehouse import Warehouse, WarehouseError

    try:
        warehouse = Warehouse(settings.warehouse)
        if not warehouse.exists():
            return None
        warehouse.init(settings.source)
    except WarehouseError as error:
        raise SettingsError(str(error)) from error
    return warehouse


def present_status() -> "Status":
    """How the platform is now.

    Raises:
        SettingsError: a setting is wrong, or warehouse or run history cannot be read.
    """
    from fund_assets.observability.dagster_tables import project_ledger
    from fund_assets.observability.status_reader import absent, gather
    from fund_assets.settings import SHANGHAI, load_settings

    settings = load_settings()
    warehouse = stored_warehouse(settings)
    if warehouse is None:
        return absent(settings)
    try:
        with quiet(), project_ledger() as ledger:
            return gather(settings, warehouse, ledger, datetime.now(SHANGHAI))
    finally:
        warehouse.close()


def provisional_after(warehouse: "Warehouse", newest: int) -> date:
    """The day after which dates are provisional: no session is announced for them yet.

    Args:
        newest: the last date (yyyymmdd) of which it is asked. The simulated market's never are.
    """
    from fund_assets.calendar import KNOWN_AT_LEAST, TradingCalendar, to_key
    from fund_assets.settings import load_settings
    from fund_assets.warehouse.stores import calendar_overrides

    if newest <= to_key(KNOWN_AT_LEAST) or load_settings().source == "simulated":
        return date.max
    return TradingCalendar.build(calendar_overrides.overrides(warehouse)).known_until


def where(settings: "Settings") -> str:
    """The market, the moment and the place, in one line."""
    clock = (
        say("the clock is fixed at {time:%Y-%m-%d %H:%M}", time=settings.clock)
        if settings.clock
        else ""
    )
    market = (
        say("simulated market of {funds:,} funds", funds=settings.sim_funds)
        if settings.source == "simulated"
        else say(SOURCES["akshare"])
    )
    state = say("state in {folder}", folder=settings.state_dir)
    return ", ".join(part for part in (market, clock, state) if part)
