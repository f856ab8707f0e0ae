"""Fixtures that every kind of test may use."""

import os
from pathlib import Path

import pytest

from fund_assets.settings import Settings


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real fund histories, or a skip that says plainly that it is absent."""
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("FUND_REAL_DATA") or root.parent / "shared" / "data")
    if not (folder / "histories_ak").is_dir():
        pytest.skip(f"real fund data is absent: {folder} (set FUND_REAL_DATA to have it)")
    return folder


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the developer's settings or writes below the project's own state."""
    for name in list(os.environ):
        if name.startswith("FUND_") and name != "FUND_REAL_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("FUND_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
