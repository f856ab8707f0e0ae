"""The terminal dashboard: a `Status` in Chinese, for a person at a terminal.

Belongs here: words, order and looks. Does not belong here: any fact or judgement
(`status.py`).

Every part is a panel as wide as the dashboard, so that all lines have the same width,
Chinese ones too. Where room is short, names go over several lines and figures stay whole. What
matters comes first, and the result last: there a terminal stands when all is printed. Texts
from the data are escaped: a fund may be named `[bold]`.
"""

from collections.abc import Iterable
from datetime import date, datetime

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from fund_assets.monitoring.findings import DEGRADED, HEALTHY, UNHEALTHY, VERDICTS
from fund_assets.monitoring.status import Status
from fund_assets.monitoring.vitals import HEARTBEAT_FAIL_S, HEARTBEAT_WARN_S

#: Narrower than the one, texts are cut; wider than the other, nothing is gained.
LEAST_WIDTH, MOST_WIDTH = 60, 124
#: From here on, columns stand two cells apart; each count of a batch has its column; two panels
#: stand side by side.
ROOMY, COUNTED, WIDE = 76, 92, 108
SHOWN_UPDATES, SHOWN_CHECKS = 8, 8

#: Cells of the coverage panel that are not the bar: kind, share, funds, gaps and border.
BESIDE_BAR = 38
#: And of its curve's: period, first and last share, gaps and border.
BESIDE_CURVE = 36
BLOCKS = "▁▂▃▄▅▆▇█"
UNITS = {"近日": "日", "当晚": "轮"}

TABLES = {
    "fund_info": "基金名录",
    "fund_events": "分红拆分",
    "fund_nav": "采集净值",
    "validated_nav": "校验净值",
    "benchmark_index": "基准指数",
    "fund_metrics": "基金指标",
    "fund_nav_rules": "批次规则",
    "nav_history": "历史补采",
    "history_recheck": "重算核对",
    "history_refetch": "历史重采",
    "fund_scores": "基金评分",
    "walk_forward": "前推检验",
    "warehouse_upkeep": "清理整理",
    "weekly_report": "周报",
}
STATES = {
    "succeeded": "[green]成功[/]",
    "failed": "[red]失败[/]",
    "canceled": "[yellow]取消[/]",
    "running": "[cyan]进行中[/]",
    "published": "[green]已合并[/]",
    "landed": "[cyan]待校验[/]",
    "held": "[red]被拦截[/]",
    "rejected": "[dim]已拒绝[/]",
}
BATCH_KINDS = {"wave": "全市场", "history": "历史", "events": "分红", "desk": "复核"}
SOURCES = {"simulated": "模拟市场", "akshare": "真实市场（akshare）"}
FIRST = (
    ("fund-assets run", "采集、校验、合并、计算，一次完成"),
    ("fund-assets doctor", "检查设置、数据源、数据库与日历"),
)
NEXT = (
    ("fund-assets nav 000001", "一只基金的历史净值"),
    *FIRST,
    ("make dev", "Dagster 界面 http://127.0.0.1:3000"),
)
NONE = "[dim]—[/]"
#: Verdict → its sign, and the colour of both.
MARKS = {HEALTHY: ("✓", "green"), DEGRADED: ("!", "yellow"), UNHEALTHY: ("✗", "red")}


def dashboard(status: Status, width: int) -> RenderableType:
    """The whole dashboard, `width` cells wide; `fit` tells which widths make sense."""
    if not status.exists:
        return Group(_next(FIRST), _head(status))
    half = width // 2 if width >= WIDE else width
    facts = [
        _freshness(status, half),
        _jobs(status, width < WIDE),
        _quality(status),
        _machine(status),
    ]
    covered = [_coverage(status, half), _curve(status, half)]
    checks = [_checks(status)] if status.failing_checks else []
    if width >= WIDE:
        beside = [_beside(facts[:2], covered[:1]), _beside(facts[2:], covered[1:])]
        first = [*beside, *checks]
    else:
        first = [facts[0], *covered, *checks, *facts[1:]]
    return Group(
        *first,
        _batches(status, width),
        _updates(status, width),
        _statistics(status),
        _next(NEXT),
        _head(status),
    )


def fit(columns: int) -> int:
    """The width of the dashboard on a terminal of so many columns."""
    return min(max(columns, LEAST_WIDTH), MOST_WIDTH)


def _panel(title: str, body: RenderableType, style: str = "blue") -> Panel:
    return Panel(body, title=f"[bold]{title}[/]", title_align="left", border_style=style)


def _beside(left: list[Panel], right: list[Panel]) -> Table:
    """Two columns of panels that hold tables, ending on the same line."""
    heights = [sum(p.renderable.row_count + 3 for p in column) for column in (left, right)]
    for column, height in zip((left, right), heights, strict=True):
        last = column[-1]
        last.height = last.renderable.row_count + 3 + max(heights) - height
    grid = Table.grid(expand=True)
    grid.add_column(ratio=1)
    grid.add_column(ratio=1)
    grid.add_row(Group(*left), Group(*right))
    return grid


def _table(*columns: str, right: Iterable[str] = (), wraps: str = "", gap: int = 2) -> Table:
    table = Table(box=None, padding=(0, gap, 0, 0), header_style="dim", pad_edge=False)
    for name in columns:
        table.add_column(
            name,
            justify="right" if name in right else "left",
            no_wrap=name != wraps,
            overflow="fold" if name == wraps else "ellipsis",
        )
    return table


def _head(status: Status) -> Panel:
    lines = Table.grid(padding=(0, 1, 0, 0))
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    mark, style = MARKS[status.verdict]
    count = f"：{len(status.findings)} 项" if status.findings else ""
    lines.add_row(
        f"[bold {style}]{mark}[/]", f"[bold {style}]{VERDICTS[status.verdict]}{count}[/]"
    )
    for problem in status.problems:
        lines.add_row("[red]•[/]", escape(problem))
    for notice in status.notices:
        lines.add_row("[yellow]![/]", escape(notice))
    clock = "（时钟由 FUND_CLOCK 固定）" if status.frozen else ""
    facts = Table.grid(padding=(0, 1, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("时间", f"{status.now:%Y-%m-%d %H:%M}{clock}")
    facts.add_row("来源", SOURCES.get(status.source, escape(status.source)))
    size = f"（{_size(status.warehouse_bytes)}）" if status.exists else ""
    facts.add_row("仓库", f"{escape(status.warehouse)}{size}")
    if status.exists:
        left = f"还有 {status.calendar_days_left} 天"
        facts.add_row("日历", f"已知至 {status.calendar_until}，{left}")
    return _panel("基金数据平台", Group(facts, lines), style)


def _gap(width: int) -> int:
    return 2 if width >= ROOMY else 1


def _freshness(status: Status, width: int) -> Panel:
    table = _table(
        "数据表", "最新", "应到", "落后", "上次更新", right=["落后"], gap=_gap(width)
    )
    for row in status.freshness:
        behind = f"{row.sessions_behind} 日" if row.sessions_behind is not None else "无数据"
        if row.hours_late:
            behind += f" {row.hours_late:.0f} 时"
        table.add_row(
            f"{'[green]✓[/]' if row.ok else '[red]✗[/]'} {TABLES[row.table]}",
            f"{_day(row.newest)}{'（暂定）' if row.provisional else ''}",
            _day(row.due),
            behind if row.ok else f"[red]{behind}[/]",
            _moment(row.renewed_at),
        )
    hour = f"，{status.expected_by:%m-%d %H:%M} 前到齐" if status.expected_by else ""
    return _panel(f"新鲜度（交易日{hour}）", table)


def _coverage(status: Status, width: int) -> Panel:
    table = _table("类型", "已公布", "比例", "基金", right=["比例", "基金"])
    bar = width - BESIDE_BAR
    for row in status.coverage:
        filled = int(row.share * bar)  # only a full bar is full
        table.add_row(
            row.label,
            f"[{_shade(row.share)}]{'█' * filled}[/][dim]{'░' * (bar - filled)}[/]",
            _percent(row.share),
            f"{row.published:,}/{row.active:,}",
        )
    return _panel(f"覆盖率（{_day(status.coverage_on)}）", table)


def _curve(status: Status, width: int) -> Panel:
    """Coverage over the last sessions, and over the waves of the newest one."""
    table = _table("时段", "走势", "起", "止", right=["起", "止"])
    room = width - BESIDE_CURVE
    for words, shares in (
        ("近日", [session.share for session in status.sessions][-room:]),
        ("当晚", [wave.share for wave in status.evening][-room:]),
    ):
        if shares:
            first, last = _percent(shares[0]), _percent(shares[-1])
            drawn = f"[{_shade(shares[-1])}]{sparkline(shares)}[/]"
            table.add_row(f"{words} {len(shares)} {UNITS[words]}", drawn, first, last)
    if not table.row_count:
        table.add_row("[dim]没有数据[/]", NONE, NONE, NONE)
    return _panel("覆盖率走势", table)


def sparkline(shares: Iterable[float]) -> str:
    """One block for each fraction; only 1 is a full block, only 0 is the lowest."""
    top = len(BLOCKS) - 1
    return "".join(
        BLOCKS[0 if share <= 0 else top if share >= 1 else 1 + int(share * (top - 1))]
        for share in shares
    )


def _jobs(status: Status, folds: bool) -> Panel:
    """Where panels stand side by side a row is a line, and a long name is cut."""
    figures = ("次数", "成功率", "平均用时")
    table = _table("任务", *figures, right=figures, wraps="任务" if folds else "")
    for job in status.jobs:
        rate = NONE if job.success_rate is None else f"{int(job.success_rate * 100)}%"
        if job.failed:
            rate = f"[red]{rate}[/]"
        table.add_row(escape(job.job), f"{job.runs:,}", rate, _seconds(job.mean_duration_s))
    if not status.jobs:
        table.add_row("[dim]没有运行[/]", NONE, NONE, NONE)
    rate = NONE if status.success_rate is None else f"{int(status.success_rate * 1000) / 10}%"
    return _panel(f"7 天运行（{status.runs_ended:,} 次结束，成功率 {rate}）", table)


def _quality(status: Status) -> Panel:
    table = _table("项目", "数量", right=["数量"])
    table.add_row("合并的行（7 天，新增、更正与补全）", f"{status.rows_written:,}")
    table.add_row("更正的净值（7 天）", f"{status.revisions:,}")
    table.add_row("  [dim]0.25 % 起，须报告[/]", f"{status.revisions_to_report:,}")
    table.add_row("  [dim]0.5 % 起，须公告[/]", f"{status.revisions_to_announce:,}")
    table.add_row("隔离中的行", f"{sum(n for _, n in status.quarantine):,}")
    for rule, count in status.quarantine:
        table.add_row(f"  [dim]{escape(rule)}[/]", f"{count:,}")
    failed = sum(n for outcome, n in status.requests_today if outcome != "ok")
    made = sum(n for _, n in status.requests_today)
    table.add_row("数据源请求（今日，其中失败）", f"{made:,} / {failed:,}")
    return _panel("数据质量", table)


def _machine(status: Status) -> Panel:
    table = _table("守护进程与磁盘", "", right=[""])
    for beat in status.daemons:
        words = f"{_seconds(beat.age_s)}前"
        tone = "red" if beat.age_s >= HEARTBEAT_FAIL_S else "yellow"
        late = beat.age_s >= HEARTBEAT_WARN_S
        table.add_row(escape(beat.daemon), f"[{tone}]{words}[/]" if late else words)
    if not status.daemons:
        table.add_row("守护进程", "[dim]从未启动[/]")
    free = status.disk_free_bytes
    table.add_row("磁盘剩余", NONE if free is None else _size(free))
    table.add_row("缺失的交易日（近两周）", f"{len(status.missing)}")
    if status.lost:
        table.add_row("丢了净值的日期", f"[red]{len(status.lost)}[/]")
    return _panel("系统", table)


def _batches(status: Status, width: int) -> Panel:
    counts = ("读入", "新增", "更正", "补全", "未变", "隔离", "待公布")
    counted = counts if width >= COUNTED else ("行数",)
    wraps = "" if width >= COUNTED else "行数"
    table = _table(
        "采集时间", "批次", "净值日", "状态", *counted, right=counts, wraps=wraps, gap=1
    )
    for row in status.batches:
        numbers = (row.rows_read, row.rows_new, row.rows_changed, row.rows_filled,
                   row.rows_unchanged, row.rows_quarantined, row.rows_pending)  # fmt: skip
        if width >= COUNTED:
            cells = [_count(number) for number in numbers]
        else:
            named = zip(counts, numbers, strict=True)
            # 读入1,840万: a line breaks between counts, never within one
            cells = [" ".join(f"{name}{_count(n)}".replace(" ", "") for name, n in named if n)]
        table.add_row(
            _moment(row.collected_at),
            BATCH_KINDS[row.kind],
            _day(row.newest_date),
            STATES[row.state],
            *cells,
        )
    return _panel("最近批次", table)


def _updates(status: Status, width: int) -> Panel:
    table = _table("时间", "数据表", "日期", "行数", "写入", "用时", "状态",
                   right=["行数", "写入", "用时"], wraps="数据表", gap=_gap(width))  # fmt: skip
    for row in status.updates[:SHOWN_UPDATES]:
        table.add_row(
            _moment(row.at),
            escape(TABLES.get(row.asset, row.asset)),
            row.data_date[5:] or NONE,
            _count(row.rows),
            _count(row.rows_written),
            _seconds(row.duration_s),
            STATES[row.status],
        )
    more = len(status.updates) - SHOWN_UPDATES
    rest = f"[dim]另有 {more} 次，见 Dagster 界面[/]" if more > 0 else ""
    if not status.updates:
        rest = "[dim]没有更新[/]"
    return _panel("24 小时更新", Group(table, rest) if rest else table)


def _statistics(status: Status) -> Panel:
    figures = ("次数", "成功率", "行数", "写入", "平均用时")
    table = _table("数据表", *figures, right=figures)
    for row in status.assets:
        rate = NONE if row.success_rate is None else f"{int(row.success_rate * 100)}%"
        table.add_row(
            TABLES.get(row.asset, row.asset),
            f"{row.updates:,}",
            f"[red]{rate}[/]" if row.failed else rate,
            _count(row.rows),
            _count(row.rows_written),
            _seconds(row.mean_duration_s),
        )
    if not status.assets:
        table.add_row("[dim]没有更新[/]", *[NONE] * len(figures))
    return _panel("7 天更新", table)


def _checks(status: Status) -> Panel:
    table = _table("级别", "行数", "检查与首例", right=["行数"], wraps="检查与首例")
    for row in status.failing_checks[:SHOWN_CHECKS]:
        error = row.severity == "ERROR"
        table.add_row(
            "[red]✗ 错误[/]" if error else "[yellow]! 警告[/]",
            _count(row.failed),
            f"{escape(row.check)}\n[dim]{escape(row.words)}[/]"
            if row.words
            else escape(row.check),
        )
    more = len(status.failing_checks) - SHOWN_CHECKS
    rest = [f"[dim]另有 {more} 项，见 Dagster 界面[/]"] if more > 0 else []
    stops = any(row.severity == "ERROR" for row in status.failing_checks)
    return _panel("未通过的检查", Group(table, *rest), "red" if stops else "yellow")


def _next(commands: Iterable[tuple[str, str]]) -> Panel:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for command, words in commands:
        table.add_row(f"[bold cyan]{command}[/]", f"[dim]{words}[/]")
    return _panel("下一步", table, "dim")


def _percent(share: float) -> str:
    """Cut, not rounded: 100.0% means that none is missing."""
    return f"{int(share * 1000) / 10:.1f}%"


def _count(number: int | None) -> str:
    if number is None:
        return NONE
    return f"{number:,}" if number < 1_000_000 else f"{number / 10_000:,.0f} 万"


def _day(day: date | None) -> str:
    return f"{day:%m-%d}" if day else NONE


def _moment(moment: datetime | None) -> str:
    return f"{moment:%m-%d %H:%M}" if moment else NONE


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return NONE
    return f"{seconds:.1f} 秒" if seconds < 60 else f"{seconds / 60:.1f} 分"


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _shade(share: float) -> str:
    return "green" if share >= 0.95 else "yellow" if share >= 0.5 else "red"
