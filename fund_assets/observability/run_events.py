"""What happened in a run: its checks, the steps that failed, what it did not renew.

Belongs here: reading the events of a run, once. Does not belong here: which runs count and what
follows from them (`run_records.py`), what a check says (`check_records.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fund_assets.observability import dagster_tables
from fund_assets.observability.check_records import CheckState, check_state
from fund_assets.observability.dagster_tables import Ledger, Run

#: How a failure begins that a blocking check has made.
BLOCKED = "blocked by "
#: Run id → its events: ended runs do not change, and alerts ask for them twice a minute.
_READ: dict[str, "RunEvents"] = {}
_MOST_READ = 10_000


@dataclass(frozen=True)
class RunEvents:
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


def events_of(ledger: Ledger, run: Run) -> RunEvents:
    """What happened in a run; of one that has ended it is read once."""
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
    for event in ledger.events(run.run_id, kinds):
        if event.kind == dagster_tables.CHECK:
            checks.append(check_state(event))
        elif event.kind == dagster_tables.STEP_FAILURE:
            failures.append((str(event.step_key), failure_words(event.data)))
        elif event.kind == dagster_tables.PLANNED:
            planned.update(dagster_tables.names([event.data.asset_key]))
        else:
            done.update(dagster_tables.names([event.data.materialization.asset_key]))
    read = RunEvents(
        tuple(reversed(checks)), tuple(failures), frozenset(planned - done or planned)
    )
    if run.is_finished:
        if len(_READ) >= _MOST_READ:
            _READ.clear()
        _READ[run.run_id] = read
    return read


def check_states(ledger: Ledger, runs: Iterable[Run]) -> list[CheckState]:
    """The newest evaluation of each check in these runs, by asset and name.

    Args:
        runs: newest first.
    """
    newest: dict[tuple[str, str], CheckState] = {}
    for run in runs:
        for state in events_of(ledger, run).checks:
            newest.setdefault((state.asset, state.check), state)
    return [newest[key] for key in sorted(newest)]


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
        return f"{BLOCKED}{', '.join(checks)}; the waiting data was not merged"
    if error.cls_name == "DagsterExecutionInterruptedError":
        return "interrupted: no partial data was merged, run it again"
    kind, _, words = error.message.strip().partition(": ")
    return f"{kind.rpartition('.')[2]}: {words or 'no words given'}"
