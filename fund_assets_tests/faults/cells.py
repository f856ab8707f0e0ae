"""The fault matrix: what goes wrong, at which stage, how it must end, and what must be told.

Belongs here: one line for each cell. Does not belong here: how a cell is played (`play.py`),
or the means of doing harm (`altered.py`, `harm.py`).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from fund_assets_tests.faults import altered, harm
from fund_assets_tests.faults.world import BEFORE, LATER, NIGHT, TONIGHT, WAVE, World
from fund_assets_tests.server import Fault

#: A failed collection is tried twice more, at the daemon's next looks.
TRIED = (WAVE, f"{TONIGHT}T19:01:10", f"{TONIGHT}T19:01:50")
#: Every tick of an evening, and a look after all NAVs are due.
TICKS = (
    WAVE, f"{TONIGHT}T19:30:30", f"{TONIGHT}T20:30:30", LATER, f"{TONIGHT}T23:00:30", NIGHT,
)  # fmt: skip
MORNING = "2026-09-19T07:30:30"
STAGES = (
    "source", "landing", "rules", "publish", "metrics", "scheduler", "database", "channel",
)  # fmt: skip

Doing = Callable[[World], AbstractContextManager[object]]


@dataclass(frozen=True)
class Cell:
    """One fault at one stage.

    Attributes:
        end: published, quarantined (but for the rows at fault), held (nothing of the batch is
            accepted) or retried (nothing came, and it is asked for again).
        alerts: the kinds of the incidents that must be told while the fault lasts, and no
            other. Each of them that is more than a notice must be told as over after the repair.
        rounds: moments of the daemon with the fault; after: without it, until all is well.
        over: later moments, for an alert that only a later tick can end.
        complete: whether the accepted history must be that of an evening without the fault. It
            cannot where no wave showed some funds' dates while they stood in a header: the
            gap sensor asks for dates that are hardly there, not for single funds.
        channel: name of an alert channel and how it misbehaves: the cell is about a message.
    """

    stage: str
    fault: str
    end: str
    alerts: frozenset[str]
    doing: Doing
    rounds: tuple[str, ...] = (WAVE,)
    after: tuple[str, ...] = (LATER,)
    channel: tuple[str, object] = ("", None)
    over: tuple[str, ...] = ()
    complete: bool = True

    @property
    def name(self) -> str:
        """For reports."""
        return f"{self.stage}: {self.fault}"

    @property
    def way(self) -> tuple[object, ...]:
        """What cells have in common that take the platform the same way to the same end."""
        moments = self.rounds, self.after, self.over
        message = bool(self.channel[0])
        return self.stage, self.end, self.alerts, moments, message, self.complete


def _alerts(words: str) -> frozenset[str]:
    return frozenset(words.split())


def source(fault: str, endpoint: str, kind: Fault, **more: object) -> Cell:
    """The transport fails at an endpoint of the wave: nothing lands."""
    return Cell(
        "source", f"{endpoint}: {fault}", "retried", _alerts("run_failed"),
        harm.transport(endpoint, kind), TRIED, **more,
    )  # fmt: skip


def aside(fault: str, endpoint: str, kind: Fault) -> Cell:
    """The transport fails beside the wave: what is stored stays in use, and it is told."""
    return Cell(
        "source", f"{endpoint}: {fault}", "published", _alerts("check_failed"),
        harm.transport(endpoint, kind),
    )  # fmt: skip


def page(stage: str, fault: str, end: str, alerts: str, change: altered.Bytes,
         endpoint: str = "open_funds", **more: object) -> Cell:  # fmt: skip
    """A page says something else than the truth."""
    return Cell(stage, fault, end, _alerts(alerts), harm.pages({endpoint: change}), **more)


def value(fault: str, field: int, text: object, **more: object) -> Cell:
    """A cell of one fund holds what is no NAV: this row is held, the others go on."""
    return page("rules", fault, "quarantined", "notice", altered.cell(field, text), **more)


TRANSPORT = [
    source("status 503", "open_funds", Fault("status", 503)),
    source("status 429", "open_funds", Fault("status", 429)),
    source("status 403", "open_funds", Fault("status", 403)),
    source("no answer", "open_funds", Fault("hang")),
    source("connection reset", "open_funds", Fault("reset")),
    source("less than Content-Length", "open_funds", Fault("truncate")),
    source("damaged gzip", "open_funds", Fault("gzip_garbage")),
    source("truncated gzip", "open_funds", Fault("gzip_cut")),
    source("gzip bomb", "open_funds", Fault("gzip_bomb")),
    source("slow drip of headers", "open_funds", Fault("drip_header")),
    source("slow drip of the body", "open_funds", Fault("drip_body")),
    source("endless drip", "open_funds", Fault("drip_endless")),
    source("empty answer", "open_funds", Fault("empty")),
    source("captcha page, status 200", "open_funds", Fault("captcha")),
    source("redirect to a login", "open_funds", Fault("redirect")),
    source("huge body", "open_funds", Fault("huge")),
    source("cut in the middle", "open_funds", Fault("cut")),
    source("garbage", "open_funds", Fault("garbage")),
    source("status 503", "money_funds", Fault("status", 503)),
    source("captcha page, status 200", "exchange_funds", Fault("captcha")),
    aside("status 503", "fund_list", Fault("status", 503)),
    aside("captcha page, status 200", "dividend_list", Fault("captcha")),
    aside("status 503", "index_history", Fault("status", 503)),
    aside("status 503", "purchase_list", Fault("status", 503)),
    aside("cut in the middle", "purchase_list", Fault("cut")),
]

#: Answers whose form is another: none of them may be read as data.
DRIFT = [
    Cell("landing", f"open_funds: {fault}", "retried", _alerts("run_failed"),
         harm.pages({"open_funds": change}), TRIED)
    for fault, change in (
        ('{"Data":null}', altered.as_page('{"Data":null}')),
        ("no fund at all", altered.rows(lambda table: [])),
        ("fewer rows than it says", altered.rows(lambda table: table[::2], record=60)),
        ("a column is gone", altered.rows(altered.shifted)),
        ("columns are added", altered.rows(altered.more_fields)),
        ("a variable is renamed", altered.replaced("showday:", "showdate:")),
    )
] + [
    Cell("landing", f"money_funds: {fault}", "retried", _alerts("run_failed"),
         harm.pages({"money_funds": change}), TRIED)
    for fault, change in (
        ("a column is renamed", altered.replaced("万份收益", "百份收益", "gb18030")),
        ("columns change places", altered.replaced(
            "<td>基金代码</td><td>基金简称</td>", "<td>基金简称</td><td>基金代码</td>", "gb18030")),
    )
]  # fmt: skip

STALE = [
    page("landing", "open_funds: dates in the wrong order", "held", "mass_revision",
         altered.replaced(f'"{TONIGHT}","{BEFORE}"', f'"{BEFORE}","{TONIGHT}"')),
    page("landing", "open_funds: GBK among UTF-8", "published", "notice", altered.mixed_encodings),
    Cell("landing", "the answer of the evening before", "retried", _alerts("freshness"),
         harm.yesterday(), TICKS, (MORNING,), complete=False),
    Cell("landing", "the same answer again", "published", _alerts(""),
         harm.again(), (WAVE, LATER), (MORNING,)),
    Cell("rules", "yesterday's figures under today's dates", "held", _alerts("mass_revision"),
         harm.redated()),
    page("rules", "no NAV has moved", "held", "held_publish",
         altered.rows(altered.standing_still)),
    page("rules", "six corrections of a date", "held", "mass_revision", altered.rows(altered.revised)),
    page("rules", "dated tomorrow", "held", "held_publish",
         altered.replaced(f'"{TONIGHT}","{BEFORE}"', f'"2026-09-21","{BEFORE}"')),
]  # fmt: skip

PARTS = [
    page("rules", "half of the market", "held", "held_publish", altered.share(0.5)),
    page("rules", "80 % of the open funds", "held", "held_publish", altered.share(0.8)),
    page("rules", "99 % of the market", "published", "", altered.share(0.98)),
    page("rules", "a fund stands twice, differently", "held", "held_publish", altered.twice("9.8765")),
    page("rules", "a fund stands twice, the same", "published", "", altered.twice(None)),
]  # fmt: skip

VALUES = [
    value("NaN", altered.UNIT, "NaN"),
    value("infinite", altered.UNIT, "inf"),
    value("-1", altered.UNIT, "-1"),
    value("0", altered.UNIT, "0"),
    value("1e400", altered.UNIT, "1e400"),
    value("ten times the NAV", altered.UNIT, lambda nav: f"{float(nav) * 10:.4f}"),
    value("full-width digits", altered.UNIT, "１．２３４５"),
    value("an emoji", altered.UNIT, "📈"),
    value("a NUL", altered.UNIT, "1.2\x00"),
    value("SQL", altered.UNIT, "'; DROP TABLE validated_nav; --"),
    value("10 KB of text", altered.UNIT, "9" * 10_240),
    value("accumulated -2", altered.ACC, "-2"),
    value("growth -100 %", altered.GROWTH, "-100.00"),
    page("rules", "a full-width fund code", "held", "held_publish", altered.cell(altered.CODE, "００００01")),
    page("rules", "SQL as a fund code", "held", "held_publish", altered.cell(altered.CODE, "'; DROP TABLE fund_info; --")),
    page("rules", "a name of 10 KB", "published", "notice",
         altered.replaced("混合", "长" * 10_240 + "混合"), endpoint="fund_list"),
]  # fmt: skip

STORING = [
    Cell(stage, fault, "retried", _alerts(alerts), harm.statement(table, how),
         rounds)
    for stage, table, rounds in (
        ("landing", "fund_nav", TRIED),
        ("publish", "publish_log", TRIED),
        ("metrics", "fund_metrics", (WAVE, *(f"{TONIGHT}T19:{m}" for m in ("30:30", "31:10", "31:50")))),
    )
    for fault, how, alerts in (
        ("the disk is full", harm.FULL, "run_failed"),
        ("the database is read-only", harm.READ_ONLY, "run_failed"),
        ("the run is killed", harm.KILL, ""),
    )
]  # fmt: skip

DATABASE = [
    Cell("database", "locked by another program", "retried", _alerts("database_unwritable"), harm.locked(),
         (*TRIED, f"{TONIGHT}T19:08:00")),
    Cell("database", "damaged", "retried", _alerts("database_unreachable"), harm.damaged(), TRIED),
    Cell("database", "gone", "retried", _alerts("database_unreachable"), harm.gone(), TRIED),
]  # fmt: skip

SCHEDULER = [
    Cell("scheduler", "ten minutes late", "published", _alerts(""), harm.nothing(),
         (f"{TONIGHT}T19:10:00",)),
    Cell("scheduler", "down over the wave", "retried", _alerts(""), harm.nothing(),
         (f"{TONIGHT}T20:45:00",)),
    Cell("scheduler", "a tick raises", "retried", _alerts("tick_failed"), harm.setting(),
         (WAVE,), over=("2026-09-21T19:00:30",)),
    Cell("scheduler", "a run hangs", "retried", _alerts(""), harm.stuck(), (WAVE,)),
    Cell("scheduler", "no heartbeat", "retried", _alerts("daemon_dead"), harm.silent(f"{TONIGHT}T19:20:00"), ()),
]  # fmt: skip

#: A message that is refused stays in the outbox; it arrives once when the channel is well.
CHANNELS = [
    Cell("channel", f"{name}: {fault}", "retried", _alerts("daemon_dead"), harm.nothing(),
         channel=(name, how))
    for name in ("dingtalk", "feishu", "wecom", "webhook")
    for fault, how in (
        ("refuses, with status 200", harm.REFUSES),
        ("status 500", 500),
        ("redirects elsewhere", 302),
        ("no connection", harm.AWAY),
    )
]  # fmt: skip

CELLS = [
    *TRANSPORT,
    *DRIFT,
    *STALE,
    *PARTS,
    *VALUES,
    *STORING,
    *SCHEDULER,
    *DATABASE,
    *CHANNELS,
]


def _short() -> list[Cell]:
    first: dict[tuple[object, ...], Cell] = {}
    for cell in CELLS:
        first.setdefault(cell.way, cell)
    return list(first.values())


#: The first cell of each way: what makes the others go it, the tests of decoders, transport and
#: rules tell of each.
SHORT = _short()
