"""The trial of one change: a fork that has all libraries loaded, in a copy of the project.

Belongs here: copies, forks, limits, and what became of a trial. Does not belong here: which
change and which tests.
"""

import contextlib
import ctypes
import json
import os
import re
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from fund_assets_tests.mutants.reach import OPTIONS

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".fund*", ".mutants", ".*_cache", ".hypothesis", "site", "build", "dist",
    "*.egg-info", ".tmp_dagster_home_*", "history", "schedules", "storage", "mutants-*",
)  # fmt: skip
#: Files whose machine code is kept beside them.
LOOPS = re.compile(r"kernel\.py$")
#: prctl's PR_SET_PDEATHSIG.
_DEATH_SIGNAL = 1
#: A trial may take so many times what its tests took unchanged, and so many seconds more.
TIMES, MORE = 6.0, 40.0


@dataclass(frozen=True)
class End:
    """How a fork ended.

    Attributes:
        code: pytest's exit code; None when it ran out of time.
        seconds: of processor time, with all its children.
        failing: the test that failed first.
    """

    code: int | None
    seconds: float
    failing: str = ""


class Copy:
    """A copy of the project that changes are made in, one after the other."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(root, folder, ignore=LEFT_OUT, symlinks=True)
        for name in (".venv", ".git"):
            if (root / name).exists():
                (folder / name).symlink_to(root / name)

    @contextlib.contextmanager
    def changed(self, path: str, code: str | None) -> Iterator[None]:
        """The file is another one meanwhile; no compiled form of either is left."""
        if code is None:
            yield
            return
        file = self.folder / path
        before = file.stat()
        text = file.read_bytes()
        self._forget(file)
        file.write_text(code, encoding="utf-8")
        try:
            yield
        finally:
            file.write_bytes(text)
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            self._forget(file)

    def _forget(self, file: Path) -> None:
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.cpython-*.pyc"):
            compiled.unlink()


@dataclass
class Fork:
    """A running fork."""

    pid: int
    latest: float
    told: Path

    def ended(self) -> End | None:
        """How it ended; None while it runs. It is stopped when its time is over."""
        late = time.monotonic() > self.latest
        if late:
            _stop(self.pid)
        pid, status, used = os.wait4(self.pid, 0 if late else os.WNOHANG)
        if not pid:
            return None
        _stop(self.pid)  # what it started and left
        seconds = used.ru_utime + used.ru_stime
        over = late or os.WIFSIGNALED(status)
        failing = self.told.read_text(encoding="utf-8") if self.told.exists() else ""
        return End(None if over else os.WEXITSTATUS(status), seconds, failing)

    def stop(self) -> None:
        """End it, with all that it started."""
        _stop(self.pid)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _stop(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def fork(copy: Copy, work: Callable[[], int], allowed: float, *, changed: str = "") -> Fork:
    """Do `work` in a fork whose project is the copy; its exit code is what work returns.

    Args:
        allowed: seconds of processor time; of the clock, four times as many.
        changed: the file that is changed: compiled forms of it must not be kept.
    """
    told = copy.folder.parent / f"{copy.folder.name}.told"
    told.unlink(missing_ok=True)
    pid = os.fork()
    if pid:
        return Fork(pid, time.monotonic() + 4 * allowed, told)
    code = 70
    try:
        os.setsid()
        _end_with_the_parent()
        resource.setrlimit(resource.RLIMIT_CPU, (int(allowed) + 1, int(allowed) + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _at_home(copy, changed)
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _end_with_the_parent() -> None:
    """A fork is not left behind, however the command ends: Linux kills it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def _at_home(copy: Copy, changed: str) -> None:
    """This process, and what it starts, sees the copy alone."""
    output = os.open(
        copy.folder.parent / f"{copy.folder.name}.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    )
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(copy.folder)
    sys.path.insert(0, str(copy.folder))
    os.environ["PYTHONPATH"] = str(copy.folder)
    if changed:
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    machine_code = copy.folder.parent / f"{copy.folder.name}.numba"
    if LOOPS.search(changed):
        machine_code = machine_code.with_suffix(".once")
        shutil.rmtree(machine_code, ignore_errors=True)
    machine_code.mkdir(exist_ok=True)
    os.environ["NUMBA_CACHE_DIR"] = str(machine_code)
    if numba := sys.modules.get("numba"):
        numba.config.reload_config()
    for name in [
        n for n in sys.modules if n.split(".")[0] in ("fund_assets", "fund_assets_tests")
    ]:
        del sys.modules[name]


def pytest_in(copy: Copy, tests: Sequence[str]) -> Callable[[], int]:
    """Work for a fork: these tests, until one fails."""

    def work() -> int:
        first = _First(copy.folder.parent / f"{copy.folder.name}.told")
        return int(pytest.main(["-x", *OPTIONS, *tests], plugins=[first]))

    return work


class _First:
    """Writes down which test failed first."""

    def __init__(self, told: Path) -> None:
        self._told = told

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._told.exists():
            self._told.write_text(report.nodeid, encoding="utf-8")


def libraries(copy: Copy, package: str, tests: Sequence[str]) -> list[str]:
    """Names of all modules, but for the project's, that collecting the tests loads."""
    names = copy.folder.parent / "libraries.json"

    def work() -> int:
        pytest.main([*OPTIONS, "--collect-only", *tests])
        names.write_text(json.dumps([n for n in sys.modules if not n.startswith(package)]))
        return 0

    running = fork(copy, work, 300)
    while running.ended() is None:
        time.sleep(0.05)
    return list(json.loads(names.read_text(encoding="utf-8"))) if names.exists() else []
