"""Which condition follows from which cause: one table. Pure.

Belongs here: the causes of trouble, the alerts that show each of them and those that follow
from it, and which alerts are of one incident. Does not belong here: when an alert holds
(`current.py`), when an incident is told (`lifecycle.py`).

One cause is one incident. The alert that opened it is its head and is told; the others are
listed inside it, and the incident lasts until the last of them is over.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from fund_assets.observability.alerts.catalog import Alert

#: What is over while a run is under way, or a wave waits to be judged, may not be over.
SETTLING = frozenset(
    (
        "source_canary", "source_refuses", "run_failed", "check_failed", "held_publish",
        "mass_revision", "freshness", "evening_behind",
    )
)  # fmt: skip
#: What only the next tick can end, which may be days away: it keeps no incident open.
LEFT_BEHIND = frozenset(("tick_failed",))


@dataclass(frozen=True)
class Cause:
    """A cause of trouble. Alerts are named by kind, or `kind/because` (`Alert.because`).

    Attributes:
        signs: alerts that show it; of several that come at once the first opens its incident.
        results: alerts that follow from it while its incident is open.
    """

    name: str
    signs: tuple[str, ...]
    results: tuple[str, ...]


#: Of several causes that an alert may follow from, the first here that is there.
CAUSES = (
    Cause(
        "database", ("database_unreachable", "database_unwritable"),
        ("run_failed", "check_failed", "source_canary", "tick_failed", "tick_missed",
         "week_missing", "freshness", "evening_behind"),
    ),
    Cause("daemon", ("daemon_dead",), ("tick_missed", "week_missing", "freshness")),
    Cause(
        "warned", ("source_canary",),
        ("source_refuses", "run_failed/source", "run_failed/blocked", "held_publish",
         "mass_revision", "check_failed/source", "check_failed/rule", "check_failed/notice",
         "freshness", "evening_behind"),
    ),
    Cause(
        "source", ("source_refuses", "run_failed/source"),
        ("source_canary", "check_failed/source", "check_failed/notice", "freshness",
         "evening_behind"),
    ),
    Cause(
        "batch", ("mass_revision", "held_publish", "check_failed/rule"),
        ("check_failed/notice", "run_failed/blocked", "freshness", "evening_behind"),
    ),
    Cause("week", ("week_missing", "run_failed/weekly"), ("tick_missed/weekly",)),
    Cause("run", ("run_failed/chain", "run_failed/blocked"), ("freshness",)),
    Cause("late", ("freshness/fund_nav", "freshness/validated_nav", "freshness"), ()),
)  # fmt: skip


@dataclass(frozen=True)
class Sort:
    """What the table asks of an alert; `because` is None where it is not known any more."""

    kind: str
    because: str | None = None

    def among(self, patterns: Collection[str]) -> bool:
        """Whether it is one of these."""
        if self.because is None:
            return any(pattern.split("/")[0] == self.kind for pattern in patterns)
        return self.kind in patterns or f"{self.kind}/{self.because}" in patterns


def follows_from(name: str, alert: Alert) -> bool:
    """Whether an alert may follow from a cause."""
    return any(cause.name == name and sort_of(alert).among(cause.results) for cause in CAUSES)


def sort_of(alert: Alert) -> Sort:
    """What the table asks of an alert that holds."""
    return Sort(alert.kind, alert.because)


def group_incidents(
    known: Mapping[str, tuple[Sort, str]],
    holding: Collection[str],
    new: Iterable[Alert],
    lately: Mapping[str, Sort],
) -> dict[str, str]:
    """Which incident each alert belongs to, by the fingerprint of its head.

    An alert stays in the incident it came into. A new one joins the first that it follows
    from or that has the same cause, or else opens its own. A cause that holds explains better
    than one that is over and waits for its consequences, and that better than one that ended.

    Args:
        known: alerts of open incidents, each with its head.
        holding: those of them that hold.
        lately: heads that ended so lately that what follows has not mended itself.
    """
    found = {fingerprint: head for fingerprint, (_, head) in known.items()}
    shown: dict[str, str] = {}
    past: dict[str, str] = {}
    for fingerprint, (sort, head) in known.items():
        for cause in _shown_by(sort):
            (shown if fingerprint in holding else past).setdefault(cause.name, head)
    ended = {cause.name: head for head, sort in lately.items() for cause in _shown_by(sort)}
    for alert in sorted(new, key=_rank):
        sort, own = sort_of(alert), alert.fingerprint
        joined = (
            heads_by_cause[cause.name]
            for heads_by_cause in (shown, past, ended)
            for cause in CAUSES
            if cause.name in heads_by_cause
            and (
                sort.among(cause.results)
                or (heads_by_cause is not ended and sort.among(cause.signs))
            )
        )
        head = found[own] = next(joined, own)
        if head not in lately:
            for cause in _shown_by(sort):
                shown.setdefault(cause.name, head)
    return found


def _shown_by(sort: Sort) -> Iterator[Cause]:
    return (cause for cause in CAUSES if sort.among(cause.signs))


def _rank(alert: Alert) -> tuple[int, int, int, str]:
    """What shows an earlier cause comes first, then the worst."""
    sort, places = sort_of(alert), (len(CAUSES), 0)
    for n, cause in enumerate(CAUSES):
        if sort.among(cause.signs):
            places = n, next(k for k, sign in enumerate(cause.signs) if sort.among((sign,)))
            break
    return *places, -alert.severity, alert.fingerprint
