"""Snapshot of the graph: keys, checks, jobs, schedules and sensors, in snapshot.json.

A change of any of them is a change for those who run the platform, so it must be seen:

    python -m fund_assets_tests.graph.test_snapshot        writes snapshot.json anew
"""

import json
from pathlib import Path

from fund_assets.definitions import defs

SNAPSHOT = Path(__file__).with_name("snapshot.json")


def present():
    """What the graph is now."""
    graph = defs.resolve_asset_graph()
    repository = defs.get_repository_def()
    checks = {}
    for key in sorted(graph.asset_check_keys, key=lambda k: k.name):
        blocks = "blocks" if graph.get_check_spec(key).blocking else "shows"
        checks.setdefault(key.asset_key.to_user_string(), {})[key.name] = blocks
    return {
        "assets": {
            node.key.to_user_string(): {
                "parents": sorted(k.to_user_string() for k in node.parent_keys),
                "group": node.group_name,
                "kinds": sorted(k.removeprefix("dagster/kind/") for k in node.tags),
            }
            for node in sorted(graph.asset_nodes, key=lambda n: n.key)
        },
        "checks": checks,
        "jobs": {
            job.name: {
                "assets": sorted(
                    k.to_user_string()
                    for k in defs.resolve_job_def(job.name).asset_layer.selected_asset_keys
                ),
                "tags": dict(job.tags),
            }
            for job in defs.jobs
        },
        "schedules": {
            s.name: {
                "job": s.job_name,
                "cron": s.cron_schedule
                if isinstance(s.cron_schedule, str)
                else list(s.cron_schedule),
                "timezone": s.execution_timezone,
                "by default": s.default_status.value,
            }
            for s in repository.schedule_defs
        },
        "sensors": {
            s.name: {
                "kind": s.sensor_type.value,
                "every seconds": s.minimum_interval_seconds,
                "by default": s.default_status.value,
            }
            for s in repository.sensor_defs
        },
    }


def text(graph):
    return json.dumps(graph, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def test_the_graph_is_the_one_that_was_reviewed():
    """Stops an asset, check, job, cron or default status from changing unseen."""
    assert text(present()).splitlines() == SNAPSHOT.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    SNAPSHOT.write_text(text(present()), encoding="utf-8")
