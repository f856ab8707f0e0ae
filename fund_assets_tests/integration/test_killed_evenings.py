"""The daemon is killed over three evenings: all three dates are there after its restart."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import time
from functools import partial
from pathlib import Path

import dagster as dg
import pytest

from fund_assets_tests.faults.daemon import Daemon, at
from fund_assets_tests.integration.test_daemon import BIN, PATIENCE_S, ROOT, execute, project
from scripts.screenshots import free_port

pytestmark = pytest.mark.slow
__all__ = ["project"]

DEPLOY = ROOT / "deploy"
STARTED, FAILURE, SUCCESS = (
    dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS,
)  # fmt: skip

#: Thursday, Friday and Monday; the Wednesday before is the last good evening.
MISSED = [20260917, 20260918, 20260921]
BEFORE, LAST, AFTER = "2026-09-16T21:40:00", "2026-09-16T22:00:00", "2026-09-22T10:00:00"


def a_daemon(clock, folder, env, log):
    """A real daemon, with its code server unless the workspace names one."""
    return killed(["dagster-daemon", "run", "-w", "workspace.yaml"], clock, folder, env, log)


@contextlib.contextmanager
def killed(command, clock, folder, env, log):
    """A program and what it started; killed with SIGKILL, all of it, at the end."""
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]],
            cwd=folder, env={**env, "FUND_CLOCK": clock}, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def wait_until(condition, process, log):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < end, log.read_text()[-5000:]
        time.sleep(1)


def days_pass(folder, env, monkeypatch):
    """For Dagster, whose clock is the machine's, the last look of the gap sensor is long ago."""
    monkeypatch.setenv("FUND_STATE", env["FUND_STATE"])
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        (state,) = (
            s for s in instance.all_instigator_state() if s.instigator_name == "gap_sensor"
        )
        looked = state.instigator_data._replace(
            last_tick_timestamp=1.0,
            last_tick_start_timestamp=1.0,
            last_sensor_start_timestamp=1.0,
        )
        instance.update_instigator_state(state.with_data(looked))


def published(env):
    """Accepted NAVs by date, and the newest date that is measured."""
    with sqlite3.connect(Path(env["FUND_STATE"]) / "simulated" / "warehouse.db") as connection:
        rows = connection.execute(
            "SELECT nav_date, COUNT(*) FROM validated_nav WHERE nav_date >= 20260916 GROUP BY 1"
        ).fetchall()
        measured = connection.execute("SELECT MAX(calc_date) FROM fund_metrics").fetchone()[0]
    connection.close()
    return dict(rows), measured


def test_three_evenings_without_a_daemon_are_there_after_its_restart(
    project, tmp_path, monkeypatch
):
    """Stops evenings from being lost with the daemon: Dagster itself makes up for one of k."""
    folder, env = project
    execute("daily_pipeline", BEFORE, folder, env)
    log = tmp_path / "first.log"
    with a_daemon(LAST, folder, env, log) as daemon:
        wait_until(lambda: "every due session is published" in log.read_text(), daemon, log)
    before, _ = published(env)
    assert not set(MISSED) & set(before)

    days_pass(folder, env, monkeypatch)
    log = tmp_path / "second.log"
    with a_daemon(AFTER, folder, env, log) as daemon:

        def there():
            rows, measured = published(env)
            full = 0.9 * before[20260916]
            return all(rows.get(day, 0) >= full for day in MISSED) and measured == MISSED[-1]

        wait_until(there, daemon, log)


def launch(folder, env):
    """Have the weekly job's run queued."""
    command = [str(BIN / "dagster"), "job", "launch", "-w", "workspace.yaml",
               "-j", "weekly_full_calc"]  # fmt: skip
    done = subprocess.run(
        command, cwd=folder, env={**env, "FUND_CLOCK": LAST}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


def records(instance, status):
    chosen = dg.RunsFilter(job_name="weekly_full_calc", statuses=[status])
    return instance.get_run_records(chosen)


def test_a_run_that_dies_with_daemon_and_code_server_is_run_again(
    project, tmp_path, monkeypatch
):
    """Stops a run whose process is gone from keeping its job waiting until its time limit."""
    folder, env = project
    execute("daily_pipeline", BEFORE, folder, env)
    monkeypatch.setenv("FUND_STATE", env["FUND_STATE"])
    launch(folder, env)
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        log = tmp_path / "first.log"
        with a_daemon(LAST, folder, env, log) as daemon:
            wait_until(lambda: records(instance, STARTED), daemon, log)
        (dead,) = records(instance, STARTED)
        log = tmp_path / "second.log"
        with a_daemon(LAST, folder, env, log) as daemon:
            wait_until(lambda: records(instance, FAILURE), daemon, log)
            wait_until(lambda: records(instance, SUCCESS), daemon, log)
        (again,) = records(instance, SUCCESS)
        assert again.dagster_run.parent_run_id == dead.dagster_run.run_id


def code_server_apart(folder, env, log):
    """As in production the code server is a program of its own: what starts it, and its port."""
    port = str(free_port())
    production = (DEPLOY / "workspace.yaml").read_text(encoding="utf-8")
    assert "4266" in production
    (folder / "workspace.yaml").write_text(production.replace("4266", port), encoding="utf-8")
    serve = ["dagster", "code-server", "start", "-h", "127.0.0.1", "-p", port,
             "-m", "fund_assets.definitions", "--location-name", "fund_assets.definitions"]  # fmt: skip
    return partial(killed, serve, LAST, folder, env, log), port


def test_a_run_that_dies_with_its_code_server_is_failed_within_two_minutes(
    project, tmp_path, monkeypatch, record_property
):
    """Stops a daemon that goes on from taking a dead run for a working one: its code server is
    started anew on the same port.

    Two minutes are what docs promise: two looks of run monitoring. The record's own times count.
    """
    folder, env = project
    execute("daily_pipeline", BEFORE, folder, env)
    monkeypatch.setenv("FUND_STATE", env["FUND_STATE"])
    code_server, port = code_server_apart(folder, env, tmp_path / "code.log")
    log = tmp_path / "daemon.log"
    with (
        dg.DagsterInstance.from_config(str(folder)) as instance,
        a_daemon(LAST, folder, env, log) as daemon,
    ):
        with code_server():
            wait_until(lambda: answers(port), daemon, log)
            launch(folder, env)
            wait_until(lambda: records(instance, STARTED), daemon, log)
        killed_at = time.time()
        with code_server():
            wait_until(lambda: records(instance, FAILURE), daemon, log)
            (dead,) = records(instance, FAILURE)
            wait_until(lambda: records(instance, SUCCESS), daemon, log)
        (again,) = records(instance, SUCCESS)
    assert again.dagster_run.parent_run_id == dead.dagster_run.run_id
    record_property("seen", f"failed {dead.end_time - killed_at:.0f} s after it was killed")
    assert 0 < dead.end_time - killed_at < 120


def test_a_run_whose_code_server_stays_away_is_run_again_when_that_is_back(
    project, tmp_path, monkeypatch
):
    """Stops a retry from being lost for which Dagster asked once, while nobody answered: the
    code server comes back after that, and the daemon is another one by then."""
    folder, env = project
    execute("daily_pipeline", BEFORE, folder, env)
    monkeypatch.setenv("FUND_STATE", env["FUND_STATE"])
    code_server, port = code_server_apart(folder, env, tmp_path / "code.log")
    log = tmp_path / "first.log"
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        with a_daemon(LAST, folder, env, log) as daemon:
            with code_server():
                wait_until(lambda: answers(port), daemon, log)
                launch(folder, env)
                wait_until(lambda: records(instance, STARTED), daemon, log)
            wait_until(lambda: given_up(instance), daemon, log)
        (dead,) = records(instance, FAILURE)
        log = tmp_path / "second.log"
        with a_daemon(LAST, folder, env, log) as daemon, code_server():
            wait_until(lambda: records(instance, SUCCESS), daemon, log)
        (again,) = records(instance, SUCCESS)
        of_the_job = dg.RunsFilter(job_name="weekly_full_calc")
        assert len(instance.get_runs(of_the_job)) == 2, "run again more than once"
    assert again.dagster_run.parent_run_id == dead.dagster_run.run_id


def given_up(instance):
    """Whether Dagster has noted that it will not run the failed run again."""
    failed = records(instance, FAILURE)
    return failed and failed[0].dagster_run.tags.get("dagster/will_retry") == "false"


def answers(port):
    """Whether a code server's port is open: it opens when its definitions are loaded."""
    with socket.socket() as tried:
        return not tried.connect_ex(("127.0.0.1", int(port)))


def test_dagster_alone_would_have_made_up_for_one_of_three(tmp_path, monkeypatch):
    """Stops the gap sensor from being taken for superfluous: of three ticks of a schedule
    that fell into the downtime, Dagster's scheduler evaluates the newest and forgets two."""
    for name, value in {"STATE": tmp_path / "state", "SIM_FUNDS": 20}.items():
        monkeypatch.setenv(f"FUND_{name}", str(value))
    daemon = Daemon(tmp_path / "dagster", "fund_assets_tests.faults.installed")
    try:
        daemon.round(at("2026-09-16T22:00:00"))
        daemon.round(at("2026-09-22T10:00:00"))
        (only,) = daemon.ticks("daily_collection")
    finally:
        daemon.close()
    assert only.timestamp == at("2026-09-21T19:00:00").timestamp()
