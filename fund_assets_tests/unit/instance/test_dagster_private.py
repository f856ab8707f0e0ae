"""Dagster's private API is as we use it, and one module alone knows where it lives.

At an upgrade of Dagster these tests come first: a name that fails here says what to look at.
"""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from fund_assets.instance import dagster_private
from fund_assets_tests.syntax import tree_of_file

FILE = Path(dagster_private.__file__)
PACKAGE = FILE.parents[1]
NAMES = {
    name: (module, why)
    for module, names in dagster_private.NEEDED.items()
    for name, why in names.items()
}


def users_of_private_api(folder: Path) -> list[str]:
    """The files that name a private module of Dagster, in an import or in a text."""
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*.py"))
        if re.search(r"\bdagster\._[a-z]|from dagster import _", path.read_text("utf-8"))
    ]


def test_one_module_alone_imports_what_is_private():
    """Stops an upgrade from breaking a file that nobody would look at."""
    assert users_of_private_api(PACKAGE) == ["instance/dagster_private.py"]


@pytest.mark.parametrize(
    "line",
    ["from dagster._core.events import X", "import dagster._core", "from dagster import _core",
     "load('dagster._serdes')"],
)  # fmt: skip
def test_the_wall_bites(tmp_path, line):
    """Stops a wall that lets every import through."""
    (tmp_path / "intruder.py").write_text(f"{line}\n")
    (tmp_path / "guest.py").write_text("import dagster as dg\nfrom dagster import asset\n")
    assert users_of_private_api(tmp_path) == ["intruder.py"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_there_and_says_why_it_is_needed(name):
    """Stops a name that Dagster has dropped from being found by the daemon at night."""
    module, why = NAMES[name]
    assert getattr(dagster_private, name) is not None, f"{module} has no {name} any more"
    assert len(why) > 10 and why.endswith((".", "…")), why


def test_what_is_no_name_of_it_is_refused():
    """Stops a misspelt name from being taken for None."""
    with pytest.raises(AttributeError, match="no attribute 'DagsterSqliteStore'"):
        _ = dagster_private.DagsterSqliteStore


def test_types_and_reasons_name_the_same():
    """Stops a name that mypy knows from being loaded from elsewhere, or not at all."""
    typed = {
        alias.name: node.module
        for node in ast.walk(tree_of_file(FILE))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dagster.")
        for alias in node.names
    }
    assert typed == {name: module for name, (module, _) in NAMES.items()}


def test_every_name_is_used():
    """Stops a name that nothing needs any more from being kept."""
    used = {
        alias.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(tree_of_file(path))
        if isinstance(node, ast.ImportFrom)
        and node.module == "fund_assets.instance.dagster_private"
        for alias in node.names
    }
    assert used == set(NAMES)


def test_nothing_is_loaded_before_it_is_asked_for():
    """Stops every command from paying for the SQLite storages and gRPC at its start."""
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; import dagster; before = set(sys.modules);"
            "from fund_assets.instance.dagster_private import DATA_VERSION_TAG, RunFailureReason;"
            "print([m for m in set(sys.modules) - before if m.startswith('dagster')]);"
            "print('dagster._core.storage.sqlite_storage' in sys.modules);"
            "from fund_assets.instance.dagster_private import DagsterSqliteStorage;"
            "print('dagster._core.storage.sqlite_storage' in sys.modules)",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.split() == ["[]", "False", "True"]


#: What we call: the first arguments by place, then those by name.
CALLS = {
    "get_input_data_version_tag": ("input_key", ()),
    "auto_reexecution_should_retry_run": ("instance run run_failure_reason", ()),
    "execute_run": ("job dagster_run instance", ()),
    "schedule_execution_time_iterator": (
        "start_timestamp cron_schedule execution_timezone", ()),
    "ManagedGrpcPythonEnvCodeLocationOrigin": (
        "loadable_target_origin", ("location_name",)),
    "CheckRunHealthResult": ("status msg", ()),
    "DefaultRunLauncher": ("inst_data", ()),
    "DefaultRunLauncher.check_run_worker_health": ("self run", ()),
    "DagsterGrpcClient": ("", ("host", "port", "socket", "use_ssl")),
    "DagsterGrpcClient.can_cancel_execution": (
        "self can_cancel_execution_request", ("timeout",)),
    "DagsterSqliteStorage": ("", ("base_dir", "inst_data")),
    "LocalArtifactStorage": ("", ("base_dir", "inst_data")),
    "LocalComputeLogManager": ("", ("base_dir", "inst_data")),
    "DagsterSqliteStorage.from_config_value": ("inst_data config_value", ()),
    "LocalArtifactStorage.from_config_value": ("inst_data config_value", ()),
    "LocalComputeLogManager.from_config_value": ("inst_data config_value", ()),
    "dev.open_ipc_subprocess": ("parts", ()),
}  # fmt: skip


def at(path):
    name, *rest = path.split(".")
    found = getattr(dagster_private, name)
    for part in rest:
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("call", CALLS)
def test_a_call_takes_what_we_give(call):
    """Stops an argument that was renamed, moved or added from failing a run or the daemon."""
    places, named = CALLS[call]
    parameters = inspect.signature(at(call)).parameters
    assert " ".join([*parameters][: len(places.split())]) == places
    assert set(named) <= {*parameters}
    others = [
        p.name
        for p in parameters.values()
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    assert set(others) <= {*places.split(), *named}, "it wants more than we give"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATA_VERSION_TAG", "dagster/data_version"),
        ("AUTO_RETRY_RUN_ID_TAG", "dagster/auto_retry_run_id"),
        ("PARENT_RUN_ID_TAG", "dagster/parent_run_id"),
        ("RUN_FAILURE_REASON_TAG", "dagster/failure_reason"),
        ("GRPC_INFO_TAG", ".dagster/grpc_info"),
    ],
)
def test_a_tag_is_spelt_as_in_the_records_of_before(name, value):
    """Stops records of before an upgrade from being read as if they had no such tag."""
    assert getattr(dagster_private, name) == value


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("FreshnessState", {"FAIL"}),
        ("TickStatus", {"SUCCESS", "SKIPPED", "FAILURE"}),
        ("WorkerStatus", {"RUNNING", "FAILED"}),
        ("RunFailureReason", {"STEP_FAILURE", "RUN_EXCEPTION", "UNKNOWN"}),
    ],
)
def test_a_state_that_we_look_for_exists(name, members):
    """Stops a state that was renamed from being found nowhere, in silence."""
    assert members <= {*getattr(dagster_private, name).__members__}


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("InstigatorTick", "timestamp end_timestamp status error"),
        ("InstigatorState", "is_running instigator_origin_id selector_id instigator_name "
         "instigator_data"),
        ("ScheduleInstigatorData", "start_timestamp cron_schedule"),
        ("CanCancelExecutionResult", "can_cancel"),
        ("ReconstructableJob", "job_name get_definition get_python_origin"),
    ],
)  # fmt: skip
def test_what_we_read_of_it_exists(name, attributes):
    """Stops an attribute that was renamed from failing an alert or a run."""
    assert [
        one for one in attributes.split() if not hasattr(getattr(dagster_private, name), one)
    ] == []


def test_a_record_takes_what_we_give():
    """Stops a field that was renamed from failing every command that runs a job."""
    target = dagster_private.LoadableTargetOrigin(
        executable_path="python", module_name="here", working_directory="/"
    )
    location = dagster_private.ManagedGrpcPythonEnvCodeLocationOrigin(
        target, location_name="here"
    )
    repository = dagster_private.RemoteRepositoryOrigin(location, "all")
    job = dagster_private.RemoteJobOrigin(repository, "evening")
    assert (job.job_name, job.repository_origin.repository_name) == ("evening", "all")
    assert job.repository_origin.code_location_origin.location_name == "here"
    asked = dagster_private.CanCancelExecutionRequest(run_id="one")
    assert asked.run_id == "one"


def test_what_is_only_a_type_is_still_what_it_names():
    """Stops a type from naming what Dagster does not give us any more."""
    from dagster import define_asset_job

    assert isinstance(define_asset_job("x"), dagster_private.UnresolvedAssetJobDefinition)
    assert issubclass(dagster_private.DagsterUserCodeUnreachableError, dg.DagsterError)
    assert {"module_name", "class_name"} <= {
        *inspect.signature(dagster_private.ConfigurableClassData).parameters
    }
