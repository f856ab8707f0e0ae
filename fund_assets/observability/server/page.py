"""The status page for people: a `Status` as one HTML document in Chinese.

Belongs here: words, order and pictures of the page. Does not belong here: facts and
judgement (`observability/`), HTTP.

The page needs no script, no font and no other file; its policy lets a browser load none.
Texts from the data are escaped by Jinja2.
"""

import base64
import hashlib
from datetime import date, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import jinja2

from fund_assets.labels import AGREEMENTS, BATCH_KINDS, BATCH_STATES, SOURCES, spoken
from fund_assets.language import say
from fund_assets.observability.conditions import DAEMON_DEAD, Severity
from fund_assets.observability.findings import UNHEALTHY, VERDICTS
from fund_assets.observability.status import Status
from fund_assets.report.cards import cards, styled
from fund_assets.schemas.profiles import label

SHOWN_CHECKS = 20
#: The curve's drawing area in the units of its viewBox.
WIDTH, HEIGHT, LEFT, TOP = 520, 120, 44, 12

RUN_STATES = {
    "success": ("good", "成功"),
    "failure": ("bad", "失败"),
    "canceled": ("warn", "取消"),
    "canceling": ("warn", "取消中"),
    "started": ("busy", "进行中"),
    "starting": ("busy", "启动中"),
    "queued": ("busy", "排队"),
    "not_started": ("busy", "未开始"),
    "managed": ("busy", "进行中"),
}
#: How grave something is → how it looks.
MARKS = {None: "good", Severity.WARNING: "warn", Severity.CRITICAL: "bad"}
BATCH_MARKS = {"published": "good", "landed": "busy", "held": "bad", "rejected": "bad"}
REASONS = {
    "database_missing": "仓库尚未建立：请先运行 fund-assets run",
    "database_unavailable": "仓库无法读取：请运行 fund-assets doctor",
    "facts_timeout": "读取状态超时：仓库或 Dagster 记录没有及时回应",
    "facts_unavailable": "状态无法读取：详情见服务日志",
}


class Page:
    """Makes the pages.

    Args:
        dagster_ui: address of the Dagster UI, for links.
    """

    def __init__(self, dagster_ui: str) -> None:
        folder = files(__package__)
        self._style = styled((folder / "status.css").read_text(encoding="utf-8"))
        environment = jinja2.Environment(
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(
            cards=cards,
            day=_day,
            moment=_moment,
            percent=_percent,
            count=_count,
            seconds=_seconds,
            silence=_silence,
        )
        source = (folder / "status.html").read_text(encoding="utf-8")
        self._template = environment.from_string(source)
        self._ui = dagster_ui.rstrip("/")

    @property
    def policy(self) -> str:
        """The Content-Security-Policy: this page's own style and nothing else."""
        digest = hashlib.sha256(self._style.encode()).digest()
        style = f"'sha256-{base64.b64encode(digest).decode()}'"
        return (
            f"default-src 'none'; style-src {style}; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )

    def render(self, status: Status) -> str:
        """The page of facts."""
        return self._fill(
            status=status,
            verdict=status.verdict,
            headline=say(VERDICTS[status.verdict]),
            now=status.now,
            due=sum(row.due for row in status.coverage),
            published=sum(row.published for row in status.coverage),
            curve=curve(status),
            held_rows=sum(held for _, held in status.quarantine),
            more_checks=max(len(status.failing_checks) - SHOWN_CHECKS, 0),
        )

    def unavailable(self, code: str, now: datetime) -> str:
        """The page that says why there are no facts."""
        return self._fill(
            status=None, verdict=UNHEALTHY, headline=REASONS[code], now=now, code=code
        )

    def _fill(self, **values: Any) -> str:
        return self._template.render(
            style=self._style,
            ui=self._ui,
            run_link=lambda run_id: f"{self._ui}/runs/{quote(run_id, safe='')}",
            asset_link=self._asset_link,
            label=label,
            sources=spoken(SOURCES),
            run_states=RUN_STATES,
            batch_states={
                name: (BATCH_MARKS[name], words) for name, words in spoken(BATCH_STATES).items()
            },
            agreements=spoken(AGREEMENTS),
            batch_kinds=spoken(BATCH_KINDS),
            shown_checks=SHOWN_CHECKS,
            **values,
        )

    def _asset_link(self, asset: str, check: str = "") -> str:
        link = f"{self._ui}/assets/{quote(asset, safe='')}"
        return f"{link}?view=checks&checkDetail={quote(check, safe='')}" if check else link


def curve(status: Status) -> dict[str, Any] | None:
    """The evening's coverage as points of a drawing, and the band of earlier evenings.

    None before the first wave.

    Waves stand at equal distances: the last one may come the next morning.
    """
    if not status.evening:
        return None
    step = (WIDTH - LEFT - 20) / max(len(status.evening) - 1, 1)
    points = [
        {
            "x": round(LEFT + 10 + step * place, 1),
            "y": _height(wave.share),
            "wave": wave,
        }
        for place, wave in enumerate(status.evening)
    ]
    banded = [
        (point["x"], wave.usual, wave.lowest)
        for point, wave in zip(points, status.evening, strict=True)
        if wave.usual is not None and wave.lowest is not None
    ]
    upper = [f"{x},{_height(usual)}" for x, usual, _ in banded]
    lower = [f"{x},{_height(lowest)}" for x, _, lowest in reversed(banded)]
    return {
        "points": points,
        "band": " ".join([*upper, *lower]),
        "line": " ".join(f"{p['x']},{p['y']}" for p in points),
        "area": f"{points[0]['x']},{TOP + HEIGHT} "
        + " ".join(f"{p['x']},{p['y']}" for p in points)
        + f" {points[-1]['x']},{TOP + HEIGHT}",
        "grid": [
            {"y": TOP + HEIGHT * (1 - level / 100), "label": f"{level}%"}
            for level in (0, 50, 100)
        ],
        "width": WIDTH,
        "height": TOP + HEIGHT + 24,
        "left": LEFT,
        "bottom": TOP + HEIGHT,
    }


def _height(share: float) -> float:
    return round(TOP + (1 - share) * HEIGHT, 1)


def _day(day: date | None) -> str:
    return f"{day:%m-%d}" if day else "—"


def _moment(moment: datetime | None) -> str:
    return f"{moment:%m-%d %H:%M}" if moment else "—"


def _percent(share: float) -> str:
    """Cut, not rounded: 100.0% means that none is missing."""
    return f"{int(share * 1000) / 10:.1f}%"


def _count(number: int | None) -> str:
    return "—" if number is None else f"{number:,}"


def _silence(age_s: float) -> str:
    """How a daemon's last sign looks."""
    return MARKS[DAEMON_DEAD.limit.grade(age_s)]


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "—"
    return f"{seconds:.1f} 秒" if seconds < 60 else f"{seconds / 60:.1f} 分"
