"""The tool that changes lines on purpose: it must see a test that looks, and one that does not."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from fund_assets_tests.mutants.__main__ import EQUAL, Equal, draw
from fund_assets_tests.mutants.changes import Changes, files
from fund_assets_tests.mutants.reach import LONGEST, Reach

ROOT = Path(__file__).resolve().parents[3]

MARKS = '''"""Two functions: the limit of one is tested, that of the other is not."""


def passed(mark: int, limit: int) -> bool:
    """Whether a mark is over the limit."""
    return mark > limit


def praised(mark: int) -> bool:
    """Whether a mark is at least 90."""
    return mark >= 90


def forgotten(mark: int) -> int:
    return mark + 1
'''
TESTS = """from planted.marks import passed, praised


def test_passed():
    assert passed(5, 4)
    assert not passed(4, 4)


def test_praised():
    assert praised(95)
    assert not praised(10)
"""


def planted(folder: Path) -> Path:
    (folder / "planted").mkdir()
    (folder / "planted_tests").mkdir()
    (folder / "planted" / "__init__.py").touch()
    (folder / "planted" / "marks.py").write_text(MARKS)
    (folder / "planted_tests" / "__init__.py").touch()
    (folder / "planted_tests" / "test_marks.py").write_text(TESTS)
    return folder


@pytest.mark.slow
def test_a_planted_change_is_noticed_where_a_test_looks_and_survives_where_none_does(
    tmp_path: Path,
) -> None:
    """Stops a tool that counts everything as noticed, or nothing, or never runs a test."""
    root = planted(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "fund_assets_tests.mutants", "--root", str(root),
         "--package", "planted", "--only", "planted/*.py", "--tests", "planted_tests"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr  # well under 90 %
    blocks = done.stdout.split("\n\n")[0]
    # mark > limit → mark >= limit: test_passed looks at the limit itself.
    assert "passed\n" not in blocks, blocks
    # mark >= 90 → mark > 90, and 91: test_praised looks at neither.
    survivors = blocks.split("planted/marks.py")
    assert sum("+ return mark > 90" in s for s in survivors) == 1, blocks
    assert sum("+ return mark >= 91" in s for s in survivors) == 1, blocks
    assert "unreached, 0 tests: planted/marks.py:15 forgotten" in blocks
    assert "all, seed 1                     1 of    5 noticed" in done.stdout
    assert (root / "planted" / "marks.py").read_text() == MARKS


WAITING = """import os
import pathlib
import time

from planted.marks import passed


def test_passed():
    if passed(4, 4):  # a change is on trial
        pathlib.Path("{told}").write_text(f"{{os.getpid()}}\\n")
        time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_stopped_in_a_trial_it_leaves_nothing_changed_and_nothing_running(
    tmp_path: Path, end: signal.Signals
) -> None:
    """Stops a changed file in the project, or a trial that runs on, after Ctrl-C or a kill."""
    told, scratch = tmp_path / "told", tmp_path / "mutants-here"
    root = planted(tmp_path)
    (root / "planted_tests" / "test_marks.py").write_text(WAITING.format(told=told))
    scratch.mkdir()
    command = subprocess.Popen(
        [sys.executable, "-m", "fund_assets_tests.mutants", "--root", str(root), "--at-once", "1",
         "--package", "planted", "--only", "planted/*.py", "--tests", "planted_tests"],
        cwd=ROOT, env={**os.environ, "TMPDIR": str(scratch)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: told.exists() and told.read_text().endswith("\n"))
        trial = int(told.read_text())
        command.send_signal(end)
        assert command.wait(120) != 0
    finally:
        command.kill()
    until(lambda: state(trial) == "Z")
    assert (root / "planted" / "marks.py").read_text() == MARKS
    if end is not signal.SIGKILL:
        assert list(scratch.iterdir()) == []


def until(done: Callable[[], bool]) -> None:
    for _ in range(2400):
        if done():
            return
        time.sleep(0.05)
    raise AssertionError("waited for two minutes")


def state(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "Z"


def lines(folder: Path, source: str) -> set[str]:
    """What all changes make of the one line of a file."""
    (folder / "single.py").write_text(source + "\n")
    every = Changes(folder, folder / "single.py")
    found = (every.mutant(n) for n in range(len(every)))
    return {mutant.after for mutant in found if mutant is not None}


def test_predicates_in_sql_are_changed_one_at_a_time(tmp_path: Path) -> None:
    """Stops predicates that no mutant touches, because they stand in a text."""
    text = "SELECT MAX(day) FROM t WHERE kind = :kind AND day <= 5 ORDER BY day DESC"
    found = lines(tmp_path, f'QUERY = "{text}"')
    wanted = {
        text.replace("MAX", "MIN"), text.replace("= :kind", "<> :kind"),
        text.replace("AND", "OR"), text.replace("<=", "<"), text.replace("DESC", "ASC"),
        text.replace("AND day <= 5", ""),
    }  # fmt: skip
    assert found == {f'QUERY = "{other}"' for other in wanted} | {"QUERY = None"}


def test_tolerances_are_halved_and_doubled_and_words_are_left_alone(tmp_path: Path) -> None:
    """Stops a tolerance that may be twice as wide, and mutants of what only people read."""
    assert lines(tmp_path, "near = 0.5") == {"near = 1.0", "near = 0.25", "near = None"}
    assert lines(tmp_path, 'raise ValueError(f"{day} is no day", 3)') == {"pass"}
    assert lines(tmp_path, '"""Told to people."""') == set()
    assert lines(tmp_path, "if late and not held: go(1)") == {
        "if late or not held: go(1)", "if late and held: go(1)",
        "if not (late and not held): go(1)", "if late and not held: go(2)",
        "if late and not held: go(None)",
    }  # fmt: skip


def test_each_of_several_constants_in_one_line_leads_to_its_tests(tmp_path: Path) -> None:
    """Stops a limit that stands beside another from being tried with any tests at all."""
    (tmp_path / "single.py").write_text(
        "LEAST, MOST = 3, 9\ndef go(n):\n    return n <= MOST\n"
    )
    every = Changes(tmp_path, tmp_path / "single.py")
    mutant = next(m for n in range(len(every)) if (m := every.mutant(n)) and "10" in m.after)
    assert (mutant.within, mutant.level) == ("LEAST, MOST", True)
    known = Reach({"most": 1.0, "other": 0.1}, {"single.py": {3: {"most"}, 2: {"other"}}})
    assert known.tests_for(mutant, tmp_path) == ["most"]
    assert lines(tmp_path, "Days = NDArray[np.int64]") == set(), "a type is none"


def test_tests_that_come_into_the_branch_are_tried_though_they_are_slow(tmp_path: Path) -> None:
    """Stops a change from being called unnoticed because a hundred cheap tests, which only pass
    by, used up the time of the one that looks."""
    (tmp_path / "single.py").write_text(
        "def go(kind):\n    if kind == 'history':\n        kind = 'other'\n    return kind\n"
    )
    every = Changes(tmp_path, tmp_path / "single.py")
    mutant = next(m for n in range(len(every)) if (m := every.mutant(n)) and "!=" in m.after)
    cheap = {f"test_x.py::passes_by_{n}": 1.0 for n in range(100)}
    every_one = {*cheap, "test_y.py::looks"}
    reached = {2: every_one, 3: {"test_y.py::looks"}, 4: every_one}
    known = Reach(cheap | {"test_y.py::looks": 5.0}, {"single.py": reached})
    chosen = known.tests_for(mutant, tmp_path)
    assert "test_y.py::looks" in chosen
    assert sum(known.seconds[test] for test in chosen) <= LONGEST


def test_the_seed_alone_decides_the_sample(tmp_path: Path) -> None:
    """Stops a sample that another run, or nobody, can draw again."""
    root = planted(tmp_path)

    def sample(seed: int, count: int = 4) -> list[str]:
        drawn = draw(root, ["planted/*.py"], seed, count, Equal(None))
        return [str(mutant) for mutant in drawn]

    assert sample(3) == sample(3)
    assert sample(3)[:2] == sample(3, 2)
    assert len({tuple(sample(seed)) for seed in range(6)}) > 1
    assert len(sample(3)) == 4 and len(sample(3, 99)) == 5


def test_what_changes_nothing_has_a_reason_and_is_not_drawn(tmp_path: Path) -> None:
    """Stops survivors that are waved through without a word."""
    for row in tomllib.loads(EQUAL.read_text(encoding="utf-8"))["equal"]:
        assert set(row) == {"file", "within", "before", "after", "why"}, row
        assert (ROOT / row["file"]) in files(ROOT), row
        assert len(row["why"]) > 15, row
    root = planted(tmp_path)
    told = tmp_path / "equal.toml"
    told.write_text(
        '[[equal]]\nfile = "planted/marks.py"\nwithin = "praised"\n'
        'before = "return mark >= 90"\nafter = ["return mark > 90", "return mark >= 91"]\n'
        'why = "nobody was ever given 90"\n'
    )
    equal = Equal(told)
    left = [m.after for m in draw(root, ["planted/*.py"], 1, 99, equal)]
    assert "return mark > limit" not in left and len(left) == 3
    assert len(equal.met) == 2
