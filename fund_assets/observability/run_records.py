"""What Dagster's records say of runs: how the jobs do, which failed, what was renewed when.

Belongs here: which runs count, in plain dataclasses. Does not belong here: what renewed each
asset (`updates.py`), what happened in a run (`run_events.py`), how records are read
(`dagster_tables.py`), judging (`findings.py`), showing.

Runs of the command line, the schedules, the sensors and the automation all count: nothing
is chosen by the name of a job. Times are the machine's, in Asia/Shanghai: Dagster does not
know a frozen clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from fund_assets.calendar import in_future
from fund_assets.observability.dagster_tables import Ledger, Run, moment
from fund_assets.observability.run_events import BLOCKED, events_of

#: Runs are looked back on for so long.
WEEK = timedelta(days=7)
_WILL_RETRY = "dagster/will_retry"
#: Dagster tags a failed run with whether it tries again a moment after it failed.
_SETTLED_S = 3


@dataclass(frozen=True)
class JobStatistics:
    """The runs of one job; `success_rate` and `mean_duration_s` are None without any ended."""

    job: str
    runs: int
    succeeded: int
    failed: int
    success_rate: float | None
    mean_duration_s: float | None


@dataclass(frozen=True)
class FailedRun:
    """The newest ended run of a job, which failed and will not be tried again by itself.

    Attributes:
        job: its name; of a run of chosen assets, those assets.
        in_a_row: how many runs of the job failed since the last that succeeded; the tries
            of one run count once.
        blocked: whether a blocking check failed it, and nothing else.
        lost: assets that it was to renew and that nothing has renewed since.
        words: why the first step failed; empty when the process died without a word.
    """

    job: str
    run_id: str
    at: datetime
    in_a_row: int
    blocked: bool
    lost: tuple[str, ...]
    words: str


def renewed(ledger: Ledger, assets: Iterable[str]) -> dict[str, datetime]:
    """Asset → when it was last renewed, of those that ever were."""
    newest = {asset: ledger.materializations(asset, most=1) for asset in assets}
    return {asset: moment(events[0].at_s) for asset, events in newest.items() if events}


def job_statistics(runs: Iterable[Run]) -> list[JobStatistics]:
    """The runs by job, the job with the most runs first."""
    by_job: dict[str, list[Run]] = {}
    for run in runs:
        by_job.setdefault(_job_name(run), []).append(run)
    found = []
    for job, its in by_job.items():
        done = [run for run in its if run.is_finished]
        succeeded = sum(run.is_success for run in done)
        times = [run.ended_s - run.started_s for run in done if run.ended_s and run.started_s]
        found.append(
            JobStatistics(
                job=job,
                runs=len(its),
                succeeded=succeeded,
                failed=sum(run.is_failure for run in done),
                success_rate=succeeded / len(done) if done else None,
                mean_duration_s=sum(times) / len(times) if times else None,
            )
        )
    return sorted(found, key=lambda s: (-s.runs, s.job))


def failed_runs(ledger: Ledger, runs: Iterable[Run], machine_time: datetime) -> list[FailedRun]:
    """The jobs whose newest run that is over failed, unless another made good what it left.

    Canceled runs count neither way, nor does one that Dagster tries again: until the last try
    has ended, what was true before it is. Whether it tries, Dagster notes a moment after the
    failure: a run that has just failed waits.

    Args:
        runs: newest first.
    """
    by_job: dict[str, list[Run]] = {}
    for run in runs:
        settled = (
            run.tags.get("dagster/max_retries") == "0"
            or (machine_time - ended(run)).total_seconds() >= _SETTLED_S
            or in_future(ended(run), machine_time)
        )
        if run.is_success or (run.is_failure and settled and concluded(run)):
            by_job.setdefault(_subject(run), []).append(run)
    found = []
    for job, its in by_job.items():
        newest = its[0]
        if newest.is_success:
            continue
        events = events_of(ledger, newest)
        lost = [k for k in events.wanted if not _renewed_since(ledger, k, ended(newest))]
        if events.wanted and not lost:
            continue
        found.append(
            FailedRun(
                job=job,
                run_id=newest.run_id,
                at=ended(newest),
                in_a_row=sum(1 for _ in takewhile(lambda run: run.is_failure, its)),
                blocked=bool(events.failures)
                and all(reason.startswith(BLOCKED) for _, reason in events.failures),
                lost=tuple(sorted(lost)),
                words=": ".join(events.failures[0]) if events.failures else "",
            )
        )
    return found


def concluded(run: Run) -> bool:
    """Whether what a run found counts: it has ended, and is not tried again."""
    return run.is_finished and run.tags.get(_WILL_RETRY) != "true"


def ended(run: Run) -> datetime:
    """When a run ended; of one that has not, when it was last heard of."""
    return moment(run.ended_s) if run.ended_s else run.updated


def _renewed_since(ledger: Ledger, asset: str, since: datetime) -> bool:
    """Whether a run that went through renewed it; one under way hides none before it."""
    runs = (ledger.run(one.run_id) for one in ledger.materializations(asset, since=since))
    return any(run is None or run.is_success for run in runs)


def _subject(run: Run) -> str:
    """The job of a run; of a run of chosen assets, those."""
    if not run.job_name.startswith("__"):
        return run.job_name
    return f"{_job_name(run)} {', '.join(sorted(run.selection))}".rstrip()


def _job_name(run: Run) -> str:
    return "(assets)" if run.job_name.startswith("__") else run.job_name
