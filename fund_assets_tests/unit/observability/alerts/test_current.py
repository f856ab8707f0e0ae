"""What is wrong: facts → alerts. The facts are plain values; nothing is read."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from fund_assets.calendar import TradingCalendar, to_key
from fund_assets.nav.trades import Trade
from fund_assets.observability.alerts import current
from fund_assets.observability.alerts.catalog import KINDS
from fund_assets.observability.alerts.current import alerts, unknown
from fund_assets.observability.alerts.facts import DagsterFacts, Facts, StoredFacts
from fund_assets.observability.alerts.lifecycle import advance, ahead
from fund_assets.observability.check_records import FailingCheck
from fund_assets.observability.conditions import Severity
from fund_assets.observability.run_records import FailedRun
from fund_assets.observability.ticks import Ticking
from fund_assets.observability.vitals import Heartbeat
from fund_assets.settings import SHANGHAI
from fund_assets.transport.circuit_breaker import Refusal
from fund_assets.transport.rate_limit import moment
from fund_assets.warehouse.queries.fund_status import StatusChange
from fund_assets.warehouse.stores.date_counts import Loss

CALENDAR = TradingCalendar.build()
#: A Thursday evening: what is due is Wednesday's NAVs.
NOW = datetime(2026, 9, 17, 21, 40, tzinfo=SHANGHAI)
DAY = timedelta(days=1)
STORED = StoredFacts(
    newest={"fund_nav": 20260917, "validated_nav": 20260917, "fund_metrics": 20260917},
    held=(),
    quarantined=3,
)
DAGSTER = DagsterFacts(
    failed_runs=(),
    failing_checks=(),
    ticking=(Ticking("daily_collection", None, "", ()), Ticking("gap_sensor", None, "", ())),
    daemons=(Heartbeat("SENSOR", NOW, 20.0), Heartbeat("SCHEDULER", NOW, 31.0)),
    overdue=(),
    renewed={
        "fund_nav": NOW, "validated_nav": NOW, "fund_metrics": NOW, "benchmark_index": NOW
    },
)  # fmt: skip
WELL = Facts(
    now=NOW, at=NOW, calendar=CALENDAR, stored=STORED, dagster=DAGSTER, trouble={},
    disk_free_bytes=50_000_000_000, quarantine_limit=500,
)  # fmt: skip


CHANGE = StatusChange(
    "000001", "华夏成长混合", 20260917_200000, "limit", Trade("open", "open", "unlimited"),
    Trade("limited", "open", "limited", 1000.0),
)  # fmt: skip


def facts(*, stored=None, dagster=None, **changes):
    return replace(
        WELL,
        stored=replace(STORED, **(stored or {})),
        dagster=replace(DAGSTER, **(dagster or {})),
        **changes,
    )


def found(given):
    return {alert.fingerprint: alert for alert in alerts(given)}


def told(given):
    """The fingerprints that would be told of these facts alone."""
    return {t.state.fingerprint for t in advance({}, alerts(given), NOW)[1]}


def failed(job="daily_collection", **changes):
    run = FailedRun(job, "run1", NOW, 1, False, ("fund_nav",), "fund_nav: TransportError: down")
    return replace(run, **changes)


def failing(check, severity="ERROR", asset="fund_nav", run_id="run1", words="首例"):
    return FailingCheck(asset, check, severity, NOW, run_id, 3, 60, words)


def test_nothing_is_wrong_on_an_ordinary_evening():
    """Stops a platform that is well from alarming."""
    assert alerts(WELL) == []
    assert unknown(WELL) == set()


def test_a_failed_run():
    """Stops a failed run from being silent, or from not saying why and what is missing."""
    given = facts(dagster={"failed_runs": (failed(in_a_row=3),)})
    alert = found(given)["run_failed:daily_collection"]
    assert alert.severity is Severity.WARNING
    assert alert.words == (
        "09-17 21:40 连续第 3 次；fund_nav: TransportError: down；未更新：fund_nav"
    )
    silent = facts(dagster={"failed_runs": (failed(words="", lost=()),)})
    assert "进程中断" in found(silent)["run_failed:daily_collection"].words


def test_checks_that_fail_without_failing_a_run():
    """Stops a non-blocking check of severity ERROR, or a warning, from being seen by nobody."""
    checks = (failing("R02_row_count"), failing("R13_staleness", "WARN"))
    given = found(facts(dagster={"failing_checks": checks}))
    assert given["check_failed:fund_nav/R02_row_count"].severity is Severity.WARNING
    assert given["check_failed:fund_nav/R13_staleness"].severity is Severity.NOTICE
    assert given["check_failed:fund_nav/R13_staleness"].words == "3 / 60：首例"


def test_checks_that_have_an_alert_of_their_own_are_not_told_twice():
    """Stops late data from being told by the policy, by the calendar and by the check."""
    checks = (
        failing("trading_day_freshness", asset="validated_nav"),
        failing("calendar_horizon", "WARN", asset="validated_nav"),
    )
    assert alerts(facts(dagster={"failing_checks": checks})) == []


def test_a_blocked_batch_is_one_alert():
    """Stops half a market from being told as a batch, a check and a run."""
    held = {"batch_id": "w1", "kind": "wave", "newest_date": 20260917,
            "held_because": "R02_row_count: 30 rows of 60"}  # fmt: skip
    blocked = failed("daily_validation", blocked=True, lost=("validated_nav",))
    given = facts(
        stored={"held": (held,), "newest": {**STORED.newest, "validated_nav": 20260915}},
        dagster={"failed_runs": (blocked,), "failing_checks": (failing("R02_row_count"),)},
    )
    assert set(found(given)) == {
        "held_publish:wave", "check_failed:fund_nav/R02_row_count",
        "run_failed:daily_validation", "freshness:validated_nav",
    }  # fmt: skip
    assert told(given) == {"held_publish:wave"}
    words = found(given)["held_publish:wave"].words
    assert "2026-09-17：R02_row_count: 30 rows of 60" in words
    assert words.endswith("fund-assets quarantine show w1"), "the desk's command"
    # Histories that passed since have made the check pass; the wave still waits.
    later = facts(stored={"held": (held,)}, dagster={"failed_runs": (blocked,)})
    assert told(later) == {"held_publish:wave"}


def test_a_batch_that_a_rule_stops_is_one_incident_before_and_after_it_is_held():
    """Stops the check that fails at 19:00 and the batch held at 19:30 from being two stories."""
    blocked = failed(
        "daily_collection", blocked=True, lost=(), words="blocked by R02_row_count"
    )
    checks = (failing("R02_row_count"), failing("R13_staleness", "WARN"))
    evening = facts(dagster={"failed_runs": (blocked,), "failing_checks": checks})
    assert told(evening) == {"check_failed:fund_nav/R02_row_count"}
    states, _ = advance({}, alerts(evening), NOW)
    held = {"batch_id": "w1", "kind": "wave", "newest_date": 20260917,
            "held_because": "R02_row_count: 30 rows of 60"}  # fmt: skip
    later = replace(evening, stored=replace(STORED, held=(held,)))
    known = {state.fingerprint: state for state in states}
    assert advance(known, alerts(later), NOW + timedelta(minutes=30))[1] == []
    revised = facts(dagster={"failing_checks": (failing("R17_mass_revision"),)})
    (alert,) = alerts(revised)
    assert alert.severity is Severity.CRITICAL, "as the batch will be"


def test_rows_that_vanished_are_critical_and_one_alert():
    """Stops a whole session that somebody deleted from being told by nobody, or date by date."""
    lost = (Loss(date(2026, 9, 15), 26_000, 0), Loss(date(2026, 9, 16), 26_000, 12_000))
    (alert,) = alerts(facts(stored={"lost": lost}))
    assert (alert.fingerprint, alert.severity) == ("rows_lost:validated_nav", Severity.CRITICAL)
    assert alert.words.startswith(
        "2026-09-15 的净值少了：曾有 26,000 行，现有 0 行（共 2 个日期，少 40,000 行）"
    )


def test_a_mass_revision_is_critical():
    """Stops a rewritten past from looking like a small market."""
    held = {"batch_id": "w1", "kind": "wave", "newest_date": 20260917,
            "held_because": "R17_mass_revision: 30 of 60 funds"}  # fmt: skip
    given = facts(
        stored={"held": (held,)}, dagster={"failing_checks": (failing("R17_mass_revision"),)}
    )
    assert told(given) == {"mass_revision:wave"}
    assert found(given)["mass_revision:wave"].severity is Severity.CRITICAL


def test_a_run_that_failed_for_its_own_reason_is_told_beside_a_check():
    """Stops a failing check from hiding a crash of the same run."""
    given = facts(
        dagster={
            "failed_runs": (failed(blocked=False, words="fund_nav: KeyError: 'x'"),),
            "failing_checks": (failing("R02_row_count"),),
        }
    )
    assert told(given) == {"run_failed:daily_collection", "check_failed:fund_nav/R02_row_count"}


@pytest.mark.parametrize(
    ("now", "newest", "late"),
    [
        ("2026-09-17T23:29", 20260916, None),  # Thursday's are due at 23:30
        ("2026-09-17T23:31", 20260916, Severity.WARNING),
        ("2026-09-18T10:00", 20260917, None),
        ("2026-09-20T12:00", 20260917, Severity.WARNING),  # a Sunday; Friday's are missing
        ("2026-09-21T23:40", 20260917, Severity.CRITICAL),
        ("2026-09-25T23:59", 20260924, None),  # Mid-Autumn
        ("2026-10-01T23:59", 20260930, None),
        ("2026-10-08T23:29", 20260930, None),  # the first session after it
        ("2026-10-08T23:31", 20260930, Severity.WARNING),
        ("2026-10-10T23:59", 20261009, None),  # a make-up working Saturday
        ("2026-02-16T23:59", 20260213, None),  # Spring Festival
    ],
)
def test_data_is_late_by_the_exchange_and_not_by_the_clock(now, newest, late):
    """Stops an alarm on a holiday, and one that waits for Monday."""
    moment = datetime.fromisoformat(now).replace(tzinfo=SHANGHAI)
    given = facts(now=moment, stored={"newest": dict.fromkeys(STORED.newest, newest)})
    alert = found(given).get("freshness:fund_nav")
    assert (alert and alert.severity) == late
    assert told(given) == ({"freshness:fund_nav"} if late else set()), "once, not three times"


@pytest.mark.parametrize(
    ("now", "renewed", "late"),
    [
        ("2026-09-18T09:00", "2026-09-17T15:00", True),  # nothing since Thursday's NAVs
        ("2026-09-18T09:00", "2026-09-17T21:00", False),
        ("2026-10-05T09:00", "2026-09-30T23:00", False),  # the whole holiday week
        ("2026-09-25T09:00", "2026-09-24T23:00", False),
        ("2026-09-20T09:00", "2026-09-18T23:00", False),
    ],
)
def test_a_broken_policy_counts_where_a_session_lies_behind_it(now, renewed, late):
    """Stops Dagster's policy, which knows no holidays, from alarming on each of them."""
    moment, when = (datetime.fromisoformat(t).replace(tzinfo=SHANGHAI) for t in (now, renewed))
    have = to_key(CALENDAR.due(moment))
    given = facts(
        now=moment,
        stored={"newest": dict.fromkeys(STORED.newest, have)},
        dagster={"overdue": ("benchmark_index",), "renewed": {"benchmark_index": when}},
    )
    assert set(found(given)) == ({"freshness:benchmark_index"} if late else set())


def test_policy_and_calendar_are_one_alert():
    """Stops the same lateness from being told twice."""
    given = facts(
        now=NOW + 5 * DAY,
        dagster={"overdue": ("fund_nav", "validated_nav"), "renewed": {"fund_nav": NOW}},
    )
    assert told(given) == {"freshness:fund_nav"}


def test_nothing_is_late_before_the_first_data():
    """Stops a fresh installation from alarming before and on its first evening."""
    assert alerts(facts(stored={"newest": dict.fromkeys(STORED.newest)})) == []
    first = {"newest": {**STORED.newest, "fund_metrics": None}, "first_wave": 20260917}
    for hours, late in ((0, False), (2, False), (25, False), (26, True)):
        given = found(facts(now=NOW + timedelta(hours=hours), stored=first))
        assert ("freshness:fund_metrics" in given) is late, hours
    jumps = {"failing_checks": (failing("R10_jump", "WARN"), failing("schema"))}
    told_first = found(facts(stored={"first_wave": 20260917}, dagster=jumps))
    assert set(told_first) == {"check_failed:fund_nav/schema"}, "years past are no news"
    for hours, told_later in ((21, False), (22, True)):  # 18:40, 19:40 of the next session
        later = facts(
            now=NOW + timedelta(hours=hours), stored={"first_wave": 20260917}, dagster=jumps
        )
        assert ("check_failed:fund_nav/R10_jump" in found(later)) is told_later


def test_what_a_check_could_not_look_at_is_counted_alone():
    """Stops the words "4 / 0"."""
    check = replace(failing("R27_index", words="TransportError: down"), failed=4, looked_at=0)
    (alert,) = alerts(facts(dagster={"failing_checks": (check,)}))
    assert alert.words == "4 项：TransportError: down"
    assert alert.because == "source"


@pytest.mark.parametrize(
    "error",
    [
        "StatusError",
        "UnreachedError",
        "DeadlineError",
        "BannedError",
        "HeldOffError",
        "EmptyAnswerError",
        "TruncatedError",
        "FormatError",
        "TooLargeError",
    ],
)
def test_every_error_of_the_source_counts_as_its(error):
    """Stops a door that is shut with 503 or 514 from alarming of each check behind it, too."""
    check = failing("R27_index", words=f"index 000300: {error}: from push2his.eastmoney.com: x")
    assert [a.because for a in alerts(facts(dagster={"failing_checks": (check,)}))] == [
        "source"
    ]


@pytest.mark.parametrize("error", ["ArchiveError", "DefectError", "WrongFundError"])
def test_an_error_of_ours_is_not_the_sources(error):
    """Stops what is ours to repair from being hidden behind a source that refuses us."""
    check = failing("R27_index", words=f"fund 000001: {error}: y")
    assert [a.because for a in alerts(facts(dagster={"failing_checks": (check,)}))] == [""]


def test_what_is_missing_by_now():
    """Stops a repeat that says only that something lasts, and not what is not there."""
    assert current.lacking(WELL) == ""
    at_ten = facts(stored={"newest": {**STORED.newest, "validated_nav": 20260916}})
    assert current.lacking(at_ten) == "还没有 09-17 的净值"
    late = facts(now=NOW + 2 * timedelta(hours=1), stored={"newest": dict.fromkeys(
        STORED.newest, 20260916)})  # fmt: skip
    assert current.lacking(late) == (
        "还没有 09-17 的净值；3 张表过期：fund_nav、validated_nav、fund_metrics"
    )


def test_what_is_under_way_keeps_an_end_back():
    """Stops a recovery while the retry runs, or before the wave is judged."""
    assert not current.unsettled(WELL)
    assert current.unsettled(facts(stored={"unjudged": True}))
    for job, waits in (
        ("daily_pipeline", True),
        ("__ASSET_JOB", True),
        ("history_backfill", False),
    ):
        assert current.unsettled(facts(dagster={"under_way": {job: NOW}})) is waits


def test_a_failed_collection_explains_what_is_late():
    """Stops one dead source from being told as a run and as three late tables."""
    given = facts(
        now=NOW + DAY, stored={"newest": dict.fromkeys(STORED.newest, 20260916)},
        dagster={"failed_runs": (failed(),)},
    )  # fmt: skip
    assert len(found(given)) == 4
    assert told(given) == {"run_failed:daily_collection"}


@pytest.mark.parametrize(
    ("age", "severity"),
    [
        (119.9, None),
        (120.0, Severity.WARNING),
        (299.9, Severity.WARNING),
        (300.0, Severity.CRITICAL),
    ],
)
def test_a_daemon_without_a_heartbeat(age, severity):
    """Stops a dead daemon from passing for half an hour, as Dagster's own tolerance lets it."""
    beats = tuple(Heartbeat(name, NOW, age) for name in ("SENSOR", "SCHEDULER"))
    given = found(facts(dagster={"daemons": beats}))
    assert [(f, a.severity) for f, a in given.items()] == (
        [("daemon_dead:dagster", severity)] if severity else []
    )


def test_a_daemon_that_never_ran_is_not_missed():
    """Stops those who start every run by hand from being alarmed."""
    assert alerts(facts(dagster={"daemons": ()})) == []


def missed(*times, trading=True):
    moments = [datetime.fromisoformat(t).replace(tzinfo=SHANGHAI) for t in times]
    return (Ticking("daily_collection", None, "", tuple((t, trading) for t in moments)),)


@pytest.mark.parametrize(
    ("time", "trading", "fingerprint"),
    [
        ("2026-09-17T19:00", True, "tick_missed:daily_collection:20260917T1900"),
        ("2026-09-25T19:00", True, None),  # Mid-Autumn: the tick would have been skipped
        ("2026-10-01T07:30", False, "tick_missed:daily_collection:20261001T0730"),
    ],
)
def test_missed_ticks(time, trading, fingerprint):
    """Stops a lost tick from being unseen, and a holiday's tick from being missed by anybody."""
    late = dict.fromkeys(STORED.newest, 20260911)
    given = facts(
        stored={"newest": late},
        dagster={"ticking": missed(time, trading=trading), "renewed": {}},
    )
    told = {one for one in found(given) if one.startswith("tick_missed")}
    assert told == ({fingerprint} if fingerprint else set())


@pytest.mark.parametrize(
    ("time", "newest", "made_up"),
    [
        ("2026-09-17T19:00", 20260917, True),
        ("2026-09-17T19:00", 20260916, False),
        ("2026-09-18T07:30", 20260917, True),  # the morning's wave is about the evening before
        ("2026-09-18T07:30", 20260916, False),
    ],
)
def test_a_missed_tick_that_was_made_up_is_not_told(time, newest, made_up):
    """Stops a message about an evening that a later wave has brought whole."""
    given = facts(
        stored={"newest": dict.fromkeys(STORED.newest, newest)},
        dagster={"ticking": missed(time, trading=False)},
    )
    told = {one for one in found(given) if one.startswith("tick_missed")}
    assert bool(told) is not made_up
    part = facts(
        stored={"newest": {**dict.fromkeys(STORED.newest, newest), "fund_metrics": 20260911}},
        dagster={"ticking": missed(time, trading=False)},
    )
    assert any(one.startswith("tick_missed") for one in found(part))


def test_a_missed_sunday_is_told_until_it_is_made_up():
    """Stops weeks without scores and report that nobody hears of, and an alarm for a job that
    began in time and asks for histories for hours."""
    week = {"missing_week": "2026-W38"}
    (alert,) = alerts(facts(stored=week))
    assert (alert.fingerprint, alert.severity) == (
        "week_missing:weekly_full_calc", Severity.WARNING,
    )  # fmt: skip
    assert alert.words.startswith("2026-W38 的周日任务没有做完")
    sunday = datetime(2026, 9, 20, 5, tzinfo=SHANGHAI)
    for began, is_told in ((2, False), (3, False), (3.1, True)):
        under_way = {
            "weekly_full_calc": datetime(2026, 9, 20, tzinfo=SHANGHAI) + timedelta(hours=began)
        }
        given = facts(at=sunday, stored=week, dagster={"under_way": under_way})
        assert bool(set(found(given)) & {"week_missing:weekly_full_calc"}) == is_told
    # The lost tick is the same trouble.
    ticking = (Ticking("weekly_full_calc", None, "", ((sunday.replace(hour=2), False),)),)
    given = facts(at=sunday, stored=week, dagster={"ticking": ticking})
    assert len(found(given)) == 2 and told(given) == {"week_missing:weekly_full_calc"}
    assert (
        "由 week_sensor 补做"
        in found(given)["tick_missed:weekly_full_calc:20260920T0200"].words
    )


def test_a_dead_daemon_explains_missed_ticks_and_late_data():
    """Stops a dead daemon from being told five times."""
    given = facts(
        now=NOW + DAY, stored={"newest": dict.fromkeys(STORED.newest, 20260916)},
        dagster={"ticking": missed("2026-09-17T19:00"), "daemons": (Heartbeat("SENSOR", NOW, 900),)},
    )  # fmt: skip
    assert len(found(given)) == 5
    assert told(given) == {"daemon_dead:dagster"}


def test_failed_ticks():
    """Stops an error in a schedule or sensor from being seen by nobody."""
    ticking = (Ticking("gap_sensor", NOW, "KeyError: 'x'", ()),)
    alert = found(facts(dagster={"ticking": ticking}))["tick_failed:gap_sensor"]
    assert alert.words == "09-17 21:40 KeyError: 'x'"


@pytest.mark.parametrize(
    ("today", "severity"),
    [
        ("2026-11-01", None),
        ("2026-11-02", Severity.WARNING),
        ("2026-12-24", Severity.WARNING),
        ("2026-12-25", Severity.CRITICAL),
        ("2027-01-02", Severity.CRITICAL),
    ],
)
def test_the_calendar_ends(today, severity):
    """Stops the calendar from ending unseen, and its end from stopping all alerts."""
    now = datetime.combine(date.fromisoformat(today), NOW.timetz())
    have = to_key(CALENDAR.due(min(now, datetime(2026, 12, 31, 12, tzinfo=SHANGHAI))))
    given = facts(now=now, stored={"newest": dict.fromkeys(STORED.newest, have)})
    assert {f: a.severity for f, a in found(given).items()} == (
        {"calendar_horizon:calendar": severity} if severity else {}
    )
    assert ("freshness" in unknown(given)) == (now.year == 2027)
    warned = replace(
        given,
        stored=replace(given.stored, first_wave=20260917),
        dagster=replace(given.dagster, failing_checks=(failing("R10_jump", "WARN"),)),
    )
    assert "check_failed:fund_nav/R10_jump" in found(warned)


def test_an_invented_calendar_does_not_end():
    """Stops a simulated market from alarming at the end of a real calendar."""
    now = datetime(2027, 3, 1, 12, tzinfo=SHANGHAI)
    invented = TradingCalendar.build(invent_until=date(2027, 12, 31))
    newest = dict.fromkeys(STORED.newest, 20270226)
    assert alerts(facts(now=now, calendar=invented, stored={"newest": newest})) == []


@pytest.mark.parametrize(
    ("free", "severity"),
    [
        (2_000_000_000, None), (1_999_999_999, Severity.WARNING),
        (200_000_000, Severity.WARNING), (199_999_999, Severity.CRITICAL),
    ],
)  # fmt: skip
def test_the_disk(free, severity):
    """Stops a full disk from being found by the run that fails on it."""
    given = found(facts(disk_free_bytes=free))
    assert [a.severity for a in given.values()] == ([severity] if severity else [])


def test_a_source_that_refuses_us():
    """Stops a ban from being found by the data that are missing, or told as one more failed run."""
    refusal = Refusal(NOW.timestamp() + 1_800, "status 514")
    given = found(facts(refusals={"a.example": refusal}))
    assert set(given) == {"source_refuses:a.example"}
    (alert,) = given.values()
    assert alert.severity is Severity.WARNING
    until = moment(refusal.until)
    assert alert.words == f"拒绝访问，{until:%m-%d %H:%M} 前不再请求：status 514"
    unreached = replace(refusal, reached=False)
    (alert,) = found(facts(refusals={"a.example": unreached})).values()
    assert alert.words.startswith("连接不上，")


@pytest.mark.parametrize(("rows", "alarms"), [(499, False), (500, True)])
def test_the_quarantine(rows, alarms):
    """Stops rows from waiting for a person who does not know of them."""
    given = found(facts(stored={"quarantined": rows}))
    assert set(given) == ({"quarantine_backlog:rows"} if alarms else set())


@pytest.mark.parametrize(
    "dagster",
    [
        {"failed_runs": (failed("source_canary", lost=()),)},
        {"failing_checks": (failing("source_canary_columns", "WARN"),)},
    ],
)
def test_the_canary_warns(dagster):
    """Stops a source that changed at 18:30 from being found at 19:00."""
    (alert,) = alerts(facts(dagster=dagster))
    assert (alert.kind, alert.severity) == ("source_canary", Severity.WARNING)
    came = {**DAGSTER.renewed, "fund_nav": NOW + DAY}
    assert alerts(facts(dagster={**dagster, "renewed": came})) == [], "the evening went well"


def test_a_dead_warehouse_hides_what_stands_in_it():
    """Stops recoveries and alarms about tables that nobody can read."""
    given = replace(WELL, stored=None, trouble={"warehouse": "读不出来"}, now=NOW + 9 * DAY)
    assert set(found(given)) == {"database_unreachable:warehouse"}
    assert unknown(given) == current.FROM_WAREHOUSE


def test_dead_records_hide_what_stands_in_them():
    """Stops a dead Dagster storage from looking like an evening without failures."""
    given = replace(WELL, dagster=None, trouble={"dagster": "读不出来"}, now=NOW + 9 * DAY)
    assert set(found(given)) == {"database_unreachable:dagster"}
    assert unknown(given) == current.FROM_DAGSTER


def test_a_storm_of_runs_ends_no_alert_that_it_hides():
    """Stops thousands of failures from pushing an older one out of sight, as if it were over."""
    assert unknown(facts(dagster={"whole": False})) == current.FROM_RUNS


def test_every_kind_can_be_told():
    """Stops a kind that no fact leads to."""
    raised = {current.UNWRITABLE.kind}
    raised |= {alert.kind for alert in ahead([], [], [NOW + timedelta(hours=1)], NOW)}
    held = {"batch_id": "b", "newest_date": 20260917}
    for given in (
        facts(
            now=datetime(2026, 12, 28, 12, tzinfo=SHANGHAI),
            disk_free_bytes=1, trouble={"dagster": "x"},
            refusals={"a.example": Refusal(0.0, "status 514")},
            stored={
                "quarantined": 10**6,
                "missing_week": "2026-W52",
                "lost": (Loss(date(2026, 9, 16), 26_000, 0),),
                "newest": dict.fromkeys(STORED.newest, 20260916),
                "held": (
                    {**held, "kind": "wave", "held_because": "R17_mass_revision: x"},
                    {**held, "kind": "history", "held_because": "R04_unique: x"},
                ),
            },
            dagster={
                "failed_runs": (failed(), failed("source_canary")),
                "failing_checks": (failing("R02_row_count"), failing("arrival_band", "WARN")),
                "daemons": (Heartbeat("SENSOR", NOW, 1e4),),
                "rivals": NOW,
                "ticking": (
                    Ticking("a", NOW, "x", ()), *missed("2026-09-17T19:00"),
                ),
            },
        ),
    ):  # fmt: skip
        raised |= {alert.kind for alert in alerts(given)}
    raised |= {alert.kind for alert in alerts(facts(stored={"purchases": (CHANGE,)}))}
    assert raised == set(KINDS)


def test_a_change_of_a_watched_fund_is_told_once_with_both_values():
    """Stops a change from being told with every look, without its old value, or as a fault."""
    given = facts(stored={"purchases": (CHANGE,)}, watched=frozenset({"000001"}))
    alert = found(given)["limit_changed:000001:20260917200000"]
    assert alert.severity is Severity.NOTICE
    assert alert.words == "华夏成长混合：开放 → 限大额（每天 1,000 元）"
    states, first = advance({}, alerts(given), NOW)
    assert [t.state.subject for t in first] == ["000001"]
    known = {state.fingerprint: state for state in states}
    for hours in (1, 5, 23):
        _, again = advance(known, alerts(given), NOW + timedelta(hours=hours))
        assert again == [], "it is told once"
    over, ended = advance(known, [], NOW + timedelta(hours=25))
    assert ended == [] and [state.firing for state in over] == [False], "its end is not told"


def test_changes_of_other_funds_are_one_alert_for_each_evening():
    """Stops a market that closes before a holiday from being hundreds of alerts."""
    shut = CHANGE._replace(kind="closed", now=Trade("suspended", "suspended", "unstated"))
    many = [shut._replace(fund_code=f"{n:06}") for n in range(2, 301)]
    later = CHANGE._replace(fund_code="000002", at=20260917_213000)
    given = facts(stored={"purchases": (CHANGE, *many, later)}, watched=frozenset({"000001"}))
    got = found(given)
    assert set(got) == {
        "limit_changed:000001:20260917200000",
        "limit_changed:market:20260917200000",
        "limit_changed:market:20260917213000",
    }
    words = got["limit_changed:market:20260917200000"].words
    assert words.startswith(
        "299 只（停止申购 299）：000002 华夏成长混合 开放 → 暂停；赎回：开放 → 暂停；"
    )
    assert words.endswith("；全部见周报") and words.count("华夏成长混合") == 5
    assert got["limit_changed:market:20260917213000"].words.startswith("1 只（限额变化 1）：")


def test_what_became_of_purchases_is_unknown_without_the_warehouse():
    """Stops a change from being forgotten, and told a second time, when the warehouse is down."""
    assert "limit_changed" in unknown(replace(WELL, stored=None))
