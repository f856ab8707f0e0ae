"""docs/extending.md: each recipe, done on a copy of the package as the page says it."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "extending.md"
BLOCK = re.compile(r"^```python\n# (\S+), (new file|at the end|(?:after|before|instead of): [^\n]+)\n(.*?)^```$", re.M | re.S)  # fmt: skip


@dataclass(frozen=True)
class Step:
    recipe: str
    path: str
    place: str
    code: str


def steps():
    found = []
    for section in PAGE.read_text("utf-8").split("\n## ")[1:]:
        title = section.splitlines()[0]
        for path, place, code in BLOCK.findall(section):
            found.append(Step(title, path, place, code))
        assert section.count("```python") == len(BLOCK.findall(section)), title
    return found


def apply(step, folder):
    path = folder / step.path
    if step.place == "new file":
        assert not path.exists(), step
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.code, "utf-8")
        return
    lines = path.read_text("utf-8").splitlines(keepends=True)
    if step.place == "at the end":
        path.write_text("".join(lines) + step.code, "utf-8")
        return
    how, anchor = step.place.split(": ", 1)
    (at,) = [n for n, line in enumerate(lines) if anchor in line]
    first, behind = {"after": (at + 1, at + 1), "before": (at, at), "instead of": (at, at + 1)}[
        how
    ]
    path.write_text("".join([*lines[:first], step.code, *lines[behind:]]), "utf-8")


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the package in which every recipe of the page was followed."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "fund_assets", folder / "fund_assets")
    for step in steps():
        apply(step, folder)
    return folder


def run(copied, tmp_path, script, **environment):
    """What a script prints that imports the copy."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={
            **os.environ,
            "PYTHONPATH": f"{copied}:{ROOT}",
            "FUND_STATE": str(tmp_path / "state"),
            "NUMBA_OPT": "0",
            **environment,
        },
        cwd=copied,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


#: Recipe → how many files of the package it may change, and make.
MOST = {
    "Add a metric": (2, 1),
    "Add a column": (2, 1),
    "Add a rule": (2, 0),
    "Add a command": (2, 1),
    "Add an alert": (2, 0),
    "Add a source": (3, 2),
    "Add an asset": (1, 1),
}


def test_recipes_touch_few_files():
    """Stops a second list of the same thing: whoever adds one would have to find it too."""
    found = {}
    for step in steps():
        changed, new = found.setdefault(step.recipe, (set(), set()))
        (new if step.place == "new file" else changed).add(step.path)
    counted = {title: tuple(len(paths) for paths in both) for title, both in found.items()}
    assert counted == MOST


METRIC = """
import numpy as np, pandas as pd
from fund_assets.metrics import kernel, of_series
if {plain}:  # a record of numpy alone has no attributes
    for name in ("RESULT", "SUMS", "FALL"):
        setattr(kernel, name, np.dtype((np.record, getattr(kernel, name))))
days = pd.date_range("2025-01-01", periods=41, freq="B")
value = pd.Series(np.cumprod([1.0] + [1.01, 0.99, 1.02, 1.01] * 10), days)
found = of_series(value, ["1m", "inception", "5y"])
print(found["day_win_rate"].to_list()[1], found["day_win_rate"].isna().to_list())
few = of_series(value[:5], ["inception"])
print(few["total_return"].notna().item(), few["day_win_rate"].isna().item())
"""


MEASURED = ["0.75", "[False,", "False,", "True]", "True", "True"]


@pytest.mark.slow
def test_a_metric(copied, tmp_path):
    """Stops a new metric from being 0 where it is unknown, and the recipe from missing a list.

    The loops run as Python, for compiling them takes ten seconds.
    """
    script = METRIC.format(plain=True)
    assert run(copied, tmp_path, script, NUMBA_DISABLE_JIT="1") == MEASURED


@pytest.mark.slow
def test_a_compiled_metric(copied, tmp_path):
    """Stops the recipe from having a loop that is not compiled, or comes to another value."""
    assert run(copied, tmp_path, METRIC.format(plain=False)) == MEASURED


COLUMN = """
from fund_assets.calendar import TradingCalendar
from fund_assets.pipeline.fund_info import refresh
from fund_assets.settings import load_settings
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.warehouse import Warehouse
settings = load_settings(sim_funds=30)
warehouse = Warehouse(settings.warehouse)
warehouse.init("simulated")
source = SimulatedSource.from_settings(settings, TradingCalendar.build())
refresh(warehouse, source, 20260918)
print(warehouse.count("SELECT COUNT(*) FROM fund_info WHERE currency IS NULL"))
print(warehouse.count("SELECT COUNT(*) FROM fund_info WHERE currency = 'CNY'") > 20)
print(warehouse.text("SELECT version_num FROM alembic_version"))
print(warehouse.count("SELECT COUNT(day_win_rate) FROM fund_metrics"))
warehouse.close()
"""
OLDER = """
from fund_assets.settings import load_settings
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.migrations import HEAD
warehouse = Warehouse(load_settings().warehouse)
{act}
"""


@pytest.mark.slow
def test_a_column(copied, tmp_path):
    """Stops a declared column from being left out of a new warehouse, or from staying empty."""
    clock = {"FUND_CLOCK": "2026-09-18T21:00:00"}
    assert run(copied, tmp_path, COLUMN, **clock) == ["0", "True", "0029", "0"]


@pytest.mark.slow
def test_an_older_warehouse_gets_the_columns(copied, tmp_path):
    """Stops a script of the recipes from leaving the tables of an older release as they are."""
    make = OLDER.format(act='warehouse.init("simulated"); print(HEAD)')
    (before,) = run(ROOT, tmp_path, make, PYTHONPATH=str(ROOT))
    act = 'print(*warehouse.migrate(), *warehouse.rows("SELECT currency FROM fund_info"))'
    assert run(copied, tmp_path, OLDER.format(act=act)) == [before, "0029"]


RULE = """
import numpy as np
from fund_assets.nav.merge import plan_merge
from fund_assets_tests.unit.builders import CALENDAR, FRI, THU, known, wave
rows = [("000001", THU, 1.0, 3.0, np.nan), ("000002", THU, np.nan, 3.0, np.nan)]
found = plan_merge(wave(*rows), known(), CALENDAR, FRI)
print(found.held[found.held["rule"] == "R27_unit_nav"]["fund_code"].to_list())
print(*found.upserts["fund_code"])
from fund_assets.checks.catalog import RULES_OF
from fund_assets.nav.rules_zh import TITLES
print(sum(rule.id == "R27_unit_nav" for rule in RULES_OF["validated_nav"]), TITLES["R27_unit_nav"])
"""


@pytest.mark.slow
def test_a_rule(copied, tmp_path):
    """Stops a rule by the recipe from holding nothing, or too much, or from having no check."""
    held = run(copied, tmp_path, RULE)
    assert held == ["['000002']", "000001", "1", "有累计净值就有单位净值"]


COMMAND = """
import os
from fund_assets.cli import main
from fund_assets.settings import load_settings
from fund_assets.warehouse import Warehouse
warehouse = Warehouse(load_settings().warehouse)
warehouse.init("simulated")
warehouse.close()
for language in ("en", "zh"):
    os.environ["FUND_LANG"] = language
    main(["size"], standalone_mode=False)
"""


@pytest.mark.slow
def test_a_command(copied, tmp_path):
    """Stops a command by the recipe from not being found, or from speaking English alone."""
    assert run(copied, tmp_path, COMMAND) == ["0", "accepted", "NAVs", "0", "条已接受的净值"]


ALERT = """
from fund_assets.observability.alerts.catalog import KINDS
from fund_assets.observability.alerts.current import alerts, unknown
from fund_assets_tests.unit.observability.alerts.test_current import NOW, facts
def told(jobs):
    given = facts(dagster={"under_way": {f"job{n}": NOW for n in range(jobs)}})
    return [alert.fingerprint for alert in alerts(given)]
print(told(4), told(5), KINDS["runs_crowded"].title)
from dataclasses import replace
print("runs_crowded" in unknown(replace(facts(), dagster=None)))
"""


@pytest.mark.slow
def test_an_alert(copied, tmp_path):
    """Stops an alert by the recipe from staying silent when it holds."""
    told = run(copied, tmp_path, ALERT)
    assert told == ["[]", "['runs_crowded:dagster']", "同时运行过多", "True"]


SOURCE = """
import inspect
from fund_assets.labels import MARKETS, SOURCES
from fund_assets.resources import Platform
from fund_assets.sources.protocol import FundSource
source = Platform().source
print(source.name, SOURCES["blank"] == MARKETS["blank"])
methods = [name for name in vars(FundSource) if not name.startswith("_")]
print(len(methods) > 5)
for name in methods:
    asked, given = (inspect.signature(getattr(of, name)) for of in (FundSource, type(source)))
    if list(asked.parameters) != list(given.parameters):
        print(name)
"""


@pytest.mark.slow
def test_a_source(copied, tmp_path):
    """Stops a source by the recipe from lacking a method, or its setting from being refused."""
    assert run(copied, tmp_path, SOURCE, FUND_SOURCE="blank") == ["blank", "True", "True"]


ASSET = """
import dagster as dg
from fund_assets.definitions import defs
key = dg.AssetKey("fund_kinds")
print(key in defs.resolve_all_asset_keys(), defs.resolve_asset_graph().get(key).parent_keys)
print(key in defs.resolve_job_def("weekly_full_calc").asset_layer.executable_asset_keys)
"""


@pytest.mark.slow
def test_an_asset(copied, tmp_path):
    """Stops an asset by the recipe from being in no definitions, or from being renewed by none."""
    assert run(copied, tmp_path, ASSET) == ["True", "{AssetKey(['fund_info'])}", "True"]


@pytest.mark.parametrize(
    "asked", [("check", "--no-cache"), ("format", "--check", "--no-cache")]
)
def test_the_linter_has_no_complaint(copied, asked):
    """Stops the page from teaching code that `make check` refuses."""
    ruff = [sys.executable, "-m", "ruff", *asked, "--config", str(ROOT / "pyproject.toml")]
    done = subprocess.run(
        [*ruff, "fund_assets"], cwd=copied, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
