"""Dagster's own daemon loops, in this process, at moments that a test chooses.

Belongs here: the instance, its clock, and one round of scheduler, sensors, automation and
retries at a moment. Does not belong here: what goes wrong, or what is expected.

What runs is the code of `dagster-daemon` itself. Its sleep between two rounds is replaced by
the next moment; runs are executed where they are launched, one after the other; and every
record carries the moment's time. So a year of evenings takes minutes.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import dagster as dg
import sqlalchemy as sa
from dagster._core.launcher import LaunchRunContext
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.storage.event_log import InMemoryEventLogStorage
from dagster._core.storage.runs import InMemoryRunStorage
from dagster._core.storage.schedules.sqlite import SqliteScheduleStorage
from dagster._core.test_utils import freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.auto_run_reexecution.event_log_consumer import EventLogConsumerDaemon
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._daemon.types import DaemonHeartbeat
from dagster._scheduler.scheduler import launch_scheduled_runs
from dagster._serdes import ConfigurableClass

from fund_assets.instance.storage import write_at_once
from fund_assets.settings import SHANGHAI

LOGGER = logging.getLogger("daemon of a test")


def at(text: str) -> datetime:
    """`2026-09-18T19:00:30` in Asia/Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class _Shared(ConfigurableClass):
    """A storage that is found again by its folder.

    Dagster evaluates a schedule on an instance that it opens anew from a reference. In
    memory, that must find the same records; it only borrows them.
    """

    @property
    def inst_data(self) -> None:
        return None

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"folder": str}

    @classmethod
    def from_config_value(cls, inst_data: object, config_value: dict[str, str]) -> Any:
        return cls.of(config_value["folder"])

    @classmethod
    @cache
    def of(cls, folder: str) -> Any:
        return cls()

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        if not self.has_instance:
            super().register_instance(instance)

    def dispose(self) -> None:
        """Not by those who borrow it."""


def _open(url: str) -> sa.Engine:
    """An engine that uses its connections again: opening one costs more than a statement."""
    return sa.create_engine(
        url,
        poolclass=sa.QueuePool,
        max_overflow=-1,
        connect_args={"check_same_thread": False},
    )


@contextmanager
def _connected(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as connection, connection.begin():
        yield connection


class Runs(_Shared, InMemoryRunStorage):
    """Runs in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._engine = _open(str(self._engine.url))

    def connect(self) -> Any:
        return _connected(self._engine)


class Schedules(_Shared, SqliteScheduleStorage):
    """Ticks and cursors in a file of which each statement asks without opening it anew."""

    def __init__(self, conn_string: str, inst_data: object = None) -> None:
        super().__init__(conn_string)
        self._engine = _open(conn_string)

    @classmethod
    @cache
    def of(cls, folder: str) -> Any:
        return cls.from_local(folder)

    def connect(self) -> Any:
        return _connected(self._engine)

    def has_instigators_table(self) -> bool:
        return True

    def _has_instigators_table(self, conn: sa.Connection) -> bool:
        return True


class Events(_Shared, InMemoryEventLogStorage):
    """Events in memory.

    Attributes:
        watching: is called while a run goes on: when a table has landed, a step has failed,
            and at the end.
    """

    watching: ClassVar[Callable[[], None] | None] = None
    TELLING: ClassVar = {
        dg.DagsterEventType.RUN_SUCCESS,
        dg.DagsterEventType.RUN_FAILURE,
        dg.DagsterEventType.STEP_FAILURE,
    }
    RENEWED: ClassVar = {"fund_nav", "validated_nav"}

    def __init__(self) -> None:
        super().__init__()
        self._engine = _open(str(self._engine.url))

    @contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        with self._db_lock, _connected(self._engine) as connection:
            yield connection

    def store_event(self, event: dg.EventLogEntry) -> None:
        super().store_event(event)
        happened = event.dagster_event
        if Events.watching is None or happened is None:
            return
        renewed = happened.is_step_materialization and happened.asset_key
        if happened.event_type in self.TELLING or (
            renewed and renewed.to_user_string() in self.RENEWED
        ):
            Events.watching()


class Launcher(SyncInMemoryRunLauncher):
    """Executes a run where it is launched, and waits for it.

    Attributes:
        doomed: a job or an asset whose next run is executed in a child process, where a fault
            kills it.
        waiting: runs that are executed when schedules and sensors have all been evaluated;
            None: each at once.
    """

    doomed = ""
    waiting: ClassVar[list[tuple["Launcher", LaunchRunContext]] | None] = None

    def launch_run(self, context: LaunchRunContext) -> None:
        if Launcher.waiting is not None:
            Launcher.waiting.append((self, context))
            return
        run = context.dagster_run
        assets = {key.to_user_string() for key in run.asset_selection or ()}
        if Launcher.doomed and Launcher.doomed in {run.job_name, *assets}:
            Launcher.doomed = ""
            self._in_child(context)
            return
        # The loop of automation is asynchronous, a run starts a loop of its own.
        thread = threading.Thread(target=super().launch_run, args=(context,))
        thread.start()
        thread.join()

    def _in_child(self, context: LaunchRunContext) -> None:
        if (pid := os.fork()) == 0:
            super().launch_run(context)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), "the run was to be killed, and ended by itself"
        # As Dagster's run monitoring does with a run whose process has gone.
        self._instance.report_run_failed(context.dagster_run, "its process was killed")


@contextmanager
def moment(now: datetime) -> Iterator[None]:
    """The time, for the platform and for Dagster."""
    with mock.patch.dict(os.environ, FUND_CLOCK=now.isoformat()), freeze_time(now):
        yield


class Daemon:
    """A daemon over the project's definitions, read from the environment as always.

    Args:
        folder: of its own; ticks and cursors are kept there.
        module: where `defs` is.
    """

    def __init__(self, folder: Path, module: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_at_once(folder)
        self.instance = dg.DagsterInstance.local_temp(str(folder), overrides=_parts(folder))
        self._context = WorkspaceProcessContext(
            self.instance,
            InProcessWorkspaceLoadTarget(
                InProcessCodeLocationOrigin(
                    LoadableTargetOrigin(module_name=module), location_name="fund_assets"
                )
            ),
        )
        self._retries = EventLogConsumerDaemon()

    def round(self, now: datetime, *, together: bool = False) -> list[dg.DagsterRun]:
        """What every loop of the daemon does at a moment; the runs that it led to, in order.

        Args:
            together: no sensor sees what a run of this round did.
        """
        before = {run.run_id for run in self.instance.get_runs()}
        with moment(now):
            for daemon in self.instance.get_required_daemon_types():
                self.instance.add_daemon_heartbeat(
                    DaemonHeartbeat(now.timestamp(), daemon, "daemon of a test", None)
                )
            Launcher.waiting = [] if together else None
            for _ in launch_scheduled_runs(self._context, LOGGER, now, {}):
                pass
            for _ in execute_sensor_iteration(self._context, LOGGER, None, None):
                pass
            begun, Launcher.waiting = Launcher.waiting or [], None
            for launcher, context in begun:
                launcher.launch_run(context)
            for _ in self._retries.run_iteration(self._context):
                pass
        runs = [run for run in self.instance.get_runs() if run.run_id not in before]
        return runs[::-1]

    def ticks(self, name: str) -> list[Any]:
        """The ticks of a schedule or sensor, newest first."""
        (state,) = (
            s for s in self.instance.all_instigator_state() if s.instigator_name == name
        )
        return list(self.instance.get_ticks(state.instigator_origin_id, state.selector_id))

    def close(self) -> None:
        """Let go of code location and files."""
        self._context.__exit__(None, None, None)
        self.instance.dispose()
        for shared in (_Shared, Schedules):
            shared.of.__func__.cache_clear()


def _parts(folder: Path) -> dict[str, Any]:
    """dagster.yaml of the test: retries as in the project's, everything else in memory."""
    here = {"module": __name__, "config": {"folder": str(folder)}}
    core = "dagster._core"
    return {
        "run_storage": {**here, "class": "Runs"},
        "event_log_storage": {**here, "class": "Events"},
        "schedule_storage": {**here, "class": "Schedules"},
        "run_launcher": {"module": __name__, "class": "Launcher"},
        "run_coordinator": {
            "module": f"{core}.run_coordinator",
            "class": "DefaultRunCoordinator",
        },
        "compute_logs": {
            "module": f"{core}.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
        },
        "run_retries": {
            "enabled": True,
            "max_retries": 2,
            "retry_on_asset_or_op_failure": False,
        },
        "telemetry": {"enabled": False},
    }
