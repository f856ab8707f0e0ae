"""The table of conditions: each row is in every view, and no limit stands a second time."""

import ast
import json
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from fund_assets.observability import findings
from fund_assets.observability.alerts import current
from fund_assets.observability.alerts.catalog import KINDS
from fund_assets.observability.alerts.lifecycle import ahead
from fund_assets.observability.conditions import (
    CALENDAR_HORIZON,
    CONDITIONS,
    DAEMON_DEAD,
    DISK_LOW,
    Level,
    Limit,
    Severity,
)
from fund_assets.observability.server import verdict
from fund_assets.observability.server.exposition import encode
from fund_assets.observability.server.page import Page
from fund_assets.observability.status import Requests
from fund_assets.observability.status_reader import absent
from fund_assets.observability.ticks import Ticking
from fund_assets.observability.vitals import Heartbeat
from fund_assets.settings import SHANGHAI, Settings
from fund_assets.transport.circuit_breaker import Refusal
from fund_assets.warehouse.stores.date_counts import Loss
from fund_assets_tests.syntax import tree_of
from fund_assets_tests.unit.observability.alerts.test_current import (
    CHANGE,
    NOW,
    STORED,
    facts,
    failed,
    failing,
    missed,
)
from fund_assets_tests.unit.observability.server.test_page import Seen
from fund_assets_tests.unit.observability.test_dashboard import FULL, lines

ROOT = Path(__file__).resolve().parents[3]
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


def held(because):
    batch = {"batch_id": "b", "kind": "wave", "newest_date": 20260917, "held_because": because}
    return facts(stored={"held": (batch,)})


def late(newest):
    return facts(stored={"newest": dict.fromkeys(STORED.newest, newest)})


def silent(age_s):
    return facts(dagster={"daemons": (Heartbeat("SENSOR", NOW, age_s),)})


def on(*day):
    return facts(now=datetime(*day, 12, tzinfo=SHANGHAI))


#: Condition → facts that make it true, one for each severity, as grave as the key says.
TRUE = {
    "run_failed": {WARNING: facts(dagster={"failed_runs": (failed(),)})},
    "check_failed": {
        Severity.NOTICE: facts(dagster={"failing_checks": (failing("R13_staleness", "WARN"),)}),
        WARNING: facts(dagster={"failing_checks": (failing("R02_row_count"),)}),
        CRITICAL: facts(dagster={"failing_checks": (failing("R17_mass_revision"),)}),
    },
    "evening_behind": {WARNING: facts(dagster={"failing_checks": (
        failing("arrival_band", "WARN"),)})},
    "freshness": {WARNING: late(20260915), CRITICAL: late(20260914)},
    "rows_lost": {CRITICAL: facts(stored={"lost": (Loss(date(2026, 9, 16), 26_000, 0),)})},
    "week_missing": {WARNING: facts(stored={"missing_week": "2026-W37"})},
    "tick_missed": {WARNING: facts(dagster={"ticking": missed("2026-09-17T21:30")},
                                   stored={"newest": dict.fromkeys(STORED.newest, 20260916)})},
    "tick_failed": {WARNING: facts(dagster={"ticking": (Ticking("a", NOW, "x", ()),)})},
    "daemon_twice": {WARNING: facts(dagster={"rivals": NOW})},
    "daemon_dead": {WARNING: silent(120.0), CRITICAL: silent(300.0)},
    "held_publish": {WARNING: held("R02_row_count: 30 rows of 60")},
    "mass_revision": {CRITICAL: held("R17_mass_revision: x")},
    "calendar_horizon": {WARNING: on(2026, 11, 3), CRITICAL: on(2026, 12, 28)},
    "quarantine_backlog": {WARNING: facts(stored={"quarantined": 500})},
    "source_canary": {WARNING: facts(dagster={"failed_runs": (failed("source_canary",
                                              at=NOW + timedelta(minutes=1)),)})},
    "source_refuses": {WARNING: facts(refusals={"a.example": Refusal(0.0, "status 514")})},
    "limit_changed": {Severity.NOTICE: facts(stored={"purchases": (CHANGE,)})},
    "disk_low": {WARNING: facts(disk_free_bytes=1_999_999_999),
                 CRITICAL: facts(disk_free_bytes=199_999_999)},
    "database_unreachable": {CRITICAL: facts(trouble={"warehouse": "x"})},
}  # fmt: skip
#: Told by what looks do, not by facts.
BY_LOOKING = {
    "clock_wrong": (*ahead([], [], [NOW + timedelta(hours=1)], NOW),),
    "database_unwritable": (current.UNWRITABLE,),
}
CASES = [
    *((name, severity) for name, by_severity in TRUE.items() for severity in by_severity),
    *((alert.kind, alert.severity) for alerts in BY_LOOKING.values() for alert in alerts),
]


def alerts_of(name, severity):
    if name in BY_LOOKING:
        return list(BY_LOOKING[name])
    return [a for a in current.alerts(TRUE[name][severity]) if a.kind == name]


def found_in(given):
    """The findings of these facts, as `status_reader.gather` asks for them."""
    stored, dagster = given.stored, given.dagster
    fresh = tuple(findings.late(given.freshness, stored.first_wave))
    left = given.calendar.days_left(given.now.date())
    stored_alerts = [
        {"fingerprint": a.fingerprint, "kind": a.kind, "subject": a.subject,
         "severity": a.severity.name.lower(), "words": a.words}
        for a in current.alerts(given)
    ]  # fmt: skip
    return (
        *fresh,
        *findings.lost(stored.lost),
        *findings.held(stored.held),
        *findings.failed(
            dagster.failed_runs, dagster.failing_checks, dagster.renewed.get("fund_nav")
        ),
        *findings.silent(dagster.daemons),
        *findings.full(given.disk_free_bytes),
        *findings.calendar_ends(left, invented=False),
        *findings.refused(given.refusals),
        *findings.alarmed(stored_alerts, tables_late=bool(fresh)),
    )


def finding_of(name, severity):
    """What the verdict has of a condition; None when it makes nothing of it."""
    row = CONDITIONS[name]
    if name == "database_unreachable":
        (found,) = absent(Settings()).findings
        return found
    if name in BY_LOOKING:
        (alert,) = BY_LOOKING[name]
        stored = {"fingerprint": alert.fingerprint, "kind": alert.kind, "words": alert.words,
                  "subject": alert.subject, "severity": alert.severity.name.lower()}  # fmt: skip
        (found,) = findings.alarmed([stored], tables_late=False)
        return found
    names = row.health or ("alerts:holding",)
    found = [f for f in found_in(TRUE[name][severity]) if f.check in names]
    return max(found, key=lambda finding: finding.level, default=None)


def test_every_row_is_made_true_in_all_its_severities():
    """Stops a condition that the tests below leave out."""
    asked = {(name, severity) for name, row in CONDITIONS.items() for severity in row.levels}
    assert set(CASES) == asked - {("sessions_missing", WARNING)}
    assert all(name == row.name and row.levels for name, row in CONDITIONS.items())


@pytest.mark.parametrize(("name", "severity"), CASES)
def test_a_condition_that_holds_is_in_every_view(name, severity):
    """Stops what is wrong from being told by one view and not, or as less grave, by another."""
    row = CONDITIONS[name]
    assert {alert.severity for alert in alerts_of(name, severity)} == {severity}
    finding = finding_of(name, severity)
    if row.levels[severity] is None:
        assert finding is None
        return
    assert finding.level is row.level(severity)
    status = replace(FULL, findings=(finding,))
    shown = Seen(Page("").render(status)).text
    assert finding.words in shown
    start = finding.words.split("：")[0].split(":")[0][:12]
    assert any(start in line for line in lines(status, 120))
    assert (finding.words in status.notices) == (finding.level is Level.SOON)
    assert (finding.words in status.problems) == (finding.level is not Level.SOON)
    answer = verdict.health(status)
    wrong = "unhealthy" if finding.level is Level.HARM else "degraded"
    assert answer["status"] == wrong
    if finding.check in verdict.OF_MANY:
        assert answer["checks"][finding.check][0]["status"] != verdict.PASS


def test_a_missing_day_is_in_every_view_but_the_messages():
    """Stops a condition without an alert, and without a word why."""
    assert [name for name, row in CONDITIONS.items() if row.no_alert] == ["sessions_missing"]
    (finding,) = findings.missing([date(2026, 9, 16)])
    row = CONDITIONS["sessions_missing"]
    assert (finding.check, finding.level) == (*row.health, row.level(WARNING))
    assert finding.check in verdict.health(replace(FULL, findings=(finding,)))["checks"]
    assert "sessions_missing" not in KINDS


def test_every_metric_of_the_table_is_told():
    """Stops a row that names a metric of which Prometheus hears nothing."""
    asked = (Requests("eastmoney", "ok", 9, 1.0),)
    told = encode(replace(FULL, requests=asked), "")[0].decode()
    names = {name.removesuffix("_total") for name in re.findall(r"^# TYPE (\S+)", told, re.M)}
    assert {row.metric for row in CONDITIONS.values()} <= names


@pytest.mark.parametrize(
    ("limit", "value", "grade"),
    [
        (DISK_LOW.limit, 2_000_000_000, None), (DISK_LOW.limit, 1_999_999_999, WARNING),
        (DISK_LOW.limit, 200_000_000, WARNING), (DISK_LOW.limit, 199_999_999, CRITICAL),
        (DAEMON_DEAD.limit, 119.9, None), (DAEMON_DEAD.limit, 120, WARNING),
        (DAEMON_DEAD.limit, 299.9, WARNING), (DAEMON_DEAD.limit, 300, CRITICAL),
        (CALENDAR_HORIZON.limit, 60, None), (CALENDAR_HORIZON.limit, 59, WARNING),
        (CALENDAR_HORIZON.limit, 7, WARNING), (CALENDAR_HORIZON.limit, 6, CRITICAL),
        (CALENDAR_HORIZON.limit, -1, CRITICAL), (Limit(""), 1e12, None),
        (CONDITIONS["rows_lost"].limit, 0.989, CRITICAL),
        (CONDITIONS["rows_lost"].limit, 0.99, None),
    ],
)  # fmt: skip
def test_limits_grade_to_the_last_unit(limit, value, grade):
    """Stops a limit that moves, or holds one unit too early."""
    assert limit.grade(value) is grade


#: What limits are about, by the names that the program gives it.
QUANTITIES = {
    "age_s", "silent_s", "free", "free_bytes", "disk_free_bytes", "days_left", "left",
    "calendar_days_left", "sessions_behind", "behind", "quarantined",
}  # fmt: skip
#: Comparisons that choose words of what the table has judged.
WORDS_ALONE = {"days_left < 0"}


def judged(source):
    """Comparisons of such a quantity with a number, or with a constant of its own."""
    for node in ast.walk(tree_of(source)):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        names = {getattr(side, "attr", getattr(side, "id", "")) for side in sides}
        numbers = [s for s in sides if isinstance(s, ast.Constant) and s.value is not None]
        limits = numbers or [name for name in names if name.isupper()]
        if names & QUANTITIES and limits and ast.unparse(node) not in WORDS_ALONE:
            yield ast.unparse(node)


def test_no_limit_stands_twice():
    """Stops a view from judging for itself, by a limit that goes its own way one day."""
    assert list(judged("x = beat.age_s >= 300\ny = free < DISK_FAIL_BYTES")) == [
        "beat.age_s >= 300", "free < DISK_FAIL_BYTES"
    ]  # fmt: skip
    package = ROOT / "fund_assets"
    files = [
        *(package / "observability").rglob("*.py"), *(package / "cli").glob("*.py"),
        *(package / "checks").glob("*.py"),
    ]  # fmt: skip
    assert len(files) > 60
    found = {
        (file.relative_to(package).as_posix(), words)
        for file in files
        for words in judged(file.read_text(encoding="utf-8"))
    }
    assert found == set()
    names = "|".join(QUANTITIES)
    for template in (package / "observability").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.findall(rf"\b(?:{names}) *[<>]=? *\d", text), template.name


def test_prometheus_and_grafana_have_the_limits_of_the_table():
    """Stops the second line from alarming at another limit than the first."""
    deploy = ROOT / "deploy"
    rules = yaml.safe_load((deploy / "prometheus/fund-assets.rules.yml").read_text("utf-8"))
    board = json.loads((deploy / "grafana/fund-assets.json").read_text("utf-8"))
    for row, told in (
        (DISK_LOW, {WARNING, CRITICAL}), (DAEMON_DEAD, {CRITICAL}), (CALENDAR_HORIZON, {WARNING})
    ):  # fmt: skip
        asked = {
            float(number)
            for group in rules["groups"]
            for rule in group["rules"]
            for number in re.findall(r" [<>] ([\d.e]+)$", rule["expr"])
            if row.metric in rule["expr"]
        }
        assert asked == {row.limit.of(severity) for severity in told}, row.name
        shown = {
            step["value"]
            for panel in board["panels"]
            if any(row.metric in target["expr"] for target in panel["targets"])
            for step in panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", ())
        }
        assert shown - {None} == {row.limit.of(WARNING), row.limit.of(CRITICAL)}, row.name
