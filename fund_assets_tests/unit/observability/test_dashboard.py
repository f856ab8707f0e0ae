"""The terminal dashboard: alignment, escaping and what it says."""

import io
import re
from dataclasses import replace
from datetime import date, datetime

import pytest
from rich.cells import cell_len
from rich.console import Console

from fund_assets.language import speaking
from fund_assets.observability.cells import sparkline
from fund_assets.observability.check_records import FailingCheck
from fund_assets.observability.conditions import Level
from fund_assets.observability.dashboard import (
    LEAST_WIDTH,
    MOST_WIDTH,
    dashboard,
    fit,
)
from fund_assets.observability.findings import Finding
from fund_assets.observability.run_records import JobStatistics
from fund_assets.observability.sessions import Freshness, SessionCoverage
from fund_assets.observability.status import BatchSummary, KindCoverage, Status
from fund_assets.observability.updates import AssetStatistics, Update
from fund_assets.observability.vitals import EveningWave, Heartbeat
from fund_assets.settings import SHANGHAI

AT = datetime(2026, 9, 18, 21, 40, tzinfo=SHANGHAI)
DUE = date(2026, 9, 17)
HOUR = datetime(2026, 9, 17, 23, 30, tzinfo=SHANGHAI)
EVIL = "[bold]海岳[/foo] ⚠️ ．ＱＤＩＩ（人民币）"

LATE = Finding(
    "tables:freshness", Level.HARM, "validated_nav 落后 3 个交易日", ("validated_nav",)
)

FULL = Status(
    now=AT,
    frozen=True,
    source="simulated",
    warehouse=f"/数据/很长的路径/{'目录/' * 20}warehouse.db",
    warehouse_bytes=1_234_567_890,
    exists=True,
    findings=(
        Finding("batches:held", Level.WRONG, f"批次 w1 被拦截：{EVIL * 5}"),
        LATE,
        Finding("calendar:horizon", Level.SOON, "交易日历只剩 37 天"),
    ),
    freshness=(
        Freshness("fund_nav", date(2026, 9, 18), DUE, HOUR, 0, 0.0, AT, True),
        Freshness("validated_nav", date(2026, 9, 14), DUE, HOUR, 3, 70.2, AT, False),
        Freshness("fund_metrics", None, DUE, HOUR, None, 22.2, None, False),
    ),
    coverage_on=date(2026, 9, 18),
    coverage=(
        KindCoverage("mixed", "混合型", 9_999, 10_000, 0.9999),
        KindCoverage("bond", "债券型", 12_345, 12_345, 1.0),
        KindCoverage("qdii", "QDII", 0, 812, 0.0),
    ),
    batches=(
        BatchSummary("w2", "wave", date(2026, 9, 18), AT, "held", 52_000, *[None] * 6),
        BatchSummary(
            "h1",
            "history",
            date(2026, 9, 18),
            AT,
            "published",
            18_400_000,
            18_399_000,
            1,
            5,
            2,
            3,
            4,
        ),
    ),
    updates=tuple(
        Update(AT, asset, f"run{n}", status, "2026-09-18", 52_000, 7, 123.4)
        for n, (asset, status) in enumerate(
            [("fund_nav", "succeeded"), (EVIL, "failed"), ("fund_info", "running")] * 4
        )
    ),
    jobs=(
        JobStatistics("daily_pipeline", 21, 20, 1, 20 / 21, 93.0),
        JobStatistics(EVIL, 1, 0, 0, None, None),
    ),
    assets=(
        AssetStatistics("fund_nav", 21, 20, 1, 1_040_000, 0, 20 / 21, 9.8),
        AssetStatistics("fund_metrics", 1, 0, 0, 0, 0, None, None),
    ),
    runs_ended=21,
    success_rate=20 / 21,
    sessions=tuple(
        SessionCoverage(date(2026, 8, day), day, share)
        for day, share in ((3, 0.0), (4, 0.0001), (5, 0.5), (6, 0.9999), (7, 1.0))
    ),
    evening=(EveningWave(AT, 50, 0.5, 0.55, 0.4), EveningWave(AT, 99, 0.99)),
    missing=(date(2026, 9, 15),),
    expected_by=HOUR,
    daemons=(Heartbeat("SENSOR", AT, 299.9), Heartbeat("SCHEDULER", AT, 3.0)),
    disk_free_bytes=1_500_000_000,
    rows_written=1_234,
    quarantine=(("R08_jump_unconfirmed", 12), (EVIL, 1)),
    revisions=3,
    failing_checks=(
        FailingCheck("fund_nav", "R05_header_dates", "ERROR", AT, "run1", 1, 1, EVIL * 3),
        FailingCheck("validated_nav", EVIL, "WARN", AT, "run1", None, None, ""),
    ),
    calendar_until=date(2026, 12, 31),
    calendar_days_left=104,
)
EMPTY = Status(AT, False, "akshare", "/w.db", 0, True, ())
ABSENT = replace(
    EMPTY, exists=False,
    findings=(Finding("database:connection", Level.HARM, "仓库尚未建立：请先运行 fund-assets run"),),
)  # fmt: skip


def lines(status, width):
    console = Console(file=io.StringIO(), width=width, highlight=False, color_system=None)
    console.print(dashboard(status, width))
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [LEAST_WIDTH, 76, 91, 92, 107, 108, MOST_WIDTH])
@pytest.mark.parametrize("status", [FULL, EMPTY, ABSENT], ids=["full", "empty", "absent"])
def test_every_line_has_the_same_width(status, width):
    """Stops Chinese, full-width and emoji texts from breaking the frame."""
    for line in lines(status, width):
        assert cell_len(line) == width, line


#: An ordinary evening: a market of 26,000 classes, names as they are.
USUAL = replace(
    FULL,
    findings=(LATE, FULL.findings[2]),
    updates=tuple(
        Update(AT, asset, f"run{n}", "running", "2026-09-18", 255_000, 52_000, 123.4)
        for n, asset in enumerate(("fund_nav", "benchmark_index", "history_recheck"))
    ),
    jobs=(JobStatistics("history_backfill", 1_234, 1_233, 1, 0.999, 1_500.0),),
    quarantine=(("R25_event_completeness", 1_234),),
    failing_checks=(
        FailingCheck("validated_nav", "R25_event_completeness", "WARN", AT, "run1", 9, 9, EVIL),
    ),
)


def test_sixty_columns_cut_nothing():
    """Stops a narrow terminal from hiding figures behind dots."""
    shown = "\n".join(lines(USUAL, 60))
    assert "…" not in shown
    for text in (
        "✗ 校验净值 09-14 09-17", "12,345/12,345", "history_backfill  1,234     99%   25.0 分",
        "新增1,840万", "255,000 52,000 2.1 分 进行中", "R25_event_completeness",
    ):  # fmt: skip
        assert text in shown, text


@pytest.mark.parametrize("width", [60, 124])
def test_what_matters_is_first_and_the_result_is_last(width):
    """Stops a verdict that has scrolled away when the last of the panels is printed."""
    shown = lines(USUAL, width)
    titles = [line for line in shown if line.startswith("╭")]
    assert "新鲜度" in titles[0]
    assert "基金数据平台" in titles[-1]
    assert [line[1:-1].strip() for line in shown[-4:-1]] == [
        "✗ 有问题：2 项", "• validated_nav 落后 3 个交易日", "! 交易日历只剩 37 天",
    ]  # fmt: skip
    shown = lines(ABSENT, width)
    assert "仓库尚未建立" in shown[-2]


def test_an_english_reader_sees_no_chinese():
    """Stops a heading that only a Chinese reader understands, and one that fits nowhere."""
    plain = replace(
        USUAL, failing_checks=(), quarantine=(), warehouse="/data/warehouse.db",
        findings=(Finding("tables:freshness", Level.HARM, "validated_nav is late"),),
    )  # fmt: skip
    for width in (60, 80, 124):
        with speaking("en"):
            shown = lines(plain, width)
        assert all(cell_len(line) == width for line in shown)
        assert not re.search(r"[\u4e00-\u9fff（）：，]", "\n".join(shown))
    with speaking("en"):
        narrow = "\n".join(lines(plain, 60))
    assert "…" not in narrow
    for text in ("✗ validated_nav 09-14  09-17", "12,345/12,345", "new:18.4M", "25.0 min",
                 "✗ Something is wrong: 1", "fund-assets nav 000001"):  # fmt: skip
        assert text in narrow, text


def test_texts_of_data_stay_as_they_are():
    """Stops a name such as [bold] from being eaten, or [/foo] from raising."""
    shown = "".join(lines(FULL, 124))
    assert "[bold]海岳[/foo]" in shown


def test_words():
    """Stops a figure from standing in the wrong place, or from being rounded to a lie."""
    shown = "\n".join(lines(FULL, 80))
    for text in (
        "✗ 有问题：3 项", "! 交易日历只剩 37 天", "时钟由 FUND_CLOCK 固定", "1.2 GB",
        "✓ 采集净值", "✗ 校验净值", "3 日", "无数据", "被拦截", "读入1,840万",
        "95%", "1.6 分", "R08_jump_unconfirmed", "另有 4 次", "✗ 错误", "! 警告",
        "已知至 2026-12-31", "fund-assets nav 000001", "09-17 23:30 前到齐", "3 日 70 时",
        "21 次结束，成功率 95.2%", "近日 5 日", "▁▂▅▇█", "当晚 2 轮", "1.5 GB", "5.0 分前",
    ):  # fmt: skip
        assert text in shown, text
    mixed = next(line for line in shown.splitlines() if "混合型" in line)
    assert "99.9%" in mixed, "9,999 of 10,000 are not all"
    assert "░" in mixed, "only a kind without a missing fund has a full bar"
    assert "░" not in next(line for line in shown.splitlines() if "债券型" in line)


@pytest.mark.parametrize(
    ("shares", "drawn"),
    [
        ([], ""),
        ([0.0, 1.0], "▁█"),
        ([0.00001, 0.99999], "▂▇"),  # neither none nor all
        ([1 / 6, 2 / 6, 3 / 6, 4 / 6], "▃▄▅▆"),
        ([-1.0, 2.0], "▁█"),
    ],
)
def test_sparkline(shares, drawn):
    """Stops a full block where funds are missing, and an index beyond the blocks."""
    assert sparkline(shares) == drawn


def test_absent_says_what_to_run():
    """Stops an empty dashboard on a machine where nothing has run."""
    shown = "\n".join(lines(ABSENT, 80))
    assert "仓库尚未建立：请先运行 fund-assets run" in shown
    assert "新鲜度" not in shown


@pytest.mark.parametrize(("columns", "width"), [(40, 60), (80, 80), (300, 124)])
def test_fit(columns, width):
    """Stops a dashboard that is stretched over a whole wall."""
    assert fit(columns) == width
