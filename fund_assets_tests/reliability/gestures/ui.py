"""What is done in Dagster's UI, and by its own commands beside it."""

import itertools
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

from fund_assets_tests.reliability.gestures.automation import checks_of
from fund_assets_tests.reliability.gestures.walk import LAST, MODULE, SELECTOR, Part, Walk
from scripts.screenshots import GROUPS

PART = Part("ui")
BUCKETS = ("00", "01", "02")
DATES = ("2026-09-14", "2026-09-15")
CHAIN = (
    "fund_info", "fund_events", "fund_nav", "nav_history", "validated_nav", "fund_metrics",
)  # fmt: skip
WEEKLY = (
    "history_recheck", "history_refetch", "fund_scores", "walk_forward", "warehouse_upkeep",
    "weekly_report",
)  # fmt: skip

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
  status runs { runId } } } }
"""
GRIDS = """
query($selector: RepositorySelector!, $job: String!) { partitionSetsOrError(
  repositorySelector: $selector, pipelineName: $job) { ... on PartitionSets { results {
  name partitionStatusesOrError { ... on PartitionStatuses { results {
    partitionName runStatus } } } } } } }
"""
STEPS = """
query($id: ID!) { runOrError(runId: $id) { ... on Run { eventConnection { events {
  ... on ExecutionStepFailureEvent { error { message cause { message } } }
  ... on RunFailureEvent { message } } } } } }
"""
ABOUT = """
query { assetNodes { assetKey { path } isPartitioned
  isMaterializable
  internalFreshnessPolicy { ... on CronFreshnessPolicy { deadlineCron timezone } }
  metadataEntries { ... on CodeReferencesMetadataEntry { codeReferences {
    ... on LocalFileCodeReference { filePath lineNumber } } } } } }
"""


def launched(
    walk: Walk, job: str, config: Any = None, assets: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What the UI's launch answers; a run of chosen assets where assets are named."""
    selector: dict[str, Any] = {**SELECTOR, "jobName": job}
    if assets:
        selector["assetSelection"] = [{"path": [asset]} for asset in assets]
    return dict(walk.ask(RUN, params={"selector": selector, "runConfigData": config or {}}))


def launch(walk: Walk, job: str, **options: Any) -> str:
    """The id of a run that the UI launched."""
    answer = launched(walk, job, **options)
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return str(answer["run"]["runId"])


def grid(walk: Walk, job: str) -> tuple[str, dict[str, str | None]]:
    """A job's partition set, and partition → the state of its newest run."""
    (found,) = walk.ask(GRIDS, selector=SELECTOR, job=job)["results"]
    states = found["partitionStatusesOrError"]["results"]
    return found["name"], {one["partitionName"]: one["runStatus"] for one in states}


def backfill(walk: Walk, job: str, partitions: tuple[str, ...]) -> list[dict[str, Any]]:
    """A backfill as the UI launches it from a job's grid; its runs, all ended well."""
    name, before = grid(walk, job)
    assert {before[one] for one in partitions} == {None}, before
    params = {
        "selector": {"partitionSetName": name, "repositorySelector": SELECTOR},
        "partitionNames": list(partitions),
    }
    answer = walk.ask(BACKFILL, params=params)
    assert answer["__typename"] == "LaunchBackfillSuccess", answer
    state = walk.wait(
        "the backfill",
        lambda: (
            (s := walk.ask(BACKFILL_STATE, id=answer["backfillId"]))["status"]
            not in ("REQUESTED", "CANCELING")
            and s
        ),
    )
    assert state["status"] == "COMPLETED_SUCCESS", state
    runs = walk.runs(runIds=[run["runId"] for run in state["runs"]])
    assert {run["status"] for run in runs} == {"SUCCESS"}, runs
    asked = {run["tags"]["dagster/partition"] for run in runs}
    assert asked == set(partitions) and len(runs) == len(partitions), runs
    _, after = grid(walk, job)
    changed = {one for one in after if after[one] != before[one]}
    assert changed == set(partitions), changed
    assert {after[one] for one in partitions} == {"SUCCESS"}, after
    return runs


def one_at_a_time(runs: list[dict[str, Any]]) -> None:
    """Fails where two were under way at one moment, or where none had to wait."""
    spans = sorted((run["startTime"], run["endTime"]) for run in runs)
    for (_, end), (start, _) in itertools.pairwise(spans):
        assert start >= end - 1, f"two ran at once: {spans}"
    asked = max(run["creationTime"] for run in runs)
    assert asked < min(end for _, end in spans), "none had to wait"


@PART.walks(3, "landing page, runs and job page after `fund-assets run`")
def visible(walk: Walk) -> str:
    """The run of the command line is where people look, as those of the daemon are."""
    run = walk.runs(pipelineName="daily_pipeline")[-1]
    assert run["repositoryOrigin"] == {
        "repositoryName": "__repository__", "repositoryLocationName": MODULE,
    }, run["repositoryOrigin"]  # fmt: skip
    see = walk.browser
    see.open(f"{walk.url}/")
    see.sees("daily_pipeline", "Timeline")
    bars = "document.querySelectorAll('a[href*=\"jobs/daily_pipeline\"]').length > 0"
    see.wait(bars, "a link to the job on the landing page")
    for place in ("/runs", f"/locations/{MODULE}/jobs/daily_pipeline/runs"):
        see.open(f"{walk.url}{place}")
        see.sees(run["runId"][:8], "Success")
        assert "No runs" not in see.text, see.text[:500]
    return f"run {run['runId'][:8]} of daily_pipeline on all three"


@PART.walks(2, "the lineage of the evening")
def lineage(walk: Walk) -> str:
    """Every asset is drawn, as materialized."""
    walk.browser.open(f"{walk.url}{GROUPS}/evening/lineage", width=1800)
    walk.browser.sees(*CHAIN, "Materialized")
    return f"{len(CHAIN)} assets of the chain"


def dagster_command(walk: Walk, line: str, asset: str) -> str:
    """The command ends well, and its run renewed the asset."""
    before = walk.newest(asset)[0] if walk.assets()[asset]["assetMaterializations"] else ""
    walk.command("dagster", *line.format(MODULE).split(), clock=LAST)
    after, _ = walk.newest(asset)
    assert after != before, f"{asset} was not renewed"
    run = walk.run(after)
    assert run["status"] == "SUCCESS", run
    renewed = {event["assetKey"]["path"][0] for event in run["assetMaterializations"]}
    return f"{len(renewed)} assets: {', '.join(sorted(renewed))}"


for _line, _asset in (
    ("job execute -m {} -j history_backfill", "nav_history"),
    ("asset materialize -m {} --select *fund_metrics", "fund_metrics"),
):
    PART.walks(4, f"`dagster {_line.format(MODULE)}`")(
        partial(dagster_command, line=_line, asset=_asset)
    )


@PART.walks(6, "the job source_canary, before all assets are renewed")
def canary(walk: Walk) -> str:
    """It looks and finds nothing."""
    run = walk.ended(launch(walk, "source_canary"))
    found = checks_of(walk, "market_source")
    assert found == {"source_canary": (run["runId"], "SUCCEEDED")}, found
    return f"run {run['runId'][:8]}: passed"


@PART.walks(4, "*Materialize all*")
def materialize_all(walk: Walk) -> str:
    """One run renews every asset, without a question for a partition."""
    about = [node for node in walk.ask(ABOUT) if node["isMaterializable"]]
    assets = tuple(node["assetKey"]["path"][0] for node in about)
    assert not any(node["isPartitioned"] for node in about)
    run = walk.ended(launch(walk, "__ASSET_JOB", assets=assets))
    renewed = {event["assetKey"]["path"][0] for event in run["assetMaterializations"]}
    assert renewed == set(assets) and len(assets) == 13, set(assets) - renewed
    return f"{len(renewed)} assets in one run"


@PART.walks(6, "the checks of all assets after it")
def meaningful(walk: Walk) -> str:
    """Each has a state for what its asset is now, the canary and the calendar too."""
    states = {
        (asset, name): state
        for asset in walk.assets()
        for name, (_, state) in checks_of(walk, asset).items()
    }
    assert states["market_source", "source_canary"] == "SUCCEEDED", states
    assert states["validated_nav", "calendar_horizon"] == "SUCCEEDED", states
    odd = {key: state for key, state in states.items() if state != "SUCCEEDED"}
    assert not odd, odd
    return f"{len(states)} checks, all passed"


@PART.walks(6, "freshness of the weekly assets, and links from assets to their code")
def described(walk: Walk) -> str:
    """The policy of each; file and line of each, with its function there."""
    links = 0
    for node in filter(lambda node: node["isMaterializable"], walk.ask(ABOUT)):
        asset = node["assetKey"]["path"][0]
        if asset in WEEKLY:
            policy = node["internalFreshnessPolicy"]
            assert policy == {"deadlineCron": "0 12 * * 0", "timezone": "Asia/Shanghai"}, asset
        entries = [entry for entry in node["metadataEntries"] if entry]
        ((place,),) = (entry["codeReferences"] for entry in entries)
        lines = Path(place["filePath"]).read_text("utf-8").splitlines()
        around = "\n".join(lines[place["lineNumber"] - 1 :][:40])
        assert re.match(r"@dg\.asset|def ", around) and f"def {asset}(" in around, place
        links += 1
    return f"{len(WEEKLY)} with Sunday 12:00, {links} links"


@PART.walks(4, f"`dagster job backfill -j history_backfill --partitions {','.join(BUCKETS)}`")
def buckets(walk: Walk) -> str:
    """Three runs, one after the other, each with the job's day of time."""
    line = "job backfill -w workspace.yaml -j history_backfill --noprompt --partitions"
    walk.command("dagster", *line.split(), ",".join(BUCKETS), clock=LAST)
    runs = [run for run in walk.runs(pipelineName="history_backfill") if bucket(run)]
    assert {bucket(run) for run in runs} == set(BUCKETS) and len(runs) == 3, runs
    runs = [walk.ended(run["runId"]) for run in runs]
    one_at_a_time(runs)
    limits = {run["tags"]["dagster/max_runtime"] for run in runs}
    assert limits == {"86400"}, limits
    return "3 runs, one at a time, each with 24 hours"


def bucket(run: dict[str, Any]) -> str | None:
    """The partition of a run."""
    return run["tags"].get("dagster/partition")


@PART.walks(4, "what is missing on two dates, from the grid of dates")
def dates(walk: Walk) -> str:
    """Two runs; the grid then shows both dates as done, and no other."""
    before = walk.newest("nav_history")[0]
    one_at_a_time(backfill(walk, "missing_date", DATES))
    run_id, _ = walk.newest("nav_history")
    assert run_id != before, "nav_history was not renewed"
    found = checks_of(walk, "nav_history")
    assert {state for _, state in found.values()} == {"SUCCEEDED"}, found
    assert {run for run, _ in found.values()} == {run_id}, found
    see = walk.browser
    see.open(f"{walk.url}/locations/{MODULE}/jobs/missing_date/partitions")
    see.sees("Launch backfill", "Total partitions")
    total = len(grid(walk, "missing_date")[1])
    for count, words in ((total, "Total"), (total - len(DATES), "Missing")):
        see.wait(f"/{count}\\s+{words} partitions/.test(document.body.innerText)", words)
    return f"{' and '.join(DATES)} done, one at a time; the grid has {total}, others missing"


@PART.walks(4, "cancel, then re-execution from the failure")
def cancel_and_go_on(walk: Walk) -> str:
    """The canceled run is canceled; the next goes on where it ended."""
    run_id = launch(walk, "daily_pipeline")
    walk.wait("its start", lambda: walk.run(run_id)["status"] == "STARTED")
    assert walk.ask(STOP, id=run_id)["__typename"] == "TerminateRunSuccess"
    first = walk.ended(run_id, "CANCELED")
    answer = walk.ask(AGAIN, params={"parentRunId": run_id, "strategy": "FROM_FAILURE"})
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run = walk.ended(answer["run"]["runId"])
    assert (run["parentRunId"], run["rootRunId"]) == (run_id, run_id), run
    done = [
        {e["assetKey"]["path"][0] for e in r["assetMaterializations"]} for r in (first, run)
    ]
    assert "fund_metrics" in done[1] and len(done[0] | done[1]) == 6, done
    return f"{len(done[0])} assets before, {len(done[1])} after"


@PART.walks(4, "a job twice and an asset of it, at once")
def together(walk: Walk) -> str:
    """One run at a time, however launched."""
    ids = [
        launch(walk, "daily_collection"), launch(walk, "daily_collection"),
        launch(walk, "__ASSET_JOB", assets=("fund_nav",)),
    ]  # fmt: skip
    one_at_a_time([walk.ended(run_id) for run_id in ids])
    return "one after the other"


@PART.walks(4, "`kind: bonds` in the launchpad")
def bonds(walk: Walk) -> str:
    """Refused before a run is made, with the kinds that there are."""
    before = len(walk.runs())
    config = {"ops": {"nav_history": {"config": {"kind": "bonds"}}}}
    answer = launched(walk, "history_backfill", config)
    assert answer["__typename"] == "RunConfigValidationInvalid", answer
    (error,) = answer["errors"]
    assert "bonds" in error["message"] and "kind" in error["message"], error
    assert len(walk.runs()) == before
    return "refused, no run"


@PART.walks(4, "`missing_on: 20269999` in the launchpad")
def no_date(walk: Walk) -> str:
    """The run says what is wrong before it asks for anything."""
    config = {"ops": {"navs_of_date": {"config": {"missing_on": 20269999}}}}
    run_id = launch(walk, "missing_date", config=config)
    run = walk.ended(run_id, "FAILURE")
    assert run["assetMaterializations"] == []
    told = json.dumps(walk.ask(STEPS, id=run_id))
    assert "20269999 is not a date: write yyyymmdd, such as 20261124" in told, told[:2000]
    return "20269999 is not a date: write yyyymmdd, such as 20261124"
