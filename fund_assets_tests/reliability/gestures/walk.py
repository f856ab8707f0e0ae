"""What the gestures share: the market, commands, Dagster's server and daemon, and a browser.

Belongs here: doing things and waiting for what becomes of them. Does not belong here: what is
expected (the modules of the parts).
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fund_assets_tests.browser.chromium import Browser
from scripts.screenshots import chromium, free_port

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
MODULE = "fund_assets.definitions"
SELECTOR = {"repositoryLocationName": MODULE, "repositoryName": "__repository__"}
PATIENCE_S = 900
#: The market's first evening, and when people look at it; then the evening whose waves land one
#: after the other, and when Dagster's server, daemon and all that they start stand: before 23:30,
#: when the session is due and the gap sensor would ask for it before it can be stopped.
FIRST, NOW = "2026-09-15T23:40", "2026-09-15T23:50"
WAVES = ("2026-09-16T19:00", "2026-09-16T20:30", "2026-09-16T22:00")
LAST = "2026-09-16T22:30"

#: What people expect, by the numbers that gestures name.
EXPECTED = {
    1: "automation does not stop",
    2: "data versions represent content",
    3: "runs are visible where people look",
    4: "Dagster's usual actions work",
    5: "records do not grow without limit",
    6: "checks, freshness and links mean something",
    7: "a typo is refused before a run starts",
    8: "the status uses the newest run of every job",
    9: "reading creates nothing, the start is easy",
    10: "examples have useful results",
    11: "the first weekly report is complete",
    12: "a phone screen hides nothing",
}

RUNS = """
query($filter: RunsFilter) { runsOrError(filter: $filter, limit: 100) { ... on Runs { results {
  runId jobName status creationTime startTime endTime parentRunId rootRunId
  tags { key value } repositoryOrigin { repositoryName repositoryLocationName }
  assetMaterializations { assetKey { path } } } } } }
"""
ASSETS = """
query { assetNodes { assetKey { path } staleStatus
  assetMaterializations(limit: 1) { runId tags { key value } } } }
"""
SENSORS = """
query($selector: RepositorySelector!) { sensorsOrError(repositorySelector: $selector) {
  ... on Sensors { results { name sensorState { id status
    ticks(limit: 10) { timestamp endTimestamp status } } } } } }
"""
SCHEDULES = """
query($selector: RepositorySelector!) { schedulesOrError(repositorySelector: $selector) {
  ... on Schedules { results { name scheduleState { id } } } } }
"""
STOP_SENSOR = """
mutation($id: String!) { stopSensor(id: $id) { __typename
  ... on StopSensorMutationResult { instigationState { status } } } }
"""
START_SENSOR = """
mutation($selector: SensorSelector!) { startSensor(sensorSelector: $selector) { __typename
  ... on Sensor { sensorState { status } } } }
"""
STOP_SCHEDULE = """
mutation($id: String!) { stopRunningSchedule(id: $id) { __typename
  ... on ScheduleStateResult { scheduleState { status } } } }
"""


@dataclass(frozen=True)
class Gesture:
    """One thing that people do.

    Attributes:
        point: the expectation that it walks, of EXPECTED.
        does: tries it and tells what it saw; an error is what was wrong.
    """

    part: str
    point: int
    what: str
    does: "Callable[[Walk], str]"


class Part(list[Gesture]):
    """The gestures of a part, in their order."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def walks(
        self, point: int, what: str
    ) -> "Callable[[Callable[[Walk], str]], Callable[[Walk], str]]":
        """Put a function into the part."""

        def put(does: "Callable[[Walk], str]") -> "Callable[[Walk], str]":
            self.append(Gesture(self.name, point, what, does))
            return does

        return put


class Walk:
    """The market, what runs on it, and the commands and questions of a person."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.browser: Browser
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("FUND_", "DAGSTER_"))},
            "FUND_STATE": str(folder / "state"), "DAGSTER_HOME": str(ROOT),
            "FUND_SIM_FUNDS": "40", "FUND_SIM_YEARS": "1", "FUND_LANG": "en",
            "DAGSTER_GRPC_TIMEOUT_SECONDS": "600",  # a busy machine starts a run late
            "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore",
        }  # fmt: skip

    @property
    def state(self) -> Path:
        """The market's folder."""
        return self.folder / "state" / "simulated"

    @property
    def report(self) -> Path:
        """The newest weekly report."""
        return max((self.state / "reports").glob("weekly-*.html"))

    def command(
        self, program: str, *arguments: str, clock: str = NOW, code: int | None = 0, cwd: Path = ROOT,
        stdin: str = "", **more: str,
    ) -> str:  # fmt: skip
        """What a command of the environment says; its exit code must be `code`, if one is."""
        found = program if "/" in program else str(BIN / program)
        done = subprocess.run(
            [found, *arguments],
            cwd=cwd, env={**self.environment, "FUND_CLOCK": clock, **more},
            input=stdin, capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        )  # fmt: skip
        said = f"{done.stdout}{done.stderr}"
        assert code in (None, done.returncode), f"exit code {done.returncode}: {said[-1200:]}"
        assert "Traceback" not in said or program == "dagster", said[-1200:]
        return said

    def fund_assets(self, line: str, **options: Any) -> str:
        """What `fund-assets` says to a line."""
        return self.command("fund-assets", *line.split(), **options)

    def dashboard(self, code: int | None = 0, clock: str = NOW) -> dict[str, Any]:
        """What `fund-assets dashboard --json` tells."""
        told = self.fund_assets("dashboard --json", code=code, clock=clock)
        return dict(json.loads(told))

    def records(self, database: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What one of Dagster's databases holds, or the rows that a change leaves."""
        (file,) = (self.state / "dagster").rglob(database)
        with sqlite3.connect(file, timeout=60) as connection:
            return connection.execute(query, values).fetchall()

    def ask(self, query: str, **variables: Any) -> Any:
        """The answer of GraphQL."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            told = json.loads(answer.read())
        assert not told.get("errors"), told["errors"]
        (found,) = told["data"].values()
        return found

    def runs(self, **wanted: Any) -> list[dict[str, Any]]:
        """Runs, newest first; tags as a dictionary."""
        found = list(self.ask(RUNS, filter=wanted)["results"])
        return [{**r, "tags": {t["key"]: t["value"] for t in r["tags"]}} for r in found]

    def run(self, run_id: str) -> dict[str, Any]:
        """One run."""
        return self.runs(runIds=[run_id])[0]

    def wait(self, what: str, found: Callable[[], Any]) -> Any:
        """What `found` returns once it is true."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            with suppress(OSError):
                if answer := found():
                    return answer
            time.sleep(1)
        raise AssertionError(f"gave up waiting for {what}")

    def ended(self, run_id: str, how: str = "SUCCESS") -> dict[str, Any]:
        """A run once it has ended; so it must end."""
        run = self.wait(
            f"run {run_id[:8]}",
            lambda: (
                (r := self.run(run_id))["status"] in ("SUCCESS", "FAILURE", "CANCELED") and r
            ),
        )
        assert run["status"] == how, f"run {run_id[:8]} of {run['jobName']} is {run['status']}"
        return dict(run)

    def assets(self) -> dict[str, dict[str, Any]]:
        """Asset → its stale status and newest materialization."""
        return {node["assetKey"]["path"][0]: node for node in self.ask(ASSETS)}

    def newest(self, asset: str) -> tuple[str, str]:
        """Run and data version of an asset's newest materialization."""
        (event,) = self.assets()[asset]["assetMaterializations"]
        tags = {tag["key"]: tag["value"] for tag in event["tags"]}
        return event["runId"], tags["dagster/data_version"]

    def sensor(self, name: str) -> dict[str, Any]:
        """The state of a sensor, with its newest ticks."""
        sensors = self.ask(SENSORS, selector=SELECTOR)["results"]
        (state,) = (one["sensorState"] for one in sensors if one["name"] == name)
        return dict(state)

    def stop_sensor(self, name: str) -> None:
        """As its switch in the UI does."""
        done = self.ask(STOP_SENSOR, id=self.sensor(name)["id"])
        assert done["instigationState"]["status"] == "STOPPED", done

    def start_sensor(self, name: str) -> None:
        """As its switch in the UI does."""
        done = self.ask(START_SENSOR, selector={**SELECTOR, "sensorName": name})
        assert done["sensorState"]["status"] == "RUNNING", done

    def stop_all(self) -> None:
        """Stop schedules and sensors: what the daemon does by itself is walked on purpose."""
        for schedule in self.ask(SCHEDULES, selector=SELECTOR)["results"]:
            done = self.ask(STOP_SCHEDULE, id=schedule["scheduleState"]["id"])
            assert done["scheduleState"]["status"] == "STOPPED", done
        for sensor in self.ask(SENSORS, selector=SELECTOR)["results"]:
            self.stop_sensor(sensor["name"])

    def looks(self, name: str, more: int) -> None:
        """Until a sensor has begun and ended so many looks from now on."""
        since = time.time()
        self.wait(
            f"{more} looks of {name}",
            lambda: (
                sum(
                    tick["timestamp"] > since and bool(tick["endTimestamp"])
                    for tick in self.sensor(name)["ticks"]
                )
                >= more
            ),
        )

    @contextmanager
    def dagster(self) -> Iterator[None]:
        """Dagster's web server and daemon, as `make dev` starts them, and a browser."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        server = [
            sys.executable,
            "-m",
            "fund_assets.instance.webserver",
            "dev",
            "-h",
            "127.0.0.1",
        ]
        with ExitStack() as stack:
            stack.enter_context(self.running(*server, "-p", str(port)))
            self.wait("the UI", lambda: urllib.request.urlopen(f"{self.url}/server_info"))
            self.wait("the code location", self.assets)
            self.stop_all()
            page = stack.enter_context(chromium(self.folder / "chromium"))
            page("Page.enable")
            self.browser = Browser(page, self.url, patience_s=PATIENCE_S / 3)
            yield

    @contextmanager
    def running(self, *command: str) -> Iterator[None]:
        """A program and its children at LAST, ended as Ctrl-C ends them."""
        process = subprocess.Popen(
            command, cwd=ROOT, env={**self.environment, "FUND_CLOCK": LAST},
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        try:
            yield
        finally:
            for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(20)
                    break
