"""What is wrong now: facts → the alerts that hold. Pure; the same facts give the same alerts.

Belongs here: the alert that each condition makes, its words, and what of it the table of
causes must know. Does not belong here: limits and severities (`observability/conditions.py`),
reading facts (`facts.py`), what follows from what (`causes.py`), whom to tell and when
(`lifecycle.py`).
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from fund_assets.calendar import (
    LATEST_START,
    PUBLICATION_STARTS,
    from_key,
    newest_sunday,
    to_key,
)
from fund_assets.labels import STATUS_CHANGES
from fund_assets.language import say
from fund_assets.nav.rules import BLOCKING
from fund_assets.observability.alerts.catalog import Alert
from fund_assets.observability.alerts.facts import DagsterFacts, Facts
from fund_assets.observability.check_records import FailingCheck
from fund_assets.observability.conditions import (
    CALENDAR_HORIZON,
    DAEMON_DEAD,
    DISK_LOW,
    LIMIT_CHANGED,
    Severity,
    batch_held,
    calendar_ends,
    check_fails,
    lateness,
    run_fails,
)
from fund_assets.observability.findings import lost_words, refused_words
from fund_assets.observability.run_records import FailedRun
from fund_assets.schemas.profiles import read_by_users
from fund_assets.settings import SHANGHAI
from fund_assets.transport import errors
from fund_assets.warehouse.queries.fund_status import StatusChange, count_kinds

#: Checks that stop a batch when they fail.
BLOCKS = {rule.id for rule in BLOCKING}
DATABASE = "database_unreachable"
#: The Sunday's job, and its schedule.
WEEKLY_JOB = "weekly_full_calc"
#: What renews the evening's tables; the last is the job of automation and of chosen assets.
EVENING = {
    "daily_pipeline", "daily_collection", "daily_validation", "daily_metrics", "__ASSET_JOB",
}  # fmt: skip
#: Found by trying, not by looking.
UNWRITABLE = Alert(
    "database_unwritable", "warehouse", Severity.CRITICAL, "仓库写不进去，详情见日志"
)
#: Changes of other funds than the watched ones that are named.
MOST_CHANGES = 5
#: From then on the evening's NAVs are asked for.
FIRST_WAVE = time(19)
#: The errors of a source, as they stand in the words of a run or a check: all but those that
#: are this machine's, ours, or one fund's.
OF_THE_SOURCE = {
    name
    for name, error in vars(errors).items()
    if isinstance(error, type) and issubclass(error, errors.SourceError)
} - {
    "SourceError", "ArchiveError", "DefectError", "WrongFundError", "UnknownFundError",
    "UnknownIndexError",
}  # fmt: skip
#: What is read from the warehouse, from Dagster's runs, and from all of its records.
FROM_WAREHOUSE = {
    "freshness", "held_publish", "mass_revision", "calendar_horizon", "quarantine_backlog",
    "week_missing", "rows_lost", "limit_changed",
}  # fmt: skip
FROM_RUNS = {"run_failed", "check_failed", "source_canary", "evening_behind"}
FROM_DAGSTER = FROM_RUNS | {
    "freshness", "tick_missed", "tick_failed", "daemon_dead", "daemon_twice",
}  # fmt: skip


def alerts(facts: Facts) -> list[Alert]:
    """Everything that is wrong, by fingerprint."""
    found = [
        *_unreachable(facts),
        *_disk(facts),
        *_refused(facts),
        *_lost(facts),
        *_held(facts),
        *_quarantine(facts),
        *_calendar(facts),
        *_daemons(facts),
        *_rivals(facts),
        *_week(facts),
        *_ticks(facts),
        *_checks(facts),
        *_runs(facts),
        *_freshness(facts),
        *_purchases(facts),
    ]
    return sorted(found, key=lambda alert: alert.fingerprint)


def lacking(facts: Facts) -> str:
    """What those who use the data do not have by now, in words; empty when they have all."""
    if facts.stored is None or not facts.calendar_reaches:
        return ""
    have = facts.stored.newest["validated_nav"]
    due = facts.calendar.due(facts.now, FIRST_WAVE)
    late = [
        t.table for t in facts.freshness if not t.ok and t.newest and t.table in read_by_users()
    ]
    words = []
    if have and have < to_key(due):
        words.append(f"还没有 {due:%m-%d} 的净值")
    if late:
        words.append(f"{len(late)} 张表过期：{'、'.join(late)}")
    return "；".join(words)


def unsettled(facts: Facts) -> bool:
    """Whether what seems over may not be: a run of the evening goes on, or a wave waits."""
    waits = facts.stored is not None and facts.stored.unjudged
    return waits or bool(facts.dagster and EVENING & set(facts.dagster.under_way))


def unknown(facts: Facts) -> set[str]:
    """The kinds of which nothing can be known now: what held before may hold still."""
    return {
        *(FROM_WAREHOUSE if facts.stored is None else ()),
        *(FROM_DAGSTER if facts.dagster is None else ()),
        *(FROM_RUNS if facts.dagster and not facts.dagster.whole else ()),
        *(() if facts.calendar_reaches else ("freshness",)),
    }


def _unreachable(facts: Facts) -> Iterator[Alert]:
    for subject, words in facts.trouble.items():
        yield Alert(DATABASE, subject, Severity.CRITICAL, words)


def _disk(facts: Facts) -> Iterator[Alert]:
    severity = DISK_LOW.limit.grade(facts.disk_free_bytes)
    if severity is not None:
        least = DISK_LOW.limit.of(severity)
        yield Alert(DISK_LOW.name, "state", severity, f"只剩不足 {least / 1e9:g} GB")


def _refused(facts: Facts) -> Iterator[Alert]:
    for host, refusal in facts.refusals.items():
        yield Alert("source_refuses", host, Severity.WARNING, refused_words(refusal))


def _lost(facts: Facts) -> Iterator[Alert]:
    if facts.stored and facts.stored.lost:
        words = lost_words(facts.stored.lost)
        yield Alert("rows_lost", "validated_nav", Severity.CRITICAL, words)


def _held(facts: Facts) -> Iterator[Alert]:
    """One alert for each kind of batch: a wave that is held again is the same trouble."""
    words: dict[tuple[str, Severity, str], list[str]] = {}
    for batch in facts.stored.held if facts.stored else ():
        condition, severity = batch_held(batch)
        day = from_key(batch["newest_date"])
        words.setdefault((condition.name, severity, batch["kind"]), []).append(
            f"{day}：{batch['held_because']}；查看与放行：fund-assets quarantine show "
            f"{batch['batch_id']}"
        )
    for (kind, severity, subject), reasons in words.items():
        more = f"（共 {len(reasons)} 批）" if len(reasons) > 1 else ""
        yield Alert(kind, subject, severity, f"{reasons[-1]}{more}")


def _quarantine(facts: Facts) -> Iterator[Alert]:
    if facts.stored and facts.stored.quarantined >= facts.quarantine_limit:
        yield Alert(
            "quarantine_backlog", "rows", Severity.WARNING,
            f"{facts.stored.quarantined:,} 例在隔离中等人处理（一只基金一个日期计一例，上限 "
            f"{facts.quarantine_limit:,}）",
        )  # fmt: skip


def _calendar(facts: Facts) -> Iterator[Alert]:
    severity = calendar_ends(
        facts.calendar.days_left(facts.now.date()),
        invented=facts.calendar.synthetic_after is not None,
    )
    if facts.stored and severity is not None:
        yield Alert(
            CALENDAR_HORIZON.name, "calendar", severity,
            f"交易日历只知道到 {facts.calendar.known_until}，此后按工作日采集，日期暂定",
        )  # fmt: skip


def _daemons(facts: Facts) -> Iterator[Alert]:
    """One alert for all of them: they live in one process. One that never ran is not missed."""
    beats = facts.dagster.daemons if facts.dagster else ()
    grades = {beat: DAEMON_DEAD.limit.grade(beat.age_s) for beat in beats}
    late = {beat: grade for beat, grade in grades.items() if grade is not None}
    if late:
        since = min(beat.at for beat in late)
        names = "、".join(beat.daemon for beat in late)
        yield Alert(
            DAEMON_DEAD.name, "dagster", max(late.values()),
            f"{since:%m-%d %H:%M} 起没有心跳：{names}",
        )  # fmt: skip


def _rivals(facts: Facts) -> Iterator[Alert]:
    if facts.dagster and facts.dagster.rivals:
        yield Alert(
            "daemon_twice", "dagster", Severity.WARNING,
            "有两个守护进程在用同一份 Dagster 记录，调度和重试会重复；请停掉其中一个",
        )  # fmt: skip


def _week(facts: Facts) -> Iterator[Alert]:
    """A Sunday that passed without its job: told until it is made up.

    A job that began in time may take hours, for it asks for histories again.
    """
    week = facts.stored.missing_week if facts.stored else None
    begun = facts.dagster.under_way.get(WEEKLY_JOB) if facts.dagster else None
    in_time = begun and begun <= newest_sunday(facts.at) + LATEST_START
    if week and not in_time:
        yield Alert(
            "week_missing", WEEKLY_JOB, Severity.WARNING,
            f"{week} 的周日任务没有做完，评分和周报还没有；week_sensor 会补做",
        )  # fmt: skip


def _ticks(facts: Facts) -> Iterator[Alert]:
    for one in facts.dagster.ticking if facts.dagster else ():
        if one.failed_at:
            yield Alert(
                "tick_failed", one.name, Severity.WARNING,
                f"{one.failed_at:%m-%d %H:%M} {one.error}",
            )  # fmt: skip
        weekly = one.name == WEEKLY_JOB
        makes_up = "由 week_sensor 补做" if weekly else "缺的交易日由 gap_sensor 补采"
        for when, on_trading_days in one.missed:
            # On a closed day the tick would have been skipped.
            skipped = on_trading_days and _closed(facts, when)
            if not skipped and not _made_up(facts, when, weekly=weekly):
                yield Alert(
                    "tick_missed", one.name, Severity.WARNING,
                    f"{when:%m-%d %H:%M} 没有执行；{makes_up}",
                    day=f"{when:%Y%m%dT%H%M}",
                    because="weekly" if weekly else "",
                )  # fmt: skip


def _checks(facts: Facts) -> Iterator[Alert]:
    reasons = [batch["held_because"] for batch in (facts.stored.held if facts.stored else ())]
    first_evening = facts.calendar_reaches and _first(
        facts, facts.calendar.due(facts.now, FIRST_WAVE)
    )
    for check in facts.dagster.failing_checks if facts.dagster else ():
        found = check_fails(check, _collected(facts))
        if found is None or (first_evening and found[1] is Severity.NOTICE):
            continue  # on the first evening whole histories show what is years past
        condition, severity = found
        error = check.severity == "ERROR"
        holds = any(f"{check.check}: " in reason for reason in reasons)
        if holds or (error and check.check in BLOCKS):
            because = "rule"
        elif _of_the_source(check.words):
            because = "source"
        else:
            because = "" if error else "notice"
        yield Alert(
            condition.name,
            _name(check),
            severity,
            f"{_count(check)}{check.words}" or "没有列出情况",
            because=because,
        )


def _runs(facts: Facts) -> Iterator[Alert]:
    for run in facts.dagster.failed_runs if facts.dagster else ():
        found = run_fails(run, _collected(facts))
        if found is not None:
            condition, severity = found
            because = _made_fail(run)
            yield Alert(condition.name, run.job, severity, _run_words(run), because=because)


def _made_fail(run: FailedRun) -> str:
    """What made a run fail, or what it leaves behind, for the table of causes."""
    if run.job == WEEKLY_JOB:
        return "weekly"
    if run.blocked:
        return "blocked"
    if _of_the_source(run.words):
        return "source"
    return "chain" if read_by_users() & set(run.lost) else ""


def _of_the_source(words: str) -> bool:
    return any(error in words for error in OF_THE_SOURCE)


def _freshness(facts: Facts) -> Iterator[Alert]:
    """Late by the calendar, or by Dagster's policy where a session lies behind it.

    Before the first data nothing is late, nor is a table on the day of its first data.
    """
    if not facts.dagster or not facts.stored or not facts.calendar_reaches:
        return
    if facts.stored.newest["validated_nav"] is None:
        return
    late = _late_by_calendar(facts)
    for asset, words in _late_by_policy(facts, facts.dagster):
        late.setdefault(asset, (Severity.WARNING, words))
    for asset, (severity, words) in late.items():
        yield Alert("freshness", asset, severity, words, because=asset)


def _late_by_calendar(facts: Facts) -> dict[str, tuple[Severity, str]]:
    """What is read by users and lacks a session that is due: how much that weighs, in words."""
    late: dict[str, tuple[Severity, str]] = {}
    first_wave = facts.stored.first_wave if facts.stored else None
    for table in facts.freshness:
        severity = lateness(table, first_wave)
        if table.table not in read_by_users() or severity is None:
            continue
        late[table.table] = (
            severity,
            f"最新 {table.newest}，应到 {table.due}，落后 {table.sessions_behind} 个交易日"
            if table.newest
            else "还没有数据",
        )
    return late


def _late_by_policy(facts: Facts, dagster: DagsterFacts) -> Iterator[tuple[str, str]]:
    """Each asset that Dagster calls overdue since the publication of the session due."""
    due = facts.calendar.due(facts.now)
    since = datetime.combine(due, PUBLICATION_STARTS, SHANGHAI)
    for asset in dagster.overdue:
        renewed = dagster.renewed.get(asset)
        if renewed and renewed < since:
            yield asset, f"上次更新 {renewed:%m-%d %H:%M}，此后 {due} 已应公布"


def _purchases(facts: Facts) -> Iterator[Alert]:
    """One alert for each change of a watched fund, and one for all others of a time.

    Before a holiday hundreds change in one evening.
    """
    others: dict[int, list[StatusChange]] = {}
    for change in facts.stored.purchases if facts.stored else ():
        if change.fund_code not in facts.watched:
            others.setdefault(change.at, []).append(change)
            continue
        yield Alert(
            LIMIT_CHANGED.name, change.fund_code, Severity.NOTICE,
            f"{change.name}：{change.words}", day=f"{change.at}",
        )  # fmt: skip
    for at, changes in others.items():
        counts = "，".join(
            f"{say(STATUS_CHANGES[kind])} {count:,}" for kind, count in count_kinds(changes)
        )
        named = "；".join(f"{c.fund_code} {c.name} {c.words}" for c in changes[:MOST_CHANGES])
        more = "；全部见周报" if len(changes) > MOST_CHANGES else ""
        yield Alert(
            LIMIT_CHANGED.name, "market", Severity.NOTICE,
            f"{len(changes):,} 只（{counts}）：{named}{more}", day=f"{at}",
        )  # fmt: skip


def _first(facts: Facts, session: date) -> bool:
    """Whether the session is that of the first wave, or one before it."""
    first = facts.stored.first_wave if facts.stored else None
    return first is not None and to_key(session) <= first


def _collected(facts: Facts) -> datetime | None:
    """When the wave was last collected."""
    return facts.dagster.renewed.get("fund_nav") if facts.dagster else None


def _made_up(facts: Facts, when: datetime, *, weekly: bool) -> bool:
    """Whether what a missed tick should have brought is there all the same."""
    if facts.stored is None:
        return False
    if weekly:
        return facts.stored.missing_week is None
    evening = when.time() >= PUBLICATION_STARTS
    day = when.date() if evening else when.date() - timedelta(days=1)
    session = to_key(facts.calendar.on_or_before(day))
    return all((newest or 0) >= session for newest in facts.stored.newest.values())


def _closed(facts: Facts, when: datetime) -> bool:
    known = when.date() <= facts.calendar.known_until
    return known and not facts.calendar.is_session(when.date())


def _run_words(run: FailedRun) -> str:
    again = f"连续第 {run.in_a_row} 次；" if run.in_a_row > 1 else ""
    lost = f"；未更新：{'、'.join(run.lost)}" if run.lost else ""
    return f"{run.at:%m-%d %H:%M} {again}{run.words or '进程中断，没有留下原因'}{lost}"


def _name(check: FailingCheck) -> str:
    return f"{check.asset}/{check.check}"


def _count(check: FailingCheck) -> str:
    if check.failed is None:
        return ""
    # Of some nothing could be looked at: then what failed is counted alone.
    of = f" / {check.looked_at:,}" if check.looked_at else " 项"
    return f"{check.failed:,}{of}："
