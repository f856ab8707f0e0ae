"""The run launcher that `dagster.yaml` names: it knows whether a run's process is still there.

Belongs here: telling a run that works from one whose process is gone. Does not belong here:
where Dagster keeps its state (`instance/storage.py`), or what becomes of a failed run.

Dagster's own launcher starts each run as a child of its code server, which tells when the child
has died, unless it died with it: then the run stayed STARTED until its time limit, and kept
every later run of its job waiting. Run monitoring asks this one every half minute.

A run is failed when it can be run again, for which Dagster asks its code server, once, as soon
as it has failed. So a code server that is started anew is waited for a little.
"""

import json
import os
import socket
import sys
import time
from typing import Any

import dagster as dg
from dagster_shared.serdes import deserialize_value

from fund_assets.instance.dagster_private import (
    GRPC_INFO_TAG,
    CanCancelExecutionRequest,
    CanCancelExecutionResult,
    CheckRunHealthResult,
    ConfigurableClassData,
    DagsterGrpcClient,
    DagsterUserCodeUnreachableError,
    DefaultRunLauncher,
    WorkerStatus,
)

#: Tag of a run that works in the process of a command: machine and process id.
PROCESS_TAG = "fund/process"
#: A code server of this machine.
LOCAL = ("localhost", "127.0.0.1", "::1")
ANSWER_S = 10
#: So long a run is without a process before it is failed: while its code server answers, for
#: the daemon to have read the definitions of a new one; and while it does not. With looks every
#: half minute that is two minutes at most.
SETTLED_S, AWAY_S = 10, 50


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher, and whether the runs it launched still have a process."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        #: Since when runs were without a process, by whether their code server answered.
        self._gone_since: dict[tuple[str, bool], float] = {}

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether a started run has a process; RUNNING where this machine cannot know."""
        if told := run.tags.get(GRPC_INFO_TAG):
            return self._of_server(run, json.loads(told))
        machine, _, pid = run.tags.get(PROCESS_TAG, "").rpartition(":")
        if machine != socket.gethostname() or _lives(int(pid)):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"process {pid}, in which a command ran it, has ended"
        )

    def _of_server(self, run: dg.DagsterRun, server: dict[str, Any]) -> CheckRunHealthResult:
        """The code server knows the runs that it started; one that is gone knows none."""
        client = DagsterGrpcClient(**server)
        try:
            answer = deserialize_value(
                client.can_cancel_execution(
                    CanCancelExecutionRequest(run_id=run.run_id), timeout=ANSWER_S
                ),
                CanCancelExecutionResult,
            )
        except DagsterUserCodeUnreachableError:
            return self._by_process(run, server, "its code server has ended", known=False)
        if answer.can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return self._by_process(run, server, "its code server has no such run", known=True)

    def _by_process(
        self, run: dg.DagsterRun, server: dict[str, Any], why: str, *, known: bool
    ) -> CheckRunHealthResult:
        """A run may work on beside a code server that died, or was started anew.

        Args:
            known: the server answered: where its process cannot be looked at, that decides.
        """
        local = server.get("socket") or server.get("host") in LOCAL
        pid = self._pid(run) if local else None
        alive = not known if pid is None else _lives(pid)
        if alive or not self._stays_gone(run.run_id, known):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"{why}, and its process {pid} has ended"
        )

    def _stays_gone(self, run_id: str, answers: bool) -> bool:
        now = time.monotonic()
        since = self._gone_since.setdefault((run_id, answers), now)
        if now - since < (SETTLED_S if answers else AWAY_S):
            return False
        for key in ((run_id, True), (run_id, False)):
            self._gone_since.pop(key, None)
        return True

    def _pid(self, run: dg.DagsterRun) -> int | None:
        """The process id that the run told when it began."""
        for entry in self._instance.all_logs(
            run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT
        ):
            event = entry.dagster_event
            metadata = event.engine_event_data.metadata if event else {}
            pid = metadata.get("pid")
            if isinstance(pid, dg.TextMetadataValue) and pid.text:
                return int(pid.text)
        return None


def own_process() -> str:
    """The value of PROCESS_TAG for a run that works in this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _lives(pid: int) -> bool:
    if sys.platform == "win32":
        import psutil  # Dagster needs it there

        return bool(psutil.pid_exists(pid))
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
