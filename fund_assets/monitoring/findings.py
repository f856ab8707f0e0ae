"""What is wrong or will be, and the one verdict over it. Pure.

Belongs here: when a fact is a finding, how grave it is, and its words. Does not belong here:
gathering facts (`status.py`), showing them.

Dashboard, `/health`, status page, `doctor` and `alert list` show this verdict; none of them
judges for itself. What alerts hold and no fact here tells is a finding, too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from fund_assets.calendar import HORIZON_ALARM_DAYS, to_key
from fund_assets.monitoring.records import FailedRun, FailingCheck
from fund_assets.monitoring.vitals import (
    DISK_FAIL_BYTES,
    DISK_WARN_BYTES,
    HEARTBEAT_FAIL_S,
    HEARTBEAT_WARN_S,
    Heartbeat,
)
from fund_assets.sources.doors import Refusal
from fund_assets.sources.pace import moment
from fund_assets.warehouse.date_counts import Loss

if TYPE_CHECKING:
    from fund_assets.monitoring.status import Freshness

#: What those who use the data read; that another table is late harms them less.
READ_BY_USERS = ("fund_nav", "validated_nav", "fund_metrics")
#: The job, and the beginning of the names of checks, that try the source before the evening.
CANARY = "source_canary"
#: Checks whose subject is told by what is true now: how late the data is, how far the calendar
#: reaches.
TOLD_ELSEWHERE = ("trading_day_freshness", "calendar_horizon")
#: Kinds of alerts whose facts are findings themselves, and those findings: they are newer than
#: the last look for alerts.
TOLD_BY_FACTS = {
    "run_failed": ("runs:failed", "checks:failed"),
    "check_failed": ("checks:failed",),
    "source_canary": ("checks:failed", "runs:failed"),
    "rows_lost": ("sessions:lost",),
    "daemon_dead": ("daemon:heartbeat",),
    "held_publish": ("batches:held",),
    "mass_revision": ("batches:held",),
    "calendar_horizon": ("calendar:horizon",),
    "source_refuses": ("source:refuses",),
    "disk_low": ("disk:free",),
    "database_unreachable": (),
}
HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
#: The verdict in the words that people read.
VERDICTS = {HEALTHY: "一切正常", DEGRADED: "需要留意", UNHEALTHY: "有问题"}


class Level(IntEnum):
    """How grave a finding is; of two, the greater wins."""

    SOON = 0  # it will become wrong
    WRONG = 1  # somebody should look at it; the data that is due is there
    HARM = 2  # those who use the data are harmed, or nobody renews it any more


@dataclass(frozen=True)
class Finding:
    """Something that is wrong or will be.

    Attributes:
        check: its name in the answer of `/health`.
        about: tables, daemons or checks that it is about; empty when it is about none of many.
    """

    check: str
    level: Level
    words: str
    about: tuple[str, ...] = ()


def verdict(findings: Iterable[Finding]) -> str:
    """The one verdict: healthy, degraded or unhealthy."""
    worst = max((finding.level for finding in findings), default=None)
    if worst is None:
        return HEALTHY
    return UNHEALTHY if worst is Level.HARM else DEGRADED


def late(tables: Sequence["Freshness"], first_wave: int | None) -> Iterator[Finding]:
    """One finding for all tables that lack the same.

    Args:
        first_wave: newest date of the first published wave, yyyymmdd; None before. Until its
            day is over no table is late that has no data yet.
    """
    lacking: dict[str, list[str]] = {}
    nothing = first_wave is None and not any(row.newest for row in tables)
    if nothing:
        words = "还没有数据：第一晚采集之后才有，或运行 fund-assets run"
        yield Finding("tables:freshness", Level.SOON, words, tuple(row.table for row in tables))
        return
    for row in tables:
        if row.newest is None:
            if first_wave is None or to_key(row.due) > first_wave:
                lacking.setdefault("还没有数据", []).append(row.table)
        elif not row.ok:
            words = (
                f"落后 {row.sessions_behind} 个交易日（晚 {row.hours_late:.0f} 小时）："
                f"最新 {row.newest}，应到 {row.due}"
            )
            lacking.setdefault(words, []).append(row.table)
    for words, names in lacking.items():
        level = Level.HARM if set(READ_BY_USERS) & set(names) else Level.WRONG
        told = f"{'、'.join(names)} {words}"
        yield Finding("tables:freshness", level, told, tuple(names))


def missing(days: Sequence[date]) -> Iterator[Finding]:
    """Sessions that newer ones followed and that nobody published."""
    if days:
        listed = "、".join(str(day) for day in days)
        yield Finding(
            "sessions:missing", Level.WRONG,
            f"缺 {len(days)} 个交易日的净值：{listed}；gap_sensor 会补采，或运行 "
            "fund-assets collect --missing 日期",
        )  # fmt: skip


def lost(losses: Sequence[Loss]) -> Iterator[Finding]:
    """Dates of which accepted NAVs vanished."""
    if losses:
        yield Finding("sessions:lost", Level.HARM, lost_words(losses))


def lost_words(losses: Sequence[Loss]) -> str:
    """Dates of which accepted NAVs vanished, and what brings them back."""
    first, gone = losses[0], sum(loss.rows_most - loss.rows_found for loss in losses)
    more = f"（共 {len(losses):,} 个日期，少 {gone:,} 行）" if len(losses) > 1 else ""
    return (
        f"{first.nav_date} 的净值少了：曾有 {first.rows_most:,} 行，现有 {first.rows_found:,} "
        f"行{more}；补回：{first.repair}，再 fund-assets validate"
    )


def held(batches: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Batches that a blocking rule stops."""
    for batch in batches:
        words = f"批次 {batch['batch_id']} 被拦截：{batch['held_because']}"
        yield Finding("batches:held", Level.WRONG, words)


def failed(
    runs: Iterable[FailedRun], checks: Iterable[FailingCheck], collected: datetime | None
) -> Iterator[Finding]:
    """The checks that stop something, and jobs whose newest run failed for another reason.

    Args:
        collected: when the wave was last collected: what the canary warned of has come in.
    """
    told = set()
    for check in checks:
        if stands(check, collected) and (check.severity == "ERROR" or _of_canary(check.check)):
            told.add(check.run_id)
            words = f"检查未通过：{check.asset} {check.check}：{check.words}"
            about = (f"{check.asset}/{check.check}",)
            yield Finding("checks:failed", Level.WRONG, words, about)
    for run in runs:
        explained = run.blocked and run.run_id in told
        if not explained and stands(run, collected):
            words = f"最近一次运行失败：{run.job} {run.words}".rstrip()
            yield Finding("runs:failed", Level.WRONG, words, (run.job,))


def stands(found: FailedRun | FailingCheck, collected: datetime | None) -> bool:
    """Whether what a run or check found is still so, and is not told by what is true now."""
    name = found.job if isinstance(found, FailedRun) else found.check
    if name in TOLD_ELSEWHERE:
        return False
    return not (_of_canary(name) and collected is not None and collected > found.at)


def _of_canary(name: str) -> bool:
    return name.startswith(CANARY)


def silent(daemons: Iterable[Heartbeat]) -> Iterator[Finding]:
    """The daemons without a recent sign; one that never ran is not missed."""
    dead = [beat for beat in daemons if beat.age_s >= HEARTBEAT_FAIL_S]
    quiet = [b for b in daemons if HEARTBEAT_WARN_S <= b.age_s < HEARTBEAT_FAIL_S]
    for level, beats in ((Level.HARM, dead), (Level.SOON, quiet)):
        if beats:
            names = "、".join(beat.daemon for beat in beats)
            longest = max(beat.age_s for beat in beats)
            words = f"Dagster 守护进程没有心跳（{longest / 60:.0f} 分）：{names}"
            about = tuple(beat.daemon for beat in beats)
            yield Finding("daemon:heartbeat", level, words, about)


def full(free_bytes: int) -> Iterator[Finding]:
    """A disk without room."""
    if free_bytes < DISK_WARN_BYTES:
        level = Level.HARM if free_bytes < DISK_FAIL_BYTES else Level.SOON
        words = f"磁盘只剩 {free_bytes / 1e9:.1f} GB：请清理 FUND_STATE 所在的磁盘"
        yield Finding("disk:free", level, words)


def calendar_ends(days_left: int, *, invented: bool) -> Iterator[Finding]:
    """A calendar that ends, or has ended; the simulated market's never does."""
    if days_left >= HORIZON_ALARM_DAYS or invented:
        return
    what = (
        "交易日历已用尽：此后每个工作日照常采集，日期暂定"
        if days_left < 0
        else f"交易日历只剩 {days_left} 天（不足 {HORIZON_ALARM_DAYS} 天）"
    )
    remedy = "请运行 fund-assets calendar refresh，或 calendar import 通知全文"
    joint = "。" if days_left < 0 else "："
    yield Finding("calendar:horizon", Level.SOON, f"{what}{joint}{remedy}")


def refused(refusals: Mapping[str, Refusal]) -> Iterator[Finding]:
    """Sources that refuse us: they are not asked for a while."""
    for host, refusal in refusals.items():
        yield Finding("source:refuses", Level.SOON, f"{host} {refused_words(refusal)}")


def refused_words(refusal: Refusal) -> str:
    """Until when nothing is asked of a source that refuses us, and why."""
    what = "拒绝访问" if refusal.reached else "连接不上"
    return f"{what}，{moment(refusal.until):%m-%d %H:%M} 前不再请求：{refusal.because}"


def alarmed(holding: Iterable[Mapping[str, Any]], *, tables_late: bool) -> Iterator[Finding]:
    """Alerts that hold, without notices and without what facts tell.

    Args:
        holding: stored alerts that no other explains: fingerprint, kind, subject, severity,
            words.
        tables_late: whether late tables are a finding already.
    """
    for alert in holding:
        told = alert["kind"] in TOLD_BY_FACTS or (alert["kind"] == "freshness" and tables_late)
        if not told and alert["severity"] != "notice":
            words = f"告警 {alert['subject']}：{alert['words']}"
            about = (str(alert["fingerprint"]),)
            yield Finding("alerts:holding", Level.WRONG, words, about)


def over_by_now(kind: str, findings: Iterable[Finding]) -> bool:
    """Whether the facts show no more what an alert of a kind told at the last look."""
    shown = {finding.check for finding in findings}
    return kind in TOLD_BY_FACTS and not shown & set(TOLD_BY_FACTS[kind])
