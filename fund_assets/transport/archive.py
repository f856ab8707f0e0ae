"""The archive of raw answers: what the source sent, byte for byte, before anyone parsed it.

Belongs here: storing, reading back and pruning answers by the SHA-256 of their bytes. Does not
belong here: which answers are fetched (`gateway.py`) or what they mean
(`sources/eastmoney/`).

An answer lies in `<folder>/<first two digits>/<sha256>.gz`; the same answer fetched twice is
one file. The file's modification time says when it was last fetched.

An answer can be kept at hand under the name of what was asked, in `<folder>/kept/<endpoint>/`,
until what it says has been stored: whoever asks the same meanwhile need not ask the source.
"""

import gzip
import hashlib
import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import time

from fund_assets.locks import lock


class DamagedError(ValueError):
    """A file holds no longer what was stored in it; the message names it."""


@dataclass(frozen=True)
class RawArchive:
    """A folder of answers, safe for many writers on one file system."""

    folder: Path

    def path(self, sha256: str) -> Path:
        """Where the answer with this digest lies, whether it exists or not."""
        return self.folder / sha256[:2] / f"{sha256}.gz"

    def put(self, body: bytes) -> str:
        """Store `body` unless it is there already, whole; return its SHA-256 in hex.

        It is on the disk when this returns. A file that is damaged is made anew.
        """
        sha256 = hashlib.sha256(body).hexdigest()
        target = self.path(sha256)
        # Level 6 takes three times as long, and a fifth of the room less.
        packed = gzip.compress(body, compresslevel=1, mtime=0)
        with self._beside_pruning():
            if _holds(target, packed):
                os.utime(target)
            else:
                _write(target, packed)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The answer with this digest.

        Raises:
            FileNotFoundError: it was never stored, or is pruned.
            DamagedError: the file's content is no longer the one that was stored.
        """
        path = self.path(sha256)
        try:
            body = gzip.decompress(path.read_bytes())
        except FileNotFoundError:
            raise
        except (OSError, EOFError, zlib.error) as error:
            raise DamagedError(
                f"raw answer {path} is damaged: {type(error).__name__}: {error}; it is "
                "requested again"
            ) from error
        if (found := hashlib.sha256(body).hexdigest()) != sha256:
            raise DamagedError(
                f"raw answer {path} is damaged: its sha256 is {found}; it is requested again"
            )
        return body

    def keep(self, endpoint: str, name: str, said: str) -> None:
        """Keep at hand what was answered: the answer's sha256, or `status 404` and the like."""
        _write(self.folder / "kept" / endpoint / name, said.encode())

    def kept(self, endpoint: str) -> dict[str, str]:
        """What is kept at hand: name → what was answered; others may be forgetting theirs."""
        folder = self.folder / "kept" / endpoint
        names = [path.name for path in folder.glob("[!.]*")] if folder.is_dir() else []
        found = {name: self.at_hand(endpoint, name) for name in names}
        return {name: said for name, said in found.items() if said is not None}

    def at_hand(self, endpoint: str, name: str) -> str | None:
        """What was answered to this one; None: nothing is kept of it, or nothing readable."""
        try:
            said = (self.folder / "kept" / endpoint / name).read_bytes()
        except OSError:
            return None
        return said.decode() if _SAID.fullmatch(said) else None

    def forget(self, endpoint: str, names: Iterable[str]) -> None:
        """Keep these at hand no longer; the answers themselves stay until they are pruned."""
        for name in names:
            (self.folder / "kept" / endpoint / name).unlink(missing_ok=True)

    def prune(self, older_than_days: float) -> int:
        """Delete answers last fetched more than `older_than_days` days ago; return how many."""
        limit = time() - older_than_days * 86_400
        pruned = 0
        for path in self.folder.glob("??/*"):
            with suppress(FileNotFoundError):  # another prunes, too
                if path.stat().st_mtime >= limit:
                    continue
                # A writer may have found it there meanwhile, and counts on it.
                with self._beside_writers():
                    if path.stat().st_mtime < limit:
                        path.unlink()
                        pruned += 1
        return pruned

    def _beside_pruning(self) -> AbstractContextManager[None]:
        """No answer is pruned while the block runs; any number may write."""
        return self._lock(shared=True)

    def _beside_writers(self) -> AbstractContextManager[None]:
        """Nobody writes while the block runs."""
        return self._lock(shared=False)

    @contextmanager
    def _lock(self, *, shared: bool) -> Iterator[None]:
        path = self.folder / ".lock"
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            lock(file, shared=shared)
            yield
        finally:
            os.close(file)


#: What can be kept at hand: a digest, or a status.
_SAID = re.compile(rb"[0-9a-f]{64}|status [0-9]{3}")


def _holds(path: Path, content: bytes) -> bool:
    """Whether a file is there and holds exactly this."""
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _write(target: Path, content: bytes) -> None:
    """A file as a whole or not at all, and on the disk when this returns, name and content."""
    handle, name = _new_file(target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _new_file(folder: Path) -> tuple[int, str]:
    """A file of its own in a folder, which is made when it turns out that it is not there."""
    try:
        return tempfile.mkstemp(dir=folder, prefix=".new-")
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.mkstemp(dir=folder, prefix=".new-")
