"""What Dagster's records say of checks: how each ended, and what it found.

Belongs here: what an evaluation means, in plain dataclasses. Does not belong here: which
evaluations a run has (`run_events.py`), how grave a failing check is (`conditions.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fund_assets.observability import dagster_tables
from fund_assets.observability.dagster_tables import Event, moment

#: Metadata of a check that is no finding.
NOT_FOUND = ("looked_at", "failed", "consequence", "what_to_do", "threshold_days", "rows")


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


def failing_checks(states: Iterable[CheckState]) -> list[FailingCheck]:
    """The checks whose newest evaluation failed, errors first."""
    return sorted(
        (state.failing for state in states if state.failing),
        key=lambda c: (c.severity != "ERROR", c.asset, c.check),
    )


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


def check_state(event: Event) -> CheckState:
    """What an evaluation says."""
    evaluation = event.data
    (asset,) = dagster_tables.names([evaluation.asset_key])
    values = {name: dagster_tables.value(entry) for name, entry in evaluation.metadata.items()}
    failing = FailingCheck(
        asset=asset,
        check=evaluation.check_name,
        severity=evaluation.severity,
        at=moment(event.at_s),
        run_id=event.run_id,
        failed=values.get("failed"),
        looked_at=values.get("looked_at"),
        words=" ".join(check_cases(values)[:1]),
    )
    return CheckState(
        asset,
        evaluation.check_name,
        evaluation.severity,
        None if evaluation.success else failing,
    )
