"""A real Dagster daemon on a project of its own: a batch that lands is validated and measured."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from fund_assets.logs import last_lines
from fund_assets_tests import stores

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PATIENCE_S = 240


@pytest.fixture
def project(tmp_path):
    """A folder with the project's own dagster.yaml and workspace, and its environment."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(ROOT / "dagster.yaml", folder)
    workspace = (ROOT / "workspace.yaml").read_text(encoding="utf-8")
    assert "working_directory: ." in workspace
    (folder / "workspace.yaml").write_text(
        workspace.replace("working_directory: .", f"working_directory: {ROOT}"),
        encoding="utf-8",
    )
    env = {
        **os.environ,
        "DAGSTER_HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        **stores.environment(tmp_path / "state"),
        "FUND_SIM_FUNDS": "30",
        "FUND_SIM_YEARS": "1",
    }
    return folder, env


def execute(job, clock, folder, env, config=None):
    command = [
        str(BIN / "dagster"),
        "job",
        "execute",
        "-m",
        "fund_assets.definitions",
        "-j",
        job,
    ]
    if config:
        (folder / "run.json").write_text(json.dumps(config))
        command += ["-c", str(folder / "run.json")]
    done = subprocess.run(
        command, cwd=folder, env={**env, "FUND_CLOCK": clock}, capture_output=True, text=True,
        check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


class Daemon:
    """A running daemon and what it says."""

    def __init__(self, process, log):
        self.process, self.log = process, log

    def said(self):
        return self.log.read_text(encoding="utf-8")

    def wait_until(self, condition, patience_s=PATIENCE_S):
        end = time.monotonic() + patience_s
        while not condition():
            assert self.process.poll() is None, self.said()[-3000:]
            assert time.monotonic() < end, self.said()[-5000:]
            time.sleep(0.2)


@contextmanager
def running_daemon(folder, env, log):
    """The project's daemon, stopped at the end of the block."""
    with log.open("w", encoding="utf-8") as file:
        # A shell's background children ignore SIGINT, which Dagster needs to stop.
        process = subprocess.Popen(
            ["env", "--default-signal=INT,QUIT,TERM", str(BIN / "dagster-daemon"), "run",
             "-w", "workspace.yaml"],
            cwd=folder, env=env, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
        try:
            yield Daemon(process, log)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


def newest(env):
    """Newest dates of the accepted history and of the metrics."""
    ((nav_date, calc_date),) = stores.query(
        Path(env["FUND_STATE"]),
        "SELECT (SELECT MAX(nav_date) FROM validated_nav), "
        "(SELECT MAX(calc_date) FROM fund_metrics)",
    )
    return nav_date, calc_date


def test_a_batch_that_lands_is_validated_and_measured_by_the_daemon(project, tmp_path):
    """Stops automation that is declared, and never happens under a real daemon."""
    folder, env = project
    execute("daily_pipeline", "2026-09-17T21:40:00", folder, env)
    assert newest(env) == (20260917, 20260917)
    log = tmp_path / "daemon.log"
    with running_daemon(folder, {**env, "FUND_CLOCK": "2026-09-18T21:40:00"}, log) as daemon:
        # The sensor's first look, before anything is new.
        daemon.wait_until(lambda: "Sensor automation skipped" in daemon.said())
        execute("daily_collection", "2026-09-18T21:40:00", folder, env)
        assert newest(env)[0] == 20260917, "collecting alone accepts nothing"
        daemon.wait_until(lambda: newest(env) == (20260918, 20260918))
    assert "validated_nav evaluation result: 1 requested" in daemon.said()
    logs = {
        kind: "".join(last_lines(kind, tmp_path / "state" / "simulated" / "logs", 10_000))
        for kind in ("collector", "scheduler")
    }
    assert re.search(r"Completed launch of run \S+ for automation", logs["scheduler"])
    assert "Instance is configured with the following daemons" in logs["scheduler"]
    assert 'Started execution of run for "daily_collection"' in logs["collector"]
    assert "nav_date 2026-09-18" in logs["collector"], "runs of the daemon write it too"
    assert daemon.process.returncode == 0, daemon.said()[-3000:]
