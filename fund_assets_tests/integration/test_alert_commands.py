"""The commands of alerts, and the watcher, as a person or cron calls them."""

import http.server
import json
import re
import shutil
import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from fund_assets.cli import main
from fund_assets.instance.storage import RecordsError, project_instance
from fund_assets.observability.alerts.catalog import Alert
from fund_assets.observability.alerts.lifecycle import advance
from fund_assets.observability.alerts.state import as_row
from fund_assets.observability.conditions import Severity
from fund_assets.resources import Platform
from fund_assets.settings import SHANGHAI
from fund_assets.warehouse.stores import alerts
from fund_assets_tests.server.robots import TOKEN, RobotServer

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime.now(SHANGHAI).replace(microsecond=0)
RUN = Alert("run_failed", "daily_collection", Severity.WARNING, "fund_nav: [bold]原因[/foo]")


def invoke(*arguments, code=0):
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def warehouse():
    """The warehouse of the settings, and beside it a Dagster instance without a run."""
    found = Platform().warehouse
    yield found
    found.close()


def store(warehouse, *holding, messages=()):
    rows = [as_row(state) for state in advance({}, holding, NOW)[0]]
    alerts.change(warehouse, lambda stored, silences: (rows, list(messages)))


def letter(state, error=""):
    return {
        "id": f"id-{state}", "channel": "dingtalk", "severity": "warning", "title": "标题",
        "words": "内容", "fingerprints": json.dumps([RUN.fingerprint]), "state": state,
        "attempts": 4, "created_at": 20260918190000, "due_at": 20260918190000,
        "sent_at": None, "error": error,
    }  # fmt: skip


def test_list_says_what_holds(warehouse):
    """Stops a person from not finding the fingerprint to silence, and markup from being eaten."""
    assert "no alerts\nplatform: Needs attention\n    no data yet" in invoke(
        "alert", "list", code=1
    )
    store(warehouse, RUN, messages=[letter("dead", "refused: errcode 310000")])
    said = invoke("alert", "list", code=1)
    assert f"[warning] {RUN.fingerprint}" in said
    assert RUN.words in said
    assert "no longer true" in said  # no such run is recorded
    assert "given up id-dead dingtalk 标题  4 tries refused: errcode 310000" in said


def test_silence_and_unsilence(warehouse):
    """Stops a silence that nobody sees, or that cannot be taken back."""
    store(warehouse, RUN)
    said = invoke("alert", "silence", RUN.fingerprint, "--for", "2d", "--note", "张：维护")
    until = (datetime.now(SHANGHAI) + timedelta(days=2)).strftime("%Y-%m-%d")
    assert f"{RUN.fingerprint} is silenced until {until}" in said
    assert f"{RUN.fingerprint} is silenced until" in invoke("alert", "list", code=1)
    assert "张：维护" in invoke("alert", "list", code=1)
    invoke("alert", "unsilence", RUN.fingerprint)
    assert "is silenced" not in invoke("alert", "list", code=1)
    assert "is not silenced" in invoke("alert", "unsilence", RUN.fingerprint, code=2)
    invoke("alert", "silence", "freshness", "--for", "30m", "--note", "all of a kind")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing:like:this", "--for", "2d", "--note", "x"], "unknown alert"),
        (["freshness", "--for", "2", "--note", "x"], "30m, 4h, 2d or 1w"),
        (["freshness", "--for", "2５h", "--note", "x"], "30m, 4h, 2d or 1w"),
        (["freshness", "--for", "91d", "--note", "x"], "90 days"),
        (["freshness", "--for", "0h", "--note", "x"], "90 days"),
        (["freshness", "--for", "2d", "--note", " "], "write 1 to 200"),
    ],
)
def test_a_wrong_silence_says_what_is_wrong(warehouse, arguments, words):
    """Stops a misspelt fingerprint from silencing nothing, unseen."""
    assert words in invoke("alert", "silence", *arguments, code=2)
    assert alerts.silences(warehouse) == []


def test_resend(warehouse):
    """Stops a message that was given up from being lost."""
    store(warehouse, messages=[letter("dead", "refused"), letter("sent")])
    assert "no message 'id-sent' was given up" in invoke("alert", "resend", "id-sent", code=2)
    assert invoke("alert", "resend").startswith("1 messages are queued again")
    (row,) = alerts.outbox(warehouse, "waiting")
    assert (row["id"], row["attempts"], row["error"]) == ("id-dead", 0, "")


def test_test_sends_now_and_tells_no_secret(monkeypatch):
    """Stops a channel from being tried for the first time by the first fault."""
    assert "no channel is set" in invoke("alert", "test", code=2)
    with (
        RobotServer("dingtalk", secret="SEC-right-one", echoes=True) as right,
        RobotServer("feishu", secret="other", echoes=True) as wrong,
    ):
        monkeypatch.setenv("FUND_ALERT_DINGTALK_URL", right.url)
        monkeypatch.setenv("FUND_ALERT_DINGTALK_SECRET", "SEC-right-one")
        monkeypatch.setenv("FUND_ALERT_FEISHU_URL", wrong.url)
        monkeypatch.setenv("FUND_ALERT_FEISHU_SECRET", "SEC-wrong-one")
        said = invoke("alert", "test", code=1)
        assert re.search(r"^dingtalk: accepted in \d", said, re.MULTILINE)
        assert re.search(r"^feishu: failed: refused: code 19021", said, re.MULTILINE)
        assert "feishu" not in invoke("alert", "test", "--channel", "dingtalk")
        assert "is not set" in invoke("alert", "test", "--channel", "mail", code=2)
        said += invoke("doctor")
    for secret in (TOKEN, "SEC-right-one", "SEC-wrong-one"):
        assert secret not in said
    assert "FUND_ALERT_DINGTALK_URL" in said


@contextmanager
def pinged():
    """An outside dead-man's switch; the paths that were asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield asked, f"http://127.0.0.1:{server.server_address[1]}/ping/{TOKEN}"
        finally:
            server.shutdown()
            thread.join()


def beat(instance, ago):
    """What a daemon writes that lived so many seconds ago."""
    from dagster._daemon.types import DaemonHeartbeat

    moment = (datetime.now(SHANGHAI) - timedelta(seconds=ago)).timestamp()
    instance.add_daemon_heartbeat(DaemonHeartbeat(moment, "SENSOR", "x", []))


def test_the_watcher_tells_of_a_dead_daemon_and_of_its_return(warehouse, monkeypatch):
    """Stops the death of the daemon from being told by nobody: it cannot tell it itself."""
    with pinged() as (asked, address), RobotServer("wecom") as server:
        monkeypatch.setenv("FUND_ALERT_WECOM_URL", server.url)
        monkeypatch.setenv("FUND_WATCH_PING_URL", address)
        assert "0 active alerts, 0 reported" in invoke("watch", "--once")
        with project_instance() as instance:
            beat(instance, 400)
            said = invoke("watch", "--once", code=1)
            assert "1 active alerts, 1 reported; 1 messages sent" in said
            assert "ping" not in said, "an outside switch tells of it too"
            assert "1 active alerts, 0 reported; 0 messages" in invoke(
                "watch", "--once", code=1
            )
            beat(instance, 0)
            assert "ping answered" in invoke("watch", "--once")
        assert len(asked) == 2
        assert ["守护进程没有心跳" in text for text in server.robot.texts] == [True, True]
        assert "已恢复" in server.robot.texts[1]
    assert TOKEN not in said


@pytest.mark.slow
def test_a_ping_that_is_not_answered_is_told(warehouse, monkeypatch, caplog):
    """Stops a wrong address of the dead-man's switch from being found by a false alarm of it."""
    monkeypatch.setenv("FUND_WATCH_PING_URL", f"http://127.0.0.1:9/{TOKEN}")
    assert "ping NOT answered" in invoke("watch", "--once")
    assert TOKEN not in caplog.text


def test_the_watcher_tells_of_a_dead_server_of_dagster(warehouse, monkeypatch, tmp_path):
    """Stops dead records of Dagster from ending the one who should tell of them: nobody else
    can, for daemon and UI are on the same server."""
    shutil.copy(ROOT / "deploy" / "dagster.yaml", tmp_path)
    dead = {"HOST": "127.0.0.1", "PORT": "9", "USER": "x", "PASSWORD": "x", "DB": "dagster"}
    for name, value in {f"DAGSTER_MYSQL_{k}": v for k, v in dead.items()}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with RobotServer("webhook") as server:
        monkeypatch.setenv("FUND_ALERT_WEBHOOK_URL", server.url)
        invoke("watch", "--once", code=1)
    (content,) = server.robot.accepted
    assert content["fingerprints"] == ["database_unreachable:dagster"]
    with pytest.raises(RecordsError, match="DAGSTER_MYSQL_"):
        project_instance()


def test_metrics_count_alerts_and_messages(warehouse, monkeypatch):
    """Stops a dead letter from being seen only by those who look for it."""
    from fund_assets.observability.dagster_tables import project_ledger
    from fund_assets.observability.server.exposition import encode
    from fund_assets.observability.status_reader import gather

    explained = Alert("freshness", "fund_nav", Severity.WARNING, "x")
    store(
        warehouse,
        replace(RUN, because="chain"),
        explained,
        messages=[letter("dead"), letter("waiting")],
    )
    monkeypatch.setenv("FUND_CLOCK", "2026-09-18T21:00")
    platform = Platform()
    with project_ledger() as book, closing(platform.warehouse):
        status = gather(platform.settings, platform.warehouse, book, datetime.now(SHANGHAI))
    text = encode(status, "")[0].decode()
    assert 'fund_alerts_firing{severity="warning"} 1.0' in text
    assert 'fund_alerts_firing{severity="critical"} 0.0' in text, "it is explained"
    assert 'fund_alerts_outbox{state="dead"} 1.0' in text
    assert 'fund_alerts_outbox{state="waiting"} 1.0' in text
