"""The daemon is killed over three evenings: all three dates are there after its restart."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import dagster as dg
import pytest

from fund_assets_tests.faults.daemon import Daemon, at
from fund_assets_tests.integration.test_daemon import BIN, PATIENCE_S, execute, project

pytestmark = pytest.mark.slow
__all__ = ["project"]

#: Thursday, Friday and Monday; the Wednesday before is the last good evening.
MISSED = [20260917, 20260918, 20260921]
BEFORE, LAST, AFTER = "2026-09-16T21:40:00", "2026-09-16T22:00:00", "2026-09-22T10:00:00"


@contextlib.contextmanager
def a_daemon(clock, folder, env, log):
    """A real daemon with its code server; killed with SIGKILL, all of it, at the end."""
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [str(BIN / "dagster-daemon"), "run", "-w", "workspace.yaml"],
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
        wait_until(
            lambda: "every session that is due is published" in log.read_text(), daemon, log
        )
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


def test_a_run_that_dies_with_daemon_and_code_server_is_run_again(
    project, tmp_path, monkeypatch
):
    """Stops a run whose process is gone from keeping its job waiting until its time limit."""
    folder, env = project
    execute("daily_pipeline", BEFORE, folder, env)
    monkeypatch.setenv("FUND_STATE", env["FUND_STATE"])
    launch = [str(BIN / "dagster"), "job", "launch", "-w", "workspace.yaml",
              "-j", "weekly_full_calc"]  # fmt: skip
    done = subprocess.run(
        launch, cwd=folder, env={**env, "FUND_CLOCK": LAST}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with dg.DagsterInstance.from_config(str(folder)) as instance:

        def runs(*statuses):
            chosen = dg.RunsFilter(job_name="weekly_full_calc", statuses=list(statuses) or None)
            return instance.get_runs(chosen)

        log = tmp_path / "first.log"
        with a_daemon(LAST, folder, env, log) as daemon:
            wait_until(lambda: runs(dg.DagsterRunStatus.STARTED), daemon, log)
        (killed,) = runs(dg.DagsterRunStatus.STARTED)
        log = tmp_path / "second.log"
        with a_daemon(LAST, folder, env, log) as daemon:
            wait_until(lambda: runs(dg.DagsterRunStatus.FAILURE), daemon, log)
            wait_until(lambda: runs(dg.DagsterRunStatus.SUCCESS), daemon, log)
        (again,) = runs(dg.DagsterRunStatus.SUCCESS)
        assert again.parent_run_id == killed.run_id


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
