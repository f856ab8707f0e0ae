"""From a failure to the delivered message, with the real daemon."""

import random
import time

import dagster as dg
import pytest

from fund_assets_tests.integration.test_daemon import (
    execute,
    project,  # noqa: F401  (a fixture)
    running_daemon,
)
from fund_assets_tests.server.robots import RobotServer

pytestmark = pytest.mark.slow

FAILURES, STORM, LIMIT_S = 5, 20, 60
EVENING = "2026-09-17T21:40:00"


@dg.op
def fails():
    raise RuntimeError("as it was told to")


def fail(instance, number):
    """A job of its own that fails on the instance; when it had failed."""
    job = dg.GraphDefinition(f"faulty_{number}", node_defs=[fails]).to_job()
    job.execute_in_process(instance=instance, raise_on_error=False)
    return time.time()


def test_a_failure_is_told_within_a_minute(project, tmp_path, monkeypatch, capsys):  # noqa: F811
    """Stops an alert that comes when the evening is over. Prints the percentiles."""
    folder, env = project
    for name in ("FUND_STATE", "DAGSTER_HOME", "FUND_SIM_FUNDS", "FUND_SIM_YEARS"):
        monkeypatch.setenv(name, env[name])
    execute("daily_pipeline", EVENING, folder, env)
    with RobotServer("webhook", secret="shared") as server:
        env |= {
            "FUND_CLOCK": EVENING,
            "FUND_ALERT_WEBHOOK_URL": server.url,
            "FUND_ALERT_WEBHOOK_SECRET": "shared",
        }
        robot = server.robot

        def told():
            return {
                fingerprint: at
                for at, content in zip(robot.arrived, robot.accepted, strict=True)
                for fingerprint in content["fingerprints"]
                if "【已恢复】" not in content["text"]
            }

        with (
            running_daemon(folder, env, tmp_path / "daemon.log") as daemon,
            dg.DagsterInstance.get() as instance,
        ):
            daemon.wait_until(lambda: "active alerts" in daemon.said())
            phases = random.Random(3)
            failed = {}
            for number in range(FAILURES):
                failed[f"run_failed:faulty_{number}"] = fail(instance, number)
                time.sleep(phases.uniform(0.5, 9.5))
            daemon.wait_until(lambda: failed.keys() <= told().keys())
            arrived = told()
            before = len(robot.accepted)
            storm = {f"run_failed:faulty_{n}" for n in range(1_000, 1_000 + STORM)}
            for number in range(1_000, 1_000 + STORM):
                fail(instance, number)
            daemon.wait_until(lambda: storm <= told().keys())
            messages = len(robot.accepted) - before
    took = sorted(arrived[what] - at for what, at in failed.items())
    with capsys.disabled():
        print(
            f"\nfailure to message: {len(took)} failures, p50 {took[len(took) // 2]:.1f} s, "
            f"p99 {took[-1]:.1f} s (the longest); {STORM} failures in a storm: "
            f"{messages} messages"
        )
    assert len(took) == FAILURES
    assert took[-1] < LIMIT_S
    assert messages <= 5
