"""Dagster's own state lies below FUND_STATE, in every process, with nothing exported."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from fund_assets.instance import home, storage
from fund_assets.instance.home import in_our_files
from fund_assets.instance.storage import StateComputeLogs, project_instance, set_dagster_home
from fund_assets.settings import SettingsError

ROOT = Path(__file__).resolve().parents[2]

TOY = """
import dagster as dg

@dg.asset
def fund_nav():
    print("said by the step")
    return dg.MaterializeResult(metadata={"rows_read": 7})

defs = dg.Definitions(
    assets=[fund_nav],
    jobs=[dg.define_asset_job("daily_pipeline", selection="*")],
    executor=dg.in_process_executor,
)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the project's dagster.yaml and nothing else."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(ROOT / "dagster.yaml", folder)
    (folder / "toy.py").write_text(TOY, encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


def rows_read() -> list[int]:
    """The metadata of every stored materialization, by the project's own instance."""
    with project_instance() as instance:
        records = instance.fetch_materializations(dg.AssetKey("fund_nav"), limit=10).records
        return [record.asset_materialization.metadata["rows_read"].value for record in records]


@pytest.mark.slow
def test_events_of_a_job_persist_with_nothing_exported(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stops `dagster job execute` from losing a run's events without a word."""
    monkeypatch.delenv("FUND_STATE")
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "dagster",
            "job",
            "execute",
            "-m",
            "toy",
            "-j",
            "daily_pipeline",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    kept = {path.name for path in project.iterdir()} - {"__pycache__"}
    assert kept == {"dagster.yaml", "toy.py", ".fund"}
    assert rows_read() == [7]
    said = [file.read_text() for file in (project / ".fund").rglob("*.out")]
    assert any("said by the step" in text for text in said)


def test_events_persist_where_fund_state_says(project: Path, tmp_path: Path) -> None:
    """Stops two states on one machine from mixing."""

    @dg.asset
    def fund_nav() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"rows_read": 8})

    with project_instance() as instance:
        assert dg.materialize([fund_nav], instance=instance).success
    assert not (project / ".fund").exists()
    assert (tmp_path / "state" / "simulated" / "dagster" / "history" / "runs.db").is_file()
    assert rows_read() == [8]


def test_markets_do_not_share_run_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops simulated evenings from standing among the real ones in the UI."""
    simulated = storage.dagster_dir()
    monkeypatch.setenv("FUND_SOURCE", "akshare")
    assert storage.dagster_dir() != simulated


def test_home_is_the_working_directory_first(project: Path) -> None:
    """Stops a second checkout's dagster.yaml from being used."""
    assert set_dagster_home() == project
    assert os.environ["DAGSTER_HOME"] == str(project)


def test_home_is_found_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops `fund-assets dashboard` from working in one folder only."""
    monkeypatch.chdir(tmp_path)
    assert set_dagster_home() == ROOT


def test_exported_home_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops a user's own Dagster instance from being replaced."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    assert set_dagster_home() == tmp_path


def test_missing_file_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops Dagster's long message about DAGSTER_HOME where the file is what lacks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(home, "CONFIG", "other.yaml")
    with pytest.raises(SettingsError, match=r"no other\.yaml in .* run this from the project"):
        set_dagster_home()
    assert "DAGSTER_HOME" not in os.environ


def test_instance_is_as_dagster_yaml_says(project: Path) -> None:
    """Stops a key of dagster.yaml from being spelt so that Dagster ignores it."""
    with project_instance() as instance:
        assert isinstance(instance.compute_log_manager, StateComputeLogs)
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.managed_python_loggers == ["fund_assets"]
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 3
        (limit,) = queue.tag_concurrency_limits
        assert limit == {
            "key": "fund/job",
            "value": {"applyLimitPerUniqueValue": True},
            "limit": 1,
        }


def test_writes_do_not_wait_for_the_disk_and_outlive_a_kill(tmp_path: Path) -> None:
    """Stops each event of a run from waiting twice for the disk, and a killed run's from being
    lost for it; and accepted NAVs from being promised before the disk has them."""
    script = """
import os, signal, sys, time
from pathlib import Path
import sqlalchemy as sa
from sqlalchemy.pool import NullPool
from fund_assets.instance.storage import write_at_once
folder = Path(sys.argv[1])
for name in ("inside", "outside"):
    (folder / name).mkdir()
    engine = sa.create_engine(f"sqlite:///{folder / name}/a.db", poolclass=NullPool)
    with engine.begin() as made:
        made.execute(sa.text("PRAGMA journal_mode=WAL"))
        made.execute(sa.text("CREATE TABLE t (n INT)"))
write_at_once(folder / "inside")
for name in ("inside", "outside"):
    engine = sa.create_engine(f"sqlite:///{folder / name}/a.db", poolclass=NullPool)
    for n in range(5):
        with engine.begin() as db:
            db.execute(sa.text("INSERT INTO t VALUES (:n)"), {"n": n})
            print(name, db.execute(sa.text("PRAGMA synchronous")).scalar())
    print(name, os.path.exists(folder / name / "a.db-wal"))
from fund_assets.warehouse import Warehouse
warehouse = Warehouse(f"sqlite:///{folder}/warehouse.db")
warehouse.init("simulated")
with warehouse.transaction(writes=True) as connection:
    print("warehouse", connection.execute(sa.text("PRAGMA synchronous")).scalar())
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    full, normal = "2", "1"
    assert killed.stdout.split("\n")[:-1] == [
        *[f"inside {normal}"] * 5,
        "inside True",
        *[f"outside {full}"] * 5,
        "outside False",
        f"warehouse {full}",
    ]
    with sqlite3.connect(tmp_path / "inside" / "a.db") as found:
        assert found.execute("SELECT COUNT(*) FROM t").fetchone() == (5,)


def test_the_files_storage_is_known_by_its_file(tmp_path, monkeypatch):
    """Stops the dashboard from reading files where Dagster keeps its records on a server."""
    monkeypatch.setenv("DAGSTER_HOME", str(ROOT))
    assert in_our_files()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    assert not in_our_files()
    ours = (ROOT / "dagster.yaml").read_text("utf-8")
    (tmp_path / "dagster.yaml").write_text(
        ours.replace("\n  custom:", "\n  # custom:"), "utf-8"
    )
    assert not in_our_files()
    shutil.copy(ROOT / "deploy" / "dagster.yaml", tmp_path)
    assert not in_our_files(), "that one names a server"
