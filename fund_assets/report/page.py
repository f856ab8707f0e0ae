"""The pages: facts of a week, or of the walk-forward, as one HTML document in Chinese each.

Belongs here: words, order and pictures of what is handed over. Does not belong here: facts and
their shapes (`week.py`), lines that a mail has too (`headlines.py`), files (`files.py`), how a
chart is drawn (`charts.py`).

A page needs no script, no font and no other file, and its policy lets a browser load none.
Texts from the data are escaped by Jinja2, those in charts by matplotlib.
"""

from datetime import date, datetime
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from fund_assets.calendar import from_key, from_stamp
from fund_assets.labels import (
    AGREEMENTS,
    BATCH_KINDS,
    BATCH_STATES,
    FUND_CHANGES,
    FUND_STATES,
    SOURCES,
    STATUS_CHANGES,
    WALK_VERDICTS,
    spoken,
)
from fund_assets.report import charts
from fund_assets.report.cards import cards, styled
from fund_assets.report.charts import Spread, Trial
from fund_assets.report.headlines import headlines
from fund_assets.report.week import Mover, Operations, WalkFacts, WeekFacts
from fund_assets.schemas import profiles
from fund_assets.schemas.columns import FIGURE_LABELS
from fund_assets.schemas.fund_types import group_label
from fund_assets.schemas.kinds import KINDS

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
#: Step in the log of the week → the asset that did it, whose label it has.
STEPS = {
    "recheck": "history_recheck",
    "refetch": "history_refetch",
    "walk_forward": "walk_forward",
    "upkeep": "warehouse_upkeep",
}


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


def walk_forward_page(facts: WalkFacts, now: datetime, source: str) -> str:
    """What past screens did next, quarter by quarter."""
    pictures = {}
    for at, row in enumerate(facts.sums):
        trials = [
            Trial(f"{from_key(one['date']):%Y-%m}", one["excess"])
            for one in facts.rows
            if one["screen"] == row["screen"]
        ]
        title = f"{SCREENS.get(row['screen'], row['screen'])}：下一季度超同类平均"
        svg = charts.trials_svg(f"t{at}", title, trials, row["low"], row["high"])
        pictures[row["screen"]] = Markup(svg)  # noqa: S704
    return _fill("walk_forward.html", facts=facts, now=now, source=source, pictures=pictures)


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
        policy=POLICY, kinds=KINDS, group_label=group_label, sources=spoken(SOURCES),
        parts=PARTS, screens=SCREENS, verdicts=spoken(WALK_VERDICTS),
        levels=LEVELS, figures=FIGURE_LABELS,
        fund_states=spoken(FUND_STATES), fund_changes=spoken(FUND_CHANGES),
        status_changes=spoken(STATUS_CHANGES),
        agreements=spoken(AGREEMENTS),
        batch_kinds=spoken(BATCH_KINDS), batch_states=spoken(BATCH_STATES),
        steps={step: profiles.label(asset) for step, asset in STEPS.items()},
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
