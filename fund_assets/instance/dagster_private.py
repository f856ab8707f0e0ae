"""All that we use of Dagster's private API: where each name lives, and why it is needed.

Belongs here: every name below `dagster._…`. Nothing else in the package may import such a
module; a test holds that. Does not belong here: what we do with them; Dagster's tables, which
`observability/dagster_tables.py` reads.

Dagster promises nothing of these names. At an upgrade run the tests of this file first: they
say which name is gone, or takes other arguments than we give.

A name is loaded when it is first imported from here: of the modules below, `import dagster`
leaves out five, and that of the SQLite storages alone takes as long as all the others.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dagster._cli import dev as dev
    from dagster._core.definitions.data_version import DATA_VERSION_TAG as DATA_VERSION_TAG
    from dagster._core.definitions.data_version import (
        get_input_data_version_tag as get_input_data_version_tag,
    )
    from dagster._core.definitions.freshness import FreshnessState as FreshnessState
    from dagster._core.definitions.reconstruct import ReconstructableJob as ReconstructableJob
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition as UnresolvedAssetJobDefinition,
    )
    from dagster._core.errors import (
        DagsterUserCodeUnreachableError as DagsterUserCodeUnreachableError,
    )
    from dagster._core.events import RunFailureReason as RunFailureReason
    from dagster._core.execution.api import execute_run as execute_run
    from dagster._core.execution.retries import (
        auto_reexecution_should_retry_run as auto_reexecution_should_retry_run,
    )
    from dagster._core.launcher import CheckRunHealthResult as CheckRunHealthResult
    from dagster._core.launcher import DefaultRunLauncher as DefaultRunLauncher
    from dagster._core.launcher import WorkerStatus as WorkerStatus
    from dagster._core.remote_origin import (
        ManagedGrpcPythonEnvCodeLocationOrigin as ManagedGrpcPythonEnvCodeLocationOrigin,
    )
    from dagster._core.remote_origin import RemoteJobOrigin as RemoteJobOrigin
    from dagster._core.remote_origin import RemoteRepositoryOrigin as RemoteRepositoryOrigin
    from dagster._core.scheduler.instigation import InstigatorState as InstigatorState
    from dagster._core.scheduler.instigation import InstigatorTick as InstigatorTick
    from dagster._core.scheduler.instigation import (
        ScheduleInstigatorData as ScheduleInstigatorData,
    )
    from dagster._core.scheduler.instigation import TickStatus as TickStatus
    from dagster._core.storage.local_compute_log_manager import (
        LocalComputeLogManager as LocalComputeLogManager,
    )
    from dagster._core.storage.root import LocalArtifactStorage as LocalArtifactStorage
    from dagster._core.storage.sqlite_storage import (
        DagsterSqliteStorage as DagsterSqliteStorage,
    )
    from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG as AUTO_RETRY_RUN_ID_TAG
    from dagster._core.storage.tags import GRPC_INFO_TAG as GRPC_INFO_TAG
    from dagster._core.storage.tags import PARENT_RUN_ID_TAG as PARENT_RUN_ID_TAG
    from dagster._core.storage.tags import RUN_FAILURE_REASON_TAG as RUN_FAILURE_REASON_TAG
    from dagster._core.types.loadable_target_origin import (
        LoadableTargetOrigin as LoadableTargetOrigin,
    )
    from dagster._grpc.client import DagsterGrpcClient as DagsterGrpcClient
    from dagster._grpc.types import CanCancelExecutionRequest as CanCancelExecutionRequest
    from dagster._grpc.types import CanCancelExecutionResult as CanCancelExecutionResult
    from dagster._serdes import ConfigurableClassData as ConfigurableClassData
    from dagster._utils.schedules import (
        schedule_execution_time_iterator as schedule_execution_time_iterator,
    )

#: Module → name → why it is needed.
NEEDED: dict[str, dict[str, str]] = {
    "dagster._cli": {
        "dev": "`make dev` starts its processes with our web server in the place of Dagster's.",
    },
    "dagster._core.definitions.data_version": {
        "DATA_VERSION_TAG": "Automation compares what an asset's content is now …",
        "get_input_data_version_tag": "… with the content that the asset behind it has read.",
    },
    "dagster._core.definitions.freshness": {
        "FreshnessState": "Alerts tell an asset whose freshness policy is broken.",
    },
    "dagster._core.definitions.reconstruct": {
        "ReconstructableJob": "A type alone: what a command hands over to be run.",
    },
    "dagster._core.definitions.unresolved_asset_job_definition": {
        "UnresolvedAssetJobDefinition": "A type alone: what `dg.define_asset_job` returns.",
    },
    "dagster._core.errors": {
        "DagsterUserCodeUnreachableError": "The launcher notifies a code server that is away.",
    },
    "dagster._core.events": {
        "RunFailureReason": "Whether a lost retry was due depends on why the run failed.",
    },
    "dagster._core.execution.api": {
        "execute_run": "The public `execute_job` leaves out which code location a run is of.",
    },
    "dagster._core.execution.retries": {
        "auto_reexecution_should_retry_run": "The retry sensor decides as the daemon does.",
    },
    "dagster._core.launcher": {
        "CheckRunHealthResult": "The launcher's answer to run monitoring.",
        "DefaultRunLauncher": "Our launcher is this one, and looks whether processes live.",
        "WorkerStatus": "What it answers: running, or failed.",
    },
    "dagster._core.remote_origin": {
        "ManagedGrpcPythonEnvCodeLocationOrigin": "A command's run names its code location, …",
        "RemoteJobOrigin": "… its job, …",
        "RemoteRepositoryOrigin": "… and its repository, so that the UI shows it there.",
    },
    "dagster._core.scheduler.instigation": {
        "InstigatorState": "A type alone: a schedule or sensor that is switched on.",
        "InstigatorTick": "A type alone: one of its ticks.",
        "ScheduleInstigatorData": "Alerts tell ticks that a schedule has missed.",
        "TickStatus": "Alerts tell ticks that failed, or were skipped because they were late.",
    },
    "dagster._core.storage.local_compute_log_manager": {
        "LocalComputeLogManager": "Ours, below FUND_STATE: what steps print.",
    },
    "dagster._core.storage.root": {
        "LocalArtifactStorage": "Ours, below FUND_STATE: files that steps leave.",
    },
    "dagster._core.storage.sqlite_storage": {
        "DagsterSqliteStorage": "Ours, below FUND_STATE: runs, events and schedules.",
    },
    "dagster._core.storage.tags": {
        "AUTO_RETRY_RUN_ID_TAG": "A run with it has been tried again.",
        "GRPC_INFO_TAG": "Where the code server of a run answers.",
        "PARENT_RUN_ID_TAG": "A run with it is the retry of another.",
        "RUN_FAILURE_REASON_TAG": "Why a run failed.",
    },
    "dagster._core.types.loadable_target_origin": {
        "LoadableTargetOrigin": "What a code location of a command's run is loaded from.",
    },
    "dagster._grpc.client": {
        "DagsterGrpcClient": "The launcher asks a code server whether it knows a run.",
    },
    "dagster._grpc.types": {
        "CanCancelExecutionRequest": "That question …",
        "CanCancelExecutionResult": "… and its answer.",
    },
    "dagster._serdes": {
        "ConfigurableClassData": "A type alone: what a class of dagster.yaml was made with.",
    },
    "dagster._utils.schedules": {
        "schedule_execution_time_iterator": "When a schedule should have ticked.",
    },
}
_HOME = {name: module for module, names in NEEDED.items() for name in names}

if not TYPE_CHECKING:  # mypy would take every name for one that is here

    def __getattr__(name: str) -> Any:
        """Load a name, once."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = importlib.import_module(_HOME[name])
        if not hasattr(home, name):
            importlib.import_module(f"{_HOME[name]}.{name}")  # a module below it
        globals()[name] = getattr(home, name)
        return globals()[name]
