"""Facts for many callers from few readings: one at a time, kept for a moment, never waited for.

Belongs here: when facts are gathered, and what a caller gets meanwhile. Does not belong here:
which facts (`observability/status.py`), how they are told.

A reading runs in a thread of its own, at most one at a time, so that neither a slow nor a
hanging database takes more than that thread. Facts older than `FRESH_S` are renewed, and
those who ask meanwhile get the old ones until these are `STALE_S` old; then they wait, at
most until the reading has taken `TIMEOUT_S`.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

from fund_assets.instance.storage import project_instance
from fund_assets.observability.dagster_tables import Ledger
from fund_assets.observability.status import Status
from fund_assets.observability.status_reader import gather
from fund_assets.resources import Platform
from fund_assets.settings import SHANGHAI
from fund_assets.warehouse import Warehouse, WarehouseError
from fund_assets.warehouse.engine.url import backend_for

FRESH_S, STALE_S, TIMEOUT_S = 5.0, 15.0, 3.0
log = logging.getLogger(__name__)


class Unavailable(Exception):
    """The facts cannot be told.

    Attributes:
        code: database_missing, database_unavailable, facts_timeout or facts_unavailable.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Gatherer:
    """Reads the facts anew at each call; the warehouse is opened to be read alone."""

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._ledger: Ledger | None = None

    def __call__(self) -> Status:
        """The status of the platform.

        Raises:
            Unavailable: with its code; the details are in the log.
        """
        platform = Platform(read_only=True)
        warehouse: Warehouse | None = None
        try:
            if not backend_for(platform.settings.warehouse).exists():
                raise Unavailable("database_missing")
            warehouse = platform.warehouse
            if self._ledger is None:
                self._ledger = Ledger.of(self._opened.enter_context(project_instance()))
            return gather(platform.settings, warehouse, self._ledger, datetime.now(SHANGHAI))
        except WarehouseError as error:
            log.warning("database_unavailable: %s", error)
            raise Unavailable("database_unavailable") from error
        finally:
            if warehouse is not None:
                warehouse.close()


class Snapshots:
    """The newest facts, for any number of callers of one event loop.

    Args:
        read: gathers the facts; called in a thread, one call at a time.
        fresh_s, stale_s, patience_s: see the module.
    """

    def __init__(
        self,
        read: Callable[[], Status],
        *,
        fresh_s: float = FRESH_S,
        stale_s: float = STALE_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._read = read
        self._fresh_s, self._stale_s, self._timeout_s = fresh_s, stale_s, timeout_s
        self._known: Status | Unavailable | None = None
        self._known_at = self._begun_at = 0.0
        self._reading: asyncio.Future[None] | None = None

    async def get(self) -> Status:
        """The facts, at most `stale_s` old.

        Raises:
            Unavailable: they could not be had, or not in time.
        """
        age = time.monotonic() - self._known_at
        if self._known is None or age >= self._fresh_s:
            reading = self._reading or self._begin()
            if self._known is None or age >= self._stale_s:
                left = self._begun_at + self._timeout_s - time.monotonic()
                # wait() leaves the reading alone when the time is up or the caller goes.
                await asyncio.wait([reading], timeout=max(left, 0.0))
                if not reading.done():
                    raise Unavailable("facts_timeout")
        if isinstance(self._known, Status):
            return self._known
        raise Unavailable(self._known.code if self._known else "facts_unavailable")

    def _begin(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        self._begun_at = time.monotonic()
        self._reading = loop.create_future()
        # A daemon thread: a database that hangs must not keep the server from ending.
        threading.Thread(target=self._work, args=(loop,), daemon=True, name="facts").start()
        return self._reading

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        found: Status | Unavailable
        try:
            found = self._read()
        except Unavailable as unavailable:
            found = unavailable
        except Exception:
            log.exception("facts_unavailable")
            found = Unavailable("facts_unavailable")
        try:
            loop.call_soon_threadsafe(self._done, found)
        except RuntimeError:
            log.debug("the server ended before the facts were read")

    def _done(self, found: Status | Unavailable) -> None:
        self._known, self._known_at = found, time.monotonic()
        reading, self._reading = self._reading, None
        if reading is not None and not reading.done():
            reading.set_result(None)
