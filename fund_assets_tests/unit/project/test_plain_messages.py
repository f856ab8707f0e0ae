"""Sentences that the program prints are plain: no word that has a plainer one.

The words are the table of CONTRIBUTING.md, "Plain words", as for the pages. Read are the string
literals of the package and the help of its commands; not its other docstrings and comments.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import fund_assets
from fund_assets_tests.plain_english import found_words
from fund_assets_tests.syntax import tree_of

PACKAGE = Path(fund_assets.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
#: Words of a sentence in English; not a name, a unit or a pattern.
WORDS = re.compile(r"[a-z]{2,},? [a-z]{2,}")
#: What makes a function a command, whose docstring is its help.
COMMAND = re.compile(r"\b(command|group)\b")
#: A value in a sentence of the catalogue.
VALUE = re.compile(r"\{\w+[^{}]*\}")
#: Statements of the database and pieces of HTML are no sentences.
OTHER = re.compile(r"\b(SELECT|INSERT|CREATE|DELETE|UPDATE)\b|</?\w+[ >]")
#: `'abc' is no number`: the subject is a value or a noun, not `there`.
IS_NO = re.compile(r"(?<!there )\b(?:is|are) no (?!longer\b|more\b)\w+")


def literals(source: str, help_of_commands: bool = False) -> Iterator[tuple[int, str]]:
    """Line and text of each string literal; a value in it is X. Docstrings are left out.

    With `help_of_commands` the docstrings of commands are read too: click prints them.
    """
    tree = tree_of(source)
    left_out = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            left_out.update(child for child in ast.walk(node) if child is not node)
    for node in ast.walk(tree):
        if node in left_out:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = (v.value if isinstance(v, ast.Constant) else "X" for v in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif (
            help_of_commands
            and isinstance(node, ast.FunctionDef)
            and any(COMMAND.search(ast.unparse(each)) for each in node.decorator_list)
            and (text := ast.get_docstring(node))
        ):
            yield node.lineno, text


def spoken(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of the sentences of a module that a reader may meet."""
    for line, text in literals(path.read_text("utf-8"), path.parent.name == "cli"):
        text = VALUE.sub("X", text)
        if WORDS.search(text) and not OTHER.search(text):
            yield line, text


def test_literals_are_found_and_other_texts_are_not():
    """Stops an f-string or the help of a command from being skipped, and SQL from being blamed."""
    source = (
        '"""Told of no one."""\n'
        "@command\n"
        "def one(code):\n"
        '    """Help of the command."""\n'
        '    raise ValueError(f"{code!r} is no fund code")\n'
    )
    assert list(literals(source, help_of_commands=True)) == [
        (3, "Help of the command."),
        (5, "X is no fund code"),
    ]
    assert IS_NO.findall("X is no fund code") == ["is no fund"]
    assert not IS_NO.search("there is no gap; the alert is no longer silenced")
    assert OTHER.search("SELECT name FROM told WHERE asked")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_messages_are_plain(path):
    """Stops words in an error, a help text or a page that its readers have to guess."""
    found = []
    for line, text in spoken(path):
        found += [f"line {line}: {each}" for each in found_words(text)]
        found += [
            f"line {line}: “{words}”, write “is not a …”: {text[:90]}"
            for words in IS_NO.findall(text)
        ]
    assert found == []
