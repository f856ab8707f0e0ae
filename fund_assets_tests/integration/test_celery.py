"""The backfill spread over workers: Dagster's own backfill, Celery, a broker, MariaDB.

The broker is a Redis of the test's own, or what FUND_TEST_BROKER_URL names, say a RabbitMQ.
"""

import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import dagster as dg
import psutil
import pytest
import sqlalchemy as sa
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.auto_run_reexecution.event_log_consumer import EventLogConsumerDaemon
from dagster._daemon.backfill import execute_backfill_iteration
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (
    QueuedRunCoordinatorDaemon,
)

from fund_assets.nav.history import bucket_of
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import landing
from fund_assets_tests.server import MarketServer
from fund_assets_tests.server.many import ManyFunds

pytestmark = [
    pytest.mark.slow,
    # Dagster registers its task with Celery anew for every run that it launches.
    pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning"),
    pytest.mark.skipif(not shutil.which("redis-server"), reason="needs Debian's redis-server"),
]

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
BUCKETS, FUNDS, DATES, PER_SECOND = ("00", "01", "02", "03"), 1_300, 12, 25.0
PATIENCE_S = 90.0
LOGGER = logging.getLogger("daemon of a test")


@contextlib.contextmanager
def redis(folder):
    """A broker of the test's own; its URL."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = subprocess.Popen(
        ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: _answers(port), "the broker answers")
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def until(condition, what):
    """Wait for it."""
    end = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {PATIENCE_S:g} s: {what}"
        time.sleep(0.1)
    return found


@contextlib.contextmanager
def worker(name, env, folder):
    """A Celery worker that executes one run at a time; its process."""
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [str(BIN / "celery"), "-A", "dagster_celery.app", "worker", "--concurrency", "1",
             "--prefetch-multiplier", "1", "-Q", "dagster", "-n", f"{name}@%h"],
            cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Site:
    """The instance of deploy/celery, and the loops of its daemon that a backfill needs."""

    def __init__(self):
        self.instance = dg.DagsterInstance.get()
        self.context = WorkspaceProcessContext(
            self.instance,
            InProcessWorkspaceLoadTarget(
                InProcessCodeLocationOrigin(
                    LoadableTargetOrigin(module_name="fund_assets.definitions"),
                    location_name="fund_assets.definitions",
                )
            ),
        )
        self.queue, self.retries = QueuedRunCoordinatorDaemon(1), EventLogConsumerDaemon()

    def request(self, buckets):
        """A backfill of some buckets, as the UI asks for one."""
        location = self.context.create_request_context().get_code_location(
            "fund_assets.definitions"
        )
        repository = next(iter(location.get_repositories().values()))
        partitions = next(
            p for p in repository.get_partition_sets() if p.job_name == "history_backfill"
        )
        self.instance.add_backfill(
            PartitionBackfill(
                backfill_id="history", status=BulkActionStatus.REQUESTED, from_failure=False,
                tags={}, backfill_timestamp=time.time(),
                partition_set_origin=partitions.get_remote_origin(),
                partition_names=list(buckets),
            )
        )  # fmt: skip

    def round(self):
        """What the daemon does again and again; the runs there are."""
        for loop in (
            execute_backfill_iteration(self.context, LOGGER),
            self.queue.run_iteration(self.context),
            execute_run_monitoring_iteration(self.context, LOGGER),
            self.retries.run_iteration(self.context),
        ):
            for error in loop:
                assert error is None, error
        return self.instance.get_runs()

    def close(self):
        self.context.__exit__(None, None, None)
        self.instance.dispose()


def test_a_killed_worker_loses_and_doubles_nothing(tmp_path, mysql_database, monkeypatch):
    """Stops the work of a worker that dies from being lost, done twice, or waiting for ever."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(ROOT / "deploy" / "celery" / "dagster.yaml", home)
    server = sa.make_url(mysql_database)
    dagster_db = f"{server.database}_dagster"
    with sa.create_engine(
        server.set(drivername="mysql+mysqlconnector", database="")
    ).begin() as c:
        c.exec_driver_sql(f"CREATE DATABASE {dagster_db} CHARACTER SET utf8mb4")
    market = ManyFunds(FUNDS, DATES)
    warehouse = Warehouse(mysql_database)
    warehouse.init("akshare")
    landing.write_fund_info(warehouse, market.listing)
    codes = {code for code in market.codes if bucket_of(code) in BUCKETS}
    gone = {code for code in codes if market.is_gone(int(code))}

    with contextlib.ExitStack() as stack:
        source = stack.enter_context(MarketServer(market))
        broker = stack.enter_context(redis(tmp_path))
        settings = {
            **source.env,
            "DAGSTER_HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore",
            "FUND_SOURCE": "akshare", "FUND_STATE": str(tmp_path / "state"),
            "FUND_WAREHOUSE_URL": mysql_database, "FUND_CLOCK": "2026-09-18T21:40:00",
            "FUND_REQUESTS_PER_SECOND": str(PER_SECOND),
            "CELERY_BROKER_URL": os.environ.get("FUND_TEST_BROKER_URL", f"{broker}/0"),
            "CELERY_RESULT_BACKEND": f"{broker}/1",
            "DAGSTER_MYSQL_HOST": str(server.host), "DAGSTER_MYSQL_PORT": str(server.port),
            "DAGSTER_MYSQL_USER": str(server.username),
            "DAGSTER_MYSQL_PASSWORD": server.password or "", "DAGSTER_MYSQL_DB": dagster_db,
        }  # fmt: skip
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        site = Site()  # before the workers: two that make Dagster's tables at once leave half
        stack.callback(site.close)
        env = {**os.environ}
        first, _ = (stack.enter_context(worker(n, env, tmp_path)) for n in ("one", "two"))
        site.request(BUCKETS)
        until(lambda: site.round() and len(source.requests) >= 12, "workers ask")
        (victim,) = psutil.Process(first.pid).children()
        asked = len(source.requests)
        victim.kill()
        runs = until(
            lambda: (
                (found := site.round())
                and all(run.is_finished for run in found)
                and sum(run.is_success for run in found) == len(BUCKETS)
                and found
            ),
            "every bucket has a run that succeeded",
        )
    failed = [run for run in runs if not run.is_success]
    assert len(failed) == 1 and asked < len(codes), "killed in the middle"
    (again,) = (run for run in runs if run.root_run_id == failed[0].run_id)
    assert again.tags["dagster/partition"] == failed[0].tags["dagster/partition"]
    rows = warehouse.rows(
        "SELECT fund_code, COUNT(*) AS n FROM validated_nav GROUP BY fund_code"
    )
    assert {row["fund_code"]: row["n"] for row in rows} == dict.fromkeys(codes - gone, DATES)
    progress = landing.history_progress(warehouse).set_index("fund_code")
    assert set(progress.index) == codes
    assert set(progress.index[progress["state"] == "nothing"]) == gone
    twice = Counter(fund for what, fund, *_ in source.requests if what == "history")
    assert set(twice) == codes and sum(twice.values()) - len(codes) <= 3, (
        "only what was in flight"
    )
    states = {row["state"] for row in warehouse.rows("SELECT state FROM collection_batch")}
    assert states == {"published"}
    warehouse.close()
