"""Files that are there whole, and what killed writers leave."""

import subprocess
import sys
from pathlib import Path

import pytest

from fund_assets import durable_files

WRITER = """
import sys
from pathlib import Path
from pathlib import Path
from fund_assets.durable_files import work_folder
with work_folder(Path(sys.argv[1])) as folder:
    (folder / "half.csv").write_text("half")
    print(folder.name, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_writer_left_goes_and_what_another_writes_stays(tmp_path):
    """Stops gigabytes of killed exports from staying, and one export from ending another."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        name = writer.stdout.readline().decode().strip()
        with durable_files.work_folder(tmp_path) as mine:
            assert {path.name for path in tmp_path.iterdir()} == {name, mine.name}
        assert [path.name for path in tmp_path.iterdir()] == [name]
        writer.kill()
    assert (tmp_path / name / "half.csv").is_file(), "it was killed"
    with durable_files.work_folder(tmp_path) as mine:
        assert [path.name for path in tmp_path.iterdir()] == [mine.name]
    assert not list(tmp_path.iterdir())


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    """Stops a power cut from leaving an empty file under the name of a whole one."""
    (tmp_path / "part").write_text("whole")
    seen = []

    def fsync(handle):
        path = Path(f"/proc/self/fd/{handle}").readlink()
        seen.append((Path(path).name, (tmp_path / "file").exists()))

    monkeypatch.setattr(durable_files.os, "fsync", fsync)
    durable_files.move(tmp_path / "part", tmp_path / "file")
    assert seen == [("part", False), (tmp_path.name, True)]


def test_a_failing_writer_leaves_nothing(tmp_path):
    """Stops half of a file from staying when writing ends in an error."""
    with pytest.raises(ValueError, match="x"), durable_files.work_folder(tmp_path):
        raise ValueError("x")
    assert not list(tmp_path.iterdir())
