"""From the outbox to the channels: what is sent now, tried again later, merged, or given up.

Belongs here: order, rate limits, retries and digests, in a known time. Does not belong here:
how a channel sends, SQL.

A message is sent at least once: a sender that dies after the channel accepted it sends it
again. Channels do not wait for each other; one that fails is not asked again in the same
round. A round is waited for only so long: a slow channel goes on alone, and the next look comes
in time.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from fund_assets.calendar import CLOCK_SLACK, to_stamp
from fund_assets.observability.alerts.channels import Channel, ChannelError
from fund_assets.observability.alerts.messages import Message, digest, summarize_backlog
from fund_assets.observability.alerts.time_limits import StillWaiting, at_once, within
from fund_assets.observability.conditions import Severity
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import alerts

#: Messages that a channel carries in a minute: robots that get 20 are muted by their service.
PER_MINUTE = 15
#: More than so many that wait go out as one.
MOST_APART = 3
#: Pauses before the second, third and last attempt.
RETRIES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
#: No message waits longer; a later time was written by a clock that was wrong.
LONGEST_WAIT = RETRIES[-1] + CLOCK_SLACK
#: For one message over one channel, whatever it is, and for a round of all of them.
SEND_S, ROUND_S = 20.0, 10.0
#: Nobody else takes what is being sent.
LEASE = timedelta(minutes=2)
STATES_KEPT, MESSAGES_KEPT = timedelta(days=90), timedelta(days=30)
#: What was given up is kept by number: a clock that was wrong deletes none.
DEAD_KEPT = 1_000
MOST_ERROR = 400
MOST_WORDS = 40_000
log = logging.getLogger(__name__)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Delivered:
    """What a round did: messages by what became of them."""

    sent: int = 0
    failed: int = 0
    dead: int = 0

    def __add__(self, other: "Delivered") -> "Delivered":
        return Delivered(
            self.sent + other.sent, self.failed + other.failed, self.dead + other.dead
        )


def outbox_rows(
    message: Message, channels: Iterable[Channel], critical_only: Sequence[str], now: datetime
) -> list[Row]:
    """A message as rows of the outbox, one for each channel that carries it."""
    return [
        _outbox_row(message, channel.name, now)
        for channel in _carriers(message, channels, critical_only)
    ]


def deliver(
    warehouse: Warehouse, channels: Sequence[Channel], machine_time: datetime
) -> Delivered:
    """Send what is due, each channel for itself."""
    due = alerts.waiting(
        warehouse, to_stamp(machine_time), to_stamp(machine_time + LONGEST_WAIT)
    )
    if due:
        minute = (machine_time - timedelta(minutes=1), machine_time + CLOCK_SLACK)
        sent = alerts.sent_between(warehouse, *map(to_stamp, minute))
        by_name = {channel.name: channel for channel in channels}

        def one(name: str) -> Delivered:
            mine = [row for row in due if row["channel"] == name]
            room = PER_MINUTE - sent.get(name, 0)
            return _round(warehouse, by_name.get(name), mine, room, machine_time)

        names = dict.fromkeys(str(row["channel"]) for row in due)
        rounds = {f"{name} of {warehouse.place}": partial(one, name) for name in names}
        results, failed = at_once(rounds, ROUND_S)
        for error in failed.values():
            raise error
        done = sum(results.values(), Delivered())
    else:
        done = Delivered()
    alerts.prune(
        warehouse,
        to_stamp(machine_time - STATES_KEPT),
        to_stamp(machine_time - MESSAGES_KEPT),
        DEAD_KEPT,
    )
    return done


def send_now(
    message: Message, channels: Iterable[Channel], critical_only: Sequence[str]
) -> Delivered:
    """Send past the outbox, while there is none; nothing is tried again here."""
    chosen = _carriers(message, channels, critical_only)
    works = {f"{channel.name} now": partial(_send, channel, message) for channel in chosen}
    sent = list(at_once(works, SEND_S)[0].values()).count("")
    return Delivered(sent=sent, failed=len(chosen) - sent)


def _round(
    warehouse: Warehouse,
    channel: Channel | None,
    due: Sequence[Row],
    room: int,
    machine_time: datetime,
) -> Delivered:
    """Send what is due on one channel, as far as its rate allows."""
    if room <= 0:
        return Delivered()
    rows = alerts.claim(warehouse, due, to_stamp(machine_time + LEASE))
    if channel is None:
        gone = [{**row, **_dead(row, "the channel is not set any more")} for row in rows]
        alerts.settle(warehouse, gone)
        return Delivered(dead=len(gone))
    if len(rows) > min(room, MOST_APART):
        rows = [_merged(warehouse, rows, machine_time)]
    sent = 0
    for at, row in enumerate(rows):
        if failure := _send(channel, _message(row)):
            failed = {**row, **_failed(row, failure, machine_time)}
            pause = {"due_at": to_stamp(machine_time + RETRIES[0])}
            untried = [{**r, **pause, "attempts": r["attempts"] - 1} for r in rows[at + 1 :]]
            alerts.settle(warehouse, [failed, *untried])
            dead = failed["state"] == "dead"
            return Delivered(sent, failed=1 - dead, dead=int(dead))
        done = {"state": "sent", "sent_at": to_stamp(machine_time), "error": ""}
        alerts.settle(warehouse, [{**row, **done}])
        sent += 1
    if sent:
        _replace_dead_messages(warehouse, channel.name, machine_time)
    return Delivered(sent)


def _replace_dead_messages(warehouse: Warehouse, channel: str, machine_time: datetime) -> None:
    """A channel that is back gets one message in the place of all that it never got."""
    lost = [row for row in alerts.outbox(warehouse, "dead") if row["channel"] == channel]
    if lost:
        holding = [f"{row['fingerprint']}：{row['words']}" for row in alerts.holding(warehouse)]
        whole = summarize_backlog([_message(row) for row in lost], holding)
        summary = _outbox_row(whole, channel, machine_time)
        alerts.settle(warehouse, [summary, *({**row, "state": "merged"} for row in lost)])


def _carriers(
    message: Message, channels: Iterable[Channel], critical_only: Sequence[str]
) -> list[Channel]:
    return [
        channel
        for channel in channels
        if message.severity is Severity.CRITICAL or channel.name not in critical_only
    ]


def _send(channel: Channel, message: Message) -> str:
    """Hand a message over; why it was not accepted, empty when it was."""
    try:
        within(SEND_S, f"sending over {channel.name}", partial(channel.send, message))
    except ChannelError as error:
        log.warning("alert channel %s: %s", channel.name, error)
        return str(error)[:MOST_ERROR]
    except StillWaiting:
        log.warning("alert channel %s: no result within %g s", channel.name, SEND_S)
        return f"no answer within {SEND_S:g} s"
    except Exception as error:  # a defect of one channel must not stop the others
        # Not its words: they may quote an address.
        log.warning("alert channel %s failed: %s", channel.name, type(error).__name__)
        return type(error).__name__
    return ""


def _failed(row: Row, error: str, machine_time: datetime) -> Row:
    """What a failed attempt changes: another one later, or the end."""
    if row["attempts"] > len(RETRIES):
        return _dead(row, error)
    pause = RETRIES[row["attempts"] - 1]
    return {"due_at": to_stamp(machine_time + pause), "error": error}


def _dead(row: Row, error: str) -> Row:
    log.error("alert message %s over %s is given up: %s", row["id"], row["channel"], error)
    return {"state": "dead", "error": error}


def _merged(warehouse: Warehouse, rows: Sequence[Row], machine_time: datetime) -> Row:
    """One message in the place of claimed ones; it has their number of attempts."""
    whole = digest([_message(row) for row in rows])
    together = _outbox_row(whole, rows[0]["channel"], machine_time)
    kept = {
        **together,
        "attempts": max(row["attempts"] for row in rows),
        "due_at": rows[0]["due_at"],
    }
    alerts.settle(warehouse, [kept, *({**row, "state": "merged"} for row in rows)])
    return kept


def _outbox_row(message: Message, channel: str, now: datetime) -> Row:
    words = message.text[:MOST_WORDS]
    told = f"{channel}\n{now.isoformat()}\n{message.title}\n{words}"
    return {
        "id": hashlib.sha256(told.encode()).hexdigest()[:12],
        "channel": channel,
        "severity": message.severity.name.lower(),
        "title": message.title[:MOST_ERROR],
        "words": words,
        "fingerprints": json.dumps(message.fingerprints, ensure_ascii=False),
        "state": "waiting",
        "attempts": 0,
        "created_at": to_stamp(now),
        "due_at": to_stamp(now),
        "sent_at": None,
        "error": "",
    }


def _message(row: Row) -> Message:
    return Message(
        title=row["title"],
        lines=tuple(row["words"].split("\n")),
        severity=Severity[row["severity"].upper()],
        fingerprints=tuple(json.loads(row["fingerprints"])),
    )
