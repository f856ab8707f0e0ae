"""The commands of the pages, typed one after the other on a fresh Debian, and what came of them.

    python -m fund_assets_tests.reliability.deployment [--cache FOLDER] [--again] [--only PART ...]

Root on Linux with debootstrap. Prints a line for each command and each trial, then `n of n`;
exit code 1 when one did not do what its page says. The market is a small simulated one; the
commit is that of this folder. Takes about a quarter of an hour, the first time some minutes
more. Belongs here: the order, what a person fills in, and what must be true then. Does not
belong here: the machines (`machine.py`) and the pages' commands (`page_commands.py`).
"""

import argparse
import json
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from fund_assets.settings import SHANGHAI
from fund_assets_tests.reliability.deployment_found import PAGE, Found, Part, load, save
from fund_assets_tests.reliability.machine import (
    Answer,
    Machine,
    absence,
    base,
    connect,
    machine,
)
from fund_assets_tests.reliability.page_commands import Command, commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("deployment", "warehouse", "health", "alerts", "runbook")
#: What is not typed here, and why.
NOT_HERE = {
    r"^docker ": "no containers in this machine",
    r"make (test-|dev|deployment)": "of a developer's desk",
    r"pip install": "of a developer's desk; the server's packages are pinned",
    r"FUND_WAREHOUSE_URL=": "shows a setting",
    r"dagster definitions validate": "of a developer's desk",
    r"chronyc": "only where chrony keeps the time",
    r"fund-assets serve": "the unit fund-health does",
    r"--channel mail": "no mail server in this machine; tests mail to one of their own",
}
#: What needs packages from outside.
FETCHES = re.compile(r"apt-get |git (clone|pull)|PYTHON=\S+ make env")
#: Exit codes other than 0 that a page speaks of.
MAY_END = {
    r"fund-assets alert list": {0, 1},
    r"fund-assets doctor": {0, 1},
    r"logs \w+ -f": {124, 137},
    r"report weekly --mail": {0, 1, 2},
    r"calendar refresh": {0, 1, 2},  # a network of its own asks nobody
}
#: What a command of this program must say beside its exit code, in English.
SAYS = {
    r"alert test(?! --channel)": r"webhook: accepted",
    r"alert list": r"platform: ",
    r"alert silence": r"is silenced until 20",
    r"alert unsilence": r"is no longer silenced",
    r"alert resend": r"messages? (wait|are queued)",
    r"watch --once": r"\d+ active alerts, .* 0 failed",
    r"quarantine show BATCH": r"blocked\n(.*\n)*if it is correct: fund-assets quarantine accept",
    r"quarantine accept BATCH": r"merged as batch",
    r"fund-assets (run|collect|validate|metrics)\b": r"✓ run .* succeeded",
    r"fund-assets nav ": r"20\d\d-\d\d-\d\d +\d",
    r"fund-assets prove": r"together prove every step",
    r"fund-assets dashboard": r"warehouse mysql://fund_rw@",
}
SERVICES = ("fund-code", "fund-daemon", "fund-webserver", "fund-viewer", "fund-health")
PASSWORDS = {"fund_ddl": "Ddl@2026", "fund_rw": "Rw/2026", "fund_ro": "Ro:2026",
             "dagster": "Dagster2026"}  # fmt: skip
TOKEN = "a-token-of-the-health-server"
#: The release before is that before the newest of these.
MIGRATIONS = "fund_assets/warehouse/migrations/versions"

CATCHER = """
import http.server, json
class Catcher(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        open("/root/messages.jsonl", "ab").write(body.replace(b"\\n", b" ") + b"\\n")
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
http.server.HTTPServer(("127.0.0.1", 9900), Catcher).serve_forever()
"""
CATCHER_UNIT = """
[Service]
ExecStart=/usr/bin/python3 /root/catcher.py
[Install]
WantedBy=multi-user.target
"""
ASK = """
import base64, ssl, sys, urllib.request, urllib.error
for path, who in [(p, w) for p in ("/runs", "/viewer/runs", "/status/livez", "/status/health")
                  for w in ("", "alice", "bob")]:
    request = urllib.request.Request("https://localhost" + path)
    if who:
        word = base64.b64encode(f"{who}:{who}-pass".encode()).decode()
        request.add_header("Authorization", f"Basic {word}")
    try:
        code = urllib.request.urlopen(request, context=ssl._create_unverified_context()).status
    except urllib.error.HTTPError as error:
        code = error.code
    print(path, who, code)
"""
CATCH = (
    f"cat > /root/catcher.py <<'END'\n{CATCHER}\nEND\n"
    f"cat > /etc/systemd/system/catcher.service <<'END'\n{CATCHER_UNIT}\nEND\n"
    "systemctl daemon-reload; systemctl enable --now catcher"
)
HELD_BATCH = (
    "SELECT batch_id FROM fund_assets.collection_batch WHERE state = 'held' "
    "ORDER BY collected_at DESC LIMIT 1"
)
#: A release's files, where they belong.
DEPLOYED = (
    "install -m 644 deploy/dagster.yaml deploy/workspace.yaml /etc/fund-assets/ && "
    "install -m 755 deploy/fund-assets /usr/local/bin/fund-assets && "
    "cp deploy/systemd/* /etc/systemd/system/ && systemctl daemon-reload"
)
REVISION = "SELECT version_num FROM fund_assets.alembic_version"
RUN = "SELECT status FROM dagster.runs WHERE run_id = '%s'"
ROOTED = (
    "SELECT r.status FROM dagster.runs r LEFT JOIN dagster.run_tags t ON t.run_id = r.run_id "
    "AND t.`key` = 'dagster/root_run_id' WHERE r.run_id = '{0}' OR t.value = '{0}' ORDER BY r.id"
)
CHECKSUM = (
    "SELECT COUNT(*), COALESCE(SUM(CRC32(CONCAT_WS('|', fund_code, nav_date, unit_nav, "
    "total_return_index))), 0) FROM fund_assets.validated_nav"
)
LAUNCH = """
import json, urllib.request
query = '''mutation { launchRun(executionParams: {selector: {
    repositoryLocationName: "fund_assets.definitions", repositoryName: "__repository__",
    jobName: "%s"}, runConfigData: {}}) { __typename ... on PythonError { message }
    ... on LaunchRunSuccess { run { runId } } } }'''
request = urllib.request.Request("http://127.0.0.1:3000/graphql",
    json.dumps({"query": query}).encode(), {"Content-Type": "application/json"})
print(urllib.request.urlopen(request, timeout=60).read().decode())
"""


class Deployment:
    """The walk: what was typed, what is left, and what did not come out as it should."""

    def __init__(self, one: Machine, folder: Path) -> None:
        self.machine, self.folder = one, folder
        self.others: list[Machine] = []
        self.found = so_far({})
        self.names: dict[str, str] = {}
        self.part = Part("")

    def do(self, name: str, part: Callable[[], None]) -> None:
        """Go one part, and keep notes of it; one that breaks off is wrong, and the next goes on."""
        self.part = Part(f"{datetime.now(SHANGHAI):%-d %B %Y}")
        self.found.parts[name] = self.part
        before = self.spent_s()
        print(f"--- {name}", flush=True)
        try:
            part()
        except Exception as error:  # whatever it is, the walk goes on
            self.trial(name, False, f"broke off: {type(error).__name__}: {str(error)[-1500:]}")
        self.part.spent_s = self.spent_s() - before

    # --- typing -------------------------------------------------------------------------

    def block(self, page: str, beginning: str, at: Machine | None = None) -> None:
        """Type the block of a page that has a line with this beginning."""
        every = commands(ROOT / "docs" / f"{page}.md")
        number = next(c.block for c in every if c.block and c.text.startswith(beginning))
        for command in every:
            if command.block == number and not _matching(NOT_HERE, command.text):
                self.type(command, at)

    def lines(self, page: str, *beginnings: str) -> None:
        """Type these commands of a page, wherever they stand."""
        for beginning in beginnings:
            found = [c for c in commands(ROOT / "docs" / f"{page}.md")
                     if c.text.startswith(beginning)]  # fmt: skip
            if not found:
                self.part.wrong.append(f"{page}: no command begins with {beginning!r} any more")
            for command in found:
                if not _matching(NOT_HERE, command.text) and not self.has_typed(command.text):
                    self.type(command)

    def has_typed(self, text: str) -> bool:
        """Whether another page has said the same, comments aside, and it was typed then."""
        return bool(self.found.outcomes(text))

    def type(self, command: Command, at: Machine | None = None) -> Answer:
        """Type one command, with what a person fills in, and do by hand what its comment asks."""
        one = at or self.machine
        text = self.filled(command.text)
        answers = "{0}-pass\n{0}-pass\n".format(*re.findall(r"htpasswd .*?(alice|bob)", text))\
            if "htpasswd -" in text else ""  # fmt: skip
        follows = " -f" in text and "logs" in text
        if follows:
            text = f"timeout -k 5 6 {text}"
        carried = 'cd "$(cat /run/where 2>/dev/null || echo /root)"\n'
        started = time.monotonic()
        answer = one.ask(
            f"{carried}{{ {text}\n}}\ncode=$?; pwd > /run/where; exit $code",
            outside=bool(FETCHES.match(command.text)), answers=answers,
        )  # fmt: skip
        spent = time.monotonic() - started
        may = _matching(MAY_END, command.text) or {0}
        said = _matching(SAYS, command.text)
        well = answer.code in may and (not said or bool(re.search(str(said), answer.said)))
        well &= not follows or spent < 60  # what is ended ends
        self.part.typed[command] = well and self.part.typed.get(command, True)
        with (self.folder.parent / "said.log").open("a", encoding="utf-8") as file:
            file.write(f"=== {one.name}: {text}\n{answer.said}=== {answer.code}\n")
        mark = "ok " if well else "NOT"
        print(
            f"{mark} {spent:6.1f} s  {command.page}: {text.splitlines()[0][:110]}", flush=True
        )
        if not well:
            self.part.wrong.append(
                f"{command.page}: {text}: {answer.code}: {answer.said[-1500:]}"
            )
            print(answer.said[-1500:], flush=True)
        by_hand = self.by_hand(command, one)
        if by_hand:
            done = one.ask(by_hand)
            assert done.code == 0, done.said
        return answer

    def filled(self, text: str) -> str:
        """The command with what its page leaves to the reader."""
        for sign, value in {
            "<this repository>": "/srv/fund-assets.git", "<the older release>": "old",
            "/akshare/": "/simulated/", "sensible-editor ": "ls ", "open|closed": "closed",
            "because ...": "because 'as the company says'",
            "note ...": "note 'as announced'",  **self.names,
        }.items():  # fmt: skip
            text = text.replace(sign, value)
        return text

    def by_hand(self, command: Command, one: Machine) -> str:
        """What a person does in an editor after that command, as a script."""
        text = command.text
        if text.startswith(("install -m 600 deploy/sql/users.sql", "sed -n 's/^CREATE USER")):
            file = re.findall(r"/root/\w+\.sql", text)[0]
            if "passwords" in file:
                for who, word in PASSWORDS.items():
                    PASSWORDS[who] = f"{word}b"
            return "\n".join(
                f"""sed -i "/'{who}'@'%' IDENTIFIED/s|CHANGE_ME|{word}|" {file}"""
                for who, word in PASSWORDS.items()
            )
        where = "127.0.0.1" if one is self.machine else "10.9.0.1"
        if text.startswith(("install -m 600 deploy/env.example", "sensible-editor")) or (
            one is not self.machine and "watch.env" in text
        ):
            url = {who: f"mysql://{who}:{_encoded(word)}@{where}:3306/fund_assets"
                   for who, word in PASSWORDS.items()}  # fmt: skip
            alerts = "FUND_ALERT_WEBHOOK_URL=http://127.0.0.1:9900/"
            # A hand of its own for what other pages of the example say.
            return f"""set -e
cd /etc/fund-assets
cp /opt/fund-assets/deploy/env.example env
sed -i 's|^FUND_SOURCE=.*|FUND_SOURCE=simulated|; s|127.0.0.1|{where}|
    s|^FUND_WAREHOUSE_URL=.*|FUND_WAREHOUSE_URL={url["fund_rw"]}|
    s|^DAGSTER_MYSQL_PASSWORD=.*|DAGSTER_MYSQL_PASSWORD={PASSWORDS["dagster"]}|' env
printf '%s\\n' FUND_SIM_FUNDS=40 FUND_SIM_YEARS=2 >> env
echo 'FUND_WAREHOUSE_URL={url["fund_ddl"]}' > migrate.env
printf '%s\\n' 'FUND_WAREHOUSE_URL={url["fund_ro"]}' FUND_HEALTH_TOKEN={TOKEN} \\
    FUND_DAGSTER_UI=https://fund.example.com/viewer > health.env
echo '{alerts}' > code.env; echo '{alerts}' > watch.env
chmod 600 *env"""
        if text.startswith("cp deploy/nginx/upstreams.conf"):
            file = "/etc/nginx/conf.d/00-upstreams.conf"
            return f'sed -i \'s|default ""|default "Bearer {TOKEN}"|\' {file}; chmod 600 {file}'
        return ""

    # --- judging ------------------------------------------------------------------------

    def trial(self, name: str, well: bool, seen: str) -> None:
        """Note what came of one."""
        self.part.trials.append((name, well, seen))
        print(f"{'ok ' if well else 'NOT'}           {name}: {seen}", flush=True)
        if not well:
            self.part.wrong.append(f"{name}: {seen}")

    def wait(self, what: Callable[[], bool], limit_s: float = 300) -> float:
        """Seconds until that was true; the limit when it was not."""
        begun = time.monotonic()
        while time.monotonic() - begun < limit_s:
            if what():
                return time.monotonic() - begun
            time.sleep(1)
        return limit_s

    def are_active(self) -> bool:
        """Whether all services and the timer run."""
        names = " ".join((*SERVICES, "fund-migrate", "fund-watch.timer", "mariadb"))
        said = self.machine.ask(f"systemctl is-active {names}").said.split()
        return set(said) == {"active"}

    def failed(self) -> str:
        """Units that failed."""
        said = self.machine.ask("systemctl --failed --plain --no-legend --no-pager").said
        return " ".join(line.split()[0] for line in said.splitlines() if line.strip())

    def sql(self, question: str) -> str:
        """The answer of the database, without heads."""
        return self.machine.ask(f"mariadb -NBe {shlex.quote(question)}").said.strip()

    def messages(self) -> list[str]:
        """Titles of the messages that the webhook was given."""
        said = self.machine.ask("cat /root/messages.jsonl 2>/dev/null").said
        return [json.loads(line)["title"] for line in said.splitlines() if line.startswith("{")]

    def answers(self) -> bool:
        """Whether the UI and the code location behind it answer."""
        ask = ("import json,urllib.request as u;q={'query':'{repositoriesOrError{__typename ... on "
               "RepositoryConnection{nodes{name}}}}'};r=u.Request('http://127.0.0.1:3000/graphql',"
               "json.dumps(q).encode(),{'Content-Type':'application/json'});"
               "exit('__repository__' not in u.urlopen(r,timeout=9).read().decode())")  # fmt: skip
        return self.machine.ask(f'python3 -c "{ask}"').code == 0

    def spent_s(self) -> float:
        """Seconds of the processor that its machines have needed until now."""
        return self.machine.spent_s() + sum(other.spent_s() for other in self.others)

    def go_on(self) -> None:
        """Bring a machine that was kept to this commit, and wait until all of it runs."""
        one = self.machine
        done = one.ask(
            # Whoever looks while the tables are gone makes some of Dagster's.
            f"systemctl stop fund-watch.timer fund-watch {' '.join(SERVICES)} fund-migrate; "
            "cd /opt/fund-assets && "
            "git fetch -q --tags --force && git reset -q --hard '@{upstream}' && "
            f"{DEPLOYED} && "
            f"systemctl start {' '.join(SERVICES)} fund-watch.timer"
        )
        assert done.code == 0, done.said
        self.wait(lambda: self.are_active() and self.answers())

    # --- the parts ----------------------------------------------------------------------

    def install(self) -> None:
        """The page of deployment from an empty machine to logins that work."""
        self.block("deployment", "apt-get install -y git make python3-venv openssl")
        one = self.machine
        one.ask(CATCH)
        spent = self.wait(lambda: self.are_active() and self.answers())
        self.trial("all services run", spent < 300 and not self.failed(), f"{spent:.0f} s")
        self.block("deployment", "cp deploy/docker/.env.example")
        self.block("deployment", "rm -f /etc/nginx/sites-enabled/default")
        self.lines("health", "fund-assets run")
        expected = {
            "/runs ": 401, "/runs alice": 200, "/runs bob": 401,
            "/viewer/runs ": 401, "/viewer/runs alice": 200, "/viewer/runs bob": 200,
            "/status/livez ": 401, "/status/livez alice": 200, "/status/livez bob": 200,
            "/status/health ": 401, "/status/health alice": 200, "/status/health bob": 200,
        }  # fmt: skip
        seen: dict[str, int] = {}

        def let_in() -> bool:
            said = one.ask(f"python3 - <<'END'\n{ASK}\nEND").said
            seen.update(
                (who, int(code)) for who, code in re.findall(r"^(.* \w*) (\d+)$", said, re.M)
            )
            return seen == expected

        self.wait(let_in, 120)  # facts are at most 15 s old
        self.trial("logins through nginx", seen == expected, str(seen))

    def everyday(self) -> None:
        """What the pages of alerts, health, warehouse and runbook say to type."""
        one = self.machine
        self.block("alerts", "fund-assets alert test")
        self.wait(lambda: bool(self.messages()), 30)
        self.trial("a message arrives", bool(self.messages()), f"{len(self.messages())}")
        self.names["CODE"] = self.sql("SELECT MIN(fund_code) FROM fund_assets.validated_nav")
        key = self.sql("SELECT MIN(nav_date) FROM fund_assets.validated_nav WHERE nav_date > "
                       "(SELECT MAX(nav_date) - 8 FROM fund_assets.validated_nav)")  # fmt: skip
        self.names["2026-11-03"] = f"{key[:4]}-{key[4:6]}-{key[6:]}"
        shown = one.ask("fund-assets calendar show").said
        known = date.fromisoformat(
            (re.findall(r"日历已知至 (\S+)", shown) or ["2026-12-31"])[0]
        )
        self.names["DATE"] = str(known + timedelta(1))
        notices = "/opt/fund-assets/fund_assets_tests/notices"
        self.names["FILE"] = f"{notices}/council-{known.year}.txt"
        # Half a market is a batch that is held, and an alert to be silenced; two of its rows
        # are laid beside it for the desk.
        one.ask("sed -i s/^FUND_SIM_FUNDS=.*/FUND_SIM_FUNDS=20/ /etc/fund-assets/env")
        one.ask("fund-assets run; FUND_AS=watch fund-assets watch --once")
        one.ask("sed -i s/^FUND_SIM_FUNDS=.*/FUND_SIM_FUNDS=40/ /etc/fund-assets/env")
        self.names["BATCH"] = self.sql(HELD_BATCH)
        self.names["FINGERPRINT"] = self.sql(
            "SELECT fingerprint FROM fund_assets.alert_state WHERE resolved_at IS NULL LIMIT 1"
        )
        self.trial("half a market is held and told", bool(self.names["FINGERPRINT"]),
                   f"{self.names['BATCH']}, {self.names['FINGERPRINT']}")  # fmt: skip
        self.lines("runbook", "fund-assets alert", "fund-assets doctor",
                   "fund-assets quarantine show BATCH",
                   "fund-assets quarantine accept BATCH")  # fmt: skip
        self.lines("runbook", "fund-assets run", "fund-assets nav", "fund-assets prove",
                   "fund-assets collect", "fund-assets validate", "fund-assets metrics",
                   "fund-assets dashboard", "fund-assets weekly", "fund-assets report",
                   "fund-assets calendar", "systemctl", "journalctl", "ps ", "df ", "du ",
                   "timedatectl")  # fmt: skip
        self.desk()
        self.lines("warehouse", "fund-assets doctor", "FUND_AS=migrate fund-assets init")
        self.lines("health", "fund-assets")
        self.lines("deployment", "fund-assets", "journalctl", "systemctl restart fund-code")
        self.block("warehouse", "FUND_AS=migrate fund-assets migrate")

    def desk(self) -> None:
        """The quarantine desk, with two rows that somebody has to decide about."""
        for at in (1, 2):
            self.sql(
                "INSERT INTO fund_assets.nav_quarantine (id, batch_id, fund_code, nav_date, rule, "
                "reason, unit_nav, acc_nav, growth_pct, yield_per_10k, yield_7d_pct, state, "
                "created_at, decided_because, decided_by, decided_at, decided_in) SELECT "
                f"CONCAT('{at}', LEFT(MD5(RAND()), 31)), batch_id, fund_code, nav_date, "
                "'R09_growth', 'a trial', unit_nav, acc_nav, growth_pct, yield_per_10k, "
                "yield_7d_pct, 'held', 20261129000000, '', '', NULL, '' "
                "FROM fund_assets.validated_nav WHERE unit_nav IS NOT NULL "
                f"ORDER BY nav_date DESC LIMIT 1 OFFSET {at}"
            )
        self.lines("runbook", "fund-assets quarantine list")
        ids = self.sql("SELECT id FROM fund_assets.nav_quarantine WHERE state = 'held'").split()
        self.names["ID"] = (ids or ["none"])[0]
        self.lines("runbook", "fund-assets quarantine show ID", "fund-assets quarantine reject")
        self.names["ID"] = ids[1] if len(ids) > 1 else "none"
        self.lines("runbook", "fund-assets quarantine accept ID")

    def copied(self) -> None:
        """The page of the warehouse: from SQLite to the server."""
        made = self.machine.ask(
            "cd /opt/fund-assets && install -d -o fund -g fund /var/lib/fund-assets && "
            "runuser -u fund -- env FUND_SOURCE=simulated FUND_STATE=/var/lib/fund-assets "
            "FUND_SIM_FUNDS=40 FUND_SIM_YEARS=2 HOME=/var/lib/fund-assets "
            "NUMBA_CACHE_DIR=/var/lib/fund-assets/numba .venv/bin/fund-assets run"
        )
        self.trial(
            "an evening on SQLite", made.code == 0, made.said[-300:] if made.code else ""
        )
        self.block("warehouse", "FUND_AS=migrate fund-assets copy-warehouse")
        counted = self.machine.ask(
            'python3 -c "import sqlite3; print(sqlite3.connect('
            "'/var/lib/fund-assets/simulated/warehouse.db')"
            ".execute('SELECT COUNT(*) FROM validated_nav').fetchone()[0])\""
        ).said.strip()
        there = self.sql("SELECT COUNT(*) FROM fund_assets.validated_nav")
        self.running("a warehouse copied to the server", counted == there != "0",
                     f"{there} of {counted} NAVs")  # fmt: skip

    def lost_day(self) -> None:
        """Backup and restore: a day is deleted, and is there again."""
        before = self.sql(CHECKSUM)
        self.block("deployment", "install -d -m 700 /var/backups")
        day = self.sql(
            "SELECT nav_date FROM fund_assets.validated_nav GROUP BY nav_date "
            "ORDER BY COUNT(*) DESC, nav_date DESC LIMIT 1"
        )
        self.sql(f"DELETE FROM fund_assets.validated_nav WHERE nav_date = {day}")
        lost = self.sql(CHECKSUM)
        self.block("deployment", "gunzip < /var/backups")
        self.running("restore of a lost day", before != lost and before == self.sql(CHECKSUM),
                     f"{before} without it {lost}")  # fmt: skip

    def running(self, name: str, well: bool, seen: str) -> None:
        """A trial after which all services run, and nothing has failed."""
        # A look that failed while the database was away is followed by one that does not.
        spent = self.wait(lambda: self.are_active() and self.answers() and not self.failed())
        failed = self.failed()
        self.trial(name, well and spent < 300 and not failed,
                   f"{seen}; all run after {spent:.0f} s {failed}")  # fmt: skip

    def new_passwords(self) -> None:
        """The page of new passwords; the old ones open nothing any more."""
        old = dict(PASSWORDS)
        self.block("deployment", "install -m 600 /dev/null /root/passwords.sql")
        opened = [
            who
            for who, word in old.items()
            if not self.machine.ask(
                f"mariadb -h 127.0.0.1 -u {who} -p'{word}' -e 'SELECT 1'"
            ).code
        ]
        self.running("new passwords", not opened, f"opened by old ones: {opened or 'none'}")

    def late_database(self) -> None:
        """A boot at which the database is there 30 s later than everything else.

        Its socket is off too: that answers before the database does, and starts it.
        """
        one = self.machine
        timer = (
            "[Timer]\nOnBootSec=30\nUnit=mariadb.service\n[Install]\nWantedBy=timers.target\n"
        )
        put_off = one.ask(
            "systemctl disable --now mariadb.socket; systemctl mask mariadb.socket && "
            "systemctl disable mariadb && "
            f"printf '{timer}' > /etc/systemd/system/late.timer && systemctl enable late.timer"
        )
        assert put_off.code == 0, put_off.said
        one.shut_down()
        one.boot()
        time.sleep(15)
        early = one.ask("systemctl is-active mariadb mariadb.socket").said.split()
        self.running("boot with a database that is 30 s late", "active" not in early,
                     f"after 15 s {early[0]}")  # fmt: skip
        back = one.ask(
            "systemctl disable late.timer && rm /etc/systemd/system/late.timer && "
            "systemctl unmask mariadb.socket && systemctl enable mariadb"
        )
        assert back.code == 0, back.said

    def boot(self) -> None:
        """An ordinary boot, and one after a power failure."""
        self.machine.shut_down()
        self.machine.boot()
        self.running("boot", True, "in order")
        self.machine.cut()
        self.machine.boot()
        self.running("boot after a power failure", True, "cut")

    def launched(self) -> str:
        """The id of an evening's run that was launched by the UI and is at work."""
        said = self.machine.ask(f"python3 - <<'END'\n{LAUNCH % 'daily_pipeline'}\nEND").said
        found = re.findall(r'"runId": ?"([^"]+)"', said)
        assert found, said
        begun = self.wait(lambda: self.sql(RUN % found[0]) == "STARTED", 180)
        assert begun < 180, self.sql(RUN % found[0])
        return str(found[0])

    def stopped(self) -> None:
        """Services are stopped while a run is under way; its work is done all the same."""
        one, run = self.machine, self.launched()
        started = time.monotonic()
        one.ask("systemctl stop fund-watch.timer fund-watch fund-migrate")
        spent = time.monotonic() - started
        state = self.sql(RUN % run)
        one.ask(f"systemctl start {' '.join(SERVICES)} fund-watch.timer")
        ended = self.wait(lambda: "SUCCESS" in self.sql(ROOTED.format(run)), 420)
        seen = self.sql(ROOTED.format(run)).replace("\n", ", ")
        self.running("services stopped while a run was under way", ended < 420,
                     f"stopped in {spent:.0f} s, the run was {state}; then {seen}")  # fmt: skip

    def killed(self) -> None:
        """A run dies with its code server: it is failed within two minutes, and run again."""
        run = self.launched()
        self.machine.ask("systemctl kill --signal=KILL fund-code")
        failed = self.wait(lambda: self.sql(RUN % run) == "FAILURE", 300)
        ended = self.wait(lambda: "SUCCESS" in self.sql(ROOTED.format(run)), 420)
        seen = self.sql(ROOTED.format(run)).replace("\n", ", ")
        self.running("a run killed with its code server", failed < 120 and ended < 420,
                     f"failed after {failed:.0f} s; then {seen}")  # fmt: skip

    def frozen(self) -> None:
        """A database that takes connections and answers nothing: the look from outside tells."""
        one = self.machine
        one.ask("> /root/messages.jsonl; pkill -STOP mariadbd")
        told = self.wait(lambda: "数据库" in " ".join(self.messages()), 400)
        result = one.ask("systemctl show --value --property Result fund-watch").said.strip()
        one.ask("pkill -CONT mariadbd")
        self.running("a database that answers nothing", told < 400 and result != "timeout",
                     f"told after {told:.0f} s, the look's end was {result}")  # fmt: skip

    def upgraded(self) -> None:
        """From the release before the newest migration, with its data, to this one and back."""
        one = self.machine
        branch = one.ask("git -C /opt/fund-assets branch --show-current").said.strip()
        made = one.ask(
            # Whoever looks while the tables are gone makes some of Dagster's.
            f"systemctl stop fund-watch.timer fund-watch {' '.join(SERVICES)} fund-migrate; "
            "cd /opt/fund-assets && "
            f"git checkout -q -B {branch} old && PYTHON=/usr/bin/python3 make env && "
            f"{DEPLOYED} && "
            "mariadb -e 'DROP DATABASE fund_assets; DROP DATABASE dagster; "
            "CREATE DATABASE fund_assets CHARACTER SET utf8mb4 COLLATE utf8mb4_bin; "
            "CREATE DATABASE dagster CHARACTER SET utf8mb4' && "
            f"systemctl start {' '.join(SERVICES)} fund-watch.timer && fund-assets run",
            outside=True,
        )
        self.running(
            "the release before", made.code == 0, made.said[-200:] if made.code else ""
        )
        before = self.sql(CHECKSUM), self.sql(REVISION)
        self.block("deployment", "install -d -m 700 /var/backups")
        self.block("deployment", "git pull --ff-only")
        after = self.sql(CHECKSUM), self.sql(REVISION)
        self.running("upgrade with its data", before[0] == after[0] and before[1] <= after[1],
                     f"revision {before[1]} to {after[1]}, {after[0]}")  # fmt: skip
        self.block("deployment", "git checkout <the older release>")
        back = self.sql(CHECKSUM), self.sql(REVISION)
        self.running("back to the release before", back == before, f"revision {back[1]}")
        self.lines("deployment", "git checkout main")
        self.block("deployment", "git pull --ff-only")
        self.running("and forward again", self.sql(REVISION) == after[1], after[1])

    def second(self, stack: ExitStack, cache: Path) -> None:
        """The page of a second machine; then the first one is cut off."""
        other = a_machine("second", cache, self.folder, stack)
        self.others.append(other)
        connect(self.machine, other, ("10.9.0.1/24", "10.9.0.2/24"))
        self.block("deployment", "printf '[mariadbd]")
        other.ask(CATCH)
        self.block("deployment", "FUND_AS=watch fund-assets watch --once", other)
        other.ask("systemctl restart catcher")  # before the page there was no Python
        spent = self.wait(lambda: not other.ask(
            "systemctl is-active fund-health fund-watch.timer").code, 120)  # fmt: skip
        said = other.ask("systemctl --failed --plain --no-legend --no-pager").said.strip()
        self.trial("a second machine looks", spent < 120 and not said, f"{spent:.0f} s {said}")
        self.machine.cut()
        told = self.wait(lambda: "数据库" in other.ask("cat /root/messages.jsonl").said, 300)
        self.trial("it tells of the first one's death", told < 300, f"after {told:.0f} s")
        self.machine.boot()
        self.running("the first one boots again", True, "")


def _matching(table: dict[str, object], text: str) -> object:
    return next((value for sign, value in table.items() if re.search(sign, text)), None)


def _encoded(password: str) -> str:
    from urllib.parse import quote

    return quote(password, safe="")


def so_far(parts: dict[str, Part]) -> Found:
    """These parts, in the order of a walk, against the commands that the pages ask for now."""
    asked: list[Command] = []
    skipped: dict[str, list[Command]] = {}
    for page in PAGES:
        for command in commands(ROOT / "docs" / f"{page}.md"):
            why = _matching(NOT_HERE, command.text)
            (skipped.setdefault(str(why), []) if why else asked).append(command)
    return Found({part: parts[part] for part in PARTS if part in parts}, asked, skipped)


def a_machine(name: str, cache: Path, folder: Path, stack: ExitStack, *above: Path) -> Machine:
    """A machine that is on, with this commit to be cloned at /srv/fund-assets.git."""
    shared = {"/srv/fund-assets.git": folder / "project.git"}
    for there, part in (("/var/cache/apt/archives", "apt"), ("/root/.cache/pip", "pip")):
        (cache / part / "partial").mkdir(parents=True, exist_ok=True)
        shared[there] = cache / part
    layers = (*above, base(cache))
    return stack.enter_context(machine(name, layers, folder / name, shared))


def project(folder: Path, release: str) -> None:
    """This commit to be cloned, with the older one of the upgrade as the tag `old`."""
    bare = folder / "project.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(ROOT), str(bare)], check=True)
    git = ["git", "-C", str(bare)]
    newest = [*git, "log", "-1", "--diff-filter=A", "--format=%H^", "--", MIGRATIONS]
    found = subprocess.run(newest, capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run([*git, "tag", "--force", "old", release or found], check=True)


PARTS = ("install", "everyday", "copied", "lost_day", "new_passwords", "stopped", "killed",
         "frozen", "boot", "late_database", "upgraded", "second")  # fmt: skip


def kept(cache: Path, release: str) -> Path:
    """A folder with a machine after its installation, and the notes of that: made if absent."""
    found = cache / "installed"
    if not found.exists():
        with ExitStack() as stack:
            walk = new_walk(cache, release, stack)
            walk.do("install", walk.install)
            made = walk.folder / "made"
            made.mkdir()
            walk.machine.keep(made / "layer")
            save(walk.found.parts, made / "notes.json")
            made.rename(found)
    return found


def new_walk(cache: Path, release: str, stack: ExitStack, *above: Path) -> Deployment:
    """A walk on a machine that was just started."""
    made = tempfile.TemporaryDirectory(prefix="deployment-", dir=cache)
    folder = Path(stack.enter_context(made))
    project(folder, release)
    return Deployment(a_machine("first", cache, folder, stack, *above), folder)


def walk(
    cache: Path, parts: Sequence[str] = PARTS[1:], release: str = "", *, again: bool = False
) -> None:
    """Do these parts on a new machine, one after the other; notes of them are kept in `cache`.

    Args:
        parts: those after the installation.
        again: do not install, but begin with the machine that the last installation so begun
            left below `cache`, at this commit; the first time, install and leave one.
    """
    notes = cache / "notes.json"
    with ExitStack() as stack:
        if again:
            origin = kept(cache, release)
            walk = new_walk(cache, release, stack, origin / "layer")
            walk.found.parts |= load(origin / "notes.json")
            walk.go_on()
        else:
            notes.unlink(missing_ok=True)
            walk = new_walk(cache, release, stack)
            walk.do("install", walk.install)
        save(walk.found.parts, notes)
        for part in parts:
            walk.do(part, partial(walk.second, stack, cache) if part == "second"
                    else getattr(walk, part))  # fmt: skip
            save(walk.found.parts, notes)


def main(arguments: list[str] | None = None) -> int:
    """Walk; 0 when every command and every trial did what it should."""
    parser = argparse.ArgumentParser(prog="python -m fund_assets_tests.reliability.deployment")
    parser.add_argument(
        "--cache", type=Path, help="keeps the base and packages for the next time"
    )
    parser.add_argument("--only", nargs="*", choices=PARTS[1:], default=PARTS[1:],
                        help="these parts after the installation, in this order")  # fmt: skip
    parser.add_argument("--again", action="store_true", help="begin with the machine that the "
                        "last walk with this word left in the cache after its installation")  # fmt: skip
    parser.add_argument("--release", default="", help="the older commit of the upgrade "
                        "[default: that before the newest migration]")  # fmt: skip
    parser.add_argument("--write", action="store_true",
                        help="what came of all parts into docs/reliability.md")  # fmt: skip
    options = parser.parse_args(arguments)
    if why := absence():
        print(f"not possible here: {why}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that machines end
    with tempfile.TemporaryDirectory(prefix="deployment-cache-") as own:
        cache = options.cache or Path(own)
        cache.mkdir(parents=True, exist_ok=True)
        if options.only:
            walk(cache, options.only, options.release, again=options.again)
        found = so_far(load(cache / "notes.json"))
    print(found.report())
    if options.write:
        if left := set(PARTS) - found.parts.keys():
            parser.error(f"not written, for these parts were not walked: {' '.join(left)}")
        PAGE.write_text(found.page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0 if found.is_whole() else 1


if __name__ == "__main__":
    sys.exit(main())
