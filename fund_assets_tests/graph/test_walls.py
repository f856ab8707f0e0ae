"""Floors and walls: who may import whom."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_keep_to_floors_and_walls() -> None:
    """Stops an import that runs upward or through a wall."""
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("made", ["AssetCheckResult", "AssetCheckSpec", "asset_check"])
def test_one_function_makes_checks_and_their_results(made: str) -> None:
    """Stops a check that stands on no page, and a result that lacks what its readers read."""
    found = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "fund_assets").rglob("*.py"))
        for _ in re.findall(rf"\b{made}\(", path.read_text(encoding="utf-8"))
    ]
    assert found == ["fund_assets/checks/results.py"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("metrics", "import dagster", "Numbers and declarations"),
        ("nav", "from fund_assets import warehouse", "Imports run downward only"),
        ("sources", "import sqlalchemy", "Sources know neither"),
        ("transport", "import sqlalchemy", "Sources know neither"),
        ("observability/server", "import dagster", "The health server asks"),
        ("warehouse", "import dagster", "The pipeline and the warehouse"),
        ("warehouse/queries", "from fund_assets.warehouse import stores", "The rooms of the"),
        ("warehouse/engine", "def f():\n    import fund_assets.warehouse.queries", "The rooms"),
        ("schemas", "from fund_assets.calendar import to_key\nimport sqlalchemy", "Numbers"),
    ],
)
def test_walls_bite(tmp_path: Path, module: str, line: str, contract: str) -> None:
    """Stops a contract that is spelt so that it never fails."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "fund_assets", tmp_path / "fund_assets", ignore=ignore)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    (tmp_path / "fund_assets" / module / "intruder.py").write_text(f"{line}\n")
    result = lint(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    broken = [line for line in result.stdout.splitlines() if line.endswith("BROKEN")]
    assert [line.startswith(contract) for line in broken].count(True) == 1, result.stdout
