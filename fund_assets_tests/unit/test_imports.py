"""Importing the package changes nothing outside it."""

import json
import subprocess
import sys

import pytest

#: Imports every module and prints what our own code set meanwhile, with the module that did.
#: What other libraries set when they are imported is theirs.
LOOK = """
import importlib, json, logging, os, pkgutil, sys

told = []

def ours(what):
    frame = sys._getframe(2)
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in ("os", "logging"):
        frame = frame.f_back
    name = frame.f_globals.get("__name__", "")
    if name.split(".")[0] in ("fund_assets", *sys.argv[1:]):
        told.append([name, what])

def watch(owner, method, words):
    real = getattr(owner, method)
    def watched(self, *arguments):
        ours(words(self, *arguments))
        return real(self, *arguments)
    setattr(owner, method, watched)

watch(type(os.environ), "__setitem__", lambda _, key, value: key)
watch(type(os.environ), "__delitem__", lambda _, key: key)
watch(logging.Logger, "setLevel", lambda logger, level: logger.name)
watch(logging.Logger, "addHandler", lambda logger, handler: logger.name)

names = list(sys.argv[1:])
if not names:
    import fund_assets
    found = pkgutil.walk_packages(fund_assets.__path__, "fund_assets.")
    names = [m.name for m in found if not m.name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(json.dumps([len(names), told]))
"""


def look(folder, *modules):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOOK, *modules],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_no_module_sets_the_environment_or_a_logger_when_it_is_imported(tmp_path):
    """Stops a program that uses the package from losing its own logging or settings by it."""
    count, told = look(tmp_path)
    assert count > 200, "every module was imported"
    assert told == []


def test_the_look_sees_what_a_module_sets(tmp_path):
    """Stops the test above from passing because it sees nothing."""
    (tmp_path / "guilty.py").write_text(
        "import logging, os\n"
        "os.environ.setdefault('FUND_TOLD', 'yes')\n"
        "logging.getLogger('a').setLevel(30)\n"
        "logging.getLogger('b').addHandler(logging.NullHandler())\n"
        "del os.environ['FUND_TOLD']\n"
    )
    _, told = look(tmp_path, "guilty")
    assert told == [
        ["guilty", "FUND_TOLD"],
        ["guilty", "a"],
        ["guilty", "b"],
        ["guilty", "FUND_TOLD"],
    ]
