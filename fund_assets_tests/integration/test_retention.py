"""Old runs leave Dagster's records; what people read of them stays."""

import csv
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from fund_assets.instance.storage import dagster_dir, project_instance
from fund_assets.observability.retention import prune_runs

ROOT = Path(__file__).resolve().parents[2]


@dg.op
def said():
    print("said by the step")


@dg.graph
def says():
    said()


@pytest.mark.slow
def test_runs_past_their_time_go_with_all_their_files(monkeypatch):
    """Stops the records from growing without end, and the newest run of a job, by which the
    dashboard judges, from going with them."""
    monkeypatch.setenv("DAGSTER_HOME", str(ROOT))
    with project_instance() as instance:
        runs = [
            says.to_job(name=name).execute_in_process(instance=instance).run_id
            for name in ("rare", "daily", "daily", "daily")
        ]
        folder = dagster_dir()
        with closing(sqlite3.connect(folder / "history" / "runs.db")) as records:
            records.execute("UPDATE runs SET create_timestamp = '2025-01-02 03:04:05'")
            records.execute(
                "UPDATE runs SET create_timestamp = '2026-11-01 00:00:00' WHERE run_id = ?",
                (runs[3],),
            )
            records.commit()
        before = datetime(2026, 10, 1, tzinfo=UTC)
        assert all(list(folder.rglob(f"{run}*")) for run in runs)
        assert prune_runs(instance, before, folder) == 2
        assert {run.run_id for run in instance.get_runs()} == {runs[0], runs[3]}
        assert [list(folder.rglob(f"{run}*")) for run in runs[1:3]] == [[], []]
        assert instance.all_logs(runs[3])
        with (folder / "pruned-runs.csv").open(encoding="utf-8") as file:
            told = list(csv.DictReader(file))
        assert {row["run_id"] for row in told} == set(runs[1:3])
        assert {(row["job"], row["status"], row["created"]) for row in told} == {
            ("daily", "SUCCESS", "2025-01-02T03:04:05Z")
        }
        assert prune_runs(instance, before + timedelta(1), folder) == 0, "nothing twice"


def test_a_run_that_is_not_finished_stays(monkeypatch):
    """Stops a run from losing its records while it writes them."""
    monkeypatch.setenv("DAGSTER_HOME", str(ROOT))
    with project_instance() as instance:
        job = says.to_job(name="long")
        for _ in range(2):
            instance.create_run_for_job(job_def=job, status=dg.DagsterRunStatus.STARTED)
        assert prune_runs(instance, datetime.now(UTC) + timedelta(1), dagster_dir()) == 0
        assert instance.get_runs_count() == 2
