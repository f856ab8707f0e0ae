"""Values have types where they are read, so that nobody guesses one later."""

import ast
from pathlib import Path

import pytest

from fund_assets_tests.syntax import tree_of

PACKAGE = Path(__file__).resolve().parents[3] / "fund_assets"
NUMBERS = {"int", "float"}


def guesses(text):
    """The lines that make a number of a value by its text: a type was lost before."""
    return [
        node.lineno
        for node in ast.walk(tree_of(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in NUMBERS
        and node.args
        and isinstance(node.args[0], ast.Call)
        and isinstance(node.args[0].func, ast.Name)
        and node.args[0].func.id == "str"
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a = int(str(found))", [1]),
        ("x = 1\na = [float(str(row['n'] or 0)) for row in rows]", [2]),
        ("a = int(found), str(found), int(text.strip())", []),
    ],
)
def test_a_guess_is_found(text, lines):
    """Stops the next test from finding nothing."""
    assert guesses(text) == lines


def test_no_number_is_guessed_from_a_text():
    """Stops a type from being lost on the way from the database to those who count with it."""
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 250
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: read it with its type (Warehouse.number, records)"
        for path in files
        for line in guesses(path.read_text("utf-8"))
    ]
    assert found == []
