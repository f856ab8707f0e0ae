"""Locks on open files, which all processes of this machine respect.

Belongs here: the one place that asks the operating system, by portalocker. Does not belong
here: which file stands for what. A lock ends when its file is closed, however the process ends.
"""

from typing import Any


def lock(file: Any, *, shared: bool = False, wait: bool = True) -> None:
    """Wait for a file: alone with it, or with others that share it.

    Args:
        file: a descriptor, or what has one.
        wait: BlockingIOError at once otherwise, where another has it.

    Raises:
        OSError: the file system knows no locks. What only reads needs none.
    """
    import portalocker

    how = portalocker.LockFlags.SHARED if shared else portalocker.LockFlags.EXCLUSIVE
    try:
        portalocker.lock(file, how if wait else how | portalocker.LockFlags.NON_BLOCKING)
    except portalocker.AlreadyLocked as error:
        raise BlockingIOError("another process has the lock") from error
    except portalocker.LockException as error:
        raise OSError(f"the file system does not support locks: {error}") from error
