"""Whether a started run still has a process: what the launcher says where it can know, or not."""

import json
import os
import socket
import subprocess
import sys
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._grpc.server import GrpcServerProcess

from fund_assets.instance.run_launcher import PROCESS_TAG, WatchedRunLauncher, own_process


@dg.op
def works():
    pass


@dg.job
def working():
    works()


@pytest.fixture(scope="module")
def instance():
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture(scope="module")
def gone():
    """The id of a process that is over."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def health(instance, tags, pid=None, looks=(0, 60)):
    """What the last of looks at these seconds says; run monitoring looks every 30."""
    launcher = WatchedRunLauncher()
    launcher.register_instance(instance)
    run = instance.create_run_for_job(working, tags=tags, status=dg.DagsterRunStatus.STARTED)
    if pid:
        told = EngineEventData.in_process(pid)
        instance.report_engine_event("Started process for run", run, told)
    with pytest.MonkeyPatch.context() as patch:
        for now in looks:
            clock = SimpleNamespace(monotonic=lambda now=now: now)
            patch.setattr("fund_assets.instance.run_launcher.time", clock)
            found = launcher.check_run_worker_health(run)
    return found


def server(**where):
    return {GRPC_INFO_TAG: json.dumps({"host": "localhost", **where})}


def test_a_command_that_was_killed_is_no_running_job(instance, gone):
    """Stops a killed `fund-assets run` from keeping its job waiting for four hours."""
    mine = socket.gethostname()
    for process, status in (
        (f"{mine}:{gone}", WorkerStatus.FAILED),
        (own_process(), WorkerStatus.RUNNING),
        (f"another.{mine}:{gone}", WorkerStatus.RUNNING),
    ):
        assert health(instance, {PROCESS_TAG: process}).status is status
    assert f"process {gone}" in health(instance, {PROCESS_TAG: f"{mine}:{gone}"}).msg
    assert health(instance, {}).status is WorkerStatus.RUNNING


def test_a_run_that_died_with_its_code_server_is_found(instance, gone, tmp_path):
    """Stops a run without process and server from being taken for a running one, or from being
    failed before the code server is back that can run it again; and one that works on beside a
    dead server, or on another machine, from being failed."""
    socket_file = str(tmp_path / "gone.sock")
    away = server(socket=socket_file)
    assert health(instance, away, gone).status is WorkerStatus.FAILED
    assert health(instance, away, os.getpid()).status is WorkerStatus.RUNNING
    assert health(instance, away).status is WorkerStatus.RUNNING
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert health(instance, server(port=port), gone).status is WorkerStatus.FAILED
    awaited = health(instance, server(port=port), gone, looks=(0, 30))
    assert awaited.status is WorkerStatus.RUNNING, "failed now it could not be run again"
    elsewhere = {GRPC_INFO_TAG: json.dumps({"host": "192.0.2.1", "port": port})}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fund_assets.instance.run_launcher.ANSWER_S", 0.2)
        assert health(instance, elsewhere, gone).status is WorkerStatus.RUNNING


@pytest.mark.slow
def test_a_code_server_that_does_not_know_the_run_says_so(instance, gone, tmp_path):
    """Stops a restarted code server on the same port from vouching for dead runs of the one
    before, and from having those that work on beside it run a second time."""
    (tmp_path / "empty.py").write_text(
        "import dagster as dg\ndefs = dg.Definitions()\n", encoding="utf-8"
    )
    origin = LoadableTargetOrigin(python_file=str(tmp_path / "empty.py"))
    with (
        dg.instance_for_test() as real,
        GrpcServerProcess(
            instance_ref=real.get_ref(), loadable_target_origin=origin, force_port=True,
            wait_on_exit=True,
        ) as process,
    ):  # fmt: skip
        anew = server(port=process.create_client().port)
        assert health(instance, anew, os.getpid()).status is WorkerStatus.RUNNING
        awaited = health(instance, anew, gone, looks=(0,))
        assert awaited.status is WorkerStatus.RUNNING, "the daemon has not asked it yet"
        found = health(instance, anew, gone, looks=(0, 30))
        assert found.status is WorkerStatus.FAILED and "has no such run" in found.msg
