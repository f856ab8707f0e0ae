"""What is wrong or will be, and the one verdict over it. Pure.

Belongs here: the findings that facts make, and their words. Does not belong here: when a fact
is one and how grave (`conditions.py`), gathering facts (`status.py`), showing them.

Dashboard, `/health`, status page, `doctor` and `alert list` show this verdict; none of them
judges for itself. What alerts hold and no fact here tells is a finding, too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fund_assets.language import later, named, say
from fund_assets.observability import conditions
from fund_assets.observability.check_records import FailingCheck
from fund_assets.observability.conditions import (
    CALENDAR_HORIZON,
    CONDITIONS,
    DAEMON_DEAD,
    DISK_LOW,
    FRESHNESS,
    ROWS_LOST,
    SESSIONS_MISSING,
    SOURCE_REFUSES,
    Level,
    Severity,
)
from fund_assets.observability.run_records import FailedRun
from fund_assets.observability.sessions import Freshness
from fund_assets.observability.vitals import Heartbeat
from fund_assets.schemas.profiles import read_by_users
from fund_assets.transport.circuit_breaker import Refusal
from fund_assets.transport.rate_limit import moment
from fund_assets.warehouse.stores.date_counts import Loss

#: Conditions whose facts are findings themselves, newer than the last look for alerts.
BY_FACTS = {name for name, row in CONDITIONS.items() if row.health and not row.beyond_facts}
HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
#: The verdict in the words that people read.
VERDICTS = {
    HEALTHY: later("All is well"), DEGRADED: later("Needs attention"),
    UNHEALTHY: later("Something is wrong"),
}  # fmt: skip


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


def late(tables: Sequence[Freshness], first_wave: int | None) -> Iterator[Finding]:
    """One finding for all tables that lack the same.

    Args:
        first_wave: newest date of the first published wave, yyyymmdd; None before.
    """
    lacking: dict[str, list[str]] = {}
    nothing = first_wave is None and not any(row.newest for row in tables)
    if nothing:
        words = say("no data yet: after the first evening, or after fund-assets run")
        yield Finding("tables:freshness", Level.SOON, words, tuple(row.table for row in tables))
        return
    for row in tables:
        if conditions.lateness(row, first_wave) is not None:
            words = (
                say("no data yet")
                if row.newest is None
                else say(
                    "{sessions} sessions behind ({hours:.0f} hours late): newest {newest}, "
                    "due {due}",
                    sessions=row.sessions_behind, hours=row.hours_late, newest=row.newest,
                    due=row.due,
                )
            )  # fmt: skip
            lacking.setdefault(words, []).append(row.table)
    for words, names in lacking.items():
        read = read_by_users() & set(names)
        level = FRESHNESS.level(Severity.WARNING) if read else Level.WRONG
        told = f"{_listed(names)} {words}"
        yield Finding("tables:freshness", level, told, tuple(names))


def missing(days: Sequence[date]) -> Iterator[Finding]:
    """Sessions that newer ones followed and that nobody published."""
    if days:
        words = say(
            "no NAVs of {count} sessions: {days}; gap_sensor collects them, or run "
            "fund-assets collect --missing DATE",
            count=len(days), days=_listed(map(str, days)),
        )  # fmt: skip
        yield Finding("sessions:missing", SESSIONS_MISSING.level(Severity.WARNING), words)


def _listed(names: Iterable[str]) -> str:
    return named(", ", "、").join(names)


def lost(losses: Sequence[Loss]) -> Iterator[Finding]:
    """Dates of which accepted NAVs vanished."""
    if losses:
        yield Finding("sessions:lost", ROWS_LOST.level(Severity.CRITICAL), lost_words(losses))


def lost_words(losses: Sequence[Loss]) -> str:
    """Dates of which accepted NAVs vanished, and what brings them back."""
    first, gone = losses[0], sum(loss.rows_most - loss.rows_found for loss in losses)
    more = (
        say(" ({dates:,} dates in all, {rows:,} rows fewer)", dates=len(losses), rows=gone)
        if len(losses) > 1
        else ""
    )
    return say(
        "{date} lost NAVs: {before:,} rows before, {now:,} now{more}; to restore them, run "
        "{repair}, then fund-assets validate",
        date=first.nav_date, before=first.rows_most, now=first.rows_found, more=more,
        repair=first.repair,
    )  # fmt: skip


def held(batches: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Batches that a blocking rule stops."""
    for batch in batches:
        words = say(
            "batch {batch} is blocked: {because}",
            batch=batch["batch_id"], because=batch["held_because"],
        )  # fmt: skip
        condition, severity = conditions.batch_held(batch)
        yield Finding("batches:held", condition.level(severity), words)


def failed(
    runs: Iterable[FailedRun], checks: Iterable[FailingCheck], collected: datetime | None
) -> Iterator[Finding]:
    """The checks that stop something, and jobs whose newest run failed for another reason.

    Args:
        collected: when the wave was last collected: what the canary warned of has come in.
    """
    told = set()
    for check in checks:
        found = conditions.check_fails(check, collected)
        if found and found[1] > Severity.NOTICE:
            told.add(check.run_id)
            words = say(
                "a check failed: {asset} {check}: {words}",
                asset=check.asset, check=check.check, words=check.words,
            )  # fmt: skip
            about = (f"{check.asset}/{check.check}",)
            yield Finding("checks:failed", found[0].level(found[1]), words, about)
    for run in runs:
        explained = run.blocked and run.run_id in told
        found = conditions.run_fails(run, collected)
        if found and not explained:
            words = say(
                "the newest run failed: {job} {words}", job=run.job, words=run.words
            ).rstrip()
            yield Finding("runs:failed", found[0].level(found[1]), words, (run.job,))


def silent(daemons: Iterable[Heartbeat]) -> Iterator[Finding]:
    """The daemons without a recent sign; one that never ran is not missed."""
    grades = {beat: DAEMON_DEAD.limit.grade(beat.age_s) for beat in daemons}
    for severity in (Severity.CRITICAL, Severity.WARNING):
        beats = [beat for beat, grade in grades.items() if grade is severity]
        if beats:
            names = _listed(beat.daemon for beat in beats)
            longest = max(beat.age_s for beat in beats)
            words = say(
                "no heartbeat of Dagster's daemon for {minutes:.0f} minutes: {names}",
                minutes=longest / 60, names=names,
            )  # fmt: skip
            about = tuple(beat.daemon for beat in beats)
            yield Finding("daemon:heartbeat", DAEMON_DEAD.level(severity), words, about)


def full(free_bytes: int) -> Iterator[Finding]:
    """A disk without room."""
    severity = DISK_LOW.limit.grade(free_bytes)
    if severity is not None:
        words = say(
            "only {free:.1f} GB of disk left: free space on the disk of FUND_STATE",
            free=free_bytes / 1e9,
        )
        yield Finding("disk:free", DISK_LOW.level(severity), words)


def calendar_ends(days_left: int, *, invented: bool) -> Iterator[Finding]:
    """A calendar that ends, or has ended; the simulated market's never does."""
    severity = conditions.calendar_ends(days_left, invented=invented)
    if severity is None:
        return
    words = (
        say(
            "the trading calendar has ended: every weekday is collected with a provisional "
            "date. Run fund-assets calendar refresh, or calendar import with the notices"
        )
        if days_left < 0
        else say(
            "the trading calendar ends in {left} days (less than {least}): run fund-assets "
            "calendar refresh, or calendar import with the notices",
            left=days_left, least=CALENDAR_HORIZON.limit.of(Severity.WARNING),
        )
    )  # fmt: skip
    yield Finding("calendar:horizon", CALENDAR_HORIZON.level(severity), words)


def refused(refusals: Mapping[str, Refusal]) -> Iterator[Finding]:
    """Sources that refuse us: they are not asked for a while."""
    for host, refusal in refusals.items():
        level = SOURCE_REFUSES.level(Severity.WARNING)
        yield Finding("source:refuses", level, f"{host} {refused_words(refusal)}")


def refused_words(refusal: Refusal) -> str:
    """Until when nothing is asked of a source that refuses us, and why."""
    sentence = (
        later("refuses requests; next request after {until:%m-%d %H:%M}: {because}")
        if refusal.reached
        else later("is unreachable; next request after {until:%m-%d %H:%M}: {because}")
    )
    return say(sentence, until=moment(refusal.until), because=refusal.because)


def alarmed(holding: Iterable[Mapping[str, Any]], *, tables_late: bool) -> Iterator[Finding]:
    """Alerts that hold, without notices and without what facts tell.

    Args:
        holding: stored alerts that no other explains: fingerprint, kind, subject, severity,
            words.
        tables_late: whether late tables are a finding already.
    """
    for alert in holding:
        told = alert["kind"] in BY_FACTS or (alert["kind"] == FRESHNESS.name and tables_late)
        if not told and alert["severity"] != "notice":
            words = say(
                "alert {subject}: {words}", subject=alert["subject"], words=alert["words"]
            )
            about = (str(alert["fingerprint"]),)
            yield Finding("alerts:holding", Level.WRONG, words, about)


def over_by_now(kind: str, findings: Iterable[Finding]) -> bool:
    """Whether the facts show no more what an alert of a kind told at the last look."""
    shown = {finding.check for finding in findings}
    return kind in BY_FACTS and not shown & set(CONDITIONS[kind].health)
