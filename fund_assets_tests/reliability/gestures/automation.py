"""What the daemon does by itself while the waves of an evening land.

Schedules and the other sensors are stopped: whatever validates and measures is automation.
"""

import time
from functools import partial

from fund_assets_tests.reliability.gestures.walk import LAST, WAVES, Part, Walk

PART = Part("automation")
BEHIND = ("validated_nav", "fund_metrics")
#: Half of what MySQL's column for an evaluation holds.
LARGEST = 65_535 // 2

CHECKS = """
query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetChecksOrError { ... on AssetChecks { checks {
    name blocking executionForLatestMaterialization { runId status } } } } } } }
"""


def checks_of(walk: Walk, asset: str) -> dict[str, tuple[str, str]]:
    """Check → its run and its state for what the asset is now."""
    node = walk.ask(CHECKS, key={"path": [asset]})
    return {
        check["name"]: (done["runId"], done["status"]) if done else ("", "")
        for check in node["assetChecksOrError"]["checks"]
        for done in [check["executionForLatestMaterialization"]]
    }


def by_automation(walk: Walk) -> list[str]:
    """The runs that automation asked for, newest first."""
    key = "dagster/from_automation_condition"
    return [run["runId"] for run in walk.runs() if run["tags"].get(key) == "true"]


@PART.walks(2, f"lineage when the wave of {WAVES[0][-5:]} has landed")
def stale(walk: Walk) -> str:
    """What stands on the old batch is no longer fresh, until it is renewed."""
    walk.start_sensor("automation")
    walk.looks("automation", 1)
    before = {asset: walk.assets()[asset]["staleStatus"] for asset in BEHIND}
    assert set(before.values()) == {"FRESH"}, before
    walk.stop_sensor("automation")
    version = walk.newest("fund_nav")[1]
    walk.fund_assets("collect", clock=WAVES[0])
    assert walk.newest("fund_nav")[1] != version
    now = walk.assets()
    assert now["validated_nav"]["staleStatus"] == "STALE", now["validated_nav"]
    return "validated_nav was FRESH, is STALE"


def follows(walk: Walk, at: str) -> str:
    """One run validates and measures, all checks in it."""
    before = {asset: walk.newest(asset) for asset in BEHIND}
    done = by_automation(walk)
    if at == WAVES[0]:
        walk.start_sensor("automation")
    else:
        walk.fund_assets("collect", clock=at)
    for asset, (run_id, _) in before.items():
        walk.wait(asset, lambda a=asset, r=run_id: walk.newest(a)[0] != r)
    after = {asset: walk.newest(asset) for asset in BEHIND}
    (run_id,) = by_automation(walk)[: -len(done) or None]
    assert {run for run, _ in after.values()} == {run_id}, (after, run_id)
    walk.ended(run_id)
    assert all(before[a][1] != after[a][1] for a in BEHIND), (before, after)
    for asset in BEHIND:
        states = checks_of(walk, asset)
        assert {run for run, _ in states.values()} == {run_id}, (asset, states)
        assert states["schema"][1] == "SUCCEEDED", states
    stale_now = {asset: walk.assets()[asset]["staleStatus"] for asset in BEHIND}
    assert set(stale_now.values()) == {"FRESH"}, stale_now
    told = walk.dashboard(clock=LAST)
    assert told["coverage_on"] == at[:10], told["coverage_on"]
    return f"run {run_id[:8]}: {told['today_nav_count']} NAVs of the day, both FRESH"


for _at in WAVES:
    PART.walks(1, f"the wave of {_at[-5:]} has landed: automation goes on")(
        partial(follows, at=_at)
    )


@PART.walks(1, "the evaluations that the daemon has stored")
def evaluations(walk: Walk) -> str:
    """They have room in MySQL's column."""
    rows = walk.records(
        "schedules.db",
        "SELECT asset_key, MAX(LENGTH(asset_evaluation_body)) "
        "FROM asset_daemon_asset_evaluations GROUP BY asset_key",
    )
    sizes = {key.strip('"[]'): size for key, size in rows}
    assert set(BEHIND) <= set(sizes), sizes
    assert max(sizes.values()) < LARGEST, sizes
    return f"at most {max(sizes.values()):,} bytes of 65,535"


@PART.walks(2, "the same wave collected again, and measured again")
def nothing_new(walk: Walk) -> str:
    """The same versions; two looks of automation ask for nothing."""
    assets = ("fund_nav", "fund_metrics")
    before = {asset: walk.newest(asset) for asset in assets}
    asked = by_automation(walk)
    walk.fund_assets("collect", clock=WAVES[-1])
    walk.fund_assets("metrics", clock=LAST)
    after = {asset: walk.newest(asset) for asset in assets}
    assert all(before[a][0] != after[a][0] for a in assets), "they were not renewed"
    assert all(before[a][1] == after[a][1] for a in assets), (before, after)
    walk.looks("automation", 2)
    time.sleep(1)
    assert by_automation(walk) == asked, "automation ran for what has not changed"
    walk.stop_sensor("automation")
    return f"{before['fund_metrics'][1][:12]} stays, no run"
