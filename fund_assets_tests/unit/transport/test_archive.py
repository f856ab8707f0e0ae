"""The archive of raw answers."""

import gzip
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import time

import pytest

from fund_assets.transport.archive import DamagedError, RawArchive


def test_an_answer_comes_back_byte_for_byte_and_lies_there_once(tmp_path):
    """Provenance that cannot be read back proves nothing."""
    archive = RawArchive(tmp_path / "raw")
    body = bytes(range(256)) * 1000
    digest = archive.put(body)
    assert archive.put(body) == digest and archive.get(digest) == body
    files = list((tmp_path / "raw").rglob("*.gz"))
    assert files == [archive.path(digest)] and files[0].name == f"{digest}.gz"
    assert files[0].stat().st_size < len(body) / 10


def test_many_writers_of_one_answer_leave_one_whole_file(tmp_path):
    """Two runs that collect the same bytes at once must not meet half a file."""
    archive = RawArchive(tmp_path)
    body = os.urandom(200_000)
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(archive.put, [body] * 32))
    assert len(digests) == 1 and archive.get(digests.pop()) == body
    assert len(list(tmp_path.rglob("??/*"))) == 1


def test_a_damaged_file_is_told(tmp_path):
    """Evidence that changed on disk must not be replayed as what the source sent."""
    archive = RawArchive(tmp_path)
    digest, other = archive.put(b"one"), archive.put(b"two")
    archive.path(digest).write_bytes(archive.path(other).read_bytes())
    with pytest.raises(ValueError, match="damaged"):
        archive.get(digest)
    with pytest.raises(FileNotFoundError):
        archive.get("0" * 64)


def test_pruning_goes_by_when_an_answer_was_last_fetched(tmp_path):
    """An old answer that still comes every day is evidence of today."""
    archive = RawArchive(tmp_path)
    old, again, new = archive.put(b"old"), archive.put(b"again"), archive.put(b"new")
    for digest in (old, again):
        os.utime(archive.path(digest), (0, time() - 31 * 86_400))
    archive.put(b"again")
    assert archive.prune(older_than_days=30) == 1
    assert not archive.path(old).exists()
    assert archive.get(again) == b"again" and archive.get(new) == b"new"
    assert RawArchive(tmp_path / "none").prune(30) == 0


def test_what_is_kept_at_hand_is_there_until_it_is_forgotten(tmp_path):
    """An answer that is lost between arriving and being stored is asked for twice."""
    archive = RawArchive(tmp_path)
    digest = archive.put(b"var x;")
    assert archive.kept("history") == {} and archive.at_hand("history", "000001") is None
    archive.keep("history", "000001", digest)
    archive.keep("history", "000002", "status 404")
    assert archive.kept("history") == {"000001": digest, "000002": "status 404"}
    assert archive.kept("fund_list") == {}
    assert archive.at_hand("history", "000002") == "status 404"
    archive.forget("history", ["000001", "000009"])
    assert archive.kept("history") == {"000002": "status 404"} and archive.get(digest)
    assert archive.prune(older_than_days=-1) == 1, "the answer alone"
    assert archive.kept("history") == {"000002": "status 404"}


def test_what_another_process_forgets_meanwhile_is_not_missed(tmp_path):
    """Two workers share the folder: stops one from failing over what the other has stored.

    A link into nothing is a name that is listed and gone when it is read.
    """
    archive = RawArchive(tmp_path)
    archive.keep("history", "000001", "status 404")
    (tmp_path / "kept" / "history" / "000002").symlink_to(tmp_path / "gone")
    assert archive.kept("history") == {"000001": "status 404"}


HARM = {
    "torn": lambda data: data[: len(data) // 2],
    "without its end": lambda data: data[:-8],
    "empty": lambda data: b"",
    "flipped": lambda data: data[:40] + bytes([data[40] ^ 4]) + data[41:],
    "another": lambda data: gzip.compress(b"another answer"),
    "zeros": lambda data: bytes(len(data)),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_damaged_answer_is_told_and_healed_by_the_next_that_is_the_same(tmp_path, harm):
    """Stops a file that a power cut left torn from staying so for ever, or ending a run."""
    archive, body = RawArchive(tmp_path), os.urandom(5_000)
    digest = archive.put(body)
    path = archive.path(digest)
    path.write_bytes(HARM[harm](path.read_bytes()))
    with pytest.raises(DamagedError, match=f"{digest}.gz is damaged"):
        archive.get(digest)
    assert archive.put(body) == digest and archive.get(digest) == body


@pytest.mark.parametrize("said", [b"", b"ab12", b"\xff\xfe\x00", b"f" * 63, b"../../etc"])
def test_a_note_that_is_damaged_is_none(tmp_path, said):
    """Stops a torn note of what is at hand from ending a backfill, or from being followed."""
    archive = RawArchive(tmp_path)
    archive.keep("history", "000001", "status 404")
    (tmp_path / "kept" / "history" / "000001").write_bytes(said)
    assert archive.at_hand("history", "000001") is None and archive.kept("history") == {}
    archive.keep("history", "000001", "f" * 64)
    assert archive.kept("history") == {"000001": "f" * 64}


def test_what_is_stored_is_on_the_disk_name_and_content(tmp_path, monkeypatch):
    """Stops a power cut from taking an answer that was told as kept."""
    synced = []
    real = os.fsync
    monkeypatch.setattr(
        os,
        "fsync",
        lambda fd: (synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())), real(fd)),
    )
    archive = RawArchive(tmp_path)
    digest = archive.put(b"x")
    archive.keep("history", "000001", digest)
    kinds = ["file" if ".new-" in path else path for path in synced]
    folders = [str(archive.path(digest).parent), str(tmp_path / "kept" / "history")]
    assert kinds == ["file", folders[0], "file", folders[1]]


def test_pruning_beside_writers_takes_nothing_that_one_counts_on(tmp_path):
    """Stops an old answer from being deleted just after a writer has found it there."""
    archive = RawArchive(tmp_path)
    bodies = [b"%d" % n for n in range(20)]
    gone = []

    def prune(_):
        RawArchive(tmp_path).prune(30)

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(prune, None) for _ in range(30)]
        for body in bodies * 3:
            digest = archive.put(body)
            if archive.get(digest) != body:
                gone.append(digest)
        for job in jobs:
            job.result()
    assert gone == []
