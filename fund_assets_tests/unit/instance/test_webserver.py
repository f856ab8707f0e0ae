"""The UI of `make dev` answers its own names and pages alone."""

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fund_assets.instance.webserver import OwnPages
from fund_assets_tests import stores

ROOT = Path(__file__).resolve().parents[3]


def asked(kind, *hosts, method="GET", path="/runs", **headers):
    """What is sent to a client that names these hosts; 'in' where the application is asked."""
    sent = []

    async def application(scope, receive, send):
        sent.append("in")

    async def send(message):
        sent.append(message.get("status") or message.get("code") or message["body"])

    heads = [(b"host", host.encode()) for host in hosts]
    heads += [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
    path, _, query = path.partition("?")
    scope = {"type": kind, "headers": heads, "path": path, "query_string": query.encode()}
    if kind == "http":
        scope["method"] = method
    asyncio.run(OwnPages(application)(scope, None, send))
    return sent


@pytest.mark.parametrize("host", ["localhost:3000", "127.0.0.1:3000", "LOCALHOST", "127.0.0.1"])
def test_its_own_names_come_in(host):
    """Stops the guard from locking its owner out."""
    assert asked("http", host) == asked("websocket", host) == ["in"]


@pytest.mark.parametrize(
    "hosts",
    [(), ("evil.example:3000",), ("127.0.0.1.evil.example",), ("localhost@evil.example",),
     ("localhost", "evil.example"), ("",)],
)  # fmt: skip
def test_other_names_stay_out(hosts):
    """Stops a page that points its own name at this machine from starting runs."""
    status, body = asked("http", *hosts)
    assert status == 421 and b"docs/deployment.md" in body
    assert asked("websocket", *hosts) == [1008]


LINK = {"sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/graphql?query=mutation", {}),
        ("HEAD", "/graphql?query=mutation", {}),
        ("GET", "/graphql\n?query=mutation", {"sec_fetch_site": "cross-site", **LINK}),
        ("GET", "/graphql/?query=mutation", {}),
        ("GET", "//GraphQL?query=mutation", {}),
        ("POST", "/graphql", {"origin": "http://foreign.example"}),
        ("POST", "/graphql", {"origin": "null"}),
        ("POST", "/graphql", {"origin": "http://localhost:8000"}),
        ("POST", "/graphql", {"origin": "https://localhost:3000"}),
        ("POST", "/graphql", {"sec_fetch_site": "same-site"}),
        ("POST", "/graphql", {"sec_fetch_site": "cross-site", **LINK}),
        ("GET", "/runs", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}),
        ("GET", "/runs", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate",
                          "sec_fetch_dest": "iframe"}),
    ],
)  # fmt: skip
def test_other_pages_stay_out(method, path, headers):
    """Stops whatever page is open in the browser from starting runs at http://localhost."""
    status, body = asked("http", "localhost:3000", method=method, path=path, **headers)
    assert status == 403 and b"Open http://localhost" in body


def test_own_pages_links_and_programs_come_in():
    """Stops the guard from locking out the UI, a link in a message, or a program."""
    own = {"origin": "http://localhost:3000", "sec_fetch_site": "same-origin"}
    for given in (
        {"method": "POST", "path": "/graphql", **own},
        {"method": "POST", "path": "/graphql"},
        {"path": "/graphql", "sec_fetch_site": "none", **LINK},
        {"path": "/runs?q=x", "sec_fetch_site": "cross-site", **LINK},
        {"path": "/assets/a?view=lineage", "sec_fetch_site": "same-origin"},
    ):
        assert asked("http", "localhost:3000", **given) == ["in"], given
    assert asked("websocket", "localhost:3000", origin="http://localhost:3000") == ["in"]
    assert asked("websocket", "localhost:3000", origin="http://foreign.example") == [1008]


@pytest.mark.slow
def test_make_dev_answers_its_own_names_alone(tmp_path):
    """Stops `make dev` from starting Dagster's server without the guard."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith("FUND_")},
        **stores.environment(tmp_path / "state"),
        "DAGSTER_HOME": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    (line,) = [
        line.split("$(BIN)/python ")[1]
        for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
        if "webserver dev" in line
    ]
    command = [sys.executable, *line.replace("$(PORT)", str(port)).split()]
    log = tmp_path / "dev.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True
        )
    try:
        end = time.monotonic() + 120
        while (found := status(port, "localhost")) is None:
            assert process.poll() is None and time.monotonic() < end, log.read_text()[-3000:]
            time.sleep(0.5)
        assert (found, status(port, f"127.0.0.1:{port}")) == (200, 200)
        assert status(port, "evil.example") == 421
        assert status(port, "evil.example", "POST", "/graphql") == 421
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def status(port, host, method="GET", path="/server_info"):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        client.request(method, path, headers={"Host": host})
        return client.getresponse().status
    except OSError:
        return None
    finally:
        client.close()
