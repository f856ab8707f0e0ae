"""Which tests run which lines, and what each test costs.

Belongs here: a run of the tests under coverage, kept until a file that it depends on changes,
and the choice of tests for a change. Does not belong here: the change.
"""

import ast
import functools
import hashlib
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fund_assets_tests.mutants.changes import Mutant

#: Tests that may notice a change: they need no outside data, no server and no browser.
TESTS = ("fund_assets_tests/unit", "fund_assets_tests/graph", "fund_assets_tests/integration")
#: They start servers or whole processes, which a change in one process does not reach.
NOT_THESE = (
    "test_mysql.py", "test_celery.py", "test_deploy.py", "test_packaging.py", "test_walls.py",
    "test_daemon.py", "test_mutants.py", "test_killed_evenings.py", "test_copy_warehouse.py",
)  # fmt: skip
#: Most seconds of processor time that the tests of one change may take.
LONGEST = 60.0


@dataclass
class Reach:
    """What one run of test files showed.

    Attributes:
        seconds: test → its processor time, with its fixtures.
        lines: file → line → tests that ran it; lines of the import stand in none.
        failed: tests that fail without any change.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def add(self, told: dict[str, object]) -> None:
        """Take in what `run` wrote for one file of tests."""
        self.seconds |= told["seconds"]  # type: ignore[operator]
        self.failed |= set(told["failed"])  # type: ignore[call-overload]
        names = told["tests"]
        for path, rows in told["lines"].items():  # type: ignore[attr-defined]
            mine = self.lines.setdefault(path, {})
            for line, numbers in rows.items():
                mine.setdefault(int(line), set()).update(names[n] for n in numbers)  # type: ignore[index]

    def tests_for(self, mutant: Mutant, root: Path, without: Iterable[str] = ()) -> list[str]:
        """Tests that run the changed lines, of the fastest file first.

        Where all would take too long, half of the time is for those that run most of the lines of
        the function around the change, which come into its branches, and the rest for the cheap
        ones of all files.

        A change on module level is noticed where the name is used; where that says nothing,
        by tests of the file.
        """
        reached = self.lines.get(mutant.path, {})
        first, last = mutant.span
        lines = range(first, last + 1)
        found = set().union(*(reached.get(line, set()) for line in lines))
        if mutant.level:
            found = found | self._users(mutant, root) or set().union(*reached.values())
        elif not found:  # machine code is not seen, who calls it is
            found = self._users(mutant, root)
        found -= self.failed | set(without)
        around = Counter(
            test
            for line in _function(root / mutant.path, mutant.span)
            for test in reached.get(line, ())
        )
        chosen: set[str] = set()
        spent = 0.0
        for limit, rank in ((LONGEST / 2, around), (LONGEST, Counter[str]())):
            for test in sorted(found - chosen, key=lambda t: (-rank[t], self.seconds[t], t)):
                if spent + self.seconds[test] <= limit or not chosen:
                    spent += self.seconds[test]
                    chosen.add(test)
        by_file: dict[str, list[str]] = defaultdict(list)
        for test in self.seconds:  # in the order of the files
            if test in chosen:
                by_file[test.split("::")[0]].append(test)
        files = sorted(by_file.values(), key=lambda ts: sum(self.seconds[t] for t in ts))
        return [test for tests in files for test in tests]

    def _users(self, mutant: Mutant, root: Path) -> set[str]:
        """Tests that run a line with the name, or with a name that is made from it."""
        names = mutant.within.split(", ")
        wanted, known = {name.split(".")[0] for name in names} - {""}, -1
        texts = {path: (root / path).read_text(encoding="utf-8") for path in self.lines}
        made = [part for text in texts.values() for part in _assigned(text)]
        while len(wanted) != known:
            known = len(wanted)
            wanted |= {name for name, names in made if names & wanted}
        found = set()
        for path, reached in self.lines.items():
            for number, line in enumerate(texts[path].splitlines(), 1):
                if number in reached and wanted & set(_WORD.findall(line)):
                    found |= reached[number]
        return found


_WORD = re.compile(r"[A-Za-z_]\w*")


def _function(path: Path, span: tuple[int, int]) -> range:
    """The lines of the innermost function around these lines; empty on module level."""
    inside = [
        range(node.lineno, (node.end_lineno or 0) + 1)
        for node in ast.walk(_tree(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= span[0] <= span[1] <= (node.end_lineno or 0)
    ]
    return min(inside, key=len, default=range(0))


@functools.cache
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


@functools.cache
def _assigned(text: str) -> list[tuple[str, frozenset[str]]]:
    """Each name that a module assigns, and the names in what it assigns.

    A compiled function is one as well: what runs in it is not seen line by line.
    """
    found = []
    for node in _tree(text).body:
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(by, ast.Name) and by.id == "compiled" for by in node.decorator_list
        ):
            found.append((node.name, _names(node)))
        targets = (
            node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        )
        for target in targets if getattr(node, "value", None) else []:
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(part, ast.Name):
                    found.append((part.id, _names(node.value)))
    return found


def _names(node: ast.AST) -> frozenset[str]:
    """Names in it, those of other modules (`rules.RULES`) included."""
    parts = list(ast.walk(node))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return frozenset(names | {part.attr for part in parts if isinstance(part, ast.Attribute)})


def test_files(root: Path, tests: Iterable[str] = TESTS) -> list[Path]:
    """The files of tests, in order."""
    found = {path for name in tests for path in (
        [root / name] if name.endswith(".py") else (root / name).rglob("test_*.py")
    )}  # fmt: skip
    return sorted(path for path in found if path.name not in NOT_THESE)


def kept_name(root: Path, test_file: Path, package: str) -> str:
    """A name that changes with the package, with what tests share, and with this file."""
    text = hashlib.sha256(_shared(root, package).encode())
    text.update(str(test_file.relative_to(root)).encode() + test_file.read_bytes())
    return text.hexdigest()[:24]


def _shared(root: Path, package: str) -> str:
    text = hashlib.sha256()
    for path in sorted(root.glob("**/*.py")):
        parts = path.relative_to(root).parts
        if parts[0].startswith(package) and "mutants" not in parts:
            if path.name.startswith("test_"):
                continue
            text.update(path.read_bytes())
    return text.hexdigest()


def run(root: Path, package: str, test_file: Path, kept: Path) -> None:
    """Run one file of tests under coverage in this process, and keep what it showed."""
    import coverage

    cover = coverage.Coverage(data_file=None, source=[str(root / package)], config_file=False)
    watch = _Watch(cover)
    cover.start()
    pytest.main([*OPTIONS, str(test_file.relative_to(root))], plugins=[watch])
    cover.stop()
    data = cover.get_data()
    tests = list(watch.seconds)
    number = {test: i for i, test in enumerate(tests)}
    lines: dict[str, dict[int, list[int]]] = {}
    for file in data.measured_files():
        rows = data.contexts_by_lineno(file)
        path = str(Path(file).relative_to(root))
        lines[path] = {
            line: [number[test] for test in contexts if test in number]
            for line, contexts in rows.items()
        }
    told = {"tests": tests, "seconds": watch.seconds, "failed": watch.failed, "lines": lines}
    half = kept.with_suffix(f".{os.getpid()}")
    half.write_text(json.dumps(told), encoding="utf-8")
    half.rename(kept)


#: How pytest runs here: quiet, stopping at the first failure, leaving nothing behind.
OPTIONS = (
    "-q", "-m", "not slow and not real_data", "--no-header", "--tb=short",
    "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:unraisableexception",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip


def _processor_time() -> float:
    """Of this process and what it started: the same on a busy machine as on an idle one."""
    return sum(os.times()[:4])


class _Watch:
    """Tells coverage whose lines are run, and what each test costs."""

    def __init__(self, cover: object) -> None:
        self._cover = cover
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> object:
        begun = _processor_time()
        self._cover.switch_context(item.nodeid)  # type: ignore[attr-defined]
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = round(_processor_time() - begun, 3)
            self._cover.switch_context("")  # type: ignore[attr-defined]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)
