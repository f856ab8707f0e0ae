"""The wheel in an environment of its own, away from the project's folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def done(arguments, **options):
    ran = subprocess.run(
        [str(part) for part in arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    return ran.stdout


@pytest.mark.slow
def test_the_wheel_runs_where_nothing_else_is(tmp_path):
    """Stops a wheel that lacks a file of the project: what it needs comes with it."""
    source = tmp_path / "source"  # a copy: what an earlier build left behind is not in it
    shutil.copytree(
        ROOT / "fund_assets",
        source / "fund_assets",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in ("README.md", "dagster.yaml", "pyproject.toml", "setup.cfg"):
        shutil.copy(ROOT / name, source)
    done([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
          "-w", tmp_path / "wheels", source], cwd=tmp_path)  # fmt: skip
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    venv.create(tmp_path / "own", with_pip=False)
    own = tmp_path / "own" / "bin" / "python"
    done([sys.executable, "-m", "pip", "--python", own, "install", "-q", "--no-deps", wheel])
    # What it asks for is there already; the project itself is not: its own .pth is not read.
    packages = Path(
        done([own, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    )
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    away = tmp_path / "away"
    away.mkdir()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("FUND_", "DAGSTER_", "PYTHONPATH"))},
        "FUND_LANG": "en", "FUND_SIM_FUNDS": "20", "FUND_SIM_YEARS": "0.2",
        "FUND_CLOCK": "2026-09-17T23:50",
    }  # fmt: skip
    command = own.parent / "fund-assets"
    told = done([command, "run"], cwd=away, env=environment)
    assert " succeeded in " in told
    assert str(packages) in done(
        [own, "-c", "import fund_assets; print(fund_assets.__file__)"], cwd=away
    )
    assert (away / ".fund" / "simulated" / "warehouse.db").is_file()
    assert "All is well" in done([command, "dashboard"], cwd=away, env=environment)
