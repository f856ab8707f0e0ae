"""What Dagster's own records say: runs, and checks.

Belongs here: what runs and check evaluations mean, in plain dataclasses. Does not belong here:
what renewed each asset (`updates.py`), how records are read (`dagster_tables.py`), the tables
(`warehouse/`), judging (`findings.py`), showing.

Runs of the command line, the schedules, the sensors and the automation all count: nothing
is chosen by the name of a job. Times are the machine's, in Asia/Shanghai: Dagster does not
know a frozen clock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from fund_assets.calendar import in_future
from fund_assets.observability import dagster_tables
from fund_assets.observability.dagster_tables import Event, Ledger, Run
from fund_assets.settings import SHANGHAI

#: Metadata of a check that is no finding.
NOT_FOUND = ("looked_at", "failed", "consequence", "what_to_do", "threshold_days", "rows")
_WILL_RETRY = "dagster/will_retry"
#: Dagster tags a failed run with whether it tries again a moment after it failed.
_SETTLED_S = 3
_BLOCKED = "blocked by "
#: Run id → its events: ended runs do not change, and alerts ask for them twice a minute.
_READ: dict[str, "_Events"] = {}
_MOST_READ = 10_000


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
class FailingCheck:
    """A check whose newest evaluation failed.

    Attributes:
        severity: ERROR or WARN.
        failed, looked_at: how many of how many; None where the check does not count.
        words: its first case, or what else it found.
    """

    asset: str
    check: str
    severity: str
    at: datetime
    run_id: str
    failed: int | None
    looked_at: int | None
    words: str


@dataclass(frozen=True)
class CheckState:
    """The newest evaluation of a check; `severity` is what it has, or would have, failed with.

    `failing` tells what it found, None when it passed.
    """

    asset: str
    check: str
    severity: str
    failing: FailingCheck | None


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


def renewed(book: Ledger, assets: Iterable[str]) -> dict[str, datetime]:
    """Asset → when it was last renewed, of those that ever were."""
    newest = {asset: book.materializations(asset, most=1) for asset in assets}
    return {asset: _moment(events[0].at_s) for asset, events in newest.items() if events}


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


def failing_checks(states: Iterable[CheckState]) -> list[FailingCheck]:
    """The checks whose newest evaluation failed, errors first."""
    return sorted(
        (state.failing for state in states if state.failing),
        key=lambda c: (c.severity != "ERROR", c.asset, c.check),
    )


def failed_runs(book: Ledger, runs: Iterable[Run], machine_time: datetime) -> list[FailedRun]:
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
        events = _events(book, newest)
        lost = [k for k in events.wanted if not _renewed_since(book, k, ended(newest))]
        if events.wanted and not lost:
            continue
        found.append(
            FailedRun(
                job=job,
                run_id=newest.run_id,
                at=ended(newest),
                in_a_row=sum(1 for _ in takewhile(lambda run: run.is_failure, its)),
                blocked=bool(events.failures)
                and all(reason.startswith(_BLOCKED) for _, reason in events.failures),
                lost=tuple(sorted(lost)),
                words=": ".join(events.failures[0]) if events.failures else "",
            )
        )
    return found


def concluded(run: Run) -> bool:
    """Whether what a run found counts: it has ended, and is not tried again."""
    return run.is_finished and run.tags.get(_WILL_RETRY) != "true"


def check_states(book: Ledger, runs: Iterable[Run]) -> list[CheckState]:
    """The newest evaluation of each check in these runs, by asset and name.

    Args:
        runs: newest first.
    """
    newest: dict[tuple[str, str], CheckState] = {}
    for run in runs:
        for state in _events(book, run).checks:
            newest.setdefault((state.asset, state.check), state)
    return [newest[key] for key in sorted(newest)]


def check_cases(values: Mapping[str, Any]) -> list[str]:
    """What a failed check found, case by case in words, from its metadata.

    A check that lists no cases has one: what else it tells. One text is one case: results of
    older releases had it so.
    """
    cases = values.get("cases")
    if isinstance(cases, str):
        return [cases] if cases else []
    if cases:
        return [" ".join(str(v) for v in record.data.values()) for record in cases.records]
    told = {n: v for n, v in values.items() if n not in NOT_FOUND}
    return [", ".join(f"{name} {value}" for name, value in told.items())] if told else []


def failure_words(data: Any) -> str:
    """Why a step failed: the words of its first cause, without the way it took.

    Args:
        data: what is known of the failure, of Dagster or as its ledger has it.
    """
    if data.user_failure_data and data.user_failure_data.description:
        return str(data.user_failure_data.description)
    error = data.error
    if error.cause and str(error.cls_name).startswith("Dagster"):
        error = error.cause
    if error.cls_name == "DagsterAssetCheckFailedError":
        _, *checks = error.message.strip().splitlines()
        return f"{_BLOCKED}{', '.join(checks)}; what waits was not merged"
    if error.cls_name == "DagsterExecutionInterruptedError":
        return "interrupted: nothing is half merged, run it again"
    kind, _, words = error.message.strip().partition(": ")
    return f"{kind.rpartition('.')[2]}: {words or 'no words given'}"


def ended(run: Run) -> datetime:
    """When a run ended; of one that has not, when it was last heard of."""
    return _moment(run.ended_s) if run.ended_s else run.updated


@dataclass(frozen=True)
class _Events:
    """What happened in one run.

    Attributes:
        checks: the newest evaluation first.
        failures: step and reason of each that failed, in their order.
        wanted: what it was to renew and did not. All that it was to renew when that is
            nothing: a blocking check at its end refused what it had renewed.
    """

    checks: tuple[CheckState, ...]
    failures: tuple[tuple[str, str], ...]
    wanted: frozenset[str]


def _events(book: Ledger, run: Run) -> _Events:
    if run.run_id in _READ:
        return _READ[run.run_id]
    checks: list[CheckState] = []
    failures: list[tuple[str, str]] = []
    planned: set[str] = set()
    done: set[str] = set()
    kinds = (
        dagster_tables.CHECK,
        dagster_tables.STEP_FAILURE,
        dagster_tables.PLANNED,
        dagster_tables.MATERIALIZATION,
    )
    for event in book.events(run.run_id, kinds):
        if event.kind == dagster_tables.CHECK:
            checks.append(_check(event))
        elif event.kind == dagster_tables.STEP_FAILURE:
            failures.append((str(event.step_key), failure_words(event.data)))
        elif event.kind == dagster_tables.PLANNED:
            planned.update(dagster_tables.names([event.data.asset_key]))
        else:
            done.update(dagster_tables.names([event.data.materialization.asset_key]))
    read = _Events(
        tuple(reversed(checks)), tuple(failures), frozenset(planned - done or planned)
    )
    if run.is_finished:
        if len(_READ) >= _MOST_READ:
            _READ.clear()
        _READ[run.run_id] = read
    return read


def _renewed_since(book: Ledger, asset: str, moment: datetime) -> bool:
    """Whether a run that went through renewed it; one under way hides none before it."""
    runs = (book.run(one.run_id) for one in book.materializations(asset, since=moment))
    return any(run is None or run.is_success for run in runs)


def _subject(run: Run) -> str:
    """The job of a run; of a run of chosen assets, those."""
    if not run.job_name.startswith("__"):
        return run.job_name
    return f"{_job_name(run)} {', '.join(sorted(run.selection))}".rstrip()


def _check(event: Event) -> CheckState:
    told = event.data
    (asset,) = dagster_tables.names([told.asset_key])
    values = {name: dagster_tables.value(entry) for name, entry in told.metadata.items()}
    failing = FailingCheck(
        asset=asset,
        check=told.check_name,
        severity=told.severity,
        at=_moment(event.at_s),
        run_id=event.run_id,
        failed=values.get("failed"),
        looked_at=values.get("looked_at"),
        words=" ".join(check_cases(values)[:1]),
    )
    return CheckState(asset, told.check_name, told.severity, None if told.success else failing)


def _job_name(run: Run) -> str:
    return "(assets)" if run.job_name.startswith("__") else run.job_name


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, SHANGHAI)
