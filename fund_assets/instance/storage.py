"""Where Dagster keeps its own state: below `FUND_STATE`, with nothing to export.

Belongs here: the three storage classes that `dagster.yaml` names, and how a run of the
project's own commands is entered there. Does not belong here: how they find that file
(`instance/home.py`), the fund tables (`warehouse/`).

Dagster's stock storages take a fixed folder or one exported variable, and lose the events of
a run without a word when neither is there. These take it from the project's settings, in
every process anew, so that `dagster job execute`, the UI, the daemon and `fund-assets` agree.
"""

import os
import sqlite3
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, JobExecutionResult
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from fund_assets.instance.dagster_private import (
    DagsterSqliteStorage,
    LoadableTargetOrigin,
    LocalArtifactStorage,
    LocalComputeLogManager,
    ManagedGrpcPythonEnvCodeLocationOrigin,
    ReconstructableJob,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
    execute_run,
)
from fund_assets.instance.home import set_dagster_home
from fund_assets.instance.retry_wait import NO_RETRY
from fund_assets.instance.run_launcher import PROCESS_TAG, own_process
from fund_assets.logs import follow_daemon
from fund_assets.settings import SettingsError, load_settings

#: The code location of workspace.yaml and the one repository in it: the UI shows a run under
#: its job, and on the timeline, when the run says that it comes from there.
LOCATION, REPOSITORY = "fund_assets.definitions", "__repository__"
#: So many files have a connection that stays open: the common ones and those of some runs.
KEPT_FILES = 8


def dagster_dir() -> Path:
    """The folder of Dagster's state, `FUND_STATE/<source>/dagster`, made if missing."""
    folder = load_settings().state_dir / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class _InState:
    """A storage class of Dagster whose folder comes from the settings, not from the file."""

    subfolder = ""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Any:
        # Every Dagster process opens its storages first.
        follow_daemon()
        # dagster.yaml turns telemetry off; this keeps the UI from making folders for it.
        os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
        folder = dagster_dir()
        write_at_once(folder)
        # The storage of Dagster that stands beside this class takes both.
        return cls(base_dir=str(folder / cls.subfolder), inst_data=inst_data)  # type: ignore[call-arg]


class StateStorage(_InState, DagsterSqliteStorage):
    """Runs, events and schedules, in SQLite."""


class StateArtifacts(_InState, LocalArtifactStorage):
    """Files that steps leave."""


class StateComputeLogs(_InState, LocalComputeLogManager):
    """What steps print."""

    subfolder = "logs"


def write_at_once(folder: Path) -> None:
    """Let Dagster's writes to the SQLite files below `folder` not wait for the disk.

    Dagster opens a file anew for each event, and the last connection to close a file waits
    until the disk has all of it: twice an event, which was more than half of an evening's time
    on a small market. One connection to each file stays open therefore, and a commit leaves the
    waiting to the checkpoints. A killed process loses nothing; a power cut may lose the records
    of the last seconds, and damages no file.
    """
    inside = f"{folder.resolve()}{os.sep}"
    with _writing:
        if inside in _written_at_once:
            return
        _written_at_once.add(inside)

    @event.listens_for(Engine, "do_connect")
    def connect(dialect: Any, _record: Any, arguments: Any, settings: Any) -> Any:
        path = os.path.realpath(str(arguments[0])) if arguments else ""
        if dialect.name != "sqlite" or not path.startswith(inside):
            return None
        connection = dialect.connect(*arguments, **settings)
        if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            connection.execute("PRAGMA synchronous = NORMAL")
            with _writing:
                _keep_open(path)
        return connection


_writing = threading.Lock()
_written_at_once: set[str] = set()
_kept: OrderedDict[str, sqlite3.Connection] = OrderedDict()


def _keep_open(path: str) -> None:
    """Have one more connection to a file, and let the one go that was used longest ago."""
    if path not in _kept:
        _kept[path] = sqlite3.connect(path, check_same_thread=False)
        _kept[path].execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    _kept.move_to_end(path)
    while len(_kept) > KEPT_FILES:
        _kept.popitem(last=False)[1].close()


class RecordsError(SettingsError):
    """Dagster's records cannot be opened: their folder, or their server, is away."""


def project_instance() -> DagsterInstance:
    """The Dagster instance of this project; a context manager, as Dagster's own is.

    Raises:
        RecordsError: its folder cannot be read or written, or its server does not answer.
    """
    set_dagster_home()
    try:
        return DagsterInstance.get()
    except (OSError, DBAPIError) as error:
        words = error.orig if isinstance(error, DBAPIError) else error.strerror
        if isinstance(error, DBAPIError) and not isinstance(words, sqlite3.Error):
            raise RecordsError(
                f"the database of Dagster cannot be opened: {words}: check that it is "
                "running, and the settings DAGSTER_MYSQL_"
            ) from error
        raise RecordsError(
            f"the run history in {load_settings().state_dir / 'dagster'} cannot be opened: "
            f"{words}: make the folder writable, or set FUND_STATE to another"
        ) from error


def execute_job(
    job: ReconstructableJob,
    instance: DagsterInstance,
    *,
    run_config: Mapping[str, Any],
    tags: Mapping[str, str] | None = None,
) -> JobExecutionResult:
    """Run a job in this process, entered as a run of the project's code location.

    Dagster's own `execute_job` leaves the location out, and then the UI shows the run neither
    under its job nor on the timeline.
    """
    origin = RemoteJobOrigin(
        RemoteRepositoryOrigin(
            ManagedGrpcPythonEnvCodeLocationOrigin(
                LoadableTargetOrigin(
                    executable_path=sys.executable,
                    module_name=LOCATION,
                    working_directory=str(Path.cwd()),
                ),
                location_name=LOCATION,
            ),
            REPOSITORY,
        ),
        job.job_name,
    )
    # A run that a person started is theirs to start again.
    definition, ours = job.get_definition(), {PROCESS_TAG: own_process()}
    run = instance.create_run_for_job(
        job_def=definition,
        run_config=run_config,
        tags={**definition.run_tags, **NO_RETRY, **ours, **(tags or {})},
        remote_job_origin=origin,
        job_code_origin=job.get_python_origin(),
    )
    return execute_run(job, run, instance)
