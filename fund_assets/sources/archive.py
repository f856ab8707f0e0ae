"""The archive of raw answers: what the source sent, byte for byte, before anyone parsed it.

Belongs here: storing, reading back and pruning answers by the SHA-256 of their bytes. Does
not belong here: which answers are fetched (`gateway.py`) or what they mean (`decode.py`).

An answer lies in `<folder>/<first two digits>/<sha256>.gz`; the same answer fetched twice is
one file. The file's modification time says when it was last fetched.

An answer can be kept at hand under the name of what was asked, in `<folder>/kept/<endpoint>/`,
until what it says has been stored: whoever asks the same meanwhile need not ask the source.
"""

import gzip
import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import time


@dataclass(frozen=True)
class RawArchive:
    """A folder of answers, safe for many writers on one file system."""

    folder: Path

    def path(self, sha256: str) -> Path:
        """Where the answer with this digest lies, whether it exists or not."""
        return self.folder / sha256[:2] / f"{sha256}.gz"

    def put(self, body: bytes) -> str:
        """Store `body` unless it is there already; return its SHA-256 in hex."""
        sha256 = hashlib.sha256(body).hexdigest()
        target = self.path(sha256)
        if target.exists():
            os.utime(target)
            return sha256
        handle, name = _new_file(target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                # Level 6 takes three times as long, and a fifth of the room less.
                file.write(gzip.compress(body, compresslevel=1, mtime=0))
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return sha256

    def get(self, sha256: str) -> bytes:
        """The answer with this digest.

        Raises:
            FileNotFoundError: it was never stored, or is pruned.
            ValueError: the file's content is no longer the one that was stored.
        """
        path = self.path(sha256)
        body = gzip.decompress(path.read_bytes())
        if (found := hashlib.sha256(body).hexdigest()) != sha256:
            raise ValueError(f"raw answer {path} is damaged: its sha256 is {found}; delete it")
        return body

    def keep(self, endpoint: str, name: str, said: str) -> None:
        """Keep at hand what was answered: the answer's sha256, or `status 404` and the like."""
        target = self.folder / "kept" / endpoint / name
        handle, new = _new_file(target.parent)
        with os.fdopen(handle, "w") as file:
            file.write(said)
        Path(new).replace(target)

    def kept(self, endpoint: str) -> dict[str, str]:
        """What is kept at hand: name → what was answered."""
        folder = self.folder / "kept" / endpoint
        found = folder.glob("[!.]*") if folder.is_dir() else ()
        return {path.name: path.read_text() for path in found}

    def at_hand(self, endpoint: str, name: str) -> str | None:
        """What was answered to this one; None: nothing is kept of it."""
        try:
            return (self.folder / "kept" / endpoint / name).read_text()
        except FileNotFoundError:
            return None

    def forget(self, endpoint: str, names: Iterable[str]) -> None:
        """Keep these at hand no longer; the answers themselves stay until they are pruned."""
        for name in names:
            (self.folder / "kept" / endpoint / name).unlink(missing_ok=True)

    def prune(self, older_than_days: float) -> int:
        """Delete answers last fetched more than `older_than_days` days ago; return how many."""
        limit = time() - older_than_days * 86_400
        pruned = 0
        for path in self.folder.glob("??/*"):
            if path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)
                pruned += 1
        return pruned


def _new_file(folder: Path) -> tuple[int, str]:
    """A file of its own in a folder, which is made when it turns out that it is not there."""
    try:
        return tempfile.mkstemp(dir=folder, prefix=".new-")
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.mkstemp(dir=folder, prefix=".new-")
