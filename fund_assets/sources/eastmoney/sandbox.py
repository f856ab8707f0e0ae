"""Processes that can do no harm: no environment, no network.

Belongs here: how a child of ours is started, and what it gives up at once. Does not belong
here: what it is for (`akshare_child.py`, `javascript.py`), its limits of memory and time.
"""

import json
import subprocess
import sys
from contextlib import suppress

_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000


def python(module: str) -> list[str]:
    """The command that runs `main()` of a module of ours in a Python like this one."""
    path = json.dumps(sys.path)
    program = f"import sys; sys.path[:] = {path}; from {module} import main; main()"
    return [sys.executable, "-I", "-c", program]


def start(module: str) -> "subprocess.Popen[bytes]":
    """That process, with pipes as its input and output and with an empty environment."""
    return subprocess.Popen(  # noqa: S603
        python(module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    )


def no_network() -> bool:
    """Leave every network for good; whether the system allows it.

    It does to root, and to others where they may have namespaces of their own. To be called
    before there are threads.
    """
    import ctypes

    with suppress(OSError, AttributeError):
        unshare = ctypes.CDLL(None, use_errno=True).unshare
        return any(unshare(of) == 0 for of in (_NEW_NETWORK, _NEW_USER | _NEW_NETWORK))
    return False
