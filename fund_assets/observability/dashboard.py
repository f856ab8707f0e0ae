"""The terminal dashboard: a `Status` for a person at a terminal, in the language spoken.

Belongs here: words, order and looks. Does not belong here: any fact or judgement
(`status.py`).

Every part is a panel as wide as the dashboard, so that all lines have the same width,
Chinese ones too. Where room is short, names go over several lines and figures stay whole. What
matters comes first, and the result last: there a terminal stands when all is printed. Texts
from the data are escaped: a fund may be named `[bold]`.
"""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from fund_assets.labels import BATCH_KINDS, BATCH_STATES, SOURCES, STATUS_CHANGES
from fund_assets.language import later, named, say
from fund_assets.nav.life import ALIVE, DEAD, SILENT
from fund_assets.observability import cells
from fund_assets.observability.cells import NONE
from fund_assets.observability.conditions import DAEMON_DEAD, Severity
from fund_assets.observability.findings import DEGRADED, HEALTHY, UNHEALTHY, VERDICTS
from fund_assets.observability.status import Status
from fund_assets.schemas.profiles import label

#: Narrower than the one, texts are cut; wider than the other, nothing is gained.
LEAST_WIDTH, MOST_WIDTH = 60, 124
#: From here on, columns stand two cells apart; each count of a batch has its column; two panels
#: stand side by side.
ROOMY, COUNTED, WIDE = 76, 92, 108
SHOWN_UPDATES, SHOWN_CHECKS, SHOWN_CHANGES = 8, 8, 8

#: Cells of the coverage panel that are not the bar: kind, share, funds, gaps and border.
BESIDE_BAR = 38
#: And of its curve's: period, first and last share, gaps and border.
BESIDE_CURVE = 36

#: Steps that renew no asset → what a Chinese reader calls them.
STEPS = {"fund_nav_rules": "批次规则"}
STATES = {
    "succeeded": ("green", later("succeeded")),
    "failed": ("red", later("failed")),
    "canceled": ("yellow", later("canceled")),
    "running": ("cyan", later("running")),
    "published": ("green", BATCH_STATES["published"]),
    "landed": ("cyan", BATCH_STATES["landed"]),
    "held": ("red", BATCH_STATES["held"]),
    "rejected": ("dim", BATCH_STATES["rejected"]),
}
#: How funds are counted: words → the states that they mean.
FUNDS = (
    (later("funds that publish"), ALIVE),
    (later("funds that are silent"), SILENT - DEAD),
    (later("funds that have ended"), DEAD),
)
FIRST = (
    ("fund-assets run", later("collect, validate, merge and compute metrics in one run")),
    ("fund-assets doctor", later("check settings, source, database and calendar")),
)
NEXT = (
    ("fund-assets nav 000001", later("the history of one fund")),
    *FIRST,
    ("make dev", later("the Dagster UI, on http://127.0.0.1:3000")),
)
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
    first: list[RenderableType]
    if width >= WIDE:
        beside = [_beside(facts[:2], covered[:1]), _beside(facts[2:], covered[1:])]
        first = [*beside, *checks]
    else:
        first = [facts[0], *covered, *checks, *facts[1:]]
    return Group(
        *first,
        *([_watched(status, width)] if status.watched else []),
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
    heights = [sum(map(_height, column)) for column in (left, right)]
    for column, height in zip((left, right), heights, strict=True):
        column[-1].height = _height(column[-1]) + max(heights) - height
    grid = Table.grid(expand=True)
    grid.add_column(ratio=1)
    grid.add_column(ratio=1)
    grid.add_row(Group(*left), Group(*right))
    return grid


def _height(panel: Panel) -> int:
    """Lines of a panel that holds a table: its rows, their heads and the border."""
    assert isinstance(panel.renderable, Table), panel.renderable
    return panel.renderable.row_count + 3


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
    words = say(VERDICTS[status.verdict])
    if status.findings:
        words = say("{verdict}: {count}", verdict=words, count=len(status.findings))
    lines.add_row(f"[bold {style}]{mark}[/]", f"[bold {style}]{words}[/]")
    for problem in status.problems:
        lines.add_row("[red]•[/]", escape(problem))
    for notice in status.notices:
        lines.add_row("[yellow]![/]", escape(notice))
    clock = say(" (set by FUND_CLOCK)") if status.frozen else ""
    facts = Table.grid(padding=(0, 1, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row(say("time"), f"{status.now:%Y-%m-%d %H:%M}{clock}")
    facts.add_row(say("source"), say(SOURCES[status.source]))
    size = _aside(cells.size(status.warehouse_bytes)) if status.exists else ""
    facts.add_row(say("warehouse"), f"{escape(status.warehouse)}{size}")
    if status.exists:
        facts.add_row(
            say("calendar"),
            say(
                "known until {until}, {left} days",
                until=status.calendar_until,
                left=status.calendar_days_left,
            ),
        )
    return _panel(say("Fund Assets"), Group(facts, lines), style)


def _aside(words: str) -> str:
    """Words in the brackets of the language."""
    return named(f" ({words})", f"（{words}）")


def _gap(width: int) -> int:
    return 2 if width >= ROOMY else 1


def _freshness(status: Status, width: int) -> Panel:
    titles = (say("table"), say("newest"), say("due"), say("behind"), say("renewed"))
    table = _table(*titles, right=titles[3:4], gap=_gap(width))
    for row in status.freshness:
        behind = (
            say("no data")
            if row.sessions_behind is None
            else say("{sessions} d", sessions=row.sessions_behind)
        )
        if row.hours_late:
            behind += " " + say("{hours:.0f} h", hours=row.hours_late)
        table.add_row(
            f"{'[green]✓[/]' if row.ok else '[red]✗[/]'} {_name(row.table)}",
            f"{cells.day(row.newest)}{say(' (provisional)') if row.provisional else ''}",
            cells.day(row.due),
            behind if row.ok else f"[red]{behind}[/]",
            cells.moment(row.renewed_at),
        )
    title = (
        say("Freshness (sessions, complete by {hour:%m-%d %H:%M})", hour=status.expected_by)
        if status.expected_by
        else say("Freshness (sessions)")
    )
    return _panel(title, table)


def _coverage(status: Status, width: int) -> Panel:
    titles = (say("kind"), say("published"), say("share"), say("funds"))
    table = _table(*titles, right=titles[2:])
    bar = width - BESIDE_BAR
    for row in status.coverage:
        filled = int(row.share * bar)  # only a full bar is full
        table.add_row(
            named(row.kind, row.label),
            f"[{cells.shade(row.share)}]{'█' * filled}[/][dim]{'░' * (bar - filled)}[/]",
            cells.percent(row.share),
            f"{row.published:,}/{row.due:,}",
        )
    return _panel(say("Coverage") + _aside(cells.day(status.coverage_on)), table)


def _curve(status: Status, width: int) -> Panel:
    """Coverage over the last sessions, and over the waves of the newest one."""
    titles = (say("period"), say("course"), say("first"), say("last"))
    table = _table(*titles, right=titles[2:])
    room = width - BESIDE_CURVE
    for words, shares in (
        (later("{count} sessions"), [session.share for session in status.sessions][-room:]),
        (later("{count} waves"), [wave.share for wave in status.evening][-room:]),
        (later("usually"), [wave.usual for wave in status.evening if wave.usual is not None]),
    ):
        if shares:
            first, last = cells.percent(shares[0]), cells.percent(shares[-1])
            drawn = f"[{cells.shade(shares[-1])}]{cells.sparkline(shares)}[/]"
            table.add_row(say(words, count=len(shares)), drawn, first, last)
    if not table.row_count:
        table.add_row(f"[dim]{say('no data')}[/]", NONE, NONE, NONE)
    return _panel(say("Coverage over time"), table)


def _jobs(status: Status, folds: bool) -> Panel:
    """Where panels stand side by side a row is a line, and a long name is cut."""
    figures = (say("runs"), say("success"), say("mean"))
    job = say("job")
    table = _table(job, *figures, right=figures, wraps=job if folds else "")
    for row in status.jobs:
        rate = NONE if row.success_rate is None else f"{int(row.success_rate * 100)}%"
        if row.failed:
            rate = f"[red]{rate}[/]"
        table.add_row(
            escape(row.job), f"{row.runs:,}", rate, cells.seconds(row.mean_duration_s)
        )
    if not status.jobs:
        table.add_row(f"[dim]{say('no runs')}[/]", NONE, NONE, NONE)
    rate = NONE if status.success_rate is None else f"{int(status.success_rate * 1000) / 10}%"
    return _panel(
        say(
            "Runs of the last 7 days ({count:,} ended, {rate} succeeded)",
            count=status.runs_ended,
            rate=rate,
        ),
        table,
    )


def _quality(status: Status) -> Panel:
    table = _table(say("what"), say("count"), right=[say("count")])
    table.add_row(
        say("rows merged (7 days: new, corrected, filled)"), f"{status.rows_written:,}"
    )
    table.add_row(say("NAVs corrected (7 days)"), f"{status.revisions:,}")
    table.add_row(
        f"  [dim]{say('0.25 % or more, must be reported')}[/]",
        f"{status.revisions_to_report:,}",
    )
    table.add_row(
        f"  [dim]{say('0.5 % or more, must be announced')}[/]",
        f"{status.revisions_to_announce:,}",
    )
    states = dict(status.fund_states)
    for words, group in FUNDS:
        table.add_row(say(words), f"{sum(states.get(state, 0) for state in group):,}")
    changes = sum(n for _, n in status.purchases)
    table.add_row(say("changes of purchases and limits (7 days)"), f"{changes:,}")
    for kind, count in status.purchases:
        table.add_row(f"  [dim]{say(STATUS_CHANGES[kind])}[/]", f"{count:,}")
    table.add_row(say("rows in quarantine"), f"{sum(n for _, n in status.quarantine):,}")
    for rule, count in status.quarantine:
        table.add_row(f"  [dim]{escape(rule)}[/]", f"{count:,}")
    failed = sum(n for outcome, n in status.requests_today if outcome != "ok")
    made = sum(n for _, n in status.requests_today)
    table.add_row(say("requests to the source (today / failed)"), f"{made:,} / {failed:,}")
    return _panel(say("Data quality"), table)


def _machine(status: Status) -> Panel:
    table = _table(say("daemon and disk"), "", right=[""])
    for beat in status.daemons:
        words = say("{time} ago", time=cells.seconds(beat.age_s))
        grade = DAEMON_DEAD.limit.grade(beat.age_s)
        tone = "red" if grade is Severity.CRITICAL else "yellow"
        table.add_row(escape(beat.daemon), words if grade is None else f"[{tone}]{words}[/]")
    if not status.daemons:
        table.add_row(say("daemon"), f"[dim]{say('never started')}[/]")
    free = status.disk_free_bytes
    table.add_row(say("disk free"), NONE if free is None else cells.size(free))
    table.add_row(say("sessions without NAVs (two weeks)"), f"{len(status.missing)}")
    if status.lost:
        table.add_row(say("dates that lost NAVs"), f"[red]{len(status.lost)}[/]")
    return _panel(say("System"), table)


def _watched(status: Status, width: int) -> Panel:
    """What became of purchases of the funds of the watch list."""
    titles = (say("time"), say("fund"), say("change"))
    table = _table(*titles, wraps=titles[2], gap=_gap(width))
    for row in status.watched[:SHOWN_CHANGES]:
        words = f"{row.name}{named(': ', '：')}{row.words}"
        table.add_row(cells.moment(row.at), row.fund_code, escape(words))
    return _panel(say("Purchases and limits of the watch list (7 days)"), table)


def _batches(status: Status, width: int) -> Panel:
    counts = (
        say("read"), say("new"), say("corrected"), say("filled"), say("same"),
        say("held"), say("pending"),
    )  # fmt: skip
    counted = counts if width >= COUNTED else (say("rows"),)
    wraps = "" if width >= COUNTED else say("rows")
    titles = (say("collected"), say("batch"), say("NAV date"), say("state"))
    table = _table(*titles, *counted, right=counts, wraps=wraps, gap=1)
    for row in status.batches:
        numbers = (row.rows_read, row.rows_new, row.rows_changed, row.rows_filled,
                   row.rows_unchanged, row.rows_quarantined, row.rows_pending)  # fmt: skip
        if width >= COUNTED:
            figures = [cells.count(number) for number in numbers]
        else:
            told = zip(counts, numbers, strict=True)
            # 读入1,840万: a line breaks between counts, never within one
            figures = [
                " ".join(
                    f"{name}{named(':', '')}{cells.count(n)}".replace(" ", "")
                    for name, n in told
                    if n
                )
            ]
        table.add_row(
            cells.moment(row.collected_at),
            say(BATCH_KINDS[row.kind]),
            cells.day(row.newest_date),
            _state(row.state),
            *figures,
        )
    return _panel(say("Newest batches"), table)


def _updates(status: Status, width: int) -> Panel:
    titles = (
        say("time"), say("table"), say("date"), say("rows"), say("written"), say("took"),
        say("state"),
    )  # fmt: skip
    table = _table(*titles, right=titles[3:6], wraps=titles[1], gap=_gap(width))
    for row in status.updates[:SHOWN_UPDATES]:
        table.add_row(
            cells.moment(row.at) if width >= ROOMY else f"{row.at:%H:%M}",
            escape(_name(row.asset)),
            row.data_date[5:] or NONE,
            cells.count(row.rows),
            cells.count(row.rows_written),
            cells.seconds(row.duration_s),
            _state(row.status),
        )
    more = len(status.updates) - SHOWN_UPDATES
    words = say("{count} more updates: see the Dagster UI", count=more)
    rest = f"[dim]{words}[/]" if more > 0 else ""
    if not status.updates:
        rest = f"[dim]{say('no updates')}[/]"
    return _panel(say("Updates of the last 24 hours"), Group(table, rest) if rest else table)


def _statistics(status: Status) -> Panel:
    figures = (say("runs"), say("success"), say("rows"), say("written"), say("mean"))
    table = _table(say("table"), *figures, right=figures)
    for row in status.assets:
        rate = NONE if row.success_rate is None else f"{int(row.success_rate * 100)}%"
        table.add_row(
            _name(row.asset),
            f"{row.updates:,}",
            f"[red]{rate}[/]" if row.failed else rate,
            cells.count(row.rows),
            cells.count(row.rows_written),
            cells.seconds(row.mean_duration_s),
        )
    if not status.assets:
        table.add_row(f"[dim]{say('no updates')}[/]", *[NONE] * len(figures))
    return _panel(say("Updates of the last 7 days"), table)


def _checks(status: Status) -> Panel:
    titles = (say("level"), say("rows"), say("check and first case"))
    table = _table(*titles, right=titles[1:2], wraps=titles[2])
    for row in status.failing_checks[:SHOWN_CHECKS]:
        error = row.severity == "ERROR"
        table.add_row(
            f"[red]✗ {say('error')}[/]" if error else f"[yellow]! {say('warning')}[/]",
            cells.count(row.failed),
            f"{escape(row.check)}\n[dim]{escape(row.words)}[/]"
            if row.words
            else escape(row.check),
        )
    more = len(status.failing_checks) - SHOWN_CHECKS
    rest = (
        [f"[dim]{say('{count} more: see the Dagster UI', count=more)}[/]"] if more > 0 else []
    )
    stops = any(row.severity == "ERROR" for row in status.failing_checks)
    return _panel(say("Checks that failed"), Group(table, *rest), "red" if stops else "yellow")


def _next(commands: Iterable[tuple[str, str]]) -> Panel:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for command, words in commands:
        table.add_row(f"[bold cyan]{command}[/]", f"[dim]{say(words)}[/]")
    return _panel(say("Next"), table, "dim")


def _name(asset: str) -> str:
    return named(asset, STEPS.get(asset) or label(asset))


def _state(state: str) -> str:
    colour, words = STATES[state]
    return f"[{colour}]{say(words)}[/]"
