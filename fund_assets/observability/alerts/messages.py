"""Words: what is told of one look as one message, and many waiting messages as one digest.

Belongs here: titles, order, lengths and links. Does not belong here: what is told
(`lifecycle.py`), how a channel marks up or cuts what it sends (`channels/`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fund_assets.labels import MARKETS
from fund_assets.language import say
from fund_assets.observability.alerts.catalog import KINDS
from fund_assets.observability.alerts.causes import SETTLING
from fund_assets.observability.alerts.lifecycle import Event, Notification, State
from fund_assets.observability.conditions import Severity

#: Alerts named one by one in a message; of the others, their number.
MOST_NAMED, MOST_FINGERPRINTS = 15, 200
MOST_WORDS, MOST_SUBJECT = 300, 80
#: Incidents that keep data away; they tell what is missing by now.
WITH_DATA = SETTLING | {"daemon_dead", "tick_failed", "tick_missed"}
HEADINGS = {
    Event.BEGAN: "新告警",
    Event.WORSE: "加重",
    Event.REPEATED: "仍未恢复",
    Event.OVER: "已恢复",
}


def origin(source: str) -> str:
    """Where a message comes from, in its title. A robot may ask for a keyword: 基金 is one."""
    return f"基金数据·{say(MARKETS[source])}"


@dataclass(frozen=True)
class Message:
    """What a channel carries.

    Attributes:
        title: one line.
        lines: the text, line by line, the most important first; a channel with less room
            leaves out the last ones and says so.
        fingerprints: what it is about, for machines.
    """

    title: str
    lines: tuple[str, ...]
    severity: Severity
    fingerprints: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


def compose(
    notifications: Sequence[Notification], source: str, runbook: str, lacking: str = ""
) -> Message:
    """One message about everything that one look has to tell, the worst first.

    Args:
        source: of the settings; two platforms may use one channel.
        runbook: address of docs/runbook.md.
        lacking: what data is missing by now, in words.
    """
    ordered = sorted(
        notifications,
        key=lambda t: (t.event is Event.OVER, -t.state.severity, t.state.fingerprint),
    )
    lines = []
    for notification in ordered[:MOST_NAMED]:
        lines += _lines(notification, runbook, lacking)
    if (more := len(ordered) - MOST_NAMED) > 0:
        lines.append(f"另有 {more:,} 项：fund-assets alert list")
    return Message(
        title=f"{_title(ordered)}（{origin(source)}）",
        lines=tuple(lines),
        # Of what is over, too: its end goes wherever its beginning went.
        severity=max(t.state.severity for t in ordered),
        fingerprints=tuple(t.state.fingerprint for t in ordered[:MOST_FINGERPRINTS]),
    )


def digest(messages: Sequence[Message]) -> Message:
    """One message in the place of several that had to wait, the oldest first."""
    lines = [f"{len(messages)} 条消息因限流或发送失败合并为一条："]
    for message in messages:
        lines.append(message.title)
        lines += [f"  {line}" for line in message.lines if not line.startswith(" ")]
    known = dict.fromkeys(f for message in messages for f in message.fingerprints)
    return Message(
        title=f"{messages[-1].title}，另有 {len(messages) - 1} 条积压消息",
        lines=tuple(lines[: 4 * MOST_NAMED]),
        severity=max(message.severity for message in messages),
        fingerprints=tuple(known)[:MOST_FINGERPRINTS],
    )


def summarize_backlog(messages: Sequence[Message], holding: Sequence[str]) -> Message:
    """What a channel that is back did not get, the oldest first, and what holds still.

    Args:
        holding: the alerts that hold now, in words.
    """
    lost = digest(messages)
    return Message(
        title=f"渠道恢复：有 {len(messages)} 条消息当时没有送到",
        lines=(
            *lost.lines[1:],
            f"现在仍在持续：{len(holding)} 项" if holding else "这些告警现在都已结束",
            *holding[:MOST_NAMED],
        ),
        severity=lost.severity,
        fingerprints=lost.fingerprints,
    )


def lasted(state: State) -> str:
    """How long an alert that is over lasted, or one that holds has lasted so far."""
    return _span((state.resolved_at or state.first_at) - state.first_at)


def _title(notifications: Sequence[Notification]) -> str:
    if len(notifications) == 1:
        (notification,) = notifications
        state = notification.state
        head = "恢复" if notification.event is Event.OVER else state.severity.label
        return f"【{head}】{KINDS[state.kind].title} {_short(state.subject, MOST_SUBJECT)}"
    going = [t.state.severity for t in notifications if t.event is not Event.OVER]
    parts = [
        f"{severity.label} {going.count(severity):,} 项"
        for severity in sorted(Severity, reverse=True)
        if severity in going
    ]
    if over := len(notifications) - len(going):
        parts.append(f"恢复 {over:,} 项")
    return f"【告警】{'，'.join(parts)}"


def _lines(notification: Notification, runbook: str, lacking: str) -> list[str]:
    state = notification.state
    kind, subject = KINDS[state.kind], _short(state.subject, MOST_SUBJECT)
    if notification.event is Event.OVER:
        were = [f"  期间还有：{_listed(notification.listed)}"] if notification.listed else []
        return [f"【已恢复】{kind.title} {subject}，持续 {lasted(state)}", *were]
    heading = HEADINGS[notification.event]
    since = "" if notification.event is Event.BEGAN else f"（{state.first_at:%m-%d %H:%M} 起）"
    return [
        f"【{state.severity.label}·{heading}】{kind.title} {subject}{since}",
        f"  {'起因已过，后果还在：' if notification.past else ''}{_short(state.words)}",
        *([f"  由此：{_listed(notification.listed)}"] if notification.listed else []),
        *([f"  目前：{lacking}"] if lacking and state.kind in WITH_DATA else []),
        f"  处理：{runbook}#{state.kind}  编号：{state.fingerprint}",
    ]


def _listed(states: Sequence[State]) -> str:
    """Several alerts in one line, each kind once."""
    subjects: dict[str, list[str]] = {}
    for state in states:
        subjects.setdefault(KINDS[state.kind].title, []).append(_short(state.subject, 40))
    words = [f"{title} {'、'.join(dict.fromkeys(names))}" for title, names in subjects.items()]
    return _short("；".join(words))


def _short(words: str, most: int = MOST_WORDS) -> str:
    line = " ".join(words.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _span(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    if minutes < 1:
        return "不到 1 分钟"
    if minutes < 60:
        return f"{minutes} 分钟"
    if minutes < 24 * 60:
        return f"{minutes // 60} 小时 {minutes % 60} 分"
    return f"{minutes // 1440} 天 {minutes % 1440 // 60} 小时"
