"""The health server over real HTTP: a real uvicorn on a free port, a real evening behind it."""

import http.client
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from click.testing import CliRunner
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families

from fund_assets.cli import main
from fund_assets.observability.server.app import make_app
from fund_assets.observability.server.server import is_loopback, make_server
from fund_assets.observability.server.status_cache import Snapshots
from fund_assets.settings import load_settings
from fund_assets.warehouse import Warehouse, WarehouseError
from fund_assets_tests import stores
from fund_assets_tests.server.malformed import malformed
from fund_assets_tests.unit.observability.test_dashboard import FULL

ROOT = Path(__file__).resolve().parents[2]
EVENING = "2026-09-17T21:40"
MARKET = {"FUND_SIM_FUNDS": "40", "FUND_SIM_YEARS": "1", "FUND_CLOCK": EVENING}
TOKEN = "a-token-of-this-test-0123456789"
PATIENCE_S = 30
FUZZED = 500


@pytest.fixture(scope="module")
def evening(tmp_path_factory):
    """The state after the run of one evening. To be looked at, not to be changed."""
    state = tmp_path_factory.mktemp("evening") / "state"
    with pytest.MonkeyPatch.context() as patch:
        stores.forget_settings(patch)
        for name, value in {**MARKET, **stores.environment(state)}.items():
            patch.setenv(name, value)
        result = CliRunner().invoke(main, ["run"])
    assert result.exit_code == 0, result.output
    return state


@pytest.fixture
def state(evening, monkeypatch):
    """The evening's state as the one of the settings."""
    for name, value in {**MARKET, **stores.environment(evening)}.items():
        monkeypatch.setenv(name, value)
    return evening


class Client:
    """Asks a server; every request has a connection of its own."""

    def __init__(self, port):
        self.port = port

    def __call__(self, path, method="GET", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        ) as link:
            link.request(method, path, headers=headers)
            answer = link.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()

    def json(self, path, **headers):
        status, _, body = self(path, **headers)
        return status, json.loads(body)

    def raw(self, sent):
        """What comes back for some bytes, until the server closes."""
        with closing(socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)) as link:
            try:
                link.sendall(sent)
                link.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: link.recv(65_536), b""))
            except ConnectionError:
                return b""


@contextmanager
def running(server):
    """A uvicorn server in a thread, stopped at the end."""
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield Client(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def served():
    """The server as `fund-assets serve` makes it, by the settings of now."""
    return running(make_server(load_settings(), "127.0.0.1", 0))


def over(read, token="", **times):
    """The application over facts that a test chooses."""
    app = make_app(Snapshots(read, **times), dagster_ui="http://127.0.0.1:3000", token=token)
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off")
    return running(uvicorn.Server(config))


def sql(state, query):
    return stores.query(state, query)


def conforms(value, schema, at="answer"):
    """Holds a value against what docs/health.md uses of JSON Schema."""
    kinds = {
        "object": dict, "array": list, "string": str, "integer": int, "null": type(None),
        "number": (int, float), "boolean": bool,
    }  # fmt: skip
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert any(isinstance(value, kinds[name]) for name in names), (at, value)
    if "enum" in schema:
        assert value in schema["enum"], (at, value)
    if "pattern" in schema and value is not None:
        assert re.search(schema["pattern"], value), (at, value)
    if isinstance(value, dict):
        assert set(schema.get("required", [])) <= set(value), (at, value)
        known, other = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name, part in value.items():
            assert name in known or other is not False, (at, name)
            conforms(part, known.get(name, {} if other is True else other), f"{at}.{name}")
    if isinstance(value, list):
        for number, part in enumerate(value):
            conforms(part, schema.get("items", {}), f"{at}[{number}]")


def documented():
    text = (ROOT / "docs" / "health.md").read_text(encoding="utf-8")
    return json.loads(re.search(r"```json\n(\{\n  \"\$schema\".*?)```", text, re.DOTALL)[1])


def test_figures_are_those_of_the_tables(state):
    """Stops figures on /health, /metrics.json and /metrics that SQL does not confirm."""
    (rows,), (funds,), (today,) = (
        sql(state, query)[0]
        for query in (
            "SELECT COUNT(*) FROM validated_nav",
            "SELECT COUNT(*) FROM fund_info",
            "SELECT COUNT(*) FROM validated_nav WHERE nav_date = 20260917",
        )
    )
    with served() as ask:
        code, health = ask.json("/health")
        _, short = ask.json("/metrics.json")
        _, asked = ask.json("/metrics", Accept="application/json")
        _, headers, text = ask("/metrics")
        assert ask.json("/readyz") == (200, {"ready": True})
    assert (code, health["status"], health["database"]) == (200, "healthy", "connected")
    assert health["today_nav_count"] == today > 20
    assert health["timestamp"] == "2026-09-17T21:40:00+08:00"
    assert health["expected_by"] == "2026-09-17T23:30:00+08:00"
    assert health["last_trading_day"] == health["coverage"]["date"] == "2026-09-17"
    assert short == asked == {
        "nav_records": rows,
        "fund_count": funds,
        "timestamp": "2026-09-17T21:40:00+08:00",
    }  # fmt: skip
    conforms(health, documented())

    assert headers["content-type"].startswith("text/plain")
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["fund_up",] == 1
    assert found["fund_nav_rows",] == rows
    assert found["dagster_runs", ("status", "success")] == 1
    assert found["dagster_runs", ("status", "failure")] == 0
    for kind, share in health["coverage"]["by_kind"].items():
        assert found["fund_coverage_ratio", ("kind", kind)] == pytest.approx(share, abs=1e-4)
    renewed = found["fund_last_publish_timestamp_seconds", ("asset", "validated_nav")]
    assert 0 < time.time() - renewed < 3_600
    checks = [key for key in found if key[0] == "fund_check_status"]
    assert len(checks) > 26
    assert all(len(key) == 4 for key in checks)
    held = dict(
        sql(state, "SELECT rule, COUNT(*) FROM nav_quarantine WHERE state = 'held' GROUP BY 1")
    )
    assert {k[1][1]: v for k, v in found.items() if k[0] == "fund_quarantine_held_rows"} == held


def test_evening_curve_ends_at_the_coverage(state):
    """Stops a curve that counts other funds than the coverage beside it."""
    from fund_assets.observability.server.status_cache import Gatherer

    status = Gatherer()()
    due = sum(row.due for row in status.coverage)
    published = sum(row.published for row in status.coverage)
    assert [wave.published for wave in status.evening] == [published]
    assert status.evening[0].share == pytest.approx(published / due)
    assert status.evening[0].at == datetime.fromisoformat("2026-09-17T21:40:00+08:00")


@pytest.mark.parametrize(
    ("clock", "code", "verdict", "behind"),
    [
        ("2026-09-18T10:00", 200, "healthy", 0),
        ("2026-09-18T23:29", 200, "healthy", 0),
        ("2026-09-20T12:00", 503, "unhealthy", 1),
        ("2026-09-22T10:00", 503, "unhealthy", 2),
    ],
)
def test_no_nav_yet_is_no_fault_before_it_is_due(
    state, monkeypatch, clock, code, verdict, behind
):
    """Stops an alarm every morning, and one that never comes."""
    monkeypatch.setenv("FUND_CLOCK", clock)
    with served() as ask:
        status, health = ask.json("/health")
    assert (status, health["status"], health["today_nav_count"]) == (code, verdict, 0)
    (fresh,) = health["checks"]["validated_nav:freshness"]
    assert fresh["observedValue"] == behind


def test_media_types(state):
    """Stops a monitor from getting a format that it did not ask for."""
    with served() as ask:
        assert ask("/health")[1]["content-type"] == "application/json"
        asked = ask("/health", Accept="application/health+json")
        assert asked[1]["content-type"] == "application/health+json"
        _, headers, text = ask("/metrics", Accept="application/openmetrics-text;version=1.0.0")
        assert headers["content-type"].startswith("application/openmetrics-text")
        assert {family.name for family in parse_openmetrics(text)} >= {"fund_nav_rows"}
        strange = ask("/metrics", Accept="application/openmetrics-text;version=x!")
        assert (strange[0], json.loads(strange[2])) == (406, {"error": "not_acceptable"})


def test_missing_warehouse(tmp_path, monkeypatch):
    """Stops a server that makes an empty warehouse and finds it sound."""
    for name, value in stores.environment(tmp_path / "none").items():
        monkeypatch.setenv(name, value)
    with served() as ask:
        code, health = ask.json("/health")
        assert (code, health["status"], health["error"]) == (
            503,
            "unhealthy",
            "database_missing",
        )
        assert health["database"] == "missing"
        conforms(health, documented())
        assert ask.json("/readyz") == (503, {"ready": False, "error": "database_missing"})
        assert ask.json("/metrics.json") == (503, {"error": "database_missing"})
        assert ask("/livez")[0] == 200
        assert "fund_up 0.0" in ask("/metrics")[2]
        page = ask("/")
        assert page[0] == 503
        assert "仓库尚未建立" in page[2]
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("sqlite_only")
def test_damaged_warehouse_tells_nothing_but_a_code(evening, tmp_path, monkeypatch):
    """Stops paths and messages of the database from reaching a caller."""
    stores.copy(evening, tmp_path / "copy")
    for name, value in {**MARKET, **stores.environment(tmp_path / "copy")}.items():
        monkeypatch.setenv(name, value)
    database = tmp_path / "copy" / "simulated" / "warehouse.db"
    for log in database.parent.glob("warehouse.db-*"):
        log.unlink()
    database.write_bytes(b"no database" * 1_000)
    with served() as ask:
        for path in ("/health", "/readyz", "/metrics.json", "/"):
            code, _, body = ask(path)
            assert code == 503
            assert str(tmp_path) not in body
            assert "not a database" not in body
        assert ask.json("/health")[1]["error"] == "database_unavailable"
        assert ask("/livez")[0] == 200


@pytest.mark.usefixtures("sqlite_only")
def test_locked_warehouse(evening, tmp_path, monkeypatch):
    """Stops a lock that another process holds from hanging the server."""
    stores.copy(evening, tmp_path / "copy")
    for name, value in {**MARKET, **stores.environment(tmp_path / "copy")}.items():
        monkeypatch.setenv(name, value)
    database = tmp_path / "copy" / "simulated" / "warehouse.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        holder.execute("INSERT INTO calendar_override VALUES (20990101, 0, '')")
        with served() as ask, ThreadPoolExecutor(1) as other:
            answer = other.submit(ask.json, "/health")
            assert ask("/livez")[0] == 200
            code, health = answer.result(PATIENCE_S)
            assert (code, health["error"]) == (503, "database_unavailable")


def test_livez_answers_while_the_facts_hang():
    """Stops a hanging database from stopping liveness, or from being asked again and again."""
    entered, gate, readings = threading.Event(), threading.Event(), []

    def read():
        readings.append(threading.current_thread())
        entered.set()
        gate.wait()
        return FULL

    try:
        with over(read, timeout_s=0.5) as ask, ThreadPoolExecutor(20) as others:
            waiting = [others.submit(ask.json, "/health") for _ in range(60)]
            assert entered.wait(PATIENCE_S)
            for _ in range(200):
                assert ask("/livez")[::2] == (200, "ok\n")
            assert not gate.is_set()
            for answer in waiting:
                code, health = answer.result(PATIENCE_S)
                assert (code, health["error"], health["database"]) == (
                    503,
                    "facts_timeout",
                    "timeout",
                )
            assert len(readings) == 1
            gate.set()
            readings[0].join(PATIENCE_S)
            assert ask.json("/health")[1]["database"] == "connected"
            assert len(readings) == 1
    finally:
        gate.set()


def test_old_facts_are_told_while_new_ones_are_read():
    """Stops every fifth second from being a slow one."""
    gate, readings = threading.Event(), []

    def read():
        readings.append(0)
        if len(readings) > 1:
            gate.wait()
        return FULL

    try:
        with over(read, fresh_s=0, stale_s=3_600) as ask:
            answers = [ask.json("/health")[1]["database"] for _ in range(50)]
            assert answers == ["connected"] * 50
            assert len(readings) == 2
    finally:
        gate.set()


def test_unforeseen_fault_is_a_code(caplog):
    """Stops an exception's words from reaching a caller, and from being lost."""

    def read():
        raise LookupError("secret of the database")

    with over(read) as ask:
        code, _, body = ask("/health")
        assert (code, json.loads(body)["error"]) == (503, "facts_unavailable")
        assert "secret" not in body
    assert "secret of the database" in caplog.text


def test_token():
    """Stops a stranger from reading anything but that the process lives."""
    basic = b64encode(f"anyone:{TOKEN}".encode()).decode()
    with over(lambda: FULL, TOKEN) as ask:
        for path in ("/", "/health", "/readyz", "/metrics", "/metrics.json", "/nope"):
            code, headers, body = ask(path)
            assert (code, json.loads(body)) == (401, {"error": "unauthorized"})
            assert "Bearer" in headers["www-authenticate"]
        assert ask("/livez")[0] == 200
        for wrong in ("", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Basic !!",
                      f"Basic {b64encode(b'x').decode()}", f"Token {TOKEN}",
                      "Bearer \xff\xfe"):  # fmt: skip
            assert ask("/metrics", Authorization=wrong)[0] == 401, wrong
        for right in (f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Basic {basic}"):
            assert ask("/metrics", Authorization=right)[0] == 200, right


def test_only_loopback_names_without_a_token():
    """Stops a web page elsewhere from reading this server through a name that points here."""
    with over(lambda: FULL) as ask:
        for good in ("localhost", "127.0.0.1:5000", "[::1]:5000", "LOCALHOST:80"):
            assert ask("/metrics", Host=good)[0] == 200, good
        for bad in ("evil.example", "127.0.0.1.evil.example:5000", "", "localhost@evil:1"):
            assert ask("/metrics", Host=bad)[0] == 421, bad


def test_every_answer_bears_the_safety_headers(state):
    """Stops a cached health answer, and a page that may load or run something."""
    with served() as ask:
        for path in ("/", "/livez", "/health", "/metrics", "/nope"):
            _, headers, _ = ask(path)
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; style-src 'sha256-")
            assert "unsafe" not in policy
            assert "server" not in headers
        assert ask("/health", method="POST")[0] == 405
        assert ask("/health/")[0] == 404


@pytest.mark.parametrize(
    ("seed", "number"),
    [(20261124, FUZZED), pytest.param(7, 10_000, marks=pytest.mark.slow)],
)
def test_malformed_requests(state, seed, number):
    """Stops a request from breaking an endpoint, and an answer from telling how it is made."""
    dice = random.Random(seed)
    found = {}
    with served() as ask:
        assert ask("/health")[0] == 200
        for _ in range(number):
            sent = malformed(dice)
            answer = ask.raw(sent)
            codes = re.findall(rb"(?m)^HTTP/1\.1 (\d{3})", answer)
            for code in codes or [b"none"]:
                found[code] = found.get(code, 0) + 1
            assert not [code for code in codes if code >= b"500"], (sent, answer[:500])
            for word in (b"Traceback", b"site-packages", str(state).encode()):
                assert word not in answer, sent
        assert ask("/health")[0] == 200
    assert {b"200", b"400", b"404", b"405", b"406", b"421"} <= set(found), found
    assert found[b"200"] > number / 10, found


def test_reader_cannot_write(state):
    """Stops the server from ever changing a table, whatever is asked of it."""
    warehouse = Warehouse(load_settings().warehouse, read_only=True)
    with (
        pytest.raises(WarehouseError, match=r"readonly|READ ONLY"),
        warehouse.transaction(writes=True) as connection,
    ):
        connection.exec_driver_sql("DELETE FROM fund_info")
    warehouse.close()


def test_open_address_needs_a_token(monkeypatch):
    """Stops a server without any secret from listening to other machines."""
    refused = CliRunner().invoke(main, ["serve", "--host", "0.0.0.0", "--port", "0"])
    assert refused.exit_code == 2
    assert "set FUND_HEALTH_TOKEN" in refused.output
    monkeypatch.setenv("FUND_HEALTH_TOKEN", "tiny")
    refused = CliRunner().invoke(main, ["serve"])
    assert refused.exit_code == 2
    assert "FUND_HEALTH_TOKEN=(hidden)" in refused.output
    assert "tiny" not in refused.output
    monkeypatch.setenv("FUND_HEALTH_TOKEN", TOKEN)
    assert make_server(load_settings(), "0.0.0.0", 0).config.host == "0.0.0.0"
    assert TOKEN not in repr(load_settings())
    answers = [is_loopback(h) for h in ("127.0.0.1", "127.9.9.9", "::1", "localhost")]
    assert answers == [True] * 4
    assert not any(is_loopback(h) for h in ("0.0.0.0", "::", "10.0.0.1", "example.com", ""))


def test_dead_daemon_is_told(state):
    """Stops a platform that nobody renews any more from looking well."""
    import dagster as dg
    from dagster._daemon.types import DaemonHeartbeat

    from fund_assets.observability.dagster_tables import Ledger
    from fund_assets.observability.server import verdict
    from fund_assets.observability.status_reader import gather
    from fund_assets.resources import Platform

    now = datetime.now().astimezone()
    platform = Platform(read_only=True)
    with dg.DagsterInstance.ephemeral() as instance:
        book = Ledger.of(instance)
        instance.add_daemon_heartbeat(
            DaemonHeartbeat(timestamp=now.timestamp(), daemon_type="SENSOR", daemon_id="1")
        )
        for minutes, found in ((0, "healthy"), (3, "degraded"), (6, "unhealthy")):
            status = gather(
                platform.settings, platform.warehouse, book, now + timedelta(minutes=minutes)
            )
            assert verdict.health(status)["status"] == found
            told = "SENSOR" in " ".join(status.problems), "SENSOR" in " ".join(status.notices)
            assert told == (minutes == 6, minutes == 3)


@pytest.mark.slow
def test_command_serves_and_ends(state):
    """Stops `fund-assets serve` from differing from what is tested in threads."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "fund_assets", "serve", "--port", str(port)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=state,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            lines = iter(process.stderr.readline, "")
            assert f"http://127.0.0.1:{port}/" in next(lines)
            assert any("Uvicorn running" in line for line in lines)
            assert Client(port).json("/health")[1]["status"] == "healthy"
        finally:
            process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        process.wait(PATIENCE_S)
    assert "Traceback" not in rest
