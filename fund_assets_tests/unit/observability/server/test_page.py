"""The status page: what it says, that data stays text, and the verdict behind it."""

from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from fund_assets.language import say
from fund_assets.observability import findings
from fund_assets.observability.check_records import FailingCheck
from fund_assets.observability.conditions import Level
from fund_assets.observability.findings import VERDICTS, Finding
from fund_assets.observability.run_records import FailedRun
from fund_assets.observability.server import verdict
from fund_assets.observability.server.page import Page, curve
from fund_assets.observability.sessions import Freshness
from fund_assets.observability.vitals import EveningWave, Heartbeat, RunSummary
from fund_assets.transport.circuit_breaker import Refusal
from fund_assets.warehouse.stores.date_counts import Loss
from fund_assets_tests.unit.observability.test_dashboard import (
    AT,
    DUE,
    EMPTY,
    FULL,
    HOUR,
    lines,
)

UI = "http://127.0.0.1:3000"
EVIL = """<b>海岳</b> "A" 'B' & <script>alert(1)</script> 🚀 {{ 7 * 7 }}"""


class Seen(HTMLParser):
    """The texts, tags and links of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self.links = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


RICH = replace(
    FULL,
    last_session=date(2026, 9, 18),
    expected_by=AT,
    today_nav_count=22_344,
    nav_rows=18_637_564,
    fund_count=26_000,
    evening=(
        EveningWave(AT - timedelta(hours=2), 9_000, 0.39),
        EveningWave(AT, 22_344, 0.9645),
    ),
    runs=(
        RunSummary("run/1?", "daily_pipeline", "failure", AT, AT, 12.0),
        RunSummary("run2", EVIL, "started", AT, AT, None),
    ),
    daemons=(Heartbeat("SENSOR", AT, 400.0),),
    disk_free_bytes=50_000_000_000,
)


def test_data_stays_text():
    """Stops a fund named <b> or <script> from becoming markup, wherever it is shown."""
    check = FailingCheck("validated_nav", EVIL, "WARN", AT, "run1", 1, 1, EVIL)
    evil = replace(
        RICH,
        findings=(Finding("runs:failed", Level.HARM, EVIL),),
        failing_checks=(check,),
        quarantine=((EVIL, 3),),
        source=EVIL,
    )
    seen = Seen(Page(UI).render(evil))
    assert seen.text.count(" ".join(EVIL.split())) == 6
    assert "script" not in seen.tags
    assert seen.tags.count("b") == 6  # the verdict and five figures


def test_words_and_links():
    """Stops a figure from standing in the wrong place, and a link that leads nowhere."""
    seen = Seen(Page(UI + "/").render(RICH))
    for words in (
        "✗ 有问题", "22,344", "18,637,564", "26,000 个份额类别", "3 日", "无数据", "99.9%",
        "39.0%", "96.4%", "失败", "进行中", "R08_jump_unconfirmed", "被拦截", "6.7 分前",
        "2026-12-31", "时钟由 FUND_CLOCK 固定",
    ):  # fmt: skip
        assert words in seen.text, words
    assert f"{UI}/runs/run%2F1%3F" in seen.links
    assert f"{UI}/assets/fund_nav?view=checks&checkDetail=R05_header_dates" in seen.links
    outside = [
        link
        for link in seen.links
        if not link.startswith(UI) and not link.startswith(("h", "m"))
    ]
    assert outside == []


def test_empty_and_unavailable():
    """Stops the first evening, or a lost database, from breaking the page itself."""
    seen = Seen(Page(UI).render(replace(EMPTY, last_session=date(2026, 9, 18), expected_by=AT)))
    for words in ("还没有合并的批次", "7 天内没有运行", "没有隔离的数据", "从未启动"):
        assert words in seen.text
    for code in verdict.DATABASE:
        assert f"错误代码：{code}" in Seen(Page(UI).unavailable(code, AT)).text


def test_curve_lies_within_its_frame():
    """Stops points outside the drawing, and a division by no distance."""
    for shares in ((0.0,), (1.0,), (0.2, 0.5, 1.0)):
        waves = tuple(EveningWave(AT, 1, share) for share in shares)
        drawn = curve(replace(RICH, evening=waves))
        heights = [point["y"] for point in drawn["points"]]
        assert heights == [12 + 120 * (1 - share) for share in shares]
        assert all(44 < point["x"] < 520 for point in drawn["points"])
    assert curve(EMPTY) is None


def test_the_band_of_earlier_evenings_lies_behind_the_curve():
    """Stops an evening from being drawn without what is usual, and a first one from failing."""
    known = (EveningWave(AT, 1, 0.5, 0.55, 0.4), EveningWave(AT, 2, 0.9, 0.95, 0.8))
    drawn = curve(replace(RICH, evening=(*known, EveningWave(AT, 3, 1.0))))
    left, middle, _ = (point["x"] for point in drawn["points"])
    assert drawn["band"] == f"{left},66.0 {middle},18.0 {middle},36.0 {left},84.0"
    words = Seen(Page(UI).render(replace(RICH, evening=known))).text
    assert "以往晚上 55.0%，不低于 40.0%" in words and "灰带" in words
    assert curve(RICH)["band"] == ""
    assert "灰带" not in Seen(Page(UI).render(RICH)).text


GOOD = replace(
    EMPTY,
    last_session=date(2026, 9, 18),
    expected_by=AT,
    freshness=tuple(
        Freshness(table, date(2026, 9, 18), DUE, HOUR, 0, 0.0, AT, True)
        for table in ("validated_nav", "fund_info")
    ),
    daemons=(Heartbeat("SENSOR", AT, 1.0),),
    runs=(RunSummary("r", "daily_pipeline", "success", AT, AT, 1.0),),
    calendar_days_left=100,
    disk_free_bytes=50_000_000_000,
)
BATCH = {"batch_id": "w1", "held_because": "R05"}
FAILED = FailingCheck("validated_nav", "R08", "ERROR", AT, "r", 1, 9, "")
TRIED = FailingCheck("fund_nav", "source_canary_open", "WARN", AT, "r", 1, 9, "")
RUN = FailedRun("daily_metrics", "r", AT, 1, False, (), "no space")
LATE = replace(GOOD.freshness[0], ok=False, sessions_behind=1)
NO_DATA = replace(GOOD.freshness[0], newest=None, ok=False, sessions_behind=None)
LATER = AT + timedelta(minutes=1)
LOSS = Loss(date(2026, 9, 16), 400, 0)
ALERT = {
    "fingerprint": "tick_failed:gap_sensor", "kind": "tick_failed", "severity": "warning",
    "subject": "gap_sensor", "words": "no such table",
}  # fmt: skip


def daemon(age_s):
    return findings.silent([Heartbeat("SENSOR", AT, age_s)])


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((), "healthy"),
        (findings.held([BATCH]), "degraded"),
        (findings.failed((), (FAILED,), None), "degraded"),
        (findings.failed((), (replace(FAILED, severity="WARN"),), None), "healthy"),
        (
            findings.failed((), (replace(FAILED, check="trading_day_freshness"),), None),
            "healthy",
        ),
        (findings.failed((), (replace(FAILED, check="calendar_horizon"),), None), "healthy"),
        (findings.failed((), (TRIED,), None), "degraded"),
        (findings.failed((), (TRIED,), LATER), "healthy"),  # the evening has come in after all
        (findings.failed((RUN,), (), None), "degraded"),
        (findings.failed((replace(RUN, job="source_canary"),), (), LATER), "healthy"),
        (daemon(119.0), "healthy"),
        (daemon(120.0), "degraded"),
        (daemon(300.0), "unhealthy"),
        (findings.calendar_ends(60, invented=False), "healthy"),
        (findings.calendar_ends(59, invented=False), "degraded"),
        (findings.calendar_ends(-1, invented=False), "degraded"),
        (findings.calendar_ends(-1, invented=True), "healthy"),  # the simulated market's
        (findings.full(2_000_000_000), "healthy"),
        (findings.full(1_999_999_999), "degraded"),
        (findings.full(100), "unhealthy"),
        (findings.late((GOOD.freshness[0],), 20260901), "healthy"),
        (findings.late((LATE,), 20260901), "unhealthy"),
        (findings.late((replace(LATE, table="fund_info"),), 20260901), "degraded"),
        (findings.late((NO_DATA,), 20260917), "healthy"),  # the first evening
        (findings.late((NO_DATA,), 20260916), "unhealthy"),
        (findings.late((NO_DATA,), None), "degraded"),  # nothing has run yet
        (findings.missing([date(2026, 9, 16)]), "degraded"),
        (findings.lost([LOSS]), "unhealthy"),
        (findings.refused({"a.cn": Refusal(2e9, "busy")}), "degraded"),
        (findings.alarmed([ALERT], tables_late=False), "degraded"),
        (findings.alarmed([{**ALERT, "severity": "notice"}], tables_late=False), "healthy"),
        (findings.alarmed([{**ALERT, "kind": "run_failed"}], tables_late=False), "healthy"),
        (findings.alarmed([{**ALERT, "kind": "freshness"}], tables_late=False), "degraded"),
        (findings.alarmed([{**ALERT, "kind": "freshness"}], tables_late=True), "healthy"),
    ],
)
def test_one_verdict_for_all_that_show_it(found, expected):
    """Stops a fault that is not told, an alarm about what is no fault, and a dashboard, page and
    `/health` that say different things of the same state."""
    status = replace(GOOD, findings=tuple(found))
    assert status.verdict == expected
    assert (status.healthy, status.as_json()["verdict"]) == (expected == "healthy", expected)
    answer = verdict.health(status)
    assert answer["status"] == expected
    assert verdict.http_status(answer) == (503 if expected == "unhealthy" else 200)
    states = {check["status"] for group in answer["checks"].values() for check in group}
    assert states - {"pass"} == {
        "healthy": set(), "degraded": {"warn"}, "unhealthy": {"fail"}
    }[expected]  # fmt: skip
    words = say(VERDICTS[expected])
    assert words in Seen(Page(UI).render(status)).text
    assert any(words in line for line in lines(status, 92))


def test_an_alert_that_the_facts_show_no_more_is_over_by_now():
    """Stops an alert list that says both that something holds and that all is well."""
    held = tuple(findings.held([BATCH]))
    assert findings.over_by_now("held_publish", ())
    assert not findings.over_by_now("held_publish", held)
    assert findings.over_by_now("run_failed", held)
    assert not findings.over_by_now("tick_failed", ())
