"""What a round of delivery counts and leaves behind, message by message."""

from datetime import datetime, timedelta

import pytest

from fund_assets.calendar import to_stamp
from fund_assets.observability.alerts.channels import ChannelError
from fund_assets.observability.alerts.delivery import Delivered, deliver, outbox_rows, send_now
from fund_assets.observability.alerts.lifecycle import State
from fund_assets.observability.alerts.messages import Message
from fund_assets.observability.alerts.state import as_row
from fund_assets.observability.conditions import Severity
from fund_assets.settings import SHANGHAI
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import alerts
from fund_assets_tests import stores

AT = datetime(2026, 9, 18, 22, 0, tzinfo=SHANGHAI)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


class Channel:
    """Takes so many messages, then refuses."""

    def __init__(self, name, takes=99):
        self.name, self.takes, self.messages = name, takes, []

    def send(self, message):
        if len(self.messages) == self.takes:
            raise ChannelError("refused")
        self.messages.append(message)


@pytest.fixture
def warehouse(tmp_path):
    warehouse = Warehouse(stores.at(tmp_path))
    warehouse.init("simulated")
    yield warehouse
    warehouse.close()


def put(warehouse, channel, count, at=AT):
    for n in range(count):
        told = Message(f"title {n}", (f"line {n}",), Severity.WARNING, (f"run_failed:{n}",))
        rows = outbox_rows(told, [channel], [], at + n * SECOND)
        alerts.change(warehouse, lambda states, silences, rows=rows: ([], rows))


def box(warehouse, channel):
    """(state, attempts, due, error) of each message of a channel, oldest first."""
    return [
        (row["state"], row["attempts"], row["due_at"], row["error"])
        for row in warehouse.rows(
            "SELECT * FROM alert_outbox WHERE channel = :name ORDER BY created_at, id",
            name=channel.name,
        )
    ]


def test_what_came_after_a_failure_was_not_tried(warehouse):
    """Stops a failure from using up the attempts of the messages behind it, or from hiding them."""
    good, bad = Channel("good"), Channel("bad", takes=1)
    put(warehouse, good, 2)
    put(warehouse, bad, 3)
    now = AT + 5 * SECOND
    assert deliver(warehouse, [good, bad], now) == Delivered(sent=3, failed=1, dead=0)
    later = to_stamp(now + MINUTE)
    assert [row[:2] for row in box(warehouse, good)] == [("sent", 1), ("sent", 1)]
    first, failed, untried = box(warehouse, bad)
    assert first[:2] == ("sent", 1) and first[3] == ""
    assert failed == ("waiting", 1, later, "refused")
    assert untried == ("waiting", 0, later, "")
    assert deliver(warehouse, [good, bad], now + 59 * SECOND) == Delivered()
    assert deliver(warehouse, [good, bad], now + MINUTE) == Delivered(failed=1)


def test_three_go_one_by_one_and_four_as_one(warehouse):
    """Stops a robot from being flooded, and three alerts from being squeezed into one."""
    three, four = Channel("three"), Channel("four")
    put(warehouse, three, 3)
    put(warehouse, four, 4)
    assert deliver(warehouse, [three, four], AT + MINUTE) == Delivered(sent=4)
    assert [m.title for m in three.messages] == ["title 0", "title 1", "title 2"]
    (whole,) = four.messages
    assert sorted(whole.fingerprints) == [f"run_failed:{n}" for n in range(4)]
    states = [row[0] for row in box(warehouse, four)]
    assert sorted(states) == ["merged"] * 4 + ["sent"]


@pytest.mark.parametrize(("before", "told"), [(12, 3), (13, 1), (14, 1), (15, 0), (16, 0)])
def test_fifteen_go_in_a_minute(warehouse, before, told):
    """Stops a sixteenth message of a minute, and a limit that reaches beyond the minute."""
    channel = Channel("robot")
    put(warehouse, channel, before, AT - MINUTE)
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            f"UPDATE alert_outbox SET state = 'sent', sent_at = {to_stamp(AT - MINUTE)}"
        )
    put(warehouse, channel, 3, AT - 3 * SECOND)
    assert deliver(warehouse, [channel], AT).sent == told
    left = Channel("robot")
    # A second later the minute of the first ones is over.
    assert deliver(warehouse, [left], AT + SECOND).sent == (0 if told else 3)


def test_the_fourth_failure_is_the_last(warehouse):
    """Stops a message from being given up early, tried for ever, or counted twice."""
    channel = Channel("deaf", takes=0)
    put(warehouse, channel, 1)
    now, rounds = AT, []
    for pause in (1, 5, 30, 99):
        rounds.append(deliver(warehouse, [channel], now))
        assert deliver(warehouse, [channel], now + pause * MINUTE - SECOND) == Delivered()
        now += pause * MINUTE
    assert rounds == [Delivered(failed=1)] * 3 + [Delivered(dead=1)]
    assert box(warehouse, channel)[0][:2] == ("dead", 4)
    assert Delivered(1, 2, 3) + Delivered(10, 20, 30) == Delivered(11, 22, 33)


def test_a_channel_that_is_back_tells_what_it_never_got(warehouse):
    """Stops what was given up during a night without a channel from being told by nobody."""
    good, bad = Channel("good"), Channel("bad", takes=0)
    put(warehouse, bad, 1)
    put(warehouse, good, 1)
    now = AT
    for pause in (1, 5, 30, 99):
        deliver(warehouse, [good, bad], now)
        now += pause * MINUTE
    assert [row[0] for row in box(warehouse, bad)] == ["dead"]
    holds = State(
        fingerprint="freshness:validated_nav", kind="freshness", subject="validated_nav",
        severity=Severity.WARNING, words="落后 1 个交易日", first_at=AT,
    )  # fmt: skip
    alerts.change(warehouse, lambda states, silences: ([as_row(holds)], []))
    bad.takes = 99
    put(warehouse, bad, 1, now)
    assert deliver(warehouse, [good, bad], now).sent == 1
    assert deliver(warehouse, [good, bad], now + MINUTE).sent == 1
    assert deliver(warehouse, [good, bad], now + 2 * MINUTE) == Delivered()
    told = bad.messages[-1]
    assert told.title == "渠道恢复：有 1 条消息当时没有送到"
    assert told.lines[0] == "title 0" and told.lines[-2:] == (
        "现在仍在持续：1 项",
        "freshness:validated_nav：落后 1 个交易日",
    )
    assert sorted(row[0] for row in box(warehouse, bad)) == ["merged", "sent", "sent"]
    assert len(good.messages) == 1, "another channel has lost nothing"


def test_messages_of_a_channel_that_is_gone_are_counted_as_dead(warehouse):
    """Stops messages that nobody will get from being counted as sent."""
    put(warehouse, Channel("gone"), 2)
    assert deliver(warehouse, [Channel("other")], AT + MINUTE) == Delivered(dead=2)


def test_past_the_outbox_each_channel_counts():
    """Stops a telling that one channel lost from looking as if nobody heard it, or all."""
    told = Message("t", ("l",), Severity.WARNING, ("run_failed:1",))
    good, bad, pager = Channel("good"), Channel("bad", takes=0), Channel("pager")
    assert send_now(told, [good, bad, pager], ["pager"]) == Delivered(sent=1, failed=1)
    assert pager.messages == [] and len(good.messages) == 1
    assert send_now(told, [pager], ["pager"]) == Delivered()


def test_what_is_done_with_is_forgotten_after_thirty_days(warehouse):
    """Stops the outbox from growing for ever, or from forgetting what still waits."""
    sent, deaf = Channel("sent"), Channel("deaf", takes=0)
    put(warehouse, sent, 1)
    put(warehouse, deaf, 1)
    deliver(warehouse, [sent, deaf], AT)
    deliver(warehouse, [], AT + 30 * DAY)
    assert len(box(warehouse, sent)) == 1
    assert box(warehouse, deaf)[0][0] == "dead", "its channel is gone by then"
    put(warehouse, Channel("late"), 1, AT)
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            "UPDATE alert_outbox SET due_at = 20991231000000 WHERE channel = 'late'"
        )
    deliver(warehouse, [sent, deaf], AT + 30 * DAY + SECOND)
    assert box(warehouse, sent) == []
    assert box(warehouse, deaf)[0][0] == "dead", (
        "what nobody heard is kept by number, not by age"
    )
    assert len(box(warehouse, Channel("late"))) == 1, "it waits"


def test_what_waits_and_what_was_sent_is_counted_by_state_and_time(warehouse):
    """Stops a page of health from showing sent messages as waiting, or those of yesterday as new."""
    one, two = Channel("one"), Channel("two")
    put(warehouse, one, 2)
    put(warehouse, two, 1)
    now, latest = to_stamp(AT), to_stamp(AT + DAY)
    assert {row["channel"] for row in alerts.waiting(warehouse, now, latest)} == {"one", "two"}
    assert len(alerts.waiting(warehouse, now, latest)) == 2
    assert len(alerts.waiting(warehouse, now + 1, latest)) == 3
    assert alerts.outbox_counts(warehouse) == {"waiting": 3, "dead": 0}
    deliver(warehouse, [one], AT + SECOND)
    assert alerts.outbox_counts(warehouse) == {"waiting": 0, "dead": 1}
    assert alerts.sent_between(warehouse, now + 1, latest) == {"one": 2}
    assert alerts.sent_between(warehouse, now + 2, latest) == {}
    assert alerts.sent_between(warehouse, now, now) == {}
    assert [row["channel"] for row in alerts.outbox(warehouse, "sent")] == ["one", "one"]
