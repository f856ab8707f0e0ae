"""Files that are there whole, also after a power cut.

Belongs here: moving a finished file to its place, and what killed writers left. Does not belong
here: what is in the files.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fund_assets.locks import lock

#: A folder in which an export is being written, or was when it was killed.
WORK = ".fund-assets-export-"


def move(part: Path, path: Path) -> None:
    """Move a file that is finished to its place; both are on the disk before this returns."""
    _to_disk(part)
    part.replace(path)
    _to_disk(path.parent)


@contextmanager
def work_folder(beside: Path) -> Iterator[Path]:
    """A folder in `beside` to write in, gone afterwards; those of killed writers go first.

    A writer holds a lock on its folder as long as it lives.
    """
    for left in beside.glob(f"{WORK}*"):
        with suppress(OSError), _held(left):
            shutil.rmtree(left, ignore_errors=True)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=WORK, dir=beside))
        with suppress(FileNotFoundError):  # another took it for one that was left
            held = _lock(folder)
            break
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    held = _lock(folder)
    try:
        yield
    finally:
        os.close(held)


def _lock(folder: Path) -> int:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        lock(handle, wait=False)
        folder.stat()
    except OSError:
        os.close(handle)
        raise
    return handle


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
