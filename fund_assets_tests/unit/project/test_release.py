"""What `make release` refuses, and the sums that it writes. What it builds: test_wheel.py."""

import re
import subprocess
from pathlib import Path

import pytest

import fund_assets
from scripts import release

CHANGELOG = "# Changelog\n\n## {newest}\n\n### Fixed\n- It.\n\n## 0.1.0 (2026-11-30)\n"


def git(root: Path, *words: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def test_version_is_that_of_the_newest_section() -> None:
    """Stops a version in the code of which the changelog knows nothing, or the reverse."""
    text = (release.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+) \((unreleased|\d{4}-\d\d-\d\d)\)$", text, re.M)
    assert newest is not None
    assert newest[0] == re.search(r"^## .*$", text, re.M)[0]
    assert newest[1] == fund_assets.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", newest[1])


@pytest.mark.parametrize(
    ("newest", "version", "words"),
    [
        ("0.2.0 (2026-12-31)", "0.2.0", []),
        ("0.2.0 (unreleased)", "0.2.0", ["'## 0.2.0 (unreleased)', where version and day"]),
        ("0.2.0 (2026-02-30)", "0.2.0", ["where version and day"]),
        ("0.2.0", "0.2.0", ["where version and day"]),
        ("Unreleased", "0.1.0", ["'## Unreleased', where version and day"]),
        ("0.2.0 (2026-12-31)", "0.1.0", ["is of 0.2.0, fund_assets/version.py says 0.1.0"]),
        ("0.2.0 (unreleased)", "0.1.0", ["where version and day", "is of 0.2.0"]),
    ],
)  # fmt: skip
def test_release_without_its_section_is_refused(
    newest: str, version: str, words: list[str]
) -> None:
    """Stops a release whose changes are told under another number, or as still to come."""
    reasons = release.refusals(version, CHANGELOG.format(newest=newest), "")
    assert len(reasons) == len(words)
    assert all(word in reason for word, reason in zip(words, reasons, strict=True))


def test_release_without_a_changelog_is_refused() -> None:
    """Stops an empty changelog from ending the command with a traceback."""
    assert len(release.refusals("0.1.0", "", "")) == 1


def test_dirty_tree_is_refused(tmp_path: Path) -> None:
    """Stops a release of what no commit has: a changed, a new, and a removed file."""
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("dist/\n", encoding="utf-8")
    for name in ("kept", "removed"):
        (tmp_path / name).write_text("1", encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "One")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "ignored").write_text("1", encoding="utf-8")
    assert release.changed_files(tmp_path) == ""

    (tmp_path / "kept").write_text("2", encoding="utf-8")
    (tmp_path / "removed").unlink()
    (tmp_path / "new").write_text("3", encoding="utf-8")
    changed = release.changed_files(tmp_path)
    assert changed.splitlines() == [" M kept", " D removed", "?? new"]
    (reason,) = release.refusals(
        "0.2.0", CHANGELOG.format(newest="0.2.0 (2026-12-31)"), changed
    )
    assert reason == "commit or remove what is changed first:\n M kept\n D removed\n?? new"
    assert release.tracked(tmp_path) == [".gitignore", "kept"]


def test_refusal_ends_the_command_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stops half an hour of tests before it is told that a release cannot be."""
    monkeypatch.setattr(release, "changed_files", lambda root: "?? new\n")
    monkeypatch.setattr(release, "build", None)
    monkeypatch.setattr(release.subprocess, "run", None)
    assert release.main() == 1
    assert "not released: commit or remove what is changed first:\n?? new" in (
        capsys.readouterr().err
    )


def test_sums_are_read_by_sha256sum(tmp_path: Path) -> None:
    """Stops sums that nobody can compare with the usual tool."""
    files = [tmp_path / "a.tar.gz", tmp_path / "a.whl"]
    for file in files:
        file.write_text(file.name, encoding="utf-8")
    (tmp_path / "SHA256SUMS").write_text(release.sums(files), encoding="utf-8")
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "a.tar.gz: OK\na.whl: OK\n")
    files[1].write_text("other", encoding="utf-8")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 1
