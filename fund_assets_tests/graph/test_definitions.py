"""The resolved asset graph: what every asset, check and job must have."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.op_concurrency_limits_counter import GlobalOpConcurrencyLimitsCounter

from fund_assets.assets._conditions import when_input_is_sound
from fund_assets.assets.fund_nav import CollectConfig
from fund_assets.assets.nav_history import HistoryConfig
from fund_assets.automation.jobs import JOBS, RUN_TAG
from fund_assets.checks import catalog, rule_pages
from fund_assets.definitions import build_defs, defs
from fund_assets.instance.storage import project_instance
from fund_assets.nav import events, list_rules, rules
from fund_assets.nav.rules import Severity
from fund_assets.schemas.profiles import PROFILES
from fund_assets.schemas.table import Kind
from fund_assets.schemas.tables import TABLES

ROOT = Path(__file__).resolve().parents[2]
GRAPH = defs.resolve_asset_graph()
SPECS = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
CHECKS = {
    (key.asset_key.to_user_string(), key.name): GRAPH.get_check_spec(key)
    for key in GRAPH.asset_check_keys
}
CANARY = ("market_source", "source_canary")
ORDER = ["fund_info", "fund_events", "fund_nav", "nav_history", "validated_nav",
         "benchmark_index", "fund_metrics"]  # fmt: skip
#: The tables of assets that are called otherwise.
TABLE_OF = {"nav_history": "history_progress"}
#: What the weekly job adds, in its order.
WEEK = ["history_recheck", "history_refetch", "fund_benchmark", "fund_manager_term",
        "fund_scores",
        "walk_forward", "warehouse_upkeep", "weekly_report"]  # fmt: skip
PARENTS = {
    "market_source": [],
    "fund_info": [],
    "fund_events": ["fund_info"],
    "fund_nav": ["fund_info"],
    "nav_history": ["fund_info"],
    "validated_nav": ["fund_events", "fund_nav", "nav_history", "history_refetch"],
    "benchmark_index": ["fund_benchmark"],
    "fund_metrics": ["validated_nav", "benchmark_index"],
    "history_recheck": [],
    "history_refetch": ["fund_info", "history_recheck"],
    "fund_benchmark": ["fund_info"],
    "fund_manager_term": ["fund_info", "history_refetch"],
    "fund_scores": ["fund_metrics"],
    "walk_forward": ["fund_scores"],
    "warehouse_upkeep": ["fund_scores"],
    "weekly_report": ["fund_scores", "walk_forward", "warehouse_upkeep"],
}
#: Checks that no rule of the rule book stands behind.
OTHERS = {check.name for check in rule_pages.OTHER_CHECKS}


def test_definitions_load_as_the_code_server_loads_them():
    """Stops a broken reference or a missing resource from being found only by the daemon."""
    dg.Definitions.validate_loadable(build_defs())


@pytest.mark.slow
def test_dagster_validates_the_project_from_its_root(tmp_path):
    """Stops `dagster definitions validate` from complaining, as a newcomer would run it."""
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate"],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "FUND_STATE": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert "Validation successful for code location fund_assets.definitions" in said
    assert "ERROR" not in said and "Traceback" not in said


def unmatched(specs):
    """Assets without a profile, and profiles without an asset."""
    found = {spec.key.to_user_string() for spec in specs}
    return found - PROFILES.keys(), PROFILES.keys() - found


def test_every_asset_has_a_profile_and_every_profile_an_asset(monkeypatch):
    """Stops an asset that no dashboard, job or alert knows, and words about one that is gone."""
    assert unmatched(SPECS.values()) == (set(), set())
    one_more = [*SPECS.values(), dg.AssetSpec("without_profile")]
    assert unmatched(one_more) == ({"without_profile"}, set())
    monkeypatch.setitem(PROFILES, "without_asset", PROFILES["fund_nav"])
    assert unmatched(SPECS.values()) == (set(), {"without_asset"})


def test_profiles_name_jobs_that_are_there():
    """Stops an asset from waiting for a job that nobody defined."""
    named = {job for profile in PROFILES.values() for job in profile.jobs}
    assert named <= {job.name for job in JOBS} and named


def test_the_graph_leads_from_the_list_to_the_metrics():
    """Stops an asset from reading around a step: raw first, each from the one before it."""
    parents = {key: [d.asset_key.to_user_string() for d in SPECS[key].deps] for key in SPECS}
    assert parents == PARENTS


@pytest.mark.parametrize("key", ORDER)
def test_an_asset_says_all_that_the_ui_shows(key):
    """Stops an asset without group, owner, kinds, words or version."""
    spec = SPECS[key]
    assert spec.group_name == "evening"
    assert spec.owners == ["team:fund-assets"]
    assert {"python", "table"} < spec.kinds
    assert spec.description and spec.description.endswith(".") and len(spec.description) > 40
    assert spec.code_version
    assert spec.metadata["dagster/table_name"] == TABLE_OF.get(key, key)
    lists = ("fund_info", "fund_events", "nav_history")
    assert (spec.freshness_policy is None) == (key in lists)
    has_condition = spec.automation_condition is not None
    assert has_condition == (key in ("validated_nav", "fund_metrics"))


@pytest.mark.parametrize("key", [*ORDER, *WEEK])
def test_an_asset_leads_to_its_code(key):
    """Stops the UI from leading nowhere, or to another file."""
    (reference,) = SPECS[key].metadata["dagster/code_references"].code_references
    path = Path(reference.file_path)
    assert path == ROOT / "fund_assets" / "assets" / f"{key}.py"
    lines = path.read_text("utf-8").splitlines()[reference.line_number - 1 :]
    assert f"def {key}(" in "\n".join(lines[:60])


@pytest.mark.parametrize("key", WEEK)
def test_a_weekly_asset_says_what_the_ui_shows_and_waits_for_its_job(key):
    """Stops a weekly step without words, or one that an evening's run sets off."""
    spec = SPECS[key]
    assert spec.group_name == ("evening" if key == "fund_benchmark" else "weekly")
    assert spec.owners == ["team:fund-assets"]
    assert "python" in spec.kinds
    assert spec.description and spec.description.endswith(".") and len(spec.description) > 40
    assert spec.code_version
    assert spec.automation_condition is None
    assert spec.freshness_policy.deadline_cron == "0 12 * * 0"


@pytest.mark.parametrize("key", [*ORDER, "fund_scores"])
def test_the_shown_columns_are_the_declared_ones(key):
    """Stops the UI from showing other columns than the tables have."""
    table = TABLES[TABLE_OF.get(key, key)]
    shown = SPECS[key].metadata["dagster/column_schema"].columns
    assert [column.name for column in shown] == table.names
    for column in shown:
        declared = table[column.name]
        assert Kind[column.type.upper()] is declared.kind
        assert column.constraints.nullable == declared.nullable
        assert column.description.startswith(declared.description)
        assert column.description.endswith(
            f"[{declared.unit}]" if declared.unit else declared.description
        )
    assert SPECS[key].metadata["primary_key"] == ", ".join(table.primary_key)


def test_every_rule_is_shown_by_exactly_one_check():
    """Stops a rule that judges rows from being invisible, and a check that judges nothing."""
    others = (*list_rules.RULES, events.SHRINK, *events.RULES)
    ids = [*rules.RULES, *(rule.id for rule in others)]
    assert len(ids) == len(set(ids)), "a rule id stands twice"
    shown = Counter(name for _, name in CHECKS)
    assert {name: n for name, n in shown.items() if name not in OTHERS} == dict.fromkeys(ids, 1)
    assert shown["schema"] == len(ORDER) + 3, "every table has its schema check"


def test_the_checks_that_block_are_the_rules_that_block():
    """Stops a blocking rule from being shown only, or a warning from stopping an evening."""
    blocking = {name for (_, name), spec in CHECKS.items() if spec.blocking}
    declared = {r.id for r in rules.RULES.values() if r.severity is Severity.BLOCK}
    assert blocking == declared | {"schema"}
    assert declared == {
        "R01_schema", "R02_row_count", "R03_kind_floor", "R04_unique", "R05_header_dates",
        "R15_standing_still", "R17_mass_revision", "R02_first_page", "R17_history_rewrite",
    }  # fmt: skip


def test_checks_speak():
    """Stops a check without words, or one that hides what a breach leads to."""
    for (asset, name), spec in CHECKS.items():
        assert spec.description and len(spec.description) > 25, (asset, name)
    assert CHECKS["fund_nav", "R02_row_count"].description.endswith(
        "a batch that fails is not merged"
    )
    for check in catalog.CHECKS:
        for asset in check.assets:
            assert CHECKS[asset, check.name].description == check.demand


@pytest.mark.parametrize("page", rule_pages.PAGES, ids=lambda page: page.parent.name)
def test_the_rule_pages_list_every_check_there_is(page):
    """Stops a check that Dagster shows from standing on no page, or one that is gone on it."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", page.read_text("utf-8"), re.MULTILINE)
    listed = [
        (asset, name)
        for name, cells in rows
        for asset in re.split(", |、", cells.split(" | ")[2])
    ]
    assert sorted(listed) == sorted(CHECKS)


def test_every_asset_has_a_job_and_every_job_its_tag():
    """Stops an asset that nothing renews, and a job that may run twice at a time."""
    covered = set()
    for job in JOBS:
        resolved = defs.resolve_job_def(job.name)
        keys = {k.to_user_string() for k in resolved.asset_layer.selected_asset_keys}
        covered |= keys
        assert resolved.tags[RUN_TAG] == job.name
        assert resolved.description
    assert covered == {*ORDER, *WEEK}


def test_where_runs_are_spread_only_the_backfill_runs_twice_at_a_time():
    """Stops a new job from running beside itself where each job's limit is written out."""
    celery = yaml.safe_load((ROOT / "deploy" / "celery" / "dagster.yaml").read_text())
    helm = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "values.yaml").read_text())
    queue = helm["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"]
    for limits in (
        celery["concurrency"]["runs"]["tag_concurrency_limits"],
        queue["tagConcurrencyLimits"],
    ):
        assert {limit["key"] for limit in limits} == {RUN_TAG}
        found = {limit["value"]: limit["limit"] for limit in limits}
        assert found.pop("history_backfill") > 1
        assert found == {job.name: 1 for job in JOBS if job.name != "history_backfill"}


def test_a_job_runs_all_checks_of_its_assets():
    """Stops a job that renews an asset without judging it, and a canary in the evening."""
    for job in JOBS:
        layer = defs.resolve_job_def(job.name).asset_layer
        keys = {k.to_user_string() for k in layer.selected_asset_keys}
        ran = {
            (k.asset_key.to_user_string(), k.name) for k in layer.asset_graph.asset_check_keys
        }
        due = {key for key in CHECKS if key[0] in keys}
        alone = {"source_canary": {CANARY}, "missing_date": set()}
        assert ran == (due or alone[job.name]), job.name


class Rounds:
    """Two assets, the second behind the first, and the rounds in which automation looks."""

    def __init__(self, condition):
        self.content = "1"

        @dg.asset
        def first() -> dg.MaterializeResult:
            return dg.MaterializeResult(data_version=dg.DataVersion(self.content))

        @dg.asset(deps=[first], automation_condition=condition)
        def second() -> dg.MaterializeResult:
            return dg.MaterializeResult(data_version=dg.DataVersion(f"of {self.content}"))

        self.assets = {"first": first, "second": second}
        self.instance, self.cursor = dg.DagsterInstance.ephemeral(), None

    def renew(self, name, content=None):
        self.content = content or self.content
        chosen = dg.AssetSelection.assets(name)
        assert dg.materialize(
            [*self.assets.values()], instance=self.instance, selection=chosen
        ).success

    def asked(self):
        found = dg.evaluate_automation_conditions(
            [*self.assets.values()], self.instance, cursor=self.cursor
        )
        self.cursor = found.cursor
        return found.total_requested


@pytest.mark.parametrize("renewed_with", [False, True])
def test_news_is_asked_for_once_whenever_it_comes(renewed_with):
    """Stops a wave that lands just after a run has ended, between two looks of automation, from
    being taken for handled; and a run from being asked for twice, or for nothing new."""
    rounds = Rounds(when_input_is_sound(renewed_with=renewed_with))
    rounds.renew("first")
    rounds.renew("second")
    assert rounds.asked() == 0
    rounds.renew("first", "2")
    assert rounds.asked() == 1
    rounds.renew("second")
    rounds.renew("first", "3")  # lands before automation has looked again
    assert rounds.asked() == 1
    assert rounds.asked() == 0, "asked for, and its run failed"
    rounds.renew("second")
    assert rounds.asked() == 0
    rounds.renew("first", "4")
    rounds.renew("second")  # one job renewed both
    assert rounds.asked() == 0
    rounds.renew("first")
    assert rounds.asked() == 0, "the same content"
    rounds.renew("first", "5")
    assert rounds.asked() == 1
    rounds.renew("second")
    assert [rounds.asked(), rounds.asked()] == [0, 0]


def test_evaluations_of_automation_fit_into_mysql():
    """Stops a condition of so many parts that a Dagster on MySQL cannot store what came of it
    (a TEXT of 65,535 bytes): the sensor then fails at every look, and only there. Half of it
    is left to checks to come."""
    found = dg.evaluate_automation_conditions(defs, dg.DagsterInstance.ephemeral())
    stored = {
        result.key.to_user_string(): len(
            dg.serialize_value(result.serializable_evaluation.with_run_ids(frozenset()))
        )
        for result in found.results
    }
    assert {"validated_nav", "fund_metrics"} <= stored.keys()
    assert max(stored.values()) < 32_768, stored


def test_every_asset_can_be_materialized_at_once():
    """Stops *Materialize all*, `--select '*fund_metrics'` and a plain `job execute` from asking for
    a partition that means nothing to the assets around it."""
    graph = defs.resolve_asset_graph()
    assert [
        key for key in graph.materializable_asset_keys if graph.get(key).is_partitioned
    ] == []
    backfill = defs.resolve_job_def("history_backfill")
    assert dg.validate_run_config(backfill, {})
    assert backfill.tags["dagster/max_runtime"] == "86400"
    keys = backfill.partitions_def.get_partition_keys()
    assert (len(keys), keys[0], keys[-1]) == (64, "00", "63")
    config = backfill.partitioned_config.get_run_config_for_partition_key("07")
    assert config == {"ops": {"nav_history": {"config": {"buckets": ["07"]}}}}
    assert dg.validate_run_config(backfill, config)


def test_missing_navs_can_be_asked_for_by_date():
    """Stops a date of the grid from asking for another one, and the grid from being empty:
    Dagster's UI shows none of a job of assets that have no partitions."""
    job = defs.resolve_job_def("missing_date")
    assert job.asset_layer.selected_asset_keys == set()
    assert [node.name for node in job.nodes] == ["navs_of_date"]
    config = job.partitioned_config.get_run_config_for_partition_key("2026-11-20")
    assert config == {"ops": {"navs_of_date": {"config": {"missing_on": 20261120}}}}
    assert dg.validate_run_config(job, config)


@pytest.mark.parametrize(
    ("job", "asset", "config", "words"),
    [
        (
            "history_backfill",
            "nav_history",
            {"kind": "bonds"},
            "not in enum type Kind got bonds",
        ),
        ("history_backfill", "nav_history", {"kinds": "bond"}, "kinds"),
        ("daily_collection", "fund_nav", {"history_funds": "all"}, "history_funds"),
    ],
)
def test_a_wrong_config_is_refused_before_a_run(job, asset, config, words):
    """Stops a typing error in the launchpad from becoming a run."""
    with pytest.raises(dg.DagsterInvalidConfigError, match=words):
        dg.validate_run_config(defs.resolve_job_def(job), {"ops": {asset: {"config": config}}})


@pytest.mark.parametrize(
    ("config", "given", "words"),
    [
        (CollectConfig, {"missing_on": 20269999}, "20269999 is not a date: write yyyymmdd"),
        (CollectConfig, {"history_funds": -1}, "0 or more"),
        (CollectConfig, {"history_codes": ["00001"]}, "six digits"),
        (HistoryConfig, {"codes": ["abc"]}, "six digits"),
        (HistoryConfig, {"since": 20261124}, "not a time: write yyyymmddhhmmss"),
        (HistoryConfig, {"buckets": ["64"]}, "buckets are 00 to 63"),
    ],
)
def test_a_config_that_cannot_be_meant_ends_before_anything_is_asked(config, given, words):
    """Stops a date or code that does not exist from quietly choosing no fund."""
    with pytest.raises(ValueError, match=words):
        config(**given)


@pytest.mark.slow
def test_runs_wait_for_each_other_however_they_were_launched(monkeypatch):
    """Stops two runs from asking the source for the same at once: their jobs have other names, or
    none, as of *Materialize all*, and one may be of the command line."""
    monkeypatch.setenv("DAGSTER_HOME", str(ROOT))
    with project_instance() as instance:
        asked = {
            name: instance.create_run_for_job(job_def=defs.resolve_job_def(name))
            for name in ("daily_collection", "daily_pipeline", "history_backfill", "daily_metrics",
                         "__ASSET_JOB")
        }  # fmt: skip
        pools = {
            name: run.run_op_concurrency.all_pools if run.run_op_concurrency else set()
            for name, run in asked.items()
        }
        assert pools == {
            "daily_collection": {"waves"}, "daily_pipeline": {"waves"},
            "history_backfill": {"histories"}, "daily_metrics": set(),
            "__ASSET_JOB": {"waves", "histories", "quarter"},
        }  # fmt: skip
        instance.handle_run_event(
            asked["daily_collection"].run_id,
            dg.DagsterEvent(
                event_type_value="PIPELINE_START", job_name="daily_collection", message=""
            ),
        )
        running = instance.get_run_records(
            dg.RunsFilter(run_ids=[asked["daily_collection"].run_id])
        )
        assert running[0].dagster_run.status is dg.DagsterRunStatus.STARTED
        waiting = [run for name, run in asked.items() if name != "daily_collection"]
        settings = instance.get_concurrency_config().pool_config
        counter = GlobalOpConcurrencyLimitsCounter(
            instance, waiting, running, {"waves", "histories", "quarter"},
            instance.event_log_storage.get_pool_limits(),
            pool_granularity=settings.pool_granularity,
        )  # fmt: skip
        assert settings.default_pool_limit == 1
        assert {run.job_name for run in waiting if counter.is_blocked(run)} == {
            "daily_pipeline", "__ASSET_JOB",
        }  # fmt: skip
