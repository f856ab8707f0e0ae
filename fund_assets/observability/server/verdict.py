"""The answer of /health: the verdict, a few figures, and what is behind the verdict.

Belongs here: the shape of the answer (docs/health.md; the checks follow
draft-inadarei-api-health-check). Does not belong here: gathering facts, the verdict itself
(`observability/findings.py`), HTTP.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from fund_assets.observability.conditions import Level
from fund_assets.observability.findings import UNHEALTHY, Finding
from fund_assets.observability.status import Status

PASS, WARN, FAIL = "pass", "warn", "fail"
#: Code of why there are no facts → what is known of the database.
DATABASE = {
    "database_missing": "missing",
    "database_unavailable": "unavailable",
    "facts_timeout": "timeout",
    "facts_unavailable": "unknown",
}
#: Findings of which there may be several, each about one thing.
OF_MANY = ("runs:failed", "checks:failed", "alerts:holding")
Check = dict[str, Any]


def health(status: Status) -> dict[str, Any]:
    """The answer when there are facts; `healthy(answer)` tells its HTTP status."""
    time = status.now.isoformat(timespec="seconds")
    checks: dict[str, list[Check]] = {}
    for name, check in _checks(status):
        checks.setdefault(name, []).append({**check, "time": time})
    due = sum(row.due for row in status.coverage)
    published = sum(row.published for row in status.coverage)
    return {
        "status": status.verdict,
        "database": "connected",
        "today_nav_count": status.today_nav_count,
        "timestamp": time,
        "last_trading_day": str(status.last_session),
        "expected_by": status.expected_by.isoformat() if status.expected_by else None,
        "coverage": {
            "date": str(status.coverage_on) if status.coverage_on else None,
            "total": round(published / due, 4) if due else None,
            "by_kind": {row.kind: round(row.share, 4) for row in status.coverage},
        },
        "checks": checks,
    }


def unavailable(code: str, now: datetime) -> dict[str, Any]:
    """The answer when there are no facts."""
    time = now.isoformat(timespec="seconds")
    return {
        "status": UNHEALTHY,
        "database": DATABASE[code],
        "error": code,
        "today_nav_count": None,
        "timestamp": time,
        "checks": {"database:connection": [{"status": FAIL, "output": code, "time": time}]},
    }


def http_status(answer: dict[str, Any]) -> int:
    """200 for healthy and degraded, 503 for unhealthy."""
    return 503 if answer["status"] == UNHEALTHY else 200


def _checks(status: Status) -> Iterator[tuple[str, Check]]:
    """What was measured, each with what the findings say of it, and the other findings."""
    yield "database:connection", {"status": PASS, "componentType": "datastore"}
    for table in status.freshness:
        yield (
            f"{table.table}:freshness",
            {
                "status": _state(status, "tables:freshness", table.table),
                "observedValue": table.sessions_behind,
                "observedUnit": "trading days behind",
                "newest": str(table.newest) if table.newest else None,
                "due": str(table.due),
            },
        )
    for beat in status.daemons:
        yield (
            "daemon:heartbeat",
            {
                "status": _state(status, "daemon:heartbeat", beat.daemon),
                "componentId": beat.daemon.lower(),
                "observedValue": beat.age_s,
                "observedUnit": "s",
            },
        )
    yield _count(status, "sessions:missing", len(status.missing), "trading days")
    yield _count(status, "sessions:lost", len(status.lost), "dates")
    yield _count(status, "batches:held", status.held_batches, "batches")
    ended = next((run for run in status.runs if run.duration_s is not None), None)
    if ended:  # one that failed is a finding when nothing made it good and none tries it again
        yield (
            "runs:newest",
            {"status": PASS, "componentId": ended.job, "observedValue": ended.status},
        )
    for finding in status.findings:
        if finding.check in OF_MANY:
            for name in finding.about:
                yield finding.check, {"status": _of(finding), "componentId": name}
    # Warnings stand on ordinary evenings too: a few late funds must not look like a fault.
    warned = sum(check.severity == "WARN" for check in status.failing_checks)
    yield _count(status, "checks:warned", warned, "checks")
    rows = sum(held for _, held in status.quarantine)
    yield _count(status, "quarantine:rows", rows, "rows")
    if status.calendar_days_left is not None:
        yield _count(status, "calendar:horizon", status.calendar_days_left, "days")
    yield _count(
        status, "source:refuses",
        sum(finding.check == "source:refuses" for finding in status.findings), "hosts",
    )  # fmt: skip
    if status.disk_free_bytes is not None:
        name, check = _count(status, "disk:free", status.disk_free_bytes, "bytes")
        yield name, {**check, "componentType": "system"}


def _count(status: Status, name: str, number: int, unit: str) -> tuple[str, Check]:
    state = _state(status, name)
    return name, {"status": state, "observedValue": number, "observedUnit": unit}


def _state(status: Status, name: str, about: str = "") -> str:
    """What the findings say of a check, or of one of the things that it is about."""
    found = [f for f in status.findings if f.check == name and (not about or about in f.about)]
    return _of(max(found, key=lambda finding: finding.level)) if found else PASS


def _of(finding: Finding) -> str:
    return FAIL if finding.level is Level.HARM else WARN
