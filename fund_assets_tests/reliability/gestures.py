"""A walk through what people do first, on the real webserver, daemon, commands and browser.

    python -m fund_assets_tests.reliability.gestures [--keep] [PART]...

Makes a small market in a temporary folder, starts `make dev`'s server and daemon on it, does
each gesture as the UI does it (GraphQL) or as a person does it (a command, headless Chromium),
and prints one line for each and `n of n`; exit code 1 when one did not do what it says. Takes
some minutes; with parts, those alone. Belongs here: what a user expects. Does not belong here: tests of the parts.
"""

import argparse
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
MODULE = "fund_assets.definitions"
SELECTOR = {"repositoryLocationName": MODULE, "repositoryName": "__repository__"}
PATIENCE_S = 900
CHAIN = (
    "fund_info", "fund_events", "fund_nav", "validated_nav", "benchmark_index", "fund_metrics",
)  # fmt: skip
#: The market's evenings: the first is in before anything else, and what people do is done after
#: it; the others are the rounds of automation, each with a daemon whose clock stands there.
FIRST, ROUNDS = "2026-09-15T23:40", ("2026-09-16T23:40", "2026-09-17T23:40", "2026-09-18T23:40")
NOW, LAST = "2026-09-15T23:50", "2026-09-18T23:50"
PARTS = ("commands", "dagster", "ui", "automation", "page")

RUN = """
mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }
"""
AGAIN = """
mutation($params: ReexecutionParams!) { launchPipelineReexecution(reexecutionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId parentRunId } }
  ... on PythonError { message } } }
"""
STOP = """
mutation($id: String!) { terminateRun(runId: $id) { __typename } }
"""
BACKFILL = """
mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
BACKFILL_STATE = """
query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
  status numPartitions runs { runId status startTime endTime } } } }
"""
RUNS = """
query($filter: RunsFilter) { runsOrError(filter: $filter, limit: 100) { ... on Runs { results {
  runId jobName status startTime endTime parentRunId rootRunId
  tags { key value } repositoryOrigin { repositoryName repositoryLocationName }
  assetSelection { path } } } } }
"""
ASSETS = """
query { assetNodes { assetKey { path } staleStatus
  assetMaterializations(limit: 5) { runId timestamp tags { key value } } } }
"""
GRIDS = """
query($selector: RepositorySelector!) { partitionSetsOrError(
  repositorySelector: $selector, pipelineName: "%s") { ... on PartitionSets { results {
  name partitionsOrError { ... on Partitions { results { name } } } } } } }
"""


class Walk:
    """The market, its servers, and what came of each gesture."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results: list[tuple[str, str]] = []
        self.url = ""
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("FUND_", "DAGSTER_"))},
            "FUND_STATE": str(folder / "state"), "DAGSTER_HOME": str(ROOT),
            "FUND_SIM_FUNDS": "60", "FUND_SIM_YEARS": "1", "FUND_CLOCK": NOW,
            "FUND_LANG": "en",
            "DAGSTER_GRPC_TIMEOUT_SECONDS": "600",  # a busy machine starts a run late
            "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore",
        }  # fmt: skip

    def gesture(self, what: str, does: Callable[[], str | None]) -> None:
        """Try one; it returns what it saw, or raises AssertionError with what was wrong."""
        started = time.monotonic()
        try:
            saw, mark = does() or "", "✓"
        except (AssertionError, KeyError, IndexError, TypeError, OSError) as error:
            saw, mark = f"{type(error).__name__}: {error}"[:1500], "✗"
        self.results.append((mark, what))
        print(f"{mark} {what}  {saw} ({time.monotonic() - started:.0f} s)", flush=True)

    def command(
        self, program: str, *arguments: str, clock: str = NOW, code: int = 0, **more: str
    ) -> str:
        """What a command of the environment says; its exit code must be `code`."""
        done = subprocess.run(
            [str(BIN / program), *arguments],
            cwd=ROOT, env={**self.environment, "FUND_CLOCK": clock, **more},
            capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        )  # fmt: skip
        said = f"{done.stdout}{done.stderr}"
        assert done.returncode == code, f"exit code {done.returncode}: {said[-1200:]}"
        return said

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
        """Runs, newest first."""
        return list(self.ask(RUNS, filter=wanted)["results"])

    def run(self, run_id: str) -> dict[str, Any]:
        """One run."""
        return self.runs(runIds=[run_id])[0]

    def launch(self, job: str, config: Any = None, assets: tuple[str, ...] = ()) -> Any:
        """What the UI's launch answers; without a job, a run of chosen assets."""
        selector = {**SELECTOR, "jobName": job}
        if assets:
            selector["assetSelection"] = [{"path": [asset]} for asset in assets]
        return self.ask(RUN, params={"selector": selector, "runConfigData": config or {}})

    def launched(self, *launching: Any, **options: Any) -> str:
        """The id of a run that the UI launched."""
        answer = self.launch(*launching, **options)
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

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

    def page(self, address: str, width: int = 1400) -> str:
        """The text that Chromium shows at an address of the UI, or of another server."""
        url = address if address.startswith("http") else f"{self.url}{address}"
        done = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
             f"--user-data-dir={self.folder / 'chromium'}", f"--window-size={width},1400",
             "--virtual-time-budget=40000", url],
            capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        return re.sub(r"\s+", " ", re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", done.stdout,
                                          flags=re.DOTALL))  # fmt: skip

    def assets(self) -> dict[str, dict[str, Any]]:
        """Asset → its stale status and newest materializations."""
        return {node["assetKey"]["path"][0]: node for node in self.ask(ASSETS)}

    def newest(self, asset: str) -> tuple[str, str]:
        """Run and data version of an asset's newest materialization."""
        event = self.assets()[asset]["assetMaterializations"][0]
        tags = {tag["key"]: tag["value"] for tag in event["tags"]}
        return event["runId"], tags["dagster/data_version"]

    def backfill(self, job: str, partitions: list[str]) -> list[dict[str, Any]]:
        """A backfill as the UI launches it from a job's grid; its runs, all ended well."""
        (grid,) = self.ask(GRIDS % job, selector=SELECTOR)["results"]
        there = {one["name"] for one in grid["partitionsOrError"]["results"]}
        assert there >= set(partitions), sorted(there)[-5:]
        answer = self.ask(
            BACKFILL,
            params={
                "selector": {
                    "partitionSetName": grid["name"], "repositorySelector": SELECTOR,
                },
                "partitionNames": partitions,
            },
        )  # fmt: skip
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        state = self.wait(
            "the backfill",
            lambda: (s := self.ask(BACKFILL_STATE, id=answer["backfillId"]))["status"]
            not in ("REQUESTED", "CANCELING") and s,
        )  # fmt: skip
        runs = list(state["runs"])
        assert state["status"] == "COMPLETED_SUCCESS", state
        assert {run["status"] for run in runs} == {"SUCCESS"}, runs
        assert len(runs) == len(partitions)
        return runs


def one_at_a_time(runs: list[dict[str, Any]]) -> None:
    """Fails where two runs were under way at the same moment."""
    spans = sorted((run["startTime"], run["endTime"]) for run in runs)
    for (_, end), (start, _) in itertools.pairwise(spans):
        assert start >= end - 1, f"two ran at once: {spans}"


def commands(walk: Walk) -> None:
    """What is done in a terminal, before and after the first run (points 7 to 11)."""
    fresh = {"FUND_STATE": str(walk.folder / "none")}
    for line in ("nav 000001", "metrics 000001", "gaps", "report weekly", "quarantine list"):

        def says_run_first(line: str = line) -> str:
            said = walk.command("fund-assets", *line.split(), code=2, **fresh)
            assert "fund-assets run" in said and "Traceback" not in said, said
            assert not (walk.folder / "none").exists(), "it made the state folder"
            return ""

        walk.gesture(f"9: `{line}` on an empty state says to run first", says_run_first)
    walk.gesture(
        "9: the first `fund-assets run`",
        lambda: walk.command("fund-assets", "run", clock=FIRST).splitlines()[-1],
    )
    for line, hint in (
        ("backfill --codes 999999", "999999"), ("collect --code 999999", "999999"),
        ("export nav --format csv -o x.parquet", "csv"), ("report weekly --week 2031-W01", "2031-W01"),
        ("quarantine list --rule R8_jump", "R08_jump"), ("screen sharp_ratio>1", "sharpe_ratio"),
        ("nav 000001 --since 20269999", "20269999"),
    ):  # fmt: skip

        def refused(line: str = line, hint: str = hint) -> str:
            said = walk.command("fund-assets", *line.split(), code=2)
            assert hint in said and "Traceback" not in said, said
            return ""

        walk.gesture(f"7: `{line}` is refused in words", refused)

    def shows(line: str, *texts: str, code: int = 0) -> Callable[[], str]:
        def does() -> str:
            said = walk.command("fund-assets", *line.split(), code=code)
            assert all(text in said for text in texts), said
            return ""

        return does

    walk.gesture("10: `nav 000001.OF`", shows("nav 000001.OF", "000001"))
    walk.gesture(
        "10: `screen 夏普比率>-9 --kind 混合型`", shows("screen 夏普比率>-9 --kind 混合型")
    )

    def weekly() -> str:
        walk.command("fund-assets", "weekly")
        said = walk.command("fund-assets", "report", "weekly")
        file = Path(re.findall(r"\S+\.html", said)[-1])
        text = (file if file.is_absolute() else ROOT / file).read_text("utf-8")
        assert "今年来中位" in text and "今年来为 —" not in text, "no medians of the year"
        return f"{len(text):,} bytes"

    walk.gesture("11: `weekly`, and a report that is whole", weekly)


def dagster_commands(walk: Walk) -> None:
    """Point 4 in Dagster's own commands."""
    for words in (
        f"job execute -m {MODULE} -j history_backfill",
        f"asset materialize -m {MODULE} --select *fund_metrics",
        f"definitions validate -m {MODULE}",
    ):
        walk.gesture(
            f"4: `dagster {words}`",
            lambda words=words: walk.command("dagster", *words.split()) and None,
        )


def ui(walk: Walk) -> None:
    """Points 1 to 4 as the UI does them."""

    def cli_runs_are_there() -> str:
        run = walk.runs(pipelineName="daily_pipeline")[-1]
        origin = run["repositoryOrigin"]
        assert origin and origin["repositoryLocationName"] == MODULE, run
        for where in (f"/locations/{MODULE}/jobs/daily_pipeline/runs", "/runs",
                      "/overview/activity/timeline"):  # fmt: skip
            text = walk.page(where)
            wanted = "daily_pipeline" if "timeline" in where else run["runId"][:8]
            assert wanted in text, f"{where} shows: {text[:300]}"
            assert "No runs found" not in text
        return run["runId"][:8]

    walk.gesture(
        "3: a run of the command line under job, runs and timeline", cli_runs_are_there
    )

    def materialize_all() -> str:
        assets = tuple(walk.assets())
        run = walk.ended(walk.launched("__ASSET_JOB", None, assets))
        return f"{len(assets)} assets, {run['endTime'] - run['startTime']:.0f} s"

    walk.gesture("4: Materialize all", materialize_all)

    def buckets() -> str:
        runs = walk.backfill("history_backfill", ["00", "01", "02"])
        one_at_a_time(runs)
        return "3 buckets, one at a time"

    walk.gesture("4: a backfill of three buckets from the UI", buckets)

    def dates() -> str:
        return f"{len(walk.backfill('missing_date', ['2026-09-14', '2026-09-15']))} dates"

    walk.gesture("4: missing_date for two dates, as its grid starts it", dates)

    def cancel_and_go_on() -> str:
        run_id = walk.launched("daily_pipeline")
        walk.wait("its start", lambda: walk.run(run_id)["status"] == "STARTED")
        assert walk.ask(STOP, id=run_id)["__typename"] == "TerminateRunSuccess"
        walk.ended(run_id, "CANCELED")
        answer = walk.ask(AGAIN, params={"parentRunId": run_id, "strategy": "FROM_FAILURE"})
        assert answer["__typename"] == "LaunchRunSuccess", answer
        run = walk.ended(answer["run"]["runId"])
        assert (run["parentRunId"], run["rootRunId"]) == (run_id, run_id), run
        return f"{run_id[:8]}, then {run['runId'][:8]}"

    walk.gesture("4: cancel, and re-execution from failure", cancel_and_go_on)

    def together() -> str:
        ids = [walk.launched("daily_collection"), walk.launched("daily_collection"),
               walk.launched("__ASSET_JOB", None, ("fund_nav",))]  # fmt: skip
        one_at_a_time([walk.ended(run_id) for run_id in ids])
        return "two of a job and one of an asset"

    walk.gesture("4: one run at a time, however launched", together)
    for what, config in (
        ("kind: bonds", {"nav_history": {"config": {"kind": "bonds"}}}),
        ("missing_on: 20269999", {"fund_nav": {"config": {"missing_on": 20269999}}}),
    ):

        def refused(config: Any = config) -> str:
            job = "history_backfill" if "nav_history" in config else "missing_date"
            before = len(walk.runs())
            answer = walk.launch(job, {"ops": config})
            if answer["__typename"] == "LaunchRunSuccess":
                walk.ended(answer["run"]["runId"], "FAILURE")
                return "the run says what is wrong"
            assert answer["__typename"] == "RunConfigValidationInvalid", answer
            assert len(walk.runs()) == before
            return "no run is made"

        walk.gesture(f"4: `{what}` is refused", refused)


def automation(walk: Walk) -> None:
    """Points 1 and 2: three evenings land, and the daemon alone does the rest."""
    for at in ROUNDS[:-1]:
        with dagster_ui(walk, at):
            evening(walk, at)
    with dagster_ui(walk, ROUNDS[-1]):
        evening(walk, ROUNDS[-1])
        measured_again(walk)


def evening(walk: Walk, at: str) -> None:
    """A wave lands; the daemon, whose clock stands there too, validates and measures."""

    def follows() -> str:
        before = {asset: walk.newest(asset) for asset in ("validated_nav", "fund_metrics")}
        walk.command("fund-assets", "collect", clock=at)
        for asset, (run_id, _) in before.items():
            walk.wait(asset, lambda a=asset, r=run_id: walk.newest(a)[0] != r)
        after = {asset: walk.newest(asset) for asset in before}
        assert all(before[a][1] != after[a][1] for a in before), (before, after)
        walk.ended(after["fund_metrics"][0])
        return " ".join(f"{a} {version}" for a, (_, version) in after.items())

    walk.gesture(f"1: automation validates and measures {at[:10]}", follows)


def measured_again(walk: Walk) -> None:
    """Nothing has changed: the same data version, and nothing is stale."""

    def nothing_new() -> str:
        _, version = walk.newest("fund_metrics")
        walk.command("fund-assets", "metrics", clock=ROUNDS[-1])
        again = walk.newest("fund_metrics")
        assert again[1] == version, f"the same content has {again[1]}, was {version}"
        stale = {a: n["staleStatus"] for a, n in walk.assets().items() if a in CHAIN}
        assert stale["fund_metrics"] == "FRESH", stale
        return f"{version}, FRESH"

    walk.gesture("2: measured again, the data version stays", nothing_new)


def status_page(walk: Walk) -> None:
    """Point 12 on a telephone."""
    port = free_port()
    environment = {**walk.environment, "FUND_CLOCK": LAST}
    with running([str(BIN / "fund-assets"), "serve", "--port", str(port)], environment):
        walk.wait(
            "the status page", lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/")
        )

        def telephone() -> str:
            text = walk.page(f"http://127.0.0.1:{port}/", 390)
            assert "新鲜度" in text and "daily_pipeline" in text, text[:500]
            return ""

        walk.gesture("12: the status page at 390 px", telephone)


@contextmanager
def dagster_ui(walk: Walk, clock: str) -> Iterator[None]:
    """Dagster's web server and daemon at a time of the market, as `make dev` starts them."""
    port = free_port()
    walk.url = f"http://127.0.0.1:{port}"
    server = [sys.executable, "-m", "fund_assets.webserver", "dev", "-h", "127.0.0.1"]
    with running([*server, "-p", str(port)], {**walk.environment, "FUND_CLOCK": clock}):
        walk.wait("the UI", lambda: urllib.request.urlopen(f"{walk.url}/server_info"))
        walk.wait("the code location", lambda: walk.assets())
        yield


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    """A program and its children, ended as Ctrl-C ends them."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
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


def main() -> int:
    """Walk; 0 when every gesture did what it says."""
    parser = argparse.ArgumentParser(prog="python -m fund_assets_tests.reliability.gestures")
    parser.add_argument("--keep", action="store_true", help="leave the state folder")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    asked = parser.parse_args()
    parts = asked.parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"{', '.join(sorted(unknown))}: parts are {', '.join(PARTS)}")
    folder = Path(tempfile.mkdtemp(prefix="fund-gestures-"))
    walk = Walk(folder)
    try:
        if "commands" in parts:
            commands(walk)
        else:
            walk.command("fund-assets", "run", clock=FIRST)
        if "dagster" in parts:
            dagster_commands(walk)
        if "ui" in parts:
            with dagster_ui(walk, NOW):
                ui(walk)
        if "automation" in parts:
            automation(walk)
        if "page" in parts:
            status_page(walk)
    finally:
        if asked.keep:
            print(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    well = sum(mark == "✓" for mark, _ in walk.results)
    print(f"{well} of {len(walk.results)}")
    return 0 if well == len(walk.results) else 1


if __name__ == "__main__":
    sys.exit(main())
