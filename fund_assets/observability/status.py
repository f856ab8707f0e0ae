"""How the platform is: freshness, coverage, batches, updates, runs, checks and what is wrong.

Belongs here: the shape of a `Status`, for all who show it. Does not belong here: reading it
(`status_reader.py`), what of it is wrong (`findings.py`), showing it (`dashboard.py`,
`server/`).
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from fund_assets.observability import (
    findings,
)
from fund_assets.observability.check_records import CheckState, FailingCheck
from fund_assets.observability.conditions import Level
from fund_assets.observability.findings import Finding
from fund_assets.observability.run_records import JobStatistics
from fund_assets.observability.sessions import Freshness, SessionCoverage
from fund_assets.observability.updates import (
    AssetStatistics,
    Update,
)
from fund_assets.observability.vitals import EveningWave, Heartbeat, RunSummary
from fund_assets.warehouse.stores.date_counts import Loss


@dataclass(frozen=True)
class KindCoverage:
    """Funds of one kind with a NAV on the newest date, of those that are due by their cadence.

    `share` is a fraction.
    """

    kind: str
    label: str
    published: int
    due: int
    share: float


@dataclass(frozen=True)
class Requests:
    """Requests to a source that ended in one way; `seconds` of all of them together."""

    source: str
    outcome: str
    requests: int
    seconds: float


@dataclass(frozen=True)
class BatchSummary:
    """A collected batch; the counts of its merge are None until it is published."""

    batch_id: str
    kind: str
    newest_date: date
    collected_at: datetime
    state: str
    rows_read: int
    rows_new: int | None
    rows_changed: int | None
    rows_filled: int | None
    rows_unchanged: int | None
    rows_quarantined: int | None
    rows_pending: int | None


@dataclass(frozen=True)
class PurchaseChange:
    """What became of purchases, redemptions or the limit of a fund, in words."""

    at: datetime
    fund_code: str
    name: str
    words: str


@dataclass(frozen=True)
class Status:
    """Everything a person or a monitor wants to know at a glance.

    Attributes:
        now: by the settings' clock; `frozen` tells that FUND_CLOCK holds it still.
        findings: what is wrong or will be; empty when all is well.
        updates: of the last 24 hours. assets, jobs, failing_checks, revisions: of the last 7
            days.
        runs_ended, success_rate: the runs of all jobs, the latter None before any has ended.
        revisions_to_report, revisions_to_announce: of them from 0.25 and from 0.5 % on.
        agreement: verdict → returns of the source that have it, of the newest histories.
        rows_written: new and changed rows that runs of the last 7 days merged.
        calendar_days_left: days for which it is known whether the exchange trades.
        last_session: the newest session that has begun; its NAVs are due at `expected_by`.
        today_nav_count: accepted NAVs of today's date.
        nav_rows, fund_count: accepted NAVs and share classes in all. fund_states: how many of
            these are in each state today (`fund_state`).
        purchases: changes of purchases, redemptions and limits of the last 7 days, by kind.
            watched: those of the watch list, the newest first.
        evening: coverage of `coverage_on` after each published wave.
        sessions: how full the last sessions are. missing: those of the last two weeks that
            are due, older than the newest date, and hardly published. lost: dates of which
            accepted NAVs vanished.
        runs, runs_by_status, checks: of the last 7 days, the newest runs first.
        disk_free_bytes: on the disk of FUND_STATE or of the warehouse, the lesser.
        quarantined_ever: rule → rows it ever held.
        requests: to the source since the beginning, by how they ended; requests_today: those
            of the newest day, outcome → how many.
        alerts_firing: alerts that hold, by severity. outbox: messages that wait or were
            given up.
    """

    now: datetime
    frozen: bool
    source: str
    warehouse: str
    warehouse_bytes: int
    exists: bool
    findings: tuple[Finding, ...] = ()
    freshness: tuple[Freshness, ...] = ()
    coverage_on: date | None = None
    coverage: tuple[KindCoverage, ...] = ()
    batches: tuple[BatchSummary, ...] = ()
    updates: tuple[Update, ...] = ()
    assets: tuple[AssetStatistics, ...] = ()
    runs_ended: int = 0
    success_rate: float | None = None
    jobs: tuple[JobStatistics, ...] = ()
    rows_written: int = 0
    quarantine: tuple[tuple[str, int], ...] = ()
    agreement: tuple[tuple[str, int], ...] = ()
    revisions: int = 0
    revisions_to_report: int = 0
    revisions_to_announce: int = 0
    failing_checks: tuple[FailingCheck, ...] = ()
    calendar_until: date | None = None
    calendar_days_left: int | None = None
    last_session: date | None = None
    expected_by: datetime | None = None
    today_nav_count: int = 0
    nav_rows: int = 0
    fund_count: int = 0
    fund_states: tuple[tuple[str, int], ...] = ()
    purchases: tuple[tuple[str, int], ...] = ()
    watched: tuple[PurchaseChange, ...] = ()
    evening: tuple[EveningWave, ...] = ()
    sessions: tuple[SessionCoverage, ...] = ()
    missing: tuple[date, ...] = ()
    lost: tuple[Loss, ...] = ()
    held_batches: int = 0
    daemons: tuple[Heartbeat, ...] = ()
    runs: tuple[RunSummary, ...] = ()
    runs_by_status: tuple[tuple[str, int], ...] = ()
    checks: tuple[CheckState, ...] = ()
    disk_free_bytes: int | None = None
    quarantined_ever: tuple[tuple[str, int], ...] = ()
    requests: tuple[Requests, ...] = ()
    requests_today: tuple[tuple[str, int], ...] = ()
    alerts_firing: tuple[tuple[str, int], ...] = ()
    outbox: tuple[tuple[str, int], ...] = ()

    @property
    def verdict(self) -> str:
        """Healthy, degraded or unhealthy; dashboard, `/health` and all others show this one."""
        return findings.verdict(self.findings)

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong, nor will soon be."""
        return self.verdict == findings.HEALTHY

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in words."""
        return tuple(f.words for f in self.findings if f.level > Level.SOON)

    @property
    def notices(self) -> tuple[str, ...]:
        """What will become a problem, in words."""
        return tuple(f.words for f in self.findings if f.level is Level.SOON)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values; dates and times as ISO texts."""
        values = _plain(asdict(self))
        del values["findings"]
        told = {"problems": list(self.problems), "notices": list(self.notices)}
        return {"healthy": self.healthy, "verdict": self.verdict, **told, **values}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value
