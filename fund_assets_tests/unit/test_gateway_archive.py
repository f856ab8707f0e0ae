"""The archive of raw answers."""

import os
from concurrent.futures import ThreadPoolExecutor
from time import time

import pytest

from fund_assets.sources.archive import RawArchive


def test_an_answer_comes_back_byte_for_byte_and_lies_there_once(tmp_path):
    """Provenance that cannot be read back proves nothing."""
    archive = RawArchive(tmp_path / "raw")
    body = bytes(range(256)) * 1000
    digest = archive.put(body)
    assert archive.put(body) == digest and archive.get(digest) == body
    files = [path for path in (tmp_path / "raw").rglob("*") if path.is_file()]
    assert files == [archive.path(digest)] and files[0].name == f"{digest}.gz"
    assert files[0].stat().st_size < len(body) / 10


def test_many_writers_of_one_answer_leave_one_whole_file(tmp_path):
    """Two runs that collect the same bytes at once must not meet half a file."""
    archive = RawArchive(tmp_path)
    body = os.urandom(200_000)
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(archive.put, [body] * 32))
    assert len(digests) == 1 and archive.get(digests.pop()) == body
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


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
