"""Makes the files of a release in dist/: `make release`. What people do: docs/release.md.

Belongs here: what a release refuses, what it is built from, and a look at what was built. Does
not belong here: tags and publishing (a person's), what the wheel can do (`test_wheel.py`).

The source archive is made from the files that git tracks, and the wheel from that archive: what
is only on this machine gets into neither.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from fund_assets import __version__

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
SECTION = re.compile(r"## (\d\S*) \((\S+)\)")
BACKEND = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"


def refusals(version: str, changelog: str, changed: str) -> list[str]:
    """Why `version` cannot be released, by the newest section and what git calls changed."""
    newest = next((line for line in changelog.splitlines() if line.startswith("## ")), "")
    section = SECTION.fullmatch(newest)
    found = []
    if section is None or not _is_day(section[2]):
        found.append(
            f"the newest section of CHANGELOG.md begins with {newest!r}, where version and day "
            f"of the release belong: ## {version} (2026-12-31)"
        )
    if section is not None and section[1] != version:
        found.append(
            f"the newest section of CHANGELOG.md is of {section[1]}, "
            f"fund_assets/version.py says {version}"
        )
    if changed:
        found.append(f"commit or remove what is changed first:\n{changed.rstrip()}")
    return found


def changed_files(root: Path) -> str:
    """What is not as the newest commit has it, new files too; empty when all is."""
    return said("git", "status", "--porcelain", "--untracked-files=all", cwd=root)


def tracked(root: Path, below: str = ".") -> list[str]:
    """The files that git tracks and that are there, by their paths in the repository."""
    names = said("git", "ls-files", "-z", below, cwd=root).split("\0")
    return [name for name in names if name and (root / name).is_file()]


def build(root: Path, dist: Path) -> tuple[Path, Path]:
    """The source archive of what git tracks, and the wheel of that archive."""
    dist.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in tracked(root):
            copy = Path(folder, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy)
        said(sys.executable, "-c", BACKEND, dist, cwd=folder)
    (archive,) = dist.glob("*.tar.gz")
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation")
    said(*pip, "-w", dist, archive, cwd=dist)
    (wheel,) = dist.glob("*.whl")
    return archive, wheel


def install(wheel: Path, folder: Path) -> Path:
    """An environment of its own with the wheel in it; its `bin`.

    What the wheel asks for is read from the environment that runs this. The project itself is
    not: of a .pth file that another one leads to, nothing is read.
    """
    venv.create(folder, with_pip=False)
    own = folder / "bin" / "python"
    said(sys.executable, "-m", "pip", "--python", own, "install", "-q", "--no-deps", wheel)
    packages = said(own, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    Path(packages.strip(), "others.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    return own.parent


def said(
    *command: str | Path, cwd: Path | str | None = None, env: Mapping[str, str] | None = None
) -> str:
    """What a program printed.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    ran = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if ran.returncode:
        words = " ".join(map(str, command))[:200]
        raise RuntimeError(f"{words}\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return ran.stdout


def sums(files: list[Path]) -> str:
    """Lines as `sha256sum --check` reads them."""
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files
    )


def main() -> int:
    """Refuse, check, test, build, try; the exit code."""
    for make in ("check", "test", None):  # looked at before each, and before it is built
        changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        if found := refusals(__version__, changelog, changed_files(ROOT)):
            print("\n".join(f"not released: {reason}" for reason in found), file=sys.stderr)
            return 1
        if make and (code := subprocess.run(["make", make], cwd=ROOT, check=False).returncode):
            return code
    shutil.rmtree(DIST, ignore_errors=True)
    files = build(ROOT, DIST)
    with tempfile.TemporaryDirectory() as folder:
        command = install(files[1], Path(folder)) / "fund-assets"
        away = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        told = said(command, "--version", cwd=folder, env=away)
    if told.split()[-1] != __version__:
        print(f"not released: the wheel calls itself {told.strip()!r}", file=sys.stderr)
        return 1
    (DIST / "SHA256SUMS").write_text(sums(list(files)), encoding="utf-8")
    print(f"{told.strip()}, of commit {said('git', 'rev-parse', 'HEAD', cwd=ROOT).strip()}")
    print((DIST / "SHA256SUMS").read_text(encoding="utf-8"), end="")
    return 0


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
