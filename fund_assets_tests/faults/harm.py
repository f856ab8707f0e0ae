"""The means of doing harm, each a context: while it lasts the fault is there.

Belongs here: transport, pages, statements, files and the clock of one `World`. Does not
belong here: how any of it must end (`cells.py`).
"""

import os
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

import dagster as dg
import sqlalchemy as sa

from fund_assets.definitions import defs
from fund_assets.warehouse.engine.backend import Backend
from fund_assets_tests.faults import altered
from fund_assets_tests.faults.daemon import Launcher, at, moment
from fund_assets_tests.faults.world import BEFORE, EVE, LATER, TONIGHT, WAVE, World
from fund_assets_tests.server import Fault

Doing = Callable[[World], AbstractContextManager[object]]
FULL, READ_ONLY, KILL = "PRAGMA max_page_count = 1", "PRAGMA query_only = ON", "kill"
#: Table → the job or asset whose run writes it first.
WRITER = {
    "fund_nav": "daily_collection",
    "publish_log": "validated_nav",
    "fund_metrics": "fund_metrics",
}
#: How an alert channel misbehaves, besides with a status.
REFUSES, AWAY = "refuses", "away"
PAGES = ("open_funds", "money_funds", "exchange_funds")


def nothing() -> Doing:
    """The fault is that nobody was there."""

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        yield

    return doing


def transport(endpoint: str, fault: Fault) -> Doing:
    """An endpoint of the source misbehaves."""

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        world.server.faults[endpoint] = Fault(fault.kind, fault.status)
        yield
        assert world.server.count(endpoint) > 0, f"{endpoint} was never asked"
        del world.server.faults[endpoint]

    return doing


def pages(change: dict[str, altered.Bytes]) -> Doing:
    """Pages are changed on their way."""

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        world.street.change |= change
        yield
        world.street.change.clear()

    return doing


def yesterday() -> Doing:
    """Every page is the one of the evening before."""

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        world.street.repeat |= dict.fromkeys(PAGES, at(f"{BEFORE}T23:00:30"))
        yield
        world.street.repeat.clear()

    return doing


def again() -> Doing:
    """Every page stays as it is at the time of the first wave."""

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        world.street.repeat |= dict.fromkeys(PAGES, at(WAVE))
        yield
        world.street.repeat.clear()

    return doing


def redated() -> Doing:
    """The open-fund page is the one of the evening before, under the dates of today."""

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        world.street.repeat["open_funds"] = at(f"{BEFORE}T23:00:30")
        world.street.change["open_funds"] = altered.replaced(
            f'"{BEFORE}","2026-09-16"', f'"{TONIGHT}","{BEFORE}"'
        )
        yield
        world.street.repeat.clear()
        world.street.change.clear()

    return doing


def statement(table: str, how: str) -> Doing:
    """The first write to a table meets a full disk, a read-only database or a SIGKILL.

    The database engine itself refuses: it is told so on the writer's own connection, at the
    moment at which the transaction comes to this table.
    """

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        met: list[str] = []
        parent = os.getpid()
        written = re.compile(rf"(INSERT .*INTO|UPDATE)\s+\W?{table}\b", re.DOTALL)

        def meet(
            connection: Any, cursor: Any, sql: str, parameters: Any, context: Any, many: bool
        ) -> None:
            if not written.match(sql):
                return
            if how != KILL:
                met.append(sql)
                cursor.connection.execute(how)
            elif os.getpid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)

        if how == KILL:
            Launcher.doomed = WRITER[table]
        sa.event.listen(sa.Engine, "before_cursor_execute", meet)
        try:
            yield
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", meet)
        assert met or (how == KILL and not Launcher.doomed), f"{table} was never written to"

    return doing


def locked() -> Doing:
    """Another program holds the writer's place and does not let go."""

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        holder = sqlite3.connect(world.file, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with mock.patch.object(Backend, "writer_wait_s", 1):
            yield
        holder.rollback()
        holder.close()

    return doing


def damaged() -> Doing:
    """The first page of the file is overwritten; afterwards a copy is put back."""

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        with sqlite3.connect(world.file) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        whole = world.file.read_bytes()
        world.file.write_bytes(b"\xff" * 4096 + whole[4096:])
        yield
        for extra in ("-wal", "-shm"):
            world.file.with_name(world.file.name + extra).unlink(missing_ok=True)
        world.file.write_bytes(whole)

    return doing


def gone() -> Doing:
    """The file leads to a place that cannot be reached, as when a disk is not mounted."""

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        with moment(at(f"{BEFORE}T23:00:30")):
            written = dg.AssetMaterialization("validated_nav")
            world.daemon.instance.report_runless_asset_event(written)
        parts = [world.file.with_name(world.file.name + end) for end in ("", "-wal", "-shm")]
        there = [part for part in parts if part.exists()]
        for part in there:
            part.rename(part.with_name(f"away-{part.name}"))
        world.file.symlink_to("/dev/null/warehouse.db")
        yield
        world.file.unlink()
        for part in there:
            part.with_name(f"away-{part.name}").rename(part)

    return doing


def setting() -> Doing:
    """A setting of the daemon is wrong: no schedule or sensor can be evaluated."""

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        world.environment["FUND_REQUEST_ATTEMPTS"] = "many"
        yield
        world.environment.clear()

    return doing


def stuck() -> Doing:
    """A run of the wave's job was started and does not end, until it is cancelled."""

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        with moment(at(EVE)):
            run = world.daemon.instance.create_run_for_job(
                defs.resolve_job_def("daily_collection"), status=dg.DagsterRunStatus.STARTED
            )
        yield
        with moment(at(LATER)):
            world.daemon.instance.report_run_canceled(run)

    return doing


def silent(until: str) -> Doing:
    """The daemon shows no sign of life until then."""

    @contextmanager
    def doing(world: World) -> Iterator[None]:
        world.now = at(until)
        yield

    return doing
