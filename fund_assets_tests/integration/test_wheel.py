"""The files of a release: what is in them, and the wheel away from the project's folder."""

import os
import re
import shutil
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

import fund_assets
from scripts.release import ROOT, build, install, said, tracked

pytestmark = pytest.mark.slow

VERSION = fund_assets.__version__
#: Beside the package and what setuptools writes.
OF_THE_SOURCE = {
    "CHANGELOG.md", "LICENSE", "MANIFEST.in", "NOTICE", "README.md", "README.zh-CN.md",
    "dagster.yaml", "pyproject.toml", "setup.cfg", "workspace.yaml",
}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The source archive and the wheel."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def test_source_archive_has_what_git_tracks_and_nothing_else(built):
    """Stops a file of the package from staying behind, and one of a desk from going along."""
    archive, _ = built
    assert archive.name == f"fund_assets-{VERSION}.tar.gz"
    with tarfile.open(archive) as files:
        names = {entry.name.partition("/")[2] for entry in files if entry.isfile()}
    written = {name for name in names if re.match(r"PKG-INFO|setup\.cfg|.*\.egg-info/", name)}
    assert names - written - OF_THE_SOURCE == set(tracked(ROOT, "fund_assets"))
    assert names >= OF_THE_SOURCE


def test_wheel_has_the_package_its_licence_and_its_settings(built):
    """Stops a page, a style or a migration of the package from missing where it is installed."""
    _, wheel = built
    of_metadata = f"fund_assets-{VERSION}.dist-info/"
    of_data = f"fund_assets-{VERSION}.data/data/"
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
        told = message_from_bytes(files.read(f"{of_metadata}METADATA"))
    beside = {name for name in names if name.startswith((of_metadata, of_data))}
    assert names - beside == set(tracked(ROOT, "fund_assets"))
    licences = {f"{of_metadata}licenses/{name}" for name in ("LICENSE", "NOTICE")}
    assert beside >= licences | {f"{of_data}share/fund-assets/dagster.yaml"}
    assert (told["Name"], told["Version"]) == ("fund-assets", VERSION)
    assert told["License-Expression"] == "Apache-2.0"
    assert told.get_all("License-File") == ["LICENSE", "NOTICE"]
    assert told.get_all("Project-URL") is None


def test_image_has_what_its_package_is_built_from(tmp_path):
    """Stops an image that cannot be built: a file that setup.cfg names and nobody copies."""
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
    for sources, place in re.findall(r"^COPY (.+) /(src\S*)$", text, re.MULTILINE):
        for source in sources.split():
            for name in tracked(ROOT, source):
                below = Path(name).relative_to(source) if (ROOT / source).is_dir() else name
                copy = tmp_path / place / below
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy)
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation")
    said(*pip, "-w", tmp_path, tmp_path / "src", cwd=tmp_path)
    assert [path.name for path in tmp_path.glob("*.whl")] == [
        f"fund_assets-{VERSION}-py3-none-any.whl"
    ]


def test_the_wheel_runs_where_nothing_else_is(built, tmp_path):
    """Stops a wheel that lacks a file of the project: what it needs comes with it."""
    command = install(built[1], tmp_path / "own") / "fund-assets"
    away = tmp_path / "away"
    away.mkdir()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("FUND_", "DAGSTER_", "PYTHONPATH"))},
        "FUND_LANG": "en", "FUND_SIM_FUNDS": "20", "FUND_SIM_YEARS": "0.2",
        "FUND_CLOCK": "2026-09-17T23:50",
    }  # fmt: skip
    assert said(command, "--version", cwd=away, env=environment) == (
        f"fund-assets, version {VERSION}\n"
    )
    where = said(command.parent / "python", "-c", "import fund_assets; print(fund_assets.__file__)",
                 cwd=away, env=environment)  # fmt: skip
    assert where.startswith(str(tmp_path / "own"))
    assert " succeeded in " in said(command, "run", cwd=away, env=environment)
    assert (away / ".fund" / "simulated" / "warehouse.db").is_file()
    assert "All is well" in said(command, "dashboard", cwd=away, env=environment)
