"""deploy/: files that no test runs are files that do not run."""

import base64
import json
import os
import re
import shutil
import socket as socket_module
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fund_assets.cli import main
from fund_assets.instance import server_storage
from fund_assets.observability.alerts import delivery, time_limits
from fund_assets.observability.server.exposition import encode
from fund_assets.observability.status import Requests
from fund_assets.settings import SHANGHAI, Settings
from fund_assets.warehouse import Warehouse, integrity
from fund_assets.warehouse.engine import mysql_session
from fund_assets_tests.mariadb import Server
from fund_assets_tests.reliability import page_commands
from fund_assets_tests.server.market_server import _certificates
from fund_assets_tests.unit.observability.test_dashboard import FULL
from scripts.screenshots import chromium, free_port, running, wait_for

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
UNITS = sorted((DEPLOY / "systemd").iterdir())


def loaded(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def program(name, package):
    """A program of the system, or a skip that says plainly that it is absent."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if not found:
        pytest.skip(f"{name} is absent: scripts/system.sh installs it (Debian: {package})")
    return found


def test_production_runs_as_development_does():
    """Stops a limit, retry or retention that holds on a desk and not in production."""
    here, there = loaded("dagster.yaml"), loaded("deploy/dagster.yaml")
    assert there["storage"]["custom"]["config"]["mysql_db"].keys() == {
        "hostname", "port", "username", "password", "db_name",
    }  # fmt: skip
    for each in (here, there):
        each.pop("storage")
    assert here == there
    assert there["run_monitoring"]["enabled"] and there["run_retries"]["enabled"]


def test_dagster_reads_the_production_file(tmp_path):
    """Stops a key that Dagster refuses, or a class it cannot find."""
    from dagster._core.instance.ref import InstanceRef

    shutil.copy(DEPLOY / "dagster.yaml", tmp_path)
    ref = InstanceRef.from_dir(str(tmp_path))
    assert ref.storage_data.class_name == "TimedMySQLStorage"
    assert ref.compute_logs_data.class_name == "StateComputeLogs"
    assert ref.settings["run_retries"]["max_retries"] == 2


def test_images_of_others_are_exact():
    """Stops a build from taking whatever a registry calls by that name today."""
    exact = re.compile(r"[a-z]+:\d+\.\d+\.\d+(-[a-z-]+)?@sha256:[0-9a-f]{64}")
    begun = re.compile(r"^FROM (?:--platform=\S+ )?(\S+)", re.M)
    images, built = [], set()
    for file in DEPLOY.rglob("*"):
        if file.name.startswith("Dockerfile"):
            images += begun.findall(file.read_text(encoding="utf-8"))
        elif file.suffix in {".yaml", ".yml"} and file.name.startswith("compose"):
            for service in yaml.safe_load(file.read_text(encoding="utf-8"))[
                "services"
            ].values():
                own = "build" in service
                (built.add if own else images.append)(service["image"])
    assert built == {"fund-assets"}, "made here, not fetched"
    assert {image.partition(":")[0] for image in images} == {"mariadb", "nginx", "python"}
    assert [image for image in images if not exact.fullmatch(image)] == []


def test_settings_are_settings():
    """Stops an example that sets what nobody reads."""
    known = {f"FUND_{name}".upper() for name in Settings.model_fields}
    of_compose = {"FUND_DDL_PASSWORD", "FUND_RW_PASSWORD", "FUND_RO_PASSWORD", "FUND_HOST"}
    for file in (
        "env.example",
        "docker/compose.yaml",
        "docker/.env.example",
        "docker/settings.env.example",
        "docker/Dockerfile",
    ):
        named = set(
            re.findall(r"\bFUND_[A-Z_]+\b", (DEPLOY / file).read_text(encoding="utf-8"))
        )
        assert named - of_compose <= known, file
    asked = set(re.findall(r"\{env: (\w+)\}", (DEPLOY / "dagster.yaml").read_text()))
    for file in ("env.example", "docker/compose.yaml"):
        assert all(name in (DEPLOY / file).read_text(encoding="utf-8") for name in asked), file


def commands():
    """Every command line of units and compose services, by where it stands."""
    for unit in UNITS:
        for line in re.findall(r"^ExecStart=(.*)$", unit.read_text(encoding="utf-8"), re.M):
            yield (
                unit.name,
                line.removeprefix("-").removeprefix("/opt/fund-assets/.venv/bin/").split(),
            )
    for name, service in loaded("deploy/docker/compose.yaml")["services"].items():
        if service.get("image") == "fund-assets":
            command = service["command"]
            for part in re.split(r"&& ", command[2]) if command[0] == "sh" else [None]:
                words = part.split() if part else command
                if words[0] in (
                    "dagster",
                    "dagster-daemon",
                    "dagster-webserver",
                    "fund-assets",
                ):
                    yield name, words


@pytest.mark.parametrize(
    "file", [*(unit for unit in UNITS if unit.suffix == ".service"), ROOT / "Makefile",
             DEPLOY / "docker/Dockerfile"], ids=lambda file: file.name,
)  # fmt: skip
def test_what_starts_dagster_gives_it_the_time_of_shanghai(file):
    """Stops a console line of daemon or web server in UTC, beside our own in Shanghai time."""
    lines = file.read_text(encoding="utf-8").splitlines()
    starts = {"Makefile": "fund_assets.instance.webserver dev", "Dockerfile": "ENV "}
    named = [line for line in lines if starts.get(file.name, "Environment=") in line]
    assert any("TZ=Asia/Shanghai" in line for line in named)


@pytest.mark.slow
def test_a_line_of_dagster_has_the_time_of_shanghai():
    """Stops a Dagster that writes its lines in another time than that of its process."""
    code = (
        "import logging; from dagster._utils.log import configure_loggers; configure_loggers();"
        "logging.getLogger('dagster').info('a line')"
    )
    environment = os.environ | {"TZ": "Asia/Shanghai", "PYTHONWARNINGS": "ignore"}
    before = datetime.now(SHANGHAI).replace(microsecond=0)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    after = datetime.now(SHANGHAI)
    found = re.search(r"([0-9-]{10} [0-9:]{8} [+]0800)", done.stdout + done.stderr)
    assert found, done.stdout + done.stderr
    assert before <= datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S %z") <= after


@pytest.mark.slow
def test_commands_exist():
    """Stops a service whose command or option is none."""
    from click.testing import CliRunner
    from dagster._cli import create_dagster_cli
    from dagster._daemon.cli import create_dagster_daemon_cli
    from dagster_webserver.cli import create_dagster_webserver_cli

    from fund_assets.cli import main

    groups = {"fund-assets": main, "dagster": create_dagster_cli(),
              "dagster-daemon": create_dagster_daemon_cli(),
              "dagster-webserver": create_dagster_webserver_cli()}  # fmt: skip
    looked_at = 0
    for where, (tool, *words) in commands():
        path = [word for word in words if not word.startswith("-")]
        group, at = groups[tool], []
        while hasattr(group, "commands") and path and path[0] in group.commands:
            at.append(path.pop(0))
            group = group.commands[at[-1]]
        if tool == "fund-assets" and words[0] == "watch":
            continue  # told by the tests of the watcher
        shown = CliRunner().invoke(groups[tool], [*at, "--help"]).output
        assert not hasattr(group, "commands"), f"{where}: {words}"
        for option in (word for word in words if re.match("--?[a-z]", word)):
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", shown), (where, option)
        looked_at += 1
    assert looked_at > 12


@pytest.mark.slow
def test_systemd_takes_the_units(tmp_path):
    """Stops a key that systemd ignores, or a unit that waits for one that is not there."""
    verify = [program("systemd-analyze", "systemd"), "verify"]
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/fund-assets/.venv/bin", str(BIN))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
        assert "User=fund\n" in text or unit.suffix == ".timer"
    found = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run([*verify, *found], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.slow
def test_units_give_up_what_they_do_not_need(record_property):
    """Stops a service from keeping rights that only somebody who broke in would use."""
    judge = [program("systemd-analyze", "systemd"), "security", "--offline=true"]
    exposed = {}
    for unit in UNITS:
        if unit.suffix == ".service":
            done = subprocess.run(
                [*judge, str(unit)], capture_output=True, text=True, check=False
            )
            exposed[unit.name] = float(re.search(r"for \S+: ([0-9.]+)", done.stdout)[1])
            text = unit.read_text(encoding="utf-8")
            assert f"EnvironmentFile=-/etc/fund-assets/{unit.stem[5:]}.env\n" in text
            assert "MemoryMax=" in text and "SystemCallFilter=@system-service\n" in text
    record_property("seen", f"exposure {min(exposed.values())} to {max(exposed.values())}")
    assert max(exposed.values()) <= 3.0, exposed


def test_what_follows_a_migration_waits_for_its_success():
    """Stops services from starting on tables that a migration left half renewed."""
    command = loaded("deploy/docker/compose.yaml")["services"]["migrate"]["command"][2]
    assert command.split(" && ") == [
        "fund-assets migrate --if-any --wait 600",
        "dagster instance migrate",
        "fund-assets init",
    ]  # fmt: skip
    unit = (DEPLOY / "systemd" / "fund-migrate.service").read_text(encoding="utf-8")
    assert "ExecStart=-" not in unit and unit.count("ExecStart=") == 3


def test_a_release_is_installed_with_its_files():
    """Stops an upgrade, or the way back, from leaving Dagster's settings of another release."""
    blocks: dict[int, list[str]] = {}
    for command in page_commands.commands(ROOT / "docs" / "deployment.md"):
        blocks.setdefault(command.block, []).append(command.text)
    of_a_release = [
        lines for lines in blocks.values() if "PYTHON=/usr/bin/python3 make env" in lines
    ]
    assert len(of_a_release) == 4, (
        "a new machine, a new release, an older one, a second machine"
    )
    for lines in of_a_release:
        assert "cp deploy/systemd/* /etc/systemd/system/" in lines
        assert (
            "install -m 644 deploy/dagster.yaml deploy/workspace.yaml /etc/fund-assets/"
            in lines
        )
        assert "install -m 755 deploy/fund-assets /usr/local/bin/fund-assets" in lines


def test_a_look_from_outside_is_ended_only_when_it_hangs():
    """Stops systemd from ending the look that would tell of a dead database while it waits
    for that database and for the channels, on a machine that is half as fast."""
    unit = (DEPLOY / "systemd" / "fund-watch.service").read_text(encoding="utf-8")
    waits = (
        server_storage.CONNECT_S, server_storage.ANSWER_S, mysql_session.CONNECT_S,
        mysql_session.FULL_WAIT_S, delivery.SEND_S, delivery.ROUND_S, time_limits.EXIT_WAIT_S,
    )  # fmt: skip
    assert 2 * sum(waits) < int(re.search(r"TimeoutStartSec=(\d+)\n", unit)[1]) <= 600


@pytest.mark.slow
def test_a_frozen_server_holds_dagster_only_so_long(mysql_server, monkeypatch, record_property):
    """Stops a database that answers nothing from holding daemon, UI and runs for ever."""
    from fund_assets.instance import server_storage

    monkeypatch.setattr(server_storage, "ANSWER_S", 2)
    url = sa.make_url(mysql_server).set(drivername="mysql+mysqlconnector")
    with sa.create_engine(url).connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE IF NOT EXISTS dagster_frozen")
    where = url.set(database="dagster_frozen").render_as_string(hide_password=False)
    storage = server_storage.TimedMySQLStorage(where)
    try:
        assert storage.run_storage.get_runs_count() == 0
        begun = time.monotonic()
        with (
            pytest.raises(Exception, match="timed out"),
            storage.run_storage.connect() as connection,
        ):
            connection.exec_driver_sql("SELECT SLEEP(20)")
        took = time.monotonic() - begun
        record_property("seen", f"limit 2 s: ended after {took:.1f} s")
    finally:
        with sa.create_engine(url).connect() as connection:
            connection.exec_driver_sql("DROP DATABASE dagster_frozen")


def test_compose_is_whole(tmp_path):
    """Stops a service that waits for one that is not there, or that is open to the world."""
    compose = loaded("deploy/docker/compose.yaml")
    services = compose["services"]
    assert {"mariadb", "migrate", "code", "daemon", "webserver", "health"} <= set(services)
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        assert set(service["networks"]) <= set(compose["networks"]), name
        assert ("ports" in service) == (name == "proxy"), name
    text = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for source in re.findall(r"^COPY (.+) \S+$", text, re.M):
        for path in source.split():
            assert (ROOT / path).exists(), path
            folder = f"!{Path(path).parent}/*{Path(path).suffix}"
            assert f"!{path}" in kept or folder in kept, path
    tool = shutil.which("docker-compose")
    if tool:  # the old one is enough to judge the form; it does not know `name`
        plain = re.sub(r"(?m)^name:.*\n", "", (DEPLOY / "docker/compose.yaml").read_text())
        filled = (DEPLOY / "docker/.env.example").read_text().replace("=\n", "=secret\n")
        (tmp_path / "env").write_text(filled)
        shutil.copy(DEPLOY / "docker/settings.env.example", tmp_path / "settings.env")
        done = subprocess.run(
            [tool, "--env-file", str(tmp_path / "env"), "-f", "-", "config"],
            input=plain, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        health = yaml.safe_load(done.stdout)["services"]["health"]["environment"]
        assert health["FUND_WAREHOUSE_URL"] == "mysql://fund_ro:secret@mariadb:3306/fund_assets"


def test_grafana_knows_our_metrics():
    """Stops a panel that stays empty because a metric has another name."""
    board = json.loads((DEPLOY / "grafana" / "fund-assets.json").read_text(encoding="utf-8"))
    told = encode(FULL, "")[0].decode()
    names = set(re.findall(r"^# TYPE (\S+)", told, re.M))
    names |= {f"{name}{end}" for name in names for end in ("_sum", "_count")}
    asked = set()
    for panel in board["panels"]:
        for target in panel["targets"]:
            found = set(re.findall(r"\b(?:fund|dagster)_\w+", target["expr"]))
            assert found, panel["title"]
            asked |= found
    assert asked <= names, asked - names
    assert len(asked) >= 18
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
    assert len(set(places)) == len(places)
    assert len({p["id"] for p in board["panels"]}) == len(places)


def test_prometheus_knows_our_metrics_and_labels():
    """Stops an alert rule that can never hold: another name, or a label that is never told."""
    rules = yaml.safe_load((DEPLOY / "prometheus" / "fund-assets.rules.yml").read_text())
    asked = (Requests("eastmoney", "ok", 9, 1.0),)
    told = encode(replace(FULL, requests=asked, outbox=(("dead", 1),)), "")[0].decode()
    names = set(re.findall(r"^# TYPE (\S+)", told, re.M))
    labels = {
        name: set(re.findall(r'(\w+)="', "".join(re.findall(rf"^{name}{{(.*)}}", told, re.M))))
        for name in names
    }
    values = set(re.findall(r'="([^"]*)"', told))
    found = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len(found) >= 10 and len({rule["alert"] for rule in found}) == len(found)
    for rule in found:
        asked = re.findall(r"\b((?:fund|dagster)_\w+)(?:\{([^}]*)\})?", rule["expr"])
        for name, chosen in asked:
            assert name in names, (rule["alert"], name)
            for label, sign, value in re.findall(r'(\w+)(=~?|!=)"([^"]*)"', chosen):
                assert label in labels[name], (rule["alert"], label)
                assert sign != "=" or value in values, (rule["alert"], value)
        shown = rule["annotations"]["summary"]
        for label in re.findall(r"\$labels\.(\w+)", shown):
            assert all(label in labels[name] for name, _ in asked)
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["what"]
        for command in re.findall(r"fund-assets ([a-z]+)", rule["annotations"]["what"]):
            assert command in main.commands, command
        for page, title in re.findall(r"docs/(\S+)\.md, (\w+)", rule["annotations"]["what"]):
            text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
            assert f"## {title}\n" in text, title


#: What stands around the commands of a page: a machine of their own, with nothing but files.
APART = """set -e
mount -t tmpfs tmpfs "$1" && mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/log/nginx
htpasswd() {  # of apache2-utils, which asks for the password
    [ "$1" != -cB ] || : > "$2"
    echo "$3:{PLAIN}$3-pass" >> "$2"
}
systemctl() { nginx; }
install -d -m 751 /etc/fund-assets
"""
#: Its last commands: the site is asked, nobody behind it answers.
ASKED = """
python3 - <<'END'
import base64, json, socket, ssl
context = ssl._create_unverified_context()
found = {}
for path, who in [(p, w) for p in ("/", "/viewer/", "/status/") for w in ("", "alice", "bob")]:
    with context.wrap_socket(socket.create_connection(("127.0.0.1", 443))) as to:
        word = base64.b64encode(f"{who}:{who}-pass".encode()).decode()
        login = f"Authorization: Basic {word}\\r\\n" if who else ""
        to.sendall(f"GET {path} HTTP/1.0\\r\\nHost: localhost\\r\\n{login}\\r\\n".encode())
        found[f"{path} {who}"] = int(to.makefile("rb").readline().split()[1])
print(json.dumps(found))
END
"""


@pytest.mark.slow
def test_the_page_of_nginx_runs_as_written(tmp_path):
    """Stops logins that are all answered with 500, and Debian's default site in our way."""
    program("nginx", "nginx-light")
    if os.geteuid() or not Path("/etc/nginx/sites-enabled").is_dir():
        pytest.skip("needs root and Debian's nginx")
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```bash\n(rm -f /etc/nginx.*?)```", page, re.S)
    script = f"{APART}ip link set lo up 2>/dev/null || true\n{block}{ASKED}"
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "bash", "-c"]
    done = subprocess.run(
        [*command, script, "page", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    nobody_behind = 502
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "/ ": 401, "/ alice": nobody_behind, "/ bob": 401,
        "/viewer/ ": 401, "/viewer/ alice": nobody_behind, "/viewer/ bob": nobody_behind,
        "/status/ ": 401, "/status/ alice": nobody_behind, "/status/ bob": nobody_behind,
    }  # fmt: skip


@pytest.mark.slow
def test_the_page_of_backups_runs_as_written(tmp_path):
    """Stops a copy that lacks a view, a comment or a row when it is needed."""
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    _, _, section = page.partition("## Backup and restore")
    dump, restore = re.findall(r"```bash\n(.*?)```", section, re.S)[:2]
    program("mariadb-dump", "mariadb-client")
    server = Server()
    # The last file that clients read: whatever else is on this machine is not meant.
    (tmp_path / ".my.cnf").write_text(f"[client]\nsocket={server.folder / 'socket'}\n")
    environment = {**os.environ, "HOME": str(tmp_path)}

    def run(commands):
        done = subprocess.run(
            ["bash", "-ec", "set -o pipefail; systemctl() { :; }; fund-assets() { :; }\n"
             + commands.replace("/var/backups", str(tmp_path))],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    try:
        warehouse = Warehouse(f"{server.url}/fund_assets")
        warehouse.init("simulated")
        run(
            "mariadb -e 'CREATE DATABASE dagster; CREATE TABLE dagster.runs (id INT PRIMARY KEY)'"
        )
        entered = "INSERT INTO {} VALUES (20270104, {}, 'a note')"
        with warehouse.transaction(writes=True) as connection:
            connection.exec_driver_sql(entered.format("calendar_override", 1))
        run(dump)
        with warehouse.transaction(writes=True) as connection:
            connection.exec_driver_sql("UPDATE calendar_override SET is_open = 0")
            connection.exec_driver_sql("DROP VIEW nav_versions")
        run(f"mariadb -e 'DROP TABLE dagster.runs'\n{restore}")
        assert warehouse.rows("SELECT day, is_open FROM calendar_override") == [
            {"day": 20270104, "is_open": 1}
        ]
        assert integrity.unlike_declared(warehouse) == ""
        run("mariadb -e 'SELECT id FROM dagster.runs'")
        warehouse.close()
    finally:
        server.stop()


# --- nginx in front of two real UIs and a health server ------------------------------------


def apr1_free(password):
    """A line of htpasswd that nginx understands without any tool."""
    return "{PLAIN}" + password


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site of deploy/nginx on free ports: real nginx, real webservers, a health server."""
    nginx = program("nginx", "nginx-light")
    folder = tmp_path_factory.mktemp("nginx")
    secrets = folder / "secrets"
    secrets.mkdir()
    authority, leaf, key = _certificates()
    (secrets / "ca.pem").write_bytes(authority)
    (secrets / "cert.pem").write_bytes(leaf)
    (secrets / "key.pem").write_bytes(key)
    admin, viewer = (f"{who}:{apr1_free(who + '-pass')}\n" for who in ("admin", "viewer"))
    (secrets / "admins.htpasswd").write_text(admin)
    (secrets / "everybody.htpasswd").write_text(admin + viewer)
    http, https, ui, read_only, health = (free_port() for _ in range(5))
    upstreams = (DEPLOY / "nginx" / "upstreams.conf").read_text()
    for port, own in (("3000", ui), ("3001", read_only), ("5000", health)):
        upstreams = upstreams.replace(f"127.0.0.1:{port}", f"127.0.0.1:{own}")
    site = (DEPLOY / "nginx" / "fund-assets.conf").read_text()
    for theirs, ours in (
        ("listen 80 ", f"listen 127.0.0.1:{http} "),
        ("listen 443 ", f"listen 127.0.0.1:{https} "),
        ("/etc/fund-assets/nginx", str(secrets)),
    ):
        assert theirs in site
        site = site.replace(theirs, ours)
    (folder / "upstreams.conf").write_text(upstreams)
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(
        f"user root;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\ndaemon off;\n"
        "events {}\nhttp {\n"
        f"access_log {folder}/access.log;\n"
        + "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + "include upstreams.conf;\ninclude site.conf;\n}\n"
    )
    command = [nginx, "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    assert "[warn]" not in tested.stderr

    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("FUND_", "DAGSTER_"))},
        "FUND_STATE": str(folder / "state"), "DAGSTER_HOME": str(ROOT),
        "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "FUND_SIM_FUNDS": "20",
    }  # fmt: skip
    quiet = {"cwd": ROOT, "env": environment, "stdout": subprocess.DEVNULL,
             "stderr": subprocess.DEVNULL}  # fmt: skip
    # As fund-migrate.service does: of two that make Dagster's storage at once, one dies.
    subprocess.run([str(BIN / "dagster"), "instance", "migrate"], check=True, **quiet)
    subprocess.run([sys.executable, "-m", "fund_assets", "init"], check=True, **quiet)
    web = [str(BIN / "dagster-webserver"), "-h", "127.0.0.1"]
    with ExitStack() as stack:
        for started in (
            [*web, "-p", str(ui)],
            [*web, "-p", str(read_only), "--read-only", "--path-prefix", "/viewer"],
            [sys.executable, "-m", "fund_assets", "serve", "--port", str(health)],
            command,
        ):
            stack.enter_context(running(started, **quiet))
        for port, path in ((ui, "/server_info"), (read_only, "/viewer/server_info"),
                           (health, "/livez")):  # fmt: skip
            url = f"http://127.0.0.1:{port}{path}"
            wait_for(url, lambda url=url: urllib.request.urlopen(url).status == 200)
        yield Site(http, https, secrets / "ca.pem")


class Site:
    def __init__(self, http, https, authority):
        self.http, self.https = http, https
        self.tls = ssl.create_default_context(cafile=str(authority))

    def ask(self, path, who="", *, body=None, scheme="https", headers=None):
        """(status, text) of a request by somebody whose password is `<who>-pass`."""
        port = self.https if scheme == "https" else self.http
        request = urllib.request.Request(
            f"{scheme}://localhost:{port}{path}", data=body, headers=headers or {}
        )
        if who:
            request.add_header("Authorization", login(who))
        if body:
            request.add_header("Content-Type", "application/json")

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_args):
                return None

        opener = urllib.request.build_opener(
            Stay, urllib.request.HTTPSHandler(context=self.tls), urllib.request.ProxyHandler({})
        )
        try:
            with opener.open(request, timeout=60) as answer:
                self.headers = answer.headers
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            self.headers = refused.headers
            return refused.code, refused.headers.get("Location", "")


def login(who):
    return "Basic " + base64.b64encode(f"{who}:{who}-pass".encode()).decode()


LAUNCH = json.dumps(
    {
        "query": "mutation { startSchedule(scheduleSelector: {repositoryName: "
        '"__repository__", repositoryLocationName: "fund_assets.definitions", '
        'scheduleName: "daily_collection"}) { __typename } }'
    }
).encode()


@pytest.mark.slow
def test_nobody_comes_in_without_a_login(site):
    """Stops an open Dagster UI, which starts whatever anybody asks for."""
    for path in ("/", "/graphql", "/server_info", "/viewer/", "/status/", "/status/metrics"):
        assert site.ask(path)[0] == 401, path
        assert site.ask(path, "stranger")[0] == 401, path
    for path in ("/", "/server_info", "/graphql"):
        assert site.ask(path, "viewer")[0] == 401, "a viewer must not reach the UI that writes"
    code, target = site.ask("/runs?x=1", scheme="http")
    assert (code, target) == (301, "https://localhost/runs?x=1")


@pytest.mark.slow
def test_those_who_have_one_come_in(site):
    """Stops a proxy that breaks the UI: its prefix, its websockets, its paths."""
    assert "dagster_webserver_version" in site.ask("/server_info", "admin")[1]
    assert "dagster_webserver_version" in site.ask("/viewer/server_info", "viewer")[1]
    for who in ("viewer", "admin"):  # links of the status page lead there
        assert 'src="/viewer/' in site.ask("/viewer/runs", who)[1]
    assert (
        "基金数据平台" in site.ask("/status/", "viewer")[1]
        or site.ask("/status/", "viewer")[0] == 503
    )
    assert "fund_up 1.0" in site.ask("/status/metrics", "admin")[1]
    assert site.ask("/status/livez", "viewer") == (200, "ok\n")
    assert site.ask("/status/health", "admin", body=b"{}")[0] == 403
    for path, who in (("/graphql", "admin"), ("/viewer/graphql", "viewer")):
        with connect(
            f"wss://localhost:{site.https}{path}", ssl=site.tls, proxy=None,
            subprotocols=["graphql-ws"], additional_headers={"Authorization": login(who)},
        ) as socket:  # fmt: skip
            socket.send(json.dumps({"type": "connection_init", "payload": {}}))
            assert json.loads(socket.recv(timeout=30))["type"] == "connection_ack"
    with pytest.raises(InvalidStatus, match="401"):
        connect(f"wss://localhost:{site.https}/graphql", ssl=site.tls, proxy=None)


@pytest.mark.slow
def test_no_page_may_be_framed(site):
    """Stops a foreign page from showing ours invisibly and having visitors click on it."""
    for path, who, status in (
        ("/runs", "admin", 200), ("/viewer/runs", "viewer", 200), ("/status/livez", "viewer", 200),
        ("/runs", "", 401), ("/status/nowhere", "admin", 404),
    ):  # fmt: skip
        assert site.ask(path, who)[0] == status
        assert set(site.headers.get_all("X-Frame-Options")) == {"DENY"}, path
        told = ", ".join(site.headers.get_all("Content-Security-Policy"))
        assert "frame-ancestors 'none'" in told, path


@pytest.mark.slow
def test_viewers_change_nothing(site):
    """Stops a viewer from starting a run or a schedule."""
    refused = json.loads(site.ask("/viewer/graphql", "viewer", body=LAUNCH)[1])
    assert refused["data"]["startSchedule"]["__typename"] == "UnauthorizedError"
    done = json.loads(site.ask("/graphql", "admin", body=LAUNCH)[1])
    assert done["data"]["startSchedule"]["__typename"] == "ScheduleStateResult"


#: A mutation whose effect can be seen.
LIMIT = 'mutation { setConcurrencyLimit(concurrencyKey: "%s", limit: 3) }'
LIMITS = b'{"query": "{ instance { concurrencyLimits { concurrencyKey } } }"}'


def limits(site):
    """The keys that mutations have left behind."""
    found = json.loads(site.ask("/graphql", "admin", body=LIMITS)[1])
    return {one["concurrencyKey"] for one in found["data"]["instance"]["concurrencyLimits"]}


@pytest.mark.slow
def test_questions_by_get_and_from_elsewhere_are_refused(site):
    """Stops a mutation that a foreign page sends with a browser's login, in each of its forms."""
    own = f"https://localhost:{site.https}"
    query = urllib.parse.quote(LIMIT % "by_get")
    for path in (f"/graphql?query={query}", f"/%67raphql?%71uery={query}",
                 f"//graphql?query={query}", f"/graphql/?query={query}",
                 f"/graphql%0a?query={query}", f"/viewer/../graphql?query={query}",
                 f"/runs%2f..%2fgraphql?query={query}", f"/graphql%0d%0a?query={query}",
                 f"/runs%0a?query={query}"):  # fmt: skip
        assert site.ask(path, "admin")[0] == 403, path
    assert site.ask(f"/viewer/graphql?query={query}", "viewer")[0] == 403
    body = json.dumps({"query": LIMIT % "foreign"}).encode()
    navigation = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for headers in (
        {"Origin": "https://foreign.example"}, {"Origin": "null"},
        {"Origin": own + ".foreign.example"}, {"Origin": own.replace("https", "http")},
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", **navigation},
    ):  # fmt: skip
        assert site.ask("/graphql", "admin", body=body, headers=headers)[0] == 403, headers
    link = {"Sec-Fetch-Site": "cross-site", **navigation}
    assert site.ask("/runs", "admin", headers=link)[0] == 200, "a link in a message"
    assert site.ask("/runs", "admin", headers={"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert limits(site) & {"by_get", "foreign"} == set()
    body = json.dumps({"query": LIMIT % "own"}).encode()
    headers = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
    assert site.ask("/graphql", "admin", body=body, headers=headers)[0] == 200
    assert "own" in limits(site)


FOREIGN = """<!doctype html><title>foreign</title><script>
const at = "https://localhost:PORT", query = encodeURIComponent(QUERY);
const tries = [
  fetch(at + "/graphql?query=" + query, {mode: "no-cors", credentials: "include"}),
  fetch(at + "/graphql", {method: "POST", mode: "no-cors", credentials: "include",
                          body: JSON.stringify({query: QUERY})}),
];
const image = new Image(); image.src = at + "/graphql?query=" + query;
const frame = document.createElement("iframe"); frame.src = at + "/runs";
document.documentElement.append(frame);
const settled = new Promise(done => { frame.onload = done; });
Promise.allSettled([...tries, settled]).then(() => {
  document.title = "tried";
  const form = document.createElement("form");
  form.action = at + "/graphql"; form.method = "get";
  const field = document.createElement("input");
  field.name = "query"; field.value = QUERY; form.append(field);
  document.documentElement.append(form);
  setTimeout(() => form.submit(), 1000);
});
</script>"""


@pytest.mark.slow
def test_a_foreign_page_in_a_browser_that_has_logged_in(site, tmp_path):
    """Stops a page that somebody visits from changing what their login may change."""
    if not (os.environ.get("CHROMIUM") or shutil.which("chromium")):
        pytest.skip("Debian's chromium is not installed")
    folder = tmp_path / "pages"
    folder.mkdir()
    page_text = FOREIGN.replace("PORT", str(site.https))
    (folder / "index.html").write_text(
        page_text.replace("QUERY", json.dumps(LIMIT % "browser"))
    )
    port = free_port()
    server = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1",
              "--directory", str(folder)]  # fmt: skip
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with running(server, **quiet), chromium(tmp_path / "profile") as page:
        wait_for("the foreign page", lambda: socket_open(port))
        page("Security.setIgnoreCertificateErrors", ignore=True)
        logged_in = f"https://admin:admin-pass@localhost:{site.https}/server_info"
        page("Page.navigate", url=logged_in)
        wait_for("a login", lambda: "webserver" in str(page.ask("document.body.innerText")))
        page("Page.navigate", url=f"http://127.0.0.1:{port}/")
        wait_for("the tries", lambda: page.ask("document.title") == "tried")
        wait_for("the form", lambda: "403" in str(page.ask("document.title")))
        page("Page.navigate", url=f"https://localhost:{site.https}/server_info")
        wait_for("the login", lambda: "webserver" in str(page.ask("document.body.innerText")))
    assert "browser" not in limits(site)


def socket_open(port):
    with socket_module.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


# --- the production instance on a real MariaDB ----------------------------------------------


class Production:
    """A server as `mariadb-init.sh` sets it up, and commands of its users.

    Args:
        folder: of its own; DAGSTER_HOME and the state are below it.
    """

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.passwords = {f"{who}_PASSWORD": f"{who}-pass-0123" for who in
                          ("FUND_DDL", "FUND_RW", "FUND_RO", "DAGSTER")}  # fmt: skip
        client = folder / "bin" / "mariadb"  # to this server, whatever the machine's files say
        client.parent.mkdir()
        client.write_text(
            f'#!/bin/sh\nexec "{shutil.which("mariadb")}" --no-defaults '
            f'--socket="{server.folder}/socket" "$@"\n'
        )
        client.chmod(0o755)
        subprocess.run(
            ["sh", str(DEPLOY / "docker" / "mariadb-init.sh")], check=True,
            env={**os.environ, **self.passwords, "MARIADB_ROOT_PASSWORD": "",
                 "USERS_SQL": str(DEPLOY / "sql" / "users.sql"),
                 "PATH": f"{folder}/bin:{os.environ['PATH']}"},
        )  # fmt: skip
        (folder / "home").mkdir()
        shutil.copy(DEPLOY / "dagster.yaml", folder / "home")

    def env(self, user):
        """The environment of a service that is this user of the warehouse."""
        password, port = self.passwords[f"{user}_PASSWORD"], self.server.port
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("FUND_")},
            "DAGSTER_HOME": str(self.folder / "home"),
            "FUND_STATE": str(self.folder / "state"),
            "FUND_WAREHOUSE_URL":
                f"mysql://{user.lower()}:{password}@127.0.0.1:{port}/fund_assets",
            "DAGSTER_MYSQL_HOST": "127.0.0.1", "DAGSTER_MYSQL_PORT": str(port),
            "DAGSTER_MYSQL_DB": "dagster", "DAGSTER_MYSQL_USER": "dagster",
            "DAGSTER_MYSQL_PASSWORD": self.passwords["DAGSTER_PASSWORD"],
            "FUND_SIM_FUNDS": "30", "FUND_SIM_YEARS": "1", "PYTHONPATH": str(ROOT),
            "FUND_CLOCK": "2026-09-17T23:45", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip

    def run(self, user, *command):
        """(exit code, output) of a command."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.env(user), capture_output=True, text=True,
            check=False, timeout=300,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def production(tmp_path):
    """A new server with its three users and the tables of Dagster and of ours."""

    program("mariadbd", "mariadb-server")
    server = Server()
    try:
        made = Production(server, tmp_path)
        code, said = made.run("FUND_DDL", str(BIN / "dagster"), "instance", "migrate")
        assert code == 0, said
        yield made
    finally:
        server.stop()


OURS = (sys.executable, "-m", "fund_assets")


@pytest.mark.slow
def test_production_on_mariadb_with_its_three_users(production):
    """Stops a right that a service lacks, and one that it should not have."""
    run = production.run
    code, said = run("FUND_RW", *OURS, "init")
    assert code != 0, "who writes rows may not make tables"
    code, said = run("FUND_DDL", *OURS, "init")
    assert code == 0, said
    code, said = run("FUND_RW", *OURS, "run")
    assert code == 0, said
    code, said = run("FUND_RO", *OURS, "run")
    assert code != 0, "who reads may not write"
    code, said = run("FUND_RO", *OURS, "dashboard", "--json")
    facts = json.loads(said)
    assert [f["table"] for f in facts["freshness"] if not f["ok"]] == []
    jobs = {job["job"]: job for job in facts["jobs"]}
    assert jobs["daily_pipeline"]["succeeded"] == 1, "runs are kept in MariaDB"
    assert "collector" in "".join(p.name for p in (production.folder / "state").rglob("*.log"))


NEIGHBOUR = """
import dagster as dg

@dg.asset
def neighbours(): ...

job = dg.define_asset_job("neighbour_job", selection=[neighbours])
each_minute = dg.ScheduleDefinition(
    job=job, cron_schedule="* * * * *", default_status=dg.DefaultScheduleStatus.RUNNING
)
defs = dg.Definitions([neighbours], jobs=[job], schedules=[each_minute])
"""
LOCATIONS = "{ workspaceOrError { ... on Workspace { locationEntries { name \
locationOrLoadError { __typename } } } } }"
EVENING_RUN = """mutation { launchRun(executionParams: {selector: {
    repositoryLocationName: "fund_assets.definitions", repositoryName: "__repository__",
    jobName: "daily_pipeline"}, runConfigData: {}}) { __typename } }"""
RUNS = "{ runsOrError { ... on Runs { results { jobName status } } } }"
TICKS = """{ sensorsOrError(repositorySelector: {repositoryLocationName:
    "fund_assets.definitions", repositoryName: "__repository__"}) { ... on Sensors { results {
    name sensorState { status ticks { status } } } } } }"""


@pytest.mark.slow
def test_daemon_ui_and_two_code_locations_share_dagster_on_mariadb(production):
    """Stops a storage that serves one process and not the five of a production: a run from
    the UI, another location's schedule and our sensors must all come to their end on it."""
    code, said = production.run("FUND_DDL", *OURS, "init")
    assert code == 0, said
    folder, (ours, theirs, ui) = production.folder, (free_port() for _ in range(3))
    (folder / "neighbour.py").write_text(NEIGHBOUR)
    workspace = loaded("deploy/workspace.yaml")
    (server,) = (part["grpc_server"] for part in workspace["load_from"])
    server["port"] = ours
    workspace["load_from"].append({"grpc_server": {**server, "port": theirs,
                                                   "location_name": "neighbour"}})  # fmt: skip
    (folder / "workspace.yaml").write_text(yaml.safe_dump(workspace))

    def ask(query):
        request = urllib.request.Request(
            f"http://127.0.0.1:{ui}/graphql", json.dumps({"query": query}).encode(),
            {"Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=60) as answer:
            (found,) = json.load(answer)["data"].values()
            return found

    serve = [str(BIN / "dagster"), "code-server", "start", "-h", "127.0.0.1"]
    looking = ["-w", str(folder / "workspace.yaml")]
    log = folder / "services.log"
    with ExitStack() as stack:
        out = stack.enter_context(log.open("w"))
        options = {
            "cwd": folder,
            "env": production.env("FUND_RW"),
            "stdout": out,
            "stderr": out,
        }
        for command in (
            [*serve, "-p", str(ours), "-m", "fund_assets.definitions",
             "--location-name", "fund_assets.definitions"],
            [*serve, "-p", str(theirs), "-f", "neighbour.py", "--location-name", "neighbour"],
            [str(BIN / "dagster-daemon"), "run", *looking],
            [str(BIN / "dagster-webserver"), "-h", "127.0.0.1", "-p", str(ui), *looking],
        ):  # fmt: skip
            stack.enter_context(running(command, **options))

        def both_are_there():
            entries = ask(LOCATIONS)["locationEntries"]
            kinds = {e["name"]: (e["locationOrLoadError"] or {}).get("__typename")
                     for e in entries}  # fmt: skip
            return kinds == dict.fromkeys(
                ("fund_assets.definitions", "neighbour"), "RepositoryLocation"
            )

        wait_for("both code locations", both_are_there, 300)
        assert ask(EVENING_RUN)["__typename"] == "LaunchRunSuccess"

        def ended():
            runs = {(run["jobName"], run["status"]) for run in ask(RUNS)["results"]}
            assert not any(status == "FAILURE" for _, status in runs), log.read_text()[-5000:]
            return {("daily_pipeline", "SUCCESS"), ("neighbour_job", "SUCCESS")} <= runs

        wait_for("the run from the UI and the scheduled one", ended, 300)

        def looked():
            ticks = {
                sensor["name"]: {tick["status"] for tick in sensor["sensorState"]["ticks"]}
                for sensor in ask(TICKS)["results"]
                if sensor["sensorState"]["status"] == "RUNNING"
            }
            assert "FAILURE" not in set().union(*ticks.values()), log.read_text()[-5000:]
            return ticks if all(seen - {"STARTED"} for seen in ticks.values()) else None

        ticks = wait_for("every running sensor's look", looked, 300)
    assert {"alert_sensor", "gap_sensor", "late_waves"} & set(ticks), ticks
    code, said = production.run("FUND_RO", *OURS, "dashboard", "--json")
    jobs = {job["job"]: job for job in json.loads(said)["jobs"]}
    assert jobs["daily_pipeline"]["succeeded"] == 1, said
