"""What can be wrong with the platform: one table, and the one predicate of each row. Pure.

Belongs here: names, titles, limits, and how grave each is for the verdict and as an alert; when
a plain fact is one. Does not belong here: gathering facts (`status.py`, `alerts/facts.py`),
words with the figures of the moment: `findings.py` for those who look now, `alerts/current.py`
for messages, whose words must not change by themselves.

A name is the kind of the alert and the section of docs/runbook.md. Dashboard, status page,
`/health`, Prometheus, alerts, `doctor` and the runbook are views of this table: a limit stands
here and nowhere else. What cannot import it (docs, deploy/) is compared with it by a test.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from fund_assets.calendar import CLOCK_SLACK, LATEST_START, to_key
from fund_assets.observability.check_records import FailingCheck
from fund_assets.observability.run_records import FailedRun
from fund_assets.observability.sessions import FULL_SHARE, Freshness
from fund_assets.warehouse.stores.date_counts import LEAST_LEFT


class Severity(IntEnum):
    """How urgent an alert is; of two, the greater wins."""

    NOTICE = 0
    WARNING = 1
    CRITICAL = 2

    @property
    def label(self) -> str:
        """The word that people read."""
        return ("提示", "警告", "严重")[self]


class Level(IntEnum):
    """How grave a finding is for the verdict; of two, the greater wins."""

    SOON = 0  # it will become wrong
    WRONG = 1  # somebody should look at it; the data that is due is there
    HARM = 2  # those who use the data are harmed, or nobody renews it any more


@dataclass(frozen=True)
class Limit:
    """From which value on something is wrong, and from which on it is critical.

    Attributes:
        unit: of the values; both are None where there is no such limit.
        below: whether smaller values are worse. Then the limit itself is well.
    """

    unit: str
    warning: float | None = None
    critical: float | None = None
    below: bool = False

    def grade(self, value: float) -> Severity | None:
        """How urgent a value is; None: it is well."""
        if self._passed(self.critical, value):
            return Severity.CRITICAL
        return Severity.WARNING if self._passed(self.warning, value) else None

    def of(self, severity: Severity) -> float:
        """The limit of a severity that there is one of."""
        found = self.critical if severity is Severity.CRITICAL else self.warning
        assert found is not None, (self, severity)
        return found

    def _passed(self, limit: float | None, value: float) -> bool:
        if limit is None:
            return False
        return value < limit if self.below else value >= limit


@dataclass(frozen=True)
class Condition:
    """Something that can be wrong. Its name is its section in the runbook.

    Attributes:
        title: for people, in Chinese: alerts are read in it.
        levels: each severity that it can have → what the verdict makes of it; None: nothing.
        health: the findings that tell it by facts; empty: the alert is the finding.
        limit: where a number decides. setting: which one has the number instead.
        metric: what Prometheus has of it.
        patient: what changes slowly: repeated daily, and time alone does not escalate it.
        momentary: a moment that has passed: told once, without repeats and without an end.
        holds_s: it is told once it has held for so many seconds.
        lasts_s: it holds for so many seconds after its last sign.
        grace_s: what did not happen at its time is missed so many seconds later.
        beyond_facts: whether it may hold although the facts of the verdict show nothing.
        no_alert: why there is no alert of it.
        why: why verdict and alert weigh it differently, or it has the limit that it has.
    """

    name: str
    title: str
    levels: Mapping[Severity, Level | None]
    health: tuple[str, ...] = ()
    limit: Limit = field(default_factory=lambda: Limit(""))
    setting: str = ""
    metric: str = "fund_alerts_firing"
    patient: bool = False
    momentary: bool = False
    holds_s: int = 0
    lasts_s: int = 0
    grace_s: int = 0
    beyond_facts: bool = False
    no_alert: str = ""
    why: str = ""

    def level(self, severity: Severity) -> Level:
        """What the verdict makes of it. Of a notice nothing is asked."""
        found = self.levels[severity]
        assert found is not None, (self.name, severity)
        return found


WARN, GRAVE = Severity.WARNING, Severity.CRITICAL

DISK_LOW = Condition(
    "disk_low", "磁盘空间不足", {WARN: Level.SOON, GRAVE: Level.HARM}, ("disk:free",),
    Limit("bytes", 2_000_000_000, 200_000_000, below=True), metric="fund_disk_free_bytes",
)  # fmt: skip
DAEMON_DEAD = Condition(
    "daemon_dead", "守护进程没有心跳", {WARN: Level.SOON, GRAVE: Level.HARM},
    ("daemon:heartbeat",), Limit("s", 120, 300),
    metric="dagster_daemon_last_heartbeat_timestamp_seconds",
    why="a daemon sends a heartbeat every 30 s",
)  # fmt: skip
DAEMON_TWICE = Condition(
    "daemon_twice", "两个守护进程", {WARN: Level.WRONG}, lasts_s=600,
    why="daemons overwrite each other's heartbeats: one check sees one of them",
)  # fmt: skip
CALENDAR_HORIZON = Condition(
    "calendar_horizon", "交易日历将尽", {WARN: Level.SOON, GRAVE: Level.SOON},
    ("calendar:horizon",), Limit("days", 60, 7, below=True),
    metric="fund_calendar_days_left", patient=True,
    why="after its end every weekday is collected: nobody is harmed, but it must be extended",
)  # fmt: skip
FRESHNESS = Condition(
    "freshness", "数据过期", {WARN: Level.HARM, GRAVE: Level.HARM}, ("tables:freshness",),
    Limit("sessions", 1, 2), metric="fund_sessions_behind", beyond_facts=True,
    why="the first missing session harms users; a message leaves a night to repair it. "
        "Dagster's policies may fail while all sessions are present",
)  # fmt: skip
SESSIONS_MISSING = Condition(
    "sessions_missing", "缺交易日", {WARN: Level.WRONG}, ("sessions:missing",),
    Limit("share of the fullest date", FULL_SHARE, below=True),
    metric="fund_missing_sessions",
    no_alert="gap_sensor collects such a day automatically; the tick or run that lost it is "
             "reported",
)  # fmt: skip
ROWS_LOST = Condition(
    "rows_lost", "净值丢失", {GRAVE: Level.HARM}, ("sessions:lost",),
    Limit("share of the rows it had", critical=LEAST_LEFT, below=True),
)  # fmt: skip
QUARANTINE_BACKLOG = Condition(
    "quarantine_backlog", "隔离积压", {WARN: Level.WRONG}, setting="alert_quarantine_rows",
    metric="fund_quarantine_held_rows", patient=True,
)  # fmt: skip
TICK_MISSED = Condition(
    "tick_missed", "漏掉计划时刻", {WARN: Level.WRONG},
    momentary=True, holds_s=900, grace_s=300,
)  # fmt: skip
RUN_FAILED = Condition(
    "run_failed", "运行失败", {WARN: Level.WRONG}, ("runs:failed", "checks:failed"),
    metric="dagster_runs", why="a run that a check stopped is shown by that check",
)  # fmt: skip
CHECK_FAILED = Condition(
    "check_failed", "检查未通过",
    {Severity.NOTICE: None, WARN: Level.WRONG, GRAVE: Level.WRONG}, ("checks:failed",),
    metric="fund_check_status", why="a few late funds are normal: notices are not a fault",
)  # fmt: skip
EVENING_BEHIND = Condition(
    "evening_behind", "公布落后", {WARN: Level.SOON}, ("checks:failed",),
    metric="fund_check_status", patient=True,
    why="the funds of a type are late together; what was published is right, and later waves "
        "bring the rest",
)  # fmt: skip
SOURCE_CANARY = Condition(
    "source_canary", "数据源试探失败", {WARN: Level.WRONG}, ("checks:failed", "runs:failed"),
    metric="fund_check_status",
)  # fmt: skip
HELD_PUBLISH = Condition(
    "held_publish", "批次被拦截", {WARN: Level.WRONG}, ("batches:held",),
    metric="fund_held_batches",
)  # fmt: skip
MASS_REVISION = Condition(
    "mass_revision", "大面积更正", {GRAVE: Level.WRONG}, ("batches:held",),
    metric="fund_held_batches",
    why="it may be an error of the whole market; accepted data is unchanged",
)  # fmt: skip
SOURCE_REFUSES = Condition(
    "source_refuses", "数据源拒绝访问", {WARN: Level.SOON}, ("source:refuses",),
    metric="fund_source_requests", why="it recovers automatically; data that is late because "
                                       "of it is reported as late",
)  # fmt: skip
DATABASE_UNREACHABLE = Condition(
    "database_unreachable", "数据库不可用", {GRAVE: Level.HARM}, ("database:connection",),
    metric="fund_up",
)  # fmt: skip
DATABASE_UNWRITABLE = Condition(
    "database_unwritable", "数据库不可写", {GRAVE: Level.WRONG}, holds_s=300,
    why="a writer may lock the database during a large merge; readers continue",
)  # fmt: skip
LIMIT_CHANGED = Condition(
    "limit_changed", "申购变化", {Severity.NOTICE: None}, setting="alert_limit_changes",
    momentary=True, lasts_s=86_400,
    why="it shows what a fund decided, and nothing that must be repaired",
)  # fmt: skip
#: Name → condition, in the order in which the page on alerts has them.
CONDITIONS = {
    condition.name: condition
    for condition in (
        RUN_FAILED,
        CHECK_FAILED,
        EVENING_BEHIND,
        FRESHNESS,
        SESSIONS_MISSING,
        ROWS_LOST,
        Condition(
            "week_missing", "周日任务缺失", {WARN: Level.WRONG},
            limit=Limit("s", LATEST_START.total_seconds()),
        ),
        TICK_MISSED,
        Condition("tick_failed", "调度或感应器出错", {WARN: Level.WRONG}),
        DAEMON_TWICE,
        DAEMON_DEAD,
        HELD_PUBLISH,
        MASS_REVISION,
        CALENDAR_HORIZON,
        QUARANTINE_BACKLOG,
        SOURCE_CANARY,
        SOURCE_REFUSES,
        Condition(
            "clock_wrong", "时钟有误", {WARN: Level.WRONG},
            limit=Limit("s", CLOCK_SLACK.total_seconds()), patient=True,
        ),
        LIMIT_CHANGED,
        DISK_LOW,
        DATABASE_UNREACHABLE,
        DATABASE_UNWRITABLE,
    )
}  # fmt: skip

#: The job, and the beginning of the names of checks, that try the source before the evening.
CANARY = "source_canary"
#: The check that compares an evening with those before it.
ARRIVAL_BAND = "arrival_band"
#: The rule that stops a batch in which too many funds correct one date.
MASS_REVISION_RULE = "R17_mass_revision"
#: Checks whose subject is told by what is true now: how late the data is, how far the calendar
#: reaches.
TOLD_ELSEWHERE = ("trading_day_freshness", "calendar_horizon")


def lateness(table: Freshness, first_wave: int | None) -> Severity | None:
    """How late a table is; None: it has what is due.

    Args:
        first_wave: newest date of the first published wave, yyyymmdd; None before. Until its
            day is over no table is late that has no data yet.
    """
    if table.newest is None:
        begins = first_wave is not None and to_key(table.due) <= first_wave
        return None if begins else Severity.WARNING
    return FRESHNESS.limit.grade(table.sessions_behind or 0)


def calendar_ends(days_left: int, *, invented: bool) -> Severity | None:
    """How soon the calendar ends; the simulated market's, which is invented, never does."""
    return None if invented else CALENDAR_HORIZON.limit.grade(days_left)


def batch_held(batch: Mapping[str, Any]) -> tuple[Condition, Severity]:
    """What a batch is that a blocking rule stops."""
    if MASS_REVISION_RULE in batch["held_because"]:
        return MASS_REVISION, Severity.CRITICAL
    return HELD_PUBLISH, Severity.WARNING


def check_fails(
    check: FailingCheck, collected: datetime | None
) -> tuple[Condition, Severity] | None:
    """What a check is whose newest evaluation failed; None: it holds no more.

    Args:
        collected: when the wave was last collected: what the canary warned of has come in.
    """
    if not _stands(check.check, check.at, collected):
        return None
    if check.check.startswith(CANARY):
        return SOURCE_CANARY, Severity.WARNING
    if check.check == ARRIVAL_BAND:
        return EVENING_BEHIND, Severity.WARNING
    if check.severity != "ERROR":
        return CHECK_FAILED, Severity.NOTICE
    grave = check.check == MASS_REVISION_RULE
    return CHECK_FAILED, Severity.CRITICAL if grave else Severity.WARNING


def run_fails(run: FailedRun, collected: datetime | None) -> tuple[Condition, Severity] | None:
    """What a job is whose newest run failed; None: it holds no more."""
    if not _stands(run.job, run.at, collected):
        return None
    return SOURCE_CANARY if run.job == CANARY else RUN_FAILED, Severity.WARNING


def _stands(name: str, at: datetime, collected: datetime | None) -> bool:
    """Whether what a run or check found is still so, and is not told by what is true now."""
    if name in TOLD_ELSEWHERE:
        return False
    return not (name.startswith(CANARY) and collected is not None and collected > at)
