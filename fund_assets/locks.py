"""Locks on open files, which all processes of this machine respect.

Belongs here: the one place that asks the operating system. Does not belong here: which file
stands for what. A lock ends when its file is closed, however the process ends.
"""

import importlib
from typing import Any


def lock(file: Any, *, shared: bool = False) -> None:
    """Wait for a file: alone with it, or with others that share it.

    Args:
        file: a descriptor, or what has one.

    Raises:
        OSError: the file system knows no locks, or this is no POSIX system. What only reads
            needs none.
    """
    try:
        fcntl = importlib.import_module("fcntl")
    except ImportError as error:
        raise OSError(
            "this system has no POSIX file locks, which collecting and alerts need: run Fund "
            "Assets on Linux or macOS, on Windows in WSL or a container"
        ) from error
    fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
