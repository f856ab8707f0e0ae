"""The pages: facts of a week, or of the walk-forward, as one HTML document in Chinese each.

Belongs here: words, order and pictures. Does not belong here: facts, files (`files.py`), how a
chart is drawn (`charts.py`).

A page needs no script, no font and no other file, and its policy lets a browser load none.
Texts from the data are escaped by Jinja2, those in charts by matplotlib.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from fund_assets.calendar import from_key, from_stamp
from fund_assets.labels import BATCH_KINDS, BATCH_STATES, SOURCES, spoken
from fund_assets.report import charts
from fund_assets.report.cards import cards, styled
from fund_assets.report.charts import Curve, Spread, Trial
from fund_assets.schemas.columns import FIGURE_LABELS
from fund_assets.schemas.kinds import KINDS

Row = Mapping[str, Any]
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
PARTS = {
    "return": "收益", "risk_adjusted": "风险调整", "drawdown": "回撤", "consistency": "持续性",
}  # fmt: skip
SCREENS = {
    "score": "综合分前 1/5",
    "score_last": "综合分后 1/5",
    "4433": "4433 全部通过",
    "five_stars": "五星（MRAR）",
    "quarter_1y": "近 1 年收益前 1/4",
}
LEVELS = {
    "announce": "≥0.5%，应公告",
    "report": "≥0.25%，应报告",
    "none": "低于 0.25%",
}
STEPS = {
    "recheck": "重算与比对",
    "refetch": "四分之一市场重取",
    "walk_forward": "前推检验",
    "upkeep": "清理与整理",
}


@dataclass(frozen=True)
class Mover:
    """A fund with a great return in the week; `path` is its index over three months."""

    code: str
    name: str
    value: float
    path: NDArray[np.float64]


@dataclass(frozen=True)
class KindWeek:
    """One kind of funds in the week.

    Attributes:
        funds: portfolios with a return in the week.
        marks: 5, 25, 50, 75 and 95 % quantiles of their returns, fractions.
        up: share of them with a return above 0.
        ytd: median return of the year so far; None without metrics.
        best, worst: the first with the best and the worst return.
    """

    kind: str
    funds: int
    marks: tuple[float, float, float, float, float]
    mean: float
    up: float
    ytd: float | None
    best: tuple[Mover, ...]
    worst: tuple[Mover, ...]

    @property
    def label(self) -> str:
        """The word that people read."""
        return KINDS[self.kind].label


@dataclass(frozen=True)
class Operations:
    """What Dagster's records say of the last seven days.

    Attributes:
        freshness: table, newest, due, ok.
        jobs: job, runs, succeeded, failed.
        checks: failing ones: asset, check, severity, words.
        checks_passed: how many passed.
    """

    freshness: tuple[Row, ...] = ()
    jobs: tuple[Row, ...] = ()
    checks: tuple[Row, ...] = ()
    checks_passed: int = 0


@dataclass(frozen=True)
class WeekFacts:
    """Everything the report of a week tells.

    Attributes:
        week: ISO week; monday, sunday: its days.
        made_at: when the report was made, by the settings' clock.
        calc_date: calculation date of its metrics and scores, yyyymmdd; None without any.
        newest: newest NAV date in it, yyyymmdd; None without any.
        kinds: kinds with returns in the week, in the order of KINDS.
        curves: of the watch list; chosen: whether FUND_WATCH_LIST names them.
        absent: codes of the watch list that have no curve.
        scores: kind → its best funds by score, columns of fund_scores with name and
            previous_rank.
        stability: kind, funds, correlation against compared_with.
        corrections: the greatest of the week; corrected: legal level → how many.
        coverage: kind, published, active, share on `newest`.
        rows_per_date: yyyymmdd → accepted NAVs.
        quarantine: rule, held (all that wait), fresh (held in the week).
        held_batches: batches that are stopped now: batch_id, kind, newest_date, held_because.
        log: step of the weekly job → its figures.
        walk: screens over all quarters (`metrics.walk.summed`).
        batches: the batches collected in the week; more_batches: how many more there were.
        provenance: (what, value) lines.
    """

    week: str
    monday: date
    sunday: date
    made_at: datetime
    source: str
    calc_date: int | None = None
    newest: int | None = None
    kinds: tuple[KindWeek, ...] = ()
    curves: tuple[Curve, ...] = ()
    chosen: bool = False
    absent: tuple[str, ...] = ()
    scores: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    stability: tuple[Row, ...] = ()
    compared_with: int | None = None
    corrections: tuple[Row, ...] = ()
    corrected: Mapping[str, int] = field(default_factory=dict)
    coverage: tuple[Row, ...] = ()
    rows_per_date: Mapping[int, int] = field(default_factory=dict)
    quarantine: tuple[Row, ...] = ()
    held_batches: tuple[Row, ...] = ()
    log: Mapping[str, Row] = field(default_factory=dict)
    walk: tuple[Row, ...] = ()
    batches: tuple[Row, ...] = ()
    more_batches: int = 0
    provenance: tuple[tuple[str, str], ...] = ()


def weekly_page(facts: WeekFacts, operations: Operations) -> str:
    """The report of a week."""
    drawn: dict[str, Any] = {"spreads": None, "curves": None}
    if facts.kinds:
        spreads = [Spread(kind.label, kind.marks) for kind in facts.kinds]
        drawn["spreads"] = Markup(charts.spreads_svg("s", "本周收益分布", spreads))  # noqa: S704
    if facts.curves:
        title = "总收益与回撤，近 1 年"
        drawn["curves"] = Markup(charts.curves_svg("w", title, facts.curves))  # noqa: S704
    return _fill(
        "weekly.html", facts=facts, operations=operations, drawn=drawn,
        headlines=headlines(facts), spark=_sparks(),
    )  # fmt: skip


def walk_forward_page(
    rows: Sequence[Row], sums: Sequence[Row], now: datetime, source: str
) -> str:
    """What past screens did next, quarter by quarter.

    Args:
        rows: of `metrics.walk.Outcome.as_row`.
        sums: of `metrics.walk.summed`.
    """
    pictures = {}
    for screen, label in SCREENS.items():
        trials = [
            Trial(f"{from_key(row['date']):%Y-%m}", row["percentile"], row["low"], row["high"])
            for row in rows
            if row["screen"] == screen
        ]
        if trials:
            svg = charts.trials_svg(f"t{screen}", f"{label}：下一季度平均百分位", trials)
            pictures[screen] = Markup(svg)  # noqa: S704
    return _fill(
        "walk_forward.html", rows=rows, sums=sums, now=now, source=source, pictures=pictures
    )


def headlines(facts: WeekFacts) -> list[str]:
    """The week in a few lines of text: of the mail, the preview and the top of the page."""
    lines = []
    if facts.kinds:
        parts = [f"{kind.label} {kind.marks[2]:+.2%}" for kind in facts.kinds]
        lines.append(f"本周收益中位数：{'，'.join(parts)}")
    else:
        lines.append("本周没有可计算收益的净值")
    scored = [row for rows in facts.scores.values() for row in rows]
    if facts.calc_date and scored:
        lines.append(f"评分截至 {from_key(facts.calc_date)}，{len(facts.scores)} 类基金")
    corrected = sum(facts.corrected.values())
    lines.append(
        f"净值更正 {corrected:,} 个"
        + (
            f"，其中应公告 {facts.corrected.get('announce', 0):,} 个、"
            f"应报告 {facts.corrected.get('report', 0):,} 个"
            if corrected
            else ""
        )
    )
    active = sum(row["active"] for row in facts.coverage)
    if active and facts.newest:
        share = sum(row["published"] for row in facts.coverage) / active
        lines.append(f"{from_key(facts.newest)} 的净值覆盖 {int(share * 1000) / 10:.1f}%")
    waiting = sum(row["held"] for row in facts.quarantine)
    lines.append(f"隔离中等人处理 {waiting:,} 行")
    if facts.held_batches:
        names = "、".join(row["batch_id"] for row in facts.held_batches)
        lines.append(f"被拦截的批次 {len(facts.held_batches)} 个：{names}")
    recheck = facts.log.get("recheck")
    if recheck:
        lines.append(
            f"全量重算：{recheck['rows']:,} 行总收益指数，"
            f"{recheck['index_differing']:,} 行与所存不同；指标 "
            f"{recheck['metrics_rows']:,} 行，{recheck['metrics_differing']:,} 行不同"
        )
    return lines


def preview(facts: WeekFacts) -> str:
    """The top of the report as Markdown, for the Dagster UI."""
    lines = [f"### 基金周报 {facts.week}", *(f"- {line}" for line in headlines(facts)), ""]
    if facts.kinds:
        lines += ["| 类型 | 组合 | 中位 | 上涨占比 | 今年来中位 |", "|---|--:|--:|--:|--:|"]
        lines += [
            f"| {k.label} | {k.funds:,} | {k.marks[2]:+.2%} | {k.up:.0%} | "
            + ("—" if k.ytd is None else f"{k.ytd:+.2%}")
            + " |"
            for k in facts.kinds
        ]
    return "\n".join(lines)


def _fill(name: str, **values: Any) -> str:
    folder = files(__package__)
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(lambda part: (folder / part).read_text("utf-8")),
    )
    environment.filters.update(
        cards=cards,
        day=_day, moment=_moment, pct=_pct, signed=_signed, tone=_tone, number=_number,
        points=_points, stars=lambda n: "—" if n is None else "★" * int(n),
    )  # fmt: skip
    style = styled((folder / "report.css").read_text("utf-8"))
    return environment.get_template(name).render(
        style=Markup(style),  # noqa: S704 our own file
        policy=POLICY, kinds=KINDS, sources=spoken(SOURCES), parts=PARTS, screens=SCREENS,
        levels=LEVELS, figures=FIGURE_LABELS,
        batch_kinds=spoken(BATCH_KINDS), batch_states=spoken(BATCH_STATES), steps=STEPS,
        **values,
    )  # fmt: skip


def _sparks() -> Any:
    """Draws the path of a mover; each picture has a number of its own."""
    count = 0

    def draw(mover: Mover) -> Markup:
        nonlocal count
        count += 1
        title = f"{mover.name} 近三月走势"
        return Markup(charts.sparkline_svg(f"p{count}", title, mover.path))  # noqa: S704

    return draw


def _day(key: int | date | None) -> str:
    if key is None:
        return "—"
    return f"{key if isinstance(key, date) else from_key(key)}"


def _moment(stamp: int | datetime | None) -> str:
    if stamp is None:
        return "—"
    return f"{stamp if isinstance(stamp, datetime) else from_stamp(stamp):%m-%d %H:%M}"


def _pct(value: float | None, digits: int = 1) -> str:
    return "—" if value is None or value != value else f"{value:.{digits}%}"


def _signed(value: float | None, digits: int = 2) -> str:
    return "—" if value is None or value != value else f"{value:+.{digits}%}"


def _tone(value: float | None) -> str:
    """Red is up and green is down, as on every Chinese screen."""
    return "" if not value or value != value else "up" if value > 0 else "down"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:,}"


def _points(value: float | None, digits: int = 0) -> str:
    """A share as points out of a hundred, or a score."""
    return "—" if value is None or value != value else f"{value:.{digits}f}"
