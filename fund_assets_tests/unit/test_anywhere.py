"""Every module can be imported where the modules of POSIX are not there."""

import subprocess
import sys

import pytest

from fund_assets.locks import lock

PROGRAM = """
import builtins, importlib, pkgutil
import fund_assets
POSIX = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "crypt", "posix"}
real = builtins.__import__
def without(name, globals=None, locals=None, fromlist=(), level=0):
    if name in POSIX and (globals or {}).get("__name__", "").startswith("fund_assets"):
        raise ImportError(f"{globals['__name__']} imports {name}")
    return real(name, globals, locals, fromlist, level)
builtins.__import__ = without
names = [m.name for m in pkgutil.walk_packages(fund_assets.__path__, "fund_assets.")]
for name in names:
    if not name.endswith("__main__") and ".migrations.versions" not in name:
        importlib.import_module(name)
print(len(names))
"""


@pytest.mark.slow
def test_no_module_of_posix_is_on_the_import_path():
    """Stops the whole package from failing to load on a system without them."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 150


def test_locks_keep_each_other_out(tmp_path):
    """Stops a lock that is none: two that share go together, a third alone waits for both."""
    path = tmp_path / "lock"
    with path.open("w") as one, path.open("w") as other:
        lock(one, shared=True)
        lock(other, shared=True)
        tried = subprocess.run(
            [sys.executable, "-c",
             "import fcntl, sys; fcntl.flock(open(sys.argv[1], 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)",
             str(path)], capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert "BlockingIOError" in tried.stderr
