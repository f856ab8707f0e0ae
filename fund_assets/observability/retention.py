"""Old runs leave Dagster's records, after a line each in an archive.

Belongs here: which runs go, and all that goes with them. Does not belong here: when
(`assets/warehouse_upkeep.py`), what the runs left in the tables (`publish_log` and the others
keep it for ever).
"""

import csv
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

ARCHIVE = "pruned-runs.csv"
COLUMNS = ("run_id", "job", "status", "created", "started", "ended")
FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
#: Runs that are read at once.
PAGE = 200


def prune_runs(instance: dg.DagsterInstance, before: datetime, folder: Path) -> int:
    """Delete finished runs created before a moment: events, logs and files; how many.

    The newest run of each job stays, however old: it is what the dashboard judges by.

    Args:
        folder: of Dagster's state; `pruned-runs.csv` there gets a line for each run.
    """
    old = _records(instance, before)
    kept = {
        instance.get_runs(dg.RunsFilter(job_name=job), limit=1)[0].run_id
        for job in {record.dagster_run.job_name for record in old}
    }
    found = [record for record in old if record.dagster_run.run_id not in kept]
    if not found:
        return 0
    archive = folder / ARCHIVE
    new = not archive.exists()
    with archive.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        for record in found:
            writer.writerow(_line(record))
    for record in found:
        run_id = record.dagster_run.run_id
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        if path_of := getattr(instance.event_log_storage, "path_for_shard", None):
            shard = Path(path_of(run_id))
            for path in (shard, *shard.parent.glob(f"{shard.name}-*")):
                path.unlink(missing_ok=True)
    return len(found)


def _records(instance: dg.DagsterInstance, before: datetime) -> list[dg.RunRecord]:
    found: list[dg.RunRecord] = []
    cursor = None
    filters = dg.RunsFilter(statuses=FINISHED, created_before=before)
    while page := instance.get_run_records(filters, limit=PAGE, cursor=cursor):
        found += page
        cursor = page[-1].dagster_run.run_id
    return found


def _line(record: dg.RunRecord) -> tuple[str, ...]:
    run = record.dagster_run
    created = f"{record.create_timestamp.replace(tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"
    times = (
        f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}" if at else ""
        for at in (record.start_time, record.end_time)
    )
    return (run.run_id, run.job_name, run.status.value, created, *times)
