"""Locks on open files, which all processes of this machine respect.

Belongs here: the one place that asks the operating system. Does not belong here: which file
stands for what. A lock ends when its file is closed, however the process ends.
"""

import importlib
from typing import Any


def lock(file: Any, *, shared: bool = False, wait: bool = True) -> None:
    """Wait for a file: alone with it, or with others that share it.

    Args:
        file: a descriptor, or what has one.
        wait: BlockingIOError at once otherwise, where another has it.

    Raises:
        OSError: the file system knows no locks, or this is no POSIX system. What only reads
            needs none.
    """
    try:
        fcntl = importlib.import_module("fcntl")
    except ImportError as error:
        raise OSError(
            "this system has no POSIX file locks, which collecting, alerts and exports need: "
            "run Fund Assets on Linux or macOS, on Windows in WSL or a container"
        ) from error
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    fcntl.flock(file, how if wait else how | fcntl.LOCK_NB)
