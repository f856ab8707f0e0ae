"""One file for one asset: in `assets/` what Dagster sees, in `pipeline/` what is done."""

import ast
from pathlib import Path

import pytest

from fund_assets.schemas.profiles import PROFILES
from fund_assets_tests.syntax import tree_of_file

PACKAGE = Path(__file__).resolve().parents[3] / "fund_assets"
#: Assets that nothing here makes, so that `pipeline/` has nothing to do for them.
MADE_ELSEWHERE = {"market_source"}
#: Files of `pipeline/` that renew no asset, and who calls them.
NOT_OF_AN_ASSET = {
    "agreement": "the steps of the assets `validated_nav` and `nav_history`",
    "announcements": "the command `calendar`",
    "arrivals": "the step of the asset `validated_nav`",
    "fund_life": "the step of the asset `fund_metrics`",
    "history_gaps": "the command `gaps`",
    "quarantine": "the command `quarantine`",
    "source_canary": "the check `source_canary`",
}


def files(room):
    return {path.stem for path in (PACKAGE / room).glob("*.py") if path.stem[0] != "_"}


def test_every_file_of_assets_is_an_asset():
    """Stops a helper from standing among the assets, and an asset from having no profile."""
    assert files("assets") == set(PROFILES)


@pytest.mark.parametrize("name", sorted(set(PROFILES) - MADE_ELSEWHERE))
def test_a_file_has_the_one_asset_of_its_name(name):
    """Stops two assets from sharing a file, and an asset from hiding under another name."""
    tree = tree_of_file(PACKAGE / "assets" / f"{name}.py")
    made = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any("profiled_asset" in ast.unparse(made) for made in node.decorator_list)
    ]
    assert made == [name]


def test_every_asset_has_its_pipeline():
    """Stops what an asset does from standing in the file of another one."""
    assert files("pipeline") == (set(PROFILES) - MADE_ELSEWHERE) | set(NOT_OF_AN_ASSET)


@pytest.mark.parametrize("name", sorted(set(PROFILES) - MADE_ELSEWHERE))
def test_an_asset_calls_its_pipeline(name):
    """Stops a pair of files from having the same name and nothing to do with each other."""
    tree = tree_of_file(PACKAGE / "assets" / f"{name}.py")
    imported = {
        f"{node.module}.{alias.name}" if node.module == "fund_assets.pipeline" else node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert f"fund_assets.pipeline.{name}" in imported
