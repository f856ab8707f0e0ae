"""Alerts from a real market, a real warehouse and real runs to servers that receive them."""

import sqlite3
import threading
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from fund_assets.observability.alerts.catalog import Alert
from fund_assets.observability.alerts.channels import ChannelError, configured
from fund_assets.observability.alerts.delivery import deliver, outbox_rows
from fund_assets.observability.alerts.evaluation import evaluate
from fund_assets.observability.alerts.lifecycle import advance
from fund_assets.observability.alerts.messages import Message
from fund_assets.observability.alerts.state import StateFile
from fund_assets.observability.conditions import Severity
from fund_assets.resources import Platform
from fund_assets.settings import SHANGHAI, load_settings
from fund_assets.transport.errors import TransportError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import alerts, weekly_log
from fund_assets_tests.integration.evenings import FRIDAY, MONDAY, THURSDAY
from fund_assets_tests.integration.test_blocked import half
from fund_assets_tests.server.robots import RobotServer

AT = datetime(2026, 9, 18, 22, 0, tzinfo=SHANGHAI)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Recorder:
    """A channel that a test makes fail."""

    def __init__(self, name="recorder"):
        self.name, self.messages, self.fails = name, [], False

    def send(self, message):
        if self.fails:
            raise ChannelError("refused: for this test")
        self.messages.append(message)

    @property
    def titles(self):
        return [message.title for message in self.messages]


@pytest.fixture
def warehouse():
    found = Warehouse(load_settings().warehouse)
    found.init("simulated")
    yield found
    found.close()


def put(warehouse, *messages, channels, at=AT):
    def decide(stored, silences):
        return [], [row for m in messages for row in outbox_rows(m, channels, [], at)]

    alerts.change(warehouse, decide)


def message(text="1", severity=Severity.WARNING):
    return Message(f"标题 {text}", (f"内容 {text}",), severity, (f"run_failed:{text}",))


def test_what_fails_is_tried_after_1_5_and_30_minutes_and_then_given_up(warehouse):
    """Stops a message from being lost by one bad minute, and from being tried for ever."""
    channel = Recorder()
    channel.fails = True
    put(warehouse, message(), channels=[channel])
    tried, now = [], AT
    while alerts.outbox_counts(warehouse)["waiting"]:
        done = deliver(warehouse, [channel], now)
        if done.failed or done.dead:
            tried.append((now - AT) // MINUTE)
        now += MINUTE
        assert now < AT + 2 * HOUR
    assert tried == [0, 1, 6, 36]
    assert alerts.outbox_counts(warehouse) == {"waiting": 0, "dead": 1}
    (dead,) = alerts.outbox(warehouse, "dead")
    assert (dead["attempts"], dead["error"]) == (4, "refused: for this test")


def test_a_channel_that_recovers_gets_what_waited(warehouse):
    """Stops messages of an outage from being dropped, or from coming one by one at its end."""
    broken, sound = Recorder("broken"), Recorder("sound")
    broken.fails = True
    for n in range(6):
        put(warehouse, message(str(n)), channels=[broken, sound], at=AT + n * MINUTE)
        deliver(warehouse, [broken, sound], AT + n * MINUTE)
    assert sound.titles == [f"标题 {n}" for n in range(6)], "one bad channel stops no other"
    broken.fails = False
    deliver(warehouse, [broken], AT + 2 * HOUR)
    assert len(broken.messages) <= 3
    told = [fingerprint for m in broken.messages for fingerprint in m.fingerprints]
    assert sorted(told) == [f"run_failed:{n}" for n in range(6)], "each once"
    assert any("积压消息" in title for title in broken.titles)
    assert alerts.outbox_counts(warehouse) == {"waiting": 0, "dead": 0}


def test_no_channel_carries_more_than_15_a_minute(warehouse):
    """Stops a robot from being muted by its service for messages that come too fast."""
    channel = Recorder()
    for n in range(20):
        now = AT + timedelta(seconds=n)
        put(warehouse, message(str(n)), channels=[channel], at=now)
        deliver(warehouse, [channel], now)
    assert len(channel.messages) == 15
    deliver(warehouse, [channel], AT + timedelta(seconds=75))
    assert len(channel.messages) == 16, "the overflow is one digest"
    assert len(channel.messages[-1].fingerprints) == 5


def test_two_senders_send_a_message_once(warehouse):
    """Stops the sensor and the watcher from sending the same message twice."""
    channel, gate = Recorder(), threading.Barrier(2)
    put(warehouse, *(message(str(n)) for n in range(3)), channels=[channel])

    def work():
        gate.wait()
        deliver(warehouse, [channel], AT)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(channel.titles) == [f"标题 {n}" for n in range(3)]


def test_a_sender_that_dies_leaves_its_message_to_the_next(warehouse):
    """Stops a message from being lost with the process that was sending it."""
    channel = Recorder()
    put(warehouse, message(), channels=[channel])
    (row,) = alerts.waiting(warehouse, 20260918220000, 20260918223500)
    assert len(alerts.claim(warehouse, [row], 20260918220200)) == 1
    deliver(warehouse, [channel], AT + MINUTE)
    assert channel.messages == []
    deliver(warehouse, [channel], AT + 2 * MINUTE)
    assert channel.titles == ["标题 1"]


def test_a_channel_that_is_not_set_any_more(warehouse):
    """Stops messages for a channel that was removed from waiting for ever, unseen."""
    put(warehouse, message(), channels=[Recorder("gone")])
    assert deliver(warehouse, [], AT).dead == 1
    assert alerts.outbox(warehouse, "dead")[0]["error"] == "the channel is not set any more"


def test_a_defect_of_a_channel_is_its_own(warehouse, caplog):
    """Stops one channel's unforeseen error from stopping all, and from telling an address."""

    class Defect(Recorder):
        def send(self, message):
            raise LookupError("https://secret.example/token")

    sound = Recorder()
    put(warehouse, message(), channels=[Defect("defect"), sound])
    done = deliver(warehouse, [Defect("defect"), sound], AT)
    assert (done.sent, done.failed) == (1, 1)
    assert "secret" not in caplog.text + str(alerts.outbox(warehouse, "waiting"))


def test_only_what_is_critical_goes_to_some_channels():
    """Stops a pager from ringing for a warning."""
    mail, pager = Recorder("mail"), Recorder("dingtalk")
    for severity, names in (
        (Severity.WARNING, ["mail"]),
        (Severity.CRITICAL, ["mail", "dingtalk"]),
    ):
        rows = outbox_rows(message(severity=severity), [mail, pager], ["dingtalk"], AT)
        assert [row["channel"] for row in rows] == names


def test_old_rows_are_deleted(warehouse):
    """Stops the outbox and the states from growing for ever, and from losing what holds."""
    channel = Recorder()
    put(warehouse, message(), channels=[channel])
    run = Alert("run_failed", "a", Severity.WARNING, "x")
    other = Alert("run_failed", "b", Severity.WARNING, "x")

    def look(*holding, at):
        def decide(stored, silences):
            from fund_assets.observability.alerts.state import as_row, state_of

            known = {row["fingerprint"]: state_of(row) for row in stored}
            return [as_row(s) for s in advance(known, holding, at)[0]], []

        alerts.change(warehouse, decide)

    look(run, other, at=AT)
    look(other, at=AT + HOUR)
    deliver(warehouse, [channel], AT + timedelta(days=29))
    deliver(warehouse, [channel], AT + timedelta(days=60))
    assert alerts.outbox(warehouse, "sent") == []
    assert len(alerts.states(warehouse)) == 2
    deliver(warehouse, [channel], AT + timedelta(days=91))
    assert [row["fingerprint"] for row in alerts.states(warehouse)] == ["run_failed:b"]


@pytest.mark.parametrize("off", [timedelta(days=3), -timedelta(days=3)])
def test_a_clock_that_was_wrong_holds_no_message_back(warehouse, off):
    """Stops a failed message from waiting until a wrong clock's time, and a full minute of then
    from closing the channel now."""
    channel = Recorder()
    for n in range(15):
        now = AT + off + timedelta(seconds=n)
        put(warehouse, message(str(n)), channels=[channel], at=now)
        deliver(warehouse, [channel], now)
    assert len(channel.messages) == 15
    channel.fails = True
    put(warehouse, message("late"), channels=[channel], at=AT + off)
    assert deliver(warehouse, [channel], AT + off + 2 * MINUTE).failed == 1
    channel.fails = False
    put(warehouse, message("new"), channels=[channel], at=AT)
    assert deliver(warehouse, [channel], AT).sent == 2
    assert set(channel.titles[15:]) == {"标题 late", "标题 new"}


def test_a_slow_channel_delays_neither_another_nor_the_next_look(warehouse, monkeypatch):
    """Stops one service that hangs from holding the messages of all."""
    monkeypatch.setattr("fund_assets.observability.alerts.delivery.ROUND_S", 0.5)
    held = threading.Event()

    class Slow(Recorder):
        def send(self, message):
            held.wait(30)
            super().send(message)

    slow, sound = Slow("slow"), Recorder("sound")
    put(warehouse, message(), channels=[slow, sound])
    deliver(warehouse, [slow, sound], AT)
    put(warehouse, message("2"), channels=[slow, sound], at=AT + MINUTE)
    deliver(warehouse, [slow, sound], AT + MINUTE)
    assert slow.titles == []
    held.set()
    for _ in range(100):  # what was left behind ends by itself
        deliver(warehouse, [slow, sound], AT + 2 * MINUTE)
        if len(slow.titles) == 2 and not alerts.outbox(warehouse, "waiting"):
            break
        time.sleep(0.1)
    assert slow.titles == sound.titles == ["标题 1", "标题 2"]


def test_what_was_given_up_is_kept_by_number(warehouse, monkeypatch):
    """Stops a clock a year ahead from deleting what a person may still send again."""
    monkeypatch.setattr("fund_assets.observability.alerts.delivery.DEAD_KEPT", 2)
    for n in range(4):
        put(warehouse, message(str(n)), channels=[Recorder("gone")], at=AT + n * MINUTE)
        deliver(warehouse, [], AT + n * MINUTE)
    deliver(warehouse, [], AT + timedelta(days=365))
    assert [row["title"] for row in alerts.outbox(warehouse, "dead")] == ["标题 2", "标题 3"]


@pytest.mark.parametrize(
    "beat, kinds", [(timedelta(days=3), {"daemon_dead", "clock_wrong"}), (MINUTE, set())]
)
def test_a_heartbeat_from_the_future_is_a_missing_one(market, beat, kinds):
    """Stops a daemon that died under a clock ahead from being alive for three days."""
    watching = Watching(market)
    market.instance.add_daemon_heartbeat(
        DaemonHeartbeat((datetime.now(SHANGHAI) + beat).timestamp(), "SENSOR", "x", [])
    )
    watching.look(THURSDAY, after=timedelta())
    told = {state["kind"] for state in alerts.states(market.warehouse)}
    assert told & {"daemon_dead", "clock_wrong"} == kinds


class Watching:
    """A market that is looked at by a clock of its own; what each look told."""

    def __init__(self, market):
        self.market, self.channel = market, Recorder()
        self.real = datetime.now(SHANGHAI)
        self.passed = timedelta()

    def look(self, clock, *, after=MINUTE):
        """One look; the data's clock stands at `clock`, the machine's goes on by `after`."""
        self.passed += after
        moment = datetime.now(SHANGHAI) + self.passed
        platform = self.market.platform(clock)
        told = evaluate(platform, self.market.instance, moment, [self.channel]).notifications
        return [(t.event.value, t.state.fingerprint) for t in told]


def no_answer(wave):
    raise TransportError("no answer")


@pytest.mark.slow
def test_a_source_that_is_down_is_told_once_and_so_is_its_return(market):
    """Stops an evening without data from being silent, or told four times over."""
    watching = Watching(market)
    assert watching.look(THURSDAY) == []
    assert not market.run("daily_pipeline", FRIDAY, wave=no_answer).success
    assert watching.look(FRIDAY) == [("began", "run_failed:daily_pipeline")]
    assert watching.look("2026-09-18T23:50:00") == []
    assert market.run("daily_pipeline", "2026-09-19T07:30:00").success
    assert watching.look("2026-09-19T07:31:00") == [("over", "run_failed:daily_pipeline")]
    assert watching.look("2026-09-19T12:00:00") == []
    assert [m.severity for m in watching.channel.messages] == [Severity.WARNING] * 2
    assert "TransportError: no answer" in watching.channel.messages[0].text


@pytest.mark.slow
def test_another_job_that_makes_it_good_ends_a_failure(market):
    """Stops a failed collection from being shown as failed for as long as nobody runs it."""
    watching = Watching(market)
    market.run("daily_collection", FRIDAY, wave=no_answer)
    assert watching.look(FRIDAY) == [("began", "run_failed:daily_collection")]
    market.run("daily_pipeline", FRIDAY)
    assert watching.look(FRIDAY) == [("over", "run_failed:daily_collection")]


@pytest.mark.slow
def test_half_a_market_is_one_alert_and_ends_with_a_whole_one(market):
    """Stops a held batch from being told as a batch, a check and a run."""
    watching = Watching(market)
    market.run("daily_pipeline", FRIDAY, observations=half)
    told = watching.look(FRIDAY)
    assert ("began", "held_publish:wave") in told
    assert all(f.startswith(("held_publish", "check_failed")) for _, f in told)
    assert not {f for _, f in told} & {
        "check_failed:fund_nav/R02_row_count", "check_failed:fund_nav/R03_kind_floor"
    }, "the batch says it"  # fmt: skip
    market.run("daily_pipeline", "2026-09-18T23:00:00")
    assert ("over", "held_publish:wave") in watching.look("2026-09-18T23:01:00")


@pytest.mark.slow
def test_a_missed_evening_is_told_when_it_is_due_and_not_on_the_holiday(market):
    """Stops an alarm at 22:00, and every false one of a holiday week."""
    watching = Watching(market)
    for clock in ("2026-09-18T23:29:00", "2026-09-18T12:00:00"):
        assert watching.look(clock) == []
    assert watching.look("2026-09-18T23:31:00") == [("began", "freshness:fund_nav")]
    market.run("daily_pipeline", "2026-09-18T23:40:00")
    assert watching.look("2026-09-18T23:41:00") == [("over", "freshness:fund_nav")]


@pytest.mark.slow
def test_a_run_that_is_tried_again_is_no_failure_yet(market):
    """Stops a page at 19:01 about a run whose retry succeeds at 19:03."""
    watching = Watching(market)
    result = market.run("daily_collection", FRIDAY, wave=no_answer)
    market.instance.add_run_tags(result.run_id, {"dagster/will_retry": "true"})
    assert watching.look(FRIDAY) == []
    market.instance.add_run_tags(result.run_id, {"dagster/will_retry": "false"})
    assert watching.look(FRIDAY) == [("began", "run_failed:daily_collection")]


@pytest.mark.slow  # making so many runs takes 10 s
def test_a_thousand_failures_at_once_are_at_most_five_messages(market):
    """Stops a storm of failures from burying what caused it."""

    @dg.op
    def fail():
        raise RuntimeError("storm")

    watching = Watching(market)
    jobs = [dg.GraphDefinition(f"job_{n}", node_defs=[fail]).to_job() for n in range(40)]
    for n in range(1_000):
        run = market.instance.create_run_for_job(jobs[n % 40])
        market.instance.report_run_failed(run)
    for _ in range(5):
        watching.look(THURSDAY)
    assert len(watching.channel.messages) == 1
    assert watching.channel.titles == ["【告警】警告 40 项（基金数据·模拟市场）"]
    assert len(alerts.states(market.warehouse)) == 40


@pytest.mark.usefixtures("sqlite_only")
def test_a_dead_warehouse_is_told_once_and_so_is_its_return(market):
    """Stops a dead database from silencing its own alarm, and from raising all others."""
    watching = Watching(market)
    market.run("daily_pipeline", FRIDAY, wave=no_answer)
    assert watching.look(FRIDAY) == [("began", "run_failed:daily_pipeline")]
    weekly_log.note_step(market.warehouse, "2026-W38", "upkeep", 20260920021000, {})
    database = Path(market.warehouse.place)
    market.warehouse.close()
    away = database.with_suffix(".away")
    database.rename(away)
    database.write_bytes(b"no database" * 1_000)
    for log in database.parent.glob("warehouse.db-*"):
        log.rename(away.with_name(away.name + log.name.removeprefix(database.name)))
    dead = "database_unreachable:warehouse"
    assert watching.look("2026-09-22T23:50:00") == [("began", dead)]
    assert watching.look("2026-09-22T23:50:00") == []
    assert watching.look("2026-09-22T23:50:00", after=HOUR) == [("repeated", dead)]
    beside = StateFile(load_settings(**market.settings).state_dir)
    assert set(beside.read()) == {dead}
    for file in away.parent.glob(f"{away.name}*"):
        file.rename(database.with_name(database.name + file.name.removeprefix(away.name)))
    told = watching.look("2026-09-22T23:50:00")
    assert told == [("worse", "run_failed:daily_pipeline"), ("over", dead)], "two sessions late"
    assert not beside.path.exists()
    later = watching.look("2026-09-22T23:50:00", after=16 * MINUTE)
    assert later == [], "the failed run explains it"
    assert len(watching.channel.messages) == 4


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_a_warehouse_that_is_gone_is_told(market):
    """Stops an empty warehouse from being made in the place of the one that was lost."""
    watching = Watching(market)
    market.run("daily_metrics", THURSDAY)
    assert watching.look(THURSDAY) == []
    market.warehouse.close()
    database = Path(market.warehouse.place)
    for file in database.parent.glob("warehouse.db*"):
        file.unlink()
    assert watching.look(THURSDAY) == [("began", "database_unreachable:warehouse")]
    assert not database.exists()


@pytest.mark.usefixtures("sqlite_only")
def test_a_warehouse_that_takes_no_writes_is_told_after_a_while(market, monkeypatch):
    """Stops a lock of some seconds from alarming, one that stays from being silent, and either
    from ending or repeating the other alerts."""
    watching = Watching(market)
    market.run("daily_pipeline", FRIDAY, wave=no_answer)
    assert len(watching.look(FRIDAY)) == 1
    monkeypatch.setattr("fund_assets.warehouse.engine.sqlite.SQLite.writer_wait_s", 0)
    with closing(sqlite3.connect(market.warehouse.place, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        market.instance.add_daemon_heartbeat(DaemonHeartbeat(0.0, "SENSOR", "x", []))
        assert watching.look(FRIDAY) == []
        assert watching.look(FRIDAY, after=4 * MINUTE) == []
        stuck = "database_unwritable:warehouse"
        assert watching.look(FRIDAY) == [("began", stuck)]
        assert watching.look(FRIDAY) == []
        holder.execute("ROLLBACK")
    told = watching.look(FRIDAY)
    assert told == [("began", "daemon_dead:dagster"), ("over", stuck)]
    assert len(watching.channel.messages) == 3


def test_nothing_is_wrong_where_nothing_has_begun(tmp_path):
    """Stops a new installation from alarming, or from making files by being looked at."""
    platform = Platform(overrides={"state": str(tmp_path / "new"), "source": "simulated"})
    with dg.DagsterInstance.ephemeral() as instance:
        outcome = evaluate(platform, instance, AT, [Recorder()])
    assert (outcome.holding, outcome.notifications) == ((), ())
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_a_telling_that_nobody_heard_is_told_again(market):
    """Stops the death of a database from counting as told while all channels were down too."""
    watching = Watching(market)
    market.warehouse.close()
    Path(market.warehouse.place).write_bytes(b"no database" * 1_000)
    watching.channel.fails = True
    assert len(watching.look(THURSDAY)) == 1
    watching.channel.fails = False
    assert watching.look(THURSDAY) == [("began", "database_unreachable:warehouse")]
    assert len(watching.channel.messages) == 1


@pytest.mark.slow
def test_two_who_look_at_once_tell_once(market):
    """Stops the sensor and the watcher from each telling the same fault."""
    market.run("daily_pipeline", FRIDAY, wave=no_answer)
    later, gate, told = datetime.now(SHANGHAI) + MINUTE, threading.Barrier(2), []

    def work():
        platform = market.platform(FRIDAY)
        gate.wait()
        told.extend(evaluate(platform, market.instance, later, [Recorder()]).notifications)
        platform.warehouse.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(told) == 1


@pytest.mark.slow
def test_the_whole_way_to_a_signed_robot(market):
    """Stops settings, outbox and channel from fitting each other only in their own tests."""
    market.run("daily_pipeline", MONDAY, wave=no_answer)
    with RobotServer("dingtalk", secret="SECx", keyword="基金") as server:
        settings = {
            "alert_dingtalk_url": server.url,
            "alert_dingtalk_secret": "SECx",
            "alert_critical_only": "",
        }
        market.settings |= settings
        platform = market.platform(MONDAY)
        later = datetime.now(SHANGHAI) + MINUTE
        evaluate(platform, market.instance, later)
        platform.warehouse.close()
        (text,) = server.robot.texts
    assert "运行失败 daily_pipeline" in text
    assert "docs/runbook.md#run_failed" in text
    assert configured(platform.settings)[0].name == "dingtalk"
