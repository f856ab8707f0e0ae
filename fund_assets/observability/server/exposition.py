"""The answer of /metrics: facts as Prometheus metrics, or as the short JSON of the first plan.

Belongs here: names, labels and meanings of metrics. Does not belong here: gathering facts,
HTTP. No metric has a fund's code as a label: that would be tens of thousands of series.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from fund_assets.observability.status import Status
from fund_assets.version import __version__


class _Facts(Collector):
    """One reading of the facts; None when there is none to tell."""

    def __init__(self, status: Status | None) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        yield _gauge(
            "fund_build_info", "The program's version, always 1.", ["version"],
            [([__version__], 1)],
        )  # fmt: skip
        up = int(self._status is not None)
        yield _gauge("fund_up", "1 when the facts below could be read.", [], [([], up)])
        if self._status is not None:
            yield from _metrics(self._status)


def encode(status: Status | None, accept: str) -> tuple[bytes, str]:
    """The metrics in the format that a caller accepts, and its content type.

    Raises:
        ValueError: `accept` asks for a version that is none.
    """
    try:
        encoder, content_type = choose_encoder(accept)
    except TypeError:  # prometheus_client 0.26 compares the numbers of a version as they are
        raise ValueError("a version in Accept is not a number") from None
    registry = CollectorRegistry()
    registry.register(_Facts(status))
    return encoder(registry), content_type


def short(status: Status) -> dict[str, Any]:
    """The JSON of the first plan."""
    return {
        "nav_records": status.nav_rows,
        "fund_count": status.fund_count,
        "timestamp": status.now.isoformat(timespec="seconds"),
    }


def _gauge(
    name: str, words: str, labels: list[str], values: Iterable[tuple[list[str], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=labels)
    for label_values, value in values:
        family.add_metric(label_values, value)
    return family


def _counter(
    name: str, words: str, labels: list[str], values: Iterable[tuple[list[str], float]]
) -> CounterMetricFamily:
    """A counter, told as `<name>_total`."""
    family = CounterMetricFamily(name, words, labels=labels)
    for label_values, value in values:
        family.add_metric(label_values, value)
    return family


def _durations(status: Status) -> SummaryMetricFamily:
    family = SummaryMetricFamily(
        "fund_source_request_duration_seconds",
        "Time of requests to the source, without waiting for the rate limit.",
        labels=["source"],
    )
    for source in sorted({r.source for r in status.requests}):
        made = [r for r in status.requests if r.source == source]
        count, seconds = sum(r.requests for r in made), sum(r.seconds for r in made)
        family.add_metric([source], count_value=count, sum_value=seconds)
    return family


def _metrics(status: Status) -> Iterator[Metric]:
    yield _gauge("fund_nav_rows", "Accepted NAVs.", [], [([], status.nav_rows)])
    yield _gauge("fund_count", "Share classes ever seen.", [], [([], status.fund_count)])
    yield _gauge(
        "fund_states", "Share classes in a state today.", ["state"],
        [([state], count) for state, count in status.fund_states],
    )  # fmt: skip
    yield _gauge(
        "fund_today_nav_rows", "Accepted NAVs of today's date.", [],
        [([], status.today_nav_count)],
    )  # fmt: skip
    yield _gauge(
        "fund_last_publish_timestamp_seconds",
        "When an asset was last updated, by Dagster's records.",
        ["asset"],
        [([f.table], f.renewed_at.timestamp()) for f in status.freshness if f.renewed_at],
    )
    yield _gauge(
        "fund_sessions_behind",
        "Due trading days that a table lacks.",
        ["asset"],
        [
            ([f.table], f.sessions_behind)
            for f in status.freshness
            if f.sessions_behind is not None
        ],
    )
    yield _gauge(
        "fund_coverage_ratio",
        "Funds of a kind with a NAV on the newest date, over those due by their own cadence.",
        ["kind"],
        [([row.kind], row.share) for row in status.coverage],
    )
    yield _gauge(
        "fund_check_status",
        "1 when the newest evaluation of a check within 7 days passed, 0 when it failed.",
        ["asset", "check", "severity"],
        [([c.asset, c.check, c.severity], int(c.failing is None)) for c in status.checks],
    )
    yield _gauge(
        "fund_quarantine_held_rows", "Rows that a rule holds back now.", ["rule"],
        [([rule], held) for rule, held in status.quarantine],
    )  # fmt: skip
    yield _counter(
        "fund_quarantined_rows", "All rows that a rule has held back.", ["rule"],
        [([rule], held) for rule, held in status.quarantined_ever],
    )  # fmt: skip
    yield _gauge(
        "fund_revised_values", "Accepted values corrected in the last 7 days.", [],
        [([], status.revisions)],
    )  # fmt: skip
    yield _gauge(
        "fund_missing_sessions", "Trading days of the last two weeks without their NAVs.", [],
        [([], len(status.missing))],
    )  # fmt: skip
    yield _counter(
        "fund_source_requests", "Requests to the source by how they ended.",
        ["source", "outcome"],
        [([r.source, r.outcome], r.requests) for r in status.requests],
    )  # fmt: skip
    yield _durations(status)
    yield _gauge(
        "fund_calendar_days_left", "Days for which the trading calendar is known.", [],
        [([], days) for days in [status.calendar_days_left] if days is not None],
    )  # fmt: skip
    yield _gauge(
        "fund_disk_free_bytes",
        "Free space on the disk of FUND_STATE or of the warehouse, the smaller.", [],
        [([], free) for free in [status.disk_free_bytes] if free is not None],
    )  # fmt: skip
    yield _gauge("fund_held_batches", "Batches that wait.", [], [([], status.held_batches)])
    yield _gauge(
        "fund_alerts_firing", "Active alerts that no other alert explains.", ["severity"],
        [([name], number) for name, number in status.alerts_firing],
    )  # fmt: skip
    yield _gauge(
        "fund_alerts_outbox", "Alert messages that wait, or were given up.", ["state"],
        [([name], number) for name, number in status.outbox],
    )  # fmt: skip
    yield _gauge(
        "dagster_daemon_last_heartbeat_timestamp_seconds",
        "The last heartbeat of a daemon.",
        ["daemon"],
        [([beat.daemon.lower()], beat.at.timestamp()) for beat in status.daemons],
    )
    yield _gauge(
        "dagster_runs", "Runs of the last 7 days by outcome.", ["status"],
        [([name], number) for name, number in status.runs_by_status],
    )  # fmt: skip
