"""docs/architecture.md: its floors are those of the import contract, its stops are there."""

import ast
import configparser
import re
from pathlib import Path

import pytest

from fund_assets_tests.syntax import tree_of_file

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
#: A function by its dotted name below the package.
STOPS = sorted(set(re.findall(r"`((?:[a-z_]+\.){2,}[a-z_]+|automation\.[a-z_.]+)`", PAGE)))


def test_floors_are_those_of_the_contract():
    """Stops the page from showing a room on a floor where the contract has another."""
    contract = configparser.ConfigParser()
    contract.read(ROOT / ".importlinter", "utf-8")
    layers = contract["importlinter:contract:floors"]["layers"].split("\n")
    held = [layer.split(" : ") for layer in layers if layer and layer != "(__main__)"]
    shown = re.findall(r"^\| (\d+) \| (.+?) \|", PAGE, re.MULTILINE)
    assert [int(number) for number, _ in shown] == list(range(len(held), 0, -1))
    assert [re.findall(r"`(\w+)`", rooms) for _, rooms in shown] == held


def test_there_are_stops():
    """Stops the next test from looking at nothing."""
    assert len(STOPS) >= 18


@pytest.mark.parametrize("stop", STOPS)
def test_every_stop_is_there(stop):
    """Stops a walk of the page from leading to a function that has moved."""
    module, name = stop.rsplit(".", 1)
    path = ROOT / "fund_assets" / f"{module.replace('.', '/')}.py"
    tree = tree_of_file(path)
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert name in defined
