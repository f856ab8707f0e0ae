"""What Dagster's own records say: updates of assets, runs, and checks.

Belongs here: reading materializations, runs and check evaluations into plain dataclasses.
Does not belong here: the tables (`warehouse/`), judging (`status.py`), showing.

Runs of the command line, the schedules, the sensors and the automation all count: nothing
is chosen by the name of a job. Times are the machine's, in Asia/Shanghai: Dagster does not
know a frozen clock.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

import dagster as dg
from dagster._core.definitions.freshness import FreshnessState

from fund_assets.calendar import in_future
from fund_assets.settings import SHANGHAI

ASSETS = (
    "fund_info",
    "fund_events",
    "fund_nav",
    "validated_nav",
    "benchmark_index",
    "fund_metrics",
)
#: Metadata of a check that is no finding.
NOT_FOUND = ("looked_at", "failed", "consequence", "what_to_do", "threshold_days", "rows")
_PAGE = 500
_WILL_RETRY = "dagster/will_retry"
#: Dagster tags a failed run with whether it tries again a moment after it failed.
_SETTLED_S = 3
_BLOCKED = "blocked by "
#: Run id → its events: ended runs do not change, and alerts ask for them twice a minute.
_READ: dict[str, "_Events"] = {}
_MOST_READ = 10_000


@dataclass(frozen=True)
class Update:
    """One attempt to renew an asset.

    Attributes:
        status: succeeded, failed, canceled or running. Of a run that failed, an asset failed
            whose step or blocking check did: its table may have been written all the same.
        data_date: date inside the data as `yyyy-mm-dd`, empty where there is none.
        rows: rows it read, computed or listed; None when the step failed before.
        reason: of a failed step, in words.
    """

    at: datetime
    asset: str
    run_id: str
    status: str
    data_date: str = ""
    rows: int | None = None
    rows_written: int | None = None
    duration_s: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class AssetStatistics:
    """The updates of one asset; the last two are None without any that ended, or succeeded.

    Attributes:
        rows: that it read, computed or listed, over all updates that succeeded.
        rows_written: new and changed ones of these.
    """

    asset: str
    updates: int
    succeeded: int
    failed: int
    rows: int
    rows_written: int
    success_rate: float | None
    mean_duration_s: float | None


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


def runs_since(
    instance: dg.DagsterInstance, since: datetime, most: int | None = None
) -> list[dg.RunRecord]:
    """All runs made since then, or the newest `most` of them; newest first."""
    return list(instance.get_run_records(dg.RunsFilter(created_after=since), limit=most))


def renewed(instance: dg.DagsterInstance, assets: Iterable[str]) -> dict[str, datetime]:
    """Asset → when it was last renewed, of those that ever were."""
    newest = {a: instance.get_latest_materialization_event(dg.AssetKey(a)) for a in assets}
    return {asset: _moment(event.timestamp) for asset, event in newest.items() if event}


def overdue(instance: dg.DagsterInstance, assets: Iterable[str]) -> list[str]:
    """The assets whose freshness policy is broken, as the freshness daemon last found."""
    keys = {dg.AssetKey(asset): asset for asset in assets}
    states = instance.get_freshness_state_records(list(keys))
    return [keys[key] for key, s in states.items() if s.freshness_state is FreshnessState.FAIL]


def updates_since(
    instance: dg.DagsterInstance, runs: Iterable[dg.RunRecord], since: datetime
) -> list[Update]:
    """What renewed the assets, or failed to, newest first.

    Args:
        runs: at least the runs that were going since then.
    """
    known = {record.dagster_run.run_id: record for record in runs}
    failed = {
        run_id: _failed_assets(instance, run_id)
        for run_id, record in known.items()
        if record.dagster_run.status is dg.DagsterRunStatus.FAILURE and ended(record) >= since
    }
    found = []
    for asset in ASSETS:
        for event in _materializations(instance, asset, since):
            values = {n: v.value for n, v in event.asset_materialization.metadata.items()}
            record = known.get(event.run_id)
            found.append(
                Update(
                    at=_moment(event.timestamp),
                    asset=asset,
                    run_id=event.run_id,
                    status=_status(record, asset in failed.get(event.run_id, ())),
                    data_date=str(values.get("nav_date", "")),
                    rows=_first(values, "rows_read", "dagster/row_count"),
                    rows_written=_written(values),
                    duration_s=values.get("duration_seconds"),
                )
            )
    done = {(update.run_id, update.asset) for update in found}
    for run_id in failed:
        found += [u for u in _failed_steps(instance, run_id) if (u.run_id, u.asset) not in done]
    return sorted(found, key=lambda update: update.at, reverse=True)


def asset_statistics(updates: Iterable[Update]) -> list[AssetStatistics]:
    """The updates by asset, in the order in which the pipeline renews them."""
    by_asset: dict[str, list[Update]] = {}
    for update in updates:
        by_asset.setdefault(update.asset, []).append(update)
    found = []
    for asset in (name for name in ASSETS if name in by_asset):
        renewals = by_asset[asset]
        done = [u for u in renewals if u.status != "running"]
        good = [u for u in renewals if u.status == "succeeded"]
        times = [u.duration_s for u in good if u.duration_s is not None]
        found.append(
            AssetStatistics(
                asset=asset,
                updates=len(renewals),
                succeeded=len(good),
                failed=sum(u.status == "failed" for u in renewals),
                rows=sum(u.rows or 0 for u in good),
                rows_written=sum(u.rows_written or 0 for u in good),
                success_rate=len(good) / len(done) if done else None,
                mean_duration_s=sum(times) / len(times) if times else None,
            )
        )
    return found


def job_statistics(runs: Iterable[dg.RunRecord]) -> list[JobStatistics]:
    """The runs by job, the job with the most runs first."""
    by_job: dict[str, list[dg.RunRecord]] = {}
    for record in runs:
        by_job.setdefault(_job_name(record.dagster_run), []).append(record)
    found = []
    for job, records in by_job.items():
        done = [r for r in records if r.dagster_run.is_finished]
        succeeded = sum(r.dagster_run.is_success for r in done)
        times = [r.end_time - r.start_time for r in done if r.end_time and r.start_time]
        found.append(
            JobStatistics(
                job=job,
                runs=len(records),
                succeeded=succeeded,
                failed=sum(r.dagster_run.status is dg.DagsterRunStatus.FAILURE for r in done),
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


def failed_runs(
    instance: dg.DagsterInstance, runs: Iterable[dg.RunRecord], machine_time: datetime
) -> list[FailedRun]:
    """The jobs whose newest run that is over failed, unless another made good what it left.

    Canceled runs count neither way, nor does one that Dagster tries again: until the last try
    has ended, what was true before it is. Whether it tries, Dagster notes a moment after the
    failure: a run that has just failed waits.

    Args:
        runs: newest first.
    """
    by_job: dict[str, list[dg.RunRecord]] = {}
    for record in runs:
        run = record.dagster_run
        over = run.is_success or run.status is dg.DagsterRunStatus.FAILURE
        settled = (
            run.tags.get("dagster/max_retries") == "0"
            or (machine_time - ended(record)).total_seconds() >= _SETTLED_S
            or in_future(ended(record), machine_time)
        )
        if over and (run.is_success or settled) and concluded(record):
            by_job.setdefault(_subject(run), []).append(record)
    found = []
    for job, records in by_job.items():
        newest = records[0].dagster_run
        if newest.is_success:
            continue
        events = _events(instance, records[0])
        lost = [k for k in events.wanted if not _renewed_since(instance, k, ended(records[0]))]
        if events.wanted and not lost:
            continue
        found.append(
            FailedRun(
                job=job,
                run_id=newest.run_id,
                at=ended(records[0]),
                in_a_row=sum(1 for _ in takewhile(_failed, records)),
                blocked=bool(events.failures)
                and all(reason.startswith(_BLOCKED) for _, reason in events.failures),
                lost=tuple(sorted(key.to_user_string() for key in lost)),
                words=": ".join(events.failures[0]) if events.failures else "",
            )
        )
    return found


def concluded(record: dg.RunRecord) -> bool:
    """Whether what a run found counts: it has ended, and is not tried again."""
    run = record.dagster_run
    return run.is_finished and run.tags.get(_WILL_RETRY) != "true"


def check_states(
    instance: dg.DagsterInstance, runs: Iterable[dg.RunRecord]
) -> list[CheckState]:
    """The newest evaluation of each check in these runs, by asset and name.

    Args:
        runs: newest first.
    """
    newest: dict[tuple[str, str], CheckState] = {}
    for record in runs:
        for state in _events(instance, record).checks:
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


def failure_words(failure: dg.DagsterEvent) -> str:
    """Why a step failed: the words of its first cause, without the way it took."""
    data = failure.step_failure_data
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


def ended(record: dg.RunRecord) -> datetime:
    """When a run ended; of one that has not, when it was last heard of."""
    return _moment(record.end_time) if record.end_time else record.update_timestamp


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
    wanted: frozenset[dg.AssetKey]


def _events(instance: dg.DagsterInstance, record: dg.RunRecord) -> _Events:
    run_id = record.dagster_run.run_id
    if run_id in _READ:
        return _READ[run_id]
    kinds = dg.DagsterEventType
    found = instance.get_records_for_run(
        run_id,
        of_type={
            kinds.ASSET_CHECK_EVALUATION,
            kinds.STEP_FAILURE,
            kinds.ASSET_MATERIALIZATION_PLANNED,
            kinds.ASSET_MATERIALIZATION,
        },
    )
    checks, failures, keys = [], [], {k: set() for k in (True, False)}
    for event in found.records:
        entry = event.event_log_entry
        happened = entry.dagster_event
        if happened.event_type is kinds.ASSET_CHECK_EVALUATION:
            result = happened.asset_check_evaluation_data
            failing = None if result.passed else _failing(entry, result)
            asset = result.asset_key.to_user_string()
            checks.append(CheckState(asset, result.check_name, result.severity.value, failing))
        elif happened.event_type is kinds.STEP_FAILURE:
            failures.append((str(happened.step_key), failure_words(happened)))
        else:
            keys[happened.event_type is kinds.ASSET_MATERIALIZATION].add(happened.asset_key)
    planned, done = keys[False], keys[True]
    read = _Events(
        tuple(reversed(checks)), tuple(failures), frozenset(planned - done or planned)
    )
    if record.dagster_run.is_finished:
        if len(_READ) >= _MOST_READ:
            _READ.clear()
        _READ[run_id] = read
    return read


def _renewed_since(instance: dg.DagsterInstance, key: dg.AssetKey, moment: datetime) -> bool:
    event = instance.get_latest_materialization_event(key)
    if event is None or event.timestamp <= moment.timestamp():
        return False
    run = instance.get_run_by_id(event.run_id)
    return run is None or run.is_success


def _failed(record: dg.RunRecord) -> bool:
    return record.dagster_run.status is dg.DagsterRunStatus.FAILURE


def _subject(run: dg.DagsterRun) -> str:
    """The job of a run; of a run of chosen assets, those."""
    if not run.job_name.startswith("__"):
        return run.job_name
    chosen = sorted(key.to_user_string() for key in run.asset_selection or ())
    return f"{_job_name(run)} {', '.join(chosen)}".rstrip()


def _failing(entry: dg.EventLogEntry, result: dg.AssetCheckEvaluation) -> FailingCheck:
    values = {name: value.value for name, value in result.metadata.items()}
    return FailingCheck(
        asset=result.asset_key.to_user_string(),
        check=result.check_name,
        severity=result.severity.value,
        at=_moment(entry.timestamp),
        run_id=entry.run_id,
        failed=values.get("failed"),
        looked_at=values.get("looked_at"),
        words=" ".join(check_cases(values)[:1]),
    )


def _materializations(
    instance: dg.DagsterInstance, asset: str, since: datetime
) -> Iterator[dg.EventLogRecord]:
    wanted = dg.AssetRecordsFilter(
        asset_key=dg.AssetKey(asset), after_timestamp=since.timestamp()
    )
    cursor: str | None = None
    while True:
        page = instance.fetch_materializations(wanted, limit=_PAGE, cursor=cursor)
        yield from page.records
        if not page.has_more:
            return
        cursor = page.cursor


def _failed_assets(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    """The assets of a run whose own step failed, or a check that blocks."""
    events = instance.get_records_for_run(
        run_id,
        of_type={dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.ASSET_CHECK_EVALUATION},
    )
    found = set()
    for event in events.records:
        happened = event.event_log_entry.dagster_event
        if happened.event_type is dg.DagsterEventType.STEP_FAILURE:
            found.add(str(happened.step_key))
            continue
        check = happened.asset_check_evaluation_data
        if (
            check.blocking
            and check.severity is dg.AssetCheckSeverity.ERROR
            and not check.passed
        ):
            found.add(check.asset_key.to_user_string())
    return found


def _failed_steps(instance: dg.DagsterInstance, run_id: str) -> Iterator[Update]:
    events = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    for event in events.records:
        failure = event.event_log_entry.dagster_event
        yield Update(
            at=_moment(event.timestamp),
            asset=str(failure.step_key),
            run_id=run_id,
            status="failed",
            reason=failure_words(failure),
        )


def _job_name(run: dg.DagsterRun) -> str:
    return "(assets)" if run.job_name.startswith("__") else run.job_name


def _status(record: dg.RunRecord | None, failed: bool) -> str:
    """That of a materialization in a run; one of a run that was deleted counts as good."""
    if failed:
        return "failed"
    if record is None or record.dagster_run.is_finished:
        canceled = record and record.dagster_run.status is dg.DagsterRunStatus.CANCELED
        return "canceled" if canceled else "succeeded"
    return "running"


def _first(values: dict[str, Any], *names: str) -> int | None:
    return next((int(values[name]) for name in names if name in values), None)


def _written(values: dict[str, Any]) -> int | None:
    if "rows_new" in values:
        # Runs of older releases told no filled rows.
        names = ("rows_new", "rows_changed", "rows_filled")
        return sum(int(values.get(name, 0)) for name in names)
    return _first(values, "rows_written", "rows_changed")


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, SHANGHAI)
