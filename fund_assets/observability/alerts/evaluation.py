"""One look: read the facts, decide what is told, put it into the outbox, and deliver.

Belongs here: the order of these steps, for the sensor, the watcher and tests alike. Does not
belong here: any of the steps.

While the warehouse cannot be read there is neither a place for states nor an outbox: the
states are kept in a file beside it (`state.StateFile`), and messages go straight to the
channels.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import dagster as dg

from fund_assets.language import speaking
from fund_assets.observability.alerts import current, delivery
from fund_assets.observability.alerts.catalog import KINDS, Alert
from fund_assets.observability.alerts.causes import follows_from
from fund_assets.observability.alerts.channels import Channel, configured
from fund_assets.observability.alerts.delivery import Delivered, Row
from fund_assets.observability.alerts.facts import Facts, look
from fund_assets.observability.alerts.lifecycle import Notification, State, advance, ahead
from fund_assets.observability.alerts.messages import Message, compose
from fund_assets.observability.alerts.state import StateFile, as_row, silence_of, state_of
from fund_assets.observability.conditions import Severity
from fund_assets.resources import Platform
from fund_assets.settings import Settings
from fund_assets.warehouse import WarehouseError
from fund_assets.warehouse.stores import alerts

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What one look found and did.

    Attributes:
        holding: everything that is wrong, also what is silenced or explained.
        notifications: what is told now.
        delivered: messages of this round, older ones included.
    """

    holding: tuple[Alert, ...] = ()
    notifications: tuple[Notification, ...] = ()
    delivered: Delivered = field(default_factory=Delivered)

    @property
    def worst(self) -> Severity | None:
        """The greatest severity of what holds; None when nothing does."""
        return max((alert.severity for alert in self.holding), default=None)


@speaking("zh")  # whoever evaluates them
def evaluate(
    platform: Platform,
    instance: dg.DagsterInstance | None,
    machine_time: datetime,
    channels: Sequence[Channel] | None = None,
) -> Outcome:
    """Look once, tell what is to be told, and deliver what is due.

    Args:
        instance: None when it could not even be opened.
        machine_time: now, by the clock that Dagster's records follow.
        channels: those of the settings by default.
    """
    settings = platform.settings
    now = machine_time.replace(microsecond=0)
    if channels is None:
        channels = configured(settings)
    facts = look(platform, instance, machine_time)
    if facts is None:
        return Outcome()
    found = current.alerts(facts)
    if facts.stored is None:
        # Only what does not follow from its absence is told.
        own = [alert for alert in found if not follows_from("database", alert)]
        done = _without_warehouse(facts, own, current.unknown(facts), settings, channels, now)
        return replace(done, holding=tuple(found))
    try:
        notifications = _in_warehouse(platform, facts, found, channels, now)
        delivered = delivery.deliver(platform.warehouse, channels, now)
    except WarehouseError as error:
        log.warning("the states of alerts cannot be stored: %s", error)
        found = [current.UNWRITABLE]
        others = set(KINDS) - {current.UNWRITABLE.kind, current.DATABASE}
        return _without_warehouse(facts, found, others, settings, channels, now)
    return Outcome(tuple(found), tuple(notifications), delivered)


def _in_warehouse(
    platform: Platform,
    facts: Facts,
    found: list[Alert],
    channels: Sequence[Channel],
    now: datetime,
) -> list[Notification]:
    """The ordinary way: states and messages change in one transaction."""
    settings = platform.settings
    state_file = StateFile(settings.state_dir)
    notifications: list[Notification] = []

    def decide(
        stored: Sequence[Row], silences: Sequence[Row]
    ) -> tuple[Sequence[Row], Sequence[Row]]:
        nonlocal notifications
        known = {row["fingerprint"]: state_of(row) for row in stored} | carried
        quiet = [silence_of(row) for row in silences]
        beats = [beat.at for beat in facts.dagster.daemons] if facts.dagster else []
        states, notifications = advance(
            known,
            [*found, *ahead(known.values(), quiet, beats, now)],
            now,
            unknown=current.unknown(facts),
            silences=quiet,
            sessions=_sessions(facts),
            unsettled=current.unsettled(facts),
        )
        changed = {**carried, **{state.fingerprint: state for state in states}}
        rows = [as_row(state) for state in changed.values()]
        if not notifications:
            return rows, []
        only = settings.alert_critical_channels
        return rows, delivery.outbox_rows(
            _message(notifications, facts, settings), channels, only, now
        )

    if not state_file.path.exists():
        carried: dict[str, State] = {}
        alerts.change(platform.warehouse, decide)
    else:
        with state_file.held():
            carried = state_file.read()
            alerts.change(platform.warehouse, decide)
            state_file.drop()
    _log(notifications)
    return notifications


def _without_warehouse(
    facts: Facts,
    found: list[Alert],
    unknown: Collection[str],
    settings: Settings,
    channels: Sequence[Channel],
    now: datetime,
) -> Outcome:
    """Without the warehouse: states in the file, messages straight to the channels."""
    state_file = StateFile(settings.state_dir)
    with state_file.held():
        stored = state_file.read()
        states, notifications = advance(
            stored, found, now, unknown=unknown, sessions=_sessions(facts)
        )
        new = {state.fingerprint: state for state in states}
        sent = Delivered()
        if notifications:
            _log(notifications)
            message = _message(notifications, facts, settings)
            sent = delivery.send_now(message, channels, settings.alert_critical_channels)
            if channels and not sent.sent:
                # Nobody heard of it: the next look tells it again.
                for state in (notification.state for notification in notifications):
                    unsent = replace(state, told_at=None, told_as=None)
                    new[state.fingerprint] = stored.get(state.fingerprint, unsent)
        if new:
            state_file.write({**stored, **new})
    return Outcome(tuple(found), tuple(notifications), sent)


def _message(
    notifications: Sequence[Notification], facts: Facts, settings: Settings
) -> Message:
    lacking = current.lacking(facts)
    return compose(notifications, settings.source, settings.alert_runbook, lacking)


def _sessions(facts: Facts) -> Callable[[date, date], int]:
    """Counts sessions; after the calendar's end none is counted."""

    def count(first: date, last: date) -> int:
        last = min(last, facts.calendar.horizon)
        return len(facts.calendar.between(first, last)) if first <= last else 0

    return count


def _log(notifications: Sequence[Notification]) -> None:
    """Every notification stands in the log too; without a channel, only there."""
    for notification in notifications:
        state = notification.state
        log.warning("alert %s %s: %s", notification.event.value, state.fingerprint, state.words)
