"""When an alert is told, by a clock that the test moves."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fund_assets.calendar import TradingCalendar
from fund_assets.observability.alerts.catalog import KINDS, Alert, covers, fingerprint
from fund_assets.observability.alerts.causes import CAUSES
from fund_assets.observability.alerts.lifecycle import Event, Silence, advance, ahead
from fund_assets.observability.alerts.messages import compose, digest
from fund_assets.observability.conditions import Severity
from fund_assets.settings import SHANGHAI

CALENDAR = TradingCalendar.build()
#: A Thursday; Friday the 25th is a holiday, the sessions after it are Monday to Wednesday.
THURSDAY = datetime(2026, 9, 24, 19, 0, tzinfo=SHANGHAI)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

RUN = Alert(
    "run_failed", "daily_collection", Severity.WARNING, "fund_nav: TransportError",
    because="source",
)  # fmt: skip
STALE = Alert("freshness", "fund_nav", Severity.CRITICAL, "落后 2 个交易日")
DAEMON = Alert("daemon_dead", "dagster", Severity.CRITICAL, "19:00 起没有心跳")
NOTICE = Alert(
    "check_failed", "fund_nav/R13_staleness", Severity.NOTICE, "3 / 60", because="notice"
)
QUARANTINE = Alert("quarantine_backlog", "rows", Severity.WARNING, "700 行")


def sessions(first, last):
    return len(CALENDAR.between(first, last)) if first <= last else 0


class Life:
    """A clock, what is stored, and everything that was told: (time, event, fingerprint)."""

    def __init__(self, now=THURSDAY):
        self.now, self.begin, self.stored, self.told, self.writes = now, now, {}, [], 0
        self.silences = []

    def look(self, *alerts, after=MINUTE, unknown=(), unsettled=False):
        self.now += after
        states, told = advance(
            self.stored, alerts, self.now, unknown=unknown, silences=self.silences,
            sessions=sessions, unsettled=unsettled,
        )  # fmt: skip
        self.last = told
        self.stored.update({state.fingerprint: state for state in states})
        self.writes += len(states)
        events = [(t.event.value, t.state.fingerprint) for t in told]
        self.told += [(self.now, *event) for event in events]
        return events

    def watch(self, *alerts, hours):
        """Look every two minutes; what was told, with the hours since then."""
        begin, known = self.now, len(self.told)
        while self.now < begin + hours * HOUR:
            self.look(*alerts, after=2 * MINUTE)
        return [((at - begin) / HOUR, event, what) for at, event, what in self.told[known:]]


def test_an_alert_is_told_once_and_so_is_its_end():
    """Stops a message with every look, an end without a beginning, and one that is lost."""
    life = Life()
    assert life.look() == []
    assert life.look(RUN) == [("began", RUN.fingerprint)]
    assert life.look(RUN) == life.look(RUN) == []
    assert life.writes == 1, "nothing is written while nothing changes"
    assert life.look(after=41 * MINUTE) == [("over", RUN.fingerprint)]
    assert life.look() == []
    assert life.look(RUN) == [("began", RUN.fingerprint)], "a second fault is told again"


def test_words_do_not_make_another_alert():
    """Stops a count in a text from making an alert with every look."""
    life = Life()
    life.look(RUN)
    other = Alert(RUN.kind, RUN.subject, RUN.severity, "连续第 2 次")
    assert life.look(other) == []
    assert life.stored[RUN.fingerprint].words == "连续第 2 次"
    assert RUN.fingerprint == "run_failed:daily_collection"


def test_a_warning_is_repeated_after_4_and_12_hours_and_then_escalates():
    """Stops a warning that nobody reads from staying one, and repeats from coming early."""
    told = Life().watch(RUN, hours=30)
    events = [(round(hours, 1), event) for hours, event, _ in told]
    assert events == [
        (0.0, "began"), (4.0, "repeated"), (16.0, "worse"), (17.0, "repeated"),
        (29.0, "repeated"),
    ]  # fmt: skip


def test_a_critical_alert_is_repeated_after_1_and_12_hours_and_then_daily():
    """Stops a holiday week from bringing 200 messages about one fault."""
    told = Life().watch(STALE, hours=24 * 8)
    hours = [round(h) for h, _, _ in told]
    assert hours[:3] == [0, 1, 13]
    assert [b - a for a, b in itertools.pairwise(hours[2:])] == [24] * 7


@pytest.mark.parametrize(
    ("day", "severity"),
    [
        ("2026-09-27", Severity.WARNING),
        ("2026-09-29", Severity.WARNING),
        ("2026-09-30", Severity.CRITICAL),
    ],
)
def test_three_sessions_escalate_and_a_holiday_is_none(day, severity):
    """Stops a holiday from counting as three days on which nobody cared.

    After Thursday come a holiday and a weekend: the third session is Wednesday.
    """
    life = Life()
    end = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=SHANGHAI)
    life.silences = [Silence("run_failed", end, life.now, "休假")]
    life.look(RUN)
    life.now = end
    assert life.look(RUN) == [("began", RUN.fingerprint)]
    assert life.stored[RUN.fingerprint].told_as is severity


def test_what_changes_slowly_is_repeated_daily_and_never_escalates():
    """Stops a calendar that ends in two months from paging at four in the morning."""
    told = Life().watch(QUARANTINE, hours=24 * 6)
    assert [(round(h), e) for h, e, _ in told][:3] == [
        (0, "began"), (24, "repeated"), (48, "repeated"),
    ]  # fmt: skip
    assert {event for _, event, _ in told} == {"began", "repeated"}


def test_a_notice_is_told_once():
    """Stops an ordinary evening's warning of a rule from being repeated for weeks."""
    life = Life()
    assert [event for _, event, _ in life.watch(NOTICE, hours=24 * 6)] == ["began"]
    assert life.look() == [], "nobody acted on it, nobody waits for its end"


def test_what_gets_worse_is_told_at_once():
    """Stops a daemon that was late and is now dead from waiting four hours for its repeat."""
    life = Life()
    late = Alert("daemon_dead", "dagster", Severity.WARNING, "晚了")
    assert life.look(late) == [("began", DAEMON.fingerprint)]
    assert life.look(DAEMON) == [("worse", DAEMON.fingerprint)]
    assert life.look(late) == []
    assert life.stored[DAEMON.fingerprint].severity is Severity.CRITICAL


def test_one_cause_is_one_incident():
    """Stops a dead collector from being told four times, and as over while its data is late."""
    life = Life()
    assert life.look(RUN, STALE) == [("began", RUN.fingerprint)]
    assert life.stored[STALE.fingerprint].muted_by == RUN.fingerprint
    assert [s.fingerprint for s in life.last[0].listed] == [STALE.fingerprint]
    assert life.look(STALE, after=HOUR) == [("repeated", RUN.fingerprint)], "it is critical"
    assert life.last[0].past and life.stored[RUN.fingerprint].firing
    assert life.look() == [("over", RUN.fingerprint)]
    assert [s.fingerprint for s in life.last[0].listed] == [STALE.fingerprint]
    assert not any(state.firing for state in life.stored.values())
    assert life.look() == []


def test_what_would_have_followed_from_what_is_over_waits_a_while():
    """Stops a fault from being hidden by one that is over, and from being told too soon."""
    life = Life()
    life.look(DAEMON)
    assert life.look() == [("over", DAEMON.fingerprint)]
    assert life.look(STALE, after=13 * MINUTE) == []
    assert life.look(STALE, after=2 * MINUTE) == [("began", STALE.fingerprint)]


def test_nothing_is_over_while_a_run_is_under_way():
    """Stops a recovery during a retry, and one of a wave that has landed and was not judged."""
    life = Life()
    held = Alert("held_publish", "wave", Severity.WARNING, "R02_row_count: 30 / 60")
    life.look(held)
    assert life.look(unsettled=True) == []
    assert life.look(held) == [], "the next wave is held too: the same incident"
    assert life.look(unsettled=True) == []
    assert life.look() == [("over", held.fingerprint)]
    life.look(DAEMON)
    assert life.look(unsettled=True) == [("over", DAEMON.fingerprint)], "it beats again"


def test_a_new_sign_of_a_cause_joins_its_incident():
    """Stops the canary, a refusal and three failed runs of one night from being five stories."""
    canary = Alert("source_canary", "source_canary", Severity.WARNING, "fund_list: 503")
    refusal = Alert("source_refuses", "a.example", Severity.WARNING, "status 503")
    lists = Alert(
        "check_failed", "fund_info/listed", Severity.WARNING, "1：TransportError",
        because="source",
    )  # fmt: skip
    life = Life()
    assert life.look(canary) == [("began", canary.fingerprint)]
    assert life.look(canary, refusal, after=HOUR) == []
    assert life.look(canary, refusal, RUN, lists, after=HOUR) == []
    worse = life.look(refusal, RUN, lists, STALE, after=HOUR)
    assert worse == [("worse", canary.fingerprint)], "late data is worse"
    assert [s.kind for s in life.last[0].listed] == [
        "freshness", "check_failed", "run_failed", "source_refuses",
    ]  # fmt: skip
    assert life.look(lists) == []
    assert life.look() == [("over", canary.fingerprint)]
    assert len(life.last[0].listed) == 4


def test_another_cause_is_another_incident():
    """Stops a full disk from being listed under a source that is away."""
    life = Life()
    life.look(RUN)
    disk = Alert("disk_low", "state", Severity.WARNING, "只剩不足 2 GB")
    defect = Alert(
        "run_failed", "weekly_full_calc", Severity.WARNING, "KeyError", because="weekly"
    )
    assert life.look(RUN, disk, defect) == [
        ("began", defect.fingerprint), ("began", disk.fingerprint),
    ]  # fmt: skip


def test_a_notice_keeps_no_incident_open():
    """Stops an incident from lasting for weeks because a few funds are late."""
    held = Alert("held_publish", "wave", Severity.WARNING, "R02_row_count: 30 / 60")
    life = Life()
    assert life.look(held, NOTICE) == [("began", held.fingerprint)]
    assert life.look(NOTICE) == [("over", held.fingerprint)]
    assert life.look(NOTICE, after=HOUR) == [], "it was listed, so it was told"
    assert life.look() == []


def test_a_failed_tick_keeps_no_incident_open():
    """Stops the end of an unreachable database from waiting for Monday's tick of a schedule."""
    tick = Alert(
        "tick_failed", "daily_collection", Severity.WARNING, "09-18 19:00 DatabaseError"
    )
    gone = Alert("database_unreachable", "warehouse", Severity.CRITICAL, "读不出来")
    life = Life()
    assert life.look(gone, tick) == [("began", gone.fingerprint)]
    assert life.look(tick, after=HOUR) == [("over", gone.fingerprint)]
    assert life.look(tick, after=HOUR) == [], "it was listed, so it was told"


def test_the_table_of_causes_names_what_there_is():
    """Stops a kind that was renamed from falling out of its incident, and a cause of the docs from
    being another than the program's."""
    named = {n.split("/")[0] for c in CAUSES for n in (*c.signs, *c.results)}
    assert named <= set(KINDS)
    assert len({c.name for c in CAUSES}) == len(CAUSES)
    told = (Path(__file__).parents[4] / "docs" / "alerts.md").read_text("utf-8")
    table = told.split("| cause |")[1].split("\n\n")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(lines) == len(CAUSES)
    for cause, line in zip(CAUSES, lines, strict=True):
        assert all(f"`{sign.split('/')[0]}`" in line or "/" in sign for sign in cause.signs)


def test_states_of_the_release_before_are_read():
    """Stops an upgrade from telling again what was told, or from losing what explains it."""
    life = Life()
    life.look(RUN, STALE)
    told = {f: replace(s, told_at=life.now) for f, s in life.stored.items()}
    # Late tables were explained by a late table, and that by a run.
    metrics = Alert("freshness", "fund_metrics", Severity.WARNING, "落后 1 个交易日")
    chained = replace(
        told[STALE.fingerprint], fingerprint=metrics.fingerprint, subject="fund_metrics",
        muted_by=STALE.fingerprint,
    )  # fmt: skip
    life.stored = {**told, metrics.fingerprint: chained}
    assert life.look(RUN, STALE, metrics) == []
    assert life.stored[metrics.fingerprint].muted_by == RUN.fingerprint
    lost = replace(chained, muted_by="check_failed:gone")
    life.stored = {**told, metrics.fingerprint: lost}
    assert life.look(RUN, STALE, metrics) == []
    assert life.look() == [("over", RUN.fingerprint)]


def test_what_cannot_be_known_neither_ends_nor_begins():
    """Stops a dead database from sending recoveries of everything that stands in it."""
    life = Life()
    life.look(RUN, DAEMON)
    down = Alert("database_unreachable", "dagster", Severity.CRITICAL, "读不出来")
    gone = {"run_failed", "daemon_dead", "freshness"}
    assert life.look(down, unknown=gone) == [("began", down.fingerprint)]
    assert life.look(down, STALE, unknown=gone) == [], "the daemon may be dead still"
    assert life.look(RUN, DAEMON) == [("over", down.fingerprint)]


@pytest.mark.parametrize("pattern", [RUN.fingerprint, "run_failed"])
def test_a_silence_ends_by_itself(pattern):
    """Stops a silence from lasting for ever, and an alert behind it from being lost."""
    life = Life()
    life.silences = [Silence(pattern, life.now + 2 * HOUR, life.now, "维护")]
    assert life.watch(RUN, hours=1.9) == []
    assert life.look(DAEMON, RUN) == [("began", DAEMON.fingerprint)], "others are told"
    assert [e for _, e, _ in life.watch(DAEMON, RUN, hours=0.2)] == ["began"]


def test_the_end_of_a_told_alert_is_told_through_a_silence():
    """Stops a person from believing that a fault lasts because it was silenced meanwhile."""
    life = Life()
    life.look(RUN)
    life.silences = [Silence("run_failed", life.now + 90 * HOUR, life.now, "知道了")]
    assert life.watch(RUN, hours=10) == []
    assert life.look() == [("over", RUN.fingerprint)]


def test_a_silenced_fault_that_ends_unheard_stays_unheard():
    """Stops a recovery of something that nobody was told of."""
    life = Life()
    life.silences = [Silence("run_failed", life.now + HOUR, life.now, "维护")]
    life.look(RUN)
    assert life.look() == []


def test_a_moment_has_no_end_and_no_repeats():
    """Stops a tick that was missed once from being told for a day, and as recovered."""
    missed = Alert("tick_missed", "daily_collection", Severity.WARNING, "19:00", day="20260924")
    life = Life()
    assert [event for _, event, _ in life.watch(missed, hours=24)] == ["began"]
    assert life.look() == []
    next_day = Alert(
        "tick_missed", "daily_collection", Severity.WARNING, "19:00", day="20260928"
    )
    assert life.look(next_day) == [], "a quarter of an hour may make it good"
    assert [event for _, event, _ in life.watch(next_day, hours=1)] == ["began"]


def test_what_must_hold_for_a_while_is_not_told_before():
    """Stops a great merge that holds the database for a minute from being a dead database."""
    stuck = Alert("database_unwritable", "warehouse", Severity.CRITICAL, "写不进去")
    life = Life()
    life.look(stuck)
    assert life.look(stuck, after=4 * MINUTE) == []
    assert life.look(stuck) == [("began", stuck.fingerprint)]
    other = Life()
    other.look(stuck)
    assert other.look() == [], "what was over in time is never told"


def test_a_thousand_faults_are_one_message():
    """Stops a storm of failures from becoming a storm of messages that nobody reads."""
    life, storm = Life(), [
        Alert("run_failed", f"job_{n}", Severity.WARNING, f"原因 {n}") for n in range(1_000)
    ]  # fmt: skip
    life.now += MINUTE
    _, told = advance({}, storm, life.now)
    assert len(told) == 1_000
    message = compose(told, "akshare", "docs/runbook.md")
    assert message.title == "【告警】警告 1,000 项（基金数据·真实市场）"
    assert message.lines[-1] == "另有 985 项：fund-assets alert list"
    assert len(message.fingerprints) == 200


def test_the_worst_stands_first_and_every_line_leads_to_the_runbook():
    """Stops what matters from standing below what can wait."""
    life = Life()
    life.look(QUARANTINE)
    life.now += HOUR
    _, told = advance(life.stored, [RUN, DAEMON], life.now)
    message = compose(told, "simulated", "https://wiki.example/runbook")
    assert message.title == "【告警】严重 1 项，警告 1 项，恢复 1 项（基金数据·模拟市场）"
    assert message.severity is Severity.CRITICAL
    assert message.lines == (
        "【严重·新告警】守护进程没有心跳 dagster",
        "  19:00 起没有心跳",
        "  处理：https://wiki.example/runbook#daemon_dead  编号：daemon_dead:dagster",
        "【警告·新告警】运行失败 daily_collection",
        "  fund_nav: TransportError",
        "  处理：https://wiki.example/runbook#run_failed  编号：run_failed:daily_collection",
        "【已恢复】隔离积压 rows，持续 1 小时 0 分",
    )


def test_the_end_of_what_was_critical_is_as_loud_as_its_beginning():
    """Stops a pager that rang from never hearing that it is over, beside a new warning."""
    life = Life()
    life.look(DAEMON)
    _, told = advance(life.stored, [RUN], life.now + HOUR)
    assert compose(told, "akshare", "").severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("lasted", "words"),
    [
        (timedelta(seconds=59), "不到 1 分钟"),
        (41 * MINUTE, "41 分钟"),
        (timedelta(hours=5, minutes=7), "5 小时 7 分"),
        (timedelta(days=3, hours=2), "3 天 2 小时"),
    ],
)
def test_a_recovery_tells_how_long_it_lasted(lasted, words):
    """Stops a duration in the wrong unit."""
    life = Life()
    life.look(RUN)
    _, told = advance(life.stored, [], life.now + lasted)
    assert (
        compose(told, "akshare", "").title
        == "【恢复】运行失败 daily_collection（基金数据·真实市场）"
    )
    assert compose(told, "akshare", "").lines == (
        f"【已恢复】运行失败 daily_collection，持续 {words}",
    )


def test_a_digest_names_what_it_replaces():
    """Stops messages that had to wait from being lost in one that tells of none of them."""
    parts = [
        compose(advance({}, [alert], THURSDAY)[1], "akshare", "x")
        for alert in (RUN, DAEMON, QUARANTINE, STALE)
    ]
    whole = digest(parts)
    assert whole.severity is Severity.CRITICAL
    assert whole.title.endswith("另有 3 条积压消息")
    assert set(whole.fingerprints) == {a.fingerprint for a in (RUN, DAEMON, QUARANTINE, STALE)}
    for part in parts:
        assert part.title in whole.lines


def test_fingerprints():
    """Stops a long subject from not fitting its column, and a kind from meaning another."""
    long = fingerprint("run_failed", "(assets) " + ", ".join(["fund_nav"] * 60))
    assert len(long) <= 200
    assert long != fingerprint("run_failed", "(assets) " + ", ".join(["fund_nav"] * 61))
    assert covers("tick_missed", "tick_missed:a:20260924")
    assert covers("tick_missed:a", "tick_missed:a:20260924")
    assert not covers("tick", "tick_missed:a")
    assert all(name == kind.name for name, kind in KINDS.items())
    assert {event.value for event in Event} == {"began", "worse", "repeated", "over"}


#: How far a clock was off.
THREE_DAYS, A_YEAR = timedelta(days=3), timedelta(days=365)


@pytest.mark.parametrize("off", [THREE_DAYS, -THREE_DAYS, A_YEAR, -A_YEAR])
def test_a_clock_that_was_wrong_keeps_nothing_quiet(off):
    """Stops stamps of a wrong clock from passing for young: 72 hours without a word.

    An alert that holds throughout is told again within its own interval of an hour, a new one at
    once, after the clock went wrong and after it was set right.
    """
    life = Life()
    assert life.look(STALE) == [("began", STALE.fingerprint)]
    for step in (off, -off):
        life.now += step
        known = len(life.told)
        life.watch(STALE, hours=2)
        assert {what for _, _, what in life.told[known:]} == {STALE.fingerprint}
        gaps = [at for at, *_ in life.told[known:]]
        assert gaps[0] - (life.now - 2 * HOUR) <= HOUR + 2 * MINUTE
        assert ("began", RUN.fingerprint) in life.look(STALE, RUN)
        assert ("over", RUN.fingerprint) in life.look(STALE)


def test_what_ended_under_a_clock_ahead_explains_nothing():
    """Stops a cause that is over from muting what follows until its time has come."""
    life = Life(THURSDAY + THREE_DAYS)
    life.look(DAEMON)
    life.look()
    life.now -= THREE_DAYS
    assert life.look(STALE) == [("began", STALE.fingerprint)]


def test_what_waits_to_hold_begins_again_under_the_right_clock():
    """Stops an alert that is told after five minutes from waiting three days and five minutes."""
    slow = Alert("database_unwritable", "warehouse", Severity.CRITICAL, "仓库写不进去")
    life = Life(THURSDAY + THREE_DAYS)
    assert life.look(slow) == []
    life.now -= THREE_DAYS
    assert [minutes for minutes in range(9) if life.look(slow)] == [5]


def test_a_silence_of_a_clock_ahead_is_over():
    """Stops a silence of two hours from lasting three days."""
    made = THURSDAY + THREE_DAYS
    life = Life()
    life.silences = [Silence("run_failed", made + 2 * HOUR, made, "")]
    assert life.look(RUN) == [("began", RUN.fingerprint)]
    life.silences = [Silence("run_failed", life.now + 2 * HOUR, life.now, "")]
    assert life.watch(RUN, hours=1) == []


def test_stored_times_in_the_future_are_told():
    """Stops a wrong clock itself from going unnoticed, and a host a minute ahead from alarming."""
    life = Life(THURSDAY + THREE_DAYS)
    life.look(NOTICE)
    states = life.stored.values()
    (alert,) = ahead(states, [], [], THURSDAY)
    assert alert.kind == "clock_wrong" and "2026-09-27 19:01" in alert.words
    assert list(ahead(states, [], [], life.now - 4 * MINUTE)) == []
    life.now = THURSDAY
    life.look(NOTICE)
    assert list(ahead(life.stored.values(), [], [], life.now)) == []
    assert list(ahead([], [], [life.now + HOUR], life.now))
