"""The answer of /health: a verdict, a few figures, and every check behind the verdict.

Belongs here: which facts make the platform unhealthy or degraded, and the shape of the answer
(docs/health.md; the checks follow draft-inadarei-api-health-check). Does not belong here:
gathering facts, HTTP.

Unhealthy is what harms those who use the data: it cannot be read, is late, or nobody renews
it any more. Degraded is what somebody should look at while the data that is due is there.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from fund_assets.calendar import HORIZON_ALARM_DAYS
from fund_assets.monitoring.status import READ_BY_USERS, Status
from fund_assets.monitoring.vitals import (
    DISK_FAIL_BYTES,
    DISK_WARN_BYTES,
    HEARTBEAT_FAIL_S,
    HEARTBEAT_WARN_S,
)

PASS, WARN, FAIL = "pass", "warn", "fail"
#: Code of why there are no facts → what is known of the database.
DATABASE = {
    "database_missing": "missing",
    "database_unavailable": "unavailable",
    "facts_timeout": "timeout",
    "facts_unavailable": "unknown",
}
Check = dict[str, Any]


def health(status: Status) -> dict[str, Any]:
    """The answer when there are facts; `healthy(answer)` tells its HTTP status."""
    time = status.now.isoformat(timespec="seconds")
    checks: dict[str, list[Check]] = {}
    for name, check in _checks(status):
        checks.setdefault(name, []).append({**check, "time": time})
    active = sum(row.active for row in status.coverage)
    published = sum(row.published for row in status.coverage)
    return {
        "status": _verdict(checks),
        "database": "connected",
        "today_nav_count": status.today_nav_count,
        "timestamp": time,
        "last_trading_day": str(status.last_session),
        "expected_by": status.expected_by.isoformat() if status.expected_by else None,
        "coverage": {
            "date": str(status.coverage_on) if status.coverage_on else None,
            "total": round(published / active, 4) if active else None,
            "by_kind": {row.kind: round(row.share, 4) for row in status.coverage},
        },
        "checks": checks,
    }


def unavailable(code: str, now: datetime) -> dict[str, Any]:
    """The answer when there are no facts."""
    time = now.isoformat(timespec="seconds")
    return {
        "status": "unhealthy",
        "database": DATABASE[code],
        "error": code,
        "today_nav_count": None,
        "timestamp": time,
        "checks": {"database:connection": [{"status": FAIL, "output": code, "time": time}]},
    }


def http_status(answer: dict[str, Any]) -> int:
    """200 for healthy and degraded, 503 for unhealthy."""
    return 503 if answer["status"] == "unhealthy" else 200


def _verdict(checks: dict[str, list[Check]]) -> str:
    found = {check["status"] for group in checks.values() for check in group}
    return "unhealthy" if FAIL in found else "degraded" if WARN in found else "healthy"


def _checks(status: Status) -> Iterator[tuple[str, Check]]:
    yield "database:connection", {"status": PASS, "componentType": "datastore"}
    for table in status.freshness:
        late = FAIL if table.table in READ_BY_USERS else WARN
        yield (
            f"{table.table}:freshness",
            {
                "status": PASS if table.ok else late,
                "observedValue": table.sessions_behind,
                "observedUnit": "trading days behind",
                "newest": str(table.newest) if table.newest else None,
                "due": str(table.due),
            },
        )
    for beat in status.daemons:
        late = beat.age_s >= HEARTBEAT_WARN_S
        yield (
            "daemon:heartbeat",
            {
                "status": FAIL if beat.age_s >= HEARTBEAT_FAIL_S else WARN if late else PASS,
                "componentId": beat.daemon.lower(),
                "observedValue": beat.age_s,
                "observedUnit": "s",
            },
        )
    yield "sessions:missing", _count(len(status.missing), "trading days")
    yield "sessions:lost", _count(len(status.lost), "dates")
    yield "batches:held", _count(status.held_batches, "batches")
    ended = next((run for run in status.runs if run.duration_s is not None), None)
    if ended:
        failed = ended.status == "failure"
        yield (
            "runs:newest",
            {
                "status": WARN if failed else PASS,
                "componentId": ended.job,
                "observedValue": ended.status,
            },
        )
    for check in status.failing_checks:
        # How late the data is, is told by what is true now.
        if check.severity == "ERROR" and check.check != "trading_day_freshness":
            yield (
                "checks:failed",
                {
                    "status": WARN,
                    "componentId": f"{check.asset}/{check.check}",
                    "observedValue": check.failed,
                    "observedUnit": "rows",
                },
            )
    # Warnings stand on ordinary evenings too: a few late funds must not look like a fault.
    yield (
        "checks:warned",
        {
            "status": PASS,
            "observedValue": sum(c.severity == "WARN" for c in status.failing_checks),
            "observedUnit": "checks",
        },
    )
    yield (
        "quarantine:rows",
        {
            "status": PASS,
            "observedValue": sum(held for _, held in status.quarantine),
            "observedUnit": "rows",
        },
    )
    if status.calendar_days_left is not None:
        ends = status.calendar_days_left < HORIZON_ALARM_DAYS and status.notices
        yield (
            "calendar:horizon",
            {
                "status": WARN if ends else PASS,
                "observedValue": status.calendar_days_left,
                "observedUnit": "days",
            },
        )
    if status.disk_free_bytes is not None:
        free = status.disk_free_bytes
        low = free < DISK_WARN_BYTES
        yield (
            "disk:free",
            {
                "status": FAIL if free < DISK_FAIL_BYTES else WARN if low else PASS,
                "componentType": "system",
                "observedValue": free,
                "observedUnit": "bytes",
            },
        )


def _count(number: int, unit: str) -> Check:
    return {"status": WARN if number else PASS, "observedValue": number, "observedUnit": unit}
