"""The kinds of alerts, and what one alert is.

Belongs here: names, titles and habits of the kinds; each has its section in docs/runbook.md.
Does not belong here: when one holds (`conditions.py`), when it is told (`lifecycle.py`).
"""

from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

MOST_SUBJECT = 120


class Severity(IntEnum):
    """How urgent an alert is; of two, the greater wins."""

    NOTICE = 0
    WARNING = 1
    CRITICAL = 2

    @property
    def label(self) -> str:
        """The word that people read."""
        return ("提示", "警告", "严重")[self]


@dataclass(frozen=True)
class Kind:
    """A kind of alert; its name is its section in the runbook.

    Attributes:
        patient: what changes slowly: repeated daily, and time alone does not escalate it.
        momentary: a moment that has passed: told once, without repeats and without an end.
        holds_s: it is told once it has held for so many seconds.
    """

    name: str
    title: str
    patient: bool = False
    momentary: bool = False
    holds_s: int = 0


KINDS = {
    kind.name: kind
    for kind in (
        Kind("run_failed", "运行失败"),
        Kind("check_failed", "检查未通过"),
        Kind("freshness", "数据过期"),
        Kind("rows_lost", "净值丢失"),
        Kind("week_missing", "周日任务缺失"),
        Kind("tick_missed", "漏掉计划时刻", momentary=True, holds_s=900),
        Kind("tick_failed", "调度或感应器出错"),
        Kind("daemon_twice", "两个守护进程"),
        Kind("daemon_dead", "守护进程没有心跳"),
        Kind("held_publish", "批次被拦截"),
        Kind("mass_revision", "大面积更正"),
        Kind("calendar_horizon", "交易日历将尽", patient=True),
        Kind("quarantine_backlog", "隔离积压", patient=True),
        Kind("source_canary", "数据源试探失败"),
        Kind("source_refuses", "数据源拒绝访问"),
        Kind("clock_wrong", "时钟有误", patient=True),
        Kind("disk_low", "磁盘空间不足"),
        Kind("database_unreachable", "数据库不可用"),
        # A writer may hold the database for the time of a great merge.
        Kind("database_unwritable", "数据库不可写", holds_s=300),
    )
}


@dataclass(frozen=True)
class Alert:
    """Something that is wrong now.

    Attributes:
        kind: name of its kind.
        subject: what it is about; with the kind it says which alert this is.
        day: yyyymmdd where every day has its own alert; empty otherwise.
        words: what is wrong, in Chinese. Told times are times, not ages: words that change
            by themselves would be written anew with every look.
        because: what the table of causes (`causes.py`) must know besides its kind: what made
            a run or a check fail, whose tick was missed, which table is late.
    """

    kind: str
    subject: str
    severity: Severity
    words: str
    day: str = ""
    because: str = ""

    @property
    def fingerprint(self) -> str:
        """Which alert this is: kind, subject and day, never its words."""
        return fingerprint(self.kind, self.subject, self.day)


def fingerprint(kind: str, subject: str, day: str = "") -> str:
    """The fingerprint of an alert; of a long subject its beginning and a digest."""
    if len(subject) > MOST_SUBJECT:
        digest = sha256(subject.encode()).hexdigest()[:12]
        subject = f"{subject[: MOST_SUBJECT - 13]}~{digest}"
    return ":".join(part for part in (kind, subject, day) if part)


def covers(pattern: str, fingerprint: str) -> bool:
    """Whether a fingerprint, or the name of a kind, means this alert."""
    return fingerprint == pattern or fingerprint.startswith(f"{pattern}:")
